//! A participant among peers whose signatures are good and whose bodies are whatever the fuzzer likes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate_fuzz::{next_input, participant};

fuzz_target!(|bytes: &[u8]| {
    let (mut alice, mut rest) = (participant(), bytes);
    while let Some(input) = next_input(&alice, &mut rest) {
        let _ = alice.handle(input);
    }
});
