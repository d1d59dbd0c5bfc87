//! Real operators: processes of the program, sockets on loopback, directories on disk.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Long enough for any machine; a ceremony takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

fn quorate(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(args).stdin(Stdio::null());
    command
}

fn must(args: &[&str]) -> String {
    let output = quorate(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A cluster of operators, each with its own directory, and one ceremony file.
struct Cluster {
    root: TempDir,
    names: Vec<String>,
    ports: Vec<u16>,
    words: String,
}

fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

impl Cluster {
    fn new(n: usize, t: usize, groups: &[&str]) -> Self {
        let root = TempDir::new().unwrap();
        let names: Vec<String> = (1..=n).map(|i| format!("operator-{i}")).collect();
        let ports = free_ports(n);
        let mut cluster = Self { root, names, ports, words: String::new() };
        let mut args: Vec<String> = ["spec", "new", "--name", "Test cluster", "--network", "hoodi"].map(str::to_owned).to_vec();
        args.extend(["--threshold".to_owned(), t.to_string(), "-o".to_owned(), cluster.path("ceremony.toml")]);
        args.extend(groups.iter().map(|arg| (*arg).to_owned()));
        for (i, name) in cluster.names.iter().enumerate() {
            let passphrase = cluster.root.path().join(format!("{name}.passphrase"));
            fs::write(&passphrase, format!("correct horse battery {name}\n")).unwrap();
            fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
            let made = must(&[
                "--dir",
                &cluster.path(name),
                "--passphrase-file",
                passphrase.to_str().unwrap(),
                "identity",
                "new",
                "--name",
                name,
                "--kdf-cost",
                "10",
            ]);
            let card = made.split_whitespace().find(|word| word.starts_with("quorate1")).unwrap().to_owned();
            args.extend(["--operator".to_owned(), format!("{card}@127.0.0.1:{}", cluster.ports[i])]);
        }
        must(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let shown = must(&["--json", "spec", "check", &cluster.path("ceremony.toml")]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        cluster.words = shown["fingerprint"].as_str().unwrap().to_owned();
        cluster
    }

    fn path(&self, name: &str) -> String {
        self.root.path().join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, i: usize, more: &[&str]) -> Command {
        let name = &self.names[i];
        let mut command = quorate(&[
            "--dir",
            &self.path(name),
            "--passphrase-file",
            &self.path(&format!("{name}.passphrase")),
            "run",
            &self.path("ceremony.toml"),
            "--yes-fingerprint",
            &self.words,
            "--listen",
            &format!("127.0.0.1:{}", self.ports[i]),
            "--kdf",
            "pbkdf2",
        ]);
        command.args(more);
        command
    }

    fn start(&self, i: usize) -> Running {
        Running::new(self.command(i, &[]))
    }

    fn out(&self, i: usize) -> PathBuf {
        let ceremonies = self.root.path().join(&self.names[i]).join("ceremonies");
        let mut found = fs::read_dir(ceremonies).unwrap();
        let only = found.next().unwrap().unwrap().path();
        assert!(found.next().is_none(), "one ceremony");
        only.join("out")
    }

    /// Asserts that all operators hold the same public outputs, byte for byte, and that the transcript passes the audit.
    fn check_outputs(&self) -> BTreeMap<String, Vec<u8>> {
        let first = files(&self.out(0).join("public"));
        for i in 1..self.names.len() {
            assert_eq!(files(&self.out(i).join("public")), first, "operator {}", i + 1);
        }
        let transcript = self.out(0).join("public/transcript.quorate");
        let audited =
            quorate(&["audit", transcript.to_str().unwrap(), "--expect", &self.path("ceremony.toml")]).output().unwrap();
        assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stdout));
        first
    }
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// A process with its talk, line by line.
struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Running {
    fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, said: Vec::new() }
    }

    /// Waits for a line that holds one of `texts`.
    fn until(&mut self, texts: &[String]) {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let found = texts.iter().any(|text| line.contains(text));
                    self.said.push(line);
                    if found {
                        return;
                    }
                }
                Err(error) => panic!("no line with any of {texts:?} ({error}); said:\n{}", self.said.join("\n")),
            }
        }
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn finish(mut self) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.said.extend(self.lines.try_iter());
                assert!(status.success(), "{status}; said:\n{}", self.said.join("\n"));
                return;
            }
            self.said.extend(self.lines.try_iter());
            if Instant::now() > end {
                self.child.kill().unwrap();
                panic!("still running; said:\n{}", self.said.join("\n"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

const ONE: [&str; 6] =
    ["--validators", "2", "--withdrawal", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "--compounding", "false"];

#[test]
fn four_operators_finish_with_the_same_outputs_and_a_second_run_changes_nothing() {
    let cluster = Cluster::new(4, 3, &ONE);
    let running: Vec<Running> = [2, 0, 3, 1].into_iter().map(|i| cluster.start(i)).collect();
    running.into_iter().for_each(Running::finish);
    let outputs = cluster.check_outputs();
    for name in ["transcript.quorate", "transcript.json", "report.html", "deposit-data.json"] {
        assert!(outputs.contains_key(name), "{name}");
    }
    // Modes as promised.
    let secret = cluster.out(1).join("secret");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&secret), 0o700);
    let keystores: Vec<PathBuf> =
        fs::read_dir(secret.join("validator_keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(keystores.len(), 2);
    assert!(keystores.iter().all(|path| mode(path) == 0o600));

    let before = files(&cluster.out(1).join("secret/validator_keys"));
    let again = cluster.command(1, &[]).output().unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(files(&cluster.out(1).join("secret/validator_keys")), before);
    cluster.check_outputs();

    // A second run does not call outputs done that are not this ceremony's, ...
    let out = cluster.out(1);
    let deposits = out.join("public/deposit-data.json");
    let theirs = String::from_utf8(fs::read(&deposits).unwrap()).unwrap().replace("5aaeb6053f3e", "fb6916095ca1");
    fs::write(&deposits, &theirs).unwrap();
    let altered = cluster.command(1, &[]).output().unwrap();
    assert_eq!(altered.status.code(), Some(1));
    let said = String::from_utf8_lossy(&altered.stderr);
    assert!(said.contains("other outputs than this ceremony's are there already (deposit-data.json)"), "{said}");
    assert_eq!(fs::read_to_string(&deposits).unwrap(), theirs);
    // ... and says how they are written again.
    fs::rename(&out, out.with_file_name("away")).unwrap();
    assert!(cluster.command(1, &[]).output().unwrap().status.success());
    cluster.check_outputs();
    fs::remove_dir_all(out.join("secret")).unwrap();
    let lacking = cluster.command(1, &[]).output().unwrap();
    assert!(lacking.status.success());
    let said = String::from_utf8_lossy(&lacking.stderr);
    assert!(said.contains("There are no keystores in") && said.contains("move that folder away"), "{said}");
}

/// Starts everybody but `victim` in the order given; kills the victim in each round and starts it again with the same command.
fn kill_in_every_round(cluster: &Cluster, victim: usize, others: &[usize]) {
    let others: Vec<Running> = others.iter().map(|i| cluster.start(*i)).collect();
    for round in 1..=5 {
        let mut running = cluster.start(victim);
        // It may pass a round in one step, when the others' statements are all there.
        let mut texts: Vec<String> = (round..=5).map(|round| format!("Round {round} of 5")).collect();
        texts.push("Done".to_owned());
        running.until(&texts);
        running.kill();
    }
    cluster.start(victim).finish();
    others.into_iter().for_each(Running::finish);
    cluster.check_outputs();
}

#[test]
fn an_operator_killed_in_every_round_comes_back_with_the_same_command() {
    kill_in_every_round(&Cluster::new(4, 3, &ONE), 2, &[0, 1, 3]);
}

#[test]
fn seven_operators_with_two_addresses_survive_it_too() {
    let two = [
        ["--validators", "12", "--withdrawal", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"],
        ["--validators", "8", "--withdrawal", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"],
    ];
    let groups = [&two.concat()[..], &["--compounding", "false"]].concat();
    kill_in_every_round(&Cluster::new(7, 5, &groups), 4, &[6, 1, 3, 0, 5, 2]);
}

#[test]
fn a_second_process_on_one_directory_is_refused_and_harms_nothing() {
    let cluster = Cluster::new(3, 2, &ONE);
    let mut first = cluster.start(0);
    first.until(&["Round 1 of 5".to_owned()]);
    // Whoever has the passphrase can look while it runs.
    let (dir, passphrase) = (cluster.path("operator-1"), cluster.path("operator-1.passphrase"));
    let status = quorate(&["--json", "--dir", &dir, "--passphrase-file", &passphrase, "status"]).output().unwrap();
    assert_eq!(status.status.code(), Some(5), "{}", String::from_utf8_lossy(&status.stderr));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["ceremonies"][0]["waiting_for"], serde_json::json!(["operator-2", "operator-3"]));
    let second: Output = cluster.command(0, &["--linger", "1"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use"), "{}", String::from_utf8_lossy(&second.stderr));
    let rest: Vec<Running> = [1, 2].into_iter().map(|i| cluster.start(i)).collect();
    first.finish();
    rest.into_iter().for_each(Running::finish);
    cluster.check_outputs();
}

#[test]
fn a_ceremony_whose_log_is_gone_is_not_begun_anew() {
    let cluster = Cluster::new(3, 2, &ONE);
    (0..3).map(|i| cluster.start(i)).collect::<Vec<_>>().into_iter().for_each(Running::finish);
    let log = cluster.out(0).with_file_name("log.sealed");
    fs::remove_file(&log).unwrap();
    let before = files(&cluster.out(0).join("public"));
    let again = cluster.command(0, &[]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("its log is gone"), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(!log.exists());
    assert_eq!(files(&cluster.out(0).join("public")), before);
}

#[test]
fn a_log_that_is_lost_in_the_middle_is_not_replaced() {
    let cluster = Cluster::new(3, 2, &ONE);
    let mut first = cluster.start(0);
    first.until(&["Round 1 of 5".to_owned()]);
    first.kill();
    let log = cluster.out(0).with_file_name("log.sealed");
    fs::remove_file(&log).unwrap();
    let again = cluster.command(0, &[]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("its log is gone"), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(!log.exists());
}

#[test]
fn an_interrupted_operator_says_whom_it_waited_for_and_goes_on_later() {
    let cluster = Cluster::new(3, 2, &ONE);
    let mut first = cluster.start(0);
    first.until(&["Round 1 of 5".to_owned()]);
    let id = first.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(first.child.wait().unwrap().code(), Some(5), "waiting: run the same command again");
    (0..3).map(|i| cluster.start(i)).collect::<Vec<_>>().into_iter().for_each(Running::finish);
    cluster.check_outputs();
}
