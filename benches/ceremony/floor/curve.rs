//! The curve library without our checked types: points can be anything, and checks are made only on
//! request.
#![allow(unsafe_code, reason = "the floor is what the library can do, so it calls the library")]

use blst::*;
use chacha20::ChaCha20Rng;
use rand_core::Rng as _;

/// A point of G1 by coordinates. Infinity is (0, 0).
pub type P = blst_p1_affine;
/// A point of G2 by coordinates.
pub type Q = blst_p2_affine;
/// A scalar in Montgomery form.
pub type Fr = blst_fr;
/// An element of the base field in Montgomery form.
pub type Fp = blst_fp;

const DST: &[u8] = quorate::primitives::hash::DST_ETHEREUM;

macro_rules! field {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),+) = $call:ident -> $type:ident;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name($($arg: &$type),+) -> $type {
            let mut out = $type::default();
            // SAFETY: live values of the types that the library asks for.
            unsafe { $call(&mut out, $($arg),+) };
            out
        }
    )*};
}

field! {
    fp_mul(a, b) = blst_fp_mul -> Fp;
    fp_add(a, b) = blst_fp_add -> Fp;
    fp_sub(a, b) = blst_fp_sub -> Fp;
    fp_square(a) = blst_fp_sqr -> Fp;
    fp_inverse(a) = blst_fp_eucl_inverse -> Fp;
    fr_mul(a, b) = blst_fr_mul -> Fr;
    fr_add(a, b) = blst_fr_add -> Fr;
    fr_sub(a, b) = blst_fr_sub -> Fr;
}

/// `count` dependent products.
pub fn chain(count: u32) {
    let (mut x, y) = (Fp { l: [3, 4, 5, 6, 7, 8] }, Fp { l: [13, 4, 5, 6, 7, 8] });
    for _ in 0..count {
        x = fp_mul(&x, &y);
    }
    std::hint::black_box(x);
}

pub fn fp_one() -> Fp {
    let mut out = Fp::default();
    // SAFETY: six limbs are read, one element is written.
    unsafe { blst_fp_from_uint64(&mut out, [1u64, 0, 0, 0, 0, 0].as_ptr()) };
    out
}

#[inline(always)]
pub fn fp_is_zero(a: &Fp) -> bool {
    a.l == [0; 6]
}

#[inline(always)]
pub fn fp_negate(a: &Fp) -> Fp {
    let mut out = Fp::default();
    // SAFETY: live values.
    unsafe { blst_fp_cneg(&mut out, a, true) };
    out
}

#[inline(always)]
pub fn negate(point: &P) -> P {
    P { x: point.x, y: fp_negate(&point.y) }
}

pub fn fr(value: u64) -> Fr {
    let mut out = Fr::default();
    // SAFETY: four limbs are read, one scalar is written.
    unsafe { blst_fr_from_uint64(&mut out, [value, 0, 0, 0].as_ptr()) };
    out
}

pub fn fr_to_scalar(a: &Fr) -> blst_scalar {
    let mut out = blst_scalar::default();
    // SAFETY: live values.
    unsafe { blst_scalar_from_fr(&mut out, a) };
    out
}

pub fn fr_from_scalar(a: &blst_scalar) -> Fr {
    let mut out = Fr::default();
    // SAFETY: live values.
    unsafe { blst_fr_from_scalar(&mut out, a) };
    out
}

/// Little-endian bytes modulo the group order.
pub fn reduce(bytes: &[u8]) -> blst_scalar {
    let mut out = blst_scalar::default();
    // SAFETY: the pointer comes with its length.
    unsafe { blst_scalar_from_le_bytes(&mut out, bytes.as_ptr(), bytes.len()) };
    out
}

/// A uniform scalar, biased by 2^-128.
pub fn random_scalar(random: &mut ChaCha20Rng) -> blst_scalar {
    let mut bytes = [0; 48];
    random.fill_bytes(&mut bytes);
    reduce(&bytes)
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // SAFETY: 32 bytes are written; the input comes with its length.
    unsafe { blst_sha256(out.as_mut_ptr(), bytes.as_ptr(), bytes.len()) };
    out
}

