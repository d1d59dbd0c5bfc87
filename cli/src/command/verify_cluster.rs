//! `quorate verify cluster-definition` and `quorate verify cluster-lock`: an Obol cluster's files,
//! by the rules of Charon.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::verify::{accepted, refused_by};
use crate::args::VerifyCluster;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::destination;
use quorate::ethereum::network::Network;
use quorate::ethereum::obol::check::{Cluster, DefinitionError};
use quorate::ethereum::obol::definition::{self, ClusterDefinition, Remark};
use quorate::ethereum::obol::lock::{self, ClusterLock};
use quorate::ethereum::obol::lock_check::{self, LockError, check_lock};
use quorate::spec::show::plural;

/// The wallets that a person says are contracts.
pub(crate) fn contracts(texts: &[String]) -> Result<BTreeSet<ExecutionAddress>, CliError> {
    let parse = |text: &String| ExecutionAddress::parse_checksummed(text);
    texts
        .iter()
        .map(parse)
        .collect::<Result<_, _>>()
        .map_err(|error| messages::address("--contract-wallet", error))
}

/// Runs `quorate verify cluster-definition`.
pub(crate) fn cluster_definition(args: &VerifyCluster, out: &Output) -> Result<Exit, CliError> {
    let (file, contracts) = (&args.file, contracts(&args.contract_wallets)?);
    let bytes = input::read(file, definition::MOST_BYTES)?;
    let checked = ClusterDefinition::read(&bytes)
        .and_then(|(definition, remarks)| Ok((Cluster::check(definition, contracts)?, remarks)));
    match checked {
        Ok((cluster, remarks)) => cluster_accepted(file, &cluster, None, &remarks, out),
        Err(DefinitionError::ContractUnknown(wallet)) => Err(messages::contract_wallet(&wallet)),
        Err(error) => {
            refused_by("verify cluster-definition", file, (&error.field(), error.to_string()), out)
        }
    }
}

/// Runs `quorate verify cluster-lock`.
pub(crate) fn cluster_lock(args: &VerifyCluster, out: &Output) -> Result<Exit, CliError> {
    let (file, contracts) = (&args.file, contracts(&args.contract_wallets)?);
    let bytes = input::read(file, lock::MOST_BYTES)?;
    match ClusterLock::read(&bytes)
        .and_then(|(lock, remarks)| Ok((check_lock(&lock, contracts)?, lock, remarks)))
    {
        Ok((cluster, lock, remarks)) => {
            cluster_accepted(file, &cluster, Some(&lock), &remarks, out)
        }
        Err(LockError::Definition(DefinitionError::ContractUnknown(wallet))) => {
            Err(messages::contract_wallet(&wallet))
        }
        Err(error) => {
            refused_by("verify cluster-lock", file, (&error.field(), error.to_string()), out)
        }
    }
}

fn cluster_accepted(
    file: &Path,
    cluster: &Cluster,
    lock: Option<&ClusterLock>,
    remarks: &[Remark],
    out: &Output,
) -> Result<Exit, CliError> {
    let definition = cluster.definition();
    let hexed = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let (config_hash, definition_hash) =
        (hexed(&definition.config_hash), hexed(&definition.definition_hash));
    let lock_hash = lock.map(|lock| hexed(&lock.lock_hash));
    let keys: Vec<String> =
        lock.into_iter().flat_map(|lock| &lock.validators).map(|v| hexed(&v.public_key)).collect();
    let mut text = format!(
        "  version {}, {} of {} operators, validators: {}\n  {}\n  config hash {config_hash}\n  \
         definition hash {definition_hash}",
        definition.version.text(),
        definition.threshold,
        definition.operators.len(),
        definition.validators.len(),
        signers(cluster),
    );
    lock_hash.iter().for_each(|hash| text += &format!("\n  lock hash {hash}"));
    let (money, money_fields) = money(definition);
    text += &money;
    keys.iter().for_each(|key| text += &format!("\n  validator {key}"));
    let unchecked: Vec<&str> =
        cluster.unchecked().iter().map(|unchecked| unchecked.field.as_str()).collect();
    for unchecked in cluster.unchecked() {
        text += &format!(
            "\n  NOT CHECKED: {} of {}, named as a contract wallet (ERC-1271): verify it on chain",
            unchecked.field, unchecked.wallet
        );
    }
    let remarks: Vec<String> = remarks.iter().map(ToString::to_string).collect();
    remarks.iter().for_each(|remark| text += &format!("\n  remark: {remark}"));
    let mut fields = json!({
        "remarks": remarks,
        "config_hash": config_hash, "definition_hash": definition_hash, "lock_hash": lock_hash,
        "signed": definition.is_signed(),
        "validators": keys, "unchecked": unchecked,
    });
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), money_fields) {
        fields.extend(more);
    }
    accepted(file, fields, &text, out)
}

