//! Batch checks against their one-by-one twins: the same verdict on valid and invalid input, and on
//! errors made to cancel.
#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use quorate::message::body::{Commit, Deal};
use quorate::message::shape::Shape;
use quorate::primitives::batch::{SameKeys, Signers, sign_all, verify_signature, weigh_signatures};
use quorate::primitives::codec::DecodeError;
use quorate::primitives::commitment::Commitments;
use quorate::primitives::curve::{
    DecodeError as CurveError, G1, G2, G2Sum, Scalar, SecretScalar, UntestedG2,
};
use quorate::primitives::hash::{DST_ETHEREUM, Digest, Tag, secret_scalar};
use quorate::primitives::lagrange::Span;
use quorate::primitives::polynomial::{Polynomial, commit_all};
use quorate::primitives::possession::Proof;
use quorate::spec::kind::Parts;
use quorate::spec::{CeremonyKind, Index, Version};

fn secret(label: u64) -> SecretScalar {
    secret_scalar(Tag::Coefficient, &[b"batches", &label.to_be_bytes()])
}

fn shifted(point: G2, by: &G2Sum) -> G2 {
    let mut sum = G2Sum::from(point);
    sum.add_sum(by);
    sum.finish().unwrap()
}

/// Validators with their messages, the partial signatures of some signers, and combined ones by one
/// more key.
struct Scene {
    messages: Vec<Vec<G2>>,
    keys: Vec<Vec<G1>>,
    partials: Vec<Vec<Vec<G2>>>,
    combined: Vec<(G1, Vec<G2>)>,
    span: Span,
}

/// The further signatures' place among the signers of a scene without a threshold.
const COMBINED: usize = 9;

impl Scene {
    /// Of keys that nothing connects, or, with a threshold, of shares.
    fn new(signers: usize, threshold: Option<usize>, items: &[usize], label: u64) -> Self {
        let secret_of = |v: usize, signer: usize| {
            let coefficient = |k: usize| secret(label * 1000 + 10 * v as u64 + k as u64);
            let Some(t) = threshold else { return coefficient(signer) };
            let polynomial =
                Polynomial::from_coefficients((0..t).map(coefficient).collect()).unwrap();
            let point = if signer == COMBINED { 0 } else { 1 + signer as u64 };
            polynomial.evaluate(&Scalar::from_u64(point))
        };
        let message = |v: usize, item: usize| {
            G2::hash(format!("{label} {v} {item}").as_bytes(), DST_ETHEREUM)
        };
        let messages: Vec<Vec<G2>> = items
            .iter()
            .enumerate()
            .map(|(v, items)| (0..*items).map(|i| message(v, i)).collect())
            .collect();
        let sign = |v: usize, signer: usize| -> Vec<G2> {
            let secret = secret_of(v, signer);
            sign_all(&messages[v].iter().map(|message| (&secret, message)).collect::<Vec<_>>())
                .unwrap()
        };
        let all = 0..items.len();
        Self {
            keys: all
                .clone()
                .map(|v| (0..signers).map(|s| secret_of(v, s).base_mult().unwrap()).collect())
                .collect(),
            partials: (0..signers).map(|s| all.clone().map(|v| sign(v, s)).collect()).collect(),
            combined: all
                .clone()
                .map(|v| (secret_of(v, COMBINED).base_mult().unwrap(), sign(v, COMBINED)))
                .collect(),
            messages,
            span: match threshold {
                Some(t) => Span::new(&(1..=signers as u64).collect::<Vec<_>>(), t),
                None => Span::independent(signers),
            },
        }
    }

    fn one_by_one(&self) -> bool {
        (0..self.messages.len()).all(|v| {
            self.messages[v].iter().enumerate().all(|(item, message)| {
                let partials = self.keys[v]
                    .iter()
                    .zip(&self.partials)
                    .all(|(key, own)| verify_signature(key, message, &own[v][item]));
                partials
                    && verify_signature(&self.combined[v].0, message, &self.combined[v].1[item])
            })
        })
    }

