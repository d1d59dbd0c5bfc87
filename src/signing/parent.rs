//! The finished ceremony of a request, and the check that the request fits it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::key_shares::{self, KeySharesError};
use super::lock::{self, ClusterLockError, Unsigned};
use super::request::{Item, Items, Purpose, Request};
use rayon::prelude::*;

use crate::audit::facts::{Audited, Birth};
use crate::ethereum::address::AddressError;
use crate::ethereum::amount::AmountError;
use crate::ethereum::bls::message_point;
use crate::ethereum::deposit::DepositMessage;
use crate::primitives::curve::G2;
use crate::primitives::hash::{Digest, Tag};
use crate::protocol::outcome::ValidatorOutcome;
use crate::protocol::participant::Participant;
use crate::spec::ceremony::{Ceremony, GAS_LIMITS};
use crate::spec::kind::CeremonyKind;
use crate::spec::threshold::Index;

/// Why a request is refused: it does not fit the ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// An amount that the network does not take.
    #[error("amount: {0}")]
    Amount(#[from] AmountError),
    /// An amount that the ceremony signed.
    #[error("amount: the ceremony itself signed a deposit of {0} for this validator; use that one")]
    AmountSigned(String),
    /// Another ceremony.
    #[error("ceremony: the request is for the ceremony {found}, but this is {expected}")]
    Ceremony {
        /// The digest of this ceremony.
        expected: Digest,
        /// The digest in the request.
        found: Digest,
    },
    /// Another withdrawal address, or another kind of credentials.
    #[error(
        "withdrawal_credentials: {found}, but the ceremony has {expected}; nothing is ever signed \
         for others"
    )]
    Credentials {
        /// The ceremony's.
        expected: String,
        /// The request's.
        found: String,
    },
    /// A certificate of the same ceremony that is not its own: another run of it.
    #[error("{field}: {found} instead of {expected}: not the certificate of this ceremony")]
    Certificate {
        /// `dkg` or `outputs`.
        field: &'static str,
        /// The ceremony's.
        expected: Digest,
        /// The request's.
        found: Digest,
    },
    /// An address that nobody can move the fees from.
    #[error("fee_recipient: {0}")]
    FeeRecipient(AddressError),
    /// Key shares that do not fit.
    #[error("key_shares: {0}")]
    KeyShares(#[from] KeySharesError),
    /// A lock that does not fit.
    #[error("cluster_lock: {0}")]
    Lock(#[from] ClusterLockError),
    /// A gas limit that no ceremony has either.
    #[error(
        "gas_limit: {0} is not from {least} to {most}",
        least = GAS_LIMITS.start(), most = GAS_LIMITS.end()
    )]
    GasLimit(u64),
    /// Nobody takes registrations any more at its date.
    #[error(
        "timestamp: at {timestamp} the Gloas fork has ended registrations: it began on {network} \
         with epoch {since}"
    )]
    Gloas {
        /// Its date.
        timestamp: u64,
        /// The network.
        network: String,
        /// The epoch with which the fork begins.
        since: u64,
    },
    /// Another network.
    #[error("network: {found:?}, but the ceremony is for {expected:?}")]
    Network {
        /// The ceremony's.
        expected: String,
        /// The request's.
        found: String,
    },
    /// The network does not say under which version exits are signed.
    #[error(
        "network: the ceremony does not give the Capella fork version, which signs exits \
         (EIP-7044)"
    )]
    NoCapella,
    /// A registration that replaces nothing.
    #[error(
        "timestamp: {found} is not later than {genesis}, the genesis of the network, which is the \
         date of registrations that a ceremony signs"
    )]
    NotNewer {
        /// The date of the request, in seconds since 1970.
        found: u64,
        /// The genesis of the network.
        genesis: u64,
    },
    /// A list in another order than the ceremony's.
    #[error("validators: 0x{0} is not where the ceremony's order has it")]
    Order(String),
    /// No validator of the ceremony has this key.
    #[error("public_key: this ceremony has no validator with the key 0x{0}")]
    PublicKey(String),
    /// The word of the operator that asks is not its own.
    #[error(
        "requested_by: this is not the signature of operator {0} over this request: the request \
         was altered or was signed by somebody else"
    )]
    Requester(u16),
    /// No operator has this index.
    #[error("requested_by: the ceremony has no operator {0}")]
    UnknownRequester(u16),
}

