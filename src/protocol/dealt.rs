//! What deals stand for, in a key generation, a reshare and a repair: what each dealer has to send
//! to whom, in the exponent, and what it all adds up to.

use std::borrow::{Borrow, Cow};

use crate::message::body::Deal;
use crate::primitives::commitment::{Commitments, evaluate, evaluate_row};
use crate::primitives::curve::{G1, G1Sum, Scalar};
use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::checks::Signed;

/// What a deal promises.
pub struct Dealt<'a> {
    ceremony: &'a Ceremony,
    dealer: Index,
    /// The commitments to a dealer's polynomials, constant terms and all. In a reshare these are
    /// its public shares in the parent, which the deal does not bring. In a repair those to masks.
    commitments: Cow<'a, Commitments>,
}

/// What `deal` promises.
///
/// # Panics
/// Of a reshare without the rows of its parent: nobody takes part in one, or judges one, without.
pub fn dealt<'a>(ceremony: &'a Ceremony, deal: &'a Signed<Deal>) -> Dealt<'a> {
    let (sent, dealer) = (&deal.body.commitments, deal.sender());
    let commitments = match deal.body.proof.is_some() || ceremony.is_repair() {
        true => Cow::Borrowed(sent),
        false => {
            let parent = ceremony.parent_shares().expect("a reshare with the rows of its parent");
            Cow::Owned(parent.complete(dealer, sent).expect("a dealer of the ceremony"))
        }
    };
    Dealt { ceremony, dealer, commitments }
}

impl Dealt<'_> {
    /// Merkle root over all commitments: what a hello commits to, and where a box belongs.
    pub fn merkle_root(&self) -> Digest {
        self.commitments.merkle_root()
    }

    /// What the receiver at `point` gets for validator `v`; `None` if that is infinity, or there is
    /// no such validator.
    pub fn share(&self, v: usize, point: u64) -> Option<G1> {
        if v >= self.commitments.len() {
            return None;
        }
        match self.ceremony.is_repair() {
            true => {
                let parent = self.ceremony.parent_shares()?;
                parent.masked_at_lost(self.dealer, &self.commitments, v)
            }
            false => evaluate_row(self.commitments.row(v), point).finish(),
        }
    }

    /// All that the receiver at `point` gets, folded with these weights; `None` for infinity.
    pub fn folded(&self, weights: &[u128], point: u64) -> Option<G1> {
        if !self.ceremony.is_repair() {
            return evaluate(self.commitments.fold(weights).into_iter(), point).finish();
        }
        let mut sum = G1Sum::zero();
        for (v, weight) in weights.iter().enumerate() {
            if let Some(share) = self.share(v, point) {
                sum.add_sum(&G1Sum::from(share).scaled(&Scalar::from_u128(*weight)));
            }
        }
        sum.finish()
    }
}

/// What the deals of all dealers, by index, add up to; in a reshare each weighed by its Lagrange
/// coefficient at zero, so that the constants are the keys. In a repair, where shares stay as they
/// are, what the parent's did. `None` if a sum is infinity.
pub fn added<D: Borrow<Signed<Deal>>>(ceremony: &Ceremony, deals: &[D]) -> Option<Commitments> {
    if ceremony.is_repair() {
        return Some(ceremony.parent_shares()?.rows().clone());
    }
    let sent = deals.iter().map(|deal| &deal.borrow().body.commitments);
    match ceremony.parent_shares() {
        None => Commitments::sum(sent),
        Some(parent) => parent.add_up(sent),
    }
}
