//! A machine with an honest operator on it: the participant, its disk, and what the driver (`cli`)
//! does with both.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::message::envelope::{Reject, Round, Statement, view_root};
use crate::message::inbox::digests;
use crate::message::sync::{Frame, Have};
use crate::primitives::hash::Digest;
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::protocol::evidence::{Certainty, Fault, Rule};
use crate::protocol::participant::{Ask, Entropy, Input, OwnSeat, Participant, Refused, Step};
use crate::protocol::record::RecordKind;
use crate::spec::threshold::Index;

use super::bug::Bug;
use super::chance::Chance;
use super::disk::{Disk, Outputs, Trouble};
use super::oracle::Watch;

/// After how many tellings without news an operator asks for everybody's statements
/// (`cli/drive.rs`).
const PATIENCE: u32 = 3;

/// Why a program does not run, or that it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// It runs.
    Yes,
    /// Not started yet, or it lost power, or its disk was full.
    Down,
    /// A fault stopped the ceremony for this operator.
    Stopped,
    /// Its operator gave up.
    GaveUp,
    /// It has published, and everybody has confirmed; or it stayed as long as it should.
    Left,
}

/// An honest operator's machine.
pub struct Host {
    /// Whose it is.
    pub seat: OwnSeat,
    /// `None` while it does not run.
    pub participant: Option<Participant>,
    /// Its disk.
    pub disk: Disk,
    /// Whether it runs.
    pub running: Running,
    /// How often it was started: what was meant for an earlier run is void.
    pub run: u32,
    /// Milliseconds between two tellings: its clock.
    pub period: u64,
    /// A planted mistake.
    pub bug: Option<Bug>,
    staged: bool,
    reread: Option<Arc<[u8]>>,
    idle: u32,
    /// Since when which fault stands in the way.
    fault: Option<(u64, Rule)>,
    acknowledged: BTreeSet<Index>,
    /// Statements that differ from a peer's, sent to it over the present connection.
    offered: BTreeSet<(Index, Vec<u8>)>,
    finished_at: Option<u64>,
    all_confirmed_at: Option<u64>,
    chance: Chance,
}

/// To whom, and what.
pub type Letters = Vec<(Index, Frame)>;

/// How long an operator stays when all others have confirmed, and when not (`cli/drive.rs`), in
/// milliseconds.
const PARTING: u64 = 10_000;
const LINGER: u64 = 600_000;
/// How long an operator that only suspects asks for proof.
const DOUBT: u64 = 30_000;
/// How long an operator stays that has told everybody of a proven fault.
const TOLD: u64 = 2_000;

impl Host {
    /// A machine that has not been started.
    pub fn new(seat: OwnSeat, disk: Disk, chance: Chance, period: u64) -> Self {
        Self {
            seat,
            participant: None,
            disk,
            running: Running::Down,
            run: 0,
            period,
            bug: None,
            staged: false,
            reread: None,
            idle: 0,
            fault: None,
            acknowledged: BTreeSet::new(),
            offered: BTreeSet::new(),
            finished_at: None,
            all_confirmed_at: None,
            chance,
        }
    }

    /// Position of its seat.
    pub fn position(&self) -> usize {
        self.seat.me.position()
    }

    /// The program is gone: what it had in memory is lost.
    pub fn go_down(&mut self, why: Running) {
        self.participant = None;
        self.running = why;
        self.run += 1;
    }

    /// Starts the program. What it has to say, its peers will ask for.
    pub fn start(&mut self, watch: &mut Watch) -> Result<(), Trouble> {
        let mut records = self.disk.records();
        if self.bug == Some(Bug::LosesShares) {
            records.retain(|record| record.kind != RecordKind::Shares);
        }
        let chance = &mut self.chance;
        let entropy = || Entropy {
            seed: Secret32::new(&mut chance.bytes()),
            nonce: chance.bytes(),
            extra: SecretBytes::new(Vec::new()),
        };
        let Ok((participant, step)) = Participant::start(self.seat.clone(), records, entropy)
        else {
            return Err(Trouble::Damaged);
        };
        self.participant = Some(participant);
        self.running = Running::Yes;
        (self.staged, self.idle, self.finished_at, self.all_confirmed_at, self.reread) =
            (false, 0, None, None, None);
        self.acknowledged.clear();
        self.offered.clear();
        self.fault = None;
        self.carry_out(step, watch).map(drop)
    }

