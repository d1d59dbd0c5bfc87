//! The message that an operator signs about its encrypted share (container `Proof` of SSV's key
//! generation).

use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::ssz::{self, Chunk};

use super::rsa::RSA_BYTES;

/// One operator's encrypted share of one validator's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareProof {
    /// The validator's public key.
    pub validator: [u8; 48],
    /// The share, encrypted to the operator.
    pub encrypted_share: [u8; RSA_BYTES],
    /// The share's public key.
    pub share_key: [u8; 48],
    /// The account that may register the validator.
    pub owner: ExecutionAddress,
}

impl ShareProof {
    /// `hash_tree_root`: the 32 bytes that are signed.
    pub fn root(&self) -> Chunk {
        ssz::four(
            ssz::bytes48(&self.validator),
            ssz::byte_list_512(&self.encrypted_share),
            ssz::bytes48(&self.share_key),
            ssz::bytes20(self.owner.as_bytes()),
        )
    }
}
