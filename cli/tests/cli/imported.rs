//! A whole import on real processes: keystores of other software become shares of a cluster, are
//! dealt anew afterwards, and get no deposit that nobody has proven.

use std::fs;
use std::path::PathBuf;

use quorate::ethereum::interchange::{Interchange, Signed, Vote};
use quorate::ethereum::keystore::Keystore;
use quorate::ethereum::network::Network;
use serde_json::{Value, json};

use crate::support::demo::{Demo, PLAIN};
use crate::support::files::{files, mode, only, private};
use crate::support::ports::free_port;
use crate::support::program::Ended;
use crate::support::running::{Running, Signal};

const SENTENCE: &str = "these keys are removed from every validator client";
const MAY_STOP: &str = "Waiting for you to stop the old keys";
const ADDRESS: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
/// The test case of EIP-2335, and a keystore of ethstaker-deposit.
const EIP_2335: &str = "0x9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae\
                        4040902382ae2910c15e2b420d07";
const WHOLE: &str = "The keys were whole in the hands of \"alice\", always will have been, and may \
                     have been imported elsewhere.";

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../test-vectors")
}

/// The operators of a demo, and in `solo` two keystores that other software has made, each with its
/// password beside it. Their keys.
fn solo() -> (Demo, Vec<String>) {
    let demo = Demo::new(PLAIN);
    let folder = demo.path("solo");
    fs::create_dir(&folder).unwrap();
    let sources = [
        ("keystore-0", "eip2335/test0.json", "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑"),
        ("keystore-1", "keystores/hoodi-01-1.json", "dkg-test-password-1"),
    ];
    let mut keys = Vec::new();
    for (name, source, password) in sources {
        let bytes = fs::read(vectors().join("ethereum").join(source)).unwrap();
        let key = Keystore::from_json_even_if_weak(&bytes).unwrap().pubkey().to_compressed();
        keys.push(format!("0x{}", hex::encode(key)));
        fs::write(folder.join(format!("{name}.json")), bytes).unwrap();
        private(folder.join(format!("{name}.txt")), password);
    }
    assert_eq!(keys[0], EIP_2335);
    (demo, keys)
}

/// What a beacon node says of these keys, with this digit in front of the address's credentials.
fn beacon(demo: &Demo, name: &str, keys: &[String], kind: u8) {
    let of = |(at, key): (usize, &String)| {
        let credentials = format!("0x0{kind}{}{}", "00".repeat(11), ADDRESS[2..].to_lowercase());
        json!({
            "index": (1000 + at).to_string(), "status": "active_ongoing",
            "validator": { "pubkey": key, "withdrawal_credentials": credentials },
        })
    };
    let data: Vec<Value> = keys.iter().enumerate().map(of).collect();
    fs::write(demo.path(name), json!({ "data": data }).to_string()).unwrap();
}

fn card(demo: &Demo, operator: &str) -> String {
    let shown = demo.run(&["--dir", &format!("demo/{operator}"), "identity", "show", "--json"]);
    shown.json()["card"].as_str().unwrap().to_owned()
}

/// Drafts a file for these operators, with free ports.
fn draft(demo: &Demo, command: &[&str], file: &str, operators: &[&str]) -> Ended {
    let mut args: Vec<String> = ["--json"].iter().chain(command).map(|s| (*s).to_owned()).collect();
    args.extend(["-o".to_owned(), file.to_owned()]);
    for operator in operators {
        let at = format!("{}@127.0.0.1:{}", card(demo, operator), free_port());
        args.extend(["--operator".to_owned(), at]);
    }
    let ended = demo.run(&args);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended
}

fn start(demo: &Demo, operator: &str, file: &str, more: &[&str]) -> Running {
    let words = demo.run(&["--json", "spec", "check", file]).json()["fingerprint"].clone();
    let words = words.as_str().unwrap();
    let args = ["run", file, "--kdf", "pbkdf2", "--linger", "20", "--yes-fingerprint", words];
    demo.start(operator, &[&args[..], more].concat())
}

