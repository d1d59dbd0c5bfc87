//! The files of an Obol cluster for Charon and its tools, in the folder that they call `.charon`.

use std::collections::BTreeMap;

use super::launchpad::{SignedDeposit, write_deposits};
use super::{Artifact, Audience};
use crate::ethereum::amount::Unit;
use crate::ethereum::network::Network;
use crate::ethereum::obol::lock::ClusterLock;
use crate::ethereum::secp256k1::NodeSecret;

/// Name of the lock.
pub const LOCK_FILE: &str = "cluster-lock.json";
/// Name of the definition.
const DEFINITION_FILE: &str = "cluster-definition.json";
/// Name of the node's key.
pub const NODE_KEY_FILE: &str = "charon-enr-private-key";
/// What stands in `deposit-data.json`, in gwei; other amounts have it in the name.
const STANDARD: u64 = 32_000_000_000;

/// The lock, for everybody.
pub fn lock_file(lock: &ClusterLock) -> Artifact {
    Artifact { name: LOCK_FILE.to_owned(), audience: Audience::Public, bytes: lock.to_json() }
}

/// Everything of a node's folder but its keystores, which are those of
/// [`super::keystores::Profile::Charon`]: lock, definition, deposit files and the node's key. All
/// for the operator alone, because the key is.
///
/// # Security
/// The caller wipes the bytes of the node's key once they are written.
pub fn node_folder(
    lock: &ClusterLock,
    network: &Network,
    deposits: &[SignedDeposit],
    key: &NodeSecret,
) -> Vec<Artifact> {
    let file = |name: &str, bytes: Vec<u8>| Artifact {
        name: name.to_owned(),
        audience: Audience::Secret,
        bytes,
    };
    let mut files = vec![
        file(LOCK_FILE, lock.to_json()),
        file(DEFINITION_FILE, lock.definition.to_json()),
        file(NODE_KEY_FILE, key.to_key_file().expose().to_vec()),
    ];
    let mut by_amount: BTreeMap<u64, Vec<SignedDeposit>> = BTreeMap::new();
    for deposit in deposits {
        by_amount.entry(deposit.message.amount).or_default().push(*deposit);
    }
    for (amount, mut rows) in by_amount {
        rows.sort_by_key(|row| row.message.pubkey);
        let name = match amount {
            STANDARD => "deposit-data.json".to_owned(),
            // Also on networks that count in another unit.
            _ => format!("deposit-data-{}eth.json", Unit::Eth.decimal(amount)),
        };
        files.push(file(&name, write_deposits(network, &rows)));
    }
    files
}
