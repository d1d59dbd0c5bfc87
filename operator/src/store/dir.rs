//! The state directory of one operator.

use std::any::Any;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate::identity::{InstallMark, OperatorCard};
use quorate::primitives::hash::Digest;

use super::atomic;
use super::ceremony_dir::{CeremonyDir, CeremonyView};
use super::disk::{Access, Disk, Kind, Locking, RealDisk, Stat};
use super::error::{At as _, StoreError};

/// Name of the sealed operator keys, and the label they are sealed under.
pub const IDENTITY_FILE: &str = "identity.sealed";
/// Name of the file with the install mark.
pub const MARK_FILE: &str = "install.mark";
/// Name of the file with the operator card.
pub const CARD_FILE: &str = "operator.card";
/// Name of the file with what is signed after a ceremony without a question, written by hand.
pub const SIGNING_FILE: &str = "signing.toml";
const LOCK_FILE: &str = "lock";
const CEREMONIES: &str = "ceremonies";
/// What was signed with keystores alone, by ceremony.
const SIGNATURES: &str = "signatures";
/// A sealed identity is a few hundred bytes.
const LONGEST_IDENTITY: u64 = 16 << 10;
/// `signing.toml` has some thousand keys at most.
const LONGEST_PRIVATE: u64 = 1 << 20;

/// A log of what was signed with keystores alone, as it is on the disk, behind the first bytes of
/// the digest of its ceremony.
pub type Ledger = ([u8; 8], Vec<u8>);

/// A directory that only its owner can enter:
///
/// ```text
/// DIR/  identity.sealed  install.mark  operator.card  lock
///       ceremonies/<first 16 hex digits of the spec digest>/
///       signatures/<the same>/log.sealed
///       children/<first 32 hex digits of a reshare's digest>.child
///       restored/  backup.note
/// ```
#[derive(Clone)]
pub struct StateDir {
    pub(super) disk: Arc<dyn Disk>,
    path: PathBuf,
}

/// The right to write below a state directory. One process has it at a time; it ends when the last
/// clone is dropped, or with the process, however that ends.
#[derive(Clone)]
pub struct Lock {
    state: StateDir,
    _held: Arc<dyn Any + Send + Sync>,
}

