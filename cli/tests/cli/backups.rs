//! A machine that is lost and comes back from its backup: it answers requests, deals in a reshare
//! when a person has said that its shares are the newest, and comes back once more afterwards.

use std::fs;

use serde_json::{Value, json};

use crate::reshared::{PARENT, SENTENCE, draft, generation, outputs, start, up_to_the_stop};
use crate::support::demo::Demo;
use crate::support::files::{files, private};
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
    let audited = demo.run(&["audit", transcript.to_str().unwrap(), "--expect", &file]);
    assert_eq!(audited.code, 0, "{}", audited.stderr);
}
