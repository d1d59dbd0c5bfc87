//! What a request asks for, in words, for the person who decides.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::terms::lines;
use super::{Left, key_shares, lock};
use quorate::audit::describe::in_quotes;
use quorate::ethereum::deposit::WithdrawalCredentials;
use quorate::signing::{Cleared, Delivery, Item, Kind, Purpose};
use quorate::spec::Ceremony;
use quorate::spec::show::plural;

/// How many validators are told one by one.
const MOST_TOLD: usize = 20;

/// Everything that is signed and who gets it: the validators at these positions of the request.
pub(super) fn describe(
    cleared: &Cleared,
    ceremony: &Ceremony,
    positions: &[usize],
    with_beacon: bool,
) -> String {
    let checked = match with_beacon {
        true => "confirmed by the beacon node's answer",
        false if cleared.request.is_single() => {
            "not checked: only a beacon node knows the index of this key; see --beacon"
        }
        false => "not checked: only a beacon node knows the indices of these keys; see --beacon",
    };
    let what = match cleared.request.is_single() {
        true => one(cleared, ceremony, checked),
        false => many(cleared, ceremony, positions, checked),
    };
    what + &asked(cleared, ceremony)
}

fn one(cleared: &Cleared, ceremony: &Ceremony, checked: &str) -> String {
    let network = ceremony.network();
    let validator = cleared.targets[0].validator;
    let withdrawal = ceremony.validators()[validator].withdrawal;
    let Item { public_key, purpose } = cleared.request.items.first();
    let text = match purpose {
        Purpose::Exit(exit) => format!(
            "VOLUNTARY EXIT on {}: the validator stops permanently. An exit cannot be revoked and \
             does not expire.\n  validator index    {} ({checked})\n  valid from epoch   {}",
            network.name(),
            exit.validator_index,
            exit.epoch
        ),
        Purpose::Deposit { amount, .. } => format!(
            "FURTHER DEPOSIT on {}: anyone who has the signature can deposit this amount to this \
             validator, any number of times.\n  amount             {}",
            network.name(),
            network.unit().text(*amount)
        ),
        Purpose::Registration(terms) => format!(
            "LATER REGISTRATION on {}: block builders pay the fees of this validator's blocks to \
             this address. It replaces every earlier one; anyone who has it can send it.{}",
            network.name(),
            lines(terms, ceremony, [validator].into_iter())
        ),
        Purpose::KeyShares(_) | Purpose::Lock => String::new(),
    };
    text + &format!(
        "\n  public key         0x{}\n  which is           validator {} of \"{}\"\n  \
         withdrawn to       {}",
        hex::encode(public_key),
        validator + 1,
        ceremony.name(),
        destination(&withdrawal),
    )
}

fn many(cleared: &Cleared, ceremony: &Ceremony, kept: &[usize], checked: &str) -> String {
    let (network, items) = (ceremony.network(), &cleared.request.items);
    let count = kept.len();
    let mut text = match items.kind() {
        Kind::Exit => format!(
            "VOLUNTARY EXITS of {count} validators on {}: they stop permanently. Exits cannot be \
             revoked and do not expire.",
            network.name()
        ),
        Kind::Deposit => format!(
            "FURTHER DEPOSITS to {count} validators on {}: anyone who has the signatures can \
             deposit this amount to each of them, any number of times.",
            network.name()
        ),
        Kind::Registration => format!(
            "LATER REGISTRATIONS of {count} validators on {}: block builders pay the fees of their \
             blocks to this address. They replace every earlier one; anyone who has them can send \
             them.",
            network.name()
        ),
        Kind::KeyShares => format!(
            "KEY SHARES FOR SSV of {} on {}: this account, and no other, can register them with \
             these operators. A validator that is registered while it runs anywhere else is \
             slashed: it has to be removed there first.",
            plural(count, "validator"),
            network.name()
        ),
        Kind::Lock => format!(
            "LOCK OF AN OBOL CLUSTER of {} on {}: Charon starts from it, with the shares of these \
             operators. A validator that runs in two places is slashed.",
            plural(count, "validator"),
            network.name()
        ),
    };
    let numbers = kept.iter().map(|position| cleared.targets[*position].validator as u64 + 1);
    let exits = kept.iter().filter_map(|position| match items[*position].purpose {
        Purpose::Exit(exit) => Some(exit.validator_index),
        Purpose::Deposit { .. }
        | Purpose::Registration(_)
        | Purpose::KeyShares(_)
        | Purpose::Lock => None,
    });
    text += &match items.first().purpose {
        Purpose::Exit(exit) => format!(
            "\n  validator indices  {} ({checked})\n  valid from epoch   {}",
            ranges(exits),
            exit.epoch
        ),
        Purpose::Deposit { amount, .. } => {
            format!("\n  amount of each     {}", network.unit().text(amount))
        }
        Purpose::Registration(terms) => lines(
            &terms,
            ceremony,
            kept.iter().map(|position| cleared.targets[*position].validator),
        ),
        Purpose::KeyShares(_) => key_shares::lines(cleared, ceremony),
        Purpose::Lock => lock::lines(cleared, ceremony),
    };
    text += &format!(
        "\n  which are          {count} of the {} validators of \"{}\": {}",
        ceremony.validators().len(),
        ceremony.name(),
        ranges(numbers)
    );
    let mut destinations: BTreeMap<String, usize> = BTreeMap::new();
    for position in kept {
        let withdrawal = ceremony.validators()[cleared.targets[*position].validator].withdrawal;
        *destinations.entry(destination(&withdrawal)).or_default() += 1;
    }
    let mut destinations: Vec<(String, usize)> = destinations.into_iter().collect();
    destinations.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
    // Where money goes is never left out.
    let told = destinations
        .iter()
        .map(|(to, count)| format!("\n  withdrawn to       {to}: {}", plural(*count, "validator")));
    text.extend(told);
    text
}

