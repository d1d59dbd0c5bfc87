//! A whole directory that the last program of version 1 left: its status, its keystores and an exit
//! with its shares.

use std::fs;
use std::path::Path;

use quorate::ethereum::network::Network;
use quorate::export::exits::verify_exit;
use quorate::primitives::curve::G1;
use serde_json::Value;

use crate::support::demo::Demo;
use crate::support::files::private;

const INDEX: &str = "1804776";

fn left() -> Demo {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors/version-1");
    Demo::left(&vectors.join("directory"))
}

#[test]
fn two_of_three_exit_with_shares_of_version_1() {
    let place = left();
    let transcript = place.out("alice").join("public/transcript.quorate");
    let transcript = transcript.to_str().unwrap();
    let deposits = fs::read(place.out("bob").join("public/deposit-data.json")).unwrap();
    let deposits: Value = serde_json::from_slice(&deposits).unwrap();
    let key = format!("0x{}", deposits[0]["pubkey"].as_str().unwrap());

    let request = ["exit", "request", transcript, "--public-key", &key, "--index", INDEX];
    place.by("alice", &[&request[..], &["--public", "-o", "request.json"]].concat()).done();
    for operator in ["alice", "bob"] {
        let policy = format!("exits = \"allow-list\"\nallow = [\"{key}\"]\n");
        private(place.path(&format!("demo/{operator}/signing.toml")), &policy);
        let output = format!("{operator}.json");
        let signed =
            place.by(operator, &["exit", "sign", "request.json", "--yes", "-o", &output]).done();
        assert!(signed.stderr.contains("asked for by       \"alice\" (operator 1), signed"));
    }
    let combine = ["exit", "combine", "request.json", "--transcript", transcript];
    place
        .by("bob", &[&combine[..], &["alice.json", "-o", "one.json"]].concat())
        .failed(5, &["valid answers: 1 (of ", "; required: 2"]);
    place
        .by("bob", &[&combine[..], &["alice.json", "bob.json", "-o", "exit.json"]].concat())
        .done();
    let exit = fs::read(place.path("exit.json")).unwrap();
    let key = G1::from_compressed(&hex::decode(&key[2..]).unwrap().try_into().unwrap()).unwrap();
    let verified = verify_exit(&exit, &Network::known("hoodi").unwrap(), &key).unwrap();
    assert_eq!(verified.message.validator_index.to_string(), INDEX);
}

#[test]
fn a_finished_directory_of_version_1_has_its_status_and_its_keystores() {
    let place = left();
    let status = place.by("alice", &["status"]).done().json();
    assert_eq!(status["ceremonies"][0]["state"], "finished", "{status}");

    let file = place.ceremony("alice").join("ceremony.toml");
    let file = file.to_str().unwrap();
    place.by("alice", &["export", "keystores", file, "--kdf", "pbkdf2", "--out", "again"]).done();
    let transcript = place.out("bob").join("public/transcript.quorate");
    let audit = ["audit", transcript.to_str().unwrap(), "--expect", file, "--share", "again"];
    let looked = place.by("bob", &audit).done().json();
    assert_eq!(looked["verdict"], "verified", "{looked}");
    let checks = looked["report"]["checks"].as_array().unwrap();
    let share = checks.iter().find(|check| check["code"] == "share").unwrap();
    assert_eq!(share["status"], "passed", "{share}");
}
