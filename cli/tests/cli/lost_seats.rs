//! Reshares on real processes in which an operator is lost for good after all have stopped.

use std::fs;

use quorate::message::envelope::Round;
use quorate::spec::{Ceremony, CeremonyFile};
use serde_json::Value;

use crate::reshared::{
    PARENT, SENTENCE, draft, drafted, generation, outputs, start, up_to_the_stop, words,
};
use crate::support::board::Enemy;
use crate::support::demo::{Demo, OPERATORS};
use crate::support::files::{files, mode, only};
use crate::support::nats::Server;
use crate::support::ports::free_port;
use crate::support::program::{Ended, names};
use crate::support::running::{Running, Signal};

const STOPS: [&str; 4] = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
const LOST: &str = "these operators are lost and will not come back to this reshare";

fn interrupt(running: Running) -> Ended {
    running.signal(Signal::INT);
    running.ends_with(5)
}

/// The last of these stops and commits, which the first of them hears, and is killed before its
/// last statement. Then the others stop, and wait for it.
fn lose_the_last(demo: &Demo, file: &str, operators: &[&str]) {
    let (last, left) = operators.split_last().unwrap();
    let mut hears = start(demo, left[0], file, &[]);
    let mut stops = start(demo, last, file, &STOPS);
    stops.until("This operator has stopped");
    hears.until(&format!("stops and commits: 1 of {}", operators.len()));
    drop(stops.kill());
    drop(interrupt(hears));
    let running = left.iter().map(|operator| start(demo, operator, file, &STOPS));
    let running: Vec<Running> = running.collect();
    let waits = format!("agreement on outputs: {} of {}.", left.len(), operators.len());
    let waiting = running.into_iter().map(|mut running| {
        running.until(&waits);
        running
    });
    waiting.collect::<Vec<_>>().into_iter().for_each(|running| drop(interrupt(running)));
}

