//! The plan of a simulated ceremony, decided by its seed: the shape, who breaks which rule, what
//! fails and for how long.

use std::time::Duration;

use crate::exchange::Pacing;

use super::adversary::Adversary;
use super::bug::Bug;
use super::cast::{Cast, SHAPES};
use super::disk::Power;
use super::fork::Other;
use super::lie::Lie;
use super::lost::Loss;
use super::roster::ROSTERS;

/// How long operators stay whose outputs are written: the program's default.
pub const LINGER: Duration = Duration::from_secs(600);

/// Probabilities are per mille, times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weather {
    /// The shortest and the longest way of a frame.
    pub latency: (u64, u64),
    /// A frame is lost.
    pub drop: u64,
    /// A frame arrives twice.
    pub duplicate: u64,
    /// A frame is held up, and overtaken.
    pub delay: u64,
    /// A bit is flipped, or the end is cut off.
    pub corrupt: u64,
    /// An old frame of anybody, or of another ceremony, arrives in anybody's name; or one goes to
    /// another recipient.
    pub hostile: u64,
    /// From when to when, and who is cut off from the rest.
    pub partitions: Vec<(u64, u64, Vec<usize>)>,
    /// Who alone reaches the others (a position): all that two others say to each other, it passes
    /// on, or does not.
    pub hub: Option<usize>,
}

impl Weather {
    /// Nothing fails.
    pub fn clear() -> Self {
        Self {
            latency: (1, 20),
            drop: 0,
            duplicate: 0,
            delay: 0,
            corrupt: 0,
            hostile: 0,
            partitions: Vec::new(),
            hub: None,
        }
    }
}

/// What happens to one operator's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// When it is first started.
    pub start: u64,
    /// Between two tellings, as its clock has it.
    pub period: u64,
    /// When it loses power.
    pub power: Power,
    /// Probability that a write finds no space.
    pub full: u64,
    /// A write that finds no space.
    pub full_at: Option<u64>,
    /// Whether a crash puts an earlier state of its disk back, once; and whether its outputs go
    /// back too.
    pub rollback: Option<bool>,
}

impl Fate {
    /// Nothing happens to it.
    pub fn calm() -> Self {
        Self {
            start: 0,
            period: 2000,
            power: Power::Steady,
            full: 0,
            full_at: None,
            rollback: None,
        }
    }
}

/// A ceremony to be played.
#[derive(Clone)]
pub struct Plan {
    /// The seed of everything that is decided later.
    pub seed: u64,
    /// Of a key generation: position in [`SHAPES`].
    pub shape: usize,
    /// Of a reshare, an import or a repair: position in [`ROSTERS`].
    pub roster: Option<usize>,
    /// Of these: seats (positions) that break rules; of a key generation, a hub that does.
    pub lies: Vec<(usize, Lie)>,
    /// Number of validators.
    pub validators: usize,
    /// Of a key generation: whether its file asks for preregistrations, and for a builder
    /// registration of every validator.
    pub preregisters: bool,
    /// The network, until faults stop.
    pub weather: Weather,
    /// By seat.
    pub fates: Vec<Fate>,
    /// Seats (positions) that break rules, of a key generation.
    pub adversaries: Vec<(usize, Adversary)>,
    /// Of a reshare or an import: seats that are lost after their commit.
    pub lost: Vec<Loss>,
    /// Another reshare of the same parent at the same time.
    pub other: Option<Other>,
    /// Whether people never finish without others.
    pub patient: bool,
    /// Whether they do as soon as a final is late.
    pub hasty: bool,
    /// When faults stop: the network is whole, machines are started, disks have space.
    pub calm_from: u64,
    /// Whether to go on until everybody has left.
    pub to_the_end: bool,
    /// Times and limits of every operator's exchange.
    pub pacing: Pacing,
    /// A planted mistake, at a seat.
    pub bug: Option<(usize, Bug)>,
}

impl Plan {
    /// A plan in which nothing fails and everybody is honest.
    pub fn calm(seed: u64, shape: usize, validators: usize) -> Self {
        let n = SHAPES[shape].0;
        let fates = vec![Fate::calm(); n];
        let (weather, adversaries) = (Weather::clear(), Vec::new());
        Self {
            seed,
            shape,
            roster: None,
            lies: Vec::new(),
            lost: Vec::new(),
            other: None,
            patient: true,
            hasty: false,
            validators,
            preregisters: false,
            weather,
            fates,
            adversaries,
            calm_from: 0,
            to_the_end: false,
            pacing: Pacing::new(LINGER),
            bug: None,
        }
    }

    /// A ceremony of a roster in which nothing fails and everybody is honest.
    pub fn calm_life(seed: u64, roster: usize, validators: usize) -> Self {
        let calm = Self::calm(seed, 0, validators);
        let fates = vec![Fate::calm(); ROSTERS[roster].parts.len()];
        Self { roster: Some(roster), fates, ..calm }
    }

    /// Two rosters (positions) of one parent at the same time, in which nothing fails; `cheats` (by
    /// name) ignore their notes.
    pub fn calm_fork(seed: u64, rosters: [usize; 2], cheats: &[&'static str]) -> Self {
        let [first, second] = rosters;
        let other = Self::calm_life(seed, second, 1);
        let cheats = cheats.iter().copied().collect();
        let other = Other { plan: Box::new(other), cheats };
        Self { other: Some(other), ..Self::calm_life(seed, first, 1) }
    }

    /// Its operators.
    pub fn cast(&self) -> &'static Cast {
        match self.roster {
            None => Cast::of(self.shape, self.validators, self.preregisters),
            Some(roster) => Cast::of_roster(roster, self.validators),
        }
    }

    /// How many break rules, or may repeat themselves because their disk is put back.
    pub(super) fn faulty(&self) -> usize {
        let set_back = self.fates.iter().filter(|fate| fate.rollback.is_some()).count();
        self.adversaries.len() + self.lies.len() + set_back
    }

    pub(super) fn is_adversary(&self, seat: usize) -> bool {
        let lies = self.lies.iter().map(|(other, _)| *other);
        self.adversaries.iter().map(|(other, _)| *other).chain(lies).any(|other| other == seat)
    }
}
