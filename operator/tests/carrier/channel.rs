//! Attack rows N1, N2, N4, N7, N8, N9 and N10 of the protocol chapter, against one channel.

use std::time::Duration;

use quorate::identity::Operator;
use quorate::primitives::hash::{Digest, Tag, tagged};
use quorate::primitives::noise::{channel_initiator, channel_responder};
use quorate::primitives::x25519::DhKeyError;
use quorate_operator::carrier::channel::{Channel, Local, VERSION, initiate, respond};
use quorate_operator::carrier::frame::{FrameReader, FrameWriter, HEADER, MESSAGE};
use quorate_operator::carrier::{LinkError, Session};
use snow::HandshakeState;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy_bidirectional, duplex, split};

use crate::weak_keys::WEAK;
use crate::{LONG, SPEC, listed, local, operator, peer, random, run};

const PREAMBLE: usize = 42;
const FIRST: usize = 96;

fn pipe() -> (DuplexStream, DuplexStream) {
    duplex(1 << 20)
}

/// Operator 2 calls operator 1, both honest.
async fn honest() -> (Channel<DuplexStream>, Channel<DuplexStream>) {
    let (a, b) = pipe();
    let (calling, called) = (local(2), local(1));
    let (callee, caller) = (peer(1), peer(2));
    let (initiator, responder) = tokio::join!(
        initiate(a, &calling, &callee, random()),
        respond(b, &called, |_| Some(&caller), random())
    );
    let (responder, who) = responder.unwrap();
    assert_eq!(who.index, 2);
    (initiator.unwrap(), responder)
}

/// What the honest operator 1 makes of bytes sent by someone, and what it answers.
async fn answer_to(bytes: &[u8]) -> (Result<u16, LinkError>, Vec<u8>) {
    let (mut a, b) = pipe();
    let (called, caller) = (local(1), peer(2));
    a.write_all(bytes).await.unwrap();
    a.shutdown().await.unwrap();
    let answered = respond(b, &called, |index| (index == 2).then_some(&caller), random()).await;
    let answered = answered.map(|(_, peer)| peer.index);
    let mut answer = Vec::new();
    a.read_to_end(&mut answer).await.unwrap();
    (answered, answer)
}

/// What the honest operator 2 makes of an answer to its call.
async fn reaction_to(answer: &[u8]) -> Option<LinkError> {
    let (a, mut b) = pipe();
    b.write_all(answer).await.unwrap();
    b.shutdown().await.unwrap();
    initiate(a, &local(2), &peer(1), random()).await.err()
}

fn preamble(version: u16, initiator: u16, responder: u16, spec: Digest) -> Vec<u8> {
    let [version, initiator, responder] = [version, initiator, responder].map(u16::to_be_bytes);
    [&b"QRTC"[..], &version, &initiator, &responder, spec.as_ref()].concat()
}

fn prologue(initiator: u16, responder: u16) -> [u8; 32] {
    let [version, initiator, responder] = [VERSION, initiator, responder].map(u16::to_be_bytes);
    tagged(Tag::ChannelPrologue, &[&version, SPEC.as_ref(), &initiator, &responder]).0
}

/// A first flight to operator 1 by the holder of `operator`'s keys, who claims `index` and adds
/// `payload`; and the handshake.
fn flight(operator: &Operator, index: u16, payload: &[u8]) -> (Vec<u8>, HandshakeState) {
    let mut handshake =
        channel_initiator(operator.noise(), &peer(1).noise, &prologue(index, 1), random());
    let mut flight = preamble(VERSION, index, 1, SPEC);
    flight.resize(PREAMBLE + FIRST + payload.len(), 0);
    handshake.write_message(payload, &mut flight[PREAMBLE..]).unwrap();
    (flight, handshake)
}

