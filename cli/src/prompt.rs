//! Reads secrets and answers from the terminal or from a private file. Secrets never come from
//! arguments or stdin.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use super::report::{CliError, Output, printable};
use super::{messages, screen, secret_file};
use quorate::ethereum::keystore::normalised;
use quorate::identity::Operator;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::Ceremony;
use quorate::spec::canonical::{fingerprint, parse_fingerprint};
use quorate_operator::store::{IDENTITY_FILE, StateDir, open_with_passphrase};

/// Fewest characters of a new passphrase.
pub(crate) const FEWEST_CHARACTERS: usize = 12;
/// Most bytes of an answer.
const MOST_ANSWER_BYTES: u64 = 4096;

/// A secret typed on the terminal, without an echo.
fn ask_secret(question: &str, file_flag: &str) -> Result<SecretBytes, CliError> {
    // Not only that there is a terminal somewhere: a script that runs in one must not stop at a
    // question that nobody expects.
    if !io::stdin().is_terminal() {
        return Err(messages::no_terminal(question, &format!("{file_flag} FILE")));
    }
    let typed = rpassword::prompt_password(asked(question, &io::stdin()))
        .map_err(|error| messages::terminal(&error))?;
    // The string's own buffer, not a copy of it.
    Ok(SecretBytes::new(typed.into_bytes()))
}

/// A question as it stands on a terminal, with the answer to come behind it.
fn asked(question: &str, terminal: &(impl AsFd + IsTerminal)) -> String {
    format!("{} ", screen::fit(&format!("{}:", printable(question)), terminal))
}

/// A secret text, the same on every keyboard: NFKD, as keystore passwords are (EIP-2335).
fn normal(secret: &SecretBytes) -> Result<SecretBytes, CliError> {
    let text =
        core::str::from_utf8(secret.expose()).map_err(|_| messages::passphrase_not_text())?;
    Ok(normalised(text))
}

/// The passphrase of an identity that exists.
fn passphrase(identity: &Path, out: &Output) -> Result<SecretBytes, CliError> {
    normal(&match &out.passphrase_file {
        Some(path) => secret_file::read(path)?,
        None => ask_secret(
            &format!("Passphrase of {}", messages::shown(identity)),
            "--passphrase-file",
        )?,
    })
}

/// The passphrase of a new identity: asked twice, and not short.
pub(crate) fn new_passphrase(out: &Output) -> Result<SecretBytes, CliError> {
    let chosen = match &out.passphrase_file {
        Some(path) => secret_file::read(path)?,
        None => {
            let chosen = ask_secret(
                &format!("New passphrase (at least {FEWEST_CHARACTERS} characters)"),
                "--passphrase-file",
            )?;
            long_enough(&chosen)?;
            let again = ask_secret("Repeat the passphrase", "--passphrase-file")?;
            if chosen.expose() != again.expose() {
                return Err(messages::passphrases_differ());
            }
            chosen
        }
    };
    long_enough(&chosen)?;
    normal(&chosen)
}

fn long_enough(passphrase: &SecretBytes) -> Result<(), CliError> {
    let text =
        core::str::from_utf8(passphrase.expose()).map_err(|_| messages::passphrase_not_text())?;
    match text.chars().filter(|c| !c.is_control()).count() {
        count if count < FEWEST_CHARACTERS => Err(messages::passphrase_short(count)),
        _ => Ok(()),
    }
}

/// The password of keystores: from its own file, or else the passphrase, from its file or the
/// terminal.
pub(crate) fn keystore_password(
    file: Option<&Path>,
    out: &Output,
) -> Result<SecretBytes, CliError> {
    match file.or(out.passphrase_file.as_deref()) {
        Some(path) => secret_file::read(path),
        None => ask_secret("Password of the keystores", "--keystore-password-file"),
    }
}

/// The password of an SSV operator's key file: from its own file or the terminal.
pub(crate) fn ssv_password(key: &Path, file: Option<&Path>) -> Result<SecretBytes, CliError> {
    match file {
        Some(path) => secret_file::read(path),
        None => ask_secret(&format!("Password of {}", messages::shown(key)), "--ssv-password-file"),
    }
}

/// This operator, and the passphrase that opened it.
pub(crate) fn open_identity(
    state: &StateDir,
    out: &Output,
) -> Result<(Operator, SecretBytes), CliError> {
    let sealed = state.read_identity().map_err(messages::store)?;
    let path = state.path().join(IDENTITY_FILE);
    let passphrase = passphrase(&path, out)?;
    let opened = open_with_passphrase(&sealed, &passphrase, IDENTITY_FILE)
        .map_err(|error| messages::seal(&path, &error))?;
    let operator =
        Operator::from_secret_bytes(&opened).map_err(|error| messages::operator(&path, &error))?;
    let mark = state.read_mark().map_err(messages::store)?;
    Ok((operator.with_mark(mark), passphrase))
}

/// A line typed on the terminal; `flag` is how to give the answer without one.
pub(crate) fn line(question: &str, flag: &str) -> Result<String, CliError> {
    if !io::stdin().is_terminal() {
        return Err(messages::no_terminal(question, flag));
    }
    // The question is talk; the answer is what stdin is for.
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{}", asked(question, &io::stderr())).and_then(|()| stderr.flush());
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(MOST_ANSWER_BYTES)
        .read_until(b'\n', &mut bytes)
        .map_err(|error| messages::terminal(&error))?;
    if bytes.is_empty() {
        return Err(messages::no_answer(question, flag));
    }
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// The ceremony's fingerprint, given or typed: so that a person means this ceremony and no other.
pub(crate) fn agree(
    ceremony: &Ceremony,
    given: Option<&str>,
    question: &str,
) -> Result<(), CliError> {
    let expected = fingerprint(&ceremony.digest());
    let typed = match given {
        Some(words) => words.to_owned(),
        None => line(question, "--yes-fingerprint \"WORD WORD ...\"")?,
    };
    match parse_fingerprint(&typed) {
        Ok(words) if words == expected => Ok(()),
        _ => Err(messages::wrong_fingerprint(&expected.join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_that_are_typed() {
        let secret = |text: &str| SecretBytes::new(text.as_bytes().to_vec());
        assert!(long_enough(&secret("twelve chars")).is_ok());
        assert!(long_enough(&secret("éééééééééééé")).is_ok());
        assert!(
            long_enough(&secret("éééééééééé")).is_err(),
            "20 bytes, and 20 characters once decomposed"
        );
        assert!(long_enough(&secret("eleven char\u{7}")).is_err());
        assert!(long_enough(&SecretBytes::new(vec![0xff; 20])).is_err());
    }

    #[test]
    fn one_passphrase_on_every_keyboard() {
        let secret = |text: &str| {
            normal(&SecretBytes::new(text.as_bytes().to_vec()))
                .map(|secret| secret.expose().to_vec())
        };
        assert_eq!(secret("gr\u{fc}n").ok(), secret("gru\u{308}n").ok());
        assert!(secret("gr\u{fc}n").is_ok());
    }
}