fn outputs(demo: &Demo, operator: &str, file: &str) -> PathBuf {
    let digest = demo.run(&["--json", "spec", "check", file]).json();
    let digest = digest["digest"].as_str().unwrap()[..16].to_owned();
    demo.path("demo").join(operator).join("ceremonies").join(digest).join("out")
}

fn interrupted(mut running: Vec<Running>) {
    running.iter_mut().for_each(|running| running.until(MAY_STOP));
    running.iter().for_each(|running| running.signal(Signal::INT));
    running.into_iter().for_each(|running| drop(running.ends_with(5)));
}

fn done(running: Running) -> Ended {
    let ended = running.ended();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended
}

/// What a validator client exports of these keys.
fn protection(demo: &Demo, name: &str, keys: &[String], target: u64) {
    let root = Network::known("hoodi").unwrap().genesis_validators_root();
    let mut data = Interchange::empty(root);
    for key in keys {
        let vote = Some(Vote { source: target - 1, target });
        let key = hex::decode(&key[2..]).unwrap().try_into().unwrap();
        data.add(key, Signed { slot: Some(32 * target), vote });
    }
    private(demo.path(name), core::str::from_utf8(&data.to_json()).unwrap());
}

#[test]
fn keystores_of_a_solo_validator_become_shares_that_are_dealt_anew() {
    let (demo, keys) = solo();
    beacon(&demo, "chain.json", &keys, 1);
    let new = ["import", "new", "--keystores", "solo", "--name", "From one to four"];
    let network = ["--network", "hoodi", "--threshold", "3", "--beacon", "chain.json"];
    let four = ["alice", "bob", "carol", "dave"];
    let drafted = draft(&demo, &[&new[..], &network].concat(), "import.toml", &four).json();
    assert_eq!(drafted["import"]["dealer"], 1);
    let needed = drafted["needed_to_the_end"].as_array().unwrap();
    assert_eq!((needed.len(), &needed[0]["name"]), (1, &json!("alice")));
    for (at, key) in keys.iter().enumerate() {
        assert_eq!(drafted["import"]["validators"][at]["public_key"], **key);
    }
    assert_eq!(
        drafted["validators"],
        json!([{
            "count": 2, "withdrawal": ADDRESS, "compounding": false, "amounts_gwei": [],
            "fee_recipient": null, "gas_limit": null,
        }])
    );
    let shown = demo.run(&["spec", "show", "import.toml"]);
    assert!(shown.stdout.contains("WARNING: the keys were whole in the hands of \"alice\""));

    // Who deals needs the keys, and these; nobody else is asked for any.
    let missing = start(&demo, "alice", "import.toml", &[]).ended();
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    assert!(missing.stderr.contains("this operator holds the keys"), "{}", missing.stderr);
    let solo = ["--keystores", "solo"];
    let other = start(&demo, "bob", "import.toml", &solo).ended();
    assert_eq!(other.code, 2, "{}", other.stderr);
    assert!(other.stderr.contains("this operator deals no keys"), "{}", other.stderr);
    fs::create_dir(demo.path("half")).unwrap();
    fs::copy(demo.path("solo/keystore-0.json"), demo.path("half/keystore-0.json")).unwrap();
    let half = start(&demo, "alice", "import.toml", &["--keystores", "half"]).ended();
    assert_eq!(half.code, 2, "{}", half.stderr);
    assert!(half.stderr.contains(&format!("half has no keystore of {}", keys[1])));
    private(demo.path("wrong"), "wrong");
    let wrong = ["--keystores", "solo", "--password-file", "wrong"];
    let wrong = start(&demo, "alice", "import.toml", &wrong).ended();
    assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("keystore-0.json"), "{}", wrong.stderr);
    assert!(!outputs(&demo, "alice", "import.toml").parent().unwrap().exists());

    // Up to the stop: the keys still run.
    let others = ["bob", "carol", "dave"];
    let running: Vec<Running> =
        others.iter().map(|operator| start(&demo, operator, "import.toml", &[])).collect();
    let word = ["--stopped", "--yes-stopped", SENTENCE];
    let early = start(&demo, "alice", "import.toml", &[&solo[..], &word].concat()).ended();
    assert_eq!(early.code, 1, "{}", early.stderr);
    assert!(early.stderr.contains("do not stop the validator client"), "{}", early.stderr);
    // What began without being dealt needs them again.
    let again = start(&demo, "alice", "import.toml", &[]).ended();
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(again.stderr.contains("has not dealt them yet"), "{}", again.stderr);
    interrupted(vec![start(&demo, "alice", "import.toml", &solo)]);

    // From here on, the keystores are needed no more. The stop says what the keys have signed.
    fs::rename(demo.path("solo"), demo.path("gone")).unwrap();
    let unsaid = start(&demo, "alice", "import.toml", &["--stopped", "--yes-stopped", "yes"]);
    let unsaid = unsaid.ended();
    assert_eq!(unsaid.code, 2, "{}", unsaid.stderr);
    assert!(unsaid.stderr.contains(SENTENCE), "{}", unsaid.stderr);
    assert!(unsaid.stderr.contains("the validators sign nothing until the shares run"));
    protection(&demo, "signed.json", &keys, 70_000);
    let stop = [&word[..], &["--protection", "signed.json"]].concat();
    let stopped = done(start(&demo, "alice", "import.toml", &stop));
    let (keep, written) = ("Keep the keystores offline until the outputs", "The shares replace");
    let destroy = format!("{written} the whole keys from now on. Destroy every copy");
    let at = |text: &str| stopped.stderr.find(text).unwrap_or_else(|| panic!("{}", stopped.stderr));
    assert!(at(keep) < at(&destroy), "{}", stopped.stderr);
    for ended in running.into_iter().map(done) {
        assert!(!ended.stderr.contains(&destroy), "{}", ended.stderr);
    }

    // Shares of the same keys, with a record that forbids what the whole ones have signed; and no
    // deposits.
    let hoodi = Network::known("hoodi").unwrap();
    for operator in four {
        let out = outputs(&demo, operator, "import.toml");
        let secret = files(&out.join("secret"));
        let keystores = secret.iter().filter(|(name, _)| name.contains("keystore"));
        let shares: Vec<[u8; 48]> = keystores
            .map(|(_, bytes)| Keystore::from_json(bytes).unwrap().pubkey().to_compressed())
            .collect();
        assert_eq!(shares.len(), 2, "{operator}");
        let root = hoodi.genesis_validators_root();
        let (floors, _) = Interchange::parse(&secret["slashing-protection.json"], &root).unwrap();
        let cut_over: Value = serde_json::from_slice(&secret["cut-over.json"]).unwrap();
        let held = cut_over["commits_held_in_epoch"].as_u64().unwrap();
        for share in shares {
            let vote = floors.signed(&share).unwrap().vote;
            assert_eq!(vote, Some(Vote { source: 69_999, target: held + 1 }), "{operator}");
        }
        let public = files(&out.join("public"));
        assert!(!public.contains_key("deposit-data.json"), "{operator}");
        let page = core::str::from_utf8(&public["report.html"]).unwrap();
        assert!(page.contains("always will have been"), "{operator}");
    }
    let note = only(demo.path("demo/carol/children"));
    assert_eq!(mode(note), 0o600);

    // The audit says first what no ceremony can change, and `status` goes on from it.
    let transcript = outputs(&demo, "bob", "import.toml").join("public/transcript.quorate");
    let transcript = transcript.to_str().unwrap();
    let audited = demo.run(&["audit", transcript, "--expect", "import.toml"]);
    assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
    assert!(audited.stdout.starts_with(WHOLE), "{}", audited.stdout);
    assert!(audited.stdout.contains("VERIFIED"), "{}", audited.stdout);
    let status = demo.by("bob", &["status"]);
    assert!(status.stdout.contains(&keys[0]), "{}", status.stdout);
    assert!(status.stdout.contains("always will have been"), "{}", status.stdout);

    // One import only: the same keys are dealt no second time, by nobody who took part.
    fs::rename(demo.path("gone"), demo.path("solo")).unwrap();
    draft(&demo, &[&new[..], &network].concat(), "again.toml", &four);
    for (operator, more) in [("alice", &solo[..]), ("carol", &[])] {
        let refused = start(&demo, operator, "again.toml", more).ended();
        assert_eq!(refused.code, 1, "{operator}: {}", refused.stderr);
        assert!(refused.stderr.contains("to another reshare or import"), "{}", refused.stderr);
    }

    // A further deposit only with the chain's word for the credentials.
    let request = ["deposit", "request", transcript, "--amount", "8", "--public", "--unsigned"];
    let of =
        |more: &[&str]| demo.run(&[&request[..], &["--public-key", EIP_2335, "-o"], more].concat());
    let refused = of(&["top-up.json"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("their withdrawal credentials are claimed"));
    beacon(&demo, "other.json", &keys, 2);
    let refused = of(&["top-up.json", "--beacon", "other.json"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("withdrawal_credentials"), "{}", refused.stderr);
    let asked = of(&["top-up.json", "--beacon", "chain.json"]);
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    let sign = ["deposit", "sign", "top-up.json", "-o", "bob.json"];
    let refused = demo.by("bob", &sign);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("their withdrawal credentials are claimed"));

    // And the shares are dealt anew: three stay, and dave goes.
    let parent = ["--from", transcript];
    let next = ["reshare", "new", "--name", "Next", "--absent", "dave"];
    let three = ["alice", "bob", "carol"];
    draft(&demo, &[&next[..], &parent].concat(), "next.toml", &three);
    interrupted(
        three.iter().map(|operator| start(&demo, operator, "next.toml", &parent)).collect(),
    );
    let shares = "these shares are removed from every validator client";
    let said = ["--stopped", "--others-never-ran", "--yes-stopped", shares];
    let running: Vec<Running> =
        three.iter().map(|operator| start(&demo, operator, "next.toml", &said)).collect();
    running.into_iter().for_each(|running| drop(done(running)));
    let public = outputs(&demo, "carol", "next.toml").join("public");
    let page = fs::read_to_string(public.join("report.html")).unwrap();
    assert!(page.contains("always will have been"));
    let facts: Value =
        serde_json::from_slice(&fs::read(public.join("transcript.json")).unwrap()).unwrap();
    assert_eq!(facts["whole_keys"], WHOLE);
    let newest = public.join("transcript.quorate");
    let newest = newest.to_str().unwrap();
    let audited = demo.run(&["--json", "audit", newest, "--expect", "next.toml"]);
    assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
    let report = audited.json();
    assert_eq!(report["verdict"], "verified");
    assert_eq!(report["report"]["whole_keys"], WHOLE);
    let request = ["deposit", "request", newest, "--amount", "8", "--public", "--unsigned"];
    let late = [&request[..], &["--public-key", EIP_2335, "-o", "late.json"]].concat();
    let refused = demo.run(&late);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("their withdrawal credentials are claimed"));
    let asked = demo.run(&[&late[..], &["--beacon", "chain.json"]].concat());
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    let refused = demo.by("alice", &["deposit", "sign", "late.json", "-o", "alice.json"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("their withdrawal credentials are claimed"));
}

