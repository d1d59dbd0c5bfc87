//! Arguments of `quorate import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::network_names;

#[derive(Subcommand)]
pub(crate) enum Import {
    /// Draft the file of an import from the keystores of validators that run. Only their public
    /// keys are read.
    #[command(after_help = "Example:\n  quorate import new --keystores validator_keys --beacon \
                      validators.json \\\n    --name \"From one to four\" --network hoodi \
                      --threshold 3 \\\n    --operator quorate1...@10.0.0.1:3610 --operator \
                      quorate1...@10.0.0.2:3610 \\\n    --operator quorate1...@10.0.0.3:3610 \
                      --operator quorate1...@10.0.0.4:3610 \\\n    -o import.toml\n\nThe first \
                      operator holds the keys, unless --dealer names another. The file binds \
                      nobody until all of its operators agree to it.\n\nWithdrawal addresses are \
                      claimed by the file, and no ceremony proves them. With --beacon they are \
                      what your beacon node says.")]
    New(ImportNew),
}

#[derive(Args)]
pub(crate) struct ImportNew {
    /// The validators' keystores (EIP-2335): a file, or a folder in the layout of a validator
    /// client or of a deposit tool. None is decrypted.
    #[arg(long, value_name = "PATH")]
    pub(crate) keystores: PathBuf,
    /// Name of the import.
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, help = format!("{}. For another network, write the file by hand", network_names()))]
    pub(crate) network: String,
    /// Number of operators required to sign with the shares: more than half. By default two thirds
    /// of those that receive, rounded up.
    #[arg(long)]
    pub(crate) threshold: Option<u16>,
    /// A beacon node's answer about the validators (GET or POST
    /// /eth/v1/beacon/states/head/validators), from which their withdrawal credentials are taken.
    #[arg(long, value_name = "FILE")]
    pub(crate) beacon: Option<PathBuf>,
    /// Without --beacon: the withdrawal address (ERC-55) that all of them have.
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "beacon",
        conflicts_with = "beacon"
    )]
    pub(crate) withdrawal: Option<String>,
    /// Without --beacon: whether their credentials are compounding (true: 0x02; false: 0x01).
    #[arg(
        long,
        value_name = "true|false",
        required_unless_present = "beacon",
        conflicts_with = "beacon"
    )]
    pub(crate) compounding: Option<bool>,
    /// An operator, as card@host:port or @file@host:port. Repeat it for each.
    #[arg(long = "operator", value_name = "CARD@HOST:PORT", required = true)]
    pub(crate) operators: Vec<String>,
    /// For a cluster of SSV: the number in its contract of an operator that gets a share, by its
    /// name: its evaluation point. Repeat it for each.
    #[arg(long = "ssv-id", value_name = "NAME=ID")]
    pub(crate) ssv_ids: Vec<String>,
    /// The operator that holds the keys, by name or index. By default the first.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) dealer: Option<String>,
    /// The operator that holds the keys gets no share.
    #[arg(long)]
    pub(crate) dealer_leaves: bool,
    /// Allow a threshold of all receivers: then the loss of one share is the loss of the
    /// validators.
    #[arg(long)]
    pub(crate) allow_all_required: bool,
    /// The file to write; - is stdout. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
