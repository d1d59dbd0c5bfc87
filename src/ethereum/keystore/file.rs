//! The JSON of a keystore. `function` comes before `params` and `message`, because one validator
//! client reads them in that order.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::kdf::{Function, Kdf};
use super::{KeyPath, Keystore, KeystoreError, KeystoreRemark, is_version_4};
use crate::ethereum::json::{self, HexError, bare_hex, printable};
use crate::primitives::curve::G1;

/// Largest keystore: the standard fields and a long description.
const LARGEST: usize = 16 * 1024;

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(deserialize_with = "json::object")]
    crypto: Crypto,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    pubkey: String,
    path: String,
    uuid: String,
    version: u64,
    /// What other tools add: Prysm writes `name`.
    #[serde(flatten, skip_serializing)]
    others: BTreeMap<String, IgnoredAny>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Crypto {
    #[serde(deserialize_with = "json::object")]
    kdf: Module<KdfParams>,
    #[serde(deserialize_with = "json::object")]
    checksum: Module<ChecksumParams>,
    #[serde(deserialize_with = "json::object")]
    cipher: Module<CipherParams>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "P: Deserialize<'de>"))]
pub(super) struct Module<P> {
    pub(super) function: String,
    #[serde(deserialize_with = "json::object")]
    pub(super) params: P,
    pub(super) message: String,
}

/// Parameters of both functions; each has its own and no others.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KdfParams {
    dklen: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prf: Option<String>,
    pub(super) salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChecksumParams {}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CipherParams {
    pub(super) iv: String,
}

/// The value must be exactly `expected`.
pub(super) fn exactly(
    field: &'static str,
    expected: &'static str,
    found: &str,
) -> Result<(), KeystoreError> {
    if found == expected {
        return Ok(());
    }
    Err(KeystoreError::Unsupported { field, expected, found: printable(found) })
}

pub(super) fn hexadecimal<const N: usize>(
    field: &'static str,
    text: &str,
) -> Result<[u8; N], KeystoreError> {
    bare_hex(text).map_err(|source: HexError| KeystoreError::Hex { field, source })
}

impl KdfParams {
    pub(super) fn write(kdf: Kdf, salt: [u8; 32]) -> (&'static str, Self) {
        let params = Self { dklen: 32, salt: hex::encode(salt), ..Self::default() };
        match kdf.0 {
            Function::Pbkdf2 { c } => {
                ("pbkdf2", Self { c: Some(c), prf: Some("hmac-sha256".to_owned()), ..params })
            }
            Function::Scrypt { log_n, r, p } => {
                ("scrypt", Self { n: Some(1 << log_n), r: Some(r), p: Some(p), ..params })
            }
        }
    }

    pub(super) fn read(&self, function: &str) -> Result<Kdf, KeystoreError> {
        exactly("crypto.kdf.params.dklen", "32", &self.dklen.to_string())?;
        match (function, self.n, self.r, self.p, self.c, self.prf.as_deref()) {
            ("scrypt", Some(n), Some(r), Some(p), None, None) => Ok(Kdf::checked_scrypt(n, r, p)?),
            ("pbkdf2", None, None, None, Some(c), Some(prf)) => {
                exactly("crypto.kdf.params.prf", "hmac-sha256", prf)?;
                Ok(Kdf::checked_pbkdf2(c)?)
            }
            ("scrypt" | "pbkdf2", ..) => Err(KeystoreError::KdfFields),
            _ => Err(KeystoreError::Unsupported {
                field: "crypto.kdf.function",
                expected: "scrypt or pbkdf2",
                found: printable(function),
            }),
        }
    }
}

