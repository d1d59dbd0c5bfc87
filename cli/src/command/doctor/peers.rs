//! The way to the other operators: everybody is called and may call, as in the ceremony, until all
//! are reached or the time is over. Two doctors tell each other their clocks and versions.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::found::{Findings, Found, State};
use crate::command::export::now;
use crate::live::{has_address, stopped};
use crate::messages;
use crate::progress::{listed, seat_name, seat_names};
use crate::reach::claimed;
use crate::report::{CliError, talk};
use quorate::message::probe::Probe;
use quorate::message::shape::Shape;
use quorate::message::sync::Frame;
use quorate::protocol::participant::OwnSeat;
use quorate::spec::Index;
use quorate_operator::carrier::{Event, LinkError, Listen, Tcp, TcpConfig};
use quorate_operator::store::Lock;

/// Clocks that differ by more than this are told as a fault.
const MOST_SKEW: u64 = 60;
/// How long this operator stays when it has reached everybody: they hear it too.
const GRACE: Duration = Duration::from_secs(2);
/// The version that is told to others.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// What calling the others needs.
pub(super) struct Way {
    pub(super) seat: OwnSeat,
    pub(super) listen: Option<Listen>,
    pub(super) proxy: Option<String>,
    /// Nobody else calls as this operator meanwhile.
    pub(super) lock: Lock,
}

/// What is known of the way to an operator.
#[derive(Default)]
struct Peer {
    /// Where it was reached.
    up: Option<String>,
    /// It takes part already.
    runs: bool,
    /// What it has told: how far its clock is ahead, and its version.
    told: Option<(i64, String)>,
    /// Why it was not reached, and where, as far as is known.
    why: Option<(String, LinkError)>,
}

impl Peer {
    /// Keeps why it was not reached: what somebody there has said is worth more than that later
    /// nobody answered.
    fn failed(&mut self, place: String, why: LinkError) {
        let answered = |why: &LinkError| {
            !matches!(
                why,
                LinkError::Io(_) | LinkError::NoAnswer(_) | LinkError::Resolve | LinkError::Onion
            )
        };
        let keep = self.why.as_ref().is_some_and(|(_, old)| answered(old) && !answered(&why));
        if !keep {
            self.why = Some((place, why));
        }
    }

    fn is_settled(&self) -> bool {
        self.up.is_some() && (self.runs || self.told.is_some())
    }
}

/// Calls the others, and says of each how that went.
pub(super) fn look(way: Way, wait: u64, findings: &mut Findings) -> Result<(), CliError> {
    let ceremony = way.seat.ceremony.clone();
    let me = way.seat.me;
    let others: Vec<Index> = ceremony.indices().filter(|index| *index != me).collect();
    talk(&format!(
        "Calling {}; this takes at most {wait} s. They run the same command now, or quorate run.",
        listed(&seat_names(&ceremony, &others))
    ));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(messages::runtime)?;
    let peers = runtime.block_on(ask(&way, others, Duration::from_secs(wait)));
    // The system may look up a name for much longer than anybody waits.
    runtime.shutdown_background();
    drop(way.lock);
    for (index, peer) in peers? {
        let link = match (has_address(&ceremony, index), way.listen.is_some()) {
            (true, _) => Link::Called,
            (false, true) => Link::Calls,
            (false, false) => Link::None,
        };
        let (state, text, fix) = judged(&peer, link, way.proxy.as_deref());
        let operator = Some(seat_name(&ceremony, index));
        findings.add(Found { what: "peer", operator, state, text, fix });
    }
    Ok(())
}

async fn ask(
    way: &Way,
    others: Vec<Index>,
    wait: Duration,
) -> Result<BTreeMap<Index, Peer>, CliError> {
    let shape = Shape::of(&way.seat.ceremony);
    let config =
        TcpConfig { proxy: way.proxy.clone(), ..TcpConfig::of(&way.seat, way.listen.clone()) };
    let stop = stopped()?;
    tokio::pin!(stop);
    let mut tcp = Tcp::start(config).await.map_err(messages::carrier)?;
    let mut peers: BTreeMap<Index, Peer> =
        others.into_iter().map(|index| (index, Peer::default())).collect();
    let mut end = Instant::now() + wait;
    let mut is_last = false;
    loop {
        if !is_last && peers.values().all(Peer::is_settled) {
            (is_last, end) = (true, end.min(Instant::now() + GRACE));
        }
        let event = tokio::select! {
            event = tcp.next() => event,
            () = sleep_until(end) => break,
            () = &mut stop => break,
        };
        let (index, news) = match event {
            Event::Up { peer, address } => (peer, News::Up(address)),
            Event::Unreachable { peer, address, why } => (peer, News::Failed(address, why)),
            Event::Refused { address, why } => match claimed(&why) {
                Some(index) => (index.get(), News::Failed(format!("from {address}"), why)),
                None => continue,
            },
            Event::Frame { peer, bytes } => match Frame::decode(&bytes, &shape) {
                Ok(Frame::Probe(probe)) => (peer, News::Probe(probe)),
                Ok(_) => (peer, News::Runs),
                Err(_) => continue,
            },
            // It was there: what is known of it stays.
            Event::Down { .. } => continue,
        };
        let Some((index, peer)) =
            Index::new(index).and_then(|index| Some((index, peers.get_mut(&index)?)))
        else {
            continue;
        };
        match news {
            News::Up(address) => {
                peer.up = Some(address);
                let own = Probe::new(now(), PROGRAM);
                let own = own.ok_or_else(|| messages::internal("a version of this program"))?;
                tcp.send(index.get(), Frame::Probe(own).encode());
            }
            News::Failed(place, why) => peer.failed(place, why),
            News::Probe(probe) => {
                let ahead = i128::from(probe.time) - i128::from(now());
                let ahead = i64::try_from(ahead).unwrap_or(i64::MAX);
                peer.told = Some((ahead, probe.program().to_owned()));
            }
            News::Runs => peer.runs = true,
        }
    }
    tcp.shutdown().await;
    Ok(peers)
}

