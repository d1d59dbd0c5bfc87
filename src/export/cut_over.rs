//! From one generation of shares to the next (`ceremony-specs/15-cut-over.md`): what a dealer says
//! that its shares have signed, and where the new ones begin.

use serde::Serialize;

use super::recover::PROTECTION_FILE;
use super::{Artifact, Audience};
use crate::ethereum::interchange::{Interchange, InterchangeError, Key, Signed, Vote};
use crate::ethereum::network::Network;
use crate::message::minima::{self, Minima};
use crate::spec::threshold::Index;

/// Epochs between what may have been signed before and what is signed again.
pub const MARGIN_EPOCHS: u64 = 1;

/// Where a chain's clock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The present slot.
    pub slot: u64,
    /// Slots of an epoch; at least 1.
    pub slots_per_epoch: u64,
}

impl Clock {
    /// At `time`, in seconds since 1970; `None` for a network whose slots are not known.
    ///
    /// # Errors
    /// [`ClockError::BeforeGenesis`].
    pub fn at(network: &Network, time: u64) -> Result<Option<Self>, ClockError> {
        let Some(slots_per_epoch) = network.slots_per_epoch() else { return Ok(None) };
        let slot = network.slot_at(time).ok_or(ClockError::BeforeGenesis)?;
        Ok(Some(Self { slot, slots_per_epoch }))
    }

    /// The present epoch.
    pub fn epoch(&self) -> u64 {
        self.slot / self.slots_per_epoch
    }

    /// The last epoch for which anybody who keeps the rules may have signed: clocks differ, by less
    /// than an epoch.
    fn last_epoch(&self) -> u64 {
        self.epoch().saturating_add(1)
    }

    fn last_slot(&self) -> u64 {
        self.last_epoch().saturating_add(1).saturating_mul(self.slots_per_epoch).saturating_sub(1)
    }
}

/// What a dealer states of its keys, by validator, from what validator clients gave. A key with an
/// entry and no values never ran.
///
/// # Errors
/// [`InterchangeError::Missing`]: nothing is said of a key.
pub fn stated(protection: &Interchange, keys: &[Key]) -> Result<Minima, InterchangeError> {
    let of = |key: &Key| -> Result<Option<minima::Signed>, InterchangeError> {
        let signed = protection.signed(key).ok_or(InterchangeError::Missing { key: *key })?;
        let Vote { source, target } = signed.vote.unwrap_or(Vote { source: 0, target: 0 });
        let ran = minima::Signed { slot: signed.slot.unwrap_or(0), source, target };
        Ok((!signed.is_nothing()).then_some(ran))
    };
    Ok(Minima { signed: keys.iter().map(of).collect::<Result<_, _>>()? })
}

/// What a dealer states, as an interchange of the same keys; without an entry for a key that it
/// says never ran.
pub fn as_interchange(minima: &Minima, network: &Network, keys: &[Key]) -> Interchange {
    let mut all = Interchange::empty(network.genesis_validators_root());
    for (key, ran) in keys.iter().zip(&minima.signed) {
        let Some(minima::Signed { slot, source, target }) = *ran else { continue };
        // Zero stands for none, too.
        let slot = Some(slot).filter(|slot| *slot > 0);
        let vote = Some(Vote { source, target }).filter(|_| (source, target) != (0, 0));
        all.add(*key, Signed { slot, vote });
    }
    all
}

/// Why a clock gives no floors. Nothing else says what time it is, so a person has to look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// It is before the network's first slot.
    #[error("this machine's clock says that the network has not begun")]
    BeforeGenesis,
    /// Dealers state that their shares have signed what is yet to come.
    #[error(
        "this machine's clock says that it is epoch {epoch}, and shares of the old generation are \
         stated to have signed later: {}",
        listed(ahead)
    )]
    Behind {
        /// The epoch of the clock.
        epoch: u64,
        /// Of each dealer that states such, the first value.
        ahead: Vec<Ahead>,
    },
}

/// A value that is more than one epoch ahead of a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Who states it.
    pub dealer: Index,
    /// Of which validator, counted from 0.
    pub validator: usize,
    /// `slot`, `source_epoch` or `target_epoch`.
    pub field: &'static str,
    /// What is stated.
    pub stated: u64,
}

