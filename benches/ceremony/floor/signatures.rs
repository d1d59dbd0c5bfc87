//! Verifying all partial signatures in one batch, and combining them.

use blst::{blst_p2, blst_scalar};
use chacha20::ChaCha20Rng;
use rand_core::Rng as _;

use super::curve::*;
use super::lanes::{Adder, Lane, WIDTH};

/// Below this many validators lanes do not pay.
const FEW: usize = 8;

/// `λ` with `λ·(x, y) = (β·x, y)`: two short factors do the work of a long one (Gallant, Lambert,
/// Vanstone 2001).
pub struct Endomorphism {
    lambda: blst_scalar,
    beta: Fp,
}

impl Endomorphism {
    /// `λ = z² - 1` for the curve's parameter `z`; `β` is read off `λ·G`.
    pub fn new() -> Self {
        let z = fr(0xd201_0000_0001_0000);
        let lambda = fr_to_scalar(&fr_sub(&fr_mul(&z, &z), &fr(1)));
        let g = generator();
        let image = g1::affine(&[multiply(&jacobian(&g), &lambda)])[0];
        assert!(image.y == g.y, "an endomorphism that keeps y");
        Self { lambda, beta: fp_mul(&image.x, &fp_inverse(&g.x)) }
    }

    fn apply(&self, point: &P) -> P {
        P { x: fp_mul(&point.x, &self.beta), y: point.y }
    }
}

/// Signed digits of a factor, lowest first: odd and below 8 in size, or zero, with three zeros
/// behind each that is not.
fn digits(factor: u64) -> Vec<i8> {
    let mut rest = u128::from(factor);
    let mut out = Vec::new();
    while rest > 0 {
        let low = (rest & 15) as u8;
        let digit = match low {
            _ if low & 1 == 0 => 0,
            1..8 => low as i8,
            _ => low as i8 - 16,
        };
        rest = if digit < 0 {
            rest + u128::from(digit.unsigned_abs())
        } else {
            rest - u128::from(digit.unsigned_abs())
        };
        out.push(digit);
        rest >>= 1;
    }
    out
}

/// `Σ_j factors[j] · keys[j]`, lane by lane, in one pass of doublings.
fn weighted(keys: &[&[P]], factors: &[u64], adder: &mut Adder) -> Lane {
    let multiples: Vec<[Lane; 4]> = keys
        .iter()
        .map(|key| {
            let mut twice = key.to_vec();
            adder.double(&mut twice);
            let mut next = key.to_vec();
            core::array::from_fn(|i| {
                if i > 0 {
                    adder.add(&mut next, &twice);
                }
                next.clone()
            })
        })
        .collect();
    let digits: Vec<Vec<i8>> = factors.iter().map(|factor| digits(*factor)).collect();
    let mut sums = vec![P::default(); keys[0].len()];
    let mut minus = Lane::new();
    for place in (0..digits.iter().map(Vec::len).max().unwrap_or(0)).rev() {
        adder.double(&mut sums);
        for (multiples, digits) in multiples.iter().zip(&digits) {
            let digit = digits.get(place).copied().unwrap_or(0);
            let multiple = &multiples[usize::from(digit.unsigned_abs() / 2)];
            if digit > 0 {
                adder.add(&mut sums, multiple);
            } else if digit < 0 {
                minus.clear();
                minus.extend(multiple.iter().map(negate));
                adder.add(&mut sums, &minus);
            }
        }
    }
    sums
}

/// `(a + bλ) · points[i / 2]` for each of `factors`, two for each point, by two bits of both parts
/// at a time.
fn spread(
    points: &[P],
    factors: &[(u32, u32)],
    endomorphism: &Endomorphism,
    adder: &mut Adder,
) -> Lane {
    let mut twice = points.to_vec();
    adder.double(&mut twice);
    let mut thrice = twice.clone();
    adder.add(&mut thrice, points);
    let multiples = [vec![P::default(); points.len()], points.to_vec(), twice, thrice];
    let table: Vec<Lane> = (0..16)
        .map(|entry| {
            let image = |point: &P| endomorphism.apply(point);
            let mut sum: Lane = multiples[entry / 4].iter().map(image).collect();
            adder.add(&mut sum, &multiples[entry % 4]);
            sum
        })
        .collect();
    let mut sums = vec![P::default(); factors.len()];
    let mut chosen = sums.clone();
    for bit in (0..32).step_by(2).rev() {
        adder.double(&mut sums);
        adder.double(&mut sums);
        for (i, (a, b)) in factors.iter().enumerate() {
            chosen[i] = table[(a >> bit & 3) as usize + 4 * (b >> bit & 3) as usize][i / 2];
        }
        adder.add(&mut sums, &chosen);
    }
    sums
}

