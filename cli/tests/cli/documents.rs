//! Every command that README.md and docs/ print works as printed. The README's walkthrough is
//! followed from its first block to its last; what is printed elsewhere runs after it, with its
//! placeholders filled; a bare mention names a command that exists.
//!
//! `.ci/walkthrough` follows the README too, on terminals where somebody types the answers. Here a
//! script in front of the program gives them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::demo::OPERATORS;
use crate::support::files::{only, private};
use crate::support::ports::free_port;
use crate::support::program::{Ended, QUORATE, command_of, quorate};
use crate::support::repository;
use crate::support::running::Running;

/// Answers for whoever sits at the terminal: passphrase, words, consent.
const PERSON: &str = r#"#!/bin/sh
case "$1 $2" in
"run "* | "step "*)
    words="$("$REAL" --json spec check "$2" | sed 's/.*"fingerprint":"\([a-z ]*\)".*/\1/')"
    exec "$REAL" --passphrase-file "$PASSPHRASE" "$@" --yes-fingerprint "$words" ;;
"exit sign" | "exit run") exec "$REAL" --passphrase-file "$PASSPHRASE" "$@" --yes ;;
*) exec "$REAL" --passphrase-file "$PASSPHRASE" "$@" ;;
esac
"#;

/// A command that is printed outside of the walkthrough: how its placeholders are filled, what is
/// added, whose directory it runs in, and how it ends.
struct Printed {
    text: &'static str,
    fill: &'static [(&'static str, &'static str)],
    more: &'static str,
    dir: &'static str,
    code: i32,
}

const fn printed(
    text: &'static str,
    fill: &'static [(&'static str, &'static str)],
    more: &'static str,
    dir: &'static str,
) -> Printed {
    Printed { text, fill, more, dir, code: 0 }
}

