//! X25519 keys (RFC 7748) that cannot be low order or non-canonical.

use core::fmt;

use x25519_dalek::{PublicKey, StaticSecret};

use super::memo::remember;
use super::secret::{Secret32, wiping};

/// Why 32 bytes are not an X25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DhKeyError {
    /// `u >= 2^255 - 19`, or the unused top bit set.
    #[error("not the canonical encoding of an X25519 key")]
    NotCanonical,
    /// A point of small order: every agreement with it gives the same secret.
    #[error("an X25519 key of low order")]
    LowOrder,
}

/// An X25519 public key: canonical and not of low order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DhPublic([u8; 32]);

impl DhPublic {
    /// Checks the encoding and the order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, DhKeyError> {
        // p = 2^255 - 19, little-endian: ed ff .. ff 7f.
        let at_least_p =
            bytes[31] >= 0x7f && bytes[1..31].iter().all(|b| *b == 0xff) && bytes[0] >= 0xed;
        if bytes[31] & 0x80 != 0 || at_least_p {
            return Err(DhKeyError::NotCanonical);
        }
        // Multiplication by the clamped one-scalar clears the cofactor: low-order points, and only
        // they, give zero.
        let probe = || {
            StaticSecret::from([1; 32]).diffie_hellman(&PublicKey::from(bytes)).was_contributory()
        };
        if !remember("X25519", || bytes.to_vec(), probe) {
            return Err(DhKeyError::LowOrder);
        }
        Ok(Self(bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DhPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DhPublic({})", hex::encode(self.0))
    }
}

/// An X25519 secret key.
///
/// # Security
/// As [`Secret32`]. Clamped where it is used (RFC 7748 section 5).
pub struct DhSecret(Secret32);

impl DhSecret {
    /// Any 32 bytes are a secret key.
    pub fn new(bytes: Secret32) -> Self {
        Self(bytes)
    }

    /// The public key.
    pub fn public(&self) -> DhPublic {
        let public = || PublicKey::from(&StaticSecret::from(*self.0.expose()));
        DhPublic(*wiping(public).as_bytes())
    }

    /// The agreement with another's public key (RFC 7748 section 6.1). The other key cannot be of
    /// low order, so it is not zero.
    pub fn agree(&self, other: &DhPublic) -> Secret32 {
        let own = || StaticSecret::from(*self.0.expose());
        let agreed = || own().diffie_hellman(&PublicKey::from(*other.as_bytes()));
        wiping(|| Secret32::copied(agreed().as_bytes()))
    }

    /// The bytes, for sealing at rest and for the Noise handshake.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}
