//! Messages of `quorate exit`, `quorate deposit` and `quorate registration`.

use std::path::Path;

use super::{CEREMONY_FILE, local, one_line, quoted, shown, usage};
use crate::progress::{Named, listed, seat_name};
use crate::report::{CliError, Exit};
use quorate::identity::card::CardError;
use quorate::signing::beacon::BeaconError;
use quorate::signing::ledger::LedgerError;
use quorate::signing::request_file::RequestFileError;
use quorate::signing::{Cleared, Delivery, ItemsError, RequestError};
use quorate::spec::{Ceremony, Index, SpecError};

fn finding(what: String, fix: impl Into<String>) -> CliError {
    CliError::new(Exit::Finding, what, fix)
}

pub(crate) fn custodian(error: &CardError) -> CliError {
    usage(
        format!("--custodian: {error}"),
        "ask the custodian for the operator card; it is printed by: quorate identity show",
    )
}

pub(crate) fn request_file(path: &Path, error: &RequestFileError) -> CliError {
    usage(
        format!("{}: {error}", shown(path)),
        "ask for the request again; requests are written by quorate exit request, quorate deposit \
         request, quorate registration request, quorate ssv request and quorate obol request",
    )
}

/// A request that is not for this ceremony, or not as it was asked.
pub(crate) fn request(path: &Path, error: &RequestError) -> CliError {
    finding(
        format!("{}: {error}", shown(path)),
        "sign nothing; ask the person who sent the request what it is for",
    )
}

/// A request that a person is about to write.
pub(crate) fn bad_request(error: &RequestError) -> CliError {
    usage(
        error.to_string(),
        format!(
            "correct the request; to see the ceremony's keys and amounts, run: quorate audit \
             TRANSCRIPT --expect {CEREMONY_FILE}"
        ),
    )
}

/// Part of a registration that neither the command line nor the ceremony says.
pub(crate) fn no_terms(flag: &str, several: bool) -> CliError {
    let why = match several {
        true => "the ceremony has not the same for all of these validators",
        false => "the ceremony has no registrations for these validators",
    };
    usage(format!("{flag} is missing: {why}"), format!("give it with {flag}"))
}

/// A registration that nobody takes yet.
pub(crate) fn future_date(date: u64, now: u64) -> CliError {
    usage(
        format!(
            "timestamp: {date} is later than the present time, {now}: block builders refuse it \
             until then, and afterwards it would stand against every registration made meanwhile"
        ),
        "ask for one that is dated now, and check this machine's clock",
    )
}

pub(crate) fn wrong_kind(path: &Path, found: &str, expected: &str) -> CliError {
    usage(
        format!("{}: this is a request for: {found}; expected: {expected}", shown(path)),
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
        BeaconError::IndexTwice(_) | BeaconError::KeyTwice(_) => {
            "ask the node again, and save its answer as it is; no node says both"
        }
        BeaconError::Missing => {
            "ask the node about this key too; if it does not know it, wait until the chain has \
             processed its deposit"
        }
        BeaconError::Unknown(_) => {
            "if its deposit was made, wait until the chain has processed it, then ask the node \
             again; if not, no exit can be made"
        }
        BeaconError::Refused { .. } => "ask the node again, and save the answer as it is",
        BeaconError::NotActive { .. } | BeaconError::Status(_) => {
            "wait until the validator is active, then ask the node again"
        }
        BeaconError::Gone(_) => "nothing to do: ask without this validator",
        BeaconError::Leaving { .. } | BeaconError::Slashed(_) => {
            "nothing to do: the balance goes to the withdrawal address by itself"
        }
        BeaconError::TooYoung { .. } => {
            "wait until then; or leave --beacon out, to sign an exit that is accepted later"
        }
        _ => "sign nothing; find out which of the two is right",
    };
    finding(format!("{}: {error}", shown(path)), fix)
}

