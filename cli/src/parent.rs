//! The parent of a reshare, from its transcript and those of its own parents.

use std::path::PathBuf;

use super::report::CliError;
use super::{input, messages};
use quorate::audit::audit_all;
use quorate::audit::expectation::Expectations;
use quorate::audit::facts::Audited;

/// The newest of these transcripts, if it and all that it hangs on passes the audit.
pub(crate) fn audited(paths: &[PathBuf]) -> Result<Audited, CliError> {
    let files: Vec<Vec<u8>> =
        paths.iter().map(|path| input::transcript(path)).collect::<Result<_, CliError>>()?;
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let report = audit_all(&files, &Expectations::default())
        .map_err(|error| messages::unrelated(paths, &error))?;
    match report.audited().filter(|_| report.is_clean()) {
        Some(audited) => Ok(audited.clone()),
        None => Err(messages::no_parent(paths, &report)),
    }
}
