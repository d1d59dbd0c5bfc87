//! How a command ends: the result on stdout, progress and errors on stderr, and an exit code that
//! scripts can rely on.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::log_file::{self, Level};
use crate::screen;

/// Exit codes, promised in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Local error: a file, the network, a passphrase.
    Local = 1,
    /// The command line or a file a person wrote is wrong.
    Usage = 2,
    /// The ceremony was stopped by a fault; evidence is written.
    Aborted = 3,
    /// The audit found something, or a file is refused.
    Finding = 4,
    /// Waiting for others; safe to run again.
    Waiting = 5,
}

impl Exit {
    /// The code in a word, for programs.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Local => "trouble",
            Self::Usage => "usage",
            Self::Aborted => "aborted",
            Self::Finding => "finding",
            Self::Waiting => "waiting",
        }
    }
}

/// What happened, and what to do about it.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) what: String,
    pub(crate) fix: String,
}

impl CliError {
    pub(crate) fn new(exit: Exit, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { exit, what: what.into(), fix: fix.into() }
    }
}

/// Where results go, and what every command shares.
pub(crate) struct Output {
    pub(crate) json: bool,
    /// Lists are shown whole.
    pub(crate) verbose: bool,
    pub(crate) dir: PathBuf,
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl Output {
    /// The end of a command that came to its end: with `--json` one object of status, exit code and
    /// `fields`, otherwise `text`.
    pub(crate) fn finish(&self, exit: Exit, fields: Value, text: &str) -> Result<Exit, CliError> {
        if STDOUT_TAKEN.load(Ordering::Relaxed) {
            talk(text);
            return Ok(exit);
        }
        let line = match self.json {
            true => object(exit, fields),
            false => screen::show(&printable(text), &io::stdout()),
        };
        print_line(&line).map(|()| exit)
    }

    /// The same, of a command whose `text` is for a program: no line of it is folded.
    pub(crate) fn finish_whole(
        &self,
        exit: Exit,
        fields: Value,
        text: &str,
    ) -> Result<Exit, CliError> {
        let line = if self.json { object(exit, fields) } else { printable(text) };
        print_line(&line).map(|()| exit)
    }

    /// The end of a command that failed: in words on stderr, and with `--json` as one object on
    /// stdout.
    pub(crate) fn error(&self, error: &CliError) -> Exit {
        self.fail(error, json!({}))
    }

    /// The same, with what is known beside the error.
    pub(crate) fn fail(&self, error: &CliError, mut fields: Value) -> Exit {
        let (what, fix) = (printable(&error.what), printable(&error.fix));
        if self.json {
            // That stdout cannot be written is, at most, why we are here.
            fields["error"] = json!({ "what": what, "do": fix });
            let _ = print_line(&object(error.exit, fields));
        }
        let text = format!("error: {what}\n  what to do: {fix}");
        log_file::add(Level::Error, &text);
        say(&text);
        error.exit
    }
}

/// One line of JSON in ASCII: whatever it quotes, a terminal acts on nothing in it.
fn object(exit: Exit, fields: Value) -> String {
    let mut all = json!({ "status": exit.status(), "exit": exit as u8 });
    if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), fields) {
        all.extend(fields);
    }
    let mut out = String::new();
    let mut units = [0; 2];
    for c in all.to_string().chars() {
        match c {
            ' '..='~' => out.push(c),
            // Only inside of strings, where this is how JSON writes any character.
            _ => c
                .encode_utf16(&mut units)
                .iter()
                .for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}

/// A text as a terminal may have it: line ends, ASCII, letters and digits of scripts that are
/// written from left to right. Everything else is spelled out, so that what a file quotes can
/// neither move the cursor nor hide or reorder what stands around it.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' | ' '..='~' => out.push(c),
            _ if c.is_alphanumeric() && stays(c) => out.push(c),
            _ => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// Whether a letter is seen, and written from left to right: others reorder the digits and signs
/// around them, or hide.
fn stays(c: char) -> bool {
    let right_to_left = matches!(
        c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'
    );
    let unseen = matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    !right_to_left && !unseen
}

/// Whether stdout has had the file that was asked for (`-o -`): then the result goes to stderr.
static STDOUT_TAKEN: AtomicBool = AtomicBool::new(false);

/// The file that was asked for, on stdout.
pub(crate) fn print_file(bytes: &[u8]) -> Result<(), CliError> {
    STDOUT_TAKEN.store(true, Ordering::Relaxed);
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    // Unlike a result, a file has to arrive.
    written.map_err(|error| super::messages::stdout(&error))
}

/// Text on stdout, with a line end. A reader that has gone away is not an error of ours.
fn print_line(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(super::messages::stdout(&error))
        }
        _ => Ok(()),
    }
}

/// Whether details are said, too (`--verbose`).
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// With `verbose`, details are said from now on.
pub(crate) fn set_verbose(verbose: bool) {
    VERBOSE.store(verbose, Ordering::Relaxed);
}

/// Whether details are said.
pub(crate) fn is_verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// A line on stderr, and in the log if there is one. Nothing secret is ever passed here.
pub(crate) fn talk(line: &str) {
    log_file::add(Level::Info, line);
    say(line);
}

/// A line that is said, and logged, only with `--verbose`. Nothing secret is ever passed here.
pub(crate) fn detail(line: &str) {
    if is_verbose() {
        log_file::add(Level::Detail, line);
        say(line);
    }
}

fn say(line: &str) {
    // A reader that has gone away must not stop a ceremony.
    let _ = writeln!(io::stderr().lock(), "{}", screen::show(&printable(line), &io::stderr()));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on() {
        assert_eq!(printable("two words\nJürgen 東"), "two words\nJürgen 東");
        assert_eq!(printable("\u{1b}[2J\r\u{7f}\u{9b}\0"), "\\u{1b}[2J\\u{d}\\u{7f}\\u{9b}\\u{0}");
        // The other way round, no width, and a line end that is not ours.
        assert_eq!(printable("a\u{202e}b\u{200b}\u{2028}"), "a\\u{202e}b\\u{200b}\\u{2028}");
        // Letters, too.
        assert_eq!(
            printable("32 \u{5d0} 1 \u{627}\u{3164}\u{ffa0}"),
            "32 \\u{5d0} 1 \\u{627}\\u{3164}\\u{ffa0}"
        );
    }

    #[test]
    fn one_object_of_ascii() {
        let quoted = "\u{1b}\u{9b}\u{202e}ü😀\"\\\n";
        let line = object(Exit::Waiting, json!({ "name": quoted }));
        assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{line}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read, json!({ "status": "waiting", "exit": 5, "name": quoted }));
    }
}
