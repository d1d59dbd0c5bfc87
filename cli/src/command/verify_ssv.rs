//! `quorate verify keyshares` and `quorate verify ssv`: verify registrations with an SSV cluster.

use std::fs::DirEntry;
use std::path::Path;

use serde_json::{Value, json};

use super::verify::{accepted, network, refused, refused_by};
use crate::args::{VerifyKeyshares, VerifySsv};
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::ssv::OwnerNonce;
use quorate::export::ssv::{
    DirectoryFile, Expected, KeyshareError, Registration, parse_proofs, verify_directory,
    verify_keyshares, verify_proofs,
};

/// Longest file for all validators.
pub(super) const MOST_LIST_BYTES: usize = 192 << 20;
/// Longest file of one validator.
const MOST_OBJECT_BYTES: usize = 64 << 10;
/// Most entries of a folder that are looked at.
const MOST_ENTRIES: usize = 8192;

fn address(flag: &str, text: &str) -> Result<ExecutionAddress, CliError> {
    ExecutionAddress::parse_checksummed(text).map_err(|error| messages::address(flag, error))
}

/// What is said of registrations that are accepted.
pub(super) fn described(registrations: &[Registration]) -> (String, Vec<Value>) {
    let mut text = String::new();
    let mut rows = Vec::with_capacity(registrations.len());
    if let Some(first) = registrations.first() {
        let ids: Vec<String> =
            first.operators.iter().map(|operator| operator.id.to_string()).collect();
        text += &format!("  owner {}, operators {}", first.owner_nonce.owner, ids.join(", "));
    }
    for registration in registrations {
        let (OwnerNonce { owner, nonce }, key) =
            (registration.owner_nonce, hex::encode(registration.validator.to_compressed()));
        text += &format!("\n  nonce {nonce}: 0x{key}");
        let operators: Vec<u64> =
            registration.operators.iter().map(|operator| operator.id).collect();
        rows.push(json!({ "pubkey": key, "owner": owner.to_string(), "nonce": nonce,
        "operators": operators }));
    }
    text += "\n  Not checked: only each operator can check that it can decrypt its share, and only \
             a node knows what the operators and the owner have on chain.";
    (text, rows)
}

/// Runs `quorate verify keyshares`.
pub(crate) fn keyshares(args: &VerifyKeyshares, out: &Output) -> Result<Exit, CliError> {
    let owner = args.owner.as_deref().map(|text| address("--owner", text)).transpose()?;
    let first = owner.zip(args.nonce).map(|(owner, nonce)| OwnerNonce { owner, nonce });
    let bytes = input::read(&args.file, MOST_LIST_BYTES)?;
    let refuse = |file: &Path, error: KeyshareError| {
        refused_by("verify keyshares", file, (error.field(), error.to_string()), out)
    };
    let registrations = match verify_keyshares(&bytes, first) {
        Ok(registrations) => registrations,
        Err(error) => return refuse(&args.file, error),
    };
    let (mut text, rows) = described(&registrations);
    let mut fields = json!({ "validators": rows });
    if let Some(file) = &args.proofs {
        let proofs = input::read(file, MOST_LIST_BYTES)?;
        match parse_proofs(&proofs)
            .and_then(|proofs| verify_proofs(&registrations, &proofs).map(|()| proofs))
        {
            Ok(proofs) => {
                let count: usize = proofs.iter().map(Vec::len).sum();
                text += &format!("\n  proofs: {count}, each signed by its operator's RSA key");
                fields["proofs"] = count.into();
            }
            Err(error) => return refuse(file, error),
        }
    }
    accepted(&args.file, fields, &text, out)
}

/// Runs `quorate verify ssv`.
pub(crate) fn directory(args: &VerifySsv, out: &Output) -> Result<Exit, CliError> {
    let first = OwnerNonce { owner: address("--owner", &args.owner)?, nonce: args.nonce };
    let withdrawal = address("--withdrawal", &args.withdrawal)?;
    let expected = Expected {
        network: network(&args.network)?,
        first,
        withdrawal,
        validators: args.validators.into(),
    };
    let files = read(&args.directory)?;
    match verify_directory(&files, &expected) {
        Ok(registrations) => {
            let (text, rows) = described(&registrations);
            accepted(
                &args.directory,
                json!({ "validators": rows, "network": expected.network.name() }),
                &text,
                out,
            )
        }
        Err(error) => refused(&args.directory, &error.field(), &error.to_string(), out),
    }
}

fn entries(folder: &Path) -> Result<Vec<DirEntry>, CliError> {
    let reading = |error| messages::reading(folder, &error);
    let mut entries = folder
        .read_dir()
        .map_err(reading)?
        .take(MOST_ENTRIES + 1)
        .collect::<Result<Vec<_>, _>>()
        .map_err(reading)?;
    if entries.len() > MOST_ENTRIES {
        return Err(messages::too_many_entries(folder, MOST_ENTRIES));
    }
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// All files of a folder and of the folders in it. Whatever else there is comes without content, to
/// be refused by its name.
fn read(folder: &Path) -> Result<Vec<DirectoryFile>, CliError> {
    let known = |name: &str| matches!(name, "deposit_data.json" | "keyshares.json" | "proofs.json");
    let is_folder = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let mut files = Vec::new();
    for entry in entries(folder)? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let inner = if is_folder(&entry) { entries(&entry.path())? } else { vec![] };
        if inner.is_empty() {
            let bytes =
                if known(&name) { input::read(&entry.path(), MOST_LIST_BYTES)? } else { vec![] };
            files.push(DirectoryFile { path: name, bytes });
            continue;
        }
        for entry in inner {
            let file = entry.file_name().to_string_lossy().into_owned();
            let bytes =
                if known(&file) { input::read(&entry.path(), MOST_OBJECT_BYTES)? } else { vec![] };
            files.push(DirectoryFile { path: format!("{name}/{file}"), bytes });
        }
    }
    Ok(files)
}
