//! Noise (revision 34) with X25519, ChaCha20-Poly1305 and SHA-256: sealed boxes (pattern N, and X
//! where the sender shows itself) and channel handshakes (pattern IK).
//!
//! The protocol engine is `snow`; the resolver gives it the crate's own primitives, refuses an
//! all-zero key agreement (snow itself does not look), and takes the ephemeral key as a value, so
//! that a handshake is reproducible byte for byte.
//!
//! # Security
//! Keys, ephemeral secrets and plaintexts are wiped here. snow keeps chaining keys in its state and
//! on its stack: of a box, both are on the stack, which whoever works with boxes overwrites
//! ([`super::secret::wiping`]); of a channel, the state is not wiped.

mod channel;
mod resolver;
mod sealed_box;
#[cfg(test)]
mod tests;

pub use channel::{channel_initiator, channel_responder};
pub use sealed_box::{
    BOX_CHUNK, BoxError, SCALARS_PER_MESSAGE, box_len, open_box, open_signed_box, seal_box,
    seal_signed_box, signed_box_len,
};

/// Length of an authentication tag.
pub const TAG_LENGTH: usize = 16;
/// Length of an X25519 public key.
pub const KEY_LENGTH: usize = 32;
