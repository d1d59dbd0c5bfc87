//! Cluster locks: each reason to refuse one, alone and against a transcript.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use quorate::ethereum::obol::check::DefinitionError;
use quorate::ethereum::obol::definition::Remark;
use quorate::ethereum::obol::lock::{ClusterLock, lock_hash};
use quorate::ethereum::obol::lock_check::{LockError, NodeFault, check_lock};
use quorate::ethereum::secp256k1::Secp256k1Error;
use quorate::primitives::curve::{DecodeError, G1};
use serde_json::Value;

use crate::ceremony;
use crate::made::node;

static LOCK: LazyLock<ClusterLock> = LazyLock::new(ceremony::lock);

/// Changes the JSON of a good lock; with `rehash` the hashes follow, and the nodes sign again what
/// they hash to.
fn mutated(rehash: bool, change: impl FnOnce(&mut Value)) -> LockError {
    let mut json: Value = serde_json::from_slice(&LOCK.to_json()).unwrap();
    change(&mut json);
    let parsed = ClusterLock::parse(json.to_string().as_bytes()).map(|mut lock| {
        if rehash {
            lock.definition = lock.definition.with_hashes();
            lock.lock_hash = lock_hash(&lock.definition, &lock.validators);
            lock.node_signatures =
                (0..lock.node_signatures.len()).map(|i| node(i).sign(&lock.lock_hash)).collect();
        }
        lock
    });
    parsed.and_then(|lock| check_lock(&lock, BTreeSet::new())).unwrap_err()
}

fn differs(field: &str, error: &LockError) {
    let LockError::Differs { field: found, .. } = error else { panic!("{error}") };
    assert_eq!(found, field, "{error}");
}

fn validator(json: &mut Value, v: usize) -> &mut Value {
    &mut json["distributed_validators"][v]
}

#[test]
fn a_good_lock() {
    check_lock(&LOCK, BTreeSet::new()).unwrap();
}

#[test]
fn hashes() {
    differs(
        "lock_hash",
        &mutated(false, |l| l["lock_hash"] = format!("0x{}", "11".repeat(32)).into()),
    );
    let error = mutated(false, |l| {
        l["cluster_definition"]["config_hash"] = format!("0x{}", "11".repeat(32)).into()
    });
    assert!(matches!(error, LockError::Definition(DefinitionError::ConfigHash { .. })));
    let error = mutated(false, |l| {
        l["cluster_definition"]["definition_hash"] = format!("0x{}", "11".repeat(32)).into()
    });
    assert!(matches!(error, LockError::Definition(DefinitionError::DefinitionHash { .. })));
    // Whatever is in the hash.
    for pointer in [
        "/distributed_validators/0/builder_registration/message/timestamp",
        "/distributed_validators/1/builder_registration/message/gas_limit",
    ] {
        differs("lock_hash", &mutated(false, |l| *l.pointer_mut(pointer).unwrap() = 1.into()));
    }
}

#[test]
fn counts() {
    differs(
        "node_signatures",
        &mutated(true, |l| drop(l["node_signatures"].as_array_mut().unwrap().pop())),
    );
    differs(
        "distributed_validators",
        &mutated(true, |l| drop(l["distributed_validators"].as_array_mut().unwrap().pop())),
    );
    let error =
        mutated(true, |l| drop(validator(l, 1)["public_shares"].as_array_mut().unwrap().pop()));
    differs("distributed_validators[1].public_shares", &error);
    let error = mutated(true, |l| {
        drop(validator(l, 0)["partial_deposit_data"].as_array_mut().unwrap().pop())
    });
    differs("distributed_validators[0].partial_deposit_data", &error);
}

#[test]
fn keys_and_shares() {
    let other = |bytes: &[u8; 48]| format!("0x{}", hex::encode(bytes));
    let curve = |error: LockError| match error {
        LockError::Curve { field, source } => (field, source),
        other => panic!("{other}"),
    };
    // x = 1 with the flags of a compressed point: no point has it.
    let off = curve(mutated(true, |l| {
        validator(l, 0)["public_shares"][2] = format!("0x80{}01", "00".repeat(46)).into()
    }));
    assert_eq!(
        off,
        ("distributed_validators[0].public_shares[2]".to_owned(), DecodeError::NotOnCurve)
    );
    let infinity = curve(mutated(true, |l| {
        validator(l, 1)["distributed_public_key"] = format!("0xc0{}", "00".repeat(47)).into()
    }));
    assert_eq!(
        infinity,
        ("distributed_validators[1].distributed_public_key".to_owned(), DecodeError::Infinity)
    );

    let again = mutated(true, |l| {
        validator(l, 0)["public_shares"][3] = validator(l, 0)["public_shares"][1].clone()
    });
    let at = |share| format!("distributed_validators[0].public_shares[{share}]");
    assert_eq!(again, LockError::Duplicate { field: at(3), first: at(1) });
    let stranger = other(&G1::generator().to_compressed());
    let last = mutated(true, |l| validator(l, 0)["public_shares"][3] = stranger.clone().into());
    assert_eq!(last, LockError::Polynomial { field: at(3) });
    let swapped =
        mutated(true, |l| validator(l, 0)["public_shares"].as_array_mut().unwrap().swap(0, 1));
    assert_eq!(
        swapped,
        LockError::Polynomial {
            field: "distributed_validators[0].distributed_public_key".to_owned()
        }
    );
    let threshold = mutated(true, |l| l["cluster_definition"]["threshold"] = 2.into());
    assert!(matches!(threshold, LockError::Polynomial { .. }));
}

