//! The lock of an Obol cluster. With certificate 1 and the combined signatures, only its own
//! signatures are missing: in R4 every operator signs its hash with the sum of its shares and with
//! the key of its node. A lock needs the finals of all operators, not of a threshold.

use std::borrow::Borrow;
use std::sync::Arc;

use crate::ethereum::bls::message_point;
use crate::ethereum::obol::check::Cluster;
use crate::ethereum::obol::lock::{
    ClusterLock, LockDeposit, LockRegistration, LockValidator, lock_hash,
};
use crate::ethereum::secp256k1::{NodePublic, NodeSecret, SIGNATURE_BYTES, recover};
use crate::message::body::{Final, LockSignatures};
use crate::primitives::batch::verify_signature;
use crate::primitives::curve::{G1, G1Sum, G2, G2Sum, SecretScalar};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::checks::Signed;
use super::evidence::{Fault, Rule};
use super::items::{Item, items};
use super::outcome::ValidatorOutcome;
use super::record::ReplayError;
use super::seat::OwnSeat;

/// A node key that is not the one of the cluster definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node key is 0x{}, but the cluster definition has 0x{} for operator \
         {operator}{}", hex::encode(.found.as_bytes()), hex::encode(.expected.as_bytes()),
         instead(.belongs_to))]
pub struct WrongNodeKey {
    /// Whose place it is.
    pub operator: Index,
    /// As the definition has it.
    pub expected: NodePublic,
    /// The one that is here.
    pub found: NodePublic,
    /// For which other operator the definition has it.
    pub belongs_to: Option<Index>,
}

fn instead(belongs_to: &Option<Index>) -> String {
    belongs_to.map(|other| format!("; it is that of operator {other}")).unwrap_or_default()
}

impl OwnSeat {
    /// The key that the definition of an Obol cluster has for this operator's node; `None` if no
    /// cluster is made.
    pub fn node_expected(&self) -> Option<NodePublic> {
        Some(self.ceremony.obol()?.nodes()[self.me.position()])
    }

    /// With the key of this operator's node, for the last round of a ceremony that makes an Obol
    /// cluster.
    pub fn with_node_key(mut self, key: NodeSecret) -> Result<Self, WrongNodeKey> {
        let found = key.public();
        match self.node_expected() {
            Some(expected) if expected != found => {
                let nodes = self.ceremony.obol().into_iter().flat_map(Cluster::nodes);
                let belongs_to = self.ceremony.indices().zip(nodes);
                let belongs_to = belongs_to
                    .into_iter()
                    .find(|(_, node)| **node == found)
                    .map(|(index, _)| index);
                Err(WrongNodeKey { operator: self.me, expected, found, belongs_to })
            }
            expected => {
                self.node_key = expected.map(|_| Arc::new(key));
                Ok(self)
            }
        }
    }

    /// The key of this operator's node, if it is here.
    pub fn node_key(&self) -> Option<&NodeSecret> {
        self.node_key.as_deref()
    }
}

/// A lock but for its signatures, and the keys that these verify under.
pub struct UnsignedLock<'a> {
    cluster: &'a Cluster,
    validators: Vec<LockValidator>,
    hash: [u8; 32],
    message: G2,
    /// By index: the sum of the operator's public shares; `None` where it is infinity, or where it
    /// has none.
    keys: Vec<Option<G1>>,
}

impl<'a> UnsignedLock<'a> {
    /// The lock of a ceremony with this outcome; `None` if it makes no cluster.
    pub fn new(ceremony: &'a Ceremony, validators: &[ValidatorOutcome]) -> Option<Self> {
        let cluster = ceremony.obol()?;
        let entry = |(v, outcome): (usize, &ValidatorOutcome)| validator(ceremony, v, outcome);
        let locked: Vec<LockValidator> = validators.iter().enumerate().map(entry).collect();
        let hash = lock_hash(cluster.definition(), &locked);
        let key = |index: Index| {
            let mut sum = G1Sum::zero();
            for outcome in validators {
                sum.add(outcome.public_share(ceremony, index)?);
            }
            sum.finish()
        };
        let keys = ceremony.indices().map(key).collect();
        Some(Self { cluster, validators: locked, hash, message: message_point(&hash), keys })
    }

    /// What everybody signs.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Both signatures of an operator. The same bytes each time (RFC 6979 for the node's).
    pub(super) fn sign(
        &self,
        shares: &[SecretScalar],
        node: &NodeSecret,
    ) -> Result<LockSignatures, ReplayError> {
        let mut sum = SecretScalar::zero();
        shares.iter().for_each(|share| sum.add_assign(share));
        let shares = sum.sign(&self.message).ok_or(ReplayError::SharesDamaged)?;
        Ok(LockSignatures { shares, node: node.sign(&self.hash) })
    }

