//! What people say: `protocol/stop.rs` and `protocol/without.rs`.

use super::inbox::MINIMA;
use super::memory::{Context, Memory, Stage, Step};
use super::rules::Bug;
use super::statement::{COMMIT, DEAL, FINAL, Kind, NONE, SEATS, Seats, contains};

impl Memory {
    // protocol/without.rs

    /// Whose final is here and has passed.
    pub(super) fn finals(&self, cx: &Context<'_>) -> Seats {
        let passed = |seat: &usize| self.filling(cx, *seat).is_some();
        cx.scope.cast.seats().filter(passed).fold(0, |all, seat| all | 1 << seat)
    }

    /// `World::left_out`, with `message/without.rs`.
    pub(super) fn left_out(&self, cx: &Context<'_>, finals: Seats) -> Option<Seats> {
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
        cx.scope.cast.deals(cx.me) && certified && raises && room
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
