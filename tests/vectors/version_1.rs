//! Version 1 of a ceremony is read as before: transcripts and evidence that the program made when
//! it was the only version keep their bytes, their digests and their verdicts.

use std::collections::{BTreeMap, BTreeSet};

use quorate::audit::audit;
use quorate::audit::expectation::Expectations;
use quorate::audit::render;
use quorate::message::envelope::Statement;
use quorate::protocol::evidence::Certainty;
use quorate::protocol::judge::judge;
use quorate::spec::{Ceremony, CeremonyFile, Version};
use quorate::transcript::container::{self, Container};
use quorate::transcript::stopped::{self, Stopped};
use serde::Deserialize;

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(crate::support::path(&format!("version-1/{name}"))).unwrap()
}

/// Every byte of a complete transcript comes out again: spec, file and statements.
fn written_again(transcript: &[u8]) {
    let container = Container::parse(transcript).unwrap();
    let ceremony = container.ceremony();
    assert_eq!(ceremony.version(), Version::One);
    let file = CeremonyFile::from(&**ceremony);
    assert_eq!(file.version, 1);
    let again = Ceremony::try_from(CeremonyFile::parse_toml(&file.to_toml()).unwrap()).unwrap();
    assert_eq!(again.canonical(), ceremony.canonical());
    let open = |(round, sender)| {
        Statement::open(container.statement(round, sender).unwrap(), ceremony).unwrap()
    };
    let statements: Vec<Statement> = container.shape().slots().map(open).collect();
    assert!(container::encode(ceremony, &statements).unwrap() == transcript);
}

#[derive(Deserialize)]
struct Answers {
    spec_digest: String,
    session: String,
    key_generation_digest: String,
    output_digest: String,
    transcript_digest: String,
    validator_keys: Vec<String>,
}

#[test]
fn transcripts_have_their_values_and_are_clean() {
    for name in ["2-of-3", "3-of-4", "5-of-7"] {
        let transcript = bytes(&format!("{name}.quorate"));
        written_again(&transcript);
        let answers: Answers = serde_json::from_slice(&bytes(&format!("{name}.json"))).unwrap();
        let report = audit(&transcript, &Expectations::default());
        assert!(report.is_clean(), "{name}: {}", render::to_text(&report));
        let audited = report.audited().unwrap();
        assert_eq!(audited.ceremony().digest().to_string(), answers.spec_digest, "{name}");
        assert_eq!(audited.session().to_string(), answers.session, "{name}");
        assert_eq!(audited.dkg().to_string(), answers.key_generation_digest, "{name}");
        assert_eq!(audited.outputs().to_string(), answers.output_digest, "{name}");
        assert_eq!(audited.transcript().to_string(), answers.transcript_digest, "{name}");
        let keys = audited.validators().iter().map(|v| hex::encode(v.public_key.to_compressed()));
        assert_eq!(keys.collect::<Vec<_>>(), answers.validator_keys, "{name}");
    }
}

#[test]
fn what_was_made_for_ssv_and_obol_is_compared_as_before() {
    let (keyshares, proofs) = (bytes("ssv-keyshares.json"), bytes("ssv-proofs.json"));
    let ssv = bytes("ssv.quorate");
    written_again(&ssv);
    let report = audit(
        &ssv,
        &Expectations {
            keyshare_files: &[("keyshares.json", &keyshares)],
            proof_files: &[("proofs.json", &proofs)],
            ..Expectations::default()
        },
    );
    assert!(report.is_clean(), "{}", render::to_text(&report));
    let (lock, obol) = (bytes("obol-lock.json"), bytes("obol.quorate"));
    written_again(&obol);
    let report = audit(
        &obol,
        &Expectations { lock: Some(("cluster-lock.json", &lock)), ..Expectations::default() },
    );
    assert!(report.is_clean(), "{}", render::to_text(&report));
}

#[derive(Deserialize)]
struct Verdict {
    failed: Vec<String>,
    culprits: Vec<u16>,
}

#[test]
fn what_attacks_leave_gets_the_same_verdicts() {
    let index: BTreeMap<String, Verdict> =
        serde_json::from_slice(&bytes("evidence/index.json")).unwrap();
    let mut proven = 0;
    for (name, expected) in &index {
        let file = bytes(&format!("evidence/{name}.quorate"));
        let report = audit(&file, &Expectations::default());
        let failed: Vec<&str> = report.failed().iter().map(|code| code.text()).collect();
        assert_eq!(failed, expected.failed, "{name}");
        let at_fault: Vec<u16> = report.at_fault().iter().map(|index| index.get()).collect();
        assert_eq!(at_fault, expected.culprits, "{name}");
        let Ok(evidence) = Stopped::parse(&file) else { continue };
        assert_eq!(evidence.ceremony.version(), Version::One, "{name}");
        let culprits: BTreeSet<u16> = judge(&evidence.ceremony, &evidence.statements)
            .iter()
            .filter(|fault| fault.rule.certainty() == Certainty::Proven)
            .flat_map(|fault| fault.rule.culprits())
            .map(|culprit| culprit.get())
            .collect();
        assert_eq!(culprits.into_iter().collect::<Vec<_>>(), expected.culprits, "{name}");
        let again = stopped::encode(&evidence.ceremony, evidence.statements.iter());
        assert!(again == file, "{name}");
        proven += usize::from(!expected.culprits.is_empty());
    }
    assert_eq!((index.len(), proven), (33, 23));
}
