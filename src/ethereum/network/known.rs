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

/// The forks of the consensus layer, in order.
pub(super) const FORKS: [&str; 7] =
    ["phase 0", "Altair", "Bellatrix", "Capella", "Deneb", "Electra", "Fulu"];

/// All that is known of a network. A new one is one row of [`KNOWN`] or [`FORMER`], its vectors,
/// and a line of the changelog: names, checks and help texts come from these tables.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) genesis_fork_version: [u8; 4],
    pub(super) capella_fork_version: [u8; 4],
    /// The fork versions of its configuration, in the order of [`FORKS`].
    pub(super) fork_versions: &'static [[u8; 4]],
    pub(super) genesis_validators_root: [u8; 32],
    /// `DEPOSIT_CONTRACT_ADDRESS`.
    pub(super) deposit_contract: [u8; 20],
    /// Seconds since 1970.
    pub(super) genesis_time: u64,
    /// EIP-155 chain id of its execution layer.
    pub(super) chain_id: u64,
    /// Slots of an epoch.
    pub(super) epoch_slots: u64,
    /// The same, times the seconds of a slot.
    pub(super) epoch_seconds: u64,
    /// The epoch with which Gloas begins, if that is decided (ethereum/pm pull request 2205).
    pub(super) gloas_epoch: Option<u64>,
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
        fork_versions: &[
            [0x00, 0x00, 0x00, 0x00],
            [0x01, 0x00, 0x00, 0x00],
            [0x02, 0x00, 0x00, 0x00],
            [0x03, 0x00, 0x00, 0x00],
            [0x04, 0x00, 0x00, 0x00],
            [0x05, 0x00, 0x00, 0x00],
            [0x06, 0x00, 0x00, 0x00],
        ],
        genesis_validators_root: bytes(
            b"4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
        ),
        deposit_contract: bytes(b"00000000219ab540356cbb839cbe05303d7705fa"),
        genesis_time: 1_606_824_023,
        chain_id: 1,
        epoch_slots: 32,
        epoch_seconds: 32 * 12,
        gloas_epoch: None,
        unit: Unit::Eth,
        limits: Limits::CONSENSUS,
        ssv: true,
        obol: true,
    },
    Known {
        name: "hoodi",
        genesis_fork_version: [0x10, 0x00, 0x09, 0x10],
        capella_fork_version: [0x40, 0x00, 0x09, 0x10],
        fork_versions: &[
            [0x10, 0x00, 0x09, 0x10],
            [0x20, 0x00, 0x09, 0x10],
            [0x30, 0x00, 0x09, 0x10],
            [0x40, 0x00, 0x09, 0x10],
            [0x50, 0x00, 0x09, 0x10],
            [0x60, 0x00, 0x09, 0x10],
            [0x70, 0x00, 0x09, 0x10],
        ],
        genesis_validators_root: bytes(
            b"212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
        ),
        deposit_contract: bytes(b"00000000219ab540356cbb839cbe05303d7705fa"),
        genesis_time: 1_742_213_400,
        chain_id: 560_048,
        epoch_slots: 32,
        epoch_seconds: 32 * 12,
        gloas_epoch: None,
        unit: Unit::Eth,
        limits: Limits::CONSENSUS,
        ssv: true,
        obol: true,
    },
    Known {
        name: "sepolia",
        genesis_fork_version: [0x90, 0x00, 0x00, 0x69],
        capella_fork_version: [0x90, 0x00, 0x00, 0x72],
        fork_versions: &[
            [0x90, 0x00, 0x00, 0x69],
            [0x90, 0x00, 0x00, 0x70],
            [0x90, 0x00, 0x00, 0x71],
            [0x90, 0x00, 0x00, 0x72],
            [0x90, 0x00, 0x00, 0x73],
            [0x90, 0x00, 0x00, 0x74],
            [0x90, 0x00, 0x00, 0x75],
        ],
        genesis_validators_root: bytes(
            b"d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
        ),
        deposit_contract: bytes(b"7f02c3e3c98b133055b8b348b2ac625669ed295d"),
        genesis_time: 1_655_733_600,
        chain_id: 11_155_111,
        epoch_slots: 32,
        epoch_seconds: 32 * 12,
        gloas_epoch: Some(353_024),
        unit: Unit::Eth,
        limits: Limits::CONSENSUS,
        ssv: true,
        obol: true,
    },
    Known {
        name: "gnosis",
        genesis_fork_version: [0x00, 0x00, 0x00, 0x64],
        capella_fork_version: [0x03, 0x00, 0x00, 0x64],
        fork_versions: &[
            [0x00, 0x00, 0x00, 0x64],
            [0x01, 0x00, 0x00, 0x64],
            [0x02, 0x00, 0x00, 0x64],
            [0x03, 0x00, 0x00, 0x64],
            [0x04, 0x00, 0x00, 0x64],
            [0x05, 0x00, 0x00, 0x64],
            [0x06, 0x00, 0x00, 0x64],
        ],
        genesis_validators_root: bytes(
            b"f5dcb5564e829aab27264b9becd5dfaa017085611224cb3036f573368dbb9d47",
        ),
        deposit_contract: bytes(b"0b98057ea310f4d31f2a452b414647007d1645d9"),
        genesis_time: 1_638_993_340,
        chain_id: 100,
        epoch_slots: 16,
        epoch_seconds: 16 * 5,
        gloas_epoch: None,
        unit: Unit::Gno,
        limits: Limits::CONSENSUS,
        ssv: false,
        obol: true,
    },
    Known {
        name: "chiado",
        genesis_fork_version: [0x00, 0x00, 0x00, 0x6f],
        capella_fork_version: [0x03, 0x00, 0x00, 0x6f],
        fork_versions: &[
            [0x00, 0x00, 0x00, 0x6f],
            [0x01, 0x00, 0x00, 0x6f],
            [0x02, 0x00, 0x00, 0x6f],
            [0x03, 0x00, 0x00, 0x6f],
            [0x04, 0x00, 0x00, 0x6f],
            [0x05, 0x00, 0x00, 0x6f],
            [0x06, 0x00, 0x00, 0x6f],
        ],
        genesis_validators_root: bytes(
            b"9d642dac73058fbf39c0ae41ab1e34e4d889043cb199851ded7095bc99eb4c1e",
        ),
        deposit_contract: bytes(b"b97036a26259b7147018913bd58a774cf91acf25"),
        genesis_time: 1_665_396_300,
        chain_id: 10_200,
        epoch_slots: 16,
        epoch_seconds: 16 * 5,
        gloas_epoch: None,
        unit: Unit::Gno,
        limits: Limits::CONSENSUS,
        ssv: false,
        obol: true,
    },
];

