//! The Obol part of a spec: the cluster definition itself, and the check that the ceremony is the
//! one it describes.

use std::collections::BTreeSet;

use super::error::SpecError;
use super::file::{
    AmountText, CeremonyFile, FILE_VERSION, NetworkEntry, ObolEntry, OperatorEntry, PolicyEntry,
    ValidatorEntry,
};
use super::terms::Terms;
use crate::ethereum::address::{AddressError, ExecutionAddress};
use crate::ethereum::obol::check::{Cluster, DefinitionError};
use crate::ethereum::obol::definition::{ClusterDefinition, MOST_BYTES};
use crate::ethereum::obol::lock_check::network;
use crate::primitives::codec::{DecodeError, Reader, Writer};

/// Most bytes of the extension: wallets that are contracts, and the definition.
pub(crate) const MOST_EXTENSION_BYTES: usize = 2 + 20 * MOST_CONTRACTS + MOST_BYTES;
/// Every operator's wallet and the creator's.
const MOST_CONTRACTS: usize = 256;

/// Why a cluster and a ceremony do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// A wallet's address, as written in a file.
    #[error("contract_wallets[{position}]: {source}")]
    Contract {
        /// Which, from 0.
        position: usize,
        /// Why.
        source: AddressError,
    },
    /// The definition itself.
    #[error("definition: {0}")]
    Definition(#[from] DefinitionError),
    /// One share in two networks would be slashed.
    #[error("given together with [ssv]; a share used in both gets slashed")]
    WithSsv,
    /// The ceremony says something else than its definition.
    #[error("{field}: {ceremony}, but the cluster definition has {definition}")]
    Differs {
        /// The ceremony's field.
        field: String,
        /// What the ceremony says.
        ceremony: String,
        /// What the definition says.
        definition: String,
    },
}

/// Reads a definition as a file carries it.
pub(super) fn read(
    definition: &[u8],
    contracts: BTreeSet<ExecutionAddress>,
) -> Result<Cluster, SpecError> {
    let checked = ClusterDefinition::parse(definition)
        .and_then(|definition| Cluster::check(definition, contracts));
    checked.map_err(|error| ClusterError::from(error).into())
}

/// The extension's bytes: number of contract wallets(2) ‖ that many: address(20), ascending ‖ the
/// definition as compact JSON.
pub(crate) fn encode(cluster: &Cluster) -> Vec<u8> {
    let contracts = cluster.contracts();
    Writer::default()
        .u16(
            u16::try_from(contracts.len())
                .expect("at most one for each wallet of at most 256 operators"),
        )
        .each(contracts, |w, contract| w.bytes(contract.as_bytes()))
        .bytes(&cluster.definition().to_compact_json())
        .finish()
}

/// The cluster in the extension's bytes. That they are the one encoding of it is seen by encoding
/// again.
pub(super) fn decode(bytes: &[u8]) -> Result<Cluster, SpecError> {
    let (contracts, definition) = Reader::all(bytes, |r| {
        let count = usize::from(r.u16("contract wallets")?);
        if count > MOST_CONTRACTS {
            return Err(DecodeError::Invalid {
                what: "contract wallets",
                why: "more than a cluster can have",
            });
        }
        let contracts: Vec<[u8; 20]> = r.many(count, |r| r.array("contract wallet"))?;
        Ok((contracts, r.bytes("cluster definition", r.remaining())?))
    })?;
    let contract = |(position, bytes): (usize, [u8; 20])| {
        ExecutionAddress::from_bytes(bytes)
            .map_err(|source| ClusterError::Contract { position, source })
    };
    let contracts =
        contracts.into_iter().enumerate().map(contract).collect::<Result<BTreeSet<_>, _>>()?;
    read(definition, contracts)
}

