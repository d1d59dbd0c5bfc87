//! What a log and the folder around it tell: the participant that they make, whether the log was
//! put back, and which shares it holds. Nothing is written and nothing is signed.

use std::path::Path;

use quorate::exchange::{Storage, Trouble, carry_out};
use quorate::identity::Operator;
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::shape::Shape;
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::evidence::Fault;
use quorate::protocol::participant::{OwnSeat, Participant, Step};
use quorate::protocol::put_back::{Beside, PutBack};
use quorate::protocol::record::{Record, RecordKind};
use quorate::protocol::seat::OldShares;
use quorate::spec::Ceremony;
use quorate::spec::reshare::ReshareSpec;
use quorate::spec::threshold::Index;
use quorate::transcript::container::Container;
use quorate::transcript::stopped::Stopped;

use crate::child;
use crate::machine::{GIVEN_UP, PUT_BACK};
use crate::regained::repairs_of;
use crate::store::{self, CeremonyView, Log, StateDir, StoreError};
use crate::{MachineError, random};

/// What a ceremony's folder holds beside the log that a log in its newest state accounts for.
///
/// # Errors
/// What is called outputs is not this ceremony's, or cannot be read, where the log does not hold
/// this operator's share: nothing tells whether there were outputs.
fn beside(view: &CeremonyView, seat: &OwnSeat, records: &[Record]) -> Result<Beside, MachineError> {
    let ceremony = &seat.ceremony;
    let mut elsewhere = Vec::new();
    for path in view.evidence_of(PUT_BACK)? {
        let damaged = || MachineError::BadNote(path.clone());
        let note = Stopped::parse(&view.read_evidence(&path)?).map_err(|_| damaged())?;
        if note.ceremony.digest() != ceremony.digest() {
            return Err(damaged());
        }
        elsewhere.extend(note.statements);
    }
    for path in view.evidence_of(GIVEN_UP)? {
        // Others' abandonments may have been saved here too.
        if let Ok(bytes) = view.read_evidence(&path)
            && let Ok(record) = Stopped::parse(&bytes)
            && record.ceremony.digest() == ceremony.digest()
        {
            let own = |held: &Statement| {
                (held.envelope.sender, held.envelope.kind) == (seat.me, Kind::Abandon)
            };
            elsewhere.extend(record.statements.into_iter().filter(own));
        }
    }
    let said = records.iter().filter(|record| record.kind == RecordKind::Statement);
    let open = |record: &Record| Statement::open(record.body.expose(), ceremony).ok();
    let said: Vec<Statement> = said.filter_map(open).collect();
    let has = |index: Index, round: Round| {
        said.iter().map(|held| &held.envelope).any(|envelope| {
            (envelope.sender, envelope.kind, envelope.round) == (index, Kind::Ordinary, round)
        })
    };
    let last = Shape::of(ceremony).last_round();
    if !view.is_written()? || ceremony.indices().all(|index| has(index, last)) {
        return Ok(Beside { elsewhere, outputs: Vec::new() });
    }
    match transcript(view, seat) {
        Some(outputs) => Ok(Beside { elsewhere, outputs }),
        None if has(seat.me, Round::Prepare) => Ok(Beside { elsewhere, outputs: Vec::new() }),
        None => Err(MachineError::ForeignOutputs(view.out())),
    }
}

/// The statements of the transcript among the outputs; `None` if there is none of this ceremony.
fn transcript(view: &CeremonyView, seat: &OwnSeat) -> Option<Vec<Statement>> {
    let bytes = view.read_transcript().ok()?;
    let container = Container::parse(&bytes).ok()?;
    let ceremony = container.ceremony();
    if ceremony.digest() != seat.ceremony.digest() {
        return None;
    }
    let slots = container.shape().slots();
    let slots = slots.filter(|(round, sender)| container.speakers(*round).contains(*sender));
    let in_slots = slots.map(|(round, sender)| container.statement(round, sender));
    // What a commit waits for goes before it; what comes after the finals, behind them.
    let minima = container.minima().iter().copied().map(Some);
    let words = container.withouts().iter().copied().map(Some);
    let all = minima.chain(in_slots).chain(words);
    all.map(|bytes| Statement::open(bytes?, ceremony).ok()).collect()
}

/// The participant that a log's records tell of, or a new one if they hold nothing that was said.
/// A log that was put back to an earlier state is refused.
pub fn replay(
    seat: &OwnSeat,
    records: Vec<store::Record>,
    view: &CeremonyView,
) -> Result<(Participant, Step), MachineError> {
    let folder = view.path();
    // Of one that was abandoned, that is said.
    let gave_up = || child::gives_up(&child::statements(&records, &seat.ceremony), seat.me);
    if view.is_forgotten()? && !gave_up() {
        return Err(MachineError::Forgotten(folder.to_owned()));
    }
    let records = known(records, folder)?;
    let beside = beside(view, seat, &records)?;
    let (participant, step) =
        Participant::start_beside(seat.clone(), records, beside, random::entropy)
            .map_err(|error| MachineError::replay(folder, error))?;
    match participant.put_back() {
        Some(put_back) => Err(MachineError::PutBack {
            folder: folder.to_owned(),
            put_back: Box::new(put_back.clone()),
        }),
        None => Ok((participant, step)),
    }
}

/// Whether a log with these records was put back to an earlier state, by what stands beside it, and
/// by these own statements that others show. Nothing is replayed.
pub fn put_back(
    seat: &OwnSeat,
    records: &[store::Record],
    view: &CeremonyView,
    shown: &[Statement],
) -> Result<Option<PutBack>, MachineError> {
    let folder = view.path();
    let copied = |record: &store::Record| store::Record {
        kind: record.kind,
        body: SecretBytes::new(record.body.expose().to_vec()),
    };
    let statements =
        records.iter().filter(|record| record.kind == RecordKind::Statement as u8).map(copied);
    let records = known(statements.collect(), folder)?;
    let mut beside = beside(view, seat, &records)?;
    beside.elsewhere.extend_from_slice(shown);
    PutBack::of(seat, &records, &beside).map_err(|error| MachineError::replay(folder, error))
}

