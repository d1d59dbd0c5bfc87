//! Compares files for SSV with a transcript: every value in them, not only those that SSV's tools
//! check.

use std::collections::{BTreeMap, BTreeSet};

use crate::ethereum::ssv::RSA_BYTES;
use crate::export::ssv::{
    KeyshareError, Registration, SignedProof, difference, parse_proofs, registrations,
    verify_keyshares, verify_proofs,
};
use crate::protocol::outcome::ValidatorOutcome;
use crate::spec::show::plural;

use super::expectation::MOST_DIFFERENCES;
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

/// A ciphertext of a validator and a public share.
type Encryption = ([u8; 48], [u8; 48], [u8; RSA_BYTES]);

/// Every encryption that these files prove, each for a seat of this ceremony: its owner has signed
/// it with the RSA key in the spec. A share has many, and each serves.
fn proven(audited: &Audited, files: &[(&str, &[u8])]) -> BTreeSet<Encryption> {
    let Some(ssv) = audited.ceremony().ssv() else { return BTreeSet::new() };
    let validators: BTreeMap<[u8; 48], &ValidatorOutcome> = audited
        .validators()
        .iter()
        .map(|validator| (validator.public_key.to_compressed(), validator))
        .collect();
    let holds = |SignedProof { proof, signature }: &SignedProof| {
        let shares = &validators.get(&proof.validator)?.public_shares;
        let place = shares.iter().position(|share| share.to_compressed() == proof.share_key)?;
        let (index, _) = audited.ceremony().receivers().nth(place)?;
        let signed = ssv.keys[index.position()].verify(&proof.root(), signature);
        (proof.owner == ssv.owner && signed).then_some((
            proof.validator,
            proof.share_key,
            proof.encrypted_share,
        ))
    };
    let all = files.iter().filter_map(|(_, bytes)| parse_proofs(bytes).ok());
    all.flatten().flatten().filter_map(|proof| holds(&proof)).collect()
}

/// What is said of values that hold, and are not the transcript's.
fn told(differing: &[String]) -> String {
    match differing.len() {
        0 => String::new(),
        count => format!(
            "; {count} not as in this transcript, but proven by the operator ({})",
            differing.iter().take(MOST_DIFFERENCES).cloned().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Every file holds key shares of this transcript; no validator is in two files. A ciphertext that
/// is not the transcript's is taken if one of `proof_files` proves it for its seat.
pub(super) fn keyshares(
    audited: &Audited,
    files: &[(&str, &[u8])],
    proof_files: &[(&str, &[u8])],
) -> Result<((), String), Stop> {
    let registered = registered(audited)?;
    let proven = proven(audited, proof_files);
    let mut seen: BTreeMap<[u8; 48], &str> = BTreeMap::new();
    let mut differing = Vec::new();
    for (name, bytes) in files {
        let refuse = |error: KeyshareError| format!("{name}: {error}");
        for (i, found) in verify_keyshares(bytes, None).map_err(refuse)?.iter().enumerate() {
            let key = found.validator.to_compressed();
            let Some((v, expected)) = registered.get(&key) else {
                return Err(format!(
                    "{name}: shares[{i}].data.publicKey: not a validator of this transcript"
                )
                .into());
            };
            if let Some((field, how)) = difference(expected, found) {
                return Err(format!("{name}: shares[{i}].{field}: {how}").into());
            }
            for (wanted, given) in expected.operators.iter().zip(&found.operators) {
                if wanted.encrypted_share == given.encrypted_share {
                    continue;
                }
                let (id, share) = (wanted.id, given.share_key.to_compressed());
                if !proven.contains(&(key, share, given.encrypted_share)) {
                    return Err(format!(
                        "{name}: shares[{i}].payload.sharesData: not the ciphertext published by \
                         operator {id}, and no proof of it is given"
                    )
                    .into());
                }
                differing.push(format!("validator {}, operator {id}", v + 1));
            }
            if let Some(other) = seen.insert(key, name) {
                return Err(format!("{other} and {name} contain the same validator").into());
            }
        }
    }
    let made = plural(registered.len(), "validator");
    Ok((
        (),
        format!(
            "{} of the {made}, every value as made by the ceremony{}",
            seen.len(),
            told(&differing)
        ),
    ))
}

/// Every file holds the proofs of this transcript's shares, each signed by its operator; no
/// validator is in two files.
pub(super) fn proofs(audited: &Audited, files: &[(&str, &[u8])]) -> Result<((), String), Stop> {
    let registered = registered(audited)?;
    let mut seen: BTreeMap<[u8; 48], &str> = BTreeMap::new();
    let mut differing = Vec::new();
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
            // An operator may have encrypted its share again: its proof says what to.
            let mut expected = expected.clone();
            for (operator, SignedProof { proof, .. }) in expected.operators.iter_mut().zip(proofs) {
                operator.encrypted_share = proof.encrypted_share;
            }
            wanted.push(expected);
            let sealed = &audited.validators()[*v].sealed;
            for (place, (proof, sealed)) in proofs.iter().zip(sealed).enumerate() {
                let same = proof.proof.encrypted_share == sealed.ciphertext
                    && proof.signature == sealed.proof;
                if !same {
                    let point = audited.ceremony().receivers().nth(place);
                    let id = point.map_or(0, |(_, seat)| seat.point);
                    differing.push(format!("validator {}, operator {id}", v + 1));
                }
            }
        }
        verify_proofs(&wanted, &all).map_err(refuse)?;
    }
    let made = plural(registered.len(), "validator");
    Ok((
        (),
        format!(
            "proofs of {} of the {made}, as the operators signed them{}",
            seen.len(),
            told(&differing)
        ),
    ))
}
