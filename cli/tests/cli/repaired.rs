//! A whole repair on real processes: a disk is dead, the others give the share back, and what is
//! done afterwards finds it.

use std::fs;
use std::path::PathBuf;

use quorate::ethereum::interchange::{Interchange, Vote};
use quorate::ethereum::keystore::Keystore;
use quorate::ethereum::network::Network;
use serde_json::{Value, json};

use crate::support::demo::{Demo, PLAIN};
use crate::support::files::{copy, files, only, private};
use crate::support::ports::free_port;
use crate::support::program::quorate;
use crate::support::running::{Running, Signal};

const SENTENCE: &str = "the old machine is destroyed";
const PARENT: &str = "parent.quorate";
const FROM: [&str; 2] = ["--from", PARENT];
const ALL: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// A finished key generation of four, of whom three sign; carol's directory is gone but for her
/// identity, and what she had is in `demo/dead`.
fn scene() -> Demo {
    let demo = Demo::new(PLAIN);
    fs::copy(demo.out("alice").join("public/transcript.quorate"), demo.path(PARENT)).unwrap();
    let (carol, dead) = (demo.path("demo/carol"), demo.path("demo/dead"));
    fs::rename(&carol, &dead).unwrap();
    let kept = demo.path("kept");
    copy(&dead, &kept);
    fs::remove_dir_all(kept.join("ceremonies")).unwrap();
    for name in ["install.mark", "operator.card"] {
        let _ = fs::remove_file(kept.join(name));
    }
    fs::rename(kept, carol).unwrap();
    demo
}

