//! A ceremony of three operators with their directories on disk, copied at each moment; and the
//! others' side of a run, in this process.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use quorate::exchange::{Action, Event, Exchange, Moment, Notice, Pacing};
use quorate::identity::Operator;
use quorate::message::envelope::Round;
use quorate::primitives::secret::SecretBytes;
use quorate::simulation::machine::{TWO_VALIDATORS, operators, spec_toml};
use quorate::spec::canonical::fingerprint;
use quorate::spec::{Ceremony, CeremonyFile};
use quorate::{Index, OwnSeat, Participant};
use quorate_operator::carrier::{Event as Carried, Tcp, TcpConfig};
use quorate_operator::store::{IDENTITY_FILE, SealCost, StateDir, seal_with_passphrase};
use quorate_operator::{Machine, Observer, drive, random};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::support::ports::free_port;
use crate::support::program::{Ended, quorate};
use crate::support::running::no_starts;

const PASSPHRASE: &str = "a passphrase of this test";

/// How far the first operator has got: its last own statement, or the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reached {
    Said(Round),
    Finished,
}

pub(crate) const MOMENTS: [Reached; 6] = [
    Reached::Said(Round::Hello),
    Reached::Said(Round::Deal),
    Reached::Said(Round::Prepare),
    Reached::Said(Round::Commit),
    Reached::Said(Round::Final),
    Reached::Finished,
];

impl Reached {
    pub(crate) fn last_round(self) -> Round {
        match self {
            Self::Said(round) => round,
            Self::Finished => Round::Final,
        }
    }
}

pub(crate) struct Scene {
    root: TempDir,
    pub(crate) ceremony: Arc<Ceremony>,
    pub(crate) all: Vec<Arc<Operator>>,
    file: String,
    ports: Vec<u16>,
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

/// A folder that only its owner can enter.
pub(crate) fn private(path: &Path) {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

impl Scene {
    /// The ceremony, with everybody's directory copied at each moment, below `Reached`.
    pub(crate) fn played() -> Self {
        let all = operators(3);
        let ports: Vec<u16> = all.iter().map(|_| free_port()).collect();
        let mut file = spec_toml(&all, 2, TWO_VALIDATORS);
        for (i, port) in ports.iter().enumerate() {
            file = file.replace(&format!("127.0.0.1:{}", 3600 + i), &format!("127.0.0.1:{port}"));
        }
        let ceremony = CeremonyFile::parse_toml(&file).unwrap();
        let ceremony = Arc::new(Ceremony::try_from(ceremony).unwrap());
        let scene = Self { root: TempDir::new().unwrap(), ceremony, all, file, ports };
        fs::write(scene.path("ceremony.toml"), &scene.file).unwrap();
        fs::write(scene.path("passphrase"), PASSPHRASE).unwrap();
        let passphrase = scene.path("passphrase");
        fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
        scene.play();
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// An operator's directory as it was at a moment.
    pub(crate) fn at(&self, moment: Reached, operator: usize) -> PathBuf {
        self.path(&format!("{moment:?}")).join(operator.to_string())
    }

    /// The folder of the ceremony in an operator's directory.
    pub(crate) fn folder(&self, dir: &Path) -> PathBuf {
        let digest = self.ceremony.digest().to_string();
        dir.join("ceremonies").join(&digest[..16])
    }

    pub(crate) fn seat(&self, operator: usize) -> OwnSeat {
        OwnSeat::find(self.ceremony.clone(), self.all[operator].clone()).unwrap()
    }

    pub(crate) fn words(&self) -> String {
        fingerprint(&self.ceremony.digest()).join(" ")
    }

    /// The program, as the first operator with its files in `dir`.
    pub(crate) fn quorate(&self, dir: &Path, args: &[&str]) -> Ended {
        let dir = dir.to_str().unwrap();
        let mut all = vec!["--dir", dir, "--passphrase-file", "passphrase"];
        all.extend(args);
        quorate(self.root.path(), &all)
    }

    fn open(&self, dir: &Path, operator: usize) -> (Exchange, Machine) {
        let state = StateDir::open_or_create(dir).unwrap();
        let _no_starts = no_starts();
        let lock = state.lock().expect("nobody else works here");
        // The others stay until the first operator has run.
        let linger = Duration::from_secs(60);
        let pacing = Pacing { parting: linger, ..Pacing::new(linger) };
        let seat = self.seat(operator);
        Machine::open(&lock, &seat, self.file.as_bytes(), Vec::new(), pacing).unwrap()
    }

    fn play(&self) {
        let dirs: Vec<PathBuf> = (0..3).map(|at| self.path("live").join(at.to_string())).collect();
        private(&self.path("live"));
        let mut open = Vec::new();
        for (at, dir) in dirs.iter().enumerate() {
            let state = StateDir::open_or_create(dir).unwrap();
            let secret = self.all[at].to_secret_bytes();
            let passphrase = SecretBytes::new(PASSPHRASE.as_bytes().to_vec());
            let cost = SealCost::new(SealCost::LEAST).unwrap();
            let random = &mut random::os();
            let sealed = seal_with_passphrase(&secret, &passphrase, IDENTITY_FILE, cost, random);
            let no_starts = no_starts();
            state.write_identity(&sealed).unwrap();
            state.ensure_mark(self.all[at].mark().unwrap()).unwrap();
            drop(no_starts);
            open.push(self.open(dir, at));
        }
        let mut now = 0;
        for moment in MOMENTS {
            reach(&mut open, moment, &mut now);
            for (at, dir) in dirs.iter().enumerate() {
                copy(dir, &self.at(moment, at));
                let out = self.folder(dir).join("out").exists();
                assert!(out == (moment == Reached::Finished) || at > 0, "{moment:?} {at} {out}");
            }
        }
    }

    /// The other operators, from their directories at this moment, until [`Others::stop`].
    pub(crate) fn others(&self, moment: Reached) -> Others {
        let others = [1, 2].map(|at| {
            let dir = self.path(&format!("run-{at}"));
            let _ = fs::remove_dir_all(&dir);
            copy(&self.at(moment, at), &dir);
            let (exchange, machine) = self.open(&dir, at);
            let (seat, listen) = (self.seat(at), format!("127.0.0.1:{}", self.ports[at]));
            let (stop, stopped) = oneshot::channel::<()>();
            let run = std::thread::spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let tcp = Tcp::start(TcpConfig::of(&seat, Some(listen.as_str().into())))
                        .await
                        .unwrap();
                    let stop = async { drop(stopped.await) };
                    drive(exchange, machine, tcp, &mut Unseen, stop).await.unwrap();
                });
                runtime.shutdown_background();
            });
            (stop, run)
        });
        Others(others)
    }
}