#[test]
fn a_reshare_is_finished_without_a_seat_that_is_lost_and_goes_on_from_there() {
    let demo = generation();
    let file = draft(&demo, "next", &OPERATORS, &[]);
    up_to_the_stop(&demo, &file, &OPERATORS);
    // Nobody is left out before the end.
    let word = ["--without", "dave", "--yes-without", LOST];
    let early = start(&demo, "alice", &file, &word).ended();
    assert_eq!(early.code, 1, "{}", early.stderr);
    assert!(early.stderr.contains("has not signed its last statement yet"), "{}", early.stderr);
    lose_the_last(&demo, &file, &OPERATORS);
    let log = outputs(&demo, "carol", &file).parent().unwrap().join("log.sealed");
    let before = fs::read(&log).unwrap();
    // It says that it gives up, which changes nothing.
    fs::create_dir(demo.path("board")).unwrap();
    let words = words(&demo, &file);
    let says = |operator: &str, args: &[&str]| {
        let dir = format!("demo/{operator}");
        demo.run(&[&["--dir", &dir, "--passphrase-file", "demo/passphrase"], args].concat())
    };
    let on_board = [&file[..], "--board", "board", "--yes-fingerprint", &words];
    let abandoned = says("dave", &[&["abandon"], &on_board[..]].concat());
    assert_eq!(abandoned.code, 0, "{}", abandoned.stderr);
    let may = "The others may have finished, or may finish, without it. Load nothing again until \
               each of them has said that it has abandoned, too.";
    for told in [&abandoned, &says("dave", &["status"])] {
        assert!(told.stdout.contains(may), "{}", told.stdout);
        assert!(!told.stdout.contains("nobody"), "{}", told.stdout);
    }
    let found = says("alice", &[&["step", "--no-keystores"], &on_board[..]].concat());
    assert_eq!(found.code, 0, "{}", found.stderr);
    let gone = "Abandoned by \"dave\" (operator 4): unless their last statements are somewhere, \
                the others can finish with --without";
    assert!(found.stdout.contains(gone), "{}", found.stdout);
    let gave_up = "and its commit is: once all have stopped, the others can finish without it";
    let status = says("alice", &["status"]);
    assert!(status.stdout.contains(gave_up), "{}", status.stdout);
    let left = ["alice", "bob", "carol"];

    // A word that is not given, or about oneself or too many, says nothing.
    for (flags, code, text) in [
        (&["--without", "dave", "--yes-without", "yes"][..], 2, "that is not the sentence"),
        (&["--without", "alice", "--yes-without", LOST], 2, "this is your own operator"),
        (
            &["--without", "erin", "--yes-without", LOST],
            2,
            "no operator of \"next\" has this name or index",
        ),
        (
            &["--without", "dave", "--without", "3", "--yes-without", LOST],
            1,
            "2 of the parent's 4 operators deal or witness and are left",
        ),
    ] {
        let refused = start(&demo, "alice", &file, flags).ended();
        assert_eq!(refused.code, code, "{}", refused.stderr);
        assert!(refused.stderr.contains(text), "{}", refused.stderr);
    }

    // One says so, and the others are told that they are asked for the same.
    let mut bob = start(&demo, "bob", &file, &[]);
    let mut alice = start(&demo, "alice", &file, &word);
    alice.until("This operator finishes without \"dave\" (operator 4).");
    alice.until("Waiting for \"bob\" (operator 2)");
    bob.until("\"alice\" (operator 1) finishes without \"dave\" (operator 4)");
    bob.until("run the same command with --without 4");
    drop(interrupt(bob));
    drop(interrupt(alice));
    let public = outputs(&demo, "alice", &file).join("public");
    assert!(!public.exists());
    // What it has said stays said.
    let alice = start(&demo, "alice", &file, &[]);
    let bob = start(&demo, "bob", &file, &word);
    let mut carol = start(&demo, "carol", &file, &[]);
    carol.until("agreement on outputs");
    carol.until("\"alice\" (operator 1) finishes without");
    carol.until("\"bob\" (operator 2) finishes without");
    drop(interrupt(carol));
    // Who says it last is done at once.
    let mut carol = start(&demo, "carol", &file, &word);
    carol.until("This operator finishes without \"dave\" (operator 4).");
    carol.until("Outputs are written. Staying until the others have everything");
    for ended in [alice, bob, carol].map(Running::ended) {
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stderr.contains("complete without \"dave\""), "{}", ended.stderr);
    }

    // Everybody is told whom it was finished without.
    let reports = files(&public);
    let page = core::str::from_utf8(&reports["report.html"]).unwrap();
    assert!(page.contains("finished without"), "{page}");
    assert!(!page.contains("UNLINKED"), "{page}");
    let facts: Value = serde_json::from_slice(&reports["transcript.json"]).unwrap();
    assert_eq!(facts["finished_without"], serde_json::json!([4]));
    let secret = files(&outputs(&demo, "bob", &file).join("secret"));
    let cut_over: Value = serde_json::from_slice(&secret["cut-over.json"]).unwrap();
    assert_eq!(cut_over["finished_without"], serde_json::json!(["dave"]));
    assert!(cut_over["first_epoch"].as_u64().unwrap() > 0);
    let newest = public.join("transcript.quorate");
    let audited = demo.run(&["--json", "audit", newest.to_str().unwrap(), "--expect", &file]);
    assert_eq!(audited.code, 0, "{}", audited.stdout);
    assert_eq!(audited.json()["verdict"], "verified");
    assert_eq!(audited.json()["report"]["facts"]["finished_without"], serde_json::json!([4]));
    let text = demo.run(&["audit", newest.to_str().unwrap(), "--expect", &file]);
    let words = "The others finished without \"dave\" (operator 4)";
    assert!(text.stdout.contains(words), "{}", text.stdout);

    let status = demo.by("bob", &["status"]).json();
    let mut all = status["ceremonies"].as_array().unwrap().iter();
    let next = all.find(|one| one["name"] == "next").unwrap();
    assert_eq!(next["finished_without"][0]["name"], "dave", "{next}");

    // A log from before the words takes them from its outputs, whoever else is there.
    fs::write(log, before).unwrap();
    // The same command again finds everything as it is.
    let mut again = start(&demo, "carol", &file, &[]);
    again.until("Outputs are written");
    again.signal(Signal::INT);
    again.ends_with(0);

    // And the next reshare begins there, without it.
    let mut args: Vec<String> =
        ["--json", "reshare", "new", "--name", "third", "-o", "third.toml", "--absent", "dave"]
            .map(str::to_owned)
            .to_vec();
    args.extend(["--from".to_owned(), newest.to_str().unwrap().to_owned()]);
    for operator in left {
        let card = demo.run(&["--dir", &format!("demo/{operator}"), "identity", "show", "--json"]);
        let card = card.json()["card"].as_str().unwrap().to_owned();
        args.extend(["--operator".to_owned(), format!("{card}@127.0.0.1:{}", free_port())]);
    }
    let drafted = demo.run(&args);
    assert_eq!(drafted.code, 0, "{}", drafted.stderr);
    assert!(drafted.stderr.contains("each of these must last until the end"), "{}", drafted.stderr);
    assert_eq!(drafted.json()["needed_to_the_end"].as_array().unwrap().len(), 3);
    fs::rename(demo.path(PARENT), demo.path("first.quorate")).unwrap();
    fs::copy(&newest, demo.path(PARENT)).unwrap();
    let parents = ["--from", PARENT, "--from", "first.quorate"];
    let running = left.map(|operator| start(&demo, operator, "third.toml", &parents));
    for mut running in running {
        running.until("Waiting for you to stop the old keys");
        drop(interrupt(running));
    }
    let running = left.map(|operator| start(&demo, operator, "third.toml", &STOPS));
    for running in running {
        let ended = running.ended();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    let third = outputs(&demo, "bob", "third.toml").join("public/transcript.quorate");
    let audited = demo.run(&["--json", "audit", third.to_str().unwrap(), "--expect", "third.toml"]);
    assert_eq!(audited.code, 0, "{}", audited.stdout);
}

