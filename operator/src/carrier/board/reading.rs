//! Reading a board at bounded cost, whoever fills it.

use std::collections::{BTreeMap, BTreeSet};

use super::rejected::Mark;
use super::{Board, BoardError, Name, Place, Rejected};

/// What one visit may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Files.
    pub files: usize,
    /// Bytes of files.
    pub bytes: u64,
}

impl Budget {
    /// Of a visit whose honest files have so many bytes in all: four times as many, and room for
    /// much that is not honest.
    pub fn visit(honest: u64) -> Self {
        Self { files: 1 << 17, bytes: honest.saturating_mul(4).max(256 << 20) }
    }

    fn is_spent(&self) -> bool {
        self.files == 0 || self.bytes == 0
    }

    /// What one of `places` may take that are still to be looked at, so that none of them takes
    /// what the others need.
    fn share(&self, places: usize) -> Self {
        let places = places.max(1);
        let bytes = self.bytes / u64::try_from(places).unwrap_or(u64::MAX);
        Self { files: self.files / places, bytes }
    }
}

/// What a reader makes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It brought something.
    New,
    /// It is what it should be, and brought nothing.
    Known,
    /// It may bring something after others.
    NotNow,
    /// It is nothing, whatever else there is: it is never read again.
    Junk,
}

/// One visit's reading of a board.
pub struct Reading<'a, B> {
    board: &'a B,
    budget: Budget,
    rejected: &'a mut Rejected,
    /// What was read in this visit and need not be read again in it.
    done: BTreeSet<Mark>,
    /// Files that are what their names say, by their first name.
    whole: BTreeMap<Place, BTreeSet<Name>>,
    /// Names that are looked for first: the reader's own.
    first: BTreeSet<Name>,
    /// Places of which not everything was read.
    unread: BTreeSet<Place>,
    junk: usize,
    /// Whether anything came to what is rejected.
    marked: bool,
}

impl<'a, B: Board> Reading<'a, B> {
    /// Begins to read. Files with the names `first` are read before others.
    pub fn new(
        board: &'a B,
        budget: Budget,
        rejected: &'a mut Rejected,
        first: BTreeSet<Name>,
    ) -> Self {
        let (done, whole, unread) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        Self { board, budget, rejected, done, whole, first, unread, junk: 0, marked: false }
    }

    /// Reads these places, in this order, and again as long as something new comes of it and the
    /// budget lasts. `fits` tells which lengths a file may have, and `take` what a file is whose
    /// name is that of its bytes.
    pub fn read<E: From<BoardError>>(
        &mut self,
        places: &[Place],
        fits: impl Fn(&Place, u64) -> bool,
        mut take: impl FnMut(&Place, &[u8]) -> Result<Verdict, E>,
    ) -> Result<(), E> {
        loop {
            let (mut new, before) = (false, self.budget);
            let all_share = self.unread.is_empty();
            // At first, all have the same share; what is left goes to those that need more.
            let mut sharing = if all_share { places.len() } else { self.unread.len() };
            for place in places {
                let share = self.budget.share(sharing);
                if all_share || self.unread.contains(place) {
                    sharing = sharing.saturating_sub(1);
                }
                new |= self.read_place(place, share, &fits, &mut take)?;
            }
            let all = !new && self.unread.is_empty();
            // What is left may be too little for any file that is there.
            if self.budget.is_spent() || all || self.budget == before {
                return Ok(());
            }
        }
    }

