//! Deposit files: genuine ones, ones with a single fault, and our own.

use quorate::ethereum::address::AddressError;
use quorate::ethereum::amount::AmountError;
use quorate::ethereum::bls::bls_sign;
use quorate::ethereum::deposit::{CredentialsError, DepositMessage, WithdrawalCredentials};
use quorate::ethereum::json::{HexError, JsonError};
use quorate::export::launchpad::{
    DepositFileError, Fault, SignedDeposit, deposit_artifacts, verify_deposits, write_deposits,
};
use quorate::export::{Artifact, Audience};
use quorate::primitives::curve::{DecodeError, G2, G2Sum, SecretScalar};
use serde_json::Value;

use super::{bytes, json, names, network, unhex};

/// A file's rows, without any check.
fn rows(path: &str) -> Vec<DepositMessage> {
    let row = |value: &Value| DepositMessage {
        pubkey: unhex(&value["pubkey"]),
        withdrawal_credentials: WithdrawalCredentials::from_bytes(unhex(
            &value["withdrawal_credentials"],
        ))
        .unwrap(),
        amount: value["amount"].as_u64().unwrap(),
    };
    json(path).as_array().unwrap().iter().map(row).collect()
}

#[test]
fn genuine_files_verify() {
    let mut checked = 0;
    for name in names("deposits") {
        let path = format!("deposits/{name}.json");
        let network = network(name.split('-').next().unwrap());
        let verdict = verify_deposits(&bytes(&path), &network, None);
        if name == "hoodi-00" {
            // Genuine, but for a BLS withdrawal key that no ceremony makes.
            let fault = Fault::Credentials(CredentialsError::Prefix(0));
            assert_eq!(
                verdict,
                Err(DepositFileError::Entry { entry: 1, field: "withdrawal_credentials", fault })
            );
        } else {
            let deposits = verdict.unwrap();
            let expected = rows(&path);
            assert_eq!(
                deposits.iter().map(|deposit| deposit.message).collect::<Vec<_>>(),
                expected
            );
            assert_eq!(verify_deposits(&bytes(&path), &network, Some(&expected)), Ok(deposits));
        }
        checked += 1;
    }
    assert_eq!(checked, 7);
}

/// What we write is what the other tool wrote, but for its version and spaces.
#[test]
fn our_files_equal_genuine_ones() {
    let mut checked = 0;
    for name in names("deposits").into_iter().filter(|name| name != "hoodi-00") {
        let path = format!("deposits/{name}.json");
        let network = network(name.split('-').next().unwrap());
        let deposits = verify_deposits(&bytes(&path), &network, None).unwrap();
        let ours = String::from_utf8(write_deposits(&network, &deposits)).unwrap();
        let theirs = String::from_utf8(bytes(&path)).unwrap().replace("1.3.1-dev", "2.7.0");
        let packed = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(packed(&ours), packed(&theirs), "{name}");
        assert_eq!(verify_deposits(ours.as_bytes(), &network, None), Ok(deposits));
        checked += 1;
    }
    assert_eq!(checked, 6);
}

/// What each tampered file is refused for: entry (from 1), field, and a part of the reason.
const TAMPERED: [(&str, usize, &str, &str); 16] = [
    ("amount-roots-fresh", 1, "signature", "does not verify on hoodi"),
    ("amount-roots-stale", 1, "deposit_message_root", "instead of"),
    ("amount-string", 1, "amount", "a string instead of a whole number"),
    ("below-1-eth", 1, "amount", "0.5 ETH is less than 1 ETH"),
    ("creds-01-to-02", 1, "signature", "does not verify on hoodi"),
    ("data-root-only", 1, "deposit_data_root", "instead of"),
    ("fork-version-field", 1, "fork_version", "00000000 instead of 10000910"),
    ("hex-0x-prefixed", 1, "pubkey", "starts with 0x"),
    ("infinity-pair", 1, "pubkey", "the point at infinity"),
    ("message-root-only", 1, "deposit_message_root", "instead of"),
    ("missing-cli-version", 1, "deposit_cli_version", "missing"),
    ("other-network-relabelled", 1, "signature", "does not verify on hoodi"),
    ("pubkeys-swapped", 1, "signature", "does not verify on hoodi"),
    ("sig-bitflip", 2, "signature", "subgroup"),
    ("withdrawal-address-swapped", 1, "signature", "does not verify on hoodi"),
    ("wrong-network-file", 1, "network_name", "mainnet instead of hoodi"),
];

