//! Arguments of `quorate backup`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum BackupArgs {
    /// Write a backup of this operator: its keys, and what it holds of ceremonies that are over.
    #[command(
        after_help = "Example:\n  quorate backup make alice.backup\n\nIt is sealed with the \
                      passphrase of this operator's keys. Keep it on another machine, and the \
                      passphrase in a third place. Exit code 1 while a ceremony is neither \
                      finished nor abandoned: a copy of its log could sign a second time. \
                      Finish it first, or name it with --leave-out."
    )]
    Make(BackupMake),
    /// Open a backup, and say what is in it and how old it is. Writes nothing but a note for
    /// quorate status.
    #[command(after_help = "Example:\n  quorate backup check alice.backup")]
    Check {
        /// The backup.
        file: PathBuf,
    },
    /// Make a new state directory, given with --dir, from a backup.
    #[command(
        after_help = "Example:\n  quorate backup restore alice.backup --dir restored\n\nThe old \
                      directory must never run again. The new one has another card, and takes \
                      part only in ceremonies whose file has that. Before it deals its shares in \
                      a reshare, or writes keystores, it asks whether newer shares exist."
    )]
    Restore(BackupRestore),
}

#[derive(Args)]
pub(crate) struct BackupMake {
    /// The file to write. Never overwrites.
    pub(crate) file: PathBuf,
    /// A ceremony that is under way, by the name of its folder (quorate status shows it). It will
    /// not be in the backup. Can be repeated.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) leave_out: Vec<String>,
    #[command(flatten)]
    pub(crate) cost: KdfCost,
}

#[derive(Args)]
pub(crate) struct BackupRestore {
    /// The backup.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) cost: KdfCost,
}

/// What a person says of shares that came out of a backup.
#[derive(Args)]
pub(crate) struct NewestArgs {
    /// Of shares that came out of a backup: the sentence that you would type, that no newer ones
    /// exist.
    #[arg(long, value_name = "SENTENCE")]
    pub(crate) yes_newest: Option<String>,
}

#[derive(Args)]
pub(crate) struct KdfCost {
    /// Cost of guessing the passphrase, as a power of two.
    #[arg(long, hide = true, default_value_t = 17,
        value_parser = clap::value_parser!(u8).range(10..=20))]
    pub(crate) kdf_cost: u8,
}
