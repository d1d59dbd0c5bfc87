//! Lists of registered validators, compared with audited transcripts, field by field.

use std::fs;

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::audit::facts::Audited;
use quorate::ethereum::address::AddressError;
use quorate::ethereum::json::HexError;
use quorate::registered::{Comparison, List, ListError, Source, compare};
use serde_json::{Value, json};

fn audited(file: &str) -> Audited {
    let path = format!("{}/test-vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let report = audit(&fs::read(path).unwrap(), &Expectations::default());
    assert!(report.is_clean());
    report.audited().unwrap().clone()
}

fn plain() -> Audited {
    audited("ceremony/3-of-4.quorate")
}

fn key(audited: &Audited, validator: usize) -> String {
    format!("0x{}", hex::encode(audited.validators()[validator].public_key.to_compressed()))
}

/// A list with an entry for each validator, which `entry` makes.
fn list(audited: &Audited, entry: impl Fn(usize, String) -> Value) -> Vec<Value> {
    (0..audited.validators().len()).map(|at| entry(at, key(audited, at))).collect()
}

fn beacon(audited: &Audited) -> Vec<Value> {
    list(audited, |at, key| {
        let withdrawal = audited.ceremony().validators()[at].withdrawal.to_string();
        json!({ "index": at.to_string(), "balance": "32", "status": "active_ongoing", "validator": {
            "pubkey": key, "withdrawal_credentials": withdrawal, "slashed": false } })
    })
}

fn lido(audited: &Audited) -> Vec<Value> {
    list(audited, |at, key| {
        let signature = audited.validators()[at].signatures[0].to_compressed();
        json!({ "key": key, "depositSignature": format!("0x{}", hex::encode(signature)),
            "used": at == 0, "operatorIndex": 7, "index": at, "vetted": true })
    })
}

fn ssv(audited: &Audited) -> Vec<Value> {
    let ceremony = audited.ceremony();
    list(audited, |_, key| {
        // In another order, as nobody promises one.
        let mut ids: Vec<Value> =
            ceremony.roster().iter().map(|(_, seat)| json!({ "id": seat.point })).collect();
        ids.reverse();
        json!({ "public_key": key[2..], "owner_address": ceremony.ssv().unwrap().owner.to_string(),
            "status": "Active", "cluster": "00", "operators": ids })
    })
}

fn read(value: &Value) -> List {
    List::read(value.to_string().as_bytes()).unwrap()
}

fn compared(audited: &Audited, value: Value) -> Comparison {
    compare(&read(&value), &[audited])
}

fn is_clean(comparison: &Comparison) -> bool {
    let Comparison { missing, foreign, repeated, wrong, .. } = comparison;
    missing.is_empty() && foreign.is_empty() && repeated.is_empty() && wrong.is_empty()
}

#[test]
fn lists_of_every_registry_agree_wherever_they_stand() {
    let (plain, for_ssv) = (plain(), audited("ssv-ceremony/transcript.quorate"));
    for (audited, rows, source) in [
        (&plain, beacon(&plain), Source::Beacon),
        (&plain, lido(&plain), Source::Lido),
        (&for_ssv, ssv(&for_ssv), Source::Ssv),
        (&plain, list(&plain, |_, key| json!({ "pubkey": key })), Source::Keys),
    ] {
        for value in [
            json!(rows),
            json!({ "data": rows }),
            json!({ "validators": rows, "pagination": { "pages": [1] } }),
            json!({ "data": { "module": { "id": 3 }, "keys": rows }, "meta": [] }),
        ] {
            assert_eq!(read(&value).source, source);
            let comparison = compared(audited, value);
            assert!(is_clean(&comparison), "{comparison:?}");
            assert_eq!(comparison.registered.len(), audited.validators().len());
            assert!(!source.name().is_empty());
        }
    }
    // Whatever a node has was deposited; Lido says of each whether it was.
    let all = plain.validators().len();
    assert_eq!(compared(&plain, json!(beacon(&plain))).deposited().count(), all);
    assert_eq!(compared(&plain, json!(lido(&plain))).deposited().count(), 1);
    // The same transcript twice is one.
    let twice = compare(&read(&json!(lido(&plain))), &[&plain, &plain]);
    assert!(is_clean(&twice) && twice.registered.len() == all);
    // Two ceremonies, of which the list has one.
    let both = compare(&read(&json!(lido(&plain))), &[&plain, &for_ssv]);
    assert_eq!(both.missing.len(), for_ssv.validators().len());
    assert!(both.missing.iter().all(|known| known.transcript == 1));
}

#[test]
fn missing_foreign_and_repeated() {
    let plain = plain();
    let first = lido(&plain).remove(0);
    let strange = json!([
        { "key": format!("0x{}", "ab".repeat(48)), "used": true },
        { "key": format!("0x{}", "AB".repeat(48)), "used": true },
    ]);
    let comparison = compared(&plain, strange);
    assert_eq!(comparison.missing.len(), plain.validators().len());
    assert_eq!(comparison.foreign, [(1, [0xab; 48])]);
    assert_eq!(comparison.repeated, [(2, 1, [0xab; 48])]);
    // Twice, and the second time with another signature.
    let mut again = first.clone();
    again["depositSignature"] = json!(format!("0x{}", "11".repeat(96)));
    let mut all = lido(&plain);
    all.push(again);
    let comparison = compared(&plain, json!(all));
    assert_eq!(comparison.repeated[0].1, 1);
    assert_eq!(comparison.wrong[0].field, "deposit signature");
    assert_eq!(comparison.wrong[0].place, all.len());
    // A node's list has everybody's.
    let mut everybody = beacon(&plain);
    everybody[0]["validator"]["pubkey"] = json!(format!("0x{}", "cd".repeat(48)));
    let comparison = compared(&plain, json!(everybody));
    assert_eq!((comparison.missing.len(), comparison.foreign.len()), (1, 1));
    assert!(comparison.strangers(Source::Beacon).is_empty());
    assert_eq!(comparison.strangers(Source::Lido).len(), 1);
}

#[test]
fn what_a_list_says_otherwise() {
    let (plain, for_ssv) = (plain(), audited("ssv-ceremony/transcript.quorate"));
    let other = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
    let elsewhere = format!("0x01{}", "00".repeat(31));
    for (audited, mut rows, pointer, value, field) in [
        (
            &plain,
            beacon(&plain),
            "/validator/withdrawal_credentials",
            json!(elsewhere),
            "withdrawal credentials",
        ),
        (
            &plain,
            lido(&plain),
            "/depositSignature",
            json!(format!("0x{}", "22".repeat(96))),
            "deposit signature",
        ),
        (&for_ssv, ssv(&for_ssv), "/owner_address", json!(other), "owner"),
        (&for_ssv, ssv(&for_ssv), "/operators", json!([{ "id": 1 }, { "id": 2 }]), "operators"),
    ] {
        *rows[0].pointer_mut(pointer).unwrap() = value;
        let comparison = compared(audited, json!(rows));
        let wrong: Vec<_> =
            comparison.wrong.iter().map(|wrong| (wrong.place, wrong.field)).collect();
        assert_eq!(wrong, [(1, field)]);
        assert_ne!(comparison.wrong[0].found, comparison.wrong[0].expected);
        assert!(comparison.missing.is_empty(), "it is there");
    }
}

#[test]
fn tables_with_the_columns_that_they_name() {
    let plain = plain();
    let keys: Vec<String> = (0..plain.validators().len()).map(|at| key(&plain, at)).collect();
    let lines = |head: &str, line: &dyn Fn(usize, &str) -> String| {
        let rows = keys.iter().enumerate().map(|(at, key)| line(at, key));
        std::iter::once(head.to_owned()).chain(rows).collect::<Vec<_>>().join("\r\n")
    };
    let credentials = |at: usize| plain.ceremony().validators()[at].withdrawal.to_string();
    for (text, source) in [
        (keys.join("\n"), Source::Keys),
        (format!("# ours\n\n{}\n", keys.join("\n")), Source::Keys),
        (lines("Public Key", &|_, key| key[2..].to_uppercase()), Source::Keys),
        (lines("id;pubkey;used", &|at, key| format!("{at};{key};FALSE")), Source::Lido),
        (
            lines("withdrawal_credentials,key,name", &|at, key| {
                format!("{},{key},\"a, \"\"b\"\"\"", credentials(at))
            }),
            Source::Keys,
        ),
        (
            lines("validator\towner\toperators", &|_, key| {
                format!("{key}\t0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\t4 1 2 3")
            }),
            Source::Ssv,
        ),
    ] {
        let list = List::read(text.as_bytes()).unwrap();
        assert_eq!(list.source, source, "{text}");
        let comparison = compare(&list, &[&plain]);
        assert!(is_clean(&comparison), "{comparison:?}");
    }
    let line = |line, why: &str| ListError::Line { line, why: why.to_owned() };
    let column = "this line names no column, or several, for the public key (pubkey, key)";
    let first = &keys[0];
    for (text, error) in [
        (String::new(), ListError::Empty),
        ("# nothing\n".to_owned(), ListError::Empty),
        ("pubkey\n".to_owned(), ListError::Empty),
        ("name,used\n".to_owned(), line(1, column)),
        (format!("key,pubkey\n{first},{first}\n"), line(1, column)),
        (format!("\npubkey,used\n{first}\n"), line(3, "1 cells instead of 2")),
        (format!("pubkey,used\n{first},maybe\n"), line(2, "used: neither true nor false")),
        (format!("pubkey,used\n\"{first},1\n"), line(2, "a quote that does not end")),
        (
            format!("pubkey,operators\n{first},{}\n", "9".repeat(30)),
            line(2, "operators: not numbers"),
        ),
        (
            "pubkey\n0x12\n".to_owned(),
            ListError::Hex {
                place: 2,
                field: "public key",
                source: HexError::Length { expected: 96, found: 2 },
            },
        ),
        (
            format!("pubkey,owner\n{first},0x{}\n", "0".repeat(40)),
            ListError::Owner { place: 2, source: AddressError::Zero },
        ),
    ] {
        assert_eq!(List::read(text.as_bytes()).unwrap_err(), error, "{text}");
    }
    assert_eq!(List::read(b"pubkey\n\xff").unwrap_err(), line(1, "not UTF-8 text"));
}

#[test]
fn what_is_no_list() {
    let good = format!("0x{}", "ab".repeat(48));
    let refused = |value: Value| List::read(value.to_string().as_bytes()).unwrap_err();
    for value in [
        json!({}),
        json!({ "data": 7 }),
        json!({ "data": [[good]] }),
        json!([good]),
        json!({ "data": [], "keys": [] }),
        json!({ "data": { "index": "7", "validator": {} } }),
        json!([{ "key": good, "pubkey": good }]),
        json!([{ "key": 7 }]),
        json!([{ "validator": [] }]),
        json!([{ "validator": { "pubkey": good } }]),
        json!([{ "key": good, "used": "no" }]),
        json!([{ "key": good, "operators": [4] }]),
    ] {
        assert!(matches!(refused(value.clone()), ListError::Json(_)), "{value}");
    }
    assert_eq!(refused(json!({ "data": [] })), ListError::Empty);
    assert_eq!(refused(json!([{ "used": true }])), ListError::NoKey(1));
    assert_eq!(
        refused(json!([{ "key": good, "used": true }, { "key": good }])),
        ListError::Mixed { place: 2, found: Source::Keys.name(), first: Source::Lido.name() }
    );
    let hex = |value: Value| match refused(value) {
        ListError::Hex { place, field, .. } => (place, field),
        other => panic!("{other}"),
    };
    assert_eq!(hex(json!([{ "key": "0x12" }])), (1, "public key"));
    assert_eq!(hex(json!([{ "key": "zz".repeat(48) }])), (1, "public key"));
    let signature = json!([{ "key": good, "depositSignature": "0x12" }]);
    assert_eq!(hex(signature), (1, "depositSignature"));
    let credentials =
        json!([{ "validator": { "pubkey": good, "withdrawal_credentials": "0x12" } }]);
    assert_eq!(hex(credentials), (1, "withdrawal_credentials"));
    let owner = refused(json!([{ "key": good, "owner_address": "0x12" }]));
    assert!(matches!(owner, ListError::Owner { place: 1, .. }), "{owner}");
    assert!(List::read(&vec![b'['; 65 << 20]).is_err());
}
