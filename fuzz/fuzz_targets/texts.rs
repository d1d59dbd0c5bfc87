//! What people type: fingerprints, endpoints, amounts, addresses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::{address::ExecutionAddress, amount::Unit};
use quorate::spec::{Endpoint, canonical::parse_fingerprint};

fuzz_target!(|text: &str| {
    if let Ok(words) = parse_fingerprint(text) {
        assert_eq!(parse_fingerprint(&words.join("-")), Ok(words));
    }
    if let Ok(endpoint) = Endpoint::parse(text) {
        assert_eq!(Endpoint::parse(&endpoint.to_string()), Ok(endpoint));
    }
    for unit in [Unit::Eth, Unit::Gno] {
        assert!(
            unit.parse(text).is_err()
                || unit.parse(text).map(|gwei| unit.parse(&unit.decimal(gwei)))
                    == Ok(unit.parse(text))
        );
    }
    assert!(
        ExecutionAddress::parse_checksummed(text)
            .map_or(true, |address| address.to_string() == text)
    );
});
