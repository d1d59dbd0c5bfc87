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
    /// The node has no such validator.
    #[error("the beacon node does not know this key: {0}")]
    Unknown(String),
    /// The node did not answer the question.
    #[error("the beacon node answered with error {code}: {message}")]
    Refused {
        /// Its code.
        code: u64,
        /// What it says.
        message: String,
    },
    /// The deposit is known, but the validator is not active yet.
    #[error("status: the validator is {status}, so it cannot exit yet")]
    NotActive {
        /// What the node says.
        status: String,
    },
    /// It leaves or has left already.
    #[error("status: the validator is {status}{}; there is nothing to exit", since(.epoch))]
    Leaving {
        /// What the node says.
        status: String,
        /// The epoch of its exit, if the node says one.
        epoch: Option<u64>,
    },
    /// It was slashed, and is made to leave.
    #[error("status: the validator is {0}: it was slashed, and leaves without an exit")]
    Slashed(String),
    /// A status that this program does not know.
    #[error("status: the validator is {0}; only one that is active_ongoing can exit")]
    Status(String),
    /// Active for less than 256 epochs (`SHARD_COMMITTEE_PERIOD` of the consensus specification).
    #[error(
        "the validator is active since epoch {since}; nodes accept its exit from epoch {from} on, \
         and it is epoch {now}"
    )]
    TooYoung {
        /// Its activation.
        since: u64,
        /// When it has been active for long enough.
        from: u64,
        /// The present epoch.
        now: u64,
    },
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

fn since(epoch: &Option<u64>) -> String {
    epoch.map(|epoch| format!(", with exit epoch {epoch}")).unwrap_or_default()
}

/// Epochs for which a validator must have been active before it can exit
/// (`SHARD_COMMITTEE_PERIOD`, consensus specification, phase0).
const SHARD_COMMITTEE_PERIOD: u64 = 256;
/// The epoch of something that is not going to happen (`FAR_FUTURE_EPOCH`).
const FAR_FUTURE: u64 = u64::MAX;

/// What is read of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorRecord {
    index: u64,
    status: String,
    pubkey: [u8; 48],
    withdrawal_credentials: [u8; 32],
    activation_epoch: Option<u64>,
    exit_epoch: Option<u64>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "json::object_or_null")]
    data: Option<Data>,
    /// Of an error: its HTTP status, and what it is.
    code: Option<u64>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    index: String,
    status: String,
    #[serde(deserialize_with = "json::object")]
    validator: Fields,
}

#[derive(Deserialize)]
struct Fields {
    pubkey: String,
    withdrawal_credentials: String,
    activation_epoch: Option<String>,
    exit_epoch: Option<String>,
}

impl ValidatorRecord {
    /// Reads an answer.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BeaconError> {
        let Answer { data, code, message } = json::parse(bytes, LARGEST)?;
        let said = printable(message.as_deref().unwrap_or("no reason"));
        let data = match (data, code) {
            (Some(data), _) => data,
            (None, Some(404)) => return Err(BeaconError::Unknown(said)),
            (None, Some(code)) => return Err(BeaconError::Refused { code, message: said }),
            (None, None) => {
                return Err(JsonError::Shape("missing field `data`".to_owned()).into());
            }
        };
        let epoch = |text: Option<String>| match text {
            None => Ok(None),
            Some(text) => decimal(&text).ok_or(BeaconError::Decimal).map(Some),
        };
        let hex = |field| move |source| BeaconError::Hex { field, source };
        Ok(Self {
            index: decimal(&data.index).ok_or(BeaconError::Decimal)?,
            status: printable(&data.status),
            pubkey: prefixed_hex(&data.validator.pubkey).map_err(hex("validator.pubkey"))?,
            withdrawal_credentials: prefixed_hex(&data.validator.withdrawal_credentials)
                .map_err(hex("validator.withdrawal_credentials"))?,
            activation_epoch: epoch(data.validator.activation_epoch)?,
            exit_epoch: epoch(data.validator.exit_epoch)?,
        })
    }

    /// Whether the chain agrees with the request: key, credentials `expected` by the ceremony, and
    /// for an exit the index and that the validator can exit, in the present epoch if that is
    /// known.
    pub fn check(
        &self,
        cleared: &Cleared,
        expected: &[u8; 32],
        now: Option<u64>,
    ) -> Result<(), BeaconError> {
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
        self.can_exit(now)
    }

    /// The statuses are those of the beacon API.
    fn can_exit(&self, now: Option<u64>) -> Result<(), BeaconError> {
        let status = self.status.clone();
        match self.status.as_str() {
            "active_ongoing" => {}
            "pending_initialized" | "pending_queued" => {
                return Err(BeaconError::NotActive { status });
            }
            "active_slashed" | "exited_slashed" => return Err(BeaconError::Slashed(status)),
            "active_exiting" | "exited_unslashed" | "withdrawal_possible" | "withdrawal_done" => {
                let epoch = self.exit_epoch.filter(|epoch| *epoch != FAR_FUTURE);
                return Err(BeaconError::Leaving { status, epoch });
            }
            _ => return Err(BeaconError::Status(status)),
        }
        if let (Some(since), Some(now)) = (self.activation_epoch, now) {
            let from = since.saturating_add(SHARD_COMMITTEE_PERIOD);
            if now < from {
                return Err(BeaconError::TooYoung { since, from, now });
            }
        }
        Ok(())
    }
}
