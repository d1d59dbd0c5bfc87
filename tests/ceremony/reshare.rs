//! Reshares in memory: honest, interrupted, and with somebody who breaks a rule.

use std::sync::Arc;

use quorate::audit::expectation::Expectations;
use quorate::audit::{audit, own};
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::minima::Minima;
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::curve::{G1, G2, Scalar, SecretScalar};
use quorate::primitives::lagrange;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::evidence::Rule;
use quorate::protocol::judge::judge;
use quorate::protocol::participant::{OwnSeat, Participant, Refused};
use quorate::protocol::record::{Record, RecordKind, ReplayError};
use quorate::protocol::seat::OldShares;
use quorate::simulation::machine::entropy;
use quorate::simulation::reshare::{Part, minima, reshare};
use quorate::transcript::container::{self, ContainerError};
use quorate::transcript::stopped;

use super::common::{Machine, TWO_VALIDATORS, honest, machines, run, statements};

/// A finished key generation of the first `n` of the eight operators.
pub(crate) fn parent(n: usize, t: usize) -> Vec<Machine> {
    let mut all = machines(n, t, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    all
}

/// Runs until nobody can go on without a person, then every dealer stops, then to the end.
pub(crate) fn complete(all: &mut [Machine]) {
    run(all, &mut honest);
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        let v = machine.seat.ceremony.v();
        let height = 100 + u64::from(machine.seat.me.get());
        machine.stop(minima(v, height)).unwrap().unwrap();
    }
    run(all, &mut honest);
}

/// What the shares of these machines combine to, at the points of their seats.
pub(crate) fn key_of(machines: &[&Machine], v: usize) -> Option<G1> {
    let point =
        |machine: &&Machine| machine.seat.ceremony.roster().get(machine.seat.me).unwrap().point;
    let points: Vec<u64> = machines.iter().map(point).collect();
    let mut secret = SecretScalar::zero();
    for (machine, coefficient) in
        machines.iter().zip(lagrange::coefficients_at_zero(&points).unwrap())
    {
        let share = &machine.participant().shares().unwrap()[v];
        secret.add_assign(&share.scaled(&coefficient));
    }
    secret.base_mult()
}

pub(crate) fn signs_under(machines: &[&Machine], v: usize, key: G1) -> bool {
    let point =
        |machine: &&Machine| machine.seat.ceremony.roster().get(machine.seat.me).unwrap().point;
    let points: Vec<u64> = machines.iter().map(point).collect();
    let coefficients: Vec<Scalar> = lagrange::coefficients_at_zero(&points).unwrap();
    let message = G2::hash(b"a block", quorate::primitives::hash::DST_ETHEREUM);
    let share =
        |machine: &&Machine| machine.participant().shares().unwrap()[v].sign(&message).unwrap();
    let partials: Vec<G2> = machines.iter().map(share).collect();
    let combined = lagrange::combine(&coefficients, &partials).unwrap();
    quorate::primitives::batch::verify_signature(&key, &message, &combined)
}

const BOTH: (bool, bool) = (true, true);
const DEALS: (bool, bool) = (true, false);
const RECEIVES: (bool, bool) = (false, true);

