//! The functions of `kernel` over the toy curve, point by point.

use super::curve::{
    DecodeError, G1, G1Sum, G2, G2Sum, Scalar, SecretScalar, UntestedG1, UntestedG2,
};
use super::hash::{Digest, Tag, scalar};

/// One entry's weight in a batch.
#[derive(Clone, Copy)]
pub(super) struct Coin(Scalar);

/// `count` coins that follow from `seed`.
pub(super) fn coins(seed: &Digest, count: usize) -> Vec<Coin> {
    (0..count).map(|i| Coin(scalar(Tag::BatchWeight, &[seed.as_ref(), &i.to_be_bytes()]))).collect()
}

/// What the test asks of a kind of point.
pub(super) trait Untested {
    type Tested;
    fn exactly(&self) -> Result<Self::Tested, DecodeError>;
}

impl Untested for UntestedG1 {
    type Tested = G1;
    fn exactly(&self) -> Result<G1, DecodeError> {
        self.test()
    }
}

impl Untested for UntestedG2 {
    type Tested = G2;
    fn exactly(&self) -> Result<G2, DecodeError> {
        self.test()
    }
}

/// All points as tested ones, or the position of the first that is outside the subgroup.
pub(super) fn test_all<U: Untested>(points: &[U], _: &Digest) -> Result<Vec<U::Tested>, usize> {
    points.iter().enumerate().map(|(at, point)| point.exactly().map_err(|_| at)).collect()
}

/// All points as tested ones, or `None` if one of them is outside.
pub(super) fn test_together<U: Untested>(points: &[U], seed: &Digest) -> Option<Vec<U::Tested>> {
    test_all(points, seed).ok()
}

/// All points as tested ones with their weighted sum, or the position of the first that is outside
/// the subgroup.
pub(super) fn test_and_weigh(
    points: &[UntestedG2],
    coins: &[Coin],
    seed: &Digest,
) -> Result<(Vec<G2>, G2Sum), usize> {
    let tested = test_all(points, seed)?;
    let sum = weigh(&tested, coins);
    Ok((tested, sum))
}

/// `Σ weight · point`.
pub(super) fn weigh(points: &[G2], coins: &[Coin]) -> G2Sum {
    let weights: Vec<Scalar> = coins.iter().map(|coin| coin.0).collect();
    G2Sum::msm(points, &weights)
}

/// A sum of weights times small integers.
#[derive(Clone, Copy)]
pub(super) struct KeyWeight(Scalar);

impl KeyWeight {
    /// `Σ factor · weight`.
    pub(super) fn sum(terms: impl Iterator<Item = (i64, Coin)>) -> Self {
        Self(terms.fold(Scalar::ZERO, |sum, (factor, coin)| sum + small(factor) * coin.0))
    }
}

fn small(integer: i64) -> Scalar {
    let size = Scalar::from_u64(integer.unsigned_abs());
    if integer < 0 { -size } else { size }
}

/// Some keys, and for each message that they sign a weight for each of them.
pub(super) struct Weighed {
    pub(super) keys: Vec<G1>,
    pub(super) messages: Vec<Vec<KeyWeight>>,
}

/// `Σ weight · key` for each message, in order.
pub(super) fn weigh_keys(groups: &[Weighed]) -> Vec<G1Sum> {
    let sum = |keys: &[G1], weights: &[KeyWeight]| {
        G1Sum::msm(keys, &weights.iter().map(|weight| weight.0).collect::<Vec<_>>())
    };
    groups
        .iter()
        .flat_map(|group| group.messages.iter().map(move |weights| sum(&group.keys, weights)))
        .collect()
}

/// `Σ weights[i] · points[i]` for each of the pairs.
pub(super) fn weigh_columns(columns: &[(&[G1], &[u128])]) -> Vec<G1Sum> {
    let scalars = |weights: &[u128]| {
        weights.iter().map(|weight| Scalar::from_u128(*weight)).collect::<Vec<_>>()
    };
    columns.iter().map(|(points, weights)| G1Sum::msm(points, &scalars(weights))).collect()
}

/// `scalar · G` for each of `scalars`; `None` if one is zero.
pub(super) fn base_mult_all(scalars: &[&SecretScalar]) -> Option<Vec<G1>> {
    scalars.iter().map(|scalar| scalar.base_mult()).collect()
}

/// `Σ vectors[i][position]` for each position; `None` if a sum is infinity.
pub(super) fn sum_vectors(vectors: &[&[G1]]) -> Option<Vec<G1>> {
    let length = vectors.first().map_or(0, |vector| vector.len());
    let sum = |position: usize| {
        let mut sum = G1Sum::zero();
        vectors.iter().for_each(|vector| sum.add(&vector[position]));
        sum.finish()
    };
    (0..length).map(sum).collect()
}

/// `Σ_k x^k · row[k]` for each row of `t` points and each of `xs`, row by row; `None` if a value is
/// infinity.
pub(super) fn evaluate_rows(points: &[G1], t: usize, xs: &[u64]) -> Option<Vec<G1>> {
    let value = |row: &[G1], x: u64| {
        let step = |sum: G1Sum, point: &G1| {
            let mut next = sum.scaled_u64(x);
            next.add(point);
            next
        };
        row.iter().rev().fold(G1Sum::zero(), step).finish()
    };
    points.chunks(t).flat_map(|row| xs.iter().map(move |x| value(row, *x))).collect()
}

/// [`combine_rows`] of points of the other group.
pub(super) fn combine_rows_g1(coefficients: &[i64], rows: &[&[G1]]) -> Option<Vec<G1>> {
    let scalars: Vec<Scalar> = coefficients.iter().map(|c| small(*c)).collect();
    let length = rows.first().map_or(0, |row| row.len());
    let combined = |position: usize| {
        let points: Vec<G1> = rows.iter().map(|row| row[position]).collect();
        G1Sum::msm(&points, &scalars).finish()
    };
    (0..length).map(combined).collect()
}

/// `Σ_j coefficients[j] · rows[j][position]` for each position; `None` if one is infinity.
pub(super) fn combine_rows(coefficients: &[i64], rows: &[&[G2]]) -> Option<Vec<G2>> {
    let scalars: Vec<Scalar> = coefficients.iter().map(|c| small(*c)).collect();
    let length = rows.first().map_or(0, |row| row.len());
    let combined = |position: usize| {
        let points: Vec<G2> = rows.iter().map(|row| row[position]).collect();
        G2Sum::msm(&points, &scalars).finish()
    };
    (0..length).map(combined).collect()
}
