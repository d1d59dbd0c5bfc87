//! Honest operators, one byzantine operator, and a network under its control: it delivers what it
//! likes, as often as it likes, in any order, or never.
#![allow(clippy::disallowed_types)] // These maps are asked, never listed.

use std::collections::HashMap;

use crate::explore::Model;

use crate::machine::{Event, Machine};
use crate::memory::{Context, Stage};
use crate::properties::{Property, local, violated, violated_later};
use crate::rules::{Bug, Scope};
use crate::settle::Fair;
use crate::statement::{Book, DEAL, Id, PREPARE, SEATS};

/// Honest operators at most.
pub(crate) const HONEST: usize = SEATS - 1;

/// A state: the honest machines, by number; 0 for one that there is not. Of the byzantine operator
/// and of the network nothing needs to be remembered: it can say at any time all that it could have
/// said before, and whatever has left a machine can arrive at any time.
pub(crate) type State = [u32; HONEST];

/// Something happens to one of the honest operators (by place among them, not its seat).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) operator: usize,
    pub(crate) event: Event,
}

/// What is explored, with everything made on the way. Machines with the same key are one: far fewer
/// than states, so what comes of an event at a machine is computed once.
pub(crate) struct World {
    pub(crate) scope: Scope,
    pub(crate) book: Book,
    pub(crate) honest: Vec<usize>,
    /// The places among the honest of two that are alike.
    alike: Option<[usize; 2]>,
    numbers: HashMap<Vec<u16>, u32>,
    /// By number.
    known: Vec<Known>,
    outcomes: HashMap<(u32, Event), Vec<u32>>,
}

/// What has been found out about machines with one key.
#[derive(Default)]
struct Known {
    /// The first one; none has been seen of some that are only what others are in exchanged seats.
    machine: Option<Machine>,
    /// Number in exchanged seats.
    exchanged: Option<u32>,
    /// Whether it cares about a statement, by the statement's number.
    cares: Vec<Option<bool>>,
    /// What it breaks by itself.
    local: Option<Vec<Property>>,
}

impl World {
    pub(crate) fn new(scope: Scope) -> Self {
        let honest: Vec<usize> =
            scope.cast.seats().filter(|seat| *seat != scope.byzantine).collect();
        let place = |seat: usize| honest.iter().position(|other| *other == seat);
        let alike = scope.alike().and_then(|[one, two]| Some([place(one)?, place(two)?]));
        Self {
            book: Book::new(scope.cast.n, scope.alike()),
            scope,
            honest,
            alike,
            // The machine that there is not.
            numbers: HashMap::from([(Vec::new(), 0)]),
            known: vec![Known::default()],
            outcomes: HashMap::new(),
        }
    }

    fn scope_of(&self, operator: usize) -> Scope {
        Scope { ordered: self.scope.ordered && operator == 0, ..self.scope }
    }

