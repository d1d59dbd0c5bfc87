//! All file system operations of this module, behind two traits, so that tests can make any of them
//! fail.
//!
//! Paths below the state directory are opened without following symbolic links. The state directory
//! itself is closed to other users, so nobody else can exchange what is below it between two calls.

use std::any::Any;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A directory.
    Directory,
    /// A plain file.
    File,
    /// A device, a pipe, a socket.
    Other,
    /// A symbolic link.
    Symlink,
}

/// What a directory entry says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: Kind,
    /// Permission bits, `0o7777`.
    pub(crate) mode: u32,
    pub(crate) owner: u32,
    pub(crate) len: u64,
    /// How many names it has.
    pub(crate) links: u64,
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

/// A lock, released when dropped; or the process that has it.
pub(crate) enum Locking {
    Held(Option<u32>),
    Ours(Box<dyn Any + Send + Sync>),
}

/// A file system.
pub(crate) trait Disk: Send + Sync {
    /// What is at `path` itself, even if that is a symbolic link.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
    /// Names in a directory, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<OsString>>;
    /// A new directory of exactly this mode.
    fn make_dir(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// A new file of exactly this mode, for reading and writing; an error if anything is there.
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>>;
    /// An existing file through a new descriptor.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn Handle>>;
    /// Renames; an error if `to` exists.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames a file over another.
    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all below it. Follows no symbolic links.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory's entries durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory and all below it durable in one go, where that is possible and pays for as
    /// many `files`; false where nothing was done.
    fn sync_below(&self, path: &Path, files: usize) -> io::Result<bool>;
    /// Takes an exclusive lock on a file, which is created if need be.
    fn lock(&self, path: &Path) -> io::Result<Locking>;
}

/// An open file.
pub(crate) trait Handle: Send + Sync {
    /// What the open file is.
    fn stat(&self) -> io::Result<Stat>;
    /// Fills `into` from `offset`; an error if the file ends before.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`. After an error any part of them may be there.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts or extends.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes content and length durable.
    fn sync(&self) -> io::Result<()>;
    /// Sets space aside for `len` bytes from `offset`, without changing the length. Where the file
    /// system cannot, looks whether there is as much.
    fn reserve(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Asks the system to read from the disk next time, not from memory. Best effort.
    fn forget_cache(&self);
}

/// The operating system's.
pub(crate) struct RealDisk;

/// From how many files on the whole file system is synced rather than each: that also waits for
/// what others have written to it.
const MANY_FILES: usize = 16;

/// File systems of which Linux syncs everything when asked to, as their magic numbers (statfs(2)):
/// ext2 to ext4, XFS, Btrfs, F2FS, and tmpfs, which has nothing to sync. Of others (network and
/// user-space ones, overlays) some do nothing and say nothing.
#[cfg(target_os = "linux")]
const SYNCED_WHOLE: [i128; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994];

fn stat_of(metadata: &fs::Metadata) -> Stat {
    let kind = match metadata.file_type() {
        kind if kind.is_symlink() => Kind::Symlink,
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Other,
    };
    Stat {
        kind,
        mode: metadata.mode() & 0o7777,
        owner: metadata.uid(),
        len: metadata.len(),
        links: metadata.nlink(),
    }
}

fn open(path: &Path, flags: OFlags, mode: u32) -> io::Result<File> {
    // NONBLOCK: a pipe in the place of a file must not make us wait for its other end.
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    Ok(File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(mode))?))
}

