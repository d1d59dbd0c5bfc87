//! A key generation that preregisters withdrawal credentials, a draft: from the file to what is
//! written, shown and verified.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::files::only;
use crate::support::program::{Ended, command, end};

const FILE: &str = "preregistrations-draft.json";
/// Where a demo's money goes.
const WITHDRAWAL: &str = "0x000000000000000000000000000000000000dEaD";
const OTHER: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";

fn run(home: &Path, args: &[&str]) -> Ended {
    end(command(home, args))
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Operators run it, and every output says that it is a draft.
#[test]
fn a_key_generation_preregisters_its_withdrawal_credentials() {
    let home = TempDir::new().unwrap();
    let home = home.path();
    let args = ["demo", "--preregistration", "--operators", "3", "--threshold", "2"];
    run(home, &[&args[..], &["--no-keystores", "--out", "demo"]].concat()).done();
    let out = |name: &str| only(home.join("demo").join(name).join("ceremonies")).join("out/public");
    let public = out("alice");
    for (file, name) in [(FILE, FILE), ("transcript.quorate", "transcript.quorate")] {
        let bytes = fs::read(public.join(file)).unwrap();
        for other in ["bob", "carol"] {
            assert_eq!(fs::read(out(other).join(file)).unwrap(), bytes, "{other}: {file}");
        }
        fs::write(home.join(name), bytes).unwrap();
    }
    // The credentials of the deposits, key by key.
    let (entries, deposits) = (read(&home.join(FILE)), read(&public.join("deposit-data.json")));
    let bound = |entry: &Value, prefix: &str| {
        ["pubkey", "withdrawal_credentials"]
            .map(|field| format!("{prefix}{}", entry[field].as_str().unwrap()))
    };
    let all = |list: &Value, prefix: &str| -> Vec<[String; 2]> {
        list.as_array().unwrap().iter().map(|entry| bound(entry, prefix)).collect()
    };
    assert_eq!(all(&entries, ""), all(&deposits, "0x"));
    let fields: Vec<&String> = entries[0].as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 3, "{fields:?}");
    // Verified by itself.
    let verify = |more: &[&str]| {
        run(home, &[&["--json", "verify", "preregistration", FILE][..], more].concat())
    };
    let said = verify(&["--network", "hoodi", "--withdrawal", WITHDRAWAL]).done().json();
    assert_eq!((&said["draft"], &said["accepted"]), (&json!("2026-08-17"), &json!(true)));
    assert_eq!(said["preregistrations"].as_array().unwrap().len(), 2);
    let said = run(home, &["verify", "preregistration", FILE, "--network", "hoodi"]).done().stdout;
    assert!(said.contains("DRAFT (EIP-8205 as of 2026-08-17): no network takes these yet"));
    let refused = verify(&["--network", "hoodi", "--withdrawal", OTHER]).ended_with(4).json();
    let reason = format!("entry 1, withdrawal_credentials: {WITHDRAWAL} instead of {OTHER}");
    assert_eq!(
        (&refused["field"], &refused["reason"]),
        (&json!("withdrawal_credentials"), &json!(reason))
    );
    let refused = verify(&["--network", "sepolia"]).ended_with(4).json();
    let reason = "entry 1, signature: does not verify on sepolia by the draft of 2026-08-17";
    assert_eq!(refused["reason"], reason);
    // Another kind of file is named.
    let wrong = ["verify", "registration", FILE, "--network", "hoodi"];
    let said = run(home, &wrong).ended_with(4).stdout;
    assert!(said.contains("a file of preregistrations: quorate verify preregistration"), "{said}");
    // Before anybody agrees, it is shown.
    fs::copy(home.join("demo/ceremony.toml"), home.join("ceremony.toml")).unwrap();
    let shown = run(home, &["spec", "show", "ceremony.toml"]).done().stdout;
    assert!(shown.contains("\nPreregistrations: DRAFT (EIP-8205 as of 2026-08-17)\n"), "{shown}");
    assert!(shown.contains("The signature never expires and cannot be taken back."), "{shown}");
    let shown = run(home, &["--json", "spec", "show", "ceremony.toml"]).done().json();
    assert_eq!(shown["preregistration"], json!({ "draft": "2026-08-17" }));
    // The audit has it, and another ceremony is one without.
    let audit = ["audit", "transcript.quorate", "--expect", "ceremony.toml"];
    let report = run(home, &[&["--json"][..], &audit].concat()).done().json();
    let signed = &report["report"]["facts"]["validators"][1]["preregistration"];
    assert_eq!(
        (&signed["draft"], &signed["signature"]),
        (&json!("2026-08-17"), &entries[1]["signature"])
    );
    let text = fs::read_to_string(home.join("ceremony.toml")).unwrap();
    let without = text.replace("[preregistration]\ndraft = \"2026-08-17\"\n", "");
    assert_ne!(text, without);
    fs::write(home.join("without.toml"), without).unwrap();
    let other = run(home, &["audit", "transcript.quorate", "--expect", "without.toml"]);
    let said = other.ended_with(4).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("preregistration.draft: expected none, found 2026-08-17"), "{said}");
    // What is made of the transcript again.
    run(home, &["export", "launchpad", "transcript.quorate", "--out", "launchpad"]).done();
    assert_eq!(read(&home.join("launchpad").join(FILE)), entries);
    let dossier =
        ["dossier", "transcript.quorate", "--expect", "ceremony.toml", "--out", "dossier"];
    run(home, &dossier).done();
    assert_eq!(read(&home.join("dossier").join(FILE)), entries);
    let words = fs::read_to_string(home.join("dossier/README.md")).unwrap();
    assert!(words.contains(
        "\nquorate verify preregistration preregistrations-draft.json --network hoodi\n"
    ));
    // More validators for the same operators are asked for the same.
    let like =
        ["spec", "new", "--like", "transcript.quorate", "--name", "More", "--validators", "1"];
    let at = ["--at", "alice=127.0.0.1:3610", "-o", "more.toml"];
    run(home, &[&like[..], &at].concat()).done();
    let more = run(home, &["--json", "spec", "show", "more.toml"]).done().json();
    assert_eq!(more["preregistration"], json!({ "draft": "2026-08-17" }));
    // A reshare signs none.
    let parent =
        ["reshare", "new", "--from", "transcript.quorate", "--name", "Next", "-o", "next.toml"];
    run(home, &parent).done();
    let next = fs::read_to_string(home.join("next.toml")).unwrap();
    let asked =
        next.replacen("\n[parent]", "\n[preregistration]\ndraft = \"2026-08-17\"\n\n[parent]", 1);
    fs::write(home.join("next.toml"), asked).unwrap();
    let refused = run(home, &["spec", "check", "next.toml"]);
    refused.failed(2, &["preregistration: no part of a reshare or an import"]);
}
