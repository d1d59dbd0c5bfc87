//! Key shares as keystores (EIP-2335), in the names and places that validator clients import from.

use rand_core::CryptoRng;

use super::{Artifact, Audience};
use crate::ethereum::keystore::{DerivedKey, KeyPath, Keystore, KeystoreError};
use crate::primitives::curve::{G1, SecretScalar};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

/// Why shares do not become keystores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreExportError {
    /// Another number of shares than of public shares.
    #[error("{shares} shares for {public_shares} public shares")]
    Count {
        /// Shares given.
        shares: usize,
        /// Public shares given.
        public_shares: usize,
    },
    /// A share cannot be encrypted, or the keystore just made does not decrypt.
    #[error("validator {validator}: {source}")]
    Keystore {
        /// Counted from 0, as in the file's name.
        validator: usize,
        /// Why.
        source: KeystoreError,
    },
    /// A share does not belong to its public share.
    #[error("validator {validator}: the share is not that of the public share in the transcript")]
    Share {
        /// Counted from 0, as in the file's name.
        validator: usize,
    },
}

/// Whose shares they are, for the description in each keystore.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The ceremony's name.
    pub ceremony: &'a str,
    /// The participant's index, from 1.
    pub index: u16,
    /// Shares needed to sign.
    pub required: usize,
    /// Shares there are.
    pub participants: usize,
}

impl<'a> Holder<'a> {
    /// The participant `index` of `ceremony`.
    pub fn new(ceremony: &'a Ceremony, index: Index) -> Self {
        Self { ceremony: ceremony.name(), index: index.get(), required: ceremony.t(), participants: ceremony.n() }
    }
}

/// One keystore for each validator: `validator_keys/keystore-m_12381_3600_<v>_0_0-<stamp>.json`, with the validators counted from 0
/// and `stamp` (seconds since 1970, chosen by the caller; the same for all files of a run). The `pubkey` in it is the share's, never
/// the validator's: that is what a validator client signs with.
///
/// `key` is derived once and serves all files; each has its own IV. Every keystore is decrypted again, from the bytes that will be
/// written and with the same derived key (running the key derivation anew would test only the password, at a second each), and
/// the public key of what comes out is compared with `public_shares`.
pub fn keystore_files(
    holder: Holder<'_>,
    shares: &[SecretScalar],
    public_shares: &[G1],
    key: &DerivedKey,
    stamp: u64,
    mut random: impl CryptoRng,
) -> Result<Vec<Artifact>, KeystoreExportError> {
    if shares.len() != public_shares.len() {
        return Err(KeystoreExportError::Count { shares: shares.len(), public_shares: public_shares.len() });
    }
    let Holder { ceremony, index, required, participants } = holder;
    shares
        .iter()
        .zip(public_shares)
        .enumerate()
        .map(|(validator, (share, public_share))| {
            let failed = |source| KeystoreExportError::Keystore { validator, source };
            let number = u32::try_from(validator).map_err(|_| failed(KeystoreError::Path))?;
            let description =
                format!("{ceremony}, validator {validator}, share {index} of {participants} (threshold {required})");
            let keystore = Keystore::encrypt(key, share, KeyPath::validator(number), description, &mut random).map_err(failed)?;
            let bytes = keystore.to_json();
            let read = Keystore::from_json_even_if_weak(&bytes).map_err(failed)?;
            read.decrypt_with(key).map_err(failed)?;
            if read.pubkey() != public_share {
                return Err(KeystoreExportError::Share { validator });
            }
            let name = format!("validator_keys/keystore-m_12381_3600_{validator}_0_0-{stamp}.json");
            Ok(Artifact { name, audience: Audience::Secret, bytes })
        })
        .collect()
}
