//! The spec of a reshare: file, canonical bytes and rules, one case each.

use quorate::primitives::codec::DecodeError;
use quorate::spec::reshare::{OldShare, ReshareError};
use quorate::spec::show::describe;
use quorate::spec::threshold::ThresholdError;
use quorate::spec::{Ceremony, CeremonyFile, CeremonyKind, Index, Place, SpecError, Version};
use serde_json::{Value, json};

use super::{FIRST, SECOND, bytes, card, card_of_version_1, ceremony, edited, good, operator};

fn key(label: &str) -> String {
    format!("0x8{}", &hex::encode([bytes(label), bytes(label)].concat())[..95])
}

/// The parent has (3, 4) and points 1, 2, 7, 9. Alice (2) and dave (4, at point 9) deal and
/// receive, bob (1) only deals, erin and frank only receive. Three of the parent's validators.
pub(crate) fn reshare() -> Value {
    json!({
        "version": 2,
        "name": "Test reshare",
        "id": hex::encode(bytes("reshare")),
        "network": "hoodi",
        "threshold": 3,
        "parent": {
            "certificate": hex::encode(bytes("certificate")),
            "rows": hex::encode(bytes("rows")),
            "operators": 4,
            "threshold": 3
        },
        "operators": [
            { "card": card("alice"), "address": "alice.example:3610", "deals": 2 },
            { "card": card("bob"), "deals": 1, "receives": false },
            { "card": card("dave"), "deals": 4, "old_point": 9 },
            { "card": card("erin") },
            { "card": card("frank") },
        ],
        "validators": [
            { "count": 2, "first": 2, "keys": [key("b"), key("c")],
              "withdrawal": FIRST, "compounding": false },
            { "first": 9, "keys": [key("i")], "withdrawal": SECOND, "compounding": true },
        ]
    })
}

fn with(at: &str, value: Value) -> Value {
    edited(reshare(), at, value)
}

fn without(at: &str, field: &str) -> Value {
    let mut file = reshare();
    file.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(field).unwrap();
    file
}

/// Written a second time, by hand.
fn expected_bytes() -> Vec<u8> {
    bytes_with(None)
}

/// With carol, who holds share 3 at point 7 and deals nothing, and these parts of hers.
fn bytes_with(carol: Option<u8>) -> Vec<u8> {
    let word = |label: &str| bytes(label).to_vec();
    let seat = |part: &[u8], name: &str| {
        let operator = operator(name);
        let card = operator.card();
        [
            part,
            card.key.as_bytes(),
            card.noise.as_bytes(),
            &card.mark.unwrap().0,
            card.signature(),
            &[u8::try_from(name.len()).unwrap()],
            name.as_bytes(),
        ]
        .concat()
    };
    let deals = |part: u8, index: u16, point: u64| {
        [&[part][..], &index.to_be_bytes(), &point.to_be_bytes()].concat()
    };
    let receives = |before: Vec<u8>, point: u64| [before, point.to_be_bytes().to_vec()].concat();
    let validator = |position: u32, label: &str, credentials: u8, address: &str| {
        [
            &position.to_be_bytes()[..],
            &hex::decode(&key(label)[2..]).unwrap(),
            &[credentials],
            &[0; 11],
            &hex::decode(&address[2..]).unwrap(),
        ]
        .concat()
    };
    [
        b"QSPC\0\x02\x02\0".to_vec(),
        b"\0\x0cTest reshare".to_vec(),
        word("reshare"),
        vec![0, 0, 0, 1],
        b"\0\x05hoodi".to_vec(),
        hex::decode("10000910").unwrap(),
        hex::decode("0140000910").unwrap(),
        hex::decode("212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f").unwrap(),
        [&[1][..], &1_742_213_400_u64.to_be_bytes()].concat(),
        vec![0, if carol.is_some() { 6 } else { 5 }, 0, 3],
        word("certificate"),
        word("rows"),
        vec![0, 4, 0, 3],
        seat(&receives(deals(3, 2, 2), 1), "alice"),
        seat(&deals(1, 1, 1), "bob"),
        seat(&receives(deals(3, 4, 9), 2), "dave"),
        seat(&receives(vec![2], 3), "erin"),
        seat(&receives(vec![2], 4), "frank"),
        match carol {
            None => Vec::new(),
            Some(part) if part & 2 == 0 => seat(&deals(part, 3, 7), "carol"),
            Some(part) => seat(&receives(deals(part, 3, 7), 5), "carol"),
        },
        vec![0, 0, 0, 3],
        validator(1, "b", 1, FIRST),
        validator(2, "c", 1, FIRST),
        validator(8, "i", 2, SECOND),
    ]
    .concat()
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let made = ceremony(&reshare()).unwrap();
    assert_eq!(hex::encode(made.canonical()), hex::encode(expected_bytes()));
    let read = Ceremony::from_canonical(made.canonical()).unwrap();
    assert_eq!((read.digest(), read.reshare()), (made.digest(), made.reshare()));
}

