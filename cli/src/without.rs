//! Finishing a reshare without operators that are lost after all have stopped: its person says so,
//! and everybody who is left has to say the same.

use std::collections::BTreeMap;
use std::time::Duration;

use super::args::WithoutArgs;
use super::command::spec_next::seat;
use super::progress::{listed, seat_name, seat_names};
use super::report::{CliError, talk};
use super::{messages, prompt};
use quorate::exchange::{Exchange, Moment};
use quorate::protocol::participant::{Participant, Refused};
use quorate::spec::seats::Seats;
use quorate::spec::{Ceremony, Index};
use quorate_operator::machine::Machine;

impl WithoutArgs {
    /// Whether anybody is named.
    pub(crate) fn are_given(&self) -> bool {
        !self.without.is_empty()
    }

    /// Refuses to leave anybody out of what needs all of its operators.
    pub(crate) fn fit(&self, ceremony: &Ceremony) -> Result<(), CliError> {
        match self.are_given() && (ceremony.reshare().is_none() || ceremony.is_repair()) {
            true => Err(messages::without_no_reshare()),
            false => Ok(()),
        }
    }
}

/// What others have said since `known`, that they finish without somebody, where this operator has
/// not said the same: one text for each of them, with what to do, which differs while a program is
/// running.
pub(crate) fn asked(
    participant: &Participant,
    known: &mut BTreeMap<Index, Seats>,
    running: bool,
) -> Vec<(Index, String)> {
    let (me, ceremony) = (participant.seat().me, &participant.seat().ceremony);
    let own = participant.does_without(me);
    let mut all = Vec::new();
    for who in ceremony.indices().filter(|who| *who != me) {
        let lost = participant.does_without(who);
        if known.insert(who, lost).unwrap_or_default() == lost
            || participant.is_finished()
            || lost.is_within(own)
            || lost.contains(me)
        {
            continue;
        }
        let seats: Vec<Index> = lost.iter().collect();
        let flags: String = seats.iter().map(|seat| format!(" --without {}", seat.get())).collect();
        let names = listed(&seat_names(ceremony, &seats));
        let who_is_it = seat_name(ceremony, who).to_string();
        all.push((who, messages::asked_without(&who_is_it, &names, &flags, running)));
    }
    all
}

/// Takes a person's word that operators are lost, and carries out what follows. Refused before this
/// operator's last statement, and where too few would be left.
pub(crate) fn finish(
    args: &WithoutArgs,
    exchange: &mut Exchange,
    machine: &mut Machine,
) -> Result<(), CliError> {
    let participant = exchange.participant();
    let (ceremony, me) = (participant.seat().ceremony.clone(), participant.seat().me);
    let named = args.without.iter().map(|text| seat("--without", text, &ceremony));
    let named: Seats = named.collect::<Result<_, _>>()?;
    if named.contains(me) {
        return Err(messages::without_oneself());
    }
    if participant.is_finished() {
        talk("This reshare is finished: nothing is said any more.");
        return Ok(());
    }
    let refused = |refused| explain(&refused, &ceremony);
    let lost = participant.word_without(named).map_err(refused)?.seats;
    let names = |seats: Seats| listed(&seat_names(&ceremony, &seats.iter().collect::<Vec<_>>()));
    let others = Seats::first(ceremony.n()).minus(lost).without(me);
    talk(&messages::without_means(&names(lost), &names(others)));
    let what = (messages::LOST, messages::not_lost_by_word as fn() -> CliError);
    prompt::sentence(what, args.yes_without.as_deref(), "--yes-without")?;
    // Nobody is connected yet: peers are given it when they are.
    let moment = Moment { now: Duration::ZERO, queued: Vec::new() };
    let taken = exchange.finish_without(lost, &moment, machine);
    let taken = taken.map_err(|trouble| messages::machine(machine.error(trouble)))?;
    taken.map_err(|refused| explain(&refused, &ceremony))?;
    talk(&format!("This operator finishes without {}.", names(lost)));
    // Where the others have said so before, this word was the last one.
    if exchange.participant().is_finished() {
        talk(messages::WRITTEN);
    }
    Ok(())
}

fn explain(refused: &Refused, ceremony: &Ceremony) -> CliError {
    let names = |seats: &[Index]| listed(&seat_names(ceremony, seats));
    match refused {
        Refused::NotFinal => messages::without_too_early(ceremony.name()),
        Refused::FinalsMissing(missing) => messages::without_unheard(&names(missing)),
        Refused::TooFew(few) => messages::without_too_few(few),
        other => messages::internal(&other.to_string()),
    }
}
