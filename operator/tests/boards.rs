//! Whole ceremonies over a board in hostile hands, in one process: real logs, real visits, and a
//! board that hides, loses, delays, exchanges, spoils and makes up files. One number decides all
//! that happens. Nobody who keeps the rules is ever at fault or says two things, and everybody
//! finishes once the board behaves.
#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use quorate::exchange::{Ending, Pacing};
use quorate::message::envelope::Round;
use quorate::message::posting::Posting;
use quorate::message::shape::Shape;
use quorate::primitives::hash::Digest;
use quorate::simulation::chance::Chance;
use quorate::simulation::machine::{ceremony, operators, spec_toml};
use quorate::{Ceremony, Index, Operator, OwnSeat};
use quorate_operator::carrier::board::{Board, BoardError, Entry, Listing, Name, Place};
use quorate_operator::store::StateDir;
use quorate_operator::{Machine, MachineError, Visit, VisitError, has_begun, rejected};
use tempfile::TempDir;

/// Turns in which the board does what it likes, and those in which everybody finishes then.
const HOSTILE: usize = 10;
const CALM: usize = 7;
const SEEDS: u64 = 8;
const ONE_VALIDATOR: &str = "[[validators]]\nwithdrawal = \
                             \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = \
                             false\n";

/// A file of the board.
struct File {
    place: Place,
    name: Name,
    bytes: Vec<u8>,
    /// The turn from which it is seen.
    from: usize,
}

/// A board, and the enemy who keeps it.
struct Hostile {
    chance: RefCell<Chance>,
    turn: Cell<usize>,
    files: RefCell<Vec<File>>,
    /// All that was ever brought here, whatever became of it.
    brought: RefCell<Vec<(Place, Vec<u8>)>>,
    harms: RefCell<BTreeMap<&'static str, usize>>,
}

impl Hostile {
    fn new(seed: u64) -> Self {
        Self {
            chance: RefCell::new(Chance::new(seed, "board")),
            turn: Cell::new(0),
            files: RefCell::default(),
            brought: RefCell::default(),
            harms: RefCell::default(),
        }
    }

    /// Whether it does this now, in so many of a thousand cases.
    fn does(&self, harm: &'static str, permille: u64) -> bool {
        let does = self.turn.get() < HOSTILE && self.chance.borrow_mut().happens(permille);
        if does {
            *self.harms.borrow_mut().entry(harm).or_default() += 1;
        }
        does
    }

    fn position(&self, length: usize) -> usize {
        self.chance.borrow_mut().position(length)
    }

    fn no_room(&self) -> BoardError {
        BoardError::NoRoom(PathBuf::from("the enemy's"))
    }
}

impl Board for Hostile {
    fn list(&self, place: &Place) -> Result<Listing, BoardError> {
        if self.does("fails", 20) {
            return Err(self.no_room());
        }
        let files = self.files.borrow();
        let there =
            files.iter().filter(|file| file.place == *place && file.from <= self.turn.get());
        let mut entries: Vec<Entry> = there
            .filter(|_| !self.does("hides", 200))
            .map(|file| Entry { name: file.name, len: file.bytes.len() as u64, changed: 0 })
            .collect();
        if !files.is_empty() && self.does("makes up", 300) {
            let len = files[self.position(files.len())].bytes.len() as u64;
            let name = Name::of(&self.chance.borrow_mut().bytes());
            entries.push(Entry { name, len, changed: 0 });
        }
        if entries.len() > 1 {
            let (a, b) = (self.position(entries.len()), self.position(entries.len()));
            entries.swap(a, b);
        }
        Ok(Listing { entries, cut: self.does("cuts", 30) })
    }

    fn read(&self, place: &Place, entry: &Entry) -> Result<Option<Vec<u8>>, BoardError> {
        if self.does("withholds", 100) {
            return Ok(None);
        }
        let files = self.files.borrow();
        let of_length = |file: &&File| file.bytes.len() as u64 == entry.len;
        let mut own = files.iter().find(|file| file.place == *place && file.name == entry.name);
        if own.is_none() || self.does("exchanges", 60) {
            // Anything that somebody has said, of the same length.
            let all: Vec<&File> = files.iter().filter(of_length).collect();
            own = (!all.is_empty()).then(|| all[self.position(all.len())]);
        }
        let mut bytes = own.map(|file| file.bytes.clone());
        if let Some(bytes) = &mut bytes
            && self.does("spoils", 100)
        {
            let at = self.position(bytes.len());
            bytes[at] ^= 1 << self.position(8);
        }
        Ok(bytes)
    }

