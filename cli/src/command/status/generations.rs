//! Which generation of shares replaces which, as far as this directory tells.

use serde_json::{Value, json};

use super::ceremony::agreed;
use crate::command::run_ended::left_out_of;
use crate::messages;
use crate::progress::{Named, listed, seat_names};
use crate::report::CliError;
use quorate::audit::describe::in_quotes;
use quorate::primitives::hash::Digest;
use quorate::spec::Ceremony;
use quorate::transcript::container::Header;
use quorate_operator::machine;
use quorate_operator::store::{CeremonyView, StateDir};

/// What is known of the generations before and after a ceremony.
#[derive(Default)]
pub(super) struct Generations {
    /// Of a reshare that is finished: the ceremonies whose shares it replaces, newest or not.
    supersedes: Vec<String>,
    /// Reshares to which this operator has committed its shares: name, folder, whether finished.
    superseded_by: Vec<(String, String, bool)>,
    /// Of a reshare that was finished without operators: who.
    without: Vec<Named>,
}

/// The name of the ceremony that a transcript is of, with its digest. Nothing of it is audited.
fn agreed_in(transcript: &[u8]) -> Option<(Digest, String)> {
    let ceremony = Header::parse(transcript).and_then(|header| header.agreed(transcript)).ok()?;
    Some((ceremony.digest(), ceremony.name().to_owned()))
}

impl Generations {
    pub(super) fn of(
        state: &StateDir,
        view: &CeremonyView,
        ceremony: &Ceremony,
    ) -> Result<Self, CliError> {
        let mut this = Self::default();
        // A repair supersedes nothing: its share is the parent's.
        let newer = ceremony.reshare().is_some() && !ceremony.is_repair();
        if newer && view.is_written().map_err(messages::store)? {
            let kept = view.history().map_err(messages::store)?;
            let names = kept.iter().filter_map(|(_, bytes)| agreed_in(bytes));
            this.supersedes = names.map(|(_, name)| name).collect();
            this.without = seat_names(ceremony, &left_out_of(view));
        }
        for child in state.children().map_err(messages::store)? {
            let Some(folder) = state.find(&child.reshare).map_err(messages::store)? else {
                continue;
            };
            let parents = folder.history().map_err(messages::store)?;
            let replaced = parents.iter().filter_map(|(_, bytes)| agreed_in(bytes));
            let given_up = folder.evidence_of(machine::GIVEN_UP).map_err(messages::store)?;
            if !given_up.is_empty()
                || !replaced.into_iter().any(|(digest, _)| digest == ceremony.digest())
            {
                continue;
            }
            let name = agreed(&folder)?.map_or_else(|_| String::new(), |one| one.name().to_owned());
            let finished = folder.is_written().map_err(messages::store)?;
            this.superseded_by.push((name, folder.name().to_owned(), finished));
        }
        Ok(this)
    }

    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        for name in &self.supersedes {
            let name = in_quotes(name);
            text += &format!("\n  supersedes   {name}: its shares must not sign any more");
        }
        for (name, folder, finished) in &self.superseded_by {
            let how = match finished {
                true => "which is finished",
                false => "which is not finished here; until it is, exits still work with these",
            };
            let name = in_quotes(name);
            text += &format!("\n  superseded   by the reshare {name} in {folder}, {how}");
        }
        if !self.without.is_empty() {
            text += &format!("\n  without      {}", listed(&self.without));
        }
        text
    }

    pub(super) fn fields(&self) -> [(&'static str, Value); 3] {
        let by = self.superseded_by.iter();
        let by = by.map(|(name, folder, finished)| {
            json!({ "name": name, "folder": folder, "finished": finished })
        });
        [
            ("supersedes", json!(self.supersedes)),
            ("superseded_by", by.collect()),
            ("finished_without", json!(self.without)),
        ]
    }
}
