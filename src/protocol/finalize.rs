//! Round R4 (final). Outputs are staged, then every operator signs their digest; with all
//! signatures they are written.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::ethereum::obol::lock::ClusterLock;
use crate::message::body::Final;
use crate::message::envelope::{Round, Statement, view_root};
use crate::message::inbox::digests;
use crate::primitives::hash::Digest;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::checks::{
    OutputsAgreed, SharesEncrypted, Signed, decode_one, outputs_agreed, shares_encrypted,
};
use super::evidence::Fault;
use super::obol::UnsignedLock;
use super::outcome::{Outcome, Sums, ValidatorOutcome};
use super::record::{RecordKind, ReplayError};
use super::ssv::seal;
use super::stage::Stage;
use super::step::{Ask, Step};
use super::world::{Advance, Made, Stop, World};

/// What certificate 2 is checked against.
pub(super) struct Expected {
    sums: Sums,
    session: Digest,
}

/// Waiting for the driver to stage the outputs.
pub(super) struct AwaitStaging {
    pub(super) outcome: Outcome,
    expected: Expected,
}

/// A final that has passed every check there is of one.
struct Passed {
    last: Signed<Final>,
    _shares_encrypted: SharesEncrypted,
}

/// Waiting for every operator's final. Nothing names finals, so each slot is filled by itself: by
/// the first that passes every check.
pub(super) struct AwaitFinals {
    pub(super) outcome: Outcome,
    expected: Expected,
    passed: BTreeMap<Index, Passed>,
    /// Those that are here and do not pass, with what they break.
    failed: BTreeMap<(Index, Digest), Box<Fault>>,
}

/// Certificate 2 is complete; or of a reshare, all of it but the finals of seats that are lost.
pub(super) struct Finished {
    /// With the outcome; and what finals that come later are checked against.
    awaited: Box<AwaitFinals>,
    /// The lock of an Obol cluster, signed by all.
    pub(super) lock: Option<ClusterLock>,
    /// Of a reshare: who had not signed when the others finished without it.
    pub(super) without: Seats,
    _outputs_agreed: OutputsAgreed,
}

impl Finished {
    pub(super) fn outcome(&self) -> &Outcome {
        &self.awaited.outcome
    }

    /// Takes the final of a seat that was left out: whoever comes back is given it.
    pub(super) fn late(&mut self, world: &mut World) {
        self.awaited.fill(world);
    }
}

pub(super) fn stage(outcome: Outcome, sums: Sums, session: Digest, step: &mut Step) -> Stage {
    step.asks.push(Ask::Stage);
    let expected = Expected { sums, session };
    Stage::Staging(Box::new(AwaitStaging { outcome, expected }))
}

impl AwaitStaging {
    /// Signs the output digest, unless this operator has done so before; for SSV with its share of
    /// each validator, encrypted and decrypted again.
    pub(super) fn staged(
        self: Box<Self>,
        world: &mut World,
        step: &mut Step,
    ) -> Result<Stage, (Box<Self>, Option<ReplayError>)> {
        match world.own(Round::Final, step, |world| self.make(world)) {
            Ok(()) => {
                let (outcome, expected) = (self.outcome, self.expected);
                Ok(Stage::Finals(Box::new(AwaitFinals {
                    outcome,
                    expected,
                    passed: BTreeMap::new(),
                    failed: BTreeMap::new(),
                })))
            }
            Err(error) => Err((self, Some(error))),
        }
    }

    fn make(&self, world: &mut World) -> Made {
        let seat = &world.seat;
        let shares = world.shares()?;
        let view = digests(&world.inbox.complete(Round::Commit).expect("all commits were checked"));
        let root_of_view = view_root(&view);
        let lock = match UnsignedLock::new(&seat.ceremony, &self.outcome.validators) {
            None => None,
            Some(lock) => Some(lock.sign(shares, seat.node_key().ok_or(ReplayError::NoNodeKey)?)?),
        };
        let sealed = seal(seat, &self.expected.sums, shares)?;
        let body = Final { view, outputs: self.outcome.outputs, flags: None, sealed, lock };
        let session = self.expected.session;
        Ok((Vec::new(), seat.sign(Round::Final, session, root_of_view, &body.encode())))
    }
}

