//! The file format of transcripts. Every length follows from the spec at its start, so no length
//! field has to be trusted and no bytes are left over. This file has the format of complete
//! ceremonies; [`super::stopped`] has the other one.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `QTRN` |
//! | 2 | version, big-endian: 1 |
//! | 1 | kind: 1, a complete key generation; 2, a set of statements; 3, a complete reshare; 5, a complete repair |
//! | 1 | zero |
//! | 4 | length of the spec, big-endian |
//! | that many | the spec's canonical bytes |
//! | of a reshare or repair `96·V·t` | the rows of its parent, `t` being the parent's threshold |
//! | each its own size ([`Shape::statement_bytes`]) | every statement that is owed: R0 by index, then R1, R2, R3, R4 |
//! | of a reshare 2 | number of statements of minima |
//! | each its own size | the minima, by sender and digest |
//!
//! There is no section of outputs: combined signatures and deposit data follow from R3.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::envelope::{Kind, Reject, Round, Statement};
use crate::message::minima::{MINIMA_ROUND, MOST_MINIMA, Minima};
use crate::message::shape::Shape;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::spec::ceremony::Ceremony;
use crate::spec::error::SpecError;
use crate::spec::kind::CeremonyKind;
use crate::spec::parent::{ParentError, read_rows, rows_bytes, write_rows};
use crate::spec::threshold::Index;

/// Bytes before the spec.
pub const HEADER_BYTES: usize = 12;
/// Longest spec that a header may announce, in bytes; what of it is a spec at all is the spec's to
/// say.
pub const MOST_SPEC_BYTES: usize = 4 << 20;
/// The only version there is.
pub const CONTAINER_VERSION: u16 = 1;
const MAGIC: [u8; 4] = *b"QTRN";

/// What a container holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ContainerKind {
    /// Every statement of a complete ceremony.
    Complete = 1,
    /// Some statements of a ceremony: all that an operator held when it stopped, or those that
    /// prove a fault.
    Stopped = 2,
    /// Every statement of a complete reshare, with the rows of its parent.
    Reshared = 3,
    /// Every statement of a complete repair, with the rows of its parent.
    Repaired = 5,
}

/// Why bytes are not a transcript.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// Cut off within the header, the spec or a statement.
    #[error("cut off: {0}")]
    Cut(DecodeError),
    /// Goes on behind its last statement.
    #[error("too long: {0}")]
    Long(DecodeError),
    /// The first four bytes are not a transcript's.
    #[error("not a transcript: it does not start with \"QTRN\"")]
    Magic,
    /// Another version.
    #[error("transcript version {0}; this program reads version {CONTAINER_VERSION}")]
    Version(u16),
    /// Another kind.
    #[error(
        "transcript kind {0}; this program reads kinds 1 (a complete ceremony), 2 (a stopped \
         ceremony), 3 (a complete reshare) and 5 (a complete repair)"
    )]
    Kind(u8),
    /// A set of statements, where a transcript is needed.
    #[error("this is a set of statements, not a transcript")]
    NotComplete,
    /// A complete transcript, where evidence is needed.
    #[error("this is the transcript of a complete ceremony, not evidence of a fault")]
    NotStopped,
    /// More statements than the operators of this ceremony can leave.
    #[error("{actual} statements; the limit for this ceremony is {most}")]
    Statements {
        /// The most there can be.
        most: usize,
        /// How many there are said to be.
        actual: usize,
    },
    /// More statements of one operator than it can leave with one that keeps the rules.
    #[error("statement {at}: more than {most} of operator {} {}", sender.get(), crowd(*round))]
    Crowd {
        /// Which one is too many, from 1.
        at: usize,
        /// Whose.
        sender: Index,
        /// Of which round; none of abandonments.
        round: Option<Round>,
        /// The most there can be.
        most: usize,
    },
    /// Statement number so and so (from 1) names another session than those before it.
    #[error("statement {0}: of another session than those before it; a file holds one session")]
    Sessions(usize),
    /// Statements are in a strict order, so that there is one encoding of a set.
    #[error("statement {0} is out of order or repeated")]
    Order(usize),
    /// Statement number so and so (from 1) is not one of this ceremony.
    #[error("statement {0}: {1}")]
    Statement(usize, Reject),
    /// The reserved byte is set.
    #[error("the reserved byte of the header is {0}, not zero")]
    Reserved(u8),
    /// The spec is said to be longer than the limit can be.
    #[error("a spec of {0} bytes; the limit is {MOST_SPEC_BYTES}")]
    SpecLength(usize),
    /// A container of one kind around the spec of a ceremony of another.
    #[error("a transcript of kind {container} cannot hold a ceremony of kind {ceremony}")]
    OtherKind {
        /// The container's kind.
        container: u8,
        /// The ceremony's.
        ceremony: u8,
    },
    /// The rows behind the spec of a reshare are not those that it names.
    #[error("the parent's commitments: {0}")]
    Rows(ParentError),
    /// The spec breaks a rule.
    #[error("the spec: {0}")]
    Spec(SpecError),
    /// More statements of minima than dealers can leave.
    #[error("{actual} statements of minima; the limit for this ceremony is {most}")]
    Minima {
        /// The most there can be.
        most: usize,
        /// How many there are said to be.
        actual: usize,
    },
    /// The length is not the one that the spec gives.
    #[error("{actual} bytes, but the spec requires {expected}")]
    Length {
        /// Bytes that the spec gives.
        expected: u64,
        /// Bytes there are.
        actual: u64,
    },
}

