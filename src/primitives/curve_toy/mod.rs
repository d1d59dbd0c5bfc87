//! TOY CURVE: no security. Stands in for `curve/` where the compiler is given `--cfg
//! quorate_toy_curve`, so that a simulation plays a million ceremonies with the protocol as it is
//! and only the group replaced.
//!
//! The group is the integers modulo the prime `2^61 - 1`: a point is a fixed multiple of its
//! logarithm, and the pairing multiplies. What holds for every group holds here (shares,
//! commitments, proofs, signatures, sums that cancel or are infinity, random weights, up to 2^-61
//! for 2^-255). What rests on logarithms being hard does not: anybody can read a secret off its
//! commitment.
//!
//! Encodings have the sizes, flags and errors of the true ones. A scalar fills its 32 bytes, of
//! which the last eight decide and the others have to follow from them, so that a secret is known
//! by any part of it, and is in the bytes of no point. The "curve" is the points `(x, y)` with `x =
//! min(y, -y)`, so that a point and its negative share their x, and the two points with `x = 0`,
//! `(0, ±2)`: those are outside the subgroup, and as for the true G1 they are spelled `(0, ±2)`.
//! Other than with the true curve, a small number in place of an x is mostly a point.

use sha2::{Digest as _, Sha256};

#[path = "../curve/encoding.rs"]
mod encoding;
mod group;
mod number;
mod scalar;

pub use encoding::{
    DecodeError, G1_COMPRESSED, G1_UNCOMPRESSED, G2_COMPRESSED, G2_UNCOMPRESSED, SCALAR_BYTES,
};
pub use group::{G1, G1Sum, G2, G2Sum, UntestedG1, UntestedG2};
pub use scalar::{Scalar, SecretScalar};

use number::{add, mul};

/// `expand_message_xmd` with SHA-256 (RFC 9380 section 5.3.1) into `out`, at most 8160 bytes.
pub fn expand_message_xmd(message: &[u8], dst: &[u8], out: &mut [u8]) {
    assert!(out.len() <= 255 * 32 && dst.len() <= 255, "bounds of RFC 9380 section 5.3.1");
    let length = u16::try_from(out.len()).expect("at most 8160").to_be_bytes();
    let suffix = u8::try_from(dst.len()).expect("at most 255");
    let first = Sha256::new()
        .chain_update([0; 64])
        .chain_update(message)
        .chain_update(length)
        .chain_update([0]);
    let first: [u8; 32] = first.chain_update(dst).chain_update([suffix]).finalize().into();
    let mut block = [0; 32];
    for (count, chunk) in (1u8..=255).zip(out.chunks_mut(32)) {
        block.iter_mut().zip(&first).for_each(|(b, f)| *b ^= f);
        block = Sha256::new()
            .chain_update(block)
            .chain_update([count])
            .chain_update(dst)
            .chain_update([suffix])
            .finalize()
            .into();
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}

/// Whether `Π e(a, b) = 1` over all pairs. The empty product is one.
pub fn pairing_product_is_one(pairs: &[(G1, G2)]) -> bool {
    pairs.iter().fold(0, |sum, (a, b)| add(sum, mul(a.logarithm(), b.logarithm()))) == 0
}
