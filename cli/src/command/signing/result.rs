//! Writes the signed exit, deposit or registration once enough answers are valid.

use std::path::Path;

use serde_json::{Value, json};

use super::describe::told;
use super::key_shares::{self, folder, folder_name};
use super::{Left, alternative, lock, now};
use crate::messages::{quoted, shown};
use crate::progress::{Named, listed, seat_name};
use crate::report::CliError;
use crate::{input, messages};
use quorate::ethereum::deposit::DepositMessage;
use quorate::ethereum::exit::{WITHDRAWAL_REQUEST_CONTRACT, withdrawal_request};
use quorate::export::exits::{
    SignedExit, charon_exit_file, charon_exit_name, exit_file, verify_exit, write_exit,
};
use quorate::export::launchpad::{
    CHARON_REGISTRATIONS, SignedDeposit, SignedRegistration, verify_deposits, verify_registrations,
    write_charon_registrations, write_deposits, write_registrations,
};
use quorate::export::obol::LOCK_FILE;
use quorate::export::{Artifact, Audience};
use quorate::signing::combine::Combined;
use quorate::signing::partial::PartialError;
use quorate::signing::{Cleared, Kind, Parent, Purpose};
use quorate::spec::Index;

/// What is wrong with an answer, with the name of the operator that it is about.
pub(super) fn blamed(parent: &Parent, error: &PartialError) -> String {
    match error {
        PartialError::Sealer(operator)
        | PartialError::Signature(operator)
        | PartialError::Wrong(operator)
        | PartialError::WrongNode(operator)
        | PartialError::Empty(operator)
        | PartialError::Unproven { operator, .. }
        | PartialError::Point { operator, .. } => format!("{error}: {}", name(parent, *operator)),
        _ => error.to_string(),
    }
}

/// The name of an operator.
pub(super) fn name(parent: &Parent, index: u16) -> String {
    let seat = Index::new(index).map(|index| seat_name(parent.ceremony(), index));
    seat.map(|seat| seat.to_string()).unwrap_or_default()
}

/// What comes of a request, to be written.
pub(super) struct Product {
    pub(super) name: String,
    files: Files,
    pub(super) fields: Value,
    /// Validators with too few answers, and how many they have.
    pub(super) missing: Vec<Left>,
}

/// One file, or a folder of them.
enum Files {
    One(Vec<u8>),
    Folder(Vec<Artifact>),
}

/// Refuses, before work is done that would be for nothing, where the result cannot go.
pub(super) fn can_be_written(
    path: &Path,
    cleared: &Cleared,
    parent: &Parent,
) -> Result<(), CliError> {
    match is_folder(cleared, parent) {
        true => input::folder_can_be_written(path),
        false => input::can_be_written(path),
    }
}

/// Exits are a file for each validator; further deposits are entries of one file. Registrations are
/// too, and for Charon those of another.
fn is_folder(cleared: &Cleared, parent: &Parent) -> bool {
    match cleared.request.items.kind() {
        Kind::Exit => !cleared.request.is_single(),
        Kind::Deposit => false,
        Kind::Registration => parent.ceremony().obol().is_some(),
        Kind::KeyShares => true,
        Kind::Lock => false,
    }
}

impl Product {
    /// Writes it. Anyone who has an exit can use it: only the owner can read it.
    pub(super) fn write(&self, path: &Path) -> Result<(), CliError> {
        match &self.files {
            Files::One(bytes) => input::write_private(path, bytes),
            Files::Folder(files) => input::write_folder(path, files),
        }
    }

    /// The same any number of times: what is there already may be this.
    pub(super) fn write_once(&self, path: &Path) -> Result<(), CliError> {
        let files = match &self.files {
            Files::One(bytes) => return input::write_private_once(path, bytes),
            Files::Folder(files) => files,
        };
        let same = |file: &Artifact| {
            input::read(&path.join(&file.name), file.bytes.len())
                .is_ok_and(|bytes| bytes == file.bytes)
        };
        match path.is_dir() && files.iter().all(same) {
            true => Ok(()),
            false => input::write_folder(path, files),
        }
    }
}

/// Of the body for a beacon node, in a folder.
const REGISTRATIONS: &str = "registrations.json";

