//! Messages about rehearsals.

use std::path::Path;

use super::{local, quoted, shown, usage};
use crate::report::CliError;
use quorate::spec::rehearsal::NoRehearsal;

pub(crate) fn no_rehearsal(path: &Path, error: &NoRehearsal) -> CliError {
    let fix = match error {
        NoRehearsal::Kind => {
            "rehearse a key generation with the same operators: write its file with quorate spec \
             new. To look at the machines and the ways, use quorate doctor"
        }
        NoRehearsal::Words(_) => "give other words with --id, the same for all operators",
        NoRehearsal::Spec(_) => "correct the file; quorate spec check says what is wrong with it",
    };
    usage(format!("{}: {error}", shown(path)), fix)
}

/// What begins.
pub(crate) fn rehearsing(ceremony: &str, words: &str) -> String {
    format!(
        "Rehearsal {words:?} of {ceremony:?}: new keys for nothing, in memory alone. Nothing is \
         written, and nothing that is signed counts. All operators run the same command with the \
         same words now."
    )
}

/// What two statements of one operator mean here.
pub(crate) fn rehearsal_repeated() -> &'static str {
    "What was said in this rehearsal does not fit together: most likely somebody began it twice \
     with these words. That is nobody's fault, and proves nothing."
}

pub(crate) fn rehearsal_failed(path: &Path) -> CliError {
    local(
        "the rehearsal was stopped: what was said in it does not fit together. Most likely \
         somebody began it twice with these words",
        format!(
            "all operators begin another one, with other words: quorate rehearse {} --id WORDS",
            quoted(path)
        ),
    )
}

/// All went well.
pub(crate) fn rehearsed() -> &'static str {
    "READY: all operators have taken part, and have seen that it was complete. Nothing of this \
     rehearsal was kept."
}

pub(crate) fn groups_failed() -> &'static str {
    "NOT READY: some groups could not sign. That cannot happen by itself: compare the releases \
     that the operators use, and report it"
}

pub(crate) fn not_all_rehearsed(who: &str) -> String {
    format!(
        "WAITING: it is complete here, and these have not confirmed that it is complete there: \
         {who}.\nwhat to do: ask them how it ended; if it did not, rehearse again, with other words"
    )
}
