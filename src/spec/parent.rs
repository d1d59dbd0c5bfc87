//! What a reshare takes from its parent: the rows of summed commitments, from which the public
//! share of every dealer follows. They are not agreed upon but compared: their root is. In an
//! import a row is the key, which the spec has.

use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::commitment::{Commitments, UntestedCommitments};
use crate::primitives::curve::{
    DecodeError as CurveError, G1, G1_UNCOMPRESSED, G1Sum, Scalar, UntestedG1,
};
use crate::primitives::lagrange::{Weights, coefficients_at};

use super::error::Place;
use super::kind::Parts;
use super::reshare::{Inherited, Origin, ReshareError, ReshareSpec};
use super::seats::Seats;
use super::threshold::Index;

/// Why rows are not those of the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParentError {
    /// Rows for a ceremony that makes keys.
    #[error("this ceremony has no parent")]
    NotAReshare,
    /// Another root than the ceremony file has.
    #[error("these are not the keys of the parent that the ceremony file names: the roots differ")]
    Root,
    /// A row of another length than the parent's threshold.
    #[error("the parent's rows have {found} points; its threshold is {expected}")]
    Threshold {
        /// The parent's threshold.
        expected: usize,
        /// Points of a row.
        found: usize,
    },
    /// Another number of rows than the reshare has validators.
    #[error("{found} rows of the parent for {expected} validators")]
    Count {
        /// The validators.
        expected: usize,
        /// The rows.
        found: usize,
    },
    /// A row of another key.
    #[error("validator {}: its key is not the one that the parent has there", .validator + 1)]
    Validator {
        /// The position in the reshare, from 0.
        validator: usize,
    },
    /// The dealers' public shares do not give the key.
    #[error("the dealers' shares do not make the validators' keys")]
    Keys,
}

/// Bytes of the rows of a parent in a file, each point uncompressed. An import has none.
pub fn rows_bytes(spec: &ReshareSpec) -> usize {
    let required = |_| spec.origin.required();
    spec.validators.len() * spec.origin.parent().map_or(0, required) * G1_UNCOMPRESSED
}

/// Reads the rows of a parent from a file; every point is tested by itself.
pub fn read_rows(r: &mut Reader<'_>, spec: &ReshareSpec) -> Result<Commitments, DecodeError> {
    let required = spec.origin.required();
    let read = UntestedCommitments::read(r, spec.validators.len(), required)?;
    let points: Result<Vec<G1>, CurveError> = read.points().iter().map(UntestedG1::test).collect();
    let what = "row of the parent";
    Ok(read.tested(points.map_err(|source| DecodeError::Curve { what, source })?))
}

/// Writes rows as [`read_rows`] reads them.
pub fn write_rows(w: Writer, shares: &ParentShares) -> Writer {
    shares.rows.write(w)
}

impl core::fmt::Debug for ParentShares {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ParentShares").field("rows", &self.rows.merkle_root()).finish()
    }
}

/// The public shares of the dealers, with what they came from.
#[derive(Clone)]
pub struct ParentShares {
    rows: Commitments,
    dealers: Seats,
    /// By dealer, then by validator.
    shares: Vec<Vec<G1>>,
    witnesses: Seats,
    /// By witness, then by validator.
    witnessed: Vec<Vec<G1>>,
    weights: Weights,
    /// Of a repair: by helper, its Lagrange coefficient at the point of the lost share.
    at_lost: Option<Vec<Scalar>>,
}

impl ParentShares {
    /// From the parent's rows of the validators that are dealt anew, compared with what is agreed.
    pub fn new(spec: &ReshareSpec, rows: Commitments) -> Result<Self, ParentError> {
        let (required, validators) = (spec.origin.required(), &spec.validators);
        if rows.t() != required {
            return Err(ParentError::Threshold { expected: required, found: rows.t() });
        }
        if rows.len() != validators.len() {
            return Err(ParentError::Count { expected: validators.len(), found: rows.len() });
        }
        if spec.origin.parent().is_some_and(|parent| rows.merkle_root() != parent.rows) {
            return Err(ParentError::Root);
        }
        let other = rows
            .constants()
            .zip(validators)
            .position(|(key, inherited)| key.to_compressed() != inherited.key);
        if let Some(validator) = other {
            return Err(ParentError::Validator { validator });
        }
        let points = spec.dealer_points();
        let weights = Weights::at_zero(&points).ok_or(ParentError::Keys)?;
        let at = |point: &u64| rows.evaluate(core::slice::from_ref(point));
        let all = |points: &[u64]| -> Option<Vec<Vec<G1>>> { points.iter().map(at).collect() };
        let shares = all(&points).ok_or(ParentError::Keys)?;
        let witnessed = spec.seats.iter().filter_map(|part| Some(part.witnesses?.point));
        let witnessed = all(&witnessed.collect::<Vec<_>>()).ok_or(ParentError::Keys)?;
        // Fewer dealers than the parent's threshold have other keys between them.
        let columns: Vec<&[G1]> = shares.iter().map(Vec::as_slice).collect();
        let keys = weights.sum(&columns).ok_or(ParentError::Keys)?;
        if !keys.into_iter().eq(rows.constants()) {
            return Err(ParentError::Keys);
        }
        let at_lost = match spec.regained {
            None => None,
            Some(lost) => Some(coefficients_at(lost.point, &points).ok_or(ParentError::Keys)?),
        };
        let Parts { dealers, witnesses, .. } = spec.parts();
        Ok(Self { rows, dealers, shares, witnesses, witnessed, weights, at_lost })
    }

