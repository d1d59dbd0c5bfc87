//! Exits and deposits of all validators by one request, with a node's list.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use quorate::ethereum::network::Network;
use quorate::export::exits::verify_exit;
use quorate::export::launchpad::verify_deposits;
use serde_json::{Value, json};

use crate::place::Place;
use crate::support::demo::OPERATORS;

use crate::support::program::names;
use crate::together::ports;

/// Both keys of the ceremony.
fn keys(place: &Place) -> [String; 2] {
    let parent = place.parent();
    let key = |at: usize| {
        format!("0x{}", hex::encode(parent.validators()[at].public_key.to_compressed()))
    };
    [key(0), key(1)]
}

fn allow_both(place: &Place, operator: &str) {
    let [first, second] = keys(place);
    let allow = format!("allow = [\"{first}\", \"{second}\"]");
    place
        .policy(operator, &format!("exits = \"allow-list\"\ndeposits = \"allow-list\"\n{allow}\n"));
}

/// A node's list of both validators, at `nodes.json`; `change` alters it.
fn node(place: &Place, change: impl FnOnce(&mut Vec<Value>)) {
    let parent = place.parent();
    let entry = |(at, key): (usize, &String)| {
        let withdrawal = parent.ceremony().validators()[at].withdrawal.to_string();
        json!({ "index": (70 + at).to_string(), "status": "active_ongoing", "validator": {
            "pubkey": key, "withdrawal_credentials": withdrawal, "activation_epoch": "1",
        } })
    };
    let keys = keys(place);
    let mut entries: Vec<Value> = keys.iter().enumerate().map(entry).collect();
    change(&mut entries);
    fs::write(place.path("nodes.json"), json!({ "data": entries }).to_string()).unwrap();
}

fn ask(place: &Place, more: &[&str]) -> crate::support::program::Ended {
    let transcript = place.transcript();
    let args = ["exit", "request", &transcript, "-o", "request.json", "--public"];
    place.by("alice", &[&args, more].concat())
}

#[test]
fn all_exits_by_one_request_with_a_nodes_list() {
    let place = Place::new("hoodi");
    OPERATORS.iter().for_each(|operator| allow_both(&place, operator));
    node(&place, |_| {});
    let asked = ask(&place, &["--all", "--beacon", "nodes.json"]).done();
    assert!(asked.stderr.contains("VOLUNTARY EXITS of 2 validators on hoodi"), "{}", asked.stderr);
    assert!(asked.stderr.contains("validator indices  70 to 71 (confirmed"), "{}", asked.stderr);
    assert_eq!(asked.json()["validators"], 2);
    // Bob's own node says otherwise of both: nothing is signed, and both are told.
    node(&place, |list| {
        list[0]["index"] = json!("7");
        list[1]["validator"]["withdrawal_credentials"] = json!(format!("0x01{}", "00".repeat(31)));
    });
    let with = ["exit", "sign", "request.json", "--yes", "--beacon", "nodes.json"];
    let reasons =
        ["does not agree about 2 validators", "is validator 7", "Do not send it any more"];
    place.by("bob", &with).failed(4, &reasons);
    // The second cannot exit now: it is left out, and said.
    node(&place, |list| list[1]["status"] = json!("active_exiting"));
    let left = [&with[..], &["-o", "partial-bob.json"]].concat();
    let left = place.by("bob", &left).done();
    assert!(left.stderr.contains("LEFT OUT, nothing is signed for them: 1"), "{}", left.stderr);
    assert_eq!(
        (&left.json()["signed"], &left.json()["left_out"][0]["validator"]),
        (&json!(1), &json!(2))
    );
    // Carol has allowed the first alone.
    place.policy("carol", &format!("exits = \"allow-list\"\nallow = [\"{}\"]", place.key()));
    let carol = place.sign("carol", "exit").done();
    assert!(carol.stderr.contains("not on the allow-list in signing.toml"), "{}", carol.stderr);
    place.sign("alice", "exit").done();
    let again =
        place.by("alice", &["exit", "sign", "request.json", "--yes", "-o", "a.json"]).done();
    assert!(again.stderr.contains("has already answered this request"), "{}", again.stderr);
    // The first has enough.
    let made = place.combine("alice", "exit", &["alice", "bob", "carol"], "exits");
    assert_eq!(made.code, 5, "{}", made.stderr);
    assert!(made.stderr.contains("TOO FEW ANSWERS for 1 validators:"), "{}", made.stderr);
    assert!(made.stderr.contains("1 answers, 3 needed"), "{}", made.stderr);
    assert_eq!(made.json()["missing"][0]["validator"], 2);
    let folder = place.path("exits");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    let exit = fs::read(folder.join(format!("exit-{}.json", place.key()))).unwrap();
    let named = folder.join(made.json()["exits"][0]["file"].as_str().unwrap());
    assert_eq!(exit, fs::read(named).unwrap());
    let key = place.parent().validators()[0].public_key;
    verify_exit(&exit, &Network::known("hoodi").unwrap(), &key).unwrap();
    // With dave's answer and bob's for all, so has the second.
    place.sign("dave", "exit").done();
    fs::remove_file(place.path("partial-bob.json")).unwrap();
    place.sign("bob", "exit").done();
    let all = ["alice", "bob", "carol", "dave"];
    let made = place.combine("alice", "exit", &all, "all").done();
    assert_eq!(made.json()["missing"], json!([]));
    assert_eq!(names(&made.json()["signed_by"]), json!(all));
    assert_eq!(fs::read_dir(place.path("all")).unwrap().count(), 4);
    place.combine("alice", "exit", &all, "all").failed(1, &["all: already exists"]);
}

