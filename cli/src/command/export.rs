//! `quorate export`: writes the outputs of a finished ceremony again, for one consumer each.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use zeroize::Zeroize as _;

use super::finished::{Own, with_parent};
use crate::args::{Export, ExportKeystores};
use crate::keymanager::{KeyManager, is_held};
use crate::messages::{quoted, shown};
use crate::report::{CliError, Exit, Output, talk};
use crate::restored::demand_newest;
use crate::{input, messages, protection, secret_file, silence};
use quorate::audit::facts::Audited;
use quorate::ethereum::interchange::{Interchange, InterchangeError, Key};
use quorate::ethereum::keystore::{DerivedKey, Password};
use quorate::ethereum::network::Network;
use quorate::export::cut_over::{CUT_OVER_FILE, first_epoch};
use quorate::export::keystores::{Holder, Profile, keystore_files_as};
use quorate::export::recover::PROTECTION_FILE;
use quorate::export::ssv::ssv_folder;
use quorate::export::{Artifact, Audience};
use quorate::primitives::curve::G1;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::Ceremony;
use quorate::spec::show::plural;
use quorate::spec::ssv::RSA_WEAKNESS;
use quorate_operator::keystores::{KeystoreKey, fresh_password};
use quorate_operator::store::{StateDir, write_folder};
use quorate_operator::{check_not_superseded, generation, random};

/// Longest file of floors: a few hundred bytes for each of 8192 keys.
const MOST_FLOORS: u64 = 8 << 20;

/// Runs the command.
pub(crate) fn run(args: &Export, out: &Output) -> Result<Exit, CliError> {
    match args {
        Export::Launchpad { transcripts, out: folder } => {
            super::export_launchpad::run(transcripts, folder, out)
        }
        Export::Ssv { transcript, out: folder } => ssv(transcript, folder, out),
        Export::Keystores(args) => keystores(args, out),
        Export::Obol(args) => super::export_obol::run(args, out),
    }
}

/// Writes what `make` makes of a transcript that has nothing wrong.
fn from_transcript(
    transcript: &Path,
    folder: &Path,
    out: &Output,
    make: impl FnOnce(&Audited) -> Result<Vec<Artifact>, CliError>,
) -> Result<Exit, CliError> {
    input::must_be_free(folder)?;
    let report = input::audited(transcript)?;
    let audited = report.audited().ok_or_else(|| messages::not_audited(transcript))?;
    // Anybody can make a sound transcript, and what follows from it is as good.
    let next = format!("quorate audit {} --expect {}", quoted(transcript), messages::CEREMONY_FILE);
    let note = format!(
        "\nThe transcript is sound, but it was not compared with what you agreed to. Before you \
         use these files\n  {next}"
    );
    write(folder, &make(audited)?, json!({ "next": next }), &note, out)
}

fn ssv(transcript: &Path, folder: &Path, out: &Output) -> Result<Exit, CliError> {
    from_transcript(transcript, folder, out, |audited| {
        if audited.ceremony().ssv().is_none() {
            return Err(messages::not_for_ssv(transcript));
        }
        talk(&RSA_WEAKNESS.map(|sentence| format!("WARNING: {sentence}")).join("\n"));
        ssv_folder(audited.ceremony(), audited.validators())
            .map_err(|error| messages::internal(&error.to_string()))
    })
}

pub(super) fn write(
    folder: &Path,
    files: &[Artifact],
    fields: Value,
    note: &str,
    out: &Output,
) -> Result<Exit, CliError> {
    write_folder(folder, files).map_err(|error| match error {
        quorate_operator::store::StoreError::Missing { .. } => messages::no_folder(folder),
        other => messages::store(other),
    })?;
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let mut all = json!({ "folder": folder.display().to_string(), "files": names });
    if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), fields) {
        all.extend(fields);
    }
    let text = format!("Files written to {}: {}{note}", shown(folder), files.len());
    out.finish(Exit::Done, all, &text)
}