fn card(demo: &Demo, operator: &str) -> String {
    let shown = demo.by(operator, &["identity", "show"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    shown.json()["card"].as_str().unwrap().to_owned()
}

/// Drafts the repair of carol's share.
fn draft(demo: &Demo, name: &str, more: &[&str]) -> String {
    let file = format!("{name}.toml");
    let mut args = vec!["repair".to_owned(), "new".to_owned(), "-o".to_owned(), file.clone()];
    args.extend(["--lost".to_owned(), "carol".to_owned()]);
    for operator in ALL {
        let card = card(demo, operator);
        args.extend(["--operator".to_owned(), format!("{card}@127.0.0.1:{}", free_port())]);
    }
    args.extend(FROM.iter().chain(more).map(|text| (*text).to_owned()));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ended = demo.run(&[&args[..], &["--json", "--yes-destroyed", SENTENCE]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    file
}

fn start(demo: &Demo, operator: &str, file: &str, more: &[&str]) -> Running {
    let checked = demo.run(&["--json", "spec", "check", file]).json();
    let words = checked["fingerprint"].as_str().unwrap().to_owned();
    let args = ["run", file, "--kdf", "pbkdf2", "--linger", "20", "--yes-fingerprint", &words];
    demo.start(operator, &[&args[..], more].concat())
}

/// The folder of the outputs of this operator's repair.
fn outputs(demo: &Demo, operator: &str, file: &str) -> PathBuf {
    let checked = demo.run(&["--json", "spec", "check", file]).json();
    let digest = checked["digest"].as_str().unwrap()[..16].to_owned();
    demo.path("demo").join(operator).join("ceremonies").join(digest).join("out")
}

fn keys_in(folder: PathBuf) -> Vec<[u8; 48]> {
    let all = files(&folder);
    let keystores = all.iter().filter(|(name, _)| name.contains("keystore"));
    keystores
        .map(|(_, bytes)| Keystore::from_json(bytes).unwrap().pubkey().to_compressed())
        .collect()
}

/// Every operator is killed in some round, and goes on.
fn finish(demo: &Demo, file: &str) {
    let start = |operator: &str, more: &[&str]| start(demo, operator, file, more);
    // Alone, each waits in the first round; the transcripts are kept from then on.
    for operator in ALL {
        let mut alone = start(operator, &FROM);
        alone.until("Round 1 of 5");
        drop(alone.kill());
    }
    let mut running: Vec<(&str, Running)> = ALL.map(|name| (name, start(name, &[]))).into();
    for (round, victim) in [("Round 2 of 5", 0), ("Round 3 of 5", 2), ("Round 4 of 5", 3)] {
        let (name, mut victims) = running.remove(victim);
        victims.until_any(&[round, "Round 5 of 5", "Done"]);
        drop(victims.kill());
        running.insert(victim, (name, start(name, &[])));
    }
    for (operator, running) in running {
        let ended = running.ended();
        assert_eq!(ended.code, 0, "{operator}: {}", ended.stderr);
        // Everybody goes on signing.
        assert!(!ended.stderr.contains("stops"), "{operator}: {}", ended.stderr);
        let shares = if operator == "carol" { "keystores" } else { "none" };
        assert_eq!(ended.json()["shares"], shares, "{operator}");
    }
}

#[test]
fn a_repair_from_the_dead_disk_to_an_exit_and_a_reshare() {
    let demo = scene();
    // Nobody takes part without the parent, and nobody deals what it does not have.
    let file = draft(&demo, "repair", &[]);
    let lost = start(&demo, "alice", &file, &[]).ended();
    assert_eq!(lost.code, 2, "{}", lost.stderr);
    assert!(lost.stderr.contains("the transcript of its parent is not here"), "{}", lost.stderr);
    finish(&demo, &file);

    // The same share keys as on the dead disk, and nothing secret anywhere else.
    let out = outputs(&demo, "carol", &file);
    let before = only(demo.path("demo/dead/ceremonies")).join("out/secret");
    let keys = keys_in(out.join("secret"));
    assert_eq!((keys.len(), &keys), (2, &keys_in(before)));
    for helper in ["alice", "bob", "dave"] {
        assert!(!outputs(&demo, helper, &file).join("secret").exists(), "{helper}");
    }
    let hoodi = Network::known("hoodi").unwrap();
    let secret = files(&out.join("secret"));
    let data = &secret["slashing-protection.json"];
    let (floors, _) = Interchange::parse(data, &hoodi.genesis_validators_root()).unwrap();
    let cut_over: Value = serde_json::from_slice(&secret["cut-over.json"]).unwrap();
    let held = cut_over["commits_held_in_epoch"].as_u64().unwrap();
    for key in &keys {
        let signed = floors.signed(key).unwrap();
        assert_eq!(signed.vote, Some(Vote { source: 0, target: held + 1 }));
        assert!(signed.slot.unwrap() >= (held + 1) * 32);
    }
    // They are written again with where they begin.
    let again = demo.by("carol", &["export", "keystores", &file, "--kdf", "pbkdf2", "--out", "x"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(again.json()["first_epoch"], held + 2);
    let nothing = demo.by("bob", &["export", "keystores", &file, "--out", "y"]);
    assert_eq!(nothing.code, 1, "{}", nothing.stderr);
    assert!(nothing.stderr.contains("its own shares are as before"), "{}", nothing.stderr);

    // Anybody audits it, with its parent beside it; nobody takes it for a generation.
    let transcript = out.join("public/transcript.quorate");
    let transcript = transcript.to_str().unwrap();
    let audit = ["--json", "audit", transcript, "--expect", &file, "--exhaustive"];
    let audited = demo.run(&audit);
    assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
    assert_eq!(audited.json()["verdict"], "verified");
    let text = demo.run(&["audit", transcript]);
    assert!(text.stdout.contains("After the repair"), "{}", text.stdout);
    let alone = demo.path("alone.quorate");
    fs::copy(transcript, &alone).unwrap();
    let missing = demo.run(&["--json", "audit", alone.to_str().unwrap()]);
    assert_eq!((missing.code, &missing.json()["verdict"]), (4, &"unlinked".into()));
    let from = ["reshare", "new", "--from", transcript, "--name", "x", "-o", "x.toml"];
    let refused = demo.run(&from);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("the transcript of a repair"), "{}", refused.stderr);
    let status = demo.by("carol", &["status"]);
    assert!(status.stdout.contains("finished"), "{}", status.stdout);

    // Her share signs an exit of the parent's, with two others.
    let shown = demo.run(&["--json", "spec", "show", &file]).json();
    let key = shown["parent"]["validators"][0]["public_key"].as_str().unwrap().to_owned();
    let request = ["exit", "request", PARENT, "--public-key", &key, "--index", "7", "--public"];
    assert_eq!(demo.run(&[&request[..], &["-o", "request.json"]].concat()).code, 0);
    for operator in ["alice", "carol", "dave"] {
        let allow = format!("exits = \"allow-list\"\nallow = [\"{key}\"]\n");
        private(demo.path(&format!("demo/{operator}/signing.toml")), &allow);
        let output = format!("{operator}.json");
        let sign = ["exit", "sign", "request.json", "--yes", "-o", &output];
        let signed = demo.by(operator, &sign);
        assert_eq!(signed.code, 0, "{operator}: {}", signed.stderr);
    }
    let combine = ["exit", "combine", "request.json", "--transcript", PARENT, "-o", "exit.json"];
    let combined = demo.run(&[&combine[..], &["alice.json", "carol.json", "dave.json"]].concat());
    assert_eq!(combined.code, 0, "{}", combined.stderr);
    let verify = ["verify", "exit", "exit.json", "--network", "hoodi", "--public-key", &key];
    assert_eq!(demo.run(&verify).code, 0);

    // She deals it in a reshare of the parent, up to certificate 1.
    let mut args = vec!["reshare".to_owned(), "new".into(), "--name".into(), "next".into()];
    args.extend(FROM.iter().chain(&["-o", "next.toml", "--absent", "bob"]).map(|s| s.to_string()));
    for operator in ["alice", "carol", "dave"] {
        let card = card(&demo, operator);
        args.extend(["--operator".to_owned(), format!("{card}@127.0.0.1:{}", free_port())]);
    }
    assert_eq!(demo.run(&args).code, 0);
    let dealers = ["alice", "carol", "dave"];
    let dealing = dealers.map(|name| start(&demo, name, "next.toml", &FROM));
    for mut running in dealing {
        running.until("Waiting for you to stop the old keys");
        running.signal(Signal::INT);
        running.ends_with(5);
    }

    // From her stop on she helps nobody with a share that is being replaced.
    let stopped = "these shares are removed from every validator client";
    let stop = ["--stopped", "--others-never-ran", "--yes-stopped", stopped];
    let mut alice = start(&demo, "alice", "next.toml", &stop);
    alice.until("This operator has stopped");
    drop(alice.kill());
    let second = draft(&demo, "second", &[]);
    let refused = start(&demo, "alice", &second, &FROM).ended();
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("to another reshare"), "{}", refused.stderr);
}

#[test]
fn a_repair_is_drafted_of_one_lost_share_and_as_many_helpers_as_sign() {
    let demo = scene();
    let new = |more: &[&str]| {
        let args = ["repair", "new", "-o", "repair.toml", "--from", PARENT];
        demo.run(&[&args[..], more].concat())
    };
    let refused = |more: &[&str], code: i32, words: &str| {
        let ended = new(more);
        assert_eq!(ended.code, code, "{more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{more:?}: {}", ended.stderr);
        assert!(!demo.path("repair.toml").exists());
    };
    let yes = ["--yes-destroyed", SENTENCE];
    let with = |more: &[&'static str]| [&yes[..], more].concat();
    refused(&["--lost", "carol", "--yes-destroyed", "yes"], 2, "that is not the sentence");
    refused(&with(&["--lost", "erin"]), 2, "erin");
    let two = ["--lost", "carol", "--helper", "alice", "--helper", "bob"];
    refused(&with(&two), 2, "2 helpers; as many help as sign, which is 3");
    let own = ["--lost", "carol", "--helper", "alice", "--helper", "carol", "--helper", "bob"];
    refused(&with(&own), 2, "--helper carol: another flag names this operator already");
    let twice = ["--lost", "carol", "--helper", "alice", "--helper", "1", "--helper", "bob"];
    refused(&with(&twice), 2, "--helper 1: another flag names this operator already");
    let new_identity = ["identity", "new", "--name", "erin", "--kdf-cost", "10"];
    assert_eq!(demo.by("erin", &new_identity).code, 0);
    let erin = format!("{}@127.0.0.1:{}", card(&demo, "erin"), free_port());
    let strangers = ["--lost", "carol", "--operator", &erin];
    refused(&[&yes[..], &strangers].concat(), 2, "this card is of no operator of the repair");
    let chosen = ["--lost", "3", "--helper", "dave", "--helper", "bob", "--helper", "alice"];
    assert_eq!(new(&with(&chosen)).code, 0);
    let shown = demo.run(&["spec", "show", "repair.toml"]).stdout;
    for line in [
        "Repair \"Repair for carol\" on hoodi, attempt 1",
        "\"carol\" regains the share that it has lost; nobody else's share changes",
        "regains the share of operator 3 of the parent",
        "helps with its share of operator 4 of the parent",
        "WARNING: the old machine of \"carol\" must be destroyed",
        "WARNING: if the share of \"carol\" may have been stolen, a repair does not help",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn the_demo_gives_a_lost_share_back_and_signs_with_it() {
    let home = tempfile::tempdir().unwrap();
    let args = ["--json", "demo", "--repair", "--validators", "1", "--out", "d"];
    let said = quorate(home.path(), &args).done().json();
    assert_eq!((&said["verdict"], &said["findings"]), (&"verified".into(), &0.into()));
    let repair = &said["repair"];
    assert_eq!(repair["lost"], "carol");
    assert_eq!(repair["helpers"], json!(["alice", "bob", "dave"]));

    // Whose transcript it is, and the share that was there before.
    let public = PathBuf::from(said["public"].as_str().unwrap());
    let transcript = public.join("transcript.quorate");
    let parent = repair["parent_transcript"].as_str().unwrap();
    let audit = ["--json", "audit", transcript.to_str().unwrap(), parent, "--expect"];
    let audited = quorate(home.path(), &[&audit[..], &["d/repair.toml"]].concat()).done().json();
    assert_eq!(audited["verdict"], "verified");
    let first = quorate(home.path(), &["--json", "audit", parent]).done().json();
    let validator = &first["report"]["facts"]["validators"][0];
    let share = validator["public_shares"][2]["public_key"].as_str().unwrap();
    let secret = public.with_file_name("secret");
    let keys: Vec<String> = keys_in(secret.clone()).iter().map(hex::encode).collect();
    assert_eq!(keys, [share.trim_start_matches("0x")]);
    let cut_over: Value = serde_json::from_slice(&files(&secret)["cut-over.json"]).unwrap();
    assert_eq!(cut_over["first_epoch"], repair["first_epoch"]);

    // Every choice of signers that has the repaired one made the same valid exit.
    let exits = PathBuf::from(repair["exits"].as_str().unwrap());
    let key = validator["public_key"].as_str().unwrap();
    let mut made = Vec::new();
    for signers in ["carol-alice-bob", "carol-alice-dave", "carol-bob-dave"] {
        let exit = exits.join(format!("by-{signers}"));
        let verify = ["verify", "exit", exit.to_str().unwrap(), "--network", "hoodi"];
        quorate(home.path(), &[&verify[..], &["--public-key", key]].concat()).done();
        made.push(fs::read(exit).unwrap());
    }
    made.dedup();
    assert_eq!((made.len(), &repair["choices_tried"]), (1, &3.into()));
}
