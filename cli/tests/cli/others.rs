//! Files of other software, each with the verdict of its makers: ours is the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use quorate::ethereum::keystore::{Password, TextKeystore};
use quorate::primitives::secret::SecretBytes;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::files::private;
use crate::support::program::quorate;
use crate::support::repository;

/// Fewest files that there must be.
const FEWEST: usize = 49;

#[test]
fn every_file_has_the_verdict_of_its_makers() {
    let others = repository("test-vectors/others");
    let table: Value =
        serde_json::from_slice(&fs::read(others.join("verdicts.json")).unwrap()).unwrap();
    let rows = table.as_array().unwrap();
    assert!(rows.len() >= FEWEST, "{}", rows.len());
    let here = TempDir::new().unwrap();
    let differing: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let found = accepted(&others, row, here.path());
            // With its reason, where ours is meant to be another one.
            let expected = match row["ours"].as_str() {
                Some(ours) => ours == "accepted",
                None => row["accepted"].as_bool().unwrap(),
            };
            (found != Ok(expected)).then(|| format!("{}: {found:?}", row["file"]))
        })
        .collect();
    assert_eq!(differing, [""; 0]);
    // No file is without a verdict.
    let named: BTreeSet<&str> = rows.iter().map(|row| row["file"].as_str().unwrap()).collect();
    let mut folders = vec![others.clone()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&others).unwrap().to_str().unwrap();
            match path.extension().and_then(|end| end.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("json") if name != "verdicts.json" => assert!(named.contains(name), "{name}"),
                _ => {}
            }
        }
    }
}

/// Whether the program takes the file: `Err` if it says neither yes nor no.
fn accepted(others: &Path, row: &Value, here: &Path) -> Result<bool, i32> {
    let text = |field: &str| row[field].as_str().unwrap_or_else(|| panic!("{row}: {field}"));
    let path = others.join(text("file"));
    let mut args = vec!["verify", text("kind"), path.to_str().unwrap()];
    let password;
    match text("kind") {
        "deposit" | "registration" => args.extend(["--network", text("network")]),
        "exit" => {
            args.extend(["--network", text("network"), "--public-key", text("pubkey")]);
        }
        "keystore" => {
            password = here.join("password");
            private(&password, text("password"));
            args.extend(["--keystore-password-file", password.to_str().unwrap()]);
        }
        "cluster-lock" => {
            if let Some(wallet) = row["contract_wallet"].as_str() {
                args.extend(["--contract-wallet", wallet]);
            }
        }
        "ssv-node-key" => {
            let file = TextKeystore::from_json(&fs::read(&path).unwrap());
            let password = SecretBytes::new(text("password").as_bytes().to_vec());
            let key = file.unwrap().decrypt(&Password::new(&password).unwrap());
            return Ok(key.is_ok());
        }
        kind => panic!("{kind} is new"),
    }
    match quorate(here, &args).code {
        0 => Ok(true),
        4 => Ok(false),
        code => Err(code),
    }
}
