//! A participant's log and outputs on disk: the [`Storage`] of a live ceremony.

use quorate::exchange::{Exchange, Pacing, Storage, Trouble};
use quorate::message::envelope::Statement;
use quorate::message::shape::Shape;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::evidence::Fault;
use quorate::protocol::participant::{OwnSeat, Participant};
use quorate::protocol::record::{Record, RecordKind, ReplayError};
use quorate::spec::Ceremony;
use quorate::transcript::stopped;

use crate::MachineError;
use crate::child::{self, Superseding};
use crate::keystores::KeystorePlan;
use crate::outputs::Outputs;
use crate::store::{self, CeremonyDir, CeremonyView, Lock, Log};

pub use crate::replay::{finished, looked_at, old_shares, put_back, replay};

/// Names of evidence: the proof of a fault; everything that was held when a fault ended the run;
/// and when the operator gave up.
pub const FAULT: &str = "fault";
/// See [`FAULT`].
pub const STOPPED: &str = "stopped";
/// See [`FAULT`].
pub const GIVEN_UP: &str = "stopped-given-up";
/// Own statements that others hold and the log lacked when that was found.
pub const PUT_BACK: &str = "put-back";

/// Refuses a ceremony of an older version that is not finished in its folder, where it has one.
/// What is finished goes on serving others.
pub fn check_version(ceremony: &Ceremony, view: Option<&CeremonyView>) -> Result<(), MachineError> {
    let version = ceremony.version();
    match version.is_current() || view.map_or(Ok(false), CeremonyView::is_written)? {
        true => Ok(()),
        false => Err(MachineError::OldVersion(ReplayError::Version(version))),
    }
}

/// A participant's log and outputs.
pub struct Machine {
    log: Log,
    dir: CeremonyDir,
    outputs: Outputs,
    lock: Lock,
    seat: OwnSeat,
}

impl Machine {
    /// Opens the log of `seat`'s ceremony or begins one, and carries out what follows. `file`: the
    /// ceremony file as it was read, kept beside the log in the place of an older one with other
    /// addresses; `keystores`: what will be written.
    ///
    /// The keys of keystores are derived from now on, so that nobody waits for them when there are
    /// shares; where outputs are written already, there is nothing to derive.
    pub fn open(
        lock: &Lock,
        seat: &OwnSeat,
        file: &[u8],
        keystores: Vec<KeystorePlan>,
        pacing: Pacing,
    ) -> Result<(Exchange, Self), MachineError> {
        let digest = seat.ceremony.digest();
        check_version(&seat.ceremony, lock.state().find(&digest)?.as_ref())?;
        child::check_only(lock.state(), seat)?;
        let begun = lock.state().find(&digest)?.map_or(Ok(false), |view| view.has_log())?;
        if !begun {
            child::check_attempt(lock.state(), seat)?;
        }
        let dir = lock.ceremony(&digest)?;
        let keystores = match dir.view().is_written()? {
            true => keystores,
            false => keystores.into_iter().map(KeystorePlan::begin).collect::<Result<_, _>>()?,
        };
        let storage_key = seat.operator.storage_key();
        let (mut log, records) =
            Log::open_or_create(&dir, storage_key, seat.ceremony.digest().as_bytes())?;
        log.reserve(room_needed(&Shape::of(&seat.ceremony)))?;
        let said = records.iter().filter(|record| record.kind == RecordKind::Statement as u8);
        if child::commits(seat, said.map(|record| record.body.expose())) {
            // Should the note have been lost.
            child::note(lock, seat)?;
        }
        let (participant, step) = replay(seat, records, dir.view())?;
        // This log accounts for what an older one lacked.
        dir.remove_evidence(PUT_BACK)?;
        // After the log is there and before anything is signed, so that this file without a log
        // tells that a log was lost.
        dir.write_ceremony_file(file)?;
        let (lock, seat, outputs) = (lock.clone(), seat.clone(), Outputs::new(keystores));
        let mut machine = Self { log, dir, outputs, lock, seat };
        let begun = Exchange::begin(participant, step, pacing, &mut machine);
        Ok((begun.map_err(|trouble| machine.error(trouble))?, machine))
    }

    /// Whether what it leaves for judges is for this user alone: in a reshare a complaint shows a
    /// share that was dealt of a key that lives.
    fn is_private(&self) -> bool {
        self.seat.ceremony.reshare().is_some()
    }

