//! The files of a key generation for SSV's tools: `keyshares.json`, `proofs.json`, and their folder
//! with the deposits.

mod ceremony;

mod difference;

mod directory;

mod fault;

mod keyshares_read;

mod keyshares_write;

mod proofs;

mod stamp;

pub use ceremony::{registrations, ssv_files, ssv_folder, stamp};
pub(crate) use difference::difference;
pub use directory::{
    DirectoryError, DirectoryFile, Expected, directory_artifacts, verify_directory,
};
pub use fault::{Fault, KeyshareError};
pub use keyshares_read::{parse_keyshares, verify_keyshares};
pub use keyshares_write::write_keyshares;
pub use proofs::{SignedProof, parse_proofs, verify_proofs, write_proofs};
pub use stamp::Stamp;

use crate::ethereum::ssv::{OwnerNonce, RSA_BYTES, RsaPublic};
use crate::primitives::curve::{G1, G2};

/// Most validators in a file.
const MOST_VALIDATORS: usize = 8192;
/// Most bytes of a file: 13 operators take 18 KiB for each validator.
const LARGEST: usize = 192 << 20;

/// An operator's part of a validator's registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorShare {
    /// The operator's number on chain, at which the sharing polynomial has its share.
    pub id: u64,
    /// The operator's RSA key.
    pub key: RsaPublic,
    /// The share's public key.
    pub share_key: G1,
    /// The share, encrypted to the operator.
    pub encrypted_share: [u8; RSA_BYTES],
}

/// A validator's registration with a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Which registration by whom.
    pub owner_nonce: OwnerNonce,
    /// The validator's public key.
    pub validator: G1,
    /// The validator's signature on the owner and nonce: a point, but not yet known to verify.
    pub signature: G2,
    /// The operators, ascending by number.
    pub operators: Vec<OperatorShare>,
}
