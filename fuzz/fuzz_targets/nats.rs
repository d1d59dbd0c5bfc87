//! What a NATS server says: its lines, its messages, and what is in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_operator::carrier::board::nats::{Said, read, subjects};

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = rest.len();
        let Ok(said) = read(&mut rest) else { break };
        assert!(rest.len() < before);
        if let Said::Message { payload, .. } = said {
            assert!(payload.len() < before);
            // No more is made of an answer than is in it.
            assert!(subjects(&payload) <= payload.len());
        }
    }
});
