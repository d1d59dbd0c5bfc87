//! The file of a reshare: what it has in the place of what a key generation agrees on.

use super::import;
use super::read::{hex, parse_network, parse_seat};
use super::repair;
use super::{
    CeremonyFile, NetworkEntry, OperatorEntry, ParentEntry, PolicyEntry, RepairEntry,
    ValidatorEntry,
};
use crate::ethereum::address::ExecutionAddress;
use crate::ethereum::deposit::WithdrawalCredentials;
use crate::primitives::hash::Digest;
use crate::spec::ceremony::{Ceremony, MOST_VALIDATORS, ValidatorSpec};
use crate::spec::endpoint::Endpoint;
use crate::spec::error::{Place, SpecError};
use crate::spec::kind::CeremonyKind;
use crate::spec::reshare::{
    Inherited, KEY_BYTES, OldShare, Origin, Parent, ReshareError, ReshareSpec, SeatPart,
};
use crate::spec::roster::Seat;
use crate::spec::terms::Terms;
use crate::spec::threshold::{Index, Threshold};
use crate::spec::version::Version;

/// Refuses the fields of a reshare in a file without a parent.
pub(super) fn absent(file: &CeremonyFile) -> Result<(), ReshareError> {
    for (position, entry) in file.operators.iter().enumerate() {
        let fields = [
            ("deals", entry.deals.is_some()),
            ("witness", entry.witness.is_some()),
            ("old_point", entry.old_point.is_some()),
            ("receives", entry.receives.is_some()),
        ];
        if let Some((field, _)) = fields.into_iter().find(|(_, given)| *given) {
            return Err(ReshareError::Alone { place: Place::operator(position, field) });
        }
    }
    for (position, entry) in file.validators.iter().enumerate() {
        let fields = [("first", entry.first.is_some()), ("keys", entry.keys.is_some())];
        if let Some((field, _)) = fields.into_iter().find(|(_, given)| *given) {
            return Err(ReshareError::Alone { place: Place::validator(position, field) });
        }
    }
    Ok(())
}

/// What a file with this parent says, each text parsed.
pub(super) fn terms(
    file: &CeremonyFile,
    parent: &ParentEntry,
    version: Version,
) -> Result<Terms, SpecError> {
    if version == Version::One {
        return Err(ReshareError::Version.into());
    }
    match &file.repair {
        None => no_part(file)?,
        Some(entry) => repair::only_its_fields(file, entry).map_err(ReshareError::from)?,
    }
    let parent = Parent {
        certificate: Digest(hex("parent.certificate", &parent.certificate)?),
        rows: Digest(hex("parent.rows", &parent.rows)?),
        threshold: Threshold::new(parent.threshold.into(), parent.operators.into())
            .map_err(ReshareError::Threshold)?,
    };
    let (validators, inherited) = parse_validators(&file.validators, first_in_parent)?;
    let origin = Origin::Ceremony(parent);
    let (kind, seats, parts, regained) = match file.repair {
        None => {
            let part = |position, entry: &OperatorEntry| parse_part(position, entry, &origin);
            let (seats, parts) = parse_seats(file, part)?;
            (CeremonyKind::Reshare, seats, parts, None)
        }
        Some(_) => {
            let (seats, parts, regained) = repair::parse_seats(file, &origin)?;
            (CeremonyKind::Repair, seats, parts, regained)
        }
    };
    let spec = ReshareSpec { origin, seats: parts, validators: inherited, regained };
    together(file, (version, kind), (seats, validators), spec)
}

/// The seats, with what each does.
pub(super) fn parse_seats(
    file: &CeremonyFile,
    parse_part: impl Fn(usize, &OperatorEntry) -> Result<SeatPart, ReshareError>,
) -> Result<(Vec<Seat>, Vec<SeatPart>), SpecError> {
    let (mut seats, mut parts) = (Vec::<Seat>::new(), Vec::<SeatPart>::new());
    let mut receivers = 0;
    for (position, entry) in file.operators.iter().enumerate() {
        let part = parse_part(position, entry)?;
        receivers += u64::from(part.receives);
        let point = match (part.receives, entry.point) {
            (true, given) => given.unwrap_or(receivers),
            (false, None) => 0,
            (false, Some(_)) => {
                let place = Place::operator(position, "point");
                return Err(ReshareError::PointAlone { place }.into());
            }
        };
        seats.push(Seat { point, ..parse_seat((position, entry))? });
        parts.push(part);
    }
    Ok((seats, parts))
}

