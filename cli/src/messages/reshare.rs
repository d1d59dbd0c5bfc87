//! Messages about reshares.

use std::path::{Path, PathBuf};

use super::{local, quoted, shown, usage};
use crate::report::{CliError, Exit};
use quorate::audit::chain::LinkError;
use quorate::audit::family::Unrelated;
use quorate::audit::report::{Report, Verdict};
use quorate::export::cut_over::{CUT_OVER_FILE, ClockError};
use quorate::export::recover::PROTECTION_FILE;
use quorate::primitives::hash::Digest;
use quorate::spec::parent::ParentError;
use quorate::spec::{CeremonyKind, SpecError};
use quorate_operator::Superseding;

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| quoted(path)).collect::<Vec<_>>().join(" ")
}

/// A reshare that was to be made of flags.
pub(crate) fn reshare(error: &SpecError) -> CliError {
    let fix = match error {
        SpecError::AllRequired(_) => {
            "choose a lower --threshold; or add --allow-all-required, if all operators want that"
        }
        SpecError::CardVersion { .. } => {
            "ask this operator for its card (quorate identity show), and give it with --operator"
        }
        _ => "correct the flags; positions count from 0, the parent's operators first",
    };
    usage(format!("this reshare is invalid: {error}"), fix)
}

/// Operators of a draft of whom nobody knows where they can be reached.
pub(crate) fn without_addresses(names: &[String]) -> String {
    format!(
        "A transcript has no addresses. Add an address for {} in the file, or use --operator.",
        names.join(", ")
    )
}

/// An operator of the parent without a share: one that only dealt.
pub(crate) fn holds_no_share(flag: &str, text: &str) -> CliError {
    usage(
        format!("{flag} {text}: this operator holds no share of these validators"),
        "name an operator that holds one; leave out those that do not",
    )
}

/// An operator of whom two things are said.
pub(crate) fn named_twice(flag: &str, text: &str) -> CliError {
    usage(
        format!("{flag} {text}: another flag names this operator already"),
        "give each operator once, with --absent, --leaves, --lost or --witness",
    )
}

/// Numbers that are none, or of no validator of the parent.
pub(crate) fn validator_numbers(text: &str, most: usize) -> CliError {
    usage(
        format!("--validators {text:?}: not numbers of validators, from 1 to {most}, each once"),
        "give numbers and ranges, such as 1,3,7-20; their order does not matter",
    )
}

/// Transcripts that do not belong together.
pub(crate) fn unrelated(paths: &[PathBuf], error: &Unrelated) -> CliError {
    let name = |at: usize| paths.get(at).map_or_else(String::new, |path| shown(path));
    let (first, second) = (name(error.first), name(error.second));
    let what = match error.common {
        true => {
            format!("{first} and {second} have a key in common, and neither hangs on the other")
        }
        false => format!("{first} and {second} are not generations of the same keys"),
    };
    match error.broken {
        Some((at, code)) => CliError::new(
            Exit::Finding,
            format!("{what}: {} fails {code}", name(at)),
            match paths.get(at) {
                Some(path) => format!("to see why, run: quorate audit {}", quoted(path)),
                None => "audit each of them by itself".to_owned(),
            },
        ),
        None if error.common => CliError::new(
            Exit::Finding,
            what,
            "audit each with its own parents: an import of a key that was put together begins \
             anew, and nothing hangs on a repair",
        ),
        None => CliError::new(
            Exit::Finding,
            what,
            "give a transcript and its parents; audit transcripts of other keys by themselves",
        ),
    }
}

/// A transcript that cannot be a parent.
pub(crate) fn no_parent(paths: &[PathBuf], report: &Report) -> CliError {
    let files = listed(paths);
    match report.verdict() {
        Verdict::Unlinked => CliError::new(
            Exit::Finding,
            format!("{files}: the transcripts of its parents were not all given"),
            format!(
                "add them with --from; to see which one is missing, run: quorate audit {files}"
            ),
        ),
        Verdict::Statements => CliError::new(
            Exit::Finding,
            format!("{files}: a set of statements, and no transcript"),
            "give the transcript of the completed ceremony (transcript.quorate)",
        ),
        _ => CliError::new(
            Exit::Finding,
            format!("{files}: the audit failed, so nothing is made of these shares"),
            format!("to see what failed, run: quorate audit {files}"),
        ),
    }
}

