//! Attacks C: invalid points and scalars.

use std::hint::black_box;
use std::time::Instant;

use quorate::audit::code::Code;
use quorate::ethereum::bls::message_point;
use quorate::message::body::{Commit, Prepare};
use quorate::message::envelope::Round;
use quorate::message::shape::Shape;
use quorate::primitives::batch::{SameMessage, Weights, verify_signature, verify_signatures};
use quorate::primitives::codec::DecodeError;
use quorate::primitives::curve::{
    DecodeError as CurveError, G1, G1Sum, G2, G2Sum, Scalar, SecretScalar,
};
use quorate::primitives::hash::{DST_ETHEREUM, DST_POSSESSION, Tag, secret_scalar};
use quorate::protocol::checks::{self, Signed};
use quorate::protocol::evidence::{Certainty, Class, Rule};
use quorate::simulation::collusion::{self, Hooks, collude};
use quorate::simulation::machine::TWO_VALIDATORS;

use crate::auditor::told;
use crate::proofs::Dealt;
use crate::scene::{Scene, coefficient, commitments_at, index, resigned, small, times_g};
use crate::torsion::{Curve, First, Second};

/// The attacker's statement of a round with other bytes at a place.
pub(crate) fn planted(at: Round, place: usize, bytes: &[u8]) -> Scene {
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == at {
            sent.statement = resigned(forger, &sent.statement, |body| {
                body[place..place + bytes.len()].copy_from_slice(bytes)
            });
        }
    });
    scene
}

/// Everybody stops because of this point, and the auditor names the check.
fn refused(
    name: &str,
    scene: &Scene,
    round: Round,
    what: &'static str,
    source: CurveError,
    code: Code,
) {
    let error = DecodeError::Curve { what, source };
    scene.convicts(&Rule::Malformed { operator: index(3), round, error }, Class::E2, 3);
    told(name, &scene.dossier(), &[code, Code::V19], &[3]);
}

/// The attacker's own commitment for a validator and power, as it would be.
fn own(v: usize, k: usize) -> G1 {
    coefficient(3, v, k).base_mult().unwrap()
}

fn as_array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

#[test]
fn attack_c1_point_outside_subgroup() {
    let shape = Shape::of(Scene::of_four().ceremony());
    for prime in [3, 11, 10177, 859_267, 52_437_899] {
        let torsion = First::of_order(prime);
        assert_eq!(
            G1::from_uncompressed(&as_array(&torsion.written())),
            Err(CurveError::NotInSubgroup),
            "{prime}"
        );
        let tainted = First::read(&own(1, 0).to_uncompressed()).plus(&torsion).written();
        let compressed = blst::min_pk::PublicKey::deserialize(&tainted).unwrap().compress();
        assert_eq!(
            G1::from_uncompressed(&as_array(&tainted)),
            Err(CurveError::NotInSubgroup),
            "{prime}"
        );
        assert_eq!(G1::from_compressed(&compressed), Err(CurveError::NotInSubgroup), "{prime}");
        let scene = planted(Round::Deal, commitments_at(&shape) + 96 * shape.t, &tainted);
        refused(
            &format!("C1-{prime}"),
            &scene,
            Round::Deal,
            "commitment",
            CurveError::NotInSubgroup,
            Code::V8,
        );
    }
}

#[test]
fn attack_c2_small_order_cancels() {
    let shape = Shape::of(Scene::of_four().ceremony());
    // A check of one weighted sum, whatever the weight: it looks for the order of the sum.
    let naive = |tainted: &First, weight: u64| {
        let sum = First::read(&times_g(5).to_uncompressed())
            .plus(&tainted.times(&weight.to_be_bytes()).unwrap());
        let order = hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001")
            .unwrap();
        sum.times(&order).is_none()
    };
    for (prime, passes) in [(3, 22), (11, 6)] {
        let tainted = First::read(&own(0, 0).to_uncompressed()).plus(&First::of_order(prime));
        assert_eq!(
            (1..=66).filter(|weight| naive(&tainted, *weight)).count(),
            passes,
            "one in {prime} passes the naive check"
        );
        let scene = planted(Round::Deal, commitments_at(&shape), &tainted.written());
        refused(
            &format!("C2-{prime}"),
            &scene,
            Round::Deal,
            "commitment",
            CurveError::NotInSubgroup,
            Code::V8,
        );
    }
    // Two tainted points that cancel in a plain sum.
    let torsion = First::of_order(3);
    let both = [
        First::read(&own(0, 0).to_uncompressed()).plus(&torsion),
        First::read(&own(1, 0).to_uncompressed()).plus(&torsion).plus(&torsion),
    ];
    for point in both {
        assert_eq!(
            G1::from_uncompressed(&as_array(&point.written())),
            Err(CurveError::NotInSubgroup)
        );
    }
}

