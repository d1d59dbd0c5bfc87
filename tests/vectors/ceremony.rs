//! Whole ceremonies from published seeds: transcripts byte for byte, and intermediate digests, so
//! that another implementation learns *where* it differs. Made here (origin: self): they show that
//! nothing has changed, not that it is correct.
//!
//! To write them again: `QUORATE_WRITE_VECTORS=1 cargo test --test vectors ceremony`, then look at
//! the difference.

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::transcript::container;
use serde::{Deserialize, Serialize};

use crate::common::{Machine, TWO_VALIDATORS, honest, machines, run};

const ONE_VALIDATOR: &str = "[[validators]]\nwithdrawal = \
                             \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\ncompounding = false\n";

/// What a reader can check on the way.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Answers {
    comment: String,
    participants: usize,
    threshold: usize,
    spec_digest: String,
    session: String,
    key_generation_digest: String,
    output_digest: String,
    certificate: String,
    transcript_digest: String,
    transcript_bytes: usize,
    validator_keys: Vec<String>,
    public_shares: Vec<Vec<String>>,
    signatures: Vec<Vec<String>>,
}

fn answers(machines: &[Machine], transcript: &[u8], comment: &str) -> Answers {
    let participant = machines[0].participant();
    let ceremony = &participant.seat().ceremony;
    let outcome = participant.outcome().unwrap();
    let of = |make: &dyn Fn(&quorate::protocol::outcome::ValidatorOutcome) -> Vec<String>| {
        outcome.validators.iter().map(make).collect::<Vec<_>>()
    };
    Answers {
        comment: comment.to_owned(),
        participants: ceremony.n(),
        threshold: ceremony.t(),
        spec_digest: ceremony.digest().to_string(),
        session: participant.inbox().session().unwrap().to_string(),
        key_generation_digest: outcome.digest.to_string(),
        output_digest: outcome.outputs.to_string(),
        certificate: outcome.certificate.to_string(),
        transcript_digest: container::digest(transcript).to_string(),
        transcript_bytes: transcript.len(),
        validator_keys: outcome
            .validators
            .iter()
            .map(|v| hex::encode(v.public_key.to_compressed()))
            .collect(),
        public_shares: of(&|v| {
            v.public_shares.iter().map(|p| hex::encode(p.to_compressed())).collect()
        }),
        signatures: of(&|v| v.signatures.iter().map(|s| hex::encode(s.to_compressed())).collect()),
    }
}

#[test]
fn seeded_ceremonies_give_the_same_transcripts() {
    let cases = [
        ("2-of-3", 3, 2, ONE_VALIDATOR, "3 operators, threshold 2, one validator"),
        (
            "3-of-4",
            4,
            3,
            TWO_VALIDATORS,
            "4 operators, threshold 3, two validators: several amounts, 0x01 and 0x02, a \
             registration",
        ),
        ("5-of-7", 7, 5, TWO_VALIDATORS, "7 operators, threshold 5, two validators"),
    ];
    for (name, n, t, validators, comment) in cases {
        let mut all = machines(n, t, validators);
        run(&mut all, &mut honest);
        let participant = all[0].participant();
        let transcript =
            container::encode(&participant.seat().ceremony, participant.inbox().statements())
                .unwrap();
        let answers = answers(&all, &transcript, comment);
        assert!(audit(&transcript, &Expectations::default()).is_clean(), "{name}");
        let (json, binary) = (format!("ceremony/{name}.json"), format!("ceremony/{name}.quorate"));
        if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
            std::fs::create_dir_all(crate::support::path("ceremony")).unwrap();
            let mut text = serde_json::to_string_pretty(&answers).unwrap();
            text.push('\n');
            std::fs::write(crate::support::path(&json), text).unwrap();
            std::fs::write(crate::support::path(&binary), &transcript).unwrap();
        }
        let expected: Answers =
            serde_json::from_slice(&std::fs::read(crate::support::path(&json)).unwrap()).unwrap();
        assert_eq!(answers, expected, "{name}");
        assert_eq!(transcript, std::fs::read(crate::support::path(&binary)).unwrap(), "{name}");
    }
    let files = std::fs::read_dir(crate::support::path("ceremony")).unwrap().count();
    assert_eq!(files, 2 * cases.len(), "a file for each case, and no other");
}
