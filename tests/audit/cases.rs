//! Transcripts on which two readers of the specification once differed: the checks that fail, those
//! that are not reached, and who is at fault. No statement hides what another one proves, and
//! nobody is named for what another one did.

use std::path::Path;

use quorate::audit::audit;
use quorate::audit::code::Code::{self, *};
use quorate::audit::expectation::Expectations;
use quorate::audit::report::{Report, Status};
use quorate::message::body::{Commit, Final, Prepare};
use quorate::message::envelope::Round;
use quorate::primitives::curve::G2;
use quorate::primitives::hash::{DST_ETHEREUM, Digest};

use crate::common::TWO_VALIDATORS;
use crate::common::collusion::{Hooks, coefficient, collude};

fn codes(report: &Report, status: Status) -> Vec<Code> {
    report.lines().iter().filter(|line| line.status == status).map(|line| line.code).collect()
}

fn at_fault(report: &Report) -> Vec<u16> {
    report.at_fault().iter().map(|index| index.get()).collect()
}

/// What is expected of a file.
struct Case {
    file: &'static str,
    failed: &'static [Code],
    /// Not asked of parts of a ceremony, where nothing more is reached.
    not_reached: Option<&'static [Code]>,
    at_fault: &'static [u16],
    words: &'static str,
}

const CASES: [Case; 11] = [
    Case {
        file: "abandonment-4",
        failed: &[V19],
        not_reached: None,
        at_fault: &[1],
        words: "\"alice\" (operator 1) signed a malformed abandonment in round 2 (deal): awaited",
    },
    Case {
        file: "abandonment-view-root",
        failed: &[V19],
        not_reached: None,
        at_fault: &[1],
        words: "\"alice\" (operator 1) signed a malformed abandonment in round 2 (deal): view root",
    },
    Case {
        file: "amounts-empty",
        failed: &[V2],
        not_reached: Some(&[
            V1, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12, V13, V14, V15, V16, V17,
        ]),
        at_fault: &[],
        words: "not the canonical encoding",
    },
    Case { file: "amounts-null", failed: &[], not_reached: Some(&[]), at_fault: &[], words: "" },
    Case {
        file: "cert",
        failed: &[V3],
        not_reached: Some(&[V4, V5, V6, V7, V8, V9, V10, V11, V12, V13, V14, V15, V16, V17]),
        at_fault: &[],
        words: "operators[1].card: the card signature does not verify",
    },
    Case {
        file: "claim3",
        failed: &[V19],
        not_reached: None,
        at_fault: &[1],
        words: "the share that \"alice\" (operator 1) dealt for validator 2",
    },
    Case { file: "enr-padding", failed: &[], not_reached: Some(&[]), at_fault: &[], words: "" },
    Case {
        file: "hello-view-root-kind2",
        failed: &[V5, V19],
        not_reached: None,
        at_fault: &[1],
        words: "in round 1 (hello), \"alice\" (operator 1) signed a view",
    },
    Case {
        file: "kind1-malformed-hides-others",
        failed: &[V8, V9, V10],
        not_reached: Some(&[V7, V11, V12, V13, V14, V15, V16]),
        at_fault: &[2, 4],
        words: "\"dave\" (operator 4) signed a malformed statement in round 2 (deal)",
    },
    Case {
        file: "last-commit",
        failed: &[V16],
        not_reached: Some(&[]),
        at_fault: &[3],
        words: "\"carol\" (operator 3) signed a malformed statement in round 4 (commit)",
    },
    Case {
        file: "two-faults-kind2",
        failed: &[V7, V10, V19],
        not_reached: None,
        at_fault: &[2],
        words: "the deal of \"bob\" (operator 2) does not open the commitment",
    },
];

#[test]
fn transcripts_get_their_verdicts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors/audit");
    for case in CASES {
        let bytes = std::fs::read(folder.join(format!("{}.quorate", case.file))).unwrap();
        for exhaustive in [false, true] {
            let report = audit(&bytes, &Expectations { exhaustive, ..Expectations::default() });
            let text = quorate::audit::render::to_text(&report);
            let failed: Vec<Code> =
                report.failed().into_iter().filter(|code| *code != Exhaustive).collect();
            assert_eq!(failed, case.failed, "{}: {text}", case.file);
            assert_eq!(at_fault(&report), case.at_fault, "{}: {text}", case.file);
            assert_eq!(report.is_clean(), case.failed.is_empty(), "{}", case.file);
            match case.not_reached {
                Some(codes_there) => {
                    let mut found = codes(&report, Status::NotReached);
                    found.retain(|code| *code != Exhaustive);
                    assert_eq!(found, codes_there, "{}: {text}", case.file);
                    assert_eq!(report.culprits(), None);
                }
                None => {
                    let culprits = report.culprits().unwrap();
                    assert_eq!(culprits, report.at_fault(), "{}", case.file);
                }
            }
            assert!(text.contains(case.words), "{}: {text}", case.file);
        }
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), CASES.len());
}

