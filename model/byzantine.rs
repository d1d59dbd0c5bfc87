//! What the byzantine operator has said that matters, what it may say, and what an honest one in
//! its place would.

use crate::rules::Bug;
use crate::statement::{
    COMMIT, DEAL, FINAL, Flaw, HELLO, Id, JUNK, Kind, NONE, PREPARE, SEATS, Seats, Statement, View,
    contains,
};
use crate::world::{State, World};

impl World {
    /// The honest operators' statements of a round of `session` that have left them; the place of
    /// the byzantine one is left open.
    pub(crate) fn honest_view(&self, state: &State, round: usize, session: View) -> Option<View> {
        let mut view = [NONE; SEATS];
        for (seat, machine) in self.machines(state) {
            if !self.scope.cast.speaks(seat, round) {
                continue;
            }
            let fits = |id: &Id| {
                let statement = self.book.get(*id);
                statement.round == round
                    && statement.is_ordinary()
                    && (round == HELLO || statement.session == session)
            };
            view[seat] = machine.sent().find(fits)?;
        }
        Some(view)
    }

    /// The byzantine operator's statements that matter to anybody: held by an honest operator, or
    /// named by one's statement, or by such a one.
    pub(crate) fn used(&self, state: &State) -> Vec<Id> {
        let byzantine = self.scope.byzantine;
        let mut used = Vec::new();
        for (_, machine) in self.machines(state) {
            let memory = &machine.memory;
            (HELLO..=FINAL).for_each(|round| used.extend(memory.all(round, byzantine)));
            used.extend(memory.minima_of(byzantine).chain(memory.words_of(byzantine)));
            if self.scope.bad_minima {
                let malformed = |id: &Id| {
                    let held = self.book.get(*id);
                    matches!(held.kind, Kind::Minima(_)) && held.flaw == Flaw::Public
                };
                used.extend(machine.disk.statements().filter(malformed));
            }
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

    fn plain(&self, round: usize, session: View, view: View) -> Statement {
        Statement {
            sender: self.scope.byzantine,
            round,
            kind: Kind::Ordinary,
            session,
            view,
            variant: 0,
            flaw: Flaw::Sound,
        }
    }

    /// What it may say to one of the others now. Statements that nobody has used are alike, so the
    /// variants of a statement are used in order. What names a statement that does not exist never
    /// counts for anybody, and is like a wrong one.
    pub(crate) fn said_by_byzantine(&mut self, state: &State, operator: usize) -> Vec<Id> {
        let (scope, sender) = (self.scope, self.scope.byzantine);
        let cast = scope.cast;
        let used = self.used(state);
        let mut said = Vec::new();
        let hello = self.plain(HELLO, [NONE; SEATS], [NONE; SEATS]);
        self.variants(&mut said, &used, hello, scope.hellos);
        let memory = self.machine(state[operator]).memory;
        let Some(session) = memory.session() else { return said };
        if cast.deals(sender) {
            let deal = self.plain(DEAL, session, session);
            self.variants(&mut said, &used, deal, scope.deals);
            let victims = cast.receivers & !(1 << sender);
            let bad = (1..=victims).filter(|seats| scope.bad_deals && seats & !victims == 0);
            let bad = bad.map(Flaw::Boxes).chain(scope.bad_deals.then_some(Flaw::Public));
            for flaw in bad {
                said.push(self.book.id(Statement { flaw, ..deal }));
            }
        }
        if cast.stops(sender) {
            self.minima(&mut said, &used, session);
        }
        for round in [PREPARE, COMMIT, FINAL] {
            let named = |id: &Id| {
                let statement = self.book.get(*id);
                let fits = statement.round == round - 1
                    && statement.session == session
                    && statement.is_ordinary();
                fits && statement.flaw != Flaw::Public
            };
            let before: Vec<Id> = match cast.speaks(sender, round - 1) {
                true => used.iter().copied().filter(named).collect(),
                false => vec![NONE],
            };
            if let Some(mut view) = self.honest_view(state, round - 1, session) {
                for id in before {
                    view[sender] = id;
                    let plain = self.plain(round, session, view);
                    self.variants(&mut said, &used, plain, scope.sound(round));
                    // A dealer waits for it, and looks at its view alone.
                    if scope.comes_first(sender, round) && scope.wrong[round - PREPARE] > 0 {
                        said.push(self.book.id(Statement { flaw: Flaw::Public, ..plain }));
                    }
                }
            }
            let plain = self.plain(round, session, [JUNK; SEATS]);
            let wrong = Statement { flaw: Flaw::Public, ..plain };
            self.variants(&mut said, &used, wrong, scope.wrong[round - PREPARE]);
        }
        if scope.words
            && let Some(deals) = memory.complete(&cast, &self.book, DEAL)
        {
            // One that names a seat without which too few are left helps nobody to finish.
            let of_use = |seat: &usize| *seat != sender && cast.enough(1 << seat);
            for seat in cast.seats().filter(of_use) {
                let kind = Kind::Without(1 << seat);
                let word = self.plain(FINAL, session, deals);
                said.push(self.book.id(Statement { kind, ..word }));
            }
        }
        if scope.complaints && cast.dealers_to(sender) != 0 {
            self.complaints(&mut said, state, session);
        }
        said
    }

    fn minima(&mut self, said: &mut Vec<Id>, used: &[Id], session: View) {
        let minima = self.plain(COMMIT, session, [NONE; SEATS]);
        let values = (1..=self.scope.minima).map(|value| {
            let mut stated = minima;
            stated.kind = Kind::Minima(value);
            stated
        });
        self.used_and_next(said, used, values);
        if self.scope.bad_minima {
            let (kind, flaw) = (Kind::Minima(0), Flaw::Public);
            said.push(self.book.id(Statement { kind, flaw, ..minima }));
        }
    }

    /// One that cannot be judged, and one about each of the others, which is false.
    fn complaints(&mut self, said: &mut Vec<Id>, state: &State, session: View) {
        let (cast, sender) = (self.scope.cast, self.scope.byzantine);
        let dealers = cast.dealers_to(sender);
        let any = (0..SEATS).find(|seat| contains(dealers, *seat)).expect("somebody deals to it");
        // Whom the first names does not matter. In a key generation the others are alike: it names
        // none of them.
        let about = if cast.parent.is_some() { any } else { sender };
        let complaint = self.plain(PREPARE, session, [JUNK; SEATS]);
        let unjudged = Statement { kind: Kind::Complaint(about), ..complaint };
        said.push(self.book.id(unjudged));
        let dealt = |id: &Id| {
            let statement = self.book.get(*id);
            statement.round == DEAL && statement.session == session
        };
        let deals: Vec<(usize, Id)> = self
            .machines(state)
            .filter_map(|(seat, machine)| Some((seat, machine.sent().find(dealt)?)))
            .collect();
        for (dealer, deal) in deals {
            let mut view = [JUNK; SEATS];
            view[dealer] = deal;
            let kind = Kind::Complaint(dealer);
            said.push(self.book.id(Statement { kind, view, ..complaint }));
        }
    }

    fn variants(&mut self, said: &mut Vec<Id>, used: &[Id], statement: Statement, most: u8) {
        let variants = (0..most).map(|variant| {
            let mut signed = statement;
            signed.variant = variant;
            signed
        });
        self.used_and_next(said, used, variants);
    }

    /// Of statements that are alike: those that somebody has used, and the first other one.
    fn used_and_next(
        &mut self,
        said: &mut Vec<Id>,
        used: &[Id],
        statements: impl Iterator<Item = Statement>,
    ) {
        let mut fresh = false;
        for statement in statements {
            let id = self.book.id(statement);
            let known = used.contains(&id);
            if known || !fresh {
                said.push(id);
            }
            fresh |= !known;
        }
    }

    /// What it has said already, and what an honest one would say after that: if it deals, it is
    /// stopped; its person finishes without `lost`.
    pub(crate) fn said_by_honest_successor(&mut self, state: &State, lost: Seats) -> Vec<Id> {
        let (byzantine, cast) = (self.scope.byzantine, self.scope.cast);
        let mut said = self.used(state);
        let (mut session, mut deals, mut last) = ([NONE; SEATS], [NONE; SEATS], NONE);
        for round in HELLO..=FINAL {
            let before = match round {
                HELLO => Some([NONE; SEATS]),
                _ => self.honest_view(state, round - 1, session),
            };
            let Some(mut view) = before else { return said };
            if round > HELLO {
                view[byzantine] = last;
            }
            match round {
                DEAL => session = view,
                PREPARE => deals = view,
                _ => {}
            }
            if !cast.speaks(byzantine, round) {
                last = NONE;
                continue;
            }
            let next = self.plain(round, session, view);
            let in_slot = |id: &Id| {
                let held = self.book.get(*id);
                held.round == round && held.in_slot()
            };
            let own = said.iter().copied().find(in_slot);
            last = own.unwrap_or_else(|| self.book.id(next));
            if own.is_none() {
                said.push(last);
            }
            let stops = |id: &Id| matches!(self.book.get(*id).kind, Kind::Minima(_));
            if round == COMMIT && cast.stops(byzantine) && !said.iter().any(stops) {
                let minima = self.plain(COMMIT, session, [NONE; SEATS]);
                said.push(self.book.id(Statement { kind: Kind::Minima(1), ..minima }));
            }
        }
        if lost != 0 {
            let word = self.plain(FINAL, session, deals);
            said.push(self.book.id(Statement { kind: Kind::Without(lost), ..word }));
        }
        said
    }

    /// Whether the byzantine operator's words, as far as anybody has heard them, could be an honest
    /// operator's; whatever its people have it say that stands in no slot.
    pub(crate) fn seems_honest(&self, state: &State) -> bool {
        let used = self.used(state);
        let fair = |id: &Id| {
            let said = self.book.get(*id);
            !matches!(said.kind, Kind::Complaint(_)) && said.flaw == Flaw::Sound
        };
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
        let in_slots = |id: &&Id| self.book.get(**id).in_slot() && !signed_again(id);
        let rounds = used.iter().filter(in_slots).map(|id| self.book.get(*id).round);
        used.iter().all(fair)
            && (HELLO..=FINAL).all(|round| rounds.clone().filter(|of| *of == round).count() <= 1)
    }

    /// Seats of honest operators that have abandoned.
    pub(crate) fn abandoned(&self, state: &State) -> Seats {
        let gone = self.machines(state).filter(|(_, machine)| !machine.takes_part());
        gone.fold(0, |all, (seat, _)| all | 1 << seat)
    }
}