#[test]
fn both_ends_agree_and_carry_frames() {
    run(async {
        let (initiator, responder) = honest().await;
        let (mut initiator_in, mut initiator_out) = initiator.into_frames(1 << 20, LONG);
        let (mut responder_in, mut responder_out) = responder.into_frames(1 << 20, LONG);
        for length in [
            1,
            2,
            MESSAGE - HEADER - 1,
            MESSAGE - HEADER,
            MESSAGE - HEADER + 1,
            2 * MESSAGE,
            300_000,
        ] {
            let frame: Vec<u8> = (0..length).map(|i| u8::try_from(i % 253).unwrap()).collect();
            initiator_out.keep_alive().await.unwrap();
            let (sent, received) = tokio::join!(initiator_out.send(&frame), responder_in.next());
            assert_eq!((sent, received), (Ok(()), Ok(frame.clone())));
            let (sent, received) = tokio::join!(responder_out.send(&frame), initiator_in.next());
            assert_eq!((sent, received), (Ok(()), Ok(frame)));
        }
        responder_out.close().await.unwrap();
        assert_eq!(initiator_in.next().await, Err(LinkError::Closed));
    });
}

#[test]
fn a_refused_caller_learns_why() {
    run(async {
        let other = Digest([8; 32]);
        let cases = [
            (
                Local { session: Session::Ceremony(other), ..local(2) },
                peer(1),
                LinkError::OtherCeremony { index: 1, theirs: SPEC },
                LinkError::OtherCeremony { index: 2, theirs: other },
            ),
            (
                local(3),
                listed(&operator(1), 2, None),
                LinkError::OtherOperator { index: 1 },
                LinkError::OtherOperator { index: 3 },
            ),
        ];
        for (calling, callee, at_caller, at_called) in cases {
            let (a, b) = pipe();
            let called = local(1);
            let (initiated, responded) = tokio::join!(
                initiate(a, &calling, &callee, random()),
                respond(b, &called, |_| None, random())
            );
            assert_eq!(initiated.err(), Some(at_caller));
            assert_eq!(responded.err(), Some(at_called));
        }
    });
}

#[test]
fn preambles_that_are_none() {
    run(async {
        let refusal =
            [&[1][..], &VERSION.to_be_bytes(), &1u16.to_be_bytes(), SPEC.as_ref()].concat();
        let other_version = LinkError::OtherVersion { ours: VERSION, theirs: 2 };
        assert_eq!(answer_to(&preamble(2, 2, 1, SPEC)).await, (Err(other_version), refusal));

        let nothing = |why| (Err(why), Vec::new());
        assert_eq!(answer_to(b"").await, nothing(LinkError::Closed));
        assert_eq!(
            answer_to(&preamble(VERSION, 2, 1, SPEC)[..41]).await,
            nothing(LinkError::Closed)
        );
        assert_eq!(
            answer_to(b"GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n").await,
            nothing(LinkError::NotAChannel)
        );
        assert_eq!(answer_to(&[0xff; 4096]).await, nothing(LinkError::NotAChannel));
        for index in [0, 1, 3, u16::MAX] {
            let (flight, _) = flight(&operator(2), index, &[]);
            assert_eq!(answer_to(&flight).await, nothing(LinkError::NotACaller { index }));
        }
    });
}

#[test]
fn answers_that_are_none() {
    run(async {
        let refused = |version: u16, index: u16, spec: Digest| {
            [&[1][..], &version.to_be_bytes(), &index.to_be_bytes(), spec.as_ref()].concat()
        };
        let other = Digest([8; 32]);
        assert_eq!(reaction_to(&[]).await, Some(LinkError::ClosedInHandshake));
        assert_eq!(reaction_to(&[3; 100]).await, Some(LinkError::NotAChannel));
        assert_eq!(reaction_to(&[0; 48]).await, Some(LinkError::ClosedInHandshake));
        assert_eq!(reaction_to(&[0; 49]).await, Some(LinkError::WeakKey(DhKeyError::LowOrder)));
        let mut forged = [9; 49];
        forged[0] = 0;
        assert_eq!(reaction_to(&forged).await, Some(LinkError::Handshake));
        let other_version = LinkError::OtherVersion { ours: VERSION, theirs: 9 };
        assert_eq!(reaction_to(&refused(9, 1, other)).await, Some(other_version));
        let other_ceremony = LinkError::OtherCeremony { index: 4, theirs: other };
        assert_eq!(reaction_to(&refused(VERSION, 4, other)).await, Some(other_ceremony));
        assert_eq!(
            reaction_to(&refused(VERSION, 4, SPEC)).await,
            Some(LinkError::OtherOperator { index: 4 })
        );
        assert_eq!(reaction_to(&refused(VERSION, 1, SPEC)).await, Some(LinkError::Refusal));
        assert_eq!(
            reaction_to(&refused(VERSION, 1, SPEC)[..36]).await,
            Some(LinkError::ClosedInHandshake)
        );
    });
}

