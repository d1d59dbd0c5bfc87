//! The state of a running operator: `Participant`, `World` and `Inbox` without cryptography. Every
//! function names what it models.

use crate::inbox::{Arrival, HELD};
use crate::rules::{Bug, Scope};
use crate::statement::{
    Book, COMMIT, DEAL, FINAL, Flaw, HELLO, Id, Kind, N, NONE, PREPARE, ROUNDS, Statement, View,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Not running, and nothing on the disk.
    Down,
    Hellos,
    Deals,
    Reread,
    Prepares,
    Commits,
    Staging,
    Finals,
    Finished,
    Stopped,
    /// The log does not replay. Never reached while the rules are kept.
    Damaged,
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
    WriteOut,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) stage: Stage,
    pub(crate) has_session: bool,
    pub(crate) slots: [[[Id; HELD]; N]; ROUNDS],
    pub(crate) boxes: [bool; N],
    pub(crate) seed: bool,
    pub(crate) keys: bool,
    pub(crate) own_shares: bool,
    pub(crate) shares: bool,
    pub(crate) recalled: [Id; ROUNDS],
    /// Bit by seat: whom this operator has found guilty, with proof.
    pub(crate) blamed: u8,
}

impl Memory {
    pub(crate) const EMPTY: Self = Self {
        stage: Stage::Down,
        has_session: false,
        slots: [[[NONE; HELD]; N]; ROUNDS],
        boxes: [false; N],
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
        for round in 0..ROUNDS {
            for sender in 0..N {
                if self.slots[round][sender][1] != NONE {
                    return Some(sender);
                }
            }
        }
        (0..N).flat_map(|sender| self.all(PREPARE, sender)).find_map(|id| self.verdict(cx, id))
    }

    /// `World::verdict`, by `judge::complaint`.
    fn verdict(&self, cx: &Context<'_>, id: Id) -> Option<usize> {
        let held = |id| id < crate::statement::JUNK && self.holds(cx.book, id);
        crate::judge::complaint(cx.book, &held, id)
    }

    /// `World::recall`.
    fn recall(&mut self, cx: &Context<'_>, round: usize) -> bool {
        let id = core::mem::replace(&mut self.recalled[round], NONE);
        if id != NONE && !(cx.scope.has(Bug::SignAgain) && round == COMMIT) {
            let arrival = self.accept(cx, id);
            debug_assert_ne!(arrival, Arrival::Rejected, "our own statement is of our own session");
        }
        self.first(round, cx.me).is_some()
    }

    /// `World::own`.
    fn own(&mut self, cx: &mut Context<'_>, step: &mut Step, round: usize, kind: Kind, view: View) {
        if self.recall(cx, round) {
            return;
        }
        let session = self.session().filter(|_| round != HELLO).unwrap_or([NONE; N]);
        let fresh = round == HELLO || cx.scope.has(Bug::SignAgain);
        let signed = |variant| Statement {
            sender: cx.me,
            round,
            kind,
            session,
            view,
            variant,
            flaw: Flaw::Sound,
        };
        let mut id = cx.book.id(signed(0));
        for variant in 1..4 {
            // Signatures are deterministic; nonces are not.
            if !fresh || !cx.sent.contains(&id) {
                break;
            }
            id = cx.book.id(signed(variant));
        }
        step.persist.push(Record::Statement(id));
        self.accept(cx, id);
        step.send.push(id);
    }

    // protocol/hello.rs, replay.rs

