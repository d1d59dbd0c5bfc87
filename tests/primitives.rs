//! The batch functions agree with the plain ones, on valid and on invalid inputs.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use quorate::primitives::batch::{SameMessage, Weights, verify_signature, verify_signatures};
use quorate::primitives::commitment::{Commitments, evaluate_row};
use quorate::primitives::curve::{DecodeError, G1, G1Sum, G2, G2Sum, Scalar, SecretScalar};
use quorate::primitives::hash::{
    DST_ETHEREUM, Digest, Tag, merkle_root, scalar, secret_scalar, tagged,
};
use quorate::primitives::lagrange;
use quorate::primitives::polynomial::Polynomial;
use quorate::primitives::possession::{Proof, Statement, first_false};

fn secret(label: u64) -> SecretScalar {
    secret_scalar(Tag::Coefficient, &[&label.to_be_bytes()])
}

fn public(label: u64) -> Scalar {
    scalar(Tag::Rho, &[&label.to_be_bytes()])
}

fn polynomial(label: u64, t: u64) -> Polynomial {
    Polynomial::from_coefficients((0..t).map(|k| secret(label * 1000 + k)).collect()).unwrap()
}

#[test]
fn tags_are_distinct() {
    let mut texts: Vec<&str> = Tag::ALL.iter().map(|tag| tag.text()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Tag::ALL.len());
    assert_ne!(tagged(Tag::Leaf, &[b"ab", b"c"]), tagged(Tag::Leaf, &[b"a", b"bc"]));
    assert_ne!(tagged(Tag::Leaf, &[b"a"]), tagged(Tag::Node, &[b"a"]));
}

#[test]
fn merkle_roots_depend_on_every_leaf_and_its_place() {
    let leaves: Vec<Digest> = (0u8..7).map(|i| tagged(Tag::Leaf, &[&[i]])).collect();
    let root = merkle_root(&leaves);
    for i in 0..leaves.len() {
        let mut changed = leaves.clone();
        changed[i] = Digest::ZERO;
        assert_ne!(merkle_root(&changed), root);
    }
    let mut swapped = leaves.clone();
    swapped.swap(2, 5);
    assert_ne!(merkle_root(&swapped), root);
    assert_ne!(merkle_root(&leaves[..6]), root);
}

#[test]
fn points_off_the_curve_or_subgroup_or_at_infinity_are_refused_with_their_reason() {
    // (0, 2) is on the curve and has order 3.
    let mut order_three = [0; 96];
    order_three[95] = 2;
    assert_eq!(G1::from_uncompressed(&order_three), Err(DecodeError::NotInSubgroup));
    order_three[95] = 3;
    assert_eq!(G1::from_uncompressed(&order_three), Err(DecodeError::NotOnCurve));
    assert_eq!(G1::from_uncompressed(&[0xff; 96]), Err(DecodeError::NotCanonical));
    let mut infinity = [0; 96];
    infinity[0] = 0x40;
    assert_eq!(G1::from_uncompressed(&infinity), Err(DecodeError::Infinity));
    // A compressed point in an uncompressed field would be read as that point by the library.
    let mut smuggled = [0; 96];
    smuggled[..48].copy_from_slice(&G1::generator().to_compressed());
    assert_eq!(G1::from_uncompressed(&smuggled), Err(DecodeError::NotCanonical));
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    assert_eq!(G1::from_compressed(&infinity), Err(DecodeError::Infinity));
    // The order r and r + 1 as scalars.
    let r =
        hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001").unwrap();
    assert_eq!(Scalar::from_be_bytes(&r.try_into().unwrap()), Err(DecodeError::ScalarTooLarge));
}

#[test]
fn a_false_proof_of_possession_fails_alone_and_in_a_batch() {
    let dealers: Vec<Vec<SecretScalar>> =
        (0..4).map(|d| (0..5).map(|v| secret(d * 10 + v)).collect()).collect();
    let statement =
        |dealer: u16| Statement { session: Digest([7; 32]), dealer, root: Digest([9; 32]) };
    let mut proofs: Vec<(Statement, Vec<G1>, Proof)> = (1u16..)
        .zip(&dealers)
        .map(|(d, secrets)| {
            let points = secrets.iter().map(|s| s.base_mult().unwrap()).collect();
            (
                statement(d),
                points,
                statement(d).prove(secrets.iter(), secret(500 + u64::from(d))).unwrap(),
            )
        })
        .collect();
    let first = |proofs: &[(Statement, Vec<G1>, Proof)]| {
        first_false(proofs.iter().map(|(s, points, proof)| (*s, points.iter().copied(), *proof)))
    };
    assert_eq!(first(&proofs), None);
    assert!(proofs.iter().all(|(s, points, proof)| s.verify(points.iter().copied(), proof)));

    // Another index, another session, another root, another order of constants, another response:
    // none verifies.
    let (s, points, proof) = &proofs[0];
    assert!(!statement(2).verify(points.iter().copied(), proof));
    assert!(!Statement { session: Digest([8; 32]), ..*s }.verify(points.iter().copied(), proof));
    assert!(!Statement { root: Digest([8; 32]), ..*s }.verify(points.iter().copied(), proof));
    assert!(!s.verify(points.iter().rev().copied(), proof));
    assert!(!s.verify(points.iter().copied(), &Proof { z: proof.z + Scalar::one(), ..*proof }));
    proofs[2].2.z = proofs[2].2.z + Scalar::one();
    proofs[3].2.z = proofs[3].2.z - Scalar::one();
    assert_eq!(first(&proofs), Some(2), "errors that would cancel in a sum");
}

