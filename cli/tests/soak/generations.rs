//! `kill -9` of each party of a reshare, of a repair and of an import, in each round: as soon as
//! its statement of that round is on the disk. A killed operator is restarted with the same
//! command.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use quorate::ethereum::keystore::{DerivedKey, Kdf, KeyPath, Keystore, Password};
use quorate::identity::Operator;
use quorate::message::envelope::Round;
use quorate::primitives::hash::{Digest, Tag, secret_scalar};
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::record::RecordKind;
use quorate::spec::canonical::fingerprint;
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::random;
use quorate_operator::store::{IDENTITY_FILE, Log, Record, StateDir, open_with_passphrase};
use serde_json::Value;

use crate::support::demo::{Demo, SMALL};
use crate::support::files::private;
use crate::support::ports::free_port;
use crate::support::program::PATIENCE;
use crate::support::running::{Killed, Running, no_starts};
use crate::{Chance, seed, setting, with_others};

const PARENT: &str = "parent.quorate";
const FILE: &str = "next.toml";
const MAY_STOP: &str = "Waiting for you to stop the old keys";
/// Between two looks at a log.
const PAUSE: Duration = Duration::from_millis(2);
/// All rounds, and those of a party that does not deal.
const ALL: &[Round] = &Round::ALL;
const NO_DEAL: &[Round] = &[Round::Hello, Round::Prepare, Round::Commit, Round::Final];

/// A kind of ceremony: who takes part, and what each does in it.
struct Kind {
    name: &'static str,
    draft: fn(&Demo),
    operators: &'static [&'static str],
    /// Those that are killed: one for each part that there is, and in which rounds it speaks.
    parts: &'static [(&'static str, &'static str, &'static [Round])],
    /// Those that stop old keys.
    dealers: &'static [&'static str],
    /// Those that have shares of it afterwards.
    receivers: &'static [&'static str],
    /// What an operator gives besides: always, and with its stop.
    flags: fn(&str) -> &'static [&'static str],
    sentence: &'static str,
    /// The validator's key, before.
    key: fn(&Demo) -> String,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "reshare",
        draft: draft_reshare,
        operators: &["alice", "bob", "carol", "dave"],
        parts: &[
            ("alice", "deals and receives", ALL),
            ("carol", "deals", ALL),
            ("dave", "receives", NO_DEAL),
        ],
        dealers: &["alice", "bob", "carol"],
        receivers: &["alice", "bob", "dave"],
        flags: |_| &["--from", PARENT],
        sentence: "these shares are removed from every validator client",
        key: key_of_parent,
    },
    Kind {
        name: "repair",
        draft: draft_repair,
        operators: &["alice", "bob", "carol"],
        parts: &[("alice", "helps", ALL), ("carol", "regains", NO_DEAL)],
        dealers: &[],
        receivers: &["carol"],
        flags: |_| &["--from", PARENT],
        sentence: "",
        key: key_of_parent,
    },
    Kind {
        name: "import",
        draft: draft_import,
        operators: &["alice", "bob", "carol"],
        parts: &[("alice", "deals and receives", ALL), ("carol", "receives", NO_DEAL)],
        dealers: &["alice"],
        receivers: &["alice", "bob", "carol"],
        flags: |operator| if operator == "alice" { &["--keystores", "solo"] } else { &[] },
        sentence: "these keys are removed from every validator client",
        key: |demo| {
            let bytes = fs::read(demo.path("solo/keystore-0.json")).unwrap();
            hex::encode(Keystore::from_json(&bytes).unwrap().pubkey().to_compressed())
        },
    },
];

fn key_of_parent(demo: &Demo) -> String {
    let audited = demo.run(&["--json", "audit", PARENT]).done().json();
    key_in(&audited)
}

/// The only validator's key in an audit.
fn key_in(audited: &Value) -> String {
    let validators = audited["report"]["facts"]["validators"].as_array().unwrap();
    assert_eq!(validators.len(), 1);
    let key = validators[0]["public_key"].as_str().unwrap();
    key.strip_prefix("0x").unwrap_or(key).to_owned()
}

