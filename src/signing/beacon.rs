//! A beacon node's answers, saved to a file: about one validator (`GET
//! /eth/v1/beacon/states/{state}/validators/{key}`) or about a list of them (`GET` or `POST
//! /eth/v1/beacon/states/{state}/validators`). The format may grow, so unused fields are ignored.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::request::{Item, Purpose};
use crate::ethereum::json::{
    self, HexError, JsonError, Object, decimal, object, prefixed_hex, printable,
};

/// Most bytes of an answer: some hundred thousand validators.
pub const LARGEST: usize = 64 << 20;
/// Most validators of a list.
const MOST_RECORDS: usize = 1 << 18;

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
    /// Two validators of the list have one index.
    #[error("index: the beacon node's list has two keys for validator {0}")]
    IndexTwice(u64),
    /// Not an answer about validators.
    #[error("not a beacon node's answer about validators: {0}")]
    Json(#[from] JsonError),
    /// The list has the key twice.
    #[error("pubkey: the beacon node's list has 0x{0} twice")]
    KeyTwice(String),
    /// The list has no such validator.
    #[error("the beacon node's list does not have this key")]
    Missing,
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
    /// It has left: nobody takes a registration of it.
    #[error(
        "status: the validator is {0}; it proposes no more blocks, so there is nothing to register"
    )]
    Gone(String),
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

impl BeaconError {
    /// Whether it says of one validator that there is nothing to sign for it now, and nothing of
    /// what is right: then a list can go on without it.
    pub fn leaves_out(&self) -> bool {
        match self {
            Self::Missing
            | Self::Gone(_)
            | Self::NotActive { .. }
            | Self::Leaving { .. }
            | Self::Slashed(_)
            | Self::Status(_)
            | Self::TooYoung { .. } => true,
            Self::Credentials { .. }
            | Self::Decimal
            | Self::Hex { .. }
            | Self::Index { .. }
            | Self::IndexTwice(_)
            | Self::Json(_)
            | Self::KeyTwice(_)
            | Self::PublicKey(_)
            | Self::Refused { .. }
            | Self::Unknown(_) => false,
        }
    }
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

/// What a node says: of one validator, or of those of a list, by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// An answer for one validator.
    One(Box<ValidatorRecord>),
    /// A list.
    List(BTreeMap<[u8; 48], ValidatorRecord>),
}

#[derive(Deserialize)]
struct Answer {
    data: Option<OneOrMany>,
    /// Of an error: its HTTP status, and what it is.
    code: Option<u64>,
    message: Option<String>,
}

enum OneOrMany {
    One(Data),
    Many(Vec<Data>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DataVisitor;

        impl<'de> Visitor<'de> for DataVisitor {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a validator or a list of validators")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany, A::Error> {
                Data::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut all = Vec::new();
                while let Some(Object(data)) = seq.next_element()? {
                    if all.len() == MOST_RECORDS {
                        return Err(serde::de::Error::custom("more than 262144 validators"));
                    }
                    all.push(data);
                }
                Ok(OneOrMany::Many(all))
            }
        }

        deserializer.deserialize_any(DataVisitor)
    }
}

#[derive(Deserialize)]
struct Data {
    index: String,
    status: String,
    #[serde(deserialize_with = "object")]
    validator: Fields,
}

#[derive(Deserialize)]
struct Fields {
    pubkey: String,
    withdrawal_credentials: String,
    activation_epoch: Option<String>,
    exit_epoch: Option<String>,
}

impl Records {
    /// Reads an answer.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BeaconError> {
        let Answer { data, code, message } = json::parse(bytes, LARGEST)?;
        let said = printable(message.as_deref().unwrap_or("no reason"));
        match (data, code) {
            (Some(OneOrMany::One(data)), _) => Ok(Self::One(Box::new(data.try_into()?))),
            (Some(OneOrMany::Many(all)), _) => Self::list(all),
            (None, Some(404)) => Err(BeaconError::Unknown(said)),
            (None, Some(code)) => Err(BeaconError::Refused { code, message: said }),
            (None, None) => Err(JsonError::Shape("missing field `data`".to_owned()).into()),
        }
    }

    /// Every key and every index once.
    fn list(all: Vec<Data>) -> Result<Self, BeaconError> {
        let (mut records, mut indices) = (BTreeMap::new(), BTreeSet::new());
        for data in all {
            let record = ValidatorRecord::try_from(data)?;
            if !indices.insert(record.index) {
                return Err(BeaconError::IndexTwice(record.index));
            }
            let key = record.pubkey;
            if records.insert(key, record).is_some() {
                return Err(BeaconError::KeyTwice(hex::encode(key)));
            }
        }
        Ok(Self::List(records))
    }

    /// What it says of this key: the one answer whatever key it is about, so that
    /// [`ValidatorRecord::check`] can tell.
    pub fn of(&self, public_key: &[u8; 48]) -> Option<&ValidatorRecord> {
        match self {
            Self::One(record) => Some(record),
            Self::List(records) => records.get(public_key),
        }
    }

    /// Whether the node agrees with what is to be signed for a validator; see
    /// [`ValidatorRecord::check`].
    pub fn check(
        &self,
        item: &Item,
        expected: &[u8; 32],
        now: Option<u64>,
    ) -> Result<(), BeaconError> {
        self.of(&item.public_key).ok_or(BeaconError::Missing)?.check(item, expected, now)
    }
}

impl TryFrom<Data> for ValidatorRecord {
    type Error = BeaconError;

    fn try_from(data: Data) -> Result<Self, BeaconError> {
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
}

impl ValidatorRecord {
    /// The validator's index.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Its key.
    pub fn public_key(&self) -> &[u8; 48] {
        &self.pubkey
    }

    /// Where its money goes, as the chain has it.
    pub fn withdrawal_credentials(&self) -> [u8; 32] {
        self.withdrawal_credentials
    }

    /// Whether the chain agrees with what is to be signed: key, and credentials `expected` by the
    /// ceremony; for an exit the index and that the validator can exit, in the present epoch if
    /// that is known; for a registration or key shares that the validator has not left.
    pub fn check(
        &self,
        item: &Item,
        expected: &[u8; 32],
        now: Option<u64>,
    ) -> Result<(), BeaconError> {
        if self.pubkey != item.public_key {
            return Err(BeaconError::PublicKey(hex::encode(self.pubkey)));
        }
        if self.withdrawal_credentials != *expected {
            let (expected, found) =
                (hex::encode(expected), hex::encode(self.withdrawal_credentials));
            return Err(BeaconError::Credentials { expected, found });
        }
        match item.purpose {
            Purpose::Exit(exit) if exit.validator_index != self.index => {
                Err(BeaconError::Index { found: self.index, asked: exit.validator_index })
            }
            Purpose::Exit(_) => self.can_exit(now),
            Purpose::Deposit { .. } => Ok(()),
            Purpose::Registration(_) | Purpose::KeyShares(_) | Purpose::Lock => self.can_register(),
        }
    }

    /// Builders take registrations of validators that are active or will be (builder
    /// specification).
    fn can_register(&self) -> Result<(), BeaconError> {
        match self.status.starts_with("active_") || self.status.starts_with("pending_") {
            true => Ok(()),
            false => Err(BeaconError::Gone(self.status.clone())),
        }
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
