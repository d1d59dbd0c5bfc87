//! The signed envelope: 172 bytes that name the ceremony, round and operator, and the statements it
//! builds on.

use std::sync::Arc;

use crate::identity::key::OperatorKey;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;
use crate::spec::version::Version;

use super::minima::MINIMA_ROUND;
use super::shape::Shape;
use super::without::WITHOUT_ROUND;

/// Bytes of an envelope.
pub const ENVELOPE_BYTES: usize = 172;
const SIGNED_BYTES: usize = ENVELOPE_BYTES - 64;
const MAGIC: [u8; 4] = *b"QRTE";

/// The five rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Round {
    /// R0: consent and commitment.
    Hello = 0,
    /// R1: commitments revealed, shares dealt.
    Deal = 1,
    /// R2: shares stored and proven.
    Prepare = 2,
    /// R3: partial signatures released.
    Commit = 3,
    /// R4: outputs agreed.
    Final = 4,
}

impl Round {
    /// All rounds, in order.
    pub const ALL: [Self; 5] = [Self::Hello, Self::Deal, Self::Prepare, Self::Commit, Self::Final];

    /// The number on the wire.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The round with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// What a statement is. An ordinary statement and a complaint share a round's slot: both in one
/// slot are equivocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// The round's ordinary statement.
    Ordinary = 1,
    /// In the place of R2: a share box was bad, and here is the key to it.
    Complaint = 2,
    /// In no slot: the sender gives up, and says whom it waited for. The envelope's round is the
    /// one that was awaited.
    Abandon = 3,
    /// In no slot: a dealer of a reshare has stopped, and this is what its keys have signed last.
    Minima = 4,
    /// In no slot: the sender finishes a reshare without seats that are lost.
    Without = 5,
}

impl Kind {
    /// The kind with this number, if it occurs in `round`.
    pub fn from_number(number: u8, round: Round) -> Option<Self> {
        match number {
            1 => Some(Self::Ordinary),
            2 if round == Round::Prepare => Some(Self::Complaint),
            3 => Some(Self::Abandon),
            4 if round == MINIMA_ROUND => Some(Self::Minima),
            5 if round == WITHOUT_ROUND => Some(Self::Without),
            _ => None,
        }
    }
}

/// The signed header of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// The version of its ceremony.
    pub version: Version,
    /// What the statement is.
    pub kind: Kind,
    /// Its round.
    pub round: Round,
    /// Who signed it.
    pub sender: Index,
    /// The spec digest in R0, the session identifier later.
    pub session: Digest,
    /// Digest of the previous round's envelope digests; zero in R0.
    pub view_root: Digest,
    /// Digest of the body.
    pub body_digest: Digest,
    /// Ed25519 over everything before it.
    pub signature: [u8; 64],
}

/// Bytes that are dropped: nobody is to blame for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Not a statement of this protocol.
    #[error("not a statement: {0}")]
    Malformed(DecodeError),
    /// Another version than the ceremony's.
    #[error("a statement of version {0}, which is not the ceremony's")]
    Version(u16),
    /// A sender that has no seat.
    #[error("sender {0} has no seat in this ceremony")]
    UnknownSender(u16),
    /// The length is not the one the spec gives.
    #[error("{actual} bytes, but the spec requires {expected}")]
    Length {
        /// Bytes the spec gives.
        expected: usize,
        /// Bytes received.
        actual: usize,
    },
    /// The signature is not the sender's.
    #[error("the signature is not the sender's")]
    Signature,
    /// The body is not the one signed.
    #[error("the body is not the one signed")]
    Body,
    /// Signed for another session: an old attempt, or another set of hellos.
    #[error("signed for another session")]
    ForeignSession,
    /// Its session is not known yet: every hello has to be here first. Harmless; it will be sent
    /// again.
    #[error("its session is not known yet")]
    Early,
}

/// A statement that its sender signed: envelope and body, lengths checked, body not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The signed header.
    pub envelope: Envelope,
    /// Envelope and body, exactly as received.
    bytes: Arc<[u8]>,
    /// The envelope's: asked for again and again where statements name others.
    digest: Digest,
}

impl Envelope {
    fn signed_part(&self) -> Vec<u8> {
        Writer::with_capacity(ENVELOPE_BYTES)
            .bytes(&MAGIC)
            .u16(self.version.number())
            .u8(self.kind as u8)
            .u8(self.round.number())
            .u16(self.sender.get())
            .u16(0)
            .bytes(self.session.as_ref())
            .bytes(self.view_root.as_ref())
            .bytes(self.body_digest.as_ref())
            .finish()
    }

    /// The 172 bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::with_capacity(ENVELOPE_BYTES)
            .bytes(&self.signed_part())
            .bytes(&self.signature)
            .finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Reject> {
        let fields = Reader::all(bytes, |r| {
            let head = (
                r.array::<4>("magic")?,
                r.u16("version")?,
                r.u8("kind")?,
                r.u8("round")?,
                r.u16("sender")?,
                r.u16("reserved")?,
            );
            let digests = (
                Digest(r.array("session")?),
                Digest(r.array("view root")?),
                Digest(r.array("body digest")?),
            );
            Ok((head, digests, r.array::<64>("signature")?))
        });
        let (
            (magic, version, kind, round, sender, reserved),
            (session, view_root, body_digest),
            signature,
        ) = fields.map_err(Reject::Malformed)?;
        let invalid = |what, why| Reject::Malformed(DecodeError::Invalid { what, why });
        if magic != MAGIC {
            return Err(invalid("magic", "not of this protocol"));
        }
        let version = Version::from_number(version).ok_or(Reject::Version(version))?;
        if reserved != 0 {
            return Err(invalid("reserved", "not zero"));
        }
        let round = Round::from_number(round).ok_or(invalid("round", "unknown"))?;
        let kind =
            Kind::from_number(kind, round).ok_or(invalid("kind", "unknown in this round"))?;
        let sender = Index::new(sender).ok_or(Reject::UnknownSender(sender))?;
        Ok(Self { version, kind, round, sender, session, view_root, body_digest, signature })
    }

