//! BLS12-381: scalars, G1 and G2. The only file that calls the curve library.
//!
//! A [`G1`] or [`G2`] in memory is always canonical, on the curve, in the prime-order subgroup and
//! not infinity: there is no other way to make one. Sums, which may be infinity on the way, are
//! [`G1Sum`] and [`G2Sum`].
//!
//! Encodings: IETF draft-irtf-cfrg-pairing-friendly-curves, appendix C (the "ZCash" flags).
//! Hashing: RFC 9380 section 8.8.2.
#![allow(unsafe_code)]

use core::fmt;
use core::ops::{Add, Mul, Neg, Sub};

use blst::*;
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

use super::kernel::lanes::{Affine, Field};
use super::memo::remember;

/// Bytes of a scalar, big-endian.
pub const SCALAR_BYTES: usize = 32;
/// Bytes of a compressed G1 point.
pub const G1_COMPRESSED: usize = 48;
/// Bytes of an uncompressed G1 point.
pub const G1_UNCOMPRESSED: usize = 96;
/// Bytes of a compressed G2 point.
pub const G2_COMPRESSED: usize = 96;
/// Bytes of an uncompressed G2 point.
pub const G2_UNCOMPRESSED: usize = 192;

/// Why bytes are not a curve value. Each encoding has exactly one valid spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecodeError {
    /// The flag bits, or a coordinate at or above the field modulus.
    #[error("not the canonical encoding of a point")]
    NotCanonical,
    /// The point at infinity, which is never valid on the wire.
    #[error("the point at infinity")]
    Infinity,
    /// The coordinates do not satisfy the curve equation.
    #[error("not a point of the curve")]
    NotOnCurve,
    /// On the curve, outside the prime-order subgroup.
    #[error("a point outside the prime-order subgroup")]
    NotInSubgroup,
    /// A scalar at or above the group order.
    #[error("a scalar at or above the group order")]
    ScalarTooLarge,
}

/// A public scalar modulo the group order `r`. Arithmetic is constant time; printing is allowed
/// because it is public.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scalar(blst_fr);

/// A secret scalar modulo `r`: wiped on drop, and neither copied nor printed.
///
/// # Security
/// Every operation is constant time in the value, except [`SecretScalar::is_zero`], whose answer is
/// public by design.
pub struct SecretScalar(blst_fr);

/// A point of G1: canonical, on the curve, in the subgroup, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct G1(blst_p1_affine);

/// A point of G2: canonical, on the curve, in the subgroup, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct G2(blst_p2_affine);

/// A point of G1's curve, canonical and not infinity, whose subgroup nobody has tested yet.
#[derive(Clone, Copy)]
pub struct UntestedG1(blst_p1_affine);

/// A point of G2's curve, canonical and not infinity, whose subgroup nobody has tested yet.
#[derive(Clone, Copy)]
pub struct UntestedG2(blst_p2_affine);

/// A sum of G1 points, possibly infinity.
#[derive(Clone, Copy)]
pub struct G1Sum(blst_p1);

/// A sum of G2 points, possibly infinity.
#[derive(Clone, Copy)]
pub struct G2Sum(blst_p2);

fn fr_from_be(bytes: &[u8; SCALAR_BYTES]) -> Result<blst_fr, DecodeError> {
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
    Ok(fr)
}

fn fr_reduce(bytes: &[u8; 48]) -> blst_fr {
    let mut scalar = blst_scalar::default();
    let mut fr = blst_fr::default();
    // SAFETY: live locals; the length passed is the length of the array. The function reduces
    // modulo r.
    unsafe {
        blst_scalar_from_be_bytes(&mut scalar, bytes.as_ptr(), bytes.len());
        blst_fr_from_scalar(&mut fr, &scalar);
    }
    fr
}

/// Little-endian limbs as the curve library's scalar; wiped on drop by the library.
fn fr_to_scalar(fr: &blst_fr) -> blst_scalar {
    let mut scalar = blst_scalar::default();
    // SAFETY: live locals.
    unsafe { blst_scalar_from_fr(&mut scalar, fr) };
    scalar
}

