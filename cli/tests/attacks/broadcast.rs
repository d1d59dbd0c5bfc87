//! Attacks B: agreement, with equivocating operators and hostile networks.

use std::collections::BTreeSet;

use quorate::audit::code::Code;
use quorate::audit::first_failure;
use quorate::identity::key::OperatorPublic;
use quorate::message::body::{Commit, Final, Prepare};
use quorate::message::complaint::{Claim, Complaint, Shown};
use quorate::message::envelope::{Kind, Reject, Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::hash::Digest;
use quorate::protocol::evidence::{Class, Rule};
use quorate::protocol::judge::judge;
use quorate::protocol::participant::Refused;
use quorate::protocol::record::RecordKind;
use quorate::simulation::collusion::{self, collude};
use quorate::simulation::forger::Forger;
use quorate::simulation::machine::{Machine, TWO_VALIDATORS, honest, machines, run, statements};

use crate::auditor::{clean, told};
use crate::scene::{Oracle, Scene, index, resigned, waits};

/// Operator 1 gets one statement of a round, the others another.
fn two_faced(at: Round, change: impl Fn(&mut Vec<u8>)) -> Scene {
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == at {
            sent.to = Some(vec![1]);
            sent.other = Some(resigned(forger, &sent.statement, &change));
        }
    });
    scene
}

#[test]
fn attack_b1_two_hellos() {
    // Another nonce, another commitment, another one-time key.
    for (name, at) in [("B1", 0), ("B1-commitment", 32)] {
        let scene = two_faced(Round::Hello, |body| body[at] ^= 1);
        scene.convicts(
            &Rule::Equivocation { operator: index(3), round: Round::Hello },
            Class::E1,
            3,
        );
        told(name, &scene.dossier(), &[Code::V19], &[3]);
    }
}

#[test]
fn attack_b2_two_deals() {
    // Both deals are well-formed; they differ in the digest of one box.
    let shape = Shape::of(Scene::of_four().ceremony());
    let scene = two_faced(Round::Deal, |body| body[32 * shape.n + 32] ^= 1);
    scene.convicts(&Rule::Equivocation { operator: index(3), round: Round::Deal }, Class::E1, 3);
    assert!(scene.machines.iter().all(|machine| {
        machine.participant().inbox().get(Round::Prepare, machine.seat.me).is_none()
    }));
    told("B2", &scene.dossier(), &[Code::V19], &[3]);
}

/// A complaint about an honest dealer, in the place of the attacker's prepare.
fn complaint(forger: &Forger, prepare: &Statement, shape: &Shape) -> Statement {
    let view = Prepare::decode(prepare.body(), shape, prepare.envelope.sender).unwrap().view;
    let sealed = vec![0; shape.box_bytes()];
    let shown = Shown::Box { opened: [1; 32], sealed };
    let body = Complaint { view, dealer: index(1), claim: Claim::Sealed, shown }.encode();
    let envelope = &prepare.envelope;
    let key = forger.seat.operator.key();
    Statement::sign_kind(
        Kind::Complaint,
        key,
        envelope.sender,
        Round::Prepare,
        envelope.session,
        envelope.view_root,
        &body,
    )
}

