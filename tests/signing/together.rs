//! All at the same time, over channels.

use std::fs;
use std::process::Child;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::place::{Ended, OPERATORS, Place, ended};

/// Copies of a ceremony have the same addresses: one test at a time listens there.
fn ports() -> MutexGuard<'static, ()> {
    static PORTS: LazyLock<Mutex<()>> = LazyLock::new(Mutex::default);
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn live(place: &Place, operator: &str, wait: &str) -> Child {
    let output = format!("exit-{operator}.json");
    place.start(operator, &["exit", "run", "request.json", "--yes", "--wait", wait, "-o", &output])
}

fn verified(place: &Place, file: &str) {
    place.run(&["exit", "verify", file, "--network", place.network, "--public-key", &place.key()]).done();
}

fn all(children: Vec<Child>) -> Vec<Ended> {
    children.into_iter().map(ended).collect()
}

#[test]
fn three_of_four_make_an_exit_together() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    // Dave comes late, when the others have what they need, and gets it too. Alice would have stayed for ten minutes.
    let mut early: Vec<Child> = ["bob", "carol"].map(|operator| live(&place, operator, "600")).into();
    let three = ["alice", "bob", "carol"];
    early.insert(0, live(&place, "alice", "600"));
    wait_for(&place, &three.map(|operator| format!("exit-{operator}.json")));
    let dave = ended(live(&place, "dave", "600")).done();
    assert_eq!(dave.json()["not_counted"], json!([]));
    for (operator, made) in three.iter().zip(all(early)) {
        let made = made.done().json();
        assert_eq!(made["signed_by"], json!(three), "the first three were enough");
        assert_eq!((&made["waiting_for"], &made["file"]), (&json!([]), &json!(format!("exit-{operator}.json"))));
    }
    let exit = fs::read(place.path("exit-dave.json")).unwrap();
    for operator in OPERATORS {
        let file = format!("exit-{operator}.json");
        verified(&place, &file);
        assert_eq!(fs::read(place.path(&file)).unwrap(), exit, "one signature, whoever signed");
    }
    // What left was remembered; by files, the result is the same.
    let again = place.sign("bob", "exit").done();
    assert!(again.stderr.contains("has answered this request before"), "{}", again.stderr);
    for operator in ["alice", "carol"] {
        place.sign(operator, "exit").done();
    }
    place.combine("alice", "exit", &three, "by-files.json").done();
    assert_eq!(fs::read(place.path("by-files.json")).unwrap(), exit);
    // Nothing is written over.
    ended(live(&place, "alice", "1")).failed(1, &["exit-alice.json", "exists"]);
}

fn wait_for(place: &Place, files: &[String]) {
    for _ in 0..6000 {
        if files.iter().all(|file| place.path(file).exists()) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("no {files:?}");
}

#[test]
fn with_too_few_nothing_is_written_and_the_same_command_goes_on() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    let two = all(["alice", "bob"].map(|operator| live(&place, operator, "8")).into());
    for (operator, ended) in ["alice", "bob"].iter().zip(&two) {
        assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
        let json = ended.json();
        assert_eq!((&json["status"], &json["counted"], &json["needed"]), (&json!("waiting"), &json!(2), &json!(3)));
        assert_eq!(json["waiting_for"], json!(["carol", "dave"]));
        assert!(ended.stderr.contains("Waiting for"), "{}", ended.stderr);
        assert!(!place.path(&format!("exit-{operator}.json")).exists());
    }
    let partial = |operator: &str| {
        place.sign(operator, "exit").done();
        let bytes = fs::read(place.path(&format!("partial-{operator}.json"))).unwrap();
        fs::remove_file(place.path(&format!("partial-{operator}.json"))).unwrap();
        bytes
    };
    let before = partial("alice");
    let three: Vec<Child> = ["alice", "bob", "carol"].map(|operator| live(&place, operator, "20")).into();
    wait_for(&place, &["alice", "bob", "carol"].map(|operator| format!("exit-{operator}.json")));
    // Dave is waited for; a person who has had enough still has what was made.
    for child in &three {
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    }
    for made in all(three) {
        let made = made.done();
        assert!(made.stderr.contains("dave had not said"), "{}", made.stderr);
        let again = made.stderr.contains("has answered this request before");
        assert_eq!(again, made.json()["operator"] != 3, "{}", made.stderr);
        assert_eq!(made.json()["waiting_for"], json!(["dave"]));
    }
    verified(&place, "exit-carol.json");
    assert_eq!(partial("alice"), before, "the same answer");
}

