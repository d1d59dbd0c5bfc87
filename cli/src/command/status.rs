//! `quorate status`: what this operator has, from what can be read without its passphrase; with a
//! passphrase file, also from the logs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::evidence::judged;
use super::run::{named, next_attempt};
use crate::live::{abandoned_by, gave_up};
use crate::messages::{quoted, shown};
use crate::progress::{Named, listed, round_word, seat_name, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use crate::verdict::Verdict;
use crate::{input, messages, prompt};
use quorate::audit::describe;
use quorate::identity::Operator;
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::put_back::PutBack;
use quorate::protocol::record::ReplayError;
use quorate::spec::Ceremony;
use quorate::spec::canonical::fingerprint;
use quorate_operator::store::{CeremonyView, Log, StateDir};
use quorate_operator::{MachineError, machine};

/// Where a ceremony stands, as far as files tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Outputs are written.
    Finished,
    /// This operator gave it up, for good.
    GivenUp,
    /// Evidence of a fault is kept, and there are no outputs.
    Faulted,
    /// There is a log.
    Begun,
    /// There is nothing: this operator has said nothing to anybody.
    Empty,
    /// There was a log, and it is gone.
    LogGone,
    /// The log was put back to an earlier state.
    PutBack,
}

impl Stand {
    fn of(view: &CeremonyView) -> Result<Self, CliError> {
        if view.is_written().map_err(messages::store)? {
            return Ok(Self::Finished);
        }
        let evidence = view.evidence().map_err(messages::store)?;
        if evidence.iter().any(|path| named(path, machine::GIVEN_UP)) {
            return Ok(Self::GivenUp);
        }
        if evidence.iter().any(|path| !named(path, machine::PUT_BACK)) {
            return Ok(Self::Faulted);
        }
        Ok(
            match (
                view.has_log().map_err(messages::store)?,
                view.has_traces().map_err(messages::store)?,
            ) {
                (true, _) => Self::Begun,
                (false, true) => Self::LogGone,
                (false, false) => Self::Empty,
            },
        )
    }

    fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::GivenUp => "given-up",
            Self::Faulted => "faulted",
            Self::Begun => "begun",
            Self::Empty => "empty",
            Self::LogGone => "log-gone",
            Self::PutBack => "put-back",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Finished => "finished: its outputs are written",
            Self::GivenUp => {
                "abandoned: this operator signs nothing more in it, and its keys must never \
                 receive a deposit"
            }
            Self::Faulted => "stopped by a fault; the evidence is kept",
            Self::Begun => "started, not finished (--passphrase-file shows whom it waits for)",
            Self::Empty => "not started",
            Self::LogGone => {
                "started, but its log is missing: it cannot be started again; agree on a new file \
                 for the next attempt"
            }
            Self::PutBack => {
                "its log was put back to an earlier state: this operator signs nothing more from \
                 it, and waits for nobody"
            }
        }
    }
}

/// Runs the command.
pub(crate) fn run(out: &Output) -> Result<Exit, CliError> {
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let has_identity = state.has_identity().map_err(messages::store)?;
    let views = state.ceremonies().map_err(messages::store)?;
    let operator = match has_identity && out.passphrase_file.is_some() {
        true => Some(Arc::new(prompt::open_identity(&state, out)?.0)),
        false => None,
    };
    let mut unfinished = false;
    let (mut texts, mut objects) = (Vec::new(), Vec::new());
    for view in &views {
        let stand = Stand::of(view)?;
        let (text, object, stand) = describe(&state, view, stand, operator.as_ref())?;
        unfinished |= matches!(stand, Stand::Begun | Stand::Empty);
        texts.push(text);
        objects.push(object);
    }
    if !has_identity {
        talk("There are no operator keys here. Create them with: quorate identity new");
    }
    let text = if texts.is_empty() {
        "No ceremonies in this directory.".to_owned()
    } else {
        texts.join("\n\n")
    };
    let fields = json!({
        "dir": state.path().display().to_string(),
        "identity": has_identity,
        "ceremonies": objects,
    });
    out.finish(if unfinished { Exit::Waiting } else { Exit::Done }, fields, &text)
}

