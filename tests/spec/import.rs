//! The spec of an import: file, canonical bytes and rules, one case each.

use quorate::message::shape::Shape;
use quorate::message::without::{TooFew, enough};
use quorate::primitives::codec::DecodeError;
use quorate::primitives::curve::DecodeError as CurveError;
use quorate::primitives::hash::{Tag, secret_scalar};
use quorate::spec::reshare::{Origin, ReshareError};
use quorate::spec::seats::Seats;
use quorate::spec::show::describe;
use quorate::spec::threshold::ThresholdError;
use quorate::spec::{Ceremony, CeremonyFile, CeremonyKind, Index, Place, SpecError, Version};
use serde_json::{Value, json};

use super::{FIRST, SECOND, bytes, card, ceremony, edited, good, operator};

fn key(label: &str) -> [u8; 48] {
    let secret = secret_scalar(Tag::Coefficient, &[b"import", label.as_bytes()]);
    secret.base_mult().unwrap().to_compressed()
}

fn hexed(label: &str) -> String {
    format!("0x{}", hex::encode(key(label)))
}

/// Bob holds three keys and gets no share; alice, carol and dave do. Two withdrawal addresses.
fn import() -> Value {
    let operators = [
        json!({ "card": card("alice"), "address": "alice.example:3610" }),
        json!({ "card": card("bob"), "receives": false }),
        json!({ "card": card("carol") }),
        json!({ "card": card("dave") }),
    ];
    json!({
        "version": 2,
        "name": "Test import",
        "id": hex::encode(bytes("import")),
        "network": "hoodi",
        "threshold": 2,
        "import": { "dealer": 2 },
        "operators": operators,
        "validators": [
            {
                "count": 2, "keys": [hexed("a"), hexed("b")],
                "withdrawal": FIRST, "compounding": false
            },
            { "keys": [hexed("c")], "withdrawal": SECOND, "compounding": true },
        ],
    })
}

fn with(at: &str, value: Value) -> Value {
    edited(import(), at, value)
}

/// Written out from section 17.4 of the specification.
fn expected_bytes() -> Vec<u8> {
    let seat = |front: &[u8], name: &str| {
        let made = operator(name);
        let text = made.card();
        [
            front,
            text.key.as_bytes(),
            text.noise.as_bytes(),
            &text.mark.unwrap().0,
            text.signature(),
            &[u8::try_from(name.len()).unwrap()],
            name.as_bytes(),
        ]
        .concat()
    };
    let receives = |point: u64| [&[2][..], &point.to_be_bytes()].concat();
    let validator = |label: &str, prefix: u8, address: &str| {
        [&key(label)[..], &[prefix], &[0; 11], &hex::decode(&address[2..]).unwrap()].concat()
    };
    [
        b"QSPC\0\x02\x03\0".to_vec(),
        b"\0\x0bTest import".to_vec(),
        bytes("import").to_vec(),
        vec![0, 0, 0, 1],
        b"\0\x05hoodi".to_vec(),
        hex::decode("10000910").unwrap(),
        hex::decode("0140000910").unwrap(),
        hex::decode("212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f").unwrap(),
        [&[1][..], &1_742_213_400_u64.to_be_bytes()].concat(),
        vec![0, 4, 0, 2],
        seat(&receives(1), "alice"),
        seat(&[1], "bob"),
        seat(&receives(2), "carol"),
        seat(&receives(3), "dave"),
        vec![0, 0, 0, 3],
        validator("a", 1, FIRST),
        validator("b", 1, FIRST),
        validator("c", 2, SECOND),
    ]
    .concat()
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let made = ceremony(&import()).unwrap();
    assert_eq!(hex::encode(made.canonical()), hex::encode(expected_bytes()));
    let read = Ceremony::from_canonical(made.canonical()).unwrap();
    assert_eq!((read.digest(), read.reshare()), (made.digest(), made.reshare()));
}

