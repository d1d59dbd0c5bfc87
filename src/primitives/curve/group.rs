//! What G1 and G2 share, written once: decoding with its tests, sums and products.

/// Gives a group its points, untested points and sums. Where it is called, `fmt`, `Affine`,
/// `DecodeError`, `Scalar` and `remember` are in scope.
macro_rules! group {
    ($point:ident, $untested:ident, $sum:ident, $field:ident, $affine:ident, $jacobian:ident,
     $size:ident, $full:ident, $name:literal) => {
        impl $point {
            /// From the compressed encoding: length and flags, range, curve, not infinity,
            /// subgroup.
            pub fn from_compressed(bytes: &[u8; $size]) -> Result<Self, DecodeError> {
                // Flag bits: 0x80 compressed, 0x40 infinity, 0x20 sign of y.
                if bytes[0] & 0x80 == 0 {
                    return Err(DecodeError::NotCanonical);
                }
                if bytes[0] & 0x40 != 0 {
                    return Err(DecodeError::Infinity);
                }
                remember(
                    stringify!($point),
                    || bytes.to_vec(),
                    || $untested($affine::from_compressed(bytes)?).test(),
                )
            }

            /// The compressed encoding.
            pub fn to_compressed(&self) -> [u8; $size] {
                self.0.compressed()
            }

            /// From the uncompressed encoding (x ‖ y, no flag bit set): range, curve, not infinity,
            /// subgroup.
            pub fn from_uncompressed(bytes: &[u8; $full]) -> Result<Self, DecodeError> {
                let point = $untested::from_uncompressed(bytes)?;
                remember(concat!($name, " uncompressed"), || bytes.to_vec(), || point.test())
            }

            /// The uncompressed encoding.
            pub fn to_uncompressed(&self) -> [u8; $full] {
                self.0.uncompressed()
            }

            /// The point as the curve library has it.
            pub(super) fn raw(&self) -> &$affine {
                &self.0
            }

            /// The point as arithmetic over many points at once has it.
            pub(in crate::primitives) fn affine(&self) -> Affine<$field> {
                $untested(self.0).affine()
            }

            /// A sum of points that were tested; `None` for infinity.
            pub(in crate::primitives) fn of_tested(sum: &Affine<$field>) -> Option<Self> {
                sum.coordinates().map(|(x, y)| Self($affine::from_coordinates(x, y)))
            }
        }

        impl $untested {
            /// From the uncompressed encoding (x ‖ y, no flag bit set): range, curve, not infinity.
            pub fn from_uncompressed(bytes: &[u8; $full]) -> Result<Self, DecodeError> {
                // With a flag set the library would read another encoding from the same bytes.
                match bytes[0] & 0xe0 {
                    0x00 => $affine::from_uncompressed(bytes).map(Self),
                    0x40 => Err(DecodeError::Infinity),
                    _ => Err(DecodeError::NotCanonical),
                }
            }

            /// The exact test of the subgroup (Scott, ePrint 2021/1130).
            pub fn test(&self) -> Result<$point, DecodeError> {
                match self.0.is_in_subgroup() {
                    true => Ok($point(self.0)),
                    false => Err(DecodeError::NotInSubgroup),
                }
            }

            /// The point, which is in the subgroup by a test over many points at once.
            pub(in crate::primitives) fn tested_otherwise(&self) -> $point {
                $point(self.0)
            }

            /// The point as arithmetic over many points at once has it.
            pub(in crate::primitives) fn affine(&self) -> Affine<$field> {
                let (x, y) = self.0.coordinates();
                Affine::new(x, y)
            }

            /// Whether a sum of points of the curve is in the subgroup, by the exact test. Infinity
            /// is.
            pub(in crate::primitives) fn sum_is_in_subgroup(sum: &Affine<$field>) -> bool {
                sum.coordinates()
                    .is_none_or(|(x, y)| $affine::from_coordinates(x, y).is_in_subgroup())
            }
        }

        impl fmt::Debug for $point {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($name, "({})"), hex::encode(self.to_compressed()))
            }
        }

        impl From<$point> for $sum {
            fn from(point: $point) -> Self {
                Self(point.0.jacobian())
            }
        }

        impl $sum {
            /// A sum as the curve library has it.
            pub(super) fn from_raw(raw: $jacobian) -> Self {
                Self(raw)
            }

            /// Infinity, to sum into.
            pub fn zero() -> Self {
                Self($jacobian::infinity())
            }

            /// Adds a point; any two inputs, equal ones and opposites included.
            pub fn add(&mut self, point: &$point) {
                self.0 = self.0.plus_affine(&point.0);
            }

            /// Adds a sum.
            pub fn add_sum(&mut self, other: &Self) {
                self.0 = self.0.plus(&other.0);
            }

            /// The negative.
            pub fn negated(&self) -> Self {
                Self(self.0.negated())
            }

            /// `factor · self`, for a public factor.
            pub fn scaled(&self, factor: &Scalar) -> Self {
                Self(self.0.times(&factor.raw().scalar().b, 255))
            }

            /// `factor · self`, in time that grows with the length of the public factor.
            pub fn scaled_u64(&self, factor: u64) -> Self {
                let bits = 64 - usize::try_from(factor.leading_zeros()).expect("at most 64");
                Self(self.0.times(&factor.to_le_bytes(), bits.max(1)))
            }

            /// Whether this is infinity.
            pub fn is_infinity(&self) -> bool {
                self.0.is_infinity()
            }

            /// The sum as a point; `None` for infinity.
            pub fn finish(&self) -> Option<$point> {
                if self.is_infinity() { None } else { Some($point(self.0.affine())) }
            }

            /// Many sums as points with one inversion; `None` if any of them is infinity.
            pub fn finish_all(sums: &[Self]) -> Option<Vec<$point>> {
                if sums.is_empty() {
                    return Some(Vec::new());
                }
                if sums.iter().any(Self::is_infinity) {
                    return None;
                }
                let points = $jacobian::all_to_affine(sums.iter().map(|sum| &sum.0));
                Some(points.into_iter().map($point).collect())
            }

            /// `Σ scalars[i] · points[i]` (Pippenger). Variable time: public inputs only.
            ///
            /// # Panics
            /// If the slices differ in length.
            pub fn msm(points: &[$point], scalars: &[Scalar]) -> Self {
                assert_eq!(points.len(), scalars.len(), "one scalar for each point");
                let question = || {
                    let term = |(point, scalar): (&$point, &Scalar)| {
                        [&point.to_compressed()[..], &scalar.to_be_bytes()].concat()
                    };
                    points.iter().zip(scalars).flat_map(term).collect()
                };
                remember(stringify!($sum), question, || Self::sum_of_products(points, scalars))
            }

            fn sum_of_products(points: &[$point], scalars: &[Scalar]) -> Self {
                // The library's routine needs a fair number of points, and hangs or panics on none.
                if points.len() < 8 {
                    let mut total = Self::zero();
                    for (point, scalar) in points.iter().zip(scalars) {
                        total.add_sum(&Self::from(*point).scaled(scalar));
                    }
                    return total;
                }
                let terms = points.iter().zip(scalars);
                Self($jacobian::msm(terms.map(|(point, scalar)| (&point.0, scalar.raw()))))
            }
        }
    };
}
pub(super) use group;
