//! The disk of one operator: an ordered log whose writes count when they are synced, and the
//! outputs. It fails at chosen operations.
//!
//! What it promises is what `store` promises and tests against every effect on a file system: the
//! records of one append are in the log together or not at all, and an erasure replaces the log by
//! one without the records.

use std::sync::Arc;

use crate::primitives::hash::Digest;
use crate::primitives::secret::SecretBytes;
use crate::protocol::outcome::ValidatorOutcome;
use crate::protocol::record::{Record, RecordKind};

use super::chance::Chance;

/// Why something was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The machine lost power.
    Crashed,
    /// The disk is full: the program ends.
    Full,
    /// The operator has committed to another reshare, by its notes: the program ends.
    OtherChild,
    /// The log does not replay, or an answer was refused: never right for an honest operator on an
    /// honest disk.
    Damaged,
}

/// When a machine loses power. Moments are counted: before and after every write, sync, erasure,
/// staging and publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Never.
    Steady,
    /// At any moment, with this probability (per mille).
    Flaky(u64),
    /// At this moment, once.
    CutAt(u64),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outputs {
    /// `D`.
    pub digest: Digest,
    /// `O`.
    pub outputs: Digest,
    /// Keys, public shares and signatures.
    pub validators: Vec<ValidatorOutcome>,
}

/// A record on a simulated disk. Its secrets are worth nothing.
#[derive(Clone)]
pub struct Entry {
    /// What it holds.
    pub kind: RecordKind,
    /// Its bytes.
    pub body: Arc<[u8]>,
}

/// What a disk holds durably.
#[derive(Clone, Default)]
pub struct Image {
    /// The log.
    pub log: Vec<Entry>,
    /// The outputs.
    pub outputs: Option<Arc<Outputs>>,
}

/// A disk.
pub struct Disk {
    /// What a crash leaves.
    pub image: Image,
    /// Every earlier state, for a rollback.
    pub earlier: Vec<Image>,
    /// When the power fails.
    pub power: Power,
    /// Probability (per mille) that there is no space for a write.
    pub full: u64,
    /// A write (counted from 0) for which there is no space, once.
    pub full_at: Option<u64>,
    /// Whether earlier states are kept.
    pub keep_earlier: bool,
    /// A planted mistake: appends return before they are durable.
    pub lies_about_sync: bool,
    /// What was acknowledged and is not durable.
    unsynced: Vec<Entry>,
    /// Moments so far at which power could fail.
    pub moments: u64,
    writes: u64,
    chance: Chance,
}

impl Disk {
    /// An empty disk.
    pub fn new(chance: Chance) -> Self {
        Self {
            image: Image::default(),
            earlier: Vec::new(),
            power: Power::Steady,
            full: 0,
            full_at: None,
            keep_earlier: false,
            lies_about_sync: false,
            unsynced: Vec::new(),
            moments: 0,
            writes: 0,
            chance,
        }
    }

    /// A moment at which power may fail.
    pub fn moment(&mut self) -> Result<(), Trouble> {
        let at = self.moments;
        self.moments += 1;
        let cut = match self.power {
            Power::Steady => false,
            Power::Flaky(permille) => self.chance.happens(permille),
            Power::CutAt(moment) => moment == at,
        };
        if !cut {
            return Ok(());
        }
        self.unsynced.clear();
        Err(Trouble::Crashed)
    }

    fn space(&mut self) -> Result<(), Trouble> {
        let at = self.writes;
        self.writes += 1;
        match self.full_at == Some(at) || self.chance.happens(self.full) {
            true => Err(Trouble::Full),
            false => Ok(()),
        }
    }

    fn remember(&mut self) {
        if self.keep_earlier {
            self.earlier.push(self.image.clone());
        }
    }

    /// Appends records: all of them are durable when this returns. A crash in between leaves any
    /// part of the bytes on the disk; what is not whole is dropped when the log is opened, so all
    /// of them are there or none.
    pub fn append(&mut self, records: &[Record]) -> Result<(), Trouble> {
        if records.is_empty() {
            return Ok(());
        }
        self.moment()?;
        self.space()?;
        let entries: Vec<Entry> = records
            .iter()
            .map(|record| Entry { kind: record.kind, body: record.body.expose().into() })
            .collect();
        self.remember();
        if self.lies_about_sync {
            self.unsynced.extend(entries);
            return Ok(());
        }
        if let Err(crash) = self.moment() {
            // Written, not synced: each of its records and the torn one behind them may have
            // reached the disk.
            let reached = self.chance.position(entries.len() + 2);
            if reached > entries.len() {
                self.image.log.extend(entries);
            }
            return Err(crash);
        }
        self.image.log.extend(entries);
        self.moment()
    }

    /// Erases the records of these kinds, if there are any.
    pub fn erase(&mut self, kinds: &[RecordKind]) -> Result<(), Trouble> {
        if !self.image.log.iter().any(|entry| kinds.contains(&entry.kind)) {
            return Ok(());
        }
        self.moment()?;
        self.space()?;
        let mut next = self.image.log.clone();
        next.retain(|entry| !kinds.contains(&entry.kind));
        self.remember();
        if let Err(crash) = self.moment() {
            // The new file's name was not durable: either file may be there.
            if self.chance.happens(500) {
                self.image.log = next;
            }
            return Err(crash);
        }
        self.image.log = next;
        self.moment()
    }

    /// Writes outputs beside the written ones: nothing that anybody sees.
    pub fn stage(&mut self) -> Result<(), Trouble> {
        self.moment()?;
        self.space()?;
        self.moment()
    }

    /// Makes the outputs appear, at once.
    pub fn write_out(&mut self, outputs: Outputs) -> Result<(), Trouble> {
        self.moment()?;
        self.space()?;
        self.remember();
        self.image.outputs = Some(Arc::new(outputs));
        self.moment()
    }

    /// The records as a program reads them when it starts, or reads them back.
    pub fn records(&self) -> Vec<Record> {
        let all = self.image.log.iter().chain(&self.unsynced);
        all.map(|entry| Record { kind: entry.kind, body: SecretBytes::new(entry.body.to_vec()) })
            .collect()
    }

    /// The bodies of the records of a kind, read from the disk itself.
    pub fn durable(&self, kind: RecordKind) -> impl Iterator<Item = &Arc<[u8]>> {
        self.image.log.iter().filter(move |entry| entry.kind == kind).map(|entry| &entry.body)
    }

    /// Puts an earlier state back: the log only, or the outputs too.
    pub fn roll_back(&mut self, to: usize, outputs_too: bool) {
        let earlier = self.earlier[to].clone();
        self.image.log = earlier.log;
        if outputs_too {
            self.image.outputs = earlier.outputs;
        }
        self.unsynced.clear();
    }
}
