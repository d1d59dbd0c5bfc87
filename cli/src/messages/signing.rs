//! Messages of `quorate exit`, `quorate deposit` and `quorate registration`: shares, answers and
//! results.

use std::path::Path;

use super::{CEREMONY_FILE, finding, local, one_line, quoted, shown, usage};
use crate::progress::{Named, listed, seat_name};
use crate::report::{CliError, Exit};
use quorate::signing::ledger::LedgerError;
use quorate::signing::{Cleared, Delivery};
use quorate::spec::{Ceremony, Index, SpecError};

pub(crate) fn not_audited(path: &Path) -> CliError {
    finding(
        format!("{}: this transcript did not pass the audit", shown(path)),
        format!(
            "do not use this transcript; to see what is wrong, run: quorate audit {}",
            quoted(path)
        ),
    )
}

pub(crate) fn no_part(path: &Path, ceremony: &str, dir: &Path) -> CliError {
    local(
        format!("{}: {} holds nothing from the ceremony {ceremony}", shown(path), shown(dir)),
        "give the state directory with which you took part, with --dir; or, if only your operator \
         keys, the keystores and the transcript are left, add --keystores DIR --transcript FILE",
    )
}

/// Keystores are for where the log is lost.
pub(crate) fn log_is_here(dir: &Path) -> CliError {
    usage(
        format!(
            "{}: the log of this ceremony is here, and it remembers every signature",
            shown(dir)
        ),
        "leave out --keystores or --web3signer, and --transcript",
    )
}

/// A keystore with the share of operator `index`, not of `me`.
pub(crate) fn share_of_another(
    path: &Path,
    validator: usize,
    (index, me): (Index, Index),
    ceremony: &Ceremony,
) -> CliError {
    finding(
        format!(
            "{}: this is the share of {} of validator {}, but the operator keys here are those of \
             {}",
            shown(path),
            seat_name(ceremony, index),
            validator + 1,
            seat_name(ceremony, me),
        ),
        "nothing was signed; give the folder with your own keystores, or the right --dir",
    )
}

pub(crate) fn no_shares_here(folder: &Path, ceremony: &str) -> CliError {
    finding(
        format!(
            "{}: none of the keystores has a share of the ceremony {ceremony:?}",
            shown(folder)
        ),
        "nothing was signed; give the keystores and the transcript of the same ceremony",
    )
}

pub(crate) fn shares_mixed(
    folder: &Path,
    (strangers, count): (usize, usize),
    ceremony: &str,
    files: &str,
) -> CliError {
    finding(
        format!(
            "{}: {strangers} of {count} keystores have no share of the ceremony {ceremony:?}: they \
             are of another ceremony, or of shares that were replaced:{files}",
            shown(folder)
        ),
        "nothing was signed; put the keystores of this ceremony alone in a folder, and give that",
    )
}

pub(crate) fn ceremony_file_gone(dir: &Path, why: &str) -> CliError {
    local(
        format!("{}: {why}", shown(&dir.join("ceremony.toml"))),
        "put the agreed ceremony file there; its fingerprint must be the same",
    )
}

pub(crate) fn unfinished(ceremony: &str) -> CliError {
    local(
        format!("this operator has not finished the ceremony {ceremony:?}"),
        "finish it with: quorate run CEREMONY-FILE",
    )
}

pub(crate) fn ledger(dir: &Path, error: &LedgerError) -> CliError {
    let what = format!("{}: {error}", shown(dir));
    if matches!(error, LedgerError::LowerNonce { .. }) {
        return local(
            what,
            "nothing was signed; look up the owner's next nonce. If the earlier request was a \
             mistake, run it again with --lower-nonce",
        );
    }
    local(
        what,
        "nothing was signed: this operator's log forbids it. Do not remove the log; find out who \
         asked for what",
    )
}

pub(crate) fn own_partial() -> CliError {
    local(
        "the signature of the stored share does not verify under its public share: the storage is \
         damaged",
        format!(
            "nothing was sent; check the stored share with: quorate audit TRANSCRIPT --expect \
             {CEREMONY_FILE} --share DIR"
        ),
    )
}

pub(crate) fn not_agreed() -> CliError {
    local("not signed", "to sign, run it again and type the requested word")
}

/// `have` and `lack` are the operators with a valid answer, and the others.
pub(crate) fn too_few(
    (found, needed): (usize, usize),
    (have, lack): (&[Named], &[Named]),
    bad: &[String],
) -> CliError {
    let of = if have.is_empty() { String::new() } else { format!(" (of {})", listed(have)) };
    let what = format!("valid answers: {found}{of}; required: {needed}");
    match bad.is_empty() {
        true => CliError::new(
            Exit::Waiting,
            what,
            format!("ask more operators, then combine all answers: {}", listed(lack)),
        ),
        false => finding(
            format!("{what}\n  {}", bad.join("\n  ")),
            format!(
                "ask more operators ({}); ask those whose answers are invalid again",
                listed(lack)
            ),
        ),
    }
}

pub(crate) fn answered_already(path: &Path) -> CliError {
    local(
        format!("{}: already exists: you may have answered this request before", shown(path)),
        "send that file; or move it away, to write the same answer again",
    )
}

pub(crate) fn never_enough(found: usize, needed: usize, bad: &[String]) -> CliError {
    finding(
        format!(
            "{found} valid answers, but {needed} are required, and no more can be valid:\n  {}",
            bad.join("\n  ")
        ),
        "find out which program those operators run. This operator's answer is kept: run the same \
         command again, together with them",
    )
}

pub(crate) fn unwritten(error: CliError) -> CliError {
    CliError {
        what: format!("the result is complete but could not be written: {}", error.what),
        fix: format!(
            "{}; then run the same command again, together with the other operators",
            error.fix
        ),
        ..error
    }
}

pub(crate) fn no_address(name: &str) -> CliError {
    usage(
        format!(
            "{name} has no address in the ceremony file that this operator agreed to, and neither \
             has this operator or anybody else whom it needs"
        ),
        format!("nothing was signed; give its address with --at {name}=HOST:PORT"),
    )
}

pub(crate) fn no_channel(path: &Path, cleared: &Cleared) -> CliError {
    let custodian = match &cleared.request.delivery {
        Delivery::Custodian(card) => card.name.to_string(),
        Delivery::Public => "everybody".to_owned(),
    };
    let kind = cleared.request.items.kind().name();
    usage(
        format!(
            "{}: the answers are for {custodian}, who is not an operator of this ceremony: there \
             is no channel to this custodian",
            shown(path)
        ),
        format!(
            "nothing was signed; write the answer to a file and send that: quorate {kind} sign {}",
            quoted(path)
        ),
    )
}

pub(crate) fn at(text: &str, why: &str) -> CliError {
    usage(format!("--at {text:?}: {why}"), "write it as in: --at bob=bob.example.org:3610")
}

pub(crate) fn same_address(error: &SpecError) -> CliError {
    usage(
        format!("--at: {}", one_line(error)),
        "give each operator an address of its own: addresses of the ceremony file that are no \
         longer right are replaced with --at too",
    )
}

pub(crate) fn custodian_lost(why: &str, cleared: &Cleared) -> CliError {
    finding(
        format!("the connection to the custodian was closed: {why}"),
        format!(
            "find out which program the custodian runs; or write the answer to a file: quorate {} \
             sign",
            cleared.request.items.kind().name()
        ),
    )
}