/// In the order in which they run: some make what others need.
const PRINTED: [Printed; 82] = [
    printed("quorate demo --preregistration --no-keystores --out preregistered", &[], "", "alice"),
    printed(
        "quorate verify preregistration preregistrations-draft.json --network hoodi",
        &[("preregistrations-draft", "preregistered/alice/*/*/out/public/preregistrations-draft")],
        "",
        "alice",
    ),
    printed("quorate backup make alice.backup", &[], "", "alice"),
    // A person would type two sentences.
    Printed { code: 2, ..printed("quorate forget ceremony.toml", &[], "", "alice") },
    printed("quorate backup check alice.backup", &[], "", "alice"),
    printed("quorate --dir new-alice backup restore alice.backup", &[], "", "alice"),
    printed("quorate --dir new-alice restored ask ceremony.toml -o alice.ask", &[], "", "alice"),
    printed("quorate restored answer alice.ask -o bob.answer", &[], "", "bob"),
    // Carol's has not come yet.
    Printed {
        code: 5,
        ..printed(
            "quorate --dir new-alice restored take ceremony.toml bob.answer carol.answer",
            &[("carol.answer", "bob.answer")],
            "",
            "alice",
        )
    },
    printed(
        "quorate deposit request --amount 8",
        &[],
        "transcript.quorate --public-key \"$key\" --public -o top-up.json",
        "alice",
    ),
    printed(
        "quorate audit transcript.quorate --expect ceremony.toml --deposit-data FILE",
        &[
            ("transcript.quorate", "alice/ceremonies/*/out/public/transcript.quorate"),
            ("FILE", "alice/ceremonies/*/out/public/deposit-data.json"),
        ],
        "",
        "alice",
    ),
    printed(
        "quorate exit request transcript.quorate --all --beacon validators.json --custodian \
         quorate1... -o exit-requests.json",
        &[("quorate1...", "\"$(cat bob.card)\"")],
        "",
        "alice",
    ),
    printed(
        "quorate registration request transcript.quorate --all --fee-recipient \
         0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --gas-limit 60000000 --public -o \
         registration-request.json",
        &[],
        "",
        "alice",
    ),
    // The walkthrough's ceremony has no RSA keys, and operators 1 to 3 of SSV are others.
    Printed {
        code: 2,
        ..printed(
            "quorate ssv request transcript.quorate --all --owner \
             0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --nonce 7 --public -o \
             key-shares-request.json",
            &[],
            "",
            "alice",
        )
    },
    printed(
        "quorate exit sign exit-request.json --keystores out/secret --transcript \
         out/public/transcript.quorate",
        &[
            ("out/secret", "alice/ceremonies/*/out/secret"),
            ("out/public/transcript.quorate", "transcript.quorate"),
        ],
        "-o restored.json",
        "restored",
    ),
    printed(
        "quorate verify registered validators.json --transcript transcript.quorate",
        &[],
        "",
        "alice",
    ),
    printed("quorate spec pack ceremony.toml --all", &[], "", "alice"),
    printed(
        "quorate join bob.packet",
        &[("bob.packet", "packets/bob.packet")],
        "--linger 0",
        "bob",
    ),
    printed(
        "quorate spec pack ceremony.toml --all --out packets",
        &[("--out packets", "--out packets-again")],
        "",
        "alice",
    ),
    printed("quorate join packets/bob.packet", &[], "--linger 0", "bob"),
    // The others are not there.
    Printed { code: 5, ..printed("quorate doctor ceremony.toml", &[], "--wait 1", "alice") },
    Printed {
        code: 5,
        ..printed("quorate doctor ceremony.toml --wait 600", &[("600", "1")], "", "alice")
    },
    Printed {
        code: 5,
        ..printed(
            "quorate rehearse ceremony.toml --id \"monday, first try\"",
            &[],
            "--wait 1",
            "alice",
        )
    },
    printed("quorate run ceremony.toml --socks5 127.0.0.1:9050", &[], "--linger 0", "alice"),
    // The walkthrough's ceremony has no registrations, which a treasury demands.
    Printed {
        code: 4,
        ..printed(
            "quorate dossier transcript.quorate --expect ceremony.toml --policy treasury --out \
             dossier",
            &[],
            "",
            "alice",
        )
    },
    printed(
        "quorate spec wallet-text ceremony.toml --operator bob --wallet \
         0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        &[],
        "",
        "alice",
    ),
    printed("quorate spec policy treasury > ours.toml", &[], "", "alice"),
    Printed {
        code: 4,
        ..printed("quorate spec check ceremony.toml --policy treasury", &[], "", "alice")
    },
    Printed {
        code: 4,
        ..printed(
            "quorate audit transcript.quorate --expect ceremony.toml --policy treasury --policy \
             ./ours.toml",
            &[],
            "",
            "alice",
        )
    },
    printed("quorate demo --fault NAME", &[("NAME", "withhold")], "--out withheld", "alice"),
    // Of a ceremony that is finished there is nothing to abandon.
    Printed { code: 2, ..printed("quorate abandon ceremony.toml", &[], "", "alice") },
    printed("quorate demo --obol", &[], "--out obol", "alice"),
    // A second ceremony on the same network.
    printed(
        "quorate export launchpad transcript.quorate more.quorate --out DIR",
        &[
            ("more.quorate", "obol/alice/ceremonies/*/out/public/transcript.quorate"),
            ("DIR", "both"),
        ],
        "",
        "alice",
    ),
    printed(
        "quorate spec new --like transcript.quorate --name more --validators 4 --at \
         alice=127.0.0.1:3610 --at bob=127.0.0.1:3611 --at carol=127.0.0.1:3612 --at \
         dave=127.0.0.1:3613 -o more.toml",
        &[],
        "",
        "alice",
    ),
    // Python with what it needs is not everywhere.
    Printed {
        code: 1,
        ..printed(
            "quorate demo --duties --python specs/bin/python",
            &[("specs/bin/python", "/bin/false")],
            "--out duties",
            "alice",
        )
    },
    printed("quorate identity obol-key new", &[], "", "alice"),
    printed(
        "quorate spec new --obol-definition cluster-definition.json --operator \"$(cat \
         alice.card)@127.0.0.1:3610\" --operator \"$(cat bob.card)@127.0.0.1:3611\" --operator \
         \"$(cat carol.card)@127.0.0.1:3612\" --operator \"$(cat dave.card)@127.0.0.1:3613\" -o \
         ceremony.toml",
        &[("cluster-definition.json", "obol/cluster-definition.json"), ("-o ", "-o obol-")],
        "",
        "alice",
    ),
    printed(
        "quorate export obol ceremony.toml --out DIR",
        &[("ceremony.toml", "obol/ceremony.toml"), ("DIR", "charon-data")],
        "",
        "obol/alice",
    ),
    // The cluster's own definition, whose lock the ceremony itself has made.
    Printed {
        code: 2,
        ..printed(
            "quorate obol request transcript.quorate --all --definition cluster-definition.json \
             --public -o lock-request.json",
            &[
                ("transcript.quorate", "obol/alice/ceremonies/*/out/public/transcript.quorate"),
                ("cluster-definition.json", "obol/cluster-definition.json"),
            ],
            "",
            "obol/alice",
        )
    },
    printed(
        "quorate export obol next.toml --lock cluster-lock.json --out charon",
        &[
            ("next.toml", "obol/ceremony.toml"),
            ("cluster-lock.json", "obol/alice/ceremonies/*/out/public/cluster-lock.json"),
            ("--out charon", "--out charon-again"),
        ],
        "",
        "obol/alice",
    ),
    printed(
        "quorate audit transcript.quorate --expect ceremony.toml --lock cluster-lock.json",
        &[
            ("transcript.quorate", "obol/alice/ceremonies/*/out/public/transcript.quorate"),
            ("ceremony.toml", "obol/ceremony.toml"),
            ("cluster-lock.json", "charon-data/cluster-lock.json"),
        ],
        "",
        "obol/alice",
    ),
    printed("quorate demo --ssv", &[], "--out ssv --validators 1", "alice"),
    printed(
        "quorate spec new ... --threshold 3 --ssv-owner \
         0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --ssv-nonce 0 --ssv-operators \
         operators_info.json --ssv-id 11 --ssv-id 22 --ssv-id 33 --ssv-id 44 -o ceremony.toml",
        &[
            (
                "...",
                "--name S --network hoodi --validators 1 --compounding false --withdrawal \
                 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --operator \"$(cat alice.card)@a:1\" \
                 --operator \"$(cat bob.card)@b:1\" --operator \"$(cat carol.card)@c:1\" \
                 --operator \"$(cat dave.card)@d:1\"",
            ),
            ("operators_info.json", "ssv/ssv/operators_info.json"),
            ("-o ", "-o ssv-"),
        ],
        "",
        "alice",
    ),
    printed(
        "quorate run ceremony.toml --ssv-key encrypted_private_key.json --ssv-password-file \
         ssv-password",
        &[
            ("ceremony.toml", "ssv/ceremony.toml"),
            ("encrypted_private_key.json", "ssv/ssv/alice/encrypted_private_key.json"),
            (" ssv-password", " ssv/ssv/password"),
        ],
        "--linger 0",
        "ssv/alice",
    ),
    printed(
        "quorate export ssv transcript.quorate --out DIR",
        &[
            ("transcript.quorate", "ssv/alice/ceremonies/*/out/public/transcript.quorate"),
            ("DIR", "ssv-again"),
        ],
        "",
        "ssv/alice",
    ),
    printed(
        "quorate verify keyshares keyshares.json --proofs proofs.json --owner \
         0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --nonce 0",
        &[
            ("keyshares.json", "ssv-again/ceremony-*/000000-*/keyshares.json"),
            (" proofs.json", " ssv-again/ceremony-*/000000-*/proofs.json"),
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "\"$owner\""),
        ],
        "",
        "alice",
    ),
    printed(
        "quorate verify ssv ceremony-2026-11-23--08-00-00.000 --network hoodi --validators 1 \
         --owner 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --nonce 0 --withdrawal \
         0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        &[
            ("ceremony-2026-11-23--08-00-00.000", "ssv-again/ceremony-*"),
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "\"$owner\""),
        ],
        "",
        "alice",
    ),
    printed(
        "quorate export launchpad transcript.quorate --out DIR",
        &[("DIR", "launchpad")],
        "",
        "alice",
    ),
    printed(
        "quorate export keystores ceremony.toml --out DIR",
        &[("DIR", "keystores")],
        "",
        "alice",
    ),
    // Nobody listens there.
    Printed {
        code: 1,
        ..printed(
            "quorate export keystores ceremony.toml --keymanager http://127.0.0.1:7500 \
             --token-file api-token.txt",
            &[("7500", "9")],
            "",
            "alice",
        )
    },
    Printed {
        code: 1,
        ..printed(
            "quorate keymanager remove transcript.quorate --keymanager http://127.0.0.1:7500 \
             --token-file api-token.txt --out protection.json",
            &[("7500", "9"), ("protection.json", "removed.json")],
            "",
            "alice",
        )
    },
    Printed {
        code: 1,
        ..printed(
            "quorate export keystores ceremony.toml --keymanager http://127.0.0.1:7501 \
             --token-file api-token.txt --protection protection.json",
            &[("7501", "9")],
            "--others-never-ran",
            "alice",
        )
    },
    printed(
        "quorate recover transcript.quorate --share alice --share bob --share carol --protection \
         alice.json --protection bob.json --new-password-file password.txt --out recovered",
        &[
            ("--share alice", "--share alice/ceremonies/*/out/secret"),
            ("--share bob", "--share bob/ceremonies/*/out/secret"),
            ("--share carol", "--share carol/ceremonies/*/out/secret"),
            ("--protection alice.json --protection bob.json", "--others-never-ran"),
            ("password.txt", "passphrase"),
        ],
        "--kdf pbkdf2 --yes-stopped \"no share of these validators runs anywhere\"",
        "alice",
    ),
    printed(
        "quorate import new --keystores validator_keys --beacon validators.json --name cluster \
         --network hoodi --threshold 2 --operator \"$(cat alice.card)@127.0.0.1:3610\" --operator \
         \"$(cat bob.card)@127.0.0.1:3611\" --operator \"$(cat carol.card)@127.0.0.1:3612\" -o \
         import.toml",
        &[
            ("validator_keys", "alice/ceremonies/*/out/secret"),
            (
                "--beacon validators.json",
                "--withdrawal 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --compounding false",
            ),
        ],
        "",
        "alice",
    ),
    // They would wait for the others: this machine has no such address.
    Printed { code: 1, ..printed("quorate run import.toml", &[], "--listen 192.0.2.1:1", "bob") },
    Printed {
        code: 1,
        ..printed(
            "quorate run import.toml --keystores validator_keys",
            &[("validator_keys", "alice/ceremonies/*/out/secret")],
            "--listen 192.0.2.1:1",
            "alice",
        )
    },
    // Not begun, and so not asked for.
    Printed {
        code: 1,
        ..printed(
            "quorate run import.toml --stopped --protection protection.json",
            &[],
            "--keystores alice/ceremonies/*/out/secret",
            "alice",
        )
    },
    printed("quorate demo --import --out imported", &[], "> /dev/null", "alice"),
    printed("quorate demo --repair --out repaired", &[], "> /dev/null", "alice"),
    printed(
        "quorate reshare new --from transcript.quorate --name next --operator \"$(cat \
         alice.card)@127.0.0.1:3610\" --operator \"$(cat bob.card)@127.0.0.1:3611\" --operator \
         \"$(cat carol.card)@127.0.0.1:3612\" --absent dave -o next.toml",
        &[],
        "",
        "alice",
    ),
    printed(
        "quorate spec pack next.toml --for bob --from transcript.quorate -o bob-next.packet",
        &[],
        "",
        "alice",
    ),
    // It would wait for the others: this machine has no such address.
    Printed {
        code: 1,
        ..printed(
            "quorate run next.toml --from transcript.quorate",
            &[],
            "--listen 192.0.2.1:1",
            "alice",
        )
    },
    // Not begun, and so not asked for.
    Printed {
        code: 1,
        ..printed(
            "quorate run next.toml --stopped --keymanager http://127.0.0.1:7500 --token-file \
             api-token.txt",
            &[("7500", "9")],
            "--from transcript.quorate",
            "alice",
        )
    },
    Printed {
        code: 1,
        ..printed(
            "quorate run next.toml --stopped --protection protection.json",
            &[],
            "--from transcript.quorate",
            "alice",
        )
    },
    // Nobody has stopped.
    Printed {
        code: 1,
        ..printed(
            "quorate run next.toml --without dave",
            &[("dave", "carol")],
            "--from transcript.quorate",
            "alice",
        )
    },
    Printed {
        code: 1,
        ..printed(
            "quorate export keystores next.toml --keymanager http://127.0.0.1:7501 --token-file \
             api-token.txt",
            &[("7501", "9")],
            "",
            "alice",
        )
    },
    Printed {
        code: 1,
        ..printed(
            "quorate export keystores next.toml --keymanager http://127.0.0.1:7501 --token-file \
             api-token.txt --beacon validators.json --liveness liveness.json --epoch 400000",
            &[("7501", "9")],
            "",
            "alice",
        )
    },
    printed(
        "quorate repair new --from transcript.quorate --lost carol --operator \"$(cat \
         alice.card)@127.0.0.1:3610\" --operator \"$(cat bob.card)@127.0.0.1:3611\" --operator \
         \"$(cat carol.card)@127.0.0.1:3612\" --operator \"$(cat dave.card)@127.0.0.1:3613\" -o \
         repair.toml",
        &[],
        "--yes-destroyed \"the old machine is destroyed\"",
        "alice",
    ),
    // It would wait for the others: this machine has no such address.
    Printed {
        code: 1,
        ..printed(
            "quorate run repair.toml --from transcript.quorate",
            &[],
            "--listen 192.0.2.1:1",
            "alice",
        )
    },
    // Nothing was begun.
    Printed {
        code: 1,
        ..printed(
            "quorate export keystores repair.toml --keymanager http://127.0.0.1:7501 --token-file \
             api-token.txt",
            &[("7501", "9")],
            "",
            "alice",
        )
    },
    printed(
        "quorate step ceremony.toml --board /shared/board",
        &[("/shared/board", ".")],
        "",
        "alice",
    ),
    printed(
        "quorate step ceremony.toml --board /media/stick/board",
        &[("/media/stick/board", ".")],
        "",
        "bob",
    ),
    printed(
        "quorate step next.toml --board /shared/board --from transcript.quorate",
        &[("/shared/board", ".")],
        "",
        "alice",
    ),
    // Where nobody answers, `run` waits; so its address is made a wrong one.
    Printed {
        code: 2,
        ..printed(
            "quorate run ceremony.toml --via nats://nats.example.org:4222",
            &[("nats://nats.example.org:4222", "nats.example.org")],
            "",
            "alice",
        )
    },
    Printed {
        code: 1,
        ..printed(
            "quorate step ceremony.toml --via nats://nats.example.org:4222",
            &[("nats.example.org:4222", "127.0.0.1:9")],
            "",
            "alice",
        )
    },
    Printed {
        code: 1,
        ..printed(
            "quorate doctor ceremony.toml --via nats://nats.example.org:4222",
            &[("nats.example.org:4222", "127.0.0.1:9")],
            "",
            "alice",
        )
    },
    // Not before it is asked for.
    // Nobody has stopped there either.
    Printed {
        code: 1,
        ..printed(
            "quorate step next.toml --board /shared/board --without dave",
            &[("/shared/board", "."), ("dave", "carol")],
            "--from transcript.quorate",
            "alice",
        )
    },
    Printed {
        code: 1,
        ..printed(
            "quorate step next.toml --board /shared/board --stopped --others-never-ran",
            &[("/shared/board", ".")],
            "--from transcript.quorate",
            "alice",
        )
    },
    printed(
        "quorate exit request transcript.quorate --public-key \"$key\" --index 1804776 --public -o \
         board-request.json --board /shared/board",
        &[("/shared/board", ".")],
        "",
        "alice",
    ),
    printed(
        "quorate exit sign \"$id\" --board /shared/board",
        &[("/shared/board", "."), ("$id", "$(basename $(dirname quorate-1/*/request))")],
        "",
        "alice",
    ),
    // Of three that are needed, one has answered.
    Printed {
        code: 5,
        ..printed(
            "quorate exit combine \"$id\" --board /shared/board --transcript transcript.quorate",
            &[("/shared/board", "."), ("$id", "$(basename $(dirname quorate-1/*/request))")],
            "",
            "alice",
        )
    },
    printed(
        "quorate verify protection protection.json --network hoodi --not-below earlier.json",
        &[("earlier.json", "protection.json")],
        "",
        "alice",
    ),
];

