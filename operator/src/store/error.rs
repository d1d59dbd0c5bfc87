//! Errors of the store, as facts. The texts about what to do are in the program's messages.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An artifact's name is not a plain relative path.
    #[error(
        "`{name}` is not a valid output name: only plain words separated by slashes are allowed"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// The note of a reshare that this operator committed to is not one.
    #[error("{}: damaged: not what this program wrote", path.display())]
    ChildDamaged {
        /// The file.
        path: PathBuf,
    },
    /// Permission denied.
    #[error("{}: permission denied", path.display())]
    Denied {
        /// The file or directory.
        path: PathBuf,
    },
    /// A file that is written once is there with other content.
    #[error("{}: exists with different content and will not be overwritten", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
    },
    /// No space, or no quota, left.
    #[error("{}: no space left on this file system; nothing half-written remains", path.display())]
    DiskFull {
        /// The file or directory.
        path: PathBuf,
    },
    /// A file that must not be there yet.
    #[error("{}: already exists and will not be overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something else that the operating system says.
    #[error("{}: {doing}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process has the state directory.
    #[error("{}: another quorate{} is using this directory", path.display(), process(*holder))]
    Locked {
        /// The lock.
        path: PathBuf,
        /// The process that has it, as far as it has told.
        holder: Option<u32>,
    },
    /// The log fails a check that no crash can make it fail.
    #[error("{}: damaged: {why}", path.display())]
    LogDamaged {
        /// The log.
        path: PathBuf,
        /// What does not hold.
        why: &'static str,
    },
    /// The log is another ceremony's.
    #[error("{}: this log belongs to another ceremony", path.display())]
    LogForeign {
        /// The log.
        path: PathBuf,
    },
    /// The log does not open with this key.
    #[error("{}: sealed by another identity, or its header is damaged", path.display())]
    LogKey {
        /// The log.
        path: PathBuf,
    },
    /// A failed write could not be taken back.
    #[error("{}: an earlier write failed and could not be undone; nothing more is \
             written", path.display())]
    LogStopped {
        /// The log.
        path: PathBuf,
    },
    /// A log of another version of this program.
    #[error("{}: a log of version {found}; this program reads version {known}", path.display())]
    LogVersion {
        /// The log.
        path: PathBuf,
        /// Its version.
        found: u8,
        /// Ours.
        known: u8,
    },
    /// The install mark is not one.
    #[error("{}: damaged: not 32 bytes", path.display())]
    MarkDamaged {
        /// The file.
        path: PathBuf,
    },
    /// It is not there.
    #[error("{}: not found", path.display())]
    Missing {
        /// The file or directory.
        path: PathBuf,
    },
    /// The note that something came out of a backup is not one.
    #[error("{}: damaged: not what this program wrote", path.display())]
    NoteDamaged {
        /// The file.
        path: PathBuf,
    },
    /// A symbolic link, a device, or a directory where a file must be, or the other way round.
    #[error("{}: {found}, but {expected} is required", path.display())]
    NotPlain {
        /// The path.
        path: PathBuf,
        /// What must be there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The operating system has no randomness.
    #[error("the operating system provides no randomness ({0}); nothing was written")]
    Randomness(getrandom::Error),
    /// What was written reads back differently.
    #[error("{}: what was read back differs from what was written", path.display())]
    ReadBack {
        /// The file.
        path: PathBuf,
    },
    /// A file system that does not let anybody write.
    #[error("{}: this file system is read-only", path.display())]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
    },
    /// Longer than such a file or record ever is.
    #[error("{}: {found} bytes; the limit is {most}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long it is.
        found: u64,
        /// How long it may be.
        most: u64,
    },
    /// Others can read or write it.
    #[error("{}: other users have access (mode {mode:04o})", path.display())]
    TooOpen {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// It is a directory.
        directory: bool,
    },
    /// It belongs to another user.
    #[error("{}: belongs to user {owner}, but this is user {user}", path.display())]
    WrongOwner {
        /// The file or directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this process.
        user: u32,
    },
}

fn process(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |id| format!(" (process {id})"))
}

impl StoreError {
    /// What the operating system said while `doing` something with `path`.
    pub(super) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::PermissionDenied => Self::Denied { path },
            io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull => Self::DiskFull { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            // What O_NOFOLLOW says of a symbolic link.
            _ if source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                Self::NotPlain { path, expected: "a regular file", found: "a symbolic link" }
            }
            _ => Self::Io { path, doing, source },
        }
    }
}

/// Names the path and the deed beside an operating system error.
pub(super) trait At<T> {
    /// The error as one of ours.
    fn at(self, path: &Path, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::io(path, doing, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_told_apart() {
        let told = |errno: Errno| StoreError::io(Path::new("/x/file"), "writing", errno.into());
        assert!(matches!(told(Errno::NOSPC), StoreError::DiskFull { .. }));
        assert!(matches!(told(Errno::DQUOT), StoreError::DiskFull { .. }));
        assert!(matches!(told(Errno::ROFS), StoreError::ReadOnly { .. }));
        assert!(matches!(told(Errno::ACCESS), StoreError::Denied { .. }));
        assert!(matches!(told(Errno::PERM), StoreError::Denied { .. }));
        assert!(matches!(told(Errno::EXIST), StoreError::Exists { .. }));
        assert!(matches!(told(Errno::NOENT), StoreError::Missing { .. }));
        assert!(matches!(told(Errno::LOOP), StoreError::NotPlain { found: "a symbolic link", .. }));
        assert!(matches!(told(Errno::IO), StoreError::Io { doing: "writing", .. }));
        for errno in [
            Errno::NOSPC,
            Errno::ROFS,
            Errno::ACCESS,
            Errno::EXIST,
            Errno::NOENT,
            Errno::LOOP,
            Errno::IO,
        ] {
            assert!(told(errno).to_string().starts_with("/x/file: "));
        }
    }
}
