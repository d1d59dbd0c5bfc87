//! What survives a crash: a log (`operator/store`), outputs, and what stands beside the parent.

use crate::memory::{Erase, Record};
use crate::statement::{BARE, Book, COMMIT, FINAL, Id, Kind, Seats};

/// Records in a log at most.
const LONGEST: usize = 56;

/// What survives a crash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disk {
    records: [u16; LONGEST],
    len: u8,
    /// Outputs are there for the world.
    pub(crate) written: bool,
    /// Without whom, as their transcript says.
    pub(crate) without: Seats,
    /// This reshare is noted beside the parent as the only one.
    pub(crate) note: bool,
    /// The log holds this operator's abandonment.
    pub(crate) abandoned: bool,
    /// Another reshare is noted.
    pub(crate) elsewhere: bool,
}

impl Disk {
    pub(crate) const NEW: Self = Self {
        records: [0; LONGEST],
        len: 0,
        written: false,
        without: 0,
        note: false,
        abandoned: false,
        elsewhere: false,
    };

    pub(crate) fn number(record: Record) -> u16 {
        match record {
            Record::Statement(id) => id,
            Record::Seed => BARE,
            Record::Keys => BARE + 1,
            Record::OwnShares => BARE + 2,
            Record::Shares => BARE + 3,
            Record::Box(dealer) => BARE + 4 + u16::try_from(dealer).expect("a seat"),
        }
    }

    pub(crate) fn record(number: u16) -> Record {
        match number.checked_sub(BARE) {
            None => Record::Statement(number),
            Some(0) => Record::Seed,
            Some(1) => Record::Keys,
            Some(2) => Record::OwnShares,
            Some(3) => Record::Shares,
            Some(dealer) => Record::Box(usize::from(dealer - 4)),
        }
    }

    /// A second record of a kind takes the place of the first: the last one counts, and they are
    /// alike here.
    pub(crate) fn append(&mut self, record: Record) {
        if self.holds(record) {
            return;
        }
        self.records[usize::from(self.len)] = Self::number(record);
        self.len += 1;
    }

    pub(crate) fn erase(&mut self, kind: Erase) {
        let gone = |record| match kind {
            Erase::Seed => record == Record::Seed,
            Erase::Dealing => matches!(record, Record::Keys | Record::OwnShares | Record::Box(_)),
            Erase::Shares => record == Record::Shares,
        };
        let kept: Vec<Record> = self.records().filter(|record| !gone(*record)).collect();
        (self.len, self.records) = (0, [0; LONGEST]);
        kept.into_iter().for_each(|record| self.append(record));
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.records[..usize::from(self.len)].iter().map(|number| Self::record(*number))
    }

    pub(crate) fn holds(&self, record: Record) -> bool {
        self.records().any(|held| held == record)
    }

    pub(crate) fn statements(&self) -> impl Iterator<Item = Id> + '_ {
        self.records[..usize::from(self.len)].iter().copied().filter(|number| *number < BARE)
    }

    pub(crate) fn order(&self) -> &[u16] {
        &self.records[..usize::from(self.len)]
    }

    /// Whether an own statement that fits is there.
    pub(crate) fn own(&self, book: &Book, me: usize, kind: fn(Kind) -> bool, round: usize) -> bool {
        self.statements().any(|id| {
            let held = book.get(id);
            held.sender == me && held.round == round && kind(held.kind)
        })
    }

    /// Whether this operator has stated what its keys have signed last: then they are removed.
    pub(crate) fn has_stopped(&self, book: &Book, me: usize) -> bool {
        self.own(book, me, |kind| matches!(kind, Kind::Minima(_)), COMMIT)
    }

    pub(crate) fn is_bound(&self, book: &Book, me: usize) -> bool {
        self.own(book, me, |kind| kind == Kind::Ordinary, FINAL)
    }

    /// `child::commits` of the log.
    pub(crate) fn commits(&self, book: &Book, me: usize) -> bool {
        let committed = self.own(book, me, |kind| kind == Kind::Ordinary, COMMIT);
        committed || self.has_stopped(book, me) || self.is_bound(book, me)
    }
}
