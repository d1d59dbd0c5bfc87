//! What a person sees and does while a ceremony runs.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

use tokio::signal::unix::{SignalKind, signal};

use crate::progress::{Progress, listed, seat_name, seat_names};
use crate::reach::{Ways, claimed};
use crate::report::{CliError, Exit, detail};
use crate::{messages, without};
use quorate::audit::describe;
use quorate::exchange::Notice;
use quorate::message::complaint::Abandon;
use quorate::message::envelope::{Round, Statement};
use quorate::message::shape::Shape;
use quorate::protocol::evidence::Fault;
use quorate::protocol::participant::Participant;
use quorate::spec::seats::Seats;
use quorate::spec::{Ceremony, Index};
use quorate_operator::Observer;
use quorate_operator::carrier::{Event, LinkError};

/// Ready when the person or the system asks this process to stop.
pub(crate) fn stopped() -> Result<impl Future<Output = ()>, CliError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(messages::runtime)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(messages::runtime)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    })
}

/// Sets `stop` at the first signal, and ends this process at the second: all that counts is durable
/// before it is said.
#[expect(
    clippy::disallowed_methods,
    reason = "a second signal ends the process as any does that nobody handles: no wiping either"
)]
pub(crate) fn stopped_by_signals(stop: Arc<AtomicBool>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(messages::runtime)?;
    let first = {
        let _inside = runtime.enter();
        stopped()?
    };
    thread::spawn(move || {
        runtime.block_on(async {
            first.await;
            let second = stopped();
            stop.store(true, Ordering::Relaxed);
            if let Ok(second) = second {
                second.await;
            }
            process::exit(Exit::Local as i32)
        })
    });
    Ok(())
}

/// Who has signed that it gave up the ceremony, by index. What is signed as that and is none, is a
/// fault instead.
pub(crate) fn abandoned_by(participant: &Participant) -> Vec<Index> {
    let shape = Shape::of(&participant.seat().ceremony);
    let well_formed = |statement: &&Statement| Abandon::fault(statement, &shape).is_none();
    let abandoned = participant.inbox().abandoned().filter(well_formed);
    abandoned.map(|statement| statement.envelope.sender).collect()
}

/// What the abandonment of `index` means here, in sentences without the last full stop.
pub(crate) fn gave_up(participant: &Participant, index: Index) -> String {
    let who = describe::operator(Some(&participant.seat().ceremony), index);
    let said = |round| participant.inbox().get(round, index).is_some();
    let next = match said(Round::Final) {
        true => "its last statement is here: this operator can still finish",
        false if participant.seat().ceremony.reshare().is_some() && said(Round::Commit) => {
            "its last statement is not here, and its commit is: once all have stopped, the others \
             can finish without it, with --without. Ask the others before you abandon this one too"
        }
        false => {
            "its last statement is not here: unless another operator holds it, nobody can finish. \
             Ask the others before you abandon this one too"
        }
    };
    format!(
        "{who} has abandoned this ceremony: it has signed that it will say nothing more in it; \
         {next}"
    )
}

/// The end of a connection, in a line: an operator that has everything and closes it has finished.
/// Only one that `is_called` from here can be tried again.
pub(crate) fn left(name: &str, why: &LinkError, finished: bool, is_called: bool) -> String {
    match (why, finished, is_called) {
        (LinkError::Closed, true, _) => format!("{name} has finished."),
        (_, _, true) => format!("Lost {name}: {why}. Trying again."),
        (_, _, false) => {
            format!("Lost {name}: {why}. It has no address here: it has to call again.")
        }
    }
}

/// Whether an operator can be called.
pub(crate) fn has_address(ceremony: &Ceremony, index: Index) -> bool {
    ceremony.roster().get(index).is_some_and(|seat| seat.address.is_some())
}

/// Tells what happens on stderr.
pub(crate) struct Live {
    ceremony: Arc<Ceremony>,
    progress: Progress,
    /// Who has signed that it gave up, as far as this was said.
    gone: BTreeSet<Index>,
    /// Without whom others finish, as far as this was said.
    without: BTreeMap<Index, Seats>,
    /// Who holds everything: it leaves when it likes.
    finished: BTreeSet<Index>,
    /// Faults that are proven, beside the one that stands in the way.
    proven: Vec<Fault>,
    /// Whose connection is being exchanged for the one from the other side.
    crossed: BTreeSet<Index>,
    ways: Ways,
}

impl Live {
    pub(crate) fn new(ceremony: Arc<Ceremony>, ways: Ways) -> Self {
        Self {
            ceremony,
            progress: Progress::new(),
            gone: BTreeSet::new(),
            without: BTreeMap::new(),
            finished: BTreeSet::new(),
            proven: Vec::new(),
            crossed: BTreeSet::new(),
            ways,
        }
    }

    /// Says who calls whom.
    pub(crate) fn say_ways(&self) {
        self.ways.sentences().iter().for_each(|sentence| self.say(sentence));
    }

    pub(crate) fn say(&self, line: &str) {
        self.progress.say(line);
    }

    /// Who has signed that it gave up.
    pub(crate) fn abandoned_by(&self) -> Vec<Index> {
        self.gone.iter().copied().collect()
    }

    /// The faults that are proven, beside the one that ended the run.
    pub(crate) fn proven(&self) -> &[Fault] {
        &self.proven
    }

