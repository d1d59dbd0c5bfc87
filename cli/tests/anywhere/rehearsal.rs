//! `quorate rehearse` on real processes: complete, begun twice, and too few; and what it leaves,
//! which is nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::scene::{NAMES, Scene};
use crate::support::files::{Found, tree};
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
        ended.failed(1, &["most likely somebody began it twice with these words"]);
        for word in ["guilty", "cheat", "evidence", "Responsible"] {
            assert!(!ended.stderr.contains(word), "{word}: {}", ended.stderr);
        }
    }
    assert!(!scene.here().join("alice/ceremonies").exists());
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

#[test]
fn a_reshare_is_not_rehearsed() {
    let scene = Scene::new(3, &[0, 1, 2]);
    let parent = "test-vectors/ceremony/3-of-4.quorate";
    fs::copy(crate::support::repository(parent), scene.here().join("parent.quorate")).unwrap();
    let args = ["reshare", "new", "--from", "parent.quorate", "--name", "Next", "-o", "next.toml"];
    end(command(scene.here(), &args)).done();
    let ended = end(scene.by(0, &["rehearse", "next.toml", "--id", "x"]));
    ended.failed(2, &["only a key generation is rehearsed: a rehearsal never reads a share"]);
}
