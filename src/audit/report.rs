//! The result of an audit.

use core::fmt;
use std::sync::Arc;

use crate::primitives::hash::Digest;
use crate::spec::ceremony::Ceremony;
use crate::spec::kind::CeremonyKind;
use crate::spec::show::whole_keys;
use crate::spec::threshold::Index;

use super::code::Code;
use super::facts::Audited;

/// What nobody can conclude from any transcript (protocol chapter, section 4.4).
pub const CANNOT_CONCLUDE: [&str; 8] = [
    "That the operators are different people, or that they do not collude. As many operators as \
     the threshold can sign anything.",
    "That one-time secrets, polynomials and copies of shares were erased.",
    "That the shares still exist, or that their backups can be opened.",
    "That every operator's randomness was good. One operator with good randomness that does not \
     collude makes the keys unpredictable.",
    "That the operators ran unmodified software.",
    "When anything was signed, beyond the anchors that the operators stated.",
    "That colluding operators signed no other deposit, exit or message with these keys. Before you \
     deposit, check that no deposit for these keys is on chain or pending.",
    "That the identity keys belong to the people you expect, unless you compare the keys or supply \
     the ceremony file you agreed to.",
];

/// What a depositor does, in order, once an audit is clean. The first valid deposit of a key fixes
/// its withdrawal credentials for ever.
pub const BEFORE_DEPOSIT: [&str; 4] = [
    "Check that there is no deposit for these keys yet, on chain or pending. If there is one that \
     you did not make, never deposit to them.",
    "If a threshold of operators might collude, make the smallest deposit first: 1 ETH, or the \
     least that the ceremony signed. Together they could have signed a deposit to another address, \
     and the deposit processed first decides where all the money goes.",
    "Wait until the beacon chain shows the validator, finalised, with the withdrawal credentials \
     above. Only then deposit the rest. To sign a further amount, use: quorate deposit request.",
    "Let every operator load its keystores and restart once before money moves. Never deposit to \
     keys of an abandoned ceremony.",
];

/// What an operator does, in order, once the audit of a reshare is clean.
pub const AFTER_RESHARE: [&str; 3] = [
    "Load the new shares only with the slashing protection data that was written with them, and \
     not before the first epoch that it names.",
    "Make sure that the old shares are removed from every validator client. A client that is only \
     stopped starts again by itself one night.",
    "Keep this transcript with those of its parents: the next reshare begins with them. A \
     threshold of the old operators who kept their shares can still sign.",
];

/// What an operator does, in order, once the audit of a repair is clean.
pub const AFTER_REPAIR: [&str; 3] = [
    "Make sure that the old machine is destroyed and that no copy of its keystores runs anywhere: \
     the share is the same as before.",
    "Load the share only with the slashing protection data that was written with it, and not \
     before the first epoch that it names.",
    "Keep this transcript with those of its parents. It is no generation: a later reshare begins \
     with the parent's transcript.",
];

/// What an operator does, in order, once the audit of an import is clean.
pub const AFTER_IMPORT: [&str; 4] = [
    "Compare the withdrawal address above with what a beacon node says of these keys. The file \
     claims it, and no ceremony can prove it.",
    "Load the shares only with the slashing protection data that was written with them, and not \
     before the first epoch that it names.",
    "Make sure that the keys are removed from every validator client. A client that is only \
     stopped starts again by itself one night.",
    "Keep this transcript: the first reshare begins with it. Whoever keeps a copy of a key can \
     still sign alone.",
];

/// What comes before all of that for whoever has not compared the transcript with the ceremony
/// file.
pub const COMPARE_FIRST: &str = "Compare: audit again with the ceremony file that you agreed to \
                                 (--expect). Without one, compare every operator's key and every \
                                 withdrawal address above with what you know from elsewhere.";

/// What an audit comes to (chapter 08, section 8.2). Nothing failed in the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Clean, and of the ceremony that its reader expects.
    Verified,
    /// Clean, but not compared with the ceremony that its reader agreed to: anybody can make a
    /// sound transcript, with operators and a withdrawal address of its own.
    Sound,
    /// A set of statements: no transcript, whatever became of the ceremony.
    Statements,
    /// Nothing failed, but the transcripts of a reshare's parents were not all given: nothing shows
    /// that these are shares of the keys that it names.
    Unlinked,
    /// A check failed.
    Failed,
}

impl Verdict {
    /// The word of chapter 08, as programs read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Sound => "sound",
            Self::Statements => "statements",
            Self::Unlinked => "unlinked",
            Self::Failed => "failed",
        }
    }
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was made and broke something: a finding.
    Failed,
    /// It says nothing about this transcript.
    NotApplicable,
    /// It depends on a check that failed.
    NotReached,
    /// It was made and holds.
    Passed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Failed => "failed",
            Self::NotApplicable => "not applicable",
            Self::NotReached => "not reached",
            Self::Passed => "passed",
        })
    }
}

/// A check and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub code: Code,
    /// What became of it.
    pub status: Status,
    /// In plain words.
    pub detail: String,
    /// For a check that was not reached: the one that failed.
    pub cause: Option<Code>,
}

/// The result of an audit.
pub struct Report {
    pub(super) transcript: Digest,
    pub(super) ceremony: Option<Arc<Ceremony>>,
    pub(super) audited: Option<Audited>,
    /// The import from which the keys come, if it is known to be one.
    pub(super) import: Option<Arc<Ceremony>>,
    pub(super) lines: Vec<Line>,
    /// Of a set of statements: who is proven to be at fault.
    pub(super) culprits: Option<Vec<Index>>,
    /// The certificate of the completed ceremony that a set of statements holds.
    pub(super) completed: Option<Digest>,
    /// Who is proven to be at fault, in a transcript or in a set of statements.
    pub(super) at_fault: Vec<Index>,
}

