//! Two reshares, or imports, of one parent at the same time, with common operators, each of which
//! has one directory for both: people begin both, abandon the one that their machine has committed
//! to, or do not. Operators that break rules ignore their notes.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::audit_all;
use crate::audit::code::Code;
use crate::audit::expectation::Expectations;
use crate::audit::report::Status;
use crate::identity::key::OperatorPublic;
use crate::message::envelope::{Kind, Round};
use crate::protocol::participant::Participant;

use super::chance::Chance;
use super::host::{Host, Running};
use super::notes::Notes;
use super::oracle::{Oracle, Violation};
use super::plan::Plan;
use super::verdict::{Ending, Played};
use super::world::World;

/// Between two looks of people after both of their reshares, in milliseconds.
const PEOPLE: u64 = 7_000;

/// The other reshare of a fork.
#[derive(Clone)]
pub struct Other {
    /// Its plan.
    pub plan: Box<Plan>,
    /// Names of operators that ignore their notes, in both.
    pub cheats: BTreeSet<&'static str>,
}

/// Both reshares.
pub struct Fork {
    worlds: [World; 2],
    cheats: BTreeSet<OperatorPublic>,
    chance: Chance,
    looked: u64,
    events: u64,
}

/// Who an operator is, in whatever ceremony.
fn key(host: &Host) -> OperatorPublic {
    host.home.seat.operator.key().public()
}

impl Fork {
    /// Both before anything happens.
    pub fn new(plan: Plan, other: &Other) -> Self {
        let seed = plan.seed;
        let mut worlds = [World::new(plan), World::new((*other.plan).clone())];
        let (mut directories, mut cheats) =
            (BTreeMap::<OperatorPublic, Notes>::new(), BTreeSet::new());
        for host in worlds.iter_mut().flat_map(|world| world.hosts.iter_mut().flatten()) {
            let who = key(host);
            host.home.notes = Some(directories.entry(who).or_default().clone());
            if other.cheats.contains(host.home.seat.operator.name().as_str()) {
                host.home.ignores_notes = true;
                cheats.insert(who);
            }
        }
        let chance = Chance::new(seed, "fork");
        Self { worlds, cheats, chance, looked: 0, events: 0 }
    }

    /// Plays both to their ends.
    pub fn play(mut self) -> Played {
        loop {
            let next = |world: &World| world.next_event();
            let [first, second] = [next(&self.worlds[0]), next(&self.worlds[1])];
            let at = match (first, second) {
                (None, None) => break,
                (Some(first), Some(second)) => usize::from(second < first),
                (first, _) => usize::from(first.is_none()),
            };
            self.events += 1;
            self.worlds[at].step();
            let now = self.worlds[at].now();
            if now >= self.looked + PEOPLE {
                self.looked = now;
                self.people();
            }
        }
        self.end()
    }

    /// People whose machine has refused a reshare beside the other one abandon that, or wait.
    fn people(&mut self) {
        for at in 0..2 {
            let [one, two] = &mut self.worlds;
            let (refused, other) = if at == 0 { (one, two) } else { (two, one) };
            for seat in 0..refused.hosts.len() {
                let Some(host) = &refused.hosts[seat] else { continue };
                let who = key(host);
                if host.running != Running::Refused || !self.chance.happens(400) {
                    continue;
                }
                let of = |host: &Option<Host>| host.as_ref().is_some_and(|host| key(host) == who);
                let Some(place) = other.hosts.iter().position(of) else { continue };
                let binds = |participant: &Participant| {
                    participant.is_finished() || participant.has_said(Round::Final)
                };
                let there = other.hosts[place].as_ref().and_then(Host::participant);
                if there.is_some_and(|participant| !binds(participant)) {
                    other.abandon(place);
                }
            }
        }
    }

