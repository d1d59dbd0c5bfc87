//! Transcripts of reshares, alone and with those of their parents.

use quorate::audit::chain::{LinkError, shares_are_new};
use quorate::audit::code::Code;
use quorate::audit::expectation::{Expectations, differences};
use quorate::audit::family::Unrelated;
use quorate::audit::report::{Report, Status, Verdict};
use quorate::audit::{NotOwn, audit, audit_all, own};
use quorate::message::envelope::{ENVELOPE_BYTES, Statement};
use quorate::primitives::hash::Digest;
use quorate::simulation::repair::repair_toml;
use quorate::simulation::reshare::{Part, minima, reshare, reshare_toml};
use quorate::spec::{Ceremony, CeremonyFile};
use quorate::transcript::container::{self, Container, ContainerError, Header, expected_len};
use quorate::transcript::stopped;

use super::common::{Machine, TWO_VALIDATORS, honest, machines, run};

/// A finished key generation of four, three of whom sign.
fn parent() -> Vec<Machine> {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    all
}

/// A finished reshare of the first validator: alice and bob stay, carol leaves, erin comes.
fn child(parents: &[Machine]) -> Vec<Machine> {
    let parts: [Part; 5] = [
        ("alice", true, true),
        ("bob", true, true),
        ("carol", true, false),
        ("dave", false, true),
        ("erin", false, true),
    ];
    finished(reshare(parents, &parts, 3, &[0]))
}

/// A finished reshare of that one: bob, dave and erin deal, and go on.
fn grandchild(parents: &[Machine]) -> Vec<Machine> {
    let parts: [Part; 3] = [("bob", true, true), ("dave", true, true), ("erin", true, true)];
    finished(reshare(parents, &parts, 2, &[0]))
}

fn finished(mut all: Vec<Machine>) -> Vec<Machine> {
    run(&mut all, &mut honest);
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        let height = 100 + u64::from(machine.seat.me.get());
        machine.stop(minima(1, height)).unwrap().unwrap();
    }
    run(&mut all, &mut honest);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    all
}

fn transcript(machine: &Machine) -> Vec<u8> {
    let inbox = machine.participant().inbox();
    let all = inbox.statements().chain(inbox.minima());
    container::encode(&machine.seat.ceremony, all).unwrap()
}

fn certificate(machine: &Machine) -> Digest {
    machine.participant().outcome().unwrap().certificate
}

fn together(files: &[&[u8]]) -> Report {
    audit_all(files, &Expectations::default()).unwrap()
}

fn status(report: &Report, code: Code) -> Status {
    report.line(code).unwrap().status
}

#[test]
fn a_chain_holds_in_any_order() {
    let first = parent();
    let second = child(&first);
    let third = grandchild(&second);
    let files = [transcript(&first[0]), transcript(&second[3]), transcript(&third[2])];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let report = together(&order.map(|at| files[at].as_slice()));
        assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.lines());
        let audited = report.audited().unwrap();
        assert_eq!(audited.certificate(), certificate(&third[0]));
        // Shares that were not dealt anew would be found.
        let again = LinkError::SameShare { number: 1 };
        assert_eq!(shares_are_new(audited, audited), Err(again));
        let line = report.line(Code::V18).unwrap();
        assert_eq!(line.status, Status::Passed);
        for generation in [&first, &second] {
            assert!(line.detail.contains(&certificate(&generation[0]).to_string()), "{line:?}");
        }
        assert_eq!(status(&report, Code::V20), Status::Passed);
        for code in [Code::V9, Code::V10, Code::V15, Code::V16] {
            assert_eq!(status(&report, code), Status::NotApplicable, "{code}");
        }
        let born = first[0].participant().outcome().unwrap().validators[0].public_key;
        assert_eq!(audited.validators()[0].public_key, born);
    }
    // Exactly, and against the ceremony that its reader expects.
    let expectations = Expectations {
        ceremony: Some(&third[0].seat.ceremony),
        exhaustive: true,
        ..Expectations::default()
    };
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let report = audit_all(&files, &expectations).unwrap();
    assert_eq!(report.verdict(), Verdict::Verified, "{:?}", report.lines());
}