#[test]
fn the_demo_deals_whole_keys_and_audits_them() {
    let home = tempfile::TempDir::new().unwrap();
    let args = ["--json", "demo", "--import", "--operators", "3", "--threshold", "2", "--out", "d"];
    let ended = crate::support::program::quorate(home.path(), &args);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let told = ended.json();
    assert_eq!((&told["verdict"], &told["findings"]), (&json!("verified"), &json!(0)));
    assert_eq!(told["import"]["dealer"], "alice");
    assert!(ended.stderr.contains("alice removes the keys"), "{}", ended.stderr);
    let first_epoch = told["import"]["first_epoch"].as_u64().unwrap();
    // What it names is what anybody finds: the transcript, and the keys that are still whole.
    let public = PathBuf::from(told["public"].as_str().unwrap());
    let transcript = public.join("transcript.quorate");
    let audited = ["audit", transcript.to_str().unwrap(), "--expect", "d/ceremony.toml"];
    let audited = crate::support::program::quorate(home.path(), &audited);
    assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
    assert!(audited.stdout.starts_with(WHOLE), "{}", audited.stdout);
    let secret = files(&public.with_file_name("secret"));
    let cut_over: Value = serde_json::from_slice(&secret["cut-over.json"]).unwrap();
    assert_eq!(cut_over["first_epoch"], first_epoch);
    let solo = files(&home.path().join("d/solo"));
    assert_eq!(solo.keys().filter(|name| name.ends_with(".json")).count(), 2);
    assert!(solo.keys().all(|name| mode(home.path().join("d/solo").join(name)) == 0o600));
}

