//! Attacks D: cheating dealers.

use quorate::audit::code::Code;
use quorate::message::body::{Deal, Hello};
use quorate::message::envelope::{Kind, Reject, Round};
use quorate::message::shape::Shape;
use quorate::message::share_box::ShareBoxError;
use quorate::message::sync::Frame;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::commitment::Commitments;
use quorate::primitives::curve::{DecodeError as CurveError, G1, Scalar, SecretScalar};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::checks::hello_commitment;
use quorate::protocol::evidence::{Certainty, Class, Rule};
use quorate::protocol::participant::{Entropy, Participant, Refused};
use quorate::simulation::collusion::{self, collude};
use quorate::simulation::forger::{Forger, Hooks};
use quorate::simulation::machine::{TWO_VALIDATORS, bytes, machines};
use quorate::spec::threshold::Index;
use quorate::transcript::stopped;

use crate::auditor::{clean, told};
use crate::scene::{
    Oracle, Scene, Sent, coefficient, commitments_at, index, polynomial, redealt, replace_box,
    resigned, waits, with_other_polynomials,
};

/// Infinity, in the encoding of commitments.
pub(crate) fn infinity() -> Vec<u8> {
    [&[0x40][..], &[0; 95]].concat()
}

/// The attacker's deal has another number of commitments.
fn other_length(name: &str, change: impl Fn(&mut Vec<u8>)) {
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            sent.statement = resigned(forger, &sent.statement, &change);
        }
    });
    // The length is the first thing that is looked at: nothing is allocated, and the statement
    // counts for nothing.
    let shape = Shape::of(scene.ceremony());
    let expected = shape.statement_bytes(index(3), Round::Deal).unwrap();
    let mut body = vec![0; shape.owes(index(3), Round::Deal).unwrap()];
    change(&mut body);
    let actual = expected - shape.owes(index(3), Round::Deal).unwrap() + body.len();
    let refused = (Round::Deal, Refused::Reject(Reject::Length { expected, actual }));
    assert_eq!(
        scene
            .refused
            .iter()
            .filter(|(round, _, why)| (*round, why) == (refused.0, &refused.1))
            .count(),
        3
    );
    scene.all_wait(Round::Deal, &[3], &[3]);
    // In the place of a complete transcript's deal.
    let collusion = collude(3, 2, TWO_VALIDATORS, collusion::Hooks::default());
    let statements = collusion.statements();
    let mut transcript = collusion.transcript();
    let shape = Shape::of(&collusion.ceremony);
    let end = transcript.len()
        - 3 * (2..5)
            .map(|round| shape.statement_bytes(index(3), Round::ALL[round]).unwrap())
            .sum::<usize>();
    let start = end - statements[5].bytes().len();
    let mut longer = transcript[start..end].to_vec();
    change(&mut longer);
    transcript.splice(start..end, longer);
    told(name, &transcript, &[Code::V1], &[]);
}

#[test]
fn attack_d1_extra_point() {
    other_length("D1", |body| body.extend_from_slice(&G1::generator().to_uncompressed()));
}

#[test]
fn attack_d2_missing_point() {
    other_length("D2", |body| body.truncate(body.len() - 96));
}

/// One commitment of the deal is infinity.
fn infinite_commitment(name: &str, row: usize, power: usize) {
    let mut scene = Scene::of_four();
    let shape = Shape::of(scene.ceremony());
    let at = commitments_at(&shape) + 96 * (row * shape.t + power);
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            sent.statement = resigned(forger, &sent.statement, |body| {
                body[at..at + 96].copy_from_slice(&infinity())
            });
        }
    });
    let error = DecodeError::Curve { what: "commitment", source: CurveError::Infinity };
    scene.convicts(
        &Rule::Malformed { operator: index(3), round: Round::Deal, error },
        Class::E2,
        3,
    );
    told(name, &scene.dossier(), &[Code::V8, Code::V19], &[3]);
}

#[test]
fn attack_d3_infinity_in_higher_commitment() {
    infinite_commitment("D3", 0, 2);
    infinite_commitment("D3-middle", 1, 1);
    // And zero was not dealt under some other point: no polynomial with such a coefficient can be
    // made at all.
    assert!(
        quorate::primitives::polynomial::Polynomial::from_coefficients(vec![
            coefficient(3, 0, 0),
            SecretScalar::zero()
        ])
        .is_none()
    );
}

