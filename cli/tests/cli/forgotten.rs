//! Shares that are erased on request: what it takes, what stays, and what no longer goes.

use std::fs;

use serde_json::json;

use crate::reshared::{PARENT, draft, generation, start};
use crate::support::files::{files, private};

const FORGET: &str = "erase these shares for ever";
const WITHOUT: &str = "the validators can do without these shares";

#[test]
fn the_newest_shares_go_after_two_sentences() {
    let demo = generation();
    let forget =
        |more: &[&str]| demo.by("alice", &[&["forget", "demo/ceremony.toml"][..], more].concat());
    let folder = demo.ceremony("alice");
    let before = files(&folder);
    // One sentence is not enough, and neither is another one.
    let refused = forget(&["--yes-forget", FORGET]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let newest = "WARNING: these are the newest shares of validators that this directory knows. \
                  3 of 4 operators are needed to sign: without you, at most 3 are left.";
    assert!(refused.stderr.contains(newest), "{}", refused.stderr);
    for (first, second) in [(FORGET, "yes"), ("yes", WITHOUT), (WITHOUT, FORGET)] {
        let wrong = forget(&["--yes-forget", first, "--yes-without", second]);
        assert_eq!(wrong.code, 2, "{}", wrong.stderr);
        assert!(wrong.stderr.contains("nothing was erased"), "{}", wrong.stderr);
    }
    assert!(files(&folder) == before, "nothing has changed");

    // What an interruption leaves is completed, without another question.
    let digest = demo.run(&["--json", "spec", "check", "demo/ceremony.toml"]).json();
    let digest = hex::decode(digest["digest"].as_str().unwrap()).unwrap();
    let half = folder.with_file_name("half");
    let both = ["--yes-forget", FORGET, "--yes-without", WITHOUT];
    fs::create_dir(&half).unwrap();
    fs::rename(folder.join("log.sealed"), half.join("log.sealed")).unwrap();
    fs::copy(half.join("log.sealed"), folder.join("log.sealed")).unwrap();
    let erased = forget(&both);
    assert_eq!(erased.code, 0, "{}", erased.stderr);
    assert_eq!(erased.json()["erased_before"], false);
    assert_eq!(fs::read(folder.join("forgotten")).unwrap(), digest);
    fs::copy(half.join("log.sealed"), folder.join("log.sealed")).unwrap();
    fs::remove_dir_all(half).unwrap();
    let again = forget(&[]);
    assert_eq!((again.code, &again.json()["erased_before"]), (0, &json!(true)));

    // Public outputs are as they were; nothing secret is there, and the log has no share.
    let public = |all: &std::collections::BTreeMap<String, Vec<u8>>| {
        let public = all.iter().filter(|(name, _)| name.starts_with("out/public/"));
        public.map(|(name, bytes)| (name.clone(), bytes.clone())).collect::<Vec<_>>()
    };
    let after = files(&folder);
    assert_eq!(public(&after), public(&before));
    assert!(!after.keys().any(|name| name.starts_with("out/secret")), "{:?}", after.keys());
    assert!(after["log.sealed"].len() < before["log.sealed"].len());

    // Nothing goes from it; the three others are enough.
    let key = demo.by("alice", &["status"]).json();
    assert_eq!(key["ceremonies"][0]["shares_erased"], true);
    let key = key["ceremonies"][0]["validators"][0].as_str().unwrap().to_owned();
    let request = ["exit", "request", PARENT, "--public-key", &key, "--index", "7", "--public"];
    assert_eq!(demo.run(&[&request[..], &["-o", "request.json"]].concat()).code, 0);
    for operator in ["alice", "bob", "carol", "dave"] {
        let allow = format!("exits = \"allow-list\"\nallow = [\"{key}\"]\n");
        private(demo.path(&format!("demo/{operator}/signing.toml")), &allow);
        let output = format!("{operator}.json");
        let signed = demo.by(operator, &["exit", "sign", "request.json", "--yes", "-o", &output]);
        assert_eq!(signed.code, i32::from(operator == "alice"), "{operator}: {}", signed.stderr);
        let says = signed.stderr.contains("this operator's shares were erased here on request");
        assert_eq!(says, operator == "alice", "{}", signed.stderr);
    }
    let combine = ["exit", "combine", "request.json", "--transcript", PARENT, "-o", "exit.json"];
    let answers = ["bob.json", "carol.json", "dave.json"];
    assert_eq!(demo.run(&[&combine[..], &answers].concat()).code, 0);
    let export = ["export", "keystores", "demo/ceremony.toml", "--out", "keystores"];
    let run = ["run", "demo/ceremony.toml", "--no-keystores", "--linger", "0"];
    let file = draft(&demo, "next", &["alice", "bob", "carol"], &["dave"]);
    let deals = start(&demo, "alice", &file, &["--from", PARENT]).ended();
    for ended in [demo.by("alice", &export), demo.by("alice", &run), deals] {
        assert_eq!(ended.code, 1, "{}", ended.stderr);
        assert!(ended.stderr.contains("were erased here on request"), "{}", ended.stderr);
    }
    // There is nothing left to keep in a backup, and nothing in its way.
    let make = ["backup", "make", "alice.backup", "--kdf-cost", "10"];
    let made = demo.by("alice", &make);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(made.json()["ceremonies"], json!([]));
    let status = demo.by("alice", &["status"]).json();
    assert_eq!(status["backup"]["missing"], json!([]));
}
