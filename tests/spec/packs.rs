//! Policy packs: each that is built in, with a ceremony that meets it and others that do not; and
//! the files, field by field.

use std::collections::BTreeSet;

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::obol::check::Cluster;
use quorate::ethereum::obol::definition::ClusterDefinition;
use quorate::spec::file::OperatorEntry;
use quorate::spec::obol::ceremony_file;
use quorate::spec::pack::{Breach, Pack};
use quorate::spec::{Ceremony, CeremonyFile};
use serde_json::{Value, json};

use super::ssv::cluster;
use super::{FIRST, SECOND, card, ceremony, edited, good};

const VAULT: &str = "0x4473dCDDbf77679A643BdB654dbd86D67F8d32f2";
const REWARDS: &str = "0x9b108015fe433F173696Af3Aa0CF7CDb3E104258";

/// Four operators on hoodi, of whom three sign, and two validators of Lido's.
fn lido() -> Value {
    let validators = json!([{ "count": 2, "withdrawal": VAULT, "compounding": false,
        "fee_recipient": REWARDS }]);
    edited(good(), "/validators", validators)
}

/// The same for a treasury of its own.
fn treasury() -> Value {
    let validators = json!([{ "count": 2, "withdrawal": FIRST, "compounding": false,
        "fee_recipient": SECOND }]);
    edited(good(), "/validators", validators)
}

/// A ceremony of an Obol cluster.
fn obol() -> Ceremony {
    let definition = include_bytes!("../../test-vectors/obol/signed-v1.10.0.definition.json");
    let definition = ClusterDefinition::parse(definition).unwrap();
    let cluster = Cluster::check(definition, BTreeSet::new()).unwrap();
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
    let operator = |(at, name): (usize, &&str)| -> OperatorEntry {
        let entry =
            json!({ "card": card(name), "address": format!("{name}.example:{}", 3610 + at) });
        serde_json::from_value(entry).unwrap()
    };
    let count = cluster.definition().operators.len();
    let operators = names[..count].iter().enumerate().map(operator).collect();
    let file = ceremony_file(&cluster, "Obol", &[7; 32], operators).unwrap();
    Ceremony::try_from(CeremonyFile::parse_toml(&file.to_toml()).unwrap()).unwrap()
}

fn breaches(pack: &str, ceremony: &Ceremony) -> Vec<Breach> {
    Pack::built_in(pack).unwrap().check(ceremony).breaches
}

/// Of a reshare those count who hold shares afterwards, and not who only deals.
#[test]
fn operators_of_a_pack_are_those_with_shares() {
    let ceremony = ceremony(&super::reshare::reshare()).unwrap();
    assert_eq!((ceremony.n(), ceremony.threshold().participants(), ceremony.t()), (5, 4, 3));
    let broken: Vec<&str> =
        breaches("lido-dvt-cluster", &ceremony).iter().map(|breach| breach.rule).collect();
    assert!(!broken.contains(&"operators") && !broken.contains(&"threshold"), "{broken:?}");
}

/// The rules that this ceremony breaks, and what is said of the first.
fn broken(pack: &str, file: &Value) -> (Vec<&'static str>, String) {
    let found = breaches(pack, &ceremony(file).unwrap());
    let first = found.first().map(|breach| format!("{}; {}", breach.found, breach.wanted));
    (found.iter().map(|breach| breach.rule).collect(), first.unwrap_or_default())
}

fn refused(pack: &str, file: &Value, rules: &[&str], said: &str) {
    let (found, first) = broken(pack, file);
    assert_eq!(found, rules, "{pack}: {first}");
    assert!(first.contains(said), "{pack}: {first}");
}

