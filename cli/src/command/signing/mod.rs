//! `quorate exit`, `quorate deposit`, `quorate registration`, `quorate ssv` and `quorate obol`:
//! request, sign, combine, or all of them at once.

mod answer;

mod combine;

mod describe;

mod drive;

mod ended;

mod key_shares;

mod live;

mod lock;

mod request;

mod result;

mod select;

mod sign;

pub(super) mod source;

mod terms;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use self::describe::told;
use crate::args::{Deposit, Exits, KeyShares, KeySharesAsked, LockAsked, Obol, Registrations};
use crate::meeting::Meeting;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::ethereum::exit::{WITHDRAWAL_REQUEST_CONTRACT, withdrawal_request};
use quorate::ethereum::network::Network;
use quorate::primitives::hash::Digest;
use quorate::signing::beacon::{LARGEST as LARGEST_ANSWER, Records};
use quorate::signing::{Item, Items, Parent, Purpose, Request, request_file};
use quorate::spec::Ceremony;
use quorate_operator::requests::find_request;

/// Runs `quorate exit`.
pub(crate) fn exit(args: &Exits, out: &Output) -> Result<Exit, CliError> {
    match args {
        Exits::Request(args) => request::exit(args, out),
        Exits::Sign(args) => sign::run(args, More::Nothing, EXIT, out),
        Exits::Run(args) => live::run(args, More::Nothing, EXIT, out),
        Exits::Combine(args) => combine::run(args, EXIT, out),
        Exits::Verify(args) => super::verify::exit(args, out),
    }
}

/// Runs `quorate deposit`.
pub(crate) fn deposit(args: &Deposit, out: &Output) -> Result<Exit, CliError> {
    match args {
        Deposit::Request(args) => request::deposit(args, out),
        Deposit::Sign(args) => sign::run(args, More::Nothing, DEPOSIT, out),
        Deposit::Run(args) => live::run(args, More::Nothing, DEPOSIT, out),
        Deposit::Combine(args) => combine::run(args, DEPOSIT, out),
    }
}

/// Runs `quorate registration`.
pub(crate) fn registration(args: &Registrations, out: &Output) -> Result<Exit, CliError> {
    match args {
        Registrations::Request(args) => request::registration(args, out),
        Registrations::Sign(args) => sign::run(args, More::Nothing, REGISTRATION, out),
        Registrations::Run(args) => live::run(args, More::Nothing, REGISTRATION, out),
        Registrations::Combine(args) => combine::run(args, REGISTRATION, out),
        Registrations::Verify(args) => super::verify::registration(args, out),
    }
}

/// Runs `quorate ssv`.
pub(crate) fn key_shares(args: &KeyShares, out: &Output) -> Result<Exit, CliError> {
    match args {
        KeyShares::Request(args) => request::key_shares(args, out),
        KeyShares::Sign(args) => sign::run(&args.sign, More::KeyShares(&args.ssv), SSV, out),
        KeyShares::Run(args) => live::run(&args.live, More::KeyShares(&args.ssv), SSV, out),
        KeyShares::Combine(args) => combine::run(args, SSV, out),
        KeyShares::Verify(args) => key_shares::check(args, out),
    }
}

/// Runs `quorate obol`.
pub(crate) fn lock(args: &Obol, out: &Output) -> Result<Exit, CliError> {
    match args {
        Obol::Request(args) => request::cluster_lock(args, out),
        Obol::Sign(args) => sign::run(&args.sign, More::Lock(&args.lock), OBOL, out),
        Obol::Run(args) => live::run(&args.live, More::Lock(&args.lock), OBOL, out),
        Obol::Combine(args) => combine::run(args, OBOL, out),
        Obol::Verify(args) => lock::check(args, out),
    }
}

