//! A participant: a function of the ceremony, the operator's keys, fresh entropy and the statements
//! received. It opens no file and no socket: every call returns what to write, what to erase, what
//! to send and what to do.
//!
//! The driver's duty, in this order for each [`Step`]: write and sync `persist`; erase `erase`;
//! send `send`; answer `asks`.

mod abandon;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use crate::message::done::Done;
use crate::message::envelope::{Kind, Reject, Round};
use crate::message::inbox::{Arrival, Inbox};
use crate::message::share_box;
use crate::message::sync::Have;
use crate::spec::threshold::Index;

use super::evidence::{Certainty, Fault};
use super::hello::AwaitHellos;
use super::put_back::{Claims, PutBack};
use super::record::{Record, RecordKind, ReplayError};
use super::relay::Errands;
use super::stage::Stage;
use super::world::{Advance, Stop, Vault, World};

pub use super::seat::OwnSeat;
pub use super::step::{Ask, Entropy, Input, Refused, Step};
pub use super::waiting::Waiting;

/// The next stage; or the same one, and what is wrong with the log if the answer was asked for.
type Answered = Result<Stage, (Stage, Option<ReplayError>)>;

/// One operator's side of a ceremony.
pub struct Participant {
    pub(super) world: World,
    /// `None` while a stage is being left, and for good if that came to no end: such a participant
    /// takes nothing and gives nothing.
    stage: Option<Stage>,
    /// What keeps an operator that has prepared from going on, until a certificate comes.
    stalled: Option<Box<Fault>>,
    pub(super) confirmed: BTreeSet<Index>,
    /// The signed words of others that they have finished.
    pub(super) dones: BTreeMap<Index, Done>,
    pub(super) errands: Errands,
    claims: Claims,
}

impl Participant {
    pub(super) fn new(seat: OwnSeat) -> Self {
        let inbox = Inbox::new(seat.ceremony.clone());
        let shape = seat.shape();
        let world = World {
            seat,
            shape,
            inbox,
            vault: Vault::default(),
            received: BTreeMap::new(),
            sent: BTreeMap::new(),
            recalled: BTreeMap::new(),
            put_back: PutBack::default(),
            early: Vec::new(),
            words: Vec::new(),
        };
        Self {
            world,
            stage: Some(Stage::Hellos(AwaitHellos)),
            stalled: None,
            confirmed: BTreeSet::new(),
            dones: BTreeMap::new(),
            errands: Errands::default(),
            claims: Claims::default(),
        }
    }

    /// Takes an input. The step is empty if nothing follows from it.
    pub fn handle(&mut self, input: Input) -> Result<Step, Refused> {
        match &self.stage {
            None => return Err(Refused::Broken),
            Some(_) if self.put_back().is_some() => {
                return match input {
                    Input::Statement(bytes) => self.take_own(&bytes),
                    _ => Err(Refused::PutBack),
                };
            }
            // An abort keeps listening: a second statement may turn a suspicion into evidence.
            Some(Stage::Stopped(_)) => {
                return match input {
                    Input::Statement(bytes) => self.take_statement(&bytes),
                    _ => Err(Refused::Stopped),
                };
            }
            Some(_) => {}
        }
        match input {
            Input::Statement(bytes) => self.take_statement(&bytes),
            Input::ShareBox { dealer, sealed } => self.take_box(dealer, sealed),
            Input::PeerHolds { peer, have } => {
                let mut step = Step::default();
                if self.needs_nothing(&have) && self.confirmed.insert(peer) {
                    step.persist.push(Record::confirmed(peer));
                }
                let claimed = !self.is_finished() && self.world.is_claimed(&have);
                self.after_claims(step, |claims| claims.heard(peer, claimed))
            }
            Input::Waited => self.after_claims(Step::default(), Claims::tick),
            Input::Done(done) => self.take_done(done),
            Input::PeerLeft(peer) => self.after_claims(Step::default(), |claims| claims.left(peer)),
            Input::Reread(bodies) => self.answer(|stage, world, step| match stage {
                Stage::Reread(stage) => stage
                    .reread(world, &bodies, step)
                    .map_err(|(stage, stop)| (Stage::Reread(stage), stop)),
                other => Err((other, None)),
            }),
            Input::Stopped(minima) => self.take_stopped(&minima),
            Input::Without(lost) => self.take_without(lost),
            Input::Staged => self.answer(|stage, world, step| match stage {
                Stage::Staging(stage) => {
                    stage.staged(world, step).map_err(|(stage, stop)| (Stage::Staging(stage), stop))
                }
                other => Err((other, None)),
            }),
        }
    }