#[test]
fn attack_d4_infinity_as_constant_term() {
    infinite_commitment("D4", 1, 0);
}

/// The shares that an attacker deals are not its polynomials': the victim opens its one-time key,
/// and everybody sees it.
fn bad_shares(name: &str, shares: fn(Index, &mut Vec<SecretScalar>), rule: &Rule) -> Scene {
    let mut scene = Scene::hooked(4, 3, &[3], coefficient, || Hooks { shares, ..Hooks::default() });
    scene.play(&mut |_, _, _| ());
    complained(name, &scene, rule);
    scene
}

fn complained(name: &str, scene: &Scene, rule: &Rule) {
    scene.convicts(rule, Class::E3, 3);
    let victim = scene
        .machines
        .iter()
        .find(|machine| machine.participant().is_stopped())
        .expect("whoever complains stops");
    for machine in &scene.machines {
        let complaint = machine.participant().inbox().get(Round::Prepare, victim.seat.me).unwrap();
        assert_eq!(complaint.envelope.kind, Kind::Complaint);
        // Who got good shares keeps them: nobody knows yet whether somebody holds a certificate.
        assert_eq!(machine.participant().shares().is_some(), machine.participant().is_prepared());
    }
    told(name, &scene.dossier(), &[Code::V19], &[3]);
}

fn by(shares: &mut [SecretScalar], v: usize, delta: i8) {
    let delta_scalar = SecretScalar::reduce(&[1; 48]);
    let factor = if delta > 0 { Scalar::one() } else { -Scalar::one() };
    shares[v].add_assign(&delta_scalar.scaled(&factor));
}

#[test]
fn attack_d5_bad_share() {
    let bad = |to: Index, shares: &mut Vec<SecretScalar>| {
        if to.get() == 1 {
            by(shares, 1, 1);
        }
    };
    let scene = bad_shares("D5", bad, &Rule::Share { dealer: index(3), validator: 1 });
    let stopped: Vec<bool> =
        scene.machines.iter().map(|machine| machine.participant().is_stopped()).collect();
    assert_eq!(stopped, [true, false, false]);
}

#[test]
fn attack_d6_errors_cancel_over_validators() {
    // Every victim's errors add up to nothing over the validators.
    let bad = |_: Index, shares: &mut Vec<SecretScalar>| {
        by(shares, 0, 1);
        by(shares, 1, -1);
    };
    let scene = bad_shares("D6", bad, &Rule::Share { dealer: index(3), validator: 0 });
    assert!(
        scene.machines.iter().all(|machine| machine.participant().is_stopped()),
        "every victim finds it"
    );
}

#[test]
fn attack_d7_errors_cancel_between_dealers() {
    let oracle = Oracle::new(4, 3, &[3, 4]);
    let mut scene = Scene::new(4, 3, &[3, 4]);
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            let dealer = forger.seat.me.get();
            let mut shares: Vec<SecretScalar> =
                (0..2).map(|v| polynomial(dealer, v, 3).evaluate(&Scalar::one())).collect();
            by(&mut shares, 0, if dealer == 3 { 1 } else { -1 });
            let payload: Vec<u8> = shares.iter().flat_map(|share| *share.to_be_bytes()).collect();
            oracle.reseal(forger, sent, 1, payload);
        }
    });
    // The sum is right, and only the sum is used.
    clean(&scene.all_finish());
    let outcome = scene.machines[0].participant().outcome().unwrap();
    let share = &scene.machines[0].participant().shares().unwrap()[0];
    assert_eq!(share.base_mult(), Some(outcome.validators[0].public_shares[0]));
}

#[test]
fn attack_d8_share_of_another_seat() {
    let bad = |to: Index, shares: &mut Vec<SecretScalar>| {
        if to.get() == 2 {
            let elsewhere = Scalar::from_u64(u64::from(to.get()) + 7);
            *shares = (0..2).map(|v| polynomial(3, v, 3).evaluate(&elsewhere)).collect();
        }
    };
    bad_shares("D8", bad, &Rule::Share { dealer: index(3), validator: 0 });
}

