//! G1: public keys, commitments and proofs of possession.

use core::fmt;

use super::group::group;
use super::raw::{Fp, P1, P1Affine};
use super::{DecodeError, G1_COMPRESSED, G1_UNCOMPRESSED, Scalar};
use crate::primitives::kernel::lanes::Affine;
use crate::primitives::memo::remember;

/// A point of G1: canonical, on the curve, in the subgroup, not infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct G1(P1Affine);

/// A point of G1's curve, canonical and not infinity, whose subgroup nobody has tested yet.
#[derive(Clone, Copy)]
pub struct UntestedG1(P1Affine);

/// A sum of G1 points, possibly infinity.
#[derive(Clone, Copy, PartialEq)]
pub struct G1Sum(P1);

group!(G1, UntestedG1, G1Sum, Fp, P1Affine, P1, G1_COMPRESSED, G1_UNCOMPRESSED, "G1");

impl G1 {
    /// The generator `G`.
    pub fn generator() -> Self {
        Self(P1Affine::generator())
    }
}

impl G1Sum {
    /// A sum of points that were tested.
    pub(in crate::primitives) fn of_tested(sum: &Affine<Fp>) -> Self {
        G1::of_tested(sum).map_or_else(Self::zero, Self::from)
    }
}