#[test]
fn answers_for_a_custodian_go_to_it_alone() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--custodian", &place.card("carol")]).done();
    let ended = all(["alice", "bob", "carol", "dave"].map(|operator| live(&place, operator, "60")).into());
    let [alice, bob, carol, dave] = <[Ended; 4]>::try_from(ended).ok().unwrap().map(Ended::done);
    for ended in [alice, bob, dave] {
        assert_eq!(ended.json()["custodian"], "carol");
        // The others are not even spoken with.
        assert!(!ended.stderr.contains("Connected to alice") && !ended.stderr.contains("Connected to bob"), "{}", ended.stderr);
    }
    assert_eq!(carol.json()["file"], "exit-carol.json");
    verified(&place, "exit-carol.json");
    for operator in ["alice", "bob", "dave"] {
        assert!(!place.path(&format!("exit-{operator}.json")).exists());
    }
    // A custodian that is no operator has no channel: nothing is signed.
    let stranger = ["--json", "--dir", "stranger", "--passphrase-file", "demo/passphrase", "identity", "new", "--name", "zoe"];
    let card = place.run(&[&stranger[..], &["--kdf-cost", "10"]].concat()).done().json()["card"].as_str().unwrap().to_owned();
    fs::remove_file(place.path("request.json")).unwrap();
    place.request(&["--custodian", &card]).done();
    let refused = crate::place::ended(live(&place, "bob", "1"));
    refused.failed(2, &["the answers are for zoe", "nothing was signed", "quorate exit sign request.json"]);
    let first = place.sign("bob", "exit").done();
    assert!(!first.stderr.contains("before"), "{}", first.stderr);
}

#[test]
fn another_request_does_not_connect_and_is_told() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    fs::rename(place.path("request.json"), place.path("right.json")).unwrap();
    place.request(&["--public", "--epoch", "1"]).done();
    let dave = live(&place, "dave", "20");
    let right: Vec<Child> = ["alice", "bob", "carol"]
        .iter()
        .map(|operator| {
            let output = format!("exit-{operator}.json");
            place.start(operator, &["exit", "run", "right.json", "--yes", "--wait", "20", "-o", &output])
        })
        .collect();
    let ids: Vec<Value> = all(right)
        .into_iter()
        .map(|made| {
            let made = made.done();
            assert!(made.stderr.contains("it says that it is operator 4 and here for the request"), "{}", made.stderr);
            assert_eq!(made.json()["waiting_for"], json!(["dave"]));
            made.json()["request"].clone()
        })
        .collect();
    let dave = ended(dave);
    assert_eq!(dave.code, 5, "{}", dave.stderr);
    assert_eq!(dave.json()["counted"], 1);
    let told = format!("here for the request {}", ids[0].as_str().unwrap());
    assert!(dave.stderr.contains(&told) && !dave.stderr.contains("Connected"), "{}", dave.stderr);
    verified(&place, "exit-bob.json");
}

/// An operator that has moved, and mistakes in saying so.
#[test]
fn addresses_of_today() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    let run = |operator: &str, more: &[&str]| {
        let output = format!("exit-{operator}.json");
        place.start(operator, &[&["exit", "run", "request.json", "--yes", "--wait", "30", "-o", &output], more].concat())
    };
    for (at, reason) in [
        ("bob", "--at \"bob\": not OPERATOR=HOST:PORT"),
        ("bob=127.0.0.1", "--at \"bob=127.0.0.1\": not host:port"),
        ("zoe=127.0.0.1:1", "--at \"zoe\": no operator of"),
    ] {
        ended(run("alice", &["--at", at])).failed(2, &[reason]);
    }
    ended(run("alice", &["--at", "bob=127.0.0.1:1", "--at", "2=127.0.0.1:2"])).failed(2, &["a second address of this operator"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let moved = taken.local_addr().unwrap().to_string();
    ended(run("alice", &["--listen", &moved])).failed(1, &["cannot listen on", "another program"]);
    let unsigned = place.sign("alice", "exit").done();
    assert!(!unsigned.stderr.contains("before"), "nothing was signed: {}", unsigned.stderr);
    // Alice is elsewhere now, and everybody is told where.
    drop(taken);
    let at = format!("alice={moved}");
    let all = OPERATORS.map(|operator| run(operator, &["--at", &at]));
    for ended in all.map(ended) {
        assert_eq!(ended.done().json()["waiting_for"], json!([]));
    }
    verified(&place, "exit-alice.json");
}

#[test]
fn a_further_deposit_together() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    let (transcript, key) = (place.transcript(), place.key());
    let args = ["deposit", "request", &transcript, "--public-key", &key, "--amount", "8", "--public", "-o", "request.json"];
    place.by("alice", &args).done();
    place.by("alice", &["exit", "run", "request.json", "--yes"]).failed(2, &["a request of the kind deposit, not exit"]);
    let names = ["bob", "carol", "dave", "alice"];
    let made = names.map(|operator| {
        let output = format!("deposit-{operator}.json");
        place.start(operator, &["deposit", "run", "request.json", "--yes", "--wait", "60", "-o", &output])
    });
    for ended in all(made.into()) {
        assert_eq!(ended.done().json()["amount"], 8_000_000_000_u64);
    }
    for operator in names {
        place.run(&["verify", "deposit", &format!("deposit-{operator}.json"), "--network", "hoodi"]).done();
    }
}
