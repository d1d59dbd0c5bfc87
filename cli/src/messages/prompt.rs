//! Messages about passphrases, passwords and answers.

use std::io;
use std::path::Path;

use super::files::system;
use super::{local, quoted, shown, usage};
use crate::prompt::FEWEST_CHARACTERS;
use crate::report::CliError;
use crate::secret_file::NotASecret;
use crate::strength::Weak;
use quorate::ethereum::keystore::PasswordError;

pub(crate) fn secret_file_open(path: &Path, mode: u32) -> CliError {
    local(
        format!("{}: other users can read this secret (mode {mode:04o})", shown(path)),
        format!(
            "if nobody else can have read it: chmod 600 {}; in a container, mount it with mode \
             0400 (Kubernetes: defaultMode: 0400)",
            quoted(path)
        ),
    )
}

/// A note, for a secret that is read all the same.
pub(crate) fn secret_file_mounted(path: &Path, mode: u32) -> String {
    format!(
        "note: {}: any user who reaches this read-only file can read the secret (mode {mode:04o}); \
         mount it with mode 0400 if you can",
        shown(path)
    )
}

pub(crate) fn not_a_secret(path: &Path, found: NotASecret) -> CliError {
    let (what, fix) = match found {
        NotASecret::Empty => ("its first line is empty", "write the secret on the first line"),
        NotASecret::SecondLine => (
            "more than one line, so it is not clear which of them is the secret",
            "keep the line with the secret, and remove the others",
        ),
        NotASecret::Utf16 => (
            "UTF-16 text, in which a secret has other bytes than when you type it",
            "save the file as UTF-8",
        ),
    };
    local(format!("{}: {what}", shown(path)), fix)
}

pub(crate) fn pipe_silent(path: &Path, seconds: i64) -> CliError {
    local(
        format!("{}: nothing came through this pipe for {seconds} seconds", shown(path)),
        "check the command that writes to it",
    )
}

pub(crate) fn passphrase_not_text() -> CliError {
    local(
        "the passphrase is not UTF-8 text, so nobody could type it again",
        "choose another passphrase, or save the file as UTF-8",
    )
}

pub(crate) fn passphrase_short(count: usize) -> CliError {
    local(
        format!(
            "the passphrase has {count} characters; a new one needs at least {FEWEST_CHARACTERS}"
        ),
        "choose a longer one: several random words are easy to remember and hard to guess",
    )
}

pub(crate) fn passphrase_weak(why: Weak) -> CliError {
    let why = match why {
        Weak::Repetition => "repeats the same few characters",
        Weak::Sequence => "follows the alphabet, the digits or the keys of a keyboard",
        Weak::Common => "consists of the most common passwords",
    };
    local(
        format!("the passphrase is weak: it {why}, and is guessed first"),
        "choose another one: several random words are easy to remember and hard to guess",
    )
}

/// A line, when somebody may type once more.
pub(crate) fn try_again(error: &CliError, tries: u32) -> String {
    let times = if tries == 1 { "once more" } else { "again" };
    format!("{}. You can try {times}: {}.", error.what, error.fix)
}

pub(crate) fn passphrases_differ() -> CliError {
    local("the two passphrases are different", "type the same passphrase twice")
}

pub(crate) fn no_terminal(question: &str, flag: &str) -> CliError {
    usage(
        format!("there is no terminal for this prompt: {question}"),
        format!("run it in a terminal, or use {flag}"),
    )
}

pub(crate) fn no_answer(question: &str, flag: &str) -> CliError {
    usage(format!("no answer was given to: {question}"), format!("run it again, or use {flag}"))
}

pub(crate) fn terminal(error: &io::Error) -> CliError {
    local(format!("the terminal cannot be read: {}", system(error)), "run the command again")
}

pub(crate) fn wrong_keystore_password() -> CliError {
    local(
        "this password does not open the keystores",
        "it is the operator's passphrase, unless another was chosen for the keystores",
    )
}

pub(crate) fn keystore_password(error: &PasswordError) -> CliError {
    local(format!("this keystore password cannot be used: {error}"), "choose another")
}
