//! The plan of a simulated ceremony, decided by its seed: the shape, who breaks which rule, what
//! fails and for how long.

use std::time::Duration;

use crate::exchange::Pacing;

use super::adversary::Adversary;
use super::bug::Bug;
use super::cast::{Cast, MOST_VALIDATORS, ROSTERS, SHAPES};
use super::chance::Chance;
use super::disk::Power;
use super::lie::Lie;

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
    /// Position in [`SHAPES`]; of a reshare, in [`ROSTERS`].
    pub shape: usize,
    /// Of a reshare: seats (positions) that break rules.
    pub reshare: Option<Vec<(usize, Lie)>>,
    /// Number of validators.
    pub validators: usize,
    /// The network, until faults stop.
    pub weather: Weather,
    /// By seat.
    pub fates: Vec<Fate>,
    /// Seats (positions) that break rules, of a key generation.
    pub adversaries: Vec<(usize, Adversary)>,
    /// When faults stop: the network is whole, machines are started, disks have space.
    pub calm_from: u64,
    /// Whether to go on until everybody has left.
    pub to_the_end: bool,
    /// Times and limits of every operator's exchange.
    pub pacing: Pacing,
    /// A planted mistake, at a seat.
    pub bug: Option<(usize, Bug)>,
}

/// How often each shape is drawn, of 100: small ceremonies are as good at finding mistakes, and ten
/// times cheaper.
const SHAPE_WEIGHTS: [(u64, usize); SHAPES.len()] = [(45, 0), (33, 1), (14, 2), (8, 3)];
const VALIDATOR_WEIGHTS: [(u64, usize); MOST_VALIDATORS] = [(85, 1), (12, 2), (3, 3)];

impl Plan {
    /// A plan in which nothing fails and everybody is honest.
    pub fn calm(seed: u64, shape: usize, validators: usize) -> Self {
        let n = SHAPES[shape].0;
        let fates = vec![Fate::calm(); n];
        let (weather, adversaries) = (Weather::clear(), Vec::new());
        Self {
            seed,
            shape,
            reshare: None,
            validators,
            weather,
            fates,
            adversaries,
            calm_from: 0,
            to_the_end: false,
            pacing: Pacing::new(LINGER),
            bug: None,
        }
    }

    /// The plan of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed, "plan");
        let shape = *chance.weighted(&SHAPE_WEIGHTS);
        let validators = *chance.weighted(&VALIDATOR_WEIGHTS);
        let (n, t) = SHAPES[shape];
        let mut plan = Self::calm(seed, shape, validators);
        plan.calm_from = chance.between(1_000, 30_000);
        plan.to_the_end = chance.happens(100);
        if chance.happens(550) {
            plan.adversaries = seats(&mut chance, n, t - 1, Adversary::ALL);
        }
        if chance.happens(600) {
            plan.weather = weather(&mut chance, n, plan.calm_from);
        }
        if chance.happens(650) {
            let room = (t - 1).saturating_sub(plan.adversaries.len());
            fates(&mut chance, &mut plan, room);
        }
        if chance.happens(400) {
            tighten(&mut chance, &mut plan.pacing);
        }
        plan
    }

    /// A reshare in which nothing fails and everybody is honest.
    pub fn calm_reshare(seed: u64, roster: usize, validators: usize) -> Self {
        let calm = Self::calm(seed, 0, validators);
        let fates = vec![Fate::calm(); ROSTERS[roster].parts.len()];
        Self { shape: roster, reshare: Some(Vec::new()), fates, ..calm }
    }

    /// The plan of a seed, of a reshare.
    pub fn draw_reshare(seed: u64) -> Self {
        let mut chance = Chance::new(seed, "plan of a reshare");
        let roster = chance.position(ROSTERS.len());
        let validators = *chance.weighted(&VALIDATOR_WEIGHTS);
        let mut plan = Self::calm_reshare(seed, roster, validators);
        let n = plan.fates.len();
        // Fewer than sign with the old shares, and with the new ones.
        let most = ROSTERS[roster].t.min(ROSTERS[roster].parent.1) - 1;
        plan.calm_from = chance.between(1_000, 30_000);
        plan.to_the_end = chance.happens(100);
        let mut lies = Vec::new();
        if chance.happens(550) {
            lies = seats(&mut chance, n, most, Lie::ALL);
        }
        if chance.happens(600) {
            plan.weather = weather(&mut chance, n, plan.calm_from);
        }
        if chance.happens(650) {
            let room = most.saturating_sub(lies.len());
            plan.reshare = Some(lies.clone());
            fates(&mut chance, &mut plan, room);
        }
        if chance.happens(400) {
            tighten(&mut chance, &mut plan.pacing);
        }
        plan.reshare = Some(lies);
        plan
    }

    /// Its operators.
    pub fn cast(&self) -> &'static Cast {
        match self.reshare {
            None => Cast::of(self.shape, self.validators),
            Some(_) => Cast::of_reshare(self.shape, self.validators),
        }
    }

    /// How many of the parent's shares sign.
    pub fn parent_threshold(&self) -> usize {
        ROSTERS[self.shape].parent.1
    }

    /// What somebody does at each seat that breaks rules in a reshare.
    pub fn lies(&self) -> &[(usize, Lie)] {
        self.reshare.as_deref().unwrap_or_default()
    }

    fn is_adversary(&self, seat: usize) -> bool {
        let lies = self.lies().iter().map(|(other, _)| *other);
        self.adversaries.iter().map(|(other, _)| *other).chain(lies).any(|other| other == seat)
    }
}

