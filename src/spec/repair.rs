//! The part of a spec that a repair has besides that of a reshare: who has lost which share, and
//! who helps. Chapter 19 of the specification.

use super::ceremony::Ceremony;
use super::error::Place;
use super::kind::CeremonyKind;
use super::reshare::{OldShare, ReshareSpec, receivers};

/// Why a spec is not that of a repair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepairError {
    /// Another threshold than the parent's: shares stay as they are.
    #[error("threshold: {found}; a repair changes no threshold, and the parent's is {parent}")]
    Threshold {
        /// The file's.
        found: usize,
        /// The parent's.
        parent: usize,
    },
    /// One share at a time.
    #[error("{0} operators regain a share; in a repair one does")]
    Recipients(usize),
    /// Whoever has lost its share has none to help with.
    #[error("{place}: this operator both helps and regains its share")]
    Both {
        /// Where.
        place: Place,
    },
    /// As many as can rebuild a share, and no more.
    #[error("{found} operators help; the parent's threshold is {required}, so {required} do")]
    Helpers {
        /// How many help.
        found: usize,
        /// How many have to.
        required: usize,
    },
    /// A repair is about all validators of its parent.
    #[error("{place}: validator {number} of the parent; a repair lists all of them, from 1")]
    Validators {
        /// Where.
        place: Place,
        /// Its number in the parent, from 1.
        number: usize,
    },
    /// The word that the lost share is used nowhere.
    #[error(
        "repair.old_machine: {0:?}; only \"destroyed\" can stand there, because two copies of a \
         share can sign two different messages"
    )]
    OldMachine(String),
    /// A field that is not in the file of a repair.
    #[error("{field}: not in the file of a repair; leave it out")]
    Field {
        /// The field.
        field: String,
    },
    /// An operator without a part.
    #[error("{place}: missing; in a repair each operator has deals, or regains")]
    NoPart {
        /// Where.
        place: Place,
    },
    /// A repair of nothing.
    #[error("repair: given without [parent]; a repair names the ceremony of the lost share")]
    NoParent,
    /// A field of a repair, and no repair.
    #[error("{place}: given without [repair]; only a repair has it")]
    Alone {
        /// Where.
        place: Place,
    },
}

/// The rules of a repair that those of a reshare do not have.
pub(super) fn check(spec: &ReshareSpec, required: usize) -> Result<(), RepairError> {
    use RepairError::*;
    let parent = spec.origin.required();
    if required != parent {
        return Err(Threshold { found: required, parent });
    }
    let both =
        |(_, part): &(usize, &super::reshare::SeatPart)| part.receives && part.deals.is_some();
    if let Some((at, _)) = spec.seats.iter().enumerate().find(both) {
        return Err(Both { place: Place::operator(at, "regains") });
    }
    match receivers(&spec.seats) {
        1 => {}
        others => return Err(Recipients(others)),
    }
    match spec.seats.iter().filter(|part| part.deals.is_some()).count() {
        found if found != parent => return Err(Helpers { found, required: parent }),
        _ => {}
    }
    let other = spec.validators.iter().enumerate().find(|(at, one)| *at != one.position);
    match other {
        None => Ok(()),
        Some((at, one)) => {
            let place = Place::validator(at, "first");
            Err(Validators { place, number: one.position.saturating_add(1) })
        }
    }
}

impl ReshareSpec {
    /// Of a repair, which of the parent's shares this seat has to do with: that with which it
    /// helps, or that which it regains. Of a reshare what it deals, or stops as a witness.
    pub fn share_of(&self, part: &super::reshare::SeatPart) -> Option<OldShare> {
        part.deals.or(part.witnesses).or(self.regained.filter(|_| part.receives))
    }
}

impl Ceremony {
    /// Whether it takes something from a completed ceremony, as a reshare and a repair do.
    pub fn has_parent(&self) -> bool {
        self.reshare().is_some_and(|reshare| reshare.origin.parent().is_some())
    }

    /// Whether one operator of a parent regains the share that it has lost. Nobody else's changes,
    /// so that it makes no generation and is no parent.
    pub fn is_repair(&self) -> bool {
        self.kind() == CeremonyKind::Repair
    }
}
