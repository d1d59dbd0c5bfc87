//! The SSV part of a spec: who registers the validators, from which nonce, and the operators' RSA
//! keys. An operator's number in SSV's contract is its evaluation point.

use super::ceremony::ValidatorSpec;
use super::error::{Place, SpecError};
use super::roster::Seat;
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::network::Network;
use crate::ethereum::ssv::{OwnerNonce, RsaPublic, threshold};

/// Largest number of an operator: the largest whole number that every reader of JSON keeps exactly.
pub const LARGEST_ID: u64 = (1 << 53) - 1;
/// Largest nonce of a validator: the folders that SSV's tools read are ordered by name, with six
/// digits.
pub const LARGEST_NONCE: u64 = 999_999;
/// Least deposit that SSV's tools take, in gwei.
pub const LEAST_AMOUNT: u64 = 32_000_000_000;

/// What a person must know about these shares before using SSV.
pub const RSA_WEAKNESS: [&str; 2] = [
    "these ciphertexts stay on chain forever, under keys that are used for years: anyone who gets \
     the RSA keys of a threshold of operators, at any later time, has the validators' keys (there \
     is no forward secrecy).",
    "only an operator itself can check that its ciphertext holds its share; each operator checks \
     its own before it signs.",
];

/// Validators for an SSV cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsvSpec {
    /// The account that registers the validators, and no other can.
    pub owner: ExecutionAddress,
    /// The nonce of the first validator: how many registrations the owner has made on this network
    /// before, malformed ones included.
    pub nonce: u64,
    /// The operators' RSA keys, by index.
    pub keys: Vec<RsaPublic>,
}

impl SsvSpec {
    /// The registration of validator `v` (position, from 0), to which it consents by its signature.
    pub fn owner_nonce(&self, v: usize) -> OwnerNonce {
        let position = u64::try_from(v).expect("at most 8192 validators");
        OwnerNonce { owner: self.owner, nonce: self.nonce + position }
    }
}

/// The rules about it, once those about operators and validators hold.
pub(super) fn check(
    ssv: &SsvSpec,
    required: usize,
    seats: &[Seat],
    network: &Network,
    validators: &[ValidatorSpec],
) -> Result<(), SpecError> {
    let operators = seats.len();
    let Some(usual) = threshold(operators) else { return Err(SpecError::SsvSize(operators)) };
    if required != usual {
        return Err(SpecError::SsvThreshold { required, operators, usual });
    }
    if !network.has_ssv() {
        return Err(SpecError::SsvNetwork(network.name().to_owned()));
    }
    for (position, key) in ssv.keys.iter().enumerate() {
        if let Some(first) = ssv.keys[..position].iter().position(|other| other == key) {
            return Err(SpecError::SsvKeyDuplicate {
                place: Place::operator(position, "ssv_key"),
                first,
            });
        }
    }
    if let Some(position) = seats.iter().position(|seat| seat.point > LARGEST_ID) {
        return Err(SpecError::SsvId {
            place: Place::operator(position, "point"),
            id: seats[position].point,
        });
    }
    let last = u64::try_from(validators.len())
        .ok()
        .and_then(|count| ssv.nonce.checked_add(count)?.checked_sub(1));
    if last.is_none_or(|last| last > LARGEST_NONCE) {
        return Err(SpecError::SsvNonce { nonce: ssv.nonce, validators: validators.len() });
    }
    Ok(())
}

/// SSV's rule about a validator: one deposit that activates it.
pub(super) fn check_validator(
    position: usize,
    validator: &ValidatorSpec,
    network: &Network,
) -> Result<(), SpecError> {
    let place = Place::validator(position, "amounts");
    match validator.amounts.as_slice() {
        [amount] if *amount >= LEAST_AMOUNT => Ok(()),
        [amount] => Err(SpecError::SsvAmount { place, amount: network.unit().text(*amount) }),
        amounts => Err(SpecError::SsvAmounts { place, found: amounts.len() }),
    }
}
