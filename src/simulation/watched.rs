//! The disk of a running program as its exchange uses it: watched by the oracles, and wrong where a
//! mistake is planted.

use std::sync::Arc;

use crate::exchange::Storage;
use crate::message::envelope::Statement;
use crate::primitives::secret::SecretBytes;
use crate::protocol::child;
use crate::protocol::evidence::Fault;
use crate::protocol::participant::{Participant, Step};
use crate::protocol::record::{Record, RecordKind};

use super::bug::Bug;
use super::disk::{Outputs, Trouble};
use super::home::Home;
use super::oracle::Watch;

/// The home of a running program, watched by the oracles.
pub(super) struct Watched<'a> {
    pub(super) home: &'a mut Home,
    pub(super) watch: &'a mut Watch,
}

impl Storage for Watched<'_> {
    type Error = Trouble;

    fn persist(&mut self, mut records: Vec<Record>) -> Result<(), Trouble> {
        if self.home.bug == Some(Bug::DropsShares) {
            records.retain(|record| record.kind != RecordKind::Shares);
        }
        if self.home.bug == Some(Bug::RegainsAnother) {
            records.iter_mut().filter(|record| record.kind == RecordKind::Shares).for_each(another);
        }
        let said = records.iter().filter(|record| record.kind == RecordKind::Statement);
        let seat = &self.home.seat;
        if child::commits(&seat.ceremony, seat.me, said.map(|record| record.body.expose())) {
            self.home.note()?;
        }
        self.watch.records(&self.home.seat, &records);
        let appended = self.home.disk.append(&records);
        self.home.mirror();
        appended
    }

    fn erase(&mut self, kinds: &[RecordKind]) -> Result<(), Trouble> {
        let mut kinds = kinds.to_vec();
        if self.home.bug == Some(Bug::ErasesShares) {
            kinds.push(RecordKind::Shares);
        }
        self.home.disk.erase(&kinds)
    }

    fn read_back(&mut self, kind: RecordKind) -> Result<Vec<SecretBytes>, Trouble> {
        let home = &mut *self.home;
        home.disk.moment()?;
        if matches!(home.bug, Some(Bug::SkipsReread | Bug::SkipsSync)) {
            let bodies = home.disk.records().into_iter().filter(|record| record.kind == kind);
            return Ok(bodies.map(|record| record.body).collect());
        }
        let bodies: Vec<Arc<[u8]>> = home.disk.durable(kind).cloned().collect();
        if kind == RecordKind::Shares {
            home.reread = bodies.first().cloned();
        }
        Ok(bodies.iter().map(|body| SecretBytes::new(body.to_vec())).collect())
    }

    fn stage(&mut self, participant: &Participant) -> Result<(), Trouble> {
        // Before the final, which binds.
        self.home.note()?;
        if self.home.disk.image.outputs.is_none() {
            self.home.disk.stage()?;
            self.home.staged = true;
            if self.home.bug == Some(Bug::WritesEarly) {
                self.write_outputs(participant)?;
            }
        }
        Ok(())
    }

    fn write_outputs(&mut self, participant: &Participant) -> Result<(), Trouble> {
        if !std::mem::take(&mut self.home.staged) {
            return Ok(());
        }
        let outcome = participant.outcome().expect("there is an outcome when it is to be written");
        let mut outputs = Outputs {
            digest: outcome.digest,
            outputs: outcome.outputs,
            validators: outcome.validators.clone(),
        };
        if self.home.bug == Some(Bug::OtherOutputs) {
            outputs.validators[0].signatures.reverse();
            outputs.outputs = outputs.digest;
        }
        if self.home.bug == Some(Bug::OtherKey) {
            outputs.validators[0].public_key = outputs.validators[0].public_shares[0];
        }
        self.watch.writes(&self.home.seat, participant, &outputs);
        let inbox = participant.inbox();
        // What a commit waits for goes before it; what comes after the finals, behind them.
        let slots = inbox.minima().chain(inbox.statements());
        self.home.transcript = slots.chain(inbox.withouts()).cloned().collect();
        self.home.disk.write_out(outputs)
    }

    fn keep_proof(&mut self, _: &Participant, fault: &Fault) -> Result<(), Trouble> {
        self.watch.fault(self.home, fault);
        Ok(())
    }

    fn keep_everything(&mut self, _: &Participant) -> Result<(), Trouble> {
        Ok(())
    }

    fn keep_elsewhere(&mut self, _: &Participant, own: &[Statement]) -> Result<(), Trouble> {
        self.watch.put_back(self.home);
        self.home.elsewhere = own.to_vec();
        Ok(())
    }

    fn before(&mut self, _: &Participant, step: &Step) {
        step.send.iter().for_each(|statement| self.watch.signs(self.home, statement));
    }

    fn after(&mut self, participant: &Participant) {
        self.watch.disk(self.home, participant.is_prepared());
    }
}

/// Makes another record of the same length.
fn another(record: &mut Record) {
    let mut body = record.body.expose().to_vec();
    body.reverse();
    record.body = SecretBytes::new(body);
}
