//! Visits to a board of which not everything can be read, or is there.
#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use quorate::exchange::Pacing;
use quorate::message::envelope::{ENVELOPE_BYTES, Round, Statement};
use quorate::message::posting::Posting;
use quorate::message::shape::Shape;
use quorate::simulation::machine::{TWO_VALIDATORS, ceremony, operators, spec_toml};
use quorate::{Ceremony, Index, Operator, OwnSeat};
use quorate_operator::carrier::board::{Board, BoardError, Entry, Listing, Name, Place, Rejected};
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

/// A board in memory, of which shelves can be hidden.
#[derive(Default)]
struct Memory {
    files: RefCell<BTreeMap<Place, Vec<Vec<u8>>>>,
    hidden: BTreeSet<Place>,
}

impl Memory {
    fn shelf(&self, place: &Place) -> Vec<Vec<u8>> {
        let files = self.files.borrow();
        files.get(place).filter(|_| !self.hidden.contains(place)).cloned().unwrap_or_default()
    }
}

impl Board for Memory {
    fn list(&self, place: &Place) -> Result<Listing, BoardError> {
        let entry =
            |bytes: &Vec<u8>| Entry { name: Name::of(bytes), len: bytes.len() as u64, changed: 0 };
        Ok(Listing { entries: self.shelf(place).iter().map(entry).collect(), cut: false })
    }

    fn read(&self, place: &Place, entry: &Entry) -> Result<Option<Vec<u8>>, BoardError> {
        Ok(self.shelf(place).into_iter().find(|bytes| Name::of(bytes) == entry.name))
    }

    fn publish(&self, place: &Place, bytes: &[u8]) -> Result<(), BoardError> {
        let mut files = self.files.borrow_mut();
        let shelf = files.entry(place.clone()).or_default();
        if !shelf.iter().any(|there| there == bytes) {
            shelf.push(bytes.to_vec());
        }
        Ok(())
    }
}

/// A visit of an operator of these, with a directory.
fn visit(board: &Memory, all: &[Arc<Operator>], i: usize, state: &StateDir) {
    let file = spec_toml(all, 2, TWO_VALIDATORS);
    let seat = OwnSeat::find(ceremony(all, 2, TWO_VALIDATORS), all[i].clone()).unwrap();
    let (lock, pacing) = (state.lock().unwrap(), Pacing::new(Duration::ZERO));
    let opened = Machine::open(&lock, &seat, file.as_bytes(), Vec::new(), pacing);
    let (mut exchange, mut machine) = opened.unwrap();
    let mut none = Rejected::none();
    let visit = Visit::read(board, &mut exchange, &mut machine, &mut none).unwrap();
    let _ = visit.write(&exchange, &machine, &mut BTreeSet::new()).unwrap();
    exchange.interrupt(&mut machine).unwrap();
}

/// The statements of a slot that the board shows.
fn statements(board: &Memory, of: &Ceremony, round: Round, seat: Index) -> Vec<Statement> {
    let place = Place::of_slot(of.digest(), round, seat);
    let parse = |bytes: &Vec<u8>| Posting::parse(bytes, of, &Shape::of(of), round, seat);
    board.shelf(&place).iter().map(|bytes| parse(bytes).unwrap().statement).collect()
}

