//! Lagrange interpolation at zero.

use rayon::prelude::*;

use super::curve::{G2, G2Sum, Scalar};
use super::kernel::combine_rows;

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

/// The same coefficients where all of them are integers, and not large: for the points `1..t`, and all multiples of them, they are binomial.
fn small_coefficients_at_zero(xs: &[u64]) -> Option<Vec<i64>> {
    // Homogeneous: only the ratios of the points count.
    let common = xs.iter().copied().reduce(gcd).filter(|_| !xs.contains(&0))?;
    let xs: Vec<i128> = xs.iter().map(|x| i128::from(x / common)).collect();
    xs.iter()
        .enumerate()
        .map(|(i, x_i)| {
            let (mut numerator, mut denominator) = (1i128, 1i128);
            for (_, x_j) in xs.iter().enumerate().filter(|(j, _)| *j != i) {
                (numerator, denominator) = (numerator.checked_mul(*x_j)?, denominator.checked_mul(x_j - x_i)?);
                let shared = i128::try_from(gcd128(numerator.unsigned_abs(), denominator.unsigned_abs())).ok()?;
                (numerator, denominator) = (numerator.checked_div(shared)?, denominator.checked_div(shared)?);
            }
            let coefficient = match denominator {
                1 => numerator,
                -1 => -numerator,
                _ => return None,
            };
            i64::try_from(coefficient).ok().filter(|coefficient| coefficient.unsigned_abs() < LARGEST)
        })
        .collect()
}

/// Above this a product by a full scalar is not slower.
const LARGEST: u64 = 1 << 40;

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn gcd128(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd128(b, a % b) }
}

/// `Σ λ_i · partials[i]`: a threshold signature from as many partial signatures as coefficients (Boldyreva 2003).
/// `None` if the sum is infinity.
pub fn combine(coefficients: &[Scalar], partials: &[G2]) -> Option<G2> {
    G2Sum::msm(partials, coefficients).finish()
}

/// Threshold signatures on several messages: `partials[i]` are those of the signer at `xs[i]`, message by message. `None` if a point is zero or
/// occurs twice, or a signature is infinity.
pub fn combine_all(xs: &[u64], partials: &[&[G2]]) -> Option<Vec<G2>> {
    let coefficients = coefficients_at_zero(xs)?;
    if let Some(small) = small_coefficients_at_zero(xs) {
        return combine_rows(&small, partials);
    }
    let messages = partials.first().map_or(0, |partials| partials.len());
    let one = |message: usize| {
        let partials: Vec<G2> = partials.iter().map(|partials| partials[message]).collect();
        combine(&coefficients, &partials)
    };
    match messages {
        // The simulation's memory is each thread's own.
        0..64 => (0..messages).map(one).collect(),
        _ => (0..messages).into_par_iter().map(one).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn small_coefficients_are_the_coefficients() {
        let ranges: Vec<Vec<u64>> = (1..=22).map(|t| (1..=t).collect()).collect();
        let others = [vec![11, 22, 33, 44], vec![2, 3], vec![5], vec![30, 10, 20], vec![4, 1, 2, 3]];
        for xs in ranges.into_iter().chain(others) {
            let small = small_coefficients_at_zero(&xs).unwrap();
            let scalar = |c: &i64| if *c < 0 { -Scalar::from_u64(c.unsigned_abs()) } else { Scalar::from_u64(c.unsigned_abs()) };
            assert_eq!(small.iter().map(scalar).collect::<Vec<_>>(), coefficients_at_zero(&xs).unwrap(), "{xs:?}");
        }
        // No integers, no coefficients, and numbers that do not fit.
        let fifty: Vec<u64> = (1..=255).collect();
        for xs in [vec![2, 3, 7], vec![0, 1], vec![1, 1], vec![], vec![1, u64::MAX, u64::MAX - 2], fifty] {
            assert_eq!(small_coefficients_at_zero(&xs), None, "{xs:?}");
        }
    }

    #[test]
    fn many_are_combined_as_one_is() {
        let points: Vec<G2> = (0..9u8).map(|i| G2::hash(&[i], b"test")).collect();
        let partials: Vec<&[G2]> = points.chunks(3).collect();
        for xs in [[1u64, 2, 3], [2, 3, 7], [7, 9, 2]] {
            let coefficients = coefficients_at_zero(&xs).unwrap();
            let all = combine_all(&xs, &partials).unwrap();
            for (message, combined) in all.iter().enumerate() {
                let of: Vec<G2> = partials.iter().map(|partials| partials[message]).collect();
                assert_eq!(Some(*combined), combine(&coefficients, &of), "{xs:?}");
            }
        }
        assert_eq!(combine_all(&[1, 1, 2], &partials), None);
        assert_eq!(combine_all(&[0, 1, 2], &partials), None);
    }
}