#[test]
fn every_pack_has_a_ceremony_that_meets_it() {
    assert_eq!(breaches("lido-csm", &ceremony(&lido()).unwrap()), []);
    assert_eq!(breaches("lido-dvt-cluster", &ceremony(&lido()).unwrap()), []);
    assert_eq!(breaches("treasury", &ceremony(&treasury()).unwrap()), []);
    assert_eq!(breaches("obol", &obol()), []);
    for (n, t) in [(4, 3), (7, 5)] {
        assert_eq!(breaches("ssv", &ceremony(&cluster(n, t)).unwrap()), []);
    }
    // Without a registration, CSM's own rules say nothing of the fee recipient.
    let validators = json!([{ "withdrawal": VAULT, "compounding": false }]);
    let without = edited(lido(), "/validators", validators);
    assert_eq!(breaches("lido-csm", &ceremony(&without).unwrap()), []);
    // On mainnet there are other addresses.
    let mainnet = json!([{ "withdrawal": "0xB9D7934878B5FB9610B3fE8A5e441e8fad7E293f",
        "compounding": false, "fee_recipient": "0x388C818CA8B9251b393131C08a736A67ccB19297" }]);
    let mainnet = edited(edited(lido(), "/validators", mainnet), "/network", "mainnet".into());
    assert_eq!(breaches("lido-dvt-cluster", &ceremony(&mainnet).unwrap()), []);
}

#[test]
fn what_lido_does_not_take() {
    let with = |pointer: &str, value: Value| edited(lido(), pointer, value);
    for pack in ["lido-csm", "lido-dvt-cluster"] {
        let said = "validators 1-2: 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed; 0x4473dCDDbf";
        refused(pack, &with("/validators/0/withdrawal", FIRST.into()), &["withdrawal"], said);
        let fees = with("/validators/0/fee_recipient", FIRST.into());
        refused(pack, &fees, &["fee_recipient"], "; 0x9b108015fe433F173696Af3Aa0CF7CDb3E104258");
        let compounding = with("/validators/0/compounding", true.into());
        refused(pack, &compounding, &["credentials"], "validators 1-2: 0x02; 0x01");
        let amounts = with("/validators/0/amounts", json!([1, 31]));
        refused(pack, &amounts, &["amounts"], "validators 1-2: 1 + 31 ETH; 32 ETH");
        // The addresses of hoodi, on mainnet; and a network where the programme is not.
        let mainnet = with("/network", "mainnet".into());
        refused(pack, &mainnet, &["withdrawal", "fee_recipient"], "0xB9D7934878B5FB9610B3fE8A5e");
        let sepolia = with("/network", "sepolia".into());
        refused(pack, &sepolia, &["networks"], "sepolia; hoodi or mainnet");
    }
    let five = edited(cluster_of(5, 4), "/validators", lido()["validators"].clone());
    refused("lido-dvt-cluster", &five, &["operators"], "5; 4");
    let all = edited(with("/threshold", 4.into()), "/policy", json!({"allow_all_required": true}));
    refused("lido-dvt-cluster", &all, &["threshold"], "4 of 4; 3 of 4");
    let validators = json!([{ "withdrawal": VAULT, "compounding": false }]);
    let none = with("/validators", validators);
    refused("lido-dvt-cluster", &none, &["registrations"], "validator 1: no builder registration");
}

/// So many operators, of whom so many sign.
fn cluster_of(n: usize, t: usize) -> Value {
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
    let operator = |(at, name): (usize, &&str)| {
        let address = format!("{name}.example:{}", 3610 + at);
        json!({ "card": card(name), "address": address })
    };
    let operators: Vec<Value> = names[..n].iter().enumerate().map(operator).collect();
    edited(edited(good(), "/operators", operators.into()), "/threshold", t.into())
}

#[test]
fn what_obols_tools_do_not_make() {
    let plain = |n, t| edited(cluster_of(n, t), "/validators", treasury()["validators"].clone());
    refused("obol", &plain(4, 3), &["cluster"], "none; a cluster definition of Obol's");
    refused("obol", &plain(6, 5), &["threshold", "cluster"], "5 of 6; 4 of 6");
    let gas = |limit: u64| edited(plain(4, 3), "/validators/0/gas_limit", limit.into());
    for limit in [29_999_999, 60_000_001] {
        refused("obol", &gas(limit), &["cluster", "gas_limit"], "none");
    }
    let validators = json!([{ "withdrawal": FIRST, "compounding": false }]);
    let none = edited(plain(4, 3), "/validators", validators);
    refused("obol", &none, &["cluster", "registrations"], "none");
    let custom = json!({ "name": "devnet", "genesis_fork_version": "10203040",
        "genesis_validators_root": "11".repeat(32), "genesis_time": 1_760_000_000 });
    let custom = edited(plain(4, 3), "/network", custom);
    refused("obol", &custom, &["networks", "cluster"], "devnet; chiado or gnosis or hoodi");
}

