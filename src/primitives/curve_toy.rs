//! TOY CURVE: no security. Stands in for `curve.rs` where the compiler is given `--cfg
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

use core::fmt;
use core::ops::{Add, Mul, Neg, Sub};

use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a scalar.
pub const SCALAR_BYTES: usize = 32;
/// Bytes of a compressed G1 point.
pub const G1_COMPRESSED: usize = 48;
/// Bytes of an uncompressed G1 point.
pub const G1_UNCOMPRESSED: usize = 96;
/// Bytes of a compressed G2 point.
pub const G2_COMPRESSED: usize = 96;
/// Bytes of an uncompressed G2 point.
pub const G2_UNCOMPRESSED: usize = 192;

/// The group order, and the modulus of coordinates.
const P: u64 = (1 << 61) - 1;

/// The generator of G1. Not one, so that a point is not spelled as its logarithm is.
const G: u64 = 0x1b87_3593_cc9e_2d51;

/// What the first three words of a scalar are multiples of, modulo 2^64.
const SPREAD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];

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

/// A public scalar modulo the group order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scalar(u64);

/// A secret scalar modulo the group order: wiped on drop, and neither copied nor printed.
pub struct SecretScalar(u64);

/// A point of G1, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct G1(u64);

/// A point of G2, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct G2(u64);

/// A point of G1's curve, not infinity, whose subgroup nobody has tested yet; `None` is outside.
#[derive(Clone, Copy)]
pub struct UntestedG1(Option<G1>);

/// A point of G2's curve, not infinity, whose subgroup nobody has tested yet; `None` is outside.
#[derive(Clone, Copy)]
pub struct UntestedG2(Option<G2>);

/// A sum of G1 points, possibly infinity.
#[derive(Clone, Copy, PartialEq)]
pub struct G1Sum(u64);

/// A sum of G2 points, possibly infinity.
#[derive(Clone, Copy, PartialEq)]
pub struct G2Sum(u64);

/// `wide mod P`, for `wide` below `2^122`.
fn folded(wide: u128) -> u64 {
    let wide = (wide & u128::from(P)) + (wide >> 61);
    u64::try_from(if wide >= u128::from(P) { wide - u128::from(P) } else { wide }).expect("below P")
}

fn add(a: u64, b: u64) -> u64 {
    folded(u128::from(a) + u128::from(b))
}

fn negative(a: u64) -> u64 {
    if a == 0 { 0 } else { P - a }
}

fn mul(a: u64, b: u64) -> u64 {
    folded(u128::from(a) * u128::from(b))
}

/// Big-endian bytes, modulo `P`; a multiple of eight of them.
fn reduced(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    // 2^64 = 8 mod P.
    words.iter().fold(0, |sum, word| {
        folded(u128::from(mul(sum, 8)) + u128::from(u64::from_be_bytes(*word)))
    })
}

/// The number that big-endian bytes spell, if it is below `P`.
fn below_order(bytes: &[u8]) -> Option<u64> {
    let (high, low) = bytes.split_last_chunk::<8>()?;
    let number = u64::from_be_bytes(*low);
    (number < P && high.iter().all(|b| *b == 0)).then_some(number)
}

fn spelled<const N: usize>(number: u64) -> [u8; N] {
    let mut out = [0; N];
    out[N - 8..].copy_from_slice(&number.to_be_bytes());
    out
}

/// A scalar's encoding.
fn spread(number: u64) -> [u8; SCALAR_BYTES] {
    let mut out = spelled(number);
    let (words, _) = out.as_chunks_mut::<8>();
    words
        .iter_mut()
        .zip(SPREAD)
        .for_each(|(word, factor)| *word = number.wrapping_mul(factor).to_be_bytes());
    out
}

fn gathered(bytes: &[u8; SCALAR_BYTES]) -> Result<u64, DecodeError> {
    let number = below_order(&bytes[SCALAR_BYTES - 8..]).filter(|number| spread(*number) == *bytes);
    number.ok_or(DecodeError::ScalarTooLarge)
}

impl Scalar {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// One.
    pub fn one() -> Self {
        Self(1)
    }

    /// The scalar `value`. Here, unlike in the true field, two values can be one scalar.
    pub fn from_u64(value: u64) -> Self {
        Self(value % P)
    }

