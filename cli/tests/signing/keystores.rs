//! Exits and deposits with share keystores alone, where the log of the ceremony is lost.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde_json::json;

use crate::place::Place;
use crate::support::demo::{CHARON, Demo};
use crate::support::files::{copy, private};
use crate::support::program::Ended;

/// What is left of bob's: his operator keys in a new directory, and a copy of `out`.
fn lost(place: &Place) {
    let new = place.path("new");
    fs::DirBuilder::new().mode(0o700).create(&new).unwrap();
    fs::copy(place.path("demo/bob/identity.sealed"), new.join("identity.sealed")).unwrap();
    copy(&place.out("bob"), &place.path("backup"));
    allow(place, "new");
}

fn allow(place: &Place, dir: &str) {
    let key = place.key();
    let text = format!("exits = \"allow-list\"\ndeposits = \"allow-list\"\nallow = [\"{key}\"]\n");
    private(place.path(&format!("{dir}/signing.toml")), &text);
}

/// Answers the request from `dir`, with the keystores in this folder.
fn sign(place: &Place, kind: &str, keystores: &str, output: &str, more: &[&str]) -> Ended {
    let args = ["--json", "--dir", "new", "--passphrase-file", "demo/passphrase", kind, "sign"];
    let rest = ["request.json", "--yes", "-o", output];
    let transcript = "backup/public/transcript.quorate";
    let from = ["--keystores", keystores, "--transcript", transcript];
    place.run(&[&args[..], &rest, &from, more].concat())
}

#[test]
fn keystores_alone_answer_as_the_log_does() {
    let place = Place::new("hoodi");
    place.allow();
    lost(&place);
    place.request(&["--public"]).done();
    let made = sign(&place, "exit", "backup/secret", "partial-new.json", &[]).done();
    assert!(made.stderr.contains("NOTE: signed with keystores alone."), "{}", made.stderr);
    assert_eq!(made.json()["keystores_alone"], json!(true));
    let asked = place.sign("bob", "exit").done();
    assert_eq!(asked.json()["keystores_alone"], json!(false));
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    assert_eq!(read("partial-new.json"), read("partial-bob.json"));
    for operator in ["alice", "carol"] {
        place.sign(operator, "exit").done();
    }
    place.combine("alice", "exit", &["alice", "new", "carol"], "exit.json").done();
    // It is remembered, in a log of its own, and nothing of the ceremony is made.
    let again = sign(&place, "exit", "backup/secret", "again.json", &[]).done();
    assert!(again.stderr.contains("has already answered this request"), "{}", again.stderr);
    assert!(place.path("new/signatures").is_dir() && !place.path("new/ceremonies").exists());
    fs::remove_file(place.path("request.json")).unwrap();
    place.request(&["--public", "--epoch", "1"]).done();
    let other = sign(&place, "exit", "backup/secret", "other.json", &[]).done();
    assert!(other.stderr.contains("already signed 1 other exits"), "{}", other.stderr);
    // A further deposit, too.
    fs::remove_file(place.path("request.json")).unwrap();
    place.deposit_request("8").done();
    sign(&place, "deposit", "backup/secret", "deposit.json", &[]).done();
    // The directory of the ceremony is found again: its log remembers nothing of that, but the
    // other does.
    copy(&place.path("demo/bob/ceremonies"), &place.path("new/ceremonies"));
    sign(&place, "deposit", "backup/secret", "x.json", &[])
        .failed(2, &["the log of this ceremony is here", "leave out --keystores"]);
    let args = ["--dir", "new", "--passphrase-file", "demo/passphrase", "deposit", "sign"];
    let found = place.run(&[&args[..], &["request.json", "--yes", "-o", "y.json"]].concat()).done();
    assert!(found.stderr.contains("has already answered this request"), "{}", found.stderr);
    assert_eq!(read("deposit.json"), read("y.json"));
}