    fn number_of_key(&mut self, key: Vec<u16>) -> u32 {
        let next = u32::try_from(self.known.len()).expect("few machines");
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.known.push(Known::default());
        }
        number
    }

    fn number(&mut self, operator: usize, machine: Machine) -> u32 {
        let mut key = vec![u16::try_from(self.honest[operator]).expect("a seat")];
        let scope = self.scope_of(operator);
        machine.key(&scope, &mut key, |seat| seat, |id| id);
        let number = self.number_of_key(key);
        self.known[number as usize].machine.get_or_insert(machine);
        number
    }

    /// The number of the same machine with the two seats exchanged that are alike.
    fn exchanged(&mut self, operator: usize, number: u32) -> u32 {
        if let Some(other) = self.known[number as usize].exchanged {
            return other;
        }
        let seats = [0, 1, 2, 3].map(|seat| self.book.exchanged_seat(seat));
        let own = seats[self.honest[operator]];
        let mut key = vec![u16::try_from(own).expect("a seat")];
        let (machine, book) = (*self.machine(number), &mut self.book);
        machine.key(&self.scope, &mut key, |seat| seats[seat], |id| book.exchanged(id));
        let other = self.number_of_key(key);
        self.known[number as usize].exchanged = Some(other);
        self.known[other as usize].exchanged = Some(number);
        other
    }

    pub(crate) fn machine(&self, number: u32) -> &Machine {
        self.known[number as usize].machine.as_ref().expect("a machine that was seen")
    }

    /// The honest machines with their seats.
    pub(crate) fn machines<'a>(
        &'a self,
        state: &'a State,
    ) -> impl Iterator<Item = (usize, &'a Machine)> {
        self.honest.iter().zip(state).map(|(seat, number)| (*seat, self.machine(*number)))
    }

    /// Those that take part.
    pub(crate) fn running<'a>(
        &'a self,
        state: &'a State,
    ) -> impl Iterator<Item = (usize, &'a Machine)> {
        self.machines(state).filter(|(_, machine)| machine.takes_part())
    }

    fn local(&mut self, operator: usize, number: u32) -> &[Property] {
        let known = &mut self.known[number as usize];
        let machine = known.machine.as_ref().expect("a machine that was seen");
        let seat = self.honest[operator];
        known.local.get_or_insert_with(|| local(&self.scope, &self.book, machine, seat))
    }

    pub(crate) fn cares(&mut self, operator: usize, number: u32, id: Id) -> bool {
        let at = usize::from(id);
        if let Some(Some(cares)) = self.known[number as usize].cares.get(at) {
            return *cares;
        }
        let (machine, me) = (*self.machine(number), self.honest[operator]);
        let scope = self.scope_of(operator);
        let cares = machine.cares(&scope, &mut self.book, me, id);
        let known = &mut self.known[number as usize].cares;
        known.resize(known.len().max(at + 1), None);
        known[at] = Some(cares);
        cares
    }

    pub(crate) fn wants_box(&mut self, operator: usize, number: u32, deal: Id) -> bool {
        if self.book.get(deal).round != DEAL {
            return false;
        }
        let memory = self.machine(number).memory;
        let (scope, me) = (self.scope, self.honest[operator]);
        memory.wants_box(&Context { scope: &scope, book: &mut self.book, me, sent: &[] }, deal)
    }

    pub(crate) fn event_outcomes(
        &mut self,
        operator: usize,
        number: u32,
        event: Event,
    ) -> Vec<u32> {
        if let Some(known) = self.outcomes.get(&(number, event)) {
            return known.clone();
        }
        let (me, machine) = (self.honest[operator], *self.machine(number));
        let mut machines = machine.outcomes(&self.scope, &mut self.book, me, event);
        if let Event::Statement(deal) = event {
            let statement = *self.book.get(deal);
            let follows = statement.sender != self.scope.byzantine && !self.scope.boxes_apart;
            if statement.round == DEAL && follows {
                // The box comes right after. Whoever crashed in between gets it when it is up.
                machines = machines
                    .into_iter()
                    .flat_map(|machine| self.with_box(machine, me, deal))
                    .collect();
            }
        }
        let numbers: Vec<u32> =
            machines.into_iter().map(|machine| self.number(operator, machine)).collect();
        self.outcomes.insert((number, event), numbers.clone());
        numbers
    }

    fn with_box(&mut self, machine: Machine, me: usize, deal: Id) -> Vec<Machine> {
        let scope = self.scope;
        let cx = Context { scope: &scope, book: &mut self.book, me, sent: &[] };
        match machine.memory.wants_box(&cx, deal) {
            true => machine.outcomes(&scope, &mut self.book, me, Event::Box(deal)),
            false => vec![machine],
        }
    }
}

impl Model for World {
    type State = State;
    type Action = Action;
    type Property = Property;
    type End = Vec<Stage>;

    fn initial(&mut self) -> State {
        let mut state = [0; HONEST];
        for (operator, number) in state.iter_mut().enumerate().take(self.honest.len()) {
            *number = self.number(operator, Machine::NEW);
        }
        match self.scope.certified {
            true => self.settle(&state, Fair { helps: true, until: PREPARE, ..Fair::NETWORK }),
            false => state,
        }
    }

