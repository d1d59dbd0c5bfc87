//! How a command ends: a result on stdout, talk on stderr, an exit code that scripts can rely on.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

/// Exit codes, promised in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Local trouble: a file, the network, a passphrase.
    Local = 1,
    /// The command line or a file a person wrote is wrong.
    Usage = 2,
    /// The ceremony was stopped by a fault; evidence is written.
    Aborted = 3,
    /// The audit found something.
    Finding = 4,
    /// Waiting for others; safe to run again.
    Waiting = 5,
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
    pub(crate) dir: PathBuf,
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl Output {
    /// The result of a command: one JSON object, or text.
    pub(crate) fn result(&self, json: &Value, text: &str) -> Result<(), CliError> {
        let line = if self.json { json.to_string() } else { text.to_owned() };
        print_line(&line)
    }

    /// An error, as JSON on stdout if that was asked for, and always in words on stderr.
    pub(crate) fn error(&self, error: &CliError) {
        if self.json {
            let object = json!({ "exit": error.exit as i32, "error": { "what": error.what, "do": error.fix } });
            let _ = print_line(&object.to_string());
        }
        talk(&format!("error: {}\n  what to do: {}", error.what, error.fix));
    }
}

/// A line on stdout. A reader that has gone away is not an error of ours.
pub(crate) fn print_line(line: &str) -> Result<(), CliError> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::new(Exit::Local, format!("stdout cannot be written: {error}"), "check where the output goes"))
        }
        _ => Ok(()),
    }
}

/// A line on stderr. Nothing secret is ever passed here.
pub(crate) fn talk(line: &str) {
    // A reader that has gone away must not stop a ceremony.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
