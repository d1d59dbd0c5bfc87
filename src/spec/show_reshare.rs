//! The summary of a reshare or an import that a person has to agree to: who deals, who receives,
//! and which validators it is about.

use core::fmt::Write;

use super::ceremony::Ceremony;
use super::kind::CeremonyKind;
use super::reshare::{OldShare, Origin, Parent, ReshareSpec, SeatPart};
use super::show::{few, heading, network, numbers, plural, warnings, words};
use super::threshold::Index;
use crate::ethereum::deposit::WithdrawalCredentials;

pub(super) fn describe(
    ceremony: &Ceremony,
    spec: &ReshareSpec,
    out: &mut String,
) -> core::fmt::Result {
    let kind = match spec.origin {
        Origin::Ceremony(_) => "Reshare",
        Origin::Keys => "Import",
    };
    head(kind, ceremony, spec, out)?;
    operators(ceremony, spec, out)?;
    network(ceremony, out)?;
    writeln!(out)?;
    for caution in cautions(ceremony, spec) {
        writeln!(out, "WARNING: {caution}")?;
    }
    validators(ceremony, spec, out)?;
    writeln!(out, "\nFingerprint, to be compared by voice\n{}", words(ceremony))
}

/// What it is, and whose keys it is about.
pub(super) fn head(
    kind: &str,
    ceremony: &Ceremony,
    spec: &ReshareSpec,
    out: &mut String,
) -> core::fmt::Result {
    heading(kind, ceremony, out)?;
    match &spec.origin {
        Origin::Ceremony(Parent { certificate, rows, threshold: old }) => {
            writeln!(
                out,
                "\nParent: a completed ceremony of {} operators, of whom any {} sign",
                old.participants(),
                old.required()
            )?;
            writeln!(out, "  certificate         {certificate}")?;
            writeln!(out, "  root of commitments {rows}")?;
        }
        Origin::Keys => writeln!(out, "\nKeys: whole, in the hands of {}", dealer(ceremony))?,
    }
    Ok(())
}

fn operators(ceremony: &Ceremony, spec: &ReshareSpec, out: &mut String) -> core::fmt::Result {
    let new = ceremony.threshold();
    writeln!(
        out,
        "\nOperators: any {} of the {} that receive control the validators afterwards; up to {} \
         may be lost",
        new.required(),
        new.participants(),
        new.participants() - new.required()
    )?;
    if ceremony.allow_all_required() {
        writeln!(out, "  Policy: a threshold of all operators is allowed")?;
    }
    let addressed = ceremony.roster().iter().any(|(_, seat)| seat.address.is_some());
    for ((index, seat), part) in ceremony.roster().iter().zip(&spec.seats) {
        let share = new_share(ceremony, index, seat.point);
        let address = match &seat.address {
            Some(address) => format!(", {address}"),
            None if addressed => ", no address given".to_owned(),
            None => String::new(),
        };
        writeln!(out, "  {index}. \"{}\"{address}", seat.card.name)?;
        writeln!(out, "     {}", said(&spec.origin, part, &share))?;
        writeln!(out, "     key {}, card {}", seat.card.key.short(), seat.card.short())?;
    }
    if addressed {
        writeln!(out, "  Addresses are hints and are not part of the fingerprint.")?;
    }
    Ok(())
}

/// Who holds the keys of an import, by name.
pub fn dealer(ceremony: &Ceremony) -> String {
    let dealer = ceremony.parts().dealers.iter().next();
    let seat = dealer.and_then(|dealer| ceremony.roster().get(dealer));
    seat.map_or_else(String::new, |seat| format!("\"{}\"", seat.card.name))
}

/// The number of the share that a seat gets, and its evaluation point where that is another.
fn new_share(ceremony: &Ceremony, index: Index, point: u64) -> String {
    let number = ceremony.share_number(index).unwrap_or(0);
    match u64::try_from(number) {
        Ok(number) if number == point => number.to_string(),
        _ => format!("{number} (point {point})"),
    }
}

