//! What concerns Obol's clusters.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum ObolKey {
    /// Make the key of this operator's node, and print its record for the cluster definition.
    #[command(
        after_help = "Example:\n  quorate identity obol-key new\n\nThe record (enr:...) goes into \
                      the cluster definition."
    )]
    New,
    /// Keep a key that exists, and print its record.
    #[command(
        after_help = "Example:\n  quorate identity obol-key import .charon/charon-enr-private-key"
    )]
    Import {
        /// The key: a charon-enr-private-key file (mode 0600).
        file: PathBuf,
    },
    /// Print the record of the key that is kept.
    #[command(after_help = "Example:\n  quorate identity obol-key show")]
    Show,
}

#[derive(Args)]
pub(crate) struct ExportObol {
    /// The ceremony file.
    pub(crate) ceremony: PathBuf,
    /// The key of this operator's node, if it is not the one that is kept.
    #[arg(long, value_name = "FILE")]
    pub(crate) charon_enr_private_key: Option<PathBuf>,
    /// The folder to make. Never overwrites.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A file of an Obol cluster to judge.
#[derive(Args)]
pub(crate) struct VerifyCluster {
    /// The file.
    pub(crate) file: PathBuf,
    /// A wallet (ERC-55) that is a contract: its signatures (ERC-1271) cannot be checked offline,
    /// and are named instead of refused.
    #[arg(long = "contract-wallet", value_name = "ADDRESS")]
    pub(crate) contract_wallets: Vec<String>,
}
