//! A board that is a folder: a shared one, or one on a stick.
//!
//! ```text
//! BOARD/quorate-1/<topic, 64 hex digits>/<shelf>/<name>
//! ```
//!
//! Every step below BOARD is taken from an open folder and follows no links: whoever can write to
//! the board can exchange what is there between any two calls.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use quorate::primitives::hash::sha256;
use rand_core::Rng as _;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat, fchmod, fstat, fsync, mkdirat, open,
    openat, renameat, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use super::{Board, BoardError, Entry, Listing, Name, Place};
use crate::random;

/// The folder of a board in which all of this program's are.
const TOP: &str = "quorate-1";
/// Names in a folder that are looked at, and those of them that are kept. What has no name of a
/// file of a board is passed over, however much of it there is.
const MOST_NAMES: usize = 1 << 20;
const MOST_ENTRIES: usize = 1 << 17;
/// Permission bits that a new folder takes from the one that it is in: who shares that shares this.
const SHARED_BITS: u32 = 0o3777;

/// A board that is a folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    root: OwnedFd,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const BELOW: OFlags = FOLDER.union(OFlags::NOFOLLOW);

impl Folder {
    /// The folder at `path`, which exists: a stick that is not there is not made.
    pub fn open(path: &Path) -> Result<Self, BoardError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match open(&path, FOLDER, Mode::empty()) {
            Ok(root) => Ok(Self { path, root }),
            Err(Errno::NOENT) => Err(BoardError::Missing(path)),
            Err(Errno::NOTDIR) => Err(BoardError::NotAFolder(path)),
            Err(why) => Err(failed(&path, "opening it", why)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn path_of(&self, place: &Place) -> PathBuf {
        self.path.join(TOP).join(place.topic()).join(place.shelf())
    }

    /// The folder of a place; `None` if there is none.
    fn find(&self, place: &Place) -> Result<Option<OwnedFd>, BoardError> {
        let mut at: Option<OwnedFd> = None;
        for name in [TOP, &place.topic(), place.shelf()] {
            let from = at.as_ref().unwrap_or(&self.root);
            match openat(from, name, BELOW, Mode::empty()) {
                Ok(next) => at = Some(next),
                // Links, files and folders that are closed to this user are no folders of a board.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => return Ok(None),
                Err(why) => return Err(failed(&self.path_of(place), "opening it", why)),
            }
        }
        Ok(at)
    }

    /// What there is in a place, of so many names at most.
    fn list_at_most(&self, place: &Place, most: usize) -> Result<Listing, BoardError> {
        let Some(folder) = self.find(place)? else { return Ok(Listing::default()) };
        let told = |why| failed(&self.path_of(place), "listing it", why);
        // In an order that nobody else knows, which is also a choice where there are too many.
        let random = RandomState::new();
        let shuffle = |listing: &mut Listing| {
            listing.entries.sort_by_cached_key(|entry| random.hash_one(entry.name));
            listing.cut |= listing.entries.len() > MOST_ENTRIES;
            listing.entries.truncate(MOST_ENTRIES);
        };
        let mut listing = Listing::default();
        let mut count = 0;
        for entry in Dir::read_from(&folder).map_err(told)? {
            let entry = entry.map_err(told)?;
            let Some(name) = Name::parse(entry.file_name().to_bytes()) else { continue };
            if count == most {
                listing.cut = true;
                break;
            }
            count += 1;
            let Ok(stat) = statat(&folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                listing.entries.push(entry_of(name, &stat));
            }
            if listing.entries.len() == 2 * MOST_ENTRIES {
                shuffle(&mut listing);
            }
        }
        shuffle(&mut listing);
        Ok(listing)
    }

    /// The folder of a place, made where there is none.
    fn make(&self, place: &Place) -> Result<OwnedFd, BoardError> {
        let (mut at, mut path): (Option<OwnedFd>, _) = (None, self.path.clone());
        for name in [TOP, &place.topic(), place.shelf()] {
            let from = at.as_ref().unwrap_or(&self.root);
            path.push(name);
            let shared = fstat(from).map_or(0o755, |stat| stat.st_mode & SHARED_BITS);
            let made = match mkdirat(from, name, Mode::from_raw_mode(0o755)) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(why) => return Err(failed(&path, "making it", why)),
            };
            let next = match openat(from, name, BELOW, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOTDIR | Errno::LOOP) => return Err(BoardError::Blocked(path)),
                Err(why) => return Err(failed(&path, "opening it", why)),
            };
            if made {
                // Where there are no permissions, none are needed.
                let _ = fchmod(&next, Mode::from_raw_mode(shared | 0o700));
                synced(from, &path)?;
            }
            at = Some(next);
        }
        at.ok_or(BoardError::Missing(path))
    }
}

