//! The file format of stopped ceremonies: all statements that an operator held, or only those that
//! prove a fault. After header and spec, as in [`super::container`]:
//!
//! | bytes | what |
//! |---|---|
//! | of a reshare `96·V·t` | the rows of its parent |
//! | 4 | number of statements, big-endian |
//! | each its own size | the statements, by round, sender and digest, none twice |
//!
//! A statement's size follows from its kind and round and from the spec. Every set of statements
//! has one encoding. A file holds no more than one operator can come to hold: so many statements of
//! a slot, and one session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::message::envelope::{ENVELOPE_BYTES, Kind, Reject, Round, Statement};
use crate::message::minima::{MINIMA_ROUND, MOST_MINIMA, Minima};
use crate::message::shape::Shape;
use crate::primitives::codec::{DecodeError, Reader};
use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;
use crate::spec::version::Version;

use super::container::{ContainerError, ContainerKind, Header};

/// The most statements of one operator for one round: two, the prepares that two commits of each
/// operator may name, and the one commit or final that passes where two others do not. In version 1
/// no third commit, and the finals that agree with one of two of each operator.
fn most_of_slot(round: Round, shape: &Shape) -> usize {
    2 + beyond_two(shape, round)
}

/// The most statements that operators can leave with one of them: what each slot takes, of each
/// operator one abandonment, and of each dealer of a reshare its minima and one that are none.
fn most_statements(shape: &Shape) -> usize {
    let minima = (MOST_MINIMA + 1) * shape.stops().len();
    minima + shape.n + shape.slots().map(|(round, _)| most_of_slot(round, shape)).sum::<usize>()
}

/// The most statements that are kept in a slot of `round` beside the first two.
fn beyond_two(shape: &Shape, round: Round) -> usize {
    match round {
        Round::Prepare => 2 * shape.speakers(Round::Commit).len(),
        Round::Commit | Round::Final if shape.version != Version::One => 1,
        last if last == shape.last_round() => 2 * shape.speakers(last).len(),
        _ => 0,
    }
}

/// What the statements so far have of the bound.
#[derive(Default)]
struct Crowd {
    /// By round, and abandonments and minima by none.
    of_operators: BTreeMap<(Option<Round>, Kind, Index), usize>,
    /// Whose minima that do not decode are here.
    malformed: BTreeSet<Index>,
    session: Option<Digest>,
}

impl Crowd {
    /// Counts statement number `at` in, if there is room for it.
    fn admit(
        &mut self,
        at: usize,
        statement: &Statement,
        shape: &Shape,
    ) -> Result<(), ContainerError> {
        let envelope = &statement.envelope;
        let (sender, round) = (envelope.sender, envelope.round);
        let (slot, kind) = match envelope.kind {
            // It is a word about a complete transcript, and stands in that.
            Kind::Without => {
                return Err(ContainerError::Crowd { at, sender, round: Some(round), most: 0 });
            }
            kind @ (Kind::Abandon | Kind::Minima) => (None, kind),
            Kind::Ordinary | Kind::Complaint => (Some(round), Kind::Ordinary),
        };
        if kind == Kind::Minima && Minima::fault(statement, shape).is_some() {
            if !self.malformed.insert(sender) {
                return Err(ContainerError::Crowd { at, sender, round: None, most: 1 });
            }
            return self.in_session(at, statement);
        }
        let held = self.of_operators.entry((slot, kind, sender)).or_default();
        *held += 1;
        let most = match slot {
            Some(round) => most_of_slot(round, shape),
            None if kind == Kind::Minima => MOST_MINIMA,
            None => 1,
        };
        if *held > most {
            return Err(ContainerError::Crowd { at, sender, round: slot, most });
        }
        match slot.is_some_and(|round| round != Round::Hello) || kind == Kind::Minima {
            true => self.in_session(at, statement),
            false => Ok(()),
        }
    }

    /// Whether statement number `at` names the same session as those before it.
    fn in_session(&mut self, at: usize, statement: &Statement) -> Result<(), ContainerError> {
        let session = statement.envelope.session;
        match self.session.replace(session).is_some_and(|last| last != session) {
            true => Err(ContainerError::Sessions(at)),
            false => Ok(()),
        }
    }
}

/// The longest container that begins with `header`, in bytes.
pub(super) fn longest(header: &Header, ceremony: &Ceremony) -> u64 {
    let shape = &Shape::of(ceremony);
    let wide = |size: usize| u64::try_from(size).expect("a size fits 64 bits");
    let slot = |(round, seat): (Round, Index)| {
        wide(2 + beyond_two(shape, round)) * wide(shape.longest_in(round, seat))
    };
    let abandonments = shape.n * (ENVELOPE_BYTES + shape.n);
    let minima = |dealer| shape.bytes_of(dealer, Kind::Minima, MINIMA_ROUND);
    let minima: usize =
        shape.stops().iter().filter_map(minima).map(|one| (MOST_MINIMA + 1) * one).sum();
    wide(header.statements_at(ceremony) + minima)
        + 4
        + shape.slots().map(slot).sum::<u64>()
        + wide(abandonments)
}

