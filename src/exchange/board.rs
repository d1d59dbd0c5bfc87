//! An exchange without peers: what its operator finds on a board, and what it leaves there.
//!
//! Whoever drives it gives it every file that it finds, own ones first, and again as long as
//! something new comes of it; then it writes the participant's postings where they are missing.

use crate::message::envelope::{Kind, Reject, Round};
use crate::message::posting::Posting;
use crate::protocol::evidence::Fault;
use crate::protocol::participant::{Input, Refused};

use super::{Exchange, Storage, Trouble};

/// What became of a file of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// It brought a statement or a box that was not held.
    New,
    /// Nothing in it was needed.
    Known,
    /// Nothing of it was taken now. What comes after it may change that: its session is not known
    /// yet, or nothing yet names it.
    NotNow,
}

impl Exchange {
    /// Takes what a file of a board holds. An error ends the run; what was written before it stays
    /// valid, and a new run continues from there.
    pub fn found<S: Storage>(
        &mut self,
        posting: &Posting,
        storage: &mut S,
    ) -> Result<Posted, Trouble<S::Error>> {
        let statement = &posting.statement;
        let mut became = Posted::Known;
        if !self.participant.holds(statement) {
            became = Posted::NotNow;
            let taken = self.give(Input::Statement(statement.bytes().to_vec()), storage)?;
            let held = self.participant.holds(statement);
            match taken {
                _ if held => became = Posted::New,
                // No later file makes it one of this session.
                Err(Refused::Reject(Reject::ForeignSession)) => became = Posted::Known,
                // Nor does one make a word add what it does not add now: what its operator does
                // without only grows, and there is one certificate.
                Ok(_) if statement.envelope.kind == Kind::Without => became = Posted::Known,
                _ => {}
            }
        }
        let (dealer, me) = (statement.envelope.sender, self.participant.seat().me);
        if statement.envelope.round == Round::Deal
            && let Some(sealed) = posting.box_for(&self.shape, me)
            && self.participant.waits_for_box(dealer)
        {
            let sealed = sealed.to_vec();
            drop(self.give(Input::ShareBox { dealer, sealed }, storage)?);
            if !self.participant.waits_for_box(dealer) {
                became = Posted::New;
            }
        }
        Ok(became)
    }

    /// The faults that were proven since the last call, but the one that stands in the way.
    pub fn proven(&mut self) -> Vec<Fault> {
        let standing = self.participant.fault().map(|fault| fault.rule.clone());
        let mut proven = core::mem::take(&mut self.untold);
        proven.retain(|fault| Some(&fault.rule) != standing.as_ref());
        proven
    }
}