fn with_carol(more: Value) -> Value {
    let mut file = reshare();
    let mut carol = json!({ "card": card("carol") });
    carol.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    file["operators"].as_array_mut().unwrap().push(carol);
    file
}

/// Carol, who holds share 3 of the parent at point 7, deals nothing and stops with the others.
fn witnessed(receives: bool) -> Value {
    with_carol(json!({ "witness": 3, "old_point": 7, "receives": receives }))
}

#[test]
fn a_witness_has_its_part() {
    for (receives, part) in [(false, 4), (true, 6)] {
        let made = ceremony(&witnessed(receives)).unwrap();
        assert_eq!(hex::encode(made.canonical()), hex::encode(bytes_with(Some(part))));
        let read = Ceremony::from_canonical(made.canonical()).unwrap();
        assert_eq!((read.digest(), read.reshare()), (made.digest(), made.reshare()));
        let (parts, carol) = (made.parts(), Index::new(6).unwrap());
        assert_eq!(parts.witnesses.iter().collect::<Vec<_>>(), [carol]);
        assert_eq!((parts.dealers.len(), parts.dealers.contains(carol)), (3, false));
        assert_eq!(parts.receivers.contains(carol), receives);
        let spec = made.reshare().unwrap();
        assert_eq!(spec.dealer_points(), [2, 1, 9]);
        let share = OldShare { index: Index::new(3).unwrap(), point: 7 };
        assert_eq!(spec.seats[5].witnesses, Some(share));
        let file = CeremonyFile::from(&made);
        let again = Ceremony::try_from(CeremonyFile::parse_toml(&file.to_toml()).unwrap());
        assert_eq!(again.unwrap().digest(), made.digest());
        let words = "witnesses: deals nothing, and stops the share of operator 3 (point 7) of the \
                     parent";
        assert!(describe(&made).contains(words));
    }
}

#[test]
fn seats_have_their_parts() {
    let made = ceremony(&reshare()).unwrap();
    let index = |number| Index::new(number).unwrap();
    assert_eq!((made.kind(), made.version()), (CeremonyKind::Reshare, Version::Two));
    assert_eq!((made.n(), made.t(), made.v()), (5, 3, 3));
    assert_eq!((made.threshold().participants(), made.threshold().required()), (4, 3));
    let parts = made.parts();
    assert_eq!(parts.dealers.iter().collect::<Vec<_>>(), [1, 2, 3].map(index));
    assert_eq!(parts.receivers.iter().collect::<Vec<_>>(), [1, 3, 4, 5].map(index));
    let points: Vec<(u16, u64)> =
        made.receivers().map(|(seat, of)| (seat.get(), of.point)).collect();
    assert_eq!(points, [(1, 1), (3, 2), (4, 3), (5, 4)]);
    let spec = made.reshare().unwrap();
    assert_eq!(spec.dealer_points(), [2, 1, 9]);
    assert_eq!(spec.old_share(index(3)), Some(OldShare { index: index(4), point: 9 }));
    assert_eq!((spec.old_share(index(4)), spec.seat_of(index(3))), (None, None));
    assert_eq!(spec.seat_of(index(1)), Some(index(2)));
    let positions: Vec<usize> = spec.validators.iter().map(|one| one.position).collect();
    assert_eq!(positions, [1, 2, 8]);
    assert!(ceremony(&good()).unwrap().reshare().is_none());
}

