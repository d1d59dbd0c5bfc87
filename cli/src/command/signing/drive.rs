//! The driver of a request that is answered over channels: it carries out what `signing::live`
//! decides, on the network, the disk and the terminal.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::ended::{Ended, needed, received};
use super::result::{Product, blamed, product};
use crate::live::{has_address, left, stopped};
use crate::messages;
use crate::messages::shown;
use crate::progress::{Named, Progress, listed, seat_name, seat_names};
use crate::reach::claimed;
use crate::report::CliError;
use quorate::exchange::reminds;
use quorate::signing::combine::Combined;
use quorate::signing::live::{Action, Event, Live};
use quorate::spec::Index;
use quorate_operator::carrier::{Channels, Event as Carried, LinkError};

const TICK: Duration = Duration::from_secs(2);
/// After how many ticks it says again whom it waits for; then less and less often.
const REMIND: u32 = 15;

/// The result: on the disk, if nothing stands in the way.
pub(super) struct Made {
    pub(super) file: PathBuf,
    pub(super) signers: Vec<Named>,
    pub(super) product: Product,
    /// Why it is not on the disk yet.
    pub(super) unwritten: Option<CliError>,
}

/// A request being answered.
pub(super) struct Drive<C> {
    live: Live,
    channels: C,
    progress: Progress,
    output: Option<PathBuf>,
    /// Answers that do not count.
    bad: Vec<String>,
    /// Whom it does not speak with any more, and why.
    hung_up: Vec<String>,
    made: Option<Made>,
}

impl<C: Channels> Drive<C> {
    /// `output`: where the result goes, if not to the folder where this runs.
    pub(super) fn new(live: Live, channels: C, output: Option<PathBuf>) -> Self {
        Self {
            live,
            channels,
            progress: Progress::new(),
            output,
            bad: Vec::new(),
            hung_up: Vec::new(),
            made: None,
        }
    }

    /// Drives until everybody has what it needs, the time is over, or the person has had enough.
    pub(super) async fn run(
        mut self,
        begun: Vec<Action>,
        wait: Duration,
    ) -> Result<Ended, CliError> {
        let mut stop = pin!(stopped()?);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let deadline = Instant::now() + wait;
        let mut ticks: u32 = 0;
        self.perform(begun)?;
        self.remind();
        let ending = loop {
            if let Some(ending) = self.live.ending() {
                break Some(ending);
            }
            tokio::select! {
                event = self.channels.next() => self.on_event(event)?,
                _ = tick.tick() => {
                    let actions = self.live.handle(Event::Tick);
                    self.perform(actions)?;
                    self.write()?;
                    ticks = ticks.wrapping_add(1);
                    if reminds(ticks, REMIND) {
                        self.remind();
                    }
                }
                () = sleep_until(deadline) => break None,
                () = &mut stop => break None,
            }
        };
        if ending.is_none() {
            let actions = self.live.close();
            self.perform(actions)?;
        }
        let Self { live, channels, bad, hung_up, made, .. } = self;
        // What was said last is still sent.
        channels.shutdown().await;
        Ok(Ended { live, bad, hung_up, made, ending })
    }

    fn name(&self, index: Index) -> String {
        seat_name(self.live.parent().ceremony(), index).to_string()
    }

    fn remind(&self) {
        if let Some(error) = self.made.as_ref().and_then(|made| made.unwritten.as_ref()) {
            self.progress.say(&format!(
                "The result cannot be written: {}. Trying again; the others can still get this \
                 operator's answers.",
                error.what
            ));
            return;
        }
        let waiting = self.live.waiting_for();
        let one =
            |peer: &Index| format!("{}, {}", self.name(*peer), self.progress.last_heard(*peer));
        if !waiting.is_empty() {
            let all = waiting.iter().map(one).collect::<Vec<_>>();
            let doing = if self.live.is_satisfied() { "Staying" } else { "Waiting" };
            self.progress.say(&format!("{doing} for {}.", all.join(", ")));
        }
    }

