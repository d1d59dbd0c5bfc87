//! More validators for a cluster that exists, from its transcript alone; and one deposit file for
//! all of them.

use std::fs;

use serde_json::Value;

use crate::reshared::{PARENT, generation};
use crate::support::ports::free_port;
use crate::support::running::Running;

#[test]
fn two_more_validators_of_the_same_four() {
    let demo = generation();
    let mut args = vec!["--json", "spec", "new", "--like", PARENT, "--name", "More"];
    args.extend(["--validators", "2", "-o", "more.toml"]);
    let at: Vec<String> = ["alice", "2", "carol"]
        .iter()
        .map(|operator| format!("{operator}=127.0.0.1:{}", free_port()))
        .collect();
    args.extend(at.iter().flat_map(|at| ["--at", at.as_str()]));
    // Dave's card may have changed; here it is the same one, with an address.
    let dave = demo.run(&["--dir", "demo/dave", "identity", "show"]);
    let dave = format!("{}@127.0.0.1:{}", dave.stdout.trim(), free_port());
    args.extend(["--operator", &dave]);
    let drafted = demo.run(&args);
    assert_eq!(drafted.code, 0, "{}", drafted.stderr);
    let old = demo.run(&["--json", "spec", "check", "demo/ceremony.toml"]).json();
    let new = drafted.json();
    for field in ["network", "threshold", "attempt"] {
        assert_eq!(new[field], old[field], "{field}");
    }
    assert_ne!(new["id"], old["id"]);
    let of = |file: &Value, field: &str| -> Vec<Value> {
        file["operators"].as_array().unwrap().iter().map(|one| one[field].clone()).collect()
    };
    for field in ["name", "key", "point"] {
        assert_eq!(of(&new, field), of(&old, field), "{field}");
    }
    assert!(of(&new, "address").iter().all(Value::is_string), "{new}");
    for field in ["withdrawal", "compounding", "amounts_gwei", "fee_recipient"] {
        assert_eq!(new["validators"][0][field], old["validators"][0][field], "{field}");
    }
    assert_eq!(new["validator_count"], 2);

    let words = new["fingerprint"].as_str().unwrap().to_owned();
    let run = ["run", "more.toml", "--no-keystores", "--linger", "20", "--yes-fingerprint", &words];
    let running: Vec<Running> =
        ["alice", "bob", "carol", "dave"].iter().map(|name| demo.start(name, &run)).collect();
    for running in running {
        let ended = running.ended();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    let folder = new["digest"].as_str().unwrap()[..16].to_owned();
    let transcript = format!("demo/alice/ceremonies/{folder}/out/public/transcript.quorate");

    // One deposit file, in the order in which the transcripts are given.
    let export = ["--json", "export", "launchpad", PARENT, &transcript, "--out", "launchpad"];
    let exported = demo.run(&export);
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    let next = exported.json()["next"].as_str().unwrap().to_owned();
    assert_eq!(next.lines().count(), 2, "{next}");
    let deposits = |path: &str| -> Vec<Value> {
        serde_json::from_slice(&fs::read(demo.path(path)).unwrap()).unwrap()
    };
    let folder = old["digest"].as_str().unwrap()[..16].to_owned();
    let first = format!("demo/alice/ceremonies/{folder}/out/public/deposit-data.json");
    let first = deposits(&first);
    let second = deposits(&transcript.replace("transcript.quorate", "deposit-data.json"));
    assert_eq!(deposits("launchpad/deposit-data.json"), [first, second].concat());
    let verify = ["verify", "deposit", "launchpad/deposit-data.json", "--network", "hoodi"];
    let verified = demo.run(&verify);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert!(verified.stdout.contains("deposits: 4"), "{}", verified.stdout);

    let twice = ["export", "launchpad", PARENT, PARENT, "--out", "twice"];
    demo.run(&twice).failed(2, &["another transcript has the validator 0x"]);
    assert!(!demo.path("twice").exists());
}