/// Of either kind, bytes behind the end are not said to be missing.
#[test]
fn too_long_and_cut_off_are_told_apart() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors/audit");
    let bytes = std::fs::read(folder.join("claim3.quorate")).unwrap();
    let detail = |bytes: &[u8]| {
        let report = audit(bytes, &Expectations::default());
        assert_eq!(report.failed(), [V1]);
        report.line(V1).unwrap().detail.clone()
    };
    assert_eq!(detail(&[&bytes[..], &[0]].concat()), "too long: 1 byte after the end");
    assert_eq!(detail(&[&bytes[..], &[0; 9]].concat()), "too long: 9 bytes after the end");
    let last = bytes.len() - 1;
    assert_eq!(detail(&bytes[..last]), "cut off: statement: 1 byte short");
    assert_eq!(detail(&bytes[..13]), format!("cut off: spec: {} bytes short", spec(&bytes) - 1));
}

fn spec(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[8..12].try_into().unwrap())
}

fn report(hooks: Hooks) -> Report {
    let report =
        audit(&collude(3, 2, TWO_VALIDATORS, hooks).transcript(), &Expectations::default());
    assert!(report.audited().is_none() && report.culprits().is_none());
    report
}

/// The whole of what was found, of three operators of whom any two can sign.
fn assert_found(hooks: Hooks, failed: &[Code], not_reached: &[Code], who: &[u16]) -> Report {
    let report = report(hooks);
    let text = quorate::audit::render::to_text(&report);
    assert_eq!(report.failed(), failed, "{text}");
    assert_eq!(codes(&report, Status::NotReached), not_reached, "{text}");
    assert_eq!(at_fault(&report), who, "{text}");
    report
}

/// Breaks the encoding of one statement, and what `also` breaks.
fn malformed(round: Round, seat: usize, also: Hooks) -> Hooks {
    let encoded = move |of, by, body: &mut Vec<u8>| {
        if (of, by) == (round, seat) {
            match round {
                // A one-time key of low order; points and flags that are none.
                Round::Hello => body[96..128].fill(0),
                _ => {
                    let at = body.len() - 4;
                    body[at..].fill(0xff);
                }
            }
        }
    };
    Hooks { encoded: Box::new(encoded), ..also }
}

#[test]
fn a_statement_that_does_not_decode_hides_nothing_of_others() {
    // Of hellos: the deal of another that opens nothing.
    let deal = |seat, body: &mut quorate::message::body::Deal| {
        if seat == 1 {
            body.salt.as_mut().unwrap()[0] ^= 1;
        }
    };
    let hooks = Hooks { deal: Box::new(deal), ..Hooks::default() };
    assert_found(malformed(Round::Hello, 2, hooks), &[V5, V7], &[V17], &[2, 3]);
    // Of prepares: the possession proof of another.
    let prepare = |seat, body: &mut Prepare| {
        if seat == 1 {
            body.stored.as_mut().unwrap().possession = G2::hash(b"anything", DST_ETHEREUM);
        }
    };
    let hooks = Hooks { prepare: Box::new(prepare), ..Hooks::default() };
    assert_found(malformed(Round::Prepare, 2, hooks), &[V12, V13], &[], &[2, 3]);
    // Of commits: the partial signature of another, and what it spoils.
    let commit = |seat, body: &mut Commit| {
        if seat == 0 {
            body.partials[0] = G2::hash(b"anything", DST_ETHEREUM);
        }
    };
    let hooks = Hooks { commit: Box::new(commit), ..Hooks::default() };
    let found = assert_found(malformed(Round::Commit, 2, hooks), &[V15, V16], &[], &[1, 3]);
    let words = &found.line(V16).unwrap().detail;
    assert!(words.contains("\"alice\" (operator 1) on deposit 1 of validator 1"), "{words}");
    assert!(words.contains("\"carol\" (operator 3) signed a malformed"), "{words}");
    // Of finals: the outputs of another.
    let last = |seat, body: &mut Final| {
        if seat == 1 {
            body.outputs = Digest([1; 32]);
        }
    };
    let hooks = Hooks { last: Box::new(last), ..Hooks::default() };
    assert_found(malformed(Round::Final, 2, hooks), &[V14], &[], &[2, 3]);
}

#[test]
fn a_statement_that_does_not_open_hides_nothing_of_others_and_blames_nobody() {
    let signed_by_another =
        |round, seat| move |of, by| if (of, by) == (round, seat) { (seat + 1) % 3 } else { by };
    let deal = |seat, body: &mut quorate::message::body::Deal| {
        if seat == 1 {
            body.salt.as_mut().unwrap()[0] ^= 1;
        }
    };
    let hooks = Hooks {
        deal: Box::new(deal),
        signer: Box::new(signed_by_another(Round::Deal, 2)),
        ..Hooks::default()
    };
    let beyond = [V8, V9, V10, V11, V12, V13, V14, V15, V16];
    assert_found(hooks, &[V6, V7], &beyond, &[2]);
    let prepare = |seat, body: &mut Prepare| {
        if seat == 1 {
            body.stored.as_mut().unwrap().sums_root = Digest([1; 32]);
            body.stored.as_mut().unwrap().possession = G2::hash(b"anything", DST_ETHEREUM);
        }
    };
    let hooks = Hooks {
        prepare: Box::new(prepare),
        signer: Box::new(signed_by_another(Round::Prepare, 2)),
        ..Hooks::default()
    };
    assert_found(hooks, &[V12, V13], &[V14, V16], &[2]);
}