    /// `say_hello`.
    pub(crate) fn begin(cx: &mut Context<'_>) -> (Self, Step) {
        let (mut this, mut step) =
            (Self { stage: Stage::Hellos, seed: true, keys: true, ..Self::EMPTY }, Step::default());
        step.persist = vec![Record::Seed, Record::Keys];
        this.own(cx, &mut step, HELLO, Kind::Ordinary, [NONE; N]);
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
                Record::Box(dealer) => this.boxes[dealer] = true,
                Record::Statement(id) => {
                    let (sender, round) = (cx.book.get(id).sender, cx.book.get(id).round);
                    match sender == cx.me && this.recalled[round] == NONE {
                        true => this.recalled[round] = id,
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
            match this.accept(cx, id) {
                Arrival::Rejected => this.stage = Stage::Damaged,
                // What was kept once has to be kept again, whatever else is here by now.
                Arrival::Surplus => this.keep(cx, id),
                _ => {}
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
    pub(crate) fn wants_box(&self, book: &Book, me: usize, deal: Id) -> bool {
        let dealer = book.get(deal).sender;
        let has = self.first(PREPARE, me).is_some() || dealer == me || self.boxes[dealer];
        self.stage != Stage::Stopped && !has && self.first(DEAL, dealer) == Some(deal)
    }

    pub(crate) fn take_box(&mut self, cx: &mut Context<'_>, dealer: usize) -> Step {
        let mut step = Step::default();
        step.persist.push(Record::Box(dealer));
        self.boxes[dealer] = true;
        self.advance(cx, &mut step);
        step
    }

    /// `stop_if_proven` and `advance`.
    fn advance(&mut self, cx: &mut Context<'_>, step: &mut Step) {
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
                Stage::Commits => self.leave_commits(cx, step),
                Stage::Finals => self.leave_finals(cx, step),
                _ => {}
            }
            if self.stage == before {
                return;
            }
        }
    }

    fn fault(&mut self, culprit: usize) {
        self.blamed |= 1 << culprit;
        self.stage = Stage::Stopped;
    }

    /// `AwaitHellos::advance` and `deal::deal`.
    fn leave_hellos(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let Some(hellos) = self.complete(cx.book, HELLO) else { return };
        self.has_session = true;
        if !self.recall(cx, DEAL) {
            if !self.seed {
                self.stage = Stage::Damaged;
                return;
            }
            step.persist.push(Record::OwnShares);
            self.own_shares = true;
        }
        self.own(cx, step, DEAL, Kind::Ordinary, hellos);
        step.erase.push(Erase::Seed);
        self.seed = false;
        self.stage = Stage::Deals;
    }

    /// `AwaitDeals::advance`, then `prepare::store_shares`.
    fn leave_deals(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let past = self.recall(cx, PREPARE);
        let boxes = past || (0..N).all(|dealer| dealer == cx.me || self.boxes[dealer]);
        let Some(deals) = self.complete(cx.book, DEAL).filter(|_| boxes) else { return };
        if let Some(wrong) = deals.into_iter().find(|deal| cx.book.get(*deal).flaw == Flaw::Public)
        {
            return self.fault(cx.book.get(wrong).sender);
        }
        if past {
            match (cx.book.get(self.slots[PREPARE][cx.me][0]).kind, self.shares) {
                (Kind::Complaint(dealer), _) => {
                    self.erase_dealing_secrets(step);
                    self.fault(dealer);
                }
                (Kind::Ordinary, false) if !cx.scope.has(Bug::PrepareWithoutShares) => {
                    self.stage = Stage::Damaged
                }
                (Kind::Ordinary, _) => {
                    self.erase_dealing_secrets(step);
                    self.stage = Stage::Prepares;
                }
            }
            return;
        }
        if !self.shares {
            if !self.keys || !self.own_shares {
                self.stage = Stage::Damaged;
                return;
            }
            let bad = |deal: &Id| {
                matches!(cx.book.get(*deal).flaw,
                Flaw::Boxes(seats) if seats & 1 << cx.me != 0)
            };
            if let Some(bad) = deals.into_iter().find(bad) {
                let dealer = cx.book.get(bad).sender;
                self.own(cx, step, PREPARE, Kind::Complaint(dealer), deals);
                self.erase_dealing_secrets(step);
                return self.fault(dealer);
            }
            if !cx.scope.has(Bug::PrepareWithoutShares) {
                step.persist.push(Record::Shares);
            }
        }
        self.shares = false;
        step.asks.push(Ask::Reread);
        self.stage = Stage::Reread;
    }

    fn erase_dealing_secrets(&mut self, step: &mut Step) {
        (self.keys, self.own_shares, self.boxes) = (false, false, [false; N]);
        step.erase.push(Erase::Dealing);
    }

    /// `AwaitReread::reread`, with whether the shares were on the disk.
    pub(crate) fn reread(&mut self, cx: &mut Context<'_>, found: bool) -> Step {
        let mut step = Step::default();
        if self.stage != Stage::Reread {
            return step;
        }
        if !found && !cx.scope.has(Bug::PrepareWithoutShares) {
            self.stage = Stage::Damaged;
            return step;
        }
        let deals = self.complete(cx.book, DEAL).expect("all deals were checked");
        self.own(cx, &mut step, PREPARE, Kind::Ordinary, deals);
        self.shares = true;
        self.erase_dealing_secrets(&mut step);
        self.stage = Stage::Prepares;
        self.advance(cx, &mut step);
        step
    }

    /// Whether all of these are sound and were computed from `before`: `certify`, `verify` and
    /// `agree`.
    fn certified(&mut self, cx: &Context<'_>, set: View, before: Option<View>) -> bool {
        for id in set {
            let statement = cx.book.get(id);
            if before.is_some_and(|before| statement.view != before) {
                if cx.scope.has(Bug::ViewIsProof) {
                    self.blamed |= 1 << statement.sender;
                }
                return false;
            }
            if statement.flaw == Flaw::Public {
                self.blamed |= 1 << statement.sender;
                return false;
            }
        }
        true
    }

    /// `AwaitPrepares::advance`, then `commit::release`.
    fn leave_prepares(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let deals = self.complete(cx.book, DEAL).filter(|_| !cx.scope.has(Bug::ViewsUnchecked));
        let mut sets = self.candidates(cx, PREPARE);
        if cx.scope.has(Bug::CommitEarly) {
            let held: Vec<Option<Id>> = (0..N).map(|sender| self.first(PREPARE, sender)).collect();
            if held.iter().flatten().count() == N - 1 {
                let own = self.first(PREPARE, cx.me).expect("prepared");
                sets.push([0, 1, 2].map(|sender| held[sender].unwrap_or(own)));
            }
        }
        let Some(set) = sets.into_iter().find(|set| self.certified(cx, *set, deals)) else {
            return;
        };
        self.prefer(PREPARE, set);
        if !self.shares && self.recalled[COMMIT] == NONE {
            self.stage = Stage::Damaged;
            return;
        }
        self.own(cx, step, COMMIT, Kind::Ordinary, set);
        self.stage = Stage::Commits;
    }

    /// `AwaitCommits::advance`.
    fn leave_commits(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let prepares = self.complete(cx.book, PREPARE);
        let sets = self.candidates(cx, COMMIT);
        let Some(set) = sets.into_iter().find(|set| self.certified(cx, *set, prepares)) else {
            return;
        };
        self.prefer(COMMIT, set);
        step.asks.push(Ask::Stage);
        self.stage = Stage::Staging;
    }

    /// `AwaitStaging::staged`.
    pub(crate) fn staged(&mut self, cx: &mut Context<'_>) -> Step {
        let mut step = Step::default();
        let commits = self.complete(cx.book, COMMIT).expect("all commits were checked");
        self.own(cx, &mut step, FINAL, Kind::Ordinary, commits);
        self.stage = Stage::Finals;
        self.advance(cx, &mut step);
        step
    }

    /// `AwaitFinals::advance`: each slot by itself, by the first that passes.
    fn leave_finals(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let commits = self.complete(cx.book, COMMIT).expect("all commits were checked");
        for sender in 0..N {
            for id in self.slots[FINAL][sender].into_iter().take_while(|id| *id != NONE) {
                self.certified(cx, [id; N], Some(commits));
            }
        }
        let filled: Vec<Id> = (0..N).filter_map(|sender| self.filling(cx, sender)).collect();
        match <View>::try_from(filled) {
            Ok(set) => self.prefer(FINAL, set),
            Err(_) if cx.scope.has(Bug::WriteEarly) => {}
            Err(_) => return,
        }
        step.asks.push(Ask::WriteOut);
        self.stage = Stage::Finished;
    }
}
