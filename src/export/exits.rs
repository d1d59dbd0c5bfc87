//! Signed voluntary exits: the body of `POST /eth/v1/beacon/pool/voluntary_exits` (beacon API).
//! Hexadecimal with `0x`, integers as decimal strings, one object.

use serde::{Deserialize, Serialize};

use super::{Artifact, Audience};
use crate::ethereum::bls::bls_verify;
use crate::ethereum::exit::VoluntaryExit;
use crate::ethereum::json::{self, HexError, JsonError, RawValue, decimal, prefixed_hex};
use crate::ethereum::network::{Fork, Network, known_forks};
use crate::primitives::curve::{DecodeError, G1, G2};

/// Most bytes of a file, spaces and line ends included.
const LARGEST: usize = 4096;

/// An exit with its signature. The signature is a point, but not yet known to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedExit {
    /// What is signed.
    pub message: VoluntaryExit,
    /// The signature by the validator's key, which the message does not name.
    pub signature: G2,
}

/// Why an exit is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExitFileError {
    /// A signature that is no point.
    #[error("signature: {0}")]
    Curve(#[from] DecodeError),
    /// Not a decimal number without leading zeros.
    #[error("{field}: not a decimal number")]
    Decimal {
        /// The field.
        field: &'static str,
    },
    /// Not lower-case hexadecimal of the right length.
    #[error("signature: {0}")]
    Hex(#[from] HexError),
    /// Not one object with the fields of an exit.
    #[error("not a signed exit: {0}")]
    Json(#[from] JsonError),
    /// The network does not say under which version exits are signed.
    #[error("network: {0} does not give its Capella fork version, which signs exits (EIP-7044)")]
    NoCapella(String),
    /// The signature is not the key's on this exit for this network.
    #[error(
        "signature: does not verify for epoch {epoch}, validator {validator_index}, on {network}, \
         by key 0x{pubkey}{}",
        told(.made_for.as_deref(), network)
    )]
    Signature {
        /// The exit's epoch.
        epoch: u64,
        /// The exit's validator.
        validator_index: u64,
        /// The network.
        network: String,
        /// The key.
        pubkey: String,
        /// The fork that the exit was made for, if it is a known one.
        made_for: Option<Box<Fork>>,
    },
    /// A JSON value of another type.
    #[error("{field}: {found} instead of a string")]
    Type {
        /// The field.
        field: &'static str,
        /// What it is.
        found: &'static str,
    },
}

/// Of a signature that holds for another fork than the one it should be for.
fn told(fork: Option<&Fork>, network: &str) -> String {
    let Some(Fork { network: other, name, version, .. }) = fork else { return String::new() };
    let version = hex::encode(version);
    let why = match other == network {
        true => "only an exit for Capella is ever valid (EIP-7044)".to_owned(),
        false => format!("on {network} it is not valid"),
    };
    format!("; it was made for {other}, {name} (fork version 0x{version}): {why}")
}

impl ExitFileError {
    /// The field at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Curve(_) | Self::Hex(_) | Self::Signature { .. } => "signature",
            Self::Decimal { field } | Self::Type { field, .. } => field,
            Self::Json(_) => "file",
            Self::NoCapella(_) => "network",
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
    epoch: String,
    validator_index: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    message: ReadMessage,
    signature: RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadMessage {
    epoch: RawValue,
    validator_index: RawValue,
}

fn text(field: &'static str, value: RawValue) -> Result<String, ExitFileError> {
    match value {
        RawValue::Text(text) => Ok(text),
        other => Err(ExitFileError::Type { field, found: other.kind() }),
    }
}

fn number(field: &'static str, value: RawValue) -> Result<u64, ExitFileError> {
    decimal(&text(field, value)?).ok_or(ExitFileError::Decimal { field })
}

/// The object, on one line with a line end.
pub fn write_exit(exit: &SignedExit) -> Vec<u8> {
    let message = WrittenMessage {
        epoch: exit.message.epoch.to_string(),
        validator_index: exit.message.validator_index.to_string(),
    };
    let signature = format!("0x{}", hex::encode(exit.signature.to_compressed()));
    let mut bytes =
        serde_json::to_vec(&Written { message, signature }).expect("texts are always JSON");
    bytes.push(b'\n');
    bytes
}

/// Reads an exit: everything but the validity of its signature.
pub fn parse_exit(bytes: &[u8]) -> Result<SignedExit, ExitFileError> {
    let Read { message, signature } = json::parse_without_arrays(bytes, LARGEST)?;
    let message = VoluntaryExit {
        epoch: number("epoch", message.epoch)?,
        validator_index: number("validator_index", message.validator_index)?,
    };
    let signature = G2::from_compressed(&prefixed_hex(&text("signature", signature)?)?)?;
    Ok(SignedExit { message, signature })
}

/// Verifies an exit completely: shape, and the signature by `pubkey` for `network`.
pub fn verify_exit(
    bytes: &[u8],
    network: &Network,
    pubkey: &G1,
) -> Result<SignedExit, ExitFileError> {
    let exit = parse_exit(bytes)?;
    let root = exit
        .message
        .signing_root(network)
        .ok_or_else(|| ExitFileError::NoCapella(network.name().to_owned()))?;
    if bls_verify(pubkey, &root, &exit.signature) {
        return Ok(exit);
    }
    let signed_for = |fork: &Fork| {
        bls_verify(pubkey, &fork.exit_domain().signing_root(exit.message.root()), &exit.signature)
    };
    Err(ExitFileError::Signature {
        epoch: exit.message.epoch,
        validator_index: exit.message.validator_index,
        network: network.name().to_owned(),
        pubkey: hex::encode(pubkey.to_compressed()),
        made_for: forks_of(network).find(signed_for).map(Box::new),
    })
}

/// The name that `charon exit fetch` gives the exit of this validator: `exit-0x<public key>.json`.
pub fn charon_exit_name(public_key: &[u8; 48]) -> String {
    format!("exit-0x{}.json", hex::encode(public_key))
}

/// The forks that an exit may have been made for by mistake.
fn forks_of(network: &Network) -> impl Iterator<Item = Fork> {
    known_forks().chain(network.custom_forks())
}

/// The file as Ethereum's deposit tool names it: `signed_exit_transaction-<index>-<stamp>.json`,
/// `stamp` in seconds since 1970.
pub fn exit_file(exit: &SignedExit, stamp: u64) -> Artifact {
    let name = format!("signed_exit_transaction-{}-{stamp}.json", exit.message.validator_index);
    Artifact { name, audience: Audience::Public, bytes: write_exit(exit) }
}

/// The file as Charon names and reads it (`charon exit broadcast`): `exit-0x<public key>.json`.
/// Whoever has it can exit the validator, so it is no file for everybody.
pub fn charon_exit_file(exit: &SignedExit, pubkey: &[u8; 48]) -> Artifact {
    Artifact { name: charon_exit_name(pubkey), audience: Audience::Secret, bytes: write_exit(exit) }
}
