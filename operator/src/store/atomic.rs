//! Files that are written once: complete or absent, durable, and read back before anyone sees them.

use std::ffi::OsStr;
use std::path::Path;

use super::disk::{Access, Disk, Handle, Kind, Stat};
use super::error::{At as _, StoreError};

/// How the names of files in the making begin.
pub(super) const IN_THE_MAKING: &str = ".new-";
/// How the names of files that only try the disk begin.
const PROBE: &str = ".probe-";

/// What is at `path`, if anything.
pub(super) fn look(disk: &dyn Disk, path: &Path) -> Result<Option<Stat>, StoreError> {
    match disk.stat(path).at(path, "looking at it") {
        Ok(stat) => Ok(Some(stat)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// 16 random hexadecimal digits, for names that must not meet.
pub(super) fn fresh_name(prefix: &str) -> Result<String, StoreError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(StoreError::Randomness)?;
    Ok(format!("{prefix}{}", hex::encode(bytes)))
}

/// The directory that holds `path`.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().expect("every path of this room is below the state directory")
}

/// A directory of this mode, durable in its parent. One that is there already is fine.
pub(super) fn ensure_dir(disk: &dyn Disk, path: &Path, mode: u32) -> Result<(), StoreError> {
    match look(disk, path)? {
        None => match disk.make_dir(path, mode).at(path, "making the directory") {
            // Somebody was faster, in a directory that is open to others: the owner and the mode
            // tell.
            Ok(()) | Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error),
        },
        Some(Stat { kind: Kind::Directory, .. }) => {}
        Some(stat) => return Err(not_plain(path, "a directory", stat.kind)),
    }
    // Also for one that was there: the run that made it may have been killed before this.
    disk.sync_dir(parent(path)).at(parent(path), "syncing the directory")
}

pub(super) fn not_plain(path: &Path, expected: &'static str, found: Kind) -> StoreError {
    let found = match found {
        Kind::Directory => "a directory",
        Kind::File => "a regular file",
        Kind::Other => "a device or a pipe",
        Kind::Symlink => "a symbolic link",
    };
    StoreError::NotPlain { path: path.to_owned(), expected, found }
}

/// Opens a plain file through a new descriptor; tells its length, which is at most `most`.
pub(super) fn open_plain(
    disk: &dyn Disk,
    path: &Path,
    access: Access,
    most: u64,
) -> Result<(Box<dyn Handle>, Stat), StoreError> {
    let file = disk.open(path, access).at(path, "opening")?;
    let stat = file.stat().at(path, "looking at it")?;
    if stat.kind != Kind::File {
        return Err(not_plain(path, "a regular file", stat.kind));
    }
    if stat.len > most {
        return Err(StoreError::TooLong { path: path.to_owned(), found: stat.len, most });
    }
    Ok((file, stat))
}

/// A file's bytes, at most `most` of them, past the system's memory where that can be asked for.
pub(super) fn read(disk: &dyn Disk, path: &Path, most: u64) -> Result<(Vec<u8>, Stat), StoreError> {
    let (file, stat) = open_plain(disk, path, Access::Read, most)?;
    file.forget_cache();
    let mut bytes = vec![0; usize::try_from(stat.len).expect("bounded by `most`")];
    file.read_at(0, &mut bytes).at(path, "reading")?;
    Ok((bytes, stat))
}

