//! A request for partial signatures: what to sign for which validators, under which ceremony's
//! keys, and who gets the answers.

use std::collections::BTreeSet;

use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::exit::VoluntaryExit;
use crate::identity::card::OperatorCard;
use crate::identity::operator::Operator;
use crate::primitives::codec::Writer;
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::spec::ceremony::MOST_VALIDATORS;
use crate::spec::threshold::Index;

const MAGIC: &[u8; 4] = b"QREQ";
/// Of one validator.
const ONE: u16 = 1;
/// Of a list of validators.
const MANY: u16 = 2;

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
}

impl Kind {
    /// `exit`, `deposit` or `registration`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Deposit => "deposit",
            Self::Registration => "registration",
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
        }
    }

    /// Whether it is of the same kind, and the same in what all validators of a request have in
    /// common.
    fn goes_with(&self, other: &Self) -> bool {
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
        }
    }

    /// What each validator of a request has for itself.
    fn write_own(&self, writer: Writer) -> Writer {
        match self {
            Self::Exit(exit) => writer.u64(exit.validator_index),
            Self::Deposit { withdrawal_credentials, .. } => {
                writer.bytes(withdrawal_credentials.as_bytes())
            }
            Self::Registration(_) => writer,
        }
    }
}

/// One validator of a request, and what to sign for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The validator's key, compressed.
    pub public_key: [u8; 48],
    /// What to sign.
    pub purpose: Purpose,
}

/// The validators of a request: 1 to 8192, of one kind, with one epoch, one amount or one
/// registration for all, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items(Vec<Item>);

/// Why a list is not the validators of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemsError {
    /// None at all.
    #[error("no validator")]
    Empty,
    /// More than a ceremony has.
    #[error("more than {MOST_VALIDATORS} validators")]
    TooMany,
    /// Of several kinds, or with more than one epoch, amount or registration.
    #[error("not all of one kind, with one epoch, amount or registration")]
    Mixed,
    /// A key twice.
    #[error("0x{0} is there twice")]
    KeyTwice(String),
    /// Two validators with one index.
    #[error("two of them have the validator index {0}")]
    IndexTwice(u64),
}

impl Items {
    /// One validator.
    pub fn one(public_key: [u8; 48], purpose: Purpose) -> Self {
        Self(vec![Item { public_key, purpose }])
    }

    /// Any number, in order.
    pub fn new(items: Vec<Item>) -> Result<Self, ItemsError> {
        let first = items.first().ok_or(ItemsError::Empty)?.purpose;
        if items.len() > MOST_VALIDATORS {
            return Err(ItemsError::TooMany);
        }
        let (mut keys, mut indices) = (BTreeSet::new(), BTreeSet::new());
        for Item { public_key, purpose } in &items {
            if !purpose.goes_with(&first) {
                return Err(ItemsError::Mixed);
            }
            if !keys.insert(public_key) {
                return Err(ItemsError::KeyTwice(hex::encode(public_key)));
            }
            if let Purpose::Exit(exit) = purpose
                && !indices.insert(exit.validator_index)
            {
                return Err(ItemsError::IndexTwice(exit.validator_index));
            }
        }
        Ok(Self(items))
    }

    /// The first, of which there is always one.
    pub fn first(&self) -> &Item {
        &self.0[0]
    }

    /// What is asked for.
    pub fn kind(&self) -> Kind {
        self.first().purpose.kind()
    }
}

impl core::ops::Deref for Items {
    type Target = [Item];

    fn deref(&self) -> &[Item] {
        &self.0
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
        self.items.len() == 1
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
    pub fn canonical(&self) -> Vec<u8> {
        let head = Writer::with_capacity(512 + 80 * self.items.len())
            .bytes(MAGIC)
            .u16(if self.is_single() { ONE } else { MANY })
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
                purpose.write_common(head).u32(count).each(self.items.iter(), one)
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
