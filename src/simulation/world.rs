//! A ceremony from its plan: machines, network and coalition in one order of events, watched by
//! every oracle.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::exchange::{self, Moment};
use crate::protocol::evidence::{Fault, Rule};
use crate::spec::threshold::Index;

use super::bug::Bug;
use super::cast::Cast;
use super::chance::Chance;
use super::coalition::{Coalition, Letter};
use super::disk::{Disk, Trouble};
use super::host::{Host, Letters, Reaction, Running, milliseconds};
use super::mask::Mask;
use super::network::{Agenda, Event, Network};
use super::oracle::{Oracle, Watch};
use super::plan::Plan;
use super::verdict::Played;

/// Between two looks of people after their machines, in milliseconds.
pub(super) const PEOPLE: u64 = 10_000;
/// How many looks without any news mean that nothing will happen any more.
pub(super) const PATIENCE: u32 = 4;
/// After how many of them some give up.
pub(super) const GIVE_UP_AFTER: u32 = 2;
/// Events after which a ceremony should have come to an end.
const MOST_EVENTS: u64 = 400_000;

/// The world.
pub struct World {
    pub(super) plan: Plan,
    pub(super) now: u64,
    pub(super) agenda: Agenda,
    pub(super) network: Network,
    pub(super) hosts: Vec<Option<Host>>,
    pub(super) coalition: Coalition,
    pub(super) masks: BTreeMap<usize, Mask>,
    /// Dealers of a reshare whose person has been asked to stop the old keys.
    pub(super) stopping: Vec<bool>,
    pub(super) stops: u64,
    pub(super) watch: Watch,
    pub(super) chance: Chance,
    pub(super) calm: bool,
    pub(super) unchanged: u32,
    pub(super) state: Vec<(usize, usize, bool, bool)>,
    pub(super) trace: u64,
    pub(super) crashes: u64,
    pub(super) full: u64,
    pub(super) rollbacks: u64,
    /// Who is lost, for now or for good.
    pub(super) lost: BTreeSet<Index>,
    /// Seats whose loss is planned, and those whose person thinks of finishing without others.
    pub(super) vanishing: BTreeSet<usize>,
    pub(super) asked_without: BTreeSet<usize>,
    /// Lost seats that are still to come back.
    pub(super) returning: u64,
    pub(super) losses: u64,
    /// How often a program was refused beside another reshare.
    pub(super) refused: u64,
    events: u64,
    over: bool,
}

impl World {
    /// The world before anything happens.
    pub fn new(plan: Plan) -> Self {
        let cast = plan.cast();
        let seed = plan.seed;
        let mut watch = Watch::new(cast);
        let host = |seat: usize| {
            let fate = &plan.fates[seat];
            let mut disk = Disk::new(Chance::new(seed, &format!("disk {seat}")));
            (disk.power, disk.full, disk.full_at, disk.keep_earlier) =
                (fate.power, fate.full, fate.full_at, fate.rollback.is_some());
            let entropy = Chance::new(seed, &format!("entropy {seat}"));
            let bug = plan.bug.filter(|(at, _)| *at == seat).map(|(_, bug)| bug);
            let mut pacing = plan.pacing.clone();
            match bug {
                Some(Bug::DropsAnswers) => pacing.answers_at_once = 0,
                Some(Bug::LeavesEarly) => pacing.linger = Duration::ZERO,
                _ => (),
            }
            disk.lies_about_sync = bug == Some(Bug::SkipsSync);
            let mut host = Host::new(cast.seats[seat].clone(), disk, entropy, fate.period, pacing);
            host.home.bug = bug;
            host.home.old_shares = cast.old_shares(seat);
            host
        };
        let is_adversary = |seat: usize| plan.adversaries.iter().any(|(at, _)| *at == seat);
        let hosts: Vec<Option<Host>> =
            (0..cast.seats.len()).map(|seat| (!is_adversary(seat)).then(|| host(seat))).collect();
        let framed = plan.bug.is_some_and(|(_, bug)| bug == Bug::Framed);
        if !framed {
            let lies = plan.lies.iter().map(|(seat, _)| *seat);
            let faulty = plan.adversaries.iter().map(|(seat, _)| *seat).chain(lies);
            watch.faulty.extend(faulty.map(|seat| cast.seats[seat].me));
        }
        let masks: BTreeMap<usize, Mask> = (plan.lies.iter())
            .map(|(seat, lie)| {
                let chance = Chance::new(seed, &format!("mask {seat}"));
                (*seat, Mask::new(cast.seats[*seat].clone(), *lie, chance))
            })
            .collect();
        watch.masked.extend(masks.keys().map(|seat| cast.seats[*seat].me));
        for host in hosts.iter().flatten() {
            watch.old_shares(&host.home);
        }
        let mut agenda = Agenda::default();
        for (seat, fate) in plan.fates.iter().enumerate() {
            agenda.plan(fate.start, Event::Start { seat });
        }
        if !plan.adversaries.is_empty() {
            agenda.plan(0, Event::Coalition);
        }
        for (_, to, _) in &plan.weather.partitions {
            agenda.plan(*to, Event::Mended);
        }
        agenda.plan(plan.calm_from, Event::Calm);
        Self {
            now: 0,
            agenda,
            network: Network::new(cast, plan.weather.clone(), Chance::new(seed, "network")),
            hosts,
            coalition: Coalition::new(cast, &plan.adversaries, Chance::new(seed, "coalition")),
            masks,
            stopping: vec![false; plan.fates.len()],
            stops: 0,
            watch,
            chance: Chance::new(seed, "world"),
            calm: false,
            unchanged: 0,
            state: vec![(0, 0, false, false); plan.fates.len()],
            trace: 0xcbf2_9ce4_8422_2325,
            crashes: 0,
            full: 0,
            rollbacks: 0,
            lost: BTreeSet::new(),
            vanishing: BTreeSet::new(),
            asked_without: BTreeSet::new(),
            returning: 0,
            losses: 0,
            refused: 0,
            events: 0,
            over: false,
            plan,
        }
    }

