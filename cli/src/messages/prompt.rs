//! Messages about passphrases, passwords and answers.

use std::io;
use std::path::Path;

use super::files::system;
use super::{local, quoted, shown, usage};
use crate::prompt::FEWEST_CHARACTERS;
use crate::report::CliError;
use quorate::ethereum::keystore::PasswordError;

pub(crate) fn secret_file_open(path: &Path, mode: u32) -> CliError {
    local(
        format!("{}: other users can read this secret (mode {mode:04o})", shown(path)),
        format!("if nobody else can have read it: chmod 600 {}", quoted(path)),
    )
}

pub(crate) fn secret_file_empty(path: &Path) -> CliError {
    local(format!("{}: its first line is empty", shown(path)), "write the secret on the first line")
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

pub(crate) fn passphrases_differ() -> CliError {
    local("the two passphrases are different", "run the command again")
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

pub(crate) fn keystore_password(error: &PasswordError) -> CliError {
    local(format!("this keystore password cannot be used: {error}"), "choose another")
}
