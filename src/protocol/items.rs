//! The messages that a ceremony signs: for each validator its deposits in the spec's order, then
//! its builder registration if it has one, then its preregistration if the ceremony signs them,
//! then its consent to the registration with SSV if the ceremony is for SSV. All are computed from
//! the spec and the validator's key; none is received.

use rayon::prelude::*;

use crate::ethereum::bls::message_point;
use crate::ethereum::deposit::DepositMessage;
use crate::ethereum::preregistration::{Draft, Preregistration};
use crate::ethereum::registration::Registration;
use crate::ethereum::ssv::OwnerNonce;
use crate::primitives::curve::{G1, G2};
use crate::primitives::hash::{DST_REHEARSAL, Digest, Tag, merkle_root, tagged};
use crate::spec::ceremony::Ceremony;

/// One message to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A deposit.
    Deposit(DepositMessage),
    /// A builder registration, dated at the network's genesis so that every later one supersedes
    /// it.
    Registration(Registration),
    /// A preregistration, by this state of the draft.
    Preregistration(Preregistration, Draft),
    /// Consent to one registration with SSV's contract.
    OwnerNonce(OwnerNonce),
}

/// The messages of validator `v` (position, from 0), whose key is `public_key`.
pub fn items(ceremony: &Ceremony, v: usize, public_key: &G1) -> Vec<Item> {
    let validator = &ceremony.validators()[v];
    let pubkey = public_key.to_compressed();
    let deposits = validator.amounts.iter().map(|amount| {
        Item::Deposit(DepositMessage {
            pubkey,
            withdrawal_credentials: validator.withdrawal,
            amount: *amount,
        })
    });
    let registration = validator.registration.as_ref().map(|wanted| {
        Item::Registration(Registration {
            fee_recipient: wanted.fee_recipient,
            gas_limit: wanted.gas_limit,
            timestamp: ceremony
                .network()
                .genesis_time()
                .expect("a spec with registrations states the genesis time"),
            pubkey,
        })
    });
    let preregistration = ceremony.preregistration().map(|draft| {
        let withdrawal_credentials = validator.withdrawal;
        Item::Preregistration(Preregistration { pubkey, withdrawal_credentials }, draft)
    });
    let owner_nonce = ceremony.ssv().map(|ssv| Item::OwnerNonce(ssv.owner_nonce(v)));
    deposits.chain(registration).chain(preregistration).chain(owner_nonce).collect()
}

impl Item {
    /// The 32-byte message that is signed.
    pub fn signing_root(&self, ceremony: &Ceremony) -> [u8; 32] {
        match self {
            Self::Deposit(deposit) => deposit.signing_root(ceremony.network()),
            Self::Registration(registration) => registration.signing_root(ceremony.network()),
            Self::Preregistration(message, draft) => {
                message.signing_root(ceremony.network(), *draft)
            }
            Self::OwnerNonce(owner_nonce) => owner_nonce.digest(),
        }
    }
}

/// Signing roots of all items of all validators, each with the position of its validator, in the
/// order of the partial signatures.
pub fn signing_roots(ceremony: &Ceremony, public_keys: &[G1]) -> Vec<(usize, [u8; 32])> {
    let of = |(v, key)| {
        items(ceremony, v, key).into_iter().map(move |item| (v, item.signing_root(ceremony)))
    };
    public_keys.iter().enumerate().flat_map(of).collect()
}

/// All messages of a ceremony, ready to be signed and verified.
pub struct Messages {
    /// Signing roots, each with the position of its validator; see [`signing_roots`].
    pub roots: Vec<(usize, [u8; 32])>,
    /// The same, hashed to the curve.
    pub points: Vec<G2>,
}

impl Messages {
    /// The messages that follow from the spec and the keys.
    pub fn new(ceremony: &Ceremony, public_keys: &[G1]) -> Self {
        let roots = signing_roots(ceremony, public_keys);
        let point = |(_, root): &(usize, [u8; 32])| match ceremony.is_rehearsal() {
            true => G2::hash(root, DST_REHEARSAL),
            false => message_point(root),
        };
        let points = match roots.len() {
            // The simulation's memory is each thread's own.
            0..16 => roots.iter().map(point).collect(),
            _ => roots.par_iter().map(point).collect(),
        };
        Self { roots, points }
    }

    /// Each validator's messages, with its position.
    pub fn by_validator(&self) -> impl Iterator<Item = (usize, &[G2])> {
        let mut rest = self.points.as_slice();
        self.roots.chunk_by(|a, b| a.0 == b.0).map(move |own| {
            let points = rest.split_off(..own.len()).expect("a point for each root");
            (own[0].0, points)
        })
    }
}

/// Output digest `O = TH("outputs", D, Merkle root over (signing root, signature))`.
pub fn outputs_digest(dkg: &Digest, roots: &[(usize, [u8; 32])], signatures: &[G2]) -> Digest {
    let leaf = |((_, root), signature): (&(usize, [u8; 32]), &G2)| {
        tagged(Tag::Leaf, &[root, &signature.to_compressed()])
    };
    let leaves: Vec<Digest> = roots.iter().zip(signatures).map(leaf).collect();
    tagged(Tag::Outputs, &[dkg.as_ref(), merkle_root(&leaves).as_ref()])
}
