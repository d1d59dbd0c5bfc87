//! Transcripts as files: the cuts cover the file, no byte twice and none left over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::spec::parent::rows_bytes;
use quorate::transcript::container::{Container, Header, expected_len};

fuzz_target!(|bytes: &[u8]| {
    let Ok(container) = Container::parse(bytes) else { return };
    let prefix = Header::parse(bytes).expect("parsed before").prefix_bytes();
    let most = expected_len(&bytes[..prefix]).expect("parsed before");
    let minima: usize = container.minima().iter().map(|said| said.len()).sum();
    let rows = container.ceremony().reshare().map_or(0, rows_bytes);
    // Behind the statements of a ceremony that makes no keys, how many minima follow.
    let count = if container.shape().makes_keys() { 0 } else { 2 };
    match count {
        0 => assert_eq!(most, u64::try_from(bytes.len()).expect("a length")),
        _ => assert!(u64::try_from(bytes.len()).expect("a length") <= most),
    }
    let slots = container.shape().slots();
    let cut: Vec<u8> = slots
        .filter_map(|(round, index)| container.statement(round, index))
        .flatten()
        .copied()
        .collect();
    assert_eq!(cut, bytes[prefix + rows..bytes.len() - minima - count]);
});
