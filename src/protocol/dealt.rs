//! What deals stand for, in a key generation and in a reshare: commitments to whole polynomials,
//! and what they add up to.

use std::borrow::{Borrow, Cow};

use crate::message::body::Deal;
use crate::primitives::commitment::Commitments;
use crate::spec::ceremony::Ceremony;

use super::checks::Signed;

/// The commitments to a dealer's polynomials, constant terms and all. In a reshare these are its
/// public shares in the parent, which the deal does not bring.
///
/// # Panics
/// Of a reshare without the rows of its parent: nobody takes part in one, or judges one, without.
pub fn dealt<'a>(ceremony: &Ceremony, deal: &'a Signed<Deal>) -> Cow<'a, Commitments> {
    let sent = &deal.body.commitments;
    if deal.body.proof.is_some() {
        return Cow::Borrowed(sent);
    }
    let parent = ceremony.parent_shares().expect("a reshare with the rows of its parent");
    Cow::Owned(parent.complete(deal.sender(), sent).expect("a dealer of the ceremony"))
}

/// What the deals of all dealers, by index, add up to; in a reshare each weighed by its Lagrange
/// coefficient at zero, so that the constants are the keys. `None` if a sum is infinity.
pub fn added<D: Borrow<Signed<Deal>>>(ceremony: &Ceremony, deals: &[D]) -> Option<Commitments> {
    let sent = deals.iter().map(|deal| &deal.borrow().body.commitments);
    match ceremony.parent_shares() {
        None => Commitments::sum(sent),
        Some(parent) => parent.add_up(sent),
    }
}
