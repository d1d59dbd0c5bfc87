//! ECDSA over secp256k1, as used by wallets and node records (SEC 1, SEC 2; RFC 6979). No other
//! file uses the library.
//!
//! Signatures are over 32 bytes that are a hash already, and only with a low `s` (EIP-2): otherwise
//! there are two for each. Node records are the exception ([`NodePublic::verify`]).

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use sha3::{Digest, Keccak256};
use zeroize::Zeroizing;

use crate::primitives::secret::{SecretBytes, wiping};

/// Bytes of a recoverable signature: `r`, `s`, recovery id.
pub const SIGNATURE_BYTES: usize = 65;

/// Why bytes are not a key or a signature of secp256k1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Secp256k1Error {
    /// `s` in the upper half: the other spelling of a signature.
    #[error("s is in the upper half of its range (EIP-2)")]
    HighS,
    /// Not the digits of a key file.
    #[error("not 64 hexadecimal digits (without 0x)")]
    KeyFile,
    /// Not a compressed point of the curve.
    #[error("not a compressed point of secp256k1")]
    Point,
    /// Neither 0, 1, 27 nor 28.
    #[error("the last byte is {0}, neither 0, 1, 27 nor 28")]
    RecoveryId(u8),
    /// Zero, or at or above the group order.
    #[error("zero, or not below the group order of secp256k1")]
    Scalar,
    /// `r` and `s` that no key has signed with.
    #[error("r and s are not a signature of any key")]
    Unrecoverable,
}

/// A secret key.
///
/// # Security
/// Neither copied nor printed; the library wipes it on drop. Signing is deterministic (RFC 6979)
/// and constant time.
pub struct NodeSecret(Box<SigningKey>);

impl NodeSecret {
    /// From 32 bytes, big-endian: not zero and below the group order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Secp256k1Error> {
        // The library gives the key by value.
        let key = wiping(|| SigningKey::from_slice(bytes).map(Box::new).map(Self));
        key.map_err(|_| Secp256k1Error::Scalar)
    }

    /// From a `charon-enr-private-key` file: 64 hexadecimal digits, blanks around them allowed.
    pub fn from_key_file(text: &SecretBytes) -> Result<Self, Secp256k1Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.expose().trim_ascii(), &mut *bytes)
            .map_err(|_| Secp256k1Error::KeyFile)?;
        Self::from_bytes(&bytes)
    }

    /// The text of a `charon-enr-private-key` file: 64 lower-case digits and nothing else.
    pub fn to_key_file(&self) -> SecretBytes {
        let bytes = Zeroizing::new(<[u8; 32]>::from(self.0.to_bytes()));
        let mut text = vec![0; 64];
        hex::encode_to_slice(*bytes, &mut text).expect("64 digits for 32 bytes");
        SecretBytes::new(text)
    }

    /// The public key.
    pub fn public(&self) -> NodePublic {
        NodePublic::new(self.0.verifying_key())
    }

    /// `r ‖ s ‖ v` over `hash`, `v` being 0 or 1. Always the same for the same hash.
    pub fn sign(&self, hash: &[u8; 32]) -> [u8; SIGNATURE_BYTES] {
        let (signature, id) = self.0.sign_prehash_recoverable(hash);
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = id.to_byte();
        bytes
    }
}

/// A public key: 33 bytes, compressed, on the curve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodePublic([u8; 33]);

impl NodePublic {
    fn new(key: &VerifyingKey) -> Self {
        Self(key.to_sec1_point(true).as_bytes().try_into().expect("33 bytes, compressed"))
    }

    /// From 33 bytes.
    pub fn from_compressed(bytes: &[u8; 33]) -> Result<Self, Secp256k1Error> {
        VerifyingKey::from_sec1_bytes(bytes)
            .map(|_| Self(*bytes))
            .map_err(|_| Secp256k1Error::Point)
    }

    /// The 33 bytes.
    pub fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    fn key(&self) -> VerifyingKey {
        VerifyingKey::from_sec1_bytes(&self.0).expect("checked by every constructor")
    }

    /// The address of the account with this key: the last 20 bytes of the Keccak-256 of the point.
    pub fn address(&self) -> [u8; 20] {
        let point = self.key().to_sec1_point(false);
        let hash: [u8; 32] = Keccak256::digest(&point.as_bytes()[1..]).into();
        *hash.last_chunk().expect("20 of 32 bytes")
    }

    /// Whether `r ‖ s` is this key's on `hash`, with a low `s` or a high one: of a node record
    /// Charon accepts both.
    pub fn verify(&self, hash: &[u8; 32], signature: &[u8; 64]) -> bool {
        // The library verifies low ones alone.
        Signature::from_slice(signature)
            .is_ok_and(|read| self.key().verify_prehash(hash, &read.normalize_s()).is_ok())
    }
}

impl core::fmt::Debug for NodePublic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "NodePublic({})", hex::encode(self.0))
    }
}

