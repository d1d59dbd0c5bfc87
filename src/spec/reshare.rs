//! The part of a spec that a reshare and an import have besides: whose keys they are, who deals
//! them, and who receives. Chapters 13 and 17 of the specification.

use super::ceremony::{MOST_VALIDATORS, MOST_WORK, ValidatorSpec};
use super::error::Place;
use super::kind::{CeremonyKind, Parts};
pub use super::reshare_error::ReshareError;
use super::roster::Seat;
use super::seats::Seats;
use super::threshold::{Index, Threshold};
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::primitives::hash::Digest;

/// Bytes of a validator's key.
pub const KEY_BYTES: usize = 48;

const DEALS: u8 = 0b01;
const RECEIVES: u8 = 0b10;
const WITNESSES: u8 = 0b100;

/// The completed ceremony whose shares are dealt anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Its certificate: `TH("certificate", spec digest, D, O)`.
    pub certificate: Digest,
    /// Merkle root over its summed commitments, of the validators that are reshared, in order.
    pub rows: Digest,
    /// `t` of `n` of its shares.
    pub threshold: Threshold,
}

/// Where the keys of a ceremony that makes none come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Of a reshare: a completed ceremony, whose shares are dealt anew.
    Ceremony(Parent),
    /// Of an import: one operator, who holds them whole.
    Keys,
}

impl Origin {
    /// How many dealt secrets give a key: the parent's threshold; a whole key alone.
    pub fn required(&self) -> usize {
        match self {
            Self::Ceremony(parent) => parent.threshold.required(),
            Self::Keys => 1,
        }
    }

    /// How many hold something that can be dealt.
    pub fn holders(&self) -> usize {
        match self {
            Self::Ceremony(parent) => parent.threshold.participants(),
            Self::Keys => 1,
        }
    }

    /// The completed ceremony; of an import none.
    pub fn parent(&self) -> Option<&Parent> {
        match self {
            Self::Ceremony(parent) => Some(parent),
            Self::Keys => None,
        }
    }
}

/// What a dealer holds of the parent; in an import the key itself, as number 1 at point 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldShare {
    /// Its index in the parent.
    pub index: Index,
    /// Its evaluation point there.
    pub point: u64,
}

/// What a seat does: it deals or witnesses, or neither; and it receives or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatPart {
    /// Of a dealer: the share that it deals.
    pub deals: Option<OldShare>,
    /// Of a witness of a reshare: the share that it stops, and does not deal.
    pub witnesses: Option<OldShare>,
    /// Whether it gets a new share.
    pub receives: bool,
}

/// A validator of the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inherited {
    /// Its position there, from 0.
    pub position: usize,
    /// Its key, compressed. That it is a point, the parent's commitments say.
    pub key: [u8; KEY_BYTES],
}

/// What is agreed of a reshare or an import besides what is of every ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReshareSpec {
    /// Whose keys they are.
    pub origin: Origin,
    /// What each seat does, by index.
    pub seats: Vec<SeatPart>,
    /// Which of the parent's validators, by position.
    pub validators: Vec<Inherited>,
    /// Of a repair: the share that its one receiver has lost. Of a reshare none.
    pub regained: Option<OldShare>,
}

impl ReshareSpec {
    /// Which seats deal, and which receive.
    pub fn parts(&self) -> Parts {
        let all = || {
            let parts = self.seats.iter().enumerate();
            parts.filter_map(|(at, part)| Some((Index::from_position(at)?, part)))
        };
        let dealers = all().filter(|(_, part)| part.deals.is_some()).map(|(seat, _)| seat);
        let receivers = all().filter(|(_, part)| part.receives).map(|(seat, _)| seat);
        let witnesses = all().filter(|(_, part)| part.witnesses.is_some()).map(|(seat, _)| seat);
        Parts {
            dealers: dealers.collect(),
            receivers: receivers.collect::<Seats>(),
            witnesses: witnesses.collect(),
        }
    }

    /// What `seat` deals; `None` if it does not deal.
    pub fn old_share(&self, seat: Index) -> Option<OldShare> {
        self.seats.get(seat.position())?.deals
    }

    /// The seat that deals the share of the parent's operator `index`.
    pub fn seat_of(&self, index: Index) -> Option<Index> {
        let deals = |part: &SeatPart| part.deals.is_some_and(|share| share.index == index);
        self.seats.iter().position(deals).and_then(Index::from_position)
    }

    /// The dealers' evaluation points in the parent, by index of their seats here.
    pub fn dealer_points(&self) -> Vec<u64> {
        self.seats.iter().filter_map(|part| Some(part.deals?.point)).collect()
    }
}

/// Receivers among these parts.
pub(super) fn receivers(parts: &[SeatPart]) -> usize {
    parts.iter().filter(|part| part.receives).count()
}