fn fr_binary(
    op: unsafe extern "C" fn(*mut blst_fr, *const blst_fr, *const blst_fr),
    a: &blst_fr,
    b: &blst_fr,
) -> blst_fr {
    let mut out = blst_fr::default();
    // SAFETY: `op` is one of blst_fr_add, _sub, _mul, which read two field elements and write one;
    // all three are live.
    unsafe { op(&mut out, a, b) };
    out
}

impl Scalar {
    /// Zero.
    pub const ZERO: Self = Self(blst_fr { l: [0; 4] });

    /// One.
    pub fn one() -> Self {
        Self::from_u64(1)
    }

    /// The scalar `value`.
    pub fn from_u64(value: u64) -> Self {
        Self::from_u128(u128::from(value))
    }

    /// The scalar `value`.
    pub fn from_u128(value: u128) -> Self {
        let mut fr = blst_fr::default();
        let half =
            |shift: u32| u64::try_from(value >> shift & u128::from(u64::MAX)).expect("64 bits");
        let limbs = [half(0), half(64), 0, 0];
        // SAFETY: the input is four readable 64-bit limbs, little-endian; the output is a live
        // local.
        unsafe { blst_fr_from_uint64(&mut fr, limbs.as_ptr()) };
        Self(fr)
    }

    /// From 32 big-endian bytes, below `r`.
    pub fn from_be_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, DecodeError> {
        fr_from_be(bytes).map(Self)
    }

    /// From 48 big-endian bytes, modulo `r` (RFC 9380 section 5.2: bias below 2^-128).
    pub fn reduce(bytes: &[u8; 48]) -> Self {
        Self(fr_reduce(bytes))
    }

    /// 32 big-endian bytes.
    pub fn to_be_bytes(&self) -> [u8; SCALAR_BYTES] {
        let scalar = fr_to_scalar(&self.0);
        let mut out = [0; SCALAR_BYTES];
        // SAFETY: the output is 32 writable bytes.
        unsafe { blst_bendian_from_scalar(out.as_mut_ptr(), &scalar) };
        out
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        self.0.l == [0; 4]
    }

    /// The multiplicative inverse; `None` for zero. Not constant time.
    pub fn inverse(&self) -> Option<Self> {
        if self.is_zero() {
            return None;
        }
        let mut out = blst_fr::default();
        // SAFETY: live locals; the input is not zero.
        unsafe { blst_fr_eucl_inverse(&mut out, &self.0) };
        Some(Self(out))
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scalar({})", hex::encode(self.to_be_bytes()))
    }
}

impl Add for Scalar {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(fr_binary(blst_fr_add, &self.0, &other.0))
    }
}

impl Sub for Scalar {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(fr_binary(blst_fr_sub, &self.0, &other.0))
    }
}

impl Mul for Scalar {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(fr_binary(blst_fr_mul, &self.0, &other.0))
    }
}

