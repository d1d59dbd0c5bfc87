//! Later registrations: what is asked, refused, signed and remembered, field by field.

use quorate::ethereum::address::{AddressError, ExecutionAddress};
use quorate::ethereum::destination::Trap;
use quorate::ethereum::network::Network;
use quorate::export::launchpad::{
    SignedRegistration, verify_registrations, write_charon_registrations, write_registrations,
};
use quorate::signing::beacon::{BeaconError, Records};
use quorate::signing::combine::combine;
use quorate::signing::ledger::{Admission, Entry, LedgerError, admit};
use quorate::signing::{
    Cleared, Delivery, Item, Items, ItemsError, Kind, Parent, Purpose, Request, RequestError, Terms,
};
use serde_json::{Value, json};

use super::{answer, changed, exit, key, node, operator, parent, seat};

const RECIPIENT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
/// 2026-11-29.
const DATE: u64 = 1_795_910_400;

fn terms(timestamp: u64) -> Terms {
    let fee_recipient = ExecutionAddress::parse_checksummed(RECIPIENT).unwrap();
    Terms { fee_recipient, gas_limit: 60_000_000, timestamp }
}

fn item(parent: &Parent, validator: usize, terms: Terms) -> Item {
    Item { public_key: key(parent, validator), purpose: Purpose::Registration(terms) }
}

fn request(parent: &Parent, validators: &[usize], terms: Terms) -> Request {
    let items = validators.iter().map(|validator| item(parent, *validator, terms)).collect();
    parent
        .request_all(Items::new(items).unwrap(), Delivery::Public)
        .signed_by(&operator(1), seat(1))
}

fn cleared(parent: &Parent, validators: &[usize], timestamp: u64) -> Cleared {
    parent.clear(request(parent, validators, terms(timestamp))).unwrap()
}

#[test]
fn canonical_bytes_of_one_registration_and_of_a_list() {
    let parent = parent();
    let name = parent.ceremony().network().name().to_owned();
    let length = u16::try_from(name.len()).unwrap().to_be_bytes();
    let bytes = |request: &Request, version, middle: &[u8]| {
        let head = [b"QREQ\0", &[version, 3][..]].concat();
        let digests = [&request.ceremony, &request.dkg, &request.outputs].map(|d| *d.as_bytes());
        [&head[..], &digests.concat(), &length, name.as_bytes(), middle, &[0]].concat()
    };
    let address = hex::decode(&RECIPIENT.to_lowercase()[2..]).unwrap();
    let common = [&address[..], &60_000_000u64.to_be_bytes(), &DATE.to_be_bytes()].concat();
    let one = request(&parent, &[1], terms(DATE));
    assert_eq!(one.canonical(), bytes(&one, 1, &[&key(&parent, 1)[..], &common].concat()));
    let list = request(&parent, &[0, 2], terms(DATE));
    let keys = [&2u32.to_be_bytes()[..], &key(&parent, 0), &key(&parent, 2)].concat();
    assert_eq!(list.canonical(), bytes(&list, 2, &[common, keys].concat()));
    for request in [one, list] {
        assert_eq!(request.items.kind(), Kind::Registration);
        assert_eq!(Request::from_json(&request.to_json()).unwrap(), request);
    }
}

/// The root is that of the builder specification, computed here on its own.
#[test]
fn what_is_signed_is_the_registration_of_the_builder_specification() {
    let parent = parent();
    let cleared = cleared(&parent, &[0, 1, 2], DATE);
    let partials = [2, 3, 4].map(|by| answer(&cleared, by, &[0, 1, 2]));
    let made = combine(&cleared, &parent, &partials).unwrap();
    let signed: Vec<SignedRegistration> = made
        .signatures
        .iter()
        .enumerate()
        .map(|(at, signature)| SignedRegistration {
            message: terms(DATE).registration(key(&parent, at)),
            signature: signature.unwrap(),
        })
        .collect();
    let network = parent.ceremony().network();
    let bytes = write_registrations(&signed);
    assert_eq!(verify_registrations(&bytes, network, None).unwrap(), signed);
    let text: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(text[0]["message"]["gas_limit"], "60000000");
    assert_eq!(text[0]["message"]["timestamp"], DATE.to_string());
    assert_eq!(text[0]["message"]["fee_recipient"], RECIPIENT.to_lowercase());
    // The same for Charon, each with a version.
    let charon: Value = serde_json::from_slice(&write_charon_registrations(&signed)).unwrap();
    let inner: Vec<&Value> = charon.as_array().unwrap().iter().map(|entry| &entry["v1"]).collect();
    assert_eq!(json!(inner), text);
    assert!(charon.as_array().unwrap().iter().all(|entry| entry["version"] == "v1"));
    // Domain: genesis fork version and a zero root, whatever the network's own is.
    let root = cleared.targets[0].signing_root;
    assert_eq!(root, terms(DATE).registration(key(&parent, 0)).signing_root(network));
    let elsewhere = Network::known("mainnet").unwrap();
    assert!(verify_registrations(&bytes, &elsewhere, None).is_err());
}

