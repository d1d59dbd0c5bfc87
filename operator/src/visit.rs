//! One visit of an operator to a board: it reads what is new, does what it can, and leaves what it
//! has to say. There is no clock in it, and nobody else.

use std::collections::{BTreeMap, BTreeSet};

use quorate::exchange::{Exchange, Posted};
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::posting::Posting;
use quorate::message::shape::Shape;
use quorate::primitives::hash::Digest;
use quorate::protocol::judge::of_this_ceremony;
use quorate::spec::{Ceremony, Index};

use crate::carrier::board::{Board, BoardError, Budget, Name, Place, Reading, Rejected, Verdict};
use crate::machine::Machine;
use crate::requests::put;
use crate::{MachineError, store::StoreError};

/// Why a visit ended early. What was stored before stays valid; the next visit goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// The board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// This operator's machine.
    #[error(transparent)]
    Machine(#[from] MachineError),
}

impl From<StoreError> for VisitError {
    fn from(error: StoreError) -> Self {
        Self::Machine(error.into())
    }
}

/// What a visit found and left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visited {
    /// Files that brought something.
    pub taken: usize,
    /// Files that are nothing, and are not read again.
    pub junk: usize,
    /// Folders of which not everything could be read in one visit.
    pub unread: usize,
    /// Files that were written.
    pub written: usize,
}

/// A visit that has read.
pub struct Visit<'a, B> {
    board: &'a B,
    ceremony: Digest,
    reading: Reading<'a, B>,
    /// Statements that the board shows, by content.
    shown: BTreeSet<Digest>,
    taken: usize,
}

/// Marks of files that earlier visits have rejected.
pub fn rejected(machine: &Machine) -> Result<Rejected, MachineError> {
    Ok(Rejected::decode(&machine.dir().rejected(Rejected::LONGEST)?))
}

/// Whether a board shows that this operator has begun this ceremony: its hello, or that it has
/// given up. An operator without a log that finds it begins nothing; nor where not everything of
/// its own could be read ([`BoardError::OwnUnread`]), since it may be in the rest.
pub fn has_begun(board: &impl Board, ceremony: &Ceremony, me: Index) -> Result<bool, BoardError> {
    let (slots, mut begun) = (Slots::of(ceremony), false);
    let mut none = Rejected::none();
    let mut reading = Reading::new(board, slots.budget(), &mut none, BTreeSet::new());
    let own: Vec<Place> = slots.places(me).into_iter().take(Round::ALL.len()).collect();
    let take = |place: &Place, bytes: &[u8]| -> Result<Verdict, BoardError> {
        let Some(posting) = slots.parse(place, bytes, ceremony) else { return Ok(Verdict::Junk) };
        begun |= posting.statement.envelope.session == ceremony.digest();
        Ok(Verdict::Known)
    };
    reading.read(&own, |place, len| slots.fits(place, len), take)?;
    match begun || reading.unread() == 0 {
        true => Ok(begun),
        false => Err(BoardError::OwnUnread),
    }
}

/// Own statements of this ceremony that a board shows, with what `held`, this operator's log, says
/// about its session. Nothing is signed and nothing is written: for who gives up, and must not have
/// signed its last statement.
///
/// # Errors
/// The board; also where not everything of its own could be read ([`BoardError::OwnUnread`]), or
/// where nothing tells the session of something that it has signed ([`BoardError::OwnUntold`]).
pub fn shown_of(
    board: &impl Board,
    ceremony: &Ceremony,
    me: Index,
    held: &[Statement],
) -> Result<Vec<Statement>, BoardError> {
    let slots = Slots::of(ceremony);
    let mut none = Rejected::none();
    let mut reading = Reading::new(board, slots.budget(), &mut none, BTreeSet::new());
    let mut found = Vec::new();
    let read = |reading: &mut Reading<'_, _>, places: &[Place], found: &mut Vec<Statement>| {
        let take = |place: &Place, bytes: &[u8]| -> Result<Verdict, BoardError> {
            let Some(posting) = slots.parse(place, bytes, ceremony) else {
                return Ok(Verdict::Junk);
            };
            found.push(posting.statement);
            Ok(Verdict::Known)
        };
        reading.read(places, |place, len| slots.fits(place, len), take)
    };
    let places = slots.places(me);
    let (own, others) = places.split_at(Round::ALL.len().min(places.len()));
    read(&mut reading, own, &mut found)?;
    if reading.unread() > 0 {
        return Err(BoardError::OwnUnread);
    }
    // Which session the later ones are of, the hellos say. Where one of them is hidden, or somebody
    // has signed two, any deal says it.
    for tells in [Round::Hello, Round::Deal] {
        let tells =
            |place: &&Place| slots.slot(place).is_some_and(|(_, round, ..)| *round == tells);
        let places: Vec<Place> = others.iter().filter(tells).cloned().collect();
        read(&mut reading, &places, &mut found)?;
        if let Some(shown) = own_of(ceremony, me, held, &found) {
            return Ok(shown);
        }
    }
    Err(BoardError::OwnUntold)
}

