//! The operators of a ceremony, in order.

use super::endpoint::Endpoint;
use super::error::{Place, SpecError};
use super::seats::Seats;
use super::threshold::Index;
use crate::identity::card::OperatorCard;
use crate::identity::key::OperatorPublic;
use crate::identity::name::skeleton;

/// One operator of a ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub card: OperatorCard,
    /// Evaluation point `x_i`, not zero; 0 of a seat that gets no share and so has none.
    pub point: u64,
    /// Where it can be reached. A hint for carriers, and not agreed upon: it is outside the
    /// canonical bytes, so that an operator may move without a new ceremony. Whoever answers there
    /// has to prove the card's keys, so a wrong hint costs time and nothing else.
    pub address: Option<Endpoint>,
}

/// The seats, by index: at most 255, points of the receivers ascending, no operator key, Noise
/// static, name or address twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster(Vec<Seat>);

impl Roster {
    /// Checks what has to be different, and the order. How many there may be is the
    /// [`super::threshold::Threshold`]'s to say.
    pub fn new(seats: Vec<Seat>, receivers: Seats) -> Result<Self, SpecError> {
        let mut last: Option<u64> = None;
        for (position, seat) in seats.iter().enumerate() {
            let receives =
                Index::from_position(position).is_some_and(|index| receivers.contains(index));
            let before = &seats[..position];
            let place = |field| Place::operator(position, field);
            let first = |same: &dyn Fn(&Seat) -> bool| before.iter().position(same);
            if receives && seat.point == 0 {
                return Err(SpecError::PointZero { place: place("point") });
            }
            if let Some(first) = first(&|other| other.card.key == seat.card.key) {
                return Err(SpecError::KeyDuplicate { place: place("card"), first });
            }
            if let Some(first) = first(&|other| other.card.noise == seat.card.noise) {
                return Err(SpecError::NoiseKeyDuplicate { place: place("card"), first });
            }
            if let Some(first) = first(&|other| {
                other.card.name.as_str().eq_ignore_ascii_case(seat.card.name.as_str())
            }) {
                return Err(SpecError::NameDuplicate {
                    place: place("card"),
                    name: seat.card.name.to_string(),
                    first,
                });
            }
            if receives && let Some(first) = first(&|other| other.point == seat.point) {
                return Err(SpecError::PointDuplicate {
                    place: place("point"),
                    point: seat.point,
                    first,
                });
            }
            if receives {
                let point = seat.point;
                if let Some(previous) = last.filter(|previous| *previous > point) {
                    return Err(SpecError::PointOrder { place: place("point"), point, previous });
                }
                last = Some(point);
            }
            if let Some(address) = &seat.address
                && let Some(first) = first(&|other| other.address.as_ref() == Some(address))
            {
                return Err(SpecError::AddressDuplicate {
                    place: place("address"),
                    address: address.to_string(),
                    first,
                });
            }
        }
        Ok(Self(seats))
    }

    /// How many seats.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none; never true in a [`super::ceremony::Ceremony`].
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The seat of an index; `None` beyond the last.
    pub fn get(&self, index: Index) -> Option<&Seat> {
        self.0.get(index.position())
    }

    /// Every seat with its index.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Index, &Seat)> {
        self.0.iter().enumerate().map(|(position, seat)| (index(position), seat))
    }

    /// The index of an operator key.
    pub fn find(&self, key: &OperatorPublic) -> Option<Index> {
        self.0.iter().position(|seat| seat.card.key == *key).map(index)
    }
}

fn index(position: usize) -> Index {
    Index::from_position(position)
        .expect("a threshold was made of the number of seats, so at most 255")
}

/// No two operators have names that look alike.
pub(super) fn check_names(roster: &Roster) -> Result<(), SpecError> {
    let mut skeletons: Vec<String> = Vec::new();
    for (position, (_, seat)) in roster.iter().enumerate() {
        let name = seat.card.name.as_str();
        let alike = skeleton(name);
        if let Some(first) = skeletons.iter().position(|other| *other == alike) {
            let place = Place::operator(position, "card");
            return Err(SpecError::NameAlike { place, name: name.to_owned(), first });
        }
        skeletons.push(alike);
    }
    Ok(())
}
