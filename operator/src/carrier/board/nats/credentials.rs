//! What a NATS server wants of its users: a password, a token, or a signature by a key (NKEY), with
//! a JWT of its account where servers have those (`.creds` files). Formats: docs.nats.io, nkeys.

use base32ct::{Base32UpperUnpadded as Base32, Encoding as _};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use quorate::identity::ForeignKey;
use quorate::primitives::secret::{Secret32, SecretBytes};
use zeroize::Zeroizing;

/// The longest file of credentials.
pub const LONGEST: usize = 64 << 10;
/// The longest nonce that is signed for a server.
const LONGEST_NONCE: usize = 256;
/// The first bytes of what is behind base 32: those of a seed with those of a user, and of a
/// user's public key.
const SEED: u8 = 18 << 3;
const USER: u8 = 20 << 3;
/// Of a seed: two bytes of kinds, the seed, and a checksum.
const SEED_BYTES: usize = 2 + 32 + 2;

/// Why a file holds no credentials. None of them repeats what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Nothing is in it.
    #[error("there is nothing in this file")]
    Empty,
    /// It is longer than any.
    #[error("this file is longer than {LONGEST} bytes")]
    Long,
    /// It is no text.
    #[error("this file is no text")]
    NotText,
    /// It is text, in another form than every server's tools write and read.
    #[error("this file is text in UTF-16, and credentials are in UTF-8")]
    Utf16,
    /// It has several lines, and none of the marks of a file of credentials.
    #[error("this file has several lines, and is no .creds file")]
    Lines,
    /// A block has no end, no content, or stands there twice.
    #[error("this .creds file is damaged: its block {0:?} is not there once and whole")]
    Block(&'static str),
    /// The seed is none, or was typed wrongly.
    #[error("the key in this file is damaged: its checksum does not match")]
    Seed,
    /// The seed is of an account, an operator or a server.
    #[error("the key in this file is not a user's")]
    NotAUser,
}

/// Credentials.
///
/// # Security
/// Neither cloned nor printed; wiped when dropped.
pub struct Credentials(Kind);

enum Kind {
    /// `USER:PASSWORD`, and where the colon is.
    Password(SecretBytes, usize),
    Token(SecretBytes),
    Key {
        key: ForeignKey,
        jwt: Option<SecretBytes>,
    },
}

impl Credentials {
    /// Reads a file: `USER:PASSWORD`, a token or the seed of a user's key, on a line; or a `.creds`
    /// file, with a JWT and such a seed.
    pub fn parse(file: &SecretBytes) -> Result<Self, CredentialsError> {
        let bytes = file.expose();
        if bytes.len() > LONGEST {
            return Err(CredentialsError::Long);
        }
        if is_utf16(bytes) {
            return Err(CredentialsError::Utf16);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| CredentialsError::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end();
        if text.contains("-----BEGIN ") {
            let jwt = block(text, "NATS USER JWT")?;
            let seed = block(text, "USER NKEY SEED")?;
            let seed = seed.ok_or(CredentialsError::Block("USER NKEY SEED"))?;
            let jwt = jwt.map(secret);
            return Ok(Self(Kind::Key { key: key(seed)?, jwt }));
        }
        if text.contains(['\n', '\r']) {
            return Err(CredentialsError::Lines);
        }
        Ok(Self(match text.find(':') {
            _ if text.is_empty() => return Err(CredentialsError::Empty),
            Some(at) => Kind::Password(secret(text), at),
            None if looks_like_a_seed(text) => Kind::Key { key: key(text)?, jwt: None },
            None => Kind::Token(secret(text)),
        }))
    }

    /// What is said of them in a greeting, where the server has sent `nonce` to be signed; `None`
    /// if they are a key, and it has sent none that can be.
    pub(super) fn greeting(&self, nonce: Option<&str>) -> Option<Greeted<'_>> {
        let none = Greeted::default();
        Some(match &self.0 {
            Kind::Password(text, at) => {
                let text = utf8(text);
                Greeted { user: text.get(..*at), pass: text.get(*at + 1..), ..none }
            }
            Kind::Token(text) => Greeted { auth_token: Some(utf8(text)), ..none },
            Kind::Key { key, jwt } => {
                let nonce = nonce.filter(|nonce| (1..=LONGEST_NONCE).contains(&nonce.len()))?;
                let signature = key.sign(nonce.as_bytes());
                let sig = Some(Base64UrlUnpadded::encode_string(&signature));
                match jwt {
                    Some(jwt) => Greeted { jwt: Some(utf8(jwt)), sig, ..none },
                    None => Greeted { nkey: Some(public(key)), sig, ..none },
                }
            }
        })
    }

