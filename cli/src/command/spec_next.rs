//! `quorate spec next`: drafts the next attempt after a stopped one, with the same or other
//! operators. Like any ceremony file, it binds nobody until all operators agree to it.

use crate::args::SpecNext;
use crate::command::spec;
use crate::report::{CliError, Exit, Output, printable, talk};
use crate::{input, messages};
use quorate::audit::describe::in_quotes;
use quorate::spec::file::{FILE_VERSION, PolicyEntry};
use quorate::spec::show::describe;
use quorate::spec::threshold::{Index, Threshold};
use quorate::spec::{Ceremony, CeremonyFile, CeremonyKind};

/// Most characters of a reason.
const LONGEST_REASON: usize = 500;

/// Runs the command.
pub(crate) fn run(args: &SpecNext, out: &Output) -> Result<Exit, CliError> {
    input::must_be_free(&args.output)?;
    let (_, old) = input::any_ceremony(&args.file)?;
    let reason = reason(&args.reason)?;
    let without = args
        .without
        .iter()
        .map(|text| seat("--without", text, &old))
        .collect::<Result<Vec<Index>, CliError>>()?;
    let file = draft(args, &old, &without)?;
    let changes = changes(&old, &file, &without, args);
    let text = commented(&file, &reason, &changes);
    // What is written is what was checked: the text, read back.
    let ceremony = input::parse_ceremony(&text).map_err(|error| messages::next_spec(&error))?;
    input::write_new(&args.output, text.as_bytes())?;
    let before = match old.reshare() {
        Some(_) if old.is_repair() => "It gives back the same share.",
        None => "Keys of the previous attempt must never receive a deposit.",
        Some(_) => {
            "A dealer that has taken part in the previous attempt abandons it first: quorate \
             abandon"
        }
    };
    talk(&format!(
        "Send this same file to every operator. Nobody has agreed to it yet: all operators read it \
         and compare the fingerprint by voice. {before}"
    ));
    let mut fields = spec::fields(&ceremony);
    fields["file"] = args.output.display().to_string().into();
    fields["reason"] = reason.as_str().into();
    fields["changes"] = changes.clone().into();
    let changes: String = changes.iter().map(|change| format!("  - {change}\n")).collect();
    let shown = describe(&ceremony);
    out.finish(
        Exit::Done,
        fields,
        &format!("Wrote {}\nReason: {reason}\n{changes}\n{shown}", messages::shown(&args.output)),
    )
}

/// One line that neither ends the comment that it becomes nor acts on a terminal.
fn reason(text: &str) -> Result<String, CliError> {
    let text = text.trim();
    let one_line =
        !text.contains(['\n', '\r']) && !text.is_empty() && text.chars().count() <= LONGEST_REASON;
    if one_line { Ok(printable(text)) } else { Err(messages::reason(LONGEST_REASON)) }
}

/// The operator that a name or an index means.
pub(crate) fn seat(flag: &str, text: &str, old: &Ceremony) -> Result<Index, CliError> {
    let named = old
        .roster()
        .iter()
        .find(|(_, seat)| seat.card.name.as_str().eq_ignore_ascii_case(text))
        .map(|(index, _)| index);
    let numbered =
        text.parse().ok().and_then(Index::new).filter(|index| old.roster().get(*index).is_some());
    match (named, numbered) {
        (Some(named), Some(numbered)) if named != numbered => {
            Err(messages::two_such_operators(flag, text))
        }
        (Some(index), _) | (None, Some(index)) => Ok(index),
        (None, None) => Err(messages::no_such_operator(flag, text, old.name())),
    }
}

