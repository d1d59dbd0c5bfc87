//! Round R4 (final). Outputs are staged, then every operator signs their digest; with all
//! signatures they are written.

use crate::ethereum::obol::lock::ClusterLock;
use crate::message::body::Final;
use crate::message::envelope::{Round, Statement, view_root};
use crate::message::inbox::digests;
use crate::primitives::curve::G2;
use crate::primitives::hash::Digest;

use super::checks::{OutputsAgreed, decode, outputs_agreed};
use super::evidence::Fault;
use super::obol::UnsignedLock;
use super::outcome::{Outcome, Sums};
use super::record::{RecordKind, ReplayError};
use super::stage::Stage;
use super::step::{Ask, Step};
use super::world::{Advance, Failed, Stop, World};

/// What certificate 2 is checked against.
pub(super) struct Expected {
    sums: Sums,
    roots: Vec<(usize, [u8; 32])>,
    signatures: Vec<G2>,
    session: Digest,
}

/// Waiting for the driver to stage the outputs.
pub(super) struct AwaitStaging {
    pub(super) outcome: Outcome,
    expected: Expected,
}

/// Waiting for every operator's final.
pub(super) struct AwaitFinals {
    pub(super) outcome: Outcome,
    expected: Expected,
    failed: Failed,
}

/// Certificate 2 is complete.
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    /// The lock of an Obol cluster, signed by all.
    pub(super) lock: Option<ClusterLock>,
    _outputs_agreed: OutputsAgreed,
}

pub(super) fn stage(
    outcome: Outcome,
    sums: Sums,
    roots: Vec<(usize, [u8; 32])>,
    signatures: Vec<G2>,
    session: Digest,
    step: &mut Step,
) -> Stage {
    step.asks.push(Ask::Stage);
    let expected = Expected { sums, roots, signatures, session };
    Stage::Staging(Box::new(AwaitStaging { outcome, expected }))
}

impl AwaitStaging {
    /// Signs the output digest, unless this operator has done so before.
    pub(super) fn staged(
        self: Box<Self>,
        world: &mut World,
        keystores: bool,
        step: &mut Step,
    ) -> Result<Stage, (Box<Self>, Option<ReplayError>)> {
        let keystores = if keystores { Final::KEYSTORES } else { 0 };
        let outputs = self.outcome.outputs;
        let session = self.expected.session;
        let made = world.own(Round::Final, step, |world| {
            let view =
                digests(&world.inbox.complete(Round::Commit).expect("all commits were checked"));
            let root_of_view = view_root(&view);
            let lock = match UnsignedLock::new(&world.seat.ceremony, &self.outcome.validators) {
                None => None,
                Some(lock) => {
                    let shares = world
                        .vault
                        .shares
                        .as_ref()
                        .ok_or(ReplayError::Incomplete { missing: "shares" })?;
                    Some(lock.sign(shares, world.seat.node_key().ok_or(ReplayError::NoNodeKey)?)?)
                }
            };
            let body = Final { view, outputs, flags: Final::ERASED | keystores, lock };
            Ok((Vec::new(), world.seat.sign(Round::Final, session, root_of_view, &body.encode())))
        });
        match made {
            Ok(()) => {
                let (outcome, expected) = (self.outcome, self.expected);
                Ok(Stage::Finals(Box::new(AwaitFinals {
                    outcome,
                    expected,
                    failed: Failed::default(),
                })))
            }
            Err(error) => Err((self, Some(error))),
        }
    }
}

impl AwaitFinals {
    pub(super) fn advance(
        self: Box<Self>,
        world: &mut World,
        step: &mut Step,
    ) -> Result<Advance, Stop> {
        let mut this = self;
        for statements in this.failed.untried(world.inbox.candidates(Round::Final, world.seat.me)) {
            match this.agree(world, &statements) {
                Ok((agreed, lock)) => {
                    world.inbox.prefer(&statements);
                    step.asks.push(Ask::WriteOut);
                    step.erase.push(RecordKind::SentBox);
                    world.sent.clear();
                    let finished =
                        Finished { outcome: this.outcome, lock, _outputs_agreed: agreed };
                    return Ok(Advance::Next(Stage::Finished(Box::new(finished))));
                }
                Err(broken) => this.failed.note(&statements, broken),
            }
        }
        let fault = this.failed.first();
        Ok(Advance::wait(Stage::Finals(this), fault))
    }

    /// Certificate 2, if these statements are one; with the lock that they sign.
    fn agree(
        &self,
        world: &World,
        statements: &[Statement],
    ) -> Result<(OutputsAgreed, Option<ClusterLock>), Box<Fault>> {
        let commits = world.inbox.complete(Round::Commit).expect("all commits were checked");
        let finals = decode(statements, |bytes, from| Final::decode(bytes, &world.shape, from))?;
        let Expected { sums, roots, signatures, .. } = &self.expected;
        let agreed = outputs_agreed(sums, roots, signatures, &commits, &finals)?;
        let lock = UnsignedLock::new(&world.seat.ceremony, &self.outcome.validators)
            .map(|lock| lock.seal(&finals));
        Ok((agreed, lock.transpose()?))
    }
}
