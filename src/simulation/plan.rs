//! The plan of a simulated ceremony, decided by its seed: the shape, who breaks which rule, what
//! fails and for how long.

use std::time::Duration;

use crate::exchange::Pacing;

use super::adversary::Adversary;
use super::bug::Bug;
use super::cast::{Cast, MOST_VALIDATORS, SHAPES};
use super::chance::Chance;
use super::disk::Power;
use super::fork::Other;
use super::lie::Lie;
use super::lost::{How, Loss};
use super::roster::{Life, ROSTERS};

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
    /// Of a key generation: position in [`SHAPES`].
    pub shape: usize,
    /// Of a reshare, an import or a repair: position in [`ROSTERS`].
    pub roster: Option<usize>,
    /// Of these: seats (positions) that break rules.
    pub lies: Vec<(usize, Lie)>,
    /// Number of validators.
    pub validators: usize,
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
            roster: None,
            lies: Vec::new(),
            lost: Vec::new(),
            other: None,
            patient: true,
            hasty: false,
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

    /// A ceremony of a roster in which nothing fails and everybody is honest.
    pub fn calm_life(seed: u64, roster: usize, validators: usize) -> Self {
        let calm = Self::calm(seed, 0, validators);
        let fates = vec![Fate::calm(); ROSTERS[roster].parts.len()];
        Self { roster: Some(roster), fates, ..calm }
    }

    /// The plan of a seed, of a ceremony of keys that exist.
    pub fn draw_life(seed: u64) -> Self {
        let kind = Chance::new(seed, "kind of life").below(10);
        match kind {
            0..4 => Self::draw_reshare(seed),
            4..6 => Self::draw_import(seed),
            6..8 => Self::draw_repair(seed),
            _ => Self::draw_fork(seed),
        }
    }

    /// The plan of a seed, of a reshare.
    pub fn draw_reshare(seed: u64) -> Self {
        Self::draw_of(seed, Life::Reshare)
    }

    /// The plan of a seed, of an import.
    pub fn draw_import(seed: u64) -> Self {
        Self::draw_of(seed, Life::Import)
    }

    /// The plan of a seed, of a repair.
    pub fn draw_repair(seed: u64) -> Self {
        Self::draw_of(seed, Life::Repair)
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

    /// The plan of a seed, of two reshares or imports of one parent at the same time.
    pub fn draw_fork(seed: u64) -> Self {
        let mut chance = Chance::new(seed, "plan of a fork");
        let pairs = pairs();
        let [first, second] = *chance.pick(&pairs);
        let names = |roster: usize| ROSTERS[roster].parts.iter().map(|(name, _, _)| *name);
        let common: Vec<&'static str> =
            names(first).filter(|name| names(second).any(|other| other == *name)).collect();
        let cheats: Vec<&'static str> =
            common.into_iter().filter(|_| chance.happens(250)).collect();
        let mut plan = Self::calm_fork(seed, [first, second], &cheats);
        let mut other = plan.other.take().expect("a fork");
        for plan in [&mut plan, &mut *other.plan] {
            plan.calm_from = chance.between(1_000, 30_000);
            let n = plan.fates.len();
            if chance.happens(400) {
                plan.weather = weather(&mut chance, n, plan.calm_from);
            }
            if chance.happens(500) {
                fates(&mut chance, plan, 1);
            }
            losses(&mut chance, plan);
            // People begin one of the two first.
            let later = if chance.happens(500) { chance.below(40_000) } else { 0 };
            plan.fates.iter_mut().for_each(|fate| fate.start += later);
            plan.calm_from += later;
        }
        Self { other: Some(other), ..plan }
    }

    fn draw_of(seed: u64, life: Life) -> Self {
        let mut chance = Chance::new(seed, "plan of a life");
        let rosters: Vec<usize> = life.rosters().collect();
        let at = *chance.pick(&rosters);
        let validators = *chance.weighted(&VALIDATOR_WEIGHTS);
        let mut plan = Self::calm_life(seed, at, validators);
        let n = plan.fates.len();
        // Fewer than sign with the old shares, and with the new ones. Whoever has whole keys to
        // import needs nobody to sign.
        let before = plan.cast().parent.as_ref().map_or(1, |parent| parent.t);
        let most = match life {
            Life::Import => ROSTERS[at].t - 1,
            Life::Reshare | Life::Repair => ROSTERS[at].t.min(before) - 1,
        };
        plan.calm_from = chance.between(1_000, 30_000);
        plan.to_the_end = chance.happens(100);
        if chance.happens(550) {
            plan.lies = seats(&mut chance, n, most, &Lie::of(life));
        }
        if chance.happens(600) {
            plan.weather = weather(&mut chance, n, plan.calm_from);
        }
        if chance.happens(650) {
            let room = most.saturating_sub(plan.lies.len());
            fates(&mut chance, &mut plan, room);
        }
        if chance.happens(400) {
            tighten(&mut chance, &mut plan.pacing);
        }
        if life != Life::Repair {
            losses(&mut chance, &mut plan);
        }
        plan
    }

    /// Its operators.
    pub fn cast(&self) -> &'static Cast {
        match self.roster {
            None => Cast::of(self.shape, self.validators),
            Some(roster) => Cast::of_roster(roster, self.validators),
        }
    }

    fn is_adversary(&self, seat: usize) -> bool {
        let lies = self.lies.iter().map(|(other, _)| *other);
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

/// Every two rosters that deal the same keys to different operators, or differently; of imports
/// those of one dealer.
pub fn pairs() -> Vec<[usize; 2]> {
    let dealers = |at: usize| {
        let parts = ROSTERS[at].parts.iter();
        parts.filter(|(_, deals, _)| *deals).map(|(name, _, _)| *name).collect::<Vec<_>>()
    };
    let fit = |first: usize, second: usize| {
        let (one, two) = (&ROSTERS[first], &ROSTERS[second]);
        let same = one.life == two.life && one.origin == two.origin;
        let life = match one.life {
            Life::Reshare => true,
            Life::Import => dealers(first) == dealers(second),
            Life::Repair => false,
        };
        first != second && same && life
    };
    let all = 0..ROSTERS.len();
    let second = all.clone();
    all.flat_map(|first| {
        second.clone().filter(move |second| fit(first, *second)).map(move |second| [first, second])
    })
    .collect()
}

/// Who is lost after its commit, and what people do about finals that do not come.
fn losses(chance: &mut Chance, plan: &mut Plan) {
    plan.patient = chance.happens(250);
    plan.hasty = !plan.patient && chance.happens(300);
    if !chance.happens(300) {
        return;
    }
    let mut left: Vec<usize> =
        (0..plan.fates.len()).filter(|seat| !plan.is_adversary(*seat)).collect();
    for _ in 0..chance.between(1, 2) {
        if left.len() < 2 {
            break;
        }
        let seat = left.remove(chance.position(left.len()));
        let how = if chance.happens(300) { How::Abandoned } else { How::Machine };
        let after = *chance.pick(&[0, 0, 10, 100, 2_000, 8_000]);
        let back = chance.happens(300).then(|| chance.between(1_000, 90_000));
        plan.lost.push(Loss { seat, how, after, back });
    }
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