    /// Says it once when another operator finishes without somebody, and how to do the same.
    fn say_without(&mut self, participant: &Participant) {
        for (_, asked) in without::asked(participant, &mut self.without, true) {
            self.say(&asked);
        }
    }

    fn name(&self, peer: Index) -> String {
        seat_name(&self.ceremony, peer).to_string()
    }
}

impl Observer for Live {
    fn carried(&mut self, event: &Event) {
        match event {
            Event::Up { peer, address } => {
                let Some(peer) = Index::new(*peer) else { return };
                self.progress.up(peer, address.clone());
                if !self.crossed.remove(&peer) {
                    let line = format!("Connected to {} at {address}.", self.name(peer));
                    self.progress.say_of(peer, &line);
                }
            }
            Event::Down { peer, why: LinkError::Crossed } => {
                self.crossed.extend(Index::new(*peer));
            }
            Event::Down { peer, why } => {
                let Some(peer) = Index::new(*peer) else { return };
                self.progress.down(peer);
                self.progress.failed(peer, why.to_string());
                let line = left(
                    &self.name(peer),
                    why,
                    self.finished.contains(&peer),
                    has_address(&self.ceremony, peer),
                );
                self.progress.say_of(peer, &line);
            }
            Event::Unreachable { peer, address, why } => {
                let Some(peer) = Index::new(*peer) else { return };
                let name = self.name(peer);
                self.progress.failed(peer, format!("at {address}: {why}"));
                let line =
                    format!("{name} is not reachable at {address} yet: {why}. Trying again.");
                self.say(&line);
            }
            Event::Refused { address, why } => {
                if let Some(peer) = claimed(why) {
                    self.progress.failed(peer, format!("a caller from {address}: {why}"));
                }
                self.say(&format!("Refused a connection from {address}: {why}."));
            }
            Event::Frame { peer, bytes } => {
                if let Some(peer) = Index::new(*peer) {
                    self.progress.heard_from(peer);
                    detail(&format!("{} bytes from {}.", bytes.len(), self.name(peer)));
                }
            }
        }
    }

    fn told(&mut self, participant: &Participant, notice: Notice) {
        match notice {
            Notice::NotAFrame { from, error } => {
                let name = self.name(from);
                let line = format!("{name} sent bytes that are not a message: {error}. Ignored.");
                self.progress.say_of(from, &line);
            }
            Notice::Ignored { from, refused } => {
                let line = format!("Ignored a message from {}: {refused}.", self.name(from));
                self.progress.say_of(from, &line);
            }
            Notice::Claimed(peer) => {
                let line = format!(
                    "{} says that it holds a statement of yours that is not in this log. Asking \
                     for it; nothing is signed until it answers.",
                    self.name(peer)
                );
                self.progress.say_of(peer, &line);
            }
            Notice::PutBack(put_back) => self.say(&format!(
                "This log was put back to an earlier state: {}. Nothing more is signed from it.",
                messages::put_back_because(&put_back)
            )),
            Notice::MayStop => self.say(messages::MAY_STOP),
            Notice::Fault(fault) => {
                let what = describe::fault(&fault.rule, Some(&self.ceremony));
                self.say(&format!("Fault: {what}. Telling the others."));
            }
            Notice::Proven(fault) => {
                let what = describe::rule(&fault.rule, Some(&self.ceremony));
                let stops = match participant.fault() {
                    None => " It does not stop this operator.",
                    Some(_) => "",
                };
                self.say(&format!(
                    "Fault: {what}. It is proven to anybody, and the proof is in evidence/.{stops}"
                ));
                self.proven.push(*fault);
            }
            Notice::Written { parting: None } => self.say(messages::WRITTEN),
            Notice::Written { parting: Some(parting) } => self.say(&format!(
                "Outputs are written, and all operators have confirmed. Staying {} s so that late \
                 peers can confirm; Ctrl-C is safe.",
                parting.as_secs()
            )),
            Notice::StayingFor(peers) => {
                let names = listed(&seat_names(&self.ceremony, &peers));
                self.say(&format!(
                    "Outputs are written. Staying for {names}, who may still need this operator. \
                     Ctrl-C is safe."
                ));
            }
            Notice::StillWaiting => {
                self.progress.show(participant, true);
                if !self.progress.has_reached() {
                    self.say(&self.ways.nobody());
                }
            }
        }
    }

    fn stands(&mut self, participant: &Participant) {
        for index in abandoned_by(participant) {
            if self.gone.insert(index) {
                self.say(&format!("{}.", gave_up(participant, index)));
            }
        }
        self.say_without(participant);
        let unconfirmed = participant.unconfirmed();
        let others = participant.seat().ceremony.indices();
        self.finished.extend(others.filter(|peer| !unconfirmed.contains(peer)));
        self.progress.show(participant, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_everything_and_closes_has_finished() {
        let said = |why, finished| left("\"bob\" (operator 2)", &why, finished, true);
        assert_eq!(said(LinkError::Closed, true), "\"bob\" (operator 2) has finished.");
        let lost = "Lost \"bob\" (operator 2): the other side closed the connection. Trying again.";
        assert_eq!(said(LinkError::Closed, false), lost);
        assert_eq!(
            left("\"bob\" (operator 2)", &LinkError::Closed, false, false),
            "Lost \"bob\" (operator 2): the other side closed the connection. It has no address \
             here: it has to call again."
        );
        let silent = "Lost \"bob\" (operator 2): nothing heard for 30 s. Trying again.";
        assert_eq!(said(LinkError::Silent(30), true), silent);
    }
}
