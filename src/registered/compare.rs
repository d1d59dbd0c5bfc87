//! Compares a list with the validators of audited transcripts.

use std::collections::BTreeMap;

use super::read::{Entry, List, Source};
use crate::audit::facts::Audited;

/// A validator of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Of which transcript, from 0, in the order given.
    pub transcript: usize,
    /// Its position in the ceremony, from 0.
    pub validator: usize,
    /// Its key.
    pub public_key: [u8; 48],
}

/// A validator that the list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Which.
    pub known: Known,
    /// Where in the list: its entry or line, from 1.
    pub place: usize,
    /// What the list calls its state.
    pub status: Option<String>,
    /// Whether the list says that a deposit was made.
    pub deposited: Option<bool>,
}

/// What a list says otherwise than the transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Of which validator.
    pub known: Known,
    /// Where in the list.
    pub place: usize,
    /// The field.
    pub field: &'static str,
    /// What the list has.
    pub found: String,
    /// What the ceremony has.
    pub expected: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Validators that the list has.
    pub registered: Vec<Registered>,
    /// Validators that the list does not have.
    pub missing: Vec<Known>,
    /// Entries of no transcript: place and key. A beacon node's list has those of everybody.
    pub foreign: Vec<(usize, [u8; 48])>,
    /// Entries that repeat a key: place, place of the first, key.
    pub repeated: Vec<(usize, usize, [u8; 48])>,
    /// What the list says otherwise.
    pub wrong: Vec<Wrong>,
}

/// Compares a list with these transcripts. One that is given twice counts once.
pub fn compare(list: &List, audited: &[&Audited]) -> Comparison {
    let mut known = BTreeMap::new();
    for (transcript, one) in audited.iter().enumerate() {
        for (validator, outcome) in one.validators().iter().enumerate() {
            let public_key = outcome.public_key.to_compressed();
            known.entry(public_key).or_insert(Known { transcript, validator, public_key });
        }
    }
    let mut comparison = Comparison::default();
    let mut seen: BTreeMap<[u8; 48], usize> = BTreeMap::new();
    for entry in &list.entries {
        let key = entry.public_key;
        let ours = known.get(&key);
        if let Some(first) = seen.get(&key) {
            comparison.repeated.push((entry.place, *first, key));
            if let Some(known) = ours {
                check(entry, *known, audited[known.transcript], &mut comparison.wrong);
            }
            continue;
        }
        seen.insert(key, entry.place);
        let Some(known) = ours else {
            comparison.foreign.push((entry.place, key));
            continue;
        };
        check(entry, *known, audited[known.transcript], &mut comparison.wrong);
        comparison.registered.push(Registered {
            known: *known,
            place: entry.place,
            status: entry.status.clone(),
            deposited: entry.deposited,
        });
    }
    comparison.missing.extend(known.values().filter(|known| !seen.contains_key(&known.public_key)));
    comparison.missing.sort_by_key(|known| (known.transcript, known.validator));
    comparison
}

/// Every field that the entry has and the ceremony knows.
fn check(entry: &Entry, known: Known, audited: &Audited, wrong: &mut Vec<Wrong>) {
    let ceremony = audited.ceremony();
    let mut differs = |field, found: String, expected: String| {
        if found != expected {
            wrong.push(Wrong { known, place: entry.place, field, found, expected });
        }
    };
    let spec = &ceremony.validators()[known.validator];
    if let Some(credentials) = entry.credentials {
        let found = format!("0x{}", hex::encode(credentials));
        differs("withdrawal credentials", found, spec.withdrawal.to_string());
    }
    if let Some(signature) = entry.signature {
        // The deposits come first among the signatures; a registry has one of them.
        let signatures = &audited.validators()[known.validator].signatures;
        let ours = signatures.iter().take(spec.amounts.len());
        let ours: Vec<[u8; 96]> = ours.map(|signature| signature.to_compressed()).collect();
        if !ours.contains(&signature) {
            let expected = "the signature of one of the ceremony's deposits".to_owned();
            differs("deposit signature", format!("0x{}", hex::encode(signature)), expected);
        }
    }
    let Some(ssv) = ceremony.ssv() else { return };
    if let Some(owner) = entry.owner {
        differs("owner", owner.to_string(), ssv.owner.to_string());
    }
    if let Some(operators) = &entry.operators {
        let text =
            |numbers: &[u64]| numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let ours: Vec<u64> = ceremony.roster().iter().map(|(_, seat)| seat.point).collect();
        differs("operators", text(operators), text(&ours));
    }
}

impl Comparison {
    /// Validators that the list says have a deposit.
    pub fn deposited(&self) -> impl Iterator<Item = &Registered> {
        self.registered.iter().filter(|registered| registered.deposited == Some(true))
    }

    /// Entries that are nobody's, where the list is of one's own keys alone.
    pub fn strangers(&self, source: Source) -> &[(usize, [u8; 48])] {
        match source {
            Source::Beacon => &[],
            Source::Lido | Source::Ssv | Source::Keys => &self.foreign,
        }
    }
}
