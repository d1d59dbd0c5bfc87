//! The toy's points and their sums.

use core::fmt;

use super::number::{P, add, below_order, mul, negative, reduced, spelled};
use super::{
    DecodeError, G1_COMPRESSED, G1_UNCOMPRESSED, G2_COMPRESSED, G2_UNCOMPRESSED, Scalar,
    expand_message_xmd,
};

/// The generator of G1. Not one, so that a point is not spelled as its logarithm is.
pub(super) const G: u64 = 0x1b87_3593_cc9e_2d51;

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
            /// What the point is a multiple of the unit point by.
            pub(super) fn logarithm(&self) -> u64 {
                self.0
            }

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
            /// The multiple of the unit point by `logarithm`.
            pub(super) fn multiple(logarithm: u64) -> Self {
                Self(logarithm)
            }

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
                Self(mul(self.0, factor.number()))
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
                        .fold(0, |sum, (point, scalar)| add(sum, mul(point.0, scalar.number()))),
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
