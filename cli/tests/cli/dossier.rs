//! The dossier: the same bytes each time, verified by the commands that it contains; and what
//! wallets sign for it, field by field.

use std::fs;
use std::path::Path;

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::personal::personal_hash;
use quorate::ethereum::secp256k1::NodeSecret;
use serde_json::{Value, json};

use crate::support::demo::{Demo, OBOL, OPERATORS, PLAIN, SSV};
use crate::support::files::tree;
use crate::support::program::{Ended, QUORATE, command_of, end};

/// A policy that the demo meets, with a text for wallets.
const OURS: &str = r#"
format = "quorate-policy"
version = 1
name = "ours"
title = "What we want"
date = "2026-11-29"
sources = ["us"]

[networks.hoodi]

[ceremony]
threshold = "at-least-two-thirds"

[wallets]
message = "{member} is a member of {main}"
required = true
"#;

fn secret(number: u8) -> NodeSecret {
    NodeSecret::from_bytes(&[number; 32]).unwrap()
}

fn wallet(number: u8) -> String {
    ExecutionAddress::from_bytes(secret(number).public().address()).unwrap().to_string()
}

fn sign(number: u8, text: &str) -> String {
    format!("0x{}", hex::encode(secret(number).sign(&personal_hash(text))))
}

/// A demo with our policy, and what every operator's wallet has signed.
fn place(policy: bool) -> Demo {
    let demo = Demo::new(PLAIN);
    fs::write(demo.path("ours.toml"), OURS).unwrap();
    let transcript = demo.out("alice").join("public/transcript.quorate");
    fs::copy(transcript, demo.path("transcript.quorate")).unwrap();
    fs::copy(demo.path("demo/ceremony.toml"), demo.path("ceremony.toml")).unwrap();
    let member = |(number, name): (u8, &&str)| {
        let address = wallet(number);
        let main = wallet(9);
        let args =
            ["spec", "wallet-text", "ceremony.toml", "--operator", name, "--wallet", &address];
        let more = ["--policy", "./ours.toml", "--main", &main];
        let args = if policy { [&args[..], &more].concat() } else { args.to_vec() };
        let text = demo.run(&args).done().stdout.trim_end().to_owned();
        let lower = address.to_lowercase();
        assert!(text.contains(&lower), "{text}");
        json!({ "operator": number, "address": address, "message": text,
            "signature": sign(number, &text) })
    };
    let members: Vec<Value> = (1..).zip(&OPERATORS).map(member).collect();
    let file = json!({ "format": "quorate-attestations", "version": 1, "main": wallet(9),
        "members": members });
    fs::write(demo.path("attestations.json"), file.to_string()).unwrap();
    demo
}

fn dossier(demo: &Demo, folder: &str, more: &[&str]) -> Ended {
    let args = ["--json", "dossier", "transcript.quorate", "--expect", "ceremony.toml"];
    demo.run(&[&args[..], &["--out", folder], more].concat())
}

/// The commands that the dossier prints, each run in its folder.
fn follow(folder: &Path) -> usize {
    let words = fs::read_to_string(folder.join("README.md")).unwrap();
    let block = words.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let page = fs::read_to_string(folder.join("index.html")).unwrap();
    let bin = Path::new(QUORATE).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for line in block.lines() {
        assert!(page.contains(line), "the page has the same commands: {line}");
        let mut command = command_of("bash", folder, &["-c", line]);
        command.env("PATH", &path);
        let ended = end(command);
        assert_eq!(ended.code, 0, "{line}\n{}{}", ended.stdout, ended.stderr);
    }
    block.lines().count()
}

