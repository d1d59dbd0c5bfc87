//! Machines of a simulated ceremony as they start, tick, meet and lose what they had in memory.

use crate::exchange;
use crate::message::envelope::Round;
use crate::protocol::record::RecordKind;
use crate::spec::threshold::Index;

use super::disk::{Entry, Power, Trouble};
use super::host::{Host, Reaction, Running};
use super::network::Event;
use super::oracle::Oracle;
use super::world::{PEOPLE, World};

impl World {
    pub(super) fn lose(&mut self, seat: usize, trouble: Trouble) {
        if trouble == Trouble::OtherChild {
            // Its person runs it again, or abandons the other one first.
            self.refused += 1;
            self.go_down(seat, Running::Refused);
            return;
        }
        self.go_down(seat, Running::Down);
        let Some(host) = &mut self.hosts[seat] else { return };
        let me = host.me();
        match trouble {
            Trouble::Crashed => self.crashes += 1,
            Trouble::Full => self.full += 1,
            Trouble::OtherChild => return,
            Trouble::Damaged if self.watch.faulty.contains(&me) => return,
            Trouble::Damaged => {
                self.watch.violation(
                    Oracle::Resumption,
                    format!("the log of operator {me} does not replay"),
                );
                return;
            }
        }
        if let Some(outputs_too) = self.plan.fates[seat].rollback
            && !host.home.disk.earlier.is_empty()
            && self.chance.happens(300)
        {
            let to = self.chance.position(host.home.disk.earlier.len());
            host.home.disk.roll_back(to, outputs_too);
            host.home.mirror();
            self.plan.fates[seat].rollback = None;
            let own = [&[Round::Hello.number()][..], &me.get().to_be_bytes()].concat();
            let hello = |entry: &Entry| {
                entry.kind == RecordKind::Statement && entry.body.get(7..10) == Some(own.as_slice())
            };
            match host.home.disk.image.log.iter().any(hello)
                && self.watch.faulty == self.watch.repeating
            {
                true => drop(self.watch.repeating.insert(me)),
                // An operator without its hello says another, and what follows from it is new for
                // all.
                false => self.watch.repeating.clear(),
            }
            self.watch.faulty.insert(me);
            self.rollbacks += 1;
        }
        let pause = self.chance.between(50, 8_000);
        self.agenda.plan(self.now + pause, Event::Start { seat });
    }

    pub(super) fn start(&mut self, seat: usize) {
        let Some(host) = &mut self.hosts[seat] else { return };
        if matches!(host.running, Running::Yes | Running::GaveUp | Running::Lost) {
            return;
        }
        let (run, period) = (host.run, host.period);
        let started = host.start(self.now, &mut self.watch);
        let up = started.is_ok();
        self.after(seat, started.map(|()| Reaction::default()));
        if up {
            self.agenda.plan(self.now + 1 + self.chance.below(period), Event::Tick { seat, run });
            self.greet(seat);
        }
    }

    /// Connections between a machine and all others that run come up.
    pub(super) fn greet(&mut self, seat: usize) {
        let me = self.watch.cast.seats[seat].me;
        let all: Vec<Index> =
            self.watch.cast.ceremony.indices().filter(|index| *index != me).collect();
        for peer in all {
            if self.network.is_cut(self.now, me, peer) {
                continue;
            }
            // Whoever breaks the rules is always there.
            let up =
                |host: &Option<Host>| host.as_ref().is_none_or(|host| host.running == Running::Yes);
            if up(&self.hosts[seat]) && up(&self.hosts[peer.position()]) {
                self.happen_at(seat, exchange::Event::Up(peer));
                self.happen_at(peer.position(), exchange::Event::Up(me));
            }
        }
    }

    pub(super) fn greet_everybody(&mut self) {
        (0..self.hosts.len()).for_each(|seat| self.greet(seat));
    }

    pub(super) fn tick(&mut self, seat: usize, run: u32) {
        let Some(host) = &mut self.hosts[seat] else { return };
        if host.running != Running::Yes || host.run != run {
            return;
        }
        let period = host.period;
        self.agenda.plan(self.now + period, Event::Tick { seat, run });
        self.happen_at(seat, exchange::Event::Tick);
    }

    /// Faults stop: the network is whole, disks have space and power, clocks are right.
    pub(super) fn calm_down(&mut self) {
        self.calm = true;
        self.network.calm_down();
        for (seat, host) in self.hosts.iter_mut().enumerate() {
            let Some(host) = host else { continue };
            (host.home.disk.power, host.home.disk.full, host.home.disk.full_at) =
                (Power::Steady, 0, None);
            self.plan.fates[seat].rollback = None;
            host.period = 2_000;
            if matches!(host.running, Running::Yes | Running::Down) {
                self.agenda.plan(self.now, Event::Start { seat });
            }
        }
        self.greet_everybody();
        self.agenda.plan(self.now + PEOPLE, Event::People);
    }
}