    fn read_place<E: From<BoardError>>(
        &mut self,
        place: &Place,
        mut share: Budget,
        fits: &impl Fn(&Place, u64) -> bool,
        take: &mut impl FnMut(&Place, &[u8]) -> Result<Verdict, E>,
    ) -> Result<bool, E> {
        let mut listing = self.board.list(place)?;
        let plain = |name: &Name| Name { more: None, ..*name };
        listing.entries.sort_by_key(|entry| !self.first.contains(&plain(&entry.name)));
        self.unread.remove(place);
        let (mut new, mut begun) = (false, false);
        for entry in listing.entries {
            let mark = self.rejected.mark(place, &entry);
            if !fits(place, entry.len) || self.done.contains(&mark) || self.rejected.contains(&mark)
            {
                continue;
            }
            // One is read of each place, however long it is, while anything is left.
            let over = share.files == 0 || share.bytes < entry.len;
            if self.budget.files == 0 || self.budget.bytes < entry.len || (over && begun) {
                self.unread.insert(place.clone());
                continue;
            }
            begun = true;
            for budget in [&mut share, &mut self.budget] {
                budget.files = budget.files.saturating_sub(1);
                budget.bytes = budget.bytes.saturating_sub(entry.len);
            }
            let Some(bytes) = self.board.read(place, &entry)? else {
                // Gone, or changed; or the board could not give it now.
                self.done.insert(mark);
                continue;
            };
            if !entry.name.is_of(&bytes) {
                // Whoever gave these bytes may give the right ones another time.
                self.junk += 1;
                self.done.insert(mark);
                continue;
            }
            match take(place, &bytes)? {
                Verdict::Junk => {
                    self.junk += 1;
                    self.marked = true;
                    self.rejected.add(mark);
                    continue;
                }
                Verdict::NotNow => {}
                Verdict::New => {
                    new = true;
                    self.done.insert(mark);
                }
                Verdict::Known => drop(self.done.insert(mark)),
            }
            self.whole.entry(place.clone()).or_default().insert(plain(&entry.name));
        }
        if listing.cut {
            self.unread.insert(place.clone());
        }
        Ok(new)
    }

    /// Whether these very bytes were found in this place.
    pub fn has(&self, place: &Place, bytes: &[u8]) -> bool {
        self.whole.get(place).is_some_and(|names| names.contains(&Name::of(bytes)))
    }

    /// Whether everything in this place was looked at.
    pub fn is_read(&self, place: &Place) -> bool {
        !self.unread.contains(place)
    }

    /// How many files were read that are nothing.
    pub fn junk(&self) -> usize {
        self.junk
    }

    /// The marks of all that is rejected, if any came to them in this visit.
    pub fn newly_rejected(&self) -> Option<&Rejected> {
        self.marked.then_some(&*self.rejected)
    }