    /// Of an import: the keys themselves. `None` of a reshare, whose parent has them.
    ///
    /// # Errors
    /// Bytes that are no key: a point of the subgroup that is not infinity.
    pub(super) fn of_keys(spec: &ReshareSpec) -> Result<Option<Self>, ReshareError> {
        if spec.origin != Origin::Keys {
            return Ok(None);
        }
        let key = |(at, inherited): (usize, &Inherited)| {
            let place = Place::validator(at, "keys");
            G1::from_compressed(&inherited.key)
                .map_err(|source| ReshareError::NotAKey { place, source })
        };
        let keys: Vec<G1> =
            spec.validators.iter().enumerate().map(key).collect::<Result<_, _>>()?;
        let dealers = spec.parts().dealers;
        let weights = Weights::at_zero(&spec.dealer_points()).expect("one dealer at point 1");
        let (rows, shares) = (Commitments::new(1, keys.clone()), vec![keys]);
        let (witnesses, witnessed, at_lost) = (Seats::default(), Vec::new(), None);
        Ok(Some(Self { rows, dealers, shares, witnesses, witnessed, weights, at_lost }))
    }

    /// The parent's rows of the validators that are dealt anew.
    pub fn rows(&self) -> &Commitments {
        &self.rows
    }

    /// The public shares of `dealer`, by validator of the reshare; `None` if it is none.
    pub fn of(&self, dealer: Index) -> Option<&[G1]> {
        self.shares.get(self.dealers.place(dealer)?).map(Vec::as_slice)
    }

    /// The public shares, by validator, that `seat` stops: those that it deals, or of a witness
    /// those that it holds. `None` if it is neither.
    pub fn stopped_by(&self, seat: Index) -> Option<&[G1]> {
        let witnessed = || self.witnessed.get(self.witnesses.place(seat)?).map(Vec::as_slice);
        self.of(seat).or_else(witnessed)
    }

    /// All of them, of the dealers.
    pub fn all(&self) -> impl Iterator<Item = G1> + '_ {
        self.shares.iter().flatten().copied()
    }

    /// The Lagrange coefficients at zero of the dealers' points in the parent, by index.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// What the dealers' polynomials add up to, each weighed by its dealer's Lagrange coefficient
    /// at zero: from what they have sent, by index. Constants are the keys, as this has found when
    /// it was made. `None` if a sum is infinity.
    pub fn add_up<'a>(
        &self,
        sent: impl IntoIterator<Item = &'a Commitments>,
    ) -> Option<Commitments> {
        let keys: Vec<G1> = self.rows.constants().collect();
        Some(Commitments::weighed(sent, &self.weights)?.behind(&keys))
    }

    /// The Lagrange coefficient of one dealer; `None` if it is none.
    pub fn weight(&self, dealer: Index) -> Option<&Scalar> {
        self.weights.scalars().get(self.dealers.place(dealer)?)
    }

    /// In a repair, by which number a helper's share counts for the one that was lost: its Lagrange
    /// coefficient there. `None` in a reshare, or if it is no helper.
    pub fn weight_at_lost(&self, helper: Index) -> Option<&Scalar> {
        self.at_lost.as_ref()?.get(self.dealers.place(helper)?)
    }

    /// In a repair, what `helper` has to send for validator `v`, in the exponent, with these masks,
    /// a row for each validator: what its share counts for the lost one, and its masks, of which
    /// those with lower helpers are taken away. `None` if that is infinity, or as for
    /// [`Self::weight_at_lost`].
    pub fn masked_at_lost(&self, helper: Index, masks: &Commitments, v: usize) -> Option<G1> {
        let share = self.of(helper)?.get(v)?;
        let mut sum = G1Sum::from(*share).scaled(self.weight_at_lost(helper)?);
        for (other, point) in self.dealers.without(helper).iter().zip(masks.row(v)) {
            let point = G1Sum::from(*point);
            sum.add_sum(&if helper < other { point } else { point.negated() });
        }
        sum.finish()
    }

    /// What a dealer has sent, with its public shares as constant terms; `None` if it is no dealer.
    pub fn complete(&self, dealer: Index, sent: &Commitments) -> Option<Commitments> {
        Some(sent.behind(self.of(dealer)?))
    }
}
