//! EIP-2335 vectors: encryption and decryption, byte for byte, and every refusal.

use std::convert::Infallible;

use quorate::ethereum::json::{HexError, JsonError};
use quorate::ethereum::keystore::{
    DerivedKey, Kdf, KdfError, KeyPath, Keystore, KeystoreError, KeystoreRemark, Password,
    PasswordError, normalised,
};
use quorate::export::Audience;
use quorate::export::keystores::{Holder, KeystoreExportError, keystore_files};
use quorate::primitives::curve::{DecodeError, G1, SecretScalar};
use quorate::primitives::secret::SecretBytes;
use rand_core::{TryCryptoRng, TryRng};
use serde_json::{Value, json};

use super::{bytes, names, unhex};
use crate::support::objects_as_lists;

/// A "random" source that gives chosen bytes, and fails the test when they run out.
struct Script(Vec<u8>);

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0.drain(..out.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Script {}

fn password(text: &str) -> Password {
    Password::new(&SecretBytes::new(text.as_bytes().to_vec())).unwrap()
}

/// The password of EIP-2335's test cases.
const EIP_PASSWORD: &str = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
/// Their secret.
const EIP_SECRET: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
/// The password of `keystores/`.
const ETHSTAKER_PASSWORD: &str = "dkg-test-password-1";

#[test]
fn eip_2335_test_cases() {
    for (name, kdf) in [("test0", Kdf::pbkdf2()), ("test1", Kdf::scrypt())] {
        let file = bytes(&format!("eip2335/{name}.json"));
        let vector: Value = serde_json::from_slice(&file).unwrap();
        let crypto = &vector["crypto"];
        let secret = Keystore::from_json(&file).unwrap().decrypt(&password(EIP_PASSWORD)).unwrap();
        assert_eq!(*secret.to_be_bytes(), unhex(&EIP_SECRET.into()));

        let key = DerivedKey::derive(
            kdf,
            &password(EIP_PASSWORD),
            unhex(&crypto["kdf"]["params"]["salt"]),
        );
        let mut drawn = unhex::<16>(&crypto["cipher"]["params"]["iv"]).to_vec();
        drawn.extend(unhex::<16>(&vector["uuid"].as_str().unwrap().replace('-', "").into()));
        let path = KeyPath::parse(vector["path"].as_str().unwrap()).unwrap();
        let description = vector["description"].as_str().unwrap().to_owned();
        let ours = Keystore::encrypt(&key, &secret, path, description, Script(drawn)).unwrap();
        let ours = ours.to_json();
        assert_eq!(serde_json::from_slice::<Value>(&ours).unwrap(), vector);
        // One client reads in order: function, params, message.
        let text = String::from_utf8(ours).unwrap();
        for module in ["kdf", "checksum", "cipher"] {
            let module = &text[text.find(&format!("\"{module}\":{{\"function\":")).unwrap()..];
            assert!(module.find("\"function\"") < module.find("\"params\""));
            assert!(module.find("\"params\"") < module.find("\"message\""));
        }
    }
}

#[test]
fn passwords_are_normalised() {
    let cases = super::json("eip2335/normalization.json");
    let mut checked = 0;
    for case in cases.as_array().unwrap() {
        let text = hex::decode(case["password_utf8"].as_str().unwrap()).unwrap();
        let processed = hex::decode(case["processed"].as_str().unwrap()).unwrap();
        assert_eq!(normalised(core::str::from_utf8(&text).unwrap()).expose(), processed);
        assert_eq!(
            Password::new(&SecretBytes::new(text)).err(),
            processed.is_empty().then_some(PasswordError::Empty)
        );
        checked += 1;
    }
    assert_eq!(checked, 23);
    assert_eq!(Password::new(&SecretBytes::new(vec![0xff])).err(), Some(PasswordError::NotText));
}

#[test]
fn genuine_keystores_decrypt() {
    let mut derived: Option<DerivedKey> = None;
    let mut checked = 0;
    for name in names("keystores") {
        let keystore = Keystore::from_json(&bytes(&format!("keystores/{name}.json"))).unwrap();
        let password = password(ETHSTAKER_PASSWORD);
        let secret = match &derived {
            // The tool derives once for all keystores of a run.
            Some(key) if name.starts_with("hoodi") => keystore.decrypt_with(key).unwrap(),
            _ => keystore.decrypt(&password).unwrap(),
        };
        if name == "hoodi-01-0" {
            derived = Some(hoodi_key());
        }
        assert_eq!(secret.base_mult().as_ref(), Some(keystore.pubkey()));
        checked += 1;
    }
    assert_eq!(checked, 3);
}

/// The derived key of the hoodi keystores, with the salt that they share.
fn hoodi_key() -> DerivedKey {
    let salt = super::json("keystores/hoodi-01-0.json")["crypto"]["kdf"]["params"]["salt"].clone();
    DerivedKey::derive(Kdf::scrypt(), &password(ETHSTAKER_PASSWORD), unhex(&salt))
}

#[test]
fn tampered_keystores_are_refused_for_their_fault() {
    let key = hoodi_key();
    let mut checked = 0;
    for name in names("tampered/keystore") {
        if UNUSUAL.iter().any(|(unusual, _)| *unusual == name) {
            continue;
        }
        let file = bytes(&format!("tampered/keystore/{name}.json"));
        let verdict = Keystore::from_json(&file).and_then(|keystore| match name.as_str() {
            "wrong-password" => keystore.decrypt(&password("dkg-test-password-2")),
            "kdf-n-lowered" => keystore.decrypt(&password(ETHSTAKER_PASSWORD)),
            _ => keystore.decrypt_with(&key),
        });
        let error = verdict.err().unwrap_or_else(|| panic!("{name} is accepted"));
        match name.as_str() {
            "checksum-bitflip" | "cipher-bitflip" | "kdf-n-lowered" | "wrong-password" => {
                assert_eq!(error, KeystoreError::Checksum, "{name}");
            }
            "iv-bitflip" | "other-pubkey" => assert_eq!(error, KeystoreError::AnotherKey, "{name}"),
            "version-3" => assert_eq!(error, KeystoreError::Version(3)),
            "weak-pbkdf2" => {
                assert_eq!(error, KeystoreError::Kdf(KdfError::TooWeak));
                // It is right otherwise.
                let keystore = Keystore::from_json_even_if_weak(&file).unwrap();
                assert!(keystore.decrypt(&password(ETHSTAKER_PASSWORD)).is_ok());
            }
            _ => panic!("{name} has no expectation"),
        }
        checked += 1;
    }
    assert_eq!(checked, 11 - UNUSUAL.len());
}

/// Files that decrypt to the key that they name, with what is unusual about them.
const UNUSUAL: [(&str, KeystoreRemark); 3] = [
    ("empty-path", KeystoreRemark::EmptyPath),
    ("unknown-field", KeystoreRemark::UnknownField(String::new())),
    ("uuid-upper", KeystoreRemark::Uuid),
];

#[test]
fn what_is_unusual_is_read_and_remarked_on() {
    let key = hoodi_key();
    for (name, mut remark) in UNUSUAL {
        let file = bytes(&format!("tampered/keystore/{name}.json"));
        if let KeystoreRemark::UnknownField(field) = &mut remark {
            "share_index".clone_into(field);
        }
        let keystore = Keystore::from_json(&file).unwrap();
        assert_eq!(keystore.remarks(), [remark], "{name}");
        assert!(keystore.decrypt_with(&key).is_ok(), "{name}");
    }
}

/// A genuine keystore with one value changed.
fn changed(pointer: &str, value: Value) -> KeystoreError {
    let mut file = super::json("keystores/hoodi-01-0.json");
    *file.pointer_mut(pointer).unwrap() = value;
    Keystore::from_json(&serde_json::to_vec(&file).unwrap()).unwrap_err()
}

#[test]
fn every_rule_refuses() {
    let unsupported = |field, expected, found: &str| KeystoreError::Unsupported {
        field,
        expected,
        found: found.to_owned(),
    };
    let hex = |field, source| KeystoreError::Hex { field, source };
    for (pointer, value, error) in [
        ("/crypto/kdf/params/n", json!(1u64 << 40), KdfError::TooCostly.into()),
        ("/crypto/kdf/params/p", json!(1000), KdfError::TooCostly.into()),
        ("/crypto/kdf/params/n", json!(100_000), KdfError::Invalid.into()),
        ("/crypto/kdf/params/r", json!(1), KdfError::Invalid.into()),
        ("/crypto/kdf/params/r", json!(2), KdfError::TooWeak.into()),
        ("/crypto/kdf/params/dklen", json!(64), unsupported("crypto.kdf.params.dklen", "32", "64")),
        (
            "/crypto/kdf/function",
            json!("argon2"),
            unsupported("crypto.kdf.function", "scrypt or pbkdf2", "argon2"),
        ),
        ("/crypto/kdf/function", json!("pbkdf2"), KeystoreError::KdfFields),
        ("/crypto/kdf/message", json!("00"), unsupported("crypto.kdf.message", "", "00")),
        (
            "/crypto/checksum/function",
            json!("md5"),
            unsupported("crypto.checksum.function", "sha256", "md5"),
        ),
        (
            "/crypto/cipher/function",
            json!("aes\u{1b}[2J"),
            unsupported("crypto.cipher.function", "aes-128-ctr", "aes?[2J"),
        ),
        (
            "/crypto/kdf/params/salt",
            json!("00"),
            hex("crypto.kdf.params.salt", HexError::Length { expected: 64, found: 2 }),
        ),
        (
            "/crypto/cipher/params/iv",
            json!("0x00"),
            hex("crypto.cipher.params.iv", HexError::Prefixed),
        ),
        ("/pubkey", json!("B384".repeat(24)), hex("pubkey", HexError::Digit)),
        (
            "/pubkey",
            json!(format!("c0{}", "00".repeat(47))),
            KeystoreError::Pubkey(DecodeError::Infinity),
        ),
        ("/path", json!("m/12381/x"), KeystoreError::Path),
        ("/uuid", json!("05dff031-a6c6-484f-9e93-900d6aa39c2"), KeystoreError::Uuid),
        ("/uuid", json!("05dff031-a6c6-484f-9e93-900d6aa39c2g"), KeystoreError::Uuid),
        ("/uuid", json!("05dff031a6c6-484f-9e93-900d6aa39c2800"), KeystoreError::Uuid),
    ] {
        let found = changed(pointer, value);
        assert_eq!(found, error, "{pointer}");
    }
    for (pointer, value, part) in [
        ("/crypto/checksum/params", json!({"a": 1}), "unknown field `a`"),
        ("/crypto/cipher/params", json!({}), "missing field `iv`"),
        ("/version", json!("4"), "invalid type"),
        ("/pubkey", Value::Null, "invalid type"),
    ] {
        let error = changed(pointer, value);
        assert!(
            matches!(&error, KeystoreError::Json(JsonError::Shape(text)) if text.contains(part)),
            "{pointer}: {error}"
        );
    }
    let long = vec![b' '; 16 * 1024 + 1];
    let too_long = JsonError::TooLong { length: 16 * 1024 + 1, limit: 16 * 1024 };
    assert_eq!(Keystore::from_json(&long), Err(too_long.into()));
}

#[test]
fn a_list_is_no_object() {
    let lists = objects_as_lists(&super::json("keystores/hoodi-01-0.json"));
    assert_eq!(lists.len(), 8);
    for list in lists {
        let refused = Keystore::from_json(list.to_string().as_bytes()).unwrap_err();
        let said = |text: &str| text.contains("expected an object");
        assert!(
            matches!(&refused, KeystoreError::Json(JsonError::Shape(text)) if said(text)),
            "{refused}"
        );
    }
}

fn small_secret(value: u8) -> SecretScalar {
    let mut bytes = [0; 32];
    bytes[31] = value;
    SecretScalar::from_be_bytes(&bytes).unwrap()
}

#[test]
fn shares_become_keystores() {
    let kdf = Kdf::insecure_scrypt();
    let key = DerivedKey::derive(kdf, &password("correct horse"), [3; 32]);
    let holder = Holder { ceremony: "Example cluster", number: 2, required: 3, participants: 4 };
    let shares = || vec![small_secret(5), small_secret(6)];
    let public: Vec<G1> = shares().iter().map(|share| share.base_mult().unwrap()).collect();
    let random = || Script((0..160).collect());
    let artifacts =
        keystore_files(holder, &shares(), &public, &key, 1_700_000_000, random()).unwrap();
    let names: Vec<&str> = artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "validator_keys/keystore-m_12381_3600_0_0_0-1700000000.json",
            "validator_keys/keystore-m_12381_3600_1_0_0-1700000000.json"
        ]
    );
    let mut ivs = Vec::new();
    for (v, artifact) in artifacts.iter().enumerate() {
        assert_eq!(artifact.audience, Audience::Secret);
        assert_eq!(Keystore::from_json(&artifact.bytes), Err(KdfError::TooWeak.into()));
        let keystore = Keystore::from_json_even_if_weak(&artifact.bytes).unwrap();
        assert_eq!(keystore.path().to_string(), format!("m/12381/3600/{v}/0/0"));
        assert_eq!(
            keystore.description(),
            format!("Example cluster, validator {v}, share 2 of 4 (threshold 3)")
        );
        let secret = keystore.decrypt(&password("correct horse")).unwrap();
        assert_eq!(secret.to_be_bytes(), shares()[v].to_be_bytes());
        assert_eq!(keystore.decrypt(&password("wrong horse")).err(), Some(KeystoreError::Checksum));
        let other = DerivedKey::derive(kdf, &password("correct horse"), [4; 32]);
        assert_eq!(keystore.decrypt_with(&other).err(), Some(KeystoreError::AnotherDerivation));
        let file: Value = serde_json::from_slice(&artifact.bytes).unwrap();
        ivs.push(file["crypto"]["cipher"]["params"]["iv"].clone());
    }
    assert_ne!(ivs[0], ivs[1]);

    let first = Keystore::from_json_for(&public[0], &artifacts[0].bytes).unwrap();
    assert_eq!(Some(&first), Keystore::from_json_even_if_weak(&artifacts[0].bytes).ok().as_ref());
    assert_eq!(
        Keystore::from_json_for(&public[1], &artifacts[0].bytes),
        Err(KeystoreError::AnotherKey)
    );
    assert_eq!(first.check_holds(&key, &small_secret(5)), Ok(()));
    assert_eq!(first.check_holds(&key, &small_secret(6)), Err(KeystoreError::AnotherKey));
    let wrong = DerivedKey::derive(kdf, &password("wrong horse"), [3; 32]);
    assert_eq!(first.check_holds(&wrong, &small_secret(5)), Err(KeystoreError::Checksum));

    // A wrong one among many, and two that are wrong by the same amount.
    let many = || (1..=20).map(small_secret).collect::<Vec<_>>();
    let theirs: Vec<G1> = many().iter().map(|share| share.base_mult().unwrap()).collect();
    let source = || Script((0..160).cycle().take(20 * 48 + 20 * 32).collect());
    assert_eq!(keystore_files(holder, &many(), &theirs, &key, 0, source()).unwrap().len(), 20);
    for (at, wrong) in [(13, vec![(13, 40)]), (3, vec![(3, 9), (8, 4)])] {
        let mut shares = many();
        wrong.into_iter().for_each(|(v, value): (usize, u8)| shares[v] = small_secret(value));
        assert_eq!(
            keystore_files(holder, &shares, &theirs, &key, 0, source()),
            Err(KeystoreExportError::Share { validator: at })
        );
    }

    let swapped = [public[1], public[0]];
    assert_eq!(
        keystore_files(holder, &shares(), &swapped, &key, 0, random()),
        Err(KeystoreExportError::Share { validator: 0 })
    );
    assert_eq!(
        keystore_files(holder, &shares(), &public[..1], &key, 0, random()),
        Err(KeystoreExportError::Count { shares: 2, public_shares: 1 })
    );
    let zero = KeystoreExportError::Keystore { validator: 0, source: KeystoreError::ZeroSecret };
    assert_eq!(
        keystore_files(holder, &[small_secret(0)], &public[..1], &key, 0, random()),
        Err(zero)
    );
}