    /// In how many places not everything was read.
    pub fn unread(&self) -> usize {
        self.unread.len()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::cell::Cell;

    use quorate::message::envelope::Round;
    use quorate::primitives::hash::Digest;
    use quorate::spec::Index;

    use super::super::{Entry, Listing};
    use super::*;

    /// A board in memory that counts what is read.
    #[derive(Default)]
    struct Memory {
        files: BTreeMap<Place, Vec<(Entry, Vec<u8>)>>,
        read: Cell<usize>,
    }

    impl Memory {
        fn put(&mut self, place: &Place, name: Name, bytes: &[u8]) {
            let entry = Entry { name, len: bytes.len() as u64, changed: 0 };
            self.files.entry(place.clone()).or_default().push((entry, bytes.to_vec()));
        }
    }

    impl Board for Memory {
        fn list(&self, place: &Place) -> Result<Listing, BoardError> {
            let files = self.files.get(place).into_iter().flatten();
            Ok(Listing { entries: files.map(|(entry, _)| *entry).collect(), cut: false })
        }

        fn read(&self, place: &Place, entry: &Entry) -> Result<Option<Vec<u8>>, BoardError> {
            self.read.set(self.read.get() + 1);
            let mut files = self.files.get(place).into_iter().flatten();
            Ok(files.find(|(own, _)| own == entry).map(|(_, bytes)| bytes.clone()))
        }

        fn publish(&self, _: &Place, _: &[u8]) -> Result<(), BoardError> {
            Ok(())
        }
    }

    fn place(seat: u16) -> Place {
        Place::of_slot(Digest([1; 32]), Round::Hello, Index::new(seat).unwrap())
    }

    /// What is read of these places with so many files, by what `verdict` makes of each.
    fn read(
        board: &Memory,
        files: usize,
        bytes: u64,
        rejected: &mut Rejected,
        verdict: impl Fn(&[u8]) -> Verdict,
    ) -> (Vec<Vec<u8>>, usize, usize) {
        let places: Vec<Place> = (1..=3).map(place).collect();
        let mut reading = Reading::new(board, Budget { files, bytes }, rejected, BTreeSet::new());
        let mut taken = Vec::new();
        let take = |_: &Place, bytes: &[u8]| -> Result<Verdict, BoardError> {
            let verdict = verdict(bytes);
            if verdict != Verdict::Junk && !taken.contains(&bytes.to_vec()) {
                taken.push(bytes.to_vec());
            }
            Ok(verdict)
        };
        reading.read(&places, |_, len| len == 4, take).unwrap();
        (taken, reading.junk(), reading.unread())
    }

    fn junk(board: &mut Memory, seat: u16, count: u32) {
        for i in 0..count {
            board.put(&place(seat), Name::of(&i.to_le_bytes()), b"junk");
        }
    }

    #[test]
    fn a_full_place_takes_nothing_from_the_others() {
        let mut board = Memory::default();
        junk(&mut board, 1, 1000);
        board.put(&place(3), Name::of(b"good"), b"good");
        let mut rejected = Rejected::none();
        let (taken, junk, unread) = read(&board, 30, 4000, &mut rejected, |_| Verdict::Known);
        assert_eq!((taken, junk, unread), (vec![b"good".to_vec()], 29, 1));
        assert_eq!(board.read.get(), 30);
        // The same by length.
        board.read.set(0);
        let (taken, _, _) = read(&board, 3000, 120, &mut rejected, |_| Verdict::Known);
        assert_eq!((taken, board.read.get()), (vec![b"good".to_vec()], 30));
    }

    #[test]
    fn what_is_junk_is_read_once_and_the_rest_at_later_visits() {
        let mut board = Memory::default();
        for i in 0..100_u32 {
            board.put(&place(1), Name::of(&i.to_le_bytes()), &i.to_le_bytes());
        }
        board.put(&place(1), Name::of(b"good"), b"good");
        let verdict = |bytes: &[u8]| match bytes {
            b"good" => Verdict::Known,
            _ => Verdict::Junk,
        };
        let mut rejected = Rejected::none();
        let mut visits = 0;
        while read(&board, 20, 4000, &mut rejected, verdict).0.is_empty() {
            visits += 1;
            assert!(visits < 6);
        }
        assert_eq!(visits, 5, "in the order of the listing");
        assert_eq!(rejected.len(), 100);
        board.read.set(0);
        read(&board, 20, 4000, &mut rejected, verdict);
        assert_eq!(board.read.get(), 1);
    }

    /// A board that gives other bytes once must not hide the right ones for ever.
    #[test]
    fn bytes_that_are_not_their_names_are_not_remembered() {
        let mut board = Memory::default();
        board.put(&place(1), Name::of(b"good"), b"evil");
        let mut rejected = Rejected::none();
        let (taken, junk, _) = read(&board, 20, 4000, &mut rejected, |_| Verdict::New);
        // Once in a visit, however often it looks.
        assert_eq!((taken.len(), junk, board.read.get(), rejected.len()), (0, 1, 1, 0));
        board.files.clear();
        board.put(&place(1), Name::of(b"good"), b"good");
        let (taken, junk, _) = read(&board, 20, 4000, &mut rejected, |_| Verdict::Known);
        assert_eq!((taken, junk), (vec![b"good".to_vec()], 0));
    }

    #[test]
    fn lengths_are_asked_before_anything_is_read() {
        let mut board = Memory::default();
        board.put(&place(1), Name::of(b"longer"), b"longer");
        let (taken, junk, unread) =
            read(&board, 20, 4000, &mut Rejected::none(), |_| Verdict::Known);
        assert_eq!((taken.len(), junk, unread, board.read.get()), (0, 0, 0, 0));
    }

    #[test]
    fn what_comes_too_early_is_read_again_and_not_for_ever() {
        let mut board = Memory::default();
        board.put(&place(1), Name::of(b"late"), b"late");
        board.put(&place(2), Name::of(b"good"), b"good");
        let verdict = |bytes: &[u8]| match bytes {
            b"good" => Verdict::New,
            _ => Verdict::NotNow,
        };
        let mut rejected = Rejected::none();
        read(&board, 20, 4000, &mut rejected, verdict);
        assert_eq!(board.read.get(), 3);
        // An enemy's, of which each is told to be of use later.
        (0..50_u32).for_each(|i| {
            board.put(&place(1), Name::of(&i.to_be_bytes()), &i.to_be_bytes());
        });
        board.read.set(0);
        let (_, junk, _) = read(&board, 60, 4000, &mut rejected, verdict);
        assert_eq!((board.read.get(), junk, rejected.len()), (60, 0, 0));
    }
}