/// What a node's list and a request say differently.
pub(crate) fn beacon_list(path: &Path, count: usize, lines: &str) -> CliError {
    finding(
        format!("{}: the node does not agree about {count} validators{lines}", shown(path)),
        "sign nothing; find out which of the two is right. To go on without these validators, ask \
         without them",
    )
}

pub(crate) fn folder_on_stdout() -> CliError {
    usage(
        "--output -: the result is a folder, and stdout takes one file",
        "give the name of a new folder with --output",
    )
}

/// A beacon node has nothing to sign for.
pub(crate) fn nothing_left(left: &str) -> CliError {
    finding(
        format!("no validator is left to sign for. {left}"),
        "wait until the validators are active, then ask the node again",
    )
}

pub(crate) fn items(error: &ItemsError) -> CliError {
    usage(
        format!("validators: {error}"),
        "correct the request: each validator once, with its own index",
    )
}

pub(crate) fn indices(indices: usize, keys: usize) -> CliError {
    usage(
        format!("--index: {indices} are given, for {keys} keys"),
        "give one --index for each --public-key, in the same order; or none, and a node's list \
         with --beacon; a file of --keys has them behind the keys",
    )
}

pub(crate) fn no_index(key: &[u8; 48]) -> CliError {
    usage(
        format!(
            "the index of 0x{} is missing: an exit names its validator by it",
            hex::encode(key)
        ),
        "give it with --index; or give a beacon node's answer with --beacon, which has it",
    )
}

pub(crate) fn keys_line(path: &Path, line: usize, why: &str) -> CliError {
    usage(
        format!("{}, line {line}: {why}", shown(path)),
        "write one key of 96 hexadecimal digits on each line; for exits, its index can follow it",
    )
}

pub(crate) fn future_epoch(epoch: u64, now: u64, network: &str) -> CliError {
    usage(
        format!(
            "epoch: {epoch} is in the future on {network}, where the current epoch is {now}; nodes \
             refuse the exit until then"
        ),
        "give epoch 0, or an earlier epoch; if you want a future one, add --future-epoch",
    )
}

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

pub(crate) fn policy(path: &Path, why: &str) -> CliError {
    usage(
        format!("{}: {why}", shown(path)),
        "write it as in: exits = \"ask\" (or \"allow-list\", \"never\"), deposits = \"never\", \
         registrations = \"never\", key_shares = \"never\", allow = [\"0x...\"], \
         fee_recipients = [\"0x...\"], owners = [\"0x...\"]",
    )
}

pub(crate) fn policy_open(path: &Path, mode: u32) -> CliError {
    local(
        format!("{}: other users can write to it (mode {mode:04o})", shown(path)),
        format!("check its content, then run: chmod 600 {}", quoted(path)),
    )
}

pub(crate) fn policy_of_another(path: &Path, owner: u32, user: u32) -> CliError {
    local(
        format!("{}: belongs to user {owner}, but this is user {user}", shown(path)),
        "check its content, then write it again as this user",
    )
}

pub(crate) fn policy_never(path: &Path, kind: &str) -> CliError {
    local(
        format!("{}: this operator's policy is to sign no {kind}s", shown(path)),
        "nothing was signed; to change the policy, edit that file",
    )
}

pub(crate) fn policy_not_listed(path: &Path, key: &[u8; 48]) -> CliError {
    local(
        format!("{}: the validator 0x{} is not on the allow-list", shown(path), hex::encode(key)),
        "nothing was signed; to allow it, add its key to allow = [...]",
    )
}

pub(crate) fn policy_fee_recipient(path: &Path, address: &str) -> CliError {
    local(
        format!("{}: the fee recipient {address} is not on the list", shown(path)),
        "nothing was signed; to allow it, add it to fee_recipients = [...]",
    )
}

pub(crate) fn policy_asks(path: &Path, kind: &str) -> CliError {
    usage(
        format!("--yes: {} does not allow {kind}s without a question", shown(path)),
        "run it in a terminal without --yes; or put the validator on the allow-list",
    )
}
