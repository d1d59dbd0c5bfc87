//! Why bytes are not a transcript, and why statements make none.

use crate::message::envelope::{Reject, Round};
use crate::primitives::codec::DecodeError;
use crate::spec::error::SpecError;
use crate::spec::parent::ParentError;
use crate::spec::threshold::Index;

use super::container::{CONTAINER_VERSION, MOST_SPEC_BYTES};

/// Why bytes are not a transcript.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// Cut off within the header, the spec or a statement.
    #[error("cut off: {0}")]
    Cut(DecodeError),
    /// Goes on behind its last statement.
    #[error("too long: {0}")]
    Long(DecodeError),
    /// The first four bytes are not a transcript's.
    #[error("not a transcript: it does not start with \"QTRN\"")]
    Magic,
    /// Another version.
    #[error("transcript version {0}; this program reads version {CONTAINER_VERSION}")]
    Version(u16),
    /// Another kind.
    #[error(
        "transcript kind {0}; this program reads kinds 1 (a complete ceremony), 2 (a stopped \
         ceremony), 3 (a complete reshare), 4 (one that was finished without some seats) and \
         5 (a complete repair)"
    )]
    Kind(u8),
    /// A set of statements, where a transcript is needed.
    #[error("this is a set of statements, not a transcript")]
    NotComplete,
    /// A complete transcript, where evidence is needed.
    #[error("this is the transcript of a complete ceremony, not evidence of a fault")]
    NotStopped,
    /// More statements than the operators of this ceremony can leave.
    #[error("{actual} statements; the limit for this ceremony is {most}")]
    Statements {
        /// The most there can be.
        most: usize,
        /// How many there are said to be.
        actual: usize,
    },
    /// More statements of one operator than it can leave with one that keeps the rules.
    #[error("statement {at}: more than {most} of operator {} {}", sender.get(), crowd(*round))]
    Crowd {
        /// Which one is too many, from 1.
        at: usize,
        /// Whose.
        sender: Index,
        /// Of which round; none of abandonments.
        round: Option<Round>,
        /// The most there can be.
        most: usize,
    },
    /// Statement number so and so (from 1) names another session than those before it.
    #[error("statement {0}: of another session than those before it; a file holds one session")]
    Sessions(usize),
    /// Statements are in a strict order, so that there is one encoding of a set.
    #[error("statement {0} is out of order or repeated")]
    Order(usize),
    /// Statement number so and so (from 1) is not one of this ceremony.
    #[error("statement {0}: {1}")]
    Statement(usize, Reject),
    /// The reserved byte is set.
    #[error("the reserved byte of the header is {0}, not zero")]
    Reserved(u8),
    /// The spec is said to be longer than the limit can be.
    #[error("a spec of {0} bytes; the limit is {MOST_SPEC_BYTES}")]
    SpecLength(usize),
    /// A container of one kind around the spec of a ceremony of another.
    #[error("a transcript of kind {container} cannot hold a ceremony of kind {ceremony}")]
    OtherKind {
        /// The container's kind.
        container: u8,
        /// The ceremony's.
        ceremony: u8,
    },
    /// The rows behind the spec of a reshare are not those that it names.
    #[error("the parent's commitments: {0}")]
    Rows(ParentError),
    /// The spec breaks a rule.
    #[error("the spec: {0}")]
    Spec(SpecError),
    /// More statements of minima than dealers can leave.
    #[error("{actual} statements of minima; the limit for this ceremony is {most}")]
    Minima {
        /// The most there can be.
        most: usize,
        /// How many there are said to be.
        actual: usize,
    },
    /// More words of those who finish without others than these can leave.
    #[error("{actual} statements that finish without others; the limit here is {most}")]
    Withouts {
        /// The most there can be.
        most: usize,
        /// How many there are said to be.
        actual: usize,
    },
    /// The bytes that say whose finals are here are not 0 or 1, or are all 1.
    #[error("the bytes that say whose final is here: {0}")]
    Finals(&'static str),
    /// The length is not the one that the spec gives.
    #[error("{actual} bytes, but the spec requires {expected}")]
    Length {
        /// Bytes that the spec gives.
        expected: u64,
        /// Bytes there are.
        actual: u64,
    },
}

impl From<DecodeError> for ContainerError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Trailing { .. } => Self::Long(error),
            error => Self::Cut(error),
        }
    }
}

fn crowd(round: Option<Round>) -> String {
    round.map_or_else(|| "that give up".to_owned(), |round| format!("for round {}", round.number()))
}

/// A statement that a complete transcript needs is not at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the statement of round {} by operator {} is missing or out of \
         order", round.number(), sender.get())]
pub struct Incomplete {
    /// Its round.
    pub round: Round,
    /// Its sender.
    pub sender: Index,
}