/// The name of the result, if it is known before: that of one exit has the time in it, unless it is
/// one of an Obol cluster, which is named as Charon names it.
pub(super) fn default_name(cleared: &Cleared, parent: &Parent) -> Option<String> {
    let (request, id) = (&cleared.request, cleared.request.id().to_string());
    let of = match request.is_single() {
        true => hex::encode(&request.items.first().public_key[..4]),
        false => id[..8].to_owned(),
    };
    match request.items.first().purpose {
        Purpose::Exit(_) if is_folder(cleared, parent) => Some(format!("exits-{of}")),
        Purpose::Exit(_) => {
            let key = &request.items.first().public_key;
            parent.ceremony().obol().map(|_| charon_exit_name(key))
        }
        Purpose::Deposit { amount, .. } => {
            let unit = parent.ceremony().network().unit();
            let (amount, unit) = (unit.decimal(amount), unit.name().to_ascii_lowercase());
            Some(format!("deposit-data-{amount}{unit}-{of}.json"))
        }
        Purpose::Registration(terms) => {
            let end = if is_folder(cleared, parent) { "" } else { ".json" };
            Some(format!("registrations-{}-{of}{end}", terms.timestamp))
        }
        Purpose::KeyShares(_) => folder_name(cleared),
        Purpose::Lock => Some(LOCK_FILE.to_owned()),
    }
}

/// The result, verified as anybody would, and what it says. Those validators are missing whose
/// signature is.
pub(super) fn product(
    cleared: &Cleared,
    parent: &Parent,
    made: &Combined,
    counts: &[usize],
) -> Result<Product, CliError> {
    if cleared.is_for_key_shares() {
        let (files, fields) = folder(cleared, parent, made)?;
        let (name, files) = (folder_name(cleared).unwrap_or_default(), Files::Folder(files));
        return Ok(Product { name, files, fields, missing: Vec::new() });
    }
    if let Some(made) = &made.lock {
        let (bytes, fields) = lock::file(cleared, made)?;
        let (name, files) = (LOCK_FILE.to_owned(), Files::One(bytes));
        return Ok(Product { name, files, fields, missing: Vec::new() });
    }
    let network = parent.ceremony().network();
    let internal = |error: &dyn core::fmt::Display| messages::internal(&error.to_string());
    let (mut exits, mut deposits) = (Vec::new(), Vec::new());
    let (mut registrations, mut missing) = (Vec::new(), Vec::new());
    for (position, item) in cleared.request.items.iter().enumerate() {
        let (validator, public_key) = (cleared.targets[position].validator, item.public_key);
        let Some(signature) = made.signatures[position] else {
            let why = format!("{} answers, {} needed", counts[position], parent.ceremony().t());
            missing.push(Left { validator, public_key, why });
            continue;
        };
        match item.purpose {
            Purpose::Exit(message) => {
                let key = &parent.validators()[validator].public_key;
                let exit = SignedExit { message, signature };
                verify_exit(&write_exit(&exit), network, key).map_err(|error| internal(&error))?;
                exits.push((public_key, exit));
            }
            Purpose::Deposit { withdrawal_credentials, amount } => {
                let message = DepositMessage { pubkey: public_key, withdrawal_credentials, amount };
                deposits.push(SignedDeposit { message, signature });
            }
            Purpose::Registration(terms) => {
                let message = terms.registration(public_key);
                registrations.push(SignedRegistration { message, signature });
            }
            Purpose::KeyShares(_) | Purpose::Lock => {}
        }
    }
    let name = default_name(cleared, parent).unwrap_or_default();
    let (name, files, fields) = match &exits[..] {
        [] if !registrations.is_empty() => {
            let messages: Vec<_> = registrations.iter().map(|signed| signed.message).collect();
            let bytes = write_registrations(&registrations);
            verify_registrations(&bytes, network, Some(&messages))
                .map_err(|error| internal(&error))?;
            let fields = messages.first().map(|message| {
                json!({
                    "fee_recipient": message.fee_recipient.to_string(),
                    "gas_limit": message.gas_limit, "timestamp": message.timestamp,
                    "validators": messages.len(),
                })
            });
            let files = match is_folder(cleared, parent) {
                false => Files::One(bytes),
                true => {
                    let charon = write_charon_registrations(&registrations);
                    let file = |name: &str, bytes| {
                        let name = name.to_owned();
                        Artifact { name, audience: Audience::Public, bytes }
                    };
                    Files::Folder(vec![
                        file(REGISTRATIONS, bytes),
                        file(CHARON_REGISTRATIONS, charon),
                    ])
                }
            };
            (name, files, fields.unwrap_or_default())
        }
        [] => {
            let messages: Vec<DepositMessage> =
                deposits.iter().map(|deposit| deposit.message).collect();
            let bytes = write_deposits(network, &deposits);
            verify_deposits(&bytes, network, Some(&messages)).map_err(|error| internal(&error))?;
            let amount = messages.first().map(|message| message.amount);
            let fields = json!({ "amount": amount, "validators": messages.len() });
            (name, Files::One(bytes), fields)
        }
        [(public_key, exit)] if cleared.request.is_single() => {
            let file = exit_file(exit, now());
            let calldata = format!("0x{}", hex::encode(withdrawal_request(public_key)));
            let fields = json!({
                "validator_index": exit.message.validator_index, "epoch": exit.message.epoch,
                "withdrawal_request": { "to": WITHDRAWAL_REQUEST_CONTRACT, "data": calldata },
            });
            (default_name(cleared, parent).unwrap_or(file.name), Files::One(file.bytes), fields)
        }
        exits => {
            let now = now();
            let files = exits.iter().flat_map(|(public_key, exit)| {
                [exit_file(exit, now), charon_exit_file(exit, public_key)]
            });
            let list = exits.iter().map(|(public_key, exit)| {
                json!({
                    "public_key": format!("0x{}", hex::encode(public_key)),
                    "validator_index": exit.message.validator_index,
                    "file": exit_file(exit, now).name,
                })
            });
            let fields = json!({ "exits": list.collect::<Vec<_>>() });
            (name, Files::Folder(files.collect()), fields)
        }
    };
    Ok(Product { name, files, fields, missing })
}