#[test]
fn attack_c3_infinity_as_point() {
    let shape = Shape::of(Scene::of_four().ceremony());
    let infinity = [&[0xc0][..], &[0; 95]].concat();
    let uncompressed = [&[0x40][..], &[0; 191]].concat();
    let scene = planted(Round::Prepare, 32 * shape.n + 32, &infinity);
    refused(
        "C3-possession",
        &scene,
        Round::Prepare,
        "possession proof",
        CurveError::Infinity,
        Code::V12,
    );
    for item in 0..shape.items {
        let scene = planted(Round::Commit, 32 * shape.n + 192 * item, &uncompressed);
        refused(
            &format!("C3-partial-{item}"),
            &scene,
            Round::Commit,
            "partial signature",
            CurveError::Infinity,
            Code::V16,
        );
    }
    for at in 0..shape.v * shape.t {
        let scene =
            planted(Round::Deal, commitments_at(&shape) + 96 * at, &crate::dealing::infinity());
        let error = DecodeError::Curve { what: "commitment", source: CurveError::Infinity };
        scene.convicts(
            &Rule::Malformed { operator: index(3), round: Round::Deal, error },
            Class::E2,
            3,
        );
    }
    // No sum of points becomes a point either, and no secret of zero signs or has a key.
    assert_eq!(G1Sum::zero().finish(), None);
    assert_eq!(G2Sum::zero().finish(), None);
    assert_eq!(SecretScalar::zero().base_mult(), None);
    assert_eq!(SecretScalar::zero().sign(&G2::hash(b"m", DST_ETHEREUM)), None);
}

/// The prime of the base field.
const P: &str = "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";

#[test]
fn attack_c4_other_point_encodings() {
    use CurveError::{Infinity, NotCanonical, NotOnCurve};
    let (one, two) = (G1::generator(), G2::hash(b"two", DST_ETHEREUM));
    let p = hex::decode(P).unwrap();
    let compressed = |change: &dyn Fn(&mut [u8; 48])| {
        let mut bytes = one.to_compressed();
        change(&mut bytes);
        G1::from_compressed(&bytes).err()
    };
    assert_eq!(compressed(&|_| ()), None);
    assert_eq!(compressed(&|b| b[0] &= 0x7f), Some(NotCanonical), "the flag of the other form");
    assert_eq!(compressed(&|b| b[0] |= 0x40), Some(Infinity));
    assert_eq!(compressed(&|b| (*b, b[0]) = ([0; 48], 0xc0)), Some(Infinity));
    assert_eq!(compressed(&|b| (*b, b[0]) = ([0; 48], 0xe0)), Some(Infinity), "with a sign");
    assert_eq!(
        compressed(&|b| (*b, b[0], b[47]) = ([0; 48], 0xc0, 1)),
        Some(Infinity),
        "with something after it"
    );
    assert_eq!(
        compressed(&|b| (b.copy_from_slice(&p), b[0] |= 0x80).0),
        Some(NotCanonical),
        "x is p"
    );
    assert_eq!(compressed(&|b| *b = [0xff; 48]), Some(Infinity));
    assert_eq!(
        compressed(&|b| (*b, b[0]) = ([0xff; 48], 0x9f)),
        Some(NotCanonical),
        "x is above p"
    );
    let off = (0..=u8::MAX)
        .find(|x| compressed(&|b| (*b, b[0], b[47]) = ([0; 48], 0x80, *x)) == Some(NotOnCurve));
    assert!(off.is_some());

    let uncompressed = |change: &dyn Fn(&mut [u8; 96])| {
        let mut bytes = one.to_uncompressed();
        change(&mut bytes);
        G1::from_uncompressed(&bytes).err()
    };
    assert_eq!(uncompressed(&|_| ()), None);
    for flags in [0x80, 0xa0, 0x20, 0x60, 0xc0, 0xe0] {
        assert_eq!(uncompressed(&|b| b[0] |= flags), Some(NotCanonical), "{flags:x}");
    }
    assert_eq!(uncompressed(&|b| b[0] |= 0x40), Some(Infinity));
    assert_eq!(uncompressed(&|b| b[..48].copy_from_slice(&p)), Some(NotCanonical));
    assert_eq!(uncompressed(&|b| b[48..].copy_from_slice(&p)), Some(NotCanonical));
    assert_eq!(uncompressed(&|b| b[95] ^= 1), Some(NotOnCurve));
    assert_eq!(
        uncompressed(&|b| b[..48].copy_from_slice(&one.to_compressed())),
        Some(NotCanonical),
        "one form in the other's place"
    );

    let second = |change: &dyn Fn(&mut [u8; 96])| {
        let mut bytes = two.to_compressed();
        change(&mut bytes);
        G2::from_compressed(&bytes).err()
    };
    assert_eq!(second(&|_| ()), None);
    assert_eq!(second(&|b| b[0] &= 0x7f), Some(NotCanonical));
    assert_eq!(second(&|b| b[0] |= 0x40), Some(Infinity));
    assert_eq!(
        second(&|b| b[48..].copy_from_slice(&p)),
        Some(NotCanonical),
        "the other half of x is p"
    );
    // And in a statement: the compressed form where the other one belongs.
    let shape = Shape::of(Scene::of_four().ceremony());
    let smuggled = [&own(0, 0).to_compressed()[..], &[0; 48]].concat();
    let scene = planted(Round::Deal, commitments_at(&shape), &smuggled);
    refused("C4", &scene, Round::Deal, "commitment", NotCanonical, Code::V8);
}

