//! The ceremony file in TOML (for people) and JSON (for programs). It is not trusted: it becomes a
//! [`super::Ceremony`] is made of it or refused.

use core::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::SpecError;
use super::obol::{self, ClusterError};
use super::toml_text;
use super::version::Version;
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::json;
use crate::ethereum::obol::check::Cluster;
use crate::ethereum::preregistration::Draft;

mod import;
mod read;
mod repair;
mod reshare;
mod write;

/// The version of new files, which is that of the ceremonies they give.
pub const FILE_VERSION: u32 = Version::CURRENT.number() as u32;
/// Largest file looked at, in bytes: several times what the largest ceremony needs.
pub const MOST_FILE_BYTES: usize = 4 << 20;
/// Gas limit of a registration whose block does not give one.
pub const DEFAULT_GAS_LIMIT: u64 = 60_000_000;

/// A ceremony file. Texts are as written; [`super::Ceremony::try_from`] parses and checks them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyFile {
    /// The ceremony's version; of a new file [`FILE_VERSION`].
    pub version: u32,
    /// What people call the ceremony.
    pub name: String,
    /// 64 hexadecimal digits, random.
    pub id: String,
    /// Attempt, from 1.
    #[serde(default = "first")]
    pub attempt: u32,
    /// Digest of the attempt before, 64 hexadecimal digits; for every attempt but the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
    /// The network.
    pub network: NetworkEntry,
    /// Shares needed to sign.
    pub threshold: u16,
    /// What is allowed that usually is not.
    #[serde(default, deserialize_with = "json::object")]
    pub policy: PolicyEntry,
    /// Of a reshare: the completed ceremony whose shares are dealt anew.
    #[serde(
        default,
        deserialize_with = "json::object_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub parent: Option<ParentEntry>,
    /// Of an import: who holds the keys.
    #[serde(
        default,
        deserialize_with = "json::object_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub import: Option<ImportEntry>,
    /// Of a repair: what is said of the lost share.
    #[serde(
        default,
        deserialize_with = "json::object_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub repair: Option<RepairEntry>,
    /// That withdrawal credentials are preregistered.
    #[serde(
        default,
        deserialize_with = "json::object_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub preregistration: Option<PreregistrationEntry>,
    /// For a cluster of SSV.
    #[serde(
        default,
        deserialize_with = "json::object_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub ssv: Option<SsvEntry>,
    /// The operators, in order of their points.
    #[serde(deserialize_with = "json::objects::<_, _, MOST_FILE_BYTES>")]
    pub operators: Vec<OperatorEntry>,
    /// The validators, in blocks of equal ones.
    #[serde(deserialize_with = "json::objects::<_, _, MOST_FILE_BYTES>")]
    pub validators: Vec<ValidatorEntry>,
    /// The Obol cluster that is made, if one is.
    #[serde(
        default,
        deserialize_with = "json::object_or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub obol: Option<ObolEntry>,
}

/// `[obol]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObolEntry {
    /// The cluster definition, as JSON.
    pub definition: String,
    /// Wallets that are contracts, whose signatures on the definition cannot be checked offline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contract_wallets: Vec<String>,
}

impl From<&Cluster> for ObolEntry {
    fn from(cluster: &Cluster) -> Self {
        let definition = cluster.definition().to_compact_json();
        Self {
            definition: String::from_utf8(definition).expect("JSON is UTF-8"),
            contract_wallets: cluster.contracts().iter().map(ToString::to_string).collect(),
        }
    }
}

impl ObolEntry {
    /// The definition, checked.
    pub fn cluster(&self) -> Result<Cluster, SpecError> {
        let contract = |(position, text): (usize, &String)| {
            ExecutionAddress::parse_checksummed(text)
                .map_err(|source| ClusterError::Contract { position, source })
        };
        let contracts =
            self.contract_wallets.iter().enumerate().map(contract).collect::<Result<_, _>>()?;
        obol::read(self.definition.as_bytes(), contracts)
    }
}

/// The name of a built-in network, or a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NetworkEntry {
    /// `network = "hoodi"`
    Known(String),
    /// `[network]`
    Custom(NetworkTable),
}

/// `[network]`: a network that is not built in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkTable {
    /// 1 to 32 lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// 8 hexadecimal digits, with or without `0x`.
    pub genesis_fork_version: String,
    /// 8 hexadecimal digits; for voluntary exits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capella_fork_version: Option<String>,
    /// 64 hexadecimal digits.
    pub genesis_validators_root: String,
    /// Seconds since 1970; for builder registrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis_time: Option<u64>,
}

/// `[policy]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    /// Allows a threshold of all operators.
    #[serde(default)]
    pub allow_all_required: bool,
}

/// `[parent]`: whose keys a reshare deals anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentEntry {
    /// Digest of its certificate, 64 hexadecimal digits.
    pub certificate: String,
    /// Merkle root over its summed commitments of the validators below, 64 hexadecimal digits.
    pub rows: String,
    /// Its operators.
    pub operators: u16,
    /// How many of them it needs to sign.
    pub threshold: u16,
}

/// `[import]`: keys that one operator holds whole are dealt to those that receive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportEntry {
    /// The number of the operator that holds and deals them, from 1.
    pub dealer: u16,
}

/// `[repair]`: one operator regains the share that it has lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepairEntry {
    /// `"destroyed"`: what became of the machine that had the lost share.
    pub old_machine: String,
}

impl RepairEntry {
    /// The one that a repair takes.
    pub fn destroyed() -> Self {
        Self { old_machine: repair::DESTROYED.to_owned() }
    }
}

