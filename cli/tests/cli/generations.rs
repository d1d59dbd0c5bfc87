//! Three reshares after each other on real processes, 4 to 5 to 7 to 4 operators: the same keys,
//! one chain, and only the newest shares together sign.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::demo::{Demo, PLAIN};
use crate::support::files::private;
use crate::support::ports::free_port;
use crate::support::running::{Running, Signal};

const SENTENCE: &str = "these shares are removed from every validator client";
/// Deals in the last reshare, and wants no keystores then.
const GRACE: &str = "grace";
const MAY_STOP: &str = "Waiting for you to stop the old keys";

/// A reshare: its file, the transcript of its parent, who deals, and who only receives.
struct Reshare<'a> {
    name: &'a str,
    parent: &'a Path,
    deal: &'a [&'a str],
    receive: &'a [&'a str],
    /// `--threshold`, `--leaves`, `--absent` and their values.
    more: &'a [&'a str],
}

fn run(demo: &Demo, args: &[&str]) -> Value {
    let ended = demo.run(&[&["--json"], args].concat());
    assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.stdout, ended.stderr);
    ended.json()
}

fn outputs(demo: &Demo, operator: &str, file: &str) -> PathBuf {
    let digest = run(demo, &["spec", "check", file])["digest"].as_str().unwrap()[..16].to_owned();
    demo.path("demo").join(operator).join("ceremonies").join(digest).join("out")
}

