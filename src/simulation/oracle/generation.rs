//! What must hold of a reshare besides: stops, minima and keys.

use crate::message::envelope::{Kind, Round};
use crate::protocol::participant::Participant;
use crate::simulation::disk::Outputs;
use crate::simulation::home::Home;
use crate::spec::threshold::Index;

use super::{Oracle, Watch};

impl Watch {
    /// The shares that an honest operator held before leave no machine either.
    pub fn old_shares(&mut self, home: &Home) {
        if let Some(shares) = &home.old_shares
            && !self.masked.contains(&home.seat.me)
        {
            self.canaries.watch_shares(shares);
        }
    }

    fn is_honest(&self, who: &Index) -> bool {
        !self.faulty.contains(who)
    }

    /// A dealer or a witness is about to commit: its person has stopped the old keys, and everybody
    /// honest who only receives has committed.
    pub(super) fn has_stopped(&mut self, home: &Home) {
        let (me, parts) = (home.seat.me, self.shape.parts);
        if !self.shape.stops().contains(me) {
            return;
        }
        if !self.words.contains_key(&me) {
            let what = format!("operator {me} says that it has stopped, and nobody has told it so");
            self.violation(Oracle::Stop, what);
        }
        let committed = |seat: Index| {
            self.statements.values().any(|statement| {
                let envelope = &statement.envelope;
                let place = (envelope.kind, envelope.round, envelope.sender);
                place == (Kind::Ordinary, Round::Commit, seat)
            })
        };
        let stops = self.shape.stops();
        let pure = parts.receivers.iter().filter(|seat| !stops.contains(*seat));
        let early: Vec<Index> =
            pure.filter(|seat| self.is_honest(seat) && !committed(*seat)).collect();
        if !early.is_empty() {
            let what = format!("operator {me} stops, and {early:?} have not committed");
            self.violation(Oracle::Stop, what);
        }
    }

    /// A commit leaves the machine of an honest operator: if it deals or witnesses, what its old
    /// keys have signed is on its disk.
    pub(super) fn commit_leaves(&mut self, home: &Home) {
        let me = home.seat.me;
        if self.shape.stops().contains(me) && !home.has_noted_minima() {
            let what = format!("operator {me} commits, and its minima are not on its disk");
            self.violation(Oracle::Durability, what);
        }
    }

    /// Outputs of a reshare that an operator is about to write.
    pub(super) fn writes_of_a_reshare(
        &mut self,
        me: Index,
        participant: &Participant,
        outputs: &Outputs,
    ) {
        let Some(parent) = &self.cast.parent else { return };
        let keys = outputs.validators.iter().map(|validator| validator.public_key);
        if !keys.eq(parent.keys.iter().copied()) {
            self.violation(Oracle::Keys, format!("operator {me} writes other keys"));
        }
        for dealer in self.shape.stops().iter() {
            let counted = participant.signed_last(dealer);
            let first = self.words.get(&dealer).and_then(|words| words.first()).cloned();
            match (counted, first) {
                (None, _) => {
                    let what = format!("operator {me} writes without the minima of {dealer}");
                    self.violation(Oracle::Minima, what);
                }
                (Some(_), None) if self.is_honest(&dealer) => {
                    let what = format!("operator {me} writes, and {dealer} has not stopped");
                    self.violation(Oracle::Stop, what);
                }
                (Some(counted), Some(first))
                    if self.is_honest(&dealer) && counted.joined(&first) != counted =>
                {
                    let what = format!("operator {me} counts less than {dealer}'s person said");
                    self.violation(Oracle::Minima, what);
                }
                _ => (),
            }
        }
    }
}
