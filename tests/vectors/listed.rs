//! Every folder of `test-vectors` has a row in its README, with an origin, and every row has a
//! folder.

use std::collections::BTreeSet;

#[test]
fn folders_and_rows_are_the_same() {
    let readme = std::fs::read_to_string(crate::support::path("README.md")).unwrap();
    let mut rows = BTreeSet::new();
    for row in readme.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (name, rest) = row.split_once("` | ").unwrap();
        assert!(
            rest.starts_with("independent | ") || rest.starts_with("self | "),
            "{name}: no origin"
        );
        assert!(rows.insert(name.to_owned()), "{name}: listed twice");
    }
    let folders: BTreeSet<String> = std::fs::read_dir(crate::support::path(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir() && entry.file_name() != "generate")
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(rows, folders);
}
