//! Cluster definitions: which are accepted, and each reason to refuse one.

use std::collections::BTreeSet;
use std::path::Path;

use quorate::ethereum::address::{AddressError, ExecutionAddress};
use quorate::ethereum::json::HexError;
use quorate::ethereum::obol::check::{Cluster, DefinitionError, WalletFault};
use quorate::ethereum::obol::definition::{ClusterDefinition, FieldFault, Remark, Version};
use quorate::ethereum::obol::enr::EnrError;
use quorate::ethereum::obol::lock::ClusterLock;
use quorate::ethereum::obol::lock_check::LockError;
use quorate::ethereum::secp256k1::Secp256k1Error;
use serde_json::{Value, json};

use crate::made::{check, node, sign, signed, unsigned, wallet};

/// What is done to the JSON of a definition.
type Change = fn(&mut Value);

const VERSIONS: [Version; 4] = [Version::V1_8, Version::V1_9, Version::V1_10, Version::V1_11];

#[test]
fn made_written_and_read_again() {
    for version in VERSIONS {
        for definition in [unsigned(version), signed(version)] {
            let cluster = check(definition.clone()).unwrap();
            assert_eq!(cluster.nodes(), [0, 1, 2, 3].map(|i| node(i).public()));
            assert!(cluster.unchecked().is_empty());
            assert_eq!(ClusterDefinition::parse(&definition.to_json()).as_ref(), Ok(&definition));
            assert_eq!(ClusterDefinition::parse(&definition.to_compact_json()), Ok(definition));
        }
    }
}

/// An example of each version in the specification, byte for byte. To write them again:
///
///     QUORATE_WRITE_VECTORS=1 cargo test -p quorate-cli --test obol examples
#[test]
fn examples_in_the_specification_are_read_and_written_alike() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ceremony-specs/examples/obol");
    // Signed where the version is the newest, so that each form is there.
    let mut none = signed(Version::V1_11);
    (none.deposit_amounts, none.compounding) = (None, true);
    let examples =
        [unsigned(Version::V1_8), unsigned(Version::V1_9), signed(Version::V1_10), sign(none)];
    for example in &examples {
        let path = folder.join(format!("definition-{}.json", example.version.text()));
        if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, example.to_json()).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap();
        let read = ClusterDefinition::parse(&bytes).unwrap();
        assert_eq!(&read, example, "{}", path.display());
        assert_eq!(read.to_json(), bytes, "{}", path.display());
        check(read).unwrap();
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), examples.len());
}

/// Three ways to give no amounts are one definition, and one spelling.
#[test]
fn no_amounts_have_one_spelling() {
    let mut none = unsigned(Version::V1_10);
    none.deposit_amounts = None;
    let none = none.with_hashes();
    let value: Value = serde_json::from_slice(&none.to_json()).unwrap();
    assert_eq!(value["deposit_amounts"], Value::Null);
    let mut empty = value.clone();
    empty["deposit_amounts"] = json!([]);
    let mut absent = value;
    absent.as_object_mut().unwrap().remove("deposit_amounts");
    for spelling in [empty, absent] {
        let read = ClusterDefinition::parse(&serde_json::to_vec(&spelling).unwrap()).unwrap();
        assert_eq!(read, none);
        assert_eq!(read.to_compact_json(), none.to_compact_json());
    }
    // Made so, it is written so too.
    let mut made = none.clone();
    made.deposit_amounts = Some(Vec::new());
    assert_eq!(made.to_json(), none.to_json());
}

/// A wallet's address in a definition that it has not signed: Charon refuses it.
#[test]
fn an_address_without_signatures_is_refused() {
    let address = wallet(1).public().address();
    let mut definition = unsigned(Version::V1_10);
    definition.operators[1].address = Some(ExecutionAddress::from_bytes(address).unwrap());
    let missing = |field: &str| DefinitionError::PartlySigned { field: field.to_owned() };
    assert_eq!(check(definition.with_hashes()), Err(missing("operators[1].config_signature")));
    let mut definition = unsigned(Version::V1_10);
    definition.creator.address = Some(ExecutionAddress::from_bytes(address).unwrap());
    assert_eq!(check(definition.with_hashes()), Err(missing("creator.config_signature")));
}

#[test]
fn the_creator_alone_may_sign() {
    let mut definition = signed(Version::V1_10);
    for operator in &mut definition.operators {
        operator.address = None;
        operator.config_signature.clear();
        operator.enr_signature.clear();
    }
    // Operators' addresses are in what the creator signs.
    let mut definition = sign(definition);
    for operator in &mut definition.operators {
        operator.config_signature.clear();
        operator.enr_signature.clear();
    }
    check(definition.with_hashes()).unwrap();
}