#[test]
fn a_file_is_read_strictly() {
    let parent = parent();
    let one = request(&parent, &[0], terms(DATE)).to_json();
    let refused = |bytes: &[u8]| Request::from_json(bytes).unwrap_err().to_string();
    let lower = json!(RECIPIENT.to_lowercase());
    for (pointer, value, reason) in [
        ("/version", json!(2), "exactly one of exits, deposits and registrations is required"),
        ("/registration", json!([RECIPIENT, 1, 1]), "not a request: "),
        ("/registration", Value::Null, "exactly one of exit, deposit and registration is required"),
        ("/registration/fee_recipient", lower.clone(), "registration.fee_recipient: "),
        ("/registration/fee_recipient", json!("0x00"), "registration.fee_recipient: "),
        ("/registration/fee_recipient", json!(7), "not a request: "),
        (
            "/registration/fee_recipient",
            json!(format!("0x{}", "0".repeat(40))),
            "registration.fee_recipient: ",
        ),
        ("/registration/gas_limit", json!("60000000"), "not a request: "),
        ("/registration/gas_limit", json!(-1), "not a request: "),
        ("/registration/timestamp", json!("1"), "not a request: "),
        ("/registration/timestamp", json!(1.5), "not a request: "),
        ("/public_key", json!("0x00"), "public_key: "),
        ("/public_key", Value::Null, "missing field `public_key`"),
    ] {
        let bytes = changed(&one, |file| *file.pointer_mut(pointer).unwrap() = value);
        let error = refused(&bytes);
        assert!(error.contains(reason), "{pointer}: {error}");
    }
    for field in ["fee_recipient", "gas_limit", "timestamp"] {
        let bytes = changed(&one, |file| {
            file["registration"].as_object_mut().unwrap().remove(field).unwrap();
        });
        assert!(refused(&bytes).contains(&format!("missing field `{field}`")));
    }
    let more = changed(&one, |file| file["registration"]["epoch"] = json!(1));
    assert!(refused(&more).contains("unknown field `epoch`"));
    let two = changed(&one, |file| file["exit"] = json!({ "validator_index": 1, "epoch": 1 }));
    assert_eq!(refused(&two), "exactly one of exit, deposit and registration is required");
    // Of a list.
    let list = request(&parent, &[0, 1], terms(DATE)).to_json();
    for (pointer, value, reason) in [
        ("/version", json!(1), "exactly one of exit, deposit and registration is required"),
        ("/registrations/fee_recipient", lower, "registration.fee_recipient: "),
        ("/registrations/gas_limit", json!([]), "not a request: "),
        ("/registrations/validators", json!([]), "validators: no validator"),
        ("/registrations/validators/1", json!(["0x00"]), "not a request: "),
        ("/registrations/validators/1", json!({}), "missing field `public_key`"),
        ("/registrations/validators/1/public_key", json!("0x00"), "validators.public_key: "),
    ] {
        let bytes = changed(&list, |file| *file.pointer_mut(pointer).unwrap() = value);
        let error = refused(&bytes);
        assert!(error.contains(reason), "{pointer}: {error}");
    }
    let twice = changed(&list, |file| {
        let validators = &mut file["registrations"]["validators"];
        validators[1] = validators[0].clone();
    });
    assert!(refused(&twice).contains("is there twice"));
    let both = changed(&list, |file| {
        file["exits"] = json!({ "epoch": 1, "validators": [] });
    });
    assert!(refused(&both).contains("exactly one of exits, deposits and registrations"));
}

