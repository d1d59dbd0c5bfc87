//! What the answers to a request hold, and how long they are.

use super::PARTIAL;
use crate::ethereum::secp256k1::SIGNATURE_BYTES;
use crate::message::body::EncryptedShare;
use crate::primitives::codec::{self, Reader};
use crate::signing::parent::Cleared;
use crate::signing::request::Kind;

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
    /// Of a request for a lock: a partial signature; and behind them all the signature of the
    /// operator's node.
    Lock,
}

impl Extent {
    /// Of a request for something else than key shares.
    pub const fn plain(validators: usize) -> Self {
        Self { validators, form: Form::Plain }
    }

    /// Of the answers to this request.
    pub fn of(cleared: &Cleared) -> Self {
        let form = match (cleared.request.items.kind(), cleared.required.is_empty()) {
            (Kind::KeyShares, true) => Form::Consents,
            (Kind::KeyShares, false) => Form::KeyShares,
            (Kind::Lock, _) => Form::Lock,
            (Kind::Exit | Kind::Deposit | Kind::Registration, _) => Form::Plain,
        };
        Self { validators: cleared.targets.len(), form }
    }

    /// How many shares are encrypted.
    pub(super) const fn sealed(self) -> usize {
        match self.form {
            Form::Plain | Form::Consents | Form::Lock => 0,
            Form::KeyShares => self.validators,
        }
    }

    /// Whether a node signs too.
    pub(super) const fn has_node(self) -> bool {
        matches!(self.form, Form::Lock)
    }
}

/// `u16(operator) ‖ count × partial(96) ‖ signature(64)`; of key shares, before the signature,
/// `count × (ciphertext(256) ‖ proof(256))`; of a lock, `node signature(65)`.
pub(in crate::signing) const fn payload(extent: Extent) -> usize {
    let node = if extent.has_node() { SIGNATURE_BYTES } else { 0 };
    2 + PARTIAL * extent.validators + EncryptedShare::BYTES * extent.sealed() + node + 64
}

/// What kind of request an answer is to, as far as its format tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Exits, deposits or registrations.
    Plain,
    /// Key shares, of which no validator is left out.
    KeyShares,
    /// A lock, of which none is left out either.
    Lock,
}

impl From<Form> for Family {
    fn from(form: Form) -> Self {
        match form {
            Form::Plain => Self::Plain,
            Form::Consents | Form::KeyShares => Self::KeyShares,
            Form::Lock => Self::Lock,
        }
    }
}

/// The signature of a node, where the answers have one.
pub(super) fn read_node(
    r: &mut Reader<'_>,
    extent: Extent,
) -> Result<Option<[u8; SIGNATURE_BYTES]>, codec::DecodeError> {
    extent.has_node().then(|| r.array("node signature")).transpose()
}
