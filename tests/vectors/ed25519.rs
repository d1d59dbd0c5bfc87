//! Ed25519 edge cases: what one implementation accepts and another refuses must have one answer
//! here, for a known reason.

use std::collections::BTreeMap;

use quorate::identity::key::{BadSignature, KeyError, OperatorPublic};
use serde::Deserialize;

use crate::support::{array, bytes, names, read};

/// What became of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Holds,
    KeyNotCanonical,
    KeyNotOnCurve,
    KeySmallOrder,
    BadSignature,
}

fn verdict(key: &str, message: &[u8], signature: &str) -> Verdict {
    match OperatorPublic::from_bytes(array(key)) {
        Err(KeyError::NotCanonical) => Verdict::KeyNotCanonical,
        Err(KeyError::NotOnCurve) => Verdict::KeyNotOnCurve,
        Err(KeyError::SmallOrder) => Verdict::KeySmallOrder,
        Ok(key) => match key.verify_bytes(message, &array(signature)) {
            Ok(()) => Verdict::Holds,
            Err(BadSignature) => Verdict::BadSignature,
        },
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<V> {
    origin: String,
    vectors: Vec<V>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cctv {
    number: usize,
    key: String,
    sig: String,
    msg: String,
    flags: Vec<Flag>,
}

/// The edge cases that a vector exercises, as its source names them. `A` is the key.
#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Flag {
    #[serde(rename = "low_order_A")]
    LowOrderA,
    #[serde(rename = "low_order_R")]
    LowOrderR,
    #[serde(rename = "low_order_component_A")]
    LowOrderComponentA,
    #[serde(rename = "low_order_component_R")]
    LowOrderComponentR,
    LowOrderResidue,
    #[serde(rename = "non_canonical_A")]
    NonCanonicalA,
    #[serde(rename = "non_canonical_R")]
    NonCanonicalR,
    #[serde(rename = "reencoded_k")]
    ReencodedK,
}

/// What the rule says of a vector with these flags: a torsion component alone is harmless, since
/// the equation is without cofactor and so has one answer; everything else is refused.
fn by_flags(flags: &[Flag]) -> Verdict {
    let has = |flag: Flag| flags.contains(&flag);
    if has(Flag::NonCanonicalA) {
        Verdict::KeyNotCanonical
    } else if has(Flag::LowOrderA) {
        Verdict::KeySmallOrder
    } else if has(Flag::LowOrderR)
        || has(Flag::LowOrderResidue)
        || has(Flag::NonCanonicalR)
        || has(Flag::ReencodedK)
    {
        Verdict::BadSignature
    } else {
        assert!(has(Flag::LowOrderComponentA) || has(Flag::LowOrderComponentR));
        Verdict::Holds
    }
}

#[test]
fn no_file_is_left_out() {
    assert_eq!(names("ed25519"), ["cctv", "speccheck"]);
}

#[test]
fn cctv() {
    let file: File<Cctv> = read("ed25519/cctv.json");
    assert!(file.origin.starts_with("independent"));
    let mut ran: BTreeMap<Verdict, usize> = BTreeMap::new();
    for (number, vector) in file.vectors.iter().enumerate() {
        assert_eq!(vector.number, number);
        let got = verdict(&vector.key, vector.msg.as_bytes(), &vector.sig);
        assert_eq!(got, by_flags(&vector.flags), "{number}");
        *ran.entry(got).or_default() += 1;
    }
    let expected = [
        (Verdict::Holds, 2),
        (Verdict::KeyNotCanonical, 14),
        (Verdict::KeySmallOrder, 12),
        (Verdict::BadSignature, 12),
    ];
    assert_eq!(ran, expected.into(), "vectors run");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecCheck {
    number: usize,
    message: String,
    pub_key: String,
    signature: String,
    comment: String,
}

#[test]
fn speccheck() {
    use Verdict::*;
    let file: File<SpecCheck> = read("ed25519/speccheck.json");
    assert!(file.origin.starts_with("independent"));
    let expected = [
        KeySmallOrder,
        KeySmallOrder,
        BadSignature,
        Holds,
        BadSignature,
        BadSignature,
        BadSignature,
        BadSignature,
        BadSignature,
        BadSignature,
        KeyNotCanonical,
        KeyNotCanonical,
    ];
    assert_eq!(file.vectors.len(), expected.len(), "vectors run");
    for (number, (vector, expected)) in file.vectors.iter().zip(expected).enumerate() {
        assert_eq!(vector.number, number);
        let got = verdict(&vector.pub_key, &bytes(&vector.message), &vector.signature);
        assert_eq!(got, expected, "{number}: {}", vector.comment);
    }
}

/// The case that holds must fail once anything in it changes.
#[test]
fn a_changed_signature_does_not_hold() {
    let file: File<SpecCheck> = read("ed25519/speccheck.json");
    let vector = &file.vectors[3];
    let key = OperatorPublic::from_bytes(array(&vector.pub_key)).unwrap();
    let (message, signature) = (bytes(&vector.message), array::<64>(&vector.signature));
    assert_eq!(key.verify_bytes(&message, &signature), Ok(()));
    for bit in [0, 255, 256, 511] {
        let mut changed = signature;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.verify_bytes(&message, &changed), Err(BadSignature), "bit {bit}");
    }
    assert_eq!(key.verify_bytes(&message[1..], &signature), Err(BadSignature));
}
