//! Reads secrets and answers from the terminal or from a private file. Secrets never come from
//! arguments or stdin.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use super::report::{CliError, Output, printable, talk};
use super::{messages, screen, secret_file, strength, terminal};
use quorate::ethereum::keystore::normalised;
use quorate::identity::Operator;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::Ceremony;
use quorate::spec::canonical::{
    FINGERPRINT_WORDS, fingerprint, fingerprint_words, parse_fingerprint,
};
use quorate_operator::backup::LABEL;
use quorate_operator::store::{
    CARD_FILE, IDENTITY_FILE, SealError, StateDir, open_with_passphrase,
};

/// Fewest characters of a new passphrase.
pub(crate) const FEWEST_CHARACTERS: usize = 12;
/// Most bytes of an answer.
const MOST_ANSWER_BYTES: u64 = 4096;

/// How often something may be typed.
const TRIES: u32 = 3;

/// A secret typed on the terminal, without an echo.
fn ask_secret(question: &str, file_flag: &str) -> Result<SecretBytes, CliError> {
    let flag = format!("{file_flag} FILE");
    if !terminal::is_there() {
        return Err(messages::no_terminal(question, &flag));
    }
    terminal::secret(&asked(question, &io::stdin()))
        .map_err(|error| messages::terminal(&error))?
        .ok_or_else(|| messages::no_answer(question, &flag))
}

/// What a check says of an answer: that another one may be given, or what follows from this one.
pub(crate) type Checked<R> = Result<R, CliError>;

