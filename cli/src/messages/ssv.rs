//! Messages about SSV clusters.

use std::path::Path;

use super::{local, shown, usage};
use crate::progress::{Named, listed};
use crate::report::{CliError, Exit};
use quorate::ethereum::ssv::OperatorsInfoError;

pub(crate) fn ssv_pairs(operators: usize, ids: usize) -> CliError {
    usage(
        format!("--operator was given {operators} times, but --ssv-id {ids} times"),
        "give one --ssv-id for each --operator, in the same order: its number in SSV's contract",
    )
}

/// Something else than `NAME=ID`.
pub(crate) fn ssv_id(text: &str) -> CliError {
    usage(
        format!("--ssv-id {text:?}: not an operator and a number"),
        "give it as NAME=ID: the operator's name, and its number in SSV's contract",
    )
}

/// A number for somebody who gets no share.
pub(crate) fn ssv_id_of_nobody(name: &str) -> CliError {
    usage(
        format!("--ssv-id: no operator with the name {name:?} gets a share"),
        "name an operator that gets a share, as its card does",
    )
}

/// Two numbers for one operator.
pub(crate) fn ssv_id_twice(name: &str) -> CliError {
    usage(format!("--ssv-id names {name:?} twice"), "name each operator once")
}

/// Operators that get shares and have no number.
pub(crate) fn ssv_ids_missing(names: &[String]) -> CliError {
    usage(
        format!("no --ssv-id for {}", names.join(", ")),
        "where shares have numbers of SSV's, every operator that gets one needs its own: add \
         --ssv-id NAME=ID for each",
    )
}

pub(crate) fn operators_info(path: &Path, error: &OperatorsInfoError) -> CliError {
    usage(
        format!("{}: {error}", shown(path)),
        "use the operators_info.json that SSV's web application exports for these operators",
    )
}

pub(crate) fn no_ssv_operator(path: &Path, id: u64) -> CliError {
    usage(
        format!("{}: there is no operator {id}", shown(path)),
        "use the operators_info.json that lists the operators of this cluster",
    )
}

pub(crate) fn not_for_ssv(transcript: &Path) -> CliError {
    usage(
        format!("{}: the ceremony is not for SSV", shown(transcript)),
        "use the transcript of a ceremony whose file has an [ssv] section",
    )
}

/// A ceremony that is not for SSV has no RSA keys.
pub(crate) fn no_operator_keys(ceremony: &str) -> CliError {
    usage(
        format!("the ceremony {ceremony:?} has no RSA keys of the operators"),
        "give them with --ssv-operators operators_info.json, as SSV's web application exports it",
    )
}

/// Shares are to be encrypted, and the key is not given.
pub(crate) fn key_shares_key_needed() -> CliError {
    usage(
        "this request has your shares encrypted to your operator's RSA key, which is missing",
        "nothing was signed; give its key file with --ssv-key encrypted_private_key.json",
    )
}

/// Of key shares, none is left out.
pub(crate) fn key_shares_whole(left: &str) -> CliError {
    local(
        format!(
            "key shares are signed for all validators of a request or for none: their nonces \
             follow one another. {left}"
        ),
        "nothing was signed; ask for a request without these validators",
    )
}

pub(crate) fn policy_owner(path: &Path, address: &str) -> CliError {
    local(
        format!("{}: the owner {address} is not on the list", shown(path)),
        "nothing was signed; to allow it, add it to owners = [...]",
    )
}

/// What nobody else can do: a part of a lock, or of key shares.
pub(crate) const fn only_they_can(locks: bool) -> &'static str {
    if locks { "sign for their shares and nodes" } else { "encrypt their shares" }
}

/// Operators whose answers no others can replace.
pub(crate) fn required_answers(lacking: &[Named], bad: &[String], locks: bool) -> CliError {
    let bad = match bad.is_empty() {
        true => String::new(),
        false => format!("\n  {}", bad.join("\n  ")),
    };
    CliError::new(
        if bad.is_empty() { Exit::Waiting } else { Exit::Finding },
        format!(
            "no valid answer from {}: nobody else can {}{bad}",
            listed(lacking),
            only_they_can(locks)
        ),
        match locks {
            true => "a lock needs all operators with shares: ask them to answer, then combine all",
            false => {
                "ask them to answer, then combine all answers; with the owner and the RSA keys of \
                 the ceremony, a threshold of operators is enough"
            }
        },
    )
}
