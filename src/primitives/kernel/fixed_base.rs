//! Multiples of the generator by many secret scalars: a table of the generator's multiples, read in
//! constant time, and additions that share one inversion.
//!
//! A scalar, made odd by adding the group order if it is even, has 43 digits in base 64, all odd,
//! from -63 to 63 (Joye, Tunstall 2009); the table holds 1, 3, .. 63 times each power of 64. Every
//! entry of a digit's row is read, and the wanted one kept by masks.

use core::hint::black_box;
use std::sync::OnceLock;

use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

use crate::primitives::curve::{Fp, G1, G1Sum, SecretScalar};
use crate::primitives::secret::deep;

use super::lanes::{Affine, Field, add_to, double};

/// Bits of a digit.
const BITS: usize = 6;
const DIGITS: usize = 43;
/// Odd multiples of each power.
const MULTIPLES: usize = 32;
/// From how many scalars on the table pays.
const MANY: usize = 48;
/// Scalars worked on at a time, by one processor.
const LANES: usize = 512;

/// The group order, as little-endian words.
const ORDER: [u64; 4] =
    [0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48];

type Row = [(Fp, Fp); MULTIPLES];

fn table() -> &'static [Row] {
    static TABLE: OnceLock<Vec<Row>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut powers = Vec::with_capacity(DIGITS);
        let mut power = G1Sum::from(G1::generator());
        for _ in 0..DIGITS {
            powers.push(
                power
                    .finish()
                    .expect("a power of two times the generator is not infinity")
                    .affine(),
            );
            power = power.scaled_u64(1 << BITS);
        }
        let mut twice: Vec<Affine<Fp>> = powers.clone();
        double(&mut twice);
        let mut rows = vec![[(Fp::zero(), Fp::zero()); MULTIPLES]; DIGITS];
        for multiple in 0..MULTIPLES {
            if multiple > 0 {
                add_to(&mut powers, &twice);
            }
            for (row, point) in rows.iter_mut().zip(&powers) {
                row[multiple] = point.coordinates().expect("a small multiple of a power of two");
            }
        }
        rows
    })
}

/// `scalar · G` for each of `scalars`; `None` if one is zero. Constant time.
pub(in crate::primitives) fn base_mult_all(scalars: &[&SecretScalar]) -> Option<Vec<G1>> {
    if scalars.len() < MANY {
        return scalars.iter().map(|scalar| scalar.base_mult()).collect();
    }
    table();
    let points: Vec<Option<Vec<G1>>> =
        scalars.par_chunks(LANES).map(|few| deep(|| some(few))).collect();
    Some(points.into_iter().collect::<Option<Vec<_>>>()?.concat())
}

fn some(scalars: &[&SecretScalar]) -> Option<Vec<G1>> {
    let mut digits: Zeroizing<Vec<[i8; DIGITS]>> = Zeroizing::new(vec![[0; DIGITS]; scalars.len()]);
    scalars.iter().zip(digits.iter_mut()).for_each(|(scalar, digits)| recode(scalar, digits));
    let rows = table();
    let mut sums: Zeroizing<Lanes> = Zeroizing::new(Lanes::default());
    sums.points.reserve_exact(scalars.len());
    sums.next.reserve_exact(scalars.len());
    sums.points.extend(digits.iter().map(|digits| choose(&rows[0], digits[0])));
    for (place, row) in rows.iter().enumerate().skip(1) {
        sums.next.clear();
        sums.next.extend(digits.iter().map(|digits| choose(row, digits[place])));
        if sums.add().is_none() {
            // Two equal points: by chance not in the lifetime of this universe, for scalars that
            // nobody chose.
            return scalars.iter().map(|scalar| scalar.base_mult()).collect();
        }
    }
    sums.points.iter().map(|(x, y)| G1::of_tested(&Affine::new(*x, *y))).collect()
}

