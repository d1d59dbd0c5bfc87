//! What stays of an operator's machine when its program ends: the disk, the notes, and what stands
//! beside the log.

use std::sync::Arc;

use crate::message::envelope::{Kind, Round, Statement};
use crate::protocol::child::Child;
use crate::protocol::participant::OwnSeat;
use crate::protocol::record::RecordKind;
use crate::spec::threshold::Index;

use super::bug::Bug;
use super::disk::{Disk, Trouble};
use super::notes::Notes;

/// What stays when the program ends.
pub struct Home {
    /// Whose it is.
    pub seat: OwnSeat,
    /// The disk.
    pub disk: Disk,
    /// A planted mistake.
    pub bug: Option<Bug>,
    /// Of an operator that had shares before: these, by validator.
    pub old_shares: Option<Vec<[u8; 32]>>,
    /// The operator's notes, where it takes part in another reshare too.
    pub notes: Option<Notes>,
    /// Whether they bind it to nothing.
    pub ignores_notes: bool,
    /// Own statements that others hold and the log lacks.
    pub(super) elsewhere: Vec<Statement>,
    /// The transcript among the outputs.
    pub(super) transcript: Vec<Statement>,
    pub(super) staged: bool,
    pub(super) reread: Option<Arc<[u8]>>,
}

impl Home {
    /// A home in which nothing has happened.
    pub fn new(seat: OwnSeat, disk: Disk) -> Self {
        Self {
            seat,
            disk,
            bug: None,
            old_shares: None,
            notes: None,
            ignores_notes: false,
            elsewhere: Vec::new(),
            transcript: Vec::new(),
            staged: false,
            reread: None,
        }
    }

    /// The bytes of the shares as this run read them back.
    pub fn reread(&self) -> Option<&Arc<[u8]>> {
        self.reread.as_ref()
    }

    /// Records that say nothing on their own, for the oracles.
    pub fn holds_shares(&self) -> Option<&Arc<[u8]>> {
        self.disk.durable(RecordKind::Shares).next()
    }

    /// What a planted mistake gives away, and everybody is watched for.
    pub(super) fn old_shares(&self) -> Option<&[[u8; 32]]> {
        self.old_shares.as_deref()
    }

    /// The statements of the transcript among the outputs.
    pub fn written(&self) -> &[Statement] {
        &self.transcript
    }

    /// Whether this seat gets shares.
    pub fn receives(&self) -> bool {
        self.seat.ceremony.parts().receivers.contains(self.seat.me)
    }

    /// Whether this operator's minima are on its disk.
    pub fn has_noted_minima(&self) -> bool {
        let own = |body: &[u8]| {
            Statement::open(body, &self.seat.ceremony).is_ok_and(|held| {
                held.envelope.kind == Kind::Minima && held.envelope.sender == self.seat.me
            })
        };
        self.disk.durable(RecordKind::Statement).any(|body| own(body))
    }

    /// Whether a statement of this operator for this round is on its disk.
    pub fn has_noted_own(&self, round: Round) -> bool {
        self.has_noted_of(self.seat.me, round)
    }

    /// Whether a statement of `who` for this round is on its disk.
    pub fn has_noted_of(&self, who: Index, round: Round) -> bool {
        let who = who.get().to_be_bytes();
        let place = [Kind::Ordinary as u8, round.number(), who[0], who[1]];
        let mut bodies = self.disk.durable(RecordKind::Statement);
        bodies.any(|body| body.get(6..10) == Some(&place[..]))
    }

    /// Whether this operator's abandonment is on its disk, also where power failed before anybody
    /// heard it.
    pub fn has_abandoned(&self) -> bool {
        let me = self.seat.me.get().to_be_bytes();
        let is_own = |body: &[u8]| {
            body.get(6) == Some(&(Kind::Abandon as u8)) && body.get(8..10) == Some(&me[..])
        };
        self.disk.durable(RecordKind::Statement).any(|body| is_own(body))
    }

    /// Whether this operator's statement with these bytes is on its disk.
    pub fn has_noted(&self, statement: &[u8]) -> bool {
        self.disk.durable(RecordKind::Statement).any(|body| **body == *statement)
    }

    /// Whether a statement of this content is on its disk, with whatever signature.
    pub fn has_noted_content(&self, statement: &Statement) -> bool {
        let content = |bytes: &[u8]| {
            Statement::open(bytes, &self.seat.ceremony).is_ok_and(|held| {
                (held.envelope.round, held.digest())
                    == (statement.envelope.round, statement.digest())
            })
        };
        self.disk.durable(RecordKind::Statement).any(|body| content(body))
    }

    /// What its log says, for its other reshares.
    pub fn mirror(&self) {
        if let Some(notes) = &self.notes {
            notes.log(&self.seat, self.disk.durable(RecordKind::Statement).cloned().collect());
        }
    }

    /// Whether it may take part in this reshare, as far as its notes and logs go.
    pub(super) fn check_only(&self) -> Result<(), Trouble> {
        let Some((notes, own)) = self.notes.as_ref().zip(Child::of(&self.seat.ceremony)) else {
            return Ok(());
        };
        let free = self.ignores_notes || self.bug == Some(Bug::ForgetsNotes);
        if free || !notes.refuses(&own) { Ok(()) } else { Err(Trouble::OtherChild) }
    }

    /// Notes, durably, that it commits to this reshare and to no other one.
    pub(super) fn note(&mut self) -> Result<(), Trouble> {
        self.check_only()?;
        if let Some((notes, own)) = self.notes.as_ref().zip(Child::of(&self.seat.ceremony)) {
            self.disk.moment()?;
            notes.write(own);
            self.disk.moment()?;
        }
        Ok(())
    }

    pub(super) fn others(&self) -> impl Iterator<Item = Index> + '_ {
        self.seat.ceremony.indices().filter(|index| *index != self.seat.me)
    }
}
