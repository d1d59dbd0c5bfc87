//! Arguments of `quorate repair`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum Repair {
    /// Draft the file of a repair from the transcript of a completed ceremony. As many operators as
    /// sign give one of them back the share that it has lost.
    #[command(
        after_help = "Example:\n  quorate repair new --from transcript.quorate --lost carol \\\n\
                      \x20   --operator quorate1...@10.0.0.7:3610 -o repair.toml\n    carol's \
                      disk is dead, and she has a new card\n\nThe lost operator needs its old \
                      identity, restored, with a new card. Without it, use: quorate reshare new \
                      --absent\nIf the share may have been stolen, a repair does not help: deal \
                      all shares anew.\n\nThe file binds nobody until all of its operators agree \
                      to it."
    )]
    New(RepairNew),
}

#[derive(Args)]
pub(crate) struct RepairNew {
    /// The transcript of the ceremony in which the share was made. If it is that of a reshare, the
    /// transcripts of its parents are read from the folder `history` beside it; or give them too,
    /// in any order.
    #[arg(long, required = true, value_name = "TRANSCRIPT")]
    pub(crate) from: Vec<PathBuf>,
    /// The operator that has lost its share, by name or index.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) lost: String,
    /// An operator that helps, by name or index: as many as sign. By default those that come first.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) helper: Vec<String>,
    /// The new card or the address of one of these operators, as card@host:port or @file@host:port.
    #[arg(long = "operator", value_name = "CARD@HOST:PORT")]
    pub(crate) operators: Vec<String>,
    /// Name of the repair; by default "Repair for" and the name of the operator.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The sentence that you type otherwise: "the old machine is destroyed".
    #[arg(long, value_name = "SENTENCE")]
    pub(crate) yes_destroyed: Option<String>,
    /// The file to write; - is stdout. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
