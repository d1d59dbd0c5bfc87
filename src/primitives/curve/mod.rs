//! BLS12-381: scalars, G1, G2 and the pairing.
//!
//! A [`G1`] or [`G2`] in memory is always canonical, on the curve, in the prime-order subgroup and
//! not infinity: there is no other way to make one. Sums, which may be infinity on the way, are
//! [`G1Sum`] and [`G2Sum`].
//!
//! Encodings: IETF draft-irtf-cfrg-pairing-friendly-curves, appendix C (the "ZCash" flags).
//! Hashing: RFC 9380 section 8.8.2. The curve library is called in `raw.rs` alone.

use rayon::prelude::*;

use super::memo::remember;

mod encoding;
mod g1;
mod g2;
mod group;
mod raw;
mod scalar;

pub use encoding::{
    DecodeError, G1_COMPRESSED, G1_UNCOMPRESSED, G2_COMPRESSED, G2_UNCOMPRESSED, SCALAR_BYTES,
};
pub use g1::{G1, G1Sum, UntestedG1};
pub use g2::{G2, G2Sum, UntestedG2};
pub use raw::expand_message_xmd;
pub(super) use raw::{Fp, Fp2};
pub use scalar::{Scalar, SecretScalar};

/// Whether `Π e(a, b) = 1` over all pairs. The empty product is one.
pub fn pairing_product_is_one(pairs: &[(G1, G2)]) -> bool {
    let question = || {
        pairs
            .iter()
            .flat_map(|(a, b)| [&a.to_compressed()[..], &b.to_compressed()].concat())
            .collect()
    };
    pairs.is_empty() || remember("pairings", question, || multiply(pairs))
}

/// From how many pairs on a product is spread over the processors.
const MANY_PAIRS: usize = 32;

fn multiply(pairs: &[(G1, G2)]) -> bool {
    let loops = if pairs.len() < MANY_PAIRS {
        miller_loops(pairs)
    } else {
        // Products of a commutative group: the same whatever the pieces are.
        pairs.par_chunks(MANY_PAIRS).map(miller_loops).reduce(raw::Fp12::one, |a, b| a.times(b))
    };
    loops.pairs_to_one()
}

fn miller_loops(pairs: &[(G1, G2)]) -> raw::Fp12 {
    raw::Fp12::miller_loops(pairs.iter().map(|(a, b)| (a.raw(), b.raw())))
}
