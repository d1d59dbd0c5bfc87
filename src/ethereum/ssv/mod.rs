//! SSV's definitions: clusters of operators with a number and an RSA key, the message by which a
//! validator consents to its registration, and the proof that an operator signs about its encrypted
//! share.

mod key_file;

mod operators_info;

mod proof;

mod rsa;

pub use self::key_file::{KeyFileError, read_key_file, write_key_file};
pub use self::operators_info::{OperatorInfo, OperatorsInfoError, parse_operators_info};
pub use self::proof::ShareProof;
pub use self::rsa::{RSA_BYTES, RsaKeyError, RsaPublic, RsaSecret, ShareTextError};

use sha3::{Digest, Keccak256};

use super::address::ExecutionAddress;
use super::bls::message_point;
use crate::primitives::curve::G2;

/// Numbers of operators that a cluster can have: `3f + 1` for `f` from 1 to 4.
pub const CLUSTER_SIZES: [usize; 4] = [4, 7, 10, 13];

/// The threshold of a cluster of `operators`: `n - (n-1)/3`, or `2f + 1`. `None` for a number that
/// no cluster has.
pub fn threshold(operators: usize) -> Option<usize> {
    CLUSTER_SIZES.contains(&operators).then(|| operators - (operators - 1) / 3)
}

/// Which registration a validator consents to: the `nonce`-th by `owner`, counted from 0 on its
/// network's SSV contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerNonce {
    /// The account that registers.
    pub owner: ExecutionAddress,
    /// How many validators it has registered before, malformed registrations included.
    pub nonce: u64,
}

impl OwnerNonce {
    /// `<address>:<nonce>`: the address in its checksummed spelling, the nonce decimal.
    pub fn text(&self) -> String {
        format!("{}:{}", self.owner, self.nonce)
    }

    /// Keccak-256 of the text: the 32 bytes that are signed, without a domain.
    pub fn digest(&self) -> [u8; 32] {
        Keccak256::digest(self.text().as_bytes()).into()
    }

    /// The point that is signed.
    pub fn message(&self) -> G2 {
        message_point(&self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_of_clusters() {
        let all: Vec<_> = (0..=14).filter_map(|n| threshold(n).map(|t| (n, t))).collect();
        assert_eq!(all, [(4, 3), (7, 5), (10, 7), (13, 9)]);
    }
}
