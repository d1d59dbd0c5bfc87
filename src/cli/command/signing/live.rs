//! Answering together: every operator runs the same command at the same time, over the channels of the ceremony.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::answer::{Answered, answer};
use super::result::{advice, blamed, default_name, result};
use crate::carrier::{Event as Carried, Peer, Session, Tcp, TcpConfig, Timing};
use crate::cli::args::LiveArgs;
use crate::cli::command::run::{can_listen, listen_address};
use crate::cli::command::spec_next::seat;
use crate::cli::messages::shown;
use crate::cli::progress::{Progress, seat_name, seat_names};
use crate::cli::report::{CliError, Exit, Output, talk};
use crate::cli::{input, messages, random};
use crate::primitives::curve::G2;
use crate::signing::live::frame::Frame;
use crate::signing::live::{Action, Ending, Event, Live, Role};
use crate::signing::{Cleared, Parent};
use crate::spec::{Ceremony, Endpoint, Index};

const TICK: Duration = Duration::from_secs(2);
/// After how many ticks it says again whom it waits for.
const REMIND: u32 = 15;

/// `quorate exit run`, `quorate deposit run`.
pub(super) fn run(args: &LiveArgs, kind: &'static str, out: &Output) -> Result<Exit, CliError> {
    let (Answered { cleared, parent, operator, partial }, Ready { listen, at }) =
        answer(&args.asked, kind, out, |cleared, parent, me| ready(args, cleared, parent, me))?;
    let me = partial.operator;
    let ceremony = parent.ceremony().clone();
    let session = Session::Request(cleared.request.id());
    let begun = Live::begin(cleared, parent, operator.clone(), partial, random::secret());
    let (live, actions) = begun.ok_or_else(|| messages::internal("a role that was there before"))?;
    let peers = Peer::of(&ceremony, me).into_iter();
    let peers = peers.filter(|peer| Index::new(peer.index).is_some_and(|index| live.role().speaks_with(index)));
    let peers = peers.map(|peer| match at.iter().find(|(index, _)| index.get() == peer.index) {
        Some((_, address)) => Peer { address: Some(address.to_string()), ..peer },
        None => peer,
    });
    let config = TcpConfig {
        session,
        me: me.get(),
        operator,
        peers: peers.collect(),
        listen,
        max_frame: Frame::max_bytes(ceremony.n()),
        random: Arc::new(random::secret),
        timing: Timing::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(messages::runtime)?;
    runtime
        .block_on(async {
            let tcp = Tcp::start(config).await.map_err(messages::carrier)?;
            let drive = Drive { live, tcp, progress: Progress::new(), output: args.output.clone(), bad: Vec::new(), made: None };
            drive.run(actions, Duration::from_secs(args.wait)).await
        })?
        .finish(me, out)
}

/// Where to listen, and where others are if not where the ceremony file says.
struct Ready {
    listen: String,
    at: Vec<(Index, Endpoint)>,
}

/// Whether there will be channels, and a place for the result. Before anything is signed.
fn ready(args: &LiveArgs, cleared: &Cleared, parent: &Parent, me: Index) -> Result<Ready, CliError> {
    let role = Role::of(cleared, parent, me).ok_or_else(|| messages::no_channel(&args.asked.request, cleared))?;
    match (&args.output, default_name(cleared, parent)) {
        (Some(output), _) => input::must_be_free(output)?,
        (None, Some(name)) => input::must_be_free(name.as_ref())?,
        (None, None) => {}
    }
    let ceremony = parent.ceremony();
    let mut at: Vec<(Index, Endpoint)> = Vec::new();
    for text in &args.at {
        let (index, place) = address(text, ceremony)?;
        if at.iter().any(|(other, _)| *other == index) {
            return Err(messages::at(text, "a second address of this operator"));
        }
        at.push((index, place));
    }
    let mut others = ceremony.roster().iter().map(|(index, _)| index);
    // The later operator calls the earlier one.
    if !others.any(|index| index > me && role.speaks_with(index)) {
        return Ok(Ready { listen: String::new(), at });
    }
    let own = at.iter().find(|(index, _)| *index == me).map(|(_, own)| format!("0.0.0.0:{}", own.port()));
    let listen = listen_address(args.listen.as_deref().or(own.as_deref()), ceremony, me)?;
    can_listen(&listen).map(|()| Ready { listen, at })
}

/// `OPERATOR=HOST:PORT`.
fn address(text: &str, ceremony: &Ceremony) -> Result<(Index, Endpoint), CliError> {
    let (who, place) = text.rsplit_once('=').ok_or_else(|| messages::at(text, "not OPERATOR=HOST:PORT"))?;
    let place = Endpoint::parse(place).map_err(|error| messages::at(text, &error.to_string()))?;
    Ok((seat("--at", who, ceremony)?, place))
}

/// The result, on the disk.
struct Made {
    file: PathBuf,
    fields: Value,
    signers: Vec<String>,
}

/// A request being answered.
struct Drive {
    live: Live,
    tcp: Tcp,
    progress: Progress,
    output: Option<PathBuf>,
    /// Answers that do not count.
    bad: Vec<String>,
    made: Option<Made>,
}

/// What came of it.
struct Ended {
    live: Live,
    bad: Vec<String>,
    made: Option<Made>,
    ending: Option<Ending>,
}

impl Drive {
    /// Drives until everybody has what it needs, the time is over, or the person has had enough.
    async fn run(mut self, begun: Vec<Action>, wait: Duration) -> Result<Ended, CliError> {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(messages::runtime)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(messages::runtime)?;
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
                event = self.tcp.next() => self.on_event(event)?,
                _ = tick.tick() => {
                    let actions = self.live.handle(Event::Tick);
                    self.perform(actions)?;
                    ticks = ticks.wrapping_add(1);
                    if ticks.is_multiple_of(REMIND) {
                        self.remind();
                    }
                }
                () = sleep_until(deadline) => break None,
                _ = interrupt.recv() => break None,
                _ = terminate.recv() => break None,
            }
        };
        let Self { live, tcp, bad, made, .. } = self;
        // What was said last is still sent.
        tcp.shutdown().await;
        Ok(Ended { live, bad, made, ending })
    }

    fn name(&self, index: Index) -> String {
        seat_name(self.live.parent().ceremony(), index)
    }

    fn remind(&self) {
        let waiting = seat_names(self.live.parent().ceremony(), &self.live.waiting_for());
        if !waiting.is_empty() {
            self.progress.say(&format!("Waiting for {}.", waiting.join(", ")));
        }
    }

    fn on_event(&mut self, event: Carried) -> Result<(), CliError> {
        match event {
            Carried::Up { peer, address } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                let line = format!("Connected to {} at {address}.", self.name(peer));
                self.progress.say_of(peer, &line);
                let actions = self.live.handle(Event::Up(peer));
                self.perform(actions)
            }
            Carried::Down { peer, why } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                let line = format!("Lost {}: {why}.", self.name(peer));
                self.progress.say_of(peer, &line);
                let actions = self.live.handle(Event::Down(peer));
                self.perform(actions)
            }
            Carried::Unreachable { peer, address, why } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
                let line = format!("{} is not reachable at {address} yet: {why}. Trying again.", self.name(peer));
                self.progress.say_of(peer, &line);
                Ok(())
            }
            Carried::Refused { address, why } => {
                self.progress.say(&format!("Refused a connection from {address}: {why}."));
                Ok(())
            }
            Carried::Frame { peer, bytes } => {
                let Some(peer) = Index::new(peer) else { return Ok(()) };
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
                    let _ = self.tcp.send(to.get(), frame);
                }
                Action::HangUp { peer, why } => {
                    self.tcp.hang_up(peer.get());
                    self.progress.say(&format!("Hung up on {}: {why}.", self.name(peer)));
                }
                Action::Counted(operator) => {
                    let (counted, needed) = (self.live.counted(), self.live.parent().ceremony().t());
                    self.progress.say(&format!("{} has answered: {counted} answers, {needed} needed.", self.name(operator)));
                }
                Action::NotCounted { operator, why } => {
                    let line = format!("{}: {}", self.name(operator), blamed(self.live.parent(), &why));
                    self.progress.say(&format!("Not counted: {line}"));
                    self.bad.push(line);
                }
                Action::Received => self.progress.say("The custodian counts this answer."),
                Action::Combined { signature, signers } => {
                    self.write(signature, &signers)?;
                    actions.extend(self.live.written());
                }
                Action::Impossible(error) => return Err(messages::internal(&error.to_string())),
            }
        }
        Ok(())
    }

    /// Puts the result on the disk.
    fn write(&mut self, signature: G2, signers: &[Index]) -> Result<(), CliError> {
        let (cleared, parent) = (self.live.cleared(), self.live.parent());
        let (name, bytes, fields) = result(cleared, parent, signature)?;
        let file = self.output.clone().unwrap_or_else(|| PathBuf::from(name));
        // Whoever has an exit can use it.
        input::write_private(&file, &bytes)?;
        let signers = seat_names(parent.ceremony(), signers);
        self.progress.say(&format!("Wrote {}. Staying for those who do not have it yet; Ctrl-C is safe.", shown(&file)));
        self.made = Some(Made { file, fields, signers });
        Ok(())
    }
}

