//! Exports of a finished ceremony in each layout, and keystores pushed to a key manager.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use quorate::ethereum::keystore::{Keystore, Password};
use quorate::primitives::secret::SecretBytes;
use serde_json::{Value, json};

use crate::support::demo::{CHARON, Demo};
use crate::support::files::{files, mode, private};
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

/// What a key manager of the tests' own does.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Proper,
    /// Answers in chunks.
    Chunked,
    /// Has nothing to say of a keystore, and spells it out.
    Null,
    /// Says that one keystore does not decrypt.
    Refuses,
    /// Imports, and then says that something went wrong.
    Fails,
    /// One status too few.
    Forgets,
    /// Says imported, and does not have it afterwards.
    Lies,
}

const TOKEN: &str = "api-token-0x1234";

/// A key manager on a port of this machine that decrypts what it gets; its port, and the keys that
/// it holds.
fn key_manager(manner: Manner) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let held = Arc::new(Mutex::new(Vec::new()));
    let keys = held.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if line == "\r\n" {
                    break;
                }
                head.push(line.trim_end().to_owned());
            }
            let header = |name: &str| {
                head.iter()
                    .find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
            };
            let mut body =
                vec![0; header("Content-Length").map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).unwrap();
            let (code, answer) = match (header("Authorization"), head[0].as_str()) {
                (Some(token), _) if token != format!("Bearer {TOKEN}") => {
                    (401, json!({ "message": "another token" }))
                }
                (Some(_), "POST /eth/v1/keystores HTTP/1.1") => (
                    if manner == Manner::Fails { 500 } else { 200 },
                    import(&body, &mut keys.lock().unwrap(), manner),
                ),
                (Some(_), "GET /eth/v1/keystores HTTP/1.1") => {
                    let listed = keys.lock().unwrap();
                    let row = |key: &String| {
                        json!({ "validating_pubkey": format!("0x{key}"),
                        "derivation_path": "", "readonly": false })
                    };
                    (200, json!({ "data": listed.iter().map(row).collect::<Vec<_>>() }))
                }
                _ => (404, json!({ "message": "nothing here" })),
            };
            let answer = answer.to_string();
            let text = match manner {
                Manner::Chunked => {
                    let (first, second) = answer.split_at(answer.len() / 2);
                    format!(
                        "HTTP/1.1 {code} OK\r\nTransfer-Encoding: \
                         chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
                        first.len(),
                        second.len()
                    )
                }
                _ => format!(
                    "HTTP/1.1 {code} OK\r\nContent-Length: {}\r\n\r\n{answer}",
                    answer.len()
                ),
            };
            stream.get_mut().write_all(text.as_bytes()).unwrap();
        }
    });
    (port, held)
}

fn import(body: &[u8], held: &mut Vec<String>, manner: Manner) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap();
    let (keystores, passwords) =
        (body["keystores"].as_array().unwrap(), body["passwords"].as_array().unwrap());
    assert_eq!(keystores.len(), passwords.len());
    assert_eq!(body.as_object().unwrap().len(), 2);
    let mut statuses: Vec<Value> = Vec::new();
    for (keystore, password) in keystores.iter().zip(passwords) {
        // As texts, not as objects.
        let keystore = Keystore::from_json(keystore.as_str().unwrap().as_bytes()).unwrap();
        let password = SecretBytes::new(password.as_str().unwrap().as_bytes().to_vec());
        keystore.decrypt(&Password::new(&password).unwrap()).unwrap();
        let key = hex::encode(keystore.pubkey().to_compressed());
        let status = match held.contains(&key) {
            true => "duplicate",
            false => "imported",
        };
        if manner != Manner::Lies {
            held.push(key);
        }
        statuses.push(json!({ "status": status, "message": "" }));
    }
    match manner {
        Manner::Refuses => {
            statuses[1] = json!({ "status": "error", "message": "no slashing protection" })
        }
        Manner::Null => statuses.iter_mut().for_each(|status| status["message"] = Value::Null),
        Manner::Forgets => drop(statuses.pop()),
        _ => {}
    }
    json!({ "data": statuses })
}

fn token_file(demo: &Demo, name: &str, token: &str) {
    private(demo.path(name), &format!("{token}\n"));
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
        let (port, held) = key_manager(manner);
        for (imported, duplicates) in [(3, 0), (0, 3)] {
            let ended = push(&demo, port, "token");
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            let object = ended.json();
            assert_eq!(
                (&object["imported"], &object["duplicates"]),
                (&imported.into(), &duplicates.into())
            );
        }
        let mut keys: Vec<String> = held.lock().unwrap().iter().take(3).cloned().collect();
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
        push(key_manager(Manner::Proper).0, "wrong"),
        "the key manager says 401: {\"message\":\"another token\"}",
    );
    failed(push(key_manager(Manner::Refuses).0, "right"), "error no slashing protection");
    failed(push(key_manager(Manner::Forgets).0, "right"), "2 statuses for 3 keystores");
    failed(push(key_manager(Manner::Lies).0, "right"), "does not list 0x");
    // What may have been imported is not called nothing.
    let ended = push(key_manager(Manner::Fails).0, "right");
    assert!(
        ended.stderr.contains("has 0 of the 3 keystores; status of 3 more unknown"),
        "{}",
        ended.stderr
    );
    failed(ended, "a share in two clients gets slashed");
    // Nobody is there.
    failed(push(free_port(), "right"), "check that the key manager API is enabled");
}
