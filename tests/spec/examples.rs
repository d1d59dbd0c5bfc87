//! The examples in `ceremony-specs/examples/`: every file is a valid ceremony with the digest and
//! the words in the README there, and its cards follow from the published labels.

use std::collections::BTreeMap;
use std::path::PathBuf;

use quorate::identity::{Operator, OperatorCard, OperatorName};
use quorate::primitives::hash::{Tag, tagged};
use quorate::primitives::secret::Secret32;
use quorate::spec::canonical::{fingerprint, parse_fingerprint};
use quorate::spec::{Ceremony, CeremonyFile, show};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("ceremony-specs/examples")
}

/// Every example but the README, by name.
fn examples() -> BTreeMap<String, Ceremony> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    // `obol` has no ceremony files.
    let files = entries.filter(|path| path.is_file() && path.file_name().unwrap() != "README.md");
    let examples = files.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let file = match path.extension().unwrap().to_str().unwrap() {
            "json" => CeremonyFile::parse_json(&text),
            "toml" => CeremonyFile::parse_toml(&text),
            other => panic!("{name}: no reader for {other}"),
        };
        let ceremony =
            file.and_then(Ceremony::try_from).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, ceremony)
    });
    examples.collect()
}

#[test]
fn every_file_is_a_ceremony_with_the_digest_in_the_table() {
    let examples = examples();
    assert_eq!(examples.len(), 5);
    let row = |(name, ceremony): (&String, &Ceremony)| {
        let digest = ceremony.digest();
        format!("| `{name}` | `{digest}` | {} |", fingerprint(&digest).join(" "))
    };
    let expected: Vec<String> = examples.iter().map(row).collect();
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let found: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(found, expected, "the table should be:\n{}\n", expected.join("\n"));
}

#[test]
fn toml_and_json_say_the_same() {
    let examples = examples();
    let (toml, json) = (&examples["hoodi-3-of-4.toml"], &examples["hoodi-3-of-4.json"]);
    assert_eq!(toml.canonical(), json.canonical());
}

/// To write the cards again: `QUORATE_WRITE_VECTORS=1 cargo test --test spec cards_come`, then the
/// table as the test above says.
#[test]
fn cards_come_from_their_labels() {
    if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
        write_cards();
    }
    for (name, ceremony) in examples() {
        for (_, seat) in ceremony.roster().iter() {
            let operator = seat.card.name.as_str();
            assert_eq!(labelled(operator).card(), seat.card, "{name}: {operator}");
        }
    }
}

fn labelled(name: &str) -> Operator {
    let mut entropy = tagged(Tag::BatchSeed, &[b"example", name.as_bytes()]).0;
    Operator::generate(OperatorName::parse(name).unwrap(), Secret32::new(&mut entropy))
}

fn write_cards() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let cards = text.split('"').filter_map(|word| OperatorCard::parse(word).ok());
        let new = cards.fold(text.clone(), |text, card| {
            text.replace(&card.encode(), &labelled(card.name.as_str()).card().encode())
        });
        std::fs::write(&path, new).unwrap();
    }
}

#[test]
fn examples_survive_every_form() {
    for (name, ceremony) in examples() {
        assert_eq!(
            Ceremony::from_canonical(ceremony.canonical()).unwrap().digest(),
            ceremony.digest(),
            "{name}"
        );
        let written = CeremonyFile::from(&ceremony).to_toml();
        let again = Ceremony::try_from(CeremonyFile::parse_toml(&written).unwrap()).unwrap();
        assert_eq!(again.canonical(), ceremony.canonical(), "{name}");
        let words = fingerprint(&ceremony.digest());
        assert_eq!(parse_fingerprint(&words.join(" ")).unwrap(), words, "{name}");
        let shown = show::describe(&ceremony);
        assert!(
            shown.ends_with(&format!("{}\n", show::words(&ceremony))) && shown.is_ascii(),
            "{name}"
        );
        // Their addresses are placeholders, which whoever copies one is told.
        let mut warnings = shown.lines().filter(|line| line.contains("WARNING"));
        assert!(warnings.all(|line| line.contains("as in a placeholder")), "{name}: {shown}");
    }
}
