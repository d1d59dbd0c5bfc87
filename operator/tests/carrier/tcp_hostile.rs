//! TCP carriers under attack by connecting strangers. Attack rows N9 and N12 of the protocol
//! chapter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use quorate_operator::carrier::channel::{Channel, Local, initiate, respond};
use quorate_operator::carrier::{Event, LinkError, Peer, Tcp, TcpConfig, Timing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::tcp::{self, MOST, address, at, config, down, frame, until, up};
use crate::{LONG, local, operator, peer, random, run};

/// Operator 2's keys in the hands of someone who does what it likes.
async fn rogue(first: &mut Tcp) -> Channel<TcpStream> {
    let stream = TcpStream::connect(address(first)).await.unwrap();
    let channel = initiate(stream, &local(2), &peer(1), random()).await.unwrap();
    up(first, 2).await;
    channel
}

async fn alone(timing: Timing) -> Tcp {
    Tcp::start(TcpConfig { timing, ..config(1, vec![peer(2)]) }).await.unwrap()
}

async fn refused(tcp: &mut Tcp) -> LinkError {
    match until(tcp, |event| matches!(event, Event::Refused { .. })).await {
        Event::Refused { why, .. } => why,
        _ => unreachable!("until() waited for a refusal"),
    }
}

#[test]
fn a_key_that_is_not_listed_is_refused() {
    run(async {
        let mut first = alone(tcp::timing()).await;
        let listening = address(&first);
        let imposter = TcpConfig { operator: operator(9), ..config(2, vec![at(1, &listening)]) };
        let mut imposter = Tcp::start(imposter).await.unwrap();
        assert_eq!(refused(&mut first).await, LinkError::OtherKey { index: 2 });
        let why = LinkError::ClosedInHandshake;
        assert_eq!(imposter.next().await, Event::Unreachable { peer: 1, address: listening, why });
    });
}

/// The keys of an earlier operator, in a second connection beside the one that this operator
/// opened: it is not used while the first one lives, and takes its place when that is dead.
#[test]
fn a_second_connection_from_the_other_side_waits_for_the_first() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap().to_string();
        let keep_alive = Duration::from_millis(400);
        let timing = Timing { keep_alive, ..tcp::timing() };
        let third = TcpConfig { timing, ..config(3, vec![at(2, &there)]) };
        let mut third = Tcp::start(third).await.unwrap();
        let called = async {
            let (stream, _) = listener.accept().await.unwrap();
            let expected = peer(3);
            let caller = |index| (index == 3).then_some(&expected);
            let (channel, _) = respond(stream, &local(2), caller, random()).await.unwrap();
            channel.into_frames(MOST, LONG)
        };
        let (mut preferred, _) = tokio::join!(called, up(&mut third, 2));
        let listening = address(&third);
        let second = async || {
            let stream = TcpStream::connect(&listening).await.unwrap();
            let channel = initiate(stream, &local(2), &peer(3), random()).await.unwrap();
            channel.into_frames(MOST, LONG)
        };
        let (mut reader, mut writer) = second().await;
        writer.send(&[9]).await.unwrap();
        preferred.1.send(&[1]).await.unwrap();
        assert_eq!(frame(&mut third, 2).await, vec![1], "over the connection that it opened");
        assert!(reader.next().await.is_err(), "what it said there is not read");
        // The peer has forgotten the connection, and it says nothing more.
        let (_reader, mut writer) = second().await;
        writer.send(&[7]).await.unwrap();
        assert_eq!(down(&mut third, 2).await, LinkError::Crossed);
        up(&mut third, 2).await;
        assert_eq!(frame(&mut third, 2).await, vec![7]);
    });
}

#[test]
fn oversized_frames_end_the_connection() {
    run(async {
        let mut first = alone(tcp::timing()).await;
        let (_, mut writer) = rogue(&mut first).await.into_frames(MOST, LONG);
        writer.send(&vec![1; MOST + 1]).await.unwrap();
        assert_eq!(
            down(&mut first, 2).await,
            LinkError::FrameTooLong { announced: MOST + 1, most: MOST }
        );
    });
}

#[test]
fn garbage_ends_the_connection() {
    run(async {
        let mut first = alone(tcp::timing()).await;
        let mut forged = vec![0x55; 2 + 300];
        forged[..2].copy_from_slice(&300u16.to_be_bytes());
        for (garbage, why) in
            [(forged, LinkError::Decrypt), (vec![0; 40], LinkError::MessageLength(0))]
        {
            let mut stream = TcpStream::connect(address(&first)).await.unwrap();
            // The keys are dropped here, so what follows cannot be a message.
            drop(initiate(&mut stream, &local(2), &peer(1), random()).await.unwrap());
            up(&mut first, 2).await;
            stream.write_all(&garbage).await.unwrap();
            assert_eq!(down(&mut first, 2).await, why);
        }
    });
}

