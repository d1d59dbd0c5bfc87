//! Confirmations: each end signs the handshake with its operator's key before anything is believed.

use snow::TransportState;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Local;
use crate::carrier::{LinkError, Peer};
use quorate::primitives::codec::Writer;
use quorate::primitives::hash::Tag;
use quorate::primitives::noise::TAG_LENGTH;

const SIGNATURE: usize = 64;
const CONFIRMATION: u16 = 64 + 16;

/// Who signs a confirmation.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Initiator = 0,
    Responder = 1,
}

fn confirmed(local: &Local, role: Role, index: u16, hash: &[u8; 32]) -> Vec<u8> {
    Writer::with_capacity(67)
        .bytes(hash)
        .u8(role as u8)
        .bytes(local.session.id().as_bytes())
        .u16(index)
        .finish()
}

pub(super) async fn send_confirmation<S: AsyncWrite + Unpin>(
    io: &mut S,
    state: &mut TransportState,
    local: &Local,
    role: Role,
    hash: &[u8; 32],
) -> Result<(), LinkError> {
    let signature =
        local.operator.key().sign(Tag::ChannelConfirm, &confirmed(local, role, local.index, hash));
    let mut message = [0; 2 + SIGNATURE + TAG_LENGTH];
    message[..2].copy_from_slice(&CONFIRMATION.to_be_bytes());
    state.write_message(&signature, &mut message[2..]).map_err(|_| LinkError::Handshake)?;
    io.write_all(&message).await?;
    Ok(())
}

pub(super) async fn take_confirmation<S: AsyncRead + Unpin>(
    io: &mut S,
    state: &mut TransportState,
    local: &Local,
    peer: &Peer,
    role: Role,
    hash: &[u8; 32],
) -> Result<(), LinkError> {
    if io.read_u16().await? != CONFIRMATION {
        return Err(LinkError::Confirmation);
    }
    let (mut message, mut signature) = ([0; SIGNATURE + TAG_LENGTH], [0; SIGNATURE]);
    io.read_exact(&mut message).await?;
    state.read_message(&message, &mut signature).map_err(|_| LinkError::Decrypt)?;
    let signed = confirmed(local, role, peer.index, hash);
    peer.key.verify(Tag::ChannelConfirm, &signed, &signature).map_err(|_| LinkError::Confirmation)
}
