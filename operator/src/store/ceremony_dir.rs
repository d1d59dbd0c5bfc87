//! The directory of one ceremony in an operator's state.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate::export::Artifact;
use quorate::export::cut_over::CUT_OVER_FILE;
use quorate::export::recover::PROTECTION_FILE;
use quorate::primitives::hash::{Digest, sha256};

use super::atomic;
use super::dir::Lock;
use super::disk::Disk;
use super::error::{At as _, StoreError};
use super::outputs::{OUT, PUBLIC, SECRET, Staging};

const CEREMONY_FILE: &str = "ceremony.toml";
/// Transcripts of the ceremonies before this one.
const HISTORY: &str = "history";
/// How the names of what key managers gave begin.
const PROTECTION: &str = "protection";
const EVIDENCE: &str = "evidence";
/// Name of the note that the shares were erased.
const FORGOTTEN: &str = "forgotten";
/// What marks files of boards that are nothing.
const REJECTED: &str = "board.rejected";
/// A ceremony file is at most 4 MiB.
const LONGEST_CEREMONY_FILE: u64 = 4 << 20;
/// One statement of each kind and round: the longest deal has 4,000,000 points of 96 bytes among
/// three operators.
const LONGEST_OWN_EVIDENCE: u64 = 1 << 30;

/// Name of the log.
pub(super) const LOG_FILE: &str = "log.sealed";

/// A ceremony's directory, to be read:
///
/// ```text
/// ceremony.toml  log.sealed  evidence/  history/  out/public/  out/secret/
/// ```
#[derive(Clone)]
pub struct CeremonyView {
    pub(super) disk: Arc<dyn Disk>,
    path: PathBuf,
}

/// A ceremony's directory, to be written by the one process that has the state directory's
/// [`Lock`].
#[derive(Clone)]
pub struct CeremonyDir {
    view: CeremonyView,
    _lock: Lock,
}

impl CeremonyView {
    pub(super) fn new(disk: Arc<dyn Disk>, path: PathBuf) -> Self {
        Self { disk, path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The first 16 hexadecimal digits of the spec digest.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).expect("named by this room")
    }