    /// How many bytes they are in a greeting at most, as JSON.
    pub(super) fn room(&self) -> usize {
        let secret = match &self.0 {
            Kind::Password(text, _) | Kind::Token(text) => text.expose().len(),
            Kind::Key { jwt, .. } => jwt.as_ref().map_or(0, |jwt| jwt.expose().len()),
        };
        256 + 6 * secret
    }
}

/// Whether these bytes are UTF-16, as some editors and shells write: by its mark, or by a zero in
/// each pair of bytes, which no text in UTF-8 has.
fn is_utf16(bytes: &[u8]) -> bool {
    let zeros = |at: usize| bytes.chunks(2).all(|pair| pair.get(at) == Some(&0));
    let marked = [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| bytes.starts_with(mark));
    marked || !bytes.is_empty() && (zeros(0) || zeros(1))
}

/// What a greeting says of credentials.
#[derive(Default)]
pub(super) struct Greeted<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) pass: Option<&'a str>,
    pub(super) auth_token: Option<&'a str>,
    pub(super) nkey: Option<String>,
    pub(super) jwt: Option<&'a str>,
    pub(super) sig: Option<String>,
}

fn secret(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

fn utf8(text: &SecretBytes) -> &str {
    core::str::from_utf8(text.expose()).expect("it was made of text")
}

/// What stands between the lines that begin and end a block, if it is there: one word.
fn block<'a>(text: &'a str, name: &'static str) -> Result<Option<&'a str>, CredentialsError> {
    let damaged = CredentialsError::Block(name);
    let begin = format!("-----BEGIN {name}-----");
    let mut parts = text.split(&begin);
    let (Some(_), rest, None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(damaged);
    };
    let Some(rest) = rest else { return Ok(None) };
    // Files of the server's own tools have one dash more at the end.
    let (content, _) = rest.split_once(&format!("-END {name}-----")).ok_or(damaged)?;
    let content = content.trim_end_matches('-').trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let sound = !content.is_empty() && content.bytes().all(plain);
    if sound { Ok(Some(content)) } else { Err(damaged) }
}

/// Whether a line has the form of a seed, of whatever kind.
fn looks_like_a_seed(text: &str) -> bool {
    let base32 = |b: u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b);
    text.len() == Base32::encoded_len(&[0; SEED_BYTES])
        && text.starts_with('S')
        && text.bytes().all(base32)
}

/// The key of a seed in its text form.
fn key(text: &str) -> Result<ForeignKey, CredentialsError> {
    let mut bytes = Zeroizing::new([0; SEED_BYTES]);
    let read = Base32::decode(text, &mut bytes[..]).map_err(|_| CredentialsError::Seed)?;
    if read.len() != SEED_BYTES || bytes[0] & 0b1111_1000 != SEED {
        return Err(CredentialsError::Seed);
    }
    let (content, sum) = bytes.split_at(SEED_BYTES - 2);
    if crc16(content).to_le_bytes() != *sum {
        return Err(CredentialsError::Seed);
    }
    if (bytes[0] & 0b111) << 5 | bytes[1] >> 3 != USER {
        return Err(CredentialsError::NotAUser);
    }
    Ok(ForeignKey::from_seed(Secret32::filled(|seed| seed.copy_from_slice(&content[2..]))))
}

