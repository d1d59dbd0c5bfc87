//! The log of a run (`--log FILE`): what the program says on stderr, with times and levels. Nothing
//! secret reaches it, because nothing secret is ever said.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags};

use super::messages;
use super::report::{CliError, printable};
use quorate::export::ssv::Stamp;

/// Longest line, in bytes, its end included.
const LONGEST_LINE: usize = 1024;
/// Most bytes of one run: what peers bring about is bounded by the minute, not for ever.
const MOST_BYTES: usize = 64 << 20;
/// The last line of a log that is full.
const FULL: &str = "this log is full; the run goes on";

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Why a command failed.
    Error,
    /// What is said on stderr.
    Info,
    /// Said on stderr only with --verbose.
    Detail,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Info => "INFO",
            Self::Detail => "DETAIL",
        }
    }
}

/// A log that lines are added to.
struct Log<W> {
    out: W,
    left: usize,
}

static LOG: OnceLock<Mutex<Log<File>>> = OnceLock::new();

/// Opens the log of this process: a new file, or one that only its owner can read, to be continued.
pub(crate) fn open(path: &Path) -> Result<(), CliError> {
    let flags = OFlags::WRONLY
        | OFlags::CREATE
        | OFlags::APPEND
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR);
    let file = opened.map(File::from).map_err(|error| messages::writing(path, &error.into()))?;
    let found = file.metadata().map_err(|error| messages::writing(path, &error))?;
    if !found.is_file() {
        return Err(messages::not_a_file(path, found.is_dir()));
    }
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(messages::open_log(path, mode));
    }
    let _ = LOG.set(Mutex::new(Log { out: file, left: MOST_BYTES }));
    Ok(())
}

/// Whether this process has a log.
pub(crate) fn is_open() -> bool {
    LOG.get().is_some()
}

/// Adds a line, if there is a log. A log that cannot be written does not stop a ceremony.
pub(crate) fn add(level: Level, text: &str) {
    if let Some(log) = LOG.get()
        && let Ok(mut log) = log.lock()
    {
        log.add(level, text, SystemTime::now());
    }
}

impl<W: Write> Log<W> {
    fn add(&mut self, level: Level, text: &str, now: SystemTime) {
        if self.left == 0 {
            return;
        }
        let mut line = line(level, text, now);
        match self.left.checked_sub(line.len()) {
            Some(left) if left >= LONGEST_LINE => self.left = left,
            _ => {
                line = self::line(Level::Error, FULL, now);
                self.left = 0;
            }
        }
        // In one call: lines of processes that share a file do not mix.
        let _ = self.out.write_all(line.as_bytes());
    }
}

/// `2026-11-29T10:41:47.123Z INFO   text`, on one line that is not too long.
fn line(level: Level, text: &str, now: SystemTime) -> String {
    let millis = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let stamp = u64::try_from(millis).ok().and_then(Stamp::from_millis).unwrap_or(Stamp::EPOCH);
    let mut line = format!("{} {:<6} ", stamp.rfc3339(), level.word());
    for c in printable(text).trim_end().chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\t' => line.push(' '),
            c => line.push(c),
        }
        if line.len() + 8 > LONGEST_LINE {
            line.push_str("...");
            break;
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_has_time_and_level_and_an_end() {
        let now = UNIX_EPOCH + Duration::from_millis(1_796_000_000_007);
        assert_eq!(
            line(Level::Info, "two\nlines\u{1b}[2J\n", now),
            "2026-11-30T00:53:20.007Z INFO   two\\nlines\\u{1b}[2J\n"
        );
        let long = line(Level::Error, &"\u{6771}\u{1b}".repeat(LONGEST_LINE), now);
        assert!(long.len() <= LONGEST_LINE && long.ends_with("...\n"), "{}", long.len());
    }

    #[test]
    fn a_log_has_an_end() {
        let mut log = Log { out: Vec::new(), left: 100 * LONGEST_LINE };
        for _ in 0..1000 {
            log.add(Level::Info, &"a".repeat(2 * LONGEST_LINE), UNIX_EPOCH);
        }
        assert!(log.out.len() <= 100 * LONGEST_LINE, "{}", log.out.len());
        let text = String::from_utf8(log.out).unwrap();
        assert!(text.lines().last().unwrap().ends_with(FULL));
        assert_eq!(text.matches(FULL).count(), 1);
    }
}
