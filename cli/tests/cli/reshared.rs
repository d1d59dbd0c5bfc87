//! A whole reshare on real processes: drafted, run, stopped, and its new shares pushed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use quorate::ethereum::interchange::{Interchange, Signed, Vote};
use quorate::ethereum::keystore::Keystore;
use quorate::ethereum::network::Network;
use quorate::spec::{Ceremony, CeremonyFile};
use serde_json::Value;

use crate::key_manager::{Fake, Manner, TOKEN, token_file};
use crate::support::board::Enemy;
use crate::support::demo::{Demo, OPERATORS, PLAIN};
use crate::support::files::{files, mode, only, private};
use crate::support::ports::free_port;
use crate::support::program::{Ended, quorate};
use crate::support::running::{Running, Signal};

pub(crate) const SENTENCE: &str = "these shares are removed from every validator client";
/// The transcript of the demo's ceremony.
pub(crate) const PARENT: &str = "parent.quorate";
const MAY_STOP: &str = "Waiting for you to stop the old keys";

/// A finished key generation of four, of whom three sign.
pub(crate) fn generation() -> Demo {
    let demo = Demo::new(PLAIN);
    fs::copy(demo.out("alice").join("public/transcript.quorate"), demo.path(PARENT)).unwrap();
    demo
}

/// Drafts a reshare of the demo's validators among these operators, of whom some of the parent's
/// leave.
pub(crate) fn draft(demo: &Demo, name: &str, stay: &[&str], leave: &[&str]) -> String {
    let absent: Vec<&str> = leave.iter().flat_map(|operator| ["--absent", operator]).collect();
    let ended = drafted(demo, name, stay, &absent);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    format!("{name}.toml")
}

/// How a draft with these flags ends.
pub(crate) fn drafted(demo: &Demo, name: &str, stay: &[&str], flags: &[&str]) -> Ended {
    let file = format!("{name}.toml");
    let mut args: Vec<String> = ["--json", "reshare", "new", "--name", name, "-o", &file, "--from"]
        .map(str::to_owned)
        .to_vec();
    args.push(PARENT.to_owned());
    for operator in stay {
        let card = demo.run(&["--dir", &format!("demo/{operator}"), "identity", "show", "--json"]);
        let card = card.json()["card"].as_str().unwrap().to_owned();
        args.extend(["--operator".to_owned(), format!("{card}@127.0.0.1:{}", free_port())]);
    }
    args.extend(flags.iter().map(|flag| (*flag).to_owned()));
    demo.run(&args)
}

pub(crate) fn words(demo: &Demo, file: &str) -> String {
    demo.run(&["--json", "spec", "check", file]).json()["fingerprint"].as_str().unwrap().to_owned()
}

pub(crate) fn start(demo: &Demo, operator: &str, file: &str, more: &[&str]) -> Running {
    let words = words(demo, file);
    let args = ["run", file, "--kdf", "pbkdf2", "--linger", "20", "--yes-fingerprint", &words];
    demo.start(operator, &[&args[..], more].concat())
}

/// All of them up to certificate 1; then they are interrupted.
pub(crate) fn up_to_the_stop(demo: &Demo, file: &str, operators: &[&str]) {
    let parent = ["--from", PARENT];
    let running: Vec<Running> =
        operators.iter().map(|operator| start(demo, operator, file, &parent)).collect();
    let waiting = |mut running: Running| {
        running.until(MAY_STOP);
        running
    };
    let running: Vec<Running> = running.into_iter().map(waiting).collect();
    running.iter().for_each(|running| running.signal(Signal::INT));
    for (running, operator) in running.into_iter().zip(operators) {
        assert_eq!(running.ends_with(5).json()["awaits_stop"], true);
        // And what to run next says so.
        let status = demo.by(operator, &["status"]).json();
        let ceremonies = status["ceremonies"].as_array().unwrap();
        let next = ceremonies.iter().filter_map(|one| one["next"].as_str());
        assert_eq!(next.filter(|next| next.ends_with(" --stopped")).count(), 1, "{status}");
    }
}

