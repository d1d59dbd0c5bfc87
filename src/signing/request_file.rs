//! Requests as JSON, for people to read and send. Only the canonical bytes are signed.

use serde::{Deserialize, Serialize};

use super::request::{Delivery, Purpose, Request, Requester};
use crate::ethereum::deposit::{CredentialsError, WithdrawalCredentials};
use crate::ethereum::exit::VoluntaryExit;
use crate::ethereum::json::{self, HexError, JsonError, bare_hex, prefixed_hex, printable};
use crate::identity::card::{CardError, OperatorCard};
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

/// Most bytes of a file.
pub const LARGEST: usize = 8192;
/// Longest name of a network.
const LONGEST_NETWORK: usize = 32;
const FORMAT: &str = "quorate-request";
const VERSION: u64 = 1;
/// What stands in the place of a custodian's card.
const PUBLIC: &str = "public";

/// Why a file is not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFileError {
    /// The custodian's card.
    #[error("answers_to: {0}")]
    Card(#[from] CardError),
    /// The withdrawal credentials.
    #[error("deposit.withdrawal_credentials: {0}")]
    Credentials(#[from] CredentialsError),
    /// Neither an exit nor a deposit, or both.
    #[error("exactly one of exit and deposit is required")]
    Kind,
    /// Another format, or another version of it.
    #[error("{field}: {found} instead of {expected}")]
    Format {
        /// The field.
        field: &'static str,
        /// What it has to be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Not lower-case hexadecimal of the right length.
    #[error("{field}: {source}")]
    Hex {
        /// The field.
        field: &'static str,
        /// Why.
        source: HexError,
    },
    /// Not the JSON of a request.
    #[error("not a request: {0}")]
    Json(#[from] JsonError),
    /// No name of a network.
    #[error("network: not 1 to 32 lower-case letters, digits, '-' and '_'")]
    Network,
    /// Index zero.
    #[error("requested_by.operator: operators are counted from 1")]
    Operator,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    ceremony: String,
    dkg: String,
    outputs: String,
    network: String,
    public_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit: Option<ExitFields>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposit: Option<DepositFields>,
    answers_to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_by: Option<RequesterFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExitFields {
    validator_index: u64,
    epoch: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DepositFields {
    withdrawal_credentials: String,
    amount: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequesterFields {
    operator: u16,
    signature: String,
}

/// One of a file's marks: what it is, and in which version.
pub(super) fn check_format(
    format: &str,
    expected: &'static str,
    version: u64,
) -> Result<(), RequestFileError> {
    if format != expected {
        return Err(RequestFileError::Format {
            field: "format",
            expected: expected.to_owned(),
            found: printable(format),
        });
    }
    if version != VERSION {
        let (expected, found) = (VERSION.to_string(), version.to_string());
        return Err(RequestFileError::Format { field: "version", expected, found });
    }
    Ok(())
}

fn bare<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], RequestFileError> {
    bare_hex(text).map_err(|source| RequestFileError::Hex { field, source })
}

fn prefixed<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], RequestFileError> {
    prefixed_hex(text).map_err(|source| RequestFileError::Hex { field, source })
}

impl Request {
    /// Indented JSON with a line end.
    pub fn to_json(&self) -> Vec<u8> {
        let (exit, deposit) = match self.purpose {
            Purpose::Exit(VoluntaryExit { epoch, validator_index }) => {
                (Some(ExitFields { validator_index, epoch }), None)
            }
            Purpose::Deposit { withdrawal_credentials, amount } => (
                None,
                Some(DepositFields {
                    withdrawal_credentials: withdrawal_credentials.to_string(),
                    amount,
                }),
            ),
        };
        let file = File {
            format: FORMAT.to_owned(),
            version: VERSION,
            ceremony: self.ceremony.to_string(),
            dkg: self.dkg.to_string(),
            outputs: self.outputs.to_string(),
            network: self.network.clone(),
            public_key: format!("0x{}", hex::encode(self.public_key)),
            exit,
            deposit,
            answers_to: match &self.delivery {
                Delivery::Public => PUBLIC.to_owned(),
                Delivery::Custodian(card) => card.encode(),
            },
            requested_by: self.requester.map(|requester| RequesterFields {
                operator: requester.index.get(),
                signature: hex::encode(requester.signature),
            }),
        };
        let mut bytes =
            serde_json::to_vec_pretty(&file).expect("texts and numbers are always JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a file of at most 8 KiB, strictly. Nothing in it is believed yet.
    pub fn from_json(bytes: &[u8]) -> Result<Self, RequestFileError> {
        let file: File = json::parse_without_arrays(bytes, LARGEST)?;
        check_format(&file.format, FORMAT, file.version)?;
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if !(1..=LONGEST_NETWORK).contains(&file.network.len()) || !file.network.bytes().all(letter)
        {
            return Err(RequestFileError::Network);
        }
        let purpose = match (file.exit, file.deposit) {
            (Some(ExitFields { validator_index, epoch }), None) => {
                Purpose::Exit(VoluntaryExit { epoch, validator_index })
            }
            (None, Some(DepositFields { withdrawal_credentials, amount })) => {
                let bytes = prefixed("deposit.withdrawal_credentials", &withdrawal_credentials)?;
                Purpose::Deposit {
                    withdrawal_credentials: WithdrawalCredentials::from_bytes(bytes)?,
                    amount,
                }
            }
            _ => return Err(RequestFileError::Kind),
        };
        let delivery = match file.answers_to.as_str() {
            PUBLIC => Delivery::Public,
            card => Delivery::Custodian(Box::new(OperatorCard::parse(card)?)),
        };
        let requester = file.requested_by.map(|fields| {
            let index = Index::new(fields.operator).ok_or(RequestFileError::Operator)?;
            Ok::<_, RequestFileError>(Requester {
                index,
                signature: bare("requested_by.signature", &fields.signature)?,
            })
        });
        Ok(Self {
            ceremony: Digest(bare("ceremony", &file.ceremony)?),
            dkg: Digest(bare("dkg", &file.dkg)?),
            outputs: Digest(bare("outputs", &file.outputs)?),
            network: file.network,
            public_key: prefixed("public_key", &file.public_key)?,
            purpose,
            delivery,
            requester: requester.transpose()?,
        })
    }
}
