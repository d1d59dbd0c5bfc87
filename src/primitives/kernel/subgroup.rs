//! Tests of many points for their subgroup, by random buckets (Bellare, Garay, Rabin 1998, section
//! 5).
//!
//! Each point, or its negative, is thrown into a bucket at random. If a point is outside the
//! subgroup then, wherever the others fall, at most one of its places leaves every bucket's sum
//! inside (the group's order is odd, so no point outside is like its negative): a pass into `B`
//! buckets misses it with probability at most `1 / 2B`, whatever the structure of what is outside.
//! (One random linear combination would miss a point of order 3 once in three times.) As many
//! passes as bring that below `2^-130` are one level; their sums are tested likewise by another,
//! until few enough are left for the exact test.
//!
//! Where the places are the signed digits of random weights, the same buckets give the weighted sum
//! of all points (Pippenger's method).

use rayon::prelude::*;

use crate::primitives::curve::{DecodeError, Fp2, G1, G2, G2Sum, Scalar, UntestedG1, UntestedG2};
use crate::primitives::hash::{Digest, Tag, tagged};

use super::lanes::{Affine, Field, Place, bucket_sums};
use super::levels;

/// Passes into the buckets of signed bytes, eight bits each.
const PASSES: usize = 16;
/// One for each size of a signed byte.
const BUCKETS: usize = 129;

/// One entry's share of the randomness of a batch: sixteen signed bytes, which are the places of a
/// point in as many passes. They are a weight too, uniform among `2^128` different ones: `a +
/// z²·b`, the digits of `a` and `b` to the base 256 being eight of them each, and `z` being the
/// curve's parameter.
#[derive(Clone, Copy)]
pub(in crate::primitives) struct Coin([i8; PASSES]);

/// `count` coins that follow from `seed`, which must cover everything that they are used on.
pub(in crate::primitives) fn coins(seed: &Digest, count: usize) -> Vec<Coin> {
    use chacha20::ChaCha20Rng;
    use rand_core::{Rng, SeedableRng};
    let mut stream = ChaCha20Rng::from_seed(seed.0);
    let coin = |_| {
        let mut coin = [0; PASSES];
        stream.fill_bytes(&mut coin);
        Coin(coin.map(u8::cast_signed))
    };
    (0..count).map(coin).collect()
}

/// Digits of half a weight, the lowest first.
const HALF: usize = 8;

impl Coin {
    /// The halves of the weight, each of a size below `2^63 + 2^56`.
    fn halves(&self) -> [i128; 2] {
        let (halves, _) = self.0.as_chunks::<HALF>();
        let half = |digits: &[i8; HALF]| {
            digits.iter().rev().fold(0, |half, digit| 256 * half + i128::from(*digit))
        };
        [half(&halves[0]), half(&halves[1])]
    }

    /// The weight.
    pub(in crate::primitives) fn weight(&self) -> Scalar {
        let scalar = |half: i128| {
            let size = Scalar::from_u64(u64::try_from(half.unsigned_abs()).expect("below 2^64"));
            if half < 0 { -size } else { size }
        };
        let [low, high] = self.halves();
        scalar(low) + scalar(high) * z_squared()
    }
}

/// A sum of weights times small integers: the halves of `a + z²·b`, each below `2^112` in size.
#[derive(Clone, Copy)]
pub(in crate::primitives) struct KeyWeight(pub(super) [i128; 2]);

impl KeyWeight {
    /// `Σ factor · weight`, of at most 512 terms, for factors below `2^40` in size.
    pub(in crate::primitives) fn sum(terms: impl Iterator<Item = (i64, Coin)>) -> Self {
        let add = |sum: [i128; 2], (factor, coin): (i64, Coin)| {
            let halves = coin.halves();
            [0, 1].map(|half| sum[half] + i128::from(factor) * halves[half])
        };
        Self(terms.fold([0, 0], add))
    }
}

/// `z²`, for the parameter `z = -0xd201000000010000` of the curve.
fn z_squared() -> Scalar {
    let z = Scalar::from_u64(0xd201_0000_0001_0000);
    z * z
}

/// What the tests ask of a kind of point.
pub(in crate::primitives) trait Untested: Copy + Send + Sync {
    type Tested: Send;
    type Coordinate: Field;
    /// How many additions, one by one or in buckets, take as long as an exact test.
    const EXACT: usize;

    fn exactly(&self) -> Result<Self::Tested, DecodeError>;
    fn otherwise(&self) -> Self::Tested;
    fn lane(&self) -> Affine<Self::Coordinate>;
    fn sum_is_inside(sum: &Affine<Self::Coordinate>) -> bool;
}

macro_rules! untested {
    ($untested:ident, $tested:ident, $field:ident, $exact:literal) => {
        impl Untested for $untested {
            type Tested = $tested;
            type Coordinate = crate::primitives::curve::$field;
            const EXACT: usize = $exact;

            fn exactly(&self) -> Result<$tested, DecodeError> {
                self.test()
            }

            fn otherwise(&self) -> $tested {
                self.tested_otherwise()
            }

            fn lane(&self) -> Affine<Self::Coordinate> {
                self.affine()
            }

            fn sum_is_inside(sum: &Affine<Self::Coordinate>) -> bool {
                Self::sum_is_in_subgroup(sum)
            }
        }
    };
}

