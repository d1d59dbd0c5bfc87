//! Signed builder registrations: the body of `POST /eth/v1/validator/register_validator` (beacon
//! API) and `/eth/v1/builder/validators` (builder API). Hexadecimal with `0x`, integers as decimal
//! strings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LARGEST, MOST_ENTRIES};
use crate::ethereum::address::{AddressError, ExecutionAddress};
use crate::ethereum::bls::bls_verify;
use crate::ethereum::json::{self, HexError, JsonError, Object, RawValue, decimal, prefixed_hex};
use crate::ethereum::network::Network;
use crate::ethereum::registration::Registration;
use crate::primitives::curve::{DecodeError, G1, G2};

/// A registration with its signature. The signature is a point, but not yet known to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedRegistration {
    /// What is signed.
    pub message: Registration,
    /// The signature by the key in the message.
    pub signature: G2,
}

/// Why a file of registrations is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationFileError {
    /// The entry's fee recipient is no address.
    #[error("entry {entry}, fee_recipient: {source}")]
    Address {
        /// Which, counted from 1.
        entry: usize,
        /// Why.
        source: AddressError,
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
    /// Not a decimal number without leading zeros.
    #[error("entry {entry}, {field}: not a decimal number")]
    Decimal {
        /// Which, counted from 1.
        entry: usize,
        /// The field.
        field: &'static str,
    },
    /// No entries.
    #[error("the file of registrations has no entries")]
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
    /// Not an array of registrations.
    #[error("not a file of registrations: {0}")]
    Json(#[from] JsonError),
    /// A registration that should be there is not.
    #[error("no entry for public key {0}")]
    Missing(String),
    /// The signature is not the key's on this message for this network.
    #[error("entry {entry}, signature: does not verify on {network}")]
    Signature {
        /// Which, counted from 1.
        entry: usize,
        /// The network.
        network: String,
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
    /// Not one of the registrations expected, or one of them a second time.
    #[error("entry {entry}, {field}: not one of the expected registrations, or repeated")]
    Unexpected {
        /// Which, counted from 1.
        entry: usize,
        /// The field that differs.
        field: &'static str,
    },
}

impl RegistrationFileError {
    /// The field at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Address { .. } => "fee_recipient",
            Self::Curve { field, .. } | Self::Decimal { field, .. } | Self::Hex { field, .. } => {
                field
            }
            Self::Type { field, .. } | Self::Unexpected { field, .. } => field,
            Self::Empty | Self::Json(_) | Self::Missing(_) => "file",
            Self::Signature { .. } => "signature",
        }
    }
}

#[derive(Serialize)]
struct Written {
    message: WrittenMessage,
    signature: String,
}

#[derive(Serialize)]
struct WrittenMessage {
    fee_recipient: String,
    gas_limit: String,
    timestamp: String,
    pubkey: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(deserialize_with = "json::object")]
    message: Message,
    signature: RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    fee_recipient: RawValue,
    gas_limit: RawValue,
    timestamp: RawValue,
    pubkey: RawValue,
}

/// An entry of Charon's file.
#[derive(Serialize)]
struct Versioned {
    version: &'static str,
    v1: Written,
}

fn written(SignedRegistration { message, signature }: &SignedRegistration) -> Written {
    Written {
        message: WrittenMessage {
            fee_recipient: message.fee_recipient.to_lower_hex(),
            gas_limit: message.gas_limit.to_string(),
            timestamp: message.timestamp.to_string(),
            pubkey: format!("0x{}", hex::encode(message.pubkey)),
        },
        signature: format!("0x{}", hex::encode(signature.to_compressed())),
    }
}

/// The file, with the registrations in the order given.
pub fn write_registrations(registrations: &[SignedRegistration]) -> Vec<u8> {
    super::json_lines(&registrations.iter().map(written).collect::<Vec<_>>())
}

/// The name under which Charon reads later registrations, in the folder of its lock.
pub const CHARON_REGISTRATIONS: &str = "builder_registrations_overrides.json";