/// Whether the ceremony makes exactly the cluster that its definition describes.
pub(super) fn check(cluster: &Cluster, terms: &Terms) -> Result<(), ClusterError> {
    let definition = cluster.definition();
    if terms.ssv.is_some() {
        return Err(ClusterError::WithSsv);
    }
    same("operators", terms.seats.len(), definition.operators.len())?;
    same("threshold", terms.required, usize::try_from(definition.threshold).unwrap_or(usize::MAX))?;
    let fork = |version: [u8; 4]| format!("0x{}", hex::encode(version));
    same("network", fork(terms.network.genesis_fork_version()), fork(definition.fork_version))?;
    if !terms.network.is_known() {
        return Err(differs("network", "a network of one's own", "one that is built in"));
    }
    for (position, seat) in terms.seats.iter().enumerate() {
        same(
            &format!("operators[{position}].point"),
            seat.point,
            u64::try_from(position).unwrap_or(u64::MAX) + 1,
        )?;
    }
    same("validators", terms.validators.len(), definition.validators.len())?;
    for (position, (validator, addresses)) in
        terms.validators.iter().zip(&definition.validators).enumerate()
    {
        let place = |field: &str| format!("validators[{position}].{field}");
        same(&place("compounding"), validator.withdrawal.is_compounding(), definition.compounding)?;
        same(&place("withdrawal"), validator.withdrawal.address(), addresses.withdrawal)?;
        let gwei = |amounts: &[u64]| format!("{amounts:?} gwei");
        same(&place("amounts"), gwei(&validator.amounts), gwei(&definition.amounts()))?;
        let Some(registration) = &validator.registration else {
            return Err(differs(
                &place("fee_recipient"),
                "none",
                &addresses.fee_recipient.to_string(),
            ));
        };
        same(&place("fee_recipient"), registration.fee_recipient, addresses.fee_recipient)?;
        same(&place("gas_limit"), registration.gas_limit, definition.gas_limit())?;
    }
    Ok(())
}

/// A field of the definition that says something else than the ceremony.
pub(crate) fn differs(field: &str, ceremony: &str, definition: &str) -> ClusterError {
    ClusterError::Differs {
        field: field.to_owned(),
        ceremony: ceremony.to_owned(),
        definition: definition.to_owned(),
    }
}

/// Whether both say the same of a field.
pub(crate) fn same<T: PartialEq + core::fmt::Display>(
    field: &str,
    ceremony: T,
    definition: T,
) -> Result<(), ClusterError> {
    if ceremony == definition {
        Ok(())
    } else {
        Err(differs(field, &ceremony.to_string(), &definition.to_string()))
    }
}

/// A ceremony file that makes `cluster`, everything but names and ways to reach operators taken
/// from its definition; to be checked like any other.
pub fn ceremony_file(
    cluster: &Cluster,
    name: &str,
    id: &[u8; 32],
    operators: Vec<OperatorEntry>,
) -> Result<CeremonyFile, SpecError> {
    let definition = cluster.definition();
    let unknown = || ClusterError::Definition(DefinitionError::Network(definition.fork_version));
    let network = network(definition.fork_version).ok_or_else(unknown)?;
    let amounts =
        definition.amounts().into_iter().map(|gwei| AmountText(network.unit().decimal(gwei)));
    let amounts: Vec<AmountText> = amounts.collect();
    let validators = definition.validators.chunk_by(|a, b| a == b).map(|equal| ValidatorEntry {
        count: u64::try_from(equal.len()).unwrap_or(u64::MAX),
        withdrawal: equal[0].withdrawal.to_string(),
        compounding: definition.compounding,
        amounts: Some(amounts.clone()),
        fee_recipient: Some(equal[0].fee_recipient.to_string()),
        gas_limit: Some(definition.gas_limit()),
        first: None,
        keys: None,
    });
    Ok(CeremonyFile {
        version: FILE_VERSION,
        name: name.to_owned(),
        id: hex::encode(id),
        attempt: 1,
        supersedes: None,
        network: NetworkEntry::Known(network.name().to_owned()),
        threshold: u16::try_from(definition.threshold).unwrap_or(u16::MAX),
        policy: PolicyEntry::default(),
        parent: None,
        import: None,
        repair: None,
        operators,
        validators: validators.collect(),
        preregistration: None,
        ssv: None,
        obol: Some(ObolEntry::from(cluster)),
    })
}
