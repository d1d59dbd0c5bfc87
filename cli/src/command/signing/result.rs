//! Writes the signed exit or deposit once enough answers are valid.

use std::path::Path;

use serde_json::{Value, json};

use super::{alternative, now};
use crate::messages;
use crate::messages::{quoted, shown};
use crate::progress::{Named, listed, seat_name};
use crate::report::CliError;
use quorate::ethereum::deposit::DepositMessage;
use quorate::ethereum::exit::{WITHDRAWAL_REQUEST_CONTRACT, withdrawal_request};
use quorate::export::exits::{SignedExit, charon_exit_name, exit_file, verify_exit};
use quorate::export::launchpad::{SignedDeposit, verify_deposits, write_deposits};
use quorate::primitives::curve::G2;
use quorate::signing::partial::PartialError;
use quorate::signing::{Cleared, Parent, Purpose};
use quorate::spec::Index;

/// What is wrong with an answer, with the name of the operator that it is about.
pub(super) fn blamed(parent: &Parent, error: &PartialError) -> String {
    match error {
        PartialError::Sealer(operator)
        | PartialError::Signature(operator)
        | PartialError::Wrong(operator)
        | PartialError::Point { operator, .. } => format!("{error}: {}", name(parent, *operator)),
        _ => error.to_string(),
    }
}

/// The name of an operator.
pub(super) fn name(parent: &Parent, index: u16) -> String {
    let seat = Index::new(index).map(|index| seat_name(parent.ceremony(), index));
    seat.map(|seat| seat.to_string()).unwrap_or_default()
}

/// The name of the result, if it is known before: that of an exit has the time in it, unless it is
/// one of an Obol cluster, which is named as Charon names it.
pub(super) fn default_name(cleared: &Cleared, parent: &Parent) -> Option<String> {
    let (unit, key) = (parent.ceremony().network().unit(), &cleared.request.public_key);
    match cleared.request.purpose {
        Purpose::Deposit { amount, .. } => Some(format!(
            "deposit-data-{}{}-{}.json",
            unit.decimal(amount),
            unit.name().to_ascii_lowercase(),
            hex::encode(&key[..4])
        )),
        Purpose::Exit(_) => parent.ceremony().obol().map(|_| charon_exit_name(key)),
    }
}

/// Name and bytes of the result, verified as anybody would, and what it says.
pub(super) fn result(
    cleared: &Cleared,
    parent: &Parent,
    signature: G2,
) -> Result<(String, Vec<u8>, Value), CliError> {
    let network = parent.ceremony().network();
    let key = parent.validators()[cleared.validator].public_key;
    let internal = |error: &dyn core::fmt::Display| messages::internal(&error.to_string());
    match cleared.request.purpose {
        Purpose::Exit(message) => {
            let file = exit_file(&SignedExit { message, signature }, now());
            verify_exit(&file.bytes, network, &key).map_err(|error| internal(&error))?;
            let calldata =
                format!("0x{}", hex::encode(withdrawal_request(&cleared.request.public_key)));
            let alternative = json!({ "to": WITHDRAWAL_REQUEST_CONTRACT, "data": calldata });
            let fields = json!({
                "validator_index": message.validator_index, "epoch": message.epoch,
                "withdrawal_request": alternative,
            });
            let name = default_name(cleared, parent).unwrap_or(file.name);
            Ok((name, file.bytes, fields))
        }
        Purpose::Deposit { withdrawal_credentials, amount } => {
            let message = DepositMessage {
                pubkey: cleared.request.public_key,
                withdrawal_credentials,
                amount,
            };
            let bytes = write_deposits(network, &[SignedDeposit { message, signature }]);
            verify_deposits(&bytes, network, Some(&[message])).map_err(|error| internal(&error))?;
            let name = default_name(cleared, parent).unwrap_or_default();
            Ok((name, bytes, json!({ "amount": amount })))
        }
    }
}

/// What to do with the result.
pub(super) fn advice(cleared: &Cleared, output: &Path, signers: &[Named]) -> String {
    let signed = format!("Signed by {}. Wrote {}", listed(signers), shown(output));
    match cleared.request.purpose {
        Purpose::Exit(_) => format!(
            "{signed}\nAnyone who has this file can exit the validator, now or in years. To exit, \
             send it to a beacon node:\n  curl -X POST -H 'Content-Type: application/json' --data \
             @{} http://localhost:5052/eth/v1/beacon/pool/voluntary_exits\n{}",
            quoted(output),
            alternative(&cleared.request.public_key)
        ),
        Purpose::Deposit { .. } => format!(
            "{signed}\nBefore you deposit: look up the validator on the beacon chain. It must be \
             there, finalised, with the withdrawal credentials of the ceremony. If it is not \
             there, this would be the first deposit, and the first deposit decides where the money \
             goes."
        ),
    }
}
