//! Points in affine coordinates, and additions lane by lane with one inversion for all lanes.

/// What the coordinates of points are. Arithmetic is constant time.
pub(in crate::primitives) trait Field:
    Copy + PartialEq + Send + Sync
{
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

/// A point of a curve `y² = x³ + b`, or infinity. The curves of this crate have no point with `y =
/// 0`: their orders are odd.
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

    /// What has to be inverted to add `other`; `None` if nothing has, because a summand or the sum
    /// is infinity.
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

/// `left(i) + right(i)` into `out[i]`, for each of `out`, at most [`CHUNK`]; any inputs.
#[inline]
fn add_chunk<F: Field>(
    left: impl Fn(usize) -> Affine<F>,
    right: impl Fn(usize) -> Affine<F>,
    out: &mut [Affine<F>],
) {
    let mut runs: [F; CHUNK] = [F::zero(); CHUNK];
    let mut before: [F; CHUNK] = [F::zero(); CHUNK];
    let runs = &mut runs[..out.len()];
    let mut product: Option<F> = None;
    let mut special = false;
    for (i, (run, before)) in runs.iter_mut().zip(&mut before).enumerate() {
        let (left, right) = (left(i), right(i));
        special |= left.infinity | right.infinity;
        *run = right.x.sub(&left.x);
        product = Some(match product {
            None => *run,
            Some(product) => {
                *before = product;
                product.mul(run)
            }
        });
    }
    let Some(product) = product else { return };
    if special || product.is_zero() {
        return add_with_care(left, right, out);
    }
    let mut inverse = product.inverse();
    for i in (0..out.len()).rev() {
        let own = if i == 0 { inverse } else { inverse.mul(&before[i]) };
        inverse = inverse.mul(&runs[i]);
        let (left, right) = (left(i), right(i));
        let slope = right.y.sub(&left.y).mul(&own);
        let x = slope.square().sub(&left.x).sub(&right.x);
        out[i] = Affine::new(x, slope.mul(&left.x.sub(&x)).sub(&left.y));
    }
}

/// The same where summands are infinity, equal, or opposite.
#[cold]
fn add_with_care<F: Field>(
    left: impl Fn(usize) -> Affine<F>,
    right: impl Fn(usize) -> Affine<F>,
    out: &mut [Affine<F>],
) {
    let denominators: Vec<Option<F>> =
        (0..out.len()).map(|i| left(i).denominator(&right(i))).collect();
    let mut inverses: Vec<F> = denominators.iter().filter_map(|d| *d).collect();
    invert_all(&mut inverses);
    let mut inverses = inverses.into_iter();
    for (i, denominator) in denominators.into_iter().enumerate() {
        let inverse = denominator.and_then(|_| inverses.next());
        out[i] = left(i).plus(&right(i), inverse);
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

/// `left(i) + right(i)` for each `i` below `count`; any inputs.
pub(super) fn add_many<F: Field>(
    count: usize,
    left: impl Fn(usize) -> Affine<F>,
    right: impl Fn(usize) -> Affine<F>,
) -> Vec<Affine<F>> {
    let mut out = vec![Affine::infinity(); count];
    for (chunk, out) in out.chunks_mut(CHUNK).enumerate() {
        let start = chunk * CHUNK;
        add_chunk(|i| left(start + i), |i| right(start + i), out);
    }
    out
}

/// `lanes[i] += right[i]` for each lane.
pub(super) fn add_to<F: Field>(lanes: &mut [Affine<F>], right: &[Affine<F>]) {
    assert_eq!(lanes.len(), right.len(), "a summand for each lane");
    let sums = add_many(lanes.len(), |i| lanes[i], |i| right[i]);
    lanes.copy_from_slice(&sums);
}

/// `lanes[at] += point` for each `(at, point)`; no lane occurs twice.
pub(super) fn add_at<F: Field>(lanes: &mut [Affine<F>], mut terms: Vec<(usize, Affine<F>)>) {
    // Where nothing is yet, there is nothing to add.
    terms.retain(|(at, point)| {
        let something = !lanes[*at].infinity;
        if !something {
            lanes[*at] = *point;
        }
        something
    });
    let sums = add_many(terms.len(), |i| lanes[terms[i].0], |i| terms[i].1);
    terms.iter().zip(sums).for_each(|((at, _), sum)| lanes[*at] = sum);
}

/// Doubles every lane.
pub(super) fn double<F: Field>(lanes: &mut [Affine<F>]) {
    for lanes in lanes.chunks_mut(CHUNK) {
        // Infinity doubles to itself; no other point has y = 0.
        let mut inverses: Vec<F> =
            lanes.iter().filter(|lane| !lane.infinity).map(|lane| lane.y.double()).collect();
        invert_all(&mut inverses);
        let finite = lanes.iter_mut().filter(|lane| !lane.infinity);
        finite.zip(inverses).for_each(|(lane, inverse)| *lane = lane.plus(lane, Some(inverse)));
    }
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
            add_to(lanes, &base);
        }
    }
}

/// Bytes of points that are thrown into buckets at a time: they are read in the order of the
/// buckets, which is none in memory.
const CACHED: usize = 1 << 20;

/// Where a point falls: into which bucket, and whether as its negative.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) bucket: usize,
    pub(super) negative: bool,
}

