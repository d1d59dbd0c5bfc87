//! `quorate spec new --like`: drafts a key generation of more validators for the operators of a
//! ceremony that is finished, from its transcript.

use std::path::Path;

use super::addresses::given;
use crate::args::SpecNew;
use crate::command::spec;
use crate::report::CliError;
use crate::{messages, parent};
use quorate::identity::OperatorCard;
use quorate::spec::file::{AmountText, FILE_VERSION, OperatorEntry, PolicyEntry, ValidatorEntry};
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::random;

/// The file that the transcript and the flags describe, unchecked. What a flag says counts.
pub(super) fn file(args: &SpecNew, path: &Path) -> Result<CeremonyFile, CliError> {
    let audited = parent::audited(&[path.to_owned()])?;
    let old = audited.ceremony();
    if old.ssv().is_some() || old.obol().is_some() {
        return Err(messages::like_cluster(path, old.obol().is_some()));
    }
    let of_old = CeremonyFile::from(&**old);
    let operators = operators(args, old, &of_old)?;
    let threshold = args.threshold.unwrap_or(of_old.threshold);
    let all_required = usize::from(threshold) == operators.len();
    // Allowed anew where the threshold is another one.
    let same = of_old.policy.allow_all_required && threshold == of_old.threshold;
    let allow_all_required = args.allow_all_required || (all_required && same);
    match &args.network {
        Some(given) if given != old.network().name() => {
            return Err(messages::like_network(given, old.network().name()));
        }
        _ => {}
    }
    Ok(CeremonyFile {
        version: FILE_VERSION,
        name: args.name.clone().ok_or_else(|| messages::internal("a name is required"))?,
        id: hex::encode(random::public()),
        attempt: 1,
        supersedes: None,
        threshold,
        policy: PolicyEntry { allow_all_required },
        parent: None,
        operators,
        validators: validators(args, &of_old.validators)?,
        ..of_old
    })
}

/// The holders of shares, each with the card that the transcript has or a newer one of the same
/// key.
fn operators(
    args: &SpecNew,
    old: &Ceremony,
    of_old: &CeremonyFile,
) -> Result<Vec<OperatorEntry>, CliError> {
    let at = given(&args.at, old)?;
    let mut newer: Vec<(OperatorCard, OperatorEntry)> = Vec::new();
    for text in &args.operators {
        let entry = spec::operator(text)?;
        let card = OperatorCard::parse(&entry.card);
        let card = card.map_err(|error| messages::card(None, &error))?;
        let name = card.name.to_string();
        let holds = old.receivers().any(|(_, seat)| seat.card.key == card.key);
        if !holds {
            return Err(messages::like_stranger(&name));
        }
        if newer.iter().any(|(known, _)| known.key == card.key) {
            return Err(messages::named_twice("--operator", &name));
        }
        newer.push((card, entry));
    }
    let mut operators = Vec::new();
    for (index, seat) in old.receivers() {
        let address = at.iter().find(|(other, _)| *other == index);
        let newer = newer.iter().find(|(card, _)| card.key == seat.card.key);
        let mut entry = match newer {
            Some((_, entry)) => entry.clone(),
            None if seat.card.mark.is_none() => {
                return Err(messages::like_old_card(seat.card.name.as_str()));
            }
            None => OperatorEntry { card: seat.card.encode(), ..OperatorEntry::default() },
        };
        if let Some((_, address)) = address {
            entry.address = Some(address.to_string());
        }
        entry.point = of_old.operators.get(index.position()).and_then(|of_old| of_old.point);
        operators.push(entry);
    }
    if operators.iter().zip(1..).all(|(entry, number)| entry.point == Some(number)) {
        operators.iter_mut().for_each(|entry| entry.point = None);
    }
    Ok(operators)
}

/// As many as are asked for, like those of the transcript where no flag says otherwise.
fn validators(args: &SpecNew, of_old: &[ValidatorEntry]) -> Result<Vec<ValidatorEntry>, CliError> {
    let withdrawals = match args.withdrawal.as_slice() {
        [] if args.validators.len() == 1 => {
            vec![alike(of_old, "--withdrawal", |entry| &entry.withdrawal)?]
        }
        given if given.len() == args.validators.len() => given.to_vec(),
        given => return Err(messages::pairs(args.validators.len(), given.len())),
    };
    let compounding = match args.compounding {
        Some(given) => given,
        None => alike(of_old, "--compounding", |entry| &entry.compounding)?,
    };
    let amounts = match args.amounts.as_slice() {
        [] => alike(of_old, "--amount", |entry| &entry.amounts)?,
        given => Some(given.iter().cloned().map(AmountText).collect()),
    };
    let (fee_recipient, gas_limit) = match &args.fee_recipient {
        Some(given) => (Some(given.clone()), args.gas_limit),
        None => (
            alike(of_old, "--fee-recipient", |entry| &entry.fee_recipient)?,
            alike(of_old, "--fee-recipient and --gas-limit", |entry| &entry.gas_limit)?,
        ),
    };
    let entry = |(count, withdrawal): (&u32, String)| ValidatorEntry {
        count: (*count).into(),
        withdrawal,
        compounding,
        amounts: amounts.clone(),
        fee_recipient: fee_recipient.clone(),
        gas_limit,
        first: None,
        keys: None,
    };
    Ok(args.validators.iter().zip(withdrawals).map(entry).collect())
}

/// What all validators of the transcript have; `flag` says it where they differ.
fn alike<T: Clone + PartialEq>(
    of_old: &[ValidatorEntry],
    flag: &str,
    field: impl Fn(&ValidatorEntry) -> &T,
) -> Result<T, CliError> {
    match of_old {
        [first, others @ ..] if others.iter().all(|other| field(other) == field(first)) => {
            Ok(field(first).clone())
        }
        _ => Err(messages::unlike(flag)),
    }
}
