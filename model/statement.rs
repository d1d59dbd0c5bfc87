//! Statements without cryptography: who says what in which slot, based on which statements. Each is
//! interned, so that a digest is a number; a second signature on the same content is another
//! variant.
#![allow(clippy::disallowed_types)] // The map is asked, never listed.

use std::collections::HashMap;

/// A statement's number: its digest.
pub(crate) type Id = u16;
/// No statement.
pub(crate) const NONE: Id = u16::MAX;
/// A digest of something that nobody holds.
pub(crate) const JUNK: Id = u16::MAX - 1;
/// Numbers from here on are no statements.
pub(crate) const BARE: Id = 0xF000;

/// Seats at most.
pub(crate) const SEATS: usize = 4;
/// One digest for each seat; none of a seat that owes nothing.
pub(crate) type View = [Id; SEATS];
/// Seats, a bit for each.
pub(crate) type Seats = u8;

pub(crate) fn contains(seats: Seats, seat: usize) -> bool {
    seats & 1 << seat != 0
}

pub(crate) fn among(seats: Seats) -> usize {
    (0..SEATS).filter(|seat| contains(seats, *seat)).count()
}

pub(crate) const HELLO: usize = 0;
pub(crate) const DEAL: usize = 1;
pub(crate) const PREPARE: usize = 2;
pub(crate) const COMMIT: usize = 3;
pub(crate) const FINAL: usize = 4;
pub(crate) const ROUNDS: usize = 5;

/// What is wrong with a statement's own content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Flaw {
    /// It follows from what it names.
    Sound,
    /// It does not, and everybody who holds what it names sees so.
    Public,
    /// A deal whose boxes for these operators are bad: only they see it, until they complain.
    Boxes(Seats),
}

/// `Kind` of `message/envelope.rs`. Of an abandonment nothing depends but what its own operator
/// does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Ordinary,
    /// In the slot of PREPARE, about this dealer's box.
    Complaint(usize),
    /// What a dealer's keys have signed last. In no slot.
    Minima(u8),
    /// Without whom its sender finishes; over the deals, which fix the certificate. In no slot.
    Without(Seats),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Statement {
    pub(crate) sender: usize,
    pub(crate) round: usize,
    pub(crate) kind: Kind,
    /// The hellos that the session identifier names; none in a hello.
    pub(crate) session: View,
    /// The statements of the round before that it was computed from; none in a hello.
    pub(crate) view: View,
    /// Statements that differ in nothing else: another nonce, another signature.
    pub(crate) variant: u8,
    pub(crate) flaw: Flaw,
}

impl Statement {
    pub(crate) fn is_ordinary(&self) -> bool {
        self.kind == Kind::Ordinary
    }

    /// Whether it stands in a slot.
    pub(crate) fn in_slot(&self) -> bool {
        matches!(self.kind, Kind::Ordinary | Kind::Complaint(_))
    }
}

/// All statements that anybody has signed in any state.
pub(crate) struct Book {
    /// Seats of the cast.
    n: usize,
    list: Vec<Statement>,
    ids: HashMap<Statement, Id>,
    /// Seats with two honest ones exchanged that are alike.
    exchange: [usize; SEATS],
    exchanged: Vec<Id>,
}

impl Book {
    pub(crate) fn new(n: usize, alike: Option<[usize; 2]>) -> Self {
        let mut exchange = [0, 1, 2, 3];
        if let Some([one, two]) = alike {
            exchange.swap(one, two);
        }
        Self { n, list: Vec::new(), ids: HashMap::new(), exchange, exchanged: Vec::new() }
    }

    pub(crate) fn get(&self, id: Id) -> &Statement {
        &self.list[usize::from(id)]
    }

    pub(crate) fn id(&mut self, statement: Statement) -> Id {
        if let Some(id) = self.ids.get(&statement) {
            return *id;
        }
        let id = Id::try_from(self.list.len()).expect("few statements");
        assert!(id < BARE, "few statements");
        self.list.push(statement);
        self.exchanged.push(NONE);
        self.ids.insert(statement, id);
        id
    }

    fn exchanged_view(&mut self, view: View) -> View {
        let mut out = [NONE; SEATS];
        for (seat, id) in view.into_iter().enumerate() {
            out[self.exchange[seat]] = self.exchanged(id);
        }
        out
    }

    pub(crate) fn exchanged_seats(&self, seats: Seats) -> Seats {
        let there = (0..SEATS).filter(|seat| contains(seats, *seat));
        there.fold(0, |all, seat| all | 1 << self.exchange[seat])
    }

    /// The statement that this one is when the two operators that are alike change places.
    pub(crate) fn exchanged(&mut self, id: Id) -> Id {
        if id >= JUNK {
            return id;
        }
        let known = self.exchanged[usize::from(id)];
        if known != NONE {
            return known;
        }
        let statement = *self.get(id);
        let flaw = match statement.flaw {
            Flaw::Boxes(seats) => Flaw::Boxes(self.exchanged_seats(seats)),
            other => other,
        };
        let kind = match statement.kind {
            Kind::Complaint(dealer) => Kind::Complaint(self.exchange[dealer]),
            Kind::Without(seats) => Kind::Without(self.exchanged_seats(seats)),
            other => other,
        };
        let other = Statement {
            sender: self.exchange[statement.sender],
            kind,
            session: self.exchanged_view(statement.session),
            view: self.exchanged_view(statement.view),
            flaw,
            ..statement
        };
        let other = self.id(other);
        self.exchanged[usize::from(id)] = other;
        self.exchanged[usize::from(other)] = id;
        other
    }

    pub(crate) fn exchanged_seat(&self, seat: usize) -> usize {
        self.exchange[seat]
    }

    /// Seats as bits, the last seat first.
    pub(crate) fn bits(&self, seats: Seats) -> String {
        format!("{seats:00$b}", self.n)
    }

    fn brief(&self, id: Id) -> String {
        match id {
            NONE => "-".into(),
            JUNK => "?".into(),
            id => format!("#{id}"),
        }
    }

    /// For people.
    pub(crate) fn describe(&self, id: Id) -> String {
        let s = self.get(id);
        let name = match (s.kind, s.round) {
            (Kind::Complaint(dealer), _) => format!("COMPLAINT about {dealer}"),
            (Kind::Minima(value), _) => format!("MINIMA {value}"),
            (Kind::Without(seats), _) => format!("WITHOUT {}", self.bits(seats)),
            (_, round) => ["HELLO", "DEAL", "PREPARE", "COMMIT", "FINAL"][round].into(),
        };
        let view: Vec<String> = s.view[..self.n].iter().map(|id| self.brief(*id)).collect();
        let flaw = match s.flaw {
            Flaw::Sound => String::new(),
            Flaw::Public => ", wrong".into(),
            Flaw::Boxes(seats) => format!(", bad boxes for seats {}", self.bits(seats)),
        };
        let over = match s.round == HELLO || matches!(s.kind, Kind::Minima(_)) {
            true => String::new(),
            false => format!(" over [{}]", view.join(" ")),
        };
        format!("#{id} = {name} of {}{over}, variant {}{flaw}", s.sender, s.variant)
    }
}