impl Board for Folder {
    fn list(&self, place: &Place) -> Result<Listing, BoardError> {
        self.list_at_most(place, MOST_NAMES)
    }

    fn read(&self, place: &Place, entry: &Entry) -> Result<Option<Vec<u8>>, BoardError> {
        let Some(folder) = self.find(place)? else { return Ok(None) };
        // A pipe that has come there since would not answer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = openat(&folder, entry.name.to_string(), flags, Mode::empty()) else {
            return Ok(None);
        };
        let same = fstat(&file).is_ok_and(|stat| {
            FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
                && entry_of(entry.name, &stat) == *entry
        });
        let Some(len) = usize::try_from(entry.len).ok().filter(|_| same) else { return Ok(None) };
        let mut bytes = vec![0; len];
        let read = std::fs::File::from(file).read_exact(&mut bytes);
        Ok(read.is_ok().then_some(bytes))
    }

    fn publish(&self, place: &Place, bytes: &[u8]) -> Result<(), BoardError> {
        let (folder, path) = (self.make(place)?, self.path_of(place));
        let mut name = Name::of(bytes);
        if statat(&folder, name.to_string(), AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            // Whatever has the name is not these bytes, or they would not be published.
            name = name.beside(fresh());
        }
        let making = format!(".new-{}", hex::encode(fresh()));
        let written = write(&folder, &making, bytes).and_then(|()| {
            let back = back(&folder, &making, bytes.len())?;
            if back != bytes {
                return Err(io::ErrorKind::InvalidData.into());
            }
            named(&folder, &making, &name.to_string())
        });
        if let Err(error) = written {
            let _ = unlinkat(&folder, making, AtFlags::empty());
            return Err(match error.kind() {
                ErrorKind::InvalidData => BoardError::ReadBack(path),
                why => BoardError::Io { path, doing: "writing to it", why },
            });
        }
        synced(&folder, &path)
    }
}

fn failed(path: &Path, doing: &'static str, why: Errno) -> BoardError {
    BoardError::Io { path: path.to_owned(), doing, why: why.kind() }
}

fn fresh() -> [u8; 8] {
    let mut bytes = [0; 8];
    random::os().fill_bytes(&mut bytes);
    bytes
}

fn entry_of(name: Name, stat: &Stat) -> Entry {
    let len = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    // The numbers' types are the system's.
    let time = sha256(&[format!("{}.{}", stat.st_mtime, stat.st_mtime_nsec).as_bytes()]);
    let mut first = [0; 8];
    first.copy_from_slice(&time[..8]);
    let changed = u64::from_be_bytes(first);
    Entry { name, len, changed }
}

/// Whoever may read the folder may read what is in it.
fn write(folder: &OwnedFd, name: &str, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::from_raw_mode(0o600))?;
    let readers = fstat(folder)?.st_mode & 0o044;
    let _ = fchmod(&file, Mode::from_raw_mode(0o600 | readers));
    let mut file = std::fs::File::from(file);
    file.write_all(bytes)?;
    file.sync_all()
}

fn back(folder: &OwnedFd, name: &str, len: usize) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = std::fs::File::from(openat(folder, name, flags, Mode::empty())?);
    let mut bytes = Vec::with_capacity(len);
    let most = u64::try_from(len).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Gives a file its name, in the place of nothing.
fn named(folder: &OwnedFd, from: &str, to: &str) -> io::Result<()> {
    match renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        // File systems that cannot: network and user-space ones. A name that somebody takes within
        // this moment is that of the same bytes, or of junk.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if statat(folder, to, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            Ok(renameat(folder, from, folder, to)?)
        }
        // Another process of this program was faster.
        done => Ok(done?),
    }
}

/// Makes the names in a folder durable, where the file system knows what that is.
fn synced(folder: &OwnedFd, path: &Path) -> Result<(), BoardError> {
    match fsync(folder) {
        Ok(()) | Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::BADF) => Ok(()),
        Err(why) => Err(failed(path, "making it durable", why)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_of_a_file_keeps_nothing_from_being_listed() {
        let dir = tempfile::tempdir().unwrap();
        let board = Folder::open(dir.path()).unwrap();
        let place = Place::of_request(quorate::primitives::hash::Digest([1; 32]));
        for bytes in [b"one", b"two"] {
            board.publish(&place, bytes).unwrap();
        }
        for i in 0..100 {
            std::fs::write(board.path_of(&place).join(format!("junk-{i}")), "").unwrap();
        }
        let listing = board.list_at_most(&place, 2).unwrap();
        assert_eq!((listing.entries.len(), listing.cut), (2, false));
        let listing = board.list_at_most(&place, 1).unwrap();
        assert_eq!((listing.entries.len(), listing.cut), (1, true));
    }
}
