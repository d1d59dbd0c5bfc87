//! Whole keys of validators, put together from enough shares, with what they have signed.

use rand_core::CryptoRng;

use super::keystores::{KeystoreExportError, Profile, described};
use super::{Artifact, Audience};
use crate::ethereum::interchange::Interchange;
use crate::ethereum::keystore::DerivedKey;
use crate::primitives::curve::{G1, SecretScalar};
use crate::primitives::lagrange::coefficients_at_zero;

/// Name of the file with what the keys have signed.
pub const PROTECTION_FILE: &str = "slashing-protection.json";

/// The key whose shares these are, each with its evaluation point: their interpolation at zero.
/// `None` if a point is zero or occurs twice, or if it is not the key of `public_key`: then one of
/// them is no share of it, or there are too few.
pub fn whole_key(shares: &[(u64, &SecretScalar)], public_key: &G1) -> Option<SecretScalar> {
    let points: Vec<u64> = shares.iter().map(|(point, _)| *point).collect();
    let weights = coefficients_at_zero(&points)?;
    let mut sum = SecretScalar::zero();
    for ((_, share), weight) in shares.iter().zip(&weights) {
        sum.add_assign(&share.scaled(weight));
    }
    (sum.base_mult().as_ref() == Some(public_key)).then_some(sum)
}

/// A keystore for each key, in the layout of [`Profile::Default`], and `protection` for them.
/// `stamp` is in seconds since 1970.
pub fn recovered_files(
    ceremony: &str,
    (keys, public_keys): (&[SecretScalar], &[G1]),
    protection: &Interchange,
    key: &DerivedKey,
    stamp: u64,
    random: impl CryptoRng,
) -> Result<Vec<Artifact>, KeystoreExportError> {
    let describe = |validator| format!("{ceremony}, validator {validator}, recovered from shares");
    let mut files = described(Profile::Default, (keys, public_keys), describe, key, stamp, random)?;
    files.push(Artifact {
        name: PROTECTION_FILE.to_owned(),
        audience: Audience::Secret,
        bytes: protection.to_json(),
    });
    Ok(files)
}
