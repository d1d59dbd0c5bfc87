//! Round R1 of a repair. Each helper masks what its share counts for the lost one, with masks that
//! cancel between each two helpers: their sum is the lost share, and each by itself says nothing.
//!
//! Between helpers `i < j` the mask of validator `v` is `HS("repair-mask", X25519(i, j), session,
//! i, j, v)`, from the one-time keys in both hellos. Helper `i` adds it and helper `j` takes it
//! away. Deals commit to all masks, so that everybody sees what each helper has to send.

use crate::message::body::{Deal, Hello};
use crate::message::complaint::{Claim, Shown};
use crate::message::envelope::{Round, Statement, view_root};
use crate::message::shape::Shape;
use crate::message::share_box::Address;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{G1, Scalar, SecretScalar};
use crate::primitives::hash::{Digest, Tag, secret_scalar};
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::{DhPublic, DhSecret};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::checks::Signed;
use super::deal::{Sealed, seal_for};
use super::evidence::{Fault, Rule};
use super::prepare::{complained, sign_complaint};
use super::record::{Record, RecordKind, ReplayError};
use super::seat::OwnSeat;
use super::step::Step;
use super::world::{Made, Stop, World};

/// Whether a helper's shares are those that the parent's transcript gives to it.
pub(super) fn check_own_shares(seat: &OwnSeat) -> Result<(), ReplayError> {
    let (own, parent) = (seat.old_shares()?, seat.ceremony.parent_shares());
    let public = parent.and_then(|parent| parent.of(seat.me)).ok_or(ReplayError::NoParent)?;
    let fits = |(own, public): (&SecretScalar, &G1)| own.base_mult() == Some(*public);
    match own.iter().zip(public).all(fits) {
        true => Ok(()),
        false => Err(ReplayError::OldShares),
    }
}

/// The mask between two helpers.
fn mask(agreed: &Secret32, session: &Digest, pair: [Index; 2], v: usize) -> SecretScalar {
    let [low, high] = if pair[0] < pair[1] { pair } else { [pair[1], pair[0]] };
    let v = u32::try_from(v).expect("at most 8192 validators");
    let parts: [&[u8]; 5] = [
        agreed.expose(),
        session.as_ref(),
        &low.get().to_be_bytes(),
        &high.get().to_be_bytes(),
        &v.to_be_bytes(),
    ];
    secret_scalar(Tag::RepairMask, &parts)
}

/// Makes the deal of a helper: its masks with each other helper, and its masked shares in a box for
/// the one that has lost its own.
pub(super) fn make(
    world: &mut World,
    hellos: &[Signed<Hello>],
    session: Digest,
    view: Vec<Digest>,
) -> Made {
    let (seat, shape) = (world.seat.clone(), world.shape);
    let seed = world.vault.seed.take().ok_or(ReplayError::Incomplete { missing: "seed" })?;
    let keys = world.vault.one_time_keys.as_deref();
    let keys = keys.ok_or(ReplayError::Incomplete { missing: "one-time keys" })?;
    let parent = seat.ceremony.parent_shares().ok_or(ReplayError::NoParent)?;
    let weight = parent.weight_at_lost(seat.me).expect("a helper of the ceremony");
    let mut masked: Vec<SecretScalar> =
        seat.old_shares()?.iter().map(|share| share.scaled(weight)).collect();
    let others = shape.keyed_for(seat.me);
    let mut points: Vec<Vec<G1>> = vec![Vec::with_capacity(others.len()); shape.v];
    for (other, own) in others.iter().zip(keys) {
        let agreed = own.agree(key_for(&shape, hellos, other, seat.me));
        for (v, sum) in masked.iter_mut().enumerate() {
            let mask = mask(&agreed, &session, [seat.me, other], v);
            // Zero with probability 2^-255.
            points[v].push(mask.base_mult().ok_or(ReplayError::Miscomputed)?);
            match seat.me < other {
                true => sum.add_assign(&mask),
                false => sum.add_assign(&mask.scaled(&-Scalar::one())),
            }
        }
    }
    let commitments =
        Commitments::new(shape.dealt_coefficients(), points.into_iter().flatten().collect());
    // A complaint about this machine's memory would look like one about its operator.
    let fits = |(v, share): (usize, &SecretScalar)| {
        share.base_mult() == parent.masked_at_lost(seat.me, &commitments, v)
    };
    if !masked.iter().enumerate().all(fits) {
        return Err(ReplayError::Miscomputed);
    }
    let recipient = shape.recipients_of(seat.me).iter().next().expect("a repair has one");
    let root = commitments.merkle_root();
    let address = Address { session, dealer: seat.me, recipient, root };
    let Sealed { sealed, list } = seal_for(&shape, hellos, &seed, &address, &masked);
    let records = vec![Record::sealed_box(RecordKind::SentBox, recipient, &sealed)];
    let box_digests = vec![crate::message::share_box::digest(&sealed)];
    world.sent.insert(recipient, sealed);
    world.vault.dealt = Some(commitments.clone());
    let root_of_view = view_root(&view);
    let share_lists = list.into_iter().collect();
    let body = Deal { view, salt: None, box_digests, share_lists, proof: None, commitments };
    Ok((records, seat.sign(Round::Deal, session, root_of_view, &body.encode())))
}