#[test]
fn a_list_has_one_registration_for_all() {
    let parent = parent();
    let gas = Terms { gas_limit: 1, ..terms(DATE) };
    let to = ExecutionAddress::parse_checksummed("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359");
    let to = Terms { fee_recipient: to.unwrap(), ..terms(DATE) };
    for other in [
        item(&parent, 1, gas),
        item(&parent, 1, to),
        item(&parent, 1, terms(DATE + 1)),
        exit(&parent, 1),
    ] {
        let items = Items::new(vec![item(&parent, 0, terms(DATE)), other]);
        assert_eq!(items, Err(ItemsError::Mixed));
    }
}

#[test]
fn what_a_ceremony_does_not_allow() {
    let parent = parent();
    let genesis = parent.ceremony().network().genesis_time().unwrap();
    let refused = |terms: Terms| {
        let error = parent.clear(request(&parent, &[0, 1], terms)).unwrap_err();
        (error.field(), error)
    };
    for gas_limit in [0, 4_999, 1_000_000_001, u64::MAX] {
        let error = refused(Terms { gas_limit, ..terms(DATE) });
        assert_eq!(error, ("gas_limit", RequestError::GasLimit(gas_limit)));
    }
    for gas_limit in [5_000, 1_000_000_000] {
        let terms = Terms { gas_limit, ..terms(DATE) };
        assert!(parent.clear(request(&parent, &[0], terms)).is_ok());
    }
    for found in [0, genesis - 1, genesis] {
        let error = refused(terms(found));
        assert_eq!(error, ("timestamp", RequestError::NotNewer { found, genesis }));
    }
    assert!(parent.clear(request(&parent, &[0], terms(genesis + 1))).is_ok());
    let trap = ExecutionAddress::parse_any("0x00000000219ab540356cbb839cbe05303d7705fa").unwrap();
    let error = refused(Terms { fee_recipient: trap, ..terms(DATE) });
    let trap = AddressError::Trap(Trap::DepositContract(trap));
    assert_eq!(error, ("fee_recipient", RequestError::FeeRecipient(trap)));
    // The word of whoever asks is over every part of it.
    let genuine = request(&parent, &[0, 1], terms(DATE));
    for other in [
        Terms { gas_limit: 30_000_000, ..terms(DATE) },
        terms(DATE + 1),
        Terms { fee_recipient: ExecutionAddress::from_bytes([9; 20]).unwrap(), ..terms(DATE) },
    ] {
        let altered = Request { requester: genuine.requester, ..request(&parent, &[0, 1], other) };
        assert_eq!(parent.clear(altered).unwrap_err(), RequestError::Requester(1));
    }
    let stranger = Item { public_key: [1; 48], ..item(&parent, 0, terms(DATE)) };
    let stranger = Items::new(vec![stranger]).unwrap();
    let error = parent.clear(parent.request_all(stranger, Delivery::Public)).unwrap_err();
    assert_eq!(error, RequestError::PublicKey(hex::encode([1; 48])));
}

/// Sepolia's Gloas is decided: from then on nobody takes a registration.
#[test]
fn registrations_end_with_gloas() {
    let sepolia = Network::known("sepolia").unwrap();
    let (since, begin) = (sepolia.gloas_epoch().unwrap(), 1_791_294_816);
    let on = |name: &str, timestamp| terms(timestamp).check(&Network::known(name).unwrap());
    assert_eq!(on("sepolia", begin - 1), Ok(()));
    for timestamp in [begin, DATE] {
        let network = "sepolia".to_owned();
        assert_eq!(
            on("sepolia", timestamp),
            Err(RequestError::Gloas { timestamp, network, since })
        );
        assert_eq!(on("hoodi", timestamp), Ok(()));
    }
}