impl Neg for Scalar {
    type Output = Self;
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl SecretScalar {
    /// Zero, to sum into.
    pub fn zero() -> Self {
        Self(blst_fr::default())
    }

    /// From 32 big-endian bytes, below `r`. Zero is accepted: whether it may occur is the caller's
    /// rule.
    pub fn from_be_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, DecodeError> {
        fr_from_be(bytes).map(Self)
    }

    /// From 48 big-endian bytes, modulo `r`.
    pub fn reduce(bytes: &[u8; 48]) -> Self {
        Self(fr_reduce(bytes))
    }

    /// 32 big-endian bytes, wiped when dropped.
    pub fn to_be_bytes(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        let scalar = fr_to_scalar(&self.0);
        let mut out = Zeroizing::new([0; SCALAR_BYTES]);
        // SAFETY: the output is 32 writable bytes.
        unsafe { blst_bendian_from_scalar(out.as_mut_ptr(), &scalar) };
        out
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        self.0.l.iter().fold(0, |acc, limb| acc | limb) == 0
    }

    /// Adds `other` in place.
    pub fn add_assign(&mut self, other: &Self) {
        let mut sum = fr_binary(blst_fr_add, &self.0, &other.0);
        self.0.l.copy_from_slice(&sum.l);
        sum.l.zeroize();
    }

    /// `self · factor`, for a public factor.
    pub fn scaled(&self, factor: &Scalar) -> Self {
        Self(fr_binary(blst_fr_mul, &self.0, &factor.0))
    }

    /// `self · G`; `None` for zero. Constant time.
    pub fn base_mult(&self) -> Option<G1> {
        let scalar = fr_to_scalar(&self.0);
        let mut point = blst_p1::default();
        // SAFETY: live locals; the function is the library's constant-time fixed-base product.
        unsafe { blst_sk_to_pk_in_g1(&mut point, &scalar) };
        G1Sum(point).finish()
    }

    /// `self · point`: a signature on the message hashed to `point`. `None` for zero. Constant
    /// time.
    pub fn sign(&self, point: &G2) -> Option<G2> {
        let scalar = fr_to_scalar(&self.0);
        let mut out = blst_p2::default();
        // SAFETY: live locals; `point` is in the subgroup, which the library's endomorphism needs.
        unsafe { blst_sign_pk_in_g1(&mut out, &G2Sum::from(*point).0, &scalar) };
        G2Sum(out).finish()
    }

    /// 32 little-endian bytes, wiped when dropped.
    pub(super) fn to_le_bytes(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        Zeroizing::new(fr_to_scalar(&self.0).b)
    }

    /// The value as a public scalar. Only for values that are published, such as a proof's
    /// response.
    pub fn declassify(&self) -> Scalar {
        Scalar(blst_fr { l: self.0.l })
    }
}

impl Drop for SecretScalar {
    fn drop(&mut self) {
        self.0.l.zeroize();
    }
}

/// What G1 and G2 share, written once.
macro_rules! group {
    ($point:ident, $untested:ident, $sum:ident, $field:ident, $affine:ident, $jacobian:ident,
        $size:ident, $full:ident,
     $name:literal, uncompress: $uncompress:ident, compress: $compress:ident,
     deserialize: $deserialize:ident,
     serialize: $serialize:ident, in_group: $in_group:ident, is_inf_affine: $is_inf_affine:ident,
     from_affine: $from_affine:ident, to_affine: $to_affine:ident,
     all_to_affine: $all_to_affine:ident,
     add: $add:ident, add_affine: $add_affine:ident, neg: $neg:ident, mult: $mult:ident,
     is_inf: $is_inf:ident,
     equal: $equal:ident, msm: $msm:ident, scratch: $scratch:ident) => {
        impl $point {
            /// From the compressed encoding: length and flags, range, curve, not infinity,
            /// subgroup.
            pub fn from_compressed(bytes: &[u8; $size]) -> Result<Self, DecodeError> {
                // Flag bits: 0x80 compressed, 0x40 infinity, 0x20 sign of y.
                if bytes[0] & 0x80 == 0 {
                    return Err(DecodeError::NotCanonical);
                }
                if bytes[0] & 0x40 != 0 {
                    return Err(DecodeError::Infinity);
                }
                remember(
                    stringify!($point),
                    || bytes.to_vec(),
                    || {
                        let mut point = $affine::default();
                        // SAFETY: the input is a full compressed encoding; the output is a live
                        // local.
                        let verdict = unsafe { $uncompress(&mut point, bytes.as_ptr()) };
                        $untested::checked(point, verdict)?.test()
                    },
                )
            }

            /// The compressed encoding.
            pub fn to_compressed(&self) -> [u8; $size] {
                let mut out = [0; $size];
                // SAFETY: the output has the size of a compressed encoding.
                unsafe { $compress(out.as_mut_ptr(), &self.0) };
                out
            }

            /// From the uncompressed encoding (x ‖ y, no flag bit set): range, curve, not infinity,
            /// subgroup.
            pub fn from_uncompressed(bytes: &[u8; $full]) -> Result<Self, DecodeError> {
                let point = $untested::from_uncompressed(bytes)?;
                remember(concat!($name, " uncompressed"), || bytes.to_vec(), || point.test())
            }

            /// The uncompressed encoding.
            pub fn to_uncompressed(&self) -> [u8; $full] {
                let mut out = [0; $full];
                // SAFETY: the output has the size of an uncompressed encoding.
                unsafe { $serialize(out.as_mut_ptr(), &self.0) };
                out
            }

            /// The point as arithmetic over many points at once has it.
            pub(super) fn affine(&self) -> Affine<$field> {
                $untested(self.0).affine()
            }

            /// A sum of points that were tested; `None` for infinity.
            pub(super) fn of_tested(sum: &Affine<$field>) -> Option<Self> {
                sum.coordinates().map(|(x, y)| Self($affine { x: x.0, y: y.0 }))
            }
        }

        impl $untested {
            /// From the uncompressed encoding (x ‖ y, no flag bit set): range, curve, not infinity.
            pub fn from_uncompressed(bytes: &[u8; $full]) -> Result<Self, DecodeError> {
                // With a flag set the library would read another encoding from the same bytes.
                match bytes[0] & 0xe0 {
                    0x00 => {}
                    0x40 => return Err(DecodeError::Infinity),
                    _ => return Err(DecodeError::NotCanonical),
                }
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

            /// The exact test of the subgroup (Scott, ePrint 2021/1130).
            pub fn test(&self) -> Result<$point, DecodeError> {
                // SAFETY: the point is on the curve: there is no other way to make one.
                match unsafe { $in_group(&self.0) } {
                    true => Ok($point(self.0)),
                    false => Err(DecodeError::NotInSubgroup),
                }
            }

            /// The point, which is in the subgroup by a test over many points at once.
            pub(super) fn tested_otherwise(&self) -> $point {
                $point(self.0)
            }

            /// The point as arithmetic over many points at once has it.
            pub(super) fn affine(&self) -> Affine<$field> {
                Affine::new($field(self.0.x), $field(self.0.y))
            }

            /// Whether a sum of points of the curve is in the subgroup, by the exact test. Infinity
            /// is.
            pub(super) fn sum_is_in_subgroup(sum: &Affine<$field>) -> bool {
                sum.coordinates()
                    .is_none_or(|(x, y)| Self($affine { x: x.0, y: y.0 }).test().is_ok())
            }
        }

        impl fmt::Debug for $point {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($name, "({})"), hex::encode(self.to_compressed()))
            }
        }

        impl From<$point> for $sum {
            fn from(point: $point) -> Self {
                let mut out = $jacobian::default();
                // SAFETY: live locals.
                unsafe { $from_affine(&mut out, &point.0) };
                Self(out)
            }
        }

        impl $sum {
            /// Infinity, to sum into.
            pub fn zero() -> Self {
                Self($jacobian::default())
            }

            /// Adds a point; any two inputs, equal ones and opposites included.
            pub fn add(&mut self, point: &$point) {
                let mut out = $jacobian::default();
                // SAFETY: live values; the function handles doubling and infinity.
                unsafe { $add_affine(&mut out, &self.0, &point.0) };
                self.0 = out;
            }

            /// Adds a sum.
            pub fn add_sum(&mut self, other: &Self) {
                let mut out = $jacobian::default();
                // SAFETY: live values; the function handles doubling and infinity.
                unsafe { $add(&mut out, &self.0, &other.0) };
                self.0 = out;
            }

            /// The negative.
            pub fn negated(&self) -> Self {
                let mut out = self.0;
                // SAFETY: a live local, changed in place.
                unsafe { $neg(&mut out, true) };
                Self(out)
            }

            /// `factor · self`, for a public factor.
            pub fn scaled(&self, factor: &Scalar) -> Self {
                self.mult_bits(&fr_to_scalar(&factor.0).b, 255)
            }

            /// `factor · self`, in time that grows with the length of the public factor.
            pub fn scaled_u64(&self, factor: u64) -> Self {
                let bits = 64 - usize::try_from(factor.leading_zeros()).expect("at most 64");
                self.mult_bits(&factor.to_le_bytes(), bits.max(1))
            }

            fn mult_bits(&self, little_endian: &[u8], bits: usize) -> Self {
                let mut out = $jacobian::default();
                assert!(bits <= 8 * little_endian.len(), "as many bits as bytes given");
                // SAFETY: at least `bits` bits are readable; the point is in the subgroup, as every
                // summand is.
                unsafe { $mult(&mut out, &self.0, little_endian.as_ptr(), bits) };
                Self(out)
            }

            /// Whether this is infinity.
            pub fn is_infinity(&self) -> bool {
                // SAFETY: a live value.
                unsafe { $is_inf(&self.0) }
            }

            /// The sum as a point; `None` for infinity.
            pub fn finish(&self) -> Option<$point> {
                if self.is_infinity() {
                    return None;
                }
                let mut out = $affine::default();
                // SAFETY: live values.
                unsafe { $to_affine(&mut out, &self.0) };
                Some($point(out))
            }

            /// Many sums as points with one inversion; `None` if any of them is infinity.
            pub fn finish_all(sums: &[Self]) -> Option<Vec<$point>> {
                if sums.is_empty() {
                    return Some(Vec::new());
                }
                if sums.iter().any(Self::is_infinity) {
                    return None;
                }
                let pointers: Vec<*const $jacobian> =
                    sums.iter().map(|sum| core::ptr::from_ref(&sum.0)).collect();
                let mut out = vec![$affine::default(); sums.len()];
                // SAFETY: one valid pointer and one output slot for each of `sums.len()` points,
                // none at infinity.
                unsafe { $all_to_affine(out.as_mut_ptr(), pointers.as_ptr(), sums.len()) };
                Some(out.into_iter().map($point).collect())
            }

            /// `Σ scalars[i] · points[i]` (Pippenger). Variable time: public inputs only.
            ///
            /// # Panics
            /// If the slices differ in length.
            pub fn msm(points: &[$point], scalars: &[Scalar]) -> Self {
                assert_eq!(points.len(), scalars.len(), "one scalar for each point");
                let question = || {
                    let term = |(point, scalar): (&$point, &Scalar)| {
                        [&point.to_compressed()[..], &scalar.to_be_bytes()].concat()
                    };
                    points.iter().zip(scalars).flat_map(term).collect()
                };
                remember(stringify!($sum), question, || Self::sum_of_products(points, scalars))
            }

            fn sum_of_products(points: &[$point], scalars: &[Scalar]) -> Self {
                let mut total = Self::zero();
                // The library's routine needs a fair number of points, and hangs or panics on none.
                if points.len() < 8 {
                    for (point, scalar) in points.iter().zip(scalars) {
                        total.add_sum(&Self::from(*point).scaled(scalar));
                    }
                    return total;
                }
                let scalars: Vec<blst_scalar> =
                    scalars.iter().map(|scalar| fr_to_scalar(&scalar.0)).collect();
                let points: Vec<*const $affine> =
                    points.iter().map(|point| core::ptr::from_ref(&point.0)).collect();
                let bytes: Vec<*const u8> =
                    scalars.iter().map(|scalar| scalar.b.as_ptr()).collect();
                // SAFETY: asks for a size only.
                let scratch = unsafe { $scratch(points.len()) };
                let mut scratch = vec![0u64; scratch.div_ceil(8)];
                // SAFETY: `points.len()` valid pointers to points and to 32-byte scalars; scratch
                // of the size asked for.
                unsafe {
                    $msm(
                        &mut total.0,
                        points.as_ptr(),
                        points.len(),
                        bytes.as_ptr(),
                        255,
                        scratch.as_mut_ptr(),
                    );
                }
                total
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

group!(G1, UntestedG1, G1Sum, Fp, blst_p1_affine, blst_p1, G1_COMPRESSED, G1_UNCOMPRESSED, "G1",
    uncompress: blst_p1_uncompress, compress: blst_p1_affine_compress,
    deserialize: blst_p1_deserialize,
    serialize: blst_p1_affine_serialize, in_group: blst_p1_affine_in_g1,
    is_inf_affine: blst_p1_affine_is_inf, from_affine: blst_p1_from_affine,
    to_affine: blst_p1_to_affine,
    all_to_affine: blst_p1s_to_affine, add: blst_p1_add_or_double,
    add_affine: blst_p1_add_or_double_affine,
    neg: blst_p1_cneg, mult: blst_p1_mult, is_inf: blst_p1_is_inf, equal: blst_p1_is_equal,
    msm: blst_p1s_mult_pippenger, scratch: blst_p1s_mult_pippenger_scratch_sizeof);

group!(G2, UntestedG2, G2Sum, Fp2, blst_p2_affine, blst_p2, G2_COMPRESSED, G2_UNCOMPRESSED, "G2",
    uncompress: blst_p2_uncompress, compress: blst_p2_affine_compress,
    deserialize: blst_p2_deserialize,
    serialize: blst_p2_affine_serialize, in_group: blst_p2_affine_in_g2,
    is_inf_affine: blst_p2_affine_is_inf, from_affine: blst_p2_from_affine,
    to_affine: blst_p2_to_affine,
    all_to_affine: blst_p2s_to_affine, add: blst_p2_add_or_double,
    add_affine: blst_p2_add_or_double_affine,
    neg: blst_p2_cneg, mult: blst_p2_mult, is_inf: blst_p2_is_inf, equal: blst_p2_is_equal,
    msm: blst_p2s_mult_pippenger, scratch: blst_p2s_mult_pippenger_scratch_sizeof);

impl G1 {
    /// The generator `G`.
    pub fn generator() -> Self {
        // SAFETY: the library returns a pointer to a static.
        Self(unsafe { *blst_p1_affine_generator() })
    }
}

impl G1Sum {
    /// A sum of points that were tested.
    pub(super) fn of_tested(sum: &Affine<Fp>) -> Self {
        G1::of_tested(sum).map_or_else(Self::zero, Self::from)
    }
}

impl G2 {
    /// `hash_to_curve` of RFC 9380, suite BLS12381G2_XMD:SHA-256_SSWU_RO_, under `dst`.
    pub fn hash(message: &[u8], dst: &[u8]) -> Self {
        let hash = || {
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
            G2Sum(out).finish().expect("hashing to infinity has probability 2^-255")
        };
        remember("hash to G2", || [&dst.len().to_be_bytes(), dst, message].concat(), hash)
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
        pairs.par_chunks(MANY_PAIRS).map(miller_loops).reduce(blst_fp12::default, |a, b| a * b)
    };
    let mut out = blst_fp12::default();
    // SAFETY: live values.
    unsafe {
        blst_final_exp(&mut out, &loops);
        blst_fp12_is_one(&out)
    }
}

fn miller_loops(pairs: &[(G1, G2)]) -> blst_fp12 {
    let ps: Vec<*const blst_p1_affine> =
        pairs.iter().map(|(a, _)| core::ptr::from_ref(&a.0)).collect();
    let qs: Vec<*const blst_p2_affine> =
        pairs.iter().map(|(_, b)| core::ptr::from_ref(&b.0)).collect();
    let mut loops = blst_fp12::default();
    // SAFETY: `pairs.len()` valid pointers on each side; no point is infinity, by the invariant of
    // the types.
    unsafe { blst_miller_loop_n(&mut loops, qs.as_ptr(), ps.as_ptr(), pairs.len()) };
    loops
}

/// An element of the base field of G1's curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fp(blst_fp);

/// An element of the quadratic extension over which G2's curve is defined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fp2(blst_fp2);

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
    pub(super) fn words(&self) -> &[u64; 6] {
        &self.0.l
    }

    /// The same, to be overwritten.
    pub(super) fn words_mut(&mut self) -> &mut [u64; 6] {
        &mut self.0.l
    }

    /// From 48 big-endian bytes below the modulus.
    pub(super) fn from_be_bytes(bytes: &[u8; 48]) -> Self {
        let mut out = blst_fp::default();
        // SAFETY: 48 readable bytes; the output is a live local.
        unsafe { blst_fp_from_bendian(&mut out, bytes.as_ptr()) };
        Self(out)
    }
}