/// The folder of the outputs of this operator's reshare.
pub(crate) fn outputs(demo: &Demo, operator: &str, file: &str) -> std::path::PathBuf {
    let digest = demo.run(&["--json", "spec", "check", file]).json();
    let digest = digest["digest"].as_str().unwrap()[..16].to_owned();
    demo.path("demo").join(operator).join("ceremonies").join(digest).join("out")
}

#[test]
fn a_reshare_from_the_draft_to_the_new_shares() {
    let demo = generation();
    token_file(&demo, "token", TOKEN);
    // Alice's shares run; the others' never have.
    let alices = Fake::start(Manner::Proper);
    let url = alices.url();
    let manager = ["--keymanager", &url, "--token-file", "token"];
    let push = ["export", "keystores", "demo/ceremony.toml", "--kdf", "pbkdf2"];
    assert_eq!(demo.by("alice", &[&push[..], &manager].concat()).code, 0);
    let file = draft(&demo, "next", &["alice", "bob", "carol"], &["dave"]);

    // Nobody stops before the new shares are proven, and nobody takes part without the parent.
    let said = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
    let lost = start(&demo, "alice", &file, &[]).ended();
    assert_eq!(lost.code, 2, "{}", lost.stderr);
    assert!(lost.stderr.contains("the transcript of its parent is not here"), "{}", lost.stderr);
    let parent = ["--from", PARENT];
    let early = start(&demo, "bob", &file, &[&parent[..], &said].concat()).ended();
    assert_eq!(early.code, 1, "{}", early.stderr);
    assert!(early.stderr.contains("do not stop the validator client"), "{}", early.stderr);
    // And nothing is begun by the way.
    assert!(!outputs(&demo, "bob", &file).parent().unwrap().exists());

    let three = ["alice", "bob", "carol"];
    up_to_the_stop(&demo, &file, &three);

    // A word that is not given stops nothing.
    let wrong = ["--stopped", "--others-never-ran", "--yes-stopped", "yes"];
    let wrong = start(&demo, "bob", &file, &wrong).ended();
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("that is not the sentence"), "{}", wrong.stderr);
    let unknown = start(&demo, "bob", &file, &["--stopped", "--yes-stopped", SENTENCE]).ended();
    assert_eq!(unknown.code, 1, "{}", unknown.stderr);
    assert!(unknown.stderr.contains("nothing is said of these keys"), "{}", unknown.stderr);

    // What keeps an operator to one reshare is there before a key manager is asked for anything.
    assert!(!demo.path("demo/alice/children").exists());
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let asked = ["--stopped", "--keymanager", &nobody, "--token-file", "token"];
    let failed = start(&demo, "alice", &file, &asked).ended();
    assert_ne!(failed.code, 0, "{}", failed.stderr);
    assert_eq!(mode(only(demo.path("demo/alice/children"))), 0o600);

    // Alice by her key manager, the others by their word.
    let by_manager = [&["--stopped"][..], &manager].concat();
    let alice = start(&demo, "alice", &file, &by_manager);
    let others = ["bob", "carol"].map(|operator| start(&demo, operator, &file, &said));
    let done = |running: Running| -> Ended {
        let ended = running.ended();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended
    };
    let ended = done(alice);
    assert!(ended.stderr.contains("0 of 3 old operators have stopped"), "{}", ended.stderr);
    others.into_iter().for_each(|running| drop(done(running)));
    assert!(alices.held().is_empty());

    // What the key manager gave is kept, for alice alone.
    let out = outputs(&demo, "alice", &file);
    let kept = files(out.parent().unwrap());
    let kept: Vec<_> = kept.iter().filter(|(name, _)| name.starts_with("protection-")).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(mode(out.parent().unwrap().join(kept[0].0)), 0o600);

    // The same keys, in new shares, with a record that forbids what may have been signed.
    let hoodi = Network::known("hoodi").unwrap();
    let old = fs::read(demo.path(PARENT)).unwrap();
    let mut firsts = Vec::new();
    for operator in three {
        let out = outputs(&demo, operator, &file);
        let secret = files(&out.join("secret"));
        let keystores = secret.iter().filter(|(name, _)| name.contains("keystore"));
        let keys: Vec<[u8; 48]> = keystores
            .map(|(_, bytes)| Keystore::from_json(bytes).unwrap().pubkey().to_compressed())
            .collect();
        assert_eq!(keys.len(), 2, "{operator}");
        let root = hoodi.genesis_validators_root();
        let (floors, remarks) =
            Interchange::parse(&secret["slashing-protection.json"], &root).unwrap();
        assert!(remarks.is_empty() && floors.keys().len() == 2, "{operator}");
        let cut_over: Value = serde_json::from_slice(&secret["cut-over.json"]).unwrap();
        let held = cut_over["commits_held_in_epoch"].as_u64().unwrap();
        for key in keys {
            let signed = floors.signed(&key).unwrap();
            // Of two validators, alice's shares have signed sources 2; targets are in the past.
            assert_eq!(signed.vote, Some(Vote { source: 2, target: held + 1 }), "{operator}");
            assert!(signed.slot.unwrap() >= (held + 1) * 32);
        }
        assert_eq!(cut_over["first_epoch"], held + 2);
        firsts.push(held + 2);
        let history = files(&out.join("public/history"));
        assert_eq!(history.len(), 1);
        assert!(history.values().eq([&old]));
    }

    // They are not loaded before the first epoch.
    let next = Fake::start(Manner::Proper);
    let url = next.url();
    let manager = ["--keymanager", &url, "--token-file", "token"];
    let push = ["export", "keystores", &file, "--kdf", "pbkdf2"];
    let early = demo.by("bob", &[&push[..], &manager].concat());
    assert_eq!(early.code, 5, "{}", early.stderr);
    assert!(early.stderr.contains(&format!("nothing before epoch {}", firsts[1])));
    assert!(next.sent().is_empty());

    // Keystores that are written again come with where they begin, too.
    let again = demo.by("bob", &[&push[..], &["--out", "again"]].concat());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(again.json()["first_epoch"], firsts[1]);
    let (again, first) = (files(&demo.path("again")), files(&outputs(&demo, "bob", &file)));
    for name in ["slashing-protection.json", "cut-over.json"] {
        assert_eq!(again[name], first[&format!("secret/{name}")], "{name}");
    }

    // The old ones are neither written nor pushed any more.
    let old = ["export", "keystores", "demo/ceremony.toml", "--kdf", "pbkdf2"];
    for target in [&manager[..], &["--out", "old"]] {
        let refused = demo.by("bob", &[&old[..], target].concat());
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(refused.stderr.contains("superseded"), "{}", refused.stderr);
    }
    assert!(next.sent().is_empty() && !demo.path("old").exists());

    // One child only: the shares of the parent are not dealt a second time.
    let second = draft(&demo, "again", &["alice", "bob", "carol"], &["dave"]);
    let refused = start(&demo, "carol", &second, &parent).ended();
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("to another reshare"), "{}", refused.stderr);
    assert!(refused.stderr.contains("quorate abandon "), "{}", refused.stderr);
    let children = demo.path("demo/carol/children");
    assert_eq!(mode(only(&children)), 0o600);
    // Also if the note is lost: by the log, and whoever runs the first one again has it again.
    fs::remove_dir_all(&children).unwrap();
    let refused = start(&demo, "carol", &second, &parent).ended();
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("to another reshare"), "{}", refused.stderr);
    let mut served = start(&demo, "carol", &file, &[]);
    served.until("Outputs are written");
    served.signal(Signal::INT);
    served.ends_with(0);
    assert_eq!(mode(only(&children)), 0o600);

    // What the old shares sign no more: deposits, and exits now that the new ones are there.
    let facts = fs::read(outputs(&demo, "bob", &file).join("public/transcript.json")).unwrap();
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    let key = facts["validators"][0]["public_key"].as_str().unwrap();
    for (kind, more) in [("exit", &["--index", "7"][..]), ("deposit", &["--amount", "8"])] {
        let request = format!("{kind}.json");
        let front = [kind, "request", PARENT, "--public-key", key, "--public", "-o", &request];
        let asked = demo.by("alice", &[&front[..], more].concat());
        assert_eq!(asked.code, 0, "{}", asked.stderr);
        for operator in ["alice", "dave"] {
            let rule = format!("{kind}s = \"allow-list\"\nallow = [\"{key}\"]\n");
            let policy = demo.path(&format!("demo/{operator}/signing.toml"));
            let _ = fs::remove_file(&policy);
            private(policy, &rule);
        }
        let signed = demo.by("alice", &[kind, "sign", &request, "--yes"]);
        assert_eq!(signed.code, 1, "{}", signed.stderr);
        assert!(signed.stderr.contains("superseded by the reshare"), "{}", signed.stderr);
        // Dave has left without a word of it, and is the others' to tell.
        let signed = demo.by("dave", &[kind, "sign", &request, "--yes"]);
        assert_eq!(signed.code, 0, "{}", signed.stderr);
    }
    let status = demo.by("alice", &["status"]).json();
    let of = |name: &str| {
        let mut all = status["ceremonies"].as_array().unwrap().iter();
        all.find(|one| one["name"] == name).unwrap().clone()
    };
    assert_eq!(of("next")["supersedes"].as_array().unwrap().len(), 1);
    let old = of("next")["supersedes"][0].as_str().unwrap().to_owned();
    assert_eq!(of(&old)["superseded_by"][0]["name"], "next");
    assert_eq!(of(&old)["superseded_by"][0]["finished"], true);
    let mut served = demo.start("alice", &["run", "demo/ceremony.toml"]);
    served.until("has committed these shares to the reshare");
    served.until("Outputs are written");
    served.signal(Signal::INT);
    served.ends_with(0);

    // And the transcript of the chain is what anybody audits.
    let public = outputs(&demo, "bob", &file).join("public");
    let newest = public.join("transcript.quorate");
    let earlier = only(public.join("history"));
    let args = ["--json", "audit", newest.to_str().unwrap(), earlier.to_str().unwrap()];
    let ended = demo.run(&[&args[..], &["--expect", &file]].concat());
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.json()["verdict"], "verified");
}

