//! Lagrange interpolation, mostly at zero.

use rayon::prelude::*;

use super::curve::{G1, G1Sum, G2, G2Sum, Scalar};
use super::kernel::{combine_rows, combine_rows_g1};

/// The coefficients `λ_i = Π_{j≠i} x_j / (x_j - x_i)` for interpolating at zero from the points
/// `xs`.
///
/// `None` if a point is zero (it would *be* the secret) or occurs twice.
pub fn coefficients_at_zero(xs: &[u64]) -> Option<Vec<Scalar>> {
    coefficients_at(0, xs)
}

/// The coefficients `λ_i = Π_{j≠i} (x_j - x) / (x_j - x_i)` for interpolating at `x` from the
/// points `xs`.
///
/// `None` if `x` is one of the points (there is nothing to interpolate) or a point occurs twice.
pub fn coefficients_at(x: u64, xs: &[u64]) -> Option<Vec<Scalar>> {
    let at = Scalar::from_u64(x);
    xs.iter()
        .enumerate()
        .map(|(i, x_i)| {
            let mut numerator = Scalar::one();
            let mut denominator = Scalar::one();
            for (_, x_j) in xs.iter().enumerate().filter(|(j, _)| *j != i) {
                let (own, other) = (Scalar::from_u64(*x_i), Scalar::from_u64(*x_j));
                numerator = numerator * (other - at);
                denominator = denominator * (other - own);
            }
            (*x_i != x).then_some(())?;
            Some(numerator * denominator.inverse()?)
        })
        .collect()
}

/// The coefficients `Π_{j≠i} (x - x_j) / (x_i - x_j)` for interpolating at `x`, where all of them
/// are integers, and not large: for the points `1..t`, and all multiples of them, they are at zero,
/// and at the multiples that follow.
fn small_coefficients(xs: &[u64], x: u64) -> Option<Vec<i64>> {
    // Homogeneous: only the ratios of the points count.
    let common = xs.iter().copied().reduce(gcd).filter(|_| !xs.contains(&0))?;
    let common = gcd(common, x);
    let (xs, x): (Vec<i128>, i128) =
        (xs.iter().map(|x| i128::from(x / common)).collect(), i128::from(x / common));
    xs.iter()
        .enumerate()
        .map(|(i, x_i)| {
            let (mut numerator, mut denominator) = (1i128, 1i128);
            for (_, x_j) in xs.iter().enumerate().filter(|(j, _)| *j != i) {
                (numerator, denominator) =
                    (numerator.checked_mul(x - x_j)?, denominator.checked_mul(x_i - x_j)?);
                let shared =
                    i128::try_from(gcd128(numerator.unsigned_abs(), denominator.unsigned_abs()))
                        .ok()?;
                (numerator, denominator) =
                    (numerator.checked_div(shared)?, denominator.checked_div(shared)?);
            }
            let coefficient = match denominator {
                1 => numerator,
                -1 => -numerator,
                _ => return None,
            };
            i64::try_from(coefficient)
                .ok()
                .filter(|coefficient| coefficient.unsigned_abs() < LARGEST)
        })
        .collect()
}

/// The coefficients for interpolating at zero, by which whole rows of points are weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    full: Vec<Scalar>,
    /// The same, where all of them are small integers.
    small: Option<Vec<i64>>,
}

impl Weights {
    /// For the points `xs`; `None` if a point is zero or occurs twice.
    pub fn at_zero(xs: &[u64]) -> Option<Self> {
        Some(Self { full: coefficients_at_zero(xs)?, small: small_coefficients(xs, 0) })
    }

    /// As scalars.
    pub fn scalars(&self) -> &[Scalar] {
        &self.full
    }

