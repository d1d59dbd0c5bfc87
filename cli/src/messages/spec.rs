//! Messages about arguments and ceremony files.

use std::path::Path;

use super::{quoted, shown, usage};
use crate::card_file::NoCard;
use crate::report::{CliError, Exit};
use quorate::dossier::AttestationError;
use quorate::ethereum::network::{Network, listed};
use quorate::identity::card::{CardError, NameError};
use quorate::spec::SpecError;
use quorate::spec::pack::{Pack, PackError};

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
    let what = what.split("\n\n  tip: ").next().unwrap_or(what);
    let fix =
        meant(error).map_or_else(String::new, |meant| format!("did you mean {meant}? ")) + &fix;
    usage(what.strip_prefix("error: ").unwrap_or(what).trim_end(), fix)
}

/// What somebody probably meant who typed an argument that does not exist.
fn meant(error: &clap::Error) -> Option<String> {
    use clap::error::{ContextKind, ContextValue};
    let typed =
        [ContextKind::InvalidSubcommand, ContextKind::InvalidArg, ContextKind::InvalidValue];
    let typed = typed.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(typed) => Some(typed),
        _ => None,
    })?;
    let suggested =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let suggested = suggested.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(one) => Some(vec![one.as_str()]),
        ContextValue::Strings(all) => Some(all.iter().map(String::as_str).collect()),
        _ => None,
    })?;
    closest(typed, suggested.into_iter()).map(str::to_owned)
}

/// The one of `known` that somebody meant who typed `typed`: a part of it, or a few letters off.
pub(super) fn closest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    let distance = |known: &&str| {
        let begun = typed.len() >= 3 && known.starts_with(&typed);
        if begun { 0 } else { strsim::osa_distance(&typed, known) }
    };
    // What is longer than any of them is not compared with them.
    let likely = typed.len() <= 64;
    let near = known.filter(|_| likely).filter(|known| distance(known) <= 1 + known.len() / 4);
    near.min_by_key(distance)
}

/// `did you mean hoodi? `, if one of the networks is spelled like that.
pub(super) fn network_meant(typed: &str) -> String {
    closest(typed, Network::known_names())
        .map_or_else(String::new, |known| format!("did you mean {known}? "))
}

/// A policy pack that is not built in. `there`: a file of this name is in the folder.
pub(crate) fn unknown_policy(name: &str, there: bool) -> CliError {
    let meant = closest(name, Pack::names())
        .map_or_else(String::new, |known| format!("did you mean {known}? "));
    let file =
        if there { format!("; for the file, write --policy ./{name}") } else { String::new() };
    usage(
        format!("--policy: {name:?} is not a policy pack that is built in"),
        format!("{meant}To see those that are, run: quorate spec policy{file}"),
    )
}

/// What wallets have signed, in a file that is not as it should be.
pub(crate) fn attestations(path: &Path, error: &AttestationError) -> CliError {
    CliError::new(
        Exit::Finding,
        format!("{}: {error}", shown(path)),
        "ask the member to sign again; the text is printed by: quorate spec wallet-text",
    )
}

pub(crate) fn no_wallet_text(policy: &str) -> CliError {
    usage(
        format!("--policy {policy}: this policy demands no signature of wallets"),
        "leave out --policy and --main, for the text that binds the wallet to the ceremony",
    )
}

pub(crate) fn two_policies(text: &str, name: &str) -> CliError {
    usage(
        format!("--policy {text}: another policy of the name {name:?} is given"),
        "give one of them, or another name to yours: in the first lines of its file",
    )
}

pub(crate) fn policy_pack(path: &Path, error: &PackError) -> CliError {
    usage(
        format!("{}: {error}", shown(path)),
        "correct the pack; to see one that is right, run: quorate spec policy treasury",
    )
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

/// An address with nothing before its `@`.
pub(crate) fn no_card_before(address: &str) -> CliError {
    usage(
        format!("--operator @{address}: there is no card before the address"),
        "give the card of the operator: CARD@HOST:PORT; if it comes out of a file, that file is \
         empty: its owner writes it again with quorate identity show",
    )
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
    let correct =
        format!("correct the file, then check it with: quorate spec check {}", quoted(path));
    let fix = match error {
        SpecError::FileVersion(_) => "use the program version for which it was written".to_owned(),
        SpecError::NetworkUnknown(name) => network_meant(name) + &correct,
        _ => correct,
    };
    usage(format!("{}: {}", shown(path), counted(&error.to_string())), fix)
}

/// Positions as people count them: `operators[3].card` is `operator 4, card`.
pub(super) fn counted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, list, one)) = LISTS
        .iter()
        .filter_map(|(list, one)| Some((rest.find(list)?, *list, *one)))
        .min_by_key(|found| found.0)
    {
        let (before, after) = rest.split_at(at);
        out += before;
        let inside = &after[list.len()..];
        match inside
            .split_once(']')
            .and_then(|(digits, then)| Some((digits.parse::<usize>().ok()?.checked_add(1)?, then)))
        {
            Some((number, then)) => {
                out += &format!("{one} {number}");
                rest = then;
                if let Some(field) = then.strip_prefix('.') {
                    out += ", ";
                    rest = field;
                }
            }
            None => {
                out += list;
                rest = inside;
            }
        }
    }
    out + rest
}

