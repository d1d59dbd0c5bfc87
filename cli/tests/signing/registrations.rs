//! Later registrations: another fee recipient after the ceremony, by files, online, and by
//! keystores alone.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::time::{SystemTime, UNIX_EPOCH};

use quorate::ethereum::network::Network;
use quorate::export::launchpad::verify_registrations;
use serde_json::{Value, json};

use crate::place::Place;
use crate::support::demo::OPERATORS;
use crate::support::files::{copy, private};
use crate::support::program::{Ended, names};
use crate::together::ports;

const TO: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const OTHER: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
/// The deposit contract of mainnet and hoodi.
const CONTRACT: &str = "0x00000000219ab540356cBB839Cbe05303d7705Fa";
/// Before Gloas on any network, and after every genesis.
const EARLY: &str = "1790000000";

fn keys(place: &Place) -> Vec<String> {
    let key = |validator: &quorate::protocol::outcome::ValidatorOutcome| {
        format!("0x{}", hex::encode(validator.public_key.to_compressed()))
    };
    place.parent().validators().iter().map(key).collect()
}

/// What lets an operator answer without a question: for all validators, fees to `TO` alone.
fn policy(place: &Place) -> String {
    format!(
        "registrations = \"allow-list\"\nallow = {:?}\nfee_recipients = [{TO:?}]\n",
        keys(place)
    )
}

fn ask(place: &Place, more: &[&str]) -> Ended {
    let transcript = place.transcript();
    let args = ["registration", "request", &transcript, "-o", "request.json"];
    place.by("alice", &[&args, more].concat())
}

