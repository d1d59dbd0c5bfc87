//! The curve library behind safe calls: the only file that names it, and the only unsafe code.
//!
//! Values are the library's, with no invariant but these, which decoding and arithmetic keep: an
//! element of a field is below its modulus; affine coordinates satisfy their curve's equation. The
//! types of the files beside this one add the rest.
#![allow(unsafe_code)]

use blst::*;

use super::{
    DecodeError, G1_COMPRESSED, G1_UNCOMPRESSED, G2_COMPRESSED, G2_UNCOMPRESSED, SCALAR_BYTES,
};
use crate::primitives::kernel::lanes::Field;

/// An integer modulo the group order `r`, in Montgomery form. Arithmetic is constant time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fr(blst_fr);

impl Fr {
    /// Zero.
    pub(super) const ZERO: Self = Self(blst_fr { l: [0; 4] });

    /// From little-endian limbs of an integer, which is reduced.
    pub(super) fn from_integer(limbs: &[u64; 4]) -> Self {
        let mut fr = blst_fr::default();
        // SAFETY: the input is four readable 64-bit limbs; the output is a live local.
        unsafe { blst_fr_from_uint64(&mut fr, limbs.as_ptr()) };
        Self(fr)
    }

    /// From 32 big-endian bytes, below `r`.
    pub(super) fn from_be_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, DecodeError> {
        let mut scalar = blst_scalar::default();
        let mut fr = blst_fr::default();
        // SAFETY: both outputs are live locals; the input is 32 readable bytes, as the function
        // demands.
        let canonical = unsafe {
            blst_scalar_from_bendian(&mut scalar, bytes.as_ptr());
            blst_scalar_fr_check(&scalar)
        };
        if !canonical {
            return Err(DecodeError::ScalarTooLarge);
        }
        // SAFETY: `scalar` is below r, checked above; both pointers are live locals.
        unsafe { blst_fr_from_scalar(&mut fr, &scalar) };
        Ok(Self(fr))
    }

    /// From 48 big-endian bytes, modulo `r`.
    pub(super) fn reduce(bytes: &[u8; 48]) -> Self {
        let mut scalar = blst_scalar::default();
        let mut fr = blst_fr::default();
        // SAFETY: live locals; the length passed is the length of the array. The function reduces
        // modulo r.
        unsafe {
            blst_scalar_from_be_bytes(&mut scalar, bytes.as_ptr(), bytes.len());
            blst_fr_from_scalar(&mut fr, &scalar);
        }
        Self(fr)
    }

    /// As 32 big-endian bytes, into `out`.
    pub(super) fn write_be_bytes(&self, out: &mut [u8; SCALAR_BYTES]) {
        let scalar = self.scalar();
        // SAFETY: the output is 32 writable bytes.
        unsafe { blst_bendian_from_scalar(out.as_mut_ptr(), &scalar) };
    }

    /// Little-endian bytes as the curve library's scalar; wiped on drop by the library.
    pub(super) fn scalar(&self) -> blst_scalar {
        let mut scalar = blst_scalar::default();
        // SAFETY: live locals.
        unsafe { blst_scalar_from_fr(&mut scalar, &self.0) };
        scalar
    }

    /// The words of the value as it is in memory.
    pub(super) fn limbs(&self) -> &[u64; 4] {
        &self.0.l
    }

    /// The same, to be overwritten.
    pub(super) fn limbs_mut(&mut self) -> &mut [u64; 4] {
        &mut self.0.l
    }

    /// The sum.
    pub(super) fn add(&self, other: &Self) -> Self {
        self.with(other, blst_fr_add)
    }

    /// The difference.
    pub(super) fn sub(&self, other: &Self) -> Self {
        self.with(other, blst_fr_sub)
    }

    /// The product.
    pub(super) fn mul(&self, other: &Self) -> Self {
        self.with(other, blst_fr_mul)
    }

