//! One authenticated channel between two operators, over any byte stream.
//!
//! ```text
//! initiator -> responder   preamble(42) ‖ Noise IK message 1 (96)
//! responder -> initiator   0 ‖ Noise IK message 2 (48)
//!                          or kind ‖ version(2) ‖ index(2) ‖ id(32), a refusal
//! initiator -> responder   confirmation, in a transport message
//! responder -> initiator   confirmation, in a transport message
//! ```
//!
//! A channel serves one [`Session`]: a ceremony (id: its digest, kind 1) or a request (id: the
//! request's, kind 2).
//!
//! preamble = `"QRTC" or "QRTR" ‖ version(2) ‖ initiator(2) ‖ responder(2) ‖ id(32)`, in clear, so
//! that the responder can choose the prologue `TH("channel-prologue" or "request-channel-prologue",
//! version, id, initiator, responder)`. Handshake payloads are empty: the lengths leave no room for
//! one. A confirmation is an Ed25519 signature (tag `channel-confirm`) over `handshake hash(32) ‖
//! role(1) ‖ id(32) ‖ index(2)`; before it nothing is accepted, so a replayed first flight gives
//! its sender one encrypted answer and nothing else.
//!
//! The preamble and the refusal are not authenticated. They choose which handshake is tried and
//! what the operator is told, never what is believed.

use std::sync::Arc;
use std::time::Duration;

use snow::{HandshakeState, TransportState};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::{LinkError, Peer};
use quorate::identity::Operator;
use quorate::primitives::noise::{KEY_LENGTH, TAG_LENGTH, channel_initiator, channel_responder};
use quorate::primitives::secret::Secret32;
use quorate::primitives::x25519::DhPublic;

mod confirmation;
mod preamble;

use confirmation::{Role, send_confirmation, take_confirmation};
pub use preamble::Session;
use preamble::{PREAMBLE, Preamble, refusal, refuse};

/// Version of the channel protocol.
pub const VERSION: u16 = 1;

const FIRST: usize = KEY_LENGTH + KEY_LENGTH + TAG_LENGTH + TAG_LENGTH;
const SECOND: usize = KEY_LENGTH + TAG_LENGTH;
const ACCEPTED: u8 = 0;
/// How long refusing may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// This operator's end of its channels.
pub struct Local {
    /// What its channels are for.
    pub session: Session,
    /// This operator's index.
    pub index: u16,
    /// Its keys.
    pub operator: Arc<Operator>,
}

/// A channel whose both ends have proven who they are. See [`super::frame`] for what runs in it.
pub struct Channel<S> {
    pub(super) io: S,
    pub(super) state: TransportState,
}

/// Opens a channel to `peer`. `ephemeral`: 32 fresh bytes. The caller bounds the time.
pub async fn initiate<S>(
    mut io: S,
    local: &Local,
    peer: &Peer,
    ephemeral: Secret32,
) -> Result<Channel<S>, LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let preamble = Preamble {
        version: VERSION,
        initiator: local.index,
        responder: peer.index,
        session: local.session,
    };
    let mut handshake =
        channel_initiator(local.operator.noise(), &peer.noise, &preamble.prologue(), ephemeral);
    let mut flight = preamble.encode();
    flight.resize(PREAMBLE + FIRST, 0);
    handshake.write_message(&[], &mut flight[PREAMBLE..]).map_err(|_| LinkError::Handshake)?;
    io.write_all(&flight).await?;

    let mut status = [0];
    io.read_exact(&mut status).await.map_err(in_handshake)?;
    match status[0] {
        ACCEPTED => {}
        status => return Err(refusal(&mut io, status, local, peer).await?),
    }
    let mut answer = [0; SECOND];
    io.read_exact(&mut answer).await.map_err(in_handshake)?;
    read_handshake(&mut handshake, &answer)?;

    let (hash, mut state) = split(handshake)?;
    send_confirmation(&mut io, &mut state, local, Role::Initiator, &hash).await?;
    take_confirmation(&mut io, &mut state, local, peer, Role::Responder, &hash)
        .await
        .map_err(in_handshake_link)?;
    Ok(Channel { io, state })
}