fn parts(of: &[(&'static str, (bool, bool))]) -> Vec<Part> {
    of.iter().map(|(name, (deals, receives))| (*name, *deals, *receives)).collect()
}

#[test]
fn every_use_of_a_reshare_ends_with_the_same_keys_under_new_shares() {
    let (a, b, c, d, e, f, g) = ("alice", "bob", "carol", "dave", "erin", "frank", "grace");
    let all = |part| move |name| (name, part);
    type Use<'a> = (&'a str, usize, Vec<(&'static str, (bool, bool))>);
    let uses: [Use<'_>; 7] = [
        ("refresh", 3, [a, b, c, d].map(all(BOTH)).to_vec()),
        ("add", 4, [[a, b, c, d].map(all(BOTH)).to_vec(), vec![(e, RECEIVES)]].concat()),
        ("remove, absent", 2, [a, c, d].map(all(BOTH)).to_vec()),
        ("replace", 3, [[a, b, c].map(all(BOTH)).to_vec(), vec![(e, RECEIVES)]].concat()),
        ("threshold", 4, [a, b, c, d].map(all(BOTH)).to_vec()),
        ("full replacement", 2, [[a, b, c].map(all(DEALS)), [e, f, g].map(all(RECEIVES))].concat()),
        (
            "one leaves and deals",
            3,
            [
                vec![(a, DEALS)],
                [b, c, d, e]
                    .map(|name| if name == e { (name, RECEIVES) } else { (name, BOTH) })
                    .to_vec(),
            ]
            .concat(),
        ),
    ];
    let old = parent(4, 3);
    let keys: Vec<G1> =
        old[0].participant().outcome().unwrap().validators.iter().map(|v| v.public_key).collect();
    for (use_of_it, t, seats) in uses {
        let mut all = reshare(&old, &parts(&seats), t, &[0, 1]);
        complete(&mut all);
        let first = statements(&all[0]);
        let outcome = all[0].participant().outcome().unwrap();
        for machine in &all {
            let participant = machine.participant();
            assert!(
                participant.is_finished() && machine.written,
                "{use_of_it}: {:?}",
                participant.waiting()
            );
            assert_eq!(statements(machine), first, "{use_of_it}");
            let own = participant.outcome().unwrap();
            assert_eq!(own.certificate, outcome.certificate, "{use_of_it}");
            let receives = machine.seat.ceremony.parts().receivers.contains(machine.seat.me);
            assert_eq!(participant.shares().is_some(), receives, "{use_of_it}");
            let stored = machine.log.iter().any(|(kind, _)| *kind == RecordKind::Shares);
            assert_eq!(stored, receives, "{use_of_it}");
            for gone in [RecordKind::Seed, RecordKind::OneTimeKeys, RecordKind::OwnShares] {
                assert!(machine.log.iter().all(|(kind, _)| *kind != gone), "{use_of_it}: {gone:?}");
            }
        }
        let receivers: Vec<&Machine> =
            all.iter().filter(|machine| machine.participant().shares().is_some()).collect();
        for (v, key) in keys.iter().enumerate() {
            assert_eq!(outcome.validators[v].public_key, *key, "{use_of_it}");
            let enough = &receivers[receivers.len() - t..];
            assert_eq!(key_of(enough, v), Some(*key), "{use_of_it}");
            assert!(signs_under(enough, v, *key), "{use_of_it}");
            assert!(!signs_under(&enough[1..], v, *key), "{use_of_it}");
            // One of the old generation among them.
            let mixed: Vec<&Machine> = enough[1..].iter().copied().chain([&old[3]]).collect();
            let points: std::collections::BTreeSet<u64> = mixed
                .iter()
                .map(|m| m.seat.ceremony.roster().get(m.seat.me).unwrap().point)
                .collect();
            if points.len() == mixed.len() {
                assert!(!signs_under(&mixed, v, *key), "{use_of_it}");
            }
            let shares = &outcome.validators[v].public_shares;
            let parent = all[0].seat.ceremony.parent_shares().unwrap();
            assert!(parent.all().all(|old| !shares.contains(&old)), "{use_of_it}");
        }
    }
}

#[test]
fn generations_follow_each_other_and_a_subset_may_go_on() {
    let both = |name| (name, true, true);
    let receives = |name| (name, false, true);
    let first = parent(4, 3);
    let key = first[0].participant().outcome().unwrap().validators[1].public_key;
    // 4 -> 5 -> 7 -> 4, the second validator alone from the second on.
    let five: Vec<Part> =
        ["alice", "bob", "carol", "dave"].map(both).into_iter().chain([receives("erin")]).collect();
    let mut second = reshare(&first, &five, 3, &[0, 1]);
    complete(&mut second);
    let seven: Vec<Part> = ["bob", "carol", "erin"]
        .map(both)
        .into_iter()
        .chain(["alice", "dave", "frank", "grace"].map(receives))
        .collect();
    let mut third = reshare(&second, &seven, 5, &[1]);
    complete(&mut third);
    let four: Vec<Part> =
        ["grace", "frank", "erin", "carol", "bob"].map(|name| (name, true, name != "bob")).to_vec();
    let mut fourth = reshare(&third, &four, 3, &[0]);
    complete(&mut fourth);
    for (all, v, t) in [(&second, 1, 3), (&third, 0, 5), (&fourth, 0, 3)] {
        assert!(all.iter().all(|machine| machine.participant().is_finished()));
        let holders: Vec<&Machine> =
            all.iter().filter(|machine| machine.participant().shares().is_some()).collect();
        assert!(signs_under(&holders[..t], v, key));
        assert!(!signs_under(&holders[..t - 1], v, key));
    }
}

fn three_and_two() -> Vec<Part> {
    parts(&[
        ("alice", BOTH),
        ("bob", DEALS),
        ("carol", BOTH),
        ("dave", RECEIVES),
        ("erin", RECEIVES),
    ])
}

/// The parents' key generation, of which any three of four can deal.
fn begun() -> Vec<Machine> {
    reshare(&parent(4, 3), &three_and_two(), 3, &[0, 1])
}

#[test]
fn a_crash_after_any_record_of_any_part_changes_nothing() {
    let old = parent(4, 3);
    let fresh = || reshare(&old, &three_and_two(), 3, &[0, 1]);
    let mut reference = fresh();
    complete(&mut reference);
    let expected = statements(&reference[0]);
    let records = reference.iter().map(|machine| machine.recorded).max().unwrap();
    // One of each part: both, deals, receives.
    for victim in [0, 1, 3] {
        for at in 0..=records {
            let mut all = fresh();
            all[victim].crash_after = Some(at);
            run(&mut all, &mut honest);
            for machine in &mut all {
                if !machine.participant().awaits_stop() {
                    continue;
                }
                let minima = minima(2, 100 + u64::from(machine.seat.me.get()));
                // Power fails with the stop: its person says it again.
                if machine.stop(minima.clone()).is_err() {
                    machine.start().unwrap();
                    let again = machine.participant().awaits_stop();
                    if again {
                        machine.stop(minima).unwrap().unwrap();
                    }
                }
            }
            run(&mut all, &mut honest);
            for machine in &all {
                let participant = machine.participant();
                let waiting = participant.waiting();
                assert!(participant.is_finished(), "{victim}, after record {at}: {waiting:?}");
                assert_eq!(statements(machine), expected, "{victim}, after record {at}");
                assert_eq!(participant.inbox().minima().count(), 3, "{victim}, after {at}");
            }
        }
    }
}

#[test]
fn a_dealer_stops_after_certificate_1_and_commits_after_those_that_only_receive() {
    let mut all = begun();
    // Nobody stops before all shares are stored and proven.
    let early = |machine: &mut Machine| machine.stop(minima(2, 5)).unwrap().err();
    run(&mut all, &mut |_, _, _| Vec::new());
    assert_eq!(early(&mut all[0]), Some(Refused::NotCertified));
    let ceremony = all[0].seat.ceremony.clone();
    let not_of = |round: Round| {
        let ceremony = ceremony.clone();
        move |_, _, frame: Frame| match &frame {
            Frame::Statement(bytes)
                if Statement::open(bytes, &ceremony).unwrap().envelope.round == round =>
            {
                Vec::new()
            }
            _ => vec![frame],
        }
    };
    run(&mut all, &mut not_of(Round::Prepare));
    assert_eq!(early(&mut all[0]), Some(Refused::NotCertified));
    assert!(all.iter().all(|machine| !machine.participant().awaits_stop()));
    // Certificate 1 is there: those that only receive commit, and nobody hears it.
    run(&mut all, &mut not_of(Round::Commit));
    let said = |machine: &Machine| machine.participant().has_said(Round::Commit);
    assert_eq!(all.iter().map(said).collect::<Vec<_>>(), [false, false, false, true, true]);
    let dave_and_erin = vec![all[3].seat.me, all[4].seat.me];
    let waiting = all[0].participant().waiting();
    assert_eq!((waiting.statements, waiting.stop), (dave_and_erin.clone(), true));
    // Who receives has nothing to stop.
    assert_eq!(early(&mut all[3]), Some(Refused::NotAsked));
    assert_eq!(all[0].stop(minima(1, 5)).unwrap().err(), Some(Refused::NotAsked));
    // It stops, and its commit still waits for theirs.
    let told = all[0].stop(minima(2, 5)).unwrap().unwrap();
    assert_eq!(told.len(), 1);
    assert!(!said(&all[0]) && !all[0].participant().awaits_stop());
    let waiting = all[0].participant().waiting();
    assert_eq!((waiting.statements, waiting.stop), (dave_and_erin, false));
    // The same again says nothing more; a second one raises; a third one is refused.
    assert_eq!(all[0].stop(minima(2, 5)).unwrap().unwrap(), []);
    let mut lower = minima(2, 3);
    lower.signed[1] = minima(1, 9).signed[0];
    assert_eq!(all[0].stop(lower).unwrap().unwrap().len(), 1);
    assert_eq!(all[0].stop(minima(2, 11)).unwrap().err(), Some(Refused::StoppedTwice));
    run(&mut all, &mut honest);
    assert_eq!(all.iter().map(said).collect::<Vec<_>>(), [true, false, false, true, true]);
    let joined = [minima(1, 5).signed, minima(1, 9).signed].concat();
    for machine in &all {
        let participant = machine.participant();
        assert_eq!(participant.signed_last(all[0].seat.me).unwrap().signed, joined);
        assert!(!participant.has_said(Round::Final));
    }
    complete(&mut all);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
}

/// What a dealer says of itself in other words than the specification's, or not at all.
#[test]
fn a_commit_counts_with_minima_that_decode() {
    let old = parent(4, 3);
    let silent = |all: &[Machine], cheat: usize, lie: Option<Statement>| {
        let (seat, ceremony) = (all[cheat].seat.me, all[cheat].seat.ceremony.clone());
        move |_, to, frame: Frame| {
            let Frame::Statement(bytes) = &frame else { return vec![frame] };
            let statement = Statement::open(bytes, &ceremony).unwrap();
            let envelope = &statement.envelope;
            match (envelope.kind, envelope.sender == seat) {
                (Kind::Minima, true) if to == seat => Vec::new(),
                (Kind::Minima, true) => {
                    lie.iter().map(|lie| Frame::Statement(lie.bytes().to_vec())).collect()
                }
                _ => vec![frame],
            }
        }
    };
    for malformed in [false, true] {
        let mut all = reshare(&old, &three_and_two(), 3, &[0, 1]);
        run(&mut all, &mut honest);
        let cheat = 1;
        let (seat, key) = (all[cheat].seat.me, all[cheat].seat.operator.clone());
        let session = all[0].participant().inbox().session().unwrap();
        let mut body = minima(2, 8).encode();
        body[0] = 2;
        let lie = malformed.then(|| Statement::sign_minima(key.key(), seat, session, &body));
        for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
            machine.stop(minima(2, 8)).unwrap().unwrap();
        }
        let mut network = silent(&all, cheat, lie.clone());
        run(&mut all, &mut network);
        for machine in all.iter().filter(|machine| machine.seat.me != seat) {
            let participant = machine.participant();
            // All commits are here, and nobody goes on to sign the end.
            assert_eq!(participant.inbox().complete(Round::Commit).unwrap().len(), 5);
            assert_eq!(participant.waiting().minima, [seat]);
            assert_eq!(participant.waiting().everybody(), [seat]);
            assert!(!participant.has_said(Round::Final) && participant.signed_last(seat).is_none());
            let fault = participant.proven_fault().map(|fault| fault.rule);
            let malformed = |rule: &Rule| {
                let round = Round::Commit;
                matches!(rule, Rule::Malformed { operator, round: of, .. }
                    if *operator == seat && *of == round)
            };
            assert_eq!(fault.as_ref().is_some_and(malformed), lie.is_some(), "{fault:?}");
            let held: Vec<Statement> = participant.inbox().everything().cloned().collect();
            let judged = judge(&machine.seat.ceremony, &held);
            assert!(judged.iter().all(|fault| malformed(&fault.rule)), "{judged:?}");
            assert_eq!(judged.is_empty(), lie.is_none());
        }
        // With what it has really signed everybody finishes.
        run(&mut all, &mut honest);
        assert!(all.iter().all(|machine| machine.participant().is_finished()));
    }
}

/// Two of each dealer are kept, whoever sends how many.
#[test]
fn a_third_statement_of_minima_is_dropped() {
    let mut all = begun();
    run(&mut all, &mut honest);
    let (seat, key) = (all[0].seat.me, all[0].seat.operator.clone());
    let session = all[0].participant().inbox().session().unwrap();
    let said = |height| {
        let body = minima(2, height).encode();
        Frame::Statement(Statement::sign_minima(key.key(), seat, session, &body).bytes().to_vec())
    };
    let recorded = |machine: &Machine| machine.recorded;
    let before = recorded(&all[4]);
    for height in [5, 9, 20, 5, 9, 21] {
        let told = all[4].receive(said(height)).unwrap().unwrap();
        assert_eq!(told, []);
    }
    assert_eq!(recorded(&all[4]) - before, 2);
    let held = |machine: &Machine| machine.participant().inbox().minima_of(seat).len();
    assert_eq!(held(&all[4]), 2);
    let last = all[4].participant().signed_last(seat).unwrap();
    assert_eq!(last, minima(2, 9));
    // A view root that names something, and a round that has none.
    let one = Statement::sign_kind(
        Kind::Minima,
        key.key(),
        seat,
        Round::Commit,
        session,
        quorate::primitives::hash::Digest([1; 32]),
        &minima(2, 5).encode(),
    );
    let shape = Shape::of(&all[0].seat.ceremony);
    let error = Minima::fault(&one, &shape).unwrap();
    assert_eq!(error.to_string(), "view root: not zero");
    assert_eq!(shape.bytes_of(seat, Kind::Minima, Round::Final), None);
    assert_eq!(shape.bytes_of(all[4].seat.me, Kind::Minima, Round::Commit), None);
}

/// A dealer that makes signed statements of minima which are none, before or after those that are:
/// they fill no place, travel no further and are in no transcript. Each shows who made it.
#[test]
fn minima_that_do_not_decode_are_evidence_alone() {
    let mut all = begun();
    run(&mut all, &mut honest);
    let (seat, key) = (all[0].seat.me, all[0].seat.operator.clone());
    let session = all[0].participant().inbox().session().unwrap();
    let said = |view: u8, flag: u8, height: u64| {
        let (kind, root) = (Kind::Minima, quorate::primitives::hash::Digest([view; 32]));
        let mut body = minima(2, height).encode();
        body[0] = flag;
        Statement::sign_kind(kind, key.key(), seat, Round::Commit, session, root, &body)
    };
    let frame = |statement: &Statement| Frame::Statement(statement.bytes().to_vec());
    // Two that are none come first, and fill no place.
    let lies = [said(0, 2, 5), said(1, 1, 5)];
    let before = all[4].recorded;
    for lie in lies.iter().chain(&lies) {
        assert_eq!(all[4].receive(frame(lie)).unwrap().unwrap(), []);
    }
    assert_eq!(all[4].recorded - before, 1);
    for height in [7, 9] {
        let _ = all[4].receive(frame(&said(0, 1, height))).unwrap().unwrap();
    }
    assert_eq!(all[4].participant().signed_last(seat), Some(minima(2, 9)));
    // It stays so over a restart, and it is given to nobody.
    all[4].start().unwrap();
    let participant = all[4].participant();
    assert_eq!(participant.inbox().minima_of(seat), [said(0, 1, 7), said(0, 1, 9)]);
    assert_eq!(participant.inbox().malformed_minima().collect::<Vec<_>>(), [&lies[0]]);
    let theirs = all[3].participant().have(true);
    let given = participant.lacking(all[3].seat.me, &theirs);
    assert!(given.contains(&frame(&said(0, 1, 7))) && !given.contains(&frame(&lies[0])));
    // It is in the evidence, with both others, and of nobody else is anything shown.
    let ceremony = all[4].seat.ceremony.clone();
    let file = stopped::encode(&ceremony, participant.inbox().everything());
    let read = stopped::Stopped::parse(&file).unwrap();
    let of_minima = read.statements.iter().filter(|held| held.envelope.kind == Kind::Minima);
    assert_eq!(of_minima.count(), 3);
    let faults = judge(&ceremony, &read.statements);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(matches!(&faults[0].rule, Rule::Malformed { operator, .. } if *operator == seat));
    // A file with a second one like it is none.
    let crowd = participant.inbox().everything().chain([&lies[1]]);
    let crowd = stopped::Stopped::parse(&stopped::encode(&ceremony, crowd)).err().unwrap();
    assert!(matches!(crowd, ContainerError::Crowd { most: 1, .. }), "{crowd}");
    let more = said(0, 1, 8);
    let crowd = participant.inbox().everything().chain([&more]);
    let crowd = stopped::Stopped::parse(&stopped::encode(&ceremony, crowd)).err().unwrap();
    assert!(matches!(crowd, ContainerError::Crowd { most: 2, .. }), "{crowd}");
    // The others finish with it, and what each writes audits as clean.
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        let height = if machine.seat.me == seat { 7 } else { 3 };
        machine.stop(minima(2, height)).unwrap().unwrap();
    }
    run(&mut all, &mut honest);
    for machine in &all {
        let participant = machine.participant();
        assert!(participant.is_finished());
        let inbox = participant.inbox();
        let bytes = container::encode(&ceremony, inbox.statements().chain(inbox.minima())).unwrap();
        assert_eq!(audit(&bytes, &Expectations::default()).failed(), []);
        assert!(own(participant, &bytes).is_ok());
        // Whoever hands it all that is held makes the same.
        let minima = inbox.everything().filter(|held| held.envelope.kind == Kind::Minima);
        let all = inbox.statements().chain(minima);
        assert_eq!(container::encode(&ceremony, all).unwrap(), bytes);
    }
    let evidence = stopped::encode(&ceremony, all[4].participant().inbox().everything());
    let report = audit(&evidence, &Expectations::default());
    let certificate = all[4].participant().outcome().unwrap().certificate;
    assert_eq!(report.completed(), Some(certificate));
}

/// Whoever has signed FINAL takes no other minima: its transcript is what it was.
#[test]
fn minima_after_its_own_final_alter_nothing() {
    let mut all = begun();
    run(&mut all, &mut honest);
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        machine.stop(minima(2, 6)).unwrap().unwrap();
    }
    // The last one hears no commit of the first, and signs no FINAL.
    let ceremony = all[0].seat.ceremony.clone();
    let (seat, last) = (all[0].seat.me, all[4].seat.me);
    run(&mut all, &mut |_, to, frame| match &frame {
        Frame::Statement(bytes) if to == last => {
            let envelope = Statement::open(bytes, &ceremony).unwrap().envelope;
            let withheld = (envelope.kind, envelope.round, envelope.sender);
            let drop = withheld == (Kind::Ordinary, Round::Commit, seat);
            if drop { Vec::new() } else { vec![frame] }
        }
        _ => vec![frame],
    });
    let has_said = |machine: &Machine| machine.participant().has_said(Round::Final);
    assert_eq!(all.iter().map(has_said).collect::<Vec<_>>(), [true, true, true, true, false]);
    let key = all[0].seat.operator.clone();
    let session = all[0].participant().inbox().session().unwrap();
    let raise = Statement::sign_minima(key.key(), seat, session, &minima(2, 20).encode());
    let frame = Frame::Statement(raise.bytes().to_vec());
    let held = |machine: &Machine| machine.participant().inbox().minima_of(seat).len();
    for finished in [false, true] {
        assert_eq!(all[3].participant().is_finished(), finished);
        for _ in 0..2 {
            let before = all[3].recorded;
            assert_eq!(all[3].receive(frame.clone()).unwrap().unwrap(), []);
            assert_eq!((all[3].recorded - before, held(&all[3])), (0, 1));
            // It has no room for more, so nobody gives it again.
            let theirs = all[3].participant().have(true);
            let shape = Shape::of(&ceremony);
            assert!(!theirs.lacks_minima(&shape, seat, &raise.digest()));
            all[3].start().unwrap();
        }
        // Whoever has not signed FINAL counts it.
        let _ = all[4].receive(frame.clone()).unwrap().unwrap();
        assert_eq!(held(&all[4]), 2);
        run(&mut all, &mut honest);
    }
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
    assert_eq!(all.iter().map(held).collect::<Vec<_>>(), [1, 1, 1, 1, 2]);
}