/// The cards of these operators, each with a free port.
fn cards(demo: &Demo, operators: &[&str]) -> Vec<String> {
    let card = |operator: &&str| {
        let shown = demo.by(operator, &["identity", "show"]).done().json();
        let card = shown["card"].as_str().unwrap().to_owned();
        ["--operator".to_owned(), format!("{card}@127.0.0.1:{}", free_port())]
    };
    operators.iter().flat_map(card).collect()
}

fn draft(demo: &Demo, command: &[&str], operators: &[&str]) {
    let mut args: Vec<String> = command.iter().map(|text| (*text).to_owned()).collect();
    args.extend(cards(demo, operators));
    args.extend(["-o".to_owned(), FILE.to_owned()]);
    demo.run(&args).done();
}

fn draft_reshare(demo: &Demo) {
    let new = ["identity", "new", "--name", "dave", "--kdf-cost", "10"];
    demo.by("dave", &new).done();
    let command = ["reshare", "new", "--name", "next", "--from", PARENT, "--leaves", "carol"];
    draft(demo, &command, &["alice", "bob", "carol", "dave"]);
}

/// Carol has lost everything but her keys.
fn draft_repair(demo: &Demo) {
    let carol = demo.path("demo/carol");
    let kept = fs::read(carol.join(IDENTITY_FILE)).unwrap();
    fs::remove_dir_all(&carol).unwrap();
    let no_starts = no_starts();
    StateDir::open_or_create(&carol).unwrap().write_identity(&kept).unwrap();
    drop(no_starts);
    let destroyed = ["--yes-destroyed", "the old machine is destroyed"];
    let command = ["repair", "new", "--from", PARENT, "--lost", "carol"];
    draft(demo, &[&command[..], &destroyed].concat(), &["alice", "bob", "carol"]);
}

/// Alice has a whole key in a keystore, with its password beside it.
fn draft_import(demo: &Demo) {
    let solo = demo.path("solo");
    fs::create_dir(&solo).unwrap();
    let text = "correct horse battery";
    let password = Password::new(&SecretBytes::new(text.as_bytes().to_vec())).unwrap();
    let key = DerivedKey::derive(Kdf::pbkdf2(), &password, [7; 32]);
    let secret = secret_scalar(Tag::Coefficient, &[b"kill -9"]);
    let path = KeyPath::validator(0);
    let keystore = Keystore::encrypt(&key, &secret, path, String::new(), random::os()).unwrap();
    private(solo.join("keystore-0.json"), core::str::from_utf8(&keystore.to_json()).unwrap());
    private(solo.join("keystore-0.txt"), text);
    let command = ["import", "new", "--keystores", "solo", "--name", "next", "--network", "hoodi"];
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let claims = ["--withdrawal", address, "--compounding", "false", "--threshold", "2"];
    draft(demo, &[&command[..], &claims].concat(), &["alice", "bob", "carol"]);
}

/// Who is killed in which round: all of one ceremony.
type Plan = Vec<(Round, &'static str)>;

/// How often each part was killed with this statement as its last one.
type Tally = BTreeMap<(&'static str, &'static str, Round), usize>;

/// A ceremony that is drafted and played.
struct Play<'a> {
    kind: &'a Kind,
    demo: Demo,
    digest: Digest,
    words: String,
    key: String,
    /// What opens each operator's log, and its seat.
    seats: BTreeMap<&'static str, (Operator, u16)>,
    running: BTreeMap<&'static str, Running>,
    /// Whether the dealers have been asked to stop.
    stopped: bool,
}