/// What a validator client of hoodi has exported, in the place of `protection.json`.
const PROTECTION: &str = r#"{"metadata":{"interchange_format_version":"5","genesis_validators_root":"0x212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f"},"data":[]}"#;

/// A block of a document: who runs it, if it is one of the walkthrough, and its lines.
struct Block {
    who: Option<String>,
    text: String,
}

/// A document: its blocks, and the pieces of code in its sentences.
fn read(path: &Path) -> (Vec<Block>, Vec<String>) {
    let text = fs::read_to_string(path).unwrap();
    let (mut blocks, mut sentences) = (Vec::<Block>::new(), String::new());
    let mut inside = false;
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(info) => {
                inside = true;
                let who = info.strip_prefix("sh walkthrough ").map(str::to_owned);
                assert!(who.is_some() || ["", "sh", "toml"].contains(&info), "{info}");
                blocks.push(Block { who, text: String::new() });
            }
            None if inside => blocks.last_mut().unwrap().text += &format!("{line}\n"),
            None => sentences += &format!("{line}\n"),
        }
    }
    let code = sentences.split('`').skip(1).step_by(2).map(words).collect();
    (blocks, code)
}

/// The words of a text, one space apart.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The commands in a block, each on one line, without comments.
fn commands(block: &str) -> Vec<String> {
    let lines = block.replace("\\\n", " ");
    let lines = lines.lines().map(|line| words(line.split(" # ").next().unwrap()));
    lines.filter(|line| line.starts_with("quorate ")).collect()
}