fn sum(coefficients: impl Iterator<Item = SecretScalar>) -> SecretScalar {
    coefficients.fold(SecretScalar::zero(), |mut sum, next| {
        sum.add_assign(&next);
        sum
    })
}

fn negated(scalar: &SecretScalar) -> SecretScalar {
    scalar.scaled(&-Scalar::one())
}

type Coefficient = Box<dyn Fn(usize, usize, usize) -> SecretScalar>;

#[test]
fn attack_c5_degenerate_sums() {
    // All dealers together: the last one's constant takes the sum to nothing.
    let vanishing = |seat: usize, v: usize, k: usize| match (seat, v, k) {
        (2, 0, 0) => negated(&sum((0..2).map(|seat| collusion::coefficient(seat, 0, 0)))),
        _ => collusion::coefficient(seat, v, k),
    };
    // Different constants with equal sums.
    let equal = |seat: usize, v: usize, k: usize| {
        let by = match (seat, v, k) {
            (0 | 1, 1, 0) => Scalar::one(),
            (2, 1, 0) => -Scalar::from_u64(2),
            _ => return collusion::coefficient(seat, v, k),
        };
        sum([collusion::coefficient(seat, 0, 0), small(9).scaled(&by)].into_iter())
    };
    let cases: [(&str, Coefficient); 2] =
        [("C5", Box::new(vanishing)), ("C5-equal", Box::new(equal))];
    for (name, coefficient) in cases {
        let collusion = collude(3, 2, TWO_VALIDATORS, Hooks { coefficient, ..Hooks::default() });
        let statements = collusion.statements();
        let shape = Shape::of(&collusion.ceremony);
        let deals = checks::decode(&statements[3..6], |bytes, from| {
            quorate::message::body::Deal::decode(bytes, &shape, from)
        })
        .unwrap();
        let fault =
            checks::add_up(&collusion.ceremony, &deals[0].statement.envelope.session, &deals)
                .err()
                .unwrap();
        assert_eq!(
            (&fault.rule, fault.rule.culprits(), fault.rule.class()),
            (&Rule::Degenerate, vec![], None)
        );
        assert_eq!(fault.rule.certainty(), Certainty::Nobody);
        told(name, &collusion.transcript(), &[Code::V11], &[]);
    }
}