/// A scalar plus the group order, in 32 bytes.
pub(crate) fn plus_r(scalar: &[u8; 32]) -> [u8; 32] {
    let r =
        hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001").unwrap();
    let (mut out, mut carry) = ([0; 32], 0);
    for i in (0..32).rev() {
        let sum = u16::from(scalar[i]) + u16::from(r[i]) + carry;
        (out[i], carry) = (u8::try_from(sum & 0xff).unwrap(), sum >> 8);
    }
    assert_eq!(carry, 0);
    out
}

#[test]
fn attack_d9_share_above_group_order() {
    let oracle = Oracle::new(4, 3, &[3]);
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            let share = |v| *polynomial(3, v, 3).evaluate(&Scalar::one()).to_be_bytes();
            oracle.reseal(forger, sent, 1, [share(0), plus_r(&share(1))].concat());
        }
    });
    let error = ShareBoxError::NotAScalar { validator: 1 };
    complained("D9", &scene, &Rule::ShareBox { dealer: index(3), error });
}

#[test]
fn attack_d10_box_does_not_open() {
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            let mut sealed = sent.boxes[0].1.clone();
            *sealed.last_mut().unwrap() ^= 1;
            replace_box(forger, sent, 1, sealed);
        }
    });
    complained("D10", &scene, &Rule::ShareBox { dealer: index(3), error: ShareBoxError::Sealed });

    // A box of another length cannot even be sent, so signing it is withholding it.
    let mut scene = Scene::of_four();
    let mut truncated = Vec::new();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            let short = sent.boxes[0].1[1..].to_vec();
            replace_box(forger, sent, 1, short.clone());
            sent.boxes.retain(|(to, _)| to.get() != 1);
            truncated = short;
        }
    });
    let shape = Shape::of(scene.ceremony());
    let frame =
        Frame::ShareBox { dealer: index(3), recipient: index(1), sealed: truncated }.encode();
    assert_eq!(
        Frame::decode(&frame, &shape),
        Err(DecodeError::Short { what: "share box", missing: 1 })
    );
    waits(&scene.machines[0], Round::Deal, &[], &[3]);
}

#[test]
fn attack_d11_exchanged_or_copied_box() {
    let rule = Rule::ShareBox { dealer: index(3), error: ShareBoxError::Sealed };
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            let (first, second) = (sent.boxes[0].1.clone(), sent.boxes[1].1.clone());
            replace_box(forger, sent, 1, second);
            replace_box(forger, sent, 2, first);
        }
    });
    complained("D11", &scene, &rule);
    // An honest dealer's box for the same recipient.
    let oracle = Oracle::new(4, 3, &[3]);
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            replace_box(forger, sent, 1, oracle.sealed(2, 1));
        }
    });
    complained("D11-copied", &scene, &rule);
}

