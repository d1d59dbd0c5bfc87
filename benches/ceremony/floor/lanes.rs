//! Batched point additions: each addition needs an inversion, and a batch shares one (Montgomery
//! 1987). A lane is a list of points, one per validator, that are all processed in the same way.

use blst::{blst_p1, blst_scalar};
use chacha20::ChaCha20Rng;
use rand_core::Rng as _;

use super::curve::*;

/// Points that are treated alike.
pub type Lane = Vec<P>;

/// Validators in a lane: what a lane's additions touch stays in the cache.
pub const WIDTH: usize = 256;

/// Room for a batch of inversions.
#[derive(Default)]
pub struct Adder {
    gaps: Vec<Fp>,
    prefixes: Vec<Fp>,
}

fn is_infinity(point: &P) -> bool {
    fp_is_zero(&point.x) && fp_is_zero(&point.y)
}

/// `a + b` along the line of slope `slope`.
#[inline(always)]
fn third(a: &P, b_x: &Fp, slope: &Fp) -> P {
    let x = fp_sub(&fp_sub(&fp_square(slope), &a.x), b_x);
    P { x, y: fp_sub(&fp_mul(slope, &fp_sub(&a.x, &x)), &a.y) }
}

impl Adder {
    /// Inverts all gaps that are not zero, and gives each with its place, last first.
    #[inline(always)]
    fn inverses(&mut self, mut use_inverse: impl FnMut(usize, &Fp)) {
        self.prefixes.clear();
        let mut product = fp_one();
        for gap in &self.gaps {
            self.prefixes.push(product);
            if !fp_is_zero(gap) {
                product = fp_mul(&product, gap);
            }
        }
        let mut inverse = fp_inverse(&product);
        for (i, (gap, prefix)) in self.gaps.iter().zip(&self.prefixes).enumerate().rev() {
            if !fp_is_zero(gap) {
                use_inverse(i, &fp_mul(&inverse, prefix));
                inverse = fp_mul(&inverse, gap);
            }
        }
    }

    /// `sums[i] += points[i]`, whatever the points are. Public data.
    pub fn add(&mut self, sums: &mut [P], points: &[P]) {
        self.gaps.clear();
        let plain = |a: &P, b: &P| !is_infinity(a) && !is_infinity(b);
        let mut rare = false;
        for (a, b) in sums.iter().zip(points) {
            let gap = if plain(a, b) { fp_sub(&b.x, &a.x) } else { Fp::default() };
            rare |= fp_is_zero(&gap);
            self.gaps.push(gap);
        }
        if rare {
            for ((a, b), _) in
                sums.iter_mut().zip(points).zip(&self.gaps).filter(|(_, gap)| fp_is_zero(gap))
            {
                if is_infinity(a) {
                    *a = *b;
                } else if !is_infinity(b) {
                    *a = g1::affine(&[super::curve::add(&jacobian(a), &jacobian(b))])[0];
                }
            }
        }
        self.inverses(|i, inverse| {
            let slope = fp_mul(&fp_sub(&points[i].y, &sums[i].y), inverse);
            sums[i] = third(&sums[i], &points[i].x, &slope);
        });
    }

    /// `sums[i] = 2 sums[i]`. Public data. There is no point of order two: a zero y is infinity's.
    pub fn double(&mut self, sums: &mut [P]) {
        self.gaps.clear();
        self.gaps.extend(sums.iter().map(|point| fp_add(&point.y, &point.y)));
        self.inverses(|i, inverse| {
            let square = fp_square(&sums[i].x);
            let slope = fp_mul(&fp_add(&fp_add(&square, &square), &square), inverse);
            sums[i] = third(&sums[i], &sums[i].x, &slope);
        });
    }