/// What an answer needs besides what every answer does.
#[derive(Clone, Copy)]
enum More<'a> {
    Nothing,
    KeyShares(&'a KeySharesAsked),
    Lock(&'a LockAsked),
}

const OBOL: &str = "obol";
const EXIT: &str = "exit";
const DEPOSIT: &str = "deposit";
const REGISTRATION: &str = "registration";
const SSV: &str = "ssv";

/// A request of the kind that the command is for: from a file, or from a board by its id.
fn read_request(
    path: &Path,
    board: Option<&Meeting>,
    kind: &'static str,
) -> Result<Request, CliError> {
    let request = match board.and_then(|board| Some((board, id(path)?))) {
        Some((board, id)) => find_request(board, id)
            .map_err(messages::board)?
            .ok_or_else(|| messages::no_request_there(board.path(), path))?,
        None => {
            let bytes = input::read(path, request_file::LARGEST)?;
            Request::from_json(&bytes).map_err(|error| messages::request_file(path, &error))?
        }
    };
    match request.items.kind().name() {
        found if found == kind => Ok(request),
        found => Err(messages::wrong_kind(path, found, kind)),
    }
}

/// A request's id, where one stands in the place of a file.
pub(super) fn id(path: &Path) -> Option<Digest> {
    let mut id = [0; 32];
    hex::decode_to_slice(path.to_str()?, &mut id).ok()?;
    Some(Digest(id))
}

/// The ceremony of a transcript, if its audit is clean; of a reshare, with that of its parents.
fn audited(path: &Path) -> Result<Parent, CliError> {
    let report = input::audited(path)?;
    match report.audited() {
        Some(audited) => Ok(Parent::audited(audited)),
        None => Err(messages::not_audited(path)),
    }
}

/// A validator for which nothing is signed.
struct Left {
    /// Its position in the ceremony.
    validator: usize,
    public_key: [u8; 48],
    why: String,
}

/// What a beacon node says, from a file.
struct Beacon<'a> {
    path: &'a Path,
    records: Records,
    /// The present epoch, if that is known.
    epoch: Option<u64>,
}

impl<'a> Beacon<'a> {
    fn read(path: Option<&'a Path>, ceremony: &Ceremony) -> Result<Option<Self>, CliError> {
        let Some(path) = path else { return Ok(None) };
        let records = Records::from_json(&input::read(path, LARGEST_ANSWER)?);
        let records = records.map_err(|error| messages::beacon(path, &error))?;
        Ok(Some(Self { path, records, epoch: ceremony.network().epoch_at(now()) }))
    }

    /// Compares the validators at these positions of the ceremony with it. Those of whom it says
    /// that there is nothing to sign now are given back; of one alone that is an error, as is
    /// everything where only one of the two can be right.
    fn compare(&self, items: &[(usize, Item)], ceremony: &Ceremony) -> Result<Vec<Left>, CliError> {
        let (mut left, mut wrong) = (Vec::new(), Vec::new());
        for (validator, item) in items {
            let expected = ceremony.validators()[*validator].withdrawal;
            match self.records.check(item, expected.as_bytes(), self.epoch) {
                Ok(()) => {}
                Err(error) if items.len() == 1 => return Err(messages::beacon(self.path, &error)),
                Err(error) if error.leaves_out() => left.push(Left {
                    validator: *validator,
                    public_key: item.public_key,
                    why: error.to_string(),
                }),
                Err(error) => wrong.push(format!(
                    "\n  validator {}, 0x{}: {error}",
                    validator + 1,
                    hex::encode(item.public_key)
                )),
            }
        }
        match wrong.is_empty() {
            true => Ok(left),
            false => Err(messages::beacon_list(self.path, wrong.len(), &told(wrong.into_iter()))),
        }
    }
}

/// How far another's clock may be ahead of this one, in seconds: what builders grant a registration
/// (builder specification, `process_registration`).
const AHEAD: u64 = 10;

/// Refuses an exit that no node takes yet, unless that is meant, and a registration that is dated
/// later than now.
fn check_time(items: &Items, network: &Network, meant: bool) -> Result<(), CliError> {
    // One epoch or one date for all of them.
    match items.first().purpose {
        Purpose::Exit(exit) if !meant => {
            match network.epoch_at(now()).filter(|now| exit.epoch > *now) {
                Some(now) => Err(messages::future_epoch(exit.epoch, now, network.name())),
                None => Ok(()),
            }
        }
        Purpose::Registration(terms) if terms.timestamp > now().saturating_add(AHEAD) => {
            Err(messages::future_date(terms.timestamp, now()))
        }
        Purpose::Exit(_)
        | Purpose::Deposit { .. }
        | Purpose::Registration(_)
        | Purpose::KeyShares(_)
        | Purpose::Lock => Ok(()),
    }
}

/// Seconds since 1970; 0 with a clock before that.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// How the owner of the withdrawal address exits without any of this.
fn alternative(public_key: &[u8; 48]) -> String {
    format!(
        "The holder of the withdrawal address can also exit this validator without the operators, \
         by a transaction from that address (EIP-7002):\n  to    {WITHDRAWAL_REQUEST_CONTRACT}\n  \
         data  0x{}\n  value the fee, which the contract returns when called without data",
        hex::encode(withdrawal_request(public_key))
    )
}
