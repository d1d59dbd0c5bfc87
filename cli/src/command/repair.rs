//! `quorate repair new`: drafts the file of a repair from a transcript. Like any ceremony file, it
//! binds nobody until all operators agree to it.

use crate::args::{Repair, RepairNew};
use crate::command::reshare::{given_cards, without_address};
use crate::command::spec;
use crate::command::spec_next::seat;
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, prompt};
use quorate::audit::chain::{parent_entry, validator_entries};
use quorate::audit::facts::Audited;
use quorate::spec::file::{FILE_VERSION, NetworkEntry, OperatorEntry, PolicyEntry, RepairEntry};
use quorate::spec::show::describe;
use quorate::spec::threshold::Index;
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::random;

/// Runs the command.
pub(crate) fn run(args: &Repair, out: &Output) -> Result<Exit, CliError> {
    let Repair::New(args) = args;
    input::must_be_free(&args.output)?;
    let parent = crate::parent::audited(&args.from)?;
    let file = draft(args, &parent)?;
    let text = file.to_toml();
    // What is written is what was checked: the text, read back.
    let ceremony = input::parse_ceremony(&text).map_err(|error| messages::repair(&error))?;
    talk(&format!(
        "If the share may have been stolen, do not repair it: deal all shares anew with a reshare. \
         A repair gives {} the share that it had, and the old one still signs.",
        parent
            .ceremony()
            .roster()
            .get(lost(args, parent.ceremony())?.1)
            .map_or_else(String::new, |seat| format!("\"{}\"", seat.card.name))
    ));
    let what = (messages::DESTROYED, messages::not_destroyed_by_word as fn() -> CliError);
    prompt::sentence(what, args.yes_destroyed.as_deref(), "--yes-destroyed")?;
    input::write_new(&args.output, text.as_bytes())?;
    talk(
        "Send this same file to every operator of it, with the transcripts that it was made from. \
         Nobody has agreed to it yet: all of them read it and compare the fingerprint by voice.",
    );
    let unaddressed = without_address(&ceremony);
    if !unaddressed.is_empty() {
        talk(&messages::without_addresses(&unaddressed));
    }
    let mut fields = spec::fields(&ceremony);
    fields["file"] = args.output.display().to_string().into();
    let shown = describe(&ceremony);
    out.finish(Exit::Done, fields, &format!("Wrote {}\n\n{shown}", messages::shown(&args.output)))
}

/// The place among those that hold shares, and the index, of the operator that has lost its own.
fn lost(args: &RepairNew, old: &Ceremony) -> Result<(usize, Index), CliError> {
    holder("--lost", &args.lost, old)
}

fn holder(flag: &str, text: &str, old: &Ceremony) -> Result<(usize, Index), CliError> {
    let index = seat(flag, text, old)?;
    let place = old.receivers().position(|(holder, _)| holder == index);
    Ok((place.ok_or_else(|| messages::holds_no_share(flag, text))?, index))
}

/// The places of those that help, among those that hold shares.
fn helpers(args: &RepairNew, old: &Ceremony, lost: usize) -> Result<Vec<usize>, CliError> {
    let required = old.t();
    if args.helper.is_empty() {
        let others = (0..old.receivers().count()).filter(|place| *place != lost);
        let helpers: Vec<usize> = others.take(required).collect();
        return match helpers.len() == required {
            true => Ok(helpers),
            false => Err(messages::all_are_needed()),
        };
    }
    let mut places = Vec::new();
    for text in &args.helper {
        let (place, _) = holder("--helper", text, old)?;
        if place == lost || places.contains(&place) {
            return Err(messages::helps_twice(text));
        }
        places.push(place);
    }
    match places.len() == required {
        true => Ok(places),
        false => Err(messages::helpers(places.len(), required)),
    }
}

/// The file that the flags describe, unchecked.
fn draft(args: &RepairNew, parent: &Audited) -> Result<CeremonyFile, CliError> {
    let old = parent.ceremony();
    let (lost, index) = lost(args, old)?;
    let helpers = helpers(args, old, lost)?;
    let positions: Vec<usize> = (0..old.v()).collect();
    let entry = parent_entry(parent, &positions)
        .ok_or_else(|| messages::internal("a transcript that passed has no commitments"))?;
    let mut operators = Vec::new();
    for ((place, number), (_, seat)) in (0..).zip(1_u16..).zip(old.receivers()) {
        if place != lost && !helpers.contains(&place) {
            continue;
        }
        operators.push(OperatorEntry {
            card: seat.card.encode(),
            deals: (place != lost).then_some(number),
            regains: (place == lost).then_some(number),
            old_point: (seat.point != u64::from(number)).then_some(seat.point),
            ..OperatorEntry::default()
        });
    }
    if !given_cards(&args.operators, &mut operators)?.is_empty() {
        return Err(messages::strangers_card());
    }
    let name = old.roster().get(index).map(|seat| format!("Repair for {}", seat.card.name));
    Ok(CeremonyFile {
        version: FILE_VERSION,
        name: args.name.clone().or(name).unwrap_or_default(),
        id: hex::encode(random::public()),
        attempt: 1,
        supersedes: None,
        network: NetworkEntry::from(old.network()),
        threshold: entry.threshold,
        policy: PolicyEntry::default(),
        parent: Some(entry),
        import: None,
        repair: Some(RepairEntry::destroyed()),
        ssv: None,
        operators,
        validators: validator_entries(parent, &positions),
        obol: None,
        preregistration: None,
    })
}
