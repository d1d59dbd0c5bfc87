//! What is erased is gone: the memory of a running operator is searched, at every round of a
//! ceremony, for every secret that specification 5.7 says is erased by then; and, so that the
//! search is known to find something, for those that it still needs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod known;
mod others;
mod scan;

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use known::{Known, NEVER, Secret};
use others::Others;
use quorate::identity::{Operator, OperatorName};
use quorate::message::body::Hello;
use quorate::message::envelope::{Round, Statement};
use quorate::message::shape::Shape;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::record::RecordKind;
use quorate::simulation::machine::bytes;
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::store::{IDENTITY_FILE, Log, Record, StateDir, open_with_passphrase};
use scan::{Memory, Pieces, has_thread};
use tempfile::TempDir;

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(120);
const PASSPHRASE: &str = "a passphrase of this test, typed once: 7c1f9be2";
const PASSWORD: &str = "another one, of the keystores: 5d0ea83164";

/// When the memory is searched: after the operator's statement of a round, and at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Moment {
    Hello,
    Deal,
    Prepare,
    Commit,
    Final,
    Written,
    /// A process of its own, which has answered a request for an exit and waits for the others.
    Answered,
    Never = NEVER,
}

impl Moment {
    const CEREMONY: [Self; 6] =
        [Self::Hello, Self::Deal, Self::Prepare, Self::Commit, Self::Final, Self::Written];
}