    fn on_event(&mut self, event: Carried) -> Result<(), CliError> {
        match event {
            Carried::Up { peer, address } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                let line = format!("Connected to {} at {address}.", self.name(peer));
                self.progress.up(peer, address);
                self.progress.say_of(peer, &line);
                let actions = self.live.handle(Event::Up(peer));
                self.perform(actions)
            }
            Carried::Down { peer, why } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                let finished = !self.live.unconfirmed().contains(&peer);
                self.progress.down(peer);
                self.progress.failed(peer, why.to_string());
                if why != LinkError::Crossed {
                    let is_called = has_address(self.live.parent().ceremony(), peer);
                    let line = left(&self.name(peer), &why, finished, is_called);
                    self.progress.say_of(peer, &line);
                }
                let actions = self.live.handle(Event::Down(peer));
                self.perform(actions)
            }
            Carried::Unreachable { peer, address, why } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                let line = format!(
                    "{} is not reachable at {address} yet: {why}. Trying again.",
                    self.name(peer)
                );
                self.progress.failed(peer, format!("at {address}: {why}"));
                self.progress.say_of(peer, &line);
                Ok(())
            }
            Carried::Refused { address, why } => {
                if let Some(peer) = claimed(&why) {
                    self.progress.failed(peer, format!("a caller from {address}: {why}"));
                }
                self.progress.say(&format!("Refused a connection from {address}: {why}."));
                Ok(())
            }
            Carried::Frame { peer, bytes } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                self.progress.heard_from(peer);
                let actions = self.live.handle(Event::Frame(peer, &bytes));
                self.perform(actions)
            }
        }
    }

    fn perform(&mut self, actions: Vec<Action>) -> Result<(), CliError> {
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Send { to, frame } => {
                    // Whoever is not connected hears it when it is.
                    let _ = self.channels.send(to, frame);
                }
                Action::Answer { to, frame } => {
                    if self.channels.send(to, frame) {
                        self.live.answer_left();
                    }
                }
                Action::HangUp { peer, why } => {
                    self.channels.hang_up(peer);
                    self.progress
                        .say(&format!("Closed the connection to {}: {why}.", self.name(peer)));
                    self.hung_up.push(format!("{}: {why}", self.name(peer)));
                }
                Action::Counted(operator) => {
                    let (counted, needed) = (self.live.counted(), needed(&self.live));
                    self.progress.say(&format!(
                        "{} has answered: {counted} answers, {needed} needed.",
                        self.name(operator)
                    ));
                }
                Action::NotCounted { operator, why } => {
                    let line =
                        format!("{}: {}", self.name(operator), blamed(self.live.parent(), &why));
                    self.progress.say(&format!("Not counted: {line}"));
                    self.bad.push(line);
                }
                Action::Received => {
                    let said = received(&self.live);
                    self.progress.say(&format!("{said}."));
                }
                Action::Combined { signatures, signers, renewed, lock } => {
                    let made = Combined { signatures, signers, renewed, lock };
                    self.made = Some(self.make(&made)?);
                    actions.extend(self.put());
                }
                Action::Impossible(error) => return Err(messages::internal(&error.to_string())),
            }
        }
        Ok(())
    }

    fn make(&self, made: &Combined) -> Result<Made, CliError> {
        let (cleared, parent) = (self.live.cleared(), self.live.parent());
        let product = product(cleared, parent, made, &self.live.answers())?;
        let file = self.output.clone().unwrap_or_else(|| PathBuf::from(&product.name));
        let signers = seat_names(parent.ceremony(), &made.signers);
        Ok(Made { file, signers, product, unwritten: None })
    }

    /// Tries again to write a result that could not be written.
    fn write(&mut self) -> Result<(), CliError> {
        let actions = self.put();
        self.perform(actions)
    }

    /// Puts the result on the disk, if there is one that is not. Whatever is in the way can be put
    /// aside while this operator stays, and the others go on.
    fn put(&mut self) -> Vec<Action> {
        let Some(made) = self.made.as_mut().filter(|_| !self.live.is_satisfied()) else {
            return Vec::new();
        };
        let first = made.unwritten.is_none();
        made.unwritten = made.product.write_once(&made.file).err();
        if made.unwritten.is_none() {
            let file = shown(&made.file);
            let actions = self.live.written();
            // As it stands now: who has it, and who will never ask for it, is not stayed for.
            let peers = seat_names(self.live.parent().ceremony(), &self.live.waiting_for());
            self.progress.say(&match peers.is_empty() {
                true => format!("Wrote {file}. All others have it, or are gone."),
                false => format!(
                    "Wrote {file}. Staying for {}, who may not have it yet; you can press Ctrl-C \
                     at any time.",
                    listed(&peers)
                ),
            });
            return actions;
        }
        if first {
            self.remind();
        }
        Vec::new()
    }
}
