//! The interchange of slashing protection: what clients and the EIP publish is read, and what is
//! read from it refuses what clients refuse.

use quorate::ethereum::interchange::{
    Interchange, InterchangeError, Key, Lower, MOST_ENTRIES, Remark, Signed, Vote, Why,
};
use quorate::ethereum::json::HexError;
use serde_json::{Value, json};

use super::{bytes, json, unhex};

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

fn signed(slot: Option<u64>, vote: Option<(u64, u64)>) -> Signed {
    Signed { slot, vote: vote.map(|(source, target)| Vote { source, target }) }
}

/// Conditions 2, 4 and 5 of EIP-3076, with the greatest values as those of the only messages.
fn signs_block(known: &Signed, slot: u64) -> bool {
    known.slot.is_none_or(|known| slot > known)
}

fn signs_attestation(known: &Signed, source: u64, target: u64) -> bool {
    source <= target
        && known.vote.is_none_or(|known| source >= known.source && target > known.target)
}

#[test]
fn whatever_a_client_refuses_after_an_import_is_refused() {
    let (mut refused, mut allowed, mut cautious) = (0, 0, 0);
    let vectors = json("interchange/signing.json");
    let vectors = vectors.as_array().unwrap();
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let name = vector["name"].as_str().unwrap();
        let root = unhex(&vector["genesis_validators_root"]);
        let mut known = Interchange::empty(root);
        for step in vector["steps"].as_array().unwrap() {
            let file = serde_json::to_vec(&step["interchange"]).unwrap();
            let read = Interchange::parse(&file, &root);
            if step["should_succeed"] == false {
                let found = [0; 32];
                assert_eq!(read.unwrap_err(), InterchangeError::Root { expected: root, found });
                continue;
            }
            let (read, _) = read.unwrap();
            // What is written instead of the full history says the same, and is read as itself.
            let (again, remarks) = Interchange::parse(&read.to_json(), &root).unwrap();
            assert_eq!((&again, remarks), (&read, Vec::new()), "{name}");
            known = known.join(&again).unwrap();
            let of = |probe: &Value| *known.signed(&unhex(&probe["pubkey"])).unwrap();
            let blocks = step["blocks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|probe| (probe, signs_block(&of(probe), number(&probe["slot"]))));
            let attestations = step["attestations"].as_array().unwrap().iter().map(|probe| {
                let (source, target) =
                    (number(&probe["source_epoch"]), number(&probe["target_epoch"]));
                (probe, signs_attestation(&of(probe), source, target))
            });
            for (probe, signs) in blocks.chain(attestations) {
                match (probe["should_succeed"].as_bool().unwrap(), signs) {
                    (false, signs) => {
                        assert!(!signs, "{name}: {probe}");
                        refused += 1;
                    }
                    (true, true) => allowed += 1,
                    // Only whoever has the full history may sign that.
                    (true, false) => cautious += 1,
                }
            }
        }
    }
    assert_eq!((refused, allowed, cautious), (29, 17, 2));
}

/// Of a file's one key.
fn only(file: &str, root: &str) -> (Signed, Vec<Remark>) {
    let root: [u8; 32] = hex::decode(root).unwrap().try_into().unwrap();
    let (read, remarks) = Interchange::parse(&bytes(&format!("interchange/{file}.json")), &root)
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    let [(key, signed)] = read.keys().collect::<Vec<_>>()[..] else { panic!("{file}") };
    assert_eq!(*key, key_of_the_example());
    (*signed, remarks)
}

fn key_of_the_example() -> Key {
    unhex(&json!(
        "b845089a1457f811bfc000588fbb4e713669be8ce060ea6be3c6ece09afc3794106c91ca73acda5e5457122d58723bed"
    ))
}

const OF_TEKU: &str = "0000000000000000000000000000000000000000000000000000000000123456";

#[test]
fn files_as_clients_write_them() {
    assert_eq!(
        only("eip-3076", "04700007fabc8282644aed6d1c7c9e21d38a03a0c4ba193f3afe428824b3a673"),
        (signed(Some(81952), Some((2290, 3008))), vec![])
    );
    assert_eq!(only("teku-minimal", OF_TEKU), (signed(Some(81952), Some((2290, 3007))), vec![]));
    let lacks = Remark::Lacks { key: key_of_the_example(), field: "signed_blocks" };
    assert_eq!(only("prysm", OF_TEKU), (signed(None, Some((2290, 3007))), vec![lacks.clone()]));
    assert_eq!(only("dirk", OF_TEKU), (signed(None, Some((10, 11))), vec![lacks]));
    let refused = Interchange::parse(&bytes("interchange/teku-without-root.json"), &[0; 32]);
    let missing = InterchangeError::Field {
        place: String::new(),
        field: "genesis_validators_root",
        why: Why::Missing,
    };
    assert_eq!(refused.unwrap_err(), missing);
}

