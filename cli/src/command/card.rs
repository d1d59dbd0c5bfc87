//! `quorate card`: shows what an operator card says.

use std::path::Path;

use serde_json::{Value, json};

use crate::args::Card;
use crate::report::{CliError, Exit, Output};
use crate::{input, messages};
use quorate::audit::describe::in_quotes;
use quorate::identity::OperatorCard;
use quorate::identity::card::LONGEST_CARD;

/// How the text of a card begins.
const PREFIX: &str = "quorate1";
/// Most bytes of a file with a card: some blanks and line ends around it.
const MOST_FILE_BYTES: usize = 2 * LONGEST_CARD;

/// Runs the command.
pub(crate) fn run(args: &Card, out: &Output) -> Result<Exit, CliError> {
    let Card::Show { card } = args;
    let card = read(card)?;
    let (key, noise) = (hex::encode(card.key.as_bytes()), hex::encode(card.noise.as_bytes()));
    let mut text = format!("{}\n  whole key  {key}\n  Noise key  {noise}", short_forms(&card));
    text += &match card.mark {
        Some(mark) => format!("\n  mark       {}", hex::encode(mark.0)),
        None => "\n  mark       none: a card of version 1, for ceremonies of version 1".to_owned(),
    };
    out.finish(Exit::Done, fields(&card), &text)
}

/// A card from an argument: its text, or the file that holds it.
fn read(argument: &str) -> Result<OperatorCard, CliError> {
    let (file, text) = match argument.strip_prefix('@') {
        None if argument.trim_start().starts_with(PREFIX) => (None, argument.to_owned()),
        path => {
            let path = Path::new(path.unwrap_or(argument));
            let bytes = input::read_named(path, ".card", MOST_FILE_BYTES)?;
            (Some(path), String::from_utf8_lossy(&bytes).into_owned())
        }
    };
    // Mail and editors leave marks around a card, and break its line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let line: String = text.split_ascii_whitespace().collect();
    OperatorCard::parse(&line).map_err(|error| messages::card(file, &error))
}

/// What people compare.
pub(super) fn short_forms(card: &OperatorCard) -> String {
    {
        let name = in_quotes(card.name.as_str());
        format!("{name}\n  key        {}\n  card       {}", card.key.short(), card.short())
    }
}

/// For programs.
pub(super) fn fields(card: &OperatorCard) -> Value {
    json!({
        "name": card.name.as_str(),
        "card": card.encode(),
        "version": card.version(),
        "key": hex::encode(card.key.as_bytes()),
        "short_key": card.key.short().to_string(),
        "short_card": card.short().to_string(),
        "noise": hex::encode(card.noise.as_bytes()),
        "mark": card.mark.map(|mark| hex::encode(mark.0)),
    })
}
