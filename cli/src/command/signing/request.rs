//! Writes a request.

use serde_json::json;

use super::{alternative, audited, check_epoch, compare_with_beacon, describe};
use crate::args::{DepositRequest, ExitRequest, RequestCommon};
use crate::command::verify::public_key;
use crate::messages::{quoted, shown};
use crate::report::{CliError, Exit, Output, talk};
use crate::{card_file, input, messages, prompt};
use quorate::ethereum::exit::{VoluntaryExit, WITHDRAWAL_REQUEST_CONTRACT, withdrawal_request};
use quorate::identity::OperatorCard;
use quorate::signing::{Delivery, Parent, Purpose, RequestError};
use quorate::spec::Ceremony;
use quorate_operator::store::StateDir;

/// `quorate exit request`.
pub(super) fn exit(args: &ExitRequest, out: &Output) -> Result<Exit, CliError> {
    let purpose = Purpose::Exit(VoluntaryExit { epoch: args.epoch, validator_index: args.index });
    let of = |ceremony: &Ceremony, _| {
        check_epoch(&purpose, ceremony.network(), args.future_epoch)?;
        Ok(purpose)
    };
    write(&args.common, of, out)
}

/// `quorate deposit request`.
pub(super) fn deposit(args: &DepositRequest, out: &Output) -> Result<Exit, CliError> {
    let of = |ceremony: &Ceremony, validator: usize| {
        let amount = ceremony
            .network()
            .unit()
            .parse(&args.amount)
            .map_err(|error| messages::amount(&error))?;
        Ok(Purpose::Deposit {
            withdrawal_credentials: ceremony.validators()[validator].withdrawal,
            amount,
        })
    };
    write(&args.common, of, out)
}

fn write(
    args: &RequestCommon,
    purpose: impl FnOnce(&Ceremony, usize) -> Result<Purpose, CliError>,
    out: &Output,
) -> Result<Exit, CliError> {
    input::can_be_written(&args.output)?;
    let public_key = public_key(&args.public_key)?.to_compressed();
    let delivery = match &args.answers.custodian {
        None => Delivery::Public,
        Some(card) => Delivery::Custodian(Box::new(
            OperatorCard::parse(&card_file::card(card)?)
                .map_err(|error| messages::custodian(&error))?,
        )),
    };
    let parent = audited(&args.transcript)?;
    let ceremony = parent.ceremony();
    let position = parent.position(&public_key);
    let validator = position
        .ok_or_else(|| messages::bad_request(&RequestError::PublicKey(hex::encode(public_key))))?;
    let request = parent.request(public_key, purpose(ceremony, validator)?, delivery);
    // Before anybody is asked for a passphrase.
    let cleared = parent.clear(request).map_err(|error| messages::bad_request(&error))?;
    compare_with_beacon(args.beacon.as_deref(), &cleared, ceremony)?;
    let request = signed(cleared.request, args, &parent, out)?;
    let cleared = parent.clear(request).map_err(|error| messages::internal(&error.to_string()))?;

    input::write_new(&args.output, &cleared.request.to_json())?;
    talk(&describe(&cleared, ceremony, args.beacon.is_some()));
    let kind = cleared.request.purpose.name();
    let exit = matches!(cleared.request.purpose, Purpose::Exit(_));
    if exit {
        talk(&alternative(&public_key));
    }
    let calldata = format!("0x{}", hex::encode(withdrawal_request(&public_key)));
    let alternative = exit.then(|| json!({ "to": WITHDRAWAL_REQUEST_CONTRACT, "data": calldata }));
    out.finish(
        Exit::Done,
        json!({
            "request": cleared.request.id().to_string(),
            "file": args.output.display().to_string(),
            "signed_by": cleared.request.requester.map(|requester| requester.index.get()),
            "needed": ceremony.t(),
            "withdrawal_request": alternative,
        }),
        &format!(
            "Wrote {}\nSend it to the operators. Any {} of {} answer it with: quorate {kind} sign \
             {file}\nor, online at the same time, with: quorate {kind} run {file}",
            shown(&args.output),
            ceremony.t(),
            ceremony.n(),
            file = quoted(&args.output)
        ),
    )
}

/// With the word of the operator whose keys are here, if it has a seat in the ceremony.
fn signed(
    request: quorate::signing::Request,
    args: &RequestCommon,
    parent: &Parent,
    out: &Output,
) -> Result<quorate::signing::Request, CliError> {
    if args.unsigned || !out.dir.exists() {
        return Ok(request);
    }
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    if !state.has_identity().map_err(messages::store)? {
        return Ok(request);
    }
    let (operator, _) = prompt::open_identity(&state, out)?;
    Ok(match parent.ceremony().roster().find(&operator.key().public()) {
        Some(index) => request.signed_by(&operator, index),
        None => request,
    })
}
