//! TCP carriers of honest operators.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use quorate::primitives::hash::Digest;
use quorate::spec::{Ceremony, CeremonyFile, Index};
use quorate_operator::carrier::{
    CarrierError, Event, LinkError, Listen, Peer, Session, Tcp, TcpConfig, Timing,
};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::{SPEC, listed, operator, peer, random, run};

pub(crate) const MOST: usize = 200_000;

pub(crate) fn timing() -> Timing {
    Timing {
        retry_first: Duration::from_millis(20),
        retry_most: Duration::from_millis(200),
        ..Timing::default()
    }
}

/// The configuration of operator `me`, listening on a free port.
pub(crate) fn config(me: u8, peers: Vec<Peer>) -> TcpConfig {
    TcpConfig {
        session: Session::Ceremony(SPEC),
        me: u16::from(me),
        operator: operator(me),
        peers,
        listen: Some("127.0.0.1:0".into()),
        proxy: None,
        max_frame: MOST,
        random: Arc::new(random),
        timing: timing(),
    }
}

pub(crate) fn at(index: u16, address: &str) -> Peer {
    Peer { address: Some(address.to_owned()), ..peer(index) }
}

pub(crate) fn address(tcp: &Tcp) -> String {
    tcp.local_address().unwrap().to_string()
}

/// A port where nobody listens at the moment.
async fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

pub(crate) async fn until(tcp: &mut Tcp, mut is_it: impl FnMut(&Event) -> bool) -> Event {
    loop {
        let event = tcp.next().await;
        if is_it(&event) {
            return event;
        }
    }
}

pub(crate) async fn up(tcp: &mut Tcp, index: u16) {
    until(tcp, |event| matches!(event, Event::Up { peer, .. } if *peer == index)).await;
}

pub(crate) async fn down(tcp: &mut Tcp, index: u16) -> LinkError {
    match until(tcp, |event| matches!(event, Event::Down { peer, .. } if *peer == index)).await {
        Event::Down { why, .. } => why,
        _ => unreachable!("until() waited for Down"),
    }
}

pub(crate) async fn frame(tcp: &mut Tcp, index: u16) -> Vec<u8> {
    match until(tcp, |event| matches!(event, Event::Frame { peer, .. } if *peer == index)).await {
        Event::Frame { bytes, .. } => bytes,
        _ => unreachable!("until() waited for a frame"),
    }
}

/// Operators 1 and 2, connected.
pub(crate) async fn pair() -> (Tcp, Tcp) {
    let mut first = Tcp::start(config(1, vec![peer(2)])).await.unwrap();
    let mut second = Tcp::start(config(2, vec![at(1, &address(&first))])).await.unwrap();
    up(&mut first, 2).await;
    up(&mut second, 1).await;
    (first, second)
}

#[test]
fn any_order_of_starting_connects_everyone() {
    run(async {
        for order in [[1u8, 2, 3], [3, 2, 1], [2, 3, 1]] {
            let addresses = [free_address().await, free_address().await, free_address().await];
            let mut carriers = Vec::new();
            for me in order {
                let others = (1..=3).filter(|index| *index != u16::from(me));
                let peers =
                    others.map(|index| at(index, &addresses[usize::from(index) - 1])).collect();
                let listen = Some(addresses[usize::from(me) - 1].as_str().into());
                carriers.push((
                    me,
                    Tcp::start(TcpConfig { listen, ..config(me, peers) }).await.unwrap(),
                ));
            }
            for (me, tcp) in &mut carriers {
                let mut missing: Vec<u16> =
                    (1..=3).filter(|index| *index != u16::from(*me)).collect();
                while !missing.is_empty() {
                    if let Event::Up { peer, .. } = tcp.next().await {
                        missing.retain(|index| *index != peer);
                    }
                }
            }
            for (me, tcp) in &carriers {
                for index in (1..=3).filter(|index| *index != u16::from(*me)) {
                    assert!(tcp.send(index, vec![*me; 70_000]));
                }
            }
            for (me, tcp) in &mut carriers {
                for index in (1..=3).filter(|index| *index != u16::from(*me)) {
                    // Frames of different peers come in any order, so take whichever is next.
                    let Event::Frame { peer, bytes } =
                        until(tcp, |event| matches!(event, Event::Frame { .. })).await
                    else {
                        unreachable!("until() waited for frame {index}")
                    };
                    assert_eq!(bytes, vec![u8::try_from(peer).unwrap(); 70_000]);
                }
            }
        }
    });
}