    fn publish(&self, place: &Place, bytes: &[u8]) -> Result<(), BoardError> {
        self.brought.borrow_mut().push((place.clone(), bytes.to_vec()));
        if self.does("refuses", 60) {
            return Err(self.no_room());
        }
        if self.does("loses", 200) {
            return Ok(());
        }
        let late = if self.does("delays", 200) { 1 + self.position(4) } else { 0 };
        let copies = 1 + usize::from(self.does("repeats", 200));
        for copy in 0..copies {
            let salt = self.chance.borrow_mut().bytes();
            let text = format!("{}-{}", Name::of(bytes), hex::encode(&salt[..8]));
            let name =
                if copy == 0 { Name::of(bytes) } else { Name::parse(text.as_bytes()).unwrap() };
            let (place, bytes) = (place.clone(), bytes.to_vec());
            self.files.borrow_mut().push(File { place, name, bytes, from: self.turn.get() + late });
        }
        Ok(())
    }
}

/// An operator with a directory.
struct Visitor {
    seat: OwnSeat,
    state: StateDir,
    /// It was given another log of this ceremony before: what it says may differ.
    cheats: bool,
    finished: bool,
    /// Whom it has found to be at fault.
    blames: BTreeSet<Index>,
}

impl Visitor {
    /// As `quorate step`: opened anew at each visit.
    fn visit(&mut self, board: &Hostile, file: &str) {
        let lock = self.state.lock().unwrap();
        let digest = self.seat.ceremony.digest();
        let begun = self.state.find(&digest).unwrap().is_some_and(|view| view.has_log().unwrap());
        if !begun && !self.cheats {
            match has_begun(board, &self.seat.ceremony, self.seat.me) {
                Ok(begun) => assert!(!begun, "nobody has begun for it"),
                Err(_) => return,
            }
        }
        let pacing = Pacing::new(Duration::ZERO);
        let opened = Machine::open(&lock, &self.seat, file.as_bytes(), Vec::new(), pacing);
        let (mut exchange, mut machine) = match opened {
            Ok(opened) => opened,
            // As it was told at its last visit.
            Err(MachineError::PutBack { .. }) if self.cheats => return,
            Err(error) => panic!("{error}"),
        };
        let mut marks = rejected(&machine).unwrap();
        let visited = Visit::read(board, &mut exchange, &mut machine, &mut marks)
            .and_then(|visit| visit.write(&exchange, &machine, &mut BTreeSet::new()));
        match visited {
            Ok(_) | Err(VisitError::Board(_)) => {}
            Err(VisitError::Machine(error)) => panic!("{error}"),
        }
        match exchange.interrupt(&mut machine).unwrap() {
            Ending::Complete | Ending::Written { .. } => self.finished = true,
            Ending::Fault { fault, .. } => self.blames.extend(fault.rule.culprits()),
            Ending::PutBack(_) => assert!(self.cheats, "no log was put back"),
            Ending::Interrupted { .. } => {}
        }
    }

    fn transcript(&self) -> Vec<u8> {
        let view = self.state.find(&self.seat.ceremony.digest()).unwrap().unwrap();
        std::fs::read(view.path().join("out/public/transcript.quorate")).unwrap()
    }
}