#[test]
fn a_written_file_gives_it_again() {
    let made = ceremony(&reshare()).unwrap();
    let file = CeremonyFile::from(&made);
    for text in [file.to_toml(), CeremonyFile::from(&made).to_toml()] {
        let read = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
        assert_eq!(read.digest(), made.digest(), "{text}");
        assert_eq!(CeremonyFile::from(&read), file);
    }
    let json = serde_json::to_string(&file).unwrap();
    assert_eq!(CeremonyFile::parse_json(&json).unwrap(), file);
    // A point of the parent that is the share's number is not written, and another is.
    let points: Vec<Option<u64>> = file.operators.iter().map(|entry| entry.old_point).collect();
    assert_eq!(points, [None, None, Some(9), None, None]);
    // Consecutive validators of one destination are one block, others their own.
    assert_eq!(file.validators.iter().map(|block| block.count).collect::<Vec<_>>(), [2, 1]);
}

/// What is tried, the file, the reason why it is refused.
pub(crate) fn cases() -> Vec<(&'static str, Value, SpecError)> {
    use ReshareError::*;
    let operator = Place::operator;
    let validator = Place::validator;
    let seventeen = |_| json!({ "card": card("alice") });
    let no_part = |field: &str| NotPart { field: field.to_owned() };
    let reshare: Vec<(&'static str, Value, ReshareError)> = vec![
        ("version 1", with("/version", json!(1)), Version),
        (
            "no certificate",
            with("/parent/certificate", json!("00".repeat(32))),
            Zero("certificate"),
        ),
        ("no rows", with("/parent/rows", json!("00".repeat(32))), Zero("rows")),
        (
            "a parent whose groups are disjoint",
            with("/parent/threshold", json!(2)),
            Threshold(ThresholdError::NotMajority { required: 2, participants: 4 }),
        ),
        (
            "an operator without a part",
            edited(with("/operators/3/receives", json!(false)), "/threshold", json!(2)),
            NoPart { place: operator(3, "receives") },
        ),
        (
            "operator 0 of the parent",
            with("/operators/0/deals", json!(0)),
            OldIndex { place: operator(0, "deals"), found: 0, most: 4 },
        ),
        (
            "operator 5 of 4 of the parent",
            with("/operators/0/deals", json!(5)),
            OldIndex { place: operator(0, "deals"), found: 5, most: 4 },
        ),
        (
            "one share dealt by two",
            with("/operators/1/deals", json!(2)),
            OldIndexTwice { place: operator(1, "deals"), index: 2, first: 0 },
        ),
        (
            "points that do not ascend with indices",
            with("/operators/0/old_point", json!(9)),
            OldPoint { place: operator(2, "old_point"), point: 9 },
        ),
        (
            "a point below its index",
            with("/operators/2/old_point", json!(3)),
            OldPoint { place: operator(2, "old_point"), point: 3 },
        ),
        (
            "the point 0",
            with("/operators/1/old_point", json!(0)),
            OldPoint { place: operator(1, "old_point"), point: 0 },
        ),
        (
            "one share dealt and witnessed",
            with_carol(json!({ "witness": 4, "old_point": 9 })),
            OldIndexTwice { place: operator(5, "witness"), index: 4, first: 2 },
        ),
        (
            "a witness that deals",
            with("/operators/0/witness", json!(2)),
            DealsAndWitnesses { place: operator(0, "witness") },
        ),
        (
            "operator 5 of 4 of the parent witnesses",
            with_carol(json!({ "witness": 5 })),
            OldIndex { place: operator(5, "witness"), found: 5, most: 4 },
        ),
        (
            "a witness at another's point",
            with_carol(json!({ "witness": 3, "old_point": 9 })),
            OldPoint { place: operator(2, "old_point"), point: 9 },
        ),
        (
            "a witness in the place of a dealer",
            edited(without("/operators/0", "deals"), "/operators/0/witness", json!(2)),
            TooFewDealers { dealers: 2, required: 3 },
        ),
        (
            "a witness and no parent",
            edited(good(), "/operators/1/witness", json!(1)),
            Alone { place: operator(1, "witness") },
        ),
        (
            "a point of nobody's share",
            with("/operators/3/old_point", json!(5)),
            Missing { place: operator(3, "deals") },
        ),
        (
            "too few dealers",
            without("/operators/0", "deals"),
            TooFewDealers { dealers: 2, required: 3 },
        ),
        (
            "a validator out of order",
            with("/validators/1/first", json!(1)),
            Order { place: validator(2, "first"), number: 1 },
        ),
        (
            "a validator twice",
            with("/validators/1/first", json!(3)),
            Order { place: validator(2, "first"), number: 3 },
        ),
        (
            "validator 0",
            with("/validators/0/first", json!(0)),
            Number { place: validator(0, "first"), number: 0 },
        ),
        (
            "a validator beyond all",
            with("/validators/1/first", json!(8193)),
            Number { place: validator(1, "first"), number: 8193 },
        ),
        (
            "the last of two beyond all",
            edited(with("/validators/0/first", json!(8192)), "/validators/1/first", json!(1)),
            Number { place: validator(1, "first"), number: 8193 },
        ),
        (
            "one key twice",
            with("/validators/1/keys", json!([key("b")])),
            KeyTwice { place: validator(2, "keys") },
        ),
        (
            "a short key",
            with("/validators/1/keys", json!(["0x80"])),
            Key { place: validator(1, "keys") },
        ),
        (
            "fewer keys than validators",
            with("/validators/0/keys", json!([key("b")])),
            Keys { place: validator(0, "keys"), keys: 1, count: 2 },
        ),
        ("no keys", without("/validators/1", "keys"), Missing { place: validator(1, "keys") }),
        ("no number", without("/validators/1", "first"), Missing { place: validator(1, "first") }),
        (
            "preregistrations",
            with("/preregistration", json!({ "draft": "2026-08-17" })),
            no_part("preregistration"),
        ),
        ("amounts", with("/validators/1/amounts", json!(["32"])), no_part("validators[1].amounts")),
        (
            "a registration",
            with("/validators/1/fee_recipient", json!(FIRST)),
            no_part("validators[1].fee_recipient"),
        ),
        (
            "a gas limit",
            with("/validators/1/gas_limit", json!(1)),
            no_part("validators[1].gas_limit"),
        ),
        (
            "a point of nobody's new share",
            with("/operators/1/point", json!(1)),
            PointAlone { place: operator(1, "point") },
        ),
        ("RSA keys", with("/operators/4/ssv_key", json!("")), no_part("operators[4].ssv_key")),
        ("SSV", with("/ssv", json!({ "owner": FIRST, "nonce": 0 })), no_part("ssv")),
        ("Obol", with("/obol", json!({ "definition": "" })), no_part("obol")),
        (
            "an old index and no parent",
            edited(good(), "/operators/1/deals", json!(1)),
            Alone { place: operator(1, "deals") },
        ),
        (
            "an old point and no parent",
            edited(good(), "/operators/1/old_point", json!(1)),
            Alone { place: operator(1, "old_point") },
        ),
        (
            "a part and no parent",
            edited(good(), "/operators/1/receives", json!(true)),
            Alone { place: operator(1, "receives") },
        ),
        (
            "a number and no parent",
            edited(good(), "/validators/1/first", json!(1)),
            Alone { place: validator(1, "first") },
        ),
        (
            "keys and no parent",
            edited(good(), "/validators/1/keys", json!([])),
            Alone { place: validator(1, "keys") },
        ),
    ];
    let of_all = vec![
        (
            "two receivers",
            edited(
                with("/operators/0/receives", json!(false)),
                "/operators/2/receives",
                json!(false),
            ),
            SpecError::Threshold(ThresholdError::TooFewOperators(2)),
        ),
        (
            "half of the receivers",
            with("/threshold", json!(2)),
            SpecError::Threshold(ThresholdError::NotMajority { required: 2, participants: 4 }),
        ),
        ("all receivers", with("/threshold", json!(4)), SpecError::AllRequired(4)),
        (
            "more operators than a ceremony has",
            with("/operators", (0..256).map(seventeen).collect()),
            SpecError::Threshold(ThresholdError::TooManyOperators(256)),
        ),
        ("no validators", with("/validators", json!([])), SpecError::NoValidators),
        (
            "the new point 0",
            with("/operators/3/point", json!(0)),
            SpecError::PointZero { place: operator(3, "point") },
        ),
        (
            "a new point twice",
            with("/operators/2/point", json!(1)),
            SpecError::PointDuplicate { place: operator(2, "point"), point: 1, first: 0 },
        ),
        (
            "new points that do not ascend with the seats",
            with("/operators/0/point", json!(9)),
            SpecError::PointOrder { place: operator(2, "point"), point: 2, previous: 9 },
        ),
        (
            "too many validators",
            with("/validators/0/count", json!(8192)),
            SpecError::TooManyValidators(8193),
        ),
        (
            "none of them",
            with("/validators/1/count", json!(0)),
            SpecError::CountZero { place: validator(1, "count") },
        ),
        (
            "a card without a mark",
            with("/operators/3/card", json!(card_of_version_1())),
            SpecError::CardVersion {
                place: operator(3, "card"),
                card: 1,
                ceremony: quorate::spec::Version::Two,
            },
        ),
        (
            "a certificate that is no digest",
            with("/parent/certificate", json!("00")),
            SpecError::Hex { field: "parent.certificate", digits: 64 },
        ),
        (
            "rows that are no digest",
            with("/parent/rows", json!("00")),
            SpecError::Hex { field: "parent.rows", digits: 64 },
        ),
    ];
    reshare.into_iter().map(|(about, file, why)| (about, file, why.into())).chain(of_all).collect()
}

