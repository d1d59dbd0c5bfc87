//! The judge, of an operator that kept the rules and others that sign whatever the fuzzer likes:
//! the first is never at fault, and each fault's evidence shows that fault by itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::envelope::Statement;
use quorate::protocol::judge::judge;
use quorate::transcript::container::ContainerError;
use quorate::transcript::stopped::{self, Stopped};
use quorate_fuzz::seeds::WHOLE;
use quorate_fuzz::{CEREMONY, Cut, index, next};

fuzz_target!(|bytes: &[u8]| {
    let me = index(1);
    let honest = WHOLE.alice.inbox();
    let mut statements: Vec<Statement> =
        honest.statements().filter(|own| own.envelope.sender == me).cloned().collect();
    let mut rest = bytes;
    while let Some(cut) = next(honest.session().expect("a whole ceremony"), &mut rest) {
        if let Cut::Statement(statement) = cut {
            statements.push(statement);
        }
    }
    for fault in judge(&CEREMONY, &statements) {
        assert!(!fault.rule.culprits().contains(&me), "{:?}", fault.rule);
        let file = stopped::encode(&CEREMONY, &fault.evidence);
        let read = match Stopped::parse(&file) {
            Ok(read) => read,
            // More of one slot than any operator keeps, so more than a file holds: only because the
            // fuzzer signed as many.
            Err(ContainerError::Crowd { sender, round, most, .. }) => {
                let of_slot = |statement: &&Statement| {
                    let envelope = &statement.envelope;
                    (envelope.sender, Some(envelope.round)) == (sender, round)
                };
                assert!(statements.iter().filter(of_slot).count() > most, "{:?}", fault.rule);
                continue;
            }
            Err(error) => panic!("evidence is no file: {error}"),
        };
        assert!(
            judge(&read.ceremony, &read.statements).iter().any(|seen| seen.rule == fault.rule),
            "{:?}",
            fault.rule
        );
    }
});
