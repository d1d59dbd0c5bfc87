//! Statements as they come from anybody.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::envelope::Statement;
use quorate_fuzz::CEREMONY;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(statement) = Statement::open(bytes, &CEREMONY) {
        assert_eq!(statement.bytes(), bytes);
        assert_eq!([&statement.envelope.encode(), statement.body()].concat(), bytes);
    }
});
