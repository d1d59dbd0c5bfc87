//! Messages about whether shares that came out of a backup are the newest: what is asked, answered
//! and found.

use std::path::Path;

use super::{local, one_line, quoted, shown, usage};
use crate::progress::seat_name;
use crate::report::{CliError, Exit};
use quorate::audit::describe::in_quotes;
use quorate::signing::newest::{Known, NewestError, Standing};
use quorate::spec::{Ceremony, Index};

/// A ceremony whose shares came out of a backup, and how many of the other holders are asked.
pub(crate) struct NewestSubject<'a> {
    pub(crate) ceremony: &'a Ceremony,
    pub(crate) needed: usize,
}

/// Nothing is unsure of these shares.
pub(crate) fn nothing_to_ask(ceremony: &str) -> CliError {
    usage(
        format!(
            "the shares of {ceremony:?} in this directory did not come out of a backup, or it is \
             settled that they are the newest"
        ),
        "nothing is to be asked: use them",
    )
}

/// Answers, and no question.
pub(crate) fn nothing_asked(ceremony: &Path) -> CliError {
    usage(
        "this directory has asked nothing about these shares",
        format!("ask first: quorate restored ask {} -o FILE", quoted(ceremony)),
    )
}

/// A file that is no question, or none that this operator answers.
pub(crate) fn question(path: &Path, error: &NewestError) -> CliError {
    let fix = match error {
        NewestError::Layout(_) | NewestError::Key(_) => {
            "give the file that quorate restored ask wrote"
        }
        NewestError::Signature => "get it again from whoever asks, in a way that nobody can change",
        _ => "compare with whoever asks which ceremony is meant",
    };
    CliError::new(Exit::Finding, format!("{}: {}", shown(path), one_line(error)), fix)
}

/// A directory that does not know itself what came after its backup.
pub(crate) fn unsure_itself(path: &Path) -> CliError {
    local(
        format!(
            "{}: this directory came out of a backup itself, and does not know whether its shares \
             are the newest",
            shown(path)
        ),
        "settle that first: quorate restored ask. Until then, others answer",
    )
}

/// Whoever is asked holds no share of the ceremony, or is the one that asks.
pub(crate) fn not_asked(path: &Path) -> CliError {
    usage(
        format!("{}: this question is to the other operators that hold shares", shown(path)),
        "use the state directory of one of them, with --dir",
    )
}

/// Nothing of the ceremony is here, and what is only in keystores tells nothing of it.
pub(crate) fn not_shared(path: &Path, ceremony: &str, dir: &Path) -> CliError {
    local(
        format!("{}: {} holds nothing from the ceremony {ceremony}", shown(path), shown(dir)),
        "give the state directory with which you took part, with --dir. Without its notes nothing \
         is known of newer shares: then others answer",
    )
}

/// Nothing of what was given is an answer.
pub(crate) fn no_answer_counts(bad: &[String]) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("no answer counts: {}", bad.join("; ")),
        "send your newest question to the other operators, and take their answers to it",
    )
}

/// A newer generation, as an operator names it.
pub(crate) fn newer_named(known: &Known) -> String {
    let name = match known.name.is_empty() {
        true => "a reshare or import whose file is lost".to_owned(),
        false => in_quotes(&known.name),
    };
    let standing = match known.standing {
        Standing::Committed => "it has committed its shares to it",
        Standing::Final => "it has signed its last statement in it",
        Standing::Complete => "it has the outputs",
    };
    format!("{name} (ceremony {}): {standing}", known.ceremony)
}

/// Others know of newer shares.
pub(crate) fn newer_told(subject: &NewestSubject<'_>, told: &[(Index, Known)]) -> CliError {
    let lines: String = told
        .iter()
        .map(|(who, known)| {
            let who = match subject.ceremony.is_repair() {
                // Whoever was asked holds a share of the parent.
                true => format!("operator {who} of the parent"),
                false => seat_name(subject.ceremony, *who).to_string(),
            };
            format!("\n  {who} says: {}", newer_named(known))
        })
        .collect();
    CliError::new(
        Exit::Finding,
        format!(
            "the shares of {:?} in this directory may not be the newest, and are not used:{lines}",
            subject.ceremony.name()
        ),
        format!(
            "get the newest transcript from them: a new share comes with the next reshare \
             (--lost), or with a repair. If that ceremony was abandoned, ask again, and take \
             answers of {} operators",
            subject.needed
        ),
    )
}
