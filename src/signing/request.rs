//! A request for partial signatures: what to sign for which validators, under which ceremony's
//! keys, and who gets the answers.

use super::parent::RequestError;
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::exit::VoluntaryExit;
use crate::ethereum::network::Network;
use crate::ethereum::registration::Registration;
use crate::ethereum::ssv::OwnerNonce;
use crate::identity::card::OperatorCard;
use crate::identity::operator::Operator;
use crate::primitives::codec::Writer;
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::spec::ceremony::GAS_LIMITS;
use crate::spec::obol::encode;
use crate::spec::threshold::Index;

pub use super::items::{Item, Items, ItemsError};

const MAGIC: &[u8; 4] = b"QREQ";
/// Of one validator.
const ONE: u16 = 1;
/// Of a list of validators.
const MANY: u16 = 2;
/// Of key shares, for any number of validators.
const KEY_SHARES: u16 = 3;
/// Of the lock of a cluster, for all validators of a ceremony.
const LOCK: u16 = 4;

/// What is asked for, of one validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The validator's voluntary exit.
    Exit(VoluntaryExit),
    /// Another deposit of the validator.
    Deposit {
        /// Where the money goes: where the ceremony says, or the request is refused.
        withdrawal_credentials: WithdrawalCredentials,
        /// In gwei, as it stands in the message.
        amount: u64,
    },
    /// Another builder registration of the validator.
    Registration(Terms),
    /// Key shares for SSV, and the validator's consent to be registered with them.
    KeyShares(OwnerNonce),
    /// The lock of an Obol cluster, which all shares of all validators sign.
    Lock,
}

/// What a later registration says, of every validator of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Who gets the fees of blocks.
    pub fee_recipient: ExecutionAddress,
    /// The gas limit asked for.
    pub gas_limit: u64,
    /// Its date, in seconds since 1970.
    pub timestamp: u64,
}

impl Terms {
    /// What the validator with this key signs.
    pub fn registration(self, pubkey: [u8; 48]) -> Registration {
        let Self { fee_recipient, gas_limit, timestamp } = self;
        Registration { fee_recipient, gas_limit, timestamp, pubkey }
    }

    /// What is required of a registration on this network, whatever the clock says.
    pub fn check(&self, network: &Network) -> Result<(), RequestError> {
        let Self { fee_recipient, gas_limit, timestamp } = *self;
        fee_recipient.usable().map_err(RequestError::FeeRecipient)?;
        if !GAS_LIMITS.contains(&gas_limit) {
            return Err(RequestError::GasLimit(gas_limit));
        }
        // Of a network whose genesis is not known, no ceremony has signed a registration.
        let genesis = network.genesis_time().unwrap_or(0);
        if timestamp <= genesis {
            return Err(RequestError::NotNewer { found: timestamp, genesis });
        }
        match network.gloas_epoch().zip(network.epoch_at(timestamp)) {
            Some((since, epoch)) if epoch >= since => {
                Err(RequestError::Gloas { timestamp, network: network.name().to_owned(), since })
            }
            _ => Ok(()),
        }
    }
}

/// What a request is for. The numbers are those of canonical requests and of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Voluntary exits.
    Exit = 1,
    /// Further deposits.
    Deposit = 2,
    /// Builder registrations.
    Registration = 3,
    /// Key shares for SSV.
    KeyShares = 4,
    /// The lock of an Obol cluster.
    Lock = 5,
}

impl Kind {
    /// `exit`, `deposit`, `registration`, `ssv` or `obol`: the name of its command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Deposit => "deposit",
            Self::Registration => "registration",
            Self::KeyShares => "ssv",
            Self::Lock => "obol",
        }
    }
}

impl Purpose {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Exit(_) => Kind::Exit,
            Self::Deposit { .. } => Kind::Deposit,
            Self::Registration(_) => Kind::Registration,
            Self::KeyShares(_) => Kind::KeyShares,
            Self::Lock => Kind::Lock,
        }
    }

    /// Whether it is of the same kind, and the same in what all validators of a request have in
    /// common.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exit(one), Self::Exit(other)) => one.epoch == other.epoch,
            (Self::Deposit { amount: one, .. }, Self::Deposit { amount: other, .. }) => {
                one == other
            }
            (Self::Registration(one), Self::Registration(other)) => one == other,
            _ => false,
        }
    }

    /// What all validators of a request have in common.
    fn write_common(&self, writer: Writer) -> Writer {
        match self {
            Self::Exit(exit) => writer.u64(exit.epoch),
            Self::Deposit { amount, .. } => writer.u64(*amount),
            Self::Registration(terms) => writer
                .bytes(terms.fee_recipient.as_bytes())
                .u64(terms.gas_limit)
                .u64(terms.timestamp),
            // Of the first: the others follow from it.
            Self::KeyShares(first) => writer.bytes(first.owner.as_bytes()).u64(first.nonce),
            // The cluster, which stands beside the validators.
            Self::Lock => writer,
        }
    }

    /// What each validator of a request has for itself.
    fn write_own(&self, writer: Writer) -> Writer {
        match self {
            Self::Exit(exit) => writer.u64(exit.validator_index),
            Self::Deposit { withdrawal_credentials, .. } => {
                writer.bytes(withdrawal_credentials.as_bytes())
            }
            Self::Registration(_) | Self::KeyShares(_) | Self::Lock => writer,
        }
    }
}

