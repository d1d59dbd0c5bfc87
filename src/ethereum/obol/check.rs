//! Verifies a cluster definition: hashes, numbers, wallet signatures, node records. Its error type
//! lists every reason to refuse one.

use std::collections::BTreeSet;

use super::definition::{ClusterDefinition, FieldFault, MOST_BYTES, SIGNATURE};
use super::eip712::{Purpose, digest};
use super::enr::{self, EnrError};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::json::JsonError;
use crate::ethereum::secp256k1::{NodePublic, Secp256k1Error, recover};
use crate::ethereum::ssz::Chunk;

/// Chains by their genesis fork version: `GENESIS_FORK_VERSION`, EIP-155 chain id.
const CHAINS: [([u8; 4], u64); 6] = [
    ([0x00, 0x00, 0x00, 0x00], 1),
    ([0x00, 0x00, 0x10, 0x20], 5),
    ([0x00, 0x00, 0x00, 0x64], 100),
    ([0x00, 0x00, 0x00, 0x6f], 10_200),
    ([0x90, 0x00, 0x00, 0x69], 11_155_111),
    ([0x10, 0x00, 0x09, 0x10], 560_048),
];
/// Path of the signature by the creator of a definition.
pub const CREATOR_SIGNATURE: &str = "creator.config_signature";
/// Least of one deposit, in gwei.
const LEAST: u64 = 1_000_000_000;
/// What deposits have to add up to at least, and the most of one that does not compound.
const ACTIVE: u64 = 32 * LEAST;
/// Most of one deposit that compounds.
const MOST_COMPOUNDING: u64 = 2048 * LEAST;

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
    #[error("config_hash: states 0x{}, but its fields hash to 0x{}", hex::encode(.stated), hex::encode(.computed))]
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
    #[error("definition_hash: states 0x{}, but its fields hash to 0x{}", hex::encode(.stated), hex::encode(.computed))]
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

/// A signature that nobody can check without the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    /// The field's path.
    pub field: String,
    /// The contract.
    pub wallet: ExecutionAddress,
}

/// A definition that holds; and what of it could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    definition: ClusterDefinition,
    nodes: Vec<NodePublic>,
    contracts: BTreeSet<ExecutionAddress>,
    unchecked: Vec<Unchecked>,
}

impl Cluster {
    /// Every check that can be made offline. Wallets in `contracts` are contracts by the word of
    /// whoever names them: a signature of theirs that is not an ordinary one is noted as unchecked
    /// ([`Cluster::unchecked`]); of any other wallet it is refused.
    pub fn check(
        definition: ClusterDefinition,
        contracts: BTreeSet<ExecutionAddress>,
    ) -> Result<Self, DefinitionError> {
        let found = definition.to_compact_json().len();
        if found > MOST_BYTES {
            return Err(DefinitionError::TooLarge(found));
        }
        check_numbers(&definition)?;
        check_hashes(&definition)?;
        let nodes = check_nodes(&definition)?;
        let wallets = || {
            definition
                .operators
                .iter()
                .map(|operator| operator.address)
                .chain([definition.creator.address])
        };
        if let Some(unknown) =
            contracts.iter().find(|contract| !wallets().any(|wallet| wallet == Some(**contract)))
        {
            return Err(DefinitionError::ContractUnknown(*unknown));
        }
        let unchecked = check_signatures(&definition, &contracts)?;
        Ok(Self { definition, nodes, contracts, unchecked })
    }

    /// The definition.
    pub fn definition(&self) -> &ClusterDefinition {
        &self.definition
    }

    /// The operators' node keys, in order; all different.
    pub fn nodes(&self) -> &[NodePublic] {
        &self.nodes
    }

    /// The wallets that are taken to be contracts.
    pub fn contracts(&self) -> &BTreeSet<ExecutionAddress> {
        &self.contracts
    }

    /// The signatures that were not checked.
    pub fn unchecked(&self) -> &[Unchecked] {
        &self.unchecked
    }
}

fn check_numbers(definition: &ClusterDefinition) -> Result<(), DefinitionError> {
    let (operators, validators) = (definition.operators.len(), definition.validators.len());
    if usize::try_from(definition.num_validators) != Ok(validators) {
        return Err(DefinitionError::NumValidators {
            stated: definition.num_validators,
            found: validators,
        });
    }
    if operators == 0 {
        return Err(DefinitionError::NoOperators);
    }
    let threshold = definition.threshold;
    if threshold < 2 || usize::try_from(threshold).map_or(true, |threshold| threshold > operators) {
        return Err(DefinitionError::Threshold { threshold, operators });
    }
    let amounts = definition.deposit_amounts.as_deref().unwrap_or_default();
    let most = if definition.compounding { MOST_COMPOUNDING } else { ACTIVE };
    if let Some(position) = amounts.iter().position(|gwei| !(LEAST..=most).contains(gwei)) {
        return Err(DefinitionError::Amount { position, gwei: amounts[position], most });
    }
    // At most 256 times 2048 ETH.
    match amounts.iter().sum() {
        sum if !amounts.is_empty() && sum < ACTIVE => Err(DefinitionError::AmountSum(sum)),
        _ => Ok(()),
    }
}

