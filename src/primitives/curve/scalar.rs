//! Scalars modulo the order of the groups: public ones, and secret ones that are wiped.

use core::fmt;
use core::ops::{Add, Mul, Neg, Sub};

use zeroize::{Zeroize, Zeroizing};

use super::raw::Fr;
use super::{DecodeError, G1, G1Sum, G2, G2Sum, SCALAR_BYTES};

/// A public scalar modulo the group order `r`. Arithmetic is constant time; printing is allowed
/// because it is public.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scalar(Fr);

/// A secret scalar modulo `r`: wiped on drop, and neither copied nor printed.
///
/// # Security
/// Every operation is constant time in the value, except [`SecretScalar::is_zero`], whose answer is
/// public by design. It is not boxed, for there are thousands: what is kept is in vectors that
/// never grow, and what is moved leaves copies on the stack, which whoever works with scalars
/// overwrites ([`crate::primitives::secret::wiping_all`]).
pub struct SecretScalar(Fr);

impl Scalar {
    /// Zero.
    pub const ZERO: Self = Self(Fr::ZERO);

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
        let half =
            |shift: u32| u64::try_from(value >> shift & u128::from(u64::MAX)).expect("64 bits");
        Self(Fr::from_integer(&[half(0), half(64), 0, 0]))
    }

    /// From 32 big-endian bytes, below `r`.
    pub fn from_be_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, DecodeError> {
        Fr::from_be_bytes(bytes).map(Self)
    }

    /// From 48 big-endian bytes, modulo `r` (RFC 9380 section 5.2: bias below 2^-128).
    pub fn reduce(bytes: &[u8; 48]) -> Self {
        Self(Fr::reduce(bytes))
    }

    /// 32 big-endian bytes.
    pub fn to_be_bytes(&self) -> [u8; SCALAR_BYTES] {
        let mut out = [0; SCALAR_BYTES];
        self.0.write_be_bytes(&mut out);
        out
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        *self.0.limbs() == [0; 4]
    }

    /// The multiplicative inverse; `None` for zero. Not constant time.
    pub fn inverse(&self) -> Option<Self> {
        if self.is_zero() { None } else { Some(Self(self.0.inverse())) }
    }

    /// The scalar as the curve library has it.
    pub(super) fn raw(&self) -> &Fr {
        &self.0
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
        Self(self.0.add(&other.0))
    }
}

impl Sub for Scalar {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.sub(&other.0))
    }
}

impl Mul for Scalar {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(self.0.mul(&other.0))
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
        Self(Fr::ZERO)
    }

    /// From 32 big-endian bytes, below `r`. Zero is accepted: whether it may occur is the caller's
    /// rule.
    pub fn from_be_bytes(bytes: &[u8; SCALAR_BYTES]) -> Result<Self, DecodeError> {
        Fr::from_be_bytes(bytes).map(Self)
    }

    /// From 48 big-endian bytes, modulo `r`.
    pub fn reduce(bytes: &[u8; 48]) -> Self {
        Self(Fr::reduce(bytes))
    }

    /// 32 big-endian bytes, wiped when dropped.
    pub fn to_be_bytes(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        let mut out = Zeroizing::new([0; SCALAR_BYTES]);
        self.0.write_be_bytes(&mut out);
        out
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        self.0.limbs().iter().fold(0, |acc, limb| acc | limb) == 0
    }

    /// Adds `other` in place.
    pub fn add_assign(&mut self, other: &Self) {
        let mut sum = self.0.add(&other.0);
        self.0.limbs_mut().copy_from_slice(sum.limbs());
        sum.limbs_mut().zeroize();
    }

    /// `self · factor`, for a public factor.
    pub fn scaled(&self, factor: &Scalar) -> Self {
        Self(self.0.mul(&factor.0))
    }

    /// `self · G`; `None` for zero. Constant time.
    pub fn base_mult(&self) -> Option<G1> {
        G1Sum::from_raw(self.0.base_mult()).finish()
    }

    /// `self · point`: a signature on the message hashed to `point`. `None` for zero. Constant
    /// time.
    pub fn sign(&self, point: &G2) -> Option<G2> {
        G2Sum::from_raw(self.0.sign(&point.raw().jacobian())).finish()
    }

    /// 32 little-endian bytes, wiped when dropped.
    pub(in crate::primitives) fn to_le_bytes(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        Zeroizing::new(self.0.scalar().b)
    }

    /// The value as a public scalar. Only for values that are published, such as a proof's
    /// response.
    pub fn declassify(&self) -> Scalar {
        Scalar(self.0)
    }
}

impl Drop for SecretScalar {
    fn drop(&mut self) {
        self.0.limbs_mut().zeroize();
    }
}
