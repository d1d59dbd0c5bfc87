//! `quorate spec`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{network_names, unit_names};

#[derive(Subcommand)]
pub(crate) enum Spec {
    /// Write a ceremony file from operator cards. The coordinator has no other power.
    #[command(after_help = "Example:\n  quorate spec new --name \"Our cluster\" --network hoodi \
                      --threshold 3 --validators 10 \\\n    \
        --withdrawal 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --compounding false \\\n    \
        --operator quorate1...@10.0.0.1:3610 --operator quorate1...@10.0.0.2:3610 \\\n    \
        --operator quorate1...@10.0.0.3:3610 --operator quorate1...@10.0.0.4:3610 -o \
        ceremony.toml")]
    New(Box<SpecNew>),
    /// Draft the next attempt of a ceremony that was stopped: with the same operators, or with
    /// others.
    #[command(
        after_help = "Example:\n  quorate spec next ceremony.toml --without dave --reason \"dave \
                      dealt a bad share\" -o ceremony-2.toml\n\n\
        Everybody agrees to it anew: other fingerprint, other keys. To go on with an attempt that \
        was only interrupted, no new file is \
        needed: run the same command again."
    )]
    Next(SpecNext),
    /// Check a ceremony file against every rule.
    #[command(after_help = "Example:\n  quorate spec check ceremony.toml")]
    Check {
        /// The ceremony file.
        file: PathBuf,
    },
    /// Show everything that a person must agree to, money first, and the fingerprint as words.
    #[command(after_help = "Example:\n  quorate spec show ceremony.toml")]
    Show {
        /// The ceremony file.
        file: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct SpecNew {
    /// Name of the ceremony. By default that of the cluster, if there is a definition.
    #[arg(long, required_unless_present = "obol_definition")]
    pub(crate) name: Option<String>,
    #[arg(long, required_unless_present = "obol_definition",
        help = format!("{}. For another network, write the file by hand", network_names()))]
    pub(crate) network: Option<String>,
    /// How many operators are needed to sign: more than half.
    #[arg(long, required_unless_present = "obol_definition")]
    pub(crate) threshold: Option<u16>,
    /// How many validators go to each withdrawal address.
    #[arg(long, required_unless_present = "obol_definition", conflicts_with = "obol_definition",
        action = clap::ArgAction::Append, value_name = "COUNT")]
    pub(crate) validators: Vec<u32>,
    /// Where the money of those validators goes when it is withdrawn (ERC-55). Give --validators
    /// and --withdrawal again for another address; they pair up in order.
    #[arg(long, required_unless_present = "obol_definition", conflicts_with = "obol_definition",
        action = clap::ArgAction::Append, value_name = "ADDRESS")]
    pub(crate) withdrawal: Vec<String>,
    /// Compounding credentials (0x02, up to 2048 ETH) or not (0x01, 32 ETH).
    #[arg(
        long,
        required_unless_present = "obol_definition",
        conflicts_with = "obol_definition",
        value_name = "true|false"
    )]
    pub(crate) compounding: Option<bool>,
    #[arg(long = "amount", conflicts_with = "obol_definition", value_name = "AMOUNT",
        help = format!("Amount of a deposit in {}, 32 ETH (1 GNO) if not given. Repeat it, in \
            ascending order, for several deposits of each validator", unit_names()))]
    pub(crate) amounts: Vec<String>,
    /// Sign a builder registration with this fee recipient (ERC-55).
    #[arg(long, conflicts_with = "obol_definition", value_name = "ADDRESS")]
    pub(crate) fee_recipient: Option<String>,
    /// Gas limit of the builder registration; 36000000 if not given.
    #[arg(
        long,
        conflicts_with = "obol_definition",
        value_name = "GAS",
        requires = "fee_recipient"
    )]
    pub(crate) gas_limit: Option<u64>,
    /// Allow a threshold of all operators: the loss of one share is then the loss of the
    /// validators.
    #[arg(long)]
    pub(crate) allow_all_required: bool,
    /// Make the Obol cluster of this cluster-definition.json (v1.8 to v1.11): operators, threshold,
    /// network, validators, amounts, fee recipients and gas limit are the definition's.
    #[arg(long, value_name = "FILE")]
    pub(crate) obol_definition: Option<PathBuf>,
    /// A wallet (ERC-55) of the definition that is a contract: its signatures (ERC-1271) cannot be
    /// checked offline, and everybody who is asked to agree is told so.
    #[arg(long = "contract-wallet", value_name = "ADDRESS", requires = "obol_definition")]
    pub(crate) contract_wallets: Vec<String>,
    /// An operator: card@host:port, in the order of their indices.
    #[arg(long = "operator", required = true, value_name = "CARD@HOST:PORT")]
    pub(crate) operators: Vec<String>,
    /// For a cluster of SSV: the account that will register the validators (ERC-55). With
    /// --ssv-nonce, --ssv-operators, and --ssv-id for each operator.
    #[arg(long, value_name = "ADDRESS", requires_all = ["ssv_nonce", "ssv_operators", "ssv_ids"])]
    pub(crate) ssv_owner: Option<String>,
    /// How many validators that account has registered on this network before, malformed
    /// registrations included.
    #[arg(long, value_name = "NONCE", requires = "ssv_owner")]
    pub(crate) ssv_nonce: Option<u64>,
    /// The operators' RSA keys: an operators_info.json, as SSV's web application exports it.
    #[arg(long, value_name = "FILE", requires = "ssv_owner")]
    pub(crate) ssv_operators: Option<PathBuf>,
    /// An operator's number in SSV's contract, for each --operator in turn.
    #[arg(long = "ssv-id", value_name = "ID", requires = "ssv_owner")]
    pub(crate) ssv_ids: Vec<u64>,
    /// The file to write. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct SpecNext {
    /// The ceremony file of the attempt that was stopped.
    pub(crate) file: PathBuf,
    /// An operator to leave out, by name or by index.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) without: Vec<String>,
    /// An operator to add, behind the others: card@host:port.
    #[arg(long, value_name = "CARD@HOST:PORT")]
    pub(crate) add: Vec<String>,
    /// How many operators are needed to sign. If not given: as before with the same operators, two
    /// thirds of them, rounded up, with others.
    #[arg(long)]
    pub(crate) threshold: Option<u16>,
    /// Allow a threshold of all operators: the loss of one share is then the loss of the
    /// validators.
    #[arg(long)]
    pub(crate) allow_all_required: bool,
    /// Why there is another attempt, for everybody who is asked to agree to it. One line, kept in
    /// the file as a comment.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The file to write. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
