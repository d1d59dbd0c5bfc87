//! Combines any `t` partial signatures into the validator's signature.

use std::collections::BTreeMap;

use super::parent::{Cleared, Parent};
use super::partial::Partial;
use crate::primitives::batch::verify_signature;
use crate::primitives::curve::G2;
use crate::primitives::lagrange::combine_all;
use crate::spec::threshold::Index;

/// Why partial signatures are not combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Fewer than the threshold.
    #[error("{found} valid partial signatures, but {needed} are required")]
    TooFew {
        /// Good ones of different operators.
        found: usize,
        /// The threshold.
        needed: usize,
    },
    /// Impossible with partial signatures that verify; looked at all the same.
    #[error("the combined signature does not verify under the validator's key")]
    DoesNotVerify,
}

/// Combines partial signatures, each of which verifies: those of the lowest indices, as many as are
/// needed. The result is verified under the validator's key, and is the same whichever operators
/// signed.
pub fn combine(
    cleared: &Cleared,
    parent: &Parent,
    partials: &[Partial],
) -> Result<(G2, Vec<Index>), CombineError> {
    let needed = parent.ceremony().t();
    let good = partials.iter().filter(|partial| partial.verifies(cleared, parent));
    let by_index: BTreeMap<Index, G2> =
        good.map(|partial| (partial.operator, partial.partial)).collect();
    if by_index.len() < needed {
        return Err(CombineError::TooFew { found: by_index.len(), needed });
    }
    let roster = parent.ceremony().roster();
    let used: Vec<(Index, G2)> = by_index.into_iter().take(needed).collect();
    let points: Vec<u64> =
        used.iter().filter_map(|(index, _)| roster.get(*index)).map(|seat| seat.point).collect();
    let rows: Vec<&[G2]> = used.iter().map(|(_, partial)| core::slice::from_ref(partial)).collect();
    let combined = combine_all(&points, &rows).and_then(|signatures| signatures.first().copied());
    let key = &parent.validators()[cleared.validator].public_key;
    match combined.filter(|signature| verify_signature(key, &cleared.message, signature)) {
        Some(signature) => Ok((signature, used.iter().map(|(index, _)| *index).collect())),
        None => Err(CombineError::DoesNotVerify),
    }
}
