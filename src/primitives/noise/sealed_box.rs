//! Boxes: a payload sealed to a recipient's key, without or with a sender (patterns N and X).

use snow::Builder;
use zeroize::Zeroizing;

use super::resolver::builder;
use super::{KEY_LENGTH, TAG_LENGTH};
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::primitives::x25519::{DhKeyError, DhPublic, DhSecret};

/// Scalars carried by one message of a box: the most that fit in Noise's 65535 bytes beside an
/// ephemeral key and a tag.
pub const SCALARS_PER_MESSAGE: usize = 2046;
/// Bytes of payload carried by one message of a box.
pub const BOX_CHUNK: usize = 32 * SCALARS_PER_MESSAGE;

pub(super) const BOX_PATTERN: &str = "Noise_N_25519_ChaChaPoly_SHA256";
const SIGNED_BOX_PATTERN: &str = "Noise_X_25519_ChaChaPoly_SHA256";

/// Why a box does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    /// Not the one length that a box with this payload has.
    #[error("the box has {found} bytes, not {expected}")]
    Length {
        /// [`box_len`] of the payload.
        expected: usize,
        /// What there is.
        found: usize,
    },
    /// The box's ephemeral key is non-canonical or of low order.
    #[error("the box's ephemeral key is {0}")]
    EphemeralKey(DhKeyError),
    /// A message does not authenticate: another recipient, another prologue, or changed bytes.
    #[error("message {message} of the box does not authenticate")]
    Forged {
        /// Position of the message, from 0.
        message: usize,
    },
}

/// Length of a box: `32 + payload + 16 * max(1, ceil(payload / 65472))` bytes.
pub fn box_len(payload_len: usize) -> usize {
    let messages = payload_len.div_ceil(BOX_CHUNK).max(1);
    payload_len.saturating_add(KEY_LENGTH + TAG_LENGTH * messages)
}

/// Seals `payload` to `recipient` with `Noise_N_25519_ChaChaPoly_SHA256`; gives [`box_len`] bytes.
///
/// The handshake message carries the first 65472 bytes of payload, one-way transport messages the
/// rest, 65472 bytes each.
///
/// # Security
/// `ephemeral` is the ephemeral secret key itself: 32 fresh bytes, spent by this call. The box says
/// nothing about its sender.
pub fn seal_box(
    recipient: &DhPublic,
    prologue: &[u8],
    payload: &SecretBytes,
    ephemeral: Secret32,
) -> Vec<u8> {
    let payload = payload.expose();
    let (first, rest) = payload.split_at(payload.len().min(BOX_CHUNK));
    let mut sealed = vec![0; box_len(payload.len())];
    let (head, mut tail) = sealed.split_at_mut(KEY_LENGTH + first.len() + TAG_LENGTH);
    let mut handshake = builder(BOX_PATTERN, prologue, Some(ephemeral))
        .remote_public_key(recipient.as_bytes())
        .and_then(Builder::build_initiator)
        .expect("pattern N needs the recipient's key only");
    handshake
        .write_message(first, head)
        .expect("a checked key, and a buffer of the message's length");
    let mut stream = handshake.into_transport_mode().expect("pattern N has one message");
    for chunk in rest.chunks(BOX_CHUNK) {
        let message;
        (message, tail) = tail.split_at_mut(chunk.len() + TAG_LENGTH);
        stream.write_message(chunk, message).expect("a buffer of the message's length");
    }
    sealed
}

/// Opens what [`seal_box`] sealed: exactly `payload_len` bytes, or the reason why not. Lengths are
/// compared before anything else.
pub fn open_box(
    secret: &DhSecret,
    prologue: &[u8],
    sealed: &[u8],
    payload_len: usize,
) -> Result<SecretBytes, BoxError> {
    let expected = box_len(payload_len);
    if sealed.len() != expected {
        return Err(BoxError::Length { expected, found: sealed.len() });
    }
    DhPublic::from_bytes(*sealed.first_chunk().expect("a box is longer than a key"))
        .map_err(BoxError::EphemeralKey)?;
    let mut payload = Zeroizing::new(vec![0; payload_len]);
    let (first, rest) = payload.split_at_mut(payload_len.min(BOX_CHUNK));
    let (head, tail) = sealed.split_at(KEY_LENGTH + first.len() + TAG_LENGTH);
    let mut handshake = builder(BOX_PATTERN, prologue, None)
        .local_private_key(secret.expose())
        .and_then(Builder::build_responder)
        .expect("pattern N needs the recipient's secret only");
    handshake.read_message(head, first).map_err(|_| BoxError::Forged { message: 0 })?;
    let mut stream = handshake.into_transport_mode().expect("pattern N has one message");
    let messages = tail.chunks(BOX_CHUNK + TAG_LENGTH).zip(rest.chunks_mut(BOX_CHUNK));
    for (position, (message, chunk)) in messages.enumerate() {
        stream
            .read_message(message, chunk)
            .map_err(|_| BoxError::Forged { message: position + 1 })?;
    }
    Ok(SecretBytes::new(core::mem::take(&mut *payload)))
}

