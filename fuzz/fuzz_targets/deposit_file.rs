//! Deposit files: the deposits of a file, written again, are the same deposits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::ethereum::network::Network;
use quorate::export::launchpad::{parse_deposits, verify_deposits, write_deposits};

fuzz_target!(|bytes: &[u8]| {
    let network = Network::known("hoodi").expect("built in");
    if let Ok(deposits) = parse_deposits(bytes, &network) {
        assert_eq!(
            parse_deposits(&write_deposits(&network, &deposits), &network).as_ref(),
            Ok(&deposits)
        );
        let _ = verify_deposits(bytes, &network, None);
    }
});
