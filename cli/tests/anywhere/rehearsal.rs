//! `quorate rehearse` on real processes: complete, begun twice, and too few; and what it leaves,
//! which is nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quorate::message::envelope::{Round, Statement};
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::primitives::hash::Digest;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::rehearsal;
use quorate_operator::carrier::{Event, Tcp, TcpConfig};

use crate::doctor::seat_of;
use crate::scene::{NAMES, Scene};
use crate::support::demo::{Demo, OPERATORS, PLAIN};
use crate::support::files::{Found, tree};
use crate::support::ports::free_address;
use crate::support::program::{Ended, command, end};
use crate::support::running::Running;

fn rehearse(scene: &Scene, i: usize, words: &str, more: &[&str]) -> Running {
    let address = scene.address(i);
    let args = ["rehearse", "ceremony.toml", "--id", words, "--listen", &address, "--json"];
    Running::start(scene.by(i, &[&args, more].concat()))
}

/// All that the operators have, but for the locks.
fn everything(scene: &Scene, n: usize) -> Vec<BTreeMap<PathBuf, Found>> {
    let of = |name: &&str| {
        let mut all = tree(&scene.here().join(name));
        all.retain(|path, _| path.file_name().is_none_or(|name| name != "lock"));
        all
    };
    NAMES[..n].iter().map(of).collect()
}

fn all_ready(scene: &Scene, words: &str) -> Vec<Ended> {
    let running: Vec<Running> = (0..3).map(|i| rehearse(scene, i, words, &[])).collect();
    running.into_iter().map(|running| running.ends_with(0)).collect()
}

#[test]
fn a_rehearsal_is_timed_signs_in_every_group_and_leaves_nothing() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let before = everything(&scene, 3);
    for ended in all_ready(&scene, "monday, first try") {
        let json = ended.json();
        assert_eq!(json["ready"], true, "{json}");
        let rounds = json["rounds"].as_array().unwrap();
        let whats: Vec<&str> = rounds.iter().map(|round| round["what"].as_str().unwrap()).collect();
        assert_eq!(
            whats,
            ["hellos", "shares", "stored shares", "signatures", "agreement on outputs"]
        );
        for round in rounds {
            assert!(round["seconds"].as_f64().unwrap() >= 0.0);
            assert!(NAMES[..3].contains(&round["last"]["name"].as_str().unwrap()));
        }
        assert!(NAMES[..3].contains(&json["slowest"]["name"].as_str().unwrap()));
        assert_eq!(json["groups"], serde_json::json!({ "tried": 3, "all": true, "failed": 0 }));
        assert!(!ended.stderr.contains("Outputs are written"), "{}", ended.stderr);
    }
    assert_eq!(everything(&scene, 3), before, "nothing was written");
    // The ceremony itself begins as if nothing had been.
    let all = [0, 1, 2].map(|i| scene.listen(i, &[]));
    all.into_iter().for_each(|running| drop(running.ends_with(0)));
}

/// The four of a demo, with its outputs in their directories: every group of three can sign, and
/// there is no file more for any program to read.
#[test]
fn the_operators_of_a_demo_rehearse_and_leave_no_file() {
    let demo = Demo::new(PLAIN);
    let files = || {
        let mut all = tree(&demo.path("demo"));
        all.retain(|path, _| path.file_name().is_none_or(|name| name != "lock"));
        all
    };
    let before = files();
    let at: Vec<(&str, String)> = OPERATORS.iter().map(|name| (*name, free_address())).collect();
    let typed: Vec<String> = at.iter().map(|(name, place)| format!("{name}={place}")).collect();
    let running: Vec<Running> = at
        .iter()
        .map(|(name, place)| {
            let args = ["rehearse", "demo/ceremony.toml", "--id", "demo", "--listen", place];
            let others = typed.iter().flat_map(|at| ["--at", at.as_str()]);
            demo.start(name, &args.into_iter().chain(others).collect::<Vec<_>>())
        })
        .collect();
    for running in running {
        let json = running.ends_with(0).json();
        assert_eq!(json["groups"], serde_json::json!({ "tried": 4, "all": true, "failed": 0 }));
        assert_eq!(json["rounds"].as_array().unwrap().len(), 5, "{json}");
    }
    assert_eq!(files(), before);
}

/// After the ceremony there are shares, and a rehearsal opens no file of them.
#[test]
fn no_file_with_shares_is_opened() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let all = [0, 1, 2].map(|i| scene.listen(i, &[]));
    all.into_iter().for_each(|running| drop(running.ends_with(0)));
    let ceremonies = scene.here().join("alice/ceremonies");
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let age = |path: &PathBuf| {
        let times = fs::FileTimes::new().set_accessed(long_ago);
        fs::File::options().write(true).open(path).unwrap().set_times(times).unwrap();
    };
    let read = |path: &PathBuf| fs::metadata(path).unwrap().accessed().unwrap() != long_ago;
    let control = scene.here().join("control");
    fs::write(&control, "x").unwrap();
    age(&control);
    fs::read(&control).unwrap();
    if !read(&control) {
        eprintln!("SKIPPED: this file system does not tell when a file is read");
        return;
    }
    let files: Vec<PathBuf> = tree(&ceremonies)
        .into_keys()
        .map(|path| ceremonies.join(path))
        .filter(|path| path.is_file())
        .collect();
    assert!(files.iter().any(|path| path.ends_with("log.sealed")), "{files:?}");
    files.iter().for_each(age);
    all_ready(&scene, "afterwards");
    let opened: Vec<&PathBuf> = files.iter().filter(|path| read(path)).collect();
    assert_eq!(opened, Vec::<&PathBuf>::new());
}

