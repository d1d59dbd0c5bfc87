//! What keys have signed, as validator clients pass it on: the interchange format of slashing
//! protection (EIP-3076), version 5.
//!
//! Of each key only the greatest slot, source and target are kept. A signer that refuses everything
//! up to them (conditions 2, 4 and 5 of the EIP) signs nothing that is slashable with what the file
//! lists, whichever of it is there.

mod read;

mod write;

use std::collections::BTreeMap;

use crate::ethereum::json::{HexError, JsonError};
use crate::primitives::curve::DecodeError;

/// The one version of the format.
pub const FORMAT_VERSION: &str = "5";
/// Longest file: a full history of some hundred keys.
pub const MOST_BYTES: usize = 256 << 20;
/// Most entries of a file.
pub const MOST_ENTRIES: usize = 1 << 16;

/// A key as it stands in the file, compressed.
pub type Key = [u8; 48];

/// The greatest of what a key has signed. Nothing at all is what a key that never ran has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signed {
    /// The greatest slot of a block.
    pub slot: Option<u64>,
    /// The greatest epochs of an attestation; they may be those of two.
    pub vote: Option<Vote>,
}

/// The epochs of an attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote {
    /// The checkpoint that is believed.
    pub source: u64,
    /// The checkpoint that is voted for.
    pub target: u64,
}

/// A value that was lower than one that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lower {
    /// `slot`, `source_epoch` or `target_epoch`.
    pub field: &'static str,
    /// What is stated, if anything.
    pub stated: Option<u64>,
    /// What was known.
    pub known: u64,
}

impl core::fmt::Display for Lower {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { field, stated, known } = self;
        match stated {
            Some(stated) => write!(f, "{field} {stated} is lower than {known}"),
            None => write!(f, "no {field}, and {known} is known"),
        }
    }
}

impl Signed {
    /// Whether the key has signed nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The greater of both, value by value.
    pub fn join(self, other: Self) -> Self {
        let vote = match (self.vote, other.vote) {
            (Some(one), Some(two)) => Some(Vote {
                source: one.source.max(two.source),
                target: one.target.max(two.target),
            }),
            (one, two) => one.or(two),
        };
        Self { slot: self.slot.max(other.slot), vote }
    }

    /// The first value that is lower than in `known`, or that `known` alone has.
    pub fn lower_than(&self, known: &Self) -> Option<Lower> {
        let source = |signed: &Self| signed.vote.map(|vote| vote.source);
        let target = |signed: &Self| signed.vote.map(|vote| vote.target);
        let values = [
            ("slot", self.slot, known.slot),
            ("source_epoch", source(self), source(known)),
            ("target_epoch", target(self), target(known)),
        ];
        values.into_iter().find_map(|(field, stated, known)| {
            let known = known.filter(|known| stated.is_none_or(|stated| stated < *known))?;
            Some(Lower { field, stated, known })
        })
    }
}

/// What keys of one network have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interchange {
    genesis_validators_root: [u8; 32],
    keys: BTreeMap<Key, Signed>,
}

impl Interchange {
    /// Of a network, without keys.
    pub fn empty(genesis_validators_root: [u8; 32]) -> Self {
        Self { genesis_validators_root, keys: BTreeMap::new() }
    }

    /// The network's `genesis_validators_root`.
    pub fn genesis_validators_root(&self) -> [u8; 32] {
        self.genesis_validators_root
    }

    /// Every key with what it has signed, in the order of their bytes.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = (&Key, &Signed)> {
        self.keys.iter()
    }

    /// What a key has signed; `None` if nothing is said of it.
    pub fn signed(&self, key: &Key) -> Option<&Signed> {
        self.keys.get(key)
    }

    /// Adds what a key has signed; what is known of it already can only grow.
    pub fn add(&mut self, key: Key, signed: Signed) {
        let known = self.keys.entry(key).or_default();
        *known = known.join(signed);
    }

    /// Both, joined by maximum. They must be of one network.
    pub fn join(mut self, other: &Self) -> Result<Self, InterchangeError> {
        let (expected, found) = (self.genesis_validators_root, other.genesis_validators_root);
        if found != expected {
            return Err(InterchangeError::Root { expected, found });
        }
        other.keys.iter().for_each(|(key, signed)| self.add(*key, *signed));
        Ok(self)
    }

    /// That of `keys` alone, each of which must be there.
    pub fn of(&self, keys: &[Key]) -> Result<Self, InterchangeError> {
        let mut only = Self::empty(self.genesis_validators_root);
        for key in keys {
            let signed = self.signed(key).ok_or(InterchangeError::Missing { key: *key })?;
            only.add(*key, *signed);
        }
        Ok(only)
    }

    /// Refuses it if it says less of a key than `known`, or nothing.
    pub fn check_not_below(&self, known: &Self) -> Result<(), InterchangeError> {
        for (key, known) in &known.keys {
            let signed = self.signed(key).ok_or(InterchangeError::Missing { key: *key })?;
            if let Some(lower) = signed.lower_than(known) {
                return Err(InterchangeError::Lower { key: *key, lower });
            }
        }
        Ok(())
    }
}

