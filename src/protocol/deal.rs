//! Round R1 (deal). With every dealer committed, a dealer reveals its commitments, proves that it
//! knows its secrets, and encrypts its shares.

use crate::message::body::{Deal, Hello};
use crate::message::envelope::{Round, Statement, session_id, view_root};
use crate::message::shape::Shape;
use crate::message::share_box::{self, Address};
use crate::primitives::commitment::{Commitments, evaluate};
use crate::primitives::curve::{Scalar, SecretScalar};
use crate::primitives::hash::{Digest, Tag, secret_bytes, secret_scalar};
use crate::primitives::polynomial::Polynomial;
use crate::primitives::possession::{self, Proof};
use crate::primitives::secret::Secret32;

use super::checks::{
    DistinctHellos, Signed, add_up, deals_follow_hellos, decode_deals, distinct_constants,
    known_constants, opened,
};
use super::hello::{Dealing, commit_salt};
use super::masks;
use super::outcome::{confirmation_weights, fold_shares};
use super::prepare::{self, Checked};
use super::record::{Record, RecordKind, ReplayError};
use super::seat::OwnSeat;
use super::stage::Stage;
use super::step::Step;
use super::world::{Advance, Made, Stop, World};

/// Waiting for every dealer's deal and its share box.
pub(super) struct AwaitDeals {
    session: Digest,
    hellos: Vec<Signed<Hello>>,
    distinct_hellos: DistinctHellos,
}

/// Deals, unless this operator has done so before.
pub(super) fn deal(
    world: &mut World,
    hellos: Vec<Signed<Hello>>,
    distinct_hellos: DistinctHellos,
    step: &mut Step,
) -> Result<Stage, Stop> {
    let view: Vec<Digest> = hellos.iter().map(|hello| hello.statement.digest()).collect();
    let session = session_id(&world.seat.ceremony, &view);
    world.inbox.set_session(session);
    world.own(Round::Deal, step, |world| match world.shape.masks() {
        true => masks::make(world, &hellos, session, view),
        false => make(world, &hellos, session, view),
    })?;
    step.erase.push(RecordKind::Seed);
    (world.vault.seed, world.vault.dealing) = (None, None);
    Ok(Stage::Deals(Box::new(AwaitDeals { session, hellos, distinct_hellos })))
}

fn make(world: &mut World, hellos: &[Signed<Hello>], session: Digest, view: Vec<Digest>) -> Made {
    let seat = world.seat.clone();
    let seed = world.vault.seed.take().ok_or(ReplayError::Incomplete { missing: "seed" })?;
    let dealing = match world.vault.dealing.take() {
        Some(dealing) => dealing,
        None => Dealing::new(&seat, &seed)?,
    };
    let Dealing { polynomials, commitments } = dealing;
    let root = commitments.merkle_root();
    let makes_keys = world.shape.makes_keys();
    let proof = makes_keys.then(|| prove(&seat, &seed, session, root, &polynomials));

    let shares_at = |point: u64| -> Vec<SecretScalar> {
        let x = Scalar::from_u64(point);
        polynomials.iter().map(|polynomial| polynomial.evaluate(&x)).collect()
    };
    let point = |index| seat.ceremony.roster().get(index).expect("an index of the roster").point;
    // The deal is useless without the boxes it signs: they go to the log before it.
    let mut records = Vec::new();
    let (mut box_digests, mut share_lists) = (Vec::new(), Vec::new());
    for recipient in world.shape.recipients_of(seat.me).iter() {
        let address = Address { session, dealer: seat.me, recipient, root };
        let shares = shares_at(point(recipient));
        // A complaint about a share of a key that lives would be a pity if only this machine's
        // memory was to blame.
        if !makes_keys && !fit(&commitments, point(recipient), &shares) {
            return Err(ReplayError::Miscomputed);
        }
        let Sealed { sealed, list } = seal_for(&world.shape, hellos, &seed, &address, &shares);
        share_lists.extend(list);
        box_digests.push(share_box::digest(&sealed));
        records.push(Record::sealed_box(RecordKind::SentBox, recipient, &sealed));
        world.sent.insert(recipient, sealed);
    }
    if world.shape.parts.receivers.contains(seat.me) {
        let own = shares_at(point(seat.me));
        records.push(Record::shares(RecordKind::OwnShares, &own));
        world.vault.own_shares = Some(own);
    }

    let root_of_view = view_root(&view);
    let commitments = match makes_keys {
        true => commitments,
        false => commitments.without_constants(),
    };
    world.vault.dealt = Some(commitments.clone());
    let salt = Some(commit_salt(&seat, &seed));
    let body = Deal { view, salt, box_digests, share_lists, proof, commitments };
    Ok((records, seat.sign(Round::Deal, session, root_of_view, &body.encode())))
}

