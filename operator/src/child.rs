//! One child only: an operator commits its shares of a validator to one reshare, and to a second
//! one only after it has abandoned the first.

use quorate::message::envelope::{Kind, Statement};
use quorate::message::shape::Shape;
use quorate::primitives::hash::Digest;
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::record::RecordKind;
use quorate::spec::{Ceremony, CeremonyFile, Index};

use crate::MachineError;
use crate::store::{CeremonyView, Child, Lock, Log, Record, StateDir};

/// What an operator notes when it commits to a ceremony; `None` if that has no parent. A repair is
/// noted nowhere, and refused beside a reshare.
pub(crate) fn of(ceremony: &Ceremony) -> Option<Child> {
    let reshare = ceremony.reshare()?;
    Some(Child {
        parent: reshare.parent.certificate,
        reshare: ceremony.digest(),
        validators: reshare.validators.iter().map(|validator| validator.key).collect(),
    })
}

/// Refuses a reshare of shares that this operator has committed to another one.
pub(crate) fn check_only(state: &StateDir, seat: &OwnSeat) -> Result<(), MachineError> {
    let Some(own) = of(&seat.ceremony) else { return Ok(()) };
    for other in state.children()? {
        if own.excludes(&other) && !is_abandoned(state, seat, &other)? {
            let folder = state.find(&other.reshare)?.map(|view| view.path().to_owned());
            return Err(MachineError::OtherChild { reshare: other.reshare, folder });
        }
    }
    Ok(())
}

/// Refuses shares of a finished ceremony that this operator has committed to a reshare: they never
/// sign again, unless it has abandoned that.
pub fn check_not_superseded(
    state: &StateDir,
    seat: &OwnSeat,
    certificate: &Digest,
) -> Result<(), MachineError> {
    for child in state.children()? {
        if child.parent == *certificate && !is_abandoned(state, seat, &child)? {
            let folder = state.find(&child.reshare)?.map(|view| view.path().to_owned());
            return Err(MachineError::Superseded { reshare: child.reshare, folder });
        }
    }
    Ok(())
}

/// Notes, durably, that this operator commits to a reshare and to no other one.
pub(crate) fn note(lock: &Lock, seat: &OwnSeat) -> Result<(), MachineError> {
    let Some(own) = of(&seat.ceremony).filter(|_| !seat.ceremony.is_repair()) else {
        return Ok(());
    };
    check_only(lock.state(), seat)?;
    Ok(lock.write_child(&own)?)
}

/// Whether this operator has signed, in its synced log, that it gave a reshare up, and has not
/// finished it. What cannot be read was not given up.
fn is_abandoned(state: &StateDir, seat: &OwnSeat, other: &Child) -> Result<bool, MachineError> {
    let Some(view) = state.find(&other.reshare)? else { return Ok(false) };
    let Some(ceremony) = kept(&view)?.filter(|kept| kept.digest() == other.reshare) else {
        return Ok(false);
    };
    let Some(me) = ceremony.roster().find(&seat.operator.key().public()) else { return Ok(false) };
    let records = Log::read(&view, seat.operator.storage_key(), other.reshare.as_bytes())?;
    let said = statements(&records, &ceremony);
    let last = Shape::of(&ceremony).last_round();
    let finished = said.iter().map(|said| &said.envelope).any(|envelope| {
        (envelope.sender, envelope.kind, envelope.round) == (me, Kind::Ordinary, last)
    });
    Ok(!finished && gives_up(&said, me))
}

/// The statements that a log holds.
pub(crate) fn statements(records: &[Record], ceremony: &Ceremony) -> Vec<Statement> {
    let statements = records.iter().filter(|record| record.kind == RecordKind::Statement as u8);
    statements.filter_map(|held| Statement::open(held.body.expose(), ceremony).ok()).collect()
}

/// Whether this operator has signed, in a log with these statements, that it gives up.
pub(crate) fn gives_up(said: &[Statement], me: Index) -> bool {
    said.iter().any(|said| (said.envelope.sender, said.envelope.kind) == (me, Kind::Abandon))
}

/// The ceremony whose file is kept in a folder.
pub(crate) fn kept(view: &CeremonyView) -> Result<Option<Ceremony>, MachineError> {
    Ok(view.ceremony_file()?.and_then(|bytes| parse_ceremony(&bytes)))
}

/// The ceremony of a file of either form.
pub(crate) fn parse_ceremony(bytes: &[u8]) -> Option<Ceremony> {
    let text = core::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = match text.trim_start().starts_with('{') {
        true => CeremonyFile::parse_json(text),
        false => CeremonyFile::parse_toml(text),
    };
    parsed.ok().and_then(|file| Ceremony::try_from(file).ok())
}
