//! `encrypted_private_key.json`: an operator's RSA key in the format of SSV's tools.

use rand_core::CryptoRng;

use super::rsa::{RsaKeyError, RsaSecret};
use crate::ethereum::keystore::{DerivedKey, Kdf, KeystoreError, Password, TextKeystore};

/// Why a key file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Decrypts to another key than that of `pubKey` or `pubkey`.
    #[error("public key: the file decrypts to a different key")]
    AnotherKey,
    /// Decrypts to something else than a key.
    #[error("cipher.message: {0}")]
    Key(#[from] RsaKeyError),
    /// Not such a file, or not its password.
    #[error("{0}")]
    Keystore(#[from] KeystoreError),
}

/// Reads and decrypts a key file.
pub fn read_key_file(bytes: &[u8], password: &Password) -> Result<RsaSecret, KeyFileError> {
    let keystore = TextKeystore::from_json(bytes)?;
    let secret = RsaSecret::from_pem(&keystore.decrypt(password)?)?;
    match keystore.public_key() {
        Some(text) if text != secret.public().to_text() => Err(KeyFileError::AnotherKey),
        _ => Ok(secret),
    }
}

/// A key file, with salt and IV from `random`.
pub fn write_key_file(
    secret: &RsaSecret,
    password: &Password,
    kdf: Kdf,
    random: &mut impl CryptoRng,
) -> Vec<u8> {
    let (mut salt, mut iv) = ([0; 32], [0; 16]);
    random.fill_bytes(&mut salt);
    random.fill_bytes(&mut iv);
    let key = DerivedKey::derive(kdf, password, salt);
    TextKeystore::encrypt(&key, iv, &secret.to_pem(), secret.public().to_text()).to_json()
}