/// A user's public key in its text form.
fn public(key: &ForeignKey) -> String {
    let mut bytes = vec![USER];
    bytes.extend(key.public());
    bytes.extend(crc16(&bytes).to_le_bytes());
    Base32::encode_string(&bytes)
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    let bit = |crc: u16| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
    let byte = |crc: u16, byte: &u8| (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| bit(crc));
    bytes.iter().fold(0, byte)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use quorate::identity::OperatorPublic;

    use super::*;

    /// The example of the server's documentation (docs.nats.io, NKey authentication).
    const TOLD: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    const TOLD_PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

    fn parse(text: &str) -> Result<Credentials, CredentialsError> {
        Credentials::parse(&secret(text))
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // Catalogue of parametrised CRC algorithms, CRC-16/XMODEM.
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn passwords_and_tokens() {
        let password = parse("me:fox:lamp\r\n").unwrap();
        let greeted = password.greeting(None).unwrap();
        assert_eq!((greeted.user, greeted.pass), (Some("me"), Some("fox:lamp")));
        assert!(greeted.auth_token.is_none() && greeted.sig.is_none());
        let token = parse("\u{feff}s3cret\n").unwrap();
        assert_eq!(token.greeting(Some("nonce")).unwrap().auth_token, Some("s3cret"));
        // What only looks like a seed at its beginning is a token.
        assert!(parse("SUACSSL3").unwrap().greeting(None).unwrap().auth_token.is_some());
    }

    #[test]
    fn keys_sign_what_the_server_sends() {
        let creds = format!(
            "-----BEGIN NATS USER JWT-----\neyJ0.eyJq.c2ln\n------END NATS USER JWT------\n\n\
             ************************* IMPORTANT *************************\n\
             -----BEGIN USER NKEY SEED-----\n{TOLD}\n------END USER NKEY SEED------\n"
        );
        for (file, jwt) in [(TOLD, None), (creds.as_str(), Some("eyJ0.eyJq.c2ln"))] {
            let credentials = parse(file).unwrap();
            // A key that is asked for no signature, or for one of a book, gives none.
            for nonce in [None, Some(""), Some(&*"x".repeat(257))] {
                assert!(credentials.greeting(nonce).is_none());
            }
            let greeted = credentials.greeting(Some("u9ZEbnLZ1wcrMA")).unwrap();
            assert_eq!((greeted.jwt, greeted.user, greeted.pass), (jwt, None, None));
            assert_eq!(greeted.nkey.as_deref(), jwt.is_none().then_some(TOLD_PUBLIC));
            let sig = Base64UrlUnpadded::decode_vec(&greeted.sig.unwrap()).unwrap();
            let Kind::Key { key, .. } = &credentials.0 else { panic!() };
            let public = OperatorPublic::from_bytes(key.public()).unwrap();
            public.verify_bytes(b"u9ZEbnLZ1wcrMA", &sig.try_into().unwrap()).unwrap();
        }
    }

    #[test]
    fn files_that_hold_none() {
        let of = |text: &str| parse(text).err();
        let (begin, end) =
            ("-----BEGIN USER NKEY SEED-----\n", "\n------END USER NKEY SEED------\n");
        let twice = format!("{begin}{TOLD}{end}").repeat(2);
        // The seed of an account, with a checksum that matches.
        let mut account = [&[SEED, 0][..], &[7; 32]].concat();
        account.extend(crc16(&account).to_le_bytes());
        let account = Base32::encode_string(&account);
        for (text, why) in [
            ("", CredentialsError::Empty),
            ("\n", CredentialsError::Empty),
            ("one\ntwo", CredentialsError::Lines),
            (&TOLD.replace("CSSL", "CSSM"), CredentialsError::Seed),
            (&account, CredentialsError::NotAUser),
            (&format!("{begin}{}", &TOLD), CredentialsError::Block("USER NKEY SEED")),
            (&format!("{begin}{end}"), CredentialsError::Block("USER NKEY SEED")),
            (&format!("{begin}two words{end}"), CredentialsError::Block("USER NKEY SEED")),
            (&twice, CredentialsError::Block("USER NKEY SEED")),
            (&format!("{begin}{}{end}", &TOLD[1..]), CredentialsError::Seed),
            (
                "-----BEGIN NATS USER JWT-----\na\n------END NATS USER JWT------",
                CredentialsError::Block("USER NKEY SEED"),
            ),
            (&"x".repeat(LONGEST + 1), CredentialsError::Long),
        ] {
            assert_eq!(of(text), Some(why), "{text}");
        }
        let bytes = |bytes: Vec<u8>| Credentials::parse(&SecretBytes::new(bytes)).err();
        assert_eq!(bytes(vec![0xff]), Some(CredentialsError::NotText));
        // As an editor saves it, in either order of bytes, with its mark and without.
        let wide = |text: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        for text in ["\u{feff}user:pass", "user:pass", "\u{feff}us\u{e9}r:pass"] {
            for order in [u16::to_le_bytes, u16::to_be_bytes] {
                assert_eq!(bytes(wide(text, order)), Some(CredentialsError::Utf16), "{text:?}");
            }
        }
    }
}