/// The file of another kind of ceremony, where a key generation is needed.
pub(crate) fn not_for_kind(path: &Path, kind: CeremonyKind) -> CliError {
    let what = match kind {
        CeremonyKind::Import => "an import",
        CeremonyKind::Repair => "a repair",
        _ => "a reshare",
    };
    usage(
        format!("{} is the file of {what}, which this command does not take", shown(path)),
        format!("to see what it says, run: quorate spec show {}", quoted(path)),
    )
}

/// Transcripts of a parent, for a ceremony that has none.
pub(crate) fn parent_of_none(ceremony: &str) -> CliError {
    usage(
        format!("--from: {ceremony:?} is no reshare, and has no parent"),
        "run the command without --from",
    )
}

/// A reshare without its parent.
pub(crate) fn parent_needed(ceremony: &str) -> CliError {
    usage(
        format!("{ceremony:?} has a parent, and the transcript of its parent is not here"),
        "give it with --from; if the parent is a reshare too, give the transcripts of all its \
         parents, each with --from",
    )
}

/// A transcript of something else.
pub(crate) fn not_its_parent(error: &LinkError) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("the transcript is not that of this ceremony's parent: {error}"),
        "do not take part. Ask the coordinator from which transcript the file was drafted",
    )
}

/// Rows that do not fit.
pub(crate) fn rows_of_parent(error: &ParentError) -> CliError {
    CliError::new(
        Exit::Finding,
        error.to_string(),
        "do not take part. Ask the coordinator from which transcript the file was drafted",
    )
}

/// A dealer without its shares.
pub(crate) fn no_old_shares(state: &Path, parent: &str) -> CliError {
    local(
        format!("{} holds no share of {parent:?}, which this operator is to deal", shown(state)),
        "give the state directory with which you took part in it, with --dir",
    )
}

/// What a fault leaves of a reshare.
pub(crate) fn reshare_stopped(prepared: bool) -> &'static str {
    match prepared {
        true => {
            "Your new shares stay stored. If the other operators complete the certificate, this \
             reshare can still finish: run the same command again. Until it has finished, nobody \
             uses its shares. The validators live on with the old ones as long as enough of them \
             are not removed: ask the dealers who has stopped."
        }
        false => {
            "By the log in this folder, this operator never confirmed its new shares. If no newer \
             log of it exists, this reshare cannot finish. The validators live on with the old \
             shares."
        }
    }
}

/// What an abandonment leaves of a reshare or an import in which this operator has signed its
/// commit: the others may need nothing more of it.
pub(crate) fn committed_and_abandoned() -> &'static str {
    "This operator has signed its commit. Its shares stay sealed where they are. The others may \
     have finished, or may finish, without it. Load nothing again until each of them has said that \
     it has abandoned, too. Others that wait for this operator can finish with: quorate run FILE \
     --without NAME. A removed key or share is loaded again only with the protection data that was \
     stated of it."
}

/// What an abandonment leaves of a reshare, before this operator's commit.
pub(crate) fn reshare_abandoned(prepared: bool) -> &'static str {
    match prepared {
        true => {
            "This operator has signed that its new shares are stored. They stay sealed where they \
             are. If no newer log of it exists, nobody ever uses the shares of this reshare. The \
             validators live on with the old ones as long as enough of them are not removed: ask \
             the dealers who has stopped. A removed share is loaded again only with the protection \
             data that was stated of it."
        }
        false => {
            "By the log in this folder, this operator never confirmed new shares. If no newer log \
             of it exists, this reshare cannot finish. The validators live on with the old shares."
        }
    }
}

/// When new shares begin: a person who loads them at once signs what the old ones may have signed.
pub(crate) fn begins(folder: &Path) -> String {
    format!(
        "Before you load a new share, import\n  {}\nNo new share is loaded before the epoch \
         in\n  {}",
        shown(&folder.join(PROTECTION_FILE)),
        shown(&folder.join(CUT_OVER_FILE)),
    )
}