/// Bytes of payload carried by the first message of a box that shows its sender, and by each of the
/// others: the most that fit in Noise's 65535 bytes beside two keys and two tags.
const SIGNED_BOX_CHUNK: usize = 65535 - 2 * KEY_LENGTH - 2 * TAG_LENGTH;

/// Length of a box that shows its sender: `32 + 48 + payload + 16 * max(1, ceil(payload / 65439))`
/// bytes.
pub const fn signed_box_len(payload_len: usize) -> usize {
    let messages = payload_len.div_ceil(SIGNED_BOX_CHUNK);
    let messages = if messages == 0 { 1 } else { messages };
    KEY_LENGTH + KEY_LENGTH + TAG_LENGTH + payload_len + TAG_LENGTH * messages
}

/// Seals `payload` to `recipient` from `sender` with `Noise_X_25519_ChaChaPoly_SHA256`.
///
/// The handshake message carries the first 65439 bytes of payload, one-way transport messages the
/// rest, 65439 bytes each.
///
/// # Security
/// `ephemeral` as in [`seal_box`]. Only the recipient learns who the sender is. Whoever has the
/// recipient's secret can make boxes that seem to come from anybody: what must be proven to others
/// is to be signed inside.
pub fn seal_signed_box(
    sender: &DhSecret,
    recipient: &DhPublic,
    prologue: &[u8],
    payload: &SecretBytes,
    ephemeral: Secret32,
) -> Vec<u8> {
    let payload = payload.expose();
    let (first, rest) = payload.split_at(payload.len().min(SIGNED_BOX_CHUNK));
    let mut sealed = vec![0; signed_box_len(payload.len())];
    let (head, mut tail) = sealed.split_at_mut(signed_box_len(first.len()));
    let mut handshake = builder(SIGNED_BOX_PATTERN, prologue, Some(ephemeral))
        .local_private_key(sender.expose())
        .and_then(|builder| builder.remote_public_key(recipient.as_bytes()))
        .and_then(Builder::build_initiator)
        .expect("pattern X needs our secret and the recipient's key");
    handshake
        .write_message(first, head)
        .expect("a checked key, and a buffer of the message's length");
    let mut stream = handshake.into_transport_mode().expect("pattern X has one message");
    for chunk in rest.chunks(SIGNED_BOX_CHUNK) {
        let message;
        (message, tail) = tail.split_at_mut(chunk.len() + TAG_LENGTH);
        stream.write_message(chunk, message).expect("a buffer of the message's length");
    }
    sealed
}

/// Opens what [`seal_signed_box`] sealed: its sender, and exactly `payload_len` bytes.
pub fn open_signed_box(
    secret: &DhSecret,
    prologue: &[u8],
    sealed: &[u8],
    payload_len: usize,
) -> Result<(DhPublic, SecretBytes), BoxError> {
    let expected = signed_box_len(payload_len);
    if sealed.len() != expected {
        return Err(BoxError::Length { expected, found: sealed.len() });
    }
    DhPublic::from_bytes(*sealed.first_chunk().expect("a box is longer than a key"))
        .map_err(BoxError::EphemeralKey)?;
    let mut payload = Zeroizing::new(vec![0; payload_len]);
    let (first, rest) = payload.split_at_mut(payload_len.min(SIGNED_BOX_CHUNK));
    let (head, tail) = sealed.split_at(signed_box_len(first.len()));
    let mut handshake = builder(SIGNED_BOX_PATTERN, prologue, None)
        .local_private_key(secret.expose())
        .and_then(Builder::build_responder)
        .expect("pattern X needs the recipient's secret only");
    handshake.read_message(head, first).map_err(|_| BoxError::Forged { message: 0 })?;
    let sender = handshake.get_remote_static().and_then(|key| key.first_chunk().copied());
    let sender = sender
        .and_then(|key| DhPublic::from_bytes(key).ok())
        .ok_or(BoxError::Forged { message: 0 })?;
    let mut stream = handshake.into_transport_mode().expect("pattern X has one message");
    let messages =
        tail.chunks(SIGNED_BOX_CHUNK + TAG_LENGTH).zip(rest.chunks_mut(SIGNED_BOX_CHUNK));
    for (position, (message, chunk)) in messages.enumerate() {
        stream
            .read_message(message, chunk)
            .map_err(|_| BoxError::Forged { message: position + 1 })?;
    }
    Ok((sender, SecretBytes::new(core::mem::take(&mut *payload))))
}