    fn end(self) -> Played {
        let Self { worlds, cheats, events, .. } = self;
        let mut violations = Vec::new();
        let forked = judge(&worlds, &cheats, &mut violations);
        let [first, second] = worlds.map(World::ended);
        let ending = match (first.ending, second.ending) {
            (a, b) if a == Ending::Finished || b == Ending::Finished => Ending::Finished,
            (a, b) => a.min(b),
        };
        let all = [first.violations, second.violations, violations];
        Played {
            ending,
            violations: all.concat(),
            trace: first.trace.wrapping_mul(31).wrapping_add(second.trace),
            events,
            crashes: first.crashes + second.crashes,
            full: first.full + second.full,
            rollbacks: first.rollbacks + second.rollbacks,
            stops: first.stops + second.stops,
            losses: first.losses + second.losses,
            left_out: first.left_out.max(second.left_out),
            forked,
            refused: first.refused + second.refused,
            moments: [first.moments, second.moments].concat(),
            transcript: first.transcript,
            subsets: first.subsets + second.subsets,
        }
    }
}

/// What an operator has signed in a reshare, whoever heard it.
#[derive(Default, Clone, Copy)]
struct Signed {
    commits: bool,
    last: bool,
    abandons: bool,
}

fn signed(world: &World, host: &Host) -> Signed {
    let mut found = Signed { abandons: host.home.has_abandoned(), ..Signed::default() };
    for statement in world.watch.signed() {
        let envelope = &statement.envelope;
        if envelope.sender == host.me() && world.watch.has_signed(&host.home, statement) {
            let ordinary = envelope.kind == Kind::Ordinary;
            found.commits |= ordinary && envelope.round == Round::Commit;
            found.commits |= envelope.kind == Kind::Minima;
            found.last |= ordinary && envelope.round == Round::Final;
            found.abandons |= envelope.kind == Kind::Abandon;
        }
    }
    found
}

/// Whether both were completed. That is nobody's who keeps the rules: everybody who has bound
/// itself to both ignores its notes, there are as many of them as it takes, and an audit sees it.
fn judge(
    worlds: &[World; 2],
    cheats: &BTreeSet<OperatorPublic>,
    violations: &mut Vec<Violation>,
) -> bool {
    let mut violation = |what: String| violations.push(Violation { oracle: Oracle::Fork, what });
    let mut bound = 0;
    for host in worlds[0].hosts.iter().flatten() {
        let (who, name) = (key(host), host.home.seat.operator.name().as_str());
        let again = worlds[1].hosts.iter().flatten().find(|other| key(other) == who);
        let Some(again) = again else { continue };
        let (one, two) = (signed(&worlds[0], host), signed(&worlds[1], again));
        let stops = [(&worlds[0], host), (&worlds[1], again)]
            .iter()
            .all(|(world, host)| world.watch.shape.stops().contains(host.me()));
        bound += usize::from(one.last && two.last && stops);
        if cheats.contains(&who) {
            continue;
        }
        if one.last && two.last {
            violation(format!("{name} has signed the finals of two reshares"));
        } else if one.commits && two.commits && !one.abandons && !two.abandons {
            violation(format!("{name} has committed to two reshares, and abandoned neither"));
        }
    }
    let files: Vec<Vec<u8>> = worlds.iter().filter_map(World::finished_transcript).collect();
    if files.len() < 2 {
        return false;
    }
    let spec = worlds[0].watch.cast.ceremony.reshare().expect("it has a parent");
    let (holders, required) = (spec.origin.holders(), spec.origin.required());
    let without = worlds.iter().any(|world| world.finished_without() > 0);
    let fewest = if without { 2 * (holders / 2 + 1) } else { 2 * required } - holders;
    if bound < fewest {
        violation(format!(
            "{bound} that deal or witness are bound twice, and a fork takes {fewest}"
        ));
    }
    let parents = worlds[0].watch.cast.parent.iter().flat_map(|parent| &parent.transcripts);
    let files: Vec<&[u8]> = files.iter().chain(parents).map(Vec::as_slice).collect();
    let report = audit_all(&files, &Expectations::default());
    let seen = report.is_ok_and(|report| {
        report.line(Code::V20).is_some_and(|line| line.status == Status::Failed)
    });
    if !seen {
        violation("an audit of both children does not see the fork".to_owned());
    }
    true
}
