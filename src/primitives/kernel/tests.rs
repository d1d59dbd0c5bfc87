//! Tests of every function against its point-by-point twin.
#![allow(clippy::unwrap_used)]

use super::lanes::{Affine, Field, Place, add_many, bucket_sums, double, invert_all};
use super::*;
use crate::primitives::curve::{
    Fp, G1, G1Sum, G2, G2Sum, Scalar, SecretScalar, UntestedG1, UntestedG2,
};
use crate::primitives::hash::{Digest, Tag, scalar, secret_scalar, weight};

fn number(i: usize) -> Scalar {
    scalar(Tag::Rho, &[&i.to_be_bytes()])
}

fn secret(i: usize) -> SecretScalar {
    secret_scalar(Tag::Rho, &[&i.to_be_bytes()])
}

fn some_g1(count: usize) -> Vec<G1> {
    (0..count).map(|i| secret(i).base_mult().unwrap()).collect()
}

fn some_g2(count: usize) -> Vec<G2> {
    let point = G2::hash(b"some", b"test");
    (0..count).map(|i| secret(i).sign(&point).unwrap()).collect()
}

/// Points that were never tested, made of tested ones without much ado.
fn untested_g1(points: &[G1]) -> Vec<UntestedG1> {
    points
        .iter()
        .map(|point| UntestedG1::from_uncompressed(&point.to_uncompressed()).unwrap())
        .collect()
}

fn untested_g2(points: &[G2]) -> Vec<UntestedG2> {
    points
        .iter()
        .map(|point| UntestedG2::from_uncompressed(&point.to_uncompressed()).unwrap())
        .collect()
}

/// `(0, 2)`, of order 3. Alone the decoder would know it.
fn order_three() -> Affine<Fp> {
    let mut two = [0; 48];
    two[47] = 2;
    Affine::new(Fp::zero(), Fp::from_be_bytes(&two))
}

fn sum_of(left: Affine<Fp>, right: Affine<Fp>) -> Affine<Fp> {
    add_many(1, |_| left, |_| right)[0]
}

/// With something of order 3 added: on the curve, outside the subgroup.
fn tainted(point: &UntestedG1, by: Affine<Fp>) -> UntestedG1 {
    // Only to spell it.
    let spelled = G1::of_tested(&sum_of(point.affine(), by)).unwrap().to_uncompressed();
    UntestedG1::from_uncompressed(&spelled).unwrap()
}

/// A point of G2's curve with `x = 2`, outside the subgroup.
fn outside_g2() -> UntestedG2 {
    let y = [
        "172e93db764a8400a7d5071b6b6f5de0da2f0f4a063119abca014006b7c40a2cfe291a1924e65db0d6d0fcfbf3bf3d5c",
        "18c6b864ae17dc9da64203ffefb966306425a7bc6aeb7c75247438372716284a4173830420cd476ba1a365b95bfcec38",
    ];
    let mut bytes = [0; 192];
    bytes[95] = 2;
    hex::decode_to_slice(y.concat(), &mut bytes[96..]).unwrap();
    let point = UntestedG2::from_uncompressed(&bytes).unwrap();
    assert!(point.test().is_err());
    point
}

#[test]
fn additions_of_all_kinds_are_those_of_the_library() {
    let points = some_g1(5);
    let [a, b] = [points[0].affine(), points[1].affine()];
    let infinity = Affine::infinity();
    let pairs = [
        (a, b),
        (a, a),
        (a, a.negated()),
        (infinity, a),
        (a, infinity),
        (infinity, infinity),
        (b, a),
    ];
    let sums = add_many(pairs.len(), |i| pairs[i].0, |i| pairs[i].1);
    for ((left, right), sum) in pairs.iter().zip(&sums) {
        let mut expected = G1Sum::of_tested(left);
        expected.add_sum(&G1Sum::of_tested(right));
        assert!(G1Sum::of_tested(sum) == expected);
    }
    // The way without care, and doubling.
    let lanes: Vec<_> = points.iter().map(G1::affine).collect();
    for (i, sum) in add_many(4, |i| lanes[i], |i| lanes[i + 1]).iter().enumerate() {
        let mut expected = G1Sum::from(points[i]);
        expected.add(&points[i + 1]);
        assert!(G1Sum::of_tested(sum) == expected);
    }
    let mut twice = [lanes[0], infinity, lanes[1]];
    double(&mut twice);
    assert!(twice[1].coordinates().is_none());
    assert!(G1Sum::of_tested(&twice[0]) == G1Sum::from(points[0]).scaled_u64(2));
    assert!(G1Sum::of_tested(&twice[2]) == G1Sum::from(points[1]).scaled_u64(2));
    let mut values: Vec<Fp> =
        points.iter().map(|point| point.affine().coordinates().unwrap().0).collect();
    let before = values.clone();
    invert_all(&mut values);
    let one = values[0].mul(&before[0]);
    assert!(
        values.iter().zip(&before).all(|(inverse, value)| inverse.mul(value) == one)
            && one.square() == one
    );
    invert_all::<Fp>(&mut []);
}

