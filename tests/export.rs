//! From a ceremony and an outcome to files and back. The signatures are made with whole keys here,
//! which makes no difference to the files.
#![allow(clippy::unwrap_used)]

use quorate::ethereum::amount::AmountError;
use quorate::ethereum::bls::bls_sign;
use quorate::ethereum::keystore::{DerivedKey, Kdf, Keystore, Password};
use quorate::export::keystores::{Holder, Profile, keystore_files, keystore_files_as};
use quorate::export::launchpad::{
    CeremonyFileError, DepositFileError, Fault, OutcomeError, RegistrationFileError, SignedDeposit,
    deposit_files, registrations_file, verify_deposit_file, verify_registrations_file,
    write_deposits,
};
use quorate::export::{Artifact, Audience};
use quorate::identity::card::OperatorName;
use quorate::identity::operator::Operator;
use quorate::primitives::curve::{G1, SecretScalar};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::protocol::items::items;
use quorate::protocol::outcome::ValidatorOutcome;
use quorate::spec::ceremony::Ceremony;
use quorate::spec::file::CeremonyFile;
use quorate::spec::threshold::Index;
use rand_core::SeedableRng;

/// Two validators with 32 ETH, one of them with a registration; one with 1 and 32 ETH; one with
/// 31.5 ETH.
const VALIDATORS: &str = r#"
[[validators]]
withdrawal = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
compounding = false
[[validators]]
withdrawal = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
compounding = true
amounts = ["1", "32"]
fee_recipient = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"
[[validators]]
withdrawal = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
compounding = false
amounts = ["31.5"]
"#;

fn ceremony(validators: &str) -> Ceremony {
    let mut text = format!(
        "version = 2\nname = \"Test cluster\"\nid = \"{}\"\nnetwork = \"hoodi\"\nthreshold = 3\n",
        "11".repeat(32)
    );
    for (i, name) in ["alice", "bob", "carol", "dave"].into_iter().enumerate() {
        let entropy = Secret32::new(&mut [u8::try_from(i).unwrap() + 1; 32]);
        let operator = Operator::generate(OperatorName::parse(name).unwrap(), entropy);
        text += &format!("[[operators]]\ncard = \"{}\"\n", operator.card().encode());
    }
    Ceremony::try_from(CeremonyFile::parse_toml(&(text + validators)).unwrap()).unwrap()
}

fn secret(value: usize) -> SecretScalar {
    let mut bytes = [0; 32];
    bytes[31] = u8::try_from(value).unwrap();
    SecretScalar::from_be_bytes(&bytes).unwrap()
}

/// Validator `v` has the secret key `v + 5`.
fn outcome(ceremony: &Ceremony) -> Vec<ValidatorOutcome> {
    (0..ceremony.v())
        .map(|v| {
            let key = secret(v + 5);
            let public_key = key.base_mult().unwrap();
            let sign = |root: [u8; 32]| bls_sign(&key, &root).unwrap();
            let signatures = items(ceremony, v, &public_key)
                .iter()
                .map(|item| sign(item.signing_root(ceremony)))
                .collect();
            ValidatorOutcome {
                public_key,
                public_shares: vec![public_key; ceremony.n()],
                signatures,
                sealed: Vec::new(),
            }
        })
        .collect()
}

fn public_keys(outcome: &[ValidatorOutcome]) -> Vec<G1> {
    outcome.iter().map(|validator| validator.public_key).collect()
}