    /// The participant of a machine that runs.
    pub fn participant(&self) -> &Participant {
        self.participant.as_ref().expect("it runs")
    }

    fn participant_mut(&mut self) -> &mut Participant {
        self.participant.as_mut().expect("it runs")
    }

    /// Gives the participant an input and carries out what follows. `Ok(None)` if it was refused.
    fn handle(
        &mut self,
        input: Input,
        watch: &mut Watch,
    ) -> Result<Option<Vec<Statement>>, Trouble> {
        match self.participant_mut().handle(input) {
            Ok(step) => self.carry_out(step, watch).map(Some),
            Err(Refused::Storage(_)) => Err(Trouble::Damaged),
            Err(Refused::Reject(Reject::Early) | Refused::UnsignedBox | _) => Ok(None),
        }
    }

    /// Write and sync, erase, then act: in this order, as the driver does.
    fn carry_out(&mut self, step: Step, watch: &mut Watch) -> Result<Vec<Statement>, Trouble> {
        let mut said = Vec::new();
        let mut steps = VecDeque::from([step]);
        while let Some(mut step) = steps.pop_front() {
            self.plant(&mut step);
            watch.records(&self.seat, &step.persist);
            step.send.iter().for_each(|statement| watch.signs(self, statement));
            self.disk.append(&step.persist)?;
            self.disk.erase(&step.erase)?;
            watch.disk(self);
            said.extend(step.send);
            for ask in step.asks {
                let input = match ask {
                    Ask::Reread(kind) => self.read_back(kind)?,
                    Ask::Stage => self.stage(watch)?,
                    Ask::Publish => {
                        self.publish(watch)?;
                        continue;
                    }
                };
                steps
                    .push_back(self.participant_mut().handle(input).map_err(|_| Trouble::Damaged)?);
            }
        }
        Ok(said)
    }

    fn plant(&self, step: &mut Step) {
        match self.bug {
            Some(Bug::ErasesShares) if !step.erase.is_empty() => {
                step.erase.push(RecordKind::Shares)
            }
            Some(Bug::DropsShares) => {
                step.persist.retain(|record| record.kind != RecordKind::Shares)
            }
            _ => (),
        }
    }

    fn read_back(&mut self, kind: RecordKind) -> Result<Input, Trouble> {
        self.disk.moment()?;
        if self.bug == Some(Bug::SkipsReread) || self.bug == Some(Bug::SkipsSync) {
            let bodies = self.disk.records().into_iter().filter(|record| record.kind == kind);
            return Ok(Input::Reread(bodies.map(|record| record.body).collect()));
        }
        let bodies: Vec<Arc<[u8]>> = self.disk.durable(kind).cloned().collect();
        if kind == RecordKind::Shares {
            self.reread = bodies.first().cloned();
        }
        Ok(Input::Reread(bodies.iter().map(|body| SecretBytes::new(body.to_vec())).collect()))
    }

    /// The bytes of the shares as this run read them back.
    pub fn reread(&self) -> Option<&Arc<[u8]>> {
        self.reread.as_ref()
    }

    fn stage(&mut self, watch: &mut Watch) -> Result<Input, Trouble> {
        if self.disk.image.outputs.is_some() {
            // Keystores of an earlier run count: the final says the same again.
            return Ok(Input::Staged { keystores: true });
        }
        self.disk.stage()?;
        self.staged = true;
        if self.bug == Some(Bug::PublishesEarly) {
            self.publish(watch)?;
        }
        Ok(Input::Staged { keystores: true })
    }

    fn publish(&mut self, watch: &mut Watch) -> Result<(), Trouble> {
        if !std::mem::take(&mut self.staged) {
            return Ok(());
        }
        let outcome =
            self.participant().outcome().expect("there is an outcome when it is to be published");
        let mut outputs = Outputs {
            digest: outcome.digest,
            outputs: outcome.outputs,
            validators: outcome.validators.clone(),
        };
        if self.bug == Some(Bug::OtherOutputs) {
            outputs.validators[0].signatures.reverse();
            outputs.outputs = outputs.digest;
        }
        watch.publishes(self, &outputs);
        self.disk.publish(outputs)
    }