    /// The ceremony file as it was agreed to, with the newest addresses; `None` if none was kept.
    pub fn ceremony_file(&self) -> Result<Option<Vec<u8>>, StoreError> {
        match atomic::read(&*self.disk, &self.path.join(CEREMONY_FILE), LONGEST_CEREMONY_FILE) {
            Ok((bytes, _)) => Ok(Some(bytes)),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether anything was begun here.
    pub fn has_log(&self) -> Result<bool, StoreError> {
        Ok(atomic::look(&*self.disk, &self.log_path())?.is_some())
    }

    /// Whether there is anything that comes only after a log: the ceremony file, outputs, or
    /// evidence. Without a log, they tell that one was lost.
    pub fn has_traces(&self) -> Result<bool, StoreError> {
        let file = atomic::look(&*self.disk, &self.path.join(CEREMONY_FILE))?.is_some();
        Ok(file || self.is_written()? || !self.evidence()?.is_empty())
    }

    /// Whether its shares were erased on request, or that was begun.
    pub fn is_forgotten(&self) -> Result<bool, StoreError> {
        Ok(atomic::look(&*self.disk, &self.path.join(FORGOTTEN))?.is_some())
    }

    /// Where the outputs are, or will be.
    pub fn out(&self) -> PathBuf {
        self.path.join(OUT)
    }

    /// Whether the outputs are there: all of them, as they appear together.
    pub fn is_written(&self) -> Result<bool, StoreError> {
        Ok(atomic::look(&*self.disk, &self.out())?.is_some())
    }

    /// Whether keystores are among them. New shares come with files about their beginning, also
    /// where no keystore was wanted.
    pub fn has_keystores(&self) -> Result<bool, StoreError> {
        let folder = self.out().join(SECRET);
        if atomic::look(&*self.disk, &folder)?.is_none() {
            return Ok(false);
        }
        let names = self.disk.list(&folder).at(&folder, "listing")?;
        Ok(names.iter().any(|name| name != PROTECTION_FILE && name != CUT_OVER_FILE))
    }

    /// The files of evidence.
    pub fn evidence(&self) -> Result<Vec<PathBuf>, StoreError> {
        let directory = self.path.join(EVIDENCE);
        match self.disk.list(&directory).at(&directory, "listing") {
            Ok(names) => Ok(names
                .iter()
                .filter(|name| !atomic::starts_with(name, "."))
                .map(|name| directory.join(name))
                .collect()),
            Err(StoreError::Missing { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The files of evidence of this name.
    pub fn evidence_of(&self, what: &str) -> Result<Vec<PathBuf>, StoreError> {
        let prefix = format!("{what}-");
        let is_one = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
                name.strip_prefix(&prefix)
                    .and_then(|rest| rest.strip_suffix(".quorate"))
                    .is_some_and(|digest| {
                        digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit())
                    })
            })
        };
        Ok(self.evidence()?.into_iter().filter(is_one).collect())
    }

    /// One of the files of evidence that this operator wrote about itself.
    pub fn read_evidence(&self, path: &Path) -> Result<Vec<u8>, StoreError> {
        Ok(atomic::read(&*self.disk, path, LONGEST_OWN_EVIDENCE)?.0)
    }

    /// A secret file among the outputs, of at most `most` bytes.
    pub fn read_secret(&self, name: &str, most: u64) -> Result<Vec<u8>, StoreError> {
        Ok(atomic::read(&*self.disk, &self.out().join(SECRET).join(name), most)?.0)
    }

    /// The transcripts of the ceremonies before this one, each with its name, as they were kept
    /// when it was begun.
    pub fn history(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let directory = self.path.join(HISTORY);
        if atomic::look(&*self.disk, &directory)?.is_none() {
            return Ok(Vec::new());
        }
        let mut names = self.disk.list(&directory).at(&directory, "listing")?;
        names.sort();
        let names = names.iter().filter_map(|name| name.to_str());
        let names = names.filter(|name| !name.starts_with('.') && name.ends_with(".quorate"));
        let read = |name: &str| {
            let (bytes, _) =
                atomic::read(&*self.disk, &directory.join(name), LONGEST_OWN_EVIDENCE)?;
            Ok((name.to_owned(), bytes))
        };
        names.map(read).collect()
    }

    /// The transcript among the outputs.
    pub fn read_transcript(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.out().join(PUBLIC).join("transcript.quorate");
        Ok(atomic::read(&*self.disk, &path, LONGEST_OWN_EVIDENCE)?.0)
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.path.join(LOG_FILE)
    }
}

impl CeremonyDir {
    /// Also removes what a killed run left in the making; outputs that were staged stay until they
    /// are staged again.
    pub(super) fn new(view: CeremonyView, lock: Lock) -> Result<Self, StoreError> {
        atomic::sweep(&*view.disk, &view.path)?;
        for inner in [EVIDENCE, HISTORY].map(|name| view.path.join(name)) {
            if atomic::look(&*view.disk, &inner)?.is_some() {
                atomic::sweep(&*view.disk, &inner)?;
            }
        }
        Ok(Self { view, _lock: lock })
    }

    /// The same, to be read.
    pub fn view(&self) -> &CeremonyView {
        &self.view
    }

    /// Keeps the ceremony file, in the place of one with other bytes: what it agrees to is in the
    /// name of this directory, and its addresses are hints of which the newest count. The caller
    /// has read it, and its digest is this directory's.
    pub fn write_ceremony_file(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.view.path.join(CEREMONY_FILE);
        if bytes.len() as u64 > LONGEST_CEREMONY_FILE {
            return Err(StoreError::TooLong {
                path,
                found: bytes.len() as u64,
                most: LONGEST_CEREMONY_FILE,
            });
        }
        match atomic::write_once(&*self.view.disk, &path, bytes, 0o644) {
            Err(StoreError::Differs { path }) => {
                atomic::write_over(&*self.view.disk, &path, bytes, 0o644)
            }
            written => written,
        }
    }

    /// Keeps the transcripts of the ceremonies before this one, under names made of their content:
    /// what was checked when it was begun is at hand when it goes on.
    pub fn keep_history(&self, transcripts: &[Vec<u8>]) -> Result<(), StoreError> {
        let directory = self.view.path.join(HISTORY);
        atomic::ensure_dir(&*self.view.disk, &directory, 0o700)?;
        for bytes in transcripts {
            let name = format!("{}.quorate", hex::encode(&sha256(&[bytes])[..8]));
            atomic::write_once(&*self.view.disk, &directory.join(name), bytes, 0o644)?;
        }
        Ok(())
    }

    /// Keeps what a key manager gave when it removed keys, under a name made of its content, for
    /// this user alone; tells where.
    pub fn keep_protection(&self, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let name = format!("{PROTECTION}-{}.json", hex::encode(&sha256(&[bytes])[..8]));
        let path = self.view.path.join(name);
        atomic::write_once(&*self.view.disk, &path, bytes, 0o600)?;
        Ok(path)
    }

    /// What [`Self::keep_rejected`] kept; nothing if there is none, or something else.
    pub fn rejected(&self, most: u64) -> Result<Vec<u8>, StoreError> {
        match atomic::read(&*self.view.disk, &self.view.path.join(REJECTED), most) {
            Ok((bytes, _)) => Ok(bytes),
            Err(StoreError::Missing { .. } | StoreError::TooLong { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Keeps the marks of files of boards that need not be read again, in the place of those kept
    /// before.
    pub fn keep_rejected(&self, bytes: &[u8]) -> Result<(), StoreError> {
        atomic::write_over(&*self.view.disk, &self.view.path.join(REJECTED), bytes, 0o600)
    }

    /// Keeps evidence, under a name made of what it is and of its content, and tells where. The
    /// same evidence again is fine. What is `private` is for this user alone: in a reshare it may
    /// hold shares of keys that live.
    pub fn write_evidence(
        &self,
        what: &str,
        bytes: &[u8],
        private: bool,
    ) -> Result<PathBuf, StoreError> {
        let directory = self.view.path.join(EVIDENCE);
        atomic::ensure_dir(&*self.view.disk, &directory, 0o700)?;
        let path =
            directory.join(format!("{what}-{}.quorate", hex::encode(&sha256(&[bytes])[..8])));
        atomic::write_once(&*self.view.disk, &path, bytes, if private { 0o600 } else { 0o644 })?;
        Ok(path)
    }

    /// Removes the evidence of this name, which no longer says what is so.
    pub fn remove_evidence(&self, what: &str) -> Result<(), StoreError> {
        let files = self.view.evidence_of(what)?;
        for path in &files {
            self.view.disk.remove_file(path).at(path, "removing")?;
        }
        let directory = self.view.path.join(EVIDENCE);
        match files.is_empty() {
            true => Ok(()),
            false => self.view.disk.sync_dir(&directory).at(&directory, "syncing the directory"),
        }
    }

    /// Notes, durably, that the shares of this ceremony are to be erased.
    pub fn note_forgotten(&self, ceremony: &Digest) -> Result<(), StoreError> {
        let path = self.view.path.join(FORGOTTEN);
        atomic::write_once(&*self.view.disk, &path, ceremony.as_bytes(), 0o600)
    }

    /// Removes the secret outputs, and what was staged. What a disk keeps beneath its file system
    /// is beyond reach; keystores are encrypted.
    pub fn erase_secrets(&self) -> Result<(), StoreError> {
        let disk = &*self.view.disk;
        let mut gone = super::outputs::staged_on(disk, &self.view.path)?;
        gone.push(self.view.out().join(SECRET));
        for path in gone {
            if atomic::look(disk, &path)?.is_some() {
                disk.remove_tree(&path).at(&path, "removing")?;
                let home = atomic::parent(&path);
                disk.sync_dir(home).at(home, "syncing the directory")?;
            }
        }
        Ok(())
    }

    /// Writes outputs where nobody looks yet; see [`Staging`]. What an earlier run had staged and
    /// not written is removed.
    pub fn stage(&self, artifacts: &[Artifact]) -> Result<Staging, StoreError> {
        Staging::new(self.clone(), artifacts)
    }
}
