//! Why a board cannot be used.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::nats::ServerFault;

/// Why a board cannot be used. None of them accuses an operator, and nothing is lost by any.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// There is nothing where the board should be.
    #[error("{}: there is nothing here", .0.display())]
    Missing(PathBuf),
    /// What is there is no folder.
    #[error("{}: this is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// In the place of a folder of the board there is something else: it takes nothing.
    #[error("{}: something stands in the place of a folder", .0.display())]
    Blocked(PathBuf),
    /// What was written reads back differently.
    #[error("{}: what was written here reads back differently", .0.display())]
    ReadBack(PathBuf),
    /// Whether this operator has begun cannot be told: not all of its own shelves was read.
    #[error("a visit did not read all that is in this operator's own folders of the board")]
    OwnUnread,
    /// Something that this operator has signed is there, and may be of this ceremony: neither
    /// hellos nor deals tell.
    #[error("nothing on the board tells whether what you have signed there is of this ceremony")]
    OwnUntold,
    /// A server has no room for more.
    #[error("{}: the server has no room for more", .0.display())]
    NoRoom(PathBuf),
    /// The visit has no time left.
    #[error("{}: the visit takes too long", .0.display())]
    Late(PathBuf),
    /// Whoever made the visit has ended it.
    #[error("{}: the visit was stopped", .0.display())]
    Stopped(PathBuf),
    /// A server that cannot be used like this.
    #[error("{}: {why}", at.display())]
    Server {
        /// Where it is.
        at: PathBuf,
        /// Why not.
        why: ServerFault,
    },
    /// The operating system's answer.
    #[error("{}: {doing}: {why}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why not.
        why: ErrorKind,
    },
}
