//! `quorate verify`: verifies files from any source offline, by the rules of Ethereum alone.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{dossier, verify_cluster, verify_preregistration, verify_registered, verify_ssv};
use crate::args::{NetworkArgs, Verify, VerifyExit, VerifyRegistration};
use crate::keystores::{self, Opened, Unopened};
use crate::messages::shown;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages, protection, recognise};
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::deposit::WithdrawalCredentials;
use quorate::ethereum::destination;
use quorate::ethereum::exit::{WITHDRAWAL_REQUEST_CONTRACT, withdrawal_request};
use quorate::ethereum::keystore::Keystore;
use quorate::ethereum::network::Network;
use quorate::export::exits::verify_exit;
use quorate::export::launchpad::{
    SignedDeposit, SignedRegistration, verify_deposits, verify_registrations,
};
use quorate::primitives::curve::G1;
use quorate::spec::show::{few, plural};

/// Longest deposit file or file of registrations: 65536 entries of at most 1 KiB.
pub(super) const MOST_LIST_BYTES: usize = 64 << 20;
/// Longest exit that is looked at; its own bound is lower.
const MOST_OBJECT_BYTES: usize = 64 << 10;

/// Runs the command.
pub(crate) fn run(args: &Verify, out: &Output) -> Result<Exit, CliError> {
    match args {
        Verify::Deposit { file, network, withdrawal } => {
            deposit(file, network, withdrawal.as_deref(), out)
        }
        Verify::Exit(args) => exit(args, out),
        Verify::Registration(args) => registration(args, out),
        Verify::Preregistration(args) => verify_preregistration::run(args, out),
        Verify::Registered(args) => verify_registered::run(args, out),
        Verify::Attestations(args) => dossier::attestations(args, out),
        Verify::Protection { file, network, not_below } => {
            protection(file, network, not_below.as_deref(), out)
        }
        Verify::Keyshares(args) => verify_ssv::keyshares(args, out),
        Verify::Ssv(args) => verify_ssv::directory(args, out),
        Verify::ClusterDefinition(args) => verify_cluster::cluster_definition(args, out),
        Verify::ClusterLock(args) => verify_cluster::cluster_lock(args, out),
        Verify::Keystore { files, keystore_password_file } => {
            keystore(files, keystore_password_file.as_deref(), out)
        }
    }
}

/// The network that a person names.
pub(crate) fn network(args: &NetworkArgs) -> Result<Network, CliError> {
    match (&args.network, &args.ceremony) {
        (_, Some(file)) => Ok(input::ceremony(file)?.1.network().clone()),
        (Some(name), None) => Network::known(name).ok_or_else(|| messages::unknown_network(name)),
        (None, None) => Err(messages::internal("one of the flags is required")),
    }
}

/// A validator's key that a person names.
pub(crate) fn public_key(text: &str) -> Result<G1, CliError> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = [0; 48];
    hex::decode_to_slice(digits, &mut bytes)
        .map_err(|_| messages::public_key("not 96 hexadecimal digits"))?;
    G1::from_compressed(&bytes).map_err(|error| messages::public_key(&error.to_string()))
}

pub(super) fn accepted(
    file: &Path,
    fields: Value,
    text: &str,
    out: &Output,
) -> Result<Exit, CliError> {
    let mut all = json!({ "file": file.display().to_string(), "accepted": true });
    if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), fields) {
        all.extend(fields);
    }
    out.finish(Exit::Done, all, &format!("Accepted: {}\n{text}", shown(file)))
}

/// As [`refused`], of a file that `command` has read. One that is refused as a whole may be of
/// another kind.
pub(super) fn refused_by(
    command: &str,
    file: &Path,
    (field, reason): (&str, String),
    out: &Output,
) -> Result<Exit, CliError> {
    let whole = matches!(field, "file" | "fields");
    let bytes = whole.then(|| input::read(file, recognise::MOST_BYTES).ok()).flatten();
    let kind = bytes.and_then(|bytes| recognise::kind(&bytes));
    match kind.filter(|kind| !kind.ends_with(command)) {
        Some(kind) => refused(file, field, &format!("{reason}; this is {kind}"), out),
        None => refused(file, field, &reason, out),
    }
}

