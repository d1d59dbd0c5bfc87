//! Node records (EIP-778) with the `v4` identity scheme, by which an Obol cluster identifies its
//! operators' nodes.

use std::collections::BTreeSet;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha3::{Digest, Keccak256};

use super::rlp::{self, RlpError};
use crate::ethereum::secp256k1::{NodePublic, NodeSecret, Secp256k1Error};

/// Longest record, in bytes (EIP-778).
const LONGEST: usize = 300;
const PREFIX: &str = "enr:";

/// Why a text is not a node record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrError {
    /// Not base64 of the URL alphabet.
    #[error("not base64url without padding")]
    Base64,
    /// Not RLP.
    #[error("not RLP of a node record: {0}")]
    Rlp(#[from] RlpError),
    /// Pairs that do not pair up, or too few of them.
    #[error("not a signature, a sequence number and pairs of key and value")]
    Pairs,
    /// A key twice, or not in order.
    #[error("the keys of its pairs are not in ascending order")]
    Order,
    /// Does not start as it must.
    #[error("does not start with enr:")]
    Prefix,
    /// Another identity scheme, or none.
    #[error("its identity scheme is not v4")]
    Scheme,
    /// The public key.
    #[error("its secp256k1 key: {0}")]
    Key(Secp256k1Error),
    /// No public key.
    #[error("it has no secp256k1 key of 33 bytes")]
    KeyMissing,
    /// A sequence number that is not one.
    #[error("its sequence number is not one of at most 8 bytes without leading zeros")]
    Sequence,
    /// Signed by another key, or not signed.
    #[error("its signature is not its key's")]
    Signature,
    /// Too long.
    #[error("longer than the {LONGEST} bytes of a node record")]
    TooLong,
}

/// The public key of a record whose signature verifies. What else is in it is signed and of no use
/// here.
///
/// What EIP-778 leaves open is as Charon has it: padding is ignored, a signature may have a high
/// `s`, and a list as a value is refused. (Charon hashes such a list as a string, so that no record
/// signed by EIP-778 verifies with one.)
pub fn parse(text: &str) -> Result<NodePublic, EnrError> {
    let body = text.strip_prefix(PREFIX).ok_or(EnrError::Prefix)?;
    if body.len() > LONGEST.div_ceil(3) * 4 {
        return Err(EnrError::TooLong);
    }
    // Charon takes padding too.
    let bytes =
        Base64UrlUnpadded::decode_vec(body.trim_end_matches('=')).map_err(|_| EnrError::Base64)?;
    if bytes.len() > LONGEST {
        return Err(EnrError::TooLong);
    }
    let elements = rlp::decode_list(&bytes)?;
    let [signature, content @ ..] = elements.as_slice() else { return Err(EnrError::Pairs) };
    let [sequence, pairs @ ..] = content else { return Err(EnrError::Pairs) };
    let (pairs, []) = pairs.as_chunks::<2>() else { return Err(EnrError::Pairs) };
    if sequence.len() > 8 || sequence.first() == Some(&0) {
        return Err(EnrError::Sequence);
    }
    let keys: BTreeSet<&[u8]> = pairs.iter().map(|[key, _]| *key).collect();
    if !pairs.iter().map(|[key, _]| *key).eq(keys) {
        return Err(EnrError::Order);
    }
    let value = |name: &[u8]| pairs.iter().find(|[key, _]| *key == name).map(|[_, value]| *value);
    if value(b"id") != Some(b"v4") {
        return Err(EnrError::Scheme);
    }
    let key =
        value(b"secp256k1").and_then(|key| key.try_into().ok()).ok_or(EnrError::KeyMissing)?;
    let key = NodePublic::from_compressed(key).map_err(EnrError::Key)?;
    let signed: &[u8; 64] = (*signature).try_into().map_err(|_| EnrError::Signature)?;
    if key.verify(&signed_hash(content), signed) { Ok(key) } else { Err(EnrError::Signature) }
}

/// The record of a key as Charon writes it: sequence number 0, no address.
pub fn write(secret: &NodeSecret) -> String {
    let key = secret.public();
    let content: [&[u8]; 5] = [b"", b"id", b"v4", b"secp256k1", key.as_bytes()];
    let signature = secret.sign(&signed_hash(&content));
    let [sequence, id, scheme, name, value] = content;
    let record = rlp::encode_list(&[&signature[..64], sequence, id, scheme, name, value]);
    format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&record))
}