#[test]
fn a_dossier_is_verified_by_the_commands_in_it() {
    let demo = place(true);
    let flags = ["--policy", "./ours.toml", "--attestations", "attestations.json"];
    let made = dossier(&demo, "dossier", &flags).done().json();
    assert_eq!(made["policies"], json!([{ "name": "ours", "met": true }]));
    let folder = demo.path("dossier");
    assert_eq!(follow(&folder), 5);
    // The same inputs make the same bytes.
    dossier(&demo, "again", &flags).done();
    let bytes = |folder: &str| {
        let all = tree(&demo.path(folder)).into_iter().map(|(path, found)| (path, found.content));
        all.collect::<Vec<_>>()
    };
    assert_eq!(bytes("dossier"), bytes("again"));
    dossier(&demo, "again", &flags).failed(1, &["again: already exists"]);
    // What is in it is what it was made of.
    let same = |inside: &str, outside: &str| {
        assert_eq!(fs::read(folder.join(inside)).unwrap(), fs::read(demo.path(outside)).unwrap());
    };
    same("transcript.quorate", "transcript.quorate");
    same("ceremony.toml", "ceremony.toml");
    same("policies/ours.toml", "ours.toml");
    same("attestations.json", "attestations.json");
    let deposits = demo.out("bob").join("public/deposit-data.json");
    let ours = fs::read(folder.join("deposit-data.json")).unwrap();
    assert_eq!(ours, fs::read(deposits).unwrap());
    for (number, name) in (1..).zip(OPERATORS) {
        let card =
            fs::read_to_string(folder.join(format!("cards/operator-{number}.card"))).unwrap();
        let shown = demo.by(name, &["identity", "show"]).done().json();
        assert_eq!(card.trim_end(), shown["card"].as_str().unwrap());
    }
    // A byte that is changed is found by the first command.
    let page = folder.join("index.html");
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.replace("hoodi", "mainnet")).unwrap();
    let sums = end(command_of("sha256sum", &folder, &["--check", "--quiet", "SHA256SUMS"]));
    assert_ne!(sums.code, 0);
}

#[test]
fn without_wallets_and_with_a_policy_that_is_not_met() {
    let demo = place(false);
    let plain = dossier(&demo, "plain", &[]).done().json();
    assert_eq!(plain["policies"], json!([]));
    assert_eq!(follow(&demo.path("plain")), 3);
    // What binds a wallet to its operator is no policy's text.
    let flags = ["--policy", "./ours.toml", "--attestations", "attestations.json"];
    let bound = dossier(&demo, "bound", &flags).ended_with(4);
    assert_eq!(bound.json()["policies"], json!([{ "name": "ours", "met": false }]));
    assert_eq!(follow(&demo.path("bound")), 5);
    let words = fs::read_to_string(demo.path("bound/README.md")).unwrap();
    assert!(words.contains("NOT MET, wallets: not every member's wallet has signed"), "{words}");
    assert!(words.contains("I am operator 1 with the key "), "{words}");
    let lido = dossier(&demo, "lido", &["--policy", "lido-csm"]).ended_with(4);
    assert_eq!(lido.json()["policies"][0]["met"], false);
    let page = fs::read_to_string(demo.path("lido/index.html")).unwrap();
    assert!(page.contains("NOT MET, withdrawal"), "{page}");
    // Of another ceremony, or of one that does not pass, there is none.
    let other = fs::read_to_string(demo.path("ceremony.toml")).unwrap();
    fs::write(demo.path("ceremony.toml"), other.replace("threshold = 3", "threshold = 4")).unwrap();
    let text = fs::read_to_string(demo.path("ceremony.toml")).unwrap();
    let all =
        text.replacen("[[operators]]", "[policy]\nallow_all_required = true\n\n[[operators]]", 1);
    fs::write(demo.path("ceremony.toml"), all).unwrap();
    let refused = dossier(&demo, "refused", &[]);
    refused.failed(4, &["this transcript did not pass the audit"]);
    assert!(!demo.path("refused").exists());
}

