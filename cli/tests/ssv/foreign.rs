//! Keys, ciphertexts and signatures made by another RSA library.

use std::collections::BTreeMap;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::ethereum::keystore::{Kdf, KdfError, KeystoreError, Password};
use quorate::ethereum::ssv::{
    KeyFileError, RsaKeyError, RsaPublic, RsaSecret, ShareTextError, read_key_file, write_key_file,
};
use quorate::export::ssv::{parse_proofs, verify_keyshares, verify_proofs};
use quorate::primitives::secret::SecretBytes;
use serde::Deserialize;

use crate::example::{IDS, SHARES, owner_nonce, share};
use crate::scene::operator;
use crate::vectors::{array, path, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    public_keys: Vec<String>,
    share: String,
    root: String,
    encrypted: BTreeMap<String, String>,
    encrypted_otherwise: BTreeMap<String, String>,
    signatures: BTreeMap<String, String>,
}

fn vectors() -> Vectors {
    read("ssv/first-operator.json")
}

fn password(text: &str) -> Password {
    Password::new(&SecretBytes::new(text.into())).unwrap()
}

fn key_file() -> Vec<u8> {
    std::fs::read(path("ssv/encrypted_private_key.json")).unwrap()
}

#[test]
fn public_keys_are_spelt_alike() {
    let texts = vectors().public_keys;
    assert_eq!(texts.len(), 13);
    for (i, text) in texts.iter().enumerate() {
        assert_eq!(operator(i).public().to_text(), *text);
        assert_eq!(RsaPublic::parse(text).as_ref(), Ok(operator(i).public()));
    }
}

#[test]
fn shares_are_decrypted_and_others_are_not() {
    let (vectors, key) = (vectors(), operator(0));
    let mut random = ChaCha20Rng::from_seed([1; 32]);
    let share_key = share(0).base_mult().unwrap();
    assert_eq!(vectors.encrypted.len(), 3);
    for (name, text) in &vectors.encrypted {
        let decrypted = key.decrypt_share(&array(text), &share_key, &mut random);
        assert_eq!(hex::encode(*decrypted.ok().unwrap().to_be_bytes()), vectors.share, "{name}");
    }
    assert_eq!(vectors.encrypted_otherwise.len(), 4);
    for (name, text) in &vectors.encrypted_otherwise {
        let reason = if name == "another share" {
            ShareTextError::AnotherShare
        } else {
            ShareTextError::Text
        };
        assert_eq!(
            key.decrypt_share(&array(text), &share_key, &mut random).err(),
            Some(reason),
            "{name}"
        );
    }
    // And our own.
    let encrypted = key.public().encrypt_share(&share(0), &mut random);
    assert!(key.decrypt_share(&encrypted, &share_key, &mut random).is_ok());
}

#[test]
fn signatures_with_any_salt_verify() {
    let (vectors, key) = (vectors(), operator(0));
    let root: [u8; 32] = array(&vectors.root);
    assert_eq!(vectors.signatures.len(), 3);
    for (name, text) in &vectors.signatures {
        let mut signature: [u8; 256] = array(text);
        assert!(key.public().verify(&root, &signature), "{name}");
        assert!(
            !key.public().verify(&root[..31], &signature)
                && !operator(1).public().verify(&root, &signature),
            "{name}"
        );
        signature[255] ^= 1;
        assert!(!key.public().verify(&root, &signature), "{name}");
    }
    assert!(!key.public().verify(&root, &[0xff; 256]) && !key.public().verify(&root, &[0; 256]));
}

/// Padding and salt are all that randomness decides, so the same randomness gives the same bytes
/// after a crash.
#[test]
fn the_same_randomness_gives_the_same_bytes() {
    let random = |seed| ChaCha20Rng::from_seed([seed; 32]);
    let key = operator(2);
    let encrypted = |seed| key.public().encrypt_share(&share(0), &mut random(seed));
    assert!(encrypted(7) == encrypted(7) && encrypted(7) != encrypted(8));
    let signed = |seed| key.sign(b"root", &mut random(seed));
    assert!(signed(7) == signed(7) && signed(7) != signed(8));
    assert!(key.public().verify(b"root", &signed(7)));
}

