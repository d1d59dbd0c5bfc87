//! The summary that people read.

use quorate::spec::CeremonyFile;
use quorate::spec::canonical::fingerprint;
use quorate::spec::show::{describe, few, words};
use serde_json::json;

use super::{ceremony, edited, good, with};

/// To write the two files again: `QUORATE_WRITE_VECTORS=1 cargo test --test spec the_whole`.
#[test]
fn the_whole_of_it() {
    if std::env::var_os("QUORATE_WRITE_VECTORS").is_some() {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
        let file = CeremonyFile::parse_json(&good().to_string()).unwrap();
        std::fs::write(here.join("described.txt"), describe(&ceremony(&good()).unwrap())).unwrap();
        std::fs::write(here.join("written.toml"), file.to_toml()).unwrap();
    }
    assert_eq!(describe(&ceremony(&good()).unwrap()), include_str!("described.txt"));
    let file = CeremonyFile::parse_json(&good().to_string()).unwrap();
    assert_eq!(file.to_toml(), include_str!("written.toml"));
}

#[test]
fn warnings() {
    let all =
        edited(with("/threshold", json!(4)), "/policy", json!({ "allow_all_required": true }));
    for (file, line) in [
        (all, "\nWARNING: every operator is required; one lost share ends the validators\n"),
        (
            with("/validators/0/amounts", json!(["1", "30.5"])),
            "\nWARNING: validators 1-2: these deposits total less than 32 ETH and do not activate \
             a validator\n",
        ),
        (
            edited(with("/network", json!("gnosis")), "/validators/1/amounts", json!(["0.5"])),
            "\nWARNING: validator 3: these deposits total less than 1 GNO and do not activate \
             a validator\n",
        ),
    ] {
        let text = describe(&ceremony(&file).unwrap());
        assert_eq!(text.matches("WARNING").count(), 1, "{text}");
        assert!(text.contains(line), "{text}");
    }
    assert!(!describe(&ceremony(&good()).unwrap()).contains("WARNING"));
}

#[test]
fn what_is_unusual_is_said() {
    let network = json!({
        "name": "devnet-1", "genesis_fork_version": "0x10000038",
        "genesis_validators_root": "07".repeat(32), "genesis_time": 7
    });
    for (file, line) in [
        (
            with("/policy", json!({ "allow_all_required": true })),
            "  Policy: a threshold of all operators is allowed\n".to_owned(),
        ),
        (
            with("/operators/3/point", json!(77)),
            "  4. \"dave\" (point 77), dave.example:3613\n".to_owned(),
        ),
        (
            with("/network", network),
            "Network: devnet-1 (not built in)\n  genesis fork version     0x10000038\n".to_owned(),
        ),
        (
            edited(with("/attempt", json!(2)), "/supersedes", json!("01".repeat(32))),
            format!("  supersedes  {}\n", "01".repeat(32)),
        ),
    ] {
        let text = describe(&ceremony(&file).unwrap());
        assert!(text.contains(&line), "{text}");
        assert!(!describe(&ceremony(&good()).unwrap()).contains(&line), "{line}");
    }
}

#[test]
fn nothing_but_printable_ascii_and_line_ends() {
    let file = with("/name", json!("<script>$(x)%n u001b</script>"));
    let text = describe(&ceremony(&file).unwrap());
    assert!(text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "{text:?}");
}

#[test]
fn groups_and_numbers() {
    let block = |count: u64, amounts: serde_json::Value| {
        json!({ "count": count,
        "withdrawal": super::FIRST, "compounding": true, "amounts": amounts })
    };
    let file = with(
        "/validators",
        json!([block(3, json!([32])), block(1, json!([1, 32])), block(2, json!([32]))]),
    );
    let text = describe(&ceremony(&file).unwrap());
    assert!(text.contains("Money: 193 ETH for 6 validators, in 7 deposits, on hoodi\n"), "{text}");
    assert!(text.contains("    validators 1-3, 5-6: 32 ETH each\n"), "{text}");
    assert!(text.contains("    validator 4: 1 ETH + 32 ETH each\n"), "{text}");
}

/// At a prompt, the money and the words are what is still on the screen; warnings stand above them.
#[test]
fn money_and_words_stand_last() {
    let file = with("/validators/0/amounts", json!(["1", "30.5"]));
    let ceremony = ceremony(&file).unwrap();
    let text = describe(&ceremony);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(at("\nOperators: ") < at("\nNetwork: ") && at("\nNetwork: ") < at("\nWARNING: "));
    assert!(at("\nWARNING: ") < at("\nMoney: ") && at("\nMoney: ") < at("\nFingerprint"));
    assert!(text.ends_with(&format!("\n{}\n", words(&ceremony))));
}

#[test]
fn twelve_words_in_three_rows_of_four() {
    let ceremony = ceremony(&good()).unwrap();
    let table = words(&ceremony);
    assert_eq!(table.lines().count(), 3);
    assert!(table.lines().all(|row| row.split_whitespace().count() == 8 && row.len() <= 60));
    let numbered: Vec<&str> = table.split_whitespace().collect();
    for (at, word) in fingerprint(&ceremony.digest()).iter().enumerate() {
        assert_eq!(numbered[2 * at..2 * at + 2], [&format!("{}.", at + 1), *word]);
    }
}

/// No address is left out, however many there are: all of them are listed before the money.
#[test]
fn many_addresses_are_all_there_and_the_money_stays_short() {
    let payee = |v: u64| {
        let address = format!(
            "0x27{:038}",
            18_281_828_459_045_235_360_287_471_352_662_490_000_u128 + u128::from(v)
        );
        json!({ "withdrawal": address, "compounding": true })
    };
    let file = with("/validators", (1..=200).map(payee).collect());
    let ceremony = ceremony(&file).unwrap();
    let text = describe(&ceremony);
    let (before, money) = text.split_once("\nMoney: ").unwrap();
    for validator in ceremony.validators() {
        let address = validator.withdrawal.address().to_string();
        assert_eq!(before.matches(&address).count(), 1, "{address}");
    }
    assert!(before.contains("WARNING: the money goes to 200 addresses"), "{before}");
    assert!(money.contains("  ... 198 more addresses, listed above ...\n"), "{money}");
    assert!(money.lines().count() < 16, "{money}");
}

#[test]
fn long_lists_are_first_last_and_how_many() {
    let rows = |count: usize| (1..=count).map(|row| row.to_string()).collect::<Vec<_>>();
    assert_eq!(few(rows(10), false), rows(10));
    assert_eq!(few(rows(200), true), rows(200));
    assert_eq!(few(rows(200), false), ["1", "   ...  198 more (--verbose lists all)", "200"]);
}
