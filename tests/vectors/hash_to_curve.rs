//! RFC 9380: `expand_message_xmd` with SHA-256 and the suite BLS12381G2_XMD:SHA-256_SSWU_RO_.

use quorate::primitives::curve::{G2, expand_message_xmd};
use serde::Deserialize;

use crate::support::{array, bytes, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<V> {
    origin: String,
    dst: String,
    vectors: Vec<V>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expanded {
    msg: String,
    len_in_bytes: usize,
    uniform_bytes: String,
}

/// Coordinates in Fp2 as (c0, c1).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hashed {
    msg: String,
    x: [String; 2],
    y: [String; 2],
}

/// (p - 1) / 2, for the sign of y.
const HALF: &str = "0d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555";

/// The compressed encoding of an affine point, from its coordinates alone: c1 before c0; the sign
/// bit says that y is the larger of y and -y, compared by c1 first
/// (draft-irtf-cfrg-pairing-friendly-curves, appendix C.2).
fn compressed(x: &[String; 2], y: &[String; 2]) -> [u8; 96] {
    let mut out = [bytes(&x[1]), bytes(&x[0])].concat();
    let deciding = if bytes(&y[1]).iter().all(|byte| *byte == 0) { &y[0] } else { &y[1] };
    out[0] |= 0x80;
    if array::<48>(deciding) > array::<48>(HALF) {
        out[0] |= 0x20;
    }
    out.try_into().unwrap()
}

#[test]
fn expand_message() {
    let file: File<Expanded> = read("rfc9380/expand_message_xmd_sha256.json");
    assert!(file.origin.starts_with("independent"));
    assert_eq!(file.dst.len(), 38);
    for vector in &file.vectors {
        let mut out = vec![0; vector.len_in_bytes];
        expand_message_xmd(vector.msg.as_bytes(), file.dst.as_bytes(), &mut out);
        assert_eq!(
            hex::encode(out),
            vector.uniform_bytes,
            "{}, {} bytes",
            vector.msg,
            vector.len_in_bytes
        );
    }
    assert_eq!(file.vectors.len(), 10, "vectors run");
}

#[test]
fn hash_to_g2() {
    let file: File<Hashed> = read("rfc9380/bls12381g2_xmd_sha256_sswu_ro.json");
    assert!(file.origin.starts_with("independent"));
    for vector in &file.vectors {
        let point = G2::hash(vector.msg.as_bytes(), file.dst.as_bytes());
        assert_eq!(point.to_compressed(), compressed(&vector.x, &vector.y), "{}", vector.msg);
    }
    assert_eq!(file.vectors.len(), 5, "vectors run");
}

#[test]
fn another_tag_is_another_point() {
    let file: File<Hashed> = read("rfc9380/bls12381g2_xmd_sha256_sswu_ro.json");
    let abc = &file.vectors[1];
    assert_ne!(
        G2::hash(abc.msg.as_bytes(), b"another").to_compressed(),
        compressed(&abc.x, &abc.y)
    );
}
