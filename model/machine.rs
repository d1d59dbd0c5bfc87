//! An operator with its disk: the driver's duty (`exchange/carry_out.rs`, `operator/machine.rs`,
//! `operator/child.rs`), during which power may fail between any two operations.

use std::collections::VecDeque;

use crate::disk::Disk;
use crate::inbox::Arrival;
use crate::memory::{Ask, Context, Memory, Record, Stage, Step};
use crate::rules::{Bug, Scope};
use crate::statement::{Book, COMMIT, Id, Kind, NONE, ROUNDS, Seats};

/// Own statements that left the machine at most; more than one for each slot only where a rule is
/// broken.
const SENT: usize = 12;

/// An honest operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) memory: Memory,
    pub(crate) disk: Disk,
    pub(crate) sent: [Id; SENT],
    /// What it dropped, with [`Bug::OfferOnce`].
    pub(crate) dropped: [Id; SENT],
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
        Self { memory: Memory::EMPTY, disk: Disk::NEW, sent: [NONE; SENT], dropped: [NONE; SENT] };

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
    fn note(&mut self, scope: &Scope, power: &mut Power) -> Result<(), Failed> {
        let has_parent = scope.cast.parent.is_some();
        if has_parent && !self.disk.note && !scope.has(Bug::NoteLate) {
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
                if commits(book, me, record) {
                    self.note(scope, power)?;
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
        if self.disk.commits(cx.book, cx.me) {
            self.note(cx.scope, power)?;
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
            Event::Statement(id) => {
                self.note_dropped(&cx, id);
                self.memory.take_statement(&mut cx, id)
            }
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

    /// [`Bug::OfferOnce`]: what is dropped does not come again.
    fn note_dropped(&mut self, cx: &Context<'_>, id: Id) {
        if cx.scope.has(Bug::OfferOnce) && self.memory.arrival(cx, id) == Arrival::Surplus {
            put(&mut self.dropped, id);
        }
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
}

/// `child::is_commitment` of an own record.
fn commits(book: &Book, me: usize, record: Record) -> bool {
    let Record::Statement(id) = record else { return false };
    let said = book.get(id);
    let late = said.is_ordinary() && said.round >= COMMIT;
    said.sender == me && (late || matches!(said.kind, Kind::Minima(_)))
}
