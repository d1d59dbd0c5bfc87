//! Arguments of `quorate spec`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{WalletText, network_names, unit_names};

#[derive(Subcommand)]
pub(crate) enum Spec {
    /// Write a ceremony file from operator cards. The coordinator has no other power.
    #[command(after_help = "Example:\n  quorate spec new --name \"Our cluster\" --network hoodi \
                      --threshold 3 \\\n    --validators 10 --compounding false \\\n    \
                      --withdrawal \
                      0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\\n    --operator \
                      quorate1...@10.0.0.1:3610 --operator quorate1...@10.0.0.2:3610 \\\n    \
                      --operator \
                      quorate1...@10.0.0.3:3610 --operator quorate1...@10.0.0.4:3610 \\\n    -o \
                      ceremony.toml")]
    New(Box<SpecNew>),
    /// Draft the next attempt of a stopped ceremony, with the same or with other operators.
    #[command(
        after_help = "Example:\n  quorate spec next ceremony.toml --without dave \\\n    --reason \
                      \"dave dealt a bad share\" -o ceremony-2.toml\n\nAll operators must \
                      agree to the new file: it has a new fingerprint and makes new keys. To \
                      continue an attempt that was only interrupted, you need no new file: \
                      run the same command again."
    )]
    Next(SpecNext),
    /// Pack for an operator, or for each: one file with the ceremony file, the operator's seat, and
    /// in a reshare the transcripts before it.
    #[command(
        after_help = "Example:\n  quorate spec pack ceremony.toml --for bob\n  quorate spec \
                            pack ceremony.toml --all --out packets\n\nBob then runs: quorate join \
                            bob.packet. A packet is not secret, and nobody signs it: all operators \
                            still compare the fingerprint by voice."
    )]
    Pack(SpecPack),
    /// Check a ceremony file against every rule.
    #[command(after_help = "Example:\n  quorate spec check ceremony.toml\n  quorate spec check \
                            ceremony.toml --policy lido-dvt-cluster\n\nExit code 4 if the file is \
                            valid and does not meet a policy.")]
    Check {
        /// The ceremony file, or an operator packet.
        file: PathBuf,
        /// Also compare it with what a programme demands: the name of a policy pack, or a file.
        /// Repeat it for several.
        #[arg(long, value_name = "NAME|FILE")]
        policy: Vec<String>,
    },
    /// List the policy packs that are built in, or print one of them: a file to start from.
    #[command(after_help = "Example:\n  quorate spec policy\n  quorate spec policy treasury > \
                            ours.toml\n\nA pack says what a programme demands of a ceremony, \
                            where that is from, and what a ceremony cannot show.")]
    Policy {
        /// The pack to print.
        name: Option<String>,
    },
    /// Print the text that an operator's wallet signs (EIP-191, personal_sign), for a dossier.
    #[command(
        after_help = "Example:\n  quorate spec wallet-text ceremony.toml --operator bob \\\n    \
                            --wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\nThe text has no \
                            line end. Sign it with the wallet, for example: cast wallet sign \
                            \"TEXT\""
    )]
    WalletText(WalletText),
    /// Show everything that the operators agree to; last the money, and the fingerprint as words.
    #[command(after_help = "Example:\n  quorate spec show ceremony.toml")]
    Show {
        /// The ceremony file, or an operator packet.
        file: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct SpecNew {
    /// Name of the ceremony. With a cluster definition, the default is the name of the cluster.
    #[arg(long, required_unless_present = "obol_definition")]
    pub(crate) name: Option<String>,
    #[arg(long, required_unless_present_any = ["obol_definition", "like"],
        help = format!("{}. For another network, write the file by hand", network_names()))]
    pub(crate) network: Option<String>,
    /// Number of operators required to sign: more than half.
    #[arg(long, required_unless_present_any = ["obol_definition", "like"])]
    pub(crate) threshold: Option<u16>,
    /// Number of validators for a withdrawal address.
    #[arg(long, required_unless_present = "obol_definition", conflicts_with = "obol_definition",
        action = clap::ArgAction::Append, value_name = "COUNT")]
    pub(crate) validators: Vec<u32>,
    /// Withdrawal address (ERC-55) of those validators. For another address, give --validators and
    /// --withdrawal again; they are paired in order.
    #[arg(long, required_unless_present_any = ["obol_definition", "like"],
        conflicts_with = "obol_definition", action = clap::ArgAction::Append,
        value_name = "ADDRESS")]
    pub(crate) withdrawal: Vec<String>,
    /// Whether to use compounding credentials (true: 0x02, up to 2048 ETH; false: 0x01, 32 ETH).
    #[arg(
        long,
        required_unless_present_any = ["obol_definition", "like"],
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
    /// Gas limit of the builder registration. By default 60000000, as in clients and in Charon.
    #[arg(
        long,
        conflicts_with = "obol_definition",
        value_name = "GAS",
        requires = "fee_recipient"
    )]
    pub(crate) gas_limit: Option<u64>,
    /// Allow a threshold of all operators: then the loss of one share is the loss of the
    /// validators.
    #[arg(long)]
    pub(crate) allow_all_required: bool,
    /// Also sign a preregistration of each validator's withdrawal credentials, by the DRAFT
    /// EIP-8205. No network takes it yet, and it never expires.
    #[arg(long)]
    pub(crate) preregistration: bool,
    /// Make the Obol cluster of this cluster-definition.json (v1.8 to v1.11). The definition
    /// decides operators, threshold, network, validators, amounts, fee recipients and gas limit.
    #[arg(long, value_name = "FILE")]
    pub(crate) obol_definition: Option<PathBuf>,
    /// Address (ERC-55) of a contract wallet in the definition. Its signatures (ERC-1271) can only
    /// be verified on chain; every operator is told so before agreeing.
    #[arg(long = "contract-wallet", value_name = "ADDRESS", requires = "obol_definition")]
    pub(crate) contract_wallets: Vec<String>,
    /// An operator, as card@host:port, or with a card from a file as @file@host:port. Repeat it for
    /// each operator, in the order of their indices.
    #[arg(long = "operator", required_unless_present = "like", value_name = "CARD@HOST:PORT")]
    pub(crate) operators: Vec<String>,
    /// More validators for a cluster that exists: operators, threshold, network, withdrawal
    /// address, amounts and fee recipient are those of this transcript, where no flag says
    /// otherwise. --operator gives an operator's newer card, or its address.
    #[arg(long, value_name = "TRANSCRIPT", conflicts_with_all = ["obol_definition", "ssv_owner"])]
    pub(crate) like: Option<PathBuf>,
    /// With --like: the address of an operator, given by name or index; a transcript has none.
    #[arg(long, value_name = "OPERATOR=HOST:PORT", requires = "like")]
    pub(crate) at: Vec<String>,
    /// For an SSV cluster: the account that will register the validators (ERC-55). Also give
    /// --ssv-nonce, --ssv-operators, and one --ssv-id for each operator.
    #[arg(long, value_name = "ADDRESS", requires_all = ["ssv_nonce", "ssv_operators", "ssv_ids"])]
    pub(crate) ssv_owner: Option<String>,
    /// Number of validators that this account has already registered on this network, malformed
    /// registrations included.
    #[arg(long, value_name = "NONCE", requires = "ssv_owner")]
    pub(crate) ssv_nonce: Option<u64>,
    /// The operators' RSA keys: an operators_info.json as exported by SSV's web application.
    #[arg(long, value_name = "FILE", requires = "ssv_owner")]
    pub(crate) ssv_operators: Option<PathBuf>,
    /// An operator's number in SSV's contract. Give one for each --operator, in the same order.
    #[arg(long = "ssv-id", value_name = "ID", requires = "ssv_owner")]
    pub(crate) ssv_ids: Vec<u64>,
    /// The file to write; - is stdout. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct SpecNext {
    /// The ceremony file of the attempt that was stopped.
    pub(crate) file: PathBuf,
    /// An operator to leave out, by name or index.
    #[arg(long, value_name = "NAME|INDEX")]
    pub(crate) without: Vec<String>,
    /// An operator to add at the end, as card@host:port or @file@host:port.
    #[arg(long, value_name = "CARD@HOST:PORT")]
    pub(crate) add: Vec<String>,
    /// Number of operators required to sign. By default as before if the operators are the same;
    /// otherwise two thirds, rounded up.
    #[arg(long)]
    pub(crate) threshold: Option<u16>,
    /// Allow a threshold of all operators: then the loss of one share is the loss of the
    /// validators.
    #[arg(long)]
    pub(crate) allow_all_required: bool,
    /// The reason for the new attempt, for everyone who is asked to agree to it. One line, kept in
    /// the file as a comment.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The file to write; - is stdout. Never overwrites.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct SpecPack {
    /// The ceremony file.
    pub(crate) file: PathBuf,
    /// The operator whom the packet is for, by name or index.
    #[arg(long = "for", value_name = "NAME|INDEX", required_unless_present = "all")]
    pub(crate) operator: Option<String>,
    /// A packet for each operator, in a new folder.
    #[arg(long, conflicts_with = "operator")]
    pub(crate) all: bool,
    /// In a reshare: the transcript of its parent, and those of the parent's own parents, in any
    /// order.
    #[arg(long, value_name = "TRANSCRIPT")]
    pub(crate) from: Vec<PathBuf>,
    /// Current address of an operator, given by name or index, if it differs from the ceremony
    /// file. Can be repeated.
    #[arg(long, value_name = "OPERATOR=HOST:PORT")]
    pub(crate) at: Vec<String>,
    /// The packet to write, by default the operator's name with .packet behind it; - is stdout.
    /// Never overwrites.
    #[arg(short, long, value_name = "FILE", conflicts_with = "all")]
    pub(crate) output: Option<PathBuf>,
    /// The folder to write all packets to. Never overwrites.
    #[arg(long, value_name = "DIR", default_value = "packets", requires = "all")]
    pub(crate) out: PathBuf,
}