#[test]
fn every_file_is_verified_as_the_ceremonys() {
    let ceremony = ceremony(VALIDATORS);
    let outcome = outcome(&ceremony);
    let keys = public_keys(&outcome);
    let files = deposit_files(&ceremony, &outcome).unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["deposit-data-1eth.json", "deposit-data-31.5eth.json", "deposit-data.json"]);
    let rows: Vec<usize> = files
        .iter()
        .map(|file| verify_deposit_file(&file.bytes, &ceremony, &keys).unwrap().len())
        .collect();
    assert_eq!(rows, [1, 1, 2]);
    assert_eq!(deposit_files(&ceremony, &outcome).unwrap(), files, "the same bytes again");

    let Artifact { name, audience, bytes } =
        registrations_file(&ceremony, &outcome).unwrap().unwrap();
    assert_eq!((name.as_str(), audience), ("registrations.json", Audience::Public));
    let registrations = verify_registrations_file(&bytes, &ceremony, &keys).unwrap();
    assert_eq!(registrations.len(), 1);
    assert_eq!(registrations[0].message.timestamp, ceremony.network().genesis_time().unwrap());

    let plain = self::ceremony(
        VALIDATORS
            .split("[[validators]]\n")
            .nth(1)
            .map(|one| format!("[[validators]]\n{one}"))
            .unwrap()
            .as_str(),
    );
    assert_eq!(registrations_file(&plain, &self::outcome(&plain)), Ok(None));
}

/// A genuine file of this ceremony with its rows changed, and what becomes of it.
fn changed(change: impl Fn(&mut Vec<SignedDeposit>)) -> Result<usize, CeremonyFileError> {
    let ceremony = ceremony(VALIDATORS);
    let outcome = outcome(&ceremony);
    let keys = public_keys(&outcome);
    let mut rows = Vec::new();
    for file in deposit_files(&ceremony, &outcome).unwrap() {
        rows.extend(verify_deposit_file(&file.bytes, &ceremony, &keys).unwrap());
    }
    change(&mut rows);
    let file = write_deposits(ceremony.network(), &rows);
    verify_deposit_file(&file, &ceremony, &keys).map(|rows| rows.len())
}

#[test]
fn rows_of_another_ceremony_are_refused() {
    let at = |entry, field, fault| Err(DepositFileError::Entry { entry, field, fault }.into());
    assert_eq!(changed(|_| ()), Ok(4), "all amounts in one file are the ceremony's too");
    assert_eq!(changed(|rows| rows.truncate(1)), Ok(1), "an amount of its own");
    assert_eq!(changed(Vec::clear), Err(DepositFileError::Empty.into()));
    // The last row is the second validator's 32 ETH; 32 ETH of the first one stand in the file.
    let Err(CeremonyFileError::Deposits(DepositFileError::Missing { amount, .. })) =
        changed(|rows| rows.truncate(3))
    else {
        panic!("a missing row is not named")
    };
    assert_eq!(amount, "32 ETH");
    let stranger = |rows: &mut Vec<SignedDeposit>| {
        rows[1].message.pubkey = secret(99).base_mult().unwrap().to_compressed()
    };
    assert_eq!(changed(stranger), at(2, "pubkey", Fault::Unexpected));
    assert_eq!(changed(|rows| rows[0].message.amount += 1), at(1, "amount", Fault::Unexpected));
    let below = AmountError::BelowMinimum {
        amount: "0.999999999 ETH".to_owned(),
        least: "1 ETH".to_owned(),
    };
    assert_eq!(changed(|rows| rows[0].message.amount -= 1), at(1, "amount", below.into()));
    let elsewhere = changed(|rows| {
        rows[3].message.withdrawal_credentials = rows[2].message.withdrawal_credentials
    });
    assert_eq!(elsewhere, at(4, "withdrawal_credentials", Fault::Elsewhere(1)));
    let redirected = changed(|rows| {
        let (key, other) = (rows[3].message.pubkey, rows[2].message.withdrawal_credentials);
        for row in rows.iter_mut().filter(|row| row.message.pubkey == key) {
            row.message.withdrawal_credentials = other;
        }
    });
    assert!(
        matches!(
            redirected,
            Err(CeremonyFileError::Deposits(DepositFileError::Entry {
                entry: 1,
                field: "withdrawal_credentials",
                fault: Fault::Value { .. }
            }))
        ),
        "{redirected:?}"
    );
    let swapped = changed(|rows| rows[2].signature = rows[3].signature);
    assert_eq!(swapped, at(3, "signature", Fault::Signature("hoodi".to_owned())));
}

