//! Builder registrations (builder specification, `ValidatorRegistrationV1`).

use super::address::ExecutionAddress;
use super::network::Network;
use super::ssz::{self, Chunk};

/// `ValidatorRegistrationV1`: tells block builders where a validator's fees go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// Where the fees go.
    pub fee_recipient: ExecutionAddress,
    /// The gas limit that the validator asks for.
    pub gas_limit: u64,
    /// Seconds since 1970. A later registration replaces an earlier one.
    pub timestamp: u64,
    /// The validator's public key, compressed.
    pub pubkey: [u8; 48],
}

impl Registration {
    /// `hash_tree_root`.
    pub fn root(&self) -> Chunk {
        ssz::four(
            ssz::bytes20(self.fee_recipient.as_bytes()),
            ssz::uint64(self.gas_limit),
            ssz::uint64(self.timestamp),
            ssz::bytes48(&self.pubkey),
        )
    }

    /// What the validator's key signs.
    pub fn signing_root(&self, network: &Network) -> Chunk {
        network.builder_domain().signing_root(self.root())
    }
}
