//! Cluster definitions made for the tests, with known keys.

use std::collections::BTreeSet;

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::obol::check::{Cluster, DefinitionError};
use quorate::ethereum::obol::definition::{
    ClusterDefinition, ClusterOperator, Creator, ValidatorAddresses, Version,
};
use quorate::ethereum::obol::eip712::{Purpose, digest};
use quorate::ethereum::obol::enr;
use quorate::ethereum::secp256k1::NodeSecret;

/// Chain id of the networks below.
const HOODI: u64 = 560_048;

pub(crate) fn address(byte: u8) -> ExecutionAddress {
    ExecutionAddress::from_bytes([byte; 20]).unwrap()
}

/// The node key of an operator, by position.
pub(crate) fn node(operator: usize) -> NodeSecret {
    NodeSecret::from_bytes(&[u8::try_from(operator).unwrap() + 1; 32]).unwrap()
}

/// The wallet of an operator; that of the creator is one more than the last.
pub(crate) fn wallet(operator: usize) -> NodeSecret {
    NodeSecret::from_bytes(&[u8::try_from(operator).unwrap() + 101; 32]).unwrap()
}

/// Signed by nobody: 3 of 4 on hoodi, two validators, of the usual amounts.
pub(crate) fn unsigned(version: Version) -> ClusterDefinition {
    let operator = |i| ClusterOperator {
        address: None,
        enr: enr::write(&node(i)),
        config_signature: Vec::new(),
        enr_signature: Vec::new(),
    };
    ClusterDefinition {
        name: "Four of us".to_owned(),
        creator: Creator::default(),
        operators: (0..4).map(operator).collect(),
        uuid: "0C5F7C1E-5D0A-4C6E-9C57-3B1F5A2D8E40".to_owned(),
        version,
        timestamp: "2026-11-23T08:00:00Z".to_owned(),
        num_validators: 2,
        threshold: 3,
        validators: [0xaa, 0xab]
            .map(|byte| ValidatorAddresses {
                fee_recipient: address(0xfe),
                withdrawal: address(byte),
            })
            .to_vec(),
        dkg_algorithm: "default".to_owned(),
        fork_version: [0x10, 0x00, 0x09, 0x10],
        deposit_amounts: Some(vec![32_000_000_000]),
        consensus_protocol: if version >= Version::V1_9 {
            "qbft".to_owned()
        } else {
            String::new()
        },
        target_gas_limit: if version >= Version::V1_10 { 36_000_000 } else { 0 },
        compounding: false,
        config_hash: [0; 32],
        definition_hash: [0; 32],
    }
    .with_hashes()
}

/// The same, with every signature that there is.
pub(crate) fn signed(version: Version) -> ClusterDefinition {
    let mut definition = unsigned(version);
    let wallet_address =
        |i| Some(ExecutionAddress::from_bytes(wallet(i).public().address()).unwrap());
    for (i, operator) in definition.operators.iter_mut().enumerate() {
        operator.address = wallet_address(i);
    }
    definition.creator.address = wallet_address(4);
    sign(definition)
}

/// Signs a definition anew, as its fields now are.
pub(crate) fn sign(mut definition: ClusterDefinition) -> ClusterDefinition {
    definition.config_hash = definition.compute_config_hash();
    let config = format!("0x{}", hex::encode(definition.config_hash));
    let by = |i: usize, purpose, text: &str| {
        let mut signature = wallet(i).sign(&digest(purpose, text, HOODI)).to_vec();
        // As wallets give it.
        signature[64] += 27;
        signature
    };
    for (i, operator) in definition.operators.iter_mut().enumerate() {
        operator.config_signature = by(i, Purpose::OperatorConfig, &config);
        operator.enr_signature = by(i, Purpose::Enr, &operator.enr);
    }
    definition.creator.config_signature = by(4, Purpose::CreatorConfig, &config);
    definition.with_hashes()
}

pub(crate) fn check(definition: ClusterDefinition) -> Result<Cluster, DefinitionError> {
    Cluster::check(definition, BTreeSet::new())
}
