//! Two honest operators, one byzantine operator, and a network under its control: it delivers what
//! it likes, as often as it likes, in any order, or never.
#![allow(clippy::disallowed_types)] // These maps are asked, never listed.

use std::collections::HashMap;

use crate::explore::Model;
use crate::machine::{Event, Machine};
use crate::memory::Stage;
use crate::properties::{Property, stages, violated, violated_later};
use crate::rules::{Bug, Scope};
use crate::statement::{
    Book, COMMIT, DEAL, FINAL, Flaw, HELLO, Id, JUNK, Kind, N, NONE, PREPARE, Statement, View,
};

/// A state: the two honest machines, by number. Of the byzantine operator and of the network
/// nothing needs to be remembered: it can say at any time all that it could have said before, and
/// whatever has left a machine can arrive at any time.
pub(crate) type State = [u32; 2];

/// Something happens to one of the honest operators (0 or 1, not its seat).
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
    pub(crate) honest: [usize; 2],
    numbers: HashMap<Vec<u16>, u32>,
    /// The first machine with each key; none has been seen of some that are only what others are in
    /// exchanged seats.
    machines: Vec<Option<Machine>>,
    /// Number in exchanged seats.
    exchanged: Vec<Option<u32>>,
    outcomes: HashMap<(u32, Event), Vec<u32>>,
    cares: HashMap<(u32, Id), bool>,
}

impl World {
    pub(crate) fn new(scope: Scope) -> Self {
        let mut seats = (0..N).filter(|seat| *seat != scope.byzantine);
        let honest = [seats.next().expect("two"), seats.next().expect("two")];
        Self {
            scope,
            book: Book::new(scope.byzantine),
            honest,
            numbers: HashMap::new(),
            machines: Vec::new(),
            exchanged: Vec::new(),
            outcomes: HashMap::new(),
            cares: HashMap::new(),
        }
    }

    pub(crate) fn initial(&mut self) -> State {
        [0, 1].map(|operator| self.number(operator, Machine::NEW))
    }

    fn scope_of(&self, operator: usize) -> Scope {
        Scope { ordered: self.scope.ordered && operator == 0, ..self.scope }
    }

