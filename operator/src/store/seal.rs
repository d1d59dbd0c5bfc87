//! Encryption of files under a passphrase, and the cipher that the log uses too.
//!
//! ```text
//! "QSEA" ‖ version(1) ‖ log_n(1) ‖ salt(32) ‖ nonce(24) ‖ ciphertext ‖ tag(16) ‖ checksum(8)
//! ```
//!
//! Key: scrypt (RFC 7914) of the passphrase, `N = 2^log_n`, `r = 8`, `p = 1`, 32 bytes. Cipher:
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03); associated data: everything before the nonce,
//! then the label with its two-byte length, so that a file renamed to another purpose does not
//! open. The checksum, eight bytes of SHA-256 over all before, needs no key: it tells a damaged
//! file from a wrong passphrase.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use quorate::primitives::codec::{Reader, Writer};
use quorate::primitives::hash::sha256;
use quorate::primitives::secret::{Secret32, SecretBytes, wiping};

const MAGIC: &[u8; 4] = b"QSEA";
const VERSION: u8 = 1;
const SALT: usize = 32;
const CHECKSUM: usize = 8;
const HEADER: usize = MAGIC.len() + 2 + SALT;

/// Length of a nonce of XChaCha20-Poly1305.
pub(super) const NONCE: usize = 24;
/// Length of its tag.
pub(super) const TAG: usize = 16;

/// What sealing adds to the length of a secret.
pub const SEAL_OVERHEAD: usize = HEADER + NONCE + TAG + CHECKSUM;

/// How much work a guess at the passphrase is: scrypt with `N = 2^log_n` takes `2^(log_n + 10)`
/// bytes of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealCost(u8);

impl SealCost {
    /// Below this a guess costs nothing.
    pub const LEAST: u8 = 10;
    /// Above this (1 GiB) opening fails on small machines, and a hostile file could exhaust large
    /// ones.
    pub const MOST: u8 = 20;

    /// `2^17`: 128 MiB, about half a second.
    pub const fn standard() -> Self {
        Self(17)
    }

    /// `2^log_n`; `None` outside of 10 to 20.
    pub fn new(log_n: u8) -> Option<Self> {
        (Self::LEAST..=Self::MOST).contains(&log_n).then_some(Self(log_n))
    }
}

/// Why sealed bytes do not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The passphrase would take more, or less, work than allowed.
    #[error(
        "the sealed file requires scrypt with N = 2^{0}; allowed is 2^10 to 2^20. It was not \
         written by this program"
    )]
    Cost(u8),
    /// Bytes are missing or were changed.
    #[error("the sealed file is damaged (its checksum does not match). Restore it from a backup")]
    Damaged,
    /// Something else.
    #[error("not a sealed file")]
    NotSealed,
    /// Of another version.
    #[error(
        "a sealed file of version {0}; this program reads version {VERSION}. Use the program \
         version that wrote it"
    )]
    Version(u8),
    /// The checksum holds, but the passphrase does not open it under this label.
    #[error("wrong passphrase (or the sealed file was changed or renamed on purpose)")]
    WrongPassphrase,
}

fn key(passphrase: &SecretBytes, salt: &[u8; SALT], cost: SealCost) -> Secret32 {
    let params = scrypt::Params::new(cost.0, 8, 1).expect("the cost is bounded");
    Secret32::filled(|key| {
        scrypt::scrypt(passphrase.expose(), salt, &params, key)
            .expect("32 bytes are a possible length")
    })
}

fn associated(header: &[u8], label: &str) -> Vec<u8> {
    Writer::with_capacity(header.len() + 2 + label.len()).bytes(header).text(label).finish()
}

/// Seals `plain` under a passphrase for the purpose that `label` names (a file name). Gives the
/// plain length and [`SEAL_OVERHEAD`].
///
/// # Security
/// The passphrase is taken as the bytes that it is; trimming and Unicode are the caller's matter.
pub fn seal_with_passphrase(
    plain: &SecretBytes,
    passphrase: &SecretBytes,
    label: &str,
    cost: SealCost,
    random: &mut impl CryptoRng,
) -> Vec<u8> {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    random.fill_bytes(&mut salt);
    random.fill_bytes(&mut nonce);
    let header =
        Writer::with_capacity(HEADER).bytes(MAGIC).u8(VERSION).u8(cost.0).bytes(&salt).finish();
    let mut body = plain.expose().to_vec();
    let tag = wiping(|| {
        let key = key(passphrase, &salt, cost);
        encrypt(key.expose(), &nonce, &associated(&header, label), &mut body)
    });
    let sealed = Writer::with_capacity(plain.expose().len() + SEAL_OVERHEAD)
        .bytes(&header)
        .bytes(&nonce)
        .bytes(&body)
        .bytes(&tag);
    let sealed = sealed.finish();
    let checksum = sha256(&[&sealed]);
    [sealed.as_slice(), &checksum[..CHECKSUM]].concat()
}

