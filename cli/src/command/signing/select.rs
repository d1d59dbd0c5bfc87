//! Which validators a request is for: keys on the command line or in a file, or all of a ceremony.

use std::collections::BTreeMap;
use std::path::Path;

use crate::args::Validators;
use crate::command::verify::public_key;
use crate::report::CliError;
use crate::{input, messages};
use quorate::signing::{Parent, RequestError};
use quorate::spec::ceremony::MOST_VALIDATORS;

/// Most bytes of a file of keys: `0x`, 96 digits, an index and some spaces for each.
const MOST_BYTES: usize = 160 * MOST_VALIDATORS;

/// A key that somebody names, and its index on the beacon chain.
type Named = ([u8; 48], Option<u64>);

/// A validator of the ceremony.
pub(super) struct Selected {
    /// Its position, from 0.
    pub(super) validator: usize,
    pub(super) public_key: [u8; 48],
    /// Its index on the beacon chain, as far as somebody has said it.
    pub(super) index: Option<u64>,
}

/// The validators that are meant, in the ceremony's order, each once.
pub(super) fn select(
    args: &Validators,
    indices: &[u64],
    parent: &Parent,
) -> Result<Vec<Selected>, CliError> {
    let named: Vec<Named> = match &args.keys {
        _ if !indices.is_empty() && indices.len() != args.public_key.len() => {
            return Err(messages::indices(indices.len(), args.public_key.len()));
        }
        Some(path) => keys(path)?,
        None => {
            let one = |(at, text): (usize, &String)| {
                Ok((public_key(text)?.to_compressed(), indices.get(at).copied()))
            };
            args.public_key.iter().enumerate().map(one).collect::<Result<_, CliError>>()?
        }
    };
    let all = parent.validators().iter().map(|validator| validator.public_key.to_compressed());
    if args.all {
        let selected = |(validator, public_key)| Selected { validator, public_key, index: None };
        return Ok(all.enumerate().map(selected).collect());
    }
    let positions: BTreeMap<[u8; 48], usize> =
        all.enumerate().map(|(validator, key)| (key, validator)).collect();
    let mut selected: BTreeMap<usize, Selected> = BTreeMap::new();
    for (public_key, index) in named {
        let unknown = || messages::bad_request(&RequestError::PublicKey(hex::encode(public_key)));
        let validator = *positions.get(&public_key).ok_or_else(unknown)?;
        if selected.insert(validator, Selected { validator, public_key, index }).is_some() {
            return Err(messages::public_key(&format!(
                "0x{} is given twice",
                hex::encode(public_key)
            )));
        }
    }
    Ok(selected.into_values().collect())
}

/// A file with a key on each line, and its index after it if that is known. Empty lines, and those
/// that begin with `#`, say nothing.
fn keys(path: &Path) -> Result<Vec<Named>, CliError> {
    let bytes = input::read_named(path, ".txt", MOST_BYTES)?;
    let text = input::text(path, &bytes)?;
    let mut keys = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut words =
            line.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
        let Some(key) = words.next().filter(|word| !word.starts_with('#')) else { continue };
        let wrong = |why: &str| messages::keys_line(path, at + 1, why);
        let key = public_key(key).map_err(|error| wrong(&error.what))?.to_compressed();
        let index = match (words.next(), words.next()) {
            (None, _) => None,
            (Some(index), None) => {
                Some(index.parse().map_err(|_| wrong("the index is not a number"))?)
            }
            (Some(_), Some(_)) => return Err(wrong("more than a key and an index")),
        };
        keys.push((key, index));
    }
    match keys.is_empty() {
        true => Err(messages::keys_line(path, 1, "no key in the file")),
        false => Ok(keys),
    }
}
