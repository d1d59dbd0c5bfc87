//! Messages of `quorate export`.

use std::path::Path;

use super::{local, shown, usage};
use crate::keymanager::{PushError, Unfinished};
use crate::report::CliError;

pub(crate) fn nothing_here(ceremony: &str, dir: &Path) -> CliError {
    local(
        format!("{} holds nothing from the ceremony {ceremony:?}", shown(dir)),
        "give the state directory with which you took part, with --dir",
    )
}

pub(crate) fn push(url: &str, error: &PushError) -> CliError {
    let what = format!("{url}: {error}");
    match error {
        PushError::Url(_) => usage(what, "write it as in http://127.0.0.1:7500"),
        PushError::Https => usage(
            what,
            "run this on the key manager's machine; or forward its port: ssh -L \
             7500:127.0.0.1:7500 HOST, then use http://127.0.0.1:7500",
        ),
        PushError::NotLoopback(_) => usage(
            what,
            "forward its port: ssh -L 7500:127.0.0.1:7500 HOST, then use http://127.0.0.1:7500; or \
             accept the risk with --insecure-http",
        ),
        PushError::Token => usage(what, "copy the token exactly as the validator client wrote it"),
        PushError::Redirect(_) => local(
            what,
            "nothing was imported; give the address of the key manager itself, which may end in a \
             path",
        ),
        PushError::Status { .. } => {
            local(what, "read what the key manager says; check the address and the token")
        }
        PushError::Connect(_) | PushError::Io(_) | PushError::Answer(_) => local(
            what,
            "check that the key manager API is enabled at this address, then run the command again",
        ),
        PushError::Slow(_)
        | PushError::Count { .. }
        | PushError::Missing(_)
        | PushError::Remains(_) => local(
            what,
            "ask the key manager which keys it holds (GET /eth/v1/keystores) before you start it",
        ),
    }
}

/// A person who believes that nothing was imported, and loads the shares elsewhere, has them in two
/// clients.
pub(crate) fn push_unfinished(
    url: &str,
    Unfinished { why, held, unsure, total }: &Unfinished,
) -> CliError {
    if (*held, *unsure) == (0, 0) {
        return push(url, why);
    }
    let more =
        if *unsure == 0 { String::new() } else { format!("; status of {unsure} more unknown") };
    local(
        format!(
            "{url}: {why}\n  the key manager says that it has {held} of the {total} \
             keystores{more}"
        ),
        "ask it which keys it holds (GET /eth/v1/keystores) before you start it or load a share \
         anywhere else: a share in two clients gets slashed. To continue, run the same command \
         again: keys that it already has are reported as duplicates",
    )
}

pub(crate) fn not_imported(lines: &[String]) -> CliError {
    local(
        format!("the key manager did not import all keystores\n  {}", lines.join("\n  ")),
        "fix the reported problem and run it again: keys that it already has are reported as \
         duplicates",
    )
}

/// A note, for keystores as Charon has them, without what it also needs.
pub(crate) fn charon_passwords() -> &'static str {
    "\nCharon and its scripts read each password from a file beside the keystore (keystore-0.txt), \
     and none was written: add --password-files, or write these files yourself."
}

/// Transcripts for one deposit file that are of two networks.
pub(crate) fn networks_differ(path: &Path, found: &str, first: &str) -> CliError {
    usage(
        format!("{}: of the network {found}, and the first transcript is of {first}", shown(path)),
        "a deposit file is for one network; export each network by itself",
    )
}

/// A validator that two transcripts have.
pub(crate) fn key_twice(path: &Path, key: &[u8; 48]) -> CliError {
    usage(
        format!(
            "{}: another transcript has the validator 0x{}, too",
            shown(path),
            hex::encode(key)
        ),
        "give each ceremony once; of a reshare and its parent, give the parent alone",
    )
}
