//! What the answers to a request hold, and how long they are.

use super::PARTIAL;
use crate::message::body::EncryptedShare;
use crate::signing::parent::Cleared;

/// What the answers to a request hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Validators of the request.
    pub validators: usize,
    /// What stands there for each.
    pub form: Form,
}

/// What an answer holds for each validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A partial signature, or that the validator is left out.
    Plain,
    /// Of a request for key shares with which no share is encrypted anew: a partial signature.
    Consents,
    /// Of any other request for key shares: a partial signature, an encrypted share and its proof.
    KeyShares,
}

impl Extent {
    /// Of a request for something else than key shares.
    pub const fn plain(validators: usize) -> Self {
        Self { validators, form: Form::Plain }
    }

    /// Of the answers to this request.
    pub fn of(cleared: &Cleared) -> Self {
        let form = match (cleared.is_for_key_shares(), cleared.required.is_empty()) {
            (false, _) => Form::Plain,
            (true, true) => Form::Consents,
            (true, false) => Form::KeyShares,
        };
        Self { validators: cleared.targets.len(), form }
    }

    /// How many shares are encrypted.
    pub(super) const fn sealed(self) -> usize {
        match self.form {
            Form::Plain | Form::Consents => 0,
            Form::KeyShares => self.validators,
        }
    }
}

/// `u16(operator) ‖ count × partial(96) ‖ signature(64)`; of key shares, before the signature,
/// `count × (ciphertext(256) ‖ proof(256))`.
pub(in crate::signing) const fn payload(extent: Extent) -> usize {
    2 + PARTIAL * extent.validators + EncryptedShare::BYTES * extent.sealed() + 64
}
