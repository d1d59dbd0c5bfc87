//! Files for SSV against the transcript: the audit accepts the ceremony's own files, and names the
//! differing field of every other.

use std::sync::OnceLock;

use quorate::audit::audit;
use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::Status;
use quorate::ethereum::bls::bls_sign;
use quorate::ethereum::ssv::OwnerNonce;
use quorate::export::ssv::ssv_files;
use quorate::primitives::curve::Scalar;
use quorate::primitives::hash::{Tag, secret_scalar};
use quorate::primitives::polynomial::Polynomial;
use quorate::transcript::container;
use serde_json::{Value, json};

use super::common::{honest, run};
use super::{IDS, OWNER, ceremony, file, machines, rsa};

/// A ceremony's transcript and its files by name.
struct Played {
    transcript: Vec<u8>,
    files: Vec<(String, Vec<u8>)>,
}

impl Played {
    fn file(&self, end: &str) -> &[u8] {
        let (_, bytes) = self.files.iter().find(|(name, _)| name.ends_with(end)).unwrap();
        bytes
    }

    /// Of all validators: the files beside their folders.
    fn all(&self, name: &str) -> Value {
        let all = self
            .files
            .iter()
            .find(|(path, _)| path.split('/').count() == 3 && path.ends_with(name));
        serde_json::from_slice(&all.unwrap().1).unwrap()
    }
}

fn played() -> &'static Played {
    static PLAYED: OnceLock<Played> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let mut machines = machines(4, 3);
        run(&mut machines, &mut honest);
        let participant = machines[0].participant();
        let ceremony = &machines[0].seat.ceremony;
        let files = ssv_files(ceremony, &participant.outcome().unwrap().validators).unwrap();
        Played {
            transcript: container::encode(ceremony, participant.inbox().statements()).unwrap(),
            files: files.into_iter().map(|file| (file.name, file.bytes)).collect(),
        }
    })
}

fn verdict(keyshares: &[(&str, &[u8])], proofs: &[(&str, &[u8])], code: Code) -> (Status, String) {
    let expectations =
        Expectations { keyshare_files: keyshares, proof_files: proofs, ..Expectations::default() };
    let report = audit(&played().transcript, &expectations);
    let line = report.line(code).unwrap();
    assert_eq!(report.is_clean(), line.status == Status::Passed);
    (line.status, line.detail.clone())
}

fn keyshares(document: &Value) -> (Status, String) {
    verdict(&[("k.json", document.to_string().as_bytes())], &[], Code::KeyShares)
}

fn proofs(document: &Value) -> (Status, String) {
    verdict(&[], &[("p.json", document.to_string().as_bytes())], Code::Proofs)
}

fn changed(mut document: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut document);
    document
}

/// Changes bytes of the second validator's sharesData.
fn data(change: impl FnOnce(&mut Vec<u8>)) -> Value {
    changed(played().all("keyshares.json"), |document| {
        let text = &mut document["shares"][1]["payload"]["sharesData"];
        let mut bytes = hex::decode(&text.as_str().unwrap()[2..]).unwrap();
        change(&mut bytes);
        *text = format!("0x{}", hex::encode(bytes)).into();
    })
}

#[test]
fn the_ceremonys_own_files_are_its_own() {
    let played = played();
    assert_eq!(played.files.len(), 2 * 3 + 3);
    let all =
        (Status::Passed, "2 of the 2 validators, every value as made by the ceremony".to_owned());
    assert_eq!(keyshares(&played.all("keyshares.json")), all);
    let all = (
        Status::Passed,
        "proofs of 2 of the 2 validators, as the operators signed them".to_owned(),
    );
    assert_eq!(proofs(&played.all("proofs.json")), all);
    // The files of one validator, and of both one by one.
    let of = |name: &str| -> Vec<(&str, &[u8])> {
        let inner = |path: &str| path.split('/').count() == 4 && path.ends_with(name);
        played
            .files
            .iter()
            .filter(|(path, _)| inner(path))
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
            .collect()
    };
    let (each, proofs_of_each) = (of("keyshares.json"), of("proofs.json"));
    assert_eq!(
        verdict(&each, &proofs_of_each, Code::KeyShares).1,
        "2 of the 2 validators, every value as made by the ceremony"
    );
    assert_eq!(
        verdict(&each[1..], &[], Code::KeyShares).1,
        "1 of the 2 validators, every value as made by the ceremony"
    );
    let twice = verdict(&[each[0], each[0]], &[], Code::KeyShares);
    assert_eq!(twice.0, Status::Failed);
    assert!(twice.1.ends_with("contain the same validator"), "{}", twice.1);
    assert!(played.file("deposit_data.json").starts_with(b"["));
}

