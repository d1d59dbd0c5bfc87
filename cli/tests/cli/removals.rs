//! Shares that are removed from a key manager, and what they have signed, to the next one.

use std::fs;

use quorate::ethereum::interchange::{Interchange, Signed, Vote};
use quorate::ethereum::network::Network;
use serde_json::Value;

use crate::key_manager::{Fake, Manner, TOKEN, token_file};
use crate::support::demo::{CHARON, Demo};
use crate::support::files::mode;
use crate::support::ports::free_port;
use crate::support::program::Ended;

fn push(demo: &Demo, url: &str, more: &[&str]) -> Ended {
    let args = [
        "export",
        "keystores",
        "demo/ceremony.toml",
        "--kdf",
        "pbkdf2",
        "--keymanager",
        url,
        "--token-file",
        "token",
    ];
    demo.by("bob", &[&args, more].concat())
}

fn remove(demo: &Demo, url: &str, file: &str, more: &[&str]) -> Ended {
    let transcript = demo.out("bob").join("public/transcript.quorate");
    let args = [
        "keymanager",
        "remove",
        transcript.to_str().unwrap(),
        "--keymanager",
        url,
        "--token-file",
        "token",
        "--out",
        file,
    ];
    demo.by("bob", &[&args, more].concat())
}

fn read(bytes: &[u8]) -> Interchange {
    let root = Network::known("hoodi").unwrap().genesis_validators_root();
    Interchange::parse(bytes, &root).unwrap().0
}

/// A demo, and a key manager that has bob's three shares.
fn loaded(manner: Manner) -> (Demo, Fake) {
    let demo = Demo::new(CHARON);
    token_file(&demo, "token", TOKEN);
    let manager = Fake::start(manner);
    let pushed = push(&demo, &manager.url(), &[]);
    assert_eq!((pushed.code, manager.held().len()), (0, 3), "{}", pushed.stderr);
    // It says that it carries nothing, and it does not.
    assert!(pushed.stderr.contains("WARNING: no slashing protection data is sent"));
    assert_eq!(pushed.json()["protected"], false);
    assert_eq!(manager.sent(), [Value::Null]);
    (demo, manager)
}