pub(super) fn refused(
    file: &Path,
    field: &str,
    reason: &str,
    out: &Output,
) -> Result<Exit, CliError> {
    out.finish(
        Exit::Finding,
        json!({ "file": file.display().to_string(), "accepted": false, "field": field,
            "reason": reason }),
        &format!("Refused: {}\n  {reason}", shown(file)),
    )
}

fn deposit(
    file: &Path,
    args: &NetworkArgs,
    withdrawal: Option<&str>,
    out: &Output,
) -> Result<Exit, CliError> {
    let network = network(args)?;
    let wanted = withdrawal.map(ExecutionAddress::parse_checksummed).transpose();
    let wanted = wanted.map_err(|error| messages::address("--withdrawal", error))?;
    let deposits = match verify_deposits(&input::read(file, MOST_LIST_BYTES)?, &network, None) {
        Ok(deposits) => deposits,
        Err(error) => {
            return refused_by("verify deposit", file, (error.field(), error.to_string()), out);
        }
    };
    let lacking = lacking(args.ceremony.as_deref(), &deposits)?;
    let mut warnings = BTreeSet::new();
    let mut text = format!("  network {}, deposits: {}", network.name(), deposits.len());
    let mut rows = Vec::with_capacity(deposits.len());
    let mut groups = Groups::default();
    for (entry, deposit) in (1..).zip(&deposits) {
        let (message, credentials) = (&deposit.message, deposit.message.withdrawal_credentials);
        let address = credentials.address();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != address) {
            let reason =
                format!("entry {entry}, withdrawal_credentials: {address} instead of {wanted}");
            return refused(file, "withdrawal_credentials", &reason, out);
        }
        if let Err(error) = address.usable() {
            let reason = format!("entry {entry}, withdrawal_credentials: {address}: {error}");
            return refused(file, "withdrawal_credentials", &reason, out);
        }
        warnings.extend(destination::warning(&address));
        let (amount, kind) = (
            network.unit().text(message.amount),
            if credentials.is_compounding() { "0x02" } else { "0x01" },
        );
        groups.add(format!("{amount} withdrawn to {address} ({kind})"), &message.pubkey);
        rows.push(json!({
            "pubkey": hex::encode(message.pubkey), "amount": message.amount,
            "withdrawal": address.to_string(),
            "compounding": credentials.is_compounding(),
        }));
    }
    text += &groups.text(out.verbose);
    warnings.iter().for_each(|warning| text += &format!("\n  WARNING: {warning}"));
    lacking.iter().for_each(|lacking| text += &format!("\n  NOT IN THIS FILE: {lacking}"));
    let fields = json!({
        "network": network.name(), "deposits": rows, "warnings": warnings, "lacking": lacking,
    });
    accepted(file, fields, &text, out)
}

/// Validators by what is said of them: each thing that differs is said, however many there are;
/// of many keys for which it is the same, the first and the last.
#[derive(Default)]
pub(super) struct Groups(Vec<(String, Vec<String>)>, BTreeMap<String, usize>);

impl Groups {
    pub(super) fn add(&mut self, said: String, public_key: &[u8; 48]) {
        let group = *self.1.entry(said.clone()).or_insert_with(|| {
            self.0.push((said, Vec::new()));
            self.0.len() - 1
        });
        self.0[group].1.push(format!("    0x{}", hex::encode(public_key)));
    }

    pub(super) fn text(self, everything: bool) -> String {
        let one = |(said, keys): (String, Vec<String>)| {
            let count = plural(keys.len(), "validator");
            format!("\n  {said}: {count}\n{}", few(keys, everything).join("\n"))
        };
        self.0.into_iter().map(one).collect()
    }
}

