//! Verifies a cluster definition: hashes, numbers, wallet signatures, node records. Its error type

use std::collections::BTreeSet;

use super::definition::{ClusterDefinition, ClusterOperator, Creator, MOST_BYTES, SIGNATURE};
use super::eip712::{Purpose, digest};
use super::enr;
use super::error::{ACTIVE, LEAST};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::network::obol_chain_id;
use crate::ethereum::secp256k1::{NodePublic, recover};

pub use super::error::{DefinitionError, WalletFault};

/// Path of the signature by the creator of a definition.
pub const CREATOR_SIGNATURE: &str = "creator.config_signature";
/// Most of one deposit that compounds.
const MOST_COMPOUNDING: u64 = 2048 * LEAST;

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
    let mut wallets = Wallets {
        fork_version: definition.fork_version,
        config: format!("0x{}", hex::encode(definition.config_hash)),
        contracts,
        unchecked: Vec::new(),
    };
    let mut signed = Vec::with_capacity(definition.operators.len());
    for (i, operator) in definition.operators.iter().enumerate() {
        signed.push(wallets.check_operator(i, operator)?);
    }
    let anybody = signed.contains(&true);
    if let Some(operator) = signed.iter().position(|signed| !signed).filter(|_| anybody) {
        return Err(DefinitionError::SomeUnsigned { operator });
    }
    wallets.check_creator(&definition.creator, anybody)?;
    Ok(wallets.unchecked)
}

/// What wallets sign of a definition, and what of it could not be checked.
struct Wallets<'a> {
    fork_version: [u8; 4],
    /// The configuration hash, as it is signed.
    config: String,
    contracts: &'a BTreeSet<ExecutionAddress>,
    unchecked: Vec<Unchecked>,
}

impl Wallets<'_> {
    fn verify(
        &mut self,
        field: String,
        wallet: ExecutionAddress,
        purpose: Purpose,
        text: &str,
        signature: &[u8],
    ) -> Result<(), DefinitionError> {
        let chain =
            obol_chain_id(self.fork_version).ok_or(DefinitionError::Network(self.fork_version))?;
        match check_wallet(&digest(purpose, text, chain), wallet, signature) {
            Ok(()) => Ok(()),
            Err(_) if self.contracts.contains(&wallet) => {
                self.unchecked.push(Unchecked { field, wallet });
                Ok(())
            }
            Err(fault) => Err(DefinitionError::Wallet { field, fault }),
        }
    }

    /// Whether the operator has signed; an error if it has in part, or another has.
    fn check_operator(
        &mut self,
        i: usize,
        operator: &ClusterOperator,
    ) -> Result<bool, DefinitionError> {
        let field = |name: &str| format!("operators[{i}].{name}");
        let missing = |name: &str| Err(DefinitionError::PartlySigned { field: field(name) });
        let (consent, node) = (&operator.config_signature[..], &operator.enr_signature[..]);
        match (operator.address, consent, node) {
            (None, [], []) => Ok(false),
            (None, _, _) => missing("address"),
            (_, [], _) => missing("config_signature"),
            (_, _, []) => missing("enr_signature"),
            (Some(wallet), _, _) => {
                let config = self.config.clone();
                let purpose = Purpose::OperatorConfig;
                self.verify(field("config_signature"), wallet, purpose, &config, consent)?;
                self.verify(field("enr_signature"), wallet, Purpose::Enr, &operator.enr, node)?;
                Ok(true)
            }
        }
    }

    /// Whoever made the definition has signed it too, if operators have.
    fn check_creator(&mut self, creator: &Creator, anybody: bool) -> Result<(), DefinitionError> {
        let missing = |field: &str| Err(DefinitionError::PartlySigned { field: field.to_owned() });
        match (creator.address, creator.config_signature.as_slice()) {
            (None, []) if anybody => Err(DefinitionError::CreatorUnsigned),
            (None, []) => Ok(()),
            (None, _) => missing("creator.address"),
            (Some(_), []) => missing(CREATOR_SIGNATURE),
            (Some(wallet), consent) => {
                let (field, config) = (CREATOR_SIGNATURE.to_owned(), self.config.clone());
                self.verify(field, wallet, Purpose::CreatorConfig, &config, consent)
            }
        }
    }
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
