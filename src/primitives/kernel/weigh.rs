//! Weighted sums of keys, one for each message: Straus' method (1964) with signed digits (wNAF),
//! the weights' two halves on a point and on its image under the endomorphism `(x, y) -> (βx, y)`,
//! which multiplies by `-z²` (Gallant, Lambert, Vanstone 2001).

use std::sync::LazyLock;

use rayon::prelude::*;

use crate::primitives::curve::{Fp, G1, G1Sum};

use super::lanes::{Affine, Field, add_at, add_to, double};
use super::subgroup::KeyWeight;

/// A cube root of unity of the base field.
static BETA: LazyLock<Fp> = LazyLock::new(|| {
    let mut bytes = [0; 48];
    hex::decode_to_slice(
        "00000000000000005f19672fdf76ce51ba69c6076a0f77eaddb3a93be6f89688de17d813620a00022e01fffffffefffe",
        &mut bytes,
    )
    .expect("96 digits");
    Fp::from_be_bytes(&bytes)
});

/// Some keys, and for each message that they sign a weight for each of them.
pub(in crate::primitives) struct Weighed {
    pub(in crate::primitives) keys: Vec<G1>,
    pub(in crate::primitives) messages: Vec<Vec<KeyWeight>>,
}

/// Odd multiples of a key that a digit chooses among: 1, 3, .. 15.
const MULTIPLES: usize = 8;
/// The most digits of a half.
const DIGITS: usize = 114;
/// Messages worked on at a time, by one processor, or a few more.
const MESSAGES: usize = 256;

/// `Σ weight · key` for each message, in order.
pub(in crate::primitives) fn weigh_keys(groups: &[Weighed]) -> Vec<G1Sum> {
    let mut pieces: Vec<&[Weighed]> = Vec::new();
    let (mut start, mut messages) = (0, 0);
    for (at, group) in groups.iter().enumerate() {
        messages += group.messages.len();
        if messages >= MESSAGES || at + 1 == groups.len() {
            pieces.push(&groups[start..=at]);
            (start, messages) = (at + 1, 0);
        }
    }
    let sums: Vec<Vec<G1Sum>> = pieces.into_par_iter().map(weigh_some).collect();
    sums.concat()
}

fn weigh_some(groups: &[Weighed]) -> Vec<G1Sum> {
    let keys: Vec<Affine<Fp>> =
        groups.iter().flat_map(|group| group.keys.iter().map(G1::affine)).collect();
    let mut twice = keys.clone();
    double(&mut twice);
    let mut tables = vec![keys];
    for _ in 1..MULTIPLES {
        let mut next = tables.last().expect("the first").clone();
        add_to(&mut next, &twice);
        tables.push(next);
    }
    // On every lane the terms of its message: where the key's multiples are, which half, and that
    // half's digits.
    let mut lanes: Vec<Vec<Term>> = Vec::new();
    let mut first = 0;
    for group in groups {
        for weights in &group.messages {
            assert_eq!(weights.len(), group.keys.len(), "a weight for each key");
            let terms = |(at, KeyWeight([low, high])): (usize, &KeyWeight)| {
                [
                    Term { key: first + at, image: false, digits: wnaf(*low) },
                    Term { key: first + at, image: true, digits: wnaf(*high) },
                ]
            };
            lanes.push(weights.iter().enumerate().flat_map(terms).collect());
        }
        first += group.keys.len();
    }
    let widest = lanes.iter().map(Vec::len).max().unwrap_or(0);
    let used =
        |term: &Term| term.digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
    let digits = lanes.iter().flatten().map(used).max().unwrap_or(0);
    let mut sums = vec![Affine::infinity(); lanes.len()];
    for digit in (0..digits).rev() {
        double(&mut sums);
        for term in 0..widest {
            let point = |(lane, terms): (usize, &Vec<Term>)| {
                let point = terms.get(term)?.point(digit, &tables)?;
                Some((lane, point))
            };
            let additions: Vec<_> = lanes.iter().enumerate().filter_map(point).collect();
            add_at(&mut sums, additions);
        }
    }
    sums.iter().map(G1Sum::of_tested).collect()
}

struct Term {
    key: usize,
    image: bool,
    digits: [i8; DIGITS],
}

impl Term {
    fn point(&self, digit: usize, tables: &[Vec<Affine<Fp>>]) -> Option<Affine<Fp>> {
        let digit = self.digits[digit];
        if digit == 0 {
            return None;
        }
        let multiple = tables[usize::from(digit.unsigned_abs() / 2)][self.key];
        // The image of a point is its -z²-fold.
        match self.image {
            false if digit > 0 => Some(multiple),
            false => Some(multiple.negated()),
            true => {
                let (x, y) = multiple.coordinates()?;
                let y = if digit > 0 { y.negated() } else { y };
                Some(Affine::new(x.mul(&BETA), y))
            }
        }
    }
}

/// Signed odd digits below 16, at most one in five of them not zero.
fn wnaf(mut half: i128) -> [i8; DIGITS] {
    let mut digits = [0; DIGITS];
    let mut at = 0;
    while half != 0 {
        if half & 1 == 1 {
            let low = i8::try_from(half & 31).expect("below 32");
            digits[at] = if low > 15 { low - 32 } else { low };
            half -= i128::from(digits[at]);
        }
        half >>= 1;
        at += 1;
    }
    digits
}
