//! Runs every file in `cases`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::case::Case;

/// How many files there are.
const CASES: usize = 438;
/// How many of them are about something that is refused.
const REFUSED: usize = 351;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/cases");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_case() {
    let cases: Vec<(PathBuf, Case)> =
        files().into_iter().map(|path| (path.clone(), Case::read(&path))).collect();
    let mut failed = Vec::new();
    for (path, case) in &cases {
        let played = std::panic::catch_unwind(|| case.play());
        if played.is_err() {
            failed.push(format!("{}: {}", path.file_name().unwrap().display(), case.about));
        }
    }
    assert!(failed.is_empty(), "these failed, as said above:\n{}", failed.join("\n"));
    assert_eq!(cases.len(), CASES);
    assert_eq!(cases.iter().filter(|(_, case)| case.is_refused()).count(), REFUSED);
    let abouts: BTreeSet<&str> = cases.iter().map(|(_, case)| case.about.as_str()).collect();
    assert_eq!(abouts.len(), CASES, "each shows something else");
}
