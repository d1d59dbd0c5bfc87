//! Messages about shares that are erased.

use std::path::Path;

use super::{local, shown, usage};
use crate::report::CliError;
use quorate::spec::Ceremony;
use quorate::spec::show::plural;

/// What a person types to have shares erased.
pub(crate) const FORGET: &str = "erase these shares for ever";
/// What a person types besides, if no newer ones are known.
pub(crate) const WITHOUT: &str = "the validators can do without these shares";

/// Shares that were erased.
pub(crate) fn forgotten(folder: &Path) -> CliError {
    local(
        format!("{}: this operator's shares were erased here on request", shown(folder)),
        "nothing more is signed with them. The other operators' shares go on, as long as enough \
         are left; a reshare gives this operator a new one",
    )
}

/// Another sentence than that to erase shares.
pub(crate) fn not_forgotten_by_word() -> CliError {
    usage("that is not the sentence", format!("nothing was erased. To erase them, type: {FORGET}"))
}

/// Another sentence than the second one.
pub(crate) fn not_without_by_word() -> CliError {
    usage("that is not the sentence", format!("nothing was erased. If it is true, type: {WITHOUT}"))
}

/// A ceremony that is under way.
pub(crate) fn forget_under_way(ceremony: &str) -> CliError {
    local(
        format!("{ceremony:?} is neither finished nor abandoned: its shares are not erased"),
        "finish it (quorate run), or abandon it first",
    )
}

/// A reshare that may need the shares, or whose state is not known.
pub(crate) fn forget_needed(reshare: &str, why: &str) -> CliError {
    local(
        format!("these shares are needed: the reshare {reshare} is not over ({why})"),
        "nothing was erased. Finish that reshare, or abandon it; then run the same command again",
    )
}

/// What is erased, what stays, and what the validators have then. `newer` are the reshares that
/// have replaced the shares.
pub(crate) fn forgets(ceremony: &Ceremony, folder: &Path, newer: Option<&[String]>) -> String {
    let about = match newer {
        Some([]) => "This ceremony was abandoned.".to_owned(),
        Some(newer) => format!("They are superseded by those of {}.", newer.join(", ")),
        None => {
            let (holders, t) = (ceremony.parts().receivers.len(), ceremony.t());
            format!(
                "WARNING: these are the newest shares of validators that this directory knows. {t} \
                 of {holders} operators are needed to sign: without you, at most {} are left.",
                holders.saturating_sub(1)
            )
        }
    };
    format!(
        "This erases your shares of {:?}, attempt {} ({}): in {}, from the log and from \
         out/secret.\n{about}\nThe transcript, the other outputs, and what you have said and \
         signed stay. Copies in backups, validator clients and elsewhere are not erased.",
        ceremony.name(),
        ceremony.attempt(),
        plural(ceremony.v(), "validator"),
        shown(folder)
    )
}
