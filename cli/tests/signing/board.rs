//! Requests and answers by a board, which an enemy can write to.

use std::fs;
use std::path::PathBuf;

use quorate::ethereum::network::Network;
use quorate::export::exits::verify_exit;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::place::Place;
use crate::support::demo::OPERATORS;
use crate::support::files::files;
use crate::support::nats::Server;
use crate::support::program::{Ended, names};

fn place() -> Place {
    let place = Place::new("hoodi");
    place.allow();
    fs::create_dir(place.path("board")).unwrap();
    place
}

fn sign(place: &Place, operator: &str, kind: &str, id: &str) -> Ended {
    place.by(operator, &[kind, "sign", id, "--yes", "--board", "board"])
}

fn combine(place: &Place, by: &str, kind: &str, id: &str, output: &str) -> Ended {
    let transcript = place.transcript();
    let args = ["--board", "board", "--transcript", &transcript, "-o", output];
    place.by(by, &[&[kind, "combine", id][..], &args].concat())
}

/// A shelf of a request.
fn shelf(place: &Place, id: &str, shelf: &str) -> PathBuf {
    place.path("board/quorate-1").join(id).join(shelf)
}

/// Files under the names that they should have.
fn put(folder: &std::path::Path, content: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(hex::encode(Sha256::digest(content))), content).unwrap();
}

#[test]
fn an_exit_for_a_custodian_by_a_board() {
    let place = place();
    let card = place.card("carol");
    let asked = place.request(&["--custodian", &card, "--board", "board"]).done().json();
    let id = asked["request"].as_str().unwrap();
    assert!(asked["board"].as_str().unwrap().ends_with("/board"));
    // Junk, and a request of another id, in the place of this one.
    let request = fs::read(place.path("request.json")).unwrap();
    let text = String::from_utf8(request).unwrap();
    let other = text.replace("1804776", "1804777");
    assert_ne!(other, text);
    put(&shelf(&place, id, "request"), other.as_bytes());
    put(&shelf(&place, id, "request"), b"{}");
    fs::remove_file(place.path("request.json")).unwrap();

    for (count, operator) in ["alice", "bob", "dave"].into_iter().enumerate() {
        let few = combine(&place, "carol", "exit", id, "few.json");
        few.failed(5, &[&format!("valid answers: {count}"), "required: 3"]);
        let signed = sign(&place, operator, "exit", id).done();
        assert_eq!(signed.json()["file"], json!(null));
        // What another operator has said, and anything, in its place.
        let answers = shelf(&place, id, "answer-1");
        let (_, said) = files(&answers).pop_first().unwrap();
        put(&shelf(&place, id, "answer-4"), &said);
        put(&shelf(&place, id, "answer-2"), b"junk");
    }
    let made = combine(&place, "carol", "exit", id, "exit.json").done().json();
    assert_eq!(names(&made["signed_by"]), json!(["alice", "bob", "dave"]));
    assert_eq!(made["not_counted"], json!([]));
    let exit = fs::read(place.path("exit.json")).unwrap();
    let key = place.parent().validators()[0].public_key;
    assert!(verify_exit(&exit, &Network::known("hoodi").unwrap(), &key).is_ok());
    // Nobody else opens what is for the custodian.
    combine(&place, "alice", "exit", id, "stolen.json").failed(5, &["valid answers: 0"]);
    assert!(!place.path("stolen.json").exists());
}

#[test]
fn a_deposit_for_everybody_by_a_board() {
    let place = place();
    let asked = place.deposit_request("8").done().json();
    let id = asked["request"].as_str().unwrap();
    // Not there: the file still serves, and what is signed is the same.
    sign(&place, "bob", "deposit", id).failed(2, &["no request with the id", "compare the id"]);
    for operator in OPERATORS {
        place
            .by(operator, &["deposit", "sign", "request.json", "--yes", "--board", "board"])
            .done();
    }
    // Once more, and nothing more is there.
    let before = files(&place.path("board"));
    assert_eq!(before.len(), 4);
    place.by("bob", &["deposit", "sign", "request.json", "--yes", "--board", "board"]).done();
    assert_eq!(files(&place.path("board")), before);
    // An exit's command does not answer it, and two lost answers are none too many.
    place
        .by("bob", &["exit", "sign", "request.json", "--yes", "--board", "board"])
        .failed(2, &["this is a request for: deposit; expected: exit"]);
    fs::remove_dir_all(shelf(&place, id, "answer-2")).unwrap();
    let transcript = place.transcript();
    let args = ["--board", "board", "--transcript", &transcript, "-o", "deposit.json"];
    let made = place.by("dave", &[&["deposit", "combine", "request.json"][..], &args].concat());
    let made = made.done().json();
    assert_eq!(names(&made["signed_by"]), json!(["alice", "carol", "dave"]));
}

