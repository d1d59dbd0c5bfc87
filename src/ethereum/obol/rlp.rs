//! A list of byte strings in RLP (Ethereum yellow paper, appendix B), the encoding of node records.
//! Nested lists are refused.

/// Why bytes are not one RLP list of strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RlpError {
    /// A length or a single byte not in its one shortest encoding.
    #[error("not the canonical encoding")]
    NotCanonical,
    /// A list where a string should be.
    #[error("a list within the list")]
    Nested,
    /// Something else than a list.
    #[error("not a list")]
    NotAList,
    /// Ends before what its lengths say, or goes on behind it.
    #[error("not of the stated length")]
    Length,
}

/// The strings of a list that takes up all of `bytes`.
pub(super) fn decode_list(bytes: &[u8]) -> Result<Vec<&[u8]>, RlpError> {
    let (&prefix, rest) = bytes.split_first().ok_or(RlpError::NotAList)?;
    let (mut body, after) = match prefix {
        0xc0..=0xf7 => split(rest, usize::from(prefix - 0xc0))?,
        0xf8.. => long(rest, usize::from(prefix - 0xf7))?,
        _ => return Err(RlpError::NotAList),
    };
    if !after.is_empty() {
        return Err(RlpError::Length);
    }
    let mut strings = Vec::new();
    while !body.is_empty() {
        let (string, after) = string(body)?;
        strings.push(string);
        body = after;
    }
    Ok(strings)
}

fn string(bytes: &[u8]) -> Result<(&[u8], &[u8]), RlpError> {
    let (&prefix, rest) = bytes.split_first().ok_or(RlpError::Length)?;
    match prefix {
        ..=0x7f => Ok(bytes.split_at(1)),
        0x80..=0xb7 => {
            let (string, after) = split(rest, usize::from(prefix - 0x80))?;
            if matches!(string, [..=0x7f]) {
                Err(RlpError::NotCanonical)
            } else {
                Ok((string, after))
            }
        }
        0xb8..=0xbf => long(rest, usize::from(prefix - 0xb7)),
        0xc0.. => Err(RlpError::Nested),
    }
}

/// What follows a length of `count` bytes.
fn long(rest: &[u8], count: usize) -> Result<(&[u8], &[u8]), RlpError> {
    let (length, rest) = split(rest, count)?;
    if length.first() == Some(&0) {
        return Err(RlpError::NotCanonical);
    }
    // More than two bytes of length are longer than any node record.
    let length = match length {
        [low] => usize::from(*low),
        [high, low] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => return Err(RlpError::Length),
    };
    if length < 56 { Err(RlpError::NotCanonical) } else { split(rest, length) }
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), RlpError> {
    bytes.split_at_checked(at).ok_or(RlpError::Length)
}

/// The list of `strings`, together below 64 KiB.
pub(super) fn encode_list(strings: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for string in strings {
        match string {
            [only @ ..=0x7f] => body.push(*only),
            _ => {
                body.extend(prefix(0x80, string.len()));
                body.extend_from_slice(string);
            }
        }
    }
    let mut bytes = prefix(0xc0, body.len());
    bytes.extend(body);
    bytes
}

fn prefix(base: u8, length: usize) -> Vec<u8> {
    let length = u16::try_from(length).expect("below 64 KiB");
    match length.to_be_bytes() {
        [0, low @ ..56] => vec![base + low],
        [0, low] => vec![base + 56, low],
        [high, low] => vec![base + 57, high, low],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lists_and_back() {
        let long = vec![7; 60];
        let longer = vec![8; 300];
        for strings in [
            vec![],
            vec![b"cat".as_slice(), b"dog"],
            vec![b"", b"\x7f", b"\x80"],
            vec![&long],
            vec![&longer, b"x"],
        ] {
            assert_eq!(decode_list(&encode_list(&strings)).unwrap(), strings);
        }
        // The yellow paper's own example.
        assert_eq!(encode_list(&[b"cat", b"dog"]), b"\xc8\x83cat\x83dog");
    }

    #[test]
    fn refusals() {
        let cases: [(&[u8], RlpError); 12] = [
            (b"", RlpError::NotAList),
            (b"\x83cat", RlpError::NotAList),
            (b"\xc1", RlpError::Length),
            (b"\xc0\x00", RlpError::Length),
            (b"\xc2\x83c", RlpError::Length),
            (b"\xc2\x81\x7f", RlpError::NotCanonical),
            (b"\xc1\xc0", RlpError::Nested),
            (b"\xf8\x01\x01", RlpError::NotCanonical),
            (b"\xf9\x00\x38", RlpError::NotCanonical),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff", RlpError::Length),
            (b"\xc3\xb8\x01\x80", RlpError::NotCanonical),
            (b"\xc1\xb8", RlpError::Length),
        ];
        for (bytes, why) in cases {
            assert_eq!(decode_list(bytes), Err(why), "{bytes:x?}");
        }
    }
}
