//! `quorate export obol`: writes the node folder of a finished Obol cluster again; or writes it of
//! shares for which a lock was made afterwards.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroize as _;

use super::export::{beginning, encrypt, now, write};
use super::finished::{Own, with_parent};
use super::verify_cluster::contracts;
use crate::args::ExportObol;
use crate::report::{CliError, Exit, Output};
use crate::restored::demand_newest;
use crate::{input, messages, node_key};
use quorate::ethereum::keystore::{Kdf, Password};
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::lock::{ClusterLock, LockValidator, MOST_BYTES};
use quorate::ethereum::obol::lock_check::check_lock;
use quorate::export::keystores::Profile;
use quorate::export::obol::node_folder;
use quorate::export::{Audience, launchpad};
use quorate::protocol::outcome::ValidatorOutcome;
use quorate_operator::keystores::{KeystoreKey, Layout, fresh_password};
use quorate_operator::store::StateDir;
use quorate_operator::{check_not_superseded, generation};

/// Runs the command.
pub(crate) fn run(args: &ExportObol, out: &Output) -> Result<Exit, CliError> {
    let folder: &Path = &args.out;
    input::must_be_free(folder)?;
    let (_, ceremony) = input::any_ceremony(&args.ceremony)?;
    if ceremony.is_repair() {
        return Err(messages::not_for_kind(&args.ceremony, ceremony.kind()));
    }
    let made = args.lock.as_deref().map(|path| read(path, args)).transpose()?;
    if made.is_none() && ceremony.obol().is_none() {
        return Err(messages::no_cluster(&args.ceremony));
    }
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let ceremony = Arc::new(with_parent(ceremony, &state)?);
    let held = state.lock().map_err(messages::store)?;
    let nothing = || messages::nothing_here(ceremony.name(), state.path());
    let own = Own::open(&held, ceremony.clone(), out)?.ok_or_else(nothing)?;
    if !ceremony.parts().receivers.contains(own.seat.me) {
        return Err(messages::has_left(ceremony.name()));
    }
    demand_newest(&held, &ceremony, &args.newest)?;
    drop(held);
    let internal = |what: &str| messages::internal(what);
    let outcome =
        own.participant.outcome().ok_or_else(|| internal("a finished ceremony without outcome"))?;
    let certificate = generation(&ceremony, outcome.certificate);
    let validators = &outcome.validators;
    let keys: Vec<_> = validators.iter().map(|made| made.public_key.to_compressed()).collect();
    check_not_superseded(&state, &own.seat, &certificate, &keys).map_err(messages::machine)?;
    let given = args.charon_enr_private_key.as_deref();
    let (seat, fresh);
    let (lock, key) = match (args.lock.as_deref(), made) {
        (Some(path), Some((lock, cluster))) => {
            let place = ceremony.parts().receivers.place(own.seat.me).unwrap_or(usize::MAX);
            fresh = node_key::of_cluster(given, &cluster, place, &state)?;
            (of_these(path, lock, validators)?, &fresh)
        }
        _ => {
            seat = node_key::with_node_key(own.seat.clone(), &state, given)?;
            let key = seat.node_key();
            let key = key.ok_or_else(|| internal("a seat without the key that it was given"))?;
            let lock = own.participant.lock().cloned();
            (lock.ok_or_else(|| internal("a finished cluster without its lock"))?, key)
        }
    };
    let deposits = launchpad::signed_deposits(&ceremony, validators)
        .map_err(|error| internal(&error.to_string()))?;
    let (begin, first_epoch) = beginning(&own, &state)?;
    let begins = !begin.is_empty();

    let layout = Layout { profile: Profile::Charon, written: Some(fresh_password()) };
    let secret = layout.written.as_ref().expect("just made");
    let password = Password::new(secret).map_err(|error| messages::keystore_password(&error))?;
    let derived = KeystoreKey::planned(Kdf::pbkdf2(), password, None).finish();
    let stamp = now();
    let mut files = node_folder(&lock, ceremony.network(), &deposits, key);
    files.extend(encrypt(&own, layout.profile, &derived, stamp)?);
    files.extend(layout.password_files(ceremony.v(), stamp));
    files.extend(begin);
    let mut fields = json!({
        "operator": own.seat.me.get(), "lock_hash": hex::encode(lock.lock_hash),
    });
    fields["first_epoch"] = first_epoch.into();
    let note = messages::begins_in(begins, first_epoch);
    let written = write(folder, &files, fields, &note, out);
    files
        .iter_mut()
        .filter(|file| file.audience == Audience::Secret)
        .for_each(|file| file.bytes.zeroize());
    written
}

/// A lock that was made afterwards, which holds by itself.
fn read(path: &Path, args: &ExportObol) -> Result<(ClusterLock, Cluster), CliError> {
    let wrong = |why: &dyn core::fmt::Display| messages::other_lock(path, &why.to_string());
    let lock =
        ClusterLock::parse(&input::read(path, MOST_BYTES)?).map_err(|error| wrong(&error))?;
    let contracts = contracts(&args.contract_wallets)?;
    let cluster = check_lock(&lock, contracts).map_err(|error| wrong(&error))?;
    Ok((lock, cluster))
}

/// The lock, if it is of these validators with these shares.
fn of_these(
    path: &Path,
    lock: ClusterLock,
    validators: &[ValidatorOutcome],
) -> Result<ClusterLock, CliError> {
    let is = |(outcome, locked): (&ValidatorOutcome, &LockValidator)| {
        let shares = outcome.public_shares.iter().map(|share| share.to_compressed());
        locked.public_key == outcome.public_key.to_compressed()
            && shares.eq(locked.public_shares.iter().copied())
    };
    let same = lock.validators.len() == validators.len();
    match same && validators.iter().zip(&lock.validators).all(is) {
        true => Ok(lock),
        false => Err(messages::other_lock(path, "a lock of other validators or other shares")),
    }
}
