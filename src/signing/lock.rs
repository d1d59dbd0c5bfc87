//! The lock of an Obol cluster for validators that exist: whether a request for one fits the
//! ceremony, what is signed, and the lock that comes of the answers of all who have shares.

use std::collections::BTreeMap;

use super::parent::{Cleared, Parent};
use super::partial::Partial;
use super::request::Items;
use crate::audit::facts::Birth;
use crate::ethereum::obol::check::Cluster;
use crate::ethereum::obol::lock::{ClusterLock, LockValidator, lock_hash};
use crate::ethereum::obol::lock_check::check_lock;
use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::primitives::curve::G2Sum;
use crate::protocol::obol::{is_of_node, lock_validator};
use crate::protocol::outcome::ValidatorOutcome;
use crate::spec::obol::{ClusterError, differs, same};
use crate::spec::threshold::Index;

/// Why a request for a lock does not fit a ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterLockError {
    /// The shares sign in a cluster of SSV.
    #[error("the ceremony is for SSV; a share that signs in two networks is slashed")]
    Ssv,
    /// The ceremony has made this very lock.
    #[error("the ceremony itself made the lock of this definition; use that one")]
    Made,
    /// Something that the definition says otherwise.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// Another number of validators than the ceremony has.
    #[error("{found} validators, but the lock of this cluster has {expected}")]
    Validators {
        /// The ceremony's.
        expected: usize,
        /// The request's.
        found: usize,
    },
    /// Nobody knows what was signed when the keys were made.
    #[error(
        "the key generation of these validators is not known, and so neither are the registrations \
         that a lock has: the keys came by an import, or a transcript is missing"
    )]
    NoBirth,
    /// A lock has a registration of each validator, which only a key generation dates so.
    #[error(
        "the key generation signed no builder registration of validator {0}, and a lock has one of \
         each"
    )]
    Unregistered(usize),
}

/// A lock but for its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    validators: Vec<LockValidator>,
    hash: [u8; 32],
}

impl Unsigned {
    /// What every share and every node signs.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }
}

/// What is signed, if the request for a lock fits the ceremony; `None` of another kind.
pub(super) fn check(parent: &Parent, items: &Items) -> Result<Option<Unsigned>, ClusterLockError> {
    let Some(cluster) = items.cluster() else { return Ok(None) };
    let (ceremony, definition) = (parent.ceremony(), cluster.definition());
    if ceremony.ssv().is_some() {
        return Err(ClusterLockError::Ssv);
    }
    if ceremony.obol().is_some_and(|own| own.definition() == definition) {
        return Err(ClusterLockError::Made);
    }
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    same("operators", ceremony.receivers().count(), definition.operators.len())?;
    same("threshold", ceremony.t(), number(definition.threshold))?;
    let fork = |version: [u8; 4]| format!("0x{}", hex::encode(version));
    let network = ceremony.network();
    same("network", fork(network.genesis_fork_version()), fork(definition.fork_version))?;
    if !network.is_known() {
        return Err(differs("network", "a network of one's own", "one that is built in").into());
    }
    for ((index, seat), place) in ceremony.receivers().zip(1..) {
        same(&format!("operators[{}].point", index.position()), seat.point, place)?;
    }
    let expected = parent.validators().len();
    same("validators", expected, definition.validators.len())?;
    if items.len() != expected {
        return Err(ClusterLockError::Validators { expected, found: items.len() });
    }
    let birth = parent.birth().ok_or(ClusterLockError::NoBirth)?;
    let validators = validators(parent, cluster, &birth)?;
    let hash = lock_hash(definition, &validators);
    Ok(Some(Unsigned { validators, hash }))
}