/// Where one more loss leaves no majority, nobody finishes, and everybody is told what remains.
#[test]
fn too_few_that_are_left_are_refused_with_what_remains() {
    let demo = generation();
    let three = ["alice", "bob", "carol"];
    let file = draft(&demo, "next", &three, &["dave"]);
    up_to_the_stop(&demo, &file, &three);
    // A copy of its folder as it is before it stops.
    let folder = outputs(&demo, "carol", &file).parent().unwrap().to_owned();
    let before = fs::read(folder.join("log.sealed")).unwrap();
    lose_the_last(&demo, &file, &three);
    for operator in ["alice", "bob"] {
        let word = ["--without", "carol", "--yes-without", LOST];
        let refused = start(&demo, operator, &file, &word).ended();
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(refused.stderr.contains("too few are left"), "{}", refused.stderr);
        assert!(refused.stderr.contains("quorate exit request"), "{}", refused.stderr);
    }
    // It comes back after all, and everybody finishes; from an older log, and without the note that
    // keeps it to one reshare: it takes its commit from the others, and has the note before.
    let children = demo.path("demo/carol/children");
    fs::remove_dir_all(&children).unwrap();
    fs::write(folder.join("log.sealed"), before).unwrap();
    let running = three.map(|operator| start(&demo, operator, &file, &[]));
    for running in running {
        let ended = running.ended();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    assert_eq!(mode(only(&children)), 0o600);
}

/// A visit of an operator to a board that goes well.
pub(crate) fn step(demo: &Demo, operator: &str, file: &str, more: &[&str]) -> Ended {
    let words = words(demo, file);
    let args = ["step", file, "--no-keystores", "--yes-fingerprint", &words];
    demo.by(operator, &[&args[..], more].concat())
}

pub(crate) const BOARD: [&str; 2] = ["--board", "board"];
pub(crate) const WITHOUT: [&str; 4] = ["--without", "dave", "--yes-without", LOST];

/// A reshare by a board up to the stop of all four, of whom the first one to stop is the last of
/// these; then a visit of the three that are left.
pub(crate) fn all_stop_at_a_board(demo: &Demo, file: &str) {
    fs::create_dir(demo.path("board")).unwrap();
    let parent = ["--from", PARENT];
    for turn in 1..=3 {
        for operator in OPERATORS {
            let more = if turn == 1 { &parent[..] } else { &[] };
            step(demo, operator, file, &[&BOARD[..], more].concat()).done();
        }
    }
    let early = step(demo, "alice", file, &[&BOARD[..], &WITHOUT].concat());
    early.failed(1, &["has not signed its last statement yet"]);
    for operator in ["dave", "alice", "bob", "carol"] {
        let ended = step(demo, operator, file, &[&BOARD[..], &STOPS].concat()).done();
        assert!(ended.stderr.contains("This operator has stopped"), "{}", ended.stderr);
    }
}

/// What the three that are left have is one reshare, without the fourth.
fn finished_without_dave(demo: &Demo, file: &str) -> Vec<u8> {
    let [alice, bob, carol] = ["alice", "bob", "carol"]
        .map(|operator| outputs(demo, operator, file).join("public/transcript.quorate"));
    let transcript = fs::read(&alice).unwrap();
    assert!(transcript == fs::read(bob).unwrap() && transcript == fs::read(carol).unwrap());
    let audited = demo.run(&["--json", "audit", alice.to_str().unwrap(), "--expect", file]).done();
    assert_eq!(audited.json()["verdict"], "verified");
    assert_eq!(audited.json()["report"]["facts"]["finished_without"], serde_json::json!([4]));
    transcript
}

/// Lost before its last statement, at a board, and it gives up.
#[test]
fn at_a_board_a_reshare_is_finished_without_a_seat_that_gives_up() {
    let demo = generation();
    let file = draft(&demo, "next", &OPERATORS, &[]);
    all_stop_at_a_board(&demo, &file);
    let words = words(&demo, &file);
    let step = |operator, more: &[&str]| step(&demo, operator, &file, &[&BOARD[..], more].concat());
    let abandon = ["abandon", &file, "--board", "board", "--yes-fingerprint", &words];
    demo.by("dave", &abandon).done();
    let unheard = step("alice", &WITHOUT);
    unheard.failed(1, &["the last statements of \"bob\" (operator 2) are not here"]);
    step("bob", &[]).done();
    let gone = step("alice", &WITHOUT).done().json();
    assert_eq!(gone["finished"], false);
    assert_eq!(names(&gone["waiting_for"]), serde_json::json!(["bob", "carol"]));
    assert_eq!(names(&gone["abandoned_by"]), serde_json::json!(["dave"]));
    // The others are told, and not asked again once they have said it.
    let told = step("bob", &[]).done();
    assert_eq!(names(&told.json()["asked_without_by"]), serde_json::json!(["alice"]));
    let asked = "\"alice\" (operator 1) finishes without \"dave\" (operator 4). If you too know \
                 that they are lost, run the same command with --without 4.";
    assert!(told.stderr.contains(asked), "{}", told.stderr);
    assert_eq!(step("bob", &WITHOUT).done().json()["asked_without_by"], serde_json::json!([]));
    // The word of a seat that is not lost is not taken from anybody else.
    let carol = outputs(&demo, "carol", &file);
    let log = carol.parent().unwrap().join("log.sealed");
    assert_eq!(step("carol", &[]).done().json()["finished"], false);
    let before = fs::read(&log).unwrap();
    let last = step("carol", &WITHOUT).done().json();
    assert_eq!(last["finished"], true, "the last word ends it: {last}");
    assert_eq!(names(&last["finished_without"]), serde_json::json!(["dave"]));
    for operator in ["alice", "bob"] {
        assert_eq!(step(operator, &[]).done().json()["finished"], true);
    }
    finished_without_dave(&demo, &file);
    // A log from before the word finds it at the board.
    fs::write(&log, before).unwrap();
    fs::remove_dir_all(&carol).unwrap();
    assert_eq!(step("carol", &[]).done().json()["finished"], true);
    finished_without_dave(&demo, &file);
}

/// Lost after its last statement, which the board has lost, too; the words go by a server where
/// there is one. It comes back.
#[test]
fn at_a_board_a_seat_that_comes_back_gets_its_outputs() {
    let demo = generation();
    let file = draft(&demo, "next", &OPERATORS, &[]);
    all_stop_at_a_board(&demo, &file);
    let text = fs::read_to_string(demo.path(&file)).unwrap();
    let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
    let shelf = Enemy::new(&demo.path("board"), 1).slot(&ceremony, Round::Final, 4);
    step(&demo, "dave", &file, &BOARD).done();
    assert_eq!(fs::read_dir(&shelf).unwrap().count(), 1);
    fs::remove_dir_all(&shelf).unwrap();
    for operator in ["alice", "bob"] {
        step(&demo, operator, &file, &BOARD).done();
    }
    let server = Server::start("");
    let url = server.as_ref().map(Server::url);
    let place: Vec<&str> = url.as_ref().map_or(BOARD.to_vec(), |url| vec!["--via", url]);
    for operator in ["carol", "alice", "bob"] {
        step(&demo, operator, &file, &place).done();
    }
    for operator in ["alice", "bob"] {
        let ended = step(&demo, operator, &file, &[&place[..], &WITHOUT].concat()).done();
        assert_eq!(ended.json()["finished"], false);
    }
    match url.as_ref() {
        None => {
            for operator in ["carol", "alice", "bob"] {
                let more = if operator == "carol" { &WITHOUT[..] } else { &[] };
                let ended = step(&demo, operator, &file, &[&place[..], more].concat()).done();
                assert_eq!(ended.json()["finished"], true, "{operator}");
            }
        }
        Some(_) => {
            // By itself until it is finished.
            let words = words(&demo, &file);
            let run = ["run", &file, "--no-keystores", "--yes-fingerprint", &words];
            for operator in ["carol", "alice", "bob"] {
                let more = if operator == "carol" { &WITHOUT[..] } else { &[] };
                let ended = demo.by(operator, &[&run[..], &place, more].concat()).done();
                assert_eq!(ended.json()["finished_without"][0]["name"], "dave", "{operator}");
            }
        }
    }
    let without = finished_without_dave(&demo, &file);
    // Where it has left its final, and where it has not.
    assert_eq!(step(&demo, "alice", &file, &BOARD).done().json()["finished"], true);
    let back = step(&demo, "dave", &file, &BOARD).done().json();
    assert_eq!(
        (&back["finished"], &back["finished_without"]),
        (&true.into(), &Value::Array(vec![]))
    );
    let whole = outputs(&demo, "dave", &file).join("public/transcript.quorate");
    let audited = demo.run(&["--json", "audit", whole.to_str().unwrap(), "--expect", &file]).done();
    assert_eq!(audited.json()["verdict"], "verified");
    assert_eq!(audited.json()["report"]["facts"]["finished_without"], Value::Null);
    // The others' outputs stay as they were.
    step(&demo, "alice", &file, &BOARD).done();
    assert_eq!(finished_without_dave(&demo, &file), without);
}

/// Three of four deal, and with the loss of one half are left: the fourth has stopped too, and so
/// the others finish.
#[test]
fn a_witness_makes_the_majority_where_a_dealer_is_lost() {
    let demo = generation();
    let three = ["alice", "bob", "carol"];
    let without = drafted(&demo, "alone", &three, &["--absent", "dave"]).done();
    assert_eq!(names(&without.json()["needed_to_the_end"]), serde_json::json!(three));
    assert_eq!(names(&without.json()["could_witness"]), serde_json::json!(["dave"]));
    assert!(without.stderr.contains("Possible: \"dave\" (operator 4)."), "{}", without.stderr);
    let ended = drafted(&demo, "next", &OPERATORS, &["--witness", "dave"]).done();
    assert_eq!(ended.json()["needed_to_the_end"], serde_json::json!([]));
    assert_eq!(ended.json()["could_witness"], serde_json::json!([]));
    assert_eq!(ended.json()["operators"][3]["witness"], 4);
    let file = "next.toml".to_owned();
    up_to_the_stop(&demo, &file, &OPERATORS);
    lose_the_last(&demo, &file, &["dave", "bob", "carol", "alice"]);
    let word = ["--without", "alice", "--yes-without", LOST];
    let running = ["dave", "bob", "carol"].map(|operator| start(&demo, operator, &file, &word));
    for ended in running.map(Running::ended) {
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stderr.contains("complete without \"alice\""), "{}", ended.stderr);
    }
    let secret = files(&outputs(&demo, "bob", &file).join("secret"));
    let cut_over: Value = serde_json::from_slice(&secret["cut-over.json"]).unwrap();
    assert_eq!(cut_over["finished_without"], serde_json::json!(["alice"]));
    let dave = outputs(&demo, "dave", &file);
    assert!(!dave.join("secret").exists(), "a witness gets no share");
    let newest = dave.join("public/transcript.quorate");
    let audited = demo.run(&["--json", "audit", newest.to_str().unwrap(), "--expect", &file]);
    assert_eq!(audited.done().json()["verdict"], "verified");
    // It is bound like the others: no second child, and nothing more with its old share.
    drafted(&demo, "second", &OPERATORS, &["--witness", "dave"]).done();
    let refused = start(&demo, "dave", "second.toml", &["--from", PARENT]).ended();
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("to another reshare"), "{}", refused.stderr);
}