impl Ended {
    fn finish(self, me: Index, out: &Output) -> Result<Exit, CliError> {
        let Self { live, bad, made, ending } = self;
        let (cleared, ceremony) = (live.cleared(), live.parent().ceremony());
        let waiting = seat_names(ceremony, &live.waiting_for());
        let id = cleared.request.id().to_string();
        let mut fields = json!({ "request": id, "operator": me.get(), "waiting_for": waiting, "not_counted": bad });
        let mut add = |more: Value| {
            if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
                fields.extend(more);
            }
        };
        if let Some(Made { file, fields: more, signers }) = made {
            if !waiting.is_empty() {
                talk(&format!(
                    "{} had not said that they have what they need. Should one of them need your answer, run the same command again, with \
                     another file to write.",
                    waiting.join(", ")
                ));
            }
            add(more);
            add(json!({ "file": file.display().to_string(), "signed_by": signers }));
            return out.finish(Exit::Done, fields, &advice(cleared, &file, &signers));
        }
        let (counted, needed) = (live.counted(), ceremony.t());
        match (live.role(), ending) {
            (Role::Contributor(custodian), _) if live.is_satisfied() => {
                let custodian = seat_name(ceremony, custodian);
                let text = format!("{custodian} has what it needs. The result is with {custodian} alone.");
                add(json!({ "custodian": custodian }));
                out.finish(Exit::Done, fields, &text)
            }
            (Role::Contributor(custodian), Some(Ending::CustodianLost)) => {
                Err(messages::custodian_lost(&seat_name(ceremony, custodian), cleared))
            }
            (_, Some(Ending::Hopeless)) => Err(messages::too_few(counted, needed, &bad)),
            (role, _) => {
                let far = match role {
                    Role::Contributor(_) => "The custodian has not said that it has what it needs.".to_owned(),
                    Role::Everybody | Role::Custodian => format!("{counted} answers, and {needed} are needed."),
                };
                add(json!({ "counted": counted, "needed": needed }));
                let text = format!(
                    "{far} Was waiting for {}. Nothing is written. This operator's answer is remembered: run the same command again, together \
                     with them.",
                    waiting.join(", ")
                );
                out.finish(Exit::Waiting, fields, &text)
            }
        }
    }
}
