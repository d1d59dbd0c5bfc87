//! Messages about slashing protection data, and about keys that are removed.

use std::path::{Path, PathBuf};

use super::{local, push, shown, usage};
use crate::keymanager::PushError;
use crate::report::CliError;
use crate::silence::NotSilent;
use quorate::ethereum::interchange::InterchangeError;

/// Before a push that carries none.
pub(crate) const UNPROTECTED: &str = "\
WARNING: no slashing protection data is sent. That is right only for keys that have never been in \
a validator client. For others, add --protection with the data of the client that had them.";

pub(crate) fn protection(path: &Path, error: &InterchangeError) -> CliError {
    let fix = match error {
        InterchangeError::Json(_) | InterchangeError::Version(_) => {
            "export the slashing protection data of the validator client again, in the format of \
             EIP-3076, version 5"
        }
        InterchangeError::Root { .. } => {
            "give the data that a validator client of this network has exported"
        }
        _ => "export the data again; do not repair it by hand",
    };
    local(format!("{}: {error}", shown(path)), fix)
}

pub(crate) fn protection_missing(paths: &[PathBuf], keys: &str) -> CliError {
    let files: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    local(
        format!("{}: nothing is said of these keys{keys}", files.join(", ")),
        "give the data of each validator client that has had them, with another --protection; if \
         they have never been in one, add --others-never-ran; if they ran in a node of SSV, \
         --others-until-now",
    )
}

pub(crate) fn protection_on_stdout() -> CliError {
    usage(
        "--out -: slashing protection data is not written to stdout",
        "give the path of a file on a disk: the data may be nowhere else",
    )
}

pub(crate) fn no_operator_number(number: u16, operators: usize) -> CliError {
    usage(
        format!("--operator {number}: the ceremony has the operators 1 to {operators}"),
        "look up the number: quorate audit TRANSCRIPT",
    )
}

pub(crate) fn no_card_here(state: &Path) -> CliError {
    local(
        format!("{}: no operator card is kept here", shown(state)),
        "give the operator's directory with --dir, or the operator's number with --operator",
    )
}

/// What to do where it is not known what a key manager has removed.
const AGAIN: &str = "run the same command again (with another file, if you gave one with --out): \
                     the key manager gives the data of removed keys again. Until then, load these \
                     shares nowhere";

pub(crate) fn remove(url: &str, error: &PushError) -> CliError {
    let what = format!("{url}: {error}");
    match error {
        PushError::Url(_)
        | PushError::Https
        | PushError::NotLoopback(_)
        | PushError::Token
        | PushError::Connect(_) => push(url, error),
        PushError::Redirect(_) => local(
            what,
            "nothing was removed; give the address of the key manager itself, which may end in a \
             path",
        ),
        PushError::Status { .. } => local(
            what,
            format!("read what it says, and check the address and the token; then {AGAIN}"),
        ),
        _ => local(format!("{what}\n  the keys may have been removed"), AGAIN),
    }
}

pub(crate) fn removed_unwritten(error: &CliError) -> CliError {
    local(
        format!("the keys may have been removed, but their data was not kept: {}", error.what),
        format!("{}; then {AGAIN}", error.fix),
    )
}

pub(crate) fn removed_without_data(url: &str, file: &Path) -> CliError {
    local(
        format!(
            "{url}: its answer has no slashing protection data; the whole answer is in {}",
            shown(file)
        ),
        "read the answer. Export the data with the validator client's own command before you load \
         these shares anywhere else",
    )
}

pub(crate) fn removed_unsure(url: &str, error: &PushError, file: &Path) -> CliError {
    let kept = shown(file);
    local(
        format!("{url}: {error}\n  the slashing protection data that it gave is in {kept}"),
        AGAIN,
    )
}

pub(crate) fn not_removed(lines: &str, file: &Path) -> CliError {
    local(
        format!(
            "the key manager did not remove all keys{lines}\n  the slashing protection data that \
             it gave is in {}",
            shown(file)
        ),
        "not_found: find the validator client that has the key, and remove it there. Otherwise fix \
         the reported problem, and run the command again (with another file, if you gave one with \
         --out)",
    )
}

pub(crate) fn removed_unreadable(file: &Path, error: &InterchangeError) -> CliError {
    local(
        format!("the keys were removed; what the key manager gave is in {}: {error}", shown(file)),
        "keep the file. Export the data with the validator client's own command before you load \
         these shares anywhere else",
    )
}