    /// Plays to the end.
    pub fn play(mut self) -> Played {
        while self.next_event().is_some() {
            self.step();
        }
        self.ended()
    }

    /// When the next event is; `None` if it is over.
    pub fn next_event(&self) -> Option<u64> {
        if self.over { None } else { self.agenda.next_at() }
    }

    /// Simulated milliseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The next event happens.
    pub fn step(&mut self) {
        let Some((at, event)) = self.agenda.pop() else { return };
        self.now = at;
        self.events += 1;
        self.note(&event);
        self.happens(event);
        if self.events > MOST_EVENTS {
            let what = format!("no end after {} events", self.events);
            self.watch.violation(Oracle::Liveness, what);
        }
        self.over = !self.watch.violations.is_empty() || self.is_over();
    }

    /// What came of it.
    pub fn ended(mut self) -> Played {
        if self.watch.violations.is_empty() {
            self.judge();
        }
        let subsets = if self.watch.violations.is_empty() { self.check_shares() } else { 0 };
        let left_out = self.finished_without();
        Played {
            transcript: self.transcript(),
            ending: self.ending(),
            violations: self.watch.violations,
            trace: self.trace,
            events: self.events,
            crashes: self.crashes,
            full: self.full,
            rollbacks: self.rollbacks,
            stops: self.stops,
            losses: self.losses,
            left_out,
            forked: false,
            refused: self.refused,
            moments: self
                .hosts
                .iter()
                .map(|host| host.as_ref().map_or(0, |host| host.home.disk.moments))
                .collect(),
            subsets,
        }
    }