/// Points of the receivers that the file gives stand in the bytes, and nothing else differs; a file
/// that is written from them gives all or none.
#[test]
fn receivers_have_the_points_of_the_file() {
    let largest = u64::MAX;
    let points = [(0, 11), (2, 22), (3, 44), (4, largest)];
    let set = |file: Value, (at, point): &(usize, u64)| {
        let mut file = file;
        file["operators"][*at]["point"] = json!(point);
        file
    };
    let made = ceremony(&points.iter().fold(reshare(), set)).unwrap();
    let found: Vec<u64> = made.receivers().map(|(_, seat)| seat.point).collect();
    assert_eq!(found, [11, 22, 44, largest]);
    let mut expected = expected_bytes();
    for (name, (_, point)) in ["alice", "dave", "erin", "frank"].iter().zip(points) {
        let key = operator(name).card().key;
        let at = expected.windows(32).position(|at| at == key.as_bytes()).unwrap();
        expected[at - 8..at].copy_from_slice(&point.to_be_bytes());
    }
    assert_eq!(hex::encode(made.canonical()), hex::encode(&expected));
    assert_eq!(Ceremony::from_canonical(&expected).unwrap().digest(), made.digest());
    let file = CeremonyFile::from(&made);
    let written: Vec<Option<u64>> = file.operators.iter().map(|entry| entry.point).collect();
    assert_eq!(written, [Some(11), None, Some(22), Some(44), Some(largest)]);
    let read = Ceremony::try_from(CeremonyFile::parse_toml(&file.to_toml()).unwrap()).unwrap();
    assert_eq!(read.digest(), made.digest());
    assert!(describe(&made).contains("and gets new share 2 (point 22)"), "{}", describe(&made));
    // One that differs, and all are given.
    let one = ceremony(&with("/operators/4", json!({ "card": card("frank"), "point": 9 })));
    let file = CeremonyFile::from(&one.unwrap());
    let written: Vec<Option<u64>> = file.operators.iter().map(|entry| entry.point).collect();
    assert_eq!(written, [Some(1), None, Some(2), Some(3), Some(9)]);
    // Those that are not given are places, as in a file without any.
    let usual = [(0, 1), (3, 3)].iter().fold(reshare(), set);
    assert_eq!(ceremony(&usual).unwrap().digest(), ceremony(&reshare()).unwrap().digest());
    let file = CeremonyFile::from(&ceremony(&usual).unwrap());
    assert!(file.operators.iter().all(|entry| entry.point.is_none()));
}

