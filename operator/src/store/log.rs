//! The append-only sealed log: what an operator must remember of a ceremony. `log_format.rs`
//! defines its bytes.
//!
//! # Security
//! Someone who cannot open the log cannot change, reorder, exchange or insert records, nor remove
//! any except the last ones. Putting an *older copy* of the whole file back, or deleting it, cannot
//! be noticed from the file alone. Erased records are in no file any more, and the key of the file
//! that they were in is overwritten on disk; what a disk keeps beneath its file system, and what
//! snapshots and backups hold, is beyond reach.

use std::path::Path;

use quorate::primitives::secret::{Secret32, SecretBytes};

use super::atomic;
use super::ceremony_dir::{CeremonyDir, CeremonyView};
use super::dir::open_private;
use super::disk::{Access, Handle};
use super::error::{At as _, StoreError};
use super::log_format::{
    LONGEST_BODY, LogKey, Marked, RECORDS, Record, Scanned, read_header, scan,
};

/// A log, open for writing.
pub struct Log {
    dir: CeremonyDir,
    storage: Secret32,
    context: [u8; 32],
    chain: Chain,
    /// Up to where space is set aside.
    reserved: u64,
    /// A failed write could not be taken back.
    stopped: bool,
}

/// An open log file.
struct Chain {
    file: Box<dyn Handle>,
    key: LogKey,
    marked: Marked,
    /// Where the next append goes.
    end: u64,
    kinds: Vec<u8>,
}

impl Log {
    /// A new log without records. One that exists is [`StoreError::Exists`].
    pub fn create(
        dir: &CeremonyDir,
        storage: &Secret32,
        context: &[u8; 32],
    ) -> Result<Self, StoreError> {
        let key = LogKey::fresh(storage, context)?;
        atomic::write_new(&*dir.view().disk, &dir.view().log_path(), &key.empty_file(), 0o600)?;
        Ok(Self::open(dir, storage, context)?.0)
    }

    /// The log and its records. Drops what a crash left of an append that never succeeded; refuses
    /// everything else that does not hold.
    pub fn open(
        dir: &CeremonyDir,
        storage: &Secret32,
        context: &[u8; 32],
    ) -> Result<(Self, Vec<Record>), StoreError> {
        let disk = &*dir.view().disk;
        let path = dir.view().log_path();
        let (file, stat) = open_private(disk, &path, Access::ReadWrite)?;
        let (key, mut marked) = read_header(&path, &*file, storage, context)?;
        let mut records = Vec::new();
        let Scanned { end, kinds } = scan(&path, &*file, &key, marked, |record| {
            records.push(record);
            Ok(())
        })?;
        if stat.len > end {
            file.set_len(end).at(&path, "removing an unfinished record")?;
        }
        // The run that wrote the file, or renamed it, may have been killed before it could sync.
        file.sync().at(&path, "syncing")?;
        disk.sync_dir(atomic::parent(&path)).at(atomic::parent(&path), "syncing the directory")?;
        if marked.len != end {
            marked.advance(&*file, &key, end);
        }
        let chain = Chain { file, key, marked, end, kinds };
        let storage = Secret32::copied(storage.expose());
        Ok((
            Self {
                dir: dir.clone(),
                storage,
                context: *context,
                chain,
                reserved: end,
                stopped: false,
            },
            records,
        ))
    }

    /// The log and its records; a new one if there is none.
    pub fn open_or_create(
        dir: &CeremonyDir,
        storage: &Secret32,
        context: &[u8; 32],
    ) -> Result<(Self, Vec<Record>), StoreError> {
        match dir.view().has_log()? {
            true => Self::open(dir, storage, context),
            false => Ok((Self::create(dir, storage, context)?, Vec::new())),
        }
    }

    /// The records of a log that another process may be writing to. Changes nothing.
    pub fn read(
        view: &CeremonyView,
        storage: &Secret32,
        context: &[u8; 32],
    ) -> Result<Vec<Record>, StoreError> {
        let path = view.log_path();
        let attempt = || {
            let (file, _) = open_private(&*view.disk, &path, Access::Read)?;
            let (key, marked) = read_header(&path, &*file, storage, context)?;
            let mut records = Vec::new();
            scan(&path, &*file, &key, marked, |record| {
                records.push(record);
                Ok(())
            })?;
            Ok(records)
        };
        // What an append or a compaction changed between two reads looks like damage, once.
        attempt().or_else(|_: StoreError| attempt()).or_else(|_| attempt())
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.chain.kinds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chain.kinds.is_empty()
    }

