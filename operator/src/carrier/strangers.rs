//! Limits on connections whose handshake is not finished: how many there may be, and which one is
//! dropped.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv6Addr};

use rustix::process::{Resource, getrlimit};
use tokio::sync::oneshot;

/// Most callers of whom nothing is known yet, and fewest, however few descriptors there are.
const STRANGERS: usize = 128;
const FEWEST: usize = 8;
/// Most of them from one source; loopback may use all.
const STRANGERS_PER_SOURCE: usize = 8;
/// Most callers that have shown one peer's channel key, but not yet that they are there now.
const RECOGNISED_PER_PEER: usize = 4;
/// Descriptors left for files and whatever else the process has open.
const DESCRIPTORS_APART: u64 = 64;

/// The connections whose handshake is not finished, oldest first.
///
/// A newcomer always gets in, and the oldest goes, of the source that has most. An honest caller
/// sends its first flight with the connection, and that takes it out of the crowd: it has shown a
/// channel key of the ceremony. Whoever replays such a flight competes with one peer's calls only.
pub(super) struct Unfinished {
    most: usize,
    next: u64,
    strangers: VecDeque<Place>,
    recognised: BTreeMap<u16, VecDeque<Place>>,
    /// Where callers are expected from, by the ceremony file.
    expected: BTreeSet<IpAddr>,
    /// Where each peer has called from last, proven.
    proven: BTreeMap<u16, IpAddr>,
}

/// A place; whoever has the other end of `_taken` sees it dropped.
struct Place {
    number: u64,
    source: IpAddr,
    _taken: oneshot::Sender<()>,
}

impl Unfinished {
    /// As many places as this process has descriptors for, next to one for each of `peers`.
    pub(super) fn new(peers: usize) -> Self {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let kept = DESCRIPTORS_APART + peers as u64;
        let most = usize::try_from(descriptors.saturating_sub(kept) / 2).unwrap_or(usize::MAX);
        Self::with_places(most.clamp(FEWEST, STRANGERS))
    }

    fn with_places(most: usize) -> Self {
        Self {
            most,
            next: 0,
            strangers: VecDeque::new(),
            recognised: BTreeMap::new(),
            expected: BTreeSet::new(),
            proven: BTreeMap::new(),
        }
    }

    /// A number for the newcomer, and a signal that tells it when its place is taken.
    pub(super) fn admit(&mut self, from: IpAddr) -> (u64, oneshot::Receiver<()>) {
        let source = source(from);
        let most = if source.is_loopback() { self.most } else { STRANGERS_PER_SOURCE };
        if self.strangers.iter().filter(|place| place.source == source).count() >= most {
            self.evict(source);
        } else if self.strangers.len() >= self.most {
            self.evict_one();
        }
        let (taken, evicted) = oneshot::channel();
        self.next += 1;
        self.strangers.push_back(Place { number: self.next, source, _taken: taken });
        (self.next, evicted)
    }

    /// Someone makes room: of the sources that nobody is expected from, and then of those that have
    /// most places, the one that came first.
    pub(super) fn evict_one(&mut self) {
        let mut places: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for place in &self.strangers {
            *places.entry(place.source).or_default() += 1;
        }
        let known = |source: &IpAddr| {
            self.expected.contains(source) || self.proven.values().any(|proven| proven == source)
        };
        let rank = |place: &Place| (!known(&place.source), places.get(&place.source).copied());
        // The last of the greatest, seen from the end, is the oldest.
        let worst =
            self.strangers.iter().rev().max_by_key(|place| rank(place)).map(|place| place.source);
        if let Some(worst) = worst {
            self.evict(worst);
        }
    }

    /// The oldest of `source` goes.
    fn evict(&mut self, source: IpAddr) {
        let oldest = self.strangers.iter().position(|place| place.source == source);
        oldest.and_then(|oldest| self.strangers.remove(oldest));
    }

    /// The caller has shown the channel key of `peer`: it leaves the crowd.
    pub(super) fn recognised(&mut self, number: u64, peer: u16) {
        let Some(at) = self.strangers.iter().position(|place| place.number == number) else {
            return;
        };
        let places = self.recognised.entry(peer).or_default();
        if places.len() >= RECOGNISED_PER_PEER {
            places.pop_front();
        }
        places.extend(self.strangers.remove(at));
    }

