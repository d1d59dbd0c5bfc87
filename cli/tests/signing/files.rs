//! Exits and deposits by files, each operator with its own state.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use quorate::ethereum::network::Network;
use quorate::export::exits::verify_exit;
use quorate::export::launchpad::verify_deposits;
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::secret::Secret32;
use quorate::signing::Request;
use quorate::signing::partial::Partial;
use quorate::spec::Index;
use serde_json::{Value, json};

use crate::place::Place;
use crate::support::demo::OPERATORS;
use crate::support::program::names;

/// A card says what its maker calls itself.
#[test]
fn a_custodian_with_an_operators_name_is_told_from_it() {
    let place = Place::new("hoodi");
    let card = place.stranger("carol");
    let asked = place.request(&["--custodian", &card]).done();
    assert!(
        asked.stderr.contains("\"carol\" only (NOT an operator of this ceremony), key"),
        "{}",
        asked.stderr
    );
}

#[test]
fn three_of_four_exit_on_hoodi_and_mainnet() {
    for network in ["hoodi", "mainnet"] {
        let place = Place::new(network);
        place.allow();
        let card = place.card("carol");
        let asked = place.request(&["--custodian", &card]).done();
        assert!(asked.stderr.contains("\"carol\" only (operator 3), key"), "{}", asked.stderr);
        let asked = asked.json();
        assert_eq!((&asked["needed"], &asked["signed_by"]), (&3.into(), &1.into()));
        for operator in OPERATORS {
            place.sign(operator, "exit").done();
        }
        let bytes = fs::read_to_string(place.path("partial-dave.json")).unwrap();
        assert!(bytes.contains("quorate-partial-sealed") && !bytes.contains("operator"), "{bytes}");

        // Any three, with one result; and no two.
        place
            .combine("carol", "exit", &["alice", "bob"], "two.json")
            .failed(5, &["valid answers: 2 (of ", "; required: 3"]);
        assert!(!place.path("two.json").exists());
        let made =
            place.combine("carol", "exit", &["alice", "bob", "dave"], "exit.json").done().json();
        assert_eq!(names(&made["signed_by"]), json!(["alice", "bob", "dave"]));
        assert_eq!(made["withdrawal_request"]["data"], format!("{}0000000000000000", place.key()));
        place.combine("carol", "exit", &["dave", "carol", "bob"], "other.json").done();
        // What a person is told to do with it can be given to a shell, whatever the file is called.
        let told = [
            "--dir",
            "demo/carol",
            "--passphrase-file",
            "demo/passphrase",
            "exit",
            "combine",
            "request.json",
            "--transcript",
        ];
        let partials = ["partial-dave.json", "partial-carol.json", "partial-bob.json"];
        let transcript = place.transcript();
        let told =
            place.run(&[&told[..], &[&transcript, "-o", "x y;z.json"], &partials].concat()).done();
        assert!(
            told.stdout.contains("--data @'x y;z.json' \\\n    http://localhost:5052/"),
            "{}",
            told.stdout
        );
        let exit = fs::read(place.path("exit.json")).unwrap();
        assert_eq!(exit, fs::read(place.path("other.json")).unwrap());
        assert_eq!(
            fs::metadata(place.path("exit.json")).unwrap().permissions().mode() & 0o777,
            0o600
        );

        let object: Value = serde_json::from_slice(&exit).unwrap();
        assert_eq!(object["message"], json!({ "epoch": "0", "validator_index": "1804776" }));
        let key = place.parent().validators()[0].public_key;
        for other in ["hoodi", "mainnet", "sepolia"] {
            let verdict = verify_exit(&exit, &Network::known(other).unwrap(), &key);
            assert_eq!(verdict.is_ok(), other == place.network, "{verdict:?}");
        }
        place
            .run(&[
                "exit",
                "verify",
                "exit.json",
                "--network",
                network,
                "--public-key",
                &place.key(),
            ])
            .done();

        // Nobody else opens what is for the custodian.
        let other = place.combine("alice", "exit", &["alice", "bob", "dave"], "stolen.json");
        other.failed(4, &["valid answers: 0; required: 3", "for another custodian"]);
        // What was signed is remembered, and the ceremony is as finished as before.
        let again =
            place.by("bob", &["exit", "sign", "request.json", "--yes", "-o", "again.json"]).done();
        assert!(again.stderr.contains("has already answered this request"), "{}", again.stderr);
        let run = place.by("bob", &["status"]).done().json();
        assert_eq!(run["ceremonies"][0]["state"], "finished");
    }
}

