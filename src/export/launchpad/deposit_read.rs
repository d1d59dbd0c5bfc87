//! Reads and verifies deposit files, more strictly than any consumer: each entry is judged as if it
//! were the first deposit of its key, both roots and the network are compared, and infinity is
//! never a key or a signature.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::RawEntry;
use super::{LARGEST, MOST_ENTRIES, SignedDeposit};
use crate::ethereum::amount::AmountError;
use crate::ethereum::bls::message_point;
use crate::ethereum::deposit::{CredentialsError, DepositMessage, WithdrawalCredentials};
use crate::ethereum::json::{self, HexError, JsonError, bare_hex, printable};
use crate::ethereum::network::Network;
use crate::primitives::batch::{SameMessage, Weights, verify_signature, verify_signatures};
use crate::primitives::curve::{DecodeError, G1, G2};

/// Why a deposit file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DepositFileError {
    /// No entries.
    #[error("the deposit file has no entries")]
    Empty,
    /// Something is wrong with one entry.
    #[error("entry {entry}, {field}: {fault}")]
    Entry {
        /// Which, counted from 1.
        entry: usize,
        /// Its field.
        field: &'static str,
        /// What is wrong.
        fault: Fault,
    },
    /// Not an array of objects.
    #[error("not a deposit file: {0}")]
    Json(#[from] JsonError),
    /// A deposit that should be there is not.
    #[error("no entry for public key {pubkey} with {amount}")]
    Missing {
        /// The public key.
        pubkey: String,
        /// The amount, with its unit.
        amount: String,
    },
}

impl DepositFileError {
    /// The field at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Entry { field, .. } => field,
            Self::Empty | Self::Json(_) | Self::Missing { .. } => "file",
        }
    }
}