    /// `Σ_i λ_i · rows[i][position]` for each position; `None` if a sum is infinity. The rows have
    /// one length, and there are as many as weights.
    pub fn sum(&self, rows: &[&[G1]]) -> Option<Vec<G1>> {
        if let Some(small) = &self.small {
            return combine_rows_g1(small, rows);
        }
        let sum = |position: usize| {
            let points: Vec<G1> = rows.iter().map(|row| row[position]).collect();
            G1Sum::msm(&points, &self.full)
        };
        let sums: Vec<G1Sum> = match rows.first().map_or(0, |row| row.len()) {
            // The simulation's memory is each thread's own.
            count @ 0..64 => (0..count).map(sum).collect(),
            count => (0..count).into_par_iter().map(sum).collect(),
        };
        G1Sum::finish_all(&sums)
    }
}

/// Above this a product by a full scalar is not slower.
const LARGEST: u64 = 1 << 40;

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn gcd128(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd128(b, a % b) }
}

/// The keys of all signers and the combined key, as integer combinations of a few of them: they lie
/// on one polynomial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    basis: usize,
    signers: Vec<Vec<i64>>,
    combined: Vec<i64>,
}

impl Span {
    /// For signers at the points `xs`, any `t` of whose keys determine the others, and the combined
    /// key as the value at zero.
    pub fn new(xs: &[u64], t: usize) -> Self {
        let row = |x: u64| small_coefficients(&xs[..t], x);
        let rows = || Some((xs.iter().map(|x| row(*x)).collect::<Option<Vec<_>>>()?, row(0)?));
        let longest = |rows: &[Vec<i64>]| {
            rows.iter().flatten().map(|c| 64 - c.unsigned_abs().leading_zeros() as usize).max()
        };
        match rows() {
            // Weights have halves of 64 bits, which the integers make longer.
            Some((signers, combined))
                if t * (64 + longest(&signers).unwrap_or(0)) < 64 * (xs.len() + 1) =>
            {
                Self { basis: t, signers, combined }
            }
            _ => Self::independent(xs.len()),
        }
    }

    /// For keys that nothing is known about.
    pub fn independent(signers: usize) -> Self {
        let unit = |at: usize| (0..=signers).map(|i| i64::from(i == at)).collect();
        Self {
            basis: signers + 1,
            signers: (0..signers).map(unit).collect(),
            combined: unit(signers),
        }
    }

    /// Those keys that the others are combinations of.
    ///
    /// # Panics
    /// If there are not as many keys as signers.
    pub fn basis(&self, keys: &[G1], combined: G1) -> Vec<G1> {
        assert_eq!(keys.len(), self.signers.len(), "a key for each signer");
        keys.iter().copied().chain([combined]).take(self.basis).collect()
    }

    /// The combination that is the key of the signer at `position`.
    pub fn signer(&self, position: usize) -> &[i64] {
        &self.signers[position]
    }

    /// The combination that is the combined key.
    pub fn combined(&self) -> &[i64] {
        &self.combined
    }
}

/// `Σ λ_i · partials[i]`: a threshold signature from as many partial signatures as coefficients
/// (Boldyreva 2003). `None` if the sum is infinity.
pub fn combine(coefficients: &[Scalar], partials: &[G2]) -> Option<G2> {
    G2Sum::msm(partials, coefficients).finish()
}

