//! The other operators: honest, in the hands of the test, and silent about every round that the
//! test has not opened yet.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use quorate::identity::Operator;
use quorate::message::envelope::{Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::{Frame, Have};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::participant::{Ask, Input, OwnSeat, Participant, Step};
use quorate::protocol::record::RecordKind;
use quorate::simulation::machine::{bytes, entropy};
use quorate::spec::{Ceremony, Index};
use quorate_operator::carrier::{Event, Peer, Session, Tcp, TcpConfig, Timing};

/// How often one tells what it holds.
const TELL: Duration = Duration::from_millis(100);

/// The operator under test.
fn first() -> Index {
    Index::new(1).unwrap()
}

/// An operator with its shares as it would read them back.
struct Seat {
    participant: Participant,
    shares: Vec<SecretBytes>,
    /// What the operator under test has said last that it holds.
    theirs: Option<Have>,
}

impl Seat {
    fn new(ceremony: &Arc<Ceremony>, operator: &Arc<Operator>) -> Self {
        let seat = OwnSeat::find(ceremony.clone(), operator.clone()).unwrap();
        let entropy = || entropy(operator.name().as_str());
        let (participant, step) = Participant::start(seat, Vec::new(), entropy).unwrap();
        let mut this = Self { participant, shares: Vec::new(), theirs: None };
        this.carry_out(step);
        this
    }

    fn take(&mut self, input: Input) {
        // What comes too early is said again.
        if let Ok(step) = self.participant.handle(input) {
            self.carry_out(step);
        }
    }

    fn carry_out(&mut self, step: Step) {
        let mut steps = VecDeque::from([step]);
        while let Some(step) = steps.pop_front() {
            let shares = step.persist.into_iter().filter(|one| one.kind == RecordKind::Shares);
            self.shares.extend(shares.map(|record| record.body));
            for ask in step.asks {
                let input = match ask {
                    Ask::Reread(_) => Input::Reread(core::mem::take(&mut self.shares)),
                    Ask::Stage => Input::Staged,
                    Ask::WriteOut => continue,
                };
                steps.push_back(self.participant.handle(input).unwrap());
            }
        }
    }
}

struct Shared {
    ceremony: Arc<Ceremony>,
    seats: Vec<Mutex<Seat>>,
    /// The last round of which they say anything to the operator under test.
    open: AtomicU8,
    stop: AtomicBool,
}

/// All operators but the first, connected to it.
pub(crate) struct Others {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Others {
    /// They call the first one, and have said nothing.
    pub(crate) fn start(ceremony: &Arc<Ceremony>, operators: &[Arc<Operator>]) -> Self {
        let seats = operators.iter().map(|one| Mutex::new(Seat::new(ceremony, one))).collect();
        let shared = Arc::new(Shared {
            ceremony: ceremony.clone(),
            seats,
            open: AtomicU8::new(0),
            stop: AtomicBool::new(false),
        });
        let (theirs, operators) = (shared.clone(), operators.to_vec());
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let all = operators.into_iter().enumerate().map(|(i, operator)| {
                    let shared = theirs.clone();
                    tokio::spawn(async move { shared.drive(i, operator).await })
                });
                for one in all.collect::<Vec<_>>() {
                    one.await.unwrap();
                }
            });
        });
        Self { shared, thread: Some(thread) }
    }

    /// From now on they say what they have to say of the first `rounds` rounds.
    pub(crate) fn open(&self, rounds: u8) {
        self.shared.open.store(rounds, Ordering::Relaxed);
    }

    /// Waits for the first operator's statement of `round`.
    pub(crate) fn heard(&self, round: Round, patience: Duration) -> Option<Statement> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            let all: Vec<Option<Statement>> = (0..self.shared.seats.len())
                .map(|i| self.seat(i).participant.inbox().get(round, first()).cloned())
                .collect();
            if all.iter().all(Option::is_some) {
                return all.into_iter().next().flatten();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    fn seat(&self, i: usize) -> MutexGuard<'_, Seat> {
        self.shared.seats[i].lock().unwrap()
    }

    /// The statements of a complete round.
    pub(crate) fn round(&self, round: Round) -> Vec<Statement> {
        self.seat(0).participant.inbox().complete(round).unwrap()
    }

    /// The box that each has for the first operator, with its dealer.
    pub(crate) fn boxes(&self) -> Vec<(Index, Vec<u8>)> {
        let of = |i| {
            let seat = self.seat(i);
            let frame = seat.participant.box_for(first());
            let Some(Frame::ShareBox { dealer, sealed, .. }) = frame else { panic!("no box") };
            (dealer, sealed)
        };
        (0..self.shared.seats.len()).map(of).collect()
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    async fn drive(&self, i: usize, operator: Arc<Operator>) {
        let me = self.ceremony.roster().find(&operator.key().public()).unwrap();
        let shape = Shape::of(&self.ceremony);
        let peers = Peer::of(&self.ceremony, me);
        let listen = Some("127.0.0.1:0".into());
        let count = Mutex::new(0);
        let random = move || {
            let mut count = count.lock().unwrap();
            *count += 1;
            Secret32::new(&mut bytes(&format!("channel {me:?} {count}")))
        };
        let mut tcp = Tcp::start(TcpConfig {
            session: Session::Ceremony(self.ceremony.digest()),
            me: me.get(),
            operator,
            peers,
            listen,
            proxy: None,
            max_frame: Frame::max_bytes(&shape),
            random: Arc::new(random),
            timing: Timing { retry_most: TELL, ..Timing::default() },
        })
        .await
        .unwrap();
        let mut tell = tokio::time::interval(TELL);
        while !self.stop.load(Ordering::Relaxed) {
            tokio::select! {
                event = tcp.next() => {
                    if let Event::Frame { peer, bytes } = event {
                        let from = Index::new(peer).unwrap();
                        let frame = Frame::decode(&bytes, &shape).unwrap();
                        for answer in self.take(i, from, frame) {
                            tcp.send(peer, answer.encode());
                        }
                    }
                }
                _ = tell.tick() => {
                    let have = self.seat(i).participant.have(false);
                    // Who tells that it has everything is left alone, and the operator under test
                    // would end.
                    if !have.is_complete(&shape) {
                        tcp.send(1, Frame::Have(have).encode());
                    }
                    self.exchange(i);
                    // It says so seldom; what has been opened since answers it too.
                    let theirs = self.seat(i).theirs.clone();
                    let again = theirs.map(|have| self.take(i, first(), Frame::Have(have)));
                    for answer in again.into_iter().flatten() {
                        tcp.send(1, answer.encode());
                    }
                }
            }
        }
    }

    fn seat(&self, i: usize) -> MutexGuard<'_, Seat> {
        self.seats[i].lock().unwrap()
    }

    /// Among themselves they say everything at once.
    fn exchange(&self, i: usize) {
        for other in (0..self.seats.len()).filter(|other| *other != i) {
            let (have, me) = {
                let seat = self.seat(i);
                (seat.participant.have(false), seat.participant.seat().me)
            };
            let frames = self.seat(other).participant.missing(me, &have);
            for frame in frames {
                self.take(i, me, frame);
            }
        }
    }

    /// What seat `i` does with a frame; what it answers, of the rounds that are open.
    fn take(&self, i: usize, from: Index, frame: Frame) -> Vec<Frame> {
        let mut seat = self.seat(i);
        match frame {
            Frame::Statement(bytes) => seat.take(Input::Statement(bytes)),
            Frame::ShareBox { dealer, sealed, .. } => seat.take(Input::ShareBox { dealer, sealed }),
            Frame::Have(have) => {
                let missing = seat.participant.missing(from, &have);
                seat.theirs = Some(have.clone());
                seat.take(Input::PeerHolds { peer: from, have });
                let open = self.open.load(Ordering::Relaxed);
                let is_open = |frame: &Frame| match frame {
                    Frame::Statement(bytes) => Statement::open(bytes, &self.ceremony)
                        .is_ok_and(|statement| statement.envelope.round.number() < open),
                    _ => open > Round::Deal.number(),
                };
                return missing.into_iter().filter(is_open).collect();
            }
            Frame::Want { .. } | Frame::Done(_) | Frame::Probe(_) => {}
        }
        Vec::new()
    }
}
