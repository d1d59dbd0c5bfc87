//! Messages about the state directory: its files, identity and logs.

use std::path::Path;

use super::{
    bad_note, carrier, forgotten, given_up, internal, local, one_line, put_back, quoted, runtime,
    shown,
};
use crate::report::CliError;
use quorate::identity::operator::OperatorError;
use quorate::primitives::hash::Digest;
use quorate::protocol::put_back::PutBack;
use quorate::protocol::record::ReplayError;
use quorate_operator::MachineError;
use quorate_operator::store::{SealError, StoreError};

/// Of two reshares of one share, one may have become final: to deal it twice is to fork its
/// validator.
pub(crate) fn other_child(reshare: &Digest, folder: Option<&Path>) -> CliError {
    let what = format!(
        "this operator has committed its shares of these validators to another reshare or import \
         ({reshare})"
    );
    match folder {
        Some(folder) => local(
            what,
            format!(
                "if that one is not finished, abandon it first: quorate abandon {}. If it is, \
                 draft the next reshare from its transcript",
                quoted(&folder.join("ceremony.toml"))
            ),
        ),
        None => local(
            what,
            "restore its folder in the state directory: without its log nobody knows whether it \
             was abandoned",
        ),
    }
}

pub(crate) fn store(error: StoreError) -> CliError {
    use StoreError::*;
    let fix = match &error {
        BadName { .. } => "this is a bug in this program; please report it",
        ChildDamaged { .. } => {
            "restore it from a copy of this whole directory: it says which reshare this operator's \
             shares were committed to"
        }
        Denied { .. } => "give this user access to it, or run the command as a user who has access",
        Differs { .. } => "compare the two; if the existing one is wrong, move it away",
        DiskFull { .. } => "free some space and run the same command again",
        Exists { .. } => "choose another path, or move the existing file away",
        Io { .. } => "check the path and the disk, then run the command again",
        Locked { .. } => {
            "wait for the other process to finish, or stop it; do not delete the lock file"
        }
        LogDamaged { .. } => {
            "first copy the whole state directory elsewhere; then restore this file from a backup \
             made after the last run, or agree with the other operators on another attempt"
        }
        LogForeign { .. } => {
            "restore this ceremony's own log; one ceremony's log cannot be used for another"
        }
        LogKey { .. } => "use the identity with which this ceremony was started",
        LogStopped { .. } => "fix the disk problem, then run the same command again",
        LogVersion { .. } => "use the program version that wrote it",
        MarkDamaged { .. } => {
            "restore it from a copy of this whole directory; or move it away and run quorate \
             identity show, which makes a new mark and a new card"
        }
        NoteDamaged { .. } => {
            "restore the backup again, into another directory: this file says which of its shares \
             may not be the newest"
        }
        Missing { path } => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            return local(
                format!("{}: not found", shown(&path)),
                "give the operator's directory with --dir; --dir and QUORATE_DIR count from the \
             folder \
             that you are in. Only a new operator creates keys: quorate identity new",
            );
        }
        NotPlain { .. } => {
            "give another directory with --dir; or remove this entry, if nobody put it there on \
             purpose"
        }
        Randomness(_) => "do not create keys on this machine",
        ReadBack { .. } => "use another disk: this one is failing, or something else writes to it",
        ReadOnly { .. } => "choose another location, or mount the file system for writing",
        TooLong { .. } => "find out who changed it, and restore it from a backup",
        TooOpen { path, directory, .. } => {
            return local(
                one_line(&error),
                format!(
                    "if nobody else can have used this access: chmod {} {}",
                    if *directory { 700 } else { 600 },
                    quoted(path)
                ),
            );
        }
        WrongOwner { owner, .. } => {
            return local(
                one_line(&error),
                format!("run as user {owner}, or change its owner with chown"),
            );
        }
    };
    local(one_line(&error), fix)
}

pub(crate) fn identity_exists(path: &Path) -> CliError {
    local(
        format!("{}: this operator already has keys; they will not be overwritten", shown(path)),
        format!(
            "show their card with: quorate --dir {dir} identity show; if you have sent the output \
             to a file, write the card again: quorate --dir {dir} identity show > FILE; for \
             another \
             operator, give another directory with --dir",
            dir = quoted(path.parent().unwrap_or(path))
        ),
    )
}

/// A note: the card that is kept is not of the keys that are sealed beside it.
pub(crate) fn foreign_card(path: &Path) -> String {
    format!(
        "note: {} is the card of other keys than those in this directory. Remove it, and make the \
         right one with: quorate identity show",
        shown(path)
    )
}