    fn take_statement(&mut self, bytes: &[u8]) -> Result<Step, Refused> {
        let mut step = Step::default();
        self.take_into(bytes, &mut step)?;
        Ok(step)
    }

    /// Takes a statement; what follows joins a step.
    pub(super) fn take_into(&mut self, bytes: &[u8], step: &mut Step) -> Result<(), Refused> {
        let opened = self.world.inbox.open(bytes);
        if opened == Err(Reject::Early) {
            self.world.keep_early(bytes);
        }
        let statement = opened?;
        if self.world.lacks_own(&statement) && !self.is_finished() {
            match self.world.adopt(&statement) {
                Some(record) => step.persist.push(record),
                None => self.world.note_elsewhere(statement),
            }
            return Ok(());
        }
        if self.world.recalled.values().any(|recalled| *recalled == statement) {
            // It is filed when its stage is reached.
            return Ok(());
        }
        if statement.envelope.kind == Kind::Without && !self.is_of_this_certificate(&statement)? {
            return Ok(());
        }
        if statement.envelope.kind == Kind::Minima && self.counts_no_more_minima() {
            return Ok(());
        }
        let mut arrival = self.world.inbox.file(statement.clone());
        if arrival == Arrival::Surplus
            && self.stage.as_ref().is_some_and(|stage| stage.needs(&self.world, &statement))
        {
            self.world.inbox.keep(statement.clone());
            arrival = Arrival::Conflict;
        }
        if matches!(arrival, Arrival::New | Arrival::Conflict) {
            step.persist.push(Record::statement(&statement));
            self.advance(step)?;
        }
        Ok(())
    }

    /// Of a log that was put back: own statements that it lacks, to say what is known.
    fn take_own(&mut self, bytes: &[u8]) -> Result<Step, Refused> {
        let statement = self.world.inbox.open(bytes)?;
        if !self.world.lacks_own(&statement) {
            return Err(Refused::PutBack);
        }
        self.world.note_elsewhere(statement);
        Ok(Step::default())
    }

    /// Goes on if nobody is waited for any more to show an own statement that the log lacks.
    fn after_claims(
        &mut self,
        mut step: Step,
        happens: impl FnOnce(&mut Claims),
    ) -> Result<Step, Refused> {
        let before = self.claims.is_open();
        happens(&mut self.claims);
        if before && !self.claims.is_open() {
            self.advance(&mut step)?;
        }
        Ok(step)
    }

    fn take_box(&mut self, dealer: Index, sealed: Vec<u8>) -> Result<Step, Refused> {
        let world = &self.world;
        let mut step = Step::default();
        if dealer == world.seat.me || self.has_box(dealer) {
            return Ok(step);
        }
        let fits = sealed.len() == self.world.shape.box_bytes();
        if !fits
            || self.signed_box_digest(dealer, self.world.seat.me)
                != Some(share_box::digest(&sealed))
        {
            return Err(Refused::UnsignedBox);
        }
        let world = &mut self.world;
        step.persist.push(Record::sealed_box(RecordKind::ReceivedBox, dealer, &sealed));
        world.received.insert(dealer, sealed);
        self.advance(&mut step)?;
        Ok(step)
    }

    /// Somebody has finished. The first word of each is kept; more of them say nothing more.
    fn take_done(&mut self, done: Done) -> Result<Step, Refused> {
        let mut step = Step::default();
        let who = done.operator;
        if who == self.world.seat.me || self.dones.contains_key(&who) {
            return Ok(step);
        }
        if !done.verifies(&self.world.seat.ceremony) {
            return Err(Refused::Unsigned(who));
        }
        step.persist.push(Record::done(&done));
        self.confirmed.insert(who);
        self.dones.insert(who, done);
        Ok(step)
    }

    fn answer(
        &mut self,
        act: impl FnOnce(Stage, &mut World, &mut Step) -> Answered,
    ) -> Result<Step, Refused> {
        let mut step = Step::default();
        let stage = self.stage.take().ok_or(Refused::Broken)?;
        match act(stage, &mut self.world, &mut step) {
            Ok(next) => self.stage = Some(next),
            Err((stage, error)) => {
                self.stage = Some(stage);
                return Err(error.map_or(Refused::NotAsked, Refused::Storage));
            }
        }
        self.advance(&mut step)?;
        self.take_words(&mut step)?;
        Ok(step)
    }

