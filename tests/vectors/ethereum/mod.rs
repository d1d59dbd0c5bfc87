//! Known answers from outside for everything that Ethereum defines. See
//! `test-vectors/ethereum/README.md`.

mod deposits;
mod interchange;
mod keystores;
mod preregistrations;
mod registrations;
mod roots;

use std::path::PathBuf;

use quorate::ethereum::network::Network;
use serde_json::Value;

/// The bytes of a file under `test-vectors/ethereum`.
fn bytes(path: &str) -> Vec<u8> {
    std::fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&bytes(path)).unwrap()
}

/// The names of all files in a folder, sorted, without `.json`.
fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".json")
                .unwrap()
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("test-vectors/ethereum")
}

/// Hexadecimal, with or without `0x`.
fn unhex<const N: usize>(value: &Value) -> [u8; N] {
    let text = value.as_str().unwrap();
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).unwrap().try_into().unwrap()
}

fn network(name: &str) -> Network {
    Network::known(name).unwrap()
}
