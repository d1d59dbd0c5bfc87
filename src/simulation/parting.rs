//! Whether an operator of a simulated ceremony may leave: nobody honest needs it any more.

use crate::message::envelope::Statement;
use crate::spec::threshold::Index;

use super::home::Home;
use super::host::milliseconds;
use super::oracle::Oracle;
use super::plan::LINGER;
use super::world::World;

impl World {
    /// Whoever leaves by itself, its outputs written, has seen to it that everybody honest has what
    /// it takes to finish, or has stayed as long as it was told to. Nobody can see to it where a
    /// carrier changes what others say of themselves, which channels of Noise exclude.
    ///
    /// Nobody stays for a seat that it finished without: people take that for lost, and if it comes
    /// back, they run their machines again.
    pub(super) fn judge_parting(&mut self, seat: usize) {
        if self.plan.weather.corrupt > 0 || self.plan.weather.hostile > 0 {
            return;
        }
        let Some(host) = self.hosts[seat].as_ref() else { return };
        let Some(participant) = host.participant() else { return };
        let stayed = milliseconds(self.now - host.started) >= LINGER;
        if self.watch.faulty.contains(&host.me()) || stayed {
            return;
        }
        let inbox = participant.inbox();
        let last = self.watch.shape.last_round();
        let speakers = self.watch.shape.speakers(last);
        let finals: Vec<&Statement> =
            speakers.iter().filter_map(|of| inbox.get(last, of)).collect();
        let words: Vec<&Statement> = inbox.withouts().collect();
        let holds = |home: &Home, said: &[&Statement]| {
            said.iter().all(|statement| home.has_noted_content(statement))
        };
        // With everybody's final, whatever words there are.
        let all = |home: &Home| speakers.iter().all(|of| home.has_noted_of(of, last));
        let lost = participant.finished_without();
        let left = self.held_to_the_rules().filter(|other| !lost.contains(other.me()));
        let abandoned: Vec<Index> = left
            .map(|other| &other.home)
            .filter(|home| home.disk.image.outputs.is_none())
            .filter(|home| !holds(home, &finals) || !(all(home) || holds(home, &words)))
            .map(|home| home.seat.me)
            .collect();
        if !abandoned.is_empty() {
            let me = host.me();
            let what = format!("operator {me} leaves, and {abandoned:?} cannot finish without it");
            self.watch.violation(Oracle::Parting, what);
        }
    }
}