    fn number_of_key(&mut self, key: Vec<u16>) -> u32 {
        let next = u32::try_from(self.machines.len()).expect("few machines");
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.machines.push(None);
            self.exchanged.push(None);
        }
        number
    }

    fn number(&mut self, operator: usize, machine: Machine) -> u32 {
        let mut key = vec![u16::try_from(self.honest[operator]).expect("a seat")];
        let scope = self.scope_of(operator);
        machine.key(&scope, &mut key, |seat| seat, |id| id);
        let number = self.number_of_key(key);
        self.machines[number as usize].get_or_insert(machine);
        number
    }

    /// The number of the same machine in the other honest seat.
    fn exchanged(&mut self, operator: usize, number: u32) -> u32 {
        if let Some(known) = self.exchanged[number as usize] {
            return known;
        }
        let seats = [0, 1, 2].map(|seat| self.book.exchanged_seat(seat));
        let mut key = vec![u16::try_from(self.honest[1 - operator]).expect("a seat")];
        let (machine, book) = (*self.machine(number), &mut self.book);
        machine.key(&self.scope, &mut key, |seat| seats[seat], |id| book.exchanged(id));
        let other = self.number_of_key(key);
        self.exchanged[number as usize] = Some(other);
        self.exchanged[other as usize] = Some(number);
        other
    }

    pub(crate) fn machine(&self, number: u32) -> &Machine {
        self.machines[number as usize].as_ref().expect("a machine that was seen")
    }

    pub(crate) fn machines(&self, state: &State) -> [&Machine; 2] {
        state.map(|number| self.machine(number))
    }

    /// The same for a state and what it is with the honest operators exchanged: they do not differ
    /// in anything else.
    pub(crate) fn canonical(&mut self, state: &State) -> State {
        // With the byzantine operator in the middle, certificates are not looked for in exchanged
        // order.
        if self.scope.byzantine == 1 || self.scope.ordered {
            return *state;
        }
        let other = [self.exchanged(1, state[1]), self.exchanged(0, state[0])];
        other.min(*state)
    }

    fn cares(&mut self, operator: usize, number: u32, id: Id) -> bool {
        if let Some(known) = self.cares.get(&(number, id)) {
            return *known;
        }
        let (machine, me) = (*self.machine(number), self.honest[operator]);
        let scope = self.scope_of(operator);
        let cares = machine.cares(&scope, &mut self.book, me, id);
        self.cares.insert((number, id), cares);
        cares
    }

    fn wants_box(&self, operator: usize, number: u32, deal: Id) -> bool {
        let statement = self.book.get(deal);
        statement.round == DEAL
            && self.machine(number).memory.wants_box(&self.book, self.honest[operator], deal)
    }

    /// Everything that can change a state.
    pub(crate) fn actions(&mut self, state: &State) -> Vec<Action> {
        let mut actions = Vec::new();
        for operator in 0..2 {
            let number = state[operator];
            let on = |event| Action { operator, event };
            if self.scope.crashes || self.machine(number).memory.stage == Stage::Down {
                actions.push(on(Event::Start));
            }
            let mut statements: Vec<Id> = self.machine(state[1 - operator]).sent().collect();
            statements.extend(self.said_by_byzantine(state, operator));
            for id in statements {
                if self.cares(operator, number, id) {
                    actions.push(on(Event::Statement(id)));
                }
                let apart =
                    self.scope.boxes_apart || self.book.get(id).sender == self.scope.byzantine;
                if apart && self.wants_box(operator, number, id) {
                    actions.push(on(Event::Box(id)));
                }
            }
        }
        actions
    }

    /// All states that an action may lead to; the first is the one that it leads to if power does
    /// not fail.
    pub(crate) fn outcomes(&mut self, state: &State, action: Action) -> Vec<State> {
        let numbers = self.outcomes_of(action.operator, state[action.operator], action.event);
        let with = |number| {
            let mut next = *state;
            next[action.operator] = number;
            next
        };
        numbers.into_iter().map(with).collect()
    }

    fn outcomes_of(&mut self, operator: usize, number: u32, event: Event) -> Vec<u32> {
        if let Some(known) = self.outcomes.get(&(number, event)) {
            return known.clone();
        }
        let (me, mut machine) = (self.honest[operator], *self.machine(number));
        if let Event::Statement(id) = event {
            machine.note_dropped(&self.scope, &mut self.book, me, id);
        }
        let mut machines = machine.outcomes(&self.scope, &mut self.book, me, event);
        if let Event::Statement(deal) = event {
            let statement = *self.book.get(deal);
            if statement.round == DEAL
                && statement.sender != self.scope.byzantine
                && !self.scope.boxes_apart
            {
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
        match machine.memory.wants_box(&self.book, me, deal) {
            true => machine.outcomes(&self.scope, &mut self.book, me, Event::Box(deal)),
            false => vec![machine],
        }
    }

    /// The honest operators' statements of a round of `session` that have left them, by seat; the
    /// byzantine seat is left open.
    fn honest_view(&self, state: &State, round: usize, session: View) -> Option<View> {
        let mut view = [NONE; N];
        for (operator, seat) in self.honest.into_iter().enumerate() {
            let fits = |id: &Id| {
                let statement = self.book.get(*id);
                statement.round == round
                    && statement.is_ordinary()
                    && (round == HELLO || statement.session == session)
            };
            view[seat] = self.machine(state[operator]).sent().find(fits)?;
        }
        Some(view)
    }

    /// The byzantine operator's statements that matter to anybody: held by an honest operator, or
    /// named by one's statement, or by such a one.
    pub(crate) fn used(&self, state: &State) -> Vec<Id> {
        let byzantine = self.scope.byzantine;
        let mut used = Vec::new();
        for machine in self.machines(state) {
            (0..=FINAL).for_each(|round| used.extend(machine.memory.all(round, byzantine)));
            used.extend(
                machine.sent().map(|id| self.book.get(id).view[byzantine]).filter(|id| *id < JUNK),
            );
        }
        let mut at = 0;
        while let Some(id) = used.get(at) {
            let named = self.book.get(*id).view[byzantine];
            if named < JUNK && !used.contains(&named) {
                used.push(named);
            }
            at += 1;
        }
        used.sort_unstable();
        used.dedup();
        used
    }

    /// What the byzantine operator may say to one of the others now. Statements that nobody has
    /// used are alike, so the variants of a statement are used in order. What names a statement
    /// that does not exist never counts for anybody, and is like a wrong one.
    fn said_by_byzantine(&mut self, state: &State, operator: usize) -> Vec<Id> {
        let (scope, sender) = (self.scope, self.scope.byzantine);
        let used = self.used(state);
        let mut said = Vec::new();
        let plain = |round, session, view| Statement {
            sender,
            round,
            kind: Kind::Ordinary,
            session,
            view,
            variant: 0,
            flaw: Flaw::Sound,
        };
        self.variants(&mut said, &used, plain(HELLO, [NONE; N], [NONE; N]), scope.hellos);
        let Some(session) = self.machine(state[operator]).memory.session() else { return said };
        let deal = plain(DEAL, session, session);
        self.variants(&mut said, &used, deal, scope.deals);
        if scope.bad_deals {
            let [a, b] = self.honest.map(|seat| 1u8 << seat);
            for flaw in [Flaw::Boxes(a), Flaw::Boxes(b), Flaw::Boxes(a | b), Flaw::Public] {
                said.push(self.book.id(Statement { flaw, ..deal }));
            }
        }
        for round in [PREPARE, COMMIT, FINAL] {
            let named = |id: &Id| {
                let statement = self.book.get(*id);
                let fits = statement.round == round - 1
                    && statement.session == session
                    && statement.is_ordinary();
                fits && statement.flaw != Flaw::Public
            };
            let before: Vec<Id> = used.iter().copied().filter(named).collect();
            if let Some(mut view) = self.honest_view(state, round - 1, session) {
                for id in before {
                    view[sender] = id;
                    self.variants(
                        &mut said,
                        &used,
                        plain(round, session, view),
                        scope.sound(round),
                    );
                }
            }
            let wrong = Statement { flaw: Flaw::Public, ..plain(round, session, [JUNK; N]) };
            self.variants(&mut said, &used, wrong, scope.wrong[round - PREPARE]);
        }
        if scope.complaints {
            // One that cannot be judged, and one about each of the others, which is false.
            let complaint = |dealer, view| Statement {
                kind: Kind::Complaint(dealer),
                ..plain(PREPARE, session, view)
            };
            said.push(self.book.id(complaint(sender, [JUNK; N])));
            for (other, dealer) in self.honest.into_iter().enumerate() {
                let dealt = |id: &Id| {
                    self.book.get(*id).round == DEAL && self.book.get(*id).session == session
                };
                let deal = self.machine(state[other]).sent().find(dealt);
                if let Some(deal) = deal {
                    let mut view = [JUNK; N];
                    view[dealer] = deal;
                    said.push(self.book.id(complaint(dealer, view)));
                }
            }
        }
        said
    }

    fn variants(&mut self, said: &mut Vec<Id>, used: &[Id], statement: Statement, most: u8) {
        let mut fresh = false;
        for variant in 0..most {
            let id = self.book.id(Statement { variant, ..statement });
            let known = used.contains(&id);
            if known || !fresh {
                said.push(id);
            }
            fresh |= !known;
        }
    }

    /// What a fair network brings about: everything that honest operators hold reaches everybody,
    /// again and again; and the byzantine operator says nothing, or (`helps`) says what an honest
    /// one in its place would, as far as it has not said it already.
    pub(crate) fn settle(&mut self, state: &State, helps: bool, latest_first: bool) -> State {
        let mut state = *state;
        loop {
            let mut offered: Vec<Id> = self
                .machines(&state)
                .into_iter()
                .flat_map(|machine| machine.disk.statements())
                .collect();
            if helps {
                offered.extend(self.said_by_honest_successor(&state));
            }
            offered.sort_unstable();
            offered.dedup();
            if latest_first {
                offered.reverse();
            }
            let before = state;
            for (operator, number) in state.iter_mut().enumerate() {
                if self.machine(*number).memory.stage == Stage::Down {
                    *number = self.outcomes_of(operator, *number, Event::Start)[0];
                }
                for id in &offered {
                    if self.cares(operator, *number, *id) {
                        *number = self.outcomes_of(operator, *number, Event::Statement(*id))[0];
                    }
                    let box_comes = self.book.get(*id).sender != self.scope.byzantine || helps;
                    if box_comes && self.wants_box(operator, *number, *id) {
                        *number = self.outcomes_of(operator, *number, Event::Box(*id))[0];
                    }
                }
            }
            if state == before {
                return state;
            }
        }
    }

    fn said_by_honest_successor(&mut self, state: &State) -> Vec<Id> {
        let byzantine = self.scope.byzantine;
        let mut said = self.used(state);
        let mut session = [NONE; N];
        for round in HELLO..=FINAL {
            let own = said.iter().copied().find(|id| self.book.get(*id).round == round);
            let before = match round {
                HELLO => Some([NONE; N]),
                DEAL => self.honest_view(state, HELLO, session),
                _ => self.honest_view(state, round - 1, session),
            };
            let Some(mut view) = before else { return said };
            if round > HELLO {
                let previous =
                    said.iter().copied().find(|id| self.book.get(*id).round == round - 1);
                view[byzantine] = previous.expect("said before");
            }
            if round == DEAL {
                session = view;
            }
            if own.is_none() {
                let kind = Kind::Ordinary;
                let next = Statement {
                    sender: byzantine,
                    round,
                    kind,
                    session,
                    view,
                    variant: 0,
                    flaw: Flaw::Sound,
                };
                said.push(self.book.id(next));
            }
        }
        said
    }

    /// Whether the byzantine operator's words, as far as anybody has heard them, could be an honest
    /// operator's.
    pub(crate) fn seems_honest(&self, state: &State) -> bool {
        let used = self.used(state);
        let fair =
            |id: &Id| self.book.get(*id).is_ordinary() && self.book.get(*id).flaw == Flaw::Sound;
        // However many signatures: what an honest operator says has one content.
        let signed_again = |id: &Id| {
            let statement = self.book.get(*id);
            self.scope.has(Bug::NamesSignatures)
                && used.iter().any(|other| {
                    let earlier = self.book.get(*other);
                    earlier.variant < statement.variant
                        && Statement { variant: 0, ..*earlier }
                            == Statement { variant: 0, ..*statement }
                })
        };
        let contents = used.iter().filter(|id| !signed_again(id));
        let rounds = contents.map(|id| self.book.get(*id).round);
        used.iter().all(fair)
            && (HELLO..=FINAL).all(|round| rounds.clone().filter(|of| *of == round).count() <= 1)
    }
}

impl Model for World {
    type State = State;
    type Action = Action;
    type Property = Property;
    type End = [Stage; 2];

    fn initial(&mut self) -> State {
        self.initial()
    }

    fn actions(&mut self, state: &State) -> Vec<Action> {
        self.actions(state)
    }

    fn outcomes(&mut self, state: &State, action: Action) -> Vec<State> {
        self.outcomes(state, action)
    }

    fn canonical(&mut self, state: &State) -> State {
        self.canonical(state)
    }

    fn violated(&mut self, state: &State) -> Vec<Property> {
        let mut found = violated(self, state);
        found.extend(violated_later(self, state));
        found
    }

    fn end(&self, state: &State) -> [Stage; 2] {
        stages(self, state)
    }

    fn tell(&mut self, state: &State, action: Action, outcome: usize) -> String {
        let seat = self.honest[action.operator];
        let what = match action.event {
            Event::Start => "starts".to_owned(),
            Event::Statement(id) => format!("gets {}", self.book.describe(id)),
            Event::Box(deal) => format!("gets the box of #{deal}"),
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