/// Up to `most` of them with what they do; mostly one, and as often as not all of one kind.
fn seats<T: Copy + Ord>(chance: &mut Chance, n: usize, most: usize, all: &[T]) -> Vec<(usize, T)> {
    let count = if chance.happens(600) { 1 } else { 1 + chance.position(most) };
    let mut seats: Vec<usize> = (0..n).collect();
    let shared = chance.happens(500).then(|| *chance.pick(all));
    let mut chosen: Vec<(usize, T)> = (0..count)
        .map(|_| {
            let seat = seats.remove(chance.position(seats.len()));
            (seat, shared.unwrap_or_else(|| *chance.pick(all)))
        })
        .collect();
    chosen.sort_unstable();
    chosen
}

/// Limits that ceremonies as small as these run into: a few frames on their way are many.
fn tighten(chance: &mut Chance, pacing: &mut Pacing) {
    pacing.backlog = *chance.pick(&[0, 600, 2_000]);
    pacing.at_once = *chance.pick(&[600, 2_000, 8_000]);
    pacing.answers_at_once = *chance.pick(&[1, 4]);
}

fn weather(chance: &mut Chance, n: usize, until: u64) -> Weather {
    let mut some = |of: &[u64]| if chance.happens(400) { *chance.pick(of) } else { 0 };
    let (drop, duplicate, delay) = (some(&[20, 100, 300, 600]), some(&[50, 300]), some(&[50, 300]));
    let (corrupt, hostile) = (some(&[10, 100, 300]), some(&[50, 200]));
    let latency = *chance.pick(&[(1, 20), (1, 200), (50, 1_500), (1, 4_000)]);
    let mut partitions = Vec::new();
    while partitions.len() < 3 && chance.happens(300) {
        let from = chance.below(until);
        let island = (0..n).filter(|_| chance.happens(400)).collect();
        partitions.push((from, chance.between(from, until), island));
    }
    Weather { latency, drop, duplicate, delay, corrupt, hostile, partitions }
}

fn fates(chance: &mut Chance, plan: &mut Plan, mut rollbacks: usize) {
    for seat in 0..plan.fates.len() {
        if plan.is_adversary(seat) {
            continue;
        }
        let fate = &mut plan.fates[seat];
        fate.start = if chance.happens(300) { chance.below(plan.calm_from) } else { 0 };
        fate.period = if chance.happens(300) {
            chance.between(150, 9_000)
        } else {
            chance.between(1_900, 2_100)
        };
        fate.power = match chance.below(10) {
            0..4 => Power::Steady,
            4..7 => Power::CutAt(chance.below(160)),
            7..9 => Power::Flaky(chance.between(2, 30)),
            _ => Power::Flaky(chance.between(30, 150)),
        };
        if chance.happens(150) {
            fate.full = chance.between(10, 200);
        } else if chance.happens(150) {
            fate.full_at = Some(chance.below(40));
        }
        if rollbacks > 0 && chance.happens(60) {
            rollbacks -= 1;
            fate.rollback = Some(chance.happens(500));
            fate.power = Power::Flaky(chance.between(5, 40));
        }
    }
}
