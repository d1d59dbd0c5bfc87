//! An operator with its disk: the driver's duty (`exchange/carry_out.rs`, `operator/machine.rs`,
//! `operator/child.rs`), during which power may fail between any two operations.

use std::collections::VecDeque;

use super::disk::Disk;
use super::inbox::Arrival;
use super::memory::{Ask, Context, Memory, Record, Stage, Step};
use super::rules::{Bug, Scope};
use super::statement::{
    Book, COMMIT, FINAL, Flaw, Id, Kind, NONE, PREPARE, ROUNDS, SEATS, Seats, Statement, contains,
};

/// Own statements that left the machine at most; more than one for each slot only where a rule is
/// broken.
const SENT: usize = 12;

/// An honest operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) memory: Memory,
    pub(crate) disk: Disk,
    sent: [Id; SENT],
}

/// What happens to a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// A statement arrives.
    Statement(Id),
    /// The box that goes with this deal arrives.
    Box(Id),
    /// Power comes back, or comes for the first time.
    Start,
    /// The person has stopped the old keys, and says what they have signed last.
    Stopped(u8),
    /// The person finishes without these seats.
    Without(Seats),
    /// The person abandons this reshare.
    Abandon,
    /// The person begins another reshare of the same shares.
    Elsewhere,
}

/// Power fails after so many operations.
struct Power(Option<usize>, usize);

/// Power has failed.
struct Failed;

impl Power {
    fn spend(&mut self) -> Result<(), Failed> {
        if self.0 == Some(self.1) {
            return Err(Failed);
        }
        self.1 += 1;
        Ok(())
    }
}

fn put(list: &mut [Id; SENT], id: Id) {
    let place = list.iter_mut().find(|place| **place == NONE || **place == id);
    // Without room a rule is broken, and what is there shows it.
    if let Some(place) = place {
        *place = id;
    }
}

impl Machine {
    pub(crate) const NEW: Self =
        Self { memory: Memory::EMPTY, disk: Disk::NEW, sent: [NONE; SENT] };

