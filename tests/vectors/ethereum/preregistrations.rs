//! Preregistrations by the draft EIP-8205: domains, roots and signatures of the executable
//! consensus specification and py_ecc, the file around them, and the canonical bytes of a ceremony
//! that asks for them.

use quorate::ethereum::bls::bls_verify;
use quorate::ethereum::deposit::{CredentialsError, WithdrawalCredentials};
use quorate::ethereum::json::{HexError, JsonError};
use quorate::ethereum::network::{CustomNetwork, Network};
use quorate::ethereum::preregistration::{Draft, Preregistration};
use quorate::export::launchpad::{
    PreregistrationFileError, SignedPreregistration, verify_preregistrations,
    write_preregistrations,
};
use quorate::primitives::curve::{DecodeError, G1, G2};
use quorate::spec::{Ceremony, CeremonyFile};
use serde_json::{Value, json};

use super::unhex;
use crate::support::objects_as_lists;

fn vectors() -> Value {
    super::json("../preregistration/preregistrations.json")
}

fn network(name: &str, constants: &Value) -> Network {
    Network::known(name).unwrap_or_else(|| {
        Network::custom(CustomNetwork {
            name: name.to_owned(),
            genesis_fork_version: unhex(&constants["genesis_fork_version"]),
            capella_fork_version: None,
            genesis_validators_root: unhex(&constants["genesis_validators_root"]),
            genesis_time: None,
        })
        .unwrap()
    })
}

