//! The file of a repair: what it has besides and in the place of what a reshare has.

use super::read::parse_seat;
use super::reshare::old_share;
use super::{CeremonyFile, OperatorEntry, RepairEntry};
use crate::spec::error::{Place, SpecError};
use crate::spec::repair::RepairError;
use crate::spec::reshare::{OldShare, Origin, ReshareError, SeatPart};
use crate::spec::roster::Seat;

/// The one word that a repair takes for what became of the old machine.
pub(super) const DESTROYED: &str = "destroyed";

/// Refuses a repair without a parent, and fields of a repair in other files.
pub(super) fn absent(file: &CeremonyFile) -> Result<(), RepairError> {
    match (&file.repair, &file.parent) {
        (Some(_), None) => return Err(RepairError::NoParent),
        (Some(_), Some(_)) => return Ok(()),
        (None, _) => {}
    }
    match file.operators.iter().position(|entry| entry.regains.is_some()) {
        None => Ok(()),
        Some(at) => Err(RepairError::Alone { place: Place::operator(at, "regains") }),
    }
}

/// What no repair has, and the one word that it must have.
pub(super) fn only_its_fields(file: &CeremonyFile, entry: &RepairEntry) -> Result<(), RepairError> {
    if entry.old_machine != DESTROYED {
        let shown = entry.old_machine.chars().take(40).collect();
        return Err(RepairError::OldMachine(shown));
    }
    let whole = [
        ("preregistration", file.preregistration.is_some()),
        ("ssv", file.ssv.is_some()),
        ("obol", file.obol.is_some()),
        ("policy.allow_all_required", file.policy.allow_all_required),
    ];
    let whole = whole.into_iter().map(|(field, given)| (field.to_owned(), given));
    let operators = file.operators.iter().enumerate().flat_map(|(at, entry)| {
        let place = |field| Place::operator(at, field).to_string();
        [
            (place("point"), entry.point.is_some()),
            (place("ssv_key"), entry.ssv_key.is_some()),
            (place("receives"), entry.receives.is_some()),
            (place("witness"), entry.witness.is_some()),
        ]
    });
    let validators = file.validators.iter().enumerate().flat_map(|(at, entry)| {
        let place = |field| Place::validator(at, field).to_string();
        [
            (place("amounts"), entry.amounts.is_some()),
            (place("fee_recipient"), entry.fee_recipient.is_some()),
            (place("gas_limit"), entry.gas_limit.is_some()),
        ]
    });
    match whole.chain(operators).chain(validators).find(|(_, given)| *given) {
        Some((field, _)) => Err(RepairError::Field { field }),
        None => Ok(()),
    }
}

/// Seats, what each does, and the share that one of them regains.
type Parsed = (Vec<Seat>, Vec<SeatPart>, Option<OldShare>);

/// The seats of a repair.
pub(super) fn parse_seats(file: &CeremonyFile, origin: &Origin) -> Result<Parsed, SpecError> {
    let (mut seats, mut parts) = (Vec::<Seat>::new(), Vec::<SeatPart>::new());
    let mut regained = None;
    for (position, entry) in file.operators.iter().enumerate() {
        let (part, lost) = part(position, entry, origin)?;
        let point = lost.map_or(0, |lost| lost.point);
        seats.push(Seat { point, ..parse_seat((position, entry))? });
        parts.push(part);
        regained = regained.or(lost);
    }
    Ok((seats, parts, regained))
}

/// Whether an operator helps or regains its share, and which share that is.
fn part(
    position: usize,
    entry: &OperatorEntry,
    origin: &Origin,
) -> Result<(SeatPart, Option<OldShare>), ReshareError> {
    let share = |field, found| old_share(position, entry, (field, found), origin);
    let place = |field| Place::operator(position, field);
    match (entry.deals, entry.regains) {
        (Some(_), Some(_)) => Err(RepairError::Both { place: place("regains") }.into()),
        (Some(found), None) => Ok((
            SeatPart { deals: Some(share("deals", found)?), witnesses: None, receives: false },
            None,
        )),
        (None, Some(found)) => Ok((
            SeatPart { deals: None, witnesses: None, receives: true },
            Some(share("regains", found)?),
        )),
        (None, None) => Err(RepairError::NoPart { place: place("deals") }.into()),
    }
}