/// By a board in an enemy's hands, with nobody online: four turns up to the stop, one more to
/// agree, and one to fetch.
#[test]
fn a_reshare_by_a_board() {
    let demo = generation();
    let three = ["alice", "bob", "carol"];
    let file = draft(&demo, "next", &three, &["dave"]);
    let words = words(&demo, &file);
    fs::create_dir(demo.path("board")).unwrap();
    let text = fs::read_to_string(demo.path(&file)).unwrap();
    let ceremony = Ceremony::try_from(CeremonyFile::parse_toml(&text).unwrap()).unwrap();
    let mut enemy = Enemy::new(&demo.path("board"), 0x5e5a_4e02);
    enemy.fill(&ceremony, 20);
    let step = |operator: &str, more: &[&str]| {
        let args = ["step", &file, "--board", "board", "--kdf", "pbkdf2", "--yes-fingerprint"];
        demo.by(operator, &[&args[..], &[&words], more].concat())
    };
    let said = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
    let early = step("alice", &[&["--from", PARENT][..], &said].concat());
    early.failed(1, &["do not stop the validator client"]);
    assert_eq!(enemy.honest().len(), 0, "nothing is begun by the way");
    let mut fetched = BTreeMap::new();
    for turn in 1..=6 {
        let before = enemy.honest();
        for i in enemy.order(3) {
            enemy.harm(&fetched);
            let more: &[&str] = match turn {
                1 => &["--from", PARENT],
                4 => &said,
                _ => &[],
            };
            let ended = step(three[i], more);
            assert_eq!(ended.code, 0, "{turn} {}: {}", three[i], ended.stderr);
            let finished = ended.json()["finished"] == true;
            assert!((turn >= 5 || !finished) && (turn < 6 || finished), "{turn} {}", three[i]);
            if turn == 4 {
                assert!(ended.stderr.contains("This operator has stopped"), "{}", ended.stderr);
            }
        }
        fetched = before;
    }
    let transcript = |operator: &str| {
        fs::read(outputs(&demo, operator, &file).join("public/transcript.quorate")).unwrap()
    };
    three.iter().for_each(|operator| assert_eq!(transcript(operator), transcript("alice")));
    assert!(outputs(&demo, "bob", &file).join("secret/cut-over.json").exists());
}

