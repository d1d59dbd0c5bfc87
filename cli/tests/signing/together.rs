//! Exits and deposits answered online, over channels.

use std::fs;
use std::fs::File;
use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::place::Place;
use crate::support::demo::OPERATORS;
use crate::support::ports::free_address;
use crate::support::program::names;
use crate::support::running::{Running, Signal};

/// Copies of a ceremony have the same addresses: one test at a time listens there.
pub(crate) fn ports() -> (MutexGuard<'static, ()>, File) {
    static PORTS: LazyLock<Mutex<()>> = LazyLock::new(Mutex::default);
    let here = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    // Nor another run of these tests with the same demos.
    let elsewhere = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo-ports"));
    let elsewhere = elsewhere.unwrap();
    elsewhere.lock().unwrap();
    (here, elsewhere)
}

/// An operator that answers the request, and stays.
pub(crate) fn live(place: &Place, operator: &str) -> Running {
    live_with(place, operator, &["--wait", "600"])
}

fn live_with(place: &Place, operator: &str, more: &[&str]) -> Running {
    live_to(place, operator, &format!("exit-{operator}.json"), more)
}

fn live_to(place: &Place, operator: &str, output: &str, more: &[&str]) -> Running {
    place.start(operator, &[&["exit", "run", "request.json", "--yes", "-o", output], more].concat())
}

pub(crate) fn verified(place: &Place, file: &str) {
    place
        .run(&["exit", "verify", file, "--network", place.network, "--public-key", &place.key()])
        .done();
}

#[test]
fn three_of_four_make_an_exit_together() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    // Dave comes late, when the others have what they need, and gets it too.
    let three = ["alice", "bob", "carol"];
    let mut early = three.map(|operator| live(&place, operator));
    early.iter_mut().for_each(|running| running.until("Wrote exit-"));
    let dave = live(&place, "dave").ended().done();
    assert_eq!(dave.json()["not_counted"], json!([]));
    for (operator, running) in three.iter().zip(early) {
        let made = running.ended().done().json();
        assert_eq!(names(&made["signed_by"]), json!(three), "the first three were enough");
        assert_eq!(
            (&made["waiting_for"], &made["file"]),
            (&json!([]), &json!(format!("exit-{operator}.json")))
        );
    }
    let exit = fs::read(place.path("exit-dave.json")).unwrap();
    for operator in OPERATORS {
        let file = format!("exit-{operator}.json");
        verified(&place, &file);
        assert_eq!(fs::read(place.path(&file)).unwrap(), exit, "one signature, whoever signed");
    }
    // What left was remembered; by files, the result is the same.
    let again = place.sign("bob", "exit").done();
    assert!(again.stderr.contains("has already answered this request"), "{}", again.stderr);
    for operator in ["alice", "carol"] {
        place.sign(operator, "exit").done();
    }
    place.combine("alice", "exit", &three, "by-files.json").done();
    assert_eq!(fs::read(place.path("by-files.json")).unwrap(), exit);
    // Nothing is written over.
    live(&place, "alice").ended().failed(1, &["exit-alice.json", "exists"]);
}

