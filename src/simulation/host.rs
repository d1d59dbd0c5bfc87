//! A machine with an honest operator on it: its disk, and the exchange that a live ceremony runs.

use std::time::Duration;

use crate::exchange::{
    Action, Ending, Event, Exchange, Moment, Notice, Pacing, Storage, Trouble as Ended,
};
use crate::message::envelope::{Round, Statement, view_root};
use crate::message::inbox::{Inbox, digests};
use crate::message::minima::Minima;
use crate::message::sync::Frame;
use crate::primitives::hash::Digest;
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::protocol::child;
use crate::protocol::evidence::{Fault, Rule};
use crate::protocol::participant::{Entropy, OwnSeat, Participant};
use crate::protocol::put_back::Beside;
use crate::protocol::record::RecordKind;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::bug::Bug;
use super::chance::Chance;
use super::disk::{Disk, Trouble};
use super::home::Home;
use super::oracle::Watch;
use super::watched::Watched;

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
    /// Its outputs are written, and everybody has confirmed; or it stayed as long as it should.
    Left,
    /// Its machine is gone.
    Lost,
    /// It has committed to another reshare.
    Refused,
}

/// An honest operator's machine.
pub struct Host {
    /// What stays when the program ends.
    pub home: Home,
    exchange: Option<Exchange>,
    /// Whether it runs.
    pub running: Running,
    /// When it was last started.
    pub started: u64,
    /// How often it was started: what was meant for an earlier run is void.
    pub run: u32,
    /// Milliseconds between two tellings: its clock.
    pub period: u64,
    /// Times and limits of its exchange.
    pub pacing: Pacing,
    chance: Chance,
    /// Of a planted mistake: of whom it has heard that it has finished, from whomever.
    hearsay: Seats,
    /// What its person was told since it was started last.
    told: Vec<Rule>,
}

/// To whom, and what.
pub type Letters = Vec<(Index, Frame)>;

/// What a machine does after something happened: what it sends and tells its person, and whether
/// its program ends.
#[derive(Default)]
pub struct Reaction {
    /// What it sends.
    pub letters: Letters,
    /// The faults that its person is told.
    pub told: Vec<Fault>,
    /// What stands in the way, if its person was not told.
    pub untold: Option<Rule>,
    /// Why its program ends.
    pub ends: Option<Running>,
}

impl Reaction {
    fn take(&mut self, action: Action) {
        match action {
            Action::Send { to, frame } => self.letters.push((to, frame)),
            Action::Tell(Notice::Fault(fault) | Notice::Proven(fault)) => self.told.push(*fault),
            Action::Tell(_) => (),
            Action::Done(Ending::Fault { fault, .. }) => {
                self.told.push(*fault);
                self.ends = Some(Running::Stopped);
            }
            Action::Done(Ending::PutBack(_)) => self.ends = Some(Running::Stopped),
            Action::Done(_) => self.ends = Some(Running::Left),
        }
    }
}

/// A log that does not replay, or an answer that was refused, is never right for an honest operator
/// on an honest disk.
fn trouble(ended: Ended<Trouble>) -> Trouble {
    match ended {
        Ended::Storage(trouble) => trouble,
        Ended::Replay(_) | Ended::Unasked(_) => Trouble::Damaged,
    }
}

impl Host {
    /// A machine that has not been started.
    pub fn new(seat: OwnSeat, disk: Disk, chance: Chance, period: u64, pacing: Pacing) -> Self {
        let home = Home::new(seat, disk);
        Self {
            home,
            exchange: None,
            running: Running::Down,
            started: 0,
            run: 0,
            period,
            pacing,
            chance,
            hearsay: Seats::default(),
            told: Vec::new(),
        }
    }

    /// Its seat.
    pub fn me(&self) -> Index {
        self.home.seat.me
    }

    /// The program is gone: what it had in memory is lost.
    pub fn go_down(&mut self, why: Running) {
        self.exchange = None;
        self.running = why;
        self.run += 1;
    }