fn listed(ahead: &[Ahead]) -> String {
    let one = |Ahead { dealer, validator, field, stated }: &Ahead| {
        let (dealer, validator) = (dealer.get(), validator + 1);
        format!("operator {dealer} states {field} {stated} of validator {validator}")
    };
    ahead.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Where new shares begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floors {
    /// By validator: everything up to this counts as signed.
    pub signed: Vec<Signed>,
}

/// The floors of `validators` validators, from everything that dealers state and from the clock at
/// the moment when all their commits are held. Slot and target are the greatest of both, with a
/// margin; the source is the greatest that is stated, without one, since clients refuse sources
/// below it while the chain does not finalise.
///
/// Without a clock, values are taken as they are stated.
///
/// # Errors
/// [`ClockError::Behind`]: a floor below what an honest dealer states would let the new shares sign
/// what the old ones have signed otherwise, so no value is taken for less.
pub fn floors(
    stated: &[(Index, Minima)],
    validators: usize,
    clock: Option<Clock>,
) -> Result<Floors, ClockError> {
    if let Some(clock) = clock {
        let ahead: Vec<Ahead> = stated.iter().filter_map(|stated| ahead(stated, &clock)).collect();
        if !ahead.is_empty() {
            return Err(ClockError::Behind { epoch: clock.epoch(), ahead });
        }
    }
    let signed = (0..validators)
        .map(|validator| {
            let now = clock.map(|clock| minima::Signed {
                slot: clock.slot,
                source: 0,
                target: clock.epoch(),
            });
            let ran = stated.iter().filter_map(|(_, minima)| *minima.signed.get(validator)?);
            let known = now.into_iter().chain(ran).reduce(minima::Signed::joined);
            let Some(minima::Signed { slot, source, target }) = known else {
                return Signed::default();
            };
            let slots = clock.map_or(32, |clock| clock.slots_per_epoch);
            let target = target.saturating_add(MARGIN_EPOCHS).max(source);
            let slot = slot.saturating_add(slots.saturating_mul(MARGIN_EPOCHS));
            Signed { slot: Some(slot), vote: Some(Vote { source, target }) }
        })
        .collect();
    Ok(Floors { signed })
}

/// The first value of a dealer that no honest client can have signed, if this clock is right.
fn ahead((dealer, minima): &(Index, Minima), clock: &Clock) -> Option<Ahead> {
    let (last_slot, last_epoch) = (clock.last_slot(), clock.last_epoch());
    minima.signed.iter().enumerate().find_map(|(validator, ran)| {
        let minima::Signed { slot, source, target } = (*ran)?;
        let fields = [
            ("target_epoch", target, last_epoch),
            ("source_epoch", source, last_epoch),
            ("slot", slot, last_slot),
        ];
        let (field, stated, _) = fields.into_iter().find(|(_, stated, last)| stated > last)?;
        Some(Ahead { dealer: *dealer, validator, field, stated })
    })
}

impl Floors {
    /// What validator clients import with the new shares, whose public keys these are, by
    /// validator.
    pub fn interchange(&self, network: &Network, keys: &[Key]) -> Interchange {
        let mut all = Interchange::empty(network.genesis_validators_root());
        keys.iter().zip(&self.signed).for_each(|(key, signed)| all.add(*key, *signed));
        all
    }
}

/// The first epoch in which shares with these floors sign attestations: before it, none of them is
/// loaded anywhere. With floors from a clock, two epochs after the last commit at the earliest.
pub fn first_epoch(floors: &Interchange) -> Option<u64> {
    floors.keys().filter_map(|(_, signed)| Some(signed.vote?.target.saturating_add(1))).max()
}

/// Name of the file that says for people and programs when the new shares may run.
pub const CUT_OVER_FILE: &str = "cut-over.json";

#[derive(Serialize)]
struct CutOver {
    /// When all commits were held, by this machine's clock.
    commits_held_in_epoch: Option<u64>,
    /// See [`first_epoch`].
    first_epoch: Option<u64>,
    /// When that begins, in seconds since 1970.
    begins: Option<u64>,
}

/// What such a file says besides of a reshare that was finished without operators, by name.
pub fn finished_without(cut_over: &[u8], names: &[String]) -> Vec<u8> {
    let mut all: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(cut_over).unwrap_or_default();
    all.insert("finished_without".to_owned(), names.into());
    let mut json = serde_json::to_vec_pretty(&all).expect("names and numbers become JSON");
    json.push(b'\n');
    json
}

/// The files that go with the keystores of new shares, whose public keys these are, by validator:
/// what a validator client imports, and from when on.
pub fn files(
    network: &Network,
    keys: &[Key],
    floors: &Floors,
    clock: Option<Clock>,
) -> Vec<Artifact> {
    let interchange = floors.interchange(network, keys);
    let first_epoch = clock.and_then(|_| first_epoch(&interchange));
    let cut_over = CutOver {
        commits_held_in_epoch: clock.map(|clock| clock.epoch()),
        first_epoch,
        begins: first_epoch.and_then(|epoch| network.begin_of(epoch)),
    };
    let mut json = serde_json::to_vec_pretty(&cut_over).expect("numbers and lists become JSON");
    json.push(b'\n');
    let secret =
        |name: &str, bytes| Artifact { name: name.to_owned(), audience: Audience::Secret, bytes };
    vec![secret(PROTECTION_FILE, interchange.to_json()), secret(CUT_OVER_FILE, json)]
}
