//! Addresses that money cannot be paid to, and those that look like a mistake.

use quorate::ethereum::address::AddressError;
use quorate::ethereum::destination::Trap;
use quorate::spec::show::{describe, warnings};
use quorate::spec::{Ceremony, Place, SpecError};
use serde_json::{Value, json};

use super::{SECOND, card_of_version_1, ceremony, edited, good, with};

const DEPOSIT_CONTRACT: &str = "0x00000000219ab540356cBB839Cbe05303d7705Fa";
const PRECOMPILE: &str = "0x0000000000000000000000000000000000000009";
const PLACEHOLDER: &str = "0x1111111111111111111111111111111111111111";

#[test]
fn no_field_takes_an_address_that_keeps_the_money() {
    let trap = |text: &str| {
        let address = quorate::ethereum::address::ExecutionAddress::parse_checksummed(text);
        Trap::DepositContract(address.unwrap())
    };
    let at = |field| Place::validator(1, field);
    for (file, error) in [
        (with("/validators/1/withdrawal", json!(DEPOSIT_CONTRACT)), {
            let source = AddressError::Trap(trap(DEPOSIT_CONTRACT));
            SpecError::Withdrawal { place: at("withdrawal"), source }
        }),
        (with("/validators/1/withdrawal", json!(PRECOMPILE)), {
            let source = AddressError::Trap(Trap::Precompile);
            SpecError::Withdrawal { place: at("withdrawal"), source }
        }),
        (with("/validators/1/fee_recipient", json!(PRECOMPILE)), {
            let source = AddressError::Trap(Trap::Precompile);
            SpecError::FeeRecipient { place: at("fee_recipient"), source }
        }),
    ] {
        assert_eq!(ceremony(&file).unwrap_err(), error);
    }
    let file = with("/validators/1/withdrawal", json!(DEPOSIT_CONTRACT));
    assert_eq!(
        ceremony(&file).unwrap_err().to_string(),
        "validators[1].withdrawal: the deposit contract of mainnet and hoodi: money sent there can \
         never be moved"
    );
}

/// What was agreed in version 1 is read, also from canonical bytes, and a person is warned.
#[test]
fn a_ceremony_of_version_1_is_taken_with_a_warning() {
    let mut file = with("/validators/1/withdrawal", json!(DEPOSIT_CONTRACT));
    file["version"] = json!(1);
    for operator in file["operators"].as_array_mut().unwrap() {
        let card = operator["card"].as_str().unwrap();
        operator["card"] = json!(without_mark(card));
    }
    let read = ceremony(&file).unwrap();
    let again = Ceremony::from_canonical(read.canonical()).unwrap();
    for ceremony in [&read, &again] {
        let warned = format!(
            "{DEPOSIT_CONTRACT}: the deposit contract of mainnet and hoodi: money sent there can \
             never be moved"
        );
        assert_eq!(warnings(ceremony), [format!("withdrawal {warned}")]);
        assert!(describe(ceremony).contains(&format!("\nWARNING: withdrawal {warned}\n")));
    }
}

/// The card of version 1 of one of the operators of [`good`].
fn without_mark(card: &str) -> String {
    let names = ["alice", "bob", "carol", "dave"];
    let name = names.into_iter().find(|name| super::card(name) == card).unwrap();
    match name {
        "dave" => card_of_version_1(),
        name => super::operator(name).with_mark(None).card().encode(),
    }
}

#[test]
fn what_looks_like_a_mistake_is_said_once_for_each_address() {
    assert_eq!(warnings(&ceremony(&good()).unwrap()), [""; 0]);
    let placeholder = format!(
        "{PLACEHOLDER}: its digits repeat, as in a placeholder; check that somebody has its key"
    );
    let known = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266: its private key is published with \
                 developers' tools, so anybody can take the money";
    let file: Value = edited(
        with("/validators/0/withdrawal", json!(PLACEHOLDER)),
        "/validators/1/fee_recipient",
        json!(&known[..42]),
    );
    let ceremony = ceremony(&file).unwrap();
    assert_eq!(
        warnings(&ceremony),
        [format!("withdrawal {placeholder}"), format!("fee_recipient {known}")]
    );
    let text = describe(&ceremony);
    assert!(text.contains(&format!("\nWARNING: withdrawal {placeholder}\n")), "{text}");
    assert!(text.contains(&format!("\nWARNING: fee_recipient {known}\n")), "{text}");
    assert!(!text.contains(&format!("withdrawal {SECOND}")), "{text}");
}
