//! One child only: an operator commits its shares of a validator to one reshare, and to a second
//! one only after it has abandoned the first. The rule, over notes and logs that somebody else
//! keeps. Sections 13.5 and 14.6 of the specification.

use crate::message::envelope::{Kind, Round, Statement};
use crate::message::shape::Shape;
use crate::primitives::codec::{Reader, Writer};
use crate::primitives::hash::{Digest, sha256};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

const MAGIC: &[u8; 4] = b"QCHD";
const VERSION: u16 = 1;

/// A reshare or import to which an operator commits what it deals or receives; as a note, durable
/// before the commit leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Certificate of the ceremony whose shares it deals anew; of an import zero.
    pub parent: Digest,
    /// Digest of the reshare's file.
    pub reshare: Digest,
    /// The keys of its validators, compressed.
    pub validators: Vec<[u8; 48]>,
}

impl Child {
    /// Bytes of the longest note: 8192 keys, and what stands around them.
    pub const LONGEST: u64 = 4 + 2 + 32 + 32 + 4 + 48 * 8192 + 32;

    /// What an operator notes when it commits to a ceremony; `None` if that makes keys. The keys of
    /// an import are no ceremony's: it has zero in the place of a certificate, which is no digest.
    /// A repair is noted nowhere, and refused beside a reshare.
    pub fn of(ceremony: &Ceremony) -> Option<Self> {
        let reshare = ceremony.reshare()?;
        Some(Self {
            parent: reshare.origin.parent().map_or(Digest::ZERO, |parent| parent.certificate),
            reshare: ceremony.digest(),
            validators: reshare.validators.iter().map(|validator| validator.key).collect(),
        })
    }

    /// Whether both deal shares of one validator of one parent, and are not one reshare.
    pub fn excludes(&self, other: &Self) -> bool {
        self.parent == other.parent
            && self.reshare != other.reshare
            && self.validators.iter().any(|key| other.validators.contains(key))
    }

    /// The note, with a digest behind it: a damaged one must not look like another.
    pub fn encode(&self) -> Vec<u8> {
        let count = u32::try_from(self.validators.len()).expect("at most 8192 validators");
        let w = Writer::default()
            .bytes(MAGIC)
            .u16(VERSION)
            .bytes(self.parent.as_bytes())
            .bytes(self.reshare.as_bytes());
        let mut bytes = w.u32(count).each(&self.validators, |w, key| w.bytes(key)).finish();
        bytes.extend(sha256(&[&bytes]));
        bytes
    }

    /// Reads a note; `None` if it is damaged.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
        if sha256(&[body]) != digest {
            return None;
        }
        let what = "child";
        let read = |r: &mut Reader<'_>| {
            let magic: [u8; 4] = r.array(what)?;
            let version = r.u16(what)?;
            let (parent, reshare) = (Digest(r.array(what)?), Digest(r.array(what)?));
            let count = r.u32(what)?;
            let count = usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len() / 48 + 1);
            let validators = r.many(count, |r| r.array(what))?;
            Ok(((magic, version), Self { parent, reshare, validators }))
        };
        let (front, child) = Reader::all(body, read).ok()?;
        (front == (*MAGIC, VERSION)).then_some(child)
    }
}

/// From where an operator knows of another reshare that this one excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It has noted that it commits to it.
    Noted,
    /// It has a log of it, and no note: that may be lost.
    Logged,
}

impl Known {
    /// Whether the other reshare, in which this operator stands like this, is in the way of one
    /// that it excludes. A note is lifted by the operator's own abandonment alone.
    pub fn is_in_the_way(self, standing: Standing) -> bool {
        match self {
            Self::Noted => standing != Standing::GivenUp,
            Self::Logged => matches!(standing, Standing::Committed | Standing::Final),
        }
    }
}

/// How far an operator is in a reshare, by its synced log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has signed that it gives it up, and has not finished it.
    GivenUp,
    /// It has said something, and could do without it.
    Begun,
    /// Its minima or its commit are signed.
    Committed,
    /// Its final is signed.
    Final,
    /// Nothing can be read. That was not given up.
    Unknown,
}

impl Standing {
    /// That of the operator with this seat, by the statements among the records of its log.
    pub fn of<'a>(
        ceremony: &Ceremony,
        me: Index,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        let own = own_statements(ceremony, me, records);
        let last = Shape::of(ceremony).last_round();
        let is_final = |statement: &Statement| {
            (statement.envelope.kind, statement.envelope.round) == (Kind::Ordinary, last)
        };
        if own.iter().any(is_final) {
            return Self::Final;
        }
        if own.iter().any(|said| said.envelope.kind == Kind::Abandon) {
            return Self::GivenUp;
        }
        match (own.iter().any(is_commitment), own.is_empty()) {
            (true, _) => Self::Committed,
            (false, false) => Self::Begun,
            (false, true) => Self::Unknown,
        }
    }

    /// Whether the next attempt may begin, of an attempt in which the operator stands like this.
    pub fn lets_the_next_begin(self) -> bool {
        matches!(self, Self::GivenUp | Self::Unknown)
    }
}

/// Whether one of these records is a word with which an operator commits to its reshare: its
/// minima, its commit or its final.
pub fn commits<'a>(
    ceremony: &Ceremony,
    me: Index,
    records: impl IntoIterator<Item = &'a [u8]>,
) -> bool {
    ceremony.reshare().is_some() && own_statements(ceremony, me, records).iter().any(is_commitment)
}

fn is_commitment(statement: &Statement) -> bool {
    let (kind, round) = (statement.envelope.kind, statement.envelope.round);
    // A dealer's keys are gone when it states its minima.
    kind == Kind::Minima || kind == Kind::Ordinary && round >= Round::Commit
}

fn own_statements<'a>(
    ceremony: &Ceremony,
    me: Index,
    records: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Statement> {
    // By the sender's place in an envelope, before any signature is verified.
    let own = me.get().to_be_bytes();
    let own = records.into_iter().filter(|bytes| bytes.get(8..10) == Some(&own[..]));
    own.filter_map(|bytes| Statement::open(bytes, ceremony).ok()).collect()
}
