//! Addresses that money must not be sent to, because nothing is ever paid out there, and addresses
//! that look like a mistake.

use core::fmt;

use super::address::ExecutionAddress;
use super::network::{deposit_contract_of, listed};

/// Why money that is paid to an address stays there, or is anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// A contract that cannot send on what a withdrawal brings: a withdrawal raises the balance and
    /// runs no code (EIP-4895).
    Contract(&'static str),
    /// The deposit contract of a network.
    DepositContract(ExecutionAddress),
    /// In the range that is kept for precompiled contracts.
    Precompile,
    /// A contract that sends what it has to whoever asks.
    Anybodys(&'static str),
    /// The address from which the protocol calls its system contracts.
    System,
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(what) => write!(f, "{what}: money sent there can never be moved"),
            Self::DepositContract(at) => write!(
                f,
                "the deposit contract of {}: money sent there can never be moved",
                listed(deposit_contract_of(at.as_bytes()), "and")
            ),
            Self::Precompile => f.write_str(
                "in the range of precompiled contracts: money sent there can never be moved",
            ),
            Self::Anybodys(what) => write!(f, "{what}: anybody can take money that is sent there"),
            Self::System => f.write_str("the protocol's own caller: nobody has its key"),
        }
    }
}

/// Why an address is probably not the one that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The customary burn address, of which nobody has a key: meant for rehearsals at best.
    Burn,
    /// Its digits repeat, as in a placeholder.
    Pattern,
    /// Its private key is in public documents.
    PublishedKey,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Burn => "a burn address: nobody can ever move money that is sent there",
            Self::Pattern => {
                "its digits repeat, as in a placeholder; check that somebody has its key"
            }
            Self::PublishedKey => {
                "its private key is published with developers' tools, so anybody can take the money"
            }
        })
    }
}

/// Contracts of the protocol (EIP-4788, EIP-2935, EIP-7002, EIP-7251, EIP-8282) and others that are
/// at one address on many networks.
const CONTRACTS: [([u8; 20], Trap); 10] = [
    (
        hex_literal(b"000f3df6d732807ef1319fb7b8bb8522d0beac02"),
        Trap::Contract("the contract of beacon block roots (EIP-4788)"),
    ),
    (
        hex_literal(b"0000f90827f1c53a10cb7a02335b175320002935"),
        Trap::Contract("the contract of block hashes (EIP-2935)"),
    ),
    (
        hex_literal(b"00000961ef480eb55e80d19ad83579a64c007002"),
        Trap::Contract("the contract for withdrawal requests (EIP-7002)"),
    ),
    (
        hex_literal(b"0000bbddc7ce488642fb579f8b00f3a590007251"),
        Trap::Contract("the contract for consolidation requests (EIP-7251)"),
    ),
    (
        hex_literal(b"0000bff46984e3725691fa540a8c7589300d8282"),
        Trap::Contract("the contract for builder deposits (EIP-8282)"),
    ),
    (
        hex_literal(b"000064d678505ad48f8ccb093bc65613800e8282"),
        Trap::Contract("the contract for builder exits (EIP-8282)"),
    ),
    (
        hex_literal(b"c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"),
        Trap::Contract("the contract of wrapped ether"),
    ),
    (
        hex_literal(b"4e59b44847b379578588920ca78fbf26c0b4956c"),
        Trap::Contract("a contract that creates contracts"),
    ),
    (
        hex_literal(b"ca11bde05977b3631167028862be2a173976ca11"),
        Trap::Anybodys("the Multicall3 contract"),
    ),
    (hex_literal(b"fffffffffffffffffffffffffffffffffffffffe"), Trap::System),
];

/// A burn address by custom.
const BURN: [u8; 20] = hex_literal(b"000000000000000000000000000000000000dead");

/// The first accounts of Hardhat, Foundry and Ganache, and those of the private keys 1 and 2.
const PUBLISHED: [[u8; 20]; 13] = [
    hex_literal(b"f39fd6e51aad88f6f4ce6ab8827279cfffb92266"),
    hex_literal(b"70997970c51812dc3a010c7d01b50e0d17dc79c8"),
    hex_literal(b"3c44cdddb6a900fa2b585dd299e03d12fa4293bc"),
    hex_literal(b"90f79bf6eb2c4f870365e785982e1f101e93b906"),
    hex_literal(b"15d34aaf54267db7d7c367839aaf71a00a2c6a65"),
    hex_literal(b"9965507d1a55bcc2695c58ba16fb37d819b0a4dc"),
    hex_literal(b"976ea74026e726554db657fa54763abd0c3a0aa9"),
    hex_literal(b"14dc79964da2c08b23698b3d3cc7ca32193d9955"),
    hex_literal(b"23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f"),
    hex_literal(b"a0ee7a142d267c1f36714e4a8f75612f20a79720"),
    hex_literal(b"90f8bf6a479f320ead074411a4b0e7944ea8c9c1"),
    hex_literal(b"7e5f4552091a69125d5dfcb7b8c2659029395bdf"),
    hex_literal(b"2b5ad5c4795c026514f8317c7a215e218dccd6cf"),
];

/// Digits of an address.
const DIGITS: usize = 40;
/// So many equal digits in a row do not come by chance, nor in addresses that are chosen for
/// their looks.
const LONGEST_RUN: usize = 16;
/// An address of so few different digits was typed, not computed.
const FEWEST_DIGITS: usize = 4;

/// Why nothing that is paid to this address can be moved by its owner, if that is known.
pub fn trap(address: &ExecutionAddress) -> Option<Trap> {
    let bytes = address.as_bytes();
    if let Some((_, trap)) = CONTRACTS.iter().find(|(at, _)| at == bytes) {
        return Some(*trap);
    }
    if deposit_contract_of(bytes).next().is_some() {
        return Some(Trap::DepositContract(*address));
    }
    // EIP-1352 keeps the first 65536 addresses for them.
    (bytes[..18] == [0; 18] && *bytes != BURN).then_some(Trap::Precompile)
}

