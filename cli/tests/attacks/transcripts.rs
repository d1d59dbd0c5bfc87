//! Attacks A: altered and foreign transcripts before an auditor.

use std::time::{Duration, Instant};

use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::{audit, first_failure, render};
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::shape::Shape;
use quorate::protocol::judge::judge_counting;
use quorate::simulation::collusion::{Collusion, Hooks, collude};
use quorate::simulation::flood::{Crowd, statements};
use quorate::simulation::machine::{TWO_VALIDATORS, ceremony, operators};
use quorate::transcript::container::{self, ContainerError, expected_len};
use quorate::transcript::stopped::{self, Stopped};

use crate::auditor::{clean, told};
use crate::scene::{Scene, index};
use crate::session::{file, parsed, with};
use crate::support::program::quorate;

const ONE_VALIDATOR: &str = "[[validators]]\nwithdrawal = \
                             \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\n";

#[test]
fn attack_a1_edited_transcript() {
    let collusion = collude(3, 2, ONE_VALIDATOR, Hooks::default());
    let transcript = collusion.transcript();
    clean(&transcript);
    // Edited: here every seventh byte; `tests/audit/checks.rs` changes every one.
    let mut changed = transcript.clone();
    for at in (0..transcript.len()).step_by(7) {
        changed[at] ^= 0x10;
        assert_ne!(first_failure(&changed), None, "byte {at}");
        changed[at] ^= 0x10;
    }
    let shape = Shape::of(&collusion.ceremony);
    let front = 12 + collusion.ceremony.canonical().len();
    let mut edited = transcript.clone();
    *edited.last_mut().unwrap() ^= 1;
    told("A1", &edited, &[Code::V14], &[]);
    // Reordered within every round.
    let mut at = front;
    for (round, code) in
        Round::ALL.into_iter().zip([Code::V4, Code::V6, Code::V12, Code::V14, Code::V14])
    {
        let size = shape.statement_bytes(index(1), round).unwrap();
        let mut reordered = transcript.clone();
        reordered[at..at + 2 * size].rotate_left(size);
        told(&format!("A1-reordered-r{}", round.number()), &reordered, &[code], &[]);
        at += 3 * size;
    }
    // Spliced from two ceremonies of the same operators on the same spec.
    let hello = |seat: usize, hello: &mut quorate::message::body::Hello| {
        hello.nonce[0] ^= u8::from(seat == 1)
    };
    let other = collude(3, 2, ONE_VALIDATOR, Hooks { hello: Box::new(hello), ..Hooks::default() });
    let (mine, theirs) = (collusion.statements(), other.statements());
    let spliced = [&mine[..6], &theirs[6..]].concat();
    told(
        "A1-spliced",
        &container::encode(&collusion.ceremony, &spliced).unwrap(),
        &[Code::V12, Code::V14],
        &[],
    );
    let spliced = [&theirs[..3], &mine[3..]].concat();
    let codes = [Code::V6, Code::V12, Code::V14];
    told("A1-hellos", &container::encode(&collusion.ceremony, &spliced).unwrap(), &codes, &[]);
}

#[test]
fn attack_a2_trailing_bytes() {
    let transcript = collude(3, 2, ONE_VALIDATOR, Hooks::default()).transcript();
    told("A2", &[&transcript[..], &[0]].concat(), &[Code::V1], &[]);
    told("A2-twice", &[&transcript[..], &transcript].concat(), &[Code::V1], &[]);
    let last = transcript.len() - 300;
    told("A2-section", &[&transcript[..], &transcript[last..]].concat(), &[Code::V1], &[]);
    told("A2-cut", &transcript[..transcript.len() - 1], &[Code::V1], &[]);
    // Evidence too has one encoding: no statement twice, none out of order, nothing after the end.
    let mut scene = Scene::of_four();
    scene.play(&mut |_, _, _| ());
    let dossier = scene.dossier();
    let front = 12 + scene.ceremony().canonical().len();
    let size = Shape::of(scene.ceremony()).statement_bytes(index(1), Round::Hello).unwrap();
    let mut twice = dossier.clone();
    twice.splice(front + 4..front + 4, dossier[front + 4..front + 4 + size].to_vec());
    twice[front + 3] += 1;
    assert!(matches!(Stopped::parse(&twice), Err(ContainerError::Order(2))));
    told("A2-evidence", &twice, &[Code::V1], &[]);
    let mut swapped = dossier.clone();
    swapped[front + 4..front + 4 + 2 * size].rotate_left(size);
    assert!(matches!(Stopped::parse(&swapped), Err(ContainerError::Order(2))));
    assert!(matches!(Stopped::parse(&[&dossier[..], &[0]].concat()), Err(ContainerError::Long(_))));
}

