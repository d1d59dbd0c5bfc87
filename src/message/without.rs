//! Finishing a reshare without seats that are lost: who has signed that it does without whom. In no
//! slot and in no view: what an operator does without is all that it has ever named.

use std::collections::BTreeMap;

use crate::identity::key::OperatorKey;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::Digest;
use crate::spec::reshare::ReshareSpec;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::envelope::{Kind, Round, Statement};
use super::shape::Shape;

/// The round that it is about: whoever signs one has signed its final.
pub const WITHOUT_ROUND: Round = Round::Final;

/// "I have signed my final, hold all commits, and finish without these seats."
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Without {
    /// The certificate of the reshare that is finished.
    pub certificate: Digest,
    /// Who is lost.
    pub seats: Seats,
}

impl Without {
    /// Bytes of the body: the certificate, and a byte for each seat.
    pub const fn bytes(n: usize) -> usize {
        32 + n
    }

    /// What a statement says.
    ///
    /// # Errors
    /// It says nothing: a view root that is not zero, a body that does not decode, or a sender that
    /// names itself. Nobody keeps it, and nobody is at fault.
    pub fn of(statement: &Statement, shape: &Shape) -> Result<Self, DecodeError> {
        let invalid = |what, why| Err(DecodeError::Invalid { what, why });
        if statement.envelope.view_root != Digest::ZERO {
            return invalid("view root", "not zero");
        }
        let without = Self::decode(statement.body(), shape)?;
        match without.seats.contains(statement.envelope.sender) {
            true => invalid("lost seats", "the sender itself"),
            false => Ok(without),
        }
    }

    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            let certificate = Digest(r.array("certificate")?);
            let seats = read_seats(r, shape, "lost seats")?;
            match seats.is_empty() {
                true => Err(DecodeError::Invalid { what: "lost seats", why: "none" }),
                false => Ok(Self { certificate, seats }),
            }
        })
    }

    /// Writes the body, for a reshare of `n` seats.
    pub fn encode(&self, n: usize) -> Vec<u8> {
        write_seats(Writer::default().bytes(self.certificate.as_ref()), self.seats, n).finish()
    }

    /// Signs it, in a session of the current version.
    pub fn sign(&self, key: &OperatorKey, sender: Index, session: Digest, n: usize) -> Statement {
        let (kind, none, body) = (Kind::Without, Digest::ZERO, self.encode(n));
        Statement::sign_kind(kind, key, sender, WITHOUT_ROUND, session, none, &body)
    }
}

/// A set of seats as a byte for each seat, 1 for those in it.
pub(crate) fn read_seats(
    r: &mut Reader<'_>,
    shape: &Shape,
    what: &'static str,
) -> Result<Seats, DecodeError> {
    let flag = |r: &mut Reader<'_>| match r.u8(what)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Invalid { what, why: "neither 0 nor 1" }),
    };
    let flags = r.many(shape.n, flag)?;
    let there = flags.into_iter().enumerate().filter(|(_, there)| *there);
    Ok(there.filter_map(|(position, _)| Index::from_position(position)).collect())
}

/// See [`read_seats`].
pub(crate) fn write_seats(w: Writer, seats: Seats, n: usize) -> Writer {
    w.each(Seats::first(n).iter(), |w, seat| w.u8(u8::from(seats.contains(seat))))
}

/// The fewest seats without which a reshare is finished: whoever has no final, or does not do
/// without them all. `said` is what each has named, joined. Whether enough are left is
/// [`enough`]'s question. `None` if nobody is left.
pub fn left_out(shape: &Shape, finals: Seats, said: &BTreeMap<Index, Seats>) -> Option<Seats> {
    let everybody = Seats::first(shape.n);
    let mut lost = everybody.minus(finals);
    loop {
        // Who does not do without all of them is one of them: the set only grows, and so this is
        // the least that fulfils its own condition.
        let agrees = |seat: &Index| lost.is_within(said.get(seat).copied().unwrap_or_default());
        let others = everybody.minus(lost).iter().filter(|seat| !agrees(seat));
        let more = lost.joined(others.collect());
        if more == lost {
            return Some(lost).filter(|lost| lost.len() < shape.n);
        }
        lost = more;
    }
}

/// Who is left when seats are lost, where that is too few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{bound} of the parent's {operators} operators deal or witness and are left, where more than \
     half are needed; and {receivers} receivers, where {threshold} are needed"
)]
pub struct TooFew {
    /// Dealers and witnesses that are left: their finals bind them.
    pub bound: usize,
    /// Operators of the parent.
    pub operators: usize,
    /// Receivers that are left.
    pub receivers: usize,
    /// Receivers that sign together.
    pub threshold: usize,
}

/// Whether those that are left without `lost` can finish: more than half of the parent's operators
/// deal or witness and are left, so that fewer than its threshold are not bound, and any two sets
/// that finish share one; and as many receivers as sign together.
pub fn enough(spec: &ReshareSpec, shape: &Shape, lost: Seats) -> Result<(), TooFew> {
    let left = |seats: Seats| seats.minus(lost).len();
    let found = TooFew {
        bound: left(shape.stops()),
        operators: spec.origin.holders(),
        receivers: left(shape.parts.receivers),
        threshold: shape.t,
    };
    match 2 * found.bound > found.operators && found.receivers >= found.threshold {
        true => Ok(()),
        false => Err(found),
    }
}
