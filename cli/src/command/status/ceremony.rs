//! One ceremony of this operator: where it stands, its validators, its evidence, and what to do
//! next.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::evidence::Evidence;
use super::generations::Generations;
use super::log::{Told, older, signed_exits, told};
use super::stand::Stand;
use crate::command::finished::with_parent;
use crate::command::run_ended::next_attempt;
use crate::messages::{quoted, shown};
use crate::parent::whole_keys;
use crate::progress::Named;
use crate::report::CliError;
use crate::restored::date;
use crate::verdict::Verdict;
use crate::{input, messages};
use quorate::audit::describe;
use quorate::identity::Operator;
use quorate::primitives::hash::Digest;
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::put_back::PutBack;
use quorate::spec::canonical::fingerprint;
use quorate::spec::show::words;
use quorate::spec::{Ceremony, CeremonyKind};
use quorate_operator::machine;
use quorate_operator::store::{CeremonyView, StateDir};

/// Most bytes of a deposit file whose keys are shown: more than those of 8192 validators.
const MOST_DEPOSITS: usize = 16 << 20;
/// Most validators of which each is shown.
const MOST_SHOWN: usize = 4;

/// A ceremony, for people and for programs.
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) object: Value,
    /// Whether something is still to come.
    pub(super) unfinished: bool,
}

/// What is known of a ceremony.
struct Known<'a> {
    state: &'a StateDir,
    view: &'a CeremonyView,
    ceremony: Result<Arc<Ceremony>, String>,
    stand: Stand,
    told: Option<Told>,
    older: Option<PutBack>,
    evidence: Evidence,
    validators: Vec<String>,
    generations: Generations,
    restored: Option<FromBackup>,
    /// Its shares were erased on request.
    erased: bool,
    /// Of keys that came by an import: that they were whole, in whose hands.
    whole: Option<String>,
    /// The validators of which this operator has signed an exit, if its log can be read.
    exits: Option<BTreeSet<[u8; 48]>>,
}

/// That a ceremony came out of a backup.
struct FromBackup {
    made: u64,
    /// A person has said since that no newer shares exist.
    newest: bool,
}

/// Everything about a ceremony that can be read; with an operator, its log too.
pub(super) fn show(
    state: &StateDir,
    view: &CeremonyView,
    operator: Option<&Arc<Operator>>,
) -> Result<Shown, CliError> {
    let known = know(state, view, operator)?;
    let proven = known.proven();
    // Without the file as it was agreed to there is nothing to run.
    let next = match known.stand {
        Stand::Finished => Some(known.next()),
        Stand::LogGone => None,
        _ if known.too_old() || known.ceremony.is_err() => None,
        _ => Some(known.next()),
    };
    let outputs = known.stand_has_outputs()?;
    let ceremony = known.ceremony.as_ref();
    let (waiting_for, abandoned_by) = match &known.told {
        Some(Told::Waits { names, gone, .. }) => (
            Some(names.clone()),
            Some(gone.iter().map(|(name, _)| name.clone()).collect::<Vec<Named>>()),
        ),
        _ => (None, None),
    };
    let paths = known.evidence.0.iter().map(|(path, _)| path.display().to_string());
    let mut object = json!({
        "folder": view.name(),
        "state": known.stand.word(),
        "path": view.path().display().to_string(),
        "outputs": outputs,
        "validators": known.validators,
        "whole_keys": known.whole,
        "put_back": known.older.as_ref().map(messages::put_back_because),
        "evidence": paths.collect::<Vec<_>>(),
        "exits_signed": known.exits.as_ref().map(|exits| {
            exits.iter().map(|key| format!("0x{}", hex::encode(key))).collect::<Vec<_>>()
        }),
        "shares_erased": known.erased,
        "restored": known.restored.as_ref().map(|from| json!({
            "backup_made": from.made, "newest": from.newest,
        })),
        "waiting_for": waiting_for,
        "abandoned_by": abandoned_by,
        "proven": proven.faults,
        "next": next,
        "name": ceremony.ok().map(|ceremony| ceremony.name()),
        "network": ceremony.ok().map(|ceremony| ceremony.network().name()),
        "fingerprint": ceremony.ok().map(|ceremony| fingerprint(&ceremony.digest()).join(" ")),
        "problem": ceremony.err(),
    });
    for (name, value) in known.generations.fields() {
        object[name] = value;
    }
    Ok(Shown {
        text: known.text(&proven, next.as_deref()),
        object,
        unfinished: !matches!(known.stand, Stand::Finished | Stand::GivenUp | Stand::Faulted),
    })
}

