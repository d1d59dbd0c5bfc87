//! Signed exits: one that is read, written again, is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::export::exits::{parse_exit, write_exit};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(exit) = parse_exit(bytes) {
        assert_eq!(parse_exit(&write_exit(&exit)), Ok(exit));
    }
});