    /// `sums[i] += points[i]` for points of secret scalars: no branch. Equal or opposite points,
    /// which it gets wrong, have probability 2^-250 here.
    fn add_secret(&mut self, sums: &mut [P], points: &[P]) {
        self.gaps.clear();
        self.prefixes.clear();
        let mut product = fp_one();
        for (a, b) in sums.iter().zip(points) {
            let gap = fp_sub(&b.x, &a.x);
            self.prefixes.push(product);
            product = fp_mul(&product, &gap);
            self.gaps.push(gap);
        }
        let mut inverse = fp_inverse(&product);
        for i in (0..sums.len()).rev() {
            let own = fp_mul(&inverse, &self.prefixes[i]);
            inverse = fp_mul(&inverse, &self.gaps[i]);
            let slope = fp_mul(&fp_sub(&points[i].y, &sums[i].y), &own);
            sums[i] = third(&sums[i], &points[i].x, &slope);
        }
    }

    /// `factor · lane[i]` for a small factor, not zero.
    fn scaled(&mut self, lane: &[P], factor: usize) -> Lane {
        let mut sums = lane.to_vec();
        for bit in (0..factor.ilog2()).rev() {
            self.double(&mut sums);
            if factor >> bit & 1 == 1 {
                self.add(&mut sums, lane);
            }
        }
        sums
    }

    /// Values at 1..=n of polynomials given by their coefficients' lanes, by forward differences
    /// (Newton): `t - 1` additions for each value, after `t²/2` products with factors below `t`.
    pub fn values(&mut self, coefficients: &[Lane], n: usize) -> Vec<Lane> {
        let t = coefficients.len();
        // Differences at zero of Horner's partial results: Δᵏ(x·f)(0) = k·(Δᵏf(0) + Δᵏ⁻¹f(0)).
        let mut differences = vec![coefficients[t - 1].clone()];
        for constant in coefficients[..t - 1].iter().rev() {
            let mut next = vec![constant.clone()];
            for k in 1..=differences.len() {
                let mut sum = differences[k - 1].clone();
                if let Some(higher) = differences.get(k) {
                    self.add(&mut sum, higher);
                }
                next.push(self.scaled(&sum, k));
            }
            differences = next;
        }
        (1..=n)
            .map(|x| {
                // A difference that no later value needs is left as it is.
                let needed = (t - 1).min(n - x + 1);
                for k in 0..needed {
                    let (low, high) = differences.split_at_mut(k + 1);
                    self.add(&mut low[k], &high[0]);
                }
                differences[0].clone()
            })
            .collect()
    }
}

/// Odd multiples of `64^i · G` for fixed-base products with digits that are odd, so that none is
/// zero.
pub struct Table {
    odd: Vec<P>,
}

const W: usize = 6;
const WINDOWS: usize = 43;
const ROW: usize = 1 << (W - 1);
/// Products in a batch.
const BATCH: usize = 512;
/// The group order, little-endian.
const ORDER: [u64; 4] =
    [0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48];

impl Table {
    /// 129 KiB, made in two milliseconds.
    pub fn new() -> Self {
        let mut multiples: Vec<blst_p1> = Vec::with_capacity(WINDOWS * ROW);
        let mut base = jacobian(&generator());
        for _ in 0..WINDOWS {
            let twice = add(&base, &base);
            let mut multiple = base;
            for _ in 0..ROW {
                multiples.push(multiple);
                multiple = add(&multiple, &twice);
            }
            for _ in 0..W {
                base = add(&base, &base);
            }
        }
        Self { odd: g1::affine(&multiples) }
    }

