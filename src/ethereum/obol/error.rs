//! Everything that can be wrong with a definition.

use super::definition::{FieldFault, MOST_BYTES};
use super::enr::EnrError;
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::json::JsonError;
use crate::ethereum::secp256k1::Secp256k1Error;
use crate::ethereum::ssz::Chunk;

/// Least of one deposit, in gwei.
pub(super) const LEAST: u64 = 1_000_000_000;
/// What deposits have to add up to at least, and the most of one that does not compound.
pub(super) const ACTIVE: u64 = 32 * LEAST;

/// Why a definition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// Amounts out of bounds.
    #[error("deposit_amounts[{position}]: {gwei} gwei; allowed is {LEAST} to {most}")]
    Amount {
        /// Which, from 0.
        position: usize,
        /// The amount.
        gwei: u64,
        /// The most.
        most: u64,
    },
    /// Amounts that together do not activate a validator.
    #[error("deposit_amounts: {0} gwei in total, less than the {ACTIVE} that activate a validator")]
    AmountSum(u64),
    /// The configuration hash is another.
    #[error("config_hash: states 0x{}, but its fields hash to \
             0x{}", hex::encode(.stated), hex::encode(.computed))]
    ConfigHash {
        /// As stated.
        stated: Chunk,
        /// As computed.
        computed: Chunk,
    },
    /// A wallet is said to be a contract, and the definition does not have it.
    #[error("the contract wallet {0} is not a wallet of the definition")]
    ContractUnknown(ExecutionAddress),
    /// Operators have signed, but the creator of the definition has not.
    #[error("creator: not signed, but operators have signed")]
    CreatorUnsigned,
    /// The definition hash is another.
    #[error("definition_hash: states 0x{}, but its fields hash to \
             0x{}", hex::encode(.stated), hex::encode(.computed))]
    DefinitionHash {
        /// As stated.
        stated: Chunk,
        /// As computed.
        computed: Chunk,
    },
    /// A node record.
    #[error("operators[{operator}].enr: {source}")]
    Enr {
        /// Which, from 0.
        operator: usize,
        /// Why.
        source: EnrError,
    },
    /// Two operators with one node key.
    #[error("operators[{operator}].enr: the same node key as operators[{first}]")]
    EnrDuplicate {
        /// Which, from 0.
        operator: usize,
        /// The other.
        first: usize,
    },
    /// One field by itself.
    #[error("{field}: {fault}")]
    Field {
        /// Its path.
        field: String,
        /// Why.
        fault: FieldFault,
    },
    /// Not the JSON of a definition.
    #[error("not a cluster definition: {0}")]
    Json(#[from] JsonError),
    /// Signed, on a chain whose id is not known here.
    #[error("fork_version: 0x{} is not a network that Obol's clusters run on, so no signature can \
             be checked", hex::encode(.0))]
    Network([u8; 4]),
    /// A number of validators that is not theirs.
    #[error("num_validators: {stated}, but validators has {found}")]
    NumValidators {
        /// As stated.
        stated: u64,
        /// How many there are.
        found: usize,
    },
    /// Nobody.
    #[error("operators: there are none")]
    NoOperators,
    /// One part of an operator's or the creator's signatures is missing.
    #[error("{field}: missing, although other parts of what its wallet signs are present")]
    PartlySigned {
        /// The missing field's path.
        field: String,
    },
    /// Some operators have signed, others not.
    #[error("operators[{operator}]: not signed, but others have signed")]
    SomeUnsigned {
        /// The first that has not, from 0.
        operator: usize,
    },
    /// Not between 2 and the number of operators.
    #[error("threshold: {threshold} of {operators} operators; allowed is 2 to all of them")]
    Threshold {
        /// As stated.
        threshold: u64,
        /// Number of operators.
        operators: usize,
    },
    /// Larger than a ceremony can carry.
    #[error("{0} bytes; a definition has at most {MOST_BYTES}")]
    TooLarge(usize),
    /// Another version of the format.
    #[error("version: {0:?}; this program reads v1.8.0 to v1.11.0")]
    Version(String),
    /// A signature that is not its wallet's.
    #[error("{field}: {fault}")]
    Wallet {
        /// The field's path.
        field: String,
        /// Why.
        fault: WalletFault,
    },
}

impl DefinitionError {
    /// The path of the field at fault, `file` if it is none by itself.
    pub fn field(&self) -> String {
        match self {
            Self::Amount { position, .. } => format!("deposit_amounts[{position}]"),
            Self::AmountSum(_) => "deposit_amounts".to_owned(),
            Self::ConfigHash { .. } => "config_hash".to_owned(),
            Self::CreatorUnsigned => "creator".to_owned(),
            Self::DefinitionHash { .. } => "definition_hash".to_owned(),
            Self::Enr { operator, .. } | Self::EnrDuplicate { operator, .. } => {
                format!("operators[{operator}].enr")
            }
            Self::Field { field, .. }
            | Self::PartlySigned { field }
            | Self::Wallet { field, .. } => field.clone(),
            Self::ContractUnknown(_) | Self::Json(_) | Self::TooLarge(_) => "file".to_owned(),
            Self::Network(_) => "fork_version".to_owned(),
            Self::NumValidators { .. } => "num_validators".to_owned(),
            Self::NoOperators => "operators".to_owned(),
            Self::SomeUnsigned { operator } => format!("operators[{operator}]"),
            Self::Threshold { .. } => "threshold".to_owned(),
            Self::Version(_) => "version".to_owned(),
        }
    }
}

/// Why a signature is not that of an ordinary wallet (one with a key of its own).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalletFault {
    /// Signed by another key, or on something else.
    #[error(
        "signed by {}, not by {expected}, or for something else. If {expected} is a contract \
         (ERC-1271), its signature can only be verified on chain: verify it there, then name it as \
         a contract wallet", hexed(.found)
    )]
    AnotherKey {
        /// The wallet.
        expected: ExecutionAddress,
        /// Who has signed.
        found: [u8; 20],
    },
    /// Not a signature.
    #[error("{0}")]
    Malformed(#[from] Secp256k1Error),
    /// Several signatures are a contract's.
    #[error(
        "{count} concatenated signatures are those of a contract (ERC-1271), which can only be \
         verified on chain: verify them there, then name {expected} as a contract wallet"
    )]
    Several {
        /// The wallet.
        expected: ExecutionAddress,
        /// How many.
        count: usize,
    },
}

fn hexed(address: &[u8; 20]) -> String {
    ExecutionAddress::from_bytes(*address)
        .map_or_else(|_| "the zero address".to_owned(), |address| address.to_string())
}
