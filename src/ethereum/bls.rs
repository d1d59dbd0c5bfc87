//! Ethereum's BLS signatures (consensus specification, `phase0/beacon-chain.md`; IETF
//! draft-irtf-cfrg-bls-signature-04).

use crate::primitives::batch::verify_signature;
use crate::primitives::curve::{G1, G2, SecretScalar};
use crate::primitives::hash::DST_ETHEREUM;

/// A signing root hashed to the curve.
pub fn message_point(signing_root: &[u8; 32]) -> G2 {
    G2::hash(signing_root, DST_ETHEREUM)
}

/// Whether `signature` is `pubkey`'s on `signing_root`. Neither can be infinity or outside the
/// subgroup, by their types, so this is `KeyValidate` and `CoreVerify` in one.
pub fn bls_verify(pubkey: &G1, signing_root: &[u8; 32], signature: &G2) -> bool {
    verify_signature(pubkey, &message_point(signing_root), signature)
}

/// The signature of `secret` on `signing_root`; deterministic. `None` if `secret` is zero.
pub fn bls_sign(secret: &SecretScalar, signing_root: &[u8; 32]) -> Option<G2> {
    secret.sign(&message_point(signing_root))
}