#[test]
fn deposits_and_registrations() {
    let deposit = |field: &str, value: Value| {
        mutated(true, |l| validator(l, 1)["partial_deposit_data"][0][field] = value)
    };
    let at = |field: &str| format!("distributed_validators[1].partial_deposit_data[0].{field}");
    let key = format!("0x{}", hex::encode(LOCK.validators[0].public_key));
    differs(&at("pubkey"), &deposit("pubkey", key.clone().into()));
    differs(
        &at("withdrawal_credentials"),
        &deposit("withdrawal_credentials", format!("0x01{}", "22".repeat(31)).into()),
    );
    differs(&at("amount"), &deposit("amount", "1000000000".into()));
    let signature = format!("0x{}", hex::encode(LOCK.validators[0].deposits[0].signature));
    assert_eq!(
        deposit("signature", signature.clone().into()),
        LockError::Signature { field: at("signature") }
    );
    assert!(matches!(deposit("amount", "0032".into()), LockError::Field { field,
        .. } if field == at("amount")));

    let message = |field: &str, value: Value| {
        mutated(true, |l| validator(l, 0)["builder_registration"]["message"][field] = value)
    };
    let at =
        |field: &str| format!("distributed_validators[0].builder_registration.message.{field}");
    differs(
        &at("fee_recipient"),
        &message("fee_recipient", format!("0x{}", "22".repeat(20)).into()),
    );
    // Not necessarily the definition's, but the one that was signed.
    let unsigned = LockError::Signature {
        field: "distributed_validators[0].builder_registration.signature".to_owned(),
    };
    assert_eq!(message("gas_limit", 30_000_000.into()), unsigned);
    differs(&at("timestamp"), &message("timestamp", 1.into()));
    let other = format!("0x{}", hex::encode(LOCK.validators[1].public_key));
    differs(&at("pubkey"), &message("pubkey", other.into()));
    let error =
        mutated(true, |l| validator(l, 0)["builder_registration"]["signature"] = signature.into());
    assert_eq!(
        error,
        LockError::Signature {
            field: "distributed_validators[0].builder_registration.signature".to_owned()
        }
    );
    // The money goes elsewhere, and all hashes follow.
    let error = mutated(true, |l| {
        l["cluster_definition"]["validators"][0]["withdrawal_address"] =
            format!("0x{}", "22".repeat(20)).into()
    });
    differs("distributed_validators[0].partial_deposit_data[0].withdrawal_credentials", &error);
    let error = mutated(true, |l| l["cluster_definition"]["fork_version"] = "0x90000069".into());
    differs("distributed_validators[0].builder_registration.message.timestamp", &error);
}

#[test]
fn who_has_signed_the_lock() {
    // By fewer than all: what a threshold could make.
    let signature = format!("0x{}", hex::encode(LOCK.validators[0].deposits[0].signature));
    assert_eq!(
        mutated(false, |l| l["signature_aggregate"] = signature.into()),
        LockError::Aggregate
    );
    let error =
        mutated(false, |l| l["signature_aggregate"] = format!("0xc0{}", "00".repeat(95)).into());
    assert!(matches!(error, LockError::Curve { field,
        source: DecodeError::Infinity } if field == "signature_aggregate"));
    // An aggregate over another lock hash.
    assert_eq!(
        mutated(true, |l| l["cluster_definition"]["uuid"] = "another".into()),
        LockError::Aggregate
    );
    let swapped = mutated(false, |l| l["node_signatures"].as_array_mut().unwrap().swap(1, 2));
    assert_eq!(swapped, LockError::Node { operator: 1, fault: NodeFault::AnotherKey });
    let last = mutated(false, |l| {
        let text = l["node_signatures"][3].as_str().unwrap();
        l["node_signatures"][3] = format!("{}07", &text[..text.len() - 2]).into();
    });
    assert_eq!(
        last,
        LockError::Node { operator: 3, fault: NodeFault::Malformed(Secp256k1Error::RecoveryId(7)) }
    );
}

/// What Charon reads too, and does not write.
#[test]
fn what_others_write_is_read_and_remarked_on() {
    let read = |change: fn(&mut Value)| {
        let mut json: Value = serde_json::from_slice(&LOCK.to_json()).unwrap();
        change(&mut json);
        let (lock, remarks) = ClusterLock::read(json.to_string().as_bytes()).unwrap();
        assert!(lock == *LOCK, "the same lock");
        remarks
    };
    let unknown = |path: &str| Remark::UnknownField(path.to_owned());
    assert_eq!(read(|_| ()), []);
    assert_eq!(read(|l| l["colour"] = "red".into()), [unknown("colour")]);
    let root = "distributed_validators.0.partial_deposit_data.0.deposit_data_root";
    assert_eq!(
        read(|l| validator(l, 0)["partial_deposit_data"][0]["deposit_data_root"] = "0x00".into()),
        [unknown(root)]
    );
    let hash = |l: &mut Value| l["lock_hash"] = l["lock_hash"].as_str().unwrap()[2..].into();
    assert_eq!(read(hash), [Remark::Spelling]);
    let key = |l: &mut Value| {
        let digits = validator(l, 1)["distributed_public_key"].as_str().unwrap()[2..].to_owned();
        validator(l, 1)["distributed_public_key"] = digits.to_uppercase().into();
    };
    assert_eq!(read(key), [Remark::Spelling]);
}

#[test]
fn json_that_is_not_a_locks() {
    let said = |change: fn(&mut Value)| mutated(false, change).to_string();
    assert!(
        said(|l| drop(l.as_object_mut().unwrap().remove("lock_hash")))
            .contains("missing field `lock_hash`")
    );
    assert!(
        said(|l| l["signature_aggregate"] = "0x00".into())
            .starts_with("signature_aggregate: 2 characters instead of 192")
    );
}
