//! Round R3 (commit). With certificate 1 an operator knows that all operators have stored and
//! proven their shares; only now does it sign deposits and the other messages.

use crate::message::body::Commit;
use crate::message::envelope::{Round, Statement, view_root};
use crate::message::inbox::digests;
use crate::primitives::batch::sign_all;
use crate::primitives::curve::{G2, SecretScalar};

use super::checks::{
    CommitsFollowPrepares, PartialsVerified, Prepared, SharesEncrypted, SharesProven,
    SignaturesVerified, all_verified, combine, commits_follow_prepares, decode_commits,
    partials_verified, shares_encrypted,
};
use super::evidence::Fault;
use super::finalize;
use super::items::{Messages, outputs_digest};
use super::outcome::{Outcome, Receipts, ValidatorOutcome, certificate};
use super::prepare::Checked;
use super::record::ReplayError;
use super::ssv::try_to_seal;
use super::stage::Stage;
use super::step::Step;
use super::world::{Advance, Failed, Made, Stop, World};

/// Waiting for every operator's commit.
pub(super) struct AwaitCommits {
    checked: Checked,
    messages: Messages,
    prepared: Prepared,
    shares_proven: SharesProven,
    failed: Failed,
}

/// Signs every item of the spec, and nothing else, ever: the messages follow from the spec and the
/// keys.
pub(super) fn release(
    world: &mut World,
    checked: Checked,
    prepared: Prepared,
    shares_proven: SharesProven,
    prepares: &[Statement],
    step: &mut Step,
) -> Result<Stage, Stop> {
    let messages = Messages::new(&world.seat.ceremony, checked.sums.public_keys());
    world.own(Round::Commit, step, |world| make(world, &checked, &messages, prepares))?;
    Ok(Stage::Commits(Box::new(AwaitCommits {
        checked,
        messages,
        prepared,
        shares_proven,
        failed: Failed::default(),
    })))
}

fn make(world: &mut World, checked: &Checked, messages: &Messages, prepares: &[Statement]) -> Made {
    let shares = world.shares()?;
    let view = digests(prepares);
    let items: Vec<(&SecretScalar, &G2)> = match world.shape.items_of(world.seat.me) {
        0 => Vec::new(),
        _ => messages.roots.iter().map(|(v, _)| &shares[*v]).zip(&messages.points).collect(),
    };
    let partials = sign_all(&items).ok_or(ReplayError::SharesDamaged)?;
    let root_of_view = view_root(&view);
    try_to_seal(&world.seat, &checked.sums, shares)?;
    let body = Commit { view, partials, sealed: Vec::new() };
    Ok((Vec::new(), world.seat.sign(Round::Commit, checked.session, root_of_view, &body.encode())))
}

/// All commits, verified, and what they combine to.
struct Verified {
    signatures: Vec<G2>,
    validators: Vec<ValidatorOutcome>,
    follow: CommitsFollowPrepares,
    partials_verified: PartialsVerified,
    signatures_verified: SignaturesVerified,
    shares_encrypted: SharesEncrypted,
}

impl AwaitCommits {
    pub(super) fn advance(
        self: Box<Self>,
        world: &mut World,
        step: &mut Step,
    ) -> Result<Advance, Stop> {
        let mut this = self;
        for statements in this.failed.untried(world.inbox.candidates(Round::Commit, world.seat.me))
        {
            match this.verify(world, &statements) {
                // What a dealer has signed last is known before its commit counts.
                Ok(_) if !world.without_minima().is_empty() => {
                    return Ok(Advance::Stay(Stage::Commits(this)));
                }
                Ok(verified) => {
                    world.inbox.prefer(&statements);
                    return Ok(Advance::Next(this.finish(world, verified, step)));
                }
                Err(broken) => this.failed.note(&statements, broken),
            }
        }
        let fault = this.failed.first();
        Ok(Advance::wait(Stage::Commits(this), fault))
    }

    fn verify(&self, world: &World, statements: &[Statement]) -> Result<Verified, Box<Fault>> {
        let (ceremony, sums) = (&world.seat.ceremony, &self.checked.sums);
        let prepares = world.inbox.complete(Round::Prepare).expect("certificate 1 is complete");
        let commits = decode_commits(statements, &world.shape, Some(sums))?;
        let follow = commits_follow_prepares(&prepares, &commits.signed)?;
        let signatures = match combine(ceremony, &commits.signed) {
            Ok(signatures) => signatures,
            Err(degenerate) => {
                // One that knows the others' partial signatures can choose its own so that they
                // cancel: it is named first.
                partials_verified(sums, &self.messages, &commits)?;
                return Err(degenerate);
            }
        };
        let (partials_verified, signatures_verified) =
            all_verified(sums, &self.messages, &commits, &signatures)?;
        let shares_encrypted = shares_encrypted(ceremony, sums, &commits.signed)?;
        let mut validators = ValidatorOutcome::all(sums, &self.messages.roots, &signatures);
        ValidatorOutcome::publish(&mut validators, &commits.signed);
        Ok(Verified {
            signatures,
            validators,
            follow,
            partials_verified,
            signatures_verified,
            shares_encrypted,
        })
    }

    /// Whether this commit, for which its slot has no room, is the one that the slot needs:
    /// somebody signed a final over it, and it holds. There is one such content at most.
    pub(super) fn needs(&self, world: &World, statement: &Statement) -> bool {
        if statement.envelope.round != Round::Commit || !world.inbox.is_named(statement) {
            return false;
        }
        let sums = &self.checked.sums;
        let prepares = world.inbox.complete(Round::Prepare).expect("certificate 1 is complete");
        let one = core::slice::from_ref(statement);
        let Ok(commits) = decode_commits(one, &world.shape, Some(sums)) else { return false };
        commits_follow_prepares(&prepares, &commits.signed).is_ok()
            && partials_verified(sums, &self.messages, &commits).is_ok()
    }

    fn finish(self, world: &World, verified: Verified, step: &mut Step) -> Stage {
        let Verified {
            signatures,
            validators,
            follow,
            partials_verified,
            signatures_verified,
            shares_encrypted,
        } = verified;
        let Checked {
            session,
            distinct_hellos,
            deals_follow_hellos,
            opened,
            distinct_constants,
            known_constants,
            sums,
        } = self.checked;
        let outputs = outputs_digest(sums.digest(), &self.messages.roots, &signatures);
        let receipts = Receipts {
            _distinct_hellos: distinct_hellos,
            _deals_follow_hellos: deals_follow_hellos,
            _opened: opened,
            _distinct_constants: distinct_constants,
            _known_constants: known_constants,
            _prepared: self.prepared,
            _shares_proven: self.shares_proven,
            _commits_follow_prepares: follow,
            _partials_verified: partials_verified,
            _signatures_verified: signatures_verified,
            _shares_encrypted: shares_encrypted,
        };
        let spec = world.seat.ceremony.digest();
        let outcome = Outcome {
            digest: *sums.digest(),
            outputs,
            certificate: certificate(&spec, sums.digest(), &outputs),
            validators,
            _receipts: receipts,
        };
        finalize::stage(outcome, sums, session, step)
    }
}
