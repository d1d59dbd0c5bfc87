//! Share boxes: a dealer's shares for one operator, sealed to that operator's one-time key.
//!
//! `Noise_N_25519_ChaChaPoly_SHA256`, prologue `TH("box-prologue", session, dealer, recipient, root
//! of the dealer's commitments)`, payload `V` scalars of 32 bytes. The dealer's signed deal fixes
//! the box's digest.
//!
//! In a reshare the payload has a seed of 32 bytes in front, and the deal also fixes the digest of
//! the list of blinded shares: `TH("blinded-share", prologue, v, blind, share)` with `blind =
//! TH("share-blind", seed, v)`. So a recipient can show one share without the others.

use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::{Digest, Tag, secret_bytes, tagged};
use crate::primitives::noise::{open_box, seal_box};
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::primitives::x25519::{DhPublic, DhSecret};
use crate::spec::threshold::Index;

use super::shape::Shape;

/// Where a box belongs: opening it anywhere else fails.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// The session.
    pub session: Digest,
    /// Who dealt.
    pub dealer: Index,
    /// For whom.
    pub recipient: Index,
    /// Merkle root of the dealer's commitments.
    pub root: Digest,
}

impl Address {
    fn prologue(&self) -> Digest {
        let (dealer, recipient) =
            (self.dealer.get().to_be_bytes(), self.recipient.get().to_be_bytes());
        tagged(Tag::BoxPrologue, &[self.session.as_ref(), &dealer, &recipient, self.root.as_ref()])
    }
}

/// Why a box does not give shares. Either reason proves the dealer wrong to anyone who holds the
/// one-time secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum ShareBoxError {
    /// Wrong length, or it does not decrypt at its address.
    #[error("the share box does not open")]
    Sealed,
    /// In a reshare: what it holds is not what its dealer's deal lists.
    #[error("the share box holds other shares than the deal lists")]
    Unlisted,
    /// A scalar at or above the group order.
    #[error("the share for validator {validator} is not a scalar")]
    NotAScalar {
        /// Position of the validator, from 0.
        validator: usize,
    },
}

/// Shares as `32·V` bytes, big-endian, in the spec's order of validators.
pub fn encode_shares(shares: &[SecretScalar]) -> SecretBytes {
    encode_behind(&[], shares)
}

fn encode_behind(front: &[u8], shares: &[SecretScalar]) -> SecretBytes {
    let mut bytes = Vec::with_capacity(front.len() + 32 * shares.len());
    bytes.extend_from_slice(front);
    shares.iter().for_each(|share| bytes.extend_from_slice(&*share.to_be_bytes()));
    SecretBytes::new(bytes)
}

/// The reverse of [`encode_shares`].
pub fn decode_shares(
    bytes: &SecretBytes,
    validators: usize,
) -> Result<Vec<SecretScalar>, ShareBoxError> {
    let (chunks, rest) = bytes.expose().as_chunks::<32>();
    if chunks.len() != validators || !rest.is_empty() {
        return Err(ShareBoxError::Sealed);
    }
    decode_chunks(chunks)
}

fn decode_chunks(chunks: &[[u8; 32]]) -> Result<Vec<SecretScalar>, ShareBoxError> {
    // Collected into a result they would be moved as they become more, and what is left behind
    // would not be wiped.
    let mut shares = Vec::with_capacity(chunks.len());
    for (validator, bytes) in chunks.iter().enumerate() {
        shares.push(
            SecretScalar::from_be_bytes(bytes)
                .map_err(|_| ShareBoxError::NotAScalar { validator })?,
        );
    }
    Ok(shares)
}

/// Seals `shares` at `address` to the recipient's one-time key.
pub fn seal(
    address: &Address,
    to: &DhPublic,
    shares: &[SecretScalar],
    ephemeral_seed: Secret32,
) -> Vec<u8> {
    seal_box(to, address.prologue().as_ref(), &encode_shares(shares), ephemeral_seed)
}

/// Opens a box with the one-time secret.
pub fn open(
    address: &Address,
    secret: &DhSecret,
    sealed: &[u8],
    shape: &Shape,
) -> Result<Vec<SecretScalar>, ShareBoxError> {
    let opened = open_box(secret, address.prologue().as_ref(), sealed, shape.dealt_bytes())
        .map_err(|_| ShareBoxError::Sealed)?;
    decode_shares(&opened, shape.v)
}

/// Opens a box with the one-time secret, and reads one share, whatever the others are.
pub fn open_one(
    address: &Address,
    secret: &DhSecret,
    sealed: &[u8],
    shape: &Shape,
    validator: usize,
) -> Result<SecretScalar, ShareBoxError> {
    let opened = open_box(secret, address.prologue().as_ref(), sealed, shape.dealt_bytes())
        .map_err(|_| ShareBoxError::Sealed)?;
    let (shares, _) = opened.expose().as_chunks::<32>();
    let share = shares.get(validator).ok_or(ShareBoxError::Sealed)?;
    SecretScalar::from_be_bytes(share).map_err(|_| ShareBoxError::NotAScalar { validator })
}

