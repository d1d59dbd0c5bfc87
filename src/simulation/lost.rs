//! Seats of a simulated reshare or import that vanish after their commit, and people who finish
//! without them: some as soon as a final is late, others when nothing happens any more.

use crate::message::envelope::{Kind, Round};
use crate::message::sync::Frame;
use crate::protocol::participant::Participant;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::host::{Host, Letters, Running};
use super::network::Event;
use super::oracle::Oracle;
use super::world::{World, moment};

/// How a seat is lost, once its commit is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Its machine is gone; before its final is signed or heard, or some time after.
    Machine,
    /// Its person abandons the reshare first, if no final is signed yet.
    Abandoned,
}

/// A seat that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Its position.
    pub seat: usize,
    /// How.
    pub how: How,
    /// How long after its commit, in milliseconds.
    pub after: u64,
    /// When it comes back with its disk, after so many milliseconds; an abandoned one does not.
    pub back: Option<u64>,
}

impl World {
    /// Plans what follows from a commit, and from a final.
    pub(super) fn after_commit(&mut self, seat: usize) {
        let Some(participant) = self.hosts[seat].as_ref().and_then(Host::participant) else {
            return;
        };
        let finals = participant.has_said(Round::Final);
        if participant.has_said(Round::Commit)
            && let Some(loss) = self.plan.lost.iter().find(|loss| loss.seat == seat)
            && self.vanishing.insert(seat)
        {
            self.agenda.plan(self.now + loss.after, Event::Vanish { seat });
        }
        if finals && self.plan.hasty && self.asked_without.insert(seat) {
            let pause = self.chance.between(50, 15_000);
            self.agenda.plan(self.now + pause, Event::Without { seat });
        }
    }

    /// Of a seat that vanishes with its commit: what it signs in the same moment nobody hears.
    pub(super) fn unheard(&self, seat: usize, letters: &mut Letters) {
        let at_once = |loss: &Loss| loss.seat == seat && loss.after == 0;
        if self.vanishing.contains(&seat) || !self.plan.lost.iter().any(at_once) {
            return;
        }
        let Some(host) = &self.hosts[seat] else { return };
        let me = host.me().get().to_be_bytes();
        let last = [Kind::Ordinary as u8, Round::Final.number(), me[0], me[1]];
        letters.retain(|(_, frame)| match frame {
            Frame::Statement(bytes) => bytes.get(6..10) != Some(&last[..]),
            _ => true,
        });
    }

    /// A seat is lost.
    pub(super) fn vanish(&mut self, seat: usize) {
        let Some(loss) = self.plan.lost.iter().find(|loss| loss.seat == seat).cloned() else {
            return;
        };
        let Some(host) = &mut self.hosts[seat] else { return };
        if matches!(host.running, Running::Stopped | Running::GaveUp | Running::Left) {
            return;
        }
        let mut back = loss.back;
        let waits = |participant: &Participant| {
            !participant.is_finished() && participant.may_abandon().is_ok()
        };
        if loss.how == How::Abandoned && host.participant().is_some_and(waits) {
            self.watch.gives_up(&host.home);
            let letters = host.give_up();
            self.send(seat, letters);
            back = None;
        }
        self.losses += 1;
        let Some(host) = &self.hosts[seat] else { return };
        self.lost.insert(host.me());
        self.go_down(seat, Running::Lost);
        if let Some(pause) = back {
            self.returning += 1;
            self.agenda.plan(self.now + pause, Event::Return { seat });
        }
    }

    /// A lost seat is found again, with its disk.
    pub(super) fn come_back(&mut self, seat: usize) {
        self.returning -= 1;
        self.unchanged = 0;
        let Some(host) = &mut self.hosts[seat] else { return };
        host.running = Running::Down;
        self.lost.remove(&host.me());
        self.agenda.plan(self.now, Event::Start { seat });
    }

    /// A person finishes without everybody whose final it lacks; `all`: and without those who can
    /// never say that they finish without them too.
    pub(super) fn finish_without(&mut self, seat: usize, all: bool) {
        let Some(host) = &self.hosts[seat] else { return };
        let me = host.me();
        let Some(participant) = host.participant().filter(|_| host.running == Running::Yes) else {
            return;
        };
        let waiting = participant.waiting();
        let gone = |who: &Index| {
            let is_there = |host: &Host| host.running == Running::Yes;
            self.lost.contains(who)
                || self.watch.masked.contains(who)
                || !self.hosts[who.position()].as_ref().is_some_and(is_there)
        };
        let silent = waiting.agreement.iter().filter(|who| all && gone(who));
        let lost: Seats = waiting.statements.iter().chain(silent).copied().collect();
        if participant.word_without(lost).is_err() {
            return;
        }
        let moment = moment(self.now, &mut self.network, self.watch.cast, me);
        let Some(host) = &mut self.hosts[seat] else { return };
        let result = host.finish_without(lost, &moment, &mut self.watch);
        self.after(seat, result);
    }

    /// Whether somebody has signed its final, and its person may finish without others.
    pub(super) fn may_finish_without(&self) -> bool {
        let bound = |host: &Host| host.home.has_noted_own(Round::Final);
        !self.plan.patient && self.watch.shape.may_lack() && self.held_to_the_rules().any(bound)
    }

    /// Nothing happens any more: people finish without whom they lack.
    pub(super) fn people_finish_without(&mut self) {
        if self.plan.patient || self.unchanged == 0 {
            return;
        }
        for seat in 0..self.hosts.len() {
            if self.unchanged > 1 || self.chance.happens(700) {
                self.finish_without(seat, self.unchanged > 2);
            }
        }
    }

    /// Those who are there and have signed their final finish without all others, if these are not
    /// too many.
    pub(super) fn judge_without(&mut self) {
        if self.plan.patient || !self.watch.shape.may_lack() {
            return;
        }
        let there = |host: &&Host| {
            let said = |participant: &Participant| {
                participant.fault().is_none() && participant.has_said(Round::Final)
            };
            host.running == Running::Yes && host.participant().is_some_and(said)
        };
        let there: Vec<&Host> = self.held_to_the_rules().filter(there).collect();
        let here: Seats = there.iter().map(|host| host.me()).collect();
        let stuck = there.iter().filter(|host| !Self::has_written(host));
        let stuck: Vec<Index> = stuck.map(|host| host.me()).collect();
        if self.watch.enough_are_left(here).is_ok() && !stuck.is_empty() {
            let others = Seats::first(self.watch.shape.n).minus(here);
            let what = format!("{stuck:?} never finish, and could without {others:?}");
            self.watch.violation(Oracle::Liveness, what);
        }
    }
}
