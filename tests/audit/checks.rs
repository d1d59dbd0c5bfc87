//! The auditor: which transcripts pass, what each check stops, and that no byte of a transcript can
//! change unnoticed.

use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::{Report, Status};
use quorate::audit::{audit, first_failure};
use quorate::message::body::Final;
use quorate::message::envelope::Round;
use quorate::message::shape::Shape;
use quorate::primitives::curve::{G2, Scalar};
use quorate::primitives::hash::{DST_ETHEREUM, Digest};
use quorate::transcript::container;

use crate::common::collusion::{Collusion, Hooks, coefficient, collude};
use crate::common::{TWO_VALIDATORS, honest, machines, run, statements};

const ONE_VALIDATOR: &str = "[[validators]]\nwithdrawal = \
                             \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\n";

fn plain(bytes: &[u8]) -> Report {
    audit(bytes, &Expectations::default())
}

fn with(hooks: Hooks) -> Collusion {
    collude(3, 2, TWO_VALIDATORS, hooks)
}

/// Exactly these checks fail, and both ways of auditing agree.
fn assert_fails(bytes: &[u8], codes: &[Code]) -> Report {
    let report = plain(bytes);
    assert_eq!(report.failed(), codes, "{}", quorate::audit::render::to_text(&report));
    assert!(report.audited().is_none() && !report.is_clean());
    assert!(codes.contains(&first_failure(bytes).unwrap()));
    report
}

fn stops(hooks: Hooks, codes: &[Code], words: &str) -> Report {
    let report = assert_fails(&with(hooks).transcript(), codes);
    let detail = &report.line(codes[0]).unwrap().detail;
    assert!(detail.contains(words), "{detail}");
    report
}

fn not_reached(report: &Report) -> Vec<Code> {
    report
        .lines()
        .iter()
        .filter(|line| line.status == Status::NotReached)
        .map(|line| line.code)
        .collect()
}

#[test]
fn an_honest_ceremony_passes_every_check() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    let ceremony = all[0].seat.ceremony.clone();
    let bytes = container::encode(&ceremony, &statements(&all[0])).unwrap();
    let report = plain(&bytes);
    assert!(report.is_clean(), "{}", quorate::audit::render::to_text(&report));
    assert_eq!(first_failure(&bytes), None);
    assert_eq!(report.lines().len(), 20);
    for line in report.lines() {
        let applies = line.code <= Code::V16;
        assert_eq!(
            line.status,
            if applies { Status::Passed } else { Status::NotApplicable },
            "{:?}",
            line.code
        );
    }
    let audited = report.audited().unwrap();
    let outcome = all[0].participant().outcome().unwrap();
    assert_eq!((audited.dkg(), audited.outputs()), (outcome.digest, outcome.outputs));
    assert_eq!(audited.validators(), outcome.validators);
    assert_eq!(audited.deposits().len(), 3);
    assert!(audited.registration(0).is_none() && audited.registration(1).is_some());
    assert_eq!(
        container::expected_len(&bytes[..12 + ceremony.canonical().len()]).unwrap(),
        bytes.len() as u64
    );
}

#[test]
fn colluders_who_keep_every_rule_pass() {
    let bytes = with(Hooks::default()).transcript();
    assert!(plain(&bytes).is_clean(), "{}", quorate::audit::render::to_text(&plain(&bytes)));
}

#[test]
fn v1_stops_other_lengths_and_headers() {
    let bytes = collude(3, 2, ONE_VALIDATOR, Hooks::default()).transcript();
    for length in 0..bytes.len() {
        let report = plain(&bytes[..length]);
        assert_eq!(report.failed(), [Code::V1], "{length} bytes");
    }
    assert_fails(&[bytes.as_slice(), &[0]].concat(), &[Code::V1]);
    assert_fails(&[bytes.as_slice(), &bytes].concat(), &[Code::V1]);
    for (at, byte, words) in [
        (0, b'q', "does not start"),
        (5, 2, "version 2"),
        (6, 6, "kind 6"),
        (7, 1, "reserved byte"),
        (8, 1, "spec of"),
    ] {
        let mut changed = bytes.clone();
        changed[at] = byte;
        let report = assert_fails(&changed, &[Code::V1]);
        let detail = &report.line(Code::V1).unwrap().detail;
        assert!(detail.contains(words), "{detail}");
        assert_eq!(not_reached(&report).len(), 16);
    }
}

