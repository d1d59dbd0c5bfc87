//! The state of a running operator: `Participant`, `World` and `Inbox` without cryptography. Every
//! function names what it models.

use crate::inbox::{Arrival, HELD, MINIMA, WORDS};
use crate::judge::complaint;
use crate::rules::{Bug, Scope};
use crate::statement::{
    Book, COMMIT, DEAL, Flaw, HELLO, Id, JUNK, Kind, NONE, PREPARE, ROUNDS, SEATS, Seats,
    Statement, View, contains,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Not running, and nothing on the disk.
    Down,
    Hellos,
    Deals,
    Reread,
    Prepares,
    /// Certificate 1 is here; who has old shares waits for its person, and for those that only
    /// receive.
    Stop,
    Commits,
    Staging,
    Finals,
    Finished,
    Stopped,
    /// The log does not replay. Never reached while the rules are kept.
    Damaged,
    /// This operator has abandoned the reshare: its log starts no participant.
    Abandoned,
    /// It has committed the same shares to another reshare, and does not take part in this one.
    Elsewhere,
}

/// A record of the log (`protocol/record.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    Seed,
    Keys,
    OwnShares,
    Shares,
    Box(usize),
    Statement(Id),
}

/// Kinds of records that a step erases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Erase {
    Seed,
    /// One-time keys, own shares and received boxes.
    Dealing,
    /// Only by [`Bug::DeleteAfterPrepare`].
    Shares,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Reread,
    Stage,
    /// Without these seats.
    WriteOut(Seats),
}

/// `Step` of `protocol/participant/mod.rs`.
#[derive(Default)]
pub(crate) struct Step {
    pub(crate) persist: Vec<Record>,
    pub(crate) erase: Vec<Erase>,
    pub(crate) send: Vec<Id>,
    pub(crate) asks: Vec<Ask>,
}

/// What an operator works with.
pub(crate) struct Context<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) book: &'a mut Book,
    pub(crate) me: usize,
    /// Own statements that have left the machine. Only to number what is signed with fresh
    /// randomness.
    pub(crate) sent: &'a [Id],
}

impl Context<'_> {
    pub(crate) fn receives(&self) -> bool {
        self.scope.cast.receives(self.me)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) stage: Stage,
    pub(crate) has_session: bool,
    pub(crate) slots: [[[Id; HELD]; SEATS]; ROUNDS],
    pub(crate) minima: [[Id; MINIMA]; SEATS],
    pub(crate) malformed: Seats,
    pub(crate) words: [[Id; WORDS]; SEATS],
    pub(crate) boxes: Seats,
    pub(crate) seed: bool,
    pub(crate) keys: bool,
    pub(crate) own_shares: bool,
    pub(crate) shares: bool,
    pub(crate) recalled: [Id; ROUNDS],
    /// Whom this operator has found guilty, with proof.
    pub(crate) blamed: Seats,
}

impl Memory {
    pub(crate) const EMPTY: Self = Self {
        stage: Stage::Down,
        has_session: false,
        slots: [[[NONE; HELD]; SEATS]; ROUNDS],
        minima: [[NONE; MINIMA]; SEATS],
        malformed: 0,
        words: [[NONE; WORDS]; SEATS],
        boxes: 0,
        seed: false,
        keys: false,
        own_shares: false,
        shares: false,
        recalled: [NONE; ROUNDS],
        blamed: 0,
    };

    // protocol/world.rs

    fn in_slot_of_prepare(&self, cx: &Context<'_>) -> Option<Kind> {
        let recalled = Some(self.recalled[PREPARE]).filter(|id| *id != NONE);
        self.first(PREPARE, cx.me).or(recalled).map(|id| cx.book.get(id).kind)
    }

    fn is_prepared(&self, cx: &Context<'_>) -> bool {
        self.in_slot_of_prepare(cx) == Some(Kind::Ordinary)
    }

    /// `World::proven_fault`: the culprit.
    fn proven_fault(&self, cx: &Context<'_>) -> Option<usize> {
        let twice = |slots: &[[Id; HELD]; SEATS]| slots.iter().position(|held| held[1] != NONE);
        let minima = || self.minima.iter().position(|held| held[1] != NONE);
        let equivocates = self.slots.iter().find_map(twice);
        let equivocates =
            equivocates.or_else(|| cx.scope.has(Bug::MinimaInSlot).then(minima).flatten());
        let held = |id| id < JUNK && self.holds(cx.book, id);
        let complained = || {
            (0..SEATS)
                .flat_map(|sender| self.all(PREPARE, sender))
                .find_map(|id| complaint(cx.book, &held, id))
        };
        let malformed = || (0..SEATS).find(|seat| contains(self.malformed, *seat));
        equivocates.or_else(complained).or_else(malformed)
    }

    /// `World::recall`.
    pub(crate) fn recall(&mut self, cx: &Context<'_>, round: usize) -> bool {
        let id = core::mem::replace(&mut self.recalled[round], NONE);
        if id != NONE && !(cx.scope.has(Bug::SignAgain) && round == COMMIT) {
            let arrival = self.accept(cx, id);
            debug_assert_ne!(arrival, Arrival::Rejected, "our own statement is of our own session");
        }
        self.first(round, cx.me).is_some()
    }

    pub(crate) fn signed(
        &self,
        cx: &Context<'_>,
        round: usize,
        kind: Kind,
        view: View,
    ) -> Statement {
        let session = self.session().filter(|_| round != HELLO).unwrap_or([NONE; SEATS]);
        let (sender, flaw) = (cx.me, Flaw::Sound);
        Statement { sender, round, kind, session, view, variant: 0, flaw }
    }

