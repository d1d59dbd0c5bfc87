//! State shared by all connections of one operator, and the life of one connection.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::channel::{Channel, Local};
use super::frame::{FrameReader, FrameWriter};
use super::pace::Pace;
use super::tcp::Timing;
use super::{Event, LinkError, Peer};
use quorate::primitives::secret::Secret32;

/// A peer's send queue holds as many bytes as this many of the longest frames, ...
const QUEUED_FRAMES: usize = 8;
/// ... or this many bytes if that is more, for ceremonies whose frames are small.
const QUEUED_BYTES: usize = 8 << 20;
/// A peer's send queue holds at most this many frames, however small they are.
const QUEUED_COUNT: usize = 1 << 14;
/// Frames and keep-alives of one peer that are taken as they come, and how many more for each
/// operator; beyond them, ...
const FRAMES_AT_ONCE: (u32, u32) = (4096, 16);
/// ... so many in a second. A ceremony needs a few; a peer that sends at line rate is held back by
/// the network.
const FRAMES_A_SECOND: (u32, u32) = (256, 4);
/// Connections of one peer that are taken as they come; beyond them, one in this time.
const CONNECTIONS_AT_ONCE: u32 = 8;
const BETWEEN_CONNECTIONS: Duration = Duration::from_secs(1);

/// Shared by all tasks of a carrier.
pub(super) struct Hub {
    pub(super) local: Local,
    pub(super) slots: BTreeMap<u16, Slot>,
    pub(super) max_frame: usize,
    pub(super) proxy: Option<String>,
    pub(super) timing: Timing,
    pub(super) random: Arc<dyn Fn() -> Secret32 + Send + Sync>,
    pub(super) closing: watch::Sender<bool>,
    pub(super) events: mpsc::Sender<Event>,
}

impl Hub {
    /// Completes when the carrier is told to stop.
    pub(super) async fn closed(&self) {
        // The hub holds the sender, so waiting cannot fail.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    pub(super) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Reports an event; waits while the owner is busy. When the owner is gone there is nobody to
    /// tell.
    pub(super) async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// Queues a frame for `to`. False: not connected, no such peer, or a frame that is empty or too
    /// long.
    pub(super) fn send(&self, to: u16, frame: Arc<[u8]>) -> bool {
        let Some(slot) = self.slots.get(&to) else { return false };
        if frame.is_empty() || frame.len() > self.max_frame {
            return false;
        }
        let mut open = slot.open();
        let Some(queue) = open.as_ref() else { return false };
        let length = frame.len();
        let before = queue.waiting.fetch_add(length, Ordering::Relaxed);
        let most = QUEUED_FRAMES.saturating_mul(self.max_frame).max(QUEUED_BYTES);
        if before.saturating_add(length) > most || queue.frames.try_send(frame).is_err() {
            queue.overflow.notify_one();
            *open = None;
            return false;
        }
        true
    }

    /// Bytes queued for `to`, or half-way out.
    pub(super) fn waiting(&self, to: u16) -> usize {
        let slot = self.slots.get(&to);
        slot.and_then(|slot| {
            slot.open().as_ref().map(|queue| queue.waiting.load(Ordering::Relaxed))
        })
        .unwrap_or(0)
    }
}

/// Who opened a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// This operator called.
    Called,
    /// The peer called.
    Answered,
}

/// The connection that is used: of two that were opened from both sides at once, both ends use the
/// one that the operator with the higher index opened.
#[derive(Debug, Default)]
struct Chosen {
    /// Its number; older ones see it and end.
    number: u64,
    /// Who opened it; `None` once it is gone.
    side: Option<Side>,
}

/// A peer, and the one connection to it.
pub(super) struct Slot {
    pub(super) peer: Peer,
    /// The side whose connections are used if there are two.
    preferred: Side,
    chosen: watch::Sender<Chosen>,
    /// Number of the newest connection that waits for the chosen one to prove alive or dead.
    waiting: watch::Sender<u64>,
    /// Counts what arrives over the chosen connection.
    heard: watch::Sender<u64>,
    /// Held by the connection in use, so that `Down` of one comes before `Up` of the next.
    turn: tokio::sync::Mutex<()>,
    open: Mutex<Option<Queue>>,
    /// No connection is wanted any more.
    shut: AtomicBool,
    /// What the peer may still do; the same for its next connection.
    connections: Mutex<Pace>,
    frames: Mutex<Pace>,
}

