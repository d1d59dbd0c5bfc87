//! A whole ceremony by the loop that operators run, with their real logs and outputs on disk, over
//! channels in memory.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quorate::exchange::{Ending, Notice, Pacing};
use quorate::simulation::machine::{TWO_VALIDATORS, ceremony, operators, spec_toml};
use quorate::{Expectations, Index, OwnSeat, Participant, audit};
use quorate_operator::carrier::{Channels, Event};
use quorate_operator::store::StateDir;
use quorate_operator::{Machine, Observer, drive};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const LIMIT: Duration = Duration::from_secs(120);

/// Channels to everybody, of whom all are there from the beginning.
struct InMemory {
    me: Index,
    events: UnboundedReceiver<Event>,
    others: Arc<Vec<UnboundedSender<Event>>>,
}

impl InMemory {
    fn all(n: u16) -> Vec<Self> {
        let (others, events): (Vec<_>, Vec<_>) = (0..n).map(|_| unbounded_channel()).unzip();
        let others = Arc::new(others);
        let channels = events.into_iter().zip(1..).map(|(events, me)| {
            let me = Index::new(me).unwrap();
            Self { me, events, others: others.clone() }
        });
        let channels: Vec<Self> = channels.collect();
        for channels in &channels {
            for peer in (1..=n).filter(|peer| *peer != channels.me.get()) {
                let address = "memory".to_owned();
                others[channels.me.position()].send(Event::Up { peer, address }).unwrap();
            }
        }
        channels
    }
}

impl Channels for InMemory {
    async fn next(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    fn send(&self, to: Index, bytes: Vec<u8>) -> bool {
        // Whoever has left hears nothing.
        self.others[to.position()].send(Event::Frame { peer: self.me.get(), bytes }).is_ok()
    }

    fn queued(&self, _: Index) -> usize {
        0
    }

    fn hang_up(&self, _: Index) {}

    async fn shutdown(self) {}
}

/// What was told, in order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Notice>>>);

impl Observer for Told {
    fn carried(&mut self, _: &Event) {}

    fn told(&mut self, _: &Participant, notice: Notice) {
        self.0.lock().unwrap().push(notice);
    }

    fn stands(&mut self, _: &Participant) {}
}

async fn run(home: &Path, seat: OwnSeat, file: &[u8], channels: InMemory) -> (Ending, Told) {
    let state = StateDir::open_or_create(home).unwrap();
    let lock = state.lock().unwrap();
    let pacing = Pacing::new(Duration::from_secs(60));
    let (exchange, machine) = Machine::open(&lock, &seat, file, Vec::new(), pacing).unwrap();
    let told = Told::default();
    let stop = std::future::pending();
    let ending = drive(exchange, machine, channels, &mut told.clone(), stop).await.unwrap();
    (ending, told)
}

#[test]
fn three_operators_finish_and_write_the_same_transcript() {
    let home = tempfile::tempdir().unwrap();
    let all = operators(3);
    let file = spec_toml(&all, 2, TWO_VALIDATORS);
    let ceremony = ceremony(&all, 2, TWO_VALIDATORS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ended = runtime.block_on(async {
        let runs = InMemory::all(3).into_iter().zip(all).map(|(channels, operator)| {
            let seat = OwnSeat::find(ceremony.clone(), operator).unwrap();
            let folder = home.path().join(seat.me.to_string());
            let file = file.clone();
            async move { run(&folder, seat, file.as_bytes(), channels).await }
        });
        let mut runs = runs.collect::<Vec<_>>().into_iter();
        let (a, b, c) = (runs.next().unwrap(), runs.next().unwrap(), runs.next().unwrap());
        tokio::time::timeout(LIMIT, async { tokio::join!(a, b, c) }).await.unwrap()
    });
    let mut transcripts = Vec::new();
    for (seat, (ending, told)) in [ended.0, ended.1, ended.2].into_iter().enumerate() {
        assert_eq!(ending, Ending::Complete);
        let told = told.0.lock().unwrap();
        let written = |notice: &&Notice| matches!(notice, Notice::Written { .. });
        assert_eq!(told.iter().filter(written).count(), 1, "{told:?}");
        let state = StateDir::open(&home.path().join((seat + 1).to_string())).unwrap();
        let out = state.find(&ceremony.digest()).unwrap().unwrap().out();
        transcripts.push(std::fs::read(out.join("public/transcript.quorate")).unwrap());
    }
    let expected = Expectations { ceremony: Some(&ceremony), ..Expectations::default() };
    assert!(audit(&transcripts[0], &expected).is_clean());
    assert!(transcripts.iter().all(|transcript| *transcript == transcripts[0]));
}
