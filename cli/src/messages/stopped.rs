//! What is said about ceremonies that were not completed, their evidence, and the attempts after
//! them.

use std::path::Path;

use super::{local, quoted, shown, spec, usage};
use crate::report::{CliError, Exit};
use quorate::spec::SpecError;
use quorate::spec::threshold::ThresholdError;
use quorate::transcript::container::ContainerError;

/// A file that is not evidence, or not well-formed.
pub(crate) fn not_evidence(path: &Path, error: &ContainerError) -> CliError {
    let (what, fix) = match error {
        ContainerError::NotStopped => (
            error.to_string(),
            format!("it is verified, and not judged, with: quorate audit {}", quoted(path)),
        ),
        ContainerError::Magic => (
            "not evidence: it does not begin with \"QTRN\"".to_owned(),
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
            "believe nothing of it; ask for the file again".to_owned(),
        ),
    };
    CliError::new(Exit::Finding, format!("{}: {what}", shown(path)), fix)
}

/// Evidence about another ceremony than the one that was expected.
pub(crate) fn other_ceremony(path: &Path, found: &str, expected: &str) -> CliError {
    CliError::new(
        Exit::Finding,
        format!(
            "{}: about another ceremony. Its fingerprint is: {found}; the expected one's: \
             {expected}",
            shown(path)
        ),
        "nothing in it is about your ceremony, whoever is named in it; ask for the right file",
    )
}

/// Nothing was signed here.
pub(crate) fn nothing_begun(ceremony: &str) -> CliError {
    usage(
        format!(
            "this operator has not begun the ceremony {ceremony:?}: there is nothing to give up"
        ),
        "check the file and --dir; not to take part, do not run it",
    )
}

/// A ceremony that came to its end.
pub(crate) fn finished(ceremony: &str, out: &Path) -> CliError {
    usage(
        format!("the ceremony {ceremony:?} is finished: there is nothing to give up"),
        format!("its outputs are in {}; if they are not to be used, do not deposit", shown(out)),
    )
}

/// This operator has agreed to the outputs: others may have published them, and may rely on its
/// share.
pub(crate) fn agreed_already(ceremony: &str) -> CliError {
    usage(
        format!(
            "this operator has signed the outputs of the ceremony {ceremony:?}: others may have \
             them, and count on its share"
        ),
        "run it again, to have your outputs too; if they are not to be used, agree with the others \
         not to deposit",
    )
}

/// What this operator gave up stays given up.
pub(crate) fn given_up(dir: &Path) -> CliError {
    CliError::new(
        Exit::Aborted,
        format!("{}: this operator has given this ceremony up, which is final", shown(dir)),
        "never deposit to its keys. The record is in evidence/; draft the next attempt with: \
         quorate spec next",
    )
}

// The next attempt.

pub(crate) fn no_such_operator(flag: &str, text: &str, ceremony: &str) -> CliError {
    usage(
        format!("{flag} {text:?}: no operator of {ceremony:?} has this name or index"),
        "see their names and indices with: quorate spec show",
    )
}

pub(crate) fn two_such_operators(flag: &str, text: &str) -> CliError {
    usage(
        format!("{flag} {text:?}: one operator has this name, another this index"),
        "name the one that you mean otherwise",
    )
}

pub(crate) fn reason(most: usize) -> CliError {
    usage(
        format!("--reason: not one line of 1 to {most} characters"),
        "say in a sentence why there is another attempt",
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
        "attempt 4294967295 is the last that there can be",
        "make a new ceremony with: quorate spec new",
    )
}

// A demo of faults.

/// A demo that went otherwise than it should: what it promises to show does not hold here.
pub(crate) fn demo_differs(fault: &str, what: &str, root: &Path) -> CliError {
    local(
        format!("the demo of {fault} went otherwise than announced: {what}"),
        format!("please report it, with the lines above; the files are in {}", shown(root)),
    )
}

/// The demo's cheat, outside of a demo.
pub(crate) fn not_a_demo() -> CliError {
    usage(
        "this command breaks the rules on purpose, and works in a demo's ceremony only",
        "see: quorate demo --help",
    )
}