fn check_hashes(definition: &ClusterDefinition) -> Result<(), DefinitionError> {
    let (stated, computed) = (definition.config_hash, definition.compute_config_hash());
    if stated != computed {
        return Err(DefinitionError::ConfigHash { stated, computed });
    }
    let (stated, computed) = (definition.definition_hash, definition.compute_definition_hash());
    if stated != computed {
        return Err(DefinitionError::DefinitionHash { stated, computed });
    }
    Ok(())
}

fn check_nodes(definition: &ClusterDefinition) -> Result<Vec<NodePublic>, DefinitionError> {
    let mut nodes: Vec<NodePublic> = Vec::with_capacity(definition.operators.len());
    for (operator, entry) in definition.operators.iter().enumerate() {
        let key =
            enr::parse(&entry.enr).map_err(|source| DefinitionError::Enr { operator, source })?;
        if let Some(first) = nodes.iter().position(|node| *node == key) {
            return Err(DefinitionError::EnrDuplicate { operator, first });
        }
        nodes.push(key);
    }
    Ok(nodes)
}

/// Everybody or nobody has signed, each completely, and every signature is its wallet's.
fn check_signatures(
    definition: &ClusterDefinition,
    contracts: &BTreeSet<ExecutionAddress>,
) -> Result<Vec<Unchecked>, DefinitionError> {
    let chain =
        CHAINS.iter().find(|(version, _)| *version == definition.fork_version).map(|(_, id)| *id);
    let unknown = DefinitionError::Network(definition.fork_version);
    let config = format!("0x{}", hex::encode(definition.config_hash));
    let mut unchecked = Vec::new();
    let mut verify =
        |field: String, wallet: ExecutionAddress, purpose, text: &str, signature: &[u8]| {
            let hash = digest(purpose, text, chain.ok_or_else(|| unknown.clone())?);
            match check_wallet(&hash, wallet, signature) {
                Ok(()) => Ok(()),
                Err(_) if contracts.contains(&wallet) => {
                    unchecked.push(Unchecked { field, wallet });
                    Ok(())
                }
                Err(fault) => Err(DefinitionError::Wallet { field, fault }),
            }
        };
    let mut signed = Vec::with_capacity(definition.operators.len());
    for (i, operator) in definition.operators.iter().enumerate() {
        let field = |name: &str| format!("operators[{i}].{name}");
        match (
            operator.address,
            operator.config_signature.as_slice(),
            operator.enr_signature.as_slice(),
        ) {
            (None, [], []) => signed.push(false),
            (None, _, _) => return Err(DefinitionError::PartlySigned { field: field("address") }),
            (_, [], _) => {
                return Err(DefinitionError::PartlySigned { field: field("config_signature") });
            }
            (_, _, []) => {
                return Err(DefinitionError::PartlySigned { field: field("enr_signature") });
            }
            (Some(wallet), consent, node) => {
                verify(
                    field("config_signature"),
                    wallet,
                    Purpose::OperatorConfig,
                    &config,
                    consent,
                )?;
                verify(field("enr_signature"), wallet, Purpose::Enr, &operator.enr, node)?;
                signed.push(true);
            }
        }
    }
    let anybody = signed.contains(&true);
    if let Some(operator) = signed.iter().position(|signed| !signed).filter(|_| anybody) {
        return Err(DefinitionError::SomeUnsigned { operator });
    }
    match (definition.creator.address, definition.creator.config_signature.as_slice()) {
        (None, []) if anybody => Err(DefinitionError::CreatorUnsigned),
        (None, []) => Ok(()),
        (None, _) => Err(DefinitionError::PartlySigned { field: "creator.address".to_owned() }),
        (Some(_), []) => Err(DefinitionError::PartlySigned { field: CREATOR_SIGNATURE.to_owned() }),
        (Some(wallet), consent) => {
            verify(CREATOR_SIGNATURE.to_owned(), wallet, Purpose::CreatorConfig, &config, consent)
        }
    }?;
    Ok(unchecked)
}

/// Whether this is the signature of a wallet with a key of its own.
fn check_wallet(
    hash: &[u8; 32],
    expected: ExecutionAddress,
    signature: &[u8],
) -> Result<(), WalletFault> {
    let Ok(signature) = <&[u8; SIGNATURE]>::try_from(signature) else {
        return Err(WalletFault::Several { expected, count: signature.len() / SIGNATURE });
    };
    let found = recover(hash, signature)?.address();
    if found == *expected.as_bytes() {
        Ok(())
    } else {
        Err(WalletFault::AnotherKey { expected, found })
    }
}