#[test]
fn every_rule_refuses_with_its_reason() {
    let cases = cases();
    assert_eq!(cases.len(), 55);
    for (about, file, why) in cases {
        assert_eq!(ceremony(&file).map(|made| made.digest()), Err(why), "{about}");
    }
}

/// To write it again: `QUORATE_WRITE_VECTORS=1 cargo test --test spec the_summary_of_a_reshare`.
#[test]
fn the_summary_of_a_reshare() {
    let described = describe(&ceremony(&reshare()).unwrap());
    if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
        std::fs::write(here.join("described-reshare.txt"), &described).unwrap();
    }
    assert_eq!(described, include_str!("described-reshare.txt"));
}

#[test]
fn work_is_bounded_by_the_larger_threshold() {
    let many = |count: usize| {
        let keys: Vec<String> = (0..count).map(|at| key(&at.to_string())).collect();
        let operators: Vec<Value> = (0..101)
            .map(|at| {
                let name = format!("op {at}");
                match at {
                    0..68 => json!({ "card": card(&name), "deals": at + 1, "receives": at < 3 }),
                    _ => json!({ "card": card(&name) }),
                }
            })
            .collect();
        let parent = edited(
            edited(with("/operators", json!(operators)), "/parent/operators", json!(101)),
            "/parent/threshold",
            json!(68),
        );
        edited(
            edited(parent, "/threshold", json!(24)),
            "/validators",
            json!([{ "count": count, "first": 1, "keys": keys, "withdrawal": FIRST,
                     "compounding": true }]),
        )
    };
    assert!(ceremony(&many(582)).is_ok());
    assert_eq!(
        ceremony(&many(583)).map(|made| made.digest()),
        Err(ReshareError::TooMuchWork { validators: 583, seats: 101, required: 68 }.into())
    );
}