fn describe(
    state: &StateDir,
    view: &CeremonyView,
    stand: Stand,
    operator: Option<&Arc<Operator>>,
) -> Result<(String, Value, Stand), CliError> {
    let ceremony = agreed(view)?.map(Arc::new);
    let awaited = match (&ceremony, operator) {
        (Ok(ceremony), Some(operator)) if matches!(stand, Stand::Begun | Stand::Faulted) => {
            match told(view, ceremony, operator) {
                // Of one that a fault stopped, what can be read without the log is enough.
                Err(_) if stand == Stand::Faulted => None,
                told => Some(told?),
            }
        }
        _ => None,
    };
    let stand = if matches!(awaited, Some(Told::GivenUp)) { Stand::GivenUp } else { stand };
    let older = match (&ceremony, operator) {
        (Ok(ceremony), Some(operator)) => older(view, ceremony, operator, stand)?,
        _ => None,
    };
    // Without the log, the note counts.
    let noted = operator.is_none()
        && !view.evidence_of(machine::PUT_BACK).map_err(messages::store)?.is_empty();
    let stand = if older.is_some() || noted { Stand::PutBack } else { stand };
    let folder = view.path();
    let evidence = view.evidence().map_err(messages::store)?;
    let next = match stand {
        Stand::Finished => {
            // What the folder holds is what this operator agreed to, if it is that file.
            let agreed = match &ceremony {
                Ok(_) => quoted(&folder.join("ceremony.toml")),
                Err(_) => messages::CEREMONY_FILE.to_owned(),
            };
            let transcript = view.out().join("public/transcript.quorate");
            format!("quorate audit {} --expect {agreed}", quoted(&transcript))
        }
        // Its word is in the log, and the record of it is not written yet.
        Stand::GivenUp if !evidence.iter().any(|path| named(path, machine::GIVEN_UP)) => {
            format!(
                "quorate --dir {} abandon {}",
                quoted(state.path()),
                quoted(&folder.join("ceremony.toml"))
            )
        }
        Stand::GivenUp => format!(
            "quorate spec next {} --reason \"...\" -o NEW.toml",
            quoted(&folder.join("ceremony.toml"))
        ),
        _ => format!(
            "quorate --dir {} run {}",
            quoted(state.path()),
            quoted(&folder.join("ceremony.toml"))
        ),
    };
    let about = match &ceremony {
        Ok(ceremony) => format!(
            "\"{}\" on {}: {} of {} operators, validators: {}, attempt {}\n  fingerprint  {}",
            ceremony.name(),
            ceremony.network().name(),
            ceremony.t(),
            ceremony.n(),
            ceremony.v(),
            ceremony.attempt(),
            fingerprint(&ceremony.digest()).join(" ")
        ),
        Err(why) => format!("{}: {why}", shown(&folder.join("ceremony.toml"))),
    };
    let mut text =
        format!("{about}\n  state        {}\n  files        {}", stand.sentence(), shown(folder));
    let mut proven = Vec::new();
    let mut then = None;
    for verdict in verdicts(&evidence) {
        match verdict {
            Ok(Verdict { ceremony, proven: faults, .. }) => {
                proven.extend(
                    faults.iter().map(|fault| describe::rule(&fault.rule, Some(&ceremony))),
                );
                let new = format!("ceremony-attempt-{}.toml", ceremony.attempt().saturating_add(1));
                let next = |fault| {
                    next_attempt(fault, &folder.join("ceremony.toml"), Path::new(&new), &ceremony)
                };
                then = then.or(faults.first().map(next));
            }
            Err(error) => proven.push(error.what),
        }
    }
    proven.iter().for_each(|fault| text += &format!("\n  proven       {fault}"));
    if stand == Stand::PutBack {
        if let Some(older) = &older {
            text += &format!(
                "\n  known by     {}\n  share        {}",
                messages::put_back_because(older),
                messages::put_back_share(older, folder)
            );
        }
        text += &format!(
            "\n  first        put the newest copy of {} back",
            shown(&folder.join("log.sealed"))
        );
    }
    let (mut names, mut abandoned_by) = (None, None);
    if let Some(Told::Waits { sentence, names: awaited, fault, gone }) = awaited {
        gone.iter().for_each(|(_, what)| text += &format!("\n  abandoned    {what}"));
        abandoned_by = Some(gone.into_iter().map(|(name, _)| name).collect::<Vec<_>>());
        match (stand, fault) {
            (_, Some(fault)) => text += &format!("\n  fault        {fault}"),
            (Stand::Begun, None) => text += &format!("\n  waiting      {sentence}"),
            _ => {}
        }
        names = Some(awaited);
    }
    for path in &evidence {
        text += &format!("\n  evidence     {}", shown(path));
    }
    // Without the file as it was agreed to there is nothing to run.
    let next =
        (ceremony.is_ok() && stand != Stand::LogGone || stand == Stand::Finished).then_some(next);
    if let Some(next) = &next {
        text += &format!("\n  next         {next}");
        if let Some(then) = then.filter(|_| stand == Stand::Faulted) {
            text += &format!("\n  or           {then}");
        }
    }
    let object = json!({
        "id": view.name(),
        "state": stand.word(),
        "path": folder.display().to_string(),
        "outputs": view
            .is_written()
            .map_err(messages::store)?
            .then(|| view.out().display().to_string()),
        "put_back": older.as_ref().map(messages::put_back_because),
        "evidence": evidence.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "waiting_for": names,
        "abandoned_by": abandoned_by,
        "proven": proven,
        "next": next,
        "name": ceremony.as_ref().ok().map(|ceremony| ceremony.name()),
        "network": ceremony.as_ref().ok().map(|ceremony| ceremony.network().name()),
        "fingerprint":
            ceremony.as_ref().ok().map(|ceremony| fingerprint(&ceremony.digest()).join(" ")),
        "problem": ceremony.as_ref().err(),
    });
    Ok((text, object, stand))
}

