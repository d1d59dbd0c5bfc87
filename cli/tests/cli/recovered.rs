//! Whole keys of validators, from the shares of enough operators whose clients were stopped.

use std::fs;

use quorate::ethereum::interchange::{Interchange, Signed, Vote};
use quorate::ethereum::keystore::{Keystore, Password};
use quorate::ethereum::network::Network;
use quorate::primitives::secret::SecretBytes;
use serde_json::Value;

use crate::key_manager::{Fake, Manner, TOKEN, token_file};
use crate::support::demo::{CHARON, Demo, PLAIN};
use crate::support::files::{files, mode, private};
use crate::support::program::Ended;

const PASSWORD: &str = "of the whole keys";
const SENTENCE: &str = "no share of these validators runs anywhere";

/// Loads an operator's shares into a client, and removes them again: what they have signed is in
/// `<operator>.json`.
fn ran(demo: &Demo, operator: &str) {
    let url = Fake::start(Manner::Proper).url();
    let manager = ["--keymanager", &url, "--token-file", "token"];
    let push = ["export", "keystores", "demo/ceremony.toml", "--kdf", "pbkdf2"];
    assert_eq!(demo.by(operator, &[&push[..], &manager].concat()).code, 0);
    let transcript = demo.out(operator).join("public/transcript.quorate");
    let file = format!("{operator}.json");
    let remove = ["keymanager", "remove", transcript.to_str().unwrap(), "--out", &file];
    let ended = demo.by(operator, &[&remove[..], &manager].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

fn recover(demo: &Demo, shares: &[&str], protections: &[&str], more: &[&str]) -> Ended {
    let transcript = demo.out("alice").join("public/transcript.quorate");
    let front = ["--json", "recover", transcript.to_str().unwrap(), "--kdf", "pbkdf2"];
    let mut args: Vec<String> = front.map(str::to_owned).to_vec();
    for operator in shares {
        let folder = demo.out(operator).join("secret");
        args.extend(["--share".to_owned(), folder.to_str().unwrap().to_owned()]);
    }
    for file in protections {
        args.extend(["--protection".to_owned(), (*file).to_owned()]);
    }
    args.extend(["--new-password-file", "new", "--out", "whole"].map(str::to_owned));
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    demo.run(&args)
}

#[test]
fn a_stopped_cluster_gives_whole_keys_with_what_they_have_signed() {
    let demo = Demo::new(CHARON);
    token_file(&demo, "token", TOKEN);
    private(demo.path("new"), PASSWORD);
    ran(&demo, "alice");
    ran(&demo, "carol");
    // Carol's third share went further than the others.
    let carol = fs::read_to_string(demo.path("carol.json")).unwrap();
    let mut carol: Value = serde_json::from_str(&carol).unwrap();
    carol["data"][2]["signed_attestations"][0]["target_epoch"] = "77".into();
    carol["data"][2]["signed_blocks"] = Value::Array(vec![]);
    fs::write(demo.path("carol.json"), carol.to_string()).unwrap();

    let said = ["--yes-stopped", SENTENCE];
    let whole = demo.path("whole");
    let refused = |ended: Ended, code: i32, part: &str| {
        assert_eq!(ended.code, code, "{}", ended.stdout);
        assert!(ended.stderr.contains(part), "{part} in: {}", ended.stderr);
        assert!(!whole.exists());
    };
    let both = ["alice.json", "carol.json"];
    refused(
        recover(&demo, &["alice", "bob"], &both[..1], &said),
        1,
        "validator 1: the slashing protection data is that of 1 operators' shares, and 2",
    );
    refused(recover(&demo, &["alice"], &both, &said), 2, "shares of 1 operators are given, and 2");
    refused(recover(&demo, &["bob", "bob"], &both, &said), 2, "the shares of bob are given twice");
    refused(
        recover(&demo, &["alice", "bob"], &both, &["--yes-stopped", "yes"]),
        2,
        "that is not the sentence",
    );
    refused(recover(&demo, &["alice", "bob"], &both, &[]), 2, "there is no terminal");

    // Shares of bob, who never stopped: with two of three that have, nothing can be missing.
    let ended = recover(&demo, &["alice", "bob"], &both, &said);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("Whoever has the new folder can sign alone"));
    let root = Network::known("hoodi").unwrap().genesis_validators_root();
    let written = files(&whole);
    let (protection, _) = Interchange::parse(&written["slashing-protection.json"], &root).unwrap();
    let deposits = fs::read(demo.out("alice").join("public/deposit-data.json")).unwrap();
    let deposits: Vec<Value> = serde_json::from_slice(&deposits).unwrap();
    let password = Password::new(&SecretBytes::new(PASSWORD.as_bytes().to_vec())).unwrap();
    assert_eq!((written.len(), protection.keys().len(), deposits.len()), (4, 3, 3));
    for (v, deposit) in deposits.iter().enumerate() {
        let key: [u8; 48] =
            hex::decode(deposit["pubkey"].as_str().unwrap()).unwrap().try_into().unwrap();
        let front = format!("validator_keys/keystore-m_12381_3600_{v}_0_0-");
        let (name, bytes) = written.iter().find(|(name, _)| name.starts_with(&front)).unwrap();
        let keystore = Keystore::from_json(bytes).unwrap();
        assert_eq!(keystore.pubkey().to_compressed(), key);
        let secret = keystore.decrypt(&password).unwrap();
        assert_eq!(secret.base_mult().unwrap().to_compressed(), key);
        assert_eq!(mode(whole.join(name)), 0o600);
        let target = if v == 2 { 77 } else { 20 + v as u64 };
        let expected = Signed { slot: Some(9), vote: Some(Vote { source: 2, target }) };
        assert_eq!(protection.signed(&key), Some(&expected), "validator {v}");
    }
}

#[test]
fn shares_that_are_not_of_this_ceremony_make_nothing() {
    let (demo, other) = (Demo::new(CHARON), Demo::new(PLAIN));
    private(demo.path("new"), PASSWORD);
    let said = ["--yes-stopped", SENTENCE, "--others-never-ran"];
    let secret = demo.out("bob").join("secret");
    // Another ceremony's, whose password is given.
    fs::remove_dir_all(&secret).unwrap();
    crate::support::files::copy(&other.out("bob").join("secret"), &secret);
    let password = other.path("demo/passphrase");
    let flags = [&said[..], &["--keystore-password-file", password.to_str().unwrap()]].concat();
    let ended = recover(&demo, &["bob", "alice"], &[], &flags);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("none of these keystores is a share of this ceremony"));

    // One that lacks a validator.
    let demo = Demo::new(CHARON);
    private(demo.path("new"), PASSWORD);
    fs::remove_file(demo.out("bob").join("secret/validator_keys/keystore-1.json")).unwrap();
    let ended = recover(&demo, &["alice", "bob"], &[], &said);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("operator 2's share of validator 2 is not here"));

    // Keys that never ran have signed nothing, by a person's word.
    let ended = recover(&demo, &["alice", "carol"], &[], &said);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let root = Network::known("hoodi").unwrap().genesis_validators_root();
    let written = fs::read(demo.path("whole/slashing-protection.json")).unwrap();
    let (protection, _) = Interchange::parse(&written, &root).unwrap();
    assert!(protection.keys().len() == 3 && protection.keys().all(|(_, key)| key.is_nothing()));
}
