//! Writes a request.

use std::path::Path;

use serde_json::json;

use super::describe::{describe, left_json, left_out};
use super::key_shares::wanted as key_shares_wanted;
use super::select::{Selected, select};
use super::terms::wanted;
use super::{Beacon, Left, alternative, audited, check_time, lock};
use crate::args::{
    DepositRequest, ExitRequest, KeySharesRequest, LockRequest, RegistrationRequest, RequestCommon,
};
use crate::meeting::Meeting;
use crate::messages::{quoted, shown};
use crate::progress::{listed, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use crate::{card_file, input, messages, prompt};
use quorate::ethereum::exit::{VoluntaryExit, WITHDRAWAL_REQUEST_CONTRACT, withdrawal_request};
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::ssv::RsaPublic;
use quorate::identity::OperatorCard;
use quorate::signing::beacon::{BeaconError, ValidatorRecord};
use quorate::signing::{Cleared, Delivery, Item, Items, ItemsError, Kind, Parent, Purpose};
use quorate::spec::Ceremony;
use quorate_operator::requests::put_request;
use quorate_operator::store::StateDir;

/// What to sign for a validator with this index, if somebody has said it.
type Purposes<'a> = Box<dyn Fn(&Selected, Option<u64>) -> Result<Purpose, CliError> + 'a>;

/// `quorate exit request`.
pub(super) fn exit(args: &ExitRequest, out: &Output) -> Result<Exit, CliError> {
    let epoch = args.epoch;
    let purpose = move |selected: &Selected, index| match index {
        Some(validator_index) => Ok(Purpose::Exit(VoluntaryExit { epoch, validator_index })),
        None => Err(messages::no_index(&selected.public_key)),
    };
    let purposes = |_: &Ceremony, _: &[Selected]| Ok(Box::new(purpose) as Purposes<'_>);
    write(&args.common, (Kind::Exit, &args.index), args.future_epoch, purposes, out)
}

/// `quorate deposit request`.
pub(super) fn deposit(args: &DepositRequest, out: &Output) -> Result<Exit, CliError> {
    let purposes = |ceremony: &Ceremony, _: &[Selected]| {
        let unit = ceremony.network().unit();
        let amount = unit.parse(&args.amount).map_err(|error| messages::amount(&error))?;
        let validators = ceremony.validators().to_vec();
        let purpose = move |selected: &Selected, _| {
            let withdrawal_credentials = validators[selected.validator].withdrawal;
            Ok(Purpose::Deposit { withdrawal_credentials, amount })
        };
        Ok(Box::new(purpose) as Purposes<'_>)
    };
    write(&args.common, (Kind::Deposit, &[]), false, purposes, out)
}

/// `quorate registration request`.
pub(super) fn registration(args: &RegistrationRequest, out: &Output) -> Result<Exit, CliError> {
    let purposes = |ceremony: &Ceremony, selected: &[Selected]| {
        let purpose = Purpose::Registration(wanted(args, selected, ceremony)?);
        Ok(Box::new(move |_: &Selected, _| Ok(purpose)) as Purposes<'_>)
    };
    write(&args.common, (Kind::Registration, &[]), false, purposes, out)
}

/// `quorate ssv request`.
pub(super) fn key_shares(args: &KeySharesRequest, out: &Output) -> Result<Exit, CliError> {
    let purposes = |ceremony: &Ceremony, _: &[Selected]| {
        let (first, keys) = key_shares_wanted(args, ceremony)?;
        let purpose = move |_: &Selected, _| Ok(Purpose::KeyShares(first));
        Ok((Box::new(purpose) as Purposes<'_>, Beside::Keys(keys)))
    };
    write_with(&args.common, (Kind::KeyShares, &[], false), purposes, out)
}

/// `quorate obol request`.
pub(super) fn cluster_lock(args: &LockRequest, out: &Output) -> Result<Exit, CliError> {
    let cluster = lock::cluster(args)?;
    let purposes = |_: &Ceremony, _: &[Selected]| {
        let purpose = move |_: &Selected, _| Ok(Purpose::Lock);
        Ok((Box::new(purpose) as Purposes<'_>, Beside::Cluster(Box::new(cluster))))
    };
    write_with(&args.common, (Kind::Lock, &[], false), purposes, out)
}

fn write<'a>(
    args: &RequestCommon,
    (kind, indices): (Kind, &[u64]),
    future_epoch: bool,
    purposes: impl FnOnce(&Ceremony, &[Selected]) -> Result<Purposes<'a>, CliError>,
    out: &Output,
) -> Result<Exit, CliError> {
    let without = |ceremony: &Ceremony, selected: &[Selected]| {
        purposes(ceremony, selected).map(|purposes| (purposes, Beside::Nothing))
    };
    write_with(args, (kind, indices, future_epoch), without, out)
}

/// What a request says besides what it asks for of each validator.
enum Beside {
    Nothing,
    /// Of key shares: the operators' RSA keys.
    Keys(Vec<RsaPublic>),
    /// Of a lock.
    Cluster(Box<Cluster>),
}

/// What is asked for.
type Wanted<'a> = (Purposes<'a>, Beside);

fn write_with<'a>(
    args: &RequestCommon,
    (kind, indices, future_epoch): (Kind, &[u64], bool),
    wanted: impl FnOnce(&Ceremony, &[Selected]) -> Result<Wanted<'a>, CliError>,
    out: &Output,
) -> Result<Exit, CliError> {
    input::can_be_written(&args.output)?;
    let board = Meeting::of(&args.meeting)?;
    let delivery = match &args.answers.custodian {
        None => Delivery::Public,
        Some(card) => Delivery::Custodian(Box::new(
            OperatorCard::parse(&card_file::card(card)?)
                .map_err(|error| messages::custodian(&error))?,
        )),
    };
    let parent = audited(&args.transcript)?;
    let selected = select(&args.validators, indices, &parent)?;
    if kind == Kind::Deposit && parent.is_claimed() && args.beacon.is_none() {
        return Err(messages::claimed_credentials(None));
    }
    let (purpose, beside) = wanted(parent.ceremony(), &selected)?;
    let beacon = Beacon::read(args.beacon.as_deref(), parent.ceremony())?;
    let (items, left) = agreed(&selected, beacon.as_ref(), &parent, &purpose)?;
    let keys = items.iter().map(|item| item.public_key);
    let items = match (items.first().map(|item| item.purpose), beside) {
        (Some(Purpose::KeyShares(first)), Beside::Keys(operator_keys)) => {
            Items::key_shares(keys.collect(), first, operator_keys)
        }
        (Some(Purpose::Lock), Beside::Cluster(cluster)) => Items::lock(keys.collect(), *cluster),
        _ => Items::new(items),
    };
    let items = items.map_err(|error| match (&error, left.is_empty()) {
        (ItemsError::Empty, false) => messages::nothing_left(&left_out(&left).unwrap_or_default()),
        _ => messages::items(&error),
    })?;
    check_time(&items, parent.ceremony().network(), future_epoch)?;
    let request = parent.request_all(items, delivery);
    // Before anybody is asked for a passphrase.
    let cleared = parent.clear(request).map_err(|error| messages::bad_request(&error))?;
    let request = signed(cleared.request, args, &parent, out)?;
    let cleared = parent.clear(request).map_err(|error| messages::internal(&error.to_string()))?;
    input::write_new(&args.output, &cleared.request.to_json())?;
    if let Some(board) = &board {
        put_request(board, &cleared.request).map_err(messages::board)?;
    }
    finish(args, board.as_ref().map(Meeting::path), &cleared, &parent, &left, out)
}

/// What to sign for each validator, and those that are left out because the beacon node says that
/// there is nothing to sign for them.
fn agreed(
    selected: &[Selected],
    beacon: Option<&Beacon<'_>>,
    parent: &Parent,
    purpose: &Purposes<'_>,
) -> Result<(Vec<Item>, Vec<Left>), CliError> {
    let ceremony = parent.ceremony();
    let (mut items, mut left) = (Vec::new(), Vec::new());
    for selected in selected {
        let Selected { validator, public_key, index } = *selected;
        let record = beacon.and_then(|beacon| beacon.records.of(&public_key));
        if beacon.is_some() && record.is_none() {
            left.push(Left { validator, public_key, why: BeaconError::Missing.to_string() });
            continue;
        }
        let index = index.or(record.map(ValidatorRecord::index));
        items.push((validator, Item { public_key, purpose: purpose(selected, index)? }));
    }
    if let Some(beacon) = beacon {
        // Of one alone that the node does not have, nothing else is to be said.
        if let ([], [_]) = (&items[..], &left[..]) {
            return Err(messages::beacon(beacon.path, &BeaconError::Missing));
        }
        let not_now = beacon.compare(&items, ceremony)?;
        items.retain(|(validator, _)| !not_now.iter().any(|left| left.validator == *validator));
        left.extend(not_now);
        left.sort_by_key(|left| left.validator);
    }
    Ok((items.into_iter().map(|(_, item)| item).collect(), left))
}

fn finish(
    args: &RequestCommon,
    at: Option<&Path>,
    cleared: &Cleared,
    parent: &Parent,
    left: &[Left],
    out: &Output,
) -> Result<Exit, CliError> {
    let (request, ceremony) = (&cleared.request, parent.ceremony());
    let positions: Vec<usize> = (0..request.items.len()).collect();
    talk(&describe(cleared, ceremony, &positions, args.beacon.is_some()));
    if let Some(left) = left_out(left) {
        talk(&left);
    }
    let kind = request.items.kind().name();
    let public_key = request.items.first().public_key;
    let exit = request.is_single() && matches!(request.items.kind(), Kind::Exit);
    if exit {
        talk(&alternative(&public_key));
    }
    let calldata = format!("0x{}", hex::encode(withdrawal_request(&public_key)));
    let alternative = exit.then(|| json!({ "to": WITHDRAWAL_REQUEST_CONTRACT, "data": calldata }));
    let typed = args.meeting.typed();
    let by_board = at.map_or(String::new(), |_| {
        format!("\nor, by the board: quorate {kind} sign {} {typed}", request.id())
    });
    out.finish(
        Exit::Done,
        json!({
            "request": request.id().to_string(),
            "file": args.output.display().to_string(),
            "signed_by": request.requester.map(|requester| requester.index.get()),
            "needed": ceremony.t(),
            "required": cleared.required.iter().map(|index| index.get()).collect::<Vec<_>>(),
            "validators": request.items.len(),
            "left_out": left_json(left),
            "withdrawal_request": alternative,
            "board": at.map(|at| at.display().to_string()),
        }),
        &format!(
            "Wrote {}\nSend it to the operators. Any {} of {}{among} answer it with: quorate \
             {kind} sign {file}\nor, online at the same time, with: quorate {kind} run \
             {file}{by_board}",
            shown(&args.output),
            ceremony.t().max(cleared.required.len()),
            ceremony.receivers().count(),
            among = among(cleared, ceremony),
            file = quoted(&args.output)
        ),
    )
}

/// Whose answers are needed, whoever else answers.
fn among(cleared: &Cleared, ceremony: &Ceremony) -> String {
    match &cleared.required[..] {
        [] => String::new(),
        required => format!(", {} among them,", listed(&seat_names(ceremony, required))),
    }
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