#[test]
fn cancelling_false_signatures_do_not_pass_a_batch() {
    let messages: Vec<G2> = (0u8..3).map(|m| G2::hash(&[m], DST_ETHEREUM)).collect();
    let keys: Vec<SecretScalar> = (0..4).map(secret).collect();
    let mut batch: Vec<SameMessage> = messages
        .iter()
        .map(|message| SameMessage {
            message: *message,
            signed: keys
                .iter()
                .map(|key| (key.base_mult().unwrap(), key.sign(message).unwrap()))
                .collect(),
        })
        .collect();
    assert!(verify_signatures(&batch, &mut Weights::new(&[b"w"])));
    assert!(verify_signatures(&[], &mut Weights::new(&[b"w"])));

    let delta = G2::hash(b"delta", DST_ETHEREUM);
    let shifted = |point: G2, by: G2Sum| {
        let mut sum = G2Sum::from(point);
        sum.add_sum(&by);
        sum.finish().unwrap()
    };
    batch[0].signed[1].1 = shifted(batch[0].signed[1].1, delta.into());
    batch[2].signed[3].1 = shifted(batch[2].signed[3].1, G2Sum::from(delta).negated());
    assert!(!verify_signatures(&batch, &mut Weights::new(&[b"w"])));
    let (key, signature) = batch[0].signed[1];
    assert!(!verify_signature(&key, &messages[0], &signature));
    // An empty group says nothing about the others.
    batch.insert(0, SameMessage { message: delta, signed: Vec::new() });
    assert!(!verify_signatures(&batch, &mut Weights::new(&[b"w"])));
}

#[test]
fn interpolation_refuses_zero_and_repeated_points() {
    assert!(lagrange::coefficients_at_zero(&[1, 0]).is_none());
    assert!(lagrange::coefficients_at_zero(&[4, 4]).is_none());
    assert!(Polynomial::from_coefficients(vec![]).is_none());
    assert!(Polynomial::from_coefficients(vec![secret(1), SecretScalar::zero()]).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn products_of_many_points_equal_the_naive_sum(n in 0u64..40, seed: u32) {
        let point = |i: u64| secret(u64::from(seed) + i).base_mult().unwrap();
        let points: Vec<G1> = (0..n).map(point).collect();
        let scalar = |i: u64| if i == 3 { Scalar::ZERO } else { public(u64::from(seed) ^ i) };
        let scalars: Vec<Scalar> = (0..n).map(scalar).collect();
        let mut naive = G1Sum::zero();
        for (point, scalar) in points.iter().zip(&scalars) {
            naive.add_sum(&G1Sum::from(*point).scaled(scalar));
        }
        prop_assert!(G1Sum::msm(&points, &scalars) == naive);
    }

    #[test]
    fn every_quorum_interpolates_and_shares_match_commitments(label in 0u64..1000, t in 2u64..6,
    far: u64) {
        let polynomial = polynomial(label, t);
        let row = polynomial.commit();
        let points: Vec<u64> = (1..t).chain([far.max(10)]).collect();
        let coefficients = lagrange::coefficients_at_zero(&points).unwrap();
        let mut sum = SecretScalar::zero();
        for (x, coefficient) in points.iter().zip(&coefficients) {
            let share = polynomial.evaluate(&Scalar::from_u64(*x));
            prop_assert_eq!(share.base_mult(), evaluate_row(&row, *x).finish());
            sum.add_assign(&share.scaled(coefficient));
        }
        prop_assert_eq!(sum.base_mult().unwrap(), row[0]);
    }

    #[test]
    fn scalars_decode_to_themselves(bytes: [u8; 32]) {
        match Scalar::from_be_bytes(&bytes) {
            Ok(scalar) => prop_assert_eq!(scalar.to_be_bytes(), bytes),
            Err(error) => prop_assert_eq!(error, DecodeError::ScalarTooLarge),
        }
    }

    #[test]
    fn points_decode_to_themselves(label: u64) {
        let point = secret(label).base_mult().unwrap();
        prop_assert_eq!(G1::from_uncompressed(&point.to_uncompressed()), Ok(point));
        prop_assert_eq!(G1::from_compressed(&point.to_compressed()), Ok(point));
        let signature = secret(label).sign(&G2::hash(b"m", DST_ETHEREUM)).unwrap();
        prop_assert_eq!(G2::from_compressed(&signature.to_compressed()), Ok(signature));
    }

    #[test]
    fn folding_a_batch_equals_folding_each(weights in prop::collection::vec(any::<u128>(), 3)) {
        let rows: Vec<Vec<G1>> = (0..3).map(|v| polynomial(v, 3).commit()).collect();
        let commitments = Commitments::new(3, rows.concat());
        for (k, folded) in commitments.fold(&weights).iter().enumerate() {
            let mut naive = G1Sum::zero();
            for (row, weight) in rows.iter().zip(&weights) {
                naive.add_sum(&G1Sum::from(row[k]).scaled(&Scalar::from_u128(*weight)));
            }
            prop_assert!(*folded == naive);
        }
    }
}