    /// The scalar `value`.
    pub fn from_u128(value: u128) -> Self {
        Self(u64::try_from(value % u128::from(P)).expect("below the modulus"))
    }

    /// From 32 bytes, as [`Scalar::to_be_bytes`] gives them; everything else counts as too large.
    pub fn from_be_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, DecodeError> {
        gathered(bytes).map(Self)
    }

    /// From 48 big-endian bytes, modulo the group order.
    pub fn reduce(bytes: &[u8; 48]) -> Self {
        Self(reduced(bytes))
    }

    /// 32 bytes.
    pub fn to_be_bytes(&self) -> [u8; SCALAR_BYTES] {
        spread(self.0)
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// The multiplicative inverse; `None` for zero.
    pub fn inverse(&self) -> Option<Self> {
        // Fermat: all bits of P - 2 are ones, except for the second.
        let power = |out: u64, bit: u32| {
            let square = mul(out, out);
            if (P - 2) >> bit & 1 == 1 { mul(square, self.0) } else { square }
        };
        (!self.is_zero()).then(|| Self((0..61).rev().fold(1, power)))
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
        Self(add(self.0, other.0))
    }
}

impl Sub for Scalar {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(add(self.0, negative(other.0)))
    }
}

impl Mul for Scalar {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(mul(self.0, other.0))
    }
}

impl Neg for Scalar {
    type Output = Self;
    fn neg(self) -> Self {
        Self(negative(self.0))
    }
}

impl SecretScalar {
    /// Zero, to sum into.
    pub fn zero() -> Self {
        Self(0)
    }

    /// From 32 bytes, as [`SecretScalar::to_be_bytes`] gives them. Zero is accepted: whether it may
    /// occur is the caller's rule.
    pub fn from_be_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, DecodeError> {
        gathered(bytes).map(Self)
    }

    /// From 48 big-endian bytes, modulo the group order.
    pub fn reduce(bytes: &[u8; 48]) -> Self {
        Self(reduced(bytes))
    }

    /// 32 bytes, wiped when dropped.
    pub fn to_be_bytes(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        Zeroizing::new(spread(self.0))
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Adds `other` in place.
    pub fn add_assign(&mut self, other: &Self) {
        self.0 = add(self.0, other.0);
    }

    /// `self · factor`, for a public factor.
    pub fn scaled(&self, factor: &Scalar) -> Self {
        Self(mul(self.0, factor.0))
    }

    /// `self · G`; `None` for zero.
    pub fn base_mult(&self) -> Option<G1> {
        G1Sum(mul(self.0, G)).finish()
    }

    /// `self · point`: a signature on the message hashed to `point`. `None` for zero.
    pub fn sign(&self, point: &G2) -> Option<G2> {
        G2Sum(mul(self.0, point.0)).finish()
    }

    /// The value as a public scalar. Only for values that are published, such as a proof's
    /// response.
    pub fn declassify(&self) -> Scalar {
        Scalar(self.0)
    }
}

impl Drop for SecretScalar {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What G1 and G2 share, written once.
macro_rules! group {
    ($point:ident, $untested:ident, $sum:ident, $size:ident, $full:ident, $name:literal) => {
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
                let mut rest = *bytes;
                rest[0] &= 0x1f;
                match below_order(&rest).ok_or(DecodeError::NotCanonical)? {
                    0 => Err(DecodeError::NotInSubgroup),
                    x if x > P / 2 => Err(DecodeError::NotOnCurve),
                    x => Ok(Self(if bytes[0] & 0x20 == 0 { x } else { P - x })),
                }
            }

            /// The compressed encoding.
            pub fn to_compressed(&self) -> [u8; $size] {
                let mut out = spelled(self.0.min(P - self.0));
                out[0] = if self.0 > P / 2 { 0xa0 } else { 0x80 };
                out
            }
        }

        impl $point {
            /// From the uncompressed encoding (x ‖ y, no flag bit set): range, curve, not infinity,
            /// subgroup.
            pub fn from_uncompressed(bytes: &[u8; $full]) -> Result<Self, DecodeError> {
                $untested::from_uncompressed(bytes)?.test()
            }

            /// The uncompressed encoding.
            pub fn to_uncompressed(&self) -> [u8; $full] {
                let mut out = spelled(self.0);
                out[..$full / 2].copy_from_slice(&spelled::<{ $full / 2 }>(self.0.min(P - self.0)));
                out
            }
        }

