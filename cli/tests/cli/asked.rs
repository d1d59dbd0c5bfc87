//! A restored directory asks the others whether its shares are the newest, and goes on by their
//! answers, or does not.

use std::fs;

use quorate::primitives::hash::Digest;
use quorate::spec::Index;
use quorate_operator::carrier::board::Folder;
use quorate_operator::requests::put_answer;
use quorate_operator::store::{Restored, StateDir};
use serde_json::{Value, json};

use crate::lost_seats::{BOARD, WITHOUT, all_stop_at_a_board, step};
use crate::reshared::{
    PARENT, SENTENCE, draft, drafted, generation, outputs, start, up_to_the_stop, words,
};
use crate::support::demo::{Demo, OPERATORS, PLAIN, SSV};
use crate::support::files::{mode, private};
use crate::support::ports::free_port;
use crate::support::program::Ended;
use crate::support::running::{Running, Signal, no_starts};

const FILE: &str = "demo/ceremony.toml";
const NEWEST: [&str; 2] = ["--yes-newest", "no newer shares of these validators exist"];
const STOPPED: [&str; 4] = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];

fn backed_up(demo: &Demo, operator: &str) {
    let file = format!("{operator}.backup");
    demo.by(operator, &["backup", "make", &file, "--kdf-cost", "10"]).done();
}

/// An operator's machine is gone, and another takes its place.
fn restored(demo: &Demo, operator: &str) {
    fs::remove_dir_all(demo.path("demo").join(operator)).unwrap();
    let file = format!("{operator}.backup");
    demo.by(operator, &["backup", "restore", &file, "--kdf-cost", "10"]).done();
}

/// A finished key generation of four, of whom three sign; bob has come back from his backup.
fn scene() -> Demo {
    let demo = generation();
    backed_up(&demo, "bob");
    restored(&demo, "bob");
    demo
}

fn ask(demo: &Demo, file: &str) -> Value {
    demo.by("bob", &["restored", "ask", FILE, "-o", file]).done().json()
}

/// The operator's answer to this question, in a file of its name.
fn answered(demo: &Demo, operator: &str, ask: &str) -> (String, Value) {
    let file = format!("{operator}-{ask}");
    let said = demo.by(operator, &["restored", "answer", ask, "-o", &file]).done().json();
    (file, said)
}

fn take(demo: &Demo, answers: &[&str]) -> Ended {
    demo.by("bob", &[&["restored", "take", FILE][..], answers].concat())
}

fn export(demo: &Demo, folder: &str, more: &[&str]) -> Ended {
    let args = ["export", "keystores", FILE, "--kdf", "pbkdf2", "--out", folder];
    demo.by("bob", &[&args[..], more].concat())
}

fn first_key(demo: &Demo) -> String {
    let audited = demo.run(&["--json", "audit", PARENT]).done().json();
    let key = audited["report"]["facts"]["validators"][0]["public_key"].as_str().unwrap();
    format!("0x{}", key.trim_start_matches("0x"))
}

/// The operator's exit of the first validator.
fn signs_an_exit(demo: &Demo, operator: &str, name: &str) -> Ended {
    let key = first_key(demo);
    let request = ["exit", "request", PARENT, "--public-key", &key, "--index", "7", "--public"];
    let file = format!("{name}.json");
    demo.run(&[&request[..], &["-o", &file]].concat()).done();
    let allow = format!("exits = \"allow-list\"\nallow = [\"{key}\"]\n");
    private(demo.path(&format!("demo/{operator}/signing.toml")), &allow);
    let output = format!("{name}-{operator}.json");
    demo.by(operator, &["exit", "sign", &file, "--yes", "-o", &output])
}

