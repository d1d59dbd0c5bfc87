//! The number of buckets of a subgroup test, level by level; see [`super::subgroup`].

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::primitives::hash::{Digest, Tag, tagged};

use super::lanes::{Affine, Place, bucket_sums};
use super::subgroup::Untested;

/// A level misses a point outside with probability at most `2^-BITS`; three of them together with
/// less than `2^-128`.
pub(super) const BITS: u32 = 130;
/// The most levels.
const DEEPEST: usize = 3;

/// One level: passes into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    /// Logarithm of the number of buckets.
    bits: u32,
}

impl Level {
    const ALL: core::ops::RangeInclusive<u32> = 1..=11;

    fn buckets(self) -> usize {
        1 << self.bits
    }

    /// A point falls into one of the buckets, as itself or as its negative.
    fn passes(self) -> usize {
        BITS.div_ceil(self.bits + 1) as usize
    }

    fn sums(self) -> usize {
        self.passes() * self.buckets()
    }
}

/// The cheapest first level for as many points, with what it and all below it cost in additions;
/// `None` where exact tests, each as long as `exact` additions, cost least.
fn plan(points: usize, exact: usize, deepest: usize) -> (Option<Level>, usize) {
    let all_exact = (None, points * exact);
    if deepest == 0 {
        return all_exact;
    }
    let with = |bits: u32| {
        let level = Level { bits };
        (Some(level), level.passes() * points + plan(level.sums(), exact, deepest - 1).1)
    };
    Level::ALL.map(with).chain([all_exact]).min_by_key(|(_, cost)| *cost).expect("there is one")
}

/// Whether buckets are faster than exact tests for as many points.
pub(super) fn pay(points: usize, exact: usize) -> bool {
    // Below, no plan does.
    points >= 256 && plan(points, exact, DEEPEST).0.is_some()
}

/// Whether all points are inside the subgroup. `seed` covers all of them.
pub(super) fn all_inside<U: Untested>(
    mut points: Vec<Affine<U::Coordinate>>,
    seed: &Digest,
) -> bool {
    for deepest in (1..=DEEPEST).rev() {
        let (Some(level), _) = plan(points.len(), U::EXACT, deepest) else { break };
        let seed = tagged(Tag::BatchSeed, &[b"buckets", &deepest.to_be_bytes(), seed.as_ref()]);
        let pass = |pass: usize| {
            bucket_sums(&points, places(&seed, pass, points.len(), level), level.buckets())
        };
        let sums: Vec<Vec<_>> = (0..level.passes()).into_par_iter().map(pass).collect();
        points = sums.concat();
    }
    points.par_iter().all(U::sum_is_inside)
}

/// Where each of `count` points falls in one pass.
fn places(
    seed: &Digest,
    pass: usize,
    count: usize,
    level: Level,
) -> impl Fn(usize) -> Place + use<> {
    let mut stream = ChaCha20Rng::from_seed(seed.0);
    stream.set_stream(pass as u64);
    let mut random = vec![0; 2 * count];
    stream.fill_bytes(&mut random);
    move |i| {
        let random = u16::from_le_bytes([random[2 * i], random[2 * i + 1]]);
        Place { bucket: usize::from(random) & (level.buckets() - 1), negative: random >> 15 == 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_cheaper_than_what_is_simpler_and_never_less_sure() {
        for exact in [70, 160] {
            let mut points = 100;
            while points < 3_000_000 {
                let (first, cost) = plan(points, exact, DEEPEST);
                assert!(cost <= points * exact);
                for deepest in 1..DEEPEST {
                    assert!(cost <= plan(points, exact, deepest).1);
                }
                assert_eq!(pay(points, exact), first.is_some() && points >= 256, "{points}");
                points = points * 5 / 4;
            }
            assert!(!pay(255, exact) && pay(9000, exact));
        }
        for level in Level::ALL.map(|bits| Level { bits }) {
            // Probability 1 / 2B in each pass.
            assert!(level.passes() * (level.bits as usize + 1) >= 130 && level.buckets() < 1 << 15);
        }
    }

    #[test]
    fn places_are_all_places_and_others_in_every_pass() {
        let level = Level { bits: 2 };
        let seen = |seed: u8, pass: usize| -> Vec<(usize, bool)> {
            let place = places(&Digest([seed; 32]), pass, 200, level);
            (0..200).map(|i| (place(i).bucket, place(i).negative)).collect()
        };
        let all: std::collections::BTreeSet<(usize, bool)> = seen(1, 0).into_iter().collect();
        assert_eq!(all.len(), 8);
        assert_eq!(seen(1, 0), seen(1, 0));
        assert!(seen(1, 0) != seen(1, 1) && seen(1, 0) != seen(2, 0));
    }
}
