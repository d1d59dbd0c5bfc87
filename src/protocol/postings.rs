//! What an operator shows on a board: its own statements, and those of others that it holds.

use crate::message::envelope::{Kind, Round, Statement};
use crate::message::posting::Posting;
use crate::spec::threshold::Index;

use super::participant::Participant;

impl Participant {
    /// Everything that this operator gives to whoever reads a board: its own statements first, its
    /// deal with the boxes as long as they are kept, then what it holds of others. None of a
    /// participant that failed within a step: its log may lack what is here.
    pub fn postings(&self) -> Vec<Posting> {
        if self.is_broken() {
            return Vec::new();
        }
        let (me, inbox) = (self.world.seat.me, &self.world.inbox);
        // Minima that do not decode are evidence, and passed on to nobody.
        let in_slots = inbox.everything().filter(|held| held.envelope.kind != Kind::Minima);
        let is_own = |held: &&Statement| held.envelope.sender == me;
        let (own, others): (Vec<&Statement>, Vec<&Statement>) =
            inbox.minima().chain(in_slots).chain(inbox.withouts()).partition(is_own);
        own.into_iter().chain(others).map(|held| self.posting(held)).collect()
    }

    fn posting(&self, held: &Statement) -> Posting {
        let (me, shape) = (self.world.seat.me, &self.world.shape);
        let deal = (held.envelope.sender, held.envelope.round) == (me, Round::Deal)
            && self.world.inbox.get(Round::Deal, me) == Some(held);
        if !deal {
            return Posting::of(held.clone());
        }
        let boxes = shape.recipients_of(me).iter();
        let boxes = boxes.filter_map(|recipient| self.world.sent.get(&recipient).cloned());
        Posting::with_boxes(held.clone(), boxes.collect(), shape)
    }

    /// Whether the box of `dealer` is still needed here.
    pub fn waits_for_box(&self, dealer: Index) -> bool {
        dealer != self.world.seat.me && !self.has_box(dealer)
    }

    /// Whether this statement is held, by content.
    pub fn holds(&self, statement: &Statement) -> bool {
        let digest = statement.digest();
        let inbox = &self.world.inbox;
        inbox.everything().chain(inbox.withouts()).any(|held| held.digest() == digest)
    }
}