/// Opens what [`seal_with_passphrase`] sealed under the same label. Damage and bounds are checked
/// before the passphrase costs any work.
pub fn open_with_passphrase(
    sealed: &[u8],
    passphrase: &SecretBytes,
    label: &str,
) -> Result<SecretBytes, SealError> {
    if !sealed.starts_with(MAGIC) {
        return Err(SealError::NotSealed);
    }
    let (content, checksum) = sealed.split_last_chunk::<CHECKSUM>().ok_or(SealError::Damaged)?;
    if sealed.len() < SEAL_OVERHEAD || sha256(&[content])[..CHECKSUM] != checksum[..] {
        return Err(SealError::Damaged);
    }
    let (header, rest) = content.split_at(HEADER);
    let (version, log_n, salt) = Reader::all(&header[MAGIC.len()..], |r| {
        Ok((r.u8("version")?, r.u8("cost")?, r.array("salt")?))
    })
    .expect("HEADER bytes");
    if version != VERSION {
        return Err(SealError::Version(version));
    }
    let cost = SealCost::new(log_n).ok_or(SealError::Cost(log_n))?;
    let (nonce, rest) = rest.split_first_chunk().expect("the length was compared");
    let (body, tag) = rest.split_last_chunk().expect("the length was compared");
    let mut body = Zeroizing::new(body.to_vec());
    wiping(|| {
        let key = key(passphrase, &salt, cost);
        decrypt(key.expose(), nonce, &associated(header, label), &mut body, tag)
    })
    .ok_or(SealError::WrongPassphrase)?;
    Ok(SecretBytes::new(core::mem::take(&mut *body)))
}

/// XChaCha20-Poly1305 in place; gives the tag.
pub(super) fn encrypt(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    associated: &[u8],
    body: &mut [u8],
) -> [u8; TAG] {
    wiping(|| {
        let cipher = XChaCha20Poly1305::new(key.into());
        let tag = cipher.encrypt_inout_detached(&XNonce::from(*nonce), associated, body.into());
        tag.expect("far below 256 GiB").into()
    })
}

