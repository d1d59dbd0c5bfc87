//! Keystores of secret keys (EIP-2335, version 4): AES-128-CTR under a key derived from a password.

mod file;

mod kdf;

mod password;

mod text;

pub use kdf::{DerivedKey, Kdf, KdfError};
pub use password::{Password, PasswordError, normalised};
pub use text::TextKeystore;

use core::fmt;

use aes::Aes128;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::json::{HexError, JsonError};
use crate::primitives::curve::{DecodeError, G1, SecretScalar};
use crate::primitives::hash::sha256;
use crate::primitives::secret::wiping;

/// Why a keystore is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// The derived key has another salt or function than the keystore.
    #[error("the key was derived with a different salt or function than this keystore's")]
    AnotherDerivation,
    /// Decrypts, but not to the secret key of its public key. The checksum does not cover the IV or
    /// the public key.
    #[error("does not decrypt to the key of its pubkey field: the iv or the pubkey was altered")]
    AnotherKey,
    /// The checksum over derived key and ciphertext differs.
    #[error("wrong password, or an altered kdf, checksum or ciphertext")]
    Checksum,
    /// Not lower-case hexadecimal of the right length.
    #[error("{field}: {source}")]
    Hex {
        /// The field.
        field: &'static str,
        /// Why.
        source: HexError,
    },
    /// Not the JSON of a keystore.
    #[error("not a keystore: {0}")]
    Json(#[from] JsonError),
    /// Key derivation parameters out of bounds.
    #[error("{0}")]
    Kdf(#[from] KdfError),
    /// Parameters of another key derivation function, or some missing.
    #[error("crypto.kdf.params do not belong to crypto.kdf.function")]
    KdfFields,
    /// Not a derivation path.
    #[error("path: not a derivation path like m/12381/3600/0/0/0")]
    Path,
    /// Not a public key.
    #[error("pubkey: {0}")]
    Pubkey(DecodeError),
    /// A value that this version of the standard does not have.
    #[error("{field}: {found:?} instead of {expected:?}")]
    Unsupported {
        /// The field.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// Not 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
    #[error("uuid: not a UUID: hexadecimal digits in groups of 8, 4, 4, 4 and 12")]
    Uuid,
    /// Another version than 4.
    #[error("version: {0} instead of 4")]
    Version(u64),
    /// The secret is zero, which is no key.
    #[error("the secret key is zero")]
    ZeroSecret,
}

impl KeystoreError {
    /// The field at fault, or the fields of which one is.
    pub fn field(&self) -> &'static str {
        match self {
            Self::AnotherDerivation | Self::Kdf(_) | Self::KdfFields => "crypto.kdf.params",
            Self::AnotherKey => "pubkey or crypto.cipher.params.iv",
            Self::Checksum => "password or crypto",
            Self::Hex { field, .. } | Self::Unsupported { field, .. } => field,
            Self::Json(_) => "file",
            Self::Path => "path",
            Self::Pubkey(_) => "pubkey",
            Self::Uuid => "uuid",
            Self::Version(_) => "version",
            Self::ZeroSecret => "crypto.cipher.message",
        }
    }
}

/// What is unusual about a keystore that is in order otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreRemark {
    /// As EIP-2335 has it for a key without one; some importers require a path.
    #[error("the path is empty, which some importers refuse")]
    EmptyPath,
    /// A field that the standard does not have; nothing checks it.
    #[error("the field {0:?} is not one of EIP-2335 and was not checked")]
    UnknownField(String),
    /// Charon, for one, draws 16 bytes and writes them in upper case.
    #[error("the uuid is not a lower-case version 4 UUID")]
    Uuid,
}

/// A derivation path (ERC-2334): `m` and numbers; or empty, for a key that has none (EIP-2335).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPath(String);

impl KeyPath {
    /// `m/12381/3600/<index>/0/0`, the form that every importer knows. A key share has no path of
    /// its own; this one only numbers it.
    pub fn validator(index: u32) -> Self {
        Self(format!("m/12381/3600/{index}/0/0"))
    }

