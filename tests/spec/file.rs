//! Rules of the ceremony file, one case each: the input, and the exact error.

use quorate::ethereum::address::AddressError;
use quorate::ethereum::amount::AmountError;
use quorate::ethereum::network::NetworkError;
use quorate::identity::card::{CardError, NameError};
use quorate::primitives::hash::Digest;
use quorate::spec::endpoint::EndpointError;
use quorate::spec::file::MOST_FILE_BYTES;
use quorate::spec::threshold::ThresholdError;
use quorate::spec::version::Version;
use quorate::spec::{Ceremony, CeremonyFile, Place, SpecError};
use serde_json::{Value, json};

use super::{
    FIRST, SECOND, bytes, card, card_of_version_1, card_with_noise_of, ceremony, edited, good, with,
};

fn at_operator(position: usize, field: &'static str) -> Place {
    Place::operator(position, field)
}

fn at_validator(position: usize, field: &'static str) -> Place {
    Place::validator(position, field)
}

fn devnet() -> Value {
    json!({ "name": "devnet-1", "genesis_fork_version": "0x10000038",
        "genesis_validators_root": "07".repeat(32) })
}

fn operators(count: usize) -> Value {
    (0..count).map(|i| json!({ "card": card(&format!("op {i}")) })).collect()
}

fn second_attempt(supersedes: &str) -> Value {
    edited(with("/attempt", json!(2)), "/supersedes", json!(supersedes))
}

