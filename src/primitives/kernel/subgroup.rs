//! Tests of many points for their subgroup, by random buckets (Bellare, Garay, Rabin 1998, section 5).
//!
//! Points are thrown into buckets at random; if a point is outside the subgroup then, wherever the others fall, at most one of its places
//! leaves every bucket's sum inside: a pass misses it with probability at most `1 / buckets`, whatever the structure of what is outside.
//! (One random linear combination would miss a point of order 3 once in three times.) [`PASSES`] passes into 256 buckets miss with at most
//! `2^-136`; their 4352 sums are tested likewise, by twice as many passes into 16 buckets, whose sums are tested exactly.
//!
//! Where the passes are the digits of random weights, the same buckets give the weighted sum of all points (Pippenger's method).

use rayon::prelude::*;

use crate::primitives::curve::{DecodeError, Fp2, G1, G2, G2Sum, Scalar, UntestedG1, UntestedG2};
use crate::primitives::hash::{Digest, Tag, tagged};

use super::lanes::{Affine, Field, bucket_sums};

/// Passes into 256 buckets.
const PASSES: usize = 17;
const BUCKETS: usize = 256;
/// Buckets of the second level.
const NIBBLE: usize = 16;

/// From how many points on buckets are faster than exact tests.
const MANY_G1: usize = 2000;
const MANY_G2: usize = 3000;

/// One entry's share of the randomness of a batch: where a point falls in each pass. The first sixteen bytes are a weight too, uniform among
/// `2^128` different ones: `a + z²·b`, of two 64-bit halves, `z` being the curve's parameter.
#[derive(Clone, Copy)]
pub(in crate::primitives) struct Coin([u8; PASSES]);

/// `count` coins that follow from `seed`, which must cover everything that they are used on.
pub(in crate::primitives) fn coins(seed: &Digest, count: usize) -> Vec<Coin> {
    use chacha20::ChaCha20Rng;
    use rand_core::{Rng, SeedableRng};
    let mut stream = ChaCha20Rng::from_seed(seed.0);
    let coin = |_| {
        let mut coin = [0; PASSES];
        stream.fill_bytes(&mut coin);
        Coin(coin)
    };
    (0..count).map(coin).collect()
}

/// Half of a weight, little-endian: digit `i` counts `256^i`.
const HALF: usize = 8;

impl Coin {
    /// The halves of the weight.
    pub(super) fn halves(&self) -> [u64; 2] {
        let (halves, _) = self.0.as_chunks::<HALF>();
        [u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1])]
    }

    /// The weight.
    pub(in crate::primitives) fn weight(&self) -> Scalar {
        let [low, high] = self.halves();
        Scalar::from_u64(low) + Scalar::from_u64(high) * z_squared()
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
    const MANY: usize;

    fn exactly(&self) -> Result<Self::Tested, DecodeError>;
    fn otherwise(&self) -> Self::Tested;
    fn lane(&self) -> Affine<Self::Coordinate>;
    fn sum_is_inside(sum: &Affine<Self::Coordinate>) -> bool;
}

macro_rules! untested {
    ($untested:ident, $tested:ident, $field:ident, $many:ident) => {
        impl Untested for $untested {
            type Tested = $tested;
            type Coordinate = crate::primitives::curve::$field;
            const MANY: usize = $many;

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

untested!(UntestedG1, G1, Fp, MANY_G1);
untested!(UntestedG2, G2, Fp2, MANY_G2);

/// All points as tested ones, or the position of the first that is outside the subgroup. Misses one with probability at most `2^-128` for each
/// seed that somebody tries, and not at all if there are few.
pub(in crate::primitives) fn test_all<U: Untested>(points: &[U], seed: &Digest) -> Result<Vec<U::Tested>, usize> {
    if points.len() >= U::MANY
        && let Some(tested) = test_together(points, seed)
    {
        return Ok(tested);
    }
    one_by_one(points)
}

/// All points as tested ones, or `None` if one of them is outside; whose it is, is for whoever tests fewer of them.
pub(in crate::primitives) fn test_together<U: Untested>(points: &[U], seed: &Digest) -> Option<Vec<U::Tested>> {
    if points.len() < U::MANY {
        return one_by_one(points).ok();
    }
    let lanes: Vec<_> = points.iter().map(U::lane).collect();
    let sums = all_sums(&lanes, &coins(seed, points.len()), PASSES);
    sums_are_inside::<U>(&sums, seed).then(|| points.iter().map(U::otherwise).collect())
}

/// The exact test of each point.
fn one_by_one<U: Untested>(points: &[U]) -> Result<Vec<U::Tested>, usize> {
    let tested: Vec<_> =
        if points.len() < 64 { points.iter().map(U::exactly).collect() } else { points.par_iter().map(U::exactly).collect() };
    tested.into_iter().enumerate().map(|(at, tested)| tested.map_err(|_| at)).collect()
}

/// The buckets of the first passes.
fn all_sums<F: Field>(lanes: &[Affine<F>], coins: &[Coin], passes: usize) -> Vec<Vec<Affine<F>>> {
    (0..passes).into_par_iter().map(|pass| bucket_sums(lanes, |i| usize::from(coins[i].0[pass]), BUCKETS)).collect()
}

/// The second level.
fn sums_are_inside<U: Untested>(sums: &[Vec<Affine<U::Coordinate>>], seed: &Digest) -> bool {
    let sums = sums.concat();
    let coins = coins(&tagged(Tag::BatchSeed, &[b"second level", seed.as_ref()]), sums.len());
    let inside = |pass: usize| {
        let nibble = |i: usize| usize::from(coins[i].0[pass / 2] >> (4 * (pass % 2)) & 0xf);
        bucket_sums(&sums, nibble, NIBBLE).iter().all(U::sum_is_inside)
    };
    (0..2 * PASSES).into_par_iter().all(inside)
}

/// All points as tested ones with `Σ weight · point`, or the position of the first that is outside the subgroup; as [`test_all`].
pub(in crate::primitives) fn test_and_weigh(
    points: &[UntestedG2],
    coins: &[Coin],
    seed: &Digest,
) -> Result<(Vec<G2>, G2Sum), usize> {
    assert_eq!(points.len(), coins.len(), "one coin for each point");
    if points.len() >= MANY_G2 {
        let lanes: Vec<_> = points.iter().map(Untested::lane).collect();
        let sums = all_sums(&lanes, coins, PASSES);
        if sums_are_inside::<UntestedG2>(&sums, seed) {
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
    weighted(&all_sums(&lanes, coins, 2 * HALF))
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
    let digits: Vec<G2Sum> = sums[..2 * HALF].par_iter().map(digit).collect();
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
