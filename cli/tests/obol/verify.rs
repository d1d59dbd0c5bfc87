//! `quorate verify cluster-definition` and `cluster-lock`: genuine files are accepted, and each of
//! a list of mutations is refused with exit code 4, the field at fault, and the reason.

use std::fs;
use std::path::PathBuf;

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::bls::bls_sign;
use quorate::ethereum::deposit::{DepositMessage, WithdrawalCredentials};
use quorate::ethereum::network::Network;
use quorate::ethereum::obol::definition::{ClusterDefinition, ValidatorAddresses, Version};
use quorate::ethereum::obol::lock::{
    ClusterLock, LockDeposit, LockRegistration, LockValidator, lock_hash,
};
use quorate::ethereum::obol::lock_check::check_lock;
use quorate::ethereum::registration::Registration;
use quorate::primitives::curve::{G2Sum, Scalar, SecretScalar};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::made::{node, sign, signed, unsigned, wallet};
use crate::support::program::{Ended, quorate};
use crate::support::repository;
use crate::vectors::objects_as_lists;

/// What is done to the JSON of a file.
type Change = fn(&mut Value);

fn vector(name: &str) -> PathBuf {
    repository("test-vectors/obol").join(name)
}

/// Coefficients of a validator's polynomial, known to everybody.
fn coefficient(validator: usize, degree: usize) -> Scalar {
    let mut bytes = [validator as u8 + 1; 48];
    bytes[24..].fill(degree as u8 + 1);
    Scalar::reduce(&bytes)
}

/// A value of a validator's polynomial.
fn value(validator: usize, threshold: usize, at: u64) -> SecretScalar {
    let sum = (0..threshold).rev().fold(Scalar::from_u64(0), |sum, degree| {
        sum * Scalar::from_u64(at) + coefficient(validator, degree)
    });
    SecretScalar::from_be_bytes(&sum.to_be_bytes()).unwrap()
}

/// A lock over `definition`, with everything in it as it must be.
fn lock_of(definition: ClusterDefinition) -> ClusterLock {
    let network = Network::known("hoodi").unwrap();
    let (threshold, operators) = (definition.threshold as usize, definition.operators.len() as u64);
    let validator = |(v, addresses): (usize, &ValidatorAddresses)| {
        let secret = value(v, threshold, 0);
        let pubkey = secret.base_mult().unwrap().to_compressed();
        let withdrawal_credentials = match definition.compounding {
            true => WithdrawalCredentials::compounding(addresses.withdrawal),
            false => WithdrawalCredentials::execution(addresses.withdrawal),
        };
        let deposit = |amount| {
            let message = DepositMessage { pubkey, withdrawal_credentials, amount };
            let signature =
                bls_sign(&secret, &message.signing_root(&network)).unwrap().to_compressed();
            LockDeposit {
                pubkey,
                withdrawal_credentials: *withdrawal_credentials.as_bytes(),
                amount,
                signature,
            }
        };
        let (fee_recipient, gas_limit, timestamp) =
            (addresses.fee_recipient, definition.gas_limit(), network.genesis_time().unwrap());
        let message = Registration { fee_recipient, gas_limit, timestamp, pubkey };
        let signature = bls_sign(&secret, &message.signing_root(&network)).unwrap().to_compressed();
        LockValidator {
            public_key: pubkey,
            public_shares: (1..=operators)
                .map(|at| value(v, threshold, at).base_mult().unwrap().to_compressed())
                .collect(),
            deposits: definition.amounts().into_iter().map(deposit).collect(),
            registration: LockRegistration {
                fee_recipient: *fee_recipient.as_bytes(),
                gas_limit,
                timestamp,
                pubkey,
                signature,
            },
        }
    };
    let validators: Vec<LockValidator> =
        definition.validators.iter().enumerate().map(validator).collect();
    seal(ClusterLock {
        definition,
        validators,
        signature_aggregate: [0; 96],
        lock_hash: [0; 32],
        node_signatures: Vec::new(),
    })
}