/// What happened on the way to a peer.
enum News {
    Up(String),
    Failed(String, LinkError),
    Probe(Probe),
    Runs,
}

/// How a connection to a peer can come about.
#[derive(Clone, Copy)]
enum Link {
    /// It has an address, and is called.
    Called,
    /// It has none, and has to call.
    Calls,
    /// Neither has one.
    None,
}

/// What is said of a peer.
fn judged(peer: &Peer, link: Link, proxy: Option<&str>) -> (State, String, Option<String>) {
    let bad = |(text, fix): (String, String)| (State::Bad, text, Some(fix));
    let Some(address) = &peer.up else {
        return match &peer.why {
            Some((place, why)) => bad(messages::not_reached(place, why, proxy)),
            None => match link {
                Link::Called => bad(messages::too_short()),
                Link::Calls => bad(messages::never_called()),
                Link::None => (State::Unknown, messages::only_through_others().to_owned(), None),
            },
        };
    };
    let mut text = format!("reached at {address}, with the same ceremony file");
    match &peer.told {
        Some((ahead, _)) if ahead.unsigned_abs() > MOST_SKEW => {
            return bad(messages::clocks_differ(&text, *ahead));
        }
        Some((_, program)) if program != PROGRAM => {
            return bad(messages::versions_differ(&text, program, PROGRAM));
        }
        Some((ahead, program)) => {
            text += &format!("; quorate {program}; clocks differ by {} s", ahead.unsigned_abs());
        }
        None if peer.runs => text += "; it takes part already, so clocks are not compared",
        None => text += "; it said nothing, so clocks are not compared",
    }
    (State::Good, text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_and_versions_are_told_apart() {
        let of = |ahead: i64, program: &str| Peer {
            up: Some("192.0.2.1:3610".to_owned()),
            told: Some((ahead, program.to_owned())),
            ..Peer::default()
        };
        let state = |peer: &Peer| judged(peer, Link::Called, None).0;
        for ahead in [0, 60, -60] {
            assert_eq!(state(&of(ahead, PROGRAM)), State::Good, "{ahead}");
        }
        for ahead in [61, -61, i64::MAX, i64::MIN] {
            let (state, text, fix) = judged(&of(ahead, PROGRAM), Link::Called, None);
            assert_eq!(state, State::Bad, "{ahead}");
            assert!(
                text.contains("its clock is") && fix.is_some_and(|fix| fix.contains("timedatectl"))
            );
        }
        let (state, text, fix) = judged(&of(0, "0.0.9"), Link::Called, None);
        assert_eq!(state, State::Bad);
        assert!(text.contains("it is quorate 0.0.9"), "{text}");
        assert!(fix.is_some_and(|fix| fix.contains("same release")));
    }

    #[test]
    fn whoever_cannot_be_reached_directly_is_no_fault() {
        let nobody = Peer::default();
        assert_eq!(judged(&nobody, Link::None, None).0, State::Unknown);
        assert_eq!(judged(&nobody, Link::Called, None).0, State::Bad);
        assert_eq!(judged(&nobody, Link::Calls, None).0, State::Bad);
    }

    #[test]
    fn what_somebody_said_is_kept() {
        let refused = || LinkError::Io(std::io::ErrorKind::ConnectionRefused);
        let kept = |reasons: Vec<LinkError>| {
            let mut peer = Peer::default();
            reasons.into_iter().for_each(|why| peer.failed("there".to_owned(), why));
            peer.why.map(|(_, why)| why)
        };
        assert_eq!(kept(vec![refused(), LinkError::Refusal]), Some(LinkError::Refusal));
        assert_eq!(kept(vec![LinkError::Refusal, refused()]), Some(LinkError::Refusal));
        let newest = vec![LinkError::Refusal, LinkError::NotAChannel, LinkError::Resolve];
        assert_eq!(kept(newest), Some(LinkError::NotAChannel));
        assert_eq!(kept(vec![LinkError::Resolve, refused()]), Some(refused()));
    }
}