/// Delivers everything that the moment allows: the first operator does not hear the others'
/// statements of the round at whose end it stands, or of later ones.
fn reach(all: &mut [(Exchange, Machine)], moment: Reached, now: &mut u64) {
    let index = |at: usize| Index::from_position(at).unwrap();
    let held_back = |to: Index, bytes: &[u8]| match moment {
        // A frame of type 2 is a statement; round and sender stand in its envelope.
        Reached::Said(round) => {
            to.get() == 1 && bytes[0] == 2 && bytes[1 + 7] >= round.number() && bytes[1 + 9] != 1
        }
        Reached::Finished => false,
    };
    // Several ticks: what was held back before is asked for again, and so is help.
    for _ in 0..8 {
        *now += 2;
        let mut network: VecDeque<(Index, Event)> = VecDeque::new();
        for to in 0..all.len() {
            let peers = (0..all.len()).filter(|peer| *peer != to);
            network.extend(peers.map(|peer| (index(to), Event::Up(index(peer)))));
            network.push_back((index(to), Event::Tick));
        }
        while let Some((me, event)) = network.pop_front() {
            let (exchange, machine) = &mut all[me.position()];
            let moment = Moment { now: Duration::from_secs(*now), queued: Vec::new() };
            for action in exchange.handle(event, &moment, machine).unwrap() {
                if let Action::Send { to, frame } = action {
                    let bytes = frame.encode();
                    if !held_back(to, &bytes) {
                        network.push_back((to, Event::Frame { from: me, bytes }));
                    }
                }
            }
        }
    }
    for (exchange, _) in all {
        let held = exchange.participant().inbox().get(moment.last_round(), index(0));
        assert!(held.is_some(), "{moment:?}");
    }
}

struct Unseen;

impl Observer for Unseen {
    fn carried(&mut self, _: &Carried) {}

    fn told(&mut self, _: &Participant, _: Notice) {}

    fn stands(&mut self, _: &Participant) {}
}

/// The other operators, running.
pub(crate) struct Others([(oneshot::Sender<()>, JoinHandle<()>); 2]);

impl Others {
    pub(crate) fn stop(self) {
        for (stop, run) in self.0 {
            let _ = stop.send(());
            run.join().unwrap();
        }
    }
}
