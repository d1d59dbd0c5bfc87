//! RSA keys of SSV operators: 2048 bits, exponent 65537. Shares are encrypted by RSAES-PKCS1-v1_5
//! and proofs signed by RSASSA-PSS with SHA-256 (RFC 8017). No other file uses the RSA library.
//!
//! Padding of this kind is dangerous where somebody can have chosen ciphertexts decrypted and
//! watch. Here an operator decrypts, on its own machine and once, what it has encrypted itself.

use core::fmt;

use base64ct::{Base64, Encoding};
use rand_core::CryptoRng;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, LineEnding};
use rsa::pss::{Signature, SigningKey, VerifyingKey};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Verifier};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Encrypt, RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::primitives::curve::{G1, SecretScalar};
use crate::primitives::hash::sha256;
use crate::primitives::secret::SecretBytes;

/// Bytes of a modulus, a ciphertext and a signature.
pub const RSA_BYTES: usize = 256;
/// Bits of a modulus. Contracts and files have fields of this size only.
const BITS: u32 = 2048;
/// The exponent that all keys have.
const EXPONENT: u64 = 65537;
/// Bytes of salt in our signatures; others write 222, the most that fits.
const SALT_BYTES: usize = 32;

/// DER before the modulus: `SubjectPublicKeyInfo` with `rsaEncryption`, and the beginning of
/// `RSAPublicKey` (RFC 5280, RFC 8017 A.1.1).
const DER_BEFORE: [u8; 33] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01,
    0x00,
];
/// DER after the modulus: the exponent 65537.
const DER_AFTER: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];
/// First line of the armour; it names another structure than the one inside.
const PEM_BEGIN: &str = "-----BEGIN RSA PUBLIC KEY-----\n";
/// Last line.
const PEM_END: &str = "-----END RSA PUBLIC KEY-----\n";
/// Characters of a key's text.
const TEXT_CHARS: usize = 612;
/// Bytes of the armoured key.
const PEM_BYTES: usize = TEXT_CHARS / 4 * 3;

/// Why something is not an operator's RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RsaKeyError {
    /// Not base64 of a text.
    #[error("not base64")]
    Base64,
    /// Another structure in the armour, or another exponent.
    #[error("not the key information (PKIX) of an RSA key of 2048 bits with exponent 65537")]
    Der,
    /// Another number of characters than a key of 2048 bits has.
    #[error("{0} characters instead of the 612 of an RSA key of 2048 bits")]
    Length(usize),
    /// Even, or of fewer than 2048 bits.
    #[error("not an RSA modulus of 2048 bits")]
    Modulus,
    /// Not armoured as SSV does it.
    #[error("not a PEM block RSA PUBLIC KEY in lines of 64 characters")]
    Pem,
    /// Not an armoured private key.
    #[error("not a PEM block RSA PRIVATE KEY (PKCS#1) of 2048 bits with exponent 65537")]
    Secret,
}

/// An operator's RSA public key: 2048 bits, exponent 65537.
#[derive(Clone)]
pub struct RsaPublic {
    modulus: [u8; RSA_BYTES],
    key: RsaPublicKey,
}

impl RsaPublic {
    /// From a modulus, big-endian.
    pub fn from_modulus(modulus: [u8; RSA_BYTES]) -> Result<Self, RsaKeyError> {
        if modulus[0] & 0x80 == 0 || modulus[RSA_BYTES - 1] & 1 == 0 {
            return Err(RsaKeyError::Modulus);
        }
        let n = BoxedUint::from_be_slice(&modulus, BITS).map_err(|_| RsaKeyError::Modulus)?;
        let key =
            RsaPublicKey::new(n, BoxedUint::from(EXPONENT)).map_err(|_| RsaKeyError::Modulus)?;
        Ok(Self { modulus, key })
    }

