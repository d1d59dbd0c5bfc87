//! Transcripts as files: the cuts cover the file, no byte twice and none left over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::transcript::container::{Container, Header, expected_len};

fuzz_target!(|bytes: &[u8]| {
    let Ok(container) = Container::parse(bytes) else { return };
    let prefix = Header::parse(bytes).expect("parsed before").prefix_bytes();
    assert_eq!(expected_len(&bytes[..prefix]).ok(), u64::try_from(bytes.len()).ok());
    let slots = container.shape().slots();
    let cut: Vec<u8> = slots
        .filter_map(|(round, index)| container.statement(round, index))
        .flatten()
        .copied()
        .collect();
    assert_eq!(cut, bytes[prefix..]);
});