    fn actions(&mut self, state: &State) -> Vec<Action> {
        let mut actions = Vec::new();
        for operator in 0..self.honest.len() {
            let number = state[operator];
            let on = |event| Action { operator, event };
            let (stage, starts) = {
                let machine = self.machine(number);
                (machine.memory.stage, machine.takes_part())
            };
            let forgets = self.scope.has(Bug::AbandonmentForgotten);
            if (self.scope.crashes && (starts || forgets)) || stage == Stage::Down {
                actions.push(on(Event::Start));
            }
            if stage != Stage::Down {
                actions.extend(self.words_of_people(operator, number).into_iter().map(on));
            }
            let mut statements: Vec<Id> = Vec::new();
            for (place, other) in state.iter().enumerate().take(self.honest.len()) {
                if place != operator {
                    statements.extend(self.machine(*other).sent());
                }
            }
            statements.extend(self.said_by_byzantine(state, operator));
            for id in statements {
                if self.cares(operator, number, id) {
                    actions.push(on(Event::Statement(id)));
                }
                let sender = self.book.get(id).sender;
                let apart = sender == self.scope.byzantine || self.scope.boxes_apart;
                if apart && self.wants_box(operator, number, id) {
                    actions.push(on(Event::Box(id)));
                }
            }
        }
        actions
    }

    fn outcomes(&mut self, state: &State, action: Action) -> Vec<State> {
        let numbers = self.event_outcomes(action.operator, state[action.operator], action.event);
        let with = |number| {
            let mut next = *state;
            next[action.operator] = number;
            next
        };
        numbers.into_iter().map(with).collect()
    }

    /// The same for a state and what it is with two operators exchanged that are alike.
    fn canonical(&mut self, state: &State) -> State {
        let Some([one, two]) = self.alike else { return *state };
        let mut other = *state;
        for (operator, number) in other.iter_mut().enumerate().take(self.honest.len()) {
            *number = self.exchanged(operator, *number);
        }
        other.swap(one, two);
        other.min(*state)
    }

    fn violated(&mut self, state: &State) -> Vec<Property> {
        let mut found = Vec::new();
        for (operator, number) in state.iter().enumerate().take(self.honest.len()) {
            found.extend_from_slice(self.local(operator, *number));
        }
        found.extend(violated(self, state));
        found.extend(violated_later(self, state));
        found
    }

    fn end(&self, state: &State) -> Vec<Stage> {
        let mut stages: Vec<Stage> =
            self.machines(state).map(|(_, machine)| machine.memory.stage).collect();
        stages.sort_unstable();
        stages
    }

    fn tell(&mut self, state: &State, action: Action, outcome: usize) -> String {
        let seat = self.honest[action.operator];
        let what = match action.event {
            Event::Start => "starts".to_owned(),
            Event::Statement(id) => format!("gets {}", self.book.describe(id)),
            Event::Box(deal) => format!("gets the box of #{deal}"),
            Event::Stopped(value) => format!("is stopped, with {value}"),
            Event::Without(lost) => {
                format!("is told to finish without {}", self.book.bits(lost))
            }
            Event::Abandon => "abandons".to_owned(),
            Event::Elsewhere => "begins another reshare".to_owned(),
        };
        let reached = self.outcomes(state, action)[outcome];
        let (before, after) =
            (*self.machine(state[action.operator]), *self.machine(reached[action.operator]));
        let said: Vec<String> = after
            .sent()
            .filter(|id| before.sent().all(|known| known != *id))
            .map(|id| self.book.describe(id))
            .collect();
        let power = if outcome == 0 { "" } else { ", power fails on the way" };
        let says =
            if said.is_empty() { String::new() } else { format!("; says {}", said.join("; ")) };
        format!("operator {seat} {what}{power}: {:?}{says}", after.memory.stage)
    }
}