impl Place {
    /// The place for a signed digit: the bucket of its size.
    pub(super) fn of_digit(digit: i16) -> Self {
        Self { bucket: usize::from(digit.unsigned_abs()), negative: digit < 0 }
    }
}

/// The sum of the points that fall into each of `buckets`, `place(i)` telling where point `i`
/// falls.
pub(super) fn bucket_sums<F: Field>(
    points: &[Affine<F>],
    place: impl Fn(usize) -> Place,
    buckets: usize,
) -> Vec<Affine<F>> {
    let block = CACHED / size_of::<Affine<F>>();
    let mut blocks = points.chunks(block).enumerate();
    let sums = |(at, points): (usize, &[Affine<F>])| {
        sums_of_block(points, |i| place(at * block + i), buckets)
    };
    let Some(mut total) = blocks.next().map(sums) else { return vec![Affine::infinity(); buckets] };
    blocks.for_each(|block| add_to(&mut total, &sums(block)));
    total
}

fn sums_of_block<F: Field>(
    points: &[Affine<F>],
    place: impl Fn(usize) -> Place,
    buckets: usize,
) -> Vec<Affine<F>> {
    // Points in the order of their buckets; then neighbours of one bucket are added until each has
    // one left.
    let mut counts = vec![0usize; buckets];
    (0..points.len()).for_each(|i| counts[place(i).bucket] += 1);
    let mut next: Vec<usize> =
        counts.iter().scan(0, |end, count| Some(core::mem::replace(end, *end + count))).collect();
    let mut order = vec![(0usize, false); points.len()];
    for i in 0..points.len() {
        let Place { bucket, negative } = place(i);
        order[next[bucket]] = (i, negative);
        next[bucket] += 1;
    }
    let signed =
        |(i, negative): (usize, bool)| if negative { points[i].negated() } else { points[i] };
    let mut sums: Vec<Affine<F>> = vec![Affine::infinity(); buckets];
    let mut both: Vec<[(usize, bool); 2]> = Vec::with_capacity(points.len() / 2);
    let mut start = 0;
    for (count, sum) in counts.iter_mut().zip(&mut sums) {
        let bucket = &order[start..start + *count];
        start += *count;
        let (two, one) = bucket.as_chunks::<2>();
        both.extend(two);
        if let [one] = one {
            *sum = signed(*one);
        }
        *count = two.len();
    }
    let mut row = add_many(both.len(), |i| signed(both[i][0]), |i| signed(both[i][1]));
    // Each round halves what is left of every bucket; what is left over is added to the bucket's
    // own sum.
    let mut pairs: Vec<(usize, usize)> = Vec::with_capacity(row.len() / 2);
    while counts.iter().any(|count| *count > 0) {
        pairs.clear();
        let mut odd = Vec::new();
        let mut start = 0;
        for (bucket, count) in counts.iter_mut().enumerate() {
            pairs.extend((0..*count / 2).map(|pair| (start + 2 * pair, start + 2 * pair + 1)));
            start += *count;
            if *count % 2 == 1 {
                odd.push((bucket, row[start - 1]));
            }
            *count /= 2;
        }
        add_at(&mut sums, odd);
        row = add_many(pairs.len(), |i| row[pairs[i].0], |i| row[pairs[i].1]);
    }
    sums
}
