//! A log that was put back: what every command says at every pair of a moment and an older copy.

use std::fs;
use std::path::{Path, PathBuf};

use quorate::message::envelope::Round;
use quorate::protocol::record::RecordKind;
use quorate_operator::machine::{GIVEN_UP, PUT_BACK};
use quorate_operator::store::{Log, StateDir};

use crate::scene::{MOMENTS, Reached, Scene, copy};

const SAID: &str = "this log was put back to an earlier state";

fn name(round: Round) -> &'static str {
    match round {
        Round::Hello => "HELLO",
        Round::Deal => "DEAL",
        Round::Prepare => "PREPARE",
        Round::Commit => "COMMIT",
        Round::Final => "FINAL",
    }
}

/// The first operator's directory at `moment`, with its log from `older`.
fn put_back(scene: &Scene, moment: Reached, older: Reached) -> PathBuf {
    let dir = scene.path("run-0");
    let _ = fs::remove_dir_all(&dir);
    copy(&scene.at(moment, 0), &dir);
    put_log(scene, older, &dir);
    dir
}

fn put_log(scene: &Scene, from: Reached, dir: &Path) {
    let log = |dir: &Path| scene.folder(dir).join("log.sealed");
    fs::copy(log(&scene.at(from, 0)), log(dir)).unwrap();
}

/// The first operator's own statements in its log.
fn own(scene: &Scene, dir: &Path) -> Vec<Vec<u8>> {
    let state = StateDir::open(dir).unwrap();
    let view = state.find(&scene.ceremony.digest()).unwrap().unwrap();
    let digest = scene.ceremony.digest();
    let records = Log::read(&view, scene.all[0].storage_key(), digest.as_bytes()).unwrap();
    let statements = records
        .iter()
        .filter(|record| record.kind == RecordKind::Statement as u8)
        .map(|record| record.body.expose().to_vec());
    statements.filter(|body| body[9] == 1).collect()
}

fn evidence(scene: &Scene, dir: &Path, what: &str) -> usize {
    let state = StateDir::open(dir).unwrap();
    let view = state.find(&scene.ceremony.digest()).unwrap().unwrap();
    view.evidence_of(what).unwrap().len()
}

/// What every command says once it is known, with nobody there.
fn all_say_so(scene: &Scene, dir: &Path, because: &str, outputs: bool) {
    let before = own(scene, dir);
    let words = scene.words();
    let out = scene.path("never");
    let commands: [&[&str]; 3] = [
        &["run", "ceremony.toml"],
        &["abandon", "ceremony.toml", "--yes-fingerprint", &words],
        &["export", "keystores", "ceremony.toml", "--out", out.to_str().unwrap()],
    ];
    let share = if outputs { "out/secret: keep it" } else { "only in the newest log" };
    for command in commands {
        let ended = scene.quorate(dir, command);
        ended.failed(1, &[SAID, because, "put the newest copy of", share]);
        for never in ["aiting for", "othing is lost", "finish it", "no key", "Abandoned"] {
            assert!(!ended.stderr.contains(never), "{command:?}: {}", ended.stderr);
        }
    }
    assert!(!out.exists());
    assert_eq!(own(scene, dir), before, "nothing was signed");
    assert_eq!(evidence(scene, dir, GIVEN_UP), 0);

    let status = scene.quorate(dir, &["--json", "status"]).done().json();
    let of = &status["ceremonies"][0];
    assert_eq!(of["state"], "put-back", "{status}");
    assert_eq!(of["waiting_for"], serde_json::Value::Null);
    assert!(of["put_back"].as_str().unwrap().contains(because), "{status}");
    assert_eq!(of["outputs"].is_string(), outputs, "{status}");
    assert_eq!(of["proven"], serde_json::json!([]), "nobody is at fault");
    scene.quorate(dir, &["status", "--check"]).ended_with(5);
    let status = scene.quorate(dir, &["status"]).done().stdout;
    let says = "signs nothing more from it, and waits for nobody";
    assert!(status.contains(says) && status.contains(because), "{status}");
}

#[test]
fn what_every_command_says_of_every_older_copy() {
    let scene = Scene::played();
    let mut pairs = 0;
    for moment in MOMENTS {
        for older in MOMENTS.into_iter().filter(|older| *older < moment) {
            pairs += 1;
            let dir = put_back(&scene, moment, older);
            let before = own(&scene, &dir);
            let finished = moment == Reached::Finished;
            if older >= Reached::Said(Round::Prepare) {
                goes_on(&scene, moment, &dir);
                continue;
            }
            if finished {
                // The outputs tell it, with nobody there.
                all_say_so(&scene, &dir, "outputs are written", true);
                fs::remove_dir_all(scene.folder(&dir).join("out")).unwrap();
            }
            let others = scene.others(moment);
            let ended = scene.quorate(&dir, &["run", "ceremony.toml", "--no-keystores"]);
            others.stop();
            let holds = format!("others hold your {}", name(moment.last_round()));
            ended.failed(1, &[SAID, &holds, "Nothing more is signed from it"]);
            assert!(!ended.stderr.contains("Fault"), "{}", ended.stderr);
            assert_eq!(own(&scene, &dir), before, "{moment:?} {older:?}: nothing was signed");
            assert!(evidence(&scene, &dir, PUT_BACK) > 0);
            all_say_so(&scene, &dir, &holds, false);
            // Without the passphrase, the note tells it.
            let bare = crate::support::program::quorate(
                &scene.path(""),
                &["--dir", dir.to_str().unwrap(), "status"],
            );
            assert!(bare.done().stdout.contains("its log was put back"));

            // The newest log accounts for everything.
            put_log(&scene, moment, &dir);
            let status = scene.quorate(&dir, &["--json", "status"]).json();
            assert_eq!(status["ceremonies"][0]["state"], "begun", "{status}");
            if finished {
                let others = scene.others(moment);
                scene.quorate(&dir, &["run", "ceremony.toml", "--no-keystores"]).done();
                others.stop();
                assert_eq!(evidence(&scene, &dir, PUT_BACK), 0, "the note is gone");
            }
        }
    }
    assert_eq!(pairs, 15);
}

/// A copy that holds the share takes what it had signed from its outputs, or from the others, signs
/// nothing else, and finishes.
fn goes_on(scene: &Scene, moment: Reached, dir: &Path) {
    let before = own(scene, &scene.at(moment, 0));
    let run = ["run", "ceremony.toml", "--no-keystores"];
    if moment == Reached::Finished {
        // With nobody there.
        let alone = scene.path("alone");
        let _ = fs::remove_dir_all(&alone);
        copy(dir, &alone);
        let status = scene.quorate(&alone, &["--json", "status"]).done().json();
        assert_eq!(status["ceremonies"][0]["state"], "finished", "{status}");
        let out = scene.path("keystores");
        let _ = fs::remove_dir_all(&out);
        let export = ["export", "keystores", "ceremony.toml", "--kdf", "pbkdf2", "--out"];
        scene.quorate(&alone, &[&export[..], &[out.to_str().unwrap()]].concat()).done();
        assert!(out.exists());
        fs::remove_dir_all(scene.folder(dir).join("out")).unwrap();
    }
    let others = scene.others(moment);
    scene.quorate(dir, &run).done();
    others.stop();
    let signed = own(scene, dir);
    assert!(before.iter().all(|said| signed.contains(said)), "{moment:?}: the same statements");
    assert_eq!(signed.len(), 5, "{moment:?}: one of each round");
    assert_eq!(evidence(scene, dir, PUT_BACK), 0);
}
