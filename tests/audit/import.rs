//! Transcripts of imports: alone, two of one key, and as the oldest of a chain.

use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::family::Unrelated;
use quorate::audit::render::{Author, to_html, to_json, to_text};
use quorate::audit::report::{Report, Status, Verdict};
use quorate::audit::{audit, audit_all, own};
use quorate::primitives::hash::Digest;
use quorate::signing::Parent;
use quorate::simulation::import::import;
use quorate::simulation::reshare::{Part, minima, reshare};
use quorate::transcript::container::{self, Container, ContainerKind, Header, expected_len};
use quorate::transcript::stopped;

use super::common::{Machine, honest, machines, run};

const WHOLE: &str = "The keys were whole in the hands of \"bob\", always will have been, and may \
                     have been imported elsewhere.";

fn finished(mut all: Vec<Machine>) -> Vec<Machine> {
    run(&mut all, &mut honest);
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        let v = machine.seat.ceremony.v();
        machine.stop(minima(v, 100)).unwrap().unwrap();
    }
    run(&mut all, &mut honest);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    all
}

/// A finished import of these keys by bob, who stays: any two of three.
fn imported(labels: &[&str]) -> Vec<Machine> {
    finished(import(&["alice", "bob", "carol"], (1, true), 2, labels))
}

/// A finished reshare of its first validator.
fn child(parents: &[Machine]) -> Vec<Machine> {
    let parts: [Part; 3] = [("alice", true, true), ("bob", true, true), ("dave", false, true)];
    finished(reshare(parents, &parts, 2, &[0]))
}

fn transcript(machine: &Machine) -> Vec<u8> {
    let inbox = machine.participant().inbox();
    let all = inbox.statements().chain(inbox.minima());
    container::encode(&machine.seat.ceremony, all).unwrap()
}

fn certificate(machine: &Machine) -> Digest {
    machine.participant().outcome().unwrap().certificate
}

fn alone(bytes: &[u8]) -> Report {
    audit(bytes, &Expectations::default())
}

fn together(files: &[&[u8]]) -> Report {
    audit_all(files, &Expectations::default()).unwrap()
}

#[test]
fn an_import_stands_alone_and_says_first_that_its_keys_were_whole() {
    let all = imported(&["one", "two"]);
    let bytes = transcript(&all[0]);
    assert_eq!(Header::parse(&bytes).unwrap().kind(), ContainerKind::Reshared);
    let expectations = Expectations {
        ceremony: Some(&all[0].seat.ceremony),
        exhaustive: true,
        ..Expectations::default()
    };
    let report = audit(&bytes, &expectations);
    assert_eq!(report.verdict(), Verdict::Verified, "{:?}", report.lines());
    let report = alone(&bytes);
    assert_eq!(report.verdict(), Verdict::Sound);
    for code in [Code::V9, Code::V10, Code::V15, Code::V16, Code::V18] {
        assert_eq!(report.line(code).unwrap().status, Status::NotApplicable, "{code}");
    }
    assert!(report.line(Code::V18).unwrap().detail.contains("whole in the hands of \"bob\""));
    assert_eq!(report.whole_keys().as_deref(), Some(WHOLE));
    assert!(to_text(&report).starts_with(WHOLE));
    assert!(to_text(&report).contains("After the import"));
    let page = to_html(&report, Author::Auditor);
    let (sentence, verdict) = (page.find("always will have been"), page.find("SOUND"));
    assert!(sentence.is_some() && sentence < verdict);
    let json: serde_json::Value = serde_json::from_slice(&to_json(&report)).unwrap();
    assert_eq!(json["whole_keys"], WHOLE);
    assert!(report.before_deposit().is_empty());
    let audited = report.audited().unwrap();
    assert!(audited.is_imported() && audited.deposits().is_empty());
    assert!(Parent::audited(audited).is_claimed());
    // Its operator's own report says the same.
    let ours = own(all[0].participant(), &bytes).unwrap();
    assert_eq!(ours.lines(), report.lines());
    assert_eq!(ours.whole_keys(), report.whole_keys());
    assert!(ours.audited().unwrap().is_imported());
    // And of a key generation nothing of this is said.
    let mut born = machines(3, 2, super::common::TWO_VALIDATORS);
    run(&mut born, &mut honest);
    let bytes = transcript(&born[0]);
    let report = alone(&bytes);
    assert_eq!(report.whole_keys(), None);
    let ours = own(born[0].participant(), &bytes).unwrap();
    assert!(!ours.audited().unwrap().is_imported() && ours.whole_keys().is_none());
    assert!(!Parent::audited(report.audited().unwrap()).is_claimed());
}

