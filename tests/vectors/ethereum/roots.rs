//! Networks, domains, signing roots.

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::bls::{bls_sign, bls_verify};
use quorate::ethereum::deposit::{DepositMessage, WithdrawalCredentials};
use quorate::ethereum::exit::VoluntaryExit;
use quorate::ethereum::network::{CustomNetwork, Network};
use quorate::ethereum::registration::Registration;
use quorate::primitives::curve::{G1, SecretScalar};
use serde_json::Value;

use super::{json, unhex};

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Built-in networks by name; the others of the specification's list as custom ones.
fn any_network(name: &str, constants: &Value) -> Network {
    Network::known(name).unwrap_or_else(|| {
        Network::custom(CustomNetwork {
            name: name.to_owned(),
            genesis_fork_version: unhex(&constants["genesis_fork_version"]),
            capella_fork_version: Some(unhex(&constants["capella_fork_version"])),
            // Ephemery's root changes at each reset; it is part of no domain used here.
            genesis_validators_root: if constants["genesis_validators_root"].is_null() {
                [0; 32]
            } else {
                unhex(&constants["genesis_validators_root"])
            },
            genesis_time: constants["genesis_time"].as_u64(),
        })
        .unwrap()
    })
}

#[test]
fn constants_of_networks() {
    let networks = json("networks.json");
    let networks = networks.as_object().unwrap();
    let mut checked = 0;
    for name in Network::known_names() {
        let (ours, theirs) = (Network::known(name).unwrap(), &networks[name]);
        assert_eq!(ours.name(), name);
        assert!(ours.is_known());
        assert_eq!(ours.genesis_fork_version(), unhex(&theirs["genesis_fork_version"]));
        assert_eq!(ours.capella_fork_version(), Some(unhex(&theirs["capella_fork_version"])));
        assert_eq!(ours.genesis_validators_root(), unhex(&theirs["genesis_validators_root"]));
        assert_eq!(ours.genesis_time(), theirs["genesis_time"].as_u64());
        assert_eq!(ours.unit().in_gwei(), theirs["multiplier"].as_u64().unwrap() * 1_000_000_000);
        checked += 1;
    }
    assert_eq!(checked, 5);
}

#[test]
fn domains_and_signing_roots() {
    let all = json("domains.json");
    let (mut checked, mut exits) = (0, 0);
    for (name, vector) in all.as_object().unwrap() {
        let network = any_network(name, &vector["inputs"]);
        assert_eq!(
            network.deposit_domain().as_bytes(),
            &unhex::<32>(&vector["domains"]["deposit"]),
            "{name}"
        );
        assert_eq!(
            network.builder_domain().as_bytes(),
            &unhex::<32>(&vector["domains"]["application_builder"]),
            "{name}"
        );

        let worked = &vector["worked"]["deposit_message"];
        let message = DepositMessage {
            pubkey: unhex(&worked["pubkey"]),
            withdrawal_credentials: WithdrawalCredentials::from_bytes(unhex(
                &worked["withdrawal_credentials"],
            ))
            .unwrap(),
            amount: number(&worked["amount"]),
        };
        assert_eq!(message.root(), unhex(&worked["hash_tree_root"]), "{name}");
        assert_eq!(message.signing_root(&network), unhex(&worked["signing_root"]), "{name}");

        let worked = &vector["worked"]["validator_registration_v1"];
        let registration = Registration {
            fee_recipient: ExecutionAddress::parse_any(worked["fee_recipient"].as_str().unwrap())
                .unwrap(),
            gas_limit: number(&worked["gas_limit"]),
            timestamp: number(&worked["timestamp"]),
            pubkey: unhex(&worked["pubkey"]),
        };
        assert_eq!(registration.root(), unhex(&worked["hash_tree_root"]), "{name}");
        assert_eq!(registration.signing_root(&network), unhex(&worked["signing_root"]), "{name}");

        let worked = &vector["worked"]["voluntary_exit"];
        // Ephemery's own root changes, and there is no answer for it.
        if !worked.is_null() {
            let exit = VoluntaryExit {
                epoch: number(&worked["epoch"]),
                validator_index: number(&worked["validator_index"]),
            };
            assert_eq!(
                network.exit_domain().unwrap().as_bytes(),
                &unhex::<32>(&vector["domains"]["voluntary_exit"]),
                "{name}"
            );
            assert_eq!(exit.root(), unhex(&worked["hash_tree_root"]), "{name}");
            assert_eq!(exit.signing_root(&network), Some(unhex(&worked["signing_root"])), "{name}");
            exits += 1;
        }
        checked += 1;
    }
    assert_eq!((checked, exits), (COUNT_DOMAINS, COUNT_EXITS));
}

/// Networks in `domains.json`.
const COUNT_DOMAINS: usize = 8;
/// Those with an exit.
const COUNT_EXITS: usize = 7;

#[test]
fn registration_signature() {
    let vector = json("registration/hoodi-signing.json");
    let network = super::network("hoodi");
    assert_eq!(network.builder_domain().as_bytes(), &unhex::<32>(&vector["domain"]));
    let message = &vector["message"];
    let registration = Registration {
        fee_recipient: ExecutionAddress::parse_checksummed(
            message["fee_recipient"].as_str().unwrap(),
        )
        .unwrap(),
        gas_limit: number(&message["gas_limit"]),
        timestamp: number(&message["timestamp"]),
        pubkey: unhex(&message["pubkey"]),
    };
    let root = registration.signing_root(&network);
    let secret = SecretScalar::from_be_bytes(&unhex(&vector["secret_key"])).unwrap();
    let signature = bls_sign(&secret, &root).unwrap();
    assert_eq!(signature.to_compressed(), unhex(&vector["signature"]));
    let signer = G1::from_compressed(&unhex(&vector["signer_pubkey"])).unwrap();
    assert_eq!(secret.base_mult(), Some(signer));
    assert!(bls_verify(&signer, &root, &signature));
    // The key in the message is another one.
    assert!(!bls_verify(&G1::from_compressed(&registration.pubkey).unwrap(), &root, &signature));
}

/// The withdrawal request of EIP-7002 is the key and an amount of zero.
#[test]
fn withdrawal_requests() {
    let key = [0xab; 48];
    let calldata = quorate::ethereum::exit::withdrawal_request(&key);
    assert_eq!((&calldata[..48], &calldata[48..]), (&key[..], &[0; 8][..]));
}
