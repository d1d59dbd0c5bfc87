//! One child only, on a machine: notes and logs of this directory, to which the library's rule is
//! applied.

use std::collections::BTreeSet;
use std::path::PathBuf;

use quorate::identity::Operator;
use quorate::message::envelope::{Kind, Statement};
use quorate::primitives::hash::Digest;
use quorate::protocol::child::{self, Child, Known, Standing};
use quorate::protocol::outcome::Outcome;
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::record::RecordKind;
use quorate::spec::{Ceremony, CeremonyFile, Index};
use quorate::transcript::container::Header;

use crate::MachineError;
use crate::regained::repairs_of;
use crate::store::{CeremonyView, Lock, Log, Record, StateDir};

/// Refuses a reshare of shares that this operator has committed to another one: by the notes, or by
/// the logs of other reshares of the same parent and of imports, should a note be lost.
pub(crate) fn check_only(state: &StateDir, seat: &OwnSeat) -> Result<(), MachineError> {
    let Some(own) = Child::of(&seat.ceremony) else { return Ok(()) };
    let operator = &seat.operator;
    let refused = |reshare: Digest| -> Result<(), MachineError> {
        let folder = state.find(&reshare)?.map(|view| view.path().to_owned());
        Err(MachineError::OtherChild { reshare, folder })
    };
    // Whose final is signed commits to nothing any more: it serves others, and is restored.
    if standing(state, operator, &own.reshare)? == Standing::Final {
        return Ok(());
    }
    let hangs_on = lineage(state, &seat.ceremony, operator, None)?;
    let is_beside = |other: &Child| {
        let imported =
            own.parent != Digest::ZERO && imported_since(other, &own.validators, hangs_on.as_ref());
        own.excludes(other) || imported
    };
    for other in state.children()? {
        if is_beside(&other)
            && Known::Noted.is_in_the_way(standing(state, operator, &other.reshare)?)
        {
            return refused(other.reshare);
        }
    }
    for view in state.ceremonies()? {
        // A repair replaces nothing: it is beside no reshare that comes later.
        let other = kept(&view)?.filter(|other| !other.is_repair());
        let Some(other) = other.as_ref().and_then(Child::of) else { continue };
        if is_beside(&other)
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
    /// Its name, if its file is still there.
    pub name: String,
    /// Its folder, if it is still there.
    pub folder: Option<PathBuf>,
    /// Whether its final is signed, as far as is known: from then on the old shares never sign
    /// again.
    pub is_final: bool,
    /// Whether its outputs are written.
    pub is_complete: bool,
}

/// The ceremonies that this one hangs on, itself among them: the imports of which it is made are
/// older than it. `None` if it is a reshare of which nothing is kept here.
fn lineage(
    state: &StateDir,
    ceremony: &Ceremony,
    operator: &Operator,
    certificate: Option<&Digest>,
) -> Result<Option<BTreeSet<Digest>>, MachineError> {
    let mut all = BTreeSet::from([ceremony.digest()]);
    let mut folders: Vec<CeremonyView> = state.find(&ceremony.digest())?.into_iter().collect();
    if let (true, Some(certificate)) = (folders.is_empty(), certificate) {
        // One whose share was regained: what it hangs on is kept beside the repair.
        let repairs = repairs_of(state, &operator.key().public(), certificate)?;
        folders.extend(repairs.into_iter().map(|(view, _)| view));
    }
    let known = !ceremony.has_parent() || !folders.is_empty();
    for folder in folders {
        for (_, bytes) in folder.history()? {
            let parent = Header::parse(&bytes).and_then(|header| header.agreed(&bytes));
            all.extend(parent.map(|parent| parent.digest()));
        }
    }
    Ok(known.then_some(all))
}

/// Whether this is the note of an import of one of these keys which a generation does not hang on.
/// Nothing is younger than an import that does not hang on it: the keys were whole before.
fn imported_since(note: &Child, keys: &[[u8; 48]], hangs_on: Option<&BTreeSet<Digest>>) -> bool {
    note.parent == Digest::ZERO
        && note.validators.iter().any(|key| keys.contains(key))
        && hangs_on.is_some_and(|all| !all.contains(&note.reshare))
}

/// The reshares to which this operator has committed shares of this ceremony, with this
/// certificate, of any of these validators, and which it has not abandoned; and the imports of
/// their keys, put together before, to which it has committed since.
pub fn superseding(
    state: &StateDir,
    operator: &Operator,
    (ceremony, certificate): (&Ceremony, &Digest),
    validators: &[[u8; 48]],
) -> Result<Vec<Superseding>, MachineError> {
    let hangs_on = lineage(state, ceremony, operator, Some(certificate))?;
    noted(state, operator, |child| {
        let named = child.validators.iter().any(|key| validators.contains(key));
        child.parent == *certificate && named
            || imported_since(child, validators, hangs_on.as_ref())
    })
}

/// What this operator knows that the shares of a finished ceremony, of these validators, may not be
/// the newest: every reshare and import of one of these keys to which it has committed and which it
/// has not abandoned, but for those that the ceremony hangs on.
pub fn newer(
    state: &StateDir,
    operator: &Operator,
    (ceremony, certificate): (&Ceremony, &Digest),
    validators: &[[u8; 48]],
) -> Result<Vec<Superseding>, MachineError> {
    let hangs_on = lineage(state, ceremony, operator, Some(certificate))?.unwrap_or_default();
    noted(state, operator, |child| {
        child.validators.iter().any(|key| validators.contains(key))
            && !hangs_on.contains(&child.reshare)
    })
}

/// The ceremonies of these notes that this operator has not abandoned.
fn noted(
    state: &StateDir,
    operator: &Operator,
    concerns: impl Fn(&Child) -> bool,
) -> Result<Vec<Superseding>, MachineError> {
    let mut found = Vec::new();
    for child in state.children()?.into_iter().filter(|child| concerns(child)) {
        let standing = standing(state, operator, &child.reshare)?;
        if standing == Standing::GivenUp {
            continue;
        }
        let view = state.find(&child.reshare)?;
        let kept = view.as_ref().map_or(Ok(None), kept)?;
        found.push(Superseding {
            reshare: child.reshare,
            name: kept.map(|ceremony| ceremony.name().to_owned()).unwrap_or_default(),
            is_final: matches!(standing, Standing::Final | Standing::Unknown),
            is_complete: view.as_ref().map_or(Ok(false), CeremonyView::is_written)?,
            folder: view.map(|view| view.path().to_owned()),
        });
    }
    Ok(found)
}

/// The certificate of the ceremony that dealt the shares of one with the certificate `own`: of a
/// repair, which gives a share of its parent again, the parent's.
pub fn generation(ceremony: &Ceremony, own: Digest) -> Digest {
    let reshare = ceremony.reshare().filter(|_| ceremony.is_repair());
    reshare.and_then(|spec| spec.origin.parent()).map_or(own, |parent| parent.certificate)
}

/// The reshares and imports that [`superseding`] finds of the shares of a participant's outcome.
pub(crate) fn superseding_those(
    state: &StateDir,
    seat: &OwnSeat,
    outcome: &Outcome,
) -> Result<Vec<Superseding>, MachineError> {
    let ceremony = &seat.ceremony;
    let keys = outcome.validators.iter().map(|made| made.public_key.to_compressed());
    let certificate = generation(ceremony, outcome.certificate);
    superseding(state, &seat.operator, (ceremony, &certificate), &keys.collect::<Vec<_>>())
}

/// Refuses shares of a finished ceremony that this operator has committed to a reshare, or whose
/// keys to an import: they never sign again, unless it has abandoned that.
pub fn check_not_superseded(
    state: &StateDir,
    seat: &OwnSeat,
    certificate: &Digest,
    validators: &[[u8; 48]],
) -> Result<(), MachineError> {
    let found = superseding(state, &seat.operator, (&seat.ceremony, certificate), validators)?;
    match found.into_iter().next() {
        Some(Superseding { reshare, folder, .. }) => {
            Err(MachineError::Superseded { reshare, folder })
        }
        None => Ok(()),
    }
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