    pub(crate) fn sent(&self) -> impl Iterator<Item = Id> + '_ {
        self.sent.iter().copied().filter(|id| *id != NONE)
    }

    /// The own statement for a slot of this round that has left, if one has.
    pub(crate) fn said(&self, book: &Book, round: usize) -> Option<Id> {
        self.sent().find(|id| book.get(*id).round == round && book.get(*id).in_slot())
    }

    /// Whether it takes part, and could go on.
    pub(crate) fn takes_part(&self) -> bool {
        !matches!(self.memory.stage, Stage::Abandoned | Stage::Elsewhere)
    }

    /// `child::note`.
    fn note(&mut self, power: &mut Power) -> Result<(), Failed> {
        if !self.disk.note {
            power.spend()?;
            self.disk.note = true;
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        scope: &Scope,
        book: &mut Book,
        me: usize,
        step: Step,
        power: &mut Power,
    ) -> Result<(), Failed> {
        let mut steps = VecDeque::from([step]);
        while let Some(step) = steps.pop_front() {
            let early = scope.has(Bug::SendBeforePersist);
            if early {
                self.send(&step.send, power)?;
            }
            for record in step.persist {
                if commits(book, me, record) && !scope.has(Bug::NoteLate) {
                    self.note(power)?;
                }
                power.spend()?;
                self.disk.append(record);
            }
            for kind in step.erase {
                power.spend()?;
                self.disk.erase(kind);
            }
            if !early {
                self.send(&step.send, power)?;
            }
            for ask in step.asks {
                power.spend()?;
                let mut cx = Context { scope, book, me, sent: &self.sent };
                let next = match ask {
                    Ask::Reread => self.memory.reread(&mut cx, self.disk.holds(Record::Shares)),
                    Ask::Stage => self.memory.staged(&mut cx),
                    Ask::WriteOut(without) => {
                        // Outputs that are there stay as they are.
                        if !self.disk.written {
                            (self.disk.written, self.disk.without) = (true, without);
                        }
                        continue;
                    }
                };
                steps.push_back(next);
            }
        }
        Ok(())
    }

    fn send(&mut self, statements: &[Id], power: &mut Power) -> Result<(), Failed> {
        for id in statements {
            power.spend()?;
            put(&mut self.sent, *id);
        }
        Ok(())
    }

    /// `Machine::open`: whether this reshare may be gone on with, and its participant.
    fn open(&mut self, cx: &mut Context<'_>, power: &mut Power) -> Result<Option<Step>, Failed> {
        if self.disk.elsewhere && !cx.scope.has(Bug::TwoChildren) {
            self.memory.stage = Stage::Elsewhere;
            return Ok(None);
        }
        if self.disk.abandoned && !cx.scope.has(Bug::AbandonmentForgotten) {
            self.memory.stage = Stage::Abandoned;
            return Ok(None);
        }
        if self.disk.commits(cx.book, cx.me) && !cx.scope.has(Bug::NoteLate) {
            self.note(power)?;
        }
        let log: Vec<Record> = self.disk.records().collect();
        let said = log.iter().any(|record| matches!(record, Record::Statement(_)));
        let (memory, step) = if said { Memory::resume(cx, &log) } else { Memory::begin(cx) };
        self.memory = memory;
        Ok(Some(step))
    }

    fn run(
        &mut self,
        scope: &Scope,
        book: &mut Book,
        me: usize,
        event: Event,
        power: &mut Power,
    ) -> Result<(), Failed> {
        let sent = self.sent;
        let mut cx = Context { scope, book, me, sent: &sent };
        let step = match event {
            Event::Statement(id) => self.memory.take_statement(&mut cx, id),
            Event::Box(deal) => {
                let dealer = cx.book.get(deal).sender;
                self.memory.take_box(&mut cx, dealer)
            }
            Event::Start => match self.open(&mut cx, power)? {
                None => return Ok(()),
                Some(step) => step,
            },
            Event::Stopped(value) => self.memory.take_minima(&mut cx, value),
            Event::Without(lost) => self.memory.take_without(&mut cx, lost),
            Event::Abandon => {
                power.spend()?;
                self.disk.abandoned = true;
                self.memory = Memory { stage: Stage::Abandoned, ..Memory::EMPTY };
                return Ok(());
            }
            Event::Elsewhere => {
                power.spend()?;
                self.disk.elsewhere = true;
                return self.run(scope, book, me, Event::Start, power);
            }
        };
        self.carry_out(scope, book, me, step, power)?;
        if event == Event::Start {
            // Peers ask for what this operator holds of its own.
            let memory = self.memory;
            let slots = (0..ROUNDS).flat_map(|round| memory.all(round, me));
            let others = memory.minima_of(me).chain(memory.words_of(me));
            slots.chain(others).for_each(|id| put(&mut self.sent, id));
        }
        Ok(())
    }

    /// Everything that can come of an event: with power all the time, and with a failure after any
    /// operation (and after any operation of the starts that follow), up to the next time the
    /// machine is up and waits.
    pub(crate) fn outcomes(
        &self,
        scope: &Scope,
        book: &mut Book,
        me: usize,
        event: Event,
    ) -> Vec<Self> {
        let mut power = Power(None, 0);
        let mut through = *self;
        let _ = through.run(scope, book, me, event, &mut power);
        let mut outcomes = vec![through];
        if !scope.crashes {
            return outcomes;
        }
        let mut dark: Vec<Self> = Vec::new();
        self.failures(scope, book, me, event, power.1, &mut dark);
        let mut at = 0;
        while let Some(machine) = dark.get(at).copied() {
            let (mut power, mut up) = (Power(None, 0), machine);
            let _ = up.run(scope, book, me, Event::Start, &mut power);
            machine.failures(scope, book, me, Event::Start, power.1, &mut dark);
            if !outcomes.contains(&up) {
                outcomes.push(up);
            }
            at += 1;
        }
        outcomes
    }

    /// What is left where power fails after 1, 2, … of `operations`. Before the first and after the
    /// last nothing is special.
    fn failures(
        &self,
        scope: &Scope,
        book: &mut Book,
        me: usize,
        event: Event,
        operations: usize,
        dark: &mut Vec<Self>,
    ) {
        for after in 1..operations {
            let mut machine = *self;
            let failed = machine.run(scope, book, me, event, &mut Power(Some(after), 0));
            debug_assert!(failed.is_err(), "fewer operations than all");
            machine.memory = Memory::EMPTY;
            if !dark.contains(&machine) {
                dark.push(machine);
            }
        }
    }

    /// Whether the statement would change anything here.
    pub(crate) fn cares(&self, scope: &Scope, book: &mut Book, me: usize, id: Id) -> bool {
        use Stage::{Commits, Damaged, Down, Finals, Finished, Staging, Stopped};
        let stage = self.memory.stage;
        if matches!(stage, Down | Stopped | Damaged | Finished) || !self.takes_part() {
            return false;
        }
        let said = *book.get(id);
        let cx = Context { scope, book, me, sent: &self.sent };
        // Nobody looks at minima that decode before all commits are here.
        let early = matches!(said.kind, Kind::Minima(_))
            && said.flaw == Flaw::Sound
            && !matches!(stage, Commits | Staging | Finals);
        match self.memory.arrival(&cx, id) {
            Arrival::New if scope.in_order && !self.is_next(scope, book, &said) => false,
            Arrival::New => !early || scope.ordered,
            Arrival::Conflict => scope.ordered || !self.is_past(said.round),
            _ => false,
        }
    }

    /// Whether the commits and minima that come before this one are here: commits of those that
    /// only receive, of dealers, then minima; and before a final one's own.
    fn is_next(&self, scope: &Scope, book: &Book, said: &Statement) -> bool {
        let cast = &scope.cast;
        let place = |kind: Kind, seat: usize| match kind {
            Kind::Minima(_) => (2, seat),
            _ => (usize::from(cast.deals(seat)), seat),
        };
        if said.round != COMMIT {
            // A final tells which commit is needed where others are wrong.
            let tells = scope.wrong[COMMIT - PREPARE] > 0 && self.memory.stage == Stage::Commits;
            return said.round != FINAL || self.memory.stage == Stage::Finals || tells;
        }
        let here = place(said.kind, said.sender);
        let before = |kind, seat: usize| place(kind, seat) < here;
        cast.seats().all(|seat| {
            let committed = self.memory.first(COMMIT, seat).is_some();
            let stated = !cast.deals(seat) || self.memory.signed_last(book, seat).is_some();
            (committed || !before(Kind::Ordinary, seat))
                && (stated || !before(Kind::Minima(0), seat))
        })
    }

    /// Whether another statement in a slot of this round can no longer change what this operator
    /// does.
    fn is_past(&self, round: usize) -> bool {
        match self.memory.stage {
            Stage::Prepares => round < PREPARE,
            Stage::Stop | Stage::Commits => round <= PREPARE,
            Stage::Finals => round < FINAL,
            Stage::Finished => true,
            _ => false,
        }
    }

    /// Words that are the same exactly if the machines do the same from now on; in the eyes of
    /// `exchange`.
    pub(crate) fn key(
        &self,
        scope: &Scope,
        out: &mut Vec<u16>,
        seat: impl Fn(usize) -> usize,
        mut exchange: impl FnMut(Id) -> Id,
    ) {
        let (memory, disk) = (&self.memory, &self.disk);
        let seats = |seats: Seats| {
            let there = (0..SEATS).filter(|seat| contains(seats, *seat));
            there.fold(0u16, |all, there| all | 1 << seat(there))
        };
        // Whom a machine blames is not part of what it does; whether it blames an honest operator
        // must not be lost.
        let unjust = memory.blamed & !(1 << scope.byzantine) != 0;
        let stored = [Record::Seed, Record::Keys, Record::OwnShares, Record::Shares];
        let bits = [
            memory.has_session,
            memory.seed,
            memory.keys,
            memory.own_shares,
            memory.shares,
            disk.written,
            disk.note,
            disk.abandoned,
            disk.elsewhere,
            unjust,
        ];
        let bits = bits.into_iter().chain(stored.into_iter().map(|record| disk.holds(record)));
        out.push(bits.fold(0, |all, bit| all << 1 | u16::from(bit)));
        out.push(memory.stage as u16);
        out.push(seats(memory.boxes) << 8 | seats(memory.malformed));
        out.push(seats(disk.without));
        let mut senders = [0; SEATS];
        (0..SEATS).for_each(|sender| senders[seat(sender)] = sender);
        let over = matches!(memory.stage, Stage::Stopped | Stage::Damaged) || !self.takes_part();
        for sender in senders.into_iter().filter(|_| !over) {
            for round in 0..ROUNDS {
                let keep = if self.is_past(round) && !scope.ordered { 1 } else { usize::MAX };
                out.extend(memory.all(round, sender).take(keep).map(&mut exchange));
                out.push(NONE);
            }
            // In whatever order they came.
            for list in [&memory.minima[sender][..], &memory.words[sender]] {
                let start = out.len();
                out.extend(list.iter().filter(|id| **id != NONE).map(|id| exchange(*id)));
                out[start..].sort_unstable();
                out.push(NONE);
            }
        }
        let start = out.len();
        out.extend(self.sent().map(&mut exchange));
        out[start..].sort_unstable();
        out.push(NONE);
        if scope.ordered {
            out.extend(disk.order().iter().map(|number| match Disk::record(*number) {
                Record::Statement(id) => exchange(id),
                Record::Box(dealer) => Disk::number(Record::Box(seat(dealer))),
                _ => *number,
            }));
            out.push(NONE);
        }
    }
}

/// `child::is_commitment` of an own record.
fn commits(book: &Book, me: usize, record: Record) -> bool {
    let Record::Statement(id) = record else { return false };
    let said = book.get(id);
    let late = said.is_ordinary() && said.round >= COMMIT;
    said.sender == me && (late || matches!(said.kind, Kind::Minima(_)))
}