    /// Whether there is a record of this kind.
    pub fn holds(&self, kind: u8) -> bool {
        self.chain.kinds.contains(&kind)
    }

    /// Appends records. When this returns they are durable; after an error or a crash, all of them
    /// are in the log or none is.
    ///
    /// After an error the log is as before, and the same append can be tried again, unless even
    /// that could not be ensured: then every later call says [`StoreError::LogStopped`], and the
    /// log must be opened again.
    pub fn append(&mut self, records: &[Record]) -> Result<(), StoreError> {
        self.check_usable()?;
        let path = self.path();
        if let Some(record) =
            records.iter().find(|record| record.body.expose().len() > LONGEST_BODY)
        {
            let found = record.body.expose().len() as u64;
            return Err(StoreError::TooLong { path, found, most: LONGEST_BODY as u64 });
        }
        if records.is_empty() {
            return Ok(());
        }
        let chain = &mut self.chain;
        match chain
            .write(&path, records)
            .and_then(|end| chain.file.sync().at(&path, "syncing").map(|()| end))
        {
            Ok(end) => {
                chain.marked.advance(&*chain.file, &chain.key, end);
                chain.end = end;
                chain.kinds.extend(records.iter().map(|record| record.kind));
                Ok(())
            }
            Err(error) => {
                self.take_back();
                Err(error)
            }
        }
    }

    /// Cuts off what a failed append left. What a failed sync left in memory only goes with it, or
    /// is written anew: the mark here, the rest by the next append.
    fn take_back(&mut self) {
        let Chain { file, key, marked, end, .. } = &mut self.chain;
        let cut = file.set_len(*end);
        marked.advance(&**file, key, *end);
        self.stopped = cut.and_then(|()| file.sync()).is_err();
        self.reserve_again();
    }

    /// Reads the whole log back from the disk through a fresh descriptor, and gives the bodies of
    /// the records of this kind.
    pub fn reread(&self, kind: u8) -> Result<Vec<SecretBytes>, StoreError> {
        self.check_usable()?;
        let mut bodies = Vec::new();
        self.check_on_disk(&self.path(), &self.chain, |record| {
            if record.kind == kind {
                bodies.push(record.body);
            }
        })?;
        Ok(bodies)
    }

    /// Sets space aside for this many more bytes of log, so that a full disk shows now. Where the
    /// file system cannot, looks whether there is as much. A compaction and a failed append try to
    /// keep what is set aside, but cannot promise it.
    pub fn reserve(&mut self, bytes: u64) -> Result<(), StoreError> {
        self.check_usable()?;
        let end = self.chain.end;
        if bytes > 0 {
            self.chain.file.reserve(end, bytes).at(&self.path(), "reserving space")?;
            self.reserved = self.reserved.max(end.saturating_add(bytes));
        }
        Ok(())
    }

    /// Best effort: an append that finds no space fails before anything is sent.
    fn reserve_again(&self) {
        let rest = self.reserved.saturating_sub(self.chain.end);
        if rest > 0 {
            let _ = self.chain.file.reserve(self.chain.end, rest);
        }
    }

