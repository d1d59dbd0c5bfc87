//! Requests for many validators at once: what is asked, answered, combined and remembered, field by
//! field.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "signing/newest.rs"]
mod newest;
#[path = "signing/registrations.rs"]
mod registrations;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use common::{Machine, TWO_VALIDATORS, honest, machines, run};
use quorate::ethereum::exit::VoluntaryExit;
use quorate::export::exits::{SignedExit, charon_exit_file, verify_exit, write_exit};
use quorate::identity::Operator;
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::secret::Secret32;
use quorate::signing::beacon::{BeaconError, Records};
use quorate::signing::combine::{CombineError, combine, counts};
use quorate::signing::ledger::{Admission, Entry, LedgerError, admit};
use quorate::signing::partial::{Partial, PartialError, PartialFile};
use quorate::signing::{
    Cleared, Delivery, Item, Items, ItemsError, Parent, Purpose, Request, RequestError,
};
use quorate::spec::Index;
use serde_json::{Value, json};

/// A finished ceremony, 3 of 4, with three validators.
static CEREMONY: LazyLock<Vec<Machine>> = LazyLock::new(|| {
    let third = "[[validators]]\nwithdrawal = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n\
                 compounding = true\n";
    let mut all = machines(4, 3, &format!("{TWO_VALIDATORS}{third}"));
    run(&mut all, &mut honest);
    all
});

fn seat(index: u16) -> Index {
    Index::new(index).unwrap()
}

fn operator(index: u16) -> Arc<Operator> {
    CEREMONY[usize::from(index) - 1].seat.operator.clone()
}

fn parent() -> Parent {
    Parent::finished(CEREMONY[0].participant()).unwrap()
}

fn key(parent: &Parent, validator: usize) -> [u8; 48] {
    parent.validators()[validator].public_key.to_compressed()
}

fn exit(parent: &Parent, validator: usize) -> Item {
    let validator_index = 100 + validator as u64;
    let purpose = Purpose::Exit(VoluntaryExit { epoch: 3, validator_index });
    Item { public_key: key(parent, validator), purpose }
}

fn top_up(parent: &Parent, validator: usize, amount: u64) -> Item {
    let withdrawal_credentials = parent.ceremony().validators()[validator].withdrawal;
    let purpose = Purpose::Deposit { withdrawal_credentials, amount };
    Item { public_key: key(parent, validator), purpose }
}

/// A request of the first operator's for these exits.
fn request(parent: &Parent, validators: &[usize], delivery: Delivery) -> Request {
    let items = validators.iter().map(|validator| exit(parent, *validator)).collect();
    parent.request_all(Items::new(items).unwrap(), delivery).signed_by(&operator(1), seat(1))
}

fn cleared(parent: &Parent, validators: &[usize], delivery: Delivery) -> Cleared {
    parent.clear(request(parent, validators, delivery)).unwrap()
}

/// The answer of `by` for the validators at these positions.
fn answer(cleared: &Cleared, by: u16, positions: &[usize]) -> Partial {
    let shares = CEREMONY[usize::from(by) - 1].participant().shares().unwrap();
    let mut signing = vec![None; cleared.targets.len()];
    positions.iter().for_each(|at| signing[*at] = Some(&shares[cleared.targets[*at].validator]));
    Partial::sign(cleared, &operator(by), seat(by), &signing).unwrap()
}

fn file(cleared: &Cleared, partial: &Partial) -> Vec<u8> {
    let by = partial.operator.get();
    let ephemeral = Secret32::new(&mut [u8::try_from(by).unwrap(); 32]);
    partial.to_json(cleared, &operator(by), ephemeral)
}

