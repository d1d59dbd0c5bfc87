//! The table of networks: what is known of each that is built in, and of those that have ended.

use crate::ethereum::amount::{GWEI, Unit};

/// Bounds of a network's deposits, in gwei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// What the deposit contract takes at least.
    pub(super) least: u64,
    /// What activates a validator, and the most of one that does not compound.
    pub(super) standard: u64,
    /// The most of a validator that compounds (EIP-7251).
    pub(super) most_compounding: u64,
}

impl Limits {
    /// Those of the consensus specification.
    pub(super) const CONSENSUS: Self =
        Self { least: GWEI, standard: 32 * GWEI, most_compounding: 2048 * GWEI };
}

/// All that is known of a network. A new one is one row of [`KNOWN`] or [`FORMER`], its vectors,
/// and a line of the changelog: names, checks and help texts come from these tables.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) genesis_fork_version: [u8; 4],
    pub(super) capella_fork_version: [u8; 4],
    pub(super) genesis_validators_root: [u8; 32],
    /// Seconds since 1970.
    pub(super) genesis_time: u64,
    /// EIP-155 chain id of its execution layer.
    pub(super) chain_id: u64,
    /// Slots of an epoch, times the seconds of a slot.
    pub(super) epoch_seconds: u64,
    pub(super) unit: Unit,
    pub(super) limits: Limits,
    /// Whether SSV's contract is there.
    pub(super) ssv: bool,
    /// Whether Obol's clusters run there.
    pub(super) obol: bool,
}

/// From the networks' published configurations (`ethereum/consensus-specs`, `eth-clients/hoodi`,
/// `eth-clients/sepolia`, `gnosischain/configs`).
pub(super) const KNOWN: [Known; 5] = [
    Known {
        name: "mainnet",
        genesis_fork_version: [0x00, 0x00, 0x00, 0x00],
        capella_fork_version: [0x03, 0x00, 0x00, 0x00],
        genesis_validators_root: bytes32(
            b"4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
        ),
        genesis_time: 1_606_824_023,
        chain_id: 1,
        epoch_seconds: 32 * 12,
        unit: Unit::Eth,
        limits: Limits::CONSENSUS,
        ssv: true,
        obol: true,
    },
    Known {
        name: "hoodi",
        genesis_fork_version: [0x10, 0x00, 0x09, 0x10],
        capella_fork_version: [0x40, 0x00, 0x09, 0x10],
        genesis_validators_root: bytes32(
            b"212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
        ),
        genesis_time: 1_742_213_400,
        chain_id: 560_048,
        epoch_seconds: 32 * 12,
        unit: Unit::Eth,
        limits: Limits::CONSENSUS,
        ssv: true,
        obol: true,
    },
    Known {
        name: "sepolia",
        genesis_fork_version: [0x90, 0x00, 0x00, 0x69],
        capella_fork_version: [0x90, 0x00, 0x00, 0x72],
        genesis_validators_root: bytes32(
            b"d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
        ),
        genesis_time: 1_655_733_600,
        chain_id: 11_155_111,
        epoch_seconds: 32 * 12,
        unit: Unit::Eth,
        limits: Limits::CONSENSUS,
        ssv: true,
        obol: true,
    },
    Known {
        name: "gnosis",
        genesis_fork_version: [0x00, 0x00, 0x00, 0x64],
        capella_fork_version: [0x03, 0x00, 0x00, 0x64],
        genesis_validators_root: bytes32(
            b"f5dcb5564e829aab27264b9becd5dfaa017085611224cb3036f573368dbb9d47",
        ),
        genesis_time: 1_638_993_340,
        chain_id: 100,
        epoch_seconds: 16 * 5,
        unit: Unit::Gno,
        limits: Limits::CONSENSUS,
        ssv: false,
        obol: true,
    },
    Known {
        name: "chiado",
        genesis_fork_version: [0x00, 0x00, 0x00, 0x6f],
        capella_fork_version: [0x03, 0x00, 0x00, 0x6f],
        genesis_validators_root: bytes32(
            b"9d642dac73058fbf39c0ae41ab1e34e4d889043cb199851ded7095bc99eb4c1e",
        ),
        genesis_time: 1_665_396_300,
        chain_id: 10_200,
        epoch_seconds: 16 * 5,
        unit: Unit::Gno,
        limits: Limits::CONSENSUS,
        ssv: false,
        obol: true,
    },
];

/// A network that has ended. No ceremony is held for it, but what was signed for it can be checked.
pub(super) struct Former {
    pub(super) genesis_fork_version: [u8; 4],
    /// EIP-155 chain id.
    pub(super) chain_id: u64,
}

/// Goerli, for which Obol's older cluster definitions are signed.
pub(super) const FORMER: [Former; 1] =
    [Former { genesis_fork_version: [0x00, 0x00, 0x10, 0x20], chain_id: 5 }];

/// 64 hexadecimal digits, at compile time.
const fn bytes32(digits: &[u8; 64]) -> [u8; 32] {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a lower-case hexadecimal digit"),
        }
    }
    let mut out = [0; 32];
    let mut i = 0;
    while i < 32 {
        out[i] = value(digits[2 * i]) << 4 | value(digits[2 * i + 1]);
        i += 1;
    }
    out
}
