//! Key shares made again where the log of the ceremony is lost, by keystores alone; and answers for
//! a custodian.

use std::fs;
use std::os::unix::fs::DirBuilderExt;

use serde_json::{Value, json};

use crate::again::{OTHER, Place};
use crate::support::demo::{Demo, OPERATORS};
use crate::support::files::copy;

/// The demo for SSV, with keystores of its shares.
const WITH_KEYSTORES: (&str, &[&str]) = ("ssv-keystores", &["--ssv", "--kdf", "pbkdf2"]);

/// What bob has left: his operator keys, his keystores, his RSA key and a transcript.
#[test]
fn keystores_alone_answer_as_the_log_does() {
    let place = Place::of(Demo::new(WITH_KEYSTORES));
    let demo = &place.demo;
    let new = demo.path("new");
    fs::DirBuilder::new().mode(0o700).create(&new).unwrap();
    for file in ["identity.sealed", "signing.toml"] {
        fs::copy(demo.path("demo/bob").join(file), new.join(file)).unwrap();
    }
    copy(&demo.out("bob"), &demo.path("backup"));
    place.ask_for(OTHER, "5", &["--public"]).done();
    let rsa = |whose: &str| format!("demo/ssv/{whose}/encrypted_private_key.json");
    let sign = |keystores: &str, key: &str, output: &str| {
        let args = ["--json", "--dir", "new", "--passphrase-file", "demo/passphrase", "ssv"];
        let rest = ["sign", "request.json", "--yes", "-o", output, "--ssv-key", key];
        let from = ["--keystores", keystores, "--ssv-password-file", "demo/ssv/password"];
        let transcript = ["--transcript", "backup/public/transcript.quorate"];
        demo.run(&[&args[..], &rest, &from, &transcript].concat())
    };
    // Another operator's RSA key, or shares: nothing is signed.
    sign("backup/secret", &rsa("alice"), "x.json")
        .failed(1, &["this is not the RSA key that the request has for you"]);
    copy(&demo.out("carol").join("secret"), &demo.path("carols"));
    sign("carols", &rsa("bob"), "x.json")
        .failed(4, &["this is the share of \"carol\" (operator 3) of validator "]);
    // Not one of each: nothing is left out of key shares.
    copy(&demo.path("backup/secret"), &demo.path("fewer"));
    let mut files: Vec<_> = fs::read_dir(demo.path("fewer/validator_keys")).unwrap().collect();
    fs::remove_file(files.remove(0).unwrap().path()).unwrap();
    sign("fewer", &rsa("bob"), "x.json")
        .failed(1, &["for all validators of a request or for none", "there is no keystore"]);
    assert!(!demo.path("x.json").exists() && !new.join("signatures").exists());
    let made = sign("backup/secret", &rsa("bob"), "partial-new.json").done();
    assert_eq!(made.json()["keystores_alone"], json!(true));
    assert!(made.stderr.contains("NOTE: signed with keystores alone."), "{}", made.stderr);
    // The same bytes as by the log: ciphertexts follow from key, share and request.
    OPERATORS.iter().for_each(|operator| drop(place.sign(operator, operator).done()));
    let read = |name: &str| fs::read(demo.path(name)).unwrap();
    assert_eq!(read("partial-new.json"), read("partial-bob.json"));
    place.combine(&["alice", "new", "carol", "dave"], "shares").done();
    place.registrations("shares", OTHER, "5");
    // Remembered: no lower nonce.
    place.ask_for(OTHER, "4", &["--public"]).done();
    sign("backup/secret", &rsa("bob"), "lower.json")
        .failed(1, &["already consented to the nonce 5 of ", "--lower-nonce"]);
}

/// Only the custodian opens the answers, with the encrypted shares in them.
#[test]
fn answers_for_a_custodian_are_opened_by_nobody_else() {
    let place = Place::of(Demo::new(crate::support::demo::SSV));
    let demo = &place.demo;
    let card = demo.by("dave", &["identity", "show"]).done().json();
    place.ask_for(OTHER, "5", &["--custodian", card["card"].as_str().unwrap()]).done();
    let mut lengths = Vec::new();
    for operator in OPERATORS {
        place.sign(operator, operator).done();
        let answer = fs::read(demo.path(&format!("partial-{operator}.json"))).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["format"], "quorate-partial-sealed");
        let fields = answer.as_object().unwrap();
        assert!(!fields.contains_key("shares") && !fields.contains_key("operator"), "{answer}");
        lengths.push(answer["sealed"].as_str().unwrap().len());
    }
    // Nothing in it says whose it is.
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
    let partials = OPERATORS.map(|operator| format!("partial-{operator}.json"));
    let partials: Vec<&str> = partials.iter().map(String::as_str).collect();
    let args = ["ssv", "combine", "request.json", "--transcript", &place.transcript];
    let others = demo.by("alice", &[&args[..], &["-o", "none"], &partials].concat());
    others.failed(4, &["for another custodian"]);
    assert!(!demo.path("none").exists());
    // Dave.
    place.combine(&OPERATORS, "shares").done();
    place.registrations("shares", OTHER, "5");
}
