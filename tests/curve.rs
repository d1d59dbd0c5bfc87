//! What the curve and the toy in its place (`--cfg quorate_toy_curve`) have in common, down to the
//! reasons for which bytes are refused; and that a build with the toy does nothing but simulate.
//! Run it with the flag and without.
#![allow(clippy::unwrap_used)]

use quorate::primitives::curve::{
    DecodeError, G1, G1_COMPRESSED, G1_UNCOMPRESSED, G1Sum, G2, G2_COMPRESSED, G2Sum, SCALAR_BYTES,
    Scalar, SecretScalar, pairing_product_is_one,
};

fn number<const N: usize>(value: u8, flags: u8) -> [u8; N] {
    let mut out = [0; N];
    out[N - 1] = value;
    out[0] |= flags;
    out
}

fn secret(value: u8) -> SecretScalar {
    SecretScalar::reduce(&number(value, 0))
}

#[test]
fn sizes_are_those_of_the_wire() {
    assert_eq!([SCALAR_BYTES, G1_COMPRESSED, G1_UNCOMPRESSED, G2_COMPRESSED], [32, 48, 96, 96]);
}

#[test]
fn scalars_are_a_field() {
    let (two, three) = (Scalar::from_u64(2), Scalar::from_u64(3));
    assert_eq!(two * three - three - three, Scalar::ZERO);
    assert_eq!(Scalar::one() + -Scalar::one(), Scalar::ZERO);
    assert_eq!(-Scalar::ZERO, Scalar::ZERO);
    assert_eq!(Scalar::ZERO.inverse(), None);
    for scalar in [Scalar::one(), two, three, -Scalar::one(), Scalar::reduce(&[0xff; 48])] {
        assert_eq!(scalar * scalar.inverse().unwrap(), Scalar::one());
        assert_eq!(Scalar::from_be_bytes(&scalar.to_be_bytes()), Ok(scalar));
        let secret = SecretScalar::from_be_bytes(&scalar.to_be_bytes()).unwrap();
        assert_eq!(secret.declassify(), scalar);
    }
    // The greatest scalar, and one more.
    let mut order = (-Scalar::one()).to_be_bytes();
    order[SCALAR_BYTES - 1] += 1;
    assert_eq!(Scalar::from_be_bytes(&order), Err(DecodeError::ScalarTooLarge));
    assert_eq!(SecretScalar::from_be_bytes(&order).map(|_| ()), Err(DecodeError::ScalarTooLarge));
    assert_eq!(Scalar::from_be_bytes(&[0; 32]), Ok(Scalar::ZERO));
}

#[test]
fn wide_numbers_are_reduced() {
    let byte = Scalar::from_u64(256);
    let mut expected = Scalar::ZERO;
    let mut wide = [0; 48];
    for next in 0x91..0xff {
        wide.rotate_left(1);
        let lost = std::mem::replace(&mut wide[47], next);
        // What goes out at the top is taken away again.
        let weight = (0..48).fold(Scalar::one(), |weight, _| weight * byte);
        expected = expected * byte + Scalar::from_u64(u64::from(next))
            - weight * Scalar::from_u64(u64::from(lost));
        assert_eq!(Scalar::reduce(&wide), expected);
        assert_eq!(SecretScalar::reduce(&wide).declassify(), expected);
    }
}

#[test]
fn a_scalar_is_known_by_any_part_of_it_and_is_in_no_point() {
    let scalars: Vec<[u8; 32]> = (0u8..100)
        .map(|label| SecretScalar::reduce(&[label + 1; 48]))
        .map(|s| *s.to_be_bytes())
        .collect();
    for part in 0..4 {
        let parts: std::collections::BTreeSet<&[u8]> =
            scalars.iter().map(|bytes| &bytes[8 * part..8 * part + 8]).collect();
        assert_eq!(parts.len(), scalars.len());
    }
    for bytes in &scalars {
        let point = SecretScalar::from_be_bytes(bytes).unwrap().base_mult().unwrap();
        assert!(!point.to_uncompressed().windows(8).any(|window| window == &bytes[24..]));
    }
}

