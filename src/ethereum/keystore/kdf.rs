//! Key derivation (EIP-2335 "KDF"; scrypt RFC 7914, PBKDF2 RFC 8018), with its cost bounded before
//! any work is done.

use sha2::Sha256;

use super::password::Password;
use crate::primitives::secret::{SecretBytes, wiping};

/// Standard scrypt `n`: 256 MiB with `r = 8`.
const SCRYPT_N: u64 = 1 << 18;
/// Standard scrypt `r`.
const SCRYPT_R: u32 = 8;
/// Standard scrypt `p`.
const SCRYPT_P: u32 = 1;
/// Standard PBKDF2 rounds.
const PBKDF2_C: u32 = 1 << 18;
/// Least `n · r · p` of a keystore that is not weak, as Ethereum's deposit tool has it.
const SCRYPT_LEAST: u64 = 1 << 20;
/// Most `n · r · p`: four times the standard, 1 GiB.
const SCRYPT_MOST: u64 = 4 * SCRYPT_N * SCRYPT_R as u64;
/// Most PBKDF2 rounds: 64 times the standard.
const PBKDF2_MOST: u32 = 64 * PBKDF2_C;

/// Why key derivation parameters are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KdfError {
    /// Parameters that the function does not define: `n` not a power of two above 1, or zero.
    #[error("crypto.kdf.params are outside the range that the function defines")]
    Invalid,
    /// More work or memory than a keystore can honestly ask for.
    #[error(
        "crypto.kdf.params require more work than any honest keystore (n*r*p up to 2^23, c up to \
         2^24)"
    )]
    TooCostly,
    /// Less work than protects a password.
    #[error("crypto.kdf.params are too weak to protect a password (n*r*p from 2^20, c from 2^18)")]
    TooWeak,
}

/// A key derivation function with a bounded cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kdf(pub(super) Function);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Pbkdf2 { c: u32 },
    Scrypt { log_n: u8, r: u32, p: u32 },
}

impl Kdf {
    /// scrypt with n = 2^18, r = 8, p = 1: 256 MiB and about a second. Every validator client takes
    /// it.
    pub fn scrypt() -> Self {
        Self::checked_scrypt(SCRYPT_N, SCRYPT_R, SCRYPT_P)
            .expect("the standard parameters are within bounds")
    }

    /// PBKDF2-HMAC-SHA256 with 2^18 rounds, for machines without the memory.
    pub fn pbkdf2() -> Self {
        Self(Function::Pbkdf2 { c: PBKDF2_C })
    }

    /// scrypt with n = 2: protects nothing. For tests.
    pub fn insecure_scrypt() -> Self {
        Self(Function::Scrypt { log_n: 1, r: SCRYPT_R, p: SCRYPT_P })
    }

    /// PBKDF2 with one round: protects nothing. For tests.
    pub fn insecure_pbkdf2() -> Self {
        Self(Function::Pbkdf2 { c: 1 })
    }

    pub(super) fn checked_scrypt(n: u64, r: u32, p: u32) -> Result<Self, KdfError> {
        if n < 2 || !n.is_power_of_two() || r == 0 || p == 0 {
            return Err(KdfError::Invalid);
        }
        let cost = n.checked_mul(u64::from(r)).and_then(|cost| cost.checked_mul(u64::from(p)));
        if cost.is_none_or(|cost| cost > SCRYPT_MOST) {
            return Err(KdfError::TooCostly);
        }
        let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| KdfError::Invalid)?;
        // RFC 7914 section 2: n < 2^(128 r / 8). Other programs refuse it.
        if u32::from(log_n) >= r.saturating_mul(16) {
            return Err(KdfError::Invalid);
        }
        Ok(Self(Function::Scrypt { log_n, r, p }))
    }

    pub(super) fn checked_pbkdf2(c: u32) -> Result<Self, KdfError> {
        match c {
            0 => Err(KdfError::Invalid),
            1..=PBKDF2_MOST => Ok(Self(Function::Pbkdf2 { c })),
            _ => Err(KdfError::TooCostly),
        }
    }

    /// Whether it is cheaper than what protects a password.
    pub fn is_weak(&self) -> bool {
        match self.0 {
            Function::Pbkdf2 { c } => c < PBKDF2_C,
            Function::Scrypt { log_n, r, p } => {
                (u64::from(r) * u64::from(p)) << log_n < SCRYPT_LEAST
            }
        }
    }
}

