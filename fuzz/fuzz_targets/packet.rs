//! Operator packets: what is read comes out again, and its front alone tells how long it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::spec::packet::{LONGEST_FRONT, Packet, expected_len};

fuzz_target!(|bytes: &[u8]| {
    let front = expected_len(&bytes[..bytes.len().min(LONGEST_FRONT)]);
    let Ok(packet) = Packet::parse(bytes) else { return };
    assert_eq!(front.ok(), u64::try_from(bytes.len()).ok());
    assert_eq!(packet.encode().as_deref(), Ok(bytes));
});
