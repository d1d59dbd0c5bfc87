//! What is asked of all networks at once, past ones too: their forks, and where their deposit
//! contracts and Obol's clusters are.

use super::super::ssz::Domain;
use super::DOMAIN_VOLUNTARY_EXIT;
use super::known::{FORKS, FORMER, KNOWN};

/// EIP-155 chain id of the network of this genesis fork version on which Obol's clusters run, or
/// ran.
pub fn obol_chain_id(genesis_fork_version: [u8; 4]) -> Option<u64> {
    let known = KNOWN.iter().filter(|known| known.obol);
    let known = known.map(|known| (known.genesis_fork_version, known.chain_id));
    let former =
        FORMER.iter().filter_map(|former| Some((former.fork_versions[0], former.obol_chain_id?)));
    known.chain(former).find(|(version, _)| *version == genesis_fork_version).map(|(_, id)| id)
}

/// A fork of a network, as far as signatures know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The network's name.
    pub network: String,
    /// The fork's name.
    pub name: &'static str,
    /// Its version.
    pub version: [u8; 4],
    pub(super) genesis_validators_root: [u8; 32],
}

impl Fork {
    /// Domain of voluntary exits made for this fork. Only that of Capella is taken (EIP-7044).
    pub fn exit_domain(&self) -> Domain {
        Domain::compute(DOMAIN_VOLUNTARY_EXIT, &self.version, &self.genesis_validators_root)
    }
}

/// Every fork of every network that is or was known.
pub fn known_forks() -> impl Iterator<Item = Fork> {
    let known =
        KNOWN.iter().map(|known| (known.name, known.fork_versions, known.genesis_validators_root));
    let former = FORMER
        .iter()
        .map(|former| (former.name, former.fork_versions, former.genesis_validators_root));
    known.chain(former).flat_map(|(network, versions, genesis_validators_root)| {
        FORKS.iter().zip(versions).map(move |(name, version)| Fork {
            network: network.to_owned(),
            name,
            version: *version,
            genesis_validators_root,
        })
    })
}

/// The names of the networks, past ones too, whose deposit contract is at this address.
pub fn deposit_contract_of(address: &[u8; 20]) -> impl Iterator<Item = &'static str> {
    let known = KNOWN.iter().map(|known| (known.name, known.deposit_contract));
    let former = FORMER.iter().map(|former| (former.name, former.deposit_contract));
    known.chain(former).filter(move |(_, at)| at == address).map(|(name, _)| name)
}