#[test]
fn attack_b3_prepare_and_complaint() {
    let shape = Shape::of(Scene::of_four().ceremony());
    let equivocation = Rule::Equivocation { operator: index(3), round: Round::Prepare };
    for (name, first) in [("B3", vec![1]), ("B3-others", vec![2, 4])] {
        let mut scene = Scene::of_four();
        scene.play(&mut |forger, round, sent| {
            if round == Round::Prepare {
                sent.other = Some(complaint(forger, &sent.statement, &shape));
                sent.to = Some(first.clone());
            }
        });
        // The certificate is complete, so it wins; the proof of both statements is kept all the
        // same.
        clean(&scene.all_finish());
        for machine in &scene.machines {
            let fault = machine.participant().proven_fault().unwrap();
            assert_eq!((&fault.rule, fault.rule.class()), (&equivocation, Some(Class::E1)));
            crate::scene::convinces(&fault, scene.ceremony());
        }
        told(name, &scene.dossier(), &[Code::V19], &[3]);
    }
    // Without the prepare there is no certificate: a false complaint, E4, and nobody loses the
    // share it has stored.
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Prepare {
            sent.statement = complaint(forger, &sent.statement, &shape);
        }
    });
    scene.convicts(&Rule::FalseComplaint { operator: index(3), dealer: index(1) }, Class::E4, 3);
    assert!(scene.machines.iter().all(|machine| machine.participant().shares().is_some()));
    told("B3-complaint", &scene.dossier(), &[Code::V19], &[3]);
    // Two prepares.
    let mut scene = Scene::of_four();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Prepare {
            sent.to = Some(vec![1]);
            sent.other = Some(resigned(forger, &sent.statement, |body| body[32 * shape.n] ^= 1));
        }
    });
    clean(&scene.all_finish());
    assert!(
        scene
            .machines
            .iter()
            .all(|machine| machine.participant().proven_fault().unwrap().rule == equivocation)
    );
}

#[test]
fn attack_b4_prepare_to_one_then_silence() {
    for chosen in [1, 2, 4] {
        let mut scene = Scene::of_four();
        scene.play(&mut |_, round, sent| match round {
            Round::Prepare => sent.to = Some(vec![chosen]),
            Round::Commit => sent.to = Some(Vec::new()),
            _ => (),
        });
        for machine in &scene.machines {
            let inbox = machine.participant().inbox();
            assert!(
                inbox.get(Round::Commit, machine.seat.me).is_some(),
                "operator {} has committed",
                machine.seat.me
            );
            waits(machine, Round::Commit, &[3], &[]);
        }
    }
}

type Change<'a> = &'a dyn Fn(&mut Vec<u8>);