    fn with(
        &self,
        other: &Self,
        op: unsafe extern "C" fn(*mut blst_fr, *const blst_fr, *const blst_fr),
    ) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: `op` is one of blst_fr_add, _sub, _mul, which read two field elements and write
        // one; all three are live.
        unsafe { op(&mut out, &self.0, &other.0) };
        Self(out)
    }

    /// The inverse of a value that is not zero. Not constant time.
    pub(super) fn inverse(&self) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: live locals.
        unsafe { blst_fr_eucl_inverse(&mut out, &self.0) };
        Self(out)
    }

    /// `self · G`. Constant time.
    pub(super) fn base_mult(&self) -> P1 {
        let scalar = self.scalar();
        let mut point = blst_p1::default();
        // SAFETY: live locals; the function is the library's constant-time fixed-base product.
        unsafe { blst_sk_to_pk_in_g1(&mut point, &scalar) };
        P1(point)
    }

    /// `self · point`, which is in the subgroup: the library's endomorphism needs that. Constant
    /// time.
    pub(super) fn sign(&self, point: &P2) -> P2 {
        let scalar = self.scalar();
        let mut out = blst_p2::default();
        // SAFETY: live locals.
        unsafe { blst_sign_pk_in_g1(&mut out, &point.0, &scalar) };
        P2(out)
    }
}

/// A point of G1's curve, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct P1Affine(blst_p1_affine);

/// A point of G2's curve, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct P2Affine(blst_p2_affine);

/// A point of G1's curve, possibly infinity.
#[derive(Clone, Copy)]
pub(super) struct P1(blst_p1);

/// A point of G2's curve, possibly infinity.
#[derive(Clone, Copy)]
pub(super) struct P2(blst_p2);