    /// Takes bytes from a peer; gives what it sends.
    pub fn receive(
        &mut self,
        from: Index,
        bytes: &[u8],
        now: u64,
        watch: &mut Watch,
    ) -> Result<Letters, Trouble> {
        let mut letters = Vec::new();
        let input = match Frame::decode(bytes, &watch.shape) {
            Err(_) => return Ok(letters),
            Ok(Frame::Have(have)) => {
                letters.extend(
                    self.participant().missing(from, &have).into_iter().map(|frame| (from, frame)),
                );
                // Over one connection nothing arrives twice, so what differs is said once.
                for frame in self.participant().disputed(&have) {
                    if self.offered.insert((from, frame.encode())) {
                        letters.push((from, frame));
                    }
                }
                if have.confirmed.get(self.position()) == Some(&true) {
                    self.acknowledged.insert(from);
                }
                Input::PeerHolds { peer: from, have }
            }
            Ok(Frame::Statement(bytes)) => Input::Statement(bytes),
            Ok(Frame::ShareBox { dealer, recipient, sealed }) if recipient == self.seat.me => {
                Input::ShareBox { dealer, sealed }
            }
            Ok(Frame::ShareBox { dealer, recipient, sealed }) => {
                letters.extend(self.participant_mut().on_foreign_box(dealer, recipient, sealed));
                return Ok(letters);
            }
            Ok(Frame::Want { dealer, recipient }) => {
                letters.extend(self.participant_mut().on_want(from, dealer, recipient));
                return Ok(letters);
            }
        };
        assert!(
            self.bug != Some(Bug::Panics) || !matches!(input, Input::ShareBox { .. }),
            "a planted panic"
        );
        if self.bug == Some(Bug::Deaf) && matches!(input, Input::ShareBox { .. }) {
            return Ok(letters);
        }
        let session = self.participant().inbox().session();
        let unconfirmed = self.participant().unconfirmed();
        let said = self.handle(input, watch)?.unwrap_or_default();
        if !said.is_empty() || self.participant().inbox().session() != session {
            self.idle = 0;
        }
        if self.participant().unconfirmed() != unconfirmed {
            letters.push((from, Frame::Have(self.participant().have(false))));
        }
        self.tell_all(&said, &mut letters);
        if self.participant().is_finished() && self.finished_at.is_none() {
            self.finished_at = Some(now);
            self.tell_have(false, &mut letters);
        }
        self.leak(&mut letters);
        if self.bug == Some(Bug::SignsEarly) {
            self.sign_wrongly(watch, &mut letters);
        }
        Ok(letters)
    }