/// A box, with the digest of its list of blinded shares where it has one.
pub(super) struct Sealed {
    pub(super) sealed: Vec<u8>,
    pub(super) list: Option<Digest>,
}

/// Seals `shares` at `address`, to the one-time key in the recipient's hello.
pub(super) fn seal_for(
    shape: &Shape,
    hellos: &[Signed<Hello>],
    seed: &Secret32,
    address: &Address,
    shares: &[SecretScalar],
) -> Sealed {
    let Address { session, dealer, recipient, root } = address;
    let hello = shape.named(hellos, Round::Hello, *recipient);
    let place = shape.place_of_key(*recipient, *dealer);
    let to = hello.zip(place).map(|(hello, place)| &hello.body.one_time_keys[place]);
    let to = to.expect("every recipient has said hello, with a key for this box");
    let parts: [&[u8]; 4] =
        [seed.expose(), session.as_ref(), &recipient.get().to_be_bytes(), root.as_ref()];
    let ephemeral = secret_bytes(Tag::BoxEphemeral, &parts);
    if shape.makes_keys() {
        let sealed = share_box::seal(address, to, shares, ephemeral);
        return Sealed { sealed, list: None };
    }
    let blinding = secret_bytes(Tag::BlindingSeed, &parts);
    let (sealed, list) = share_box::seal_listed(address, to, shares, &blinding, ephemeral);
    Sealed { sealed, list: Some(list) }
}

/// Proves that the dealer knows the constant terms.
fn prove(
    seat: &OwnSeat,
    seed: &Secret32,
    session: Digest,
    root: Digest,
    polynomials: &[Polynomial],
) -> Proof {
    let statement = possession::Statement { session, dealer: seat.me.get(), root };
    let attempt = |again: u32| {
        let parts: [&[u8]; 4] =
            [seed.expose(), session.as_ref(), root.as_ref(), &again.to_be_bytes()];
        let nonce = secret_scalar(Tag::PopNonce, &parts);
        statement.prove(polynomials.iter().map(Polynomial::constant), nonce)
    };
    (0u32..).find_map(attempt).expect("a nonce that is not zero comes soon")
}

/// Whether shares are those of the committed polynomials at `point`: folded, with weights that the
/// commitments give.
fn fit(commitments: &Commitments, point: u64, shares: &[SecretScalar]) -> bool {
    let weights = confirmation_weights(&commitments.merkle_root(), shares.len());
    let expected = evaluate(commitments.fold(&weights).into_iter(), point).finish();
    fold_shares(&weights, shares).base_mult() == expected
}

#[cfg(test)]
impl AwaitDeals {
    /// The stage as it is entered, with no hello decoded.
    pub(super) fn empty(session: Digest) -> Self {
        let distinct_hellos = super::checks::distinct_hellos(&[]).expect("none is twice");
        Self { session, hellos: Vec::new(), distinct_hellos }
    }
}

impl AwaitDeals {
    pub(super) fn advance(
        self: Box<Self>,
        world: &mut World,
        step: &mut Step,
    ) -> Result<Advance, Stop> {
        let past = world.recall(Round::Prepare);
        let mut dealers = world.shape.dealers_to(world.seat.me).iter();
        let boxes = past || dealers.all(|dealer| world.received.contains_key(&dealer));
        let statements = match world.inbox.complete(Round::Deal) {
            Some(statements) if boxes => statements,
            _ => return Ok(Advance::Stay(Stage::Deals(self))),
        };
        let ceremony = world.seat.ceremony.clone();
        let own = world.vault.dealt.take();
        let deals = decode_deals(&statements, &world.shape, own.as_ref())?;
        let hellos: Vec<Statement> =
            self.hellos.iter().map(|hello| hello.statement.clone()).collect();
        let follow = deals_follow_hellos(&hellos, &deals)?;
        masks::object(world, self.session, &deals, step)?;
        let checked = Checked {
            session: self.session,
            distinct_hellos: self.distinct_hellos,
            deals_follow_hellos: follow,
            opened: opened(&ceremony, &self.hellos, &deals)?,
            // First who knows its constants: who copied one does not.
            known_constants: known_constants(&self.session, &deals)?,
            distinct_constants: distinct_constants(&deals)?,
            sums: add_up(&ceremony, &self.session, &deals)?,
        };
        prepare::store_shares(world, checked, &deals, step).map(Advance::Next)
    }
}
