//! The evaluation points of those who receive in a draft: for a cluster of SSV, the operators'
//! numbers in its contract.

use crate::messages;
use crate::report::CliError;
use quorate::identity::card::OperatorCard;
use quorate::spec::file::OperatorEntry;

/// Gives operators the points that `NAME=ID` names, and puts all in the order of their points. Each
/// that receives has one then: a given one, or the one that it had before.
pub(super) fn number(entries: &mut [OperatorEntry], given: &[String]) -> Result<(), CliError> {
    let mut named = Vec::new();
    for text in given {
        let (name, id) = text.rsplit_once('=').ok_or_else(|| messages::ssv_id(text))?;
        let id: u64 = id.trim().parse().map_err(|_| messages::ssv_id(text))?;
        let place = entries.iter().position(|entry| is_named(entry, name.trim()));
        let place = place.filter(|place| entries[*place].receives != Some(false));
        let place = place.ok_or_else(|| messages::ssv_id_of_nobody(name))?;
        if named.contains(&place) {
            return Err(messages::ssv_id_twice(name));
        }
        named.push(place);
        entries[place].point = Some(id);
    }
    let unnumbered = entries.iter().filter(|e| e.receives != Some(false) && e.point.is_none());
    let unnumbered: Vec<String> = unnumbered.map(name_of).collect();
    if !unnumbered.is_empty() {
        return Err(messages::ssv_ids_missing(&unnumbered));
    }
    // Those who only deal or witness have no place among the points: they stand where they did.
    entries.sort_by_key(|entry| {
        let old = entry.old_point.or(entry.deals.or(entry.witness).map(u64::from));
        entry.point.or(old).unwrap_or(u64::MAX)
    });
    Ok(())
}

fn is_named(entry: &OperatorEntry, name: &str) -> bool {
    name_of(entry).eq_ignore_ascii_case(name)
}

/// Its card's name; one that is no card is refused when the file is read back.
fn name_of(entry: &OperatorEntry) -> String {
    let card = OperatorCard::parse(&entry.card).ok();
    card.map_or_else(String::new, |card| card.name.to_string())
}
