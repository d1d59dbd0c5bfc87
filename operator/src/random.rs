//! The operating system's randomness: no other file asks for it.

use getrandom::SysRng;
use rand_core::{CryptoRng, Rng, UnwrapErr};

use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::participant::Entropy;

/// A source that panics if the operating system has no randomness: nothing may go on without.
pub fn os() -> impl CryptoRng {
    UnwrapErr(SysRng)
}

/// 32 secret bytes.
pub fn secret() -> Secret32 {
    Secret32::filled(|bytes| os().fill_bytes(bytes))
}

/// 32 random bytes that everybody may see.
pub fn public() -> [u8; 32] {
    let mut bytes = [0; 32];
    os().fill_bytes(&mut bytes);
    bytes
}

/// Fresh entropy for one ceremony.
pub fn entropy() -> Entropy {
    let mut nonce = [0; 32];
    os().fill_bytes(&mut nonce);
    Entropy { seed: secret(), nonce, extra: SecretBytes::new(Vec::new()) }
}
