//! Slashing protection data as people hand it over: files, and what is told of them.

use std::path::{Path, PathBuf};

use super::report::CliError;
use super::{input, messages};
use quorate::ethereum::interchange::{
    Interchange, InterchangeError, Key, MOST_BYTES, Signed, Vote,
};
use quorate::ethereum::network::Network;
use quorate::export::cut_over::Clock;

/// Most keys that are named one by one.
const MOST_NAMED: usize = 8;

/// A file's bytes.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    input::read(path, MOST_BYTES)
}

/// What it says of a network's keys, and what is unusual in it.
pub(crate) fn parse(
    bytes: &[u8],
    network: &Network,
) -> Result<(Interchange, Vec<String>), InterchangeError> {
    let (read, remarks) = Interchange::parse(bytes, &network.genesis_validators_root())?;
    Ok((read, remarks.iter().map(ToString::to_string).collect()))
}

/// A file of a network, and what is unusual in it.
pub(crate) fn read(path: &Path, network: &Network) -> Result<(Interchange, Vec<String>), CliError> {
    parse(&bytes(path)?, network).map_err(|error| messages::protection(path, &error))
}

/// Files of a network, joined by maximum; and what is unusual in them.
pub(crate) fn joined(
    paths: &[PathBuf],
    network: &Network,
) -> Result<(Interchange, Vec<String>), CliError> {
    let mut all = Interchange::empty(network.genesis_validators_root());
    let mut notes = Vec::new();
    for path in paths {
        let (read, unusual) = read(path, network)?;
        all = all.join(&read).map_err(|error| messages::protection(path, &error))?;
        notes.extend(unusual.iter().map(|note| format!("{}: {note}", messages::shown(path))));
    }
    Ok((all, notes))
}

/// What `all`, which was read from `paths`, says of `keys` alone. Of a key that it does not have,
/// nothing is known: that it never ran is for a person to say.
pub(crate) fn only(
    mut all: Interchange,
    paths: &[PathBuf],
    keys: &[Key],
    others_never_ran: bool,
) -> Result<Interchange, CliError> {
    let missing: Vec<String> =
        keys.iter().filter(|key| all.signed(key).is_none()).map(named).collect();
    if !missing.is_empty() && !others_never_ran {
        return Err(messages::protection_missing(paths, &listed(&missing)));
    }
    keys.iter().for_each(|key| all.add(*key, Signed::default()));
    all.of(keys).map_err(|error| messages::internal(&error.to_string()))
}

/// Of keys that `all` does not have, the most that they can have signed by now: a block of this
/// slot and an attestation of this epoch, whose source is an earlier one.
pub(crate) fn until_now(
    all: &mut Interchange,
    keys: &[Key],
    network: &Network,
    now: u64,
) -> Result<(), CliError> {
    let clock = Clock::at(network, now).ok().flatten();
    let clock = clock.ok_or_else(|| messages::no_present_epoch(network.name()))?;
    let vote = Vote { source: clock.epoch().saturating_sub(1), target: clock.epoch() };
    let most = Signed { slot: Some(clock.slot), vote: Some(vote) };
    let missing: Vec<&Key> = keys.iter().filter(|key| all.signed(key).is_none()).collect();
    missing.into_iter().for_each(|key| all.add(*key, most));
    Ok(())
}

/// A key as files have it.
pub(crate) fn named(key: &Key) -> String {
    format!("0x{}", hex::encode(key))
}

/// The first of these lines, each on its own.
pub(crate) fn listed(lines: &[String]) -> String {
    let mut text = String::new();
    lines.iter().take(MOST_NAMED).for_each(|line| text += &format!("\n  {line}"));
    if lines.len() > MOST_NAMED {
        text += &format!("\n  and {} more", lines.len() - MOST_NAMED);
    }
    text
}

/// What a key has signed, on a line.
pub(crate) fn shown(signed: &Signed) -> String {
    let slot = signed.slot.map_or("no block".to_owned(), |slot| format!("block at slot {slot}"));
    match signed.vote {
        Some(Vote { source, target }) => {
            format!("{slot}; attestation from epoch {source} to {target}")
        }
        None => format!("{slot}, no attestation"),
    }
}

/// Notes on keys that say that they have signed for epochs that are not there yet.
pub(crate) fn ahead_of_clock(protection: &Interchange, network: &Network, now: u64) -> Vec<String> {
    let Some(epoch) = network.epoch_at(now) else { return Vec::new() };
    let ahead = protection.keys().filter_map(|(key, signed)| {
        let target = signed.vote.map(|vote| vote.target.max(vote.source));
        let target = target.filter(|target| *target > epoch.saturating_add(1))?;
        Some(format!(
            "{} has signed for epoch {target}, and it is epoch {epoch}: it signs nothing until \
             then",
            named(key)
        ))
    });
    ahead.take(MOST_NAMED).collect()
}