    /// Whether one final's signatures are its operator's.
    pub(super) fn check(&self, last: &Signed<Final>) -> Result<(), Box<Fault>> {
        match self.faults(last).into_iter().next() {
            None => Ok(()),
            Some(fault) => Err(Box::new(fault)),
        }
    }

    /// Which of one final's signatures are not its operator's.
    pub(crate) fn faults(&self, last: &Signed<Final>) -> Vec<Fault> {
        let operator = last.sender();
        let signatures = match signatures(last) {
            Ok(signatures) => signatures,
            Err(fault) => return vec![*fault],
        };
        let mut broken = Vec::new();
        match self.keys[operator.position()] {
            None => broken.push(Rule::Degenerate),
            Some(key) if !verify_signature(&key, &self.message, &signatures.shares) => {
                broken.push(Rule::LockShares { operator });
            }
            Some(_) => {}
        }
        let node = &self.cluster.nodes()[operator.position()];
        if !is_of_node(&self.hash, &signatures.node, node) {
            broken.push(Rule::LockNode { operator });
        }
        broken.into_iter().map(|rule| *Fault::new(rule, [&last.statement])).collect()
    }

    /// The lock, if every final's signatures are its operator's; `finals` are of all operators, by
    /// index. Each is checked by itself: there are few.
    pub fn seal<F: Borrow<Signed<Final>>>(self, finals: &[F]) -> Result<ClusterLock, Box<Fault>> {
        let finals: Vec<&Signed<Final>> = finals.iter().map(Borrow::borrow).collect();
        let degenerate = || Fault::new(Rule::Degenerate, []);
        let mut aggregate = G2Sum::zero();
        for last in &finals {
            self.check(last)?;
            aggregate.add(&signatures(last)?.shares);
        }
        Ok(ClusterLock {
            definition: self.cluster.definition().clone(),
            validators: self.validators,
            signature_aggregate: aggregate.finish().ok_or_else(degenerate)?.to_compressed(),
            lock_hash: self.hash,
            node_signatures: finals
                .iter()
                .map(|last| Ok(signatures(last)?.node))
                .collect::<Result<_, Box<Fault>>>()?,
        })
    }
}

/// The signatures that a final of this ceremony has: its length says so, and a body without does
/// not decode.
fn signatures(last: &Signed<Final>) -> Result<&LockSignatures, Box<Fault>> {
    last.body
        .lock
        .as_ref()
        .ok_or_else(|| Fault::new(Rule::LockShares { operator: last.sender() }, [&last.statement]))
}

/// Whether a signature on the lock hash is that of a node, in its one spelling: the one that Charon
/// writes.
pub(crate) fn is_of_node(
    hash: &[u8; 32],
    signature: &[u8; SIGNATURE_BYTES],
    node: &NodePublic,
) -> bool {
    signature[SIGNATURE_BYTES - 1] <= 1 && recover(hash, signature).as_ref() == Ok(node)
}

fn validator(ceremony: &Ceremony, v: usize, outcome: &ValidatorOutcome) -> LockValidator {
    lock_validator(ceremony, v, outcome, &outcome.public_shares)
        .expect("every validator of a cluster has a registration: the spec was checked")
}

/// What a lock says of a validator: what the ceremony that made its key has signed, and its public
/// shares. `None` if it has signed no registration.
pub(crate) fn lock_validator(
    ceremony: &Ceremony,
    v: usize,
    outcome: &ValidatorOutcome,
    public_shares: &[G1],
) -> Option<LockValidator> {
    let pubkey = outcome.public_key.to_compressed();
    let mut deposits = Vec::new();
    let mut registration = None;
    for (item, signature) in
        items(ceremony, v, &outcome.public_key).into_iter().zip(&outcome.signatures)
    {
        let signature = signature.to_compressed();
        match item {
            Item::Deposit(message) => deposits.push(LockDeposit {
                pubkey,
                withdrawal_credentials: *message.withdrawal_credentials.as_bytes(),
                amount: message.amount,
                signature,
            }),
            // A lock has none.
            Item::Preregistration(..) => {}
            // No shares sign in a cluster and with SSV: that was checked.
            Item::OwnerNonce(_) => {}
            Item::Registration(message) => {
                registration = Some(LockRegistration {
                    fee_recipient: *message.fee_recipient.as_bytes(),
                    gas_limit: message.gas_limit,
                    timestamp: message.timestamp,
                    pubkey,
                    signature,
                });
            }
        }
    }
    Some(LockValidator {
        public_key: pubkey,
        public_shares: public_shares.iter().map(G1::to_compressed).collect(),
        deposits,
        registration: registration?,
    })
}