/// The network, and where the money of a definition goes: whoever wrote it chose that, and anybody
/// can write one that nobody signs.
fn money(definition: &ClusterDefinition) -> (String, Value) {
    let network = lock_check::network(definition.fork_version);
    let name = network.as_ref().map(Network::name);
    let mut text = match name {
        Some(name) => format!("\n  network {name}"),
        None => {
            format!("\n  UNKNOWN NETWORK: fork version 0x{}", hex::encode(definition.fork_version))
        }
    };
    let unit = network.as_ref().map(Network::unit);
    let amount = |gwei: &u64| {
        unit.map_or_else(
            || format!("{gwei} gwei"),
            |unit| format!("{} {}", unit.decimal(*gwei), unit.name()),
        )
    };
    let kind = if definition.compounding { "0x02, compounding" } else { "0x01" };
    let mut going: BTreeMap<(String, String), usize> = BTreeMap::new();
    for validator in &definition.validators {
        *going
            .entry((validator.withdrawal.to_string(), validator.fee_recipient.to_string()))
            .or_default() += 1;
    }
    for ((withdrawal, fees), count) in &going {
        text += &format!(
            "\n  of {}: withdrawn to {withdrawal} ({kind}), fees to {fees}",
            plural(*count, "validator")
        );
    }
    let validators = definition.validators.iter();
    let addresses: BTreeSet<_> =
        validators.flat_map(|validator| [validator.withdrawal, validator.fee_recipient]).collect();
    let warnings: Vec<String> = addresses.iter().filter_map(destination::warning).collect();
    warnings.iter().for_each(|warning| text += &format!("\n  WARNING: {warning}"));
    match definition.deposit_amounts.as_deref() {
        None | Some([]) => text += "\n  deposits: of the default amount",
        Some(amounts) => {
            text += &format!(
                "\n  deposits of each: {}",
                amounts.iter().map(amount).collect::<Vec<_>>().join(", ")
            )
        }
    }
    let going: Vec<Value> = going
        .iter()
        .map(|((withdrawal, fees), count)| {
            json!({ "withdrawal_address": withdrawal,
            "fee_recipient": fees, "validators": count })
        })
        .collect();
    let fields = json!({
        "network": name, "fork_version": format!("0x{}", hex::encode(definition.fork_version)),
        "going_to": going, "warnings": warnings,
        "compounding": definition.compounding, "deposit_amounts": definition.deposit_amounts,
    });
    (text, fields)
}

/// Whose wallets have signed a definition, as far as that was checked.
fn signers(cluster: &Cluster) -> String {
    let definition = cluster.definition();
    let but = if cluster.unchecked().is_empty() { "" } else { ", except for what was NOT CHECKED" };
    match definition.creator.address {
        None => "not signed".to_owned(),
        Some(_) if definition.is_signed() => {
            format!("signed by the wallets of its creator and of every operator{but}")
        }
        Some(_) => format!("signed by the wallet of its creator but of no operator{but}"),
    }
}
