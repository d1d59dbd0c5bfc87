//! Breadth-first search through all reachable states: the first violation found is one of the
//! shortest.
#![allow(clippy::disallowed_types)] // The set is asked, never listed.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use crate::machine::Event;
use crate::memory::Stage;
use crate::properties::{Property, stages, violated, violated_later};
use crate::rules::Scope;
use crate::world::{Action, State, World};

/// What was found.
pub(crate) struct Report {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    /// The longest of the shortest ways to a state.
    pub(crate) depth: usize,
    /// Whether everything was explored.
    pub(crate) exhausted: bool,
    pub(crate) time: Duration,
    /// Where nothing can happen any more: the stages of the honest operators, and in how many
    /// states.
    pub(crate) ends: BTreeMap<[Stage; 2], usize>,
    pub(crate) violation: Option<Violation>,
}

pub(crate) struct Violation {
    pub(crate) property: Property,
    pub(crate) trace: Vec<String>,
}

/// How a state was reached first: from which state, by which action, and which of its outcomes.
struct Origin {
    from: u32,
    action: Action,
    outcome: u8,
}

/// Explores everything, or until a violation of a property that is not `excused`, or until `most`
/// states.
pub(crate) fn explore(scope: Scope, excused: &[Property], most: usize) -> Report {
    let start = Instant::now();
    let mut world = World::new(scope);
    let initial = world.initial();
    let mut seen: HashSet<State> = HashSet::from([world.canonical(&initial)]);
    let mut origins: Vec<Option<Origin>> = vec![None];
    let (mut frontier, mut steps, mut depth) = (vec![(0u32, initial)], 0, 0);
    let mut ends: BTreeMap<[Stage; 2], usize> = BTreeMap::new();
    let mut violation = None;
    'all: while !frontier.is_empty() && origins.len() < most {
        let mut next = Vec::new();
        for (number, state) in &frontier {
            let mut ended = true;
            for action in world.actions(state) {
                for (outcome, reached) in world.outcomes(state, action).into_iter().enumerate() {
                    steps += 1;
                    if reached == *state || !seen.insert(world.canonical(&reached)) {
                        continue;
                    }
                    ended = false;
                    let outcome = u8::try_from(outcome).expect("few outcomes");
                    origins.push(Some(Origin { from: *number, action, outcome }));
                    let at = u32::try_from(origins.len() - 1).expect("fewer states");
                    if let Some(property) = judged(&mut world, &reached, excused) {
                        violation =
                            Some(Violation { property, trace: trace(&mut world, &origins, at) });
                        break 'all;
                    }
                    next.push((at, reached));
                }
            }
            if ended && is_end(&mut world, state) {
                *ends.entry(stages(&world, state)).or_default() += 1;
            }
        }
        frontier = next;
        depth += 1;
    }
    let exhausted = frontier.is_empty() && violation.is_none();
    Report {
        states: origins.len(),
        steps,
        depth,
        exhausted,
        time: start.elapsed(),
        ends,
        violation,
    }
}

fn judged(world: &mut World, state: &State, excused: &[Property]) -> Option<Property> {
    let broken =
        |found: Vec<Property>| found.into_iter().find(|property| !excused.contains(property));
    broken(violated(world, state)).or_else(|| broken(violated_later(world, state)))
}

/// Whether every action leads back to the same state.
fn is_end(world: &mut World, state: &State) -> bool {
    let key = world.canonical(state);
    world.actions(state).into_iter().all(|action| {
        world.outcomes(state, action).iter().all(|reached| world.canonical(reached) == key)
    })
}

/// The way to a state, for people.
fn trace(world: &mut World, origins: &[Option<Origin>], to: u32) -> Vec<String> {
    let (mut way, mut at) = (Vec::new(), to);
    while let Some(origin) = &origins[at as usize] {
        way.push((origin.action, origin.outcome));
        at = origin.from;
    }
    let (mut state, mut lines) = (world.initial(), Vec::new());
    for (action, outcome) in way.into_iter().rev() {
        let seat = world.honest[action.operator];
        let what = match action.event {
            Event::Start => "starts".to_owned(),
            Event::Statement(id) => format!("gets {}", world.book.describe(id)),
            Event::Box(deal) => format!("gets the box of #{deal}"),
        };
        let outcomes = world.outcomes(&state, action);
        let reached = outcomes[usize::from(outcome)];
        let (before, after) =
            (*world.machine(state[action.operator]), *world.machine(reached[action.operator]));
        let said: Vec<String> = after
            .sent()
            .filter(|id| before.sent().all(|known| known != *id))
            .map(|id| world.book.describe(id))
            .collect();
        let power = if outcome == 0 { "" } else { ", power fails on the way" };
        let says =
            if said.is_empty() { String::new() } else { format!("; says {}", said.join("; ")) };
        lines.push(format!("operator {seat} {what}{power}: {:?}{says}", after.memory.stage));
        state = reached;
    }
    lines
}
