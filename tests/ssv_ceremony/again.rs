//! Key shares of a finished ceremony, made again: for another owner, another nonce, other RSA keys.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::ethereum::address::{AddressError, ExecutionAddress};
use quorate::ethereum::destination::Trap;
use quorate::ethereum::ssv::{OwnerNonce, RsaPublic};
use quorate::export::ssv::{parse_keyshares, stamp, write_keyshares, write_proofs};
use quorate::message::body::EncryptedShare;
use quorate::primitives::curve::SecretScalar;
use quorate::primitives::hash::Tag;
use quorate::primitives::secret::Secret32;
use quorate::signing::combine::{CombineError, Combined, combine};
use quorate::signing::key_shares::{KeySharesError, registrations, verify};
use quorate::signing::ledger::{Admission, Entry, LedgerError, admit, nonces};
use quorate::signing::live::{Action, Ending, Event, Live};
use quorate::signing::partial::{Partial, PartialError, PartialFile};
use quorate::signing::request_file::RequestFileError;
use quorate::signing::{
    Cleared, Delivery, Item, Items, ItemsError, Kind, Parent, Purpose, Request, RequestError,
};
use quorate::spec::{CeremonyFile, Index};
use serde_json::{Value, json};

use super::common::{self, Machine, TWO_VALIDATORS, honest, run};
use super::{IDS, OWNER, machines, rsa};

/// Of a network that SSV is not on.
const ONE_GNO: &str = r#"
[[validators]]
count = 1
withdrawal = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
compounding = false
amounts = ["1"]
"#;
/// Another account.
const OTHER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// A finished ceremony for SSV, 3 of 4, with two validators and the nonces 7 and 8.
static CEREMONY: LazyLock<Vec<Machine>> = LazyLock::new(|| {
    let mut machines = machines(4, 3);
    run(&mut machines, &mut honest);
    machines
});

fn seat(index: u16) -> Index {
    Index::new(index).unwrap()
}

fn finished(machine: &Machine) -> Parent {
    Parent::finished(machine.participant()).unwrap()
}

fn parent() -> Parent {
    finished(&CEREMONY[0])
}

fn of(owner: &str, nonce: u64) -> OwnerNonce {
    OwnerNonce { owner: ExecutionAddress::parse_checksummed(owner).unwrap(), nonce }
}

fn keys(positions: [usize; 4]) -> Vec<RsaPublic> {
    positions.iter().map(|position| rsa(*position).public().clone()).collect()
}

fn validators(parent: &Parent) -> Vec<[u8; 48]> {
    parent.validators().iter().map(|one| one.public_key.to_compressed()).collect()
}

/// For both validators, under these RSA keys.
fn request(first: OwnerNonce, keys: Vec<RsaPublic>) -> Request {
    let parent = parent();
    let items = Items::key_shares(validators(&parent), first, keys).unwrap();
    let operator = &CEREMONY[0].seat.operator;
    parent.request_all(items, Delivery::Public).signed_by(operator, seat(1))
}

fn cleared(first: OwnerNonce, keys: Vec<RsaPublic>) -> Cleared {
    parent().clear(request(first, keys)).unwrap()
}

/// The answer of `by`, with the RSA key at a position.
fn answer_with(cleared: &Cleared, by: u16, key: Option<usize>) -> Option<Partial> {
    let machine = &CEREMONY[usize::from(by) - 1];
    let shares: Vec<&SecretScalar> = machine.participant().shares().unwrap().iter().collect();
    let (operator, key) = (&*machine.seat.operator, key.map(rsa));
    Partial::sign_key_shares(cleared, &parent(), (operator, seat(by)), &shares, key.as_ref())
}

fn answer(cleared: &Cleared, by: u16) -> Partial {
    answer_with(cleared, by, Some(usize::from(by) - 1)).unwrap()
}

fn file(cleared: &Cleared, partial: &Partial) -> Vec<u8> {
    let by = usize::from(partial.operator.get());
    let operator = &CEREMONY[by - 1].seat.operator;
    partial.to_json(cleared, operator, Secret32::new(&mut [u8::try_from(by).unwrap(); 32]))
}

