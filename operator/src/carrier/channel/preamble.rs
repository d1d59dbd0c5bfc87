//! What both ends of a channel say in clear: the session that is called for, and a refusal.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{FIRST, Local, VERSION, in_handshake};
use crate::carrier::{LinkError, Peer};
use quorate::primitives::codec::{DecodeError, Reader, Writer};
use quorate::primitives::hash::{Digest, Tag, tagged};

pub(super) const PREAMBLE: usize = 4 + 2 + 2 + 2 + 32;
const REFUSAL: usize = 2 + 2 + 32;
/// How much of a refused caller's flight is read before closing. Unread bytes would turn the close
/// into a reset, and the refusal be lost.
const LINGER: u64 = 4096;

/// What a channel is for. Nothing that runs in a channel for one can be heard in a channel for
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// A ceremony, by the digest of its spec.
    Ceremony(Digest),
    /// Answers to a request, by its id.
    Request(Digest),
}

impl Session {
    fn of_magic(magic: [u8; 4], id: Digest) -> Option<Self> {
        match &magic {
            b"QRTC" => Some(Self::Ceremony(id)),
            b"QRTR" => Some(Self::Request(id)),
            _ => None,
        }
    }

    fn of_kind(kind: u8, id: Digest) -> Option<Self> {
        match kind {
            1 => Some(Self::Ceremony(id)),
            2 => Some(Self::Request(id)),
            _ => None,
        }
    }

    fn magic(&self) -> &'static [u8; 4] {
        match self {
            Self::Ceremony(_) => b"QRTC",
            Self::Request(_) => b"QRTR",
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Ceremony(_) => 1,
            Self::Request(_) => 2,
        }
    }

    pub(super) fn id(&self) -> &Digest {
        let (Self::Ceremony(id) | Self::Request(id)) = self;
        id
    }

    fn tag(&self) -> Tag {
        match self {
            Self::Ceremony(_) => Tag::ChannelPrologue,
            Self::Request(_) => Tag::RequestChannelPrologue,
        }
    }

    /// Why `theirs` is not ours.
    fn differs(&self, index: u16, theirs: Self) -> LinkError {
        match (self, theirs) {
            (Self::Ceremony(_), Self::Ceremony(theirs)) => {
                LinkError::OtherCeremony { index, theirs }
            }
            (Self::Request(_), Self::Ceremony(_)) => LinkError::InCeremony { index },
            (_, Self::Request(theirs)) => LinkError::OtherRequest { index, theirs },
        }
    }
}

/// What the initiator claims, in clear.
pub(super) struct Preamble {
    pub(super) version: u16,
    pub(super) initiator: u16,
    pub(super) responder: u16,
    pub(super) session: Session,
}

impl Preamble {
    pub(super) fn encode(&self) -> Vec<u8> {
        Writer::with_capacity(PREAMBLE + FIRST)
            .bytes(self.session.magic())
            .u16(self.version)
            .u16(self.initiator)
            .u16(self.responder)
            .bytes(self.session.id().as_bytes())
            .finish()
    }

    pub(super) fn decode(bytes: &[u8; PREAMBLE]) -> Result<Self, LinkError> {
        Reader::all(bytes, |r| {
            let magic = r.array("magic")?;
            let (version, initiator, responder) =
                (r.u16("version")?, r.u16("initiator")?, r.u16("responder")?);
            let session = Session::of_magic(magic, Digest(r.array("id")?));
            let session =
                session.ok_or(DecodeError::Invalid { what: "magic", why: "not a channel's" })?;
            Ok(Self { version, initiator, responder, session })
        })
        .map_err(|_| LinkError::NotAChannel)
    }

    /// Whether both ends mean the same channel. The same comparison, in the same order, as
    /// [`refusal`].
    pub(super) fn check(&self, local: &Local) -> Result<(), LinkError> {
        if self.version != VERSION {
            return Err(LinkError::OtherVersion { ours: VERSION, theirs: self.version });
        }
        if self.session != local.session {
            return Err(local.session.differs(self.initiator, self.session));
        }
        if self.responder != local.index {
            return Err(LinkError::OtherOperator { index: self.initiator });
        }
        Ok(())
    }

    pub(super) fn prologue(&self) -> [u8; 32] {
        let [version, initiator, responder] =
            [self.version, self.initiator, self.responder].map(u16::to_be_bytes);
        tagged(self.session.tag(), &[&version, self.session.id().as_ref(), &initiator, &responder])
            .0
    }
}

/// Says what we are instead, and waits for the caller to hang up.
pub(super) async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    io: &mut S,
    local: &Local,
) -> Result<(), LinkError> {
    let refusal =
        Writer::with_capacity(1 + REFUSAL).u8(local.session.kind()).u16(VERSION).u16(local.index);
    io.write_all(&refusal.bytes(local.session.id().as_bytes()).finish()).await?;
    io.shutdown().await?;
    tokio::io::copy(&mut io.take(LINGER), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Reads a refusal: the first thing in which the responder says to differ from what we called.
pub(super) async fn refusal<S: AsyncRead + Unpin>(
    io: &mut S,
    status: u8,
    local: &Local,
    peer: &Peer,
) -> Result<LinkError, LinkError> {
    // Whatever begins in another way is not read on.
    Session::of_kind(status, Digest::ZERO).ok_or(LinkError::NotAChannel)?;
    let mut refusal = [0; REFUSAL];
    io.read_exact(&mut refusal).await.map_err(in_handshake)?;
    let read =
        Reader::all(&refusal, |r| Ok((r.u16("version")?, r.u16("index")?, Digest(r.array("id")?))));
    let (version, index, id) = read.map_err(|_| LinkError::NotAChannel)?;
    let theirs = Session::of_kind(status, id).ok_or(LinkError::NotAChannel)?;
    Ok(if version != VERSION {
        LinkError::OtherVersion { ours: VERSION, theirs: version }
    } else if theirs != local.session {
        local.session.differs(index, theirs)
    } else if index != peer.index {
        LinkError::OtherOperator { index }
    } else {
        LinkError::Refusal
    })
}
