//! Operator keys: Ed25519 (RFC 8032) under one strict rule, so that every implementation accepts
//! the same signatures.

use core::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::digest::FixedOutput as _;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::short::ShortForm;
use crate::primitives::hash::{Tag, tagged};
use crate::primitives::memo::remember;
use crate::primitives::secret::{Secret32, wiping};

/// Why 32 bytes are not an operator's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// `y >= 2^255 - 19`, or a sign bit on a point without sign.
    #[error("not the canonical encoding of an Ed25519 key")]
    NotCanonical,
    /// No point of the curve has this encoding.
    #[error("not a point of the Ed25519 curve")]
    NotOnCurve,
    /// One of the eight points of small order: signatures under it verify for almost any message.
    #[error("an Ed25519 key of small order")]
    SmallOrder,
}

/// A signature that is not one by this key, under this tag, over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// An operator's public key (32 bytes): canonical, on the curve, not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatorPublic([u8; 32]);

impl OperatorPublic {
    /// Checks encoding and order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::NotOnCurve)?;
        // dalek keeps the encoding it was given: encode the point again to learn whether it was the
        // canonical one.
        if VerifyingKey::from(key.to_edwards()).to_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What people compare: the first 80 bits.
    pub fn short(&self) -> ShortForm {
        ShortForm::of(&self.0)
    }

    /// Checks an Ed25519 signature over the 32 bytes `TH(tag, message)`.
    ///
    /// The rule (RFC 8032 section 5.1.7, with what it leaves open decided): `A` and `R` canonical
    /// and not of small order, `S < l`, and the equation without cofactor, `R = S*B - h*A`.
    pub fn verify(
        &self,
        tag: Tag,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), BadSignature> {
        self.verify_bytes(tagged(tag, &[message]).as_bytes(), signature)
    }

    /// The rule itself. `R` is compared as bytes with the recomputed point, so a non-canonical one
    /// never verifies. Public for vectors over plain messages: what operators sign is always
    /// tagged.
    #[doc(hidden)]
    pub fn verify_bytes(&self, signed: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
        let verify = || {
            VerifyingKey::from_bytes(&self.0)
                .and_then(|key| key.verify_strict(signed, &Signature::from_bytes(signature)))
                .map_err(|_| BadSignature)
        };
        remember("Ed25519", || [&self.0, &signature[..], signed].concat(), verify)
    }
}

impl fmt::Display for OperatorPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for OperatorPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorPublic({self})")
    }
}

/// A key of another system, whose signatures are over bytes as they are: of a user of a message
/// server, say. Never an operator's, which signs nothing without a tag.
///
/// # Security
/// As [`OperatorKey`].
pub struct ForeignKey(Box<SigningKey>);

impl ForeignKey {
    /// The key of a seed (RFC 8032 section 5.1.5).
    pub fn from_seed(seed: Secret32) -> Self {
        wiping(|| Self(Box::new(SigningKey::from_bytes(seed.expose()))))
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs bytes as they are.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        wiping(|| self.0.sign(message).to_bytes())
    }
}

/// An operator's secret key.
///
/// # Security
/// No `Clone`, `Debug` or serde; wiped on drop.
pub struct OperatorKey(Box<SigningKey>);

impl OperatorKey {
    /// The key of a seed (RFC 8032 section 5.1.5).
    pub fn from_seed(seed: Secret32) -> Self {
        // The library gives the key by value.
        wiping(|| Self(Box::new(SigningKey::from_bytes(seed.expose()))))
    }

    /// The public key.
    pub fn public(&self) -> OperatorPublic {
        OperatorPublic(self.0.verifying_key().to_bytes())
    }

    /// Signs the 32 bytes `TH(tag, message)`. Deterministic (RFC 8032 section 5.1.6).
    pub fn sign(&self, tag: Tag, message: &[u8]) -> [u8; 64] {
        self.0.sign(tagged(tag, &[message]).as_bytes()).to_bytes()
    }

    /// Another valid signature of the same, with another nonce: what an operator can always make
    /// that does not keep to the deterministic ones.
    #[cfg(feature = "simulation")]
    pub fn sign_again(&self, tag: Tag, message: &[u8]) -> [u8; 64] {
        use sha2::{Digest as _, Sha512};
        let signed = tagged(tag, &[message]);
        // A key pair gives a nonce and its point.
        let nonce = SigningKey::from_bytes(tagged(tag, &[b"again", signed.as_ref()]).as_bytes());
        let point = nonce.verifying_key().to_bytes();
        let public = self.0.verifying_key().to_bytes();
        let challenge = Sha512::new().chain_update(point).chain_update(public);
        let challenge = challenge.chain_update(signed.as_ref()).finalize();
        let (nonce, secret) = (nonce.to_scalar(), self.0.to_scalar());
        // The challenge modulo the group order, bit by bit: the library's type has no name here.
        let (mut k, one) = (nonce + -nonce, nonce * nonce.invert());
        for byte in challenge.iter().rev() {
            for bit in (0..8).rev() {
                k = if byte >> bit & 1 == 1 { k + k + one } else { k + k };
            }
        }
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&point);
        signature[32..].copy_from_slice(&(nonce + k * secret).to_bytes());
        signature
    }

    /// `HMAC-SHA256(seed, TH(tag, message))`: 32 secret bytes that only this operator can compute.
    pub fn prf(&self, tag: Tag, message: &[u8]) -> Secret32 {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(tagged(tag, &[message]).as_bytes());
        Secret32::filled(|out| mac.finalize_into(out.into()))
    }

    /// The seed, for sealing at rest.
    pub(super) fn expose_seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}
