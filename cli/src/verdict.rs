//! What an evidence file proves, as text and as JSON: only what the judge concludes from its signed
//! statements.

use std::sync::Arc;

use serde_json::{Value, json};

use super::messages;
use quorate::audit::completed::completed;
use quorate::audit::{describe, stopped as sayings};
use quorate::primitives::hash::Digest;
use quorate::protocol::evidence::{Certainty, Class, Fault};
use quorate::protocol::judge::{judge, of_this_ceremony};
use quorate::spec::Ceremony;
use quorate::spec::canonical::fingerprint;
use quorate::spec::show::words;
use quorate::transcript::container::ContainerError;
use quorate::transcript::stopped::Stopped;

/// What no file of evidence proves.
const DOES_NOT_PROVE: [&str; 5] = [
    "That operators not named above kept the rules: only the statements in this file are judged.",
    "That the fault was intentional: a bug or a stolen key looks the same.",
    "That anyone is to blame for silence: whom an operator waited for is stated, never proven.",
    "That a key belongs to the person you expect: compare the keys, or give the ceremony file with \
     --expect.",
    "That the ceremony was not completed: only a transcript shows what became of it.",
];

/// What is said of a file that nobody has compared.
const NOT_COMPARED: &str = "Nothing shows that this is the ceremony that you agreed to: anybody \
                            can make such a file about a ceremony of their own, under any names. \
                            Compare it with your ceremony file (--expect).";

/// A judged file of evidence.
pub(crate) struct Verdict {
    pub(crate) ceremony: Arc<Ceremony>,
    statements: usize,
    /// How many of them are not shown to be of this ceremony; nothing is concluded from them.
    foreign: usize,
    pub(crate) proven: Vec<Fault>,
    /// What the statements say about absence.
    pub(crate) said: Vec<String>,
    /// Who has signed that shares are stored.
    stored: Option<String>,
    /// The certificate of the completed ceremony that the statements hold.
    completed: Option<Digest>,
}

/// What is known of the ceremony that a file of evidence is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    /// It is the one that its reader agreed to.
    Expected,
    /// Nobody has compared it: anybody can make statements of a ceremony of their own.
    Not,
}

/// What a class of evidence is, in a few words.
fn class_words(class: Class) -> &'static str {
    match class {
        Class::E1 => "two different statements for the same round",
        Class::E2 => "a signed statement that breaks a rule",
        Class::E3 => "a bad share",
        Class::E4 => "a false complaint",
        Class::E5 => "an invalid proof or signature",
        Class::E6 => "a signed result that does not follow",
    }
}

/// The class of a fault: its number and what it is.
pub(crate) fn class(fault: &Fault) -> String {
    fault.rule.class().map_or_else(
        || "no class".to_owned(),
        |class| format!("E{}, {}", class as u8, class_words(class)),
    )
}