fn know<'a>(
    state: &'a StateDir,
    view: &'a CeremonyView,
    operator: Option<&Arc<Operator>>,
) -> Result<Known<'a>, CliError> {
    let ceremony = match (agreed(view)?, operator) {
        // What its log holds is checked with what it takes from its parent.
        (Ok(ceremony), Some(_)) => with_parent(ceremony, state).map_err(|error| error.what),
        (agreed, _) => agreed,
    };
    let ceremony = ceremony.map(Arc::new);
    let seat = match (&ceremony, operator) {
        (Ok(ceremony), Some(operator)) => OwnSeat::find(ceremony.clone(), operator.clone()),
        _ => None,
    };
    let evidence = Evidence::of(view, ceremony.as_deref().ok(), seat.map(|seat| seat.me))?;
    let stand = Stand::of(view, &evidence)?;
    let told = match (&ceremony, operator) {
        (Ok(ceremony), Some(operator)) if matches!(stand, Stand::Begun | Stand::Faulted) => {
            match told(view, ceremony, operator) {
                // Of one that a fault stopped, what can be read without the log is enough.
                Err(_) if stand == Stand::Faulted => None,
                told => Some(told?),
            }
        }
        _ => None,
    };
    let stand = if matches!(told, Some(Told::GivenUp)) { Stand::GivenUp } else { stand };
    let older = match (&ceremony, operator) {
        (Ok(ceremony), Some(operator)) => older(view, ceremony, operator, stand)?,
        _ => None,
    };
    // Without the log, the note counts.
    let noted = operator.is_none()
        && !view.evidence_of(machine::PUT_BACK).map_err(messages::store)?.is_empty();
    let stand = if older.is_some() || noted { Stand::PutBack } else { stand };
    let validators = match ceremony.as_ref().ok().and_then(|ceremony| ceremony.reshare()) {
        None => validators(&view.out().join("public/deposit-data.json")),
        Some(spec) => {
            spec.validators.iter().map(|one| format!("0x{}", hex::encode(one.key))).collect()
        }
    };
    let generations = match &ceremony {
        Ok(ceremony) => Generations::of(state, view, ceremony)?,
        Err(_) => Generations::default(),
    };
    let restored = match &ceremony {
        Ok(ceremony) => from_backup(state, &ceremony.digest())?,
        Err(_) => None,
    };
    let erased = view.is_forgotten().map_err(messages::store)?;
    let whole = match &ceremony {
        Ok(ceremony) => whole_keys(ceremony, view)?,
        Err(_) => None,
    };
    let exits = match (&ceremony, operator) {
        // What can be said without the log is enough.
        (Ok(ceremony), Some(operator)) if stand == Stand::Finished => {
            signed_exits(state, view, ceremony, operator).ok()
        }
        _ => None,
    };
    Ok(Known {
        state,
        view,
        ceremony,
        stand,
        told,
        older,
        evidence,
        validators,
        generations,
        restored,
        erased,
        whole,
        exits,
    })
}

fn from_backup(state: &StateDir, digest: &Digest) -> Result<Option<FromBackup>, CliError> {
    let newest = state.unsure(digest).map_err(messages::store)?.is_none();
    let restored = state.restored(digest).map_err(messages::store)?;
    Ok(restored.map(|note| FromBackup { made: note.made, newest }))
}

/// What evidence proves, and the command that drafts the next attempt without whoever it blames.
struct Proven {
    faults: Vec<String>,
    then: Option<String>,
}