macro_rules! group {
    ($name:ident, $affine:ident, $jacobian:ident, $bytes:literal, $all:ident, $serialize:ident,
        $deserialize:ident, $msm:ident,
        $scratch:ident, $sum:ident, $in_group:ident) => {
        /// One group.
        pub mod $name {
            use super::*;

            /// Many points by coordinates, with one inversion.
            pub fn affine(points: &[$jacobian]) -> Vec<$affine> {
                let mut out = vec![$affine::default(); points.len()];
                if points.is_empty() {
                    return out;
                }
                let pointers = [points.as_ptr(), core::ptr::null()];
                // SAFETY: a null second pointer says that the points follow one another; there are
                // as many slots as points.
                unsafe { $all(out.as_mut_ptr(), pointers.as_ptr(), points.len()) };
                out
            }

            /// Uncompressed bytes.
            pub fn write(point: &$affine, out: &mut [u8]) {
                assert!(out.len() >= $bytes);
                // SAFETY: there is room for an uncompressed encoding.
                unsafe { $serialize(out.as_mut_ptr(), point) }
            }

            /// From uncompressed bytes: range and curve are checked, the subgroup is not.
            pub fn read(bytes: &[u8]) -> $affine {
                assert!(bytes.len() >= $bytes);
                let mut out = $affine::default();
                // SAFETY: there are as many bytes as an uncompressed encoding has.
                let verdict = unsafe { $deserialize(&mut out, bytes.as_ptr()) };
                assert!(verdict == BLST_ERROR::BLST_SUCCESS, "a point of the curve");
                out
            }

            /// `Σ scalars[i] · points[i]`; scalars of `bits` bits follow one another,
            /// little-endian.
            pub fn msm(points: &[$affine], scalars: &[u8], bits: usize) -> $jacobian {
                assert!(!points.is_empty() && scalars.len() == points.len() * bits.div_ceil(8));
                let mut out = $jacobian::default();
                let (ps, ss) =
                    ([points.as_ptr(), core::ptr::null()], [scalars.as_ptr(), core::ptr::null()]);
                // SAFETY: asks for a size only.
                let size = unsafe { $scratch(points.len()) };
                let mut scratch = vec![0u64; size.div_ceil(8)];
                // SAFETY: null second pointers say that points and scalars follow one another;
                // scratch has the size asked for.
                unsafe {
                    $msm(
                        &mut out,
                        ps.as_ptr(),
                        points.len(),
                        ss.as_ptr(),
                        bits,
                        scratch.as_mut_ptr(),
                    )
                };
                out
            }

            /// The sum of the points at `places`.
            pub fn sum(points: &[$affine], places: &[u32]) -> Option<$jacobian> {
                let pointers: Vec<*const $affine> =
                    places.iter().map(|i| core::ptr::from_ref(&points[*i as usize])).collect();
                let mut out = $jacobian::default();
                if !pointers.is_empty() {
                    // SAFETY: as many valid pointers as are announced.
                    unsafe { $sum(&mut out, pointers.as_ptr(), pointers.len()) };
                }
                (!pointers.is_empty()).then_some(out)
            }

            /// Whether a point is in the subgroup.
            pub fn is_in_group(point: &$affine) -> bool {
                // SAFETY: a live value.
                unsafe { $in_group(point) }
            }
        }
    };
}

group!(
    g1,
    blst_p1_affine,
    blst_p1,
    96,
    blst_p1s_to_affine,
    blst_p1_affine_serialize,
    blst_p1_deserialize,
    blst_p1s_mult_pippenger,
    blst_p1s_mult_pippenger_scratch_sizeof,
    blst_p1s_add,
    blst_p1_affine_in_g1
);
group!(
    g2,
    blst_p2_affine,
    blst_p2,
    192,
    blst_p2s_to_affine,
    blst_p2_affine_serialize,
    blst_p2_deserialize,
    blst_p2s_mult_pippenger,
    blst_p2s_mult_pippenger_scratch_sizeof,
    blst_p2s_add,
    blst_p2_affine_in_g2
);

pub fn generator() -> P {
    // SAFETY: the library returns a pointer to a static.
    unsafe { *blst_p1_affine_generator() }
}

