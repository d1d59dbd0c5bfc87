//! Runs checks in order of dependency and records the result of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::primitives::hash::Digest;
use crate::protocol::evidence::{Certainty, Fault};
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::code::Code;
use super::describe;
use super::facts::Birth;
use super::report::{Line, Status};

/// What a check yields to later ones; if it could not, the code of the check that failed.
pub(super) type Got<T> = Result<T, Code>;

/// Why a check did not pass.
pub(super) enum Stop {
    /// Protocol rules were broken.
    Faults(Vec<Fault>),
    /// Something else, in words.
    Words(String),
    /// It depends on a check that failed.
    Needs(Code),
}

impl From<Box<Fault>> for Stop {
    fn from(fault: Box<Fault>) -> Self {
        Self::Faults(vec![*fault])
    }
}

impl From<Vec<Fault>> for Stop {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Faults(faults)
    }
}

impl From<String> for Stop {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<Code> for Stop {
    fn from(code: Code) -> Self {
        Self::Needs(code)
    }
}

/// A dependency: its value, or the reason why there is none.
pub(super) fn have<T>(got: &Got<T>) -> Result<&T, Code> {
    got.as_ref().map_err(|code| *code)
}

/// Of a check that was made of several things, each by itself: all of them, or the first reason why
/// there is one less.
pub(super) fn have_all<T>(each: &[Got<T>]) -> Result<Vec<&T>, Code> {
    each.iter().map(have).collect()
}

/// What became of each check so far.
pub(super) struct Ledger {
    lines: BTreeMap<Code, Line>,
    /// For sentences; absent until the spec is read.
    pub(super) ceremony: Option<Arc<Ceremony>>,
    /// Of a set of statements: who is proven to be at fault.
    pub(super) culprits: Option<Vec<Index>>,
    /// The certificate of the completed ceremony that a set of statements holds.
    pub(super) completed: Option<Digest>,
    /// Who is proven to be at fault, of whatever ceremony.
    pub(super) at_fault: BTreeSet<Index>,
    /// The import from which the keys come, once a chain was followed to it.
    pub(super) import: Option<Arc<Ceremony>>,
    /// The key generation at the end of a chain that was followed.
    pub(super) birth: Option<Birth>,
    first_only: bool,
    failed: Option<Code>,
}

impl Ledger {
    /// An empty ledger. With `first_only` nothing is run after the first failure.
    pub(super) fn new(first_only: bool) -> Self {
        Self {
            lines: BTreeMap::new(),
            ceremony: None,
            culprits: None,
            completed: None,
            at_fault: BTreeSet::new(),
            import: None,
            birth: None,
            first_only,
            failed: None,
        }
    }

    /// A part of a check: writes a line only if it does not pass. Every part is made, whatever
    /// became of the others, and the line has what each of them found: it failed if one failed, and
    /// was not reached if none failed and one was not reached.
    pub(super) fn part<T>(&mut self, code: Code, run: impl FnOnce() -> Result<T, Stop>) -> Got<T> {
        if let Some(failed) = self.failed.filter(|_| self.first_only) {
            return Err(failed);
        }
        match run() {
            Ok(value) => Ok(value),
            Err(Stop::Needs(cause)) => {
                self.not_reached(code, cause);
                Err(cause)
            }
            Err(Stop::Words(words)) => self.fail(code, words),
            Err(Stop::Faults(faults)) => {
                let proven =
                    faults.iter().filter(|fault| fault.rule.certainty() == Certainty::Proven);
                self.at_fault.extend(proven.flat_map(|fault| fault.rule.culprits()));
                let words = faults
                    .iter()
                    .map(|fault| describe::rule(&fault.rule, self.ceremony.as_deref()));
                let words: Vec<String> = words.collect();
                self.fail(code, words.join("; "))
            }
        }
    }

    /// A part of a check, made of each of several things that an earlier one yielded.
    pub(super) fn each<T, U>(
        &mut self,
        code: Code,
        of: &[Got<T>],
        mut run: impl FnMut(&T) -> Result<U, Stop>,
    ) -> Vec<Got<U>> {
        of.iter().map(|one| self.part(code, || run(have(one)?))).collect()
    }

