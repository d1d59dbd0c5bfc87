//! Batched point arithmetic: affine additions that share one inversion (Montgomery 1987, section
//! 10.3.1), and the operations of dealing, testing and verifying built on them. The tests have a
//! point-by-point twin of each function.
//!
//! Everything but [`fixed_base`] is for public data, and takes a time that depends on it.

pub(super) mod lanes;

mod fixed_base;

mod columns;

mod levels;

mod rows;

mod subgroup;

mod weigh;

pub(super) use fixed_base::base_mult_all;

pub(super) use columns::weigh_columns;

pub(super) use rows::{combine_rows, combine_rows_g1, evaluate_rows, sum_vectors};

pub(super) use subgroup::{Coin, KeyWeight, coins, test_all, test_and_weigh, test_together, weigh};

pub(super) use weigh::{Weighed, weigh_keys};

#[cfg(test)]
mod tests;