/// A key derived from a password: the costly step, done once for all keystores of a run.
///
/// # Security
/// Wiped on drop; the library's working memory of scrypt is not. Keystores that share it share a
/// salt, so each must have its own IV, which [`super::Keystore::encrypt`] sees to.
pub struct DerivedKey {
    pub(super) kdf: Kdf,
    pub(super) salt: [u8; 32],
    /// 32 bytes, which stay where they are when this moves between threads.
    key: SecretBytes,
}

impl DerivedKey {
    /// Runs the function. `salt` must be fresh for each password.
    pub fn derive(kdf: Kdf, password: &Password, salt: [u8; 32]) -> Self {
        let mut key = vec![0; 32];
        wiping(|| match kdf.0 {
            Function::Pbkdf2 { c } => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password.expose(), &salt, c, &mut key)
            }
            Function::Scrypt { log_n, r, p } => {
                let params = scrypt::Params::new(log_n, r, p)
                    .expect("n, r and p are bounded far below the library's limits");
                scrypt::scrypt(password.expose(), &salt, &params, &mut key)
                    .expect("32 bytes are a length that scrypt gives");
            }
        });
        Self { kdf, salt, key: SecretBytes::new(key) }
    }

    /// Key of the cipher.
    pub(super) fn cipher_key(&self) -> &[u8; 16] {
        self.key.expose().first_chunk().expect("16 of 32 bytes")
    }

    /// Key of the checksum.
    pub(super) fn checksum_key(&self) -> &[u8; 16] {
        self.key.expose().last_chunk().expect("16 of 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cost_is_bounded_on_both_sides() {
        use KdfError::*;
        for (n, r, p, verdict) in [
            (1 << 18, 8, 1, None),
            (1 << 20, 8, 1, None),
            (1 << 21, 8, 1, Some(TooCostly)),
            (1 << 18, 8, 8, Some(TooCostly)),
            (1 << 63, u32::MAX, u32::MAX, Some(TooCostly)),
            (2, u32::MAX, 1, Some(TooCostly)),
            (0, 8, 1, Some(Invalid)),
            (1, 8, 1, Some(Invalid)),
            ((1 << 18) - 1, 8, 1, Some(Invalid)),
            (1 << 18, 0, 1, Some(Invalid)),
            (1 << 18, 8, 0, Some(Invalid)),
            (1 << 15, 1, 1, None),
            (1 << 16, 1, 1, Some(Invalid)),
        ] {
            assert_eq!(Kdf::checked_scrypt(n, r, p).err(), verdict, "{n} {r} {p}");
        }
        assert_eq!(Kdf::checked_pbkdf2(0), Err(Invalid));
        assert_eq!(Kdf::checked_pbkdf2(PBKDF2_MOST + 1), Err(TooCostly));
        assert!(Kdf::checked_pbkdf2(PBKDF2_C - 1).unwrap().is_weak());
        assert!(!Kdf::checked_pbkdf2(PBKDF2_MOST).unwrap().is_weak());
        assert!(!Kdf::checked_scrypt(1 << 17, 8, 1).unwrap().is_weak());
        assert!(Kdf::checked_scrypt(1 << 16, 8, 1).unwrap().is_weak());
        assert!(!Kdf::scrypt().is_weak() && !Kdf::pbkdf2().is_weak());
        assert!(Kdf::insecure_scrypt().is_weak() && Kdf::insecure_pbkdf2().is_weak());
    }
}