    /// The handshake is over. `proven`: the peer that it was.
    pub(super) fn finished(&mut self, number: u64, from: IpAddr, proven: Option<u16>) {
        self.strangers.retain(|place| place.number != number);
        for places in self.recognised.values_mut() {
            places.retain(|place| place.number != number);
        }
        if let Some(peer) = proven {
            self.proven.insert(peer, source(from));
        }
    }

    /// Callers are expected from there.
    pub(super) fn expect(&mut self, from: IpAddr) {
        self.expected.insert(source(from));
    }
}

/// What counts as one source: an IPv4 address, or an IPv6 /64, which is what one subscriber has.
pub(super) fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        other => other,
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
        let mut unfinished = Unfinished::with_places(STRANGERS);
        let (_, mut other) = unfinished.admit(ip("192.0.2.1"));
        let mut places: Vec<_> =
            (0..=STRANGERS_PER_SOURCE).map(|_| unfinished.admit(ip("192.0.2.2")).1).collect();
        assert!(!is_evicted(&mut other));
        assert!(is_evicted(&mut places[0]));
        assert!(!is_evicted(&mut places[1]));
        assert_eq!(unfinished.strangers.len(), 1 + STRANGERS_PER_SOURCE);
    }

    #[test]
    fn all_places_together_are_bounded() {
        let mut unfinished = Unfinished::with_places(STRANGERS);
        let mut places: Vec<_> = (0..1000).map(|i| unfinished.admit(address(i)).1).collect();
        assert_eq!(unfinished.strangers.len(), STRANGERS);
        let evicted = places.iter_mut().map(is_evicted).collect::<Vec<_>>();
        assert!(evicted[..1000 - STRANGERS].iter().all(|evicted| *evicted));
        assert!(evicted[1000 - STRANGERS..].iter().all(|evicted| !evicted));
    }

    #[test]
    fn a_source_with_many_places_makes_room_before_one_with_few() {
        let mut unfinished = Unfinished::with_places(STRANGERS);
        let (_, mut single) = unfinished.admit(ip("192.0.2.1"));
        for i in 0..1000 {
            let _place = unfinished.admit(address(i % 20));
        }
        assert!(!is_evicted(&mut single), "the oldest of all, but from a source that has no other");
    }

    #[test]
    fn a_caller_from_where_one_is_expected_stays_longest() {
        for known in [
            |places: &mut Unfinished, at| places.expect(at),
            |places: &mut Unfinished, at| places.finished(0, at, Some(2)),
        ] {
            let mut unfinished = Unfinished::with_places(STRANGERS);
            known(&mut unfinished, ip("192.0.2.1"));
            let (_, mut expected) = unfinished.admit(ip("192.0.2.1"));
            for i in 0..1000 {
                let _place = unfinished.admit(address(i));
            }
            assert!(!is_evicted(&mut expected));
        }
    }

    #[test]
    fn a_recognised_caller_is_out_of_the_crowd() {
        let mut unfinished = Unfinished::with_places(STRANGERS);
        let (number, mut caller) = unfinished.admit(ip("127.0.0.1"));
        unfinished.recognised(number, 2);
        for _ in 0..1000 {
            let _place = unfinished.admit(ip("127.0.0.1"));
        }
        assert!(!is_evicted(&mut caller));
        // Replays of flights of other peers do not matter, those of its own do.
        let mut recognise = |peer| {
            let (number, _) = unfinished.admit(ip("192.0.2.9"));
            unfinished.recognised(number, peer);
        };
        (0..1000).for_each(|_| recognise(3));
        (1..RECOGNISED_PER_PEER).for_each(|_| recognise(2));
        assert!(!is_evicted(&mut caller));
        recognise(2);
        assert!(is_evicted(&mut caller));
        assert!(unfinished.recognised.values().all(|places| places.len() <= RECOGNISED_PER_PEER));
    }

    #[test]
    fn loopback_takes_all_places_and_finished_ones_are_free() {
        let mut unfinished = Unfinished::with_places(STRANGERS);
        let (number, mut first) = unfinished.admit(ip("127.0.0.1"));
        let mut places: Vec<_> =
            (1..STRANGERS).map(|_| unfinished.admit(ip("127.0.0.1")).1).collect();
        assert!(!is_evicted(&mut first));
        unfinished.finished(number, ip("127.0.0.1"), None);
        assert_eq!(unfinished.strangers.len(), STRANGERS - 1);
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
}
