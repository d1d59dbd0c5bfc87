//! Runs checks in order of dependency and records the result of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::protocol::evidence::Fault;
use crate::spec::ceremony::Ceremony;
use crate::spec::threshold::Index;

use super::code::Code;
use super::describe;
use super::report::{Line, Status};

/// What a check yields to later ones; if it could not, the code of the check that failed.
pub(super) type Got<T> = Result<T, Code>;

/// Why a check did not pass.
pub(super) enum Stop {
    /// A protocol rule was broken.
    Fault(Box<Fault>),
    /// Something else, in words.
    Words(String),
    /// It depends on a check that failed.
    Needs(Code),
}

impl From<Box<Fault>> for Stop {
    fn from(fault: Box<Fault>) -> Self {
        Self::Fault(fault)
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

/// What became of each check so far.
pub(super) struct Ledger {
    lines: BTreeMap<Code, Line>,
    /// For sentences; absent until the spec is read.
    pub(super) ceremony: Option<Arc<Ceremony>>,
    /// Of a ceremony that was not completed: who is proven to be at fault.
    pub(super) culprits: Option<Vec<Index>>,
    first_only: bool,
    failed: Option<Code>,
}

impl Ledger {
    /// An empty ledger. With `first_only` nothing is run after the first failure.
    pub(super) fn new(first_only: bool) -> Self {
        Self { lines: BTreeMap::new(), ceremony: None, culprits: None, first_only, failed: None }
    }

    /// A part of a check: writes a line only if it does not pass.
    pub(super) fn part<T>(&mut self, code: Code, run: impl FnOnce() -> Result<T, Stop>) -> Got<T> {
        if let Some(failed) = self.failed.filter(|_| self.first_only) {
            return Err(failed);
        }
        // An earlier part has failed or was not reached: the line stands.
        if let Some(line) = self.lines.get(&code) {
            return Err(line.cause.unwrap_or(code));
        }
        match run() {
            Ok(value) => Ok(value),
            Err(Stop::Needs(cause)) => {
                self.not_reached(code, cause);
                Err(cause)
            }
            Err(Stop::Words(words)) => self.fail(code, words),
            Err(Stop::Fault(fault)) => {
                let words = describe::rule(&fault.rule, self.ceremony.as_deref());
                self.fail(code, words)
            }
        }
    }

    /// A whole check, or its last part: writes what it found.
    pub(super) fn check<T>(
        &mut self,
        code: Code,
        run: impl FnOnce() -> Result<(T, String), Stop>,
    ) -> Got<T> {
        let (value, detail) = self.part(code, run)?;
        self.passed(code, detail);
        Ok(value)
    }

    /// A check that was made before, and holds.
    pub(super) fn passed(&mut self, code: Code, detail: String) {
        self.write(code, Status::Passed, detail, None);
    }

    /// A check that says nothing about this transcript.
    pub(super) fn not_applicable(&mut self, code: Code, detail: &str) {
        self.write(code, Status::NotApplicable, detail.to_owned(), None);
    }

    /// A check that a ceremony which was not completed does not allow.
    pub(super) fn not_judged(&mut self, code: Code, detail: &str) {
        self.write(code, Status::NotReached, detail.to_owned(), None);
    }

    /// Writes a line for every check of the transcript that has none, because `cause` failed.
    pub(super) fn not_reached_yet(&mut self, cause: Code) {
        let for_ssv = self.ceremony.as_ref().is_some_and(|ceremony| ceremony.ssv().is_some());
        for code in Code::ALL.iter().filter(|code| code.is_own()) {
            if !self.lines.contains_key(code) && (*code != Code::Sealed || for_ssv) {
                self.not_reached(*code, cause);
            }
        }
    }

    fn not_reached(&mut self, code: Code, cause: Code) {
        self.write(code, Status::NotReached, format!("because {cause} failed"), Some(cause));
    }

    fn fail<T>(&mut self, code: Code, detail: String) -> Got<T> {
        self.write(code, Status::Failed, detail, None);
        self.failed.get_or_insert(code);
        Err(code)
    }

    fn write(&mut self, code: Code, status: Status, detail: String, cause: Option<Code>) {
        self.lines.insert(code, Line { code, status, detail, cause });
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
