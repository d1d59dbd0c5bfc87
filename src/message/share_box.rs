//! Share boxes: a dealer's shares for one operator, sealed to that operator's one-time key.
//!
//! `Noise_N_25519_ChaChaPoly_SHA256`, prologue `TH("box-prologue", session, dealer, recipient, root
//! of the dealer's commitments)`, payload `V` scalars of 32 bytes. The dealer's signed deal fixes
//! the box's digest.

use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::{Digest, Tag, tagged};
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
    /// A scalar at or above the group order.
    #[error("the share for validator {validator} is not a scalar")]
    NotAScalar {
        /// Position of the validator, from 0.
        validator: usize,
    },
}

/// Shares as `32·V` bytes, big-endian, in the spec's order of validators.
pub fn encode_shares(shares: &[SecretScalar]) -> SecretBytes {
    let mut bytes = Vec::with_capacity(32 * shares.len());
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
    // Collected into a result they would be moved as they become more, and what is left behind
    // would not be wiped.
    let mut shares = Vec::with_capacity(validators);
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
