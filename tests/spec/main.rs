//! The ceremony file, the checked ceremony, its canonical bytes, and its summary for people.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod canonical;
mod examples;
mod file;
mod import;
mod money;
mod packet;
mod packs;
mod preregistration;
mod reshare;
mod shown;
mod ssv;

use std::collections::BTreeSet;

use quorate::identity::{Operator, OperatorName};
use quorate::primitives::hash::{Tag, tagged};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::spec::{Ceremony, CeremonyFile, SpecError};
use serde_json::{Value, json};

pub(crate) const FIRST: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
pub(crate) const SECOND: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
pub(crate) const FEES: &str = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB";

/// 32 bytes from a label, so that every run of a test is the same run.
pub(crate) fn bytes(label: &str) -> [u8; 32] {
    tagged(Tag::BatchSeed, &[b"test", label.as_bytes()]).0
}

pub(crate) fn operator(name: &str) -> Operator {
    Operator::generate(
        OperatorName::parse(name).unwrap(),
        Secret32::new(&mut bytes(&format!("operator {name}"))),
    )
}

pub(crate) fn card(name: &str) -> String {
    operator(name).card().encode()
}

/// A card without an install mark.
pub(crate) fn card_of_version_1() -> String {
    operator("dave").with_mark(None).card().encode()
}

/// An operator called `name` with the Noise static of `other`.
pub(crate) fn card_with_noise_of(name: &str, other: &str) -> String {
    let mut bytes = operator(name).to_secret_bytes().expose().to_vec();
    bytes[38..70].copy_from_slice(operator(other).noise().expose());
    let twin = Operator::from_secret_bytes(&SecretBytes::new(bytes)).unwrap();
    twin.with_mark(operator(name).mark()).card().encode()
}

/// A good file: four operators, three validators in two blocks.
pub(crate) fn good() -> Value {
    let operators: Vec<Value> = ["alice", "bob", "carol", "dave"]
        .iter()
        .enumerate()
        .map(|(i, name)| {
            json!({ "card": card(name), "address": format!("{name}.example:{}",
        3610 + i) })
        })
        .collect();
    json!({
        "version": 2,
        "name": "Test cluster",
        "id": hex::encode(bytes("ceremony")),
        "network": "hoodi",
        "threshold": 3,
        "operators": operators,
        "validators": [
            { "count": 2, "withdrawal": FIRST, "compounding": false },
            {
                "withdrawal": SECOND, "compounding": true, "amounts": [1, "32.5"],
                "fee_recipient": FEES, "gas_limit": 30_000_000
            },
        ],
    })
}

/// [`good`] with the value at a JSON pointer set; a field that is not there is added.
pub(crate) fn with(pointer: &str, value: Value) -> Value {
    edited(good(), pointer, value)
}

pub(crate) fn edited(mut file: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    match file.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[field.parse::<usize>().unwrap()] = value,
        parent => parent[field] = value,
    }
    file
}

pub(crate) fn ceremony(file: &Value) -> Result<Ceremony, SpecError> {
    CeremonyFile::parse_json(&file.to_string())?.try_into()
}

/// Every variant of `SpecError` is the exact answer to some case of this test.
#[test]
fn every_reason_has_its_case() {
    let seen: BTreeSet<String> = file::cases()
        .into_iter()
        .map(|(_, _, error)| error)
        .chain(file::parse_cases().into_iter().map(|(_, error)| error))
        .chain(canonical::cases().into_iter().map(|(_, error)| error))
        .chain(reshare::cases().into_iter().map(|(_, _, error)| error))
        .chain(preregistration::cases().into_iter().map(|(_, _, error)| error))
        .chain(ssv::cases().into_iter().map(|(_, _, error)| error))
        .map(|error| format!("{error:?}").split(['(', ' ', '{']).next().unwrap().to_owned())
        .collect();
    let source = include_str!("../../src/spec/error.rs");
    let (_, body) = source.split_once("pub enum SpecError {").unwrap();
    let variant = |line: &str| {
        let rest = line.strip_prefix("    ")?;
        rest.starts_with(|c: char| c.is_ascii_uppercase())
            .then(|| rest.split(['(', ' ', ',']).next().unwrap().to_owned())
    };
    let listed: BTreeSet<String> = body.lines().filter_map(variant).collect();
    assert!(listed.len() > 40);
    assert_eq!(seen, listed);
}
