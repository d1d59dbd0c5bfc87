//! Messages of `quorate recover`.

use std::path::Path;

use super::{local, shown, usage};
use crate::report::CliError;

/// What a person types before keys become whole.
pub(crate) const STOPPED: &str = "no share of these validators runs anywhere";

/// Before the sentence is asked for.
pub(crate) fn recovery(validators: &str) -> String {
    format!(
        "This makes whole keys of {validators}. Whoever has the new folder can sign alone, and the \
         shares can sign as well, for ever. If a key runs here while enough shares of it run \
         anywhere, the validator is slashed."
    )
}

pub(crate) fn not_that_sentence() -> CliError {
    usage(
        format!("that is not the sentence: {STOPPED}"),
        "if it is true, type it word for word; if it is not, first remove the shares from every \
         validator client: quorate keymanager remove",
    )
}

pub(crate) fn too_few_shares(found: usize, required: usize) -> CliError {
    usage(
        format!("shares of {found} operators are given, and {required} can sign"),
        "give the keystores of more operators, each with --share",
    )
}

pub(crate) fn no_share_of(folder: &Path, what: &str) -> CliError {
    local(
        format!("{}: {what}", shown(folder)),
        "give a folder with one operator's keystores of all validators, as quorate export \
         keystores writes them",
    )
}

pub(crate) fn given_twice(folder: &Path, operator: &str) -> CliError {
    usage(
        format!("{}: the shares of {operator} are given twice", shown(folder)),
        "give the keystores of each operator once",
    )
}

pub(crate) fn not_the_key(validator: usize) -> CliError {
    local(
        format!("validator {validator}: the shares do not make the key in the transcript"),
        "this is a bug in this program, since each share was compared; please report it",
    )
}

pub(crate) fn not_covered(validator: usize, found: usize, required: usize) -> CliError {
    local(
        format!(
            "validator {validator}: the slashing protection data is that of {found} operators' \
             shares, and {required} are needed: so many that the others were too few to sign"
        ),
        "let more operators remove their shares with quorate keymanager remove, and add their \
         files with --protection; if the others' shares have never been in a validator client, add \
         --others-never-ran",
    )
}