/// What a dealer would deal is looked at before it signs anything.
#[test]
fn a_dealer_without_its_right_shares_signs_nothing() {
    let old = parent(4, 3);
    let all = reshare(&old, &three_and_two(), 3, &[0, 1]);
    let start = |seat: OwnSeat| Participant::start(seat, Vec::new(), || entropy("dealer")).err();
    let seat = |at: usize| {
        let (ceremony, operator) = (all[at].seat.ceremony.clone(), all[at].seat.operator.clone());
        OwnSeat::find(ceremony, operator).unwrap()
    };
    assert_eq!(start(seat(0)), Some(ReplayError::OldShares));
    // Those of another operator; of this one with one bit changed.
    let shares = |at: usize, change: fn(&mut Vec<u8>)| {
        let of = |(kind, body): &(RecordKind, Vec<u8>)| {
            let mut body = body.clone();
            if *kind == RecordKind::Shares {
                change(&mut body);
            }
            Record { kind: *kind, body: SecretBytes::new(body) }
        };
        let records: Vec<Record> = old[at].log.iter().map(of).collect();
        OldShares::of(&records, 2, all[0].seat.ceremony.reshare().unwrap())
    };
    let with = |shares: OldShares| start(seat(0).with_old_shares(Arc::new(shares)));
    assert_eq!(with(shares(1, |_| ()).unwrap()), Some(ReplayError::OldShares));
    assert_eq!(with(shares(0, |body| body[40] ^= 1).unwrap()), Some(ReplayError::OldShares));
    assert_eq!(with(shares(0, |body| body[32..].fill(0)).unwrap()), Some(ReplayError::OldShares));
    assert_eq!(with(shares(0, |_| ()).unwrap()), None);
    let short = shares(0, |body| body.truncate(32)).err();
    assert_eq!(short, Some(ReplayError::OldShares));
    // Who receives needs none.
    assert_eq!(start(seat(3)), None);
}

