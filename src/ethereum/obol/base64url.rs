//! Base64 of the URL alphabet without padding (RFC 4648 section 5).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for i in 0..=group.len() {
            let at = usize::try_from(bits >> (18 - 6 * i) & 63).expect("six bits");
            text.push(char::from(ALPHABET[at]));
        }
    }
    text
}

/// `None` unless `text` is the one spelling of some bytes: bits left over at the end are zero.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for letter in group {
            bits = bits << 6
                | u32::try_from(ALPHABET.iter().position(|known| known == letter)?).ok()?;
        }
        bits <<= 6 * (4 - group.len());
        let kept = group.len() * 6 / 8;
        let [_, decoded @ ..] = bits.to_be_bytes();
        if group.len() == 1 || decoded[kept..].iter().any(|left| *left != 0) {
            return None;
        }
        bytes.extend_from_slice(&decoded[..kept]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_standard() {
        // RFC 4648 section 10, without its padding; and the two letters in which the URL alphabet
        // differs.
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(text.as_bytes()), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
        for bad in ["Z", "Zh", "Zm9", "Zm9v=", "+/8A", "Zm9vY"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
