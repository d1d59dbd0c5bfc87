//! What must hold of a reshare or import that may be finished without seats that are lost: a final
//! binds, and when anybody finishes, too few are left to sign with what was there before.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::body::Final;
use crate::message::envelope::{Kind, Round, Statement};
use crate::message::inbox::digests;
use crate::message::without::Without;
use crate::protocol::participant::Participant;
use crate::simulation::disk::Outputs;
use crate::simulation::home::Home;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::{Oracle, Watch};

impl Watch {
    /// Who has said its final.
    fn bound(&self) -> BTreeSet<Index> {
        let finals = self.statements.iter().filter(|(digest, statement)| {
            let place = (statement.envelope.kind, statement.envelope.round);
            place == (Kind::Ordinary, Round::Final) && self.public.contains(digest)
        });
        finals.map(|(_, statement)| statement.envelope.sender).collect()
    }

    /// Whether these can finish without all others, as section 14.11 has it: dealers and witnesses
    /// among them are more than half of the parent's operators, and receivers are as many as sign.
    pub(in crate::simulation) fn enough_are_left(&self, left: Seats) -> Result<(), String> {
        let spec = self.cast.ceremony.reshare().ok_or("nobody is left out of this ceremony")?;
        let parts = self.shape.parts;
        let count = |of: Seats| left.iter().filter(|seat| of.contains(*seat)).count();
        let (dealers, witnesses) = (count(parts.dealers), count(parts.witnesses));
        let receivers = count(parts.receivers);
        match 2 * (dealers + witnesses) > spec.origin.holders() && receivers >= self.shape.t {
            true => Ok(()),
            false => Err(format!(
                "{dealers} dealers, {witnesses} witnesses and {receivers} receivers are left"
            )),
        }
    }

    /// Whether an operator has signed this, durably or for others to hear.
    pub fn has_signed(&self, home: &Home, statement: &Statement) -> bool {
        self.public.contains(&statement.digest()) || home.has_noted(statement.bytes())
    }

    /// An honest operator abandons: in a reshare, its old shares run again; in any ceremony, others
    /// may finish with its final.
    pub fn gives_up(&mut self, home: &Home) {
        let me = home.seat.me;
        if self.is_faulty(me) {
            return;
        }
        let own_final = |statement: &&Statement| {
            let envelope = &statement.envelope;
            let place = (envelope.kind, envelope.round, envelope.sender);
            place == (Kind::Ordinary, Round::Final, me)
        };
        let mut finals = self.statements.values().filter(own_final);
        if finals.any(|last| self.has_signed(home, last)) {
            let what = format!("operator {me} has signed its final, and abandons");
            self.violation(Oracle::Bound, what);
        }
    }

    /// An honest operator writes outputs: too few of the parent's operators are left that are not
    /// bound.
    pub(super) fn nobody_signs_with_old_shares(&mut self, me: Index, participant: &Participant) {
        let Some(spec) = self.cast.ceremony.reshare().filter(|_| self.shape.may_lack()) else {
            return;
        };
        let stops = self.shape.stops();
        let mut bound = self.bound();
        bound.extend(participant.has_said(Round::Final).then_some(me));
        let bound = bound.into_iter().filter(|seat| stops.contains(*seat)).count();
        let (holders, required) = (spec.origin.holders(), spec.origin.required());
        if holders - bound >= required {
            let what = format!(
                "operator {me} finishes, and {} of {holders} old operators are not bound",
                holders - bound
            );
            self.violation(Oracle::Bound, what);
        }
    }
}

/// Certificate 2, or what stands for it without seats that are lost: of everybody else the final
/// over the same commits, for these outputs; the word of each that it does without them; and enough
/// who are left.
pub(super) fn completes(
    participant: &Participant,
    outputs: &Outputs,
    watch: &Watch,
) -> Result<(), String> {
    let (inbox, shape) = (participant.inbox(), &watch.shape);
    let commits = inbox.complete(Round::Commit).ok_or("certificate 2 is not complete")?;
    let view = digests(&commits);
    let lost = participant.finished_without();
    let left = Seats::first(shape.n).minus(lost);
    for seat in left.iter().filter(|seat| shape.speaks(*seat, Round::Final)) {
        let statement = inbox.get(Round::Final, seat).ok_or("certificate 2 is not complete")?;
        let last =
            Final::decode(statement.body(), shape, seat).map_err(|error| error.to_string())?;
        if last.outputs != outputs.outputs || last.view != view {
            return Err(format!("the final of operator {seat} is of something else"));
        }
    }
    if lost.is_empty() {
        return Ok(());
    }
    let certificate = participant.outcome().map(|outcome| outcome.certificate);
    let mut words: BTreeMap<Index, Seats> = BTreeMap::new();
    for statement in inbox.withouts() {
        let Ok(word) = Without::of(statement, shape) else { continue };
        if Some(word.certificate) == certificate {
            let said = words.entry(statement.envelope.sender).or_default();
            *said = said.joined(word.seats);
        }
    }
    let agrees = |seat: &Index| {
        let said = words.get(seat).copied().unwrap_or_default();
        lost.iter().all(|one| said.contains(one))
    };
    if let Some(seat) = left.iter().find(|seat| !agrees(seat)) {
        return Err(format!("operator {seat} has not said that it does without {lost:?}"));
    }
    watch.enough_are_left(left).map_err(|few| format!("without {lost:?}, {few}"))
}
