//! The summary that people read.

use quorate::spec::CeremonyFile;
use quorate::spec::show::describe;
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
        (all, "  WARNING: every operator is required; one lost share ends the validators\n"),
        (
            with("/validators/0/amounts", json!(["1", "30.5"])),
            "    WARNING: these deposits total less than 32 ETH and do not activate a \
             validator\n",
        ),
        (
            edited(with("/network", json!("gnosis")), "/validators/1/amounts", json!(["0.5"])),
            "    WARNING: these deposits total less than 1 GNO and do not activate a \
             validator\n",
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
            format!("Supersedes   {}\n", "01".repeat(32)),
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
    assert!(text.contains("Money: 193 ETH for 6 validators, in 7 deposits\n"), "{text}");
    assert!(text.contains("    validators 1-3, 5-6: 32 ETH each\n"), "{text}");
    assert!(text.contains("    validator 4: 1 ETH + 32 ETH each\n"), "{text}");
}