#[test]
fn v2_and_v3_stop_other_specs() {
    let collusion = with(Hooks::default());
    let bytes = collusion.transcript();
    let spec = collusion.ceremony.canonical();
    let find = |needle: &[u8]| {
        12 + spec.windows(needle.len()).position(|window| window == needle).unwrap()
    };
    let card = &collusion.operators[1].card();
    // (position, code): the magic, the attempt (then it lacks what it replaces), the first
    // threshold byte, and a card signature.
    let key = find(card.key.as_bytes());
    for (at, code) in [
        (12, Code::V2),
        (find(collusion.ceremony.id()) + 35, Code::V2),
        (key + 64, Code::V3),
        (key + 127, Code::V3),
    ] {
        let mut changed = bytes.clone();
        changed[at] ^= 2;
        let report = assert_fails(&changed, &[code]);
        // Lengths and parameters are what they are, whoever signed a card.
        assert_eq!(not_reached(&report).len(), if code == Code::V3 { 14 } else { 16 });
    }
}

#[test]
fn v4_stops_a_hello_without_consent() {
    let signer = |round, seat| if (round, seat) == (Round::Hello, 1) { 2 } else { seat };
    let report = stops(
        Hooks { signer: Box::new(signer), ..Hooks::default() },
        &[Code::V4],
        "\"bob\" (operator 2)",
    );
    assert_eq!(not_reached(&report).len(), 13);
    let session = |round, seat, digest| {
        if (round, seat) == (Round::Hello, 0) { Digest([7; 32]) } else { digest }
    };
    stops(
        Hooks { session: Box::new(session), ..Hooks::default() },
        &[Code::V4],
        "\"alice\" (operator 1): signed for a different spec",
    );
}

#[test]
fn v5_stops_copied_and_weak_hellos() {
    let hello = |seat, body: &mut quorate::message::body::Hello| match seat {
        0 => body.anchor = [9; 32],
        _ => body.anchor = [0; 32],
    };
    let bytes = with(Hooks { hello: Box::new(hello), ..Hooks::default() }).transcript();
    let report = plain(&bytes);
    assert!(report.is_clean());
    assert!(
        report.line(Code::V17).unwrap().detail.contains("\"alice\" (operator 1) states 0x0909")
    );

    // The second operator's first one-time key is the first operator's first one.
    let first = with(Hooks::default()).statements()[0].body()[96..128].to_vec();
    let copied = move |round, seat, body: &mut Vec<u8>| {
        if (round, seat) == (Round::Hello, 1) {
            body[96..128].copy_from_slice(&first);
        }
    };
    stops(
        Hooks { encoded: Box::new(copied), ..Hooks::default() },
        &[Code::V5],
        "\"alice\" (operator 1) and \"bob\" (operator 2) share",
    );
    let weak = |round, seat, body: &mut Vec<u8>| {
        if (round, seat) == (Round::Hello, 2) {
            body[96..128].fill(0);
        }
    };
    stops(Hooks { encoded: Box::new(weak), ..Hooks::default() }, &[Code::V5], "low order");
    let view_root =
        |round, seat, root| if (round, seat) == (Round::Hello, 2) { Digest([1; 32]) } else { root };
    stops(
        Hooks { view_root: Box::new(view_root), ..Hooks::default() },
        &[Code::V5],
        "\"carol\" (operator 3)",
    );
}

#[test]
fn v6_stops_reveals_over_other_commitments() {
    let deal = |seat, body: &mut quorate::message::body::Deal| {
        if seat == 1 {
            body.view[0] = Digest([3; 32]);
        }
    };
    stops(
        Hooks { deal: Box::new(deal), ..Hooks::default() },
        &[Code::V6],
        "round 2 (deal), \"bob\" (operator 2)",
    );
    let signer = |round, seat| if (round, seat) == (Round::Deal, 2) { 0 } else { seat };
    let report = stops(
        Hooks { signer: Box::new(signer), ..Hooks::default() },
        &[Code::V6],
        "\"carol\" (operator 3)",
    );
    assert_eq!(report.line(Code::V5).unwrap().status, Status::Passed);
    let session = |round, seat, digest| {
        if (round, seat) == (Round::Deal, 0) { Digest([7; 32]) } else { digest }
    };
    stops(Hooks { session: Box::new(session), ..Hooks::default() }, &[Code::V6], "another session");
    let view_root =
        |round, seat, root| if (round, seat) == (Round::Deal, 2) { Digest([1; 32]) } else { root };
    stops(
        Hooks { view_root: Box::new(view_root), ..Hooks::default() },
        &[Code::V6],
        "contradicts its own envelope",
    );
}

#[test]
fn v7_stops_a_reveal_of_something_else() {
    let deal = |seat, body: &mut quorate::message::body::Deal| {
        if seat == 2 {
            body.salt.as_mut().unwrap()[31] ^= 1;
        }
    };
    stops(
        Hooks { deal: Box::new(deal), ..Hooks::default() },
        &[Code::V7],
        "the deal of \"carol\" (operator 3)",
    );
}

