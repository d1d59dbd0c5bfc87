//! Feldman commitments of a batch: one row of `t` points for each validator.

use super::codec::{DecodeError, Reader, Writer};
use super::curve::{G1, G1_UNCOMPRESSED, G1Sum, Scalar};
use super::hash::{Digest, Tag, merkle_root, tagged};

/// `rows × t` commitments, row by row, constant term first.
#[derive(Clone, PartialEq, Eq)]
pub struct Commitments {
    t: usize,
    points: Vec<G1>,
}

impl Commitments {
    /// From points in order.
    ///
    /// # Panics
    /// If `t` is zero or does not divide the number of points.
    pub fn new(t: usize, points: Vec<G1>) -> Self {
        assert!(t > 0 && points.len().is_multiple_of(t), "whole rows");
        Self { t, points }
    }

    /// Reads `rows · t` uncompressed points (96 bytes each).
    pub fn read(reader: &mut Reader<'_>, rows: usize, t: usize) -> Result<Self, DecodeError> {
        Ok(Self::new(t, reader.many(rows * t, |r| r.g1("commitment"))?))
    }

    /// Writes the points, uncompressed.
    pub fn write(&self, writer: Writer) -> Writer {
        writer.each(&self.points, |w, point| w.bytes(&point.to_uncompressed()))
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.points.len() / self.t
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The rows, each of `t` points.
    pub fn rows(&self) -> impl Iterator<Item = &[G1]> {
        self.points.chunks_exact(self.t)
    }

    /// Row `v`.
    pub fn row(&self, v: usize) -> &[G1] {
        &self.points[v * self.t..(v + 1) * self.t]
    }

    /// The commitments of the constant terms, one for each row.
    pub fn constants(&self) -> impl Iterator<Item = G1> + '_ {
        self.rows().map(|row| row[0])
    }

    /// Merkle root over the rows; a leaf hashes a row's uncompressed bytes.
    pub fn merkle_root(&self) -> Digest {
        let leaves: Vec<Digest> = self
            .rows()
            .map(|row| {
                let bytes: Vec<u8> = row.iter().flat_map(G1::to_uncompressed).collect();
                debug_assert_eq!(bytes.len(), self.t * G1_UNCOMPRESSED);
                tagged(Tag::Leaf, &[&bytes])
            })
            .collect();
        merkle_root(&leaves)
    }

    /// The sum of several commitments, position by position; `None` if any sum is infinity.
    ///
    /// # Panics
    /// If the shapes differ or there is none.
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut all = all.into_iter();
        let first = all.next().expect("at least one commitment");
        let mut sums: Vec<G1Sum> = first.points.iter().map(|point| G1Sum::from(*point)).collect();
        for other in all {
            assert_eq!((first.t, first.points.len()), (other.t, other.points.len()), "one shape");
            sums.iter_mut().zip(&other.points).for_each(|(sum, point)| sum.add(point));
        }
        Some(Self::new(first.t, G1Sum::finish_all(&sums)?))
    }

    /// `D_k = Σ_v weights[v] · row_v[k]` for each `k`: the batch folded into one row.
    pub fn fold(&self, weights: &[Scalar]) -> Vec<G1Sum> {
        (0..self.t)
            .map(|k| {
                let column: Vec<G1> = self.rows().map(|row| row[k]).collect();
                G1Sum::msm(&column, weights)
            })
            .collect()
    }
}

/// A committed polynomial evaluated at `x` in the exponent: `Σ_k x^k · row[k]`, by Horner's rule.
pub fn evaluate(row: impl DoubleEndedIterator<Item = G1Sum>, x: u64) -> G1Sum {
    row.rev().fold(G1Sum::zero(), |acc, point| {
        let mut next = acc.scaled_u64(x);
        next.add_sum(&point);
        next
    })
}

/// [`evaluate`] for a row of points.
pub fn evaluate_row(row: &[G1], x: u64) -> G1Sum {
    evaluate(row.iter().map(|point| G1Sum::from(*point)), x)
}