/// The calls for points, which the library has twice.
macro_rules! points {
    ($point:ident, $field:ident, $sum:ident, $affine:ident, $jacobian:ident, $size:ident,
     $full:ident, uncompress: $uncompress:ident, compress: $compress:ident,
     deserialize: $deserialize:ident, serialize: $serialize:ident, in_group: $in_group:ident,
     is_inf_affine: $is_inf_affine:ident, from_affine: $from_affine:ident,
     to_affine: $to_affine:ident, all_to_affine: $all_to_affine:ident, add: $add:ident,
     add_affine: $add_affine:ident, neg: $neg:ident, mult: $mult:ident, is_inf: $is_inf:ident,
     equal: $equal:ident, msm: $msm:ident, scratch: $scratch:ident) => {
        impl $point {
            /// From the compressed encoding, whose first flag is set.
            pub(super) fn from_compressed(bytes: &[u8; $size]) -> Result<Self, DecodeError> {
                let mut point = $affine::default();
                // SAFETY: the input is a full compressed encoding; the output is a live local.
                let verdict = unsafe { $uncompress(&mut point, bytes.as_ptr()) };
                Self::checked(point, verdict)
            }

            /// From the uncompressed encoding. With a flag set, the library reads a compressed one.
            pub(super) fn from_uncompressed(bytes: &[u8; $full]) -> Result<Self, DecodeError> {
                let mut point = $affine::default();
                // SAFETY: the input is a full uncompressed encoding; the output is a live local.
                let verdict = unsafe { $deserialize(&mut point, bytes.as_ptr()) };
                Self::checked(point, verdict)
            }

            fn checked(point: $affine, verdict: BLST_ERROR) -> Result<Self, DecodeError> {
                match verdict {
                    BLST_ERROR::BLST_SUCCESS => {}
                    BLST_ERROR::BLST_POINT_NOT_ON_CURVE => return Err(DecodeError::NotOnCurve),
                    // The decoder knows the points with x = 0, which are of order 3.
                    BLST_ERROR::BLST_POINT_NOT_IN_GROUP => return Err(DecodeError::NotInSubgroup),
                    _ => return Err(DecodeError::NotCanonical),
                }
                // SAFETY: `point` is on the curve: the decoder reported success.
                match unsafe { $is_inf_affine(&point) } {
                    true => Err(DecodeError::Infinity),
                    false => Ok(Self(point)),
                }
            }

            /// The point with these coordinates, which satisfy the equation.
            pub(super) fn from_coordinates(x: $field, y: $field) -> Self {
                Self($affine { x: x.0, y: y.0 })
            }

            /// The coordinates.
            pub(super) fn coordinates(&self) -> ($field, $field) {
                ($field(self.0.x), $field(self.0.y))
            }

            /// The compressed encoding.
            pub(super) fn compressed(&self) -> [u8; $size] {
                let mut out = [0; $size];
                // SAFETY: the output has the size of a compressed encoding.
                unsafe { $compress(out.as_mut_ptr(), &self.0) };
                out
            }

            /// The uncompressed encoding.
            pub(super) fn uncompressed(&self) -> [u8; $full] {
                let mut out = [0; $full];
                // SAFETY: the output has the size of an uncompressed encoding.
                unsafe { $serialize(out.as_mut_ptr(), &self.0) };
                out
            }

            /// The exact test of the subgroup.
            pub(super) fn is_in_subgroup(&self) -> bool {
                // SAFETY: the point is on the curve: there is no other way to make one.
                unsafe { $in_group(&self.0) }
            }

            /// The point, to sum with.
            pub(super) fn jacobian(&self) -> $sum {
                let mut out = $jacobian::default();
                // SAFETY: live locals.
                unsafe { $from_affine(&mut out, &self.0) };
                $sum(out)
            }
        }

        impl $sum {
            /// Infinity.
            pub(super) fn infinity() -> Self {
                Self($jacobian::default())
            }

            /// Whether this is infinity.
            pub(super) fn is_infinity(&self) -> bool {
                // SAFETY: a live value.
                unsafe { $is_inf(&self.0) }
            }

            /// The sum; any two inputs, equal ones and opposites included.
            pub(super) fn plus_affine(&self, other: &$point) -> Self {
                let mut out = $jacobian::default();
                // SAFETY: live values; the function handles doubling and infinity.
                unsafe { $add_affine(&mut out, &self.0, &other.0) };
                Self(out)
            }

            /// The sum; any two inputs, equal ones and opposites included.
            pub(super) fn plus(&self, other: &Self) -> Self {
                let mut out = $jacobian::default();
                // SAFETY: live values; the function handles doubling and infinity.
                unsafe { $add(&mut out, &self.0, &other.0) };
                Self(out)
            }

            /// The negative.
            pub(super) fn negated(&self) -> Self {
                let mut out = self.0;
                // SAFETY: a live local, changed in place.
                unsafe { $neg(&mut out, true) };
                Self(out)
            }

            /// The product with the integer of the first `bits` bits, of a point in the subgroup.
            pub(super) fn times(&self, little_endian: &[u8], bits: usize) -> Self {
                let mut out = $jacobian::default();
                assert!(bits <= 8 * little_endian.len(), "as many bits as bytes given");
                // SAFETY: at least `bits` bits are readable; the others are live values.
                unsafe { $mult(&mut out, &self.0, little_endian.as_ptr(), bits) };
                Self(out)
            }

            /// A sum that is not infinity as a point.
            pub(super) fn affine(&self) -> $point {
                let mut out = $affine::default();
                // SAFETY: live values.
                unsafe { $to_affine(&mut out, &self.0) };
                $point(out)
            }

            /// At least one sum, none of them infinity, as points with one inversion.
            pub(super) fn all_to_affine<'a>(sums: impl Iterator<Item = &'a Self>) -> Vec<$point> {
                let pointers: Vec<*const $jacobian> =
                    sums.map(|sum| core::ptr::from_ref(&sum.0)).collect();
                assert!(!pointers.is_empty(), "at least one sum");
                let mut out = vec![$affine::default(); pointers.len()];
                // SAFETY: one valid pointer, which outlives the call, and one output slot for each
                // of `pointers.len()` points.
                unsafe { $all_to_affine(out.as_mut_ptr(), pointers.as_ptr(), pointers.len()) };
                out.into_iter().map($point).collect()
            }

            /// `Σ scalar · point` over at least eight terms (Pippenger): the library's routine
            /// hangs or panics on none. Variable time.
            pub(super) fn msm<'a>(terms: impl Iterator<Item = (&'a $point, &'a Fr)>) -> Self {
                let (points, scalars): (Vec<*const $affine>, Vec<blst_scalar>) = terms
                    .map(|(point, scalar)| (core::ptr::from_ref(&point.0), scalar.scalar()))
                    .unzip();
                assert!(points.len() >= 8, "enough terms for the routine");
                let bytes: Vec<*const u8> =
                    scalars.iter().map(|scalar| scalar.b.as_ptr()).collect();
                // SAFETY: asks for a size only.
                let scratch = unsafe { $scratch(points.len()) };
                let mut scratch = vec![0u64; scratch.div_ceil(8)];
                let mut total = $jacobian::default();
                // SAFETY: `points.len()` valid pointers to points and to 32-byte scalars; scratch
                // of the size asked for.
                unsafe {
                    $msm(
                        &mut total,
                        points.as_ptr(),
                        points.len(),
                        bytes.as_ptr(),
                        255,
                        scratch.as_mut_ptr(),
                    );
                }
                Self(total)
            }
        }

        impl PartialEq for $sum {
            fn eq(&self, other: &Self) -> bool {
                // SAFETY: live values.
                unsafe { $equal(&self.0, &other.0) }
            }
        }
    };
}

