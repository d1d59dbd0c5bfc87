//! Exports of a finished ceremony in each layout, and keystores pushed to a key manager.

use std::fs;
use std::path::{Path, PathBuf};

use quorate::ethereum::keystore::{Keystore, Password};
use quorate::primitives::secret::SecretBytes;

use crate::key_manager::{Fake, Manner, TOKEN, token_file};
use crate::support::demo::{CHARON, Demo};
use crate::support::files::{files, mode};
use crate::support::ports::free_port;
use crate::support::program::Ended;

fn password(path: &Path) -> Password {
    Password::new(&SecretBytes::new(fs::read(path).unwrap())).unwrap()
}

/// The public keys of a folder's keystores, each decrypted with the password in `password_of` its
/// name.
fn opened(root: &Path, password_of: impl Fn(&str) -> PathBuf) -> Vec<Vec<u8>> {
    let names = files(root).into_iter().filter(|(name, _)| name.ends_with(".json"));
    let mut keys: Vec<Vec<u8>> = names
        .map(|(name, bytes)| {
            let keystore = Keystore::from_json(&bytes).unwrap();
            keystore.decrypt(&password(&password_of(&name))).unwrap();
            keystore.pubkey().to_compressed().to_vec()
        })
        .collect();
    keys.sort();
    keys
}

#[test]
fn every_profile_has_its_names_and_its_passwords() {
    let demo = Demo::new(CHARON);
    // The passphrase as a password: without the line end of its file.
    let passphrase = fs::read_to_string(demo.path("demo/passphrase")).unwrap();
    fs::write(demo.path("trimmed"), passphrase.trim()).unwrap();
    let secret = demo.out("alice").join("secret");
    let names: Vec<String> = files(&secret).into_keys().collect();
    let expected = ["0.json", "0.txt", "1.json", "1.txt", "2.json", "2.txt"]
        .map(|end| format!("validator_keys/keystore-{end}"));
    assert_eq!(names, expected);
    let shares = opened(&secret, |name| secret.join(name.replace(".json", ".txt")));
    // A password for machines, and no line end.
    let written = fs::read_to_string(secret.join("validator_keys/keystore-0.txt")).unwrap();
    assert_eq!((written.len(), written.bytes().all(|b| b.is_ascii_hexdigit())), (32, true));
    assert_ne!(written, passphrase.trim());

    for (profile, folders) in [
        ("default", ("validator_keys", "validator_passwords")),
        ("charon", ("validator_keys", "validator_keys")),
        ("web3signer", ("keystores", "passwords")),
    ] {
        let export = |more: &[&str], out: &str| {
            let args = [
                "export",
                "keystores",
                "demo/ceremony.toml",
                "--kdf",
                "pbkdf2",
                "--profile",
                profile,
                "--out",
                out,
            ];
            demo.by("alice", &[&args, more].concat())
        };
        // Without being asked for, no password is written anywhere.
        let plain = format!("{profile}-plain");
        let ended = export(&[], &plain);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let root = demo.path(&plain);
        assert!(
            files(&root).keys().all(|name| name.starts_with(folders.0) && name.ends_with(".json"))
        );
        assert_eq!(opened(&root, |_| demo.path("trimmed")), shares);
        assert_eq!(mode(&root), 0o700);

        let with = format!("{profile}-with");
        let ended = export(&["--password-files"], &with);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let root = demo.path(&with);
        let beside =
            |name: &str| root.join(name.replace(folders.0, folders.1).replace(".json", ".txt"));
        assert_eq!(opened(&root, beside), shares, "{profile}");
        assert!(files(&root).keys().all(|name| mode(root.join(name)) == 0o600));
        let default = files(&root)
            .keys()
            .any(|name| name.starts_with("validator_keys/keystore-m_12381_3600_0_0_0-"));
        assert_eq!(default, profile == "default");

        // Never over another.
        let again = export(&[], &plain);
        assert_eq!(again.code, 1);
        assert!(again.stderr.contains("already exists"), "{}", again.stderr);
    }
}

#[test]
fn the_launchpads_files_come_from_the_transcript_alone() {
    let demo = Demo::new(CHARON);
    let public = demo.out("bob").join("public");
    let transcript = public.join("transcript.quorate");
    let args = ["export", "launchpad", transcript.to_str().unwrap(), "--out", "launchpad"];
    let ended = demo.run(&args);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("Files written to launchpad: 1"), "{}", ended.stdout);
    let (written, genuine) =
        (demo.path("launchpad/deposit-data.json"), public.join("deposit-data.json"));
    assert_eq!(fs::read(written).unwrap(), fs::read(genuine).unwrap());
}

fn push(demo: &Demo, port: u16, token: &str) -> Ended {
    let url = format!("http://localhost:{port}");
    let args = [
        "export",
        "keystores",
        "demo/ceremony.toml",
        "--kdf",
        "pbkdf2",
        "--keymanager",
        &url,
        "--token-file",
        token,
    ];
    demo.by("bob", &args)
}

#[test]
fn a_key_manager_gets_every_share_once() {
    let demo = Demo::new(CHARON);
    token_file(&demo, "token", TOKEN);
    for manner in [Manner::Proper, Manner::Chunked, Manner::Null] {
        let manager = Fake::start(manner);
        for (imported, duplicates) in [(3, 0), (0, 3)] {
            let ended = push(&demo, manager.port, "token");
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            let object = ended.json();
            assert_eq!(
                (&object["imported"], &object["duplicates"]),
                (&imported.into(), &duplicates.into())
            );
        }
        let mut keys: Vec<String> = manager.held().into_iter().take(3).collect();
        keys.sort();
        let secret = demo.out("bob").join("secret");
        let mine = opened(&secret, |name| secret.join(name.replace(".json", ".txt")));
        assert_eq!(keys, mine.iter().map(hex::encode).collect::<Vec<_>>());
    }
}

#[test]
fn what_a_key_manager_does_not_do_is_said() {
    let demo = Demo::new(CHARON);
    token_file(&demo, "right", TOKEN);
    token_file(&demo, "wrong", "not-the-one");
    let push = |port, token| push(&demo, port, token);
    let failed = |ended: Ended, part: &str| {
        assert_eq!(ended.code, 1, "{}", ended.stdout);
        assert!(ended.stderr.contains(part), "{part} in: {}", ended.stderr);
    };
    failed(
        push(Fake::start(Manner::Proper).port, "wrong"),
        "the key manager says 401: {\"message\":\"another token\"}",
    );
    failed(push(Fake::start(Manner::Refuses).port, "right"), "error no slashing protection");
    failed(push(Fake::start(Manner::Forgets).port, "right"), "2 statuses for 3 keys");
    failed(push(Fake::start(Manner::Lies).port, "right"), "does not list 0x");
    // What may have been imported is not called nothing.
    let ended = push(Fake::start(Manner::Fails).port, "right");
    assert!(
        ended.stderr.contains("has 0 of the 3 keystores; status of 3 more unknown"),
        "{}",
        ended.stderr
    );
    failed(ended, "a share in two clients gets slashed");
    // Nobody is there.
    failed(push(free_port(), "right"), "check that the key manager API is enabled");
}
