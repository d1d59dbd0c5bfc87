//! Secret bytes: wiped on drop, and neither copied, cloned, printed nor serialised.

use zeroize::Zeroize;

/// A secret of unknown length.
///
/// # Security
/// No `Clone`, `Debug` or serde; [`SecretBytes::expose`] is the only way to the bytes, and is meant
/// to be searched for in review.
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes over `bytes`; the caller must not have copied or regrown them.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A 32-byte secret key or seed.
///
/// # Security
/// As [`SecretBytes`].
pub struct Secret32([u8; 32]);

impl Secret32 {
    /// Takes over `bytes`, wiping the caller's copy.
    pub fn new(bytes: &mut [u8; 32]) -> Self {
        let secret = Self(*bytes);
        bytes.zeroize();
        secret
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Secret32 {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