#[test]
fn attack_d12_withheld_box() {
    let mut scene = Scene::of_four();
    let mut withheld = Vec::new();
    scene.play(&mut |_, round, sent| {
        if round == Round::Deal {
            withheld = sent.boxes.remove(0).1;
        }
    });
    waits(&scene.machines[0], Round::Deal, &[], &[3]);
    for machine in &scene.machines[1..] {
        waits(machine, Round::Prepare, &[1], &[]);
    }
    // What is missing proves nothing: an auditor sees no fault, only what somebody says.
    let (dealer, victim) = (index(3), index(1));
    let mut forsaken = Scene::of_four();
    forsaken.play(&mut |_, round, sent| {
        if round == Round::Deal {
            sent.boxes.remove(0);
        }
    });
    let dossier =
        forsaken.machines[0].participant().inbox().everything().cloned().collect::<Vec<_>>();
    let (_, abandoned) = forsaken.machines[0].participant.take().unwrap().abandon().unwrap();
    let dossier = stopped::encode(scene.ceremony(), dossier.iter().chain([&abandoned]));
    let report = told("D12", &dossier, &[Code::V19], &[]);
    let detail = &report.line(Code::V19).unwrap().detail;
    assert!(
        detail.contains("prove nobody at fault")
            && detail.contains("stated, not proven: \"alice\" (operator 1) abandoned"),
        "{detail}"
    );
    assert!(detail.contains("waiting for the share box of \"carol\" (operator 3)"), "{detail}");
    // Asked through a third operator, in everybody's sight, the dealer has to answer or to refuse
    // everybody.
    assert_eq!(
        scene.machines[0].participant().wants(),
        [Frame::Want { dealer, recipient: victim }]
    );
    let relay = scene.machines[1].participant.as_mut().unwrap();
    assert_eq!(
        relay.on_want(victim, dealer, victim),
        Some((dealer, Frame::Want { dealer, recipient: victim }))
    );
    assert_eq!(
        relay.on_foreign_box(dealer, victim, vec![0; withheld.len()]),
        None,
        "not what the dealer signed"
    );
    let (to, frame) = relay.on_foreign_box(dealer, victim, withheld).unwrap();
    assert_eq!(to, victim);
    scene.machines[0].receive(frame).unwrap().unwrap();
    scene.run();
    assert!(scene.machines.iter().all(|machine| machine.participant().is_prepared()));
    // An honest dealer answers whoever asks, for whomever, and only with its own boxes.
    let dealer = scene.machines[2].participant.as_mut().unwrap();
    let (relay, victim) = (index(2), index(1));
    let Some((to, Frame::ShareBox { dealer: of, recipient, sealed })) =
        dealer.on_want(relay, index(4), victim)
    else {
        panic!()
    };
    assert_eq!((to, of, recipient), (relay, index(4), victim));
    assert_eq!(dealer.box_for(victim), Some(Frame::ShareBox { dealer: of, recipient, sealed }));
    // Nobody asks for others, nor for its own box.
    assert_eq!(dealer.on_want(relay, index(3), victim), None);
    assert_eq!(dealer.on_want(relay, relay, relay), None);
}

#[test]
fn attack_d13_exchanged_validators() {
    bad_shares(
        "D13",
        |_, shares| shares.swap(0, 1),
        &Rule::Share { dealer: index(3), validator: 0 },
    );
}

#[test]
fn attack_d14_copied_commitments() {
    let oracle = Oracle::new(4, 3, &[3]);
    let copied = oracle.dealt().remove(0);
    let copy = |deal: &mut Deal| {
        (deal.commitments, deal.proof) = (copied.commitments.clone(), copied.proof)
    };
    // Copied after the reveal: not what the hello fixed, even with the copied salt.
    for salt in [false, true] {
        let mut scene = Scene::of_four();
        scene.play(&mut |forger, round, sent| {
            if round == Round::Deal {
                sent.statement = redealt(forger, &sent.statement, |deal| {
                    copy(deal);
                    deal.salt = if salt { copied.salt } else { deal.salt };
                });
            }
        });
        scene.convicts(&Rule::Opening { dealer: index(3) }, Class::E2, 3);
        told(
            if salt { "D14-salt" } else { "D14" },
            &scene.dossier(),
            &[Code::V7, Code::V10, Code::V19],
            &[3],
        );
    }
    // Known beforehand and committed to: the proof of possession names its dealer.
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| match round {
        Round::Hello => sent.statement = commit_to(forger, sent, &copied.commitments),
        Round::Deal => sent.statement = redealt(forger, &sent.statement, copy),
        _ => (),
    });
    scene.convicts(&Rule::ProofOfPossession { dealer: index(3) }, Class::E2, 3);
    // That a constant stands there twice is nobody's proven fault but the copier's.
    told("D14-committed", &scene.dossier(), &[Code::V10, Code::V19], &[3]);
    // A copied hello is refused with the first round; of two with the same nonce, one copied, and
    // nobody can tell which.
    let victim = oracle.hellos[0].clone();
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Hello {
            sent.statement =
                resigned(forger, &sent.statement, |body| *body = victim.body().to_vec());
        }
    });
    let rule = Rule::CopiedHello { operators: [index(1), index(3)], what: "a nonce" };
    scene.all_say(&rule, Some(Class::E2), &[1, 3], Certainty::Suspected);
}

