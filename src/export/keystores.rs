//! Key shares as keystores (EIP-2335), with the file names and layouts that validator clients
//! import.

use rand_core::CryptoRng;

use super::{Artifact, Audience};
use crate::ethereum::keystore::{DerivedKey, KeyPath, Keystore, KeystoreError};
use crate::primitives::curve::{G1, G1Sum, Scalar, SecretScalar};
use crate::primitives::secret::SecretBytes;
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
    #[error("validator {validator}: the share does not match its public share in the transcript")]
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
    /// The number of its shares among those that there are, from 1: its seat, unless some seats
    /// get no share.
    pub number: usize,
    /// Shares needed to sign.
    pub required: usize,
    /// Shares there are.
    pub participants: usize,
}

impl<'a> Holder<'a> {
    /// The operator in the seat `index` of `ceremony`; `None` if that seat gets no shares.
    pub fn new(ceremony: &'a Ceremony, index: Index) -> Option<Self> {
        Some(Self {
            ceremony: ceremony.name(),
            number: ceremony.share_number(index)?,
            required: ceremony.t(),
            participants: ceremony.holders(),
        })
    }
}

/// Names and places of keystores, and of files with their password: what a consumer looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// `validator_keys/keystore-m_12381_3600_<v>_0_0-<stamp>.json`, as Ethereum's deposit tool
    /// names them: every validator client's importer takes it. Passwords in `validator_passwords`,
    /// with the same name and `.txt`, as Teku wants them.
    Default,
    /// `validator_keys/keystore-<v>.json` with `keystore-<v>.txt` beside it, as Charon and its
    /// tools lay them out; one field a line, because start scripts read them by line.
    Charon,
    /// `keystores/keystore-<v>.json` and `passwords/keystore-<v>.txt`: two folders, for
    /// Web3Signer's bulk loading.
    Web3Signer,
}

impl Profile {
    /// Folder of the keystores, folder of the passwords, and the name that both have but for the
    /// end. Validators are counted from 0.
    fn names(self, validator: usize, stamp: u64) -> (&'static str, &'static str, String) {
        match self {
            Self::Default => (
                "validator_keys",
                "validator_passwords",
                format!("keystore-m_12381_3600_{validator}_0_0-{stamp}"),
            ),
            Self::Charon => ("validator_keys", "validator_keys", format!("keystore-{validator}")),
            Self::Web3Signer => ("keystores", "passwords", format!("keystore-{validator}")),
        }
    }

    fn keystore(self, validator: usize, stamp: u64) -> String {
        let (folder, _, name) = self.names(validator, stamp);
        format!("{folder}/{name}.json")
    }

    fn bytes(self, keystore: &Keystore) -> Vec<u8> {
        match self {
            Self::Charon => keystore.to_json_by_line(),
            Self::Default | Self::Web3Signer => keystore.to_json(),
        }
    }

    /// A file with the password for each of `count` keystores: the password and nothing else, no
    /// line end.
    ///
    /// # Security
    /// Anyone who reads them has the shares. The caller wipes the bytes once they are written.
    pub fn password_files(self, count: usize, stamp: u64, password: &SecretBytes) -> Vec<Artifact> {
        let file = |validator| {
            let (_, folder, name) = self.names(validator, stamp);
            Artifact {
                name: format!("{folder}/{name}.txt"),
                audience: Audience::Secret,
                bytes: password.expose().to_vec(),
            }
        };
        (0..count).map(file).collect()
    }
}

/// One keystore for each validator in the layout of [`Profile::Default`], see
/// [`keystore_files_as`].
pub fn keystore_files(
    holder: Holder<'_>,
    shares: &[SecretScalar],
    public_shares: &[G1],
    key: &DerivedKey,
    stamp: u64,
    random: impl CryptoRng,
) -> Result<Vec<Artifact>, KeystoreExportError> {
    keystore_files_as(Profile::Default, holder, shares, public_shares, key, stamp, random)
}

/// One keystore for each validator, with the validators counted from 0 and `stamp` (seconds since
/// 1970, chosen by the caller; the same for all files of a run). The `pubkey` in it is the share's,
/// never the validator's: that is what a validator client signs with.
///
/// `key` is derived once and serves all files; each has its own IV. Before anything is encrypted,
/// the public keys of `shares` are compared with `public_shares`; then every keystore is decrypted
/// again, from the bytes that will be written and with the same derived key (running the key
/// derivation anew would test only the password, at a second each), and what comes out is compared
/// with the share.
pub fn keystore_files_as(
    profile: Profile,
    holder: Holder<'_>,
    shares: &[SecretScalar],
    public_shares: &[G1],
    key: &DerivedKey,
    stamp: u64,
    random: impl CryptoRng,
) -> Result<Vec<Artifact>, KeystoreExportError> {
    let Holder { ceremony, number, required, participants } = holder;
    let describe = |validator| {
        format!(
            "{ceremony}, validator {validator}, share {number} of {participants} (threshold \
             {required})"
        )
    };
    described(profile, (shares, public_shares), describe, key, stamp, random)
}

/// As [`keystore_files_as`], each with a description of the caller's.
pub(super) fn described(
    profile: Profile,
    (shares, public_shares): (&[SecretScalar], &[G1]),
    describe: impl Fn(usize) -> String,
    key: &DerivedKey,
    stamp: u64,
    mut random: impl CryptoRng,
) -> Result<Vec<Artifact>, KeystoreExportError> {
    if shares.len() != public_shares.len() {
        return Err(KeystoreExportError::Count {
            shares: shares.len(),
            public_shares: public_shares.len(),
        });
    }
    if !all_match(shares, public_shares, &mut random) {
        let differs =
            |(share, public_share): (&SecretScalar, &G1)| share.base_mult() != Some(*public_share);
        let validator = shares
            .iter()
            .zip(public_shares)
            .position(differs)
            .expect("if all match, so does their sum");
        return Err(match shares[validator].is_zero() {
            true => KeystoreExportError::Keystore { validator, source: KeystoreError::ZeroSecret },
            false => KeystoreExportError::Share { validator },
        });
    }
    shares
        .iter()
        .zip(public_shares)
        .enumerate()
        .map(|(validator, (share, public_share))| {
            let failed = |source| KeystoreExportError::Keystore { validator, source };
            let number = u32::try_from(validator).map_err(|_| failed(KeystoreError::Path))?;
            let description = describe(validator);
            let path = KeyPath::validator(number);
            let keystore =
                Keystore::encrypt_for(*public_share, key, share, path, description, &mut random);
            let bytes = profile.bytes(&keystore);
            let read = Keystore::from_json_for(public_share, &bytes).map_err(failed)?;
            read.check_holds(key, share).map_err(failed)?;
            Ok(Artifact {
                name: profile.keystore(validator, stamp),
                audience: Audience::Secret,
                bytes,
            })
        })
        .collect()
}

/// Whether each share is that of its public share: `(Σ w·s)·G = Σ w·P` with random weights. If any
/// is not, this holds with probability 1/r.
fn all_match(shares: &[SecretScalar], public_shares: &[G1], random: &mut impl CryptoRng) -> bool {
    let mut weight = || {
        let mut bytes = [0; 48];
        random.fill_bytes(&mut bytes);
        Scalar::reduce(&bytes)
    };
    let weights: Vec<Scalar> = shares.iter().map(|_| weight()).collect();
    let mut sum = SecretScalar::zero();
    weights.iter().zip(shares).for_each(|(weight, share)| sum.add_assign(&share.scaled(weight)));
    sum.base_mult() == G1Sum::msm(public_shares, &weights).finish()
}