/// Seals `shares` at `address`, blinded from `seed`, to the recipient's one-time key: the box of a
/// reshare, with the digest of its list.
pub fn seal_listed(
    address: &Address,
    to: &DhPublic,
    shares: &[SecretScalar],
    seed: &Secret32,
    ephemeral_seed: Secret32,
) -> (Vec<u8>, Digest) {
    let payload = encode_behind(seed.expose(), shares);
    let leaves = leaves(address, &payload);
    (seal_box(to, address.prologue().as_ref(), &payload, ephemeral_seed), list_digest(&leaves))
}

/// What a box of a reshare holds: the seed, then the shares as they were sealed, whether or not
/// they are scalars.
pub struct Listed(SecretBytes);

/// Opens a box of a reshare with the one-time secret, and compares what it holds with the `list`
/// that its dealer has signed.
pub fn open_listed(
    address: &Address,
    secret: &DhSecret,
    sealed: &[u8],
    shape: &Shape,
    list: &Digest,
) -> Result<Listed, ShareBoxError> {
    let opened = open_box(secret, address.prologue().as_ref(), sealed, shape.dealt_bytes())
        .map_err(|_| ShareBoxError::Sealed)?;
    match list_digest(&leaves(address, &opened)) == *list {
        true => Ok(Listed(opened)),
        false => Err(ShareBoxError::Unlisted),
    }
}

impl Listed {
    /// The shares, if all of them are scalars.
    pub fn shares(&self) -> Result<Vec<SecretScalar>, ShareBoxError> {
        let (chunks, _) = self.0.expose().as_chunks::<32>();
        decode_chunks(chunks.get(1..).unwrap_or_default())
    }

    /// What shows the share for one validator, and no other, to anybody. `None` if there is no such
    /// validator.
    pub fn show(&self, address: &Address, validator: usize) -> Option<ShownShare> {
        let (chunks, _) = self.0.expose().as_chunks::<32>();
        let (seed, shares) = chunks.split_first()?;
        let share = *shares.get(validator)?;
        let blind = *blind(seed, validator).expose();
        Some(ShownShare { blind, share, list: leaves(address, &self.0) })
    }
}

/// One share of a box of a reshare, shown to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownShare {
    /// What blinds it in the list.
    pub blind: [u8; 32],
    /// It; not necessarily a scalar.
    pub share: [u8; 32],
    /// All blinded shares of the box, by validator.
    pub list: Vec<Digest>,
}

impl ShownShare {
    /// Whether it is the share for `validator` of the list that its dealer has signed.
    pub fn is_of(&self, address: &Address, validator: usize, signed: &Digest) -> bool {
        let own = leaf(&address.prologue(), validator, &self.blind, &self.share);
        self.list.get(validator) == Some(&own) && list_digest(&self.list) == *signed
    }
}

fn position(validator: usize) -> [u8; 4] {
    u32::try_from(validator).expect("at most 8192 validators").to_be_bytes()
}

fn blind(seed: &[u8; 32], validator: usize) -> Secret32 {
    secret_bytes(Tag::ShareBlind, &[seed, &position(validator)])
}

fn leaf(prologue: &Digest, validator: usize, blind: &[u8; 32], share: &[u8; 32]) -> Digest {
    tagged(Tag::BlindedShare, &[prologue.as_ref(), &position(validator), blind, share])
}

/// The blinded shares of a payload: the seed, then the shares.
fn leaves(address: &Address, payload: &SecretBytes) -> Vec<Digest> {
    let (chunks, _) = payload.expose().as_chunks::<32>();
    let Some((seed, shares)) = chunks.split_first() else { return Vec::new() };
    let prologue = address.prologue();
    let of = |(v, share)| leaf(&prologue, v, blind(seed, v).expose(), share);
    shares.iter().enumerate().map(of).collect()
}

fn list_digest(leaves: &[Digest]) -> Digest {
    let parts: Vec<&[u8]> = leaves.iter().map(AsRef::as_ref).collect();
    tagged(Tag::ShareList, &parts)
}

/// The digest that a deal signs.
pub fn digest(sealed: &[u8]) -> Digest {
    tagged(Tag::ShareBox, &[sealed])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::primitives::hash::secret_scalar;

    #[test]
    fn shares_are_read_into_memory_that_never_grows() {
        let shares: Vec<SecretScalar> =
            (0..13u8).map(|v| secret_scalar(Tag::Coefficient, &[&[v]])).collect();
        let bytes = encode_shares(&shares);
        let read = decode_shares(&bytes, 13).unwrap();
        // Whatever grows has room for twice as many as before.
        assert_eq!((read.len(), read.capacity()), (13, 13));
        assert!(encode_shares(&read).expose() == bytes.expose());
        assert!(decode_shares(&bytes, 12).is_err() && decode_shares(&bytes, 14).is_err());
    }
}
