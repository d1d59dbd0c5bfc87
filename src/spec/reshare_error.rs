//! Why a spec is not that of a reshare or an import.

use super::ceremony::{MOST_VALIDATORS, MOST_WORK};
use super::error::Place;
use super::repair::RepairError;
use super::threshold::ThresholdError;
use crate::primitives::curve::DecodeError as CurveError;

/// Why a spec is not that of a reshare or an import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReshareError {
    /// Ceremonies of version 1 made keys only.
    #[error("a reshare has version 2")]
    Version,
    /// The digest of nothing.
    #[error("parent.{0}: all zero is no digest")]
    Zero(&'static str),
    /// The parent's two numbers.
    #[error("parent: {0}")]
    Threshold(ThresholdError),
    /// A seat without a part.
    #[error("{place}: this operator neither deals nor receives")]
    NoPart {
        /// Where.
        place: Place,
    },
    /// A seat that deals its share is counted for that.
    #[error("{place}: this operator deals, and so it does not witness")]
    DealsAndWitnesses {
        /// Where.
        place: Place,
    },
    /// An index that the parent does not have.
    #[error("{place}: {found}; the parent has operators 1 to {most}")]
    OldIndex {
        /// Where.
        place: Place,
        /// The index.
        found: u16,
        /// The parent's operators.
        most: usize,
    },
    /// Two seats deal one share.
    #[error("{place}: {index} is also what operators[{first}] deals")]
    OldIndexTwice {
        /// Where.
        place: Place,
        /// The parent's index.
        index: u16,
        /// Position of the other seat.
        first: usize,
    },
    /// Points of the parent in another order than its indices.
    #[error("{place}: {point} is not possible; a parent's points ascend with its indices, from 1")]
    OldPoint {
        /// Where.
        place: Place,
        /// The point.
        point: u64,
    },
    /// Too few dealers.
    #[error("{dealers} operators deal; the parent's threshold is {required}, so {required} must")]
    TooFewDealers {
        /// How many deal.
        dealers: usize,
        /// How many must.
        required: usize,
    },
    /// An evaluation point of an operator that gets no share.
    #[error("{place}: given of an operator that gets no share; leave it out")]
    PointAlone {
        /// Where.
        place: Place,
    },
    /// Positions of validators have one order.
    #[error("{place}: validator {number} of the parent is out of order or listed twice")]
    Order {
        /// Where.
        place: Place,
        /// Its number in the parent, from 1.
        number: u64,
    },
    /// A number that no validator of a parent has.
    #[error("{place}: {number}; a parent's validators have numbers from 1 to {MOST_VALIDATORS}")]
    Number {
        /// Where.
        place: Place,
        /// The number.
        number: u64,
    },
    /// One key twice.
    #[error("{place}: the same key as another validator")]
    KeyTwice {
        /// Where.
        place: Place,
    },
    /// Not a key in hexadecimal digits.
    #[error("{place}: not 96 hexadecimal digits")]
    Key {
        /// Where.
        place: Place,
    },
    /// A block that has another number of keys than validators.
    #[error("{place}: {keys} keys for {count} validators; give one key for each")]
    Keys {
        /// Where.
        place: Place,
        /// How many keys.
        keys: usize,
        /// How many validators.
        count: u64,
    },
    /// A field that a reshare needs.
    #[error("{place}: missing; a reshare lists the keys of its parent")]
    Missing {
        /// Where.
        place: Place,
    },
    /// A field of a reshare, and no parent.
    #[error("{place}: given without [parent]; only a reshare has it, and some of it an import")]
    Alone {
        /// Where.
        place: Place,
    },
    /// What a reshare does not sign.
    #[error("{field}: no part of a reshare or an import, which signs nothing for it")]
    NotPart {
        /// The field.
        field: String,
    },
    /// A file of both kinds.
    #[error("import: given together with [parent]; a file is of a reshare or of an import")]
    Both,
    /// Whole keys have one dealer.
    #[error("{0} operators deal; an import has one dealer, who holds the keys")]
    Dealers(usize),
    /// A dealer that has no seat.
    #[error("import.dealer: {found}; the file has operators 1 to {most}")]
    Dealer {
        /// The number.
        found: u16,
        /// The operators.
        most: usize,
    },
    /// Bytes that are no key.
    #[error("{place}: not the key of a validator: {source}")]
    NotAKey {
        /// Where.
        place: Place,
        /// Why.
        source: CurveError,
    },
    /// A field of a reshare in an import, whose keys have no parent.
    #[error("{place}: given in an import, whose keys have no parent")]
    NoParent {
        /// Where.
        place: Place,
    },
    /// What is not so of a repair.
    #[error(transparent)]
    Repair(#[from] RepairError),
    /// More work than the limit.
    #[error(
        "{validators} validators times {seats} operators times the larger threshold, {required}, \
         is more than {MOST_WORK}; split them into several reshares"
    )]
    TooMuchWork {
        /// `V`.
        validators: usize,
        /// Seats.
        seats: usize,
        /// The larger of both thresholds.
        required: usize,
    },
}