/// What is tried, the file, the reason why it is refused.
pub(crate) fn cases() -> Vec<(&'static str, Value, SpecError)> {
    use SpecError::*;
    let head = [
        ("another version", with("/version", json!(3)), FileVersion(3)),
        ("id too short", with("/id", json!("00")), Hex { field: "id", digits: 64 }),
        (
            "id of other letters",
            with("/id", json!("x".repeat(64))),
            Hex { field: "id", digits: 64 },
        ),
        ("id zero", with("/id", json!("0".repeat(64))), IdZero),
        ("no name", with("/name", json!("")), Name(NameError::Empty)),
        ("long name", with("/name", json!("a".repeat(65))), Name(NameError::TooLong { most: 64 })),
        (
            "terminal escape",
            with("/name", json!("a\u{1b}[2Jb")),
            Name(NameError::Character { found: '\u{1b}' }),
        ),
        ("line end", with("/name", json!("a\nb")), Name(NameError::Character { found: '\n' })),
        (
            "direction override",
            with("/name", json!("a\u{202e}b")),
            Name(NameError::Character { found: '\u{202e}' }),
        ),
        (
            "zero width",
            with("/name", json!("a\u{200b}b")),
            Name(NameError::Character { found: '\u{200b}' }),
        ),
        (
            "homoglyph",
            with("/name", json!("\u{430}bc")),
            Name(NameError::Character { found: '\u{430}' }),
        ),
        ("space at the end", with("/name", json!("a ")), Name(NameError::Spaces)),
        ("attempt zero", with("/attempt", json!(0)), AttemptZero),
        ("second attempt of nothing", with("/attempt", json!(2)), SupersedesMissing { attempt: 2 }),
        (
            "first attempt of something",
            with("/supersedes", json!("01".repeat(32))),
            SupersedesUnexpected,
        ),
        ("superseding zero", second_attempt(&"0".repeat(64)), SupersedesZero),
        ("superseding no digest", second_attempt("hoodi"), Hex { field: "supersedes", digits: 64 }),
    ];
    let network = [
        ("unknown", with("/network", json!("goerli")), NetworkUnknown("goerli".to_owned())),
        (
            "homoglyph",
            with("/network", json!("ho\u{43e}di")),
            NetworkUnknown(r"ho\u{43e}di".to_owned()),
        ),
        (
            "posing as mainnet",
            with("/network", edited(devnet(), "/genesis_fork_version", json!("0x00000000"))),
            Network(NetworkError::KnownForkVersion("mainnet")),
        ),
        (
            "posing by name",
            with("/network", edited(devnet(), "/name", json!("hoodi"))),
            Network(NetworkError::KnownName("hoodi")),
        ),
        (
            "fork version of three bytes",
            with("/network", edited(devnet(), "/genesis_fork_version", json!("0x000000"))),
            Hex { field: "network.genesis_fork_version", digits: 8 },
        ),
        (
            "capella",
            with("/network", edited(devnet(), "/capella_fork_version", json!(""))),
            Hex { field: "network.capella_fork_version", digits: 8 },
        ),
        (
            "root",
            with("/network", edited(devnet(), "/genesis_validators_root", json!("07"))),
            Hex { field: "network.genesis_validators_root", digits: 64 },
        ),
        (
            "registration without genesis time",
            with("/network", devnet()),
            GenesisTimeMissing { place: at_validator(1, "fee_recipient") },
        ),
    ];
    let operators = [
        ("no majority", with("/threshold", json!(2)), {
            Threshold(ThresholdError::NotMajority { required: 2, participants: 4 })
        }),
        ("more than there are", with("/threshold", json!(5)), {
            Threshold(ThresholdError::AboveOperators { required: 5, participants: 4 })
        }),
        ("threshold 1", with("/threshold", json!(1)), Threshold(ThresholdError::TooLow(1))),
        (
            "no operators",
            with("/operators", json!([])),
            Threshold(ThresholdError::TooFewOperators(0)),
        ),
        (
            "256 operators",
            with("/operators", operators(256)),
            Threshold(ThresholdError::TooManyOperators(256)),
        ),
        ("all required", with("/threshold", json!(4)), AllRequired(4)),
        ("card in upper case", with("/operators/1/card", json!(card("bob").to_uppercase())), {
            Card { place: at_operator(1, "card"), source: CardError::NotCanonical }
        }),
        ("address without port", with("/operators/2/address", json!("carol.example")), {
            Address { place: at_operator(2, "address"), source: EndpointError::Shape }
        }),
        (
            "point 0",
            with("/operators/0/point", json!(0)),
            PointZero { place: at_operator(0, "point") },
        ),
        ("point twice", with("/operators/0/point", json!(2)), {
            PointDuplicate { place: at_operator(1, "point"), point: 2, first: 0 }
        }),
        ("points descending", with("/operators/0/point", json!(9)), {
            PointOrder { place: at_operator(1, "point"), point: 2, previous: 9 }
        }),
        ("one operator in two seats", with("/operators/3/card", json!(card("alice"))), {
            KeyDuplicate { place: at_operator(3, "card"), first: 0 }
        }),
        (
            "one Noise static in two seats",
            with("/operators/3/card", json!(card_with_noise_of("dave", "bob"))),
            { NoiseKeyDuplicate { place: at_operator(3, "card"), first: 1 } },
        ),
        ("one name in two seats", with("/operators/3/card", json!(card("Carol"))), {
            NameDuplicate { place: at_operator(3, "card"), name: "Carol".to_owned(), first: 2 }
        }),
        ("a name that looks like another", with("/operators/3/card", json!(card("b0b"))), {
            NameAlike { place: at_operator(3, "card"), name: "b0b".to_owned(), first: 1 }
        }),
        (
            "a card without an install mark",
            with("/operators/3/card", json!(card_of_version_1())),
            { CardVersion { place: at_operator(3, "card"), card: 1, ceremony: Version::Two } },
        ),
        ("cards with install marks in a file of version 1", with("/version", json!(1)), {
            CardVersion { place: at_operator(0, "card"), card: 2, ceremony: Version::One }
        }),
        ("a ceremony name that ends its quotation", with("/name", json!("a\" b")), {
            Name(NameError::Quote { found: '"' })
        }),
        ("one address in two seats", with("/operators/3/address", json!("ALICE.example:3610")), {
            AddressDuplicate {
                place: at_operator(3, "address"),
                address: "alice.example:3610".to_owned(),
                first: 0,
            }
        }),
    ];
    head.into_iter().chain(network).chain(operators).chain(validator_cases()).collect()
}