untested!(UntestedG1, G1, Fp, 160);
untested!(UntestedG2, G2, Fp2, 70);

/// All points as tested ones, or the position of the first that is outside the subgroup. Misses one
/// with probability at most `2^-128` for each seed that somebody tries, and not at all if there are
/// few.
pub(in crate::primitives) fn test_all<U: Untested>(
    points: &[U],
    seed: &Digest,
) -> Result<Vec<U::Tested>, usize> {
    if levels::pay(points.len(), U::EXACT)
        && let Some(tested) = test_together(points, seed)
    {
        return Ok(tested);
    }
    one_by_one(points)
}

/// All points as tested ones, or `None` if one of them is outside; whose it is, is for whoever
/// tests fewer of them.
pub(in crate::primitives) fn test_together<U: Untested>(
    points: &[U],
    seed: &Digest,
) -> Option<Vec<U::Tested>> {
    if !levels::pay(points.len(), U::EXACT) {
        return one_by_one(points).ok();
    }
    let lanes: Vec<_> = points.iter().map(U::lane).collect();
    levels::all_inside::<U>(lanes, seed).then(|| points.iter().map(U::otherwise).collect())
}

/// The exact test of each point.
fn one_by_one<U: Untested>(points: &[U]) -> Result<Vec<U::Tested>, usize> {
    let tested: Vec<_> = if points.len() < 64 {
        points.iter().map(U::exactly).collect()
    } else {
        points.par_iter().map(U::exactly).collect()
    };
    tested.into_iter().enumerate().map(|(at, tested)| tested.map_err(|_| at)).collect()
}

/// The buckets of all passes.
fn all_sums<F: Field>(lanes: &[Affine<F>], coins: &[Coin]) -> Vec<Vec<Affine<F>>> {
    let place = |pass: usize| move |i: usize| Place::of_digit(i16::from(coins[i].0[pass]));
    (0..PASSES).into_par_iter().map(|pass| bucket_sums(lanes, place(pass), BUCKETS)).collect()
}

/// From how many points on the buckets of the weights are faster than exact tests.
const MANY_G2: usize = 2000;

/// All points as tested ones with `Σ weight · point`, or the position of the first that is outside
/// the subgroup; as [`test_all`], but one is missed with probability at most `2^-127`.
pub(in crate::primitives) fn test_and_weigh(
    points: &[UntestedG2],
    coins: &[Coin],
    seed: &Digest,
) -> Result<(Vec<G2>, G2Sum), usize> {
    assert_eq!(points.len(), coins.len(), "one coin for each point");
    if points.len() >= MANY_G2 {
        let lanes: Vec<_> = points.iter().map(Untested::lane).collect();
        let sums = all_sums(&lanes, coins);
        if levels::all_inside::<UntestedG2>(
            sums.concat(),
            &tagged(Tag::BatchSeed, &[b"second level", seed.as_ref()]),
        ) {
            return Ok((points.iter().map(Untested::otherwise).collect(), weighted(&sums)));
        }
    }
    let tested = one_by_one(points)?;
    let sum = weigh(&tested, coins);
    Ok((tested, sum))
}

/// From how many points on buckets of a whole byte are faster than the library.
const MANY_WEIGHED: usize = 400;

/// `Σ weight · point`.
pub(in crate::primitives) fn weigh(points: &[G2], coins: &[Coin]) -> G2Sum {
    if points.len() < MANY_WEIGHED {
        let weights: Vec<Scalar> = coins.iter().map(Coin::weight).collect();
        return G2Sum::msm(points, &weights);
    }
    let lanes: Vec<_> = points.iter().map(G2::affine).collect();
    weighted(&all_sums(&lanes, coins))
}

/// The weighted sum of all points, of which `sums` are the buckets by digit.
fn weighted(sums: &[Vec<Affine<Fp2>>]) -> G2Sum {
    // Σ digit · bucket, by sums of sums.
    let digit = |buckets: &Vec<Affine<Fp2>>| {
        let (mut running, mut total) = (G2Sum::zero(), G2Sum::zero());
        for bucket in buckets[1..].iter().rev() {
            if let Some(point) = G2::of_tested(bucket) {
                running.add(&point);
            }
            total.add_sum(&running);
        }
        total
    };
    let digits: Vec<G2Sum> = sums.par_iter().map(digit).collect();
    let horner = |digits: &[G2Sum]| {
        digits.iter().rev().fold(G2Sum::zero(), |sum, digit| {
            let mut next = sum.scaled_u64(256);
            next.add_sum(digit);
            next
        })
    };
    let (low, high) = digits.split_at(HALF);
    let mut sum = horner(low);
    sum.add_sum(&horner(high).scaled(&z_squared()));
    sum
}
