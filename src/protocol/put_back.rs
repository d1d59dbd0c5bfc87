//! Logs that were put back to an earlier state: others hold statements of this operator that its
//! log lacks, or outputs are written that its log does not account for.
//!
//! From such a log nothing more is signed: what it would sign might differ from what was signed.

use std::collections::BTreeMap;

use crate::message::envelope::{Kind, Round, Statement, session_id};
use crate::message::inbox::{Inbox, digests};
use crate::message::sync::Have;
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

use super::record::{Record, RecordKind, ReplayError};
use super::seat::OwnSeat;
use super::world::World;

/// What an operator's store holds beside the log. A log in its newest state accounts for all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Own statements that others were found to hold in an earlier run, when the log lacked them.
    pub elsewhere: Vec<Statement>,
    /// Outputs are written.
    pub outputs: bool,
}

/// How it is known that a log was put back to an earlier state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutBack {
    /// Own statements, validly signed, that others hold and the log lacks: one of each kind and
    /// round.
    pub elsewhere: Vec<Statement>,
    /// Outputs are written, and the log lacks a FINAL without which nobody writes any.
    pub outputs: bool,
}

impl PutBack {
    /// Whether a log with these records was put back, by what stands beside it.
    ///
    /// # Errors
    /// A statement in the log does not decode, or this operator has abandoned the ceremony.
    pub fn of(
        seat: &OwnSeat,
        records: &[Record],
        beside: Beside,
    ) -> Result<Option<Self>, ReplayError> {
        if beside == Beside::default() {
            return Ok(None);
        }
        let held = records.iter().filter(|record| record.kind == RecordKind::Statement);
        let held = held.map(|record| record.to_statement(seat)).collect::<Result<Vec<_>, _>>()?;
        let own = || held.iter().filter(|held| held.envelope.sender == seat.me);
        if own().any(|held| held.envelope.kind == Kind::Abandon) {
            return Err(ReplayError::Abandoned);
        }
        let lacking = |statement: &Statement| {
            statement.envelope.sender == seat.me
                && own().all(|held| held.digest() != statement.digest())
        };
        let mut put_back = Self::default();
        beside.elsewhere.into_iter().filter(lacking).for_each(|lost| put_back.add(lost));
        let shape = seat.shape();
        let last = shape.last_round();
        let said = |index: Index| {
            held.iter().any(|held| {
                let envelope = &held.envelope;
                (envelope.sender, envelope.kind, envelope.round) == (index, Kind::Ordinary, last)
            })
        };
        put_back.outputs = beside.outputs && !shape.speakers(last).iter().all(said);
        Ok(Some(put_back).filter(Self::is_known))
    }

    /// Whether anything shows it.
    pub fn is_known(&self) -> bool {
        self.outputs || !self.elsewhere.is_empty()
    }

    /// Whether others hold this operator's abandonment.
    pub fn is_abandoned(&self) -> bool {
        self.elsewhere.iter().any(|statement| statement.envelope.kind == Kind::Abandon)
    }

    /// The last round for which others hold a statement that the log lacks.
    pub fn last_round(&self) -> Option<Round> {
        let in_slots =
            self.elsewhere.iter().filter(|statement| statement.envelope.kind != Kind::Abandon);
        in_slots.map(|statement| statement.envelope.round).max()
    }

    fn add(&mut self, statement: Statement) {
        let place = |held: &Statement| (held.envelope.kind, held.envelope.round);
        if self.elsewhere.iter().all(|held| place(held) != place(&statement)) {
            self.elsewhere.push(statement);
        }
    }
}

/// How many times a peer may say that it holds an own statement without showing it, until it is no
/// longer waited for: it shows it at once if it has it.
const MOST_CLAIMS: u8 = 4;

/// Own statements that are kept while their session is not known. A peer can only fill them with
/// what this operator signed in other ceremonies.
const MOST_EARLY: usize = 32;

/// Peers that say that they hold own statements which the log lacks. What they say is not signed:
/// it makes this operator ask, and sign nothing for a moment, once for each peer.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<Index, u8>);

impl Claims {
    /// `peer` has said what it holds.
    pub(super) fn heard(&mut self, peer: Index, claims: bool) {
        match self.0.get_mut(&peer) {
            Some(count) if claims => *count = count.saturating_add(1),
            Some(count) => *count = u8::MAX,
            None if claims => drop(self.0.insert(peer, 1)),
            None => {}
        }
    }

    /// `peer` has gone.
    pub(super) fn left(&mut self, peer: Index) {
        if let Some(count) = self.0.get_mut(&peer) {
            *count = u8::MAX;
        }
    }

    /// Whether `peer` is waited for to show what it says that it holds.
    pub(super) fn is_open_for(&self, peer: Index) -> bool {
        self.0.get(&peer).is_some_and(|count| *count <= MOST_CLAIMS)
    }

    /// Whether any peer is.
    pub(super) fn is_open(&self) -> bool {
        self.0.values().any(|count| *count <= MOST_CLAIMS)
    }
}

impl World {
    fn holds(
        inbox: &Inbox,
        recalled: &BTreeMap<Round, Statement>,
        round: Round,
        own: Index,
    ) -> Vec<Digest> {
        let filed = inbox.all(round, own).map(Statement::digest);
        filed.chain(recalled.get(&round).map(Statement::digest)).collect()
    }

    /// Whether this is an own statement that the log lacks.
    pub(super) fn lacks_own(&self, statement: &Statement) -> bool {
        let envelope = &statement.envelope;
        let me = self.seat.me;
        // A log that held an abandonment would not have started.
        envelope.sender == me
            && (envelope.kind == Kind::Abandon
                || !Self::holds(&self.inbox, &self.recalled, envelope.round, me)
                    .contains(&statement.digest()))
    }

    /// Whether somebody who holds `theirs` says that it holds an own statement that the log lacks.
    pub(super) fn is_claimed(&self, theirs: &Have) -> bool {
        let me = self.seat.me;
        let claimed = |round| {
            theirs.slot(&self.shape, round, me).is_some_and(|digest| {
                !Self::holds(&self.inbox, &self.recalled, round, me).contains(&digest)
            })
        };
        self.shape.rounds().iter().copied().any(claimed)
    }

    /// While nothing is signed: lets statements of later rounds be opened, own ones among them.
    pub(super) fn know_session(&mut self) {
        if self.inbox.session().is_none()
            && let Some(hellos) = self.inbox.complete(Round::Hello)
        {
            self.inbox.set_session(session_id(&self.seat.ceremony, &digests(&hellos)));
            self.open_early();
        }
    }

    /// Keeps an own statement whose session is not known yet, until it is. They are few: nobody
    /// else makes any.
    pub(super) fn keep_early(&mut self, bytes: &[u8]) {
        if self.early.len() < MOST_EARLY
            && let Ok(statement) = Statement::open(bytes, &self.seat.ceremony)
            && statement.envelope.sender == self.seat.me
            && !self.early.contains(&statement)
        {
            self.early.push(statement);
        }
    }

    /// Once the session is known: notes which of the early ones are of it, and lacking.
    pub(super) fn open_early(&mut self) {
        let Some(session) = self.inbox.session() else { return };
        for statement in core::mem::take(&mut self.early) {
            if statement.envelope.session == session && self.lacks_own(&statement) {
                self.note_elsewhere(statement);
            }
        }
    }

    /// Another operator has shown an own statement that the log lacks.
    pub(super) fn note_elsewhere(&mut self, statement: Statement) {
        self.put_back.add(statement);
    }
}
