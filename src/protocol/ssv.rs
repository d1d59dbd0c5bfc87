//! Encrypted shares for SSV: with its final, every operator publishes its share of every
//! validator, encrypted to its own RSA key, and signs the ciphertexts with that key.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::ethereum::ssv::{RSA_BYTES, RsaSecret, ShareProof};
use crate::identity::operator::Operator;
use crate::message::body::{EncryptedShare, Publishes};
use crate::primitives::curve::{G1, SecretScalar};
use crate::primitives::hash::{Digest, Tag, secret_bytes};
use crate::primitives::secret::{Secret32, deep};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::checks::Signed;
use super::outcome::Sums;
use super::record::ReplayError;
use super::seat::OwnSeat;

/// This operator's RSA key, if the ceremony asks for one; an error if it is missing, or another
/// than the ceremony has.
pub(super) fn own_key(seat: &OwnSeat) -> Result<Option<&RsaSecret>, ReplayError> {
    let Some(ssv) = seat.ceremony.ssv() else { return Ok(None) };
    match &seat.ssv_key {
        Some(key) if *key.public() == ssv.keys[seat.me.position()] => Ok(Some(key)),
        Some(_) | None => Err(ReplayError::SsvKey),
    }
}

/// What an operator encrypts its shares with, to itself.
///
/// All randomness follows from the operator's key, what the shares are sealed for, and the share:
/// the same gives the same bytes, and nobody without the share can tell what the padding is.
pub struct Sealer<'a> {
    key: &'a RsaSecret,
    salt: Secret32,
}

impl<'a> Sealer<'a> {
    /// Seals for `purpose`: the digest `D` of a ceremony, or the id of a later request.
    pub fn new(key: &'a RsaSecret, operator: &Operator, purpose: &Digest) -> Self {
        Self { key, salt: operator.key().prf(Tag::SsvSeed, purpose.as_ref()) }
    }

    /// Encrypts the share at `position`, decrypts it again, and signs what `proof` says of it.
    /// `None` if it does not decrypt to the share of `public_share`, or there is nothing to sign.
    pub fn seal(
        &self,
        position: usize,
        share: &SecretScalar,
        public_share: &G1,
        proof: impl FnOnce(&[u8; RSA_BYTES]) -> Option<ShareProof>,
    ) -> Option<EncryptedShare> {
        let number = u32::try_from(position).expect("at most 8192 validators").to_be_bytes();
        let seed =
            secret_bytes(Tag::SsvSeed, &[self.salt.expose(), &*share.to_be_bytes(), &number]);
        let mut random = Box::new(ChaCha20Rng::from_seed(*seed.expose()));
        let ciphertext = self.key.public().encrypt_share(share, &mut *random);
        self.key.decrypt_share(&ciphertext, public_share, &mut *random).ok()?;
        let root = proof(&ciphertext)?.root();
        Some(EncryptedShare { ciphertext, proof: self.key.sign(&root, &mut *random) })
    }
}

/// Encrypts the shares to this operator's own key, decrypts each again, and proves them. Nothing
/// without SSV.
pub fn seal(
    seat: &OwnSeat,
    sums: &Sums,
    shares: &[SecretScalar],
) -> Result<Vec<EncryptedShare>, ReplayError> {
    let Some(key) = own_key(seat)? else { return Ok(Vec::new()) };
    let sealer = Sealer::new(key, &seat.operator, sums.digest());
    let one = |(v, share): (usize, &SecretScalar)| {
        let public_share = sums.public_share(v, seat.me).ok_or(ReplayError::SharesDamaged)?;
        let of = |ciphertext: &_| proof(&seat.ceremony, sums, v, seat.me, ciphertext);
        sealer.seal(v, share, public_share, of).ok_or(ReplayError::SsvKey)
    };
    shares.par_iter().enumerate().map(|share| deep(|| one(share))).collect()
}

/// That this operator will be able to seal: it does so with the share of one validator, before it
/// signs anything about money. A key that does not decrypt is found in time.
pub(super) fn try_to_seal(
    seat: &OwnSeat,
    sums: &Sums,
    shares: &[SecretScalar],
) -> Result<(), ReplayError> {
    seal(seat, sums, shares.get(..1).unwrap_or_default()).map(drop)
}

/// What an operator proves of its share of validator `v`; `None` without SSV.
fn proof(
    ceremony: &Ceremony,
    sums: &Sums,
    v: usize,
    operator: Index,
    ciphertext: &[u8; 256],
) -> Option<ShareProof> {
    Some(ShareProof {
        validator: sums.public_key(v).to_compressed(),
        encrypted_share: *ciphertext,
        share_key: sums.public_share(v, operator)?.to_compressed(),
        owner: ceremony.ssv()?.owner,
    })
}

/// The first proof that does not verify under its operator's RSA key: position among the statements
/// that publish, and the validator.
pub(super) fn first_unproven<B: Publishes + Sync>(
    ceremony: &Ceremony,
    sums: &Sums,
    published: &[Signed<B>],
) -> Option<(usize, usize)> {
    let ssv = ceremony.ssv()?;
    let shares = |at: usize| published[at].body.encrypted_shares();
    let places: Vec<(usize, usize)> =
        (0..published.len()).flat_map(|at| (0..shares(at).len()).map(move |v| (at, v))).collect();
    let bad = |(at, v): &(usize, usize)| {
        let (operator, sealed) = (published[*at].sender(), &shares(*at)[*v]);
        let proof = proof(ceremony, sums, *v, operator, &sealed.ciphertext);
        !proof
            .is_some_and(|proof| ssv.keys[operator.position()].verify(&proof.root(), &sealed.proof))
    };
    places.into_par_iter().find_first(bad)
}
