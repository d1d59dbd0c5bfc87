//! Requests as JSON, for people to read and send. Only the canonical bytes are signed.

use serde::{Deserialize, Serialize};

use super::request::{Delivery, Item, Items, ItemsError, Kind, Purpose, Request, Requester};
use crate::ethereum::deposit::{CredentialsError, WithdrawalCredentials};
use crate::ethereum::exit::VoluntaryExit;
use crate::ethereum::json::{
    self, HexError, JsonError, Object, bare_hex, objects, prefixed_hex, printable,
};
use crate::identity::card::{CardError, OperatorCard};
use crate::primitives::hash::Digest;
use crate::spec::ceremony::MOST_VALIDATORS;
use crate::spec::threshold::Index;

/// Most bytes of a file.
pub const LARGEST: usize = 4 << 20;
/// Most bytes of a request for one validator.
const LARGEST_SINGLE: usize = 8192;
/// Longest name of a network.
const LONGEST_NETWORK: usize = 32;
const FORMAT: &str = "quorate-request";
/// Of a request for one validator, and of an answer to it.
pub(super) const ONE: u64 = 1;
/// Of a request for a list of validators, and of an answer to it.
pub(super) const MANY: u64 = 2;
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
    /// Of a list: neither exits nor deposits, both, or fields of a request for one validator.
    #[error("exactly one of exits and deposits is required, without public_key")]
    Kinds,
    /// The list of validators.
    #[error("validators: {0}")]
    Items(#[from] ItemsError),
    /// A list of one.
    #[error("validators: one alone; a request for one validator is of version 1")]
    Single,
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

/// A file as it is written and, with objects that can be no arrays, as it is read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    ceremony: String,
    dkg: String,
    outputs: String,
    network: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit: Option<Object<ExitFields>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposit: Option<Object<DepositFields>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exits: Option<Object<ExitList>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposits: Option<Object<DepositList>>,
    answers_to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_by: Option<Object<RequesterFields>>,
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
struct ExitList {
    epoch: u64,
    #[serde(deserialize_with = "objects::<_, _, MOST_VALIDATORS>")]
    validators: Vec<ExitingFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExitingFields {
    public_key: String,
    validator_index: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DepositList {
    amount: u64,
    #[serde(deserialize_with = "objects::<_, _, MOST_VALIDATORS>")]
    validators: Vec<FundedFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FundedFields {
    public_key: String,
    withdrawal_credentials: String,
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
    if !matches!(version, ONE | MANY) {
        let (expected, found) = (format!("{ONE} or {MANY}"), version.to_string());
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

fn key(field: &'static str, text: &str) -> Result<[u8; 48], RequestFileError> {
    prefixed(field, text)
}

fn credentials(text: &str) -> Result<WithdrawalCredentials, RequestFileError> {
    Ok(WithdrawalCredentials::from_bytes(prefixed("deposit.withdrawal_credentials", text)?)?)
}

/// The one validator of a request of version 1.
fn single(file: &File) -> Result<Items, RequestFileError> {
    if file.exits.is_some() || file.deposits.is_some() {
        return Err(RequestFileError::Kind);
    }
    let purpose = match (&file.exit, &file.deposit) {
        (Some(Object(ExitFields { validator_index, epoch })), None) => {
            Purpose::Exit(VoluntaryExit { epoch: *epoch, validator_index: *validator_index })
        }
        (None, Some(Object(DepositFields { withdrawal_credentials, amount }))) => {
            Purpose::Deposit {
                withdrawal_credentials: credentials(withdrawal_credentials)?,
                amount: *amount,
            }
        }
        _ => return Err(RequestFileError::Kind),
    };
    let missing = || JsonError::Shape("missing field `public_key`".to_owned());
    Ok(Items::one(key("public_key", file.public_key.as_deref().ok_or_else(missing)?)?, purpose))
}

/// The list of a request of version 2.
fn list(file: &File) -> Result<Items, RequestFileError> {
    if file.exit.is_some() || file.deposit.is_some() || file.public_key.is_some() {
        return Err(RequestFileError::Kinds);
    }
    const KEY: &str = "validators.public_key";
    let items: Result<Vec<Item>, RequestFileError> = match (&file.exits, &file.deposits) {
        (Some(Object(ExitList { epoch, validators })), None) => {
            let item = |fields: &ExitingFields| {
                let (epoch, validator_index) = (*epoch, fields.validator_index);
                let purpose = Purpose::Exit(VoluntaryExit { epoch, validator_index });
                Ok(Item { public_key: key(KEY, &fields.public_key)?, purpose })
            };
            validators.iter().map(item).collect()
        }
        (None, Some(Object(DepositList { amount, validators }))) => {
            let item = |fields: &FundedFields| {
                let withdrawal_credentials = credentials(&fields.withdrawal_credentials)?;
                let purpose = Purpose::Deposit { withdrawal_credentials, amount: *amount };
                Ok(Item { public_key: key(KEY, &fields.public_key)?, purpose })
            };
            validators.iter().map(item).collect()
        }
        _ => return Err(RequestFileError::Kinds),
    };
    match Items::new(items?)? {
        items if items.len() == 1 => Err(RequestFileError::Single),
        items => Ok(items),
    }
}

/// What of a file says what to sign.
fn fill(file: &mut File, items: &Items) {
    let key = |item: &Item| format!("0x{}", hex::encode(item.public_key));
    if let [item] = &items[..] {
        file.public_key = Some(key(item));
        match item.purpose {
            Purpose::Exit(VoluntaryExit { epoch, validator_index }) => {
                file.exit = Some(Object(ExitFields { validator_index, epoch }));
            }
            Purpose::Deposit { withdrawal_credentials, amount } => {
                let withdrawal_credentials = withdrawal_credentials.to_string();
                file.deposit = Some(Object(DepositFields { withdrawal_credentials, amount }));
            }
        }
        return;
    }
    let (mut exiting, mut funded) = (Vec::new(), Vec::new());
    for item in items.iter() {
        let public_key = key(item);
        match item.purpose {
            Purpose::Exit(VoluntaryExit { validator_index, .. }) => {
                exiting.push(ExitingFields { public_key, validator_index });
            }
            Purpose::Deposit { withdrawal_credentials, .. } => {
                let withdrawal_credentials = withdrawal_credentials.to_string();
                funded.push(FundedFields { public_key, withdrawal_credentials });
            }
        }
    }
    let common = items.first().purpose.common();
    match items.kind() {
        Kind::Exit => file.exits = Some(Object(ExitList { epoch: common, validators: exiting })),
        Kind::Deposit => {
            file.deposits = Some(Object(DepositList { amount: common, validators: funded }));
        }
    }
}

impl Request {
    /// Indented JSON with a line end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut file = File {
            format: FORMAT.to_owned(),
            version: if self.is_single() { ONE } else { MANY },
            ceremony: self.ceremony.to_string(),
            dkg: self.dkg.to_string(),
            outputs: self.outputs.to_string(),
            network: self.network.clone(),
            public_key: None,
            exit: None,
            deposit: None,
            exits: None,
            deposits: None,
            answers_to: match &self.delivery {
                Delivery::Public => PUBLIC.to_owned(),
                Delivery::Custodian(card) => card.encode(),
            },
            requested_by: self.requester.map(|requester| {
                Object(RequesterFields {
                    operator: requester.index.get(),
                    signature: hex::encode(requester.signature),
                })
            }),
        };
        fill(&mut file, &self.items);
        let mut bytes =
            serde_json::to_vec_pretty(&file).expect("texts and numbers are always JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a file of at most 4 MiB (8 KiB for one validator), strictly. Nothing in it is believed
    /// yet.
    pub fn from_json(bytes: &[u8]) -> Result<Self, RequestFileError> {
        let file: File = json::parse(bytes, LARGEST)?;
        check_format(&file.format, FORMAT, file.version)?;
        if file.version == ONE && bytes.len() > LARGEST_SINGLE {
            let (length, limit) = (bytes.len(), LARGEST_SINGLE);
            return Err(JsonError::TooLong { length, limit }.into());
        }
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if !(1..=LONGEST_NETWORK).contains(&file.network.len()) || !file.network.bytes().all(letter)
        {
            return Err(RequestFileError::Network);
        }
        let items = if file.version == ONE { single(&file)? } else { list(&file)? };
        let delivery = match file.answers_to.as_str() {
            PUBLIC => Delivery::Public,
            card => Delivery::Custodian(Box::new(OperatorCard::parse(card)?)),
        };
        let requester = file.requested_by.map(|Object(fields)| {
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
            items,
            delivery,
            requester: requester.transpose()?,
        })
    }
}