    /// The digest that views and the session identifier are made of. It names the content: two
    /// signatures on one content are one statement. In version 1 it covers the signature, and they
    /// are two.
    pub fn digest(&self) -> Digest {
        match self.version {
            Version::One => tagged(Tag::Envelope, &[&self.encode()]),
            Version::Two => tagged(Tag::Envelope, &[&self.signed_part()]),
        }
    }
}

impl Statement {
    /// Signs `body` as `sender`'s ordinary statement of `round`, in a ceremony of the current
    /// version.
    pub fn sign(
        key: &OperatorKey,
        sender: Index,
        round: Round,
        session: Digest,
        view_root: Digest,
        body: &[u8],
    ) -> Self {
        Self::sign_kind(Kind::Ordinary, key, sender, round, session, view_root, body)
    }

    /// Signs `body` as `sender`'s statement of a kind, in a ceremony of the current version.
    pub fn sign_kind(
        kind: Kind,
        key: &OperatorKey,
        sender: Index,
        round: Round,
        session: Digest,
        view_root: Digest,
        body: &[u8],
    ) -> Self {
        let unsigned = Envelope {
            version: Version::CURRENT,
            kind,
            round,
            sender,
            session,
            view_root,
            body_digest: tagged(Tag::Body, &[body]),
            signature: [0; 64],
        };
        Self::signed(key, unsigned, body)
    }

    /// Signs that `sender` gives up `ceremony`, of whatever version, when it awaited `round`.
    pub fn sign_abandonment(
        key: &OperatorKey,
        sender: Index,
        round: Round,
        ceremony: &Ceremony,
        body: &[u8],
    ) -> Self {
        let unsigned = Envelope {
            version: ceremony.version(),
            kind: Kind::Abandon,
            round,
            sender,
            session: ceremony.digest(),
            view_root: Digest::ZERO,
            body_digest: tagged(Tag::Body, &[body]),
            signature: [0; 64],
        };
        Self::signed(key, unsigned, body)
    }

    /// Signs what `sender`'s keys have signed last, in a session of the current version.
    pub fn sign_minima(key: &OperatorKey, sender: Index, session: Digest, body: &[u8]) -> Self {
        let (kind, round, none) = (Kind::Minima, MINIMA_ROUND, Digest::ZERO);
        Self::sign_kind(kind, key, sender, round, session, none, body)
    }

    fn signed(key: &OperatorKey, mut envelope: Envelope, body: &[u8]) -> Self {
        envelope.signature = key.sign(Tag::EnvelopeSignature, &envelope.signed_part());
        let bytes = Writer::with_capacity(ENVELOPE_BYTES + body.len())
            .bytes(&envelope.encode())
            .bytes(body)
            .finish();
        Self { envelope, bytes: bytes.into(), digest: envelope.digest() }
    }

    /// Reads a statement and checks who signed it: header, seat, exact length, body digest,
    /// signature. Whether its session is ours is the inbox's question.
    pub fn open(bytes: &[u8], ceremony: &Ceremony) -> Result<Self, Reject> {
        let (header, body) = bytes.split_at_checked(ENVELOPE_BYTES).ok_or_else(|| {
            Reject::Malformed(DecodeError::Short {
                what: "envelope",
                missing: ENVELOPE_BYTES.saturating_sub(bytes.len()),
            })
        })?;
        let envelope = Envelope::decode(header)?;
        if envelope.version != ceremony.version() {
            return Err(Reject::Version(envelope.version.number()));
        }
        let seat = ceremony
            .roster()
            .get(envelope.sender)
            .ok_or(Reject::UnknownSender(envelope.sender.get()))?;
        let expected = Shape::of(ceremony)
            .bytes_of(envelope.sender, envelope.kind, envelope.round)
            .ok_or(Reject::Malformed(DecodeError::Invalid {
                what: "round",
                why: "the sender's seat owes no such statement in it",
            }))?;
        if bytes.len() != expected {
            return Err(Reject::Length { expected, actual: bytes.len() });
        }
        if tagged(Tag::Body, &[body]) != envelope.body_digest {
            return Err(Reject::Body);
        }
        seat.card
            .key
            .verify(Tag::EnvelopeSignature, &header[..SIGNED_BYTES], &envelope.signature)
            .map_err(|_| Reject::Signature)?;
        Ok(Self { envelope, bytes: bytes.into(), digest: envelope.digest() })
    }

    /// Envelope and body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.bytes[ENVELOPE_BYTES..]
    }

    /// The envelope's digest: equal for statements of one content.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// `TH("view", digests)`: what a statement says it was computed from.
pub fn view_root(digests: &[Digest]) -> Digest {
    let parts: Vec<&[u8]> = digests.iter().map(AsRef::as_ref).collect();
    tagged(Tag::View, &parts)
}

/// `sid = TH("session", spec digest, hello digests by index)`.
pub fn session_id(ceremony: &Ceremony, hellos: &[Digest]) -> Digest {
    let spec = ceremony.digest();
    let parts: Vec<&[u8]> =
        core::iter::once(spec.as_ref()).chain(hellos.iter().map(AsRef::as_ref)).collect();
    tagged(Tag::Session, &parts)
}
