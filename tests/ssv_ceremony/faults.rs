//! Operators that publish false proofs. Others cannot see what a ciphertext holds; that is
//! documented and tested.

use quorate::audit::audit;
use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::message::body::Final;
use quorate::protocol::evidence::{Certainty, Class, Rule};
use quorate::protocol::judge::judge;
use quorate::transcript::stopped::{self, Stopped};

use super::common::Machine;
use super::common::forger::{Forger, Hooks};
use super::machines;

/// Honest operators 1, 2 and 4 with a forger in seat 3.
fn play(last: fn(&mut Final)) -> Vec<Machine> {
    let mut all = machines(4, 3);
    let seat = all.remove(2).seat;
    Forger::new(seat, Hooks { last, ..Hooks::default() }).play(&mut all);
    all
}

fn all_blame(last: fn(&mut Final), validator: usize) {
    let all = play(last);
    for machine in &all {
        let participant = machine.participant();
        let fault = participant.fault().expect("every honest operator sees it");
        let operator = quorate::spec::Index::new(3).unwrap();
        assert_eq!(fault.rule, Rule::EncryptedShare { operator, validator });
        assert_eq!(
            (fault.rule.class(), fault.rule.certainty()),
            (Some(Class::E5), Certainty::Proven)
        );
        assert_eq!(fault.rule.culprits(), [operator]);
        assert!(!participant.is_finished() && !machine.written);
        // From the evidence alone, without having been there.
        let file = stopped::encode(&machine.seat.ceremony, &fault.evidence);
        let read = Stopped::parse(&file).unwrap();
        let rules: Vec<Rule> =
            judge(&read.ceremony, &read.statements).into_iter().map(|fault| fault.rule).collect();
        assert_eq!(rules, core::slice::from_ref(&fault.rule));
        let report = audit(&file, &Expectations::default());
        assert_eq!(
            report.failed(),
            [Code::Sealed, Code::V19]
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert_eq!(report.culprits(), Some(&[operator][..]));
    }
}

#[test]
fn a_forger_that_breaks_no_rule_finishes_with_everybody() {
    assert!(play(|_| ()).iter().all(|machine| machine.participant().is_finished()));
}

#[test]
fn a_wrong_proof_is_a_proven_fault() {
    all_blame(|last| last.sealed[1].proof[255] ^= 1, 1);
}

#[test]
fn a_proof_of_another_ciphertext_is_a_proven_fault() {
    all_blame(|last| last.sealed[0].ciphertext[0] ^= 1, 0);
}

#[test]
fn proofs_of_two_validators_cannot_change_places() {
    all_blame(|last| last.sealed.swap(0, 1), 0);
}
