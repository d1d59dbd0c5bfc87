//! Finishing a reshare without operators that are lost after all have stopped: its person says so,
//! and everybody who is left has to say the same.

use std::time::Duration;

use super::args::WithoutArgs;
use super::command::spec_next::seat;
use super::progress::{listed, seat_names};
use super::report::{CliError, talk};
use super::{messages, prompt};
use quorate::exchange::{Exchange, Moment};
use quorate::protocol::participant::Refused;
use quorate::spec::seats::Seats;
use quorate::spec::{Ceremony, Index};
use quorate_operator::machine::Machine;

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
