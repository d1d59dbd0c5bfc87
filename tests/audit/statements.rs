//! The audit of sets of statements: they show faults, and of the ceremony's end no more than what
//! they hold.

use quorate::audit::completed::completed;
use quorate::audit::expectation::Expectations;
use quorate::audit::render::{Author, to_html, to_json, to_text};
use quorate::audit::report::Verdict;
use quorate::audit::stopped::prepared;
use quorate::audit::{audit, code::Code};
use quorate::message::body::Final;
use quorate::message::envelope::{Round, Statement, view_root};
use quorate::message::shape::Shape;
use quorate::primitives::hash::Digest;
use quorate::protocol::judge::judge;
use quorate::spec::threshold::Index;
use quorate::transcript::stopped;

use crate::common::TWO_VALIDATORS;
use crate::common::collusion::{Collusion, Hooks, collude};

fn honest() -> Collusion {
    collude(3, 2, TWO_VALIDATORS, Hooks::default())
}

/// Another final of operator 1 over the same commits, with another output digest.
fn second_final(collusion: &Collusion, statements: &[Statement]) -> Statement {
    let first = &statements[statements.len() - 3];
    let shape = Shape::of(&collusion.ceremony);
    let mut body = Final::decode(first.body(), &shape, first.envelope.sender).unwrap();
    body.outputs = Digest([1; 32]);
    let (key, envelope) = (collusion.operators[0].key(), &first.envelope);
    assert_eq!((envelope.round, envelope.sender), (Round::Final, Index::new(1).unwrap()));
    let root = view_root(&body.view);
    Statement::sign(key, envelope.sender, Round::Final, envelope.session, root, &body.encode())
}

/// What all that can be read of a file says about its ceremony's end.
fn told(file: &[u8], certificate: Option<Digest>) -> String {
    let report = audit(file, &Expectations::default());
    assert_eq!((report.verdict(), report.completed()), (Verdict::Statements, certificate));
    assert!(!report.is_clean() && report.failed().contains(&Code::V19));
    let json: serde_json::Value = serde_json::from_slice(&to_json(&report)).unwrap();
    assert_eq!(json["verdict"], "statements");
    let hexed = certificate.map(|certificate| format!("0x{}", hex::encode(certificate.as_bytes())));
    assert_eq!(json["completed"], serde_json::json!(hexed));
    assert_eq!(json["certificate"], serde_json::Value::Null);
    let (text, page) = (to_text(&report), to_html(&report, Author::Auditor));
    assert!(text.starts_with("STATEMENTS ONLY: this is a set of statements and no transcript. "));
    for shown in [&text, &page, &json.to_string()] {
        let shown = shown.to_lowercase();
        for beyond in ["not completed", "never completed", "never deposit", "may be used"] {
            assert!(!shown.contains(beyond), "{beyond}: {shown}");
        }
        // What is known is said everywhere, and nothing else.
        assert_eq!(shown.contains("hold a completed ceremony"), certificate.is_some(), "{shown}");
        assert_eq!(shown.contains("not show whether the ceremony was"), certificate.is_none());
    }
    assert!(page.contains("<p class=\"verdict bad\">STATEMENTS ONLY"));
    text
}

#[test]
fn a_transcript_made_into_statements_is_told_as_the_completed_ceremony_that_it_is() {
    let collusion = honest();
    let statements = collusion.statements();
    let transcript = audit(&collusion.transcript(), &Expectations::default());
    let certificate = transcript.audited().unwrap().certificate();
    // By hand, as anybody can: another kind, and a count.
    let good = collusion.transcript();
    let front = 12 + collusion.ceremony.canonical().len();
    let count = u32::try_from(statements.len()).unwrap().to_be_bytes();
    let mut made = [&good[..front], &count, &good[front..]].concat();
    made[6] = 2;
    // Statements stand by sender and digest, and here there is one of each sender.
    assert_eq!(made, stopped::encode(&collusion.ceremony, &statements));
    let text = told(&made, Some(certificate));
    assert!(text.contains("its keys may be in use") && text.contains("prove nobody at fault"));
    assert!(text.contains(&certificate.to_string()));
    // One statement less, whichever, shows nothing.
    for gone in 0..statements.len() {
        let some = [&statements[..gone], &statements[gone + 1..]].concat();
        told(&stopped::encode(&collusion.ceremony, &some), None);
    }
    told(&stopped::encode(&collusion.ceremony, []), None);
}

#[test]
fn evidence_of_two_finals_says_nothing_of_the_end_unless_it_holds_it() {
    let collusion = honest();
    let mut statements = collusion.statements();
    let second = second_final(&collusion, &statements);
    statements.push(second);
    let faults = judge(&collusion.ceremony, &statements);
    let certificate = audit(&collusion.transcript(), &Expectations::default());
    let certificate = certificate.audited().unwrap().certificate();
    // The fault alone, as an operator keeps it.
    let alone = told(&stopped::encode(&collusion.ceremony, &faults[0].evidence), None);
    assert!(alone.contains("They prove a fault of"));
    // With everything else the certificate is there, whichever of the two comes first.
    told(&stopped::encode(&collusion.ceremony, &statements), Some(certificate));
    let held: Vec<&Statement> = statements.iter().rev().collect();
    assert_eq!(completed(&collusion.ceremony, &held, &faults), Some(certificate));
    // Without the judge's word on which of the two is wrong, it is found all the same.
    assert_eq!(completed(&collusion.ceremony, &held, &[]), Some(certificate));
}

/// Who says that its shares are stored, and nobody who has said anything else.
#[test]
fn whoever_has_prepared_is_named() {
    let collusion = honest();
    let statements = collusion.statements();
    let of = |round: Round, most: u16| {
        let wanted = move |held: &&Statement| {
            held.envelope.round == round && held.envelope.sender.get() <= most
        };
        statements.iter().filter(wanted).collect::<Vec<_>>()
    };
    let told = |held: &[&Statement]| prepared(&collusion.ceremony, held);
    let before = [of(Round::Hello, 3), of(Round::Deal, 3)].concat();
    assert_eq!(told(&before), None);
    let two = told(&[before, of(Round::Prepare, 2)].concat());
    let words = "\"alice\" (operator 1), \"bob\" (operator 2) signed that shares are stored";
    assert_eq!(two.as_deref(), Some(words));
}

/// Finals that all name the same commits are not enough: the transcript of them has to be clean.
#[test]
fn finals_that_agree_on_something_false_complete_nothing() {
    let all =
        Hooks { last: Box::new(|_, last| last.outputs = Digest([1; 32])), ..Hooks::default() };
    let collusion = collude(3, 2, TWO_VALIDATORS, all);
    told(&stopped::encode(&collusion.ceremony, &collusion.statements()), None);
}