#[test]
fn attack_c6_signature_outside_subgroup() {
    let shape = Shape::of(Scene::of_four().ceremony());
    let mut honest = None;
    let mut scene = Scene::of_four();
    scene.play(&mut |_, round, sent| {
        if round == Round::Commit {
            honest = Some(
                Commit::decode(sent.statement.body(), &shape, sent.statement.envelope.sender)
                    .unwrap()
                    .partials[1],
            );
        }
    });
    for prime in [13, 23] {
        let tainted = Second::read(&honest.unwrap().to_uncompressed())
            .plus(&Second::of_order(prime))
            .written();
        assert_eq!(G2::from_uncompressed(&as_array(&tainted)), Err(CurveError::NotInSubgroup));
        let scene = planted(Round::Commit, 32 * shape.n + 192, &tainted);
        let name = format!("C6-{prime}");
        refused(
            &name,
            &scene,
            Round::Commit,
            "partial signature",
            CurveError::NotInSubgroup,
            Code::V16,
        );
    }
}

#[test]
fn attack_c7_aggregate_for_all() {
    // Two honest keys, and a third made to cancel them: one signature by the attacker passes for
    // all three.
    let (first, second, known) = (times_g(1001), times_g(1002), small(77));
    let message = G2::hash(b"we all hold our shares", DST_POSSESSION);
    let mut rogue = G1Sum::from(known.base_mult().unwrap());
    [first, second].iter().for_each(|key| rogue.add_sum(&G1Sum::from(*key).negated()));
    let mut all = rogue;
    [first, second].iter().for_each(|key| all.add(key));
    assert!(
        verify_signature(&all.finish().unwrap(), &message, &known.sign(&message).unwrap()),
        "the naive aggregate verifies"
    );
    // Here nobody chooses a key: those of all seats follow from the commitments; and each seat
    // signs its own message.
    let dealt = Dealt::of(collude(3, 2, TWO_VALIDATORS, Hooks::default()));
    let proofs: Vec<G2> = (1..=3).map(|seat| dealt.possession(seat, &dealt.shares(seat))).collect();
    let prepares = |proofs: &[G2]| -> Vec<Signed<Prepare>> {
        (1u16..).zip(proofs).map(|(seat, proof)| dealt.prepare(seat, *proof)).collect()
    };
    let ceremony = &dealt.collusion.ceremony;
    checks::shares_proven(ceremony, &dealt.sums, &prepares(&proofs)).unwrap();
    // Other proofs with the same sum.
    let delta = G2::hash(b"delta", DST_POSSESSION);
    let shifted = [
        shifted(proofs[0], delta.into()),
        shifted(proofs[1], G2Sum::from(delta).negated()),
        proofs[2],
    ];
    let fault = checks::shares_proven(ceremony, &dealt.sums, &prepares(&shifted)).unwrap_err();
    assert_eq!(fault.rule, Rule::Possession { operator: index(1) });
    let aggregate = [&proofs[..2], &[proofs[0]]].concat();
    let fault = checks::shares_proven(ceremony, &dealt.sums, &prepares(&aggregate)).unwrap_err();
    assert_eq!((fault.rule.class(), fault.rule.culprits()), (Some(Class::E5), vec![index(3)]));
}

fn shifted(point: G2, by: G2Sum) -> G2 {
    let mut sum = G2Sum::from(point);
    sum.add_sum(&by);
    sum.finish().unwrap()
}

