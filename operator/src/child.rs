//! One child only: an operator commits its shares of a validator to one reshare, and to a second
//! one only after it has abandoned the first.

use std::path::PathBuf;

use quorate::identity::Operator;
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::shape::Shape;
use quorate::primitives::hash::Digest;
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::record::RecordKind;
use quorate::spec::{Ceremony, CeremonyFile, Index};

use crate::MachineError;
use crate::store::{CeremonyView, Child, Lock, Log, Record, StateDir};

/// What an operator notes when it commits to a ceremony; `None` if that makes keys. The keys of an
/// import are no ceremony's: it has zero in the place of a certificate, which is no digest. A
/// repair is noted nowhere, and refused beside a reshare.
pub(crate) fn of(ceremony: &Ceremony) -> Option<Child> {
    let reshare = ceremony.reshare()?;
    Some(Child {
        parent: reshare.origin.parent().map_or(Digest::ZERO, |parent| parent.certificate),
        reshare: ceremony.digest(),
        validators: reshare.validators.iter().map(|validator| validator.key).collect(),
    })
}

/// Refuses a reshare of shares that this operator has committed to another one: by the notes, or by
/// the logs of other reshares of the same parent, should a note be lost.
pub(crate) fn check_only(state: &StateDir, seat: &OwnSeat) -> Result<(), MachineError> {
    let Some(own) = of(&seat.ceremony) else { return Ok(()) };
    let operator = &seat.operator;
    let refused = |reshare: Digest| -> Result<(), MachineError> {
        let folder = state.find(&reshare)?.map(|view| view.path().to_owned());
        Err(MachineError::OtherChild { reshare, folder })
    };
    for other in state.children()? {
        if own.excludes(&other) && standing(state, operator, &other.reshare)? != Standing::GivenUp {
            return refused(other.reshare);
        }
    }
    for view in state.ceremonies()? {
        // A repair replaces nothing: it is beside no reshare that comes later.
        let other = kept(&view)?.filter(|other| !other.is_repair());
        let Some(other) = other.as_ref().and_then(of) else { continue };
        if own.excludes(&other) {
            let standing = standing(state, operator, &other.reshare)?;
            if matches!(standing, Standing::Committed | Standing::Final) {
                return refused(other.reshare);
            }
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
    match standing(state, &seat.operator, &before)? {
        Standing::GivenUp | Standing::Unknown => Ok(()),
        Standing::Begun | Standing::Committed | Standing::Final => {
            let folder = state.find(&before)?.map(|view| view.path().to_owned());
            Err(MachineError::NotGivenUp { reshare: before, folder })
        }
    }
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
    let Some(own) = of(&seat.ceremony).filter(|_| !seat.ceremony.is_repair()) else {
        return Ok(());
    };
    check_only(lock.state(), seat)?;
    Ok(lock.write_child(&own)?)
}

/// Whether one of these records is a word with which this operator commits to its reshare: its
/// minima, its commit or its final.
pub(crate) fn commits<'a>(seat: &OwnSeat, records: impl IntoIterator<Item = &'a [u8]>) -> bool {
    seat.ceremony.reshare().is_some()
        && own_statements(&seat.ceremony, seat.me, records).iter().any(is_commitment)
}

fn is_commitment(statement: &Statement) -> bool {
    let (kind, round) = (statement.envelope.kind, statement.envelope.round);
    // A dealer's keys are gone when it states its minima.
    kind == Kind::Minima || kind == Kind::Ordinary && round >= Round::Commit
}

fn own_statements<'a>(
    ceremony: &Ceremony,
    me: Index,
    records: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Statement> {
    // The sender's place in an envelope, before its signature is verified.
    let own = me.get().to_be_bytes();
    let own = records.into_iter().filter(|bytes| bytes.get(8..10) == Some(&own[..]));
    let opened = own.filter_map(|bytes| Statement::open(bytes, ceremony).ok());
    opened.filter(|statement| statement.envelope.sender == me).collect()
}

/// How far this operator is in a reshare, by its synced log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It has signed that it gives it up, and has not finished it.
    GivenUp,
    /// It has said something, and could do without it.
    Begun,
    /// Its minima or its commit are signed.
    Committed,
    /// Its final is signed.
    Final,
    /// Nothing can be read. That was not given up.
    Unknown,
}

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
    let own = own_statements(&ceremony, me, statements.map(|record| record.body.expose()));
    let last = Shape::of(&ceremony).last_round();
    let is_final = |statement: &Statement| {
        (statement.envelope.kind, statement.envelope.round) == (Kind::Ordinary, last)
    };
    if own.iter().any(is_final) {
        return Ok(Standing::Final);
    }
    if own.iter().any(|said| said.envelope.kind == Kind::Abandon) {
        return Ok(Standing::GivenUp);
    }
    match (own.iter().any(is_commitment), own.is_empty()) {
        (true, _) => Ok(Standing::Committed),
        (false, false) => Ok(Standing::Begun),
        (false, true) => Ok(Standing::Unknown),
    }
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