pub(crate) fn silent_keys(keys: &str) -> String {
    format!(
        "WARNING: the data says nothing of these keys: this validator client has signed nothing \
         with them, or does not know what.{keys}"
    )
}

/// Said to a dealer from whom nothing but its stop is missing.
pub(crate) const MAY_STOP: &str = "All new shares are stored and proven. Waiting for you to stop \
                                   the old keys, and to say so.";

/// What a dealer types who has removed its old shares itself.
pub(crate) const REMOVED: &str = "these shares are removed from every validator client";

pub(crate) fn not_removed_by_word() -> CliError {
    usage(
        format!("that is not the sentence: {REMOVED}"),
        "if it is true, type it word for word. A client that is only stopped does not count: it \
         starts again by itself one night",
    )
}

pub(crate) fn stops_nothing() -> CliError {
    usage(
        "--stopped: this operator deals no shares in this ceremony",
        "run the command without --stopped",
    )
}

pub(crate) fn not_certified(ceremony: &str) -> CliError {
    local(
        format!("{ceremony:?}: the new shares are not confirmed by everybody yet (certificate 1)"),
        "do not stop the validator client: the old shares are still needed. Run the command \
         without --stopped until it asks for the stop",
    )
}

pub(crate) fn stopped_twice() -> CliError {
    local(
        "this operator has stated twice what its shares have signed, and nobody keeps a third",
        "run the command without --stopped; if these values are higher still, tell the receivers \
         before they load their new shares",
    )
}

pub(crate) fn stated_less(error: &InterchangeError) -> CliError {
    local(
        format!("less than this operator has stated before: {error}"),
        "give the newest data of each validator client that had the shares; run the command \
         without --stopped if nothing has changed",
    )
}

/// What a dealer or witness is told before it says that it has stopped.
pub(crate) fn stop_standing(
    stopped: usize,
    all: usize,
    required: usize,
    participants: usize,
) -> String {
    let last = participants - required + 1;
    format!(
        "{stopped} of {all} old operators have stopped. With the stop number {last}, fewer than \
         {required} old shares are left: from then on the validators sign nothing until the new \
         shares run. A stop cannot be taken back in this ceremony once the new shares are final."
    )
}

pub(crate) fn too_early(first: u64, present: u64, wait: u64) -> CliError {
    CliError::new(
        crate::report::Exit::Waiting,
        format!(
            "it is epoch {present}: the new shares sign nothing before epoch {first}, and must not \
             be loaded before"
        ),
        format!("run the same command again in {} minutes", wait.div_ceil(60)),
    )
}

pub(crate) fn floors_elsewhere(ceremony: &str) -> CliError {
    local(
        format!("nothing here says from which epoch on the shares of {ceremony:?} may run"),
        "use the state directory that took part in it: its outputs say so",
    )
}

pub(crate) fn no_floors(folder: &Path, error: &str) -> CliError {
    local(
        format!("{}: {error}", shown(folder)),
        "the new shares are pushed only with the slashing protection data that this program wrote \
         with them. Move the outputs back",
    )
}

pub(crate) fn silence_of_none() -> CliError {
    usage(
        "--beacon: these are the first shares of their validators, and nothing ran before them",
        "run the command without --beacon",
    )
}

pub(crate) fn no_epoch_of_silence(epoch: u64, committed: u64, present: u64) -> CliError {
    let first = committed.saturating_add(1);
    local(
        format!(
            "epoch {epoch} shows nothing: the old shares may have signed until epoch {committed}, \
             and it is epoch {present}"
        ),
        format!(
            "ask the node about an epoch from {first} on, when the epoch after it is over: about \
             epoch {first} in epoch {}",
            first.saturating_add(2)
        ),
    )
}

pub(crate) fn not_silent(path: &Path, epoch: u64, error: &NotSilent) -> CliError {
    let fix = match error {
        NotSilent::Alive { .. } => {
            "load no new share anywhere. Find out with the other operators which old shares still \
             run, and have them removed; then ask about a later epoch"
        }
        _ => "ask the node about all validators of the reshare, and save its whole answers",
    };
    local(format!("{}, epoch {epoch}: {error}", shown(path)), fix)
}

/// A clock that says nothing of a network.
pub(crate) fn no_present_epoch(network: &str) -> CliError {
    usage(
        format!("the present epoch of {network} is not known: its slots, or this machine's clock"),
        "set the clock; or give what the shares have signed with --protection",
    )
}
