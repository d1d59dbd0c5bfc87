//! The auditor's verdict on the transcript or evidence of each attack, and the vectors in
//! `test-vectors/attacks`.
//!
//! To write them again: `QUORATE_WRITE_VECTORS=1 cargo test --test attacks`, then look at the
//! difference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use quorate::audit::code::Code;
use quorate::audit::expectation::Expectations;
use quorate::audit::report::Report;
use quorate::audit::{audit, first_failure, render};
use serde::{Deserialize, Serialize};

/// What becomes of one file.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The row of the chapter "Attacks".
    attack: String,
    /// The first check that fails.
    first: String,
    /// Every check that fails.
    failed: Vec<String>,
    /// The operators whom it proves at fault.
    culprits: Vec<u16>,
}

type Index = BTreeMap<String, Entry>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors/attacks")
}

fn index() -> Index {
    std::fs::read(folder().join("index.json"))
        .map_or_else(|_| Index::new(), |text| serde_json::from_slice(&text).unwrap())
}

fn texts(codes: &[Code]) -> Vec<String> {
    codes.iter().map(|code| code.text().to_owned()).collect()
}

fn examine(attack: &str, bytes: &[u8]) -> (Entry, Report) {
    let report = audit(bytes, &Expectations::default());
    let first = first_failure(bytes).map_or_else(String::new, |code| code.text().to_owned());
    let culprits: Vec<u16> = report.at_fault().iter().map(|index| index.get()).collect();
    (Entry { attack: attack.to_owned(), first, failed: texts(&report.failed()), culprits }, report)
}

/// Exactly `codes` fail for the auditor, it names exactly `culprits`, and the vector `name` (the
/// attack's id, perhaps with `-` and a word) says so too.
pub(crate) fn told(name: &str, bytes: &[u8], codes: &[Code], culprits: &[u16]) -> Report {
    static WRITING: Mutex<()> = Mutex::new(());
    let attack = name.split('-').next().unwrap();
    let (entry, report) = examine(attack, bytes);
    assert_eq!(entry.failed, texts(codes), "{}", render::to_text(&report));
    assert!(report.audited().is_none() && entry.failed.contains(&entry.first));
    assert_eq!(entry.culprits, culprits, "{}", render::to_text(&report));
    let _only_one = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(folder().join(format!("{name}.quorate")), bytes).unwrap();
        let mut index = index();
        index.insert(name.to_owned(), entry.clone());
        std::fs::write(
            folder().join("index.json"),
            serde_json::to_string_pretty(&index).unwrap() + "\n",
        )
        .unwrap();
    }
    assert_eq!(
        index().get(name),
        Some(&entry),
        "the vector {name} is another; QUORATE_WRITE_VECTORS=1 writes it"
    );
    report
}

/// Nothing fails.
pub(crate) fn clean(bytes: &[u8]) {
    let report = audit(bytes, &Expectations::default());
    assert!(report.is_clean(), "{}", render::to_text(&report));
}

#[test]
fn vectors_are_as_the_index_says() {
    let index = index();
    let mut files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(files.remove("index.json"));
    assert_eq!(files, index.keys().map(|name| format!("{name}.quorate")).collect());
    for (name, expected) in index {
        let bytes = std::fs::read(folder().join(format!("{name}.quorate"))).unwrap();
        let (found, report) = examine(name.split('-').next().unwrap(), &bytes);
        assert_eq!(found, expected, "{name}: {}", render::to_text(&report));
        assert!(!report.is_clean());
    }
}