#[test]
fn one_seat_deals_whole_keys() {
    let made = ceremony(&import()).unwrap();
    let index = |number| Index::new(number).unwrap();
    assert_eq!((made.kind(), made.version()), (CeremonyKind::Import, Version::Two));
    assert_eq!((made.n(), made.t(), made.v()), (4, 2, 3));
    let parts = made.parts();
    assert_eq!(parts.dealers.iter().collect::<Vec<_>>(), [index(2)]);
    assert_eq!(parts.receivers.iter().collect::<Vec<_>>(), [1, 3, 4].map(index));
    let spec = made.reshare().unwrap();
    assert_eq!((spec.origin, spec.dealer_points()), (Origin::Keys, vec![1]));
    // Its public share of the parent is the key, and nobody has to bring it.
    let held = made.parent_shares().unwrap();
    let keys: Vec<[u8; 48]> =
        held.of(index(2)).unwrap().iter().map(|key| key.to_compressed()).collect();
    assert_eq!(keys, ["a", "b", "c"].map(key));
    assert_eq!(held.weights().scalars(), [quorate::primitives::curve::Scalar::one()]);
}

#[test]
fn a_written_file_gives_it_again() {
    let made = ceremony(&import()).unwrap();
    let file = CeremonyFile::from(&made);
    assert_eq!(file.import.as_ref().map(|import| import.dealer), Some(2));
    let read = Ceremony::try_from(CeremonyFile::parse_toml(&file.to_toml()).unwrap()).unwrap();
    assert_eq!((read.digest(), &CeremonyFile::from(&read)), (made.digest(), &file));
    assert!(file.validators.iter().all(|block| block.first.is_none()));
}

/// To write it again: `QUORATE_WRITE_VECTORS=1 cargo test --test spec the_summary_of_an_import`.
#[test]
fn the_summary_of_an_import() {
    let described = describe(&ceremony(&import()).unwrap());
    if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
        std::fs::write(here.join("described-import.txt"), &described).unwrap();
    }
    assert_eq!(described, include_str!("described-import.txt"));
}

#[test]
fn every_rule_refuses_with_its_reason() {
    let (op, val) = (Place::operator, Place::validator);
    let alone = |field| ReshareError::Alone { place: field };
    let without = edited(good(), "/operators/1/receives", json!(false));
    let parent = json!({
        "certificate": "01".repeat(32), "rows": "02".repeat(32), "operators": 4, "threshold": 3
    });
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    let infinity = hex::encode(infinity);
    let cases: Vec<(&str, Value, SpecError)> = vec![
        ("a parent too", with("/parent", parent), ReshareError::Both.into()),
        ("version 1", with("/version", json!(1)), ReshareError::Version.into()),
        (
            "nobody deals",
            with("/import/dealer", json!(0)),
            ReshareError::Dealer { found: 0, most: 4 }.into(),
        ),
        (
            "somebody without a seat deals",
            with("/import/dealer", json!(5)),
            ReshareError::Dealer { found: 5, most: 4 }.into(),
        ),
        (
            "a share of a parent",
            with("/operators/0/deals", json!(1)),
            ReshareError::NoParent { place: op(0, "deals") }.into(),
        ),
        (
            "a point in a parent",
            with("/operators/1/old_point", json!(1)),
            ReshareError::NoParent { place: op(1, "old_point") }.into(),
        ),
        (
            "a witness of a parent",
            with("/operators/1/witness", json!(1)),
            ReshareError::NoParent { place: op(1, "witness") }.into(),
        ),
        (
            "a number in a parent",
            with("/validators/0/first", json!(1)),
            ReshareError::NoParent { place: val(0, "first") }.into(),
        ),
        (
            "a seat without a part",
            edited(
                with("/operators/1/receives", json!(true)),
                "/operators/0/receives",
                json!(false),
            ),
            ReshareError::NoPart { place: op(0, "receives") }.into(),
        ),
        (
            "no keys",
            with("/validators/1/keys", Value::Null),
            ReshareError::Missing { place: val(1, "keys") }.into(),
        ),
        (
            "one key twice",
            with("/validators/1/keys/0", json!(hexed("a"))),
            ReshareError::KeyTwice { place: val(2, "keys") }.into(),
        ),
        (
            "infinity",
            with("/validators/1/keys/0", json!(infinity)),
            ReshareError::NotAKey { place: val(2, "keys"), source: CurveError::Infinity }.into(),
        ),
        (
            "half",
            edited(with("/operators/1/receives", json!(true)), "/threshold", json!(2)),
            ThresholdError::NotMajority { required: 2, participants: 4 }.into(),
        ),
        ("all of three", with("/threshold", json!(3)), SpecError::AllRequired(3)),
        (
            "deposits",
            with("/validators/1/amounts", json!(["32"])),
            ReshareError::NotPart { field: "validators[1].amounts".to_owned() }.into(),
        ),
        (
            "preregistrations",
            with("/preregistration", json!({ "draft": "2026-08-17" })),
            ReshareError::NotPart { field: "preregistration".to_owned() }.into(),
        ),
        ("parts of a key generation", without, alone(op(1, "receives")).into()),
    ];
    assert_eq!(cases.len(), 17);
    for (about, file, why) in cases {
        assert_eq!(ceremony(&file).map(|made| made.digest()), Err(why), "{about}");
    }
}

