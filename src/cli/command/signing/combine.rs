//! Combining answers.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{alternative, audited, now, read_request};
use crate::cli::args::Combine;
use crate::cli::messages::shown;
use crate::cli::progress::seat_names;
use crate::cli::report::{CliError, Exit, Output, talk};
use crate::cli::{input, messages, prompt};
use crate::ethereum::deposit::DepositMessage;
use crate::ethereum::exit::{WITHDRAWAL_REQUEST_CONTRACT, withdrawal_request};
use crate::export::exits::{SignedExit, exit_file, verify_exit};
use crate::export::launchpad::{SignedDeposit, verify_deposits, write_deposits};
use crate::identity::Operator;
use crate::primitives::curve::G2;
use crate::signing::combine::{CombineError, combine};
use crate::signing::partial::{LARGEST, Partial, PartialError, PartialFile};
use crate::signing::{Cleared, Parent, Purpose};
use crate::store::StateDir;

/// `quorate exit combine`, `quorate deposit combine`.
pub(super) fn run(args: &Combine, kind: &'static str, out: &Output) -> Result<Exit, CliError> {
    let request = read_request(&args.request, kind)?;
    if let Some(output) = &args.output {
        input::must_be_free(output)?;
    }
    let parent = audited(&args.transcript)?;
    let cleared = parent.clear(request).map_err(|error| messages::request(&args.request, &error))?;
    let (partials, bad) = open_all(&args.partials, &cleared, &parent, out)?;
    let (signature, used) = combine(&cleared, &parent, &partials).map_err(|error| match error {
        CombineError::TooFew { found, needed } => messages::too_few(found, needed, &bad),
        CombineError::DoesNotVerify => messages::internal(&error.to_string()),
    })?;
    bad.iter().for_each(|line| talk(&format!("Not counted: {line}")));
    let (name, bytes, mut fields) = result(&cleared, &parent, signature)?;
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(name));
    // Whoever has an exit can use it.
    input::write_private(&output, &bytes)?;

    let names = seat_names(parent.ceremony(), &used);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("file".to_owned(), json!(output.display().to_string()));
        fields.insert("signed_by".to_owned(), json!(names));
        fields.insert("not_counted".to_owned(), json!(bad));
    }
    out.finish(Exit::Done, fields, &advice(&cleared, &output, &names))
}

/// The answers that count, and what is wrong with the others. The custodian's keys are opened only if something is sealed.
fn open_all(
    paths: &[PathBuf],
    cleared: &Cleared,
    parent: &Parent,
    out: &Output,
) -> Result<(Vec<Partial>, Vec<String>), CliError> {
    let files = paths.iter().map(|path| Ok((path, PartialFile::from_json(&input::read(path, LARGEST)?))));
    let files = files.collect::<Result<Vec<_>, CliError>>()?;
    let sealed = files.iter().any(|(_, file)| file.as_ref().is_ok_and(PartialFile::is_sealed));
    let custodian = if sealed { Some(custodian(out)?) } else { None };
    let (mut good, mut bad): (Vec<Partial>, Vec<String>) = (Vec::new(), Vec::new());
    for (path, file) in files {
        let secret = custodian.as_ref().map(Operator::noise);
        match file.and_then(|file| file.open(cleared, parent, secret)) {
            Ok(partial) if good.iter().any(|other| other.operator == partial.operator) => {
                bad.push(format!("{}: a second answer of {}", shown(path), name(parent, partial.operator.get())));
            }
            Ok(partial) => good.push(partial),
            Err(error) => bad.push(format!("{}: {}", shown(path), blamed(parent, &error))),
        }
    }
    Ok((good, bad))
}

/// What is wrong with an answer, with the name of the operator that it is about.
fn blamed(parent: &Parent, error: &PartialError) -> String {
    match error {
        PartialError::Sealer(index) | PartialError::Signature(index) | PartialError::Wrong(index) => {
            format!("{error} ({})", name(parent, *index))
        }
        _ => error.to_string(),
    }
}

fn name(parent: &Parent, index: u16) -> String {
    let index = crate::spec::Index::new(index).map(|index| seat_names(parent.ceremony(), &[index]));
    index.and_then(|names| names.into_iter().next()).unwrap_or_default()
}

fn custodian(out: &Output) -> Result<Operator, CliError> {
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    Ok(prompt::open_identity(&state, out)?.0)
}

/// Name and bytes of the result, verified as anybody would, and what it says.
fn result(cleared: &Cleared, parent: &Parent, signature: G2) -> Result<(String, Vec<u8>, Value), CliError> {
    let network = parent.ceremony().network();
    let key = parent.validators()[cleared.validator].public_key;
    let internal = |error: &dyn core::fmt::Display| messages::internal(&error.to_string());
    match cleared.request.purpose {
        Purpose::Exit(message) => {
            let file = exit_file(&SignedExit { message, signature }, now());
            verify_exit(&file.bytes, network, &key).map_err(|error| internal(&error))?;
            let calldata = format!("0x{}", hex::encode(withdrawal_request(&cleared.request.public_key)));
            let alternative = json!({ "to": WITHDRAWAL_REQUEST_CONTRACT, "data": calldata });
            let fields = json!({
                "validator_index": message.validator_index, "epoch": message.epoch, "withdrawal_request": alternative,
            });
            Ok((file.name, file.bytes, fields))
        }
        Purpose::Deposit { withdrawal_credentials, amount } => {
            let message = DepositMessage { pubkey: cleared.request.public_key, withdrawal_credentials, amount };
            let bytes = write_deposits(network, &[SignedDeposit { message, signature }]);
            verify_deposits(&bytes, network, Some(&[message])).map_err(|error| internal(&error))?;
            let unit = network.unit();
            let name = format!(
                "deposit-data-{}{}-{}.json",
                unit.decimal(amount),
                unit.name().to_ascii_lowercase(),
                hex::encode(&cleared.request.public_key[..4])
            );
            Ok((name, bytes, json!({ "amount": amount })))
        }
    }
}

/// What to do with the result.
fn advice(cleared: &Cleared, output: &Path, signers: &[String]) -> String {
    let signed = format!("Signed by {}. Wrote {}", signers.join(", "), shown(output));
    match cleared.request.purpose {
        Purpose::Exit(_) => format!(
            "{signed}\nWhoever has this file can exit the validator, now or in years. To do it, give it to a beacon node:\n  curl -X POST -H \
             'Content-Type: application/json' --data @{} http://localhost:5052/eth/v1/beacon/pool/voluntary_exits\n{}",
            shown(output),
            alternative(&cleared.request.public_key)
        ),
        Purpose::Deposit { .. } => format!(
            "{signed}\nBefore you deposit: look up the validator on the beacon chain. It has to be there, finalised, with the withdrawal \
             credentials of the ceremony. A deposit to a key that is not there yet is the first one, and the first one decides where the \
             money goes."
        ),
    }
}
