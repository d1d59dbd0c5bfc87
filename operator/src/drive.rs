//! The loop of a live ceremony: channels <-> exchange <-> storage. It decides nothing.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use quorate::exchange::{Action, Ending, Event, Exchange, Moment, Notice, Storage, Trouble};
use quorate::protocol::participant::Participant;
use quorate::spec::Index;

use crate::MachineError;
use crate::carrier::{self, Channels};
use crate::machine::Machine;

/// Is told what happens, for people.
pub trait Observer {
    /// What happened on the way to and from the peers. Frames are reported as well, so that it is
    /// known when a peer was last heard.
    fn carried(&mut self, event: &carrier::Event);

    /// What the exchange has to tell.
    fn told(&mut self, participant: &Participant, notice: Notice);

    /// Where the participant stands, after everything that happens.
    fn stands(&mut self, participant: &Participant);
}

/// Takes part until the end, a fault, or until `stop` is ready. What a piece of work is interrupted
/// by is heard when that is done: nothing is ever half-written.
pub async fn drive<C: Channels>(
    exchange: Exchange,
    machine: Machine,
    channels: C,
    observer: &mut impl Observer,
    stop: impl Future<Output = ()>,
) -> Result<Ending, MachineError> {
    let (ended, _, machine) = follow(exchange, machine, channels, observer, stop).await;
    ended.map_err(|trouble| machine.error(trouble))
}

/// How a run ended, and what is left of it.
pub type Followed<S> = (Result<Ending, Trouble<<S as Storage>::Error>>, Exchange, S);

/// As [`drive`], with any storage.
pub async fn follow<S, C>(
    mut exchange: Exchange,
    mut storage: S,
    mut channels: C,
    observer: &mut impl Observer,
    stop: impl Future<Output = ()>,
) -> Followed<S>
where
    S: Storage + Send + 'static,
    S::Error: Send,
    C: Channels,
{
    let mut stop = pin!(stop);
    let begun = Instant::now();
    let mut ticks = interval(exchange.pacing().tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ending = loop {
        observer.stands(exchange.participant());
        let event = tokio::select! {
            event = channels.next() => {
                observer.carried(&event);
                match heard(event) {
                    Some(event) => event,
                    None => continue,
                }
            }
            _ = ticks.tick() => Event::Tick,
            () = &mut stop => {
                match exchange.interrupt(&mut storage) {
                    Ok(ending) => break ending,
                    Err(trouble) => return (Err(trouble), exchange, storage),
                }
            }
        };
        let moment = moment(begun.elapsed(), &exchange, &channels);
        let actions;
        (exchange, storage, actions) = work(exchange, storage, event, moment).await;
        let actions = match actions {
            Ok(actions) => actions,
            Err(trouble) => return (Err(trouble), exchange, storage),
        };
        if let Some(ending) = perform(actions, &exchange, &channels, observer) {
            break ending;
        }
    };
    channels.shutdown().await;
    (Ok(ending), exchange, storage)
}

/// What an exchange has to know of what a carrier reports.
fn heard(event: carrier::Event) -> Option<Event> {
    match event {
        carrier::Event::Up { peer, .. } => Some(Event::Up(Index::new(peer)?)),
        carrier::Event::Down { peer, .. } => Some(Event::Down(Index::new(peer)?)),
        carrier::Event::Frame { peer, bytes } => {
            Some(Event::Frame { from: Index::new(peer)?, bytes })
        }
        carrier::Event::Unreachable { .. } | carrier::Event::Refused { .. } => None,
    }
}

fn moment(now: Duration, exchange: &Exchange, channels: &impl Channels) -> Moment {
    let indices = exchange.participant().seat().ceremony.indices();
    Moment { now, queued: indices.map(|peer| channels.queued(peer)).collect() }
}

type Worked<S> = (Exchange, S, Result<Vec<Action>, Trouble<<S as Storage>::Error>>);

/// In a worker thread: checks, syncs and key derivation must not stop the sockets.
async fn work<S>(mut exchange: Exchange, mut storage: S, event: Event, moment: Moment) -> Worked<S>
where
    S: Storage + Send + 'static,
    S::Error: Send,
{
    let worker = tokio::task::spawn_blocking(move || {
        let actions = exchange.handle(event, &moment, &mut storage);
        (exchange, storage, actions)
    });
    worker.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn perform(
    actions: Vec<Action>,
    exchange: &Exchange,
    channels: &impl Channels,
    observer: &mut impl Observer,
) -> Option<Ending> {
    for action in actions {
        match action {
            // A peer that is not connected gets everything when it is: it will say what it holds.
            Action::Send { to, frame } => drop(channels.send(to, frame.encode())),
            Action::Tell(notice) => observer.told(exchange.participant(), notice),
            Action::Done(ending) => return Some(ending),
        }
    }
    None
}
