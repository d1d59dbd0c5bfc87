//! Messages about a log that was put back to an earlier state.

use std::path::Path;

use super::{local, quoted, shown};
use crate::report::CliError;
use quorate::message::envelope::Round;
use quorate::protocol::put_back::PutBack;
use quorate_operator::store::staged;

/// The name of a round's statement, as the specification has it.
fn statement_name(round: Round) -> &'static str {
    match round {
        Round::Hello => "HELLO",
        Round::Deal => "DEAL",
        Round::Prepare => "PREPARE",
        Round::Commit => "COMMIT",
        Round::Final => "FINAL",
    }
}

/// What shows that the log was put back, in one sentence for each.
pub(crate) fn put_back_because(put_back: &PutBack) -> String {
    let mut because = Vec::new();
    if let Some(round) = put_back.last_round() {
        because.push(format!(
            "others hold your {} (round {} of 5), which is not in this log",
            statement_name(round),
            round.number() + 1
        ));
    }
    if put_back.is_abandoned() {
        because.push("you have abandoned this ceremony, which is not in this log".to_owned());
    }
    if put_back.outputs {
        because.push("outputs are written, and this log does not finish the ceremony".to_owned());
    }
    because.join("; ")
}

/// Where this operator's share may be.
pub(crate) fn put_back_share(put_back: &PutBack, folder: &Path) -> String {
    match put_back.outputs {
        true => format!(
            "Your share may be only in {}: keep it.",
            shown(&folder.join("out").join("secret"))
        ),
        false => {
            let staged: Vec<String> =
                staged(folder).iter().map(|path| shown(&path.join("secret"))).collect();
            let found = match staged.is_empty() {
                true => String::new(),
                false => format!(
                    " Keep {} too: keystores may be there that were made and never published.",
                    staged.join(" and ")
                ),
            };
            format!("Your share may be only in the newest log: look for every copy of it.{found}")
        }
    }
}

/// Nothing more is signed from such a log.
pub(crate) fn put_back(folder: &Path, put_back: &PutBack) -> CliError {
    local(
        format!(
            "{}: this log was put back to an earlier state: {}",
            shown(folder),
            put_back_because(put_back)
        ),
        format!(
            "put the newest copy of {} back, and run again. From this copy this operator signs \
             nothing more, and cannot abandon. {} Without the newest log, ask the other operators \
             whether they have outputs. If one has, the keys exist and may hold deposits (of a \
             reshare, the new shares exist and may run). If none has, agree on a new file for the \
             next attempt",
            quoted(&folder.join("log.sealed")),
            put_back_share(put_back, folder)
        ),
    )
}

/// The note about such a log cannot be read.
pub(crate) fn bad_note(path: &Path) -> CliError {
    local(
        format!("{}: damaged, or not what this program wrote", shown(path)),
        "it says that others hold statements which an older copy of the log lacked. If the log is \
         the newest copy, move this file away; otherwise put the newest copy back first",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    #[test]
    fn keystores_that_were_staged_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let of =
            |outputs| put_back_share(&PutBack { outputs, ..PutBack::default() }, folder.path());
        assert!(!of(false).contains("Keep "), "{}", of(false));
        let staging = folder.path().join("out.staging-0123456789abcdef");
        fs::create_dir(&staging).unwrap();
        fs::write(folder.path().join("log.sealed"), "").unwrap();
        let secret = shown(&staging.join("secret"));
        assert!(of(false).contains(&format!("Keep {secret} too: ")), "{}", of(false));
        // Where outputs are written, everything is in these.
        assert!(!of(true).contains(&secret), "{}", of(true));
        let todo = put_back(folder.path(), &PutBack::default()).fix;
        assert!(todo.contains(&secret), "{todo}");
    }
}
