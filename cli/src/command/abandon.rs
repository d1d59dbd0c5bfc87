//! `quorate abandon`: permanently abandons a ceremony. The abandonment is in the synced log before
//! its record is written, and the record is made only from the log. After an interruption, the same
//! command completes it.

use std::sync::Arc;

use serde_json::json;

use super::finished::with_parent;
use crate::args::AbandonArgs;
use crate::command::taking_part::begun;
use crate::meeting::Meeting;
use crate::messages::shown;
use crate::progress::{listed, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use crate::{input, messages, prompt};
use quorate::message::complaint::{Abandon, Awaited};
use quorate::message::envelope::{Kind, Round, Statement};
use quorate::message::shape::Shape;
use quorate::protocol::participant::OwnSeat;
use quorate::protocol::record::{RecordKind, ReplayError};
use quorate::spec::threshold::Index;
use quorate::spec::{Ceremony, CeremonyKind};
use quorate::transcript::stopped;
use quorate_operator::carrier::board::BoardError;
use quorate_operator::machine::{self, GIVEN_UP, PUT_BACK};
use quorate_operator::store::{CeremonyDir, Log, Record, StateDir};
use quorate_operator::{MachineError, put_statement, shown_of};

const MEANING: &str = "Abandoning is permanent: this operator will sign nothing more in this \
                       ceremony. Unless a newer log of it has signed more, nobody can ever \
                       complete it. If you can wait longer, do so; nothing is lost by waiting.";

/// Runs the command.
pub(crate) fn run(args: &AbandonArgs, out: &Output) -> Result<Exit, CliError> {
    let board = Meeting::of(&args.meeting)?;
    let (_, ceremony) = input::any_ceremony(&args.file)?;
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    let ceremony = Arc::new(with_parent(ceremony, &state)?);
    let lock = state.lock().map_err(messages::store)?;
    let (operator, _) = prompt::open_identity(&state, out)?;
    let operator = Arc::new(operator);
    let seat = OwnSeat::find(ceremony.clone(), operator.clone())
        .ok_or_else(|| messages::no_seat(operator.name().as_str(), ceremony.name()))?;
    let begun = match state.find(&ceremony.digest()).map_err(messages::store)? {
        Some(view) => begun(&view)?,
        None => false,
    };
    if !begun && !seat.is_of_this_install() {
        return Err(messages::other_install(state.path()));
    }
    if !begun {
        return Err(messages::nothing_begun(ceremony.name()));
    }
    // Words that are given are those of this ceremony, whether or not they are asked for.
    if let Some(words) = &args.yes_fingerprint {
        prompt::agree(&ceremony, Some(words), "")?;
    }
    let dir = lock.ceremony(&ceremony.digest()).map_err(messages::store)?;
    let (mut log, records) = Log::open(&dir, operator.storage_key(), ceremony.digest().as_bytes())
        .map_err(messages::store)?;
    let path = dir.view().path().to_owned();
    refuse_older(&seat, &records, &dir, &[])?;
    if dir.view().is_written().map_err(messages::store)? {
        return Err(messages::finished(&ceremony, &dir.view().out()));
    }
    let mut held =
        statements(&records, &ceremony).map_err(|error| messages::replay(&error, &path))?;
    let is_own = |held: &&Statement, kind: Kind| {
        (held.envelope.sender, held.envelope.kind) == (seat.me, kind)
    };
    let own = |kind: Kind| held.iter().filter(move |held| is_own(held, kind));
    // What a newer log of this operator has signed, its folders of the board show.
    let there = match &board {
        Some(board) if own(Kind::Abandon).next().is_none() => shown_there(board, &seat, &held)?,
        _ => Vec::new(),
    };
    refuse_older(&seat, &records, &dir, &there)?;
    let signed = |round: Round| {
        let in_round = |held: &Statement| held.envelope.round == round;
        let last = |held: &&Statement| matches!(held.envelope.kind, Kind::Ordinary | Kind::Without);
        let there = there.iter().filter(last);
        own(Kind::Ordinary).chain(own(Kind::Without)).chain(there).any(in_round)
    };
    if signed(Shape::of(&ceremony).last_round()) {
        return Err(messages::agreed_already(&ceremony));
    }
    let (prepared, committed) = (signed(Round::Prepare), signed(Round::Commit));
    let word = own(Kind::Abandon).next().cloned();
    let word = match word {
        Some(word) => {
            talk("This ceremony was abandoned before; that is permanent. Completing its record.");
            word
        }
        None => {
            let (participant, _) =
                machine::replay(&seat, records, dir.view()).map_err(messages::machine)?;
            // Others may have shown what binds it in a run of an older log.
            participant.may_abandon().map_err(|error| match error {
                ReplayError::Agreed => messages::agreed_already(&ceremony),
                other => messages::replay(&other, &path),
            })?;
            talk(match ceremony.reshare() {
                None => MEANING,
                Some(_) => messages::abandoning_a_reshare(),
            });
            if args.yes_fingerprint.is_none() {
                let waiting = seat_names(&ceremony, &participant.waiting().everybody());
                let whom = if waiting.is_empty() { "nobody".to_owned() } else { listed(&waiting) };
                talk(&format!(
                    "The ceremony is {:?}, attempt {}. It waits for {whom}.",
                    ceremony.name(),
                    ceremony.attempt()
                ));
            }
            let question = "Type the words of the fingerprint to abandon it";
            prompt::agree(&ceremony, args.yes_fingerprint.as_deref(), question)?;
            let (record, word) =
                participant.abandon().map_err(|error| messages::replay(&error, &path))?;
            log.append(&[Record { kind: record.kind as u8, body: record.body }])
                .map_err(messages::store)?;
            held.push(word.clone());
            word
        }
    };
    // Of what the log holds, so that it can be made again.
    let evidence = dir
        .write_evidence(GIVEN_UP, &stopped::encode(&ceremony, &held), ceremony.reshare().is_some())
        .map_err(messages::store)?;

    if let Some(board) = &board {
        put_statement(board, &ceremony, word.clone()).map_err(messages::board)?;
    }
    let awaited = seat_names(&ceremony, &awaited(&word, &ceremony));
    let whom = if awaited.is_empty() { "nobody".to_owned() } else { listed(&awaited) };
    let committed = ceremony.reshare().is_some() && committed;
    let shares = match prepared {
        _ if committed => messages::committed_and_abandoned(),
        _ if ceremony.kind() == CeremonyKind::Import => messages::import_abandoned(prepared),
        _ if ceremony.is_repair() => messages::repair_abandoned(),
        _ if ceremony.reshare().is_some() => messages::reshare_abandoned(prepared),
        true => {
            "This operator has signed that its shares are stored. They stay sealed where they are \
             and are useless without those of the others. If no newer log of it exists, the keys \
             of this ceremony must never receive a deposit."
        }
        false => {
            "By the log in this folder, this operator never signed that its shares are stored. If \
             no newer log of it exists, this ceremony cannot produce a key."
        }
    };
    let private = match ceremony.reshare() {
        None => String::new(),
        Some(_) => format!("\nKeep it private: {}.", messages::EXPOSES),
    };
    out.finish(
        Exit::Done,
        json!({
            "ceremony": ceremony.name(),
            "spec_digest": ceremony.digest().to_string(),
            "waited_for": awaited,
            "prepared": prepared,
            "evidence": evidence.display().to_string(),
            "board": board.as_ref().map(|board| board.path().display().to_string()),
        }),
        &format!(
            "Abandoned: \"{}\", attempt {}. It waited for {whom}; this is a statement, not \
             proof.\n{shares}\nRecord: {}{private}\nWhat to do: send the record to the others and \
             agree on the next attempt. To draft it: quorate spec next",
            ceremony.name(),
            ceremony.attempt(),
            shown(&evidence)
        ),
    )
}

/// Own statements that the board shows. A board of which that cannot be read is no reason to give
/// up what may be finished.
fn shown_there(
    board: &Meeting,
    seat: &OwnSeat,
    held: &[Statement],
) -> Result<Vec<Statement>, CliError> {
    board.heed_signals()?;
    board.begin_visit();
    shown_of(board, &seat.ceremony, seat.me, held).map_err(|error| match error {
        BoardError::OwnUnread => messages::own_unread_and_abandoned(),
        error => messages::board(error),
    })
}

/// Refuses a log that was put back to an earlier state: others may hold what it lacks. What a board
/// shows of it is noted, so that every later run knows it.
fn refuse_older(
    seat: &OwnSeat,
    records: &[Record],
    dir: &CeremonyDir,
    shown: &[Statement],
) -> Result<(), CliError> {
    let view = dir.view();
    match machine::put_back(seat, records, view, shown) {
        Ok(None) => Ok(()),
        Ok(Some(put_back)) => {
            if !shown.is_empty() && !put_back.elsewhere.is_empty() {
                let note = stopped::encode(&seat.ceremony, &put_back.elsewhere);
                let private = seat.ceremony.reshare().is_some();
                dir.write_evidence(PUT_BACK, &note, private).map_err(messages::store)?;
            }
            Err(messages::put_back(view.path(), &put_back))
        }
        // An abandonment in the log is completed.
        Err(MachineError::Replay { error: ReplayError::Abandoned, .. }) => Ok(()),
        Err(error) => Err(messages::machine(error)),
    }
}

/// The statements of a log.
fn statements(records: &[Record], ceremony: &Ceremony) -> Result<Vec<Statement>, ReplayError> {
    let kind = RecordKind::Statement;
    let bodies = records
        .iter()
        .filter(|record| record.kind == kind as u8)
        .map(|record| record.body.expose());
    bodies
        .map(|bytes| Statement::open(bytes, ceremony).map_err(|_| ReplayError::Record { kind }))
        .collect()
}

/// Whom an abandonment names.
fn awaited(word: &Statement, ceremony: &Ceremony) -> Vec<Index> {
    let shape = Shape::of(ceremony);
    let body = match Abandon::fault(word, &shape) {
        None => Abandon::decode(word.body(), &shape),
        Some(fault) => Err(fault),
    };
    let Ok(body) = body else { return Vec::new() };
    let missed = |(index, awaited): (Index, Awaited)| {
        (awaited.statement || awaited.share_box).then_some(index)
    };
    ceremony.indices().zip(body.awaited).filter_map(missed).collect()
}
