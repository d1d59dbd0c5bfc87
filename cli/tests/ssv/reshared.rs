//! Validators of a cluster of SSV whose shares are dealt anew to another cluster, on real
//! processes; and their key shares, which are judged like those of a key generation.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::export::ssv::parse_keyshares;
use serde_json::{Value, json};

use crate::demo::rsa;
use crate::support::demo::Demo;
use crate::support::files::private;
use crate::support::program::Ended;

/// Operators 11, 22, 33 and 44, of whom the last leaves; operator 16 comes.
const RESHARED: (&str, &[&str]) = ("ssv-reshared", &["--ssv", "--reshare", "--kdf", "pbkdf2"]);
/// Who registers the validators afterwards.
const OWNER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
/// In the order of their numbers.
const CLUSTER: [(&str, u64); 4] = [("alice", 11), ("erin", 16), ("bob", 22), ("carol", 33)];

fn out(demo: &Demo, operator: &str) -> PathBuf {
    let checked = demo.run(&["--json", "spec", "check", "demo/reshare.toml"]).done().json();
    let digest = checked["digest"].as_str().unwrap()[..16].to_owned();
    demo.path(&format!("demo/{operator}/ceremonies/{digest}/out"))
}

/// Lets the wait until the first epoch be over, by what this operator's outputs say of it.
fn wait_is_over(demo: &Demo, operator: &str) {
    let path = out(demo, operator).join("secret/slashing-protection.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for one in file["data"].as_array_mut().unwrap() {
        one["signed_blocks"] = json!([{ "slot": "32" }]);
        one["signed_attestations"] = json!([{ "source_epoch": "0", "target_epoch": "1" }]);
    }
    private(path, &file.to_string());
}

fn request(demo: &Demo, transcript: &str) -> Ended {
    let _ = fs::remove_file(demo.path("request.json"));
    let args = ["ssv", "request", transcript, "--all", "--public", "--owner", OWNER];
    let more = ["--nonce", "7", "--ssv-operators", "demo/ssv/operators_info.json"];
    demo.by("alice", &[&args[..], &more, &["-o", "request.json"]].concat())
}

fn sign(demo: &Demo, operator: &str) -> Ended {
    let key = format!("demo/ssv/{operator}/encrypted_private_key.json");
    let rsa = ["--ssv-key", &key, "--ssv-password-file", "demo/ssv/password"];
    let output = format!("partial-{operator}.json");
    demo.by(
        operator,
        &[&["ssv", "sign", "request.json", "--yes", "-o", &output][..], &rsa].concat(),
    )
}

