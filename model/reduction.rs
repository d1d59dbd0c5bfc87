//! What makes the model small: which statements change anything at a machine, and which machines
//! are the same.

use crate::disk::Disk;
use crate::inbox::Arrival;
use crate::machine::Machine;
use crate::memory::{Context, Record, Stage};
use crate::rules::{Bug, Scope};
use crate::statement::{
    Book, COMMIT, FINAL, Flaw, Id, Kind, NONE, PREPARE, ROUNDS, SEATS, Seats, Statement, contains,
};

impl Machine {
    /// Whether the statement would change anything here.
    pub(crate) fn cares(&self, scope: &Scope, book: &mut Book, me: usize, id: Id) -> bool {
        use Stage::{Commits, Damaged, Down, Finals, Finished, Staging, Stopped};
        let stage = self.memory.stage;
        if matches!(stage, Down | Stopped | Damaged | Finished) || !self.takes_part() {
            return false;
        }
        let once = scope.has(Bug::OfferOnce);
        if once && self.dropped.contains(&id) {
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
            Arrival::Surplus => once && !self.is_past(said.round),
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
        for list in [&self.sent, &self.dropped] {
            let start = out.len();
            out.extend(list.iter().filter(|id| **id != NONE).map(|id| exchange(*id)));
            out[start..].sort_unstable();
            out.push(NONE);
        }
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
