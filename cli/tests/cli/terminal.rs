//! What people see: every page and screen on a terminal of 80 columns.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::process::{commands, help};
use crate::support::files::private;
use crate::support::program::{command, quorate};
use crate::support::repository;
use crate::support::terminal::OnTerminal;

const COLUMNS: u16 = 80;
const TRANSCRIPT: &str = "test-vectors/ceremony/2-of-3.quorate";

/// The screen of a command that asks nothing.
fn screen(here: &Path, args: &[&str]) -> (i32, String) {
    OnTerminal::start(command(here, args), COLUMNS).ended()
}

/// The lines that are wider than the terminal.
fn too_wide(screen: &str) -> Vec<&str> {
    screen.lines().filter(|line| line.chars().count() > COLUMNS.into()).collect()
}

/// A folder with the state of alice, and a ceremony of hers with bob and carol.
fn alices() -> TempDir {
    let here = TempDir::new().unwrap();
    private(here.path().join("passphrase"), "correct horse battery\n");
    let card = |(name, port): (&str, u16)| {
        let ended = quorate(
            here.path(),
            &[
                &["--dir", name, "--passphrase-file", "passphrase", "--json"][..],
                &["identity", "new", "--name", name, "--kdf-cost", "10"],
            ]
            .concat(),
        );
        format!("{}@127.0.0.1:{port}", ended.done().json()["card"].as_str().unwrap())
    };
    let cards = [("alice", 3610), ("bob", 3611), ("carol", 3612)].map(card);
    let mut args = vec!["spec", "new", "--name", "Our cluster", "--network", "hoodi"];
    args.extend(["--threshold", "2", "--validators", "200", "--compounding", "false"]);
    args.extend(["--withdrawal", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]);
    args.extend(["-o", "ceremony.toml"]);
    cards.iter().for_each(|card| args.extend(["--operator", card.as_str()]));
    quorate(here.path(), &args).done();
    here
}

#[test]
fn help_fits() {
    let mut broken = Vec::new();
    let root = Path::new("/");
    for words in commands(&[]).into_iter().chain([Vec::new(), vec!["spec".to_owned()]]) {
        let page = help(&words);
        let (code, screen) = {
            let args: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
            screen(root, &args)
        };
        // Without what makes headings bold.
        let shown = screen.split('\u{1b}').enumerate().map(|(at, part)| match at {
            0 => part,
            _ => part.split_once('m').unwrap().1,
        });
        let shown = shown.collect::<String>();
        assert_eq!(code, 0);
        broken.extend(too_wide(&shown).into_iter().map(str::to_owned));
        // Examples are as they were written: they are copied.
        let example = |text: &str| text.split("Example").nth(1).map(str::to_owned);
        let commands = |text: String| {
            let lines = text.lines().filter(|line| line.starts_with("  "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let shown = example(&shown).map(commands).unwrap_or_default();
        let written = example(&page).map(commands).unwrap_or_default();
        broken.extend(written.into_iter().filter(|line| !shown.contains(line)));
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn results_fold_on_a_terminal_and_nowhere_else() {
    let transcript: PathBuf = repository(TRANSCRIPT);
    let args = ["audit", transcript.to_str().unwrap()];
    let piped = quorate(Path::new("/"), &args).done().stdout;
    let (code, screen) = screen(Path::new("/"), &args);
    assert_eq!(code, 0);
    assert!(!too_wide(&piped).is_empty(), "{piped}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&screen), words(&piped), "the same words, none of them broken");
    for line in too_wide(&screen) {
        // A key, or a command to copy.
        let value = line.trim_start();
        assert!(value.starts_with("quorate ") || words(value).len() <= 2, "{line}");
    }
}

#[test]
fn errors_fold() {
    let here = TempDir::new().unwrap();
    let long = "a-folder-with-a-long-name/".repeat(4) + "ceremony.toml";
    let (code, screen) = screen(here.path(), &["spec", "check", &long]);
    assert_eq!(code, 1);
    assert!(screen.contains(&format!("\n  {long}\n")), "{screen}");
    assert!(too_wide(&screen).iter().all(|line| line.trim() == long), "{screen}");
}

#[test]
fn the_consent_prompt_fits() {
    let here = alices();
    let args = ["--dir", "alice", "--passphrase-file", "passphrase", "run", "ceremony.toml"];
    let mut terminal = OnTerminal::start(command(here.path(), &args), COLUMNS);
    for _ in 0..3 {
        terminal
            .answers("Type the twelve words of the fingerprint to take part: ", "not the words");
    }
    let (code, screen) = terminal.ended();
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("error: this is not the fingerprint of this ceremony"), "{screen}");
    assert_eq!(too_wide(&screen), Vec::<&str>::new());
    // The money and the words are the last 24 lines, above the prompt.
    let shown = screen.split("Type the twelve").next().unwrap();
    let last: Vec<&str> = shown.lines().rev().take(23).collect();
    let there = |part: &str| last.iter().any(|line| line.contains(part));
    assert!(there("Money: 6400 ETH for 200 validators, in 200 deposits, on hoodi"), "{screen}");
    assert!(there("to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), "{screen}");
    assert!(there("   1. ") && there("  12. "), "{screen}");
    assert!(fs::read_dir(here.path().join("alice")).unwrap().count() > 0);
}
