//! The Ethereum BLS suite, and encodings on which libraries disagree.
//!
//! Our decoders are stricter than the suite in one point: infinity is never decoded, as a key or as
//! a signature. Where the suite expects it to be (see [`REFUSED_HERE`]), the refusal is asserted by
//! its variant.

use std::collections::BTreeMap;

use quorate::primitives::curve::{
    DecodeError, G1, G1Sum, G2, G2Sum, SecretScalar, pairing_product_is_one,
};
use quorate::primitives::hash::DST_ETHEREUM;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::support::{array, bytes, names, read};

/// What became of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Decoded, and where there is a signature, it holds.
    Holds,
    /// Not the length of the encoding.
    Length,
    /// Refused by a decoder.
    Refused(DecodeError),
    /// No keys or no signatures: nothing to check.
    Nothing,
    /// Everything decodes; the pairing equation does not hold.
    Equation,
}
use Verdict::*;

/// The suite expects infinity to decode; here it never does.
const REFUSED_HERE: [&str; 3] = [
    "aggregate/aggregate_infinity_signature",
    "deserialization_G1/deserialization_succeeds_infinity_with_true_b_flag",
    "deserialization_G2/deserialization_succeeds_infinity_with_true_b_flag",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<I, O> {
    input: I,
    output: O,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInput {
    privkey: String,
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyInput {
    pubkey: String,
    message: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FastInput {
    pubkeys: Vec<String>,
    message: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManyInput {
    pubkeys: Vec<String>,
    messages: Vec<String>,
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyInput {
    pubkey: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureInput {
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HashInput {
    msg: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coordinates {
    x: String,
    y: String,
}

/// The cases of one kind, each with its name.
type Suite<I, O> = Vec<(String, Case<I, O>)>;

fn suite<I: DeserializeOwned, O: DeserializeOwned>(kind: &str) -> Suite<I, O> {
    let folder = format!("ethereum-bls/{kind}");
    names(&folder)
        .into_iter()
        .map(|name| (format!("{kind}/{name}"), read(&format!("{folder}/{name}.json"))))
        .collect()
}

fn key(text: &str) -> Result<G1, Verdict> {
    let bytes: [u8; 48] = bytes(text).try_into().map_err(|_| Length)?;
    G1::from_compressed(&bytes).map_err(Refused)
}

fn signature(text: &str) -> Result<G2, Verdict> {
    let bytes: [u8; 96] = bytes(text).try_into().map_err(|_| Length)?;
    G2::from_compressed(&bytes).map_err(Refused)
}

/// `Π e(key_i, H(message_i)) = e(G, signature)`.
fn equation(pairs: &[(G1, Vec<u8>)], signature: G2) -> Result<(), Verdict> {
    let minus_g = G1Sum::from(G1::generator()).negated().finish().unwrap();
    let mut product: Vec<(G1, G2)> =
        pairs.iter().map(|(key, message)| (*key, G2::hash(message, DST_ETHEREUM))).collect();
    product.push((minus_g, signature));
    pairing_product_is_one(&product).then_some(()).ok_or(Equation)
}

/// Keys first, then the signature: the order in which a reason is found.
fn verify(keys: &[String], messages: &[String], claimed: &str) -> Result<(), Verdict> {
    let keys = keys.iter().map(|text| key(text)).collect::<Result<Vec<_>, _>>()?;
    let claimed = signature(claimed)?;
    if keys.is_empty() {
        return Err(Nothing);
    }
    let pairs: Vec<_> = keys.into_iter().zip(messages.iter().map(|text| bytes(text))).collect();
    equation(&pairs, claimed)
}

fn fast_verify(keys: &[String], message: &str, claimed: &str) -> Result<(), Verdict> {
    let keys = keys.iter().map(|text| key(text)).collect::<Result<Vec<_>, _>>()?;
    let claimed = signature(claimed)?;
    let mut total = G1Sum::zero();
    keys.iter().for_each(|key| total.add(key));
    let total = total.finish().ok_or(if keys.is_empty() {
        Nothing
    } else {
        Refused(DecodeError::Infinity)
    })?;
    equation(&[(total, bytes(message))], claimed)
}

fn verdict<T>(result: &Result<T, Verdict>) -> Verdict {
    result.as_ref().err().copied().unwrap_or(Holds)
}

/// Asserts that the suite's own verdict and ours are the same, but for [`REFUSED_HERE`]; that ours
/// has the expected reason; and how many vectors ran.
fn check(results: &[(String, bool, Verdict)], expected: impl Fn(&str) -> Verdict, count: usize) {
    for (name, holds, got) in results {
        let refused_here = REFUSED_HERE.contains(&name.as_str());
        assert_eq!(*got == Holds, *holds && !refused_here, "{name}: {got:?}");
        let file = name.split('/').next_back().unwrap();
        assert_eq!(*got, expected(file), "{name}");
    }
    assert_eq!(results.len(), count, "vectors run");
}

#[test]
fn sign() {
    let cases: Suite<SignInput, Option<String>> = suite("sign");
    for (name, case) in &cases {
        let secret = SecretScalar::from_be_bytes(&array(&case.input.privkey)).unwrap();
        let signed = secret.sign(&G2::hash(&bytes(&case.input.message), DST_ETHEREUM));
        assert_eq!(
            signed.map(|point| format!("0x{}", hex::encode(point.to_compressed()))),
            case.output,
            "{name}"
        );
        assert_eq!(secret.is_zero(), case.output.is_none(), "{name}");
    }
    assert_eq!(cases.len(), 10, "vectors run");
}

/// A signature with its last bytes overwritten is off the curve, or on it and outside the subgroup
/// (which of the two: py_ecc).
fn tampered(name: &str) -> Verdict {
    let on_curve = [
        "2ea479adf8c40300",
        "2f09d443ab8a3ac2",
        "6b3b17f6962a490c",
        "6eeb7c52dfd9baf0",
        "8761a0b7e920c323",
    ];
    match on_curve.iter().any(|end| name.ends_with(end)) {
        true => Refused(DecodeError::NotInSubgroup),
        false => Refused(DecodeError::NotOnCurve),
    }
}

#[test]
fn verify_one() {
    let cases: Suite<VerifyInput, bool> = suite("verify");
    let results: Vec<_> = cases
        .into_iter()
        .map(|(name, Case { input, output })| {
            let got = verify(&[input.pubkey], &[input.message], &input.signature);
            (name, output, verdict(&got))
        })
        .collect();
    let expected = |name: &str| match name {
        "verify_infinity_pubkey_and_infinity_signature" => Refused(DecodeError::Infinity),
        _ if name.starts_with("verify_tampered_signature") => tampered(name),
        _ if name.starts_with("verify_wrong_pubkey") => Equation,
        _ => Holds,
    };
    check(&results, expected, 29);
}

#[test]
fn aggregate() {
    let cases: Suite<Vec<String>, Option<String>> = suite("aggregate");
    let results: Vec<_> = cases
        .into_iter()
        .map(|(name, Case { input, output })| {
            let sum =
                input.iter().map(|text| signature(text)).collect::<Result<Vec<_>, _>>().and_then(
                    |points| {
                        let mut sum = G2Sum::zero();
                        points.iter().for_each(|point| sum.add(point));
                        sum.finish().ok_or(Nothing)
                    },
                );
            if let Ok(sum) = &sum {
                assert_eq!(
                    output.as_deref().map(bytes),
                    Some(sum.to_compressed().to_vec()),
                    "{name}"
                );
            }
            (name, output.is_some(), verdict(&sum))
        })
        .collect();
    let expected = |name: &str| match name {
        "aggregate_infinity_signature" => Refused(DecodeError::Infinity),
        "aggregate_na_signatures" => Nothing,
        _ => Holds,
    };
    check(&results, expected, 6);
}

#[test]
fn fast_aggregate_verify() {
    let cases: Suite<FastInput, bool> = suite("fast_aggregate_verify");
    let results: Vec<_> = cases
        .into_iter()
        .map(|(name, Case { input, output })| {
            let got = fast_verify(&input.pubkeys, &input.message, &input.signature);
            (name, output, verdict(&got))
        })
        .collect();
    let expected = |name: &str| match name {
        "fast_aggregate_verify_infinity_pubkey" => Refused(DecodeError::Infinity),
        "fast_aggregate_verify_na_pubkeys_and_infinity_signature" => Refused(DecodeError::Infinity),
        "fast_aggregate_verify_na_pubkeys_and_na_signature" => Refused(DecodeError::NotCanonical),
        _ if name.starts_with("fast_aggregate_verify_tampered") => tampered(name),
        _ if name.starts_with("fast_aggregate_verify_extra_pubkey") => Equation,
        _ => Holds,
    };
    check(&results, expected, 12);
}

#[test]
fn aggregate_verify() {
    let cases: Suite<ManyInput, bool> = suite("aggregate_verify");
    let results: Vec<_> = cases
        .into_iter()
        .map(|(name, Case { input, output })| {
            assert_eq!(input.pubkeys.len(), input.messages.len(), "{name}");
            let got = verify(&input.pubkeys, &input.messages, &input.signature);
            (name, output, verdict(&got))
        })
        .collect();
    let expected = |name: &str| match name {
        "aggregate_verify_infinity_pubkey" => Refused(DecodeError::Infinity),
        "aggregate_verify_na_pubkeys_and_infinity_signature" => Refused(DecodeError::Infinity),
        "aggregate_verify_na_pubkeys_and_na_signature" => Refused(DecodeError::NotCanonical),
        "aggregate_verify_tampered_signature" => Length,
        _ => Holds,
    };
    check(&results, expected, 5);
}

/// The reason for each case of the suite's decoding vectors. With the infinity flag set everything
/// is [`DecodeError::Infinity`] here, whatever the rest holds: infinity is refused in any spelling.
fn decoding(name: &str) -> Verdict {
    match name.strip_prefix("deserialization_").unwrap() {
        "succeeds_correct_point" => Holds,
        "succeeds_infinity_with_true_b_flag"
        | "fails_infinity_with_true_b_flag"
        | "fails_with_b_flag_and_a_flag_true"
        | "fails_with_b_flag_and_x_nonzero" => Refused(DecodeError::Infinity),
        "fails_too_few_bytes" | "fails_too_many_bytes" => Length,
        "fails_not_in_G1" | "fails_not_in_G2" => Refused(DecodeError::NotInSubgroup),
        "fails_not_in_curve" => Refused(DecodeError::NotOnCurve),
        "fails_with_wrong_c_flag"
        | "fails_x_equal_to_modulus"
        | "fails_x_greater_than_modulus"
        | "fails_xim_equal_to_modulus"
        | "fails_xim_greater_than_modulus"
        | "fails_xre_equal_to_modulus"
        | "fails_xre_greater_than_modulus" => Refused(DecodeError::NotCanonical),
        other => panic!("no expectation for {other}"),
    }
}

#[test]
fn decode_g1() {
    let cases: Suite<KeyInput, bool> = suite("deserialization_G1");
    let results: Vec<_> = cases
        .into_iter()
        .map(|(name, case)| (name, case.output, verdict(&key(&case.input.pubkey))))
        .collect();
    // x = 0 gives (0, 2), a point of order 3.
    let expected = |name: &str| match name {
        "deserialization_fails_infinity_with_false_b_flag" => Refused(DecodeError::NotInSubgroup),
        _ => decoding(name),
    };
    check(&results, expected, 13);
}

#[test]
fn decode_g2() {
    let cases: Suite<SignatureInput, bool> = suite("deserialization_G2");
    let results: Vec<_> = cases
        .into_iter()
        .map(|(name, case)| (name, case.output, verdict(&signature(&case.input.signature))))
        .collect();
    let expected = |name: &str| match name {
        "deserialization_fails_infinity_with_false_b_flag" => Refused(DecodeError::NotOnCurve),
        _ => decoding(name),
    };
    check(&results, expected, 15);
}

/// The suite's copy of RFC 9380 J.10.1 (the same points are checked from the RFC in
/// `hash_to_curve.rs`).
#[test]
fn hash_to_g2() {
    let cases: Suite<HashInput, Coordinates> = suite("hash_to_G2");
    for (name, case) in &cases {
        let (c0, c1) = case.output.x.split_once(',').unwrap();
        let mut got = G2::hash(
            case.input.msg.as_bytes(),
            b"QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_",
        )
        .to_compressed();
        assert_eq!(
            case.output.y.split(',').map(|c| bytes(c).len()).collect::<Vec<_>>(),
            [48, 48],
            "{name}"
        );
        got[0] &= 0x1f;
        assert_eq!(got.to_vec(), [bytes(c1), bytes(c0)].concat(), "{name}");
    }
    assert_eq!(cases.len(), 4, "vectors run");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeCases {
    origin: String,
    ciphersuite: String,
    message: String,
    secret_keys: BTreeMap<String, String>,
    pubkeys: BTreeMap<String, EdgeKey>,
    signatures: BTreeMap<String, EdgeSignature>,
    verify: BTreeMap<String, EdgeVerify>,
    fast_aggregate_verify: BTreeMap<String, EdgeFast>,
}

/// The verdicts of the libraries are a record: where they differ there is nothing to agree with.
type Verdicts = BTreeMap<String, serde_json::Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeKey {
    bytes: String,
    key_validate: Verdicts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeSignature {
    bytes: String,
    verify_with_valid_pubkey: Verdicts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeVerify {
    pubkey: String,
    signature: String,
    verdict: Verdicts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeFast {
    pubkeys: Vec<String>,
    signature: String,
    verdict: Verdicts,
}

/// We accept what all libraries accept, and nothing that any of them refuses.
fn agrees_with_the_strictest(name: &str, got: Verdict, verdicts: &Verdicts) {
    let all_accept = verdicts.values().all(|verdict| *verdict == serde_json::Value::Bool(true));
    assert_eq!(got == Holds, all_accept, "{name}: {got:?}, others {verdicts:?}");
}

#[test]
fn encodings_on_which_libraries_disagree() {
    let file: EdgeCases = read("bls-edge-cases/edge_cases.json");
    assert!(file.origin.starts_with("independent"));
    assert_eq!(file.ciphersuite.as_bytes(), DST_ETHEREUM);
    let mut ran = 0;
    let mut case = |name: &str, got: Verdict, verdicts: &Verdicts, expected: Verdict| {
        agrees_with_the_strictest(name, got, verdicts);
        assert_eq!(got, expected, "{name}");
        ran += 1;
    };

    let a = SecretScalar::from_be_bytes(&array(&file.secret_keys["a"])).unwrap();
    assert_eq!(
        a.base_mult().unwrap().to_compressed().to_vec(),
        bytes(&file.pubkeys["valid"].bytes)
    );

    for (name, key_case) in &file.pubkeys {
        let expected = match name.as_str() {
            "valid" | "negated" => Holds,
            "too_short" | "too_long" | "uncompressed_96" => Length,
            "infinity"
            | "infinity_with_sign_bit"
            | "infinity_flag_but_nonzero_x"
            | "infinity_bit_set_on_valid" => Refused(DecodeError::Infinity),
            "all_zero" | "compression_bit_cleared" | "x_equals_p" => {
                Refused(DecodeError::NotCanonical)
            }
            "not_on_curve" => Refused(DecodeError::NotOnCurve),
            "on_curve_not_in_subgroup" => Refused(DecodeError::NotInSubgroup),
            other => panic!("no expectation for {other}"),
        };
        case(name, verdict(&key(&key_case.bytes)), &key_case.key_validate, expected);
    }

    let valid = [file.pubkeys["valid"].bytes.clone()];
    let message = [file.message.clone()];
    for (name, signed) in &file.signatures {
        let expected = match name.as_str() {
            "valid" => Holds,
            "too_short" | "too_long" => Length,
            "infinity" => Refused(DecodeError::Infinity),
            "all_zero" | "compression_bit_cleared" => Refused(DecodeError::NotCanonical),
            "on_curve_not_in_subgroup" | "bit_flip" => Refused(DecodeError::NotInSubgroup),
            "negated" | "signature_of_other_key" => Equation,
            other => panic!("no expectation for {other}"),
        };
        let got = verdict(&verify(&valid, &message, &signed.bytes));
        case(name, got, &signed.verify_with_valid_pubkey, expected);
    }

    for (name, pair) in &file.verify {
        let got = verdict(&verify(core::slice::from_ref(&pair.pubkey), &message, &pair.signature));
        case(name, got, &pair.verdict, Refused(DecodeError::Infinity));
    }

    for (name, fast) in &file.fast_aggregate_verify {
        let expected = match name.as_str() {
            "two_valid" | "same_key_twice" | "order_swapped" => Holds,
            "missing_one" => Equation,
            "empty_any" => Nothing,
            "empty_infinity"
            | "with_infinity_pubkey"
            | "key_plus_its_negation_infinity_signature" => Refused(DecodeError::Infinity),
            other => panic!("no expectation for {other}"),
        };
        case(
            name,
            verdict(&fast_verify(&fast.pubkeys, &file.message, &fast.signature)),
            &fast.verdict,
            expected,
        );
    }
    assert_eq!(ran, 35, "vectors run");
}