        impl $untested {
            /// From the uncompressed encoding (x ‖ y, no flag bit set): range, curve, not infinity.
            pub fn from_uncompressed(bytes: &[u8; $full]) -> Result<Self, DecodeError> {
                match bytes[0] & 0xe0 {
                    0x00 => {}
                    0x40 => return Err(DecodeError::Infinity),
                    _ => return Err(DecodeError::NotCanonical),
                }
                let (x, y) = bytes.split_at($full / 2);
                match (
                    below_order(x).ok_or(DecodeError::NotCanonical)?,
                    below_order(y).ok_or(DecodeError::NotCanonical)?,
                ) {
                    // As the library's decoder, which knows these points of G1.
                    (0, y) if (y == 2 || y == P - 2) && $full == G1_UNCOMPRESSED => {
                        Err(DecodeError::NotInSubgroup)
                    }
                    (0, y) if y == 2 || y == P - 2 => Ok(Self(None)),
                    (x, y) if x != 0 && x == y.min(P - y) => Ok(Self(Some($point(y)))),
                    _ => Err(DecodeError::NotOnCurve),
                }
            }

            /// The test of the subgroup.
            pub fn test(&self) -> Result<$point, DecodeError> {
                self.0.ok_or(DecodeError::NotInSubgroup)
            }
        }

        impl fmt::Debug for $point {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($name, "({})"), hex::encode(self.to_compressed()))
            }
        }

        impl From<$point> for $sum {
            fn from(point: $point) -> Self {
                Self(point.0)
            }
        }

        impl $sum {
            /// Infinity, to sum into.
            pub fn zero() -> Self {
                Self(0)
            }

            /// Adds a point.
            pub fn add(&mut self, point: &$point) {
                self.0 = add(self.0, point.0);
            }

            /// Adds a sum.
            pub fn add_sum(&mut self, other: &Self) {
                self.0 = add(self.0, other.0);
            }

            /// The negative.
            pub fn negated(&self) -> Self {
                Self(negative(self.0))
            }

            /// `factor · self`, for a public factor.
            pub fn scaled(&self, factor: &Scalar) -> Self {
                Self(mul(self.0, factor.0))
            }

            /// `factor · self`.
            pub fn scaled_u64(&self, factor: u64) -> Self {
                self.scaled(&Scalar::from_u64(factor))
            }

            /// Whether this is infinity.
            pub fn is_infinity(&self) -> bool {
                self.0 == 0
            }

            /// The sum as a point; `None` for infinity.
            pub fn finish(&self) -> Option<$point> {
                (self.0 != 0).then_some($point(self.0))
            }

            /// Many sums as points; `None` if any of them is infinity.
            pub fn finish_all(sums: &[Self]) -> Option<Vec<$point>> {
                sums.iter().map(Self::finish).collect()
            }

            /// `Σ scalars[i] · points[i]`.
            ///
            /// # Panics
            /// If the slices differ in length.
            pub fn msm(points: &[$point], scalars: &[Scalar]) -> Self {
                assert_eq!(points.len(), scalars.len(), "one scalar for each point");
                Self(
                    points
                        .iter()
                        .zip(scalars)
                        .fold(0, |sum, (point, scalar)| add(sum, mul(point.0, scalar.0))),
                )
            }
        }
    };
}

group!(G1, UntestedG1, G1Sum, G1_COMPRESSED, G1_UNCOMPRESSED, "G1");

group!(G2, UntestedG2, G2Sum, G2_COMPRESSED, G2_UNCOMPRESSED, "G2");

impl G1 {
    /// The generator `G`.
    pub fn generator() -> Self {
        Self(G)
    }
}

impl G2 {
    /// A point whose logarithm everybody can compute, from `message` under `dst`.
    pub fn hash(message: &[u8], dst: &[u8]) -> Self {
        let mut bytes = [0; 48];
        expand_message_xmd(message, dst, &mut bytes);
        G2Sum(reduced(&bytes)).finish().expect("hashing to infinity has probability 2^-61")
    }
}

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
    pairs.iter().fold(0, |sum, (a, b)| add(sum, mul(a.0, b.0))) == 0
}