/// Answers a caller; gives the peer that it is, proven. `caller` finds the peers that may call. The
/// caller of this function bounds the time.
pub async fn respond<'p, S>(
    io: S,
    local: &Local,
    caller: impl Fn(u16) -> Option<&'p Peer>,
    ephemeral: Secret32,
) -> Result<(Channel<S>, &'p Peer), LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let flight = hear(io, local, caller, ephemeral).await?;
    let peer = flight.peer;
    Ok((flight.answer(local).await?, peer))
}

/// A first flight that was made with the channel key of `peer`, maybe by `peer`, maybe long ago.
pub(super) struct Flight<'p, S> {
    io: S,
    handshake: HandshakeState,
    pub(super) peer: &'p Peer,
}

/// Reads a caller's first flight. Strangers do not come further than this.
pub(super) async fn hear<'p, S>(
    mut io: S,
    local: &Local,
    caller: impl Fn(u16) -> Option<&'p Peer>,
    ephemeral: Secret32,
) -> Result<Flight<'p, S>, LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut preamble = [0; PREAMBLE];
    io.read_exact(&mut preamble).await?;
    let preamble = Preamble::decode(&preamble)?;
    if let Err(why) = preamble.check(local) {
        // Whether the caller hears it is its own concern.
        let _ = timeout(FAREWELL, refuse(&mut io, local)).await;
        return Err(why);
    }
    let peer =
        caller(preamble.initiator).ok_or(LinkError::NotACaller { index: preamble.initiator })?;

    let mut first = [0; FIRST];
    io.read_exact(&mut first).await?;
    let mut handshake = channel_responder(local.operator.noise(), &preamble.prologue(), ephemeral);
    read_handshake(&mut handshake, &first)?;
    // The handshake has shown that the caller holds this key; which operator it belongs to is the
    // ceremony file's word.
    if handshake.get_remote_static() != Some(peer.noise.as_bytes()) {
        return Err(LinkError::OtherKey { index: peer.index });
    }
    Ok(Flight { io, handshake, peer })
}

impl<S: AsyncRead + AsyncWrite + Unpin> Flight<'_, S> {
    /// Answers, and has the caller confirm.
    pub(super) async fn answer(self, local: &Local) -> Result<Channel<S>, LinkError> {
        let Self { mut io, mut handshake, peer } = self;
        let mut answer = [ACCEPTED; 1 + SECOND];
        handshake.write_message(&[], &mut answer[1..]).map_err(|_| LinkError::Handshake)?;
        io.write_all(&answer).await?;

        let (hash, mut state) = split(handshake)?;
        take_confirmation(&mut io, &mut state, local, peer, Role::Initiator, &hash).await?;
        send_confirmation(&mut io, &mut state, local, Role::Responder, &hash).await?;
        Ok(Channel { io, state })
    }
}

/// Reads a handshake message, which starts with the other side's ephemeral key and has no payload.
fn read_handshake(handshake: &mut HandshakeState, message: &[u8]) -> Result<(), LinkError> {
    let ephemeral = message.first_chunk().ok_or(LinkError::Handshake)?;
    DhPublic::from_bytes(*ephemeral).map_err(LinkError::WeakKey)?;
    handshake.read_message(message, &mut []).map(drop).map_err(|_| LinkError::Handshake)
}

fn split(handshake: HandshakeState) -> Result<([u8; 32], TransportState), LinkError> {
    let hash = handshake.get_handshake_hash().try_into().map_err(|_| LinkError::Handshake)?;
    let state = handshake.into_transport_mode().map_err(|_| LinkError::Handshake)?;
    Ok((hash, state))
}

/// A responder that hangs up on us in the handshake usually has a reason; the sentence says which
/// to look for.
fn in_handshake_link(error: LinkError) -> LinkError {
    match error {
        LinkError::Closed | LinkError::Io(std::io::ErrorKind::ConnectionReset) => {
            LinkError::ClosedInHandshake
        }
        other => other,
    }
}

fn in_handshake(error: std::io::Error) -> LinkError {
    in_handshake_link(error.into())
}