/// Everything that a file of a reshare or import says.
pub(super) fn together(
    file: &CeremonyFile,
    (version, kind): (Version, CeremonyKind),
    (seats, validators): (Vec<Seat>, Vec<ValidatorSpec>),
    spec: ReshareSpec,
) -> Result<Terms, SpecError> {
    Ok(Terms {
        version,
        kind,
        name: file.name.clone(),
        id: hex("id", &file.id)?,
        attempt: file.attempt,
        supersedes: file
            .supersedes
            .as_deref()
            .map(|text| hex("supersedes", text))
            .transpose()?
            .map(Digest),
        network: parse_network(&file.network)?,
        required: file.threshold.into(),
        seats,
        validators,
        allow_all_required: file.policy.allow_all_required,
        ssv: None,
        obol: None,
        preregistration: None,
        reshare: Some(spec),
    })
}

/// What no reshare signs.
pub(super) fn no_part(file: &CeremonyFile) -> Result<(), ReshareError> {
    let operator = |(at, entry): (usize, &OperatorEntry)| {
        entry.ssv_key.is_some().then(|| Place::operator(at, "ssv_key").to_string())
    };
    let validator = |(at, entry): (usize, &ValidatorEntry)| {
        let place = |field| Place::validator(at, field).to_string();
        let fields = [
            ("amounts", entry.amounts.is_some()),
            ("fee_recipient", entry.fee_recipient.is_some()),
            ("gas_limit", entry.gas_limit.is_some()),
        ];
        fields.into_iter().filter(|(_, given)| *given).map(|(field, _)| place(field)).next()
    };
    let whole = [
        ("preregistration", file.preregistration.is_some()),
        ("ssv", file.ssv.is_some()),
        ("obol", file.obol.is_some()),
    ];
    let whole = whole.into_iter().filter(|(_, given)| *given).map(|(field, _)| field.to_owned());
    let operators = file.operators.iter().enumerate().filter_map(operator);
    let validators = file.validators.iter().enumerate().filter_map(validator);
    match whole.chain(operators).chain(validators).next() {
        Some(field) => Err(ReshareError::NotPart { field }),
        None => Ok(()),
    }
}

fn parse_part(
    position: usize,
    entry: &OperatorEntry,
    origin: &Origin,
) -> Result<SeatPart, ReshareError> {
    let share = |field, found: Option<u16>| {
        found.map(|found| old_share(position, entry, (field, found), origin)).transpose()
    };
    let (deals, witnesses) = (share("deals", entry.deals)?, share("witness", entry.witness)?);
    if deals.is_none() && witnesses.is_none() && entry.old_point.is_some() {
        return Err(ReshareError::Missing { place: Place::operator(position, "deals") });
    }
    Ok(SeatPart { deals, witnesses, receives: entry.receives.unwrap_or(true) })
}

