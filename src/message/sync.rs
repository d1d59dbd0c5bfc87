//! Frames between two operators: which statements they hold, and the statements and share boxes
//! themselves. Frames are not trusted: a statement carries its own signature, and a box is checked
//! against the signed digest.

use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

use super::done::{DONE_BYTES, Done};
use super::envelope::Round;
use super::minima::MOST_MINIMA;
use super::probe::{PROBE_BYTES, Probe};
use super::shape::Shape;

const HAVE: u8 = 1;
const STATEMENT: u8 = 2;
const SHARE_BOX: u8 = 3;
const WANT: u8 = 4;
const DONE: u8 = 5;
const PROBE: u8 = 6;

/// Which slots an operator holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// The sender is stuck and takes any statement from anybody, not only its author's own.
    pub help: bool,
    /// Envelope digests of all that is owed ([`Shape::slots`]); `None` for an empty slot.
    pub slots: Vec<Option<Digest>>,
    /// Whether the share box of each dealer is held (or not needed), by index of the dealers.
    pub boxes: Vec<bool>,
    /// Of whom the sender has noted, durably, that it holds everything, by index.
    pub confirmed: Vec<bool>,
    /// In a reshare: the minima that are held of each dealer, by index of the dealers.
    pub minima: Vec<[Option<Digest>; MOST_MINIMA]>,
}

impl Have {
    /// The digest of a slot.
    pub fn slot(&self, shape: &Shape, round: Round, index: Index) -> Option<Digest> {
        self.slots.get(shape.slot(round, index)?).copied().flatten()
    }

    /// Whether the sender has room for these minima of `dealer`, and does not hold them.
    pub fn lacks_minima(&self, shape: &Shape, dealer: Index, digest: &Digest) -> bool {
        let place = shape.stops().place(dealer);
        let held = place.and_then(|place| self.minima.get(place));
        held.is_some_and(|held| held.contains(&None) && !held.contains(&Some(*digest)))
    }

    /// Whether every slot of the last round is held: the sender needs nothing more.
    pub fn is_complete(&self, shape: &Shape) -> bool {
        let count = shape.slot_count();
        let last = count - shape.speakers(shape.last_round()).len();
        self.slots.len() == count && self.slots[last..].iter().all(Option::is_some)
    }

    /// Whether the sender, `who`, has noted of everybody else that it holds everything.
    pub fn knows_all_done(&self, who: Index) -> bool {
        let mut others = self.confirmed.iter().enumerate();
        others.all(|(position, noted)| *noted || position == who.position())
    }

    /// Whether the sender needs the share box of `dealer`.
    pub fn lacks_box(&self, shape: &Shape, dealer: Index) -> bool {
        let place = shape.parts.dealers.place(dealer);
        place.and_then(|place| self.boxes.get(place)) == Some(&false)
    }
}

/// A unit that a carrier moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// `1 ‖ help ‖ a digest for each statement that is owed ‖ a byte for each dealer ‖ a byte for
    /// each seat`: in a key generation `5n` digests and `n + n` bytes. In a reshare two digests
    /// more for each dealer, of minima.
    Have(Have),
    /// `2 ‖ statement`.
    Statement(Vec<u8>),
    /// `3 ‖ dealer ‖ recipient ‖ box`. Anybody may carry it: only its recipient can open it, and
    /// its dealer has signed its digest.
    ShareBox {
        /// Who dealt it.
        dealer: Index,
        /// For whom.
        recipient: Index,
        /// The box.
        sealed: Vec<u8>,
    },
    /// `4 ‖ dealer ‖ recipient`: the box of `dealer` for `recipient` is missing.
    Want {
        /// Who dealt it.
        dealer: Index,
        /// For whom.
        recipient: Index,
    },
    /// `5 ‖ index ‖ certificate ‖ signature`: an operator has finished. Anybody may carry it.
    Done(Done),
    /// `6 ‖ time (8) ‖ length (1) ‖ version`: a program that only tries the connection. A
    /// participant passes over it.
    Probe(Probe),
}

fn boolean(r: &mut Reader<'_>, what: &'static str) -> Result<bool, DecodeError> {
    match r.u8(what)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Invalid { what, why: "neither 0 nor 1" }),
    }
}

fn slot(r: &mut Reader<'_>, what: &'static str) -> Result<Option<Digest>, DecodeError> {
    let digest = Digest(r.array(what)?);
    Ok((digest != Digest::ZERO).then_some(digest))
}

