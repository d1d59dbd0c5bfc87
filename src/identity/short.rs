//! Short forms of operator keys and of operator cards: what people compare by eye and by voice.

use core::fmt;

/// Bytes of a short form: 80 bits.
const BYTES: usize = 10;

/// The first 80 bits of a key or of a digest, as five groups of four hexadecimal digits
/// (specification, section 3.5).
///
/// Whoever wants a key or a card with somebody else's short form has to try about 2^80 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortForm([u8; BYTES]);

impl ShortForm {
    /// The short form of 32 bytes that are a key or a digest.
    pub(super) fn of(bytes: &[u8; 32]) -> Self {
        Self(*bytes.first_chunk().expect("32 bytes are more than 10"))
    }
}

impl fmt::Display for ShortForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, pair) in self.0.chunks(2).enumerate() {
            if position > 0 {
                f.write_str("-")?;
            }
            f.write_str(&hex::encode(pair))?;
        }
        Ok(())
    }
}
