//! Policy packs: files that anybody writes, compared with a ceremony.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::spec::pack::Pack;
use quorate_fuzz::CEREMONY;

fuzz_target!(|text: &str| {
    if let Ok(pack) = Pack::parse(text) {
        let outcome = pack.check(&CEREMONY);
        assert!(outcome.breaches.iter().all(|breach| outcome.rules.contains(&breach.rule)));
    }
});