#[test]
fn which_validators_and_their_indices() {
    let place = Place::new("hoodi");
    let [first, second] = keys(&place);
    for (args, code, reason) in [
        (&["--all"][..], 2, "the index of 0x"),
        (&["--all", "--index", "5"], 2, "--index: 1 are given, for 0 keys"),
        (
            &["--public-key", &first, "--public-key", &second, "--index", "5"],
            2,
            "1 are given, for 2",
        ),
        (
            &["--public-key", &first, "--public-key", &first, "--index", "5", "--index", "6"],
            2,
            "is given twice",
        ),
        (
            &["--public-key", &first, "--public-key", &second, "--index", "5", "--index", "5"],
            2,
            "two of them have the validator index 5",
        ),
        (&["--all", "--public-key", &first], 2, "cannot be used with"),
        (&["--keys", "keys.txt", "--index", "5"], 2, "--index: 1 are given, for 0 keys"),
    ] {
        ask(&place, args).failed(code, &[reason]);
    }
    let write = |text: &str| fs::write(place.path("keys.txt"), text).unwrap();
    for (text, reason) in [
        ("# nothing\n\n", "keys.txt, line 1: no key in the file"),
        ("\n0x12 5\n", "keys.txt, line 2: "),
        (&format!("{first} x\n"), "line 1: the index is not a number"),
        (&format!("{first} 5 6\n"), "line 1: more than a key and an index"),
        (&format!("{first}\n"), "the index of 0x"),
        (&format!("{first} 5\n{first} 5\n"), "is given twice"),
    ] {
        write(text);
        ask(&place, &["--keys", "keys.txt"]).failed(2, &[reason]);
    }
    // The other order is the same request.
    write(&format!("# ours\n{},6\n\n{first}\t5\n", &second[2..]));
    let id = ask(&place, &["--keys", "keys.txt"]).done().json()["request"].clone();
    fs::remove_file(place.path("request.json")).unwrap();
    let both = ["--public-key", &first, "--public-key", &second, "--index", "5", "--index", "6"];
    assert_eq!(ask(&place, &both).done().json()["request"], id);
    fs::remove_file(place.path("request.json")).unwrap();
    // A node that does not have the second, or neither.
    node(&place, |list| drop(list.pop()));
    let asked = ask(&place, &["--all", "--beacon", "nodes.json"]).done();
    assert_eq!(asked.json()["left_out"][0]["public_key"], json!(second));
    let file: Value =
        serde_json::from_slice(&fs::read(place.path("request.json")).unwrap()).unwrap();
    assert_eq!((&file["version"], &file["exit"]["validator_index"]), (&json!(1), &json!(70)));
    fs::remove_file(place.path("request.json")).unwrap();
    node(&place, Vec::clear);
    let asked = ask(&place, &["--all", "--beacon", "nodes.json"]);
    asked.failed(4, &["no validator is left to sign for", "list does not have this key"]);
    let one = ["--public-key", &first, "--beacon", "nodes.json"];
    ask(&place, &one).failed(4, &["the beacon node's list does not have this key"]);
}

#[test]
fn all_together_and_deposits_of_all() {
    let _ports = ports();
    let place = Place::new("hoodi");
    OPERATORS.iter().for_each(|operator| allow_both(&place, operator));
    ask(
        &place,
        &["--all", "--beacon", {
            node(&place, |_| {});
            "nodes.json"
        }],
    )
    .done();
    let running = OPERATORS.map(|operator| {
        let output = format!("exits-{operator}");
        place.start(operator, &["exit", "run", "request.json", "--yes", "-o", &output])
    });
    for running in running {
        assert_eq!(running.ended().done().json()["missing"], json!([]));
    }
    for operator in OPERATORS {
        let folder = place.path(&format!("exits-{operator}"));
        let key = place.parent().validators()[1].public_key;
        let name = format!("exit-{}.json", keys(&place)[1]);
        let exit = fs::read(folder.join(name)).unwrap();
        verify_exit(&exit, &Network::known("hoodi").unwrap(), &key).unwrap();
    }
    fs::remove_file(place.path("request.json")).unwrap();
    let transcript = place.transcript();
    let args = ["deposit", "request", &transcript, "--all", "--amount", "8", "-o", "request.json"];
    place.by("alice", &[&args[..], &["--custodian", &place.card("carol")]].concat()).done();
    for operator in ["bob", "carol", "dave"] {
        place.sign(operator, "deposit").done();
    }
    place.combine("carol", "deposit", &["bob", "carol", "dave"], "deposits.json").done();
    let bytes = fs::read(place.path("deposits.json")).unwrap();
    let deposits = verify_deposits(&bytes, &Network::known("hoodi").unwrap(), None).unwrap();
    let keys = deposits.iter().map(|deposit| format!("0x{}", hex::encode(deposit.message.pubkey)));
    assert_eq!(keys.collect::<Vec<_>>(), self::keys(&place));
    assert!(deposits.iter().all(|deposit| deposit.message.amount == 8_000_000_000));
}