#[test]
fn an_outcome_of_another_shape_is_refused() {
    let ceremony = ceremony(VALIDATORS);
    let mut outcome = outcome(&ceremony);
    let keys = public_keys(&outcome);
    let file = registrations_file(&ceremony, &outcome).unwrap().unwrap();
    let swapped = [keys[1], keys[0], keys[2]];
    let unexpected = RegistrationFileError::Unexpected { entry: 1, field: "pubkey" };
    assert_eq!(verify_registrations_file(&file.bytes, &ceremony, &swapped), Err(unexpected.into()));
    let two = OutcomeError::Validators { expected: 3, found: 2 };
    assert_eq!(verify_deposit_file(b"[]", &ceremony, &keys[..2]), Err(two.into()));
    outcome[1].signatures.pop();
    let signatures = OutcomeError::Signatures { validator: 1, expected: 3, found: 2 };
    assert_eq!(deposit_files(&ceremony, &outcome), Err(signatures));
    assert_eq!(registrations_file(&ceremony, &outcome), Err(signatures));
    outcome.pop();
    assert_eq!(deposit_files(&ceremony, &outcome), Err(two));
}

#[test]
fn keystores_name_their_holder() {
    let ceremony = ceremony(VALIDATORS);
    let password = Password::new(&SecretBytes::new(b"correct horse".to_vec())).unwrap();
    let key = DerivedKey::derive(Kdf::insecure_pbkdf2(), &password, [3; 32]);
    let shares = [secret(1), secret(2), secret(3)];
    let public: Vec<G1> = shares.iter().map(|share| share.base_mult().unwrap()).collect();
    let holder = Holder::new(&ceremony, Index::new(4).unwrap()).unwrap();
    let random = chacha20::ChaCha20Rng::from_seed([9; 32]);
    let files = keystore_files(holder, &shares, &public, &key, 1_700_000_000, random).unwrap();
    let mut uuids = std::collections::BTreeSet::new();
    for (v, file) in files.iter().enumerate() {
        assert_eq!(file.audience, Audience::Secret);
        let keystore = Keystore::from_json_even_if_weak(&file.bytes).unwrap();
        assert_eq!(
            keystore.description(),
            format!("Test cluster, validator {v}, share 4 of 4 (threshold 3)")
        );
        assert_eq!(keystore.decrypt(&password).unwrap().to_be_bytes(), shares[v].to_be_bytes());
        let json: serde_json::Value = serde_json::from_slice(&file.bytes).unwrap();
        uuids.insert((json["uuid"].to_string(), json["crypto"]["cipher"].to_string()));
    }
    assert_eq!(uuids.len(), 3);
}

/// What the start scripts of Obol's clusters take for a keystore's public key: of each line that
/// has `"pubkey"`, the fourth field between quotes.
fn keys_by_line(file: &[u8]) -> Vec<String> {
    let lines = core::str::from_utf8(file).unwrap().lines();
    let keys = lines.filter(|line| line.contains("\"pubkey\""));
    keys.map(|line| line.split('"').nth(3).unwrap_or_default().to_owned()).collect()
}

/// Charon's own layout is read by line; the others stay on one.
#[test]
fn keystores_for_charon_have_one_field_a_line() {
    // Its letters reach the description, and the reader must not stumble over them.
    let ceremony = ceremony(VALIDATORS);
    let password = Password::new(&SecretBytes::new(b"correct horse".to_vec())).unwrap();
    let key = DerivedKey::derive(Kdf::insecure_pbkdf2(), &password, [3; 32]);
    let shares = [secret(1), secret(2), secret(3)];
    let public: Vec<G1> = shares.iter().map(|share| share.base_mult().unwrap()).collect();
    let files = |profile, name| {
        let holder =
            Holder { ceremony: name, ..Holder::new(&ceremony, Index::new(4).unwrap()).unwrap() };
        let random = chacha20::ChaCha20Rng::from_seed([9; 32]);
        keystore_files_as(profile, holder, &shares, &public, &key, 0, random).unwrap()
    };
    for name in ["Test cluster", "a \"pubkey\": \"b\"", "two\nlines \"pubkey\" \"x"] {
        for ((charon, plain), share) in
            files(Profile::Charon, name).iter().zip(files(Profile::Default, name)).zip(&public)
        {
            let expected = hex::encode(share.to_compressed());
            assert_eq!(keys_by_line(&charon.bytes), [expected], "{name:?}");
            assert!(!plain.bytes.contains(&b'\n'), "{name:?}");
            let [charon, plain] = [&charon.bytes, &plain.bytes].map(|bytes| {
                (Keystore::from_json_even_if_weak(bytes).unwrap(), bytes.last().copied())
            });
            assert_eq!(charon, plain, "{name:?}: the same keystore, and no line end");
        }
    }
    let first = String::from_utf8(files(Profile::Charon, "Test cluster")[0].bytes.clone()).unwrap();
    let indents: Vec<&str> = first.lines().map(|line| line.trim_end_matches(',')).collect();
    assert_eq!(
        indents[..4],
        ["{", " \"crypto\": {", "  \"kdf\": {", "   \"function\": \"pbkdf2\""]
    );
    assert!(indents.contains(&"   \"params\": {}"), "{first}");
    assert_eq!(indents[indents.len() - 2..], [" \"version\": 4", "}"]);
}