/// Once it has dealt, a dealer needs its old shares no more; before that it does.
#[test]
fn a_dealer_needs_its_shares_until_it_has_dealt() {
    let mut all = begun();
    let without = |machine: &Machine| {
        let (ceremony, operator) = (machine.seat.ceremony.clone(), machine.seat.operator.clone());
        let of = |(kind, body): &(RecordKind, Vec<u8>)| Record {
            kind: *kind,
            body: SecretBytes::new(body.clone()),
        };
        let records = machine.log.iter().map(of).collect();
        let seat = OwnSeat::find(ceremony, operator).unwrap();
        Participant::start(seat, records, || entropy("never")).err()
    };
    // All hellos are there but one: it has not dealt.
    let last = all[4].seat.me;
    run(&mut all, &mut |from, _, frame| if from == last { Vec::new() } else { vec![frame] });
    assert_eq!(without(&all[0]), None);
    let mut hello = all[4].participant().inbox().statements().cloned().collect::<Vec<_>>();
    hello.retain(|statement| statement.envelope.sender == last);
    all[0].log.push((RecordKind::Statement, hello[0].bytes().to_vec()));
    assert_eq!(without(&all[0]), Some(ReplayError::OldShares));
    all[0].start().unwrap();
    run(&mut all, &mut honest);
    assert_eq!(without(&all[0]), None);
}