#[test]
fn v8_stops_points_that_are_not_in_the_group() {
    // Infinity, then a point of order 3, as the last commitment.
    let infinity: Vec<u8> = [&[0x40][..], &[0; 95]].concat();
    let torsion: Vec<u8> = [&[0; 95][..], &[2]].concat();
    for (point, words) in [(infinity, "infinity"), (torsion, "subgroup")] {
        let encoded = move |round, seat, body: &mut Vec<u8>| {
            if (round, seat) == (Round::Deal, 1) {
                let at = body.len() - 96;
                body[at..].copy_from_slice(&point);
            }
        };
        let report =
            stops(Hooks { encoded: Box::new(encoded), ..Hooks::default() }, &[Code::V8], words);
        assert_eq!(report.line(Code::V5).unwrap().status, Status::Passed);
        assert_eq!(report.line(Code::V10).unwrap().detail, "because V8 failed");
    }
}

#[test]
fn v9_stops_copied_polynomials() {
    let across = |seat, v, k| {
        if (seat, v, k) == (1, 1, 0) { coefficient(0, 0, 0) } else { coefficient(seat, v, k) }
    };
    let words = "\"alice\" (operator 1) for validator 1 and \"bob\" (operator 2) for validator 2";
    stops(Hooks { coefficient: Box::new(across), ..Hooks::default() }, &[Code::V9], words);
    let within = |seat, v, k| {
        if (seat, v, k) == (2, 1, 0) { coefficient(2, 0, 0) } else { coefficient(seat, v, k) }
    };
    stops(
        Hooks { coefficient: Box::new(within), ..Hooks::default() },
        &[Code::V9],
        "\"carol\" (operator 3) for validator 2",
    );
}

#[test]
fn v10_stops_a_dealer_that_did_not_know_its_contribution() {
    let deal = |seat, body: &mut quorate::message::body::Deal| {
        if seat == 1 {
            body.proof.as_mut().unwrap().z = body.proof.unwrap().z + Scalar::one();
        }
    };
    stops(Hooks { deal: Box::new(deal), ..Hooks::default() }, &[Code::V10], "\"bob\" (operator 2)");
}

#[test]
fn v11_stops_equal_keys() {
    // The dealers shift their constants by amounts that cancel: all constants differ, the sums do
    // not.
    let shifted = |seat: usize, v: usize, k: usize| {
        let by = match (seat, v, k) {
            (0 | 1, 1, 0) => Scalar::one(),
            (2, 1, 0) => -(Scalar::one() + Scalar::one()),
            _ => return coefficient(seat, v, k),
        };
        let mut sum = coefficient(seat, 0, 0);
        sum.add_assign(&coefficient(9, 9, 9).scaled(&by));
        sum
    };
    let report =
        stops(Hooks { coefficient: Box::new(shifted), ..Hooks::default() }, &[Code::V11], "equal");
    assert_eq!(not_reached(&report), [Code::V12, Code::V13, Code::V14, Code::V15, Code::V16]);
}

#[test]
fn v12_stops_other_deals_and_other_sums() {
    let root = |seat, body: &mut quorate::message::body::Prepare| {
        if seat == 1 {
            body.stored.as_mut().unwrap().sums_root = Digest([1; 32]);
        }
    };
    stops(
        Hooks { prepare: Box::new(root), ..Hooks::default() },
        &[Code::V12],
        "the root of the sums that \"bob\" (operator 2)",
    );
    let view = |seat, body: &mut quorate::message::body::Prepare| {
        if seat == 1 {
            body.view[2] = Digest([1; 32]);
        }
    };
    stops(
        Hooks { prepare: Box::new(view), ..Hooks::default() },
        &[Code::V12],
        "a different statement of \"carol\" (operator 3)",
    );
    let flags = |seat, body: &mut quorate::message::body::Prepare| {
        body.stored.as_mut().unwrap().flags = u32::from(seat != 1)
    };
    stops(
        Hooks { prepare: Box::new(flags), ..Hooks::default() },
        &[Code::V12],
        "not the flag for stored shares",
    );
}

#[test]
fn v13_stops_a_seat_without_its_shares() {
    let prepare = |seat, body: &mut quorate::message::body::Prepare| {
        if seat == 2 {
            body.stored.as_mut().unwrap().possession = G2::hash(b"anything", DST_ETHEREUM);
        }
    };
    stops(
        Hooks { prepare: Box::new(prepare), ..Hooks::default() },
        &[Code::V13],
        "\"carol\" (operator 3)",
    );
}