/// The attacker's hello, committed to these commitments under its own index.
pub(crate) fn commit_to(
    forger: &Forger,
    sent: &Sent,
    commitments: &Commitments,
) -> quorate::message::envelope::Statement {
    let (ceremony, me) = (&forger.seat.ceremony, forger.seat.me);
    let salt = bytes(&format!("attacker {} salt", me.get()));
    let mut hello =
        Hello::decode(sent.statement.body(), &Shape::of(ceremony), sent.statement.envelope.sender)
            .unwrap();
    let root = commitments.merkle_root();
    hello.commitment = Some(hello_commitment(ceremony, me, &hello.nonce, &salt, &root));
    resigned(forger, &sent.statement, |body| *body = hello.encode())
}

#[test]
fn attack_d15_one_polynomial_twice() {
    let mut scene = Scene::with(4, 3, &[3], |seat, _, k| coefficient(seat, 0, k));
    scene.play(&mut |_, _, _| ());
    scene.convicts(&Rule::EqualConstants { rows: [(index(3), 0), (index(3), 1)] }, Class::E2, 3);
    told("D15", &scene.dossier(), &[Code::V9, Code::V19], &[3]);
}

#[test]
fn attack_d16_constant_random_source() {
    // Two operators whose random sources give the same bytes, all of them.
    let constant = || Entropy {
        seed: Secret32::new(&mut [7; 32]),
        nonce: [7; 32],
        extra: SecretBytes::new(Vec::new()),
    };
    let all = machines(4, 3, TWO_VALIDATORS);
    let shape = Shape::of(&all[0].seat.ceremony);
    let hello = |seat: usize| {
        let (_, step) = Participant::start(all[seat].seat.clone(), Vec::new(), constant).unwrap();
        Hello::decode(step.send[0].body(), &shape, step.send[0].envelope.sender).unwrap()
    };
    let (first, second) = (hello(0), hello(1));
    assert_ne!(first.commitment, second.commitment);
    let mut keys: Vec<[u8; 32]> = first
        .one_time_keys
        .iter()
        .chain(&second.one_time_keys)
        .map(|key| *key.as_bytes())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 6, "secrets follow from the operator's identity key too");
    // In another ceremony the same broken source deals other polynomials.
    let elsewhere = machines(4, 3, &TWO_VALIDATORS.replace("\"1\", \"32\"", "\"1\", \"31\""));
    let (_, step) = Participant::start(elsewhere[0].seat.clone(), Vec::new(), constant).unwrap();
    let third = Hello::decode(step.send[0].body(), &shape, step.send[0].envelope.sender).unwrap();
    assert_ne!(
        (first.commitment, first.one_time_keys[0]),
        (third.commitment, third.one_time_keys[0])
    );
    // The same nonce twice is seen by everybody, before anything is dealt.
    assert_eq!(first.nonce, second.nonce);
}

#[test]
fn attack_d17_changed_polynomials() {
    let oracle = Oracle::new(4, 3, &[3]);
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Deal {
            // Everything follows from the other polynomials, but the hello.
            let other = with_other_polynomials(forger, |v, k| coefficient(99, v, k));
            (sent.statement, sent.boxes) = other.deal(&oracle.hellos);
        }
    });
    scene.convicts(&Rule::Opening { dealer: index(3) }, Class::E2, 3);
    told("D17", &scene.dossier(), &[Code::V7, Code::V19], &[3]);
}

#[test]
fn attack_d18_silence_after_reveals() {
    let mut scene = Scene::of_four();
    scene.play(&mut |_, round, sent| {
        if round == Round::Deal {
            sent.to = Some(Vec::new());
            sent.boxes.clear();
        }
    });
    scene.all_wait(Round::Deal, &[3], &[3]);
    let held: Vec<_> = scene.machines[0].participant().inbox().everything().cloned().collect();
    let (_, abandoned) = scene.machines[0].participant.take().unwrap().abandon().unwrap();
    let dossier =
        stopped::encode(&scene.machines[1].seat.ceremony, held.iter().chain([&abandoned]));
    let report = told("D18", &dossier, &[Code::V19], &[]);
    let detail = &report.line(Code::V19).unwrap().detail;
    assert!(
        detail.contains("waiting for statement and share box of \"carol\" (operator 3)"),
        "{detail}"
    );
}