    /// The folder of the ceremony.
    pub fn dir(&self) -> &CeremonyDir {
        &self.dir
    }

    /// Notes, durably, that this operator commits to this reshare and to no other one: before its
    /// old keys are removed. Nothing of any other ceremony.
    pub fn note_child(&self) -> Result<(), MachineError> {
        child::note(&self.lock, &self.seat)
    }

    /// The reshares and imports by which this operator's shares of an outcome are superseded: then
    /// no keystores of them are written.
    pub fn superseding(&self, participant: &Participant) -> Result<Vec<Superseding>, MachineError> {
        let Some(outcome) = participant.outcome() else { return Ok(Vec::new()) };
        child::superseding_those(self.lock.state(), &self.seat, outcome)
    }

    /// What a run ended with, in terms of this machine.
    pub fn error(&self, trouble: Trouble<MachineError>) -> MachineError {
        match trouble {
            Trouble::Storage(error) => error,
            Trouble::Replay(error) => MachineError::replay(self.dir.view().path(), error),
            Trouble::Unasked(refused) => MachineError::Internal(refused.to_string()),
        }
    }
}

/// What the log of a whole ceremony takes, twice over, in bytes.
pub fn room_needed(shape: &Shape) -> u64 {
    let statements: usize =
        shape.slots().filter_map(|(round, seat)| shape.statement_bytes(seat, round)).sum();
    let bytes = statements + 2 * shape.n * shape.box_bytes() + 3 * shape.dealt_bytes();
    u64::try_from(2 * bytes + 65_536).expect("a spec's size fits 64 bits")
}

impl Storage for Machine {
    type Error = MachineError;

    fn persist(&mut self, records: Vec<Record>) -> Result<(), MachineError> {
        let said = records.iter().filter(|record| record.kind == RecordKind::Statement);
        // Made here, or taken from others by a log that was put back: a log with the commit without
        // this note would bind to nothing.
        if child::commits(&self.seat, said.map(|record| record.body.expose())) {
            child::note(&self.lock, &self.seat)?;
        }
        let records: Vec<store::Record> = records
            .into_iter()
            .map(|record| store::Record { kind: record.kind as u8, body: record.body })
            .collect();
        Ok(self.log.append(&records)?)
    }

    fn erase(&mut self, kinds: &[RecordKind]) -> Result<(), MachineError> {
        let gone: Vec<u8> = kinds.iter().map(|kind| *kind as u8).collect();
        if gone.iter().any(|kind| self.log.holds(*kind)) {
            self.log.compact(|kind| !gone.contains(&kind))?;
        }
        Ok(())
    }

    fn read_back(&mut self, kind: RecordKind) -> Result<Vec<SecretBytes>, MachineError> {
        Ok(self.log.reread(kind as u8)?)
    }

    fn stage(&mut self, participant: &Participant) -> Result<(), MachineError> {
        // Before the final, which binds: also of an operator that only receives.
        child::note(&self.lock, &self.seat)?;
        // Outputs may be made long after others have: of shares that were dealt anew since.
        if self.outputs.writes_keystores() && !self.superseding(participant)?.is_empty() {
            self.outputs.without_keystores();
        }
        self.outputs.stage(&self.dir, participant)
    }

    fn write_outputs(&mut self, participant: &Participant) -> Result<(), MachineError> {
        self.outputs.write(&self.dir, participant)
    }

    fn keep_proof(&mut self, participant: &Participant, fault: &Fault) -> Result<(), MachineError> {
        let evidence = stopped::encode(&participant.seat().ceremony, &fault.evidence);
        self.dir.write_evidence(FAULT, &evidence, self.is_private())?;
        Ok(())
    }

    fn keep_everything(&mut self, participant: &Participant) -> Result<(), MachineError> {
        let inbox = participant.inbox();
        let everything = stopped::encode(&participant.seat().ceremony, inbox.everything());
        self.dir.write_evidence(STOPPED, &everything, self.is_private())?;
        Ok(())
    }

    fn keep_elsewhere(
        &mut self,
        participant: &Participant,
        elsewhere: &[Statement],
    ) -> Result<(), MachineError> {
        let note = stopped::encode(&participant.seat().ceremony, elsewhere);
        self.dir.write_evidence(PUT_BACK, &note, self.is_private())?;
        Ok(())
    }
}
