//! Operator cards: what is read comes out again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quorate::identity::OperatorCard;

fuzz_target!(|text: &str| {
    if let Ok(card) = OperatorCard::parse(text) {
        assert_eq!(card.encode(), text);
    }
});