impl RequestError {
    /// The field at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Amount(_) | Self::AmountSigned(_) => "amount",
            Self::Ceremony { .. } => "ceremony",
            Self::Credentials { .. } => "withdrawal_credentials",
            Self::Certificate { field, .. } => field,
            Self::FeeRecipient(_) => "fee_recipient",
            Self::GasLimit(_) => "gas_limit",
            Self::KeyShares(_) => "key_shares",
            Self::Lock(_) => "cluster_lock",
            Self::Gloas { .. } | Self::NotNewer { .. } => "timestamp",
            Self::Network { .. } | Self::NoCapella => "network",
            Self::Order(_) => "validators",
            Self::PublicKey(_) => "public_key",
            Self::Requester(_) | Self::UnknownRequester(_) => "requested_by",
        }
    }
}

/// A finished ceremony: what its certificates say.
pub struct Parent {
    ceremony: Arc<Ceremony>,
    dkg: Digest,
    outputs: Digest,
    validators: Vec<ValidatorOutcome>,
    claimed: bool,
    /// The key generation that made the keys, if this is another ceremony.
    birth: Option<Birth>,
}

/// A request that fits its ceremony: what is signed, for which validators.
#[derive(Debug)]
pub struct Cleared {
    /// The request.
    pub request: Request,
    /// What is signed for each validator, in the request's order.
    pub targets: Vec<Target>,
    /// Operators whose answers are needed beside those of a threshold: of key shares, those whose
    /// shares have to be encrypted anew; of a lock, all that have shares.
    pub required: Vec<Index>,
    /// Of a lock: what it says.
    pub lock: Option<Unsigned>,
}

/// What is signed for one validator of a request.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Position of the validator in the ceremony, from 0.
    pub validator: usize,
    /// What is signed.
    pub signing_root: [u8; 32],
    /// The same, on the curve.
    pub message: G2,
}

impl Parent {
    /// From a transcript that was audited.
    pub fn audited(audited: &Audited) -> Self {
        Self {
            ceremony: audited.ceremony().clone(),
            dkg: audited.dkg(),
            outputs: audited.outputs(),
            validators: audited.validators().to_vec(),
            claimed: audited.is_imported(),
            birth: audited.chain_birth(),
        }
    }

    /// From an operator's own part in it; `None` before certificate 2.
    pub fn finished(participant: &Participant) -> Option<Self> {
        let outcome = participant.outcome().filter(|_| participant.is_finished())?;
        Some(Self {
            ceremony: participant.seat().ceremony.clone(),
            dkg: outcome.digest,
            outputs: outcome.outputs,
            validators: outcome.validators.clone(),
            claimed: participant.seat().ceremony.kind() == CeremonyKind::Import,
            birth: None,
        })
    }

    /// The same of a reshare, with what the transcripts of its parents show: that its keys came by
    /// an import, or the key generation that made them.
    pub fn hanging_on(self, older: Option<&Audited>) -> Self {
        let Some(older) = older else { return self };
        Self { claimed: self.claimed || older.is_imported(), birth: older.birth(), ..self }
    }

    /// The key generation that made the keys; `None` of an import, or if its transcript was not
    /// given.
    pub fn birth(&self) -> Option<Birth> {
        self.birth.clone().or_else(|| Birth::of(&self.ceremony, &self.validators))
    }

    /// Whether the withdrawal credentials are claimed and not proven: the keys came by an import.
    /// Then no deposit is signed unless the chain has them.
    pub fn is_claimed(&self) -> bool {
        self.claimed
    }

    /// The ceremony.
    pub fn ceremony(&self) -> &Arc<Ceremony> {
        &self.ceremony
    }

    /// Its validators.
    pub fn validators(&self) -> &[ValidatorOutcome] {
        &self.validators
    }

    /// The position of the validator with this key.
    pub fn position(&self, public_key: &[u8; 48]) -> Option<usize> {
        self.validators
            .iter()
            .position(|validator| validator.public_key.to_compressed() == *public_key)
    }

    /// A request of this ceremony for one validator, asked by nobody in particular yet.
    pub fn request(
        &self,
        public_key: [u8; 48],
        purpose: Purpose,
        delivery: super::request::Delivery,
    ) -> Request {
        self.request_all(Items::one(public_key, purpose), delivery)
    }

    /// The same, for any number of validators.
    pub fn request_all(&self, items: Items, delivery: super::request::Delivery) -> Request {
        Request {
            ceremony: self.ceremony.digest(),
            dkg: self.dkg,
            outputs: self.outputs,
            network: self.ceremony.network().name().to_owned(),
            items,
            delivery,
            requester: None,
        }
    }