    /// Starts the program. What it has to say, its peers will ask for.
    pub fn start(&mut self, now: u64, watch: &mut Watch) -> Result<(), Trouble> {
        self.home.mirror();
        self.home.check_only()?;
        let mut records = self.home.disk.records();
        let said = records.iter().filter(|record| record.kind == RecordKind::Statement);
        let seat = &self.home.seat;
        if child::commits(&seat.ceremony, seat.me, said.map(|record| record.body.expose())) {
            self.home.note()?;
        }
        if self.home.bug == Some(Bug::LosesShares) {
            records.retain(|record| record.kind != RecordKind::Shares);
        }
        let chance = &mut self.chance;
        let entropy = || Entropy {
            seed: Secret32::new(&mut chance.bytes()),
            nonce: chance.bytes(),
            extra: SecretBytes::new(Vec::new()),
        };
        let beside = Beside {
            elsewhere: self.home.elsewhere.clone(),
            outputs: match self.home.disk.image.outputs {
                Some(_) => self.home.transcript.clone(),
                None => Vec::new(),
            },
        };
        let seat = self.home.seat.clone();
        let Ok((participant, step)) = Participant::start_beside(seat, records, beside, entropy)
        else {
            return Err(Trouble::Damaged);
        };
        if participant.put_back().is_some() {
            watch.put_back(&self.home);
        }
        (self.running, self.started) = (Running::Yes, now);
        self.told.clear();
        (self.home.staged, self.home.reread) = (false, None);
        let mut storage = Watched { home: &mut self.home, watch };
        let begun = Exchange::begin(participant, step, self.pacing.clone(), &mut storage);
        self.exchange = Some(begun.map_err(trouble)?);
        Ok(())
    }

    /// The participant, while the program runs.
    pub fn participant(&self) -> Option<&Participant> {
        self.exchange.as_ref().map(Exchange::participant)
    }

    /// Something happens at `moment`. The program must run.
    pub fn happens(
        &mut self,
        event: Event,
        moment: &Moment,
        watch: &mut Watch,
    ) -> Result<Reaction, Trouble> {
        let exchange = self.exchange.as_mut().expect("it runs");
        let mut reaction = Reaction::default();
        if let Event::Frame { bytes, .. } = &event {
            let own = matches!(Frame::decode(bytes, &watch.shape),
                Ok(Frame::ShareBox { recipient, .. }) if recipient == self.home.seat.me);
            assert!(self.home.bug != Some(Bug::Panics) || !own, "a planted panic");
            if self.home.bug == Some(Bug::Deaf) && own {
                return Ok(reaction);
            }
            if let Ok(Frame::Done(done)) = Frame::decode(bytes, &watch.shape) {
                self.hearsay = self.hearsay.joined([done.operator].into_iter().collect());
            }
            let inbox = exchange.participant().inbox();
            if self.home.bug == Some(Bug::FirstFinalTakesSlot) && is_second_final(inbox, bytes) {
                return Ok(reaction);
            }
        }
        let tick = event == Event::Tick;
        let mut storage = Watched { home: &mut self.home, watch };
        let actions = exchange.handle(event, moment, &mut storage).map_err(trouble)?;
        actions.into_iter().for_each(|action| reaction.take(action));
        let participant = exchange.participant();
        let unheard: Seats = participant.unconfirmed().into_iter().collect();
        if self.home.bug == Some(Bug::BelievesHearsay)
            && participant.is_finished()
            && unheard.is_within(self.hearsay)
        {
            reaction.ends = Some(Running::Left);
        }
        self.note_told(&reaction);
        let standing = self.participant().filter(|participant| participant.put_back().is_none());
        let standing = standing.and_then(|participant| Some(participant.fault()?.rule.clone()));
        reaction.untold = standing.filter(|rule| !self.told.contains(rule));
        self.leak(watch, &mut reaction.letters);
        self.sign_wrongly(tick, watch, &mut reaction.letters);
        Ok(reaction)
    }

    fn note_told(&mut self, reaction: &Reaction) {
        self.told.extend(reaction.told.iter().map(|fault| fault.rule.clone()));
    }

    /// The person of a dealer says that the old keys are stopped, and what they have signed last.
    /// What it does then; nothing if it is not asked to.
    pub fn stop(
        &mut self,
        mut minima: Minima,
        moment: &Moment,
        watch: &mut Watch,
    ) -> Result<Reaction, Trouble> {
        let exchange = self.exchange.as_mut().expect("it runs");
        if self.home.bug == Some(Bug::StatesLess) {
            minima.signed.iter_mut().for_each(|signed| *signed = None);
        }
        let mut storage = Watched { home: &mut self.home, watch };
        let actions = exchange.stop(minima, moment, &mut storage).map_err(trouble)?;
        let mut reaction = Reaction::default();
        actions.unwrap_or_default().into_iter().for_each(|action| reaction.take(action));
        self.note_told(&reaction);
        Ok(reaction)
    }

