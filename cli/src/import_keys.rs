//! The keystores of an import: their public keys for the file, and the keys themselves for the
//! operator that deals them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::PartArgs;
use super::keystores::{self, MOST_KEYSTORE_BYTES, Opened, Unopened};
use super::report::{CliError, Output, talk};
use super::{input, messages};
use quorate::ethereum::keystore::Keystore;
use quorate::primitives::curve::{Scalar, SecretScalar};
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::seat::OldShares;
use quorate::spec::CeremonyKind;
use quorate::spec::show::plural;

type Key = [u8; 48];

/// The keystores at a path, each with its public key. None is decrypted: one that protects nothing
/// is a key all the same.
fn listed(path: &Path) -> Result<Vec<(PathBuf, Key)>, CliError> {
    let read = |path: PathBuf| {
        let bytes = input::read(&path, MOST_KEYSTORE_BYTES)?;
        let keystore = Keystore::from_json_even_if_weak(&bytes);
        let keystore = keystore.map_err(|error| messages::keystore_to_import(&path, &error))?;
        Ok((path, keystore.pubkey().to_compressed()))
    };
    keystores::find(path)?.into_iter().map(read).collect()
}

/// The public keys of the keystores at a path, in the order of their names. One key twice is an
/// error.
pub(crate) fn public_keys(path: &Path) -> Result<Vec<Key>, CliError> {
    let mut first: BTreeMap<Key, PathBuf> = BTreeMap::new();
    let mut keys = Vec::new();
    for (file, key) in listed(path)? {
        if let Some(other) = first.insert(key, file.clone()) {
            return Err(messages::keystore_twice(&other, &file));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// The seat of the operator that deals the keys of an import, with these, from its keystores. They
/// are needed until it has dealt: of one that has begun, they may be left out. Any other seat comes
/// back as it is.
pub(crate) fn seated(
    seat: OwnSeat,
    args: &PartArgs,
    begun: bool,
    out: &Output,
) -> Result<OwnSeat, CliError> {
    let ceremony = seat.ceremony.clone();
    let deals =
        ceremony.kind() == CeremonyKind::Import && ceremony.parts().dealers.contains(seat.me);
    match (&args.keystores, ceremony.reshare()) {
        (Some(path), Some(spec)) if deals => {
            let wanted: Vec<Key> = spec.validators.iter().map(|validator| validator.key).collect();
            let keys = open(path, &wanted, args.password_file.as_deref(), out)?;
            Ok(seat.with_old_shares(Arc::new(OldShares::whole(keys))))
        }
        (Some(_), _) => Err(messages::deals_no_keys(ceremony.name())),
        (None, _) if deals && !begun => Err(messages::keys_needed(ceremony.name())),
        (None, _) => Ok(seat),
    }
}

/// The secrets of these keys, in this order. Keystores of other keys are left alone.
fn open(
    path: &Path,
    wanted: &[Key],
    password_file: Option<&Path>,
    out: &Output,
) -> Result<Vec<SecretScalar>, CliError> {
    let (ours, others): (Vec<_>, Vec<_>) =
        listed(path)?.into_iter().partition(|(_, key)| wanted.contains(key));
    let missing: Vec<&Key> =
        wanted.iter().filter(|key| !ours.iter().any(|(_, other)| other == *key)).collect();
    if let Some(first) = missing.first() {
        return Err(messages::no_keystore_of(path, first, missing.len()));
    }
    if !others.is_empty() {
        let count = plural(others.len(), "keystore");
        talk(&format!("NOTE: {count} of keys that this import does not have: not opened."));
    }
    let paths = ours.into_iter().map(|(path, _)| path).collect();
    let opened = keystores::open(paths, Keystore::from_json_even_if_weak, password_file, out);
    let opened = opened.map_err(|unopened| match unopened {
        Unopened::Local(error) => error,
        Unopened::Refused(path, error) => messages::keystore_to_import(&path, &error),
    })?;
    let secrets: BTreeMap<Key, SecretScalar> = opened
        .into_iter()
        .map(|Opened { keystore, secret, .. }| (keystore.pubkey().to_compressed(), secret))
        .collect();
    // The file names no key twice.
    let secret = |key: &Key| secrets.get(key).map(|secret| secret.scaled(&Scalar::one()));
    let all: Option<Vec<SecretScalar>> = wanted.iter().map(secret).collect();
    all.ok_or_else(|| messages::internal("a keystore that was opened is not there"))
}
