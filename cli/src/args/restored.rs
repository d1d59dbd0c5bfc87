//! Arguments of `quorate restored`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::MeetingArgs;

#[derive(Subcommand)]
pub(crate) enum RestoredArgs {
    /// Write a question for the other operators that hold shares of a ceremony: whether they know
    /// of newer ones. For a directory that was restored from a backup.
    #[command(
        after_help = "Example:\n  quorate restored ask ceremony.toml -o alice.ask\n\nSend it to \
                      the others. As soon as enough of them have answered that they know of \
                      nothing newer, this directory uses its shares again: quorate restored take. \
                      A later question takes the place of an earlier one."
    )]
    Ask(RestoredAsk),
    /// Answer the question of an operator that was restored from a backup: which reshares and
    /// imports of these keys this operator has committed to.
    #[command(after_help = "Example:\n  quorate restored answer alice.ask -o bob.answer\n\nThe \
                            answer is signed. Send it back to whoever asked.")]
    Answer(RestoredAnswer),
    /// Take the answers to this directory's question.
    #[command(
        after_help = "Example:\n  quorate restored take ceremony.toml bob.answer carol.answer\n\n\
                      Answers that count are kept; give more when they come. Exit code 0: enough \
                      operators know of nothing newer. Exit code 4: one of them names a newer \
                      generation, and these shares are not used. Exit code 5: more answers are \
                      needed."
    )]
    Take(RestoredTake),
}

#[derive(Args)]
pub(crate) struct RestoredAsk {
    /// The file of the finished ceremony whose shares came out of the backup.
    pub(crate) ceremony: PathBuf,
    /// The file to write. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// With it, the question is put on a board too. The others then give its id in the place of the
    /// file.
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
}

#[derive(Args)]
pub(crate) struct RestoredAnswer {
    /// The question; with --board or --via, its id (64 digits) is enough.
    pub(crate) ask: PathBuf,
    /// The file to write; with a board, it can be left out. Never overwrites.
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["board", "via"])]
    pub(crate) output: Option<PathBuf>,
    /// With it, the answer is put on a board.
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
}

#[derive(Args)]
pub(crate) struct RestoredTake {
    /// The file of the finished ceremony.
    pub(crate) ceremony: PathBuf,
    /// The answers.
    #[arg(required_unless_present_any = ["board", "via"], value_name = "ANSWER")]
    pub(crate) answers: Vec<PathBuf>,
    /// With it, answers are taken from a board too.
    #[command(flatten)]
    pub(crate) meeting: MeetingArgs,
}
