//! The toy's scalars, public and secret.

use core::fmt;
use core::ops::{Add, Mul, Neg, Sub};

use zeroize::{Zeroize, Zeroizing};

use super::group::{G, G1, G1Sum, G2, G2Sum};
use super::number::{P, add, below_order, mul, negative, reduced, spelled};
use super::{DecodeError, SCALAR_BYTES};

/// What the first three words of a scalar are multiples of, modulo 2^64.
const SPREAD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];

/// A public scalar modulo the group order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scalar(u64);

/// A secret scalar modulo the group order: wiped on drop, and neither copied nor printed.
pub struct SecretScalar(u64);

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

    /// The scalar as a number.
    pub(super) fn number(&self) -> u64 {
        self.0
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
        G1Sum::multiple(mul(self.0, G)).finish()
    }

    /// `self · point`: a signature on the message hashed to `point`. `None` for zero.
    pub fn sign(&self, point: &G2) -> Option<G2> {
        G2Sum::multiple(mul(self.0, point.logarithm())).finish()
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