impl Known<'_> {
    /// What it makes; of a file that cannot be read, what most make.
    fn kind(&self) -> CeremonyKind {
        self.ceremony.as_ref().map_or(CeremonyKind::Dkg, |ceremony| ceremony.kind())
    }

    fn file(&self) -> PathBuf {
        self.view.path().join("ceremony.toml")
    }

    /// A ceremony of an older version that is not finished: this program does not continue it.
    fn too_old(&self) -> bool {
        self.ceremony
            .as_ref()
            .is_ok_and(|ceremony| machine::check_version(ceremony, Some(self.view)).is_err())
    }

    fn stand_has_outputs(&self) -> Result<Option<String>, CliError> {
        let written = self.view.is_written().map_err(messages::store)?;
        Ok(written.then(|| self.view.out().display().to_string()))
    }

    /// The command that continues from here.
    fn next(&self) -> String {
        let file = quoted(&self.file());
        match self.stand {
            Stand::Finished => {
                // What the folder holds is what this operator agreed to, if it is that file.
                let agreed = match &self.ceremony {
                    Ok(_) => file,
                    Err(_) => messages::CEREMONY_FILE.to_owned(),
                };
                let transcript = self.view.out().join("public/transcript.quorate");
                format!("quorate audit {} --expect {agreed}", quoted(&transcript))
            }
            // Its word is in the log, and the record of it is not written yet.
            Stand::GivenUp if !self.evidence.is_given_up() => {
                format!("quorate --dir {} abandon {file}", quoted(self.state.path()))
            }
            Stand::GivenUp => format!("quorate spec next {file} --reason \"...\" -o NEW.toml"),
            _ => {
                let run = format!("quorate --dir {} run {file}", quoted(self.state.path()));
                match &self.told {
                    Some(Told::Waits { stop: true, .. }) => format!("{run} --stopped"),
                    _ => run,
                }
            }
        }
    }

    /// What the evidence of a fault proves, as anybody can see it.
    fn proven(&self) -> Proven {
        let mut proven = Proven { faults: Vec::new(), then: None };
        for Verdict { ceremony, proven: faults, .. } in self.evidence.faults() {
            let rules = faults.iter().map(|fault| describe::rule(&fault.rule, Some(ceremony)));
            proven.faults.extend(rules);
            let attempt = ceremony.attempt().saturating_add(1);
            let new = format!("ceremony-attempt-{attempt}.toml");
            let next = |fault| next_attempt(fault, &self.file(), Path::new(&new), ceremony);
            proven.then = proven.then.or(faults.first().map(next));
        }
        proven
    }

    fn text(&self, proven: &Proven, next: Option<&str>) -> String {
        let mut text = format!(
            "{}\n  state        {}\n  files        {}",
            self.about(),
            self.stand.sentence(self.kind()),
            shown(self.view.path())
        );
        text += &self.generations.lines();
        if let Some(whole) = &self.whole {
            text += &format!("\n  keys         {whole}");
        }
        text += &validator_lines(&self.validators);
        if let Some(exits) = self.exits.as_ref().filter(|exits| !exits.is_empty()) {
            let all = self.ceremony.as_ref().map_or(0, |ceremony| ceremony.v());
            text += &format!("\n  exits        this operator has signed {} of {all}", exits.len());
        }
        if self.erased {
            text +=
                "\n  shares       erased on request: this operator signs nothing more with them";
        }
        if let Some(FromBackup { made, newest }) = &self.restored {
            let known = match newest {
                true => "",
                false => ". Whether newer shares exist is not known here",
            };
            text += &format!("\n  restored     from a backup of {}{known}", date(*made));
        }
        proven.faults.iter().for_each(|fault| text += &format!("\n  proven       {fault}"));
        text += &self.put_back();
        if let Some(Told::Waits { sentence, fault, gone, .. }) = &self.told {
            gone.iter().for_each(|(_, what)| text += &format!("\n  abandoned    {what}"));
            match (self.stand, fault) {
                (_, Some(fault)) => text += &format!("\n  fault        {fault}"),
                (Stand::Begun, None) => text += &format!("\n  waiting      {sentence}"),
                _ => {}
            }
        }
        for line in self.evidence.lines() {
            text += &format!("\n  evidence     {line}");
        }
        if self.too_old() {
            text += "\n  problem      an earlier version began it: finish it with that \
                     program, or agree on a new ceremony file";
        }
        if let Some(next) = next {
            text += &format!("\n  next         {next}");
            if let Some(then) = proven.then.as_ref().filter(|_| self.stand == Stand::Faulted) {
                text += &format!("\n  or           {then}");
            }
        }
        text
    }

    fn about(&self) -> String {
        match &self.ceremony {
            Ok(ceremony) => format!(
                "\"{}\" on {}: {} of {} operators, validators: {}, attempt {}\n  fingerprint{}",
                ceremony.name(),
                ceremony.network().name(),
                ceremony.t(),
                ceremony.holders(),
                ceremony.v(),
                ceremony.attempt(),
                words(ceremony).lines().map(|row| format!("\n{row}")).collect::<String>()
            ),
            Err(why) => format!("{}: {why}", shown(&self.file())),
        }
    }

    fn put_back(&self) -> String {
        if self.stand != Stand::PutBack {
            return String::new();
        }
        let folder = self.view.path();
        let known = self.older.as_ref().map_or_else(String::new, |older| {
            format!(
                "\n  known by     {}\n  share        {}",
                messages::put_back_because(older),
                messages::put_back_share(older, folder)
            )
        });
        let log = shown(&folder.join("log.sealed"));
        format!("{known}\n  first        put the newest copy of {log} back")
    }
}

