//! Lists of registered validators, as JSON and as tables, from registries of any origin.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::registered::{List, compare};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(list) = List::read(bytes) {
        let comparison = compare(&list, &[]);
        let counted = comparison.foreign.len() + comparison.repeated.len();
        assert_eq!(counted, list.entries.len());
    }
});