#[test]
fn every_altered_value_of_key_shares_is_named() {
    let all = || played().all("keyshares.json");
    let set = |pointer: &str, value: Value| {
        changed(all(), |document| *document.pointer_mut(pointer).unwrap() = value)
    };
    let other_key = rsa(9).public().to_text();
    // Signed by what would be the validator, had the dealer been one.
    let foreign = {
        let coefficient =
            |k: usize| secret_scalar(Tag::Coefficient, &[b"foreign", &k.to_be_bytes()]);
        let polynomial = Polynomial::from_coefficients((0..3).map(coefficient).collect()).unwrap();
        let validator = polynomial.constant().base_mult().unwrap();
        let key = format!("0x{}", hex::encode(validator.to_compressed()));
        let nonce =
            OwnerNonce { owner: ceremony(&file(4, 3, super::TWO)).ssv().unwrap().owner, nonce: 8 };
        let mut bytes =
            bls_sign(polynomial.constant(), &nonce.digest()).unwrap().to_compressed().to_vec();
        for id in &IDS[..4] {
            bytes.extend(
                polynomial.evaluate(&Scalar::from_u64(*id)).base_mult().unwrap().to_compressed(),
            );
        }
        bytes.extend([7; 4 * 256]);
        changed(all(), |document| {
            document["shares"][1]["data"]["publicKey"] = key.clone().into();
            document["shares"][1]["payload"]["publicKey"] = key.into();
            document["shares"][1]["payload"]["sharesData"] =
                format!("0x{}", hex::encode(bytes)).into();
        })
    };
    let second = |field: &str| format!("k.json: shares[1].{field}");
    let cases: Vec<(Value, String, &str)> = vec![
        (set("/version", json!("v1.3.0")), "k.json: version".into(), "SSV's tools accept"),
        (set("/createdAt", json!("yesterday")), "k.json: createdAt".into(), "not a time"),
        (set("/shares", json!([])), "k.json: shares".into(), "entries"),
        (set("/shares/1/data/ownerNonce", json!(9)), second("data.ownerNonce"), "9 instead of 8"),
        (
            set("/shares/1/data/ownerNonce", json!("8")),
            second("data.ownerNonce"),
            "a string instead of",
        ),
        (
            set("/shares/1/data/ownerAddress", json!(OWNER.to_lowercase())),
            second("data.ownerAddress"),
            "no checksum",
        ),
        (
            set("/shares/1/data/ownerAddress", json!("0x382f6FF5B9a29FcF1Dd2bf8B86C3234Dc7ed2Df6")),
            second("data.ownerAddress"),
            "instead of 0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9",
        ),
        (set("/shares/1/data/publicKey", json!("0xc0")), second("data.publicKey"), "96"),
        (
            changed(all(), |d| {
                d["shares"][1]["payload"]["publicKey"] =
                    d["shares"][0]["payload"]["publicKey"].clone()
            }),
            second("payload.publicKey"),
            "instead of",
        ),
        (
            changed(all(), |d| d["shares"].as_array_mut().unwrap().swap(0, 1)),
            "k.json: shares[1].data.ownerNonce".into(),
            "7 instead of 9",
        ),
        (
            changed(all(), |d| d["shares"][1] = d["shares"][0].clone()),
            second("data.publicKey"),
            "the same validator as in shares[0]",
        ),
        (
            changed(all(), |d| {
                d["shares"][1]["data"]["operators"].as_array_mut().unwrap().swap(0, 1)
            }),
            second("data.operators[1].id"),
            "does not come after",
        ),
        (
            set("/shares/1/data/operators/3/id", json!(45)),
            second("payload.operatorIds[3]"),
            "instead of 45",
        ),
        (
            changed(all(), |d| {
                d["shares"][1]["data"]["operators"][2]["operatorKey"] =
                    d["shares"][1]["data"]["operators"][1]["operatorKey"].clone()
            }),
            second("data.operators[2].operatorKey"),
            "the same RSA key as operator 22",
        ),
        (
            changed(all(), |d| {
                d["shares"].as_array_mut().unwrap().iter_mut().for_each(|s| {
                    s["data"]["operators"][2]["operatorKey"] = other_key.clone().into()
                })
            }),
            "k.json: shares[0].data.operators[2].operatorKey".into(),
            "not the RSA key of operator 33",
        ),
        (
            set("/shares/1/payload/operatorIds/0", json!(12)),
            second("payload.operatorIds[0]"),
            "12 instead of 11",
        ),
        (
            changed(all(), |d| {
                d["shares"][1]["payload"]["operatorIds"].as_array_mut().unwrap().pop();
            }),
            second("payload.operatorIds"),
            "3 entries",
        ),
        (
            data(|bytes| {
                bytes.pop();
            }),
            second("payload.sharesData"),
            "characters instead of 2624",
        ),
        (data(|bytes| bytes[95] ^= 1), second("payload.sharesData"), "a point"),
        (
            data(|bytes| {
                bytes[..96].copy_from_slice(
                    &bls_sign(&secret_scalar(Tag::Coefficient, &[b"x"]), &[1; 32])
                        .unwrap()
                        .to_compressed(),
                )
            }),
            second("payload.sharesData"),
            "the validator's signature does not verify",
        ),
        (
            data(|bytes| {
                let (a, b) = bytes[96..192].split_at_mut(48);
                a.swap_with_slice(b);
            }),
            second("payload.sharesData"),
            "do not combine",
        ),
        (
            data(|bytes| bytes[96 + 4 * 48] ^= 1),
            second("payload.sharesData"),
            "not the ciphertext published by operator 11",
        ),
        (
            data(|bytes| *bytes.last_mut().unwrap() ^= 1),
            second("payload.sharesData"),
            "not the ciphertext published by operator 44",
        ),
        (foreign, second("data.publicKey"), "not a validator of this transcript"),
        (json!({ "version": "v1.2.0" }), "k.json: not SSV's JSON".into(), "missing field"),
    ];
    assert!(cases.len() >= 25);
    for (document, field, why) in cases {
        let (status, detail) = keyshares(&document);
        assert_eq!(status, Status::Failed, "{field}");
        assert!(detail.starts_with(&field) && detail.contains(why), "{field}, {why}: {detail}");
    }
}