/// As [`begins`], of keystores that were written again.
pub(crate) fn begins_in(reshared: bool, first: Option<u64>) -> String {
    if !reshared {
        return String::new();
    }
    let when = first.map(|first| format!(" Load none of them before epoch {first}."));
    let when = when.unwrap_or_default();
    format!("\nImport {PROTECTION_FILE} into the validator client before the keystores.{when}")
}

/// Shares of an operator that has none.
pub(crate) fn has_left(ceremony: &str) -> CliError {
    local(
        format!("{ceremony:?}: this operator has left, and holds no new share"),
        "ask an operator that has stayed; there is nothing to load here",
    )
}

/// Shares that were dealt anew.
pub(crate) fn superseded(reshare: &Digest, folder: Option<&Path>) -> CliError {
    let what = format!(
        "these shares are superseded: this operator has stopped them for the reshare {reshare}, \
         and loaded again they could get the validators slashed"
    );
    let file = folder.map(|folder| quoted(&folder.join("ceremony.toml")));
    match file {
        Some(file) => local(
            what,
            format!(
                "when that one is finished, use its shares: quorate export keystores {file}. If it \
                 cannot finish, abandon it first: quorate abandon {file}"
            ),
        ),
        None => local(what, "restore its folder in the state directory, and use its shares"),
    }
}

/// What a file of evidence can hold in a reshare.
pub(crate) const EXPOSES: &str = "a complaint in it shows a dealt share of a running validator, or \
                                  a whole box of them; enough of these make a dealer's share. Give \
                                  it only to those who must judge it";

/// The next attempt of a reshare, while the one before goes on.
pub(crate) fn not_given_up(reshare: &Digest, folder: Option<&Path>) -> CliError {
    let what = format!(
        "this operator takes part in the attempt before ({reshare}) and has not abandoned it"
    );
    match folder.map(|folder| quoted(&folder.join("ceremony.toml"))) {
        Some(file) => local(
            what,
            format!(
                "to take part in this one, abandon that one first: quorate abandon {file}. What is \
                 finished cannot be abandoned: then draft the next reshare from its transcript"
            ),
        ),
        None => local(what, "restore its folder in the state directory, and abandon it"),
    }
}

/// Signatures with shares that a reshare has replaced.
pub(crate) fn superseded_for(kind: &str, by: &Superseding) -> CliError {
    let what = format!(
        "these shares are superseded by the reshare {}: nothing of kind \"{kind}\" is signed with \
         them any more",
        by.reshare
    );
    let fix = match &by.folder {
        Some(folder) => format!(
            "make the request from the newest transcript: {}. If there is none yet, finish that \
             reshare: quorate run {}",
            quoted(&folder.join("out/public/transcript.quorate")),
            quoted(&folder.join("ceremony.toml"))
        ),
        None => "restore its folder in the state directory".to_owned(),
    };
    local(what, fix)
}

/// A ceremony that goes on serving others, whose shares are replaced.
pub(crate) fn note_superseded(by: &Superseding) -> String {
    format!(
        "NOTE: this operator has committed these shares to the reshare {}: they must not sign any \
         more, and no keystores of them are written. This run only helps other operators of this \
         ceremony.",
        by.reshare
    )
}

/// A clock that gives new shares no place to begin.
pub(crate) fn clock(error: &ClockError) -> CliError {
    let fix = match error {
        ClockError::BeforeGenesis => {
            "nothing was made, and nothing is lost. Set this machine's clock, and run the same \
             command again"
        }
        ClockError::Behind { .. } => {
            "nothing was made, and nothing is lost. Set this machine's clock, and run the same \
             command again. If the clock is right, what is stated is false, and this reshare \
             cannot finish here. Ask all operators: if nobody has outputs, each abandons it \
             (quorate abandon) and loads its old shares again with their own data; then draft \
             another one without that dealer. If somebody has outputs, load nothing, and exit the \
             validators"
        }
    };
    local(error.to_string(), fix)
}