impl Reshare<'_> {
    fn file(&self) -> String {
        format!("{}.toml", self.name)
    }

    fn draft(&self, demo: &Demo, stay: &[&str]) {
        let (file, parent) = (self.file(), self.parent.to_str().unwrap());
        let mut args: Vec<String> = ["reshare", "new", "--name", self.name, "-o", &file, "--from"]
            .map(str::to_owned)
            .to_vec();
        args.push(parent.to_owned());
        for operator in stay {
            let card = run(demo, &["--dir", &format!("demo/{operator}"), "identity", "show"]);
            let card = card["card"].as_str().unwrap().to_owned();
            args.extend(["--operator".to_owned(), format!("{card}@127.0.0.1:{}", free_port())]);
        }
        args.extend(self.more.iter().map(|text| (*text).to_owned()));
        run(demo, &args.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn start(&self, demo: &Demo, operator: &str, more: &[&str]) -> Running {
        let file = self.file();
        let words =
            run(demo, &["spec", "check", &file])["fingerprint"].as_str().unwrap().to_owned();
        let args = ["run", &file, "--kdf", "pbkdf2", "--linger", "20", "--yes-fingerprint", &words];
        demo.start(operator, &[&args[..], more].concat())
    }

    /// All of it; the new transcript, as one of the receivers has it.
    fn finish(&self, demo: &Demo, of: &str) -> PathBuf {
        let from = ["--from", self.parent.to_str().unwrap()];
        let start = |operator: &&str| self.start(demo, operator, &from);
        let receiving: Vec<Running> = self.receive.iter().map(start).collect();
        let mut dealing: Vec<Running> = self.deal.iter().map(start).collect();
        dealing.iter_mut().for_each(|running| running.until(MAY_STOP));
        dealing.iter().for_each(|running| running.signal(Signal::INT));
        dealing.into_iter().for_each(|running| drop(running.ends_with(5)));
        let said = ["--stopped", "--others-never-ran", "--yes-stopped", SENTENCE];
        let bare = [&said[..], &["--no-keystores"]].concat();
        let stop = |operator: &&str| match *operator {
            GRACE => self.start(demo, operator, &bare),
            _ => self.start(demo, operator, &said),
        };
        let stopped: Vec<Running> = self.deal.iter().map(stop).collect();
        let names = self.receive.iter().chain(self.deal);
        for (operator, running) in names.zip(receiving.into_iter().chain(stopped)) {
            let ended = running.ended();
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            // What is said of new shares is so.
            let leaves = self.more.windows(2).any(|pair| pair == ["--leaves", operator]);
            let said = match *operator {
                _ if leaves => "none",
                GRACE if self.deal.contains(&GRACE) => "log",
                _ => "keystores",
            };
            assert_eq!(ended.json()["shares"], said, "{operator}");
            let told = ended.stderr.contains("There are no keystores");
            assert_eq!(told, said == "log", "{operator}: {}", ended.stderr);
            assert_eq!(ended.stderr.contains("Before you load"), !leaves, "{operator}");
        }
        outputs(demo, of, &self.file()).join("public/transcript.quorate")
    }
}

#[test]
fn four_five_seven_and_four_operators_hold_the_same_keys() {
    let demo = Demo::new(PLAIN);
    for name in ["erin", "frank", "grace"] {
        let new = ["identity", "new", "--name", name, "--kdf-cost", "10"];
        assert_eq!(demo.by(name, &new).code, 0);
    }
    let genesis = demo.out("alice").join("public/transcript.quorate");
    let deposits = fs::read(demo.out("alice").join("public/deposit-data.json")).unwrap();
    let deposits: Value = serde_json::from_slice(&deposits).unwrap();
    let key = format!("0x{}", deposits[0]["pubkey"].as_str().unwrap());

    // Erin comes.
    let four = ["alice", "bob", "carol", "dave"];
    let five = ["alice", "bob", "carol", "dave", "erin"];
    let first = Reshare {
        name: "five",
        parent: &genesis,
        deal: &four,
        receive: &["erin"],
        more: &["--threshold", "3"],
    };
    first.draft(&demo, &five);
    let second = first.finish(&demo, "erin");

    // Frank and grace come, alice and bob are away: n - t of the old operators are absent.
    let stay = ["carol", "dave", "erin"];
    let seven = ["carol", "dave", "erin", "frank", "grace", "alice", "bob"];
    let next = Reshare {
        name: "seven",
        parent: &second,
        deal: &stay,
        receive: &["frank", "grace", "alice", "bob"],
        more: &["--threshold", "5", "--lost", "alice", "--lost", "bob"],
    };
    next.draft(&demo, &seven);
    let third = next.finish(&demo, "grace");

    // Those of the key generation leave, and a new threshold.
    let last = Reshare {
        name: "four",
        parent: &third,
        deal: &["carol", "dave", "erin", "frank", "grace"],
        receive: &[],
        more: &["--threshold", "3", "--leaves", "carol", "--absent", "alice", "--absent", "bob"],
    };
    last.draft(&demo, &["carol", "dave", "erin", "frank", "grace"]);
    let newest = last.finish(&demo, "dave");

    // The chain, in any order; and a missing link by its certificate.
    let file = last.file();
    let chain = [&third, &genesis, &newest, &second].map(|path| path.to_str().unwrap());
    let audited = run(&demo, &[&["audit"][..], &chain, &["--expect", &file]].concat());
    assert_eq!(audited["verdict"], "verified");
    let alone = demo.path("alone.quorate");
    fs::copy(&newest, &alone).unwrap();
    let missing = demo.run(&["--json", "audit", alone.to_str().unwrap()]);
    assert_eq!(missing.code, 4, "{}{}", missing.stdout, missing.stderr);
    assert_eq!(missing.json()["verdict"], "unlinked");
    let third_certificate = run(&demo, &["audit", third.to_str().unwrap()]);
    let certificate = third_certificate["report"]["certificate"].as_str().unwrap()[2..].to_owned();
    assert!(missing.stdout.contains(&certificate), "{certificate}: {}", missing.stdout);

    // Who has left has nothing to load.
    let left = demo.by("carol", &["export", "keystores", &file, "--out", "left"]);
    assert_eq!(left.code, 1, "{}", left.stderr);
    assert!(left.stderr.contains("this operator has left"), "{}", left.stderr);

    // Whole keys, by three of the four that hold shares, with the records of two: any three of
    // them sign. The transcript is found with its parents.
    let secrets = ["dave", "erin", "frank"].map(|name| outputs(&demo, name, &file).join("secret"));
    let secrets = secrets.map(|path| path.to_str().unwrap().to_owned());
    let records = [0, 1, 2].map(|at| format!("{}/slashing-protection.json", secrets[at]));
    private(demo.path("new-password"), "a new password for whole keys");
    let transcript = newest.to_str().unwrap();
    let recover = |out: &str, records: &[String]| {
        let mut args = vec!["recover", transcript, "--out", out, "--kdf", "pbkdf2"];
        args.extend(["--new-password-file", "new-password"]);
        args.extend(["--keystore-password-file", "demo/passphrase"]);
        args.extend(["--yes-stopped", "no share of these validators runs anywhere"]);
        args.extend(secrets.iter().flat_map(|path| ["--share", path]));
        args.extend(records.iter().flat_map(|path| ["--protection", path]));
        demo.by("dave", &args)
    };
    let few = recover("few", &records[..1]);
    assert_eq!(few.code, 1, "{}", few.stderr);
    assert!(few.stderr.contains("1 operators' shares, and 2 are needed"), "{}", few.stderr);
    let made = recover("whole", &records[..2]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    demo.run(&["export", "launchpad", transcript, "--out", "launchpad"])
        .failed(2, &["\"four\" signed no deposits"]);

    // An exit by any three of the newest, and by no two; older shares are none of it.
    let request = ["exit", "request", newest.to_str().unwrap(), "--public-key", &key];
    run(&demo, &[&request[..], &["--index", "7", "--public", "-o", "request.json"]].concat());
    for operator in ["dave", "erin", "frank", "grace", "alice"] {
        let allow = format!("exits = \"allow-list\"\nallow = [\"{key}\"]\n");
        private(demo.path(&format!("demo/{operator}/signing.toml")), &allow);
        let output = format!("{operator}.json");
        let signed = demo.by(operator, &["exit", "sign", "request.json", "--yes", "-o", &output]);
        assert_eq!(signed.code, i32::from(operator == "alice"), "{operator}: {}", signed.stderr);
    }
    let combine = ["exit", "combine", "request.json", "--transcript", newest.to_str().unwrap()];
    let made = |answers: &[&str], output: &str| {
        demo.run(&[&["--json"], &combine[..], answers, &["-o", output]].concat())
    };
    assert_eq!(made(&["dave.json", "grace.json"], "two.json").code, 5);
    assert_eq!(made(&["dave.json", "erin.json", "frank.json"], "exit.json").code, 0);
    assert_eq!(made(&["erin.json", "frank.json", "grace.json"], "other.json").code, 0);
    assert_eq!(
        fs::read(demo.path("exit.json")).unwrap(),
        fs::read(demo.path("other.json")).unwrap()
    );
    run(&demo, &["verify", "exit", "exit.json", "--network", "hoodi", "--public-key", &key]);
}