#[test]
fn enough_answers_of_others_take_the_place_of_the_sentence() {
    let demo = scene();
    // Nothing was asked yet, and whoever was not restored has nothing to ask.
    take(&demo, &["none"]).failed(2, &["this directory has asked nothing about these shares"]);
    let nothing = demo.by("alice", &["restored", "ask", FILE, "-o", "alice.ask"]);
    nothing.failed(2, &["did not come out of a backup"]);
    assert!(!demo.path("alice.ask").exists());
    let asked = ask(&demo, "bob.ask");
    assert_eq!(asked["needed"], 2);

    // One answer is not enough; the same once more is not two.
    let (alice, said) = answered(&demo, "alice", "bob.ask");
    assert_eq!((&said["asked_by"], &said["newer"]), (&json!(2), &json!([])));
    let waits = take(&demo, &[&alice, &alice]).ended_with(5).json();
    assert_eq!((&waits["needed"], waits["answered"].as_array().unwrap().len()), (&json!(2), 1));
    assert_eq!(crate::support::program::names(&waits["missing"]), json!(["carol", "dave"]));
    export(&demo, "early", &[]).failed(2, &["came out of a backup of 20", "quorate restored ask"]);
    assert_eq!(mode(demo.path("demo/bob/restored")), 0o700);

    // What is altered, a question, somebody's own answer and a stranger's do not count.
    let mut altered = fs::read(demo.path(&alice)).unwrap();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(demo.path("altered"), altered).unwrap();
    take(&demo, &["altered"]).failed(5, &["its signature is not that of the operator"]);
    take(&demo, &["bob.ask"]).failed(5, &["magic: something else"]);
    let own = demo.by("bob", &["restored", "answer", "bob.ask", "-o", "own"]);
    own.failed(1, &["this directory came out of a backup itself"]);
    let other = Demo::new(PLAIN);
    fs::copy(demo.path("bob.ask"), other.path("bob.ask")).unwrap();
    let stranger = ["restored", "answer", "bob.ask", "-o", "strange"];
    fs::remove_dir_all(other.path("demo/carol/ceremonies")).unwrap();
    let nothing = ["holds nothing from the ceremony", "then others answer"];
    let stranger = other.by("carol", &stranger);
    stranger.failed(1, &nothing);
    // Keystores do not tell what came after them.
    assert!(!stranger.stderr.contains("--keystores"), "{}", stranger.stderr);

    // An answer to another directory of the same operator says nothing here.
    restored(&demo, "bob");
    ask(&demo, "second.ask");
    let (carol, _) = answered(&demo, "carol", "bob.ask");
    let replayed = take(&demo, &[&alice, &carol]);
    replayed.failed(4, &["no answer counts", "it answers another question"]);
    // Nor one to an earlier question of this one.
    let (early, _) = answered(&demo, "alice", "second.ask");
    ask(&demo, "third.ask");
    take(&demo, &[&early]).failed(4, &["it answers another question"]);

    // Two that know of nothing newer are enough, one after the other.
    let (carol, _) = answered(&demo, "carol", "third.ask");
    let (dave, _) = answered(&demo, "dave", "third.ask");
    assert_eq!(take(&demo, &[&dave]).ended_with(5).json()["newest"], false);
    assert_eq!(take(&demo, &[&carol]).done().json()["newest"], true);
    take(&demo, &[&carol]).failed(2, &["it is settled that they are the newest"]);
    export(&demo, "keystores", &[]).done();
    signs_an_exit(&demo, "bob", "exit").done();
    // Nobody asks for the sentence any more: not a repair, not a reshare.
    repair_of(&demo, "carol");
    let next = draft(&demo, "next", &["alice", "bob", "carol"], &["dave"]);
    for file in ["repair.toml", &next] {
        let mut bob = start(&demo, "bob", file, &["--from", PARENT]);
        bob.until("Round 1 of 5");
        bob.signal(Signal::INT);
        bob.ends_with(5);
    }
}

