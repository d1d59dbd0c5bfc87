//! `quorate evidence`: checks an evidence file, based only on the signed statements in it.

use std::path::Path;

use serde_json::json;

use crate::args::Evidence;
use crate::report::{CliError, Exit, Output};
use crate::verdict::{Compared, Verdict};
use crate::{input, messages};
use quorate::spec::Ceremony;
use quorate::spec::canonical::fingerprint;
use quorate::transcript::container::Header;

/// Runs the command.
pub(crate) fn run(args: &Evidence, out: &Output) -> Result<Exit, CliError> {
    match args {
        Evidence::Check { file, expect } => check(file, expect.as_deref(), out),
    }
}

fn check(file: &Path, expect: Option<&Path>, out: &Output) -> Result<Exit, CliError> {
    let expected = expect.map(input::ceremony).transpose()?.map(|(_, ceremony)| ceremony);
    let bytes = input::statements(file)?;
    if let Some(kind) = input::other_kind(&bytes) {
        return Err(messages::no_evidence(file, kind));
    }
    let compared = match expected {
        Some(expected) => {
            must_be_about(file, &bytes, &expected)?;
            Compared::Expected
        }
        None => Compared::Not,
    };
    let verdict = Verdict::of(&bytes).map_err(|error| messages::not_evidence(file, &error))?;
    let exit = if verdict.proven.is_empty() { Exit::Finding } else { Exit::Done };
    let next = (compared == Compared::Not).then(|| messages::check_evidence(file, None));
    let (mut fields, mut text) = (verdict.fields(compared), verdict.text(compared));
    fields["next"] = json!(next);
    if let Some(next) = &next {
        text += &format!("\nNext, with the ceremony file that you agreed to\n  {next}\n");
    }
    out.finish(exit, fields, &text)
}

/// Refuses a file about another ceremony. Its front is enough for that, and nothing else of it is
/// looked at: judging takes long, and a stranger's file should not.
fn must_be_about(file: &Path, bytes: &[u8], expected: &Ceremony) -> Result<(), CliError> {
    let found = Header::parse(bytes).and_then(|header| header.ceremony(bytes));
    let found = found.map_err(|error| messages::not_evidence(file, &error))?;
    let words = |ceremony: &Ceremony| fingerprint(&ceremony.digest()).join(" ");
    match found.digest() == expected.digest() {
        true => Ok(()),
        false => Err(messages::other_ceremony(file, &words(&found), &words(expected))),
    }
}

/// The verdict on a file.
pub(crate) fn judged(file: &Path) -> Result<Verdict, CliError> {
    Verdict::of(&input::statements(file)?).map_err(|error| messages::not_evidence(file, &error))
}
