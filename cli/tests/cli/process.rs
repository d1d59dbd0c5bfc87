//! Properties of every process, whatever the command.

use std::fs;
use std::io::pipe;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::files::{mode, private};
use crate::support::program::{command, quorate};
use crate::support::running::{Killed, Running, started};

const EXAMPLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../ceremony-specs/examples/hoodi-3-of-4.toml");
const TRANSCRIPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../test-vectors/ceremony/2-of-3.quorate");

/// The commands below `words`, as their help lists them.
pub(crate) fn commands(words: &[String]) -> Vec<Vec<String>> {
    let help = help(words);
    let Some(list) = help.split("\nCommands:\n").nth(1) else { return vec![words.to_vec()] };
    let names = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names =
        names.map(|line| line.split_whitespace().next().unwrap()).filter(|name| *name != "help");
    names.flat_map(|name| commands(&[words, &[name.to_owned()]].concat())).collect()
}

pub(crate) fn help(words: &[String]) -> String {
    let ended = quorate(Path::new("/"), &[words, &["--help".to_owned()]].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{words:?}");
    ended.stdout
}

#[test]
fn every_command_has_an_example_and_the_program_its_exit_codes() {
    let all = commands(&[]);
    // If the list of them were not read, none would be looked at.
    assert!(all.len() > 30, "{all:?}");
    for words in &all {
        let help = help(words);
        assert!(help.contains(&format!("Example:\n  quorate {}", words.join(" "))), "{help}");
        assert!(help.contains("--json"), "{help}");
        assert!(!help.contains("kdf-cost"), "for tests only: {help}");
    }
    let help = help(&[]);
    for line in [
        "  0  done",
        "  1  local error: a file, the network, a passphrase",
        "  2  usage error: the command line, or a file that a person wrote",
        "  3  the ceremony stopped: because of a fault, or because you abandoned it; evidence is \
         written",
        "  4  the audit failed, or its file is a set of statements and no transcript; a file was \
         refused;\n     a policy is not met; or the evidence proves nothing",
        "  5  waiting for other operators; run the same command again",
    ] {
        assert!(help.contains(line), "{help}");
    }
    let version = quorate(Path::new("/"), &["--version"]);
    assert_eq!(
        (version.code, version.stdout),
        (0, format!("quorate {}\n", env!("CARGO_PKG_VERSION")))
    );
    let nothing = quorate::<&str>(Path::new("/"), &[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (2, ""));
    assert!(nothing.stderr.contains("Usage: quorate"));
}

#[test]
fn a_reader_that_has_gone_away_is_not_an_error() {
    let here = TempDir::new().unwrap();
    for args in [
        &["--help"][..],
        &["--version"],
        &["completions", "zsh"],
        &["man"],
        &["spec", "show", EXAMPLE],
        &["--json", "spec", "show", EXAMPLE],
        &["audit", TRANSCRIPT],
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut run = command(here.path(), args);
        let ended = started(run.stdout(writer).stderr(Stdio::piped())).wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{args:?}");
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut refused = command(here.path(), &["--json", "spec", "check", "missing.toml"]);
        refused.stdout(writer.try_clone().unwrap()).stderr(writer);
        let both_gone = started(&mut refused).wait().unwrap();
        assert_eq!(both_gone.code(), Some(1));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_written_is_an_error() {
    for args in [&["spec", "show", EXAMPLE][..], &["--json", "audit", TRANSCRIPT]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut run = command(Path::new("/"), args);
        let ended = started(run.stdout(full).stderr(Stdio::piped())).wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{args:?}");
        assert_eq!(
            String::from_utf8_lossy(&ended.stderr),
            "error: the result cannot be written to stdout: no space left\n  what to do: check \
             where the output goes, then run the command again\n"
        );
    }
}

pub(crate) const STATE: [&str; 4] = ["--dir", "state", "--passphrase-file", "passphrase"];

/// An operator with a seat in `ceremony.toml`; gives the fingerprint.
pub(crate) fn operator(here: &Path) -> String {
    private(here.join("passphrase"), "correct horse battery\n");
    let card = quorate(
        here,
        &[&STATE[..], &["identity", "new", "--name", "zoe", "--kdf-cost", "10"]].concat(),
    )
    .stdout;
    let example = fs::read_to_string(EXAMPLE).unwrap();
    let (head, rest) = example.split_once("card = \"").unwrap();
    fs::write(
        here.join("ceremony.toml"),
        format!("{head}card = \"{}{}", card.trim(), &rest[rest.find('"').unwrap()..]),
    )
    .unwrap();
    let shown = quorate(here, &["--json", "spec", "check", "ceremony.toml"]).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    shown["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_that_cannot_begin_leaves_nothing() {
    let root = TempDir::new().unwrap();
    let here = root.path();
    let words = operator(here);
    let other = words.rsplit_once(' ').unwrap().0.to_owned()
        + if words.ends_with("zoo") { " zone" } else { " zoo" };
    let last = other.rsplit_once(' ').unwrap().1;
    let twelfth =
        format!("this is not the fingerprint of this ceremony: word 12 is not \"{last}\" here");
    let mistyped = words.replacen(' ', " zzz", 1);
    let unknown = mistyped.split(' ').nth(1).unwrap();
    let unknown = format!(
        "this is not the fingerprint of this ceremony: word 2, {unknown:?}, is not in the list of \
         fingerprint words"
    );
    private(here.join("empty"), "\n");
    let differ = "if somebody else told you these words, your ceremony file is not theirs: sign \
                  nothing, and get the file again from the coordinator. quorate spec show shows \
                  the \
                  words of a file";
    let compare = "type the twelve words that all operators have compared; quorate spec show shows \
                   those of a file";
    let terminal = "run it in a terminal, or use --yes-fingerprint \"WORD WORD ...\"";
    for (args, exit, what, fix) in [
        (
            &[][..],
            2,
            "there is no terminal for this prompt: Type the twelve words of the fingerprint to \
             take part",
            terminal,
        ),
        (&["--yes-fingerprint", &other], 2, &twelfth, differ),
        (&["--yes-fingerprint", &mistyped], 2, &unknown, compare),
        (
            &["--yes-fingerprint", ""],
            2,
            "this is not the fingerprint of this ceremony: 0 words; a fingerprint has 12",
            compare,
        ),
        (
            &["--yes-fingerprint", &words, "--keystore-password-file", "empty"],
            1,
            "empty: its first line is empty",
            "write the secret on the first line",
        ),
        (
            &["--yes-fingerprint", &words, "--listen", "nowhere"],
            2,
            "invalid value 'nowhere' for '--listen <ADDRESS:PORT>': write it like [::]:3610 or \
             192.0.2.1:3610",
            "for the possible arguments, run the same command with --help",
        ),
    ] {
        let ended = quorate(here, &[&STATE[..], &["run", "ceremony.toml"], args].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (exit, ""), "{}", ended.stderr);
        assert!(
            ended.stderr.ends_with(&format!("error: {what}\n  what to do: {fix}\n")),
            "{}",
            ended.stderr
        );
        let held: Vec<_> = fs::read_dir(here.join("state"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(held.len(), 4, "identity, mark, card and lock, nothing of a ceremony: {held:?}");
    }
}

/// Words that are given are this ceremony's, whether or not they are still asked for.
#[test]
fn wrong_words_are_refused_of_a_ceremony_that_has_begun_too() {
    let root = TempDir::new().unwrap();
    let here = root.path();
    let words = operator(here);
    let run = ["run", "ceremony.toml", "--no-keystores", "--listen", "127.0.0.1:0"];
    let given = |words| [&STATE[..], &run, &["--yes-fingerprint", words]].concat();
    let mut running = Running::start(command(here, &given(&words)));
    running.until("Waiting for");
    drop(running.kill());
    let other = ["abandon"; 12].join(" ");
    let log = || {
        let ceremony = fs::read_dir(here.join("state/ceremonies")).unwrap().next().unwrap();
        fs::read(ceremony.unwrap().path().join("log.sealed")).unwrap()
    };
    let before = log();
    let abandon = [&STATE[..], &["abandon", "ceremony.toml", "--yes-fingerprint", &other]].concat();
    for args in [given(&other), abandon] {
        quorate(here, &args).failed(2, &["error: this is not the fingerprint of this ceremony"]);
        assert_eq!(log(), before);
    }
    // Without words it goes on: nobody is asked twice.
    let mut again = Running::start(command(here, &[&STATE[..], &run].concat()));
    again.until("Continuing where this operator stopped.");
    drop(again.kill());
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_with_secrets_leaves_no_core_and_no_open_files() {
    let root = TempDir::new().unwrap();
    let here = root.path();
    let words = operator(here);
    let args = [
        "run",
        "ceremony.toml",
        "--no-keystores",
        "--listen",
        "127.0.0.1:0",
        "--yes-fingerprint",
        &words,
    ];
    let running = Running::start(command(here, &[&STATE[..], &args].concat()));
    // It waits for the others, with its keys in memory.
    let log = || {
        let mut ceremonies = fs::read_dir(here.join("state/ceremonies")).ok()?;
        Some(ceremonies.next()?.ok()?.path().join("log.sealed")).filter(|log| log.exists())
    };
    let end = Instant::now() + Duration::from_secs(60);
    while log().is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = |what: &str| fs::read_to_string(format!("/proc/{}/{what}", running.id())).unwrap();
    let (limits, status) = (told("limits"), told("status"));
    // Of a process whose memory is closed to its own user, too, everything belongs to the
    // superuser.
    let owner = fs::metadata(format!("/proc/{}/environ", running.id())).unwrap().uid();
    let log = log();
    let killed = running.kill();
    assert!(matches!(killed, Killed::Running(_)), "it no longer waited: {killed:?}");
    assert_eq!(mode(log.unwrap()), 0o600);
    assert_eq!(owner, 0);
    let core: Vec<&str> = limits
        .lines()
        .find(|line| line.starts_with("Max core"))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(core[4..6], ["0", "0"]);
    assert!(status.contains("Umask:\t0077\n"), "{status}");
}

/// With `-o -`, stdout has the file and nothing else.
#[test]
fn a_file_on_stdout() {
    let root = TempDir::new().unwrap();
    let here = root.path();
    fs::copy(EXAMPLE, here.join("ceremony.toml")).unwrap();
    let next = ["spec", "next", "ceremony.toml", "--reason", "a try", "-o"];
    let file = quorate(here, &[&next[..], &["next.toml"]].concat()).done();
    assert!(file.stdout.contains("Wrote next.toml"));
    let written = fs::read_to_string(here.join("next.toml")).unwrap();
    let piped = quorate(here, &[&next[..], &["-"]].concat()).done();
    // Each draft has an id of its own.
    let but_id = |text: &str| {
        text.lines()
            .filter(|line| !line.starts_with("id = "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(but_id(&piped.stdout), but_id(&written));
    assert!(piped.stderr.contains("Wrote stdout") && piped.stderr.contains("Fingerprint"));
    assert!(!here.join("-").exists());
    let both = quorate(here, &[&["--json"], &next[..], &["-"]].concat());
    both.failed(2, &["error: --json and -o - both write to stdout"]);
}
