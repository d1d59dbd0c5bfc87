//! Files of a board that were read and are nothing: so that no visit reads them again, however many
//! there are.

use std::collections::BTreeSet;

use quorate::primitives::hash::sha256;

use super::{Entry, Place};
use crate::random;

const MAGIC: &[u8; 6] = b"QBRJ\0\x01";
const KEY: usize = 16;
const MARK: usize = 8;
/// Marks that are kept: a mebibyte of them.
const MOST: usize = 1 << 17;

/// What is kept of a file: enough to know it again.
pub(super) type Mark = [u8; MARK];

/// Marks of rejected files. They are made with a key that nobody else knows, so nobody can make a
/// file that is taken for one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    key: [u8; KEY],
    marks: BTreeSet<Mark>,
}

impl Rejected {
    /// None.
    pub fn none() -> Self {
        let mut key = [0; KEY];
        key.copy_from_slice(&random::public()[..KEY]);
        Self { key, marks: BTreeSet::new() }
    }

    /// Reads what [`Self::encode`] gave. Of anything else nothing is kept: then files are read
    /// again.
    pub fn decode(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_else(Self::none)
    }

    /// The longest file that [`Self::encode`] gives.
    pub const LONGEST: u64 = (MAGIC.len() + KEY + MARK * MOST + 32) as u64;

    fn read(bytes: &[u8]) -> Option<Self> {
        let (content, sum) = bytes.split_last_chunk::<32>()?;
        let rest = content.strip_prefix(MAGIC).filter(|_| sha256(&[content]) == *sum)?;
        let (key, marks) = rest.split_first_chunk::<KEY>()?;
        let (marks, []) = marks.as_chunks::<MARK>() else { return None };
        let marks: BTreeSet<Mark> = marks.iter().copied().collect();
        (marks.len() <= MOST).then_some(Self { key: *key, marks })
    }

    /// To be kept.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &self.key].concat();
        self.marks.iter().for_each(|mark| bytes.extend(mark));
        let sum = sha256(&[&bytes]);
        bytes.extend(sum);
        bytes
    }

    /// How a file is known again: by where it is, its name, its length and when it was changed.
    pub(super) fn mark(&self, place: &Place, entry: &Entry) -> Mark {
        let path = format!("{}/{}/{}", place.topic(), place.shelf(), entry.name);
        let told =
            [&self.key, path.as_bytes(), &entry.len.to_be_bytes(), &entry.changed.to_be_bytes()];
        let mut mark = [0; MARK];
        mark.copy_from_slice(&sha256(&told)[..MARK]);
        mark
    }

    pub(super) fn add(&mut self, mark: Mark) {
        if self.marks.len() == MOST {
            // Whoever makes so many can make more: from here on the oldest are worth no more than
            // the newest.
            self.marks.clear();
        }
        self.marks.insert(mark);
    }

    pub(super) fn contains(&self, mark: &Mark) -> bool {
        self.marks.contains(mark)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::carrier::board::Name;
    use quorate::message::envelope::Round;
    use quorate::primitives::hash::Digest;
    use quorate::spec::Index;

    fn place(seat: u16) -> Place {
        Place::of_slot(Digest([7; 32]), Round::Deal, Index::new(seat).unwrap())
    }

    #[test]
    fn a_file_is_known_again_until_anything_of_it_changes() {
        let mut rejected = Rejected::none();
        let entry = Entry { name: Name::of(b"junk"), len: 4, changed: 9 };
        let mark = rejected.mark(&place(1), &entry);
        rejected.add(mark);
        let again = Rejected::decode(&rejected.encode());
        assert_eq!(again, rejected);
        assert!(again.contains(&again.mark(&place(1), &entry)));
        let others = [
            (place(2), entry),
            (place(1), Entry { len: 5, ..entry }),
            (place(1), Entry { changed: 10, ..entry }),
            (place(1), Entry { name: entry.name.beside([0; 8]), ..entry }),
        ];
        for (place, entry) in others {
            assert!(!again.contains(&again.mark(&place, &entry)), "{entry:?}");
        }
        // The key is another one in each operator's directory.
        assert_ne!(Rejected::none().mark(&place(1), &entry), mark);
    }

    #[test]
    fn what_is_damaged_is_begun_anew() {
        let mut rejected = Rejected::none();
        rejected.add([1; MARK]);
        let bytes = rejected.encode();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(Rejected::decode(&damaged).is_empty(), "{at}");
            assert!(Rejected::decode(&bytes[..at]).is_empty(), "{at}");
        }
        assert_eq!(Rejected::decode(&bytes).len(), 1);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut rejected = Rejected::none();
        (0..=MOST).for_each(|i| rejected.add((i as u64).to_be_bytes()));
        assert_eq!(rejected.len(), 1);
        (0..MOST - 1).for_each(|i| rejected.add((i as u64).to_be_bytes()));
        assert_eq!(rejected.encode().len() as u64, Rejected::LONGEST);
        assert_eq!(Rejected::decode(&rejected.encode()).len(), MOST);
    }
}
