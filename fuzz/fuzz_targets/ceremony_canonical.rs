//! Canonical bytes: one reading, one writing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::spec::Ceremony;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(ceremony) = Ceremony::from_canonical(bytes) {
        assert_eq!(ceremony.canonical(), bytes);
    }
});