/// The rules of a reshare, once there is a threshold of its receivers.
pub(super) fn check(
    spec: &ReshareSpec,
    seats: &[Seat],
    validators: &[ValidatorSpec],
    required: usize,
) -> Result<(), ReshareError> {
    use ReshareError::*;
    if let Some(parent) = spec.origin.parent() {
        for (field, digest) in [("certificate", parent.certificate), ("rows", parent.rows)] {
            if digest == Digest::ZERO {
                return Err(Zero(field));
            }
        }
    }
    check_seats(spec)?;
    let larger = required.max(spec.origin.required());
    if validators.len() * seats.len() * larger > MOST_WORK {
        let (validators, seats) = (validators.len(), seats.len());
        return Err(TooMuchWork { validators, seats, required: larger });
    }
    let mut before = None;
    for (at, Inherited { position, .. }) in spec.validators.iter().enumerate() {
        let place = Place::validator(at, "first");
        let number = u64::try_from(*position).unwrap_or(u64::MAX).saturating_add(1);
        if *position >= MOST_VALIDATORS {
            return Err(Number { place, number });
        }
        if before.is_some_and(|before| before >= *position) {
            return Err(Order { place, number });
        }
        before = Some(*position);
    }
    let mut keys: Vec<(&[u8; KEY_BYTES], usize)> =
        spec.validators.iter().zip(0..).map(|(validator, at)| (&validator.key, at)).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(KeyTwice { place: Place::validator(pair[1].1, "keys") }),
        None => Ok(()),
    }
}

fn check_seats(spec: &ReshareSpec) -> Result<(), ReshareError> {
    use ReshareError::*;
    let mut holders = Vec::<(OldShare, usize)>::new();
    for (at, part) in spec.seats.iter().enumerate() {
        let place = |field| Place::operator(at, field);
        if part.deals.is_none() && part.witnesses.is_none() && !part.receives {
            return Err(NoPart { place: place("receives") });
        }
        let field = if part.witnesses.is_some() { "witness" } else { "deals" };
        if part.deals.is_some() && part.witnesses.is_some() {
            return Err(DealsAndWitnesses { place: place(field) });
        }
        if let Some(share) = spec.share_of(part) {
            let (found, most) = (share.index.get(), spec.origin.holders());
            if usize::from(found) > most {
                return Err(OldIndex { place: place(field), found, most });
            }
            let twice = holders.iter().find(|(other, _)| other.index == share.index);
            // Of whole keys it is the number of dealers that is wrong.
            if let Some((_, first)) = twice.filter(|_| spec.origin != Origin::Keys) {
                return Err(OldIndexTwice { place: place(field), index: found, first: *first });
            }
            holders.push((share, at));
        }
    }
    if spec.origin == Origin::Keys {
        return match holders.len() {
            1 => Ok(()),
            dealers => Err(Dealers(dealers)),
        };
    }
    holders.sort_unstable_by_key(|(share, _)| share.index);
    let mut before = 0;
    for (share, at) in &holders {
        // Points of the operators between them are whole numbers too, and ascend.
        let least: u64 = share.index.get().into();
        if share.point <= before || share.point < least {
            let place = Place::operator(*at, "old_point");
            return Err(OldPoint { place, point: share.point });
        }
        before = share.point;
    }
    let required = spec.origin.required();
    // Of a repair also the one that regains its share, whose point is one of the parent's.
    let deals = |part: &&SeatPart| part.witnesses.is_none() && spec.share_of(part).is_some();
    match spec.seats.iter().filter(deals).count() {
        dealers if dealers < required => Err(TooFewDealers { dealers, required }),
        _ => Ok(()),
    }
}

/// `certificate(32) ‖ root of the rows(32) ‖ n(2) ‖ t(2)`, of the parent.
pub(super) fn write_parent(w: Writer, parent: &Parent) -> Writer {
    let count = |number| u16::try_from(number).expect("a threshold has at most 255 operators");
    w.bytes(parent.certificate.as_ref())
        .bytes(parent.rows.as_ref())
        .u16(count(parent.threshold.participants()))
        .u16(count(parent.threshold.required()))
}

/// `parts(1): bit 0 deals, bit 1 receives, bit 2 witnesses ‖ if it deals or witnesses: old index(2)
///   ‖ old point(8) ‖ if it receives: point(8)`.
///
/// Of an import without what a dealer has in the parent. In a repair each has an old index and an
/// old point, and none a new one.
pub(super) fn write_part(w: Writer, spec: &ReshareSpec, part: &SeatPart, point: u64) -> Writer {
    let deals = if part.deals.is_some() { DEALS } else { 0 };
    let receives = if part.receives { RECEIVES } else { 0 };
    let witnesses = if part.witnesses.is_some() { WITNESSES } else { 0 };
    w.u8(deals | receives | witnesses)
        .each(spec.share_of(part).filter(|_| spec.origin != Origin::Keys), |w, share| {
            w.u16(share.index.get()).u64(share.point)
        })
        .each((part.receives && spec.regained.is_none()).then_some(point), Writer::u64)
}