#[test]
fn what_shares_have_signed_goes_with_them_to_the_next_client() {
    for manner in [Manner::Proper, Manner::Object, Manner::Chunked] {
        let (demo, manager) = loaded(manner);
        let keys = manager.held();
        let ended = remove(&demo, &manager.url(), "protection.json", &[]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let said = ended.json();
        assert_eq!((&said["removed"], &said["operator"]), (&3.into(), &2.into()));
        assert_eq!(said["not_in_file"], Value::Array(vec![]));
        assert!(manager.held().is_empty());
        let file = demo.path("protection.json");
        assert_eq!(mode(&file), 0o600);
        let protection = read(&fs::read(&file).unwrap());
        let signed = |place: u64| Signed {
            slot: Some(9),
            vote: Some(Vote { source: 2, target: 20 + place }),
        };
        let found: Vec<Signed> = keys
            .iter()
            .map(|key| *protection.signed(&hex::decode(key).unwrap().try_into().unwrap()).unwrap())
            .collect();
        assert_eq!(found, [0, 1, 2].map(signed));

        // The same again, of keys that are not there any more; never over the first file.
        let again = remove(&demo, &manager.url(), "protection.json", &[]);
        assert_eq!(again.code, 1);
        assert!(again.stderr.contains("already exists"), "{}", again.stderr);
        let again = remove(&demo, &manager.url(), "again.json", &["--operator", "2"]);
        assert_eq!(again.code, 0, "{}", again.stderr);
        assert_eq!(fs::read(demo.path("again.json")).unwrap(), fs::read(&file).unwrap());

        // The next client gets it with the shares.
        let next = Fake::start(Manner::Proper);
        let pushed = push(&demo, &next.url(), &["--protection", "protection.json"]);
        assert_eq!(pushed.code, 0, "{}", pushed.stderr);
        assert_eq!(pushed.json()["protected"], true);
        assert!(!pushed.stderr.contains("WARNING"), "{}", pushed.stderr);
        let sent = next.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(read(&serde_json::to_vec(&sent[0]).unwrap()), protection);
    }
}

#[test]
fn a_push_with_data_that_does_not_fit_is_refused_by_name() {
    let (demo, manager) = loaded(Manner::Proper);
    let key = manager.held()[1].clone();
    assert_eq!(remove(&demo, &manager.url(), "whole.json", &[]).code, 0);
    let whole: Value = serde_json::from_slice(&fs::read(demo.path("whole.json")).unwrap()).unwrap();
    let write = |name: &str, change: fn(&mut Value)| {
        let mut changed = whole.clone();
        change(&mut changed);
        fs::write(demo.path(name), changed.to_string()).unwrap();
    };
    write("two.json", |file| drop(file["data"].as_array_mut().unwrap().remove(1)));
    write("one.json", |file| file["data"] = Value::Array(vec![file["data"][1].clone()]));
    write("root.json", |file| {
        file["metadata"]["genesis_validators_root"] = format!("0x{}", "11".repeat(32)).into()
    });
    write("late.json", |file| {
        file["data"][0]["signed_attestations"][0]["target_epoch"] = "99999999".into()
    });
    let next = Fake::start(Manner::Proper);
    let refused = |files: &[&str], part: &str| {
        let flags: Vec<&str> = files.iter().flat_map(|file| ["--protection", file]).collect();
        let ended = push(&demo, &next.url(), &flags);
        assert_eq!(ended.code, 1, "{}", ended.stdout);
        assert!(ended.stderr.contains(part), "{part} in: {}", ended.stderr);
        assert!(next.sent().is_empty());
    };
    refused(&["two.json"], &format!("two.json: nothing is said of these keys\n  0x{key}\n"));
    refused(&["whole.json", "root.json"], "root.json: genesis_validators_root: 0x1111");
    refused(&["demo/ceremony.toml"], "demo/ceremony.toml: not a slashing protection file");

    // Two files that have all of them together; and a word for the rest.
    let both = push(&demo, &next.url(), &["--protection", "two.json", "--protection", "one.json"]);
    assert_eq!(both.code, 0, "{}", both.stderr);
    let sent = |manager: &Fake| read(&serde_json::to_vec(&manager.sent()[0]).unwrap());
    assert_eq!(sent(&next), read(whole.to_string().as_bytes()));
    let third = Fake::start(Manner::Proper);
    let flags = ["--protection", "two.json", "--others-never-ran"];
    assert_eq!(push(&demo, &third.url(), &flags).code, 0);
    let key = hex::decode(key).unwrap().try_into().unwrap();
    assert_eq!(sent(&third).signed(&key), Some(&Signed::default()));

    // A value from the future is told: with it the key signs nothing until then.
    let late = push(&demo, &Fake::start(Manner::Proper).url(), &["--protection", "late.json"]);
    assert!(late.stderr.contains("has signed for epoch 99999999, and it is epoch "));
}

#[test]
fn what_was_removed_is_never_lost() {
    // Cut off in the answer: the keys may be gone, and the same command gets their data.
    let (demo, manager) = loaded(Manner::CutOff);
    let ended = remove(&demo, &manager.url(), "cut.json", &[]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("the keys may have been removed"), "{}", ended.stderr);
    assert!(manager.held().is_empty() && !demo.path("cut.json").exists());
    let ended = remove(&demo, &manager.url(), "cut.json", &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(read(&fs::read(demo.path("cut.json")).unwrap()).keys().len(), 3);

    // Whatever comes is kept before it is looked at.
    for (manner, part, kept) in [
        (Manner::Silent, "its answer has no slashing protection data", "{\"data\":["),
        (Manner::Garbles, "not a slashing protection file", "nothing"),
        (Manner::Forgets, "2 statuses for 3 keys", "{\"data\":["),
    ] {
        let (demo, manager) = match manner {
            // Of this one, the push would fail too.
            Manner::Forgets => {
                let demo = Demo::new(CHARON);
                token_file(&demo, "token", TOKEN);
                let manager = Fake::start(manner);
                assert_eq!(push(&demo, &manager.url(), &[]).code, 1);
                (demo, manager)
            }
            _ => loaded(manner),
        };
        let ended = remove(&demo, &manager.url(), "kept.json", &[]);
        assert_eq!(ended.code, 1, "{}", ended.stdout);
        assert!(ended.stderr.contains(part), "{part} in: {}", ended.stderr);
        assert!(ended.stderr.contains("in kept.json"), "{}", ended.stderr);
        let found = fs::read_to_string(demo.path("kept.json")).unwrap();
        assert!(found.starts_with(kept), "{found}");
        assert_eq!(mode(demo.path("kept.json")), 0o600);
    }
}

#[test]
fn a_key_that_is_not_removed_or_of_which_nothing_is_known_is_told() {
    let (demo, manager) = loaded(Manner::Partial);
    let key = manager.held()[1].clone();
    let ended = remove(&demo, &manager.url(), "partial.json", &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.json()["not_in_file"], Value::Array(vec![format!("0x{key}").into()]));
    assert!(ended.stderr.contains("WARNING: the data says nothing of these keys"));

    // It has none of the shares of another operator, and says so.
    let ended = remove(&demo, &manager.url(), "other.json", &["--operator", "1"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains(": not_found"), "{}", ended.stderr);
    assert!(ended.stderr.contains("find the validator client that has the key"));
    let ended = remove(&demo, &manager.url(), "none.json", &["--operator", "4"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("the ceremony has the operators 1 to 3"), "{}", ended.stderr);

    // One that says deleted and goes on listing the key.
    let demo = Demo::new(CHARON);
    token_file(&demo, "token", TOKEN);
    let manager = Fake::start(Manner::Lies);
    manager.hold(&key);
    let ended = remove(&demo, &manager.url(), "lies.json", &[]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains(&format!("still lists 0x{key}")), "{}", ended.stderr);
    assert!(demo.path("lies.json").exists());

    // Nobody is there: nothing has happened.
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let ended = remove(&demo, &nobody, "nobody.json", &[]);
    assert_eq!((ended.code, demo.path("nobody.json").exists()), (1, false));
    assert!(ended.stderr.contains("no connection"), "{}", ended.stderr);
}
