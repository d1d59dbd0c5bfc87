//! Makes a state directory of a backup: its keys, and logs and outputs of ceremonies that are over.

use std::path::Path;
use std::time::Duration;

use quorate::exchange::Pacing;
use quorate::export::obol::NODE_KEY_FILE;
use quorate::identity::{InstallMark, Operator, OperatorCard};
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::participant::OwnSeat;
use quorate::transcript::{container, stopped};

use super::{Backup, End, Kept};
use crate::child::statements;
use crate::machine::{self, GIVEN_UP, Machine};
use crate::outputs::public;
use crate::store::{
    CeremonyDir, IDENTITY_FILE, Lock, Log, Record, Restored, SIGNING_FILE, SealCost, StateDir,
    seal_with_passphrase,
};
use crate::{MachineError, random};

impl Backup {
    /// Begins the directory at `path`, which is there and empty, with a fresh install mark. The
    /// keys are sealed anew. Gives the right to write there, and the card with that mark.
    pub fn begin_restoring(
        &self,
        path: &Path,
        passphrase: &SecretBytes,
        cost: SealCost,
    ) -> Result<(Lock, OperatorCard), MachineError> {
        let state = StateDir::open(path)?;
        let secret = self.operator.to_secret_bytes();
        let random = &mut random::os();
        let sealed = seal_with_passphrase(&secret, passphrase, IDENTITY_FILE, cost, random);
        state.write_identity(&sealed)?;
        let mark = state.ensure_mark(InstallMark(random::public()))?;
        let operator = Operator::from_secret_bytes(&secret).map_err(|error| internal(&error))?;
        let card = operator.with_mark(Some(mark)).card();
        state.keep_card(&card)?;
        let lock = state.lock()?;
        let directory = Digest::ZERO;
        let made = self.known_until(&directory);
        lock.note_restored(&Restored { made, ceremony: directory })?;
        for child in &self.children {
            lock.write_child(child)?;
        }
        for (name, log) in &self.ledgers {
            lock.write_ledger(name, log)?;
        }
        if let Some(key) = &self.node_key {
            lock.write_private(NODE_KEY_FILE, key.expose())?;
        }
        if let Some(text) = &self.signing {
            lock.write_private(SIGNING_FILE, text)?;
        }
        Ok((lock, card))
    }

    /// Writes a ceremony's file, the transcripts of its parents, and its log, anew.
    pub fn restore_log(&self, kept: &Kept, lock: &Lock) -> Result<CeremonyDir, MachineError> {
        let digest = kept.ceremony.digest();
        let dir = lock.ceremony(&digest)?;
        if !kept.history.is_empty() {
            dir.keep_history(&kept.history)?;
        }
        let mut log = Log::create(&dir, self.operator.storage_key(), digest.as_bytes())?;
        let copied = |record: &Record| Record {
            kind: record.kind,
            body: SecretBytes::new(record.body.expose().to_vec()),
        };
        log.append(&kept.records.iter().map(copied).collect::<Vec<_>>())?;
        dir.write_ceremony_file(&kept.file)?;
        if kept.end == End::Finished {
            let made = self.known_until(&digest);
            lock.note_restored(&Restored { made, ceremony: digest })?;
        }
        Ok(dir)
    }

    /// Makes what follows from a log that was written anew: the outputs, without keystores, or the
    /// record of the abandonment. The whole log is replayed, so one that does not hold is found
    /// here. `seat` has what a reshare takes from its parent.
    pub fn restore_outputs(
        &self,
        kept: &Kept,
        seat: &OwnSeat,
        lock: &Lock,
        dir: &CeremonyDir,
    ) -> Result<(), MachineError> {
        let ceremony = &seat.ceremony;
        if kept.end == End::Abandoned {
            let said = statements(&kept.records, ceremony);
            let private = ceremony.reshare().is_some();
            dir.write_evidence(GIVEN_UP, &stopped::encode(ceremony, &said), private)?;
            return Ok(());
        }
        if ceremony.version().is_current() {
            let pacing = Pacing::new(Duration::ZERO);
            let (exchange, _) = Machine::open(lock, seat, &kept.file, Vec::new(), pacing)?;
            return match exchange.participant().is_finished() {
                true => Ok(()),
                false => Err(not_finished()),
            };
        }
        // Of an older version this program makes the transcript alone.
        let (log, records) =
            Log::open(dir, seat.operator.storage_key(), ceremony.digest().as_bytes())?;
        let (participant, step) = machine::replay(seat, records, dir.view())?;
        let finished = machine::finished(participant, step, &log, dir.view().path())?;
        let participant = finished.ok_or_else(not_finished)?;
        let inbox = participant.inbox();
        let bytes = container::encode(
            ceremony,
            inbox.statements().chain(inbox.minima()).chain(inbox.withouts()),
        );
        let bytes = bytes.map_err(|_| not_finished())?;
        dir.stage(&[public("transcript.quorate", bytes)])?.write_out()?;
        Ok(())
    }
}

fn not_finished() -> MachineError {
    internal(&"a finished ceremony of a backup is not finished")
}

fn internal(error: &dyn core::fmt::Display) -> MachineError {
    MachineError::Internal(error.to_string())
}
