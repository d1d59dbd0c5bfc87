//! Compares files for SSV with a transcript: every value in them, not only those that SSV's tools
//! check.

use std::collections::BTreeMap;

use crate::export::ssv::{
    KeyshareError, OperatorShare, Registration, parse_proofs, registrations, verify_keyshares,
    verify_proofs,
};

use super::facts::Audited;
use super::ledger::Stop;

/// What the transcript's ceremony registers, by the validators' keys; each with its position.
fn registered(audited: &Audited) -> Result<BTreeMap<[u8; 48], (usize, Registration)>, Stop> {
    if audited.ceremony().ssv().is_none() {
        return Err("the transcript's ceremony is not for SSV".to_owned().into());
    }
    let all = registrations(audited.ceremony(), audited.validators())
        .map_err(|error| error.to_string())?;
    Ok(all
        .into_iter()
        .enumerate()
        .map(|(v, registration)| (registration.validator.to_compressed(), (v, registration)))
        .collect())
}

/// The first field in which `found` is not as `expected`, and how.
fn difference(expected: &Registration, found: &Registration) -> Option<(String, String)> {
    let differs = |field: &str, expected: String, found: String| {
        (expected != found).then(|| (field.to_owned(), format!("{found} instead of {expected}")))
    };
    let (wanted, given) = (&expected.owner_nonce, &found.owner_nonce);
    let ids = |registration: &Registration| {
        registration
            .operators
            .iter()
            .map(|operator| operator.id.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let operator = |(i, (wanted, given)): (usize, (&OperatorShare, &OperatorShare))| {
        let id = wanted.id;
        let what = [
            (
                wanted.key != given.key,
                format!("data.operators[{i}].operatorKey"),
                "not the RSA key of",
            ),
            (
                wanted.share_key != given.share_key,
                "payload.sharesData".to_owned(),
                "not the public share of",
            ),
            (
                wanted.encrypted_share != given.encrypted_share,
                "payload.sharesData".to_owned(),
                "not the ciphertext published by",
            ),
        ];
        what.into_iter()
            .find(|(differs, ..)| *differs)
            .map(|(_, field, what)| (field, format!("{what} operator {id}")))
    };
    let signature = || {
        let other = expected.signature != found.signature;
        other.then(|| {
            ("payload.sharesData".to_owned(), "a different signature of the validator".to_owned())
        })
    };
    differs("data.ownerAddress", wanted.owner.to_string(), given.owner.to_string())
        .or_else(|| differs("data.ownerNonce", wanted.nonce.to_string(), given.nonce.to_string()))
        .or_else(|| differs("data.operators", ids(expected), ids(found)))
        .or_else(|| expected.operators.iter().zip(&found.operators).enumerate().find_map(operator))
        .or_else(signature)
}

/// Every file holds key shares of this transcript; no validator is in two files.
pub(super) fn keyshares(audited: &Audited, files: &[(&str, &[u8])]) -> Result<((), String), Stop> {
    let registered = registered(audited)?;
    let mut seen: BTreeMap<[u8; 48], &str> = BTreeMap::new();
    for (name, bytes) in files {
        let refuse = |error: KeyshareError| format!("{name}: {error}");
        for (i, found) in verify_keyshares(bytes, None).map_err(refuse)?.iter().enumerate() {
            let key = found.validator.to_compressed();
            let Some((_, expected)) = registered.get(&key) else {
                return Err(format!(
                    "{name}: shares[{i}].data.publicKey: not a validator of this transcript"
                )
                .into());
            };
            if let Some((field, how)) = difference(expected, found) {
                return Err(format!("{name}: shares[{i}].{field}: {how}").into());
            }
            if let Some(other) = seen.insert(key, name) {
                return Err(format!("{other} and {name} contain the same validator").into());
            }
        }
    }
    let made = registered.len();
    Ok((
        (),
        format!("{} of the {made} validators, every value as made by the ceremony", seen.len()),
    ))
}

/// Every file holds the proofs of this transcript, as the operators signed them; no validator is in
/// two files.
pub(super) fn proofs(audited: &Audited, files: &[(&str, &[u8])]) -> Result<((), String), Stop> {
    let registered = registered(audited)?;
    let mut seen: BTreeMap<[u8; 48], &str> = BTreeMap::new();
    for (name, bytes) in files {
        let refuse = |error: KeyshareError| format!("{name}: {error}");
        let all = parse_proofs(bytes).map_err(refuse)?;
        let mut wanted = Vec::with_capacity(all.len());
        for (i, proofs) in all.iter().enumerate() {
            let key = proofs.first().map(|first| first.proof.validator);
            let Some((v, expected)) = key.and_then(|key| registered.get(&key)) else {
                return Err(
                    format!("{name}: proofs[{i}]: not of a validator of this transcript").into()
                );
            };
            if let Some(other) = seen.insert(expected.validator.to_compressed(), name) {
                return Err(
                    format!("{other} and {name} contain the proofs of the same validator").into()
                );
            }
            wanted.push((*v, expected.clone()));
        }
        let (positions, wanted): (Vec<usize>, Vec<Registration>) = wanted.into_iter().unzip();
        verify_proofs(&wanted, &all).map_err(refuse)?;
        // A second signature of the same operator verifies too; the transcript has one.
        for (i, (v, proofs)) in positions.into_iter().zip(&all).enumerate() {
            let sealed = &audited.validators()[v].sealed;
            if let Some(j) = proofs
                .iter()
                .zip(sealed)
                .position(|(proof, sealed)| proof.signature != sealed.proof)
            {
                return Err(format!(
                    "{name}: proofs[{i}][{j}].signature: not the signature in the transcript"
                )
                .into());
            }
        }
    }
    let made = registered.len();
    Ok((
        (),
        format!("proofs of {} of the {made} validators, as the operators signed them", seen.len()),
    ))
}
