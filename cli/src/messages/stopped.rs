//! Messages about evidence, abandoned ceremonies and next attempts.

use std::path::Path;

use super::{CEREMONY_FILE, quoted, shown, spec, usage};
use crate::report::{CliError, Exit};
use quorate::spec::threshold::ThresholdError;
use quorate::spec::{Ceremony, SpecError};
use quorate::transcript::container::ContainerError;

/// The command that checks evidence against a ceremony file; the words for one stand for the file
/// where it is not known.
pub(crate) fn check_evidence(evidence: &Path, ceremony: Option<&Path>) -> String {
    let file = ceremony.map_or(CEREMONY_FILE.to_owned(), quoted);
    format!("quorate evidence check {} --expect {file}", quoted(evidence))
}

/// A file that is not evidence, or not well-formed.
/// `kind` as in a sentence that begins with "this is".
pub(crate) fn no_evidence(path: &Path, kind: &str) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("{} is not evidence: this is {kind}", shown(path)),
        "give a fault-*.quorate or stopped-*.quorate, from the folder evidence of a ceremony",
    )
}

pub(crate) fn not_evidence(path: &Path, error: &ContainerError) -> CliError {
    let (what, fix) = match error {
        ContainerError::NotStopped => (
            error.to_string(),
            format!(
                "to verify a transcript, use: quorate audit {} --expect {CEREMONY_FILE}",
                quoted(path)
            ),
        ),
        ContainerError::Magic => (
            "not evidence: it does not start with \"QTRN\"".to_owned(),
            "check that this is the right file".to_owned(),
        ),
        ContainerError::Statements { .. }
        | ContainerError::Crowd { .. }
        | ContainerError::Sessions(_) => (
            format!("more than an operator that keeps the rules can hold: {error}"),
            "nothing in it was judged, and nobody is at fault; whoever made it made it to cost \
             time. Ask for the evidence of the fault alone (fault-*.quorate)"
                .to_owned(),
        ),
        _ => (
            format!("not evidence: {error}"),
            "do not rely on it; ask for the file again".to_owned(),
        ),
    };
    CliError::new(Exit::Finding, format!("{}: {what}", shown(path)), fix)
}

/// Evidence about another ceremony than the one that was expected.
pub(crate) fn other_ceremony(path: &Path, found: &str, expected: &str) -> CliError {
    CliError::new(
        Exit::Finding,
        format!(
            "{}: this is about another ceremony. Its fingerprint is: {found}; the expected \
             fingerprint is: {expected}",
            shown(path)
        ),
        "nothing in it concerns your ceremony, even if names match; ask for the right file",
    )
}

/// Nothing was signed here.
pub(crate) fn nothing_begun(ceremony: &str) -> CliError {
    usage(
        format!(
            "this operator has not started the ceremony {ceremony:?}: there is nothing to abandon"
        ),
        "check the file and --dir; if you do not want to take part, just do not run it",
    )
}

/// A ceremony that came to its end.
pub(crate) fn finished(ceremony: &Ceremony, out: &Path) -> CliError {
    let otherwise = match ceremony.reshare() {
        None => "do not deposit",
        Some(_) if ceremony.is_repair() => "destroy its keystores",
        Some(_) => "agree with the others on the next reshare, or exit the validators",
    };
    usage(
        format!("the ceremony {:?} is finished: there is nothing to abandon", ceremony.name()),
        format!("its outputs are in {}; if they must not be used, {otherwise}", shown(out)),
    )
}

/// This operator has agreed to the outputs: others may have published them, and may rely on its
/// share.
pub(crate) fn agreed_already(ceremony: &Ceremony) -> CliError {
    let otherwise = match ceremony.reshare() {
        None => "not to deposit",
        Some(_) if ceremony.is_repair() => "on a reshare",
        Some(_) => "on the next reshare",
    };
    usage(
        format!(
            "this operator has signed the outputs of the ceremony {:?}: others may have them and \
             rely on its share",
            ceremony.name()
        ),
        format!(
            "run it again to get your outputs too; if they must not be used, agree with the others \
             {otherwise}"
        ),
    )
}

/// What this operator gave up stays given up.
pub(crate) fn given_up(dir: &Path) -> CliError {
    CliError::new(
        Exit::Aborted,
        format!("{}: this operator has permanently abandoned this ceremony", shown(dir)),
        "never deposit to its keys; of a reshare, never load its shares. The record is in \
         evidence/. Draft the next attempt with: quorate spec next",
    )
}

// The next attempt.

pub(crate) fn no_such_operator(flag: &str, text: &str, ceremony: &str) -> CliError {
    usage(
        format!("{flag} {text:?}: no operator of {ceremony:?} has this name or index"),
        "see their names and indices with: quorate spec show",
    )
}

/// An operator is added whose evaluation point nobody can know.
pub(crate) fn next_numbered(import: bool) -> CliError {
    let draft = if import { "import" } else { "reshare" };
    usage(
        "--add: the operators of this ceremony have evaluation points of their own, such as \
         numbers of SSV's contract, and the new one's is not known",
        format!(
            "draft another file with its number: quorate {draft} new --ssv-id NAME=ID. Give the \
             number of each operator that gets a share"
        ),
    )
}

pub(crate) fn two_such_operators(flag: &str, text: &str) -> CliError {
    usage(
        format!("{flag} {text:?}: this is the name of one operator and the index of another"),
        "use the other form, name or index, for the operator that you mean",
    )
}

pub(crate) fn reason(most: usize) -> CliError {
    usage(
        format!("--reason: not one line of 1 to {most} characters"),
        "give the reason for the next attempt in one sentence",
    )
}

/// A next attempt that is not possible.
pub(crate) fn next_spec(error: &SpecError) -> CliError {
    let CliError { exit, what, fix } = spec(error);
    match error {
        SpecError::Threshold(ThresholdError::TooFewOperators(_)) => CliError {
            exit,
            what,
            fix: "add another operator with --add CARD@HOST:PORT".to_owned(),
        },
        _ => CliError { exit, what, fix },
    }
}

pub(crate) fn last_attempt() -> CliError {
    usage(
        "attempt 4294967295 is the last possible one",
        "write a new ceremony file with: quorate spec new",
    )
}
