//! Why an operator's machine cannot go on.

use std::io;
use std::path::{Path, PathBuf};

use quorate::export::cut_over::ClockError;
use quorate::primitives::hash::Digest;
use quorate::protocol::put_back::PutBack;
use quorate::protocol::record::ReplayError;

use crate::carrier::CarrierError;
use crate::store::StoreError;

/// Why an operator's machine cannot go on. What was stored before stays valid.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The note that a log was put back to an earlier state cannot be read.
    #[error("{}: not what this program wrote", .0.display())]
    BadNote(PathBuf),
    /// The channels cannot be had.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    /// The clock of this machine cannot be right, or what a dealer of a reshare states.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// Its shares were erased on request.
    #[error("{}: the shares were erased", .0.display())]
    Forgotten(PathBuf),
    /// A mistake in this program.
    #[error("a bug in this program: {0}")]
    Internal(String),
    /// The log holds a kind of record that this program does not know.
    #[error("{}: the log holds a kind of record that this program does not know", .0.display())]
    NewerLog(PathBuf),
    /// The ceremony is of a version that is read, and not begun or continued.
    #[error(transparent)]
    OldVersion(ReplayError),
    /// This operator's shares are committed to another reshare of the same parent, which it has not
    /// abandoned.
    #[error(
        "this operator has committed its shares of these validators to another reshare or import, \
         {reshare}"
    )]
    OtherChild {
        /// Its digest.
        reshare: Digest,
        /// Its folder, if it is still there.
        folder: Option<PathBuf>,
    },
    /// Outputs are there, of another ceremony or unreadable, and the log does not tell whether
    /// there were some of this one.
    #[error("{}: not the outputs of this ceremony", .0.display())]
    ForeignOutputs(PathBuf),
    /// Outputs are there already, and are not this ceremony's.
    #[error("{}: other outputs than this ceremony's are there already", folder.display())]
    OutputsDiffer {
        /// Where.
        folder: PathBuf,
        /// Which files.
        different: Vec<String>,
    },
    /// The log was put back to an earlier state: nothing more is signed from it.
    #[error("{}: the log was put back to an earlier state", folder.display())]
    PutBack {
        /// The folder of the ceremony.
        folder: PathBuf,
        /// What shows it.
        put_back: Box<PutBack>,
    },
    /// The log tells of something that no participant has done.
    #[error("{}: {error}", folder.display())]
    Replay {
        /// The folder of the ceremony.
        folder: PathBuf,
        /// What it tells of.
        error: ReplayError,
    },
    /// A file was not read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The next attempt of a reshare that this operator has not abandoned.
    #[error("this operator has not abandoned the attempt before, {reshare}")]
    NotGivenUp {
        /// Its digest.
        reshare: Digest,
        /// Its folder, if it is still there.
        folder: Option<PathBuf>,
    },
    /// This operator has stopped these shares for a reshare, which it has not abandoned.
    #[error("these shares are superseded by those of the reshare {reshare}")]
    Superseded {
        /// Its digest.
        reshare: Digest,
        /// Its folder, if it is still there.
        folder: Option<PathBuf>,
    },
    /// The system has no thread or descriptor left.
    #[error("the system refuses a thread or a descriptor: {0}")]
    System(#[from] io::Error),
}

impl MachineError {
    pub(crate) fn replay(folder: &Path, error: ReplayError) -> Self {
        Self::Replay { folder: folder.to_owned(), error }
    }
}