/// Who is awaited to stop is told so, and how.
#[test]
fn a_dealer_at_a_board_is_told_to_stop() {
    let demo = generation();
    let file = draft(&demo, "next", &["alice", "bob", "carol"], &["dave"]);
    let words = words(&demo, &file);
    fs::create_dir(demo.path("board")).unwrap();
    let args = ["step", &file, "--board", "board", "--no-keystores", "--yes-fingerprint", &words];
    let args = [&args[..], &["--from", PARENT]].concat();
    for operator in ["alice", "bob", "carol", "alice", "bob", "alice"] {
        assert_eq!(demo.by(operator, &args).code, 0);
    }
    let [_, ended] = ["carol", "bob"].map(|operator| demo.by(operator, &args));
    assert_eq!(ended.json()["waiting_for_your_stop"], true, "{}", ended.stdout);
    let told = "quorate step next.toml --board board --stopped";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);

    // Once it has committed its shares, no backup leaves the reshare out.
    let said = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
    demo.by("bob", &[&args[..], &said].concat()).done();
    let out = outputs(&demo, "bob", &file);
    let folder = out.parent().unwrap().file_name().unwrap().to_str().unwrap();
    demo.by("bob", &["backup", "make", "bob.backup", "--leave-out", folder])
        .failed(1, &["has committed its shares to this reshare"]);
    assert!(!demo.path("bob.backup").exists());
}

