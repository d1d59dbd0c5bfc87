//! Round R0 (hello). An operator consents, commits to its polynomials before it sees any other's,
//! and publishes one-time keys.

use hkdf::Hkdf;
use rayon::prelude::*;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::message::body::Hello;
use crate::message::envelope::Round;
use crate::primitives::commitment::Commitments;
use crate::primitives::hash::{Digest, Tag, secret_bytes, secret_scalar};
use crate::primitives::polynomial::{Polynomial, commit_all};
use crate::primitives::secret::{Secret32, deep, wiping_all};
use crate::primitives::x25519::DhSecret;

use super::checks::{decode_hellos, distinct_hellos, hello_commitment};
use super::deal;
use super::record::Record;
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
    /// What follows from the seed.
    pub(super) fn new(seat: &OwnSeat, seed: &Secret32) -> Self {
        let polynomials = polynomials(seat, seed);
        // Feldman commitments of all of them.
        let commitments = Commitments::new(seat.ceremony.t(), commit_all(&polynomials));
        Self { polynomials, commitments }
    }
}

/// The dealer's polynomials: `a_{v,k} = HS("coefficient", seed, spec digest, v, k, attempt)`, drawn
/// again while zero.
fn polynomials(seat: &OwnSeat, seed: &Secret32) -> Vec<Polynomial> {
    let spec = seat.ceremony.digest();
    let coefficient = |v: usize, k: usize, again: u32| {
        let (v, k) =
            (u32::try_from(v).expect("at most 8192"), u32::try_from(k).expect("at most 255"));
        let position = [v.to_be_bytes(), k.to_be_bytes(), again.to_be_bytes()].concat();
        secret_scalar(Tag::Coefficient, &[seed.expose(), spec.as_ref(), &position])
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
pub(super) fn say_hello(world: &mut World, entropy: Entropy, step: &mut Step) {
    let (records, body) = wiping_all(|| draw(world, &entropy));
    let seat = &world.seat;
    let statement = seat.sign(Round::Hello, seat.ceremony.digest(), Digest::ZERO, &body.encode());
    world.own(Round::Hello, step, |_| Ok((records, statement))).expect("a hello depends on no log");
}

/// Everything that is secret in it.
fn draw(world: &mut World, entropy: &Entropy) -> (Vec<Record>, Hello) {
    let seat = world.seat.clone();
    let seed = derive_seed(&seat, entropy);
    let one_time = |other: crate::spec::threshold::Index| {
        let parts: [&[u8]; 2] = [seed.expose(), &other.get().to_be_bytes()];
        DhSecret::new(secret_bytes(Tag::OneTimeKey, &parts))
    };
    let keys: Vec<DhSecret> = world.shape.dealers_to(seat.me).iter().map(one_time).collect();
    let dealing = Dealing::new(&seat, &seed);
    let root = dealing.commitments.merkle_root();
    let salt = commit_salt(&seat, &seed);
    let body = Hello {
        nonce: entropy.nonce,
        commitment: hello_commitment(&seat.ceremony, seat.me, &entropy.nonce, &salt, &root),
        anchor: [0; 32],
        one_time_keys: keys.iter().map(DhSecret::public).collect(),
    };
    let records = vec![Record::seed(&seed), Record::one_time_keys(&keys)];
    world.vault.seed = Some(seed);
    world.vault.dealing = Some(dealing);
    world.vault.one_time_keys = Some(keys);
    (records, body)
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
