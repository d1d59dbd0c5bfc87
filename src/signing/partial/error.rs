//! Why answers are not counted, and whose fault that is.

use crate::ethereum::json::HexError;
use crate::primitives::codec;
use crate::primitives::curve;
use crate::primitives::hash::Digest;
use crate::signing::request_file::RequestFileError;
use crate::spec::threshold::Index;

/// Why a partial signature is not counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartialError {
    /// Not the bytes of an answer.
    #[error("not an answer: {0}")]
    Bytes(#[from] codec::DecodeError),
    /// For another number of validators.
    #[error("partials: {found}, but the request is for {expected} validators")]
    Count {
        /// Validators of the request.
        expected: usize,
        /// Partial signatures in the answer.
        found: usize,
    },
    /// Another number of encrypted shares than the request asks for.
    #[error("shares: {found}, but the request asks for {expected}")]
    Shares {
        /// What the request asks for.
        expected: usize,
        /// Encrypted shares in the answer.
        found: usize,
    },
    /// An answer about key shares to another request, or the reverse.
    #[error("version: not that of the answers to this request")]
    Version,
    /// A lock without the signature of a node, or one where there is no lock.
    #[error("node: a signature that the request does not ask for, or none where it asks for one")]
    Node,
    /// The operator signed it, and not with the key of its node.
    #[error(
        "node: not a signature on the lock hash by the node of operator {0}, who signed the answer"
    )]
    WrongNode(u16),
    /// The operator signed it, and has not proven its share of a validator.
    #[error(
        "shares: the proof of the share of validator {validator} does not verify under the RSA key \
         of operator {operator}, who signed it"
    )]
    Unproven {
        /// The operator.
        operator: u16,
        /// Which validator of the request, from 1.
        validator: usize,
    },
    /// Every validator is left out.
    #[error("partials: operator {0} leaves every validator out")]
    Empty(u16),
    /// The operator signed it, and it is not a point.
    #[error("partial: {source}; operator {operator} signed it")]
    Point {
        /// The operator.
        operator: u16,
        /// Why.
        source: curve::DecodeError,
    },
    /// Not the format.
    #[error("{0}")]
    File(#[from] RequestFileError),
    /// Not lower-case hexadecimal of the right length.
    #[error("{field}: {source}")]
    Hex {
        /// The field.
        field: &'static str,
        /// Why.
        source: HexError,
    },
    /// For another request: another validator, index, epoch, amount, ceremony or custodian.
    #[error("request: it answers another request, {found}; this one is {expected}")]
    Request {
        /// The id of this request.
        expected: Digest,
        /// The id in the file.
        found: Digest,
    },
    /// Another operator sealed it than the one that it names.
    #[error("sealed: it was not sealed by operator {0}, whom it names")]
    Sealer(u16),
    /// It does not open: for another custodian, or altered.
    #[error("sealed: it does not open with these keys: it is for another custodian or was altered")]
    Sealed,
    /// Not signed by the operator that it names.
    #[error(
        "signature: not by operator {0}, whom it names: the answer was altered or is somebody \
         else's"
    )]
    Signature(u16),
    /// No operator has this index.
    #[error("operator: the ceremony has no operator {0}")]
    UnknownOperator(u16),
    /// The request asks for the other kind.
    #[error("the request asks for {expected} answers, but this one is {found}")]
    Delivery {
        /// What the request asks for.
        expected: &'static str,
        /// What this one is.
        found: &'static str,
    },
    /// The operator signed it, and it is not the partial signature of its share.
    #[error("partial: does not verify under the public share of operator {0}, who signed it")]
    Wrong(u16),
}

impl PartialError {
    /// Whose fault it is, beyond doubt: an operator that has signed what its share does not give.
    pub fn culprit(&self) -> Option<Index> {
        match self {
            Self::Wrong(operator)
            | Self::WrongNode(operator)
            | Self::Point { operator, .. }
            | Self::Unproven { operator, .. } => Index::new(*operator),
            _ => None,
        }
    }
}
