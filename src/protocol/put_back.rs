//! Logs that were put back to an earlier state: others hold statements of this operator that its
//! log lacks, or outputs are written that its log does not account for.
//!
//! From such a log nothing more is signed: what it would sign might differ from what was signed. A
//! log that holds this operator's PREPARE holds its share, and every valid later statement of it
//! has one content but for ciphertexts: it takes these statements from others instead of making
//! them, and goes on.

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
    /// Own statements that others were found to hold in an earlier run, when the log lacked them;
    /// and an abandonment of which a record was made.
    pub elsewhere: Vec<Statement>,
    /// The statements of the transcript among the outputs, if outputs are written.
    pub outputs: Vec<Statement>,
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
        beside: &Beside,
    ) -> Result<Option<Self>, ReplayError> {
        if *beside == Beside::default() {
            return Ok(None);
        }
        let held = records.iter().filter(|record| record.kind == RecordKind::Statement);
        let held = held.map(|record| record.to_statement(seat)).collect::<Result<Vec<_>, _>>()?;
        let own = || held.iter().filter(|held| held.envelope.sender == seat.me);
        if own().any(|held| held.envelope.kind == Kind::Abandon) {
            return Err(ReplayError::Abandoned);
        }
        let prepared = own().any(|held| is_ordinary(held, Round::Prepare));
        let lacking = |statement: &Statement| {
            statement.envelope.sender == seat.me
                && (statement.envelope.kind == Kind::Abandon || !prepared)
                && own().all(|held| held.digest() != statement.digest())
        };
        let mut put_back = Self::default();
        let lost = beside.elsewhere.iter().filter(|statement| lacking(statement));
        lost.for_each(|lost| put_back.add(lost.clone()));
        let shape = seat.shape();
        let last = shape.last_round();
        let said = |index: Index| {
            held.iter().any(|held| held.envelope.sender == index && is_ordinary(held, last))
        };
        put_back.outputs =
            !beside.outputs.is_empty() && !prepared && !shape.speakers(last).iter().all(said);
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

fn is_ordinary(statement: &Statement, round: Round) -> bool {
    (statement.envelope.kind, statement.envelope.round) == (Kind::Ordinary, round)
}

/// How many times a peer may say that it holds an own statement without showing it, until it is no
/// longer waited for: it shows it at once if it has it.
const MOST_CLAIMS: u8 = 4;

/// For how many ticks of the exchange a peer that says so and then says nothing is waited for.
const MOST_TICKS: u8 = 15;

/// Own statements that are kept while their session is not known. A peer can only fill them with
/// what this operator signed in other ceremonies.
const MOST_EARLY: usize = 32;

/// Peers that say that they hold own statements which the log lacks. What they say is not signed:
/// it makes this operator ask, and sign nothing for a moment, once for each peer.
#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<Index, Claim>);

#[derive(Debug)]
enum Claim {
    /// How often the peer has said so, and for how many ticks it has been waited for.
    Open { said: u8, ticks: u8 },
    /// It is not waited for again.
    Over,
}

impl Claims {
    /// `peer` has said what it holds.
    pub(super) fn heard(&mut self, peer: Index, claims: bool) {
        match self.0.get_mut(&peer) {
            Some(Claim::Open { said, .. }) if claims && *said < MOST_CLAIMS => *said += 1,
            Some(claim) => *claim = Claim::Over,
            None if claims => drop(self.0.insert(peer, Claim::Open { said: 1, ticks: 0 })),
            None => {}
        }
    }

    /// `peer` has gone.
    pub(super) fn left(&mut self, peer: Index) {
        if let Some(claim) = self.0.get_mut(&peer) {
            *claim = Claim::Over;
        }
    }

    /// A tick of the exchange has passed.
    pub(super) fn tick(&mut self) {
        for claim in self.0.values_mut() {
            match claim {
                Claim::Open { ticks, .. } if *ticks < MOST_TICKS => *ticks += 1,
                _ => *claim = Claim::Over,
            }
        }
    }

    /// Whether `peer` is waited for to show what it says that it holds.
    pub(super) fn is_open_for(&self, peer: Index) -> bool {
        matches!(self.0.get(&peer), Some(Claim::Open { .. }))
    }

    /// Whether any peer is.
    pub(super) fn is_open(&self) -> bool {
        self.0.values().any(|claim| matches!(claim, Claim::Open { .. }))
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

    /// Whether the log would lack an own statement of this content. Where this operator has
    /// prepared, another content in a slot that is filled is nothing that it lacks.
    fn lacks(&self, round: Round, digest: &Digest) -> bool {
        let held = Self::holds(&self.inbox, &self.recalled, round, self.seat.me);
        !held.contains(digest) && (held.is_empty() || !self.is_prepared())
    }

    /// Whether this is an own statement that the log lacks.
    pub(super) fn lacks_own(&self, statement: &Statement) -> bool {
        let envelope = &statement.envelope;
        // A log that held an abandonment would not have started.
        envelope.sender == self.seat.me
            && match envelope.kind {
                Kind::Abandon => true,
                // Who has prepared takes them from others, like all that comes after.
                Kind::Minima => {
                    let mut held = self.inbox.minima_of(self.seat.me).iter();
                    !self.is_prepared() && !held.any(|held| held.digest() == statement.digest())
                }
                // It comes after the final, which shows the same, and adds to what others hold.
                Kind::Without => false,
                _ => self.lacks(envelope.round, &statement.digest()),
            }
    }

    /// Takes an own statement that the log lacks as if this operator had made it now, if it has
    /// prepared: what it would make has the same content, and its share is stored. Whether the
    /// statement holds is looked at like those of others.
    pub(super) fn adopt(&mut self, statement: &Statement) -> Option<Record> {
        let envelope = &statement.envelope;
        let prepare = self.own_prepare().filter(|_| self.is_prepared())?;
        let fits = prepare.envelope.session == envelope.session
            && envelope.sender == self.seat.me
            && is_ordinary(statement, envelope.round)
            && envelope.round > Round::Prepare
            && Self::holds(&self.inbox, &self.recalled, envelope.round, self.seat.me).is_empty();
        fits.then(|| {
            self.recalled.insert(envelope.round, statement.clone());
            Record::statement(statement)
        })
    }

    /// Whether somebody who holds `theirs` says that it holds an own statement that the log lacks.
    pub(super) fn is_claimed(&self, theirs: &Have) -> bool {
        let claimed = |round| {
            let theirs = theirs.slot(&self.shape, round, self.seat.me);
            theirs.is_some_and(|digest| self.lacks(round, &digest))
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
