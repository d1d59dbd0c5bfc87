//! Requests after a ceremony, as a program writes them that is written from the specification alone
//! (`generate/requests.py`): bytes, ids, and what follows from them.

use quorate::primitives::hash::{Tag, tagged};
use quorate::signing::live::frame::Frame;
use quorate::signing::partial::{Extent, Form};
use quorate::signing::{Kind, Purpose, Request};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "comment")]
    _comment: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    file: serde_json::Value,
    canonical: String,
    id: String,
    asked_by_2: String,
    details: Vec<String>,
    answer: usize,
    sealed: usize,
    #[serde(default)]
    consents: Vec<String>,
}

fn cases() -> Vec<(Case, Request)> {
    let text = std::fs::read(crate::support::path("requests/requests.json")).unwrap();
    let vectors: Vectors = serde_json::from_slice(&text).unwrap();
    let read = |case: Case| {
        let request = Request::from_json(case.file.to_string().as_bytes()).unwrap();
        (case, request)
    };
    vectors.cases.into_iter().map(read).collect()
}

#[test]
fn requests_have_these_bytes() {
    let all = cases();
    assert_eq!(all.len(), 12);
    let mut versions = [0; 4];
    for (case, request) in all {
        let (canonical, id) = (request.canonical(), request.id());
        assert_eq!(hex::encode(&canonical), case.canonical, "{}", case.name);
        assert_eq!(id.to_string(), case.id, "{}", case.name);
        let asked = tagged(Tag::SigningRequestSignature, &[&[id.as_bytes(), &[0, 2][..]].concat()]);
        assert_eq!(asked.to_string(), case.asked_by_2, "{}", case.name);
        versions[usize::from(canonical[5]) - 1] += 1;
        // The same file comes out again.
        let written: serde_json::Value = serde_json::from_slice(&request.to_json()).unwrap();
        assert_eq!(written, case.file, "{}", case.name);
    }
    assert_eq!(versions, [3, 4, 3, 2]);
}

#[test]
fn answers_have_these_lengths() {
    for (case, request) in cases() {
        let form = match request.items.kind() {
            Kind::KeyShares => Form::KeyShares,
            Kind::Lock => Form::Lock,
            _ => Form::Plain,
        };
        let extent = Extent { validators: request.items.len(), form };
        assert_eq!(Frame::max_bytes(4, extent), 33 + case.sealed, "{}", case.name);
        let mut open = vec![0; 33 + case.answer];
        // Frame type, and operator 1.
        (open[0], open[34]) = (2, 1);
        assert!(Frame::decode(&open, 4, extent).is_ok(), "{}", case.name);
        assert!(Frame::decode(&open[1..], 4, extent).is_err());
    }
}

#[test]
fn what_the_log_holds_of_each_and_what_is_consented_to() {
    for (case, request) in cases() {
        let mut consents = Vec::new();
        for (item, detail) in request.items.iter().zip(&case.details) {
            let expected = match item.purpose {
                Purpose::Exit(_) => [0; 32].to_vec(),
                Purpose::Deposit { withdrawal_credentials, .. } => {
                    withdrawal_credentials.as_bytes().to_vec()
                }
                Purpose::Registration(terms) => {
                    [&[0; 24][..], &terms.timestamp.to_be_bytes()].concat()
                }
                Purpose::KeyShares(consent) => {
                    consents.push(hex::encode(consent.digest()));
                    [&consent.owner.as_bytes()[..], &[0; 4], &consent.nonce.to_be_bytes()].concat()
                }
                Purpose::Lock => {
                    request.items.cluster().unwrap().definition().definition_hash.to_vec()
                }
            };
            assert_eq!(hex::encode(expected), *detail, "{}", case.name);
        }
        assert_eq!((request.items.len(), consents), (case.details.len(), case.consents));
    }
}