#[test]
fn attack_c8_false_partials_cancel() {
    // On one message, by two keys.
    let (keys, message) = ([small(11), small(12)], G2::hash(b"m", DST_ETHEREUM));
    let delta = G2Sum::from(G2::hash(b"delta", DST_ETHEREUM));
    let signed = [
        shifted(keys[0].sign(&message).unwrap(), delta),
        shifted(keys[1].sign(&message).unwrap(), delta.negated()),
    ];
    let publics = [keys[0].base_mult().unwrap(), keys[1].base_mult().unwrap()];
    let (mut key, mut signature) = (G1Sum::zero(), G2Sum::zero());
    publics.iter().for_each(|public| key.add(public));
    signed.iter().for_each(|part| signature.add(part));
    assert!(
        verify_signature(&key.finish().unwrap(), &message, &signature.finish().unwrap()),
        "the sum without weights verifies"
    );
    let batch = [SameMessage { message, signed: publics.into_iter().zip(signed).collect() }];
    assert!(!verify_signatures(&batch, &mut Weights::new(&[b"w"])));
    // Two colluders in a ceremony.
    let mut scene = Scene::new(4, 3, &[3, 4]);
    let shape = Shape::of(scene.ceremony());
    scene.play(&mut |forger, round, sent| {
        if round == Round::Commit {
            let by = if forger.seat.me.get() == 3 { delta } else { delta.negated() };
            sent.statement = resigned(forger, &sent.statement, |body| {
                let mut commit = Commit::decode(body, &shape, index(1)).unwrap();
                commit.partials[2] = shifted(commit.partials[2], by);
                *body = commit.encode();
            });
        }
    });
    scene.convicts(&Rule::Partial { operator: index(3), item: 2 }, Class::E5, 3);
    told("C8", &scene.dossier(), &[Code::V16, Code::V19], &[3, 4]);
}

#[test]
fn attack_c9_numbers_out_of_range() {
    let r =
        hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001").unwrap();
    let mut above = r.clone();
    above[31] += 1;
    for bytes in [r, above, vec![0xff; 32]] {
        assert_eq!(
            Scalar::from_be_bytes(&as_array(&bytes)).err(),
            Some(CurveError::ScalarTooLarge)
        );
        assert_eq!(
            SecretScalar::from_be_bytes(&as_array(&bytes)).err(),
            Some(CurveError::ScalarTooLarge)
        );
        let shape = Shape::of(Scene::of_four().ceremony());
        let scene = planted(Round::Deal, commitments_at(&shape) - 32, &bytes);
        let error = DecodeError::Curve {
            what: "proof of possession, z",
            source: CurveError::ScalarTooLarge,
        };
        scene.convicts(
            &Rule::Malformed { operator: index(3), round: Round::Deal, error },
            Class::E2,
            3,
        );
    }
    // The attacker's polynomial makes operator 1's share zero. It cannot know how; here it is told.
    let mut scene = Scene::of_four();
    scene.play(&mut |_, _, _| ());
    let share = scene.machines[0].participant().shares().unwrap()[0].declassify();
    let zeroing = move |seat, v, k| {
        let mut honest = coefficient(seat, v, k);
        if (v, k) == (0, 0) {
            honest.add_assign(&small(1).scaled(&-share));
        }
        honest
    };
    let mut scene = Scene::with(4, 3, &[3], zeroing);
    scene.play(&mut |_, _, _| ());
    scene.all_say(&Rule::Degenerate, None, &[], Certainty::Nobody);
    assert!(
        scene.machines.iter().all(|machine| machine.participant().shares().is_none()),
        "nothing is stored"
    );
    // The file shows no fault of anybody's.
    told("C9", &scene.dossier(), &[Code::V19], &[]);
}

#[test]
fn attack_c10_possession_proof_as_signature() {
    assert_ne!(DST_ETHEREUM, DST_POSSESSION);
    let dealt = Dealt::of(collude(3, 2, TWO_VALIDATORS, Hooks::default()));
    let shares = dealt.shares(2);
    let proof = dealt.possession(2, &shares);
    let key = dealt.sums.confirmation_key(2).unwrap();
    assert!(verify_signature(
        &key,
        &checks::possession_message(dealt.sums.digest(), index(2)),
        &proof
    ));
    // The same bytes under Ethereum's domain are another point, and so is every message that
    // Ethereum signs.
    let bytes = quorate::primitives::hash::tagged(
        Tag::Possess,
        &[dealt.sums.digest().as_ref(), &2u16.to_be_bytes()],
    );
    assert_eq!(
        G2::hash(bytes.as_ref(), DST_POSSESSION),
        checks::possession_message(dealt.sums.digest(), index(2))
    );
    assert!(!verify_signature(&key, &G2::hash(bytes.as_ref(), DST_ETHEREUM), &proof));
    assert!(!verify_signature(&key, &message_point(&bytes.0), &proof));
    // Nor is a partial signature a possession proof.
    let roots = quorate::protocol::items::signing_roots(
        &dealt.collusion.ceremony,
        dealt.sums.public_keys(),
    );
    let partial = shares[0].sign(&message_point(&roots[0].1)).unwrap();
    let fault =
        checks::shares_proven(&dealt.collusion.ceremony, &dealt.sums, &[dealt.prepare(2, partial)])
            .unwrap_err();
    assert_eq!(fault.rule, Rule::Possession { operator: index(2) });
}