    fn note(&mut self, event: &Event) {
        let mut mix = |word: u64| {
            self.trace = (self.trace ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
        };
        mix(self.now);
        match event {
            Event::Deliver { from, to, bytes } => {
                mix(u64::from(from.get()) << 16 | u64::from(to.get()));
                let (words, rest) = bytes.as_chunks::<8>();
                words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
                rest.iter().for_each(|byte| mix(u64::from(*byte)));
            }
            Event::Tick { seat, run } => mix(1 << 40 | (*seat as u64) << 32 | u64::from(*run)),
            Event::Start { seat } => mix(2 << 40 | *seat as u64),
            Event::Stop { seat } => mix(7 << 40 | *seat as u64),
            Event::Vanish { seat } => mix(8 << 40 | *seat as u64),
            Event::Return { seat } => mix(9 << 40 | *seat as u64),
            Event::Without { seat } => mix(10 << 40 | *seat as u64),
            Event::Coalition => mix(3 << 40),
            Event::Mended => mix(4 << 40),
            Event::Calm => mix(5 << 40),
            Event::People => mix(6 << 40),
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Deliver { from, to, bytes } => self.deliver(from, to, &bytes),
            Event::Tick { seat, run } => self.tick(seat, run),
            Event::Start { seat } => self.start(seat),
            Event::Stop { seat } => self.stop(seat),
            Event::Vanish { seat } => self.vanish(seat),
            Event::Return { seat } => self.come_back(seat),
            Event::Without { seat } => self.finish_without(seat, false),
            Event::Coalition => {
                self.coalition_acts();
                let letters = self.coalition.tick();
                self.post(letters);
                self.agenda.plan(self.now + 1_000, Event::Coalition);
            }
            Event::Mended => self.greet_everybody(),
            Event::Calm => self.calm_down(),
            Event::People => self.look_after(),
        }
    }

    fn deliver(&mut self, from: Index, to: Index, bytes: &[u8]) {
        let Some(host) = &mut self.hosts[to.position()] else {
            let letters = self.coalition.hear(to, from, bytes);
            self.post(letters);
            self.coalition_acts();
            return;
        };
        if host.running != Running::Yes {
            return;
        }
        let mut heard = Some(bytes.to_vec());
        if let (Some(mask), Some(participant)) =
            (self.masks.get(&to.position()), host.participant())
        {
            heard = mask.hears(participant, bytes);
        }
        if let Some(bytes) = heard {
            self.happen_at(to.position(), exchange::Event::Frame { from, bytes });
        }
    }

    /// Something happens at a machine that runs.
    pub(super) fn happen_at(&mut self, seat: usize, event: exchange::Event) {
        let Some(host) = &mut self.hosts[seat] else { return };
        if host.running != Running::Yes {
            return;
        }
        let me = host.me();
        let moment = moment(self.now, &mut self.network, self.watch.cast, me);
        let result = host.happens(event, &moment, &mut self.watch);
        self.after(seat, result);
    }

    fn coalition_acts(&mut self) {
        for statement in self.coalition.advance() {
            self.watch.hears_of(statement);
        }
        let letters = self.coalition.speak();
        self.post(letters);
    }

    fn post(&mut self, letters: Vec<Letter>) {
        for (from, to, bytes) in letters {
            self.network.carry(self.now, from, to, bytes, &mut self.agenda);
        }
    }

    pub(super) fn send(&mut self, seat: usize, mut letters: Letters) {
        let Some(host) = &self.hosts[seat] else { return };
        if let Some(mask) = self.masks.get_mut(&seat) {
            // What it says when its program ends, nobody has changed: it says nothing then.
            let Some(participant) = host.participant() else { return };
            mask.learns(&host.home);
            let (said, new) = mask.says(participant, letters);
            new.into_iter().for_each(|statement| self.watch.hears_of(statement));
            letters = said;
        }
        for (to, frame) in letters {
            let bytes = frame.encode();
            self.watch.leaves(&host.home, &frame, &bytes);
            self.network.carry(self.now, host.me(), to, bytes, &mut self.agenda);
        }
    }

    /// What follows from something that a machine did: letters, an end, or the loss of what it had
    /// in memory.
    pub(super) fn after(&mut self, seat: usize, result: Result<Reaction, Trouble>) {
        match result {
            Ok(mut reaction) => {
                self.unheard(seat, &mut reaction.letters);
                self.send(seat, reaction.letters);
                let Some(host) = &self.hosts[seat] else { return };
                let mut asked = false;
                if let Some(participant) = host.participant() {
                    self.watch.outcome(host.me(), participant);
                    asked = participant.awaits_stop() && !self.stopping[seat];
                }
                if asked {
                    self.ask_to_stop(seat);
                }
                self.after_commit(seat);
                self.tell(seat, &reaction.told, reaction.untold);
                if let Some(why) = reaction.ends {
                    if why == Running::Left {
                        self.judge_parting(seat);
                    }
                    self.go_down(seat, why);
                }
            }
            Err(trouble) => self.lose(seat, trouble),
        }
    }

    /// A person is told of faults: at least of the one that stands in the way.
    fn tell(&mut self, seat: usize, told: &[Fault], untold: Option<Rule>) {
        let Some(host) = &self.hosts[seat] else { return };
        told.iter().for_each(|fault| self.watch.fault(&host.home, fault));
        if let Some(rule) = untold {
            let what = format!("operator {} stands still, and is not told of {rule:?}", host.me());
            self.watch.violation(Oracle::Evidence, what);
        }
    }

    /// A program ends, and its channels with it.
    pub(super) fn go_down(&mut self, seat: usize, why: Running) {
        let Some(host) = &mut self.hosts[seat] else { return };
        let me = host.me();
        host.go_down(why);
        for other in (0..self.hosts.len()).filter(|other| *other != seat) {
            self.happen_at(other, exchange::Event::Down(me));
        }
    }
}

/// When it is for `me`, and what is on its way to each of the others.
pub(super) fn moment(now: u64, network: &mut Network, cast: &Cast, me: Index) -> Moment {
    let queued = cast.ceremony.indices().map(|to| network.queued(now, me, to)).collect();
    Moment { now: milliseconds(now), queued }
}