/// What this operator deals in a reshare or repair: its shares of the parent, from the parent's log
/// here, or from that of a repair in which it has regained them. `None` if this directory has
/// neither.
pub fn old_shares(
    state: &StateDir,
    operator: &Operator,
    parent: &Ceremony,
    reshare: &ReshareSpec,
) -> Result<Option<OldShares>, MachineError> {
    let mut logs: Vec<(CeremonyView, Digest)> = Vec::new();
    if let Some(view) = state.find(&parent.digest())?
        && view.has_log()?
    {
        logs.push((view, parent.digest()));
    } else {
        let key = operator.key().public();
        let named = reshare.origin.parent().map(|parent| parent.certificate);
        let repairs = named.map_or(Ok(Vec::new()), |named| repairs_of(state, &key, &named))?;
        logs.extend(repairs.into_iter().map(|(view, repair)| (view, repair.digest())));
    }
    let mut refused = None;
    for (view, digest) in logs {
        if view.is_forgotten()? {
            return Err(MachineError::Forgotten(view.path().to_owned()));
        }
        let records = Log::read(&view, operator.storage_key(), digest.as_bytes())?;
        let shares = records.into_iter().filter(|record| record.kind == RecordKind::Shares as u8);
        let records = known(shares.collect(), view.path())?;
        match OldShares::of(&records, parent.v(), reshare) {
            Ok(old) => return Ok(Some(old)),
            // Of several repairs, one may not have come to its end.
            Err(error) => refused = refused.or(Some(MachineError::replay(view.path(), error))),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// The records of a log as the protocol has them.
fn known(records: Vec<store::Record>, folder: &Path) -> Result<Vec<Record>, MachineError> {
    let record = |record: store::Record| {
        let kind = RecordKind::from_number(record.kind)
            .ok_or_else(|| MachineError::NewerLog(folder.to_owned()))?;
        Ok(Record { kind, body: record.body })
    };
    records.into_iter().map(record).collect()
}

/// A participant whose outputs are written, brought to its end by what its log and its outputs
/// hold, with nothing written and nothing signed. `None` if something would have to be signed: then
/// it is not finished.
pub fn finished(
    mut participant: Participant,
    step: Step,
    log: &Log,
    folder: &Path,
) -> Result<Option<Participant>, MachineError> {
    let reread = |kind| log.reread(kind);
    match carry_out(&mut participant, step, &mut ReadOnly { reread, signs: false }) {
        Ok(_) => Ok(Some(participant).filter(Participant::is_finished)),
        Err(Trouble::Storage(None)) => Ok(None),
        Err(Trouble::Storage(Some(error))) => Err(error),
        Err(Trouble::Replay(error)) => Err(MachineError::replay(folder, error)),
        Err(Trouble::Unasked(refused)) => Err(MachineError::Internal(refused.to_string())),
    }
}

/// A participant that has signed everything it will, brought as far as its log goes, with nothing
/// written: to see whom it waits for. Any other comes back as it is. `reread` gives the records of
/// a kind again.
pub fn looked_at(
    mut participant: Participant,
    step: Step,
    reread: impl Fn(u8) -> Result<Vec<SecretBytes>, StoreError>,
    folder: &Path,
) -> Result<Participant, MachineError> {
    let last = Shape::of(&participant.seat().ceremony).last_round();
    if !participant.has_said(last) {
        return Ok(participant);
    }
    match carry_out(&mut participant, step, &mut ReadOnly { reread, signs: false }) {
        Ok(_) | Err(Trouble::Storage(None)) => Ok(participant),
        Err(Trouble::Storage(Some(error))) => Err(error),
        Err(Trouble::Replay(error)) => Err(MachineError::replay(folder, error)),
        Err(Trouble::Unasked(refused)) => Err(MachineError::Internal(refused.to_string())),
    }
}

/// A log that is only read. What would have to be signed is refused, without a reason.
struct ReadOnly<R> {
    reread: R,
    signs: bool,
}

impl<R: Fn(u8) -> Result<Vec<SecretBytes>, StoreError>> Storage for ReadOnly<R> {
    type Error = Option<MachineError>;

    fn before(&mut self, _: &Participant, step: &Step) {
        self.signs |= !step.send.is_empty();
    }

    fn persist(&mut self, _: Vec<Record>) -> Result<(), Self::Error> {
        if self.signs { Err(None) } else { Ok(()) }
    }

    fn erase(&mut self, _: &[RecordKind]) -> Result<(), Self::Error> {
        Ok(())
    }

    fn read_back(&mut self, kind: RecordKind) -> Result<Vec<SecretBytes>, Self::Error> {
        (self.reread)(kind as u8).map_err(|error| Some(error.into()))
    }

    fn stage(&mut self, _: &Participant) -> Result<(), Self::Error> {
        // Its final is in the log, or one would have to be written.
        Ok(())
    }

    fn write_outputs(&mut self, _: &Participant) -> Result<(), Self::Error> {
        Ok(())
    }

    fn keep_proof(&mut self, _: &Participant, _: &Fault) -> Result<(), Self::Error> {
        Err(None)
    }

    fn keep_everything(&mut self, _: &Participant) -> Result<(), Self::Error> {
        Err(None)
    }

    fn keep_elsewhere(&mut self, _: &Participant, _: &[Statement]) -> Result<(), Self::Error> {
        Err(None)
    }
}
