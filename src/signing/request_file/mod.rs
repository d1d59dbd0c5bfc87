//! Requests as JSON, for people to read and send. Only the canonical bytes are signed.

mod items;

use serde::{Deserialize, Serialize};

use self::items::{
    DepositFields, DepositList, ExitFields, ExitList, KeySharesFields, LockFields,
    RegistrationFields, RegistrationList, fill, key_shares, list, lock, single,
};
use super::request::{Delivery, ItemsError, Request, Requester};
use crate::ethereum::address::AddressError;
use crate::ethereum::deposit::CredentialsError;
use crate::ethereum::json::{self, HexError, JsonError, Object, bare_hex, printable};
use crate::ethereum::ssv::RsaKeyError;
use crate::identity::card::{CardError, OperatorCard};
use crate::primitives::hash::Digest;
use crate::spec::error::SpecError;
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
/// Of a request for key shares, and of an answer to it.
pub(super) const KEY_SHARES: u64 = 3;
/// Of a request for a lock, and of an answer to it.
pub(super) const LOCK: u64 = 4;
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
    /// The fee recipient.
    #[error("registration.fee_recipient: {0}")]
    FeeRecipient(#[from] AddressError),
    /// None of an exit, a deposit and a registration, or several.
    #[error("exactly one of exit, deposit and registration is required")]
    Kind,
    /// Of a list: none of exits, deposits and registrations, several, or fields of a request for
    /// one validator.
    #[error("exactly one of exits, deposits and registrations is required, without public_key")]
    Kinds,
    /// Of key shares: without them, or with something else.
    #[error("key_shares alone is required")]
    KeyShares,
    /// A lock: without it, or with something else.
    #[error("cluster_lock alone is required")]
    Lock,
    /// The cluster of a lock.
    #[error("cluster_lock.{0}")]
    Cluster(Box<SpecError>),
    /// The owner of key shares.
    #[error("key_shares.owner: {0}")]
    Owner(AddressError),
    /// An operator's RSA key.
    #[error("key_shares.operator_keys: key {number}: {error}")]
    OperatorKey {
        /// Which, from 1.
        number: usize,
        /// Why.
        error: RsaKeyError,
    },
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
    registration: Option<Object<RegistrationFields>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exits: Option<Object<ExitList>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposits: Option<Object<DepositList>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registrations: Option<Object<RegistrationList>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_shares: Option<Object<KeySharesFields>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster_lock: Option<Object<LockFields>>,
    answers_to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_by: Option<Object<RequesterFields>>,
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
    if !matches!(version, ONE | MANY | KEY_SHARES | LOCK) {
        let expected = format!("{ONE}, {MANY}, {KEY_SHARES} or {LOCK}");
        let found = version.to_string();
        return Err(RequestFileError::Format { field: "version", expected, found });
    }
    Ok(())
}

fn bare<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], RequestFileError> {
    bare_hex(text).map_err(|source| RequestFileError::Hex { field, source })
}

impl Request {
    /// Indented JSON with a line end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut file = File {
            format: FORMAT.to_owned(),
            version: self.version().into(),
            ceremony: self.ceremony.to_string(),
            dkg: self.dkg.to_string(),
            outputs: self.outputs.to_string(),
            network: self.network.clone(),
            public_key: None,
            exit: None,
            deposit: None,
            registration: None,
            exits: None,
            deposits: None,
            registrations: None,
            key_shares: None,
            cluster_lock: None,
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
        let items = match file.version {
            ONE => single(&file)?,
            MANY => list(&file)?,
            KEY_SHARES => key_shares(&file)?,
            _ => lock(&file)?,
        };
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
