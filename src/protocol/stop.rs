//! Between certificate 1 and the commit of a dealer of a reshare: its person stops the old keys and
//! says what they have signed last; and everybody who only receives has committed.

use crate::message::envelope::{Kind, Round, Statement, view_root};
use crate::message::inbox::digests;
use crate::message::minima::{MOST_MINIMA, Minima};
use crate::spec::threshold::Index;

use super::checks::{Prepared, SharesProven};
use super::commit;
use super::participant::Participant;
use super::prepare::Checked;
use super::record::Record;
use super::stage::Stage;
use super::step::{Refused, Step};
use super::world::{Advance, Stop, World};

/// Waiting for this dealer to stop, and for the commits of those that only receive.
pub(super) struct AwaitStop {
    checked: Checked,
    prepared: Prepared,
    shares_proven: SharesProven,
    prepares: Vec<Statement>,
}

/// With certificate 1: commits at once, or of a dealer of a reshare once it has stopped.
pub(super) fn certified(
    world: &mut World,
    checked: Checked,
    prepared: Prepared,
    shares_proven: SharesProven,
    prepares: Vec<Statement>,
    step: &mut Step,
) -> Result<Stage, Stop> {
    if world.shape.stops().contains(world.seat.me) && !world.recall(Round::Commit) {
        return Ok(Stage::Stop(Box::new(AwaitStop { checked, prepared, shares_proven, prepares })));
    }
    commit::release(world, checked, prepared, shares_proven, &prepares, step)
}

impl AwaitStop {
    pub(super) fn advance(
        self: Box<Self>,
        world: &mut World,
        step: &mut Step,
    ) -> Result<Advance, Stop> {
        let ready = world.has_stopped() && self.missing(world).is_empty();
        if !world.recall(Round::Commit) && !ready {
            return Ok(Advance::Stay(Stage::Stop(self)));
        }
        let Self { checked, prepared, shares_proven, prepares } = *self;
        commit::release(world, checked, prepared, shares_proven, &prepares, step).map(Advance::Next)
    }

    /// Those that only receive and have not committed over this certificate: no old key need stop
    /// before their shares are as good as it gets.
    pub(super) fn missing(&self, world: &World) -> Vec<Index> {
        let over = view_root(&digests(&self.prepares));
        let committed = |seat: &Index| {
            let mut held = world.inbox.all(Round::Commit, *seat).take(2);
            held.any(|commit| {
                let envelope = &commit.envelope;
                envelope.kind == Kind::Ordinary && envelope.view_root == over
            })
        };
        let receivers = world.shape.parts.receivers.iter();
        let stops = world.shape.stops();
        let pure = receivers.filter(|seat| !stops.contains(*seat));
        pure.filter(|seat| !committed(seat)).collect()
    }
}

impl World {
    /// Whether this dealer has signed what its keys have signed last.
    pub(super) fn has_stopped(&self) -> bool {
        self.inbox.signed_last(self.seat.me).is_some()
    }

    /// Dealers of whom no minima are here: their commits do not count yet.
    pub(super) fn without_minima(&self) -> Vec<Index> {
        let dealers = self.shape.stops().iter();
        dealers.filter(|dealer| self.inbox.signed_last(*dealer).is_none()).collect()
    }
}

impl Participant {
    /// Whether this dealer of a reshare may be stopped now, and has not been: certificate 1 is
    /// complete.
    pub fn awaits_stop(&self) -> bool {
        matches!(self.stage(), Some(Stage::Stop(_))) && !self.world.has_stopped()
    }

    /// What a dealer says that its keys have signed last, joined over all that it has said.
    pub fn signed_last(&self, dealer: Index) -> Option<Minima> {
        self.world.inbox.signed_last(dealer)
    }

    /// Whether this operator has signed FINAL: its outputs begin where the minima that it holds
    /// say, and later ones would alter its transcript and nothing else.
    pub(super) fn counts_no_more_minima(&self) -> bool {
        let past =
            matches!(self.stage(), Some(Stage::Staging(_) | Stage::Finals(_) | Stage::Finished(_)));
        past && self.has_said(self.world.shape.last_round())
    }

    /// This dealer has stopped, and says what its keys have signed last. A second time raises it.
    pub(super) fn take_stopped(&mut self, minima: &Minima) -> Result<Step, Refused> {
        let (world, me) = (&self.world, self.world.seat.me);
        if !world.shape.stops().contains(me) || minima.signed.len() != world.shape.v {
            return Err(Refused::NotAsked);
        }
        let held = world.inbox.minima_of(me);
        let certified = matches!(
            self.stage(),
            Some(Stage::Stop(_) | Stage::Commits(_) | Stage::Staging(_) | Stage::Finals(_))
        );
        let Some(session) = world.inbox.session().filter(|_| certified) else {
            return Err(Refused::NotCertified);
        };
        let key = world.seat.operator.key();
        let statement = Statement::sign_minima(key, me, session, &minima.encode());
        let mut step = Step::default();
        if held.iter().any(|held| held.digest() == statement.digest()) {
            return Ok(step);
        }
        if held.len() == MOST_MINIMA {
            return Err(Refused::StoppedTwice);
        }
        step.persist.push(Record::statement(&statement));
        self.world.inbox.file(statement.clone());
        step.send.push(statement);
        self.advance(&mut step)?;
        Ok(step)
    }
}