#[test]
fn v14_stops_disagreement_at_the_end() {
    let last = |seat, body: &mut Final| {
        if seat == 1 {
            body.outputs = Digest([1; 32]);
        }
    };
    stops(
        Hooks { last: Box::new(last), ..Hooks::default() },
        &[Code::V14],
        "the output digest that \"bob\" (operator 2)",
    );
    let last = |seat, body: &mut Final| {
        if seat == 0 {
            body.view[2] = Digest([1; 32]);
        }
    };
    stops(
        Hooks { last: Box::new(last), ..Hooks::default() },
        &[Code::V14],
        "round 5 (final), \"alice\" (operator 1)",
    );
    let commit = |seat, body: &mut quorate::message::body::Commit| {
        if seat == 0 {
            body.view[1] = Digest([1; 32]);
        }
    };
    stops(
        Hooks { commit: Box::new(commit), ..Hooks::default() },
        &[Code::V14],
        "round 4 (commit), \"alice\" (operator 1)",
    );
    for round in [Round::Commit, Round::Final] {
        let signer = move |of, seat| if (of, seat) == (round, 2) { 0 } else { seat };
        stops(
            Hooks { signer: Box::new(signer), ..Hooks::default() },
            &[Code::V14],
            "\"carol\" (operator 3)",
        );
    }
}

#[test]
fn v15_stops_a_signature_on_anything_but_the_agreed_deposit() {
    // Every operator signs another message than the spec's.
    let commit = |seat: usize, body: &mut quorate::message::body::Commit| {
        let collusion = collude(3, 2, TWO_VALIDATORS, Hooks::default());
        body.partials[1] =
            collusion.share(seat, 1).sign(&G2::hash(b"another deposit", DST_ETHEREUM)).unwrap();
    };
    let report = stops(
        Hooks { commit: Box::new(commit), ..Hooks::default() },
        &[Code::V15, Code::V16],
        "on deposit 1 of validator 2",
    );
    assert!(
        report
            .line(Code::V16)
            .unwrap()
            .detail
            .contains("\"alice\" (operator 1) on deposit 1 of validator 2")
    );
}

#[test]
fn v16_stops_a_partial_signature_that_nobody_needed() {
    let commit = |seat, body: &mut quorate::message::body::Commit| {
        if seat == 2 {
            body.partials[3] = G2::hash(b"anything", DST_ETHEREUM);
        }
    };
    let words = "\"carol\" (operator 3) on the registration of validator 2";
    stops(Hooks { commit: Box::new(commit), ..Hooks::default() }, &[Code::V16], words);
    let encoded = |round, seat, body: &mut Vec<u8>| {
        if (round, seat) == (Round::Commit, 2) {
            let at = body.len() - 96;
            body[at..].fill(0xff);
        }
    };
    let report =
        stops(Hooks { encoded: Box::new(encoded), ..Hooks::default() }, &[Code::V16], "malformed");
    assert_eq!(report.line(Code::V13).unwrap().status, Status::Passed);
}

#[test]
fn statements_have_one_place() {
    let collusion = with(Hooks::default());
    let bytes = collusion.transcript();
    let shape = Shape::of(&collusion.ceremony);
    let codes = [Code::V4, Code::V6, Code::V12, Code::V14, Code::V14];
    let mut at = 12 + collusion.ceremony.canonical().len();
    for (round, code) in Round::ALL.into_iter().zip(codes) {
        let size = shape.statement_bytes(quorate::spec::Index::new(1).unwrap(), round).unwrap();
        let mut swapped = bytes.clone();
        swapped[at..at + 2 * size].rotate_left(size);
        let report = assert_fails(&swapped, &[code]);
        assert!(
            report.line(code).unwrap().detail.contains("its place holds"),
            "{}",
            report.line(code).unwrap().detail
        );
        at += 3 * size;
    }
    assert_eq!(at, bytes.len());
    let mut statements = collusion.statements();
    statements.swap(0, 1);
    assert!(container::encode(&collusion.ceremony, &statements).is_err());
    assert!(container::encode(&collusion.ceremony, &statements[..14]).is_err());
}

/// By default every byte is changed in one bit; with `QUORATE_EVERY_VALUE` in the environment, to
/// each of its 255 other values (half an hour of two cores).
#[test]
fn every_byte_matters() {
    let every_value = std::env::var_os("QUORATE_EVERY_VALUE").is_some();
    let bytes = collude(3, 2, ONE_VALIDATOR, Hooks::default()).transcript();
    assert_eq!(first_failure(&bytes), None);
    let half = bytes.len() / 2;
    let try_all = |range: core::ops::Range<usize>| {
        let mut changed = bytes.clone();
        for at in range {
            let changes = if every_value { 1..=255 } else { 1 << (at % 8)..=1 << (at % 8) };
            for change in changes {
                changed[at] ^= change;
                assert_ne!(first_failure(&changed), None, "byte {at}, change {change}");
                // The whole audit finds it too, and does not panic.
                if at % 61 == 0 {
                    assert!(plain(&changed).findings() > 0, "byte {at}, change {change}");
                }
                changed[at] ^= change;
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| try_all(0..half));
        try_all(half..bytes.len());
    });
}
