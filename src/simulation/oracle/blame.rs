//! Whom operators and strangers name, and whether that is right.

use crate::message::envelope::Statement;
use crate::protocol::evidence::{Certainty, Fault, Rule};
use crate::protocol::judge::judge;
use crate::simulation::bug::Bug;
use crate::simulation::home::Home;
use crate::spec::threshold::Index;

use super::{Oracle, Watch};

impl Watch {
    /// A fault that an honest operator names. If it can be proven, a stranger finds it in its
    /// evidence.
    pub fn fault(&mut self, home: &Home, fault: &Fault) {
        if self.masked.contains(&home.seat.me) {
            return;
        }
        self.blame(&format!("operator {}", home.seat.me), fault);
        if fault.rule.certainty() != Certainty::Proven || self.proven.contains(&fault.evidence) {
            return;
        }
        let kept =
            if home.bug == Some(Bug::LosesEvidence) { &[] } else { fault.evidence.as_slice() };
        let found = judge(&self.cast.ceremony, kept);
        // A statement may break several rules: the operator names the first that it met.
        let same = |found: &Fault| {
            (found.rule.culprits(), found.rule.class())
                == (fault.rule.culprits(), fault.rule.class())
        };
        if !found.iter().any(same) {
            let what = format!(
                "the evidence of operator {} for {:?} shows a stranger {:?}",
                home.seat.me,
                fault.rule,
                rules(&found)
            );
            self.violation(Oracle::Evidence, what);
        }
        found.iter().for_each(|fault| self.blame("a stranger with an evidence file", fault));
        self.proven.push(fault.evidence.clone());
    }

    /// What a stranger finds who has every statement that anybody signed.
    pub fn judge_everything(&mut self) {
        let public = self.statements.iter().filter(|(digest, _)| self.public.contains(digest));
        let all: Vec<Statement> = public.map(|(_, statement)| statement.clone()).collect();
        judge(&self.cast.ceremony, &all)
            .iter()
            .for_each(|fault| self.blame("a stranger with all statements", fault));
    }

    fn blame(&mut self, who: &str, fault: &Fault) {
        let culprits = fault.rule.culprits();
        let (honest, faulty): (Vec<Index>, Vec<Index>) =
            culprits.iter().copied().partition(|who| !self.is_faulty(*who));
        let framed = match fault.rule.certainty() {
            Certainty::Proven => !honest.is_empty(),
            Certainty::Suspected => faulty.is_empty(),
            // Infinity or equal keys by chance: probability 2^-255.
            Certainty::Nobody => true,
        };
        if framed {
            self.violation(Oracle::Blame, format!("{who} names {:?}", fault.rule));
        }
    }
}

fn rules(faults: &[Fault]) -> Vec<&Rule> {
    faults.iter().map(|fault| &fault.rule).collect()
}