#[test]
fn a_missing_link_is_named() {
    let first = parent();
    let second = child(&first);
    let third = grandchild(&second);
    let files = [transcript(&second[0]), transcript(&third[0])];
    for (given, missing) in [
        (vec![&files[1][..]], certificate(&second[0])),
        (vec![&files[0][..]], certificate(&first[0])),
        (vec![&files[1][..], &files[0][..]], certificate(&first[0])),
    ] {
        let report = together(&given);
        assert_eq!(report.verdict(), Verdict::Unlinked);
        assert!(report.failed().is_empty() && report.audited().is_none() && !report.is_clean());
        // Of one alone nothing is said about others of its parent.
        assert_eq!(status(&report, Code::V20) == Status::Passed, given.len() > 1);
        let line = report.line(Code::V18).unwrap();
        let detail = format!("the transcript with the certificate {missing} was not given");
        assert_eq!((line.status, &line.detail), (Status::NotReached, &detail));
    }
    // With the oldest and without the one between, in either order: the one between is missing.
    let (oldest, newest) = (transcript(&first[0]), files[1].as_slice());
    for given in [[oldest.as_slice(), newest], [newest, oldest.as_slice()]] {
        let report = together(&given);
        assert_eq!(report.verdict(), Verdict::Unlinked);
        let line = report.line(Code::V18).unwrap();
        let missing = certificate(&second[0]);
        let detail = format!("the transcript with the certificate {missing} was not given");
        assert_eq!((line.status, &line.detail), (Status::NotReached, &detail));
        assert_eq!(report.transcript(), container::digest(newest));
    }
    // Of other keys, they do not belong together, whatever is missing.
    let mut others = machines(3, 2, TWO_VALIDATORS);
    run(&mut others, &mut honest);
    let others = transcript(&others[0]);
    let unrelated = audit_all(&[&others, newest], &Expectations::default()).err().unwrap();
    assert_eq!(unrelated, Unrelated { first: 0, second: 1, broken: None, common: false });
    let words = "files 1 and 2 are not generations of the same keys";
    assert_eq!(unrelated.to_string(), words);
}

#[test]
fn two_children_of_one_parent_fail_together() {
    let first = parent();
    let (one, other) = (child(&first), {
        let parts: [Part; 4] = [
            ("alice", true, true),
            ("bob", true, true),
            ("carol", true, true),
            ("dave", true, true),
        ];
        finished(reshare(&first, &parts, 3, &[0]))
    });
    let files = [transcript(&first[0]), transcript(&one[0]), transcript(&other[0])];
    let report = together(&[&files[0], &files[1], &files[2]]);
    assert_eq!((report.verdict(), report.failed()), (Verdict::Failed, vec![Code::V20]));
    let detail = &report.line(Code::V20).unwrap().detail;
    for child in [&one, &other] {
        assert!(detail.contains(&certificate(&child[0]).to_string()), "{detail}");
    }
    // Each of them alone with its parent is sound: nobody can see what is not there.
    for at in [1, 2] {
        assert_eq!(together(&[&files[0], &files[at]]).verdict(), Verdict::Sound);
    }
}

#[test]
fn what_was_altered_fails_the_check_that_sees_it() {
    let first = parent();
    let second = child(&first);
    let (oldest, good) = (transcript(&first[0]), transcript(&second[0]));
    let failed = |bytes: &[u8]| together(&[bytes, &oldest]).failed();
    let alone = |bytes: &[u8]| audit(bytes, &Expectations::default()).failed();
    assert_eq!(failed(&good), vec![]);
    let spec = Header::parse(&good).unwrap().prefix_bytes();
    let said = ENVELOPE_BYTES + 25;
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] ^= byte;
        bytes
    };
    // The rows: a point that is none, and other points that are.
    assert_eq!(alone(&with(spec + 95, 1)), vec![Code::V2]);
    let swapped = {
        let mut bytes = good.clone();
        bytes[spec + 96..spec + 288].rotate_left(96);
        bytes
    };
    assert_eq!(alone(&swapped), vec![Code::V2]);
    // The kind of the container.
    assert_eq!(alone(&with(6, 3 ^ 1)), vec![Code::V2]);
    // Minima: out of order, of another dealer, forged, one too few, more than can be.
    let end = good.len();
    let exchanged = {
        let mut bytes = good.clone();
        bytes[end - 2 * said..].rotate_left(said);
        bytes
    };
    assert_eq!(alone(&exchanged), vec![Code::V14]);
    assert_eq!(alone(&with(end - 1, 1)), vec![Code::V14]);
    let fewer = {
        let mut bytes = good[..end - said].to_vec();
        let count = end - 3 * said - 1;
        assert_eq!(bytes[count], 3);
        bytes[count] = 2;
        bytes
    };
    assert_eq!(alone(&fewer), vec![Code::V14]);
    assert_eq!(alone(&good[..end - 1]), vec![Code::V1]);
    assert_eq!(alone(&with(end - 3 * said - 1, 4)), vec![Code::V1]);
    let crowd = Container::parse(&with(end - 3 * said - 1, 4)).err().unwrap();
    assert!(matches!(crowd, ContainerError::Minima { most: 6, actual: 7 }), "{crowd}");
    // Minima that their dealer has signed, and that do not decode.
    let (dealer, key) = (second[2].seat.me, second[2].seat.operator.clone());
    let session = second[2].participant().inbox().session().unwrap();
    let mut body = minima(1, 103).encode();
    body[0] = 2;
    let lie = Statement::sign_minima(key.key(), dealer, session, &body);
    let malformed = [&good[..end - said], lie.bytes()].concat();
    assert_eq!(alone(&malformed), vec![Code::V14]);
    let found = audit(&malformed, &Expectations::default());
    assert!(found.line(Code::V14).unwrap().detail.contains("unknown flag"));
    // Its own audit does not call that checked, nor other minima than its own.
    for bytes in [&malformed, &exchanged] {
        let refused = own(second[0].participant(), bytes).err();
        assert!(matches!(refused, Some(NotOwn::Minima)), "{refused:?}");
    }
    // A bit of each statement: what was signed, fails.
    let statements = Container::parse(&good).unwrap();
    let mut at = spec + 288;
    for (round, sender) in statements.shape().slots() {
        let size = statements.statement(round, sender).unwrap().len();
        assert!(!alone(&with(at + size - 1, 1)).is_empty(), "{round:?} {sender}");
        at += size;
    }
    assert_eq!(at + 2 + 3 * said, end);
    // A length that follows from the front bounds what is read.
    assert_eq!(expected_len(&good[..spec]).unwrap(), u64::try_from(end + 3 * said).unwrap());
}

