//! Shares that are dealt anew after one of them came back in a repair: a backup of everything is
//! restored, and nothing writes keystores of the old ones again.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::reshared::{PARENT, SENTENCE, draft, outputs, start, up_to_the_stop};
use crate::support::demo::{Demo, REPAIRED};
use crate::support::files::files;
use crate::support::program::Ended;
use crate::support::running::Running;

const THREE: [&str; 3] = ["alice", "bob", "carol"];
const FIRST: &str = "demo/ceremony.toml";
const REPAIR: &str = "demo/repair.toml";

/// A key generation, the repair of carol's share of it, and a finished reshare of it, which is
/// `next.toml`.
fn scene() -> Demo {
    let demo = Demo::new(REPAIRED);
    let transcript = outputs(&demo, "alice", FIRST).join("public/transcript.quorate");
    fs::copy(transcript, demo.path(PARENT)).unwrap();
    let file = draft(&demo, "next", &THREE, &[]);
    up_to_the_stop(&demo, &file, &THREE);
    let said = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
    let running: Vec<Running> =
        THREE.iter().map(|operator| start(&demo, operator, &file, &said)).collect();
    running.into_iter().for_each(|running| drop(running.ended().done()));
    demo
}

/// Removes what this operator has, after a backup that is found whole, and restores it.
fn lost_and_restored(demo: &Demo, operator: &str) {
    let (file, cheap) = (format!("{operator}.backup"), ["--kdf-cost", "10"]);
    let backup = |what: &str, more: &[&str]| {
        demo.by(operator, &[&["backup", what, &file][..], more].concat()).done()
    };
    backup("make", &cheap);
    backup("check", &[]);
    fs::remove_dir_all(demo.path("demo").join(operator)).unwrap();
    backup("restore", &cheap);
}

fn has_keystores(folder: &Path) -> bool {
    folder.is_dir() && files(folder).keys().any(|name| name.contains("keystore"))
}

/// The helpers have a finished repair beside the reshare too.
#[test]
fn a_backup_after_a_repair_and_a_reshare_of_its_parent_is_restored() {
    let demo = scene();
    let all = [FIRST, REPAIR, "next.toml"];
    // Of the key generation carol has had nothing since her machine was lost.
    for (operator, all) in [("carol", &all[1..]), ("bob", &all[..])] {
        let transcripts = || -> Vec<Vec<u8>> {
            let of = |file: &&str| outputs(&demo, operator, file).join("public/transcript.quorate");
            all.iter().map(|file| fs::read(of(file)).unwrap()).collect()
        };
        let notes = files(&demo.path("demo").join(operator).join("children"));
        let before = transcripts();
        lost_and_restored(&demo, operator);
        assert!(transcripts() == before, "{operator}");
        let restored = files(&demo.path("demo").join(operator).join("children"));
        assert_eq!((restored.len(), restored == notes), (1, true), "{operator}");
        let status = demo.by(operator, &["status"]).json();
        let states = status["ceremonies"].as_array().unwrap().iter().map(|one| &one["state"]);
        assert!(states.clone().all(|state| state == "finished"), "{operator}: {status}");
        assert_eq!(states.count(), all.len(), "{operator}: {status}");
        let dir = format!("demo/{operator}");
        let by = ["--dir", &dir, "--passphrase-file", "demo/passphrase", "status"];
        let shown = demo.run(&by).done().stdout;
        assert_eq!(shown.matches(": 2 of 3 operators, ").count(), all.len(), "{shown}");
        // What is finished goes on serving others.
        for &file in all {
            demo.by(operator, &["run", file, "--linger", "0"]).done();
        }
    }
}

/// Where outputs are gone, they are made again of the log: keystores of the newest shares alone.
#[test]
fn superseded_shares_get_no_keystores() {
    let demo = scene();
    fs::create_dir(demo.path("board")).unwrap();
    let again = |operator: &str, file: &str| -> (Ended, bool) {
        let out = outputs(&demo, operator, file);
        assert!(has_keystores(&out.join("secret")), "{operator}: {file}");
        fs::rename(&out, out.with_file_name("away")).unwrap();
        let step = ["step", file, "--board", "board", "--kdf", "pbkdf2"];
        let ended = demo.by(operator, &step).done();
        assert!(out.join("public/transcript.quorate").exists(), "{operator}: {file}");
        (ended, has_keystores(&out.join("secret")))
    };
    for (operator, file) in [("alice", FIRST), ("carol", REPAIR)] {
        let (ended, keystores) = again(operator, file);
        assert!(!keystores, "{operator}: {file}");
        assert_eq!(ended.json()["shares"], json!("log"), "{operator}: {file}");
        let says = "must not sign any more, and no keystores of them are written";
        assert!(ended.stderr.contains(says), "{operator}: {}", ended.stderr);
        assert!(!ended.stderr.contains("To write them"), "{operator}: {}", ended.stderr);
    }
    for operator in ["alice", "carol"] {
        let (ended, keystores) = again(operator, "next.toml");
        assert!(keystores, "{operator}: {}", ended.stderr);
        assert_eq!(ended.json()["shares"], "keystores", "{operator}");
    }
}
