//! Key shares for SSV of validators that exist: whether a request for them fits the ceremony, whose
//! shares have to be encrypted anew, and what is registered in the end.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::parent::{Cleared, Parent};
use super::request::{Items, Kind, Purpose};
use crate::ethereum::address::AddressError;
use crate::ethereum::ssv::{OwnerNonce, RSA_BYTES, RsaPublic, RsaSecret, ShareProof, threshold};
use crate::export::ssv::{
    KeyshareError, OperatorShare, Registration, SignedProof, difference, parse_proofs,
    verify_keyshares, verify_proofs,
};
use crate::identity::operator::Operator;
use crate::message::body::EncryptedShare;
use crate::primitives::curve::{G2, SecretScalar};
use crate::primitives::secret::deep;
use crate::protocol::ssv::Sealer;
use crate::spec::roster::Seat;
use crate::spec::ssv::LARGEST_ID;
use crate::spec::threshold::Index;

/// Why a request for key shares does not fit a ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySharesError {
    /// As many operators as no cluster has.
    #[error("{0} operators have shares; clusters of SSV have 4, 7, 10 or 13")]
    Size(usize),
    /// A threshold that SSV does not use.
    #[error("{required} of {operators} sign, but a cluster of SSV of that size needs {usual}")]
    Threshold {
        /// The ceremony's.
        required: usize,
        /// How many operators have shares.
        operators: usize,
        /// SSV's.
        usual: usize,
    },
    /// SSV is not there.
    #[error("SSV has no contract on the network {0:?}")]
    Network(String),
    /// The shares sign in a cluster of Obol's.
    #[error("the ceremony makes an Obol cluster; a share that signs in two networks is slashed")]
    Obol,
    /// An evaluation point that is no number of an operator.
    #[error("the evaluation point of operator {operator}, {point}, is no number of SSV's")]
    Point {
        /// Which.
        operator: u16,
        /// Its point.
        point: u64,
    },
    /// A key for each operator that has shares.
    #[error("{found} RSA keys for {expected} operators that have shares")]
    Keys {
        /// Operators with shares.
        expected: usize,
        /// Keys in the request.
        found: usize,
    },
    /// An account that nobody can register from.
    #[error("owner: {0}")]
    Owner(AddressError),
    /// Nothing differs from what the ceremony has signed.
    #[error(
        "the ceremony itself made these key shares, for this owner, these nonces and these keys; \
         use those"
    )]
    Made,
}

/// The owner and the first nonce of a request for key shares.
pub fn first(items: &Items) -> Option<OwnerNonce> {
    match items.first().purpose {
        Purpose::KeyShares(first) => Some(first),
        _ => None,
    }
}

/// Whether the request fits the ceremony; and which operators have to answer it, because what the
/// ceremony has published of them does not serve: another owner, or another RSA key. Nobody for
/// other kinds of requests.
pub(super) fn check(parent: &Parent, items: &Items) -> Result<Vec<Index>, KeySharesError> {
    let Some(wanted) = first(items) else { return Ok(Vec::new()) };
    let (ceremony, keys) = (parent.ceremony(), items.operator_keys());
    let (operators, required) = (ceremony.receivers().count(), ceremony.t());
    if ceremony.obol().is_some() {
        return Err(KeySharesError::Obol);
    }
    let usual = threshold(operators).ok_or(KeySharesError::Size(operators))?;
    if required != usual {
        return Err(KeySharesError::Threshold { required, operators, usual });
    }
    if !ceremony.network().has_ssv() {
        return Err(KeySharesError::Network(ceremony.network().name().to_owned()));
    }
    for (index, seat) in ceremony.receivers() {
        if seat.point > LARGEST_ID {
            let (operator, point) = (index.get(), seat.point);
            return Err(KeySharesError::Point { operator, point });
        }
    }
    if keys.len() != operators {
        return Err(KeySharesError::Keys { expected: operators, found: keys.len() });
    }
    wanted.owner.usable().map_err(KeySharesError::Owner)?;
    let serves = |place: usize, index: Index| {
        ceremony.ssv().is_some_and(|ssv| {
            ssv.owner == wanted.owner && ssv.keys.get(index.position()) == keys.get(place)
        })
    };
    let receivers = ceremony.receivers().enumerate();
    let renewed = receivers.filter(|(place, (index, _))| !serves(*place, *index));
    let renewed: Vec<Index> = renewed.map(|(_, (index, _))| index).collect();
    let same = |item: &super::Item| {
        let before = parent.position(&item.public_key).and_then(|v| consented(parent, v));
        matches!(item.purpose, Purpose::KeyShares(now) if before == Some(now))
    };
    match renewed.is_empty() && items.iter().all(same) {
        true => Err(KeySharesError::Made),
        false => Ok(renewed),
    }
}