/// The file of that name: each with the version of its format (Charon,
/// `app/builderregistration.go`; go-eth2-client, `VersionedSignedValidatorRegistration`).
pub fn write_charon_registrations(registrations: &[SignedRegistration]) -> Vec<u8> {
    let entry = |signed| Versioned { version: "v1", v1: written(signed) };
    super::json_lines(&registrations.iter().map(entry).collect::<Vec<_>>())
}

fn text<'a>(
    entry: usize,
    field: &'static str,
    value: &'a RawValue,
) -> Result<&'a str, RegistrationFileError> {
    match value {
        RawValue::Text(text) => Ok(text),
        other => Err(RegistrationFileError::Type { entry, field, found: other.kind() }),
    }
}

fn parse_entry(
    entry: usize,
    raw: &Entry,
) -> Result<(SignedRegistration, G1), RegistrationFileError> {
    let hex = |field| move |source| RegistrationFileError::Hex { entry, field, source };
    let curve = |field| move |source| RegistrationFileError::Curve { entry, field, source };
    let text = |field, value| text(entry, field, value);
    let number = |field, value| {
        text(field, value)
            .and_then(|text| decimal(text).ok_or(RegistrationFileError::Decimal { entry, field }))
    };
    let pubkey = prefixed_hex(text("pubkey", &raw.message.pubkey)?).map_err(hex("pubkey"))?;
    let key = G1::from_compressed(&pubkey).map_err(curve("pubkey"))?;
    let signature = prefixed_hex(text("signature", &raw.signature)?).map_err(hex("signature"))?;
    let signature = G2::from_compressed(&signature).map_err(curve("signature"))?;
    let fee_recipient =
        ExecutionAddress::parse_any(text("fee_recipient", &raw.message.fee_recipient)?)
            .map_err(|source| RegistrationFileError::Address { entry, source })?;
    let message = Registration {
        fee_recipient,
        gas_limit: number("gas_limit", &raw.message.gas_limit)?,
        timestamp: number("timestamp", &raw.message.timestamp)?,
        pubkey,
    };
    Ok((SignedRegistration { message, signature }, key))
}

/// The first field in which `found` differs from the registration expected for its key.
fn difference(found: &Registration, wanted: &Registration) -> Option<&'static str> {
    let fields = [
        ("fee_recipient", wanted.fee_recipient == found.fee_recipient),
        ("gas_limit", wanted.gas_limit == found.gas_limit),
        ("timestamp", wanted.timestamp == found.timestamp),
    ];
    fields.into_iter().find(|(_, equal)| !equal).map(|(field, _)| field)
}

/// Verifies a file of registrations for `network`: shape and every signature; with `expected`, also
/// that it holds exactly those, in any order. The registrations, in file order.
pub fn verify_registrations(
    bytes: &[u8],
    network: &Network,
    expected: Option<&[Registration]>,
) -> Result<Vec<SignedRegistration>, RegistrationFileError> {
    let raw: Vec<Object<Entry>> = json::parse_list(bytes, LARGEST, MOST_ENTRIES)?;
    let mut waiting: BTreeMap<[u8; 48], &Registration> =
        expected.unwrap_or_default().iter().map(|wanted| (wanted.pubkey, wanted)).collect();
    let mut registrations = Vec::new();
    for (entry, Object(raw)) in (1..).zip(&raw) {
        let (signed, key) = parse_entry(entry, raw)?;
        if expected.is_some() {
            let unexpected = |field| RegistrationFileError::Unexpected { entry, field };
            let wanted = waiting.remove(&signed.message.pubkey).ok_or(unexpected("pubkey"))?;
            if let Some(field) = difference(&signed.message, wanted) {
                return Err(unexpected(field));
            }
        }
        if !bls_verify(&key, &signed.message.signing_root(network), &signed.signature) {
            return Err(RegistrationFileError::Signature {
                entry,
                network: network.name().to_owned(),
            });
        }
        registrations.push(signed);
    }
    if registrations.is_empty() && expected.is_none() {
        return Err(RegistrationFileError::Empty);
    }
    match waiting.values().next() {
        Some(wanted) => Err(RegistrationFileError::Missing(hex::encode(wanted.pubkey))),
        None => Ok(registrations),
    }
}