/// Who can read the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Everyone: anyone who collects `t` of them can use the signature.
    Public,
    /// The holder of this card, to whom each is sealed.
    Custodian(Box<OperatorCard>),
}

/// An operator of the ceremony that stands by a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requester {
    /// Which.
    pub index: Index,
    /// Its Ed25519 signature over the request.
    pub signature: [u8; 64],
}

/// A request, as it was asked. [`super::Parent::clear`] says whether it may be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Digest of the ceremony.
    pub ceremony: Digest,
    /// The transcript digest `D`.
    pub dkg: Digest,
    /// The output digest `O`, which every final of the ceremony signs.
    pub outputs: Digest,
    /// The network's name.
    pub network: String,
    /// What to sign, for which validators.
    pub items: Items,
    /// Who gets the answers.
    pub delivery: Delivery,
    /// Who asks, if it is an operator that signed.
    pub requester: Option<Requester>,
}

impl Request {
    /// Whether it is for one validator alone, as version 1 of the format has it.
    pub fn is_single(&self) -> bool {
        self.items.len() == 1 && !matches!(self.items.kind(), Kind::KeyShares | Kind::Lock)
    }

    /// Of its canonical bytes, and of its file.
    pub(super) fn version(&self) -> u16 {
        match self.items.kind() {
            Kind::KeyShares => KEY_SHARES,
            Kind::Lock => LOCK,
            _ if self.is_single() => ONE,
            _ => MANY,
        }
    }

    /// The bytes that everything is bound to; the requester's signature is over them and not among
    /// them.
    ///
    /// Of one validator: `"QREQ" ‖ u16(1) ‖ u8(kind) ‖ ceremony(32) ‖ D(32) ‖ O(32) ‖
    /// text(network) ‖ public key(48)`, then for an exit (kind 1) `u64(validator index) ‖
    /// u64(epoch)`, for a deposit (kind 2) `credentials(32) ‖ u64(amount)`, for a registration
    /// (kind 3) `fee recipient(20) ‖ u64(gas limit) ‖ u64(date)`, then `u8(0)` for public answers
    /// or `u8(card's version) ‖ card` for a custodian.
    ///
    /// Of more: `u16(2)`, after the network what all have in common (epoch, amount, or the
    /// registration) and `u32(count)`, and for each validator `public key(48)` with `u64(validator
    /// index)`, `credentials(32)` or nothing.
    ///
    /// Of key shares (kind 4): `u16(3)`, after the network `owner(20) ‖ u64(first nonce) ‖ u8(n) ‖
    /// n × modulus(256) ‖ u32(count)`, and for each validator `public key(48)`.
    ///
    /// Of a lock (kind 5): `u16(4)`, after the network `u32(length) ‖ cluster` as in a spec, and
    /// `u32(count)`, and for each validator `public key(48)`.
    pub fn canonical(&self) -> Vec<u8> {
        let length = 512 + 80 * self.items.len() + 256 * self.items.operator_keys().len();
        let head = Writer::with_capacity(length)
            .bytes(MAGIC)
            .u16(self.version())
            .u8(self.items.kind() as u8)
            .bytes(self.ceremony.as_ref())
            .bytes(self.dkg.as_ref())
            .bytes(self.outputs.as_ref())
            .text(&self.network);
        let Item { public_key, purpose } = self.items.first();
        let body = match self.is_single() {
            true => purpose.write_common(purpose.write_own(head.bytes(public_key))),
            false => {
                let count = u32::try_from(self.items.len()).expect("at most 8192");
                let one = |writer: Writer, item: &Item| {
                    item.purpose.write_own(writer.bytes(&item.public_key))
                };
                let keys = self.items.operator_keys();
                let head = head.each(self.items.cluster(), |writer, cluster| {
                    let bytes = encode(cluster);
                    let length = u32::try_from(bytes.len()).expect("at most 2 MiB");
                    writer.u32(length).bytes(&bytes)
                });
                let common = match (purpose.write_common(head), u8::try_from(keys.len())) {
                    (writer, Ok(0)) => writer,
                    (writer, n) => writer
                        .u8(n.expect("at most 13 keys"))
                        .each(keys, |writer, key| writer.bytes(key.modulus())),
                };
                common.u32(count).each(self.items.iter(), one)
            }
        };
        match &self.delivery {
            Delivery::Public => body.u8(0),
            Delivery::Custodian(card) => card.write(body.u8(card.version())),
        }
        .finish()
    }

    /// `TH("signing-request", canonical bytes)`: what partial signatures name.
    pub fn id(&self) -> Digest {
        tagged(Tag::SigningRequest, &[&self.canonical()])
    }

    /// The same request, with the word of an operator of the ceremony that it stands by it.
    pub fn signed_by(mut self, operator: &Operator, index: Index) -> Self {
        let signature = operator.key().sign(Tag::SigningRequestSignature, &self.vouched(index));
        self.requester = Some(Requester { index, signature });
        self
    }

    /// What a requester signs: the id and its index.
    pub(super) fn vouched(&self, index: Index) -> Vec<u8> {
        Writer::with_capacity(34).bytes(self.id().as_ref()).u16(index.get()).finish()
    }
}
