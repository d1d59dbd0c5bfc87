//! A machine that is lost and comes back from its backup: it answers requests, deals in a reshare
//! when a person has said that its shares are the newest, and comes back once more afterwards.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::reshared::{PARENT, SENTENCE, draft, generation, outputs, start, up_to_the_stop};
use crate::support::demo::{Demo, OBOL, SSV};
use crate::support::files::{files, mode, private};
use crate::support::running::{Running, Signal};

const NEWEST: [&str; 2] = ["--yes-newest", "no newer shares of these validators exist"];

fn make(demo: &Demo, operator: &str, file: &str, more: &[&str]) -> (i32, Value, String) {
    let args = [&["backup", "make", file, "--kdf-cost", "10"][..], more].concat();
    let ended = demo.by(operator, &args);
    (ended.code, ended.json(), ended.stderr)
}

/// The machine is gone, and another takes its place.
fn replaced(demo: &Demo, operator: &str, file: &str) {
    fs::remove_dir_all(demo.path("demo").join(operator)).unwrap();
    let ended = demo.by(operator, &["backup", "restore", file, "--kdf-cost", "10"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

fn states(demo: &Demo, operator: &str) -> Vec<Value> {
    let status = demo.by(operator, &["status"]).json();
    let all = status["ceremonies"].as_array().unwrap();
    all.iter().map(|one| json!([one["name"], one["state"], one["restored"]["newest"]])).collect()
}

#[test]
fn a_lost_machine_goes_on_from_its_backup() {
    let demo = generation();
    assert_eq!(make(&demo, "bob", "bob.backup", &[]).0, 0);
    let old = files(&demo.out("bob").join("public"));
    replaced(&demo, "bob", "bob.backup");
    let new = files(&demo.out("bob").join("public"));
    assert!(new.keys().eq(old.keys()), "{:?}", new.keys());
    for (name, bytes) in &new {
        assert!(bytes == &old[name], "{name}");
    }
    assert!(!demo.out("bob").join("secret").exists(), "no keystores");

    // It answers requests, and says what it does not know.
    let deposits: Value = serde_json::from_slice(&new["deposit-data.json"]).unwrap();
    let key = format!("0x{}", deposits[0]["pubkey"].as_str().unwrap());
    let request = ["exit", "request", PARENT, "--public-key", &key, "--index", "7", "--public"];
    assert_eq!(demo.run(&[&request[..], &["-o", "request.json"]].concat()).code, 0);
    for operator in ["alice", "bob", "carol"] {
        let allow = format!("exits = \"allow-list\"\nallow = [\"{key}\"]\n");
        private(demo.path(&format!("demo/{operator}/signing.toml")), &allow);
        let output = format!("{operator}.json");
        let signed = demo.by(operator, &["exit", "sign", "request.json", "--yes", "-o", &output]);
        assert_eq!(signed.code, 0, "{}", signed.stderr);
        let says = signed.stderr.contains("NOTE: this directory was restored from a backup of 20");
        assert_eq!(says, operator == "bob", "{}", signed.stderr);
    }
    let status = demo.by("bob", &["status"]).json();
    assert_eq!(status["ceremonies"][0]["exits_signed"], json!([key]));
    assert_eq!(status["running"], Value::Null);
    let combine = ["exit", "combine", "request.json", "--transcript", PARENT, "-o", "exit.json"];
    let answers = ["alice.json", "bob.json", "carol.json"];
    assert_eq!(demo.run(&[&combine[..], &answers].concat()).code, 0);

    // It deals only after the sentence; the file has its new card.
    let file = draft(&demo, "next", &["alice", "bob", "carol"], &["dave"]);
    let parent = ["--from", PARENT];
    let refused = start(&demo, "bob", &file, &parent).ended();
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let ask = "Ask at least 2 of the other operators which generation";
    assert!(refused.stderr.contains(ask), "{}", refused.stderr);
    assert!(!outputs(&demo, "bob", &file).parent().unwrap().exists(), "nothing was begun");
    assert_eq!(states(&demo, "bob"), [json!(["Demo cluster", "finished", false])]);
    let mut bob = start(&demo, "bob", &file, &[&parent[..], &NEWEST].concat());
    bob.until("This operator is");
    if Path::new("/proc/locks").exists() {
        let status = demo.by("bob", &["status"]).json();
        assert_eq!(status["running"], json!(bob.id()), "{status}");
    }
    bob.signal(Signal::INT);
    bob.ends_with(5);
    assert!(states(&demo, "bob").contains(&json!(["Demo cluster", "finished", true])));
    // From now on without it.
    let three = ["alice", "bob", "carol"];
    up_to_the_stop(&demo, &file, &three);

    // While it is under way, there is no backup with it.
    let (code, said, _) = make(&demo, "bob", "early.backup", &[]);
    let what = said["error"]["what"].as_str().unwrap();
    assert!(code == 1 && what.contains("\"next\", attempt 1: neither finished"), "{what}");
    assert!(!demo.path("early.backup").exists());
    // And its dealers keep what they deal.
    let erase = ["forget", "demo/ceremony.toml", "--yes-forget", "erase these shares for ever"];
    let needed = demo.by("alice", &erase);
    assert_eq!(needed.code, 1, "{}", needed.stderr);
    let what = "the reshare \"next\", attempt 1 is not over (it is under way)";
    assert!(needed.stderr.contains(what), "{}", needed.stderr);

    let said = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
    let running: Vec<Running> =
        three.iter().map(|operator| start(&demo, operator, &file, &said)).collect();
    for running in running {
        let ended = running.ended();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }

    // Once more: both generations, and the note of the reshare.
    let (code, said, stderr) = make(&demo, "bob", "second.backup", &[]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!((&said["reshares"], said["ceremonies"].as_array().unwrap().len()), (&json!(1), 2));
    let transcript = outputs(&demo, "bob", &file).join("public/transcript.quorate");
    let before = fs::read(&transcript).unwrap();
    let floors = outputs(&demo, "bob", &file).join("secret");
    let of = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(floors.join(name)).unwrap()).unwrap()
    };
    let first = of("cut-over.json")["first_epoch"].as_u64().unwrap();
    replaced(&demo, "bob", "second.backup");
    assert_eq!(fs::read(&transcript).unwrap(), before);
    assert!(of("cut-over.json")["first_epoch"].as_u64().unwrap() >= first, "not before");
    assert_eq!(of("slashing-protection.json")["data"].as_array().unwrap().len(), 2);
    let states = states(&demo, "bob");
    assert!(states.iter().all(|one| one[1] == "finished" && one[2] == false), "{states:?}");
    // Of the first generation it still says the date of the first backup, and of the second one's
    // keys the second's.
    let third = make(&demo, "bob", "third.backup", &[]);
    assert_eq!(third.0, 0, "{}", third.2);
    let notes = || files(&demo.path("demo/bob/restored"));
    let before = notes();
    replaced(&demo, "bob", "third.backup");
    assert_eq!(notes(), before, "with the same dates");
    // What is finished goes on, without a question.
    let run = ["run", &file, "--linger", "0"];
    let ended = demo.by("bob", &run);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    // The old shares never sign again, whatever is typed; the new ones are written.
    let export = |ceremony: &str, out: &str| {
        let args = ["export", "keystores", ceremony, "--kdf", "pbkdf2", "--out", out];
        demo.by("bob", &[&args[..], &NEWEST].concat())
    };
    let superseded = export("demo/ceremony.toml", "old");
    assert_eq!(superseded.code, 1, "{}", superseded.stderr);
    assert!(superseded.stderr.contains("these shares are superseded"), "{}", superseded.stderr);
    let new = export(&file, "new");
    assert_eq!(new.code, 0, "{}", new.stderr);
    assert!(demo.path("new/slashing-protection.json").exists());

    // Alice's old shares are superseded: one sentence is enough, and the new ones stay.
    let log = |operator: &str| {
        let folder = demo.path("demo/ceremony.toml");
        let digest = demo.run(&["--json", "spec", "check", folder.to_str().unwrap()]).json();
        let name = digest["digest"].as_str().unwrap()[..16].to_owned();
        demo.path("demo").join(operator).join("ceremonies").join(name)
    };
    let folder = log("alice");
    let before = fs::metadata(folder.join("log.sealed")).unwrap().len();
    let erased = demo.by("alice", &erase);
    assert_eq!(erased.code, 0, "{}", erased.stderr);
    let superseded = "They are superseded by those of \"next\", attempt 1.";
    assert!(erased.stderr.contains(superseded), "{}", erased.stderr);
    assert!(fs::metadata(folder.join("log.sealed")).unwrap().len() < before);
    assert!(!folder.join("out/secret").exists() && folder.join("out/public").exists());
    let export = ["export", "keystores", &file, "--kdf", "pbkdf2", "--out", "alices"];
    assert_eq!(demo.by("alice", &export).code, 0);
    assert_eq!(make(&demo, "alice", "alice.backup", &[]).1["ceremonies"][0]["name"], "next");
    let ended = demo.by("alice", &run);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    // Of a reshare, whoever holds shares makes more validators.
    let like = ["--json", "spec", "new", "--like", transcript.to_str().unwrap()];
    let more = ["--name", "More", "--validators", "1", "-o", "more.toml"];
    let drafted = demo.run(&[&like[..], &more].concat());
    assert_eq!(drafted.code, 0, "{}", drafted.stderr);
    let names = crate::support::program::names(&drafted.json()["operators"]);
    assert_eq!(names, json!(["alice", "bob", "carol"]));
    let audited = demo.run(&["audit", transcript.to_str().unwrap(), "--expect", &file]);
    assert_eq!(audited.code, 0, "{}", audited.stderr);
}

/// A directory that the last program of version 1 left: its log goes on answering, and its outputs
/// are the transcript alone.
#[test]
fn shares_of_version_1_come_back() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors/version-1");
    let demo = Demo::left(&vectors.join("directory"));
    let before = fs::read(demo.out("bob").join("public/transcript.quorate")).unwrap();
    assert_eq!(make(&demo, "bob", "bob.backup", &[]).0, 0);
    replaced(&demo, "bob", "bob.backup");
    let public = files(&demo.out("bob"));
    assert!(public.iter().eq([(&"public/transcript.quorate".to_owned(), &before)]));
    assert_eq!(states(&demo, "bob")[0][1], "finished");
    let file = demo.ceremony("bob").join("ceremony.toml");
    let export = ["export", "keystores", file.to_str().unwrap(), "--kdf", "pbkdf2", "--out", "out"];
    assert_eq!(demo.by("bob", &[&export[..], &NEWEST].concat()).code, 0);
}

/// What other software reads is there again, byte for byte; an Obol cluster's node has its key.
#[test]
fn clusters_of_obol_and_ssv_come_back() {
    for (kind, node_key) in [(OBOL, true), (SSV, false)] {
        let demo = Demo::new(kind);
        let before = files(&demo.out("alice").join("public"));
        let (code, said, stderr) = make(&demo, "alice", "alice.backup", &[]);
        assert_eq!((code, &said["node_key"]), (0, &json!(node_key)), "{stderr}");
        replaced(&demo, "alice", "alice.backup");
        assert!(files(&demo.out("alice").join("public")) == before, "{kind:?}");
        let key = demo.path("demo/alice/charon-enr-private-key");
        assert_eq!(key.exists(), node_key);
        assert!(!node_key || mode(key) == 0o600);
        if node_key {
            let export = ["export", "obol", "demo/ceremony.toml", "--out", "charon"];
            let unsure = demo.by("alice", &export);
            assert_eq!(unsure.code, 2, "{}", unsure.stderr);
            let made = demo.by("alice", &[&export[..], &NEWEST].concat());
            assert_eq!(made.code, 0, "{}", made.stderr);
        }
    }
}
