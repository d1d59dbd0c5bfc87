//! Shared by the vector tests: strict reading of `test-vectors`, and hexadecimal.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The checkout: tests of each of its packages start somewhere else in it.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("test-vectors").is_dir()).unwrap()
}

/// A path below `test-vectors`.
pub(crate) fn path(below: &str) -> PathBuf {
    root().join("test-vectors").join(below)
}

/// One JSON file. The types read here deny unknown fields, so a key that the runner does not use is
/// an error.
pub(crate) fn read<T: DeserializeOwned>(below: &str) -> T {
    let text = std::fs::read_to_string(path(below)).unwrap_or_else(|why| panic!("{below}: {why}"));
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{below}: {why}"))
}

/// The names of the files of a folder without `.json`, sorted; any other file is an error.
pub(crate) fn names(below: &str) -> Vec<String> {
    let entries = std::fs::read_dir(path(below)).unwrap_or_else(|why| panic!("{below}: {why}"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| {
            name.strip_suffix(".json")
                .unwrap_or_else(|| panic!("{below}/{name}: not a vector"))
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

/// A JSON file with one of its objects as the list of its values, for each object that is not
/// empty: what readers that are derived take as well.
pub(crate) fn objects_as_lists(file: &Value) -> Vec<Value> {
    fn places(value: &Value, at: &str, all: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                all.push(at.to_owned());
                fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), all));
            }
            Value::Array(list) => list
                .iter()
                .enumerate()
                .for_each(|(i, value)| places(value, &format!("{at}/{i}"), all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    places(file, "", &mut all);
    let changed = |at: &String| {
        let mut file = file.clone();
        let place = file.pointer_mut(at).unwrap();
        *place = place.as_object().unwrap().values().cloned().collect();
        file
    };
    all.iter().map(changed).collect()
}

/// Bytes from hexadecimal, with or without `0x`.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text))
        .unwrap_or_else(|why| panic!("{text}: {why}"))
}

/// Exactly `N` bytes from hexadecimal.
pub(crate) fn array<const N: usize>(text: &str) -> [u8; N] {
    bytes(text)
        .try_into()
        .unwrap_or_else(|bytes: Vec<u8>| panic!("{text}: {} bytes, not {N}", bytes.len()))
}
