//! Tests statistically whether the time of operations on secrets depends on the secrets (Reparaz,
//! Balasch, Verbauwhede 2017, "dudect"). Each operation is timed on inputs of two classes in random
//! order, and Welch's t-test compares their means. The first class is one fixed secret with many
//! zero bits, the second is fresh random secrets; both have the same memory layout before timing
//! starts.
//!
//!     cargo bench --bench timing                      # a minute
//!     cargo bench --bench timing -- --samples 200000  # of each operation
//!
//! Run by hand, on a machine that does little else; not in CI. A difference shows as a `t` that
//! grows with the root of the number of samples; below 5 there is nothing to see, between 5 and 10
//! run it again with more samples, above 10 the run fails. To show that it would see a leak, a
//! control is timed too that leaks on purpose: a product whose time follows the bits of its factor.
#![allow(missing_docs)]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use quorate::primitives::curve::{G1, G1Sum, G2, Scalar, SecretScalar};
use quorate::primitives::hash::{DST_ETHEREUM, Tag, scalar, secret_scalar};
use quorate::primitives::polynomial::{Polynomial, commit_all};

/// Above this the run fails.
const BOUND: f64 = 10.0;
/// Coefficients of a polynomial.
const T: u64 = 3;
/// Inputs made at a time.
const BATCH: usize = 500;

/// A stream that decides classes and makes inputs; the same in every run.
struct Labels(u64);

impl Labels {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    fn coin(&mut self) -> usize {
        usize::from(
            scalar(Tag::BatchWeight, &[b"class", &self.next().to_be_bytes()]).to_be_bytes()[31] & 1,
        )
    }

    /// Of class 0 a fixed secret, of class 1 a fresh one.
    fn secret(&mut self, class: usize, place: u64) -> SecretScalar {
        let label = self.next();
        // Both are computed, so that what is in the caches does not tell them apart.
        let fresh = secret_scalar(Tag::BatchWeight, &[b"fresh", &label.to_be_bytes()]);
        let mut fixed = [0; 32];
        fixed[31] = 1 + u8::try_from(place).expect("few coefficients");
        let fixed = SecretScalar::from_be_bytes(&fixed).expect("below the order");
        if class == 0 { fixed } else { fresh }
    }

    fn polynomial(&mut self, class: usize) -> Polynomial {
        let coefficients = (0..T).map(|place| self.secret(class, place)).collect();
        Polynomial::from_coefficients(coefficients).expect("no coefficient is zero")
    }
}

/// Mean and variance as they come (Welford 1962).
#[derive(Default, Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn push(&mut self, value: f64) {
        self.count += 1.0;
        let from = value - self.mean;
        self.mean += from / self.count;
        self.squares += from * (value - self.mean);
    }

    /// Welch's t.
    fn t(a: &Self, b: &Self) -> f64 {
        let error = |x: &Self| x.squares / (x.count - 1.0) / x.count;
        (a.mean - b.mean) / (error(a) + error(b)).sqrt()
    }
}

/// Times `operation` on inputs of both classes. Each time is that of `repeat` calls, so that the
/// clock is fine enough.
fn times<I>(
    samples: usize,
    repeat: u32,
    mut input: impl FnMut(&mut Labels, usize) -> I,
    operation: impl Fn(&I),
) -> Vec<(usize, f64)> {
    let mut labels = Labels(0);
    let mut out = Vec::with_capacity(samples);
    while out.len() < samples {
        let classes: Vec<usize> = (0..BATCH).map(|_| labels.coin()).collect();
        let inputs: Vec<I> = classes.iter().map(|class| input(&mut labels, *class)).collect();
        for (class, input) in classes.iter().zip(&inputs) {
            let start = Instant::now();
            for _ in 0..repeat {
                operation(black_box(input));
            }
            #[allow(clippy::cast_precision_loss, reason = "nanoseconds of a moment")]
            out.push((*class, start.elapsed().as_nanos() as f64));
        }
    }
    // What is timed first is timed cold.
    out.drain(..BATCH.min(samples / 2));
    out
}

