//! The judge, of an operator that kept the rules and others that sign whatever the fuzzer likes:
//! the first is never at fault, and each fault's evidence shows that fault by itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::envelope::Statement;
use quorate::protocol::judge::judge;
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
        let read = Stopped::parse(&file).expect("evidence is a file");
        assert!(
            judge(&read.ceremony, &read.statements).iter().any(|seen| seen.rule == fault.rule),
            "{:?}",
            fault.rule
        );
    }
});