/// The file of the next attempt, unchecked.
fn draft(args: &SpecNext, old: &Ceremony, without: &[Index]) -> Result<CeremonyFile, CliError> {
    let others = !without.is_empty() || !args.add.is_empty() || args.threshold.is_some();
    if old.is_repair() && others {
        return Err(messages::next_repair());
    }
    let mut file = CeremonyFile::from(old);
    file.version = FILE_VERSION;
    file.attempt = old.attempt().checked_add(1).ok_or_else(messages::last_attempt)?;
    file.supersedes = Some(old.digest().to_string());
    let usual =
        file.operators.iter().zip(1..).all(|(operator, index)| operator.point == Some(index));
    let stay = old.indices().map(|index| !without.contains(&index));
    let stay = stay.collect::<Vec<_>>();
    if let Some(entry) = &mut file.import {
        let place = usize::from(entry.dealer).saturating_sub(1);
        if stay.get(place) != Some(&true) {
            return Err(messages::import_needs_dealer());
        }
        let gone = stay.iter().take(place).filter(|stays| !**stays).count();
        entry.dealer = entry.dealer.saturating_sub(u16::try_from(gone).unwrap_or(u16::MAX));
    }
    // Such a point may be an operator's number in SSV's contract, which nobody can guess.
    let numbered = file.operators.iter().any(|operator| operator.point.is_some());
    if old.reshare().is_some() && numbered && !args.add.is_empty() {
        return Err(messages::next_numbered(old.kind() == CeremonyKind::Import));
    }
    let mut stay = stay.into_iter();
    file.operators.retain(|_| stay.next().unwrap_or(false));
    for text in &args.add {
        let mut added = spec::operator(text)?;
        // Behind all the others; one that cannot be is refused when the file is read back.
        if old.reshare().is_none() {
            let largest = file.operators.iter().filter_map(|operator| operator.point).max();
            added.point = largest.map_or(Some(1), |point| point.checked_add(1));
        }
        file.operators.push(added);
    }
    if usual {
        file.operators.iter_mut().for_each(|operator| operator.point = None);
    }
    let same_operators = without.is_empty() && args.add.is_empty();
    let count = receivers(&file);
    file.threshold = match args.threshold {
        Some(threshold) => threshold,
        None if same_operators => file.threshold,
        None => {
            let usual =
                Threshold::usual(count).map_err(|error| messages::next_spec(&error.into()))?;
            u16::try_from(usual.required()).expect("at most 255 operators")
        }
    };
    // Allowed anew where it is needed, and only there.
    let all_required = usize::from(file.threshold) == count;
    let allowed = args.allow_all_required || (old.allow_all_required() && same_operators);
    file.policy = PolicyEntry { allow_all_required: all_required && allowed };
    Ok(file)
}

/// How many operators get shares: of a key generation all.
fn receivers(file: &CeremonyFile) -> usize {
    file.operators.iter().filter(|operator| operator.receives != Some(false)).count()
}

/// What is otherwise than in the attempt before, in sentences.
fn changes(old: &Ceremony, file: &CeremonyFile, without: &[Index], args: &SpecNext) -> Vec<String> {
    let mut changes =
        vec![format!("Attempt {} supersedes attempt {}.", file.attempt, old.attempt())];
    for (index, seat) in old.roster().iter().filter(|(index, _)| without.contains(index)) {
        changes.push(format!(
            "Without {} (operator {index} in the previous attempt).",
            in_quotes(seat.card.name.as_str())
        ));
    }
    if !args.add.is_empty() {
        changes.push(format!("New operators: {}.", args.add.len()));
    }
    let (t, n) = (usize::from(file.threshold), receivers(file));
    let before = old.holders();
    // A repair leaves all shares of its parent as they are.
    if !old.is_repair() && (t, n) != (old.t(), before) {
        let how = if args.threshold.is_some() { "as asked" } else { "two thirds, rounded up" };
        changes.push(format!(
            "Any {t} of {n} operators can sign ({how}); before, it was any {} of {before}.",
            old.t()
        ));
    }
    changes
}

/// The file with what led to it, above its first field.
fn commented(file: &CeremonyFile, reason: &str, changes: &[String]) -> String {
    let mut comment = format!("\n# Reason for this attempt: {reason}\n");
    changes.iter().for_each(|change| comment += &format!("# {change}\n"));
    file.to_toml().replacen("\nversion = ", &format!("{comment}version = "), 1)
}
