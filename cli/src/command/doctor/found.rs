//! What doctor has found: one entry for each thing that it looked at.

use serde_json::{Value, json};

use crate::progress::Named;
use crate::report::{CliError, Exit};

/// What came of looking at one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it has to be.
    Good,
    /// It keeps a ceremony from beginning, or is likely to.
    Bad,
    /// It could not be looked at, or there is nothing to do about it.
    Unknown,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Bad => "FAILED",
            Self::Unknown => "-",
        }
    }
}

/// One thing that was looked at.
pub(super) struct Found {
    /// Of the own side, one of a few words; `peer` of another operator.
    pub(super) what: &'static str,
    pub(super) operator: Option<Named>,
    pub(super) state: State,
    pub(super) text: String,
    /// What to do about it.
    pub(super) fix: Option<String>,
}

/// All of it.
#[derive(Default)]
pub(super) struct Findings {
    all: Vec<Found>,
}

impl Findings {
    pub(super) fn good(&mut self, what: &'static str, text: impl Into<String>) {
        self.own(what, State::Good, text.into(), None);
    }

    pub(super) fn unknown(&mut self, what: &'static str, text: impl Into<String>) {
        self.own(what, State::Unknown, text.into(), None);
    }

    /// With what `error` says to do.
    pub(super) fn bad(&mut self, what: &'static str, error: CliError) {
        self.own(what, State::Bad, error.what, Some(error.fix));
    }

    /// The value, or an entry of why there is none.
    pub(super) fn take<T>(&mut self, what: &'static str, tried: Result<T, CliError>) -> Option<T> {
        tried.map_err(|error| self.bad(what, error)).ok()
    }

    pub(super) fn add(&mut self, found: Found) {
        self.all.push(found);
    }

    fn own(&mut self, what: &'static str, state: State, text: String, fix: Option<String>) {
        self.add(Found { what, operator: None, state, text, fix });
    }

    /// Whether nothing of the own side is bad, and nothing of the others'.
    fn sides(&self) -> (bool, bool) {
        let fine = |own: bool| {
            let side = self.all.iter().filter(|found| found.operator.is_none() == own);
            side.into_iter().all(|found| found.state != State::Bad)
        };
        (fine(true), fine(false))
    }

    pub(super) fn exit(&self) -> Exit {
        match self.sides() {
            (false, _) => Exit::Local,
            (true, false) => Exit::Waiting,
            (true, true) => Exit::Done,
        }
    }

    /// For people: each entry, with what to do below it, and a verdict.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let (own, others): (Vec<&Found>, Vec<&Found>) =
            self.all.iter().partition(|found| found.operator.is_none());
        for (title, side) in [("Your side", own), ("The other operators", others)] {
            if side.is_empty() {
                continue;
            }
            text += &format!("{title}\n");
            for found in side {
                let name = match &found.operator {
                    Some(operator) => operator.to_string(),
                    None => found.what.to_owned(),
                };
                text += &format!("  {:<6}  {name}: {}\n", found.state.word(), found.text);
                if let Some(fix) = &found.fix {
                    text += &format!("          what to do: {fix}\n");
                }
            }
            text += "\n";
        }
        text + match self.sides() {
            (true, true) => "READY: nothing is in the way of this ceremony here.",
            (true, false) => "WAITING: your side is ready; the others are not all reached.",
            (false, _) => "NOT READY: mend what failed on your side, then run the same again.",
        }
    }

    pub(super) fn json(&self) -> Value {
        let entry = |found: &Found| {
            let mut entry = json!({
                "check": found.what, "text": found.text,
                "ok": match found.state {
                    State::Good => Some(true),
                    State::Bad => Some(false),
                    State::Unknown => None,
                },
            });
            if let Some(operator) = &found.operator {
                entry["operator"] = json!(operator);
            }
            if let Some(fix) = &found.fix {
                entry["do"] = fix.as_str().into();
            }
            entry
        };
        self.all.iter().map(entry).collect()
    }
}
