//! Events and actions of an operator that answers a request over channels.

use std::collections::BTreeMap;

use crate::ethereum::obol::lock::ClusterLock;
use crate::message::body::EncryptedShare;
use crate::primitives::codec::DecodeError;
use crate::primitives::curve::G2;
use crate::signing::combine::CombineError;
use crate::signing::partial::PartialError;
use crate::spec::threshold::Index;

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// There is a channel to this operator.
    Up(Index),
    /// It is gone.
    Down(Index),
    /// A frame came from this operator.
    Frame(Index, &'a [u8]),
    /// Some time has passed: about two seconds since the last one.
    Tick,
}

/// What is to be done, in order.
#[derive(Debug)]
pub enum Action {
    /// Send this to `to`, if it is connected.
    Send {
        /// To whom.
        to: Index,
        /// The frame.
        frame: Vec<u8>,
    },
    /// Send this operator's own answer to `to`, if it is connected; if it was given to the channel,
    /// say so ([`super::Live::answer_left`]).
    Answer {
        /// To whom.
        to: Index,
        /// The frame.
        frame: Vec<u8>,
    },
    /// Speak with `peer` no more.
    HangUp {
        /// With whom.
        peer: Index,
        /// Why.
        why: Misconduct,
    },
    /// The answer of this operator counts.
    Counted(Index),
    /// This operator has signed an answer that its share does not give. It is not listened to any
    /// more.
    NotCounted {
        /// Which.
        operator: Index,
        /// What it signed.
        why: PartialError,
    },
    /// The custodian says that it counts this operator's answer.
    Received,
    /// There is enough: write it to the disk, then say so ([`super::Live::written`]).
    Combined {
        /// The validators' signatures, verified, in the request's order; `None` where too few have
        /// signed.
        signatures: Vec<Option<G2>>,
        /// Whose answers it is made of.
        signers: Vec<Index>,
        /// Of key shares: what the required operators have encrypted.
        renewed: BTreeMap<Index, Vec<EncryptedShare>>,
        /// Of a lock: the lock.
        lock: Option<Box<ClusterLock>>,
    },
    /// Impossible with answers that verify.
    Impossible(CombineError),
}

/// What no operator does that keeps to the specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misconduct {
    /// Not a frame.
    #[error("it sent something that is not a frame: {0}")]
    Frame(#[from] DecodeError),
    /// An answer that nobody has signed like this.
    #[error("it sent an invalid answer: {0}")]
    Answer(#[from] PartialError),
    /// A sealed answer is its operator's to send.
    #[error("it sent the sealed answer of operator {0}")]
    Foreign(u16),
    /// It passed on what does not verify.
    #[error("it passed on an invalid answer of operator {0}")]
    PassedOn(u16),
    /// An answer to whoever gets none.
    #[error("it sent an answer that is for somebody else")]
    NotForUs,
}

/// Whether there is anything left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// This operator has what it needs, and so has everybody who can be told.
    Complete,
    /// So many have signed false answers, or were hung up on, that there can never be enough.
    Hopeless,
    /// The custodian sent what no operator sends.
    CustodianLost,
}
