//! Ceremonies in memory: honest, interrupted, and with an operator that breaks a rule.
#![allow(clippy::unwrap_used)]

mod child;
#[path = "../common/mod.rs"]
mod common;
mod import;
mod rehearsal;
mod repair;
mod repair_attacks;
mod reshare;
mod reshare_attacks;
mod reshare_without;
mod reshare_witness;

use common::{Machine, TWO_VALIDATORS, honest, machines, run, statements};
use quorate::message::envelope::{Round, Statement};
use quorate::message::sync::Frame;
use quorate::primitives::curve::{Scalar, SecretScalar};
use quorate::primitives::lagrange;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::{Input, Participant};
use quorate::protocol::record::{Record, RecordKind, ReplayError};

fn key_from(
    machines: &[common::Machine],
    seats: &[usize],
    v: usize,
) -> Option<quorate::primitives::curve::G1> {
    let points: Vec<u64> = seats.iter().map(|s| u64::from(machines[*s].seat.me.get())).collect();
    let coefficients: Vec<Scalar> = lagrange::coefficients_at_zero(&points).unwrap();
    let mut secret = SecretScalar::zero();
    for (seat, coefficient) in seats.iter().zip(&coefficients) {
        secret.add_assign(&machines[*seat].participant().shares().unwrap()[v].scaled(coefficient));
    }
    secret.base_mult()
}

