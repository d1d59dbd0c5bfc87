//! Accepts connections: few unfinished ones at a time, and strangers are turned away.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout};

use super::channel::{self, Channel};
use super::dial::resolve;
use super::link::{self, Hub, Side, Slot};
use super::refusals::Refusals;
use super::strangers::{Unfinished, source};
use super::{Event, LinkError};

/// How long accepting rests when the system has no descriptor left.
const REST: Duration = Duration::from_millis(100);
/// Most refusals that are reported within a minute, of all callers together.
const REPORTS: usize = 64;

/// Accepts callers until the carrier stops, then waits for their connections to end.
pub(super) async fn run(hub: Arc<Hub>, listener: TcpListener) {
    let shared = Arc::new(Shared::new(hub.slots.len()));
    let mut connections = JoinSet::new();
    connections.spawn(expect(hub.clone(), shared.clone()));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = hub.closed() => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => {
                // An IPv4 address that came by a socket for both.
                let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                let (number, evicted) = shared.unfinished().admit(from.ip());
                let task = answer(hub.clone(), shared.clone(), stream, from, number, evicted);
                connections.spawn(task);
                // However many wait to be accepted: each is heard before the next ones can take its
                // place.
                yield_now().await;
            }
            // Of a connection that is gone already.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
                ) =>
            {
                yield_now().await
            }
            // Out of descriptors, mostly. Connections that end give some back.
            Err(_) => {
                shared.unfinished().evict_one();
                tokio::select! {
                    () = sleep(REST) => {}
                    () = hub.closed() => break,
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Looks up from where the ceremony file lets us expect calls. Only a preference when places are
/// short: operators call from anywhere.
async fn expect(hub: Arc<Hub>, shared: Arc<Shared>) {
    // Whoever calls through a proxy does not want the names of the others asked for here.
    if hub.proxy.is_some() {
        return;
    }
    for slot in hub.slots.values() {
        let Some(address) = &slot.peer.address else { continue };
        let found = tokio::select! {
            found = resolve(&hub, address) => found,
            () = hub.closed() => return,
        };
        for address in found.into_iter().flatten() {
            shared.unfinished().expect(address.ip());
        }
    }
}

async fn answer(
    hub: Arc<Hub>,
    shared: Arc<Shared>,
    stream: TcpStream,
    from: SocketAddr,
    number: u64,
    evicted: oneshot::Receiver<()>,
) {
    let limit = hub.timing.handshake;
    let answered = tokio::select! {
        biased;
        answered = timeout(limit, respond(&hub, &shared, stream, number)) => {
            answered.unwrap_or(Err(LinkError::HandshakeTime(limit.as_secs())))
        }
        _ = evicted => Err(LinkError::Crowded),
        () = hub.closed() => Err(LinkError::Stopping),
    };
    shared.unfinished().finished(
        number,
        from.ip(),
        answered.as_ref().ok().map(|(_, slot)| slot.peer.index),
    );
    match answered {
        Ok((channel, slot)) => {
            link::run(&hub, slot, channel, from.to_string(), Side::Answered).await
        }
        // It was the caller who left, or we who stop: nobody was refused.
        Err(LinkError::Closed | LinkError::Io(_) | LinkError::Stopping) => {}
        Err(why) => {
            if shared.refusals().admit(source(from.ip()), &why, Instant::now()) {
                hub.tell(Event::Refused { address: from.to_string(), why }).await;
            }
        }
    }
}

async fn respond<'h>(
    hub: &'h Hub,
    shared: &Shared,
    stream: TcpStream,
    number: u64,
) -> Result<(Channel<TcpStream>, &'h Slot), LinkError> {
    stream.set_nodelay(true)?;
    let caller = |index| hub.slots.get(&index).map(|slot| &slot.peer);
    let flight = channel::hear(stream, &hub.local, caller, (hub.random)()).await?;
    let peer = flight.peer.index;
    if hub.slots[&peer].is_shut() {
        return Err(LinkError::HungUp);
    }
    shared.unfinished().recognised(number, peer);
    Ok((flight.answer(&hub.local).await?, &hub.slots[&peer]))
}

struct Shared {
    unfinished: Mutex<Unfinished>,
    refusals: Mutex<Refusals<IpAddr>>,
}

impl Shared {
    fn new(peers: usize) -> Self {
        Self {
            unfinished: Mutex::new(Unfinished::new(peers)),
            refusals: Mutex::new(Refusals::at_most(REPORTS)),
        }
    }

    fn unfinished(&self) -> MutexGuard<'_, Unfinished> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals<IpAddr>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
