//! How stages are left: `protocol/hello.rs`, `deal.rs`, `prepare.rs`, `stop.rs`, `commit.rs` and
//! `finalize.rs` without cryptography.

use crate::memory::{Ask, Context, Erase, Memory, Record, Stage, Step};
use crate::rules::Bug;
use crate::statement::{
    COMMIT, DEAL, FINAL, Flaw, HELLO, Id, Kind, NONE, PREPARE, SEATS, Seats, View, contains,
};

impl Memory {
    /// `AwaitHellos::advance` and `deal::deal`.
    pub(crate) fn leave_hellos(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let cast = cx.scope.cast;
        let Some(hellos) = self.complete(&cast, cx.book, HELLO) else { return };
        self.has_session = true;
        if cast.deals(cx.me) && !self.recall(cx, DEAL) {
            if !self.seed {
                self.stage = Stage::Damaged;
                return;
            }
            step.persist.extend(cx.receives().then_some(Record::OwnShares));
            self.own_shares = cx.receives();
        }
        self.own(cx, step, DEAL, Kind::Ordinary, hellos);
        step.erase.push(Erase::Seed);
        self.seed = false;
        self.stage = Stage::Deals;
    }

    /// `AwaitDeals::advance`, then `prepare::store_shares`.
    pub(crate) fn leave_deals(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let cast = cx.scope.cast;
        let past = self.recall(cx, PREPARE);
        let boxes = past || cast.dealers_to(cx.me) & !self.boxes == 0;
        let Some(deals) = self.complete(&cast, cx.book, DEAL).filter(|_| boxes) else { return };
        let dealt = || deals.into_iter().filter(|deal| *deal != NONE);
        if let Some(wrong) = dealt().find(|deal| cx.book.get(*deal).flaw == Flaw::Public) {
            return self.fault(cx.book.get(wrong).sender);
        }
        if !cx.receives() {
            self.own(cx, step, PREPARE, Kind::Ordinary, deals);
            self.erase_dealing_secrets(step);
            self.stage = Stage::Prepares;
            return;
        }
        if past {
            match (cx.book.get(self.slots[PREPARE][cx.me][0]).kind, self.shares) {
                (Kind::Complaint(dealer), _) => {
                    self.erase_dealing_secrets(step);
                    self.fault(dealer);
                }
                (_, false) if !cx.scope.has(Bug::PrepareWithoutShares) => {
                    self.stage = Stage::Damaged
                }
                _ => {
                    self.erase_dealing_secrets(step);
                    self.stage = Stage::Prepares;
                }
            }
            return;
        }
        if !self.shares {
            if !self.keys || (cast.deals(cx.me) && !self.own_shares) {
                self.stage = Stage::Damaged;
                return;
            }
            let bad = |deal: &Id| match cx.book.get(*deal).flaw {
                Flaw::Boxes(seats) => contains(seats, cx.me),
                _ => false,
            };
            if let Some(bad) = dealt().find(bad) {
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

    pub(crate) fn erase_dealing_secrets(&mut self, step: &mut Step) {
        (self.keys, self.own_shares, self.boxes) = (false, false, 0);
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
        let deals = self.complete(&cx.scope.cast, cx.book, DEAL).expect("all deals were checked");
        self.own(cx, &mut step, PREPARE, Kind::Ordinary, deals);
        self.shares = true;
        self.erase_dealing_secrets(&mut step);
        self.stage = Stage::Prepares;
        self.advance(cx, &mut step);
        step
    }

    /// Whether all of these are sound and were computed from `before`.
    fn certified(&mut self, cx: &Context<'_>, set: View, before: Option<View>) -> bool {
        for id in set.into_iter().filter(|id| *id != NONE) {
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

    /// `AwaitPrepares::advance`, then `stop::certified`.
    pub(crate) fn leave_prepares(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let cast = cx.scope.cast;
        let deals =
            self.complete(&cast, cx.book, DEAL).filter(|_| !cx.scope.has(Bug::ViewsUnchecked));
        let mut sets = self.candidates(cx, PREPARE);
        if cx.scope.has(Bug::CommitEarly) {
            let held: Vec<Option<Id>> =
                cast.seats().map(|sender| self.first(PREPARE, sender)).collect();
            if held.iter().flatten().count() == cast.n - 1 {
                let own = self.first(PREPARE, cx.me).expect("prepared");
                let or_own = |seat: usize| held.get(seat).map_or(NONE, |id| id.unwrap_or(own));
                sets.push([0, 1, 2, 3].map(or_own));
            }
        }
        let Some(set) = sets.into_iter().find(|set| self.certified(cx, *set, deals)) else {
            return;
        };
        self.prefer(PREPARE, set);
        self.stage = Stage::Stop;
        if !cast.stops(cx.me) || cx.scope.has(Bug::CommitEarly) {
            self.release(cx, step, set);
        }
    }

    /// `AwaitStop::advance`.
    pub(crate) fn leave_stop(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let over = self.complete(&cx.scope.cast, cx.book, PREPARE).expect("certificate 1");
        let stopped = self.minima_of(cx.me).next().is_some();
        let stopped = stopped || cx.scope.has(Bug::CommitUnstopped);
        if self.recall(cx, COMMIT) || (stopped && self.receivers_missing(cx, over) == 0) {
            self.release(cx, step, over);
        }
    }

    /// `AwaitStop::missing`: it looks at views, and does not check the commits.
    fn receivers_missing(&self, cx: &Context<'_>, over: View) -> Seats {
        let committed = |seat: usize| {
            let mut held = self.all(COMMIT, seat).take(2);
            held.any(|id| cx.book.get(id).is_ordinary() && cx.book.get(id).view == over)
        };
        let waits = |seat: &usize| {
            let pure = contains(cx.scope.cast.pure(), *seat);
            pure && !committed(*seat) && !cx.scope.has(Bug::ReceiversLast)
        };
        cx.scope.cast.seats().filter(waits).fold(0, |all, seat| all | 1 << seat)
    }

    /// `commit::release`.
    fn release(&mut self, cx: &mut Context<'_>, step: &mut Step, over: View) {
        let unmade = self.recalled[COMMIT] == NONE && self.first(COMMIT, cx.me).is_none();
        if cx.receives() && !self.shares && unmade {
            self.stage = Stage::Damaged;
            return;
        }
        self.own(cx, step, COMMIT, Kind::Ordinary, over);
        self.stage = Stage::Commits;
    }

    /// `AwaitCommits::advance`.
    pub(crate) fn leave_commits(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let cast = cx.scope.cast;
        let prepares = self.complete(&cast, cx.book, PREPARE);
        let sets = self.candidates(cx, COMMIT);
        let Some(set) = sets.into_iter().find(|set| self.certified(cx, *set, prepares)) else {
            return;
        };
        let unknown =
            |dealer: usize| cast.stops(dealer) && self.signed_last(cx.book, dealer).is_none();
        if cast.seats().any(unknown) && !cx.scope.has(Bug::MinimaUnawaited) {
            return;
        }
        self.prefer(COMMIT, set);
        step.asks.push(Ask::Stage);
        self.stage = Stage::Staging;
    }

    /// `AwaitStaging::staged`.
    pub(crate) fn staged(&mut self, cx: &mut Context<'_>) -> Step {
        let mut step = Step::default();
        let commits =
            self.complete(&cx.scope.cast, cx.book, COMMIT).expect("all commits were checked");
        self.own(cx, &mut step, FINAL, Kind::Ordinary, commits);
        self.stage = Stage::Finals;
        self.advance(cx, &mut step);
        step
    }

    /// `AwaitFinals::advance`: each slot by itself, by the first that passes.
    pub(crate) fn leave_finals(&mut self, cx: &mut Context<'_>, step: &mut Step) {
        let cast = cx.scope.cast;
        let commits = self.complete(&cast, cx.book, COMMIT).expect("all commits were checked");
        for sender in cast.seats() {
            for id in self.slots[FINAL][sender].into_iter().take_while(|id| *id != NONE) {
                let mut alone = [NONE; SEATS];
                alone[sender] = id;
                self.certified(cx, alone, Some(commits));
            }
        }
        let finals = self.finals(cx);
        for sender in cast.seats() {
            if let Some(id) = self.filling(cx, sender) {
                let mut alone = [NONE; SEATS];
                alone[sender] = id;
                self.prefer(FINAL, alone);
            }
        }
        let everybody = (1 << cast.n) - 1;
        let without = match finals == everybody {
            true => Some(0),
            false if cx.scope.has(Bug::WriteEarly) => Some(0),
            false => self.left_out(cx, finals),
        };
        let Some(without) = without else { return };
        step.asks.push(Ask::WriteOut(without));
        self.stage = Stage::Finished;
    }
}
