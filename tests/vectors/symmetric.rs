//! X25519 (RFC 7748), ChaCha20-Poly1305 (RFC 8439) and HKDF-SHA-256 (RFC 5869): our types and the
//! crates behind them.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hkdf::Hkdf;
use quorate::primitives::secret::Secret32;
use quorate::primitives::x25519::{DhKeyError, DhPublic, DhSecret};
use serde::Deserialize;
use sha2::Sha256;

use crate::support::{array, bytes, names, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct X25519 {
    origin: String,
    multiplications: Vec<Multiplication>,
    keys: Vec<KeyPair>,
    low_order: Vec<String>,
    not_canonical: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Multiplication {
    scalar: String,
    u: String,
    out: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyPair {
    secret: String,
    public: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Aead {
    origin: String,
    key: String,
    nonce: String,
    aad: String,
    plaintext: String,
    ciphertext: String,
    tag: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expand {
    origin: String,
    ikm: String,
    salt: String,
    info: String,
    prk: String,
    okm: String,
}

#[test]
fn no_file_is_left_out() {
    assert_eq!(names("symmetric"), ["chacha20poly1305", "hkdf_sha256", "x25519"]);
}

#[test]
fn x25519() {
    let file: X25519 = read("symmetric/x25519.json");
    assert!(file.origin.starts_with("independent"));
    for case in &file.multiplications {
        let out = x25519_dalek::x25519(array(&case.scalar), array(&case.u));
        assert_eq!(hex::encode(out), case.out);
    }
    for pair in &file.keys {
        let public = DhSecret::new(Secret32::new(&mut array(&pair.secret))).public();
        assert_eq!(hex::encode(public.as_bytes()), pair.public);
        assert_eq!(DhPublic::from_bytes(array(&pair.public)), Ok(public));
    }
    for text in &file.low_order {
        assert_eq!(DhPublic::from_bytes(array(text)), Err(DhKeyError::LowOrder), "{text}");
    }
    for text in &file.not_canonical {
        assert_eq!(DhPublic::from_bytes(array(text)), Err(DhKeyError::NotCanonical), "{text}");
    }
    let ran = [
        file.multiplications.len(),
        file.keys.len(),
        file.low_order.len(),
        file.not_canonical.len(),
    ];
    assert_eq!(ran, [4, 2, 5, 12], "vectors run");
}

#[test]
fn chacha20_poly1305() {
    let file: Aead = read("symmetric/chacha20poly1305.json");
    assert!(file.origin.starts_with("independent"));
    let cipher = ChaCha20Poly1305::new(&array(&file.key).into());
    let nonce = array(&file.nonce).into();
    let mut buffer = bytes(&file.plaintext);
    let mut tag = cipher
        .encrypt_inout_detached(&nonce, &bytes(&file.aad), buffer.as_mut_slice().into())
        .unwrap();
    assert_eq!(hex::encode(&buffer), file.ciphertext);
    assert_eq!(hex::encode(tag), file.tag);
    tag[15] ^= 1;
    cipher
        .decrypt_inout_detached(&nonce, &bytes(&file.aad), buffer.as_mut_slice().into(), &tag)
        .unwrap_err();
    tag[15] ^= 1;
    let mut buffer = bytes(&file.ciphertext);
    cipher
        .decrypt_inout_detached(&nonce, &bytes(&file.aad), buffer.as_mut_slice().into(), &tag)
        .unwrap();
    assert_eq!(hex::encode(&buffer), file.plaintext);
}

#[test]
fn hkdf() {
    let file: Expand = read("symmetric/hkdf_sha256.json");
    assert!(file.origin.starts_with("independent"));
    let (prk, hkdf) = Hkdf::<Sha256>::extract(Some(&bytes(&file.salt)), &bytes(&file.ikm));
    assert_eq!(hex::encode(prk), file.prk);
    let mut okm = [0; 42];
    hkdf.expand(&bytes(&file.info), &mut okm).unwrap();
    assert_eq!(hex::encode(okm), file.okm);
}