/// Bytes that no file gives, and the reason why they are refused.
#[test]
fn bytes_are_refused_with_their_reason() {
    let good = expected_bytes();
    let find = |needle: &[u8]| good.windows(needle.len()).position(|at| at == needle).unwrap();
    let patched = |at: usize, to: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    let parent = find(&bytes("certificate"));
    let alice = parent + 68;
    let bob = find(operator("bob").card().key.as_bytes()) - 11;
    let erin = find(operator("erin").card().key.as_bytes()) - 9;
    let invalid = |what, why| SpecError::Layout(DecodeError::Invalid { what, why });
    let short = [&good[..good.len() - 1]].concat();
    let cases: Vec<(Vec<u8>, SpecError)> = vec![
        (patched(7, &[2]), SpecError::Policy(2)),
        (patched(7, &[4]), SpecError::Policy(4)),
        (patched(4, &[0, 1]), ReshareError::Version.into()),
        (patched(alice, &[7]), invalid("part", "deals and witnesses")),
        (patched(alice, &[11]), invalid("part", "a bit that means nothing")),
        (
            patched(alice + 1, &[0, 0]),
            ReshareError::OldIndex { place: Place::operator(0, "deals"), found: 0, most: 4 }.into(),
        ),
        (
            patched(alice + 11, &2_u64.to_be_bytes()),
            SpecError::PointDuplicate { place: Place::operator(2, "point"), point: 2, first: 0 },
        ),
        (
            patched(erin + 1, &5_u64.to_be_bytes()),
            SpecError::PointOrder { place: Place::operator(4, "point"), point: 4, previous: 5 },
        ),
        (
            patched(erin + 1, &0_u64.to_be_bytes()),
            SpecError::PointZero { place: Place::operator(3, "point") },
        ),
        (
            patched(parent + 64, &[0, 2, 0, 2]),
            ReshareError::Threshold(ThresholdError::TooFewOperators(2)).into(),
        ),
        (
            patched(good.len() - 84, &u32::MAX.to_be_bytes()),
            ReshareError::Number {
                place: Place::validator(2, "first"),
                number: u64::from(u32::MAX) + 1,
            }
            .into(),
        ),
        (
            short,
            SpecError::Layout(DecodeError::Short { what: "withdrawal credentials", missing: 1 }),
        ),
        ([&good[..], &[0]].concat(), SpecError::Layout(DecodeError::Trailing { extra: 1 })),
    ];
    assert_eq!(good[bob], 1);
    for (bytes, why) in cases {
        assert_eq!(Ceremony::from_canonical(&bytes).map(|made| made.digest()), Err(why));
    }
}