fn validator_cases() -> Vec<(&'static str, Value, SpecError)> {
    use SpecError::*;
    let amounts = |list: Value| with("/validators/1/amounts", list);
    let amount = |source| Amount { place: at_validator(1, "amounts"), source };
    let text = |text: &str| text.to_owned();
    let large = edited(edited(good(), "/operators", operators(32)), "/threshold", json!(22));
    vec![
        ("none", with("/validators", json!([])), NoValidators),
        ("one too many", with("/validators/0/count", json!(8192)), TooManyValidators(8193)),
        ("2^64 of them", with("/validators/0/count", json!(u64::MAX)), TooManyValidators(u64::MAX)),
        ("too much work", edited(large, "/validators/0/count", json!(5681)), {
            TooMuchWork { validators: 5682, participants: 32, required: 22 }
        }),
        (
            "an empty block",
            with("/validators/1/count", json!(0)),
            CountZero { place: at_validator(1, "count") },
        ),
        (
            "withdrawal without checksum",
            with("/validators/1/withdrawal", json!(SECOND.to_lowercase())),
            {
                Withdrawal {
                    place: at_validator(1, "withdrawal"),
                    source: AddressError::NoChecksum,
                }
            },
        ),
        (
            "withdrawal mistyped",
            with("/validators/1/withdrawal", json!(SECOND.replace("fB69", "fB68"))),
            {
                Withdrawal {
                    place: at_validator(1, "withdrawal"),
                    source: AddressError::BadChecksum,
                }
            },
        ),
        (
            "withdrawal to zero",
            with("/validators/0/withdrawal", json!(format!("0x{}", "0".repeat(40)))),
            { Withdrawal { place: at_validator(0, "withdrawal"), source: AddressError::Zero } },
        ),
        ("no deposit", amounts(json!([])), NoAmounts { place: at_validator(1, "amounts") }),
        ("nine deposits", amounts(json!([1, 2, 3, 4, 5, 6, 7, 8, 9])), {
            TooManyAmounts { place: at_validator(1, "amounts"), found: 9 }
        }),
        ("a comma", amounts(json!(["1,5"])), amount(AmountError::NotDecimal)),
        ("finer than a gwei", amounts(json!(["1.0000000001"])), amount(AmountError::TooFine)),
        ("less than the contract takes", amounts(json!(["0.999999999"])), {
            amount(AmountError::BelowMinimum {
                amount: text("0.999999999 ETH"),
                least: text("1 ETH"),
            })
        }),
        ("more than compounding can use", amounts(json!([32, 2049])), {
            amount(AmountError::AboveMaximum {
                amount: text("2049 ETH"),
                most: text("2048 ETH"),
                prefix: "0x02",
            })
        }),
        (
            "more than 0x01 can use",
            edited(amounts(json!([33])), "/validators/1/compounding", json!(false)),
            {
                amount(AmountError::AboveMaximum {
                    amount: text("33 ETH"),
                    most: text("32 ETH"),
                    prefix: "0x01",
                })
            },
        ),
        ("one deposit twice", amounts(json!(["1", "1.0"])), {
            AmountDuplicate { place: at_validator(1, "amounts"), amount: text("1 ETH") }
        }),
        ("deposits descending", amounts(json!([32, 1])), {
            AmountOrder {
                place: at_validator(1, "amounts"),
                amount: text("1 ETH"),
                previous: text("32 ETH"),
            }
        }),
        (
            "fees to zero",
            with("/validators/1/fee_recipient", json!(format!("0x{}", "0".repeat(40)))),
            {
                FeeRecipient { place: at_validator(1, "fee_recipient"), source: AddressError::Zero }
            },
        ),
        ("gas limit that no block has", with("/validators/1/gas_limit", json!(4_999)), {
            GasLimit { place: at_validator(1, "gas_limit"), found: 4_999 }
        }),
        ("gas limit beyond sense", with("/validators/1/gas_limit", json!(1_000_000_001)), {
            GasLimit { place: at_validator(1, "gas_limit"), found: 1_000_000_001 }
        }),
        ("gas limit alone", with("/validators/0/gas_limit", json!(30_000_000)), {
            GasLimitAlone { place: at_validator(0, "gas_limit") }
        }),
    ]
}

