//! The files of an operator. This is the only module that opens files, and it knows nothing of the
//! protocol: records are a kind and secret bytes, outputs are named bytes with an audience.
//!
//! Three rules hold everywhere: nothing is overwritten; what a call has written is durable when it
//! returns (file synced, name synced); and after a crash at any moment there is the old state or
//! the new one. `tests` fails every single effect on the file system, and loses whatever was not
//! synced, to see that they hold.
//!
//! For POSIX systems: permissions, directory syncs and renames without replacing are theirs.

mod atomic;

mod children;

pub mod ceremony_dir;

pub mod dir;

mod disk;

pub mod error;

pub mod log;

mod log_format;

mod notes;

pub mod outputs;

pub mod seal;

#[cfg(test)]
mod tests;

pub use ceremony_dir::{CeremonyDir, CeremonyView};
pub use dir::{CARD_FILE, IDENTITY_FILE, Ledger, Lock, MARK_FILE, SIGNING_FILE, StateDir};
pub use error::StoreError;
pub use log::Log;
pub use log_format::{LONGEST_BODY, Record};
pub use notes::{Asked, BackupNote, Restored};
pub use outputs::{Staging, Written, build_folder, staged, write_folder};
pub use seal::{SEAL_OVERHEAD, SealCost, SealError, open_with_passphrase, seal_with_passphrase};

pub use quorate::protocol::child::Child;

/// Whether a file could be written at `path`, which a person named, by writing another in its
/// folder and removing it.
pub fn try_writing(path: &std::path::Path) -> Result<(), StoreError> {
    use error::At as _;
    let path = std::path::absolute(path).at(path, "finding it")?;
    atomic::try_writing(&disk::RealDisk, atomic::parent(&path))
        .map_err(|error| atomic::renamed(error, &path))
}

/// As [`write_new`], but a file with the same bytes is fine: an earlier try may have failed when it
/// was there already.
pub fn write_once(path: &std::path::Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    use error::At as _;
    let path = std::path::absolute(path).at(path, "finding it")?;
    atomic::write_once(&disk::RealDisk, &path, bytes, mode)
}

/// Writes a new file that a person named: whole or not at all, synced, read back, never over
/// another.
pub fn write_new(path: &std::path::Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    use error::At as _;
    let path = std::path::absolute(path).at(path, "finding it")?;
    atomic::write_new(&disk::RealDisk, &path, bytes, mode)
}