/// Where new shares begin (`ceremony-specs/15-cut-over.md`, section 15.4), by hand.
mod cut_over {
    use quorate::ethereum::interchange::{Interchange, InterchangeError, Signed, Vote};
    use quorate::ethereum::network::Network;
    use quorate::export::cut_over::{
        Ahead, Clock, ClockError, as_interchange, files, first_epoch, floors, stated,
    };
    use quorate::message::minima::{self, Minima};
    use quorate::spec::threshold::Index;
    use serde_json::Value;

    fn ran(slot: u64, source: u64, target: u64) -> Option<minima::Signed> {
        Some(minima::Signed { slot, source, target })
    }

    fn says(dealer: u16, signed: &[Option<minima::Signed>]) -> (Index, Minima) {
        (Index::new(dealer).unwrap(), Minima { signed: signed.to_vec() })
    }

    fn floor(slot: u64, source: u64, target: u64) -> Signed {
        Signed { slot: Some(slot), vote: Some(Vote { source, target }) }
    }

    /// In slot 9 of epoch 100, with 32 slots to an epoch.
    const CLOCK: Clock = Clock { slot: 3209, slots_per_epoch: 32 };

    #[test]
    fn floors_are_above_what_is_stated_and_above_the_clock() {
        let stated = [
            // The clock is later than everything; the greatest source is 97.
            says(1, &[ran(3000, 97, 99), ran(3240, 98, 101), None, ran(0, 0, 0)]),
            // Of the second, somebody's clock is an epoch ahead.
            says(3, &[ran(3100, 95, 98), ran(3100, 100, 100), None, None]),
        ];
        let found = floors(&stated, 4, Some(CLOCK)).unwrap();
        let expected = [
            floor(3209 + 32, 97, 101),
            floor(3240 + 32, 100, 102),
            floor(3241, 0, 101),
            floor(3241, 0, 101),
        ];
        assert_eq!(found.signed, expected);
        // In the other order, the same.
        let back = [stated[1].clone(), stated[0].clone()];
        assert_eq!(floors(&back, 4, Some(CLOCK)).unwrap(), found);
        // A second statement of a dealer comes joined, and can only raise.
        let more = says(3, &[ran(3263, 1, 1), None, ran(1, 1, 1), None]);
        let joined = (more.0, stated[1].1.joined(&more.1));
        let raised = floors(&[stated[0].clone(), joined], 4, Some(CLOCK)).unwrap().signed;
        // Slot 3263 is the last of epoch 101.
        assert_eq!(raised[0], floor(3263 + 32, 97, 101));
        assert_eq!(raised[2], floor(3241, 1, 101));
    }

