//! One child only, on a machine: notes and logs of this directory, to which the library's rule is
//! applied.

use std::path::PathBuf;

use quorate::identity::Operator;
use quorate::message::envelope::{Kind, Statement};
use quorate::primitives::hash::Digest;
use quorate::protocol::child::{self, Child, Known, Standing};
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::record::RecordKind;
use quorate::spec::{Ceremony, CeremonyFile, Index};

use crate::MachineError;
use crate::store::{CeremonyView, Lock, Log, Record, StateDir};

/// Refuses a reshare of shares that this operator has committed to another one: by the notes, or by
/// the logs of other reshares of the same parent, should a note be lost.
pub(crate) fn check_only(state: &StateDir, seat: &OwnSeat) -> Result<(), MachineError> {
    let Some(own) = Child::of(&seat.ceremony) else { return Ok(()) };
    let operator = &seat.operator;
    let refused = |reshare: Digest| -> Result<(), MachineError> {
        let folder = state.find(&reshare)?.map(|view| view.path().to_owned());
        Err(MachineError::OtherChild { reshare, folder })
    };
    for other in state.children()? {
        if own.excludes(&other)
            && Known::Noted.is_in_the_way(standing(state, operator, &other.reshare)?)
        {
            return refused(other.reshare);
        }
    }
    for view in state.ceremonies()? {
        // A repair replaces nothing: it is beside no reshare that comes later.
        let other = kept(&view)?.filter(|other| !other.is_repair());
        let Some(other) = other.as_ref().and_then(Child::of) else { continue };
        if own.excludes(&other)
            && Known::Logged.is_in_the_way(standing(state, operator, &other.reshare)?)
        {
            return refused(other.reshare);
        }
    }
    Ok(())
}

/// Refuses to begin the next attempt of a reshare before this operator has given up the one that it
/// replaces: a person who begins the next one does not come back to this.
pub(crate) fn check_attempt(state: &StateDir, seat: &OwnSeat) -> Result<(), MachineError> {
    let Some(before) = seat.ceremony.reshare().and(seat.ceremony.supersedes()) else {
        return Ok(());
    };
    if standing(state, &seat.operator, &before)?.lets_the_next_begin() {
        return Ok(());
    }
    let folder = state.find(&before)?.map(|view| view.path().to_owned());
    Err(MachineError::NotGivenUp { reshare: before, folder })
}

/// A reshare to which this operator has committed shares of a finished ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superseding {
    /// Its digest.
    pub reshare: Digest,
    /// Its folder, if it is still there.
    pub folder: Option<PathBuf>,
    /// Whether its final is signed, as far as is known: from then on the old shares never sign
    /// again.
    pub is_final: bool,
    /// Whether its outputs are written.
    pub is_complete: bool,
}

/// The reshares to which this operator has committed shares of the ceremony with this certificate,
/// of any of these validators, and which it has not abandoned.
pub fn superseding(
    state: &StateDir,
    operator: &Operator,
    certificate: &Digest,
    validators: &[[u8; 48]],
) -> Result<Vec<Superseding>, MachineError> {
    let mut found = Vec::new();
    let concerns = |child: &Child| {
        let named = child.validators.iter().any(|key| validators.contains(key));
        child.parent == *certificate && named
    };
    for child in state.children()?.into_iter().filter(concerns) {
        let standing = standing(state, operator, &child.reshare)?;
        if standing == Standing::GivenUp {
            continue;
        }
        let view = state.find(&child.reshare)?;
        found.push(Superseding {
            reshare: child.reshare,
            is_final: matches!(standing, Standing::Final | Standing::Unknown),
            is_complete: view.as_ref().map_or(Ok(false), CeremonyView::is_written)?,
            folder: view.map(|view| view.path().to_owned()),
        });
    }
    Ok(found)
}

/// Refuses shares of a finished ceremony that this operator has committed to a reshare: they never
/// sign again, unless it has abandoned that.
pub fn check_not_superseded(
    state: &StateDir,
    seat: &OwnSeat,
    certificate: &Digest,
) -> Result<(), MachineError> {
    for child in state.children()?.into_iter().filter(|child| child.parent == *certificate) {
        if standing(state, &seat.operator, &child.reshare)? != Standing::GivenUp {
            let folder = state.find(&child.reshare)?.map(|view| view.path().to_owned());
            return Err(MachineError::Superseded { reshare: child.reshare, folder });
        }
    }
    Ok(())
}

/// Notes, durably, that this operator commits to a reshare and to no other one.
pub(crate) fn note(lock: &Lock, seat: &OwnSeat) -> Result<(), MachineError> {
    let Some(own) = Child::of(&seat.ceremony).filter(|_| !seat.ceremony.is_repair()) else {
        return Ok(());
    };
    check_only(lock.state(), seat)?;
    Ok(lock.write_child(&own)?)
}

/// Whether one of these records is a word with which this operator commits to its reshare.
pub(crate) fn commits<'a>(seat: &OwnSeat, records: impl IntoIterator<Item = &'a [u8]>) -> bool {
    child::commits(&seat.ceremony, seat.me, records)
}

/// How far this operator is in a reshare, by its log here.
fn standing(
    state: &StateDir,
    operator: &Operator,
    reshare: &Digest,
) -> Result<Standing, MachineError> {
    let Some(view) = state.find(reshare)? else { return Ok(Standing::Unknown) };
    let Some(ceremony) = kept(&view)?.filter(|kept| kept.digest() == *reshare) else {
        return Ok(Standing::Unknown);
    };
    let Some(me) = ceremony.roster().find(&operator.key().public()) else {
        return Ok(Standing::Unknown);
    };
    if !view.has_log()? {
        return Ok(Standing::Unknown);
    }
    let records = Log::read(&view, operator.storage_key(), reshare.as_bytes())?;
    let statements = records.iter().filter(|record| record.kind == RecordKind::Statement as u8);
    Ok(Standing::of(&ceremony, me, statements.map(|record| record.body.expose())))
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