#[test]
fn its_own_report_says_the_same() {
    let first = parent();
    for machine in child(&first) {
        let bytes = transcript(&machine);
        let (ours, theirs) =
            (own(machine.participant(), &bytes).unwrap(), audit(&bytes, &Expectations::default()));
        for line in theirs.lines() {
            let same = ours.line(line.code).unwrap();
            assert_eq!(same.status, line.status, "{}", line.code);
            if line.code != Code::V18 {
                assert_eq!(same.detail, line.detail, "{}", line.code);
            }
        }
        assert_eq!(ours.lines().len(), theirs.lines().len());
    }
}

#[test]
fn a_set_of_statements_stands_alone() {
    let first = parent();
    let second = child(&first);
    let inbox = second[0].participant().inbox();
    let file = stopped::encode(&second[0].seat.ceremony, inbox.everything());
    let report = audit(&file, &Expectations::default());
    assert_eq!(report.verdict(), Verdict::Statements);
    assert_eq!(report.culprits(), Some(&[][..]));
    assert_eq!(report.completed(), Some(certificate(&second[0])));
    let read = stopped::Stopped::parse(&file).unwrap();
    assert_eq!(read.statements.len(), inbox.everything().count());
    assert!(read.ceremony.parent_shares().is_some());
}

fn ceremony(toml: &str) -> Ceremony {
    Ceremony::try_from(CeremonyFile::parse_toml(toml).unwrap()).unwrap()
}

/// `text` with the first `old` of the operator `at`, or of one behind it, exchanged.
fn behind(text: &str, at: usize, old: &str, new: &str) -> String {
    let start = text.match_indices("[[operators]]").nth(at - 1).unwrap().0;
    let (before, after) = text.split_at(start);
    assert!(after.contains(old), "{after}");
    format!("{before}{}", after.replacen(old, new, 1))
}

/// What a reshare has besides a key generation is compared like everything else, and named as in
/// its file: no two files that differ in it are said to differ in a card.
#[test]
fn fields_of_a_reshare_that_differ_are_named() {
    let parents = parent();
    let parts: [Part; 4] =
        [("alice", true, true), ("bob", true, true), ("carol", true, true), ("dave", true, true)];
    let toml = reshare_toml(&parents, &parts, 3, &[0, 1]);
    let expected = ceremony(&toml);
    let spec = expected.reshare().unwrap();
    let swapped = |digest: Digest| {
        let hex = digest.to_string();
        toml.replacen(&hex, &format!("{}{}", &hex[32..], &hex[..32]), 1)
    };
    let key = hex::encode(spec.validators[1].key);
    let other_key = format!("{}{}", &key[..64], "11".repeat(16));
    let parent = spec.origin.parent().unwrap();
    let dave = "deals = 4\nold_point = 4\n";
    let changed: Vec<(String, &[&str])> = vec![
        (swapped(parent.certificate), &["parent.certificate"]),
        (swapped(parent.rows), &["parent.rows"]),
        (toml.replacen("operators = 4", "operators = 5", 1), &["parent.operators"]),
        (
            behind(&toml, 4, dave, "witness = 4\nold_point = 4\n"),
            &["operator 4, deals", "operator 4, witness"],
        ),
        (behind(&toml, 4, dave, ""), &["operator 4, deals", "operator 4, old_point"]),
        (behind(&toml, 4, "old_point = 4", "old_point = 9"), &["operator 4, old_point"]),
        (
            behind(&toml, 4, dave, &format!("{dave}receives = false\n")),
            &["operator 4, point", "operator 4, receives"],
        ),
        (toml.replacen("first = 2", "first = 3", 1), &["validator 2, first"]),
        (toml.replacen(&key, &other_key, 1), &["validator 2, key"]),
    ];
    for (toml, paths) in &changed {
        let other = ceremony(toml);
        let found = differences(&other, &expected);
        let found: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(found, *paths);
    }
    let repair = ceremony(&repair_toml(&parents, "dave", &["alice", "bob", "carol"]));
    let found = differences(&expected, &repair);
    let told = |path: &str| {
        let one = found.iter().find(|one| one.path == path);
        one.map(|one| (one.expected.as_str(), one.found.as_str()))
    };
    assert_eq!(told("kind"), Some(("reshare", "repair")));
    assert_eq!(told("operator 4, regains"), Some(("none", "4")));
    // Nobody else regains anything.
    assert_eq!(told("operator 1, regains"), None);
}
