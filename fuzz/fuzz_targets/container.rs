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
    let shape = container.shape();
    let counted = |parts: &[&[u8]]| {
        let count = u16::try_from(parts.len()).expect("bounded by the seats");
        [&count.to_be_bytes()[..], &parts.concat()].concat()
    };
    let mut cut = bytes[..header.prefix_bytes()].to_vec();
    // Of a reshare, the rows are in front of the statements, and minima behind them.
    let rows = container.ceremony().reshare().map_or(0, rows_bytes);
    cut.extend(&bytes[cut.len()..cut.len() + rows]);
    let without = header.kind() == ContainerKind::Without;
    if without {
        let seats = container.ceremony().indices();
        cut.extend(seats.map(|seat| u8::from(!container.lacking().contains(seat))));
    }
    let slots = shape.slots().filter_map(|(round, index)| container.statement(round, index));
    cut.extend(slots.flatten());
    match header.kind() {
        ContainerKind::Complete | ContainerKind::Repaired => assert_eq!(longest, length),
        ContainerKind::Reshared | ContainerKind::Without => {
            assert!(length <= longest);
            cut.extend(counted(container.minima()));
        }
        ContainerKind::Stopped => unreachable!("no transcript"),
    }
    if without {
        cut.extend(counted(container.withouts()));
    }
    assert_eq!(cut, bytes);
});
