//! `quorate export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::LayoutArgs;

#[derive(Subcommand)]
pub(crate) enum Export {
    /// Write deposit files and builder registrations, from a transcript alone. Needs no secret.
    #[command(after_help = "Example:\n  quorate export launchpad transcript.quorate --out \
                      launchpad\n\nThe transcript is audited first; its files are \
                            the same as every operator's.")]
    Launchpad {
        /// The transcript.
        transcript: PathBuf,
        /// The folder to make. Never overwrites.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write the folder that SSV's tools read, from the transcript of a ceremony for SSV. Needs no
    /// secret.
    #[command(after_help = "Example:\n  quorate export ssv transcript.quorate --out ssv\n\nThe \
                      transcript is audited first; the files are the \
                            same as every operator's. Judge the folder in it with: quorate verify \
                            ssv")]
    Ssv {
        /// The transcript.
        transcript: PathBuf,
        /// The folder to make, for the ceremony's own folder in it. Never overwrites.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write this operator's shares as keystores, or push them to a validator client's key manager
    /// API.
    #[command(
        after_help = "Example:\n  quorate export keystores ceremony.toml --profile web3signer \
                      --password-files --out keys\n  \
                            quorate export keystores ceremony.toml --keymanager \
                            http://127.0.0.1:7500 --token-file api-token.txt\n\nOne share in two \
                            running validator clients is slashed. Stop one before you start \
                            another."
    )]
    Keystores(ExportKeystores),
    /// Write the folder of this operator's node in an Obol cluster, as Charon reads it: lock,
    /// definition, deposits, keystores, key.
    #[command(
        after_help = "Example:\n  quorate export obol ceremony.toml --out charon-data\n\nThe \
                      folder has the node's key and the keystores with \
                            their passwords: it is what charon run --data-dir wants, and whoever \
                            has it has the shares."
    )]
    Obol(super::ExportObol),
}

#[derive(Args)]
pub(crate) struct ExportKeystores {
    /// The ceremony file.
    pub(crate) ceremony: PathBuf,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
    /// Password of the keystores. By default the passphrase; a fresh one with --password-files or
    /// --keymanager.
    #[arg(long, value_name = "FILE")]
    pub(crate) keystore_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// The key manager's API token.
    #[arg(long, value_name = "FILE", requires = "keymanager")]
    pub(crate) token_file: Option<PathBuf>,
    /// Allow plain http to another machine: whoever is on the way reads keystores, passwords and
    /// token.
    #[arg(long, requires = "keymanager")]
    pub(crate) insecure_http: bool,
}

/// Where keystores go.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// The folder to make. Never overwrites.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A key manager API (POST /eth/v1/keystores), like http://127.0.0.1:7500. Over plain http only
    /// on this machine.
    #[arg(long, value_name = "URL", requires = "token_file", conflicts_with_all = ["password_files",
        "profile"])]
    pub(crate) keymanager: Option<String>,
}