#[test]
fn every_field_of_a_request_is_bound() {
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    let genuine = fs::read(place.path("request.json")).unwrap();
    let zeros = "0".repeat(64);
    let other_key =
        format!("0x{}", hex::encode(place.parent().validators()[1].public_key.to_compressed()));
    let requester = "requested_by: this is not the signature of operator 1";
    let card = place.card("dave");
    for (pointer, value, code, reason) in [
        ("/ceremony", json!(zeros), 1, "holds nothing from the ceremony"),
        ("/dkg", json!(zeros), 4, "dkg: 00000000"),
        ("/outputs", json!(zeros), 4, "outputs: 00000000"),
        (
            "/network",
            json!("mainnet"),
            4,
            "network: \"mainnet\", but the ceremony is for \"hoodi\"",
        ),
        ("/public_key", json!(other_key), 1, "is not on the allow-list"),
        ("/exit/validator_index", json!(1_804_777), 4, requester),
        ("/exit/epoch", json!(1), 4, requester),
        ("/answers_to", json!(card), 4, requester),
        ("/requested_by/operator", json!(2), 4, "this is not the signature of operator 2"),
        ("/requested_by/operator", json!(5), 4, "no operator 5"),
        ("/requested_by/operator", json!(0), 2, "counted from 1"),
        ("/requested_by/signature", json!("0".repeat(128)), 4, requester),
        (
            "/format",
            json!("quorate-requests"),
            2,
            "format: quorate-requests instead of quorate-request",
        ),
        ("/version", json!(4), 2, "cluster_lock alone is required"),
        ("/version", json!(5), 2, "version: 5 instead of 1, 2, 3 or 4"),
        (
            "/version",
            json!(2),
            2,
            "one of exits, deposits and registrations is required, without public_key",
        ),
        ("/answers_to", json!("everybody"), 2, "answers_to: not an operator card"),
        ("/exit", json!({ "validator_index": "1", "epoch": 0 }), 2, "not a request"),
        ("/exit", json!({ "epoch": 0 }), 2, "missing field `validator_index`"),
        ("/exit", Value::Null, 2, "one of exit, deposit and registration"),
    ] {
        fs::write(place.path("request.json"), &genuine).unwrap();
        place.change("request.json", pointer, value);
        place.sign("bob", "exit").failed(code, &[reason]);
        assert!(!place.path("partial-bob.json").exists(), "{pointer}");
    }
    // With every key allowed, another validator's is the requester's word again.
    fs::write(place.path("request.json"), &genuine).unwrap();
    place.policy("bob", &format!("exits = \"allow-list\"\nallow = [\"{other_key}\"]"));
    place.change("request.json", "/public_key", json!(other_key));
    place.sign("bob", "exit").failed(4, &[requester]);
    let unknown =
        format!("0x{}", hex::encode(quorate::primitives::curve::G1::generator().to_compressed()));
    place.policy("bob", &format!("exits = \"allow-list\"\nallow = [\"{unknown}\"]"));
    fs::write(place.path("request.json"), &genuine).unwrap();
    place.change("request.json", "/public_key", json!(unknown));
    let mut file: Value =
        serde_json::from_slice(&fs::read(place.path("request.json")).unwrap()).unwrap();
    file.as_object_mut().unwrap().remove("requested_by");
    fs::write(place.path("request.json"), serde_json::to_vec(&file).unwrap()).unwrap();
    place.sign("bob", "exit").failed(4, &["public_key: this ceremony has no validator"]);
    // Of the other ceremony: nothing here is of it.
    let other = Place::new("mainnet");
    other.request(&["--public"]).done();
    fs::copy(other.path("request.json"), place.path("request.json")).unwrap();
    place.policy("bob", &format!("exits = \"allow-list\"\nallow = [\"{}\"]", other.key()));
    place.sign("bob", "exit").failed(1, &["holds nothing from the ceremony"]);
}

