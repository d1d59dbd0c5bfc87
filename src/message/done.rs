//! An operator's signed word that it has finished: it holds everything, and needs nobody any more.
//!
//! It is no statement: it is in no slot and in no transcript, and nothing but staying and leaving
//! depends on it. Whoever cannot reach its operator has it from anybody.

use crate::identity::key::OperatorKey;
use crate::primitives::hash::{Digest, Tag};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

/// Bytes of a done: `index (2) ‖ certificate (32) ‖ signature (64)`.
pub const DONE_BYTES: usize = 2 + 32 + 64;

/// `operator` has written the outputs of a complete ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Who says so.
    pub operator: Index,
    /// The certificate that it holds ([`crate::protocol::outcome::certificate`]).
    pub certificate: Digest,
    /// Ed25519 with the tag `done`, over the ceremony digest, the certificate and the index.
    pub signature: [u8; 64],
}

impl Done {
    /// Signs it.
    pub fn sign(
        key: &OperatorKey,
        operator: Index,
        ceremony: &Ceremony,
        certificate: Digest,
    ) -> Self {
        let signature = key.sign(Tag::Done, &signed(operator, ceremony, &certificate));
        Self { operator, certificate, signature }
    }

    /// Whether its operator has signed it, in this ceremony.
    pub fn verifies(&self, ceremony: &Ceremony) -> bool {
        let seat = ceremony.roster().get(self.operator);
        let signed = signed(self.operator, ceremony, &self.certificate);
        seat.is_some_and(|seat| seat.card.key.verify(Tag::Done, &signed, &self.signature).is_ok())
    }
}

fn signed(operator: Index, ceremony: &Ceremony, certificate: &Digest) -> Vec<u8> {
    [ceremony.digest().as_ref(), certificate.as_ref(), &operator.get().to_be_bytes()].concat()
}
