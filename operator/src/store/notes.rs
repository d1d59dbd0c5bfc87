//! Notes about backups: that a directory was restored from one, and when the newest was made.

use quorate::primitives::codec::{DecodeError, Reader, Writer};
use quorate::primitives::hash::{Digest, sha256};

use super::atomic;
use super::dir::{Lock, StateDir, check_private};
use super::error::StoreError;

const RESTORED_MAGIC: &[u8; 4] = b"QRST";
const BACKUP_MAGIC: &[u8; 4] = b"QBNO";
const VERSION: u16 = 1;
/// Their folder, of ceremonies that came out of a backup.
const RESTORED: &str = "restored";
/// How the name of the second note ends.
const NEWEST: &str = ".newest";
/// How the name of the third note ends.
const ASKED: &str = ".asked";
const ASKED_MAGIC: &[u8; 4] = b"QRAS";
/// As many answers as are ever kept, each of the longest.
const LONGEST_ASKED: u64 = 8 << 20;
/// Name of the note about the newest backup.
const BACKUP: &str = "backup.note";
/// 65535 names, and what stands around them.
const LONGEST: u64 = 4 + 2 + 8 + 8 + 32 + 2 + 8 * 65535 + 32;

/// That a finished ceremony came out of a backup: newer shares of its validators may exist. With
/// zero in its place: that the directory did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made, in seconds since 1970: of several, the oldest, since nothing that
    /// was signed or dealt after it and before it was restored is known.
    pub made: u64,
    /// The ceremony.
    pub ceremony: Digest,
}

/// The newest backup that was made, or opened, with this directory at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupNote {
    /// When it was made, in seconds since 1970.
    pub made: u64,
    /// When it was last opened.
    pub opened: u64,
    /// SHA-256 of the file.
    pub file: [u8; 32],
    /// Ceremonies that it has, by the first bytes of their digests, ascending.
    pub ceremonies: Vec<[u8; 8]>,
}

/// What was asked last about shares that came out of a backup, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The question.
    pub ask: Vec<u8>,
    /// The answers that count.
    pub answers: Vec<Vec<u8>>,
}

/// With a digest behind it: a damaged note says nothing else.
fn closed(w: Writer) -> Vec<u8> {
    let mut bytes = w.finish();
    bytes.extend(sha256(&[&bytes]));
    bytes
}

/// What stands in front of the digest, behind magic and version.
fn opened<T>(
    bytes: &[u8],
    magic: &[u8; 4],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Option<T> {
    let (body, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if sha256(&[body]) != digest {
        return None;
    }
    let front = (*magic, VERSION);
    let read = Reader::all(body, |r| Ok(((r.array("magic")?, r.u16("version")?), read(r)?)));
    read.ok().filter(|(found, _)| *found == front).map(|(_, value)| value)
}

impl Restored {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let w = Writer::default().bytes(RESTORED_MAGIC).u16(VERSION).u64(self.made);
        closed(w.bytes(self.ceremony.as_bytes()))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        opened(bytes, RESTORED_MAGIC, |r| {
            Ok(Self { made: r.u64("made")?, ceremony: Digest(r.array("ceremony")?) })
        })
    }

    fn name(ceremony: &Digest) -> String {
        hex::encode(&ceremony.as_bytes()[..8])
    }
}

impl Asked {
    fn encode(&self) -> Vec<u8> {
        let block = |w: Writer, bytes: &Vec<u8>| {
            w.u32(u32::try_from(bytes.len()).expect("bounded")).bytes(bytes)
        };
        let count = u16::try_from(self.answers.len()).expect("a few for each operator");
        let w = block(Writer::default().bytes(ASKED_MAGIC).u16(VERSION), &self.ask);
        closed(w.u16(count).each(&self.answers, block))
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let block = |r: &mut Reader<'_>| {
            let length = usize::try_from(r.u32("length")?).unwrap_or(usize::MAX);
            r.bytes("block", length).map(<[u8]>::to_vec)
        };
        opened(bytes, ASKED_MAGIC, |r| {
            let ask = block(r)?;
            let count = usize::from(r.u16("count")?);
            let answers = (0..count).map(|_| block(r)).collect::<Result<_, _>>()?;
            Ok(Self { ask, answers })
        })
    }
}

impl BackupNote {
    fn encode(&self) -> Vec<u8> {
        let count = u16::try_from(self.ceremonies.len()).expect("as many as a backup has");
        let w = Writer::default().bytes(BACKUP_MAGIC).u16(VERSION);
        let w = w.u64(self.made).u64(self.opened).bytes(&self.file).u16(count);
        closed(w.each(&self.ceremonies, |w, name| w.bytes(name)))
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        opened(bytes, BACKUP_MAGIC, |r| {
            let (made, opened, file) = (r.u64("made")?, r.u64("opened")?, r.array("file")?);
            let count = usize::from(r.u16("count")?);
            let ceremonies = r.many(count, |r| r.array("ceremony"))?;
            Ok(Self { made, opened, file, ceremonies })
        })
    }
}