#[test]
fn with_too_few_nothing_is_written_and_the_same_command_goes_on() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    // Nobody else comes.
    let alone = live_with(&place, "alice", &["--wait", "1"]).ended();
    assert_eq!(alone.code, 5, "{}", alone.stderr);
    assert_eq!(names(&alone.json()["waiting_for"]), json!(["bob", "carol", "dave"]));
    assert_eq!(alone.json()["answer_sent"], json!(false));
    // One comes.
    let mut two = ["alice", "bob"].map(|operator| live(&place, operator));
    two.iter_mut().for_each(|running| running.until("has answered: 2 answers, 3 needed."));
    two.iter().for_each(|running| running.signal(Signal::INT));
    for running in two {
        let ended = running.ended();
        assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
        let json = ended.json();
        assert_eq!(
            (&json["status"], &json["counted"], &json["needed"]),
            (&json!("waiting"), &json!(2), &json!(3))
        );
        assert_eq!(
            (names(&json["waiting_for"]), &json["answer_sent"]),
            (json!(["carol", "dave"]), &json!(true))
        );
    }
    assert!(!place.path("exit-alice.json").exists() && !place.path("exit-bob.json").exists());
    let partial = |operator: &str| {
        place.sign(operator, "exit").done();
        let bytes = fs::read(place.path(&format!("partial-{operator}.json"))).unwrap();
        fs::remove_file(place.path(&format!("partial-{operator}.json"))).unwrap();
        bytes
    };
    let before = partial("alice");
    // A third comes.
    let mut three = ["alice", "bob", "carol"].map(|operator| live(&place, operator));
    three.iter_mut().for_each(|running| running.until("Wrote exit-"));
    // Dave is waited for; a person who has had enough still has what was made.
    three.iter().for_each(|running| running.signal(Signal::TERM));
    for running in three {
        let made = running.ended().done();
        assert!(
            made.stderr.contains("have not confirmed that they have enough answers: ")
                && made.stderr.contains("\"dave\" (operator 4). If one of them needs yours"),
            "{}",
            made.stderr
        );
        let again = made.stderr.contains("has already answered this request");
        assert_eq!(again, made.json()["operator"] != 3, "{}", made.stderr);
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
    let all = OPERATORS.map(|operator| live(&place, operator));
    let [alice, bob, carol, dave] = all.map(|running| running.ended().done());
    for ended in [alice, bob, dave] {
        let json = ended.json();
        assert_eq!(
            (&json["custodian"]["name"], json["answer_sent"].is_boolean()),
            (&json!("carol"), true)
        );
        // The others are not even spoken with.
        assert!(
            !ended.stderr.contains("Connected to \"alice\"")
                && !ended.stderr.contains("Connected to \"bob\""),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(carol.json()["file"], "exit-carol.json");
    verified(&place, "exit-carol.json");
    for operator in ["alice", "bob", "dave"] {
        assert!(!place.path(&format!("exit-{operator}.json")).exists());
    }
    // Whoever stops before there is enough is told that the answer cannot be taken back, and
    // whether it counts.
    fs::remove_file(place.path("exit-carol.json")).unwrap();
    let (mut carol, mut alice) = (live(&place, "carol"), live(&place, "alice"));
    alice.until("\"carol\" (operator 3) says that it counts this operator's answer.");
    alice.signal(Signal::INT);
    let alice = alice.ended();
    let json = alice.json();
    assert_eq!(
        (alice.code, &json["answer_sent"], names(&json["waiting_for"])),
        (5, &json!(true), json!(["carol"])),
        "{}",
        alice.stderr
    );
    assert!(json["counted"].is_null(), "only the custodian knows: {json}");
    // It stays, and makes the exit with that answer.
    let others = ["bob", "dave"].map(|operator| live(&place, operator));
    carol.until("Wrote exit-carol.json");
    others.into_iter().for_each(|running| drop(running.ended().done()));
    carol.signal(Signal::INT);
    let carol = carol.ended().done();
    assert_eq!(carol.json()["signed_by"].as_array().unwrap().len(), 3);
    assert!(names(&carol.json()["signed_by"]).as_array().unwrap().contains(&json!("alice")));
    fs::remove_file(place.path("exit-carol.json")).unwrap();
    // A custodian that is no operator has no channel: nothing is signed.
    let card = place.stranger("zoe");
    fs::remove_file(place.path("request.json")).unwrap();
    place.request(&["--custodian", &card]).done();
    let refused = live(&place, "bob").ended();
    refused.failed(
        2,
        &["the answers are for zoe", "nothing was signed", "quorate exit sign request.json"],
    );
    let first = place.sign("bob", "exit").done();
    assert!(!first.stderr.contains("already answered"), "{}", first.stderr);
}

#[test]
fn another_request_does_not_connect_and_is_told() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public", "--epoch", "1"]).done();
    fs::rename(place.path("request.json"), place.path("other.json")).unwrap();
    let id = place.request(&["--public"]).done().json()["request"].as_str().unwrap().to_owned();
    let mut dave =
        place.start("dave", &["exit", "run", "other.json", "--yes", "-o", "exit-dave.json"]);
    let mut three = ["alice", "bob", "carol"].map(|operator| live(&place, operator));
    dave.until(&format!("answering the request {id}"));
    for running in &mut three {
        running.until("it claims to be operator 4 answering the request");
        running.until("Wrote exit-");
    }
    dave.signal(Signal::INT);
    three.iter().for_each(|running| running.signal(Signal::INT));
    let dave = dave.ended();
    assert_eq!((dave.code, &dave.json()["counted"]), (5, &json!(1)), "{}", dave.stderr);
    assert!(!dave.stderr.contains("Connected"), "{}", dave.stderr);
    for running in three {
        // Of the others, whose word that they have it too was not here yet.
        let json = running.ended().done().json();
        assert!(names(&json["waiting_for"]).as_array().unwrap().contains(&json!("dave")), "{json}");
        let signed = names(&json["signed_by"]);
        assert_eq!(signed, json!(["alice", "bob", "carol"]));
    }
    verified(&place, "exit-bob.json");
}

/// An operator that has moved, and mistakes in saying where to listen, call and write: found before
/// anything is signed.
#[test]
fn addresses_of_today() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    let run = |operator: &str, more: &[&str]| live_with(&place, operator, more);
    for (at, reason) in [
        ("bob", "--at \"bob\": not OPERATOR=HOST:PORT"),
        ("bob=127.0.0.1", "--at \"bob=127.0.0.1\": not host:port"),
        ("zoe=127.0.0.1:1", "--at \"zoe\": no operator of"),
    ] {
        run("alice", &["--at", at]).ended().failed(2, &[reason]);
    }
    let twice = ["--at", "bob=127.0.0.1:1", "--at", "2=127.0.0.1:2"];
    run("alice", &twice).ended().failed(2, &["a second address of this operator"]);
    let moved = free_address();
    let taken = std::net::TcpListener::bind(&moved).unwrap();
    run("alice", &["--listen", &moved]).ended().failed(1, &["cannot listen on", "another program"]);
    for (output, reason) in [
        ("nowhere/exit.json", "nowhere/exit.json: the folder that would contain it does not exist"),
        ("exit/", "exit/: this is a folder name, but a file name is required"),
        ("request.json", "request.json: already exists"),
    ] {
        place
            .by("alice", &["exit", "run", "request.json", "--yes", "-o", output])
            .failed(1, &[reason]);
    }
    let unsigned = place.sign("alice", "exit").done();
    assert!(
        !unsigned.stderr.contains("already answered"),
        "nothing was signed: {}",
        unsigned.stderr
    );
    // Alice is elsewhere now, and everybody is told where.
    drop(taken);
    let at = format!("alice={moved}");
    let all = OPERATORS.map(|operator| run(operator, &["--at", &at]));
    for running in all {
        assert_eq!(running.ended().done().json()["waiting_for"], json!([]));
    }
    verified(&place, "exit-alice.json");
}

