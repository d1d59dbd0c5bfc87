//! Shamir's polynomials (Shamir 1979) and their evaluation.

use super::curve::{G1, Scalar, SecretScalar};
use super::kernel::base_mult_all;

/// A secret polynomial of exactly `t` coefficients (degree at most `t - 1`); the constant term is
/// the shared secret.
///
/// # Security
/// Wiped on drop, coefficient by coefficient. It must be spent in one dealing and never leave the
/// machine.
pub struct Polynomial(Vec<SecretScalar>);

impl Polynomial {
    /// From coefficients, constant term first. `None` if there are none, or if any is zero: a
    /// dealer draws again (probability 2^-255), because a zero coefficient would commit to
    /// infinity.
    pub fn from_coefficients(coefficients: Vec<SecretScalar>) -> Option<Self> {
        (!coefficients.is_empty() && !coefficients.iter().any(SecretScalar::is_zero))
            .then_some(Self(coefficients))
    }

    /// `f(0)`.
    pub fn constant(&self) -> &SecretScalar {
        &self.0[0]
    }

    /// `f(x)` by Horner's rule; constant time in the coefficients.
    pub fn evaluate(&self, x: &Scalar) -> SecretScalar {
        let mut value = SecretScalar::zero();
        for coefficient in self.0.iter().rev() {
            value = value.scaled(x);
            value.add_assign(coefficient);
        }
        value
    }

    /// Feldman's commitments `a_k · G` (Feldman 1987), constant term first.
    pub fn commit(&self) -> Vec<G1> {
        commit_all(core::slice::from_ref(self))
    }
}

/// The commitments of all polynomials, one after the other. Constant time.
pub fn commit_all(polynomials: &[Polynomial]) -> Vec<G1> {
    let coefficients: Vec<&SecretScalar> =
        polynomials.iter().flat_map(|polynomial| &polynomial.0).collect();
    base_mult_all(&coefficients).expect("coefficients are not zero")
}
