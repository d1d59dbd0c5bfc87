//! Real operators: processes of the program, sockets on loopback, directories on disk.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate::identity::Operator;
use quorate::identity::card::InstallMark;
use quorate::message::sync::Frame;
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::participant::{Entropy, OwnSeat, Participant};
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::carrier::{Tcp, TcpConfig};
use quorate_operator::store::{IDENTITY_FILE, MARK_FILE, open_with_passphrase};
use serde_json::{Value, json};
use support::files::{files, mode, only, private};
use support::ports::{free_address, free_port};
use support::program::{Ended, PATIENCE, end, limited, names};
use support::running::{Killed, Running, Signal};
use tempfile::TempDir;

/// The program, with paths that do not depend on where it is started.
fn command(args: &[&str]) -> Command {
    support::program::command(Path::new("/"), args)
}

fn quorate(args: &[&str]) -> Ended {
    end(command(args))
}

fn must(args: &[&str]) -> Ended {
    quorate(args).done()
}

/// A cluster of operators, each with its own directory, and one ceremony file.
struct Cluster {
    root: TempDir,
    names: Vec<String>,
    ports: Vec<u16>,
    words: String,
}

impl Cluster {
    fn new(n: usize, t: usize, groups: &[&str]) -> Self {
        let root = TempDir::new().unwrap();
        let names: Vec<String> = (1..=n).map(|i| format!("member-{i}")).collect();
        let ports = (0..n).map(|_| free_port()).collect();
        let mut cluster = Self { root, names, ports, words: String::new() };
        let mut args: Vec<String> = ["spec", "new", "--name", "Test cluster", "--network", "hoodi"]
            .map(str::to_owned)
            .to_vec();
        args.extend([
            "--threshold".to_owned(),
            t.to_string(),
            "-o".to_owned(),
            cluster.path("ceremony.toml"),
        ]);
        args.extend(groups.iter().map(|arg| (*arg).to_owned()));
        for (i, name) in cluster.names.iter().enumerate() {
            let passphrase = cluster.root.path().join(format!("{name}.passphrase"));
            private(&passphrase, &format!("correct horse battery {name}\n"));
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
            let card = made
                .stdout
                .split_whitespace()
                .find(|word| word.starts_with("quorate1"))
                .unwrap()
                .to_owned();
            args.extend([
                "--operator".to_owned(),
                format!("{card}@127.0.0.1:{}", cluster.ports[i]),
            ]);
        }
        must(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let shown = must(&["--json", "spec", "check", &cluster.path("ceremony.toml")]);
        cluster.words = shown.json()["fingerprint"].as_str().unwrap().to_owned();
        cluster
    }

    fn path(&self, name: &str) -> String {
        self.root.path().join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, i: usize, more: &[&str]) -> Command {
        self.taking_part(i, &["run"], more)
    }

    fn run(&self, i: usize, more: &[&str]) -> Ended {
        end(self.command(i, more))
    }

    /// `run`, or the demo's hidden way to break a rule.
    fn taking_part(&self, i: usize, how: &[&str], more: &[&str]) -> Command {
        let mut command = self.quorate(i, how);
        command.args([&self.path("ceremony.toml"), "--yes-fingerprint", &self.words]);
        command
            .args(["--listen", &format!("127.0.0.1:{}", self.ports[i]), "--kdf", "pbkdf2"])
            .args(more);
        command
    }

    /// The program with an operator's directory and passphrase.
    fn quorate(&self, i: usize, args: &[&str]) -> Command {
        let name = &self.names[i];
        let mut command = command(&[
            "--dir",
            &self.path(name),
            "--passphrase-file",
            &self.path(&format!("{name}.passphrase")),
        ]);
        command.args(args);
        command
    }

    /// An operator's keys.
    fn operator(&self, i: usize) -> Operator {
        let name = &self.names[i];
        let sealed = fs::read(self.root.path().join(name).join(IDENTITY_FILE)).unwrap();
        let passphrase = format!("correct horse battery {name}");
        let passphrase = SecretBytes::new(passphrase.into_bytes());
        let opened = open_with_passphrase(&sealed, &passphrase, IDENTITY_FILE).unwrap();
        let mark = fs::read(self.root.path().join(name).join(MARK_FILE)).unwrap();
        let mark = InstallMark(mark.try_into().unwrap());
        Operator::from_secret_bytes(&opened).unwrap().with_mark(Some(mark))
    }

    fn cheat(&self, i: usize, rule: &str) -> Running {
        Running::start(self.taking_part(i, &["demo-cheat", "--rule", rule], &[]))
    }

    /// The files of evidence whose names begin so, with their content.
    fn evidence(&self, i: usize, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut found = files(&self.out(i).with_file_name("evidence"));
        found.retain(|file, _| file.starts_with(name));
        found
    }

    fn start(&self, i: usize) -> Running {
        Running::start(self.command(i, &[]))
    }

    fn start_all(&self) -> Vec<Running> {
        (0..self.names.len()).map(|i| self.start(i)).collect()
    }

    fn out(&self, i: usize) -> PathBuf {
        only(self.root.path().join(&self.names[i]).join("ceremonies")).join("out")
    }

    /// Asserts that all operators hold the same public outputs, byte for byte but for who made the
    /// report page, and that the transcript passes the audit.
    fn check_outputs(&self) -> BTreeMap<String, Vec<u8>> {
        let public = |i: usize| {
            let mut files = files(&self.out(i).join("public"));
            let page = String::from_utf8(files["report.html"].clone()).unwrap();
            assert!(page.contains("It proves nothing by itself"));
            let name = &self.names[i];
            let author = page.lines().find(|line| line.contains("This page was made by ")).unwrap();
            assert!(author.contains(name.as_str()), "{author}");
            files.insert("report.html".to_owned(), page.replacen(author, "", 1).into_bytes());
            files
        };
        let first = public(0);
        for i in 1..self.names.len() {
            assert_eq!(public(i), first, "operator {}", i + 1);
        }
        let transcript = self.out(0).join("public/transcript.quorate");
        let audited = quorate(&[
            "audit",
            transcript.to_str().unwrap(),
            "--expect",
            &self.path("ceremony.toml"),
        ]);
        assert_eq!(audited.code, 0, "{}", audited.stdout);
        first
    }
}

/// All of them end, and have done what they were to do.
fn finish(running: impl IntoIterator<Item = Running>) {
    running.into_iter().for_each(|running| drop(running.ends_with(0)));
}

/// The first round has begun: whoever has said this waits for others.
const BEGUN: &str = "Round 1 of 5";

const ONE: [&str; 6] = [
    "--validators",
    "2",
    "--withdrawal",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "--compounding",
    "false",
];

#[test]
fn four_operators_finish_with_the_same_outputs_and_a_second_run_changes_nothing() {
    let cluster = Cluster::new(4, 3, &ONE);
    let running: Vec<Running> = [2, 0, 3, 1].into_iter().map(|i| cluster.start(i)).collect();
    finish(running);
    let outputs = cluster.check_outputs();
    for name in ["transcript.quorate", "transcript.json", "report.html", "deposit-data.json"] {
        assert!(outputs.contains_key(name), "{name}");
    }
    // Modes as promised.
    let secret = cluster.out(1).join("secret");
    assert_eq!(mode(&secret), 0o700);
    let keystores: Vec<PathBuf> = fs::read_dir(secret.join("validator_keys"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(keystores.len(), 2);
    assert!(keystores.iter().all(|path| mode(path) == 0o600));

    let before = files(&cluster.out(1).join("secret/validator_keys"));
    cluster.run(1, &["--linger", "0"]).done();
    assert_eq!(files(&cluster.out(1).join("secret/validator_keys")), before);
    cluster.check_outputs();

    // A second run does not call outputs done that are not this ceremony's, ...
    let out = cluster.out(1);
    let deposits = out.join("public/deposit-data.json");
    let theirs = String::from_utf8(fs::read(&deposits).unwrap())
        .unwrap()
        .replace("5aaeb6053f3e", "fb6916095ca1");
    fs::write(&deposits, &theirs).unwrap();
    cluster
        .run(1, &["--linger", "0"])
        .failed(1, &["already contains outputs that are not this ceremony's (deposit-data.json)"]);
    assert_eq!(fs::read_to_string(&deposits).unwrap(), theirs);
    // ... and says how they are written again.
    fs::rename(&out, out.with_file_name("away")).unwrap();
    cluster.run(1, &["--linger", "0"]).done();
    cluster.check_outputs();
    fs::remove_dir_all(out.join("secret")).unwrap();
    let said = cluster.run(1, &["--linger", "0"]).done().stderr;
    assert!(
        said.contains("There are no keystores in") && said.contains("move that folder away"),
        "{said}"
    );
}

#[test]
fn who_lost_a_confirmation_gets_it_again_from_those_that_lack_nothing() {
    let cluster = Cluster::new(3, 2, &ONE);
    let others = |cluster: &Cluster| [cluster.start(1), cluster.start(2)];
    let everybody = others(&cluster);
    let mut first = cluster.start(0);
    first.until("Staying until the others have everything");
    assert!(matches!(first.kill(), Killed::Running(_)), "it had not ended");
    let log = cluster.out(0).with_file_name("log.sealed");
    let early = fs::read(&log).unwrap();
    finish([cluster.start(0)]);
    finish(everybody);
    // Nobody is left to tell the first what it had not written down yet, unless the others come
    // back and stay for it.
    fs::write(&log, &early).unwrap();
    let first = cluster.start(0);
    finish(others(&cluster));
    finish([first]);
    cluster.check_outputs();
}

/// Starts everybody but `victim` in the order given; kills the victim in each round and starts it
/// again with the same command.
fn kill_in_every_round(cluster: &Cluster, victim: usize, others: &[usize]) {
    let others: Vec<Running> = others.iter().map(|i| cluster.start(*i)).collect();
    for round in 1..=5 {
        let mut running = cluster.start(victim);
        // It may pass a round in one step, when the others' statements are all there.
        let mut texts: Vec<String> =
            (round..=5).map(|round| format!("Round {round} of 5")).collect();
        texts.push("Outputs are written".to_owned());
        running.until_any(&texts);
        running.kill();
    }
    finish([cluster.start(victim)]);
    finish(others);
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
    first.until(BEGUN);
    // Whoever has the passphrase can look while it runs.
    let (dir, passphrase) = (cluster.path("member-1"), cluster.path("member-1.passphrase"));
    let status = quorate(&["--json", "--dir", &dir, "--passphrase-file", &passphrase, "status"])
        .done()
        .json();
    assert_eq!(names(&status["ceremonies"][0]["waiting_for"]), json!(["member-2", "member-3"]));
    cluster.run(0, &["--linger", "1"]).failed(1, &["is using this directory"]);
    let rest: Vec<Running> = [1, 2].into_iter().map(|i| cluster.start(i)).collect();
    finish([first]);
    finish(rest);
    cluster.check_outputs();
}

#[test]
fn a_ceremony_whose_log_is_gone_is_not_begun_anew() {
    let cluster = Cluster::new(3, 2, &ONE);
    finish(cluster.start_all());
    let log = cluster.out(0).with_file_name("log.sealed");
    fs::remove_file(&log).unwrap();
    let before = files(&cluster.out(0).join("public"));
    cluster.run(0, &[]).failed(1, &["its log is missing"]);
    assert!(!log.exists());
    assert_eq!(files(&cluster.out(0).join("public")), before);
}

#[test]
fn a_log_that_is_lost_in_the_middle_is_not_replaced() {
    let cluster = Cluster::new(3, 2, &ONE);
    let mut first = cluster.start(0);
    first.until(BEGUN);
    first.kill();
    let log = cluster.out(0).with_file_name("log.sealed");
    fs::remove_file(&log).unwrap();
    cluster.run(0, &[]).failed(1, &["its log is missing"]);
    assert!(!log.exists());
}

#[test]
fn an_interrupted_operator_says_whom_it_waited_for_and_goes_on_later() {
    let cluster = Cluster::new(3, 2, &ONE);
    let mut first = cluster.start(0);
    first.until(BEGUN);
    first.signal(Signal::INT);
    // Waiting: run the same command again.
    first.ends_with(5);
    finish(cluster.start_all());
    cluster.check_outputs();
}

/// The names of a process's threads.
fn threads(id: u32) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{id}/task")) else { return Vec::new() };
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn the_key_of_keystores_is_derived_while_nobody_is_there_and_hinders_nobody_from_stopping() {
    let cluster = Cluster::new(3, 2, &ONE);
    // Another process has its turn, so that this one is seen deriving.
    let turn = fs::File::open(cluster.path("ceremony.toml")).unwrap();
    turn.lock().unwrap();
    let mut alone = Running::start(cluster.command(0, &["--kdf-turns"]));
    alone.until(BEGUN);
    assert!(
        threads(alone.id()).iter().any(|name| name == "keystore-key"),
        "{:?}",
        threads(alone.id())
    );
    let asked = Instant::now();
    alone.signal(Signal::INT);
    alone.ends_with(5);
    assert!(asked.elapsed() < PATIENCE / 2);
    let left: Vec<String> = fs::read_dir(cluster.out(0).parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("out"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    drop(turn);
    finish(cluster.start_all());
    cluster.check_outputs();

    // A finished ceremony derives nothing, nor does a run without keystores; where they are
    // missing, it is derived again.
    let plain = |more: &[&str]| {
        let mut command = cluster.quorate(
            1,
            &["run", &cluster.path("ceremony.toml"), "--yes-fingerprint", &cluster.words],
        );
        command
            .args(["--linger", "0", "--listen", &format!("127.0.0.1:{}", cluster.ports[1])])
            .args(more)
            .args(["--kdf", "scrypt"]);
        // With so little memory it dies if it derives a key with scrypt (256 MiB), and with no
        // other cause.
        end(limited("-v 220000", &command))
    };
    plain(&[]).done();
    fs::rename(cluster.out(1), cluster.out(1).with_file_name("away")).unwrap();
    let missing = plain(&[]);
    assert!(missing.code != 0 && !cluster.out(1).exists(), "{}", missing.stderr);
    plain(&["--no-keystores"]).done();
}

const DEMO: [&str; 6] = [
    "--validators",
    "2",
    "--withdrawal",
    "0x000000000000000000000000000000000000dEaD",
    "--compounding",
    "false",
];

#[test]
fn a_proven_fault_stops_every_honest_operator_and_a_second_run_says_so_again() {
    let cluster = Cluster::new(4, 3, &DEMO);
    let cheat = cluster.cheat(3, "bad-share");
    let begun = Instant::now();
    (0..3)
        .map(|i| cluster.start(i))
        .collect::<Vec<_>>()
        .into_iter()
        .for_each(|running| drop(running.ends_with(3)));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    cheat.kill();
    let evidence: Vec<_> = (0..3).map(|i| cluster.evidence(i, "fault-")).collect();
    assert!(evidence.iter().all(|files| files.len() == 1), "{evidence:?}");
    let path = cluster.out(0).with_file_name("evidence").join(evidence[0].keys().next().unwrap());
    let verdict = quorate(&[
        "--json",
        "evidence",
        "check",
        path.to_str().unwrap(),
        "--expect",
        &cluster.path("ceremony.toml"),
    ]);
    let verdict = verdict.json();
    assert_eq!(verdict["exit"], 0);
    assert_eq!(verdict["proven"][0]["class"], "E3");
    assert_eq!(verdict["proven"][0]["culprits"][0]["name"], "member-4");

    // A second run tells the others again and ends as the first did, with the same evidence.
    let again: Vec<Running> = (0..3)
        .map(|i| {
            let mut command = cluster.quorate(i, &["--json"]);
            let port = format!("127.0.0.1:{}", cluster.ports[i]);
            command.args(["run", &cluster.path("ceremony.toml"), "--listen", &port]);
            Running::start(command)
        })
        .collect();
    for (i, running) in again.into_iter().enumerate() {
        let said = running.ends_with(3).json();
        assert_eq!(names(&said["culprits"]), json!(["member-4"]));
        assert_eq!(said["certainty"], "proven");
        let next = said["next"].as_str().unwrap();
        assert!(next.contains("spec next") && next.contains("--without 4"), "{next}");
        assert_eq!(cluster.evidence(i, "fault-"), evidence[i]);
    }
    let status = end(cluster.quorate(0, &["--json", "status"])).json();
    assert_eq!(status["ceremonies"][0]["state"], "faulted");
    assert!(
        status["ceremonies"][0]["proven"][0].as_str().unwrap().contains("member-4"),
        "{status}"
    );

    // And the next attempt is a command away.
    let next = cluster.path("next.toml");
    must(&[
        "spec",
        "next",
        &cluster.path("ceremony.toml"),
        "--without",
        "member-4",
        "--reason",
        "a bad share",
        "-o",
        &next,
    ]);
    let checked = must(&["--json", "spec", "check", &next]).json();
    assert_eq!((checked["attempt"].clone(), checked["threshold"].clone()), (2.into(), 2.into()));
    assert_eq!(checked["supersedes"], verdict["spec_digest"]);
    assert!(
        fs::read_to_string(&next).unwrap().contains("\n# Reason for this attempt: a bad share\n")
    );
}

#[test]
fn who_waited_for_a_withheld_share_goes_on_when_it_comes() {
    let cluster = Cluster::new(4, 3, &DEMO);
    let cheat = cluster.cheat(3, "withhold");
    let mut others: Vec<Running> = (0..3).map(|i| cluster.start(i)).collect();
    // The second is the one who gets nothing; the others are prepared, and stay.
    others[1].until("Round 2 of 5, shares: 3 of 4. Waiting for \"member-4\" (operator 4).");
    others[0].until("Waiting for \"member-2\" (operator 2).");
    let prepared = others.remove(0);
    prepared.signal(Signal::INT);
    prepared.ends_with(5);
    cheat.kill();
    others.push(cluster.start(0));
    others.push(cluster.start(3));
    finish(others);
    cluster.check_outputs();
}

/// The first and the last never hear each other: they call where nobody is. Statements and
/// share boxes take the way through the others.
#[test]
fn two_that_cannot_reach_each_other_finish_through_the_others() {
    let cluster = Cluster::new(4, 3, &ONE);
    let nobody = free_address();
    let file = fs::read_to_string(cluster.path("ceremony.toml")).unwrap();
    let moved = file.replace(&format!("127.0.0.1:{}", cluster.ports[0]), &nobody);
    assert_ne!(moved, file);
    let deaf = format!("4={}", free_address());
    let mut all: Vec<Running> = (1..3).map(|i| cluster.start(i)).collect();
    all.insert(0, Running::start(cluster.command(0, &["--at", &deaf])));
    fs::write(cluster.path("elsewhere.toml"), moved).unwrap();
    let mut last = cluster
        .quorate(3, &["run", &cluster.path("elsewhere.toml"), "--yes-fingerprint", &cluster.words]);
    last.args(["--listen", &format!("127.0.0.1:{}", cluster.ports[3]), "--kdf", "pbkdf2"]);
    all.push(Running::start(last));
    all[3].until("\"member-1\" (operator 1) is not reachable");
    // What the two have of each other they know from what each has signed.
    finish(all);
    cluster.check_outputs();
}

#[test]
fn giving_up_is_final_and_its_record_can_be_made_again() {
    let cluster = Cluster::new(3, 2, &ONE);
    let file = cluster.path("ceremony.toml");
    let abandon = |more: &[&str]| {
        let mut command = cluster.quorate(0, &["--json", "abandon", &file]);
        command.args(more);
        end(command)
    };
    let words = ["--yes-fingerprint", &cluster.words];
    assert_eq!(
        abandon(&words).json()["error"]["what"].as_str().unwrap().split(':').next(),
        Some("this operator has not started the ceremony \"Test cluster\"")
    );
    let mut first = cluster.start(0);
    first.until(BEGUN);
    assert_eq!(abandon(&words).code, 1, "the directory is in use");
    first.signal(Signal::INT);
    first.ends_with(5);
    assert_eq!(abandon(&[]).code, 2, "nobody is there to type");
    assert_eq!(abandon(&["--yes-fingerprint", "other words"]).code, 2);
    let status = || end(cluster.quorate(0, &["--json", "status"])).json();
    assert_eq!(status()["ceremonies"][0]["state"], "begun");

    let gone = abandon(&words).json();
    assert_eq!((&gone["exit"], &gone["prepared"]), (&0.into(), &false.into()));
    assert_eq!(names(&gone["waited_for"]), json!(["member-2", "member-3"]));
    let record = cluster.evidence(0, "stopped-given-up-");
    assert_eq!(record.len(), 1);
    let path = gone["evidence"].as_str().unwrap();
    let verdict = quorate(&["--json", "evidence", "check", path]);
    assert_eq!(verdict.code, 4);
    assert!(
        verdict.json()["said"][0]
            .as_str()
            .unwrap()
            .starts_with("\"member-1\" (operator 1) abandoned the ceremony in round 1")
    );
    assert_eq!(status()["ceremonies"][0]["state"], "given-up");

    // Killed between the log and the record: the word stands, and the record is made again, the
    // same.
    fs::remove_file(path).unwrap();
    assert_eq!(status()["ceremonies"][0]["state"], "given-up");
    assert_eq!(abandon(&[]).code, 0, "nothing is asked that was answered");
    assert_eq!(cluster.evidence(0, "stopped-given-up-"), record);

    cluster.run(0, &[]).failed(3, &["this operator has permanently abandoned this ceremony"]);
}

/// What another operator has signed that it gave up is told, once, and by status too.
#[test]
fn an_abandonment_that_was_received_is_told() {
    let cluster = Cluster::new(3, 2, &ONE);
    let ceremony = fs::read_to_string(cluster.path("ceremony.toml")).unwrap();
    let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(&ceremony).unwrap()).unwrap();
    let seat = OwnSeat::find(Arc::new(ceremony), Arc::new(cluster.operator(2))).unwrap();
    let fresh = || Secret32::new(&mut [7; 32]);
    let entropy = || Entropy { seed: fresh(), nonce: [7; 32], extra: SecretBytes::new(Vec::new()) };
    let (participant, _) = Participant::start(seat.clone(), Vec::new(), entropy).unwrap();
    let (_, word) = participant.abandon().unwrap();
    let frame = Frame::Statement(word.bytes().to_vec()).encode();

    let mut first = cluster.start(0);
    first.until(BEGUN);
    // Three connections, as if it was started anew each time: it is said once.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..3 {
        runtime.block_on(async {
            let config = TcpConfig::of(&seat, None);
            let mut tcp = Tcp::start(config).await.unwrap();
            while !tcp.send(1, frame.clone()) {
                tcp.next().await;
            }
            tcp.shutdown().await;
        });
        first.until_any(&["Lost "]);
    }
    first.signal(Signal::INT);
    let ended = first.ended();
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    let told = "has abandoned this ceremony: it has signed that it will say nothing more in it; \
                its last statement is not here";
    assert_eq!(ended.stderr.matches(told).count(), 1, "{}", ended.stderr);
    assert!(ended.stdout.contains("Abandoned by "), "{}", ended.stdout);

    let status = end(cluster.quorate(0, &["status"])).stdout;
    assert!(status.contains("\n  abandoned    ") && status.contains(told), "{status}");
    let status = end(cluster.quorate(0, &["--json", "status"])).json();
    let by = &status["ceremonies"][0]["abandoned_by"];
    assert_eq!(by.as_array().unwrap().len(), 1, "{by}");
    // And of one that nobody gave up.
    let mut second = cluster.start(1);
    second.until(BEGUN);
    drop(second.kill());
    let status = end(cluster.quorate(1, &["--json", "status"])).json();
    assert_eq!(status["ceremonies"][0]["abandoned_by"], json!([]));
}

#[test]
fn a_finished_ceremony_is_not_given_up_and_an_ordinary_one_has_no_cheats() {
    let cluster = Cluster::new(3, 2, &ONE);
    end(cluster.taking_part(0, &["demo-cheat", "--rule", "withhold"], &[]))
        .failed(2, &["works only in the ceremony of a demo"]);
    finish(cluster.start_all());
    let file = cluster.path("ceremony.toml");
    let abandon =
        || end(cluster.quorate(0, &["abandon", &file, "--yes-fingerprint", &cluster.words]));
    abandon().failed(2, &["is finished"]);
    // Also where the outputs are gone: others count on this share.
    fs::rename(cluster.out(0), cluster.out(0).with_file_name("away")).unwrap();
    abandon().failed(2, &["has signed the outputs"]);
    finish([cluster.start(0)]);
    cluster.check_outputs();
}

/// Plays a demo of a fault; gives its result, and its words.
fn demo(fault: &str) -> (TempDir, Value, String) {
    let root = TempDir::new().unwrap();
    let out = root.path().join("demo");
    let ended = must(&["--json", "demo", "--fault", fault, "--out", out.to_str().unwrap()]);
    let result = ended.json();
    assert_eq!(result["fault"], fault);
    (root, result, ended.stderr)
}

fn demo_proves(fault: &str, class: &str, honest: usize, proven: usize) {
    let (_root, result, said) = demo(fault);
    assert_eq!((&result["culprit"], &result["class"]), (&"dave".into(), &class.into()));
    let evidence = result["evidence"].as_array().unwrap();
    assert_eq!(evidence.len(), honest);
    for path in evidence {
        let verdict = quorate(&["--json", "evidence", "check", path.as_str().unwrap()]).json();
        assert_eq!(verdict["exit"], 0);
        assert_eq!(verdict["proven"].as_array().unwrap().len(), proven, "{verdict}");
        assert_eq!(verdict["proven"][0]["culprits"][0]["name"], "dave");
    }
    // Nobody said that anybody else was at fault.
    let accusing = said.lines().filter(|line| line.contains("Fault: "));
    assert!(
        accusing.clone().count() >= honest
            && accusing.clone().all(|line| {
                // Whoever is at fault comes first.
                let said = line.split_once("Fault: ").unwrap().1.trim_start_matches('"');
                said.starts_with("dave") && said.contains(" is proven to be at fault: ")
            }),
        "{said}"
    );
}

#[test]
fn demo_of_a_bad_share() {
    demo_proves("bad-share", "E3", 3, 1);
}

#[test]
fn demo_of_equivocation() {
    demo_proves("equivocate", "E1", 3, 1);
}

#[test]
fn demo_of_a_rogue_key() {
    // The deal neither opens its hello nor has proofs that verify.
    demo_proves("rogue-key", "E2", 3, 2);
}

#[test]
fn demo_of_a_false_complaint() {
    demo_proves("false-complaint", "E4", 3, 1);
}

#[test]
fn demo_of_kills_and_of_a_rollback() {
    let (_root, killed, said) = demo("kill");
    assert_eq!(
        (&killed["findings"], killed["kills"].as_u64() >= Some(1)),
        (&0.into(), true),
        "{said}"
    );
    let (_root, rolled, said) = demo("rollback");
    assert_eq!(rolled["findings"], 0);
    assert!(!said.contains("Fault: "), "{said}");
    assert!(said.contains("Nothing more is signed from it."), "{said}");
}

#[test]
fn demo_of_a_withheld_share() {
    let (_root, result, said) = demo("withhold");
    assert_eq!(result["withheld_by"], "dave");
    let path = result["evidence"][0].as_str().unwrap();
    assert_eq!(quorate(&["evidence", "check", path]).code, 4);
    assert!(!said.contains("Fault: "), "{said}");
}