    /// A whole check, or its last part: passes if no part failed or was not reached.
    pub(super) fn check<T>(
        &mut self,
        code: Code,
        run: impl FnOnce() -> Result<(T, String), Stop>,
    ) -> Got<T> {
        let (value, detail) = self.part(code, run)?;
        match self.lines.get(&code) {
            // An earlier part has failed or was not reached: the line stands.
            Some(line) => Err(line.cause.unwrap_or(code)),
            None => {
                self.passed(code, detail);
                Ok(value)
            }
        }
    }

    /// The last part of a check that has been made: passes if no part failed or was not reached.
    pub(super) fn done(&mut self, code: Code, detail: impl FnOnce() -> String) -> Got<()> {
        self.check(code, || Ok(((), detail())))
    }

    /// A check that was made before, and holds.
    pub(super) fn passed(&mut self, code: Code, detail: String) {
        self.write(code, Status::Passed, detail, None);
    }

    /// A check that says nothing about this transcript. What failed, failed.
    pub(super) fn not_applicable(&mut self, code: Code, detail: &str) {
        if self.lines.get(&code).is_some_and(|line| line.status == Status::Failed) {
            return;
        }
        self.write(code, Status::NotApplicable, detail.to_owned(), None);
    }

    /// A check of transcripts, which a set of statements does not allow.
    pub(super) fn not_judged(&mut self, code: Code, detail: &str) {
        self.write(code, Status::NotReached, detail.to_owned(), None);
    }

    /// A check that could not be made, because of something that was not given: nothing failed.
    pub(super) fn missing(&mut self, code: Code, detail: String) {
        self.write(code, Status::NotReached, detail, None);
    }

    /// Writes a line for every check of the transcript that has none, because `cause` failed.
    pub(super) fn not_reached_yet(&mut self, cause: Code) {
        let ceremony = self.ceremony.clone();
        let applies = |code: Code| match code {
            Code::Sealed => ceremony.as_ref().is_some_and(|ceremony| ceremony.ssv().is_some()),
            Code::Cluster => ceremony.as_ref().is_some_and(|ceremony| ceremony.obol().is_some()),
            code => code.is_own(),
        };
        for code in Code::ALL.iter().filter(|code| applies(**code)) {
            self.not_reached(*code, cause);
        }
    }

    fn not_reached(&mut self, code: Code, cause: Code) {
        // What failed, failed; and of several causes the first is told.
        if self.lines.contains_key(&code) {
            return;
        }
        self.write(code, Status::NotReached, format!("because {cause} failed"), Some(cause));
    }

    fn fail<T>(&mut self, code: Code, detail: String) -> Got<T> {
        let before = self.lines.get(&code).filter(|line| line.status == Status::Failed);
        let detail =
            before.map_or_else(|| detail.clone(), |line| format!("{}; {detail}", line.detail));
        self.write(code, Status::Failed, detail, None);
        self.failed.get_or_insert(code);
        Err(code)
    }

    fn write(&mut self, code: Code, status: Status, detail: String, cause: Option<Code>) {
        self.lines.insert(code, Line { code, status, detail, cause });
    }

    /// The first check that failed, or was not reached, by code.
    pub(super) fn first_missing(&self) -> Option<Code> {
        let missing = self
            .lines
            .values()
            .find(|line| matches!(line.status, Status::Failed | Status::NotReached));
        missing.map(|line| line.cause.unwrap_or(line.code))
    }

    /// The first check that failed, in the order in which they were run.
    pub(super) fn first_failure(&self) -> Option<Code> {
        self.failed
    }

    /// All lines, by code.
    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_never_said_not_to_apply() {
        let mut ledger = Ledger::new(false);
        let failed: Got<()> = ledger.part(Code::V16, || Err(Stop::Words("broken".to_owned())));
        assert_eq!(failed, Err(Code::V16));
        let _: Got<()> = ledger.part(Code::V15, || Err(Stop::Needs(Code::V16)));
        ledger.not_applicable(Code::V15, "none");
        ledger.not_applicable(Code::V16, "none");
        let lines: Vec<_> =
            ledger.into_lines().into_iter().map(|line| (line.status, line.detail)).collect();
        assert_eq!(
            lines,
            [(Status::NotApplicable, "none".to_owned()), (Status::Failed, "broken".to_owned()),]
        );
    }
}
