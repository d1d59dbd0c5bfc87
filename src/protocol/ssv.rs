//! Encrypted shares for SSV: with its commit, every operator publishes its share of every
//! validator, encrypted to its own RSA key, and signs the ciphertexts with that key.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::ethereum::ssv::{RsaSecret, ShareProof};
use crate::message::body::{Commit, EncryptedShare};
use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::{Tag, secret_bytes};
use crate::primitives::secret::deep;
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

/// Encrypts the shares to this operator's own key, decrypts each again, and proves them. Nothing
/// without SSV.
///
/// All randomness follows from the operator's key and the share: the same commit gives the same
/// bytes, and nobody without the share can tell what the padding is.
pub fn seal(
    seat: &OwnSeat,
    sums: &Sums,
    shares: &[SecretScalar],
) -> Result<Vec<EncryptedShare>, ReplayError> {
    let Some(key) = own_key(seat)? else { return Ok(Vec::new()) };
    let salt = seat.operator.key().prf(Tag::SsvSeed, sums.digest().as_ref());
    let one = |(v, share): (usize, &SecretScalar)| {
        let number = u32::try_from(v).expect("at most 8192 validators").to_be_bytes();
        let seed = secret_bytes(Tag::SsvSeed, &[salt.expose(), &*share.to_be_bytes(), &number]);
        let mut random = Box::new(ChaCha20Rng::from_seed(*seed.expose()));
        let ciphertext = key.public().encrypt_share(share, &mut *random);
        let public_share = sums.public_share(v, seat.me).ok_or(ReplayError::SharesDamaged)?;
        key.decrypt_share(&ciphertext, public_share, &mut *random)
            .map_err(|_| ReplayError::SsvKey)?;
        let root =
            proof(&seat.ceremony, sums, v, seat.me, &ciphertext).ok_or(ReplayError::SsvKey)?.root();
        Ok(EncryptedShare { ciphertext, proof: key.sign(&root, &mut *random) })
    };
    shares.par_iter().enumerate().map(|share| deep(|| one(share))).collect()
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

/// The first proof that does not verify under its operator's RSA key: position among the commits,
/// and the validator.
pub(super) fn first_unproven(
    ceremony: &Ceremony,
    sums: &Sums,
    commits: &[Signed<Commit>],
) -> Option<(usize, usize)> {
    let ssv = ceremony.ssv()?;
    let published = |at: usize| commits[at].body.sealed.len();
    let places: Vec<(usize, usize)> =
        (0..commits.len()).flat_map(|at| (0..published(at)).map(move |v| (at, v))).collect();
    let bad = |(at, v): &(usize, usize)| {
        let (operator, sealed) = (commits[*at].sender(), &commits[*at].body.sealed[*v]);
        let proof = proof(ceremony, sums, *v, operator, &sealed.ciphertext);
        !proof
            .is_some_and(|proof| ssv.keys[operator.position()].verify(&proof.root(), &sealed.proof))
    };
    places.into_par_iter().find_first(bad)
}
