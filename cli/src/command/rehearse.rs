//! `quorate rehearse`: a ceremony of the same kind by the same operators over the same ways, in
//! memory and for nothing: how long each round takes, who is last, and whether all groups can sign.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::addresses;
use super::run::listen_address;
use crate::args::RehearseArgs;
use crate::live::{Live, stopped};
use crate::messages::Spoilt;
use crate::progress::{listed, round_word, seat_name, seat_names};
use crate::reach::Ways;
use crate::report::{CliError, Exit, Output, talk};
use crate::{messages, packet, prompt};
use quorate::exchange::{Ending, Exchange, InMemory, Notice, Pacing};
use quorate::message::envelope::Round;
use quorate::protocol::participant::{OwnSeat, Participant};
use quorate::protocol::seat::OldShares;
use quorate::protocol::subsets::{Groups, groups};
use quorate::spec::{Ceremony, Index, rehearsal};
use quorate_operator::carrier::{Event, Tcp, TcpConfig};
use quorate_operator::store::StateDir;
use quorate_operator::{Observer, follow, machine, random};

/// How long this operator stays for those that have not everything yet.
const LINGER: Duration = Duration::from_secs(60);

/// Runs the command.
pub(crate) fn run(args: &RehearseArgs, out: &Output) -> Result<Exit, CliError> {
    let brought = packet::or_file(&args.file)?;
    let (_, ceremony) = addresses::moved(brought.file, brought.ceremony, &args.at)?;
    machine::check_version(&ceremony, None).map_err(messages::machine)?;
    let rehearsed = rehearsal::of(&ceremony, &args.id)
        .map_err(|error| messages::no_rehearsal(&args.file, &error))?;
    let state = StateDir::open(&out.dir).map_err(messages::store)?;
    // Whoever takes part in the ceremony has the port, and its peers' attention.
    let lock = state.lock().map_err(messages::store)?;
    let (operator, _) = prompt::open_identity(&state, out)?;
    let operator = Arc::new(operator);
    let (ceremony, rehearsed) = (Arc::new(ceremony), Arc::new(rehearsed));
    let own = OwnSeat::find(ceremony.clone(), operator.clone())
        .ok_or_else(|| messages::no_seat(operator.name().as_str(), ceremony.name()))?;
    let mut seat = OwnSeat::find(rehearsed.clone(), operator)
        .ok_or_else(|| messages::internal("a rehearsal without a seat of its ceremony"))?;
    if let Some(shares) = rehearsal::old_shares(&rehearsed, seat.me) {
        seat = seat.with_old_shares(Arc::new(OldShares::whole(shares)));
    }
    if !own.is_of_this_install() {
        return Err(messages::other_install(state.path()));
    }
    let listen = listen_address(args.listen.as_deref(), &ceremony, seat.me)?;
    if let Some(listen) = &listen {
        listen.check().map_err(messages::carrier)?;
    }
    talk(&messages::rehearsing(ceremony.name(), &args.id));
    let entropy = random::entropy;
    let begun = Participant::start(seat.clone(), Vec::new(), entropy);
    let (participant, step) = begun.map_err(|error| messages::replay(&error, state.path()))?;
    let mut storage = InMemory::default();
    let exchange = Exchange::begin(participant, step, Pacing::new(LINGER), &mut storage)
        .map_err(|error| messages::internal(&format!("{error:?}")))?;
    let others: Vec<Index> = rehearsed.indices().filter(|index| *index != seat.me).collect();
    let ways = Ways::new(&rehearsed, listen.is_some(), &others);
    let mut watch = Watch::new(Live::new(rehearsed.clone(), ways));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(messages::runtime)?;
    let ended = runtime.block_on(async {
        let stop = stopped()?;
        let over = async {
            tokio::select! {
                () = stop => (),
                () = sleep(Duration::from_secs(args.wait)) => (),
            }
        };
        let config =
            TcpConfig { proxy: args.socks5.clone(), ..TcpConfig::of(&seat, listen.clone()) };
        let tcp = Tcp::start(config).await.map_err(messages::carrier)?;
        watch.live.say_ways();
        let (ending, exchange, _) = follow(exchange, storage, tcp, &mut watch, over).await;
        let ending = ending.map_err(|error| messages::internal(&format!("{error:?}")))?;
        Ok((ending, exchange.into_participant()))
    });
    // The system may look up a name for much longer than anybody waits.
    runtime.shutdown_background();
    drop(lock);
    let (ending, participant) = ended?;
    let unconfirmed = match ending {
        Ending::Complete => Vec::new(),
        Ending::Written { unconfirmed } => unconfirmed,
        Ending::Interrupted { waiting, .. } => return not_complete(&ceremony, &waiting, args, out),
        Ending::PutBack(_) => {
            return Err(messages::rehearsal_failed(&args.file, &Spoilt::Own, &ceremony));
        }
        Ending::Fault { fault, .. } => {
            let spoilt = Spoilt::Fault(&fault.rule);
            return Err(messages::rehearsal_failed(&args.file, &spoilt, &ceremony));
        }
    };
    let groups = groups(&participant)
        .ok_or_else(|| messages::internal("a rehearsal that is complete, without signatures"))?;
    watch.finish(&ceremony, &args.id, &groups, &unconfirmed, out)
}