fn changed(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(bytes).unwrap();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

#[test]
fn a_list_is_of_one_kind_and_has_everything_once() {
    let parent = parent();
    let (first, second) = (exit(&parent, 0), exit(&parent, 1));
    let with = |item: Item, epoch, validator_index| Item {
        purpose: Purpose::Exit(VoluntaryExit { epoch, validator_index }),
        ..item
    };
    for (items, error) in [
        (vec![], ItemsError::Empty),
        (vec![first; 8193], ItemsError::TooMany),
        (vec![first, top_up(&parent, 1, 1)], ItemsError::Mixed),
        (vec![first, with(second, 4, 101)], ItemsError::Mixed),
        (vec![top_up(&parent, 0, 1), top_up(&parent, 1, 2)], ItemsError::Mixed),
        (vec![first, with(first, 3, 101)], ItemsError::KeyTwice(hex::encode(key(&parent, 0)))),
        (vec![first, with(second, 3, 100)], ItemsError::IndexTwice(100)),
    ] {
        assert_eq!(Items::new(items), Err(error));
    }
    assert_eq!(Items::new(vec![first, second]).unwrap().len(), 2);
}

#[test]
fn canonical_bytes_of_a_list_and_of_one() {
    let parent = parent();
    let request = request(&parent, &[0, 2], Delivery::Public);
    let bytes = request.canonical();
    let network = parent.ceremony().network().name();
    let expected = [
        b"QREQ\0\x02\x01",
        &request.ceremony.as_bytes()[..],
        request.dkg.as_bytes(),
        request.outputs.as_bytes(),
        &u16::try_from(network.len()).unwrap().to_be_bytes(),
        network.as_bytes(),
        &3u64.to_be_bytes(),
        &2u32.to_be_bytes(),
        &key(&parent, 0),
        &100u64.to_be_bytes(),
        &key(&parent, 2),
        &102u64.to_be_bytes(),
        &[0],
    ];
    assert_eq!(bytes, expected.concat());
    // One validator alone is version 1, whatever made the list.
    let one = parent.request_all(Items::new(vec![exit(&parent, 1)]).unwrap(), Delivery::Public);
    assert_eq!(&one.canonical()[..7], b"QREQ\0\x01\x01");
    let purpose = exit(&parent, 1).purpose;
    assert_eq!(one.id(), parent.request(key(&parent, 1), purpose, Delivery::Public).id());
    for request in [one, request] {
        assert_eq!(Request::from_json(&request.to_json()).unwrap(), request);
    }
}

#[test]
fn a_file_of_a_list_is_read_strictly() {
    let parent = parent();
    let genuine = request(&parent, &[0, 1], Delivery::Public).to_json();
    let at = "/exits/validators";
    for (pointer, value, reason) in [
        ("/version", json!(1), "exactly one of exit, deposit and registration is required"),
        ("/version", json!(3), "key_shares alone is required"),
        ("/version", json!(4), "cluster_lock alone is required"),
        ("/version", json!(5), "version: 5 instead of 1, 2, 3 or 4"),
        ("/exits", json!([3, []]), "not a request: "),
        ("/exits", Value::Null, "exactly one of exits, deposits and registrations"),
        ("/exits/epoch", json!("3"), "not a request: "),
        (at, json!([]), "validators: no validator"),
        (at, json!([["0x00", 1]]), "not a request: "),
        ("/exits/validators/1", json!({ "public_key": "0x00" }), "missing field"),
        ("/exits/validators/1/validator_index", json!(100), "have the validator index 100"),
        ("/exits/validators/1/validator_index", json!(-1), "not a request: "),
        ("/exits/validators/1/public_key", json!("0x00"), "validators.public_key: "),
        ("/exits/validators/1/more", json!(1), "unknown field"),
    ] {
        let bytes = changed(&genuine, |file| match file.pointer_mut(pointer) {
            Some(at) => *at = value,
            None => file["exits"]["validators"][1]["more"] = value,
        });
        let error = Request::from_json(&bytes).unwrap_err().to_string();
        assert!(error.contains(reason), "{pointer}: {error}");
    }
    let with = |name: &str, value: Value| changed(&genuine, |file| file[name] = value);
    for (name, value) in [
        ("public_key", json!(format!("0x{}", "00".repeat(48)))),
        ("exit", json!({ "validator_index": 1, "epoch": 3 })),
        ("deposits", json!({ "amount": 1, "validators": [] })),
    ] {
        let error = Request::from_json(&with(name, value)).unwrap_err().to_string();
        assert!(
            error.contains("exactly one of exits, deposits and registrations"),
            "{name}: {error}"
        );
    }
    let single = changed(&genuine, |file| {
        file["exits"]["validators"].as_array_mut().unwrap().truncate(1);
    });
    let error = Request::from_json(&single).unwrap_err().to_string();
    assert_eq!(error, "validators: one alone; a request for one validator is of version 1");
    let long = [&genuine[..], &vec![b' '; 4 << 20]].concat();
    assert!(Request::from_json(&long).unwrap_err().to_string().contains("the limit"));
}

#[test]
fn every_validator_of_a_list_is_compared_with_the_ceremony() {
    let parent = parent();
    let refused = |items: Vec<Item>| {
        parent.clear(parent.request_all(Items::new(items).unwrap(), Delivery::Public)).unwrap_err()
    };
    let order = refused(vec![exit(&parent, 1), exit(&parent, 0)]);
    assert_eq!(order, RequestError::Order(hex::encode(key(&parent, 0))));
    let unknown = Item { public_key: [1; 48], ..exit(&parent, 1) };
    let unknown = refused(vec![exit(&parent, 0), unknown]);
    assert_eq!(unknown, RequestError::PublicKey(hex::encode([1; 48])));
    // The second of a list of deposits: to others, an amount that was signed, an amount too large.
    let gwei = 1_000_000_000;
    let Purpose::Deposit { withdrawal_credentials, .. } = top_up(&parent, 0, gwei).purpose else {
        panic!("a deposit")
    };
    let stolen = Purpose::Deposit { withdrawal_credentials, amount: 5 * gwei };
    let stolen = Item { purpose: stolen, ..top_up(&parent, 1, 5 * gwei) };
    let refused_field =
        |second: Item, amount| refused(vec![top_up(&parent, 0, amount), second]).field().to_owned();
    assert_eq!(refused_field(stolen, 5 * gwei), "withdrawal_credentials");
    let signed = refused(vec![top_up(&parent, 0, gwei), top_up(&parent, 1, gwei)]);
    assert!(matches!(signed, RequestError::AmountSigned(_)), "{signed}");
    assert_eq!(refused_field(top_up(&parent, 1, 33 * gwei), 33 * gwei), "amount");
    // The word of the one who asks is over every validator.
    let genuine = request(&parent, &[0, 1], Delivery::Public);
    for items in [vec![exit(&parent, 0), exit(&parent, 2)], vec![exit(&parent, 0)]] {
        let altered = Request { items: Items::new(items).unwrap(), ..genuine.clone() };
        assert_eq!(parent.clear(altered).unwrap_err(), RequestError::Requester(1));
    }
}

#[test]
fn answers_that_leave_some_out_combine_for_those_that_have_enough() {
    let parent = parent();
    let cleared = cleared(&parent, &[0, 1, 2], Delivery::Public);
    let all = [0, 1, 2];
    // The first validator has all four, the second three, the third two.
    let answers: Vec<Partial> = [(1, &all[..]), (2, &all[..2]), (3, &all[..1]), (4, &all)]
        .into_iter()
        .map(|(by, positions)| answer(&cleared, by, positions))
        .collect();
    let open = |partial: &Partial| {
        PartialFile::from_json(&file(&cleared, partial)).unwrap().open(&cleared, &parent, None)
    };
    let opened: Vec<Partial> = answers.iter().map(|partial| open(partial).unwrap()).collect();
    assert_eq!(opened, answers);
    assert_eq!(counts(&cleared, opened.iter()), [4, 3, 2]);
    let made = combine(&cleared, &parent, &opened).unwrap();
    assert_eq!(made.signers, [seat(1), seat(2), seat(3), seat(4)]);
    assert_eq!(made.signatures[2], None);
    for (position, signature) in made.signatures[..2].iter().enumerate() {
        let Purpose::Exit(message) = cleared.request.items[position].purpose else { panic!() };
        let exit = SignedExit { message, signature: signature.unwrap() };
        let key = &parent.validators()[position].public_key;
        verify_exit(&write_exit(&exit), parent.ceremony().network(), key).unwrap();
        let charon = charon_exit_file(&exit, &key.to_compressed());
        assert_eq!(charon.name, format!("exit-0x{}.json", hex::encode(key.to_compressed())));
    }
    // The same signature, whoever made it, and as by a request for this validator alone.
    let others = [answer(&cleared, 2, &[0]), answer(&cleared, 3, &[0]), answer(&cleared, 4, &[0])];
    let again = combine(&cleared, &parent, &others).unwrap();
    assert_eq!(again.signatures, [made.signatures[0], None, None]);
    let two = combine(&cleared, &parent, &others[..2]);
    assert_eq!(two, Err(CombineError::TooFew { found: 2, needed: 3 }));
}

#[test]
fn answers_to_a_list_that_do_not_hold() {
    let parent = parent();
    let cleared = cleared(&parent, &[0, 1], Delivery::Public);
    let good = file(&cleared, &answer(&cleared, 2, &[0, 1]));
    let open = |bytes: &[u8]| PartialFile::from_json(bytes)?.open(&cleared, &parent, None);
    assert!(open(&good).is_ok());
    let change = |change: &dyn Fn(&mut Value)| open(&changed(&good, |file| change(file)));
    let signature = Err(PartialError::Signature(2));
    // One of the partial signatures taken away, in the place of the other, or added.
    assert_eq!(change(&|file| file["partials"][1] = Value::Null), signature);
    assert_eq!(change(&|file| file["partials"][0] = file["partials"][1].clone()), signature);
    let more = change(&|file| {
        let first = file["partials"][0].clone();
        file["partials"].as_array_mut().unwrap().push(first);
    });
    assert_eq!(more, Err(PartialError::Count { expected: 2, found: 3 }));
    for (pointer, value) in [
        ("/partials", json!([format!("0x{}", "11".repeat(96))])),
        ("/partials", json!("0x00")),
        ("/partials/1", json!(7)),
        ("/partials/1", json!(format!("0x{}", "11".repeat(95)))),
        ("/version", json!(1)),
        ("/version", json!(4)),
    ] {
        let changed = changed(&good, |file| *file.pointer_mut(pointer).unwrap() = value);
        assert!(PartialFile::from_json(&changed).is_err(), "{pointer}");
    }
    let for_key_shares = change(&|file| file["version"] = json!(3));
    assert_eq!(for_key_shares, Err(PartialError::Version));
    // Signed by its operator: one that its share does not give, and nothing at all.
    let wrong = SecretScalar::from_be_bytes(&[1; 32]).unwrap();
    let shares = CEREMONY[1].participant().shares().unwrap();
    let bad = [Some(&shares[0]), Some(&wrong)];
    let bad = Partial::sign(&cleared, &operator(2), seat(2), &bad).unwrap();
    assert!(!bad.verifies(&cleared, &parent));
    assert_eq!(open(&file(&cleared, &bad)), Err(PartialError::Wrong(2)));
    let swapped = [Some(&shares[1]), Some(&shares[0])];
    let swapped = Partial::sign(&cleared, &operator(2), seat(2), &swapped).unwrap();
    assert_eq!(open(&file(&cleared, &swapped)), Err(PartialError::Wrong(2)));
    assert!(Partial::sign(&cleared, &operator(2), seat(2), &[None, None]).is_none());
    assert!(Partial::sign(&cleared, &operator(2), seat(2), &[Some(&shares[0])]).is_none());
}

#[test]
fn sealed_answers_to_a_list_of_any_length() {
    let parent = parent();
    let custodian = Delivery::Custodian(Box::new(operator(3).card()));
    let cleared = cleared(&parent, &[0, 1, 2], custodian);
    let partial = answer(&cleared, 2, &[0, 2]);
    let bytes = file(&cleared, &partial);
    let secret = operator(3);
    let opened = PartialFile::from_json(&bytes).unwrap();
    assert_eq!(opened.open(&cleared, &parent, Some(secret.noise())), Ok(partial));
    let dave = operator(4);
    let sealed = Err(PartialError::Sealed);
    assert_eq!(opened.open(&cleared, &parent, Some(dave.noise())), sealed);
    // Its length does not say how many are left out.
    let all = file(&cleared, &answer(&cleared, 2, &[0, 1, 2]));
    assert_eq!(bytes.len(), all.len());
    let cut = changed(&bytes, |file| {
        let text = file["sealed"].as_str().unwrap();
        file["sealed"] = json!(text[..text.len() - 192]);
    });
    let cut = PartialFile::from_json(&cut).unwrap();
    assert_eq!(cut.open(&cleared, &parent, Some(secret.noise())), sealed);
}

#[test]
fn what_was_signed_of_a_list_is_remembered() {
    let parent = parent();
    let cleared = cleared(&parent, &[0, 1], Delivery::Public);
    let entry = |positions: &[usize]| Entry::of(&cleared, positions).encode().expose().to_vec();
    let log = [entry(&[0])];
    let admitted = |log: &[Vec<u8>], cleared: &Cleared, positions: &[usize]| {
        admit(log.iter().map(Vec::as_slice), cleared, positions).unwrap()
    };
    let new = |others: &[(usize, usize)]| Admission::New {
        other_exits: others.iter().copied().collect::<BTreeMap<_, _>>(),
        exited: BTreeSet::new(),
    };
    assert_eq!(admitted(&log, &cleared, &[0]), Admission::Again);
    assert_eq!(admitted(&log, &cleared, &[0, 1]), new(&[]), "the second was not signed");
    // A deposit to a validator of which an exit was signed is told.
    let items = [0, 1].map(|validator| top_up(&parent, validator, 8_000_000_000)).to_vec();
    let deposits = parent.request_all(Items::new(items).unwrap(), Delivery::Public);
    let deposits = parent.clear(deposits.signed_by(&operator(1), seat(1))).unwrap();
    let left = |exited: &[usize]| Admission::New {
        other_exits: BTreeMap::new(),
        exited: exited.iter().copied().collect(),
    };
    assert_eq!(admitted(&log, &deposits, &[0, 1]), left(&[0]));
    assert_eq!(admitted(&log, &deposits, &[1]), left(&[]));
    let log = [entry(&[0]), entry(&[1])];
    assert_eq!(admitted(&log, &cleared, &[0, 1]), Admission::Again);
    // Another list with the second validator: its exit is the same one, but the answer is not.
    let other = self::cleared(&parent, &[1, 2], Delivery::Public);
    assert_eq!(admitted(&log, &other, &[0, 1]), new(&[]));
    // Another index for the second.
    let item = Item {
        purpose: Purpose::Exit(VoluntaryExit { epoch: 3, validator_index: 7 }),
        ..exit(&parent, 1)
    };
    let items = Items::new(vec![item, exit(&parent, 2)]).unwrap();
    let corrected = parent.clear(parent.request_all(items, Delivery::Public)).unwrap();
    assert_eq!(admitted(&log, &corrected, &[0, 1]), new(&[(0, 1)]));
    // An entry is read as it was written, and nothing else is.
    for bytes in &log {
        assert_eq!(Entry::decode(bytes).unwrap().encode().expose(), &bytes[..]);
        assert!(Entry::decode(&bytes[..40]).is_err());
    }
    for (at, value) in [(0, 134), (0, 128), (1, 1), (4, 0)] {
        let mut bytes = log[0].clone();
        bytes[at] = value;
        assert!(Entry::decode(&bytes).is_err(), "{at}");
    }
}

#[test]
fn a_list_of_deposits_has_no_second_destination() {
    let parent = parent();
    let gwei = 1_000_000_000;
    let items = vec![top_up(&parent, 0, 5 * gwei), top_up(&parent, 1, 5 * gwei)];
    let request = parent.request_all(Items::new(items).unwrap(), Delivery::Public);
    let cleared = parent.clear(request).unwrap();
    let mut bytes = Entry::of(&cleared, &[0, 1]).encode().expose().to_vec();
    let log = |bytes: &[u8]| admit([bytes].into_iter(), &cleared, &[1]);
    assert_eq!(log(&bytes), Ok(Admission::Again));
    // The credentials of the second: behind the kind, the count, the first, a root and a key.
    bytes[1 + 4 + 112 + 80] ^= 1;
    assert_eq!(log(&bytes), Err(LedgerError::SecondDestination));
}

/// A node's list with one entry for each validator, which `change` can alter.
fn node(parent: &Parent, change: impl FnOnce(&mut Vec<Value>)) -> Vec<u8> {
    let entry = |(at, validator): (usize, &quorate::protocol::outcome::ValidatorOutcome)| {
        let withdrawal = parent.ceremony().validators()[at].withdrawal;
        json!({ "index": (100 + at).to_string(), "status": "active_ongoing", "balance": "1",
            "validator": {
                "pubkey": format!("0x{}", hex::encode(validator.public_key.to_compressed())),
                "withdrawal_credentials": withdrawal.to_string(), "slashed": false,
                "activation_epoch": "0", "exit_epoch": u64::MAX.to_string(),
            },
        })
    };
    let mut entries = parent.validators().iter().enumerate().map(entry).collect();
    change(&mut entries);
    json!({ "execution_optimistic": false, "data": entries }).to_string().into_bytes()
}

#[test]
fn a_nodes_list_is_compared_with_every_validator() {
    let parent = parent();
    let check = |bytes: &[u8], validator: usize| {
        let expected = parent.ceremony().validators()[validator].withdrawal;
        let records = Records::from_json(bytes).unwrap();
        records.check(&exit(&parent, validator), expected.as_bytes(), Some(1000))
    };
    assert!((0..3).all(|validator| check(&node(&parent, |_| {}), validator).is_ok()));
    let with = |pointer: &str, value: Value| {
        node(&parent, |list| *list[1].pointer_mut(pointer).unwrap() = value)
    };
    let missing = node(&parent, |list| drop(list.remove(1)));
    assert_eq!(check(&missing, 1), Err(BeaconError::Missing));
    let index = check(&with("/index", json!("7")), 1);
    assert_eq!(index, Err(BeaconError::Index { found: 7, asked: 101 }));
    let elsewhere = json!(format!("0x01{}", "00".repeat(31)));
    let credentials = check(&with("/validator/withdrawal_credentials", elsewhere), 1);
    assert!(matches!(credentials, Err(BeaconError::Credentials { .. })), "{credentials:?}");
    for (pointer, value, left_out) in [
        ("/status", json!("pending_queued"), true),
        ("/status", json!("active_exiting"), true),
        ("/status", json!("exited_slashed"), true),
        ("/status", json!("asleep"), true),
        ("/validator/activation_epoch", json!("900"), true),
        ("/index", json!("7"), false),
    ] {
        let bytes = with(pointer, value);
        assert_eq!(check(&bytes, 1).unwrap_err().leaves_out(), left_out, "{pointer}");
        assert_eq!(check(&bytes, 0), Ok(()), "the others are as before");
    }
    // What no node says.
    let refused = |bytes: &[u8]| Records::from_json(bytes).unwrap_err();
    assert_eq!(refused(&with("/index", json!("100"))), BeaconError::IndexTwice(100));
    assert_eq!(refused(&with("/index", json!("07"))), BeaconError::Decimal);
    let first = json!(format!("0x{}", hex::encode(key(&parent, 0))));
    let twice = refused(&with("/validator/pubkey", first));
    assert_eq!(twice, BeaconError::KeyTwice(hex::encode(key(&parent, 0))));
    for data in [json!(7), json!([7]), json!([[]]), json!([{ "index": "7" }])] {
        let bytes = json!({ "data": data }).to_string();
        assert!(matches!(refused(bytes.as_bytes()), BeaconError::Json(_)), "{bytes}");
    }
}

/// A thousand exits by one request, from the ceremony's shares to files: what it takes. Run it with
/// `cargo test -p quorate --test signing -- --ignored --nocapture`.
#[test]
#[ignore = "a minute"]
fn a_thousand_exits_by_one_request() {
    const COUNT: usize = 1000;
    let validators = format!(
        "[[validators]]\nwithdrawal = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n\
         compounding = false\ncount = {COUNT}\n"
    );
    let mut all = machines(4, 3, &validators);
    run(&mut all, &mut honest);
    let parent = Parent::finished(all[0].participant()).unwrap();
    let (begun, before) = (Instant::now(), peak());
    let items: Vec<Item> = (0..COUNT).map(|validator| exit(&parent, validator)).collect();
    let custodian = Delivery::Custodian(Box::new(all[2].seat.operator.card()));
    let request = parent.request_all(Items::new(items).unwrap(), custodian).to_json();
    let mut took = vec![("request", begun.elapsed())];
    let answers = (0..3).map(|at| {
        let machine = &all[at];
        let parent = Parent::finished(machine.participant()).unwrap();
        let cleared = parent.clear(Request::from_json(&request).unwrap()).unwrap();
        let shares: Vec<_> = machine.participant().shares().unwrap().iter().map(Some).collect();
        let index = seat(u16::try_from(at).unwrap() + 1);
        let partial = Partial::sign(&cleared, &machine.seat.operator, index, &shares).unwrap();
        assert!(partial.verifies(&cleared, &parent));
        let ephemeral = Secret32::new(&mut [u8::try_from(at).unwrap(); 32]);
        partial.to_json(&cleared, &machine.seat.operator, ephemeral)
    });
    let answers: Vec<Vec<u8>> = answers.collect();
    took.push(("three answers", begun.elapsed()));
    let cleared = parent.clear(Request::from_json(&request).unwrap()).unwrap();
    let open = |bytes: &Vec<u8>| {
        let file = PartialFile::from_json(bytes).unwrap();
        file.open(&cleared, &parent, Some(all[2].seat.operator.noise())).unwrap()
    };
    let opened: Vec<Partial> = answers.iter().map(open).collect();
    let made = combine(&cleared, &parent, &opened).unwrap();
    took.push(("combined", begun.elapsed()));
    for (position, signature) in made.signatures.iter().enumerate() {
        let Purpose::Exit(message) = cleared.request.items[position].purpose else { panic!() };
        let exit = SignedExit { message, signature: signature.unwrap() };
        let key = &parent.validators()[position].public_key;
        verify_exit(&write_exit(&exit), parent.ceremony().network(), key).unwrap();
    }
    took.push(("verified one by one", begun.elapsed()));
    let sizes = (request.len(), answers[0].len());
    println!("{took:?}; bytes of request and answer: {sizes:?}; peak {before} -> {} KiB", peak());
    // Three that a node names wrongly are found, and no other.
    let bytes = node(&parent, |list| {
        for (at, pointer, value) in [
            (7, "/index", json!("99999")),
            (500, "/validator/withdrawal_credentials", json!(format!("0x{}", "00".repeat(32)))),
            (999, "/validator/pubkey", json!(format!("0x{}", "11".repeat(48)))),
        ] {
            *list[at].pointer_mut(pointer).unwrap() = value;
        }
    });
    let records = Records::from_json(&bytes).unwrap();
    let wrong = (0..COUNT).filter(|validator| {
        let expected = parent.ceremony().validators()[*validator].withdrawal;
        records.check(&cleared.request.items[*validator], expected.as_bytes(), None).is_err()
    });
    assert_eq!(wrong.collect::<Vec<_>>(), [7, 500, 999]);
}

/// The most memory that this process has had, in KiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
