//! Messages about an operator's policy: what it signs without a question, and what never.

use std::path::Path;

use super::{local, quoted, shown, usage};
use crate::report::CliError;

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
