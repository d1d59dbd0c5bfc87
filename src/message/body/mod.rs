//! The bodies of the five rounds. Layouts are fixed; sizes are in
//! [`super::shape::Shape::owes`].

use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::curve::{DecodeError as CurveError, G2};
use crate::primitives::hash::Digest;
use crate::primitives::x25519::{DhKeyError, DhPublic};
use crate::spec::threshold::Index;

use super::envelope::Round;
use super::shape::Shape;

mod commit;
mod deal;

mod encrypted_share;

pub use commit::{Commit, Misfit};
pub use deal::Deal;
pub use encrypted_share::{EncryptedShare, Publishes};

/// R0: what is fixed before anything is revealed. `64 + 32n` bytes; `64`, `32` more of a dealer,
/// and `32` for each dealer but itself of a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Fresh randomness of the operator, which makes the session unique.
    pub nonce: [u8; 32],
    /// Commitment to the dealer's polynomials; none of a seat that deals none.
    pub commitment: Option<Digest>,
    /// A recent beacon block root, or zero: evidence of "not before", as far as the anchor is
    /// trusted.
    pub anchor: [u8; 32],
    /// One-time keys for the other operators' share boxes, by index, the sender left out. In a
    /// repair a helper has one for each other helper, for the masks between them.
    pub one_time_keys: Vec<DhPublic>,
}

/// R2: stored, re-read and proven. `132 + 32n` bytes; the view alone of a seat that receives
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepare {
    /// Digests of the deals, by index.
    pub view: Vec<Digest>,
    /// What a receiver says of its shares.
    pub stored: Option<Stored>,
}

impl Prepare {
    /// Of a seat that receives and has stored its shares.
    pub fn of(view: Vec<Digest>, sums_root: Digest, possession: G2) -> Self {
        let flags = Stored::DURABLE;
        Self { view, stored: Some(Stored { sums_root, possession, flags }) }
    }
}

/// What a receiver says of its shares. `132` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Merkle root of the summed commitments.
    pub sums_root: Digest,
    /// Possession proof made from the re-read shares.
    pub possession: G2,
    /// [`Stored::DURABLE`] and nothing else.
    pub flags: u32,
}

impl Stored {
    /// The shares were written, synced and read back through a fresh descriptor.
    pub const DURABLE: u32 = 1;
}

/// R4: the agreement on outputs. `32 + 32n` bytes; `512V` more for SSV, and 161 more if an Obol
/// cluster is made. Version 1 has flags, and nothing for SSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Final {
    /// Digests of the commits, by index.
    pub view: Vec<Digest>,
    /// Output digest `O`.
    pub outputs: Digest,
    /// In version 1: [`Final::KEYSTORES`] and [`Final::ERASED`].
    pub flags: Option<u32>,
    /// The sender's share of every validator, for SSV; otherwise none.
    pub sealed: Vec<EncryptedShare>,
    /// If an Obol cluster is made: what this operator signs of its lock.
    pub lock: Option<LockSignatures>,
}

/// An operator's signatures on the hash of a cluster's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSignatures {
    /// By the sum of its shares of all validators.
    pub shares: G2,
    /// By the key of its node: `r ‖ s ‖ v`, `v` being 0 or 1.
    pub node: [u8; SIGNATURE_BYTES],
}

impl Final {
    /// The sender's keystores are written and were read back.
    pub const KEYSTORES: u32 = 1;
    /// The sender's one-time keys and polynomials are erased.
    pub const ERASED: u32 = 2;
}

pub(super) fn digests(
    r: &mut Reader<'_>,
    what: &'static str,
    count: usize,
) -> Result<Vec<Digest>, DecodeError> {
    r.many(count, |r| r.array(what).map(Digest))
}

pub(super) fn put_digests(w: Writer, digests: &[Digest]) -> Writer {
    w.each(digests, |w, digest| w.bytes(digest.as_ref()))
}

