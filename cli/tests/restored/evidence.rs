//! Files that somebody has put among an operator's evidence: their names prove nothing.

use std::fs;
use std::path::{Path, PathBuf};

use quorate::message::envelope::Round;

use crate::scene::{Reached, Scene, copy, private};

/// The first operator's directory after HELLO, and its folder of evidence.
fn begun(scene: &Scene) -> (PathBuf, PathBuf) {
    let dir = scene.path("run-0");
    let _ = fs::remove_dir_all(&dir);
    copy(&scene.at(Reached::Said(Round::Hello), 0), &dir);
    let evidence = scene.folder(&dir).join("evidence");
    private(&evidence);
    (dir, evidence)
}

/// Somebody else's abandonment of the same ceremony, made by its own command.
fn abandonment_of_another(scene: &Scene) -> PathBuf {
    let dir = scene.path("run-1");
    copy(&scene.at(Reached::Said(Round::Hello), 1), &dir);
    let words = scene.words();
    scene.quorate(&dir, &["abandon", "ceremony.toml", "--yes-fingerprint", &words]).done();
    let evidence = scene.folder(&dir).join("evidence");
    let mut files = fs::read_dir(evidence).unwrap().map(|file| file.unwrap().path());
    files.find(|path| path.to_str().unwrap().contains("stopped-given-up-")).unwrap()
}

#[test]
fn files_of_others_among_the_evidence_say_nothing() {
    let scene = Scene::played();
    let given_up = abandonment_of_another(&scene);
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors/version-1/evidence");
    let name = given_up.file_name().unwrap().to_str().unwrap();
    let cases = [
        ("notes.txt", Path::new("/dev/null").to_owned(), "not a file of this program's"),
        ("fault-0123456789abcdef.quorate", vectors.join("B2.quorate"), "of another ceremony"),
        ("fault-fedcba9876543210.quorate", PathBuf::from("/dev/null"), "unreadable"),
        (name, given_up.clone(), "of another operator, not this one's"),
    ];
    for (name, from, why) in cases {
        let (dir, evidence) = begun(&scene);
        fs::write(evidence.join(name), fs::read(from).unwrap()).unwrap();
        let status = scene.quorate(&dir, &["status"]).done().stdout;
        assert!(status.contains(name) && status.contains(why), "{name}: {status}");
        assert!(!status.contains("proven") && !status.contains("stopped by a fault"), "{status}");
        let status = scene.quorate(&dir, &["--json", "status"]).done().json();
        let of = &status["ceremonies"][0];
        assert_eq!((&of["state"], &of["proven"]), (&"begun".into(), &serde_json::json!([])));
        assert!(of["next"].as_str().unwrap().contains(" run "), "{status}");
    }
}

/// Its own abandonment counts, although the log beside it was put back to one without it.
#[test]
fn an_own_abandonment_counts_beside_a_log_without_it() {
    let scene = Scene::played();
    let dir = scene.path("run-0");
    let words = scene.words();
    for moment in [Round::Hello, Round::Prepare].map(Reached::Said) {
        let _ = fs::remove_dir_all(&dir);
        copy(&scene.at(moment, 0), &dir);
        let log = scene.folder(&dir).join("log.sealed");
        let before = fs::read(&log).unwrap();
        scene.quorate(&dir, &["abandon", "ceremony.toml", "--yes-fingerprint", &words]).done();
        fs::write(&log, &before).unwrap();
        let ended = scene.quorate(&dir, &["run", "ceremony.toml", "--no-keystores"]);
        ended.failed(1, &["you have abandoned this ceremony, which is not in this log"]);
        assert_eq!(fs::read(&log).unwrap(), before, "nothing was signed");
        let status = scene.quorate(&dir, &["--json", "status"]).done().json();
        assert_eq!(status["ceremonies"][0]["state"], "given-up", "{status}");
    }
}

/// What is called outputs and is not this ceremony's is no sign of anything: it is in the way.
#[test]
fn outputs_of_nothing_are_in_the_way_of_a_log_without_a_share() {
    let scene = Scene::played();
    let dir = scene.path("run-0");
    copy(&scene.at(Reached::Said(Round::Deal), 0), &dir);
    let out = scene.folder(&dir).join("out");
    private(&out);
    for command in [&["run", "ceremony.toml", "--no-keystores"][..], &["abandon", "ceremony.toml"]]
    {
        let ended = scene.quorate(&dir, command);
        ended.failed(1, &["not the outputs of this ceremony", "Otherwise move the folder away"]);
    }
    fs::remove_dir(&out).unwrap();
    let others = scene.others(Reached::Said(Round::Deal));
    scene.quorate(&dir, &["run", "ceremony.toml", "--no-keystores"]).done();
    others.stop();
}

/// In the last round this operator has signed everything; it waits for the others' FINAL.
#[test]
fn status_in_the_last_round_names_who_is_awaited() {
    let scene = Scene::played();
    let dir = scene.path("run-0");
    copy(&scene.at(Reached::Said(Round::Final), 0), &dir);
    let status = scene.quorate(&dir, &["--json", "status"]).done().json();
    let of = &status["ceremonies"][0];
    assert_eq!(of["state"], "begun", "{status}");
    let awaited: Vec<&serde_json::Value> =
        of["waiting_for"].as_array().unwrap().iter().map(|one| &one["index"]).collect();
    assert_eq!(awaited, [&serde_json::json!(2), &serde_json::json!(3)], "{status}");
    let text = scene.quorate(&dir, &["status"]).done().stdout;
    assert!(text.contains("in round 5 of 5") && !text.contains("for nobody"), "{text}");
}