points!(P1Affine, Fp, P1, blst_p1_affine, blst_p1, G1_COMPRESSED, G1_UNCOMPRESSED,
    uncompress: blst_p1_uncompress, compress: blst_p1_affine_compress,
    deserialize: blst_p1_deserialize,
    serialize: blst_p1_affine_serialize, in_group: blst_p1_affine_in_g1,
    is_inf_affine: blst_p1_affine_is_inf, from_affine: blst_p1_from_affine,
    to_affine: blst_p1_to_affine,
    all_to_affine: blst_p1s_to_affine, add: blst_p1_add_or_double,
    add_affine: blst_p1_add_or_double_affine,
    neg: blst_p1_cneg, mult: blst_p1_mult, is_inf: blst_p1_is_inf, equal: blst_p1_is_equal,
    msm: blst_p1s_mult_pippenger, scratch: blst_p1s_mult_pippenger_scratch_sizeof);

points!(P2Affine, Fp2, P2, blst_p2_affine, blst_p2, G2_COMPRESSED, G2_UNCOMPRESSED,
    uncompress: blst_p2_uncompress, compress: blst_p2_affine_compress,
    deserialize: blst_p2_deserialize,
    serialize: blst_p2_affine_serialize, in_group: blst_p2_affine_in_g2,
    is_inf_affine: blst_p2_affine_is_inf, from_affine: blst_p2_from_affine,
    to_affine: blst_p2_to_affine,
    all_to_affine: blst_p2s_to_affine, add: blst_p2_add_or_double,
    add_affine: blst_p2_add_or_double_affine,
    neg: blst_p2_cneg, mult: blst_p2_mult, is_inf: blst_p2_is_inf, equal: blst_p2_is_equal,
    msm: blst_p2s_mult_pippenger, scratch: blst_p2s_mult_pippenger_scratch_sizeof);

impl P1Affine {
    /// The generator of G1.
    pub(super) fn generator() -> Self {
        // SAFETY: the library returns a pointer to a static.
        Self(unsafe { *blst_p1_affine_generator() })
    }
}

impl P2 {
    /// `hash_to_curve` of RFC 9380, suite BLS12381G2_XMD:SHA-256_SSWU_RO_, under `dst`.
    pub(super) fn hash(message: &[u8], dst: &[u8]) -> Self {
        let mut out = blst_p2::default();
        // SAFETY: each pointer comes with the length of its slice; an empty augmentation may be
        // null.
        unsafe {
            blst_hash_to_g2(
                &mut out,
                message.as_ptr(),
                message.len(),
                dst.as_ptr(),
                dst.len(),
                core::ptr::null(),
                0,
            );
        }
        Self(out)
    }
}

/// `expand_message_xmd` with SHA-256 (RFC 9380 section 5.3.1) into `out`, at most 8160 bytes.
pub fn expand_message_xmd(message: &[u8], dst: &[u8], out: &mut [u8]) {
    assert!(out.len() <= 255 * 32 && dst.len() <= 255, "bounds of RFC 9380 section 5.3.1");
    // SAFETY: each pointer comes with the length of its slice.
    unsafe {
        blst_expand_message_xmd(
            out.as_mut_ptr(),
            out.len(),
            message.as_ptr(),
            message.len(),
            dst.as_ptr(),
            dst.len(),
        );
    }
}

