//! Arguments of `quorate verify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::network_names;

#[derive(Subcommand)]
pub(crate) enum Verify {
    /// Verify a deposit file: format, amounts, credentials, both roots, network, and every
    /// signature.
    #[command(
        after_help = "Example:\n  quorate verify deposit deposit-data.json --network hoodi \\\n    \
                      --withdrawal 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\nExit code 0 if it \
                      is accepted, 4 if it is refused; then the invalid field is named. To check \
                      that the deposits belong to a ceremony: quorate audit TRANSCRIPT --expect \
                      CEREMONY-FILE --deposit-data FILE"
    )]
    Deposit {
        /// The deposit file.
        file: PathBuf,
        #[command(flatten)]
        network: NetworkArgs,
        /// The withdrawal address (ERC-55) that every deposit must have.
        #[arg(long, value_name = "ADDRESS")]
        withdrawal: Option<String>,
    },
    /// Verify a signed voluntary exit: format, and the signature under the fixed domain of exits
    /// (EIP-7044).
    #[command(after_help = "Example:\n  quorate verify exit \
                      signed_exit_transaction-1804776-1795328302.json \\\n    --network \
                      hoodi --public-key 0xb384f767...\n\nExit code 0 if it is accepted, 4 \
                      if it is refused.")]
    Exit(VerifyExit),
    /// Verify a file of builder registrations: format, and every signature.
    #[command(after_help = "Example:\n  quorate verify registration registrations.json --network \
                            hoodi\n\nExit code 0 if it is accepted, 4 if it is refused.")]
    Registration(VerifyRegistration),
    /// Verify a file of preregistrations of withdrawal credentials, by the DRAFT EIP-8205: format,
    /// no key twice, and every signature.
    #[command(
        after_help = "Example:\n  quorate verify preregistration preregistrations-draft.json \
                      --network hoodi \\\n    --withdrawal \
                      0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\nExit code 0 if it is \
                      accepted, 4 if it is refused; then the invalid field is named. No network \
                      takes preregistrations yet, and the draft may change."
    )]
    Preregistration(VerifyPreregistration),
    /// Compare a list of registered validators with the transcripts of your ceremonies: which keys
    /// are missing, nobody's, given twice, or registered with other values.
    #[command(after_help = "Example:\n  quorate verify registered validators.json --transcript \
                      transcript.quorate\n\nThe list: a beacon node's (GET or POST \
                      /eth/v1/beacon/states/head/validators), SSV's or Lido's as their APIs \
                      answer, a table (CSV) with a column pubkey, or one key on each line. Exit \
                      code 4 if anything differs.\n\nBefore you deposit, add --undeposited: then a \
                      key that has a deposit already is a finding too.")]
    Registered(VerifyRegistered),
    /// Verify what the wallets of members have signed, offline (EIP-191).
    #[command(after_help = "Example:\n  quorate verify attestations attestations.json --ceremony \
                      ceremony.toml\n\nExit code 0 if every signature is accepted, 4 if one is \
                      refused. The signatures of contract wallets (ERC-1271) can only be verified \
                      on chain.")]
    Attestations(super::VerifyAttestations),
    /// Verify key shares for SSV's contract and nodes: format, RSA keys, the sharing of each
    /// validator's key, and every signature.
    #[command(
        after_help = "Example:\n  quorate verify keyshares keyshares.json --proofs proofs.json \
                      \\\n    --owner 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --nonce 0\n\nExit \
                      code 0 if it is accepted, 4 if it is refused; then the invalid field is \
                      named. Only each operator can check what is encrypted to it."
    )]
    Keyshares(VerifyKeyshares),
    /// Verify the folder of a key generation for SSV, as written by SSV's own tools.
    #[command(after_help = "Example:\n  quorate verify ssv ceremony-2026-11-23--08-00-00.000 \
                      --network hoodi \\\n    --validators 1 --owner \
                      0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\\n    --nonce 0 \
                      --withdrawal 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\nExit code 0 \
                      if it is accepted, 4 if it is refused; then the invalid field is \
                      named.")]
    Ssv(VerifySsv),
    /// Verify keystores: the rules of all validator clients together, bounded key derivation, and
    /// that each decrypts to the key it names.
    #[command(
        after_help = "Example:\n  quorate verify keystore keystore-*.json --keystore-password-file \
                      password.txt\n\nExit code 0 if all are accepted, 4 if one is refused. No \
                      secret is shown."
    )]
    Keystore {
        /// The keystores, or folders of them in any layout of this program or of a common validator
        /// client.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// File with their password. By default: a file of passwords beside each, or else the
        /// passphrase.
        #[arg(long, value_name = "FILE")]
        keystore_password_file: Option<PathBuf>,
    },
    /// Verify slashing protection data (EIP-3076) of any validator client, and show what each key
    /// has signed: the greatest slot, source and target.
    #[command(
        after_help = "Example:\n  quorate verify protection protection.json --network hoodi \
                      \\\n    --not-below earlier.json\n\nExit code 0 if it is accepted, 4 if it \
                      is refused."
    )]
    Protection {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        network: NetworkArgs,
        /// An earlier file: for each of its keys, no value may be lower than there.
        #[arg(long, value_name = "FILE")]
        not_below: Option<PathBuf>,
    },
    /// Verify a cluster-definition.json of an Obol cluster (v1.8 to v1.11): both hashes, wallet
    /// signatures, node records, amounts.
    #[command(
        visible_alias = "obol-definition",
        after_help = "Example:\n  quorate verify cluster-definition \
                      cluster-definition.json\n\nExit code 0 if it is accepted, 4 if it is \
                      refused."
    )]
    ClusterDefinition(super::VerifyCluster),
    /// Verify a cluster-lock.json of an Obol cluster (v1.8 to v1.11): everything that Charon and
    /// Obol's SDK verify, and more.
    #[command(
        visible_alias = "obol-lock",
        after_help = "Example:\n  quorate verify cluster-lock cluster-lock.json\n\nExit code 0 if \
                      it is accepted, 4 if it is refused. To check that it is the lock of a \
                      ceremony: quorate audit TRANSCRIPT --expect CEREMONY-FILE --lock FILE"
    )]
    ClusterLock(super::VerifyCluster),
}

