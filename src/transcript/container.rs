//! The file format of transcripts. Every length follows from the spec at its start, so no length
//! field has to be trusted and no bytes are left over. This file has the format of complete
//! ceremonies; [`super::stopped`] has the other one.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `QTRN` |
//! | 2 | version, big-endian: 1 |
//! | 1 | kind: 1, a complete key generation; 2, a set of statements; 3, a complete reshare or import; 4, one that was finished without seats that are lost; 5, a complete repair |
//! | 1 | zero |
//! | 4 | length of the spec, big-endian |
//! | that many | the spec's canonical bytes |
//! | of a reshare or repair `96·V·t` | the rows of its parent, `t` being the parent's threshold |
//! | of kind 4 `n` | a byte for each seat: 1 if its final is here, else 0 |
//! | each its own size ([`Shape::statement_bytes`]) | every statement that is owed: R0 by index, then R1, R2, R3, R4 |
//! | of a reshare or import 2 | number of statements of minima |
//! | each its own size | the minima, by sender and digest |
//! | of kind 4: 2 | number of statements that finish without others |
//! | `172 + 32 + n` each | these, by sender and digest |
//!
//! There is no section of outputs: combined signatures and deposit data follow from R3.

use std::sync::Arc;

use crate::message::envelope::{Kind, Round};
use crate::message::minima::{MINIMA_ROUND, MOST_MINIMA};
use crate::message::shape::Shape;
use crate::message::without::WITHOUT_ROUND;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::CeremonyKind;
use crate::spec::parent::{read_rows, rows_bytes, write_rows};
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

pub use super::error::{ContainerError, Incomplete};
pub(crate) use super::written::adds;
pub use super::written::{encode, is_same_completion};

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
    /// Every statement of a complete reshare, with the rows of its parent; or of an import.
    Reshared = 3,
    /// The same without the finals of seats that are lost, and with the word of all others that
    /// they finish without them.
    Without = 4,
    /// Every statement of a complete repair, with the rows of its parent.
    Repaired = 5,
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
            4 => ContainerKind::Without,
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
            .each(ceremony.parent_shares().filter(|_| has_rows(ceremony)), write_rows)
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
            | (ContainerKind::Repaired, CeremonyKind::Repair)
            | (
                ContainerKind::Reshared | ContainerKind::Without,
                CeremonyKind::Reshare | CeremonyKind::Import,
            )
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
        let spec = ceremony.reshare().filter(|_| has_rows(&ceremony));
        let Some(spec) = spec else { return Ok(ceremony) };
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
    /// bytes.
    fn total_bytes(&self, ceremony: &Ceremony, shape: &Shape, counts: &Counts) -> u64 {
        let slots = shape.slots().filter(|slot| counts.holds(shape, slot));
        let statements: usize = slots.map(|slot| slot_bytes(shape, slot)).sum();
        let fixed = match self.kind {
            ContainerKind::Complete | ContainerKind::Stopped | ContainerKind::Repaired => 0,
            ContainerKind::Reshared => COUNT_BYTES,
            ContainerKind::Without => shape.n + 2 * COUNT_BYTES,
        };
        let wide = |size: usize| u64::try_from(size).expect("a size fits 64 bits");
        wide(self.statements_at(ceremony) + statements + fixed)
            + wide(counts.minima) * wide(minima_bytes(shape))
            + wide(counts.withouts) * wide(without_bytes(shape))
    }
}

/// How much there is of what is not in every transcript of a ceremony.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Whose finals are missing.
    pub(super) lacking: Seats,
    pub(super) minima: usize,
    pub(super) withouts: usize,
}

impl Counts {
    pub(super) fn holds(&self, shape: &Shape, (round, sender): &(Round, Index)) -> bool {
        *round != shape.last_round() || !self.lacking.contains(*sender)
    }
}

/// Bytes of a statement that finishes without others; 0 where nobody makes one.
fn without_bytes(shape: &Shape) -> usize {
    let first = Seats::first(shape.n).iter().next();
    first.and_then(|seat| shape.bytes_of(seat, Kind::Without, WITHOUT_ROUND)).unwrap_or(0)
}

/// The most of them with which a reshare is finished without `lacking`: each of the others names
/// one more seat with each.
fn most_withouts(shape: &Shape, lacking: usize) -> usize {
    lacking * shape.n.saturating_sub(lacking)
}

/// Whether the rows of a parent stand behind the spec: of a reshare. An import's are its keys.
fn has_rows(ceremony: &Ceremony) -> bool {
    matches!(ceremony.kind(), CeremonyKind::Reshare | CeremonyKind::Repair)
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
        ContainerKind::Complete
        | ContainerKind::Reshared
        | ContainerKind::Without
        | ContainerKind::Repaired => {
            let withouts = match header.kind {
                ContainerKind::Without => most_withouts(&shape, shape.n / 2),
                _ => 0,
            };
            let counts =
                Counts { lacking: Seats::default(), minima: most_minima(&shape), withouts };
            header.total_bytes(&ceremony, &shape, &counts)
        }
    })
}

/// The first import among these transcripts, whose chain was audited before.
pub fn import_among<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> Option<Ceremony> {
    let ceremony = |bytes: &[u8]| Header::parse(bytes).ok()?.agreed(bytes).ok();
    files.into_iter().filter_map(ceremony).find(|one| one.kind() == CeremonyKind::Import)
}

fn slot_bytes(shape: &Shape, (round, sender): (Round, Index)) -> usize {
    shape.statement_bytes(sender, round).expect("a slot is of a statement that is owed")
}

