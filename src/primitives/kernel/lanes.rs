//! Points in affine coordinates, and additions lane by lane with one inversion for all lanes.

/// What the coordinates of points are. Arithmetic is constant time.
pub(in crate::primitives) trait Field: Copy + PartialEq + Send + Sync {
    /// Zero.
    fn zero() -> Self;
    /// The sum.
    fn add(&self, other: &Self) -> Self;
    /// The difference.
    fn sub(&self, other: &Self) -> Self;
    /// The product.
    fn mul(&self, other: &Self) -> Self;
    /// The square.
    fn square(&self) -> Self;
    /// The inverse; zero for zero.
    fn inverse(&self) -> Self;

    /// Whether this is zero.
    fn is_zero(&self) -> bool {
        *self == Self::zero()
    }

    /// The double.
    fn double(&self) -> Self {
        self.add(self)
    }

    /// The negative.
    fn negated(&self) -> Self {
        Self::zero().sub(self)
    }
}

/// A point of a curve `y² = x³ + b`, or infinity. The curves of this crate have no point with `y = 0`: their orders are odd.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::primitives) struct Affine<F> {
    pub(super) x: F,
    pub(super) y: F,
    infinity: bool,
}

/// Lanes that share an inversion: enough that it does not count, few enough for the cache.
pub(super) const CHUNK: usize = 512;

impl<F: Field> Affine<F> {
    /// The point with these coordinates, which satisfy the equation.
    pub(in crate::primitives) fn new(x: F, y: F) -> Self {
        Self { x, y, infinity: false }
    }

    pub(super) fn infinity() -> Self {
        Self { x: F::zero(), y: F::zero(), infinity: true }
    }

    /// The coordinates; `None` for infinity.
    pub(in crate::primitives) fn coordinates(&self) -> Option<(F, F)> {
        (!self.infinity).then_some((self.x, self.y))
    }

    pub(super) fn negated(&self) -> Self {
        Self { x: self.x, y: self.y.negated(), infinity: self.infinity }
    }

    /// What has to be inverted to add `other`; `None` if nothing has, because a summand or the sum is infinity.
    fn denominator(&self, other: &Self) -> Option<F> {
        if self.infinity || other.infinity {
            return None;
        }
        let run = other.x.sub(&self.x);
        match (run.is_zero(), self.y == other.y) {
            (false, _) => Some(run),
            (true, true) => Some(self.y.double()),
            (true, false) => None,
        }
    }

    /// The sum, given the inverse of the denominator.
    fn plus(&self, other: &Self, inverse: Option<F>) -> Self {
        let Some(inverse) = inverse else {
            return match (self.infinity, other.infinity) {
                (true, _) => *other,
                (_, true) => *self,
                _ => Self::infinity(),
            };
        };
        let rise = if self.x == other.x {
            let square = self.x.square();
            square.double().add(&square)
        } else {
            other.y.sub(&self.y)
        };
        let slope = rise.mul(&inverse);
        let x = slope.square().sub(&self.x).sub(&other.x);
        Self::new(x, slope.mul(&self.x.sub(&x)).sub(&self.y))
    }
}

/// Inverts all of `values` in place; none is zero.
pub(super) fn invert_all<F: Field>(values: &mut [F]) {
    let Some((first, rest)) = values.split_first() else { return };
    let mut product = *first;
    let mut before = Vec::with_capacity(rest.len());
    for value in rest {
        before.push(product);
        product = product.mul(value);
    }
    let mut inverse = product.inverse();
    for (value, before) in values[1..].iter_mut().zip(before).rev() {
        let own = inverse.mul(&before);
        inverse = inverse.mul(value);
        *value = own;
    }
    values[0] = inverse;
}

/// `left[i] + right[i]` for each pair; any inputs.
pub(super) fn add_pairs<F: Field>(pairs: &[(Affine<F>, Affine<F>)], out: &mut Vec<Affine<F>>) {
    for pairs in pairs.chunks(CHUNK) {
        let denominators: Vec<Option<F>> = pairs.iter().map(|(left, right)| left.denominator(right)).collect();
        let mut inverses: Vec<F> = denominators.iter().filter_map(|d| *d).collect();
        invert_all(&mut inverses);
        let mut inverses = inverses.into_iter();
        let inverse_of = |d: Option<F>| d.and_then(|_| inverses.next());
        let inverses: Vec<Option<F>> = denominators.into_iter().map(inverse_of).collect();
        out.extend(pairs.iter().zip(inverses).map(|((left, right), inverse)| left.plus(right, inverse)));
    }
}