#[test]
fn bad_answers_are_named_and_not_counted() {
    let place = Place::new("hoodi");
    place.allow();
    place.request(&["--public"]).done();
    for operator in OPERATORS {
        place.sign(operator, "exit").done();
    }
    let genuine = fs::read(place.path("partial-bob.json")).unwrap();
    let alice: Value =
        serde_json::from_slice(&fs::read(place.path("partial-alice.json")).unwrap()).unwrap();
    let three = ["alice", "bob", "carol"];
    for (pointer, value, reason) in [
        ("/operator", json!(3), "signature: not by operator 3"),
        ("/operator", json!(9), "no operator 9"),
        (
            "/partial",
            alice["partial"].clone(),
            "signature: not by operator 2, whom it names: the answer was altered or is somebody \
             else's: \"bob\" (operator 2)",
        ),
        ("/signature", alice["signature"].clone(), "signature: not by operator 2"),
        ("/request", json!("0".repeat(64)), "it answers another request"),
        ("/version", json!(4), "its fields must be operator, partial (or 2 to 8192 partials"),
        ("/version", json!(5), "version: 5 instead of 1, 2, 3 or 4"),
        ("/version", json!(2), "its fields must be operator, partial (or 2 to 8192 partials"),
        ("/partial", json!("0x"), "partial: 0 characters instead of 192"),
        ("/signature", json!(7), "not a request: invalid type"),
    ] {
        fs::write(place.path("partial-bob.json"), &genuine).unwrap();
        place.change("partial-bob.json", pointer, value);
        place
            .combine("alice", "exit", &three, "exit.json")
            .failed(4, &["valid answers: 2 (of ", "; required: 3", "partial-bob.json: ", reason]);
    }
    // One that its operator signed, and that its share does not give.
    let parent = place.parent();
    let request = Request::from_json(&fs::read(place.path("request.json")).unwrap()).unwrap();
    let cleared = parent.clear(request).unwrap();
    let (bob, wrong) = (place.operator("bob"), SecretScalar::from_be_bytes(&[1; 32]).unwrap());
    let partial = Partial::sign(&cleared, &bob, Index::new(2).unwrap(), &[Some(&wrong)]).unwrap();
    fs::write(
        place.path("partial-bob.json"),
        partial.to_json(&cleared, &bob, Secret32::new(&mut [3; 32])),
    )
    .unwrap();
    let bad = place.combine("alice", "exit", &three, "exit.json");
    let reason = "does not verify under the public share of operator 2, who signed it: \"bob\" \
                  (operator 2)";
    bad.failed(4, &[reason]);
    // The same answer twice counts once.
    fs::copy(place.path("partial-alice.json"), place.path("partial-bob.json")).unwrap();
    place
        .combine("alice", "exit", &three, "exit.json")
        .failed(4, &["valid answers: 2 (of ", "a second answer from \"alice\" (operator 1)"]);
    // Four answers, one of them bad: it is named, and the others are enough.
    let made = place.combine("alice", "exit", &OPERATORS, "exit.json").done();
    assert_eq!(names(&made.json()["signed_by"]), json!(["alice", "carol", "dave"]));
    assert!(
        made.stderr
            .contains("Not counted: partial-bob.json: a second answer from \"alice\" (operator 1)"),
        "{}",
        made.stderr
    );
    // An answer to another epoch is no answer to this one.
    place.run(&["--help"]).done();
    fs::remove_file(place.path("request.json")).unwrap();
    place.request(&["--public", "--epoch", "1"]).done();
    place
        .combine("alice", "exit", &OPERATORS, "later.json")
        .failed(4, &["valid answers: 0; required: 3", "it answers another request"]);
}