    /// `k = Σ d_i · 64^i` with odd `d_i = 2b_i - 63`, where `b_i` are the digits of `(k + 64^43 -
    /// 1) / 2` and `k` is made odd by adding the order. Gives the `b_i`.
    fn digits(scalar: &blst_scalar) -> [u8; WINDOWS] {
        let mut limbs = [0u64; 5];
        for (limb, bytes) in limbs.iter_mut().zip(scalar.b.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        let even = (limbs[0] & 1).wrapping_sub(1);
        let mut carry = false;
        for (limb, order) in limbs.iter_mut().zip(ORDER) {
            (*limb, carry) = limb.carrying_add(order & even, carry);
        }
        limbs[4] = u64::from(carry);
        for i in 0..4 {
            limbs[i] = limbs[i] >> 1 | limbs[i + 1] << 63;
        }
        limbs[4] >>= 1;
        let top = WINDOWS * W - 1;
        limbs[top / 64] |= 1 << (top % 64);
        core::array::from_fn(|i| {
            let (limb, bit) = (i * W / 64, i * W % 64);
            let high = if bit > 64 - W { limbs[limb + 1] << (64 - bit) } else { 0 };
            ((limbs[limb] >> bit | high) & 63) as u8
        })
    }

    /// The multiple for a digit of a window, by reading the whole row.
    #[inline(always)]
    fn pick(&self, window: usize, digit: u8) -> P {
        let negative = u64::from(digit >> (W - 1)).wrapping_sub(1);
        let mask = (ROW - 1) as u64;
        let place = (u64::from(digit) ^ negative) & mask;
        let mut limbs = [[0; 6]; 2];
        for (i, entry) in self.odd[window * ROW..(window + 1) * ROW].iter().enumerate() {
            let differs = (i as u64) ^ place;
            let here = std::hint::black_box((differs.wrapping_sub(1) >> 63).wrapping_neg());
            limbs[0]
                .iter_mut()
                .zip(&entry.x.l)
                .for_each(|(limb, of_entry)| *limb |= of_entry & here);
            limbs[1]
                .iter_mut()
                .zip(&entry.y.l)
                .for_each(|(limb, of_entry)| *limb |= of_entry & here);
        }
        let mut out = P { x: Fp { l: limbs[0] }, y: Fp { l: limbs[1] } };
        let minus = fp_negate(&out.y);
        for limb in 0..6 {
            out.y.l[limb] = out.y.l[limb] & !negative | minus.l[limb] & negative;
        }
        out
    }

    /// `scalars[i] · G`, constant time.
    pub fn multiply(&self, scalars: &[blst_scalar], adder: &mut Adder) -> Vec<P> {
        let mut out = Vec::with_capacity(scalars.len());
        for batch in scalars.chunks(BATCH) {
            let digits: Vec<[u8; WINDOWS]> = batch.iter().map(Self::digits).collect();
            let mut sums: Lane = digits.iter().map(|digits| self.pick(0, digits[0])).collect();
            let mut points = sums.clone();
            for window in 1..WINDOWS {
                points
                    .iter_mut()
                    .zip(&digits)
                    .for_each(|(point, digits)| *point = self.pick(window, digits[window]));
                adder.add_secret(&mut sums, &points);
            }
            out.extend(sums);
        }
        out
    }
}

macro_rules! bucket_test {
    ($name:ident, $point:ident, $group:ident) => {
        /// Whether all points are in the subgroup, wrongly with probability 2^-`bits`: each round
        /// throws them into `2^level` buckets and a point outside spoils its bucket but for one
        /// place in `2^level`. Bucket sums are tested by the next level, or one by one.
        pub fn $name(
            points: &[$point],
            bits: u32,
            levels: &[u32],
            random: &mut ChaCha20Rng,
        ) -> bool {
            let Some((level, rest)) = levels.split_first() else {
                return points.iter().all($group::is_in_group);
            };
            let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); 1 << level];
            let mut sums = Vec::new();
            for _ in 0..bits.div_ceil(*level) {
                buckets.iter_mut().for_each(Vec::clear);
                for i in 0..u32::try_from(points.len()).expect("a batch") {
                    buckets[random.next_u32() as usize % (1 << level)].push(i);
                }
                sums.extend(buckets.iter().filter_map(|places| $group::sum(points, places)));
            }
            $name(&$group::affine(&sums), bits, rest, random)
        }
    };
}

bucket_test!(in_g1, P, g1);
bucket_test!(in_g2, Q, g2);
