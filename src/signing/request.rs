//! A request for partial signatures: what to sign, under which ceremony's keys, and who gets the
//! answers.

use crate::ethereum::deposit::WithdrawalCredentials;
use crate::ethereum::exit::VoluntaryExit;
use crate::identity::card::OperatorCard;
use crate::identity::operator::Operator;
use crate::primitives::codec::Writer;
use crate::primitives::hash::{Digest, Tag, tagged};
use crate::spec::threshold::Index;

const MAGIC: &[u8; 4] = b"QREQ";
const VERSION: u16 = 1;

/// What is asked for.
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
}

impl Purpose {
    /// `exit` or `deposit`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exit(_) => "exit",
            Self::Deposit { .. } => "deposit",
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
    /// The validator's key, compressed.
    pub public_key: [u8; 48],
    /// What to sign.
    pub purpose: Purpose,
    /// Who gets the answers.
    pub delivery: Delivery,
    /// Who asks, if it is an operator that signed.
    pub requester: Option<Requester>,
}

impl Request {
    /// The bytes that everything is bound to; the requester's signature is over them and not among
    /// them.
    ///
    /// `"QREQ" ‖ u16(1) ‖ u8(kind) ‖ ceremony(32) ‖ D(32) ‖ O(32) ‖ text(network) ‖ public
    /// key(48)`, then for an exit (kind 1) `u64(validator index) ‖ u64(epoch)` or for a deposit
    /// (kind 2) `credentials(32) ‖ u64(amount)`, then `u8(0)` for public answers or `u8(1) ‖ card`
    /// for a custodian.
    pub fn canonical(&self) -> Vec<u8> {
        let kind = match self.purpose {
            Purpose::Exit(_) => 1,
            Purpose::Deposit { .. } => 2,
        };
        let head = Writer::with_capacity(512)
            .bytes(MAGIC)
            .u16(VERSION)
            .u8(kind)
            .bytes(self.ceremony.as_ref())
            .bytes(self.dkg.as_ref())
            .bytes(self.outputs.as_ref())
            .text(&self.network)
            .bytes(&self.public_key);
        let body = match &self.purpose {
            Purpose::Exit(exit) => head.u64(exit.validator_index).u64(exit.epoch),
            Purpose::Deposit { withdrawal_credentials, amount } => {
                head.bytes(withdrawal_credentials.as_bytes()).u64(*amount)
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