/// For file systems that cannot refuse to replace.
fn rename_new_in_steps(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(from)?.is_file() {
        // A link refuses an existing name.
        fs::hard_link(from, to)?;
        return fs::remove_file(from);
    }
    // Directories cannot be linked. Renaming one replaces an empty directory at most, and only the
    // holder of the lock comes here.
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

impl Disk for RealDisk {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        fs::symlink_metadata(path).map(|metadata| stat_of(&metadata))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let mut names: Vec<OsString> = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<_>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn make_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        // The umask can only have taken bits away, never added any.
        fs::DirBuilder::new().mode(mode).create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        let file = open(path, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, mode)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn Handle>> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::ReadWrite => OFlags::RDWR,
        };
        Ok(Box::new(open(path, flags, 0)?))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                // File systems that cannot: network and user-space ones.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                done => return Ok(done?),
            }
        }
        rename_new_in_steps(from, to)
    }

    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        open(path, OFlags::RDONLY | OFlags::DIRECTORY, 0)?.sync_all()
    }

    fn sync_below(&self, path: &Path, files: usize) -> io::Result<bool> {
        #[cfg(target_os = "linux")]
        if files >= MANY_FILES {
            let home = open(path, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
            if SYNCED_WHOLE.contains(&i128::from(rustix::fs::fstatfs(&home)?.f_type)) {
                rustix::fs::syncfs(&home)?;
                return Ok(true);
            }
        }
        let _ = (path, files);
        Ok(false)
    }

    fn lock(&self, path: &Path) -> io::Result<Locking> {
        let mut file = open(path, OFlags::RDWR | OFlags::CREATE, 0o600)?;
        // The directory too: the file could be deleted by somebody who takes it for a leftover.
        // Where a directory cannot be locked, the file has to do.
        let home = open(super::atomic::parent(path), OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
        let locked = match home.try_lock() {
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
            Ok(()) | Err(TryLockError::Error(_)) => file.try_lock(),
        };
        match locked {
            Ok(()) => {
                // For the message of the next one; what it says is not relied on.
                let _ = file
                    .set_len(0)
                    .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
                Ok(Locking::Ours(Box::new((home, file))))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = file.rewind().and_then(|()| file.take(16).read_to_string(&mut text));
                Ok(Locking::Held(read.ok().and_then(|_| text.parse().ok())))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Handle for File {
    fn stat(&self) -> io::Result<Stat> {
        self.metadata().map(|metadata| stat_of(&metadata))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(into, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn reserve(&self, offset: u64, len: u64) -> io::Result<()> {
        // First, so that a request that cannot succeed does not fill the disk before it fails.
        let system = rustix::fs::fstatvfs(self)?;
        let file = self.metadata()?;
        let kept = (file.blocks() * 512).saturating_sub(offset);
        if system.f_bavail.saturating_mul(system.f_frsize) < len.saturating_sub(kept) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        match rustix::fs::fallocate(self, rustix::fs::FallocateFlags::KEEP_SIZE, offset, len) {
            Ok(()) | Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(error) => {
                // Gives back what it may have got.
                let _ = File::set_len(self, file.len());
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn forget_cache(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = rustix::fs::fadvise(self, 0, None, rustix::fs::Advice::DontNeed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn renaming_never_replaces() {
        type Rename = fn(&Path, &Path) -> io::Result<()>;
        for rename in [rename_new_in_steps as Rename, |from, to| RealDisk.rename_new(from, to)] {
            let home = tempfile::tempdir().unwrap();
            let at = |name: &str| home.path().join(name);
            fs::write(at("a"), "a").unwrap();
            fs::write(at("b"), "b").unwrap();
            fs::create_dir(at("full")).unwrap();
            fs::write(at("full/x"), "x").unwrap();
            fs::create_dir(at("empty")).unwrap();
            std::os::unix::fs::symlink("nowhere", at("link")).unwrap();
            for (from, to) in [
                ("a", "b"),
                ("a", "empty"),
                ("full", "empty"),
                ("full", "a"),
                ("a", "link"),
                ("full", "link"),
            ] {
                assert_eq!(
                    rename(&at(from), &at(to)).unwrap_err().kind(),
                    io::ErrorKind::AlreadyExists,
                    "{from} to {to}"
                );
            }
            rename(&at("a"), &at("c")).unwrap();
            rename(&at("full"), &at("d")).unwrap();
            assert_eq!(fs::read(at("b")).unwrap(), b"b");
            assert_eq!(fs::read(at("c")).unwrap(), b"a");
            assert_eq!(fs::read(at("d/x")).unwrap(), b"x");
            assert!(!at("a").exists() && !at("full").exists());
            assert_eq!(rename(&at("a"), &at("e")).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn few_files_are_not_worth_a_whole_file_system() {
        let home = tempfile::tempdir().unwrap();
        assert!(!RealDisk.sync_below(home.path(), MANY_FILES - 1).unwrap());
        let missing = RealDisk.sync_below(&home.path().join("missing"), MANY_FILES);
        if cfg!(target_os = "linux") {
            assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
            RealDisk.sync_below(home.path(), MANY_FILES).unwrap();
        }
    }

    #[test]
    fn space_is_set_aside_without_changing_the_length() {
        let file = tempfile::tempfile().unwrap();
        Handle::write_at(&file, 0, b"content").unwrap();
        file.reserve(7, 1 << 20).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 7);
        assert_eq!(file.reserve(7, u64::MAX / 4).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.metadata().unwrap().len(), 7);
    }
}