#[test]
fn words_that_were_used_stop_it_and_blame_nobody() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let mut alice = rehearse(&scene, 0, "twice", &["--wait", "60"]);
    let mut bob = rehearse(&scene, 1, "twice", &["--wait", "60"]);
    alice.until("Waiting for");
    bob.until("Waiting for \"carol\"");
    alice.until("Waiting for \"carol\"");
    drop(bob.kill());
    let again = rehearse(&scene, 1, "twice", &["--wait", "60"]);
    for ended in [alice.ended(), again.ended()] {
        ended.failed(1, &["with these words", "all operators begin another one, with other words"]);
        for word in ["guilty", "cheat", "evidence", "Responsible"] {
            assert!(!ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
    }
    assert!(!scene.here().join("alice/ceremonies").exists());
}

/// A program that computes something wrong is no matter of beginning twice.
#[test]
fn a_broken_program_is_told_from_a_second_beginning() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let others = [0, 2].map(|i| rehearse(&scene, i, "broken", &["--wait", "60"]));
    let own = seat_of(&scene, 1);
    let rehearsed = Arc::new(rehearsal::of(&own.ceremony, "broken").unwrap());
    let bob = OwnSeat::find(rehearsed.clone(), own.operator.clone()).unwrap();
    // A hello of the right length, with the same key for everybody.
    let body = vec![0; Shape::of(&rehearsed).owes(bob.me, Round::Hello).unwrap()];
    let (session, zero) = (rehearsed.digest(), Digest::ZERO);
    let key = bob.operator.key();
    let hello = Statement::sign(key, bob.me, Round::Hello, session, zero, &body);
    let frame = Frame::Statement(hello.bytes().to_vec()).encode();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listen = scene.address(1);
    runtime.block_on(async {
        let mut tcp = Tcp::start(TcpConfig::of(&bob, Some(listen.as_str().into()))).await.unwrap();
        let mut told = BTreeSet::new();
        while told.len() < 2 {
            if let Event::Up { peer, .. } = tcp.next().await {
                assert!(tcp.send(peer, frame.clone()));
                told.insert(peer);
            }
        }
        tcp.shutdown().await;
    });
    for ended in others.map(Running::ended) {
        let (no, what) = ("began it twice", "no matter of beginning twice: ");
        assert!(!ended.stderr.contains(no), "{}", ended.stderr);
        ended.failed(1, &[what, "look at the program and the machine of \"bob\" (operator 2)"]);
    }
}

#[test]
fn whoever_does_not_come_is_named() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let [alice, bob] = [0, 1].map(|i| rehearse(&scene, i, "too few", &["--wait", "12"]));
    // With other words, it is another rehearsal.
    let carol = rehearse(&scene, 2, "to few", &["--wait", "12"]);
    for ended in [alice, bob].map(|running| running.ended().ended_with(5)) {
        let json = ended.json();
        assert_eq!(json["waiting_for"][0]["name"], "carol", "{json}");
        assert_eq!(json["ready"], false);
    }
    let carol = carol.ended().ended_with(5);
    assert!(carol.stderr.contains("with a different ceremony file"), "{}", carol.stderr);
}

/// Operators whom nobody can call rehearse through the one that all reach, one with a packet.
#[test]
fn a_rehearsal_meets_where_the_ceremony_does() {
    let scene = Scene::new(3, &[1]);
    end(command(scene.here(), &["spec", "pack", "ceremony.toml", "--for", "carol"])).done();
    let of = |i: usize, file: &str, more: &[&str]| {
        let args = ["rehearse", file, "--id", "by a hub", "--json"];
        Running::start(scene.by(i, &[&args, more].concat()))
    };
    let address = scene.address(1);
    let all = [
        of(0, "ceremony.toml", &[]),
        of(1, "ceremony.toml", &["--listen", &address]),
        of(2, "carol.packet", &[]),
    ];
    for running in all {
        assert_eq!(running.ends_with(0).json()["ready"], true);
    }
}

/// Puts a pipe in the place of each file below a folder: whoever opens one waits for ever. Their
/// names.
fn as_pipes(folder: &Path) -> Vec<PathBuf> {
    let files: Vec<PathBuf> =
        tree(folder).into_keys().filter(|path| folder.join(path).is_file()).collect();
    for path in files.iter().map(|path| folder.join(path)) {
        fs::remove_file(&path).unwrap();
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success(), "{}", path.display());
    }
    files
}