#[test]
fn keystores_that_are_not_this_operators_shares_of_this_ceremony() {
    let place = Place::new("hoodi");
    place.allow();
    lost(&place);
    place.request(&["--public"]).done();
    let refused = |keystores: &str, code, reasons: &[&str]| {
        sign(&place, "exit", keystores, "partial.json", &[]).failed(code, reasons);
        assert!(!place.path("partial.json").exists());
        assert!(!place.path("new/signatures").exists());
    };
    // Carol's.
    copy(&place.out("carol").join("secret"), &place.path("carols"));
    refused(
        "carols",
        4,
        &[
            "this is the share of \"carol\" (operator 3)",
            "of validator 1",
            "those of \"bob\" (operator 2)",
        ],
    );
    // Of another ceremony, alone and beside this one's.
    let other = Demo::new(CHARON);
    let folder = other.out("bob").join("secret");
    copy(&folder, &place.path("others"));
    let strange = first_keystore(&place.path("others"));
    refused("others", 4, &["none of the keystores has a share of the ceremony"]);
    copy(&place.path("backup/secret"), &place.path("mixed"));
    let own = first_keystore(&place.path("mixed"));
    for extension in ["json", "txt"] {
        let from = strange.with_extension(extension);
        let to = own.with_file_name("keystore-other").with_extension(extension);
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
    refused(
        "mixed",
        4,
        &[
            "1 of 3 keystores have no share of the ceremony",
            "or of shares that were replaced",
            "keystore-other.json",
        ],
    );
    refused("nowhere", 1, &["nowhere"]);
    // Without the share of the one that is asked for.
    fs::remove_file(own.with_file_name("keystore-other.json")).unwrap();
    fs::remove_file(own).unwrap();
    refused(
        "mixed",
        4,
        &["no validator is left to sign for", "there is no keystore with its share"],
    );
    // Not an operator of it.
    fs::create_dir(place.path("kept")).unwrap();
    fs::rename(place.path("new/identity.sealed"), place.path("kept/identity.sealed")).unwrap();
    place.stranger("zoe");
    fs::copy(place.path("stranger/identity.sealed"), place.path("new/identity.sealed")).unwrap();
    refused("backup/secret", 2, &["has no seat in the ceremony"]);
    // One flag without the other.
    let args = ["exit", "sign", "request.json", "--keystores", "backup/secret"];
    place.by("bob", &args).failed(2, &["--transcript"]);
}

/// The keystore of the first validator in a folder of any layout.
fn first_keystore(folder: &Path) -> std::path::PathBuf {
    let inner = ["validator_keys", "keystores"].map(|name| folder.join(name));
    let folder = inner.into_iter().find(|inner| inner.is_dir()).unwrap_or(folder.to_owned());
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut keystores: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect();
    keystores.sort();
    keystores[0].clone()
}

/// This program's layouts, and Lighthouse's.
#[test]
fn keystores_in_every_layout() {
    let place = Place::new("hoodi");
    place.allow();
    lost(&place);
    place.request(&["--public"]).done();
    let spec = place.ceremony("bob").join("ceremony.toml").to_str().unwrap().to_owned();
    for profile in ["default", "charon", "web3signer"] {
        let args = ["export", "keystores", &spec, "--profile", profile, "--password-files"];
        place.by("bob", &[&args[..], &["--kdf", "pbkdf2", "--out", profile]].concat()).done();
        let output = format!("{profile}.json");
        sign(&place, "exit", profile, &output, &[]).done();
    }
    let from = first_keystore(&place.path("charon"));
    let key = format!("0x{}", "ab".repeat(48));
    let at = place.path("lighthouse/validators").join(&key);
    fs::create_dir_all(&at).unwrap();
    fs::create_dir(place.path("lighthouse/secrets")).unwrap();
    fs::copy(&from, at.join("voting-keystore.json")).unwrap();
    let password = fs::read_to_string(from.with_extension("txt")).unwrap();
    private(place.path("lighthouse/secrets").join(&key), &password);
    sign(&place, "exit", "lighthouse", "lighthouse.json", &[]).done();
    // A password in a file of its own.
    private(place.path("password"), &password);
    fs::remove_dir_all(place.path("lighthouse/secrets")).unwrap();
    let file = ["--keystore-password-file", "password"];
    sign(&place, "exit", "lighthouse", "password.json", &file).done();
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    for name in ["charon.json", "web3signer.json", "lighthouse.json", "password.json"] {
        assert_eq!(read(name), read("default.json"), "{name}");
    }
}
