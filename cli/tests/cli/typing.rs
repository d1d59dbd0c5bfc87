//! What a person types on a terminal: secrets without an echo, second tries, and Ctrl-C and Ctrl-Z
//! in the middle of it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tempfile::TempDir;

use super::process::{STATE, operator};
use crate::support::program::{PATIENCE, command};
use crate::support::running::started;

type Screen = Arc<(Mutex<String>, Condvar)>;

/// The program on a terminal of its own.
struct Typing {
    keyboard: File,
    terminal: File,
    screen: Screen,
    program: Child,
}

impl Typing {
    fn start(here: &Path, args: &[&str]) -> Self {
        Self::begin(command(here, args))
    }

    fn begin(mut command: Command) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = File::from(rustix::fs::open(name, flags, Mode::empty()).unwrap());
        let end = || Stdio::from(terminal.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end()).process_group(0);
        let program = started(&mut command);
        let keyboard = File::from(keyboard);
        let screen = Screen::default();
        let (mut shown, to) = (keyboard.try_clone().unwrap(), screen.clone());
        std::thread::spawn(move || {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = shown.read(&mut piece) {
                *to.0.lock().unwrap() += &String::from_utf8_lossy(&piece[..length]);
                to.1.notify_all();
            }
        });
        Self { keyboard, terminal, screen, program }
    }

    /// Waits until `text` has been shown `times` times.
    fn until(&self, text: &str, times: usize) {
        let end = Instant::now() + PATIENCE;
        let mut shown = self.screen.0.lock().unwrap();
        // Lines are folded to the width of the terminal.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        while words(&shown).matches(&words(text)).count() < times {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {text:?} in:\n{shown}");
            shown = self.screen.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn echoes(&self) -> bool {
        tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.program)
    }

    fn ended(mut self) -> ExitStatus {
        let ended = self.program.wait().unwrap();
        assert!(self.echoes(), "the terminal is as it was");
        ended
    }

    fn shown(&self) -> String {
        self.screen.0.lock().unwrap().clone()
    }
}

const NEW: [&str; 8] = ["--dir", "state", "identity", "new", "--name", "alice", "--kdf-cost", "10"];
const QUESTION: &str = "New passphrase (at least 12 characters): ";

#[test]
fn the_echo_is_back_after_ctrl_c() {
    let here = TempDir::new().unwrap();
    let mut typing = Typing::start(here.path(), &NEW);
    typing.until(QUESTION, 1);
    assert!(!typing.echoes());
    typing.keys("half a secret\u{3}");
    let screen = typing.screen.clone();
    // Whoever runs the tests in the background may have them ignore Ctrl-C: then there is no
    // answer.
    let ended = typing.ended();
    assert!(ended.signal() == Some(Signal::INT.as_raw()) || ended.code() == Some(2), "{ended}");
    assert!(!screen.0.lock().unwrap().contains("half"));
    assert!(!here.path().join("state").exists());
}

