//! Operator cards as people hand them over: typed or pasted, or in a file that a mail program may
//! have wrapped.

use std::path::Path;

use serde_json::Value;

use super::report::CliError;
use super::{input, messages};
use quorate::spec::Endpoint;

/// What every card begins with.
const PREFIX: &str = "quorate1";
/// Most bytes of a file with a card, and whatever was saved along with it.
const MOST_BYTES: usize = 64 << 10;

/// Why a text holds no card that could be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoCard {
    /// Nothing in it begins as a card does.
    None,
    /// It is not clear which is meant.
    Several,
}

/// The card in an argument: itself, or with `@` before it the file that holds it. It is not yet
/// known to be one.
pub(crate) fn card(argument: &str) -> Result<String, CliError> {
    match argument.strip_prefix('@') {
        Some(path) => from_file(Path::new(path)),
        None => typed(argument),
    }
}

/// The card and the address of `CARD@HOST:PORT` or `@FILE@HOST:PORT`; the address may be left out.
pub(crate) fn with_address(argument: &str) -> Result<(String, Option<String>), CliError> {
    let (at, rest) = match argument.strip_prefix('@') {
        Some(rest) => ("@", rest),
        None => ("", argument),
    };
    if !at.is_empty() && !Path::new(rest).is_file() && Endpoint::parse(rest).is_ok() {
        return Err(messages::no_card_before(rest));
    }
    // A file's name may have an @ in it, an address never has.
    match rest.rsplit_once('@') {
        Some(_) if !at.is_empty() && Path::new(rest).is_file() => Ok((card(argument)?, None)),
        Some((before, address)) => {
            Ok((card(&format!("{at}{before}"))?, Some(address.trim().to_owned())))
        }
        None => Ok((card(argument)?, None)),
    }
}

fn typed(text: &str) -> Result<String, CliError> {
    let text = text.trim().trim_matches(['"', '\'', '`']);
    let path = Path::new(text);
    if !text.starts_with(PREFIX) && path.is_file() {
        return Err(messages::card_is_a_file(path));
    }
    // What was pasted may have been wrapped, and quoted by a mail program.
    Ok(text.split_whitespace().map(|word| word.trim_start_matches('>')).collect())
}

fn from_file(path: &Path) -> Result<String, CliError> {
    let bytes = input::read(path, MOST_BYTES)?;
    let text = input::text(path, &bytes)?;
    find(text).map_err(|error| messages::no_card(path, error))
}

/// The one card in a text: a word of it, or the string `card` of JSON as this program prints it.
/// Lines of nothing but a card's characters that follow belong to it.
fn find(text: &str) -> Result<String, NoCard> {
    if let Ok(Value::Object(fields)) = serde_json::from_str(text) {
        return fields.get("card").and_then(Value::as_str).map(str::to_owned).ok_or(NoCard::None);
    }
    let mut cards: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let line = line.trim();
        let begin = line.find(PREFIX);
        match begin {
            None if goes_on && !line.is_empty() && line.bytes().all(is_of_card) => {
                if let Some(card) = cards.last_mut() {
                    card.push_str(line);
                }
            }
            None => goes_on = false,
            Some(begin) => {
                for word in line[begin..].split(|c: char| !c.is_ascii_alphanumeric()) {
                    if word.starts_with(PREFIX) {
                        cards.push(word.to_owned());
                    }
                }
                goes_on = line.bytes().last().is_some_and(is_of_card);
            }
        }
    }
    cards.dedup();
    match cards.len() {
        0 => Err(NoCard::None),
        1 => Ok(cards.remove(0)),
        _ => Err(NoCard::Several),
    }
}

/// Whether this is of bech32's alphabet (BIP-173).
fn is_of_card(byte: u8) -> bool {
    b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_found_however_it_was_saved() {
        let card = "quorate1q2axxry7mer";
        for text in [
            "quorate1q2axxry7mer",
            "  quorate1q2axxry7mer \r\n\r\n",
            "quorate1q2\r\naxxry\r\n7mer\r\n",
            "> quorate1q2axxry7mer",
            "\"quorate1q2axxry7mer\",\n",
            "card = 'quorate1q2axxry7mer'\n",
            "Here is my card:\n\n  quorate1q2axxry7mer\n\nBob\n",
            "quorate1q2axxry7mer\nRegards, Bob\n",
            "{\"name\": \"bob\", \"card\": \"quorate1q2axxry7mer\"}",
            "quorate1q2axxry7mer\n\nquorate1q2axxry7mer\n",
        ] {
            assert_eq!(find(text).as_deref(), Ok(card), "{text:?}");
        }
        for text in ["", "\n", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "{\"name\": \"bob\"}"]
        {
            assert_eq!(find(text), Err(NoCard::None), "{text:?}");
        }
        assert_eq!(find("quorate1q2\n\nquorate1q3\n"), Err(NoCard::Several));
    }
}