/// What is wrong with a field of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Out of the network's limits.
    #[error("{0}")]
    Amount(#[from] AmountError),
    /// Not credentials that money can come back from.
    #[error("{0}")]
    Credentials(#[from] CredentialsError),
    /// Not a point that can be a key or a signature.
    #[error("{0}")]
    Curve(#[from] DecodeError),
    /// The same public key and amount a second time.
    #[error("the same public key and amount as in entry {0}")]
    Duplicate(usize),
    /// Another deposit of the same key goes elsewhere. The first that is processed decides where
    /// all of them go.
    #[error(
        "not the credentials of the same public key in entry {0}: the first deposit decides for \
         both"
    )]
    Elsewhere(usize),
    /// Not lower-case hexadecimal of the right length.
    #[error("{0}")]
    Hex(#[from] HexError),
    /// The field is not there.
    #[error("the field is missing")]
    Missing,
    /// The field is there twice.
    #[error("the field occurs twice")]
    Repeated,
    /// The signature is not the key's on this message for this network.
    #[error("the signature does not verify on {0}")]
    Signature(String),
    /// Empty, or longer than 32 bytes.
    #[error("not 1 to 32 printable characters")]
    Text,
    /// A JSON value of another type.
    #[error("{found} instead of {expected}")]
    Type {
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A public key (or amount of it) that the ceremony did not make.
    #[error("not one of the expected deposits")]
    Unexpected,
    /// A field that deposit files do not have.
    #[error("{0:?} is not a field of deposit files")]
    UnknownField(String),
    /// A root of something else.
    #[error(
        "{found} instead of {expected}: the key, the withdrawal credentials or the amount of this \
         entry were changed after it was made, or the root was"
    )]
    Root {
        /// The root of what the entry says.
        expected: String,
        /// What it says.
        found: String,
    },
    /// Another value than the one computed or agreed.
    #[error("{found} instead of {expected}")]
    Value {
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
}

/// A field's value must be the one computed or agreed.
fn equal(expected: &str, found: &str) -> Result<(), Fault> {
    if expected == found {
        return Ok(());
    }
    Err(Fault::Value { expected: expected.to_owned(), found: printable(found) })
}

fn hexadecimal<const N: usize>(text: &str) -> Result<[u8; N], Fault> {
    Ok(bare_hex(text)?)
}

/// Everything about one entry but its signature's validity and its place in the file.
fn parse_entry(raw: &RawEntry, network: &Network) -> Result<SignedDeposit, (&'static str, Fault)> {
    fn at<T>(field: &'static str, verdict: Result<T, Fault>) -> Result<T, (&'static str, Fault)> {
        verdict.map_err(|fault| (field, fault))
    }
    raw.check_fields()?;
    at("network_name", raw.text("network_name").and_then(|name| equal(network.name(), name)))?;
    let version = hex::encode(network.genesis_fork_version());
    at("fork_version", raw.text("fork_version").and_then(|found| equal(&version, found)))?;
    at(
        "deposit_cli_version",
        raw.text("deposit_cli_version").and_then(|text| {
            let printable = text.bytes().all(|b| b.is_ascii_graphic());
            if printable && (1..=32).contains(&text.len()) { Ok(()) } else { Err(Fault::Text) }
        }),
    )?;
    let pubkey = at("pubkey", raw.text("pubkey").and_then(hexadecimal::<48>))?;
    at("pubkey", G1::from_compressed(&pubkey).map_err(Fault::from))?;
    let withdrawal_credentials = at(
        "withdrawal_credentials",
        raw.text("withdrawal_credentials")
            .and_then(hexadecimal::<32>)
            .and_then(|bytes| Ok(WithdrawalCredentials::from_bytes(bytes)?)),
    )?;
    let amount = at("amount", raw.number("amount"))?;
    at(
        "amount",
        network.check_amount(amount, withdrawal_credentials.is_compounding()).map_err(Fault::from),
    )?;
    let message = DepositMessage { pubkey, withdrawal_credentials, amount };
    let bytes = at("signature", raw.text("signature").and_then(hexadecimal::<96>))?;
    let signature = at("signature", G2::from_compressed(&bytes).map_err(Fault::from))?;
    for (field, root) in
        [("deposit_message_root", message.root()), ("deposit_data_root", message.data_root(&bytes))]
    {
        let same = |found: &str| match equal(&hex::encode(root), found) {
            Err(Fault::Value { expected, found }) => Err(Fault::Root { expected, found }),
            same => same,
        };
        at(field, raw.text(field).and_then(same))?;
    }
    Ok(SignedDeposit { message, signature })
}

/// Reads a deposit file for `network`: everything but the signatures. At most 65536 entries, 1 KiB
/// each on average, without unknown, missing or repeated fields, without duplicate deposits; both
/// roots are recomputed. Rows in file order.
pub fn parse_deposits(
    bytes: &[u8],
    network: &Network,
) -> Result<Vec<SignedDeposit>, DepositFileError> {
    let raw: Vec<RawEntry> = json::parse_list(bytes, LARGEST, MOST_ENTRIES)?;
    if raw.is_empty() {
        return Err(DepositFileError::Empty);
    }
    let (mut seen, mut going) = (BTreeMap::new(), BTreeMap::new());
    let mut deposits = Vec::with_capacity(raw.len());
    for (entry, raw) in (1..).zip(&raw) {
        let at = |(field, fault)| DepositFileError::Entry { entry, field, fault };
        let deposit = parse_entry(raw, network).map_err(at)?;
        if let Some(first) = seen.insert((deposit.message.pubkey, deposit.message.amount), entry) {
            return Err(at(("pubkey", Fault::Duplicate(first))));
        }
        let credentials = deposit.message.withdrawal_credentials;
        let (first, other) = *going.entry(deposit.message.pubkey).or_insert((entry, credentials));
        if other != credentials {
            return Err(at(("withdrawal_credentials", Fault::Elsewhere(first))));
        }
        deposits.push(deposit);
    }
    Ok(deposits)
}

/// What a file has of the deposits that are expected, and beside them.
pub(super) struct Known {
    /// Expected deposits that are missing.
    pub(super) lacking: Vec<DepositMessage>,
    /// Deposits of another amount to an expected key, with its withdrawal credentials.
    pub(super) further: Vec<DepositMessage>,
}

/// Compares `deposits` with the `expected` ones, in any order. A key that is not expected, or one
/// with other withdrawal credentials, is named by its entry.
pub(super) fn check_known(
    deposits: &[SignedDeposit],
    expected: &[DepositMessage],
) -> Result<Known, DepositFileError> {
    let mut waiting: BTreeMap<([u8; 48], u64), &DepositMessage> =
        expected.iter().map(|message| ((message.pubkey, message.amount), message)).collect();
    let by_key: BTreeMap<[u8; 48], &DepositMessage> =
        expected.iter().map(|message| (message.pubkey, message)).collect();
    let (mut seen, mut further) = (BTreeSet::new(), Vec::new());
    for (entry, SignedDeposit { message, .. }) in (1..).zip(deposits) {
        let at = |field, fault| DepositFileError::Entry { entry, field, fault };
        let Some(of_key) = by_key.get(&message.pubkey) else {
            return Err(at("pubkey", Fault::Unexpected));
        };
        if !seen.insert((message.pubkey, message.amount)) {
            return Err(at("amount", Fault::Unexpected));
        }
        if waiting.remove(&(message.pubkey, message.amount)).is_none() {
            further.push(*message);
        }
        let (wanted, found) = (of_key.withdrawal_credentials, message.withdrawal_credentials);
        if wanted != found {
            let fault = Fault::Value { expected: wanted.to_string(), found: found.to_string() };
            return Err(at("withdrawal_credentials", fault));
        }
    }
    let is_missing =
        |message: &&DepositMessage| waiting.contains_key(&(message.pubkey, message.amount));
    Ok(Known { lacking: expected.iter().filter(is_missing).copied().collect(), further })
}

/// As [`check_known`], where there may be nothing beside what is expected: what is missing.
pub(super) fn exactly(
    deposits: &[SignedDeposit],
    expected: &[DepositMessage],
) -> Result<Vec<DepositMessage>, DepositFileError> {
    let Known { lacking, further } = check_known(deposits, expected)?;
    let is_further = |deposit: &SignedDeposit| further.contains(&deposit.message);
    match deposits.iter().position(is_further) {
        Some(at) => {
            let fault = Fault::Unexpected;
            Err(DepositFileError::Entry { entry: at + 1, field: "amount", fault })
        }
        None => Ok(lacking),
    }
}

/// A deposit that should be in a file.
pub(super) fn missing(message: &DepositMessage, network: &Network) -> DepositFileError {
    DepositFileError::Missing {
        pubkey: hex::encode(message.pubkey),
        amount: network.unit().text(message.amount),
    }
}

/// All signatures at once; only if that fails each by itself, to name the first that does not
/// verify.
pub(super) fn check_signatures(
    bytes: &[u8],
    deposits: &[SignedDeposit],
    network: &Network,
) -> Result<(), DepositFileError> {
    let mut batch = Vec::with_capacity(deposits.len());
    for (entry, SignedDeposit { message, signature }) in (1..).zip(deposits) {
        let key = G1::from_compressed(&message.pubkey).map_err(|error| {
            DepositFileError::Entry { entry, field: "pubkey", fault: error.into() }
        })?;
        batch.push(SameMessage {
            message: message_point(&message.signing_root(network)),
            signed: vec![(key, *signature)],
        });
    }
    // The file and the network fix everything that is checked, so nobody could choose an entry
    // after its weight.
    if verify_signatures(
        &batch,
        &mut Weights::new(&[b"deposit-file", &network.genesis_fork_version(), bytes]),
    ) {
        return Ok(());
    }
    let fails = |group: &SameMessage| {
        group.signed.iter().any(|(key, sig)| !verify_signature(key, &group.message, sig))
    };
    match (1..).zip(&batch).find(|(_, group)| fails(group)) {
        Some((entry, _)) => {
            let fault = Fault::Signature(network.name().to_owned());
            Err(DepositFileError::Entry { entry, field: "signature", fault })
        }
        None => Ok(()),
    }
}

/// Verifies a deposit file for `network` completely: shape, roots, and every signature; with
/// `expected`, also that it holds exactly those deposits, in any order. The rows, in file order.
pub fn verify_deposits(
    bytes: &[u8],
    network: &Network,
    expected: Option<&[DepositMessage]>,
) -> Result<Vec<SignedDeposit>, DepositFileError> {
    let deposits = parse_deposits(bytes, network)?;
    if let Some(expected) = expected
        && let Some(message) = exactly(&deposits, expected)?.first()
    {
        return Err(missing(message, network));
    }
    check_signatures(bytes, &deposits, network)?;
    Ok(deposits)
}