/// Threshold signatures on several messages: `partials[i]` are those of the signer at `xs[i]`,
/// message by message. `None` if a point is zero or occurs twice, or a signature is infinity.
pub fn combine_all(xs: &[u64], partials: &[&[G2]]) -> Option<Vec<G2>> {
    let coefficients = coefficients_at_zero(xs)?;
    if let Some(small) = small_coefficients(xs, 0) {
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
        let others =
            [vec![11, 22, 33, 44], vec![2, 3], vec![5], vec![30, 10, 20], vec![4, 1, 2, 3]];
        for xs in ranges.into_iter().chain(others) {
            let small = small_coefficients(&xs, 0).unwrap();
            let scalar = |c: &i64| {
                if *c < 0 {
                    -Scalar::from_u64(c.unsigned_abs())
                } else {
                    Scalar::from_u64(c.unsigned_abs())
                }
            };
            assert_eq!(
                small.iter().map(scalar).collect::<Vec<_>>(),
                coefficients_at_zero(&xs).unwrap(),
                "{xs:?}"
            );
        }
        // No integers, no coefficients, and numbers that do not fit.
        let fifty: Vec<u64> = (1..=255).collect();
        for xs in
            [vec![2, 3, 7], vec![0, 1], vec![1, 1], vec![], vec![1, u64::MAX, u64::MAX - 2], fifty]
        {
            assert_eq!(small_coefficients(&xs, 0), None, "{xs:?}");
        }
    }

    #[test]
    fn rows_are_weighed_by_the_coefficients_small_or_not() {
        use crate::primitives::hash::{Tag, secret_scalar};
        let point = |row: usize, position: usize| {
            let place = [row.to_be_bytes(), position.to_be_bytes()].concat();
            secret_scalar(Tag::Coefficient, &[&place]).base_mult().unwrap()
        };
        for (xs, small) in [(vec![1, 2, 3, 4], true), (vec![1, 2, 4], false)] {
            let rows: Vec<Vec<G1>> = (0..xs.len())
                .map(|row| (0..70).map(|position| point(row, position)).collect())
                .collect();
            let weights = Weights::at_zero(&xs).unwrap();
            assert_eq!(weights.small.is_some(), small);
            let rows: Vec<&[G1]> = rows.iter().map(Vec::as_slice).collect();
            for (position, sum) in weights.sum(&rows).unwrap().into_iter().enumerate() {
                let points: Vec<G1> = rows.iter().map(|row| row[position]).collect();
                assert!(G1Sum::from(sum) == G1Sum::msm(&points, weights.scalars()), "{xs:?}");
            }
        }
        assert_eq!(Weights::at_zero(&[1, 1]), None);
    }

    #[test]
    fn keys_are_the_combinations_that_a_span_says() {
        use crate::primitives::curve::G1Sum;
        use crate::primitives::hash::{Tag, secret_scalar};
        use crate::primitives::polynomial::Polynomial;
        let check = |xs: &[u64], t: usize, related: bool| {
            let secret = |k: usize| secret_scalar(Tag::Coefficient, &[&k.to_be_bytes()]);
            let polynomial = Polynomial::from_coefficients((0..t).map(secret).collect()).unwrap();
            let key = |x: u64| polynomial.evaluate(&Scalar::from_u64(x)).base_mult().unwrap();
            let (keys, combined) = (
                xs.iter().map(|x| key(*x)).collect::<Vec<_>>(),
                polynomial.constant().base_mult().unwrap(),
            );
            let span = Span::new(xs, t);
            let basis = span.basis(&keys, combined);
            assert_eq!(basis.len(), if related { t } else { xs.len() + 1 }, "{xs:?}");
            let is = |row: &[i64], key: &G1| {
                assert_eq!(row.len(), basis.len());
                let scalar = |c: &i64| {
                    if *c < 0 {
                        -Scalar::from_u64(c.unsigned_abs())
                    } else {
                        Scalar::from_u64(c.unsigned_abs())
                    }
                };
                G1Sum::msm(&basis, &row.iter().map(scalar).collect::<Vec<_>>()) == G1Sum::from(*key)
            };
            assert!(
                keys.iter().enumerate().all(|(i, key)| is(span.signer(i), key))
                    && is(span.combined(), &combined),
                "{xs:?}"
            );
        };
        check(&[1, 2, 3, 4], 3, true);
        check(&[11, 22, 33, 44], 3, true);
        check(&(1..=13).collect::<Vec<_>>(), 9, true);
        // Integers that are too long to pay, and fractions.
        check(&(1..=32).collect::<Vec<_>>(), 22, false);
        check(&[3, 7, 8, 20], 3, false);
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
