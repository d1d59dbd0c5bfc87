//! `quorate verify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::network_names;

#[derive(Subcommand)]
pub(crate) enum Verify {
    /// A deposit file: shape, amounts, credentials, both roots, network, and every signature.
    #[command(
        after_help = "Example:\n  quorate verify deposit deposit-data.json --network hoodi \\\n    \
                            --withdrawal 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\nExit code 0 \
                            if it is accepted, 4 if it is refused; then \
                            the field at fault is named. That the deposits are those of a ceremony \
                            is for quorate audit --deposit-data."
    )]
    Deposit {
        /// The deposit file.
        file: PathBuf,
        #[command(flatten)]
        network: NetworkArgs,
        /// The address (ERC-55) that all of its money must go to when it is withdrawn.
        #[arg(long, value_name = "ADDRESS")]
        withdrawal: Option<String>,
    },
    /// A signed voluntary exit: shape, and the signature under the domain that exits have for ever
    /// (EIP-7044).
    #[command(after_help = "Example:\n  quorate verify exit \
                      signed_exit_transaction-1804776-1795328302.json --network hoodi \\\n    \
                            --public-key 0xb384f767...\n\nExit code 0 if it is accepted, 4 if it \
                            is refused.")]
    Exit(VerifyExit),
    /// A file of builder registrations: shape, and every signature.
    #[command(after_help = "Example:\n  quorate verify registration registrations.json --network \
                      hoodi\n\nExit code 0 if it is accepted, 4 if it \
                            is refused.")]
    Registration {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        network: NetworkArgs,
    },
    /// Key shares for SSV's contract and nodes: shape, RSA keys, the sharing of each validator's
    /// key, and every signature.
    #[command(
        after_help = "Example:\n  quorate verify keyshares keyshares.json --proofs proofs.json \
                      \\\n    --owner \
                      0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --nonce 0\n\nExit code 0 if it is \
                      accepted, 4 if it is refused; then the \
                      field at fault is named. What is encrypted only the operators can see."
    )]
    Keyshares(VerifyKeyshares),
    /// The folder of a key generation for SSV, as SSV's own tools write and verify it.
    #[command(
        after_help = "Example:\n  quorate verify ssv ceremony-2026-11-23--08-00-00.000 --network \
                      hoodi --validators 1 \\\n    --owner \
                      0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --nonce 0 \\\n    --withdrawal \
                      0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\nExit code 0 if it is accepted, \
                      4 if it is refused; then the field at \
                      fault is named."
    )]
    Ssv(VerifySsv),
    /// Keystores: every rule that some validator client has, key derivation within bounds, and that
    /// they decrypt to the keys they name.
    #[command(
        after_help = "Example:\n  quorate verify keystore keystore-*.json --keystore-password-file \
                      password.txt\n\nExit code 0 if all \
                            are accepted, 4 if one is refused. No secret is shown."
    )]
    Keystore {
        /// The keystores.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Their password. By default the passphrase.
        #[arg(long, value_name = "FILE")]
        keystore_password_file: Option<PathBuf>,
    },
    /// A cluster-definition.json of an Obol cluster (v1.8 to v1.11): both hashes, wallets'
    /// signatures, node records, amounts.
    #[command(
        visible_alias = "obol-definition",
        after_help = "Example:\n  quorate verify cluster-definition \
                      cluster-definition.json\n\nExit code 0 if it is accepted, 4 if it is \
                            refused."
    )]
    ClusterDefinition(super::VerifyCluster),
    /// A cluster-lock.json of an Obol cluster (v1.8 to v1.11): everything that Charon and Obol's
    /// SDK verify, and what neither does.
    #[command(
        visible_alias = "obol-lock",
        after_help = "Example:\n  quorate verify cluster-lock cluster-lock.json\n\nExit code 0 if \
                      it is accepted, 4 if it is refused. That \
                            it is the lock of a ceremony is for quorate audit --lock."
    )]
    ClusterLock(super::VerifyCluster),
}

/// Which network something is for.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct NetworkArgs {
    #[arg(long, help = network_names())]
    pub(crate) network: Option<String>,
    /// The network of this ceremony file, for one that is not built in.
    #[arg(long, value_name = "FILE")]
    pub(crate) ceremony: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct VerifyExit {
    /// The exit, as the beacon API takes it.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// The validator's key, 96 hexadecimal digits, with or without 0x. An exit names its validator
    /// by an index only.
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: String,
}

#[derive(Args)]
pub(crate) struct VerifyKeyshares {
    /// The file: keyshares.json.
    pub(crate) file: PathBuf,
    /// The operators' proofs of the same validators: proofs.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) proofs: Option<PathBuf>,
    /// The account (ERC-55) that must be the one to register them.
    #[arg(long, value_name = "ADDRESS", requires = "nonce")]
    pub(crate) owner: Option<String>,
    /// The account's next nonce, which must be that of the first validator.
    #[arg(long, requires = "owner")]
    pub(crate) nonce: Option<u64>,
}

#[derive(Args)]
pub(crate) struct VerifySsv {
    /// The folder: ceremony-DATE--TIME.
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// How many validators it must have.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) validators: u16,
    /// The account (ERC-55) that registers them.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) owner: String,
    /// The nonce of the first.
    #[arg(long)]
    pub(crate) nonce: u64,
    /// The address (ERC-55) that the deposits are withdrawn to.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) withdrawal: String,
}
