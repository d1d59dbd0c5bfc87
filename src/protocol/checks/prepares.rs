//! The checks of prepares: V12 and V13.

use std::borrow::Borrow;

use crate::message::body::Prepare;
use crate::message::envelope::Statement;
use crate::primitives::batch::{SameMessage, verify_signature, verify_signatures};
use crate::primitives::curve::{G1, G2};
use crate::primitives::hash::{DST_POSSESSION, DST_REHEARSAL_POSSESSION, Digest, Tag, tagged};
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::outcome::Sums;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::decode::Signed;
use super::{Prepared, SharesProven, views_agree, weights_over};

/// V12: certificate 1. Every operator prepared over the same deals, and its root of the sums is
/// theirs.
pub fn prepared(
    deals: &[Statement],
    sums: &Sums,
    prepares: &[Signed<Prepare>],
) -> Result<Prepared, Box<Fault>> {
    views_agree(
        deals,
        prepares.iter().map(|prepare| (&prepare.statement, prepare.body.view.as_slice())),
    )?;
    sums_root(sums, prepares)?;
    Ok(Prepared(()))
}

/// Every root of the sums follows from the deals.
pub(crate) fn sums_root(sums: &Sums, prepares: &[Signed<Prepare>]) -> Result<(), Box<Fault>> {
    let follows = |prepare: &&Signed<Prepare>| {
        prepare.body.stored.as_ref().is_some_and(|stored| stored.sums_root != sums.root())
    };
    match prepares.iter().find(follows) {
        None => Ok(()),
        Some(bad) => Err(Fault::new(Rule::SumsRoot { operator: bad.sender() }, [&bad.statement])),
    }
}

/// The message of seat `j`'s possession proof, as a point. Different for every seat: partial
/// signatures on one message could be interpolated by a dealer of rogue keys.
pub fn possession_message(dkg: &Digest, seat: Index) -> G2 {
    possession_under(DST_POSSESSION, dkg, seat)
}

/// The same in `ceremony`, which may be a rehearsal.
pub(in crate::protocol) fn possession_in(ceremony: &Ceremony, dkg: &Digest, seat: Index) -> G2 {
    match ceremony.is_rehearsal() {
        true => possession_under(DST_REHEARSAL_POSSESSION, dkg, seat),
        false => possession_message(dkg, seat),
    }
}

fn possession_under(dst: &[u8], dkg: &Digest, seat: Index) -> G2 {
    G2::hash(tagged(Tag::Possess, &[dkg.as_ref(), &seat.get().to_be_bytes()]).as_ref(), dst)
}

/// V13: the possession proof in each of `prepares` verifies under its seat's key, which is derived
/// from the sums.
pub fn shares_proven<P: Borrow<Signed<Prepare>>>(
    ceremony: &Ceremony,
    sums: &Sums,
    prepares: &[P],
) -> Result<SharesProven, Box<Fault>> {
    let prepares: Vec<&Signed<Prepare>> = prepares.iter().map(Borrow::borrow).collect();
    let degenerate = || Fault::new(Rule::Degenerate, []);
    let proofs: Vec<(G1, G2, G2, &Signed<Prepare>)> = prepares
        .iter()
        .filter_map(|prepare| Some((prepare.body.stored.as_ref()?.possession, *prepare)))
        .map(|(possession, prepare)| {
            let seat = ceremony.roster().get(prepare.sender()).ok_or_else(degenerate)?;
            let key = sums.confirmation_key(seat.point).ok_or_else(degenerate)?;
            Ok((key, possession_in(ceremony, sums.digest(), prepare.sender()), possession, prepare))
        })
        .collect::<Result<_, Box<Fault>>>()?;
    let batch: Vec<SameMessage> = proofs
        .iter()
        .map(|(key, message, possession, _)| SameMessage {
            message: *message,
            signed: vec![(*key, *possession)],
        })
        .collect();
    if verify_signatures(&batch, &mut weights_over(sums.digest(), &prepares)) {
        return Ok(SharesProven(()));
    }
    let culprit = proofs
        .iter()
        .find(|(key, message, possession, _)| !verify_signature(key, message, possession));
    let (_, _, _, culprit) = culprit.expect("a batch of valid proofs verifies");
    Err(Fault::new(Rule::Possession { operator: culprit.sender() }, [&culprit.statement]))
}
