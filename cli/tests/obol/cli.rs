//! From a definition to Charon's folder, by the command line: real processes, then every command
//! that reads the result.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use quorate::ethereum::obol::definition::Version;
use serde_json::Value;
use tempfile::TempDir;

use crate::made::{signed, unsigned};
use crate::support::demo::{Demo, OBOL, OPERATORS};
use crate::support::files::{files, mode, private};
use crate::support::program::quorate;
use crate::support::repository;

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

const FOLDER: [&str; 8] = [
    "charon-enr-private-key",
    "cluster-definition.json",
    "cluster-lock.json",
    "deposit-data.json",
    "validator_keys/keystore-0.json",
    "validator_keys/keystore-0.txt",
    "validator_keys/keystore-1.json",
    "validator_keys/keystore-1.txt",
];

#[test]
fn every_operator_has_a_folder_for_its_node() {
    let demo = Demo::new(OBOL);
    let lock = fs::read(demo.out("alice").join("public/cluster-lock.json")).unwrap();
    for operator in OPERATORS {
        let folder = demo.out(operator).join("secret/obol");
        assert_eq!(names(&folder), FOLDER);
        assert_eq!(fs::read(folder.join("cluster-lock.json")).unwrap(), lock);
        let key = demo.path("demo").join(operator).join("charon-enr-private-key");
        assert_eq!(
            fs::read(folder.join("charon-enr-private-key")).unwrap(),
            fs::read(&key).unwrap()
        );
        for path in [
            key,
            folder.join("charon-enr-private-key"),
            folder.join("validator_keys/keystore-0.txt"),
        ] {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

#[test]
fn the_lock_is_judged_by_itself_and_against_the_transcript() {
    let demo = Demo::new(OBOL);
    let public = demo.out("bob").join("public");
    let (transcript, lock) = (public.join("transcript.quorate"), public.join("cluster-lock.json"));
    let (transcript, lock) = (transcript.to_str().unwrap(), lock.to_str().unwrap());
    let ended = demo.run(&["verify", "cluster-lock", lock]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let ended = demo.run(&["verify", "cluster-definition", "demo/cluster-definition.json"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    // Anybody can write a definition: whoever accepts it sees where the money goes.
    let definition: Value =
        serde_json::from_slice(&fs::read(demo.path("demo/cluster-definition.json")).unwrap())
            .unwrap();
    let validators = definition["validators"].as_array().unwrap();
    let (withdrawal, fees) =
        (&validators[0]["withdrawal_address"], &validators[0]["fee_recipient_address"]);
    let line = format!(
        "of {} validators: withdrawn to {}",
        validators.len(),
        withdrawal.as_str().unwrap()
    );
    assert!(
        ended.stdout.contains(&line) && ended.stdout.contains("network hoodi"),
        "{line} in: {}",
        ended.stdout
    );
    let verdict = demo
        .run(&["--json", "verify", "cluster-definition", "demo/cluster-definition.json"])
        .json();
    let going = serde_json::json!([{ "withdrawal_address": withdrawal, "fee_recipient": fees,
        "validators": validators.len() }]);
    assert_eq!(
        (&verdict["going_to"], verdict["network"].as_str()),
        (&going, Some("hoodi")),
        "{verdict}"
    );
    let ended = demo.run(&["audit", transcript, "--lock", lock]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("8 shares and 4 nodes have signed it"), "{}", ended.stdout);
    assert!(ended.stdout.contains("every field matches the transcript"), "{}", ended.stdout);

    // One field after the other is changed; each is named.
    let text = fs::read_to_string(lock).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let here = TempDir::new().unwrap();
    for (pointer, value, field) in [
        ("/cluster_definition/name", "Another", "cluster_definition.name"),
        (
            "/distributed_validators/1/public_shares/2",
            "",
            "distributed_validators[1].public_shares[2]",
        ),
        (
            "/distributed_validators/0/partial_deposit_data/0/amount",
            "1000000000",
            "distributed_validators[0].partial_deposit_data[0].amount",
        ),
        ("/node_signatures/3", "", "node_signatures[3]"),
        ("/lock_hash", "", "lock_hash"),
        ("/signature_aggregate", "", "signature_aggregate"),
    ] {
        let mut changed = json.clone();
        let place = changed.pointer_mut(pointer).unwrap();
        let digits = place.as_str().unwrap().len();
        *place = if value.is_empty() {
            format!("0x{}", "1".repeat(digits - 2))
        } else {
            value.to_owned()
        }
        .into();
        fs::write(here.path().join("lock.json"), changed.to_string()).unwrap();
        let ended = quorate(here.path(), &["audit", transcript, "--lock", "lock.json"]);
        assert_eq!(ended.code, 4, "{pointer}");
        assert!(
            ended.stdout.contains(&format!("lock.json: {field}: ")),
            "{field}: {}",
            ended.stdout
        );
        assert_eq!(
            quorate(here.path(), &["verify", "cluster-lock", "lock.json"]).code,
            4,
            "{pointer}"
        );
    }
    // A lock that holds, of another cluster.
    let other = repository("test-vectors/obol/unsigned-v1.10.0.lock.json");
    let other = other.to_str().unwrap();
    assert_eq!(demo.run(&["verify", "cluster-lock", other]).code, 0);
    let ended = demo.run(&["audit", transcript, "--lock", other]);
    assert_eq!(ended.code, 4);
    assert!(
        ended.stdout.contains("lock.json: cluster_definition.config_hash: \"0x"),
        "{}",
        ended.stdout
    );
    let plain = repository("test-vectors/ceremony/2-of-3.quorate");
    let ended = demo.run(&["audit", plain.to_str().unwrap(), "--lock", lock]);
    assert_eq!(ended.code, 4);
    assert!(ended.stdout.contains("does not make an Obol cluster"), "{}", ended.stdout);
}

#[test]
fn the_folder_again() {
    let demo = Demo::new(OBOL);
    demo.by("alice", &["export", "obol", "demo/ceremony.toml", "--out", "again"]).done();
    assert_eq!(names(&demo.path("again")), FOLDER);
    let lock = |folder: &Path| fs::read(folder.join("cluster-lock.json")).unwrap();
    assert_eq!(lock(&demo.path("again")), lock(&demo.out("alice").join("public")));
    let others = ["--charon-enr-private-key", "demo/bob/charon-enr-private-key", "--out", "other"];
    demo.by("alice", &[&["export", "obol", "demo/ceremony.toml"], &others[..]].concat())
        .failed(1, &["but the cluster definition has"]);
}

#[test]
fn keys_of_nodes_and_ceremonies_that_need_them() {
    let root = TempDir::new().unwrap();
    let here = root.path();
    private(here.join("passphrase"), "correct horse battery\n");
    let mut cards = Vec::new();
    for (i, name) in OPERATORS.iter().enumerate() {
        let state = ["--dir", name, "--passphrase-file", "passphrase"];
        let card = quorate(
            here,
            &[&state[..], &["identity", "new", "--name", name, "--kdf-cost", "10"]].concat(),
        )
        .stdout;
        cards.push(format!("{}@127.0.0.1:{}", card.trim(), 45_610 + i));
    }
    // Keys: made, imported, shown; never overwritten, and nobody else's to read.
    let made = quorate(here, &["--dir", "alice", "identity", "obol-key", "new"]);
    assert!(made.code == 0 && made.stdout.starts_with("enr:-"), "{}", made.stderr);
    assert_eq!(
        quorate(here, &["--dir", "alice", "identity", "obol-key", "show"]).stdout,
        made.stdout
    );
    assert_eq!(quorate(here, &["--dir", "alice", "identity", "obol-key", "new"]).code, 1);
    private(here.join("key"), &"01".repeat(32));
    let imported = quorate(here, &["--dir", "bob", "identity", "obol-key", "import", "key"]);
    assert_eq!(
        (imported.code, imported.stdout.trim()),
        (0, unsigned(Version::V1_10).operators[0].enr.as_str())
    );
    private(here.join("bad"), "0x01");
    let bad = quorate(here, &["--dir", "carol", "identity", "obol-key", "import", "bad"]);
    assert!(
        bad.code == 1 && bad.stderr.contains("not 64 hexadecimal digits (without 0x)"),
        "{}",
        bad.stderr
    );
    fs::set_permissions(here.join("key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(quorate(here, &["--dir", "carol", "identity", "obol-key", "import", "key"]).code, 1);

    // A ceremony file from a definition, and from nothing that contradicts it.
    fs::write(here.join("definition.json"), signed(Version::V1_11).to_json()).unwrap();
    let operators: Vec<&str> = cards.iter().flat_map(|card| ["--operator", card]).collect();
    let new = |more: &[&str], file: &str| {
        quorate(
            here,
            &[
                &["spec", "new", "--obol-definition", "definition.json", "-o", file],
                more,
                &operators[..],
            ]
            .concat(),
        )
    };
    let written = new(&[], "ceremony.toml");
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert!(
        written.stdout.contains("Obol cluster \"Four of us\", definition v1.11.0"),
        "{}",
        written.stdout
    );
    assert!(written.stdout.contains("Ceremony \"Four of us\" on hoodi"), "{}", written.stdout);
    for (flags, said) in [
        (&["--threshold", "4"][..], "--threshold 4, but the cluster definition has 3"),
        (&["--network", "mainnet"], "--network mainnet, but the cluster definition has hoodi"),
        (&["--compounding", "true"], "cannot be used with"),
        (&["--gas-limit", "7"], "cannot be used with"),
        (&["--withdrawal", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"], "cannot be used with"),
        (
            &["--contract-wallet", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"],
            "is not a wallet of the definition",
        ),
        (&["--operator", &cards[0]], "has 4 operators, but --operator is given 5 times"),
    ] {
        let refused = new(flags, "other.toml");
        assert!(refused.code == 2 && refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    // Charon takes any name, and none; a ceremony does not.
    for (name, said) in [
        ("Cl\u{fc}ster", "give the ceremony a name of its own with --name"),
        ("", "the cluster definition has no name"),
    ] {
        let mut definition = unsigned(Version::V1_10);
        name.clone_into(&mut definition.name);
        fs::write(here.join("named.json"), definition.with_hashes().to_json()).unwrap();
        let new = |more: &[&str]| {
            let front = ["spec", "new", "--obol-definition", "named.json", "-o", "named.toml"];
            quorate(here, &[&front[..], more, &operators[..]].concat())
        };
        new(&[]).failed(2, &[said]);
        new(&["--name", "Cluster"]).done();
        fs::remove_file(here.join("named.toml")).unwrap();
    }
    let shown = quorate(here, &["--json", "spec", "show", "ceremony.toml"]).json();
    let words = shown["fingerprint"].as_str().unwrap();
    assert!(shown["obol"]["definition_hash"].as_str().unwrap().starts_with("0x"));

    // The node's key is asked for before anything begins.
    let run = |name: &str, more: &[&str]| {
        let state = [
            "--dir",
            name,
            "--passphrase-file",
            "passphrase",
            "run",
            "ceremony.toml",
            "--yes-fingerprint",
            words,
        ];
        quorate(here, &[&state[..], more].concat())
    };
    let nothing = run("carol", &[]);
    assert!(
        nothing.code == 1
            && nothing.stderr.contains("the key of this operator's node")
            && nothing.stderr.contains("enr:-"),
        "{}",
        nothing.stderr
    );
    let wrong = run("bob", &[]);
    assert!(wrong.code == 1 && wrong.stderr.contains("the node key is 0x"), "{}", wrong.stderr);
    assert!(!here.join("carol/ceremonies").exists() && !here.join("bob/ceremonies").exists());
}
