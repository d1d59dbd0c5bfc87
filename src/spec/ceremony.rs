//! The ceremony: all rules about its parameters, in one constructor.

use super::canonical;
use super::endpoint::Endpoint;
use super::error::{Place, SpecError};
use super::kind::{CeremonyKind, Parts};
use super::obol;
use super::parent::{ParentError, ParentShares};
use super::repair;
use super::reshare::{self, ReshareError, ReshareSpec};
use super::roster::{Roster, Seat, check_names};
use super::ssv::{self, SsvSpec};
use super::terms::Terms;
use super::threshold::{Index, Threshold};
use super::validator::check_validator;
use super::version::Version;
use crate::ethereum::network::Network;
use crate::ethereum::obol::check::Cluster;
use crate::ethereum::preregistration::Draft;
use crate::identity::card::{CardError, check_name, check_quotable};
use crate::primitives::commitment::Commitments;
use crate::primitives::hash::{Digest, Tag, tagged};

pub use super::validator::{GAS_LIMITS, MOST_AMOUNTS, RegistrationSpec, ValidatorSpec};

/// Longest name of a ceremony, in bytes.
pub const LONGEST_NAME: usize = 64;
/// Most validators of a ceremony.
pub const MOST_VALIDATORS: usize = 8192;
/// Most of `V * n * t`: what every operator computes and keeps grows with it.
pub const MOST_WORK: usize = 4_000_000;

/// An agreed ceremony. It is made from a file or from canonical bytes, both by way of the same
/// checks, and never changes.
#[derive(Debug)]
pub struct Ceremony {
    version: Version,
    kind: CeremonyKind,
    parts: Parts,
    name: String,
    id: [u8; 32],
    attempt: u32,
    supersedes: Option<Digest>,
    network: Network,
    threshold: Threshold,
    roster: Roster,
    validators: Vec<ValidatorSpec>,
    allow_all_required: bool,
    ssv: Option<SsvSpec>,
    obol: Option<Cluster>,
    preregistration: Option<Draft>,
    reshare: Option<ReshareSpec>,
    /// What a reshare takes from its parent: compared with what is agreed. In an import the keys,
    /// which are agreed upon.
    parent_shares: Option<ParentShares>,
    canonical: Vec<u8>,
    digest: Digest,
    is_rehearsal: bool,
}

/// Canonical bytes that obey every rule, whether or not the card signatures verify.
pub struct Uncertified {
    ceremony: Ceremony,
    unsigned: Vec<usize>,
}

impl Uncertified {
    /// Reads canonical bytes, as they stand in a transcript. Seats have no addresses.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, SpecError> {
        let ceremony = Ceremony::check(canonical::decode(bytes)?)?;
        if ceremony.canonical != bytes {
            return Err(SpecError::NotCanonical);
        }
        let cards = ceremony.roster.iter().enumerate();
        let unsigned = cards
            .filter(|(_, (_, seat))| seat.card.verify().is_err())
            .map(|(position, _)| position);
        Ok(Self { unsigned: unsigned.collect(), ceremony })
    }

    /// The card signatures that do not verify.
    pub fn faults(&self) -> Vec<SpecError> {
        let fault = |position: &usize| SpecError::Card {
            place: Place::operator(*position, "card"),
            source: CardError::Signature,
        };
        self.unsigned.iter().map(fault).collect()
    }

    /// The ceremony whatever its cards are: for lengths, which follow from it, and nothing that
    /// anybody is told.
    pub(crate) fn into_inner(self) -> Ceremony {
        self.ceremony
    }

    /// The ceremony, if every card signature verifies.
    pub fn certified(self) -> Result<Ceremony, SpecError> {
        match self.faults().into_iter().next() {
            None => Ok(self.ceremony),
            Some(fault) => Err(fault),
        }
    }
}

