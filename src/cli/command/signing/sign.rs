//! Answering a request: look at it, ask, write down, sign, write out. In this order, so that nothing leaves that the log does not remember.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::{check_epoch, compare_with_beacon, describe, read_request};
use crate::cli::args::SignArgs;
use crate::cli::command::finished::Own;
use crate::cli::messages::shown;
use crate::cli::report::{CliError, Exit, Output, talk};
use crate::cli::{input, messages, policy, prompt, random};
use crate::protocol::participant::OwnSeat;
use crate::protocol::record::RecordKind;
use crate::signing::ledger::{Admission, Entry, admit};
use crate::signing::partial::Partial;
use crate::signing::{Cleared, Delivery, Parent, Request};
use crate::spec::Ceremony;
use crate::store::{CeremonyView, Record, StateDir};

/// The word that a person types.
const WORD: &str = "sign";

/// `quorate exit sign`, `quorate deposit sign`.
pub(super) fn run(args: &SignArgs, kind: &'static str, out: &Output) -> Result<Exit, CliError> {
    let request = read_request(&args.request, kind)?;
    if let Some(output) = &args.output {
        input::must_be_free(output)?;
    }
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    // What is refused whatever the ceremony says is refused first.
    let ask = policy::must_ask(state.path(), &request.purpose, &request.public_key, args.yes)?;
    let lock = state.lock().map_err(messages::store)?;
    let view = state.find(&request.ceremony).map_err(messages::store)?;
    let no_part = || messages::no_part(&args.request, &request.ceremony.to_string(), state.path());
    let view = view.ok_or_else(no_part)?;
    let ceremony = Arc::new(agreed(&view, &request)?);
    let Own { seat, participant, mut log, signed, .. } = Own::open(&lock, ceremony.clone(), out)?.ok_or_else(no_part)?;
    let parent = Parent::finished(&participant).ok_or_else(|| messages::unfinished(ceremony.name()))?;

    let cleared = parent.clear(request).map_err(|error| messages::request(&args.request, &error))?;
    check_epoch(&cleared.request.purpose, ceremony.network(), args.future_epoch)?;
    compare_with_beacon(args.beacon.as_deref(), &cleared, &ceremony)?;
    let admitted = admit(signed.iter().map(Vec::as_slice), &cleared);
    let admitted = admitted.map_err(|error| messages::ledger(view.path(), &error))?;
    let output = args.output.clone().unwrap_or_else(|| default_output(&cleared, seat.me.get()));
    input::must_be_free(&output)?;

    talk(&describe(&cleared, &ceremony, args.beacon.is_some()));
    match admitted {
        Admission::Again => talk("This operator has answered this request before; the answer is written again."),
        Admission::New { other_exits: 0 } => {}
        Admission::New { other_exits } => {
            talk(&format!(
                "NOTE: this operator has signed {other_exits} other exits of this validator, for another index or epoch."
            ));
        }
    }
    if ask && prompt::line(&format!("Type the word {WORD:?} to sign it"), "--yes, with an allow-list in signing.toml")? != WORD {
        return Err(messages::not_agreed());
    }

    let shares = participant.shares().ok_or_else(|| messages::internal("a finished ceremony without shares"))?;
    let partial =
        Partial::sign(&cleared, &seat.operator, seat.me, &shares[cleared.validator]).ok_or_else(messages::own_partial)?;
    if !partial.verifies(&cleared, &parent) {
        return Err(messages::own_partial());
    }
    if admitted != Admission::Again {
        let record = Record { kind: RecordKind::Signed as u8, body: Entry::of(&cleared).encode() };
        log.append(&[record]).map_err(messages::store)?;
    }
    input::write_private(&output, &partial.to_json(&cleared, &seat.operator, random::secret()))?;
    finish(&cleared, &seat, &output, out)
}

fn finish(cleared: &Cleared, seat: &OwnSeat, output: &Path, out: &Output) -> Result<Exit, CliError> {
    let whom = match &cleared.request.delivery {
        Delivery::Public => "whoever combines the answers".to_owned(),
        Delivery::Custodian(card) => format!("{}, who alone can open it", card.name),
    };
    out.finish(
        Exit::Done,
        json!({
            "request": cleared.request.id().to_string(),
            "operator": seat.me.get(),
            "file": output.display().to_string(),
        }),
        &format!("Signed, and remembered. Wrote {}\nSend it to {whom}.", shown(output)),
    )
}

/// The ceremony as this operator agreed to it.
fn agreed(view: &CeremonyView, request: &Request) -> Result<Ceremony, CliError> {
    let gone = |why: &str| messages::ceremony_file_gone(view.path(), why);
    let bytes = view.ceremony_file().map_err(messages::store)?.ok_or_else(|| gone("not found"))?;
    let text = core::str::from_utf8(&bytes).map_err(|_| gone("not UTF-8 text"))?;
    let ceremony = input::parse_ceremony(text).map_err(|error| gone(&error.to_string()))?;
    if ceremony.digest() == request.ceremony { Ok(ceremony) } else { Err(gone("of another ceremony than the request")) }
}

fn default_output(cleared: &Cleared, index: u16) -> PathBuf {
    PathBuf::from(format!("partial-{index}-{}.json", &cleared.request.id().to_string()[..8]))
}
