//! Boards: places that operators visit one after the other. There are no peers and no channels:
//! one puts files there, and looks at what is there.
//!
//! A board is not trusted with anything. It may lose, delay, repeat, exchange and make up files,
//! and show each visitor others. What a reader does about that is specified in
//! `ceremony-specs/16-boards.md`; [`Reading`] bounds what it costs.

mod error;
mod folder;
#[doc(hidden)]
pub mod nats;
mod reading;
mod rejected;

pub use error::BoardError;
pub use folder::Folder;
pub use nats::{AddressError, Credentials, CredentialsError, Nats, ServerFault};
pub use reading::{Budget, Reading, Verdict};
pub use rejected::Rejected;

use core::fmt;

use quorate::message::envelope::Round;
use quorate::primitives::hash::{Digest, sha256};
use quorate::spec::Index;

/// A board, whatever keeps it.
pub trait Board {
    /// What there is in a place, in random order. A place that nobody has made is empty.
    fn list(&self, place: &Place) -> Result<Listing, BoardError>;

    /// The bytes of an entry; `None` if it is gone, no longer what it was when it was listed, or
    /// cannot be read.
    fn read(&self, place: &Place, entry: &Entry) -> Result<Option<Vec<u8>>, BoardError>;

    /// Puts bytes there, durably, under a name of theirs. Nothing is overwritten.
    fn publish(&self, place: &Place, bytes: &[u8]) -> Result<(), BoardError>;
}

/// A folder of a board: what it is about, and which of its shelves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    topic: Digest,
    shelf: String,
}

impl Place {
    /// Where the statements of a round and seat of a ceremony are.
    pub fn of_slot(ceremony: Digest, round: Round, seat: Index) -> Self {
        Self { topic: ceremony, shelf: format!("{}-{}", round.number(), seat.get()) }
    }

    /// Where a request is whose id this is.
    pub fn of_request(id: Digest) -> Self {
        Self { topic: id, shelf: "request".to_owned() }
    }

    /// Where the answer of an operator to the request with this id is.
    pub fn of_answer(id: Digest, operator: Index) -> Self {
        Self { topic: id, shelf: format!("answer-{}", operator.get()) }
    }

    /// What it is about, as 64 hexadecimal digits.
    fn topic(&self) -> String {
        hex::encode(self.topic.as_bytes())
    }

    fn shelf(&self) -> &str {
        &self.shelf
    }
}

/// The name of a file: the SHA-256 of its bytes, as 64 lower-case hexadecimal digits; and where
/// something else has that name, `-` and 16 more, which mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    hash: [u8; 32],
    more: Option<[u8; 8]>,
}

impl Name {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { hash: sha256(&[bytes]), more: None }
    }

    /// Reads a name; `None` if it is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (hash, more) = text.split_at_checked(64)?;
        let more = match more.split_first() {
            None => None,
            Some((b'-', more)) => Some(digits(more)?),
            Some(_) => return None,
        };
        Some(Self { hash: digits(hash)?, more })
    }

    fn beside(self, more: [u8; 8]) -> Self {
        Self { more: Some(more), ..self }
    }

    /// Whether it is a name of these bytes.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        sha256(&[bytes]) == self.hash
    }
}

/// Lower-case hexadecimal digits: one spelling for each name.
fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let lower = !text.iter().any(u8::is_ascii_uppercase);
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.hash))?;
        match self.more {
            Some(more) => write!(f, "-{}", hex::encode(more)),
            None => Ok(()),
        }
    }
}

/// Something in a place that may be a file of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Name,
    /// How many bytes it has.
    pub len: u64,
    /// Another number for each time at which it was changed, in the board's own measure: a file
    /// that is there in parts becomes another one when the rest comes.
    pub changed: u64,
}

/// What there is in a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Plain files with names as they should be, in random order.
    pub entries: Vec<Entry>,
    /// There is more than was looked at.
    pub cut: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        let name = Name::of(b"abc");
        // FIPS 180-2, appendix B.1.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(name.to_string(), text);
        assert_eq!(Name::parse(text.as_bytes()), Some(name));
        let beside = name.beside([1, 2, 3, 4, 5, 6, 7, 0xab]);
        assert_eq!(beside.to_string(), format!("{text}-01020304050607ab"));
        assert_eq!(Name::parse(beside.to_string().as_bytes()), Some(beside));
        assert!(name.is_of(b"abc") && beside.is_of(b"abc") && !name.is_of(b"abd"));
        for wrong in [
            "",
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}-"),
            &format!("{text}-01020304050607AB"),
            &format!("{text}-01020304050607"),
            &format!("{text}_01020304050607ab"),
            &format!("{text}-01020304050607ab0"),
            &format!("{text}.part"),
            &format!("g{}", &text[1..]),
        ] {
            assert_eq!(Name::parse(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(Name::parse(b"\xff\xfe"), None);
    }
}