/// Files that do not even have the form.
pub(crate) fn parse_cases() -> Vec<(&'static str, SpecError)> {
    let toml = |text: &str| CeremonyFile::parse_toml(text).unwrap_err();
    let json = |text: &str| CeremonyFile::parse_json(text).unwrap_err();
    vec![
        ("large TOML", toml(&" ".repeat(MOST_FILE_BYTES + 1))),
        ("large JSON", json(&" ".repeat(MOST_FILE_BYTES + 1))),
        ("no TOML", toml("version = 2\nname")),
        ("no JSON", json("{\n\"version\": }")),
    ]
}

#[test]
fn every_rule() {
    for (tried, file, reason) in cases() {
        assert_eq!(ceremony(&file).unwrap_err(), reason, "{tried}");
    }
    for (tried, error) in parse_cases() {
        let large = tried.starts_with("large");
        assert_eq!(
            error == SpecError::FileTooLarge(MOST_FILE_BYTES + 1),
            large,
            "{tried}: {error}"
        );
    }
}

#[test]
fn what_is_said_is_a_sentence_with_its_place() {
    let said = |file: Value| ceremony(&file).unwrap_err().to_string();
    assert_eq!(
        said(with("/validators/1/withdrawal", json!(SECOND.to_lowercase()))),
        "validators[1].withdrawal: the address has no checksum: copy it in its mixed-case spelling \
         (ERC-55) from the wallet"
    );
    assert_eq!(said(with("/validators/0/gas_limit", json!(1))), {
        "validators[0].gas_limit: given without fee_recipient; a builder registration needs both"
    });
    assert_eq!(said(with("/threshold", json!(2))), {
        "threshold 2 of 4: not a majority, so two separate groups could sign conflicting blocks"
    });
    for (tried, _, reason) in cases() {
        let text = reason.to_string();
        assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)), "{tried}: {text:?}");
    }
}

#[test]
fn good_at_the_limits() {
    let n32 = edited(edited(good(), "/operators", operators(32)), "/threshold", json!(22));
    let all =
        edited(with("/threshold", json!(4)), "/policy", json!({ "allow_all_required": true }));
    let custom = with("/network", edited(devnet(), "/genesis_time", json!(1_700_000_000)));
    for (tried, file) in [
        ("as it is", good()),
        ("8192 validators", with("/validators/0/count", json!(8191))),
        ("most work", edited(n32, "/validators/0/count", json!(5680))),
        (
            "255 operators",
            edited(edited(good(), "/operators", operators(255)), "/threshold", json!(128)),
        ),
        ("all required, allowed", all),
        ("custom network", custom),
        ("second attempt", second_attempt(&"01".repeat(32))),
        ("largest point", with("/operators/3/point", json!(u64::MAX))),
        ("eight deposits", with("/validators/1/amounts", json!([1, 2, 3, 4, 5, 6, 7, 2048]))),
        ("no address", with("/operators/0", json!({ "card": card("alice") }))),
        ("id with 0x", with("/id", json!(format!("0x{}", hex::encode(bytes("ceremony")))))),
    ] {
        assert_eq!(ceremony(&file).map(|_| ()), Ok(()), "{tried}");
    }
}