#[test]
fn the_key_shares_of_a_reshare_with_other_operators() {
    let demo = Demo::new(RESHARED);
    let agreed = demo.run(&["--json", "spec", "check", "demo/reshare.toml"]).done().json();
    let points: BTreeMap<&str, Option<u64>> = agreed["operators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["point"].as_u64()))
        .collect();
    let expected = CLUSTER.map(|(name, id)| (name, Some(id))).into_iter().chain([("dave", None)]);
    assert_eq!(points, expected.collect());

    let public = out(&demo, "alice").join("public");
    let facts: Value =
        serde_json::from_slice(&fs::read(public.join("transcript.json")).unwrap()).unwrap();
    let keys: Vec<&str> = facts["validators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["public_key"].as_str().unwrap())
        .collect();
    let policy = format!("key_shares = \"allow-list\"\nallow = {keys:?}\nowners = [{OWNER:?}]\n");
    for operator in ["alice", "erin", "bob", "carol", "dave"] {
        private(demo.path(&format!("demo/{operator}/signing.toml")), &policy);
    }

    // Not before their first epoch, never the old ones, and nothing by who has no share.
    let transcript = public.join("transcript.quorate").to_str().unwrap().to_owned();
    request(&demo, &transcript).done();
    sign(&demo, "bob").failed(5, &["the new shares sign nothing before"]);
    CLUSTER.iter().for_each(|(operator, _)| wait_is_over(&demo, operator));
    let dave = sign(&demo, "dave");
    assert!(dave.code != 0 && !demo.path("partial-dave.json").exists(), "{}", dave.stderr);
    CLUSTER.iter().for_each(|(operator, _)| drop(sign(&demo, operator).done()));
    let partials = CLUSTER.map(|(operator, _)| format!("partial-{operator}.json"));
    let partials: Vec<&str> = partials.iter().map(String::as_str).collect();
    let args = ["ssv", "combine", "request.json", "--transcript", &transcript, "-o", "shares"];
    let three = [&args[..], &partials[1..]].concat();
    demo.by("carol", &three).failed(5, &["no valid answer from \"alice\""]);
    demo.by("carol", &[&args[..], &partials].concat()).done();

    // As anybody else's: format, signatures, nonces, every threshold, proofs.
    let args = ["verify", "keyshares", "shares/keyshares.json", "--proofs", "shares/proofs.json"];
    demo.run(&[&args[..], &["--owner", OWNER, "--nonce", "7"]].concat()).done();
    let args = ["ssv", "verify", "shares", "--request", "request.json"];
    demo.run(&[&args[..], &["--transcript", &transcript]].concat()).done();
    let file = fs::read(demo.path("shares/keyshares.json")).unwrap();
    let registrations = parse_keyshares(&file).unwrap();
    let made: Vec<String> = registrations
        .iter()
        .map(|one| format!("0x{}", hex::encode(one.validator.to_compressed())))
        .collect();
    assert_eq!(made, keys);
    let mut random = ChaCha20Rng::from_seed([5; 32]);
    for (registration, nonce) in registrations.iter().zip(7..) {
        assert_eq!(registration.owner_nonce.nonce, nonce);
        for ((operator, id), own) in CLUSTER.iter().zip(&registration.operators) {
            assert_eq!(own.id, *id);
            let key = rsa(&demo.path("demo"), operator);
            let share = key.decrypt_share(&own.encrypted_share, &own.share_key, &mut random);
            assert!(share.is_ok(), "{operator}");
        }
    }

    // The old shares are given to nobody any more.
    let mut history = fs::read_dir(public.join("history")).unwrap();
    let parent = history.next().unwrap().unwrap().path();
    let args = ["ssv", "request", parent.to_str().unwrap(), "--all", "--public", "--owner", OWNER];
    demo.by("alice", &[&args[..], &["--nonce", "9", "-o", "old.json"]].concat()).done();
    let key = ["--ssv-key", "demo/ssv/alice/encrypted_private_key.json"];
    let args = ["ssv", "sign", "old.json", "--yes", "--ssv-password-file", "demo/ssv/password"];
    let refused = demo.by("alice", &[&args[..], &key, &["-o", "old-partial.json"]].concat());
    refused.failed(1, &["these shares are superseded by the reshare"]);

    // Operators keep their numbers in the next one, and a new one needs one.
    let args = ["reshare", "new", "--from", &transcript, "--name", "Next", "-o", "next.toml"];
    demo.run(&args).done();
    let draft = fs::read_to_string(demo.path("next.toml")).unwrap();
    for (_, id) in CLUSTER {
        for field in ["point", "old_point"] {
            assert!(draft.contains(&format!("\n{field} = {id}\n")), "{field} = {id}:\n{draft}");
        }
    }
}

/// What an SSV node has signed, nobody exports: its operator states the most that it can have.
#[test]
fn shares_that_ran_until_now_are_stated_so() {
    let demo = Demo::new(RESHARED);
    // Nobody gave any data.
    for operator in ["alice", "bob", "carol", "dave"] {
        assert!(!demo.path(&format!("demo/{operator}-protection.json")).exists());
    }
    let read = |name: &str| -> Value {
        let path = out(&demo, "erin").join("secret").join(name);
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let held = read("cut-over.json")["commits_held_in_epoch"].as_u64().unwrap();
    let floors = read("slashing-protection.json");
    let floors = floors["data"].as_array().unwrap();
    assert_eq!(floors.len(), 2);
    for one in floors {
        let source = one["signed_attestations"][0]["source_epoch"].as_str().unwrap();
        // The epoch before the one of the stop, which is the one of the commits or just before it.
        let source: u64 = source.parse().unwrap();
        assert!((held - 2..held).contains(&source), "{source} in epoch {held}");
    }
    let args = ["run", "demo/reshare.toml", "--stopped", "--others-until-now"];
    demo.by("alice", &[&args[..], &["--others-never-ran"]].concat())
        .failed(2, &["cannot be used with"]);
}