/// The preregistrations for a network, as the other software signed them.
fn signed(of: &Value) -> Vec<SignedPreregistration> {
    let one = |entry: &Value| SignedPreregistration {
        message: Preregistration {
            pubkey: unhex(&entry["pubkey"]),
            withdrawal_credentials: WithdrawalCredentials::from_bytes(unhex(
                &entry["withdrawal_credentials"],
            ))
            .unwrap(),
        },
        signature: G2::from_compressed(&unhex(&entry["signature"])).unwrap(),
    };
    of["entries"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn domains_roots_and_signatures() {
    let all = vectors();
    assert_eq!(all["draft"], Draft::NEWEST.date());
    let mut checked = 0;
    for (name, of) in all["networks"].as_object().unwrap() {
        let network = network(name, of);
        let domain = network.preregistration_domain(Draft::August2026);
        assert_eq!(domain.as_bytes(), &unhex::<32>(&of["domain"]), "{name}");
        let signed = signed(of);
        for (one, entry) in signed.iter().zip(of["entries"].as_array().unwrap()) {
            let root = one.message.signing_root(&network, Draft::August2026);
            assert_eq!(one.message.root(), unhex(&entry["root"]), "{name}");
            assert_eq!(root, unhex(&entry["signing_root"]), "{name}");
            let key = G1::from_compressed(&one.message.pubkey).unwrap();
            assert!(bls_verify(&key, &root, &one.signature), "{name}");
            checked += 1;
        }
        // The file, and that it is of this network alone.
        let file = write_preregistrations(&signed);
        assert_eq!(verify_preregistrations(&file, &network, Draft::NEWEST), Ok(signed));
        for other in Network::known_names().filter(|other| other != name) {
            let other = Network::known(other).unwrap();
            let error = PreregistrationFileError::Signature {
                entry: 1,
                network: other.name().to_owned(),
                draft: "2026-08-17",
            };
            assert_eq!(verify_preregistrations(&file, &other, Draft::NEWEST), Err(error));
        }
    }
    assert_eq!(checked, 12);
}

/// Written twice from the same texts: here, and by a program of another language.
#[test]
fn canonical_bytes_of_an_example() {
    let example = &vectors()["example"];
    let text = std::fs::read_to_string(
        super::root().join("../../ceremony-specs/examples/hoodi-3-of-4.toml"),
    );
    let mut file = CeremonyFile::parse_toml(&text.unwrap()).unwrap();
    let plain = Ceremony::try_from(file.clone()).unwrap();
    assert_eq!(plain.digest().to_string(), example["without"]["digest"].as_str().unwrap());
    assert_eq!(plain.canonical().len() as u64, example["without"]["length"].as_u64().unwrap());
    file.preregistration = Some(Draft::NEWEST.into());
    let asked = Ceremony::try_from(file).unwrap();
    assert_eq!(asked.digest().to_string(), example["with"]["digest"].as_str().unwrap());
    assert_eq!(hex::encode(asked.canonical()), example["with"]["canonical"].as_str().unwrap());
}

#[test]
fn every_rule_refuses() {
    use PreregistrationFileError::*;
    let all = vectors();
    let hoodi = network("hoodi", &Value::Null);
    let genuine = signed(&all["networks"]["hoodi"]);
    let file = write_preregistrations(&genuine);
    let read = |value: &Value| {
        verify_preregistrations(&serde_json::to_vec(value).unwrap(), &hoodi, Draft::NEWEST)
    };
    let good: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(good.as_array().unwrap().len(), 2);
    let entry = 2;
    let unsigned = || Signature { entry, network: "hoodi".to_owned(), draft: "2026-08-17" };
    let infinity = |bytes: usize| format!("0xc0{}", "00".repeat(bytes - 1));
    let credentials = |digits: &str| format!("0x{digits}{}", "11".repeat(32 - digits.len() / 2));
    let upper = good[1]["pubkey"].as_str().unwrap().to_uppercase().replacen("0X", "0x", 1);
    let cases: Vec<(&str, Value, PreregistrationFileError)> = vec![
        // Another address, another kind of credentials, another key's signature.
        (
            "withdrawal_credentials",
            json!(format!("0x02{}{}", "00".repeat(11), "fb".repeat(20))),
            unsigned(),
        ),
        (
            "withdrawal_credentials",
            json!(good[1]["withdrawal_credentials"].as_str().unwrap().replacen("0x02", "0x01", 1)),
            unsigned(),
        ),
        ("signature", good[0]["signature"].clone(), unsigned()),
        ("pubkey", good[0]["pubkey"].clone(), Twice { entry, first: 1 }),
        ("withdrawal_credentials", json!(credentials("00")), {
            Credentials { entry, source: CredentialsError::Prefix(0) }
        }),
        ("withdrawal_credentials", json!(credentials("b0")), {
            Credentials { entry, source: CredentialsError::Prefix(0xb0) }
        }),
        ("withdrawal_credentials", json!(credentials("01")), {
            Credentials { entry, source: CredentialsError::Padding }
        }),
        ("pubkey", json!(infinity(48)), {
            Curve { entry, field: "pubkey", source: DecodeError::Infinity }
        }),
        ("signature", json!(infinity(96)), {
            Curve { entry, field: "signature", source: DecodeError::Infinity }
        }),
        ("pubkey", json!(upper), Hex { entry, field: "pubkey", source: HexError::Digit }),
        ("pubkey", json!(12), Type { entry, field: "pubkey", found: "a whole number" }),
        ("signature", Value::Null, Type { entry, field: "signature", found: "null" }),
        (
            "withdrawal_credentials",
            json!([]),
            Type { entry, field: "withdrawal_credentials", found: "an array" },
        ),
    ];
    for (field, value, error) in cases {
        let mut changed = good.clone();
        changed[1][field] = value;
        let found = read(&changed).unwrap_err();
        assert_eq!(found, error, "{field}");
        let whose = if matches!(error, Twice { .. }) { "pubkey" } else { found.field() };
        assert!(whose == field || found == unsigned(), "{field}: {found}");
    }
    assert_eq!(read(&json!([])), Err(Empty));
    for shape in [json!({}), json!([{}]), json!([[1, 2, 3]]), json!("x")] {
        assert!(matches!(read(&shape), Err(Json(JsonError::Shape(_)))), "{shape}");
    }
    for pointer in ["/0/more", "/1/amount"] {
        let mut more = good.clone();
        more[pointer[1..2].parse::<usize>().unwrap()][&pointer[3..]] = json!(1);
        assert!(matches!(read(&more), Err(Json(JsonError::Shape(_)))), "{pointer}");
    }
    for list in objects_as_lists(&good) {
        assert!(matches!(read(&list), Err(Json(JsonError::Shape(_)))), "{list}");
    }
}