/// Whether all partial signatures verify, wrongly with probability 2^-63: one pairing product with
/// one Miller loop for each message. Weights are products of one of the message and one of the
/// operator. `keys` and `partials` are by operator; two messages for each validator.
pub fn verify(
    keys: &[Lane],
    messages: &[Q],
    partials: &[Vec<Q>],
    endomorphism: &Endomorphism,
    adder: &mut Adder,
    random: &mut ChaCha20Rng,
) -> bool {
    let (n, v) = (keys.len(), keys[0].len());
    let (mut left, total) = if v < FEW {
        let weights: Vec<[u8; 8]> =
            (0..2 * v * n).map(|_| random.next_u64().to_le_bytes()).collect();
        let of_message = |m: usize| -> Vec<P> { keys.iter().map(|lane| lane[m / 2]).collect() };
        let sums: Vec<_> = (0..2 * v)
            .map(|m| g1::msm(&of_message(m), weights[m * n..(m + 1) * n].as_flattened(), 64))
            .collect();
        let all: Vec<Q> = (0..2 * v * n).map(|i| partials[i % n][i / n]).collect();
        (g1::affine(&sums), g2::msm(&all, weights.as_flattened(), 64))
    } else {
        let of_operator: Vec<u64> = (0..n).map(|_| random.next_u64()).collect();
        let of_message: Vec<(u32, u32)> =
            (0..2 * v).map(|_| (random.next_u32(), random.next_u32())).collect();
        let mut left = Lane::with_capacity(2 * v);
        for start in (0..v).step_by(WIDTH) {
            let end = (start + WIDTH).min(v);
            let keys: Vec<&[P]> = keys.iter().map(|lane| &lane[start..end]).collect();
            let sums = weighted(&keys, &of_operator, adder);
            left.extend(spread(&sums, &of_message[2 * start..2 * end], endomorphism, adder));
        }
        let (a, b): (Vec<[u8; 4]>, Vec<[u8; 4]>) =
            of_message.iter().map(|(a, b)| (a.to_le_bytes(), b.to_le_bytes())).collect();
        let by_operator = |weights: &[[u8; 4]]| {
            let sums: Vec<_> = partials
                .iter()
                .map(|partials| g2::msm(partials, weights.as_flattened(), 32))
                .collect();
            let of_operator: Vec<[u8; 8]> =
                of_operator.iter().map(|weight| weight.to_le_bytes()).collect();
            g2::msm(&g2::affine(&sums), of_operator.as_flattened(), 64)
        };
        (left, add_g2(&by_operator(&a), &multiply_g2(&by_operator(&b), &endomorphism.lambda)))
    };
    let total = g2::affine(&[total])[0];
    left.push(negate(&generator()));
    let right = [messages, &[total]].concat();
    g2::is_in_group(&total) && pairing_product_is_one(&left, &right)
}

/// Signatures from the partial ones of the operators at 1..=t, whose Lagrange coefficients at zero
/// are the integers `(-1)^(j-1) · C(t, j)`.
pub fn combine(partials: &[Vec<Q>], t: usize) -> Vec<Q> {
    let mut binomial = 1u64;
    let coefficients: Vec<u64> = (1..=t as u64)
        .map(|j| {
            binomial = binomial * (t as u64 - j + 1) / j;
            binomial
        })
        .collect();
    let bits = coefficients.iter().max().map_or(0, |most| most.ilog2() + 1);
    let one = |m: usize| {
        let signed =
            |j: usize| if j % 2 == 1 { negate_g2(&partials[j][m]) } else { partials[j][m] };
        let points: Vec<Q> = (0..t).map(signed).collect();
        (0..bits).rev().fold(blst_p2::default(), |sum, bit| {
            let terms = points
                .iter()
                .zip(&coefficients)
                .filter(|(_, coefficient)| **coefficient >> bit & 1 == 1);
            terms.fold(double_g2(&sum), |sum, (point, _)| add_g2_point(&sum, point))
        })
    };
    let sums: Vec<blst_p2> = (0..partials[0].len()).map(one).collect();
    g2::affine(&sums)
}