#[test]
fn a_newer_generation_that_others_name_is_not_passed_over() {
    let demo = scene();
    // The others deal the shares anew without bob, and have not come to the end of it.
    let three = ["alice", "carol", "dave"];
    let file = draft(&demo, "Second", &three, &["bob"]);
    up_to_the_stop(&demo, &file, &three);
    ask(&demo, "first.ask");
    let (dave, said) = answered(&demo, "dave", "first.ask");
    assert_eq!(said["newer"], json!([]), "it has committed to nothing yet");
    let mut alice = start(&demo, "alice", &file, &STOPPED);
    alice.until("This operator has stopped");
    drop(alice.kill());
    let (alice, said) = answered(&demo, "alice", "first.ask");
    let digest = demo.run(&["--json", "spec", "check", &file]).json()["digest"].clone();
    let named = json!([{ "ceremony": digest, "name": "Second", "standing": "committed" }]);
    assert_eq!(said["newer"], named);
    let (carol, _) = answered(&demo, "carol", "first.ask");
    // However many know of nothing.
    let told = take(&demo, &[&dave, &carol, &alice]);
    let words = ["\"alice\" (operator 1) says: \"Second\"", "it has committed its shares to it"];
    told.failed(4, &words);
    // Neither sentence nor answers pass over it; exits are still signed.
    export(&demo, "old", &NEWEST).failed(4, &words);
    take(&demo, &[&dave]).failed(4, &words);
    // Nor does another question, before it is answered.
    ask(&demo, "again.ask");
    export(&demo, "old", &NEWEST).failed(4, &words);
    let (dave_again, _) = answered(&demo, "dave", "again.ask");
    take(&demo, &[&dave_again]).failed(4, &words);
    let other = draft(&demo, "third", &["bob", "carol", "dave"], &["alice"]);
    let deals = [&["--from", PARENT][..], &NEWEST].concat();
    start(&demo, "bob", &other, &deals).ended().failed(4, &words);
    signs_an_exit(&demo, "bob", "before").done();

    // When it is complete, the old shares sign nothing more here either.
    let stops = [("alice", &[][..]), ("carol", &STOPPED[..]), ("dave", &STOPPED[..])];
    let running: Vec<Running> =
        stops.iter().map(|(operator, stop)| start(&demo, operator, &file, stop)).collect();
    running.into_iter().for_each(|running| drop(running.ends_with(0)));
    assert!(outputs(&demo, "alice", &file).exists());
    ask(&demo, "second.ask");
    let (carol, said) = answered(&demo, "carol", "second.ask");
    assert_eq!(said["newer"][0]["standing"], "complete");
    let words = ["\"carol\" (operator 3) says: \"Second\"", "it has the outputs"];
    take(&demo, &[&carol]).failed(4, &words);
    signs_an_exit(&demo, "bob", "after").failed(4, &words);
    assert!(!demo.path("old").exists() && !demo.path("after-bob.json").exists());
}

#[test]
fn questions_and_answers_by_a_board() {
    let demo = scene();
    fs::create_dir(demo.path("board")).unwrap();
    let board = ["--board", "board"];
    let asked = [&["restored", "ask", FILE, "-o", "bob.ask"][..], &board].concat();
    let id = demo.by("bob", &asked).done().json()["ask"].as_str().unwrap().to_owned();
    let waits = demo.by("bob", &[&["restored", "take", FILE][..], &board].concat());
    assert_eq!(waits.ended_with(5).json()["answered"], json!([]));
    for operator in ["alice", "dave"] {
        let answer = [&["restored", "answer", &id][..], &board].concat();
        assert_eq!(demo.by(operator, &answer).done().json()["file"], Value::Null);
    }
    // What others have put in an operator's place is named, and stands in nobody's way.
    let board_of = Folder::open(&demo.path("board")).unwrap();
    let (ask, carol) = (id_of(&id), Index::new(3).unwrap());
    let take_there = || demo.by("bob", &[&["restored", "take", FILE][..], &board].concat());
    answered(&demo, "alice", "bob.ask");
    let of_another = fs::read(demo.path("alice-bob.ask")).unwrap();
    put_answer(&board_of, ask, carol, &of_another).unwrap();
    put_answer(&board_of, ask, carol, &altered(&of_another)).unwrap();
    let missing = "0".repeat(64);
    let nothing = demo.by("dave", &[&["restored", "answer", &missing][..], &board].concat());
    nothing.failed(2, &["is on this board"]);
    let taken = take_there().done();
    let said = taken.json()["not_counted"].to_string();
    for why in ["an answer of another operator", "its signature is not that of the operator"] {
        assert!(said.contains(why), "{said}");
        assert!(taken.stderr.contains(&format!("\"carol\" (operator 3): {why}")), "{said}");
    }
    export(&demo, "keystores", &[]).done();
}

/// Drafts `repair.toml`, in which this operator's share is given back.
fn repair_of(demo: &Demo, lost: &str) {
    let destroyed = ["--lost", lost, "--yes-destroyed", "the old machine is destroyed"];
    let new = ["repair", "new", "--from", PARENT, "-o", "repair.toml"];
    let mut args: Vec<String> =
        new.iter().chain(&destroyed).map(|text| (*text).to_owned()).collect();
    for name in OPERATORS {
        let shown = demo.by(name, &["identity", "show"]).done().json();
        let at = format!("{}@127.0.0.1:{}", shown["card"].as_str().unwrap(), free_port());
        args.extend(["--operator".to_owned(), at]);
    }
    demo.run(&args).done();
}

fn id_of(text: &str) -> Digest {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).unwrap();
    Digest(bytes)
}

/// The same file with another last byte, which is one of its signature.
fn altered(answer: &[u8]) -> Vec<u8> {
    let mut altered = answer.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    altered
}

