//! Messages about requests for exits, deposits and registrations: what they say, and for whom.

use std::path::Path;

use super::{CEREMONY_FILE, finding, shown, usage};
use crate::report::CliError;
use quorate::identity::card::CardError;
use quorate::signing::beacon::BeaconError;
use quorate::signing::request_file::RequestFileError;
use quorate::signing::{ItemsError, RequestError};

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