fn opened(cleared: &Cleared, bytes: &[u8]) -> Result<Partial, PartialError> {
    PartialFile::from_json(bytes)?.open(cleared, &parent(), None)
}

fn changed(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(bytes).unwrap();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

/// `keyshares.json` and `proofs.json`.
fn files(cleared: &Cleared, made: &Combined) -> (Vec<u8>, Vec<u8>) {
    let parent = parent();
    let (registered, proofs) =
        registrations(cleared, &parent, &made.signatures, &made.renewed).unwrap();
    (write_keyshares(stamp(parent.ceremony()), &registered), write_proofs(&proofs, true))
}

/// Combines the answers of these operators, checks what comes of it as a stranger would, and that
/// each operator's share is there, under the RSA key at its position among `rsa_keys`.
fn made(cleared: &Cleared, by: &[u16], rsa_keys: [usize; 4]) -> (Vec<u8>, Vec<u8>) {
    let sent: Vec<Partial> = by
        .iter()
        .map(|by| {
            let key = rsa_keys[usize::from(*by) - 1];
            let partial = answer_with(cleared, *by, Some(key)).unwrap();
            opened(cleared, &file(cleared, &partial)).unwrap()
        })
        .collect();
    let files = files(cleared, &combine(cleared, &parent(), &sent).unwrap());
    let registered = verify(cleared, &parent(), &files.0, &files.1).unwrap();
    assert_eq!(parse_keyshares(&files.0).unwrap(), registered);
    let mut random = ChaCha20Rng::from_seed([5; 32]);
    for (v, registration) in registered.iter().enumerate() {
        let ids: Vec<u64> = registration.operators.iter().map(|operator| operator.id).collect();
        assert_eq!(ids, IDS[..4]);
        for (position, operator) in registration.operators.iter().enumerate() {
            let key = rsa(rsa_keys[position]);
            let share = key
                .decrypt_share(&operator.encrypted_share, &operator.share_key, &mut random)
                .ok()
                .unwrap();
            let own = &CEREMONY[position].participant().shares().unwrap()[v];
            assert_eq!(*share.to_be_bytes(), *own.to_be_bytes());
        }
    }
    files
}

#[test]
fn with_a_new_nonce_any_three_make_the_same_key_shares_of_the_ceremonys_ciphertexts() {
    let cleared = cleared(of(OWNER, 20), keys([0, 1, 2, 3]));
    assert_eq!((&cleared.required[..], cleared.request.items.kind()), (&[][..], Kind::KeyShares));
    let files = made(&cleared, &[1, 2, 3], [0, 1, 2, 3]);
    assert_eq!(made(&cleared, &[2, 3, 4], [0, 1, 2, 3]), files);
    let registered = parse_keyshares(&files.0).unwrap();
    for (v, registration) in registered.iter().enumerate() {
        assert_eq!(registration.owner_nonce, of(OWNER, 20 + v as u64));
        for (place, operator) in registration.operators.iter().enumerate() {
            let before = parent().validators()[v].sealed[place].clone();
            assert_eq!(operator.encrypted_share, before.ciphertext);
        }
    }
    // No RSA key is needed, and nothing is encrypted.
    let without = answer_with(&cleared, 1, None).unwrap();
    assert_eq!((without.sealed.len(), &without), (0, &answer(&cleared, 1)));
    let two = [1, 2].map(|by| answer(&cleared, by));
    let too_few = CombineError::TooFew { found: 2, needed: 3 };
    assert_eq!(combine(&cleared, &parent(), &two), Err(too_few));
}

#[test]
fn with_a_new_owner_every_operator_is_required() {
    let cleared = cleared(of(OTHER, 0), keys([0, 1, 2, 3]));
    assert_eq!(cleared.required, [1, 2, 3, 4].map(seat));
    let three = [1, 2, 4].map(|by| answer(&cleared, by));
    assert_eq!(
        combine(&cleared, &parent(), &three),
        Err(CombineError::Required(vec![seat(3)])),
        "a threshold is not enough"
    );
    made(&cleared, &[1, 2, 3, 4], [0, 1, 2, 3]);
    // The same request has the same answer; another one has other padding.
    assert_eq!(answer(&cleared, 1), answer(&cleared, 1));
    let later = super::again::cleared(of(OTHER, 1), keys([0, 1, 2, 3]));
    assert_ne!(answer(&later, 1).sealed[0].ciphertext, answer(&cleared, 1).sealed[0].ciphertext);
}

#[test]
fn with_a_new_rsa_key_its_operator_is_required() {
    // The third has a new key: that of a fifth.
    let cleared = cleared(of(OWNER, 7), keys([0, 1, 4, 3]));
    assert_eq!(cleared.required, [seat(3)]);
    let others = [1, 2, 4].map(|by| answer(&cleared, by));
    let lacking = Err(CombineError::Required(vec![seat(3)]));
    assert_eq!(combine(&cleared, &parent(), &others), lacking);
    let one = made(&cleared, &[1, 2, 3], [0, 1, 4, 3]);
    assert_eq!(made(&cleared, &[3, 4, 1], [0, 1, 4, 3]), one, "the same, whoever else signs");
    // Without its key, with its old one, or with none of the request's, it makes no answer.
    for key in [None, Some(2), Some(0)] {
        assert!(answer_with(&cleared, 3, key).is_none(), "{key:?}");
    }
}

#[test]
fn an_answer_is_refused_by_field_and_its_operator_named_if_it_signed_it() {
    let cleared = cleared(of(OTHER, 0), keys([0, 1, 2, 3]));
    let good = answer(&cleared, 2);
    let bytes = file(&cleared, &good);
    assert_eq!(opened(&cleared, &bytes), Ok(good.clone()));
    let altered = |change: fn(&mut Value)| opened(&cleared, &changed(&bytes, change));
    // Whatever is altered on its way is nobody's fault.
    let flip = |file: &mut Value, pointer: &str| {
        let text = file.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let digit = if text.ends_with('0') { "1" } else { "0" };
        *file.pointer_mut(pointer).unwrap() = json!(format!("{}{digit}", &text[..text.len() - 1]));
    };
    for pointer in ["/shares/0/encrypted", "/shares/1/proof"] {
        let bytes = changed(&bytes, |file| flip(file, pointer));
        let error = opened(&cleared, &bytes).unwrap_err();
        assert_eq!((&error, error.culprit()), (&PartialError::Signature(2), None), "{pointer}");
    }
    let none = altered(|file| drop(file.as_object_mut().unwrap().remove("shares")));
    assert_eq!(none, Err(PartialError::Signature(2)));
    let (one, null) = (
        altered(|file| drop(file["shares"].as_array_mut().unwrap().pop())),
        altered(|file| file["partials"][0] = Value::Null),
    );
    for (shape, why) in [(one, "one share"), (null, "one left out")] {
        assert!(
            matches!(shape, Err(PartialError::File(RequestFileError::Json(_)))),
            "{why}: {shape:?}"
        );
    }
    for version in [1, 2] {
        let other = changed(&bytes, |file| file["version"] = json!(version));
        assert!(matches!(opened(&cleared, &other), Err(PartialError::File(_))));
    }
    let short = altered(|file| file["shares"][0]["encrypted"] = json!("0x00"));
    assert!(matches!(short, Err(PartialError::Hex { field: "shares.encrypted", .. })));
    let unknown = altered(|file| file["shares"][0]["more"] = json!(1));
    assert!(matches!(unknown, Err(PartialError::File(RequestFileError::Json(_)))));
    // Signed by the operator itself, with a proof that does not hold: its fault.
    let unproven = signed_again(&cleared, &good, |shares| shares[1].proof[200] ^= 1);
    let error = opened(&cleared, &unproven).unwrap_err();
    assert_eq!(error, PartialError::Unproven { operator: 2, validator: 2 });
    assert_eq!(error.culprit(), Some(seat(2)));
    // Likewise with the ciphertext of another, which is not what is proven.
    let copied = signed_again(&cleared, &good, |shares| {
        shares[0].ciphertext = answer(&cleared, 3).sealed[0].ciphertext;
    });
    let unproven = PartialError::Unproven { operator: 2, validator: 1 };
    assert_eq!(opened(&cleared, &copied), Err(unproven));
    // Without shares, all of the rest holds; nobody is to blame.
    let without = signed_again(&cleared, &good, |shares| *shares = Vec::new());
    let error = opened(&cleared, &without).unwrap_err();
    assert_eq!((&error, error.culprit()), (&PartialError::Shares { expected: 2, found: 0 }, None));
}

/// The file of an answer with other shares, signed by its operator as if they were its own.
fn signed_again(
    cleared: &Cleared,
    partial: &Partial,
    change: impl FnOnce(&mut Vec<EncryptedShare>),
) -> Vec<u8> {
    let mut shares = partial.sealed.clone();
    change(&mut shares);
    let mut statement = [cleared.request.id().as_bytes(), &[0, 2][..]].concat();
    let partials = partial.partials.iter().flatten();
    statement.extend(partials.flat_map(|partial| partial.to_compressed()));
    statement.extend(shares.iter().flat_map(|one| [one.ciphertext, one.proof].concat()));
    let key = CEREMONY[1].seat.operator.key();
    let signature = key.sign(Tag::PartialSignature, &statement);
    let text = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    changed(&file(cleared, partial), |file| {
        let one = |share: &EncryptedShare| {
            let (encrypted, proof) = (text(&share.ciphertext), text(&share.proof));
            json!({ "encrypted": encrypted, "proof": proof })
        };
        file["shares"] = shares.iter().map(one).collect();
        file["signature"] = json!(hex::encode(signature));
    })
}

#[test]
fn sealed_answers_have_room_for_the_shares() {
    let custodian = CEREMONY[3].seat.operator.clone();
    let asked = request(of(OTHER, 3), keys([0, 1, 2, 3]));
    let asked = Request { delivery: Delivery::Custodian(Box::new(custodian.card())), ..asked };
    let cleared = parent().clear(Request { requester: None, ..asked }).unwrap();
    let partial = answer(&cleared, 2);
    let bytes = file(&cleared, &partial);
    let read = PartialFile::from_json(&bytes).unwrap();
    assert_eq!(read.open(&cleared, &parent(), Some(custodian.noise())), Ok(partial));
    let other = CEREMONY[2].seat.operator.clone();
    assert_eq!(
        read.open(&cleared, &parent(), Some(other.noise())),
        Err(PartialError::Sealed),
        "for the custodian alone"
    );
    let plain = changed(&bytes, |file| file["version"] = json!(2));
    let plain = PartialFile::from_json(&plain).unwrap();
    assert_eq!(
        plain.open(&cleared, &parent(), Some(custodian.noise())),
        Err(PartialError::Version)
    );
}

#[test]
fn requests_that_do_not_fit_are_refused_by_name() {
    let refused = |first: OwnerNonce, keys: Vec<RsaPublic>| {
        parent().clear(request(first, keys)).map(|_| ()).unwrap_err()
    };
    let ours = || keys([0, 1, 2, 3]);
    assert_eq!(refused(of(OWNER, 7), ours()), KeySharesError::Made.into());
    let trap = "0x0000000000000000000000000000000000000001";
    assert_eq!(
        refused(of(trap, 9), ours()),
        KeySharesError::Owner(AddressError::Trap(Trap::Precompile)).into()
    );
    let seven: Vec<RsaPublic> = (0..7).map(|at| rsa(at).public().clone()).collect();
    let other_size = KeySharesError::Keys { expected: 4, found: 7 };
    assert_eq!(refused(of(OTHER, 0), seven), other_size.clone().into());
    assert_eq!(RequestError::from(other_size).field(), "key_shares");
    // Another generation, another network, another ceremony, a key that is not there.
    let asked = || request(of(OTHER, 0), ours());
    let digest = quorate::primitives::hash::Digest([9; 32]);
    for (altered, field) in [
        (Request { ceremony: digest, ..asked() }, "ceremony"),
        (Request { dkg: digest, ..asked() }, "dkg"),
        (Request { outputs: digest, ..asked() }, "outputs"),
        (Request { network: "mainnet".to_owned(), ..asked() }, "network"),
    ] {
        assert_eq!(parent().clear(altered).unwrap_err().field(), field);
    }
    let items = Items::key_shares(vec![[1; 48]], of(OTHER, 0), ours()).unwrap();
    let stranger = parent().clear(parent().request_all(items, Delivery::Public));
    assert_eq!(stranger.unwrap_err().field(), "public_key");
    let mut reversed = validators(&parent());
    reversed.reverse();
    let items = Items::key_shares(reversed, of(OTHER, 0), ours()).unwrap();
    let reversed = parent().clear(parent().request_all(items, Delivery::Public));
    assert_eq!(reversed.unwrap_err().field(), "validators");
}

/// Of other ceremonies than those for SSV.
#[test]
fn ceremonies_that_no_cluster_can_be_made_of_are_refused_by_name() {
    let refused = |n: usize, t: usize, change: fn(String) -> String| {
        let operators = common::operators(n);
        let plain = common::ceremony(&operators, t, TWO_VALIDATORS);
        let ceremony = super::ceremony(&change(CeremonyFile::from(&*plain).to_toml()));
        let mut all: Vec<Machine> =
            operators.iter().map(|operator| Machine::new(&ceremony, operator)).collect();
        run(&mut all, &mut honest);
        let parent = finished(&all[0]);
        let keys: Vec<RsaPublic> = (0..n.max(4)).map(|at| rsa(at).public().clone()).collect();
        let keys = if [4, 7].contains(&keys.len()) { keys } else { keys[..4].to_vec() };
        let items = Items::key_shares(validators(&parent), of(OTHER, 0), keys).unwrap();
        match parent.clear(parent.request_all(items, Delivery::Public)) {
            Ok(cleared) => Ok(cleared.required),
            Err(RequestError::KeyShares(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    };
    // Its points are the numbers of its operators, as those of any ceremony.
    assert_eq!(refused(4, 3, |text| text), Ok([1, 2, 3, 4].map(seat).to_vec()));
    assert_eq!(refused(3, 2, |text| text), Err(KeySharesError::Size(3)));
    let threshold = KeySharesError::Threshold { required: 4, operators: 7, usual: 5 };
    assert_eq!(refused(7, 4, |text| text), Err(threshold));
    let gnosis = |text: String| {
        let (front, _) = text.split_once("[[validators]]").unwrap();
        format!("{front}{ONE_GNO}").replace("\"hoodi\"", "\"chiado\"")
    };
    assert_eq!(refused(4, 3, gnosis), Err(KeySharesError::Network("chiado".to_owned())));
    let far = |text: String| text.replace("point = 4\n", "point = 9007199254740992\n");
    let point = KeySharesError::Point { operator: 4, point: 1 << 53 };
    assert_eq!(refused(4, 3, far), Err(point));
}

#[test]
fn lists_of_validators_and_keys_have_rules_of_their_own() {
    let (one, two) = ([1; 48], [2; 48]);
    let list = |validators: &[[u8; 48]], nonce, keys: Vec<RsaPublic>| {
        Items::key_shares(validators.to_vec(), of(OTHER, nonce), keys).map(|items| items.len())
    };
    let ours = || keys([0, 1, 2, 3]);
    assert_eq!(list(&[one, two], 999_998, ours()), Ok(2));
    for (error, found) in [
        (ItemsError::Empty, list(&[], 0, ours())),
        (ItemsError::TooMany, list(&[one; 8193], 0, ours())),
        (ItemsError::KeyTwice(hex::encode(one)), list(&[one, two, one], 0, ours())),
        (ItemsError::RsaKeyTwice { first: 2, second: 4 }, list(&[one], 0, keys([0, 1, 2, 1]))),
        (ItemsError::Cluster(3), list(&[one], 0, ours()[..3].to_vec())),
        (ItemsError::Cluster(0), list(&[one], 0, Vec::new())),
        (ItemsError::Nonces { first: 999_999, count: 2 }, list(&[one, two], 999_999, ours())),
        (ItemsError::Nonces { first: u64::MAX, count: 2 }, list(&[one, two], u64::MAX, ours())),
    ] {
        assert_eq!(found, Err(error));
    }
    let purpose = Purpose::KeyShares(of(OTHER, 0));
    assert_eq!(Items::new(vec![Item { public_key: one, purpose }]), Err(ItemsError::NoKeys));
}

#[test]
fn files_of_requests_are_refused_by_field() {
    let request = request(of(OTHER, 5), keys([0, 1, 2, 3]));
    let bytes = request.to_json();
    assert_eq!(Request::from_json(&bytes), Ok(request));
    let with = |pointer: &str, value: Value| {
        Request::from_json(&changed(&bytes, |file| *file.pointer_mut(pointer).unwrap() = value))
            .unwrap_err()
    };
    for (error, what) in [
        (with("/key_shares/owner", json!(OTHER.to_lowercase())), "key_shares.owner: "),
        (with("/key_shares/nonce", json!(-1)), "not a request: "),
        (with("/key_shares/nonce", json!("5")), "not a request: "),
        (with("/key_shares/operator_keys/2", json!("QQ==")), "key_shares.operator_keys: key 3: "),
        (with("/key_shares/operator_keys", json!([])), "validators: 0 RSA keys"),
        (with("/key_shares/validators/0", json!({})), "not a request: "),
        (with("/key_shares/validators/0/public_key", json!("0x00")), "validators.public_key: "),
        (with("/key_shares", json!([])), "not a request: "),
        (with("/version", json!(2)), "exactly one of exits, deposits and registrations"),
        (with("/version", json!(1)), "exactly one of exit, deposit and registration"),
        (with("/version", json!(4)), "cluster_lock alone is required"),
        (with("/version", json!(5)), "version: 5 instead of 1, 2, 3 or 4"),
    ] {
        assert!(error.to_string().starts_with(what), "{error}");
    }
    let more = |field: &str, value: Value| {
        Request::from_json(&changed(&bytes, |file| file[field] = value)).unwrap_err()
    };
    let exit = json!({ "validator_index": 1, "epoch": 1 });
    for error in [
        more("exit", exit),
        more("exits", json!({ "epoch": 1, "validators": [] })),
        more("public_key", json!(format!("0x{}", "01".repeat(48)))),
    ] {
        assert_eq!(error, RequestFileError::KeyShares);
    }
    let without = changed(&bytes, |file| drop(file.as_object_mut().unwrap().remove("key_shares")));
    assert_eq!(Request::from_json(&without), Err(RequestFileError::KeyShares));
}

#[test]
fn nonces_of_a_validator_and_an_owner_only_grow() {
    let parent = parent();
    let asked = |first| cleared(first, keys([0, 1, 2, 3]));
    let entry = |cleared: &Cleared| Entry::of(cleared, &[0, 1]).encode().expose().to_vec();
    let log = [entry(&asked(of(OTHER, 30))), entry(&asked(of(OWNER, 20)))];
    let check = |log: &[Vec<u8>], first| {
        let error = nonces(log.iter().map(Vec::as_slice), &asked(first), &parent);
        match error {
            Ok(()) => None,
            Err(LedgerError::LowerNonce { owner, signed, asked, public_key }) => {
                assert_eq!(public_key, hex::encode(validators(&parent)[0]));
                Some((owner.to_string(), signed, asked))
            }
            Err(error) => panic!("{error}"),
        }
    };
    for (log, first, expected) in [
        (&log[..0], of(OTHER, 0), None),
        // In the ceremony it consented to 7.
        (&log[..0], of(OWNER, 6), Some((OWNER.to_owned(), 7, 6))),
        (&log[..0], of(OWNER, 8), None),
        (&log[..], of(OTHER, 29), Some((OTHER.to_owned(), 30, 29))),
        (&log[..], of(OTHER, 30), None),
        (&log[..], of(OWNER, 19), Some((OWNER.to_owned(), 20, 19))),
        (&log[..], of(OWNER, 21), None),
    ] {
        assert_eq!(check(log, first), expected, "{}", first.text());
    }
    // The log reads back, knows the same request again, and refuses what no program writes.
    let again = asked(of(OTHER, 30));
    let admitted = admit(log.iter().map(Vec::as_slice), &again, &[0, 1]);
    assert_eq!(admitted, Ok(Admission::Again));
    let new = Admission::New { other_exits: BTreeMap::new(), exited: Default::default() };
    assert_eq!(admit(log.iter().map(Vec::as_slice), &asked(of(OTHER, 31)), &[0, 1]), Ok(new));
    let bytes = entry(&again);
    assert_eq!(bytes[..5], [128 + 4, 0, 0, 0, 2]);
    assert_eq!(Entry::decode(&bytes).unwrap().encode().expose(), bytes);
    // Between owner and nonce.
    let mut altered = bytes.clone();
    altered[5 + 32 + 48 + 20] = 1;
    assert!(Entry::decode(&altered).is_err());
    let mut single = bytes;
    single[0] = 4;
    assert!(Entry::decode(&single).is_err(), "key shares are always a list");
}

/// What is registered is compared with the request and the transcript, field by field.
#[test]
fn files_of_key_shares_are_what_was_asked_for_or_refused() {
    let (asked, parent) = (cleared(of(OWNER, 20), keys([0, 1, 2, 3])), parent());
    let (keyshares, proofs) = made(&asked, &[1, 2, 3], [0, 1, 2, 3]);
    let refused = |cleared: &Cleared, keyshares: &[u8], proofs: &[u8]| {
        verify(cleared, &parent, keyshares, proofs).unwrap_err()
    };
    let other_nonce = cleared(of(OWNER, 21), keys([0, 1, 2, 3]));
    let (field, _) = refused(&other_nonce, &keyshares, &proofs);
    assert!(field.ends_with("ownerNonce"), "{field}");
    let other_owner = cleared(of(OTHER, 20), keys([0, 1, 2, 3]));
    let (field, _) = refused(&other_owner, &keyshares, &proofs);
    assert!(field.ends_with("ownerAddress"), "{field}");
    let other_key = cleared(of(OWNER, 20), keys([0, 1, 4, 3]));
    let (field, why) = refused(&other_key, &keyshares, &proofs);
    assert_eq!(
        (field.as_str(), why.as_str()),
        ("shares[0].data.operators[2].operatorKey", "not the RSA key of operator 33")
    );
    // One validator of the two.
    let items =
        Items::key_shares(validators(&parent)[..1].to_vec(), of(OWNER, 20), keys([0, 1, 2, 3]));
    let one = parent.clear(parent.request_all(items.unwrap(), Delivery::Public)).unwrap();
    assert_eq!(refused(&one, &keyshares, &proofs).0, "shares");
    // A ciphertext that the ceremony does not have, proven by its operator: not what serves.
    let renewed = cleared(of(OTHER, 20), keys([0, 1, 2, 3]));
    let sealed = answer(&renewed, 2).sealed;
    let sent = [1, 2, 3].map(|by| answer(&asked, by));
    let mut combined = combine(&asked, &parent, &sent).unwrap();
    combined.renewed.insert(seat(2), sealed);
    let mut with = cleared(of(OWNER, 20), keys([0, 1, 2, 3]));
    with.required = vec![seat(2)];
    let (keyshares, proofs_of_two) = files(&with, &combined);
    let (field, why) = refused(&asked, &keyshares, &proofs_of_two);
    assert_eq!(
        (field.as_str(), why.as_str()),
        ("shares[0].payload.sharesData", "not the ciphertext of operator 22 in the ceremony")
    );
    // A required operator's ciphertext has its proof, or is refused.
    let (owned, (keyshares, _)) = (renewed.request.clone(), {
        let four = [1, 2, 3, 4].map(|by| answer(&renewed, by));
        files(&renewed, &combine(&renewed, &parent, &four).unwrap())
    });
    let renewed = parent.clear(owned).unwrap();
    let (field, _) = refused(&renewed, &keyshares, &proofs);
    assert!(field.starts_with("proofs[0][0]."), "{field}");
}

/// Answers in channels: with a new owner nobody has a result before all have answered.
#[test]
fn online_the_required_operators_are_waited_for() {
    let asked = request(of(OTHER, 40), keys([0, 1, 2, 3]));
    let begin = |me: u16| {
        let cleared = parent().clear(asked.clone()).unwrap();
        let operator = CEREMONY[usize::from(me) - 1].seat.operator.clone();
        let own = answer(&cleared, me);
        Live::begin(cleared, parent(), operator, own, Secret32::new(&mut [9; 32])).unwrap().0
    };
    let mut lives: BTreeMap<u16, Live> = [1, 2, 3].map(|me| (me, begin(me))).into();
    let mut results = 0;
    let mut deliver = |lives: &mut BTreeMap<u16, Live>, ups: Vec<(u16, u16)>| {
        let mut queue: VecDeque<(u16, Vec<Action>)> = VecDeque::new();
        for (at, peer) in ups {
            queue.push_back((at, lives.get_mut(&at).unwrap().handle(Event::Up(seat(peer)))));
        }
        for _ in 0..2 {
            while let Some((at, actions)) = queue.pop_front() {
                for action in actions {
                    match action {
                        Action::Send { to, frame } | Action::Answer { to, frame } => {
                            if let Some(peer) = lives.get_mut(&to.get()) {
                                let heard = peer.handle(Event::Frame(seat(at), &frame));
                                queue.push_back((to.get(), heard));
                            }
                        }
                        Action::Combined { signatures, signers, renewed, lock } => {
                            let live = lives.get_mut(&at).unwrap();
                            let made = Combined { signatures, signers, renewed, lock };
                            let (keyshares, proofs) = files(live.cleared(), &made);
                            verify(live.cleared(), &parent(), &keyshares, &proofs).unwrap();
                            results += 1;
                            let told = live.written();
                            queue.push_back((at, told));
                        }
                        Action::Counted(_) => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
            for (at, live) in &mut *lives {
                queue.push_back((*at, live.handle(Event::Tick)));
            }
        }
        results
    };
    let pairs = |all: &[u16]| {
        let of =
            |a: &u16| all.iter().filter(move |b| *b != a).map(|b| (*a, *b)).collect::<Vec<_>>();
        all.iter().flat_map(of).collect::<Vec<_>>()
    };
    assert_eq!(deliver(&mut lives, pairs(&[1, 2, 3])), 0);
    for live in lives.values_mut() {
        assert_eq!((live.counted(), live.lacking(), live.ending()), (3, vec![seat(4)], None));
        assert_eq!(live.waiting_for(), [seat(4)]);
        assert!(live.close().is_empty(), "nothing is combined when the time is over");
    }
    // The fourth sends what nobody sends, to one of them: there can never be enough for it alone.
    let mut deaf = begin(1);
    for peer in [2, 3] {
        deaf.handle(Event::Up(seat(peer)));
    }
    for peer in [2, 3, 4] {
        deaf.handle(Event::Up(seat(peer)));
        deaf.handle(Event::Frame(seat(peer), &[9]));
    }
    assert_eq!(deaf.ending(), Some(Ending::Hopeless));
    lives.insert(4, begin(4));
    let ups = [1, 2, 3].iter().flat_map(|one| [(*one, 4), (4, *one)]).collect();
    assert_eq!(deliver(&mut lives, ups), 4);
}