#[test]
fn frames_keep_their_order_both_ways() {
    run(async {
        let (mut first, mut second) = pair().await;
        for number in 0..100u8 {
            assert!(first.send(2, vec![number; 1 + 1000 * usize::from(number)]));
            assert!(second.send(1, vec![number; 1]));
        }
        for number in 0..100u8 {
            assert_eq!(frame(&mut second, 1).await, vec![number; 1 + 1000 * usize::from(number)]);
            assert_eq!(frame(&mut first, 2).await, vec![number; 1]);
        }
    });
}

#[test]
fn frames_that_cannot_be_sent() {
    run(async {
        let (first, mut second) = pair().await;
        assert!(!first.send(3, vec![1]));
        assert!(!first.send(2, vec![]));
        assert!(!first.send(2, vec![0; MOST + 1]));
        assert_eq!(first.waiting(2), 0);
        assert!(first.send(2, vec![9; MOST]));
        assert_eq!(first.waiting(2), MOST);
        assert_eq!(frame(&mut second, 1).await, vec![9; MOST]);
        assert_eq!(first.waiting(2), 0);
        drop(first);
        down(&mut second, 1).await;
        assert!(!second.send(1, vec![1]));
    });
}

#[test]
fn either_side_restarts() {
    run(async {
        let (mut first, second) = pair().await;
        let listening = address(&first);
        drop(second);
        down(&mut first, 2).await;
        let mut second = Tcp::start(config(2, vec![at(1, &listening)])).await.unwrap();
        up(&mut first, 2).await;
        up(&mut second, 1).await;

        drop(first);
        down(&mut second, 1).await;
        let mut first =
            Tcp::start(TcpConfig { listen: Some(listening.into()), ..config(1, vec![peer(2)]) })
                .await
                .unwrap();
        up(&mut first, 2).await;
        up(&mut second, 1).await;
        assert!(second.send(1, vec![5]));
        assert_eq!(frame(&mut first, 2).await, [5]);
    });
}

#[test]
fn a_newer_connection_replaces_the_older() {
    run(async {
        let (mut first, _old) = pair().await;
        let mut new = Tcp::start(config(2, vec![at(1, &address(&first))])).await.unwrap();
        assert_eq!(down(&mut first, 2).await, LinkError::Replaced);
        assert!(matches!(first.next().await, Event::Up { peer: 2, .. }));
        up(&mut new, 1).await;
    });
}

#[test]
fn shutdown_sends_what_is_queued() {
    run(async {
        let (first, mut second) = pair().await;
        for number in 0..8u8 {
            assert!(first.send(2, vec![number; MOST]));
            // Unread bytes on the side that closes must not cost the other side anything.
            assert!(second.send(1, vec![number; 1000]));
        }
        let receiving = async {
            for number in 0..8u8 {
                assert_eq!(frame(&mut second, 1).await, vec![number; MOST]);
            }
            down(&mut second, 1).await
        };
        let ((), why) = tokio::join!(first.shutdown(), receiving);
        assert_eq!(why, LinkError::Closed);
    });
}

#[test]
fn keep_alives_hold_a_connection() {
    run(async {
        let kept = |config: TcpConfig| TcpConfig {
            timing: Timing {
                keep_alive: Duration::from_millis(50),
                idle: Duration::from_secs(3),
                ..timing()
            },
            ..config
        };
        let mut first = Tcp::start(kept(config(1, vec![peer(2)]))).await.unwrap();
        let mut second = Tcp::start(kept(config(2, vec![at(1, &address(&first))]))).await.unwrap();
        up(&mut first, 2).await;
        up(&mut second, 1).await;
        assert_eq!(timeout(Duration::from_secs(5), first.next()).await.ok(), None);
    });
}

