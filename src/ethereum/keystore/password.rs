//! Keystore passwords (EIP-2335, "Password requirements").

use unicode_normalization::UnicodeNormalization;

use crate::primitives::secret::{SecretBytes, wiping};

/// Why bytes are not a keystore password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing is left once control characters are dropped; some validator clients refuse it.
    #[error("the keystore password is empty")]
    Empty,
    /// Not UTF-8.
    #[error("the keystore password is not UTF-8 text")]
    NotText,
}

/// A password as the key derivation takes it: NFKD, without control characters, UTF-8, not empty.
///
/// # Security
/// Wiped on drop.
pub struct Password(SecretBytes);

impl Password {
    /// Normalises UTF-8 `text`.
    pub fn new(text: &SecretBytes) -> Result<Self, PasswordError> {
        let text = core::str::from_utf8(text.expose()).map_err(|_| PasswordError::NotText)?;
        let normal = normalised(text);
        if normal.expose().is_empty() { Err(PasswordError::Empty) } else { Ok(Self(normal)) }
    }

    /// The normalised bytes.
    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

/// NFKD of `text` without C0 (00-1F), DEL (7F) and C1 (80-9F), in UTF-8.
pub fn normalised(text: &str) -> SecretBytes {
    let kept = || text.nfkd().filter(|c| !c.is_control());
    // Counted first, so that the buffer never moves and leaves a copy behind.
    let mut bytes = Vec::with_capacity(kept().map(char::len_utf8).sum());
    wiping(|| kept().for_each(|c| bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes())));
    SecretBytes::new(bytes)
}
