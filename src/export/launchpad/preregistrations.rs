//! Signed preregistrations of withdrawal credentials: a list of the draft's
//! `PreregistrationRequest` (EIP-8205). A DRAFT: no network takes them yet. Hexadecimal with `0x`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LARGEST, MOST_ENTRIES};
use crate::ethereum::bls::bls_verify;
use crate::ethereum::deposit::{CredentialsError, WithdrawalCredentials};
use crate::ethereum::json::{self, HexError, JsonError, Object, RawValue, prefixed_hex};
use crate::ethereum::network::Network;
use crate::ethereum::preregistration::{Draft, Preregistration};
use crate::primitives::curve::{DecodeError, G1, G2};

/// A preregistration with its signature. The signature is a point, but not yet known to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedPreregistration {
    /// What is signed.
    pub message: Preregistration,
    /// The signature by the key in the message.
    pub signature: G2,
}

/// Why a file of preregistrations is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreregistrationFileError {
    /// Credentials that no deposit of a validator should have.
    #[error("entry {entry}, withdrawal_credentials: {source}")]
    Credentials {
        /// Which, counted from 1.
        entry: usize,
        /// Why.
        source: CredentialsError,
    },
    /// A public key or signature that is no point.
    #[error("entry {entry}, {field}: {source}")]
    Curve {
        /// Which, counted from 1.
        entry: usize,
        /// The field.
        field: &'static str,
        /// Why.
        source: DecodeError,
    },
    /// No entries.
    #[error("the file of preregistrations has no entries")]
    Empty,
    /// Not lower-case hexadecimal of the right length.
    #[error("entry {entry}, {field}: {source}")]
    Hex {
        /// Which, counted from 1.
        entry: usize,
        /// The field.
        field: &'static str,
        /// Why.
        source: HexError,
    },
    /// Not an array of preregistrations.
    #[error("not a file of preregistrations: {0}")]
    Json(#[from] JsonError),
    /// The signature is not the key's on this message for this network.
    #[error("entry {entry}, signature: does not verify on {network} by the draft of {draft}")]
    Signature {
        /// Which, counted from 1.
        entry: usize,
        /// The network.
        network: String,
        /// The date of the draft.
        draft: &'static str,
    },
    /// A second entry for one key: a network takes the first alone.
    #[error("entry {entry}, pubkey: the key of entry {first} again")]
    Twice {
        /// Which, counted from 1.
        entry: usize,
        /// The first, counted from 1.
        first: usize,
    },
    /// A JSON value of another type.
    #[error("entry {entry}, {field}: {found} instead of a string")]
    Type {
        /// Which, counted from 1.
        entry: usize,
        /// The field.
        field: &'static str,
        /// What it is.
        found: &'static str,
    },
}

impl PreregistrationFileError {
    /// The field at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Credentials { .. } => "withdrawal_credentials",
            Self::Curve { field, .. } | Self::Hex { field, .. } | Self::Type { field, .. } => field,
            Self::Empty | Self::Json(_) => "file",
            Self::Signature { .. } => "signature",
            Self::Twice { .. } => "pubkey",
        }
    }
}

#[derive(Serialize)]
struct Written {
    pubkey: String,
    withdrawal_credentials: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    pubkey: RawValue,
    withdrawal_credentials: RawValue,
    signature: RawValue,
}

/// The file, with the preregistrations in the order given.
pub fn write_preregistrations(preregistrations: &[SignedPreregistration]) -> Vec<u8> {
    let digits = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let written = |signed: &SignedPreregistration| Written {
        pubkey: digits(&signed.message.pubkey),
        withdrawal_credentials: digits(signed.message.withdrawal_credentials.as_bytes()),
        signature: digits(&signed.signature.to_compressed()),
    };
    super::json_lines(&preregistrations.iter().map(written).collect::<Vec<_>>())
}

fn parse_entry(
    entry: usize,
    raw: &Entry,
) -> Result<(SignedPreregistration, G1), PreregistrationFileError> {
    let curve = |field| move |source| PreregistrationFileError::Curve { entry, field, source };
    let hex = |field| move |source| PreregistrationFileError::Hex { entry, field, source };
    let text = |field, value: &RawValue| match value {
        RawValue::Text(text) => Ok(text.clone()),
        other => Err(PreregistrationFileError::Type { entry, field, found: other.kind() }),
    };
    let pubkey = prefixed_hex(&text("pubkey", &raw.pubkey)?).map_err(hex("pubkey"))?;
    let key = G1::from_compressed(&pubkey).map_err(curve("pubkey"))?;
    let credentials = text("withdrawal_credentials", &raw.withdrawal_credentials)?;
    let credentials = prefixed_hex(&credentials).map_err(hex("withdrawal_credentials"))?;
    let withdrawal_credentials = WithdrawalCredentials::from_bytes(credentials)
        .map_err(|source| PreregistrationFileError::Credentials { entry, source })?;
    let signature = prefixed_hex(&text("signature", &raw.signature)?).map_err(hex("signature"))?;
    let signature = G2::from_compressed(&signature).map_err(curve("signature"))?;
    let message = Preregistration { pubkey, withdrawal_credentials };
    Ok((SignedPreregistration { message, signature }, key))
}

/// Verifies a file of preregistrations for `network`: shape, no key twice, and every signature, by
/// this state of the draft. The preregistrations, in file order.
pub fn verify_preregistrations(
    bytes: &[u8],
    network: &Network,
    draft: Draft,
) -> Result<Vec<SignedPreregistration>, PreregistrationFileError> {
    let raw: Vec<Object<Entry>> = json::parse_list(bytes, LARGEST, MOST_ENTRIES)?;
    let mut first = BTreeMap::new();
    let mut preregistrations = Vec::new();
    for (entry, Object(raw)) in (1..).zip(&raw) {
        let (signed, key) = parse_entry(entry, raw)?;
        if let Some(first) = first.insert(signed.message.pubkey, entry) {
            return Err(PreregistrationFileError::Twice { entry, first });
        }
        if !bls_verify(&key, &signed.message.signing_root(network, draft), &signed.signature) {
            return Err(PreregistrationFileError::Signature {
                entry,
                network: network.name().to_owned(),
                draft: draft.date(),
            });
        }
        preregistrations.push(signed);
    }
    match preregistrations.is_empty() {
        true => Err(PreregistrationFileError::Empty),
        false => Ok(preregistrations),
    }
}
