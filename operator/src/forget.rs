//! Erases an operator's shares of a ceremony that is over, on its person's request
//! (`ceremony-specs/09-storage.md`, section 9.6).

use quorate::protocol::participant::{OwnSeat, Participant};
use quorate::protocol::record::RecordKind;

use crate::backup::End;
use crate::child::{gives_up, statements};
use crate::store::{CeremonyDir, Lock, Log};
use crate::{MachineError, machine};

/// What of a log is not secret, and stays: what was said, by whom it was heard, and what was
/// signed afterwards.
const STAYS: [RecordKind; 4] =
    [RecordKind::Statement, RecordKind::Confirmed, RecordKind::Signed, RecordKind::Done];

/// How a ceremony ended for this operator, and of one that is finished its participant; `None` if
/// it is under way.
///
/// # Errors
/// Its log cannot be read, or its shares were erased ([`MachineError::Forgotten`]).
pub fn ended(
    lock: &Lock,
    seat: &OwnSeat,
) -> Result<Option<(End, Option<Participant>)>, MachineError> {
    let (storage, digest) = (seat.operator.storage_key(), seat.ceremony.digest());
    let dir = lock.ceremony(&digest)?;
    let (log, records) = Log::open(&dir, storage, digest.as_bytes())?;
    if gives_up(&statements(&records, &seat.ceremony), seat.me) {
        return Ok(Some((End::Abandoned, None)));
    }
    let (participant, step) = machine::replay(seat, records, dir.view())?;
    let finished = machine::finished(participant, step, &log, dir.view().path())?;
    Ok(finished.map(|participant| (End::Finished, Some(participant))))
}

/// Erases the shares of a ceremony that is over, and every other secret in its log; the keystores
/// among its outputs; and what was staged. That they were erased is noted first, so that the same
/// command completes what an interruption leaves.
pub fn forget(lock: &Lock, seat: &OwnSeat) -> Result<CeremonyDir, MachineError> {
    let digest = seat.ceremony.digest();
    let dir = lock.ceremony(&digest)?;
    dir.note_forgotten(&digest)?;
    let (mut log, _) = Log::open(&dir, seat.operator.storage_key(), digest.as_bytes())?;
    log.compact(|kind| STAYS.iter().any(|stays| *stays as u8 == kind))?;
    dir.erase_secrets()?;
    Ok(dir)
}
