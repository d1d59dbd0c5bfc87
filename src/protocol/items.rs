//! What a ceremony signs: for each validator its deposits in the spec's order, then its builder registration if it has one. Everything
//! is computed from the spec and the validator's key; nothing about it is received.

use crate::ethereum::deposit::DepositMessage;
use crate::ethereum::registration::Registration;
use crate::primitives::curve::{G1, G2};
use crate::primitives::hash::{Digest, Tag, merkle_root, tagged};
use crate::spec::ceremony::Ceremony;

/// One message to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A deposit.
    Deposit(DepositMessage),
    /// A builder registration, dated at the network's genesis so that every later one supersedes it.
    Registration(Registration),
}

/// The messages of validator `v` (position, from 0), whose key is `public_key`.
pub fn items(ceremony: &Ceremony, v: usize, public_key: &G1) -> Vec<Item> {
    let validator = &ceremony.validators()[v];
    let pubkey = public_key.to_compressed();
    let deposits = validator
        .amounts
        .iter()
        .map(|amount| Item::Deposit(DepositMessage { pubkey, withdrawal_credentials: validator.withdrawal, amount: *amount }));
    let registration = validator.registration.as_ref().map(|wanted| {
        Item::Registration(Registration {
            fee_recipient: wanted.fee_recipient,
            gas_limit: wanted.gas_limit,
            timestamp: ceremony.network().genesis_time().expect("a spec with registrations states the genesis time"),
            pubkey,
        })
    });
    deposits.chain(registration).collect()
}

impl Item {
    /// The 32-byte message that is signed.
    pub fn signing_root(&self, ceremony: &Ceremony) -> [u8; 32] {
        match self {
            Self::Deposit(deposit) => deposit.signing_root(ceremony.network()),
            Self::Registration(registration) => registration.signing_root(ceremony.network()),
        }
    }
}

/// Signing roots of all items of all validators, each with the position of its validator, in the order of the partial signatures.
pub fn signing_roots(ceremony: &Ceremony, public_keys: &[G1]) -> Vec<(usize, [u8; 32])> {
    let of = |(v, key)| items(ceremony, v, key).into_iter().map(move |item| (v, item.signing_root(ceremony)));
    public_keys.iter().enumerate().flat_map(of).collect()
}

/// Output digest `O = TH("outputs", D, Merkle root over (signing root, signature))`.
pub fn outputs_digest(dkg: &Digest, roots: &[(usize, [u8; 32])], signatures: &[G2]) -> Digest {
    let leaf = |((_, root), signature): (&(usize, [u8; 32]), &G2)| tagged(Tag::Leaf, &[root, &signature.to_compressed()]);
    let leaves: Vec<Digest> = roots.iter().zip(signatures).map(leaf).collect();
    tagged(Tag::Outputs, &[dkg.as_ref(), merkle_root(&leaves).as_ref()])
}