#[test]
fn amounts_as_charon_deposits_them() {
    let amounts = |given: Option<Vec<u64>>, compounding| {
        let mut definition = unsigned(Version::V1_10);
        (definition.deposit_amounts, definition.compounding) = (given, compounding);
        definition.amounts()
    };
    const ETH: u64 = 1_000_000_000;
    assert_eq!(amounts(None, false), [ETH, 32 * ETH]);
    assert_eq!(amounts(Some(Vec::new()), true), [ETH, 8 * ETH, 32 * ETH, 256 * ETH]);
    assert_eq!(amounts(Some(vec![16 * ETH, 8 * ETH, 16 * ETH]), false), [8 * ETH, 16 * ETH]);
}

/// A signature that is not the wallet's own is noted, and only for a wallet that is said to be a
/// contract.
#[test]
fn contract_wallets_are_not_checked_and_said_to_be_so() {
    let contract = ExecutionAddress::from_bytes([0xcc; 20]).unwrap();
    let mut definition = signed(Version::V1_11);
    definition.operators[1].address = Some(contract);
    let mut definition = sign(definition);
    let several = [definition.operators[1].enr_signature.clone(), vec![7; 65]].concat();
    definition.operators[1].enr_signature = several;
    let definition = definition.with_hashes();

    let Err(DefinitionError::Wallet { field, fault }) = check(definition.clone()) else {
        panic!("accepted")
    };
    let found = wallet(1).public().address();
    assert_eq!(
        (field.as_str(), fault),
        ("operators[1].config_signature", WalletFault::AnotherKey { expected: contract, found })
    );
    assert!(fault.to_string().contains("ERC-1271"));

    let cluster = Cluster::check(definition.clone(), BTreeSet::from([contract])).unwrap();
    let fields: Vec<&str> =
        cluster.unchecked().iter().map(|unchecked| unchecked.field.as_str()).collect();
    assert_eq!(fields, ["operators[1].config_signature", "operators[1].enr_signature"]);

    let stranger = ExecutionAddress::from_bytes([0xcd; 20]).unwrap();
    let refused = Cluster::check(definition, BTreeSet::from([contract, stranger]));
    assert_eq!(refused, Err(DefinitionError::ContractUnknown(stranger)));
}

/// Changes one thing in the JSON of a definition that is signed or not, states the hashes again if
/// asked to, and checks what comes of it.
fn mutated(
    base: ClusterDefinition,
    rehash: bool,
    change: impl FnOnce(&mut Value),
) -> DefinitionError {
    let mut json: Value = serde_json::from_slice(&base.to_json()).unwrap();
    change(&mut json);
    let parsed = ClusterDefinition::parse(json.to_string().as_bytes());
    let parsed =
        parsed.map(|definition| if rehash { definition.with_hashes() } else { definition });
    parsed.and_then(check).unwrap_err()
}

fn field(name: &str, fault: impl Into<FieldFault>) -> DefinitionError {
    DefinitionError::Field { field: name.to_owned(), fault: fault.into() }
}