/// The inverse of [`encrypt`]; `None`, and a body that must not be used, if the tag does not fit.
pub(super) fn decrypt(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    associated: &[u8],
    body: &mut [u8],
    tag: &[u8; TAG],
) -> Option<()> {
    wiping(|| {
        let cipher = XChaCha20Poly1305::new(key.into());
        let nonce = XNonce::from(*nonce);
        cipher.decrypt_inout_detached(&nonce, associated, body.into(), tag.into()).ok()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chacha20::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    fn secret(bytes: &[u8]) -> SecretBytes {
        SecretBytes::new(bytes.to_vec())
    }

    fn cheap() -> SealCost {
        SealCost::new(SealCost::LEAST).unwrap()
    }

    fn sealed() -> Vec<u8> {
        seal_with_passphrase(
            &secret(b"plain"),
            &secret(b"pass"),
            "a.sealed",
            cheap(),
            &mut ChaCha20Rng::from_seed([1; 32]),
        )
    }

    fn open(sealed: &[u8], passphrase: &[u8], label: &str) -> Result<Vec<u8>, SealError> {
        open_with_passphrase(sealed, &secret(passphrase), label)
            .map(|plain| plain.expose().to_vec())
    }

    /// Makes the checksum hold again.
    fn mended(mut sealed: Vec<u8>) -> Vec<u8> {
        sealed.truncate(sealed.len() - CHECKSUM);
        let checksum = sha256(&[&sealed]);
        sealed.extend_from_slice(&checksum[..CHECKSUM]);
        sealed
    }

    #[test]
    fn opens_with_its_passphrase_and_label_only() {
        assert_eq!(sealed().len(), 5 + SEAL_OVERHEAD);
        assert_eq!(open(&sealed(), b"pass", "a.sealed").unwrap(), b"plain");
        assert_eq!(open(&sealed(), b"Pass", "a.sealed"), Err(SealError::WrongPassphrase));
        assert_eq!(open(&sealed(), b"", "a.sealed"), Err(SealError::WrongPassphrase));
        assert_eq!(open(&sealed(), b"pass", "b.sealed"), Err(SealError::WrongPassphrase));
    }

    /// Read by hand, from the specification (chapter 09).
    #[test]
    fn the_bytes_are_as_specified() {
        let sealed = sealed();
        assert_eq!(sealed[..6], *b"QSEA\x01\x0a");
        let mut key = [0; 32];
        scrypt::scrypt(b"pass", &sealed[6..38], &scrypt::Params::new(10, 8, 1).unwrap(), &mut key)
            .unwrap();
        let associated = [&sealed[..38], b"\x00\x08a.sealed"].concat();
        let mut plain = sealed[62..67].to_vec();
        decrypt(
            &key,
            sealed[38..62].try_into().unwrap(),
            &associated,
            &mut plain,
            sealed[67..83].try_into().unwrap(),
        )
        .unwrap();
        assert_eq!(plain, b"plain");
        assert_eq!(sealed[83..], sha256(&[&sealed[..83]])[..8]);
    }

    #[test]
    fn nothing_repeats() {
        let mut random = ChaCha20Rng::from_seed([2; 32]);
        let mut seal =
            || seal_with_passphrase(&secret(b"plain"), &secret(b"pass"), "a", cheap(), &mut random);
        let (one, two) = (seal(), seal());
        assert_ne!(one[6..6 + SALT], two[6..6 + SALT]);
        assert_ne!(one[HEADER..HEADER + NONCE], two[HEADER..HEADER + NONCE]);
    }

    #[test]
    fn every_changed_byte_is_damage() {
        for at in 4..sealed().len() {
            let mut bytes = sealed();
            bytes[at] ^= 1;
            assert_eq!(open(&bytes, b"pass", "a.sealed"), Err(SealError::Damaged), "byte {at}");
        }
        for len in 4..sealed().len() {
            assert_eq!(
                open(&sealed()[..len], b"pass", "a.sealed"),
                Err(SealError::Damaged),
                "{len} bytes"
            );
        }
        assert_eq!(
            open(&[sealed(), vec![0]].concat(), b"pass", "a.sealed"),
            Err(SealError::Damaged)
        );
        assert_eq!(open(b"QSEB", b"pass", "a.sealed"), Err(SealError::NotSealed));
        assert_eq!(open(b"", b"pass", "a.sealed"), Err(SealError::NotSealed));
    }

    #[test]
    fn a_changed_file_with_a_mended_checksum_does_not_open() {
        for at in 6..sealed().len() - CHECKSUM {
            let mut bytes = sealed();
            bytes[at] ^= 1;
            assert_eq!(
                open(&mended(bytes), b"pass", "a.sealed"),
                Err(SealError::WrongPassphrase),
                "byte {at}"
            );
        }
    }

    #[test]
    fn the_header_is_bounded_before_any_work() {
        for (at, value, error) in [
            (4, 2, SealError::Version(2)),
            (5, 9, SealError::Cost(9)),
            (5, 21, SealError::Cost(21)),
            (5, 63, SealError::Cost(63)),
            (5, 255, SealError::Cost(255)),
            (5, 11, SealError::WrongPassphrase),
        ] {
            let mut bytes = sealed();
            bytes[at] = value;
            assert_eq!(open(&mended(bytes), b"pass", "a.sealed"), Err(error));
        }
        assert_eq!(SealCost::new(9), None);
        assert_eq!(SealCost::new(21), None);
        assert_eq!(SealCost::standard(), SealCost::new(17).unwrap());
    }

    /// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn xchacha20_poly1305_as_published() {
        let mut key = [0; 32];
        (0x80..0xa0).zip(&mut key).for_each(|(byte, place)| *place = byte);
        let mut nonce = [0; NONCE];
        (0x40..0x58).zip(&mut nonce).for_each(|(byte, place)| *place = byte);
        let associated = hex::decode("50515253c0c1c2c3c4c5c6c7").unwrap();
        let mut body = *b"Ladies and Gentlemen of the class of '99: If I could offer you only one \
                          tip for the future, sunscreen would be it.";
        let tag = encrypt(&key, &nonce, &associated, &mut body);
        assert_eq!(hex::encode(&body[..16]), "bd6d179d3e83d43b9576579493c0e939");
        assert_eq!(hex::encode(tag), "c0875924c1c7987947deafd8780acf49");
        assert_eq!(decrypt(&key, &nonce, &associated, &mut body, &[0; TAG]), None);
        assert_eq!(decrypt(&key, &nonce, &associated, &mut body, &tag), Some(()));
        assert!(body.starts_with(b"Ladies"));
    }
}
