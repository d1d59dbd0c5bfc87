//! Writes deposit files.

use std::collections::BTreeMap;

use serde::Serialize;

use super::SignedDeposit;
use crate::ethereum::network::Network;
use crate::export::{Artifact, Audience};

/// The version that every known checker takes: several compare it with 2.7.0, none with the name of
/// a tool.
const DEPOSIT_CLI_VERSION: &str = "2.7.0";

/// One entry; the fields in the order of Ethereum's deposit tool, hexadecimal without `0x`, the
/// amount a number.
#[derive(Serialize)]
struct Entry<'a> {
    pubkey: String,
    withdrawal_credentials: String,
    amount: u64,
    signature: String,
    deposit_message_root: String,
    deposit_data_root: String,
    fork_version: String,
    network_name: &'a str,
    deposit_cli_version: &'a str,
}

/// One deposit file, with the rows in the order given.
pub fn write_deposits(network: &Network, deposits: &[SignedDeposit]) -> Vec<u8> {
    let entry = |SignedDeposit { message, signature }: &SignedDeposit| {
        let signature = signature.to_compressed();
        Entry {
            pubkey: hex::encode(message.pubkey),
            withdrawal_credentials: hex::encode(message.withdrawal_credentials.as_bytes()),
            amount: message.amount,
            signature: hex::encode(signature),
            deposit_message_root: hex::encode(message.root()),
            deposit_data_root: hex::encode(message.data_root(&signature)),
            fork_version: hex::encode(network.genesis_fork_version()),
            network_name: network.name(),
            deposit_cli_version: DEPOSIT_CLI_VERSION,
        }
    };
    super::json_lines(&deposits.iter().map(entry).collect::<Vec<_>>())
}

/// All deposits of a ceremony as files, one for each amount, so that a person sends one amount at a
/// time.
///
/// `deposit-data.json` holds the standard amount (32 ETH, 1 GNO), or the only amount there is;
/// every other amount stands in `deposit-data-<amount><unit>.json`, such as
/// `deposit-data-1.5eth.json`. Without a standard amount among several there is no
/// `deposit-data.json`: no file then means "the" deposit.
pub fn deposit_artifacts(network: &Network, deposits: &[SignedDeposit]) -> Vec<Artifact> {
    let mut by_amount: BTreeMap<u64, Vec<SignedDeposit>> = BTreeMap::new();
    for deposit in deposits {
        by_amount.entry(deposit.message.amount).or_default().push(*deposit);
    }
    let only = by_amount.len() == 1;
    let name = |amount: u64| {
        if only || amount == network.standard_amount() {
            return "deposit-data.json".to_owned();
        }
        let unit = network.unit();
        format!("deposit-data-{}{}.json", unit.decimal(amount), unit.name().to_ascii_lowercase())
    };
    by_amount
        .iter()
        .map(|(amount, rows)| Artifact {
            name: name(*amount),
            audience: Audience::Public,
            bytes: write_deposits(network, rows),
        })
        .collect()
}