#[test]
fn each_field_by_itself() {
    let refused = |change: fn(&mut Value)| mutated(signed(Version::V1_10), false, change);
    let cases: [(DefinitionError, Change); 20] = [
        (field("creator.address", AddressError::BadChecksum), |d| {
            let text = d["creator"]["address"].as_str().unwrap();
            let at = text.rfind(|c: char| c.is_ascii_lowercase()).unwrap();
            d["creator"]["address"] =
                format!("{}{}{}", &text[..at], text[at..=at].to_uppercase(), &text[at + 1..])
                    .into();
        }),
        (field("validators[1].withdrawal_address", AddressError::Digits(4, "")), |d| {
            d["validators"][1]["withdrawal_address"] = "0x1234".into();
        }),
        (field("validators[0].withdrawal_address", AddressError::Zero), |d| {
            d["validators"][0]["withdrawal_address"] = format!("0x{}", "0".repeat(40)).into();
        }),
        (field("validators[0].fee_recipient_address", AddressError::Shape), |d| {
            d["validators"][0]["fee_recipient_address"] = "".into();
        }),
        (field("operators[2].config_signature", FieldFault::Signature(64)), |d| {
            d["operators"][2]["config_signature"] = format!("0x{}", "11".repeat(64)).into();
        }),
        (field("operators[2].enr_signature", FieldFault::Signature(130)), |d| {
            d["operators"][2]["enr_signature"] = format!("0x{}", "11".repeat(130)).into();
        }),
        (field("operators[2].enr_signature", HexError::Digit), |d| {
            d["operators"][2]["enr_signature"] = format!("0x{}", "zz".repeat(65)).into();
        }),
        (field("operators[3].enr", FieldFault::TooLong { found: 1025, most: 1024 }), |d| {
            d["operators"][3]["enr"] = "e".repeat(1025).into();
        }),
        (field("name", FieldFault::TooLong { found: 257, most: 256 }), |d| {
            d["name"] = "n".repeat(257).into()
        }),
        (field("uuid", FieldFault::TooLong { found: 65, most: 64 }), |d| {
            d["uuid"] = "u".repeat(65).into()
        }),
        (field("timestamp", FieldFault::TooLong { found: 33, most: 32 }), |d| {
            d["timestamp"] = "t".repeat(33).into()
        }),
        (field("dkg_algorithm", FieldFault::TooLong { found: 33, most: 32 }), |d| {
            d["dkg_algorithm"] = "a".repeat(33).into()
        }),
        (field("consensus_protocol", FieldFault::TooLong { found: 257, most: 256 }), |d| {
            d["consensus_protocol"] = "c".repeat(257).into();
        }),
        (field("fork_version", HexError::Length { expected: 8, found: 6 }), |d| {
            d["fork_version"] = "0x100009".into()
        }),
        (field("deposit_amounts[0]", FieldFault::Amount), |d| {
            d["deposit_amounts"] = json!(["32e9"])
        }),
        (field("deposit_amounts[1]", FieldFault::Amount), |d| {
            d["deposit_amounts"] = json!(["32000000000", "01000000000"])
        }),
        (field("deposit_amounts", FieldFault::TooMany { found: 257, most: 256 }), |d| {
            d["deposit_amounts"] = vec!["1000000000"; 257].into();
        }),
        (field("operators", FieldFault::TooMany { found: 257, most: 256 }), |d| {
            d["operators"] = vec![d["operators"][0].clone(); 257].into();
        }),
        (field("config_hash", HexError::Length { expected: 64, found: 62 }), |d| {
            d["config_hash"] = format!("0x{}", "00".repeat(31)).into();
        }),
        (DefinitionError::Version("v1.12.0".to_owned()), |d| d["version"] = "v1.12.0".into()),
    ];
    for (expected, change) in cases {
        assert_eq!(refused(change), expected);
    }
}

/// What Charon reads too, and does not write.
#[test]
fn what_others_write_is_read_and_remarked_on() {
    let base = signed(Version::V1_10);
    let read = |change: Change| {
        let mut json: Value = serde_json::from_slice(&base.to_json()).unwrap();
        change(&mut json);
        let (definition, remarks) = ClusterDefinition::read(json.to_string().as_bytes()).unwrap();
        assert_eq!(definition, base, "the same definition");
        remarks
    };
    let unknown = |path: &str| Remark::UnknownField(path.to_owned());
    assert_eq!(read(|_| ()), []);
    assert_eq!(read(|d| d["colour"] = "red".into()), [unknown("colour")]);
    assert_eq!(read(|d| d["operators"][0]["nonce"] = 0.into()), [unknown("operators.0.nonce")]);
    let spelled: [Change; 4] = [
        |d| d["definition_hash"] = d["definition_hash"].as_str().unwrap()[2..].into(),
        |d| {
            let digits = d["operators"][2]["enr_signature"].as_str().unwrap()[2..].to_uppercase();
            d["operators"][2]["enr_signature"] = format!("0x{digits}").into();
        },
        |d| d["fork_version"] = "10000910".into(),
        |d| {
            let lower = d["creator"]["address"].as_str().unwrap().to_lowercase();
            d["creator"]["address"] = lower.into();
        },
    ];
    for change in spelled {
        assert_eq!(read(change), [Remark::Spelling]);
    }
}

#[test]
fn an_older_version_is_named_first() {
    for (shape, version) in [(json!({"version": "v1.4.0"}), "v1.4.0"), (json!({}), "")] {
        let error = ClusterDefinition::parse(shape.to_string().as_bytes()).unwrap_err();
        match version {
            "" => assert!(matches!(error, DefinitionError::Json(_)), "{error}"),
            version => assert_eq!(error, DefinitionError::Version(version.to_owned())),
        }
    }
    let lock = json!({"cluster_definition": {"version": "v1.7.0"}, "distributed_validators": 3});
    let error = ClusterLock::parse(lock.to_string().as_bytes()).unwrap_err();
    assert_eq!(error, LockError::Definition(DefinitionError::Version("v1.7.0".to_owned())));
}