/// The key that has signed `hash`: `r ‖ s ‖ v`, `v` being 0, 1, 27 or 28.
pub fn recover(
    hash: &[u8; 32],
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<NodePublic, Secp256k1Error> {
    let id = match signature[64] {
        0 | 27 => RecoveryId::new(false, false),
        1 | 28 => RecoveryId::new(true, false),
        other => return Err(Secp256k1Error::RecoveryId(other)),
    };
    let read =
        Signature::from_slice(&signature[..64]).map_err(|_| Secp256k1Error::Unrecoverable)?;
    if read.normalize_s() != read {
        return Err(Secp256k1Error::HighS);
    }
    let key = VerifyingKey::recover_from_prehash(hash, &read, id)
        .map_err(|_| Secp256k1Error::Unrecoverable)?;
    Ok(NodePublic::new(&key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one() -> NodeSecret {
        let mut bytes = [0; 32];
        bytes[31] = 1;
        NodeSecret::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn known_answers() {
        // The account of the key 1, and the generator of SEC 2 section 2.4.1.
        assert_eq!(
            hex::encode(one().public().address()),
            "7e5f4552091a69125d5dfcb7b8c2659029395bdf"
        );
        let generator = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        assert_eq!(hex::encode(one().public().as_bytes()), generator);
        // RFC 6979 with SHA-256 for secp256k1: key 1, the hash of "Satoshi Nakamoto".
        let hash = crate::primitives::hash::sha256(&[b"Satoshi Nakamoto"]);
        let signature = one().sign(&hash);
        assert_eq!(
            hex::encode(&signature[..64]),
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8\
             2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
        );
        assert_eq!(recover(&hash, &signature), Ok(one().public()));
        assert!(one().public().verify(&hash, signature.first_chunk().unwrap()));
    }

    #[test]
    fn both_ways_to_write_the_recovery_id_and_no_other() {
        let hash = [7; 32];
        let mut signature = one().sign(&hash);
        signature[64] += 27;
        assert_eq!(recover(&hash, &signature), Ok(one().public()));
        signature[64] = 2;
        assert_eq!(recover(&hash, &signature), Err(Secp256k1Error::RecoveryId(2)));
        signature[64] = 0;
        signature[..32].fill(0xff);
        assert_eq!(recover(&hash, &signature), Err(Secp256k1Error::Unrecoverable));
    }

    #[test]
    fn the_other_spelling_of_a_signature_is_refused_of_wallets_and_locks() {
        let hash = [7; 32];
        let signature = one().sign(&hash);
        let order: [u8; 32] =
            hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
                .unwrap()
                .try_into()
                .unwrap();
        let mut high = signature;
        let mut borrow = 0_i16;
        for i in (0..32).rev() {
            let difference = i16::from(order[i]) - i16::from(signature[32 + i]) - borrow;
            borrow = i16::from(difference < 0);
            high[32 + i] = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        high[64] ^= 1;
        assert_eq!(recover(&hash, &high), Err(Secp256k1Error::HighS));
        assert!(one().public().verify(&hash, high.first_chunk().unwrap()), "of a node record");
        high[63] ^= 1;
        assert!(!one().public().verify(&hash, high.first_chunk().unwrap()));
    }

    #[test]
    fn key_files() {
        let read = |text: &str| {
            NodeSecret::from_key_file(&SecretBytes::new(text.as_bytes().to_vec()))
                .map(|key| key.public())
        };
        let digits = format!("{:064x}", 1);
        assert_eq!(read(&digits), Ok(one().public()));
        assert_eq!(read(&format!("{digits}\n")), Ok(one().public()));
        assert_eq!(one().to_key_file().expose(), digits.as_bytes());
        for (text, why) in [
            (format!("0x{digits}"), Secp256k1Error::KeyFile),
            (digits[1..].to_owned(), Secp256k1Error::KeyFile),
            ("0".repeat(64), Secp256k1Error::Scalar),
            ("f".repeat(64), Secp256k1Error::Scalar),
        ] {
            assert_eq!(read(&text), Err(why), "{text}");
        }
    }

    #[test]
    fn points_off_the_curve_are_no_keys() {
        let mut bytes = *one().public().as_bytes();
        for (position, value) in [(0, 4), (0, 0), (32, bytes[32] ^ 1)] {
            let kept = core::mem::replace(&mut bytes[position], value);
            let read = NodePublic::from_compressed(&bytes);
            assert!(
                read == Err(Secp256k1Error::Point) || position == 32 && read.is_ok(),
                "{position}"
            );
            bytes[position] = kept;
        }
        // x = 5 has no point: 5^3 + 7 is no square.
        let mut five = [0; 33];
        (five[0], five[32]) = (2, 5);
        assert_eq!(NodePublic::from_compressed(&five), Err(Secp256k1Error::Point));
    }
}
