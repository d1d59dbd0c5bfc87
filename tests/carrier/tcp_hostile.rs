//! TCP carriers, called by those who mean no good. Attack rows N9 and N12 of the protocol chapter.

use std::time::Duration;

use quorate::carrier::channel::{Channel, Local, initiate};
use quorate::carrier::{Event, LinkError, Peer, Tcp, TcpConfig, Timing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tcp::{MOST, address, at, config, down, timing, until, up};
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
        let mut first = alone(timing()).await;
        let listening = address(&first);
        let imposter = TcpConfig { operator: operator(9), ..config(2, vec![at(1, &listening)]) };
        let mut imposter = Tcp::start(imposter).await.unwrap();
        assert_eq!(refused(&mut first).await, LinkError::OtherKey { index: 2 });
        let why = LinkError::ClosedInHandshake;
        assert_eq!(imposter.next().await, Event::Unreachable { peer: 1, address: listening, why });
    });
}

#[test]
fn an_earlier_operator_does_not_call() {
    run(async {
        let third = TcpConfig { ..config(3, vec![at(1, "127.0.0.1:1"), at(2, "127.0.0.1:1"), peer(4)]) };
        let mut third = Tcp::start(third).await.unwrap();
        let stream = TcpStream::connect(address(&third)).await.unwrap();
        let called = initiate(stream, &local(2), &peer(3), random()).await;
        assert_eq!(called.err(), Some(LinkError::ClosedInHandshake));
        assert_eq!(refused(&mut third).await, LinkError::NotACaller { index: 2 });
    });
}

#[test]
fn oversized_frames_end_the_connection() {
    run(async {
        let mut first = alone(timing()).await;
        let (_, mut writer) = rogue(&mut first).await.into_frames(MOST, LONG);
        writer.send(&vec![1; MOST + 1]).await.unwrap();
        assert_eq!(down(&mut first, 2).await, LinkError::FrameTooLong { announced: MOST + 1, most: MOST });
    });
}

#[test]
fn garbage_ends_the_connection() {
    run(async {
        let mut first = alone(timing()).await;
        let mut forged = vec![0x55; 2 + 300];
        forged[..2].copy_from_slice(&300u16.to_be_bytes());
        for (garbage, why) in [(forged, LinkError::Decrypt), (vec![0; 40], LinkError::MessageLength(0))] {
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
        let mut first = alone(Timing { idle: Duration::from_secs(1), ..timing() }).await;
        let _silent = rogue(&mut first).await;
        assert_eq!(down(&mut first, 2).await, LinkError::Silent(1));
    });
}

#[test]
fn a_peer_that_does_not_read_is_dropped_when_the_queue_is_full() {
    run(async {
        let mut first = alone(timing()).await;
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
fn strangers_are_turned_away_and_reported_once() {
    run(async {
        let mut first = alone(timing()).await;
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
        let mut first = alone(Timing { handshake: 10 * LONG, ..timing() }).await;
        let mut held = Vec::new();
        for _ in 0..100 {
            held.push(TcpStream::connect(address(&first)).await.unwrap());
        }
        let mut second = Tcp::start(config(2, vec![at(1, &address(&first))])).await.unwrap();
        up(&mut second, 1).await;
        assert_eq!(refused(&mut first).await, LinkError::Crowded);
        up(&mut first, 2).await;
        // 64 places, one of them operator 2's: the 37 oldest had to go.
        let (oldest, newest) = held.split_at_mut(37);
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
        let mut first = alone(Timing { handshake: Duration::from_secs(1), ..timing() }).await;
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
        let impatient = Timing { handshake: Duration::from_secs(1), ..timing() };
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
        let mut first = alone(timing()).await;
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
        let mut first = Tcp::start(config(1, vec![Peer { key: peer(9).key, ..peer(2) }])).await.unwrap();
        let stream = TcpStream::connect(address(&first)).await.unwrap();
        let called = initiate(stream, &Local { ..local(2) }, &peer(1), random()).await;
        assert_eq!(called.err(), Some(LinkError::ClosedInHandshake));
        assert_eq!(refused(&mut first).await, LinkError::Confirmation);
    });
}
