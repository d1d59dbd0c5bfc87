//! Sizes of the encodings of scalars and points, and why bytes are not one.

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
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
