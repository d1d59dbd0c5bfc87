//! Relaying statements and boxes through other operators. A box is sealed to its recipient and its
//! dealer has signed its digest, so any operator can pass it on. To withhold a box from its
//! recipient, a dealer must withhold it from all operators, and all of them see it.

use std::collections::BTreeSet;

use crate::message::body::Deal;
use crate::message::done::Done;
use crate::message::envelope::{Kind, Round, Statement};
use crate::message::share_box;
use crate::message::sync::{Frame, Have};
use crate::spec::threshold::Index;

use super::participant::Participant;

/// Boxes that this operator has asked for on behalf of others: dealer and recipient.
#[derive(Default)]
pub(super) struct Errands(BTreeSet<(Index, Index)>);

fn frame(statement: &Statement) -> Frame {
    Frame::Statement(statement.bytes().to_vec())
}

impl Participant {
    /// What this operator holds, for its peers.
    pub fn have(&self, help: bool) -> Have {
        let (shape, broken) = (&self.world.shape, self.is_broken());
        let slot = |(round, index)| {
            self.world.inbox.get(round, index).filter(|_| !broken).map(Statement::digest)
        };
        let slots = shape.slots().map(slot).collect();
        let boxes = shape.parts.dealers.iter().map(|dealer| self.has_box(dealer)).collect();
        let confirmed = self.world.seat.ceremony.indices();
        let confirmed = confirmed.map(|peer| self.confirmed.contains(&peer)).collect();
        let minima = |dealer| {
            let held = self.world.inbox.minima_of(dealer).iter().filter(|_| !broken);
            let mut held = held.map(Statement::digest);
            let first = held.next();
            // Where no more are taken, no place is free.
            let closed = first.filter(|_| self.counts_no_more_minima());
            [first, held.next().or(closed)]
        };
        let minima = shape.stops().iter().map(minima).collect();
        Have { help, slots, boxes, confirmed, minima }
    }

    /// Statements that a peer lacks, who holds `theirs`, and that this operator gives it: its own;
    /// with `theirs.help`, those of others too.
    pub fn missing_statements<'a>(
        &'a self,
        theirs: &'a Have,
    ) -> impl Iterator<Item = &'a Statement> {
        let (me, shape, broken) = (self.world.seat.me, &self.world.shape, self.is_broken());
        let inbox = &self.world.inbox;
        // What a commit waits for goes before it.
        inbox.minima().chain(inbox.statements()).filter(move |statement| {
            let envelope = &statement.envelope;
            let (round, sender) = (envelope.round, envelope.sender);
            let lacking = match envelope.kind {
                Kind::Minima => theirs.lacks_minima(shape, sender, &statement.digest()),
                _ => theirs.slot(shape, round, sender).is_none(),
            };
            !broken && (sender == me || theirs.help) && lacking
        })
    }

    /// Whether this operator has a box for `peer`, who holds `theirs` and lacks it.
    pub fn lacks_box(&self, peer: Index, theirs: &Have) -> bool {
        let lacks = theirs.lacks_box(&self.world.shape, self.world.seat.me);
        lacks && !self.is_broken() && self.world.sent.contains_key(&peer)
    }

    /// What `peer`, who holds `theirs`, lacks and this operator can give: statements, and its box
    /// for the peer.
    pub fn missing(&self, peer: Index, theirs: &Have) -> Vec<Frame> {
        let sealed = self.lacks_box(peer, theirs).then(|| self.box_for(peer)).flatten();
        self.missing_statements(theirs).map(frame).chain(sealed).collect()
    }

    /// Everything that `peer` should be sent: what it is missing, and what is disputed.
    pub fn lacking(&self, peer: Index, theirs: &Have) -> Vec<Frame> {
        let agreed: Vec<Frame> = self.withouts_for(theirs).map(frame).collect();
        [self.missing(peer, theirs), self.disputed(theirs), agreed].concat()
    }

    /// Statements that differ from the one that a peer says it holds in the same slot, and those of
    /// a slot of the last round that nothing fills here and several are held for: a have names none
    /// of them. They prove something, and a have names at most one of a slot, so a peer may have
    /// them already: they are not given at every turn.
    pub fn disputed(&self, theirs: &Have) -> Vec<Frame> {
        self.disputed_statements(theirs).map(frame).collect()
    }

    /// As [`Self::disputed`], without a copy.
    pub fn disputed_statements<'a>(
        &'a self,
        theirs: &'a Have,
    ) -> impl Iterator<Item = &'a Statement> {
        let broken = self.is_broken();
        self.world.inbox.everything().filter(move |statement| {
            let envelope = &statement.envelope;
            let (kind, round, sender) = (envelope.kind, envelope.round, envelope.sender);
            let slot = theirs.slot(&self.world.shape, round, sender);
            let differs = match slot {
                Some(held) => held != statement.digest(),
                None => self.is_unfilled_conflict(round, sender),
            };
            !broken && !matches!(kind, Kind::Abandon | Kind::Minima) && differs
        })
    }

    /// What a peer, who holds `theirs`, may lack of the words with which operators finish without
    /// others. A have lists none of them: they are given at some intervals, as long as it lacks a
    /// slot. That it has finished once says nothing: its log may have been put back since.
    pub fn withouts_for(&self, theirs: &Have) -> impl Iterator<Item = &Statement> {
        let done = self.is_broken() || theirs.is_complete(&self.world.shape);
        self.world.inbox.withouts().filter(move |_| !done)
    }

    /// Whether several statements are held for this slot and none counts: of the last round, of
    /// which none counts before it has passed all checks.
    fn is_unfilled_conflict(&self, round: Round, sender: Index) -> bool {
        let inbox = &self.world.inbox;
        inbox.get(round, sender).is_none() && inbox.all(round, sender).nth(1).is_some()
    }

    /// Who has finished, this operator among them, of whom `peer`, who holds `theirs`, has not
    /// noted it; if their signed words are here.
    pub fn finished_unknown_to(&self, peer: Index, theirs: &Have) -> Vec<Index> {
        let me = self.world.seat.me;
        let own =
            (self.is_finished() && self.world.seat.ceremony.version().is_current()).then_some(me);
        let all = self.dones.keys().copied().chain(own);
        let unknown = |who: &Index| theirs.confirmed.get(who.position()) == Some(&false);
        all.filter(|who| *who != peer && unknown(who)).collect()
    }

    /// The signed word of `who` that it has finished, if it is here.
    pub fn done_of(&self, who: Index) -> Option<Done> {
        match who == self.world.seat.me {
            true => self.done(),
            false => self.dones.get(&who).cloned(),
        }
    }

    /// This operator's word that it has finished, once it has. There is none in version 1.
    pub fn done(&self) -> Option<Done> {
        let outcome = self.outcome().filter(|_| self.is_finished())?;
        let (seat, ceremony) = (&self.world.seat, &self.world.seat.ceremony);
        let signed = || Done::sign(seat.operator.key(), seat.me, ceremony, outcome.certificate);
        ceremony.version().is_current().then(signed)
    }

    /// This operator's box for `recipient`, once it has dealt.
    pub fn box_for(&self, recipient: Index) -> Option<Frame> {
        let sealed = self.world.sent.get(&recipient).filter(|_| !self.is_broken())?.clone();
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
        let place = self.world.shape.place_of_box(dealer, recipient)?;
        let deal = self.world.inbox.get(Round::Deal, dealer)?;
        Deal::signed_box_digest(deal, &self.world.shape, place)
    }
}