    /// Leaves stages as long as they can be left.
    pub(super) fn advance(&mut self, step: &mut Step) -> Result<(), ReplayError> {
        loop {
            self.stop_if_proven(step);
            self.world.open_early();
            if self.claims.is_open() || self.put_back().is_some() {
                self.world.know_session();
                return Ok(());
            }
            let Some(stage) = self.stage.take() else { return Ok(()) };
            let world = &mut self.world;
            let advance = match stage {
                Stage::Hellos(stage) => stage.advance(world, step),
                Stage::Deals(stage) => stage.advance(world, step),
                Stage::Prepares(stage) => stage.advance(world, step),
                Stage::Stop(stage) => stage.advance(world, step),
                Stage::Commits(stage) => stage.advance(world, step),
                Stage::Finals(stage) => stage.advance(world, step),
                Stage::Finished(mut stage) => {
                    stage.late(world);
                    Ok(Advance::Stay(Stage::Finished(stage)))
                }
                waiting @ (Stage::Reread(_) | Stage::Staging(_) | Stage::Stopped(_)) => {
                    Ok(Advance::Stay(waiting))
                }
            };
            match advance {
                Ok(Advance::Next(next)) => self.stage = Some(next),
                Ok(Advance::Stay(stage)) => {
                    // An operator that complained or equivocated may never prepare.
                    let futile = matches!(stage, Stage::Prepares(_))
                        .then(|| self.world.proven_fault())
                        .flatten();
                    self.stalled = futile.map(|fault| self.world.prove(fault));
                    self.stage = Some(stage);
                    return Ok(());
                }
                Ok(Advance::Stall(stage, fault)) => {
                    self.stalled = Some(self.strongest(fault));
                    self.stage = Some(stage);
                    return Ok(());
                }
                Err(Stop::Fault(fault)) => {
                    self.stage = Some(Stage::Stopped(self.strongest(fault)));
                }
                Err(Stop::Storage(error)) => return Err(error),
            }
        }
    }

    /// Before this operator has prepared, proof of a fault ends the ceremony; later, certificates
    /// count more.
    fn stop_if_proven(&mut self, step: &mut Step) {
        let weak = match &self.stage {
            None => false,
            Some(Stage::Stopped(fault)) => fault.rule.certainty() != Certainty::Proven,
            Some(_) => !self.world.is_prepared(),
        };
        if weak && let Some(proven) = self.world.proven_fault() {
            self.stage = Some(Stage::Stopped(self.world.prove(proven)));
            // The stage that was left in this very step takes no answer any more.
            step.asks.retain(|ask| !matches!(ask, Ask::Reread(_)));
        }
    }

    /// `fault` with its proof, or a proven one in the place of a suspicion.
    fn strongest(&self, fault: Box<Fault>) -> Box<Fault> {
        let better = match fault.rule.certainty() {
            Certainty::Proven => None,
            Certainty::Suspected | Certainty::Nobody => self.world.proven_fault(),
        };
        self.world.prove(better.unwrap_or(fault))
    }

    /// Whether a peer holds everything that this operator could give it: what it names of the last
    /// round has passed its checks, whether or not it is what is held here.
    fn needs_nothing(&self, have: &Have) -> bool {
        have.is_complete(&self.world.shape)
    }

    pub(super) fn stage(&self) -> Option<&Stage> {
        self.stage.as_ref()
    }

    pub(super) fn has_box(&self, dealer: Index) -> bool {
        let me = self.world.seat.me;
        let past = self.world.inbox.get(Round::Prepare, me).is_some();
        let deals_to_me = self.world.shape.dealers_to(me).contains(dealer);
        past || !deals_to_me || self.world.received.contains_key(&dealer)
    }

    /// Whether a stage was left and no other entered: what is here may be in no log, so none of it
    /// is told to anybody.
    pub(super) fn is_broken(&self) -> bool {
        self.stage.is_none()
    }
}

/// For tests of a room that may make ceremonies: what cannot be reached from outside.
#[cfg(test)]
impl Participant {
    /// Panics while a stage is being left.
    pub(crate) fn panic_within_a_step(&mut self) {
        let _ = self.answer(|_, _, _| panic!("within a step"));
    }

    /// One that waits for deals and share boxes.
    pub(crate) fn awaiting_deals(seat: OwnSeat) -> Self {
        let stage = Some(Stage::Deals(Box::new(super::deal::AwaitDeals::empty(
            crate::primitives::hash::Digest::ZERO,
        ))));
        Self { stage, ..Self::new(seat) }
    }

    /// Whether it would make a statement of `round`.
    pub(crate) fn would_say(seat: OwnSeat, round: Round) -> bool {
        let (mut step, mut asked) = (Step::default(), false);
        let made = Self::new(seat).world.own(round, &mut step, |_| {
            asked = true;
            Err(ReplayError::SharesDamaged)
        });
        assert_eq!(made.is_err(), asked);
        asked
    }
}
