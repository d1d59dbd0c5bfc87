//! Ceremony files as programs write them: the same file as TOML says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::spec::{Ceremony, CeremonyFile};

fuzz_target!(|text: &str| {
    let Ok(file) = CeremonyFile::parse_json(text) else { return };
    let toml = CeremonyFile::parse_toml(&file.to_toml());
    if let Ok(ceremony) = Ceremony::try_from(file) {
        let again = toml.and_then(Ceremony::try_from).expect("a valid file, written as TOML");
        assert_eq!(again.canonical(), ceremony.canonical());
    }
});
