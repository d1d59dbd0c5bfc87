//! Arguments of the commands for Obol clusters.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum ObolKey {
    /// Create the key of this operator's node, and print its record for the cluster definition.
    #[command(
        after_help = "Example:\n  quorate identity obol-key new\n\nThe record (enr:...) goes into \
                      the cluster definition."
    )]
    New,
    /// Store an existing key in the state directory, and print its record.
    #[command(
        after_help = "Example:\n  quorate identity obol-key import .charon/charon-enr-private-key"
    )]
    Import {
        /// The key: a charon-enr-private-key file (mode 0600).
        file: PathBuf,
    },
    /// Print the record of the stored key.
    #[command(after_help = "Example:\n  quorate identity obol-key show")]
    Show,
}

#[derive(Args)]
pub(crate) struct ExportObol {
    /// The ceremony file.
    pub(crate) ceremony: PathBuf,
    /// The key of this operator's node, if it is not the one in the state directory.
    #[arg(long, value_name = "FILE")]
    pub(crate) charon_enr_private_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) newest: super::NewestArgs,
    /// The folder to create. Never overwrites.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// A file of an Obol cluster to judge.
#[derive(Args)]
pub(crate) struct VerifyCluster {
    /// The file.
    pub(crate) file: PathBuf,
    /// Address (ERC-55) of a contract wallet. Its signatures (ERC-1271) can only be verified on
    /// chain: they are reported as not checked instead of refused.
    #[arg(long = "contract-wallet", value_name = "ADDRESS")]
    pub(crate) contract_wallets: Vec<String>,
}