#[test]
fn what_an_operator_signs_is_its_own_choice() {
    let place = Place::new("hoodi");
    place.request(&["--public"]).done();
    let sign = || place.sign("bob", "exit");
    sign().failed(2, &["--yes: ", "does not allow exits without a question"]);
    let asked = place.by("bob", &["exit", "sign", "request.json", "-o", "partial-bob.json"]);
    asked.failed(
        2,
        &[
            "there is no terminal for this prompt",
            "VOLUNTARY EXIT on hoodi",
            "validator index    1804776",
            "\"alice\" (operator 1), signed",
        ],
    );
    place.policy("bob", "exits = \"never\"");
    sign().failed(1, &["this operator's policy is to sign no exits"]);
    place.policy("bob", "exits = \"allow-list\"");
    sign().failed(1, &["is not on the allow-list"]);
    place.policy("bob", "exits = \"always\"");
    sign().failed(2, &["unknown variant"]);
    place.policy("bob", "allow = [\"b384\"]");
    sign().failed(2, &["allow: \"b384\" is not 0x and 96"]);
    place.policy("bob", &format!("exits = \"allow-list\"\nallow = [\"{}\"]", place.key()));
    fs::set_permissions(place.path("demo/bob/signing.toml"), fs::Permissions::from_mode(0o666))
        .unwrap();
    sign().failed(1, &["other users can write to it (mode 0666)"]);
    // Somebody else's: root can give it away, and who is not root has it from root.
    place.policy("bob", &format!("exits = \"allow-list\"\nallow = [\"{}\"]", place.key()));
    let file = place.path("demo/bob/signing.toml");
    let given = std::os::unix::fs::chown(&file, Some(4321), None);
    if given.is_err() {
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    }
    sign().failed(1, &["belongs to user"]);
    fs::remove_file(&file).unwrap();
    assert!(!place.path("partial-bob.json").exists());
    place.policy("bob", &format!("exits = \"allow-list\"\nallow = [\"{}\"]", place.key()));
    sign().done();
    // On the list for exits is not on the list for deposits.
    place
        .by("bob", &["deposit", "sign", "request.json", "--yes"])
        .failed(2, &["this is a request for: exit; expected: deposit"]);
}

#[test]
fn index_and_epoch_against_what_the_chain_says() {
    let place = Place::new("hoodi");
    place.allow();
    let withdrawal = place.parent().ceremony().validators()[0].withdrawal.to_string();
    let answer = |index: &str, status: &str, key: &str, credentials: &str| {
        let data = json!({
            "execution_optimistic": false, "finalized": false,
            "data": { "index": index, "balance": "32000000000", "status": status, "validator": {
                "pubkey": key, "withdrawal_credentials": credentials,
                "effective_balance": "32000000000", "slashed": false,
                "activation_eligibility_epoch": "1", "activation_epoch": "2", "exit_epoch": "3",
                "withdrawable_epoch": "4",
            } },
        });
        fs::write(place.path("beacon.json"), data.to_string()).unwrap();
    };
    let (key, beacon) = (place.key(), ["--public", "--beacon", "beacon.json"]);
    let other =
        format!("0x{}", hex::encode(place.parent().validators()[1].public_key.to_compressed()));
    let elsewhere = format!("0x01{}{}", "00".repeat(11), "ab".repeat(20));
    for (status, reason) in [
        ("active_exiting", "is active_exiting, with exit epoch 3; there is nothing to exit"),
        ("exited_unslashed", "is exited_unslashed, with exit epoch 3; there is nothing to exit"),
        ("withdrawal_done", "is withdrawal_done, with exit epoch 3; there is nothing to exit"),
        ("active_slashed", "it was slashed, and leaves without an exit"),
        ("pending_initialized", "is pending_initialized, so it cannot exit yet"),
        ("resting", "is resting; only one that is active_ongoing can exit"),
    ] {
        answer("1804776", status, &key, &withdrawal);
        place.request(&beacon).failed(4, &[reason]);
    }
    for (node, reason) in [
        (
            json!({"code": 404, "message": "NOT_FOUND: validator", "stacktraces": []}),
            "the beacon node does not know this key: NOT_FOUND: validator",
        ),
        (json!({"code": 503, "message": "syncing"}), "answered with error 503: syncing"),
        (json!({"code": 500}), "answered with error 500: no reason"),
        (json!({"status": "ok"}), "missing field `data`"),
    ] {
        fs::write(place.path("beacon.json"), node.to_string()).unwrap();
        place.request(&beacon).failed(4, &[reason]);
    }
    // 256 epochs after its activation, and not before.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = place.parent().ceremony().network().epoch_at(now.as_secs()).unwrap();
    let young = |since: u64| {
        let mut data: serde_json::Value =
            serde_json::from_slice(&fs::read(place.path("beacon.json")).unwrap()).unwrap();
        data["data"]["validator"]["activation_epoch"] = since.to_string().into();
        fs::write(place.path("beacon.json"), data.to_string()).unwrap();
    };
    answer("1804776", "active_ongoing", &key, &withdrawal);
    young(now - 200);
    let from = format!("nodes accept its exit from epoch {} on", now + 56);
    place.request(&beacon).failed(4, &[&from]);
    for (index, status, about, credentials, reason) in [
        (
            "1804777",
            "active_ongoing",
            &key,
            &withdrawal,
            "this key is validator 1804777, but the request says 1804776",
        ),
        (
            "1804776",
            "pending_queued",
            &key,
            &withdrawal,
            "is pending_queued, so it cannot exit yet",
        ),
        ("1804776", "active_ongoing", &key, &elsewhere, "Do not send it any more money"),
        ("1804776", "active_ongoing", &other, &withdrawal, "is about a different key"),
        ("x", "active_ongoing", &key, &withdrawal, "index: not a decimal number"),
    ] {
        answer(index, status, about, credentials);
        place.request(&beacon).failed(4, &[reason]);
        assert!(!place.path("request.json").exists());
    }
    answer("1804776", "active_ongoing", &key, &withdrawal);
    place.request(&beacon).done();
    // The signer compares with its own node.
    answer("7", "active_ongoing", &key, &withdrawal);
    let args = ["exit", "sign", "request.json", "--yes", "--beacon", "beacon.json"];
    place.by("bob", &args).failed(4, &["this key is validator 7"]);
    // An epoch that is not there yet has to be meant, by the one who asks and by the one who signs.
    fs::remove_file(place.path("request.json")).unwrap();
    let late = ["--public", "--epoch", "99999999"];
    place.request(&late).failed(2, &["epoch: 99999999 is in the future on hoodi"]);
    place.request(&[&late[..], &["--future-epoch"]].concat()).done();
    place.sign("bob", "exit").failed(2, &["is in the future"]);
    place.by("bob", &["exit", "sign", "request.json", "--yes", "--future-epoch"]).done();
}