/// The validators that are left out, one by one as far as a person reads.
pub(super) fn left_out(left: &[Left]) -> Option<String> {
    let lines = left.iter().map(|Left { validator, public_key, why }| {
        format!("\n  validator {}, 0x{}: {why}", validator + 1, hex::encode(public_key))
    });
    let text = format!("LEFT OUT, nothing is signed for them: {}", left.len());
    (!left.is_empty()).then(|| text + &told(lines))
}

/// The same for programs.
pub(super) fn left_json(left: &[Left]) -> Vec<Value> {
    let one = |left: &Left| {
        json!({
            "validator": left.validator + 1,
            "public_key": format!("0x{}", hex::encode(left.public_key)),
            "why": left.why,
        })
    };
    left.iter().map(one).collect()
}

/// The first lines of many.
pub(super) fn told(lines: impl ExactSizeIterator<Item = String>) -> String {
    let more = lines.len().saturating_sub(MOST_TOLD);
    let mut text: String = lines.take(MOST_TOLD).collect();
    if more > 0 {
        text += &format!("\n  and {more} more");
    }
    text
}

fn asked(cleared: &Cleared, ceremony: &Ceremony) -> String {
    let request = &cleared.request;
    let asked = request.requester.and_then(|requester| {
        let seat = ceremony.roster().get(requester.index)?;
        Some(format!(
            "{} (operator {}), signed",
            in_quotes(seat.card.name.as_str()),
            requester.index.get()
        ))
    });
    let mut text = format!(
        "\n  asked for by       {}",
        asked.as_deref().unwrap_or("nobody (the request is not signed)")
    );
    let signatures = if request.is_single() { "signature" } else { "signatures" };
    text += &match &request.delivery {
        Delivery::Public => format!(
            "\n  answers go to      everyone: anyone who sees enough of them can use the \
             {signatures}"
        ),
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

fn destination(withdrawal: &WithdrawalCredentials) -> String {
    let kind = if withdrawal.is_compounding() { "0x02, compounding" } else { "0x01" };
    format!("{} ({kind})", withdrawal.address())
}

/// Numbers as ranges, in their order: `1 to 500, 503`.
fn ranges(numbers: impl Iterator<Item = u64>) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let more = runs.len().saturating_sub(MOST_TOLD);
    let run = |(first, last): &(u64, u64)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    };
    let mut texts: Vec<String> = runs.iter().take(MOST_TOLD).map(run).collect();
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn numbers_in_their_order() {
        assert_eq!(ranges([7].into_iter()), "7");
        assert_eq!(ranges([1, 2, 3, 5, 4, 9, 10].into_iter()), "1 to 3, 5, 4, 9 to 10");
        assert_eq!(ranges([u64::MAX, 0].into_iter()), "18446744073709551615, 0");
        assert!(ranges((0..60).map(|n| 2 * n)).ends_with("36, 38, and 40 more"));
    }
}