/// What to do with the result.
pub(super) fn advice(
    cleared: &Cleared,
    parent: &Parent,
    output: &Path,
    signers: &[Named],
) -> String {
    let signed = format!("Signed by {}. Wrote {}", listed(signers), shown(output));
    match cleared.request.items.kind() {
        Kind::Exit if is_folder(cleared, parent) => format!(
            "{signed}\nAnyone who has one of these files can exit its validator, now or in years. \
             The folder has each exit twice: signed_exit_transaction-INDEX-TIME.json, and \
             exit-0xKEY.json for Charon. To exit all of them, send them to a beacon node:\n  for \
             file in {folder}/signed_exit_transaction-*.json; do \\\n    curl -X POST -H \
             'Content-Type: application/json' --data @\"$file\" \\\n    \
             http://localhost:5052/eth/v1/beacon/pool/voluntary_exits; done\nor with Charon:\n  \
             charon exit broadcast --all --exit-from-dir {folder}",
            folder = quoted(output)
        ),
        Kind::Exit => format!(
            "{signed}\nAnyone who has this file can exit the validator, now or in years. To exit, \
             send it to a beacon node:\n  curl -X POST -H 'Content-Type: application/json' \\\n    \
             --data @{} \\\n    http://localhost:5052/eth/v1/beacon/pool/voluntary_exits\n{}",
            quoted(output),
            alternative(&cleared.request.items.first().public_key)
        ),
        Kind::Deposit => format!(
            "{signed}\nBefore you deposit: look up the validator on the beacon chain. It must be \
             there, finalised, with the withdrawal credentials of the ceremony. If it is not \
             there, this would be the first deposit, and the first deposit decides where the money \
             goes."
        ),
        Kind::KeyShares => key_shares::advice(&signed, output, parent),
        Kind::Lock => lock::advice(&signed, output),
        Kind::Registration if is_folder(cleared, parent) => format!(
            "{signed}\nEach operator puts {CHARON_REGISTRATIONS} beside its cluster-lock.json, and \
             restarts Charon. Charon takes the registration with the latest date of each \
             validator, and sends it to the block builders."
        ),
        Kind::Registration => format!(
            "{signed}\nSend it to every beacon node that sends registrations to block builders:\n  \
             curl -X POST -H 'Content-Type: application/json' \\\n    --data @{} \\\n    \
             http://localhost:5052/eth/v1/validator/register_validator\nThen set the same fee \
             recipient in the validator clients: they sign a newer registration for each epoch \
             with the one that they are configured with, and blocks of your own pay to that one.",
            quoted(output)
        ),
    }
}

/// The validators that have too few answers, for a person.
pub(super) fn missing(left: &[Left]) -> Option<String> {
    let lines = left.iter().map(|Left { validator, public_key, why }| {
        format!("\n  validator {}, 0x{}: {why}", validator + 1, hex::encode(public_key))
    });
    let text = format!("TOO FEW ANSWERS for {} validators:", left.len());
    (!left.is_empty()).then(|| text + &told(lines))
}