    /// Its person finishes without these seats. What it does then.
    pub fn finish_without(
        &mut self,
        lost: Seats,
        moment: &Moment,
        watch: &mut Watch,
    ) -> Result<Reaction, Trouble> {
        let exchange = self.exchange.as_mut().expect("it runs");
        let left = self.home.seat.ceremony.parts().dealers.minus(lost).len();
        let few = || {
            let spec = self.home.seat.ceremony.reshare();
            spec.is_some_and(|spec| 2 * left <= spec.origin.holders())
        };
        match self.home.bug {
            Some(Bug::DeafToWithout) => return Ok(Reaction::default()),
            Some(Bug::CountsDealersAlone) if few() => return Ok(Reaction::default()),
            _ => (),
        }
        let mut storage = Watched { home: &mut self.home, watch };
        if storage.home.bug == Some(Bug::FinishesAlone) {
            storage.write_outputs(exchange.participant())?;
        }
        let actions = exchange.finish_without(lost, moment, &mut storage).map_err(trouble)?;
        let mut reaction = Reaction::default();
        actions.unwrap_or_default().into_iter().for_each(|action| reaction.take(action));
        self.note_told(&reaction);
        Ok(reaction)
    }

    /// Gives up, for good; what it says last.
    pub fn give_up(&mut self) -> Letters {
        let Some(exchange) = self.exchange.take() else { return Vec::new() };
        let participant = exchange.into_participant();
        let given_up = match self.home.bug {
            Some(Bug::AbandonsAfterFinal) => Ok(participant.abandonment()),
            _ => participant.abandon(),
        };
        let Ok((record, statement)) = given_up else { return Vec::new() };
        let noted = self.home.disk.append(&[record]);
        self.home.mirror();
        let frame = Frame::Statement(statement.bytes().to_vec());
        match noted {
            Ok(()) => self.home.others().map(|peer| (peer, frame.clone())).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn leak(&self, watch: &mut Watch, letters: &mut Letters) {
        if let Some(mask) = watch.leaked.take() {
            let peer = self.home.others().next().expect("at least three operators");
            letters.push((peer, Frame::Statement(mask.to_vec())));
        }
        if self.home.bug == Some(Bug::LeaksShare)
            && let Some(share) = self.home.holds_shares()
        {
            let peer = self.home.others().next().expect("at least three operators");
            letters.push((peer, Frame::Statement(share.to_vec())));
        }
        if self.home.bug == Some(Bug::LeaksOldShare)
            && let Some(shares) = self.home.old_shares()
        {
            let peer = self.home.others().next().expect("at least three operators");
            letters.push((peer, Frame::Statement(shares.concat())));
        }
    }

    /// What a planted mistake makes it sign without right.
    fn sign_wrongly(&self, tick: bool, watch: &mut Watch, letters: &mut Letters) {
        let (key, me) = (self.home.seat.operator.key(), self.me());
        let Some(participant) = self.participant() else { return };
        let inbox = participant.inbox();
        match (self.home.bug, inbox.session()) {
            (Some(Bug::SignsEarly), Some(session)) if participant.is_prepared() => {
                let view = digests(&inbox.complete(Round::Deal).unwrap_or_default());
                let body: Vec<u8> = view.iter().flat_map(|digest| digest.0).collect();
                let root = view_root(&view);
                let early = Statement::sign(key, me, Round::Commit, session, root, &body);
                watch.signs(&self.home, &early);
            }
            (Some(Bug::Equivocates), _) if tick => {
                let spec = self.home.seat.ceremony.digest();
                let length = watch.shape.owes(me, Round::Hello).unwrap_or(0);
                let body = vec![1; length];
                let other = Statement::sign(key, me, Round::Hello, spec, Digest::ZERO, &body);
                let frame = Frame::Statement(other.bytes().to_vec());
                letters.extend(self.home.others().map(|peer| (peer, frame.clone())));
            }
            _ => (),
        }
    }
}

/// Simulated milliseconds.
pub fn milliseconds(now: u64) -> Duration {
    Duration::from_millis(now)
}

/// Whether this is a final where there is one of the same operator.
fn is_second_final(inbox: &Inbox, frame: &[u8]) -> bool {
    let statement = frame.get(1..).and_then(|bytes| inbox.open(bytes).ok());
    statement.is_some_and(|statement| {
        let envelope = statement.envelope;
        envelope.round == Round::Final && inbox.all(Round::Final, envelope.sender).next().is_some()
    })
}