#[test]
fn buckets_hold_the_sums_of_what_falls_into_them() {
    let points = some_g1(100);
    let lanes: Vec<_> = points.iter().map(G1::affine).collect();
    // Of all sizes, one with a point and its negative, and empty ones.
    for place in [|i: usize| i * i % 13, |i| usize::from(i == 7), |i| i / 2] {
        let sums = bucket_sums(&lanes, |i| Place { bucket: place(i), negative: i % 3 == 0 }, 64);
        for (bucket, sum) in sums.iter().enumerate() {
            let mut expected = G1Sum::zero();
            for (i, point) in points.iter().enumerate().filter(|(i, _)| place(*i) == bucket) {
                let point = G1Sum::from(*point);
                expected.add_sum(&if i % 3 == 0 { point.negated() } else { point });
            }
            assert!(G1Sum::of_tested(sum) == expected, "bucket {bucket}");
        }
    }
    let cancelling = [lanes[0], lanes[1], lanes[0].negated(), lanes[0], lanes[0]];
    let sums =
        bucket_sums(&cancelling, |i| Place { bucket: usize::from(i == 1), negative: i == 3 }, 2);
    assert!(sums[0].coordinates().is_none() && sums[1] == lanes[1]);
}

#[test]
fn a_table_gives_the_multiples_that_the_library_gives() {
    // Small ones, the greatest ones, and ones at random; an even and an odd number of chunks.
    let order = Scalar::ZERO;
    let mut numbers: Vec<Scalar> = (1..70).map(Scalar::from_u64).collect();
    numbers.extend((1..70).map(|i| order - Scalar::from_u64(i)));
    numbers.extend((0..450).map(number));
    let secrets: Vec<SecretScalar> =
        numbers.iter().map(|n| SecretScalar::from_be_bytes(&n.to_be_bytes()).unwrap()).collect();
    let all: Vec<&SecretScalar> = secrets.iter().collect();
    for count in [1, 47, 48, 513, all.len()] {
        let expected: Vec<G1> = all[..count].iter().map(|s| s.base_mult().unwrap()).collect();
        assert!(base_mult_all(&all[..count]).unwrap() == expected, "{count}");
    }
    let zero = SecretScalar::zero();
    for at in [0, 20, 599] {
        let mut with_zero = all.clone();
        with_zero.resize(600, all[0]);
        with_zero[at] = &zero;
        assert!(base_mult_all(&with_zero).is_none(), "zero at {at}");
    }
}

#[test]
fn points_inside_pass_and_any_outside_are_found() {
    let seed = |i: u8| Digest([i; 32]);
    let mut points = some_g1(600);
    // Enough for buckets: each four times, which makes equal points meet.
    points = points.repeat(4);
    let clean = untested_g1(&points);
    assert!(test_all(&clean, &seed(0)).unwrap() == points);
    assert!(test_all(&clean[..50], &seed(0)).unwrap() == points[..50]);
    let three = order_three();
    for i in 0..8u8 {
        let mut bad = clean.clone();
        let at = 7 + 290 * usize::from(i);
        bad[at] = tainted(&bad[at], three);
        assert_eq!(test_all(&bad, &seed(i)).err(), Some(at), "one");
        // Two that cancel each other wherever they are added up.
        bad[at + 1] = tainted(&bad[at + 1], three.negated());
        assert_eq!(test_all(&bad, &seed(i)).err(), Some(at), "two that cancel");
        assert_eq!(test_all(&bad[at..at + 2], &seed(i)).err(), Some(0), "few");
    }
    let all_bad: Vec<UntestedG1> = clean.iter().map(|point| tainted(point, three)).collect();
    assert_eq!(test_all(&all_bad, &seed(9)).err(), Some(0));
}