#[test]
fn a_name_is_as_good_as_an_address() {
    run(async {
        let mut first = Tcp::start(config(1, vec![peer(2)])).await.unwrap();
        let name = format!("localhost:{}", first.local_address().unwrap().port());
        let mut second = Tcp::start(config(2, vec![at(1, &name)])).await.unwrap();
        up(&mut first, 2).await;
        assert_eq!(second.next().await, Event::Up { peer: 1, address: name });
    });
}

#[test]
fn an_unreachable_peer_is_reported_once() {
    run(async {
        let nowhere = free_address().await;
        let mut second = Tcp::start(config(2, vec![at(1, &nowhere)])).await.unwrap();
        let why = LinkError::Io(ErrorKind::ConnectionRefused);
        assert_eq!(second.next().await, Event::Unreachable { peer: 1, address: nowhere, why });
        assert_eq!(timeout(Duration::from_secs(1), second.next()).await.ok(), None);
    });
}

#[test]
fn an_onion_service_is_not_looked_up() {
    run(async {
        let onion = "quorate.onion:3610".to_owned();
        let mut second = Tcp::start(config(2, vec![at(1, &onion)])).await.unwrap();
        let why = LinkError::Onion;
        assert_eq!(second.next().await, Event::Unreachable { peer: 1, address: onion, why });
    });
}

#[test]
fn other_ceremony_files_are_named_on_both_sides() {
    run(async {
        let mut first = Tcp::start(config(1, vec![peer(2)])).await.unwrap();
        let listening = address(&first);
        let other = Digest([8; 32]);
        let second =
            TcpConfig { session: Session::Ceremony(other), ..config(2, vec![at(1, &listening)]) };
        let mut second = Tcp::start(second).await.unwrap();
        let why = LinkError::OtherCeremony { index: 1, theirs: SPEC };
        assert_eq!(second.next().await, Event::Unreachable { peer: 1, address: listening, why });
        let Event::Refused { why, .. } = first.next().await else { panic!("not refused") };
        assert_eq!(why, LinkError::OtherCeremony { index: 2, theirs: other });
    });
}

#[test]
fn whom_one_hangs_up_on_does_not_come_back() {
    run(async {
        let mut first = Tcp::start(config(1, vec![peer(2), peer(3)])).await.unwrap();
        let listening = address(&first);
        let mut second = Tcp::start(config(2, vec![at(1, &listening)])).await.unwrap();
        up(&mut first, 2).await;
        up(&mut second, 1).await;
        first.hang_up(2);
        assert_eq!(down(&mut first, 2).await, LinkError::HungUp);
        down(&mut second, 1).await;
        assert!(!first.send(2, vec![1]));
        let Event::Refused { why, .. } = first.next().await else { panic!("not refused") };
        assert_eq!(why, LinkError::HungUp);
        // Others are spoken with as before.
        let mut third =
            Tcp::start(config(3, vec![at(1, &listening), at(2, "127.0.0.1:1")])).await.unwrap();
        up(&mut first, 3).await;
        assert!(first.send(3, vec![1]));
        assert_eq!(frame(&mut third, 1).await, vec![1]);
        // Who hangs up on the one that it calls does not call again.
        third.hang_up(1);
        assert_eq!(down(&mut first, 3).await, LinkError::Closed);
        assert_eq!(
            timeout(
                Duration::from_secs(1),
                until(&mut first, |event| matches!(event, Event::Up { .. }))
            )
            .await
            .ok(),
            None
        );
    });
}

