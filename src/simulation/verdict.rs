//! How a simulated ceremony ended, and the properties that must hold at its end.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::audit_all;
use crate::audit::expectation::Expectations;
use crate::message::envelope::{Kind, Statement};
use crate::message::inbox::Inbox;
use crate::message::share_box::decode_shares;
use crate::primitives::curve::{Scalar, SecretScalar};
use crate::primitives::hash::Digest;
use crate::primitives::secret::SecretBytes;
use crate::protocol::evidence::Fault;
use crate::protocol::proofs::Proofs;
use crate::spec::threshold::Index;
use crate::transcript::container;

use super::bug::Bug;
use super::certificate::{Certificate, every_subset_signs, generations_mix};
use super::host::{Host, Running};
use super::oracle::{Oracle, Violation};
use super::world::{PATIENCE, World};

/// Of how many honest or finished ceremonies all statements are judged.
const JUDGE_EVERY: u64 = 16;
/// Of how many ceremonies the transcript is also audited.
const AUDIT_EVERY: u64 = 32;

/// How a ceremony ended for its honest operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// All have written.
    Finished,
    /// Some have written; the others are stopped or wait.
    FinishedBySome,
    /// None has written, and a fault has stopped some.
    Stopped,
    /// All wait for operators that are not honest.
    Waiting,
}

impl Ending {
    /// Every ending, with its name in reports.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Finished, "finished"),
        (Self::FinishedBySome, "finished-by-some"),
        (Self::Stopped, "stopped"),
        (Self::Waiting, "waiting"),
    ];
}

/// A ceremony that was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// How it ended.
    pub ending: Ending,
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// A digest of everything that happened, in its order.
    pub trace: u64,
    /// Events.
    pub events: u64,
    /// Losses of power.
    pub crashes: u64,
    /// Programs that ended because a disk was full.
    pub full: u64,
    /// Disks put back to an earlier state.
    pub rollbacks: u64,
    /// How often a person of a dealer has stopped old keys, or raised what it had said of them.
    pub stops: u64,
    /// Seats that were lost after their commit, for some time or for good.
    pub losses: u64,
    /// How many seats were left out by those who finished.
    pub left_out: usize,
    /// Of two reshares of one parent: whether both were completed.
    pub forked: bool,
    /// How often a program was refused beside another reshare.
    pub refused: u64,
    /// Moments at which power could fail, by seat.
    pub moments: Vec<u64>,
    /// The digest of the transcript of the first operator that finished.
    pub transcript: Option<Digest>,
    /// Sets of `t` shares that were checked.
    pub subsets: u64,
}

impl World {
    pub(super) fn held_to_the_rules(&self) -> impl Iterator<Item = &Host> {
        let excused = |who: Index| self.watch.faulty.contains(&who) || self.lost.contains(&who);
        self.hosts.iter().flatten().filter(move |host| !excused(host.me()))
    }

    pub(super) fn has_written(host: &Host) -> bool {
        let finished = host.participant().is_some_and(|participant| participant.is_finished());
        host.home.disk.image.outputs.is_some() && (finished || host.running == Running::Left)
    }

    pub(super) fn has_fault(host: &Host) -> bool {
        let fault = host.participant().is_some_and(|participant| participant.fault().is_some());
        fault || matches!(host.running, Running::Stopped | Running::GaveUp | Running::Refused)
    }