#[test]
fn what_a_file_says_is_what_the_ceremony_has() {
    let ceremony = ceremony(&good()).unwrap();
    assert_eq!((ceremony.t(), ceremony.n(), ceremony.v()), (3, 4, 3));
    assert_eq!(
        (ceremony.name(), ceremony.attempt(), ceremony.supersedes()),
        ("Test cluster", 1, None)
    );
    let seats: Vec<_> = ceremony.roster().iter().collect();
    for (position, name) in ["alice", "bob", "carol", "dave"].iter().enumerate() {
        let (index, seat) = seats[position];
        assert_eq!((usize::from(index.get()), seat.point), (position + 1, position as u64 + 1));
        assert_eq!((seat.card.name.as_str(), index.position()), (*name, position));
        assert_eq!(ceremony.roster().find(&seat.card.key), Some(index));
        assert_eq!(ceremony.roster().get(index), Some(seat));
        assert_eq!(
            seat.address.as_ref().map(|a| (a.host(), a.port())),
            Some((format!("{name}.example"), 3610 + position as u16))
        );
    }
    assert_eq!(ceremony.indices().map(|index| index.get()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(ceremony.roster().find(&super::operator("erin").key().public()), None);
    let [first, second, third] = ceremony.validators() else { panic!("three validators") };
    assert_eq!(first, second);
    assert_eq!(
        (first.withdrawal.address().to_string().as_str(), first.withdrawal.is_compounding()),
        (FIRST, false)
    );
    assert_eq!((first.amounts.as_slice(), first.registration), ([32_000_000_000].as_slice(), None));
    assert_eq!(
        (third.withdrawal.address().to_string().as_str(), third.withdrawal.is_compounding()),
        (SECOND, true)
    );
    assert_eq!(third.amounts, [1_000_000_000, 32_500_000_000]);
    assert_eq!(
        third.registration.map(|r| (r.fee_recipient.to_string(), r.gas_limit)),
        Some((super::FEES.to_owned(), 30_000_000))
    );
}

#[test]
fn gnosis_counts_in_its_own_token() {
    let file = edited(
        with("/network", json!("gnosis")),
        "/validators/1/amounts",
        json!(["0.03125", "1.5", "64"]),
    );
    let ceremony = ceremony(&file).unwrap();
    assert_eq!(ceremony.validators()[0].amounts, [32_000_000_000]);
    assert_eq!(
        ceremony.validators()[2].amounts,
        [1_000_000_000, 48_000_000_000, 2_048_000_000_000]
    );
}

#[test]
fn toml_faults_name_their_line() {
    let good = CeremonyFile::parse_json(&good().to_string()).unwrap().to_toml();
    let line_of =
        |needle: &str| 1 + good.lines().position(|line| line.starts_with(needle)).unwrap();
    let cases = [
        ("name = ", "name = \"again\"\nname = ", 1, "duplicate key"),
        ("threshold = ", "treshold = ", 0, "unknown field `treshold`, expected one of"),
        ("threshold = 3", "threshold = -3", 0, "invalid value: integer `-3`, expected u16"),
        ("threshold = 3", "threshold = 70000", 0, "invalid value: integer `70000`, expected u16"),
        (
            "network = \"hoodi\"",
            "network = 5",
            0,
            "expected the name of a network, or a [network] table",
        ),
        (
            "compounding = true",
            "compounding = \"true\"",
            0,
            "invalid type: string \"true\", expected a boolean",
        ),
        ("count = 1\n", "count = 1\ncount = 1\n", 1, "duplicate key"),
        ("amounts = [\"1\", \"32.5\"]", "amounts = [1, 32.5]", 0, "as a string, like \"1.5\""),
        ("amounts = [\"1\", \"32.5\"]", "amounts = [-1]", 0, "an amount is not negative"),
        ("amounts = [\"1\", \"32.5\"]", "amounts = [1979-05-27]", 0, "expected an amount"),
    ];
    for (from, to, lines_after, said) in cases {
        let bad = good.replacen(from, to, 1);
        let error = CeremonyFile::parse_toml(&bad).unwrap_err();
        let SpecError::Toml { line, message } = &error else { panic!("{error:?}") };
        assert!(message.contains(said), "{to:?}: {message}");
        assert_eq!(*line, line_of(from.lines().next().unwrap()) + lines_after, "{to:?}: {message}");
    }
    let missing = good.replace("compounding = true\n", "");
    assert!(
        CeremonyFile::parse_toml(&missing)
            .unwrap_err()
            .to_string()
            .contains("missing field `compounding`")
    );
}

#[test]
fn json_faults() {
    let text = serde_json::to_string_pretty(&good()).unwrap();
    for (from, to, said) in [
        ("\"threshold\": 3", "\"threshold\": 3, \"threshold\": 3", "duplicate field `threshold`"),
        (
            "\"compounding\": true",
            "\"compounding\": true, \"compounding\": true",
            "duplicate field `compounding`",
        ),
        ("\"compounding\": true", "\"compounding\": true, \"x\": 0", "unknown field `x`"),
        (
            "\"network\": \"hoodi\"",
            "\"network\": {\"name\": \"a\", \"name\": \"b\", \"genesis_fork_version\": \"\", \
             \"genesis_validators_root\": \"\"}",
            "duplicate field `name`",
        ),
        ("\"network\": \"hoodi\"", "\"network\": {\"nme\": \"a\"}", "unknown field `nme`"),
        ("\"network\": \"hoodi\"", "\"network\": [\"hoodi\"]", "expected the name of a network"),
        ("\"threshold\": 3", "\"threshold\": 3.0", "expected u16"),
        ("\"32.5\"", "32.5", "as a string, like \"1.5\""),
    ] {
        assert!(text.contains(from), "{from}");
        let error = CeremonyFile::parse_json(&text.replacen(from, to, 1)).unwrap_err();
        let SpecError::Json { line, message } = &error else { panic!("{error:?}") };
        assert!(message.contains(said) && !message.contains(" at line "), "{to}: {message}");
        assert!(*line > 1, "{to}");
    }
    // Every table refuses what it does not know.
    for table in ["", "/operators/0", "/validators/1", "/policy", "/network"] {
        let file = edited(with("/policy", json!({})), "/network", devnet());
        let error = ceremony(&edited(file, &format!("{table}/x"), json!(1))).unwrap_err();
        assert!(error.to_string().contains("unknown field `x`"), "{table}: {error}");
    }
    let trailing = CeremonyFile::parse_json(&format!("{text} x")).unwrap_err().to_string();
    assert!(trailing.contains("trailing characters"), "{trailing}");
}

#[test]
fn a_fault_cannot_reach_the_terminal_or_the_stack() {
    for text in ["\"a\u{1b}[31mb\" = 1", "a = \"\u{202e}\u{7}\"", "\u{1b}]0;title\u{7}"] {
        let error = CeremonyFile::parse_toml(text).unwrap_err().to_string();
        assert!(error.bytes().all(|b| (b' '..=b'~').contains(&b)), "{error:?}");
    }
    let json = CeremonyFile::parse_json("{\"a\\u001b[31m\\u202e\": 1}").unwrap_err().to_string();
    assert!(json.bytes().all(|b| (b' '..=b'~').contains(&b)), "{json:?}");
    let deep = 100_000;
    assert!(matches!(
        CeremonyFile::parse_toml(&format!("version = {}", "[".repeat(deep))),
        Err(SpecError::Toml { .. })
    ));
    assert!(matches!(
        CeremonyFile::parse_toml(&format!("{} = 1", vec!["a"; deep].join("."))),
        Err(SpecError::Toml { .. })
    ));
    assert!(matches!(CeremonyFile::parse_json(&"[".repeat(deep)), Err(SpecError::Json { .. })));
    let nested = format!("{{\"network\": {}", "{\"name\":".repeat(deep));
    assert!(matches!(CeremonyFile::parse_json(&nested), Err(SpecError::Json { .. })));
}

#[test]
fn hints_and_spellings_are_not_agreed_upon() {
    let digest = |file: &Value| ceremony(file).map(|ceremony| ceremony.digest());
    let same = digest(&good());
    for file in [
        with("/operators/0/address", json!("elsewhere.example:1")),
        with("/operators/0", json!({ "card": card("alice"), "point": 1 })),
        with("/validators/1/amounts", json!(["1.0", "32.50"])),
        with("/validators", {
            let validators = good()["validators"].clone();
            let one = edited(validators.clone(), "/0/count", json!(1));
            json!([one[0], one[0], validators[1]])
        }),
        with("/policy", json!({})),
        with("/attempt", json!(1)),
    ] {
        assert_eq!(digest(&file), same);
    }
    for file in [
        with("/name", json!("Test Cluster")),
        with("/id", json!("01".repeat(32))),
        with("/operators/3/point", json!(5)),
        with("/validators/0/compounding", json!(true)),
        with("/validators/0/amounts", json!([31])),
        with("/validators/1/gas_limit", json!(30_000_001)),
        with("/policy", json!({ "allow_all_required": true })),
        second_attempt(&"01".repeat(32)),
    ] {
        assert_ne!(digest(&file), same);
        assert_ne!(digest(&file).unwrap(), Digest::ZERO);
    }
}

#[test]
fn a_ceremony_is_a_file_again() {
    let custom = edited(devnet(), "/genesis_time", json!(1_700_000_000));
    let custom = with("/network", edited(custom, "/capella_fork_version", json!("40000038")));
    let all =
        edited(with("/threshold", json!(4)), "/policy", json!({ "allow_all_required": true }));
    let gnosis = edited(
        with("/network", json!("gnosis")),
        "/validators/1/amounts",
        json!(["0.03125", "1.5"]),
    );
    for file in [
        good(),
        custom,
        all,
        gnosis,
        second_attempt(&"01".repeat(32)),
        with("/name", json!("a # = [d] {e}, $f")),
        with("/operators/3/point", json!(u64::MAX)),
    ] {
        let parsed = CeremonyFile::parse_json(&file.to_string()).unwrap();
        assert_eq!(
            CeremonyFile::parse_toml(&parsed.to_toml()),
            Ok(parsed.clone()),
            "{}",
            parsed.to_toml()
        );
        let first = Ceremony::try_from(parsed).unwrap();
        let again = CeremonyFile::from(&first);
        assert_eq!(CeremonyFile::parse_toml(&again.to_toml()).as_ref(), Ok(&again));
        assert_eq!(
            CeremonyFile::parse_json(&serde_json::to_string(&again).unwrap()).as_ref(),
            Ok(&again)
        );
        let second = Ceremony::try_from(again).unwrap();
        assert_eq!((second.digest(), second.roster()), (first.digest(), first.roster()));
    }
}

/// A list of values in the order of the fields gives no name to read: it is refused, wherever an
/// object belongs, in both spellings.
#[test]
fn values_stand_under_the_names_of_their_fields() {
    let good = good();
    let (card, validator) = (&good["operators"][0]["card"], &good["validators"][0]);
    let (withdrawal, compounding) = (&validator["withdrawal"], &validator["compounding"]);
    let lists = [
        ("policy", json!([false])),
        ("preregistration", json!(["2026-08-17"])),
        ("ssv", json!([withdrawal, 0])),
        ("obol", json!(["{}", []])),
        ("operators", json!([[card], [card]])),
        ("validators", json!([[1, withdrawal, compounding]])),
        ("network", json!(["devnet-1", "0x10000038", null, "07".repeat(32)])),
    ];
    let object = |message: &str| message.contains("invalid type: sequence, expected an object");
    for (field, list) in lists {
        let file = with(&format!("/{field}"), list.clone());
        match CeremonyFile::parse_json(&file.to_string()) {
            Err(SpecError::Json { message, .. }) => {
                assert!(object(&message) || field == "network", "{field}: {message}")
            }
            other => panic!("{field}: {other:?}"),
        }
        if field == "network" {
            continue;
        }
        let others = "version = 2\nname = \"a\"\nid = \"00\"\nthreshold = 2\nnetwork = \"hoodi\"\n";
        let rest = ["operators", "validators"].into_iter().filter(|other| *other != field);
        let rest: String = rest.map(|other| format!("{other} = []\n")).collect();
        match CeremonyFile::parse_toml(&format!("{others}{rest}{field} = {list}\n")) {
            Err(SpecError::Toml { message, .. }) => assert!(object(&message), "{field}: {message}"),
            other => panic!("{field}: {other:?}"),
        }
    }
    let whole = CeremonyFile::parse_json("[2, \"a\", \"00\", 1, null]").unwrap_err().to_string();
    assert!(object(&whole), "{whole}");
}