/// The deposits of a ceremony that a file of some of them lacks: how many of each amount, to each
/// address. The keys are in the transcript alone.
fn lacking(ceremony: Option<&Path>, deposits: &[SignedDeposit]) -> Result<Vec<String>, CliError> {
    let Some(path) = ceremony else { return Ok(Vec::new()) };
    let (_, ceremony) = input::ceremony(path)?;
    let mut wanted: BTreeMap<(WithdrawalCredentials, u64), usize> = BTreeMap::new();
    for validator in ceremony.validators() {
        for amount in &validator.amounts {
            *wanted.entry((validator.withdrawal, *amount)).or_default() += 1;
        }
    }
    let lacks = |((credentials, amount), wanted): (&(WithdrawalCredentials, u64), &usize)| {
        let found = deposits.iter().filter(|deposit| {
            let message = &deposit.message;
            (message.withdrawal_credentials, message.amount) == (*credentials, *amount)
        });
        let (found, amount) = (found.count(), ceremony.network().unit().text(*amount));
        let to = credentials.address();
        (found < *wanted).then(|| {
            format!("{} of the ceremony's {wanted} deposits of {amount} to {to}", wanted - found)
        })
    };
    Ok(wanted.iter().filter_map(lacks).collect())
}

fn protection(
    file: &Path,
    args: &NetworkArgs,
    not_below: Option<&Path>,
    out: &Output,
) -> Result<Exit, CliError> {
    let network = network(args)?;
    let known = not_below.map(|path| protection::read(path, &network)).transpose()?;
    let read =
        protection::parse(&protection::bytes(file)?, &network).and_then(
            |(read, notes)| match &known {
                Some((known, _)) => read.check_not_below(known).map(|()| (read, notes)),
                None => Ok((read, notes)),
            },
        );
    let (read, mut notes) = match read {
        Ok(read) => read,
        Err(error) => {
            let why = (error.field(), error.to_string());
            return refused_by("verify protection", file, why, out);
        }
    };
    notes.extend(protection::ahead_of_clock(&read, &network, super::export::now()));
    let mut text = format!("  network {}, keys: {}", network.name(), read.keys().len());
    let mut rows = Vec::with_capacity(read.keys().len());
    for (key, signed) in read.keys() {
        text += &format!("\n  0x{}\n    {}", hex::encode(key), protection::shown(signed));
        rows.push(json!({
            "pubkey": format!("0x{}", hex::encode(key)), "slot": signed.slot,
            "source_epoch": signed.vote.map(|vote| vote.source),
            "target_epoch": signed.vote.map(|vote| vote.target),
        }));
    }
    notes.iter().for_each(|note| text += &format!("\n  NOTE: {note}"));
    let fields = json!({ "network": network.name(), "keys": rows, "notes": notes });
    accepted(file, fields, &text, out)
}

/// Also `quorate exit verify`.
pub(crate) fn exit(args: &VerifyExit, out: &Output) -> Result<Exit, CliError> {
    let (network, key) = (network(&args.network)?, public_key(&args.public_key)?);
    let signed = match verify_exit(&input::read(&args.file, MOST_OBJECT_BYTES)?, &network, &key) {
        Ok(signed) => signed,
        Err(error) => {
            return refused_by("verify exit", &args.file, (error.field(), error.to_string()), out);
        }
    };
    let calldata = format!("0x{}", hex::encode(withdrawal_request(&key.to_compressed())));
    let message = signed.message;
    let text = format!(
        "  network {}, validator {}, valid from epoch {}\n  signed by 0x{}\n  Not checked: only a \
         beacon node knows the index of this key.",
        network.name(),
        message.validator_index,
        message.epoch,
        hex::encode(key.to_compressed())
    );
    let fields = json!({
        "network": network.name(), "validator_index": message.validator_index,
        "epoch": message.epoch,
        "withdrawal_request": { "to": WITHDRAWAL_REQUEST_CONTRACT, "data": calldata },
    });
    accepted(&args.file, fields, &text, out)
}

