//! An operator with its disk: the driver's duty (`cli/machine.rs`), during which power may fail
//! between any two operations.

use std::collections::VecDeque;

use crate::inbox::Arrival;
use crate::memory::{Ask, Context, Erase, Memory, Record, Stage, Step};
use crate::rules::{Bug, Scope};
use crate::statement::{Book, FINAL, Id, N, NONE, PREPARE, ROUNDS};

/// Records in a log at most.
const LONGEST: usize = 40;
/// Own statements that left the machine at most; more than one for each slot only where a rule is
/// broken.
const SENT: usize = 8;
const BARE: u16 = 0xF000;

/// What survives a crash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disk {
    records: [u16; LONGEST],
    len: u8,
    /// Outputs are there for the world.
    pub(crate) written: bool,
}

impl Disk {
    fn number(record: Record) -> u16 {
        match record {
            Record::Statement(id) => id,
            Record::Seed => BARE,
            Record::Keys => BARE + 1,
            Record::OwnShares => BARE + 2,
            Record::Shares => BARE + 3,
            Record::Box(dealer) => BARE + 4 + u16::try_from(dealer).expect("a seat"),
        }
    }

    fn record(number: u16) -> Record {
        match number.checked_sub(BARE) {
            None => Record::Statement(number),
            Some(0) => Record::Seed,
            Some(1) => Record::Keys,
            Some(2) => Record::OwnShares,
            Some(3) => Record::Shares,
            Some(dealer) => Record::Box(usize::from(dealer - 4)),
        }
    }

    /// A second record of a kind takes the place of the first: the last one counts, and they are
    /// alike here.
    fn append(&mut self, record: Record) {
        if self.holds(record) {
            return;
        }
        self.records[usize::from(self.len)] = Self::number(record);
        self.len += 1;
    }

    fn erase(&mut self, kind: Erase) {
        let gone = |record| match kind {
            Erase::Seed => record == Record::Seed,
            Erase::Dealing => matches!(record, Record::Keys | Record::OwnShares | Record::Box(_)),
            Erase::Shares => record == Record::Shares,
        };
        let kept: Vec<Record> = self.records().filter(|record| !gone(*record)).collect();
        (self.len, self.records) = (0, [0; LONGEST]);
        kept.into_iter().for_each(|record| self.append(record));
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.records[..usize::from(self.len)].iter().map(|number| Self::record(*number))
    }

    pub(crate) fn holds(&self, record: Record) -> bool {
        self.records().any(|held| held == record)
    }

    pub(crate) fn statements(&self) -> impl Iterator<Item = Id> + '_ {
        self.records[..usize::from(self.len)].iter().copied().filter(|number| *number < BARE)
    }

    pub(crate) fn order(&self) -> &[u16] {
        &self.records[..usize::from(self.len)]
    }
}

/// An honest operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) memory: Memory,
    pub(crate) disk: Disk,
    sent: [Id; SENT],
    /// What it dropped, with [`Bug::OfferOnce`].
    dropped: [Id; SENT],
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

pub(crate) fn put(list: &mut [Id; SENT], id: Id) {
    let place = list.iter_mut().find(|place| **place == NONE || **place == id);
    // Without room a rule is broken, and what is there shows it.
    if let Some(place) = place {
        *place = id;
    }
}

impl Machine {
    pub(crate) const NEW: Self = Self {
        memory: Memory::EMPTY,
        disk: Disk { records: [0; LONGEST], len: 0, written: false },
        sent: [NONE; SENT],
        dropped: [NONE; SENT],
    };