impl From<DecodeError> for ContainerError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Trailing { .. } => Self::Long(error),
            error => Self::Cut(error),
        }
    }
}

fn crowd(round: Option<Round>) -> String {
    round.map_or_else(|| "that give up".to_owned(), |round| format!("for round {}", round.number()))
}

/// A statement that a complete transcript needs is not at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the statement of round {} by operator {} is missing or out of \
         order", round.number(), sender.get())]
pub struct Incomplete {
    /// Its round.
    pub round: Round,
    /// Its sender.
    pub sender: Index,
}

/// The first twelve bytes, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    kind: ContainerKind,
    spec_bytes: usize,
}

impl Header {
    /// Reads the header at the front of `bytes`; whatever follows it is not looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, ContainerError> {
        let header = bytes.get(..HEADER_BYTES).unwrap_or(bytes);
        let fields = Reader::all(header, |r| {
            Ok((
                r.array::<4>("magic")?,
                r.u16("version")?,
                r.u8("kind")?,
                r.u8("reserved")?,
                r.u32("spec length")?,
            ))
        });
        let (magic, version, kind, reserved, length) = fields.map_err(ContainerError::from)?;
        let spec_bytes = usize::try_from(length).unwrap_or(usize::MAX);
        if magic != MAGIC {
            return Err(ContainerError::Magic);
        }
        if version != CONTAINER_VERSION {
            return Err(ContainerError::Version(version));
        }
        let kind = match kind {
            1 => ContainerKind::Complete,
            2 => ContainerKind::Stopped,
            3 => ContainerKind::Reshared,
            5 => ContainerKind::Repaired,
            _ => return Err(ContainerError::Kind(kind)),
        };
        match reserved {
            0 if spec_bytes <= MOST_SPEC_BYTES => Ok(Self { kind, spec_bytes }),
            0 => Err(ContainerError::SpecLength(spec_bytes)),
            _ => Err(ContainerError::Reserved(reserved)),
        }
    }

    pub(super) fn write(kind: ContainerKind, ceremony: &Ceremony) -> Writer {
        let spec = ceremony.canonical();
        let length = u32::try_from(spec.len()).expect("a spec is at most 4 MiB");
        Writer::default()
            .bytes(&MAGIC)
            .u16(CONTAINER_VERSION)
            .u8(kind as u8)
            .u8(0)
            .u32(length)
            .bytes(spec)
            .each(ceremony.parent_shares(), write_rows)
    }

    /// What the container holds.
    pub fn kind(&self) -> ContainerKind {
        self.kind
    }

    /// Bytes of header and spec: what [`expected_len`] needs.
    pub fn prefix_bytes(&self) -> usize {
        HEADER_BYTES + self.spec_bytes
    }

    /// The spec's canonical bytes, at the front of `bytes`, which begin with this header.
    pub fn spec<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], ContainerError> {
        let missing = self.prefix_bytes().saturating_sub(bytes.len());
        bytes
            .get(HEADER_BYTES..self.prefix_bytes())
            .ok_or(ContainerError::Cut(DecodeError::Short { what: "spec", missing }))
    }

    /// The ceremony that the spec at the front of `bytes` says, of a reshare with the rows of its
    /// parent; whatever follows is not looked at.
    pub fn ceremony(&self, bytes: &[u8]) -> Result<Ceremony, ContainerError> {
        self.with_rows(self.agreed(bytes)?, bytes)
    }

    /// The ceremony that the spec at the front of `bytes` says; whatever follows it is not looked
    /// at.
    pub fn agreed(&self, bytes: &[u8]) -> Result<Ceremony, ContainerError> {
        let ceremony = Ceremony::from_canonical(self.spec(bytes)?).map_err(ContainerError::Spec)?;
        self.takes(&ceremony)?;
        Ok(ceremony)
    }

    /// Whether a container of this kind holds what ceremonies of this kind leave.
    fn takes(&self, ceremony: &Ceremony) -> Result<(), ContainerError> {
        match (self.kind, ceremony.kind()) {
            (ContainerKind::Complete, CeremonyKind::Dkg)
            | (ContainerKind::Reshared, CeremonyKind::Reshare)
            | (ContainerKind::Repaired, CeremonyKind::Repair)
            | (ContainerKind::Stopped, _) => Ok(()),
            (container, of) => {
                Err(ContainerError::OtherKind { container: container as u8, ceremony: of.number() })
            }
        }
    }

    /// `ceremony`, which the spec in `bytes` says, with the rows that follow it there if it is a
    /// reshare.
    ///
    /// # Errors
    /// A ceremony that a container of this kind does not hold; rows that are cut off, or not those
    /// that the reshare names.
    pub fn with_rows(&self, ceremony: Ceremony, bytes: &[u8]) -> Result<Ceremony, ContainerError> {
        self.takes(&ceremony)?;
        let Some(spec) = ceremony.reshare() else { return Ok(ceremony) };
        let at = self.prefix_bytes();
        let missing = (at + rows_bytes(spec)).saturating_sub(bytes.len());
        let rows = bytes
            .get(at..at + rows_bytes(spec))
            .ok_or(ContainerError::Cut(DecodeError::Short { what: "rows", missing }))?;
        let rows = Reader::all(rows, |r| read_rows(r, spec))?;
        ceremony.with_parent_rows(rows).map_err(ContainerError::Rows)
    }

    /// Bytes of header, spec and rows: where statements begin.
    pub(super) fn statements_at(&self, ceremony: &Ceremony) -> usize {
        self.prefix_bytes() + ceremony.reshare().map_or(0, rows_bytes)
    }

    /// The length of a complete transcript that begins with this header and `ceremony`'s spec, in
    /// bytes, with as many minima.
    fn total_bytes(&self, ceremony: &Ceremony, shape: &Shape, minima: usize) -> u64 {
        let statements: usize = shape.slots().map(|slot| slot_bytes(shape, slot)).sum();
        let count = if self.kind == ContainerKind::Reshared { COUNT_BYTES } else { 0 };
        let wide = |size: usize| u64::try_from(size).expect("a size fits 64 bits");
        wide(self.statements_at(ceremony) + statements + count)
            + wide(minima) * wide(minima_bytes(shape))
    }
}

