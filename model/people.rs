//! What people say and do in a reshare: `protocol/stop.rs`, `protocol/without.rs`, and what their
//! machines let them do.

use crate::inbox::MINIMA;
use crate::machine::Event;
use crate::memory::{Context, Memory, Stage, Step};
use crate::rules::Bug;
use crate::statement::{COMMIT, DEAL, FINAL, Kind, NONE, SEATS, Seats, contains};
use crate::world::World;

impl Memory {
    // protocol/without.rs

    /// Whose final is here and has passed.
    pub(crate) fn finals(&self, cx: &Context<'_>) -> Seats {
        let passed = |seat: &usize| self.filling(cx, *seat).is_some();
        cx.scope.cast.seats().filter(passed).fold(0, |all, seat| all | 1 << seat)
    }

    /// `World::left_out`, with `message/without.rs`.
    pub(crate) fn left_out(&self, cx: &Context<'_>, finals: Seats) -> Option<Seats> {
        let (cast, everybody) = (cx.scope.cast, (1u8 << cx.scope.cast.n) - 1);
        let mut lost = everybody & !finals;
        loop {
            let disagrees = |seat: &usize| {
                let own = *seat == cx.me;
                let said = self.does_without(cx.book, *seat);
                !contains(lost, *seat)
                    && lost & !said != 0
                    && (own || !cx.scope.has(Bug::OneWordIsEnough))
            };
            let more = cast.seats().filter(disagrees).fold(lost, |all, seat| all | 1 << seat);
            if more == lost {
                break;
            }
            lost = more;
        }
        let enough = cast.enough(lost) || cx.scope.has(Bug::FewAreEnough);
        (!contains(lost, cx.me) && lost != everybody && enough).then_some(lost)
    }

    /// `Participant::word_without`.
    pub(crate) fn may_say_without(&self, cx: &Context<'_>, lost: Seats) -> Option<Seats> {
        let named = self.does_without(cx.book, cx.me);
        let seats = lost | named;
        let everybody = (1u8 << cx.scope.cast.n) - 1;
        let enough = cx.scope.cast.enough(seats) || cx.scope.has(Bug::FewAreEnough);
        let heard = everybody & !self.finals(cx) & !seats == 0;
        let room = self.words[cx.me].contains(&NONE);
        let may = self.stage == Stage::Finals && !contains(lost, cx.me) && enough && heard && room;
        (may && seats != named).then_some(seats)
    }

    /// `take_without`.
    pub(crate) fn take_without(&mut self, cx: &mut Context<'_>, lost: Seats) -> Step {
        let mut step = Step::default();
        let Some(seats) = self.may_say_without(cx, lost) else { return step };
        let deals = self.complete(&cx.scope.cast, cx.book, DEAL).expect("all deals were checked");
        let word = self.signed(cx, FINAL, Kind::Without(seats), deals);
        let id = cx.book.id(word);
        self.say(cx, &mut step, id);
        if cx.scope.has(Bug::WordNotStored) {
            step.persist.clear();
        }
        self.advance(cx, &mut step);
        step
    }

    // protocol/stop.rs

    /// Whether `take_stopped` takes the word of this dealer's person, and `cli/stop.rs` lets it say
    /// it: nothing lower than before.
    pub(crate) fn may_say_minima(&self, cx: &Context<'_>, value: u8) -> bool {
        let certified =
            matches!(self.stage, Stage::Stop | Stage::Commits | Stage::Staging | Stage::Finals);
        let before = self.signed_last(cx.book, cx.me);
        let raises = before.is_none_or(|before| value > before)
            || (cx.scope.has(Bug::MinimaLowered) && before != Some(value));
        let room = self.minima_of(cx.me).count() < MINIMA;
        cx.scope.cast.stops(cx.me) && certified && raises && room
    }

    /// `take_stopped`.
    pub(crate) fn take_minima(&mut self, cx: &mut Context<'_>, value: u8) -> Step {
        let mut step = Step::default();
        if self.may_say_minima(cx, value) {
            let minima = self.signed(cx, COMMIT, Kind::Minima(value), [NONE; SEATS]);
            let id = cx.book.id(minima);
            self.say(cx, &mut step, id);
            self.advance(cx, &mut step);
            if cx.scope.has(Bug::MinimaLate) {
                step.persist.rotate_left(1);
                step.send.rotate_left(1);
            }
        }
        step
    }
}

impl World {
    /// What a person may say to its machine now. In a key generation there is nothing.
    pub(crate) fn words_of_people(&mut self, operator: usize, number: u32) -> Vec<Event> {
        if self.scope.cast.parent.is_none() {
            return Vec::new();
        }
        let (scope, me, machine) = (self.scope, self.honest[operator], *self.machine(number));
        let cx = Context { scope: &scope, book: &mut self.book, me, sent: &[] };
        let memory = &machine.memory;
        let mut events = Vec::new();
        let first = memory.minima_of(me).next().is_none();
        // What is said second is higher.
        let value = 1 + u8::from(first == scope.has(Bug::MinimaLowered));
        if (first || scope.raises) && memory.may_say_minima(&cx, value) {
            events.push(Event::Stopped(value));
        }
        if scope.without {
            let everybody: Seats = (1 << scope.cast.n) - 1;
            let may = |lost: &Seats| memory.may_say_without(&cx, *lost).is_some();
            events.extend((1..=everybody).filter(may).map(Event::Without));
        }
        let (commits, bound) =
            (machine.disk.commits(cx.book, me), machine.disk.is_bound(cx.book, me));
        let may_abandon = commits && (!bound || scope.has(Bug::AbandonAfterFinal));
        if scope.abandons && may_abandon && machine.takes_part() && !machine.disk.abandoned {
            events.push(Event::Abandon);
        }
        let free = scope.has(Bug::TwoChildren) || (!machine.disk.note && !commits);
        if scope.others && free && machine.takes_part() && !machine.disk.elsewhere {
            events.push(Event::Elsewhere);
        }
        events
    }
}
