//! Accepts connections: few unfinished ones at a time, and strangers are turned away.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::mem::discriminant;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout};

use super::channel::{self, Channel};
use super::link::{self, Hub, Slot};
use super::strangers::{Unfinished, source};
use super::{Event, LinkError};

/// How many of a host name's addresses a caller is expected from.
const ADDRESSES: usize = 8;
/// How long accepting rests when the system has no descriptor left.
const REST: Duration = Duration::from_millis(100);
/// A refusal is reported once in this time for the same source and reason.
const QUIET: Duration = Duration::from_secs(60);
/// Most refusals reported in that time; and of one source, of one kind. A caller chooses who it
/// says it is and what for.
const REPORTS: usize = 64;
const ALIKE: usize = 4;

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
    for slot in hub.slots.values().filter(|slot| slot.peer.index > hub.local.index) {
        let Some(address) = &slot.peer.address else { continue };
        let found = tokio::select! {
            found = timeout(hub.timing.connect, lookup_host(address)) => found,
            () = hub.closed() => return,
        };
        let Ok(Ok(addresses)) = found else { continue };
        addresses.take(ADDRESSES).for_each(|address| shared.unfinished().expect(address.ip()));
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
        Ok((channel, slot)) => link::run(&hub, slot, channel, from.to_string()).await,
        // It was the caller who left, or we who stop: nobody was refused.
        Err(LinkError::Closed | LinkError::Io(_) | LinkError::Stopping) => {}
        Err(why) => {
            let report = shared.reports().admit(from.ip(), &why, Instant::now());
            if report {
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
    // The later operator calls the earlier one, so that there is one connection for each two.
    let caller = |index| {
        (index > hub.local.index).then(|| hub.slots.get(&index)).flatten().map(|slot| &slot.peer)
    };
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
    reports: Mutex<Reports>,
}

impl Shared {
    fn new(peers: usize) -> Self {
        Self { unfinished: Mutex::new(Unfinished::new(peers)), reports: Mutex::default() }
    }

    fn unfinished(&self) -> MutexGuard<'_, Unfinished> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which refusals were reported lately.
#[derive(Default)]
struct Reports(VecDeque<(Instant, IpAddr, LinkError)>);

impl Reports {
    fn admit(&mut self, from: IpAddr, why: &LinkError, now: Instant) -> bool {
        let source = source(from);
        while self.0.front().is_some_and(|report| now.duration_since(report.0) >= QUIET) {
            self.0.pop_front();
        }
        let alike = |report: &&(Instant, IpAddr, LinkError)| {
            report.1 == source && discriminant(&report.2) == discriminant(why)
        };
        let known = self.0.iter().any(|report| report.1 == source && report.2 == *why);
        if known || self.0.iter().filter(alike).count() >= ALIKE || self.0.len() >= REPORTS {
            return false;
        }
        self.0.push_back((now, source, why.clone()));
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn address(i: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + i).into())
    }

    #[test]
    fn refusals_are_reported_once_and_not_without_end() {
        let mut reports = Reports::default();
        let now = Instant::now();
        assert!(reports.admit(ip("192.0.2.1"), &LinkError::Handshake, now));
        assert!(!reports.admit(ip("192.0.2.1"), &LinkError::Handshake, now));
        assert!(reports.admit(ip("192.0.2.1"), &LinkError::NotAChannel, now));
        assert!(reports.admit(ip("192.0.2.2"), &LinkError::Handshake, now));
        let admitted = (0..1000).filter(|i| reports.admit(address(*i), &LinkError::Handshake, now));
        assert_eq!(admitted.count(), REPORTS - 3);
        assert!(reports.admit(ip("192.0.2.1"), &LinkError::Handshake, now + QUIET));
    }

    /// Who says that it is each operator in turn does not keep others from being reported.
    #[test]
    fn one_source_has_few_reports_of_one_kind() {
        let mut reports = Reports::default();
        let now = Instant::now();
        let admitted = (0..1000).filter(|index| {
            reports.admit(ip("192.0.2.1"), &LinkError::OtherOperator { index: *index }, now)
        });
        assert_eq!(admitted.count(), ALIKE);
        assert!(reports.admit(ip("192.0.2.1"), &LinkError::Handshake, now));
        assert!(reports.admit(ip("192.0.2.2"), &LinkError::OtherOperator { index: 4 }, now));
    }
}