fn seat(r: &mut Reader<'_>, what: &'static str, shape: &Shape) -> Result<Index, DecodeError> {
    let index = Index::new(r.u16(what)?).filter(|index| index.position() < shape.n);
    index.ok_or(DecodeError::Invalid { what, why: "no seat has this index" })
}

impl Frame {
    /// The largest frame of a ceremony, in bytes: what a carrier allocates at most.
    pub fn max_bytes(shape: &Shape) -> usize {
        let statement =
            shape.slots().map(|(round, seat)| shape.longest_in(round, seat)).max().unwrap_or(0);
        let digests = shape.slot_count() + MOST_MINIMA * shape.stops().len();
        let have = 2 + 32 * digests + shape.parts.dealers.len() + shape.n;
        (1 + statement).max(5 + shape.box_bytes()).max(have).max(1 + DONE_BYTES.max(PROBE_BYTES))
    }

    /// Reads a frame; lengths follow from the spec.
    pub fn decode(bytes: &[u8], shape: &Shape) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| match r.u8("frame type")? {
            HAVE => {
                let help = boolean(r, "help")?;
                let slots = r.many(shape.slot_count(), |r| slot(r, "slot"))?;
                let boxes = r.many(shape.parts.dealers.len(), |r| boolean(r, "box"))?;
                let confirmed = r.many(shape.n, |r| boolean(r, "confirmed"))?;
                let two = |r: &mut Reader<'_>| Ok([slot(r, "minima")?, slot(r, "minima")?]);
                let minima = r.many(shape.stops().len(), two)?;
                Ok(Self::Have(Have { help, slots, boxes, confirmed, minima }))
            }
            STATEMENT => Ok(Self::Statement(r.bytes("statement", r.remaining())?.to_vec())),
            SHARE_BOX => {
                let (dealer, recipient) = (seat(r, "dealer", shape)?, seat(r, "recipient", shape)?);
                Ok(Self::ShareBox {
                    dealer,
                    recipient,
                    sealed: r.bytes("share box", shape.box_bytes())?.to_vec(),
                })
            }
            WANT => Ok(Self::Want {
                dealer: seat(r, "dealer", shape)?,
                recipient: seat(r, "recipient", shape)?,
            }),
            DONE => Ok(Self::Done(Done {
                operator: seat(r, "operator", shape)?,
                certificate: Digest(r.array("certificate")?),
                signature: r.array("signature")?,
            })),
            PROBE => Ok(Self::Probe(Probe::read(r)?)),
            _ => Err(DecodeError::Invalid { what: "frame type", why: "unknown" }),
        })
    }

    /// How many bytes [`Self::encode`] gives.
    pub fn encoded_bytes(&self) -> usize {
        match self {
            Self::Have(have) => {
                let digests = have.slots.len() + MOST_MINIMA * have.minima.len();
                2 + 32 * digests + have.boxes.len() + have.confirmed.len()
            }
            Self::Statement(bytes) => 1 + bytes.len(),
            Self::ShareBox { sealed, .. } => 5 + sealed.len(),
            Self::Want { .. } => 5,
            Self::Done(_) => 1 + DONE_BYTES,
            Self::Probe(probe) => 1 + probe.encoded_bytes(),
        }
    }

    /// Writes a frame.
    pub fn encode(&self) -> Vec<u8> {
        let w = Writer::default();
        let put = |w: Writer, slot: &Option<Digest>| w.bytes(slot.unwrap_or(Digest::ZERO).as_ref());
        match self {
            Self::Have(have) => w
                .u8(HAVE)
                .u8(u8::from(have.help))
                .each(&have.slots, put)
                .each(&have.boxes, |w, held| w.u8(u8::from(*held)))
                .each(&have.confirmed, |w, noted| w.u8(u8::from(*noted)))
                .each(have.minima.iter().flatten(), put),
            Self::Statement(bytes) => w.u8(STATEMENT).bytes(bytes),
            Self::ShareBox { dealer, recipient, sealed } => {
                w.u8(SHARE_BOX).u16(dealer.get()).u16(recipient.get()).bytes(sealed)
            }
            Self::Want { dealer, recipient } => w.u8(WANT).u16(dealer.get()).u16(recipient.get()),
            Self::Done(done) => w
                .u8(DONE)
                .u16(done.operator.get())
                .bytes(done.certificate.as_ref())
                .bytes(&done.signature),
            Self::Probe(probe) => probe.write(w.u8(PROBE)),
        }
        .finish()
    }
}
