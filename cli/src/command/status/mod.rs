//! `quorate status`: what this operator has, from what can be read without its passphrase; with a
//! passphrase file, also from the logs.

mod ceremony;

mod evidence;

mod generations;

mod log;

mod stand;

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

pub(in crate::command) use ceremony::agreed;

use super::card;
use super::export::now;
use crate::report::{CliError, Exit, Output, talk};
use crate::restored::ago;
use crate::{messages, prompt};
use quorate::identity::OperatorCard;
use quorate_operator::store::{BackupNote, CeremonyView, StateDir};

/// Runs the command. With `check`, a ceremony that is not finished is told by the exit code.
pub(crate) fn run(check: bool, out: &Output) -> Result<Exit, CliError> {
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let has_identity = state.has_identity().map_err(messages::store)?;
    let views = state.ceremonies().map_err(messages::store)?;
    let operator = match has_identity && out.passphrase_file.is_some() {
        true => Some(Arc::new(prompt::open_identity(&state, out)?.0)),
        false => None,
    };
    let card = match &operator {
        Some(operator) => Some(operator.card()),
        None if has_identity => state.read_card().map_err(messages::store)?,
        None => None,
    };
    let mut unfinished = false;
    let (mut texts, mut objects) = (Vec::new(), Vec::new());
    for view in &views {
        let shown = ceremony::show(&state, view, operator.as_ref())?;
        unfinished |= shown.unfinished;
        texts.push(shown.text);
        objects.push(shown.object);
    }
    if !has_identity {
        talk("There are no operator keys here. Create them with: quorate identity new");
    }
    if texts.is_empty() {
        let next = match card {
            Some(_) => {
                " Send your card to the coordinator (quorate identity show), check the ceremony \
                 file that comes back (quorate spec show FILE), and take part (quorate run FILE)."
            }
            None => "",
        };
        texts.push(format!("No ceremonies in this directory.{next}"));
    }
    if let Some(line) = operator_line(state.path(), has_identity, card.as_ref()) {
        texts.insert(0, line);
    }
    let backup = state.backup_note().map_err(messages::store)?;
    let missing = not_in(backup.as_ref(), &views)?;
    if let (Some(line), Some(_)) = (backup_line(backup.as_ref(), &missing), &card) {
        texts[0] += &line;
    }
    let running = state.holder();
    if let Some(process) = running {
        let at = usize::from(has_identity);
        texts.insert(at, format!("Process {process} is at work in this directory."));
    }
    let fields = json!({
        "dir": state.path().display().to_string(),
        "identity": has_identity,
        "backup": backup.map(|note| json!({
            "made": note.made,
            "opened": note.opened,
            "file_sha256": hex::encode(note.file),
            "missing": missing,
        })),
        "running": running,
        "operator": card.as_ref().map(card::fields),
        "ceremonies": objects,
    });
    let exit = if check && unfinished { Exit::Waiting } else { Exit::Done };
    out.finish(exit, fields, &texts.join("\n\n"))
}

/// Who this operator is, as far as that is known without its passphrase.
fn operator_line(dir: &Path, has_identity: bool, card: Option<&OperatorCard>) -> Option<String> {
    match card {
        Some(card) => Some(format!("Operator {}", card::short_forms(card))),
        None if has_identity => Some(format!(
            "The keys of an operator are here, but not its card. To make it: quorate --dir {} \
             identity show",
            messages::quoted(dir)
        )),
        None => None,
    }
}

/// Finished ceremonies that are not in the newest backup, by folder.
fn not_in(note: Option<&BackupNote>, views: &[CeremonyView]) -> Result<Vec<String>, CliError> {
    let mut missing = Vec::new();
    for view in views {
        let is_in = note.is_some_and(|note| {
            note.ceremonies.iter().any(|name| hex::encode(name) == view.name())
        });
        let erased = view.is_forgotten().map_err(messages::store)?;
        if !is_in && !erased && view.is_written().map_err(messages::store)? {
            missing.push(view.name().to_owned());
        }
    }
    Ok(missing)
}

/// How old the newest backup is that was made or opened here; nothing while there is nothing to
/// back up.
fn backup_line(note: Option<&BackupNote>, missing: &[String]) -> Option<String> {
    let Some(note) = note else {
        let next = "none was made: quorate backup make FILE";
        return (!missing.is_empty()).then(|| format!("\n  backup     {next}"));
    };
    let (made, opened) = (ago(note.made, now()), ago(note.opened, now()));
    let mut line = format!("\n  backup     made {made}\n             opened {opened}");
    if !missing.is_empty() {
        line += &format!("\n             not in it: {}", missing.join(", "));
    }
    Some(line)
}
