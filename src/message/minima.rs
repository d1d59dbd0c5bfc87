//! Minima: what the keys of a dealer of a reshare have signed last, in its word that it has stopped
//! them. In no slot and in no view: a second one can only raise what the first one said.

use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::Digest;

use super::envelope::{Round, Statement};
use super::shape::Shape;

/// The round that minima are about: they are held before their dealer's commit counts.
pub const MINIMA_ROUND: Round = Round::Commit;
/// Bytes for each validator: a flag, slot, source epoch, target epoch.
pub const MINIMA_BYTES: usize = 1 + 3 * 8;
/// Minima that are kept of one dealer.
pub const MOST_MINIMA: usize = 2;

/// The greatest that a share key has signed, as the interchange of EIP-3076 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signed {
    /// The greatest slot of a block.
    pub slot: u64,
    /// The greatest source epoch of an attestation.
    pub source: u64,
    /// The greatest target epoch of an attestation.
    pub target: u64,
}

impl Signed {
    /// The greater of each number.
    pub fn joined(self, other: Self) -> Self {
        Self {
            slot: self.slot.max(other.slot),
            source: self.source.max(other.source),
            target: self.target.max(other.target),
        }
    }
}

/// What one dealer states: for each validator what its key has signed last, or `None` where it
/// never ran. `25·V` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minima {
    /// By validator.
    pub signed: Vec<Option<Signed>>,
}

const NEVER: u8 = 0;
const RAN: u8 = 1;

impl Minima {
    /// Why a signed statement of minima is none: its view root is not zero, or its body does not
    /// decode.
    pub fn fault(statement: &Statement, shape: &Shape) -> Option<DecodeError> {
        Self::of(statement, shape).err()
    }

    /// What a statement of minima says.
    pub fn of(statement: &Statement, shape: &Shape) -> Result<Self, DecodeError> {
        match statement.envelope.view_root {
            Digest::ZERO => Self::decode(statement.body(), shape),
            _ => Err(DecodeError::Invalid { what: "view root", why: "not zero" }),
        }
    }

    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        let what = "minima";
        let one = |r: &mut Reader<'_>| {
            let flag = r.u8(what)?;
            let signed = Signed { slot: r.u64(what)?, source: r.u64(what)?, target: r.u64(what)? };
            match flag {
                NEVER if signed == Signed::default() => Ok(None),
                NEVER => Err(DecodeError::Invalid { what, why: "a key that never ran signed" }),
                RAN => Ok(Some(signed)),
                _ => Err(DecodeError::Invalid { what, why: "an unknown flag is set" }),
            }
        };
        Reader::all(bytes, |r| Ok(Self { signed: r.many(shape.v, one)? }))
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        let put = |w: Writer, signed: &Option<Signed>| {
            let flag = if signed.is_some() { RAN } else { NEVER };
            let Signed { slot, source, target } = signed.unwrap_or_default();
            w.u8(flag).u64(slot).u64(source).u64(target)
        };
        Writer::default().each(&self.signed, put).finish()
    }

    /// The greater of each number; one that never ran raises nothing.
    pub fn joined(&self, other: &Self) -> Self {
        let join = |(own, other): (&Option<Signed>, &Option<Signed>)| match (own, other) {
            (Some(own), Some(other)) => Some(own.joined(*other)),
            (one, None) | (None, one) => *one,
        };
        Self { signed: self.signed.iter().zip(&other.signed).map(join).collect() }
    }
}
