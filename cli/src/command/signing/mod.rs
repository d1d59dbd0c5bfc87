//! `quorate exit` and `quorate deposit`: request, sign, combine, or all of them at once.

mod answer;

mod combine;

mod drive;

mod ended;

mod live;

mod request;

mod result;

mod sign;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::args::{Deposit, Exits};
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::audit::audit;
use quorate::audit::describe::in_quotes;
use quorate::audit::expectation::Expectations;
use quorate::ethereum::exit::{WITHDRAWAL_REQUEST_CONTRACT, withdrawal_request};
use quorate::ethereum::network::Network;
use quorate::signing::beacon::{LARGEST as LARGEST_ANSWER, ValidatorRecord};
use quorate::signing::{Cleared, Delivery, Parent, Purpose, Request, request_file};
use quorate::spec::Ceremony;

/// Runs `quorate exit`.
pub(crate) fn exit(args: &Exits, out: &Output) -> Result<Exit, CliError> {
    match args {
        Exits::Request(args) => request::exit(args, out),
        Exits::Sign(args) => sign::run(args, EXIT, out),
        Exits::Run(args) => live::run(args, EXIT, out),
        Exits::Combine(args) => combine::run(args, EXIT, out),
        Exits::Verify(args) => super::verify::exit(args, out),
    }
}

/// Runs `quorate deposit`.
pub(crate) fn deposit(args: &Deposit, out: &Output) -> Result<Exit, CliError> {
    match args {
        Deposit::Request(args) => request::deposit(args, out),
        Deposit::Sign(args) => sign::run(args, DEPOSIT, out),
        Deposit::Run(args) => live::run(args, DEPOSIT, out),
        Deposit::Combine(args) => combine::run(args, DEPOSIT, out),
    }
}

const EXIT: &str = "exit";
const DEPOSIT: &str = "deposit";

/// A request of the kind that the command is for.
fn read_request(path: &Path, kind: &'static str) -> Result<Request, CliError> {
    let bytes = input::read(path, request_file::LARGEST)?;
    let request =
        Request::from_json(&bytes).map_err(|error| messages::request_file(path, &error))?;
    match request.purpose.name() {
        found if found == kind => Ok(request),
        found => Err(messages::wrong_kind(path, found, kind)),
    }
}

/// The ceremony of a transcript, if its audit is clean.
fn audited(path: &Path) -> Result<Parent, CliError> {
    let report = audit(&input::transcript(path)?, &Expectations::default());
    match report.audited().filter(|_| report.is_clean()) {
        Some(audited) => Ok(Parent::audited(audited)),
        None => Err(messages::not_audited(path)),
    }
}

/// Compares with what a beacon node says, if that is given.
fn compare_with_beacon(
    path: Option<&Path>,
    cleared: &Cleared,
    ceremony: &Ceremony,
) -> Result<(), CliError> {
    let Some(path) = path else { return Ok(()) };
    let expected = ceremony.validators()[cleared.validator].withdrawal;
    let epoch = ceremony.network().epoch_at(now());
    let record = ValidatorRecord::from_json(&input::read(path, LARGEST_ANSWER)?);
    let verdict = record.and_then(|record| record.check(cleared, expected.as_bytes(), epoch));
    verdict.map_err(|error| messages::beacon(path, &error))
}

/// Refuses an exit that no node takes yet, unless that is meant.
fn check_epoch(purpose: &Purpose, network: &Network, meant: bool) -> Result<(), CliError> {
    let (Purpose::Exit(exit), false) = (purpose, meant) else { return Ok(()) };
    match network.epoch_at(now()).filter(|now| exit.epoch > *now) {
        Some(now) => Err(messages::future_epoch(exit.epoch, now, network.name())),
        None => Ok(()),
    }
}

/// Seconds since 1970; 0 with a clock before that.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Everything that is signed and who gets it, for a person.
fn describe(cleared: &Cleared, ceremony: &Ceremony, with_beacon: bool) -> String {
    let (request, network) = (&cleared.request, ceremony.network());
    let withdrawal = ceremony.validators()[cleared.validator].withdrawal;
    let mut text = match request.purpose {
        Purpose::Exit(exit) => format!(
            "VOLUNTARY EXIT on {}: the validator stops permanently. An exit cannot be revoked and \
             does not expire.\n  validator index    {} ({})\n  valid from epoch   {}",
            network.name(),
            exit.validator_index,
            match with_beacon {
                true => "confirmed by the beacon node's answer",
                false =>
                    "not checked: only a beacon node knows the index of this key; see --beacon",
            },
            exit.epoch
        ),
        Purpose::Deposit { amount, .. } => format!(
            "FURTHER DEPOSIT on {}: anyone who has the signature can deposit this amount to this \
             validator, any number of times.\n  amount             {}",
            network.name(),
            network.unit().text(amount)
        ),
    };
    text += &format!(
        "\n  public key         0x{}\n  which is           validator {} of \"{}\"\n  \
         withdrawn to       {} ({})",
        hex::encode(request.public_key),
        cleared.validator + 1,
        ceremony.name(),
        withdrawal.address(),
        if withdrawal.is_compounding() { "0x02, compounding" } else { "0x01" },
    );
    let asked = request.requester.and_then(|requester| {
        let seat = ceremony.roster().get(requester.index)?;
        Some(format!(
            "{} (operator {}), signed",
            in_quotes(seat.card.name.as_str()),
            requester.index.get()
        ))
    });
    text += &format!(
        "\n  asked for by       {}",
        asked.as_deref().unwrap_or("nobody (the request is not signed)")
    );
    text += &match &request.delivery {
        Delivery::Public => {
            "\n  answers go to      everyone: anyone who sees enough of them can use the signature"
                .to_owned()
        }
        Delivery::Custodian(card) => {
            // Anybody can make a card with an operator's name.
            let seat = match ceremony.roster().find(&card.key) {
                Some(index) => format!("operator {}", index.get()),
                None => "NOT an operator of this ceremony".to_owned(),
            };
            format!(
                "\n  answers go to      {} only ({seat}), key {}, card {}",
                in_quotes(card.name.as_str()),
                card.key.short(),
                card.short()
            )
        }
    };
    text + &format!("\n  request            {}", request.id())
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