/// What the signature is over: the record without it.
fn signed_hash(content: &[&[u8]]) -> [u8; 32] {
    Keccak256::digest(rlp::encode_list(content)).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The example of EIP-778.
    const EXAMPLE: &str = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8";
    const KEY: &str = "03ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138";

    /// What is asked of the library: one spelling of any bytes, and no other.
    #[test]
    fn base64_has_one_spelling() {
        // RFC 4648 section 10, without its padding; and the two letters in which the URL alphabet
        // differs.
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(Base64UrlUnpadded::encode_string(text.as_bytes()), encoded);
            assert_eq!(Base64UrlUnpadded::decode_vec(encoded).unwrap(), text.as_bytes());
        }
        assert_eq!(Base64UrlUnpadded::encode_string(&[0xfb, 0xff]), "-_8");
        for bad in ["Z", "Zh", "Zm9", "Zm9v=", "+/8A", "Zm9vY", "Zm9v\n", " Zg", "Zm 9v"] {
            assert!(Base64UrlUnpadded::decode_vec(bad).is_err(), "{bad}");
            assert_eq!(parse(&format!("enr:.{bad}")), Err(EnrError::Base64), "{bad}");
        }
    }

    #[test]
    fn the_example_of_the_standard() {
        assert_eq!(hex::encode(parse(EXAMPLE).unwrap().as_bytes()), KEY);
        assert_eq!(parse(&format!("{EXAMPLE}==")), parse(EXAMPLE));
    }

    #[test]
    fn written_and_read() {
        let secret = NodeSecret::from_bytes(&[9; 32]).unwrap();
        let text = write(&secret);
        assert_eq!(text.len(), 163, "as long as Charon's");
        assert_eq!(parse(&text), Ok(secret.public()));
    }

    /// A record of `content`, signed by a key of ours whatever it says.
    fn signed(content: &[&[u8]]) -> String {
        let secret = NodeSecret::from_bytes(&[9; 32]).unwrap();
        let signature = secret.sign(&signed_hash(content));
        let all: Vec<&[u8]> =
            core::iter::once(&signature[..64]).chain(content.iter().copied()).collect();
        format!("enr:{}", Base64UrlUnpadded::encode_string(&rlp::encode_list(&all)))
    }

    /// As Charon has it, where EIP-778 is silent or leaves a choice.
    #[test]
    fn padding_high_s_and_lists() {
        let secret = NodeSecret::from_bytes(&[9; 32]).unwrap();
        let key = secret.public();
        let text = write(&secret);
        for padded in [format!("{text}="), format!("{text}====="), format!("{text}==")] {
            assert_eq!(parse(&padded), Ok(key), "{padded}");
        }
        assert_eq!(parse(&text.replacen("enr:", "enr:=", 1)), Err(EnrError::Base64));

        let content: [&[u8]; 5] = [b"", b"id", b"v4", b"secp256k1", key.as_bytes()];
        let mut high = secret.sign(&signed_hash(&content));
        let order = hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
            .unwrap();
        let mut borrow = 0_i16;
        for i in (0..32).rev() {
            let difference = i16::from(order[i]) - i16::from(high[32 + i]) - borrow;
            borrow = i16::from(difference < 0);
            high[32 + i] = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        let record = |signature: &[u8]| {
            let all: Vec<&[u8]> = core::iter::once(signature).chain(content).collect();
            format!("enr:{}", Base64UrlUnpadded::encode_string(&rlp::encode_list(&all)))
        };
        assert_eq!(parse(&record(&high[..64])), Ok(key), "a high s");
        high[63] ^= 1;
        assert_eq!(parse(&record(&high[..64])), Err(EnrError::Signature));

        // The entry `eth` with a list as its value, signed as EIP-778 has it.
        let mut body = vec![0x80, 0x83];
        body.extend(b"eth");
        body.extend([0xc7, 0xc6, 0x84, 1, 2, 3, 4, 0x80]);
        body.extend([0x82]);
        body.extend(b"id");
        body.extend([0x82]);
        body.extend(b"v4");
        body.push(0x89);
        body.extend(b"secp256k1");
        body.push(0xa1);
        body.extend(key.as_bytes());
        let list = |body: &[u8]| {
            let length = u8::try_from(body.len()).unwrap();
            let prefix = if length < 56 { vec![0xc0 + length] } else { vec![0xf8, length] };
            [prefix.as_slice(), body].concat()
        };
        let hash: [u8; 32] = Keccak256::digest(list(&body)).into();
        let signature = secret.sign(&hash);
        let all = [&[0xb8, 64], &signature[..64], &body].concat();
        let text = format!("enr:{}", Base64UrlUnpadded::encode_string(&list(&all)));
        assert_eq!(parse(&text), Err(EnrError::Rlp(RlpError::Nested)));
    }

    #[test]
    fn refusals() {
        let key = *NodeSecret::from_bytes(&[9; 32]).unwrap().public().as_bytes();
        let off = { [2; 1].iter().chain(&[0; 31]).chain(&[5]).copied().collect::<Vec<u8>>() };
        let long = [1; 200];
        let cases = [
            (EXAMPLE[4..].to_owned(), EnrError::Prefix),
            (EXAMPLE.replace("-IS4", "-I?4"), EnrError::Base64),
            (EXAMPLE.replacen("QHCY", "QHCZ", 1), EnrError::Signature),
            (EXAMPLE.replacen("PKY0", "PKY1", 1), EnrError::Signature),
            (format!("{EXAMPLE}{}", "A".repeat(400)), EnrError::TooLong),
            ("enr:".to_owned(), EnrError::Rlp(RlpError::NotAList)),
            (signed(&[b"", b"id"]), EnrError::Pairs),
            (signed(&[]), EnrError::Pairs),
            (signed(&[b"", b"secp256k1", &key, b"id", b"v4"]), EnrError::Order),
            (signed(&[b"", b"id", b"v4", b"id", b"v4"]), EnrError::Order),
            (signed(&[b"", b"id", b"v5", b"secp256k1", &key]), EnrError::Scheme),
            (signed(&[b"", b"id", b"v4"]), EnrError::KeyMissing),
            (signed(&[b"", b"id", b"v4", b"secp256k1", &key[1..]]), EnrError::KeyMissing),
            (
                signed(&[b"", b"id", b"v4", b"secp256k1", &off]),
                EnrError::Key(Secp256k1Error::Point),
            ),
            (signed(&[b"\x00\x01", b"id", b"v4", b"secp256k1", &key]), EnrError::Sequence),
            (signed(&[b"", b"id", b"v4", b"secp256k1", &key, b"z", &long]), EnrError::TooLong),
        ];
        for (text, why) in cases {
            assert_eq!(parse(&text), Err(why), "{text}");
        }
    }
}
