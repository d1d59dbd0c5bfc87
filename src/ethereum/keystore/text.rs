//! The `crypto` object of a keystore around a text of any length: the format in which SSV operators
//! keep their RSA keys.

use serde::{Deserialize, Serialize};

use super::file::{ChecksumParams, CipherParams, KdfParams, Module, exactly, hexadecimal};
use super::{DerivedKey, Kdf, KeystoreError, Password, apply_cipher, checksum};
use crate::ethereum::json::{self, HexError, JsonError};
use crate::primitives::secret::SecretBytes;

/// Largest file: a key of 2048 bits takes 5 KiB.
const LARGEST: usize = 16 * 1024;
/// Of a file with two fields for one thing.
const BOTH_PUBLIC_KEYS: &str = "both pubKey and pubkey; a key file has one of them";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    checksum: Module<ChecksumParams>,
    cipher: Module<CipherParams>,
    kdf: Module<KdfParams>,
    #[serde(rename = "pubKey", default, skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    /// How the SSV node spells it since it keeps its keys in a package of their own.
    #[serde(rename = "pubkey", default, skip_serializing)]
    public_key_of_node: Option<String>,
}

/// An encrypted text, with the public key that its writer says is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextKeystore {
    kdf: Kdf,
    salt: [u8; 32],
    checksum: [u8; 32],
    iv: [u8; 16],
    ciphertext: Vec<u8>,
    public_key: Option<String>,
}

impl TextKeystore {
    /// Encrypts `text` under `key`, which must have been derived for this text alone.
    pub fn encrypt(key: &DerivedKey, iv: [u8; 16], text: &SecretBytes, public_key: String) -> Self {
        // What was secret is the ciphertext when this returns.
        let mut ciphertext = text.expose().to_vec();
        apply_cipher(key, &iv, &mut ciphertext);
        let checksum = checksum(key, &ciphertext);
        Self {
            kdf: key.kdf,
            salt: key.salt,
            checksum,
            iv,
            ciphertext,
            public_key: Some(public_key),
        }
    }

    /// The text. As costly as the file says, within the bounds of [`Kdf`].
    pub fn decrypt(&self, password: &Password) -> Result<SecretBytes, KeystoreError> {
        let key = DerivedKey::derive(self.kdf, password, self.salt);
        if checksum(&key, &self.ciphertext) != self.checksum {
            return Err(KeystoreError::Checksum);
        }
        let mut text = self.ciphertext.clone();
        apply_cipher(&key, &self.iv, &mut text);
        Ok(SecretBytes::new(text))
    }

    /// The public key, as stated in the file; not trusted.
    pub fn public_key(&self) -> Option<&str> {
        self.public_key.as_deref()
    }

    /// The file's bytes: one line.
    pub fn to_json(&self) -> Vec<u8> {
        let (function, params) = KdfParams::write(self.kdf, self.salt);
        let file = File {
            checksum: Module {
                function: "sha256".to_owned(),
                params: ChecksumParams {},
                message: hex::encode(self.checksum),
            },
            cipher: Module {
                function: "aes-128-ctr".to_owned(),
                params: CipherParams { iv: hex::encode(self.iv) },
                message: hex::encode(&self.ciphertext),
            },
            kdf: Module { function: function.to_owned(), params, message: String::new() },
            public_key: self.public_key.clone(),
            public_key_of_node: None,
        };
        serde_json::to_vec(&file).expect("texts and numbers are always JSON")
    }

    /// Reads a file of at most 16 KiB, strictly, with key derivation that is not costly; it may be
    /// weak, which is its owner's concern. The public key stands in `pubKey` or in `pubkey`, as
    /// older and newer software of SSV spell it; not in both.
    pub fn from_json(bytes: &[u8]) -> Result<Self, KeystoreError> {
        let File { checksum, cipher, kdf, public_key, public_key_of_node } =
            json::parse_without_arrays(bytes, LARGEST)?;
        if public_key.is_some() && public_key_of_node.is_some() {
            return Err(JsonError::Shape(BOTH_PUBLIC_KEYS.to_owned()).into());
        }
        exactly("kdf.message", "", &kdf.message)?;
        exactly("checksum.function", "sha256", &checksum.function)?;
        exactly("cipher.function", "aes-128-ctr", &cipher.function)?;
        let lower = !cipher.message.bytes().any(|b| b.is_ascii_uppercase());
        let ciphertext = hex::decode(&cipher.message).ok().filter(|_| lower);
        Ok(Self {
            kdf: kdf.params.read(&kdf.function)?,
            salt: hexadecimal("kdf.params.salt", &kdf.params.salt)?,
            checksum: hexadecimal("checksum.message", &checksum.message)?,
            iv: hexadecimal("cipher.params.iv", &cipher.params.iv)?,
            ciphertext: ciphertext
                .ok_or(KeystoreError::Hex { field: "cipher.message", source: HexError::Digit })?,
            public_key: public_key.or(public_key_of_node),
        })
    }
}