/// A ceremony of so many operators, with a board and what decides who comes when.
struct World {
    home: TempDir,
    all: Vec<Arc<Operator>>,
    ceremony: Arc<Ceremony>,
    file: String,
    board: Hostile,
    order: Chance,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut order = Chance::new(seed, "order");
        let (n, t) = *order.pick(&[(3, 2), (4, 3)]);
        let all = operators(n);
        let (ceremony, file) =
            (ceremony(&all, t, ONE_VALIDATOR), spec_toml(&all, t, ONE_VALIDATOR));
        let home = TempDir::new().unwrap();
        Self { home, all, ceremony, file, board: Hostile::new(seed), order }
    }

    fn visitor(&self, i: usize, folder: &str, cheats: bool) -> Visitor {
        let seat = OwnSeat::find(self.ceremony.clone(), self.all[i].clone()).unwrap();
        let state = StateDir::open_or_create(&self.home.path().join(folder)).unwrap();
        Visitor { seat, state, cheats, finished: false, blames: BTreeSet::new() }
    }

    /// Everybody, in turns, until the end.
    fn play(&mut self, visitors: &mut [Visitor]) {
        for turn in 0..HOSTILE + CALM {
            self.board.turn.set(turn);
            if turn >= HOSTILE {
                visitors.iter_mut().for_each(|visitor| visitor.visit(&self.board, &self.file));
                continue;
            }
            for _ in 0..visitors.len() {
                let i = self.order.position(visitors.len());
                visitors[i].visit(&self.board, &self.file);
            }
        }
    }

    /// What each seat has said of each kind and round, by all that was ever brought.
    fn said(&self) -> BTreeMap<(u16, Round, String), BTreeSet<Digest>> {
        let shape = Shape::of(&self.ceremony);
        let mut said: BTreeMap<_, BTreeSet<Digest>> = BTreeMap::new();
        for (place, bytes) in self.board.brought.borrow().iter() {
            for (round, seat) in shape.slots() {
                if Place::of_slot(self.ceremony.digest(), round, seat) != *place {
                    continue;
                }
                let posting = Posting::parse(bytes, &self.ceremony, &shape, round, seat).unwrap();
                let envelope = &posting.statement.envelope;
                let key = (envelope.sender.get(), envelope.round, format!("{:?}", envelope.kind));
                said.entry(key).or_default().insert(posting.statement.digest());
            }
        }
        said
    }
}

#[test]
fn everybody_finishes_once_a_hostile_board_behaves() {
    let mut harms: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        let n = world.all.len();
        let mut visitors: Vec<Visitor> =
            (0..n).map(|i| world.visitor(i, &format!("state-{i}"), false)).collect();
        world.play(&mut visitors);
        for visitor in &visitors {
            let who = visitor.seat.me;
            assert_eq!(visitor.blames, BTreeSet::new(), "seed {seed}, {who:?}");
            assert!(visitor.finished, "seed {seed}, {who:?}");
            assert_eq!(visitor.transcript(), visitors[0].transcript(), "seed {seed}, {who:?}");
        }
        let said = world.said();
        assert_eq!(said.len(), 5 * n, "seed {seed}");
        assert!(said.values().all(|contents| contents.len() == 1), "seed {seed}: {said:?}");
        for (harm, count) in world.board.harms.into_inner() {
            *harms.entry(harm).or_default() += count;
        }
    }
    // It did all that it can.
    let all = [
        "cuts",
        "delays",
        "exchanges",
        "fails",
        "hides",
        "loses",
        "makes up",
        "refuses",
        "repeats",
        "spoils",
        "withholds",
    ];
    assert_eq!(harms.keys().copied().collect::<Vec<_>>(), all);
}

/// The first operator has begun in two directories. Whoever is at fault for anybody is that one,
/// and nobody finishes with another transcript than somebody else.
#[test]
fn at_a_hostile_board_only_who_says_two_things_is_blamed() {
    let mut blamed = 0;
    // What the logs draw is no seed's: which of the two directories is heard first may differ, and
    // then it sees the other and stops. So it goes on until somebody has found it out.
    for seed in 100.. {
        if seed >= 100 + SEEDS && blamed > 0 {
            break;
        }
        assert!(seed < 100 + 10 * SEEDS, "nobody finds it out");
        let mut world = World::new(seed);
        let n = world.all.len();
        let mut visitors: Vec<Visitor> =
            (1..n).map(|i| world.visitor(i, &format!("state-{i}"), false)).collect();
        visitors.push(world.visitor(0, "first", true));
        visitors.push(world.visitor(0, "second", true));
        world.play(&mut visitors);
        let honest = &visitors[..n - 1];
        let cheat = BTreeSet::from([Index::new(1).unwrap()]);
        for visitor in honest {
            assert!(visitor.blames.is_subset(&cheat), "seed {seed}: {:?}", visitor.blames);
            blamed += visitor.blames.len();
        }
        let finished: BTreeSet<Vec<u8>> =
            honest.iter().filter(|one| one.finished).map(Visitor::transcript).collect();
        assert!(finished.len() <= 1, "seed {seed}");
        for ((seat, ..), contents) in world.said() {
            assert!(seat == 1 || contents.len() == 1, "seed {seed}, operator {seat}");
        }
    }
}