    fn others(&self) -> impl Iterator<Item = Index> + '_ {
        self.seat.ceremony.indices().filter(|index| *index != self.seat.me)
    }

    /// Its new statements, each deal with its box, to everybody.
    fn tell_all(&self, statements: &[Statement], letters: &mut Letters) {
        for statement in statements {
            for peer in self.others() {
                letters.push((peer, Frame::Statement(statement.bytes().to_vec())));
                if statement.envelope.round == Round::Deal {
                    letters.extend(self.participant().box_for(peer).map(|sealed| (peer, sealed)));
                }
            }
        }
        if !statements.is_empty() {
            self.tell_have(false, letters);
        }
    }

    fn tell_have(&self, help: bool, letters: &mut Letters) {
        let have: Have = self.participant().have(help);
        letters.extend(self.others().map(|peer| (peer, Frame::Have(have.clone()))));
    }

    /// What it says when a connection comes up.
    pub fn greet(&mut self, peer: Index) -> Letters {
        self.offered.retain(|(to, _)| *to != peer);
        let mut letters = vec![(peer, Frame::Have(self.participant().have(false)))];
        if let Some(fault) = self.participant().fault() {
            letters.extend(
                fault
                    .evidence
                    .iter()
                    .map(|statement| (peer, Frame::Statement(statement.bytes().to_vec()))),
            );
        }
        letters
    }

    /// What it says when its clock ticks.
    pub fn retell(&mut self, watch: &mut Watch) -> Letters {
        let mut letters = Vec::new();
        self.sign_wrongly(watch, &mut letters);
        self.idle += 1;
        let stuck = self.idle > PATIENCE || self.fault.is_some();
        self.tell_have(stuck, &mut letters);
        if stuck {
            for want in self.participant().wants() {
                letters.extend(self.others().map(|peer| (peer, want.clone())));
            }
        }
        letters
    }

    /// Whether the program comes to its end by itself, and what it says then, or before.
    pub fn ending(&mut self, now: u64) -> Option<(Option<Running>, Letters)> {
        let participant = self.participant.as_ref()?;
        if let Some(fault) = participant.fault() {
            return self.faulted(&fault.clone(), now);
        }
        let participant = self.participant.as_ref()?;
        self.fault = None;
        if !participant.is_finished() {
            return None;
        }
        let finished_at = *self.finished_at.get_or_insert(now);
        if participant.unconfirmed().is_empty() {
            let since = *self.all_confirmed_at.get_or_insert(now);
            let parted = self.others().all(|peer| self.acknowledged.contains(&peer))
                || now - since >= PARTING;
            return parted.then(|| (Some(Running::Left), Vec::new()));
        }
        (now - finished_at >= LINGER).then(|| (Some(Running::Left), Vec::new()))
    }

    /// With a fault in the way: tells everybody what proves it, stays a while, and ends.
    fn faulted(&mut self, fault: &Fault, now: u64) -> Option<(Option<Running>, Letters)> {
        let since =
            self.fault.as_ref().filter(|(_, rule)| *rule == fault.rule).map(|(since, _)| *since);
        if let Some(since) = since {
            let patience =
                if fault.rule.certainty() == Certainty::Suspected { DOUBT } else { TOLD };
            return (now - since >= patience).then(|| (Some(Running::Stopped), Vec::new()));
        }
        self.fault = Some((now, fault.rule.clone()));
        let tell = |statement: &Statement| -> Letters {
            self.others().map(|peer| (peer, Frame::Statement(statement.bytes().to_vec()))).collect()
        };
        Some((None, fault.evidence.iter().flat_map(tell).collect()))
    }

    /// Gives up, for good; what it says last.
    pub fn give_up(&mut self) -> Letters {
        let Some(participant) = self.participant.take() else { return Vec::new() };
        let (record, statement) = participant.abandon();
        let noted = self.disk.append(&[record]);
        self.go_down(Running::GaveUp);
        match noted {
            Ok(()) => self
                .others()
                .map(|peer| (peer, Frame::Statement(statement.bytes().to_vec())))
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    fn leak(&self, letters: &mut Letters) {
        if self.bug == Some(Bug::LeaksShare)
            && let Some(share) = self.disk.durable(RecordKind::Shares).next()
        {
            let peer = self.others().next().expect("at least three operators");
            letters.push((peer, Frame::Statement(share.to_vec())));
        }
    }

    /// Records that say nothing on their own, for the oracles.
    pub fn holds_shares(&self) -> Option<&Arc<[u8]>> {
        self.disk.durable(RecordKind::Shares).next()
    }

    /// Whether this operator's statement with these bytes is on its disk.
    pub fn has_noted(&self, statement: &[u8]) -> bool {
        self.disk.durable(RecordKind::Statement).any(|body| **body == *statement)
    }

    /// What a planted mistake makes it sign without right.
    fn sign_wrongly(&self, watch: &mut Watch, letters: &mut Letters) {
        let key = self.seat.operator.key();
        let inbox = self.participant().inbox();
        match (self.bug, inbox.session()) {
            (Some(Bug::SignsEarly), Some(session)) if self.participant().is_prepared() => {
                let view = digests(&inbox.complete(Round::Deal).unwrap_or_default());
                let body: Vec<u8> = view.iter().flat_map(|digest| digest.0).collect();
                watch.signs(
                    self,
                    &Statement::sign(
                        key,
                        self.seat.me,
                        Round::Commit,
                        session,
                        view_root(&view),
                        &body,
                    ),
                );
            }
            (Some(Bug::Equivocates), _) => {
                let spec = self.seat.ceremony.digest();
                let length = watch.shape.owes(self.seat.me, Round::Hello).unwrap_or(0);
                let other = Statement::sign(
                    key,
                    self.seat.me,
                    Round::Hello,
                    spec,
                    Digest::ZERO,
                    &vec![1; length],
                );
                letters.extend(
                    self.others().map(|peer| (peer, Frame::Statement(other.bytes().to_vec()))),
                );
            }
            _ => (),
        }
    }
}
