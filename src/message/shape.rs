//! The size of every message as a function of the spec. The wire format has no counts that would
//! have to be trusted.

use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::primitives::curve::{G1_UNCOMPRESSED, G2_COMPRESSED, G2_UNCOMPRESSED, SCALAR_BYTES};
use crate::primitives::noise::box_len;
use crate::spec::ceremony::Ceremony;

use super::body::SealedShare;
use super::envelope::{ENVELOPE_BYTES, Kind, Round};

/// The numbers that fix every length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Operators.
    pub n: usize,
    /// Shares needed to sign; coefficients of a polynomial.
    pub t: usize,
    /// Validators.
    pub v: usize,
    /// Messages the ceremony signs, over all validators (deposits, registrations, consents for
    /// SSV).
    pub items: usize,
    /// Shares that an operator publishes for SSV, encrypted: one of each validator, or none.
    pub sealed: usize,
    /// Whether finals sign the lock of an Obol cluster.
    pub lock: bool,
}

impl Shape {
    /// The shape of `ceremony`.
    pub fn of(ceremony: &Ceremony) -> Self {
        let sealed = if ceremony.ssv().is_some() { ceremony.v() } else { 0 };
        let items: usize = ceremony
            .validators()
            .iter()
            .map(|v| v.amounts.len() + usize::from(v.registration.is_some()))
            .sum();
        let lock = ceremony.obol().is_some();
        Self {
            n: ceremony.n(),
            t: ceremony.t(),
            v: ceremony.v(),
            items: items + sealed,
            sealed,
            lock,
        }
    }

    /// Bytes of a round's body.
    ///
    /// | round | bytes |
    /// |---|---|
    /// | R0 hello | `64 + 32n` |
    /// | R1 deal | `128 + 64n + 96Vt` |
    /// | R2 prepare | `132 + 32n` |
    /// | R3 commit | `32n + 192·items`, for SSV `+ 512V` |
    /// | R4 final | `36 + 32n`; with the lock of an Obol cluster `197 + 32n` |
    pub fn body_bytes(&self, round: Round) -> usize {
        let n = 32 * self.n;
        match round {
            Round::Hello => 64 + n,
            Round::Deal => {
                n + 32
                    + (n - 32)
                    + G1_UNCOMPRESSED
                    + SCALAR_BYTES
                    + G1_UNCOMPRESSED * self.v * self.t
            }
            Round::Prepare => n + 32 + G2_COMPRESSED + 4,
            Round::Commit => n + G2_UNCOMPRESSED * self.items + SealedShare::BYTES * self.sealed,
            Round::Final => {
                n + 32 + 4 + if self.lock { G2_COMPRESSED + SIGNATURE_BYTES } else { 0 }
            }
        }
    }

    /// Bytes of a round's ordinary statement: envelope and body.
    pub fn statement_bytes(&self, round: Round) -> usize {
        ENVELOPE_BYTES + self.body_bytes(round)
    }

    /// Bytes of a statement of any kind. A complaint's body has `32n + 39` bytes and a share box,
    /// an abandonment's has `n`.
    pub fn bytes_of(&self, kind: Kind, round: Round) -> usize {
        match kind {
            Kind::Ordinary => self.statement_bytes(round),
            Kind::Complaint => ENVELOPE_BYTES + 32 * self.n + 39 + self.box_bytes(),
            Kind::Abandon => ENVELOPE_BYTES + self.n,
        }
    }

    /// Bytes of the shares one dealer sends to one operator.
    pub fn dealt_bytes(&self) -> usize {
        SCALAR_BYTES * self.v
    }

    /// Bytes of a share box.
    pub fn box_bytes(&self) -> usize {
        box_len(self.dealt_bytes())
    }
}