/// Welch's t of two sets of times, without their slowest tenth.
fn t_statistic(a: &mut Vec<f64>, b: &mut Vec<f64>) -> f64 {
    let cut = {
        let mut all = [a.as_slice(), b.as_slice()].concat();
        all.sort_by(f64::total_cmp);
        all[all.len() * 9 / 10]
    };
    let moments = |times: &mut Vec<f64>| {
        times.retain(|time| *time <= cut);
        let n = f64::from(u32::try_from(times.len()).unwrap());
        let mean = times.iter().sum::<f64>() / n;
        (mean, times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
    };
    let ((mean_a, var_a), (mean_b, var_b)) = (moments(a), moments(b));
    (mean_a - mean_b) / (var_a + var_b).sqrt()
}

/// Times of an operation on inputs of two sorts, in turns.
fn leak<T>(samples: usize, inputs: &[Vec<T>; 2], act: impl Fn(&T)) -> f64 {
    let mut times = [Vec::new(), Vec::new()];
    for i in 0..samples {
        for sort in [i % 2, 1 - i % 2] {
            let input = &inputs[sort][i % inputs[sort].len()];
            let start = Instant::now();
            act(input);
            times[sort].push(start.elapsed().as_secs_f64());
        }
    }
    let [mut a, mut b] = times;
    t_statistic(&mut a, &mut b).abs()
}

#[test]
fn attack_c11_timing_of_secret_scalars() {
    let random = |i: u32| secret_scalar(Tag::Coefficient, &[b"random", &i.to_be_bytes()]);
    let inputs = [(0..64).map(|_| small(1)).collect::<Vec<_>>(), (0..64).map(random).collect()];
    let (message, factor) = (G2::hash(b"m", DST_ETHEREUM), Scalar::from_u64(u64::MAX));
    let public = |secret: &SecretScalar| assert!(black_box(secret.base_mult()).is_some());
    let sign = |secret: &SecretScalar| assert!(black_box(secret.sign(&message)).is_some());
    let scale =
        |secret: &SecretScalar| (0..100).for_each(|_| drop(black_box(secret.scaled(&factor))));
    // A machine under load is noisy; a real leak shows every time.
    assert!((0..5).any(|_| leak(800, &inputs, public) < 10.0));
    assert!((0..5).any(|_| leak(400, &inputs, sign) < 10.0));
    assert!((0..5).any(|_| leak(800, &inputs, scale) < 10.0));
    // The instrument sees what does leak: products with public factors of different lengths.
    let factors = [vec![1; 64], vec![u64::MAX; 64]];
    let point = G1Sum::from(G1::generator());
    let multiply = |factor: &u64| assert!(black_box(point.scaled_u64(*factor)).finish().is_some());
    assert!((0..5).any(|_| leak(400, &factors, multiply) > 10.0));
}

#[test]
fn whoever_cancels_the_others_partial_signatures_is_named() {
    let shape = Shape::of(Scene::of_four().ceremony());
    let mut scene = Scene::of_four();
    scene.play(&mut |_, _, _| ());
    let partial = |seat: u16| {
        let held = scene.machines[0]
            .participant()
            .inbox()
            .get(Round::Commit, index(seat))
            .unwrap()
            .clone();
        Commit::decode(held.body(), &shape, held.envelope.sender).unwrap().partials[0]
    };
    // With the coefficients 3, -3, 1 the third, who speaks last, makes the combined signature
    // infinity.
    let mut vanishing = G2Sum::from(partial(1)).scaled(&-Scalar::from_u64(3));
    vanishing.add_sum(&G2Sum::from(partial(2)).scaled(&Scalar::from_u64(3)));
    let scene =
        planted(Round::Commit, 32 * shape.n, &vanishing.finish().unwrap().to_uncompressed());
    scene.convicts(&Rule::Partial { operator: index(3), item: 0 }, Class::E5, 3);
}
