//! Files of a board, and their names: what is read comes out again, and has a length that was
//! announced.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::message::envelope::Round;
use quorate::message::posting::Posting;
use quorate_fuzz::{CEREMONY, SHAPE, index};
use quorate_operator::carrier::board::Name;

fuzz_target!(|bytes: &[u8]| {
    if let Some(name) = Name::parse(bytes) {
        assert_eq!(name.to_string().as_bytes(), bytes);
    }
    let [place, file @ ..] = bytes else { return };
    let (round, seat) = (Round::ALL[usize::from(place % 5)], index(u16::from(place / 5 % 4) + 1));
    if let Ok(posting) = Posting::parse(file, &CEREMONY, &SHAPE, round, seat) {
        assert_eq!(posting.encode(), file);
        assert!(Posting::lengths(&SHAPE, round, seat).contains(&file.len()));
        for recipient in CEREMONY.indices() {
            let sealed = posting.box_for(&SHAPE, recipient);
            assert!(sealed.is_none_or(|sealed| sealed.len() == SHAPE.box_bytes()));
        }
    }
});
