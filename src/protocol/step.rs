//! What goes into a participant, and what comes out of it.

use crate::message::done::Done;
use crate::message::envelope::{Reject, Statement};
use crate::message::minima::Minima;
use crate::message::sync::Have;
use crate::message::without::TooFew;
use crate::primitives::secret::{Secret32, SecretBytes};
use crate::spec::seats::Seats;
use crate::spec::threshold::Index;

use super::record::{Record, RecordKind, ReplayError};

/// Fresh randomness of one ceremony, spent by
/// [`Participant::start`](super::participant::Participant::start).
pub struct Entropy {
    /// 32 bytes from the operating system, kept secret.
    pub seed: Secret32,
    /// 32 bytes from the operating system, published as the hello's nonce.
    pub nonce: [u8; 32],
    /// Whatever else the operator adds (dice, a coin); may be empty.
    pub extra: SecretBytes,
}

/// What only the driver can do.
pub enum Ask {
    /// Read the records of this kind back through a fresh descriptor and answer with
    /// [`Input::Reread`].
    Reread(RecordKind),
    /// Write and stage all outputs but the transcript, then answer with [`Input::Staged`].
    Stage,
    /// Certificate 2 is complete: write the outputs.
    WriteOut,
}

/// What a call yields.
#[derive(Default)]
pub struct Step {
    /// To be written and synced before anything else of the step happens.
    pub persist: Vec<Record>,
    /// Kinds of records to be erased, once `persist` is durable.
    pub erase: Vec<RecordKind>,
    /// Statements of this operator, for everybody.
    pub send: Vec<Statement>,
    /// What the driver must do next.
    pub asks: Vec<Ask>,
}

/// What happens to a participant.
pub enum Input {
    /// Bytes that claim to be a statement.
    Statement(Vec<u8>),
    /// A share box for this operator.
    ShareBox {
        /// Who dealt it.
        dealer: Index,
        /// The box.
        sealed: Vec<u8>,
    },
    /// What a peer says it holds. Peers that hold everything are remembered: they may say so before
    /// we finish, and leave.
    PeerHolds {
        /// The peer.
        peer: Index,
        /// What it says.
        have: Have,
    },
    /// A tick of the exchange has passed: nobody is waited for without end to show what it says
    /// that it holds.
    Waited,
    /// An operator says that it has finished, whoever brings it.
    Done(Done),
    /// A peer has gone: it shows nothing more.
    PeerLeft(Index),
    /// The answer to [`Ask::Reread`].
    Reread(Vec<SecretBytes>),
    /// The answer to [`Ask::Stage`]: outputs are staged.
    Staged,
    /// Of a dealer of a reshare: its person has stopped the old keys, and this is what they have
    /// signed last. Whoever gives it has noted durably, beside the parent, that this reshare is the
    /// only one for its validators: this operator's commit follows.
    Stopped(Minima),
    /// Of an operator of a reshare that has signed its final: its person finishes without these
    /// seats, which are lost.
    Without(Seats),
}

/// Why an input was not taken. None of these ends the ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not believed; nobody is to blame.
    #[error(transparent)]
    Reject(#[from] Reject),
    /// A box whose digest its dealer has not signed (yet).
    #[error("a share box whose digest its dealer has not signed")]
    UnsignedBox,
    /// A word that an operator has finished, which that operator has not signed.
    #[error("a word that {0} has finished, without its signature")]
    Unsigned(Index),
    /// An answer to nothing that was asked.
    #[error("an answer to something that was not asked")]
    NotAsked,
    /// The log or the stored shares are damaged. The participant must be dropped.
    #[error(transparent)]
    Storage(#[from] ReplayError),
    /// An earlier call failed within a step. The participant must be dropped, and started again
    /// from its log.
    #[error("an earlier step was not finished; start again from the log")]
    Broken,
    /// The ceremony is over for this operator.
    #[error("the ceremony was stopped by a fault")]
    Stopped,
    /// A dealer stops its keys when certificate 1 is complete, and not before.
    #[error("certificate 1 is not complete: the old keys are still needed")]
    NotCertified,
    /// Two statements of what its keys have signed last are all that anybody keeps.
    #[error("this operator has stated twice what its keys have signed last")]
    StoppedTwice,
    /// Who has not signed its final finishes without nobody.
    #[error("this operator has not signed its final yet")]
    NotFinal,
    /// Others than those that are lost have not signed theirs, as far as is known here.
    #[error("finals are missing here of operators that are not named as lost")]
    FinalsMissing(Vec<Index>),
    /// Too few would be left.
    #[error(transparent)]
    TooFew(TooFew),
    /// The log was put back to an earlier state: only own statements that it lacks are taken.
    #[error("the log was put back to an earlier state")]
    PutBack,
}