/// The ceremony that a directory is of, or why its file does not tell.
pub(in crate::command) fn agreed(
    view: &CeremonyView,
) -> Result<Result<Ceremony, String>, CliError> {
    let Some(bytes) = view.ceremony_file().map_err(messages::store)? else {
        return Ok(Err("not found".to_owned()));
    };
    let Ok(text) = core::str::from_utf8(&bytes) else {
        return Ok(Err("not UTF-8 text".to_owned()));
    };
    Ok(match input::parse_ceremony(text) {
        Ok(ceremony) if ceremony.digest().to_string().starts_with(view.name()) => Ok(ceremony),
        Ok(_) => Err("belongs to a different ceremony than this directory".to_owned()),
        Err(error) => Err(error.to_string()),
    })
}

/// The validators' public keys, `0x` and 96 digits, in the order of the deposit file among the
/// outputs; none if there is no such file. An audit verifies them, not this command.
fn validators(path: &Path) -> Vec<String> {
    #[derive(Deserialize)]
    struct Entry {
        pubkey: String,
    }
    let entries: Vec<Entry> = input::read(path, MOST_DEPOSITS)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let is_key = |text: &str| text.len() == 96 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let keys = entries.into_iter().map(|entry| entry.pubkey).filter(|key| is_key(key));
    keys.map(|key| format!("0x{key}")).collect()
}

/// Each validator, or the first and the last of many.
fn validator_lines(keys: &[String]) -> String {
    let line = |number: usize, key: &str| format!("\n  validator {number:<4}{key}");
    match keys {
        [first, .., last] if keys.len() > MOST_SHOWN => format!(
            "{}\n  ...          {} more; with --json, all of them{}",
            line(1, first),
            keys.len() - 2,
            line(keys.len(), last)
        ),
        keys => (1..).zip(keys).map(|(number, key)| line(number, key)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_validators_are_three_lines() {
        let keys: Vec<String> = (0..200).map(|number| format!("0x{number:096x}")).collect();
        let lines = validator_lines(&keys);
        let lines: Vec<&str> = lines.lines().skip(1).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], format!("  validator 1   {}", keys[0]));
        assert!(lines[1].contains(" 198 more"));
        assert_eq!(lines[2], format!("  validator 200 {}", keys[199]));
        assert_eq!(validator_lines(&keys[..2]).lines().count(), 3);
        assert_eq!(validator_lines(&[]), "");
    }
}