impl<'a> Play<'a> {
    fn new(kind: &'a Kind) -> Self {
        let demo = Demo::new(SMALL);
        fs::copy(demo.out("alice").join("public/transcript.quorate"), demo.path(PARENT)).unwrap();
        (kind.draft)(&demo);
        let text = fs::read_to_string(demo.path(FILE)).unwrap();
        let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
        let words = fingerprint(&ceremony.digest()).join(" ");
        let passphrase = fs::read_to_string(demo.path("demo/passphrase")).unwrap();
        let passphrase = SecretBytes::new(passphrase.trim_end().as_bytes().to_vec());
        let seats = kind.operators.iter().map(|name| {
            let sealed = fs::read(demo.path("demo").join(name).join(IDENTITY_FILE)).unwrap();
            let opened = open_with_passphrase(&sealed, &passphrase, IDENTITY_FILE).unwrap();
            let operator = Operator::from_secret_bytes(&opened).unwrap();
            let index = ceremony.roster().find(&operator.key().public()).unwrap().get();
            (*name, (operator, index))
        });
        let (seats, key) = (seats.collect(), (kind.key)(&demo));
        let (digest, running) = (ceremony.digest(), BTreeMap::new());
        Self { kind, demo, digest, words, key, seats, running, stopped: false }
    }

    fn start(&mut self, operator: &'static str) {
        let begin = ["run", FILE, "--kdf", "pbkdf2", "--linger", "20"];
        let mut args = [&begin[..], &["--yes-fingerprint", &self.words]].concat();
        args.extend((self.kind.flags)(operator));
        if self.stopped && self.kind.dealers.contains(&operator) {
            let word = ["--stopped", "--others-never-ran", "--yes-stopped", self.kind.sentence];
            args.extend(word);
        }
        let running = self.demo.start(operator, &args);
        self.running.insert(operator, running);
    }

    /// The round of the last statement of its own that this operator's log has.
    fn last(&self, operator: &str) -> Option<Round> {
        let state = StateDir::open(&self.demo.path("demo").join(operator)).unwrap();
        let view = state.find(&self.digest).unwrap().filter(|view| view.has_log().unwrap())?;
        let (identity, index) = &self.seats[operator];
        // While it is written, it may be between two states for longer than is looked again.
        let records = Log::read(&view, identity.storage_key(), self.digest.as_bytes()).ok()?;
        let own = |record: &&Record| {
            let body = record.body.expose();
            record.kind == RecordKind::Statement as u8
                && body[6] == 1
                && u16::from_be_bytes([body[8], body[9]]) == *index
        };
        let rounds = records.iter().filter(own).map(|record| record.body.expose()[7]);
        rounds.max().and_then(Round::from_number)
    }

    /// Kills an operator as soon as its statement of this round is in its log, and starts it
    /// again. The round of its last statement then.
    fn kill(&mut self, operator: &'static str, round: Round, pause: Duration) -> Round {
        let end = Instant::now() + PATIENCE;
        while self.last(operator).is_none_or(|last| last < round) {
            let ended = self.running.get_mut(operator).and_then(Running::poll);
            assert!(ended.is_none(), "{operator}: {ended:?}");
            assert!(Instant::now() < end, "{operator} does not come to {round:?}");
            sleep(PAUSE);
        }
        sleep(pause);
        match self.running.remove(operator).unwrap().kill() {
            Killed::Running(_) => {}
            // Faster than the pause, at the end.
            Killed::Ended(ended) => drop(ended.done()),
        }
        let last = self.last(operator).expect("nothing that was written is lost");
        assert!(last >= round, "{operator}: {last:?} after {round:?}");
        self.start(operator);
        last
    }

    /// Waits until all dealers are asked to stop, kills them, and lets them stop.
    fn stop(&mut self) {
        if self.kind.dealers.is_empty() {
            return;
        }
        for operator in self.kind.dealers {
            self.running.get_mut(operator).unwrap().until(MAY_STOP);
        }
        for operator in self.kind.dealers {
            drop(self.running.remove(operator).unwrap().kill());
        }
        self.stopped = true;
        self.kind.dealers.iter().for_each(|operator| self.start(operator));
    }

