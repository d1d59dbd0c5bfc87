//! `quorate identity`: creates and shows this operator's keys.

use std::path::Path;

use super::{card, obol_key};
use crate::args::Identity;
use crate::report::{CliError, Exit, Output, talk};
use crate::{messages, prompt};
use quorate::identity::{InstallMark, Operator, OperatorCard, OperatorName};
use quorate_operator::random;
use quorate_operator::store::{
    IDENTITY_FILE, SealCost, StateDir, StoreError, seal_with_passphrase,
};

/// Runs the command.
pub(crate) fn run(args: &Identity, out: &Output) -> Result<Exit, CliError> {
    match args {
        Identity::New { name, kdf_cost } => new(name.as_deref(), *kdf_cost, out),
        Identity::Show => show(out),
        Identity::ObolKey(args) => obol_key::run(args, out),
    }
}

fn new(name: Option<&str>, cost: u8, out: &Output) -> Result<Exit, CliError> {
    let cost = SealCost::new(cost)
        .ok_or_else(|| messages::internal("a cost out of the bounds of its flag"))?;
    // Everything that can be refused is, before anything is made.
    let path = out.dir.join(IDENTITY_FILE);
    if exists(&out.dir)? {
        return Err(messages::identity_exists(&path));
    }
    let name = match name {
        Some(name) => name.to_owned(),
        None => prompt::line("Name that the other operators will see", "--name NAME")?,
    };
    let name = OperatorName::parse_new(&name).map_err(|error| messages::name(&error))?;
    let passphrase = prompt::new_passphrase(out)?;

    let operator = Operator::generate(name, random::secret());
    let sealed = seal_with_passphrase(
        &operator.to_secret_bytes(),
        &passphrase,
        IDENTITY_FILE,
        cost,
        &mut random::os(),
    );
    let state = StateDir::open_or_create(&out.dir).map_err(messages::store)?;
    let mark = operator.mark().expect("a new operator has one");
    let mark = state.ensure_mark(mark).map_err(messages::store)?;
    let operator = operator.with_mark(Some(mark));
    state.write_identity(&sealed).map_err(|error| match error {
        // Made by another process since we looked.
        StoreError::Exists { path } => messages::identity_exists(&path),
        other => messages::store(other),
    })?;

    let path = state.path().join(IDENTITY_FILE);
    talk(&format!("The keys are in {}, sealed with your passphrase.", messages::shown(&path)));
    talk(
        "Back this file up, and keep the passphrase in a different place: if you lose either, this \
         operator is lost. After a ceremony, make a backup: quorate backup make. Never copy the \
         other files of the directory: a second copy that runs would sign twice.",
    );
    talk(
        "Send the card, the line that starts with quorate1, to the coordinator. It is not secret.",
    );
    let card = operator.card();
    state.keep_card(&card).map_err(messages::store)?;
    finish(&card, &path, out)
}

/// Whether the directory has keys already. One that is not there has none; one that is must be fit
/// for them.
fn exists(dir: &Path) -> Result<bool, CliError> {
    match StateDir::open(dir) {
        Ok(state) => state.has_identity().map_err(messages::store),
        Err(StoreError::Missing { .. }) => Ok(false),
        Err(error) => Err(messages::store(error)),
    }
}

fn show(out: &Output) -> Result<Exit, CliError> {
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let path = state.path().join(IDENTITY_FILE);
    if state.has_identity().map_err(messages::store)?
        && let Some(card) = state.read_card().map_err(messages::store)?
    {
        return finish(&card, &path, out);
    }
    let (operator, _) = prompt::open_identity(&state, out)?;
    operator
        .name()
        .check_new()
        .map_err(|error| messages::old_name(operator.name().as_str(), &error))?;
    let operator = match operator.mark() {
        Some(_) => operator,
        // Only the keys were restored, or an earlier version made them.
        None => {
            let mark = state.ensure_mark(InstallMark(random::public())).map_err(messages::store)?;
            talk(
                "This directory had no install mark, so this is a new card. It can take part in \
                 ceremonies whose file has this card, and in no others.",
            );
            operator.with_mark(Some(mark))
        }
    };
    // From now on it is shown without the passphrase.
    let card = operator.card();
    state.keep_card(&card).map_err(messages::store)?;
    finish(&card, &path, out)
}

fn finish(card: &OperatorCard, path: &Path, out: &Output) -> Result<Exit, CliError> {
    talk(&card::short_forms(card));
    let mut fields = card::fields(card);
    fields["identity"] = path.display().to_string().into();
    out.finish(Exit::Done, fields, &card.encode())
}
