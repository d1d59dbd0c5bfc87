//! The facts that a clean audit establishes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ethereum::obol::lock::ClusterLock;
use crate::ethereum::registration::Registration;
use crate::export::launchpad::SignedDeposit;
use crate::primitives::commitment::Commitments;
use crate::primitives::curve::G2;
use crate::primitives::hash::Digest;
use crate::protocol::items::{Item, items};
use crate::protocol::outcome::{ValidatorOutcome, certificate};
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::CeremonyKind;
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

/// A transcript that passed every check: only the auditor makes it, and [`own`](super::own()) from
/// the receipts of a participant that made every check; so whoever holds it may use its keys.
#[derive(Clone)]
pub struct Audited {
    pub(super) ceremony: Arc<Ceremony>,
    pub(super) transcript: Digest,
    pub(super) session: Digest,
    pub(super) dkg: Digest,
    pub(super) outputs: Digest,
    pub(super) validators: Vec<ValidatorOutcome>,
    pub(super) anchors: Vec<[u8; 32]>,
    pub(super) flags: Vec<u32>,
    pub(super) lock: Option<ClusterLock>,
    /// The summed commitments, if the transcript was read and not only a participant's own.
    pub(super) rows: Option<Arc<Commitments>>,
    /// Of a reshare: who had not signed its last statement when the others finished without it.
    pub(super) without: Seats,
    /// The import by which the keys came, this one or the oldest of the chain that was given.
    pub(super) import: Option<Arc<Ceremony>>,
    /// Of a reshare whose chain was given: the key generation that made its keys.
    pub(super) birth: Option<Birth>,
}

/// A key generation, with what it has signed for the keys that it made.
#[derive(Clone)]
pub struct Birth {
    /// What was agreed.
    pub ceremony: Arc<Ceremony>,
    /// Keys and signatures, in the spec's order of validators.
    pub validators: Arc<[ValidatorOutcome]>,
}

impl Birth {
    /// Of a ceremony with this outcome; `None` if it makes no keys.
    pub fn of(ceremony: &Arc<Ceremony>, validators: &[ValidatorOutcome]) -> Option<Self> {
        let makes = ceremony.kind() == CeremonyKind::Dkg;
        makes.then(|| Self { ceremony: ceremony.clone(), validators: validators.into() })
    }

    /// Where each key stands, compressed.
    pub fn positions(&self) -> BTreeMap<[u8; 48], usize> {
        let keys = self.validators.iter().enumerate();
        keys.map(|(at, validator)| (validator.public_key.to_compressed(), at)).collect()
    }
}

impl Audited {
    /// What was agreed.
    pub fn ceremony(&self) -> &Arc<Ceremony> {
        &self.ceremony
    }

    /// Digest of the container.
    pub fn transcript(&self) -> Digest {
        self.transcript
    }

    /// The digest of the certificate: what the complete ceremony is named by. All honest operators
    /// have the same, whatever the digests of their transcripts.
    pub fn certificate(&self) -> Digest {
        certificate(&self.ceremony.digest(), &self.dkg, &self.outputs)
    }

    /// Whether the keys came by an import, in this ceremony or in the oldest of the chain that was
    /// audited with it: then its withdrawal credentials are claimed.
    pub fn is_imported(&self) -> bool {
        self.import.is_some()
    }

    /// The key generation that made these keys: this one, or the oldest of the chain that was
    /// audited with it. `None` of keys that came by an import.
    pub fn birth(&self) -> Option<Birth> {
        self.birth.clone().or_else(|| Birth::of(&self.ceremony, &self.validators))
    }

    /// The same, if it is not this ceremony.
    pub fn chain_birth(&self) -> Option<Birth> {
        self.birth.clone()
    }

    /// The session: spec and hellos.
    pub fn session(&self) -> Digest {
        self.session
    }

    /// The transcript digest `D`, over all deals.
    pub fn dkg(&self) -> Digest {
        self.dkg
    }

    /// The output digest `O`.
    pub fn outputs(&self) -> Digest {
        self.outputs
    }

    /// Keys, public shares and signatures, in the spec's order of validators.
    pub fn validators(&self) -> &[ValidatorOutcome] {
        &self.validators
    }

    /// The beacon block roots that operators stated, by index; zero where none was.
    pub fn anchors(&self) -> &[[u8; 32]] {
        &self.anchors
    }

    /// What each operator says it did ([`crate::message::body::Final`]), by index; empty but in
    /// version 1.
    pub fn flags(&self) -> &[u32] {
        &self.flags
    }

    /// Of a reshare: who had not signed its last statement when the others finished without it, by
    /// index. It holds a new share if it receives one, and nothing shows that it has its outputs.
    pub fn finished_without(&self) -> Vec<Index> {
        self.without.iter().collect()
    }

    /// The lock of an Obol cluster, signed by every share and every node.
    pub fn lock(&self) -> Option<&ClusterLock> {
        self.lock.as_ref()
    }

    /// What was signed for validator `v` (position, from 0), each message with its signature.
    pub fn signed(&self, v: usize) -> Vec<(Item, G2)> {
        let validator = &self.validators[v];
        items(&self.ceremony, v, &validator.public_key)
            .into_iter()
            .zip(validator.signatures.iter().copied())
            .collect()
    }

    /// All deposits of all validators.
    pub fn deposits(&self) -> Vec<SignedDeposit> {
        let of =
            |v| self.signed(v).into_iter().filter_map(|(item, signature)| deposit(item, signature));
        (0..self.validators.len()).flat_map(of).collect()
    }

    /// The builder registration of validator `v`, if it has one.
    pub fn registration(&self, v: usize) -> Option<(Registration, G2)> {
        self.signed(v).into_iter().find_map(|(item, signature)| match item {
            Item::Registration(registration) => Some((registration, signature)),
            Item::Deposit(_) | Item::Preregistration(..) | Item::OwnerNonce(_) => None,
        })
    }
}

fn deposit(item: Item, signature: G2) -> Option<SignedDeposit> {
    match item {
        Item::Deposit(message) => Some(SignedDeposit { message, signature }),
        Item::Registration(_) | Item::Preregistration(..) | Item::OwnerNonce(_) => None,
    }
}