/// Two programmes may demand one text: a signature of it counts for both. A policy that is named
/// twice counts once, and two of one name are told apart from a folder that exists.
#[test]
fn one_text_counts_for_each_policy_that_demands_it() {
    let demo = place(true);
    let theirs = OURS.replace("name = \"ours\"", "name = \"theirs\"");
    fs::write(demo.path("theirs.toml"), &theirs).unwrap();
    let other = theirs.replace("a member", "part");
    fs::write(demo.path("other.toml"), other.replace("\"theirs\"", "\"other\"")).unwrap();
    let wallets = ["--attestations", "attestations.json"];
    let ours = ["--policy", "./ours.toml", "--policy", "./ours.toml"];
    let flags = [&wallets[..], &ours, &["--policy", "./theirs.toml"]].concat();
    let made = dossier(&demo, "both", &flags).done().json();
    let met = |name: &str| json!({ "name": name, "met": true });
    assert_eq!(made["policies"], json!([met("ours"), met("theirs")]));
    assert_eq!(follow(&demo.path("both")), 6);
    let summary = fs::read(demo.path("both/dossier.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["wallets"]["members"][3]["policies"], json!(["ours", "theirs"]));
    // A text of another programme is not what was signed.
    let flags = [&wallets[..], &ours, &["--policy", "./other.toml"]].concat();
    let made = dossier(&demo, "other", &flags).ended_with(4).json();
    assert_eq!(made["policies"][1], json!({ "name": "other", "met": false }));
    // Two policies of one name.
    fs::write(demo.path("theirs.toml"), OURS.replace("us\"", "them\"")).unwrap();
    let flags = [&ours[..], &["--policy", "./theirs.toml"]].concat();
    let refused = dossier(&demo, "none", &flags);
    refused.failed(2, &["--policy ./theirs.toml: another policy of the name \"ours\" is given"]);
    assert!(!demo.path("none").exists());
}

#[test]
fn what_wallets_have_signed_is_read_strictly() {
    let demo = place(true);
    let verify = || {
        let args = ["--json", "verify", "attestations", "attestations.json", "--ceremony"];
        demo.run(&[&args[..], &["ceremony.toml", "--policy", "./ours.toml"]].concat())
    };
    let accepted = verify().done().json();
    assert_eq!(accepted["members"].as_array().unwrap().len(), 4);
    assert_eq!(accepted["members"][0]["policies"], json!(["ours"]));
    let genuine: Value =
        serde_json::from_slice(&fs::read(demo.path("attestations.json")).unwrap()).unwrap();
    let text = genuine["members"][1]["message"].as_str().unwrap().to_owned();
    let high = {
        let mut bytes = hex::decode(&sign(2, &text)[2..]).unwrap();
        // n - s, and the other recovery id: the second spelling of the same signature.
        const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        let order = hex::decode(ORDER).unwrap();
        let mut borrow = 0i16;
        for at in (0..32).rev() {
            let left = i16::from(order[at]) - i16::from(bytes[32 + at]) - borrow;
            borrow = i16::from(left < 0);
            bytes[32 + at] = u8::try_from(left.rem_euclid(256)).unwrap();
        }
        bytes[64] ^= 1;
        format!("0x{}", hex::encode(bytes))
    };
    for (pointer, value, reason) in [
        ("/format", json!("quorate-request"), "format: not \"quorate-attestations\""),
        ("/version", json!(2), "format: not \"quorate-attestations\" of version 1"),
        ("/main", json!("0x12"), "main: "),
        ("/main", json!(wallet(8)), "operator 1, message: neither what binds"),
        ("/members/1/operator", json!(5), "operator: the ceremony has no operator 5"),
        ("/members/1/operator", json!(0), "operator: the ceremony has no operator 0"),
        ("/members/1/operator", json!(1), "operator 1: this operator or its wallet is there twice"),
        ("/members/1/address", json!(wallet(1)), "operator 2: this operator or its wallet"),
        ("/members/1/address", json!("bob.eth"), "address: "),
        ("/members/1/address", json!(wallet(7)), "operator 2, message: neither what binds"),
        ("/members/1/message", json!("hello"), "operator 2, message: neither what binds"),
        ("/members/1/message", json!(format!("{text} ")), "operator 2, message: neither"),
        ("/members/1/signature", json!("0x12"), "operator 2, signature: "),
        ("/members/1/signature", json!(sign(7, &text)), "has signed this, not 0x"),
        ("/members/1/signature", json!(sign(2, "hello")), "operator 2, signature: "),
        ("/members/1/signature", json!(format!("0x{}", "00".repeat(65))), "operator 2, signature"),
        ("/members/1/signature", json!(high), "s is in the upper half of its range"),
        ("/members/1", json!([2, "", "", ""]), "not a file of wallets' signatures"),
        ("/members", json!({}), "not a file of wallets' signatures"),
    ] {
        let mut file = genuine.clone();
        *file.pointer_mut(pointer).unwrap() = value;
        fs::write(demo.path("attestations.json"), file.to_string()).unwrap();
        let refused = verify().ended_with(4).json();
        let said = refused["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{pointer}: {said}");
    }
    let mut more = genuine.clone();
    more["members"][0]["name"] = json!("alice");
    fs::write(demo.path("attestations.json"), more.to_string()).unwrap();
    let flags = ["--attestations", "attestations.json", "--policy", "./ours.toml"];
    dossier(&demo, "none", &flags).failed(4, &["unknown field `name`", "quorate spec wallet-text"]);
    assert!(!demo.path("none").exists());
    // A text of no policy, and of a policy without one.
    let address = wallet(1);
    let args = ["spec", "wallet-text", "ceremony.toml", "--wallet", &address, "--operator"];
    demo.run(&[&args[..], &["zoe"]].concat()).failed(2, &["\"zoe\" has no seat"]);
    let treasury = ["1", "--policy", "treasury", "--main", &address];
    let reason = "--policy treasury: this policy demands no signature of wallets";
    demo.run(&[&args[..], &treasury].concat()).failed(2, &[reason]);
}

/// The lock of an Obol cluster and the key shares for SSV are in it, and its own commands verify
/// them.
#[test]
fn what_obol_and_ssv_read_is_in_it() {
    for (kind, path, file, commands) in [
        // An Obol cluster's demo has registrations, too.
        (OBOL, "cluster-lock.json", "cluster-lock.json", 5),
        (SSV, "ssv/ceremony-2025-03-17--12-10-00.000/keyshares.json", "keyshares.json", 4),
    ] {
        let demo = Demo::new(kind);
        let public = demo.out("bob").join("public");
        fs::copy(public.join("transcript.quorate"), demo.path("transcript.quorate")).unwrap();
        fs::copy(demo.path("demo/ceremony.toml"), demo.path("ceremony.toml")).unwrap();
        dossier(&demo, "dossier", &[]).done();
        let folder = demo.path("dossier");
        assert_eq!(fs::read(folder.join(path)).unwrap(), fs::read(public.join(path)).unwrap());
        assert_eq!(follow(&folder), commands, "{file}");
        // The command that is about it finds an altered one.
        let text = fs::read_to_string(folder.join(path)).unwrap();
        let key = text.find("0x").unwrap() + 10;
        let digit = if text.as_bytes()[key] == b'0' { "1" } else { "0" };
        let altered = [&text[..key], digit, &text[key + 1..]].concat();
        fs::write(folder.join(path), altered).unwrap();
        let words = fs::read_to_string(folder.join("README.md")).unwrap();
        let audit = words.lines().find(|line| line.starts_with("quorate audit ")).unwrap();
        let args: Vec<&str> = audit.split(' ').skip(1).collect();
        let mut command = command_of(QUORATE, &folder, &args);
        command.env("COLUMNS", "200");
        let ended = end(command);
        assert!(ended.code == 4 && ended.stdout.contains(file), "{}{}", ended.stdout, ended.stderr);
    }
}