/// Everybody signs the lock hash as the fields now are.
fn seal(mut lock: ClusterLock) -> ClusterLock {
    lock.lock_hash = lock_hash(&lock.definition, &lock.validators);
    let (threshold, operators) =
        (lock.definition.threshold as usize, lock.definition.operators.len());
    let mut sum = G2Sum::zero();
    for v in 0..lock.validators.len() {
        for at in 1..=operators as u64 {
            sum.add(&bls_sign(&value(v, threshold, at), &lock.lock_hash).unwrap());
        }
    }
    lock.signature_aggregate = sum.finish().unwrap().to_compressed();
    lock.node_signatures = (0..operators).map(|i| node(i).sign(&lock.lock_hash)).collect();
    lock
}

fn run(front: &[&str], bytes: &[u8], more: &[&str]) -> Ended {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file.json"), bytes).unwrap();
    quorate(folder.path(), &[front, &["file.json"], more].concat())
}

/// What `quorate verify` says to people.
fn in_words(kind: &str, bytes: &[u8], more: &[&str]) -> String {
    run(&["verify", kind], bytes, more).stdout
}

/// `quorate verify` on these bytes: exit code and verdict.
fn verify(kind: &str, bytes: &[u8], more: &[&str]) -> (i32, Value) {
    let ended = run(&["--json", "verify", kind], bytes, more);
    (ended.code, ended.json())
}

/// The JSON of a file, changed in one thing. With `rehash` the hashes are made to fit again, so
/// that something else has to notice.
fn changed_definition(base: &ClusterDefinition, rehash: bool, change: Change) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&base.to_json()).unwrap();
    change(&mut json);
    let bytes = json.to_string().into_bytes();
    match ClusterDefinition::parse(&bytes) {
        Ok(definition) if rehash => definition.with_hashes().to_json(),
        _ => bytes,
    }
}

/// As [`changed_definition`]; with `reseal` everybody signs the new lock hash.
fn changed_lock(base: &ClusterLock, reseal: bool, change: Change) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&base.to_json()).unwrap();
    change(&mut json);
    let bytes = json.to_string().into_bytes();
    match ClusterLock::parse(&bytes) {
        Ok(lock) if reseal => seal(lock).to_json(),
        _ => bytes,
    }
}

fn assert_refused(kind: &str, bytes: &[u8], field: &str, reason: &str) {
    let (code, verdict) = verify(kind, bytes, &[]);
    assert_eq!(
        (code, &verdict["accepted"]),
        (4, &Value::Bool(false)),
        "{field}, {reason}: {verdict}"
    );
    assert_eq!(verdict["field"], field, "{verdict}");
    assert!(verdict["reason"].as_str().unwrap().contains(reason), "{reason}: {verdict}");
}

fn assert_accepted(kind: &str, bytes: &[u8]) -> Value {
    let (code, verdict) = verify(kind, bytes, &[]);
    assert_eq!((code, &verdict["accepted"]), (0, &Value::Bool(true)), "{verdict}");
    verdict
}

#[test]
fn genuine_definitions_of_every_version_are_accepted() {
    for version in [Version::V1_8, Version::V1_9, Version::V1_10, Version::V1_11] {
        for (definition, by_operators) in [(unsigned(version), false), (signed(version), true)] {
            let verdict = assert_accepted("cluster-definition", &definition.to_json());
            assert_eq!(verdict["signed"], by_operators);
            assert_eq!(
                verdict["config_hash"],
                format!("0x{}", hex::encode(definition.config_hash))
            );
            assert_eq!(
                verdict["definition_hash"],
                format!("0x{}", hex::encode(definition.definition_hash))
            );
            assert_eq!(verdict["unchecked"], json!([]));
            let signers = if by_operators {
                "\n  signed by the wallets of its creator and of every operator\n"
            } else {
                "\n  not signed\n"
            };
            assert!(in_words("cluster-definition", &definition.to_json(), &[]).contains(signers));
        }
    }
}

