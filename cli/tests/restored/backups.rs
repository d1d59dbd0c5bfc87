//! Backups: what is in one, what is refused, and what a directory that comes out of one does.

use std::fs;
use std::path::Path;

use quorate::identity::OperatorCard;
use quorate_operator::store::{IDENTITY_FILE, MARK_FILE};
use serde_json::{Value, json};

use crate::scene::{MOMENTS, Reached, Scene, copy};
use crate::support::files::{files, mode, private, tree};
use crate::support::program::quorate;

const CHEAP: [&str; 2] = ["--kdf-cost", "10"];

fn make<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["backup", "make", file][..], &CHEAP, more].concat()
}

/// A directory of the first operator as it was at a moment, to be changed.
fn directory(scene: &Scene, moment: Reached, name: &str) -> std::path::PathBuf {
    let dir = scene.path(name);
    copy(&scene.at(moment, 0), &dir);
    dir
}

fn restored(scene: &Scene, name: &str, file: &str) -> std::path::PathBuf {
    let dir = scene.path(name);
    let ended = scene.quorate(&dir, &[&["backup", "restore", file][..], &CHEAP].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    dir
}

fn status(scene: &Scene, dir: &Path) -> Value {
    scene.quorate(dir, &["--json", "status"]).json()
}

#[test]
fn a_finished_ceremony_comes_back_elsewhere() {
    let scene = Scene::played();
    let dir = directory(&scene, Reached::Finished, "old");
    private(dir.join("signing.toml"), "exits = \"never\"\n");
    assert_eq!(status(&scene, &dir)["backup"], Value::Null);
    let made = scene.quorate(&dir, &make("alice.backup", &["--json"]));
    assert_eq!(made.code, 0, "{}", made.stderr);
    let folder = scene.folder(&dir).file_name().unwrap().to_str().unwrap().to_owned();
    let said = made.json();
    assert_eq!(said["ceremonies"][0]["folder"], folder.as_str());
    assert_eq!(said["ceremonies"][0]["state"], "finished");
    assert_eq!((&said["signing_toml"], &said["left_out"]), (&json!(true), &json!([])));
    assert_eq!(mode(scene.path("alice.backup")), 0o600);
    // Never over another file.
    scene.quorate(&dir, &make("alice.backup", &[])).failed(1, &["exists"]);

    // It is noted, and what is not in it, too.
    let noted = status(&scene, &dir);
    assert_eq!(noted["backup"]["made"], said["made"]);
    assert_eq!(noted["backup"]["missing"], json!([]));
    let text = scene.quorate(&dir, &["status"]).done().stdout;
    assert!(text.contains("\n  backup     made 20") && text.contains("an hour ago"), "{text}");
    let checked = scene.quorate(&dir, &["backup", "check", "alice.backup"]).done();
    assert!(checked.stdout.contains("every part of it is whole"), "{}", checked.stdout);

    // The machine is gone.
    let before = files(&scene.folder(&dir).join("out"));
    fs::remove_dir_all(&dir).unwrap();
    let new = restored(&scene, "new", "alice.backup");
    let there = |name: &str| fs::read(new.join(name)).unwrap();
    let old_mark = fs::read(scene.at(Reached::Finished, 0).join(MARK_FILE)).unwrap();
    assert_ne!(there(MARK_FILE), old_mark, "a fresh mark");
    assert_eq!(there("signing.toml"), b"exits = \"never\"\n");
    let card = OperatorCard::parse(String::from_utf8(there("operator.card")).unwrap().trim());
    assert_eq!(card.unwrap().mark.unwrap().0.to_vec(), there(MARK_FILE));
    for name in [IDENTITY_FILE, MARK_FILE, "operator.card", "signing.toml"] {
        assert_eq!(mode(new.join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&new), 0o700);
    assert_eq!(mode(scene.folder(&new).join("log.sealed")), 0o600);
    // Every output is there again, with the same bytes.
    assert_eq!(files(&scene.folder(&new).join("out")), before);

    // It says so, and answers; nothing newer is known.
    let status = status(&scene, &new);
    assert_eq!(status["ceremonies"][0]["state"], "finished");
    assert_eq!(status["ceremonies"][0]["restored"]["backup_made"], said["made"]);
    assert_eq!(status["ceremonies"][0]["restored"]["newest"], false);
    fs::remove_file(new.join("signing.toml")).unwrap();

    // Keystores only after the sentence.
    let export = ["export", "keystores", "ceremony.toml", "--kdf", "pbkdf2", "--out", "keystores"];
    let refused = scene.quorate(&new, &export);
    refused.failed(2, &["came out of a backup of 20", "Ask at least 2 of the other operators"]);
    let wrong = [&export[..], &["--yes-newest", "yes"]].concat();
    scene.quorate(&new, &wrong).failed(2, &["that is not the sentence"]);
    assert!(!scene.path("keystores").exists());
    let word = ["--yes-newest", "no newer shares of these validators exist"];
    scene.quorate(&new, &[&export[..], &word].concat()).done();
    assert_eq!(self::status(&scene, &new)["ceremonies"][0]["restored"]["newest"], true);
    // And it is remembered.
    let again = [&export[..6], &["again"]].concat();
    scene.quorate(&new, &again).done();
}

#[test]
fn a_ceremony_under_way_is_in_no_backup() {
    let scene = Scene::played();
    for moment in MOMENTS {
        if moment == Reached::Finished {
            continue;
        }
        let dir = directory(&scene, moment, &format!("running-{moment:?}"));
        let folder = scene.folder(&dir).file_name().unwrap().to_str().unwrap().to_owned();
        let refused = scene.quorate(&dir, &make("running.backup", &[]));
        let named =
            format!("{folder}, \"Test cluster\", attempt 1: neither finished nor abandoned");
        refused.failed(1, &["no backup was made", &named, &format!("--leave-out {folder}")]);
        assert!(!scene.path("running.backup").exists());

        // Left out, it does not come back, and the new directory begins nothing in it.
        let file = format!("{moment:?}.backup");
        let made = scene.quorate(&dir, &make(&file, &["--leave-out", &folder, "--json"]));
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert_eq!(made.json()["left_out"], json!([folder]));
        let log = fs::read(scene.folder(&dir).join("log.sealed")).unwrap();
        let sealed = fs::read(scene.path(&file)).unwrap();
        assert!(sealed.len() < 2048 && log.len() > 12288, "no log is in it");
        let new = restored(&scene, &format!("new-{moment:?}"), &file);
        assert!(!scene.folder(&new).exists());
        let words = scene.words();
        let run = scene.quorate(&new, &["run", "ceremony.toml", "--yes-fingerprint", &words]);
        run.failed(1, &["this identity was restored", "nothing was signed"]);
    }
    let dir = directory(&scene, Reached::Finished, "over");
    let folder = scene.folder(&dir).file_name().unwrap().to_str().unwrap().to_owned();
    scene
        .quorate(&dir, &make("over.backup", &["--leave-out", &folder]))
        .failed(2, &["this ceremony is over, and belongs in the backup"]);
    scene
        .quorate(&dir, &make("over.backup", &["--leave-out", "0123456789abcdef"]))
        .failed(2, &["there is no ceremony with this folder here"]);
    assert!(!scene.path("over.backup").exists());
}

/// A backup of before is put back while others have finished: nobody holds anything against it.
#[test]
fn an_old_backup_incriminates_nobody() {
    let scene = Scene::played();
    let dir = directory(&scene, Reached::Said(quorate::message::envelope::Round::Deal), "early");
    let folder = scene.folder(&dir).file_name().unwrap().to_str().unwrap().to_owned();
    scene.quorate(&dir, &make("early.backup", &["--leave-out", &folder])).done();
    let new = restored(&scene, "put-back", "early.backup");
    let others = scene.others(Reached::Finished);
    let words = scene.words();
    let run = scene.quorate(&new, &["run", "ceremony.toml", "--yes-fingerprint", &words]);
    run.failed(1, &["this identity was restored"]);
    // One of a finished ceremony goes on serving the others, and all of them agree.
    let dir = directory(&scene, Reached::Finished, "late");
    scene.quorate(&dir, &make("late.backup", &[])).done();
    let new = restored(&scene, "served", "late.backup");
    let run = scene.quorate(&new, &["run", "ceremony.toml", "--linger", "0"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    others.stop();
    for at in [1, 2] {
        let status = status(&scene, &scene.path(&format!("run-{at}")));
        assert_eq!(status["ceremonies"][0]["proven"], json!([]), "{status}");
        assert_eq!(status["ceremonies"][0]["evidence"], json!([]), "{status}");
    }
}

#[test]
fn a_file_that_is_no_backup_writes_nothing() {
    let scene = Scene::played();
    let dir = directory(&scene, Reached::Finished, "dir");
    scene.quorate(&dir, &make("good.backup", &[])).done();
    let good = fs::read(scene.path("good.backup")).unwrap();
    let refused = |name: &str, bytes: &[u8], words: &str| {
        fs::write(scene.path(name), bytes).unwrap();
        let new = scene.path("never");
        for command in ["check", "restore"] {
            scene.quorate(&new, &["backup", command, name]).failed(1, &[words]);
        }
        assert!(!new.exists());
    };
    refused("empty", b"", "not a backup");
    refused("cut", &good[..good.len() - 1], "damaged: its checksum does not match");
    let mut changed = good.clone();
    changed[100] ^= 1;
    refused("changed", &changed, "damaged: its checksum does not match");
    let identity = fs::read(dir.join(IDENTITY_FILE)).unwrap();
    refused("identity", &identity, "wrong passphrase, or not a backup");

    let check = ["backup", "check", "good.backup", "--passphrase-file", "other"];
    private(scene.path("other"), "another passphrase");
    quorate(&scene.path(""), &check).failed(1, &["wrong passphrase"]);
    // Never over a directory that is there.
    let before = tree(&dir);
    scene.quorate(&dir, &["backup", "restore", "good.backup"]).failed(1, &["exists"]);
    assert_eq!(tree(&dir), before);
    let names: Vec<_> = fs::read_dir(scene.path("")).unwrap().flatten().collect();
    let left = names.iter().any(|entry| entry.file_name().to_string_lossy().contains("unfinished"));
    assert!(!left, "nothing half-made is left");
}