#[test]
fn a_passphrase_is_typed_again_after_ctrl_z_and_when_it_is_refused() {
    let here = TempDir::new().unwrap();
    let mut typing = Typing::start(here.path(), &NEW);
    typing.until(QUESTION, 1);
    typing.keys("half a secret\u{1a}");
    let stopped = waitpid(Some(typing.id()), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(stopped.1.stopped(), "{stopped:?}");
    assert!(typing.echoes(), "the shell has its echo");
    kill_process_group(typing.id(), Signal::CONT).unwrap();
    typing.until(QUESTION, 2);
    assert!(!typing.echoes());

    typing.keys("too short\r");
    typing.until("the passphrase has 9 characters", 1);
    typing.until("You can try again", 1);
    typing.until(QUESTION, 3);
    typing.keys("qwertyuiop123\r");
    typing.until("follows the alphabet, the digits or the keys of a keyboard", 1);
    typing.until("You can try once more", 1);
    typing.until(QUESTION, 4);
    typing.keys("fox lamp rivet\u{7f}r\r");
    typing.until("Repeat the passphrase: ", 1);
    typing.keys("fox lamp river\r");
    typing.until("quorate1", 1);
    let shown = typing.shown();
    assert_eq!(typing.ended().code(), Some(0), "{shown}");
    for typed in ["half", "too short", "qwertyuiop", "fox lamp"] {
        assert!(!shown.contains(typed), "{shown}");
    }
}

#[test]
fn a_new_passphrase_is_refused_three_times() {
    let here = TempDir::new().unwrap();
    let mut typing = Typing::start(here.path(), &NEW);
    for (times, typed) in [(1, "abcabcabcabc"), (2, "password1234"), (3, "short")] {
        typing.until(QUESTION, times);
        typing.keys(&format!("{typed}\r"));
    }
    typing.until("error: the passphrase has 5 characters", 1);
    assert_eq!(typing.ended().code(), Some(1));
    assert!(!here.path().join("state").exists());
}

#[test]
fn a_wrong_passphrase_and_a_wrong_word_are_typed_again() {
    let here = TempDir::new().unwrap();
    let words = operator(here.path());
    let mut words: Vec<&str> = words.split(' ').collect();
    let run = ["run", "ceremony.toml", "--listen", "127.0.0.1:0"];
    let args = [&["--dir", STATE[1]], &run[..]].concat();
    let mut typing = Typing::start(here.path(), &args);
    typing.until("identity.sealed: ", 1);
    typing.keys("incorrect horse\r");
    typing.until("wrong passphrase. You can try again", 1);
    typing.until("Passphrase of ", 2);
    typing.keys("correct horse battery\r");
    let question = "Type the twelve words of the fingerprint to take part: ";
    typing.until(question, 1);
    let right = std::mem::replace(&mut words[6], "abandon");
    typing.keys(&format!("{}\r", words.join(" ")));
    typing.until("word 7 is not \"abandon\" here", 1);
    words[6] = right;
    typing.until(question, 2);
    // As they are selected on a screen, row by row and with their numbers.
    for row in 0..3 {
        let cells = (row * 4..row * 4 + 4).map(|at| format!("{:>4}. {:<8}", at + 1, words[at]));
        typing.keys(&format!("{}\r", cells.collect::<String>()));
        typing.until(["The other 8: ", "The other 4: ", "Waiting for"][row], 1);
    }
    rustix::process::kill_process(typing.id(), Signal::TERM).unwrap();
    assert_eq!(typing.ended().code(), Some(5));
}

#[test]
fn a_port_that_is_taken_is_said_before_anything_is_typed() {
    let here = TempDir::new().unwrap();
    operator(here.path());
    let run = ["--passphrase-file", STATE[3], "run", "ceremony.toml", "--listen", "192.0.2.1:3610"];
    let typing = Typing::start(here.path(), &[&["--dir", STATE[1]], &run[..]].concat());
    typing.until("cannot listen on 192.0.2.1:3610", 1);
    assert!(!typing.shown().contains("Fingerprint"));
    assert_eq!(typing.ended().code(), Some(1));
}

#[test]
fn the_echo_is_back_when_the_program_is_told_to_end() {
    for signal in [Signal::TERM, Signal::HUP] {
        let here = TempDir::new().unwrap();
        let mut typing = Typing::start(here.path(), &NEW);
        typing.until(QUESTION, 1);
        typing.keys("half a secret");
        assert!(!typing.echoes());
        rustix::process::kill_process(typing.id(), signal).unwrap();
        let ended = typing.ended();
        // Whoever runs the tests may have them ignore it, as nohup does.
        assert!(ended.signal() == Some(signal.as_raw()) || ended.code() == Some(2), "{ended}");
    }
}

#[test]
fn a_wrong_password_of_keystores_is_typed_again() {
    let here = TempDir::new().unwrap();
    let keystore =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../test-vectors/ethereum/keystores/hoodi-01-0.json");
    let mut typing = Typing::start(here.path(), &["verify", "keystore", keystore]);
    let question = "Password of the keystores (your passphrase, unless you chose another): ";
    typing.until(question, 1);
    typing.keys("correct horse battery\r");
    typing.until("this password does not open the keystores. You can try again", 1);
    typing.until(question, 2);
    typing.keys("dkg-test-password-1\r");
    typing.until("Accepted: 1 keystore", 1);
    assert_eq!(typing.ended().code(), Some(0));
}

#[test]
fn verdicts_have_a_colour_where_the_terminal_has_any() {
    let here = TempDir::new().unwrap();
    let deposits =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../test-vectors/ethereum/deposits/hoodi-01.json");
    let args = ["verify", "deposit", deposits, "--network", "hoodi"];
    let green = "\u{1b}[32mAccepted\u{1b}[0m:";
    for (variables, coloured) in [
        (&[("TERM", "xterm-256color")][..], true),
        (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], false),
        (&[("TERM", "dumb")], false),
        (&[], false),
    ] {
        let mut command = command(here.path(), &args);
        command.envs(variables.iter().copied());
        let typing = Typing::begin(command);
        typing.until("Accepted", 1);
        typing.until("0x01", 1);
        assert_eq!(typing.shown().contains(green), coloured, "{variables:?}");
        assert_eq!(typing.ended().code(), Some(0));
    }
}
