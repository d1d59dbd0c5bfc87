//! The parent of a reshare, from its transcript and those of its own parents.

use std::path::{Path, PathBuf};

use super::report::CliError;
use super::{input, messages};
use quorate::audit::audit_all;
use quorate::audit::chain::link;
use quorate::audit::expectation::Expectations;
use quorate::audit::facts::Audited;
use quorate::spec::{Ceremony, show};
use quorate::transcript::container;
use quorate_operator::store::CeremonyView;

/// A ceremony and what it takes from its parent, if it is a reshare.
pub(crate) struct Attached {
    /// With its parent's rows.
    pub(crate) ceremony: Ceremony,
    /// Whose shares it deals anew.
    pub(crate) parent: Option<Audited>,
    /// The transcripts that show it.
    pub(crate) history: Vec<Vec<u8>>,
}

/// Gives a reshare what it takes from its parent: from these transcripts, or from those that were
/// kept when it was begun. The whole chain is audited. Any other ceremony comes back as it is.
pub(crate) fn attach(
    ceremony: Ceremony,
    paths: &[PathBuf],
    view: Option<&CeremonyView>,
) -> Result<Attached, CliError> {
    if !ceremony.has_parent() {
        return match paths.is_empty() {
            true => Ok(Attached { ceremony, parent: None, history: Vec::new() }),
            false => Err(messages::parent_of_none(ceremony.name())),
        };
    }
    let (paths, history): (Vec<PathBuf>, Vec<Vec<u8>>) = match (paths, view) {
        ([], None) => Default::default(),
        ([], Some(view)) => {
            let kept = view.history().map_err(messages::store)?;
            (Vec::new(), kept.into_iter().map(|(_, bytes)| bytes).collect())
        }
        (paths, _) => input::with_history(paths)?.into_iter().unzip(),
    };
    linked(ceremony, &paths, history)
}

/// Gives a reshare what it takes from the parent that these transcripts show.
pub(crate) fn linked(
    ceremony: Ceremony,
    paths: &[PathBuf],
    history: Vec<Vec<u8>>,
) -> Result<Attached, CliError> {
    if history.is_empty() {
        return Err(messages::parent_needed(ceremony.name()));
    }
    let parent = audited_bytes(&history, paths)?;
    let rows = link(&parent, &ceremony).map_err(|error| messages::not_its_parent(&error))?;
    let ceremony = ceremony.with_parent_rows(rows);
    let ceremony = ceremony.map_err(|error| messages::rows_of_parent(&error))?;
    Ok(Attached { ceremony, parent: Some(parent), history })
}

/// Of keys that came by an import, in this ceremony or in a parent that is kept with it: that they
/// were whole, in whose hands.
pub(crate) fn whole_keys(
    ceremony: &Ceremony,
    view: &CeremonyView,
) -> Result<Option<String>, CliError> {
    if !ceremony.has_parent() {
        return Ok(show::whole_keys(ceremony));
    }
    let history = view.history().map_err(messages::store)?;
    let import = container::import_among(history.iter().map(|(_, bytes)| bytes.as_slice()));
    Ok(import.as_ref().and_then(show::whole_keys))
}

/// As [`linked`], with the transcripts of a packet.
pub(crate) fn packed(
    packet: &Path,
    ceremony: Ceremony,
    history: Vec<Vec<u8>>,
) -> Result<Attached, CliError> {
    let names: Vec<PathBuf> =
        (1..=history.len()).map(|number| format!("transcript-{number}").into()).collect();
    linked(ceremony, &names, history).map_err(|error| messages::packed_parents(packet, &error))
}

/// The newest of these transcripts and of those in the folder `history` beside them, if it and all
/// that it hangs on passes the audit.
pub(crate) fn audited(paths: &[PathBuf]) -> Result<Audited, CliError> {
    let (paths, files): (Vec<PathBuf>, Vec<Vec<u8>>) =
        input::with_history(paths)?.into_iter().unzip();
    audited_bytes(&files, &paths)
}

fn audited_bytes(files: &[Vec<u8>], paths: &[PathBuf]) -> Result<Audited, CliError> {
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let report = audit_all(&files, &Expectations::default())
        .map_err(|error| messages::unrelated(paths, &error))?;
    if let (true, [path, ..]) = (report.is_of_repair(), paths) {
        return Err(messages::no_generation(path));
    }
    match report.audited().filter(|_| report.is_clean()) {
        Some(audited) => Ok(audited.clone()),
        None => Err(messages::no_parent(paths, &report)),
    }
}
