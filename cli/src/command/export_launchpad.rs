//! `quorate export launchpad`: one deposit file of the validators of one ceremony, or of several.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::export::write;
use crate::messages::quoted;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::audit::facts::Audited;
use quorate::audit::report::Report;
use quorate::export::launchpad;

/// Runs the command.
pub(super) fn run(transcripts: &[PathBuf], folder: &Path, out: &Output) -> Result<Exit, CliError> {
    input::must_be_free(folder)?;
    let reports: Vec<Report> =
        transcripts.iter().map(|path| input::audited(path)).collect::<Result<_, _>>()?;
    let mut all: Vec<&Audited> = Vec::new();
    let mut keys = BTreeSet::new();
    for (path, report) in transcripts.iter().zip(&reports) {
        let audited = report.audited().ok_or_else(|| messages::not_audited(path))?;
        let network = audited.ceremony().network();
        if let Some(first) = all.first().filter(|first| first.ceremony().network() != network) {
            let first = first.ceremony().network().name();
            return Err(messages::networks_differ(path, network.name(), first));
        }
        for validator in audited.validators() {
            if !keys.insert(validator.public_key.to_compressed()) {
                return Err(messages::key_twice(path, &validator.public_key.to_compressed()));
            }
        }
        all.push(audited);
    }
    let parts: Vec<_> = all.iter().map(|one| (&**one.ceremony(), one.validators())).collect();
    let files = launchpad::files(&parts);
    let files = files.map_err(|error| messages::internal(&error.to_string()))?;
    // Anybody can make a sound transcript, and what follows from it is as good.
    let audit = |path: &PathBuf| {
        format!("quorate audit {} --expect {}", quoted(path), messages::CEREMONY_FILE)
    };
    let next: Vec<String> = transcripts.iter().map(audit).collect();
    let what = match transcripts.len() {
        1 => "The transcript is sound, but it was not",
        _ => "The transcripts are sound, but they were not",
    };
    let note = format!(
        "\n{what} compared with what you agreed to. Before you use these files\n  {}",
        next.join("\n  ")
    );
    write(folder, &files, json!({ "next": next.join("\n") }), &note, out)
}
