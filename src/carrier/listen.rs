//! Being called: few unfinished connections at a time, and strangers turned away.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::channel::{self, Channel};
use super::link::{self, Hub, Slot};
use super::{Event, LinkError};

/// Most connections whose handshake is not finished.
const UNFINISHED: usize = 64;
/// Most of them from one source; loopback may use all.
const UNFINISHED_PER_SOURCE: usize = 8;
/// A refusal is reported once in this time for the same source and reason.
const QUIET: Duration = Duration::from_secs(60);
/// Most refusals reported in that time.
const REPORTS: usize = 64;

/// Accepts callers until the carrier stops, then waits for their connections to end.
pub(super) async fn run(hub: Arc<Hub>, listener: TcpListener) {
    let shared = Arc::new(Shared::default());
    let mut connections = JoinSet::new();
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
            }
            // Out of descriptors, mostly. Connections that end give some back.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
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
        answered = timeout(limit, respond(&hub, stream)) => answered.unwrap_or(Err(LinkError::HandshakeTime(limit.as_secs()))),
        _ = evicted => Err(LinkError::Crowded),
        () = hub.closed() => Err(LinkError::Stopping),
    };
    shared.unfinished().finished(number);
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

async fn respond(hub: &Hub, stream: TcpStream) -> Result<(Channel<TcpStream>, &Slot), LinkError> {
    stream.set_nodelay(true)?;
    // The later operator calls the earlier one, so that there is one connection for each two.
    let caller = |index| (index > hub.local.index).then(|| hub.slots.get(&index)).flatten().map(|slot| &slot.peer);
    let (channel, peer) = channel::respond(stream, &hub.local, caller, (hub.random)()).await?;
    Ok((channel, &hub.slots[&peer.index]))
}

#[derive(Default)]
struct Shared {
    unfinished: Mutex<Unfinished>,
    reports: Mutex<Reports>,
}

impl Shared {
    fn unfinished(&self) -> MutexGuard<'_, Unfinished> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connections whose handshake is not finished, oldest first.
///
/// A newcomer always gets in, and the oldest goes: an honest handshake takes a round trip or two and is soon finished, while those that
/// hold a place for nothing are the ones that grow old.
#[derive(Default)]
struct Unfinished {
    next: u64,
    places: VecDeque<(u64, IpAddr, oneshot::Sender<()>)>,
}

impl Unfinished {
    /// A number for the newcomer, and a signal that tells it when its place is taken.
    fn admit(&mut self, from: IpAddr) -> (u64, oneshot::Receiver<()>) {
        let source = source(from);
        let most = if source.is_loopback() { UNFINISHED } else { UNFINISHED_PER_SOURCE };
        if self.places.iter().filter(|place| place.1 == source).count() >= most {
            let oldest = self.places.iter().position(|place| place.1 == source);
            oldest.and_then(|oldest| self.places.remove(oldest));
        } else if self.places.len() >= UNFINISHED {
            self.places.pop_front();
        }
        let (place, evicted) = oneshot::channel();
        self.next += 1;
        self.places.push_back((self.next, source, place));
        (self.next, evicted)
    }

    fn finished(&mut self, number: u64) {
        self.places.retain(|place| place.0 != number);
    }
}

/// What counts as one source: an IPv4 address, or an IPv6 /64, which is what one subscriber has.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        other => other,
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
        let known = self.0.iter().any(|report| report.1 == source && report.2 == *why);
        if known || self.0.len() >= REPORTS {
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

    fn is_evicted(evicted: &mut oneshot::Receiver<()>) -> bool {
        evicted.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn one_source_takes_few_places_and_loses_its_oldest() {
        let mut unfinished = Unfinished::default();
        let (_, mut other) = unfinished.admit(ip("192.0.2.1"));
        let mut places: Vec<_> = (0..=UNFINISHED_PER_SOURCE).map(|_| unfinished.admit(ip("192.0.2.2")).1).collect();
        assert!(!is_evicted(&mut other));
        assert!(is_evicted(&mut places[0]));
        assert!(!is_evicted(&mut places[1]));
        assert_eq!(unfinished.places.len(), 1 + UNFINISHED_PER_SOURCE);
    }

    #[test]
    fn all_places_together_are_bounded() {
        let mut unfinished = Unfinished::default();
        let mut places: Vec<_> = (0..1000).map(|i| unfinished.admit(address(i)).1).collect();
        assert_eq!(unfinished.places.len(), UNFINISHED);
        let evicted = places.iter_mut().map(is_evicted).collect::<Vec<_>>();
        assert!(evicted[..1000 - UNFINISHED].iter().all(|evicted| *evicted));
        assert!(evicted[1000 - UNFINISHED..].iter().all(|evicted| !evicted));
    }

    #[test]
    fn loopback_takes_all_places_and_finished_ones_are_free() {
        let mut unfinished = Unfinished::default();
        let (number, mut first) = unfinished.admit(ip("127.0.0.1"));
        let mut places: Vec<_> = (1..UNFINISHED).map(|_| unfinished.admit(ip("127.0.0.1")).1).collect();
        assert!(!is_evicted(&mut first));
        unfinished.finished(number);
        assert_eq!(unfinished.places.len(), UNFINISHED - 1);
        let _place = unfinished.admit(ip("127.0.0.1"));
        assert!(!is_evicted(&mut places[0]));
        let _place = unfinished.admit(ip("127.0.0.1"));
        assert!(is_evicted(&mut places[0]));
    }

    #[test]
    fn a_source_is_an_address_or_a_network() {
        assert_eq!(source(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(source(ip("::ffff:192.0.2.9")), ip("192.0.2.9"));
        assert!(source(ip("::1")).is_loopback());
        assert!(source(ip("::ffff:127.0.0.1")).is_loopback());
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
}