/// SSV's worked example, put together by another program: judged, and every share of it decrypted.
#[test]
fn the_registration_of_the_example_is_accepted() {
    let file = |name: &str| std::fs::read(path(&format!("ssv/{name}"))).unwrap();
    let registrations = verify_keyshares(&file("keyshares.json"), Some(owner_nonce())).unwrap();
    verify_proofs(&registrations, &parse_proofs(&file("proofs.json")).unwrap()).unwrap();
    let [registration] = registrations.as_slice() else { panic!("one validator") };
    let mut random = ChaCha20Rng::from_seed([1; 32]);
    for (i, operator) in registration.operators.iter().enumerate() {
        assert_eq!(operator.id, IDS[i]);
        let share = self::operator(i).decrypt_share(
            &operator.encrypted_share,
            &operator.share_key,
            &mut random,
        );
        assert_eq!(hex::encode(*share.ok().unwrap().to_be_bytes()), SHARES[i]);
    }
}

#[test]
fn the_key_file_opens() {
    let secret = read_key_file(&key_file(), &password("ssv-test-password")).ok().unwrap();
    assert_eq!(secret.public(), operator(0).public());
    let written = write_key_file(
        &secret,
        &password("p"),
        Kdf::insecure_pbkdf2(),
        &mut ChaCha20Rng::from_seed([3; 32]),
    );
    assert_eq!(read_key_file(&written, &password("p")).ok().unwrap().public(), secret.public());
}

/// The SSV node's own writer spells `pubkey` what its older tools spell `pubKey`.
#[test]
fn the_key_file_of_a_present_node_opens() {
    let file = std::fs::read(path("ssv/node_key.json")).unwrap();
    let secret = read_key_file(&file, &password("12345678")).unwrap();
    let text = String::from_utf8(file).unwrap();
    let public = secret.public().to_text();
    assert!(text.contains(&format!("\"pubkey\":\"{public}\"")), "{public}");
    let opened = |text: &str| read_key_file(text.as_bytes(), &password("12345678"));
    assert_eq!(
        opened(&text.replace(&public, &operator(1).public().to_text())).err(),
        Some(KeyFileError::AnotherKey)
    );
    // Two fields for one thing, the same in both or not.
    for other in [&public, &operator(1).public().to_text()] {
        let both = text.replacen('{', &format!("{{\"pubKey\":\"{other}\","), 1);
        assert_eq!(
            opened(&both).err().unwrap().to_string(),
            "not a keystore: both pubKey and pubkey; a key file has one of them"
        );
    }
}

#[test]
fn altered_key_files_are_refused() {
    let text = String::from_utf8(key_file()).unwrap();
    let opened =
        |text: &str| read_key_file(text.as_bytes(), &password("ssv-test-password")).err().unwrap();
    let wrong = read_key_file(text.as_bytes(), &password("another")).err();
    assert_eq!(wrong, Some(KeyFileError::Keystore(KeystoreError::Checksum)));
    assert_eq!(
        opened(&text.replace("\"c\": 262144", "\"c\": 4294967295")),
        KeystoreError::Kdf(KdfError::TooCostly).into()
    );
    assert_eq!(
        opened(&text.replace("\"c\": 262144", "\"c\": 0")),
        KeystoreError::Kdf(KdfError::Invalid).into()
    );
    assert_eq!(opened(&text.replace("\"c\"", "\"n\": 2, \"c\"")), KeystoreError::KdfFields.into());
    // The checksum covers neither the IV nor the public key.
    let iv = "\"iv\": \"000102030405060708090a0b0c0d0e0f";
    assert_eq!(
        opened(&text.replace(iv, &iv.replace("0f", "10"))),
        KeyFileError::Key(RsaKeyError::Secret)
    );
    let another = operator(1).public().to_text();
    assert_eq!(
        opened(&text.replace(&operator(0).public().to_text(), &another)),
        KeyFileError::AnotherKey
    );
    for altered in [
        text.replace("\"pubKey\"", "\"public\""),
        text.replacen('{', "{\"more\": 1, ", 1),
        text.replace("\"kdf\"", "\"kdF\""),
    ] {
        assert!(
            matches!(opened(&altered), KeyFileError::Keystore(KeystoreError::Json(_))),
            "{altered}"
        );
    }
}

#[test]
fn only_keys_of_2048_bits_are_keys() {
    // DER of nothing.
    let short = "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n";
    assert_eq!(
        RsaSecret::from_pem(&SecretBytes::new(short.into())).err(),
        Some(RsaKeyError::Secret)
    );
    let public = operator(0).public().to_text();
    assert_eq!(
        RsaSecret::from_pem(&SecretBytes::new(public.into())).err(),
        Some(RsaKeyError::Secret)
    );
}
