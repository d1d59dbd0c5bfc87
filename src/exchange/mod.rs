//! The policy by which operators exchange statements: what is sent to whom and when, when it is
//! offered again, when an operator stays for the others, and when it leaves.
//!
//! Pure: events in, actions out, with the time and the length of each peer's queue as values. A
//! live ceremony, the simulation and tests run this same code; a driver only moves frames. The
//! exchange decides nothing about what is believed: that is the [`Participant`]'s part.
//!
//! ```text
//! channels ──Event──► Exchange ──Input──► Participant ──Step──► carry_out ──► Storage
//!     ▲                  │
//!     └─────Action───────┘
//! ```

mod answer;
mod board;
mod carry_out;
mod ending;
mod event;
mod in_memory;
mod pace;
mod pacing;

pub use board::Posted;
pub use carry_out::{Storage, Trouble, carry_out};
pub use event::{Action, Ending, Event, Moment, Notice};
pub use in_memory::InMemory;
pub use pace::Pace;
pub use pacing::{Pacing, reminds};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::message::envelope::{Reject, Round, Statement};
use crate::message::minima::Minima;
use crate::message::shape::Shape;
use crate::message::sync::{Frame, Have};
use crate::protocol::evidence::Fault;
use crate::protocol::participant::{Input, Participant, Refused, Step};
use crate::protocol::proofs::Proofs;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use self::answer::Answers;
use self::ending::Standing;
use self::event::Outbox;

/// One operator's side of a ceremony among its peers.
pub struct Exchange {
    participant: Participant,
    shape: Shape,
    pacing: Pacing,
    connected: BTreeSet<Index>,
    /// Ticks since this operator last said anything new.
    idle: u32,
    answers: BTreeMap<Index, Answers>,
    /// Peers that have noted of everybody that it holds everything.
    acknowledged: BTreeSet<Index>,
    written_at: Option<Duration>,
    all_confirmed_at: Option<Duration>,
    /// The fault that stands in the way.
    fault: Option<Standing>,
    /// The faults whose proofs are stored.
    proofs: Proofs,
    /// Those of them that the person has not been told of.
    untold: Vec<Fault>,
    /// How many own statements that others hold and the log lacks are stored.
    elsewhere_kept: usize,
    /// Since when it is known that the log was put back.
    put_back_at: Option<Duration>,
    /// Whether the person of a dealer of a reshare knows that it may stop its keys.
    told_to_stop: bool,
}

impl Exchange {
    /// A participant that has just started, with the step that starting gave, which is carried out.
    /// What it has to say, its peers will ask for.
    pub fn begin<S: Storage>(
        participant: Participant,
        step: Step,
        pacing: Pacing,
        storage: &mut S,
    ) -> Result<Self, Trouble<S::Error>> {
        let shape = Shape::of(&participant.seat().ceremony);
        let mut exchange = Self {
            participant,
            shape,
            pacing,
            connected: BTreeSet::new(),
            idle: 0,
            answers: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            written_at: None,
            all_confirmed_at: None,
            fault: None,
            proofs: Proofs::default(),
            untold: Vec::new(),
            elsewhere_kept: 0,
            put_back_at: None,
            told_to_stop: false,
        };
        exchange.follow(step, storage)?;
        Ok(exchange)
    }

    /// The participant.
    pub fn participant(&self) -> &Participant {
        &self.participant
    }

    /// Its times and limits.
    pub fn pacing(&self) -> &Pacing {
        &self.pacing
    }

    /// The participant, without its peers.
    pub fn into_participant(self) -> Participant {
        self.participant
    }