#[test]
fn a_silent_peer_is_given_up() {
    run(async {
        let mut first = alone(Timing { idle: Duration::from_secs(1), ..tcp::timing() }).await;
        let _silent = rogue(&mut first).await;
        assert_eq!(down(&mut first, 2).await, LinkError::Silent(1));
    });
}

#[test]
fn a_peer_that_does_not_read_is_dropped_when_the_queue_is_full() {
    run(async {
        let mut first = alone(tcp::timing()).await;
        let _deaf = rogue(&mut first).await;
        let mut queued = 0;
        while first.send(2, vec![0; MOST]) {
            queued += 1;
            assert!(queued < 10_000, "the queue has no end");
            tokio::task::yield_now().await;
        }
        assert!(queued >= 8);
        assert_eq!(first.waiting(2), 0, "what cannot be sent is forgotten");
        assert_eq!(down(&mut first, 2).await, LinkError::Behind);
    });
}

#[test]
fn a_peer_that_does_not_read_is_dropped_after_many_small_frames_too() {
    run(async {
        let mut first = alone(tcp::timing()).await;
        let _deaf = rogue(&mut first).await;
        let queued = (0..1_000_000).take_while(|_| first.send(2, vec![0])).count();
        assert_eq!(queued, 1 << 14);
        assert_eq!(down(&mut first, 2).await, LinkError::Behind);
    });
}

