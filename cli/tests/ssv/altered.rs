//! Altered SSV files: the program refuses each with exit code 4 and names the invalid field.

use std::path::Path;

use quorate::export::ssv::{
    Registration, parse_keyshares, parse_proofs, write_keyshares, write_proofs,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scene::Scene;
use crate::support::program::quorate;

/// What the program says about a file of key shares, with its exit code.
pub(crate) fn verify(folder: &Path, keyshares: &[u8], more: &[&str]) -> (i32, Value) {
    let file = folder.join("keyshares.json");
    std::fs::write(&file, keyshares).unwrap();
    run(folder, &[&["keyshares", "keyshares.json"], more].concat())
}

/// `quorate --json verify` in a folder.
pub(crate) fn run(folder: &Path, args: &[&str]) -> (i32, Value) {
    let ended = quorate(folder, &[&["--json", "verify"], args].concat());
    (ended.code, ended.json())
}

/// Exchanges the hexadecimal from byte `at` of `sharesData` on.
fn replace(file: &mut Value, share: usize, at: usize, bytes: &[u8]) {
    let data = &mut file["shares"][share]["payload"]["sharesData"];
    let mut text = data.as_str().unwrap().to_owned();
    text.replace_range(2 + 2 * at..2 + 2 * (at + bytes.len()), &hex::encode(bytes));
    *data = text.into();
}

fn flip(file: &mut Value, pointer: &str, at: usize) {
    let value = file.pointer_mut(pointer).unwrap();
    let mut text = value.as_str().unwrap().to_owned().into_bytes();
    text[at] = if text[at] == b'1' { b'2' } else { b'1' };
    *value = String::from_utf8(text).unwrap().into();
}

/// Name, alteration, field at fault, part of the reason.
type Alteration = (&'static str, fn(&mut Value, &[Registration]), &'static str, &'static str);

const IDENTITY: [u8; 48] = {
    let mut bytes = [0; 48];
    bytes[0] = 0xc0;
    bytes
};

const ALTERATIONS: &[Alteration] = &[
    (
        "version of another kind",
        |f, _| f["version"] = json!("v1.3.0"),
        "version",
        "v1.1.0 and v1.2.0",
    ),
    (
        "version is a number",
        |f, _| f["version"] = json!(1),
        "version",
        "a whole number instead of a string",
    ),
    ("time is no time", |f, _| f["createdAt"] = json!("yesterday"), "createdAt", "RFC 3339"),
    (
        "time with an offset",
        |f, _| f["createdAt"] = json!("2026-11-23T08:00:00+01:00"),
        "createdAt",
        "RFC 3339",
    ),
    ("no shares", |f, _| f["shares"] = json!([]), "shares", "0 entries instead of 1"),
    ("unknown field", |f, _| f["more"] = json!(1), "file", "unknown field"),
    (
        "field missing",
        |f, _| drop(f.as_object_mut().unwrap().remove("createdAt")),
        "file",
        "missing field",
    ),
    ("share is an array", |f, _| f["shares"][0] = json!([1, 2]), "file", "expected an object"),
    (
        "nonce is a string",
        |f, _| f["shares"][0]["data"]["ownerNonce"] = json!("1"),
        "shares[0].data.ownerNonce",
        "a string instead",
    ),
    (
        "nonce is negative",
        |f, _| f["shares"][0]["data"]["ownerNonce"] = json!(-1),
        "shares[0].data.ownerNonce",
        "negative",
    ),
    (
        "nonce of another registration",
        |f, _| {
            f["shares"][0]["data"]["ownerNonce"] = json!(2);
            f["shares"][1]["data"]["ownerNonce"] = json!(3);
        },
        "shares[0].payload.sharesData",
        "does not verify on \"0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9:2\"",
    ),
    (
        "nonces do not follow",
        |f, _| f["shares"][1]["data"]["ownerNonce"] = json!(7),
        "shares[1].data.ownerNonce",
        "7 instead of 2",
    ),
    (
        "owner in lower case",
        |f, _| {
            let value = &mut f["shares"][0]["data"]["ownerAddress"];
            *value = value.as_str().unwrap().to_lowercase().into();
        },
        "shares[0].data.ownerAddress",
        "no checksum",
    ),
    (
        "owner mistyped",
        |f, _| flip(f, "/shares/0/data/ownerAddress", 5),
        "shares[0].data.ownerAddress",
        "checksum",
    ),
    (
        "owner zero",
        |f, _| {
            f["shares"][0]["data"]["ownerAddress"] =
                json!("0x0000000000000000000000000000000000000000");
        },
        "shares[0].data.ownerAddress",
        "zero address",
    ),
    (
        "another owner",
        |f, _| {
            f["shares"][0]["data"]["ownerAddress"] =
                json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
            f["shares"][1]["data"]["ownerAddress"] =
                json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        },
        "shares[0].payload.sharesData",
        "does not verify on \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed:1\"",
    ),
    (
        "two owners",
        |f, _| {
            f["shares"][1]["data"]["ownerAddress"] =
                json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        },
        "shares[1].data.ownerAddress",
        "instead of 0xDCc8",
    ),
    (
        "validator off the curve",
        |f, _| flip(f, "/shares/0/data/publicKey", 50),
        "shares[0].data.publicKey",
        "not",
    ),
    (
        "validator without 0x",
        |f, _| {
            let value = &mut f["shares"][0]["data"]["publicKey"];
            *value = value.as_str().unwrap()[2..].into();
        },
        "shares[0].data.publicKey",
        "does not start with 0x",
    ),
    (
        "validator at infinity",
        |f, _| {
            f["shares"][0]["data"]["publicKey"] = json!(format!("0x{}", hex::encode(IDENTITY)));
        },
        "shares[0].data.publicKey",
        "infinity",
    ),
    (
        "validator exchanged",
        |f, r| {
            for part in ["data", "payload"] {
                f["shares"][0][part]["publicKey"] =
                    json!(format!("0x{}", hex::encode(r[1].validator.to_compressed())));
            }
        },
        "shares[1].data.publicKey",
        "the same validator as in shares[0]",
    ),
    (
        "payload of another validator",
        |f, _| {
            f["shares"][0]["payload"]["publicKey"] = f["shares"][1]["payload"]["publicKey"].clone();
        },
        "shares[0].payload.publicKey",
        "instead of",
    ),
    (
        "three operators",
        |f, _| {
            f["shares"][0]["data"]["operators"].as_array_mut().unwrap().pop();
        },
        "shares[0].data.operators",
        "3 operators",
    ),
    (
        "operator zero",
        |f, _| f["shares"][0]["data"]["operators"][0]["id"] = json!(0),
        "shares[0].data.operators[0].id",
        "not an operator",
    ),
    (
        "operators not ascending",
        |f, _| {
            f["shares"][0]["data"]["operators"].as_array_mut().unwrap().swap(1, 2);
        },
        "shares[0].data.operators[2].id",
        "22 does not come after operator 33",
    ),
    (
        "operator twice",
        |f, _| f["shares"][0]["data"]["operators"][1]["id"] = json!(11),
        "shares[0].data.operators[1].id",
        "does not come after",
    ),
    (
        "operator renumbered",
        |f, _| {
            f["shares"][0]["data"]["operators"][3]["id"] = json!(45);
            f["shares"][0]["payload"]["operatorIds"][3] = json!(45);
        },
        "shares[0].payload.sharesData",
        "from 22 to 45 do not combine",
    ),
    (
        "payload with other operators",
        |f, _| f["shares"][0]["payload"]["operatorIds"][3] = json!(45),
        "shares[0].payload.operatorIds[3]",
        "45 instead of 44",
    ),
    (
        "payload with fewer operators",
        |f, _| {
            f["shares"][0]["payload"]["operatorIds"].as_array_mut().unwrap().pop();
        },
        "shares[0].payload.operatorIds",
        "3 entries instead of 4",
    ),
    (
        "RSA key twice",
        |f, _| {
            let operators = &mut f["shares"][0]["data"]["operators"];
            operators[1]["operatorKey"] = operators[0]["operatorKey"].clone();
        },
        "shares[0].data.operators[1].operatorKey",
        "the same RSA key as operator 11",
    ),
    (
        "RSA key cut",
        |f, _| {
            let value = &mut f["shares"][0]["data"]["operators"][2]["operatorKey"];
            *value = value.as_str().unwrap()[..608].into();
        },
        "shares[0].data.operators[2].operatorKey",
        "608 characters",
    ),
    (
        "RSA key of another structure",
        |f, _| flip(f, "/shares/0/data/operators/2/operatorKey", 52),
        "shares[0].data.operators[2].operatorKey",
        "not",
    ),
    (
        "sharesData cut",
        |f, _| {
            let value = &mut f["shares"][0]["payload"]["sharesData"];
            *value = value.as_str().unwrap()[..2 + 2 * 1311].into();
        },
        "shares[0].payload.sharesData",
        "2622 characters instead of 2624",
    ),
    (
        "sharesData in upper case",
        |f, _| {
            let value = &mut f["shares"][0]["payload"]["sharesData"];
            *value = format!("0x{}", value.as_str().unwrap()[2..].to_uppercase()).into();
        },
        "shares[0].payload.sharesData",
        "lower-case",
    ),
    (
        "signature off the curve",
        |f, _| flip(f, "/shares/0/payload/sharesData", 100),
        "shares[0].payload.sharesData",
        "not",
    ),
    (
        "signature of another validator",
        |f, r| replace(f, 0, 0, &r[1].signature.to_compressed()),
        "shares[0].payload.sharesData",
        "does not verify on",
    ),
    (
        "share key at infinity",
        |f, _| replace(f, 0, 96, &IDENTITY),
        "shares[0].payload.sharesData",
        "infinity",
    ),
    (
        "share keys exchanged",
        |f, r| {
            let [first, second] = [0, 1].map(|i| r[0].operators[i].share_key.to_compressed());
            replace(f, 0, 96, &[second, first].concat());
        },
        "shares[0].payload.sharesData",
        "from 11 to 33 do not combine to the validator's key with threshold 3",
    ),
    // Whoever tests only that all share keys together combine to the key does not see that this one
    // is a sharing of another degree.
    (
        "last share key of another sharing",
        |f, r| replace(f, 0, 96 + 3 * 48, &r[1].operators[3].share_key.to_compressed()),
        "shares[0].payload.sharesData",
        "from 22 to 44 do not combine",
    ),
    (
        "shares exchanged",
        |f, _| f["shares"].as_array_mut().unwrap().swap(0, 1),
        "shares[1].data.ownerNonce",
        "1 instead of 3",
    ),
    (
        "shares twice",
        |f, _| {
            let first = f["shares"][0].clone();
            f["shares"].as_array_mut().unwrap().push(first);
        },
        "shares[2].data.publicKey",
        "the same validator as in shares[0]",
    ),
];

#[test]
fn altered_keyshares_are_refused() {
    let (folder, scene) = (TempDir::new().unwrap(), Scene::new(4, 2));
    let genuine = write_keyshares(scene.created, &scene.registrations);
    assert_eq!(verify(folder.path(), &genuine, &[]).0, 0);
    assert!(ALTERATIONS.len() >= 30);
    for (name, alter, field, reason) in ALTERATIONS {
        let mut file: Value = serde_json::from_slice(&genuine).unwrap();
        alter(&mut file, &scene.registrations);
        let (code, said) = verify(folder.path(), file.to_string().as_bytes(), &[]);
        assert_eq!(code, 4, "{name}: {said}");
        assert_eq!(
            (&said["accepted"], &said["field"]),
            (&json!(false), &json!(field)),
            "{name}: {said}"
        );
        assert!(said["reason"].as_str().unwrap().contains(reason), "{name}: {said}");
    }
}

#[test]
fn altered_proofs_are_refused() {
    let (folder, scene) = (TempDir::new().unwrap(), Scene::new(4, 2));
    let genuine = write_keyshares(scene.created, &scene.registrations);
    type ProofAlteration = (&'static str, fn(&mut Value), &'static str);
    let alterations: &[ProofAlteration] = &[
        ("one missing", |f| drop(f[0].as_array_mut().unwrap().pop()), "proofs[0]"),
        ("a validator missing", |f| drop(f.as_array_mut().unwrap().pop()), "proofs"),
        (
            "another validator",
            |f| f[0][1]["proof"]["validator"] = f[1][1]["proof"]["validator"].clone(),
            "proofs[0][1].proof.validator",
        ),
        (
            "another owner",
            |f| f[0][1]["proof"]["owner"] = json!("11".repeat(20)),
            "proofs[0][1].proof.owner",
        ),
        ("no owner", |f| f[0][1]["proof"]["owner"] = json!("00".repeat(20)), "[0][1].proof.owner"),
        (
            "owner with 0x",
            |f| f[0][1]["proof"]["owner"] = json!(format!("0x{}", "11".repeat(19))),
            "[0][1].proof.owner",
        ),
        (
            "another ciphertext",
            |f| f[0][1]["proof"]["encrypted_share"] = f[0][2]["proof"]["encrypted_share"].clone(),
            "proofs[0][1].proof.encrypted_share",
        ),
        (
            "another share key",
            |f| f[0][1]["proof"]["share_pub"] = f[0][2]["proof"]["share_pub"].clone(),
            "proofs[0][1].proof.share_pub",
        ),
        (
            "another's signature",
            |f| f[0][1]["signature"] = f[0][2]["signature"].clone(),
            "proofs[0][1].signature",
        ),
        ("signature cut", |f| f[0][1]["signature"] = json!("00"), "[0][1].signature"),
        ("signature is a number", |f| f[0][1]["signature"] = json!(1), "[0][1].signature"),
        (
            "operators exchanged",
            |f| f[0].as_array_mut().unwrap().swap(0, 1),
            "proofs[0][0].proof.encrypted_share",
        ),
        ("unknown field", |f| f[0][1]["more"] = json!(1), "file"),
    ];
    let proofs = folder.path().join("proofs.json");
    let judge = |bytes: &[u8]| {
        std::fs::write(&proofs, bytes).unwrap();
        verify(folder.path(), &genuine, &["--proofs", "proofs.json"])
    };
    let (code, said) = judge(&write_proofs(&scene.proofs, true));
    assert_eq!((code, &said["proofs"]), (0, &json!(8)), "{said}");
    for (name, alter, field) in alterations {
        let mut file: Value = serde_json::from_slice(&write_proofs(&scene.proofs, true)).unwrap();
        alter(&mut file);
        let (code, said) = judge(file.to_string().as_bytes());
        assert_eq!((code, &said["field"]), (4, &json!(field)), "{name}: {said}");
    }
}

#[test]
fn owner_and_nonce_can_be_demanded() {
    let (folder, scene) = (TempDir::new().unwrap(), Scene::new(4, 1));
    let file = write_keyshares(scene.created, &scene.registrations);
    let owner = "0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9";
    let judge = |owner, nonce| verify(folder.path(), &file, &["--owner", owner, "--nonce", nonce]);
    assert_eq!(judge(owner, "1").0, 0);
    let (code, said) = judge(owner, "2");
    assert_eq!((code, &said["field"]), (4, &json!("shares[0].data.ownerNonce")));
    let (code, said) = judge("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "1");
    assert_eq!((code, &said["field"]), (4, &json!("shares[0].data.ownerAddress")));
}

#[test]
fn what_is_written_is_read() {
    for operators in [4, 7, 10, 13] {
        let scene = Scene::new(operators, 1);
        let file = write_keyshares(scene.created, &scene.registrations);
        assert_eq!(parse_keyshares(&file).unwrap(), scene.registrations);
        assert_eq!(parse_proofs(&write_proofs(&scene.proofs, false)).unwrap(), scene.proofs);
        assert_eq!(parse_proofs(&write_proofs(&scene.proofs, true)).unwrap(), scene.proofs);
        let value: Value = serde_json::from_slice(&file).unwrap();
        let data = value["shares"][0]["payload"]["sharesData"].as_str().unwrap();
        assert_eq!(data.len(), 2 + 2 * (96 + 304 * operators));
        assert_eq!(
            (&value["version"], &value["createdAt"]),
            (&json!("v1.2.0"), &json!("2026-11-23T08:00:00.123Z"))
        );
    }
}
