//! When a run is over: when an operator may leave, and what it does first when a fault stands in
//! the way.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::message::sync::Frame;
use crate::protocol::evidence::{Certainty, Fault, Rule};
use crate::protocol::put_back::PutBack;
use crate::spec::threshold::Index;

use super::event::Outbox;
use super::{Ending, Exchange, Notice, Storage, Trouble};

/// A fault that stands in the way.
pub(super) struct Standing {
    since: Duration,
    rule: Rule,
    /// Who has been told of it as it is now, and since when everybody who can be told has been.
    told: BTreeSet<Index>,
    told_at: Duration,
}

impl Exchange {
    /// Whether the run is over.
    pub(super) fn ending(&mut self, out: &mut Outbox) -> Option<Ending> {
        // One that stands in the way is told as that.
        let standing = self.participant.fault().map(|fault| &fault.rule);
        for proven in core::mem::take(&mut self.untold) {
            if standing != Some(&proven.rule) {
                out.tell(Notice::Proven(Box::new(proven)));
            }
        }
        if let Some(put_back) = self.participant.put_back().cloned() {
            return self.put_back(put_back, out);
        }
        if let Some(fault) = self.participant.fault().cloned() {
            return self.faulted(fault, out);
        }
        self.fault = None;
        if !self.participant.is_finished() {
            return None;
        }
        let unconfirmed = self.participant.unconfirmed();
        let parting = self.pacing.parting.min(self.pacing.linger);
        let written_at = *self.written_at.get_or_insert_with(|| {
            // A run of a finished ceremony again: a peer may have lost our word to a crash, and
            // waits for it.
            out.tell(Notice::Written { parting: unconfirmed.is_empty().then_some(parting) });
            out.now
        });
        if unconfirmed.is_empty() {
            let confirmed_at = *self.all_confirmed_at.get_or_insert(out.now);
            let others = self.participant.seat().ceremony.n() - 1;
            // One that this was finished without, and that is back, knows that, and may lack more.
            let served = self.participant.is_confirmed_by_all();
            let parted = self.acknowledged.len() == others && served
                || out.now.saturating_sub(confirmed_at) >= parting;
            return parted.then_some(Ending::Complete);
        }
        let patient = out.now.saturating_sub(written_at) < self.pacing.linger;
        (!patient).then_some(Ending::Written { unconfirmed })
    }

    /// With a fault in the way: tells everybody what proves it, stays a while so that they hear it
    /// and can answer, and ends.
    fn faulted(&mut self, fault: Fault, out: &mut Outbox) -> Option<Ending> {
        let now = out.now;
        let known = self.fault.take().filter(|standing| standing.rule == fault.rule);
        let mut standing = known.unwrap_or_else(|| {
            out.tell(Notice::Fault(Box::new(fault.clone())));
            Standing { since: now, rule: fault.rule.clone(), told: BTreeSet::new(), told_at: now }
        });
        for peer in self.connected.iter().filter(|peer| !standing.told.contains(peer)) {
            for statement in &fault.evidence {
                out.send(*peer, Frame::Statement(statement.bytes().to_vec()));
            }
            standing.told_at = now;
        }
        standing.told.extend(&self.connected);
        let everybody = standing.told.len() + 1 == self.shape.n;
        // Who still reads has it all, and who does not has left.
        let heard = everybody && self.connected.iter().all(|peer| out.queued(*peer) == 0);
        let past = |since: Duration, limit| now.saturating_sub(since) >= limit;
        let done = match fault.rule.certainty() {
            Certainty::Suspected => past(standing.since, self.pacing.doubt),
            Certainty::Proven | Certainty::Nobody => {
                past(standing.since, self.pacing.parting)
                    || (heard && past(standing.told_at, self.pacing.told))
            }
        };
        if done || (everybody && self.connected.is_empty()) {
            let prepared = self.participant.is_prepared();
            return Some(Ending::Fault { fault: Box::new(fault), prepared });
        }
        self.fault = Some(standing);
        None
    }

    /// The log was put back: stays a moment, so that it is heard what else others hold.
    fn put_back(&mut self, put_back: PutBack, out: &mut Outbox) -> Option<Ending> {
        if self.put_back_at.is_none() {
            out.tell(Notice::PutBack(put_back.clone()));
            // What came when the session was not yet known was not looked at.
            self.tell_have(true, out);
        }
        let since = *self.put_back_at.get_or_insert(out.now);
        let past = out.now.saturating_sub(since) >= self.pacing.told;
        (past || self.connected.is_empty()).then_some(Ending::PutBack(put_back))
    }

    /// Ends the run because the person stops it now.
    pub fn interrupt<S: Storage>(&self, storage: &mut S) -> Result<Ending, Trouble<S::Error>> {
        let participant = &self.participant;
        if let Some(put_back) = participant.put_back() {
            return Ok(Ending::PutBack(put_back.clone()));
        }
        if let Some(fault) = participant.fault() {
            storage.keep_everything(participant).map_err(Trouble::Storage)?;
            let prepared = participant.is_prepared();
            return Ok(Ending::Fault { fault: Box::new(fault.clone()), prepared });
        }
        if participant.is_finished() {
            return Ok(Ending::Written { unconfirmed: participant.unconfirmed() });
        }
        let waiting = participant.waiting();
        Ok(Ending::Interrupted { waiting: waiting.everybody(), stop: waiting.stop })
    }
}