/// Bytes of the number of minima.
const COUNT_BYTES: usize = 2;

/// Bytes of a statement of minima; 0 where nobody makes one.
fn minima_bytes(shape: &Shape) -> usize {
    let bytes = |dealer| shape.bytes_of(dealer, Kind::Minima, MINIMA_ROUND);
    shape.stops().iter().find_map(bytes).unwrap_or(0)
}

/// The most statements of minima of a ceremony.
fn most_minima(shape: &Shape) -> usize {
    MOST_MINIMA * shape.stops().len()
}

/// The length in bytes of the transcript that begins with `prefix` (header and spec,
/// [`Header::prefix_bytes`]), so that a file's length can be compared before the file is read:
/// exact for a complete one, the longest possible for another.
pub fn expected_len(prefix: &[u8]) -> Result<u64, ContainerError> {
    let header = Header::parse(prefix)?;
    let ceremony = header.agreed(prefix)?;
    let shape = Shape::of(&ceremony);
    Ok(match header.kind {
        ContainerKind::Stopped => super::stopped::longest(&header, &ceremony),
        ContainerKind::Complete | ContainerKind::Reshared | ContainerKind::Repaired => {
            header.total_bytes(&ceremony, &shape, most_minima(&shape))
        }
    })
}

fn slot_bytes(shape: &Shape, (round, sender): (Round, Index)) -> usize {
    shape.statement_bytes(sender, round).expect("a slot is of a statement that is owed")
}