fn outside(what: &'static str) -> DecodeError {
    DecodeError::Curve { what, source: CurveError::NotInSubgroup }
}

fn flags(r: &mut Reader<'_>, known: u32) -> Result<u32, DecodeError> {
    match r.u32("flags")? {
        flags if flags & !known == 0 => Ok(flags),
        _ => Err(DecodeError::Invalid { what: "flags", why: "an unknown flag is set" }),
    }
}

fn dh_public(r: &mut Reader<'_>) -> Result<DhPublic, DecodeError> {
    let what = "one-time key";
    DhPublic::from_bytes(r.array(what)?).map_err(|error| DecodeError::Invalid {
        what,
        why: match error {
            DhKeyError::NotCanonical => "not the canonical encoding of an X25519 key",
            DhKeyError::LowOrder => "an X25519 key of low order",
        },
    })
}

impl Hello {
    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            Ok(Self {
                nonce: r.array("nonce")?,
                commitment: match shape.commits(sender) {
                    false => None,
                    true => Some(Digest(r.array("commitment")?)),
                },
                anchor: r.array("anchor")?,
                one_time_keys: r.many(shape.keyed_for(sender).len(), dh_public)?,
            })
        })
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        Writer::default()
            .bytes(&self.nonce)
            .each(&self.commitment, |w, commitment| w.bytes(commitment.as_ref()))
            .bytes(&self.anchor)
            .each(&self.one_time_keys, |w, key| w.bytes(key.as_bytes()))
            .finish()
    }
}

impl Prepare {
    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            Ok(Self {
                view: digests(r, "view", shape.view_len(Round::Prepare))?,
                stored: match shape.parts.receivers.contains(sender) {
                    false => None,
                    true => Some(Stored::read(r)?),
                },
            })
        })
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        let w = put_digests(Writer::default(), &self.view);
        w.each(&self.stored, |w, stored| {
            w.bytes(stored.sums_root.as_ref())
                .bytes(&stored.possession.to_compressed())
                .u32(stored.flags)
        })
        .finish()
    }
}

impl Stored {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let stored = Self {
            sums_root: Digest(r.array("root of the sums")?),
            possession: r.g2("possession proof")?,
            flags: flags(r, Self::DURABLE)?,
        };
        match stored.flags {
            Self::DURABLE => Ok(stored),
            _ => Err(DecodeError::Invalid { what: "flags", why: "not the flag for stored shares" }),
        }
    }
}

impl Final {
    /// Reads the body.
    pub fn decode(bytes: &[u8], shape: &Shape, sender: Index) -> Result<Self, DecodeError> {
        Reader::all(bytes, |r| {
            Ok(Self {
                view: digests(r, "view", shape.view_len(Round::Final))?,
                outputs: Digest(r.array("output digest")?),
                flags: match shape.final_has_flags() {
                    false => None,
                    true => Some(flags(r, Self::KEYSTORES | Self::ERASED)?),
                },
                sealed: EncryptedShare::read_all(r, shape, sender, Round::Final)?,
                lock: match shape.locks(sender) {
                    false => None,
                    true => Some(LockSignatures {
                        shares: r.g2("signature of the shares on the lock")?,
                        node: r.array("signature of the node on the lock")?,
                    }),
                },
            })
        })
    }

    /// Writes the body.
    pub fn encode(&self) -> Vec<u8> {
        put_digests(Writer::default(), &self.view)
            .bytes(self.outputs.as_ref())
            .each(self.flags, Writer::u32)
            .each(&self.sealed, EncryptedShare::write)
            .each(&self.lock, |w, lock| w.bytes(&lock.shares.to_compressed()).bytes(&lock.node))
            .finish()
    }
}

/// A decoded body, whatever its round.
#[derive(Clone)]
pub enum Body {
    /// R0.
    Hello(Hello),
    /// R1.
    Deal(Deal),
    /// R2.
    Prepare(Prepare),
    /// R3.
    Commit(Commit),
    /// R4.
    Final(Final),
}
