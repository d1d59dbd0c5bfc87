//! `quorate reshare new`: drafts the file of a reshare from a transcript. Like any ceremony file,
//! it binds nobody until all operators agree to it.

use crate::args::{Reshare, ReshareNew};
use crate::command::spec_next::seat;
use crate::command::{points, spec};
use crate::progress::{Named, listed, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages};
use quorate::audit::chain::{parent_entry, validator_entries};
use quorate::audit::facts::Audited;
use quorate::identity::card::OperatorCard;
use quorate::message::shape::Shape;
use quorate::message::without::enough;
use quorate::spec::file::{FILE_VERSION, NetworkEntry, OperatorEntry, ParentEntry, PolicyEntry};
use quorate::spec::show::describe;
use quorate::spec::threshold::{Index, Threshold};
use quorate::spec::{Ceremony, CeremonyFile};
use quorate_operator::random;

/// Runs the command.
pub(crate) fn run(args: &Reshare, out: &Output) -> Result<Exit, CliError> {
    let Reshare::New(args) = args;
    new(args, out)
}

fn new(args: &ReshareNew, out: &Output) -> Result<Exit, CliError> {
    input::must_be_free(&args.output)?;
    let parent = crate::parent::audited(&args.from)?;
    let fates = fates(args, parent.ceremony())?;
    let file = draft(args, &parent, &fates)?;
    let text = file.to_toml();
    // What is written is what was checked: the text, read back.
    let ceremony = input::parse_ceremony(&text).map_err(|error| messages::reshare(&error))?;
    input::write_new(&args.output, text.as_bytes())?;
    talk(
        "Send this same file to every operator of it, with the transcripts that it was made from. \
         Nobody has agreed to it yet: all of them read it and compare the fingerprint by voice.",
    );
    let unaddressed = without_address(&ceremony);
    if !unaddressed.is_empty() {
        talk(&messages::without_addresses(&unaddressed));
    }
    let needed = needed_to_the_end(&ceremony);
    let could = could_witness(&ceremony, parent.ceremony(), &fates);
    if !needed.is_empty() {
        talk(&messages::needed_to_the_end(&listed(&needed)));
    }
    if !could.is_empty() {
        talk(&messages::could_witness(&listed(&could)));
    }
    let mut fields = spec::fields(&ceremony);
    fields["could_witness"] = serde_json::json!(could);
    fields["needed_to_the_end"] = serde_json::json!(needed);
    fields["file"] = args.output.display().to_string().into();
    let shown = describe(&ceremony);
    out.finish(Exit::Done, fields, &format!("Wrote {}\n\n{shown}", messages::shown(&args.output)))
}

pub(super) fn without_address(ceremony: &Ceremony) -> Vec<String> {
    let seats = ceremony.roster().iter();
    let silent = seats.filter(|(_, seat)| seat.address.is_none());
    silent.map(|(_, seat)| seat.card.name.to_string()).collect()
}

/// The operators without each of whom nobody finishes, if it is lost after all have stopped.
pub(super) fn needed_to_the_end(ceremony: &Ceremony) -> Vec<Named> {
    let (Some(spec), shape) = (ceremony.reshare(), Shape::of(ceremony)) else { return Vec::new() };
    let alone = |seat: &Index| enough(spec, &shape, [*seat].into_iter().collect()).is_err();
    let needed: Vec<Index> = ceremony.indices().filter(alone).collect();
    seat_names(ceremony, &needed)
}

/// Operators of the parent who do not stop yet, where with them as witnesses one that is lost would
/// leave a majority.
fn could_witness(ceremony: &Ceremony, old: &Ceremony, fates: &[Fate]) -> Vec<Named> {
    let (Some(spec), shape) = (ceremony.reshare(), Shape::of(ceremony)) else { return Vec::new() };
    let idle = |fate: &Fate| matches!(fate, Fate::Absent | Fate::Lost);
    let more = fates.iter().filter(|fate| idle(fate)).count();
    let helps = |seat: Index| match enough(spec, &shape, [seat].into_iter().collect()) {
        Ok(()) => false,
        Err(few) => {
            few.receivers >= few.threshold
                && 2 * few.bound <= few.operators
                && 2 * (few.bound + more) > few.operators
        }
    };
    if !ceremony.indices().any(helps) {
        return Vec::new();
    }
    let all = old.receivers().zip(fates).filter(|(_, fate)| idle(fate));
    seat_names(old, &all.map(|((index, _), _)| index).collect::<Vec<_>>())
}

/// What becomes of an operator of the parent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It deals and receives.
    Stays,
    /// It deals only.
    Leaves,
    /// It receives only.
    Lost,
    /// It has no seat.
    Absent,
    /// It stops, and neither deals nor receives.
    Witness,
    /// It stops and receives, and deals nothing.
    LostWitness,
}

impl Fate {
    fn deals(self) -> bool {
        matches!(self, Self::Stays | Self::Leaves)
    }

    fn witnesses(self) -> bool {
        matches!(self, Self::Witness | Self::LostWitness)
    }
}