/// Also `quorate registration verify`.
pub(crate) fn registration(args: &VerifyRegistration, out: &Output) -> Result<Exit, CliError> {
    let (file, network) = (args.file.as_path(), network(&args.network)?);
    let registrations =
        match verify_registrations(&input::read(file, MOST_LIST_BYTES)?, &network, None) {
            Ok(registrations) => registrations,
            Err(error) => {
                return refused_by(
                    "verify registration",
                    file,
                    (error.field(), error.to_string()),
                    out,
                );
            }
        };
    let mut text = format!("  network {}, registrations: {}", network.name(), registrations.len());
    let repeated = repeated(&registrations);
    for (first, again) in &repeated {
        let what = match registrations[*first] == registrations[*again] {
            true => "the same registration",
            false => "another registration of the same validator",
        };
        text += &format!("\n  GIVEN TWICE: entry {} is {what} as entry {}", again + 1, first + 1);
    }
    let mut groups = Groups::default();
    for signed in &registrations {
        let message = &signed.message;
        let said = format!(
            "fees to {}, gas limit {}, dated {}",
            message.fee_recipient, message.gas_limit, message.timestamp
        );
        groups.add(said, &message.pubkey);
    }
    text += &groups.text(out.verbose);
    let entries = registrations.iter().map(|signed| {
        let message = &signed.message;
        json!({
            "public_key": format!("0x{}", hex::encode(message.pubkey)),
            "fee_recipient": message.fee_recipient.to_string(),
            "gas_limit": message.gas_limit, "timestamp": message.timestamp,
        })
    });
    let entries: Vec<Value> = entries.collect();
    let repeated: Vec<[usize; 2]> =
        repeated.into_iter().map(|(first, again)| [first + 1, again + 1]).collect();
    let fields = json!({
        "network": network.name(), "registrations": entries.len(), "entries": entries,
        "repeated": repeated,
    });
    accepted(file, fields, &text, out)
}

/// Entries for a validator that an earlier one was for, each with the first of them; from 0.
fn repeated(registrations: &[SignedRegistration]) -> Vec<(usize, usize)> {
    let mut first = BTreeMap::new();
    let mut repeated = Vec::new();
    for (at, signed) in registrations.iter().enumerate() {
        match first.entry(signed.message.pubkey) {
            Entry::Vacant(place) => drop(place.insert(at)),
            Entry::Occupied(place) => repeated.push((*place.get(), at)),
        }
    }
    repeated
}

fn keystore(
    files: &[PathBuf],
    password_file: Option<&Path>,
    out: &Output,
) -> Result<Exit, CliError> {
    let found = files.iter().map(|path| keystores::find(path)).collect::<Result<Vec<_>, _>>()?;
    let opened = match keystores::open(found.concat(), Keystore::from_json, password_file, out) {
        Ok(opened) => opened,
        Err(Unopened::Local(error)) => return Err(error),
        Err(Unopened::Refused(file, error)) => {
            return refused_by("verify keystore", &file, (error.field(), error.to_string()), out);
        }
    };
    let mut text = format!(
        "Accepted: {}; each decrypts to the key that it names.\n",
        plural(opened.len(), "keystore")
    );
    let (mut rows, mut plain) = (Vec::with_capacity(opened.len()), Vec::new());
    for Opened { path, keystore, .. } in &opened {
        let key = hex::encode(keystore.pubkey().to_compressed());
        let remarks: Vec<String> = keystore.remarks().iter().map(ToString::to_string).collect();
        let line = format!("  {}: 0x{key}", shown(path));
        match remarks.is_empty() {
            true => plain.push(line),
            false => text += &format!("{line}\n    remark: {}\n", remarks.join("\n    remark: ")),
        }
        rows.push(json!({
            "file": path.display().to_string(), "pubkey": key, "remarks": remarks,
        }));
    }
    few(plain, out.verbose).iter().for_each(|line| text += &format!("{line}\n"));
    out.finish(Exit::Done, json!({ "accepted": true, "keystores": rows }), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_said_and_what_is_equal_is_shortened() {
        let mut groups = Groups::default();
        for number in 0..200_u8 {
            let to = if number == 100 { "another address" } else { "the address" };
            groups.add(to.to_owned(), &[number; 48]);
        }
        let key = |number: u8| format!("    0x{}", hex::encode([number; 48]));
        let text = groups.text(false);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "  the address: 199 validators",
                &key(0),
                "   ...  197 more (--verbose lists all)",
                &key(199),
                "  another address: 1 validator",
                &key(100),
            ]
        );
        let mut groups = Groups::default();
        (0..200).for_each(|number| groups.add("the address".to_owned(), &[number; 48]));
        assert_eq!(groups.text(true).lines().count(), 202);
    }
}
