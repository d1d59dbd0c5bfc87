//! The operator card: name and public keys in one line that survives mail and chat.
//!
//! `quorate1...` is bech32m (BIP-350) over `version(1) ‖ operator key(32) ‖ Noise static(32) ‖
//! install mark(32) ‖ card signature(64) ‖ name length(1) ‖ name`, 163 to 194 bytes. A card of
//! version 1 has no install mark.

use core::fmt;

use bech32::primitives::decode::{CheckedHrpstring, CheckedHrpstringError};
use bech32::{Bech32m, Hrp};

use super::key::{BadSignature, KeyError, OperatorKey, OperatorPublic};
use super::name::{PlainError, check_plain};
use super::short::ShortForm;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::{Tag, tagged};
use crate::primitives::x25519::{DhKeyError, DhPublic};

/// Longest name of an operator, in bytes.
pub const LONGEST_NAME: usize = 32;
/// Longest card, in characters: `quorate1`, 194 bytes in fives of bits, 6 characters of checksum.
/// Below the 1023 that bech32m is made for.
pub const LONGEST_CARD: usize = 8 + ((162 + LONGEST_NAME) * 8).div_ceil(5) + 6;

const PREFIX: Hrp = Hrp::parse_unchecked("quorate");
const WITHOUT_MARK: u8 = 1;
const WITH_MARK: u8 = 2;

/// 32 random bytes of one directory of an operator. They are in the card and not in the sealed
/// keys: so a directory to which only the keys were restored is told from the one in which they
/// were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallMark(pub [u8; 32]);

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No characters.
    #[error("the name is empty")]
    Empty,
    /// More bytes than allowed.
    #[error("the name is longer than {most} characters")]
    TooLong {
        /// How many are allowed.
        most: usize,
    },
    /// Anything but printable ASCII.
    #[error("the name contains the character U+{:04X}; only ASCII letters, digits, punctuation and \
             spaces are allowed", *found as u32)]
    Character {
        /// The first such character.
        found: char,
    },
    /// A new operator does not have it.
    #[error(transparent)]
    Plain(#[from] PlainError),
    /// A character that ends a quotation.
    #[error("the name contains {found:?}, which would end its quotation")]
    Quote {
        /// The first such character.
        found: char,
    },
    /// A space at an end, or two in a row.
    #[error("the name starts or ends with a space, or has two in a row")]
    Spaces,
}

/// Characters that end a quotation, or escape its end.
const QUOTES: [char; 4] = ['"', '\'', '`', '\\'];

/// Checks that a name cannot end its own quotation.
pub fn check_quotable(text: &str) -> Result<(), NameError> {
    match text.chars().find(|c| QUOTES.contains(c)) {
        Some(found) => Err(NameError::Quote { found }),
        None => Ok(()),
    }
}

/// Checks a name of at most `most` bytes.
///
/// A name is read by people who decide about money, in terminals and in browsers. Printable ASCII
/// cannot move a cursor, change the direction of writing, hide a character, or spell one name in
/// two ways; no larger alphabet can say that.
pub fn check_name(text: &str, most: usize) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > most {
        return Err(NameError::TooLong { most });
    }
    if let Some(found) = text.chars().find(|c| !matches!(c, ' '..='~')) {
        return Err(NameError::Character { found });
    }
    if text.starts_with(' ') || text.ends_with(' ') || text.contains("  ") {
        return Err(NameError::Spaces);
    }
    Ok(())
}

/// An operator's name: 1 to 32 printable ASCII characters, no space at an end, no two in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatorName(String);

