//! Files of preregistrations of withdrawal credentials (a draft): those of a file, written again,
//! are the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::network::Network;
use quorate::ethereum::preregistration::Draft;
use quorate::export::launchpad::{verify_preregistrations, write_preregistrations};

fuzz_target!(|bytes: &[u8]| {
    let network = Network::known("hoodi").expect("built in");
    let read = |bytes: &[u8]| verify_preregistrations(bytes, &network, Draft::NEWEST);
    if let Ok(signed) = read(bytes) {
        assert_eq!(read(&write_preregistrations(&signed)), Ok(signed));
    }
});
