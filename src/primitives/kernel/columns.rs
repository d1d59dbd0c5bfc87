//! Several weighted sums of many points with 128-bit weights: Pippenger's method (1976) with signed
//! digits, where the buckets of all digits of all sums are added lane by lane.

use rayon::prelude::*;

use crate::primitives::curve::{Fp, G1, G1Sum, Scalar};

use super::lanes::{Affine, Place, add_to, bucket_sums};

/// Below this many points the library is as fast.
const FEW: usize = 32;

/// `Σ weights[i] · points[i]` for each of the pairs. Variable time: public inputs only.
///
/// # Panics
/// If a pair's parts differ in length.
pub(in crate::primitives) fn weigh_columns(columns: &[(&[G1], &[u128])]) -> Vec<G1Sum> {
    let longest = columns.iter().map(|(points, _)| points.len()).max().unwrap_or(0);
    if longest < FEW {
        let scalars = |weights: &[u128]| {
            weights.iter().map(|weight| Scalar::from_u128(*weight)).collect::<Vec<_>>()
        };
        return columns
            .iter()
            .map(|(points, weights)| G1Sum::msm(points, &scalars(weights)))
            .collect();
    }
    let width = width(longest);
    let digits = digits(width);
    let buckets = (1 << (width - 1)) + 1;
    // For each column and digit, the buckets' sums.
    let sums = |(points, weights): &(&[G1], &[u128])| -> Vec<Vec<Affine<Fp>>> {
        assert_eq!(points.len(), weights.len(), "one weight for each point");
        let lanes: Vec<_> = points.iter().map(G1::affine).collect();
        let spelled: Vec<Vec<i16>> =
            weights.iter().map(|weight| signed_digits(*weight, width)).collect();
        (0..digits)
            .map(|digit| bucket_sums(&lanes, |i| Place::of_digit(spelled[i][digit]), buckets))
            .collect()
    };
    let sums: Vec<Vec<Affine<Fp>>> = columns.par_iter().flat_map(sums).collect();
    // Σ size · bucket, by sums of sums.
    let mut running: Vec<Affine<Fp>> = sums.iter().map(|sums| sums[buckets - 1]).collect();
    let mut totals = running.clone();
    for bucket in (1..buckets - 1).rev() {
        add_to(&mut running, &sums.iter().map(|sums| sums[bucket]).collect::<Vec<_>>());
        add_to(&mut totals, &running);
    }
    let horner = |totals: &[Affine<Fp>]| {
        totals.iter().rev().fold(G1Sum::zero(), |sum, digit| {
            let mut next = sum.scaled_u64(1 << width);
            next.add_sum(&G1Sum::of_tested(digit));
            next
        })
    };
    totals.chunks(digits).map(horner).collect()
}

/// Digits to the base `2^width`, the last of which is a carry.
fn digits(width: u32) -> usize {
    128usize.div_ceil(width as usize) + usize::from(128 % width == 0)
}

/// The width that needs the fewest additions.
fn width(points: usize) -> u32 {
    let additions = |width: &u32| digits(*width) * (points + (1 << width));
    (3..=10).min_by_key(additions).expect("there is one")
}

/// The digits of `weight`, the lowest first, each from `-2^(width-1)` to `2^(width-1)`.
fn signed_digits(weight: u128, width: u32) -> Vec<i16> {
    let mut rest = weight;
    let mut carry = 0;
    let digit = |_| {
        let low = i16::try_from(rest & ((1 << width) - 1)).expect("ten bits") + carry;
        rest >>= width;
        carry = i16::from(low > 1 << (width - 1));
        low - (carry << width)
    };
    (0..digits(width)).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_add_up_to_the_weight() {
        let weights = [
            0,
            1,
            u128::MAX,
            u128::MAX - 1,
            1 << 127,
            (1 << 127) - 1,
            0x8080_8080_8080_8080_8080_8080_8080_8080,
            0xfedc_ba98,
        ];
        for width in 3..=10 {
            for weight in weights {
                let digits = signed_digits(weight, width);
                assert_eq!(digits.len(), self::digits(width));
                assert!(digits.iter().all(|digit| digit.unsigned_abs() <= 1 << (width - 1)));
                // In wrapping arithmetic, and that nothing was lost at the top.
                let sum = digits.iter().rev().fold(0u128, |sum, digit| {
                    (sum << width).wrapping_add_signed(i128::from(*digit))
                });
                assert_eq!(sum, weight, "{width}");
                let top = digits.iter().rev().find(|digit| **digit != 0);
                assert!(top.is_none_or(|digit| *digit > 0));
            }
        }
        assert!(width(1000) > width(100));
    }
}