#[test]
fn a_peer_that_sends_without_end_is_held_back() {
    run(async {
        for keep_alives in [false, true] {
            let mut first = alone(tcp::timing()).await;
            let (_, mut writer) = rogue(&mut first).await.into_frames(MOST, LONG);
            let sent = Arc::new(AtomicUsize::new(0));
            let counted = sent.clone();
            let flood = async move {
                loop {
                    let sent = if keep_alives {
                        writer.keep_alive().await
                    } else {
                        writer.send(&[1]).await
                    };
                    sent.unwrap();
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            };
            let flood = tokio::spawn(flood);
            let begun = Instant::now();
            let mut taken = 0;
            while let Ok(Event::Frame { .. }) =
                timeout(Duration::from_secs(3).saturating_sub(begun.elapsed()), first.next()).await
            {
                taken += 1;
            }
            // 4096 at once and 256 a second, a little more for each operator; the rest fills the
            // sockets, and then waits. On a machine with much else to do, seconds are many.
            let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
            let most = 4096 + 2 * 16 + seconds * (256 + 2 * 4);
            assert!(taken <= most, "{taken} frames");
            assert!(keep_alives || taken >= 4096, "{taken} frames");
            // The sockets take what fits; how long that lasts is the machine's to say.
            let mut more = usize::MAX;
            for _ in 0..60 {
                let before = sent.load(Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                more = sent.load(Ordering::Relaxed) - before;
                if more <= 20_000 {
                    break;
                }
            }
            assert!(more <= 20_000, "{more} more were sent in a second, and in each before");
            flood.abort();
        }
    });
}

#[test]
fn a_peer_that_connects_without_end_is_held_back() {
    run(async {
        let mut first = Tcp::start(config(1, vec![peer(2), peer(3)])).await.unwrap();
        let listening = address(&first);
        let connecting = listening.clone();
        let flood = tokio::spawn(async move {
            let mut connections = 0;
            loop {
                let stream = TcpStream::connect(&connecting).await.unwrap();
                drop(initiate(stream, &local(2), &peer(1), random()).await);
                connections += 1;
                if connections == 200 {
                    return;
                }
            }
        });
        let begun = Instant::now();
        let (mut ups, mut third) = (0, None);
        while let Ok(event) =
            timeout(Duration::from_secs(3).saturating_sub(begun.elapsed()), first.next()).await
        {
            match event {
                Event::Up { peer: 2, .. } => ups += 1,
                Event::Up { peer: 3, .. } => third = Some(begun.elapsed()),
                _ => {}
            }
            if ups == 8 && third.is_none() {
                // Nobody else is held back.
                let mut honest =
                    Tcp::start(config(3, vec![at(1, &listening), at(2, "127.0.0.1:1")]))
                        .await
                        .unwrap();
                third = Some(Duration::MAX);
                tokio::spawn(async move {
                    loop {
                        honest.next().await;
                    }
                });
            }
        }
        assert!((8..=8 + 4).contains(&ups), "{ups} connections were used");
        assert!(third.is_some_and(|after| after < Duration::from_secs(3)), "{third:?}");
        flood.abort();
    });
}

/// What a caller sends first, without the answer that it needs to go on.
async fn first_flight(index: u16) -> Vec<u8> {
    let (near, mut far) = tokio::io::duplex(1024);
    let caller =
        tokio::spawn(async move { initiate(near, &local(index), &peer(1), random()).await.err() });
    let mut flight = vec![0; 138];
    far.read_exact(&mut flight).await.unwrap();
    caller.abort();
    flight
}

#[test]
fn a_caller_in_the_middle_of_a_rush_is_heard() {
    run(async {
        let first = alone(tcp::timing()).await;
        let flight = first_flight(2).await;
        // None of these is accepted before all have been made: this thread is the only one.
        let rush = |count: usize| {
            (0..count)
                .map(|_| std::net::TcpStream::connect(address(&first)).unwrap())
                .collect::<Vec<_>>()
        };
        let _before = rush(300);
        let mut caller = rush(1).remove(0);
        std::io::Write::write_all(&mut caller, &flight).unwrap();
        let _after = rush(300);
        caller.set_nonblocking(true).unwrap();
        let mut caller = TcpStream::from_std(caller).unwrap();
        let mut answer = [9; 49];
        caller.read_exact(&mut answer).await.expect("it was shut out");
        assert_eq!(answer[0], 0, "accepted");
    });
}

#[test]
fn strangers_are_turned_away_and_reported_once() {
    run(async {
        let mut first = alone(tcp::timing()).await;
        for _ in 0..5 {
            let mut stranger = TcpStream::connect(address(&first)).await.unwrap();
            stranger.write_all(&[b'x'; 200]).await.unwrap();
            let mut answer = Vec::new();
            // Closed, or reset because of what was not read: no answer in any case.
            let _ = stranger.read_to_end(&mut answer).await;
            assert_eq!(answer, b"");
        }
        assert_eq!(refused(&mut first).await, LinkError::NotAChannel);
        let quiet = tokio::time::timeout(Duration::from_millis(500), first.next()).await;
        assert_eq!(quiet.ok(), None);
    });
}

#[test]
fn half_open_connections_do_not_keep_an_operator_out() {
    run(async {
        // The handshake limit does not help here.
        let mut first = alone(Timing { handshake: 10 * LONG, ..tcp::timing() }).await;
        let mut held = Vec::new();
        for _ in 0..200 {
            held.push(TcpStream::connect(address(&first)).await.unwrap());
        }
        let mut second = Tcp::start(config(2, vec![at(1, &address(&first))])).await.unwrap();
        up(&mut second, 1).await;
        assert_eq!(refused(&mut first).await, LinkError::Crowded);
        up(&mut first, 2).await;
        // 128 places, and operator 2 had one of them for a while: the oldest had to go.
        let (oldest, rest) = held.split_at_mut(72);
        let (_, newest) = rest.split_at_mut(1);
        for stream in oldest {
            assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        }
        for stream in newest {
            let nothing = stream.try_read(&mut [0; 1]).map_err(|error| error.kind());
            assert_eq!(nothing, Err(std::io::ErrorKind::WouldBlock));
        }
    });
}

#[test]
fn a_slow_handshake_runs_out_of_time() {
    run(async {
        let mut first = alone(Timing { handshake: Duration::from_secs(1), ..tcp::timing() }).await;
        let mut slow = TcpStream::connect(address(&first)).await.unwrap();
        slow.write_all(b"QRTC").await.unwrap();
        assert_eq!(refused(&mut first).await, LinkError::HandshakeTime(1));
        assert_eq!(slow.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    });
}

#[test]
fn a_responder_that_does_not_answer_is_reported() {
    run(async {
        let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mute_address = mute.local_addr().unwrap().to_string();
        let impatient = Timing { handshake: Duration::from_secs(1), ..tcp::timing() };
        let second = TcpConfig { timing: impatient, ..config(2, vec![at(1, &mute_address)]) };
        let mut second = Tcp::start(second).await.unwrap();
        let (_held, _) = mute.accept().await.unwrap();
        let why = LinkError::HandshakeTime(1);
        assert_eq!(second.next().await, Event::Unreachable { peer: 1, address: mute_address, why });
    });
}

#[test]
fn a_wrong_pin_is_reported_on_both_sides() {
    run(async {
        let mut first = alone(tcp::timing()).await;
        let listening = address(&first);
        let pinned = Peer { noise: peer(9).noise, ..at(1, &listening) };
        let mut second = Tcp::start(config(2, vec![pinned])).await.unwrap();
        assert_eq!(refused(&mut first).await, LinkError::Handshake);
        let why = LinkError::ClosedInHandshake;
        assert_eq!(second.next().await, Event::Unreachable { peer: 1, address: listening, why });
    });
}

#[test]
fn a_confirmation_by_another_key_is_refused() {
    run(async {
        let mut first =
            Tcp::start(config(1, vec![Peer { key: peer(9).key, ..peer(2) }])).await.unwrap();
        let stream = TcpStream::connect(address(&first)).await.unwrap();
        let called = initiate(stream, &Local { ..local(2) }, &peer(1), random()).await;
        assert_eq!(called.err(), Some(LinkError::ClosedInHandshake));
        assert_eq!(refused(&mut first).await, LinkError::Confirmation);
    });
}