#[test]
fn a_peer_may_need_us_until_it_says_that_it_holds_everything() {
    let mut all = machines(3, 2, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    let names: Vec<_> = all.iter().map(|machine| machine.seat.me).collect();
    assert_eq!(all[0].participant().unconfirmed(), names[1..]);
    // One that lacks something is not believed to be done; one that lacks nothing is, and the
    // record of it outlives a restart.
    let mut lacking = all[2].participant().have(false);
    *lacking.slots.last_mut().unwrap() = None;
    for (have, written) in
        [(lacking, 0), (all[2].participant().have(false), 1), (all[2].participant().have(false), 0)]
    {
        let step = all[0]
            .participant
            .as_mut()
            .unwrap()
            .handle(Input::PeerHolds { peer: names[2], have })
            .unwrap();
        assert_eq!(step.persist.len(), written);
        all[0]
            .log
            .extend(step.persist.iter().map(|record| (record.kind, record.body.expose().to_vec())));
    }
    assert_eq!(all[0].participant().unconfirmed(), [names[1]]);
    all[0].start().unwrap();
    assert_eq!(all[0].participant().unconfirmed(), [names[1]]);
}

#[test]
fn an_honest_ceremony_ends_with_one_transcript_and_working_shares() {
    for (n, t) in [(3, 2), (4, 3), (5, 3), (7, 5)] {
        let mut all = machines(n, t, TWO_VALIDATORS);
        run(&mut all, &mut honest);
        let first = statements(&all[0]);
        assert_eq!(first.len(), 5 * n);
        for machine in &all {
            assert!(machine.participant().is_finished() && machine.staged && machine.written);
            assert_eq!(statements(machine), first);
        }
        let outcome = all[0].participant().outcome().unwrap();
        assert_eq!(outcome.validators.len(), 2);
        assert_eq!(outcome.validators[0].signatures.len(), 1);
        assert_eq!(outcome.validators[1].signatures.len(), 3);
        for v in 0..2 {
            let key = Some(outcome.validators[v].public_key);
            let enough: Vec<usize> = (n - t..n).collect();
            assert_eq!(key_from(&all, &enough, v), key);
            assert_ne!(key_from(&all, &enough[1..], v), key);
        }
    }
}

#[test]
fn a_crash_after_any_record_of_any_operator_changes_nothing() {
    let mut reference = machines(3, 2, TWO_VALIDATORS);
    run(&mut reference, &mut honest);
    let expected = statements(&reference[0]);
    let records = reference.iter().map(|machine| machine.recorded).max().unwrap();
    for victim in 0..3 {
        for at in 0..=records {
            let mut all = machines(3, 2, TWO_VALIDATORS);
            all[victim].crash_after = Some(at);
            run(&mut all, &mut honest);
            for machine in &all {
                assert!(
                    machine.participant().is_finished(),
                    "victim {victim}, crash after record {at}"
                );
                assert_eq!(
                    statements(machine),
                    expected,
                    "victim {victim}, crash after record {at}"
                );
            }
        }
    }
}

#[test]
fn secrets_are_erased_when_they_are_spent() {
    let mut all = machines(3, 2, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    for machine in &all {
        let kinds: Vec<RecordKind> = machine.log.iter().map(|(kind, _)| *kind).collect();
        for gone in [
            RecordKind::Seed,
            RecordKind::OneTimeKeys,
            RecordKind::OwnShares,
            RecordKind::ReceivedBox,
        ] {
            assert!(!kinds.contains(&gone), "{gone:?} is still in the log");
        }
        assert!(kinds.contains(&RecordKind::Shares));
    }
}

/// A log that is not what this program writes is refused for the record at fault, whatever is wrong
/// with it.
#[test]
fn records_that_are_missing_or_of_another_length_are_refused() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    run(&mut all, &mut |_, _, _| Vec::new());
    let begun = all[0].log.clone();
    // Everybody deals, and nobody hears of it.
    let ceremony = all[0].seat.ceremony.clone();
    let is_hello = |bytes: &[u8]| {
        Statement::open(bytes, &ceremony).is_ok_and(|it| it.envelope.round == Round::Hello)
    };
    run(&mut all, &mut |_, _, frame| match &frame {
        Frame::Statement(bytes) if is_hello(bytes) => vec![frame],
        _ => Vec::new(),
    });
    let dealt = &all[0].log;
    let start = |log: Vec<(RecordKind, Vec<u8>)>| {
        let records =
            log.into_iter().map(|(kind, body)| Record { kind, body: SecretBytes::new(body) });
        Participant::start(all[0].seat.clone(), records.collect(), || {
            quorate::simulation::machine::entropy("again")
        })
        .err()
    };
    let mut without = dealt.clone();
    without.remove(dealt.iter().position(|(kind, _)| *kind == RecordKind::Statement).unwrap());
    assert_eq!(start(without), Some(ReplayError::Incomplete { missing: "hello" }));
    for (kind, log) in [
        (RecordKind::Seed, &begun),
        (RecordKind::OneTimeKeys, dealt),
        (RecordKind::OwnShares, dealt),
    ] {
        let at = log.iter().position(|(found, _)| *found == kind).unwrap();
        let [cut, one_less, more]: [fn(&mut Vec<u8>); 3] = [
            |body| body.truncate(body.len() - 1),
            |body| body.truncate(body.len() - 32),
            |body| body.extend([7; 32]),
        ];
        for damage in [cut, one_less, more] {
            let mut log = log.clone();
            damage(&mut log[at].1);
            assert_eq!(start(log), Some(ReplayError::Record { kind }));
        }
    }
}

/// What a peer repeats does not fill the log.
#[test]
fn what_comes_twice_is_kept_once() {
    let records = |times: usize| {
        let mut all = machines(4, 3, TWO_VALIDATORS);
        run(&mut all, &mut |_, _, frame| vec![frame; times]);
        assert!(all.iter().all(|machine| machine.participant().is_finished()));
        all.iter().map(|machine| machine.recorded).collect::<Vec<_>>()
    };
    assert_eq!(records(3), records(1));
}

#[test]
fn the_order_of_delivery_does_not_matter() {
    let mut reference = machines(4, 3, TWO_VALIDATORS);
    run(&mut reference, &mut honest);
    let expected = statements(&reference[0]);
    // Everything late, twice, and in another order for each pair.
    let mut held: Vec<(u16, u16, Frame)> = Vec::new();
    let mut all = machines(4, 3, TWO_VALIDATORS);
    for round in 0..40 {
        run(&mut all, &mut |from, to, frame| {
            held.push((from.get(), to.get(), frame));
            if held.len() % 3 != round % 3 {
                return Vec::new();
            }
            let mine: Vec<Frame> = held
                .iter()
                .filter(|(f, t, _)| (*f, *t) == (from.get(), to.get()))
                .map(|(_, _, frame)| frame.clone())
                .collect();
            mine.into_iter().rev().collect()
        });
    }
    run(&mut all, &mut honest);
    for machine in &all {
        assert!(machine.participant().is_finished());
        assert_eq!(statements(machine), expected);
    }
}

/// One pass of everybody giving everybody what it lacks; `keep` decides what arrives. Logs of the
/// first machine are noted as they change.
fn pass(
    machines: &mut [Machine],
    images: &mut Vec<Vec<(RecordKind, Vec<u8>)>>,
    keep: impl Fn(usize, &Frame) -> bool,
) {
    for from in 0..machines.len() {
        for to in (0..machines.len()).filter(|to| *to != from) {
            let have = machines[to].participant().have(true);
            let peer = machines[to].seat.me;
            for frame in machines[from]
                .participant()
                .lacking(peer, &have)
                .into_iter()
                .filter(|frame| keep(to, frame))
            {
                let _ = machines[to].receive(frame).unwrap();
                if images.last() != Some(&machines[0].log) {
                    images.push(machines[0].log.clone());
                }
            }
        }
    }
}

#[test]
fn an_operator_whose_log_was_put_back_signs_nothing_more() {
    let reference = {
        let mut all = machines(3, 2, TWO_VALIDATORS);
        run(&mut all, &mut honest);
        statements(&all[0])
    };
    // The first operator gets as far as its prepare, which the others hold; it never hears the
    // prepare of the second.
    let withheld = reference
        .iter()
        .find(|s| (s.envelope.round, s.envelope.sender.get()) == (Round::Prepare, 2))
        .unwrap()
        .bytes();
    let keep = |to: usize, frame: &Frame| to != 0 || *frame != Frame::Statement(withheld.to_vec());
    let start = || {
        let (mut all, mut images) = (machines(3, 2, TWO_VALIDATORS), Vec::new());
        all.iter_mut().for_each(|machine| drop(machine.start().unwrap()));
        images.push(all[0].log.clone());
        (0..6).for_each(|_| pass(&mut all, &mut images, keep));
        assert!(
            all[0].participant().is_prepared()
                && all[1].participant().inbox().get(Round::Prepare, all[0].seat.me).is_some()
        );
        (all, images)
    };
    let images = start().1;
    assert!(images.len() > 8, "hellos, deals, boxes and shares are in images of their own");
    let (mut stopped, count) = (0, images.len());
    for (i, image) in images.into_iter().enumerate() {
        let (mut all, _) = start();
        all[0].log = image;
        let _ = all[0].start().unwrap();
        // Its own statements, as far as the others hold them, come back first of all.
        let me = all[0].seat.me;
        let own = |statement: &&Statement| {
            statement.envelope.sender == me && statement.envelope.round <= Round::Prepare
        };
        let lacking = reference
            .iter()
            .filter(own)
            .any(|own| !all[0].log.iter().any(|(_, body)| body.as_slice() == own.bytes()));
        for own in reference.iter().filter(own) {
            let _ = all[0].receive(Frame::Statement(own.bytes().to_vec())).unwrap();
        }
        run(&mut all, &mut honest);
        let (first, others) = all.split_first().unwrap();
        assert_eq!(first.participant().put_back().is_some(), lacking, "image {i}");
        assert_eq!(first.participant().is_finished(), !lacking, "image {i}");
        for other in others {
            assert!(other.participant().inbox().conflicts().next().is_none(), "image {i}");
            assert!(other.participant().fault().is_none(), "image {i}");
        }
        // From a hello alone it cannot tell whose session the rest is, until it has dealt again.
        assert!(statements(first).iter().all(|said| reference.contains(said)), "image {i}");
        if !lacking {
            assert_eq!(statements(first), reference, "image {i}");
        }
        stopped += usize::from(lacking);
    }
    assert!(stopped > 4 && stopped < count, "{stopped} of {count} images lack a statement");
}

/// An operator that signs three finals keeps nobody from publishing, before or after a restart: the
/// one that passes fills its slot.
#[test]
fn a_third_final_counts_if_it_passes_where_two_do_not() {
    let mut all = machines(3, 2, TWO_VALIDATORS);
    let cheat = all[2].seat.clone();
    let of_cheat = |frame: &Frame| {
        matches!(frame, Frame::Statement(bytes) if (bytes[7],
        bytes[9]) == (Round::Final.number(), 3))
    };
    run(&mut all, &mut |_, to, frame| {
        if of_cheat(&frame) && to != cheat.me { Vec::new() } else { vec![frame] }
    });
    let right = all[2].participant().inbox().get(Round::Final, cheat.me).unwrap().clone();
    let wrong = |byte: u8| {
        let mut body = right.body().to_vec();
        body[3 * 32] ^= byte;
        let envelope = &right.envelope;
        Statement::sign(
            cheat.operator.key(),
            cheat.me,
            Round::Final,
            envelope.session,
            envelope.view_root,
            &body,
        )
    };
    for statement in [&wrong(1), &wrong(2), &wrong(3)] {
        let _ = all[0].receive(Frame::Statement(statement.bytes().to_vec())).unwrap().unwrap();
    }
    let participant = all[0].participant();
    assert!(
        !participant.is_finished() && participant.inbox().all(Round::Final, cheat.me).count() == 2,
        "a third wrong one is not kept"
    );
    assert_eq!(participant.fault().unwrap().rule.culprits(), [cheat.me]);
    let _ = all[0].receive(Frame::Statement(right.bytes().to_vec())).unwrap().unwrap();
    assert!(all[0].participant().is_finished() && all[0].written);
    // A replay keeps whatever was kept, in whatever order it finds it.
    let _ = all[0].start().unwrap();
    assert!(all[0].participant().is_finished());
    let counts = all[0].participant().inbox().get(Round::Final, cheat.me).unwrap();
    assert_eq!(counts, &right);
}
