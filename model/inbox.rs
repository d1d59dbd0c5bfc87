//! Model of `message/inbox.rs`: which statements are kept, and which of them count.

use crate::memory::{Context, Memory, Stage};
use crate::rules::{Bug, Cast};
use crate::statement::{
    Book, COMMIT, DEAL, FINAL, Flaw, HELLO, Id, Kind, NONE, PREPARE, SEATS, Seats, Statement, View,
    contains,
};

/// Statements kept in a slot: two, and the prepares that the commits of all operators (two each)
/// name; of commits and finals one that passes where two do not.
pub(crate) const HELD: usize = 6;
/// Minima kept of a dealer: `MOST_MINIMA`.
pub(crate) const MINIMA: usize = 2;
/// Words kept of an operator: each names one more seat than those before it.
pub(crate) const WORDS: usize = SEATS - 1;

/// `Arrival` of `message/inbox.rs`, and `Rejected` for what is early, or of another session or
/// certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    New,
    Same,
    Conflict,
    Surplus,
    Rejected,
}

impl Memory {
    pub(crate) fn all(&self, round: usize, sender: usize) -> impl Iterator<Item = Id> + '_ {
        self.slots[round][sender].iter().copied().take_while(|id| *id != NONE)
    }

    pub(crate) fn first(&self, round: usize, sender: usize) -> Option<Id> {
        self.all(round, sender).next()
    }

    pub(crate) fn minima_of(&self, dealer: usize) -> impl Iterator<Item = Id> + '_ {
        self.minima[dealer].iter().copied().take_while(|id| *id != NONE)
    }

    pub(crate) fn words_of(&self, sender: usize) -> impl Iterator<Item = Id> + '_ {
        self.words[sender].iter().copied().take_while(|id| *id != NONE)
    }

    /// `Inbox::signed_last`.
    pub(crate) fn signed_last(&self, book: &Book, dealer: usize) -> Option<u8> {
        let value = |id| match book.get(id).kind {
            Kind::Minima(value) => value,
            _ => 0,
        };
        self.minima_of(dealer).map(value).max()
    }

    /// `Inbox::does_without`.
    pub(crate) fn does_without(&self, book: &Book, sender: usize) -> Seats {
        let named = |id| match book.get(id).kind {
            Kind::Without(seats) => seats,
            _ => 0,
        };
        self.words_of(sender).map(named).fold(0, |all, seats| all | seats)
    }

    pub(crate) fn holds(&self, book: &Book, id: Id) -> bool {
        let statement = book.get(id);
        self.all(statement.round, statement.sender).any(|held| held == id)
    }

    /// `Inbox::complete`.
    pub(crate) fn complete(&self, cast: &Cast, book: &Book, round: usize) -> Option<View> {
        let mut set = [NONE; SEATS];
        for sender in cast.speakers(round) {
            set[sender] = self.first(round, sender).filter(|id| book.get(*id).is_ordinary())?;
        }
        Some(set)
    }

    pub(crate) fn session(&self) -> Option<View> {
        let first = |sender: usize| self.slots[HELLO][sender][0];
        self.has_session.then(|| [0, 1, 2, 3].map(first))
    }

    /// `Inbox::file` and what `Participant::take_into` asks before it.
    pub(crate) fn arrival(&self, cx: &Context<'_>, id: Id) -> Arrival {
        let statement = cx.book.get(id);
        if statement.round != HELLO && self.session() != Some(statement.session) {
            return Arrival::Rejected;
        }
        match statement.kind {
            Kind::Minima(_) => return self.arrival_of_minima(cx, id, statement),
            Kind::Without(seats) => return self.arrival_of_word(cx, statement, seats),
            Kind::Ordinary | Kind::Complaint(_) => {}
        }
        let held = &self.slots[statement.round][statement.sender];
        let count = held.iter().take_while(|held| **held != NONE).count();
        match count {
            0 => Arrival::New,
            _ if held.contains(&id) => Arrival::Same,
            1 => Arrival::Conflict,
            _ if cx.scope.has(Bug::FirstTwoOnly) => Arrival::Surplus,
            _ if self.is_named(cx, id, statement) || self.needs(cx, id, statement) => {
                Arrival::Conflict
            }
            _ => Arrival::Surplus,
        }
    }

    /// `counts_no_more_minima`, and the kind in `Inbox::file`.
    fn arrival_of_minima(&self, cx: &Context<'_>, id: Id, statement: &Statement) -> Arrival {
        let past = matches!(self.stage, Stage::Staging | Stage::Finals | Stage::Finished);
        if past && self.first(FINAL, cx.me).is_some() {
            return Arrival::Rejected;
        }
        if statement.flaw == Flaw::Public {
            return match contains(self.malformed, statement.sender) {
                true => Arrival::Same,
                false => Arrival::New,
            };
        }
        match self.minima_of(statement.sender).count() {
            _ if self.minima_of(statement.sender).any(|held| held == id) => Arrival::Same,
            MINIMA => Arrival::Surplus,
            _ => Arrival::New,
        }
    }

    /// `is_of_this_certificate`, and the kind in `Inbox::file`.
    fn arrival_of_word(&self, cx: &Context<'_>, said: &Statement, seats: Seats) -> Arrival {
        let computed = matches!(self.stage, Stage::Staging | Stage::Finals | Stage::Finished);
        let deals = self.complete(&cx.scope.cast, cx.book, DEAL);
        if !computed || deals != Some(said.view) {
            return Arrival::Rejected;
        }
        match seats & !self.does_without(cx.book, said.sender) {
            0 => Arrival::Same,
            _ => Arrival::New,
        }
    }

    /// Whether a statement is sound and was computed from what counts of the round before.
    fn passes(&self, cx: &Context<'_>, id: Id) -> bool {
        let statement = cx.book.get(id);
        statement.is_ordinary()
            && statement.flaw == Flaw::Sound
            && self.complete(&cx.scope.cast, cx.book, statement.round - 1) == Some(statement.view)
    }

    /// `Stage::needs`: it passes where what is in its slot does not, in the round that is awaited;
    /// a commit if somebody's final names it.
    fn needs(&self, cx: &Context<'_>, id: Id, statement: &Statement) -> bool {
        let finals = (0..SEATS).flat_map(|sender| self.all(FINAL, sender).take(2));
        let awaited = match self.stage {
            Stage::Commits if statement.round == COMMIT => {
                { finals }.any(|last| cx.book.get(last).view[statement.sender] == id)
            }
            Stage::Finals => statement.round == FINAL,
            _ => false,
        };
        let mut held = self.all(statement.round, statement.sender);
        awaited && self.passes(cx, id) && !held.any(|held| self.passes(cx, held))
    }

    /// What fills the slot of an operator's final (`Inbox::fill`): the first that passes.
    pub(crate) fn filling(&self, cx: &Context<'_>, sender: usize) -> Option<Id> {
        let first = if cx.scope.has(Bug::FirstFinalTakesSlot) { 1 } else { HELD };
        self.all(FINAL, sender).take(first).find(|id| self.passes(cx, *id))
    }

    /// `Inbox::is_named`.
    fn is_named(&self, cx: &Context<'_>, id: Id, statement: &Statement) -> bool {
        let mut commits = (0..SEATS).flat_map(|sender| self.all(COMMIT, sender).take(2));
        statement.round == PREPARE
            && commits.any(|commit| cx.book.get(commit).view[statement.sender] == id)
    }

    pub(crate) fn accept(&mut self, cx: &Context<'_>, id: Id) -> Arrival {
        let arrival = self.arrival(cx, id);
        if matches!(arrival, Arrival::New | Arrival::Conflict) {
            self.keep(cx, id);
        }
        arrival
    }

    /// `accept_logged`: what was kept once is kept again, whatever else is here by now.
    pub(crate) fn keep(&mut self, cx: &Context<'_>, id: Id) {
        let statement = cx.book.get(id);
        let list: &mut [Id] = match statement.kind {
            Kind::Minima(_) if statement.flaw == Flaw::Public => {
                self.malformed |= 1 << statement.sender;
                return;
            }
            Kind::Minima(_) => &mut self.minima[statement.sender],
            Kind::Without(_) => &mut self.words[statement.sender],
            _ => &mut self.slots[statement.round][statement.sender],
        };
        if list.contains(&id) {
            return;
        }
        *list.iter_mut().find(|place| **place == NONE).expect("few are kept") = id;
    }

    /// `Inbox::candidates`.
    pub(crate) fn candidates(&self, cx: &Context<'_>, round: usize) -> Vec<View> {
        let (book, cast) = (&*cx.book, &cx.scope.cast);
        let ordinary = |id: &Id| book.get(*id).is_ordinary();
        let mut sets: Vec<View> = Vec::new();
        let firsts = self.complete(cast, book, round);
        if cx.scope.has(Bug::FirstCounts) {
            return firsts.into_iter().collect();
        }
        for sender in [cx.me].into_iter().chain(cast.speakers(round + 1)) {
            for later in self.all(round + 1, sender).take(2) {
                let view = book.get(later).view;
                let held = |sender: usize| {
                    self.all(round, sender).filter(ordinary).any(|id| id == view[sender])
                };
                if cast.speakers(round).all(held) && !sets.contains(&view) {
                    sets.push(view);
                }
            }
        }
        let mut seconds = Some([NONE; SEATS]);
        for sender in cast.speakers(round) {
            let second = self.all(round, sender).filter(ordinary).take(2).last();
            seconds = seconds.zip(second).map(|(mut set, id)| {
                set[sender] = id;
                set
            });
        }
        for set in firsts.into_iter().chain(seconds) {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        sets
    }

    /// `Inbox::prefer`.
    pub(crate) fn prefer(&mut self, round: usize, set: View) {
        for (sender, id) in set.into_iter().enumerate().filter(|(_, id)| *id != NONE) {
            let slot = &mut self.slots[round][sender];
            if let Some(at) = slot.iter().position(|held| *held == id) {
                slot.swap(0, at);
            }
        }
    }
}