/// Of what was `found`, the own statements of this ceremony; `None` if one that `held` lacks may be
/// of it, and nothing tells.
fn own_of(
    ceremony: &Ceremony,
    me: Index,
    held: &[Statement],
    found: &[Statement],
) -> Option<Vec<Statement>> {
    let is_own = |statement: &&Statement| statement.envelope.sender == me;
    let shown: BTreeMap<Digest, &Statement> =
        found.iter().filter(is_own).map(|statement| (statement.digest(), statement)).collect();
    // By what the log holds; and by what else is there, of which another's second hello tells less.
    let own: Vec<Statement> = held.iter().chain(found.iter().filter(is_own)).cloned().collect();
    let all: Vec<Statement> = held.iter().chain(found).cloned().collect();
    let mut of_it: BTreeMap<Digest, Statement> = BTreeMap::new();
    for set in [&own, &all] {
        let bound = of_this_ceremony(ceremony, set).into_iter();
        let bound = bound.filter(|statement| shown.contains_key(&statement.digest()));
        of_it.extend(bound.map(|statement| (statement.digest(), statement.clone())));
    }
    let known: BTreeSet<Digest> = held.iter().map(Statement::digest).collect();
    // A hello and an abandonment name the ceremony, and a deal all hellos of its session.
    let says_itself = |statement: &Statement| {
        let envelope = &statement.envelope;
        matches!(
            (envelope.kind, envelope.round),
            (Kind::Abandon, _) | (Kind::Ordinary, Round::Hello | Round::Deal)
        )
    };
    let untold = |(digest, statement): (&Digest, &&Statement)| {
        !of_it.contains_key(digest) && !known.contains(digest) && !says_itself(statement)
    };
    (!shown.iter().any(untold)).then(|| of_it.into_values().collect())
}

/// Bytes of the longest file that a board gets of this ceremony.
pub fn longest_posting(ceremony: &Ceremony) -> u64 {
    Slots::of(ceremony).longest()
}

/// Puts a statement on a board, unless it is there. Whether it was not.
pub fn put_statement(
    board: &impl Board,
    ceremony: &Ceremony,
    statement: Statement,
) -> Result<bool, BoardError> {
    let (round, sender) = (statement.envelope.round, statement.envelope.sender);
    let place = Place::of_slot(ceremony.digest(), round, sender);
    put(board, &place, &Posting::of(statement).encode())
}

impl<'a, B: Board> Visit<'a, B> {
    /// Reads the board and does what follows. Each statement is durable before it is acted on.
    pub fn read(
        board: &'a B,
        exchange: &mut Exchange,
        machine: &mut Machine,
        rejected: &'a mut Rejected,
    ) -> Result<Self, VisitError> {
        let ceremony = exchange.participant().seat().ceremony.clone();
        let me = exchange.participant().seat().me;
        let slots = Slots::of(&ceremony);
        let own = exchange.participant().postings();
        let first = own.iter().map(|posting| Name::of(&posting.encode())).collect();
        let mut reading = Reading::new(board, slots.budget(), rejected, first);
        let (mut shown, mut taken) = (BTreeSet::new(), 0);
        let take = |place: &Place, bytes: &[u8]| -> Result<Verdict, VisitError> {
            let Some(posting) = slots.parse(place, bytes, &ceremony) else {
                return Ok(Verdict::Junk);
            };
            shown.insert(posting.statement.digest());
            let found = exchange.found(&posting, machine);
            Ok(match found.map_err(|trouble| machine.error(trouble))? {
                Posted::New => {
                    taken += 1;
                    Verdict::New
                }
                Posted::Known => Verdict::Known,
                Posted::NotNow => Verdict::NotNow,
            })
        };
        reading.read(&slots.places(me), |place, len| slots.fits(place, len), take)?;
        Ok(Self { board, ceremony: ceremony.digest(), reading, shown, taken })
    }

