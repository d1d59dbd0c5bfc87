//! Ceremonies in memory: honest ones, interrupted ones, and ones in which somebody breaks a rule.
#![allow(clippy::unwrap_used)]

mod common;

use common::{TWO_VALIDATORS, honest, machines, run, statements};
use quorate::message::sync::Frame;
use quorate::primitives::curve::{Scalar, SecretScalar};
use quorate::primitives::lagrange;

fn key_from(machines: &[common::Machine], seats: &[usize], v: usize) -> Option<quorate::primitives::curve::G1> {
    let points: Vec<u64> = seats.iter().map(|s| u64::from(machines[*s].seat.me.get())).collect();
    let coefficients: Vec<Scalar> = lagrange::coefficients_at_zero(&points).unwrap();
    let mut secret = SecretScalar::zero();
    for (seat, coefficient) in seats.iter().zip(&coefficients) {
        secret.add_assign(&machines[*seat].participant().shares().unwrap()[v].scaled(coefficient));
    }
    secret.base_mult()
}

#[test]
fn an_honest_ceremony_ends_with_one_transcript_and_working_shares() {
    for (n, t) in [(3, 2), (4, 3), (5, 3), (7, 5)] {
        let mut all = machines(n, t, TWO_VALIDATORS);
        run(&mut all, &mut honest);
        let first = statements(&all[0]);
        assert_eq!(first.len(), 5 * n);
        for machine in &all {
            assert!(machine.participant().is_finished() && machine.staged && machine.published);
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
    let records = reference.iter().map(|machine| machine.written).max().unwrap();
    for victim in 0..3 {
        for at in 0..=records {
            let mut all = machines(3, 2, TWO_VALIDATORS);
            all[victim].crash_after = Some(at);
            run(&mut all, &mut honest);
            for machine in &all {
                assert!(machine.participant().is_finished(), "victim {victim}, crash after record {at}");
                assert_eq!(statements(machine), expected, "victim {victim}, crash after record {at}");
            }
        }
    }
}

#[test]
fn secrets_are_erased_when_they_are_spent() {
    use quorate::protocol::record::RecordKind;
    let mut all = machines(3, 2, TWO_VALIDATORS);
    run(&mut all, &mut honest);
    for machine in &all {
        let kinds: Vec<RecordKind> = machine.log.iter().map(|(kind, _)| *kind).collect();
        for gone in [RecordKind::Seed, RecordKind::OneTimeKeys, RecordKind::OwnShares, RecordKind::ReceivedBox] {
            assert!(!kinds.contains(&gone), "{gone:?} is still in the log");
        }
        assert!(kinds.contains(&RecordKind::Shares));
    }
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
            let mine: Vec<Frame> =
                held.iter().filter(|(f, t, _)| (*f, *t) == (from.get(), to.get())).map(|(_, _, frame)| frame.clone()).collect();
            mine.into_iter().rev().collect()
        });
    }
    run(&mut all, &mut honest);
    for machine in &all {
        assert!(machine.participant().is_finished());
        assert_eq!(statements(machine), expected);
    }
}