#[test]
fn a_further_deposit_goes_where_the_first_one_went() {
    let place = Place::new("hoodi");
    place.allow();
    let ask = |amount: &str| place.deposit_request(amount);
    ask("32").failed(2, &["amount: the ceremony itself signed a deposit of 32 ETH"]);
    ask("0.5").failed(2, &["0.5 ETH is less than 1 ETH"]);
    ask("33").failed(2, &["33 ETH is more than 32 ETH"]);
    ask("a lot").failed(2, &["--amount: not an amount"]);
    ask("8").done();
    let genuine = fs::read(place.path("request.json")).unwrap();
    // Somebody else's address, without the signature that would betray it.
    let mut file: Value = serde_json::from_slice(&genuine).unwrap();
    file.as_object_mut().unwrap().remove("requested_by");
    file["deposit"]["withdrawal_credentials"] =
        json!(format!("0x01{}{}", "00".repeat(11), "ab".repeat(20)));
    fs::write(place.path("request.json"), serde_json::to_vec(&file).unwrap()).unwrap();
    place
        .sign("bob", "deposit")
        .failed(4, &["withdrawal_credentials: 0x01", "nothing is ever signed for others"]);
    fs::write(place.path("request.json"), &genuine).unwrap();
    for operator in ["bob", "carol", "dave"] {
        place.sign(operator, "deposit").done();
    }
    place
        .combine("alice", "deposit", &["bob", "carol"], "two.json")
        .failed(5, &["valid answers: 2 (of "]);
    let made = place
        .combine("alice", "deposit", &["bob", "carol", "dave"], "deposit-data-8eth.json")
        .done();
    assert_eq!(made.json()["amount"], 8_000_000_000_u64);
    let deposits = verify_deposits(
        &fs::read(place.path("deposit-data-8eth.json")).unwrap(),
        &Network::known("hoodi").unwrap(),
        None,
    );
    let message = deposits.unwrap()[0].message;
    let parent = place.parent();
    assert_eq!(message.pubkey, parent.validators()[0].public_key.to_compressed());
    assert_eq!(message.withdrawal_credentials, parent.ceremony().validators()[0].withdrawal);
    assert_eq!(message.amount, 8_000_000_000);
}