    /// Compares every field of a request with the ceremony. Index and epoch of an exit are not
    /// among what a ceremony can know.
    pub fn clear(&self, request: Request) -> Result<Cleared, RequestError> {
        let ceremony = &self.ceremony;
        if request.ceremony != ceremony.digest() {
            return Err(RequestError::Ceremony {
                expected: ceremony.digest(),
                found: request.ceremony,
            });
        }
        for (field, expected, found) in
            [("dkg", self.dkg, request.dkg), ("outputs", self.outputs, request.outputs)]
        {
            if expected != found {
                return Err(RequestError::Certificate { field, expected, found });
            }
        }
        let network = ceremony.network();
        if request.network != network.name() {
            return Err(RequestError::Network {
                expected: network.name().to_owned(),
                found: request.network,
            });
        }
        if let Some(requester) = request.requester {
            check_requester(&request, requester.index, &requester.signature, ceremony)?;
        }
        let lock = lock::check(self, &request.items)?;
        let required = match lock {
            Some(_) => ceremony.receivers().map(|(index, _)| index).collect(),
            None => key_shares::check(self, &request.items)?,
        };
        let targets = self.targets(&request.items, lock.as_ref())?;
        Ok(Cleared { request, targets, required, lock })
    }

    /// What is signed for each validator of a list in the ceremony's order.
    fn targets(&self, items: &Items, lock: Option<&Unsigned>) -> Result<Vec<Target>, RequestError> {
        // One for all of them.
        let of_lock = lock.map(|lock| (lock.hash(), message_point(&lock.hash())));
        let keys = self.validators.iter().map(|validator| validator.public_key.to_compressed());
        let positions: BTreeMap<[u8; 48], usize> =
            keys.enumerate().map(|(position, key)| (key, position)).collect();
        let mut next = 0;
        let roots = items.iter().map(|item| {
            let key = || hex::encode(item.public_key);
            let position = positions.get(&item.public_key);
            let validator = *position.ok_or_else(|| RequestError::PublicKey(key()))?;
            if validator < next {
                return Err(RequestError::Order(key()));
            }
            next = validator + 1;
            Ok((validator, self.signing_root(validator, item, of_lock)?))
        });
        let roots: Vec<_> = roots.collect::<Result<_, RequestError>>()?;
        let target = |(validator, signing_root): (usize, [u8; 32])| Target {
            validator,
            signing_root,
            message: of_lock.map_or_else(|| message_point(&signing_root), |(_, point)| point),
        };
        Ok(match roots.len() {
            // The simulation's memory is each thread's own.
            0..64 => roots.into_iter().map(target).collect(),
            _ => roots.into_par_iter().map(target).collect(),
        })
    }

    /// What a validator signs, if the ceremony allows it.
    fn signing_root(
        &self,
        validator: usize,
        item: &Item,
        of_lock: Option<([u8; 32], G2)>,
    ) -> Result<[u8; 32], RequestError> {
        let network = self.ceremony.network();
        match item.purpose {
            Purpose::Exit(exit) => exit.signing_root(network).ok_or(RequestError::NoCapella),
            Purpose::Deposit { withdrawal_credentials, amount } => {
                let spec = &self.ceremony.validators()[validator];
                if withdrawal_credentials != spec.withdrawal {
                    let (expected, found) =
                        (spec.withdrawal.to_string(), withdrawal_credentials.to_string());
                    return Err(RequestError::Credentials { expected, found });
                }
                network.check_amount(amount, withdrawal_credentials.is_compounding())?;
                if spec.amounts.contains(&amount) {
                    return Err(RequestError::AmountSigned(network.unit().text(amount)));
                }
                let pubkey = item.public_key;
                Ok(DepositMessage { pubkey, withdrawal_credentials, amount }.signing_root(network))
            }
            Purpose::Registration(terms) => {
                terms.check(network)?;
                Ok(terms.registration(item.public_key).signing_root(network))
            }
            // Neither domain nor network.
            Purpose::KeyShares(owner_nonce) => Ok(owner_nonce.digest()),
            // The lock hash, of all of them.
            Purpose::Lock => of_lock.map(|(hash, _)| hash).ok_or(ClusterLockError::NoBirth.into()),
        }
    }
}

fn check_requester(
    request: &Request,
    index: Index,
    signature: &[u8; 64],
    ceremony: &Ceremony,
) -> Result<(), RequestError> {
    let seat = ceremony.roster().get(index).ok_or(RequestError::UnknownRequester(index.get()))?;
    let verdict =
        seat.card.key.verify(Tag::SigningRequestSignature, &request.vouched(index), signature);
    verdict.map_err(|_| RequestError::Requester(index.get()))
}
