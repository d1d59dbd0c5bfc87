//! A bounded reader with named fields, and a writer, for fixed layouts. Decoding is a length check,
//! then fields in order; trailing bytes are refused.

use super::curve::{
    DecodeError as CurveError, G1, G1_UNCOMPRESSED, G2, G2_COMPRESSED, Scalar, UntestedG1,
    UntestedG2,
};

/// Why bytes do not decode. `what` is the field being read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than the layout needs.
    #[error("{what}: {} short", bytes(*missing))]
    Short {
        /// The field.
        what: &'static str,
        /// How many bytes are missing.
        missing: usize,
    },
    /// More bytes than the layout has.
    #[error("{} after the end", bytes(*extra))]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// A value that the layout does not allow.
    #[error("{what}: {why}")]
    Invalid {
        /// The field.
        what: &'static str,
        /// The rule it breaks.
        why: &'static str,
    },
    /// A scalar or point that is not one.
    #[error("{what}: {source}")]
    Curve {
        /// The field.
        what: &'static str,
        /// Why.
        source: CurveError,
    },
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// Reads fields from a slice, in order.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads all of `bytes` with `read`; bytes that `read` leaves over are an error.
    pub fn all<T>(
        bytes: &'a [u8],
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut reader = Self { rest: bytes };
        let value = read(&mut reader)?;
        match reader.rest.len() {
            0 => Ok(value),
            extra => Err(DecodeError::Trailing { extra }),
        }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self
            .rest
            .split_at_checked(count)
            .ok_or(DecodeError::Short { what, missing: count.saturating_sub(self.rest.len()) })?;
        self.rest = tail;
        Ok(head)
    }

    /// The next `count` bytes, not taken; `None` if there are fewer.
    pub fn peek(&self, count: usize) -> Option<&'a [u8]> {
        self.rest.get(..count)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        Ok(*self.bytes(what, N)?.first_chunk().expect("bytes() gave N"))
    }

    /// A byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(self.array::<1>(what)?[0])
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// UTF-8 text with a two-byte length, at most `most` bytes.
    pub fn text(&mut self, what: &'static str, most: usize) -> Result<String, DecodeError> {
        let length = usize::from(self.u16(what)?);
        if length > most {
            return Err(DecodeError::Invalid { what, why: "longer than allowed" });
        }
        let bytes = self.bytes(what, length)?;
        core::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| DecodeError::Invalid { what, why: "not UTF-8" })
    }

    /// A scalar: 32 bytes, big-endian, below the group order.
    pub fn scalar(&mut self, what: &'static str) -> Result<Scalar, DecodeError> {
        Scalar::from_be_bytes(&self.array(what)?)
            .map_err(|source| DecodeError::Curve { what, source })
    }

    /// A G1 point, 96 bytes uncompressed.
    pub fn g1(&mut self, what: &'static str) -> Result<G1, DecodeError> {
        G1::from_uncompressed(&self.array::<G1_UNCOMPRESSED>(what)?)
            .map_err(|source| DecodeError::Curve { what, source })
    }

    /// A G1 point, 96 bytes uncompressed, whose subgroup is yet to be tested.
    pub fn untested_g1(&mut self, what: &'static str) -> Result<UntestedG1, DecodeError> {
        UntestedG1::from_uncompressed(&self.array(what)?)
            .map_err(|source| DecodeError::Curve { what, source })
    }

    /// A G2 point, 192 bytes uncompressed, whose subgroup is yet to be tested.
    pub fn untested_g2(&mut self, what: &'static str) -> Result<UntestedG2, DecodeError> {
        UntestedG2::from_uncompressed(&self.array(what)?)
            .map_err(|source| DecodeError::Curve { what, source })
    }

    /// A G2 point, 96 bytes compressed.
    pub fn g2(&mut self, what: &'static str) -> Result<G2, DecodeError> {
        G2::from_compressed(&self.array::<G2_COMPRESSED>(what)?)
            .map_err(|source| DecodeError::Curve { what, source })
    }

    /// `count` values read by `read`. The caller bounds `count` by the bytes that hold them.
    pub fn many<T>(
        &mut self,
        count: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        // Every layout spends at least one byte per item, so more items than bytes cannot decode.
        let mut out = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            out.push(read(self)?);
        }
        Ok(out)
    }
}

/// Appends fields to a buffer. Consuming style, so that a layout reads as one expression.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// An empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Raw bytes.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A byte.
    pub fn u8(self, value: u8) -> Self {
        self.bytes(&[value])
    }

    /// Two bytes, big-endian.
    pub fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Four bytes, big-endian.
    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Eight bytes, big-endian.
    pub fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// UTF-8 text with a two-byte length.
    ///
    /// # Panics
    /// If the text is longer than 65535 bytes; every text type of the crate is far shorter.
    pub fn text(self, text: &str) -> Self {
        self.u16(u16::try_from(text.len()).expect("a bounded text")).bytes(text.as_bytes())
    }

    /// Each item in turn.
    pub fn each<T>(
        self,
        items: impl IntoIterator<Item = T>,
        write: impl FnMut(Self, T) -> Self,
    ) -> Self {
        items.into_iter().fold(self, write)
    }

    /// The buffer.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}
