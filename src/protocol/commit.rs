//! R3. With certificate 1 an operator knows that everybody has stored and proven its shares; only now does it sign anything else.

use crate::message::body::Commit;
use crate::message::envelope::{Round, Statement, view_root};
use crate::message::inbox::digests;

use super::checks::{Prepared, SharesProven, combine, commits_follow_prepares, decode, partials_verified, signatures_verified};
use super::finalize;
use super::items::{outputs_digest, signing_roots};
use super::outcome::{Outcome, Receipts, ValidatorOutcome};
use super::participant::{Stage, Step};
use super::prepare::Checked;
use super::record::ReplayError;
use super::world::{Advance, Made, Stop, World};
use crate::ethereum::bls::message_point;

/// Waiting for every operator's commit.
pub(super) struct AwaitCommits {
    checked: Checked,
    prepared: Prepared,
    shares_proven: SharesProven,
}

/// Signs every item of the spec, and nothing else, ever: the messages follow from the spec and the keys.
pub(super) fn release(
    world: &mut World,
    checked: Checked,
    prepared: Prepared,
    shares_proven: SharesProven,
    prepares: &[Statement],
    step: &mut Step,
) -> Result<Stage, Stop> {
    world.own(Round::Commit, step, |world| make(world, &checked, prepares))?;
    Ok(Stage::Commits(Box::new(AwaitCommits { checked, prepared, shares_proven })))
}

fn make(world: &mut World, checked: &Checked, prepares: &[Statement]) -> Made {
    let shares = world.vault.shares.as_ref().ok_or(ReplayError::Incomplete { missing: "shares" })?;
    let view = digests(prepares);
    let partials = signing_roots(&world.seat.ceremony, checked.sums.public_keys())
        .iter()
        .map(|(v, root)| shares[*v].sign(&message_point(root)).ok_or(ReplayError::SharesDamaged))
        .collect::<Result<_, _>>()?;
    let root_of_view = view_root(&view);
    let body = Commit { view, partials };
    Ok((Vec::new(), world.seat.sign(Round::Commit, checked.session, root_of_view, &body.encode())))
}

impl AwaitCommits {
    pub(super) fn advance(self: Box<Self>, world: &mut World, step: &mut Step) -> Result<Advance, Stop> {
        let (Some(prepares), Some(statements)) = (world.inbox.complete(Round::Prepare), world.inbox.complete(Round::Commit))
        else {
            return Ok(Advance::Stay(Stage::Commits(self)));
        };
        let ceremony = world.seat.ceremony.clone();
        let commits = decode(&statements, |bytes| Commit::decode(bytes, &world.shape))?;
        let follow = commits_follow_prepares(&prepares, &commits)?;
        let Checked { session, distinct_hellos, deals_follow_hellos, opened, distinct_constants, known_constants, sums } =
            self.checked;
        let roots = signing_roots(&ceremony, sums.public_keys());
        let partials_verified = partials_verified(&sums, &roots, &commits)?;
        let signatures = combine(&ceremony, &commits, roots.len())?;
        let signatures_verified = signatures_verified(&sums, &roots, &signatures)?;

        let outputs = outputs_digest(sums.digest(), &roots, &signatures);
        let of = |v: usize| roots.iter().zip(&signatures).filter(move |((of, _), _)| *of == v).map(|(_, s)| *s).collect();
        let validators = (0..ceremony.v())
            .map(|v| ValidatorOutcome {
                public_key: sums.public_key(v),
                public_shares: sums.public_shares(v).to_vec(),
                signatures: of(v),
            })
            .collect();
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
        };
        let outcome = Outcome { digest: *sums.digest(), outputs, validators, _receipts: receipts };
        Ok(Advance::Next(finalize::stage(outcome, sums, roots, signatures, session, step)))
    }
}