/// The digest of a transcript: what is published beside the deposit file.
pub fn digest(bytes: &[u8]) -> Digest {
    tagged(Tag::Transcript, &[bytes])
}

/// A transcript cut into statements, none of them verified yet.
pub struct Container<'a> {
    ceremony: Arc<Ceremony>,
    shape: Shape,
    lacking: Seats,
    statements: &'a [u8],
    minima: Vec<&'a [u8]>,
    withouts: Vec<&'a [u8]>,
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
        let shape = Shape::of(&ceremony);
        let at = header.statements_at(&ceremony);
        let (reshared, finals_bytes) = match header.kind {
            ContainerKind::Stopped => return Err(ContainerError::NotComplete),
            ContainerKind::Complete | ContainerKind::Repaired => (false, 0),
            ContainerKind::Reshared => (true, 0),
            ContainerKind::Without => (true, shape.n),
        };
        let finals = bytes.get(at..at + finals_bytes).unwrap_or_default();
        let mut counts = Counts { lacking: lacking_finals(finals)?, ..Counts::default() };
        let slots = shape.slots().filter(|slot| counts.holds(&shape, slot));
        let length: usize = slots.map(|slot| slot_bytes(&shape, slot)).sum();
        let start = at + finals_bytes;
        // Each part begins where the one before it ends; where one is cut off, so is the whole.
        let minima_at = start + length + if reshared { COUNT_BYTES } else { 0 };
        if reshared {
            counts.minima = count(bytes, minima_at);
        }
        let most = most_minima(&shape);
        if counts.minima > most {
            return Err(ContainerError::Minima { most, actual: counts.minima });
        }
        let minima_end = minima_at + counts.minima * minima_bytes(&shape);
        let withouts_at = minima_end + if finals_bytes > 0 { COUNT_BYTES } else { 0 };
        if finals_bytes > 0 {
            counts.withouts = count(bytes, withouts_at);
        }
        let most = most_withouts(&shape, counts.lacking.len());
        if counts.withouts > most {
            return Err(ContainerError::Withouts { most, actual: counts.withouts });
        }
        let actual = u64::try_from(bytes.len()).expect("a size fits 64 bits");
        let expected = header.total_bytes(&ceremony, &shape, &counts);
        let parts = (
            bytes.get(start..start + length),
            bytes.get(minima_at..minima_end),
            bytes.get(withouts_at..),
        );
        match parts {
            (Some(statements), Some(minima), Some(withouts)) if expected == actual => Ok(Self {
                statements,
                lacking: counts.lacking,
                minima: pieces(minima, minima_bytes(&shape)),
                withouts: pieces(withouts, without_bytes(&shape)),
                ceremony,
                shape,
            }),
            _ => Err(ContainerError::Length { expected, actual }),
        }
    }

    /// Whose finals are missing: the reshare was finished without them.
    pub fn lacking(&self) -> Seats {
        self.lacking
    }

    /// The bytes of each statement of minima, in the order of the file.
    pub fn minima(&self) -> &[&'a [u8]] {
        &self.minima
    }

    /// The bytes of each statement that finishes without others, in the order of the file.
    pub fn withouts(&self) -> &[&'a [u8]] {
        &self.withouts
    }

    /// What was agreed.
    pub fn ceremony(&self) -> &Arc<Ceremony> {
        &self.ceremony
    }

    /// The sizes that follow from it.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whose statements of `round` are here: of each that owes one, but finals of seats that are
    /// lost.
    pub fn speakers(&self, round: Round) -> Seats {
        match round == self.shape.last_round() {
            true => self.shape.speakers(round).minus(self.lacking),
            false => self.shape.speakers(round),
        }
    }

    /// The bytes at the place of `sender`'s statement of `round`; `None` if it owes none, or is
    /// lost.
    pub fn statement(&self, round: Round, sender: Index) -> Option<&'a [u8]> {
        if !self.speakers(round).contains(sender) {
            return None;
        }
        let place = self.shape.slot(round, sender)?;
        let counts = Counts { lacking: self.lacking, ..Counts::default() };
        let earlier = self.shape.slots().take(place).filter(|slot| counts.holds(&self.shape, slot));
        let at: usize = earlier.map(|slot| slot_bytes(&self.shape, slot)).sum();
        let size = slot_bytes(&self.shape, (round, sender));
        self.statements.get(at..at + size)
    }
}

/// Whose finals are missing, by a byte for each seat; nobody's where there are no such bytes.
fn lacking_finals(flags: &[u8]) -> Result<Seats, ContainerError> {
    if flags.iter().any(|flag| *flag > 1) {
        return Err(ContainerError::Finals("neither 0 nor 1"));
    }
    let missing = flags.iter().enumerate().filter(|(_, flag)| **flag == 0);
    let missing: Seats = missing.filter_map(|(at, _)| Index::from_position(at)).collect();
    match missing.is_empty() && !flags.is_empty() {
        true => Err(ContainerError::Finals("all are, and then the kind is 3")),
        false => Ok(missing),
    }
}

/// The number that ends at `end`; 0 if it is cut off.
fn count(bytes: &[u8], end: usize) -> usize {
    let two = bytes.get(end.saturating_sub(COUNT_BYTES)..end);
    two.map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])))
}

fn pieces(bytes: &[u8], size: usize) -> Vec<&[u8]> {
    if size == 0 { Vec::new() } else { bytes.chunks(size).collect() }
}