/// The largest |t|, over all times and over the fastest of them: interruptions hide small
/// differences in the slow ones.
fn largest(times: &[(usize, f64)]) -> f64 {
    let mut sorted: Vec<f64> = times.iter().map(|(_, time)| *time).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: usize| sorted[(sorted.len() * share / 100).min(sorted.len() - 1)];
    [100, 99, 95, 90, 75, 50]
        .into_iter()
        .filter_map(|share| {
            let crop = at(share);
            let mut classes = [Moments::default(); 2];
            times
                .iter()
                .filter(|(_, time)| *time <= crop)
                .for_each(|(class, time)| classes[*class].push(*time));
            (share == 100 || classes.iter().all(|class| class.count > 100.0))
                .then(|| Moments::t(&classes[0], &classes[1]))
        })
        .max_by(|a, b| a.abs().total_cmp(&b.abs()))
        .unwrap_or(0.0)
}

fn meaning(t: f64) -> &'static str {
    match t.abs() {
        0.0..5.0 => "no difference seen",
        5.0..BOUND => "perhaps: run again, with more samples",
        _ => "DEPENDS ON THE SECRET",
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let samples = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(20_000),
        ["--samples", count] => count.parse().ok().filter(|count| *count >= 2 * BATCH),
        _ => None,
    };
    let Some(samples) = samples else {
        eprintln!("usage: timing [--samples COUNT], of at least {}", 2 * BATCH);
        return ExitCode::FAILURE;
    };
    let message = G2::hash(b"message", DST_ETHEREUM);
    let x = Scalar::from_u64(7);
    let factor = scalar(Tag::BatchWeight, &[b"factor"]);
    let other = secret_scalar(Tag::BatchWeight, &[b"other"]);
    let point = G1Sum::from(G1::generator());

    let dealing = times(
        samples,
        1,
        |l, c| l.polynomial(c),
        |polynomial| drop(black_box(polynomial.commit())),
    );
    // Enough coefficients for the table.
    let many = times(
        samples / 8,
        1,
        |l, c| (0..24).map(|_| l.polynomial(c)).collect::<Vec<_>>(),
        |polynomials| drop(black_box(commit_all(polynomials))),
    );
    let shares = times(
        samples,
        16,
        |l, c| l.polynomial(c),
        |polynomial| drop(black_box(polynomial.evaluate(&x))),
    );
    let sums = times(
        samples,
        64,
        |l, c| l.secret(c, 0),
        |share| {
            let mut sum = share.scaled(&factor);
            sum.add_assign(&other);
            sum.add_assign(share);
            drop(black_box(sum));
        },
    );
    let signing = times(
        samples,
        1,
        |l, c| l.secret(c, 0),
        |share| {
            black_box(share.sign(&message));
        },
    );
    let encoding =
        times(samples, 64, |l, c| l.secret(c, 0), |share| drop(black_box(share.to_be_bytes())));
    let control = times(
        samples / 4,
        1,
        |l, c| l.secret(c, 0).declassify(),
        |public| {
            let bits = public.to_be_bytes().iter().map(|byte| byte.count_ones()).sum();
            for _ in 0u32..bits {
                black_box(point.scaled_u64(3));
            }
        },
    );

    let mut failed = false;
    println!("{samples} samples each; |t| above {BOUND} fails");
    for (name, times) in [
        ("dealing: Polynomial::commit", &dealing),
        ("dealing: commit_all", &many),
        ("dealing: Polynomial::evaluate", &shares),
        ("share sums: scaled, add_assign", &sums),
        ("signing: SecretScalar::sign", &signing),
        ("storing: SecretScalar::to_be_bytes", &encoding),
    ] {
        let t = largest(times);
        println!("{name:<36} t = {t:>8.2}   {}", meaning(t));
        failed |= t.abs() > BOUND;
    }
    let t = largest(&control);
    println!(
        "{:<36} t = {t:>8.2}   {}",
        "control, leaks on purpose",
        if t.abs() > BOUND { "seen, as it should be" } else { "NOT SEEN" }
    );
    failed |= t.abs() <= BOUND;
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
