//! The file format of stopped ceremonies: all statements that an operator held, or only those that
//! prove a fault. After header and spec, as in [`super::container`]:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | number of statements, big-endian |
//! | each its own size | the statements, by round, sender and digest, none twice |
//!
//! A statement's size follows from its kind and round and from the spec. Every set of statements
//! has one encoding.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::envelope::{ENVELOPE_BYTES, Kind, Reject, Round, Statement};
use crate::message::shape::Shape;
use crate::primitives::codec::{DecodeError, Reader};
use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::container::{ContainerError, ContainerKind, Header};

/// The most statements that `n` operators can leave with one of them: for each operator two in
/// every slot and one abandonment, the prepares that two commits of each operator may name, and
/// finals that agree with one of two of each operator.
fn most_statements(shape: &Shape) -> usize {
    11 * shape.n + 4 * shape.n * shape.n
}

/// The longest container that begins with `header`, in bytes.
pub(super) fn longest(header: &Header, shape: &Shape) -> u64 {
    let size = |round| shape.statement_bytes(round);
    let complaint = shape.bytes_of(Kind::Complaint, Round::Prepare);
    let prepare = size(Round::Prepare).max(complaint);
    let twice = 2
        * (size(Round::Hello)
            + size(Round::Deal)
            + prepare
            + size(Round::Commit)
            + size(Round::Final));
    let named = 2 * shape.n * (prepare + size(Round::Final));
    let each = twice + named + shape.bytes_of(Kind::Abandon, Round::Hello);
    let wide = |size: usize| u64::try_from(size).expect("a size fits 64 bits");
    wide(header.prefix_bytes()) + 4 + wide(each) * wide(shape.n)
}

type Place = (Round, Index, Digest);

fn place(statement: &Statement) -> Place {
    (statement.envelope.round, statement.envelope.sender, statement.digest())
}

/// The container of a set of statements; their order and repetitions do not matter.
pub fn encode<'a>(
    ceremony: &Ceremony,
    statements: impl IntoIterator<Item = &'a Statement>,
) -> Vec<u8> {
    let sorted: BTreeMap<Place, &Statement> =
        statements.into_iter().map(|statement| (place(statement), statement)).collect();
    let count = u32::try_from(sorted.len()).expect("a participant holds few statements");
    let writer = Header::write(ContainerKind::Stopped, ceremony).u32(count);
    writer.each(sorted.into_values(), |w, statement| w.bytes(statement.bytes())).finish()
}

/// Statements of a ceremony that was not completed. Each was signed by its sender; whether its
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
        let rest = bytes.get(header.prefix_bytes()..).unwrap_or_default();
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
        let mut last: Option<Place> = None;
        let mut statements = Vec::new();
        for (i, bytes) in cut.map_err(ContainerError::Cut)??.into_iter().enumerate() {
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
            statements.push(statement);
        }
        Ok(Self { ceremony, statements })
    }
}

/// The next statement's bytes: kind and round stand at a fixed place of its envelope.
fn next<'a>(r: &mut Reader<'a>, shape: &Shape) -> Result<&'a [u8], DecodeError> {
    let (kind, round) =
        r.peek(ENVELOPE_BYTES).map_or((0, 0), |envelope| (envelope[6], envelope[7]));
    let size = Round::from_number(round)
        .and_then(|round| Some(shape.bytes_of(Kind::from_number(kind, round)?, round)));
    r.bytes("statement", size.unwrap_or(ENVELOPE_BYTES))
}
