//! Reads and verifies `keyshares.json`, more strictly than any consumer: also the size of the
//! cluster, the degree of the sharing, and that no two operators have the same key.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::stamp::is_rfc3339;
use super::{Fault, KeyshareError, LARGEST, MOST_VALIDATORS, OperatorShare, Registration};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::json::{self, HexError, Object, RawValue, prefixed_hex, printable};
use crate::ethereum::ssv::{CLUSTER_SIZES, OwnerNonce, RSA_BYTES, RsaPublic, threshold};
use crate::primitives::batch::verify_signature;
use crate::primitives::curve::{G1, G1Sum, G2};
use crate::primitives::lagrange::coefficients_at_zero;

/// Versions that the readers take.
const VERSIONS: [&str; 2] = ["v1.1.0", "v1.2.0"];
/// Bytes of the signature in `sharesData`.
const SIGNATURE: usize = 96;
/// Bytes of a share key there.
const SHARE_KEY: usize = 48;
/// Most operators that are counted; a cluster has 13 at most.
const MOST_LISTED: usize = 255;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    version: RawValue,
    created_at: RawValue,
    #[serde(deserialize_with = "json::few::<_, _, MOST_VALIDATORS>")]
    shares: Vec<Object<Share>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    data: Object<Data>,
    payload: Object<Payload>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Data {
    owner_nonce: RawValue,
    owner_address: RawValue,
    public_key: RawValue,
    #[serde(deserialize_with = "json::few::<_, _, MOST_LISTED>")]
    operators: Vec<Object<Operator>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Operator {
    id: RawValue,
    operator_key: RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Payload {
    public_key: RawValue,
    #[serde(deserialize_with = "json::few::<_, _, MOST_LISTED>")]
    operator_ids: Vec<RawValue>,
    shares_data: RawValue,
}

fn text(value: &RawValue) -> Result<&str, Fault> {
    match value {
        RawValue::Text(text) => Ok(text),
        other => Err(Fault::Type { expected: "a string", found: other.kind() }),
    }
}

fn number(value: &RawValue) -> Result<u64, Fault> {
    match value {
        RawValue::Number(number) => Ok(*number),
        other => Err(Fault::Type { expected: "a whole number", found: other.kind() }),
    }
}

fn equal<T: PartialEq + ToString>(expected: &T, found: &T) -> Result<(), Fault> {
    if expected == found {
        return Ok(());
    }
    Err(Fault::Value { expected: expected.to_string(), found: printable(&found.to_string()) })
}

/// The operators' numbers and keys.
fn operators(raw: &[Object<Operator>], at: &str) -> Result<Vec<(u64, RsaPublic)>, KeyshareError> {
    if !CLUSTER_SIZES.contains(&raw.len()) {
        return Err(KeyshareError::at(at, Fault::Cluster(raw.len())));
    }
    let mut operators: Vec<(u64, RsaPublic)> = Vec::with_capacity(raw.len());
    for (i, Object(raw)) in raw.iter().enumerate() {
        let (id_field, key_field) = (format!("{at}[{i}].id"), format!("{at}[{i}].operatorKey"));
        let id = number(&raw.id).map_err(|fault| KeyshareError::at(&id_field, fault))?;
        if id == 0 {
            return Err(KeyshareError::at(&id_field, Fault::ZeroId));
        }
        if let Some((before, _)) = operators.last().filter(|(before, _)| *before >= id) {
            return Err(KeyshareError::at(&id_field, Fault::Order { before: *before, found: id }));
        }
        let key = text(&raw.operator_key).and_then(|text| Ok(RsaPublic::parse(text)?));
        let key = key.map_err(|fault| KeyshareError::at(&key_field, fault))?;
        if let Some((other, _)) = operators.iter().find(|(_, other)| *other == key) {
            return Err(KeyshareError::at(&key_field, Fault::KeyTwice(*other)));
        }
        operators.push((id, key));
    }
    Ok(operators)
}

/// The signature, and each operator's share key and ciphertext.
struct SharesData {
    signature: G2,
    shares: Vec<(G1, [u8; RSA_BYTES])>,
}

fn shares_data(text: &str, operators: usize) -> Result<SharesData, Fault> {
    let digits = text.strip_prefix("0x").ok_or(HexError::Unprefixed)?;
    let expected = SIGNATURE + operators * (SHARE_KEY + RSA_BYTES);
    if digits.len() != 2 * expected {
        return Err(HexError::Length { expected: 2 * expected, found: digits.len() }.into());
    }
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(HexError::Digit.into());
    }
    let bytes = hex::decode(digits).map_err(|_| HexError::Digit)?;
    let (signature, rest) = bytes.split_at(SIGNATURE);
    let (keys, ciphertexts) = rest.split_at(operators * SHARE_KEY);
    let signature = G2::from_compressed(signature.try_into().expect("split at its length"))?;
    let shares =
        keys.chunks(SHARE_KEY).zip(ciphertexts.chunks(RSA_BYTES)).map(|(key, ciphertext)| {
            let key = G1::from_compressed(key.try_into().expect("a chunk of its length"))?;
            Ok((key, ciphertext.try_into().expect("a chunk of its length")))
        });
    Ok(SharesData { signature, shares: shares.collect::<Result<_, Fault>>()? })
}

fn registration(raw: &Share, at: &str) -> Result<Registration, KeyshareError> {
    let (Object(data), Object(payload)) = (&raw.data, &raw.payload);
    let field = |name: &str| format!("{at}.{name}");
    fn judge<T>(field: String, verdict: Result<T, Fault>) -> Result<T, KeyshareError> {
        verdict.map_err(|fault| KeyshareError::at(field, fault))
    }
    let nonce = judge(field("data.ownerNonce"), number(&data.owner_nonce))?;
    let owner =
        text(&data.owner_address).and_then(|text| Ok(ExecutionAddress::parse_checksummed(text)?));
    let owner = judge(field("data.ownerAddress"), owner)?;
    let validator =
        text(&data.public_key).and_then(|text| Ok(G1::from_compressed(&prefixed_hex(text)?)?));
    let validator = judge(field("data.publicKey"), validator)?;
    let operators = operators(&data.operators, &field("data.operators"))?;
    let expected = format!("0x{}", hex::encode(validator.to_compressed()));
    let same = text(&payload.public_key).and_then(|text| equal(&expected, &text.to_owned()));
    judge(field("payload.publicKey"), same)?;
    if payload.operator_ids.len() != operators.len() {
        let fault = Fault::Count { expected: operators.len(), found: payload.operator_ids.len() };
        return Err(KeyshareError::at(field("payload.operatorIds"), fault));
    }
    for (i, (found, (id, _))) in payload.operator_ids.iter().zip(&operators).enumerate() {
        let same = number(found).and_then(|found| equal(id, &found));
        judge(field(&format!("payload.operatorIds[{i}]")), same)?;
    }
    let shares = text(&payload.shares_data).and_then(|text| shares_data(text, operators.len()));
    let SharesData { signature, shares } = judge(field("payload.sharesData"), shares)?;
    let operators = operators.into_iter().zip(shares);
    let operators = operators.map(|((id, key), (share_key, encrypted_share))| OperatorShare {
        id,
        key,
        share_key,
        encrypted_share,
    });
    let owner_nonce = OwnerNonce { owner, nonce };
    Ok(Registration { owner_nonce, validator, signature, operators: operators.collect() })
}

/// Reads a file: everything but signatures, the sharing, and the order of the registrations. At
/// most 8192 validators.
pub fn parse_keyshares(bytes: &[u8]) -> Result<Vec<Registration>, KeyshareError> {
    let File { version, created_at, shares } = json::parse(bytes, LARGEST)?;
    let version = text(&version).map_err(|fault| KeyshareError::at("version", fault))?;
    if !VERSIONS.contains(&version) {
        return Err(KeyshareError::at("version", Fault::Version(printable(version))));
    }
    let created =
        text(&created_at).and_then(|text| if is_rfc3339(text) { Ok(()) } else { Err(Fault::Time) });
    created.map_err(|fault| KeyshareError::at("createdAt", fault))?;
    if shares.is_empty() || shares.len() > MOST_VALIDATORS {
        let expected = shares.len().clamp(1, MOST_VALIDATORS);
        return Err(KeyshareError::at("shares", Fault::Count { expected, found: shares.len() }));
    }
    let mut seen = BTreeMap::new();
    let mut registrations = Vec::with_capacity(shares.len());
    for (i, Object(share)) in shares.iter().enumerate() {
        let at = format!("shares[{i}]");
        let registration = registration(share, &at)?;
        if let Some(first) = seen.insert(registration.validator.to_compressed(), i) {
            return Err(KeyshareError::at(
                format!("{at}.data.publicKey"),
                Fault::Duplicate(format!("shares[{first}]")),
            ));
        }
        registrations.push(registration);
    }
    Ok(registrations)
}

/// Any threshold of neighbours must combine to the validator's key: then all share keys lie on one
/// polynomial of the right degree, with the validator's key at zero.
fn check_sharing(registration: &Registration) -> Result<(), Fault> {
    let operators = &registration.operators;
    let threshold = threshold(operators.len()).ok_or(Fault::Cluster(operators.len()))?;
    for window in operators.windows(threshold) {
        let ids: Vec<u64> = window.iter().map(|operator| operator.id).collect();
        let keys: Vec<G1> = window.iter().map(|operator| operator.share_key).collect();
        let combined = coefficients_at_zero(&ids)
            .and_then(|coefficients| G1Sum::msm(&keys, &coefficients).finish());
        if combined != Some(registration.validator) {
            return Err(Fault::Sharing { first: ids[0], last: ids[threshold - 1], threshold });
        }
    }
    Ok(())
}

/// Verifies a file completely: shape, cluster, sharing, signatures, one owner and one cluster
/// throughout, nonces that follow one another. With `first`, also that it begins with this owner
/// and nonce. What is encrypted only the operators can see.
pub fn verify_keyshares(
    bytes: &[u8],
    first: Option<OwnerNonce>,
) -> Result<Vec<Registration>, KeyshareError> {
    let registrations = parse_keyshares(bytes)?;
    check_registrations(&registrations, first)?;
    Ok(registrations)
}

/// As [`verify_keyshares`], of what has been read.
pub(super) fn check_registrations(
    registrations: &[Registration],
    first: Option<OwnerNonce>,
) -> Result<(), KeyshareError> {
    let Some(front) = registrations.first() else { return Ok(()) };
    let start = first.unwrap_or(front.owner_nonce);
    for (i, registration) in registrations.iter().enumerate() {
        let judge = |field: &str, verdict: Result<(), Fault>| {
            verdict.map_err(|fault| KeyshareError::at(format!("shares[{i}].{field}"), fault))
        };
        let OwnerNonce { owner, nonce } = registration.owner_nonce;
        judge("data.ownerAddress", equal(&start.owner, &owner))?;
        judge("data.ownerNonce", equal(&start.nonce.saturating_add(i as u64), &nonce))?;
        let cluster = |registration: &Registration| {
            registration
                .operators
                .iter()
                .map(|operator| (operator.id, *operator.key.modulus()))
                .collect::<Vec<_>>()
        };
        if cluster(registration) != cluster(front) {
            let ids = |r: &Registration| {
                r.operators.iter().map(|o| o.id.to_string()).collect::<Vec<_>>().join(",")
            };
            let fault = Fault::Value {
                expected: format!("the operators of shares[0] ({}) with their keys", ids(front)),
                found: ids(registration),
            };
            judge("data.operators", Err(fault))?;
        }
        judge("payload.sharesData", check_sharing(registration))?;
        let owner_nonce = registration.owner_nonce;
        if !verify_signature(
            &registration.validator,
            &owner_nonce.message(),
            &registration.signature,
        ) {
            judge("payload.sharesData", Err(Fault::Signature(owner_nonce.text())))?;
        }
    }
    Ok(())
}