#[test]
fn json_that_is_not_a_definitions() {
    let cases: [(&str, Change); 5] = [
        ("missing field `threshold`", |d| drop(d.as_object_mut().unwrap().remove("threshold"))),
        ("missing field `enr`", |d| drop(d["operators"][1].as_object_mut().unwrap().remove("enr"))),
        ("expected a string", |d| d["deposit_amounts"] = json!([32_000_000_000_u64])),
        ("expected u64", |d| d["threshold"] = (-3).into()),
        ("expected a boolean", |d| d["compounding"] = "no".into()),
    ];
    for (expected, change) in cases {
        let error = mutated(unsigned(Version::V1_10), false, change);
        assert!(
            matches!(&error, DefinitionError::Json(_)) && error.to_string().contains(expected),
            "{error}"
        );
    }
    for (version, name) in [
        (Version::V1_8, "consensus_protocol"),
        (Version::V1_9, "compounding"),
        (Version::V1_9, "target_gas_limit"),
    ] {
        let values = json!({"consensus_protocol": "", "compounding": false, "target_gas_limit": 1});
        let error = mutated(unsigned(version), false, |d| d[name] = values[name].clone());
        assert_eq!(error, field(name, FieldFault::NotOfVersion(version.text())));
    }
    let mut twice = String::from_utf8(unsigned(Version::V1_10).to_compact_json()).unwrap();
    twice.insert_str(1, "\"uuid\":\"x\",");
    assert!(
        ClusterDefinition::parse(twice.as_bytes())
            .unwrap_err()
            .to_string()
            .contains("duplicate field `uuid`")
    );
    let huge = vec![b' '; 3 << 20];
    assert!(
        ClusterDefinition::parse(&huge)
            .unwrap_err()
            .to_string()
            .contains("the limit for such a file")
    );
}

#[test]
fn hashes_that_do_not_follow() {
    let (stated, base) = ([0x11; 32], signed(Version::V1_10));
    let error = mutated(base.clone(), false, |d| {
        d["config_hash"] = format!("0x{}", "11".repeat(32)).into()
    });
    assert_eq!(error, DefinitionError::ConfigHash { stated, computed: base.config_hash });
    let error = mutated(base.clone(), false, |d| {
        d["definition_hash"] = format!("0x{}", "11".repeat(32)).into()
    });
    assert_eq!(error, DefinitionError::DefinitionHash { stated, computed: base.definition_hash });
    // Whatever is in a hash cannot change without it.
    let config: [Change; 9] = [
        |d| d["name"] = "Five of us".into(),
        |d| d["uuid"] = "another".into(),
        |d| d["timestamp"] = "later".into(),
        |d| d["threshold"] = 2.into(),
        |d| d["dkg_algorithm"] = "frost".into(),
        |d| d["deposit_amounts"] = json!(["32000000000", "1000000000"]),
        |d| d["target_gas_limit"] = 30_000_000.into(),
        |d| d["compounding"] = true.into(),
        |d| {
            d["validators"][0]["withdrawal_address"] =
                d["validators"][1]["withdrawal_address"].clone()
        },
    ];
    for change in config {
        assert!(matches!(mutated(base.clone(), false, change), DefinitionError::ConfigHash { .. }));
    }
    let error =
        mutated(base, false, |d| d["operators"][0]["enr"] = d["operators"][1]["enr"].clone());
    assert!(matches!(error, DefinitionError::DefinitionHash { .. }));
}

#[test]
fn numbers_that_do_not_fit_together() {
    let refused = |change: fn(&mut Value)| mutated(unsigned(Version::V1_10), true, change);
    assert_eq!(
        refused(|d| d["num_validators"] = 3.into()),
        DefinitionError::NumValidators { stated: 3, found: 2 }
    );
    assert_eq!(refused(|d| d["operators"] = json!([])), DefinitionError::NoOperators);
    for threshold in [0_u64, 1, 5, u64::MAX] {
        let error = mutated(unsigned(Version::V1_10), true, |d| d["threshold"] = threshold.into());
        assert_eq!(error, DefinitionError::Threshold { threshold, operators: 4 });
    }
    assert_eq!(
        refused(|d| d["deposit_amounts"] = json!(["32000000000", "999999999"])),
        DefinitionError::Amount { position: 1, gwei: 999_999_999, most: 32_000_000_000 }
    );
    assert_eq!(
        refused(|d| d["deposit_amounts"] = json!(["32000000001"])),
        DefinitionError::Amount { position: 0, gwei: 32_000_000_001, most: 32_000_000_000 }
    );
    assert_eq!(
        refused(|d| d["deposit_amounts"] = json!(["8000000000", "8000000000", "8000000000"])),
        DefinitionError::AmountSum(24_000_000_000)
    );
}

