//! What comes if everybody who can does what it should.

use crate::machine::Event;
use crate::memory::{Context, Stage};
use crate::rules::Bug;
use crate::statement::{FINAL, Id, Kind, Seats, contains};
use crate::world::{State, World};

/// What [`World::settle`] brings about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fair {
    /// The byzantine operator says what an honest one in its place would, as far as it has not said
    /// it already. Otherwise it says nothing.
    pub(crate) helps: bool,
    /// Without whom people finish, if they may.
    pub(crate) lost: Seats,
    /// Nothing of later rounds arrives; before the last nobody is stopped.
    pub(crate) until: usize,
    /// What was signed last arrives first.
    pub(crate) latest_first: bool,
}

impl Fair {
    /// The network alone is fair, and dealers are stopped.
    pub(crate) const NETWORK: Self =
        Self { helps: false, lost: 0, until: FINAL, latest_first: false };
}

impl World {
    /// What a fair network and willing people bring about: everything that honest operators hold
    /// reaches everybody that takes part, again and again.
    pub(crate) fn settle(&mut self, state: &State, fair: Fair) -> State {
        let mut state = *state;
        loop {
            let mut offered: Vec<Id> =
                self.running(&state).flat_map(|(_, machine)| machine.disk.statements()).collect();
            if fair.helps {
                offered.extend(self.said_by_honest_successor(&state, fair.lost));
            }
            offered.retain(|id| self.book.get(*id).round <= fair.until);
            offered.sort_unstable();
            offered.dedup();
            if fair.latest_first {
                offered.reverse();
            }
            let before = state;
            for operator in 0..self.honest.len() {
                self.settle_one(&mut state, operator, &offered, fair);
            }
            if state == before {
                return state;
            }
        }
    }

    fn settle_one(&mut self, state: &mut State, operator: usize, offered: &[Id], fair: Fair) {
        let byzantine = self.scope.byzantine;
        let mut number = state[operator];
        if !self.machine(number).takes_part() {
            return;
        }
        if self.machine(number).memory.stage == Stage::Down {
            number = self.event_outcomes(operator, number, Event::Start)[0];
        }
        for id in offered {
            let said = *self.book.get(*id);
            let kept = !fair.helps
                && self.scope.has(Bug::MinimaNotPassedOn)
                && matches!(said.kind, Kind::Minima(_));
            if self.cares(operator, number, *id) && !(kept && said.sender == byzantine) {
                number = self.event_outcomes(operator, number, Event::Statement(*id))[0];
            }
            let box_comes = said.sender != byzantine || fair.helps;
            if box_comes && self.wants_box(operator, number, *id) {
                number = self.event_outcomes(operator, number, Event::Box(*id))[0];
            }
        }
        if fair.until < FINAL {
            state[operator] = number;
            return;
        }
        for event in self.words_of_settled(operator, number, fair.lost) {
            number = self.event_outcomes(operator, number, event)[0];
        }
        state[operator] = number;
    }

    fn words_of_settled(&mut self, operator: usize, number: u32, lost: Seats) -> Vec<Event> {
        let (scope, me, memory) = (self.scope, self.honest[operator], self.machine(number).memory);
        let cx = Context { scope: &scope, book: &mut self.book, me, sent: &[] };
        let waits = memory.stage == Stage::Stop && scope.cast.stops(me);
        let stops = waits && memory.minima_of(me).next().is_none();
        let without = lost != 0 && !contains(lost, me);
        let without = without && memory.may_say_without(&cx, lost).is_some();
        let stops = stops.then_some(Event::Stopped(1));
        stops.into_iter().chain(without.then_some(Event::Without(lost))).collect()
    }
}
