//! `quorate keymanager`: removes shares from a validator client.

use serde_json::json;

use crate::args::{Keymanager, KeymanagerRemove};
use crate::keymanager::KeyManager;
use crate::messages::shown;
use crate::removal::{self, Removed};
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, protection, secret_file};
use quorate::ethereum::interchange::Key;
use quorate::spec::Ceremony;
use quorate::spec::show::plural;
use quorate::spec::threshold::Index;
use quorate_operator::store::StateDir;

/// Runs the command.
pub(crate) fn run(args: &Keymanager, out: &Output) -> Result<Exit, CliError> {
    match args {
        Keymanager::Remove(args) => remove(args, out),
    }
}

fn remove(args: &KeymanagerRemove, out: &Output) -> Result<Exit, CliError> {
    let KeymanagerRemove { transcript, keymanager: url, out: file, .. } = args;
    if input::is_stdout(file) {
        return Err(messages::protection_on_stdout());
    }
    input::can_be_written(file)?;
    let report = input::audited(transcript)?;
    let audited = report.audited().ok_or_else(|| messages::not_audited(transcript))?;
    let ceremony = audited.ceremony();
    let me = operator(args.operator, ceremony, out)?;
    let shares = audited.validators().iter().map(|v| v.public_share(ceremony, me).copied());
    let keys: Option<Vec<Key>> = shares.map(|share| Some(share?.to_compressed())).collect();
    let keys = keys.ok_or_else(|| messages::has_left(ceremony.name()))?;
    let token = secret_file::read(&args.token_file)?;
    let manager = KeyManager::new(url, &token, args.insecure_http)
        .map_err(|error| messages::push(url, &error))?;

    talk(&format!("The shares are those of operator {}.", me.get()));
    let keep = |bytes: &[u8]| input::write_private(file, bytes).map(|()| file.clone());
    let network = ceremony.network();
    let Removed { signed: read, mut notes, .. } =
        removal::remove(&manager, url, &keys, network, keep)?;
    notes.extend(protection::ahead_of_clock(&read, network, super::export::now()));
    let silent = keys.iter().filter(|key| read.signed(key).is_none());
    let silent: Vec<String> = silent.map(protection::named).collect();
    notes.iter().for_each(|note| talk(&format!("NOTE: {note}")));
    if !silent.is_empty() {
        talk(&messages::silent_keys(&protection::listed(&silent)));
    }
    let (removed, kept) = (plural(keys.len(), "key"), shown(file));
    out.finish(
        Exit::Done,
        json!({
            "keymanager": url, "operator": me.get(), "removed": keys.len(),
            "file": file.display().to_string(), "not_in_file": silent, "notes": notes,
        }),
        &format!("Removed {removed} from {url}.\nWhat they have signed: {kept}"),
    )
}

/// The operator that is meant: the one that is named, or the one of the state directory's card.
fn operator(named: Option<u16>, ceremony: &Ceremony, out: &Output) -> Result<Index, CliError> {
    if let Some(number) = named {
        let index = Index::new(number).filter(|index| ceremony.roster().get(*index).is_some());
        return index.ok_or_else(|| messages::no_operator_number(number, ceremony.n()));
    }
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let card = state
        .read_card()
        .map_err(messages::store)?
        .ok_or_else(|| messages::no_card_here(state.path()))?;
    let seat = ceremony.roster().find(&card.key);
    seat.ok_or_else(|| messages::no_seat(card.name.as_str(), ceremony.name()))
}