#[test]
fn mistakes_in_the_configuration() {
    run(async {
        let start = async |config: TcpConfig| Tcp::start(config).await.err();
        let alone = TcpConfig { listen: None, ..config(2, vec![peer(1), peer(3)]) };
        assert_eq!(start(alone).await, Some(CarrierError::Alone));
        assert_eq!(
            start(config(2, vec![peer(2)])).await,
            Some(CarrierError::Repeated { index: 2 })
        );
        assert_eq!(
            start(config(1, vec![peer(2), peer(2)])).await,
            Some(CarrierError::Repeated { index: 2 })
        );
        let same_key = listed(&operator(2), 3, None);
        assert_eq!(
            start(config(1, vec![peer(2), same_key])).await,
            Some(CarrierError::Repeated { index: 3 })
        );
        let long = TcpConfig { max_frame: 1 << 32, ..config(1, vec![peer(2)]) };
        assert_eq!(start(long).await, Some(CarrierError::FrameLimit(1 << 32)));

        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bind = |listen: String, why| {
            (listen.clone(), Some(CarrierError::Bind { address: listen, why }))
        };
        for (listen, refused) in [
            bind(taken.local_addr().unwrap().to_string(), ErrorKind::AddrInUse),
            bind("192.0.2.1:0".into(), ErrorKind::AddrNotAvailable),
            bind("127.0.0.1".into(), ErrorKind::InvalidInput),
        ] {
            let listen = Listen::from(listen);
            assert_eq!(listen.check().err(), refused);
            let listen = Some(listen);
            assert_eq!(start(TcpConfig { listen, ..config(1, vec![peer(2)]) }).await, refused);
        }
        // Who has half of a port has it: nobody listens at the other half alone.
        let half = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = half.local_addr().unwrap().port();
        let why = ErrorKind::AddrInUse;
        let refused = Some(CarrierError::Bind { address: format!("port {port}"), why });
        for listen in [Listen::Everywhere(port)] {
            assert_eq!(listen.check().err(), refused);
            let listen = Some(listen);
            assert_eq!(start(TcpConfig { listen, ..config(1, vec![peer(2)]) }).await, refused);
        }
    });
}

/// By default an operator is reached by IPv6 and by IPv4, and says each address as people write it.
#[test]
fn both_families_reach_an_operator_that_listens_everywhere() {
    run(async {
        if std::net::TcpListener::bind("[::1]:0").is_err() {
            // This machine has none.
            return;
        }
        for listen in [Listen::Everywhere(0), Listen::from("[::]:0")] {
            let config =
                |me, peers| TcpConfig { listen: Some(listen.clone()), ..config(me, peers) };
            let mut first = Tcp::start(config(1, vec![peer(2), peer(3)])).await.unwrap();
            let port = first.local_address().unwrap().port();
            listen.check().unwrap();
            let (v4, v6) = (format!("127.0.0.1:{port}"), format!("[::1]:{port}"));
            let second = Tcp::start(config(2, vec![at(1, &v4), peer(3)])).await.unwrap();
            let from = |event: Event| match event {
                Event::Up { address, .. } => address.rsplit_once(':').unwrap().0.to_owned(),
                event => panic!("{event:?}"),
            };
            assert_eq!(from(first.next().await), "127.0.0.1");
            let third = Tcp::start(config(3, vec![at(1, &v6), at(2, "127.0.0.1:1")])).await;
            assert_eq!(from(first.next().await), "[::1]");
            drop((second, third));
        }
    });
}

/// A refusal that claims another version of the channel protocol.
fn other_version(version: u16) -> Vec<u8> {
    [&[1][..], &version.to_be_bytes(), &1u16.to_be_bytes(), SPEC.as_ref()].concat()
}