impl Slot {
    /// Of operator `me` among `operators`.
    pub(super) fn new(peer: Peer, me: u16, operators: usize) -> Self {
        let preferred = if me > peer.index { Side::Called } else { Side::Answered };
        let operators = u32::try_from(operators).unwrap_or(u32::MAX);
        let of = |(base, more): (u32, u32)| operators.saturating_mul(more).saturating_add(base);
        Self {
            peer,
            preferred,
            chosen: watch::Sender::default(),
            waiting: watch::Sender::default(),
            heard: watch::Sender::default(),
            turn: tokio::sync::Mutex::default(),
            open: Mutex::default(),
            shut: AtomicBool::new(false),
            connections: Mutex::new(Pace::new(CONNECTIONS_AT_ONCE, BETWEEN_CONNECTIONS)),
            frames: Mutex::new(Pace::new(
                of(FRAMES_AT_ONCE),
                Duration::from_secs(1) / of(FRAMES_A_SECOND),
            )),
        }
    }

    /// Lets the connection send what is queued and then end.
    pub(super) fn finish(&self) {
        *self.open() = None;
    }

    /// Ends the connection, and lets none come about again.
    pub(super) fn shut(&self) {
        // In this order: a connection that begins now sees the one or the other.
        self.shut.store(true, Ordering::SeqCst);
        self.chosen.send_modify(|chosen| chosen.number += 1);
    }

    /// Whether this operator lets the peer call first.
    pub(super) fn is_second(&self) -> bool {
        self.preferred == Side::Answered
    }

    /// Completes when there is a connection, or when there is none.
    pub(super) async fn until(&self, connected: bool) {
        // The slot holds the sender, so waiting cannot fail.
        let mut chosen = self.chosen.subscribe();
        let _ = chosen.wait_for(|chosen| chosen.side.is_some() == connected).await;
    }

    /// Chooses a new connection that `side` opened, and gives its number; `None` if there is one of
    /// the preferred side and this one is of the other.
    fn choose(&self, side: Side) -> Option<u64> {
        let mut number = None;
        self.chosen.send_if_modified(|chosen| {
            let second = side != self.preferred && chosen.side == Some(self.preferred);
            if !second {
                chosen.number += 1;
                chosen.side = Some(side);
                number = Some(chosen.number);
            }
            !second
        });
        number
    }

    /// The number of a new connection once it is the chosen one; `None` if it is not needed. One
    /// of the side that is not preferred waits until the other has proven alive: it may be what is
    /// left of a connection that the peer has lost already.
    async fn take_place(&self, hub: &Hub, side: Side) -> Option<u64> {
        if let Some(number) = self.choose(side) {
            return Some(number);
        }
        let mut mine = 0;
        self.waiting.send_modify(|newest| {
            *newest += 1;
            mine = *newest;
        });
        let (mut waiting, mut heard) = (self.waiting.subscribe(), self.heard.subscribe());
        let patience = hub.timing.keep_alive + hub.timing.keep_alive / 2;
        tokio::select! {
            () = self.until(false) => {}
            () = sleep(patience) => {}
            _ = heard.changed() => return None,
            _ = waiting.wait_for(|newest| *newest != mine) => return None,
            () = hub.closed() => return None,
        }
        let mut number = 0;
        self.chosen.send_modify(|chosen| {
            chosen.number += 1;
            chosen.side = Some(side);
            number = chosen.number;
        });
        Some(number)
    }

    /// A connection is gone.
    fn leave(&self, number: u64) {
        self.chosen.send_if_modified(|chosen| {
            let mine = chosen.number == number;
            if mine {
                chosen.side = None;
            }
            mine
        });
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::SeqCst)
    }

    fn open(&self) -> MutexGuard<'_, Option<Queue>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until there is one to take, and takes it.
async fn take(pace: &Mutex<Pace>) {
    loop {
        let taken = pace.lock().unwrap_or_else(PoisonError::into_inner).take();
        match taken {
            Ok(()) => return,
            Err(wait) => sleep(wait).await,
        }
    }
}

/// The way into a connection's send queue.
struct Queue {
    frames: mpsc::Sender<Arc<[u8]>>,
    waiting: Arc<AtomicUsize>,
    overflow: Arc<Notify>,
}

/// Runs an authenticated connection that `side` opened until it ends, telling `Up`, the frames, and
/// `Down`; nothing if it ends before `Up` is taken.
pub(super) async fn run(
    hub: &Hub,
    slot: &Slot,
    channel: Channel<TcpStream>,
    address: String,
    side: Side,
) {
    let Some(number) = slot.take_place(hub, side).await else { return };
    run_chosen(hub, slot, channel, address, number).await;
    slot.leave(number);
}

