//! Sums, evaluations and combinations of rows of points, lane by lane over all validators.

use rayon::prelude::*;

use crate::primitives::curve::{Fp, G1, G2};

use super::lanes::{Affine, Field, add_to, double, multiply};

/// Rows worked on at a time, by one processor.
const ROWS: usize = 512;

/// `Σ vectors[i][position]` for each position; `None` if a sum is infinity.
pub(in crate::primitives) fn sum_vectors(vectors: &[&[G1]]) -> Option<Vec<G1>> {
    let (first, others) = vectors.split_first()?;
    let starts: Vec<usize> = (0..first.len()).step_by(ROWS).collect();
    let piece = |start: &usize| -> Option<Vec<G1>> {
        let end = first.len().min(start + ROWS);
        let lanes_of = |points: &[G1]| points.iter().map(G1::affine).collect::<Vec<_>>();
        let mut lanes: Vec<Affine<Fp>> = lanes_of(&first[*start..end]);
        others.iter().for_each(|other| add_to(&mut lanes, &lanes_of(&other[*start..end])));
        lanes.iter().map(G1::of_tested).collect()
    };
    let pieces: Option<Vec<Vec<G1>>> = starts.par_iter().map(piece).collect();
    Some(pieces?.concat())
}

/// `Σ_k x^k · row[k]` for each row of `t` points and each of `xs`, row by row; `None` if a value is infinity.
pub(in crate::primitives) fn evaluate_rows(points: &[G1], t: usize, xs: &[u64]) -> Option<Vec<G1>> {
    let piece = |rows: &[G1]| -> Option<Vec<G1>> {
        let columns: Vec<Vec<Affine<Fp>>> = (0..t).map(|k| rows.iter().skip(k).step_by(t).map(G1::affine).collect()).collect();
        let values = evaluate_columns(&columns, xs);
        (0..rows.len() / t).flat_map(|row| values.iter().map(move |value| G1::of_tested(&value[row]))).collect()
    };
    let pieces: Option<Vec<Vec<G1>>> = points.par_chunks(ROWS * t).map(piece).collect();
    Some(pieces?.concat())
}

/// A value of every row's polynomial for each of `xs`.
fn evaluate_columns<F: Field>(columns: &[Vec<Affine<F>>], xs: &[u64]) -> Vec<Vec<Affine<F>>> {
    let t = columns.len();
    let successive = xs.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    if !successive || xs.len() <= t {
        return xs.iter().map(|x| horner(columns, *x)).collect();
    }
    // The first t values; then by differences, of which the t-th of a polynomial with t coefficients is zero (Newton).
    let mut values: Vec<Vec<Affine<F>>> = xs[..t].iter().map(|x| horner(columns, *x)).collect();
    // After step k, `ends[k]` is the last k-th difference.
    let mut ends = Vec::with_capacity(t);
    let mut row = values.clone();
    while let Some(last) = row.last() {
        ends.push(last.clone());
        for i in 0..row.len() - 1 {
            let mut difference = row[i + 1].clone();
            add_to(&mut difference, &row[i].iter().map(Affine::negated).collect::<Vec<_>>());
            row[i] = difference;
        }
        row.pop();
    }
    for _ in t..xs.len() {
        for k in (0..t - 1).rev() {
            let (lower, upper) = ends.split_at_mut(k + 1);
            add_to(&mut lower[k], &upper[0]);
        }
        values.push(ends[0].clone());
    }
    values
}

fn horner<F: Field>(columns: &[Vec<Affine<F>>], x: u64) -> Vec<Affine<F>> {
    let (last, others) = columns.split_last().expect("a polynomial has a coefficient");
    let mut value = last.clone();
    for column in others.iter().rev() {
        multiply(&mut value, x);
        add_to(&mut value, column);
    }
    value
}

/// `Σ_j coefficients[j] · rows[j][position]` for each position; `None` if one is infinity. The rows have one length.
pub(in crate::primitives) fn combine_rows(coefficients: &[i64], rows: &[&[G2]]) -> Option<Vec<G2>> {
    let length = rows.first().map_or(0, |row| row.len());
    let bits = coefficients.iter().map(|c| u64::BITS - c.unsigned_abs().leading_zeros()).max().unwrap_or(0);
    let starts: Vec<usize> = (0..length).step_by(ROWS).collect();
    let piece = |start: &usize| -> Option<Vec<G2>> {
        let end = length.min(start + ROWS);
        let mut sum = vec![Affine::infinity(); end - start];
        for bit in (0..bits).rev() {
            double(&mut sum);
            for (coefficient, row) in coefficients.iter().zip(rows) {
                if coefficient.unsigned_abs() >> bit & 1 == 1 {
                    let sign = |point: &G2| if *coefficient < 0 { point.affine().negated() } else { point.affine() };
                    add_to(&mut sum, &row[*start..end].iter().map(sign).collect::<Vec<_>>());
                }
            }
        }
        sum.iter().map(G2::of_tested).collect()
    };
    let pieces: Option<Vec<Vec<G2>>> = starts.par_iter().map(piece).collect();
    Some(pieces?.concat())
}
