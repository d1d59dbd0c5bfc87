//! Round R0 (hello). An operator consents, commits to its polynomials before it sees any other's,
//! and publishes one-time keys.

use hkdf::Hkdf;
use rayon::prelude::*;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::message::body::Hello;
use crate::message::envelope::Round;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::{Scalar, SecretScalar};
use crate::primitives::hash::{Digest, Tag, secret_bytes, secret_scalar};
use crate::primitives::polynomial::{Polynomial, commit_all};
use crate::primitives::secret::{Secret32, deep, wiping_all};
use crate::primitives::x25519::DhSecret;

use super::checks::{decode_hellos, distinct_hellos, hello_commitment};
use super::deal;
use super::masks;
use super::record::{Record, ReplayError};
use super::seat::OwnSeat;
use super::stage::Stage;
use super::step::{Entropy, Step};
use super::world::{Advance, Stop, World};

/// Waiting for every operator's hello.
pub(super) struct AwaitHellos;

/// `seed = HKDF-SHA256(ikm = entropy ‖ extra, salt = PRF_identity(spec digest ‖ nonce))`: hedged,
/// so that a dead random source leaks nothing to outsiders. The spec digest holds the attempt and
/// the map of points to people, so no polynomial is ever dealt under two of them.
fn derive_seed(seat: &OwnSeat, entropy: &Entropy) -> Secret32 {
    let salted = [seat.ceremony.digest().as_ref(), &entropy.nonce[..]].concat();
    let salt = seat.operator.key().prf(Tag::SeedSalt, &salted);
    let input = Zeroizing::new([entropy.seed.expose().as_slice(), entropy.extra.expose()].concat());
    Secret32::filled(|seed| {
        Hkdf::<Sha256>::new(Some(salt.expose()), &input)
            .expand(Tag::Seed.text().as_bytes(), seed)
            .expect("32 bytes are within HKDF's bound")
    })
}

/// A dealer's polynomials with their commitments.
pub(super) struct Dealing {
    pub(super) polynomials: Vec<Polynomial>,
    pub(super) commitments: Commitments,
}

impl Dealing {
    /// What follows from the seed, and in a reshare from the dealer's shares of the parent.
    ///
    /// # Errors
    /// The shares of the parent are missing, or are not those that its transcript gives to this
    /// operator.
    pub(super) fn new(seat: &OwnSeat, seed: &Secret32) -> Result<Self, ReplayError> {
        let parent = seat.ceremony.parent_shares();
        let old = match parent {
            None => None,
            Some(_) => Some(seat.old_shares()?),
        };
        let polynomials = polynomials(seat, seed, old);
        // Feldman commitments of all of them.
        let commitments = Commitments::new(seat.ceremony.t(), commit_all(&polynomials));
        let public = parent.and_then(|parent| parent.of(seat.me));
        match public.is_none_or(|public| commitments.constants().eq(public.iter().copied())) {
            true => Ok(Self { polynomials, commitments }),
            false => Err(ReplayError::OldShares),
        }
    }
}

/// The dealer's polynomials: `a_{v,k} = HS("coefficient", seed, spec digest, v, k, attempt)`, drawn
/// again while zero; but `a_{v,0}` is the dealer's `old` share, if it deals those.
fn polynomials(seat: &OwnSeat, seed: &Secret32, old: Option<&[SecretScalar]>) -> Vec<Polynomial> {
    let spec = seat.ceremony.digest();
    let coefficient = |v: usize, k: usize, again: u32| {
        let (v, k) =
            (u32::try_from(v).expect("at most 8192"), u32::try_from(k).expect("at most 255"));
        let position = [v.to_be_bytes(), k.to_be_bytes(), again.to_be_bytes()].concat();
        secret_scalar(Tag::Coefficient, &[seed.expose(), spec.as_ref(), &position])
    };
    let coefficient = |v: usize, k: usize, again: u32| match (k, old) {
        (0, Some(old)) => old[v].scaled(&Scalar::one()),
        _ => coefficient(v, k, again),
    };
    let polynomial = |v| {
        let draws =
            (0..).map(|again| (0..seat.ceremony.t()).map(|k| coefficient(v, k, again)).collect());
        draws
            .filter_map(Polynomial::from_coefficients)
            .next()
            .expect("a draw without zero comes soon")
    };
    (0..seat.ceremony.v())
        .into_par_iter()
        .with_min_len(64)
        .map(|v| deep(|| polynomial(v)))
        .collect()
}

/// The salt that hides the commitments until the deal.
pub(super) fn commit_salt(seat: &OwnSeat, seed: &Secret32) -> [u8; 32] {
    *secret_bytes(Tag::CommitSalt, &[seed.expose(), seat.ceremony.digest().as_ref()]).expose()
}

/// Makes the seed, the one-time keys and the hello.
pub(super) fn say_hello(
    world: &mut World,
    entropy: Entropy,
    step: &mut Step,
) -> Result<(), ReplayError> {
    let (records, body) = wiping_all(|| draw(world, &entropy))?;
    let seat = &world.seat;
    let statement = seat.sign(Round::Hello, seat.ceremony.digest(), Digest::ZERO, &body.encode());
    world.own(Round::Hello, step, |_| Ok((records, statement)))
}

/// Everything that is secret in it.
fn draw(world: &mut World, entropy: &Entropy) -> Result<(Vec<Record>, Hello), ReplayError> {
    let seat = world.seat.clone();
    let seed = derive_seed(&seat, entropy);
    let one_time = |other: crate::spec::threshold::Index| {
        let parts: [&[u8]; 2] = [seed.expose(), &other.get().to_be_bytes()];
        DhSecret::new(secret_bytes(Tag::OneTimeKey, &parts))
    };
    let keys: Vec<DhSecret> = world.shape.keyed_for(seat.me).iter().map(one_time).collect();
    let mut records = Vec::new();
    let mut commitment = None;
    // Who does not deal needs the seed no more.
    if world.shape.parts.dealers.contains(seat.me) && world.shape.masks() {
        masks::check_own_shares(&seat)?;
        records.push(Record::seed(&seed));
        world.vault.seed = Some(seed);
    } else if world.shape.parts.dealers.contains(seat.me) {
        let dealing = Dealing::new(&seat, &seed)?;
        let root = dealing.commitments.merkle_root();
        let salt = commit_salt(&seat, &seed);
        let nonce = &entropy.nonce;
        commitment = Some(hello_commitment(&seat.ceremony, seat.me, nonce, &salt, &root));
        records.push(Record::seed(&seed));
        world.vault.seed = Some(seed);
        world.vault.dealing = Some(dealing);
    }
    let body = Hello {
        nonce: entropy.nonce,
        commitment,
        anchor: [0; 32],
        one_time_keys: keys.iter().map(DhSecret::public).collect(),
    };
    records.push(Record::one_time_keys(&keys));
    world.vault.one_time_keys = Some(keys);
    Ok((records, body))
}

impl AwaitHellos {
    pub(super) fn advance(self, world: &mut World, step: &mut Step) -> Result<Advance, Stop> {
        let Some(statements) = world.inbox.complete(Round::Hello) else {
            return Ok(Advance::Stay(Stage::Hellos(self)));
        };
        let hellos = decode_hellos(&statements, &world.shape)?;
        let distinct = distinct_hellos(&hellos)?;
        deal::deal(world, hellos, distinct, step).map(Advance::Next)
    }
}
