//! Lists of validators as others export them, in JSON. The formats are theirs and may grow, so
//! fields that are not used are ignored; of those that are, every value is read strictly.

use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::table;
use crate::ethereum::address::{AddressError, ExecutionAddress};
use crate::ethereum::json::{self, HexError, JsonError, object, printable};

/// Most bytes of a list.
pub const LARGEST: usize = 64 << 20;
/// Most entries of a list.
pub const MOST_ENTRIES: usize = 1 << 18;

/// Whose list it is, as told by what its entries say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A beacon node's (`GET` or `POST /eth/v1/beacon/states/{state}/validators`).
    Beacon,
    /// Lido's keys (its Keys API, `/v1/keys` and `/v1/modules/{id}/operators/keys`).
    Lido,
    /// SSV's validators (its API, `/validators`).
    Ssv,
    /// Keys alone, or a table whose columns say no more.
    Keys,
}

impl Source {
    /// What it is, in the words of a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Beacon => "a beacon node's list of validators",
            Self::Lido => "a list of Lido's keys",
            Self::Ssv => "a list of SSV's validators",
            Self::Keys => "a list of keys",
        }
    }
}

/// A list of validators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Whose.
    pub source: Source,
    /// Its entries, in its order.
    pub entries: Vec<Entry>,
}

/// What a list says of a validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands: which entry, or in a table which line, from 1.
    pub place: usize,
    /// Its key, compressed. Not known to be a point.
    pub public_key: [u8; 48],
    /// Its withdrawal credentials.
    pub credentials: Option<[u8; 32]>,
    /// The signature of a deposit.
    pub signature: Option<[u8; 96]>,
    /// Whether a deposit was made.
    pub deposited: Option<bool>,
    /// What the list calls its state.
    pub status: Option<String>,
    /// The account that has registered it.
    pub owner: Option<ExecutionAddress>,
    /// The numbers of its operators, ascending.
    pub operators: Option<Vec<u64>>,
}

/// Why a file is not a list of validators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Not the JSON of a list.
    #[error("not a list of validators: {0}")]
    Json(#[from] JsonError),
    /// Neither JSON nor a table.
    #[error("line {line}: {why}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// Not hexadecimal of the right length.
    #[error("entry {place}, {field}: {source}")]
    Hex {
        /// Which entry or line.
        place: usize,
        /// The field.
        field: &'static str,
        /// Why.
        source: HexError,
    },
    /// Not an address.
    #[error("entry {place}, owner: {source}")]
    Owner {
        /// Which entry or line.
        place: usize,
        /// Why.
        source: AddressError,
    },
    /// An entry without a key.
    #[error("entry {0}: no public key")]
    NoKey(usize),
    /// No entries at all.
    #[error("the list has no entries")]
    Empty,
    /// Entries of two kinds of lists.
    #[error("entry {place}: this entry is of {found}, but the first is of {first}")]
    Mixed {
        /// Which entry.
        place: usize,
        /// What it is of.
        found: &'static str,
        /// What the first is of.
        first: &'static str,
    },
}

/// An entry of any of the lists.
#[derive(Deserialize)]
struct Row {
    #[serde(alias = "public_key", alias = "pubkey", alias = "publicKey")]
    key: Option<String>,
    // A beacon node's.
    status: Option<String>,
    #[serde(default, deserialize_with = "validator")]
    validator: Option<Validator>,
    // Lido's.
    #[serde(rename = "depositSignature")]
    deposit_signature: Option<String>,
    used: Option<bool>,
    // SSV's.
    owner_address: Option<String>,
    operators: Option<Vec<Operator>>,
}

#[derive(Deserialize)]
struct Validator {
    pubkey: String,
    withdrawal_credentials: String,
}

#[derive(Deserialize)]
struct Operator {
    id: u64,
}

fn validator<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Validator>, D::Error> {
    object(deserializer).map(Some)
}

