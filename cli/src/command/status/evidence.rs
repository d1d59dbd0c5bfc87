//! What the files in a ceremony's folder of evidence are: names prove nothing, so each is read.

use std::path::{Path, PathBuf};

use crate::command::evidence::judged;
use crate::command::run_ended::named;
use crate::messages;
use crate::report::CliError;
use crate::verdict::Verdict;
use quorate::message::envelope::Kind;
use quorate::spec::Ceremony;
use quorate::spec::threshold::Index;
use quorate::transcript::stopped::Stopped;
use quorate_operator::machine;
use quorate_operator::store::CeremonyView;

/// What one file is.
pub(super) enum Kept {
    /// This operator's record of its abandonment.
    Abandonment,
    /// A fault of this ceremony, judged.
    Fault(Box<Verdict>),
    /// What was held when a fault stopped the ceremony; or nothing that is proven.
    Held,
    /// Own statements that others hold.
    Note,
    /// Nothing that says anything about this ceremony, and why.
    Else(String),
}

/// The files, each with what it is.
pub(super) struct Evidence(pub(super) Vec<(PathBuf, Kept)>);

impl Evidence {
    /// Reads them. `me` is this operator's seat, if it is known; otherwise an abandonment under its
    /// own name counts as its.
    pub(super) fn of(
        view: &CeremonyView,
        ceremony: Option<&Ceremony>,
        me: Option<Index>,
    ) -> Result<Self, CliError> {
        let files = view.evidence().map_err(messages::store)?;
        let read = |path: PathBuf| {
            let kept = kept(view, &path, ceremony, me);
            (path, kept)
        };
        Ok(Self(files.into_iter().map(read).collect()))
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.0.iter().any(|(_, kept)| matches!(kept, Kept::Abandonment))
    }

    pub(super) fn is_faulted(&self) -> bool {
        self.0.iter().any(|(_, kept)| matches!(kept, Kept::Fault(_) | Kept::Held))
    }

    pub(super) fn faults(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().filter_map(|(_, kept)| match kept {
            Kept::Fault(verdict) => Some(&**verdict),
            _ => None,
        })
    }

    /// A line for each file.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |(path, kept): &(PathBuf, Kept)| match kept {
            Kept::Else(why) => format!("{} ({why})", messages::shown(path)),
            _ => messages::shown(path),
        };
        self.0.iter().map(line).collect()
    }
}

fn kept(view: &CeremonyView, path: &Path, ceremony: Option<&Ceremony>, me: Option<Index>) -> Kept {
    let names = [machine::FAULT, machine::GIVEN_UP, machine::STOPPED, machine::PUT_BACK];
    if !names.iter().any(|name| named(path, name)) {
        return Kept::Else("not a file of this program's: it says nothing here".to_owned());
    }
    let Ok(Ok(held)) = view.read_evidence(path).map(|bytes| Stopped::parse(&bytes)) else {
        return Kept::Else("unreadable: it proves nothing".to_owned());
    };
    if ceremony.is_some_and(|ceremony| ceremony.digest() != held.ceremony.digest()) {
        return Kept::Else("of another ceremony: it says nothing about this one".to_owned());
    }
    if named(path, machine::PUT_BACK) {
        return Kept::Note;
    }
    if named(path, machine::GIVEN_UP) {
        let own = held.statements.iter().any(|statement| {
            statement.envelope.kind == Kind::Abandon
                && me.is_none_or(|me| statement.envelope.sender == me)
        });
        return match own {
            true => Kept::Abandonment,
            false => Kept::Else("of another operator, not this one's".to_owned()),
        };
    }
    if named(path, machine::STOPPED) {
        return Kept::Held;
    }
    match judged(path) {
        Ok(verdict) if verdict.proven.is_empty() => Kept::Else("it proves no fault".to_owned()),
        Ok(verdict) => Kept::Fault(Box::new(verdict)),
        Err(error) => Kept::Else(error.what),
    }
}
