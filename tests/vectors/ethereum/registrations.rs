//! Files of builder registrations. `roots` tests the signing root; this file tests the format
//! around it.

use quorate::ethereum::address::{AddressError, ExecutionAddress};
use quorate::ethereum::bls::bls_sign;
use quorate::ethereum::json::{HexError, JsonError};
use quorate::ethereum::registration::Registration;
use quorate::export::launchpad::{
    RegistrationFileError, SignedRegistration, verify_registrations, write_registrations,
};
use quorate::primitives::curve::{DecodeError, SecretScalar};
use serde_json::{Value, json};

use super::network;
use crate::support::objects_as_lists;

fn signed(secret: u8) -> SignedRegistration {
    let mut bytes = [0; 32];
    bytes[31] = secret;
    let secret = SecretScalar::from_be_bytes(&bytes).unwrap();
    let message = Registration {
        fee_recipient: ExecutionAddress::from_bytes([0xde; 20]).unwrap(),
        gas_limit: 36_000_000,
        timestamp: 1_742_213_400,
        pubkey: secret.base_mult().unwrap().to_compressed(),
    };
    SignedRegistration {
        message,
        signature: bls_sign(&secret, &message.signing_root(&network("hoodi"))).unwrap(),
    }
}

#[test]
fn written_as_the_builder_api_reads() {
    let registrations = [signed(5), signed(6)];
    let file = write_registrations(&registrations);
    let first: Value = serde_json::from_slice::<Value>(&file).unwrap()[0].clone();
    assert_eq!(
        first,
        json!({
            "message": {
                "fee_recipient": format!("0x{}", "de".repeat(20)),
                "gas_limit": "36000000",
                "timestamp": "1742213400",
                "pubkey": format!("0x{}", hex::encode(registrations[0].message.pubkey)),
            },
            "signature": format!("0x{}", hex::encode(registrations[0].signature.to_compressed())),
        })
    );
    let expected = registrations.map(|registration| registration.message);
    assert_eq!(
        verify_registrations(&file, &network("hoodi"), Some(&expected)),
        Ok(registrations.to_vec())
    );
}

/// A file of two registrations with one value of the second changed.
fn changed(pointer: &str, value: Value) -> RegistrationFileError {
    let registrations = [signed(5), signed(6)];
    let mut file: Value = serde_json::from_slice(&write_registrations(&registrations)).unwrap();
    *file.pointer_mut(&format!("/1{pointer}")).unwrap() = value;
    let expected = registrations.map(|registration| registration.message);
    verify_registrations(&serde_json::to_vec(&file).unwrap(), &network("hoodi"), Some(&expected))
        .unwrap_err()
}

#[test]
fn every_rule_refuses() {
    use RegistrationFileError::*;
    let entry = 2;
    let pubkey = |secret| format!("0x{}", hex::encode(signed(secret).message.pubkey));
    let signature =
        |secret| json!(format!("0x{}", hex::encode(signed(secret).signature.to_compressed())));
    let other_case = format!("0x{}", hex::encode(signed(6).message.pubkey).to_uppercase());
    for (pointer, value, error) in [
        (
            "/message/fee_recipient",
            json!(format!("0x{}", "df".repeat(20))),
            Unexpected { entry, field: "fee_recipient" },
        ),
        (
            "/message/fee_recipient",
            json!(format!("0x{}", "00".repeat(20))),
            Address { entry, source: AddressError::Zero },
        ),
        ("/message/gas_limit", json!("36000001"), Unexpected { entry, field: "gas_limit" }),
        ("/message/gas_limit", json!("036000000"), Decimal { entry, field: "gas_limit" }),
        ("/message/gas_limit", json!("+36000000"), Decimal { entry, field: "gas_limit" }),
        ("/message/timestamp", json!("1742213401"), Unexpected { entry, field: "timestamp" }),
        (
            "/message/timestamp",
            json!("18446744073709551616"),
            Decimal { entry, field: "timestamp" },
        ),
        ("/message/pubkey", json!(pubkey(5)), Unexpected { entry, field: "pubkey" }),
        ("/message/pubkey", json!(pubkey(7)), Unexpected { entry, field: "pubkey" }),
        (
            "/message/pubkey",
            json!(other_case),
            Hex { entry, field: "pubkey", source: HexError::Digit },
        ),
        (
            "/message/pubkey",
            json!(pubkey(6)[2..]),
            Hex { entry, field: "pubkey", source: HexError::Unprefixed },
        ),
        ("/signature", signature(5), Signature { entry, network: "hoodi".to_owned() }),
        (
            "/signature",
            json!(format!("0xc0{}", "00".repeat(95))),
            Curve { entry, field: "signature", source: DecodeError::Infinity },
        ),
    ] {
        assert_eq!(changed(pointer, value), error, "{pointer}");
    }
    let number = changed("/message/gas_limit", json!(36_000_000));
    assert_eq!(number, Type { entry, field: "gas_limit", found: "a whole number" });
    let unknown = changed("/message", json!({ "fee": "" }));
    assert!(
        matches!(&unknown, Json(JsonError::Shape(text)) if text.contains("unknown field")),
        "{unknown}"
    );
}

#[test]
fn a_list_is_no_object() {
    let file = serde_json::from_slice(&write_registrations(&[signed(5)])).unwrap();
    let lists = objects_as_lists(&file);
    assert_eq!(lists.len(), 2);
    for list in lists {
        let refused =
            verify_registrations(list.to_string().as_bytes(), &network("hoodi"), None).unwrap_err();
        let said = |text: &str| text.contains("expected an object");
        assert!(
            matches!(&refused, RegistrationFileError::Json(JsonError::Shape(text)) if said(text)),
            "{refused}"
        );
    }
}

#[test]
fn another_network_and_a_missing_row() {
    let (file, expected) =
        (write_registrations(&[signed(5)]), [signed(5).message, signed(6).message]);
    let on_mainnet = RegistrationFileError::Signature { entry: 1, network: "mainnet".to_owned() };
    assert_eq!(verify_registrations(&file, &network("mainnet"), Some(&expected)), Err(on_mainnet));
    let missing = RegistrationFileError::Missing(hex::encode(expected[1].pubkey));
    assert_eq!(verify_registrations(&file, &network("hoodi"), Some(&expected)), Err(missing));
}
