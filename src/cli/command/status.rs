//! `quorate status`: what this operator has, from what can be read without its passphrase; with a passphrase file, from the logs too.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::messages::{quoted, shown};
use crate::cli::progress::{round_word, seat_names};
use crate::cli::report::{CliError, Exit, Output, talk};
use crate::cli::{input, machine, messages, prompt};
use crate::identity::Operator;
use crate::protocol::participant::OwnSeat;
use crate::spec::Ceremony;
use crate::spec::canonical::fingerprint;
use crate::store::{CeremonyView, Log, StateDir};

/// Where a ceremony stands, as far as files tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Outputs are published.
    Finished,
    /// Evidence of a fault is kept, and there are no outputs.
    Faulted,
    /// There is a log.
    Begun,
    /// There is nothing: this operator has said nothing to anybody.
    Empty,
    /// There was a log, and it is gone.
    LogGone,
}

impl Stand {
    fn of(view: &CeremonyView) -> Result<Self, CliError> {
        if view.is_published().map_err(messages::store)? {
            return Ok(Self::Finished);
        }
        if !view.evidence().map_err(messages::store)?.is_empty() {
            return Ok(Self::Faulted);
        }
        Ok(match (view.has_log().map_err(messages::store)?, view.has_traces().map_err(messages::store)?) {
            (true, _) => Self::Begun,
            (false, true) => Self::LogGone,
            (false, false) => Self::Empty,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Faulted => "faulted",
            Self::Begun => "begun",
            Self::Empty => "empty",
            Self::LogGone => "log-gone",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Finished => "finished: its outputs are published",
            Self::Faulted => "a fault was found, and its evidence is kept",
            Self::Begun => "begun and not finished; with --passphrase-file, whom it waits for is read from its log",
            Self::Empty => "nothing was begun",
            Self::LogGone => "begun, and its log is gone: it cannot be begun anew; agree on a new file with the next attempt",
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
        unfinished |= matches!(stand, Stand::Begun | Stand::Empty);
        let (text, object) = describe(&state, view, stand, operator.as_ref())?;
        texts.push(text);
        objects.push(object);
    }
    if !has_identity {
        talk("There are no operator keys here. Make them with: quorate identity new");
    }
    let text = if texts.is_empty() { "No ceremony yet.".to_owned() } else { texts.join("\n\n") };
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
) -> Result<(String, Value), CliError> {
    let ceremony = agreed(view)?.map(Arc::new);
    let awaited = match (&ceremony, operator) {
        (Ok(ceremony), Some(operator)) if stand == Stand::Begun => Some(awaited(view, ceremony, operator)?),
        _ => None,
    };
    let folder = view.path();
    let next = match stand {
        Stand::Finished => format!("quorate audit {}", quoted(&view.out().join("public/transcript.quorate"))),
        _ => format!("quorate --dir {} run {}", quoted(state.path()), quoted(&folder.join("ceremony.toml"))),
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
    let evidence = view.evidence().map_err(messages::store)?;
    let mut text = format!("{about}\n  state        {}\n  files        {}", stand.sentence(), shown(folder));
    if let Some((sentence, _)) = &awaited {
        text += &format!("\n  waiting      {sentence}");
    }
    for path in &evidence {
        text += &format!("\n  evidence     {}", shown(path));
    }
    // Without the file as it was agreed to there is nothing to run.
    if (ceremony.is_ok() && stand != Stand::LogGone) || stand == Stand::Finished {
        text += &format!("\n  next         {next}");
    }
    let object = json!({
        "id": view.name(),
        "state": stand.word(),
        "path": folder.display().to_string(),
        "outputs": (stand == Stand::Finished).then(|| view.out().display().to_string()),
        "evidence": evidence.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "waiting_for": awaited.map(|(_, names)| names),
        "name": ceremony.as_ref().ok().map(|ceremony| ceremony.name()),
        "network": ceremony.as_ref().ok().map(|ceremony| ceremony.network().name()),
        "fingerprint": ceremony.as_ref().ok().map(|ceremony| fingerprint(&ceremony.digest()).join(" ")),
        "problem": ceremony.as_ref().err(),
    });
    Ok((text, object))
}

/// Whom a ceremony waits for, as its log has it: in words, and by name.
fn awaited(view: &CeremonyView, ceremony: &Arc<Ceremony>, operator: &Arc<Operator>) -> Result<(String, Vec<String>), CliError> {
    let Some(seat) = OwnSeat::find(ceremony.clone(), operator.clone()) else {
        return Err(messages::no_seat(operator.name().as_str(), ceremony.name()));
    };
    let records = Log::read(view, operator.storage_key(), ceremony.digest().as_bytes()).map_err(messages::store)?;
    // A replay changes nothing: what it asks for is left undone.
    let (participant, _) = machine::replay(&seat, records, view.path())?;
    let waiting = participant.waiting();
    let names = seat_names(ceremony, &waiting.everybody());
    let sentence = match waiting.round {
        Some(round) if !names.is_empty() => {
            format!("round {} of 5, {}: for {}", round.number() + 1, round_word(round), names.join(", "))
        }
        _ => "for nobody; run it to go on".to_owned(),
    };
    Ok((sentence, names))
}

/// The ceremony that a directory is of, or why its file does not tell.
fn agreed(view: &CeremonyView) -> Result<Result<Ceremony, String>, CliError> {
    let Some(bytes) = view.ceremony_file().map_err(messages::store)? else {
        return Ok(Err("not found".to_owned()));
    };
    let Ok(text) = core::str::from_utf8(&bytes) else { return Ok(Err("not UTF-8 text".to_owned())) };
    Ok(match input::parse_ceremony(text) {
        Ok(ceremony) if ceremony.digest().to_string().starts_with(view.name()) => Ok(ceremony),
        Ok(_) => Err("of another ceremony than this directory".to_owned()),
        Err(error) => Err(error.to_string()),
    })
}