    /// Peers to which there is a channel.
    pub fn connected(&self) -> impl Iterator<Item = Index> + '_ {
        self.connected.iter().copied()
    }

    /// What to do now, in order. An error ends the run; what was written before it stays valid, and
    /// a new run continues from there.
    pub fn handle<S: Storage>(
        &mut self,
        event: Event,
        moment: &Moment,
        storage: &mut S,
    ) -> Result<Vec<Action>, Trouble<S::Error>> {
        let mut out = Outbox::new(moment);
        match event {
            Event::Up(peer) => self.up(peer, &mut out),
            Event::Down(peer) => {
                self.connected.remove(&peer);
                let said = self.give(Input::PeerLeft(peer), storage)?.unwrap_or_default();
                self.tell_all(&said, &mut out);
            }
            Event::Frame { from, bytes } => self.frame(from, &bytes, storage, &mut out)?,
            Event::Tick => {
                let said = self.give(Input::Waited, storage)?.unwrap_or_default();
                self.tell_all(&said, &mut out);
                self.tick(&mut out);
            }
        }
        // Keys for nothing run nowhere: there is nobody who has to stop them.
        if self.participant.awaits_stop() && self.participant.seat().ceremony.is_rehearsal() {
            let none = Minima { signed: vec![None; self.shape.v] };
            let said = self.give(Input::Stopped(none), storage)?.unwrap_or_default();
            self.tell_all(&said, &mut out);
        }
        self.conclude(out, storage)
    }

    /// Of a dealer of a reshare: its person has stopped the old keys, and this is what they have
    /// signed last ([`Input::Stopped`]). What to do now, or why it was not taken.
    pub fn stop<S: Storage>(
        &mut self,
        minima: Minima,
        moment: &Moment,
        storage: &mut S,
    ) -> Result<Result<Vec<Action>, Refused>, Trouble<S::Error>> {
        self.say(Input::Stopped(minima), moment, storage)
    }

    /// Of an operator of a reshare that has signed its final: its person finishes without these
    /// seats ([`Input::Without`]). What to do now, or why it was not taken.
    pub fn finish_without<S: Storage>(
        &mut self,
        lost: Seats,
        moment: &Moment,
        storage: &mut S,
    ) -> Result<Result<Vec<Action>, Refused>, Trouble<S::Error>> {
        self.say(Input::Without(lost), moment, storage)
    }

    /// What this operator's person has decided.
    fn say<S: Storage>(
        &mut self,
        decided: Input,
        moment: &Moment,
        storage: &mut S,
    ) -> Result<Result<Vec<Action>, Refused>, Trouble<S::Error>> {
        let mut out = Outbox::new(moment);
        match self.give(decided, storage)? {
            Err(refused) => Ok(Err(refused)),
            Ok(said) => {
                self.idle = 0;
                self.tell_all(&said, &mut out);
                self.conclude(out, storage).map(Ok)
            }
        }
    }

    /// Ends the run if it is over; says what a person has to know before.
    fn conclude<S: Storage>(
        &mut self,
        mut out: Outbox<'_>,
        storage: &mut S,
    ) -> Result<Vec<Action>, Trouble<S::Error>> {
        if self.participant.awaits_stop() && !self.told_to_stop {
            self.told_to_stop = true;
            out.tell(Notice::MayStop);
        }
        if let Some(ending) = self.ending(&mut out) {
            if matches!(ending, Ending::Fault { .. }) {
                storage.keep_everything(&self.participant).map_err(Trouble::Storage)?;
            }
            out.push(Action::Done(ending));
        }
        Ok(out.into_actions())
    }

    /// Gives the participant an input and carries out what follows. The statements are this
    /// operator's new ones.
    fn give<S: Storage>(
        &mut self,
        input: Input,
        storage: &mut S,
    ) -> Result<Result<Vec<Statement>, Refused>, Trouble<S::Error>> {
        match self.participant.handle(input) {
            Ok(step) => self.follow(step, storage).map(Ok),
            Err(Refused::Storage(error)) => Err(Trouble::Replay(error)),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Carries out a step. Keeps the proof of each fault as soon as there is one, whether or not
    /// the ceremony goes on; and own statements that others hold and the log lacks.
    fn follow<S: Storage>(
        &mut self,
        step: Step,
        storage: &mut S,
    ) -> Result<Vec<Statement>, Trouble<S::Error>> {
        let said = carry_out(&mut self.participant, step, storage)?;
        for fault in self.proofs.since(&self.participant) {
            storage.keep_proof(&self.participant, &fault).map_err(Trouble::Storage)?;
            self.untold.push(fault);
        }
        if let Some(put_back) = self.participant.put_back()
            && put_back.elsewhere.len() > self.elsewhere_kept
        {
            let kept = storage.keep_elsewhere(&self.participant, &put_back.elsewhere);
            kept.map_err(Trouble::Storage)?;
            self.elsewhere_kept = put_back.elsewhere.len();
        }
        Ok(said)
    }

    fn up(&mut self, peer: Index, out: &mut Outbox) {
        if peer == self.participant.seat().me {
            return;
        }
        self.connected.insert(peer);
        self.answers.entry(peer).or_default().reconnected();
        out.send(peer, Frame::Have(self.participant.have(false)));
        // It may know already that we have finished, and still have to pass it on.
        if let Some(done) = self.participant.done() {
            out.send(peer, Frame::Done(done));
        }
    }

    fn frame<S: Storage>(
        &mut self,
        from: Index,
        bytes: &[u8],
        storage: &mut S,
        out: &mut Outbox,
    ) -> Result<(), Trouble<S::Error>> {
        let me = self.participant.seat().me;
        let input = match Frame::decode(bytes, &self.shape) {
            Err(error) => {
                out.tell(Notice::NotAFrame { from, error });
                return Ok(());
            }
            // Somebody tries its connection.
            Ok(Frame::Probe(_)) => return Ok(()),
            Ok(Frame::Have(have)) => {
                self.answer(from, &have, out);
                if have.knows_all_done(from) {
                    self.acknowledged.insert(from);
                }
                Input::PeerHolds { peer: from, have }
            }
            Ok(Frame::Done(done)) => Input::Done(done),
            Ok(Frame::Statement(bytes)) => Input::Statement(bytes),
            Ok(Frame::ShareBox { dealer, recipient, sealed }) if recipient == me => {
                Input::ShareBox { dealer, sealed }
            }
            Ok(Frame::ShareBox { dealer, recipient, sealed }) => {
                let onward = self.participant.on_foreign_box(dealer, recipient, sealed);
                self.pass_on(onward, out);
                return Ok(());
            }
            Ok(Frame::Want { dealer, recipient }) => {
                let onward = self.participant.on_want(from, dealer, recipient);
                self.pass_on(onward, out);
                return Ok(());
            }
        };
        let session = self.participant.inbox().session();
        let unconfirmed = self.participant.unconfirmed();
        let to_show = self.participant.is_to_show(from);
        let said = match self.give(input, storage)? {
            Ok(said) => said,
            Err(refused) => {
                // What comes too early is harmless and common: it will be sent again once we say
                // that we lack it. Who has stopped takes nothing but statements.
                let usual = Refused::Reject(Reject::Early);
                let over = [Refused::UnsignedBox, Refused::Stopped, Refused::PutBack, usual];
                if !over.contains(&refused) {
                    out.tell(Notice::Ignored { from, refused });
                }
                Vec::new()
            }
        };
        if !said.is_empty() || self.participant.inbox().session() != session {
            self.idle = 0;
        }
        if self.participant.is_to_show(from) && !to_show {
            out.tell(Notice::Claimed(from));
            out.send(from, Frame::Have(self.participant.have(true)));
        }
        if self.participant.unconfirmed() != unconfirmed {
            match self.participant.unconfirmed().is_empty() {
                // Whoever has noted the same of everybody may leave.
                true => self.tell_have(false, out),
                // It waits to hear that we have noted it.
                false => out.send(from, Frame::Have(self.participant.have(false))),
            }
        }
        self.tell_all(&said, out);
        if self.participant.is_finished() && self.written_at.is_none() {
            self.tell_have(false, out);
            if let Some(done) = self.participant.done() {
                self.connected().for_each(|peer| out.send(peer, Frame::Done(done.clone())));
            }
        }
        Ok(())
    }

    /// Whether somebody is awaited to whom there is no channel: what it says can only come by way
    /// of others.
    fn awaits_the_unreached(&self) -> bool {
        let awaited = self.participant.waiting().everybody();
        awaited.iter().any(|peer| !self.connected.contains(peer))
    }

    /// Carries a box, or the wish for one, between two others.
    fn pass_on(&self, onward: Option<(Index, Frame)>, out: &mut Outbox) {
        if let Some((to, frame)) = onward
            && self.connected.contains(&to)
            && out.queued(to) <= self.pacing.backlog
        {
            out.send(to, frame);
        }
    }

    /// Sends this operator's own new statements, each deal with its box, to everybody connected.
    fn tell_all(&self, statements: &[Statement], out: &mut Outbox) {
        for statement in statements {
            for peer in self.connected() {
                out.send(peer, Frame::Statement(statement.bytes().to_vec()));
                if statement.envelope.round == Round::Deal
                    && let Some(sealed) = self.participant.box_for(peer)
                {
                    out.send(peer, sealed);
                }
            }
        }
        if !statements.is_empty() {
            // Peers ahead of us hold back what we could not have placed until now.
            self.tell_have(false, out);
        }
    }

    fn tell_have(&self, help: bool, out: &mut Outbox) {
        let help = help || self.awaits_the_unreached();
        let have = self.participant.have(help);
        for peer in self.connected() {
            let help = help || self.participant.is_to_show(peer);
            out.send(peer, Frame::Have(Have { help, ..have.clone() }));
        }
    }

    /// Some time has passed: says again what it holds, and after a while asks for help.
    fn tick(&mut self, out: &mut Outbox) {
        self.idle = self.idle.saturating_add(1);
        let remind = reminds(self.idle, self.pacing.remind);
        if remind && self.participant.is_finished() {
            out.tell(Notice::StayingFor(self.participant.unconfirmed()));
        }
        let stuck = self.idle > self.pacing.patience || self.fault.is_some();
        self.tell_have(stuck, out);
        // A dealer that does not answer us may answer others, and one without a channel has to.
        for want in self.participant.wants() {
            let unreached = matches!(&want, Frame::Want { dealer, .. }
                if !self.connected.contains(dealer));
            if stuck || unreached {
                self.connected().for_each(|peer| out.send(peer, want.clone()));
            }
        }
        if remind {
            out.tell(Notice::StillWaiting);
        }
    }
}