#[test]
fn each_mutation_of_a_definition_is_refused_for_its_fault() {
    // Field at fault, part of the reason, whether both hashes are made to fit again, the mutation.
    let of_signed: [(&str, &str, bool, Change); 23] = [
        ("version", "v1.12.0", false, |d| d["version"] = "v1.12.0".into()),
        ("file", "missing field `uuid`", false, |d| {
            drop(d.as_object_mut().unwrap().remove("uuid"))
        }),
        ("file", "expected a string", false, |d| {
            d["deposit_amounts"] = json!([32_000_000_000_u64])
        }),
        ("deposit_amounts[0]", "number", false, |d| d["deposit_amounts"] = json!(["32e9"])),
        ("creator.address", "checksum", false, |d| {
            let text = d["creator"]["address"].as_str().unwrap();
            let at = text.rfind(|c: char| c.is_ascii_lowercase()).unwrap();
            d["creator"]["address"] =
                format!("{}{}{}", &text[..at], text[at..=at].to_uppercase(), &text[at + 1..])
                    .into();
        }),
        ("validators[0].withdrawal_address", "zero address", false, |d| {
            d["validators"][0]["withdrawal_address"] = format!("0x{}", "0".repeat(40)).into();
        }),
        ("operators[2].enr_signature", "130 bytes", false, |d| {
            d["operators"][2]["enr_signature"] = format!("0x{}", "11".repeat(130)).into();
        }),
        ("name", "the limit is 256", false, |d| d["name"] = "n".repeat(257).into()),
        ("fork_version", "characters", false, |d| d["fork_version"] = "0x100009".into()),
        ("config_hash", "its fields hash to", false, |d| d["threshold"] = 2.into()),
        ("config_hash", "its fields hash to", false, |d| {
            d["config_hash"] = format!("0x{}", "11".repeat(32)).into()
        }),
        ("definition_hash", "its fields hash to", false, |d| {
            d["operators"][0]["enr"] = d["operators"][1]["enr"].clone()
        }),
        ("definition_hash", "its fields hash to", false, |d| {
            d["definition_hash"] = format!("0x{}", "11".repeat(32)).into()
        }),
        ("num_validators", "3, but validators has 2", true, |d| d["num_validators"] = 3.into()),
        ("threshold", "5 of 4", true, |d| d["threshold"] = 5.into()),
        ("threshold", "1 of 4", true, |d| d["threshold"] = 1.into()),
        ("deposit_amounts[1]", "999999999 gwei", true, |d| {
            d["deposit_amounts"] = json!(["32000000000", "999999999"])
        }),
        ("deposit_amounts", "24000000000 gwei in total", true, |d| {
            d["deposit_amounts"] = json!(["16000000000", "8000000000"])
        }),
        ("operators[3].enr", "the same node key as operators[1]", true, |d| {
            d["operators"][3]["enr"] = d["operators"][1]["enr"].clone()
        }),
        ("operators[1].enr_signature", "missing", true, |d| {
            d["operators"][1]["enr_signature"] = "".into()
        }),
        ("operators[0].config_signature", "signed by 0x", true, |d| {
            d["operators"][0]["config_signature"] = d["operators"][1]["config_signature"].clone();
        }),
        ("creator.config_signature", "neither 0, 1, 27 nor 28", true, |d| {
            let text = d["creator"]["config_signature"].as_str().unwrap();
            d["creator"]["config_signature"] = format!("{}05", &text[..text.len() - 2]).into();
        }),
        ("fork_version", "not a network", true, |d| d["fork_version"] = "0x01020304".into()),
    ];
    let base = signed(Version::V1_10);
    for (field, reason, rehash, change) in of_signed {
        assert_refused(
            "cluster-definition",
            &changed_definition(&base, rehash, change),
            field,
            reason,
        );
    }
    let of_unsigned: [(&str, &str, bool, Change); 6] = [
        ("operators", "none", true, |d| d["operators"] = json!([])),
        ("operators[2].enr", "does not start with enr:", true, |d| {
            d["operators"][2]["enr"] = "".into()
        }),
        // A compressed key with x = 5, which is not on the curve; the record is not signed by
        // anything then.
        ("operators[0].enr", "not a compressed point of secp256k1", true, |d| {
            d["operators"][0]["enr"] = OFF_CURVE.into()
        }),
        ("operators[0].enr", "signature is not its key's", true, |d| {
            d["operators"][0]["enr"] = OTHERS_SIGNATURE.into()
        }),
        ("operators[0].address", "missing", true, |d| {
            d["operators"][0]["enr_signature"] = format!("0x{}", "11".repeat(65)).into();
        }),
        ("creator.config_signature", "missing", true, |d| {
            d["creator"]["address"] = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".into();
        }),
    ];
    let base = unsigned(Version::V1_10);
    for (field, reason, rehash, change) in of_unsigned {
        assert_refused(
            "cluster-definition",
            &changed_definition(&base, rehash, change),
            field,
            reason,
        );
    }
}

