//! `quorate evidence`: checks an evidence file, based only on the signed statements in it.

use std::path::Path;

use crate::args::Evidence;
use crate::report::{CliError, Exit, Output};
use crate::verdict::Verdict;
use crate::{input, messages};
use quorate::spec::canonical::fingerprint;

/// Runs the command.
pub(crate) fn run(args: &Evidence, out: &Output) -> Result<Exit, CliError> {
    match args {
        Evidence::Check { file, expect } => check(file, expect.as_deref(), out),
    }
}

fn check(file: &Path, expect: Option<&Path>, out: &Output) -> Result<Exit, CliError> {
    let expected = expect.map(input::ceremony).transpose()?.map(|(_, ceremony)| ceremony);
    let verdict = judged(file)?;
    if let Some(expected) =
        expected.filter(|expected| expected.digest() != verdict.ceremony.digest())
    {
        let words = |digest| fingerprint(&digest).join(" ");
        return Err(messages::other_ceremony(
            file,
            &words(verdict.ceremony.digest()),
            &words(expected.digest()),
        ));
    }
    let exit = if verdict.proven.is_empty() { Exit::Finding } else { Exit::Done };
    out.finish(exit, verdict.fields(), &verdict.text())
}

/// The verdict on a file.
pub(crate) fn judged(file: &Path) -> Result<Verdict, CliError> {
    Verdict::of(&input::transcript(file)?).map_err(|error| messages::not_evidence(file, &error))
}
