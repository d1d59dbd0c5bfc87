//! G2: hashed messages and signatures.

use core::fmt;

use super::group::group;
use super::raw::{Fp2, P2, P2Affine};
use super::{DecodeError, G2_COMPRESSED, G2_UNCOMPRESSED, Scalar};
use crate::primitives::kernel::lanes::Affine;
use crate::primitives::memo::remember;

/// A point of G2: canonical, on the curve, in the subgroup, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct G2(P2Affine);

/// A point of G2's curve, canonical and not infinity, whose subgroup nobody has tested yet.
#[derive(Clone, Copy)]
pub struct UntestedG2(P2Affine);

/// A sum of G2 points, possibly infinity.
#[derive(Clone, Copy, PartialEq)]
pub struct G2Sum(P2);

group!(G2, UntestedG2, G2Sum, Fp2, P2Affine, P2, G2_COMPRESSED, G2_UNCOMPRESSED, "G2");

impl G2 {
    /// `hash_to_curve` of RFC 9380, suite BLS12381G2_XMD:SHA-256_SSWU_RO_, under `dst`.
    pub fn hash(message: &[u8], dst: &[u8]) -> Self {
        let hash = || {
            let sum = G2Sum(P2::hash(message, dst));
            sum.finish().expect("hashing to infinity has probability 2^-255")
        };
        remember("hash to G2", || [&dst.len().to_be_bytes(), dst, message].concat(), hash)
    }
}
