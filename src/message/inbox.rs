//! One inbox for the whole ceremony: a slot for each (round, sender). The first statement of a slot wins, the same bytes again are
//! nothing new, and different bytes are kept as evidence of equivocation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::envelope::{Reject, Round, Statement};

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The slot was empty.
    New,
    /// Already here.
    Same,
    /// The slot held another statement; both are kept.
    Conflict,
    /// The slot already holds two different statements; this one adds nothing.
    Surplus,
}

/// Two different statements that one operator signed for one slot (evidence class E1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The one that came first.
    pub first: Statement,
    /// The other.
    pub second: Statement,
}

/// All statements of a ceremony that were believed, and the conflicting ones.
pub struct Inbox {
    ceremony: Arc<Ceremony>,
    session: Option<Digest>,
    slots: BTreeMap<(Round, Index), Statement>,
    conflicts: BTreeMap<(Round, Index), Conflict>,
}

impl Inbox {
    /// An empty inbox.
    pub fn new(ceremony: Arc<Ceremony>) -> Self {
        Self { ceremony, session: None, slots: BTreeMap::new(), conflicts: BTreeMap::new() }
    }

    /// Opens and files a statement. At most two are kept for each slot, whatever a peer sends.
    pub fn accept(&mut self, bytes: &[u8]) -> Result<(Arrival, Statement), Reject> {
        let statement = Statement::open(bytes, &self.ceremony)?;
        let expected = match statement.envelope.round {
            Round::Hello => self.ceremony.digest(),
            _ => self.session.ok_or(Reject::Early)?,
        };
        if statement.envelope.session != expected {
            return Err(Reject::ForeignSession);
        }
        Ok((self.file(statement.clone()), statement))
    }

    fn file(&mut self, statement: Statement) -> Arrival {
        let slot = (statement.envelope.round, statement.envelope.sender);
        match self.slots.get(&slot) {
            None => {
                self.slots.insert(slot, statement);
                Arrival::New
            }
            // A second signature on the same content is a conflict too: digests cover it, so it would split the views.
            Some(first) if first.bytes() == statement.bytes() => Arrival::Same,
            Some(_) if self.conflicts.contains_key(&slot) => Arrival::Surplus,
            Some(first) => {
                self.conflicts.insert(slot, Conflict { first: first.clone(), second: statement });
                Arrival::Conflict
            }
        }
    }

    /// From now on, statements of later rounds are accepted if they are of this session.
    pub fn set_session(&mut self, session: Digest) {
        self.session = Some(session);
    }

    /// The session, once every hello is here.
    pub fn session(&self) -> Option<Digest> {
        self.session
    }

    /// The statement in a slot.
    pub fn get(&self, round: Round, sender: Index) -> Option<&Statement> {
        self.slots.get(&(round, sender))
    }

    /// All statements of a round by index, if they are all here.
    pub fn complete(&self, round: Round) -> Option<Vec<Statement>> {
        self.ceremony.indices().map(|index| self.get(round, index).cloned()).collect()
    }

    /// Who is awaited in a round.
    pub fn missing(&self, round: Round) -> Vec<Index> {
        self.ceremony.indices().filter(|index| self.get(round, *index).is_none()).collect()
    }

    /// Proofs of equivocation so far.
    pub fn conflicts(&self) -> impl Iterator<Item = &Conflict> {
        self.conflicts.values()
    }

    /// Every statement, in order of rounds and senders.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.slots.values()
    }
}

/// Digests of statements, in their order.
pub fn digests(statements: &[Statement]) -> Vec<Digest> {
    statements.iter().map(Statement::digest).collect()
}
