//! Reads the sample that tests the conformance checks: cards, ceremony file, deposits,
//! registrations and keystores made by `conformance/make_sample.py` with py_ecc and pycryptodome,
//! without this crate.

use std::path::PathBuf;

use quorate::ethereum::deposit::DepositMessage;
use quorate::ethereum::keystore::{Keystore, Password};
use quorate::ethereum::registration::Registration;
use quorate::export::launchpad::{verify_deposits, verify_registrations};
use quorate::primitives::curve::{G1Sum, SecretScalar};
use quorate::primitives::lagrange::coefficients_at_zero;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::{Ceremony, CeremonyFile};

/// An operator's only ceremony.
fn folder(name: &str) -> PathBuf {
    let below = crate::support::path("conformance-demo").join(name).join("ceremonies");
    let mut entries = std::fs::read_dir(below).unwrap();
    let only = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    only
}

/// The folder of each operator, in the order of the roster.
fn folders(ceremony: &Ceremony) -> Vec<PathBuf> {
    ceremony.roster().iter().map(|(_, seat)| folder(seat.card.name.as_str())).collect()
}

fn ceremony() -> Ceremony {
    let text = std::fs::read_to_string(folder("alice").join("ceremony.toml")).unwrap();
    Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap()
}

/// The validators' public keys, in the order of the spec, from the deposits of 32 ETH.
fn public_keys(ceremony: &Ceremony) -> Vec<[u8; 48]> {
    let bytes = std::fs::read(folders(ceremony)[0].join("out/public/deposit-data.json")).unwrap();
    let deposits = verify_deposits(&bytes, ceremony.network(), None).unwrap();
    deposits.iter().map(|deposit| deposit.message.pubkey).collect()
}

#[test]
fn deposits_and_registrations_are_the_ones_agreed() {
    let ceremony = ceremony();
    let keys = public_keys(&ceremony);
    let folder = folders(&ceremony)[0].join("out/public");
    for (name, amount, count) in
        [("deposit-data.json", 32_000_000_000, 2), ("deposit-data-1eth.json", 1_000_000_000, 1)]
    {
        let expected: Vec<DepositMessage> = keys
            .iter()
            .zip(ceremony.validators())
            .filter(|(_, validator)| validator.amounts.contains(&amount))
            .map(|(pubkey, validator)| DepositMessage {
                pubkey: *pubkey,
                withdrawal_credentials: validator.withdrawal,
                amount,
            })
            .collect();
        assert_eq!(expected.len(), count, "{name}");
        let bytes = std::fs::read(folder.join(name)).unwrap();
        assert_eq!(
            verify_deposits(&bytes, ceremony.network(), Some(&expected)).unwrap().len(),
            count,
            "{name}"
        );
    }
    let spec = ceremony.validators()[1].registration.unwrap();
    let expected = Registration {
        fee_recipient: spec.fee_recipient,
        gas_limit: spec.gas_limit,
        timestamp: ceremony.network().genesis_time().unwrap(),
        pubkey: keys[1],
    };
    let bytes = std::fs::read(folder.join("registrations.json")).unwrap();
    assert_eq!(
        verify_registrations(&bytes, ceremony.network(), Some(&[expected])).unwrap().len(),
        1
    );
}

/// Each keystore opens with the passphrase as it is written, and any three of the four operators'
/// shares make the validator's key.
#[test]
fn shares_make_the_keys_in_the_deposit_file() {
    let ceremony = ceremony();
    let passphrase =
        std::fs::read(crate::support::path("conformance-demo/passphrase.txt")).unwrap();
    let password =
        Password::new(&SecretBytes::new(passphrase.strip_suffix(b"\n").unwrap().to_vec())).unwrap();
    let share = |folder: &PathBuf, validator: usize| {
        let name = format!(
            "out/secret/validator_keys/keystore-m_12381_3600_{validator}_0_0-1742213400.json"
        );
        let keystore =
            Keystore::from_json_even_if_weak(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        let share = keystore.decrypt(&password).unwrap();
        assert_eq!(share.base_mult().as_ref(), Some(keystore.pubkey()));
        share
    };
    let points: Vec<u64> = ceremony.roster().iter().map(|(_, seat)| seat.point).collect();
    let folders = folders(&ceremony);
    assert_eq!((ceremony.t(), points.as_slice()), (3, [2, 3, 5, 11].as_slice()));
    for (validator, key) in public_keys(&ceremony).iter().enumerate() {
        let shares: Vec<SecretScalar> =
            folders.iter().map(|folder| share(folder, validator)).collect();
        for left_out in 0..4 {
            let chosen: Vec<usize> = (0..4).filter(|at| *at != left_out).collect();
            let xs: Vec<u64> = chosen.iter().map(|at| points[*at]).collect();
            let coefficients = coefficients_at_zero(&xs).unwrap();
            let mut sum = G1Sum::zero();
            for (at, coefficient) in chosen.iter().zip(coefficients) {
                sum.add_sum(&G1Sum::from(shares[*at].base_mult().unwrap()).scaled(&coefficient));
            }
            assert_eq!(
                sum.finish().unwrap().to_compressed(),
                *key,
                "validator {validator} without operator {left_out}"
            );
        }
    }
}
