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

use super::card;
use crate::report::{CliError, Exit, Output, talk};
use crate::{messages, prompt};
use quorate::identity::OperatorCard;
use quorate_operator::store::StateDir;

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
    let fields = json!({
        "dir": state.path().display().to_string(),
        "identity": has_identity,
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
