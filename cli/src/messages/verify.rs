//! Messages of `quorate verify`, about networks, keys and addresses.

use std::path::Path;

use super::spec::network_meant;
use super::{local, shown, usage};
use crate::report::CliError;
use quorate::ethereum::address::{AddressError, ExecutionAddress};
use quorate::ethereum::network::Network;

pub(crate) fn unknown_network(name: &str) -> CliError {
    let known: Vec<&str> = Network::known_names().collect();
    usage(
        format!("{name:?} is not a built-in network"),
        format!(
            "{}choose one of {}; for another network, give one of its ceremony files with \
             --ceremony",
            network_meant(name),
            known.join(", ")
        ),
    )
}

pub(crate) fn public_key(why: &str) -> CliError {
    usage(
        format!("--public-key: {why}"),
        "copy the validator's public key: 96 hexadecimal digits, with or without 0x",
    )
}

pub(crate) fn address(flag: &str, error: AddressError) -> CliError {
    usage(
        format!("{flag}: {error}"),
        "copy the address in its mixed-case spelling (ERC-55) from the wallet",
    )
}

pub(crate) fn too_many_entries(folder: &Path, most: usize) -> CliError {
    local(
        format!("{}: more than {most} entries: too many to check", shown(folder)),
        "give the path of the ceremony's folder itself",
    )
}

pub(crate) fn contract_wallet(wallet: &ExecutionAddress) -> CliError {
    usage(
        format!("--contract-wallet: {wallet} is not a wallet of this cluster"),
        "name only contract wallets of its operators or its creator",
    )
}
