//! Encodings and aggregates on which libraries have been seen to disagree: we accept exactly what all of them accept.

use quorate::primitives::batch::verify_signature;
use quorate::primitives::curve::{DecodeError, G1, G1Sum, G2};
use quorate::primitives::hash::DST_ETHEREUM;
use serde_json::Value;

use super::{json, unhex};

fn accepted_by_all(verdicts: &Value) -> bool {
    verdicts.as_object().unwrap().values().all(|verdict| *verdict == Value::Bool(true))
}

fn key(value: &Value) -> Option<Result<G1, DecodeError>> {
    let bytes: [u8; 48] = hex::decode(value.as_str().unwrap()).unwrap().try_into().ok()?;
    Some(G1::from_compressed(&bytes))
}

fn signature(value: &Value) -> Option<Result<G2, DecodeError>> {
    let bytes: [u8; 96] = hex::decode(value.as_str().unwrap()).unwrap().try_into().ok()?;
    Some(G2::from_compressed(&bytes))
}

/// `FastAggregateVerify`: at least one key, and no key, sum or signature at infinity.
fn aggregate_verifies(keys: &[Value], sum: &Value, message: &G2) -> bool {
    let mut total = G1Sum::zero();
    for value in keys {
        match key(value) {
            Some(Ok(key)) => total.add(&key),
            _ => return false,
        }
    }
    match (total.finish(), signature(sum)) {
        (Some(key), Some(Ok(signature))) => verify_signature(&key, message, &signature),
        _ => false,
    }
}

#[test]
fn edge_cases() {
    let vectors = json("bls/edge_cases.json");
    let message = G2::hash(&unhex::<32>(&vectors["message"]), DST_ETHEREUM);
    let valid = key(&vectors["pubkeys"]["valid"]["bytes"]).unwrap().unwrap();
    let mut checked = 0;
    for (name, case) in vectors["pubkeys"].as_object().unwrap() {
        let verdict = key(&case["bytes"]);
        assert_eq!(matches!(verdict, Some(Ok(_))), accepted_by_all(&case["key_validate"]), "{name}");
        checked += 1;
    }
    for (name, case) in vectors["signatures"].as_object().unwrap() {
        let verifies = signature(&case["bytes"])
            .is_some_and(|decoded| decoded.is_ok_and(|signature| verify_signature(&valid, &message, &signature)));
        assert_eq!(verifies, accepted_by_all(&case["verify_with_valid_pubkey"]), "{name}");
        checked += 1;
    }
    for (name, case) in vectors["verify"].as_object().unwrap() {
        let verifies = aggregate_verifies(std::slice::from_ref(&case["pubkey"]), &case["signature"], &message);
        assert_eq!(verifies, accepted_by_all(&case["verdict"]), "{name}");
        checked += 1;
    }
    for (name, case) in vectors["fast_aggregate_verify"].as_object().unwrap() {
        let verifies = aggregate_verifies(case["pubkeys"].as_array().unwrap(), &case["signature"], &message);
        assert_eq!(verifies, accepted_by_all(&case["verdict"]), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 35);
}

#[test]
fn reasons_of_refusals() {
    use DecodeError::*;
    let vectors = json("bls/edge_cases.json");
    for (name, reason) in [
        ("infinity", Infinity),
        ("all_zero", NotCanonical),
        ("compression_bit_cleared", NotCanonical),
        ("x_equals_p", NotCanonical),
        ("not_on_curve", NotOnCurve),
        ("on_curve_not_in_subgroup", NotInSubgroup),
    ] {
        assert_eq!(key(&vectors["pubkeys"][name]["bytes"]), Some(Err(reason)), "{name}");
    }
    for (name, reason) in
        [("infinity", Infinity), ("compression_bit_cleared", NotCanonical), ("on_curve_not_in_subgroup", NotInSubgroup)]
    {
        assert_eq!(signature(&vectors["signatures"][name]["bytes"]), Some(Err(reason)), "{name}");
    }
}