/// The share number `found` of the parent.
pub(super) fn old_share(
    position: usize,
    entry: &OperatorEntry,
    (field, found): (&'static str, u16),
    origin: &Origin,
) -> Result<OldShare, ReshareError> {
    let (place, most) = (Place::operator(position, field), origin.holders());
    let index = Index::new(found).ok_or(ReshareError::OldIndex { place, found, most })?;
    Ok(OldShare { index, point: entry.old_point.unwrap_or(found.into()) })
}

/// The position in the parent of the first validator of a block.
fn first_in_parent(at: usize, entry: &ValidatorEntry, _: usize) -> Result<usize, ReshareError> {
    let place = || Place::validator(at, "first");
    let first = entry.first.ok_or_else(|| ReshareError::Missing { place: place() })?;
    let before = usize::try_from(first).ok().and_then(|first| first.checked_sub(1));
    let before = before.filter(|before| *before < MOST_VALIDATORS);
    before.ok_or_else(|| ReshareError::Number { place: place(), number: first })
}

/// Counted before anything is made of it. `first_of` gives the position of the first validator of
/// the block at a place, which has so many before it.
pub(super) fn parse_validators(
    entries: &[ValidatorEntry],
    first_of: impl Fn(usize, &ValidatorEntry, usize) -> Result<usize, ReshareError>,
) -> Result<(Vec<ValidatorSpec>, Vec<Inherited>), SpecError> {
    let total = entries.iter().fold(0_u64, |total, entry| total.saturating_add(entry.count));
    if usize::try_from(total).map_or(true, |total| total > MOST_VALIDATORS) {
        return Err(SpecError::TooManyValidators(total));
    }
    let (mut validators, mut inherited) = (Vec::new(), Vec::new());
    for (position, entry) in entries.iter().enumerate() {
        let place = |field| Place::validator(position, field);
        if entry.count == 0 {
            return Err(SpecError::CountZero { place: place("count") });
        }
        let before = first_of(position, entry, inherited.len())?;
        let keys = entry.keys.as_ref();
        let keys = keys.ok_or(ReshareError::Missing { place: place("keys") })?;
        if u64::try_from(keys.len()).ok() != Some(entry.count) {
            let (keys, count) = (keys.len(), entry.count);
            return Err(ReshareError::Keys { place: place("keys"), keys, count }.into());
        }
        // Nobody chooses it anew: what a parent agreed on stays, also if it is unusual.
        let address = ExecutionAddress::parse_checksummed(&entry.withdrawal)
            .map_err(|source| SpecError::Withdrawal { place: place("withdrawal"), source })?;
        let withdrawal = match entry.compounding {
            true => WithdrawalCredentials::compounding(address),
            false => WithdrawalCredentials::execution(address),
        };
        for (position, text) in (before..).zip(keys) {
            let mut key = [0; KEY_BYTES];
            let digits = text.strip_prefix("0x").unwrap_or(text);
            hex::decode_to_slice(digits, &mut key)
                .map_err(|_| ReshareError::Key { place: place("keys") })?;
            inherited.push(Inherited { position, key });
            let validator = ValidatorSpec { withdrawal, amounts: Vec::new(), registration: None };
            validators.push(validator);
        }
    }
    Ok((validators, inherited))
}

/// A file that gives this reshare again: same digest, same addresses.
pub(super) fn file(ceremony: &Ceremony, spec: &ReshareSpec) -> CeremonyFile {
    let count = |number| u16::try_from(number).expect("at most 255 operators");
    // All of them or none: what is not given follows from who else receives.
    let receivers = ceremony.receivers().zip(1..);
    let numbered = receivers.into_iter().all(|((_, seat), number)| seat.point == number);
    let given = |part: &SeatPart| part.receives && spec.regained.is_none() && !numbered;
    let of_parent = |part: &SeatPart| part.deals.filter(|_| spec.origin != Origin::Keys);
    let operator = |(seat, part): (&Seat, &SeatPart)| OperatorEntry {
        card: seat.card.encode(),
        address: seat.address.as_ref().map(Endpoint::to_string),
        deals: of_parent(part).map(|share| share.index.get()),
        witness: part.witnesses.map(|share| share.index.get()),
        regains: spec.regained.filter(|_| part.receives).map(|share| share.index.get()),
        old_point: spec
            .share_of(part)
            .filter(|_| spec.origin != Origin::Keys)
            .filter(|share| share.point != u64::from(share.index.get()))
            .map(|share| share.point),
        receives: (!part.receives && spec.regained.is_none()).then_some(false),
        point: given(part).then_some(seat.point),
        ..OperatorEntry::default()
    };
    let all: Vec<(&ValidatorSpec, &Inherited)> =
        ceremony.validators().iter().zip(&spec.validators).collect();
    let in_import = spec.origin == Origin::Keys;
    let blocks =
        all.chunk_by(|(a, first), (b, next)| a == b && first.position + 1 == next.position);
    CeremonyFile {
        version: ceremony.version().number().into(),
        name: ceremony.name().to_owned(),
        id: hex::encode(ceremony.id()),
        attempt: ceremony.attempt(),
        supersedes: ceremony.supersedes().map(|digest| digest.to_string()),
        network: NetworkEntry::from(ceremony.network()),
        threshold: count(ceremony.t()),
        policy: PolicyEntry { allow_all_required: ceremony.allow_all_required() },
        parent: spec.origin.parent().map(|parent| ParentEntry {
            certificate: parent.certificate.to_string(),
            rows: parent.rows.to_string(),
            operators: count(parent.threshold.participants()),
            threshold: count(parent.threshold.required()),
        }),
        import: import::entry(spec),
        repair: spec.regained.map(|_| RepairEntry::destroyed()),
        preregistration: None,
        ssv: None,
        operators: ceremony
            .roster()
            .iter()
            .map(|(_, seat)| seat)
            .zip(&spec.seats)
            .map(operator)
            .collect(),
        validators: blocks.map(|equal| block(equal, in_import)).collect(),
        obol: None,
    }
}

/// The block of these validators, which have one destination and consecutive numbers.
fn block(equal: &[(&ValidatorSpec, &Inherited)], in_import: bool) -> ValidatorEntry {
    let (validator, first) = equal[0];
    let key =
        |(_, inherited): &(&ValidatorSpec, &Inherited)| format!("0x{}", hex::encode(inherited.key));
    ValidatorEntry {
        count: u64::try_from(equal.len()).unwrap_or(u64::MAX),
        withdrawal: validator.withdrawal.address().to_string(),
        compounding: validator.withdrawal.is_compounding(),
        amounts: None,
        fee_recipient: None,
        gas_limit: None,
        first: (!in_import).then(|| number_of(first)),
        keys: Some(equal.iter().map(key).collect()),
    }
}

/// Its number in the parent, from 1.
fn number_of(inherited: &Inherited) -> u64 {
    u64::try_from(inherited.position).unwrap_or(u64::MAX).saturating_add(1)
}
