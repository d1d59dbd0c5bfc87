//! People of a simulated reshare: dealers stop their old keys when they are asked to, some later
//! than others, and some raise afterwards what they have said.

use crate::message::minima::{Minima, Signed};

use super::bug::Bug;
use super::host::Running;
use super::network::Event;
use super::world::{World, moment};

/// The longest that a person takes, in milliseconds.
const SLOWEST: u64 = 15_000;

impl World {
    /// A dealer's machine asks for the stop.
    pub(super) fn ask_to_stop(&mut self, seat: usize) {
        self.stopping[seat] = true;
        let alone =
            self.hosts[seat].as_ref().is_some_and(|host| host.home.bug == Some(Bug::StopsAlone));
        let pause = if alone { 0 } else { self.chance.between(50, SLOWEST) };
        self.agenda.plan(self.now + pause, Event::Stop { seat });
    }

    /// The person of a dealer acts. What it has said and the machine has lost, it says again.
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
        self.stops += 1;
        let moment = moment(self.now, &mut self.network, self.watch.cast, me);
        let result = host.stop(minima, &moment, &mut self.watch);
        self.after(seat, result);
        if self.chance.happens(150) {
            self.agenda.plan(self.now + self.chance.between(50, SLOWEST), Event::Stop { seat });
        }
    }
}
