//! Feldman commitments to a batch of polynomials: one row of `t` points for each validator.

use super::codec::{DecodeError, Reader, Writer};
use super::curve::{G1, G1_UNCOMPRESSED, G1Sum, UntestedG1};
use super::hash::{Digest, Tag, merkle_root, tagged};
use super::kernel::{evaluate_rows, sum_vectors, weigh_columns};
use super::lagrange::Weights;

/// `rows × t` commitments, row by row, constant term first.
#[derive(Clone, PartialEq, Eq)]
pub struct Commitments {
    t: usize,
    points: Vec<G1>,
    root: Digest,
}

/// Commitments as they were read: on the curve, and nobody has tested their subgroup yet.
pub struct UntestedCommitments {
    t: usize,
    points: Vec<UntestedG1>,
    root: Digest,
}

/// Merkle root over rows of uncompressed points, `row` bytes each; a leaf hashes a row.
fn root_of(bytes: &[u8], row: usize) -> Digest {
    let leaves: Vec<Digest> =
        bytes.chunks_exact(row).map(|row| tagged(Tag::Leaf, &[row])).collect();
    merkle_root(&leaves)
}

impl UntestedCommitments {
    /// Reads `rows · t` uncompressed points (96 bytes each).
    pub fn read(reader: &mut Reader<'_>, rows: usize, t: usize) -> Result<Self, DecodeError> {
        let what = "commitment";
        let size = rows
            .checked_mul(t * G1_UNCOMPRESSED)
            .ok_or(DecodeError::Short { what, missing: usize::MAX })?;
        let bytes = reader.bytes(what, size)?;
        let (encodings, _) = bytes.as_chunks::<G1_UNCOMPRESSED>();
        let point = |bytes| {
            UntestedG1::from_uncompressed(bytes)
                .map_err(|source| DecodeError::Curve { what, source })
        };
        let points = encodings.iter().map(point).collect::<Result<_, _>>()?;
        Ok(Self { t, points, root: root_of(bytes, t * G1_UNCOMPRESSED) })
    }

    /// The points.
    pub fn points(&self) -> &[UntestedG1] {
        &self.points
    }

    /// Whether these are `known` ones, by their root.
    pub fn are(&self, known: &Commitments) -> bool {
        (self.t, self.points.len(), self.root) == (known.t, known.points.len(), known.root)
    }

    /// With the points that a test has made of [`UntestedCommitments::points`].
    ///
    /// # Panics
    /// If there are not as many.
    pub fn tested(&self, points: Vec<G1>) -> Commitments {
        assert_eq!(points.len(), self.points.len(), "the points that were tested");
        Commitments { t: self.t, points, root: self.root }
    }
}

impl Commitments {
    /// From points in order.
    ///
    /// # Panics
    /// If `t` is zero or does not divide the number of points.
    pub fn new(t: usize, points: Vec<G1>) -> Self {
        assert!(t > 0 && points.len().is_multiple_of(t), "whole rows");
        let bytes: Vec<u8> = points.iter().flat_map(G1::to_uncompressed).collect();
        Self { t, points, root: root_of(&bytes, t * G1_UNCOMPRESSED) }
    }

    /// Writes the points, uncompressed.
    pub fn write(&self, writer: Writer) -> Writer {
        writer.each(&self.points, |w, point| w.bytes(&point.to_uncompressed()))
    }

    /// How many coefficients a row has.
    pub fn t(&self) -> usize {
        self.t
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
        self.root
    }

    /// The sum of several commitments, position by position; `None` if any sum is infinity.
    ///
    /// # Panics
    /// If the shapes differ or there is none.
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let all: Vec<&Self> = all.into_iter().collect();
        let first = all.first().expect("at least one commitment");
        assert!(
            all.iter().all(|one| (one.t, one.points.len()) == (first.t, first.points.len())),
            "one shape"
        );
        let points: Vec<&[G1]> = all.iter().map(|one| one.points.as_slice()).collect();
        Some(Self::new(first.t, sum_vectors(&points)?))
    }

    /// `Σ_i weights[i] · all[i]`, position by position; `None` if any sum is infinity.
    ///
    /// # Panics
    /// If the shapes differ, there is none, or there is not one weight for each.
    pub fn weighed<'a>(all: impl IntoIterator<Item = &'a Self>, weights: &Weights) -> Option<Self> {
        let all: Vec<&Self> = all.into_iter().collect();
        let first = all.first().expect("at least one commitment");
        assert!(
            all.len() == weights.scalars().len()
                && all.iter().all(|one| (one.t, one.points.len()) == (first.t, first.points.len())),
            "one shape, and a weight for each"
        );
        let points: Vec<&[G1]> = all.iter().map(|one| one.points.as_slice()).collect();
        Some(Self::new(first.t, weights.sum(&points)?))
    }

    /// Rows with these constants in front.
    ///
    /// # Panics
    /// If there is not one constant for each row.
    pub fn behind(&self, constants: &[G1]) -> Self {
        assert_eq!(constants.len(), self.len(), "a constant for each row");
        let row = |(constant, row): (&G1, &[G1])| {
            core::iter::once(*constant).chain(row.iter().copied()).collect::<Vec<_>>()
        };
        Self::new(self.t + 1, constants.iter().zip(self.rows()).flat_map(row).collect())
    }

    /// Rows without their constants: what is left of them when everybody knows these.
    ///
    /// # Panics
    /// If rows have constants alone.
    pub fn without_constants(&self) -> Self {
        Self::new(self.t - 1, self.rows().flat_map(|row| row[1..].iter().copied()).collect())
    }

    /// `D_k = Σ_v weights[v] · row_v[k]` for each `k`: the batch folded into one row.
    ///
    /// # Panics
    /// If there is not one weight for each row.
    pub fn fold(&self, weights: &[u128]) -> Vec<G1Sum> {
        let columns: Vec<Vec<G1>> =
            (0..self.t).map(|k| self.rows().map(|row| row[k]).collect()).collect();
        weigh_columns(
            &columns.iter().map(|column| (column.as_slice(), weights)).collect::<Vec<_>>(),
        )
    }

    /// Every row's polynomial at each of `xs`, row by row: `Σ_k x^k · row[k]`. `None` if a value is
    /// infinity.
    pub fn evaluate(&self, xs: &[u64]) -> Option<Vec<G1>> {
        evaluate_rows(&self.points, self.t, xs)
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