/// What is unusual in a file, and was read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// A key has several entries, which were joined.
    Joined(Key),
    /// An entry lacks a list, which was read as an empty one.
    Lacks {
        /// Whose.
        key: Key,
        /// `signed_blocks` or `signed_attestations`.
        field: &'static str,
    },
    /// An attestation whose source is above its target: no client signs one.
    SourceAboveTarget(Key),
    /// A field that the format does not know.
    Unknown(String),
}

impl core::fmt::Display for Remark {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Joined(key) => {
                write!(f, "0x{} has several entries; they were joined", hex::encode(key))
            }
            Self::Lacks { key, field } => {
                write!(f, "0x{} has no {field}; it was read as an empty list", hex::encode(key))
            }
            Self::SourceAboveTarget(key) => {
                write!(
                    f,
                    "0x{} has an attestation whose source is above its target",
                    hex::encode(key)
                )
            }
            Self::Unknown(field) => write!(f, "the field {field} is unknown and was not read"),
        }
    }
}

/// Why an interchange is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterchangeError {
    /// A public key that is no point.
    #[error("entry {entry}, pubkey: {source}")]
    Curve {
        /// Which, counted from 1.
        entry: usize,
        /// Why.
        source: DecodeError,
    },
    /// A value of an entry's list is not what it should be.
    #[error("entry {entry}, {list} {number}, {field}: {why}")]
    Element {
        /// Which, counted from 1.
        entry: usize,
        /// `signed_blocks` or `signed_attestations`.
        list: &'static str,
        /// Which of the list, counted from 1.
        number: usize,
        /// The field.
        field: &'static str,
        /// Why.
        why: Why,
    },
    /// A field outside of these lists is not what it should be.
    #[error("{place}{field}: {why}")]
    Field {
        /// The entry, or nothing; as it stands in front of the field.
        place: String,
        /// The field.
        field: &'static str,
        /// Why.
        why: Why,
    },
    /// Not JSON of this shape.
    #[error("not a slashing protection file: {0}")]
    Json(#[from] JsonError),
    /// It says less of a key than is known.
    #[error("0x{}: {lower}", hex::encode(.key))]
    Lower {
        /// Whose.
        key: Key,
        /// What.
        lower: Lower,
    },
    /// Nothing is said of a key.
    #[error("nothing is said of 0x{}", hex::encode(.key))]
    Missing {
        /// Which.
        key: Key,
    },
    /// Of another network.
    #[error(
        "genesis_validators_root: 0x{} instead of 0x{}: it is of another network",
        hex::encode(.found), hex::encode(.expected)
    )]
    Root {
        /// The network's.
        expected: [u8; 32],
        /// In the file.
        found: [u8; 32],
    },
    /// More entries than are read.
    #[error("more than {MOST_ENTRIES} entries")]
    TooMany,
    /// Another version of the format.
    #[error("interchange_format_version: {0:?} instead of \"{FORMAT_VERSION}\"")]
    Version(String),
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Not a decimal number without sign or leading zeros, below 2^64.
    #[error("not a decimal number")]
    Decimal,
    /// Not hexadecimal of the right length.
    #[error("{0}")]
    Hex(HexError),
    /// The field is not there.
    #[error("missing")]
    Missing,
    /// A JSON value of another type.
    #[error("{0} instead of a string")]
    Type(&'static str),
}

impl InterchangeError {
    /// The field at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Curve { .. } | Self::Missing { .. } => "pubkey",
            Self::Element { field, .. } | Self::Field { field, .. } => field,
            Self::Json(_) => "file",
            Self::Lower { lower, .. } => lower.field,
            Self::Root { .. } => "genesis_validators_root",
            Self::TooMany => "data",
            Self::Version(_) => "interchange_format_version",
        }
    }
}