    /// A clock that is behind takes nothing for less than an honest dealer states: with each value
    /// there are floors, or none at all.
    #[test]
    fn a_clock_that_is_behind_what_is_stated_gives_no_floors() {
        let last = says(2, &[ran(3263, 101, 101)]);
        let found = floors(&[last], 1, Some(CLOCK)).unwrap();
        assert_eq!(found.signed, [floor(3263 + 32, 101, 102)]);
        let behind = [
            (ran(3264, 0, 0), "slot", 3264),
            (ran(0, 102, 0), "source_epoch", 102),
            (ran(0, 0, 102), "target_epoch", 102),
            (ran(u64::MAX, 0, u64::MAX), "target_epoch", u64::MAX),
        ];
        for (ran, field, stated) in behind {
            let all = [says(1, &[None, None]), says(2, &[None, ran])];
            let error = floors(&all, 2, Some(CLOCK)).unwrap_err();
            let dealer = Index::new(2).unwrap();
            let ahead = vec![Ahead { dealer, validator: 1, field, stated }];
            assert_eq!(error, ClockError::Behind { epoch: 100, ahead });
            let text = format!("operator 2 states {field} {stated} of validator 2");
            assert!(error.to_string().ends_with(&text), "{error}");
        }
        // Without a clock nothing is known of the future, and nothing overflows.
        let found = floors(&[says(2, &[ran(u64::MAX, 7, u64::MAX), None])], 2, None).unwrap();
        assert_eq!(found.signed, [floor(u64::MAX, 7, u64::MAX), Signed::default()]);
    }

    #[test]
    fn the_first_epoch_is_two_after_the_last_commit() {
        let hoodi = Network::known("hoodi").unwrap();
        let keys = [[1; 48], [2; 48]];
        let stated = [says(1, &[ran(0, 3, 0), ran(5, 5, 101)])];
        let found = floors(&stated, 2, Some(CLOCK)).unwrap();
        let interchange = found.interchange(&hoodi, &keys);
        assert_eq!(first_epoch(&interchange), Some(103));
        let nobody = floors(&[], 2, Some(CLOCK)).unwrap();
        let nobody = nobody.interchange(&hoodi, &keys);
        assert_eq!(first_epoch(&nobody), Some(102));
        assert_eq!(first_epoch(&Interchange::empty([0; 32])), None);

        let [protection, cut_over] = &files(&hoodi, &keys, &found, Some(CLOCK))[..] else {
            panic!()
        };
        assert_eq!(protection.bytes, interchange.to_json());
        let cut_over: Value = serde_json::from_slice(&cut_over.bytes).unwrap();
        assert_eq!(cut_over["commits_held_in_epoch"], 100);
        assert_eq!(cut_over["first_epoch"], 103);
        // Hoodi's genesis, and 103 epochs of 384 seconds.
        assert_eq!(cut_over["begins"], 1_742_213_400 + 103 * 384);
        assert_eq!(Clock::at(&hoodi, 1_742_213_412), Ok(Some(Clock { slot: 1, ..CLOCK })));
        // One that is before genesis is not one that is not needed.
        assert_eq!(Clock::at(&hoodi, 1_742_213_399), Err(ClockError::BeforeGenesis));
        assert_eq!(Clock::at(&hoodi, 0), Err(ClockError::BeforeGenesis));
    }

    #[test]
    fn what_a_dealer_states_is_what_the_data_says_of_its_own_keys() {
        let hoodi = Network::known("hoodi").unwrap();
        let keys = [[1; 48], [2; 48], [3; 48]];
        let mut data = Interchange::empty(hoodi.genesis_validators_root());
        data.add(keys[0], floor(9, 1, 2));
        data.add(keys[1], Signed::default());
        let missing = Err(InterchangeError::Missing { key: keys[2] });
        assert_eq!(stated(&data, &keys), missing);
        data.add(keys[2], Signed { slot: Some(4), vote: None });
        data.add([4; 48], floor(99, 99, 99));
        let minima = stated(&data, &keys).unwrap();
        assert_eq!(minima.signed, [ran(9, 1, 2), None, ran(4, 0, 0)]);
        // And back: zero is what nothing is.
        let back = as_interchange(&minima, &hoodi, &keys);
        assert_eq!(back.signed(&keys[0]), data.signed(&keys[0]));
        assert_eq!(back.signed(&keys[2]), data.signed(&keys[2]));
        assert_eq!(back.keys().len(), 2);
        let votes = Minima { signed: vec![ran(0, 1, 2)] };
        let votes = as_interchange(&votes, &hoodi, &keys[..1]);
        assert_eq!(votes.signed(&keys[0]).unwrap().slot, None);
    }
}
