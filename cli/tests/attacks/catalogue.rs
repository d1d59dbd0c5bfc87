//! Checks that every row of the chapter "Attacks" is tested or pending, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rows whose attack cannot be made yet, because what it attacks does not exist.
const PENDING: [(&str, &str); 3] = [
    (
        "A4",
        "there is one implementation of the verifier so far; its two ways agree: \
         tests/audit/exhaustive.rs",
    ),
    ("IM2", "nothing can prevent it: chapter 17 and every report say so"),
    ("RS5", "nothing can prevent it: chapter 13 and every report say so"),
];

struct Row {
    id: String,
    attack: String,
    outcome: String,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The rows of the chapter, in its order.
fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("ceremony-specs/10-attacks.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [id, attack, outcome] = cells[..] else { panic!("not three cells: {line}") };
        (id != "id").then(|| Row {
            id: id.to_owned(),
            attack: attack.to_owned(),
            outcome: outcome.to_owned(),
        })
    };
    text.lines().filter(|line| !line.starts_with("|--")).filter_map(row).collect()
}

/// Where tests of attacks may stand: here, beside the simulated disk, with the reshares and the
/// requests in memory, and with the boards.
fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let folders = [
        "cli/tests/attacks",
        "cli/tests/anywhere",
        "operator/src/store/tests",
        "tests/ceremony",
        "tests/signing",
    ];
    for folder in folders {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Every `#[test] fn attack_<id>_<rule>()`: id in lower case, and where it stands.
fn tests() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut test = false;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("fn attack_") {
                let name = name.split('(').next().unwrap();
                let place = path.strip_prefix(root()).unwrap().display();
                let Some((id, _rule)) = name.split_once('_').filter(|(_, rule)| rule.len() > 3)
                else {
                    panic!("{place}: attack_{name} does not say which rule or attack it is about");
                };
                assert!(test, "{place}: attack_{name} is no test");
                found.entry(id.to_owned()).or_default().push(format!("{place}: attack_{name}"));
            }
            test = line == "#[test]" || (test && line.starts_with("#["));
        }
    }
    found
}

#[test]
fn every_attack_is_tested_or_pending() {
    let (rows, tests) = (rows(), tests());
    assert_eq!(rows.len(), 140);
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "an id stands twice");
    let pending: BTreeMap<&str, &str> = PENDING.into_iter().collect();
    assert_eq!(pending.len(), PENDING.len());
    for row in &rows {
        let tested = tests.contains_key(&row.id.to_lowercase());
        assert!(
            tested != pending.contains_key(row.id.as_str()),
            "{} is either tested or pending",
            row.id
        );
        assert!(!row.attack.is_empty() && !row.outcome.is_empty());
    }
    assert!(pending.keys().all(|id| ids.contains(id)), "a pending id is no row");
    for (id, places) in &tests {
        assert!(
            rows.iter().any(|row| row.id.to_lowercase() == *id),
            "attack_{id} is no row of the chapter"
        );
        assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len());
    }
}

#[test]
fn table() {
    let (tests, pending) = (tests(), PENDING.into_iter().collect::<BTreeMap<_, _>>());
    let mut tested = 0;
    println!("{:<6} {:<72} {:<72} test", "id", "attack", "outcome");
    for row in rows() {
        let test = match (tests.get(&row.id.to_lowercase()), pending.get(row.id.as_str())) {
            (Some(places), _) => {
                tested += 1;
                places.join(", ")
            }
            (None, Some(reason)) => format!("pending: {reason}"),
            (None, None) => "NONE".to_owned(),
        };
        println!("{:<6} {:<72} {:<72} {test}", row.id, row.attack, row.outcome);
    }
    println!("{tested} of {} tested, {} pending", rows().len(), pending.len());
}
