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

/// `Σ_k x^k · row[k]` for each row of `t` points and each of `xs`, row by row; `None` if a value is
/// infinity.
pub(in crate::primitives) fn evaluate_rows(points: &[G1], t: usize, xs: &[u64]) -> Option<Vec<G1>> {
    let piece = |rows: &[G1]| -> Option<Vec<G1>> {
        let columns: Vec<Vec<Affine<Fp>>> =
            (0..t).map(|k| rows.iter().skip(k).step_by(t).map(G1::affine).collect()).collect();
        let values = evaluate_columns(&columns, xs);
        (0..rows.len() / t)
            .flat_map(|row| values.iter().map(move |value| G1::of_tested(&value[row])))
            .collect()
    };
    let pieces: Option<Vec<Vec<G1>>> = points.par_chunks(ROWS * t).map(piece).collect();
    Some(pieces?.concat())
}

/// A value of every row's polynomial for each of `xs`.
fn evaluate_columns<F: Field>(columns: &[Vec<Affine<F>>], xs: &[u64]) -> Vec<Vec<Affine<F>>> {
    let t = columns.len();
    let in_order = (1u64..).zip(xs).all(|(place, x)| place == *x);
    if !in_order || xs.len() < t {
        return xs.iter().map(|x| horner(columns, *x)).collect();
    }
    // As many values around zero as there are coefficients; then by differences, of which the t-th
    // is zero (Newton).
    let below = (t - 1) / 2;
    let around = around_zero(columns, below);
    let mut values: Vec<Vec<Affine<F>>> = around[below + 1..].to_vec();
    // After step k, `ends[k]` is the last k-th difference.
    let mut ends = Vec::with_capacity(t);
    let mut row = around;
    while let Some(last) = row.last() {
        ends.push(last.clone());
        for i in 0..row.len() - 1 {
            let mut difference = row[i + 1].clone();
            add_to(&mut difference, &negated(&row[i]));
            row[i] = difference;
        }
        row.pop();
    }
    while values.len() < xs.len() {
        for k in (0..t - 1).rev() {
            let (lower, upper) = ends.split_at_mut(k + 1);
            add_to(&mut lower[k], &upper[0]);
        }
        values.push(ends[0].clone());
    }
    values
}

/// The values at `-below ..= t - 1 - below`, which are `t`. The even coefficients' part of a value
/// is that of the opposite place too, the odd ones' its negative.
fn around_zero<F: Field>(columns: &[Vec<Affine<F>>], below: usize) -> Vec<Vec<Affine<F>>> {
    let every_other =
        |from: usize| columns.iter().skip(from).step_by(2).cloned().collect::<Vec<_>>();
    let (even, odd) = (every_other(0), every_other(1));
    let mut values = std::collections::VecDeque::from([columns[0].clone()]);
    for x in 1..=(columns.len() - 1 - below) as u64 {
        let mut value = horner(&even, x * x);
        let mut rest = horner(&odd, x * x);
        multiply(&mut rest, x);
        if x <= below as u64 {
            let mut opposite = value.clone();
            add_to(&mut opposite, &negated(&rest));
            values.push_front(opposite);
        }
        add_to(&mut value, &rest);
        values.push_back(value);
    }
    values.into()
}

fn negated<F: Field>(lanes: &[Affine<F>]) -> Vec<Affine<F>> {
    lanes.iter().map(Affine::negated).collect()
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

/// `Σ_j coefficients[j] · rows[j][position]` for each position; `None` if one is infinity. The rows
/// have one length.
pub(in crate::primitives) fn combine_rows(coefficients: &[i64], rows: &[&[G2]]) -> Option<Vec<G2>> {
    combined(coefficients, rows, G2::affine, G2::of_tested)
}

/// [`combine_rows`] of points of the other group.
pub(in crate::primitives) fn combine_rows_g1(
    coefficients: &[i64],
    rows: &[&[G1]],
) -> Option<Vec<G1>> {
    combined(coefficients, rows, G1::affine, G1::of_tested)
}

fn combined<F: Field, P: Clone + Send + Sync>(
    coefficients: &[i64],
    rows: &[&[P]],
    affine: fn(&P) -> Affine<F>,
    of_tested: fn(&Affine<F>) -> Option<P>,
) -> Option<Vec<P>> {
    let length = rows.first().map_or(0, |row| row.len());
    let bits = coefficients
        .iter()
        .map(|c| u64::BITS - c.unsigned_abs().leading_zeros())
        .max()
        .unwrap_or(0);
    let starts: Vec<usize> = (0..length).step_by(ROWS).collect();
    let piece = |start: &usize| -> Option<Vec<P>> {
        let end = length.min(start + ROWS);
        let mut sum = vec![Affine::infinity(); end - start];
        for bit in (0..bits).rev() {
            double(&mut sum);
            for (coefficient, row) in coefficients.iter().zip(rows) {
                if coefficient.unsigned_abs() >> bit & 1 == 1 {
                    let sign = |point: &P| {
                        let point = affine(point);
                        if *coefficient < 0 { point.negated() } else { point }
                    };
                    add_to(&mut sum, &row[*start..end].iter().map(sign).collect::<Vec<_>>());
                }
            }
        }
        sum.iter().map(of_tested).collect()
    };
    let pieces: Option<Vec<Vec<P>>> = starts.par_iter().map(piece).collect();
    Some(pieces?.concat())
}