/// The network that a file is for.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct NetworkArgs {
    #[arg(long, help = network_names())]
    pub(crate) network: Option<String>,
    /// A ceremony file whose network to use, for a network that is not built in.
    #[arg(long, value_name = "FILE")]
    pub(crate) ceremony: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct VerifyExit {
    /// The exit, in the format of the beacon API.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// The validator's public key: 96 hexadecimal digits, with or without 0x. An exit itself names
    /// its validator only by an index.
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: String,
}

#[derive(Args)]
pub(crate) struct VerifyRegistered {
    /// The list, as JSON or as a table in text.
    pub(crate) file: PathBuf,
    /// The transcript of a ceremony. It is audited first. Repeat it for several.
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) transcript: Vec<PathBuf>,
    /// None of the validators may have a deposit yet.
    #[arg(long)]
    pub(crate) undeposited: bool,
    /// The list may lack validators: not all of them are registered yet.
    #[arg(long)]
    pub(crate) in_part: bool,
}

#[derive(Args)]
pub(crate) struct VerifyRegistration {
    /// The file.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

#[derive(Args)]
pub(crate) struct VerifyPreregistration {
    /// The file.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// The withdrawal address (ERC-55) that every entry must have.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) withdrawal: Option<String>,
}

#[derive(Args)]
pub(crate) struct VerifyKeyshares {
    /// The file: keyshares.json.
    pub(crate) file: PathBuf,
    /// The operators' proofs of the same validators: proofs.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) proofs: Option<PathBuf>,
    /// The account (ERC-55) that must register them.
    #[arg(long, value_name = "ADDRESS", requires = "nonce")]
    pub(crate) owner: Option<String>,
    /// The account's next nonce, which must be the nonce of the first validator.
    #[arg(long, requires = "owner")]
    pub(crate) nonce: Option<u64>,
}

#[derive(Args)]
pub(crate) struct VerifySsv {
    /// The folder: ceremony-DATE--TIME.
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Number of validators that it must have.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) validators: u16,
    /// The account (ERC-55) that registers them.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) owner: String,
    /// The nonce of the first validator.
    #[arg(long)]
    pub(crate) nonce: u64,
    /// The withdrawal address (ERC-55) of the deposits.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) withdrawal: String,
}
