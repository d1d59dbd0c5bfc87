//! A request for partial signatures: what to sign for which validators, under which ceremony's
//! keys, and who gets the answers.

use std::collections::BTreeSet;

use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::exit::VoluntaryExit;
use crate::ethereum::ssv::{CLUSTER_SIZES, OwnerNonce, RsaPublic};
use crate::identity::card::OperatorCard;
use crate::identity::operator::Operator;
use crate::primitives::codec::Writer;
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::spec::ceremony::MOST_VALIDATORS;
use crate::spec::ssv::LARGEST_NONCE;
use crate::spec::threshold::Index;

const MAGIC: &[u8; 4] = b"QREQ";
/// Of one validator.
const ONE: u16 = 1;
/// Of a list of validators.
const MANY: u16 = 2;
/// Of key shares, for any number of validators.
const KEY_SHARES: u16 = 3;

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
    /// Key shares for SSV.
    KeyShares = 4,
}

impl Kind {
    /// `exit`, `deposit`, `registration` or `ssv`: the name of its command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Deposit => "deposit",
            Self::Registration => "registration",
            Self::KeyShares => "ssv",
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
            // Of the first: the others follow from it.
            Self::KeyShares(first) => writer.bytes(first.owner.as_bytes()).u64(first.nonce),
        }
    }

    /// What each validator of a request has for itself.
    fn write_own(&self, writer: Writer) -> Writer {
        match self {
            Self::Exit(exit) => writer.u64(exit.validator_index),
            Self::Deposit { withdrawal_credentials, .. } => {
                writer.bytes(withdrawal_credentials.as_bytes())
            }
            Self::Registration(_) | Self::KeyShares(_) => writer,
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
/// registration for all, each once. Of key shares: with one owner, nonces in a row, and the RSA
/// keys of the operators that have shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    list: Vec<Item>,
    operator_keys: Vec<RsaPublic>,
}

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
    /// Key shares without the operators' keys.
    #[error("key shares without the operators' RSA keys")]
    NoKeys,
    /// RSA keys of a number of operators that no cluster has.
    #[error("{0} RSA keys; clusters have 4, 7, 10 or 13 operators")]
    Cluster(usize),
    /// One RSA key for two operators.
    #[error("RSA keys {first} and {second} are the same")]
    RsaKeyTwice {
        /// Which, from 1.
        first: usize,
        /// Which, from 1.
        second: usize,
    },
    /// Nonces that the folders of SSV's tools have no names for.
    #[error("nonces from {first} on for {count} validators; the largest is {LARGEST_NONCE}")]
    Nonces {
        /// The first nonce.
        first: u64,
        /// How many validators there are.
        count: usize,
    },
}

impl Items {
    /// One validator.
    pub fn one(public_key: [u8; 48], purpose: Purpose) -> Self {
        Self { list: vec![Item { public_key, purpose }], operator_keys: Vec::new() }
    }

    /// Any number, in order.
    pub fn new(items: Vec<Item>) -> Result<Self, ItemsError> {
        let first = items.first().ok_or(ItemsError::Empty)?.purpose;
        if items.len() > MOST_VALIDATORS {
            return Err(ItemsError::TooMany);
        }
        if matches!(first, Purpose::KeyShares(_)) {
            return Err(ItemsError::NoKeys);
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
        Ok(Self { list: items, operator_keys: Vec::new() })
    }

    /// Key shares of these validators, in order, with nonces from `first` on, under these RSA keys,
    /// by index of the operators that have shares.
    pub fn key_shares(
        public_keys: Vec<[u8; 48]>,
        first: OwnerNonce,
        operator_keys: Vec<RsaPublic>,
    ) -> Result<Self, ItemsError> {
        let count = public_keys.len();
        match count {
            0 => return Err(ItemsError::Empty),
            1..=MOST_VALIDATORS => {}
            _ => return Err(ItemsError::TooMany),
        }
        let last = u64::try_from(count - 1).ok().and_then(|more| first.nonce.checked_add(more));
        if last.is_none_or(|last| last > LARGEST_NONCE) {
            return Err(ItemsError::Nonces { first: first.nonce, count });
        }
        if !CLUSTER_SIZES.contains(&operator_keys.len()) {
            return Err(ItemsError::Cluster(operator_keys.len()));
        }
        for (second, key) in operator_keys.iter().enumerate() {
            if let Some(first) = operator_keys[..second].iter().position(|other| other == key) {
                return Err(ItemsError::RsaKeyTwice { first: first + 1, second: second + 1 });
            }
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = public_keys.iter().find(|key| !seen.insert(**key)) {
            return Err(ItemsError::KeyTwice(hex::encode(twice)));
        }
        let list = public_keys.into_iter().zip(first.nonce..).map(|(public_key, nonce)| {
            let purpose = Purpose::KeyShares(OwnerNonce { owner: first.owner, nonce });
            Item { public_key, purpose }
        });
        Ok(Self { list: list.collect(), operator_keys })
    }

    /// Of key shares: the RSA keys, by index of the operators that have shares.
    pub fn operator_keys(&self) -> &[RsaPublic] {
        &self.operator_keys
    }

    /// The first, of which there is always one.
    pub fn first(&self) -> &Item {
        &self.list[0]
    }

    /// What is asked for.
    pub fn kind(&self) -> Kind {
        self.first().purpose.kind()
    }
}

impl core::ops::Deref for Items {
    type Target = [Item];

    fn deref(&self) -> &[Item] {
        &self.list
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
        self.items.len() == 1 && self.items.kind() != Kind::KeyShares
    }

    /// Of its canonical bytes, and of its file.
    pub(super) fn version(&self) -> u16 {
        match self.items.kind() {
            Kind::KeyShares => KEY_SHARES,
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
    pub fn canonical(&self) -> Vec<u8> {
        let length = 512 + 80 * self.items.len() + 256 * self.items.operator_keys.len();
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
                let keys = &self.items.operator_keys;
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