impl StateDir {
    /// Whether this ceremony came out of a backup, and no person has said since that no newer
    /// shares of its validators exist.
    ///
    /// # Errors
    /// A note that is damaged is [`StoreError::NoteDamaged`].
    pub fn unsure(&self, ceremony: &Digest) -> Result<Option<Restored>, StoreError> {
        let (restored, newest) = (self.restored(ceremony)?, self.newest(ceremony)?);
        Ok(restored.filter(|restored| newest != Some(*restored)))
    }

    /// What is not known of a ceremony's keys where no log here tells: of the whole keys that an
    /// import deals, whether they were dealt since the backup that this directory came out of; of
    /// the shares that a witness stops, what it has committed them to since. `None` if it came out
    /// of none, or if a person has said so of this import or reshare.
    ///
    /// # Errors
    /// As [`StateDir::unsure`].
    pub fn unsure_beside(&self, own: &Digest) -> Result<Option<Restored>, StoreError> {
        let directory = self.restored(&Digest::ZERO)?;
        let note = directory.map(|note| Restored { ceremony: *own, ..note });
        let newest = self.newest(own)?;
        Ok(note.filter(|note| newest != Some(*note)))
    }

    /// Whether this ceremony came out of a backup; with zero in its place, this directory.
    ///
    /// # Errors
    /// As [`StateDir::unsure`].
    pub fn restored(&self, ceremony: &Digest) -> Result<Option<Restored>, StoreError> {
        self.note_of(&Restored::name(ceremony), ceremony)
    }

    /// What was asked last about the shares of this ceremony, and what was answered.
    ///
    /// # Errors
    /// As [`StateDir::unsure`].
    pub fn asked(&self, ceremony: &Digest) -> Result<Option<Asked>, StoreError> {
        let path = self.path().join(RESTORED).join(Restored::name(ceremony) + ASKED);
        let (bytes, stat) = match atomic::read(&*self.disk, &path, LONGEST_ASKED) {
            Err(StoreError::Missing { .. }) => return Ok(None),
            read => read?,
        };
        check_private(&path, &stat)?;
        Asked::decode(&bytes).map(Some).ok_or(StoreError::NoteDamaged { path })
    }

    fn newest(&self, ceremony: &Digest) -> Result<Option<Restored>, StoreError> {
        self.note_of(&(Restored::name(ceremony) + NEWEST), ceremony)
    }

    fn note_of(&self, name: &str, ceremony: &Digest) -> Result<Option<Restored>, StoreError> {
        let path = self.path().join(RESTORED).join(name);
        let (bytes, stat) = match atomic::read(&*self.disk, &path, LONGEST) {
            Err(StoreError::Missing { .. }) => return Ok(None),
            read => read?,
        };
        check_private(&path, &stat)?;
        let note = Restored::decode(&bytes).filter(|note| note.ceremony == *ceremony);
        note.map(Some).ok_or(StoreError::NoteDamaged { path })
    }

    /// What is noted about the newest backup. A note that is damaged is none: nothing depends on
    /// it.
    pub fn backup_note(&self) -> Result<Option<BackupNote>, StoreError> {
        match atomic::read(&*self.disk, &self.path().join(BACKUP), LONGEST) {
            Err(StoreError::Missing { .. } | StoreError::TooLong { .. }) => Ok(None),
            read => Ok(BackupNote::decode(&read?.0)),
        }
    }
}

impl Lock {
    /// Notes that a ceremony came out of a backup.
    pub fn note_restored(&self, note: &Restored) -> Result<(), StoreError> {
        self.write_note(Restored::name(&note.ceremony), note)
    }

    /// Notes a person's word that no newer shares exist than those that came out of a backup.
    pub fn note_newest(&self, note: &Restored) -> Result<(), StoreError> {
        self.write_note(Restored::name(&note.ceremony) + NEWEST, note)
    }

    /// Notes what is asked about the shares of a ceremony, and what was answered, in the place of
    /// what was asked before.
    pub fn note_asked(&self, ceremony: &Digest, asked: &Asked) -> Result<(), StoreError> {
        let state = self.state();
        let folder = state.path().join(RESTORED);
        atomic::ensure_dir(&*state.disk, &folder, 0o700)?;
        let path = folder.join(Restored::name(ceremony) + ASKED);
        atomic::write_over(&*state.disk, &path, &asked.encode(), 0o600)
    }

    fn write_note(&self, name: String, note: &Restored) -> Result<(), StoreError> {
        let state = self.state();
        let folder = state.path().join(RESTORED);
        atomic::ensure_dir(&*state.disk, &folder, 0o700)?;
        atomic::write_once(&*state.disk, &folder.join(name), &note.encode(), 0o600)
    }

    /// Notes the newest backup, in the place of an older note.
    pub fn note_backup(&self, note: &BackupNote) -> Result<(), StoreError> {
        let state = self.state();
        atomic::write_over(&*state.disk, &state.path().join(BACKUP), &note.encode(), 0o600)
    }
}