#[test]
fn a_key_that_is_not_listed_is_refused() {
    run(async {
        let (flight, _) = flight(&operator(3), 2, &[]);
        assert_eq!(answer_to(&flight).await, (Err(LinkError::OtherKey { index: 2 }), Vec::new()));
    });
}

#[test]
fn another_responder_cannot_answer() {
    run(async {
        let (a, b) = pipe();
        let (caller, imposter) = (peer(2), Local { operator: operator(3), ..local(1) });
        let (calling, callee) = (local(2), peer(1));
        let (initiated, responded) = tokio::join!(
            initiate(a, &calling, &callee, random()),
            respond(b, &imposter, |_| Some(&caller), random())
        );
        assert_eq!(initiated.err(), Some(LinkError::ClosedInHandshake));
        assert_eq!(responded.err(), Some(LinkError::Handshake));
    });
}

/// A channel is for one ceremony or one request, and never for another of either, even under the
/// same 32 bytes.
#[test]
fn a_channel_is_for_one_session() {
    run(async {
        let (one, other) = (Digest([7; 32]), Digest([8; 32]));
        let sessions = [Session::Ceremony(one), Session::Request(one), Session::Request(other)];
        for calling in sessions {
            for called in sessions {
                let (a, b) = pipe();
                let (at_caller, at_called) =
                    (Local { session: calling, ..local(2) }, Local { session: called, ..local(1) });
                let (callee, caller) = (peer(1), peer(2));
                let (initiated, responded) = tokio::join!(
                    initiate(a, &at_caller, &callee, random()),
                    respond(b, &at_called, |_| Some(&caller), random())
                );
                let why = |ours, theirs, index| match (ours, theirs) {
                    (Session::Request(_), Session::Ceremony(_)) => LinkError::InCeremony { index },
                    (_, Session::Request(theirs)) => LinkError::OtherRequest { index, theirs },
                    (Session::Ceremony(_), Session::Ceremony(theirs)) => {
                        LinkError::OtherCeremony { index, theirs }
                    }
                };
                assert_eq!(initiated.err(), (calling != called).then(|| why(calling, called, 1)));
                assert_eq!(responded.err(), (calling != called).then(|| why(called, calling, 2)));
            }
        }
        // A preamble that is changed on the way chooses another prologue.
        let mut handshake =
            channel_initiator(operator(2).noise(), &peer(1).noise, &prologue(2, 1), random());
        let mut flight = preamble(VERSION, 2, 1, SPEC);
        flight[..4].copy_from_slice(b"QRTR");
        flight.resize(PREAMBLE + FIRST, 0);
        handshake.write_message(&[], &mut flight[PREAMBLE..]).unwrap();
        let (mut a, b) = pipe();
        let (called, caller) = (Local { session: Session::Request(SPEC), ..local(1) }, peer(2));
        a.write_all(&flight).await.unwrap();
        let answered = respond(b, &called, |_| Some(&caller), random()).await;
        assert_eq!(answered.err(), Some(LinkError::Handshake));
    });
}