impl StateDir {
    /// The state directory at `path`; made, with mode 0700, if nothing is there.
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        let disk = RealDisk;
        let path = std::path::absolute(path).at(path, "finding it")?;
        let missing: Vec<&Path> =
            path.ancestors().take_while(|path| !path.exists() && !path.is_symlink()).collect();
        for directory in missing.iter().rev() {
            atomic::ensure_dir(&disk, directory, 0o700)?;
        }
        Self::open(&path)
    }

    /// The state directory at `path`, which must exist, be this user's, and be closed to all
    /// others. It may be reached by symbolic links.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let path = path.canonicalize().at(path, "finding it")?;
        Self::on(Arc::new(RealDisk), path)
    }

    /// The state directory at `path` of `disk`.
    pub(super) fn on(disk: Arc<dyn Disk>, path: PathBuf) -> Result<Self, StoreError> {
        let stat = disk.stat(&path).at(&path, "looking at it")?;
        if stat.kind != Kind::Directory {
            return Err(atomic::not_plain(&path, "a directory", stat.kind));
        }
        check_private(&path, &stat)?;
        Ok(Self { disk, path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the right to write, or tells that another process has it. Removes what a killed run
    /// left in the making.
    pub fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.path.join(LOCK_FILE);
        match self.disk.lock(&path).at(&path, "locking")? {
            Locking::Held(holder) => Err(StoreError::Locked { path, holder }),
            Locking::Ours(held) => {
                atomic::sweep(&*self.disk, &self.path)?;
                Ok(Lock { state: self.clone(), _held: held.into() })
            }
        }
    }

    /// The process that has the right to write here, if that can be seen without being in its way:
    /// from what the system tells of locks, on Linux. What is not seen may be there all the same.
    pub fn holder(&self) -> Option<u32> {
        let path = self.path.join(LOCK_FILE);
        let text = std::fs::read_to_string(&path).ok()?;
        let inode = std::fs::metadata(&path).ok()?.ino();
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        locked_by(&locks, inode).filter(|holder| text == holder.to_string())
    }

    /// Whether there are operator keys.
    pub fn has_identity(&self) -> Result<bool, StoreError> {
        Ok(atomic::look(&*self.disk, &self.path.join(IDENTITY_FILE))?.is_some())
    }

    /// Writes the sealed operator keys, mode 0600. Never overwrites: keys that exist are
    /// [`StoreError::Exists`]. Takes the lock meanwhile.
    pub fn write_identity(&self, sealed: &[u8]) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        atomic::write_new(&*self.disk, &self.path.join(IDENTITY_FILE), sealed, 0o600)
    }

    /// The sealed operator keys: a plain file of this user that others cannot read.
    pub fn read_identity(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.path.join(IDENTITY_FILE);
        let (sealed, stat) = atomic::read(&*self.disk, &path, LONGEST_IDENTITY)?;
        check_private(&path, &stat)?;
        Ok(sealed)
    }

    /// The install mark; `None` if this directory has none yet.
    pub fn read_mark(&self) -> Result<Option<InstallMark>, StoreError> {
        let path = self.path.join(MARK_FILE);
        let (bytes, stat) = match atomic::read(&*self.disk, &path, LONGEST_IDENTITY) {
            Ok(read) => read,
            Err(StoreError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        check_private(&path, &stat)?;
        let mark = <[u8; 32]>::try_from(bytes.as_slice());
        mark.map(|mark| Some(InstallMark(mark))).map_err(|_| StoreError::MarkDamaged { path })
    }

    /// The install mark, which is `fresh` if this directory has none yet. Takes the lock meanwhile.
    pub fn ensure_mark(&self, fresh: InstallMark) -> Result<InstallMark, StoreError> {
        let _lock = self.lock()?;
        if let Some(mark) = self.read_mark()? {
            return Ok(mark);
        }
        atomic::write_new(&*self.disk, &self.path.join(MARK_FILE), &fresh.0, 0o600)?;
        Ok(fresh)
    }

    /// The operator card as it was kept here: so that what is public needs no passphrase. `None` if
    /// there is none, or none with this directory's install mark. Its signature was verified; only
    /// the passphrase tells whether it is of the keys that are sealed here.
    pub fn read_card(&self) -> Result<Option<OperatorCard>, StoreError> {
        let path = self.path.join(CARD_FILE);
        let (bytes, stat) = match atomic::read(&*self.disk, &path, LONGEST_IDENTITY) {
            Ok(read) => read,
            Err(StoreError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        check_private(&path, &stat)?;
        let text = core::str::from_utf8(bytes.trim_ascii_end()).unwrap_or_default();
        let card = OperatorCard::parse(text).ok().filter(|card| card.mark.is_some());
        match card {
            Some(card) if card.mark == self.read_mark()? => Ok(Some(card)),
            _ => Ok(None),
        }
    }

    /// Keeps the operator card, in the place of another: it can be made again at any time. Takes
    /// the lock meanwhile.
    pub fn keep_card(&self, card: &OperatorCard) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let path = self.path.join(CARD_FILE);
        let line = format!("{}\n", card.encode());
        atomic::write_over(&*self.disk, &path, line.as_bytes(), 0o600)
    }

    /// Every ceremony there is something of, by name. Needs no lock; another process may be at work
    /// in any of them.
    pub fn ceremonies(&self) -> Result<Vec<CeremonyView>, StoreError> {
        self.folders(CEREMONIES)
    }

    /// The folders in `of` that are named like a ceremony.
    fn folders(&self, of: &str) -> Result<Vec<CeremonyView>, StoreError> {
        let path = self.path.join(of);
        if atomic::look(&*self.disk, &path)?.is_none() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for name in self.disk.list(&path).at(&path, "listing")? {
            let directory = path.join(&name);
            let is_name = name.to_str().is_some_and(|name| {
                name.len() == 16 && name.bytes().all(|b| b"0123456789abcdef".contains(&b))
            });
            if is_name
                && self.disk.stat(&directory).at(&directory, "looking at it")?.kind
                    == Kind::Directory
            {
                found.push(CeremonyView::new(self.disk.clone(), directory));
            }
        }
        Ok(found)
    }

    /// What there is of the ceremony with this spec digest, to be read only; `None` if there is
    /// nothing.
    pub fn find(&self, spec: &Digest) -> Result<Option<CeremonyView>, StoreError> {
        self.view(self.ceremony_path(spec))
    }

    /// The folder with the log of what was signed with keystores alone after this ceremony, to be
    /// read only; `None` if there is nothing.
    pub fn find_signatures(&self, spec: &Digest) -> Result<Option<CeremonyView>, StoreError> {
        self.view(self.signatures_path(spec))
    }

    fn view(&self, path: PathBuf) -> Result<Option<CeremonyView>, StoreError> {
        let there =
            atomic::look(&*self.disk, &path)?.is_some_and(|stat| stat.kind == Kind::Directory);
        Ok(there.then(|| CeremonyView::new(self.disk.clone(), path)))
    }

    /// A private file of this directory; `None` if it is not there.
    pub(crate) fn read_private(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path.join(name);
        match atomic::read(&*self.disk, &path, LONGEST_PRIVATE) {
            Ok((bytes, stat)) => check_private(&path, &stat).map(|()| Some(bytes)),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The logs of what was signed with keystores alone, as they are, by name of their ceremony.
    pub(crate) fn ledgers(&self) -> Result<Vec<Ledger>, StoreError> {
        let read = |view: CeremonyView| {
            let path = view.log_path();
            let name = hex::decode(view.name()).ok().and_then(|name| name.try_into().ok());
            match (name, atomic::read(&*self.disk, &path, u64::from(u32::MAX))) {
                (Some(name), Ok((bytes, stat))) => {
                    check_private(&path, &stat).map(|()| Some((name, bytes)))
                }
                (None, _) | (_, Err(StoreError::Missing { .. })) => Ok(None),
                (_, Err(error)) => Err(error),
            }
        };
        let folders = self.folders(SIGNATURES)?;
        let mut all: Vec<_> = folders
            .into_iter()
            .filter_map(|view| read(view).transpose())
            .collect::<Result<_, _>>()?;
        all.sort();
        Ok(all)
    }

    /// Writes, syncs, reads back and removes a small file: the disk does what a ceremony needs.
    pub fn try_writing(&self) -> Result<(), StoreError> {
        atomic::try_writing(&*self.disk, &self.path)
    }

    /// Bytes that this user may still write here.
    pub fn free_space(&self) -> Result<u64, StoreError> {
        let system = rustix::fs::statvfs(&self.path)
            .map_err(Into::into)
            .at(&self.path, "asking for its free space")?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }

    fn ceremony_path(&self, spec: &Digest) -> PathBuf {
        self.path.join(CEREMONIES).join(hex::encode(&spec.as_bytes()[..8]))
    }

    fn signatures_path(&self, spec: &Digest) -> PathBuf {
        self.path.join(SIGNATURES).join(hex::encode(&spec.as_bytes()[..8]))
    }
}

impl Lock {
    /// The directory of the ceremony with this spec digest, for writing; made if nothing is there.
    pub fn ceremony(&self, spec: &Digest) -> Result<CeremonyDir, StoreError> {
        self.directory(self.state.ceremony_path(spec))
    }

    /// The folder with the log of what is signed with keystores alone after this ceremony; made if
    /// nothing is there.
    pub fn signatures(&self, spec: &Digest) -> Result<CeremonyDir, StoreError> {
        self.directory(self.state.signatures_path(spec))
    }

    fn directory(&self, path: PathBuf) -> Result<CeremonyDir, StoreError> {
        atomic::ensure_dir(&*self.state.disk, atomic::parent(&path), 0o700)?;
        atomic::ensure_dir(&*self.state.disk, &path, 0o700)?;
        CeremonyDir::new(CeremonyView::new(self.state.disk.clone(), path), self.clone())
    }

    /// The state directory.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Writes a private file of this directory, once.
    pub(crate) fn write_private(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        atomic::write_once(&*self.state.disk, &self.state.path.join(name), bytes, 0o600)
    }

    /// Puts a log back as it was.
    pub(crate) fn write_ledger(&self, name: &[u8; 8], log: &[u8]) -> Result<(), StoreError> {
        let dir = self.directory(self.state.path.join(SIGNATURES).join(hex::encode(name)))?;
        atomic::write_new(&*self.state.disk, &dir.view().log_path(), log, 0o600)
    }
}

/// Who has the lock of the file with this number, by a table of locks (proc_locks(5)):
/// `1: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF`.
fn locked_by(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, "FLOCK", "ADVISORY", "WRITE", holder, file, ..] = fields[..] else { return None };
        let number = file.rsplit(':').next()?.parse::<u64>().ok()?;
        (number == inode).then(|| holder.parse().ok())?
    })
}

/// It is this user's, and others can do nothing with it.
pub(super) fn check_private(path: &Path, stat: &Stat) -> Result<(), StoreError> {
    let user = rustix::process::geteuid().as_raw();
    if stat.owner != user {
        return Err(StoreError::WrongOwner { path: path.to_owned(), owner: stat.owner, user });
    }
    if stat.mode & 0o077 != 0 {
        let directory = stat.kind == Kind::Directory;
        return Err(StoreError::TooOpen { path: path.to_owned(), mode: stat.mode, directory });
    }
    Ok(())
}

/// Opens a private file of this user.
pub(super) fn open_private(
    disk: &dyn Disk,
    path: &Path,
    access: Access,
) -> Result<(Box<dyn super::disk::Handle>, Stat), StoreError> {
    let (file, stat) = atomic::open_plain(disk, path, access, u64::MAX)?;
    check_private(path, &stat)?;
    Ok((file, stat))
}

#[cfg(test)]
mod tests {
    use super::locked_by;

    /// Lines of a kernel.
    #[test]
    fn a_lock_is_told_by_the_number_of_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 3548 08:01:131091 0 EOF\n\
                     2: FLOCK  ADVISORY  READ  3549 08:01:131090 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF\n\
                     3: -> FLOCK  ADVISORY  WRITE 4712 08:01:131090 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE x 08:01:131092 0 EOF\n\
                     5:\n\n";
        assert_eq!(locked_by(locks, 131_090), Some(4711));
        for other in [0, 131_089, 131_091, 131_092, 310_901] {
            assert_eq!(locked_by(locks, other), None, "{other}");
        }
    }
}