/// Whoever answers at a peer's address gives another reason each time: few of them are told.
#[test]
fn a_listener_that_changes_its_reasons_is_reported_a_few_times() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap().to_string();
        let calls = Arc::new(std::sync::atomic::AtomicU16::new(0));
        let counted = calls.clone();
        let stranger = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let call = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                // Another version each time, or nothing at all.
                let answer = other_version(call + 7);
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &answer).await;
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 512]).await;
            }
        });
        let often = Timing { retry_most: Duration::from_millis(20), ..timing() };
        let config = TcpConfig { timing: often, ..config(2, vec![at(1, &there)]) };
        let mut second = Tcp::start(config).await.unwrap();
        let mut reasons = Vec::new();
        while calls.load(std::sync::atomic::Ordering::Relaxed) < 50 {
            if let Ok(Event::Unreachable { why, .. }) =
                timeout(Duration::from_millis(50), second.next()).await
            {
                reasons.push(why);
            }
        }
        stranger.abort();
        assert_eq!(reasons.len(), 4, "one kind, four times: {reasons:?}");
    });
}

#[test]
fn whoever_has_no_address_calls_whatever_its_index() {
    run(async {
        // The later operator is the one that can be called.
        let mut later = Tcp::start(config(2, vec![peer(1)])).await.unwrap();
        let there = address(&later);
        let earlier = TcpConfig { listen: None, ..config(1, vec![at(2, &there)]) };
        let mut earlier = Tcp::start(earlier).await.unwrap();
        assert_eq!(earlier.local_address(), None);
        up(&mut earlier, 2).await;
        up(&mut later, 1).await;
        assert!(earlier.send(2, vec![1]) && later.send(1, vec![2]));
        assert_eq!((frame(&mut later, 1).await, frame(&mut earlier, 2).await), (vec![1], vec![2]));
    });
}

/// Both call at the same moment, again and again: one connection is left, and it carries frames.
#[test]
fn two_that_call_at_once_use_one_connection() {
    run(async {
        for _ in 0..20 {
            let places = [free_address().await, free_address().await];
            let start = async |me: u8, other: u16| {
                let peers = vec![at(other, &places[usize::from(other) - 1])];
                let timing = Timing { head_start: Duration::ZERO, ..timing() };
                let listen = Some(places[usize::from(me) - 1].as_str().into());
                Tcp::start(TcpConfig { listen, timing, ..config(me, peers) }).await.unwrap()
            };
            let (mut first, mut second) = (start(1, 2).await, start(2, 1).await);
            // Whatever comes up and goes down first, in the end what is sent arrives, both ways.
            let mut got = (false, false);
            let mut again = tokio::time::interval(Duration::from_millis(20));
            while got != (true, true) {
                tokio::select! {
                    event = first.next() => got.0 |= matches!(event, Event::Frame { .. }),
                    event = second.next() => got.1 |= matches!(event, Event::Frame { .. }),
                    _ = again.tick() => {
                        let _ = (first.send(2, vec![1]), second.send(1, vec![2]));
                    }
                }
            }
            // It stays: nobody calls while there is one.
            let mut gone = false;
            let quiet = async {
                loop {
                    tokio::select! {
                        event = first.next() => gone |= matches!(event, Event::Down { .. }),
                        event = second.next() => gone |= matches!(event, Event::Down { .. }),
                    }
                }
            };
            let _ = timeout(Duration::from_millis(300), quiet).await;
            assert!(!gone, "the connection that both use was given up");
        }
    });
}

#[test]
fn peers_are_the_others_of_the_ceremony_file() {
    let file = CeremonyFile::parse_toml(include_str!(
        "../../../ceremony-specs/examples/hoodi-3-of-4.toml"
    ))
    .unwrap();
    let ceremony = Ceremony::try_from(file).unwrap();
    let peers = Peer::of(&ceremony, Index::new(2).unwrap());
    let found: Vec<_> = peers
        .iter()
        .map(|peer| (peer.index, peer.name.as_str(), peer.address.as_deref().unwrap()))
        .collect();
    let expected = [
        (1, "alice", "alice.example.org:3610"),
        (3, "carol", "carol.example.org:3610"),
        (4, "dave", "dave.example.org:3610"),
    ];
    assert_eq!(found, expected);
    let card = &ceremony.roster().get(Index::new(3).unwrap()).unwrap().card;
    assert_eq!((peers[1].key, peers[1].noise), (card.key, card.noise));
}
