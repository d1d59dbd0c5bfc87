//! Runs many ceremonies, one for each seed, on all processors.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::primitives::memo::Memory;

use super::adversary::Adversary;
use super::cast::SHAPES;
use super::fork::Fork;
use super::lie::Lie;
use super::oracle::{Oracle, Violation};
use super::plan::Plan;
use super::roster::ROSTERS;
use super::verdict::{Ending, Played};
use super::world::World;

/// Violations kept in full; beyond them they are only counted.
const MOST_KEPT: usize = 100;

/// What many ceremonies came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Ceremonies played.
    pub ceremonies: u64,
    /// By how they ended.
    pub endings: BTreeMap<Ending, u64>,
    /// By operators and threshold.
    pub shapes: BTreeMap<(usize, usize), u64>,
    /// How many ceremonies each adversary took part in, and in how many of them all honest
    /// operators finished.
    pub adversaries: BTreeMap<Adversary, (u64, u64)>,
    /// Of reshares, imports and repairs, by the name of the roster.
    pub rosters: BTreeMap<&'static str, u64>,
    /// The same of what operators of these do that break rules.
    pub lies: BTreeMap<Lie, (u64, u64)>,
    /// How often a dealer of a reshare was stopped, or raised what it had said.
    pub stops: u64,
    /// Seats that were lost after their commit, for some time or for good.
    pub losses: u64,
    /// Ceremonies that were finished without some seats.
    pub without: u64,
    /// Pairs of reshares of one parent, of them completed both, and how often a program was refused
    /// beside the other one.
    pub forks: (u64, u64, u64),
    /// Ceremonies without any adversary.
    pub honest: u64,
    /// Ceremonies with several adversaries.
    pub coalitions: u64,
    /// Losses of power.
    pub crashes: u64,
    /// Programs that ended because a disk was full.
    pub full: u64,
    /// Disks put back to an earlier state.
    pub rollbacks: u64,
    /// Events.
    pub events: u64,
    /// Sets of `t` shares that were found to sign.
    pub subsets: u64,
    /// Violations, by seed.
    pub violations: Vec<(u64, Violation)>,
    /// How many there were.
    pub violated: u64,
    /// The traces of all ceremonies in one number, whatever their order.
    pub trace: u64,
}

impl Totals {
    fn add(&mut self, plan: &Plan, played: &Played) {
        self.ceremonies += 1;
        *self.endings.entry(played.ending).or_default() += 1;
        match plan.roster {
            None => *self.shapes.entry(SHAPES[plan.shape]).or_default() += 1,
            Some(roster) => *self.rosters.entry(ROSTERS[roster].name).or_default() += 1,
        }
        if let Some(roster) = plan.other.as_ref().and_then(|other| other.plan.roster) {
            *self.rosters.entry(ROSTERS[roster].name).or_default() += 1;
        }
        let ignorant = plan.other.as_ref().map_or(0, |other| other.cheats.len());
        let cheats = plan.adversaries.len() + plan.lies.len() + ignorant;
        self.honest += u64::from(cheats == 0);
        self.coalitions += u64::from(cheats > 1);
        let finished = played.ending == Ending::Finished;
        count(&mut self.adversaries, &plan.adversaries, finished);
        count(&mut self.lies, &plan.lies, finished);
        self.stops += played.stops;
        self.losses += played.losses;
        let pair = u64::from(plan.other.is_some());
        self.forks = sum(self.forks, (pair, u64::from(played.forked), played.refused));
        self.without += u64::from(played.left_out > 0);
        self.crashes += played.crashes;
        self.full += played.full;
        self.rollbacks += played.rollbacks;
        self.events += played.events;
        self.subsets += played.subsets;
        self.violated += u64::from(!played.violations.is_empty());
        let room = MOST_KEPT.saturating_sub(self.violations.len());
        self.violations.extend(
            played.violations.iter().take(room).map(|violation| (plan.seed, violation.clone())),
        );
        self.trace = self.trace.wrapping_add(played.trace);
    }

