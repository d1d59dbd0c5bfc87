//! The simulated network: what happens to bytes between two machines.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use crate::message::sync::Frame;
use crate::spec::threshold::Index;

use super::cast::Cast;
use super::chance::Chance;
use super::plan::Weather;

/// How many frames a hostile carrier remembers.
const MEMORY: usize = 128;
/// How long a frame may be held up, in milliseconds.
const LONGEST_DELAY: u64 = 8_000;

/// What happens, and when it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Bytes arrive.
    Deliver {
        /// In whose name.
        from: Index,
        /// At whose machine.
        to: Index,
        /// The bytes.
        bytes: Arc<[u8]>,
    },
    /// A machine's clock ticks, if it is still in this run.
    Tick {
        /// Its seat.
        seat: usize,
        /// The run.
        run: u32,
    },
    /// A machine is started.
    Start {
        /// Its seat.
        seat: usize,
    },
    /// The person of a dealer stops the old keys, or raises what it has said of them.
    Stop {
        /// Its seat.
        seat: usize,
    },
    /// A seat is lost.
    Vanish {
        /// Its position.
        seat: usize,
    },
    /// A lost seat is found again.
    Return {
        /// Its position.
        seat: usize,
    },
    /// A person thinks of finishing without others.
    Without {
        /// Its seat.
        seat: usize,
    },
    /// Time passes for the coalition.
    Coalition,
    /// A partition is over.
    Mended,
    /// Faults stop.
    Calm,
    /// People look after their machines.
    People,
}

/// The events to come, in order; those of one moment in the order in which they were planned.
#[derive(Default)]
pub struct Agenda {
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    planned: u64,
}

impl Agenda {
    /// Plans an event.
    pub fn plan(&mut self, at: u64, event: Event) {
        self.events.push(Reverse((at, self.planned, event)));
        self.planned += 1;
    }

    /// When the next event is.
    pub fn next_at(&self) -> Option<u64> {
        self.events.peek().map(|Reverse((at, _, _))| *at)
    }

    /// The next event and its time.
    pub fn pop(&mut self) -> Option<(u64, Event)> {
        self.events.pop().map(|Reverse((at, _, event))| (at, event))
    }
}

/// The network.
pub struct Network {
    weather: Weather,
    chance: Chance,
    cast: &'static Cast,
    /// When the last frame of each direction arrives: frames do not overtake each other unless they
    /// are held up.
    last: BTreeMap<(Index, Index), u64>,
    overheard: Vec<(Index, Arc<[u8]>)>,
    /// Frames on their way in each direction: when they arrive, and their bytes.
    on_their_way: BTreeMap<(Index, Index), Vec<(u64, usize)>>,
}

impl Network {
    /// A network in this weather.
    pub fn new(cast: &'static Cast, weather: Weather, chance: Chance) -> Self {
        Self {
            weather,
            chance,
            cast,
            last: BTreeMap::new(),
            overheard: Vec::new(),
            on_their_way: BTreeMap::new(),
        }
    }

    /// From now on nothing fails.
    pub fn calm_down(&mut self) {
        self.weather = Weather::clear();
    }

    /// Whether the two cannot reach each other now.
    pub fn is_cut(&self, now: u64, a: Index, b: Index) -> bool {
        let apart = |hub: usize| ![a.position(), b.position()].contains(&hub);
        self.weather.hub.is_some_and(apart)
            || self.weather.partitions.iter().any(|(from, to, island)| {
                (*from..*to).contains(&now)
                    && island.contains(&a.position()) != island.contains(&b.position())
            })
    }

    /// Takes bytes from `from` for `to`.
    pub fn carry(&mut self, now: u64, from: Index, to: Index, bytes: Vec<u8>, agenda: &mut Agenda) {
        if self.weather.hostile > 0 {
            self.meddle(now, from, to, &bytes, agenda);
        }
        if self.is_cut(now, from, to) || self.chance.happens(self.weather.drop) {
            return;
        }
        let bytes = match self.chance.happens(self.weather.corrupt) {
            true => self.corrupted(bytes),
            false => bytes,
        };
        let bytes: Arc<[u8]> = bytes.into();
        if self.chance.happens(self.weather.duplicate) {
            self.deliver(now, from, to, bytes.clone(), agenda);
        }
        let length = bytes.len();
        let at = self.deliver(now, from, to, bytes, agenda);
        self.on_their_way.entry((from, to)).or_default().push((at, length));
    }

    /// Bytes that `from` has sent and `to` has not received.
    pub fn queued(&mut self, now: u64, from: Index, to: Index) -> usize {
        let Some(frames) = self.on_their_way.get_mut(&(from, to)) else { return 0 };
        frames.retain(|(at, _)| *at > now);
        frames.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Plans an arrival; gives its time.
    fn deliver(
        &mut self,
        now: u64,
        from: Index,
        to: Index,
        bytes: Arc<[u8]>,
        agenda: &mut Agenda,
    ) -> u64 {
        let (low, high) = self.weather.latency;
        let mut at = now + self.chance.between(low, high);
        if self.chance.happens(self.weather.delay) {
            at += self.chance.below(LONGEST_DELAY);
        } else {
            let last = self.last.entry((from, to)).or_default();
            at = at.max(*last);
            *last = at;
        }
        agenda.plan(at, Event::Deliver { from, to, bytes });
        at
    }

    fn corrupted(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if bytes.is_empty() || self.chance.happens(200) {
            let length = self.chance.position(bytes.len() + 1);
            bytes.truncate(length);
            return bytes;
        }
        let bit = self.chance.position(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    }

    /// What a carrier does that is not on anybody's side.
    fn meddle(&mut self, now: u64, from: Index, to: Index, bytes: &[u8], agenda: &mut Agenda) {
        let memory = self.overheard.len();
        match memory < MEMORY {
            true => self.overheard.push((from, bytes.into())),
            false => self.overheard[self.chance.position(memory)] = (from, bytes.into()),
        }
        if !self.chance.happens(self.weather.hostile) {
            return;
        }
        let indices: Vec<Index> = self.cast.ceremony.indices().collect();
        let recipient = *self.chance.pick(&indices);
        let (author, bytes) = match self.chance.below(3) {
            0 => self.overheard[self.chance.position(self.overheard.len())].clone(),
            1 => {
                let statement = self.chance.pick(&self.cast.foreign);
                (from, Frame::Statement(statement.bytes().to_vec()).encode().into())
            }
            _ => (from, bytes.into()),
        };
        let from = if self.chance.happens(300) { *self.chance.pick(&indices) } else { author };
        if from != recipient && recipient != to {
            self.deliver(now, from, recipient, bytes, agenda);
        } else if from != to {
            self.deliver(now, from, to, bytes, agenda);
        }
    }
}