    /// `World::own`.
    pub(crate) fn own(
        &mut self,
        cx: &mut Context<'_>,
        step: &mut Step,
        round: usize,
        kind: Kind,
        view: View,
    ) {
        if self.recall(cx, round) || !cx.scope.cast.speaks(cx.me, round) {
            return;
        }
        let signed = self.signed(cx, round, kind, view);
        let mut id = cx.book.id(signed);
        let fresh = round == HELLO || cx.scope.has(Bug::SignAgain);
        for variant in 1..4 {
            // Signatures are deterministic; nonces are not.
            if !fresh || !cx.sent.contains(&id) {
                break;
            }
            id = cx.book.id(Statement { variant, ..signed });
        }
        self.say(cx, step, id);
    }

    pub(crate) fn say(&mut self, cx: &Context<'_>, step: &mut Step, id: Id) {
        step.persist.push(Record::Statement(id));
        self.keep(cx, id);
        step.send.push(id);
    }

    // protocol/hello.rs, replay.rs

    /// `say_hello`.
    pub(crate) fn begin(cx: &mut Context<'_>) -> (Self, Step) {
        let seed = cx.scope.cast.deals(cx.me);
        let keys = cx.receives();
        let mut this = Self { stage: Stage::Hellos, seed, keys, ..Self::EMPTY };
        let mut step = Step::default();
        step.persist.extend(seed.then_some(Record::Seed));
        step.persist.extend(keys.then_some(Record::Keys));
        this.own(cx, &mut step, HELLO, Kind::Ordinary, [NONE; SEATS]);
        (this, step)
    }

    /// `Participant::resume`.
    pub(crate) fn resume(cx: &mut Context<'_>, log: &[Record]) -> (Self, Step) {
        let (mut this, mut step) = (Self { stage: Stage::Hellos, ..Self::EMPTY }, Step::default());
        let mut statements = Vec::new();
        for record in log {
            match *record {
                Record::Seed => this.seed = true,
                Record::Keys => this.keys = true,
                Record::OwnShares => this.own_shares = true,
                Record::Shares => this.shares = true,
                Record::Box(dealer) => this.boxes |= 1 << dealer,
                Record::Statement(id) => {
                    let said = *cx.book.get(id);
                    let own = said.sender == cx.me && said.in_slot();
                    match own && this.recalled[said.round] == NONE {
                        true => this.recalled[said.round] = id,
                        false => statements.push(id),
                    }
                }
            }
        }
        if !this.recall(cx, HELLO) {
            this.stage = Stage::Damaged;
            return (this, step);
        }
        for id in statements {
            this.advance(cx, &mut step);
            let round = cx.book.get(id).round;
            match round != HELLO && this.session() != Some(cx.book.get(id).session) {
                true => this.stage = Stage::Damaged,
                false => this.keep(cx, id),
            }
        }
        this.advance(cx, &mut step);
        (this, step)
    }

    // protocol/participant/mod.rs

    /// `take_statement`.
    pub(crate) fn take_statement(&mut self, cx: &mut Context<'_>, id: Id) -> Step {
        let mut step = Step::default();
        if matches!(self.accept(cx, id), Arrival::New | Arrival::Conflict) {
            step.persist.push(Record::Statement(id));
            self.advance(cx, &mut step);
        }
        step
    }

    /// Whether `take_box` keeps the box that goes with `deal`.
    pub(crate) fn wants_box(&self, cx: &Context<'_>, deal: Id) -> bool {
        let dealer = cx.book.get(deal).sender;
        let past = self.first(PREPARE, cx.me).is_some() || contains(self.boxes, dealer);
        let over = matches!(self.stage, Stage::Stopped | Stage::Abandoned | Stage::Elsewhere);
        let dealt = contains(cx.scope.cast.dealers_to(cx.me), dealer);
        !over && dealt && !past && self.first(DEAL, dealer) == Some(deal)
    }

    pub(crate) fn take_box(&mut self, cx: &mut Context<'_>, dealer: usize) -> Step {
        let mut step = Step::default();
        step.persist.push(Record::Box(dealer));
        self.boxes |= 1 << dealer;
        self.advance(cx, &mut step);
        step
    }

    /// `stop_if_proven` and `advance`.
    pub(crate) fn advance(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        loop {
            let proven = self.proven_fault(cx);
            self.blamed |= proven.map_or(0, |culprit| 1 << culprit);
            let (prepared, running) = (self.is_prepared(cx), self.stage < Stage::Finished);
            let stops =
                cx.scope.has(Bug::StopAfterPrepare) || cx.scope.has(Bug::DeleteAfterPrepare);
            if running && proven.is_some() && (!prepared || stops) {
                self.stage = Stage::Stopped;
                if prepared && cx.scope.has(Bug::DeleteAfterPrepare) {
                    self.shares = false;
                    step.erase.push(Erase::Shares);
                }
            }
            let before = self.stage;
            match before {
                Stage::Hellos => self.leave_hellos(cx, step),
                Stage::Deals => self.leave_deals(cx, step),
                Stage::Prepares => self.leave_prepares(cx, step),
                Stage::Stop => self.leave_stop(cx, step),
                Stage::Commits => self.leave_commits(cx, step),
                Stage::Finals => self.leave_finals(cx, step),
                _ => {}
            }
            if self.stage == before {
                return;
            }
        }
    }

    pub(crate) fn fault(&mut self, culprit: usize) {
        self.blamed |= 1 << culprit;
        self.stage = Stage::Stopped;
    }
}