#[test]
fn every_altered_value_of_proofs_is_named() {
    let all = || played().all("proofs.json");
    let set = |pointer: &str, value: Value| {
        changed(all(), |document| *document.pointer_mut(pointer).unwrap() = value)
    };
    let flipped = |pointer: &str| {
        changed(all(), |document| {
            let value = document.pointer_mut(pointer).unwrap();
            let text = value.as_str().unwrap().to_owned();
            let last = if text.ends_with('0') { "1" } else { "0" };
            *value = format!("{}{last}", &text[..text.len() - 1]).into();
        })
    };
    let of = |field: &str| format!("p.json: proofs[1][2].{field}");
    // Another valid signature of the same operator.
    let proof = &played().all("proofs.json")[1][2]["proof"];
    let bytes = |name: &str| hex::decode(proof[name].as_str().unwrap()).unwrap();
    let again = quorate::ethereum::ssv::ShareProof {
        validator: bytes("validator").try_into().unwrap(),
        encrypted_share: bytes("encrypted_share").try_into().unwrap(),
        share_key: bytes("share_pub").try_into().unwrap(),
        owner: ceremony(&file(4, 3, super::TWO)).ssv().unwrap().owner,
    };
    let mut random =
        <chacha20::ChaCha20Rng as chacha20::rand_core::SeedableRng>::from_seed([5; 32]);
    let again = hex::encode(rsa(2).sign(&again.root(), &mut random));
    assert_eq!(
        proofs(&set("/1/2/signature", again.into())),
        (
            Status::Passed,
            "proofs of 2 of the 2 validators, as the operators signed them; 1 not as in this \
             transcript, but proven by the operator (validator 2, operator 33)"
                .to_owned()
        )
    );
    let cases: Vec<(Value, String, &str)> = vec![
        (
            flipped("/1/2/proof/encrypted_share"),
            of("signature"),
            "does not verify with operator 33's RSA key",
        ),
        (flipped("/1/2/proof/share_pub"), of("proof.share_pub"), "instead of"),
        (set("/1/2/proof/owner", json!("11".repeat(20))), of("proof.owner"), "instead of"),
        (
            set("/1/2/proof/owner", json!(OWNER[2..])),
            "p.json: [1][2].proof.owner".into(),
            "lower-case",
        ),
        (flipped("/1/2/signature"), of("signature"), "does not verify with operator 33's RSA key"),
        (set("/1/2/proof/validator", json!("00".repeat(48))), of("proof.validator"), "instead of"),
        (
            set("/1/0/proof/validator", json!("00".repeat(48))),
            "p.json: proofs[1]".into(),
            "not of a validator",
        ),
        (
            changed(all(), |d| {
                d[1].as_array_mut().unwrap().pop();
            }),
            "p.json: proofs[1]".into(),
            "3 entries instead of 4",
        ),
        (
            changed(all(), |d| d[1].as_array_mut().unwrap().swap(2, 3)),
            of("proof.share_pub"),
            "instead of",
        ),
        (
            changed(all(), |d| d[1] = d[0].clone()),
            "p.json and p.json contain".into(),
            "the same validator",
        ),
    ];
    for (document, field, why) in cases {
        let (status, detail) = proofs(&document);
        assert_eq!(status, Status::Failed, "{field}");
        assert!(detail.starts_with(&field) && detail.contains(why), "{field}, {why}: {detail}");
    }
}

