//! Makes the folder for SSV's tools from a ceremony and its outcome.

use super::{OperatorShare, Registration, SignedProof, Stamp, directory_artifacts};
use crate::ethereum::ssv::ShareProof;
use crate::export::Artifact;
use crate::export::launchpad::{OutcomeError, SignedDeposit};
use crate::protocol::items::{Item, items};
use crate::protocol::outcome::ValidatorOutcome;
use crate::spec::ceremony::Ceremony;
use crate::spec::ssv::SsvSpec;

/// Where the folder is among the outputs.
const HOME: &str = "ssv";

/// The genesis of the ceremony's network, as a time to put into files: everybody writes the same
/// bytes at any time, and nobody reads it.
pub fn stamp(ceremony: &Ceremony) -> Stamp {
    let millis = ceremony
        .network()
        .genesis_time()
        .and_then(|seconds| seconds.checked_mul(1000))
        .and_then(Stamp::from_millis);
    millis.unwrap_or(Stamp::EPOCH)
}

/// What is published about every validator, in the spec's order; nothing without SSV.
struct Parts {
    registrations: Vec<Registration>,
    proofs: Vec<Vec<SignedProof>>,
    deposits: Vec<SignedDeposit>,
}

fn parts(
    ceremony: &Ceremony,
    ssv: &SsvSpec,
    validators: &[ValidatorOutcome],
) -> Result<Parts, OutcomeError> {
    let (expected, found) = (ceremony.v(), validators.len());
    if expected != found {
        return Err(OutcomeError::Validators { expected, found });
    }
    let mut parts = Parts { registrations: Vec::new(), proofs: Vec::new(), deposits: Vec::new() };
    for (v, outcome) in validators.iter().enumerate() {
        let items = items(ceremony, v, &outcome.public_key);
        let (expected, found) = (items.len(), outcome.signatures.len());
        if expected != found {
            return Err(OutcomeError::Signatures { validator: v, expected, found });
        }
        let (expected, found) = (ceremony.receivers().count(), outcome.sealed.len());
        if expected != found {
            return Err(OutcomeError::Shares { validator: v, expected, found });
        }
        let owner_nonce = ssv.owner_nonce(v);
        let mut operators = Vec::with_capacity(ceremony.n());
        let mut proofs = Vec::with_capacity(ceremony.n());
        for (place, (index, seat)) in ceremony.receivers().enumerate() {
            let (share_key, sealed) = (outcome.public_shares[place], &outcome.sealed[place]);
            let key = ssv.keys[index.position()].clone();
            operators.push(OperatorShare {
                id: seat.point,
                key,
                share_key,
                encrypted_share: sealed.ciphertext,
            });
            let proof = ShareProof {
                validator: outcome.public_key.to_compressed(),
                encrypted_share: sealed.ciphertext,
                share_key: share_key.to_compressed(),
                owner: owner_nonce.owner,
            };
            proofs.push(SignedProof { proof, signature: sealed.proof });
        }
        for (item, signature) in items.into_iter().zip(&outcome.signatures) {
            match item {
                Item::Deposit(message) => {
                    parts.deposits.push(SignedDeposit { message, signature: *signature })
                }
                Item::OwnerNonce(_) => parts.registrations.push(Registration {
                    owner_nonce,
                    validator: outcome.public_key,
                    signature: *signature,
                    operators: core::mem::take(&mut operators),
                }),
                Item::Registration(_) | Item::Preregistration(..) => {}
            }
        }
        parts.proofs.push(proofs);
    }
    Ok(parts)
}

/// Everything that SSV's contract, nodes and tools want of a ceremony, in its folder; nothing of
/// one that is not for SSV. The signatures are taken as they are: an outcome was verified when it
/// was made.
pub fn ssv_folder(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Vec<Artifact>, OutcomeError> {
    let Some(ssv) = ceremony.ssv() else { return Ok(Vec::new()) };
    let Parts { registrations, proofs, deposits } = parts(ceremony, ssv, validators)?;
    Ok(directory_artifacts(stamp(ceremony), ceremony.network(), &registrations, &proofs, &deposits))
}

/// The same, at its place among the outputs.
pub fn ssv_files(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Vec<Artifact>, OutcomeError> {
    let files = ssv_folder(ceremony, validators)?;
    Ok(files
        .into_iter()
        .map(|file| Artifact { name: format!("{HOME}/{}", file.name), ..file })
        .collect())
}

/// The registrations of a ceremony, to compare a file with.
pub fn registrations(
    ceremony: &Ceremony,
    validators: &[ValidatorOutcome],
) -> Result<Vec<Registration>, OutcomeError> {
    match ceremony.ssv() {
        Some(ssv) => Ok(parts(ceremony, ssv, validators)?.registrations),
        None => Ok(Vec::new()),
    }
}
