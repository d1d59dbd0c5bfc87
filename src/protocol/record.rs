//! The records of an operator's log: all state of a participant. Resuming means replaying them.

use crate::message::done::Done;
use crate::message::envelope::Statement;
use crate::message::share_box::{decode_shares, encode_shares};
use crate::primitives::codec::{DecodeError, Reader};
use crate::primitives::curve::SecretScalar;
use crate::primitives::hash::Digest;
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::primitives::x25519::DhSecret;
use crate::spec::threshold::Index;
use crate::spec::version::Version;

use super::seat::OwnSeat;

/// What a record holds. The numbers are the log's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// The ceremony seed (32 bytes). Erased once the deal is on disk.
    Seed = 1,
    /// One-time secret keys (32 bytes each). Erased once the prepare is on disk.
    OneTimeKeys = 2,
    /// The dealer's shares for itself. Erased once the prepare is on disk.
    OwnShares = 3,
    /// A statement, own or received.
    Statement = 4,
    /// A box received: dealer, then the box. Erased once the prepare is on disk.
    ReceivedBox = 5,
    /// A box sent: recipient, then the box. Kept until the end, to be sent again.
    SentBox = 6,
    /// The final shares. Never erased by the protocol.
    Shares = 7,
    /// The index of a peer that has told that it holds everything.
    Confirmed = 8,
    /// A message that a share signed after the ceremony (the room `signing` has the layout).
    /// Written before the signature leaves; never erased.
    Signed = 9,
    /// An operator's word that it has finished. Kept to be passed on.
    Done = 10,
}

impl RecordKind {
    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        use RecordKind::*;
        let all = [
            Seed,
            OneTimeKeys,
            OwnShares,
            Statement,
            ReceivedBox,
            SentBox,
            Shares,
            Confirmed,
            Signed,
            Done,
        ];
        all.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A record: to be written and synced before anything that follows from it leaves the machine.
pub struct Record {
    /// What it holds.
    pub kind: RecordKind,
    /// Its bytes.
    pub body: SecretBytes,
}

/// A log that does not replay: a local failure, never a peer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A record does not decode.
    #[error("a {kind:?} record in the log cannot be decoded")]
    Record {
        /// Its kind.
        kind: RecordKind,
    },
    /// The log lacks something that its later records depend on.
    #[error("the log is missing its {missing}")]
    Incomplete {
        /// What.
        missing: &'static str,
    },
    /// The ceremony is of a version that is read, and not begun or continued.
    #[error(
        "this ceremony is of version {0}; this program reads it, but runs version {current} only",
        current = Version::CURRENT
    )]
    Version(Version),
    /// The ceremony has the mark of another directory of this operator, and nothing was begun in
    /// this one.
    #[error("nothing was begun here, and the ceremony has the mark of another directory")]
    OtherInstall,
    /// This operator has signed that it gives up, which is final.
    #[error("this operator has abandoned this ceremony")]
    Abandoned,
    /// This operator has signed the last statement of the ceremony: that binds it, and it does not
    /// give up.
    #[error(
        "this operator has signed its last statement of this ceremony, which it cannot abandon"
    )]
    Agreed,
    /// The ceremony makes an Obol cluster, and this operator's node key is not here.
    #[error(
        "the key of this operator's node (charon-enr-private-key) is needed to sign the cluster's \
         lock"
    )]
    NoNodeKey,
    /// The log was put back to an earlier state: nothing more is signed from it.
    #[error(
        "the log was put back to an earlier state, so this operator signs nothing more from it"
    )]
    PutBack,
    /// A ceremony for SSV, and no RSA key, or another than it has for this operator.
    #[error(
        "this ceremony is for SSV, and this operator's RSA key is missing or is not the one in the \
         ceremony file"
    )]
    SsvKey,
    /// A reshare, without the parent's rows.
    #[error("this ceremony deals the shares of another anew, and that one's transcript is missing")]
    NoParent,
    /// What this operator would deal in a reshare is missing, or damaged.
    #[error(
        "this operator's shares of the parent are missing, or are not the ones that the parent's \
         transcript gives to it"
    )]
    OldShares,
    /// What was computed does not fit itself.
    #[error(
        "this machine has computed shares that do not match its own commitments: its memory or \
         processor is damaged"
    )]
    Miscomputed,
    /// The stored shares are not the ones the ceremony's commitments demand.
    #[error("the stored shares do not match the ceremony's commitments: the storage is damaged")]
    SharesDamaged,
}