pub(crate) fn seal(path: &Path, error: &SealError) -> CliError {
    let (what, fix) = match error {
        SealError::WrongPassphrase => (
            "wrong passphrase".to_owned(),
            "use the passphrase that was chosen when this identity was created",
        ),
        SealError::Damaged => {
            ("damaged: its checksum does not match".to_owned(), "restore it from a backup")
        }
        SealError::NotSealed => (
            "not a sealed file".to_owned(),
            "restore it from a backup, or give another directory with --dir",
        ),
        SealError::Version(version) => {
            (format!("a sealed file of version {version}"), "use the program version that wrote it")
        }
        SealError::Cost(log_n) => (
            format!("requires scrypt with N = 2^{log_n}, which this program never writes"),
            "restore it from a backup",
        ),
    };
    local(format!("{}: {what}", shown(path)), fix)
}

pub(crate) fn operator(path: &Path, error: &OperatorError) -> CliError {
    local(
        format!("{}: it opens, but {error}", shown(path)),
        "use the program version that wrote it",
    )
}

/// What a machine with a ceremony's files ran into.
pub(crate) fn machine(error: MachineError) -> CliError {
    match error {
        MachineError::BadNote(path) => bad_note(&path),
        MachineError::Carrier(error) => carrier(error),
        MachineError::Clock(error) => super::reshare::clock(&error),
        MachineError::ForeignOutputs(folder) => foreign_outputs(&folder),
        MachineError::Forgotten(folder) => forgotten(&folder),
        MachineError::Internal(what) => internal(&what),
        MachineError::NewerLog(folder) => newer_log(&folder),
        MachineError::OtherChild { reshare, folder } => other_child(&reshare, folder.as_deref()),
        MachineError::NotGivenUp { reshare, folder } => {
            super::not_given_up(&reshare, folder.as_deref())
        }
        MachineError::OldVersion(error) => old_version(&error),
        MachineError::OutputsDiffer { folder, different } => outputs_differ(&folder, &different),
        MachineError::PutBack { folder, put_back: known } => put_back(&folder, &known),
        MachineError::Replay { folder, error } => replay(&error, &folder),
        MachineError::Store(error) => store(error),
        MachineError::Superseded { reshare, folder } => {
            super::superseded(&reshare, folder.as_deref())
        }
        MachineError::System(error) => runtime(error),
    }
}

pub(crate) fn replay(error: &ReplayError, dir: &Path) -> CliError {
    if *error == ReplayError::Abandoned {
        return given_up(dir);
    }
    if *error == ReplayError::OtherInstall {
        return other_install(dir);
    }
    if *error == ReplayError::Agreed {
        return local(
            format!("{}: {error}", shown(dir)),
            "run it again, until it is finished: others may have finished it",
        );
    }
    if *error == ReplayError::PutBack {
        return put_back(dir, &PutBack::default());
    }
    local(
        format!("{}: {error}", shown(dir)),
        "the disk or the log is damaged: stop here, keep the directory as it is, and do not start \
         this ceremony again",
    )
}

/// The ceremony has the mark of another directory of this operator, and nothing was begun here.
pub(crate) fn other_install(dir: &Path) -> CliError {
    local(
        format!(
            "{}: this identity was restored, or this is not the directory whose card is in the \
             ceremony file: the file has another install mark. If this operator has run this \
             ceremony, its log is elsewhere or lost",
            shown(dir)
        ),
        "nothing was signed. Use the directory that made the card, if you have it. Otherwise make \
         this directory's card with: quorate identity show; and ask the coordinator for a new \
         attempt with it. This folder does not know whether the ceremony is finished: ask the \
         other operators before you call it off",
    )
}

fn old_version(error: &ReplayError) -> CliError {
    local(
        error.to_string(),
        "finish it with the program that began it; or make a new ceremony file with this program \
         (`quorate spec new`, or `quorate spec next` after a ceremony that stopped)",
    )
}

pub(crate) fn log_gone(dir: &Path) -> CliError {
    local(
        format!("{}: this ceremony was run here before, but its log is missing", shown(dir)),
        "do not start it again: you would sign a second time, and the other operators would have \
         proof of it. Nothing was changed; to make other keys, agree on a new file for the next \
         attempt",
    )
}

fn foreign_outputs(folder: &Path) -> CliError {
    local(
        format!(
            "{}: not the outputs of this ceremony, or its transcript is missing",
            shown(folder)
        ),
        "the log beside it holds no share, and this folder may be all that is left of a newer one. \
         If this operator has ever run the ceremony further, put the newest copy of the log back. \
         Otherwise move the folder away, and run the same command again",
    )
}

pub(crate) fn outputs_differ(dir: &Path, files: &[String]) -> CliError {
    local(
        format!(
            "{}: already contains outputs that are not this ceremony's ({})",
            shown(dir),
            files.join(", ")
        ),
        "nothing was overwritten. Find out where that folder came from, move it away, and run the \
         same command again",
    )
}

pub(crate) fn newer_log(dir: &Path) -> CliError {
    local(
        format!(
            "{}: the log contains a kind of record that this program does not know",
            shown(dir)
        ),
        "use the newer version of this program",
    )
}