    fn together(&self) -> bool {
        let untested =
            |point: &G2| UntestedG2::from_uncompressed(&point.to_uncompressed()).unwrap();
        let points: Vec<UntestedG2> =
            self.partials.iter().flatten().flatten().map(untested).collect();
        let bytes: Vec<u8> =
            self.partials.iter().flatten().flatten().flat_map(G2::to_uncompressed).collect();
        let (tested, weighing) = weigh_signatures(&points, &[&bytes]).unwrap();
        assert!(tested.iter().eq(self.partials.iter().flatten().flatten()));
        let group = |v: usize| SameKeys {
            keys: self.span.basis(&self.keys[v], self.combined[v].0),
            messages: &self.messages[v],
            also: Some(self.combined[v].1.as_slice()),
        };
        let weighed = (0..self.partials.len()).map(|signer| self.span.signer(signer)).collect();
        let groups: Vec<SameKeys<'_>> = (0..self.messages.len()).map(group).collect();
        weighing.verify(&groups, &Signers { weighed, also: self.span.combined() })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn signatures_pass_together_exactly_if_each_passes(signers in 1usize..5,
    items in prop::collection::vec(1usize..3, 1..4), label in 0u64..100, threshold in 0usize..4,
    fault in 0u8..7) {
        let threshold = (1..=signers).contains(&threshold).then_some(threshold);
        let mut scene = Scene::new(signers, threshold, &items, label);
        let delta = G2Sum::from(G2::hash(b"delta", DST_ETHEREUM));
        let (v, signer) = (usize::try_from(label).unwrap() % items.len(),
            usize::try_from(label).unwrap() % signers);
        let last = items[v] - 1;
        let own = &mut scene.partials;
        match fault {
            0 => {}
            1 => own[signer][v][last] = shifted(own[signer][v][last], &delta),
            // Errors that cancel: of two signers, of two messages, of a partial and a combined
            // signature.
            2 => {
                own[0][v][0] = shifted(own[0][v][0], &delta);
                own[signers - 1][v][last] = shifted(own[signers - 1][v][last], &delta.negated());
            }
            3 => {
                own[signer][0][0] = shifted(own[signer][0][0], &delta);
                own[signer][v][last] = shifted(own[signer][v][last], &delta.negated());
            }
            4 => {
                own[signer][v][0] = shifted(own[signer][v][0], &delta);
                scene.combined[v].1[0] = shifted(scene.combined[v].1[0], &delta.negated());
            }
            5 => scene.combined[v].1[last] = shifted(scene.combined[v].1[last], &delta),
            // Another key; those of shares cannot be of another polynomial.
            _ if threshold.is_some() =>
            scene.combined[v].1[last] = shifted(scene.combined[v].1[last], &delta),
            _ => scene.keys[v][signer] = secret(label + 5).base_mult().unwrap(),
        }
        prop_assert_eq!(scene.together(), scene.one_by_one());
        // Where the errors meet in one place they are none.
        let cancelled = matches!(fault, 2 if signers == 1 && last == 0) || matches!(fault,
            3 if v == 0 && last == 0);
        prop_assert_eq!(scene.one_by_one(), fault == 0 || cancelled);
    }
}

const SHAPE: Shape = Shape {
    version: Version::CURRENT,
    kind: CeremonyKind::Dkg,
    n: 4,
    t: 3,
    v: 250,
    items: 800,
    sealed: 0,
    lock: false,
    parts: Parts::all(4),
};

fn dealer(position: usize) -> Index {
    Index::from_position(position).unwrap()
}

/// Each body with whose it is.
fn signed(bodies: &[Vec<u8>]) -> Vec<(Index, &[u8])> {
    bodies.iter().enumerate().map(|(at, body)| (dealer(at), body.as_slice())).collect()
}

fn deal(label: u64) -> Vec<u8> {
    let coefficients = |v: u64| (0..3).map(|k| secret(1_000_000 * label + 10 * v + k)).collect();
    let polynomials: Vec<Polynomial> =
        (0..250).map(|v| Polynomial::from_coefficients(coefficients(v)).unwrap()).collect();
    let digest = |i: u8| Digest([i; 32]);
    let proof = Proof { r: G1::generator(), z: Scalar::one() };
    let commitments = Commitments::new(3, commit_all(&polynomials));
    Deal {
        view: (0..4).map(digest).collect(),
        salt: Some([7; 32]),
        box_digests: (0..3).map(digest).collect(),
        share_lists: Vec::new(),
        proof: Some(proof),
        commitments,
    }
    .encode()
}

/// A point of G1's curve outside the subgroup, of those that decode: `x = 4`.
fn outside_g1() -> [u8; 96] {
    let mut bytes = [0; 96];
    bytes[47] = 4;
    let y = "0a989badd40d6212b33cffc3f3763e9bc760f988c9926b26da9dd85e928483446346b8ed00e1de5d5ea93e354abe706c";
    hex::decode_to_slice(y, &mut bytes[48..]).unwrap();
    bytes
}

#[test]
fn deals_decode_together_as_each_by_itself() {
    let mut bodies: Vec<Vec<u8>> = (0..4).map(deal).collect();
    // Ones that the caller says it has made: a dealer's, and nobody's.
    let own = Deal::decode(&bodies[3], &SHAPE, dealer(3)).unwrap().commitments;
    let others = Deal::decode(&deal(9), &SHAPE, dealer(3)).unwrap().commitments;
    let decode_knowing = |bodies: &[Vec<u8>], own: Option<&Commitments>| {
        let together = Deal::decode_all(&signed(bodies), &SHAPE, own);
        let each: Vec<_> = signed(bodies)
            .into_iter()
            .map(|(from, bytes)| Deal::decode(bytes, &SHAPE, from))
            .collect();
        let encoded = |all: &[Result<Deal, DecodeError>]| {
            all.iter()
                .map(|deal| deal.as_ref().map(Deal::encode).map_err(Clone::clone))
                .collect::<Vec<_>>()
        };
        assert!(encoded(&together) == encoded(&each));
        encoded(&together)
    };
    let decode = |bodies: &[Vec<u8>]| {
        let decoded = decode_knowing(bodies, None);
        assert!([&own, &others].iter().all(|own| decode_knowing(bodies, Some(own)) == decoded));
        decoded
    };
    assert!(
        decode(&bodies).into_iter().zip(&bodies).all(|(deal, bytes)| deal.as_ref() == Ok(bytes))
    );
    // One dealer's commitment outside the subgroup, another's body cut: theirs alone are refused.
    let at = bodies[2].len() - 96 * 17;
    bodies[2][at..at + 96].copy_from_slice(&outside_g1());
    bodies[1].truncate(5000);
    let decoded = decode(&bodies);
    let outside = DecodeError::Curve { what: "commitment", source: CurveError::NotInSubgroup };
    assert_eq!(decoded[2], Err(outside));
    assert!(matches!(decoded[1], Err(DecodeError::Short { what: "commitment", .. })));
    assert!(decoded[0].is_ok() && decoded[3].is_ok());
}

#[test]
fn commits_decode_together_as_each_by_itself() {
    let message = G2::hash(b"message", DST_ETHEREUM);
    let view: Vec<Digest> = (0..4).map(|i| Digest([i; 32])).collect();
    let points: Vec<G2> = (0..800).map(|i| secret(i).sign(&message).unwrap()).collect();
    let commit = Commit { view, partials: points, sealed: Vec::new() };
    let mut bodies: Vec<Vec<u8>> = (0..4).map(|_| commit.encode()).collect();
    let decode = |bodies: &[Vec<u8>]| {
        let together = Commit::decode_and_weigh(&signed(bodies), &SHAPE, Digest::ZERO);
        let each: Result<Vec<Commit>, _> = signed(bodies)
            .into_iter()
            .map(|(from, bytes)| Commit::decode(bytes, &SHAPE, from))
            .collect();
        assert_eq!(
            together.as_ref().map(|(commits, _)| commits).map_err(|misfit| &misfit.error),
            each.as_ref()
        );
        together.map(drop)
    };
    decode(&bodies).unwrap();
    // A point with x = 2, outside the subgroup.
    let y = [
        "172e93db764a8400a7d5071b6b6f5de0da2f0f4a063119abca014006b7c40a2cfe291a1924e65db0d6d0fcfbf3bf3d5c",
        "18c6b864ae17dc9da64203ffefb966306425a7bc6aeb7c75247438372716284a4173830420cd476ba1a365b95bfcec38",
    ];
    let at = bodies[3].len() - 192 * 5;
    bodies[3][at..at + 96].fill(0);
    bodies[3][at + 95] = 2;
    hex::decode_to_slice(y.concat(), &mut bodies[3][at + 96..at + 192]).unwrap();
    let misfit = decode(&bodies).unwrap_err();
    assert_eq!(misfit.at, 3);
    assert_eq!(
        misfit.error,
        DecodeError::Curve { what: "partial signature", source: CurveError::NotInSubgroup }
    );
    // Not the encoding of a point: the first body that does not decode is named.
    bodies[1][40 * 4] ^= 0x80;
    assert_eq!(decode(&bodies).unwrap_err().at, 1);
}