    pub(crate) fn sent(&self) -> impl Iterator<Item = Id> + '_ {
        self.sent.iter().copied().filter(|id| *id != NONE)
    }

    /// The own statement of a round that has left, if one has.
    pub(crate) fn said(&self, book: &Book, round: usize) -> Option<Id> {
        self.sent().find(|id| book.get(*id).round == round)
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
                    Ask::WriteOut => {
                        self.disk.written = true;
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
            Event::Start => {
                let log: Vec<Record> = self.disk.records().collect();
                let said = log.iter().any(|record| matches!(record, Record::Statement(_)));
                let (memory, step) =
                    if said { Memory::resume(&mut cx, &log) } else { Memory::begin(&mut cx) };
                self.memory = memory;
                step
            }
        };
        self.carry_out(scope, book, me, step, power)?;
        if event == Event::Start {
            // Peers ask for what this operator holds of its own.
            for round in 0..ROUNDS {
                let own: Vec<Id> = self.memory.all(round, me).collect();
                own.into_iter().for_each(|id| put(&mut self.sent, id));
            }
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
        use Arrival::{Conflict, New, Surplus};
        if matches!(
            self.memory.stage,
            Stage::Down | Stage::Stopped | Stage::Damaged | Stage::Finished
        ) {
            return false;
        }
        let once = scope.has(Bug::OfferOnce);
        if once && self.dropped.contains(&id) {
            return false;
        }
        let round = book.get(id).round;
        let cx = Context { scope, book, me, sent: &self.sent };
        match self.memory.arrival(&cx, id) {
            New => true,
            Conflict => scope.ordered || !self.is_past(round),
            Surplus => once && !self.is_past(round),
            _ => false,
        }
    }

    /// [`Bug::OfferOnce`]: what is dropped does not come again.
    pub(crate) fn note_dropped(&mut self, scope: &Scope, book: &mut Book, me: usize, id: Id) {
        let cx = Context { scope, book, me, sent: &self.sent };
        if scope.has(Bug::OfferOnce) && self.memory.arrival(&cx, id) == Arrival::Surplus {
            put(&mut self.dropped, id);
        }
    }

    /// Whether another statement in a slot of this round can no longer change what this operator
    /// does.
    fn is_past(&self, round: usize) -> bool {
        match self.memory.stage {
            Stage::Prepares => round < PREPARE,
            Stage::Commits => round <= PREPARE,
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
        let memory = &self.memory;
        // Whom a machine blames is not part of what it does; whether it blames an honest operator
        // must not be lost.
        let unjust = memory.blamed & !(1 << scope.byzantine) != 0;
        let bits = [
            memory.has_session,
            memory.seed,
            memory.keys,
            memory.own_shares,
            memory.shares,
            self.disk.written,
            unjust,
        ];
        let flags = bits.into_iter().fold(0, |all, bit| all << 1 | u16::from(bit));
        out.push((memory.stage as u16) << 8 | flags);
        let boxes = (0..N)
            .filter(|dealer| memory.boxes[*dealer])
            .fold(0u16, |all, dealer| all | 1 << seat(dealer));
        let disk = [Record::Seed, Record::Keys, Record::OwnShares, Record::Shares];
        let disk =
            disk.into_iter().fold(0, |all, record| all << 1 | u16::from(self.disk.holds(record)));
        out.push(boxes << 8 | disk);
        let over = matches!(memory.stage, Stage::Stopped | Stage::Damaged);
        for round in 0..ROUNDS {
            let keep = if self.is_past(round) && !scope.ordered { 1 } else { usize::MAX };
            let mut senders = [0; N];
            (0..N).for_each(|sender| senders[seat(sender)] = sender);
            for sender in senders.into_iter().filter(|_| !over) {
                out.extend(memory.all(round, sender).take(keep).map(&mut exchange));
                out.push(NONE);
            }
        }
        for list in [&self.sent, &self.dropped] {
            let start = out.len();
            out.extend(list.iter().filter(|id| **id != NONE).map(|id| exchange(*id)));
            out[start..].sort_unstable();
            out.push(NONE);
        }
        if scope.ordered {
            out.extend(self.disk.order().iter().map(|number| match Disk::record(*number) {
                Record::Statement(id) => exchange(id),
                Record::Box(dealer) => Disk::number(Record::Box(seat(dealer))),
                _ => *number,
            }));
            out.push(NONE);
        }
    }
}