    /// Writes what this operator has to say and the board does not show: its own statements to the
    /// byte, and those of others that it holds.
    /// `published` is what this process has written of its own: where not everything was read, it
    /// is not written again.
    pub fn write(
        self,
        exchange: &Exchange,
        machine: &Machine,
        published: &mut BTreeSet<Name>,
    ) -> Result<Visited, VisitError> {
        let participant = exchange.participant();
        let mut written = 0;
        for posting in participant.postings() {
            let (place, bytes) = (self.place_of(&posting.statement), posting.encode());
            let (own, name) =
                (posting.statement.envelope.sender == participant.seat().me, Name::of(&bytes));
            let shown = match own {
                true => {
                    let before = !self.reading.is_read(&place) && published.contains(&name);
                    before || self.reading.has(&place, &bytes)
                }
                // Where not everything was read, it may well be there.
                false => {
                    self.shown.contains(&posting.statement.digest())
                        || !self.reading.is_read(&place)
                }
            };
            if !shown {
                self.board.publish(&place, &bytes)?;
                published.extend(own.then_some(name));
                written += 1;
            }
        }
        let (junk, unread) = (self.reading.junk(), self.reading.unread());
        if let Some(rejected) = self.reading.newly_rejected() {
            machine.dir().keep_rejected(&rejected.encode())?;
        }
        Ok(Visited { taken: self.taken, junk, unread, written })
    }

    fn place_of(&self, statement: &Statement) -> Place {
        Place::of_slot(self.ceremony, statement.envelope.round, statement.envelope.sender)
    }
}

/// The places of a ceremony, each with its round, seat, and the lengths of its files.
struct Slots {
    shape: Shape,
    all: Vec<(Place, Round, Index, Vec<usize>)>,
}

impl Slots {
    fn of(ceremony: &Ceremony) -> Self {
        let shape = Shape::of(ceremony);
        let slot = |round: Round, seat: Index| {
            let lengths = Posting::lengths(&shape, round, seat);
            (Place::of_slot(ceremony.digest(), round, seat), round, seat, lengths)
        };
        let rounds = shape.rounds().iter();
        let all = rounds.flat_map(|round| ceremony.indices().map(move |seat| (*round, seat)));
        let all = all.map(|(round, seat)| slot(round, seat)).collect();
        Self { shape, all }
    }

    /// All places: this operator's own first, so that it signs nothing that it has signed before;
    /// and by round.
    fn places(&self, me: Index) -> Vec<Place> {
        let mut all: Vec<_> = self.all.iter().collect();
        all.sort_by_key(|(_, round, seat, _)| (*seat != me, *round, *seat));
        all.into_iter().map(|(place, ..)| place.clone()).collect()
    }

    fn budget(&self) -> Budget {
        let longest = self.all.iter().filter_map(|(.., lengths)| lengths.iter().max());
        Budget::visit(longest.map(|bytes| *bytes as u64).fold(0, u64::saturating_add))
    }

    fn longest(&self) -> u64 {
        let lengths = self.all.iter().flat_map(|(.., lengths)| lengths);
        lengths.max().map_or(0, |bytes| *bytes as u64)
    }

    fn slot(&self, place: &Place) -> Option<&(Place, Round, Index, Vec<usize>)> {
        self.all.iter().find(|(own, ..)| own == place)
    }

    fn fits(&self, place: &Place, len: u64) -> bool {
        let lengths = self.slot(place).map_or(&[][..], |(.., lengths)| lengths);
        lengths.iter().any(|length| *length as u64 == len)
    }

    fn parse(&self, place: &Place, bytes: &[u8], ceremony: &Ceremony) -> Option<Posting> {
        let (_, round, seat, _) = self.slot(place)?;
        Posting::parse(bytes, ceremony, &self.shape, *round, *seat).ok()
    }
}