impl Keystore {
    /// The file's bytes: one line, the fields in the order of the ERC's schema.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.file()).expect("texts and numbers are always JSON")
    }

    /// The same with one field a line, indented by one space and with no line end after the last
    /// brace: as Charon writes it (Go's `json.MarshalIndent`). Start scripts of Obol's clusters
    /// find the public key by its line.
    pub fn to_json_by_line(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let form = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut writer = serde_json::Serializer::with_formatter(&mut bytes, form);
        self.file().serialize(&mut writer).expect("texts and numbers are always JSON");
        bytes
    }

    fn file(&self) -> File {
        let (function, params) = KdfParams::write(self.kdf, self.salt);
        let crypto = Crypto {
            kdf: Module { function: function.to_owned(), params, message: String::new() },
            checksum: Module {
                function: "sha256".to_owned(),
                params: ChecksumParams {},
                message: hex::encode(self.checksum),
            },
            cipher: Module {
                function: "aes-128-ctr".to_owned(),
                params: CipherParams { iv: hex::encode(self.iv) },
                message: hex::encode(self.ciphertext),
            },
        };
        File {
            crypto,
            description: Some(self.description.clone()),
            pubkey: hex::encode(self.pubkey.to_compressed()),
            path: self.path.0.clone(),
            uuid: self.uuid.clone(),
            version: 4,
            others: BTreeMap::new(),
        }
    }

    /// Reads a file of at most 16 KiB: no unknown fields in `crypto`, lower-case hexadecimal,
    /// standard lengths, a UUID, and key derivation that is neither costly nor weak. What is merely
    /// unusual is in [`Keystore::remarks`]. Nothing is decrypted.
    pub fn from_json(bytes: &[u8]) -> Result<Self, KeystoreError> {
        let keystore = Self::from_json_even_if_weak(bytes)?;
        if keystore.kdf.is_weak() {
            return Err(super::KdfError::TooWeak.into());
        }
        Ok(keystore)
    }

    /// As [`Keystore::from_json`], with key derivation that may be too weak to protect a password.
    pub fn from_json_even_if_weak(bytes: &[u8]) -> Result<Self, KeystoreError> {
        Self::parse(bytes, |pubkey| G1::from_compressed(pubkey).map_err(KeystoreError::Pubkey))
    }

    /// As [`Keystore::from_json_even_if_weak`], of a file for this public key: any other is
    /// refused, and no point is decoded.
    pub fn from_json_for(pubkey: &G1, bytes: &[u8]) -> Result<Self, KeystoreError> {
        let expected = pubkey.to_compressed();
        Self::parse(bytes, |found| {
            if *found == expected { Ok(*pubkey) } else { Err(KeystoreError::AnotherKey) }
        })
    }

    fn parse(
        bytes: &[u8],
        pubkey: impl FnOnce(&[u8; 48]) -> Result<G1, KeystoreError>,
    ) -> Result<Self, KeystoreError> {
        let file: File = json::parse(bytes, LARGEST)?;
        if file.version != 4 {
            return Err(KeystoreError::Version(file.version));
        }
        let Crypto { kdf, checksum, cipher } = file.crypto;
        exactly("crypto.kdf.message", "", &kdf.message)?;
        exactly("crypto.checksum.function", "sha256", &checksum.function)?;
        exactly("crypto.cipher.function", "aes-128-ctr", &cipher.function)?;
        let path = KeyPath::parse(&file.path)?;
        let unknown = file.others.into_keys().map(|name| printable(&name));
        let mut remarks: Vec<_> = unknown.map(KeystoreRemark::UnknownField).collect();
        if file.path.is_empty() {
            remarks.push(KeystoreRemark::EmptyPath);
        }
        if !is_version_4(&file.uuid)? {
            remarks.push(KeystoreRemark::Uuid);
        }
        Ok(Self {
            kdf: kdf.params.read(&kdf.function)?,
            salt: hexadecimal("crypto.kdf.params.salt", &kdf.params.salt)?,
            checksum: hexadecimal("crypto.checksum.message", &checksum.message)?,
            iv: hexadecimal("crypto.cipher.params.iv", &cipher.params.iv)?,
            ciphertext: hexadecimal("crypto.cipher.message", &cipher.message)?,
            description: file.description.unwrap_or_default(),
            pubkey: pubkey(&hexadecimal("pubkey", &file.pubkey)?)?,
            path,
            uuid: file.uuid,
            remarks,
        })
    }
}