#[test]
fn tampered_files_are_refused_for_their_fault() {
    let hoodi = network("hoodi");
    let mut checked = 0;
    for name in names("tampered/deposit") {
        let file = bytes(&format!("tampered/deposit/{name}.json"));
        let error = verify_deposits(&file, &hoodi, None).unwrap_err();
        match name.as_str() {
            "not-an-array" => {
                let DepositFileError::Json(JsonError::Shape(text)) = &error else {
                    panic!("{error}")
                };
                assert!(text.contains("expected a list"), "{text}");
            }
            "second-partial-bad" => {
                let at = |entry, field| {
                    matches!(error, DepositFileError::Entry { entry: e,
                    field: f, .. } if (e, f) == (entry, field))
                };
                assert!(at(2, "signature"), "{error}");
            }
            _ => {
                let (_, entry, field, part) = TAMPERED.iter().find(|case| case.0 == name).unwrap();
                assert!(
                    matches!(&error, DepositFileError::Entry { entry: e, field: f, fault }
                        if (e, f) == (entry, field) && fault.to_string().contains(part)),
                    "{name}: {error}"
                );
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 18);
}

/// With the rows that a ceremony made, an altered row is found before any signature is looked at.
#[test]
fn tampered_rows_are_named_by_field() {
    let hoodi = network("hoodi");
    let expected = rows("deposits/hoodi-01.json");
    let mut checked = 0;
    for (name, entry, field) in [
        ("amount-roots-fresh", 1, "amount"),
        ("creds-01-to-02", 1, "withdrawal_credentials"),
        ("withdrawal-address-swapped", 1, "withdrawal_credentials"),
    ] {
        let error = verify_deposits(
            &bytes(&format!("tampered/deposit/{name}.json")),
            &hoodi,
            Some(&expected),
        )
        .unwrap_err();
        assert!(
            matches!(&error, DepositFileError::Entry { entry: e, field: f, .. } if (*e,
            *f) == (entry, field)),
            "{name}: {error}"
        );
        checked += 1;
    }
    assert_eq!(checked, 3);
}

/// A genuine file with one change of its JSON.
fn changed(change: impl Fn(&mut Value)) -> Result<Vec<SignedDeposit>, DepositFileError> {
    let mut file = json("deposits/hoodi-01.json");
    change(&mut file);
    verify_deposits(&serde_json::to_vec(&file).unwrap(), &network("hoodi"), None)
}

fn fault(
    entry: usize,
    field: &'static str,
    fault: Fault,
) -> Result<Vec<SignedDeposit>, DepositFileError> {
    Err(DepositFileError::Entry { entry, field, fault })
}

#[test]
fn every_rule_refuses() {
    let set =
        |field: &'static str, value: Value| changed(move |file| file[1][field] = value.clone());
    let original = json("deposits/hoodi-01.json");
    let text = |field: &str| original[1][field].as_str().unwrap().to_owned();
    assert_eq!(changed(|file| *file = Value::Array(Vec::new())), Err(DepositFileError::Empty));
    assert_eq!(set("extra", 1.into()), fault(2, "fields", Fault::UnknownField("extra".to_owned())));
    for (value, found) in [
        (Value::Null, "null"),
        (1.5.into(), "a number with a fraction or exponent"),
        ((-1).into(), "a negative number"),
        (true.into(), "true or false"),
        (serde_json::json!({"a": [1]}), "an object"),
        (serde_json::json!([[1]]), "an array"),
        ("32000000000".into(), "a string"),
    ] {
        assert_eq!(
            set("amount", value),
            fault(2, "amount", Fault::Type { expected: "a whole number", found })
        );
    }
    assert_eq!(
        set("pubkey", 7.into()),
        fault(2, "pubkey", Fault::Type { expected: "a string", found: "a whole number" })
    );
    assert_eq!(
        set("pubkey", text("pubkey").to_uppercase().into()),
        fault(2, "pubkey", Fault::Hex(HexError::Digit))
    );
    assert_eq!(
        set("signature", text("signature")[2..].into()),
        fault(2, "signature", Fault::Hex(HexError::Length { expected: 192, found: 190 }))
    );
    assert_eq!(
        set("signature", format!("c0{}", "00".repeat(95)).into()),
        fault(2, "signature", DecodeError::Infinity.into())
    );
    let credentials = |digits: &str| set("withdrawal_credentials", digits.into());
    let at_credentials = |error: CredentialsError| fault(2, "withdrawal_credentials", error.into());
    assert_eq!(
        credentials(&format!("b0{}", &text("withdrawal_credentials")[2..])),
        at_credentials(CredentialsError::Prefix(0xb0))
    );
    assert_eq!(
        credentials(&format!("0101{}", &text("withdrawal_credentials")[4..])),
        at_credentials(CredentialsError::Padding)
    );
    assert_eq!(
        credentials(&format!("01{}", "00".repeat(31))),
        at_credentials(AddressError::Zero.into())
    );
    let above = AmountError::AboveMaximum {
        amount: "33 ETH".to_owned(),
        most: "32 ETH".to_owned(),
        prefix: "0x01",
    };
    assert_eq!(set("amount", 33_000_000_000u64.into()), fault(2, "amount", above.into()));
    for version in ["", "2.7.0\n", &"2".repeat(33)] {
        assert_eq!(
            set("deposit_cli_version", version.into()),
            fault(2, "deposit_cli_version", Fault::Text)
        );
    }
    assert_eq!(changed(|file| file[1] = file[0].clone()), fault(2, "pubkey", Fault::Duplicate(1)));
}

/// What a JSON value cannot hold: a field twice, bytes after the end, too many bytes.
#[test]
fn every_rule_refuses_in_text() {
    let hoodi = network("hoodi");
    let file = String::from_utf8(bytes("deposits/hoodi-01.json")).unwrap();
    let verdict = |text: String| verify_deposits(text.as_bytes(), &hoodi, None);
    let repeated = file.replacen(
        "\"amount\": 32000000000,",
        "\"amount\": 32000000000, \"amount\": 1000000000,",
        1,
    );
    assert_eq!(verdict(repeated), fault(1, "amount", Fault::Repeated));
    assert!(matches!(verdict(format!("{file}[]")),
        Err(DepositFileError::Json(JsonError::Shape(text))) if text.contains("trailing")));
    let many = 64 * 1024 * 1024 + 1;
    let limit = many - 1;
    assert_eq!(
        verdict(" ".repeat(many)),
        Err(DepositFileError::Json(JsonError::TooLong { length: many, limit }))
    );
    let entries = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
    assert_eq!(verdict(entries(65_537)), Err(DepositFileError::Json(JsonError::TooMany(65_536))));
    assert_eq!(verdict(entries(65_536)), fault(1, "pubkey", Fault::Missing));
    let nested = verdict("[".repeat(100_000));
    assert!(matches!(nested, Err(DepositFileError::Json(JsonError::Shape(_)))), "{nested:?}");
}

#[test]
fn expected_rows_are_exact() {
    let hoodi = network("hoodi");
    let file = bytes("deposits/hoodi-01.json");
    let rows = rows("deposits/hoodi-01.json");
    let swapped = [rows[1], rows[0]];
    assert_eq!(
        verify_deposits(&file, &hoodi, Some(&swapped)).map(|deposits| deposits.len()),
        Ok(2)
    );
    assert_eq!(
        verify_deposits(&file, &hoodi, Some(&rows[..1])),
        fault(2, "pubkey", Fault::Unexpected)
    );
    let partial = DepositMessage { amount: 1_000_000_000, ..rows[1] };
    let missing = DepositFileError::Missing {
        pubkey: hex::encode(partial.pubkey),
        amount: "1 ETH".to_owned(),
    };
    assert_eq!(verify_deposits(&file, &hoodi, Some(&[rows[0], rows[1], partial])), Err(missing));
}

/// A deposit under a small secret key.
fn signed(secret: u64, gwei: u64, network: &quorate::ethereum::network::Network) -> SignedDeposit {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&secret.to_be_bytes());
    let secret = SecretScalar::from_be_bytes(&bytes).unwrap();
    let credentials = rows("deposits/hoodi-01.json")[0].withdrawal_credentials;
    let message = DepositMessage {
        pubkey: secret.base_mult().unwrap().to_compressed(),
        withdrawal_credentials: credentials,
        amount: gwei,
    };
    SignedDeposit { message, signature: bls_sign(&secret, &message.signing_root(network)).unwrap() }
}

#[test]
fn one_file_for_each_amount() {
    let gwei = 1_000_000_000;
    let named = |network: &str, amounts: &[u64]| {
        let network = super::network(network);
        let deposits: Vec<_> = amounts
            .iter()
            .flat_map(|amount| [5, 6].map(|key| signed(key, *amount, &network)))
            .collect();
        let artifacts = deposit_artifacts(&network, &deposits);
        for Artifact { audience, bytes, .. } in &artifacts {
            assert_eq!(*audience, Audience::Public);
            assert_eq!(verify_deposits(bytes, &network, None).unwrap().len(), 2);
        }
        artifacts.into_iter().map(|artifact| artifact.name).collect::<Vec<_>>()
    };
    assert_eq!(named("hoodi", &[32 * gwei]), ["deposit-data.json"]);
    assert_eq!(named("hoodi", &[8 * gwei]), ["deposit-data.json"]);
    assert_eq!(
        named("hoodi", &[gwei, gwei * 3 / 2, 32 * gwei]),
        ["deposit-data-1eth.json", "deposit-data-1.5eth.json", "deposit-data.json"]
    );
    assert_eq!(
        named("hoodi", &[gwei, 31 * gwei]),
        ["deposit-data-1eth.json", "deposit-data-31eth.json"]
    );
    assert_eq!(
        named("gnosis", &[gwei, 32 * gwei]),
        ["deposit-data-0.03125gno.json", "deposit-data.json"]
    );
    assert_eq!(deposit_artifacts(&super::network("hoodi"), &[]), []);
}

/// Errors that cancel in the sum of the signatures do not pass the batch.
#[test]
fn errors_cannot_cancel() {
    let hoodi = network("hoodi");
    let mut deposits = [signed(5, 32_000_000_000, &hoodi), signed(6, 32_000_000_000, &hoodi)];
    let delta = G2Sum::from(G2::hash(b"delta", b"test"));
    let shifted = |signature: G2, by: &G2Sum| {
        let mut sum = G2Sum::from(signature);
        sum.add_sum(by);
        sum.finish().unwrap()
    };
    deposits[0].signature = shifted(deposits[0].signature, &delta);
    deposits[1].signature = shifted(deposits[1].signature, &delta.negated());
    let verdict = verify_deposits(&write_deposits(&hoodi, &deposits), &hoodi, None);
    assert_eq!(verdict, fault(1, "signature", Fault::Signature("hoodi".to_owned())));
}
