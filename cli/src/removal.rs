//! Keys that are removed from a key manager: what they have signed is kept before anything of the
//! answer is looked at.

use std::path::PathBuf;

use super::keymanager::{KeyManager, is_removed, protection_in};
use super::report::{CliError, talk};
use super::{messages, protection};
use quorate::ethereum::interchange::{Interchange, Key};
use quorate::ethereum::network::Network;
use quorate::spec::show::plural;

/// What came of it.
pub(crate) struct Removed {
    /// What the keys have signed.
    pub(crate) signed: Interchange,
    /// What is unusual in that.
    pub(crate) notes: Vec<String>,
    /// Where it is kept, as it came.
    pub(crate) file: PathBuf,
}

/// Removes keys, and keeps what comes for them by `keep`, which tells where.
pub(crate) fn remove(
    manager: &KeyManager,
    url: &str,
    keys: &[Key],
    network: &Network,
    keep: impl FnOnce(&[u8]) -> Result<PathBuf, CliError>,
) -> Result<Removed, CliError> {
    talk(&format!("Removing {} from {url}", plural(keys.len(), "key")));
    let answer = manager.remove(keys).map_err(|error| messages::remove(url, &error))?;
    // Before anything else: what is in it may be nowhere else.
    let data = protection_in(&answer);
    let bytes = data.as_ref().unwrap_or(&answer);
    let file = keep(bytes).map_err(|error| messages::removed_unwritten(&error))?;
    let Some(bytes) = data else { return Err(messages::removed_without_data(url, &file)) };
    let statuses = manager
        .check_removed(&answer, keys)
        .map_err(|error| messages::removed_unsure(url, &error, &file))?;
    let bad = statuses.iter().zip(keys).filter(|(status, _)| !is_removed(status));
    let bad: Vec<String> = bad
        .map(|(status, key)| {
            format!("{}: {} {}", protection::named(key), status.status, status.message)
        })
        .collect();
    if !bad.is_empty() {
        return Err(messages::not_removed(&protection::listed(&bad), &file));
    }
    let (signed, notes) = protection::parse(&bytes, network)
        .map_err(|error| messages::removed_unreadable(&file, &error))?;
    Ok(Removed { signed, notes, file })
}