/// `[preregistration]`: each validator's withdrawal credentials are preregistered (EIP-8205).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreregistrationEntry {
    /// The date of the state of the draft by which they are signed.
    pub draft: String,
}

impl From<Draft> for PreregistrationEntry {
    fn from(draft: Draft) -> Self {
        Self { draft: draft.date().to_owned() }
    }
}

/// `[ssv]`: the validators are for a cluster of SSV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SsvEntry {
    /// The account that registers the validators, in its checksummed spelling.
    pub owner: String,
    /// The nonce of the first validator; the next has the next one.
    pub nonce: u64,
}

/// `[[operators]]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorEntry {
    /// `quorate1...`
    pub card: String,
    /// `host:port`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Evaluation point; the position from 1 if not given. In a reshare or import of one that
    /// receives, and the position among those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<u64>,
    /// RSA key for SSV, base64 as on chain. With it, the point is the operator's number there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssv_key: Option<String>,
    /// In a reshare: its index in the parent, of an operator that deals its share anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deals: Option<u16>,
    /// In a reshare: its index in the parent, of an operator that deals nothing, and stops with
    /// those that deal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<u16>,
    /// In a reshare: its evaluation point in the parent; the index there if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_point: Option<u64>,
    /// In a repair: its index in the parent, of the operator that regains its share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regains: Option<u16>,
    /// In a reshare or import: whether it gets a new share; it does if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receives: Option<bool>,
}

/// `[[validators]]`: `count` equal validators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorEntry {
    /// How many.
    #[serde(default = "one")]
    pub count: u64,
    /// Withdrawal address in its checksummed spelling.
    pub withdrawal: String,
    /// Whether credentials are `0x02`. There is no default: it decides where rewards go, and cannot
    /// be undone.
    pub compounding: bool,
    /// Deposits in the network's unit; one that activates the validator if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amounts: Option<Vec<AmountText>>,
    /// Fee recipient of a builder registration, in its checksummed spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_recipient: Option<String>,
    /// Gas limit of the registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_limit: Option<u64>,
    /// In a reshare: the number of the first of them in the parent, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// In a reshare or import: their keys, each 96 hexadecimal digits, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
}

/// A decimal amount as written: a text, or a whole number. Never a floating-point number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AmountText(pub String);

fn first() -> u32 {
    1
}

fn one() -> u64 {
    1
}

impl CeremonyFile {
    /// Reads TOML, or JSON of the same shape: no TOML document begins with a brace. A byte order
    /// mark, which some editors put in front, is passed over.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match text.trim_start().starts_with('{') {
            true => Self::parse_json(text),
            false => Self::parse_toml(text),
        }
    }

    /// Reads TOML. Unknown and duplicate fields are errors.
    pub fn parse_toml(text: &str) -> Result<Self, SpecError> {
        check_size(text)?;
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|b| *b == b'\n').count();
            SpecError::Toml { line, message: printable(error.message()) }
        })
    }

    /// Reads JSON of the same shape. Unknown and duplicate fields are errors, and so are values
    /// without the names of their fields.
    pub fn parse_json(text: &str) -> Result<Self, SpecError> {
        check_size(text)?;
        let read = serde_json::from_str(text).map(|json::Object(file)| file);
        read.map_err(|error: serde_json::Error| {
            let whole = error.to_string();
            let message = whole.rfind(" at line ").map_or(whole.as_str(), |end| &whole[..end]);
            SpecError::Json { line: error.line(), message: printable(message) }
        })
    }

    /// TOML with comments, for a person to read and edit. [`CeremonyFile::parse_toml`] reads it
    /// back.
    pub fn to_toml(&self) -> String {
        toml_text::write(self)
    }
}

fn check_size(text: &str) -> Result<(), SpecError> {
    if text.len() > MOST_FILE_BYTES { Err(SpecError::FileTooLarge(text.len())) } else { Ok(()) }
}

/// A text that is or quotes what the file says, without anything that a terminal would act on, and
/// not too long.
fn printable(message: &str) -> String {
    let mut out = String::new();
    for c in message.trim_end().chars().take(300) {
        match c {
            ' '..='~' => out.push(c),
            '\n' => out.push(' '),
            _ => out.extend(c.escape_unicode()),
        }
    }
    out
}

impl<'de> Deserialize<'de> for NetworkEntry {
    /// Not serde's `untagged`: that would hide which field of the table is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;
        impl<'de> Visitor<'de> for NameOrTable {
            type Value = NetworkEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a network, or a [network] table")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<NetworkEntry, E> {
                Ok(NetworkEntry::Known(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NetworkEntry, A::Error> {
                NetworkTable::deserialize(MapAccessDeserializer::new(map)).map(NetworkEntry::Custom)
            }
        }
        deserializer.deserialize_any(NameOrTable)
    }
}

impl<'de> Deserialize<'de> for AmountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrWhole;
        impl Visitor<'_> for TextOrWhole {
            type Value = AmountText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount: a whole number, or a string like \"1.5\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AmountText, E> {
                Ok(AmountText(text.to_owned()))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<AmountText, E> {
                Ok(AmountText(number.to_string()))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<AmountText, E> {
                let number =
                    u64::try_from(number).map_err(|_| E::custom("an amount is not negative"))?;
                self.visit_u64(number)
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<AmountText, E> {
                Err(E::custom(
                    "write an amount with a fraction as a string, like \"1.5\": a binary fraction \
                     is not exact",
                ))
            }
        }
        deserializer.deserialize_any(TextOrWhole).map_err(D::Error::custom)
    }
}