/// The copy of the ceremony file that an operator keeps says nothing of where another is.
#[test]
fn an_operator_without_an_address_is_missed_before_anything_is_signed() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    let ceremony = place.ceremony("dave").join("ceremony.toml");
    let text = fs::read_to_string(&ceremony).unwrap();
    let without: String = text
        .lines()
        .filter(|line| !line.starts_with("address"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(text, without);
    fs::write(&ceremony, &without).unwrap();
    live(&place, "dave")
        .ended()
        .failed(2, &["alice has no address", "nothing was signed", "--at alice=HOST:PORT"]);
    let first = place.sign("dave", "exit").done();
    assert!(!first.stderr.contains("already answered"), "{}", first.stderr);
}

/// The folder goes away while answers are awaited. Nobody loses anything: the others have theirs,
/// and it is written when there is room again.
#[test]
fn a_result_that_cannot_be_written_waits() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    fs::create_dir(place.path("here")).unwrap();
    let mut alice = live_to(&place, "alice", "here/exit.json", &["--wait", "600"]);
    alice.until("Waiting for");
    fs::remove_dir(place.path("here")).unwrap();
    let mut others = ["bob", "carol", "dave"].map(|operator| live(&place, operator));
    others.iter_mut().for_each(|running| running.until("Wrote exit-"));
    alice.until(
        "The result cannot be written: here/exit.json: the folder that would contain it does not \
         exist.",
    );
    // They stay for her; so does she, if another wants her answer.
    fs::create_dir(place.path("here")).unwrap();
    alice.until("Wrote here/exit.json");
    for running in others {
        assert_eq!(running.ended().done().json()["waiting_for"], json!([]));
    }
    assert_eq!(alice.ended().done().json()["file"], "here/exit.json");
    verified(&place, "here/exit.json");
    // Whoever does not want to wait for that is told what is lost, and that nothing is lost for
    // ever.
    fs::remove_dir_all(place.path("here")).unwrap();
    ["bob", "carol", "dave"].iter().for_each(|operator| {
        fs::remove_file(place.path(&format!("exit-{operator}.json"))).unwrap()
    });
    fs::create_dir(place.path("here")).unwrap();
    let mut alice = live_to(&place, "alice", "here/exit.json", &["--wait", "600"]);
    alice.until("Waiting for");
    fs::remove_dir(place.path("here")).unwrap();
    let mut others = ["bob", "carol"].map(|operator| live(&place, operator));
    alice.until("The result cannot be written");
    alice.signal(Signal::INT);
    alice.ended().failed(
        1,
        &[
            "the result is complete but could not be written: here/exit.json",
            "run the same command again",
        ],
    );
    // The others say who may not have it.
    others.iter_mut().for_each(|running| running.until("Wrote exit-"));
    for running in others {
        running.signal(Signal::INT);
        let ended = running.ended().done();
        let without = names(&ended.json()["waiting_for"]).as_array().unwrap().clone();
        assert!(
            without.contains(&json!("alice")) && without.contains(&json!("dave")),
            "{without:?}"
        );
        assert!(
            ended.stderr.contains("\"alice\" (operator 1), ")
                && ended.stderr.contains("have not confirmed that they have enough answers")
        );
    }
}