/// To which registration this validator has consented in the ceremony.
pub(super) fn consented(parent: &Parent, validator: usize) -> Option<OwnerNonce> {
    parent.ceremony().ssv().map(|ssv| ssv.owner_nonce(validator))
}

/// The RSA key that the request has for an operator.
pub fn operator_key<'a>(
    cleared: &'a Cleared,
    parent: &Parent,
    operator: Index,
) -> Option<&'a RsaPublic> {
    cleared.request.items.operator_keys().get(place(parent, operator)?)
}

/// Where an operator stands among those that have shares.
fn place(parent: &Parent, operator: Index) -> Option<usize> {
    parent.ceremony().receivers().position(|(index, _)| index == operator)
}

/// What an operator proves of its share of the validator at `position` of the request.
fn proof(
    cleared: &Cleared,
    parent: &Parent,
    position: usize,
    operator: Index,
    encrypted_share: &[u8; RSA_BYTES],
) -> Option<ShareProof> {
    let validator = &parent.validators()[cleared.targets.get(position)?.validator];
    Some(ShareProof {
        validator: validator.public_key.to_compressed(),
        encrypted_share: *encrypted_share,
        share_key: validator.public_share(parent.ceremony(), operator)?.to_compressed(),
        owner: first(&cleared.request.items)?.owner,
    })
}

/// Encrypts the shares of all validators of the request to this operator's own key, decrypts each
/// again, and proves them. `None` if the key is not the request's for this operator, or a share is
/// not this operator's.
pub(super) fn seal(
    cleared: &Cleared,
    parent: &Parent,
    (operator, index): (&Operator, Index),
    shares: &[&SecretScalar],
    key: &RsaSecret,
) -> Option<Vec<EncryptedShare>> {
    if shares.len() != cleared.targets.len()
        || operator_key(cleared, parent, index) != Some(key.public())
    {
        return None;
    }
    let sealer = Sealer::new(key, operator, &cleared.request.id());
    let one = |(position, share): (usize, &&SecretScalar)| {
        let validator = &parent.validators()[cleared.targets[position].validator];
        let public_share = validator.public_share(parent.ceremony(), index)?;
        let of = |ciphertext: &_| proof(cleared, parent, position, index, ciphertext);
        sealer.seal(position, share, public_share, of)
    };
    shares.par_iter().enumerate().map(|share| deep(|| one(share))).collect()
}

/// The first validator of the request, by position, whose share this operator has not proven under
/// its RSA key of the request; 0 if there is no such key.
pub(super) fn first_unproven(
    cleared: &Cleared,
    parent: &Parent,
    operator: Index,
    sealed: &[EncryptedShare],
) -> Option<usize> {
    let Some(key) = operator_key(cleared, parent, operator) else {
        return (!sealed.is_empty()).then_some(0);
    };
    let bad = |position: &usize| {
        let EncryptedShare { ciphertext, proof: signature } = &sealed[*position];
        let proof = proof(cleared, parent, *position, operator, ciphertext);
        !proof.is_some_and(|proof| key.verify(&proof.root(), signature))
    };
    (0..sealed.len()).into_par_iter().find_first(bad)
}