impl OperatorName {
    /// Checks the text.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check_name(text, LONGEST_NAME).map(|()| Self(text.to_owned()))
    }

    /// Checks the text as the name of a new operator: of one whose card has an install mark.
    pub fn parse_new(text: &str) -> Result<Self, NameError> {
        let name = Self::parse(text)?;
        name.check_new().map(|()| name)
    }

    /// Whether it is a name of a new operator.
    pub fn check_new(&self) -> Result<(), NameError> {
        Ok(check_plain(&self.0)?)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text or bytes are not an operator card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// Longer than the longest card; not looked at.
    #[error("{found} characters; an operator card has at most {LONGEST_CARD}")]
    TooLong {
        /// How many bytes there are.
        found: usize,
    },
    /// Not bech32m: no separator, two cases, or letters outside its alphabet.
    #[error(
        "not an operator card: a card is one line of letters and digits that starts with quorate1"
    )]
    NotBech32m,
    /// Bech32m's checksum.
    #[error("the operator card is mistyped or incomplete: its checksum does not match")]
    Checksum,
    /// Another kind of bech32m text.
    #[error("not an operator card: it does not start with quorate1")]
    Prefix,
    /// Made by another version of this program.
    #[error(
        "operator card of version {0}; this program reads versions {WITHOUT_MARK} and {WITH_MARK}"
    )]
    Version(u8),
    /// Not the layout.
    #[error("operator card: {0}")]
    Layout(#[from] DecodeError),
    /// The name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The operator key.
    #[error("operator key: {0}")]
    Key(#[from] KeyError),
    /// The Noise static.
    #[error("Noise key: {0}")]
    Noise(#[from] DhKeyError),
    /// The operator key did not sign this name and Noise static.
    #[error(
        "the card signature does not verify: the holder of the operator key did not sign this \
         name and Noise key"
    )]
    Signature,
    /// Another spelling of a card: upper case, or stray bits.
    #[error("not the canonical spelling of the operator card (lower case, as it was printed)")]
    NotCanonical,
}

/// An operator's public side. The card signature is checked by the only constructors, so whoever
/// reads the name and the Noise static reads what the holder of the key chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorCard {
    /// Name.
    pub name: OperatorName,
    /// Key of every signature.
    pub key: OperatorPublic,
    /// Static key of the channels.
    pub noise: DhPublic,
    /// Mark of the directory that the card was made in; none in a card of version 1.
    pub mark: Option<InstallMark>,
    signature: [u8; 64],
}

impl OperatorCard {
    /// Signs a card.
    pub(super) fn issue(
        name: OperatorName,
        key: &OperatorKey,
        noise: DhPublic,
        mark: Option<InstallMark>,
    ) -> Self {
        let signature = key.sign(Tag::CardSignature, &signed(&name, &noise, mark));
        Self { name, key: key.public(), noise, mark, signature }
    }

    /// A card from its parts, if the card signature verifies and, with a mark, its name is one of a
    /// new operator.
    pub fn from_parts(
        name: OperatorName,
        key: OperatorPublic,
        noise: DhPublic,
        mark: Option<InstallMark>,
        signature: [u8; 64],
    ) -> Result<Self, CardError> {
        let card = Self::unverified(name, key, noise, mark, signature)?;
        card.verify()?;
        Ok(card)
    }

    /// A card whose fields obey every rule, and whose signature nobody has verified.
    fn unverified(
        name: OperatorName,
        key: OperatorPublic,
        noise: DhPublic,
        mark: Option<InstallMark>,
        signature: [u8; 64],
    ) -> Result<Self, CardError> {
        if mark.is_some() {
            name.check_new()?;
        }
        Ok(Self { name, key, noise, mark, signature })
    }

    /// Whether the card signature verifies: true of every card but one of
    /// [`RawCard::check_but_signature`].
    pub(crate) fn verify(&self) -> Result<(), CardError> {
        self.key
            .verify(
                Tag::CardSignature,
                &signed(&self.name, &self.noise, self.mark),
                &self.signature,
            )
            .map_err(|BadSignature| CardError::Signature)
    }

    /// The version of its format: 2 with an install mark, 1 without.
    pub fn version(&self) -> u8 {
        if self.mark.is_some() { WITH_MARK } else { WITHOUT_MARK }
    }

    /// The card signature: of the operator key over Noise static, install mark and name.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// One line, `quorate1...`.
    pub fn encode(&self) -> String {
        bech32::encode_lower::<Bech32m>(PREFIX, &self.to_bytes())
            .expect("far below bech32m's length")
    }