/// A dealer that vanishes between certificate 1 and its commit: nothing is finished, whoever waits
/// can give up, and the next attempt makes other shares.
#[test]
fn a_dealer_that_vanishes_leaves_the_old_cluster_as_it_was() {
    let old = parent(4, 3);
    let mut all = reshare(&old, &three_and_two(), 3, &[0, 1]);
    run(&mut all, &mut honest);
    let gone = 2;
    for machine in all.iter_mut().enumerate().filter(|(at, _)| *at < gone).map(|(_, one)| one) {
        machine.stop(minima(2, 4)).unwrap().unwrap();
    }
    run(&mut all, &mut honest);
    let awaited = all[gone].seat.me;
    for (at, machine) in all.iter_mut().enumerate().filter(|(at, _)| *at != gone) {
        let participant = machine.participant.take().unwrap();
        assert_eq!(participant.waiting().statements, [awaited], "{at}");
        assert!(!participant.has_said(Round::Final) && participant.outcome().is_none());
        let (_, statement) = participant.abandon().unwrap();
        assert_eq!(statement.envelope.kind, Kind::Abandon);
    }
    // Without it, with the fourth operator of the parent.
    let next = parts(&[("alice", BOTH), ("bob", BOTH), ("dave", BOTH), ("erin", RECEIVES)]);
    let mut second = reshare(&old, &next, 3, &[0, 1]);
    complete(&mut second);
    assert!(second.iter().all(|machine| machine.participant().is_finished()));
}