fn said(origin: &Origin, part: &SeatPart, share: &str) -> String {
    if *origin == Origin::Keys {
        return match (part.deals, part.receives) {
            (Some(_), true) => format!("holds the keys, deals them, and gets share {share}"),
            (Some(_), false) => "holds the keys, deals them, and gets no share".to_owned(),
            (None, _) => format!("gets share {share}"),
        };
    }
    let old = |share: OldShare| {
        let own = share.point == u64::from(share.index.get());
        let at = if own { String::new() } else { format!(" (point {})", share.point) };
        format!("the share of operator {}{at} of the parent", share.index)
    };
    let dealt = part.deals.map(|share| format!("deals {}", old(share)));
    let witnessed = |share| format!("witnesses: deals nothing, and stops {}", old(share));
    let dealt = dealt.or(part.witnesses.map(witnessed));
    match (dealt, part.receives) {
        (Some(dealt), true) => format!("{dealt}, and gets new share {share}"),
        (Some(dealt), false) => format!("{dealt}, and gets no new share"),
        (None, _) => format!("is new, and gets new share {share}"),
    }
}

/// What a person must not overlook.
fn cautions(ceremony: &Ceremony, spec: &ReshareSpec) -> Vec<String> {
    let mut found = match &spec.origin {
        Origin::Ceremony(parent) => of_reshare(parent),
        Origin::Keys => of_import(&dealer(ceremony)),
    };
    if ceremony.threshold().needs_all() {
        found.push("every receiver is required; one lost share ends the validators".to_owned());
    }
    found.extend(warnings(ceremony));
    found
}

/// That the keys of an import were whole: the first sentence of everything that is said of them.
pub fn whole(dealer: &str) -> String {
    format!(
        "the keys were whole in the hands of {dealer}, always will have been, and may have been \
         imported elsewhere"
    )
}

/// The same as a sentence, of an import and of nothing else.
pub fn whole_keys(ceremony: &Ceremony) -> Option<String> {
    if ceremony.kind() != CeremonyKind::Import {
        return None;
    }
    let sentence = whole(&dealer(ceremony));
    Some(format!("T{}.", sentence.strip_prefix('t').unwrap_or(&sentence)))
}

fn of_import(dealer: &str) -> Vec<String> {
    vec![
        format!("{}; whoever keeps a copy signs alone, for ever", whole(dealer)),
        format!(
            "{dealer} removes the keys from its validator client when it is asked to; from then \
             on, the validators stand still until the shares are used"
        ),
        "withdrawal addresses are claimed by this file, and no ceremony can prove them; compare \
         them with what a beacon node says"
            .to_owned(),
    ]
}

fn of_reshare(parent: &Parent) -> Vec<String> {
    let old = parent.threshold;
    vec![
        format!(
            "each dealer removes these keys from its validator client when it is asked to; from \
             {} on that have done so, the validators stand still until the new shares are used",
            old.participants() - old.required() + 1
        ),
        format!(
            "no share is taken from anybody: any {} operators of the parent that keep theirs can \
             still sign; if you do not trust that they do not, exit the validators",
            old.required()
        ),
    ]
}

pub(super) fn validators(
    ceremony: &Ceremony,
    spec: &ReshareSpec,
    out: &mut String,
) -> core::fmt::Result {
    let (whose, stays) = match spec.origin {
        Origin::Ceremony(_) => (" of the parent", "keys and withdrawal addresses stay as they are"),
        Origin::Keys => ("", "keys stay as they are; withdrawal addresses are claimed, not proven"),
    };
    let (count, network) = (plural(ceremony.v(), "validator"), ceremony.network().name());
    writeln!(out, "\n{count}{whose}, on {network}: {stays}")?;
    let all: Vec<(WithdrawalCredentials, usize)> = ceremony
        .validators()
        .iter()
        .zip(&spec.validators)
        .map(|(validator, inherited)| (validator.withdrawal, inherited.position))
        .collect();
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let positions: Vec<usize> = equal.iter().map(|(_, position)| *position).collect();
        let (withdrawal, _) = equal[0];
        let kind = if withdrawal.is_compounding() { "0x02" } else { "0x01" };
        writeln!(out, "  {} to {} ({kind})", numbers(&positions), withdrawal.address())?;
    }
    let row = |(position, key): (usize, &[u8; 48])| {
        format!("  {:>4}. 0x{}", position + 1, hex::encode(key))
    };
    let rows = spec.validators.iter().map(|one| row((one.position, &one.key))).collect();
    few(rows, false).iter().try_for_each(|row| writeln!(out, "{row}"))
}