#[test]
fn a_ceremony_that_is_not_for_ssv_has_no_key_shares() {
    let operators = super::operators(4);
    let ceremony = super::common::ceremony(&operators, 3, super::TWO);
    let mut machines: Vec<_> =
        operators.iter().map(|operator| super::common::Machine::new(&ceremony, operator)).collect();
    run(&mut machines, &mut honest);
    let transcript =
        container::encode(&ceremony, machines[0].participant().inbox().statements()).unwrap();
    let bytes = played().all("keyshares.json").to_string();
    let files = [("k.json", bytes.as_bytes())];
    let report =
        audit(&transcript, &Expectations { keyshare_files: &files, ..Expectations::default() });
    assert_eq!(report.failed(), [Code::KeyShares]);
    assert_eq!(
        report.line(Code::KeyShares).unwrap().detail,
        "the transcript's ceremony is not for SSV"
    );
    assert!(report.line(Code::Sealed).is_none());
    // What differs from the ceremony that was expected is said field by field.
    let expected = super::ceremony(&file(4, 3, super::TWO));
    let report = audit(
        &played().transcript,
        &Expectations { ceremony: Some(&ceremony), ..Expectations::default() },
    );
    let detail = &report.line(Code::Expected).unwrap().detail;
    assert!(
        detail
            .contains("ssv.owner: expected none, found 0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9"),
        "{detail}"
    );
    assert!(detail.contains("operator 1, ssv_key: expected none, found LS0t"), "{detail}");
    assert!(
        audit(
            &played().transcript,
            &Expectations { ceremony: Some(&expected), ..Expectations::default() }
        )
        .is_clean()
    );
}

/// What `cli/tests/cli` shows. To write it again: `QUORATE_WRITE_VECTORS=1 cargo test --test
/// ssv_ceremony`, then look at the difference.
#[test]
fn the_ceremony_of_the_vectors() {
    let played = played();
    let info: Vec<Value> = (0..5)
        .map(|i| {
            json!({ "id": IDS[i], "public_key": rsa(i).public().to_text(),
        "ip": "https://localhost:3030" })
        })
        .collect();
    let lines = |document: &Value| format!("{document}\n").into_bytes();
    let files = [
        ("transcript.quorate", played.transcript.clone()),
        ("keyshares.json", lines(&played.all("keyshares.json"))),
        ("proofs.json", lines(&played.all("proofs.json"))),
        ("operators_info.json", lines(&info.into())),
        ("ceremony.toml", file(4, 3, super::TWO).into_bytes()),
    ];
    for (name, bytes) in files {
        let path = format!("{}/test-vectors/ssv-ceremony/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{name} is another");
    }
}