/// A log that was put back to before its prepare signs nothing more once others show its minima.
#[test]
fn minima_show_that_a_log_was_put_back() {
    let mut all = begun();
    run(&mut all, &mut honest);
    for machine in all.iter_mut().filter(|machine| machine.participant().awaits_stop()) {
        machine.stop(minima(2, 6)).unwrap().unwrap();
    }
    run(&mut all, &mut honest);
    let me = all[1].seat.me;
    let held = |statement: &(RecordKind, Vec<u8>), ceremony: &_| {
        let (kind, body) = statement;
        *kind != RecordKind::Statement || {
            let statement = Statement::open(body, ceremony).unwrap();
            statement.envelope.round < Round::Prepare
        }
    };
    let shown = all[0].participant().inbox().minima_of(me)[0].clone();
    let ceremony = all[1].seat.ceremony.clone();
    let newest = all[1].log.clone();
    all[1].log.retain(|record| held(record, &ceremony));
    // As it was: one that had seen all deals would prepare again, and the same.
    all[1].log.retain(|(kind, body)| {
        *kind != RecordKind::Statement
            || Statement::open(body, &ceremony).unwrap().envelope.round == Round::Hello
            || Statement::open(body, &ceremony).unwrap().envelope.sender == me
    });
    all[1].start().unwrap();
    let frame = Frame::Statement(shown.bytes().to_vec());
    let _ = all[1].receive(frame.clone()).unwrap().unwrap();
    let put_back = all[1].participant().put_back().cloned().unwrap();
    assert_eq!(put_back.elsewhere, [shown]);
    assert_eq!(all[1].stop(minima(2, 9)).unwrap().err(), Some(Refused::PutBack));
    // One that holds its prepare takes what it lacks from others, and goes on.
    all[1].log = newest;
    let of_me = |body: &[u8]| {
        let statement = Statement::open(body, &ceremony).unwrap();
        statement.envelope.sender == me && statement.envelope.round >= Round::Commit
    };
    all[1].log.retain(|(kind, body)| *kind != RecordKind::Statement || !of_me(body));
    all[1].start().unwrap();
    assert!(all[1].participant().put_back().is_none());
    run(&mut all, &mut honest);
    assert!(all.iter().all(|machine| machine.participant().is_finished()));
}