/// A network that has ended. No ceremony is held for it, but what was signed for it can be checked.
pub(super) struct Former {
    pub(super) name: &'static str,
    /// EIP-155 chain id, where Obol's older cluster definitions are signed for it.
    pub(super) obol_chain_id: Option<u64>,
    /// The fork versions of its configuration, in the order of [`FORKS`].
    pub(super) fork_versions: &'static [[u8; 4]],
    pub(super) genesis_validators_root: [u8; 32],
    /// `DEPOSIT_CONTRACT_ADDRESS`.
    pub(super) deposit_contract: [u8; 20],
}

/// From the configurations that were published of them (`eth-clients/goerli`,
/// `eth-clients/holesky`).
pub(super) const FORMER: [Former; 2] = [
    Former {
        name: "goerli",
        obol_chain_id: Some(5),
        fork_versions: &[
            [0x00, 0x00, 0x10, 0x20],
            [0x01, 0x00, 0x10, 0x20],
            [0x02, 0x00, 0x10, 0x20],
            [0x03, 0x00, 0x10, 0x20],
            [0x04, 0x00, 0x10, 0x20],
        ],
        genesis_validators_root: bytes(
            b"043db0d9a83813551ee2f33450d23797757d430911a9320530ad8a0eabc43efb",
        ),
        deposit_contract: bytes(b"ff50ed3d0ec03ac01d4c79aad74928bff48a7b2b"),
    },
    Former {
        name: "holesky",
        obol_chain_id: None,
        fork_versions: &[
            [0x01, 0x01, 0x70, 0x00],
            [0x02, 0x01, 0x70, 0x00],
            [0x03, 0x01, 0x70, 0x00],
            [0x04, 0x01, 0x70, 0x00],
            [0x05, 0x01, 0x70, 0x00],
            [0x06, 0x01, 0x70, 0x00],
            [0x07, 0x01, 0x70, 0x00],
        ],
        genesis_validators_root: bytes(
            b"9143aa7c615a7f7115e2b6aac319c03529df8242ae705fba9df39b79c59fa8b1",
        ),
        deposit_contract: bytes(b"4242424242424242424242424242424242424242"),
    },
];

/// `2 * N` hexadecimal digits, at compile time.
pub(in crate::ethereum) const fn bytes<const N: usize, const DIGITS: usize>(
    digits: &[u8; DIGITS],
) -> [u8; N] {
    assert!(DIGITS == 2 * N);
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a lower-case hexadecimal digit"),
        }
    }
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        out[i] = value(digits[2 * i]) << 4 | value(digits[2 * i + 1]);
        i += 1;
    }
    out
}
