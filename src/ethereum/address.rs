//! Execution-layer addresses and their checksummed spelling (ERC-55).

use core::fmt;

use sha3::{Digest, Keccak256};

use super::destination::{Trap, trap};

/// Why a text or twenty bytes are not an address to send money to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `0x` and 40 hexadecimal digits.
    #[error("not an address: 0x and 40 hexadecimal digits are required")]
    Shape,
    /// Another number of digits.
    #[error("not an address: {0} hexadecimal digits after 0x, where an address has 40{1}")]
    Digits(usize, &'static str),
    /// A name that a contract translates.
    #[error("a name, not an address: what a name means can change; give the address (0x...)")]
    Name,
    /// White space before, behind or in it.
    #[error("not an address: there is a space in it")]
    Space,
    /// Letters of one case only, where a checksum is required.
    #[error(
        "the address has no checksum: copy it in its mixed-case spelling (ERC-55) from the wallet"
    )]
    NoChecksum,
    /// Mixed case that is not the checksum. The right spelling is not told: an address with a
    /// typing error has one too.
    #[error("the address does not match its checksum (ERC-55): it was mistyped or altered")]
    BadChecksum,
    /// Nothing that is paid there can be moved by its owner.
    #[error("{0}")]
    Trap(Trap),
    /// All zero: money sent there is lost.
    #[error("the zero address")]
    Zero,
}

/// An execution-layer address, never the zero address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionAddress([u8; 20]);

impl ExecutionAddress {
    /// From 20 bytes.
    pub fn from_bytes(bytes: [u8; 20]) -> Result<Self, AddressError> {
        if bytes == [0; 20] { Err(AddressError::Zero) } else { Ok(Self(bytes)) }
    }

    /// From its checksummed spelling, and no other: what a person enters.
    pub fn parse_checksummed(text: &str) -> Result<Self, AddressError> {
        let address = Self::decode(text)?;
        if address.to_string() == text {
            return Ok(address);
        }
        let letters = |lower: bool| {
            text[2..].chars().any(|c| c.is_ascii_alphabetic() && c.is_ascii_lowercase() == lower)
        };
        Err(if letters(true) && letters(false) {
            AddressError::BadChecksum
        } else {
            AddressError::NoChecksum
        })
    }

    /// From its checksummed or its lower-case spelling: what programs write.
    pub fn parse_any(text: &str) -> Result<Self, AddressError> {
        match Self::parse_checksummed(text) {
            Err(AddressError::NoChecksum) if !text.chars().any(|c| c.is_ascii_uppercase()) => {
                Self::decode(text)
            }
            verdict => verdict,
        }
    }

    /// The address, if nothing is known that keeps its owner from what is paid to it.
    pub fn usable(self) -> Result<Self, AddressError> {
        trap(&self).map_or(Ok(self), |trap| Err(AddressError::Trap(trap)))
    }

    fn decode(text: &str) -> Result<Self, AddressError> {
        if text.trim().len() < text.len() {
            return Err(AddressError::Space);
        }
        let Some(digits) = text.strip_prefix("0x") else {
            let name = text.contains('.') && !text.contains(':');
            return Err(if name { AddressError::Name } else { AddressError::Shape });
        };
        if digits.len() != 40 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let known_by = match digits.len() {
                64 => "; 64 are withdrawal credentials, or a private key, which nobody may see",
                96 => "; 96 are a validator's public key",
                130 => "; 130 are a public key or a signature",
                _ => "",
            };
            return Err(AddressError::Digits(digits.len(), known_by));
        }
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| AddressError::Shape)?;
        Self::from_bytes(bytes)
    }

    /// The 20 bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// `0x` and lower-case digits.
    pub fn to_lower_hex(&self) -> String {
        format!("0x{}", hex::encode(self.0))
    }
}

impl fmt::Display for ExecutionAddress {
    /// ERC-55: a letter is upper case where the digit of the Keccak-256 of the lower-case text is 8
    /// or more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lower = hex::encode(self.0);
        let hash = hex::encode(Keccak256::digest(lower.as_bytes()));
        let mixed: String = lower
            .chars()
            .zip(hash.chars())
            .map(|(c, h)| if h >= '8' { c.to_ascii_uppercase() } else { c })
            .collect();
        write!(f, "0x{mixed}")
    }
}

impl fmt::Debug for ExecutionAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExecutionAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The eight test cases of ERC-55.
    const ERC55: [&str; 8] = [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn erc55_spellings() {
        for text in ERC55 {
            assert_eq!(ExecutionAddress::parse_checksummed(text).unwrap().to_string(), text);
            assert_eq!(
                ExecutionAddress::parse_any(&text.to_lowercase()).unwrap().to_string(),
                text
            );
        }
    }

    #[test]
    fn refusals() {
        use AddressError::*;
        let good = ERC55[4];
        let flipped = good.replacen("aA", "AA", 1);
        let cases = [
            (good.to_lowercase(), NoChecksum),
            (format!("0x{}", good[2..].to_uppercase()), NoChecksum),
            (flipped, BadChecksum),
            (good.replacen("5aAeb6", "5aAeb7", 1), BadChecksum),
            (good[2..].to_owned(), Shape),
            (format!("{good} "), Space),
            (format!("\t{good}"), Space),
            (format!("{good}00"), Digits(42, "")),
            (
                format!("0x{}", "ab".repeat(32)),
                Digits(
                    64,
                    "; 64 are withdrawal credentials, or a private key, which nobody may see",
                ),
            ),
            (format!("0x{}", "ab".repeat(48)), Digits(96, "; 96 are a validator's public key")),
            ("vitalik.eth".to_owned(), Name),
            (format!("eth:{good}"), Shape),
            (good.replacen("0x", "0X", 1), Shape),
            (good.replacen('5', "é", 1), Shape),
            (String::new(), Shape),
            (format!("0x{}", "0".repeat(40)), Zero),
        ];
        for (text, reason) in cases {
            assert_eq!(ExecutionAddress::parse_checksummed(&text), Err(reason), "{text}");
        }
        assert_eq!(
            ExecutionAddress::parse_any(&good.to_uppercase().replacen("0X", "0x", 1)),
            Err(NoChecksum)
        );
    }
}
