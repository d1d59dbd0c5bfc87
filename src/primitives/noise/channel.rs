//! Handshakes of channels, in which both sides prove their static keys (pattern IK).

use snow::{Builder, HandshakeState};

use super::resolver::builder;
use crate::primitives::secret::Secret32;
use crate::primitives::x25519::{DhPublic, DhSecret};

pub(super) const CHANNEL_PATTERN: &str = "Noise_IK_25519_ChaChaPoly_SHA256";

/// The side that opens a channel (`Noise_IK_25519_ChaChaPoly_SHA256`), knowing the other side's
/// static key.
///
/// # Security
/// `ephemeral` as in [`super::seal_box`].
pub fn channel_initiator(
    local: &DhSecret,
    remote: &DhPublic,
    prologue: &[u8],
    ephemeral: Secret32,
) -> HandshakeState {
    builder(CHANNEL_PATTERN, prologue, Some(ephemeral))
        .local_private_key(local.expose())
        .and_then(|builder| builder.remote_public_key(remote.as_bytes()))
        .and_then(Builder::build_initiator)
        .expect("pattern IK needs our secret and the other side's key")
}

/// The side that answers; it learns the initiator's static key from the first message.
///
/// # Security
/// `ephemeral` as in [`super::seal_box`].
pub fn channel_responder(local: &DhSecret, prologue: &[u8], ephemeral: Secret32) -> HandshakeState {
    builder(CHANNEL_PATTERN, prologue, Some(ephemeral))
        .local_private_key(local.expose())
        .and_then(Builder::build_responder)
        .expect("pattern IK needs our secret")
}