/// What is registered, and its proofs, in the request's order: with the ceremony's own encrypted
/// share of each operator if it serves, or else with the one of its answer. `None` for another kind
/// of request, or if a signature or the share of a required operator is missing.
pub fn registrations(
    cleared: &Cleared,
    parent: &Parent,
    signatures: &[Option<G2>],
    renewed: &BTreeMap<Index, Vec<EncryptedShare>>,
) -> Option<(Vec<Registration>, Vec<Vec<SignedProof>>)> {
    let (mut registrations, mut proofs) = (Vec::new(), Vec::new());
    for (position, item) in cleared.request.items.iter().enumerate() {
        let Purpose::KeyShares(owner_nonce) = item.purpose else { return None };
        let validator = &parent.validators()[cleared.targets[position].validator];
        let (mut operators, mut proven) = (Vec::new(), Vec::new());
        for (place, (index, seat)) in parent.ceremony().receivers().enumerate() {
            let sealed = match cleared.required.contains(&index) {
                true => renewed.get(&index)?.get(position)?,
                false => validator.sealed.get(place)?,
            };
            operators.push(OperatorShare {
                id: seat.point,
                key: operator_key(cleared, parent, index)?.clone(),
                share_key: validator.public_shares[place],
                encrypted_share: sealed.ciphertext,
            });
            let proof = proof(cleared, parent, position, index, &sealed.ciphertext)?;
            proven.push(SignedProof { proof, signature: sealed.proof });
        }
        let (signature, validator) = ((*signatures.get(position)?)?, validator.public_key);
        registrations.push(Registration { owner_nonce, validator, signature, operators });
        proofs.push(proven);
    }
    Some((registrations, proofs))
}

impl Cleared {
    /// Whether it is a request for key shares.
    pub fn is_for_key_shares(&self) -> bool {
        self.request.items.kind() == Kind::KeyShares
    }
}

/// Whether files of key shares and proofs are what the request asks for: its validators, owner,
/// nonces and RSA keys, the transcript's public shares, the validators' signatures, the ceremony's
/// encrypted shares where they serve, and every proof. What is wrong otherwise: the field, and why.
pub fn verify(
    cleared: &Cleared,
    parent: &Parent,
    keyshares: &[u8],
    proofs: &[u8],
) -> Result<Vec<Registration>, (String, String)> {
    let refuse = |error: KeyshareError| (error.field().to_owned(), error.to_string());
    let found = verify_keyshares(keyshares, first(&cleared.request.items)).map_err(refuse)?;
    let (expected, count) = (cleared.request.items.len(), found.len());
    if expected != count {
        let why = format!("{count} validators, but the request is for {expected}");
        return Err(("shares".to_owned(), why));
    }
    for (position, found) in found.iter().enumerate() {
        let at = |(field, why): (String, String)| (format!("shares[{position}].{field}"), why);
        let item = &cleared.request.items[position];
        if found.validator.to_compressed() != item.public_key {
            let why = "not the validator that the request has there".to_owned();
            return Err(at(("data.publicKey".to_owned(), why)));
        }
        let asked = asked_for(cleared, parent, position, found);
        if let Some(difference) = asked.as_ref().and_then(|asked| difference(asked, found)) {
            return Err(at(difference));
        }
        let validator = &parent.validators()[cleared.targets[position].validator];
        for (place, (index, seat)) in parent.ceremony().receivers().enumerate() {
            let serves = !cleared.required.contains(&index);
            let ours = validator.sealed.get(place).map(|sealed| sealed.ciphertext);
            if serves && ours != Some(found.operators[place].encrypted_share) {
                let why = format!("not the ciphertext of operator {} in the ceremony", seat.point);
                return Err(at(("payload.sharesData".to_owned(), why)));
            }
        }
    }
    verify_proofs(&found, &parse_proofs(proofs).map_err(refuse)?).map_err(refuse)?;
    Ok(found)
}

/// The registration that a request asks for at a position, with the signature and the ciphertexts
/// of `found`.
fn asked_for(
    cleared: &Cleared,
    parent: &Parent,
    position: usize,
    found: &Registration,
) -> Option<Registration> {
    let Purpose::KeyShares(owner_nonce) = cleared.request.items[position].purpose else {
        return None;
    };
    let validator = &parent.validators()[cleared.targets[position].validator];
    let operator = |(place, (index, seat)): (usize, (Index, &Seat))| {
        Some(OperatorShare {
            id: seat.point,
            key: operator_key(cleared, parent, index)?.clone(),
            share_key: validator.public_shares[place],
            encrypted_share: found
                .operators
                .get(place)
                .map_or([0; RSA_BYTES], |o| o.encrypted_share),
        })
    };
    let operators = parent.ceremony().receivers().enumerate().map(operator);
    Some(Registration {
        owner_nonce,
        validator: validator.public_key,
        signature: found.signature,
        operators: operators.collect::<Option<_>>()?,
    })
}
