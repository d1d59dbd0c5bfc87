//! Backups of an operator: what is in one, how it is gathered, and how a directory is made of it
//! (`ceremony-specs/09-storage.md`, section 9.5).

mod format;
mod gather;
mod restore;

pub use format::{BackupError, LONGEST, seal};
pub use gather::{Unsettled, settled};

use std::sync::Arc;

use quorate::identity::Operator;
use quorate::primitives::hash::Digest;
use quorate::primitives::secret::SecretBytes;
use quorate::spec::Ceremony;

use crate::store::{Child, Ledger, Record, Restored};

/// What backups are sealed under, in the place of a file name.
pub const LABEL: &str = "backup";

/// First bytes of a ceremony digest, which name its folder.
pub type Name = [u8; 8];

/// Everything that brings one operator back.
pub struct Backup {
    /// When it was made, in seconds since 1970.
    pub made: u64,
    /// The operator's keys.
    pub operator: Arc<Operator>,
    /// Ceremonies that are over for this operator, ascending by digest.
    pub ceremonies: Vec<Kept>,
    /// Logs of what was signed with keystores alone, sealed as they were, ascending by name.
    pub ledgers: Vec<Ledger>,
    /// Reshares that this operator has committed to, ascending by their bytes.
    pub children: Vec<Child>,
    /// The key of its node in an Obol cluster, as its file has it.
    pub node_key: Option<SecretBytes>,
    /// What it answers without being asked, as written by hand.
    pub signing: Option<Vec<u8>>,
    /// Ceremonies that were under way, and are not in it; ascending.
    pub left_out: Vec<Name>,
    /// What the directory came out of itself: its notes of older backups, of ceremonies that are in
    /// it, and with zero in the place of a digest of the directory. Ascending.
    pub restored: Vec<Restored>,
}

impl Backup {
    /// From when on nothing of this ceremony is known, in seconds since 1970: the time of this
    /// backup, or of an older one that the directory came out of. Zero stands for the directory.
    pub fn known_until(&self, ceremony: &Digest) -> u64 {
        let older = self.restored.iter().filter(|note| note.ceremony == *ceremony);
        older.map(|note| note.made).fold(self.made, u64::min)
    }
}

/// How a ceremony ended for this operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its log comes to the end of the ceremony.
    Finished,
    /// It has signed that it gives up.
    Abandoned,
}

/// A ceremony that is over for this operator.
pub struct Kept {
    /// Which one.
    pub ceremony: Arc<Ceremony>,
    /// Its file, as it was kept.
    pub file: Vec<u8>,
    /// How it ended.
    pub end: End,
    /// Transcripts of its parents, ascending.
    pub history: Vec<Vec<u8>>,
    /// What the log holds of lasting use, in its order.
    pub records: Vec<Record>,
}

impl Kept {
    /// The name of its folder.
    pub fn name(&self) -> Name {
        *self.ceremony.digest().as_bytes().first_chunk().expect("32 bytes")
    }
}