#[test]
fn what_ssv_does_not_take() {
    let more = |n, t, count: u64| edited(cluster(n, t), "/validators/0/count", count.into());
    refused("ssv", &more(4, 3, 81), &["validators"], "81; 1 to 80");
    refused("ssv", &more(7, 5, 41), &["validators"], "41; 1 to 40");
    for (n, t, count) in [(4, 3, 80), (7, 5, 40)] {
        assert_eq!(breaches("ssv", &ceremony(&more(n, t, count)).unwrap()), []);
    }
    refused("ssv", &cluster_of(4, 3), &["cluster"], "none; an owner and operators");
    refused("ssv", &cluster_of(5, 4), &["operators", "cluster"], "5; 4 or 7 or 10 or 13");
    refused("ssv", &cluster_of(7, 6), &["threshold", "cluster"], "6 of 7; 5 of 7");
    let gnosis = edited(cluster_of(4, 3), "/network", "gnosis".into());
    let gnosis =
        edited(gnosis, "/validators", json!([{ "withdrawal": FIRST, "compounding": true }]));
    refused("ssv", &gnosis, &["networks", "cluster"], "gnosis; hoodi or mainnet or sepolia");
}

#[test]
fn what_a_treasury_does_not_want() {
    let with = |pointer: &str, value: Value| edited(treasury(), pointer, value);
    let compounding = with("/validators/0/compounding", true.into());
    refused("treasury", &compounding, &["credentials"], "validators 1-2: 0x02; 0x01");
    let two = json!([
        { "withdrawal": FIRST, "compounding": false, "fee_recipient": SECOND },
        { "withdrawal": SECOND, "compounding": false, "fee_recipient": SECOND },
    ]);
    refused("treasury", &with("/validators", two), &["one_withdrawal_address"], "2 addresses; one");
    let none = json!([{ "withdrawal": FIRST, "compounding": false }]);
    refused("treasury", &with("/validators", none), &["registrations"], "validator 1: no builder");
    let halves = with("/validators/0/amounts", json!([16, 32]));
    refused("treasury", &halves, &["amounts"], "16 + 32 ETH; 32 ETH");
    let seven = edited(cluster_of(7, 4), "/validators", treasury()["validators"].clone());
    refused("treasury", &seven, &["threshold"], "4 of 7; 5 or more of 7");
    let more = edited(cluster_of(7, 6), "/validators", treasury()["validators"].clone());
    assert_eq!(breaches("treasury", &ceremony(&more).unwrap()), []);
    let burn =
        with("/validators/0/fee_recipient", json!("0x000000000000000000000000000000000000dEaD"));
    refused("treasury", &burn, &["no_doubtful_address"], "a burn address");
}