#[test]
fn every_operator_that_breaks_a_rule_is_named() {
    let prepare = |seat, body: &mut Prepare| {
        if seat != 1 {
            body.stored.as_mut().unwrap().possession = G2::hash(b"anything", DST_ETHEREUM);
        }
    };
    let hooks = Hooks { prepare: Box::new(prepare), ..Hooks::default() };
    assert_found(hooks, &[V13], &[], &[1, 3]);
    let commit = |seat, body: &mut Commit| {
        if seat != 1 {
            body.partials[0] = G2::hash(b"anything", DST_ETHEREUM);
        }
    };
    let hooks = Hooks { commit: Box::new(commit), ..Hooks::default() };
    assert_found(hooks, &[V15, V16], &[], &[1, 3]);
    let deal = |seat, body: &mut quorate::message::body::Deal| {
        if seat != 1 {
            body.proof.as_mut().unwrap().z =
                body.proof.unwrap().z + quorate::primitives::curve::Scalar::one();
        }
    };
    let hooks = Hooks { deal: Box::new(deal), ..Hooks::default() };
    assert_found(hooks, &[V10], &[], &[1, 3]);
}

/// An operator that was shown other statements than those here has answered rightly for those. It
/// is suspected for its view, with the author of the other statement, and for nothing that follows.
#[test]
fn nobody_is_blamed_for_what_follows_from_other_statements() {
    let prepare = |seat, body: &mut Prepare| {
        if seat == 2 {
            body.view[0] = Digest([1; 32]);
            body.stored.as_mut().unwrap().sums_root = Digest([2; 32]);
            body.stored.as_mut().unwrap().possession = G2::hash(b"of other sums", DST_ETHEREUM);
        }
    };
    let commit = |seat, body: &mut Commit| {
        if seat == 2 {
            body.partials[0] = G2::hash(b"of other sums", DST_ETHEREUM);
        }
    };
    let hooks = Hooks { prepare: Box::new(prepare), commit: Box::new(commit), ..Hooks::default() };
    let found = assert_found(hooks, &[V12], &[V13, V14, V16], &[]);
    let words = &found.line(V12).unwrap().detail;
    assert!(words.contains("a different statement of \"alice\" (operator 1)"), "{words}");
    assert!(!words.contains("the root of the sums"), "{words}");

    // Its own second prepare is another one than the one here: it has signed two, and neither
    // judges the other.
    let commit = |seat, body: &mut Commit| {
        if seat == 2 {
            body.view[2] = Digest([1; 32]);
            body.partials[0] = G2::hash(b"of other sums", DST_ETHEREUM);
        }
    };
    let hooks = Hooks { commit: Box::new(commit), ..Hooks::default() };
    assert_found(hooks, &[V14], &[V16], &[]);

    let last = |seat, body: &mut Final| {
        if seat == 2 {
            body.view[0] = Digest([1; 32]);
            body.outputs = Digest([2; 32]);
        }
    };
    let hooks = Hooks { last: Box::new(last), ..Hooks::default() };
    let found = assert_found(hooks, &[V14], &[], &[]);
    let words = &found.line(V14).unwrap().detail;
    assert!(!words.contains("output digest"), "{words}");
}

/// Who copied a constant term does not know it, and the one it copied from is not blamed; two who
/// both know it are.
#[test]
fn a_copied_constant_is_its_copiers_fault() {
    let shared = |seat, v, k| {
        if (seat, v, k) == (1, 1, 0) { coefficient(0, 0, 0) } else { coefficient(seat, v, k) }
    };
    let hooks = Hooks { coefficient: Box::new(shared), ..Hooks::default() };
    assert_found(hooks, &[V9], &[], &[1, 2]);
    let shared = |seat, v, k| {
        if (seat, v, k) == (1, 1, 0) { coefficient(0, 0, 0) } else { coefficient(seat, v, k) }
    };
    let deal = |seat, body: &mut quorate::message::body::Deal| {
        if seat == 1 {
            body.proof.as_mut().unwrap().z =
                body.proof.unwrap().z + quorate::primitives::curve::Scalar::one();
        }
    };
    let hooks = Hooks { coefficient: Box::new(shared), deal: Box::new(deal), ..Hooks::default() };
    let found = assert_found(hooks, &[V9, V10], &[], &[2]);
    let words = &found.line(V9).unwrap().detail;
    assert!(
        words.starts_with(
            "\"bob\" (operator 2) for validator 2 used the constant term of \"alice\""
        )
    );
}