/// The one-time key that the hello of `owner` has for `other`.
fn key_for<'a>(
    shape: &Shape,
    hellos: &'a [Signed<Hello>],
    owner: Index,
    other: Index,
) -> &'a DhPublic {
    let hello = shape.named(hellos, Round::Hello, owner).expect("everybody has said hello");
    let place = shape.place_of_key(owner, other).expect("helpers have keys for each other");
    &hello.body.one_time_keys[place]
}

/// The mask of validator `v` between its dealer and `other`, as a deal has it.
fn dealt_mask(ceremony: &Ceremony, deal: &Signed<Deal>, other: Index, v: usize) -> Option<G1> {
    let place = ceremony.parts().dealers.without(deal.sender()).place(other)?;
    deal.body.commitments.row(v).get(place).copied()
}

/// The first validator for which two helpers deal different masks between them.
fn differ(ceremony: &Ceremony, one: &Signed<Deal>, other: &Signed<Deal>) -> Option<usize> {
    (0..ceremony.v()).find(|v| {
        dealt_mask(ceremony, one, other.sender(), *v)
            != dealt_mask(ceremony, other, one.sender(), *v)
    })
}

/// Of a repair: each two helpers deal the same masks between them, so that all masks cancel. Of two
/// that do not, one is at fault.
pub(super) fn masks_agree(ceremony: &Ceremony, deals: &[&Signed<Deal>]) -> Result<(), Box<Fault>> {
    for (at, one) in deals.iter().enumerate() {
        for other in &deals[at + 1..] {
            if let Some(validator) = differ(ceremony, one, other) {
                let operators = [one.sender(), other.sender()];
                let rule = Rule::MasksDiffer { operators, validator };
                return Err(Fault::new(rule, [&one.statement, &other.statement]));
            }
        }
    }
    Ok(())
}

/// If another helper deals other masks between it and this operator than this operator does: shows
/// everybody whose are wrong. `Ok` if there is none.
pub(super) fn object(
    world: &mut World,
    session: Digest,
    deals: &[Signed<Deal>],
    step: &mut Step,
) -> Result<(), Stop> {
    let me = world.seat.me;
    let own = deals.iter().find(|deal| deal.sender() == me);
    let Some(own) = own.filter(|_| world.shape.masks()) else { return Ok(()) };
    let ceremony = world.seat.ceremony.clone();
    let bad = deals.iter().filter(|deal| deal.sender() != me).find_map(|deal| {
        let validator = differ(&ceremony, own, deal)?;
        Some((deal.sender(), Claim::Mask { validator }))
    });
    let Some((dealer, claim)) = bad else { return Ok(()) };
    world.own(Round::Prepare, step, |world| {
        let keys = world.vault.one_time_keys.as_ref();
        let place = world.shape.place_of_key(me, dealer);
        let key = keys.zip(place).and_then(|(keys, place)| keys.get(place));
        let key = key.ok_or(ReplayError::Incomplete { missing: "one-time keys" })?;
        let shown = Shown::Key { opened: *key.expose(), validators: world.shape.v };
        Ok((Vec::new(), sign_complaint(world, session, dealer, claim, shown)))
    })?;
    Err(complained(world, step))
}

/// The verdict on a complaint of `operator` that the mask of `validator` in a deal is not the one
/// that both one-time keys give. `opened`: the secret that it shows; `own`, `others`: the hellos of
/// both.
pub(super) fn judge(
    ceremony: &Ceremony,
    (own, others): (&Signed<Hello>, &Signed<Hello>),
    deal: &Signed<Deal>,
    (opened, validator): (&[u8; 32], usize),
    complaint: &Statement,
) -> Option<Box<Fault>> {
    let shape = Shape::of(ceremony);
    let (operator, dealer) = (own.sender(), deal.sender());
    let secret = DhSecret::new(Secret32::copied(opened));
    let own_key = own.body.one_time_keys.get(shape.place_of_key(operator, dealer)?)?;
    let their_key = others.body.one_time_keys.get(shape.place_of_key(dealer, operator)?)?;
    let session = &complaint.envelope.session;
    let right = || {
        let agreed = secret.agree(their_key);
        mask(&agreed, session, [operator, dealer], validator).base_mult()
    };
    let rule = match secret.public() == *own_key
        && right() != dealt_mask(ceremony, deal, operator, validator)
    {
        true => Rule::Mask { dealer, validator },
        false => Rule::FalseComplaint { operator, dealer },
    };
    let evidence = [&own.statement, &others.statement, &deal.statement, complaint];
    Some(Fault::new(rule, evidence))
}
