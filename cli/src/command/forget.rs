//! `quorate forget`: erases this operator's shares of a ceremony that is over.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::finished::with_parent;
use super::status::agreed;
use super::taking_part::begun;
use crate::args::Forget;
use crate::messages::{quoted, shown};
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, prompt};
use quorate::identity::Operator;
use quorate::primitives::hash::Digest;
use quorate::protocol::participant::{OwnSeat, Participant};
use quorate_operator::backup::End;
use quorate_operator::forget::{ended, forget};
use quorate_operator::generation;
use quorate_operator::store::{CeremonyView, Lock, StateDir};

/// Runs the command.
pub(crate) fn run(args: &Forget, out: &Output) -> Result<Exit, CliError> {
    let (_, ceremony) = input::any_ceremony(&args.file)?;
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let ceremony = Arc::new(with_parent(ceremony, &state)?);
    let lock = state.lock().map_err(messages::store)?;
    let nothing = || messages::nothing_here(ceremony.name(), state.path());
    let view = state.find(&ceremony.digest()).map_err(messages::store)?.ok_or_else(nothing)?;
    if !begun(&view)? {
        return Err(nothing());
    }
    let (operator, _) = prompt::open_identity(&state, out)?;
    let operator = Arc::new(operator);
    let seat = OwnSeat::find(ceremony.clone(), operator.clone())
        .ok_or_else(|| messages::no_seat(operator.name().as_str(), ceremony.name()))?;
    let again = view.is_forgotten().map_err(messages::store)?;
    if !again {
        agree(args, &lock, &seat, &view)?;
    }
    let dir = forget(&lock, &seat).map_err(messages::machine)?;
    let first = if again { "They were erased before" } else { "Erased" };
    let transcript = dir.view().out().join("public/transcript.quorate");
    out.finish(
        Exit::Done,
        json!({
            "ceremony": ceremony.name(),
            "spec_digest": ceremony.digest().to_string(),
            "folder": dir.view().path().display().to_string(),
            "erased_before": again,
        }),
        &format!(
            "{first}: this operator's shares of {:?} in {}\nStill possible: quorate audit {}, and \
             whatever needs the transcript alone.\nNo longer from here: exits, further deposits, \
             registrations, keystores, and dealing these shares in a reshare.",
            ceremony.name(),
            shown(dir.view().path()),
            quoted(&transcript)
        ),
    )
}

/// Says what is erased, and asks for one sentence, or for two.
fn agree(args: &Forget, lock: &Lock, seat: &OwnSeat, view: &CeremonyView) -> Result<(), CliError> {
    let ceremony = &seat.ceremony;
    let newer = match ended(lock, seat).map_err(messages::machine)? {
        None => return Err(messages::forget_under_way(ceremony.name())),
        Some((End::Finished, _)) if !ceremony.parts().receivers.contains(seat.me) => {
            return Err(messages::has_left(ceremony.name()));
        }
        Some((End::Finished, Some(participant))) => newer(lock, &participant, &seat.operator)?,
        Some((End::Abandoned | End::Finished, _)) => Some(Vec::new()),
    };
    talk(&messages::forgets(ceremony, view.path(), newer.as_deref()));
    if newer.is_none() {
        let what = (messages::WITHOUT, messages::not_without_by_word as fn() -> CliError);
        prompt::sentence(what, args.yes_without.as_deref(), "--yes-without")?;
    }
    let what = (messages::FORGET, messages::not_forgotten_by_word as fn() -> CliError);
    prompt::sentence(what, args.yes_forget.as_deref(), "--yes-forget")
}

/// The reshares that have replaced all shares of a finished ceremony; `None` if some are the
/// newest. A reshare of them that is not over is an error.
fn newer(
    lock: &Lock,
    participant: &Participant,
    operator: &Arc<Operator>,
) -> Result<Option<Vec<String>>, CliError> {
    let state = lock.state();
    let outcome = participant.outcome().expect("a finished ceremony has an outcome");
    let generation = generation(&participant.seat().ceremony, outcome.certificate);
    let keys = outcome.validators.iter().map(|validator| validator.public_key.to_compressed());
    let mut left: BTreeSet<[u8; 48]> = keys.collect();
    let (mut newer, mut known) = (Vec::new(), BTreeSet::<Digest>::new());
    for view in state.ceremonies().map_err(messages::store)? {
        // What cannot be read has no log that could be replayed; notes tell of it, below.
        let Ok(ceremony) = agreed(&view)? else { continue };
        let Some(spec) = ceremony.reshare() else { continue };
        let named = spec.origin.parent().map(|parent| parent.certificate);
        // A repair replaces nothing.
        if named != Some(generation) || ceremony.is_repair() {
            continue;
        }
        let keys: Vec<[u8; 48]> = spec.validators.iter().map(|one| one.key).collect();
        let named = format!("{:?}, attempt {}", ceremony.name(), ceremony.attempt());
        let digest = ceremony.digest();
        match over(lock, ceremony, &view, operator) {
            Ok(Some(End::Finished)) => {
                left.retain(|key| !keys.contains(key));
                newer.push(named);
            }
            Ok(Some(End::Abandoned)) => {}
            Ok(None) => return Err(messages::forget_needed(&named, "it is under way")),
            Err(error) => return Err(messages::forget_needed(&named, &error.what)),
        }
        known.insert(digest);
    }
    let children = state.children().map_err(messages::store)?;
    let lost =
        children.iter().find(|child| child.parent == generation && !known.contains(&child.reshare));
    match lost {
        Some(child) => {
            let why = "its folder is missing";
            Err(messages::forget_needed(&child.reshare.to_string(), why))
        }
        None => Ok(Some(newer).filter(|_| left.is_empty())),
    }
}

/// How a reshare ended for this operator; `None` while it is under way.
fn over(
    lock: &Lock,
    ceremony: quorate::spec::Ceremony,
    view: &CeremonyView,
    operator: &Arc<Operator>,
) -> Result<Option<End>, CliError> {
    if !begun(view)? {
        return Ok(Some(End::Abandoned));
    }
    let written = view.is_written().map_err(messages::store)?;
    if written && view.is_forgotten().map_err(messages::store)? {
        return Ok(Some(End::Finished));
    }
    let ceremony = Arc::new(with_parent(ceremony, lock.state())?);
    let name = ceremony.name().to_owned();
    let seat = OwnSeat::find(ceremony, operator.clone())
        .ok_or_else(|| messages::no_seat(operator.name().as_str(), &name))?;
    let ended = ended(lock, &seat).map_err(messages::machine)?;
    Ok(ended.map(|(end, _)| end))
}
