//! Voluntary exits (consensus specification, `phase0/beacon-chain.md`; EIP-7044), and the request
//! that does the same from the execution layer (EIP-7002).

use super::network::Network;
use super::ssz::{self, Chunk};

/// Where withdrawal requests go (EIP-7002): the same address on every network.
pub const WITHDRAWAL_REQUEST_CONTRACT: &str = "0x00000961Ef480Eb55e80D19ad83579A64c007002";

/// `VoluntaryExit`: what an exit's signature is over. It never expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoluntaryExit {
    /// The earliest epoch in which the exit is valid.
    pub epoch: u64,
    /// The validator's index, which it gets when its deposit is processed.
    pub validator_index: u64,
}

impl VoluntaryExit {
    /// `hash_tree_root`.
    pub fn root(&self) -> Chunk {
        ssz::two(ssz::uint64(self.epoch), ssz::uint64(self.validator_index))
    }

    /// What the validator's key signs; `None` if the network does not state its Capella fork
    /// version.
    pub fn signing_root(&self, network: &Network) -> Option<Chunk> {
        Some(network.exit_domain()?.signing_root(self.root()))
    }
}

/// Calldata of a withdrawal request for all of the validator's balance (EIP-7002): public key, then
/// an amount of zero. It is sent from the withdrawal address and needs no signature of the
/// validator's key.
pub fn withdrawal_request(pubkey: &[u8; 48]) -> [u8; 56] {
    let mut calldata = [0; 56];
    calldata[..48].copy_from_slice(pubkey);
    calldata
}
