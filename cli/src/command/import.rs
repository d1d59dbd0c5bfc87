//! `quorate import new`: drafts the file of an import from keystores, of which only the public keys
//! are read. Like any ceremony file, it binds nobody until all operators agree to it.

use std::path::Path;

use crate::args::{Import, ImportNew};
use crate::command::reshare::needed_to_the_end;
use crate::command::{points, spec};
use crate::progress::listed;
use crate::report::{CliError, Exit, Output, talk};
use crate::{import_keys, input, messages};
use quorate::ethereum::deposit::WithdrawalCredentials;
use quorate::identity::card::OperatorCard;
use quorate::signing::beacon::{BeaconError, LARGEST, Records};
use quorate::spec::CeremonyFile;
use quorate::spec::file::{
    FILE_VERSION, ImportEntry, NetworkEntry, OperatorEntry, PolicyEntry, ValidatorEntry,
};
use quorate::spec::show::describe;
use quorate::spec::threshold::Threshold;
use quorate_operator::random;

/// Runs the command.
pub(crate) fn run(args: &Import, out: &Output) -> Result<Exit, CliError> {
    let Import::New(args) = args;
    new(args, out)
}

fn new(args: &ImportNew, out: &Output) -> Result<Exit, CliError> {
    input::must_be_free(&args.output)?;
    let file = draft(args)?;
    let text = file.to_toml();
    // What is written is what was checked: the text, read back.
    let ceremony = input::parse_ceremony(&text).map_err(|error| messages::import(&error))?;
    input::write_new(&args.output, text.as_bytes())?;
    talk(
        "Send this same file to every operator of it. Nobody has agreed to it yet: all of them \
         read it and compare the fingerprint by voice.",
    );
    if args.beacon.is_none() {
        talk(
            "NOTE: the withdrawal address is what you gave, compared with nothing. To take it from \
             the chain, use --beacon.",
        );
    }
    let needed = needed_to_the_end(&ceremony);
    if !needed.is_empty() {
        talk(&messages::import_needs_to_the_end(&listed(&needed)));
    }
    let mut fields = spec::fields(&ceremony);
    fields["needed_to_the_end"] = serde_json::json!(needed);
    fields["file"] = args.output.display().to_string().into();
    let shown = describe(&ceremony);
    out.finish(Exit::Done, fields, &format!("Wrote {}\n\n{shown}", messages::shown(&args.output)))
}

/// The file that the flags describe, unchecked.
fn draft(args: &ImportNew) -> Result<CeremonyFile, CliError> {
    let keys = import_keys::public_keys(&args.keystores)?;
    let mut operators: Vec<OperatorEntry> =
        args.operators.iter().map(|text| spec::operator(text)).collect::<Result<_, _>>()?;
    let dealer = dealer(args, &operators)?;
    if args.dealer_leaves {
        operators[dealer].receives = Some(false);
    }
    let receivers = operators.len() - usize::from(args.dealer_leaves);
    let card = operators[dealer].card.clone();
    if !args.ssv_ids.is_empty() {
        points::number(&mut operators, &args.ssv_ids)?;
    }
    let dealer = operators.iter().position(|entry| entry.card == card).unwrap_or(dealer);
    let threshold = match args.threshold {
        Some(threshold) => threshold,
        None => {
            let usual =
                Threshold::usual(receivers).map_err(|error| messages::import(&error.into()))?;
            u16::try_from(usual.required()).expect("at most 255 operators")
        }
    };
    Ok(CeremonyFile {
        version: FILE_VERSION,
        name: args.name.clone(),
        id: hex::encode(random::public()),
        attempt: 1,
        supersedes: None,
        network: NetworkEntry::Known(args.network.clone()),
        threshold,
        policy: PolicyEntry { allow_all_required: args.allow_all_required },
        parent: None,
        import: Some(ImportEntry {
            dealer: u16::try_from(dealer + 1).map_err(|_| messages::internal("many operators"))?,
        }),
        repair: None,
        ssv: None,
        operators,
        validators: validators(args, &keys)?,
        obol: None,
        preregistration: None,
    })
}

/// The place of the operator that holds the keys, by name or index.
fn dealer(args: &ImportNew, operators: &[OperatorEntry]) -> Result<usize, CliError> {
    let Some(text) = &args.dealer else { return Ok(0) };
    let is = |entry: &OperatorEntry| {
        let card = OperatorCard::parse(&entry.card);
        card.is_ok_and(|card| card.name.as_str().eq_ignore_ascii_case(text))
    };
    let by_index = text.parse::<usize>().ok().and_then(|index| index.checked_sub(1));
    let by_index = by_index.filter(|at| *at < operators.len());
    match (operators.iter().position(is), by_index) {
        (Some(named), Some(other)) if named != other => {
            Err(messages::two_such_operators("--dealer", text))
        }
        (Some(at), _) | (None, Some(at)) => Ok(at),
        (None, None) => Err(messages::no_such_operator("--dealer", text, &args.name)),
    }
}

/// A block for each run of keys with one destination.
fn validators(args: &ImportNew, keys: &[[u8; 48]]) -> Result<Vec<ValidatorEntry>, CliError> {
    let destinations: Vec<(String, bool)> = match &args.beacon {
        Some(path) => on_chain(path, keys)?,
        None => {
            let required = || messages::internal("a flag that is required is not there");
            let withdrawal = args.withdrawal.clone().ok_or_else(required)?;
            vec![(withdrawal, args.compounding.ok_or_else(required)?); keys.len()]
        }
    };
    let all: Vec<(&[u8; 48], (String, bool))> = keys.iter().zip(destinations).collect();
    let block = |equal: &[(&[u8; 48], (String, bool))]| ValidatorEntry {
        count: u64::try_from(equal.len()).unwrap_or(u64::MAX),
        withdrawal: equal[0].1.0.clone(),
        compounding: equal[0].1.1,
        amounts: None,
        fee_recipient: None,
        gas_limit: None,
        first: None,
        keys: Some(equal.iter().map(|(key, _)| format!("0x{}", hex::encode(key))).collect()),
    };
    Ok(all.chunk_by(|a, b| a.1 == b.1).map(block).collect())
}

/// The withdrawal address of each key and its kind, as a beacon node says.
fn on_chain(path: &Path, keys: &[[u8; 48]]) -> Result<Vec<(String, bool)>, CliError> {
    let refused = |error: &BeaconError| messages::beacon(path, error);
    let records = Records::from_json(&input::read(path, LARGEST)?);
    let records = records.map_err(|error| refused(&error))?;
    let of = |key: &[u8; 48]| {
        let record = records.of(key).ok_or_else(|| messages::not_on_chain(path, key))?;
        if record.public_key() != key {
            return Err(messages::not_on_chain(path, key));
        }
        let credentials = WithdrawalCredentials::from_bytes(record.withdrawal_credentials());
        let credentials =
            credentials.map_err(|error| messages::cannot_be_imported(path, key, &error))?;
        Ok((credentials.address().to_string(), credentials.is_compounding()))
    };
    keys.iter().map(of).collect()
}