impl Report {
    /// The digest of the bytes that were audited.
    pub fn transcript(&self) -> Digest {
        self.transcript
    }

    /// What the transcript says was agreed, if that much could be read. Consented to by its
    /// operators only if [`Code::V4`] passed.
    pub fn ceremony(&self) -> Option<&Arc<Ceremony>> {
        self.ceremony.as_ref()
    }

    /// Keys, public shares and signatures. Present only if no check of the transcript itself
    /// failed.
    pub fn audited(&self) -> Option<&Audited> {
        self.audited.as_ref()
    }

    /// Every check, in order of codes.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What became of `code`; `None` if it was not asked for.
    pub fn line(&self, code: Code) -> Option<&Line> {
        self.lines.iter().find(|line| line.code == code)
    }

    /// The codes that failed, in order.
    pub fn failed(&self) -> Vec<Code> {
        self.lines
            .iter()
            .filter(|line| line.status == Status::Failed)
            .map(|line| line.code)
            .collect()
    }

    /// Of a well-formed set of statements: who they prove to be at fault, by index.
    pub fn culprits(&self) -> Option<&[Index]> {
        self.culprits.as_deref()
    }

    /// Of a set of statements that holds a completed ceremony: its certificate. `None` does not
    /// say that the ceremony was not completed, only that this file does not show it.
    pub fn completed(&self) -> Option<Digest> {
        self.completed
    }

    /// Who is proven to be at fault, by index, in a transcript or in a set of statements. Checks
    /// can fail without: what does not open, anybody may have put there.
    pub fn at_fault(&self) -> &[Index] {
        &self.at_fault
    }

    /// How many checks failed.
    pub fn findings(&self) -> usize {
        self.failed().len()
    }

    /// Whether the transcript is of the ceremony that its reader agreed to; `None` if no ceremony
    /// file was brought.
    pub fn as_expected(&self) -> Option<bool> {
        self.line(Code::Expected).map(|line| line.status == Status::Passed)
    }

    /// What all checks come to.
    pub fn verdict(&self) -> Verdict {
        match (self.is_clean(), self.culprits()) {
            (true, _) if self.as_expected() == Some(true) => Verdict::Verified,
            (true, _) => Verdict::Sound,
            (false, Some(_)) => Verdict::Statements,
            (false, None) if self.is_unlinked() => Verdict::Unlinked,
            (false, None) => Verdict::Failed,
        }
    }

    /// Whether nothing failed, and a parent was not given.
    fn is_unlinked(&self) -> bool {
        let missing = |line: &Line| line.status == Status::NotReached && line.cause.is_none();
        self.findings() == 0 && self.line(Code::V18).is_some_and(missing)
    }

    /// Of keys that came by an import, in this transcript or in one that it hangs on: that they
    /// were whole, in whose hands. It is the first thing to say of them. `None` does not say that
    /// keys were never whole, unless the transcript is clean.
    pub fn whole_keys(&self) -> Option<String> {
        whole_keys(self.import.as_ref().or(self.ceremony.as_ref())?)
    }

    /// The report of an operator that has checked the chain of parents before it took part: this
    /// import is the oldest of it.
    pub fn hang_on(&mut self, import: Arc<Ceremony>) {
        if let Some(audited) = &mut self.audited {
            audited.import = Some(import.clone());
        }
        self.import = Some(import);
    }

    /// Whether it is about a reshare, an import or a repair: validators that exist, no deposits.
    pub fn is_of_reshare(&self) -> bool {
        self.ceremony.as_ref().is_some_and(|ceremony| ceremony.reshare().is_some())
    }

    /// Whether it is about a repair.
    pub fn is_of_repair(&self) -> bool {
        self.ceremony.as_ref().is_some_and(|ceremony| ceremony.is_repair())
    }

    /// What the ceremony is called.
    pub(super) fn kind_word(&self) -> &'static str {
        match self.ceremony.as_ref().map(|ceremony| ceremony.kind()) {
            Some(CeremonyKind::Import) => "import",
            Some(CeremonyKind::Reshare) => "reshare",
            Some(CeremonyKind::Repair) => "repair",
            _ => "key generation",
        }
    }

    /// What an operator does after a reshare, an import or a repair, in order; nothing unless the
    /// transcript is clean.
    pub fn after_reshare(&self) -> Vec<&'static str> {
        match self.ceremony.as_ref().map(|ceremony| ceremony.kind()) {
            Some(CeremonyKind::Reshare) if self.is_clean() => AFTER_RESHARE.to_vec(),
            Some(CeremonyKind::Import) if self.is_clean() => AFTER_IMPORT.to_vec(),
            Some(CeremonyKind::Repair) if self.is_clean() => AFTER_REPAIR.to_vec(),
            _ => Vec::new(),
        }
    }

    /// What a depositor does next, in order; nothing unless the transcript is clean.
    pub fn before_deposit(&self) -> Vec<&'static str> {
        if self.is_of_reshare() {
            return Vec::new();
        }
        match self.verdict() {
            Verdict::Verified => BEFORE_DEPOSIT.to_vec(),
            Verdict::Sound => [&[COMPARE_FIRST], &BEFORE_DEPOSIT[..]].concat(),
            Verdict::Statements | Verdict::Unlinked | Verdict::Failed => Vec::new(),
        }
    }

    /// Whether nothing failed: every check that applies was reached and holds.
    pub fn is_clean(&self) -> bool {
        self.findings() == 0 && self.audited.is_some() && !self.is_unlinked()
    }
}
