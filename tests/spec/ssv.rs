//! The rules of `[ssv]`.

use quorate::ethereum::address::AddressError;
use quorate::ethereum::network::Network;
use quorate::ethereum::ssv::{RsaKeyError, RsaPublic};
use quorate::spec::ssv::{LARGEST_ID, LARGEST_NONCE};
use quorate::spec::{Place, SpecError};
use serde_json::{Value, json};

use super::{ceremony, edited, good};

const OWNER: &str = "0xDCc846fA10C7CfCE9e6Eb37e06eD93b666cFC5E9";
const NAMES: [&str; 7] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];

/// Something that has the shape of a key.
fn key(position: usize) -> String {
    let mut modulus = [0x5a; 256];
    (modulus[0], modulus[1], modulus[255]) = (0xc0, u8::try_from(position).unwrap(), 0x01);
    RsaPublic::from_modulus(modulus).unwrap().to_text()
}

/// A cluster of `n`, with one validator of 32 ETH.
pub(crate) fn cluster(n: usize, threshold: usize) -> Value {
    let operators: Vec<Value> = (0..n)
        .map(|i| json!({ "card": super::card(NAMES[i]), "point": 11 * (i + 1), "ssv_key": key(i) }))
        .collect();
    let mut file = good();
    file["operators"] = operators.into();
    file["threshold"] = threshold.into();
    file["validators"] = json!([{ "count": 2, "withdrawal": super::FIRST, "compounding": true }]);
    file["ssv"] = json!({ "owner": OWNER, "nonce": 7 });
    file
}

fn without(mut file: Value, pointer: &str, field: &str) -> Value {
    file.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field);
    file
}

pub(crate) fn cases() -> Vec<(&'static str, Value, SpecError)> {
    use SpecError::*;
    let good = || cluster(4, 3);
    let with = |pointer: &str, value: Value| edited(good(), pointer, value);
    let operator = Place::operator;
    let place = Place::validator(0, "amounts");
    let custom = json!({ "name": "devnet", "genesis_fork_version": "10203040",
        "genesis_validators_root": "11".repeat(32) });
    let large = LARGEST_ID + 1;
    vec![
        ("a size that no cluster has", cluster(5, 4), SsvSize(5)),
        ("another threshold", cluster(7, 6), SsvThreshold { required: 6, operators: 7, usual: 5 }),
        ("a network of one's own", with("/network", custom), SsvNetwork("devnet".into())),
        ("a network without SSV", with("/network", "gnosis".into()), SsvNetwork("gnosis".into())),
        (
            "an operator without key",
            without(good(), "/operators/2", "ssv_key"),
            SsvKeyMissing { place: operator(2, "ssv_key") },
        ),
        (
            "keys for nothing",
            without(good(), "", "ssv"),
            SsvKeyAlone { place: operator(0, "ssv_key") },
        ),
        ("a key twice", with("/operators/2/ssv_key", key(1).into()), {
            SsvKeyDuplicate { place: operator(2, "ssv_key"), first: 1 }
        }),
        ("a key cut short", with("/operators/1/ssv_key", key(1)[..608].into()), {
            SsvKey { place: operator(1, "ssv_key"), source: RsaKeyError::Length(608) }
        }),
        (
            "a key with a blank",
            with("/operators/1/ssv_key", key(1).replacen('L', " ", 1).into()),
            { SsvKey { place: operator(1, "ssv_key"), source: RsaKeyError::Base64 } },
        ),
        (
            "no point",
            without(good(), "/operators/3", "point"),
            SsvPointMissing { place: operator(3, "point") },
        ),
        ("a point that is rounded", with("/operators/3/point", large.into()), {
            SsvId { place: operator(3, "point"), id: large }
        }),
        (
            "seven digits",
            with("/ssv/nonce", LARGEST_NONCE.into()),
            SsvNonce { nonce: LARGEST_NONCE, validators: 2 },
        ),
        (
            "a nonce that overflows",
            with("/ssv/nonce", u64::MAX.into()),
            SsvNonce { nonce: u64::MAX, validators: 2 },
        ),
        (
            "an owner of nobody",
            with("/ssv/owner", format!("0x{}", "0".repeat(40)).into()),
            SsvOwner(AddressError::Zero),
        ),
        ("an amount too small", with("/validators/0/amounts", json!(["31.999999999"])), {
            SsvAmount { place, amount: "31.999999999 ETH".into() }
        }),
        (
            "two amounts",
            with("/validators/0/amounts", json!([32, 64])),
            SsvAmounts { place, found: 2 },
        ),
    ]
}

#[test]
fn a_cluster_is_taken() {
    for (n, t) in [(4, 3), (7, 5)] {
        assert!(ceremony(&cluster(n, t)).unwrap().ssv().is_some());
    }
    let last = ceremony(&edited(cluster(4, 3), "/ssv/nonce", (LARGEST_NONCE - 1).into())).unwrap();
    assert_eq!(last.ssv().unwrap().owner_nonce(1).nonce, LARGEST_NONCE);
}

#[test]
fn the_networks_are_those_of_the_table() {
    let mut taken = Vec::new();
    for name in Network::known_names() {
        match ceremony(&edited(cluster(4, 3), "/network", name.into())) {
            Ok(_) => taken.push(name),
            Err(error) => {
                assert_eq!(error, SpecError::SsvNetwork(name.to_owned()));
                let names = "SSV runs on mainnet, hoodi and sepolia";
                assert_eq!(error.to_string(), format!("ssv: network {name}; {names}"));
            }
        }
    }
    assert!(Network::ssv_names().eq(taken));
}

#[test]
fn every_wrong_field() {
    for (what, file, reason) in cases() {
        assert_eq!(ceremony(&file).unwrap_err(), reason, "{what}");
    }
}