#[test]
fn a_chain_may_end_at_an_import_and_says_so() {
    let first = imported(&["one", "two"]);
    let second = child(&first);
    let (oldest, newest) = (transcript(&first[2]), transcript(&second[0]));
    for files in [[&oldest[..], &newest[..]], [&newest[..], &oldest[..]]] {
        let report = together(&files);
        assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.lines());
        let line = report.line(Code::V18).unwrap();
        assert_eq!(line.status, Status::Passed);
        assert!(line.detail.contains(&certificate(&first[0]).to_string()), "{line:?}");
        assert!(line.detail.contains("which is an import: the keys were whole"), "{line:?}");
        assert_eq!(report.whole_keys().as_deref(), Some(WHOLE));
        assert!(to_text(&report).starts_with(WHOLE));
        let audited = report.audited().unwrap();
        assert_eq!(audited.certificate(), certificate(&second[0]));
        assert!(Parent::audited(audited).is_claimed());
    }
    // Without it nothing is known of where the keys come from.
    let report = alone(&newest);
    assert_eq!((report.verdict(), report.whole_keys()), (Verdict::Unlinked, None));
}

#[test]
fn two_imports_of_one_key_fail_together() {
    let (one, other) = (imported(&["one", "two"]), imported(&["two", "three"]));
    let strange = imported(&["four"]);
    let files = [transcript(&one[0]), transcript(&other[0]), transcript(&strange[0])];
    let report = together(&[&files[0], &files[1]]);
    assert_eq!((report.verdict(), report.failed()), (Verdict::Failed, vec![Code::V20]));
    let detail = &report.line(Code::V20).unwrap().detail;
    for import in [&one, &other] {
        assert!(detail.contains(&certificate(&import[0]).to_string()), "{detail}");
    }
    // Imports of other keys have nothing to do with each other.
    assert_eq!(
        audit_all(&[&files[0], &files[2]], &Expectations::default()).err(),
        Some(Unrelated { first: 0, second: 1, broken: None, common: false })
    );
    assert_eq!(together(&[&files[0], &files[0]]).verdict(), Verdict::Sound);
}

#[test]
fn what_was_altered_fails_the_check_that_sees_it() {
    let all = imported(&["one"]);
    let good = transcript(&all[0]);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] ^= byte;
        bytes
    };
    // A container of a key generation holds no import.
    assert_eq!(alone(&with(6, 3 ^ 1)).failed(), vec![Code::V2]);
    // The last byte of each statement, and of the minima.
    let container = Container::parse(&good).unwrap();
    let mut at = Header::parse(&good).unwrap().prefix_bytes();
    for (round, sender) in container.shape().slots() {
        at += container.statement(round, sender).unwrap().len();
        assert!(!alone(&with(at - 1, 1)).failed().is_empty(), "{round:?} {sender}");
    }
    assert_eq!(alone(&with(good.len() - 1, 1)).failed(), vec![Code::V14]);
    let said = container.minima()[0].len();
    assert_eq!((container.minima().len(), at + 2 + said), (1, good.len()));
    let longest = u64::try_from(good.len() + said).unwrap();
    assert_eq!(expected_len(&good).unwrap(), longest);
}

#[test]
fn a_set_of_its_statements_needs_nothing_else() {
    let all = imported(&["one"]);
    let inbox = all[0].participant().inbox();
    let file = stopped::encode(&all[0].seat.ceremony, inbox.everything());
    let report = alone(&file);
    assert_eq!(report.verdict(), Verdict::Statements);
    assert_eq!(report.culprits(), Some(&[][..]));
    assert_eq!(report.completed(), Some(certificate(&all[0])));
    let read = stopped::Stopped::parse(&file).unwrap();
    assert_eq!(read.statements.len(), inbox.everything().count());
}
