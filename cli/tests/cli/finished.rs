//! A ceremony that finished on this machine: its keystores against its transcript, and the state
//! that it leaves.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::demo::{Demo, PLAIN};
use crate::support::files::private;
use crate::support::program::{Ended, command, quorate};
use crate::support::running::{Running, Signal, signal};

fn failed(ended: &Ended, exit: i32, what: &str, fix: &str) {
    assert_eq!(ended.code, exit, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stderr.ends_with(&format!("error: {what}\n  what to do: {fix}\n")),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "");
}

#[test]
fn shares_and_state_of_a_finished_ceremony() {
    let demo = Demo::new(PLAIN);
    let here = demo.home();
    let object = demo.ended.json();
    assert_eq!(
        (&object["status"], &object["exit"], &object["findings"]),
        (&"done".into(), &0.into(), &0.into())
    );
    let (alice, bob) = (demo.out("alice"), demo.out("bob"));
    let transcript = alice.join("public/transcript.quorate");
    let audit = |folder: &Path, more: &[&str]| {
        let args = ["audit", transcript.to_str().unwrap(), "--share", folder.to_str().unwrap()];
        quorate(here, &[&args[..], more].concat())
    };

    // Of the state directory, and of its keystores.
    let password = ["--keystore-password-file", "demo/passphrase"];
    for folder in [alice.join("secret"), alice.join("secret/validator_keys")] {
        let whole = audit(&folder, &password);
        assert_eq!(whole.code, 0, "{}{}", whole.stdout, whole.stderr);
        assert!(
            whole
                .stdout
                .contains("shares found: 2, one for each validator, all of \"alice\" (operator 1)"),
            "{}",
            whole.stdout
        );
    }
    assert_eq!(audit(&alice.join("secret"), &["--passphrase-file", "demo/passphrase"]).code, 0);

    // Of nobody in particular: a copy with shares of two operators, and one that lacks a share.
    let keystores = |out: &Path| {
        let mut paths: Vec<PathBuf> = fs::read_dir(out.join("secret/validator_keys"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
    };
    let (mine, theirs) = (keystores(&alice), keystores(&bob));
    let mixed = here.join("mixed");
    fs::create_dir(&mixed).unwrap();
    fs::copy(&mine[0], mixed.join("keystore-0.json")).unwrap();
    let lacking = audit(&mixed, &password);
    assert_eq!(lacking.code, 4, "{}{}", lacking.stdout, lacking.stderr);
    assert!(
        lacking.stdout.contains("shares found: 1, missing: 1 (validator 2)"),
        "{}",
        lacking.stdout
    );
    fs::copy(&theirs[1], mixed.join("keystore-1.json")).unwrap();
    let mixed = audit(&mixed, &password);
    assert_eq!(mixed.code, 4);
    assert!(
        mixed.stdout.contains("holds a share of \"alice\" (operator 1), but"),
        "{}",
        mixed.stdout
    );

    // What does not open is not a finding about the transcript.
    let keys = alice.join("secret");
    let first = mine[0].display();
    private(here.join("wrong"), "another password");
    failed(
        &audit(&keys, &["--keystore-password-file", "wrong"]),
        1,
        &format!("{first}: wrong password, or an altered kdf, checksum or ciphertext"),
        "give the password of the keystores with --keystore-password-file, or as the passphrase",
    );
    failed(
        &audit(&keys, &[]),
        2,
        "there is no terminal for this prompt: Password of the keystores (your passphrase, \
         unless you \
         chose another)",
        "run it in a terminal, or use --keystore-password-file FILE",
    );

    // The state says so too.
    let status = quorate(here, &["--dir", "demo/bob", "--json", "status"]);
    assert_eq!(status.code, 0, "{}", status.stderr);
    let status = status.json();
    assert_eq!(status["identity"], true);
    assert_eq!(status["ceremonies"][0]["state"], "finished");
    assert_eq!(status["ceremonies"][0]["name"], "Demo cluster");

    // The log holds everything: where the outputs were moved away, they are made from it again.
    fs::rename(demo.out("bob"), here.join("moved")).unwrap();
    let args = ["export", "keystores", "demo/ceremony.toml", "--kdf", "pbkdf2", "--out", "again"];
    let again = demo.by("bob", &args);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    let certified = audit(&here.join("again"), &password);
    assert!(
        certified.stdout.contains("one for each validator, all of \"bob\" (operator 2)"),
        "{}{}",
        certified.stdout,
        certified.stderr
    );

    // And a demo never writes over another.
    let again = quorate(here, &["demo", "--out", "demo"]);
    failed(
        &again,
        1,
        "demo already exists",
        "choose another folder with --out, or remove this one",
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_demo_ends_when_one_of_its_operators_does() {
    let root = TempDir::new().unwrap();
    let here = root.path();
    let args = ["demo", "--validators", "500", "--no-keystores", "--out", "demo"];
    let mut demo = Running::start(command(here, &args));
    // All of them are there, and none can be finished.
    demo.until("Connected to");
    let children = |of: u32| fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap();
    let first = children(demo.id()).split_whitespace().next().unwrap().to_owned();
    signal(Signal::KILL, first.parse().unwrap());
    demo.ended().failed(1, &["error: these operators of the demo did not finish: alice"]);
}
