//! A participant among peers whose signatures are good and whose bodies are whatever the fuzzer
//! likes. Whatever they say: it signs one statement for each slot, nobody can prove it at fault,
//! and what it can prove of others, a stranger sees too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::envelope::Statement;
use quorate::primitives::hash::Digest;
use quorate::protocol::judge::judge;
use quorate::protocol::participant::Input;
use quorate_fuzz::seeds::carry_out;
use quorate_fuzz::{CEREMONY, Cut, index, next, participant};

fuzz_target!(|bytes: &[u8]| {
    let ((mut alice, step), mut rest) = (participant(), bytes);
    let mut log = Vec::new();
    carry_out(&mut alice, &mut log, step);
    while let Some(cut) = next(alice.inbox().session().unwrap_or(Digest::ZERO), &mut rest) {
        let input = match cut {
            Cut::Statement(statement) => Input::Statement(statement.bytes().to_vec()),
            Cut::ShareBox { dealer, sealed } => Input::ShareBox { dealer, sealed },
        };
        if let Ok(step) = alice.handle(input) {
            carry_out(&mut alice, &mut log, step);
        }
    }
    let me = index(1);
    assert!(
        alice.inbox().conflicts().all(|conflict| conflict.first.envelope.sender != me),
        "one statement for each slot"
    );
    let held: Vec<Statement> = alice.inbox().everything().cloned().collect();
    assert!(
        judge(&CEREMONY, &held).iter().all(|fault| !fault.rule.culprits().contains(&me)),
        "nobody is framed"
    );
    if let Some(fault) = alice.proven_fault() {
        assert!(
            judge(&CEREMONY, &fault.evidence).iter().any(|seen| seen.rule == fault.rule),
            "{:?}",
            fault.rule
        );
    }
});