/// The file that the flags describe, unchecked.
fn draft(args: &ReshareNew, parent: &Audited, fates: &[Fate]) -> Result<CeremonyFile, CliError> {
    let old = parent.ceremony();
    let positions = match &args.validators {
        None => (0..old.v()).collect(),
        Some(text) => positions(text, old.v())?,
    };
    let entry: ParentEntry = parent_entry(parent, &positions)
        .ok_or_else(|| messages::internal("a transcript that passed has no commitments"))?;
    let operators = operators(args, old, fates)?;
    let receivers = operators.iter().filter(|entry| entry.receives.is_none()).count();
    let threshold = match args.threshold {
        Some(threshold) => threshold,
        None if receivers == old.threshold().participants() => entry.threshold,
        None => {
            let usual =
                Threshold::usual(receivers).map_err(|error| messages::reshare(&error.into()))?;
            u16::try_from(usual.required()).expect("at most 255 operators")
        }
    };
    Ok(CeremonyFile {
        version: FILE_VERSION,
        name: args.name.clone(),
        id: hex::encode(random::public()),
        attempt: 1,
        supersedes: None,
        network: NetworkEntry::from(old.network()),
        threshold,
        policy: PolicyEntry { allow_all_required: args.allow_all_required },
        parent: Some(entry),
        import: None,
        repair: None,
        ssv: None,
        operators,
        validators: validator_entries(parent, &positions),
        obol: None,
        preregistration: None,
    })
}

/// Of each holder of a share of the parent, by number of the share.
fn fates(args: &ReshareNew, old: &Ceremony) -> Result<Vec<Fate>, CliError> {
    let holders: Vec<Index> = old.receivers().map(|(index, _)| index).collect();
    let mut fates = vec![Fate::Stays; holders.len()];
    let flags = [
        ("--absent", &args.absent, Fate::Absent),
        ("--leaves", &args.leaves, Fate::Leaves),
        ("--lost", &args.lost, Fate::Lost),
        ("--witness", &args.witness, Fate::Witness),
    ];
    for (flag, texts, fate) in flags {
        for text in texts {
            let index = seat(flag, text, old)?;
            let place = holders.iter().position(|holder| *holder == index);
            let place = place.ok_or_else(|| messages::holds_no_share(flag, text))?;
            fates[place] = match (fates[place], fate) {
                (Fate::Stays, fate) => fate,
                (Fate::Lost, Fate::Witness) => Fate::LostWitness,
                _ => return Err(messages::named_twice(flag, text)),
            };
        }
    }
    Ok(fates)
}

/// The parent's operators that have a seat, then the new ones. A card of an operator of the parent
/// takes the place of its old one.
fn operators(
    args: &ReshareNew,
    old: &Ceremony,
    fates: &[Fate],
) -> Result<Vec<OperatorEntry>, CliError> {
    let mut entries = Vec::new();
    for (number, ((_, seat), fate)) in (1_u16..).zip(old.receivers().zip(fates)) {
        if *fate == Fate::Absent {
            continue;
        }
        let stops = fate.deals() || fate.witnesses();
        entries.push(OperatorEntry {
            card: seat.card.encode(),
            deals: fate.deals().then_some(number),
            witness: fate.witnesses().then_some(number),
            old_point: (stops && seat.point != u64::from(number)).then_some(seat.point),
            receives: matches!(fate, Fate::Leaves | Fate::Witness).then_some(false),
            point: (!matches!(fate, Fate::Leaves | Fate::Witness)).then_some(seat.point),
            ..OperatorEntry::default()
        });
    }
    let new = given_cards(&args.operators, &mut entries)?;
    entries.extend(new);
    // Numbers of SSV's stay with their operators; places among those who receive do not.
    let own_numbers = old.receivers().zip(1..).any(|((_, seat), number)| seat.point != number);
    match args.ssv_ids.is_empty() && old.ssv().is_none() && !own_numbers {
        true => entries.iter_mut().for_each(|entry| entry.point = None),
        false => points::number(&mut entries, &args.ssv_ids)?,
    }
    Ok(entries)
}

/// Puts given cards and addresses in the place of those that these operators have; gives back the
/// cards of others.
pub(super) fn given_cards(
    given: &[String],
    entries: &mut [OperatorEntry],
) -> Result<Vec<OperatorEntry>, CliError> {
    // One that is no card is refused when the file is read back.
    let key = |entry: &OperatorEntry| OperatorCard::parse(&entry.card).ok().map(|card| card.key);
    let mut new: Vec<OperatorEntry> = Vec::new();
    for text in given {
        let given = spec::operator(text)?;
        let own = key(&given);
        let all = entries.iter_mut().chain(new.iter_mut());
        let known = all.into_iter().find(|entry| own.is_some() && key(entry) == own);
        match known {
            Some(entry) => {
                entry.card = given.card;
                entry.address = given.address;
            }
            None => new.push(given),
        }
    }
    Ok(new)
}

/// The positions, from 0, that `1,3,7-20` means; ascending.
fn positions(text: &str, most: usize) -> Result<Vec<usize>, CliError> {
    let wrong = || messages::validator_numbers(text, most);
    let number = |text: &str| {
        let number = text.trim().parse::<usize>().ok();
        number.filter(|number| (1..=most).contains(number)).ok_or_else(wrong)
    };
    let mut positions = Vec::new();
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(part)?, number(part)?),
        };
        if first > last {
            return Err(wrong());
        }
        positions.extend(first - 1..last);
    }
    positions.sort_unstable();
    let whole = positions.len();
    positions.dedup();
    if positions.len() == whole { Ok(positions) } else { Err(wrong()) }
}
