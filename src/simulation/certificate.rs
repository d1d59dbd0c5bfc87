//! Certificate 1 as an observer sees it, and its promise: any `t` shares sign. Written
//! independently of `protocol::checks` as far as possible: each signature is verified individually,
//! and shares are interpolated from the disks.

use std::collections::BTreeMap;

use crate::ethereum::bls::message_point;
use crate::message::body::{Commit, Deal, Prepare, Stored};
use crate::message::envelope::{Kind, Round, Statement};
use crate::message::shape::Shape;
use crate::primitives::batch::verify_signature;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{G1, Scalar, SecretScalar};
use crate::primitives::hash::Digest;
use crate::primitives::lagrange;
use crate::protocol::checks::{self, possession_message};
use crate::protocol::dealt::added;
use crate::protocol::items::signing_roots;
use crate::protocol::outcome::{Sums, ValidatorOutcome};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

/// A complete certificate 1, verified.
pub struct Certificate {
    /// What its deals add up to.
    pub sums: Sums,
}

fn lookup<'a>(
    ceremony: &Ceremony,
    statements: &'a BTreeMap<Digest, Statement>,
    view: &[Digest],
    round: Round,
) -> Result<Vec<&'a Statement>, String> {
    let found = Shape::of(ceremony).speakers(round).iter().zip(view).map(|(index, digest)| {
        let statement = statements.get(digest).ok_or_else(|| {
            format!("nobody signed the {round:?} of operator {index} that it names")
        })?;
        match (statement.envelope.kind, statement.envelope.sender, statement.envelope.round) {
            (Kind::Ordinary, sender, of) if sender == index && of == round => Ok(statement),
            _ => Err(format!("the {round:?} of operator {index} is another statement")),
        }
    });
    found.collect()
}

/// The certificate that `commit` names, among all statements that anybody signed.
pub fn find(
    ceremony: &Ceremony,
    statements: &BTreeMap<Digest, Statement>,
    commit: &Statement,
) -> Result<Certificate, String> {
    let shape = Shape::of(ceremony);
    let commit = Commit::decode(commit.body(), &shape, commit.envelope.sender)
        .map_err(|error| error.to_string())?;
    let prepares = lookup(ceremony, statements, &commit.view, Round::Prepare)?;
    let decode = |statement: &&Statement| {
        Prepare::decode(statement.body(), &shape, statement.envelope.sender)
            .map_err(|error| error.to_string())
    };
    let bodies = prepares.iter().map(decode).collect::<Result<Vec<Prepare>, String>>()?;
    let first = bodies.first().ok_or("no prepares")?;
    let root = bodies.iter().find_map(|body| Some(body.stored.as_ref()?.sums_root));
    let said = |body: &Prepare| body.stored.as_ref().map(|stored| (stored.sums_root, stored.flags));
    let same = |body: &Prepare| {
        let durable = said(body).is_none_or(|said| Some(said) == root.zip(Some(Stored::DURABLE)));
        body.view == first.view && durable
    };
    if !bodies.iter().all(same) {
        return Err("the prepares differ".to_owned());
    }
    let deals = lookup(ceremony, statements, &first.view, Round::Deal)?;
    let session = deals[0].envelope.session;
    if prepares.iter().chain(&deals).any(|statement| statement.envelope.session != session) {
        return Err("statements of several sessions".to_owned());
    }
    let deals: Vec<Statement> = deals.into_iter().cloned().collect();
    let signed = checks::decode(&deals, |bytes, from| Deal::decode(bytes, &shape, from))
        .map_err(|fault| format!("{:?}", fault.rule))?;
    let summed = match ceremony.parent_shares() {
        None => Commitments::sum(signed.iter().map(|deal| &deal.body.commitments)),
        Some(_) => added(ceremony, &signed),
    };
    let summed = summed.map(|sums| sums.merkle_root());
    if summed != root {
        return Err("the prepares are of other sums".to_owned());
    }
    let sums =
        checks::add_up(ceremony, &session, &signed).map_err(|fault| format!("{:?}", fault.rule))?;
    for ((index, seat), body) in ceremony.roster().iter().zip(&bodies) {
        if !ceremony.parts().receivers.contains(index) {
            continue;
        }
        let key = sums.confirmation_key(seat.point).ok_or("a confirmation key is infinity")?;
        let possession = body.stored.as_ref().map(|stored| stored.possession);
        let message = possession_message(sums.digest(), index);
        if !possession.is_some_and(|possession| verify_signature(&key, &message, &possession)) {
            return Err(format!("the possession proof of operator {index} does not verify"));
        }
    }
    Ok(Certificate { sums })
}

