//! Messages about backups, and about what came out of one.

use std::path::Path;

use super::{local, one_line, quoted, shown, usage};
use crate::report::CliError;
use quorate::signing::newest::needed;
use quorate::spec::Ceremony;
use quorate_operator::backup::BackupError;
use quorate_operator::store::SealError;

/// What a person types of shares that came out of a backup.
pub(crate) const NEWEST: &str = "no newer shares of these validators exist";

/// A backup that would go to stdout.
pub(crate) fn backup_on_stdout() -> CliError {
    usage("a backup is not written to stdout", "give the path of a file that does not exist yet")
}

/// Ceremonies that are not over: each with its folder, and why.
pub(crate) fn under_way(file: &Path, all: &[(String, String)], left_out: &[String]) -> CliError {
    let lines: String = all.iter().map(|(_, why)| format!("\n  {why}")).collect();
    let folders = left_out.iter().chain(all.iter().map(|(folder, _)| folder));
    let flags: String = folders.map(|folder| format!(" --leave-out {folder}")).collect();
    local(
        format!("no backup was made: not every ceremony of this directory is over{lines}"),
        format!(
            "a log of a ceremony that is under way is never in a backup: restored, it could sign \
             a second time. Finish the ceremony first (quorate run), or abandon it. To make a \
             backup without it: quorate backup make {}{flags}",
            quoted(file)
        ),
    )
}

/// A ceremony to leave out that is not one of those under way.
pub(crate) fn not_left_out(folder: &str, is_here: bool) -> CliError {
    match is_here {
        true => usage(
            format!("--leave-out {folder}: this ceremony is over, and belongs in the backup"),
            "run the command without it",
        ),
        false => usage(
            format!("--leave-out {folder}: there is no ceremony with this folder here"),
            "give the name of a folder in ceremonies/; to see them, run: quorate status",
        ),
    }
}

/// A reshare that nothing could replace.
pub(crate) fn committed_left_out(folder: &str) -> CliError {
    local(
        format!(
            "--leave-out {folder}: this operator has committed its shares to this reshare. Without \
             its log, a restored directory could neither finish it nor abandon it, and could use \
             these shares for nothing else"
        ),
        "finish the reshare first, or abandon it",
    )
}

/// A backup that cannot be made, or read.
pub(crate) fn backup(path: &Path, error: &BackupError) -> CliError {
    let fix = match error {
        BackupError::Version(_) => "use the program version that wrote it",
        BackupError::TooLong { .. } => {
            "this is more than this program keeps in one backup; nothing was written"
        }
        _ => "use another copy of the backup, or an older backup",
    };
    local(format!("{}: {}", shown(path), one_line(error)), fix)
}

/// A backup that does not open.
pub(crate) fn sealed_backup(path: &Path, error: &SealError) -> CliError {
    let (what, fix) = match error {
        SealError::WrongPassphrase => (
            "wrong passphrase, or not a backup",
            "use the passphrase that the operator's keys had when the backup was made",
        ),
        SealError::Damaged => (
            "damaged: its checksum does not match",
            "use another copy of the backup, or an older backup",
        ),
        SealError::NotSealed => ("not a backup", "give the file that quorate backup make wrote"),
        SealError::Version(_) | SealError::Cost(_) => {
            ("a backup that this program never writes", "use the program version that wrote it")
        }
    };
    local(format!("{}: {what}", shown(path)), fix)
}

/// A ceremony of a backup that does not come back.
pub(crate) fn not_restored(folder: &str, error: &CliError) -> CliError {
    local(
        format!("the ceremony {folder} of this backup cannot be restored: {}", error.what),
        "nothing was written. Use another backup; or, if it is the clock that is wrong, set it and \
         run the same command again",
    )
}

/// What is not known of shares that came out of a backup, and whom to ask.
pub(crate) fn unsure(ceremony: &Ceremony, date: &str) -> String {
    format!(
        "WARNING: this operator's shares of {:?} came out of a backup of {date}. A reshare after \
         that may have made newer ones: then these must never sign, and must not be dealt again. \
         Ask at least {} of the other operators which generation of these validators is the \
         newest that they know, and whether they know of a reshare that has begun: quorate \
         restored ask. Enough of their answers take the place of the sentence.",
        ceremony.name(),
        needed(ceremony)
    )
}

/// What is not known of the keys of an import in a directory that came out of a backup.
pub(crate) fn unsure_import(ceremony: &Ceremony, date: &str) -> String {
    format!(
        "WARNING: this directory came out of a backup of {date}. What this operator dealt after \
         that is not known here: the keys of {:?} may have been imported before. Then shares of \
         them run, and a second import gets the validators slashed. Ask everybody who may have \
         received shares of these keys.",
        ceremony.name()
    )
}

/// What is not known of the shares that a witness stops, in a directory that came out of a backup
/// without them.
pub(crate) fn unsure_witness(parent: &Ceremony, date: &str) -> String {
    format!(
        "WARNING: this directory came out of a backup of {date}, and this operator's shares of \
         {:?} are not in it. What it committed them to after that is not known here: a reshare \
         may have made newer ones. Then these must not be dealt again. Ask at least {} of the \
         other operators which generation of these validators is the newest that they know, and \
         whether they know of a reshare that has begun.",
        parent.name(),
        needed(parent)
    )
}

/// Another sentence than the one about newer shares.
pub(crate) fn not_newest_by_word() -> CliError {
    usage(
        "that is not the sentence",
        format!("if it is true, type: {NEWEST}. If you do not know, ask the other operators first"),
    )
}

/// A note beside an answer from a directory that was restored.
pub(crate) fn restored_answer(date: &str) -> String {
    format!(
        "NOTE: this directory was restored from a backup of {date}. What this operator has signed \
         since is not known here."
    )
}
