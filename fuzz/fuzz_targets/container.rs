//! Transcripts as files: the cuts cover the file, no byte twice and none left over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::spec::parent::rows_bytes;
use quorate::transcript::container::{Container, ContainerKind, Header, expected_len};

fuzz_target!(|bytes: &[u8]| {
    let Ok(container) = Container::parse(bytes) else { return };
    let header = Header::parse(bytes).expect("parsed before");
    let longest = expected_len(&bytes[..header.prefix_bytes()]).expect("parsed before");
    let length = u64::try_from(bytes.len()).expect("a size");
    // Of a reshare, the rows are in front of the statements, and minima behind them.
    let (prefix, minima) = match container.ceremony().reshare() {
        None => {
            assert_eq!((header.kind(), longest), (ContainerKind::Complete, length));
            (header.prefix_bytes(), Vec::new())
        }
        Some(spec) => {
            assert!(header.kind() == ContainerKind::Reshared && length <= longest);
            let count = u16::try_from(container.minima().len()).expect("at most 510");
            let minima = [&count.to_be_bytes()[..], &container.minima().concat()].concat();
            (header.prefix_bytes() + rows_bytes(spec), minima)
        }
    };
    let slots = container.shape().slots();
    let mut cut: Vec<u8> = slots
        .filter_map(|(round, index)| container.statement(round, index))
        .flatten()
        .copied()
        .collect();
    cut.extend(minima);
    assert_eq!(cut, bytes[prefix..]);
});
