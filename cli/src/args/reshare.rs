//! Arguments of `quorate reshare`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum Reshare {
    /// Draft the file of a reshare from the transcript of a completed ceremony. Keys and withdrawal
    /// addresses stay; operators and threshold may change.
    #[command(
        after_help = "Example:\n  quorate reshare new --from transcript.quorate --name Refresh -o \
                      reshare.toml\n    the same operators, new shares\n\n  quorate reshare new \
                      --from transcript.quorate --name \"Erin for carol\" \\\n    --leaves carol \
                      --operator quorate1...@10.0.0.5:3610 -o reshare.toml\n    carol leaves, and \
                      erin comes\n\n  quorate reshare new --from transcript.quorate --name \
                      \"Erin for dave\" \\\n    --absent dave --operator \
                      quorate1...@10.0.0.5:3610 -o reshare.toml\n    dave's machine is lost, and \
                      erin comes\n\nThe file binds nobody until all of its operators agree to it."
    )]
    New(ReshareNew),
}

#[derive(Args)]
pub(crate) struct ReshareNew {
    /// The transcript whose shares are dealt anew. If it is that of a reshare, the transcripts of
    /// its parents are read from the folder `history` beside it; or give them too, in any order.
    #[arg(long, required = true, value_name = "TRANSCRIPT")]
    pub(crate) from: Vec<PathBuf>,
    /// Name of the reshare.
    #[arg(long)]
    pub(crate) name: String,
    /// Number of operators required to sign with the new shares: more than half. By default as
    /// before if as many receive; otherwise two thirds, rounded up.
    #[arg(long)]
    pub(crate) threshold: Option<u16>,
    /// An operator of the parent that takes no part, by name or index. The others must be enough to
    /// sign.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) absent: Vec<String>,
    /// An operator of the parent that deals and gets no new share, by name or index.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) leaves: Vec<String>,
    /// An operator of the parent that has lost its share: it gets a new one and deals nothing.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) lost: Vec<String>,
    /// An operator of the parent that deals nothing, and stops with the others, so that it counts
    /// where one of them is lost later. It gets no new share, unless it is named with --lost too.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) witness: Vec<String>,
    /// A new operator, as card@host:port or @file@host:port; or a new card or address of an
    /// operator of the parent.
    #[arg(long = "operator", value_name = "CARD@HOST:PORT")]
    pub(crate) operators: Vec<String>,
    /// The number in SSV's contract of an operator that gets a share, by its name: its evaluation
    /// point. Operators of a cluster of SSV keep theirs; repeat it for each new one.
    #[arg(long = "ssv-id", value_name = "NAME=ID")]
    pub(crate) ssv_ids: Vec<String>,
    /// Reshare only these validators, by their numbers in the parent: 1,3,7-20.
    #[arg(long, value_name = "NUMBERS")]
    pub(crate) validators: Option<String>,
    /// Allow a threshold of all receivers: then the loss of one share is the loss of the
    /// validators.
    #[arg(long)]
    pub(crate) allow_all_required: bool,
    /// The file to write; - is stdout. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