/// The digits of a scalar, in constant time.
fn recode(scalar: &SecretScalar, digits: &mut [i8; DIGITS]) {
    let bytes = scalar.to_le_bytes();
    let (chunks, _) = bytes.as_chunks::<8>();
    let mut words = Zeroizing::new([0u64; 5]);
    words.iter_mut().zip(chunks).for_each(|(word, chunk)| *word = u64::from_le_bytes(*chunk));
    // Below 2^256 with the order added, and the same multiple of the generator.
    let even = black_box(words[0] & 1 ^ 1).wrapping_neg();
    let mut carry = 0;
    for (word, order) in words.iter_mut().zip(ORDER) {
        let (sum, first) = word.overflowing_add(order & even);
        let (sum, second) = sum.overflowing_add(carry);
        *word = sum;
        carry = u64::from(first) + u64::from(second);
    }
    for (place, digit) in digits.iter_mut().enumerate() {
        let bit = BITS * place;
        let (word, shift) = (bit / 64, bit % 64);
        let pair = u128::from(words[word]) | u128::from(words[word + 1]) << 64;
        let window = i16::try_from((pair >> shift) & 127 | 1).expect("below 128");
        // The last has nothing above it to take from.
        let taken = if place + 1 == DIGITS { 0 } else { 64 };
        *digit = i8::try_from(window - taken).expect("from -63 to 63");
    }
}

/// The multiple that an odd digit stands for; reads the whole row.
fn choose(row: &Row, digit: i8) -> (Fp, Fp) {
    let digit = i64::from(digit);
    let sign = black_box(digit >> 63);
    let wanted = (((digit ^ sign) - sign) >> 1).cast_unsigned();
    let (mut x, mut y) = (Fp::zero(), Fp::zero());
    for (multiple, (entry_x, entry_y)) in (0u64..).zip(row) {
        // All ones where they are equal.
        let difference = multiple ^ wanted;
        let mask = black_box((difference.wrapping_sub(1) & !difference).cast_signed() >> 63)
            .cast_unsigned();
        x.words_mut()
            .iter_mut()
            .zip(entry_x.words())
            .for_each(|(word, entry)| *word |= entry & mask);
        y.words_mut()
            .iter_mut()
            .zip(entry_y.words())
            .for_each(|(word, entry)| *word |= entry & mask);
    }
    let negative = y.negated();
    let sign = sign.cast_unsigned();
    y.words_mut()
        .iter_mut()
        .zip(negative.words())
        .for_each(|(word, other)| *word ^= (*word ^ other) & sign);
    (x, y)
}

/// Sums under way, which tell the scalars: wiped.
#[derive(Default)]
struct Lanes {
    points: Vec<(Fp, Fp)>,
    next: Vec<(Fp, Fp)>,
    runs: Vec<Fp>,
    before: Vec<Fp>,
}

impl Lanes {
    /// Adds `next` to `points`, without a branch on either; `None` if two have the same x.
    fn add(&mut self) -> Option<()> {
        // None of these may grow on the way: what they leave behind would not be wiped.
        // Room is made once they are empty: it is counted on top of what they hold.
        self.runs.clear();
        self.runs.reserve(self.points.len());
        self.before.clear();
        self.before.reserve(self.points.len());
        self.runs
            .extend(self.points.iter().zip(&self.next).map(|((x, _), (other, _))| other.sub(x)));
        let mut product = self.runs[0];
        for run in &self.runs[1..] {
            self.before.push(product);
            product = product.mul(run);
        }
        if product.is_zero() {
            return None;
        }
        let mut inverse = product.inverse();
        for at in (0..self.points.len()).rev() {
            let own = if at == 0 { inverse } else { inverse.mul(&self.before[at - 1]) };
            inverse = inverse.mul(&self.runs[at]);
            let ((x, y), (other_x, other_y)) = (self.points[at], self.next[at]);
            let slope = other_y.sub(&y).mul(&own);
            let sum = slope.square().sub(&x).sub(&other_x);
            self.points[at] = (sum, slope.mul(&x.sub(&sum)).sub(&y));
        }
        Some(())
    }
}

impl Zeroize for Lanes {
    fn zeroize(&mut self) {
        let wipe = |value: &mut Fp| value.words_mut().zeroize();
        for (x, y) in self.points.iter_mut().chain(&mut self.next) {
            wipe(x);
            wipe(y);
        }
        self.runs.iter_mut().chain(&mut self.before).for_each(wipe);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_wiped_never_grows() {
        let points: Vec<(Fp, Fp)> = table()[0].to_vec();
        let mut lanes = Lanes { points: points.clone(), ..Lanes::default() };
        let mut room = Vec::new();
        // Multiples of other powers, none of them equal.
        for row in &table()[1..6] {
            lanes.next.clear();
            lanes.next.extend(row);
            lanes.add().unwrap();
            room.push((lanes.points.capacity(), lanes.runs.capacity(), lanes.before.capacity()));
        }
        assert!(room.iter().all(|now| *now == room[0]), "{room:?}");
    }
}
