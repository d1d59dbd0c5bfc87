//! A log in memory: for rehearsals, tests and examples.

use core::convert::Infallible;

use crate::message::envelope::Statement;
use crate::primitives::secret::SecretBytes;
use crate::protocol::evidence::Fault;
use crate::protocol::participant::Participant;
use crate::protocol::record::{Record, RecordKind};

use super::Storage;

/// A [`Storage`] that keeps its records in memory, writes no outputs, and never fails.
///
/// # Security
/// Nothing of it survives the process: an operator that restarts without its log signs other
/// statements for the same slots, which is equivocation. Never use it for keys that will hold
/// value.
#[derive(Default)]
pub struct InMemory {
    records: Vec<Record>,
    /// Certificate 2 was complete: outputs would have been written.
    pub outputs_written: bool,
    /// The faults that were proven.
    pub proofs: Vec<Fault>,
    /// Own statements that others hold and the records lack.
    pub elsewhere: Vec<Statement>,
}

impl InMemory {
    /// The records, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

impl Storage for InMemory {
    type Error = Infallible;

    fn persist(&mut self, records: Vec<Record>) -> Result<(), Infallible> {
        self.records.extend(records);
        Ok(())
    }

    fn erase(&mut self, kinds: &[RecordKind]) -> Result<(), Infallible> {
        self.records.retain(|record| !kinds.contains(&record.kind));
        Ok(())
    }

    fn read_back(&mut self, kind: RecordKind) -> Result<Vec<SecretBytes>, Infallible> {
        let bodies = self.records.iter().filter(|record| record.kind == kind);
        Ok(bodies.map(|record| SecretBytes::new(record.body.expose().to_vec())).collect())
    }

    fn stage(&mut self, _: &Participant) -> Result<(), Infallible> {
        Ok(())
    }

    fn write_outputs(&mut self, _: &Participant) -> Result<(), Infallible> {
        self.outputs_written = true;
        Ok(())
    }

    fn keep_proof(&mut self, _: &Participant, fault: &Fault) -> Result<(), Infallible> {
        self.proofs.push(fault.clone());
        Ok(())
    }

    fn keep_everything(&mut self, _: &Participant) -> Result<(), Infallible> {
        Ok(())
    }

    fn keep_elsewhere(
        &mut self,
        _: &Participant,
        elsewhere: &[Statement],
    ) -> Result<(), Infallible> {
        self.elsewhere = elsewhere.to_vec();
        Ok(())
    }
}