async fn run_chosen(
    hub: &Hub,
    slot: &Slot,
    channel: Channel<TcpStream>,
    address: String,
    number: u64,
) {
    let peer = slot.peer.index;
    if slot.is_shut() {
        return;
    }
    let mut chosen = slot.chosen.subscribe();
    let side = chosen.borrow().side;
    let replaced = async move {
        let newer = chosen.wait_for(|chosen| chosen.number != number).await;
        newer.ok().map(|newer| newer.side) == Some(side)
    };
    tokio::pin!(replaced);
    let _turn = tokio::select! {
        // At most one connection of a peer waits here: a newer one takes its place.
        turn = async { take(&slot.connections).await; slot.turn.lock().await } => turn,
        _ = &mut replaced => return,
        () = hub.closed() => return,
    };

    let (frames, queue) = mpsc::channel(QUEUED_COUNT);
    let (waiting, overflow) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    *slot.open() = Some(Queue { frames, waiting: waiting.clone(), overflow: overflow.clone() });
    if hub.is_closing() {
        slot.finish();
    }
    let (mut reader, mut writer) = channel.into_frames(hub.max_frame, hub.timing.idle);
    let mut told = false;
    let why = tokio::select! {
        why = receive(hub, slot, address, &mut reader, &mut told) => why,
        why = transmit(hub, &mut writer, queue, &waiting) => why,
        again = &mut replaced => match (slot.is_shut(), again) {
            (true, _) => LinkError::HungUp,
            (false, true) => LinkError::Replaced,
            (false, false) => LinkError::Crossed,
        },
        () = overflow.notified() => LinkError::Behind,
    };
    slot.finish();
    if why == LinkError::Stopping {
        // Closing with unread bytes would reset the connection, and the peer could lose what we
        // sent last.
        reader.drain().await;
    }
    if told {
        hub.tell(Event::Down { peer, why }).await;
    }
}

/// Tells `Up`, then hands frames to the owner one at a time. While the owner is busy, or the peer
/// has sent too many lately, nothing is read, and the network holds the peer back; keep-alives go
/// out all the same.
async fn receive<R: tokio::io::AsyncRead + Unpin>(
    hub: &Hub,
    slot: &Slot,
    address: String,
    reader: &mut FrameReader<R>,
    told: &mut bool,
) -> LinkError {
    let peer = slot.peer.index;
    hub.tell(Event::Up { peer, address }).await;
    *told = true;
    loop {
        take(&slot.frames).await;
        let arrived = match reader.next_or_keep_alive().await {
            Ok(arrived) => arrived,
            Err(why) => return why,
        };
        slot.heard.send_modify(|count| *count = count.wrapping_add(1));
        if let Some(bytes) = arrived {
            hub.tell(Event::Frame { peer, bytes }).await;
        }
    }
}

async fn transmit<W: tokio::io::AsyncWrite + Unpin>(
    hub: &Hub,
    writer: &mut FrameWriter<W>,
    mut queue: mpsc::Receiver<Arc<[u8]>>,
    waiting: &AtomicUsize,
) -> LinkError {
    loop {
        let sent = match timeout(hub.timing.keep_alive, queue.recv()).await {
            Ok(Some(frame)) => {
                let sent = writer.send(&frame).await;
                waiting.fetch_sub(frame.len(), Ordering::Relaxed);
                sent
            }
            Ok(None) if hub.is_closing() => {
                return writer.close().await.err().unwrap_or(LinkError::Stopping);
            }
            Ok(None) => return LinkError::Behind,
            Err(_) => writer.keep_alive().await,
        };
        if let Err(why) = sent {
            return why;
        }
    }
}

/// Waits between attempts: doubling, with jitter, up to a limit.
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(timing: &Timing) -> Self {
        Self { first: timing.retry_first, most: timing.retry_most, next: timing.retry_first }
    }

    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }

    /// The next wait: between half of the current step and all of it, chosen by `random`.
    pub(super) fn wait(&mut self, random: u32) -> Duration {
        let step = self.next;
        self.next = step.saturating_mul(2).min(self.most);
        step.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_jitter_up_to_a_limit() {
        let mut backoff = Backoff::new(&Timing::default());
        let expected = [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(Duration::from_millis);
        for most in expected {
            assert_eq!(backoff.wait(u32::MAX), most);
        }
        assert_eq!(backoff.wait(0), Duration::from_millis(2500));
        backoff.reset();
        assert_eq!(backoff.wait(0), Duration::from_millis(50));
        assert_eq!(backoff.wait(u32::MAX), Duration::from_millis(200));
    }
}