/// A request for all, and nothing is left of the last one.
fn ask_again(place: &Place, more: &[&str]) {
    for operator in OPERATORS {
        let _ = fs::remove_file(place.path(&format!("partial-{operator}.json")));
    }
    let _ = fs::remove_file(place.path("request.json"));
    ask(place, &[&["--all", "--public", "--gas-limit", "45000000"], more].concat()).done();
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn another_fee_recipient_for_all_validators() {
    for network in ["hoodi", "mainnet"] {
        let place = Place::new(network);
        OPERATORS.iter().for_each(|operator| place.policy(operator, &policy(&place)));
        let flags = ["--all", "--fee-recipient", TO, "--gas-limit", "45000000", "--public"];
        let asked = ask(&place, &flags).done();
        for text in [
            &format!("LATER REGISTRATIONS of 2 validators on {network}"),
            &format!("fees to            {TO}"),
            "gas limit          45000000",
            "in the ceremony    ",
            "the Gloas fork, which ends registrations",
            "everyone: anyone who sees enough of them can use the signatures",
        ] {
            assert!(asked.stderr.contains(text), "{text}: {}", asked.stderr);
        }
        let file = fs::read(place.path("request.json")).unwrap();
        let date = serde_json::from_slice::<Value>(&file).unwrap()["registrations"]["timestamp"]
            .as_u64()
            .unwrap();
        assert!((now() - 300..=now()).contains(&date), "{date}");
        ["alice", "bob", "carol"].iter().for_each(|operator| {
            place.sign(operator, "registration").done();
        });
        let made = place.combine("dave", "registration", &["alice", "bob"], "registrations.json");
        made.failed(5, &["valid answers: 2 (of ", "; required: 3"]);
        let all = ["alice", "bob", "carol"];
        let made = place.combine("dave", "registration", &all, "registrations.json").done();
        let json = made.json();
        assert_eq!(names(&json["signed_by"]), json!(all));
        assert_eq!((&json["fee_recipient"], &json["gas_limit"]), (&json!(TO), &json!(45_000_000)));
        let bytes = fs::read(place.path("registrations.json")).unwrap();
        let of = Network::known(network).unwrap();
        let signed = verify_registrations(&bytes, &of, None).unwrap();
        let signed: Vec<_> = signed
            .iter()
            .map(|signed| {
                let message = &signed.message;
                let key = format!("0x{}", hex::encode(message.pubkey));
                (key, message.fee_recipient.to_string(), message.gas_limit, message.timestamp)
            })
            .collect();
        let wanted = keys(&place).into_iter().map(|key| (key, TO.to_owned(), 45_000_000, date));
        assert_eq!(signed, wanted.collect::<Vec<_>>());
        for other in ["hoodi", "mainnet"] {
            let args = ["registration", "verify", "registrations.json", "--network", other];
            let ended = place.run(&args);
            assert_eq!(ended.code, if other == network { 0 } else { 4 }, "{}", ended.stderr);
        }
        let args = ["registration", "sign", "request.json", "--yes", "-o", "again.json"];
        let again = place.by("alice", &args).done();
        assert!(again.stderr.contains("has already answered this request"), "{}", again.stderr);
    }
}

#[test]
fn an_older_date_is_refused_and_so_is_a_later_one_than_now() {
    let place = Place::new("hoodi");
    OPERATORS.iter().for_each(|operator| place.policy(operator, &policy(&place)));
    let future = (now() + 3600).to_string();
    let flags = ["--all", "--public", "--fee-recipient", TO, "--gas-limit", "45000000"];
    ask(&place, &[&flags[..], &["--timestamp", &future]].concat())
        .failed(2, &["is later than the present time", "check this machine's clock"]);
    for genesis in ["0", "1742213400"] {
        let ended = ask(&place, &[&flags[..], &["--timestamp", genesis]].concat());
        ended.failed(2, &["is not later than 1742213400, the genesis of the network"]);
    }
    // Answered by the first three on one day.
    ask_again(&place, &["--fee-recipient", TO, "--timestamp", EARLY]);
    place.sign("bob", "registration").done();
    // Not on the day before, nor the same day with another fee recipient or gas limit.
    place.policy("bob", &policy(&place).replace(&format!("{TO:?}"), &format!("{TO:?}, {OTHER:?}")));
    for (date, to) in [("1789999999", TO), (EARLY, OTHER)] {
        ask_again(&place, &["--fee-recipient", to, "--timestamp", date]);
        let refused = place.sign("bob", "registration");
        refused.failed(1, &["has already signed another registration", EARLY, date]);
        assert!(!place.path("partial-bob.json").exists());
        // Carol has signed none.
        if to == TO {
            place.sign("carol", "registration").done();
        }
    }
    ask_again(&place, &["--fee-recipient", OTHER, "--timestamp", "1790000001"]);
    place.sign("bob", "registration").done();
    // The first again: there is a later one.
    ask_again(&place, &["--fee-recipient", TO, "--timestamp", EARLY]);
    place.sign("bob", "registration").failed(1, &["dated 1790000001"]);
    // A request that somebody has dated later than now is not signed either.
    ask_again(&place, &["--fee-recipient", TO]);
    place.change("request.json", "/registrations/timestamp", json!(now() + 3600));
    place.change("request.json", "/requested_by", Value::Null);
    place.sign("carol", "registration").failed(2, &["is later than the present time"]);
}

#[test]
fn who_gets_the_fees_is_on_a_list_or_confirmed() {
    let place = Place::new("hoodi");
    ask_again(&place, &["--fee-recipient", TO]);
    let refused = |text: &str, code, reasons: &[&str]| {
        place.policy("bob", text);
        place.sign("bob", "registration").failed(code, reasons);
        assert!(!place.path("partial-bob.json").exists());
    };
    let listed = policy(&place);
    let not_on = format!("the fee recipient {TO} is not on the list");
    refused(&listed.replace(TO, OTHER), 1, &[&not_on, "fee_recipients"]);
    refused(&listed.replace("fee_recipients", "#"), 1, &[&not_on]);
    refused(&listed.replace(TO, &TO.to_lowercase()), 2, &["fee_recipients: \"0x5aae"]);
    refused("registrations = \"never\"\n", 1, &["policy is to sign no registrations"]);
    refused("registrations = \"sometimes\"\n", 2, &["signing.toml"]);
    refused("", 2, &["does not allow registrations without a question"]);
    refused(
        &format!("registrations = \"allow-list\"\nfee_recipients = [{TO:?}]\n"),
        1,
        &["is not on the allow-list"],
    );
    // What is allowed of exits says nothing of registrations.
    refused("exits = \"allow-list\"\n", 2, &["does not allow registrations without a question"]);
    place.policy("bob", &listed);
    place.sign("bob", "registration").done();
    // The commands of another kind.
    for kind in ["exit", "deposit"] {
        let args = [kind, "sign", "request.json", "--yes"];
        let reason = format!("this is a request for: registration; expected: {kind}");
        place.by("bob", &args).failed(2, &[&reason, "use: quorate registration"]);
    }
    place.request(&["--public"]).failed(1, &["request.json: already exists"]);
    fs::remove_file(place.path("request.json")).unwrap();
    place.request(&["--public"]).done();
    fs::remove_file(place.path("partial-bob.json")).unwrap();
    place
        .sign("bob", "registration")
        .failed(2, &["this is a request for: exit; expected: registration"]);
}

#[test]
fn what_cannot_be_asked() {
    let place = Place::new("hoodi");
    let key = place.key();
    let with = |flags: &[&str]| {
        let base = ["--all", "--public", "--timestamp", EARLY];
        ask(&place, &[&base, flags].concat())
    };
    let lower = TO.to_lowercase();
    for (flags, code, reason) in [
        (&[][..], 2, "--fee-recipient is missing: the ceremony has no registrations"),
        (&["--fee-recipient", TO], 2, "--gas-limit is missing: the ceremony has no registrations"),
        (&["--fee-recipient", &lower, "--gas-limit", "45000000"], 2, "--fee-recipient"),
        (&["--fee-recipient", "vitalik.eth", "--gas-limit", "45000000"], 2, "--fee-recipient"),
        (&["--fee-recipient", TO, "--gas-limit", "4999"], 2, "gas_limit: 4999 is not from 5000"),
        (&["--fee-recipient", TO, "--gas-limit", "many"], 2, "--gas-limit"),
        (&["--fee-recipient", TO, "--gas-limit", "1000000001"], 2, "gas_limit: 1000000001"),
        (
            &["--fee-recipient", CONTRACT, "--gas-limit", "5000"],
            2,
            "deposit contract of mainnet and hoodi",
        ),
        (&["--fee-recipient", TO, "--gas-limit", "45000000", "--index", "5"], 2, "--index"),
        (&["--fee-recipient", TO, "--gas-limit", "45000000", "--public-key", &key], 2, "--all"),
    ] {
        with(flags).failed(code, &[reason]);
        assert!(!place.path("request.json").exists());
    }
    // Fees to an address that nobody may have the key of: said, and a person decides.
    let burn = "0x000000000000000000000000000000000000dEaD";
    let asked = with(&["--fee-recipient", burn, "--gas-limit", "45000000"]).done();
    assert!(asked.stderr.contains("WARNING"), "{}", asked.stderr);
    // Of the ceremony's own, which an Obol cluster has.
    let place = Place::obol();
    let asked = ask(&place, &["--all", "--public", "--fee-recipient", OTHER]).done();
    assert!(asked.stderr.contains("gas limit          60000000"), "{}", asked.stderr);
}

/// Whoever still has a validator on Sepolia is told that there is nothing to sign any more.
#[test]
fn nobody_takes_a_registration_after_gloas() {
    let place = Place::new("sepolia");
    let flags = ["--all", "--public", "--fee-recipient", TO, "--gas-limit", "45000000"];
    let ended = ask(&place, &flags);
    ended.failed(2, &["Gloas", "sepolia", "epoch 353024"]);
    // One that was dated before, and asked for then, is what it was.
    let before = [&flags[..], &["--timestamp", EARLY]].concat();
    let asked = ask(&place, &before).done();
    assert!(asked.stderr.contains("the Gloas fork (epoch 353024), which ends"), "{}", asked.stderr);
    place.change("request.json", "/registration/timestamp", json!(1_791_294_816));
    place.change("request.json", "/requested_by", Value::Null);
    place.policy("bob", &policy(&place));
    place
        .sign("bob", "registration")
        .failed(4, &["the Gloas fork has ended registrations", "sign nothing"]);
}

#[test]
fn an_obol_cluster_gets_the_file_that_charon_reads() {
    let place = Place::obol();
    let flags = ["--fee-recipient", TO, "--timestamp", EARLY];
    ask_again(&place, &flags);
    for operator in ["alice", "bob", "dave"] {
        place.policy(operator, &policy(&place));
        place.sign(operator, "registration").done();
    }
    let all = ["alice", "bob", "dave"];
    let made = place.combine("alice", "registration", &all, "later").done();
    assert_eq!(made.json()["file"], "later");
    let read = |name: &str| fs::read(place.path("later").join(name)).unwrap();
    let hoodi = Network::known("hoodi").unwrap();
    let signed = verify_registrations(&read("registrations.json"), &hoodi, None).unwrap();
    assert_eq!(signed.len(), keys(&place).len());
    let charon: Value =
        serde_json::from_slice(&read("builder_registrations_overrides.json")).unwrap();
    let body: Value = serde_json::from_slice(&read("registrations.json")).unwrap();
    for (entry, wanted) in charon.as_array().unwrap().iter().zip(body.as_array().unwrap()) {
        assert_eq!(entry, &json!({ "version": "v1", "v1": wanted }));
    }
    assert_eq!(fs::read_dir(place.path("later")).unwrap().count(), 2);
}

#[test]
fn online_for_a_custodian_and_by_keystores_alone() {
    let _ports = ports();
    let place = Place::new("hoodi");
    OPERATORS.iter().for_each(|operator| place.policy(operator, &policy(&place)));
    let key = place.key();
    let card = place.card("carol");
    let flags = ["--public-key", &key, "--fee-recipient", TO, "--gas-limit", "45000000"];
    ask(&place, &[&flags[..], &["--custodian", &card]].concat()).done();
    let running = OPERATORS.map(|operator| {
        let output = format!("{operator}.json");
        place.start(operator, &["registration", "run", "request.json", "--yes", "-o", &output])
    });
    for running in running {
        running.ended().done();
    }
    assert!(place.path("carol.json").exists() && !place.path("alice.json").exists());
    let args = ["registration", "verify", "carol.json", "--network", "hoodi"];
    assert!(place.run(&args).done().stdout.contains("registrations: 1\n"));
    // Bob's keystores answer as his log does, and remember it in a log of their own.
    let new = place.path("new");
    fs::DirBuilder::new().mode(0o700).create(&new).unwrap();
    fs::copy(place.path("demo/bob/identity.sealed"), new.join("identity.sealed")).unwrap();
    copy(&place.out("bob"), &place.path("backup"));
    private(new.join("signing.toml"), &policy(&place));
    let sign = |output: &str| {
        let args = ["--json", "--dir", "new", "--passphrase-file", "demo/passphrase"];
        let rest = ["registration", "sign", "request.json", "--yes", "-o", output];
        let transcript = "backup/public/transcript.quorate";
        let from = ["--keystores", "backup/secret", "--transcript", transcript];
        place.run(&[&args[..], &rest, &from].concat())
    };
    ask_again(&place, &["--fee-recipient", TO, "--timestamp", EARLY]);
    let made = sign("partial-new.json").done();
    assert_eq!(made.json()["keystores_alone"], json!(true));
    ask_again(&place, &["--fee-recipient", TO, "--timestamp", "1789999999"]);
    sign("older.json").failed(1, &["has already signed another registration"]);
}
