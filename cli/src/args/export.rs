//! Arguments of `quorate export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{LayoutArgs, NewestArgs};

#[derive(Subcommand)]
pub(crate) enum Export {
    /// Write deposit files and builder registrations from transcripts. Needs no secret.
    #[command(after_help = "Example:\n  quorate export launchpad transcript.quorate --out \
                            launchpad\n\nEach transcript is audited first. The files are the same \
                            as those of every operator. Several ceremonies on one network make \
                            one deposit file, in the order of their transcripts.")]
    Launchpad {
        /// The transcript. Give several for one deposit file of them all.
        #[arg(required = true, value_name = "TRANSCRIPT")]
        transcripts: Vec<PathBuf>,
        /// The folder to create. Never overwrites.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write the folder for SSV's tools, from the transcript of a ceremony for SSV. Needs no
    /// secret.
    #[command(after_help = "Example:\n  quorate export ssv transcript.quorate --out ssv\n\nThe \
                            transcript is audited first. The files are the same as those of every \
                            operator. To verify the folder: quorate verify ssv")]
    Ssv {
        /// The transcript.
        transcript: PathBuf,
        /// The folder to create; the ceremony's folder is written inside it. Never overwrites.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write this operator's shares as keystores, or push them to a validator client's key manager
    /// API.
    #[command(after_help = "Example:\n  quorate export keystores ceremony.toml --profile \
                      web3signer \\\n    --password-files --out keys\n  quorate export \
                      keystores ceremony.toml \\\n    --keymanager http://127.0.0.1:7500 \
                      --token-file api-token.txt\n\nA share that runs in two validator \
                      clients gets slashed. Remove it from one before you push it to \
                      another, with its slashing protection data: quorate keymanager \
                      remove.")]
    Keystores(ExportKeystores),
    /// Write the folder that Charon reads for this operator's node in an Obol cluster: lock,
    /// definition, deposits, keystores, key.
    #[command(
        after_help = "Example:\n  quorate export obol ceremony.toml --out charon-data\n\nThe \
                      folder is what Charon keeps in .charon. Copy it there, or name its files: \
                      charon run --lock-file charon-data/cluster-lock.json --private-key-file \
                      charon-data/charon-enr-private-key\nIt contains the node's key and the \
                      keystores with their passwords: anyone who has it has the shares."
    )]
    Obol(super::ExportObol),
}

#[derive(Args)]
pub(crate) struct ExportKeystores {
    /// The ceremony file.
    pub(crate) ceremony: PathBuf,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
    /// File with the password of the keystores. By default the passphrase is used; with
    /// --password-files or --keymanager, a fresh random password.
    #[arg(long, value_name = "FILE")]
    pub(crate) keystore_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) newest: NewestArgs,
    /// File with the API token of the key manager.
    #[arg(long, value_name = "FILE", requires = "keymanager")]
    pub(crate) token_file: Option<PathBuf>,
    /// Slashing protection data (EIP-3076) of the shares' keys, to push with them; several files
    /// are joined by maximum. Without it the key manager learns nothing of what they have signed.
    #[arg(long, value_name = "FILE", requires = "keymanager")]
    pub(crate) protection: Vec<PathBuf>,
    /// After a reshare: push only if the chain saw nothing of the validators in a whole epoch since
    /// the cut-over. This file is a beacon node's list of them (GET or POST
    /// /eth/v1/beacon/states/head/validators).
    #[arg(long, value_name = "FILE", requires_all = ["keymanager", "liveness", "epoch"])]
    pub(crate) beacon: Option<PathBuf>,
    /// The node's answer about these validators for that epoch (POST
    /// /eth/v1/validator/liveness/EPOCH).
    #[arg(long, value_name = "FILE", requires = "beacon")]
    pub(crate) liveness: Option<PathBuf>,
    /// The epoch that the node was asked about.
    #[arg(long, requires = "beacon")]
    pub(crate) epoch: Option<u64>,
    /// Keys that no file of --protection names have never been in a validator client.
    #[arg(long, requires = "protection")]
    pub(crate) others_never_ran: bool,
    /// Allow plain HTTP to another machine. Anyone on the network path can then read keystores,
    /// passwords and token.
    #[arg(long, requires = "keymanager")]
    pub(crate) insecure_http: bool,
}

/// Where keystores go.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// The folder to create. Never overwrites.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Address of a key manager API (POST /eth/v1/keystores), like http://127.0.0.1:7500. Only
    /// plain HTTP, and by default only on this machine.
    #[arg(long, value_name = "URL", requires = "token_file", conflicts_with_all = ["password_files",
        "profile"])]
    pub(crate) keymanager: Option<String>,
}
