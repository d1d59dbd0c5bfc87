//! The EIP-712 digests that wallets sign for an Obol cluster: one string each, in a domain of name,
//! version and chain.

use sha3::{Digest, Keccak256};

/// What a wallet signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The creator, the configuration.
    CreatorConfig,
    /// An operator, that it takes part in the configuration.
    OperatorConfig,
    /// An operator, that a node is its own.
    Enr,
}

impl Purpose {
    /// Type of the struct, and its one member.
    fn type_and_member(self) -> &'static str {
        match self {
            Self::CreatorConfig => "CreatorConfigHash(string creator_config_hash)",
            Self::OperatorConfig => "OperatorConfigHash(string operator_config_hash)",
            Self::Enr => "ENR(string enr)",
        }
    }
}

fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Keccak256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

fn domain_separator(chain_id: u64) -> [u8; 32] {
    let mut chain = [0; 32];
    chain[24..].copy_from_slice(&chain_id.to_be_bytes());
    let kind = keccak(&[b"EIP712Domain(string name,string version,uint256 chainId)"]);
    keccak(&[&kind, &keccak(&[b"Obol"]), &keccak(&[b"1"]), &chain])
}

/// The digest that a wallet signs: `text` is the `0x` hexadecimal of the configuration hash, or the
/// node record.
pub fn digest(purpose: Purpose, text: &str, chain_id: u64) -> [u8; 32] {
    let kind = keccak(&[purpose.type_and_member().as_bytes()]);
    let content = keccak(&[&kind, &keccak(&[text.as_bytes()])]);
    keccak(&[b"\x19\x01", &domain_separator(chain_id), &content])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        let domains = [
            (1, "b9104055a51555e6cd0673082ecb9bf12212645089baa800952aaf4c629e5114"),
            (560_048, "95fc46003c79ee78ab9e89a5e4c16d6dbadc9864bdf2b6b1fa83744cb1b272c2"),
            (11_155_111, "ccdb793570a376975b373880713ea88c44feed10fa4df6c725fc0bd3c15d251b"),
            (100, "a9369f2443f302b306b8c60b819466f004856c0eeb519eceafc1dcdb1fa91bd2"),
            (5, "ce0d150bea16c9b760e1aaf58111082305b19d86d7e07e0fcb65135540804338"),
            (10_200, "47518984bec72776faf271ccb71ac9e8e62b534a37149c47d876659987bd155d"),
        ];
        for (chain, separator) in domains {
            assert_eq!(hex::encode(domain_separator(chain)), separator, "{chain}");
        }
        let types = [
            (
                Purpose::CreatorConfig,
                "0a923f7388f91f35ebe8a5ce13d311f0abcb9771aea29efacd16a6a508f847e7",
            ),
            (
                Purpose::OperatorConfig,
                "d4af394af4738eddcf20144536c092545b756d9cc439fb90e4272cfdcfe8ce7d",
            ),
            (Purpose::Enr, "87376da7a448f2f1cd530a5bb3d53932826d409de519734d88934f4dc0a12566"),
        ];
        for (purpose, hash) in types {
            assert_eq!(hex::encode(keccak(&[purpose.type_and_member().as_bytes()])), hash);
        }
        let config = "0xe57f66637bdfa05cce6a78e8cf4120d67d305b485367a69baa5f738436533bcb";
        assert_eq!(
            hex::encode(digest(Purpose::CreatorConfig, config, 11_155_111)),
            "7c8fe012e2f872ca7ec870164184f57b921166f80565ff74af7bee5796f973e4"
        );
        let config = "0x9f889a6e78ca1f4637fab903ccaef6919e70ff35bcc43022512dbb843232d575";
        assert_eq!(
            hex::encode(digest(Purpose::OperatorConfig, config, 11_155_111)),
            "d90b46401ff7a77a74f29a5ae256b4d2f09c845d41d578df2569a5f3a2bf2d5d"
        );
        assert_eq!(
            hex::encode(digest(Purpose::CreatorConfig, config, 11_155_111)),
            "8a1bc7abee45b04adabc0bfa835a23399864bef57b500d44984de620072f6920"
        );
    }
}