impl Verdict {
    /// Judges the bytes of a file.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, ContainerError> {
        let Stopped { ceremony, statements } = Stopped::parse(bytes)?;
        let here = of_this_ceremony(&ceremony, &statements);
        let faults = judge(&ceremony, &statements);
        let is_proven = |fault: &&Fault| fault.rule.certainty() == Certainty::Proven;
        let proven = faults.iter().filter(is_proven).cloned();
        Ok(Self {
            proven: proven.collect(),
            completed: completed(&ceremony, &here, &faults),
            said: sayings::accusations(&ceremony, &here),
            stored: sayings::prepared(&ceremony, &here),
            foreign: statements.len() - here.len(),
            statements: statements.len(),
            ceremony,
        })
    }

    /// The verdict in a word, as chapter 08 has it.
    fn word(&self, compared: Compared) -> &'static str {
        match (self.proven.is_empty(), compared) {
            (true, _) => "nothing proven",
            (false, Compared::Expected) => "proven",
            (false, Compared::Not) => "proven, not compared",
        }
    }

    /// For people.
    pub(crate) fn text(&self, compared: Compared) -> String {
        let ceremony = &*self.ceremony;
        let faults = match self.proven.len() {
            1 => "one fault, by signed statements alone".to_owned(),
            many => format!("{many} faults, by signed statements alone"),
        };
        let word = self.word(compared).to_uppercase();
        let mut text = match (self.proven.is_empty(), compared) {
            (true, Compared::Expected) => {
                format!("{word}: these statements prove nobody at fault.")
            }
            (true, Compared::Not) => {
                format!("{word}: these statements prove nobody at fault. {NOT_COMPARED}")
            }
            (false, Compared::Expected) => {
                format!("{word}: {faults}. This is the ceremony that you expect.")
            }
            (false, Compared::Not) => format!("{word}: {faults}. {NOT_COMPARED}"),
        };
        let left_out = match self.foreign {
            0 => String::new(),
            some => format!("; {some} cannot be assigned to this ceremony and were left out"),
        };
        text += &format!(
            "\n\nCeremony     \"{}\" on {}, attempt {}: {} of {} operators, validators: \
             {}\nFingerprint\n{}\nStatements   {}, each signed \
             by its sender{}\nOperators\n",
            ceremony.name(),
            ceremony.network().name(),
            ceremony.attempt(),
            ceremony.t(),
            ceremony.holders(),
            ceremony.v(),
            words(ceremony),
            self.statements,
            left_out
        );
        for (index, seat) in ceremony.roster().iter() {
            text += &format!(
                "  {index:>3}  {}, key {}\n",
                describe::in_quotes(seat.card.name.as_str()),
                seat.card.key.short()
            );
        }
        for fault in &self.proven {
            let culprits: Vec<String> = fault
                .rule
                .culprits()
                .into_iter()
                .map(|index| describe::culprit(Some(ceremony), index))
                .collect();
            text += &format!(
                "\nFault        {}\nResponsible  {}\nEvidence     {}\n",
                describe::rule(&fault.rule, Some(ceremony)),
                culprits.join(" and "),
                class(fault)
            );
        }
        if !self.said.is_empty() {
            text += "\nStated, not proven\n";
            self.said.iter().for_each(|said| text += &format!("  - {said}\n"));
        }
        text += &format!("\nOutcome      {}\n", sayings::outcome(self.completed));
        if let Some(stored) = &self.stored {
            text += &format!("Shares       {stored}\n");
        }
        if ceremony.reshare().is_some() {
            text += &format!("\nKeep private  {}\n", messages::EXPOSES);
        }
        text += "\nWhat this does not prove\n";
        DOES_NOT_PROVE.iter().for_each(|sentence| text += &format!("  - {sentence}\n"));
        text
    }

    /// For programs.
    pub(crate) fn fields(&self, compared: Compared) -> Value {
        let ceremony = &*self.ceremony;
        let culprit = |index| {
            let seat = ceremony.roster().get(index);
            json!({
                "index": index.get(),
                "name": seat.map(|seat| seat.card.name.as_str()),
                "key": seat.map(|seat| hex::encode(seat.card.key.as_bytes())),
            })
        };
        let proven = self.proven.iter().map(|fault| {
            json!({
                "class": fault.rule.class().map(|class| format!("E{}", class as u8)),
                "fault": describe::rule(&fault.rule, Some(ceremony)),
                "culprits": fault.rule.culprits().into_iter().map(culprit).collect::<Vec<_>>(),
            })
        });
        json!({
            "verdict": self.word(compared),
            "as_expected": (compared == Compared::Expected).then_some(true),
            "ceremony": ceremony.name(),
            "spec_digest": ceremony.digest().to_string(),
            "fingerprint": fingerprint(&ceremony.digest()).join(" "),
            "attempt": ceremony.attempt(),
            "statements": self.statements,
            "left_out": self.foreign,
            "proven": proven.collect::<Vec<_>>(),
            "said": self.said,
            "stored": self.stored,
            "completed": self.completed.map(|certificate| hex::encode(certificate.as_bytes())),
            "does_not_prove": DOES_NOT_PROVE,
            "private": ceremony.reshare().is_some(),
        })
    }
}
