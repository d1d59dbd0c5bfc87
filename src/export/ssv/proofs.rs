//! `proofs.json`: the signed proof of each operator about its encrypted share.

use serde::{Deserialize, Serialize};

use super::{Fault, KeyshareError, LARGEST, MOST_VALIDATORS, Registration};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::json::{self, Object, RawValue, bare_hex};
use crate::ethereum::ssv::{RSA_BYTES, ShareProof};

/// Most operators of a cluster.
const MOST_OPERATORS: usize = 13;

/// A proof with its signature, which is not yet known to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedProof {
    /// What is signed.
    pub proof: ShareProof,
    /// RSASSA-PSS by the operator.
    pub signature: [u8; RSA_BYTES],
}

#[derive(Serialize)]
struct Written {
    proof: WrittenProof,
    signature: String,
}

#[derive(Serialize)]
struct WrittenProof {
    validator: String,
    encrypted_share: String,
    share_pub: String,
    owner: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    proof: Object<ReadProof>,
    signature: RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadProof {
    validator: RawValue,
    encrypted_share: RawValue,
    share_pub: RawValue,
    owner: RawValue,
}

/// The file of one validator, or of several: one line, with a line end. Without prefixes, the owner
/// in lower case.
pub fn write_proofs(proofs: &[Vec<SignedProof>], aggregate: bool) -> Vec<u8> {
    let one = |signed: &SignedProof| Written {
        proof: WrittenProof {
            validator: hex::encode(signed.proof.validator),
            encrypted_share: hex::encode(signed.proof.encrypted_share),
            share_pub: hex::encode(signed.proof.share_key),
            owner: hex::encode(signed.proof.owner.as_bytes()),
        },
        signature: hex::encode(signed.signature),
    };
    let all: Vec<Vec<Written>> =
        proofs.iter().map(|proofs| proofs.iter().map(one).collect()).collect();
    let written = match all.as_slice() {
        [only] if !aggregate => serde_json::to_vec(only),
        all => serde_json::to_vec(all),
    };
    let mut bytes = written.expect("texts are always JSON");
    bytes.push(b'\n');
    bytes
}

fn hexadecimal<const N: usize>(value: &RawValue) -> Result<[u8; N], Fault> {
    match value {
        RawValue::Text(text) => Ok(bare_hex(text)?),
        other => Err(Fault::Type { expected: "a string", found: other.kind() }),
    }
}

fn signed(Object(raw): &Object<Read>, at: &str) -> Result<SignedProof, KeyshareError> {
    fn judge<T>(at: &str, field: &str, verdict: Result<T, Fault>) -> Result<T, KeyshareError> {
        verdict.map_err(|fault| KeyshareError::at(format!("{at}.{field}"), fault))
    }
    let Object(proof) = &raw.proof;
    let owner =
        hexadecimal(&proof.owner).and_then(|bytes| Ok(ExecutionAddress::from_bytes(bytes)?));
    Ok(SignedProof {
        proof: ShareProof {
            validator: judge(at, "proof.validator", hexadecimal(&proof.validator))?,
            encrypted_share: judge(
                at,
                "proof.encrypted_share",
                hexadecimal(&proof.encrypted_share),
            )?,
            share_key: judge(at, "proof.share_pub", hexadecimal(&proof.share_pub))?,
            owner: judge(at, "proof.owner", owner)?,
        },
        signature: judge(at, "signature", hexadecimal(&raw.signature))?,
    })
}

/// Reads the proofs of one validator (a list), or of several (a list of lists).
pub fn parse_proofs(bytes: &[u8]) -> Result<Vec<Vec<SignedProof>>, KeyshareError> {
    let nested = bytes.iter().filter(|b| !b.is_ascii_whitespace()).nth(1) == Some(&b'[');
    let raw: Vec<Vec<Object<Read>>> = if nested {
        json::parse_list(bytes, LARGEST, MOST_VALIDATORS)?
    } else {
        vec![json::parse_list(bytes, LARGEST, MOST_OPERATORS)?]
    };
    let one = |validator: usize, raw: &[Object<Read>]| {
        let at = |i: usize| if nested { format!("[{validator}][{i}]") } else { format!("[{i}]") };
        raw.iter().enumerate().map(|(i, raw)| signed(raw, &at(i))).collect()
    };
    raw.iter().enumerate().map(|(validator, raw)| one(validator, raw)).collect()
}

/// Checks that the proofs are those of the registrations, in order, and every signature.
pub fn verify_proofs(
    registrations: &[Registration],
    proofs: &[Vec<SignedProof>],
) -> Result<(), KeyshareError> {
    if proofs.len() != registrations.len() {
        let fault = Fault::Count { expected: registrations.len(), found: proofs.len() };
        return Err(KeyshareError::at("proofs", fault));
    }
    for (v, (registration, proofs)) in registrations.iter().zip(proofs).enumerate() {
        if proofs.len() != registration.operators.len() {
            let fault =
                Fault::Count { expected: registration.operators.len(), found: proofs.len() };
            return Err(KeyshareError::at(format!("proofs[{v}]"), fault));
        }
        for (i, (operator, SignedProof { proof, signature })) in
            registration.operators.iter().zip(proofs).enumerate()
        {
            let differ = |field: &str, expected: &[u8], found: &[u8]| {
                let fault = Fault::Value { expected: abridged(expected), found: abridged(found) };
                if expected == found {
                    Ok(())
                } else {
                    Err(KeyshareError::at(format!("proofs[{v}][{i}].{field}"), fault))
                }
            };
            differ("proof.validator", &registration.validator.to_compressed(), &proof.validator)?;
            differ(
                "proof.owner",
                registration.owner_nonce.owner.as_bytes(),
                proof.owner.as_bytes(),
            )?;
            differ("proof.encrypted_share", &operator.encrypted_share, &proof.encrypted_share)?;
            differ("proof.share_pub", &operator.share_key.to_compressed(), &proof.share_key)?;
            if !operator.key.verify(&proof.root(), signature) {
                let field = format!("proofs[{v}][{i}].signature");
                return Err(KeyshareError::at(field, Fault::RsaSignature(operator.id)));
            }
        }
    }
    Ok(())
}

/// Enough of a long value to tell it from another.
fn abridged(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=48 => hex::encode(bytes),
        _ => format!("{}...", hex::encode(&bytes[..32])),
    }
}
