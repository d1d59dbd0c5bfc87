//! Files of builder registrations: those of a file, written again, are the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::network::Network;
use quorate::export::launchpad::{verify_registrations, write_registrations};
use quorate_fuzz::registration;

fuzz_target!(|bytes: &[u8]| {
    let (network, expected) =
        (Network::known("hoodi").expect("built in"), [registration().message]);
    if let Ok(registrations) = verify_registrations(bytes, &network, Some(&expected)) {
        assert_eq!(
            verify_registrations(&write_registrations(&registrations), &network, Some(&expected)),
            Ok(registrations)
        );
    }
});
