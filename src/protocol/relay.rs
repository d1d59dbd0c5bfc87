//! Relaying statements and boxes through other operators. A box is sealed to its recipient and its
//! dealer has signed its digest, so any operator can pass it on. To withhold a box from its
//! recipient, a dealer must withhold it from all operators, and all of them see it.

use std::collections::BTreeSet;

use crate::message::envelope::{Kind, Round, Statement};
use crate::message::share_box;
use crate::message::sync::{Frame, Have};
use crate::spec::threshold::Index;

use super::participant::Participant;
use super::world::position_without;

/// Boxes that this operator has asked for on behalf of others: dealer and recipient.
#[derive(Default)]
pub(super) struct Errands(BTreeSet<(Index, Index)>);

fn frame(statement: &Statement) -> Frame {
    Frame::Statement(statement.bytes().to_vec())
}

impl Participant {
    /// What this operator holds, for its peers.
    pub fn have(&self, help: bool) -> Have {
        let slot = |round, index| self.world.inbox.get(round, index).map(Statement::digest);
        let indices: Vec<Index> = self.world.seat.ceremony.indices().collect();
        let slots = Round::ALL
            .into_iter()
            .flat_map(|round| indices.iter().map(move |index| slot(round, *index)))
            .collect();
        let boxes = indices.iter().map(|dealer| self.has_box(*dealer)).collect();
        let confirmed = indices.iter().map(|peer| self.confirmed.contains(peer)).collect();
        Have { help, slots, boxes, confirmed }
    }

    /// What `peer`, who holds `theirs`, lacks and this operator can give: its own statements and
    /// its box for the peer; with `theirs.help`, statements of others too.
    pub fn missing(&self, peer: Index, theirs: &Have) -> Vec<Frame> {
        let (me, shape) = (self.world.seat.me, &self.world.shape);
        let lacks = |statement: &&Statement| {
            let (round, sender) = (statement.envelope.round, statement.envelope.sender);
            theirs.slot(shape, round, sender).is_none() && (sender == me || theirs.help)
        };
        let mut frames: Vec<Frame> =
            self.world.inbox.statements().filter(lacks).map(frame).collect();
        if theirs.boxes.get(me.position()) == Some(&false) {
            frames.extend(self.box_for(peer));
        }
        frames
    }

    /// Everything that `peer` should be sent: what it is missing, and what is disputed.
    pub fn lacking(&self, peer: Index, theirs: &Have) -> Vec<Frame> {
        [self.missing(peer, theirs), self.disputed(theirs)].concat()
    }

    /// Statements that differ from the one that a peer says it holds in the same slot. They prove
    /// something, and a have names only one of a slot, so a peer may have them already: once for
    /// each connection is enough.
    pub fn disputed(&self, theirs: &Have) -> Vec<Frame> {
        let differs = |statement: &&Statement| {
            let (kind, round, sender) =
                (statement.envelope.kind, statement.envelope.round, statement.envelope.sender);
            let held =
                theirs.slot(&self.world.shape, round, sender).filter(|_| kind != Kind::Abandon);
            held.is_some_and(|held| held != statement.digest())
        };
        self.world.inbox.everything().filter(differs).map(frame).collect()
    }

    /// This operator's box for `recipient`, once it has dealt.
    pub fn box_for(&self, recipient: Index) -> Option<Frame> {
        let sealed = self.world.sent.get(&recipient)?.clone();
        Some(Frame::ShareBox { dealer: self.world.seat.me, recipient, sealed })
    }

    /// What an operator that waits in vain asks of everybody: the boxes that it lacks.
    pub fn wants(&self) -> Vec<Frame> {
        let recipient = self.world.seat.me;
        self.waiting().boxes.into_iter().map(|dealer| Frame::Want { dealer, recipient }).collect()
    }

    /// `from` wants the box of `dealer` for `recipient`: what to send to whom. A dealer answers
    /// whoever asks; others ask the dealer, for the recipient alone.
    pub fn on_want(
        &mut self,
        from: Index,
        dealer: Index,
        recipient: Index,
    ) -> Option<(Index, Frame)> {
        if dealer == self.world.seat.me {
            return Some((from, self.box_for(recipient)?));
        }
        let sensible = from == recipient && dealer != recipient;
        sensible.then(|| {
            self.errands.0.insert((dealer, recipient));
            (dealer, Frame::Want { dealer, recipient })
        })
    }

    /// A box for another operator came: to be sent on if that operator asked for it and the dealer
    /// has signed it.
    pub fn on_foreign_box(
        &mut self,
        dealer: Index,
        recipient: Index,
        sealed: Vec<u8>,
    ) -> Option<(Index, Frame)> {
        let signed = self.signed_box_digest(dealer, recipient)?;
        let asked =
            signed == share_box::digest(&sealed) && self.errands.0.remove(&(dealer, recipient));
        asked.then_some((recipient, Frame::ShareBox { dealer, recipient, sealed }))
    }

    /// The digest that a dealer has signed for its box for `recipient`.
    pub(super) fn signed_box_digest(
        &self,
        dealer: Index,
        recipient: Index,
    ) -> Option<crate::primitives::hash::Digest> {
        let deal = self.world.inbox.get(Round::Deal, dealer).filter(|_| dealer != recipient)?;
        super::deal::signed_box_digest(deal, &self.world.shape, position_without(dealer, recipient))
    }
}