    /// From its text in SSV's files and on chain: base64 of an armoured `SubjectPublicKeyInfo`. One
    /// spelling only.
    pub fn parse(text: &str) -> Result<Self, RsaKeyError> {
        if text.len() != TEXT_CHARS {
            return Err(RsaKeyError::Length(text.len()));
        }
        let mut pem = [0; PEM_BYTES];
        let pem = Base64::decode(text, &mut pem).map_err(|_| RsaKeyError::Base64)?;
        let pem = core::str::from_utf8(pem).map_err(|_| RsaKeyError::Pem)?;
        let body = pem
            .strip_prefix(PEM_BEGIN)
            .and_then(|rest| rest.strip_suffix(PEM_END))
            .ok_or(RsaKeyError::Pem)?;
        let body: String = body.split('\n').collect();
        let mut der = [0; DER_BEFORE.len() + RSA_BYTES + DER_AFTER.len()];
        let der = Base64::decode(&body, &mut der).map_err(|_| RsaKeyError::Pem)?;
        let modulus = der
            .strip_prefix(&DER_BEFORE)
            .and_then(|rest| rest.strip_suffix(&DER_AFTER))
            .ok_or(RsaKeyError::Der)?;
        let key = Self::from_modulus(modulus.try_into().map_err(|_| RsaKeyError::Der)?)?;
        // Lines of another length.
        if key.to_text() == text { Ok(key) } else { Err(RsaKeyError::Pem) }
    }

    /// The text that [`RsaPublic::parse`] reads: 612 characters.
    pub fn to_text(&self) -> String {
        let body = Base64::encode_string(&[&DER_BEFORE[..], &self.modulus, &DER_AFTER].concat());
        let mut pem = PEM_BEGIN.to_owned();
        for line in body.as_bytes().chunks(64) {
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem.push_str(PEM_END);
        Base64::encode_string(pem.as_bytes())
    }

    /// The modulus, big-endian.
    pub fn modulus(&self) -> &[u8; RSA_BYTES] {
        &self.modulus
    }

    /// Encrypts a share: 64 lower-case hexadecimal digits, padded with bytes from `random`.
    pub fn encrypt_share(
        &self,
        share: &SecretScalar,
        random: &mut impl CryptoRng,
    ) -> [u8; RSA_BYTES] {
        let mut text = Zeroizing::new([0; 64]);
        hex::encode_to_slice(*share.to_be_bytes(), &mut *text).expect("64 digits for 32 bytes");
        let ciphertext =
            self.key.encrypt(random, Pkcs1v15Encrypt, &*text).expect("64 bytes fit into 245");
        ciphertext.try_into().expect("a ciphertext is as long as the modulus")
    }

    /// Whether `signature` is this key's RSASSA-PSS signature on `message`, with SHA-256 and a salt
    /// of any length.
    pub fn verify(&self, message: &[u8], signature: &[u8; RSA_BYTES]) -> bool {
        let Ok(signature) = Signature::try_from(&signature[..]) else { return false };
        VerifyingKey::<Sha256>::new_with_auto_salt_len(self.key.clone())
            .verify(message, &signature)
            .is_ok()
    }
}

impl PartialEq for RsaPublic {
    fn eq(&self, other: &Self) -> bool {
        self.modulus == other.modulus
    }
}

impl Eq for RsaPublic {}

impl fmt::Debug for RsaPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPublic({})", hex::encode(&sha256(&[&self.modulus])[..4]))
    }
}

/// Why a ciphertext is not an encrypted share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareTextError {
    /// Decrypts to a share with another public key.
    #[error("does not decrypt to the share of the published share key")]
    AnotherShare,
    /// Not a ciphertext for this key, or not of a share's text.
    #[error("does not decrypt to 64 hexadecimal digits with this RSA key")]
    Text,
}

/// An operator's RSA private key.
///
/// # Security
/// The library wipes the key on drop, but not all intermediate values of its arithmetic.
pub struct RsaSecret {
    key: RsaPrivateKey,
    public: RsaPublic,
}

impl RsaSecret {
    /// A new key. Takes seconds.
    pub fn generate(random: &mut impl CryptoRng) -> Result<Self, RsaKeyError> {
        Self::checked(RsaPrivateKey::new(random, BITS as usize).map_err(|_| RsaKeyError::Secret)?)
    }

    /// From an armoured `RSA PRIVATE KEY` (PKCS#1).
    pub fn from_pem(pem: &SecretBytes) -> Result<Self, RsaKeyError> {
        let text = core::str::from_utf8(pem.expose()).map_err(|_| RsaKeyError::Secret)?;
        Self::checked(RsaPrivateKey::from_pkcs1_pem(text).map_err(|_| RsaKeyError::Secret)?)
    }