/// A folder in which people follow a document.
struct Place {
    root: TempDir,
    ports: [u16; 4],
}

impl Place {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        private(root.path().join("passphrase"), "fox lamp river stone\n");
        fs::create_dir(root.path().join("bin")).unwrap();
        let person = root.path().join("bin/quorate");
        fs::write(&person, PERSON).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&person, mode).unwrap();
        Self { root, ports: [(); 4].map(|()| free_port()) }
    }

    fn start(&self, name: &str, script: &str) -> Running {
        let here = self.root.path();
        let mut script = script.to_owned();
        for (printed, port) in (3610..).zip(self.ports) {
            script = script.replace(&format!("127.0.0.1:{printed}"), &format!("127.0.0.1:{port}"));
        }
        let exports = format!(".{name}.exports");
        let script = format!(
            "[ ! -e {exports} ] || . ./{exports}\nset -euo pipefail\n{script}\nexport -p > \
             {exports}"
        );
        let mut command = command_of("bash", here, &["-c", &script]);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", here.join("bin").display()));
        command.env("REAL", QUORATE).env("PASSPHRASE", here.join("passphrase"));
        Running::start(command)
    }

    fn run(&self, name: &str, script: &str) -> Ended {
        self.start(name, script).ended()
    }

    /// Alice's keys in a new directory, and what a beacon node says of the validators.
    fn restored_and_asked(&self) {
        let here = self.root.path();
        let restored = here.join("restored");
        fs::create_dir(&restored).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&restored, mode).unwrap();
        for file in ["identity.sealed", "signing.toml"] {
            fs::copy(here.join("alice").join(file), restored.join(file)).unwrap();
        }
        let ceremony = only(here.join("alice/ceremonies"));
        let deposits = fs::read(ceremony.join("out/public/deposit-data.json")).unwrap();
        let deposits: Vec<Value> = serde_json::from_slice(&deposits).unwrap();
        let entry = |(at, deposit): (usize, &Value)| {
            let of = |field: &str| format!("0x{}", deposit[field].as_str().unwrap());
            json!({ "index": (1_804_776 + at).to_string(), "status": "active_ongoing",
                "validator": { "pubkey": of("pubkey"), "activation_epoch": "1",
                    "withdrawal_credentials": of("withdrawal_credentials") } })
        };
        let entries: Vec<Value> = deposits.iter().enumerate().map(entry).collect();
        fs::write(here.join("validators.json"), json!({ "data": entries }).to_string()).unwrap();
    }

    /// Everybody allows signatures for the validators of the ceremony, so that nobody is asked.
    fn allow_all(&self) {
        let here = self.root.path();
        for name in OPERATORS {
            let status = quorate(here, &["--json", "--dir", name, "status"]).done().json();
            let keys = &status["ceremonies"][0]["validators"];
            assert_eq!(keys.as_array().unwrap().len(), 2);
            let policy = format!("exits = \"allow-list\"\nallow = {keys}\n");
            private(here.join(name).join("signing.toml"), &policy);
        }
    }
}