    /// Erases the records whose kind `keep` refuses; the others keep their order. After an error or
    /// a crash, all of them are in the log, or only those to keep. Errors as in [`Log::append`].
    ///
    /// The kept records go to a new file with a new salt, which takes the log's name when it is
    /// durable and was read back. Then the old file's salt is overwritten; without it the old
    /// file's key cannot be made again.
    pub fn compact(&mut self, keep: impl Fn(u8) -> bool) -> Result<(), StoreError> {
        self.check_usable()?;
        if self.chain.kinds.iter().all(|kind| keep(*kind)) {
            return Ok(());
        }
        let disk = self.dir.view().disk.clone();
        let path = self.path();
        let home = atomic::parent(&path);
        let temporary = home.join(atomic::fresh_name(atomic::IN_THE_MAKING)?);
        let written = self.rewrite(&temporary, keep).and_then(|new| {
            self.check_on_disk(&temporary, &new, drop)?;
            Ok(new)
        });
        let new = match written {
            Ok(new) => new,
            Err(error) => {
                let _ = disk.remove_file(&temporary);
                return Err(atomic::renamed(error, &path));
            }
        };
        if let Err(error) = disk.rename_over(&temporary, &path).at(&path, "naming") {
            let _ = disk.remove_file(&temporary);
            // Should the name have changed all the same, nothing may be appended to the file
            // without one.
            self.stopped = self.check_on_disk(&path, &self.chain, drop).is_err();
            return Err(error);
        }
        let rest = self.reserved.saturating_sub(self.chain.end);
        let old = std::mem::replace(&mut self.chain, new).file;
        self.reserved = self.chain.end.saturating_add(rest);
        // Until the new name is durable, nothing may be appended to what may turn out to be the
        // wrong file.
        let settled = disk.sync_dir(home).at(home, "syncing the directory");
        self.stopped = settled.is_err();
        settled?;
        // Another name (a backup by hard links) is the operator's own decision.
        if old.stat().is_ok_and(|stat| stat.links == 0) {
            let _ = old.write_at(0, &[0; 4096]).and_then(|()| old.sync());
        }
        self.reserve_again();
        Ok(())
    }

    /// A durable log file at `path` with the records to keep.
    fn rewrite(&self, path: &Path, keep: impl Fn(u8) -> bool) -> Result<Chain, StoreError> {
        let key = LogKey::fresh(&self.storage, &self.context)?;
        let file = self.dir.view().disk.create(path, 0o600).at(path, "creating")?;
        file.write_at(0, &key.empty_file()).at(path, "writing")?;
        let mut new = Chain { file, key, marked: Marked::EMPTY, end: RECORDS, kinds: Vec::new() };
        self.chain.check(&self.path(), &*self.chain.file, |record| {
            if keep(record.kind) {
                new.end = new.write(path, std::slice::from_ref(&record))?;
                new.kinds.push(record.kind);
            }
            Ok(())
        })?;
        // Nobody sees the file before all of this is durable.
        new.marked.advance(&*new.file, &new.key, new.end);
        new.file.sync().at(path, "syncing")?;
        Ok(new)
    }

    /// Reads `path` through a fresh descriptor, past the system's memory where that can be asked
    /// for. It must be exactly this chain.
    fn check_on_disk(
        &self,
        path: &Path,
        chain: &Chain,
        mut visit: impl FnMut(Record),
    ) -> Result<(), StoreError> {
        let (file, stat) = open_private(&*self.dir.view().disk, path, Access::Read)?;
        file.forget_cache();
        let (key, marked) = read_header(path, &*file, &self.storage, &self.context)?;
        if !key.is(&chain.key) || marked.len != chain.marked.len || stat.len != chain.end {
            return Err(StoreError::ReadBack { path: path.to_owned() });
        }
        chain.check(path, &*file, |record| {
            visit(record);
            Ok(())
        })
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.view().log_path()
    }

    fn check_usable(&self) -> Result<(), StoreError> {
        match self.stopped {
            false => Ok(()),
            true => Err(StoreError::LogStopped { path: self.path() }),
        }
    }
}

impl Chain {
    /// Reads `file`, which must hold exactly the records that this chain has.
    fn check(
        &self,
        path: &Path,
        file: &dyn Handle,
        visit: impl FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let scanned = scan(path, file, &self.key, self.marked, visit)?;
        match scanned.end == self.end && scanned.kinds == self.kinds {
            true => Ok(()),
            false => Err(StoreError::ReadBack { path: path.to_owned() }),
        }
    }

    /// Writes one append behind the end, and tells where it ends. It counts when it is synced, and
    /// the end moved.
    fn write(&self, path: &Path, records: &[Record]) -> Result<u64, StoreError> {
        let mut at = self.end;
        for (position, record) in records.iter().enumerate() {
            let last = position + 1 == records.len();
            let sealed = self.key.seal(
                (self.kinds.len() + position) as u64,
                record.kind,
                last,
                &record.body,
            )?;
            self.file.write_at(at, &sealed).at(path, "writing")?;
            at += sealed.len() as u64;
        }
        Ok(at)
    }
}