    fn checked(key: RsaPrivateKey) -> Result<Self, RsaKeyError> {
        if key.n().bits() != BITS || *key.e() != BoxedUint::from(EXPONENT) {
            return Err(RsaKeyError::Secret);
        }
        let modulus = key.n().to_be_bytes();
        let public =
            RsaPublic::from_modulus((&*modulus).try_into().map_err(|_| RsaKeyError::Secret)?)?;
        Ok(Self { key, public })
    }

    /// The armoured key (PKCS#1).
    pub fn to_pem(&self) -> SecretBytes {
        let pem = self.key.to_pkcs1_pem(LineEnding::LF).expect("a checked key has two primes");
        SecretBytes::new(pem.as_bytes().to_vec())
    }

    /// Its public key.
    pub fn public(&self) -> &RsaPublic {
        &self.public
    }

    /// The share in `ciphertext`, whose public key must be `share_key`. `random` blinds the
    /// arithmetic. An optional `0x` and upper case are read too: other tools write them.
    pub fn decrypt_share(
        &self,
        ciphertext: &[u8; RSA_BYTES],
        share_key: &G1,
        random: &mut impl CryptoRng,
    ) -> Result<SecretScalar, ShareTextError> {
        let text = self
            .key
            .decrypt_blinded(random, Pkcs1v15Encrypt, ciphertext)
            .map_err(|_| ShareTextError::Text)?;
        let text = Zeroizing::new(text);
        let digits = text.strip_prefix(b"0x").unwrap_or(&text);
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(digits, &mut *bytes).map_err(|_| ShareTextError::Text)?;
        let share = SecretScalar::from_be_bytes(&bytes).map_err(|_| ShareTextError::Text)?;
        if share.base_mult().as_ref() == Some(share_key) {
            Ok(share)
        } else {
            Err(ShareTextError::AnotherShare)
        }
    }

    /// Signs `message` by RSASSA-PSS, with a salt of 32 bytes from `random`: the first that are
    /// drawn.
    pub fn sign(&self, message: &[u8], random: &mut impl CryptoRng) -> [u8; RSA_BYTES] {
        let signer = SigningKey::<Sha256>::new_with_salt_len(self.key.clone(), SALT_BYTES);
        let signature = signer.sign_with_rng(random, message).to_bytes();
        (&*signature).try_into().expect("a signature is as long as the modulus")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_have_one_spelling() {
        let mut modulus = [0x5a; RSA_BYTES];
        (modulus[0], modulus[255]) = (0xc0, 0x01);
        let key = RsaPublic::from_modulus(modulus).unwrap();
        let text = key.to_text();
        assert!(
            text.starts_with("LS0tLS1CRUdJTiBSU0EgUFVCTElDIEtFWS0tLS0tCk1JSUJJ")
                && text.len() == 612
        );
        assert_eq!(RsaPublic::parse(&text).unwrap(), key);

        let pem = String::from_utf8(Base64::decode_vec(&text).unwrap()).unwrap();
        let spelt =
            |pem: &str| RsaPublic::parse(&Base64::encode_string(pem.as_bytes())).map(|_| ());
        assert_eq!(spelt(&pem.replace("RSA PUBLIC", "RSA SECRET")), Err(RsaKeyError::Pem));
        // One line of 63 characters, one of 65.
        let mut moved = pem.clone().into_bytes();
        moved.swap(31 + 63, 31 + 64);
        assert_eq!(spelt(core::str::from_utf8(&moved).unwrap()), Err(RsaKeyError::Pem));
        assert_eq!(spelt(&pem.replace("MIIB", "MIIC")), Err(RsaKeyError::Der));
        assert_eq!(RsaPublic::parse(&text[4..]).err(), Some(RsaKeyError::Length(608)));
        assert_eq!(RsaPublic::parse(&text.replacen('L', "*", 1)).err(), Some(RsaKeyError::Base64));
        modulus[255] = 0x02;
        assert_eq!(RsaPublic::from_modulus(modulus).err(), Some(RsaKeyError::Modulus));
        modulus[0] = 0x40;
        assert_eq!(RsaPublic::from_modulus(modulus).err(), Some(RsaKeyError::Modulus));
    }
}
