//! The file of an import: what it has in the place of what a key generation agrees on.

use super::reshare::{no_part, parse_seats, parse_validators, together};
use super::{CeremonyFile, ImportEntry, OperatorEntry, ValidatorEntry};
use crate::spec::error::{Place, SpecError};
use crate::spec::kind::CeremonyKind;
use crate::spec::reshare::{OldShare, Origin, ReshareError, ReshareSpec, SeatPart};
use crate::spec::terms::Terms;
use crate::spec::threshold::Index;
use crate::spec::version::Version;

/// What a dealer of whole keys holds: the only share of each, at point 1.
const WHOLE: OldShare = OldShare { index: Index::FIRST, point: 1 };

/// What a file with `[import]` says, each text parsed.
pub(super) fn terms(
    file: &CeremonyFile,
    entry: &ImportEntry,
    version: Version,
) -> Result<Terms, SpecError> {
    if version == Version::One {
        return Err(ReshareError::Version.into());
    }
    no_part(file)?;
    let (found, most) = (entry.dealer, file.operators.len());
    let dealer = usize::from(found).checked_sub(1).filter(|dealer| *dealer < most);
    let dealer = dealer.ok_or(ReshareError::Dealer { found, most })?;
    let (validators, keys) = parse_validators(&file.validators, position)?;
    let part = |at: usize, entry: &OperatorEntry| {
        let fields = [
            ("deals", entry.deals.is_some()),
            ("old_point", entry.old_point.is_some()),
            ("witness", entry.witness.is_some()),
        ];
        if let Some((field, _)) = fields.into_iter().find(|(_, given)| *given) {
            return Err(ReshareError::NoParent { place: Place::operator(at, field) });
        }
        let deals = (at == dealer).then_some(WHOLE);
        Ok(SeatPart { deals, witnesses: None, receives: entry.receives.unwrap_or(true) })
    };
    let (seats, parts) = parse_seats(file, part)?;
    let spec = ReshareSpec { origin: Origin::Keys, seats: parts, validators: keys, regained: None };
    together(file, (version, CeremonyKind::Import), (seats, validators), spec)
}

/// A validator's position is where it stands.
fn position(at: usize, entry: &ValidatorEntry, before: usize) -> Result<usize, ReshareError> {
    match entry.first {
        None => Ok(before),
        Some(_) => Err(ReshareError::NoParent { place: Place::validator(at, "first") }),
    }
}

/// `[import]` of the file that gives this spec again.
pub(super) fn entry(spec: &ReshareSpec) -> Option<ImportEntry> {
    let dealer = spec.parts().dealers.iter().next().filter(|_| spec.origin == Origin::Keys)?;
    Some(ImportEntry { dealer: dealer.get() })
}