    /// From text: `m`, then one to ten numbers of one to ten digits, each behind `/`; or nothing.
    pub fn parse(text: &str) -> Result<Self, KeystoreError> {
        if text.is_empty() {
            return Ok(Self(String::new()));
        }
        let numbers = text.strip_prefix("m/").ok_or(KeystoreError::Path)?;
        let number =
            |part: &str| (1..=10).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if numbers.split('/').count() > 10 || !numbers.split('/').all(number) {
            return Err(KeystoreError::Path);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An encrypted secret key. Nothing in it is secret by itself; the password is what protects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keystore {
    kdf: Kdf,
    salt: [u8; 32],
    checksum: [u8; 32],
    iv: [u8; 16],
    ciphertext: [u8; 32],
    description: String,
    pubkey: G1,
    path: KeyPath,
    uuid: String,
    /// None in one of our own.
    remarks: Vec<KeystoreRemark>,
}

impl Keystore {
    /// What is unusual about it.
    pub fn remarks(&self) -> &[KeystoreRemark] {
        &self.remarks
    }

    /// Encrypts `secret` under `key`, with an IV and a UUID drawn from `random`: with one derived
    /// key for several keystores, a repeated IV would reveal the difference of two secrets. The
    /// public key is computed here, never taken over.
    pub fn encrypt(
        key: &DerivedKey,
        secret: &SecretScalar,
        path: KeyPath,
        description: String,
        random: impl CryptoRng,
    ) -> Result<Self, KeystoreError> {
        let pubkey = secret.base_mult().ok_or(KeystoreError::ZeroSecret)?;
        Ok(Self::encrypt_for(pubkey, key, secret, path, description, random))
    }

    /// As [`Keystore::encrypt`], for a caller that knows the public key of `secret`: one that has
    /// checked many at once.
    pub fn encrypt_for(
        pubkey: G1,
        key: &DerivedKey,
        secret: &SecretScalar,
        path: KeyPath,
        description: String,
        mut random: impl CryptoRng,
    ) -> Self {
        let (mut iv, mut uuid) = ([0; 16], [0; 16]);
        random.fill_bytes(&mut iv);
        random.fill_bytes(&mut uuid);
        let mut text = secret.to_be_bytes();
        apply_cipher(key, &iv, &mut *text);
        // What was secret is now the ciphertext.
        let ciphertext = *text;
        let checksum = checksum(key, &ciphertext);
        let DerivedKey { kdf, salt, .. } = key;
        Self {
            kdf: *kdf,
            salt: *salt,
            checksum,
            iv,
            ciphertext,
            description,
            pubkey,
            path,
            uuid: uuid_text(uuid),
            remarks: Vec::new(),
        }
    }

    /// The secret key. Derives the key anew: as costly as the file says, within the bounds of
    /// [`Kdf`].
    pub fn decrypt(&self, password: &Password) -> Result<SecretScalar, KeystoreError> {
        self.decrypt_with(&self.derive(password))
    }

    /// The key of this file, and of every other one with the same function and salt.
    pub fn derive(&self, password: &Password) -> DerivedKey {
        DerivedKey::derive(self.kdf, password, self.salt)
    }

    /// The secret key, under a key derived before. Its public key is recomputed and compared.
    pub fn decrypt_with(&self, key: &DerivedKey) -> Result<SecretScalar, KeystoreError> {
        let text = self.decipher(key)?;
        let secret = SecretScalar::from_be_bytes(&text).map_err(|_| KeystoreError::AnotherKey)?;
        if secret.base_mult() != Some(self.pubkey) {
            return Err(KeystoreError::AnotherKey);
        }
        Ok(secret)
    }

    /// Whether it decrypts to `secret` under `key`; an error if not. Costs no curve arithmetic.
    pub fn check_holds(
        &self,
        key: &DerivedKey,
        secret: &SecretScalar,
    ) -> Result<(), KeystoreError> {
        let same: bool = self.decipher(key)?.ct_eq(&*secret.to_be_bytes()).into();
        if same { Ok(()) } else { Err(KeystoreError::AnotherKey) }
    }

    /// What is encrypted, once the checksum holds.
    fn decipher(&self, key: &DerivedKey) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        if (key.kdf, key.salt) != (self.kdf, self.salt) {
            return Err(KeystoreError::AnotherDerivation);
        }
        if checksum(key, &self.ciphertext) != self.checksum {
            return Err(KeystoreError::Checksum);
        }
        let mut text = Zeroizing::new(self.ciphertext);
        apply_cipher(key, &self.iv, &mut *text);
        Ok(text)
    }

    /// The public key.
    pub fn pubkey(&self) -> &G1 {
        &self.pubkey
    }

    /// The description; free text by the author of the file.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The path.
    pub fn path(&self) -> &KeyPath {
        &self.path
    }
}

/// AES-128-CTR; the IV is the whole initial counter block, big-endian. Encryption and decryption
/// are the same.
fn apply_cipher(key: &DerivedKey, iv: &[u8; 16], text: &mut [u8]) {
    wiping(|| Ctr128BE::<Aes128>::new(key.cipher_key().into(), iv.into()).apply_keystream(text));
}

fn checksum(key: &DerivedKey, ciphertext: &[u8]) -> [u8; 32] {
    wiping(|| sha256(&[key.checksum_key(), ciphertext]))
}

/// 16 random bytes as a version 4 UUID (RFC 9562 section 5.4).
fn uuid_text(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )
}

/// Whether a UUID is of version 4, in lower case, as [`uuid_text`] writes it; an error if it is
/// none at all.
fn is_version_4(text: &str) -> Result<bool, KeystoreError> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 36
        && bytes.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    if !shaped {
        return Err(KeystoreError::Uuid);
    }
    let lower = !bytes.iter().any(u8::is_ascii_uppercase);
    Ok(lower && bytes[14] == b'4' && matches!(bytes[19], b'8' | b'9' | b'a' | b'b'))
}
