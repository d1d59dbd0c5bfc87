//! `quorate export obol`: writes the node folder of a finished Obol cluster again.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroize as _;

use super::export::{encrypt, now, write};
use super::finished::Own;
use crate::args::ExportObol;
use crate::report::{CliError, Exit, Output};
use crate::restored::demand_newest;
use crate::{input, messages, node_key};
use quorate::ethereum::keystore::{Kdf, Password};
use quorate::export::keystores::Profile;
use quorate::export::obol::node_folder;
use quorate::export::{Audience, launchpad};
use quorate_operator::keystores::{KeystoreKey, Layout, fresh_password};
use quorate_operator::store::StateDir;

/// Runs the command.
pub(crate) fn run(args: &ExportObol, out: &Output) -> Result<Exit, CliError> {
    let folder: &Path = &args.out;
    input::must_be_free(folder)?;
    let (_, ceremony) = input::ceremony(&args.ceremony)?;
    if ceremony.obol().is_none() {
        return Err(messages::no_cluster(&args.ceremony));
    }
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let held = state.lock().map_err(messages::store)?;
    let ceremony = Arc::new(ceremony);
    let nothing = || messages::nothing_here(ceremony.name(), state.path());
    let own = Own::open(&held, ceremony.clone(), out)?.ok_or_else(nothing)?;
    demand_newest(&held, &ceremony, &args.newest)?;
    drop(held);
    let seat =
        node_key::with_node_key(own.seat.clone(), &state, args.charon_enr_private_key.as_deref())?;
    let internal = |what: &str| messages::internal(what);
    let lock =
        own.participant.lock().ok_or_else(|| internal("a finished cluster without its lock"))?;
    let key =
        seat.node_key().ok_or_else(|| internal("a seat without the key that it was given"))?;
    let validators = &own
        .participant
        .outcome()
        .ok_or_else(|| internal("a finished ceremony without outcome"))?
        .validators;
    let deposits = launchpad::signed_deposits(&ceremony, validators)
        .map_err(|error| internal(&error.to_string()))?;

    let layout = Layout { profile: Profile::Charon, written: Some(fresh_password()) };
    let secret = layout.written.as_ref().expect("just made");
    let password = Password::new(secret).map_err(|error| messages::keystore_password(&error))?;
    let derived = KeystoreKey::planned(Kdf::pbkdf2(), password, None).finish();
    let stamp = now();
    let mut files = node_folder(lock, ceremony.network(), &deposits, key);
    files.extend(encrypt(&own, layout.profile, &derived, stamp)?);
    files.extend(layout.password_files(ceremony.v(), stamp));
    let written = write(
        folder,
        &files,
        json!({ "operator": own.seat.me.get(), "lock_hash": hex::encode(lock.lock_hash) }),
        "",
        out,
    );
    files
        .iter_mut()
        .filter(|file| file.audience == Audience::Secret)
        .for_each(|file| file.bytes.zeroize());
    written
}