#[test]
fn an_older_one_is_never_signed_after_a_newer_one() {
    let parent = parent();
    let cleared = |validators: &[usize], date| cleared(&parent, validators, date);
    let entry = |cleared: &Cleared, positions: &[usize]| {
        Entry::of(cleared, positions).encode().expose().to_vec()
    };
    let (first, both) = (cleared(&[0], DATE), cleared(&[0, 1], DATE));
    let log = [entry(&both, &[0])];
    let admitted = |cleared: &Cleared, positions: &[usize]| {
        admit(log.iter().map(Vec::as_slice), cleared, positions)
    };
    let new = || Ok(Admission::New { other_exits: Default::default(), exited: Default::default() });
    assert_eq!(admitted(&both, &[0]), Ok(Admission::Again));
    assert_eq!(admitted(&both, &[0, 1]), new());
    // The same registration by another request is no other registration.
    assert_eq!(admitted(&first, &[0]), new());
    assert_eq!(admitted(&cleared(&[0, 1], DATE + 1), &[0, 1]), new());
    let older = |asked| {
        let public_key = hex::encode(key(&parent, 0));
        Err(LedgerError::NotNewer { public_key, signed: DATE, asked })
    };
    assert_eq!(admitted(&cleared(&[0, 1], DATE - 1), &[0, 1]), older(DATE - 1));
    // Of the second alone there was none.
    assert_eq!(admitted(&cleared(&[0, 1], DATE - 1), &[1]), new());
    let other = Terms { gas_limit: 30_000_000, ..terms(DATE) };
    let same_date = parent.clear(request(&parent, &[0], other)).unwrap();
    assert_eq!(admitted(&same_date, &[0]), older(DATE));
    // One that was signed before a newer one was.
    let log = [entry(&first, &[0]), entry(&cleared(&[0], DATE + 5), &[0])];
    let again = admit(log.iter().map(Vec::as_slice), &first, &[0]);
    let public_key = hex::encode(key(&parent, 0));
    assert_eq!(again, Err(LedgerError::NotNewer { public_key, signed: DATE + 5, asked: DATE }));
    // An exit or a deposit says nothing about registrations, nor the other way round.
    let exits = parent.request_all(Items::new(vec![exit(&parent, 0)]).unwrap(), Delivery::Public);
    let exits = parent.clear(exits).unwrap();
    assert_eq!(admit(log.iter().map(Vec::as_slice), &exits, &[0]), new());
    let log = [entry(&exits, &[0])];
    assert_eq!(admit(log.iter().map(Vec::as_slice), &first, &[0]), new());
    // An entry is read as it was written.
    for bytes in [entry(&first, &[0]), entry(&both, &[0, 1])] {
        assert_eq!(Entry::decode(&bytes).unwrap().encode().expose(), &bytes[..]);
    }
    let mut bytes = entry(&first, &[0]);
    assert_eq!(bytes[0], 3);
    bytes[1 + 32 + 48] = 1;
    assert!(Entry::decode(&bytes).is_err(), "no date is that late");
    bytes[0] = 4;
    assert!(Entry::decode(&bytes).is_err());
}

#[test]
fn a_node_says_who_still_proposes_blocks() {
    let parent = parent();
    let withdrawal = parent.ceremony().validators()[1].withdrawal;
    let check = |status: &str| {
        let bytes = node(&parent, |list| {
            list[1]["status"] = json!(status);
            list[1]["index"] = json!("7");
        });
        let records = Records::from_json(&bytes).unwrap();
        records.check(&item(&parent, 1, terms(DATE)), withdrawal.as_bytes(), Some(1))
    };
    for status in ["active_ongoing", "active_exiting", "active_slashed", "pending_queued"] {
        assert_eq!(check(status), Ok(()), "{status}");
    }
    for status in ["exited_unslashed", "exited_slashed", "withdrawal_done", "asleep"] {
        let error = check(status).unwrap_err();
        assert_eq!(error, BeaconError::Gone(status.to_owned()));
        assert!(error.leaves_out());
    }
    let elsewhere = json!(format!("0x01{}", "00".repeat(31)));
    let bytes = node(&parent, |list| list[1]["validator"]["withdrawal_credentials"] = elsewhere);
    let records = Records::from_json(&bytes).unwrap();
    let error = records.check(&item(&parent, 1, terms(DATE)), withdrawal.as_bytes(), None);
    assert!(matches!(error, Err(BeaconError::Credentials { .. })), "{error:?}");
}
