//! A hostile operator in the last seat, which takes part by the rules and floods the others as fast
//! as they read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use quorate::message::shape::Shape;
use quorate::message::sync::{Frame, Have};
use quorate::primitives::secret::Secret32;
use quorate::protocol::participant::Input;
use quorate::simulation::machine::Machine;
use quorate::spec::threshold::Index;
use quorate_operator::carrier::channel::{Local, initiate};
use quorate_operator::carrier::{Peer, Session};
use tokio::net::TcpStream;

use crate::Chance;
use crate::cluster::Cluster;

/// How often it says something honest.
const HONEST: Duration = Duration::from_millis(100);
/// What it floods with.
const KINDS: [&str; 7] =
    ["noise", "giant frames", "haves", "bad signatures", "boxes", "keep-alives", "oversized"];

/// What the enemy floods with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flood {
    Everything,
    /// That it lacks everything.
    Haves,
    /// It only keeps the rules.
    Nothing,
}

struct Shared {
    flood: Flood,
    machine: Mutex<Machine>,
    local: Local,
    shape: Shape,
    sent: [AtomicU64; KINDS.len()],
    /// Bytes that the others have sent him.
    received: AtomicU64,
}

/// The enemy; he ends when dropped.
pub(crate) struct Member {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Member {
    pub(crate) fn start(cluster: &Cluster, flood: Flood, chance: Chance) -> Self {
        let ceremony = &cluster.ceremony;
        let operator = cluster.operators.last().unwrap();
        let mut machine = Machine::new(ceremony, operator);
        machine.start().unwrap();
        let me = machine.seat.me;
        let shared = Arc::new(Shared {
            flood,
            machine: Mutex::new(machine),
            local: Local {
                session: Session::Ceremony(ceremony.digest()),
                index: me.get(),
                operator: operator.clone(),
            },
            shape: Shape::of(ceremony),
            sent: Default::default(),
            received: AtomicU64::new(0),
        });
        let stop = Arc::new(AtomicBool::new(false));
        let (enemy, stopped) = (shared.clone(), stop.clone());
        let peers = Peer::of(ceremony, me);
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for peer in peers {
                    let chance = Chance::new(chance.clone().next(), u64::from(peer.index));
                    tokio::spawn(flood_for_ever(enemy.clone(), peer, chance));
                }
                while !stopped.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        });
        Self { shared, stop, thread: Some(thread) }
    }

    /// Bytes that the others have sent him.
    pub(crate) fn received(&self) -> u64 {
        self.shared.received.load(Ordering::Relaxed)
    }

    /// How many of each it has sent.
    pub(crate) fn counts(&self) -> String {
        let counts = KINDS
            .iter()
            .zip(&self.shared.sent)
            .map(|(kind, sent)| format!("{} {kind}", sent.load(Ordering::Relaxed)));
        counts.collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the enemy's has been printed, and is no honest operator's concern.
            let _ = thread.join();
        }
    }
}

async fn flood_for_ever(shared: Arc<Shared>, peer: Peer, mut chance: Chance) {
    loop {
        let address = peer.address.clone().unwrap();
        if let Ok(stream) = TcpStream::connect(address).await
            && let Ok(channel) =
                initiate(stream, &shared.local, &peer, Secret32::new(&mut chance.bytes())).await
        {
            let most = Frame::max_bytes(&shared.shape);
            let (mut reader, mut writer) = channel.into_frames(most, Duration::from_secs(60));
            let last = Mutex::new(None);
            let listen = async {
                while let Ok(bytes) = reader.next().await {
                    shared
                        .received
                        .fetch_add(u64::try_from(bytes.len()).unwrap(), Ordering::Relaxed);
                    shared.take(&peer, &bytes, &last);
                }
            };
            let talk = async {
                let mut honest = Instant::now();
                loop {
                    if honest <= Instant::now() {
                        honest = Instant::now() + HONEST;
                        for frame in shared.answer(&peer, &last) {
                            writer.send(&frame.encode()).await?;
                        }
                    }
                    if shared.flood == Flood::Nothing {
                        tokio::time::sleep(HONEST).await;
                        continue;
                    }
                    let (kind, frame) = shared.garbage(&mut chance, most);
                    writer.send(&frame).await?;
                    shared.sent[kind].fetch_add(1, Ordering::Relaxed);
                }
            };
            let _: Result<(), quorate_operator::carrier::LinkError> = tokio::select! {
                () = listen => Ok(()),
                ended = talk => ended,
            };
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Shared {
    /// What an honest operator would do with a frame.
    fn take(&self, peer: &Peer, bytes: &[u8], last: &Mutex<Option<Have>>) {
        let Ok(frame) = Frame::decode(bytes, &self.shape) else { return };
        let mut machine = self.machine.lock().unwrap();
        match frame {
            Frame::Have(have) => {
                *last.lock().unwrap() = Some(have.clone());
                let peer = Index::new(peer.index).unwrap();
                // It keeps no log, so what is to be written is dropped.
                let _ =
                    machine.participant.as_mut().unwrap().handle(Input::PeerHolds { peer, have });
            }
            frame => drop(machine.receive(frame).unwrap()),
        }
    }

    /// What an honest operator would say now.
    fn answer(&self, peer: &Peer, last: &Mutex<Option<Have>>) -> Vec<Frame> {
        let machine = self.machine.lock().unwrap();
        let participant = machine.participant();
        let mut frames = vec![Frame::Have(participant.have(false))];
        if let Some(have) = last.lock().unwrap().as_ref() {
            frames.extend(participant.lacking(Index::new(peer.index).unwrap(), have));
        }
        frames
    }

    fn garbage(&self, chance: &mut Chance, most: usize) -> (usize, Vec<u8>) {
        let noise = |chance: &mut Chance, length: usize| -> Vec<u8> {
            let bytes = chance.bytes();
            bytes.iter().copied().cycle().take(length).collect()
        };
        let kind = match chance.below(4000) {
            _ if self.flood == Flood::Haves => 2,
            0 => 6,
            other => other % 6,
        };
        let frame = match kind {
            0 => {
                let length = 1 + chance.below(2000);
                noise(chance, length)
            }
            1 => [vec![2], noise(chance, most - 1)].concat(),
            2 => {
                let n = self.shape.n;
                let (slots, boxes) = (vec![None; 5 * n], vec![false; n]);
                let (confirmed, minima) = (boxes.clone(), Vec::new());
                Frame::Have(Have { help: true, slots, boxes, confirmed, minima }).encode()
            }
            3 => {
                let machine = self.machine.lock().unwrap();
                let statements: Vec<_> = machine.participant().inbox().statements().collect();
                let mut bytes = statements[chance.below(statements.len())].bytes().to_vec();
                // In the signature, which ends the 172 bytes of the envelope.
                bytes[171 - chance.below(60)] ^= 1;
                Frame::Statement(bytes).encode()
            }
            4 => {
                let seat = |i: usize| Index::new(u16::try_from(1 + i).unwrap()).unwrap();
                let (dealer, recipient) =
                    (seat(chance.below(self.shape.n)), seat(chance.below(self.shape.n)));
                Frame::ShareBox { dealer, recipient, sealed: noise(chance, self.shape.box_bytes()) }
                    .encode()
            }
            5 => Vec::new(),
            _ => vec![0; most + 1],
        };
        (kind, frame)
    }
}
