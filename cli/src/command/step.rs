//! `quorate step`: one visit to a board. And `quorate run --via`: visits until the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use super::run_ended::{aborted, done, goes_on, is_superseded};
use super::taking_part::{Given, Part, trouble};
use crate::args::{PartArgs, RunArgs, StepArgs, StopArgs, WithoutArgs};
use crate::live::{abandoned_by, stopped};
use crate::meeting::Meeting;
use crate::progress::{Progress, seat_names};
use crate::report::{CliError, Exit, Output, talk};
use crate::{messages, stop, without};
use quorate::exchange::{Ending, Exchange, Pacing};
use quorate::protocol::evidence::Fault;
use quorate::spec::Index;
use quorate::spec::seats::Seats;
use quorate_operator::carrier::board::{BoardError, Name, Rejected};
use quorate_operator::machine::Machine;
use quorate_operator::{Visit, VisitError, Visited, has_begun, rejected};

/// How long after a visit the next one is made.
const BETWEEN: Duration = Duration::from_secs(2);

/// Runs the command.
pub(crate) fn run(args: &StepArgs, out: &Output) -> Result<Exit, CliError> {
    let board = Meeting::of(&args.meeting)?.ok_or_else(messages::no_board)?;
    let given = Given::named(&args.ceremony)?;
    let mut visitor = Visitor::new(given, (&args.part, &args.lost), board, out)?;
    let visited = visitor.visit(&args.part.stop, &args.lost)?.map_err(messages::board)?;
    talk(&messages::visited(&visited, visitor.board.path()));
    match visitor.stands()? {
        Ending::Interrupted { waiting, .. } => {
            let participant = visitor.exchange.participant();
            let ceremony = participant.seat().ceremony.clone();
            Progress::new().show(participant, false);
            let stop = participant.awaits_stop();
            if stop {
                talk(&messages::may_stop_by_board(&args.ceremony.file, &args.meeting));
            }
            let gone = seat_names(&ceremony, &abandoned_by(participant));
            let waiting = seat_names(&ceremony, &waiting);
            let asked = visitor.say_without(false);
            let asked = seat_names(&ceremony, &asked);
            goes_on((&waiting, &gone, &asked, stop), &visited, &visitor.proven, &ceremony, out)
        }
        ending => visitor.end(ending, &args.ceremony.file, out),
    }
}

/// `quorate run --via`: visits until the ceremony is finished, a fault stops it, or somebody does.
pub(super) fn until_finished(
    given: Given<'_>,
    args: &RunArgs,
    url: &str,
    out: &Output,
) -> Result<Exit, CliError> {
    let board = Meeting::via(url, args.server.via_credentials.as_deref())?;
    let lost = &args.calls.lost;
    let mut visitor = Visitor::new(given, (&args.part, lost), board, out)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(messages::runtime)?;
    let ending = runtime.block_on(async {
        let mut stop = pin!(stopped()?);
        let (mut progress, mut trouble) = (Progress::new(), None);
        talk(&messages::meeting_at(visitor.board.path()));
        loop {
            // What people have decided is carried out once, at the first visit that could read.
            let (stopping, lost) = match visitor.decided {
                false => (&args.part.stop, lost),
                true => (&StopArgs::default(), &WithoutArgs::default()),
            };
            match visitor.visit(stopping, lost)? {
                Ok(_) => trouble = None,
                Err(BoardError::Stopped(_)) => return visitor.stands(),
                // It may be there again soon; what is new is said once.
                Err(error) if trouble.as_ref() == Some(&error) => {}
                Err(error) => {
                    talk(&format!("{error}. Trying again; Ctrl-C is safe."));
                    trouble = Some(error);
                }
            }
            let ending = visitor.stands()?;
            let over = !matches!(ending, Ending::Interrupted { .. });
            if over && trouble.is_none() {
                return Ok(ending);
            }
            // Whoever has said that it stops waits for the board alone.
            if visitor.decided || !args.part.stop.stopped {
                progress.show(visitor.exchange.participant(), false);
                if visitor.exchange.participant().awaits_stop() {
                    visitor.say_stop();
                }
            }
            visitor.say_without(true);
            tokio::select! {
                () = tokio::time::sleep(BETWEEN) => {}
                () = &mut stop => return Ok(ending),
            }
        }
    });
    let ending: Ending = ending?;
    if let Ending::Interrupted { waiting, stop } = &ending {
        let participant = visitor.exchange.participant();
        let ceremony = participant.seat().ceremony.clone();
        let gone = abandoned_by(participant);
        let waiting = seat_names(&ceremony, waiting);
        let (stop, proven) = (*stop, &visitor.proven);
        return super::run_ended::interrupted((&waiting, stop), &gone, proven, &ceremony, out);
    }
    visitor.end(ending, &args.ceremony.file, out)
}