/// What is in the way is never overwritten; the result itself may be there, from a try that failed
/// when it already had its name.
#[test]
fn a_result_that_is_there_already_is_written() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    let mut alice = live(&place, "alice");
    alice.until("Waiting for");
    fs::write(place.path("exit-alice.json"), "something else").unwrap();
    let mut others = ["bob", "carol"].map(|operator| live(&place, operator));
    others.iter_mut().for_each(|running| running.until("Wrote exit-"));
    alice.until(
        "exit-alice.json: exists with different content and will not be overwritten. \
         Trying again",
    );
    assert_eq!(fs::read(place.path("exit-alice.json")).unwrap(), b"something else");
    fs::copy(place.path("exit-bob.json"), place.path("copy.json")).unwrap();
    fs::rename(place.path("copy.json"), place.path("exit-alice.json")).unwrap();
    alice.until("Wrote exit-alice.json");
    for running in others.into_iter().chain([alice]) {
        running.signal(Signal::INT);
        running.ended().done();
    }
    verified(&place, "exit-alice.json");
}

#[test]
fn a_further_deposit_together() {
    let _ports = ports();
    let place = Place::new("hoodi");
    place.allow();
    place.deposit_request("8").done();
    place
        .by("alice", &["exit", "run", "request.json", "--yes"])
        .failed(2, &["this is a request for: deposit; expected: exit"]);
    let names = ["bob", "carol", "dave", "alice"];
    let made = names.map(|operator| {
        let output = format!("deposit-{operator}.json");
        place.start(operator, &["deposit", "run", "request.json", "--yes", "-o", &output])
    });
    for running in made {
        assert_eq!(running.ended().done().json()["amount"], 8_000_000_000_u64);
    }
    for operator in names {
        place
            .run(&["verify", "deposit", &format!("deposit-{operator}.json"), "--network", "hoodi"])
            .done();
    }
}
