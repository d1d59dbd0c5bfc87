//! Messages about arguments and ceremony files.

use std::path::Path;

use super::{quoted, shown, usage};
use crate::card_file::NoCard;
use crate::report::CliError;
use quorate::ethereum::network::{Network, listed};
use quorate::identity::card::NameError;
use quorate::spec::SpecError;

/// What clap says, without its colours, its summary of flags and its closing line.
pub(crate) fn arguments(error: &clap::Error) -> CliError {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return usage("no command was given", "see: quorate --help");
    }
    let text = error.render().to_string();
    let what = text
        .split("\n\nUsage: ")
        .next()
        .unwrap_or_default()
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let words = text.split("\n\nUsage: ").nth(1).unwrap_or_default().split_whitespace();
    let command: Vec<&str> = words
        .take_while(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .collect();
    let fix = match command.is_empty() {
        true => "for the possible arguments, run the same command with --help".to_owned(),
        false => format!("see: {} --help", command.join(" ")),
    };
    usage(what.strip_prefix("error: ").unwrap_or(what).trim_end(), fix)
}

pub(crate) fn not_text(path: &Path, at: usize) -> CliError {
    usage(
        format!("{}: not UTF-8 text (byte {at})", shown(path)),
        "check that this is the right file; if so, save it as UTF-8",
    )
}

pub(crate) fn utf16(path: &Path) -> CliError {
    usage(format!("{}: UTF-16 text", shown(path)), "save the file as UTF-8")
}

pub(crate) fn no_card(path: &Path, found: NoCard) -> CliError {
    let (what, fix) = match found {
        NoCard::None => (
            "no operator card in this file: nothing in it begins with quorate1",
            "ask the operator for the output of: quorate identity show",
        ),
        NoCard::Several => {
            ("more than one operator card in this file", "keep one card in each file")
        }
    };
    usage(format!("{}: {what}", shown(path)), fix)
}

pub(crate) fn card_is_a_file(path: &Path) -> CliError {
    usage(
        format!("{}: a file, where an operator card is expected", shown(path)),
        format!("to take the card from the file, put @ before it: @{}", quoted(path)),
    )
}

/// Another file where a ceremony file belongs.
pub(crate) fn not_a_ceremony(path: &Path, kind: &str) -> CliError {
    usage(
        format!("{}: not a ceremony file; this is {kind}", shown(path)),
        "give the ceremony file: the TOML (or JSON) that quorate spec new has written",
    )
}

pub(crate) fn spec_file(path: &Path, error: &SpecError) -> CliError {
    let fix = match error {
        SpecError::FileVersion(_) => "use the program version for which it was written".to_owned(),
        _ => format!("correct the file, then check it with: quorate spec check {}", quoted(path)),
    };
    usage(format!("{}: {error}", shown(path)), fix)
}

/// A ceremony that was to be made of flags.
pub(crate) fn spec(error: &SpecError) -> CliError {
    let names;
    let fix = match error {
        SpecError::AllRequired(_) => {
            "choose a lower --threshold; or add --allow-all-required, if all operators want that"
        }
        SpecError::NetworkUnknown(_) => {
            names = format!(
                "give --network {}; or edit the file by hand, then run: quorate spec check FILE",
                listed(Network::known_names(), "or")
            );
            &names
        }
        SpecError::AmountOrder { .. } => "give --amount in ascending order",
        SpecError::Obol(_) => "make the flags agree with the definition; positions count from 0",
        _ => "correct the flags; positions count from 0, in the order of the flags",
    };
    usage(format!("this ceremony is invalid: {error}"), fix)
}

/// A name that an earlier version took, and that new cards do not have.
pub(crate) fn old_name(name: &str, error: &NameError) -> CliError {
    usage(
        format!("the operator is called {name:?}: {error}"),
        "its finished ceremonies stay usable. For new ones, make another identity, with another \
         name, in another directory: quorate identity new",
    )
}

pub(crate) fn name(error: &NameError) -> CliError {
    usage(format!("--name: {error}"), "choose another name")
}

pub(crate) fn pairs(counts: usize, addresses: usize) -> CliError {
    usage(
        format!("--validators was given {counts} times, but --withdrawal {addresses} times"),
        "give them in pairs: a number of validators, and the address that their money goes to",
    )
}

pub(crate) fn no_such_command(words: &str) -> CliError {
    usage(format!("there is no command {words:?}"), "see: quorate --help")
}