/// What the lock says of each validator: its public shares now, and what was signed at its birth.
fn validators(
    parent: &Parent,
    cluster: &Cluster,
    birth: &Birth,
) -> Result<Vec<LockValidator>, ClusterLockError> {
    let (ceremony, definition) = (parent.ceremony(), cluster.definition());
    let positions = birth.positions();
    let one = |(v, outcome): (usize, &ValidatorOutcome)| {
        let place = |field: &str| format!("validators[{v}].{field}");
        let (spec, addresses) = (&ceremony.validators()[v], &definition.validators[v]);
        let compounding = spec.withdrawal.is_compounding();
        same(&place("compounding"), compounding, definition.compounding)?;
        same(&place("withdrawal"), spec.withdrawal.address(), addresses.withdrawal)?;
        let born = positions.get(&outcome.public_key.to_compressed());
        let born = *born.ok_or(ClusterLockError::NoBirth)?;
        let first = &birth.ceremony.validators()[born];
        let gwei = |amounts: &[u64]| format!("{amounts:?} gwei");
        same(&place("amounts"), gwei(&first.amounts), gwei(&definition.amounts()))?;
        let registered = first.registration.ok_or(ClusterLockError::Unregistered(v + 1))?;
        same(&place("fee_recipient"), registered.fee_recipient, addresses.fee_recipient)?;
        same(&place("gas_limit"), registered.gas_limit, definition.gas_limit())?;
        let signed = &birth.validators[born];
        lock_validator(&birth.ceremony, born, signed, &outcome.public_shares)
            .ok_or(ClusterLockError::Unregistered(v + 1))
    };
    parent.validators().iter().enumerate().map(one).collect()
}

/// Whether the second signature of an answer is that of its operator's node on the lock hash.
pub(super) fn node_has_signed(
    cleared: &Cleared,
    parent: &Parent,
    operator: Index,
    signature: &[u8; SIGNATURE_BYTES],
) -> bool {
    let place = parent.ceremony().receivers().position(|(index, _)| index == operator);
    let nodes = cleared.request.items.cluster().map(Cluster::nodes);
    let node = nodes.zip(place).and_then(|(nodes, place)| nodes.get(place));
    let lock = cleared.lock.as_ref();
    lock.zip(node).is_some_and(|(lock, node)| is_of_node(&lock.hash, signature, node))
}

/// The lock, of answers that verify; `None` of another kind of request, or if the answer of one who
/// has shares is missing.
pub(super) fn seal(
    cleared: &Cleared,
    parent: &Parent,
    answers: &BTreeMap<Index, &Partial>,
) -> Option<ClusterLock> {
    let (lock, cluster) = (cleared.lock.as_ref()?, cleared.request.items.cluster()?);
    let (mut aggregate, mut node_signatures) = (G2Sum::zero(), Vec::new());
    for (index, _) in parent.ceremony().receivers() {
        let answer = answers.get(&index)?;
        for partial in &answer.partials {
            aggregate.add(partial.as_ref()?);
        }
        node_signatures.push(answer.node?);
    }
    Some(ClusterLock {
        definition: cluster.definition().clone(),
        validators: lock.validators.clone(),
        signature_aggregate: aggregate.finish()?.to_compressed(),
        lock_hash: lock.hash,
        node_signatures,
    })
}

/// Whether a file is the lock that the request asks for: everything that a lock must be by itself,
/// with the request's definition and the validators of the transcript. What is wrong otherwise: the
/// field, and why.
pub fn verify(cleared: &Cleared, bytes: &[u8]) -> Result<ClusterLock, (String, String)> {
    let items = &cleared.request.items;
    let (Some(expected), Some(cluster)) = (cleared.lock.as_ref(), items.cluster()) else {
        return Err(("request".to_owned(), "not for a lock".to_owned()));
    };
    let lock = ClusterLock::parse(bytes).map_err(|error| (error.field(), error.to_string()))?;
    if lock.definition != *cluster.definition() {
        let why = "not the definition that the request has".to_owned();
        return Err(("cluster_definition".to_owned(), why));
    }
    let pairs = lock.validators.iter().zip(&expected.validators);
    let differs = pairs.into_iter().position(|(found, expected)| found != expected);
    if let Some(v) = differs.filter(|_| lock.validators.len() == expected.validators.len()) {
        let why = "not what the transcripts say of this validator".to_owned();
        return Err((format!("distributed_validators[{v}]"), why));
    }
    check_lock(&lock, cluster.contracts().clone())
        .map_err(|error| (error.field(), error.to_string()))?;
    Ok(lock)
}
