//! Ceremony files as people write them: a ceremony written as a file again is the same ceremony.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::spec::{Ceremony, CeremonyFile, show};

fuzz_target!(|text: &str| {
    let Ok(ceremony) = CeremonyFile::parse_toml(text).and_then(Ceremony::try_from) else { return };
    let written = CeremonyFile::from(&ceremony).to_toml();
    let again =
        CeremonyFile::parse_toml(&written).and_then(Ceremony::try_from).expect("what was written");
    assert_eq!(again.canonical(), ceremony.canonical());
    assert!(show::describe(&ceremony).is_ascii());
});