/// Whether exactly `bytes` are at `path`, asked of the disk.
pub(super) fn holds(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
    match read(disk, path, bytes.len() as u64) {
        Ok((found, _)) => Ok(found == bytes),
        Err(StoreError::TooLong { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a new file where nobody looks yet: content, sync, and back through a new descriptor. Its
/// directory is not synced.
pub(super) fn write_file(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    mode: u32,
) -> Result<(), StoreError> {
    let file = disk.create(path, mode).at(path, "creating")?;
    let written =
        file.write_at(0, bytes).at(path, "writing").and_then(|()| file.sync().at(path, "syncing"));
    drop(file);
    let checked = written.and_then(|()| match holds(disk, path, bytes)? {
        true => Ok(()),
        false => Err(StoreError::ReadBack { path: path.to_owned() }),
    });
    if checked.is_err() {
        // It has no name that anybody reads; what cannot be removed now is swept later.
        let _ = disk.remove_file(path);
    }
    checked
}

/// Writes, syncs, reads back and removes a small file in `directory`.
pub(super) fn try_writing(disk: &dyn Disk, directory: &Path) -> Result<(), StoreError> {
    let path = directory.join(fresh_name(PROBE)?);
    write_file(disk, &path, b"quorate tries this disk", 0o600)?;
    disk.remove_file(&path).at(&path, "removing")?;
    disk.sync_dir(directory).at(directory, "syncing the directory")
}

/// Writes a new file of this mode: after a crash it is there whole, or it is not there. Never
/// overwrites.
///
/// Content goes to a temporary name in the same directory, is synced and read back, and only then
/// gets its name.
pub(super) fn write_new(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    mode: u32,
) -> Result<(), StoreError> {
    if look(disk, path)?.is_some() {
        return Err(StoreError::Exists { path: path.to_owned() });
    }
    let temporary = parent(path).join(fresh_name(IN_THE_MAKING)?);
    // The error speaks of the name that a person knows.
    write_file(disk, &temporary, bytes, mode).map_err(|error| renamed(error, path))?;
    if let Err(error) = disk.rename_new(&temporary, path).at(path, "naming") {
        let _ = disk.remove_file(&temporary);
        return Err(error);
    }
    disk.sync_dir(parent(path)).at(parent(path), "syncing the directory")
}

/// As [`write_new`], but a file with the same bytes is fine.
pub(super) fn write_once(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    mode: u32,
) -> Result<(), StoreError> {
    match write_new(disk, path, bytes, mode) {
        Err(StoreError::Exists { path }) if holds(disk, &path, bytes)? => {
            disk.sync_dir(parent(&path)).at(parent(&path), "syncing the directory")
        }
        Err(StoreError::Exists { path }) => Err(StoreError::Differs { path }),
        done => done,
    }
}

/// As [`write_new`], in the place of a file that may be there: after a crash, the one or the other
/// is there whole.
pub(super) fn write_over(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    mode: u32,
) -> Result<(), StoreError> {
    let temporary = parent(path).join(fresh_name(IN_THE_MAKING)?);
    write_file(disk, &temporary, bytes, mode).map_err(|error| renamed(error, path))?;
    if let Err(error) = disk.rename_over(&temporary, path).at(path, "naming") {
        let _ = disk.remove_file(&temporary);
        return Err(error);
    }
    disk.sync_dir(parent(path)).at(parent(path), "syncing the directory")
}

/// Removes what a killed run left in the making. Only for the holder of the lock.
pub(super) fn sweep(disk: &dyn Disk, directory: &Path) -> Result<(), StoreError> {
    for name in disk.list(directory).at(directory, "listing")? {
        if starts_with(&name, IN_THE_MAKING) {
            let path = directory.join(name);
            // A directory is not ours.
            if !matches!(look(disk, &path)?, Some(Stat { kind: Kind::Directory, .. })) {
                disk.remove_file(&path).at(&path, "removing")?;
            }
        }
    }
    Ok(())
}

pub(super) fn starts_with(name: &OsStr, prefix: &str) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(prefix))
}

/// The same error about another path.
pub(super) fn renamed(mut error: StoreError, to: &Path) -> StoreError {
    use StoreError::*;
    match &mut error {
        Denied { path }
        | DiskFull { path }
        | Exists { path }
        | Io { path, .. }
        | ReadBack { path }
        | ReadOnly { path } => {
            to.clone_into(path);
        }
        _ => {}
    }
    error
}
