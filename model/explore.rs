//! Breadth-first search through all reachable states: the first violation found is one of the
//! shortest.
#![allow(clippy::disallowed_types)] // The set is asked, never listed.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// What is explored: states, and what leads from one to the next.
pub(crate) trait Model {
    type State: Copy + Eq + Hash;
    type Action: Copy;
    type Property: Copy + PartialEq + Debug;
    /// What is told of a state that nothing leads out of.
    type End: Ord + Debug;

    fn initial(&mut self) -> Self::State;

    /// Everything that can change a state.
    fn actions(&mut self, state: &Self::State) -> Vec<Self::Action>;

    /// All states that an action may lead to.
    fn outcomes(&mut self, state: &Self::State, action: Self::Action) -> Vec<Self::State>;

    /// The same for all states that differ in names alone.
    fn canonical(&mut self, state: &Self::State) -> Self::State;

    /// The properties that do not hold.
    fn violated(&mut self, state: &Self::State) -> Vec<Self::Property>;

    fn end(&self, state: &Self::State) -> Self::End;

    /// The outcome of an action, for people.
    fn tell(&mut self, state: &Self::State, action: Self::Action, outcome: usize) -> String;
}

/// What was found.
pub(crate) struct Report<P, E> {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    /// The longest of the shortest ways to a state.
    pub(crate) depth: usize,
    /// Whether everything was explored.
    pub(crate) exhausted: bool,
    pub(crate) time: Duration,
    /// Where nothing can happen any more, and in how many states.
    pub(crate) ends: BTreeMap<E, usize>,
    pub(crate) violation: Option<Violation<P>>,
}

pub(crate) struct Violation<P> {
    pub(crate) property: P,
    pub(crate) trace: Vec<String>,
}

impl<P: Debug, E: Debug> Report<P, E> {
    pub(crate) fn print(&self, name: &str) {
        let Self { states, steps, depth, time, .. } = self;
        println!("{name}: {states} states, {steps} steps, depth {depth}, {} ms", time.as_millis());
        for (stages, count) in &self.ends {
            println!("    {count:7} ends with {stages:?}");
        }
        if let Some(violation) = &self.violation {
            println!("    {:?} does not hold:", violation.property);
            violation.trace.iter().for_each(|line| println!("        {line}"));
        }
    }
}

/// How a state was reached first: from which state, by which action, and which of its outcomes.
struct Origin<A> {
    from: u32,
    action: A,
    outcome: u8,
}

/// Explores everything, or until a violation of a property that is not `excused`, or until `most`
/// states.
pub(crate) fn explore<M: Model>(
    mut model: M,
    excused: &[M::Property],
    most: usize,
) -> Report<M::Property, M::End> {
    let start = Instant::now();
    let initial = model.initial();
    let mut seen: HashSet<M::State> = HashSet::from([model.canonical(&initial)]);
    let mut origins: Vec<Option<Origin<M::Action>>> = vec![None];
    let (mut frontier, mut steps, mut depth) = (vec![(0u32, initial)], 0, 0);
    let mut ends: BTreeMap<M::End, usize> = BTreeMap::new();
    let mut violation = None;
    'all: while !frontier.is_empty() && origins.len() < most {
        let mut next = Vec::new();
        for (number, state) in &frontier {
            let mut ended = true;
            for action in model.actions(state) {
                for (outcome, reached) in model.outcomes(state, action).into_iter().enumerate() {
                    steps += 1;
                    if reached == *state || !seen.insert(model.canonical(&reached)) {
                        continue;
                    }
                    ended = false;
                    let outcome = u8::try_from(outcome).expect("few outcomes");
                    origins.push(Some(Origin { from: *number, action, outcome }));
                    let at = u32::try_from(origins.len() - 1).expect("fewer states");
                    let found = model.violated(&reached).into_iter();
                    if let Some(property) = { found }.find(|found| !excused.contains(found)) {
                        violation =
                            Some(Violation { property, trace: trace(&mut model, &origins, at) });
                        break 'all;
                    }
                    next.push((at, reached));
                }
            }
            if ended && is_end(&mut model, state) {
                *ends.entry(model.end(state)).or_default() += 1;
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

/// Whether every action leads back to the same state.
fn is_end<M: Model>(model: &mut M, state: &M::State) -> bool {
    let key = model.canonical(state);
    model.actions(state).into_iter().all(|action| {
        model.outcomes(state, action).iter().all(|reached| model.canonical(reached) == key)
    })
}

/// The way to a state, for people.
fn trace<M: Model>(model: &mut M, origins: &[Option<Origin<M::Action>>], to: u32) -> Vec<String> {
    let (mut way, mut at) = (Vec::new(), to);
    while let Some(origin) = &origins[at as usize] {
        way.push((origin.action, usize::from(origin.outcome)));
        at = origin.from;
    }
    let (mut state, mut lines) = (model.initial(), Vec::new());
    for (action, outcome) in way.into_iter().rev() {
        lines.push(model.tell(&state, action, outcome));
        state = model.outcomes(&state, action)[outcome];
    }
    lines
}