#[test]
fn node_records() {
    let refused = |change: fn(&mut Value)| mutated(unsigned(Version::V1_10), true, change);
    assert_eq!(
        refused(|d| d["operators"][3]["enr"] = d["operators"][1]["enr"].clone()),
        DefinitionError::EnrDuplicate { operator: 3, first: 1 }
    );
    assert_eq!(
        refused(|d| d["operators"][2]["enr"] = "".into()),
        DefinitionError::Enr { operator: 2, source: EnrError::Prefix }
    );
    let error = refused(|d| {
        let text = d["operators"][2]["enr"].as_str().unwrap();
        d["operators"][2]["enr"] =
            text.replacen(&text[20..21], if &text[20..21] == "A" { "B" } else { "A" }, 1).into();
    });
    assert!(
        matches!(
            error,
            DefinitionError::Enr { operator: 2, source: EnrError::Signature | EnrError::Rlp(_) }
        ),
        "{error}"
    );
}

#[test]
fn signatures_of_wallets() {
    let refused = |change: fn(&mut Value)| mutated(signed(Version::V1_10), true, change);
    let fault = |error: DefinitionError| match error {
        DefinitionError::Wallet { field, fault } => (field, fault),
        other => panic!("{other}"),
    };
    let partly = |name: &str| DefinitionError::PartlySigned { field: name.to_owned() };
    assert_eq!(
        refused(|d| d["operators"][1]["enr_signature"] = "".into()),
        partly("operators[1].enr_signature")
    );
    assert_eq!(
        refused(|d| d["operators"][1]["config_signature"] = "".into()),
        partly("operators[1].config_signature")
    );
    assert_eq!(
        refused(|d| d["creator"]["config_signature"] = "".into()),
        partly("creator.config_signature")
    );

    // Swapped, of another purpose, flipped, of an impossible last byte, over a definition that has
    // changed since.
    let (field, swapped) = fault(refused(|d| {
        d["operators"][0]["config_signature"] = d["operators"][1]["config_signature"].clone();
    }));
    assert_eq!(field, "operators[0].config_signature");
    assert!(matches!(swapped, WalletFault::AnotherKey { found,
        .. } if found == wallet(1).public().address()));
    let (field, _) = fault(refused(|d| {
        d["operators"][0]["enr_signature"] = d["operators"][0]["config_signature"].clone()
    }));
    assert_eq!(field, "operators[0].enr_signature");
    let (field, creator) = fault(refused(|d| {
        let text = d["creator"]["config_signature"].as_str().unwrap();
        d["creator"]["config_signature"] = format!("{}05", &text[..text.len() - 2]).into();
    }));
    assert_eq!(
        (field.as_str(), creator),
        ("creator.config_signature", WalletFault::Malformed(Secp256k1Error::RecoveryId(5)))
    );
    let (field, _) = fault(refused(|d| d["target_gas_limit"] = 30_000_000.into()));
    assert_eq!(field, "operators[0].config_signature");
    let (field, _) = fault(refused(|d| d["fork_version"] = "0x00000000".into()));
    assert_eq!(field, "operators[0].config_signature", "signed for another chain");
    assert_eq!(
        refused(|d| d["fork_version"] = "0x01020304".into()),
        DefinitionError::Network([1, 2, 3, 4])
    );
}

#[test]
fn all_sign_or_none() {
    let mut definition = signed(Version::V1_10);
    definition.operators[2].address = None;
    let mut definition = sign(definition);
    definition.operators[2].config_signature.clear();
    definition.operators[2].enr_signature.clear();
    assert_eq!(check(definition.with_hashes()), Err(DefinitionError::SomeUnsigned { operator: 2 }));

    let mut definition = signed(Version::V1_10);
    definition.operators[2].address = None;
    let error = check(sign(definition));
    assert_eq!(
        error,
        Err(DefinitionError::PartlySigned { field: "operators[2].address".to_owned() })
    );

    let mut definition = signed(Version::V1_10);
    definition.creator.address = None;
    let mut definition = sign(definition);
    definition.creator.config_signature.clear();
    assert_eq!(check(definition.with_hashes()), Err(DefinitionError::CreatorUnsigned));
}
