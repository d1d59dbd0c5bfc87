//! What a peer gets that says what it holds: what it lacks, and what is disputed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::message::envelope::{Round, Statement};
use crate::message::sync::{Frame, Have};
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

use super::event::Outbox;
use super::{Exchange, Pace, Pacing};

/// What a peer was given lately.
#[derive(Default)]
pub(super) struct Answers {
    pace: Option<Pace>,
    /// When it was last sent each statement over the present connection, and this operator's box.
    sent: BTreeMap<Given, Duration>,
}

/// What an answer consists of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Given {
    Statement(Digest),
    Box,
}

impl Answers {
    pub(super) fn reconnected(&mut self) {
        self.sent.clear();
    }

    fn may_be_offered(&self, digest: Digest, now: Duration, pacing: &Pacing) -> bool {
        let at = self.sent.get(&Given::Statement(digest));
        at.is_none_or(|at| now.saturating_sub(*at) >= pacing.offer_again)
    }

    fn take(&mut self, now: Duration, pacing: &Pacing) -> bool {
        let fresh = || Pace::new(pacing.answers_at_once, pacing.between_answers);
        self.pace.get_or_insert_with(fresh).take(now).is_ok()
    }

    /// What goes first: what was not sent yet, then what was sent longest ago. Of these the shorter
    /// one, so that a long one does not keep those back that others wait for. In this order
    /// everything has its turn, however little is sent at once and whatever of it the peer has no
    /// use for.
    fn rank(&self, given: Given, bytes: usize) -> (Option<Duration>, usize) {
        (self.sent.get(&given).copied(), bytes)
    }
}

impl Exchange {
    /// Gives `peer` what it lacks and what is disputed, unless much is still on its way to it: it
    /// will say again what it lacks. Costs next to nothing until it is clear that something is
    /// sent.
    pub(super) fn answer(&mut self, peer: Index, have: &Have, out: &mut Outbox) {
        if !self.connected.contains(&peer) || out.queued(peer) > self.pacing.backlog {
            return;
        }
        let answers = self.answers.entry(peer).or_default();
        let with_digest = |statement| (Statement::digest(statement), statement);
        let missing = self.participant.missing_statements(have).map(with_digest);
        let disputed = self.participant.disputed_statements(have).map(with_digest);
        let agreed = self.participant.withouts_for(have).map(with_digest);
        let disputed = disputed.chain(agreed);
        let disputed =
            disputed.filter(|(digest, _)| answers.may_be_offered(*digest, out.now, &self.pacing));
        let mut due: Vec<(Given, Option<&Statement>)> = missing
            .chain(disputed)
            .map(|(digest, statement)| (Given::Statement(digest), Some(statement)))
            .collect();
        let sealed = self.participant.lacks_box(peer, have);
        due.extend(sealed.then_some((Given::Box, None)));
        // Those who have finished may have no channel to it.
        let finished = self.participant.finished_unknown_to(peer, have);
        if (due.is_empty() && finished.is_empty()) || !answers.take(out.now, &self.pacing) {
            return;
        }
        for done in finished.into_iter().filter_map(|who| self.participant.done_of(who)) {
            out.send(peer, Frame::Done(done));
        }
        let (me, bytes_of_box) = (self.participant.seat().me, self.shape.box_bytes());
        due.sort_by_key(|(given, statement)| {
            let bytes = statement.map_or(bytes_of_box, |statement| statement.bytes().len());
            answers.rank(*given, bytes)
        });
        // A box goes behind the deal that names it, the first time.
        let own_deal = |(given, statement): &(Given, Option<&Statement>)| {
            let place = statement.map(|own| (own.envelope.sender, own.envelope.round));
            place == Some((me, Round::Deal)) && !answers.sent.contains_key(given)
        };
        let boxed = due.iter().position(|(given, _)| *given == Given::Box);
        if let Some((from, to)) = boxed.zip(due.iter().position(own_deal))
            && from < to
        {
            due[from..=to].rotate_left(1);
        }
        // The rest follows when it asks again.
        for (given, statement) in due {
            if out.queued(peer) > self.pacing.at_once {
                return;
            }
            let frame = match statement {
                Some(statement) => Some(Frame::Statement(statement.bytes().to_vec())),
                None => self.participant.box_for(peer),
            };
            let Some(frame) = frame else { continue };
            answers.sent.insert(given, out.now);
            out.send(peer, frame);
        }
    }
}
