//! What a peer gets that says what it holds: what it lacks, and what is disputed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::message::envelope::Statement;
use crate::message::sync::{Frame, Have};
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

use super::event::Outbox;
use super::{Exchange, Pace, Pacing};

/// What a peer was given lately.
#[derive(Default)]
pub(super) struct Answers {
    pace: Option<Pace>,
    /// Disputed statements that it was sent over the present connection, and when.
    offered: BTreeMap<Digest, Duration>,
}

impl Answers {
    pub(super) fn reconnected(&mut self) {
        self.offered.clear();
    }

    fn may_be_offered(&self, digest: &Digest, now: Duration, pacing: &Pacing) -> bool {
        let at = self.offered.get(digest);
        at.is_none_or(|at| now.saturating_sub(*at) >= pacing.offer_again)
    }

    fn take(&mut self, now: Duration, pacing: &Pacing) -> bool {
        let fresh = || Pace::new(pacing.answers_at_once, pacing.between_answers);
        self.pace.get_or_insert_with(fresh).take(now).is_ok()
    }
}

impl Exchange {
    /// Gives `peer` what it lacks, unless much is still on its way to it: it will say again what it
    /// lacks. Costs next to nothing until it is clear that something is sent.
    pub(super) fn answer(&mut self, peer: Index, have: &Have, out: &mut Outbox) {
        if !self.connected.contains(&peer) || out.queued(peer) > self.pacing.backlog {
            return;
        }
        let answers = self.answers.entry(peer).or_default();
        let missing = in_order(self.participant.missing_statements(have));
        let sealed = self.participant.lacks_box(peer, have);
        let disputed: Vec<(Digest, &Statement)> = self
            .participant
            .disputed_statements(have)
            .map(|statement| (statement.digest(), statement))
            .filter(|(digest, _)| answers.may_be_offered(digest, out.now, &self.pacing))
            .collect();
        let nothing = missing.is_empty() && !sealed && disputed.is_empty();
        if nothing || !answers.take(out.now, &self.pacing) {
            return;
        }
        // The rest follows when it asks again. A box goes behind the deal that names it.
        let frame = |statement: &Statement| Frame::Statement(statement.bytes().to_vec());
        for statement in missing {
            if out.queued(peer) > self.pacing.at_once {
                return;
            }
            out.send(peer, frame(statement));
        }
        if sealed && let Some(sealed) = self.participant.box_for(peer) {
            if out.queued(peer) > self.pacing.at_once {
                return;
            }
            out.send(peer, sealed);
        }
        for (digest, statement) in disputed {
            if out.queued(peer) > self.pacing.at_once {
                return;
            }
            answers.offered.insert(digest, out.now);
            out.send(peer, frame(statement));
        }
    }
}

/// Short statements first: a long one must not keep those back that others wait for.
fn in_order<'a>(statements: impl Iterator<Item = &'a Statement>) -> Vec<&'a Statement> {
    let mut statements: Vec<&Statement> = statements.collect();
    statements.sort_by_key(|statement| statement.bytes().len());
    statements
}
