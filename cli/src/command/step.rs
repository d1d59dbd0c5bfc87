//! `quorate step`: one visit to a board.

use std::time::Duration;

use super::run_ended::{aborted, done, goes_on};
use super::taking_part::{Given, Part, trouble};
use crate::args::StepArgs;
use crate::live::abandoned_by;
use crate::progress::{Progress, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use crate::{messages, stop};
use quorate::exchange::{Ending, Pacing};
use quorate::spec::Ceremony;
use quorate_operator::carrier::board::Folder;
use quorate_operator::{Visit, VisitError, has_begun, rejected};

/// Runs the command.
pub(crate) fn run(args: &StepArgs, out: &Output) -> Result<Exit, CliError> {
    let board = Folder::open(&args.board).map_err(messages::board)?;
    let part = Part::of(Given::named(&args.ceremony)?, &args.part, out)?;
    let (ceremony, me) = (part.seat.ceremony.clone(), part.seat.me);
    if !part.begun && has_begun(&board, &ceremony, me).map_err(messages::board)? {
        return Err(messages::begun_elsewhere(board.path()));
    }
    // Nobody is waited for.
    let (mut exchange, mut machine) = part.begin(&args.part, Pacing::new(Duration::ZERO))?;
    let dir = machine.dir().clone();
    let mut rejected = rejected(&machine).map_err(messages::machine)?;
    let told = |error| told(error, &ceremony);
    let visit = Visit::read(&board, &mut exchange, &mut machine, &mut rejected).map_err(told)?;
    let stopped = match args.part.stop.stopped {
        true => stop::stop(&args.part.stop, &mut exchange, &mut machine),
        false => Ok(()),
    };
    // What was said before is owed, whatever became of that.
    let visited = visit.write(&exchange, &machine).map_err(told)?;
    talk(&messages::visited(&visited, board.path()));
    stopped?;
    let proven = exchange.proven();
    let ending = exchange.interrupt(&mut machine);
    match ending.map_err(|trouble| messages::machine(machine.error(trouble)))? {
        Ending::Fault { fault, prepared } => {
            let file = (args.ceremony.file.as_path(), args.ceremony.file.as_path());
            aborted(&fault, &proven, file, &ceremony, prepared, &dir, out)
        }
        Ending::PutBack(put_back) => Err(messages::put_back(dir.view().path(), &put_back)),
        Ending::Complete | Ending::Written { .. } => {
            talk(&messages::leave_the_board());
            done((&ceremony, me), &dir, &[], &proven, out)
        }
        Ending::Interrupted { waiting, .. } => {
            let participant = exchange.participant();
            Progress::new().show(participant, false);
            let stop = participant.awaits_stop();
            if stop {
                talk(&messages::may_stop_by_board(&args.ceremony.file, &args.board));
            }
            let gone = seat_names(&ceremony, &abandoned_by(participant));
            let waiting = seat_names(&ceremony, &waiting);
            goes_on((&waiting, &gone, stop), &visited, &proven, &ceremony, out)
        }
    }
}

fn told(error: VisitError, ceremony: &Ceremony) -> CliError {
    match error {
        VisitError::Board(error) => messages::board(error),
        VisitError::Machine(error) => trouble(error, ceremony),
    }
}