impl AwaitFinals {
    pub(super) fn advance(
        self: Box<Self>,
        world: &mut World,
        step: &mut Step,
    ) -> Result<Advance, Stop> {
        let mut this = self;
        this.fill(world);
        let last = world.shape.last_round();
        let without = match world.inbox.missing(last).is_empty() {
            true => Some(Seats::default()),
            false => world.left_out(),
        };
        let Some(without) = without else {
            // Whose slot is filled stands in nobody's way, whatever else it has signed; nor does
            // whoever is done without.
            let lost = world.inbox.does_without(world.seat.me);
            let stands = |(sender, _): &(Index, Digest)| {
                world.inbox.get(last, *sender).is_none() && !lost.contains(*sender)
            };
            let fault = this.failed.iter().find(|(key, _)| stands(key));
            let fault = fault.map(|(_, fault)| fault.clone());
            return Ok(Advance::wait(Stage::Finals(this), fault));
        };
        let here = this.passed.iter().filter(|(sender, _)| !without.contains(**sender));
        let finals: Vec<Signed<Final>> = here.map(|(_, passed)| passed.last.clone()).collect();
        debug_assert_eq!(finals.len() + without.len(), world.shape.speakers(last).len());
        let commits = world.inbox.complete(Round::Commit).expect("all commits were checked");
        let agreed = outputs_agreed(&this.outcome.outputs, &commits, &finals)?;
        let lock = UnsignedLock::new(&world.seat.ceremony, &this.outcome.validators)
            .map(|lock| lock.seal(&finals))
            .transpose()?;
        ValidatorOutcome::publish(&mut this.outcome.validators, &finals);
        step.asks.push(Ask::WriteOut);
        step.erase.push(RecordKind::SentBox);
        world.sent.clear();
        Ok(Advance::Next(Stage::Finished(Box::new(Finished {
            awaited: this,
            lock,
            without,
            _outputs_agreed: agreed,
        }))))
    }

    /// Fills the slots that are not, with what is here and passes.
    fn fill(&mut self, world: &mut World) {
        let last = world.shape.last_round();
        let empty = |sender: &Index| world.inbox.get(last, *sender).is_none();
        let open = world.shape.speakers(last).iter().filter(empty);
        let untried: Vec<Statement> = open
            .flat_map(|sender| world.inbox.all(last, sender))
            .filter(|held| !self.failed.contains_key(&(held.envelope.sender, held.digest())))
            .cloned()
            .collect();
        let lock = OnceCell::new();
        let mut filling = Vec::new();
        for statement in untried {
            let sender = statement.envelope.sender;
            if self.passed.contains_key(&sender) {
                continue;
            }
            match self.check(world, &statement, &lock) {
                Ok(passed) => {
                    self.passed.insert(sender, passed);
                    filling.push(statement);
                }
                Err(broken) => {
                    self.failed.insert((sender, statement.digest()), broken);
                }
            }
        }
        drop(lock);
        filling.iter().for_each(|statement| world.inbox.fill(statement));
    }

    /// Whether this final, for which its slot has no room, is the one that the slot needs.
    pub(super) fn needs(&self, world: &World, statement: &Statement) -> bool {
        let envelope = &statement.envelope;
        envelope.round == world.shape.last_round()
            && world.inbox.get(envelope.round, envelope.sender).is_none()
            && self.check(world, statement, &OnceCell::new()).is_ok()
    }

    /// Every check of one final, the cheap ones first.
    fn check<'a>(
        &self,
        world: &'a World,
        statement: &Statement,
        lock: &OnceCell<Option<UnsignedLock<'a>>>,
    ) -> Result<Passed, Box<Fault>> {
        let ceremony = &*world.seat.ceremony;
        let commits = world.inbox.complete(Round::Commit).expect("all commits were checked");
        let read = |bytes: &[u8], from| Final::decode(bytes, &world.shape, from);
        let last = decode_one(statement, read)?;
        let alone = core::slice::from_ref(&last);
        outputs_agreed(&self.outcome.outputs, &commits, alone)?;
        let shares_encrypted = shares_encrypted(ceremony, &self.expected.sums, alone)?;
        let lock = lock.get_or_init(|| UnsignedLock::new(ceremony, &self.outcome.validators));
        lock.as_ref().map_or(Ok(()), |lock| lock.check(&last))?;
        Ok(Passed { last, _shares_encrypted: shares_encrypted })
    }
}