/// An operator that comes to a board.
struct Visitor {
    board: Meeting,
    exchange: Exchange,
    machine: Machine,
    rejected: Rejected,
    /// What was written of its own.
    published: BTreeSet<Name>,
    /// Whether the ceremony came in a packet.
    packed: bool,
    /// Faults that are proven beside the one that stands in the way.
    proven: Vec<Fault>,
    told_to_stop: bool,
    /// Whether a visit has asked what is decided of stops and of lost seats.
    decided: bool,
    /// Without whom others finish, as far as this was said.
    without: BTreeMap<Index, Seats>,
}

impl Visitor {
    /// Looks at the board before anything is signed, and asks for consent where it was not given.
    fn new(
        given: Given<'_>,
        (args, lost): (&PartArgs, &WithoutArgs),
        board: Meeting,
        out: &Output,
    ) -> Result<Self, CliError> {
        let packed = given.seat.is_some();
        lost.fit(&given.ceremony)?;
        let part = Part::of(given, args, out)?;
        if lost.are_given() && !part.begun {
            return Err(messages::without_too_early(part.seat.ceremony.name()));
        }
        let (ceremony, me) = (part.seat.ceremony.clone(), part.seat.me);
        board.heed_signals()?;
        board.begin_visit();
        if !part.begun && has_begun(&board, &ceremony, me).map_err(messages::board)? {
            return Err(messages::begun_elsewhere(board.path()));
        }
        // Nobody is waited for.
        let (exchange, machine) = part.begin(args, Pacing::new(Duration::ZERO))?;
        let rejected = rejected(&machine).map_err(messages::machine)?;
        Ok(Self {
            board,
            exchange,
            machine,
            rejected,
            published: BTreeSet::new(),
            packed,
            proven: Vec::new(),
            told_to_stop: false,
            decided: false,
            without: BTreeMap::new(),
        })
    }

    /// One visit, and in it what its person decides: that a dealer's keys are stopped, or that
    /// operators are lost. A board that fails is no reason to give up.
    fn visit(
        &mut self,
        stopping: &StopArgs,
        lost: &WithoutArgs,
    ) -> Result<Result<Visited, BoardError>, CliError> {
        let Self { board, exchange, machine, rejected, published, .. } = self;
        board.begin_visit();
        let visit = match Visit::read(board, exchange, machine, rejected) {
            Ok(visit) => visit,
            Err(VisitError::Board(error)) => return Ok(Err(error)),
            Err(VisitError::Machine(error)) => {
                return Err(trouble(error, &exchange.participant().seat().ceremony));
            }
        };
        self.decided = true;
        let decided = match stopping.stopped {
            true => stop::stop(stopping, exchange, machine),
            false if lost.are_given() => without::finish(lost, exchange, machine),
            false => Ok(()),
        };
        // What was said before is owed, whatever became of that.
        let visited = match visit.write(exchange, machine, published) {
            Ok(visited) => Ok(visited),
            Err(VisitError::Board(error)) => Err(error),
            Err(VisitError::Machine(error)) => {
                return Err(trouble(error, &exchange.participant().seat().ceremony));
            }
        };
        decided?;
        self.proven.extend(self.exchange.proven());
        Ok(visited)
    }

    /// How it would end if this had been the last visit.
    fn stands(&mut self) -> Result<Ending, CliError> {
        let ending = self.exchange.interrupt(&mut self.machine);
        ending.map_err(|trouble| messages::machine(self.machine.error(trouble)))
    }

    fn say_stop(&mut self) {
        if !core::mem::replace(&mut self.told_to_stop, true) {
            talk(messages::MAY_STOP);
        }
    }

    /// Says once who else finishes without somebody, and how to do the same. Who that is.
    fn say_without(&mut self, running: bool) -> Vec<Index> {
        let asked = without::asked(self.exchange.participant(), &mut self.without, running);
        asked.iter().for_each(|(_, asked)| talk(asked));
        asked.into_iter().map(|(who, _)| who).collect()
    }

    /// The end of a ceremony.
    fn end(&self, ending: Ending, file: &Path, out: &Output) -> Result<Exit, CliError> {
        let seat = self.exchange.participant().seat();
        let (ceremony, dir) = (&seat.ceremony, self.machine.dir());
        match ending {
            Ending::Fault { fault, prepared } => {
                let kept = dir.view().path().join("ceremony.toml");
                let file = if self.packed { (kept.as_path(), file) } else { (file, file) };
                aborted(&fault, &self.proven, file, ceremony, prepared, dir, out)
            }
            Ending::PutBack(put_back) => Err(messages::put_back(dir.view().path(), &put_back)),
            Ending::Complete | Ending::Written { .. } | Ending::Interrupted { .. } => {
                talk(&messages::leave_the_board());
                let superseded = is_superseded(&self.machine, &self.exchange)?;
                done((ceremony, seat.me), dir, &[], (&self.proven, superseded), out)
            }
        }
    }
}
