//! Answers a request: check it, confirm it, sign, log. The log entry is durable before the answer
//! leaves.

use std::sync::Arc;

use super::{check_epoch, compare_with_beacon, describe, read_request};
use crate::args::Asked;
use crate::command::finished::Own;
use crate::report::{CliError, Output, talk};
use crate::{input, messages, policy, prompt};
use quorate::identity::Operator;
use quorate::primitives::secret::wiping;
use quorate::protocol::record::RecordKind;
use quorate::signing::ledger::{Admission, Entry, admit};
use quorate::signing::partial::Partial;
use quorate::signing::{Cleared, Parent, Request};
use quorate::spec::{Ceremony, Index};
use quorate_operator::store::{CeremonyView, Record, StateDir};

/// The word that a person types.
const WORD: &str = "sign";

/// An answer that the log remembers, with what it answers.
pub(super) struct Answered {
    pub(super) cleared: Cleared,
    pub(super) parent: Parent,
    pub(super) operator: Arc<Operator>,
    pub(super) partial: Partial,
}

/// Answers a request. `ready` is asked, before a person is, whether the answer has somewhere to go.
/// The state directory is free again afterwards, and the shares are gone from memory.
pub(super) fn answer<T>(
    args: &Asked,
    kind: &'static str,
    out: &Output,
    ready: impl FnOnce(&Cleared, &Parent, Index) -> Result<T, CliError>,
) -> Result<(Answered, T), CliError> {
    let request = read_request(&args.request, kind)?;
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    // What is refused whatever the ceremony says is refused first.
    let ask = policy::must_ask(state.path(), &request.purpose, &request.public_key, args.yes)?;
    let lock = state.lock().map_err(messages::store)?;
    let view = state.find(&request.ceremony).map_err(messages::store)?;
    let no_part = || messages::no_part(&args.request, &request.ceremony.to_string(), state.path());
    let view = view.ok_or_else(no_part)?;
    let ceremony = Arc::new(agreed(&view, &request)?);
    let Own { seat, participant, mut log, signed, .. } =
        Own::open(&lock, ceremony.clone(), out)?.ok_or_else(no_part)?;
    let parent =
        Parent::finished(&participant).ok_or_else(|| messages::unfinished(ceremony.name()))?;

    let cleared =
        parent.clear(request).map_err(|error| messages::request(&args.request, &error))?;
    check_epoch(&cleared.request.purpose, ceremony.network(), args.future_epoch)?;
    compare_with_beacon(args.beacon.as_deref(), &cleared, &ceremony)?;
    let admitted = admit(signed.iter().map(Vec::as_slice), &cleared);
    let admitted = admitted.map_err(|error| messages::ledger(view.path(), &error))?;
    let ready = ready(&cleared, &parent, seat.me)?;

    talk(&describe(&cleared, &ceremony, args.beacon.is_some()));
    agree(&admitted, ask)?;
    let shares = participant
        .shares()
        .ok_or_else(|| messages::internal("a finished ceremony without shares"))?;
    let share = &shares[cleared.validator];
    let partial = wiping(|| Partial::sign(&cleared, &seat.operator, seat.me, share))
        .ok_or_else(messages::own_partial)?;
    if !partial.verifies(&cleared, &parent) {
        return Err(messages::own_partial());
    }
    if admitted != Admission::Again {
        let record = Record { kind: RecordKind::Signed as u8, body: Entry::of(&cleared).encode() };
        log.append(&[record]).map_err(messages::store)?;
    }
    Ok((Answered { cleared, parent, operator: seat.operator, partial }, ready))
}

/// Says what the log remembers, and asks a person if nobody has allowed it in advance.
fn agree(admitted: &Admission, ask: bool) -> Result<(), CliError> {
    match admitted {
        Admission::Again => {
            talk("This operator has already answered this request; it gives the same answer again.")
        }
        Admission::New { other_exits: 0 } => {}
        Admission::New { other_exits } => {
            talk(&format!(
                "NOTE: this operator has already signed {other_exits} other exits of this \
                 validator, for a different index or epoch."
            ));
        }
    }
    let question = format!("Type the word {WORD:?} to sign it");
    if ask && prompt::line(&question, "--yes, with an allow-list in signing.toml")? != WORD {
        return Err(messages::not_agreed());
    }
    Ok(())
}

/// The ceremony as this operator agreed to it.
fn agreed(view: &CeremonyView, request: &Request) -> Result<Ceremony, CliError> {
    let gone = |why: &str| messages::ceremony_file_gone(view.path(), why);
    let bytes = view.ceremony_file().map_err(messages::store)?.ok_or_else(|| gone("not found"))?;
    let text = core::str::from_utf8(&bytes).map_err(|_| gone("not UTF-8 text"))?;
    let ceremony = input::parse_ceremony(text).map_err(|error| gone(&error.to_string()))?;
    if ceremony.digest() == request.ceremony {
        Ok(ceremony)
    } else {
        Err(gone("not the ceremony of the request"))
    }
}