/// Of a log with a hello alone, and a board without the own deal: as of who deals nothing.
#[test]
fn one_hello_more_or_less_does_not_hide_what_was_signed() {
    let home = tempfile::tempdir().unwrap();
    let state = |name: &str| StateDir::open_or_create(&home.path().join(name)).unwrap();
    let all = operators(3);
    let of = ceremony(&all, 2, TWO_VALIDATORS);
    let seats: Vec<Index> = of.indices().collect();
    let (me, bob) = (seats[0], seats[1]);
    let mut board = Memory::default();
    for _ in 0..6 {
        (0..3).for_each(|i| visit(&board, &all, i, &state(&format!("state-{i}"))));
    }
    let [hello, last] = [Round::Hello, Round::Final].map(|round| {
        let all = statements(&board, &of, round, me);
        assert_eq!(all.len(), 1);
        all[0].clone()
    });
    let at = |round: Round, seat: Index| Place::of_slot(of.digest(), round, seat);
    let shown = |board: &Memory| shown_of(board, &of, me, std::slice::from_ref(&hello));
    let shows_last = |board: &Memory| shown(board).map(|all| all.contains(&last));
    board.hidden.insert(at(Round::Deal, me));
    assert_eq!(shows_last(&board), Ok(true));
    // One less.
    board.hidden.insert(at(Round::Hello, bob));
    assert_eq!(shows_last(&board), Ok(true));
    // And one more: Bob has begun in another directory, too.
    board.hidden.remove(&at(Round::Hello, bob));
    let elsewhere = Memory::default();
    visit(&elsewhere, &all, 1, &state("another"));
    let second = elsewhere.shelf(&at(Round::Hello, bob));
    board.publish(&at(Round::Hello, bob), &second[0]).unwrap();
    assert_eq!(statements(&board, &of, Round::Hello, bob).len(), 2);
    assert_eq!(shows_last(&board), Ok(true));
    // Without the deals nothing tells of which ceremony the last statement is.
    board.hidden.extend(seats.iter().map(|seat| at(Round::Deal, *seat)));
    assert_eq!(shown(&board), Err(BoardError::OwnUntold));
    // Unless the log knows all that is there.
    let own = Round::ALL.into_iter().flat_map(|round| statements(&board, &of, round, me));
    let own: Vec<Statement> = own.collect();
    assert_eq!(shown_of(&board, &of, me, &own), Ok(vec![hello.clone()]));
    // What tells of itself stands in nobody's way.
    let rest = Round::ALL.into_iter().filter(|round| *round != Round::Hello);
    board.hidden.extend(rest.map(|round| at(round, me)));
    assert_eq!(shown(&board), Ok(vec![hello.clone()]));
}

/// What others put on an operator's own shelves stands in the way of nothing that it decides; what
/// it has signed itself does.
#[test]
fn what_somebody_else_puts_on_an_own_shelf_hides_nothing() {
    let home = tempfile::tempdir().unwrap();
    let state = |name: &str| StateDir::open_or_create(&home.path().join(name)).unwrap();
    let all = operators(3);
    let of = ceremony(&all, 2, TWO_VALIDATORS);
    let seats: Vec<Index> = of.indices().collect();
    let (me, bob) = (seats[0], seats[1]);
    let board = Memory::default();
    for _ in 0..6 {
        (0..3).for_each(|i| visit(&board, &all, i, &state(&format!("state-{i}"))));
    }
    let at = |round: Round, seat: Index| Place::of_slot(of.digest(), round, seat);
    let only = |round: Round, seat: Index| board.shelf(&at(round, seat)).swap_remove(0);
    let hello = statements(&board, &of, Round::Hello, me).swap_remove(0);
    // A log that knows all but the last; and a board that does not show what tells of sessions.
    let own: Vec<Statement> =
        Round::ALL[..4].iter().flat_map(|round| statements(&board, &of, *round, me)).collect();
    let bare = Memory::default();
    let shown = |board: &Memory| shown_of(board, &of, me, std::slice::from_ref(&hello));
    // Bob's own last statement, as a file of this operator's.
    bare.publish(&at(Round::Final, me), &only(Round::Final, bob)).unwrap();
    // One whose signature was altered, and one whose body was.
    let last = only(Round::Final, me);
    for place in [ENVELOPE_BYTES - 1, last.len() - 1] {
        let mut altered = last.clone();
        altered[place] ^= 1;
        bare.publish(&at(Round::Final, me), &altered).unwrap();
    }
    bare.publish(&at(Round::Commit, me), b"no statement").unwrap();
    assert_eq!(bare.shelf(&at(Round::Final, me)).len(), 3);
    assert_eq!(shown(&bare), Ok(Vec::new()));
    assert_eq!(shown_of(&bare, &of, me, &own), Ok(Vec::new()));
    // Its own, of which nothing tells whether it is of this ceremony.
    bare.publish(&at(Round::Final, me), &last).unwrap();
    assert_eq!(shown(&bare), Err(BoardError::OwnUntold));
}
