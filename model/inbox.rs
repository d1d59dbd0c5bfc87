//! Model of `message/inbox.rs`: which statements are kept, and which of them count.

use crate::memory::{Context, Memory, Stage};
use crate::rules::Bug;
use crate::statement::{Book, COMMIT, FINAL, Flaw, HELLO, Id, N, NONE, PREPARE, Statement, View};

/// Statements kept in a slot: two, and the prepares that the commits of three operators (two each)
/// name; of commits and finals one that passes where two do not.
pub(crate) const HELD: usize = 6;

/// `Arrival` of `message/inbox.rs`, and `Rejected` for what is early or of another session.
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

    pub(crate) fn holds(&self, book: &Book, id: Id) -> bool {
        let statement = book.get(id);
        self.all(statement.round, statement.sender).any(|held| held == id)
    }

    /// `Inbox::complete`.
    pub(crate) fn complete(&self, book: &Book, round: usize) -> Option<View> {
        let mut set = [NONE; N];
        for (sender, place) in set.iter_mut().enumerate() {
            *place = self.first(round, sender).filter(|id| book.get(*id).is_ordinary())?;
        }
        Some(set)
    }

    pub(crate) fn session(&self) -> Option<View> {
        let first = |sender: usize| self.slots[HELLO][sender][0];
        self.has_session.then(|| [first(0), first(1), first(2)])
    }

    /// `Inbox::accept` and `Inbox::file`.
    pub(crate) fn arrival(&self, cx: &Context<'_>, id: Id) -> Arrival {
        let statement = cx.book.get(id);
        if statement.round != HELLO && self.session() != Some(statement.session) {
            return Arrival::Rejected;
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

    /// Whether a statement is sound and was computed from what counts of the round before.
    fn passes(&self, book: &Book, id: Id) -> bool {
        let statement = book.get(id);
        statement.is_ordinary()
            && statement.flaw == Flaw::Sound
            && self.complete(book, statement.round - 1) == Some(statement.view)
    }

    /// `Stage::needs`: it passes where what is in its slot does not, in the round that is awaited;
    /// a commit if somebody's final names it.
    fn needs(&self, cx: &Context<'_>, id: Id, statement: &Statement) -> bool {
        let finals = (0..N).flat_map(|sender| self.all(FINAL, sender).take(2));
        let awaited = match self.stage {
            Stage::Commits if statement.round == COMMIT => {
                finals.into_iter().any(|last| cx.book.get(last).view[statement.sender] == id)
            }
            Stage::Finals => statement.round == FINAL,
            _ => false,
        };
        let mut held = self.all(statement.round, statement.sender);
        awaited && self.passes(cx.book, id) && !held.any(|held| self.passes(cx.book, held))
    }

    /// What fills the slot of an operator's final (`Inbox::fill`): the first that passes.
    pub(crate) fn filling(&self, cx: &Context<'_>, sender: usize) -> Option<Id> {
        let first = if cx.scope.has(Bug::FirstFinalTakesSlot) { 1 } else { HELD };
        self.all(FINAL, sender).take(first).find(|id| self.passes(cx.book, *id))
    }

    /// `Inbox::is_named`.
    fn is_named(&self, cx: &Context<'_>, id: Id, statement: &Statement) -> bool {
        let commits = (0..N).flat_map(|sender| self.all(COMMIT, sender).take(2));
        statement.round == PREPARE
            && commits.into_iter().any(|commit| cx.book.get(commit).view[statement.sender] == id)
    }

    pub(crate) fn accept(&mut self, cx: &Context<'_>, id: Id) -> Arrival {
        let arrival = self.arrival(cx, id);
        if matches!(arrival, Arrival::New | Arrival::Conflict) {
            self.keep(cx, id);
        }
        arrival
    }

    pub(crate) fn keep(&mut self, cx: &Context<'_>, id: Id) {
        let statement = cx.book.get(id);
        let slot = &mut self.slots[statement.round][statement.sender];
        *slot.iter_mut().find(|place| **place == NONE).expect("few are kept") = id;
    }

    /// `Inbox::candidates`.
    pub(crate) fn candidates(&self, cx: &Context<'_>, round: usize) -> Vec<View> {
        let book = &*cx.book;
        let ordinary = |id: &Id| book.get(*id).is_ordinary();
        let mut sets: Vec<View> = Vec::new();
        let firsts = self.complete(book, round);
        if cx.scope.has(Bug::FirstCounts) {
            return firsts.into_iter().collect();
        }
        if round < FINAL {
            for sender in [cx.me].into_iter().chain(0..N) {
                for later in self.all(round + 1, sender).take(2) {
                    let view = book.get(later).view;
                    let held = |sender: usize| {
                        self.all(round, sender).filter(ordinary).any(|id| id == view[sender])
                    };
                    if (0..N).all(held) && !sets.contains(&view) {
                        sets.push(view);
                    }
                }
            }
        }
        let second = |sender| self.all(round, sender).filter(ordinary).take(2).last();
        let seconds = (|| Some([second(0)?, second(1)?, second(2)?]))();
        for set in firsts.into_iter().chain(seconds) {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        sets
    }

    /// `Inbox::prefer`.
    pub(crate) fn prefer(&mut self, round: usize, set: View) {
        for (sender, id) in set.into_iter().enumerate() {
            let slot = &mut self.slots[round][sender];
            if let Some(at) = slot.iter().position(|held| *held == id) {
                slot.swap(0, at);
            }
        }
    }
}
