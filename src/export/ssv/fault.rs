//! Reasons to refuse SSV's files.

use crate::ethereum::address::AddressError;
use crate::ethereum::json::{HexError, JsonError};
use crate::ethereum::ssv::RsaKeyError;
use crate::primitives::curve::DecodeError;

/// Why a file of key shares or proofs is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyshareError {
    /// Something is wrong with one value.
    #[error("{field}: {fault}")]
    At {
        /// Its place: `shares[0].payload.sharesData`.
        field: String,
        /// What is wrong.
        fault: Fault,
    },
    /// Not the JSON of such a file.
    #[error("not SSV's JSON: {0}")]
    Json(#[from] JsonError),
}

impl KeyshareError {
    /// The field at fault.
    pub fn field(&self) -> &str {
        match self {
            Self::At { field, .. } => field,
            Self::Json(_) => "file",
        }
    }

    pub(super) fn at(field: impl Into<String>, fault: impl Into<Fault>) -> Self {
        Self::At { field: field.into(), fault: fault.into() }
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not the owner's address.
    #[error("{0}")]
    Address(#[from] AddressError),
    /// Not a number of operators that a cluster has.
    #[error("{0} operators; clusters have 4, 7, 10 or 13")]
    Cluster(usize),
    /// Another number of entries.
    #[error("{found} entries instead of {expected}")]
    Count {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Not a point that can be a key or a signature.
    #[error("{0}")]
    Curve(#[from] DecodeError),
    /// The same validator a second time.
    #[error("the same validator as in {0}")]
    Duplicate(String),
    /// Not hexadecimal of the right length.
    #[error("{0}")]
    Hex(#[from] HexError),
    /// Not an RSA key.
    #[error("{0}")]
    Key(#[from] RsaKeyError),
    /// The key of two operators.
    #[error("the same RSA key as operator {0}")]
    KeyTwice(u64),
    /// Operators not in ascending order.
    #[error("operator {found} does not come after operator {before}")]
    Order {
        /// The one before.
        before: u64,
        /// The one after it.
        found: u64,
    },
    /// The share keys are not those of a sharing of the validator's key.
    #[error(
        "the share keys from {first} to {last} do not combine to the validator's key with \
         threshold {threshold}"
    )]
    Sharing {
        /// The first operator's number.
        first: u64,
        /// The last operator's number.
        last: u64,
        /// How many operators must combine to the key.
        threshold: usize,
    },
    /// A BLS signature that is not the validator's.
    #[error("the validator's signature does not verify on {0:?}")]
    Signature(String),
    /// An RSA signature that is not the operator's.
    #[error("the signature does not verify with operator {0}'s RSA key")]
    RsaSignature(u64),
    /// Not a time.
    #[error("not a time in UTC (RFC 3339)")]
    Time,
    /// A JSON value of another type.
    #[error("{found} instead of {expected}")]
    Type {
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// Another value than the one that stands elsewhere or was agreed.
    #[error("{found} instead of {expected}")]
    Value {
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A version that SSV's tools refuse.
    #[error("{0:?}; SSV's tools accept v1.1.0 and v1.2.0")]
    Version(String),
    /// Zero, which is no operator.
    #[error("0 is not an operator")]
    ZeroId,
}
