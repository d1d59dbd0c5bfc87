//! In what a registration differs from the one that is expected.

use super::{OperatorShare, Registration};

/// The first field in which `found` is not as `expected`, and how; but for ciphertexts.
pub(crate) fn difference(
    expected: &Registration,
    found: &Registration,
) -> Option<(String, String)> {
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
