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

/// Operators in a ceremony.
pub(crate) const N: usize = 3;
/// One digest for each operator.
pub(crate) type View = [Id; N];

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
    /// A deal whose boxes for these operators (bit by seat) are bad: only they see it, until they
    /// complain.
    Boxes(u8),
}

/// `Kind` of `message/envelope.rs`, without abandonment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Ordinary,
    /// In the slot of PREPARE, about this dealer's box.
    Complaint(usize),
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
}

/// All statements that anybody has signed in any state.
pub(crate) struct Book {
    list: Vec<Statement>,
    ids: HashMap<Statement, Id>,
    /// Seats with the two honest ones exchanged.
    exchange: [usize; N],
    exchanged: Vec<Id>,
}

impl Book {
    pub(crate) fn new(byzantine: usize) -> Self {
        let mut honest = (0..N).filter(|seat| *seat != byzantine);
        let (a, b) = (honest.next().expect("two"), honest.next().expect("two"));
        let mut exchange = [0, 1, 2];
        exchange.swap(a, b);
        Self { list: Vec::new(), ids: HashMap::new(), exchange, exchanged: Vec::new() }
    }

    pub(crate) fn get(&self, id: Id) -> &Statement {
        &self.list[usize::from(id)]
    }

    pub(crate) fn id(&mut self, statement: Statement) -> Id {
        if let Some(id) = self.ids.get(&statement) {
            return *id;
        }
        let id = Id::try_from(self.list.len()).expect("few statements");
        assert!(id < 0xF000, "few statements");
        self.list.push(statement);
        self.exchanged.push(NONE);
        self.ids.insert(statement, id);
        id
    }

    fn exchanged_view(&mut self, view: View) -> View {
        let mut out = [NONE; N];
        for (seat, id) in view.into_iter().enumerate() {
            out[self.exchange[seat]] = self.exchanged(id);
        }
        out
    }

    /// The statement that this one is when the two honest operators change places.
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
            Flaw::Boxes(seats) => {
                let moved = (0..N)
                    .filter(|seat| seats & 1 << seat != 0)
                    .fold(0, |all, seat| all | 1 << self.exchange[seat]);
                Flaw::Boxes(moved)
            }
            other => other,
        };
        let kind = match statement.kind {
            Kind::Complaint(dealer) => Kind::Complaint(self.exchange[dealer]),
            Kind::Ordinary => Kind::Ordinary,
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
            (_, round) => ["HELLO", "DEAL", "PREPARE", "COMMIT", "FINAL"][round].into(),
        };
        let view: Vec<String> = s.view.iter().map(|id| self.brief(*id)).collect();
        let flaw = match s.flaw {
            Flaw::Sound => String::new(),
            Flaw::Public => ", wrong".into(),
            Flaw::Boxes(seats) => format!(", bad boxes for seats {seats:03b}"),
        };
        let over =
            if s.round == HELLO { String::new() } else { format!(" over [{}]", view.join(" ")) };
        format!("#{id} = {name} of {}{over}, variant {}{flaw}", s.sender, s.variant)
    }
}
