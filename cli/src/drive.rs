//! The only loop: carrier <-> message <-> protocol <-> store. It writes and syncs before it sends,
//! and decides nothing.

use std::time::Duration;

use std::collections::{BTreeMap, BTreeSet};

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cheat::Cheat;
use crate::machine::{Handled, Machine};
use crate::messages;
use crate::progress::{Progress, seat_name, seat_names};
use crate::report::CliError;
use quorate::audit::describe;
use quorate::message::envelope::{Reject, Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::{Frame, Have};
use quorate::primitives::hash::sha256;
use quorate::protocol::evidence::{Certainty, Fault, Rule};
use quorate::protocol::participant::{Input, Refused};
use quorate::spec::threshold::Index;
use quorate_operator::carrier::pace::Pace;
use quorate_operator::carrier::{Event, Tcp};

/// How often an operator that waits tells its peers what it holds.
const RETELL: Duration = Duration::from_secs(2);
/// After how many tellings it asks for everybody's statements, and says again whom it waits for.
const PATIENCE: u32 = 3;
const REMIND: u32 = 15;

/// Bytes on their way to a peer above which nothing is sent again.
const BACKLOG: usize = 64 << 10;
/// After how long a disputed statement is offered again: a peer that had no use for it may have one
/// now.
const OFFER_AGAIN: Duration = Duration::from_secs(10);
/// Bytes on their way to a peer above which an answer is cut off, to be continued when the peer
/// asks again.
const AT_ONCE: usize = 2 << 20;
/// Answers to what a peer says that it lacks: so many as it likes, and then one in a time. An
/// honest one says it again every two seconds.
const ANSWERS_AT_ONCE: u32 = 64;
const BETWEEN_ANSWERS: Duration = Duration::from_millis(500);
/// How long an operator that has heard from all that they hold everything stays for those that may
/// not have heard it from us. One that misses it waits, until it or this operator runs again.
const PARTING: Duration = Duration::from_secs(10);
/// How long an operator that only suspects asks the others for the statement that would prove it.
const DOUBT: Duration = Duration::from_secs(30);

/// How long an operator stays that has told everybody of a proven fault: as long as it takes for
/// what it has said to arrive.
const TOLD: Duration = Duration::from_secs(2);

/// A fault that stands in the way.
struct Standing {
    since: Instant,
    rule: Rule,
    /// Who has been told of it as it is now, and since when everybody who can be told has been.
    told: BTreeSet<Index>,
    told_at: Instant,
}

/// How a run ended.
pub(crate) enum Ending {
    /// Outputs are published and every peer has confirmed that it holds everything.
    Complete,
    /// Outputs are published; these peers had not confirmed when the time given was over, or when
    /// the person stopped.
    Published {
        /// Their names.
        unconfirmed: Vec<String>,
    },
    /// Stopped by the person before the end; safe to run again.
    Interrupted {
        /// Who was awaited.
        waiting: Vec<String>,
    },
    /// A fault stopped the ceremony for this operator; evidence is written.
    Fault {
        /// What was broken.
        fault: Fault,
        /// Whether this operator had signed that its shares are stored.
        prepared: bool,
    },
}

/// A ceremony being driven.
pub(crate) struct Drive {
    machine: Option<Machine>,
    tcp: Tcp,
    progress: Progress,
    shape: Shape,
    connected: Vec<Index>,
    idle: u32,
    linger: Duration,
    finished_at: Option<Instant>,
    /// Peers that have noted that we hold everything.
    acknowledged: BTreeSet<Index>,
    /// How often each peer was answered lately.
    answers: BTreeMap<Index, Pace>,
    all_confirmed_at: Option<Instant>,
    /// Disputed statements that were sent to a peer over its present connection, by hash, and when.
    offered: BTreeMap<Index, BTreeMap<[u8; 32], Instant>>,
    /// The fault that stands in the way.
    fault: Option<Standing>,
    /// A demo's operator that breaks a rule; never one of an ordinary run.
    cheat: Option<Cheat>,
}

impl Drive {
    pub(crate) fn new(
        machine: Machine,
        tcp: Tcp,
        progress: Progress,
        linger: Duration,
        cheat: Option<Cheat>,
    ) -> Self {
        let shape = Shape::of(&machine.participant.seat().ceremony);
        Self {
            machine: Some(machine),
            tcp,
            progress,
            shape,
            connected: Vec::new(),
            idle: 0,
            linger,
            finished_at: None,
            acknowledged: BTreeSet::new(),
            answers: BTreeMap::new(),
            all_confirmed_at: None,
            fault: None,
            offered: BTreeMap::new(),
            cheat,
        }
    }

    fn machine(&self) -> &Machine {
        self.machine.as_ref().expect("the machine is away only inside `work`")
    }

    fn machine_mut(&mut self) -> &mut Machine {
        self.machine.as_mut().expect("the machine is away only inside `work`")
    }

    /// Runs `act` on the machine in a worker thread: checks, syncs and key derivation must not stop
    /// the sockets.
    async fn work<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Machine) -> Result<T, CliError> + Send + 'static,
    ) -> Result<T, CliError> {
        let mut machine = self.machine.take().expect("one piece of work at a time");
        let worker = tokio::task::spawn_blocking(move || {
            let done = act(&mut machine);
            (machine, done)
        });
        match worker.await {
            Ok((machine, done)) => {
                self.machine = Some(machine);
                done
            }
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Drives until the end, a fault, or an interruption.
    pub(crate) async fn run(mut self) -> Result<Ending, CliError> {
        // One listener for the whole run: an interruption during a piece of work is heard when that
        // is done.
        let mut interrupt = signal(SignalKind::interrupt()).map_err(messages::runtime)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(messages::runtime)?;
        let mut retell = interval(RETELL);
        retell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ending = loop {
            self.show(false);
            if let Some(ending) = self.ending() {
                break ending;
            }
            tokio::select! {
                event = self.tcp.next() => self.on_event(event).await?,
                _ = retell.tick() => self.retell(),
                _ = interrupt.recv() => break self.interrupted(),
                _ = terminate.recv() => break self.interrupted(),
            }
        };
        self.tcp.shutdown().await;
        if let (Ending::Fault { .. }, Some(machine)) = (&ending, &self.machine) {
            machine.keep_everything()?;
        }
        Ok(ending)
    }

    fn show(&mut self, detail: bool) {
        if let Some(machine) = &self.machine {
            self.progress.show(&machine.participant, detail);
        }
    }

    fn ending(&mut self) -> Option<Ending> {
        if let Some(fault) = self.machine().participant.fault().cloned() {
            return self.faulted(fault);
        }
        self.fault = None;
        let participant = &self.machine().participant;
        if !participant.is_finished() {
            return None;
        }
        let unconfirmed = participant.unconfirmed();
        let (others, names) = (
            participant.seat().ceremony.n() - 1,
            seat_names(&participant.seat().ceremony, &unconfirmed),
        );
        let parting = PARTING.min(self.linger);
        let finished_at = *self.finished_at.get_or_insert_with(|| {
            self.progress.say(&match unconfirmed.is_empty() {
                false => "Outputs are published. Making sure that the others have everything; \
                          Ctrl-C is safe."
                    .to_owned(),
                // A run of a finished ceremony again: a peer may have lost our word to a crash, and
                // waits for it.
                true => format!(
                    "Outputs are published and confirmed by everybody. Staying {} s for whoever \
                     has not heard so; Ctrl-C is safe.",
                    parting.as_secs()
                ),
            });
            Instant::now()
        });
        if unconfirmed.is_empty() {
            let confirmed_at = *self.all_confirmed_at.get_or_insert_with(Instant::now);
            let parted = self.acknowledged.len() == others || confirmed_at.elapsed() >= parting;
            return parted.then_some(Ending::Complete);
        }
        (finished_at.elapsed() >= self.linger).then_some(Ending::Published { unconfirmed: names })
    }

    /// With a fault in the way: tells everybody what proves it, stays a while so that they hear it
    /// and can answer, and ends.
    fn faulted(&mut self, fault: Fault) -> Option<Ending> {
        let prepared = self.machine().participant.is_prepared();
        let now = Instant::now();
        let mut standing = match self.fault.take().filter(|standing| standing.rule == fault.rule) {
            Some(standing) => standing,
            None => {
                let ceremony = self.machine().participant.seat().ceremony.clone();
                self.progress.say(&format!(
                    "A fault: {}. Telling the others.",
                    describe::rule(&fault.rule, Some(&ceremony))
                ));
                Standing {
                    since: now,
                    rule: fault.rule.clone(),
                    told: BTreeSet::new(),
                    told_at: now,
                }
            }
        };
        for peer in self.connected.iter().filter(|peer| !standing.told.contains(peer)) {
            for statement in &fault.evidence {
                self.send(*peer, &Frame::Statement(statement.bytes().to_vec()));
            }
            standing.told_at = now;
        }
        standing.told.extend(&self.connected);
        let everybody = standing.told.len() + 1 == self.shape.n;
        // Who still reads has it all, and who does not has left.
        let heard =
            everybody && self.connected.iter().all(|peer| self.tcp.waiting(peer.get()) == 0);
        let done = match fault.rule.certainty() {
            Certainty::Suspected => standing.since.elapsed() >= DOUBT,
            Certainty::Proven | Certainty::Nobody => {
                standing.since.elapsed() >= PARTING || (heard && standing.told_at.elapsed() >= TOLD)
            }
        };
        if done || (everybody && self.connected.is_empty()) {
            return Some(Ending::Fault { fault, prepared });
        }
        self.fault = Some(standing);
        None
    }

    fn interrupted(&self) -> Ending {
        let Some(machine) = &self.machine else {
            return Ending::Interrupted { waiting: Vec::new() };
        };
        let participant = &machine.participant;
        let ceremony = &participant.seat().ceremony;
        if let Some(fault) = participant.fault() {
            return Ending::Fault { fault: fault.clone(), prepared: participant.is_prepared() };
        }
        if participant.is_finished() {
            return Ending::Published {
                unconfirmed: seat_names(ceremony, &participant.unconfirmed()),
            };
        }
        Ending::Interrupted { waiting: seat_names(ceremony, &participant.waiting().everybody()) }
    }

    async fn on_event(&mut self, event: Event) -> Result<(), CliError> {
        match event {
            Event::Up { peer, address } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                self.progress.up(peer, address.clone());
                let line = format!("Connected to {} at {address}.", self.name(peer));
                self.progress.say_of(peer, &line);
                if !self.connected.contains(&peer) {
                    self.connected.push(peer);
                }
                self.offered.remove(&peer);
                let have = self.machine().participant.have(false);
                self.send(peer, &Frame::Have(have));
            }
            Event::Down { peer, why } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                self.progress.down(peer);
                self.connected.retain(|other| *other != peer);
                let line = format!("Lost {}: {why}. Trying again.", self.name(peer));
                self.progress.say_of(peer, &line);
            }
            Event::Unreachable { peer, address, why } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                self.progress.say(&format!(
                    "{} is not reachable at {address} yet: {why}. Trying again.",
                    self.name(peer)
                ));
            }
            Event::Refused { address, why } => {
                self.progress.say(&format!("Refused a connection from {address}: {why}."))
            }
            Event::Frame { peer, bytes } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                self.progress.heard_from(peer);
                self.on_frame(peer, &bytes).await?;
            }
        }
        Ok(())
    }

    fn name(&self, peer: Index) -> String {
        seat_name(&self.machine().participant.seat().ceremony, peer)
    }

    async fn on_frame(&mut self, peer: Index, bytes: &[u8]) -> Result<(), CliError> {
        let input = match Frame::decode(bytes, &self.shape) {
            Err(error) => {
                let line = format!(
                    "{} sent something that is not a message: {error}. Ignored.",
                    self.name(peer)
                );
                self.progress.say_of(peer, &line);
                return Ok(());
            }
            Ok(Frame::Have(have)) => {
                self.answer_have(peer, &have);
                if have.confirmed.get(self.machine().participant.seat().me.position())
                    == Some(&true)
                {
                    self.acknowledged.insert(peer);
                }
                Input::PeerHolds { peer, have }
            }
            Ok(Frame::Statement(bytes))
                if self.cheat.as_ref().is_some_and(|cheat| cheat.is_own(&bytes)) =>
            {
                return Ok(());
            }
            Ok(Frame::Statement(bytes)) => Input::Statement(bytes),
            Ok(Frame::ShareBox { dealer, recipient, sealed })
                if recipient == self.machine().participant.seat().me =>
            {
                Input::ShareBox { dealer, sealed }
            }
            Ok(Frame::ShareBox { dealer, recipient, sealed }) => {
                let onward =
                    self.machine_mut().participant.on_foreign_box(dealer, recipient, sealed);
                self.pass_on(onward);
                return Ok(());
            }
            Ok(Frame::Want { dealer, recipient }) => {
                let onward = self.machine_mut().participant.on_want(peer, dealer, recipient);
                self.pass_on(onward);
                return Ok(());
            }
        };
        let from = self.name(peer);
        let before = self.machine().participant.inbox().session();
        let unconfirmed = self.machine().participant.unconfirmed();
        let Handled { said, refused } = self.work(move |machine| machine.handle(input)).await?;
        // What comes too early is harmless and common: it will be sent again once we say that we
        // lack it.
        let early = matches!(refused, Some(Refused::UnsignedBox | Refused::Reject(Reject::Early)));
        // Who has stopped takes nothing but statements.
        let stopped = refused == Some(Refused::Stopped);
        if let Some(refused) = refused.filter(|_| !early && !stopped) {
            self.progress.say_of(peer, &format!("Ignored a message from {from}: {refused}."));
        }
        if !said.is_empty() || self.machine().participant.inbox().session() != before {
            self.idle = 0;
        }
        if self.machine().participant.unconfirmed() != unconfirmed {
            // It waits to hear that we have noted it.
            let have = self.machine().participant.have(false);
            self.send(peer, &Frame::Have(have));
        }
        let finished = self.machine().participant.is_finished();
        self.tell_all(&said);
        if finished && self.finished_at.is_none() {
            self.tell_have(false);
        }
        Ok(())
    }

    /// Carries a box, or the wish for one, between two others.
    fn pass_on(&self, onward: Option<(Index, Frame)>) {
        if let Some((to, frame)) = onward.filter(|(to, _)| self.tcp.waiting(to.get()) <= BACKLOG) {
            self.send(to, &frame);
        }
    }

    /// Gives `peer` what it lacks, unless much is still on its way to it: it will say again what it
    /// lacks.
    fn answer_have(&mut self, peer: Index, have: &Have) {
        if self.tcp.waiting(peer.get()) > BACKLOG {
            return;
        }
        let participant = &self.machine().participant;
        let disputed =
            participant.disputed(have).into_iter().filter_map(|frame| self.outgoing(peer, &frame));
        let offered = self.offered.get(&peer);
        let recent = |bytes: &Vec<u8>| {
            let at = offered.and_then(|offered| offered.get(&sha256(&[bytes])));
            at.is_some_and(|at| at.elapsed() < OFFER_AGAIN)
        };
        let disputed = disputed.filter(|bytes| !recent(bytes));
        let disputed: Vec<Vec<u8>> = disputed.collect();
        let missing = in_order(participant.missing(peer, have));
        let frames: Vec<Vec<u8>> =
            missing.iter().filter_map(|frame| self.outgoing(peer, frame)).collect();
        if frames.is_empty() && disputed.is_empty() {
            return;
        }
        let answers =
            self.answers.entry(peer).or_insert_with(|| Pace::new(ANSWERS_AT_ONCE, BETWEEN_ANSWERS));
        if answers.take().is_err() {
            return;
        }
        // A queue that runs over ends the connection and delivers nothing: the rest follows when it
        // asks again.
        for (frame, once) in frames
            .into_iter()
            .map(|frame| (frame, false))
            .chain(disputed.into_iter().map(|frame| (frame, true)))
        {
            if self.tcp.waiting(peer.get()) > AT_ONCE {
                return;
            }
            if once {
                self.offered.entry(peer).or_default().insert(sha256(&[&frame]), Instant::now());
            }
            let _ = self.tcp.send(peer.get(), frame);
        }
    }

    fn send(&self, peer: Index, frame: &Frame) {
        if let Some(bytes) = self.outgoing(peer, frame) {
            // A peer that is not connected gets everything when it is: it will say what it holds.
            let _ = self.tcp.send(peer.get(), bytes);
        }
    }

    /// The one door out: what goes to `peer` for `frame`, which is `frame`, unless this operator
    /// breaks a rule.
    fn outgoing(&self, peer: Index, frame: &Frame) -> Option<Vec<u8>> {
        match &self.cheat {
            None => Some(frame.encode()),
            Some(cheat) => cheat
                .twist(self.machine().participant.inbox(), peer, frame)
                .map(|twisted| twisted.encode()),
        }
    }

    /// Sends this operator's own new statements, each deal with its box, to everybody connected.
    fn tell_all(&self, statements: &[Statement]) {
        for statement in statements {
            for peer in &self.connected {
                self.send(*peer, &Frame::Statement(statement.bytes().to_vec()));
                if statement.envelope.round == Round::Deal
                    && let Some(sealed) = self.machine().participant.box_for(*peer)
                {
                    self.send(*peer, &sealed);
                }
            }
        }
        if !statements.is_empty() {
            // Peers ahead of us hold back what we could not have placed until now.
            self.tell_have(false);
        }
    }

    fn tell_have(&self, help: bool) {
        let have = self.machine().participant.have(help);
        for peer in &self.connected {
            self.send(*peer, &Frame::Have(have.clone()));
        }
    }

    fn retell(&mut self) {
        self.idle += 1;
        let participant = &self.machine().participant;
        if participant.is_finished() && self.idle.is_multiple_of(REMIND) {
            let names =
                seat_names(&participant.seat().ceremony, &participant.unconfirmed()).join(", ");
            self.progress.say(&format!(
                "Outputs are published. Staying for {names}, who may still need us. Ctrl-C is safe."
            ));
        }
        let stuck = self.idle > PATIENCE || self.fault.is_some();
        self.tell_have(stuck);
        if stuck {
            // A dealer that does not answer us may answer others.
            for want in self.machine().participant.wants() {
                for peer in &self.connected {
                    self.send(*peer, &want);
                }
            }
        }
        if self.idle.is_multiple_of(REMIND) {
            self.show(true);
        }
    }
}

/// What a peer lacks, in the order in which it is of use: statements, short ones first, and then
/// boxes, which are refused before the deal that names them is there.
fn in_order(mut frames: Vec<Frame>) -> Vec<Frame> {
    frames.sort_by_key(|frame| match frame {
        Frame::Statement(bytes) => (false, bytes.len()),
        Frame::ShareBox { sealed, .. } => (true, sealed.len()),
        Frame::Have(_) | Frame::Want { .. } => (false, 0),
    });
    frames
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_box_is_sent_behind_the_deal_that_names_it() {
        let dealer = Index::new(1).unwrap();
        let sealed = |length| Frame::ShareBox {
            dealer,
            recipient: Index::new(2).unwrap(),
            sealed: vec![0; length],
        };
        let statement = |length| Frame::Statement(vec![0; length]);
        let given = vec![sealed(48), statement(500), sealed(47), statement(200), statement(300)];
        let expected = vec![statement(200), statement(300), statement(500), sealed(47), sealed(48)];
        assert_eq!(in_order(given), expected, "a box is shorter than its deal");
    }
}