#[test]
fn attack_b5_two_commits_or_finals() {
    let expected = {
        let mut scene = Scene::of_four();
        scene.play(&mut |_, _, _| ());
        scene.all_finish()
    };
    let shape = Shape::of(Scene::of_four().ceremony());
    let false_commit = |body: &mut Vec<u8>| {
        let mut commit = Commit::decode(body, &shape, index(1)).unwrap();
        commit.partials.swap(1, 2);
        *body = commit.encode();
    };
    let false_final = |body: &mut Vec<u8>| {
        let mut last = Final::decode(body, &shape, index(1)).unwrap();
        last.outputs = Digest([1; 32]);
        *body = last.encode();
    };
    let cases: [(Round, Change<'_>); 2] =
        [(Round::Commit, &false_commit), (Round::Final, &false_final)];
    for (at, change) in cases {
        for to in [vec![1], vec![2, 4]] {
            let mut scene = Scene::of_four();
            scene.play(&mut |forger, round, sent| {
                if round == at {
                    sent.to = Some(to.clone());
                    sent.other = Some(resigned(forger, &sent.statement, change));
                }
            });
            assert_eq!(scene.all_finish(), expected, "the outputs are what they would have been");
            for machine in &scene.machines {
                let fault = machine.participant().proven_fault().unwrap();
                assert_eq!(fault.rule, Rule::Equivocation { operator: index(3), round: at });
            }
            let name = if at == Round::Commit { "B5" } else { "B5-final" };
            let code = if at == Round::Commit { Code::V16 } else { Code::V14 };
            if to == [1] {
                told(name, &scene.dossier(), &[code, Code::V19], &[3]);
            }
        }
    }
    // Alone, the false one is E5, or E6 in the last round.
    for (at, change, rule, class) in [
        (Round::Commit, cases[0].1, Rule::Partial { operator: index(3), item: 1 }, Class::E5),
        (Round::Final, cases[1].1, Rule::Outputs { operator: index(3) }, Class::E6),
    ] {
        let mut scene = Scene::of_four();
        scene.play(&mut |forger, round, sent| {
            if round == at {
                sent.statement = resigned(forger, &sent.statement, change);
            }
        });
        scene.convicts(&rule, class, 3);
        let (name, code) =
            if at == Round::Commit { ("B5-partial", Code::V16) } else { ("B5-outputs", Code::V14) };
        told(name, &scene.dossier(), &[code, Code::V19], &[3]);
    }
}

#[test]
fn attack_b13_one_content_signed_twice() {
    let certificate = |scene: &Scene| {
        let certificates: BTreeSet<Digest> = scene
            .machines
            .iter()
            .map(|machine| {
                let participant = machine.participant();
                assert!(participant.is_finished() && machine.written);
                assert_eq!(participant.proven_fault(), None);
                participant.outcome().unwrap().certificate
            })
            .collect();
        assert_eq!(certificates.len(), 1);
        certificates.into_iter().next().unwrap()
    };
    let mut undisturbed = Scene::of_four();
    undisturbed.play(&mut |_, _, _| ());
    for at in Round::ALL {
        for to in [vec![1], vec![2, 4]] {
            let mut scene = Scene::of_four();
            scene.play(&mut |forger, round, sent| {
                if round == at {
                    sent.to = Some(to.clone());
                    sent.other = Some(forger.again(&sent.statement));
                }
            });
            assert_eq!(certificate(&scene), certificate(&undisturbed), "{at:?}");
            let held = |machine: &Machine| {
                machine.participant().inbox().get(at, index(3)).unwrap().bytes().to_vec()
            };
            let signatures: BTreeSet<Vec<u8>> = scene.machines.iter().map(held).collect();
            assert_eq!(signatures.len(), 2, "both were taken");
        }
    }
}

/// What a machine makes of bytes.
fn taken(machine: &mut Machine, bytes: Vec<u8>) -> Result<usize, Refused> {
    machine
        .receive(Frame::Statement(bytes))
        .unwrap()
        .map(|_| machine.participant().inbox().everything().count())
}

#[test]
fn attack_b6_statement_of_another() {
    let oracle = Oracle::new(4, 3, &[3]);
    let mut scene = Scene::of_four();
    scene.run();
    let held = scene.machines[1].participant().inbox().everything().count();
    let hello = oracle.hellos[0].bytes().to_vec();
    // Whoever sends it, it is operator 1's, and here already.
    assert_eq!(taken(&mut scene.machines[1], hello.clone()), Ok(held));
    let mut laundered = hello.clone();
    laundered[9] = 3;
    assert_eq!(taken(&mut scene.machines[1], laundered), Err(Refused::Reject(Reject::Signature)));
    let mut nobody = hello;
    nobody[9] = 5;
    assert_eq!(
        taken(&mut scene.machines[1], nobody),
        Err(Refused::Reject(Reject::UnknownSender(5)))
    );
    // In a transcript.
    let collusion = collude(3, 2, TWO_VALIDATORS, collusion::Hooks::default());
    let mut transcript = collusion.transcript();
    let at = 12 + collusion.ceremony.canonical().len();
    let size = collusion.statements()[0].bytes().len();
    let (first, second) = transcript[at..].split_at_mut(size);
    second[..size].copy_from_slice(first);
    second[9] = 2;
    told("B6", &transcript, &[Code::V4], &[]);
}

#[test]
fn attack_b7_statement_of_another_kind() {
    let mut scene = Scene::of_four();
    scene.play(&mut |_, _, _| ());
    let all = statements(&scene.machines[0]);
    for statement in &all {
        let mut bytes = statement.bytes().to_vec();
        for (kind, round) in (0..=4u8).flat_map(|kind| (0..=5u8).map(move |round| (kind, round))) {
            if (kind, round) == (bytes[6], bytes[7]) {
                continue;
            }
            let mut changed = bytes.clone();
            (changed[6], changed[7]) = (kind, round);
            let why = Statement::open(&changed, scene.ceremony()).unwrap_err();
            assert!(
                matches!(why, Reject::Length { .. } | Reject::Signature | Reject::Malformed(_)),
                "{why:?}"
            );
        }
        // With the length of the other kind, the signature is what fails.
        (bytes[6], bytes[7]) = (3, statement.envelope.round.number());
        bytes.truncate(172 + 4);
        assert!(matches!(Statement::open(&bytes, scene.ceremony()), Err(Reject::Body)));
    }
    // In a transcript: a hello that says it is a deal.
    let collusion = collude(3, 2, TWO_VALIDATORS, collusion::Hooks::default());
    let mut transcript = collusion.transcript();
    let at = 12 + collusion.ceremony.canonical().len();
    transcript[at + 7] = 1;
    told("B7", &transcript, &[Code::V4], &[]);
}

#[test]
fn attack_b8_relay_splits_groups() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    let group = |index: quorate::spec::threshold::Index| index.get() <= 2;
    run(&mut all, &mut |from, to, frame| {
        if group(from) == group(to) { vec![frame] } else { Vec::new() }
    });
    for machine in &all {
        let missing: &[u16] = if group(machine.seat.me) { &[3, 4] } else { &[1, 2] };
        waits(machine, Round::Hello, missing, &[]);
    }
    // A relay that changes what it carries is not believed, and accuses nobody.
    run(&mut all, &mut |_, _, frame| match frame {
        Frame::Statement(mut bytes) => {
            bytes[180] ^= 1;
            vec![Frame::Statement(bytes)]
        }
        other => vec![other],
    });
    for machine in &all {
        let held: Vec<Statement> = machine.participant().inbox().everything().cloned().collect();
        assert_eq!(judge(&machine.seat.ceremony, &held), []);
        assert_eq!(machine.participant().fault(), None);
    }
    run(&mut all, &mut honest);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
}

#[test]
fn attack_b9_late_statement() {
    let mut reference = machines(4, 3, TWO_VALIDATORS);
    run(&mut reference, &mut honest);
    for late in Round::ALL {
        let mut all = machines(4, 3, TWO_VALIDATORS);
        let is_late = |frame: &Frame| match frame {
            Frame::Statement(bytes) => (bytes[7], bytes[9]) == (late.number(), 3),
            _ => false,
        };
        run(&mut all, &mut |_, to, frame| {
            if to.get() <= 2 && is_late(&frame) { Vec::new() } else { vec![frame] }
        });
        assert!(all[..2].iter().all(|machine| machine.participant().fault().is_none()
            && !machine.participant().is_finished()));
        run(&mut all, &mut honest);
        for (machine, reference) in all.iter().zip(&reference) {
            assert!(machine.participant().is_finished());
            assert_eq!(statements(machine), statements(reference));
        }
    }
}

#[test]
fn attack_b10_repeated_and_reordered() {
    let mut reference = machines(4, 3, TWO_VALIDATORS);
    run(&mut reference, &mut honest);
    let expected = statements(&reference[0]);
    for step in [3, 5, 7] {
        // What was sent is delivered late, in another order, more than once, for ever; of what is
        // new, only a part.
        let mut all = machines(4, 3, TWO_VALIDATORS);
        let mut held: Vec<(u16, u16, Frame)> = Vec::new();
        for round in 0..20 {
            run(&mut all, &mut |from, to, frame| {
                held.push((from.get(), to.get(), frame));
                if held.len() % step != round % step {
                    return Vec::new();
                }
                let mine = held.iter().filter(|(f, t, _)| (*f, *t) == (from.get(), to.get()));
                let mut old: Vec<Frame> = mine.map(|(_, _, frame)| frame.clone()).collect();
                let by = round % old.len();
                old.rotate_left(by);
                old.into_iter().rev().collect()
            });
        }
        run(&mut all, &mut honest);
        for machine in &all {
            assert!(machine.participant().is_finished());
            assert_eq!(statements(machine), expected);
        }
    }
}

/// The order of the Ed25519 group, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

#[test]
fn attack_b11_malleable_signature() {
    let collusion = collude(3, 2, TWO_VALIDATORS, collusion::Hooks::default());
    let (shape, order) = (Shape::of(&collusion.ceremony), hex::decode(ORDER).unwrap());
    let respelt = |bytes: &mut [u8]| {
        let mut carry = 0;
        for (byte, more) in bytes[140..172].iter_mut().zip(&order) {
            carry += u16::from(*byte) + u16::from(*more);
            *byte = u8::try_from(carry & 0xff).unwrap();
            carry >>= 8;
        }
        assert_eq!(carry, 0);
    };
    let mut at = 12 + collusion.ceremony.canonical().len();
    for (round, code) in
        Round::ALL.into_iter().zip([Code::V4, Code::V6, Code::V12, Code::V14, Code::V14])
    {
        let mut transcript = collusion.transcript();
        respelt(&mut transcript[at..]);
        let statement = &transcript[at..at + shape.statement_bytes(index(1), round).unwrap()];
        assert_eq!(Statement::open(statement, &collusion.ceremony), Err(Reject::Signature));
        told(&format!("B11-r{}", round.number()), &transcript, &[code], &[]);
        assert_eq!(first_failure(&transcript), Some(code));
        at += shape.n * shape.statement_bytes(index(1), round).unwrap();
    }
    // Keys of small order, and other spellings, are no keys; vectors of C2SP CCTV that exercise
    // them are all refused.
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors/ed25519/cctv.json");
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut refused = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let flags: Vec<&str> =
            vector["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap()).collect();
        let harmless = ["low_order_component_A", "low_order_component_R"];
        let bytes = |field: &str| hex::decode(vector[field].as_str().unwrap()).unwrap();
        let key = OperatorPublic::from_bytes(bytes("key").try_into().unwrap());
        let message = vector["msg"].as_str().unwrap().as_bytes();
        let holds = key
            .is_ok_and(|key| key.verify_bytes(message, &bytes("sig").try_into().unwrap()).is_ok());
        assert_eq!(holds, flags.iter().all(|flag| harmless.contains(flag)), "{vector}");
        refused += usize::from(!holds);
    }
    assert!(refused > 20);
}

#[test]
fn attack_b12_flood_of_variants() {
    let mut scene = Scene::of_four();
    scene.run();
    let hello = scene.forgers[0].hello();
    for variant in 0..2000u32 {
        let flood = resigned(&scene.forgers[0], &hello, |body| {
            body[..4].copy_from_slice(&variant.to_be_bytes())
        });
        scene.machines[0].receive(Frame::Statement(flood.bytes().to_vec())).unwrap().unwrap();
    }
    let after = &scene.machines[0];
    assert_eq!(after.participant().inbox().all(Round::Hello, index(3)).count(), 2);
    let of_three =
        |(kind, body): &&(RecordKind, Vec<u8>)| *kind == RecordKind::Statement && body[9] == 3;
    assert_eq!(after.log.iter().filter(of_three).count(), 2, "nothing more is written either");
    scene.run();
    scene.convicts(&Rule::Equivocation { operator: index(3), round: Round::Hello }, Class::E1, 3);
    told("B12", &scene.dossier(), &[Code::V19], &[3]);
    // Of commits a flood keeps two too, whatever prepares they name.
    let mut scene = Scene::of_four();
    let mut many = Vec::new();
    scene.play(&mut |forger, round, sent| {
        if round == Round::Commit {
            many.extend(
                (0..50).map(|variant| resigned(forger, &sent.statement, |body| body[0] = variant)),
            );
            sent.to = Some(Vec::new());
        }
    });
    let machine = &mut scene.machines[0];
    for statement in &many {
        machine.receive(Frame::Statement(statement.bytes().to_vec())).unwrap().unwrap();
    }
    assert_eq!(machine.participant().inbox().all(Round::Commit, index(3)).count(), 2);
}