/// Why this address is probably a mistake, if it looks like one.
pub fn doubt(address: &ExecutionAddress) -> Option<Doubt> {
    if *address.as_bytes() == BURN {
        return Some(Doubt::Burn);
    }
    if PUBLISHED.contains(address.as_bytes()) {
        return Some(Doubt::PublishedKey);
    }
    let digits: [u8; DIGITS] = core::array::from_fn(|i| {
        let byte = address.as_bytes()[i / 2];
        if i % 2 == 0 { byte >> 4 } else { byte & 15 }
    });
    let periodic = (1..=DIGITS / 2).any(|n| digits[n..] == digits[..DIGITS - n]);
    let run = digits.chunk_by(|a, b| a == b).any(|run| run.len() >= LONGEST_RUN);
    let mut different = digits;
    different.sort_unstable();
    let few = different.chunk_by(|a, b| a == b).count() <= FEWEST_DIGITS;
    (periodic || run || few).then_some(Doubt::Pattern)
}

/// The address with what is wrong with it, or looks wrong, for a person.
pub fn warning(address: &ExecutionAddress) -> Option<String> {
    let trap = trap(address).map(|trap| trap.to_string());
    let found = trap.or_else(|| Some(doubt(address)?.to_string()))?;
    Some(format!("{address}: {found}"))
}

/// 40 hexadecimal digits, at compile time.
const fn hex_literal(digits: &[u8; DIGITS]) -> [u8; 20] {
    super::network::bytes(digits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> ExecutionAddress {
        ExecutionAddress::parse_checksummed(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Addresses and names from the EIPs, from the networks' configurations and from block
    /// explorers, in their checksummed spelling: a digit too few or wrong would not be one.
    #[test]
    fn where_nothing_is_paid_out() {
        for (address, says) in [
            (
                "0x00000000219ab540356cBB839Cbe05303d7705Fa",
                "the deposit contract of mainnet and hoodi",
            ),
            ("0x7f02C3E3c98b133055B8B348B2Ac625669Ed295D", "the deposit contract of sepolia"),
            ("0x0B98057eA310F4d31F2a452B414647007d1645d9", "the deposit contract of gnosis"),
            ("0xb97036A26259B7147018913bD58a774cf91acf25", "the deposit contract of chiado"),
            ("0xff50ed3d0ec03aC01D4C79aAd74928BFF48a7b2b", "the deposit contract of goerli"),
            ("0x4242424242424242424242424242424242424242", "the deposit contract of holesky"),
            ("0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02", "(EIP-4788)"),
            ("0x0000F90827F1C53a10cb7A02335B175320002935", "(EIP-2935)"),
            ("0x00000961Ef480Eb55e80D19ad83579A64c007002", "(EIP-7002)"),
            ("0x0000BBdDc7CE488642fb579F8B00f3a590007251", "(EIP-7251)"),
            ("0x0000bFF46984e3725691FA540a8C7589300D8282", "(EIP-8282)"),
            ("0x000064D678505ad48F8cCb093BC65613800E8282", "(EIP-8282)"),
            ("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "wrapped ether"),
            ("0x4e59b44847b379578588920cA78FbF26c0B4956C", "creates contracts"),
            ("0xcA11bde05977b3631167028862bE2a173976CA11", "anybody can take money"),
            ("0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE", "nobody has its key"),
            ("0x0000000000000000000000000000000000000001", "precompiled contracts"),
            ("0x0000000000000000000000000000000000000011", "precompiled contracts"),
            ("0x0000000000000000000000000000000000000100", "precompiled contracts"),
            ("0x000000000000000000000000000000000000FFff", "precompiled contracts"),
        ] {
            let trap = trap(&at(address)).map(|trap| trap.to_string()).unwrap_or_default();
            assert!(trap.contains(says), "{address}: {trap:?}");
        }
        for address in [
            "0x0000000000000000000000000000000000010000",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x1111111111111111111111111111111111111111",
        ] {
            assert_eq!(trap(&at(address)), None, "{address}");
        }
    }

    #[test]
    fn what_looks_like_a_mistake() {
        for address in [
            "0x1111111111111111111111111111111111111111",
            "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB",
            "0xDeaDbeefdEAdbeefdEadbEEFdeadbeEFdEaDbeeF",
            "0x0123456789abcDEF0123456789abCDef01234567",
            "0x1234567890123456789012345678901234567890",
            "0x11111111111111111111111111111111111111CC",
            "0x0000000000000000000000000000000000010000",
            "0x5aAeb60530000000000000000000000000000000",
        ] {
            let address = ExecutionAddress::parse_any(&address.to_lowercase()).unwrap();
            assert_eq!(doubt(&address), Some(Doubt::Pattern), "{address}");
        }
        let burn = at("0x000000000000000000000000000000000000dEaD");
        assert_eq!((trap(&burn), doubt(&burn)), (None, Some(Doubt::Burn)));
        for address in PUBLISHED {
            let address = ExecutionAddress::from_bytes(address).unwrap();
            assert_eq!(doubt(&address), Some(Doubt::PublishedKey), "{address}");
        }
        // Of ERC-55, and of contracts that were made to begin with many zeros.
        for address in [
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
            "0xde709f2102306220921060314715629080e2fb77",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x00000000000000ADc04C56Bf30aC9d3c0aAF14dC",
            "0x000000000022D473030F116dDEE9F6B43aC78BA3",
        ] {
            assert_eq!(doubt(&at(address)), None, "{address}");
        }
    }
}