/// A file of the example's key.
fn file(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut file = json!({
        "metadata": { "interchange_format_version": "5",
            "genesis_validators_root": format!("0x{}", hex::encode([7; 32])) },
        "data": [{
            "pubkey": format!("0x{}", hex::encode(key_of_the_example())),
            "signed_blocks": [{ "slot": "5" }],
            "signed_attestations": [{ "source_epoch": "1", "target_epoch": "2" }],
        }],
    });
    change(&mut file);
    serde_json::to_vec(&file).unwrap()
}

fn read(change: impl FnOnce(&mut Value)) -> Result<(Interchange, Vec<Remark>), InterchangeError> {
    Interchange::parse(&file(change), &[7; 32])
}

#[test]
fn each_value_that_is_wrong_is_named() {
    let in_list =
        |list, field, why| InterchangeError::Element { entry: 1, list, number: 1, field, why };
    let block = |field, why| in_list("signed_blocks", field, why);
    let vote = |field, why| in_list("signed_attestations", field, why);
    let field =
        |place: &str, field, why| InterchangeError::Field { place: place.to_owned(), field, why };
    type Change = fn(&mut Value);
    let cases: [(Change, InterchangeError); 14] = [
        (
            |f| f["metadata"]["interchange_format_version"] = json!("4"),
            InterchangeError::Version("4".to_owned()),
        ),
        (
            |f| f["metadata"]["interchange_format_version"] = json!(5),
            field("", "interchange_format_version", Why::Type("a whole number")),
        ),
        (
            |f| f["metadata"]["genesis_validators_root"] = json!("0x07"),
            field(
                "",
                "genesis_validators_root",
                Why::Hex(HexError::Length { expected: 64, found: 2 }),
            ),
        ),
        (
            |f| f["data"][0]["pubkey"] = json!(7),
            field("entry 1, ", "pubkey", Why::Type("a whole number")),
        ),
        (
            |f| drop(f["data"][0].as_object_mut().unwrap().remove("pubkey")),
            field("entry 1, ", "pubkey", Why::Missing),
        ),
        (
            |f| f["data"][0]["pubkey"] = json!("0x".to_owned() + &"g".repeat(96)),
            field("entry 1, ", "pubkey", Why::Hex(HexError::Digit)),
        ),
        (|f| f["data"][0]["signed_blocks"][0] = json!({}), block("slot", Why::Missing)),
        (
            |f| f["data"][0]["signed_blocks"][0]["slot"] = json!(5),
            block("slot", Why::Type("a whole number")),
        ),
        (|f| f["data"][0]["signed_blocks"][0]["slot"] = json!("05"), block("slot", Why::Decimal)),
        (
            |f| f["data"][0]["signed_blocks"][0]["slot"] = json!("18446744073709551616"),
            block("slot", Why::Decimal),
        ),
        (
            |f| f["data"][0]["signed_blocks"][0]["signing_root"] = json!("0x"),
            block("signing_root", Why::Hex(HexError::Length { expected: 64, found: 0 })),
        ),
        (
            |f| f["data"][0]["signed_attestations"][0]["source_epoch"] = json!("-1"),
            vote("source_epoch", Why::Decimal),
        ),
        (
            |f| f["data"][0]["signed_attestations"][0]["target_epoch"] = json!(null),
            vote("target_epoch", Why::Missing),
        ),
        (
            |f| f["data"][0]["signed_attestations"][0]["signing_root"] = json!([]),
            vote("signing_root", Why::Type("an array")),
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(read(change).unwrap_err(), expected);
    }
    let other = Interchange::parse(&file(|_| ()), &[8; 32]).unwrap_err();
    assert_eq!(other, InterchangeError::Root { expected: [8; 32], found: [7; 32] });
    let no_point = read(|f| f["data"][0]["pubkey"] = json!("0x".to_owned() + &"11".repeat(48)));
    assert!(matches!(no_point.unwrap_err(), InterchangeError::Curve { entry: 1, .. }));
    // Objects and lists are what they are, and no list in the place of an object.
    for change in [
        (|f| f["data"][0]["signed_blocks"][0] = json!(["5"])) as Change,
        |f| f["data"][0] = json!([]),
        |f| f["metadata"] = json!([]),
        |f| f["data"] = json!({}),
        |f| f["data"][0]["signed_blocks"] = json!({}),
        |f| *f = json!([]),
    ] {
        assert!(matches!(read(change).unwrap_err(), InterchangeError::Json(_)));
    }
}

#[test]
fn entries_are_bounded() {
    let entries = |count: usize| {
        let entry = json!({ "pubkey": format!("0x{}", hex::encode(key_of_the_example())) });
        let found = read(|f| f["data"] = json!(vec![entry; count]));
        let joined = |remark: &&Remark| matches!(remark, Remark::Joined(_));
        found.map(|(read, all)| (read.keys().len(), all.iter().filter(joined).count()))
    };
    assert_eq!(entries(2), Ok((1, 1)));
    // The first remarks of a kind are enough.
    assert_eq!(entries(9), Ok((1, 8)));
    assert_eq!(entries(100), Ok((1, 8)));
    assert_eq!(entries(MOST_ENTRIES + 1), Err(InterchangeError::TooMany));
}

#[test]
fn what_is_unusual_is_read_and_told() {
    let key = key_of_the_example();
    let (read, remarks) = read(|f| {
        let more = json!({ "pubkey": hex::encode_upper(key), "signed_blocks": [],
            "signed_attestations": [{ "source_epoch": "9", "target_epoch": "3", "note": 1 }] });
        f["data"].as_array_mut().unwrap().push(more);
        f["by"] = json!("somebody");
    })
    .unwrap();
    assert_eq!(read.signed(&key), Some(&signed(Some(5), Some((9, 3)))));
    let unknown = |path: &str| Remark::Unknown(path.to_owned());
    let mut found = remarks;
    found.sort_by_key(ToString::to_string);
    let mut expected = vec![
        Remark::SourceAboveTarget(key),
        Remark::Joined(key),
        unknown("by"),
        unknown("data.1.signed_attestations.0.note"),
    ];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(found, expected);
    // What no client takes is not written: the target is raised, which forbids more.
    let (again, remarks) = Interchange::parse(&read.to_json(), &[7; 32]).unwrap();
    assert_eq!(again.signed(&key), Some(&signed(Some(5), Some((9, 9)))));
    assert!(remarks.is_empty());
}

#[test]
fn what_is_joined_only_grows_and_less_is_refused_by_name() {
    let (key, other) = (key_of_the_example(), [0x77; 48]);
    let of = |signed| {
        let mut one = Interchange::empty([7; 32]);
        one.add(key, signed);
        one
    };
    let high = of(signed(Some(5), Some((1, 9))));
    let mixed = of(signed(None, Some((2, 3))));
    let joined = high.clone().join(&mixed).unwrap();
    assert_eq!(joined.signed(&key), Some(&signed(Some(5), Some((2, 9)))));
    assert_eq!(joined, mixed.clone().join(&high).unwrap());
    assert_eq!(
        high.clone().join(&Interchange::empty([8; 32])),
        Err(InterchangeError::Root { expected: [7; 32], found: [8; 32] })
    );
    let lower = |field, stated, known| {
        Err(InterchangeError::Lower { key, lower: Lower { field, stated, known } })
    };
    assert_eq!(joined.check_not_below(&high), Ok(()));
    assert_eq!(mixed.check_not_below(&joined), lower("slot", None, 5));
    assert_eq!(of(signed(Some(4), None)).check_not_below(&joined), lower("slot", Some(4), 5));
    assert_eq!(high.check_not_below(&joined), lower("source_epoch", Some(1), 2));
    let target = of(signed(Some(5), Some((2, 8))));
    assert_eq!(target.check_not_below(&joined), lower("target_epoch", Some(8), 9));
    assert_eq!(
        Interchange::empty([7; 32]).check_not_below(&joined),
        Err(InterchangeError::Missing { key })
    );
    assert_eq!(joined.of(&[key]), Ok(joined.clone()));
    assert_eq!(joined.of(&[key, other]), Err(InterchangeError::Missing { key: other }));
}