    /// Plays the whole ceremony with these kills.
    fn play(&mut self, plan: &Plan, mut pause: impl FnMut() -> Duration) -> Tally {
        let mut tally = Tally::new();
        self.kind.operators.iter().for_each(|operator| self.start(operator));
        for round in Round::ALL {
            if round == Round::Commit {
                self.stop();
            }
            for (_, operator) in plan.iter().filter(|(when, _)| *when == round) {
                let last = self.kill(operator, round, pause());
                *tally.entry((self.kind.name, operator, last)).or_default() += 1;
            }
        }
        for (operator, running) in std::mem::take(&mut self.running) {
            let ended = running.ended().done().json();
            assert_eq!(ended["status"], "done", "{operator}");
        }
        self.check();
        tally
    }

    /// Nobody is blamed, and all hold the same: shares of the same key as before.
    fn check(&self) {
        let folder = |operator: &str| {
            let state = StateDir::open(&self.demo.path("demo").join(operator)).unwrap();
            state.find(&self.digest).unwrap().unwrap().path().to_owned()
        };
        let mut certificates = Vec::new();
        for operator in self.kind.operators {
            let folder = folder(operator);
            assert!(!folder.join("evidence").exists(), "{operator}");
            let transcript = folder.join("out/public/transcript.quorate");
            let secret = folder.join("out/secret");
            let mut args = vec!["audit", transcript.to_str().unwrap(), "--expect", FILE];
            let receives = self.kind.receivers.contains(operator);
            assert_eq!(secret.exists(), receives, "{operator}");
            if receives {
                args.extend(["--share", secret.to_str().unwrap()]);
            }
            let audited = self.demo.by(operator, &args).done().json();
            assert_eq!(audited["verdict"], "verified", "{operator}");
            assert_eq!(key_in(&audited), self.key, "{operator}");
            certificates.push(audited["report"]["certificate"].clone());
        }
        certificates.dedup();
        assert_eq!(certificates.len(), 1);
    }
}

/// Every part is killed in every round in which it speaks, in one ceremony of each kind.
#[test]
fn no_kill_stops_a_reshare_a_repair_or_an_import() {
    let _with = with_others();
    let begun = Instant::now();
    let mut tally = Tally::new();
    for kind in &KINDS {
        let all = kind
            .parts
            .iter()
            .flat_map(|(operator, _, rounds)| rounds.iter().map(move |round| (*round, *operator)));
        let plan: Plan = all.collect();
        tally.extend(Play::new(kind).play(&plan, || Duration::ZERO));
    }
    tell(&tally, begun);
    assert_eq!(tally.values().sum::<usize>(), 5 + 5 + 4 + 5 + 4 + 5 + 4);
}

/// Each part in each round in a ceremony of its own, a random moment after its statement.
#[test]
#[ignore = "minutes: QUORATE_SOAK_GENERATIONS ceremonies for each part and round"]
fn no_single_kill_stops_a_reshare_a_repair_or_an_import() {
    let _with = with_others();
    let begun = Instant::now();
    let seed = seed("kill -9 of generations");
    let count = setting("QUORATE_SOAK_GENERATIONS").unwrap_or(1);
    let (mut tally, mut stream) = (Tally::new(), 0);
    for kind in (0..count).flat_map(|_| &KINDS) {
        for (operator, part, rounds) in kind.parts {
            for round in *rounds {
                stream += 1;
                let mut chance = Chance::new(seed, stream);
                let killed = Play::new(kind).play(&vec![(*round, operator)], || chance.millis(12));
                assert_eq!(killed.len(), 1, "{} {part} {round:?}", kind.name);
                killed.into_iter().for_each(|(at, times)| *tally.entry(at).or_default() += times);
            }
        }
    }
    tell(&tally, begun);
}

fn tell(tally: &Tally, begun: Instant) {
    eprintln!("kill -9 of generations: {:.0} s; by kind, operator and last statement:", {
        begun.elapsed().as_secs_f64()
    });
    for ((kind, operator, round), times) in tally {
        eprintln!("  {kind} {operator} {round:?}: {times}");
    }
}
