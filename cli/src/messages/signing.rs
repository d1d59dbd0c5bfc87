//! What is said about signatures after a ceremony.

use std::path::Path;

use super::{local, quoted, shown, usage};
use crate::report::{CliError, Exit};
use quorate::identity::card::CardError;
use quorate::signing::beacon::BeaconError;
use quorate::signing::ledger::LedgerError;
use quorate::signing::request_file::RequestFileError;
use quorate::signing::{Cleared, Delivery, RequestError};

fn finding(what: String, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Finding, what, fix)
}

pub(crate) fn custodian(error: &CardError) -> CliError {
    usage(
        format!("--custodian: {error}"),
        "ask the custodian for its operator card: quorate identity show",
    )
}

pub(crate) fn request_file(path: &Path, error: &RequestFileError) -> CliError {
    usage(
        format!("{}: {error}", shown(path)),
        "ask for the request again; it is written by: quorate exit request, quorate deposit \
         request",
    )
}

/// A request that is not for this ceremony, or not as it was asked.
pub(crate) fn request(path: &Path, error: &RequestError) -> CliError {
    finding(
        format!("{}: {error}", shown(path)),
        "sign nothing; ask whoever sent the request what it is for",
    )
}

/// A request that a person is about to write.
pub(crate) fn bad_request(error: &RequestError) -> CliError {
    usage(
        error.to_string(),
        "correct it; the ceremony's keys and amounts are shown by: quorate audit",
    )
}

pub(crate) fn wrong_kind(path: &Path, found: &str, expected: &str) -> CliError {
    usage(
        format!("{}: a request of the kind {found}, not {expected}", shown(path)),
        format!("use: quorate {found}"),
    )
}

pub(crate) fn amount(error: &quorate::ethereum::amount::AmountError) -> CliError {
    usage(format!("--amount: {error}"), "give an amount like 8 or 1.5")
}

pub(crate) fn beacon(path: &Path, error: &BeaconError) -> CliError {
    let fix = match error {
        BeaconError::Json(_) | BeaconError::Hex { .. } | BeaconError::Decimal => {
            "save the answer of GET /eth/v1/beacon/states/head/validators/KEY as it is"
        }
        BeaconError::Status(_) => "wait until it is; then ask the node again",
        _ => "sign nothing; find out which of them is right",
    };
    finding(format!("{}: {error}", shown(path)), fix)
}

pub(crate) fn future_epoch(epoch: u64, now: u64, network: &str) -> CliError {
    usage(
        format!(
            "epoch: {epoch} has not come yet on {network}, where it is {now} now; every node \
             refuses such an exit until then"
        ),
        "give epoch 0, or an earlier one; or mean it, and say so with --future-epoch",
    )
}

pub(crate) fn not_audited(path: &Path) -> CliError {
    finding(
        format!("{}: the audit of this transcript found something", shown(path)),
        format!("see what it is, and believe nothing of it: quorate audit {}", quoted(path)),
    )
}

pub(crate) fn no_part(path: &Path, ceremony: &str, dir: &Path) -> CliError {
    local(
        format!("{}: {} has nothing of the ceremony {ceremony}", shown(path), shown(dir)),
        "name the state directory with which you took part, with --dir",
    )
}

pub(crate) fn ceremony_file_gone(dir: &Path, why: &str) -> CliError {
    local(
        format!("{}: {why}", shown(&dir.join("ceremony.toml"))),
        "put the ceremony file there as it was agreed to; its fingerprint has to be the same",
    )
}

pub(crate) fn unfinished(ceremony: &str) -> CliError {
    local(
        format!("the ceremony {ceremony:?} is not finished here"),
        "finish it: quorate run with the ceremony file",
    )
}

pub(crate) fn ledger(dir: &Path, error: &LedgerError) -> CliError {
    local(
        format!("{}: {error}", shown(dir)),
        "nothing was signed; this operator's log keeps it from signing. Do not remove the log: \
         find out who asked for what",
    )
}

