//! Encrypted shares for SSV, as the statements that publish them hold them.

use crate::ethereum::ssv::RSA_BYTES;
use crate::message::envelope::Round;
use crate::message::shape::Shape;
use crate::primitives::codec::{DecodeError, Reader, Writer};
use crate::spec::threshold::Index;

use super::{Commit, Final};

/// An operator's share of a validator, encrypted to its own RSA key, with the proof that it has
/// signed with that key (for SSV). Only the operator itself can tell whether it holds the share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedShare {
    /// RSAES-PKCS1-v1_5.
    pub ciphertext: [u8; RSA_BYTES],
    /// RSASSA-PSS over [`crate::ethereum::ssv::ShareProof`].
    pub proof: [u8; RSA_BYTES],
}

impl EncryptedShare {
    /// Bytes of one.
    pub const BYTES: usize = 2 * RSA_BYTES;

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            ciphertext: r.array("encrypted share")?,
            proof: r.array("proof of an encrypted share")?,
        })
    }

    /// Those of `sender` in its statement of `round`: none where the shape has none.
    pub(super) fn read_all(
        r: &mut Reader<'_>,
        shape: &Shape,
        sender: Index,
        round: Round,
    ) -> Result<Vec<Self>, DecodeError> {
        r.many(shape.encrypted_shares_of(sender, round), Self::read)
    }

    pub(crate) fn write(w: Writer, share: &Self) -> Writer {
        w.bytes(&share.ciphertext).bytes(&share.proof)
    }
}

/// A body that publishes encrypted shares, where its round is the one for them.
pub trait Publishes {
    /// One for each validator, or none.
    fn encrypted_shares(&self) -> &[EncryptedShare];
}

impl Publishes for Commit {
    fn encrypted_shares(&self) -> &[EncryptedShare] {
        &self.sealed
    }
}

impl Publishes for Final {
    fn encrypted_shares(&self) -> &[EncryptedShare] {
        &self.sealed
    }
}