#[test]
fn a_test_of_many_points_gives_their_weighted_sum_too() {
    let seed = Digest([3; 32]);
    let points = some_g2(520).repeat(6);
    let coins = coins(&seed, points.len());
    let untested = untested_g2(&points);
    let weights: Vec<Scalar> = coins.iter().map(Coin::weight).collect();
    let (tested, sum) = test_and_weigh(&untested, &coins, &seed).unwrap();
    assert!(tested == points && sum == G2Sum::msm(&points, &weights));
    for few in [0, 1, 9, 520] {
        let expected = G2Sum::msm(&points[..few], &weights[..few]);
        assert!(test_and_weigh(&untested[..few], &coins[..few], &seed).unwrap().1 == expected);
        assert!(weigh(&points[..few], &coins[..few]) == expected);
    }
    for at in [0, 1700, points.len() - 1] {
        let mut bad = untested.clone();
        bad[at] = outside_g2();
        assert_eq!(test_and_weigh(&bad, &coins, &seed).err(), Some(at));
        assert_eq!(test_all(&bad, &seed).err(), Some(at));
    }
}

#[test]
fn weights_are_uniform_combinations_of_their_halves() {
    let coins = coins(&Digest([1; 32]), 3);
    let minus_lambda =
        Scalar::from_u64(0xd201_0000_0001_0000) * Scalar::from_u64(0xd201_0000_0001_0000);
    // λ² + λ + 1 = 0 for λ = -z².
    assert!((minus_lambda * minus_lambda - minus_lambda + Scalar::one()).is_zero());
    for coin in coins {
        let signed = |half: i128| {
            let size = Scalar::from_u128(half.unsigned_abs());
            if half < 0 { -size } else { size }
        };
        let KeyWeight([low, high]) = KeyWeight::sum([(1, coin)].into_iter());
        assert!(coin.weight() == signed(low) + signed(high) * minus_lambda);
        let KeyWeight([low, high]) = KeyWeight::sum([(-(1 << 40), coin), (3, coin)].into_iter());
        assert!(
            (Scalar::from_u64(3) - Scalar::from_u64(1 << 40)) * coin.weight()
                == signed(low) + signed(high) * minus_lambda
        );
    }
}

#[test]
fn keys_are_weighed_as_one_by_one() {
    let keys = some_g1(40);
    let coins = coins(&Digest([2; 32]), 4000);
    let mut coins = coins.into_iter();
    let mut expected = Vec::new();
    // Groups of several sizes, one without messages, enough for several pieces, a key twice in a
    // group; small factors and large ones.
    let groups: Vec<Weighed> = (0..220)
        .map(|i| {
            let mut keys: Vec<G1> = keys[i % 30..i % 30 + 1 + i % 5].to_vec();
            keys.push(keys[0]);
            let factor = [1i64, 1, -1, 7, -(1 << 39), 0][i % 6];
            let size = Scalar::from_u64(factor.unsigned_abs());
            let scalar = if factor < 0 { -size } else { size };
            let mut weigh_one = |_| {
                let own: Vec<Coin> = coins.by_ref().take(keys.len()).collect();
                expected.push(G1Sum::msm(
                    &keys,
                    &own.iter().map(|coin| scalar * coin.weight()).collect::<Vec<_>>(),
                ));
                own.iter().map(|coin| KeyWeight::sum([(factor, *coin)].into_iter())).collect()
            };
            let messages = (0..i % 4).map(&mut weigh_one).collect();
            Weighed { keys, messages }
        })
        .collect();
    let sums = weigh_keys(&groups);
    assert_eq!(sums.len(), expected.len());
    assert!(sums.iter().eq(&expected));
    assert!(weigh_keys(&[]).is_empty());
}