#[test]
fn files_are_read_strictly() {
    let text = Pack::text("lido-dvt-cluster").unwrap();
    let pack = Pack::parse(text).unwrap();
    assert_eq!(Pack::built_in("lido-dvt-cluster").as_ref(), Some(&pack));
    let read = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Pack::parse(&text.replace(from, to)).map_err(|error| error.to_string())
    };
    let long = format!("title = \"{}\"", "x".repeat(501));
    let title = "title = \"Lido CSM, identified DVT cluster\"";
    let control = "title = \"a\\u0007b\"";
    for (from, to, reason) in [
        ("\"quorate-policy\"", "\"quorate-request\"", "format: not \"quorate-policy\""),
        ("version = 1", "version = 2", "version: not 1"),
        ("name = \"lido-dvt-cluster\"", "name = \"Lido\"", "name: not 1 to 32 lower-case"),
        ("name = \"lido-dvt-cluster\"", "name = \"\"", "name: not 1 to 32 lower-case"),
        (title, &long, "title: not one line of 1 to 500 bytes"),
        (title, control, "title: not one line of 1 to 500 bytes"),
        ("2026-11-29", "2026-13-29", "date: not a day like 2026-11-29"),
        ("2026-11-29", "29.11.2026", "date: not a day like 2026-11-29"),
        ("date = \"2026-11-29\"\n", "", "missing field `date`"),
        ("[networks.hoodi]", "[networks.goerli]", "\"goerli\" is not a network that is built in"),
        ("[\"0x4473dCDD", "[\"0x4473dcDD", "networks.hoodi.withdrawal: the address does not"),
        ("operators = [4]", "operators = []", "ceremony.operators: not an ascending list"),
        ("operators = [4]", "operators = [7, 4]", "ceremony.operators: not an ascending list"),
        ("operators = [4]", "operators = [2]", "ceremony.operators: not an ascending list"),
        ("operators = [4]", "operators = [256]", "ceremony.operators: not an ascending list"),
        ("\"two-thirds\"", "\"most\"", "unknown variant `most`"),
        ("\"two-thirds\"", "\"two-thirds\"\nvalidators = {}", "validators: neither least nor most"),
        (
            "\"two-thirds\"",
            "\"two-thirds\"\nvalidators = { least = 5, most = 4 }",
            "no ceremony can be within these bounds",
        ),
        (
            "\"two-thirds\"",
            "\"two-thirds\"\nvalidators_by_operators = { x = { most = 4 } }",
            "validators_by_operators.x: not a number of operators",
        ),
        ("credentials = \"0x01\"", "credentials = \"0x00\"", "unknown variant `0x00`"),
        ("amounts = [\"32\"]", "amounts = []", "validators.amounts: not 1 to 8 amounts"),
        ("amounts = [\"32\"]", "amounts = [\"all\"]", "validators.amounts: "),
        ("amounts = [\"32\"]", "amount = \"32\"", "unknown field `amount`"),
        ("\"required\"", "\"welcome\"", "unknown variant `welcome`"),
        ("{member}", "{me}", "wallets.message: it does not name the member"),
        ("required = true", "required = 1", "invalid type"),
    ] {
        let error = read(from, to).unwrap_err();
        assert!(error.contains(reason), "{to}: {error}");
    }
    let sources = Pack::parse(&text.replace("sources = [", "sources = []\nold = ["));
    assert!(sources.unwrap_err().to_string().contains("unknown field `old`"));
    let gas = read("amounts = [\"32\"]", "gas_limit = { least = 4999 }").unwrap_err();
    assert_eq!(gas, "validators.gas_limit: no ceremony can be within these bounds");
    assert!(Pack::parse(&" ".repeat(300 << 10)).is_err());
    let none: Vec<&str> = Vec::new();
    let empty = format!("sources = {none:?}");
    let start = text.find("sources = [").unwrap();
    let end = text.find("]\nnot_checked").unwrap() + 1;
    let without = [&text[..start], &empty, &text[end..]].concat();
    let error = Pack::parse(&without).unwrap_err().to_string();
    assert_eq!(error, "sources: none: say where the demands are from");
}

#[test]
fn every_pack_says_what_it_is_and_is_called_by_its_name() {
    let names: Vec<&str> = Pack::names().collect();
    assert_eq!(names, ["lido-csm", "lido-dvt-cluster", "obol", "ssv", "treasury"]);
    for name in names {
        let pack = Pack::built_in(name).unwrap();
        assert_eq!(pack.name(), name);
        assert!(!pack.title().is_empty() && !pack.sources().is_empty());
        assert!(!pack.not_checked().is_empty() && pack.date() == "2026-11-29");
    }
    assert_eq!(Pack::built_in("lido"), None);
    // Lido's text, with both addresses in lower case.
    let pack = Pack::built_in("lido-dvt-cluster").unwrap();
    let wallets = pack.wallets().unwrap();
    let address = |text| ExecutionAddress::parse_checksummed(text).unwrap();
    assert!(wallets.required());
    assert_eq!(
        wallets.message(&address(FIRST), &address(SECOND)),
        "Verify ownership of address 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed for DVT cluster \
         with main address 0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359"
    );
}