    /// Everybody has written; or, while nobody has, everybody knows of a fault.
    pub(super) fn all_done(&self) -> bool {
        let written = self.held_to_the_rules().filter(|host| Self::has_written(host)).count();
        match written {
            0 => self.held_to_the_rules().all(Self::has_fault) && !self.may_finish_without(),
            some => some == self.held_to_the_rules().count(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        if self.returning > 0 {
            return false;
        }
        if self.plan.to_the_end && self.unchanged < PATIENCE {
            let gone = |host: &Host| {
                matches!(host.running, Running::Left | Running::Stopped | Running::GaveUp)
            };
            return self.calm && self.held_to_the_rules().all(gone);
        }
        // Somebody is on the way to a machine that waits for it.
        let comes = self.stopping.contains(&true) && self.unchanged < 2 * PATIENCE;
        self.all_done() || self.unchanged >= PATIENCE && !comes
    }

    /// Everybody must have got to an end: the outputs, a fault, or a wait for those that are not
    /// honest.
    pub(super) fn judge(&mut self) {
        let mut excused: BTreeSet<Index> = self.watch.faulty.union(&self.lost).copied().collect();
        excused.extend(
            self.held_to_the_rules().filter(|host| Self::has_fault(host)).map(|host| host.me()),
        );
        loop {
            let blocked = |host: &&Host| {
                let waiting = host
                    .participant()
                    .map(|participant| participant.waiting().everybody())
                    .unwrap_or_default();
                !excused.contains(&host.me()) && waiting.iter().any(|peer| excused.contains(peer))
            };
            let more: Vec<Index> =
                self.held_to_the_rules().filter(blocked).map(|host| host.me()).collect();
            if more.is_empty() {
                break;
            }
            excused.extend(more);
        }
        let stuck: Vec<String> = self
            .held_to_the_rules()
            .filter(|host| !Self::has_written(host) && !excused.contains(&host.me()))
            .map(|host| {
                let waiting = host.participant().map(|participant| participant.waiting());
                format!("operator {} ({:?}) waits: {waiting:?}", host.me(), host.running)
            })
            .collect();
        if !stuck.is_empty() {
            self.watch.violation(Oracle::Liveness, stuck.join("; "));
        }
        if self.unchanged >= PATIENCE {
            self.judge_arrivals();
            self.judge_certainty();
            self.judge_without();
        }
        let faults = self.ending() != Ending::Finished && !self.plan.adversaries.is_empty();
        if faults || self.plan.seed.is_multiple_of(JUDGE_EVERY) {
            self.watch.judge_everything();
        }
    }

    /// What is certain for one honest operator becomes so for all: certificate 2, or before it the
    /// proof of a fault.
    pub(super) fn judge_certainty(&mut self) {
        let gave_up = |host: &&Host| matches!(host.running, Running::GaveUp | Running::Refused);
        if self.held_to_the_rules().any(|host| gave_up(&host)) {
            return;
        }
        let written = self.held_to_the_rules().any(Self::has_written);
        // Minima that do not decode are kept as evidence, and passed on to nobody.
        let passed_on = |fault: &Fault| {
            fault.evidence.iter().all(|statement| statement.envelope.kind != Kind::Minima)
        };
        let proven = |host: &Host| {
            let all = |participant| Proofs::default().since(participant);
            host.participant().is_some_and(|participant| all(participant).iter().any(passed_on))
        };
        let (what, lagging): (&str, Vec<Index>) = match written {
            true => {
                let lagging = self
                    .held_to_the_rules()
                    .filter(|host| !Self::has_written(host))
                    .map(|host| host.me());
                ("certificate 2", lagging.collect())
            }
            false if self.held_to_the_rules().any(proven) => {
                // Whoever holds certificate 1 may know the proof and still go on.
                let lagging =
                    self.held_to_the_rules().filter(|host| !Self::has_fault(host) && !proven(host));
                let lagging = lagging.map(|host| host.me());
                ("the proof of a fault", lagging.collect())
            }
            false => return,
        };
        if !lagging.is_empty() {
            self.watch.violation(Oracle::Liveness, format!("{what} never comes to {lagging:?}"));
        }
    }

    /// With a whole network, what one honest operator holds all others hold.
    pub(super) fn judge_arrivals(&mut self) {
        let running: Vec<(&Host, &Inbox)> = self
            .held_to_the_rules()
            .filter_map(|host| Some((host, host.participant()?.inbox())))
            .filter(|(host, _)| {
                host.participant().is_some_and(|participant| participant.fault().is_none())
            })
            .collect();
        let mut late = Vec::new();
        for (a, ours) in &running {
            for (b, theirs) in
                running.iter().filter(|(_, theirs)| theirs.session() == ours.session())
            {
                for round in self.watch.shape.rounds().iter().copied() {
                    let held = self.watch.shape.speakers(round).iter().find(|sender| {
                        ours.get(round, *sender).is_some() && theirs.get(round, *sender).is_none()
                    });
                    late.extend(held.map(|sender| {
                        format!(
                            "operator {} holds the {round:?} of {sender}, and {} never gets it",
                            a.me(),
                            b.me()
                        )
                    }));
                }
            }
        }
        if !late.is_empty() {
            self.watch.violation(Oracle::Liveness, late.join("; "));
        }
    }

    pub(super) fn shares(&mut self, digest: &Digest) -> BTreeMap<Index, Vec<SecretScalar>> {
        let validators = self.watch.shape.v;
        let mut all = BTreeMap::new();
        for host in self.hosts.iter().flatten() {
            // Of another session, of a masked one that fell out of it.
            let own = host.participant().and_then(|participant| participant.outcome());
            if self.watch.masked.contains(&host.me())
                && own.is_none_or(|outcome| outcome.digest != *digest)
            {
                continue;
            }
            let Some(bytes) = host.home.holds_shares() else { continue };
            let Ok(mut shares) = decode_shares(&SecretBytes::new(bytes.to_vec()), validators)
            else {
                continue;
            };
            if host.home.bug == Some(Bug::SpoilsShare) {
                let again = SecretScalar::reduce(&[1; 48]);
                shares[0].add_assign(&again);
            }
            all.insert(host.me(), shares);
        }
        let one = Scalar::one();
        for (member, of, shares) in self.coalition.shares() {
            if of == digest {
                all.insert(member, shares.iter().map(|share| share.scaled(&one)).collect());
            }
        }
        all
    }

    /// Certificate 1 means that any `t` shares sign; and a finished ceremony passes a stranger's
    /// audit.
    pub(super) fn check_shares(&mut self) -> u64 {
        let certificates: Vec<_> = self.watch.certificates().cloned().collect();
        let mut checked = 0;
        for certificate in certificates {
            let shares = self.shares(certificate.sums.digest());
            if shares.len() < self.watch.shape.t {
                continue;
            }
            let outcome =
                self.watch.outputs().filter(|outputs| outputs.digest == *certificate.sums.digest());
            let outcome = outcome.map(|outputs| outputs.validators.clone());
            match every_subset_signs(
                &self.watch.cast.ceremony,
                &certificate,
                &shares,
                outcome.as_deref(),
            ) {
                Ok(sets) => checked += sets as u64,
                Err(why) => self.watch.violation(Oracle::Certificate, why),
            }
            self.check_generations(&certificate, &shares);
        }
        checked += self.check_regained();
        if self.plan.seed.is_multiple_of(AUDIT_EVERY) || self.finished_without() > 0 {
            self.audit();
        }
        checked
    }

    /// Of a repair: what is on the disk of the one that had lost its share is that share, and with
    /// those that it had before it makes one of the sets that sign.
    fn check_regained(&mut self) -> u64 {
        let cast = self.watch.cast;
        if !cast.ceremony.is_repair() {
            return 0;
        }
        let regained = |host: &&Host| host.home.receives() && Self::has_written(host);
        let found: Vec<(Index, bool)> = self
            .held_to_the_rules()
            .filter(regained)
            .map(|host| {
                let before = cast.old_shares(host.me().position()).unwrap_or_default().concat();
                let same = host.home.holds_shares().is_some_and(|stored| **stored == *before);
                (host.me(), same)
            })
            .collect();
        for (me, _) in found.iter().filter(|(_, same)| !same) {
            let what = format!("operator {me} has another share than the one that it had lost");
            self.watch.violation(Oracle::Keys, what);
        }
        found.len() as u64
    }

    /// Shares of the parent and new ones sign nothing together.
    fn check_generations(
        &mut self,
        certificate: &Certificate,
        shares: &BTreeMap<Index, Vec<SecretScalar>>,
    ) {
        let Some(parent) = &self.watch.cast.parent else { return };
        let ceremony = &self.watch.cast.ceremony;
        let point = |who: &Index| ceremony.roster().get(*who).map_or(0, |seat| seat.point);
        let of = |v: usize| -> Vec<(u64, [u8; 32])> {
            shares.iter().map(|(who, all)| (point(who), *all[v].to_be_bytes())).collect()
        };
        let mut mixed = Vec::new();
        for v in 0..self.watch.shape.v {
            let mut new = of(v);
            if parent.t == 1 {
                // A whole key counts as the share at 1, where a new one may be too.
                new.reverse();
            }
            let old: Vec<(u64, [u8; 32])> = match self.plan.bug {
                Some((_, Bug::MixesGenerations)) => new.iter().rev().copied().collect(),
                _ => parent.shares.iter().map(|(_, at, all)| (*at, all[v])).collect(),
            };
            let key = certificate.sums.public_key(v);
            if generations_mix((&old, parent.t), (&new, self.watch.shape.t), &key) {
                mixed.push(v);
            }
        }
        if !mixed.is_empty() {
            let what = format!("old and new shares together give the secrets of {mixed:?}");
            self.watch.violation(Oracle::Mix, what);
        }
    }

    /// The most seats that somebody honest has left out when it finished.
    pub(super) fn finished_without(&self) -> usize {
        let running = self.held_to_the_rules().filter_map(Host::participant);
        running.map(|participant| participant.finished_without().len()).max().unwrap_or(0)
    }

    pub(super) fn transcript(&self) -> Option<Digest> {
        let finished = self
            .held_to_the_rules()
            .filter_map(|host| host.participant())
            .find(|p| p.is_finished())?;
        let inbox = finished.inbox();
        let all = inbox.statements().chain(inbox.minima()).chain(inbox.withouts());
        let bytes = container::encode(&self.watch.cast.ceremony, all).ok()?;
        Some(container::digest(&bytes))
    }

    /// The transcript of somebody who has finished and says what its machine does; of several, of
    /// whom has left out the most seats.
    pub(super) fn finished_transcript(&self) -> Option<Vec<u8>> {
        let encode = |all: &[&Statement]| {
            let (slots, beside): (Vec<&Statement>, Vec<&Statement>) =
                all.iter().partition(|said| said.envelope.kind == Kind::Ordinary);
            let loses = self.plan.bug.is_some_and(|(_, bug)| bug == Bug::LosesWords);
            let kept =
                beside.into_iter().filter(|said| !loses || said.envelope.kind != Kind::Without);
            let all = slots.into_iter().chain(kept);
            container::encode(&self.watch.cast.ceremony, all).unwrap_or_default()
        };
        let honest = || {
            let hosts = self.hosts.iter().flatten();
            hosts.filter(|host| !self.watch.masked.contains(&host.me()))
        };
        let running = honest().filter_map(Host::participant);
        let finished = running.filter(|participant| participant.is_finished());
        if let Some(one) = finished.max_by_key(|one| one.finished_without().len()) {
            let inbox = one.inbox();
            let all = inbox.statements().chain(inbox.minima()).chain(inbox.withouts());
            return Some(encode(&all.collect::<Vec<_>>()));
        }
        let written = honest().find(|host| host.home.disk.image.outputs.is_some())?;
        Some(encode(&written.home.written().iter().collect::<Vec<_>>()))
    }

    pub(super) fn audit(&mut self) {
        let Some(mut bytes) = self.finished_transcript() else { return };
        if self.plan.bug.is_some_and(|(_, bug)| bug == Bug::SpoilsTranscript)
            && let Some(last) = bytes.last_mut()
        {
            *last ^= 1;
        }
        let mut files = vec![bytes.as_slice()];
        if self.plan.bug.is_none_or(|(_, bug)| bug != Bug::LosesParent) {
            let parents = self.watch.cast.parent.iter().flat_map(|parent| &parent.transcripts);
            files.extend(parents.map(Vec::as_slice));
        }
        let report = audit_all(&files, &Expectations::default());
        if !report.is_ok_and(|report| report.is_clean()) {
            self.watch.violation(
                Oracle::Audit,
                "the transcript of a finished ceremony does not pass the audit".to_owned(),
            );
        }
    }

    pub(super) fn ending(&self) -> Ending {
        let written = self.held_to_the_rules().filter(|host| Self::has_written(host)).count();
        let stopped = self.held_to_the_rules().any(Self::has_fault);
        match written {
            0 if stopped => Ending::Stopped,
            0 => Ending::Waiting,
            all if all == self.held_to_the_rules().count() => Ending::Finished,
            _ => Ending::FinishedBySome,
        }
    }
}