/// Bytes that no file gives, and the reason why they are refused.
#[test]
fn bytes_are_refused_with_their_reason() {
    let good = expected_bytes();
    let patched = |at: usize, to: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    let find = |needle: &[u8]| good.windows(needle.len()).position(|at| at == needle).unwrap();
    let alice = find(operator("alice").card().key.as_bytes()) - 9;
    let bob = find(operator("bob").card().key.as_bytes()) - 1;
    let invalid = |what, why| SpecError::Layout(DecodeError::Invalid { what, why });
    let neither = [&good[..bob], &[2], &2_u64.to_be_bytes()[..], &good[bob + 1..]].concat();
    let cases: Vec<(&str, Vec<u8>, SpecError)> = vec![
        ("SSV", patched(7, &[2]), SpecError::Policy(2)),
        ("version 1", patched(4, &[0, 1]), ReshareError::Version.into()),
        ("a kind that there is not", patched(6, &[5]), SpecError::Kind(5)),
        ("a third part", patched(alice, &[6]), invalid("part", "a bit that means nothing")),
        ("two dealers", patched(alice, &[3]), ReshareError::Dealers(2).into()),
        (
            "a point out of order",
            patched(alice + 1, &2_u64.to_be_bytes()),
            SpecError::PointDuplicate { place: Place::operator(2, "point"), point: 2, first: 0 },
        ),
        (
            "no dealer",
            {
                // The receivers behind it have their points one further.
                let mut bytes = neither;
                for (name, point) in [("carol", 3_u64), ("dave", 4)] {
                    let operator = operator(name).card();
                    let key = operator.key.as_bytes();
                    let at = bytes.windows(32).position(|at| at == key).unwrap() - 8;
                    bytes[at..at + 8].copy_from_slice(&point.to_be_bytes());
                }
                let at = alice - 1;
                bytes[at] = 3;
                bytes
            },
            ReshareError::Dealers(0).into(),
        ),
        (
            "not on the curve",
            patched(good.len() - 79, &[0xff]),
            ReshareError::NotAKey {
                place: Place::validator(2, "keys"),
                source: CurveError::NotOnCurve,
            }
            .into(),
        ),
        (
            "cut off",
            good[..good.len() - 1].to_vec(),
            SpecError::Layout(DecodeError::Short { what: "withdrawal credentials", missing: 1 }),
        ),
    ];
    for (about, bytes, why) in cases {
        let read = Ceremony::from_canonical(&bytes).map(|made| made.digest());
        assert_eq!(read, Err(why), "{about}");
    }
}

#[test]
fn receivers_can_be_lost_and_the_dealer_cannot() {
    let made = ceremony(&import()).unwrap();
    let (spec, shape) = (made.reshare().unwrap(), Shape::of(&made));
    let lost =
        |seats: &[u16]| -> Seats { seats.iter().map(|seat| Index::new(*seat).unwrap()).collect() };
    assert_eq!(enough(spec, &shape, lost(&[4])), Ok(()));
    let few = |bound, receivers| TooFew { bound, operators: 1, receivers, threshold: 2 };
    assert_eq!(enough(spec, &shape, lost(&[3, 4])), Err(few(1, 1)));
    assert_eq!(enough(spec, &shape, lost(&[2])), Err(few(0, 3)));
}