/// N10: whichever field of the preamble is changed on the way, the prologues differ.
#[test]
fn a_changed_preamble_fails_the_handshake() {
    run(async {
        let (version, spec) = (VERSION.to_be_bytes(), Digest([8; 32]));
        let meant: [[&[u8]; 4]; 5] = [
            [&version, SPEC.as_ref(), &[0, 2], &[0, 1]],
            [&[0, 2], SPEC.as_ref(), &[0, 2], &[0, 1]],
            [&version, spec.as_ref(), &[0, 2], &[0, 1]],
            [&version, SPEC.as_ref(), &[0, 3], &[0, 1]],
            [&version, SPEC.as_ref(), &[0, 2], &[0, 4]],
        ];
        for (position, parts) in meant.iter().enumerate() {
            let prologue = tagged(Tag::ChannelPrologue, parts).0;
            let mut handshake =
                channel_initiator(operator(2).noise(), &peer(1).noise, &prologue, random());
            let mut flight = preamble(VERSION, 2, 1, SPEC);
            flight.resize(PREAMBLE + FIRST, 0);
            handshake.write_message(&[], &mut flight[PREAMBLE..]).unwrap();
            // The first is the one that was not changed; its caller just leaves before confirming.
            let why = if position == 0 { LinkError::Closed } else { LinkError::Handshake };
            assert_eq!(answer_to(&flight).await.0, Err(why));
        }
    });
}

/// N1.
#[test]
fn handshake_payloads_are_refused() {
    run(async {
        let (flight, _) = flight(&operator(2), 2, b"early");
        assert_eq!(answer_to(&flight).await, (Err(LinkError::Handshake), Vec::new()));

        let (a, mut b) = pipe();
        let answering = async {
            let mut flight = [0; PREAMBLE + FIRST];
            b.read_exact(&mut flight).await.unwrap();
            let mut handshake = channel_responder(operator(1).noise(), &prologue(2, 1), random());
            handshake.read_message(&flight[PREAMBLE..], &mut []).unwrap();
            let mut answer = [0; 1 + 48 + 5];
            handshake.write_message(b"early", &mut answer[1..]).unwrap();
            b.write_all(&answer).await.unwrap();
        };
        let (calling, callee) = (local(2), peer(1));
        let (initiated, ()) = tokio::join!(initiate(a, &calling, &callee, random()), answering);
        assert_eq!(initiated.err(), Some(LinkError::Handshake));
    });
}

/// N2: the replayer gets the answer to the handshake, which it cannot read, and nothing else.
#[test]
fn a_replayed_first_flight_gives_nothing() {
    run(async {
        let (flight, _) = flight(&operator(2), 2, &[]);
        let (first, answer) = answer_to(&flight).await;
        assert_eq!((first, answer.len()), (Err(LinkError::Closed), 49));
        let (again, another) = answer_to(&flight).await;
        assert_eq!((again, another.len()), (Err(LinkError::Closed), 49));
        assert_ne!(answer, another);
    });
}

fn confirmation(signer: &Operator, hash: &[u8], role: u8, spec: Digest, index: u16) -> Vec<u8> {
    let signed = [hash, &[role], spec.as_ref(), &index.to_be_bytes()].concat();
    signer.key().sign(Tag::ChannelConfirm, &signed).to_vec()
}

/// Operator 2's channel key, with whatever follows the handshake.
async fn after_handshake(say: impl Fn(&[u8]) -> Vec<u8>) -> Option<LinkError> {
    let (mut a, b) = pipe();
    let saying = async {
        let (flight, mut handshake) = flight(&operator(2), 2, &[]);
        a.write_all(&flight).await.unwrap();
        let mut answer = [0; 49];
        a.read_exact(&mut answer).await.unwrap();
        handshake.read_message(&answer[1..], &mut []).unwrap();
        let said = say(handshake.get_handshake_hash());
        let mut message = vec![0; said.len() + 16];
        handshake.into_transport_mode().unwrap().write_message(&said, &mut message).unwrap();
        a.write_u16(u16::try_from(message.len()).unwrap()).await.unwrap();
        a.write_all(&message).await.unwrap();
        a
    };
    let (called, caller) = (local(1), peer(2));
    let (responded, _open) = tokio::join!(respond(b, &called, |_| Some(&caller), random()), saying);
    responded.err()
}