/// What a log tells.
enum Told {
    /// This operator gave up; the record of it may be missing yet.
    GivenUp,
    /// The log was put back to an earlier state.
    PutBack,
    /// Whom the ceremony waits for, in words and by name; and the fault that stands in its way, if
    /// there is one.
    Waits {
        sentence: String,
        names: Vec<Named>,
        fault: Option<String>,
        /// Who has signed that it gave up: the name, and what it means here.
        gone: Vec<(Named, String)>,
    },
}

fn told(
    view: &CeremonyView,
    ceremony: &Arc<Ceremony>,
    operator: &Arc<Operator>,
) -> Result<Told, CliError> {
    let Some(seat) = OwnSeat::find(ceremony.clone(), operator.clone()) else {
        return Err(messages::no_seat(operator.name().as_str(), ceremony.name()));
    };
    let records = Log::read(view, operator.storage_key(), ceremony.digest().as_bytes())
        .map_err(messages::store)?;
    // A replay changes nothing: what it asks for is left undone.
    let participant = match machine::replay(&seat, records, view) {
        Ok((participant, _)) => participant,
        Err(MachineError::Replay { error: ReplayError::Abandoned, .. }) => {
            return Ok(Told::GivenUp);
        }
        Err(MachineError::PutBack { .. }) => return Ok(Told::PutBack),
        Err(error) => return Err(messages::machine(error)),
    };
    let waiting = participant.waiting();
    let names = seat_names(ceremony, &waiting.everybody());
    let fault = participant.fault().map(|fault| {
        let stored = match participant.is_prepared() {
            true => {
                "your shares are stored; it can still finish if the other operators complete the \
                 certificate"
            }
            false => "you never confirmed shares",
        };
        format!("{}; {stored}", describe::fault(&fault.rule, Some(ceremony)))
    });
    let sentence = match waiting.round {
        Some(round) if !names.is_empty() => {
            format!(
                "for {}, in round {} of 5 ({})",
                listed(&names),
                round.number() + 1,
                round_word(round)
            )
        }
        _ => "for nobody; run it to continue".to_owned(),
    };
    let gone = abandoned_by(&participant)
        .into_iter()
        .map(|index| (seat_name(ceremony, index), gave_up(&participant, index)))
        .collect();
    Ok(Told::Waits { sentence, names, fault, gone })
}

/// Whether the log is one that was put back to an earlier state.
fn older(
    view: &CeremonyView,
    ceremony: &Arc<Ceremony>,
    operator: &Arc<Operator>,
    stand: Stand,
) -> Result<Option<PutBack>, CliError> {
    let Some(seat) = OwnSeat::find(ceremony.clone(), operator.clone()) else { return Ok(None) };
    if matches!(stand, Stand::Empty | Stand::LogGone | Stand::GivenUp) {
        return Ok(None);
    }
    let read = || -> Result<Option<PutBack>, MachineError> {
        let digest = ceremony.digest();
        let records = Log::read(view, operator.storage_key(), digest.as_bytes())?;
        machine::put_back(&seat, &records, view)
    };
    match read() {
        Ok(found) => Ok(found),
        // What can be said without the log is enough.
        Err(_) if matches!(stand, Stand::Finished | Stand::Faulted) => Ok(None),
        Err(error) => Err(messages::machine(error)),
    }
}

/// What the evidence of a fault proves, as anybody can see it.
fn verdicts(evidence: &[PathBuf]) -> Vec<Result<Verdict, CliError>> {
    evidence.iter().filter(|path| named(path, machine::FAULT)).map(|path| judged(path)).collect()
}

/// The ceremony that a directory is of, or why its file does not tell.
fn agreed(view: &CeremonyView) -> Result<Result<Ceremony, String>, CliError> {
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