pub(crate) fn own_partial() -> CliError {
    local(
        "the stored share does not give the signature that its public share demands: the storage \
         is damaged",
        "nothing left this machine; compare the share with: quorate audit --share",
    )
}

pub(crate) fn not_agreed() -> CliError {
    local("not signed", "to sign, type the word that is asked for")
}

pub(crate) fn too_few(found: usize, needed: usize, bad: &[String]) -> CliError {
    let bad = if bad.is_empty() { String::new() } else { format!("\n  {}", bad.join("\n  ")) };
    finding(
        format!("{found} good answers, and {needed} are needed{bad}"),
        "ask more operators, and those whose answers are bad once more",
    )
}

pub(crate) fn never_enough(found: usize, needed: usize, bad: &[String]) -> CliError {
    finding(
        format!(
            "{found} good answers, {needed} are needed, and there can never be as many:\n  {}",
            bad.join("\n  ")
        ),
        "find out what runs at those operators. This operator's answer is remembered: run the same \
         command again, together with them",
    )
}

pub(crate) fn unwritten(error: CliError) -> CliError {
    CliError {
        what: format!("the result was made, and could not be written: {}", error.what),
        fix: format!("{}; then run the same command again, together with the others", error.fix),
        ..error
    }
}

pub(crate) fn no_address(name: &str) -> CliError {
    usage(
        format!(
            "{name} has no address in the ceremony file that this operator agreed to, and is \
             called from here"
        ),
        format!("nothing was signed; say where it can be reached: --at {name}=HOST:PORT"),
    )
}

pub(crate) fn no_channel(path: &Path, cleared: &Cleared) -> CliError {
    let custodian = match &cleared.request.delivery {
        Delivery::Custodian(card) => card.name.to_string(),
        Delivery::Public => "everybody".to_owned(),
    };
    let kind = cleared.request.purpose.name();
    usage(
        format!(
            "{}: the answers are for {custodian}, whose card is none of this ceremony: there is no \
             channel to it",
            shown(path)
        ),
        format!(
            "nothing was signed; answer by a file, and send it: quorate {kind} sign {}",
            quoted(path)
        ),
    )
}

pub(crate) fn at(text: &str, why: &str) -> CliError {
    usage(format!("--at {text:?}: {why}"), "write it like: --at bob=bob.example.org:3610")
}

pub(crate) fn custodian_lost(why: &str, cleared: &Cleared) -> CliError {
    finding(
        format!("the custodian was hung up on: {why}"),
        format!(
            "find out what runs there; or answer by a file: quorate {} sign",
            cleared.request.purpose.name()
        ),
    )
}

pub(crate) fn policy(path: &Path, why: &str) -> CliError {
    usage(
        format!("{}: {why}", shown(path)),
        "write it like: exits = \"ask\" (or \"allow-list\", \"never\"), deposits = \"never\", \
         allow = [\"0x...\"]",
    )
}

pub(crate) fn policy_open(path: &Path, mode: u32) -> CliError {
    local(
        format!("{}: others can write to it (mode {mode:04o})", shown(path)),
        format!("look at what it says, then: chmod 600 {}", quoted(path)),
    )
}

pub(crate) fn policy_of_another(path: &Path, owner: u32, user: u32) -> CliError {
    local(
        format!("{}: belongs to user {owner}, but this is user {user}", shown(path)),
        "look at what it says, then write it as this user",
    )
}

pub(crate) fn policy_never(path: &Path, kind: &str) -> CliError {
    local(
        format!("{}: this operator signs no {kind}s", shown(path)),
        "nothing was signed; change that file to change it",
    )
}

pub(crate) fn policy_not_listed(path: &Path, key: &[u8; 48]) -> CliError {
    local(
        format!("{}: the validator 0x{} is not on the allow-list", shown(path), hex::encode(key)),
        "nothing was signed; add its key to allow = [...] to allow it",
    )
}

pub(crate) fn policy_asks(path: &Path, kind: &str) -> CliError {
    usage(
        format!("--yes: nothing in {} allows {kind}s without a question", shown(path)),
        "run it in a terminal without --yes; or name the validator in an allow-list",
    )
}