/// N4.
#[test]
fn only_a_confirmation_of_this_handshake_by_this_operator_counts() {
    run(async {
        let confirmed = |signer: u8, role: u8, spec: Digest, index: u16| {
            after_handshake(move |hash| confirmation(&operator(signer), hash, role, spec, index))
        };
        let refused = Some(LinkError::Confirmation);
        assert_eq!(confirmed(2, 0, SPEC, 2).await, None);
        assert_eq!(confirmed(3, 0, SPEC, 2).await, refused);
        assert_eq!(confirmed(2, 1, SPEC, 2).await, refused);
        assert_eq!(confirmed(2, 0, Digest([8; 32]), 2).await, refused);
        assert_eq!(confirmed(2, 0, SPEC, 1).await, refused);
        assert_eq!(
            after_handshake(|_| confirmation(&operator(2), &[0; 32], 0, SPEC, 2)).await,
            refused
        );
        assert_eq!(after_handshake(|_| vec![0; 64]).await, refused);
        assert_eq!(after_handshake(|_| b"data before the confirmation".to_vec()).await, refused);
        assert_eq!(after_handshake(|_| Vec::new()).await, refused);
    });
}

/// Operator 1's channel key, answering operator 2, with whatever it confirms.
async fn after_answer(say: impl Fn(&[u8]) -> Vec<u8>) -> Option<LinkError> {
    let (a, mut b) = pipe();
    let saying = async {
        let mut flight = [0; PREAMBLE + FIRST];
        b.read_exact(&mut flight).await.unwrap();
        let mut handshake = channel_responder(operator(1).noise(), &prologue(2, 1), random());
        handshake.read_message(&flight[PREAMBLE..], &mut []).unwrap();
        let mut answer = [0; 49];
        handshake.write_message(&[], &mut answer[1..]).unwrap();
        b.write_all(&answer).await.unwrap();
        let said = say(handshake.get_handshake_hash());
        let mut message = [0; 80];
        handshake.into_transport_mode().unwrap().write_message(&said, &mut message).unwrap();
        b.write_u16(80).await.unwrap();
        b.write_all(&message).await.unwrap();
        b
    };
    let (calling, callee) = (local(2), peer(1));
    let (initiated, _open) = tokio::join!(initiate(a, &calling, &callee, random()), saying);
    initiated.err()
}

#[test]
fn the_responder_confirms_in_its_own_role() {
    run(async {
        let confirmed = |signer: u8, role: u8| {
            after_answer(move |hash| confirmation(&operator(signer), hash, role, SPEC, 1))
        };
        assert_eq!(confirmed(1, 1).await, None);
        assert_eq!(confirmed(1, 0).await, Some(LinkError::Confirmation));
        assert_eq!(confirmed(3, 1).await, Some(LinkError::Confirmation));
    });
}

/// N8.
#[test]
fn weak_ephemeral_keys_are_refused() {
    run(async {
        for (position, key) in WEAK.iter().enumerate() {
            let key = hex::decode(key).unwrap();
            let reason = if position < 5 { DhKeyError::LowOrder } else { DhKeyError::NotCanonical };
            let (mut flight, _) = flight(&operator(2), 2, &[]);
            flight[PREAMBLE..PREAMBLE + 32].copy_from_slice(&key);
            assert_eq!(answer_to(&flight).await, (Err(LinkError::WeakKey(reason)), Vec::new()));
            let mut answer = [0; 49];
            answer[1..33].copy_from_slice(&key);
            assert_eq!(reaction_to(&answer).await, Some(LinkError::WeakKey(reason)));
        }
    });
}