/// The rows of a list, wherever in the answer it stands.
struct Rows(Vec<Row>);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowsVisitor;

        impl<'de> Visitor<'de> for RowsVisitor {
            type Value = Rows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list, or an object with one: data, validators or keys")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Rows, A::Error> {
                let mut rows = Vec::new();
                while let Some(json::Object(row)) = seq.next_element()? {
                    if rows.len() == MOST_ENTRIES {
                        return Err(A::Error::custom("more than 262144 entries"));
                    }
                    rows.push(row);
                }
                Ok(Rows(rows))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                let mut found = None;
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "data" | "validators" | "keys" if found.is_some() => {
                            return Err(A::Error::custom("two lists; give a file with one"));
                        }
                        "data" | "validators" | "keys" => found = Some(map.next_value::<Rows>()?),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                found.ok_or_else(|| A::Error::custom("no list: neither data, validators nor keys"))
            }
        }

        deserializer.deserialize_any(RowsVisitor)
    }
}

/// Digits with `0x` or without, of either case: registries differ.
pub(super) fn digits<const N: usize>(
    place: usize,
    field: &'static str,
    text: &str,
) -> Result<[u8; N], ListError> {
    let wrong = |source| ListError::Hex { place, field, source };
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return Err(wrong(HexError::Length { expected: 2 * N, found: digits.len() }));
    }
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| wrong(HexError::Digit))?;
    Ok(bytes)
}

pub(super) fn owner(place: usize, text: &str) -> Result<ExecutionAddress, ListError> {
    ExecutionAddress::parse_any(text.trim()).map_err(|source| ListError::Owner { place, source })
}

impl Row {
    fn source(&self) -> Source {
        if self.validator.is_some() {
            Source::Beacon
        } else if self.deposit_signature.is_some() || self.used.is_some() {
            Source::Lido
        } else if self.owner_address.is_some() || self.operators.is_some() {
            Source::Ssv
        } else {
            Source::Keys
        }
    }

    fn entry(self, place: usize) -> Result<Entry, ListError> {
        let source = self.source();
        let nested = self.validator.as_ref().map(|validator| &validator.pubkey);
        let key = nested.or(self.key.as_ref()).ok_or(ListError::NoKey(place))?;
        let credentials = self.validator.as_ref().map(|validator| {
            digits(place, "withdrawal_credentials", &validator.withdrawal_credentials)
        });
        let signature = self.deposit_signature.as_deref();
        let operators = self.operators.map(|operators| {
            let mut ids: Vec<u64> = operators.into_iter().map(|operator| operator.id).collect();
            ids.sort_unstable();
            ids
        });
        Ok(Entry {
            place,
            public_key: digits(place, "public key", key)?,
            credentials: credentials.transpose()?,
            signature: signature.map(|text| digits(place, "depositSignature", text)).transpose()?,
            // Whatever a node's list has is there because a deposit was processed.
            deposited: if source == Source::Beacon { Some(true) } else { self.used },
            status: self.status.as_deref().map(printable),
            owner: self.owner_address.as_deref().map(|text| owner(place, text)).transpose()?,
            operators,
        })
    }
}

impl List {
    /// Reads a list of at most 64 MiB: JSON, or a table in text.
    pub fn read(bytes: &[u8]) -> Result<Self, ListError> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let list = match text.trim_ascii_start().first() {
            Some(b'[' | b'{') => Self::from_json(bytes)?,
            _ => table::read(text)?,
        };
        match list.entries.is_empty() {
            true => Err(ListError::Empty),
            false => Ok(list),
        }
    }

    fn from_json(bytes: &[u8]) -> Result<Self, ListError> {
        let Rows(rows) = json::parse_either(bytes, LARGEST)?;
        let source = rows.first().ok_or(ListError::Empty)?.source();
        let mut entries = Vec::with_capacity(rows.len());
        for (place, row) in (1..).zip(rows) {
            if row.source() != source {
                let (found, first) = (row.source().name(), source.name());
                return Err(ListError::Mixed { place, found, first });
            }
            entries.push(row.entry(place)?);
        }
        Ok(Self { source, entries })
    }
}
