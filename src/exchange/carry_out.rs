//! What a participant asks of its machine, carried out in the one order that keeps it safe.

use std::collections::VecDeque;

use crate::message::envelope::Statement;
use crate::primitives::secret::SecretBytes;
use crate::protocol::evidence::Fault;
use crate::protocol::participant::{Ask, Input, Participant, Refused, Step};
use crate::protocol::record::{Record, RecordKind, ReplayError};

/// Where a participant keeps its log and its outputs.
///
/// Everything is durable when a call returns. After an error, or a loss of power at any moment, a
/// new run starts from the records that are there.
pub trait Storage {
    /// Why something was not stored.
    type Error;

    /// Appends records to the log, all or none, and syncs it. Never called without records.
    fn persist(&mut self, records: Vec<Record>) -> Result<(), Self::Error>;

    /// Erases all records of these kinds for good. Never called without kinds.
    fn erase(&mut self, kinds: &[RecordKind]) -> Result<(), Self::Error>;

    /// The bodies of the records of a kind, read back from where they are stored and not from
    /// memory.
    fn read_back(&mut self, kind: RecordKind) -> Result<Vec<SecretBytes>, Self::Error>;

    /// Writes all outputs but those that need everybody's final to a place where nobody takes them
    /// for outputs.
    fn stage(&mut self, participant: &Participant) -> Result<(), Self::Error>;

    /// Adds the others to what was staged, the transcript among them, and makes everything appear
    /// at once. Outputs of an earlier run that are there must be the same.
    fn write_outputs(&mut self, participant: &Participant) -> Result<(), Self::Error>;

    /// Keeps the proof of a fault, for whoever judges it.
    fn keep_proof(&mut self, participant: &Participant, fault: &Fault) -> Result<(), Self::Error>;

    /// Keeps every statement that is held, for an auditor of a ceremony that a fault has stopped.
    fn keep_everything(&mut self, participant: &Participant) -> Result<(), Self::Error>;

    /// Sees each step before anything of it is done.
    fn before(&mut self, _: &Participant, _: &Step) {}

    /// Sees where the participant stands when a step's records are written and erased.
    fn after(&mut self, _: &Participant) {}
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Trouble<E> {
    /// Something was not stored.
    #[error("not stored: {0}")]
    Storage(E),
    /// The log, or the shares read back from it, are damaged.
    #[error(transparent)]
    Replay(ReplayError),
    /// The participant did not take the answer to its own question: a mistake in this program.
    #[error("a bug in this program: {0}")]
    Unasked(Refused),
}

/// Carries out a step and all that follows from it: write and sync, erase, then act. Gives the
/// statements to send: none of them may leave before this returns.
pub fn carry_out<S: Storage>(
    participant: &mut Participant,
    step: Step,
    storage: &mut S,
) -> Result<Vec<Statement>, Trouble<S::Error>> {
    let mut said = Vec::new();
    let mut steps = VecDeque::from([step]);
    while let Some(step) = steps.pop_front() {
        storage.before(participant, &step);
        if !step.persist.is_empty() {
            storage.persist(step.persist).map_err(Trouble::Storage)?;
        }
        if !step.erase.is_empty() {
            storage.erase(&step.erase).map_err(Trouble::Storage)?;
        }
        storage.after(participant);
        said.extend(step.send);
        for ask in step.asks {
            let input = match ask {
                Ask::Reread(kind) => {
                    Input::Reread(storage.read_back(kind).map_err(Trouble::Storage)?)
                }
                Ask::Stage => {
                    storage.stage(participant).map_err(Trouble::Storage)?;
                    Input::Staged
                }
                Ask::WriteOut => {
                    storage.write_outputs(participant).map_err(Trouble::Storage)?;
                    continue;
                }
            };
            steps.push_back(participant.handle(input).map_err(|refused| match refused {
                Refused::Storage(error) => Trouble::Replay(error),
                other => Trouble::Unasked(other),
            })?);
        }
    }
    Ok(said)
}