/// A folder in which the program runs.
struct Place(TempDir);

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
        command.current_dir(&self.0).args(["--dir", "state", "--passphrase-file", "passphrase"]);
        command.args(args).stdin(Stdio::null());
        command
    }

    fn must(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The operator under test, a process of the program, and the ceremony that it is in.
struct Stage {
    place: Place,
    ceremony: Arc<Ceremony>,
    words: String,
    port: u16,
    others: Vec<Arc<Operator>>,
}

fn private(path: &Path, text: &str) {
    fs::write(path, format!("{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn secret(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

impl Stage {
    fn new() -> Self {
        let place = Place(TempDir::new().unwrap());
        private(&place.path("passphrase"), PASSPHRASE);
        private(&place.path("password"), PASSWORD);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let operator = |name| {
            let entropy = Secret32::new(&mut bytes(&format!("memory {name}")));
            Arc::new(Operator::generate(OperatorName::parse(name).unwrap(), entropy))
        };
        let others = vec![operator("bob"), operator("carol")];
        let made = place.must(&["identity", "new", "--name", "alice", "--kdf-cost", "10"]);
        let own = made.split_whitespace().find(|word| word.starts_with("quorate1")).unwrap();
        let cards = others.iter().map(|operator| operator.card().encode());
        let mut args = "spec new --name Memory --network hoodi --threshold 2 -o ceremony.toml \
                        --validators 2 --withdrawal 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \
                        --compounding false"
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        for (i, card) in [own.to_owned()].into_iter().chain(cards).enumerate() {
            // Where the others are does not matter: they call.
            let address = format!("127.0.0.{}:{port}", i + 1);
            args.extend(["--operator".to_owned(), format!("{card}@{address}")]);
        }
        place.must(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let shown = place.must(&["--json", "spec", "check", "ceremony.toml"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let words = shown["fingerprint"].as_str().unwrap().to_owned();
        let text = fs::read_to_string(place.path("ceremony.toml")).unwrap();
        let file = CeremonyFile::parse_toml(&text).unwrap();
        let ceremony = Arc::new(Ceremony::try_from(file).unwrap());
        Self { place, ceremony, words, port, others }
    }

    /// A run of the ceremony.
    fn run(&self, more: &[&str]) -> Option<(Running, Memory)> {
        let args = ["run", "ceremony.toml", "--yes-fingerprint", &self.words, "--linger", "600"];
        self.watched(&[&args, more].concat())
    }

    /// A process that listens for the others, its memory open; `None` if this machine lets nobody
    /// look into it.
    fn watched(&self, args: &[&str]) -> Option<(Running, Memory)> {
        let listen = format!("127.0.0.1:{}", self.port);
        for _ in 0..100 {
            let said = fs::File::create(self.place.path("said")).unwrap();
            let mut command = self.place.command(args);
            command.args(["--listen", &listen]).stdout(Stdio::null()).stderr(said);
            let running = Running(command.spawn().unwrap());
            match Memory::of(&running.0) {
                Ok(memory) => return Some((running, memory)),
                // It was faster: it has closed its memory already, and is begun again.
                Err(_) => drop(running),
            }
        }
        None
    }

    /// The identity, opened as the program opens it.
    fn identity(&self) -> Operator {
        let sealed = fs::read(self.place.path("state").join(IDENTITY_FILE)).unwrap();
        let opened = open_with_passphrase(&sealed, &secret(PASSPHRASE), IDENTITY_FILE).unwrap();
        Operator::from_secret_bytes(&opened).unwrap()
    }

    fn folder(&self) -> PathBuf {
        let state = StateDir::open(&self.place.path("state")).unwrap();
        state.find(&self.ceremony.digest()).unwrap().unwrap().path().to_owned()
    }

    fn records(&self, operator: &Operator) -> Vec<Record> {
        let state = StateDir::open(&self.place.path("state")).unwrap();
        let view = state.find(&self.ceremony.digest()).unwrap().unwrap();
        Log::read(&view, operator.storage_key(), self.ceremony.digest().as_bytes()).unwrap()
    }

    /// The salt of the log's file, after its magic and version.
    fn salt(&self) -> Vec<u8> {
        fs::read(self.folder().join("log.sealed")).unwrap()[5..37].to_vec()
    }
}

impl Stage {
    /// Waits until the operator listens: what it does before is done.
    fn listens(&self) {
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The operator, asked for an exit: it has signed, and waits for the others' answers.
    fn answer(&self) -> (Running, Memory) {
        let folder = self.folder().join("out/public");
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut deposits = files.filter(|path| path.to_string_lossy().contains("deposit-data"));
        let deposits: serde_json::Value =
            serde_json::from_slice(&fs::read(deposits.next().unwrap()).unwrap()).unwrap();
        let key = format!("0x{}", deposits[0]["pubkey"].as_str().unwrap());
        let policy = format!("exits = \"allow-list\"\nallow = [\"{key}\"]");
        private(&self.place.path("state/signing.toml"), &policy);
        let transcript = folder.join("transcript.quorate");
        let asked = ["exit", "request", transcript.to_str().unwrap(), "--public-key", &key];
        let to = ["--index", "1804776", "--public", "-o", "request.json"];
        self.place.must(&[&asked[..], &to].concat());
        let args = ["exit", "run", "request.json", "--yes", "-o", "exit.json", "--wait", "600"];
        let watched = self.watched(&args).expect("as before");
        let (end, operator) = (Instant::now() + PATIENCE, self.identity());
        let signed = |record: &Record| record.kind == RecordKind::Signed as u8;
        while !self.records(&operator).iter().any(signed) {
            let said = || fs::read_to_string(self.place.path("said")).unwrap();
            assert!(Instant::now() < end, "it does not sign: {}", said());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.listens();
        watched
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Waits until the keystores' key is there: its thread has the password until then.
    fn settled(&self) {
        let end = Instant::now() + PATIENCE;
        while has_thread(&self.0, "keystore-key") {
            assert!(Instant::now() < end, "the keystores' key takes for ever");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Pieces found of each secret at each moment.
#[derive(Default)]
struct Table {
    rows: Vec<Vec<usize>>,
    bytes: usize,
}

impl Table {
    fn search(&mut self, memory: &Memory, secrets: &[Secret]) {
        let mut pieces = Pieces::default();
        for (number, secret) in secrets.iter().enumerate() {
            secret.spellings.iter().for_each(|bytes| pieces.add(bytes, number));
        }
        let (found, bytes) = memory.search(&pieces, secrets.len());
        self.bytes = bytes;
        self.rows.push(found);
    }

    /// The table, and what is wrong with it.
    fn judge(&self, secrets: &[Secret]) -> (String, Vec<String>) {
        let heads = ["HELLO", "DEAL", "PREPARE", "COMMIT", "FINAL", "written", "exit run"];
        let mut text = format!("halves of secrets in {} KiB of memory\n", self.bytes >> 10);
        let mut wrong = Vec::new();
        let heading: String = heads.iter().map(|head| format!("{head:>10}")).collect();
        let _ = writeln!(text, "{:34}{heading}", "");
        for (number, secret) in secrets.iter().enumerate() {
            let _ = write!(text, "{:34}", secret.name);
            for (moment, row) in (0u8..).zip(&self.rows) {
                let found = row.get(number).copied();
                let mark = match found {
                    None => "-".to_owned(),
                    Some(found) if moment >= secret.gone => {
                        if found > 0 {
                            wrong.push(format!(
                                "{} is in memory after {}: {found} pieces",
                                secret.name,
                                heads[usize::from(moment)]
                            ));
                        }
                        format!("{found} !")
                    }
                    Some(found) => {
                        if secret.needed.contains(&moment) && found == 0 {
                            wrong.push(format!("{} is not found at {moment}", secret.name));
                        }
                        found.to_string()
                    }
                };
                let _ = write!(text, "{mark:>10}");
            }
            text.push('\n');
        }
        (text + "(!: said to be erased by then)", wrong)
    }
}

fn heard(others: &Others, stage: &Stage, round: Round) -> Statement {
    others.heard(round, PATIENCE).unwrap_or_else(|| {
        let said = fs::read_to_string(stage.place.path("said")).unwrap();
        panic!("no statement of {round:?} came; the operator said:\n{said}")
    })
}

/// A ceremony, with the operator's memory searched at every moment; `restarted`: killed before each
/// and run again, so that what it knows comes from its log.
fn ceremony(restarted: bool) {
    let stage = Stage::new();
    let more: &[&str] = match restarted {
        true => &["--no-keystores"],
        false => &["--kdf", "pbkdf2", "--keystore-password-file", "password"],
    };
    let Some((mut running, mut memory)) = stage.run(more) else {
        eprintln!(
            "!! SKIPPED the search of an operator's memory: this machine lets no process look into \
             another one's (/proc/PID/mem)"
        );
        return;
    };
    let others = Others::start(&stage.ceremony, &stage.others);
    let shape = Shape::of(&stage.ceremony);
    let (mut known, mut table): (Option<Known>, _) = (None, Table::default());
    for moment in Moment::CEREMONY {
        others.open(moment as u8);
        let round = Round::from_number(moment as u8);
        match round {
            Some(round) => drop(heard(&others, &stage, round)),
            None => {
                let (end, out) = (Instant::now() + PATIENCE, stage.folder().join("out"));
                while !out.exists() && Instant::now() < end {
                    std::thread::sleep(Duration::from_millis(10));
                }
                assert!(out.exists(), "nothing was written");
            }
        }
        if restarted {
            drop(running);
            (running, memory) = stage.run(more).expect("as before");
            stage.listens();
        }
        running.settled();
        match moment {
            Moment::Hello => {
                let operator = stage.identity();
                let sealed = stage.records(&operator);
                let hello = heard(&others, &stage, Round::Hello);
                let hello = Hello::decode(hello.body(), &shape, hello.envelope.sender).unwrap();
                let mut begun = Known::at_hello(&stage.ceremony, operator, &sealed, &hello.nonce);
                begun.log_key(
                    "key of the log before DEAL",
                    &stage.salt(),
                    Moment::Hello,
                    Moment::Deal,
                );
                begun.text("passphrase", &secret(PASSPHRASE), Moment::Hello);
                begun.derived("key of the passphrase", &unsealing_key(&stage), Moment::Hello);
                if !restarted {
                    begun.text("password of the keystores", &secret(PASSWORD), Moment::Hello);
                }
                known = Some(begun);
            }
            Moment::Deal => {
                let known = known.as_mut().unwrap();
                let records = stage.records(&stage.identity());
                known.log_key(
                    "key of the log before PREPARE",
                    &stage.salt(),
                    Moment::Deal,
                    Moment::Prepare,
                );
                known.at_deal(&others, &records);
            }
            Moment::Prepare => {
                let records = stage.records(&stage.identity());
                known.as_mut().unwrap().at_prepare(&others, &records);
            }
            Moment::Written if !restarted => {
                let key = keystores_key(&stage);
                known.as_mut().unwrap().derived("key of the keystores", &key, Moment::Written);
            }
            _ => {}
        }
        table.search(&memory, &known.as_ref().unwrap().secrets);
    }
    drop((running, others));
    let secrets = known.unwrap().secrets;
    let (_running, memory) = stage.answer();
    table.search(&memory, &secrets);
    let (text, wrong) = table.judge(&secrets);
    eprintln!("{text}");
    assert!(wrong.is_empty(), "{text}\n{}", wrong.join("\n"));
}

/// The key of `identity.sealed` (specification 9.2).
fn unsealing_key(stage: &Stage) -> Vec<u8> {
    let sealed = fs::read(stage.place.path("state").join(IDENTITY_FILE)).unwrap();
    let mut key = vec![0; 32];
    let params = scrypt::Params::new(sealed[5], 8, 1).unwrap();
    scrypt::scrypt(PASSPHRASE.as_bytes(), &sealed[6..38], &params, &mut key).unwrap();
    key
}

/// The key of the keystores (EIP-2335), from the salt in one of them.
fn keystores_key(stage: &Stage) -> Vec<u8> {
    let folder = stage.folder().join("out/secret/validator_keys");
    let file = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
    let keystore: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let params = &keystore["crypto"]["kdf"]["params"];
    let salt = hex::decode(params["salt"].as_str().unwrap()).unwrap();
    let rounds = u32::try_from(params["c"].as_u64().unwrap()).unwrap();
    let mut key = vec![0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(PASSWORD.as_bytes(), &salt, rounds, &mut key);
    key
}

#[test]
fn what_is_erased_is_not_in_the_memory_of_a_running_operator() {
    ceremony(false);
}

#[test]
fn what_is_erased_is_not_in_the_memory_of_one_that_was_restarted() {
    ceremony(true);
}