/// The container of a complete ceremony: `statements` are all of them, in order of rounds and
/// senders; behind them in any order the minima of a reshare, of which those that do not decode are
/// left out.
pub fn encode<'a>(
    ceremony: &Ceremony,
    statements: impl IntoIterator<Item = &'a Statement>,
) -> Result<Vec<u8>, Incomplete> {
    let kind = match ceremony.kind() {
        CeremonyKind::Dkg => ContainerKind::Complete,
        CeremonyKind::Reshare => ContainerKind::Reshared,
        CeremonyKind::Repair => ContainerKind::Repaired,
    };
    let mut writer = Header::write(kind, ceremony);
    let mut statements = statements.into_iter();
    let shape = Shape::of(ceremony);
    for (round, sender) in shape.slots() {
        let place = (Kind::Ordinary, round, sender);
        let next = statements.next().filter(|next| {
            (next.envelope.kind, next.envelope.round, next.envelope.sender) == place
        });
        writer = writer.bytes(next.ok_or(Incomplete { round, sender })?.bytes());
    }
    if kind != ContainerKind::Reshared {
        return Ok(writer.finish());
    }
    let minima: BTreeMap<(Index, Digest), &Statement> = statements
        .filter(|statement| statement.envelope.kind == Kind::Minima)
        .filter(|statement| Minima::fault(statement, &shape).is_none())
        .map(|statement| ((statement.envelope.sender, statement.digest()), statement))
        .collect();
    let silent = |dealer: &Index| !minima.keys().any(|(sender, _)| sender == dealer);
    if let Some(sender) = shape.stops().iter().find(silent) {
        return Err(Incomplete { round: MINIMA_ROUND, sender });
    }
    let count = u16::try_from(minima.len()).expect("at most two of 255 dealers");
    Ok(writer.u16(count).each(minima.values(), |w, said| w.bytes(said.bytes())).finish())
}

/// The digest of a transcript: what is published beside the deposit file.
pub fn digest(bytes: &[u8]) -> Digest {
    tagged(Tag::Transcript, &[bytes])
}

/// A transcript cut into statements, none of them verified yet.
pub struct Container<'a> {
    ceremony: Arc<Ceremony>,
    shape: Shape,
    statements: &'a [u8],
    minima: Vec<&'a [u8]>,
}

impl<'a> Container<'a> {
    /// Reads a whole transcript. The spec is decoded strictly, the length is exact; statements are
    /// cut, not opened.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ContainerError> {
        let header = Header::parse(bytes)?;
        let ceremony = header.ceremony(bytes)?;
        Self::cut(header, Arc::new(ceremony), bytes)
    }

    /// The second half of [`Container::parse`], for callers that have already decoded the spec.
    pub fn cut(
        header: Header,
        ceremony: Arc<Ceremony>,
        bytes: &'a [u8],
    ) -> Result<Self, ContainerError> {
        if header.kind == ContainerKind::Stopped {
            return Err(ContainerError::NotComplete);
        }
        let shape = Shape::of(&ceremony);
        let least = header.total_bytes(&ceremony, &shape, 0);
        let actual = u64::try_from(bytes.len()).expect("a size fits 64 bits");
        let size = minima_bytes(&shape);
        let end = usize::try_from(least).unwrap_or(usize::MAX);
        let count = match header.kind {
            ContainerKind::Reshared => bytes.get(end.saturating_sub(COUNT_BYTES)..end),
            _ => None,
        };
        let count = count.map_or(0, |count| usize::from(u16::from_be_bytes([count[0], count[1]])));
        if count > most_minima(&shape) {
            return Err(ContainerError::Minima { most: most_minima(&shape), actual: count });
        }
        let expected = header.total_bytes(&ceremony, &shape, count);
        match (bytes.get(header.statements_at(&ceremony)..), bytes.get(end..)) {
            (Some(statements), Some(minima)) if expected == actual => {
                let minima = if size == 0 { Vec::new() } else { minima.chunks(size).collect() };
                Ok(Self { ceremony, shape, statements, minima })
            }
            _ => Err(ContainerError::Length { expected, actual }),
        }
    }

    /// The bytes of each statement of minima, in the order of the file.
    pub fn minima(&self) -> &[&'a [u8]] {
        &self.minima
    }

    /// What was agreed.
    pub fn ceremony(&self) -> &Arc<Ceremony> {
        &self.ceremony
    }

    /// The sizes that follow from it.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The bytes at the place of `sender`'s statement of `round`; `None` if it owes none.
    pub fn statement(&self, round: Round, sender: Index) -> Option<&'a [u8]> {
        let place = self.shape.slot(round, sender)?;
        let earlier = self.shape.slots().take(place);
        let at: usize = earlier.map(|slot| slot_bytes(&self.shape, slot)).sum();
        let size = slot_bytes(&self.shape, (round, sender));
        self.statements.get(at..at + size)
    }
}
