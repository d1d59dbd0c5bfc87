//! Verifies a cluster lock: everything that Charon and Obol's SDK verify when they load one, and
//! more.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{Cluster, DefinitionError};
use super::definition::FieldFault;
use super::lock::{ClusterLock, LockValidator, lock_hash};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::bls::{bls_verify, message_point};
use crate::ethereum::deposit::{DepositMessage, WithdrawalCredentials};
use crate::ethereum::json::JsonError;
use crate::ethereum::network::Network;
use crate::ethereum::registration::Registration;
use crate::ethereum::secp256k1::{Secp256k1Error, recover};
use crate::ethereum::ssz::Chunk;
use crate::primitives::batch::{SameMessage, Weights, verify_signatures};
use crate::primitives::curve::{DecodeError, G1, G1Sum, G2, Scalar};
use crate::primitives::lagrange::coefficients_at_zero;

/// Why a lock is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The aggregate does not verify.
    #[error(
        "signature_aggregate: not the aggregate of the signatures of all shares of all validators \
         on the lock hash"
    )]
    Aggregate,
    /// Not a point that can be a key or a signature.
    #[error("{field}: {source}")]
    Curve {
        /// The field's path.
        field: String,
        /// Why.
        source: DecodeError,
    },
    /// The definition in it.
    #[error("cluster_definition: {0}")]
    Definition(#[from] DefinitionError),
    /// A field that follows from others, and is not what follows.
    #[error("{field}: {found} instead of {expected}")]
    Differs {
        /// The field's path.
        field: String,
        /// What follows.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A validator's key or share twice.
    #[error("{field}: the same as {first}")]
    Duplicate {
        /// The field's path.
        field: String,
        /// The other's path.
        first: String,
    },
    /// One field by itself.
    #[error("{field}: {fault}")]
    Field {
        /// Its path.
        field: String,
        /// Why.
        fault: FieldFault,
    },
    /// Not the JSON of a lock.
    #[error("not a cluster lock: {0}")]
    Json(#[from] JsonError),
    /// A network that is not built in.
    #[error("cluster_definition.fork_version: 0x{} is of no network built in", hex::encode(.0))]
    Network([u8; 4]),
    /// A node's signature.
    #[error("node_signatures[{operator}]: {fault}")]
    Node {
        /// Which, from 0.
        operator: usize,
        /// Why.
        fault: NodeFault,
    },
    /// Shares that are not those of the key.
    #[error("{field}: not on the polynomial through the validator's key and the other shares")]
    Polynomial {
        /// The field's path.
        field: String,
    },
    /// A signature that does not verify.
    #[error("{field}: does not verify under the validator's key for what the definition says")]
    Signature {
        /// The field's path.
        field: String,
    },
}

impl LockError {
    /// The path of the field at fault, `file` if it is none by itself.
    pub fn field(&self) -> String {
        match self {
            Self::Aggregate => "signature_aggregate".to_owned(),
            Self::Curve { field, .. }
            | Self::Differs { field, .. }
            | Self::Duplicate { field, .. }
            | Self::Field { field, .. }
            | Self::Polynomial { field }
            | Self::Signature { field } => field.clone(),
            Self::Definition(error) => format!("cluster_definition.{}", error.field()),
            Self::Json(_) => "file".to_owned(),
            Self::Network(_) => "cluster_definition.fork_version".to_owned(),
            Self::Node { operator, .. } => format!("node_signatures[{operator}]"),
        }
    }
}

/// Why a signature is not that of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NodeFault {
    /// Of another key, or on another hash.
    #[error("not a signature on the lock hash by the key of this operator's node record")]
    AnotherKey,
    /// Not a signature.
    #[error("{0}")]
    Malformed(#[from] Secp256k1Error),
}

/// A validator's points.
struct Keys {
    key: G1,
    shares: Vec<G1>,
}

/// Makes every check that can be made offline, in the order in which a lock is read; wallets in
/// `contracts` as in [`Cluster::check`]. What the definition says, checked.
pub fn check_lock(
    lock: &ClusterLock,
    contracts: BTreeSet<ExecutionAddress>,
) -> Result<Cluster, LockError> {
    let cluster = Cluster::check(lock.definition.clone(), contracts)?;
    let definition = cluster.definition();
    same_count("distributed_validators", definition.validators.len(), lock.validators.len())?;
    same_count("node_signatures", definition.operators.len(), lock.node_signatures.len())?;
    let computed = lock_hash(definition, &lock.validators);
    differs("lock_hash", &hexed(&computed), &hexed(&lock.lock_hash))?;
    let network =
        network(definition.fork_version).ok_or(LockError::Network(definition.fork_version))?;

    let keys = check_keys(lock, &cluster, &computed)?;
    check_signed(lock, &cluster, &network, &keys)?;
    check_aggregate(lock, &keys, &computed)?;
    for (operator, (signature, node)) in
        lock.node_signatures.iter().zip(cluster.nodes()).enumerate()
    {
        let failed = |fault| LockError::Node { operator, fault };
        match recover(&computed, signature) {
            Ok(key) if key == *node => {}
            Ok(_) => return Err(failed(NodeFault::AnotherKey)),
            Err(error) => return Err(failed(error.into())),
        }
    }
    Ok(cluster)
}

/// The built-in network with this genesis fork version.
pub fn network(fork_version: [u8; 4]) -> Option<Network> {
    Network::known_names()
        .filter_map(Network::known)
        .find(|known| known.genesis_fork_version() == fork_version)
}

fn hexed(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn differs(field: &str, expected: &str, found: &str) -> Result<(), LockError> {
    let (field, wanted, had) = (field.to_owned(), expected.to_owned(), found.to_owned());
    if expected == found {
        Ok(())
    } else {
        Err(LockError::Differs { field, expected: wanted, found: had })
    }
}

fn same_count(field: &str, expected: usize, found: usize) -> Result<(), LockError> {
    differs(field, &format!("{expected} entries"), &format!("{found} entries"))
}

/// How many shares, which of them are points, that none is there twice, and that they lie on one
/// polynomial with their key.
fn check_keys(lock: &ClusterLock, cluster: &Cluster, hash: &Chunk) -> Result<Vec<Keys>, LockError> {
    let operators = cluster.definition().operators.len();
    let threshold =
        usize::try_from(cluster.definition().threshold).expect("at most as many as operators");
    let sharing = Sharing::new(operators, threshold, hash);
    let mut seen: BTreeMap<[u8; 48], String> = BTreeMap::new();
    let mut all = Vec::with_capacity(lock.validators.len());
    for (v, validator) in lock.validators.iter().enumerate() {
        let at = format!("distributed_validators[{v}]");
        same_count(&format!("{at}.public_shares"), operators, validator.public_shares.len())?;
        let mut point = |field: String, bytes: &[u8; 48]| {
            let point = G1::from_compressed(bytes)
                .map_err(|source| LockError::Curve { field: field.clone(), source })?;
            match seen.insert(*bytes, field.clone()) {
                None => Ok(point),
                Some(first) => Err(LockError::Duplicate { field, first }),
            }
        };
        let key = point(format!("{at}.distributed_public_key"), &validator.public_key)?;
        let share = |(i, bytes)| point(format!("{at}.public_shares[{i}]"), bytes);
        let shares: Vec<G1> =
            validator.public_shares.iter().enumerate().map(share).collect::<Result<_, _>>()?;
        if let Some(last) = sharing.broken(&key, &shares) {
            let field = match last + 1 == threshold {
                true => format!("{at}.distributed_public_key"),
                false => format!("{at}.public_shares[{last}]"),
            };
            return Err(LockError::Polynomial { field });
        }
        all.push(Keys { key, shares });
    }
    Ok(all)
}

/// Whether a key and its shares lie on one polynomial.
struct Sharing {
    /// Sets of as many shares as the threshold, with their coefficients at zero: the first ones,
    /// and each later one with all but the last of those. If all give the key, all shares are on
    /// one polynomial with it.
    groups: Vec<(Vec<usize>, Vec<Scalar>)>,
    /// All groups with a weight each: the shares times these are the key times the last one.
    weighted: Vec<Scalar>,
}

impl Sharing {
    /// `hash`: of all keys and shares, which are thus chosen before their weights.
    fn new(operators: usize, threshold: usize, hash: &Chunk) -> Self {
        let group = |last: usize| {
            let positions: Vec<usize> = (0..threshold - 1).chain([last]).collect();
            let points: Vec<u64> = positions
                .iter()
                .map(|position| 1 + u64::try_from(*position).expect("at most 256"))
                .collect();
            (positions, coefficients_at_zero(&points).expect("different points, none of them zero"))
        };
        let groups: Vec<(Vec<usize>, Vec<Scalar>)> =
            (threshold - 1..operators).map(group).collect();
        let mut weights = Weights::new(&[hash]);
        let mut weighted = vec![Scalar::ZERO; operators + 1];
        for (positions, coefficients) in &groups {
            let weight = weights.draw();
            for (position, coefficient) in positions.iter().zip(coefficients) {
                weighted[*position] = weighted[*position] + weight * *coefficient;
            }
            weighted[operators] = weighted[operators] - weight;
        }
        Self { groups, weighted }
    }

    /// The last position of the first set of shares that does not give the key. Whoever has many
    /// validators pays for one sum each, and for the sets of one.
    fn broken(&self, key: &G1, shares: &[G1]) -> Option<usize> {
        let points: Vec<G1> = shares.iter().chain([key]).copied().collect();
        G1Sum::msm(&points, &self.weighted).finish()?;
        let fails = |(positions, coefficients): &&(Vec<usize>, Vec<Scalar>)| {
            let some: Vec<G1> = positions.iter().map(|position| shares[*position]).collect();
            G1Sum::msm(&some, coefficients).finish() != Some(*key)
        };
        self.groups.iter().find(fails).and_then(|(positions, _)| positions.last().copied())
    }
}

/// What one validator's key has signed, with where it stands.
fn signed(
    lock: &LockValidator,
    cluster: &Cluster,
    network: &Network,
    v: usize,
    single: bool,
) -> Result<Vec<(String, Chunk, [u8; 96])>, LockError> {
    let definition = cluster.definition();
    let (addresses, at) = (&definition.validators[v], format!("distributed_validators[{v}]"));
    let withdrawal_credentials = match definition.compounding {
        true => WithdrawalCredentials::compounding(addresses.withdrawal),
        false => WithdrawalCredentials::execution(addresses.withdrawal),
    };
    let amounts = match single {
        true => lock.deposits.iter().map(|deposit| deposit.amount).collect(),
        false => definition.amounts(),
    };
    same_count(&format!("{at}.partial_deposit_data"), amounts.len(), lock.deposits.len())?;
    let mut all = Vec::with_capacity(amounts.len() + 1);
    for (i, (deposit, amount)) in lock.deposits.iter().zip(amounts).enumerate() {
        let field = |name: &str| format!("{at}.partial_deposit_data[{i}].{name}");
        differs(&field("pubkey"), &hexed(&lock.public_key), &hexed(&deposit.pubkey))?;
        let credentials =
            (hexed(withdrawal_credentials.as_bytes()), hexed(&deposit.withdrawal_credentials));
        differs(&field("withdrawal_credentials"), &credentials.0, &credentials.1)?;
        differs(&field("amount"), &amount.to_string(), &deposit.amount.to_string())?;
        let message = DepositMessage { pubkey: lock.public_key, withdrawal_credentials, amount };
        all.push((field("signature"), message.signing_root(network), deposit.signature));
    }
    let (found, genesis) =
        (&lock.registration, network.genesis_time().expect("built-in networks have one"));
    let message = Registration {
        fee_recipient: addresses.fee_recipient,
        // Not necessarily the definition's: Charon verifies the one that was signed.
        gas_limit: found.gas_limit,
        timestamp: genesis,
        pubkey: lock.public_key,
    };
    let field = |name: &str| format!("{at}.builder_registration.{name}");
    differs(
        &field("message.fee_recipient"),
        &message.fee_recipient.to_lower_hex(),
        &hexed(&found.fee_recipient),
    )?;
    differs(
        &field("message.timestamp"),
        &message.timestamp.to_string(),
        &found.timestamp.to_string(),
    )?;
    differs(&field("message.pubkey"), &hexed(&message.pubkey), &hexed(&found.pubkey))?;
    all.push((field("signature"), message.signing_root(network), found.signature));
    Ok(all)
}

/// Deposits and registrations, all signatures together; if that fails, each by itself.
fn check_signed(
    lock: &ClusterLock,
    cluster: &Cluster,
    network: &Network,
    keys: &[Keys],
) -> Result<(), LockError> {
    let (mut batch, mut all) = (Vec::new(), Vec::new());
    let single = lock.has_single_deposits();
    for (v, (validator, keys)) in lock.validators.iter().zip(keys).enumerate() {
        for (field, root, bytes) in signed(validator, cluster, network, v, single)? {
            let signature = G2::from_compressed(&bytes)
                .map_err(|source| LockError::Curve { field: field.clone(), source })?;
            batch.push(SameMessage {
                message: message_point(&root),
                signed: vec![(keys.key, signature)],
            });
            all.push((field, keys.key, root, signature));
        }
    }
    let bytes: Vec<[u8; 96]> =
        all.iter().map(|(.., signature)| signature.to_compressed()).collect();
    let parts: Vec<&[u8]> = core::iter::once(lock.lock_hash.as_slice())
        .chain(bytes.iter().map(<[u8; 96]>::as_slice))
        .collect();
    if verify_signatures(&batch, &mut Weights::new(&parts)) {
        return Ok(());
    }
    match all.into_iter().find(|(_, key, root, signature)| !bls_verify(key, root, signature)) {
        Some((field, ..)) => Err(LockError::Signature { field }),
        None => Ok(()),
    }
}

fn check_aggregate(lock: &ClusterLock, keys: &[Keys], hash: &Chunk) -> Result<(), LockError> {
    let field = || "signature_aggregate".to_owned();
    let signature = G2::from_compressed(&lock.signature_aggregate)
        .map_err(|source| LockError::Curve { field: field(), source })?;
    let mut sum = G1Sum::zero();
    keys.iter().flat_map(|keys| &keys.shares).for_each(|share| sum.add(share));
    let verifies = sum.finish().is_some_and(|key| bls_verify(&key, hash, &signature));
    if verifies { Ok(()) } else { Err(LockError::Aggregate) }
}
