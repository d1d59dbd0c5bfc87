//! People of a simulated ceremony: they look after their machines, and some give up. Dealers and
//! witnesses of a reshare stop their old keys when they are asked to, some later than others, and
//! some raise afterwards what they have said.

use crate::message::minima::{Minima, Signed};
use crate::protocol::participant::Participant;

use super::bug::Bug;
use super::host::{Host, Running};
use super::network::Event;
use super::world::{GIVE_UP_AFTER, PEOPLE, World, moment};

/// The longest that a person takes, in milliseconds.
const SLOWEST: u64 = 15_000;

impl World {
    /// The machine of a dealer or a witness asks for the stop.
    pub(super) fn ask_to_stop(&mut self, seat: usize) {
        self.stopping[seat] = true;
        let alone =
            self.hosts[seat].as_ref().is_some_and(|host| host.home.bug == Some(Bug::StopsAlone));
        let pause = if alone { 0 } else { self.chance.between(50, SLOWEST) };
        self.agenda.plan(self.now + pause, Event::Stop { seat });
    }

    /// The person of a dealer or a witness acts. What it has said and the machine has lost, it says
    /// again.
    pub(super) fn stop(&mut self, seat: usize) {
        self.stopping[seat] = false;
        let Some(host) = &mut self.hosts[seat] else { return };
        let me = host.me();
        let Some(participant) = host.participant().filter(|_| host.running == Running::Yes) else {
            return;
        };
        let asked = participant.awaits_stop();
        let said = self
            .watch
            .words
            .get(&me)
            .map(|words| words.iter().cloned().reduce(|a, b| a.joined(&b)));
        let minima = match said.flatten() {
            None if !asked => return,
            Some(said) if asked => said,
            _ if participant.is_finished() => return,
            before => {
                let validators = self.watch.shape.v;
                let mut signed = || -> Option<Signed> {
                    let source = self.chance.below(1 << 15);
                    let (slot, target) =
                        (self.chance.below(1 << 20), source + 1 + self.chance.below(4));
                    self.chance.happens(800).then_some(Signed { slot, source, target })
                };
                let new = Minima { signed: (0..validators).map(|_| signed()).collect() };
                before.map_or(new.clone(), |before| before.joined(&new))
            }
        };
        if host.home.bug != Some(Bug::StopsAlone) {
            self.watch.words.entry(me).or_default().push(minima.clone());
        }
        (self.stops, self.unchanged) = (self.stops + 1, 0);
        let moment = moment(self.now, &mut self.network, self.watch.cast, me);
        let result = host.stop(minima, &moment, &mut self.watch);
        self.after(seat, result);
        if self.chance.happens(150) {
            self.agenda.plan(self.now + self.chance.between(50, SLOWEST), Event::Stop { seat });
        }
    }

    /// People run again what has ended while somebody still waits.
    pub(super) fn look_after(&mut self) {
        let mut changed = false;
        for (host, known) in self.hosts.iter().zip(&mut self.state) {
            // What is not running does not change.
            let Some(participant) = host.as_ref().and_then(Host::participant) else {
                continue;
            };
            let boxes = participant.waiting().boxes.len();
            let statements = participant.inbox().everything().count();
            let now = (statements, boxes, participant.fault().is_some(), participant.is_finished());
            changed |= std::mem::replace(known, now) != now;
        }
        self.unchanged = if changed { 0 } else { self.unchanged + 1 };
        if self.unchanged == GIVE_UP_AFTER {
            self.give_up();
        }
        self.people_finish_without();
        let here_or_gone = [Running::Yes, Running::GaveUp, Running::Lost];
        if !self.all_done() {
            for (seat, host) in self.hosts.iter().enumerate() {
                if host.as_ref().is_some_and(|host| !here_or_gone.contains(&host.running)) {
                    self.agenda.plan(self.now, Event::Start { seat });
                    if !self.plan.patient && self.unchanged > 0 {
                        // Before a fault that stands ends the run again.
                        self.agenda.plan(self.now + 500, Event::Without { seat });
                    }
                }
            }
        }
        self.agenda.plan(self.now + PEOPLE, Event::People);
    }

    /// The person of a machine that runs abandons its reshare.
    pub(super) fn abandon(&mut self, seat: usize) {
        let Some(host) = &mut self.hosts[seat] else { return };
        self.watch.gives_up(&host.home);
        let letters = host.give_up();
        self.watch.disk(&host.home, false);
        self.send(seat, letters);
        self.go_down(seat, Running::GaveUp);
    }

    /// Some have waited long enough.
    fn give_up(&mut self) {
        for seat in 0..self.hosts.len() {
            let Some(host) = &mut self.hosts[seat] else { continue };
            // A final binds: others may have finished with it.
            let forgets = host.home.bug == Some(Bug::AbandonsAfterFinal);
            let may = |participant: &Participant| forgets || participant.may_abandon().is_ok();
            let waits = host
                .participant()
                .is_some_and(|participant| !participant.is_finished() && may(participant))
                && !self.watch.faulty.contains(&host.me());
            if waits && (self.chance.happens(100) || forgets) {
                self.abandon(seat);
            }
        }
    }
}
