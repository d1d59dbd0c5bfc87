//! The TCP carrier: direct connections between all operators, each an authenticated channel.
//!
//! Every operator calls all others that have an address, again and again until there is a
//! connection, and listens if it has an address itself. Of two operators the later one calls first;
//! if both connections come about, both ends use the one that the later operator opened. Everything
//! runs as tasks on the caller's tokio runtime. They need its thread now and then: a caller that
//! computes for longer than a few seconds does so elsewhere (`spawn_blocking`), or its peers hear
//! nothing and reconnect.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::random;

use super::channel::{Local, Session};
use super::link::{Hub, Slot};
use super::{CarrierError, Channels, Event, Listen, Peer, dial, listen};
use quorate::identity::Operator;
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::secret::Secret32;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::Index;

/// What a TCP carrier needs to know.
pub struct TcpConfig {
    /// What the channels are for.
    pub session: Session,
    /// This operator's index, from 1.
    pub me: u16,
    /// This operator's keys.
    pub operator: Arc<Operator>,
    /// All other operators: [`Peer::of`].
    pub peers: Vec<Peer>,
    /// Where to listen; `None` for an operator that nobody can call.
    pub listen: Option<Listen>,
    /// `host:port` of the SOCKS5 proxy through which everybody is called, if not directly.
    pub proxy: Option<String>,
    /// Longest frame of this ceremony, bytes; from the spec.
    pub max_frame: usize,
    /// 32 fresh bytes from the operating system at each call.
    pub random: Arc<dyn Fn() -> Secret32 + Send + Sync>,
    /// How long things may take.
    pub timing: Timing,
}

impl TcpConfig {
    /// For the ceremony of `seat`, with the addresses of the ceremony file.
    pub fn of(seat: &OwnSeat, listen: Option<Listen>) -> Self {
        Self {
            session: Session::Ceremony(seat.ceremony.digest()),
            me: seat.me.get(),
            operator: seat.operator.clone(),
            peers: Peer::of(&seat.ceremony, seat.me),
            listen,
            proxy: None,
            max_frame: Frame::max_bytes(&Shape::of(&seat.ceremony)),
            random: Arc::new(random::secret),
            timing: Timing::default(),
        }
    }
}

/// How long things may take. Only tests have a reason to change it.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Resolving a name, and making a TCP connection: 5 s each.
    pub connect: Duration,
    /// The whole handshake: 10 s.
    pub handshake: Duration,
    /// A keep-alive is sent when nothing else was for 10 s.
    pub keep_alive: Duration,
    /// A connection on which nothing arrives for 30 s is given up.
    pub idle: Duration,
    /// How long the earlier of two operators lets the later one call first: 1 s.
    pub head_start: Duration,
    /// Wait after the first failed call: 0.1 s, then twice as long each time.
    pub retry_first: Duration,
    /// Longest wait between calls: 5 s.
    pub retry_most: Duration,
    /// How long [`Tcp::shutdown`] may take: 5 s.
    pub flush: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            handshake: Duration::from_secs(10),
            keep_alive: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            head_start: Duration::from_secs(1),
            retry_first: Duration::from_millis(100),
            retry_most: Duration::from_secs(5),
            flush: Duration::from_secs(5),
        }
    }
}

/// A running carrier. Dropping it closes everything at once; [`Tcp::shutdown`] sends what is queued
/// first.
pub struct Tcp {
    hub: Arc<Hub>,
    events: mpsc::Receiver<Event>,
    tasks: JoinSet<()>,
    address: Option<SocketAddr>,
}

impl Tcp {
    /// Listens, and starts calling.
    pub async fn start(config: TcpConfig) -> Result<Self, CarrierError> {
        let TcpConfig { session, me, operator, peers, listen, proxy, max_frame, random, timing } =
            config;
        if u32::try_from(max_frame).is_err() {
            return Err(CarrierError::FrameLimit(max_frame));
        }
        let mut seen = BTreeSet::from([me]);
        let mut keys = BTreeSet::from([operator.noise().public()]);
        for peer in &peers {
            if !seen.insert(peer.index) || !keys.insert(peer.noise) {
                return Err(CarrierError::Repeated { index: peer.index });
            }
        }
        let address = |peer: &Peer| Some((peer.index, peer.address.clone()?));
        let calls: Vec<(u16, String)> = peers.iter().filter_map(address).collect();
        let listener = match listen {
            Some(listen) => Some(listen.bind().await?),
            None if calls.is_empty() => return Err(CarrierError::Alone),
            None => None,
        };

        // One event waits here and each connection holds one: a peer cannot make us hold more than
        // two frames of its own.
        let (events, receiver) = mpsc::channel(1);
        let operators = peers.len() + 1;
        let hub = Arc::new(Hub {
            local: Local { session, index: me, operator },
            slots: peers
                .into_iter()
                .map(|peer| (peer.index, Slot::new(peer, me, operators)))
                .collect(),
            max_frame,
            proxy,
            timing,
            random,
            closing: watch::Sender::new(false),
            events,
        });
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let mut tasks = JoinSet::new();
        if let Some(listener) = listener {
            tasks.spawn(listen::run(hub.clone(), listener));
        }
        for (index, address) in calls {
            tasks.spawn(dial::run(hub.clone(), index, address));
        }
        Ok(Self { hub, events: receiver, tasks, address })
    }

    /// Where this operator listens, if it does.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The next thing that happened. May be dropped and called again; nothing is lost.
    pub async fn next(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            // Not while the hub, which holds a sender, is alive.
            None => core::future::pending().await,
        }
    }

    /// Queues a frame for `to`; frames arrive in order, or the connection ends. False if `to` is
    /// not connected, or the frame is empty or longer than `max_frame`.
    ///
    /// The queue holds 8 times `max_frame` bytes, or 8 MiB if that is more, and 16384 frames. A
    /// frame that does not fit ends the connection ([`super::LinkError::Behind`]), and after the
    /// next [`Event::Up`] the two sides start level again.
    pub fn send(&self, to: u16, frame: impl Into<Arc<[u8]>>) -> bool {
        self.hub.send(to, frame.into())
    }

    /// How many bytes of frames for `to` are not yet with the operating system; 0 if it is not
    /// connected. A caller that answers requests does not answer again before the last answer has
    /// left.
    pub fn waiting(&self, to: u16) -> usize {
        self.hub.waiting(to)
    }

    /// Ends the connection to `peer`, and lets none come about again.
    pub fn hang_up(&self, peer: u16) {
        if let Some(slot) = self.hub.slots.get(&peer) {
            slot.shut();
        }
    }

    /// Stops calling and listening, sends what is queued for those who are connected, for a bounded
    /// time, and closes. Frames that arrive meanwhile are dropped.
    pub async fn shutdown(self) {
        let Self { hub, events, mut tasks, .. } = self;
        drop(events);
        hub.closing.send_replace(true);
        hub.slots.values().for_each(Slot::finish);
        // What is left after the limit is aborted with the set.
        let _ =
            timeout(hub.timing.flush, async { while tasks.join_next().await.is_some() {} }).await;
    }
}

impl Channels for Tcp {
    fn next(&mut self) -> impl Future<Output = Event> + Send {
        Self::next(self)
    }

    fn send(&self, to: Index, frame: Vec<u8>) -> bool {
        Self::send(self, to.get(), frame)
    }

    fn queued(&self, to: Index) -> usize {
        self.waiting(to.get())
    }

    fn hang_up(&self, peer: Index) {
        Self::hang_up(self, peer.get());
    }

    fn shutdown(self) -> impl Future<Output = ()> + Send {
        Self::shutdown(self)
    }
}
