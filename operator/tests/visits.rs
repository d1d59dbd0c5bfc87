//! Visits to a board of which not everything can be read.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use quorate::exchange::Pacing;
use quorate::simulation::machine::{TWO_VALIDATORS, ceremony, operators, spec_toml};
use quorate::{Index, OwnSeat};
use quorate_operator::carrier::board::{Board, BoardError, Entry, Listing, Place, Rejected};
use quorate_operator::store::StateDir;
use quorate_operator::{Machine, Visit, has_begun, shown_of};

/// A board that shows nothing, and tells whether that is all.
#[derive(Default)]
struct Shows {
    cut: bool,
    /// It takes nothing.
    is_full: bool,
    published: Cell<usize>,
}

impl Board for Shows {
    fn list(&self, _: &Place) -> Result<Listing, BoardError> {
        Ok(Listing { entries: Vec::new(), cut: self.cut })
    }

    fn read(&self, _: &Place, _: &Entry) -> Result<Option<Vec<u8>>, BoardError> {
        Ok(None)
    }

    fn publish(&self, _: &Place, _: &[u8]) -> Result<(), BoardError> {
        self.published.set(self.published.get() + 1);
        match self.is_full {
            true => Err(BoardError::NoRoom("full".into())),
            false => Ok(()),
        }
    }
}

#[test]
fn a_board_that_was_not_read_whole_does_not_say_that_nothing_was_begun() {
    let ceremony = ceremony(&operators(3), 2, TWO_VALIDATORS);
    let me = Index::new(1).unwrap();
    assert_eq!(has_begun(&Shows::default(), &ceremony, me), Ok(false));
    let cut = Shows { cut: true, ..Shows::default() };
    assert_eq!(has_begun(&cut, &ceremony, me), Err(BoardError::OwnUnread));
    // Nor that nothing was signed.
    assert_eq!(shown_of(&Shows::default(), &ceremony, me, &[]), Ok(Vec::new()));
    assert_eq!(shown_of(&cut, &ceremony, me, &[]), Err(BoardError::OwnUnread));
}

/// A full shelf must not be a reason to fill it further at each visit.
#[test]
fn what_was_not_found_in_a_shelf_that_was_not_read_whole_is_written_once() {
    let home = tempfile::tempdir().unwrap();
    let all = operators(3);
    let file = spec_toml(&all, 2, TWO_VALIDATORS);
    let seat = OwnSeat::find(ceremony(&all, 2, TWO_VALIDATORS), all[0].clone()).unwrap();
    let state = StateDir::open_or_create(&home.path().join("state")).unwrap();
    let lock = state.lock().unwrap();
    let pacing = Pacing::new(Duration::ZERO);
    let opened = Machine::open(&lock, &seat, file.as_bytes(), Vec::new(), pacing);
    let (mut exchange, mut machine) = opened.unwrap();
    let mut published = BTreeSet::new();
    let mut visit = |board: &Shows| {
        let mut none = Rejected::none();
        let visit = Visit::read(board, &mut exchange, &mut machine, &mut none).unwrap();
        let written = visit.write(&exchange, &machine, &mut published);
        (written.is_ok(), board.published.take())
    };
    let cut = Shows { cut: true, ..Shows::default() };
    // What was not taken was not written.
    assert_eq!(visit(&Shows { cut: true, is_full: true, ..Shows::default() }), (false, 1));
    assert_eq!(visit(&cut), (true, 1));
    assert_eq!(visit(&cut), (true, 0));
    // What is gone is written again.
    assert_eq!(visit(&Shows::default()), (true, 1));
}