/// `lanes[i] += right[i]` for each lane.
pub(super) fn add_to<F: Field>(lanes: &mut [Affine<F>], right: impl Iterator<Item = Affine<F>>) {
    let pairs: Vec<_> = lanes.iter().copied().zip(right).collect();
    let mut sums = Vec::with_capacity(pairs.len());
    add_pairs(&pairs, &mut sums);
    lanes[..sums.len()].copy_from_slice(&sums);
}

/// `lanes[at] += point` for each `(at, point)`; no lane occurs twice.
pub(super) fn add_at<F: Field>(lanes: &mut [Affine<F>], terms: &[(usize, Affine<F>)]) {
    let pairs: Vec<_> = terms.iter().map(|(at, point)| (lanes[*at], *point)).collect();
    let mut sums = Vec::with_capacity(pairs.len());
    add_pairs(&pairs, &mut sums);
    terms.iter().zip(sums).for_each(|((at, _), sum)| lanes[*at] = sum);
}

/// Doubles every lane.
pub(super) fn double<F: Field>(lanes: &mut [Affine<F>]) {
    let pairs: Vec<_> = lanes.iter().map(|lane| (*lane, *lane)).collect();
    let mut sums = Vec::with_capacity(pairs.len());
    add_pairs(&pairs, &mut sums);
    lanes.copy_from_slice(&sums);
}

/// `factor · lane` for every lane, for a small factor.
pub(super) fn multiply<F: Field>(lanes: &mut [Affine<F>], factor: u64) {
    if factor == 0 {
        lanes.fill(Affine::infinity());
        return;
    }
    let base = lanes.to_vec();
    for bit in (0..63 - factor.leading_zeros()).rev() {
        double(lanes);
        if factor >> bit & 1 == 1 {
            add_to(lanes, base.iter().copied());
        }
    }
}

/// The sum of the points that fall into each of `buckets`, `place(i)` telling where point `i` falls.
pub(super) fn bucket_sums<F: Field>(points: &[Affine<F>], place: impl Fn(usize) -> usize, buckets: usize) -> Vec<Affine<F>> {
    // Points in the order of their buckets; then neighbours of one bucket are added until each has one left.
    let mut counts = vec![0usize; buckets];
    (0..points.len()).for_each(|i| counts[place(i)] += 1);
    let mut next: Vec<usize> = counts.iter().scan(0, |end, count| Some(core::mem::replace(end, *end + count))).collect();
    let mut order = vec![0usize; points.len()];
    for i in 0..points.len() {
        let at = &mut next[place(i)];
        order[*at] = i;
        *at += 1;
    }
    let mut row: Vec<Affine<F>> = Vec::with_capacity(points.len().div_ceil(2) + buckets);
    let mut pairs = Vec::with_capacity(points.len() / 2);
    let mut rest: Vec<Option<Affine<F>>> = Vec::with_capacity(buckets);
    let mut start = 0;
    for count in &mut counts {
        let bucket = &order[start..start + *count];
        start += *count;
        let (two, one) = bucket.as_chunks::<2>();
        pairs.extend(two.iter().map(|[a, b]| (points[*a], points[*b])));
        rest.push(one.first().map(|i| points[*i]));
        *count = two.len();
    }
    add_pairs(&pairs, &mut row);
    let mut sums = rest;
    // Each round halves what is left of every bucket; what is left over is added to the bucket's own sum.
    while counts.iter().any(|count| *count > 0) {
        pairs.clear();
        let mut odd = Vec::new();
        let mut start = 0;
        for (bucket, count) in counts.iter_mut().enumerate() {
            let (two, one) = row[start..start + *count].as_chunks::<2>();
            start += *count;
            pairs.extend(two.iter().map(|[a, b]| (*a, *b)));
            if let [one] = one {
                odd.push((bucket, *one));
            }
            *count = two.len();
        }
        let mut halved = Vec::with_capacity(pairs.len());
        add_pairs(&pairs, &mut halved);
        row = halved;
        let sum = |bucket: usize| sums[bucket].unwrap_or_else(Affine::infinity);
        let joined: Vec<_> = odd.iter().map(|(bucket, point)| (sum(*bucket), *point)).collect();
        let mut added = Vec::with_capacity(joined.len());
        add_pairs(&joined, &mut added);
        odd.iter().zip(added).for_each(|((bucket, _), sum)| sums[*bucket] = Some(sum));
    }
    sums.into_iter().map(|sum| sum.unwrap_or_else(Affine::infinity)).collect()
}