/// Puts the keys of the demo's key generation together, in the folder `whole`, with the password in
/// `new`; its transcript is `old`.
fn put_together(demo: &Demo) {
    let out = |operator: &str| outputs(demo, operator, "demo/ceremony.toml");
    fs::copy(out("alice").join("public/transcript.quorate"), demo.path("old")).unwrap();
    private(demo.path("new"), "of the whole keys");
    let mut args: Vec<String> = ["recover", "old", "--kdf", "pbkdf2"].map(str::to_owned).to_vec();
    for operator in ["alice", "bob", "carol"] {
        let folder = out(operator).join("secret").to_str().unwrap().to_owned();
        args.extend(["--share".to_owned(), folder]);
    }
    let said =
        ["--others-never-ran", "--yes-stopped", "no share of these validators runs anywhere"];
    let out = ["--new-password-file", "new", "--out", "whole"];
    args.extend(["--keystore-password-file", "demo/passphrase"].map(str::to_owned));
    args.extend(said.iter().chain(&out).map(|text| (*text).to_owned()));
    demo.run(&args).done();
}

/// A reshare, and then an import of the same keys, which does not hang on it: a backup of both is
/// restored, and the older shares stay superseded.
#[test]
fn a_backup_of_a_reshare_and_a_later_import_of_its_keys_is_restored() {
    let demo = Demo::new(("resharedone", &["--reshare", "--validators", "1", "--kdf", "pbkdf2"]));
    put_together(&demo);
    let new = ["import", "new", "--keystores", "whole", "--name", "Again", "--network", "hoodi"];
    let claims = ["--withdrawal", ADDRESS, "--compounding", "false", "--threshold", "2"];
    let three = ["alice", "bob", "erin"];
    draft(&demo, &[&new[..], &claims].concat(), "import.toml", &three);
    let keys = ["--keystores", "whole", "--password-file", "new"];
    let others: Vec<Running> =
        three[1..].iter().map(|operator| start(&demo, operator, "import.toml", &[])).collect();
    interrupted(vec![start(&demo, "alice", "import.toml", &keys)]);
    let word = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
    done(start(&demo, "alice", "import.toml", &word));
    others.into_iter().for_each(|running| drop(done(running)));

    let cheap = ["--kdf-cost", "10"];
    let newest = ["--yes-newest", "no newer shares of these validators exist"];
    for operator in ["alice", "erin"] {
        let state = || {
            let of = |file: &&str| outputs(&demo, operator, file).join("public/transcript.quorate");
            let both = ["demo/reshare.toml", "import.toml"];
            let transcripts = both.iter().map(|file| fs::read(of(file)).unwrap());
            let notes = files(&demo.path("demo").join(operator).join("children"));
            (transcripts.collect::<Vec<_>>(), notes)
        };
        let before = state();
        let file = format!("{operator}.backup");
        demo.by(operator, &[&["backup", "make", &file][..], &cheap].concat()).done();
        fs::remove_dir_all(demo.path("demo").join(operator)).unwrap();
        demo.by(operator, &[&["backup", "restore", &file][..], &cheap].concat()).done();
        assert!(state() == before && !before.1.is_empty(), "{operator}");
        let export = |ceremony: &str, folder: &str| {
            let folder = format!("{operator}-{folder}");
            let args = ["export", "keystores", ceremony, "--kdf", "pbkdf2", "--out", &folder];
            demo.by(operator, &[&args[..], &newest].concat())
        };
        export("demo/reshare.toml", "old").failed(1, &["these shares are superseded"]);
        export("import.toml", "new").done();
    }
}