/// The record of EIP-778, its key replaced by `02 00..05`.
const OFF_CURVE: &str = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABYN1ZHCCdl8";
/// The record of EIP-778 with another sequence number than was signed.
const OTHERS_SIGNATURE: &str = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wCgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8";

#[test]
fn a_contracts_signature_is_refused_or_said_not_to_be_checked() {
    let contract = ExecutionAddress::from_bytes([0xcc; 20]).unwrap();
    let mut definition = signed(Version::V1_11);
    definition.operators[1].address = Some(contract);
    let mut definition = sign(definition);
    // Two owners of it sign.
    let both = [definition.operators[1].enr_signature.clone(), vec![7; 65]].concat();
    definition.operators[1].config_signature = both.clone();
    definition.operators[1].enr_signature = both;
    let bytes = definition.with_hashes().to_json();
    assert_refused("cluster-definition", &bytes, "operators[1].config_signature", "ERC-1271");

    let named = ["--contract-wallet", &contract.to_string()];
    let (code, verdict) = verify("cluster-definition", &bytes, &named);
    assert_eq!(code, 0, "{verdict}");
    assert_eq!(
        verdict["unchecked"],
        json!(["operators[1].config_signature", "operators[1].enr_signature"])
    );
    let words = in_words("cluster-definition", &bytes, &named);
    assert!(words.contains("of every operator, except for what was NOT CHECKED\n"), "{words}");

    // One that has nothing to do with it.
    let (code, verdict) = verify(
        "cluster-definition",
        &bytes,
        &["--contract-wallet", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"],
    );
    assert_eq!(code, 2);
    assert!(
        verdict["error"]["what"].as_str().unwrap().contains("is not a wallet of this cluster"),
        "{verdict}"
    );
    // Naming a contract does not excuse the others.
    let mut definition = signed(Version::V1_10);
    definition.operators[0].config_signature = definition.operators[1].config_signature.clone();
    let creator = ExecutionAddress::from_bytes(wallet_address(4)).unwrap().to_string();
    let (code, verdict) = verify(
        "cluster-definition",
        &definition.with_hashes().to_json(),
        &["--contract-wallet", &creator],
    );
    assert_eq!((code, &verdict["field"]), (4, &json!("operators[0].config_signature")));
}

fn wallet_address(operator: usize) -> [u8; 20] {
    wallet(operator).public().address()
}

#[test]
fn genuine_locks_are_accepted() {
    for version in [Version::V1_8, Version::V1_10, Version::V1_11] {
        for definition in [unsigned(version), signed(version)] {
            let lock = lock_of(definition);
            let verdict = assert_accepted("cluster-lock", &lock.to_json());
            assert_eq!(verdict["lock_hash"], format!("0x{}", hex::encode(lock.lock_hash)));
        }
    }
    // Several amounts, and credentials that compound.
    let mut definition = unsigned(Version::V1_10);
    (definition.deposit_amounts, definition.compounding) = (None, true);
    let lock = lock_of(definition.with_hashes());
    assert_eq!(lock.validators[0].deposits.len(), 4);
    check_lock(&lock, Default::default()).unwrap();
}

#[test]
fn each_mutation_of_a_lock_is_refused_for_its_fault() {
    const V0: &str = "distributed_validators[0]";
    let cases: [(String, &str, bool, Change); 26] = [
        ("file".to_owned(), "missing field `lock_hash`", false, |l| {
            drop(l.as_object_mut().unwrap().remove("lock_hash"))
        }),
        ("lock_hash".to_owned(), "instead of", false, |l| {
            l["lock_hash"] = format!("0x{}", "11".repeat(32)).into()
        }),
        ("cluster_definition.config_hash".to_owned(), "hash to", false, |l| {
            l["cluster_definition"]["threshold"] = 2.into()
        }),
        (
            "cluster_definition.validators[0].withdrawal_address".to_owned(),
            "zero address",
            false,
            |l| {
                l["cluster_definition"]["validators"][0]["withdrawal_address"] =
                    format!("0x{}", "0".repeat(40)).into();
            },
        ),
        ("distributed_validators".to_owned(), "1 entries", true, |l| {
            drop(l["distributed_validators"].as_array_mut().unwrap().pop())
        }),
        ("node_signatures".to_owned(), "3 entries", false, |l| {
            drop(l["node_signatures"].as_array_mut().unwrap().pop())
        }),
        (
            "node_signatures[1]".to_owned(),
            "not a signature on the lock hash by the key",
            false,
            |l| l["node_signatures"][1] = l["node_signatures"][0].clone(),
        ),
        ("node_signatures[2]".to_owned(), "not a signature of any key", false, |l| {
            l["node_signatures"][2] = format!("0x{}", "00".repeat(65)).into();
        }),
        ("node_signatures[3]".to_owned(), "characters", false, |l| {
            l["node_signatures"][3] = "0x1234".into()
        }),
        (
            "signature_aggregate".to_owned(),
            "not the aggregate of the signatures of all shares",
            false,
            |l| {
                l["signature_aggregate"] =
                    l["distributed_validators"][0]["builder_registration"]["signature"].clone();
            },
        ),
        ("signature_aggregate".to_owned(), "encoding of a point", false, |l| {
            l["signature_aggregate"] = format!("0x{}", "11".repeat(96)).into()
        }),
        (format!("{V0}.public_shares"), "3 entries", true, |l| {
            drop(l["distributed_validators"][0]["public_shares"].as_array_mut().unwrap().pop());
        }),
        (format!("{V0}.public_shares[1]"), "the same as", true, |l| {
            l["distributed_validators"][0]["public_shares"][1] =
                l["distributed_validators"][0]["public_shares"][0].clone();
        }),
        (format!("{V0}.public_shares[1]"), "encoding of a point", true, |l| {
            l["distributed_validators"][0]["public_shares"][1] =
                format!("0x{}", "11".repeat(48)).into();
        }),
        (format!("{V0}.distributed_public_key"), "polynomial", true, |l| {
            l["distributed_validators"][0]["public_shares"][2] = UNRELATED_KEY.into();
        }),
        (format!("{V0}.public_shares[3]"), "polynomial", true, |l| {
            l["distributed_validators"][0]["public_shares"][3] = UNRELATED_KEY.into();
        }),
        ("distributed_validators[1].distributed_public_key".to_owned(), "the same as", true, |l| {
            l["distributed_validators"][1] = l["distributed_validators"][0].clone();
        }),
        (format!("{V0}.partial_deposit_data"), "0 entries", true, |l| {
            l["distributed_validators"][0]["partial_deposit_data"] = json!([]);
        }),
        (format!("{V0}.partial_deposit_data[0].pubkey"), "instead of", true, |l| {
            l["distributed_validators"][0]["partial_deposit_data"][0]["pubkey"] =
                UNRELATED_KEY.into();
        }),
        (format!("{V0}.partial_deposit_data[0].withdrawal_credentials"), "instead of", true, |l| {
            let other =
                l["distributed_validators"][1]["partial_deposit_data"][0]["withdrawal_credentials"]
                    .clone();
            l["distributed_validators"][0]["partial_deposit_data"][0]["withdrawal_credentials"] =
                other;
        }),
        (
            format!("{V0}.partial_deposit_data[0].amount"),
            "1000000000 instead of 32000000000",
            true,
            |l| {
                l["distributed_validators"][0]["partial_deposit_data"][0]["amount"] =
                    "1000000000".into();
            },
        ),
        (format!("{V0}.partial_deposit_data[0].signature"), "does not verify", true, |l| {
            let other =
                l["distributed_validators"][1]["partial_deposit_data"][0]["signature"].clone();
            l["distributed_validators"][0]["partial_deposit_data"][0]["signature"] = other;
        }),
        (format!("{V0}.builder_registration.message.fee_recipient"), "instead of", true, |l| {
            l["distributed_validators"][0]["builder_registration"]["message"]["fee_recipient"] =
                format!("0x{}", "ab".repeat(20)).into();
        }),
        (format!("{V0}.builder_registration.signature"), "does not verify", true, |l| {
            l["distributed_validators"][0]["builder_registration"]["message"]["gas_limit"] =
                30_000_000.into();
        }),
        (
            format!("{V0}.builder_registration.message.timestamp"),
            "instead of 1742213400",
            true,
            |l| {
                l["distributed_validators"][0]["builder_registration"]["message"]["timestamp"] =
                    1.into();
            },
        ),
        (format!("{V0}.builder_registration.signature"), "does not verify", true, |l| {
            let other = l["distributed_validators"][1]["builder_registration"]["signature"].clone();
            l["distributed_validators"][0]["builder_registration"]["signature"] = other;
        }),
    ];
    let base = lock_of(unsigned(Version::V1_10));
    for (field, reason, reseal, change) in &cases {
        assert_refused("cluster-lock", &changed_lock(&base, *reseal, *change), field, reason);
    }
}

/// Charon's reader takes no list for an object, and no second prefix.
#[test]
fn one_spelling_only() {
    let lock: Value = serde_json::from_slice(&lock_of(unsigned(Version::V1_10)).to_json()).unwrap();
    let of_definition = objects_as_lists(&lock["cluster_definition"]);
    let of_lock = objects_as_lists(&lock);
    assert_eq!((of_definition.len(), of_lock.len()), (8, 17));
    let files = of_definition
        .iter()
        .map(|file| ("cluster-definition", file))
        .chain(of_lock.iter().map(|file| ("cluster-lock", file)));
    for (kind, file) in files {
        assert_refused(kind, file.to_string().as_bytes(), "file", "expected an object");
    }
    let recipient = "distributed_validators[0].builder_registration.message.fee_recipient";
    let upper = changed_lock(&lock_of(unsigned(Version::V1_10)), false, |l| {
        let place =
            &mut l["distributed_validators"][0]["builder_registration"]["message"]["fee_recipient"];
        *place = place.as_str().unwrap().replace("0x", "0X").into();
    });
    assert_refused("cluster-lock", &upper, recipient, "42 characters instead of 40");
}

/// A file of short entries is not kept whole.
#[test]
fn lists_are_kept_as_far_as_they_are_counted() {
    let many = |place: &str, entry: Value| {
        let mut lock: Value =
            serde_json::from_slice(&lock_of(unsigned(Version::V1_10)).to_json()).unwrap();
        *lock.pointer_mut(place).unwrap() = vec![entry; 70_000].into();
        lock.to_string().into_bytes()
    };
    for (place, entry, field) in [
        ("/node_signatures", json!(""), "node_signatures"),
        (
            "/distributed_validators/0/public_shares",
            json!(""),
            "distributed_validators[0].public_shares",
        ),
        ("/cluster_definition/deposit_amounts", json!(""), "cluster_definition.deposit_amounts"),
    ] {
        assert_refused("cluster-lock", &many(place, entry), field, "257 entries; the limit is 256");
    }
}

/// The key of a vector of deposits.
const UNRELATED_KEY: &str = "0xb384f767d964e100c8a9b21018d08c25ffebae268b3ab6d610353897541971726dbfc3c7463884c68a531515aab94c87";

/// The files of `test-vectors/obol`, which the conformance suite reads too, are what is made here.
///
///     QUORATE_WRITE_VECTORS=1 cargo test --test obol files
#[test]
fn files_for_the_conformance_suite() {
    let mut several = signed(Version::V1_11);
    (several.deposit_amounts, several.compounding) = (None, true);
    let several = lock_of(sign(several));
    let files = [
        ("unsigned-v1.10.0.definition.json", unsigned(Version::V1_10).to_json()),
        ("signed-v1.10.0.definition.json", signed(Version::V1_10).to_json()),
        ("signed-v1.8.0.lock.json", lock_of(signed(Version::V1_8)).to_json()),
        ("unsigned-v1.10.0.lock.json", lock_of(unsigned(Version::V1_10)).to_json()),
        ("signed-v1.10.0.lock.json", lock_of(signed(Version::V1_10)).to_json()),
        ("signed-v1.11.0-compounding.lock.json", several.to_json()),
    ];
    for (name, bytes) in files {
        if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
            fs::create_dir_all(vector("")).unwrap();
            fs::write(vector(name), &bytes).unwrap();
        }
        assert_eq!(fs::read(vector(name)).unwrap(), bytes, "{name}");
    }
}
