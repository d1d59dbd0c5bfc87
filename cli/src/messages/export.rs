//! What is said about exports.

use std::path::Path;

use super::{local, shown, usage};
use crate::keymanager::{PushError, Unfinished};
use crate::report::CliError;

pub(crate) fn nothing_here(ceremony: &str, dir: &Path) -> CliError {
    local(
        format!("{} has nothing of the ceremony {ceremony:?}", shown(dir)),
        "name the state directory with which you took part, with --dir",
    )
}

pub(crate) fn push(url: &str, error: &PushError) -> CliError {
    let what = format!("{url}: {error}");
    match error {
        PushError::Url(_) => usage(what, "write it like http://127.0.0.1:7500"),
        PushError::Https => usage(
            what,
            "run this on the key manager's machine; or bring its port here: ssh -L \
             7500:127.0.0.1:7500 HOST, then use http://127.0.0.1:7500",
        ),
        PushError::NotLoopback(_) => usage(
            what,
            "bring its port here: ssh -L 7500:127.0.0.1:7500 HOST, then use http://127.0.0.1:7500; \
             or mean it, with --insecure-http",
        ),
        PushError::Token => usage(what, "copy the token as the validator client wrote it"),
        PushError::Status { .. } => {
            local(what, "look at what the key manager says; check address and token")
        }
        PushError::Connect(_) | PushError::Io(_) | PushError::Answer(_) => local(
            what,
            "check that the key manager API is on and at this address, then run it again",
        ),
        PushError::Slow(_) | PushError::Count { .. } | PushError::Missing(_) => local(
            what,
            "ask the key manager what it holds before you start it (GET /eth/v1/keystores)",
        ),
    }
}

/// Whoever believes that nothing was imported, and loads the shares elsewhere, has them in two
/// clients.
pub(crate) fn push_unfinished(
    url: &str,
    Unfinished { why, held, unsure, total }: &Unfinished,
) -> CliError {
    if (*held, *unsure) == (0, 0) {
        return push(url, why);
    }
    let more = if *unsure == 0 {
        String::new()
    } else {
        format!(", and has {unsure} more or not: it did not say")
    };
    local(
        format!(
            "{url}: {why}\n  by its own word the key manager has {held} of the {total} \
             keystores{more}"
        ),
        "ask it what it holds (GET /eth/v1/keystores) before you start it, or load a share \
         anywhere else: a share in two clients gets \
         slashed. To go on, run it again: keys that it has are reported as duplicates",
    )
}

pub(crate) fn not_imported(lines: &[String]) -> CliError {
    local(
        format!("the key manager did not import everything\n  {}", lines.join("\n  ")),
        "mend what it says, then run it again: keys that it has are reported as duplicates",
    )
}