/// What these operators end with, who rehearse this file at the addresses of the scene.
fn rehearsed(scene: &Scene, file: &str, groups: usize) {
    let at: Vec<String> = NAMES[..3]
        .iter()
        .zip(0..)
        .map(|(name, i)| format!("{name}={}", scene.address(i)))
        .collect();
    let at: Vec<&str> = at.iter().flat_map(|at| ["--at", at.as_str()]).collect();
    let before = everything(scene, 3);
    let running = [0, 1, 2].map(|i| {
        let address = scene.address(i);
        let args = ["rehearse", file, "--id", "next", "--listen", &address, "--json"];
        Running::start(scene.by(i, &[&args[..], &at].concat()))
    });
    for ended in running.map(|running| running.ends_with(0)) {
        let json = ended.json();
        assert_eq!(json["ready"], true, "{json}");
        assert_eq!(json["rounds"].as_array().unwrap().len(), 5, "{json}");
        assert_eq!(
            json["groups"],
            serde_json::json!({ "tried": groups, "all": true, "failed": 0 })
        );
        // Nobody is asked to stop, for keystores or for a transcript.
        for word in ["--stopped", "--keystores", "--from"] {
            assert!(!ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
    }
    assert_eq!(everything(scene, 3), before, "nothing was written");
}

/// Three with shares, their files with shares as pipes, and the transcript beside them.
fn with_shares() -> Scene {
    let scene = Scene::new(3, &[0, 1, 2]);
    let all = [0, 1, 2].map(|i| scene.listen(i, &[]));
    all.into_iter().for_each(|running| drop(running.ends_with(0)));
    fs::write(scene.here().join("parent.quorate"), scene.transcript(0)).unwrap();
    for name in &NAMES[..3] {
        let pipes = as_pipes(&scene.here().join(name).join("ceremonies"));
        assert!(pipes.iter().any(|path| path.ends_with("log.sealed")), "a log with shares");
    }
    scene
}

/// Operators who have shares rehearse a reshare to another threshold. Each of their files with
/// shares is a pipe meanwhile, at which whoever opens it waits for ever; nothing is asked of
/// anybody, and nothing is written.
#[test]
fn a_reshare_is_rehearsed_without_a_share() {
    let scene = with_shares();
    let args = ["reshare", "new", "--from", "parent.quorate", "--name", "Next", "-o", "next.toml"];
    let more = ["--threshold", "3", "--allow-all-required"];
    end(command(scene.here(), &[&args[..], &more].concat())).done();
    rehearsed(&scene, "next.toml", 1);
}

/// The cards of three, each with the address of the scene.
fn cards(scene: &Scene) -> Vec<String> {
    let card = |i: usize| {
        let shown = end(scene.by(i, &["identity", "show", "--json"])).done().json();
        format!("{}@{}", shown["card"].as_str().unwrap(), scene.address(i))
    };
    [0, 1, 2].map(card).into_iter().flat_map(|card| ["--operator".to_owned(), card]).collect()
}

/// The same of a repair: what the helpers hold is pipes, and what was lost is gone.
#[test]
fn a_repair_is_rehearsed_without_a_share() {
    let scene = with_shares();
    let bob = scene.here().join("bob");
    fs::remove_dir_all(bob.join("ceremonies")).unwrap();
    for name in ["install.mark", "operator.card"] {
        let _ = fs::remove_file(bob.join(name));
    }
    let args = ["repair", "new", "--from", "parent.quorate", "--lost", "bob", "-o", "repair.toml"];
    let args = args.into_iter().chain(["--yes-destroyed", "the old machine is destroyed"]);
    let args: Vec<String> = args.map(str::to_owned).chain(cards(&scene)).collect();
    end(command(scene.here(), &args)).done();
    rehearsed(&scene, "repair.toml", 3);
    assert!(!bob.join("ceremonies").exists());
}

/// The same of an import: the keystores from which the file was made are pipes, with their
/// passwords.
#[test]
fn an_import_is_rehearsed_without_a_keystore() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let solo = scene.here().join("solo");
    fs::create_dir(&solo).unwrap();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors/ethereum");
    fs::copy(vectors.join("eip2335/test0.json"), solo.join("keystore-0.json")).unwrap();
    fs::write(solo.join("keystore-0.txt"), "not looked at").unwrap();
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let args = ["import", "new", "--keystores", "solo", "--name", "Solo", "-o", "import.toml"];
    let more = ["--network", "hoodi", "--threshold", "2", "--withdrawal", address];
    let all = [&args[..], &more, &["--compounding", "false"]].concat();
    let all: Vec<String> = all.into_iter().map(str::to_owned).chain(cards(&scene)).collect();
    end(command(scene.here(), &all)).done();
    assert_eq!(as_pipes(&solo).len(), 2);
    rehearsed(&scene, "import.toml", 3);
    assert!(!scene.here().join("alice/ceremonies").exists());
}