/// Asks until `check` accepts the answer, at most [`TRIES`] times; says each time what is wrong. An
/// error that no other answer would mend ends it.
pub(crate) fn again<T, R>(
    mut ask: impl FnMut() -> Result<T, CliError>,
    mut check: impl FnMut(T) -> Result<Checked<R>, CliError>,
) -> Result<R, CliError> {
    for left in (1..TRIES).rev() {
        match check(ask()?)? {
            Ok(checked) => return Ok(checked),
            Err(error) => talk(&messages::try_again(&error, left)),
        }
    }
    check(ask()?)?
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

/// The passphrase of a new identity: asked twice, not short, and not one that is guessed first.
pub(crate) fn new_passphrase(out: &Output) -> Result<SecretBytes, CliError> {
    match &out.passphrase_file {
        Some(path) => {
            let chosen = secret_file::read(path)?;
            good_enough(&chosen)?;
            normal(&chosen)
        }
        None => again(
            || {
                ask_secret(
                    &format!("New passphrase (at least {FEWEST_CHARACTERS} characters)"),
                    "--passphrase-file",
                )
            },
            |chosen| {
                if let Err(error) = good_enough(&chosen) {
                    return Ok(Err(error));
                }
                let repeated = ask_secret("Repeat the passphrase", "--passphrase-file")?;
                Ok(match chosen.expose() == repeated.expose() {
                    true => normal(&chosen),
                    false => Err(messages::passphrases_differ()),
                })
            },
        ),
    }
}

/// Refuses a new passphrase that is short or weak.
fn good_enough(passphrase: &SecretBytes) -> Result<(), CliError> {
    long_enough(passphrase)?;
    let text =
        core::str::from_utf8(passphrase.expose()).map_err(|_| messages::passphrase_not_text())?;
    strength::check(text).map_err(messages::passphrase_weak)
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
/// terminal. One that is typed may be typed again until it `opens` a keystore.
pub(crate) fn keystore_password(
    file: Option<&Path>,
    out: &Output,
    mut opens: impl FnMut(&SecretBytes) -> Result<bool, CliError>,
) -> Result<SecretBytes, CliError> {
    match file.or(out.passphrase_file.as_deref()) {
        Some(path) => secret_file::read(path),
        None => again(
            || {
                ask_secret(
                    "Password of the keystores (your passphrase, unless you chose another)",
                    "--keystore-password-file",
                )
            },
            |typed| {
                Ok(match opens(&typed) {
                    Ok(true) => Ok(typed),
                    Ok(false) => Err(messages::wrong_keystore_password()),
                    Err(error) => Err(error),
                })
            },
        ),
    }
}

/// The password of an SSV operator's key file: from its own file or the terminal.
pub(crate) fn ssv_password(key: &Path, file: Option<&Path>) -> Result<SecretBytes, CliError> {
    match file {
        Some(path) => secret_file::read(path),
        None => ask_secret(&format!("Password of {}", messages::shown(key)), "--ssv-password-file"),
    }
}

/// What is in a file that is sealed under this label, and the passphrase that opened it; `told`
/// says why it does not open.
fn open_sealed(
    path: &Path,
    (sealed, label): (&[u8], &str),
    told: fn(&Path, &SealError) -> CliError,
    out: &Output,
) -> Result<(SecretBytes, SecretBytes), CliError> {
    let open = |passphrase: SecretBytes| {
        let passphrase = match normal(&passphrase) {
            Ok(passphrase) => passphrase,
            Err(error) => return Ok(Err(error)),
        };
        match open_with_passphrase(sealed, &passphrase, label) {
            Ok(opened) => Ok(Ok((opened, passphrase))),
            Err(error @ SealError::WrongPassphrase) => Ok(Err(told(path, &error))),
            Err(error) => Err(told(path, &error)),
        }
    };
    match &out.passphrase_file {
        Some(file) => open(secret_file::read(file)?)?,
        None => {
            let question = format!("Passphrase of {}", messages::shown(path));
            again(|| ask_secret(&question, "--passphrase-file"), open)
        }
    }
}

/// What is in a backup, and the passphrase that opened it.
pub(crate) fn open_backup(
    path: &Path,
    sealed: &[u8],
    out: &Output,
) -> Result<(SecretBytes, SecretBytes), CliError> {
    open_sealed(path, (sealed, LABEL), messages::sealed_backup, out)
}

/// This operator, and the passphrase that opened it.
pub(crate) fn open_identity(
    state: &StateDir,
    out: &Output,
) -> Result<(Operator, SecretBytes), CliError> {
    let sealed = state.read_identity().map_err(messages::store)?;
    let path = state.path().join(IDENTITY_FILE);
    let (opened, passphrase) = open_sealed(&path, (&sealed, IDENTITY_FILE), messages::seal, out)?;
    let operator =
        Operator::from_secret_bytes(&opened).map_err(|error| messages::operator(&path, &error))?;
    let mark = state.read_mark().map_err(messages::store)?;
    let kept = state.read_card().map_err(messages::store)?;
    if kept.is_some_and(|card| card.key != operator.key().public()) {
        talk(&messages::foreign_card(&state.path().join(CARD_FILE)));
    }
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

/// A sentence that is given, or typed word for word by a person who means it; and what is said of
/// anything else.
pub(crate) fn sentence(
    (sentence, other): (&str, fn() -> CliError),
    given: Option<&str>,
    flag: &str,
) -> Result<(), CliError> {
    let check = |typed: &str| if typed == sentence { Ok(()) } else { Err(other()) };
    match given {
        Some(given) => check(given),
        None => {
            let question = format!("If it is true, type \"{sentence}\"");
            let flag = format!("{flag} \"{sentence}\"");
            again(|| line(&question, &flag), |typed| Ok(check(&typed)))
        }
    }
}

/// The ceremony's fingerprint, given or typed: so that a person means this ceremony and no other.
pub(crate) fn agree(
    ceremony: &Ceremony,
    given: Option<&str>,
    question: &str,
) -> Result<(), CliError> {
    let expected = fingerprint(&ceremony.digest());
    let check = |typed: String| match parse_fingerprint(&typed) {
        Err(error) => Err(messages::not_a_fingerprint(&error)),
        Ok(words) => match words.iter().zip(&expected).position(|(word, right)| word != right) {
            None => Ok(()),
            Some(at) => Err(messages::wrong_fingerprint(at + 1, words[at])),
        },
    };
    match given {
        Some(words) => check(words.to_owned()),
        None => again(|| twelve_words(question), |typed| Ok(check(typed))),
    }
}

/// The words of a fingerprint: on one line, or on several until they are twelve or one of them is
/// none.
fn twelve_words(question: &str) -> Result<String, CliError> {
    let flag = "--yes-fingerprint \"WORD WORD ...\"";
    let mut typed = line(question, flag)?;
    loop {
        match fingerprint_words(&typed) {
            Ok(words) if (1..FINGERPRINT_WORDS).contains(&words.len()) => {
                let left = FINGERPRINT_WORDS - words.len();
                let more = line(&format!("The other {left}"), flag)?;
                if more.is_empty() {
                    return Ok(typed);
                }
                typed = format!("{typed} {more}");
            }
            _ => return Ok(typed),
        }
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
