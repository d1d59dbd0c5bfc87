//! The secret keys of an operator.

use super::card::{InstallMark, NameError, OperatorCard, OperatorName};
use super::key::OperatorKey;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::{Tag, secret_bytes, tagged};
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::primitives::x25519::DhSecret;

const MAGIC: &[u8; 4] = b"QSID";
const VERSION: u16 = 1;

/// Why secret bytes are not an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// Something else.
    #[error("not an operator's keys")]
    Magic,
    /// Made by another version of this program.
    #[error("operator keys of version {0}; this program reads version {VERSION}")]
    Version(u16),
    /// Not the layout.
    #[error("operator keys: {0}")]
    Layout(#[from] DecodeError),
    /// The name.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// An operator: signing key, Noise static, storage key, name; and the mark of the directory that it
/// works in, which is public.
///
/// # Security
/// No `Clone`, `Debug` or serde; every secret in it is wiped on drop.
pub struct Operator {
    name: OperatorName,
    key: OperatorKey,
    noise: DhSecret,
    storage: Secret32,
    mark: Option<InstallMark>,
}

impl Operator {
    /// A new operator from 32 fresh bytes. The three keys and the install mark are `TH(tag,
    /// entropy)` under four tags: none tells of another.
    pub fn generate(name: OperatorName, entropy: Secret32) -> Self {
        let derive = |tag| secret_bytes(tag, &[entropy.expose()]);
        Self {
            name,
            key: OperatorKey::from_seed(derive(Tag::OperatorSeed)),
            noise: DhSecret::new(derive(Tag::NoiseSeed)),
            storage: derive(Tag::StorageSeed),
            mark: Some(InstallMark(tagged(Tag::InstallMark, &[entropy.expose()]).0)),
        }
    }

    /// The public side: with the mark of the directory, or of version 1 if it has none.
    pub fn card(&self) -> OperatorCard {
        OperatorCard::issue(self.name.clone(), &self.key, self.noise.public(), self.mark)
    }

    /// The mark of the directory that it works in.
    pub fn mark(&self) -> Option<InstallMark> {
        self.mark
    }

    /// The same operator in a directory with this mark.
    pub fn with_mark(self, mark: Option<InstallMark>) -> Self {
        Self { mark, ..self }
    }

    /// The name.
    pub fn name(&self) -> &OperatorName {
        &self.name
    }

    /// The signing key.
    pub fn key(&self) -> &OperatorKey {
        &self.key
    }

    /// The Noise static.
    pub fn noise(&self) -> &DhSecret {
        &self.noise
    }

    /// The key from which keys of files at rest are derived.
    pub fn storage_key(&self) -> &Secret32 {
        &self.storage
    }

    /// `"QSID" ‖ version(2) ‖ key seed(32) ‖ Noise secret(32) ‖ storage key(32) ‖ name length(2) ‖
    /// name`, for sealing at rest.
    pub fn to_secret_bytes(&self) -> SecretBytes {
        let name = self.name.as_str();
        // Exactly as long as needed: a buffer that grows leaves copies behind.
        let bytes = Writer::with_capacity(4 + 2 + 3 * 32 + 2 + name.len())
            .bytes(MAGIC)
            .u16(VERSION)
            .bytes(self.key.expose_seed())
            .bytes(self.noise.expose())
            .bytes(self.storage.expose())
            .text(name);
        SecretBytes::new(bytes.finish())
    }

    /// Reads what [`Operator::to_secret_bytes`] wrote, and nothing else. The operator has no
    /// install mark: that is in another file.
    pub fn from_secret_bytes(bytes: &SecretBytes) -> Result<Self, OperatorError> {
        let header = bytes.expose();
        if !header.starts_with(MAGIC) {
            return Err(OperatorError::Magic);
        }
        let (version, key, noise, storage, name) = Reader::all(header, |r| {
            r.bytes("magic", MAGIC.len())?;
            let version = r.u16("version")?;
            let mut secret = |what| -> Result<_, DecodeError> {
                let bytes = r.bytes(what, 32)?.first_chunk().expect("32 bytes");
                Ok(Secret32::copied(bytes))
            };
            let (key, noise, storage) =
                (secret("key seed")?, secret("Noise secret")?, secret("storage key")?);
            Ok((version, key, noise, storage, r.text("name", super::card::LONGEST_NAME)?))
        })?;
        if version != VERSION {
            return Err(OperatorError::Version(version));
        }
        let name = OperatorName::parse(&name)?;
        Ok(Self {
            name,
            key: OperatorKey::from_seed(key),
            noise: DhSecret::new(noise),
            storage,
            mark: None,
        })
    }
}