#[test]
fn points_are_a_group() {
    let g = G1::generator();
    assert_eq!(secret(0).base_mult(), None);
    assert_eq!(secret(1).base_mult(), Some(g));
    let mut sum = G1Sum::from(g);
    sum.add(&g);
    assert!(
        sum == G1Sum::from(g).scaled_u64(2) && sum == G1Sum::from(g).scaled(&Scalar::from_u64(2))
    );
    assert!(G1Sum::from(g).scaled_u64(0).is_infinity() && G1Sum::zero().negated().is_infinity());
    let opposite = sum.negated().finish().unwrap();
    assert_ne!(opposite, sum.finish().unwrap());
    sum.add(&opposite);
    assert!(sum.is_infinity() && sum.finish().is_none());
    assert!(G1Sum::finish_all(&[G1Sum::from(g), sum]).is_none());
    assert_eq!(G1Sum::finish_all(&[]), Some(Vec::new()));
    assert!(G2Sum::msm(&[], &[]).is_infinity());
    for point in [g, opposite] {
        assert_eq!(G1::from_compressed(&point.to_compressed()), Ok(point));
        assert_eq!(G1::from_uncompressed(&point.to_uncompressed()), Ok(point));
    }
}

#[test]
fn the_pairing_is_bilinear_and_not_degenerate() {
    let (g, h) = (G1::generator(), G2::hash(b"message", b"DST"));
    assert_ne!(h, G2::hash(b"message", b"DSU"));
    assert_ne!(h, G2::hash(b"messagf", b"DST"));
    let minus_g = G1Sum::from(g).negated().finish().unwrap();
    let (key, signature) = (secret(5).base_mult().unwrap(), secret(5).sign(&h).unwrap());
    assert!(pairing_product_is_one(&[]));
    assert!(pairing_product_is_one(&[(minus_g, signature), (key, h)]));
    assert!(!pairing_product_is_one(&[(minus_g, secret(6).sign(&h).unwrap()), (key, h)]));
    assert!(!pairing_product_is_one(&[(g, h)]));
    assert_eq!(secret(0).sign(&h), None);
}

#[test]
fn bytes_are_refused_for_the_same_reasons() {
    // Compressed: no flag, infinity (with anything), a coordinate too large, and x = 0.
    for (flags, value, error) in [
        (0x00, 1, DecodeError::NotCanonical),
        (0x20, 1, DecodeError::NotCanonical),
        (0x40, 0, DecodeError::NotCanonical),
        (0xc0, 0, DecodeError::Infinity),
        (0xc0, 1, DecodeError::Infinity),
        (0x9f, 1, DecodeError::NotCanonical),
        (0x80, 0, DecodeError::NotInSubgroup),
        (0xa0, 0, DecodeError::NotInSubgroup),
    ] {
        assert_eq!(G1::from_compressed(&number(value, flags)), Err(error), "{flags:x} {value}");
        if flags != 0x80 && flags != 0xa0 {
            assert_eq!(G2::from_compressed(&number(value, flags)), Err(error), "{flags:x} {value}");
        }
    }
    // Uncompressed: (0, y), then with flags.
    for (flags, y, error) in [
        (0x00, 0, DecodeError::NotOnCurve),
        (0x00, 2, DecodeError::NotInSubgroup),
        (0x00, 3, DecodeError::NotOnCurve),
        (0x40, 0, DecodeError::Infinity),
        (0x80, 2, DecodeError::NotCanonical),
        (0x20, 2, DecodeError::NotCanonical),
        (0x1f, 2, DecodeError::NotCanonical),
    ] {
        assert_eq!(G1::from_uncompressed(&number(y, flags)), Err(error), "{flags:x} {y}");
    }
    // A point with another's y.
    let mut mixed = G1::generator().to_uncompressed();
    mixed[95] ^= 6;
    assert_eq!(G1::from_uncompressed(&mixed), Err(DecodeError::NotOnCurve));
}