/// The backup of a witness is older than the ceremony whose shares it stops: like a dealer, it is
/// asked what it does not know.
#[test]
fn a_witness_without_the_log_of_the_parent_is_asked() {
    let demo = generation();
    fs::remove_dir_all(demo.path("demo/dave/ceremonies")).unwrap();
    backed_up(&demo, "dave");
    restored(&demo, "dave");
    drafted(&demo, "next", &["alice", "bob", "carol", "dave"], &["--witness", "dave"]).done();
    let from = ["--from", PARENT];
    let begins = |file: &str, more: &[&str]| {
        let mut dave = start(&demo, "dave", file, &[&from[..], more].concat());
        dave.until("Round 1 of 5");
        dave.signal(Signal::INT);
        dave.ends_with(5);
    };
    // A repair that is begun and not finished says nothing of it.
    repair_of(&demo, "dave");
    begins("repair.toml", &[]);
    let asks = ["came out of a backup of 20", "are not in it", "--yes-newest"];
    start(&demo, "dave", "next.toml", &from).ended().failed(2, &asks);
    let wrong = [&from[..], &["--yes-newest", "yes"]].concat();
    start(&demo, "dave", "next.toml", &wrong).ended().failed(2, &["that is not the sentence"]);
    assert!(!outputs(&demo, "dave", "next.toml").parent().unwrap().exists());
    begins("next.toml", &NEWEST);
    // The word is remembered.
    begins("next.toml", &[]);
}

/// What a restored directory does not know begins with the oldest backup that it came out of.
#[test]
fn a_backup_of_a_restored_directory_is_dated_by_the_older_one() {
    let demo = scene();
    fs::remove_file(demo.path("demo/bob/restored/0000000000000000")).unwrap();
    let state = StateDir::open(&demo.path("demo/bob")).unwrap();
    let no_starts = no_starts();
    let lock = state.lock().unwrap();
    lock.note_restored(&Restored { made: 1_700_000_000, ceremony: Digest::ZERO }).unwrap();
    drop((lock, no_starts));
    fs::remove_file(demo.path("bob.backup")).unwrap();
    backed_up(&demo, "bob");
    fs::remove_dir_all(demo.path("demo/bob")).unwrap();
    let again = ["backup", "restore", "bob.backup", "--kdf-cost", "10"];
    let by_bob = ["--dir", "demo/bob", "--passphrase-file", "demo/passphrase"];
    let said = demo.run(&[&by_bob[..], &again].concat()).done();
    let date = "What this operator signed after 2023-11-14 is not known here.";
    assert!(said.stdout.contains(date), "{}", said.stdout);
}