impl Ceremony {
    /// The one way in, but for card signatures: those of a file are verified as it is read.
    pub(super) fn check(terms: Terms) -> Result<Self, SpecError> {
        check_name(&terms.name, LONGEST_NAME).map_err(SpecError::Name)?;
        if terms.version.has_marks() {
            check_quotable(&terms.name).map_err(SpecError::Name)?;
        }
        if terms.id == [0; 32] {
            return Err(SpecError::IdZero);
        }
        check_attempt(terms.attempt, terms.supersedes)?;
        for (position, seat) in terms.seats.iter().enumerate() {
            if seat.card.mark.is_some() != terms.version.has_marks() {
                return Err(SpecError::CardVersion {
                    place: Place::operator(position, "card"),
                    card: seat.card.version(),
                    ceremony: terms.version,
                });
            }
        }
        let parts = terms.parts();
        let threshold = terms.threshold()?;
        if threshold.needs_all() && !terms.allow_all_required {
            return Err(SpecError::AllRequired(threshold.participants()));
        }
        check_count(terms.validators.len())?;
        if let Some(spec) = &terms.reshare {
            if terms.kind == CeremonyKind::Repair {
                repair::check(spec, terms.required).map_err(ReshareError::from)?;
            }
            reshare::check(spec, &terms.seats, &terms.validators, terms.required)?;
        } else {
            check_work(terms.validators.len(), threshold)?;
            for (position, validator) in terms.validators.iter().enumerate() {
                check_validator(position, validator, &terms.network, terms.ssv.is_some())?;
            }
        }
        if let Some(ssv) = &terms.ssv {
            ssv::check(ssv, terms.required, &terms.seats, &terms.network, &terms.validators)?;
        }
        if let Some(cluster) = &terms.obol {
            obol::check(cluster, &terms)?;
        }
        let keys = terms.reshare.as_ref().map(ParentShares::of_keys).transpose()?;
        let canonical = canonical::encode(&terms);
        let roster = Roster::new(terms.seats, parts.receivers)?;
        if terms.version.has_marks() {
            check_names(&roster)?;
        }
        Ok(Self {
            digest: tagged(Tag::Spec, &[&canonical]),
            canonical,
            version: terms.version,
            kind: terms.kind,
            parts,
            name: terms.name,
            id: terms.id,
            attempt: terms.attempt,
            supersedes: terms.supersedes,
            network: terms.network,
            threshold,
            roster,
            validators: terms.validators,
            allow_all_required: terms.allow_all_required,
            ssv: terms.ssv,
            obol: terms.obol,
            preregistration: terms.preregistration,
            reshare: terms.reshare,
            parent_shares: keys.flatten(),
            is_rehearsal: false,
        })
    }

    /// The same as a rehearsal, with the bytes and the digest of one.
    pub(super) fn into_rehearsal(self, canonical: Vec<u8>, digest: Digest) -> Self {
        Self { canonical, digest, is_rehearsal: true, ..self }
    }

    /// Whether it is a rehearsal, in which nothing counts ([`super::rehearsal`]).
    pub fn is_rehearsal(&self) -> bool {
        self.is_rehearsal
    }

