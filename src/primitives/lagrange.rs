//! Lagrange interpolation at zero.

use super::curve::{G2, G2Sum, Scalar};

/// The coefficients `λ_i = Π_{j≠i} x_j / (x_j - x_i)` for interpolating at zero from the points `xs`.
///
/// `None` if a point is zero (it would *be* the secret) or occurs twice.
pub fn coefficients_at_zero(xs: &[u64]) -> Option<Vec<Scalar>> {
    xs.iter()
        .enumerate()
        .map(|(i, x_i)| {
            let mut numerator = Scalar::one();
            let mut denominator = Scalar::one();
            for (_, x_j) in xs.iter().enumerate().filter(|(j, _)| *j != i) {
                let (own, other) = (Scalar::from_u64(*x_i), Scalar::from_u64(*x_j));
                numerator = numerator * other;
                denominator = denominator * (other - own);
            }
            (*x_i != 0).then_some(())?;
            Some(numerator * denominator.inverse()?)
        })
        .collect()
}

/// `Σ λ_i · partials[i]`: a threshold signature from as many partial signatures as coefficients (Boldyreva 2003).
/// `None` if the sum is infinity.
pub fn combine(coefficients: &[Scalar], partials: &[G2]) -> Option<G2> {
    G2Sum::msm(partials, coefficients).finish()
}
