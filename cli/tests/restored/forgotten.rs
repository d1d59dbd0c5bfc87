//! What is left in a log whose shares were erased, and at which moments they are not.

use std::fs;

use quorate_operator::store::{Log, StateDir};

use crate::scene::{MOMENTS, Reached, Scene, copy};

const FORGET: [&str; 4] =
    ["forget", "ceremony.toml", "--yes-forget", "erase these shares for ever"];
const WITHOUT: [&str; 2] = ["--yes-without", "the validators can do without these shares"];

/// The kinds of the records in the first operator's log.
fn kinds(scene: &Scene, dir: &std::path::Path) -> Vec<u8> {
    let digest = scene.ceremony.digest();
    let view = StateDir::open(dir).unwrap().find(&digest).unwrap().unwrap();
    let records = Log::read(&view, scene.all[0].storage_key(), digest.as_bytes()).unwrap();
    records.iter().map(|record| record.kind).collect()
}

#[test]
fn no_secret_is_left_in_the_log() {
    let scene = Scene::played();
    let words = scene.words();
    for moment in MOMENTS {
        let dir = scene.path(&format!("forget-{moment:?}"));
        copy(&scene.at(moment, 0), &dir);
        if moment != Reached::Finished {
            let log = scene.folder(&dir).join("log.sealed");
            let before = fs::read(&log).unwrap();
            scene
                .quorate(&dir, &FORGET)
                .failed(1, &["\"Test cluster\" is neither finished nor abandoned"]);
            assert_eq!(fs::read(&log).unwrap(), before, "{moment:?}");
            let abandon = ["abandon", "ceremony.toml", "--yes-fingerprint", &words];
            if scene.quorate(&dir, &abandon).code != 0 {
                // After its final, an operator cannot.
                continue;
            }
        }
        let had = kinds(&scene, &dir);
        let both = [&FORGET[..], &WITHOUT].concat();
        // Of what was abandoned, the first sentence is enough.
        let sentences = if moment == Reached::Finished { &both[..] } else { &FORGET };
        scene.quorate(&dir, sentences).done();
        let left = kinds(&scene, &dir);
        assert!(left.iter().all(|kind| [4, 8, 9, 10].contains(kind)), "{moment:?}: {left:?}");
        let said = |kinds: &[u8]| kinds.iter().filter(|kind| **kind == 4).count();
        assert_eq!(said(&left), said(&had), "every statement stays");
        assert!(left.len() < had.len(), "{moment:?}: {had:?}");
        let run = ["run", "ceremony.toml", "--yes-fingerprint", &words];
        let words = match moment {
            Reached::Finished => "this operator's shares were erased here on request",
            _ => "abandoned",
        };
        scene.quorate(&dir, &run).failed(if words == "abandoned" { 3 } else { 1 }, &[words]);
    }
}