#[test]
fn attack_a3_transcript_of_another_ceremony() {
    // Everything about it is right, but for where the money goes.
    let expected = parsed(&file(3, 2)).unwrap();
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let hostile = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB";
    let other = parsed(&with(&file(3, 2), address, hostile)).unwrap();
    let collusion = Collusion {
        ceremony: std::sync::Arc::new(other),
        operators: operators(3),
        hooks: Hooks::default(),
    };
    let transcript = collusion.transcript();
    clean(&transcript);
    let compared =
        audit(&transcript, &Expectations { ceremony: Some(&expected), ..Expectations::default() });
    assert_eq!(compared.failed(), [Code::Expected]);
    let detail = &compared.line(Code::Expected).unwrap().detail;
    assert!(detail.contains("validator 1, withdrawal") && detail.contains(hostile), "{detail}");
    // Who it is and where the money goes is told before any check.
    let text = render::to_text(&compared);
    let checks = text.find("V1 ").unwrap();
    for shown in [hostile, "alice", "bob", "carol"] {
        assert!(text.find(shown).unwrap() < checks, "{shown}: {text}");
    }
}

#[test]
fn attack_a5_giant_transcript() {
    // A file of 4 GiB that begins like a transcript, without a byte of it on the disk.
    let collusion = collude(3, 2, TWO_VALIDATORS, Hooks::default());
    let transcript = collusion.transcript();
    let home = tempfile::TempDir::new().unwrap();
    for (name, front) in [
        ("complete", transcript.clone()),
        ("stopped", Scene::of_four().machines_dossier()),
        ("nothing", vec![0; 64]),
    ] {
        let path = home.path().join(name);
        std::fs::write(&path, front).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4 << 30).unwrap();
        let start = Instant::now();
        let audited = quorate(home.path(), &["audit", name]);
        assert!(audited.code > 0, "{name}");
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: it was not read");
    }
    // The length follows from the front.
    let front = 12 + collusion.ceremony.canonical().len();
    assert_eq!(
        expected_len(&transcript[..front]).unwrap(),
        u64::try_from(transcript.len()).unwrap()
    );
    // A count of statements that no ceremony leaves is refused before anything is made of it.
    let mut many = Scene::of_four().machines_dossier();
    let at = many.len() - 4;
    many[at..].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(Stopped::parse(&many), Err(ContainerError::Statements { .. })));
    told("A5", &many, &[Code::V1], &[]);
}

#[test]
fn attack_a6_costly_evidence() {
    // Everybody signs two of everything and more, over as many different sets as can be.
    let ceremony = ceremony(&operators(3), 2, ONE_VALIDATOR);
    let all = statements(&ceremony, &operators(3), Crowd::most(3));
    let file = stopped::encode(&ceremony, &all);
    let read = Stopped::parse(&file).unwrap();
    let (faults, work) = judge_counting(&read.ceremony, &read.statements);
    assert_eq!((work.deals, work.commits), (6, 6));
    assert!(work.sums <= 6 && work.combined <= 6, "{work:?}");
    assert!(faults.len() > 3 * 5, "{faults:?}");
    // At the bound it is judged, one statement beyond it is not.
    // Of whoever signs more than two prepares, the two that its commits name are looked into; these
    // hold, and what is said of the others is no more than that.
    let report = told("A6-most", &file, &[Code::V7, Code::V14, Code::V19], &[1, 2, 3]);
    let line = report.line(Code::V12).unwrap();
    assert_eq!(
        line.detail,
        "every operator's statement is here; two of each were looked into, and prove no fault here"
    );
    let more = statements(&ceremony, &operators(3), Crowd { finals: 4, ..Crowd::most(3) });
    let one_more = |statement: &&Statement| {
        let place = (statement.envelope.round, statement.envelope.sender.get());
        place == (Round::Final, 1) || all.contains(statement)
    };
    // Without the others' complaints there is room for it in the count of all.
    let few = |statement: &&Statement| {
        statement.envelope.kind != Kind::Complaint || statement.envelope.sender.get() == 1
    };
    let file = stopped::encode(&ceremony, more.iter().filter(one_more).filter(few));
    let refused = Stopped::parse(&file).unwrap_err();
    let round = Some(Round::Final);
    assert!(
        matches!(refused, ContainerError::Crowd { sender, round: of, most: 3, .. }
            if sender.get() == 1 && of == round),
        "{refused}"
    );
    told("A6", &file, &[Code::V1], &[]);
}

impl Scene {
    /// The evidence of a ceremony in which nothing was said.
    fn machines_dossier(&self) -> Vec<u8> {
        quorate::transcript::stopped::encode(self.ceremony(), [])
    }
}