fn keystores(args: &ExportKeystores, out: &Output) -> Result<Exit, CliError> {
    if let Some(folder) = &args.target.out {
        input::must_be_free(folder)?;
    }
    let (_, ceremony) = input::any_ceremony(&args.ceremony)?;
    // Before anybody is asked for a passphrase.
    let manager = match (&args.target.keymanager, &args.token_file) {
        (Some(url), Some(token)) => {
            let manager = KeyManager::new(url, &secret_file::read(token)?, args.insecure_http);
            Some((url, manager.map_err(|error| messages::push(url, &error))?))
        }
        _ => None,
    };
    // What cannot be read is told before a passphrase is asked for, too.
    for path in &args.protection {
        protection::read(path, ceremony.network())?;
    }
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let ceremony = Arc::new(with_parent(ceremony, &state)?);
    let lock = state.lock().map_err(messages::store)?;
    let nothing = || messages::nothing_here(ceremony.name(), state.path());
    let own = Own::open(&lock, ceremony.clone(), out)?.ok_or_else(nothing)?;
    if !ceremony.parts().receivers.contains(own.seat.me) {
        return Err(match ceremony.is_repair() {
            true => messages::has_helped(ceremony.name()),
            false => messages::has_left(ceremony.name()),
        });
    }
    let outcome = own.participant.outcome().expect("a finished ceremony has an outcome");
    // Regained shares are the parent's: a reshare of that supersedes them too.
    let generation = generation(&ceremony, outcome.certificate);
    let keys = outcome.validators.iter().map(|made| made.public_key.to_compressed());
    check_not_superseded(&state, &own.seat, &generation, &keys.collect::<Vec<_>>())
        .map_err(messages::machine)?;
    demand_newest(&lock, &ceremony, &args.newest)?;
    match manager {
        Some((url, manager)) => push(args, &own, &state, url, &manager, out),
        None => {
            let folder = args
                .target
                .out
                .as_deref()
                .ok_or_else(|| messages::internal("one of the targets is required"))?;
            let passphrase = SecretBytes::new(own.passphrase.expose().to_vec());
            let (password, layout) =
                args.layout.plan(args.keystore_password_file.as_deref(), || Ok(passphrase))?;
            let key = KeystoreKey::planned(args.layout.kdf(), password, None).finish();
            let stamp = now();
            let (beginning, first) = beginning(&own, &state)?;
            let begins = messages::begins_in(!beginning.is_empty(), first);
            let mut files = encrypt(&own, layout.profile, &key, stamp)?;
            files.extend(layout.password_files(ceremony.v(), stamp));
            files.extend(beginning);
            let alone = layout.profile == Profile::Charon && layout.written.is_none();
            let whose = match args.keystore_password_file {
                _ if layout.written.is_some() => "the files of passwords beside them",
                Some(_) => "the password in the file that you gave",
                None => "your passphrase",
            };
            let mut note = format!(
                ": keystores of this operator's shares, sealed with {whose}.\nNever load a share \
                 into two validator clients: both would sign, and the validator is slashed."
            );
            if alone {
                note += messages::charon_passwords();
            }
            note += &begins;
            let fields = json!({ "operator": own.seat.me.get(), "first_epoch": first });
            let written = write(folder, &files, fields, &note, out);
            files
                .iter_mut()
                .filter(|file| file.audience == Audience::Secret)
                .for_each(|file| file.bytes.zeroize());
            written
        }
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn public_shares(own: &Own) -> Vec<G1> {
    let outcome = own.participant.outcome().expect("a finished ceremony has an outcome");
    outcome
        .validators
        .iter()
        .map(|validator| validator.public_share(&own.seat.ceremony, own.seat.me).copied())
        .collect::<Option<_>>()
        .expect("who has shares has public ones")
}

pub(super) fn encrypt(
    own: &Own,
    profile: Profile,
    key: &DerivedKey,
    stamp: u64,
) -> Result<Vec<Artifact>, CliError> {
    let shares = own
        .participant
        .shares()
        .ok_or_else(|| messages::internal("a finished ceremony without shares"))?;
    let holder = Holder::new(&own.seat.ceremony, own.seat.me)
        .ok_or_else(|| messages::internal("shares of a seat that gets none"))?;
    let files =
        keystore_files_as(profile, holder, shares, &public_shares(own), key, stamp, random::os());
    files.map_err(|error| messages::internal(&error.to_string()))
}

/// Where the new shares of a reshare begin, as it was written with them; `None` after a key
/// generation.
fn floors(ceremony: &Ceremony, state: &StateDir) -> Result<Option<Interchange>, CliError> {
    if ceremony.reshare().is_none() {
        return Ok(None);
    }
    let view = state.find(&ceremony.digest()).map_err(messages::store)?;
    let view = view.ok_or_else(|| messages::floors_elsewhere(ceremony.name()))?;
    let refused =
        |error: &dyn core::fmt::Display| messages::no_floors(&view.out(), &error.to_string());
    let bytes = view.read_secret(PROTECTION_FILE, MOST_FLOORS).map_err(|error| refused(&error))?;
    let read = protection::parse(&bytes, ceremony.network()).map_err(|error| refused(&error))?;
    Ok(Some(read.0))
}

/// What goes with the keystores of new shares, and their first epoch; nothing after a key
/// generation.
pub(super) fn beginning(
    own: &Own,
    state: &StateDir,
) -> Result<(Vec<Artifact>, Option<u64>), CliError> {
    let Some(floors) = floors(&own.seat.ceremony, state)? else { return Ok((Vec::new(), None)) };
    let view = state.find(&own.seat.ceremony.digest()).map_err(messages::store)?;
    let view = view.ok_or_else(|| messages::internal("a finished ceremony without its folder"))?;
    let file = |name: &str| {
        let bytes = view.read_secret(name, MOST_FLOORS);
        let bytes = bytes.map_err(|error| messages::no_floors(&view.out(), &error.to_string()))?;
        Ok(Artifact { name: name.to_owned(), audience: Audience::Secret, bytes })
    };
    let files = vec![file(PROTECTION_FILE)?, file(CUT_OVER_FILE)?];
    Ok((files, first_epoch(&floors)))
}

/// Refuses to give shares away of which the first epoch has not come.
pub(crate) fn check_may_run(ceremony: &Ceremony, state: &StateDir) -> Result<(), CliError> {
    let Some(floors) = floors(ceremony, state)? else { return Ok(()) };
    may_run(&floors, ceremony.network())
}

/// Refuses shares that may sign nothing yet: loaded now, they would only be in the way of whoever
/// looks whether the old ones are silent.
fn may_run(floors: &Interchange, network: &Network) -> Result<(), CliError> {
    let (Some(first), Some(present)) = (first_epoch(floors), network.epoch_at(now())) else {
        return Ok(());
    };
    if present >= first {
        return Ok(());
    }
    let begin = network.begin_of(first).unwrap_or(u64::MAX);
    Err(messages::too_early(first, present, begin.saturating_sub(now())))
}

/// Refuses new shares of validators that were seen on the chain since the cut-over, if a person
/// wants that checked.
fn silent(args: &ExportKeystores, own: &Own, floors: &Interchange) -> Result<(), CliError> {
    let (Some(list), Some(liveness), Some(epoch)) = (&args.beacon, &args.liveness, args.epoch)
    else {
        return Ok(());
    };
    // The first epoch of the shares is two after the last commit.
    let committed = first_epoch(floors).map_or(0, |first| first.saturating_sub(2));
    let outcome = own.participant.outcome().expect("a finished ceremony has an outcome");
    let keys: Vec<Key> =
        outcome.validators.iter().map(|validator| validator.public_key.to_compressed()).collect();
    let network = own.seat.ceremony.network();
    silence::demand(&keys, network, (list, liveness), (epoch, committed, now()))
}

/// Where shares begin, joined with what is given of them. Of new shares, nothing that is given may
/// say less; regained ones are old, and an old record of them knows what the floors do not.
fn above(
    floors: &Interchange,
    given: &Interchange,
    regained: bool,
) -> Result<Interchange, InterchangeError> {
    let named = given.keys().filter(|(key, _)| floors.signed(key).is_some() && !regained);
    for (key, _) in named {
        given.check_not_below(&floors.of(&[*key])?)?;
    }
    floors.clone().join(given)
}

fn push(
    args: &ExportKeystores,
    own: &Own,
    state: &StateDir,
    url: &str,
    manager: &KeyManager,
    out: &Output,
) -> Result<Exit, CliError> {
    let secret = match &args.keystore_password_file {
        Some(path) => secret_file::read(path)?,
        // It protects the keystores on the way, and in the key manager's own storage.
        None => fresh_password(),
    };
    let password = Password::new(&secret).map_err(|error| messages::keystore_password(&error))?;
    let text = core::str::from_utf8(secret.expose())
        .map_err(|_| messages::internal("a password that is not text"))?;
    let key = KeystoreKey::planned(args.layout.kdf(), password, None).finish();
    let keys: Vec<Key> = public_shares(own).iter().map(|share| share.to_compressed()).collect();
    let network = own.seat.ceremony.network();
    let (given, mut notes) = protection::joined(&args.protection, network)?;
    let floors = floors(&own.seat.ceremony, state)?;
    let protection = match (&floors, args.protection.as_slice()) {
        (Some(floors), paths) => {
            may_run(floors, network)?;
            silent(args, own, floors)?;
            let all = above(floors, &given, own.seat.ceremony.is_repair());
            let all = all.map_err(|error| match paths.first() {
                Some(path) => messages::protection(path, &error),
                None => messages::internal(&error.to_string()),
            })?;
            Some(protection::only(all, paths, &keys, false)?)
        }
        (None, _) if args.beacon.is_some() => return Err(messages::silence_of_none()),
        (None, []) => {
            talk(messages::UNPROTECTED);
            None
        }
        (None, paths) => {
            let only = protection::only(given, paths, &keys, args.others_never_ran)?;
            notes.extend(protection::ahead_of_clock(&only, network, now()));
            Some(only)
        }
    };
    notes.iter().for_each(|note| talk(&format!("NOTE: {note}")));
    let files = encrypt(own, Profile::Default, &key, now())?;
    let keystores: Vec<&[u8]> = files.iter().map(|file| file.bytes.as_slice()).collect();
    talk(&format!("Sending {} to {url}", plural(keystores.len(), "keystore")));
    let statuses = manager
        .push(&keystores, text, &keys, protection.as_ref())
        .map_err(|error| messages::push_unfinished(url, &error))?;
    let bad = statuses.iter().zip(&keys).filter(|(status, _)| !is_held(status));
    let bad: Vec<String> = bad
        .map(|(status, key)| {
            format!("0x{}: {} {}", hex::encode(key), status.status, status.message)
        })
        .collect();
    if !bad.is_empty() {
        return Err(messages::not_imported(&bad));
    }
    let count = |word: &str| statuses.iter().filter(|status| status.status == word).count();
    let (imported, duplicates) = (count("imported"), count("duplicate"));
    out.finish(
        Exit::Done,
        json!({
            "keymanager": url, "imported": imported, "duplicates": duplicates,
            "protected": protection.is_some(),
        }),
        &format!(
            "The key manager has all {} keys: {imported} imported, {duplicates} already there.\n{}",
            keys.len(),
            match protection.is_some() {
                true => "It was sent what they have signed.",
                false => "It was sent no slashing protection data.",
            }
        ),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use quorate::ethereum::interchange::{Signed, Vote};

    #[test]
    fn an_older_record_raises_where_regained_shares_begin_and_lowers_nothing() {
        let one = |key: u8, slot, source, target| {
            let mut all = Interchange::empty([7; 32]);
            all.add([key; 48], Signed { slot: Some(slot), vote: Some(Vote { source, target }) });
            all
        };
        let (floors, older) = (one(1, 900, 0, 30), one(1, 500, 14, 15));
        assert_eq!(above(&floors, &older, true), Ok(one(1, 900, 14, 30)));
        // New shares have signed nothing: what says less of one of them is a mistake.
        let refused = above(&floors, &older, false);
        assert!(matches!(refused, Err(InterchangeError::Lower { key, .. }) if key == [1; 48]));
        // Of other keys nothing is compared.
        let other = above(&floors, &one(2, 5, 1, 2), false).unwrap();
        assert_eq!(other.signed(&[2; 48]), one(2, 5, 1, 2).signed(&[2; 48]));
    }
}