/// The time was over, or a person has stopped it: who was awaited.
fn not_complete(
    ceremony: &Ceremony,
    waiting: &[Index],
    args: &RehearseArgs,
    out: &Output,
) -> Result<Exit, CliError> {
    let waiting = seat_names(ceremony, waiting);
    let text = format!(
        "WAITING: the rehearsal is not complete. It was waiting for {}.\nwhat to do: look for the \
         cause with quorate doctor; then all operators begin another rehearsal, with other words",
        listed(&waiting)
    );
    let fields = json!({
        "ceremony": ceremony.name(), "words": args.id, "ready": false, "waiting_for": waiting,
    });
    out.finish(Exit::Waiting, fields, &text)
}

/// Notes when each statement was there first, and says what happens.
struct Watch {
    live: Live,
    begun: Instant,
    seen: BTreeMap<(Round, Index), Duration>,
}

/// A round: how long it took, and who was last.
struct Lap {
    round: Round,
    took: Duration,
    last: Index,
}

impl Watch {
    fn new(live: Live) -> Self {
        Self { live, begun: Instant::now(), seen: BTreeMap::new() }
    }

    fn spoilt(&self, spoilt: &Spoilt<'_>, participant: &Participant) {
        self.live.say(&format!("{}.", spoilt.what(&participant.seat().ceremony)));
    }

    /// Each round from the end of the one before.
    fn laps(&self) -> Vec<Lap> {
        let mut end = Duration::ZERO;
        let mut laps = Vec::new();
        for round in Round::ALL {
            let of = self.seen.iter().filter(|((of, _), _)| *of == round);
            let Some(((_, last), at)) = of.max_by_key(|(_, at)| **at) else { continue };
            laps.push(Lap { round, took: at.saturating_sub(end), last: *last });
            end = end.max(*at);
        }
        laps
    }

    /// Whose statements took longest, all rounds but the first together: in that one, people come.
    fn slowest(&self) -> Option<Index> {
        let mut late: BTreeMap<Index, Duration> = BTreeMap::new();
        for round in Round::ALL.into_iter().filter(|round| *round != Round::Hello) {
            let of = || self.seen.iter().filter(move |((of, _), _)| *of == round);
            let first = of().map(|(_, at)| *at).min().unwrap_or_default();
            for ((_, index), at) in of() {
                *late.entry(*index).or_default() += at.saturating_sub(first);
            }
        }
        late.into_iter().max_by_key(|(_, late)| *late).map(|(index, _)| index)
    }

    fn finish(
        &self,
        ceremony: &Ceremony,
        words: &str,
        groups: &Groups,
        unconfirmed: &[Index],
        out: &Output,
    ) -> Result<Exit, CliError> {
        let laps = self.laps();
        let mut text = String::new();
        for Lap { round, took, last } in &laps {
            text += &format!(
                "Round {} ({}): {:.1} s; last: {}.\n",
                round.number() + 1,
                round_word(*round),
                took.as_secs_f64(),
                seat_name(ceremony, *last)
            );
        }
        let slowest = self.slowest().map(|index| seat_name(ceremony, index));
        if let Some(slowest) = &slowest {
            text += &format!("Slowest after the first round: {slowest}.\n");
        }
        let t = ceremony.t();
        // In a repair, those of the parent that take part in it.
        let n = match ceremony.is_repair() {
            true => ceremony.n(),
            false => ceremony.threshold().participants(),
        };
        let all = if groups.all { "all of them" } else { "the first of them" };
        text += &format!("Groups of {t} of the {n} operators that can sign: {all}, ");
        text += &format!("{} tried, {} failed.\n\n", groups.tried, groups.failed.len());
        let (exit, verdict) = match (groups.failed.is_empty(), unconfirmed) {
            (false, _) => (Exit::Local, messages::groups_failed().to_owned()),
            (true, []) => (Exit::Done, messages::rehearsed().to_owned()),
            (true, some) => {
                (Exit::Waiting, messages::not_all_rehearsed(&listed(&seat_names(ceremony, some))))
            }
        };
        let lap = |lap: &Lap| {
            json!({
                "round": lap.round.number() + 1, "what": round_word(lap.round),
                "seconds": (lap.took.as_secs_f64() * 1000.0).round() / 1000.0,
                "last": seat_name(ceremony, lap.last),
            })
        };
        let fields = json!({
            "ceremony": ceremony.name(), "words": words, "ready": exit == Exit::Done,
            "rounds": laps.iter().map(lap).collect::<Value>(), "slowest": slowest,
            "groups": { "tried": groups.tried, "all": groups.all, "failed": groups.failed.len() },
            "unconfirmed": seat_names(ceremony, unconfirmed),
        });
        out.finish(exit, fields, &(text + &verdict))
    }
}

impl Observer for Watch {
    fn carried(&mut self, event: &Event) {
        self.live.carried(event);
    }

    fn told(&mut self, participant: &Participant, notice: Notice) {
        match notice {
            // Nothing is written, nothing is proven, and nobody is blamed.
            Notice::Written { .. } | Notice::StayingFor(_) => {
                self.live.say("The rehearsal is complete here. Staying until all have seen that.");
            }
            Notice::Fault(fault) => self.spoilt(&Spoilt::Fault(&fault.rule), participant),
            Notice::Proven(fault) => self.spoilt(&Spoilt::Fault(&fault.rule), participant),
            Notice::Claimed(_) | Notice::PutBack(_) => self.spoilt(&Spoilt::Own, participant),
            other => self.live.told(participant, other),
        }
    }

    fn stands(&mut self, participant: &Participant) {
        let now = self.begun.elapsed();
        let inbox = participant.inbox();
        for round in Round::ALL {
            for index in participant.seat().ceremony.indices() {
                if !self.seen.contains_key(&(round, index)) && inbox.get(round, index).is_some() {
                    self.seen.insert((round, index), now);
                }
            }
        }
        self.live.stands(participant);
    }
}