/// A channel from operator 2 to operator 1 with someone between: what 2 writes arrives at the first
/// stream, 1 reads from the second.
async fn with_a_middle() -> (
    FrameWriter<impl tokio::io::AsyncWrite>,
    DuplexStream,
    DuplexStream,
    FrameReader<impl tokio::io::AsyncRead>,
) {
    let ((a, mut left), (mut right, b)) = (pipe(), pipe());
    let (calling, called, callee, caller) = (local(2), local(1), peer(1), peer(2));
    let ends = async {
        let (a, b) = tokio::join!(
            initiate(a, &calling, &callee, random()),
            respond(b, &called, |_| Some(&caller), random())
        );
        (a.unwrap(), b.unwrap().0)
    };
    let (initiator, responder) = tokio::select! {
        ends = ends => ends,
        _ = copy_bidirectional(&mut left, &mut right) => unreachable!("both ends are open"),
    };
    let (_, writer) = initiator.into_frames(1000, LONG);
    let (reader, _) = responder.into_frames(1000, LONG);
    (writer, left, right, reader)
}

async fn message(from: &mut DuplexStream) -> Vec<u8> {
    let length = from.read_u16().await.unwrap();
    let mut message = length.to_be_bytes().to_vec();
    message.resize(2 + usize::from(length), 0);
    from.read_exact(&mut message[2..]).await.unwrap();
    message
}

/// N7.
#[test]
fn changed_repeated_and_lost_messages_end_the_channel() {
    run(async {
        for attack in 0..4 {
            let (mut writer, mut left, mut right, mut reader) = with_a_middle().await;
            writer.send(b"first").await.unwrap();
            writer.send(b"second").await.unwrap();
            let (first, mut second) = (message(&mut left).await, message(&mut left).await);
            right.write_all(&first).await.unwrap();
            assert_eq!(reader.next().await, Ok(b"first".to_vec()));
            match attack {
                0 => *second.last_mut().unwrap() ^= 1,
                1 => second[2] ^= 0x80,
                2 => second = first,
                _ => {
                    writer.send(b"third").await.unwrap();
                    second = message(&mut left).await;
                }
            }
            right.write_all(&second).await.unwrap();
            assert_eq!(reader.next().await, Err(LinkError::Decrypt));
        }
    });
}

/// N9.
#[test]
fn lengths_out_of_bounds_end_the_channel() {
    run(async {
        for length in [0u16, 1, 16] {
            let (_writer, _left, mut right, mut reader) = with_a_middle().await;
            right.write_all(&length.to_be_bytes()).await.unwrap();
            right.write_all(&[0; 16]).await.unwrap();
            assert_eq!(reader.next().await, Err(LinkError::MessageLength(usize::from(length))));
        }
        let (initiator, responder) = honest().await;
        let (_, mut writer) = initiator.into_frames(1 << 20, LONG);
        let (mut reader, _) = responder.into_frames(1000, LONG);
        writer.send(&[1; 1000]).await.unwrap();
        assert_eq!(reader.next().await, Ok(vec![1; 1000]));
        writer.send(&[1; 1001]).await.unwrap();
        assert_eq!(
            reader.next().await,
            Err(LinkError::FrameTooLong { announced: 1001, most: 1000 })
        );
    });
}

#[test]
fn silence_ends_the_channel() {
    run(async {
        let (_initiator, responder) = honest().await;
        let (mut reader, _) = responder.into_frames(1000, Duration::from_millis(200));
        assert_eq!(reader.next().await, Err(LinkError::Silent(0)));
    });
}

#[test]
fn a_handshake_is_reproducible() {
    run(async {
        let mut flights = Vec::new();
        for _ in 0..2 {
            let (a, b) = pipe();
            let (mut read, _write) = split(b);
            let ephemeral = quorate::primitives::secret::Secret32::new(&mut [42; 32]);
            let (calling, callee) = (local(2), peer(1));
            let mut flight = vec![0; PREAMBLE + FIRST];
            tokio::select! {
                _ = initiate(a, &calling, &callee, ephemeral) => unreachable!("nobody answers"),
                read = read.read_exact(&mut flight) => read.unwrap(),
            };
            flights.push(flight);
        }
        assert_eq!(flights[0], flights[1]);
    });
}
