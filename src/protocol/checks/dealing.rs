//! The checks of hellos and deals, and the sums that follow: V5 to V11.

use std::borrow::Borrow;

use crate::message::body::{Deal, Hello};
use crate::message::envelope::{Statement, view_root};
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::primitives::possession::{self, first_false};
use crate::protocol::dealt::{added, dealt};
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::findings::{equal_constants, repetitions};
use crate::protocol::masks::masks_agree;
use crate::protocol::outcome::Sums;
use crate::spec::ceremony::Ceremony;
use crate::spec::parent::ParentShares;
use crate::spec::threshold::Index;

use super::decode::Signed;
use super::{
    DealsFollowHellos, DistinctConstants, DistinctHellos, KnownConstants, Opened, views_agree,
};

/// V5: nonces, commitments and one-time keys are all different.
pub fn distinct_hellos(hellos: &[Signed<Hello>]) -> Result<DistinctHellos, Box<Fault>> {
    let hellos: Vec<&Signed<Hello>> = hellos.iter().collect();
    match repetitions(&hellos).into_iter().next() {
        None => Ok(DistinctHellos(())),
        Some(fault) => Err(Box::new(fault)),
    }
}

/// V6: every deal's view is the set of hellos.
pub fn deals_follow_hellos(
    hellos: &[Statement],
    deals: &[Signed<Deal>],
) -> Result<DealsFollowHellos, Box<Fault>> {
    views_agree(hellos, deals.iter().map(|deal| (&deal.statement, deal.body.view.as_slice())))?;
    Ok(DealsFollowHellos(()))
}

/// `com_i = TH("commit", spec digest, i, nonce, salt, root of the commitments)`.
pub fn hello_commitment(
    ceremony: &Ceremony,
    dealer: Index,
    nonce: &[u8; 32],
    salt: &[u8; 32],
    root: &Digest,
) -> Digest {
    tagged(
        Tag::Commit,
        &[ceremony.digest().as_ref(), &dealer.get().to_be_bytes(), nonce, salt, root.as_ref()],
    )
}

/// V7: every deal opens its hello's commitment.
pub fn opened(
    ceremony: &Ceremony,
    hellos: &[Signed<Hello>],
    deals: &[Signed<Deal>],
) -> Result<Opened, Box<Fault>> {
    if ceremony.is_repair() {
        // Masks follow from the one-time keys in the hellos, which commit to nothing else.
        return Ok(Opened(()));
    }
    let dealers = ceremony.parts().dealers;
    let hellos = hellos.iter().filter(|hello| dealers.contains(hello.sender()));
    for (hello, deal) in hellos.zip(deals) {
        let root = dealt(ceremony, deal).merkle_root();
        let of = |salt| hello_commitment(ceremony, deal.sender(), &hello.body.nonce, salt, &root);
        if deal.body.salt.as_ref().map(of) != hello.body.commitment {
            return Err(Fault::new(
                Rule::Opening { dealer: deal.sender() },
                [&hello.statement, &deal.statement],
            ));
        }
    }
    Ok(Opened(()))
}

/// V9: no constant term occurs twice, within a dealer or across dealers.
pub fn distinct_constants<D: Borrow<Signed<Deal>>>(
    deals: &[D],
) -> Result<DistinctConstants, Box<Fault>> {
    match equal_constants(deals).into_iter().next() {
        None => Ok(DistinctConstants(())),
        Some(fault) => Err(Box::new(fault)),
    }
}

/// V10: every dealer's proof of possession.
pub fn known_constants<D: Borrow<Signed<Deal>>>(
    session: &Digest,
    deals: &[D],
) -> Result<KnownConstants, Box<Fault>> {
    let deals: Vec<&Signed<Deal>> = deals.iter().map(Borrow::borrow).collect();
    let statement = |deal: &Signed<Deal>| possession::Statement {
        session: *session,
        dealer: deal.sender().get(),
        root: deal.body.commitments.merkle_root(),
    };
    // In a reshare the constants are of the parent, and known.
    let deals: Vec<&Signed<Deal>> =
        deals.into_iter().filter(|deal| deal.body.proof.is_some()).collect();
    let proofs = deals.iter().filter_map(|deal| {
        let (constants, proof) = deal.body.constants()?;
        Some((statement(deal), constants, proof))
    });
    match first_false(proofs).map(|at| &deals[at]) {
        None => Ok(KnownConstants(())),
        Some(bad) => {
            Err(Fault::new(Rule::ProofOfPossession { dealer: bad.sender() }, [&bad.statement]))
        }
    }
}

/// Adds up the deals: V11.
pub fn add_up<D: Borrow<Signed<Deal>>>(
    ceremony: &Ceremony,
    session: &Digest,
    deals: &[D],
) -> Result<Sums, Box<Fault>> {
    let deals: Vec<&Signed<Deal>> = deals.iter().map(Borrow::borrow).collect();
    let view: Vec<Digest> = deals.iter().map(|deal| deal.statement.digest()).collect();
    let points: Vec<u64> = ceremony.receivers().map(|(_, seat)| seat.point).collect();
    if ceremony.is_repair() {
        masks_agree(ceremony, &deals)?;
    }
    let sums = added(ceremony, &deals).and_then(|sums| {
        let receivers = ceremony.parts().receivers;
        Sums::new(session, &view_root(&view), sums, receivers, &points)
    });
    let sums = sums.ok_or_else(|| Fault::new(Rule::Degenerate, []))?;
    let all = |v| core::iter::once(sums.public_key(v)).chain(sums.public_shares(v).iter().copied());
    // In a reshare no new public share is one of a dealer's old ones, and in a repair the regained
    // one is no helper's; in an import those are keys, which stand there already.
    let old = ceremony.parent_shares().filter(|_| ceremony.has_parent());
    let old = old.into_iter().flat_map(ParentShares::all);
    let mut keys: Vec<[u8; 48]> =
        (0..ceremony.v()).flat_map(all).chain(old).map(|key| key.to_compressed()).collect();
    keys.sort_unstable();
    match keys.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(Fault::new(Rule::Degenerate, [])),
        false => Ok(sums),
    }
}