/// Shares whose keys were put together and imported: they are not exported, nor dealt, by whoever
/// took part in the import. And a restored dealer is asked whether it has dealt the keys since.
#[test]
fn keys_that_were_put_together_and_imported_supersede_their_shares() {
    let demo = Demo::new(PLAIN);
    put_together(&demo);

    // The machine of the dealer is replaced before it deals.
    let cheap = ["--kdf-cost", "10"];
    demo.by("alice", &[&["backup", "make", "alice.backup"][..], &cheap].concat()).done();
    fs::remove_dir_all(demo.path("demo/alice")).unwrap();
    demo.by("alice", &[&["backup", "restore", "alice.backup"][..], &cheap].concat()).done();
    let new = ["import", "new", "--keystores", "whole", "--name", "Again", "--network", "hoodi"];
    let claims = ["--withdrawal", ADDRESS, "--compounding", "false", "--threshold", "3"];
    let four = ["alice", "bob", "carol", "dave"];
    draft(&demo, &[&new[..], &claims].concat(), "import.toml", &four);
    let keys = ["--keystores", "whole", "--password-file", "new"];
    let unsure = start(&demo, "alice", "import.toml", &keys).ended();
    unsure.failed(2, &["may have been imported before", "came out of a backup of 20"]);
    let newest = ["--yes-newest", "no newer shares of these validators exist"];
    let others: Vec<Running> =
        four[1..].iter().map(|operator| start(&demo, operator, "import.toml", &[])).collect();
    let sure = [&keys[..], &newest].concat();
    interrupted(vec![start(&demo, "alice", "import.toml", &sure)]);
    let word = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
    done(start(&demo, "alice", "import.toml", &word));
    others.into_iter().for_each(|running| drop(done(running)));

    // The shares of the import are exported, and the older ones never again.
    let export = |operator: &str, ceremony: &str, folder: &str| {
        let args = ["export", "keystores", ceremony, "--kdf", "pbkdf2", "--out", folder];
        demo.by(operator, &[&args[..], &newest].concat())
    };
    for operator in ["alice", "bob"] {
        let old = export(operator, "demo/ceremony.toml", &format!("{operator}-old"));
        old.failed(1, &["these shares are superseded"]);
        export(operator, "import.toml", &format!("{operator}-new")).done();
    }
    // They are dealt to nobody.
    let from = ["reshare", "new", "--name", "Next", "--from", "old", "--absent", "dave"];
    draft(&demo, &from, "next.toml", &four[..3]);
    let refused = start(&demo, "bob", "next.toml", &["--from", "old"]).ended();
    refused.failed(1, &["to another reshare or import"]);
    // Nor if the note of the import is lost: its log tells.
    fs::rename(demo.path("demo/bob/children"), demo.path("notes")).unwrap();
    let refused = start(&demo, "bob", "next.toml", &["--from", "old"]).ended();
    refused.failed(1, &["to another reshare or import"]);
    fs::rename(demo.path("notes"), demo.path("demo/bob/children")).unwrap();
    // Those of the import are.
    let transcript = outputs(&demo, "bob", "import.toml").join("public/transcript.quorate");
    let from = transcript.to_str().unwrap();
    let new = ["reshare", "new", "--name", "Then", "--from", from, "--absent", "dave"];
    draft(&demo, &new, "then.toml", &four[..3]);
    let mut bob = start(&demo, "bob", "then.toml", &["--from", from]);
    bob.until("Round 1 of 5");
    bob.signal(Signal::INT);
    bob.ends_with(5);
    // Both transcripts are of one key, and neither hangs on the other.
    let both = demo.run(&["audit", "old", from]);
    both.failed(4, &["have a key in common, and neither hangs on the other"]);
}
