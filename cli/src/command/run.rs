//! `quorate run`: takes part in a ceremony, or resumes it.

use std::time::Duration;

use super::addresses;
use super::run_ended::{aborted, done, interrupted, is_superseded};
use super::step::until_finished;
use super::taking_part::{Given, Part, trouble};
use crate::args::{CallArgs, DemoCheatArgs, PartArgs, RunArgs};
use crate::cheat::{Cheating, Rule, may_cheat};
use crate::live::{Live, stopped};
use crate::progress::seat_names;
use crate::reach::Ways;
use crate::report::{CliError, Exit, Output};
use crate::{messages, stop, without};
use quorate::exchange::{Ending, Pacing};
use quorate::spec::{Ceremony, Index};
use quorate_operator::carrier::{Listen, Tcp, TcpConfig};
use quorate_operator::follow;

/// Runs the command.
pub(crate) fn run(args: &RunArgs, out: &Output) -> Result<Exit, CliError> {
    let given = Given::named(&args.ceremony)?;
    match &args.server.via {
        Some(_) if args.calls.are_given() => Err(messages::no_calls()),
        Some(url) => until_finished(given, args, url, out),
        None => take_part(given, (&args.part, &args.calls), None, out),
    }
}

/// Runs the hidden command of the demo: the same, with a rule to break.
pub(crate) fn cheat(args: &DemoCheatArgs, out: &Output) -> Result<Exit, CliError> {
    let run = &args.run;
    take_part(Given::named(&run.ceremony)?, (&run.part, &run.calls), Some(args.rule), out)
}

/// Takes part in a ceremony, or resumes it.
pub(super) fn take_part(
    given: Given<'_>,
    (args, calls): (&PartArgs, &CallArgs),
    rule: Option<Rule>,
    out: &Output,
) -> Result<Exit, CliError> {
    let (path, packed) = (given.path, given.seat.is_some());
    let (file, ceremony) = addresses::moved(given.file, given.ceremony, &calls.at)?;
    calls.lost.fit(&ceremony)?;
    let leaves_out = calls.lost.are_given();
    let part = Part::of(Given { file, ceremony, ..given }, args, out)?;
    let (ceremony, begun) = (part.seat.ceremony.clone(), part.begun);
    if leaves_out && !begun {
        return Err(messages::without_too_early(ceremony.name()));
    }
    if rule.is_some() && !may_cheat(&ceremony) {
        return Err(messages::not_a_demo());
    }
    let listen = listen_address(calls.listen.as_deref(), &ceremony, part.seat.me)?;
    if !begun && let Some(listen) = &listen {
        listen.check().map_err(messages::carrier)?;
    }
    let seat = part.seat.clone();
    let pacing = Pacing::new(Duration::from_secs(calls.linger));
    let (mut exchange, mut machine) = part.begin(args, pacing)?;
    let dir = machine.dir().clone();
    if args.stop.stopped {
        stop::stop(&args.stop, &mut exchange, &mut machine)?;
    }
    if leaves_out {
        without::finish(&calls.lost, &mut exchange, &mut machine)?;
    }
    let others: Vec<Index> = ceremony.indices().filter(|index| *index != seat.me).collect();
    let ways = Ways::new(&ceremony, listen.is_some(), &others);
    let mut live = Live::new(ceremony.clone(), ways);
    if begun {
        live.say("Continuing where this operator stopped.");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(messages::runtime)?;
    let ended = runtime.block_on(async {
        // One listener for the whole run: an interruption during a piece of work is heard when that
        // is done.
        let stop = stopped()?;
        let config =
            TcpConfig { proxy: calls.socks5.clone(), ..TcpConfig::of(&seat, listen.clone()) };
        let tcp = Tcp::start(config).await.map_err(messages::carrier)?;
        if let Some((listen, bound)) = listen.as_ref().zip(tcp.local_address()) {
            live.say(&format!("This operator is {}.", listen.described(bound)));
        }
        live.say_ways();
        let (ended, exchange, machine) = match rule {
            None => follow(exchange, machine, tcp, &mut live, stop).await,
            Some(rule) => {
                let cheating = Cheating::new(tcp, rule, seat.clone());
                follow(exchange, machine, cheating, &mut live, stop).await
            }
        };
        let ending = ended.map_err(|error| trouble(machine.error(error), &ceremony))?;
        Ok((ending, exchange, machine))
    });
    // The system may look up a name for much longer than anybody waits.
    runtime.shutdown_background();
    let names = |indices: &[Index]| seat_names(&ceremony, indices);
    let (ending, exchange, machine) = ended?;
    match ending {
        Ending::Fault { fault, prepared } => {
            let kept = dir.view().path().join("ceremony.toml");
            let file = if packed { (kept.as_path(), path) } else { (path, path) };
            aborted(&fault, live.proven(), file, &ceremony, prepared, &dir, out)
        }
        Ending::PutBack(put_back) => Err(messages::put_back(dir.view().path(), &put_back)),
        Ending::Interrupted { waiting, stop } => {
            let gone = live.abandoned_by();
            interrupted((&names(&waiting), stop), &gone, live.proven(), &ceremony, out)
        }
        Ending::Written { unconfirmed } => {
            let told = (live.proven(), is_superseded(&machine, &exchange)?);
            done((&ceremony, seat.me), &dir, &names(&unconfirmed), told, out)
        }
        Ending::Complete => {
            let told = (live.proven(), is_superseded(&machine, &exchange)?);
            done((&ceremony, seat.me), &dir, &[], told, out)
        }
    }
}

/// Where to listen: as typed, or everywhere at the port of the ceremony file. An operator without
/// an address calls the others, of whom one must have an address.
pub(super) fn listen_address(
    typed: Option<&str>,
    ceremony: &Ceremony,
    me: Index,
) -> Result<Option<Listen>, CliError> {
    if let Some(listen) = typed {
        return Ok(Some(listen.into()));
    }
    let own = ceremony.roster().get(me).and_then(|own| own.address.as_ref());
    let others = ceremony.roster().iter().filter(|(index, _)| *index != me);
    match own {
        Some(own) => Ok(Some(Listen::Everywhere(own.port()))),
        None if others.into_iter().all(|(_, seat)| seat.address.is_none()) => {
            Err(messages::nobody_reachable())
        }
        None => Ok(None),
    }
}
