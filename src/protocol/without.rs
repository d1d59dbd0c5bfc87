//! Finishing a reshare without seats that are lost: after its own final, each operator that is left
//! signs without whom it does.

use std::collections::BTreeMap;

use crate::message::envelope::{Reject, Round, Statement};
use crate::message::without::{Without, enough, left_out};
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::participant::Participant;
use super::record::Record;
use super::stage::Stage;
use super::step::{Refused, Step};
use super::world::World;

impl World {
    /// Whose final is here and has passed all checks.
    fn finals(&self) -> Seats {
        let last = self.shape.last_round();
        let all = self.shape.speakers(last).iter();
        all.filter(|seat| self.inbox.get(last, *seat).is_some()).collect()
    }

    /// The seats without which the reshare is finished, by what is here and with this operator's
    /// own word; `None` if it is not.
    pub(super) fn left_out(&self) -> Option<Seats> {
        let spec = self.seat.ceremony.reshare()?;
        let everybody = self.seat.ceremony.indices();
        let said: BTreeMap<Index, Seats> =
            everybody.map(|seat| (seat, self.inbox.does_without(seat))).collect();
        let lost = left_out(&self.shape, self.finals(), &said)?;
        let holds = !lost.contains(self.seat.me) && enough(spec, &self.shape, lost).is_ok();
        holds.then_some(lost)
    }
}

impl Participant {
    /// Who had not signed when this operator finished without it; empty if all had, and of one that
    /// has not finished.
    pub fn finished_without(&self) -> Seats {
        match self.stage() {
            Some(Stage::Finished(stage)) => stage.without,
            _ => Seats::default(),
        }
    }

    /// Without whom `operator` has signed that it finishes.
    pub fn does_without(&self, operator: Index) -> Seats {
        self.world.inbox.does_without(operator)
    }

    /// Of whom the end of this operator's way still needs a final.
    pub(super) fn missing_at_the_end(&self) -> Vec<Index> {
        let lost = self.does_without(self.world.seat.me);
        let missing = self.world.inbox.missing(Round::Final).into_iter();
        missing.filter(|seat| !lost.contains(*seat)).collect()
    }

    /// Of whom it needs the word that it finishes without the same seats.
    pub(super) fn missing_agreement(&self) -> Vec<Index> {
        let (me, finals) = (self.world.seat.me, self.world.finals());
        let lost = self.does_without(me);
        let lacks = |seat: &Index| !lost.is_within(self.does_without(*seat));
        finals.minus(lost).without(me).iter().filter(lacks).collect()
    }

    /// Whether another operator's word is about what this one has computed.
    ///
    /// # Errors
    /// [`Reject::Early`] as long as this one has computed nothing. It is given again.
    pub(super) fn is_of_this_certificate(&self, statement: &Statement) -> Result<bool, Reject> {
        let own = self.outcome().ok_or(Reject::Early)?.certificate;
        let said = Without::of(statement, &self.world.shape);
        Ok(said.is_ok_and(|said| said.certificate == own))
    }

    /// Takes the words that stood beside the log, once there is what they are about.
    pub(super) fn take_words(&mut self, step: &mut Step) -> Result<(), Refused> {
        if self.outcome().is_none() {
            return Ok(());
        }
        for word in core::mem::take(&mut self.world.words) {
            // From one of another session, say, nothing follows.
            if let Err(Refused::Storage(error)) = self.take_into(word.bytes(), step) {
                return Err(Refused::Storage(error));
            }
        }
        Ok(())
    }

    /// What this operator would sign to finish without these seats, and without all that it has
    /// named before.
    ///
    /// # Errors
    /// It may not, or not yet.
    pub fn word_without(&self, lost: Seats) -> Result<Without, Refused> {
        let world = &self.world;
        let (me, shape) = (world.seat.me, &world.shape);
        let Some(spec) = world.seat.ceremony.reshare() else { return Err(Refused::NotAsked) };
        if lost.is_empty() || lost.contains(me) || !lost.is_within(Seats::first(shape.n)) {
            return Err(Refused::NotAsked);
        }
        let certificate = match self.stage() {
            Some(Stage::Finals(stage)) => stage.outcome.certificate,
            Some(Stage::Finished(_)) => return Err(Refused::NotAsked),
            _ => return Err(Refused::NotFinal),
        };
        let seats = lost.joined(world.inbox.does_without(me));
        enough(spec, shape, seats).map_err(Refused::TooFew)?;
        let missing = Seats::first(shape.n).minus(world.finals()).minus(seats);
        match missing.is_empty() {
            true => Ok(Without { certificate, seats }),
            false => Err(Refused::FinalsMissing(missing.iter().collect())),
        }
    }

    /// This operator finishes without these seats.
    pub(super) fn take_without(&mut self, lost: Seats) -> Result<Step, Refused> {
        let word = self.word_without(lost)?;
        let (world, mut step) = (&self.world, Step::default());
        let me = world.seat.me;
        if word.seats == world.inbox.does_without(me) {
            return Ok(step);
        }
        let session = world.inbox.session().ok_or(Refused::NotFinal)?;
        let statement = word.sign(world.seat.operator.key(), me, session, world.shape.n);
        step.persist.push(Record::statement(&statement));
        self.world.inbox.file(statement.clone());
        step.send.push(statement);
        self.advance(&mut step)?;
        Ok(step)
    }
}