/// How positions in lists are written, and what people call what is there.
const LISTS: [(&str, &str); 2] = [("operators[", "operator"), ("validators[", "validators block")];

/// A ceremony that was to be made of flags.
pub(crate) fn spec(error: &SpecError) -> CliError {
    let names;
    let fix = match error {
        SpecError::AllRequired(_) => {
            "choose a lower --threshold; or add --allow-all-required, if all operators want that"
        }
        SpecError::NetworkUnknown(name) => {
            names = format!(
                "{}give --network {}; or edit the file by hand, then run: quorate spec check FILE",
                network_meant(name),
                listed(Network::known_names(), "or")
            );
            &names
        }
        SpecError::AmountOrder { .. } => "give --amount in ascending order",
        SpecError::Obol(_) => "make the flags agree with the definition",
        _ => "correct the flags; operators and validators are numbered in their order",
    };
    usage(format!("this ceremony is invalid: {}", counted(&error.to_string())), fix)
}

/// A name that an earlier version took, and that new cards do not have.
pub(crate) fn old_name(name: &str, error: &NameError) -> CliError {
    usage(
        format!("the operator is called {name:?}: {error}"),
        "its finished ceremonies stay usable. For new ones, make another identity, with another \
         name, in another directory: quorate identity new",
    )
}

/// A card that was given by itself, as text or in a file.
pub(crate) fn card(file: Option<&Path>, error: &CardError) -> CliError {
    let place = file.map_or_else(String::new, |path| format!("{}: ", shown(path)));
    usage(
        format!("{place}{error}"),
        "give the whole line that its owner sees with: quorate identity show",
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

/// A transcript of a cluster that other software keeps a list of.
pub(crate) fn like_cluster(path: &Path, obol: bool) -> CliError {
    let what = if obol { "an Obol cluster" } else { "a cluster of SSV" };
    let fix = if obol {
        "an Obol cluster is one lock, which lists all its validators; nothing is added to it. \
         Make another cluster of the same operators, from a definition of its own: quorate spec \
         new --obol-definition"
    } else {
        "the account's nonce has changed since; give it, with the operators' numbers and keys: \
         quorate spec new --ssv-owner"
    };
    usage(format!("--like {}: these validators are in {what}", shown(path)), fix)
}

/// Another network than that of the transcript.
pub(crate) fn like_network(given: &str, found: &str) -> CliError {
    usage(
        format!("--network {given}, but the transcript is of {found}"),
        "leave --network out; for another network, write the file without --like",
    )
}

/// A card of nobody who holds a share.
pub(crate) fn like_stranger(name: &str) -> CliError {
    usage(
        format!("--operator {name:?}: no operator of the transcript has this key"),
        "with --like, the operators are those that hold its shares. To change them first: quorate \
         reshare new; for other operators, write the file without --like",
    )
}

/// A card without an install mark, which new ceremonies do not take.
pub(crate) fn like_old_card(name: &str) -> CliError {
    usage(
        format!("the transcript has a card of version 1 of {name:?}"),
        "ask this operator for its card (quorate identity show), and give it with --operator",
    )
}

/// Validators that differ in what a flag would say.
pub(crate) fn unlike(flag: &str) -> CliError {
    usage(
        format!("the validators of the transcript differ: {flag} is needed"),
        "say with the flag what the new validators are to have",
    )
}

pub(crate) fn no_such_command(words: &str) -> CliError {
    usage(format!("there is no command {words:?}"), "see: quorate --help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_count_from_one() {
        for (text, said) in [
            ("operators[3].card: x", "operator 4, card: x"),
            ("a: also of operators[0]", "a: also of operator 1"),
            ("validators[1].amounts: x", "validators block 2, amounts: x"),
            ("operators[].card", "operators[].card"),
            ("operators[18446744073709551615]", "operators[18446744073709551615]"),
            ("operators[1", "operators[1"),
            ("validators[0] and operators[1]", "validators block 1 and operator 2"),
        ] {
            assert_eq!(counted(text), said);
        }
    }

    #[test]
    fn what_somebody_meant() {
        for (typed, meant) in [
            ("hodi", Some("hoodi")),
            ("hoddi", Some("hoodi")),
            ("Hoodi", Some("hoodi")),
            ("hudi", Some("hoodi")),
            ("main", Some("mainnet")),
            ("mainet", Some("mainnet")),
            ("sepolai", Some("sepolia")),
            ("gnosischain", None),
            ("holesky", None),
            ("goerli", None),
            ("", None),
        ] {
            let networks = ["mainnet", "hoodi", "sepolia", "gnosis", "chiado"];
            assert_eq!(closest(typed, networks.into_iter()), meant, "{typed}");
        }
        assert_eq!(closest("ceremony", ["demo"].into_iter()), None);
        assert_eq!(closest("statsu", ["status", "spec"].into_iter()), Some("status"));
        let long = "a".repeat(1 << 20);
        assert_eq!(closest(&long, ["status"].into_iter()), None);
    }
}
