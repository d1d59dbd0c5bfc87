//! A ceremony that preregisters withdrawal credentials: file, canonical bytes, summary.

use quorate::ethereum::preregistration::Draft;
use quorate::primitives::codec::DecodeError;
use quorate::spec::preregistration::PreregistrationError;
use quorate::spec::show::describe;
use quorate::spec::{Ceremony, CeremonyFile, SpecError};
use serde_json::{Value, json};

use super::{card_of_version_1, ceremony, edited, good, with};

const DATE: &str = "2026-08-17";

pub(crate) fn asked() -> Value {
    with("/preregistration", json!({ "draft": DATE }))
}

fn bytes() -> Vec<u8> {
    ceremony(&asked()).unwrap().canonical().to_vec()
}

/// What is tried, the file, the reason why it is refused.
pub(crate) fn cases() -> Vec<(&'static str, Value, SpecError)> {
    use PreregistrationError::*;
    let dated = |date: &str| with("/preregistration", json!({ "draft": date }));
    let mut old = edited(asked(), "/version", json!(1));
    for operator in old["operators"].as_array_mut().unwrap() {
        operator["card"] = json!(card_of_version_1());
    }
    vec![
        ("an earlier draft", dated("2026-03-26"), Date("2026-03-26".to_owned()).into()),
        ("no draft", dated(""), Date(String::new()).into()),
        ("a long one", dated(&"9".repeat(50)), Date("9".repeat(40)).into()),
        ("version 1", old, Version.into()),
    ]
}

#[test]
fn files_that_are_refused() {
    for (about, file, reason) in cases() {
        assert_eq!(ceremony(&file).unwrap_err(), reason, "{about}");
    }
    for entry in [json!({}), json!({ "draft": 1 }), json!({ "draft": DATE, "more": 1 }), json!(1)] {
        let read = ceremony(&with("/preregistration", entry.clone()));
        assert!(matches!(read, Err(SpecError::Json { .. })), "{entry}");
    }
}

#[test]
fn bytes_that_are_refused() {
    use PreregistrationError::Number;
    let asked = bytes();
    let (plain, end) = (ceremony(&good()).unwrap(), asked.len() - 1);
    // One bit and one byte, and nothing else; without it everything is as it was.
    let mut expected = [plain.canonical(), &[1]].concat();
    expected[7] = 8;
    assert_eq!(asked, expected);
    let read = Ceremony::from_canonical(&asked).unwrap();
    assert_eq!((read.preregistration(), plain.preregistration()), (Some(Draft::NEWEST), None));
    let patched = |at: usize, to: u8| {
        let mut bytes = asked.clone();
        bytes[at] = to;
        bytes
    };
    let short = DecodeError::Short { what: "state of the draft", missing: 1 };
    let cases: [(Vec<u8>, SpecError); 5] = [
        (patched(end, 0), Number(0).into()),
        (patched(end, 2), Number(2).into()),
        (asked[..end].to_vec(), SpecError::Layout(short)),
        (patched(7, 0), SpecError::Layout(DecodeError::Trailing { extra: 1 })),
        // Ceremonies of version 1 do not have the bit.
        (patched(5, 1), SpecError::Policy(8)),
    ];
    for (bytes, reason) in cases {
        assert_eq!(Ceremony::from_canonical(&bytes).unwrap_err(), reason);
    }
}

#[test]
fn a_file_gives_it_again_and_a_person_is_told_what_it_means() {
    let made = ceremony(&asked()).unwrap();
    let text = CeremonyFile::from(&made).to_toml();
    assert!(text.contains("\n[preregistration]\n# DRAFT (EIP-8205): each "), "{text}");
    let read = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
    assert_eq!(read.canonical(), made.canonical());
    let said = describe(&made);
    let (_, said) = said.split_once("\nPreregistrations: DRAFT (EIP-8205 as of ").unwrap();
    for words in [
        "2026-08-17)\n",
        "a first deposit to it has the withdrawal credentials below",
        "never expires and cannot be taken back. Anybody who has it can use it.",
        "No network takes it yet, and the draft may change",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!describe(&ceremony(&good()).unwrap()).contains("Preregistration"));
}

/// Whatever the order of bits, each extension finds its own bytes.
#[test]
fn with_a_cluster_of_ssv() {
    let file = super::ssv::cluster(4, 3);
    let plain = ceremony(&file).unwrap();
    let both = edited(file, "/preregistration", json!({ "draft": DATE }));
    let both = ceremony(&both).unwrap();
    let mut expected = [plain.canonical(), &[1]].concat();
    expected[7] |= 8;
    assert_eq!(both.canonical(), expected);
    assert_eq!(Ceremony::from_canonical(&expected).unwrap().digest(), both.digest());
}