/// Every set of `size` positions below `of`.
fn subsets(of: usize, size: usize) -> Vec<Vec<usize>> {
    let sets = (0u32..1 << of).filter(|set| set.count_ones() as usize == size);
    sets.map(|set| (0..of).filter(|position| set & (1 << position) != 0).collect()).collect()
}

/// Checks that any `t` of the shares give the same secret for every validator, that it is the
/// secret of the validator's key, that the shares are those of the public shares, and, with
/// `outcome`, that the secret makes exactly its signatures. Returns how many sets.
pub fn every_subset_signs(
    ceremony: &Ceremony,
    certificate: &Certificate,
    shares: &BTreeMap<Index, Vec<SecretScalar>>,
    outcome: Option<&[ValidatorOutcome]>,
) -> Result<usize, String> {
    let sums = &certificate.sums;
    let holders: Vec<(Index, u64)> = ceremony
        .roster()
        .iter()
        .filter(|(index, _)| shares.contains_key(index))
        .map(|(index, seat)| (index, seat.point))
        .collect();
    let sets = subsets(holders.len(), ceremony.t());
    let roots = signing_roots(ceremony, sums.public_keys());
    for (index, _) in &holders {
        for (v, share) in shares[index].iter().enumerate() {
            if share.base_mult().as_ref() != sums.public_share(v, *index) {
                return Err(format!(
                    "the share of operator {index} for validator {v} is not the public one's"
                ));
            }
        }
    }
    let mut secrets: Vec<Option<SecretScalar>> = (0..ceremony.v()).map(|_| None).collect();
    for set in &sets {
        let points: Vec<u64> = set.iter().map(|at| holders[*at].1).collect();
        let coefficients: Vec<Scalar> =
            lagrange::coefficients_at_zero(&points).ok_or("points that are the same")?;
        for (v, known) in secrets.iter_mut().enumerate() {
            let mut secret = SecretScalar::zero();
            for (at, coefficient) in set.iter().zip(&coefficients) {
                secret.add_assign(&shares[&holders[*at].0][v].scaled(coefficient));
            }
            match known {
                Some(known) if known.to_be_bytes() == secret.to_be_bytes() => (),
                Some(_) => {
                    return Err(format!(
                        "two sets of {} shares give two secrets for validator {v}",
                        ceremony.t()
                    ));
                }
                None if secret.base_mult() == Some(sums.public_key(v)) => *known = Some(secret),
                None => return Err(format!("the shares do not give the secret of validator {v}")),
            }
        }
    }
    let Some(outcome) = outcome else { return Ok(sets.len()) };
    for (v, (validator, secret)) in outcome.iter().zip(&secrets).enumerate() {
        let made = roots
            .iter()
            .filter(|(of, _)| *of == v)
            .map(|(_, root)| secret.as_ref()?.sign(&message_point(root)));
        if validator.public_key != sums.public_key(v)
            || !made.eq(validator.signatures.iter().copied().map(Some))
        {
            return Err(format!("the signatures of validator {v} are not its secret's"));
        }
    }
    Ok(sets.len())
}

/// Shares of one validator, with their evaluation points.
type Held<'a> = &'a [(u64, [u8; 32])];

/// Whether one share of a generation and all but one that it takes of another give the secret of
/// `key`: of each, the shares and how many sign.
pub fn generations_mix(
    (old, old_t): (Held<'_>, usize),
    (new, new_t): (Held<'_>, usize),
    key: &G1,
) -> bool {
    let together = |few: Held<'_>, one: &(u64, [u8; 32])| {
        let all: Vec<(u64, [u8; 32])> = few.iter().chain([one]).copied().collect();
        let points: Vec<u64> = all.iter().map(|(point, _)| *point).collect();
        let Some(coefficients) = lagrange::coefficients_at_zero(&points) else { return false };
        let mut secret = SecretScalar::zero();
        for ((_, share), coefficient) in all.iter().zip(&coefficients) {
            let Ok(share) = SecretScalar::from_be_bytes(share) else { return false };
            secret.add_assign(&share.scaled(coefficient));
        }
        secret.base_mult().as_ref() == Some(key)
    };
    let mixes = |most: Held<'_>, t: usize, others: Held<'_>| {
        let few = &most[..(t - 1).min(most.len())];
        let apart = |one: &&(u64, [u8; 32])| few.iter().all(|(point, _)| *point != one.0);
        others.iter().filter(apart).any(|one| together(few, one))
    };
    mixes(new, new_t, old) || mixes(old, old_t, new)
}
