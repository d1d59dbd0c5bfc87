//! The faults that a participant can prove to anybody, as they become known: one for each rule and
//! for those who broke it.

use core::mem::{Discriminant, discriminant};
use std::collections::BTreeSet;

use crate::message::envelope::{Kind, Statement};
use crate::primitives::hash::Digest;
use crate::spec::threshold::Index;

use super::evidence::{Certainty, Fault, Rule};
use super::participant::Participant;

/// What was proven so far. So few faults are kept, however often somebody breaks a rule: one of
/// each rule for each that broke it.
#[derive(Default)]
pub struct Proofs {
    known: Vec<(Vec<Index>, Discriminant<Rule>)>,
    /// Complaints that were found to prove something, so that none is judged twice.
    judged: BTreeSet<Digest>,
}

impl Proofs {
    /// The faults that `participant` can prove and that were not given yet, each with what a
    /// stranger needs to see it, whether or not it keeps the participant from going on. The one
    /// that does comes first.
    pub fn since(&mut self, participant: &Participant) -> Vec<Fault> {
        let standing = participant.fault().cloned().map(Box::new);
        let standing = standing.filter(|fault| fault.rule.certainty() == Certainty::Proven);
        let shown: Vec<Box<Fault>> = participant.world.proven_faults(&self.judged).collect();
        let found = standing.into_iter().chain(shown).filter(|fault| self.is_new(fault));
        let found: Vec<Box<Fault>> = found.collect();
        found.into_iter().map(|fault| *participant.world.prove(fault)).collect()
    }

    fn is_new(&mut self, fault: &Fault) -> bool {
        let complaint = |held: &&Statement| held.envelope.kind == Kind::Complaint;
        self.judged.extend(fault.evidence.iter().filter(complaint).map(Statement::digest));
        let rule = (fault.rule.culprits(), discriminant(&fault.rule));
        let is_new = !self.known.contains(&rule);
        if is_new {
            self.known.push(rule);
        }
        is_new
    }
}
