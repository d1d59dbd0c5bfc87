//! How the plan of a simulated ceremony is drawn: one number, the seed, decides all of it.

use crate::exchange::Pacing;

use super::adversary::Adversary;
use super::cast::{MOST_VALIDATORS, SHAPES};
use super::chance::Chance;
use super::disk::Power;
use super::lie::Lie;
use super::lost::{How, Loss};
use super::plan::{Plan, Weather};
use super::roster::{Life, ROSTERS, pairs};

/// How often each shape is drawn, of 100: small ceremonies are as good at finding mistakes, and ten
/// times cheaper.
const SHAPE_WEIGHTS: [(u64, usize); SHAPES.len()] = [(45, 0), (33, 1), (14, 2), (8, 3)];
const VALIDATOR_WEIGHTS: [(u64, usize); MOST_VALIDATORS] = [(85, 1), (12, 2), (3, 3)];

impl Plan {
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
            plan.adversaries = seats(&mut chance, n, t - 1, &Adversary::of_any_ceremony());
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
        preregistrations(&mut plan, t - 1);
        hub(&mut plan, t - 1);
        plan
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

    /// The plan of a seed, of two reshares or imports of one parent at the same time.
    pub fn draw_fork(seed: u64) -> Self {
        let mut chance = Chance::new(seed, "plan of a fork");
        let witnessed = |pair: &[usize; 2]| pair.iter().any(|at| ROSTERS[*at].has_witnesses());
        let (witnessed, plain): (Vec<[usize; 2]>, Vec<_>) =
            pairs().into_iter().partition(witnessed);
        let pair = *chance.pick(&plain);
        let [first, second] = sometimes(seed, &witnessed).unwrap_or(pair);
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
        let (witnessed, plain): (Vec<usize>, Vec<usize>) =
            life.rosters().partition(|at| ROSTERS[*at].has_witnesses());
        let at = *chance.pick(&plain);
        let at = sometimes(seed, &witnessed).unwrap_or(at);
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
        hub(&mut plan, most);
        plan
    }
}

/// In a quarter of the cases one of these, with witnesses, in the place of what else the seed
/// gives: by a chance of its own, so that three of four seeds give what they gave before.
fn sometimes<T: Copy>(seed: u64, witnessed: &[T]) -> Option<T> {
    let mut chance = Chance::new(seed, "witnesses");
    let there = !witnessed.is_empty() && chance.happens(250);
    there.then(|| *chance.pick(witnessed))
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

/// In one of five key generations the file asks for preregistrations, and for a registration of
/// every validator; in a third of these somebody signs another one, if no more than `most` break
/// rules then. By a chance of its own, like witnesses.
fn preregistrations(plan: &mut Plan, most: usize) {
    let mut chance = Chance::new(plan.seed, "preregistrations");
    plan.preregisters = chance.happens(200);
    let seat = chance.position(plan.fates.len());
    let free = !plan.is_adversary(seat) && plan.fates[seat].rollback.is_none();
    if plan.preregisters && free && plan.faulty() < most && chance.happens(350) {
        plan.adversaries.push((seat, *chance.pick(&Adversary::OF_ITEMS)));
        plan.adversaries.sort_unstable();
    }
}

/// In one of ten cases one operator alone reaches the others, until faults stop; mostly it breaks
/// rules besides, if no more than `most` do then. By a chance of its own, like witnesses.
fn hub(plan: &mut Plan, most: usize) {
    let mut chance = Chance::new(plan.seed, "hub");
    if !chance.happens(100) {
        return;
    }
    let seat = chance.position(plan.fates.len());
    plan.weather.hub = Some(seat);
    let free = !plan.is_adversary(seat)
        && plan.fates[seat].rollback.is_none()
        && plan.lost.iter().all(|loss| loss.seat != seat);
    if free && plan.faulty() < most && chance.happens(700) {
        plan.lies.push((seat, *chance.pick(&Lie::OF_HUBS)));
        plan.lies.sort_unstable();
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
    Weather { latency, drop, duplicate, delay, corrupt, hostile, partitions, hub: None }
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