    /// Reads canonical bytes, as they stand in a transcript. Seats have no addresses.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, SpecError> {
        Uncertified::from_canonical(bytes)?.certified()
    }

    /// The same ceremony, with other hints where these operators can be reached. No two operators
    /// may have one address.
    pub fn with_addresses(
        mut self,
        addresses: impl IntoIterator<Item = (Index, Endpoint)>,
    ) -> Result<Self, SpecError> {
        let mut seats: Vec<Seat> = self.roster.iter().map(|(_, seat)| seat.clone()).collect();
        for (index, address) in addresses {
            if let Some(seat) = seats.get_mut(index.position()) {
                seat.address = Some(address);
            }
        }
        self.roster = Roster::new(seats, self.parts.receivers)?;
        Ok(self)
    }

    /// The same reshare with the rows of its parent, which are compared with what is agreed.
    /// Without them nobody takes part, and no deal can be judged.
    ///
    /// # Errors
    /// Other rows than the ceremony's, or no reshare.
    pub fn with_parent_rows(mut self, rows: Commitments) -> Result<Self, ParentError> {
        let spec = self.reshare.as_ref().filter(|spec| spec.origin.parent().is_some());
        let spec = spec.ok_or(ParentError::NotAReshare)?;
        self.parent_shares = Some(ParentShares::new(spec, rows)?);
        Ok(self)
    }

    /// What a reshare takes from its parent, once it has been given; of an import the keys.
    pub fn parent_shares(&self) -> Option<&ParentShares> {
        self.parent_shares.as_ref()
    }

    /// The bytes that everyone agrees to. See [`super::canonical`] for the layout.
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// `TH("spec", canonical bytes)`.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What it makes.
    pub fn kind(&self) -> CeremonyKind {
        self.kind
    }

    /// Which seats deal, and which receive.
    pub fn parts(&self) -> Parts {
        self.parts
    }

    /// The same ceremony with other parts of its seats, as later kinds will have them.
    #[cfg(test)]
    pub(crate) fn with_parts(mut self, parts: Parts) -> Self {
        self.parts = parts;
        self
    }

    /// What people call it: 1 to 64 printable ASCII characters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 32 random bytes that make it unlike every other ceremony.
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// Attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Digest of the attempt that this one replaces; of every attempt but the first.
    pub fn supersedes(&self) -> Option<Digest> {
        self.supersedes
    }

    /// The network. It has a genesis time if any validator has a registration.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// `t` of the operators that get shares: of a key generation all, of a reshare its receivers.
    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// Shares needed to sign.
    pub fn t(&self) -> usize {
        self.threshold.required()
    }

    /// Operators: seats, whatever they do. How many hold shares is another number.
    pub fn n(&self) -> usize {
        self.roster.len()
    }

    /// How many hold a share of each key afterwards; after a repair, as many as of its parent.
    pub fn holders(&self) -> usize {
        self.threshold.participants()
    }

    /// Which of these shares `seat` gets, from 1, if any; a repair gives one back with its number.
    pub fn share_number(&self, seat: Index) -> Option<usize> {
        let place = self.parts.receivers.place(seat)?;
        let regained = self.reshare.as_ref().and_then(|reshare| reshare.regained);
        Some(regained.map_or(place, |share| share.index.position()) + 1)
    }

    /// Validators.
    pub fn v(&self) -> usize {
        self.validators.len()
    }

    /// The operators.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The operators that get shares, by index.
    pub fn receivers(&self) -> impl Iterator<Item = (Index, &Seat)> + Clone {
        self.parts.receivers.iter().filter_map(|index| Some((index, self.roster.get(index)?)))
    }

    /// Every index, in order.
    pub fn indices(&self) -> impl ExactSizeIterator<Item = Index> + Clone + use<> {
        (0..self.n()).map(|position| Index::from_position(position).expect("at most 255 operators"))
    }

    /// The validators.
    pub fn validators(&self) -> &[ValidatorSpec] {
        &self.validators
    }

    /// The Obol cluster that it makes, if it makes one: every operator has a node, and the outputs
    /// include a lock.
    pub fn obol(&self) -> Option<&Cluster> {
        self.obol.as_ref()
    }

    /// Whether the policy allows a threshold of all operators.
    pub fn allow_all_required(&self) -> bool {
        self.allow_all_required
    }

    /// What is agreed for SSV, if the validators are for a cluster of it.
    pub fn ssv(&self) -> Option<&SsvSpec> {
        self.ssv.as_ref()
    }

    /// By which state of the draft each validator's withdrawal credentials are preregistered
    /// (EIP-8205), if they are.
    pub fn preregistration(&self) -> Option<Draft> {
        self.preregistration
    }

    /// Whose keys are dealt, and by whom; of a reshare, an import or a repair and of nothing else.
    pub fn reshare(&self) -> Option<&ReshareSpec> {
        self.reshare.as_ref()
    }
}

fn check_attempt(attempt: u32, supersedes: Option<Digest>) -> Result<(), SpecError> {
    match (attempt, supersedes) {
        (0, _) => Err(SpecError::AttemptZero),
        (1, Some(_)) => Err(SpecError::SupersedesUnexpected),
        (2.., None) => Err(SpecError::SupersedesMissing { attempt }),
        (2.., Some(Digest::ZERO)) => Err(SpecError::SupersedesZero),
        (1, None) | (2.., Some(_)) => Ok(()),
    }
}

fn check_count(validators: usize) -> Result<(), SpecError> {
    match validators {
        0 => Err(SpecError::NoValidators),
        v if v > MOST_VALIDATORS => {
            Err(SpecError::TooManyValidators(v.try_into().unwrap_or(u64::MAX)))
        }
        _ => Ok(()),
    }
}

fn check_work(validators: usize, threshold: Threshold) -> Result<(), SpecError> {
    let (participants, required) = (threshold.participants(), threshold.required());
    match validators * participants * required > MOST_WORK {
        true => Err(SpecError::TooMuchWork { validators, participants, required }),
        false => Ok(()),
    }
}
