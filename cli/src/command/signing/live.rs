//! `exit run` and its like: all operators answer at the same time, over the channels of the
//! ceremony.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answered, answer};
use super::drive::Drive;
use super::result::{can_be_written, default_name};
use super::{More, read_request};
use crate::args::LiveArgs;
use crate::command::addresses::given;
use crate::messages;
use crate::report::{CliError, Exit, Output, talk};
use quorate::signing::live::frame::Frame;
use quorate::signing::live::{Live, Role};
use quorate::signing::partial::Extent;
use quorate::signing::{Cleared, Parent};
use quorate::spec::Index;
use quorate_operator::carrier::{Listen, Peer, Session, Tcp, TcpConfig, Timing};
use quorate_operator::random;

/// `quorate exit run`, and that of the other kinds; with what the kind needs besides.
pub(super) fn run(
    args: &LiveArgs,
    more: More<'_>,
    kind: &'static str,
    out: &Output,
) -> Result<Exit, CliError> {
    let request = read_request(&args.asked.request, None, kind)?;
    let (Answered { cleared, parent, operator, partial, .. }, Ready { listen, peers }) =
        answer((&args.asked, more), request, out, |cleared, parent, me| {
            ready(args, cleared, parent, me)
        })?;
    let me = partial.operator;
    let ceremony = parent.ceremony().clone();
    let (session, extent) = (Session::Request(cleared.request.id()), Extent::of(&cleared));
    let begun = Live::begin(cleared, parent, operator.clone(), partial, random::secret());
    let (live, actions) =
        begun.ok_or_else(|| messages::internal("a role that was there before"))?;
    let config = TcpConfig {
        session,
        me: me.get(),
        operator,
        peers,
        listen: listen.clone(),
        proxy: args.socks5.clone(),
        max_frame: Frame::max_bytes(ceremony.n(), extent),
        random: Arc::new(random::secret),
        timing: Timing::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(messages::runtime)?;
    let ended = runtime.block_on(async {
        let tcp = Tcp::start(config).await.map_err(messages::carrier)?;
        if let Some((listen, bound)) = listen.as_ref().zip(tcp.local_address()) {
            talk(&format!("This operator is {}.", listen.described(bound)));
        }
        Drive::new(live, tcp, args.output.clone())
            .run(actions, Duration::from_secs(args.wait))
            .await
    });
    // The system may look up a name for much longer than anybody waits.
    runtime.shutdown_background();
    ended?.finish(me, out)
}

/// Where to listen, and whom to speak with.
struct Ready {
    listen: Option<Listen>,
    peers: Vec<Peer>,
}

/// Whether there will be channels, and a place for the result. Before anything is signed.
fn ready(
    args: &LiveArgs,
    cleared: &Cleared,
    parent: &Parent,
    me: Index,
) -> Result<Ready, CliError> {
    let role = Role::of(cleared, parent, me)
        .ok_or_else(|| messages::no_channel(&args.asked.request, cleared))?;
    if !matches!(role, Role::Contributor(_)) {
        let name = || {
            default_name(cleared, parent)
                .unwrap_or_else(|| "signed_exit_transaction.json".to_owned())
                .into()
        };
        can_be_written(&args.output.clone().unwrap_or_else(name), cleared, parent)?;
    }
    let ceremony = parent.ceremony();
    let at = given(&args.at, ceremony)?;
    let place =
        |index: u16| at.iter().find(|(other, _)| other.get() == index).map(|(_, place)| place);
    let mut peers = Peer::of(ceremony, me);
    peers.retain(|peer| Index::new(peer.index).is_some_and(|index| role.is_peer(parent, index)));
    for peer in &mut peers {
        if let Some(place) = place(peer.index) {
            peer.address = Some(place.to_string());
        }
    }
    let own = ceremony.roster().get(me).and_then(|seat| seat.address.clone());
    let listen = match (&args.listen, place(me.get()).cloned().or(own)) {
        (Some(typed), _) => Some(Listen::from(typed.as_str())),
        (None, own) => own.map(|own| Listen::Everywhere(own.port())),
    };
    if listen.is_none() && peers.iter().all(|peer| peer.address.is_none()) {
        let peer = peers.first().map_or("OPERATOR", |peer| peer.name.as_str());
        return Err(messages::no_address(peer));
    }
    if let Some(listen) = &listen {
        listen.check().map_err(messages::carrier)?;
    }
    Ok(Ready { listen, peers })
}