/// Other fee recipients for all validators, from answers that were left on a board.
#[test]
fn registrations_by_a_board() {
    let place = place();
    let to = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let keys: Vec<String> = place
        .parent()
        .validators()
        .iter()
        .map(|validator| format!("0x{}", hex::encode(validator.public_key.to_compressed())))
        .collect();
    let policy =
        format!("registrations = \"allow-list\"\nallow = {keys:?}\nfee_recipients = [{to:?}]\n");
    OPERATORS.iter().for_each(|operator| place.policy(operator, &policy));
    let transcript = place.transcript();
    let args = ["registration", "request", &transcript, "-o", "request.json", "--all", "--public"];
    let more = ["--fee-recipient", to, "--gas-limit", "45000000", "--board", "board"];
    let asked = place.by("alice", &[&args[..], &more].concat()).done().json();
    let id = asked["request"].as_str().unwrap();
    fs::remove_file(place.path("request.json")).unwrap();
    for operator in ["alice", "carol", "dave"] {
        sign(&place, operator, "registration", id).done();
    }
    let made = combine(&place, "bob", "registration", id, "registrations.json").done().json();
    assert_eq!(names(&made["signed_by"]), json!(["alice", "carol", "dave"]));
    let args = ["registration", "verify", "registrations.json", "--network", "hoodi"];
    place.run(&args).done();
}

/// The same at a NATS server, in the place of a folder.
#[test]
fn an_exit_by_a_server() {
    let Some(server) = Server::start("") else { return };
    let place = place();
    let url = server.url();
    let via = ["--via", url.as_str()];
    let asked = place.request(&[&["--public"][..], &via].concat()).done().json();
    let id = asked["request"].as_str().unwrap();
    fs::remove_file(place.path("request.json")).unwrap();
    for operator in ["alice", "bob", "dave"] {
        place.by(operator, &[&["exit", "sign", id, "--yes"][..], &via].concat()).done();
    }
    let transcript = place.transcript();
    let args = ["exit", "combine", id, "--transcript", &transcript, "-o", "exit.json"];
    let made = place.by("carol", &[&args[..], &via].concat()).done().json();
    assert_eq!(names(&made["signed_by"]), json!(["alice", "bob", "dave"]));
}

/// A member that signs what its share does not give is named, once, however often it does.
#[test]
fn an_answer_that_is_wrong_is_told_of_its_operator() {
    let place = place();
    let asked = place.deposit_request("8").done().json();
    let id = asked["request"].as_str().unwrap();
    for operator in OPERATORS {
        place
            .by(operator, &["deposit", "sign", "request.json", "--yes", "--board", "board"])
            .done();
    }
    let dave = place.operator("dave");
    let folder = shelf(&place, id, "answer-4");
    let (name, said) = files(&folder).pop_first().unwrap();
    fs::remove_file(folder.join(name)).unwrap();
    let mut wrong: serde_json::Value = serde_json::from_slice(&said).unwrap();
    let (_, carols) = files(&shelf(&place, id, "answer-3")).pop_first().unwrap();
    let carols: serde_json::Value = serde_json::from_slice(&carols).unwrap();
    wrong["partial"] = carols["partial"].clone();
    let partial = hex::decode(&wrong["partial"].as_str().unwrap()[2..]).unwrap();
    let statement = [&hex::decode(id).unwrap()[..], &4_u16.to_be_bytes(), &partial].concat();
    let signature = dave.key().sign(quorate::primitives::hash::Tag::PartialSignature, &statement);
    wrong["signature"] = json!(hex::encode(signature));
    put(&folder, wrong.to_string().as_bytes());
    put(&folder, format!("{wrong} ").as_bytes());
    let made = combine(&place, "bob", "deposit", id, "deposit.json");
    // The request is a file of alice's alone.
    made.failed(2, &["no request with the id"]);
    let transcript = place.transcript();
    let args = ["--board", "board", "--transcript", &transcript, "-o", "deposit.json"];
    let made = place.by("bob", &[&["deposit", "combine", "request.json"][..], &args].concat());
    let made = made.done().json();
    let told = made["not_counted"].as_array().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].as_str().unwrap().contains("dave"), "{told:?}");
}