    fn merge(&mut self, other: Self) {
        self.ceremonies += other.ceremonies;
        other
            .endings
            .into_iter()
            .for_each(|(ending, count)| *self.endings.entry(ending).or_default() += count);
        other
            .shapes
            .into_iter()
            .for_each(|(shape, count)| *self.shapes.entry(shape).or_default() += count);
        add_all(&mut self.adversaries, other.adversaries);
        add_all(&mut self.lies, other.lies);
        for (roster, count) in other.rosters {
            *self.rosters.entry(roster).or_default() += count;
        }
        self.stops += other.stops;
        self.losses += other.losses;
        self.forks = sum(self.forks, other.forks);
        self.without += other.without;
        self.honest += other.honest;
        self.coalitions += other.coalitions;
        self.crashes += other.crashes;
        self.full += other.full;
        self.rollbacks += other.rollbacks;
        self.events += other.events;
        self.subsets += other.subsets;
        self.violated += other.violated;
        self.violations.extend(other.violations);
        self.violations.sort_by_key(|(seed, _)| *seed);
        self.violations.truncate(MOST_KEPT);
        self.trace = self.trace.wrapping_add(other.trace);
    }
}

fn sum(a: (u64, u64, u64), b: (u64, u64, u64)) -> (u64, u64, u64) {
    (a.0 + b.0, a.1 + b.1, a.2 + b.2)
}

/// Of each kind: in how many ceremonies, and in how many of them all honest operators finished.
type Counts<T> = BTreeMap<T, (u64, u64)>;

fn count<T: Copy + Ord>(counts: &mut Counts<T>, cheats: &[(usize, T)], finished: bool) {
    let mut kinds: Vec<T> = cheats.iter().map(|(_, kind)| *kind).collect();
    kinds.dedup();
    for kind in kinds {
        let (all, ended) = counts.entry(kind).or_default();
        *all += 1;
        *ended += u64::from(finished);
    }
}

fn add_all<T: Ord>(counts: &mut Counts<T>, others: Counts<T>) {
    for (kind, (all, finished)) in others {
        let sum = counts.entry(kind).or_default();
        *sum = (sum.0 + all, sum.1 + finished);
    }
}

/// Plays a plan. A panic is a violation, like everything else that must not happen.
pub fn play(plan: Plan) -> Played {
    // Of the public questions only: what one operator has verified is not verified again for the
    // others.
    let _memory = Memory::begin();
    let play = || match plan.other.clone() {
        None => World::new(plan).play(),
        Some(other) => Fork::new(plan, &other).play(),
    };
    match catch_unwind(AssertUnwindSafe(play)) {
        Ok(played) => played,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let what =
                text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned();
            let violations = vec![Violation { oracle: Oracle::Panic, what }];
            Played {
                ending: Ending::Waiting,
                violations,
                trace: 0,
                events: 0,
                crashes: 0,
                full: 0,
                rollbacks: 0,
                stops: 0,
                losses: 0,
                left_out: 0,
                forked: false,
                refused: 0,
                moments: Vec::new(),
                transcript: None,
                subsets: 0,
            }
        }
    }
}

/// Plays the key generations of the seeds from `base` on, `count` of them, on `threads` threads.
/// `progress` is told how many are done. What comes out does not depend on the number of threads.
pub fn campaign(base: u64, count: u64, threads: usize, progress: impl Fn(u64) + Sync) -> Totals {
    campaign_of(Plan::draw, base, count, threads, progress)
}

/// The same of the ceremonies that `draw` gives for seeds.
pub fn campaign_of(
    draw: fn(u64) -> Plan,
    base: u64,
    count: u64,
    threads: usize,
    progress: impl Fn(u64) + Sync,
) -> Totals {
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let totals = Mutex::new(Totals::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut own = Totals::default();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    let plan = draw(base.wrapping_add(at));
                    let played = play(plan.clone());
                    own.add(&plan, &played);
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
                totals.lock().expect("no thread panics outside of a ceremony").merge(own);
            });
        }
    });
    totals.into_inner().expect("no thread panics outside of a ceremony")
}
