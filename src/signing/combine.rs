//! Combines any `t` partial signatures of each validator into the validator's signature.

use std::collections::{BTreeMap, BTreeSet};

use super::lock;
use super::parent::{Cleared, Parent};
use super::partial::Partial;
use crate::ethereum::obol::lock::ClusterLock;
use crate::message::body::EncryptedShare;
use crate::primitives::batch::{SameMessage, Weights, verify_signatures};
use crate::primitives::curve::G2;
use crate::primitives::lagrange::combine_all;
use crate::spec::threshold::Index;

/// Why partial signatures are not combined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Fewer than the threshold, for every validator.
    #[error("{found} valid partial signatures, but {needed} are required")]
    TooFew {
        /// Good ones of different operators, for the validator that has most.
        found: usize,
        /// The threshold.
        needed: usize,
    },
    /// Of key shares and of a lock: these operators have not answered, and nobody else can encrypt
    /// their shares or sign for their nodes.
    #[error("{} operators whose answers are required have not answered", .0.len())]
    Required(Vec<Index>),
    /// Impossible with partial signatures that verify; looked at all the same.
    #[error("the combined signature does not verify under the validator's key")]
    DoesNotVerify,
}

/// The validators' signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combined {
    /// Each verified, in the request's order; `None` where too few operators have signed.
    pub signatures: Vec<Option<G2>>,
    /// Whose partial signatures they are made of.
    pub signers: Vec<Index>,
    /// Of key shares: what the required operators have encrypted, in the request's order.
    pub renewed: BTreeMap<Index, Vec<EncryptedShare>>,
    /// Of a lock: the lock, signed by all that have shares.
    pub lock: Option<Box<ClusterLock>>,
}

/// How many operators have signed for each validator of the request.
pub fn counts<'a>(cleared: &Cleared, partials: impl Iterator<Item = &'a Partial>) -> Vec<usize> {
    let mut counts = vec![0; cleared.targets.len()];
    for partial in partials {
        for (count, partial) in counts.iter_mut().zip(&partial.partials) {
            *count += usize::from(partial.is_some());
        }
    }
    counts
}

/// Combines partial signatures, each of which verifies: for each validator those of the lowest
/// indices, as many as are needed. Every result is verified under its validator's key, and is the
/// same whichever operators signed.
pub fn combine(
    cleared: &Cleared,
    parent: &Parent,
    partials: &[Partial],
) -> Result<Combined, CombineError> {
    let needed = parent.ceremony().t();
    let good = partials.iter().filter(|partial| partial.verifies(cleared, parent));
    let by_index: BTreeMap<Index, &Partial> =
        good.map(|partial| (partial.operator, partial)).collect();
    // Those whose signers are the same are computed together.
    let mut groups: BTreeMap<Vec<Index>, Vec<usize>> = BTreeMap::new();
    for target in 0..cleared.targets.len() {
        let signed = by_index.iter().filter(|(_, answer)| answer.partials[target].is_some());
        let signers: Vec<Index> = signed.map(|(index, _)| *index).take(needed).collect();
        if signers.len() == needed {
            groups.entry(signers).or_default().push(target);
        }
    }
    let lacking = cleared.required.iter().filter(|index| !by_index.contains_key(index));
    let lacking: Vec<Index> = lacking.copied().collect();
    // A lock needs all that have shares, so that no threshold is said of one.
    if groups.is_empty() && (cleared.lock.is_none() || lacking.is_empty()) {
        let found = counts(cleared, by_index.values().copied()).into_iter().max().unwrap_or(0);
        return Err(CombineError::TooFew { found, needed });
    }
    if !lacking.is_empty() {
        return Err(CombineError::Required(lacking));
    }
    let mut signatures = vec![None; cleared.targets.len()];
    for (signers, targets) in &groups {
        let made = group(parent, &by_index, signers, targets).ok_or(CombineError::DoesNotVerify)?;
        targets.iter().zip(made).for_each(|(target, made)| signatures[*target] = Some(made));
    }
    if !verify(cleared, parent, &signatures) {
        return Err(CombineError::DoesNotVerify);
    }
    let lock = lock::seal(cleared, parent, &by_index).map(Box::new);
    if cleared.lock.is_some() && lock.is_none() {
        return Err(CombineError::DoesNotVerify);
    }
    let signers: BTreeSet<Index> = groups.into_keys().flatten().collect();
    let renewed = by_index.iter().filter(|(index, _)| cleared.required.contains(index));
    let renewed = renewed.map(|(index, answer)| (*index, answer.sealed.clone())).collect();
    Ok(Combined { signatures, signers: signers.into_iter().collect(), renewed, lock })
}

/// The signatures of validators that the same operators have signed for.
fn group(
    parent: &Parent,
    answers: &BTreeMap<Index, &Partial>,
    signers: &[Index],
    targets: &[usize],
) -> Option<Vec<G2>> {
    let roster = parent.ceremony().roster();
    let points = signers.iter().map(|index| roster.get(*index).map(|seat| seat.point));
    let points: Vec<u64> = points.collect::<Option<_>>()?;
    let row = |index: &Index| {
        let answer = answers.get(index)?;
        targets.iter().map(|target| answer.partials[*target]).collect::<Option<Vec<G2>>>()
    };
    let rows: Vec<Vec<G2>> = signers.iter().map(row).collect::<Option<_>>()?;
    let rows: Vec<&[G2]> = rows.iter().map(Vec::as_slice).collect();
    combine_all(&points, &rows)
}

/// Whether all signatures verify under their validators' keys, with weights that depend on all.
fn verify(cleared: &Cleared, parent: &Parent, signatures: &[Option<G2>]) -> bool {
    let mut seed = cleared.request.id().as_bytes().to_vec();
    let mut batch = Vec::with_capacity(signatures.len());
    for (target, signature) in cleared.targets.iter().zip(signatures) {
        seed.extend(signature.map_or([0; 96], |signature| signature.to_compressed()));
        let Some(signature) = signature else { continue };
        let key = parent.validators()[target.validator].public_key;
        batch.push(SameMessage { message: target.message, signed: vec![(key, *signature)] });
    }
    verify_signatures(&batch, &mut Weights::new(&[&seed]))
}
