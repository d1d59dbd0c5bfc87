//! Messages about finishing a reshare without operators that are lost.

use super::{local, usage};
use crate::report::CliError;
use quorate::message::without::TooFew;

/// What a person types before an operator is done without.
pub(crate) const LOST: &str = "these operators are lost and will not come back to this reshare";

/// Another sentence.
pub(crate) fn not_lost_by_word() -> CliError {
    usage(
        format!("that is not the sentence: {LOST}"),
        "if it is true, type it word for word. If they may come back, run the command without \
         --without, and wait for them",
    )
}

/// What it means, before it is confirmed.
pub(crate) fn without_means(lost: &str, others: &str) -> String {
    format!(
        "You are about to finish this reshare without {lost}.\nIt is complete when each of these \
         says the same: {others}.\nYou cannot take it back. The keys, the new shares and the \
         reports stay as they are; the reports name who was left out. If one of those comes back \
         to this reshare, it still gets its outputs.\nThe old shares of those who are left never \
         sign again."
    )
}

/// Somebody else has said that it finishes without operators.
pub(crate) fn asked_without(who: &str, lost: &str, flags: &str, running: bool) -> String {
    let first = if running { "interrupt this program and " } else { "" };
    format!(
        "{who} finishes without {lost}. If you too know that they are lost, {first}run the same \
         command with{flags}. Otherwise do nothing, and ask {who}."
    )
}

/// A draft in which the loss of one operator leaves too few.
pub(crate) fn needed_to_the_end(names: &str) -> String {
    format!(
        "WARNING: each of these must last until the end: {names}. If one of them is lost after all \
         have stopped, nobody can finish, and the validators cannot go on. More dealers or \
         witnesses make it safe: more than half of the old operators must be left without any one \
         of them."
    )
}

/// Who would make that safe.
pub(crate) fn could_witness(names: &str) -> String {
    format!(
        "An old operator that is there and does not deal can count too, as a witness: give \
         --witness with its name. It stops like the others. Possible: {names}."
    )
}

/// What it means to abandon a reshare.
pub(crate) fn abandoning_a_reshare() -> &'static str {
    "Abandoning is permanent: this operator will sign nothing more in this reshare. It cannot \
     complete with all operators then, unless a newer log of this one has signed more. The others \
     may still finish without it, once all have stopped."
}

/// It is done.
pub(crate) fn finished_without(lost: &str) -> String {
    format!(
        "The reshare is complete without {lost}. Leave it out of the next reshare (--absent), or \
         give it a new share there (--lost)."
    )
}

/// Nothing to finish.
pub(crate) fn without_no_reshare() -> CliError {
    usage(
        "--without: this is no reshare, and a key generation needs all of its operators",
        "run the command without --without; to leave somebody out, begin a new attempt: quorate \
         spec next",
    )
}

/// Oneself.
pub(crate) fn without_oneself() -> CliError {
    usage("--without: this is your own operator", "name those who are lost")
}

/// Not all have stopped.
pub(crate) fn without_too_early(ceremony: &str) -> CliError {
    local(
        format!("{ceremony:?}: this operator has not signed its last statement yet"),
        "run the command without --without. If an operator is lost before all have stopped, \
         abandon this reshare, start the old shares again, and draft another one without it",
    )
}

/// Others are missing, too.
pub(crate) fn without_unheard(missing: &str) -> CliError {
    local(
        format!("the last statements of {missing} are not here"),
        "run the command without --without until they are. If these operators are lost too, name \
         each of them with --without",
    )
}

/// Too few are left.
pub(crate) fn without_too_few(few: &TooFew) -> CliError {
    local(
        format!("without these operators too few are left: {few}"),
        "nobody can finish this reshare without one of them: wait for it. If nobody comes back, \
         exit the validators with the old shares of those who are left, if these are enough: \
         quorate exit request",
    )
}