#[test]
fn every_command_of_the_documents_works() {
    let place = Place::new();
    let (blocks, mut mentioned) = read(&repository("README.md"));
    let mut rest = Vec::new();
    let mut followed = 0;
    for block in blocks {
        let names: Vec<&str> = match block.who.as_deref() {
            None => {
                rest.extend(commands(&block.text));
                continue;
            }
            Some("each") => OPERATORS.to_vec(),
            Some(name) => OPERATORS.into_iter().filter(|known| *known == name).collect(),
        };
        if block.text.contains("exit sign") {
            place.allow_all();
        }
        let each = |name: &&str| {
            let everybody = block.who.as_deref() == Some("each");
            let text =
                if everybody { block.text.replace("alice", name) } else { block.text.clone() };
            place.start(name, &text)
        };
        let running: Vec<Running> = names.iter().map(each).collect();
        for running in running {
            let ended = running.ended();
            assert_eq!(ended.code, 0, "{}\n{}{}", block.text, ended.stdout, ended.stderr);
        }
        followed += 1;
    }
    assert!(followed > 10, "{followed}");

    let mut documents: Vec<_> =
        fs::read_dir(repository("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.sort();
    for path in documents.into_iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let (blocks, code) = read(&path);
        rest.extend(blocks.iter().flat_map(|block| commands(&block.text)));
        mentioned.extend(code);
    }
    mentioned.retain(|code| code.starts_with("quorate "));

    // A mention of nothing but a command names one that exists; the others are commands.
    let here = place.root.path();
    for code in mentioned {
        let args: Vec<&str> = code.split(' ').skip(1).collect();
        let is_word = |arg: &&str| arg.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        if args.iter().all(is_word) && !args.iter().any(|arg| arg.starts_with('-')) {
            let help = quorate(here, &[&args[..], &["--help"]].concat());
            assert_eq!(help.code, 0, "{code}: {help:?}");
        } else {
            rest.push(code);
        }
    }

    let known: BTreeSet<&str> = PRINTED.iter().map(|printed| printed.text).collect();
    let found: BTreeSet<&str> = rest.iter().map(String::as_str).collect();
    assert_eq!(found, known, "the commands in the documents, and those that run here");
    private(here.join("api-token.txt"), "token\n");
    fs::write(here.join("protection.json"), PROTECTION).unwrap();
    let set_up = "cp alice/ceremonies/*/out/public/transcript.quorate . && export \
                  key=\"0x$(sed -n 's/.*\"pubkey\": \"\\(.*\\)\",/\\1/p' \
                  alice/ceremonies/*/out/public/deposit-data.json | head -n 1)\"";
    assert_eq!(place.run("reader", set_up).code, 0);
    place.restored_and_asked();
    for printed in &PRINTED {
        let fill = |text: String, (from, to): &(&str, &str)| {
            assert!(text.contains(from), "{from} in {}", printed.text);
            text.replace(from, to)
        };
        let command = printed.fill.iter().fold(printed.text.to_owned(), fill);
        let owner = "owner=\"$(sed -n 's/^owner = \"\\(.*\\)\"/\\1/p' ssv/ceremony.toml || true)\"";
        let owner = if command.contains("$owner") { owner } else { "" };
        // Operators of a demo have a passphrase of their own.
        let whose = printed.dir.rsplit_once('/').map_or(".", |(demo, _)| demo);
        let script = format!(
            "{owner}\nexport PASSPHRASE=\"$PWD/{whose}/passphrase\" QUORATE_DIR=./{}\n{command} {}",
            printed.dir, printed.more
        );
        let ended = place.run("reader", &script);
        assert_eq!(ended.code, printed.code, "{command}\n{}{}", ended.stdout, ended.stderr);
    }
}