#[test]
fn the_demo_replaces_one_operator_and_audits_the_chain() {
    let home = tempfile::tempdir().unwrap();
    let args = ["--json", "demo", "--reshare", "--operators", "3", "--threshold", "2"];
    let ended = quorate(home.path(), &[&args[..], &["--out", "demo"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let told = "All new shares are stored and proven. Waiting for you to stop the old keys";
    assert_eq!(ended.stderr.matches(told).count(), 3, "{}", ended.stderr);
    let said = ended.json();
    assert_eq!((&said["verdict"], &said["findings"]), (&"verified".into(), &0.into()));
    let reshare = &said["reshare"];
    assert_eq!((&reshare["leaves"], &reshare["joins"]), (&"carol".into(), &"dave".into()));

    // Whose transcript it is: of the same keys, with the key generation as its parent.
    let transcript = format!("{}/transcript.quorate", said["public"].as_str().unwrap());
    let parent = reshare["parent_transcript"].as_str().unwrap();
    let audit = |paths: &[&str]| quorate(home.path(), &[&["--json", "audit"], paths].concat());
    let whole = audit(&[&transcript, parent]).ended_with(0).json();
    let first = audit(&[parent]).ended_with(0).json();
    let certificate = |report: &Value| report["report"]["certificate"].as_str().unwrap().to_owned();
    let named = |digest: &Value| format!("0x{}", digest.as_str().unwrap());
    assert_eq!(certificate(&whole), named(&said["certificate"]));
    assert_eq!(certificate(&first), named(&reshare["parent"]));
    let keys = |report: &Value| -> Vec<Value> {
        let all = report["report"]["facts"]["validators"].as_array().unwrap();
        all.iter().map(|one| one["public_key"].clone()).collect()
    };
    assert_eq!(keys(&whole).len(), 2);
    assert_eq!(keys(&whole), keys(&first));

    // Who stays or comes has keystores that begin after what was stated; who leaves has none.
    let folder = |operator: &str| home.path().join("demo").join(operator).join("ceremonies");
    let digest = Path::new(&transcript).iter().rev().nth(3).unwrap().to_owned();
    for operator in ["alice", "bob", "dave"] {
        let secret = files(&folder(operator).join(&digest).join("out/secret"));
        let keystores = secret.keys().filter(|name| name.contains("keystore")).count();
        assert_eq!(keystores, 2, "{operator}");
        let cut_over: Value = serde_json::from_slice(&secret["cut-over.json"]).unwrap();
        assert_eq!(cut_over["first_epoch"], reshare["first_epoch"], "{operator}");
    }
    assert!(!folder("carol").join(&digest).join("out/secret").exists());
    assert_eq!(mode(home.path().join("demo/alice-protection.json")), 0o600);

    // A second one overwrites nothing, and other kinds of demo have no reshare.
    quorate(home.path(), &[&args[..], &["--out", "demo"]].concat()).ended_with(1);
}

#[test]
fn a_reshare_that_is_abandoned_frees_the_shares_for_another() {
    let demo = generation();
    let parent = ["--from", PARENT];
    let first = draft(&demo, "first", &["alice", "bob", "carol"], &["dave"]);
    up_to_the_stop(&demo, &first, &["alice", "bob", "carol"]);
    let said = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
    let mut bob = start(&demo, "bob", &first, &said);
    bob.until("This operator has stopped");
    bob.signal(Signal::INT);
    bob.ends_with(5);

    let second = draft(&demo, "second", &OPERATORS, &[]);
    let refused = start(&demo, "bob", &second, &parent).ended();
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("to another reshare"), "{}", refused.stderr);
    let words = words(&demo, &first);
    let abandoned = demo.by("bob", &["abandon", &first, "--yes-fingerprint", &words]);
    assert_eq!(abandoned.code, 0, "{}", abandoned.stderr);
    let record = abandoned.json()["evidence"].as_str().unwrap().to_owned();
    assert_eq!(mode(demo.path(&record)), 0o600);
    // The next attempt begins when the one before is abandoned, and not before.
    let next = ["spec", "next", &first, "--reason", "one has left", "-o", "attempt-2.toml"];
    let drafted = demo.run(&next);
    assert_eq!(drafted.code, 0, "{}", drafted.stderr);
    let refused = start(&demo, "carol", "attempt-2.toml", &parent).ended();
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("and has not abandoned it"), "{}", refused.stderr);
    let mut begins = start(&demo, "bob", "attempt-2.toml", &parent);
    begins.until("This operator is");
    begins.signal(Signal::INT);
    begins.ends_with(5);
    // Its new shares can go, too: that it was abandoned stays known.
    let erase = ["forget", &first, "--yes-forget", "erase these shares for ever"];
    let erased = demo.by("bob", &erase);
    assert_eq!(erased.code, 0, "{}", erased.stderr);
    assert!(erased.stderr.contains("This ceremony was abandoned."), "{}", erased.stderr);
    let mut bob = start(&demo, "bob", &second, &parent);
    bob.until("This operator is");
    bob.signal(Signal::INT);
    bob.ends_with(5);
}

/// What one states lies beyond every receiver's clock: a clock that is behind looks the same, so
/// nobody makes anything, and nobody's final leaves.
#[test]
fn a_clock_behind_what_is_stated_ends_before_the_outputs() {
    let demo = generation();
    let hoodi = Network::known("hoodi").unwrap();
    let mut data = Interchange::empty(hoodi.genesis_validators_root());
    for (name, bytes) in files(&demo.out("bob").join("secret")) {
        if name.contains("keystore") {
            let key = Keystore::from_json(&bytes).unwrap().pubkey().to_compressed();
            let vote = Some(Vote { source: 2, target: 9_000_000 });
            data.add(key, Signed { slot: None, vote });
        }
    }
    private(demo.path("bob.json"), core::str::from_utf8(&data.to_json()).unwrap());
    let file = draft(&demo, "next", &["alice", "bob", "carol"], &["dave"]);
    let three = ["alice", "bob", "carol"];
    up_to_the_stop(&demo, &file, &three);
    let word = ["--stopped", "--yes-stopped", SENTENCE];
    let never = [&word[..], &["--others-never-ran"]].concat();
    let future = [&word[..], &["--protection", "bob.json"]].concat();
    let stops = [("alice", &never), ("bob", &future), ("carol", &never)];
    let running: Vec<Running> =
        stops.iter().map(|(operator, stop)| start(&demo, operator, &file, stop)).collect();
    let refused = |ended: Ended, operator: &str| {
        assert_eq!(ended.code, 1, "{operator}: {}", ended.stderr);
        let clock = "this machine's clock says that it is epoch ";
        assert!(ended.stderr.contains(clock), "{operator}: {}", ended.stderr);
        let stated = "operator 2 states target_epoch 9000000 of validator 1";
        assert!(ended.stderr.contains(stated), "{operator}: {}", ended.stderr);
        assert!(!outputs(&demo, operator, &file).exists(), "{operator}");
    };
    // Of two that end, one may have left before the third had everything; it needs somebody to ask.
    let mut running: Vec<_> = three.into_iter().zip(running).collect();
    let (operator, first) = running.remove(0);
    refused(first.ended(), operator);
    // Nothing is lost: the same command comes to the same point.
    refused(start(&demo, operator, &file, &[]).ended(), operator);
    drop(running);
}