pub fn jacobian(point: &P) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: live values.
    unsafe { blst_p1_from_affine(&mut out, point) };
    out
}

pub fn add(a: &blst_p1, b: &blst_p1) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: live values.
    unsafe { blst_p1_add_or_double(&mut out, a, b) };
    out
}

pub fn add_g2(a: &blst_p2, b: &blst_p2) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: live values.
    unsafe { blst_p2_add_or_double(&mut out, a, b) };
    out
}

pub fn add_g2_point(a: &blst_p2, b: &Q) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: live values.
    unsafe { blst_p2_add_or_double_affine(&mut out, a, b) };
    out
}

pub fn double_g2(a: &blst_p2) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: live values.
    unsafe { blst_p2_double(&mut out, a) };
    out
}

pub fn negate_g2(point: &Q) -> Q {
    let mut y = blst_fp2::default();
    // SAFETY: live values.
    unsafe { blst_fp2_cneg(&mut y, &point.y, true) };
    Q { x: point.x, y }
}

/// `scalar · point`; variable time.
pub fn multiply(point: &blst_p1, scalar: &blst_scalar) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: 255 bits are read of a scalar of 32 bytes.
    unsafe { blst_p1_mult(&mut out, point, scalar.b.as_ptr(), 255) };
    out
}

/// `scalar · point`; variable time.
pub fn multiply_g2(point: &blst_p2, scalar: &blst_scalar) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: 255 bits are read of a scalar of 32 bytes.
    unsafe { blst_p2_mult(&mut out, point, scalar.b.as_ptr(), 255) };
    out
}

/// `secret · G`; constant time.
pub fn public_key(secret: &blst_scalar) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: live values.
    unsafe { blst_sk_to_pk_in_g1(&mut out, secret) };
    out
}

pub fn equal(a: &blst_p1, b: &blst_p1) -> bool {
    // SAFETY: live values.
    unsafe { blst_p1_is_equal(a, b) }
}

pub fn compress(point: &P) -> [u8; 48] {
    let mut out = [0; 48];
    // SAFETY: there is room for a compressed encoding.
    unsafe { blst_p1_affine_compress(out.as_mut_ptr(), point) };
    out
}

pub fn compress_g2(point: &Q) -> [u8; 96] {
    let mut out = [0; 96];
    // SAFETY: there is room for a compressed encoding.
    unsafe { blst_p2_affine_compress(out.as_mut_ptr(), point) };
    out
}

pub fn hash_to_g2(message: &[u8]) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: each pointer comes with its length; no augmentation.
    unsafe {
        blst_hash_to_g2(
            &mut out,
            message.as_ptr(),
            message.len(),
            DST.as_ptr(),
            DST.len(),
            core::ptr::null(),
            0,
        )
    };
    out
}

/// Constant time in the secret.
pub fn sign(message: &blst_p2, secret: &blst_scalar) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: live values.
    unsafe { blst_sign_pk_in_g1(&mut out, message, secret) };
    out
}

/// Whether `Π e(ps[i], qs[i]) = 1`.
pub fn pairing_product_is_one(ps: &[P], qs: &[Q]) -> bool {
    assert!(!ps.is_empty() && ps.len() == qs.len());
    let (left, right) = ([ps.as_ptr(), core::ptr::null()], [qs.as_ptr(), core::ptr::null()]);
    let (mut loops, mut out) = (blst_fp12::default(), blst_fp12::default());
    // SAFETY: null second pointers say that points follow one another; there are as many on each
    // side.
    unsafe {
        blst_miller_loop_n(&mut loops, right.as_ptr(), left.as_ptr(), ps.len());
        blst_final_exp(&mut out, &loops);
        blst_fp12_is_one(&out)
    }
}

/// Whether a compressed signature verifies under a compressed key, by the library's own routine,
/// which shares nothing with the above.
pub fn verifies(key: &[u8; 48], message: &[u8], signature: &[u8; 96]) -> bool {
    let (Ok(key), Ok(signature)) =
        (min_pk::PublicKey::from_bytes(key), min_pk::Signature::from_bytes(signature))
    else {
        return false;
    };
    signature.verify(true, message, DST, &[], &key, true) == BLST_ERROR::BLST_SUCCESS
}