/// A product of Miller loops, before the final exponentiation.
#[derive(Clone, Copy)]
pub(super) struct Fp12(blst_fp12);

impl Fp12 {
    /// The empty product.
    pub(super) fn one() -> Self {
        Self(blst_fp12::default())
    }

    /// The product over at least one pair.
    pub(super) fn miller_loops<'a>(
        pairs: impl Iterator<Item = (&'a P1Affine, &'a P2Affine)>,
    ) -> Self {
        let (ps, qs): (Vec<*const blst_p1_affine>, Vec<*const blst_p2_affine>) =
            pairs.map(|(a, b)| (core::ptr::from_ref(&a.0), core::ptr::from_ref(&b.0))).unzip();
        assert!(!ps.is_empty(), "at least one pair");
        let mut loops = blst_fp12::default();
        // SAFETY: `ps.len()` valid pointers on each side.
        unsafe { blst_miller_loop_n(&mut loops, qs.as_ptr(), ps.as_ptr(), ps.len()) };
        Self(loops)
    }

    /// The product.
    pub(super) fn times(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }

    /// Whether the product of the pairings, which is this after the final exponentiation, is one.
    pub(super) fn pairs_to_one(&self) -> bool {
        let mut out = blst_fp12::default();
        // SAFETY: live values.
        unsafe {
            blst_final_exp(&mut out, &self.0);
            blst_fp12_is_one(&out)
        }
    }
}

/// An element of the base field of G1's curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::primitives) struct Fp(blst_fp);

/// An element of the quadratic extension over which G2's curve is defined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::primitives) struct Fp2(blst_fp2);

macro_rules! field {
    ($field:ident, $raw:ident, add: $add:ident, sub: $sub:ident, mul: $mul:ident, sqr: $sqr:ident,
        inverse: $inverse:ident) => {
        impl Field for $field {
            fn zero() -> Self {
                Self($raw::default())
            }

            fn add(&self, other: &Self) -> Self {
                let mut out = $raw::default();
                // SAFETY: live values.
                unsafe { $add(&mut out, &self.0, &other.0) };
                Self(out)
            }

            fn sub(&self, other: &Self) -> Self {
                let mut out = $raw::default();
                // SAFETY: live values.
                unsafe { $sub(&mut out, &self.0, &other.0) };
                Self(out)
            }

            fn mul(&self, other: &Self) -> Self {
                let mut out = $raw::default();
                // SAFETY: live values.
                unsafe { $mul(&mut out, &self.0, &other.0) };
                Self(out)
            }

            fn square(&self) -> Self {
                let mut out = $raw::default();
                // SAFETY: live values.
                unsafe { $sqr(&mut out, &self.0) };
                Self(out)
            }

            fn inverse(&self) -> Self {
                let mut out = $raw::default();
                // SAFETY: live values; the library's constant-time inversion, which maps zero to
                // zero.
                unsafe { $inverse(&mut out, &self.0) };
                Self(out)
            }
        }
    };
}

field!(Fp, blst_fp, add: blst_fp_add, sub: blst_fp_sub, mul: blst_fp_mul, sqr: blst_fp_sqr,
    inverse: blst_fp_inverse);
field!(Fp2, blst_fp2, add: blst_fp2_add, sub: blst_fp2_sub, mul: blst_fp2_mul, sqr: blst_fp2_sqr,
    inverse: blst_fp2_inverse);

impl Fp {
    /// The words of the element as it is in memory, for selections that do not branch.
    pub(in crate::primitives) fn words(&self) -> &[u64; 6] {
        &self.0.l
    }

    /// The same, to be overwritten.
    pub(in crate::primitives) fn words_mut(&mut self) -> &mut [u64; 6] {
        &mut self.0.l
    }

    /// From 48 big-endian bytes below the modulus.
    pub(in crate::primitives) fn from_be_bytes(bytes: &[u8; 48]) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: 48 readable bytes; the output is a live local.
        unsafe { blst_fp_from_bendian(&mut out, bytes.as_ptr()) };
        Self(out)
    }
}
