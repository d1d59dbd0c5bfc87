//! A log whose bytes somebody changed: what is read begins as the log that was written, or nothing
//! is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_fuzz::{CEREMONY, HOME, RECORDS, secret};
use quorate_operator::store::Log;

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(HOME.view.path().join("log.sealed"), bytes).expect("a temporary directory");
    let Ok(records) = Log::read(&HOME.view, &secret("storage"), CEREMONY.digest().as_bytes())
    else {
        return;
    };
    assert!(records.len() <= RECORDS.len());
    for (record, (kind, body)) in records.iter().zip(RECORDS) {
        assert_eq!((record.kind, record.body.expose()), (*kind, *body));
    }
});
