//! A beacon node's answer about a validator: `GET /eth/v1/beacon/states/{state}/validators/{key}`,
//! saved to a file. The format may grow, so unused fields are ignored.

use serde::Deserialize;

use super::parent::Cleared;
use super::request::Purpose;
use crate::ethereum::json::{self, HexError, JsonError, decimal, prefixed_hex, printable};

/// Most bytes of an answer for one validator.
pub const LARGEST: usize = 64 << 10;

/// Why an answer does not stand by a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeaconError {
    /// Not a decimal number.
    #[error("index: not a decimal number")]
    Decimal,
    /// Not hexadecimal of the right length.
    #[error("{field}: {source}")]
    Hex {
        /// The field.
        field: &'static str,
        /// Why.
        source: HexError,
    },
    /// The key has another index.
    #[error(
        "validator_index: the beacon node says that this key is validator {found}, but the request \
         says {asked}"
    )]
    Index {
        /// What the node says.
        found: u64,
        /// What the request says.
        asked: u64,
    },
    /// Not an answer for one validator.
    #[error("not a beacon node's answer for one validator: {0}")]
    Json(#[from] JsonError),
    /// The answer is about another key.
    #[error("public_key: the beacon node's answer is about a different key, 0x{0}")]
    PublicKey(String),
    /// The validator cannot exit now.
    #[error("status: the validator is {0}; only one that is active_ongoing can exit")]
    Status(String),
    /// The chain has other credentials than the ceremony: somebody else's deposit was first.
    #[error(
        "withdrawal_credentials: the chain has 0x{found} for this key, but the ceremony has \
         0x{expected}. Do not send it any more money"
    )]
    Credentials {
        /// The ceremony's.
        expected: String,
        /// The chain's.
        found: String,
    },
}

/// What is read of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorRecord {
    index: u64,
    status: String,
    pubkey: [u8; 48],
    withdrawal_credentials: [u8; 32],
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    index: String,
    status: String,
    validator: Fields,
}

#[derive(Deserialize)]
struct Fields {
    pubkey: String,
    withdrawal_credentials: String,
}

impl ValidatorRecord {
    /// Reads an answer.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BeaconError> {
        let Answer { data } = json::parse(bytes, LARGEST)?;
        let hex = |field| move |source| BeaconError::Hex { field, source };
        Ok(Self {
            index: decimal(&data.index).ok_or(BeaconError::Decimal)?,
            status: printable(&data.status),
            pubkey: prefixed_hex(&data.validator.pubkey).map_err(hex("validator.pubkey"))?,
            withdrawal_credentials: prefixed_hex(&data.validator.withdrawal_credentials)
                .map_err(hex("validator.withdrawal_credentials"))?,
        })
    }

    /// Whether the chain agrees with the request: key, credentials `expected` by the ceremony, and
    /// for an exit the index and that the validator is active.
    pub fn check(&self, cleared: &Cleared, expected: &[u8; 32]) -> Result<(), BeaconError> {
        if self.pubkey != cleared.request.public_key {
            return Err(BeaconError::PublicKey(hex::encode(self.pubkey)));
        }
        if self.withdrawal_credentials != *expected {
            let (expected, found) =
                (hex::encode(expected), hex::encode(self.withdrawal_credentials));
            return Err(BeaconError::Credentials { expected, found });
        }
        let Purpose::Exit(exit) = cleared.request.purpose else { return Ok(()) };
        if exit.validator_index != self.index {
            return Err(BeaconError::Index { found: self.index, asked: exit.validator_index });
        }
        if self.status != "active_ongoing" {
            return Err(BeaconError::Status(self.status.clone()));
        }
        Ok(())
    }
}
