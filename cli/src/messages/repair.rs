//! Messages about repairs.

use std::path::Path;

use super::{local, shown, usage};
use crate::report::CliError;
use quorate::spec::SpecError;

/// What a person types who drafts a repair.
pub(crate) const DESTROYED: &str = "the old machine is destroyed";

/// Any other sentence.
pub(crate) fn not_destroyed_by_word() -> CliError {
    usage(
        format!("that is not the sentence: {DESTROYED}"),
        "if it is true, type it word for word. If the old machine or a copy of its keystores may \
         still run, or if the share may have been stolen, do not repair it: quorate reshare new",
    )
}

/// A repair that was to be made of flags.
pub(crate) fn repair(error: &SpecError) -> CliError {
    let fix = match error {
        SpecError::CardVersion { .. } => {
            "ask this operator for its card (quorate identity show), and give it with --operator"
        }
        _ => "correct the flags; positions count from 0, in the order of the parent",
    };
    usage(format!("this repair is invalid: {error}"), fix)
}

/// The transcript of a repair, where that of the shares is needed.
pub(crate) fn no_generation(path: &Path) -> CliError {
    usage(
        format!("{} is the transcript of a repair, which made no shares", shown(path)),
        "give the transcript of the ceremony that made them; it is in the folder history beside it",
    )
}

/// Shares of a helper, which it has from elsewhere.
pub(crate) fn has_helped(ceremony: &str) -> CliError {
    local(
        format!("{ceremony:?}: this operator has helped, and its own shares are as before"),
        "use the file of the ceremony in which they were made",
    )
}

/// An attempt with other operators.
pub(crate) fn next_repair() -> CliError {
    usage(
        "the next attempt of a repair has the same operators",
        "to choose other helpers, draft another repair: quorate repair new --helper NAME",
    )
}

/// More or fewer helpers than sign.
pub(crate) fn helpers(found: usize, required: usize) -> CliError {
    usage(
        format!("{found} helpers; as many help as sign, which is {required}"),
        format!("give --helper {required} times; or leave it out"),
    )
}

/// An operator of whom two things are said.
pub(crate) fn helps_twice(text: &str) -> CliError {
    usage(
        format!("--helper {text}: another flag names this operator already"),
        "give each helper once, and not the operator that has lost its share",
    )
}

/// Nobody can lose a share where all are needed.
pub(crate) fn all_are_needed() -> CliError {
    usage(
        "every share is needed to sign, so the others cannot give one back",
        "there is no way to make this share again; the withdrawal address can still exit the \
         validators (EIP-7002)",
    )
}

/// A card of somebody else.
pub(crate) fn strangers_card() -> CliError {
    usage(
        "--operator: this card is of no operator of the repair",
        "a repair has the operator that lost its share, with its old identity, and its helpers; to \
         replace an operator, use: quorate reshare new",
    )
}

/// What a fault leaves of a repair.
pub(crate) fn repair_stopped(prepared: bool) -> &'static str {
    match prepared {
        true => {
            "If the other operators complete the certificate, this repair can still finish: run \
             the same command again. Nobody else's share has changed, and the validators live on."
        }
        false => {
            "By the log in this folder, this operator never confirmed a share. If no newer log of \
             it exists, this repair cannot finish. Nobody else's share has changed, and the \
             validators live on. A new attempt is safe: it gives back the same share."
        }
    }
}

/// What an abandonment leaves of a repair.
pub(crate) fn repair_abandoned() -> &'static str {
    "This operator signs nothing more in this repair. Nobody else's share has changed, and the \
     validators live on. A new attempt is safe: it gives back the same share."
}