type Place = (Round, Index, Digest);

fn place(statement: &Statement) -> Place {
    (statement.envelope.round, statement.envelope.sender, statement.digest())
}

/// Without the words of those who finish a reshare without others: they stand in its transcript.
fn in_sets<'a>(
    statements: impl IntoIterator<Item = &'a Statement>,
) -> impl Iterator<Item = &'a Statement> {
    statements.into_iter().filter(|statement| statement.envelope.kind != Kind::Without)
}

/// The container of a set of statements; their order and repetitions do not matter.
pub fn encode<'a>(
    ceremony: &Ceremony,
    statements: impl IntoIterator<Item = &'a Statement>,
) -> Vec<u8> {
    let sorted: BTreeMap<Place, &Statement> =
        in_sets(statements).map(|statement| (place(statement), statement)).collect();
    let count = u32::try_from(sorted.len()).expect("a participant holds few statements");
    let writer = Header::write(ContainerKind::Stopped, ceremony).u32(count);
    writer.each(sorted.into_values(), |w, statement| w.bytes(statement.bytes())).finish()
}

/// A set of statements. Each was signed by its sender; whether its
/// session is one of this ceremony's is not checked here.
#[derive(Debug)]
pub struct Stopped {
    /// What was to be agreed.
    pub ceremony: Arc<Ceremony>,
    /// By round, sender and digest.
    pub statements: Vec<Statement>,
}

impl Stopped {
    /// Reads a whole container.
    pub fn parse(bytes: &[u8]) -> Result<Self, ContainerError> {
        let header = Header::parse(bytes)?;
        let ceremony = Arc::new(header.ceremony(bytes)?);
        Self::open(header, ceremony, bytes)
    }

    /// The second half of [`Stopped::parse`], for callers that have already decoded the spec.
    pub fn open(
        header: Header,
        ceremony: Arc<Ceremony>,
        bytes: &[u8],
    ) -> Result<Self, ContainerError> {
        if header.kind() != ContainerKind::Stopped {
            return Err(ContainerError::NotStopped);
        }
        let shape = Shape::of(&ceremony);
        let rest = bytes.get(header.statements_at(&ceremony)..).unwrap_or_default();
        let cut = Reader::all(rest, |r| {
            let count = usize::try_from(r.u32("number of statements")?).unwrap_or(usize::MAX);
            if count > most_statements(&shape) {
                return Ok(Err(ContainerError::Statements {
                    most: most_statements(&shape),
                    actual: count,
                }));
            }
            let mut statements = Vec::new();
            for _ in 0..count {
                statements.push(next(r, &shape)?);
            }
            Ok(Ok(statements))
        });
        let (mut last, mut crowd): (Option<Place>, _) = (None, Crowd::default());
        let mut statements = Vec::new();
        for (i, bytes) in cut.map_err(ContainerError::from)??.into_iter().enumerate() {
            let statement = Statement::open(bytes, &ceremony)
                .map_err(|error| ContainerError::Statement(i + 1, error))?;
            let of_hello = statement.envelope.round == Round::Hello
                || statement.envelope.kind == Kind::Abandon;
            if of_hello && statement.envelope.session != ceremony.digest() {
                return Err(ContainerError::Statement(i + 1, Reject::ForeignSession));
            }
            let here = place(&statement);
            if last.replace(here).is_some_and(|last| last >= here) {
                return Err(ContainerError::Order(i + 1));
            }
            crowd.admit(i + 1, &statement, &shape)?;
            statements.push(statement);
        }
        Ok(Self { ceremony, statements })
    }
}

/// The next statement's bytes: kind, round and sender stand at a fixed place of its envelope.
fn next<'a>(r: &mut Reader<'a>, shape: &Shape) -> Result<&'a [u8], DecodeError> {
    let size = r.peek(ENVELOPE_BYTES).and_then(|envelope| {
        let round = Round::from_number(envelope[7])?;
        let kind = Kind::from_number(envelope[6], round)?;
        let sender = Index::new(u16::from_be_bytes([envelope[8], envelope[9]]));
        // Who has no seat is refused when the statement is opened: cut it as if the first that
        // could have made it had.
        let seated = sender.and_then(|sender| shape.bytes_of(sender, kind, round));
        let first =
            || Seats::first(shape.n).iter().find_map(|seat| shape.bytes_of(seat, kind, round));
        seated.or_else(first)
    });
    r.bytes("statement", size.unwrap_or(ENVELOPE_BYTES))
}
