//! A directory to which only the keys were restored: what it says of a ceremony that is finished,
//! runs, or was not begun, and what the others are told.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate::identity::OperatorCard;
use quorate::message::envelope::Round;
use quorate::spec::canonical::fingerprint;
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::store::{IDENTITY_FILE, MARK_FILE};

use crate::scene::{Reached, Scene, private};
use crate::support::program::quorate;

const SAID: &str = "this identity was restored";

/// A directory with nothing but the first operator's sealed keys.
fn restored(scene: &Scene, name: &str) -> PathBuf {
    let dir = scene.path(name);
    private(&dir);
    let from = scene.at(Reached::Said(Round::Hello), 0).join(IDENTITY_FILE);
    fs::copy(from, dir.join(IDENTITY_FILE)).unwrap();
    dir
}

/// What it says, with nobody's answer or with everybody's.
fn says_so(scene: &Scene, dir: &Path) {
    let words = scene.words();
    let commands: [&[&str]; 2] = [
        &["run", "ceremony.toml", "--yes-fingerprint", &words],
        &["abandon", "ceremony.toml", "--yes-fingerprint", &words],
    ];
    for command in commands {
        let ended = scene.quorate(dir, command);
        ended.failed(
            1,
            &[
                SAID,
                "its log is elsewhere or lost",
                "nothing was signed",
                "quorate identity show",
                "a new attempt",
                "does not know whether the ceremony is finished",
            ],
        );
        for never in ["Connected", "Fault", "no key", "No key", "nobody can", "Abandoned"] {
            assert!(!ended.stderr.contains(never), "{command:?}: {}", ended.stderr);
        }
    }
    assert!(!scene.folder(dir).exists(), "nothing was begun");
    let status = scene.quorate(dir, &["status"]).done().stdout;
    assert!(status.contains("\n\nNo ceremonies in this directory. Send your card"), "{status}");
}

/// The others have heard nothing that they could hold against anybody.
fn others_know_nothing(scene: &Scene) {
    for at in [1, 2] {
        let dir = scene.path(&format!("run-{at}"));
        let status = scene.quorate(&dir, &["--json", "status"]).json();
        assert_eq!(status["ceremonies"][0]["proven"], serde_json::json!([]), "{status}");
        assert_eq!(status["ceremonies"][0]["evidence"], serde_json::json!([]), "{status}");
    }
}

#[test]
fn an_operator_that_restored_its_keys_alone() {
    let scene = Scene::played();
    // Not yet begun, as far as anybody there could tell: nobody is.
    let dir = restored(&scene, "alone");
    says_so(&scene, &dir);
    for moment in [Reached::Said(Round::Deal), Reached::Finished] {
        let dir = restored(&scene, &format!("restored-{moment:?}"));
        let others = scene.others(moment);
        says_so(&scene, &dir);
        others.stop();
        others_know_nothing(&scene);
    }

    // It gets a mark and a card of its own, which the old ceremony does not have.
    assert!(!dir.join(MARK_FILE).exists());
    let shown = scene.quorate(&dir, &["identity", "show"]).done();
    assert!(shown.stderr.contains("this is a new card"), "{}", shown.stderr);
    let card = OperatorCard::parse(shown.stdout.trim()).unwrap();
    let old = scene.ceremony.roster().iter().next().unwrap().1.card.clone();
    assert_eq!((card.key, card.noise, &card.name), (old.key, old.noise, &old.name));
    assert!(card.mark.is_some() && card.mark != old.mark);
    let again = scene.quorate(&dir, &["identity", "show"]).done();
    assert_eq!(again.stdout, shown.stdout, "the same again");
    assert!(!again.stderr.contains("this is a new card"), "{}", again.stderr);
    // Its card is kept: whoever has no passphrase sees it, too.
    let public = quorate(&dir, &["--dir", ".", "identity", "show"]).done();
    assert_eq!(public.stdout, shown.stdout);
    says_so(&scene, &dir);

    // A ceremony with the new card is its own.
    let file = fs::read_to_string(scene.path("ceremony.toml")).unwrap();
    let file = file.replace(&old.encode(), &card.encode()).replace("Test cluster", "Next one");
    fs::write(scene.path("next.toml"), &file).unwrap();
    let next = Ceremony::try_from(CeremonyFile::parse_toml(&file).unwrap()).map(Arc::new).unwrap();
    let words = fingerprint(&next.digest()).join(" ");
    let listen = ["run", "next.toml", "--yes-fingerprint", &words, "--listen", "192.0.2.1:3610"];
    let ended = scene.quorate(&dir, &listen);
    ended.failed(1, &["cannot listen on 192.0.2.1:3610"]);
    // And not that of the directory that the old card is from.
    let ended = scene.quorate(&scene.at(Reached::Finished, 0), &listen);
    ended.failed(1, &[SAID]);
}

/// A mark that is no mark is not overwritten.
#[test]
fn a_damaged_mark() {
    let scene = Scene::played();
    let dir = restored(&scene, "damaged");
    fs::copy(dir.join(IDENTITY_FILE), dir.join(MARK_FILE)).unwrap();
    for command in [&["identity", "show"][..], &["run", "ceremony.toml"]] {
        scene.quorate(&dir, command).failed(1, &["install.mark: damaged", "makes a new mark"]);
    }
}