/// Carol regained her share of the key generation in a repair; what came out of her backup is that.
#[test]
fn a_share_that_was_regained_is_asked_about_before_key_shares_are_made_of_it() {
    const REPAIR: &str = "demo/repair.toml";
    let demo = Demo::new(("regained", &["--repair"]));
    let parent = outputs(&demo, "alice", FILE).join("public/transcript.quorate");
    fs::copy(parent, demo.path(PARENT)).unwrap();
    fs::rename(outputs(&demo, "carol", REPAIR).join("secret"), demo.path("kept")).unwrap();
    backed_up(&demo, "carol");
    restored(&demo, "carol");
    let exit = signs_an_exit(&demo, "carol", "exit").done();
    let note = "NOTE: this directory was restored from a backup of 20";
    assert!(exit.stderr.contains(note), "{}", exit.stderr);

    // Key shares of the key generation, for four operators of SSV.
    let ssv = Demo::new(SSV);
    let info = fs::read(ssv.path("demo/ssv/operators_info.json")).unwrap();
    let mut info: Vec<Value> = serde_json::from_slice(&info).unwrap();
    (1..).zip(&mut info).for_each(|(id, one)| one["id"] = json!(id));
    fs::write(demo.path("info.json"), json!(info).to_string()).unwrap();
    let key = ssv.path("demo/ssv/carol/encrypted_private_key.json");
    fs::copy(key, demo.path("rsa.json")).unwrap();
    fs::copy(ssv.path("demo/ssv/password"), demo.path("password")).unwrap();
    let owner = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let validator = first_key(&demo);
    let request = ["ssv", "request", PARENT, "--public-key", &validator, "--public", "--nonce"];
    let more = ["0", "--owner", owner, "--ssv-operators", "info.json", "-o", "ssv.json"];
    demo.run(&[&request[..], &more].concat()).done();
    let policy =
        format!("key_shares = \"allow-list\"\nallow = [{validator:?}]\nowners = [{owner:?}]\n");
    private(demo.path("demo/carol/signing.toml"), &policy);
    let signs = |more: &[&str]| {
        let args =
            ["ssv", "sign", "ssv.json", "--yes", "-o", "carol.json", "--ssv-key", "rsa.json"];
        let ended = [&args[..], &["--ssv-password-file", "password"], more].concat();
        demo.by("carol", &ended)
    };
    let alone = ["--keystores", "kept", "--transcript", PARENT];
    let password = ["--keystore-password-file", "demo/passphrase"];
    let alone = [&alone[..], &password].concat();
    signs(&[]).failed(2, &["came out of a backup of 20", "quorate restored ask"]);
    // Nor with keystores of it, which would sign beside its log.
    let beside = ["the log of this ceremony is here", "leave out --keystores"];
    signs(&[&alone[..], &NEWEST].concat()).failed(2, &beside);

    // The others deal the shares anew without her, and one of them says so.
    let three = ["alice", "bob", "dave"];
    let file = draft(&demo, "Second", &three, &["carol"]);
    up_to_the_stop(&demo, &file, &three);
    let mut alice = start(&demo, "alice", &file, &STOPPED);
    alice.until("This operator has stopped");
    drop(alice.kill());
    let asked = demo.by("carol", &["restored", "ask", REPAIR, "-o", "carol.ask"]).done().json();
    assert_eq!(asked["needed"], 2);
    let (alice, _) = answered(&demo, "alice", "carol.ask");
    let words = ["\"alice\" (operator 1) says: \"Second\"", "it has committed its shares to it"];
    demo.by("carol", &["restored", "take", REPAIR, &alice]).failed(4, &words);
    signs(&NEWEST).failed(4, &words);
    assert!(!demo.path("carol.json").exists());
}

/// Four of five deal and stop; one of them gives up, and three finish without it. So two of the
/// five are in nothing newer, though four sign with the old shares.
#[test]
fn two_of_five_do_not_know_of_what_a_majority_has_finished() {
    const KIND: [&str; 5] = ["--operators", "5", "--threshold", "4", "--no-keystores"];
    let demo = Demo::new(("five", &KIND));
    fs::copy(demo.out("alice").join("public/transcript.quorate"), demo.path(PARENT)).unwrap();
    backed_up(&demo, "alice");
    let absent = ["--absent", "erin", "--threshold", "3"];
    drafted(&demo, "next", &["alice", "bob", "carol", "dave"], &absent).done();
    let file = "next.toml";
    all_stop_at_a_board(&demo, file);
    let agreed = words(&demo, file);
    let abandon = ["abandon", file, "--board", "board", "--yes-fingerprint", &agreed];
    demo.by("dave", &abandon).done();
    for operator in ["alice", "bob", "carol"] {
        step(&demo, operator, file, &BOARD).done();
    }
    for operator in ["alice", "bob", "carol"] {
        step(&demo, operator, file, &[&BOARD[..], &WITHOUT].concat()).done();
    }
    assert_eq!(step(&demo, "bob", file, &BOARD).done().json()["finished"], true);

    restored(&demo, "alice");
    let by_alice = |args: &[&str]| demo.by("alice", args);
    let asked = by_alice(&["restored", "ask", FILE, "-o", "alice.ask"]).done().json();
    assert_eq!(asked["needed"], 3);
    // Both say what is so.
    let silent = ["dave", "erin"].map(|operator| {
        let (answer, said) = answered(&demo, operator, "alice.ask");
        assert_eq!(said["newer"], json!([]), "{operator}");
        answer
    });
    let waits = by_alice(&["restored", "take", FILE, &silent[0], &silent[1]]).ended_with(5).json();
    assert_eq!((&waits["needed"], &waits["newest"]), (&json!(3), &json!(false)));
    assert_eq!(crate::support::program::names(&waits["missing"]), json!(["bob", "carol"]));
    let export = ["export", "keystores", FILE, "--kdf", "pbkdf2", "--out", "old"];
    by_alice(&export).failed(2, &["came out of a backup of 20", "at least 3 of the other"]);
    let (carol, _) = answered(&demo, "carol", "alice.ask");
    let words = ["\"carol\" (operator 3) says: \"next\"", "it has the outputs"];
    by_alice(&["restored", "take", FILE, &carol]).failed(4, &words);
    by_alice(&export).failed(4, &words);
}