#[test]
fn rows_are_evaluated_and_combined_as_one_by_one() {
    let points = some_g1(4 * 600);
    for (t, xs) in [
        (1, vec![1u64, 2, 3]),
        (2, vec![1, 2, 3]),
        (3, vec![1, 2, 3]),
        (4, vec![1, 2, 3, 4, 5, 6, 7]),
        (9, (1..=13).collect()),
        (4, vec![5, 11, 200]),
        (3, vec![0, 1, 9]),
        (4, vec![1, 2]),
    ] {
        let rows = &points[..points.len() / t * t];
        let values = evaluate_rows(rows, t, &xs).unwrap();
        for (row, values) in rows.chunks(t).zip(values.chunks(xs.len())) {
            for (x, value) in xs.iter().zip(values) {
                let x = Scalar::from_u64(*x);
                let expected = row.iter().rev().fold(G1Sum::zero(), |sum, point| {
                    let mut next = sum.scaled(&x);
                    next.add(point);
                    next
                });
                assert!(G1Sum::from(*value) == expected);
            }
        }
    }
    let vectors: Vec<&[G1]> = points.chunks(600).collect();
    for (position, sum) in sum_vectors(&vectors).unwrap().into_iter().enumerate() {
        let mut expected = G1Sum::zero();
        vectors.iter().for_each(|vector| expected.add(&vector[position]));
        assert!(G1Sum::from(sum) == expected);
    }
    let negative: Vec<G1> =
        points[..600].iter().map(|point| G1Sum::from(*point).negated().finish().unwrap()).collect();
    assert!(sum_vectors(&[&points[..600], &negative]).is_none(), "a sum that is infinity");

    let partials = some_g2(3 * 520);
    let rows: Vec<&[G2]> = partials.chunks(520).collect();
    for coefficients in [[3i64, -3, 1], [1, 0, 0], [126, -705_432, 45]] {
        let scalar = |c: i64| {
            if c < 0 {
                -Scalar::from_u64(c.unsigned_abs())
            } else {
                Scalar::from_u64(c.unsigned_abs())
            }
        };
        let scalars = coefficients.map(scalar);
        for (position, sum) in combine_rows(&coefficients, &rows).unwrap().into_iter().enumerate() {
            let points: Vec<G2> = rows.iter().map(|row| row[position]).collect();
            assert!(
                G2Sum::from(sum) == G2Sum::msm(&points, &scalars),
                "{coefficients:?} {position}"
            );
        }
    }
    let keys: Vec<&[G1]> = points[..600].chunks(200).collect();
    let sums = combine_rows_g1(&[4, -6, 1], &keys).unwrap();
    for (position, sum) in sums.into_iter().enumerate() {
        let points: Vec<G1> = keys.iter().map(|row| row[position]).collect();
        let scalars = [Scalar::from_u64(4), -Scalar::from_u64(6), Scalar::one()];
        assert!(G1Sum::from(sum) == G1Sum::msm(&points, &scalars), "{position}");
    }
    assert!(combine_rows(&[0, 0, 0], &rows).is_none());
    assert!(combine_rows(&[1, -1, 0], &[rows[0], rows[0], rows[0]]).is_none());
}

#[test]
fn columns_are_weighed_as_one_by_one() {
    let points = some_g1(700);
    let mut weights: Vec<u128> =
        (0..700usize).map(|i| weight(Tag::Rho, &[&i.to_be_bytes()])).collect();
    weights[..6].copy_from_slice(&[0, 1, u128::MAX, 1 << 127, u128::MAX << 64, 0x80]);
    for (count, columns) in [(0, 2), (1, 1), (31, 3), (32, 2), (90, 5), (700, 1)] {
        let column = |at: usize| points.iter().cycle().skip(7 * at).take(count).copied().collect();
        let columns: Vec<Vec<G1>> = (0..columns).map(column).collect();
        let columns: Vec<_> =
            columns.iter().map(|points| (points.as_slice(), &weights[..count])).collect();
        let sums = weigh_columns(&columns);
        assert_eq!(sums.len(), columns.len());
        for ((points, weights), sum) in columns.iter().zip(sums) {
            let mut expected = G1Sum::zero();
            for (point, weight) in points.iter().zip(weights.iter()) {
                expected.add_sum(&G1Sum::from(*point).scaled(&Scalar::from_u128(*weight)));
            }
            assert!(sum == expected, "{count}");
        }
    }
    assert!(weigh_columns(&[]).is_empty());
}
