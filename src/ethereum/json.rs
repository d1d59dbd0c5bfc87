//! What the JSON files of Ethereum's tools have in common: a size bound, no unknown or repeated fields, strict hexadecimal.

use serde::de::DeserializeOwned;

/// Longest part of a parser's message that is passed on: it may quote the file.
const LONGEST_MESSAGE: usize = 200;

/// Why a file is not the JSON that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, a field missing, repeated or unknown, or a value of another type.
    #[error("{0}")]
    Shape(String),
    /// Larger than such a file can be.
    #[error("{length} bytes, more than the {limit} that such a file can have")]
    TooLong {
        /// Its size.
        length: usize,
        /// The bound.
        limit: usize,
    },
}

/// Why a text is not the hexadecimal that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// Something else than `0-9a-f`.
    #[error("something other than lower-case hexadecimal digits")]
    Digit,
    /// Another number of digits.
    #[error("{found} characters instead of {expected}")]
    Length {
        /// How many digits there must be.
        expected: usize,
        /// How many bytes there are.
        found: usize,
    },
    /// `0x` in a format that has none.
    #[error("starts with 0x, which this format does not have")]
    Prefixed,
    /// No `0x` in a format that has it.
    #[error("does not start with 0x")]
    Unprefixed,
}

/// Reads at most `limit` bytes of JSON as a `T`. `T` must refuse unknown fields.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLong { length: bytes.len(), limit });
    }
    serde_json::from_slice(bytes).map_err(|error| JsonError::Shape(printable(&error.to_string())))
}

/// `text` made safe to print: cut, and without control or invisible characters.
pub(crate) fn printable(text: &str) -> String {
    let safe = |c: char| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
    text.chars().take(LONGEST_MESSAGE).map(|c| if safe(c) { c } else { '?' }).collect()
}

/// Exactly `N` bytes as lower-case digits without a prefix.
pub(crate) fn bare_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    if text.starts_with("0x") {
        return Err(HexError::Prefixed);
    }
    digits(text)
}

/// Exactly `N` bytes as `0x` and lower-case digits.
pub(crate) fn prefixed_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    digits(text.strip_prefix("0x").ok_or(HexError::Unprefixed)?)
}

fn digits<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    if text.len() != 2 * N {
        return Err(HexError::Length { expected: 2 * N, found: text.len() });
    }
    let mut bytes = [0; N];
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(HexError::Digit);
    }
    hex::decode_to_slice(text, &mut bytes).map_err(|_| HexError::Digit)?;
    Ok(bytes)
}
