//! What the stages of a participant work on: its statements, boxes and secrets.

use std::collections::BTreeMap;

use crate::message::envelope::{Round, Statement};
use crate::message::inbox::{Arrival, Inbox};
use crate::message::shape::Shape;
use crate::primitives::curve::SecretScalar;
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::DhSecret;
use crate::spec::threshold::Index;

use super::evidence::Fault;
use super::participant::{OwnSeat, Stage, Step};
use super::record::{Record, ReplayError};

/// Position of `other` among the operators without `me`: how per-recipient lists are indexed on the wire.
pub(super) fn position_without(me: Index, other: Index) -> usize {
    other.position() - usize::from(other > me)
}

/// Secrets on hand, each taken by the call that spends it. After a restart, those that were already spent are absent.
#[derive(Default)]
pub(super) struct Vault {
    pub(super) seed: Option<Secret32>,
    pub(super) one_time_keys: Option<Vec<DhSecret>>,
    pub(super) own_shares: Option<Vec<SecretScalar>>,
    pub(super) shares: Option<Vec<SecretScalar>>,
}

/// Everything a stage may use.
pub(super) struct World {
    pub(super) seat: OwnSeat,
    pub(super) shape: Shape,
    pub(super) inbox: Inbox,
    pub(super) vault: Vault,
    pub(super) received: BTreeMap<Index, Vec<u8>>,
    pub(super) sent: BTreeMap<Index, Vec<u8>>,
    /// Own statements of an earlier run that the replay has not reached yet.
    pub(super) recalled: BTreeMap<Round, Vec<u8>>,
}

impl World {
    /// Whether this operator's statement of `round` is made: it is in the inbox, or the log of an earlier run has it.
    pub(super) fn recall(&mut self, round: Round) -> bool {
        if let Some(bytes) = self.recalled.remove(&round) {
            // A log that holds a statement of another session holds another ceremony's; it was opened, so this cannot happen by chance.
            let arrival = self.inbox.accept(&bytes);
            debug_assert!(arrival.is_ok(), "our own statement is of our own session");
        }
        self.inbox.get(round, self.seat.me).is_some()
    }

    /// Makes this operator's statement of `round`, unless it was made before: an operator signs one statement for each slot, ever.
    pub(super) fn own(&mut self, round: Round, step: &mut Step, make: impl FnOnce(&mut Self) -> Made) -> Result<(), ReplayError> {
        if self.recall(round) {
            return Ok(());
        }
        let (records, statement) = make(self)?;
        step.persist.extend(records);
        step.persist.push(Record::statement(&statement));
        let accepted = self.inbox.accept(statement.bytes());
        debug_assert!(matches!(accepted, Ok((Arrival::New, _))), "our own statement is well-formed and new");
        step.send.push(statement);
        Ok(())
    }
}

/// A statement just signed, with the records it depends on; or a damaged log.
pub(super) type Made = Result<(Vec<Record>, Statement), ReplayError>;

/// How a stage is left: by the next stage, or not yet.
pub(super) enum Advance {
    Stay(Stage),
    Next(Stage),
}

/// Why a stage cannot go on.
pub(super) enum Stop {
    Fault(Box<Fault>),
    Storage(ReplayError),
}

impl From<Box<Fault>> for Stop {
    fn from(fault: Box<Fault>) -> Self {
        Self::Fault(fault)
    }
}

impl From<ReplayError> for Stop {
    fn from(error: ReplayError) -> Self {
        Self::Storage(error)
    }
}