    /// What people compare of the whole card: the first 80 bits of the digest of its bytes. Another
    /// name, key, Noise static or install mark has another one.
    pub fn short(&self) -> ShortForm {
        ShortForm::of(tagged(Tag::Card, &[&self.to_bytes()]).as_bytes())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let version = Writer::with_capacity(162 + LONGEST_NAME).u8(self.version());
        self.write(version).finish()
    }

    /// Reads what [`OperatorCard::encode`] wrote; spaces around it are the caller's to trim.
    pub fn parse(text: &str) -> Result<Self, CardError> {
        if text.len() > LONGEST_CARD {
            return Err(CardError::TooLong { found: text.len() });
        }
        let line = CheckedHrpstring::new::<Bech32m>(text).map_err(|error| match error {
            CheckedHrpstringError::Checksum(_) => CardError::Checksum,
            _ => CardError::NotBech32m,
        })?;
        if line.hrp() != PREFIX {
            return Err(CardError::Prefix);
        }
        let bytes: Vec<u8> = line.byte_iter().collect();
        let with_mark = match bytes.first() {
            Some(&WITHOUT_MARK) | None => false,
            Some(&WITH_MARK) => true,
            Some(version) => return Err(CardError::Version(*version)),
        };
        let card = Reader::all(&bytes, |r| {
            r.u8("version")?;
            RawCard::read(r, with_mark)
        })?
        .check()?;
        // Bech32m has two cases and leaves up to four bits over.
        if card.encode() == text { Ok(card) } else { Err(CardError::NotCanonical) }
    }

    /// Appends `key(32) ‖ noise(32) ‖ install mark(32), if any ‖ card signature(64) ‖ name
    /// length(1) ‖ name`: the part that card and spec have in common.
    pub fn write(&self, w: Writer) -> Writer {
        let length = u8::try_from(self.name.0.len()).expect("a name has at most 32 bytes");
        w.bytes(self.key.as_bytes())
            .bytes(self.noise.as_bytes())
            .each(&self.mark, |w, mark| w.bytes(&mark.0))
            .bytes(&self.signature)
            .u8(length)
            .bytes(self.name.0.as_bytes())
    }
}

/// A card's fields as they stand in bytes, not yet believed.
pub struct RawCard {
    key: [u8; 32],
    noise: [u8; 32],
    mark: Option<InstallMark>,
    signature: [u8; 64],
    name: String,
}

impl RawCard {
    /// Reads what [`OperatorCard::write`] wrote, of a card with or without an install mark.
    pub fn read(r: &mut Reader<'_>, with_mark: bool) -> Result<Self, DecodeError> {
        let (key, noise) = (r.array("operator key")?, r.array("Noise key")?);
        let mark = if with_mark { Some(InstallMark(r.array("install mark")?)) } else { None };
        let signature = r.array("card signature")?;
        let length = usize::from(r.u8("name length")?);
        let name = r.bytes("name", length)?;
        let name = core::str::from_utf8(name)
            .map_err(|_| DecodeError::Invalid { what: "name", why: "not UTF-8" })?;
        Ok(Self { key, noise, mark, signature, name: name.to_owned() })
    }

    /// Checks every field.
    pub fn check(self) -> Result<OperatorCard, CardError> {
        let card = self.check_but_signature()?;
        card.verify()?;
        Ok(card)
    }

    /// Checks every field by itself. Whoever takes the card verifies its signature next
    /// ([`OperatorCard::verify`]), or says that nobody has.
    pub(crate) fn check_but_signature(self) -> Result<OperatorCard, CardError> {
        let name = OperatorName::parse(&self.name)?;
        let (key, noise) =
            (OperatorPublic::from_bytes(self.key)?, DhPublic::from_bytes(self.noise)?);
        OperatorCard::unverified(name, key, noise, self.mark, self.signature)
    }
}

/// What the card signature is over. The name is in it so that nobody can show an operator's key
/// under another name. With a mark it is longer than any without.
fn signed(name: &OperatorName, noise: &DhPublic, mark: Option<InstallMark>) -> Vec<u8> {
    let mark = mark.as_ref().map_or(&[][..], |mark| &mark.0);
    [noise.as_bytes(), mark, name.0.as_bytes()].concat()
}