/// `position in the parent(4) ‖ key(48)`; of an import the key alone.
pub(super) fn write_inherited(w: Writer, origin: &Origin, validator: &Inherited) -> Writer {
    let position = u32::try_from(validator.position).expect("at most 8192 validators");
    w.each(origin.parent().map(|_| position), Writer::u32).bytes(&validator.key)
}

/// A parent as it stands in the bytes.
pub(super) struct RawParent {
    certificate: [u8; 32],
    rows: [u8; 32],
    operators: u16,
    required: u16,
}

impl RawParent {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            certificate: r.array("parent's certificate")?,
            rows: r.array("root of the parent's rows")?,
            operators: r.u16("parent's operators")?,
            required: r.u16("parent's threshold")?,
        })
    }

    pub(super) fn check(self) -> Result<Parent, ReshareError> {
        let threshold = Threshold::new(self.required.into(), self.operators.into());
        Ok(Parent {
            certificate: Digest(self.certificate),
            rows: Digest(self.rows),
            threshold: threshold.map_err(ReshareError::Threshold)?,
        })
    }
}

/// A seat's part as it stands in the bytes, and its evaluation point: 0 if it does not receive.
pub(super) struct RawPart {
    deals: Option<(u16, u64)>,
    witnesses: Option<(u16, u64)>,
    /// Of a repair.
    regains: Option<(u16, u64)>,
    receives: bool,
    pub(super) point: u64,
}

impl RawPart {
    /// Of a key generation, in which everybody deals and receives.
    pub(super) fn all(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let point = r.u64("point")?;
        Ok(Self { deals: None, witnesses: None, regains: None, receives: true, point })
    }

    /// Of a reshare, or of an import, whose dealer has no place in a parent.
    pub(super) fn read(r: &mut Reader<'_>, kind: CeremonyKind) -> Result<Self, DecodeError> {
        let part = r.u8("part")?;
        // Nobody witnesses an import: there are no other shares that stop.
        let known = match kind {
            CeremonyKind::Import => DEALS | RECEIVES,
            _ => DEALS | RECEIVES | WITNESSES,
        };
        if part & !known != 0 {
            return Err(DecodeError::Invalid { what: "part", why: "a bit that means nothing" });
        }
        if part & DEALS != 0 && part & WITNESSES != 0 {
            return Err(DecodeError::Invalid { what: "part", why: "deals and witnesses" });
        }
        let share = match part & (DEALS | WITNESSES) != 0 {
            true if kind == CeremonyKind::Import => Some((1, 1)),
            true => Some((r.u16("index in the parent")?, r.u64("point in the parent")?)),
            false => None,
        };
        let deals = share.filter(|_| part & DEALS != 0);
        let witnesses = share.filter(|_| part & WITNESSES != 0);
        let receives = part & RECEIVES != 0;
        let point = if receives { r.u64("point")? } else { 0 };
        Ok(Self { deals, witnesses, regains: None, receives, point })
    }

    /// Of a repair: a share of the parent, and whether it helps with it or regains it.
    pub(super) fn of_repair(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let part = r.u8("part")?;
        let share = (r.u16("index in the parent")?, r.u64("point in the parent")?);
        let (deals, regains, point) = match part {
            DEALS => (Some(share), None, 0),
            RECEIVES => (None, Some(share), share.1),
            _ => {
                let why = "neither a helper nor the one";
                return Err(DecodeError::Invalid { what: "part", why });
            }
        };
        Ok(Self { deals, witnesses: None, regains, receives: part == RECEIVES, point })
    }

    /// Of a repair: the share that this seat regains.
    pub(super) fn regained(
        &self,
        at: usize,
        origin: &Origin,
    ) -> Result<Option<OldShare>, ReshareError> {
        self.regains.map(|share| old_share(at, origin, share, "deals")).transpose()
    }

    pub(super) fn check(&self, at: usize, origin: &Origin) -> Result<SeatPart, ReshareError> {
        let share = |share, field| old_share(at, origin, share, field);
        let deals = self.deals.map(|found| share(found, "deals")).transpose()?;
        let witnesses = self.witnesses.map(|found| share(found, "witness")).transpose()?;
        Ok(SeatPart { deals, witnesses, receives: self.receives })
    }
}

fn old_share(
    at: usize,
    origin: &Origin,
    (found, point): (u16, u64),
    field: &'static str,
) -> Result<OldShare, ReshareError> {
    let (place, most) = (Place::operator(at, field), origin.holders());
    let index = Index::new(found).ok_or(ReshareError::OldIndex { place, found, most })?;
    Ok(OldShare { index, point })
}

/// A validator of the parent as it stands in the bytes.
pub(super) fn read_inherited(r: &mut Reader<'_>) -> Result<Inherited, DecodeError> {
    let position = usize::try_from(r.u32("position in the parent")?).unwrap_or(usize::MAX);
    Ok(Inherited { position, key: r.array("key")? })
}

/// A validator of an import as it stands in the bytes: where it stands is its position.
pub(super) fn read_key(r: &mut Reader<'_>) -> Result<Inherited, DecodeError> {
    Ok(Inherited { position: 0, key: r.array("key")? })
}
