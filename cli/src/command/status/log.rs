//! What a ceremony's log tells: whom it waits for, and whether it was put back to an earlier state.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::stand::Stand;
use crate::command::signing::source::context;
use crate::live::{abandoned_by, gave_up};
use crate::messages;
use crate::progress::{Named, listed, round_word, seat_name, seat_names};
use crate::report::CliError;
use quorate::audit::describe;
use quorate::identity::Operator;
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::put_back::PutBack;
use quorate::protocol::record::{RecordKind, ReplayError};
use quorate::signing::ledger::exits;
use quorate::spec::Ceremony;
use quorate_operator::store::{CeremonyView, Log, StateDir};
use quorate_operator::{MachineError, machine};

/// What a log tells.
pub(super) enum Told {
    /// This operator gave up; the record of it may be missing yet.
    GivenUp,
    /// The log was put back to an earlier state.
    PutBack,
    /// Whom the ceremony waits for, in words and by name; and the fault that stands in its way, if
    /// there is one.
    Waits {
        sentence: String,
        names: Vec<Named>,
        fault: Option<String>,
        /// Whether this operator's own person is awaited, to stop the keys that it deals.
        stop: bool,
        /// Who has signed that it gave up: the name, and what it means here.
        gone: Vec<(Named, String)>,
    },
}

pub(super) fn told(
    view: &CeremonyView,
    ceremony: &Arc<Ceremony>,
    operator: &Arc<Operator>,
) -> Result<Told, CliError> {
    let Some(seat) = OwnSeat::find(ceremony.clone(), operator.clone()) else {
        return Err(messages::no_seat(operator.name().as_str(), ceremony.name()));
    };
    let records = Log::read(view, operator.storage_key(), ceremony.digest().as_bytes())
        .map_err(messages::store)?;
    let reread = |kind| {
        let records = Log::read(view, operator.storage_key(), ceremony.digest().as_bytes())?;
        let of_kind = records.into_iter().filter(|record| record.kind == kind);
        Ok(of_kind.map(|record| record.body).collect())
    };
    // A replay changes nothing: what it would write or sign is left undone.
    let read = machine::replay(&seat, records, view)
        .and_then(|(participant, step)| machine::looked_at(participant, step, reread, view.path()));
    let participant = match read {
        Ok(participant) => participant,
        Err(MachineError::Replay { error: ReplayError::Abandoned, .. }) => {
            return Ok(Told::GivenUp);
        }
        Err(MachineError::PutBack { .. }) => return Ok(Told::PutBack),
        Err(error) => return Err(messages::machine(error)),
    };
    let waiting = participant.waiting();
    let names = seat_names(ceremony, &waiting.everybody());
    let fault = participant.fault().map(|fault| {
        let stored = match participant.is_prepared() {
            true => {
                "your shares are stored; it can still finish if the other operators complete the \
                 certificate"
            }
            false => "you never confirmed shares",
        };
        format!("{}; {stored}", describe::fault(&fault.rule, Some(ceremony)))
    });
    let sentence = match waiting.round {
        _ if waiting.stop => {
            "for you: stop the validators' old shares, then run it with --stopped".to_owned()
        }
        Some(round) if !names.is_empty() => {
            format!(
                "for {}, in round {} of 5 ({})",
                listed(&names),
                round.number() + 1,
                round_word(round)
            )
        }
        _ => "for nobody; run it to continue".to_owned(),
    };
    let gone = abandoned_by(&participant)
        .into_iter()
        .map(|index| (seat_name(ceremony, index), gave_up(&participant, index)))
        .collect();
    Ok(Told::Waits { sentence, names, fault, stop: waiting.stop, gone })
}

/// The validators of a ceremony of which this operator has signed an exit: by its log, and by that
/// of what was signed with keystores alone.
pub(super) fn signed_exits(
    state: &StateDir,
    view: &CeremonyView,
    ceremony: &Ceremony,
    operator: &Operator,
) -> Result<BTreeSet<[u8; 48]>, CliError> {
    let (storage, digest) = (operator.storage_key(), ceremony.digest());
    let mut records = Log::read(view, storage, digest.as_bytes()).map_err(messages::store)?;
    let alone = state.find_signatures(&digest).map_err(messages::store)?;
    if let Some(alone) = alone.filter(|alone| alone.has_log().unwrap_or(true)) {
        let read = Log::read(&alone, storage, &context(&digest)).map_err(messages::store)?;
        records.extend(read);
    }
    let signed = records.iter().filter(|record| record.kind == RecordKind::Signed as u8);
    let exits = exits(signed.map(|record| record.body.expose()));
    exits.map_err(|error| messages::ledger(state.path(), &error))
}

/// Whether the log is one that was put back to an earlier state.
pub(super) fn older(
    view: &CeremonyView,
    ceremony: &Arc<Ceremony>,
    operator: &Arc<Operator>,
    stand: Stand,
) -> Result<Option<PutBack>, CliError> {
    let Some(seat) = OwnSeat::find(ceremony.clone(), operator.clone()) else { return Ok(None) };
    if matches!(stand, Stand::Empty | Stand::LogGone | Stand::GivenUp) {
        return Ok(None);
    }
    let read = || -> Result<Option<PutBack>, MachineError> {
        let digest = ceremony.digest();
        let records = Log::read(view, operator.storage_key(), digest.as_bytes())?;
        machine::put_back(&seat, &records, view, &[])
    };
    match read() {
        Ok(found) => Ok(found),
        // What can be said without the log is enough.
        Err(_) if matches!(stand, Stand::Finished | Stand::Faulted) => Ok(None),
        Err(error) => Err(messages::machine(error)),
    }
}
