//! Everything that is agreed, as a file or canonical bytes say it, before it is a ceremony.

use super::error::SpecError;
use super::kind::{CeremonyKind, Parts};
use super::reshare::{self, ReshareSpec};
use super::roster::Seat;
use super::ssv::SsvSpec;
use super::threshold::{MOST_OPERATORS, Threshold, ThresholdError};
use super::validator::ValidatorSpec;
use super::version::Version;
use crate::ethereum::network::Network;
use crate::ethereum::obol::check::Cluster;
use crate::ethereum::preregistration::Draft;
use crate::primitives::hash::Digest;

/// Everything that is agreed, of the right types but not yet checked.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) version: Version,
    pub(super) kind: CeremonyKind,
    pub(super) name: String,
    pub(super) id: [u8; 32],
    pub(super) attempt: u32,
    pub(super) supersedes: Option<Digest>,
    pub(super) network: Network,
    pub(super) required: usize,
    pub(super) seats: Vec<Seat>,
    pub(super) validators: Vec<ValidatorSpec>,
    pub(super) allow_all_required: bool,
    pub(super) ssv: Option<SsvSpec>,
    pub(super) obol: Option<Cluster>,
    pub(super) preregistration: Option<Draft>,
    pub(super) reshare: Option<ReshareSpec>,
}

impl Terms {
    /// Which seats deal, and which receive.
    pub(super) fn parts(&self) -> Parts {
        match &self.reshare {
            Some(reshare) => reshare.parts(),
            None => Parts::all(self.seats.len()),
        }
    }

    /// How many of those that receive can sign.
    pub(super) fn threshold(&self) -> Result<Threshold, SpecError> {
        let Some(reshare) = &self.reshare else {
            return Ok(Threshold::new(self.required, self.seats.len())?);
        };
        if self.seats.len() > MOST_OPERATORS {
            return Err(ThresholdError::TooManyOperators(self.seats.len()).into());
        }
        if self.kind == CeremonyKind::Repair
            && let Some(parent) = reshare.origin.parent()
        {
            return Ok(parent.threshold);
        }
        Ok(Threshold::new(self.required, reshare::receivers(&reshare.seats))?)
    }
}