impl Record {
    pub(super) fn seed(seed: &Secret32) -> Self {
        Self { kind: RecordKind::Seed, body: SecretBytes::new(seed.expose().to_vec()) }
    }

    pub(super) fn one_time_keys(keys: &[DhSecret]) -> Self {
        let mut body = Vec::with_capacity(32 * keys.len());
        keys.iter().for_each(|key| body.extend_from_slice(key.expose()));
        Self { kind: RecordKind::OneTimeKeys, body: SecretBytes::new(body) }
    }

    pub(super) fn shares(kind: RecordKind, shares: &[SecretScalar]) -> Self {
        Self { kind, body: encode_shares(shares) }
    }

    pub(super) fn statement(statement: &Statement) -> Self {
        Self { kind: RecordKind::Statement, body: SecretBytes::new(statement.bytes().to_vec()) }
    }

    pub(super) fn sealed_box(kind: RecordKind, other: Index, sealed: &[u8]) -> Self {
        Self { kind, body: SecretBytes::new([&other.get().to_be_bytes(), sealed].concat()) }
    }

    pub(super) fn confirmed(peer: Index) -> Self {
        Self {
            kind: RecordKind::Confirmed,
            body: SecretBytes::new(peer.get().to_be_bytes().to_vec()),
        }
    }

    pub(super) fn done(done: &Done) -> Self {
        let index = done.operator.get().to_be_bytes();
        let body = [&index[..], done.certificate.as_ref(), &done.signature].concat();
        Self { kind: RecordKind::Done, body: SecretBytes::new(body) }
    }

    fn damaged(&self) -> ReplayError {
        ReplayError::Record { kind: self.kind }
    }

    pub(super) fn to_seed(&self) -> Result<Secret32, ReplayError> {
        self.body.expose().try_into().map(Secret32::copied).map_err(|_| self.damaged())
    }

    pub(super) fn to_one_time_keys(&self, count: usize) -> Result<Vec<DhSecret>, ReplayError> {
        let (keys, rest) = self.body.expose().as_chunks::<32>();
        if keys.len() != count || !rest.is_empty() {
            return Err(self.damaged());
        }
        Ok(keys.iter().map(|key| DhSecret::new(Secret32::copied(key))).collect())
    }

    pub(super) fn to_shares(&self, validators: usize) -> Result<Vec<SecretScalar>, ReplayError> {
        decode_shares(&self.body, validators).map_err(|_| self.damaged())
    }

    pub(super) fn to_statement(&self, seat: &OwnSeat) -> Result<Statement, ReplayError> {
        Statement::open(self.body.expose(), &seat.ceremony).map_err(|_| self.damaged())
    }

    pub(super) fn to_done(&self, seat: &OwnSeat) -> Result<Done, ReplayError> {
        let read = Reader::all(self.body.expose(), |r| {
            Ok((r.u16("index")?, Digest(r.array("certificate")?), r.array("signature")?))
        });
        let (index, certificate, signature) = read.map_err(|_| self.damaged())?;
        let operator = Index::new(index).ok_or_else(|| self.damaged())?;
        let done = Done { operator, certificate, signature };
        done.verifies(&seat.ceremony).then_some(done).ok_or_else(|| self.damaged())
    }

    pub(super) fn to_sealed_box(&self) -> Result<(Index, Vec<u8>), ReplayError> {
        let (index, sealed) =
            self.body.expose().split_first_chunk::<2>().ok_or_else(|| self.damaged())?;
        let index = Index::new(u16::from_be_bytes(*index)).ok_or_else(|| self.damaged())?;
        Ok((index, sealed.to_vec()))
    }
}

impl From<DecodeError> for ReplayError {
    fn from(_: DecodeError) -> Self {
        Self::Incomplete { missing: "well-formed statements" }
    }
}
