//! Opens this operator's part of a finished ceremony, for the commands that use it afterwards.

use std::sync::Arc;

use crate::command::taking_part::begun;
use crate::parent::{Attached, attach};
use crate::report::{CliError, Output};
use crate::{messages, prompt};
use quorate::identity::Operator;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::{OwnSeat, Participant};
use quorate::protocol::record::RecordKind;
use quorate::spec::Ceremony;
use quorate_operator::machine;
use quorate_operator::store::{CeremonyView, Lock, Log, StateDir};

/// A ceremony with what it took from its parent, if it is a reshare or repair that was begun here.
pub(crate) fn with_parent(ceremony: Ceremony, state: &StateDir) -> Result<Ceremony, CliError> {
    Ok(attached(ceremony, state)?.ceremony)
}

/// The same, with its parent.
pub(crate) fn attached(ceremony: Ceremony, state: &StateDir) -> Result<Attached, CliError> {
    let view = state.find(&ceremony.digest()).map_err(messages::store)?;
    match (ceremony.has_parent(), view) {
        (true, Some(view)) => attach(ceremony, &[], Some(&view)),
        _ => Ok(Attached { ceremony, parent: None, history: Vec::new() }),
    }
}

/// A seat, its shares, and the log that they are in.
pub(super) struct Own {
    pub(super) seat: OwnSeat,
    pub(super) participant: Participant,
    pub(super) log: Log,
    /// Bodies of the records of later signatures.
    pub(super) signed: Vec<Vec<u8>>,
    /// What opened the operator's keys.
    pub(super) passphrase: SecretBytes,
}

impl Own {
    /// Opens it. The whole ceremony is checked again, from the log: these shares, and these public
    /// shares, are what every operator signed. `None` if nothing was begun here.
    pub(super) fn open(
        lock: &Lock,
        ceremony: Arc<Ceremony>,
        out: &Output,
    ) -> Result<Option<Self>, CliError> {
        let state = lock.state();
        let Some(view) = state.find(&ceremony.digest()).map_err(messages::store)? else {
            return Ok(None);
        };
        if !begun(&view)? {
            return Ok(None);
        }
        let (operator, passphrase) = prompt::open_identity(state, out)?;
        Self::of(lock, &view, ceremony, (Arc::new(operator), passphrase)).map(Some)
    }

    /// The same of an operator whose keys are open.
    pub(super) fn of(
        lock: &Lock,
        view: &CeremonyView,
        ceremony: Arc<Ceremony>,
        (operator, passphrase): (Arc<Operator>, SecretBytes),
    ) -> Result<Self, CliError> {
        let seat = OwnSeat::find(ceremony.clone(), operator.clone())
            .ok_or_else(|| messages::no_seat(operator.name().as_str(), ceremony.name()))?;
        let dir = lock.ceremony(&ceremony.digest()).map_err(messages::store)?;
        let (log, records) = Log::open(&dir, operator.storage_key(), ceremony.digest().as_bytes())
            .map_err(messages::store)?;
        let later = records.iter().filter(|record| record.kind == RecordKind::Signed as u8);
        let signed = later.map(|record| record.body.expose().to_vec()).collect();
        let (participant, step) =
            machine::replay(&seat, records, view).map_err(messages::machine)?;
        let unfinished = || messages::unfinished(ceremony.name());
        // The log alone tells whether it came to its end: outputs can be moved away.
        let participant =
            machine::finished(participant, step, &log, view.path()).map_err(messages::machine)?;
        let participant = participant.ok_or_else(unfinished)?;
        Ok(Self { seat, participant, log, signed, passphrase })
    }
}
