//! Attacks N: channels and identities.

use std::sync::Arc;
use std::time::Duration;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hmac::{Hmac, Mac};
use quorate::audit::code::Code;
use quorate::identity::{Operator, OperatorName};
use quorate::message::body::Hello;
use quorate::message::envelope::{Reject, Round, Statement};
use quorate::message::share_box::{self, Address, ShareBoxError};
use quorate::message::sync::Frame;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::hash::{Digest, Tag, tagged};
use quorate::primitives::noise::channel_initiator;
use quorate::primitives::secret::Secret32;
use quorate::primitives::x25519::{DhKeyError, DhPublic, DhSecret};
use quorate::protocol::evidence::{Class, Rule};
use quorate::protocol::record::RecordKind;
use quorate::simulation::machine::{
    TWO_VALIDATORS, honest, machines, run as run_machines, statements,
};
use quorate::spec::{Ceremony, Place, SpecError};
use quorate_operator::carrier::channel::{Local, VERSION, initiate, respond};
use quorate_operator::carrier::frame::{FrameReader, FrameWriter};
use quorate_operator::carrier::{Event, LinkError, Peer, Session, Tcp, TcpConfig, Timing};
use sha2::{Digest as _, Sha256};
use snow::HandshakeState;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, copy_bidirectional, duplex};
use tokio::net::TcpStream;
use x25519_dalek::{PublicKey, StaticSecret};

use crate::auditor::told;
use crate::scene::{Scene, index, resigned};
use crate::weak_keys::WEAK;

const LONG: Duration = Duration::from_secs(60);
const SPEC: Digest = Digest([7; 32]);
const PREAMBLE: usize = 42;
const FIRST: usize = 96;

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LONG, test).await.expect("the test hangs") })
}

fn secret(number: u8) -> Secret32 {
    Secret32::new(&mut [number; 32])
}

fn operator(number: u8) -> Arc<Operator> {
    Arc::new(Operator::generate(
        OperatorName::parse(&format!("member {number}")).unwrap(),
        secret(number),
    ))
}

fn peer(index: u16) -> Peer {
    let operator = operator(u8::try_from(index).unwrap());
    let name = operator.name().as_str().to_owned();
    Peer { index, name, key: operator.key().public(), noise: operator.card().noise, address: None }
}

fn local(index: u16) -> Local {
    Local {
        session: Session::Ceremony(SPEC),
        index,
        operator: operator(u8::try_from(index).unwrap()),
    }
}

fn pipe() -> (DuplexStream, DuplexStream) {
    duplex(1 << 20)
}

/// Operator 2, who holds one spec, calls operator 1, who holds another: what each is told.
pub(crate) fn greet(calling: Digest, called: Digest) -> (Option<LinkError>, Option<LinkError>) {
    run(async {
        let (a, b) = pipe();
        let (calling, called) = (Session::Ceremony(calling), Session::Ceremony(called));
        let (calling, called) =
            (Local { session: calling, ..local(2) }, Local { session: called, ..local(1) });
        let (callee, caller) = (peer(1), peer(2));
        let (a, b) = tokio::join!(
            initiate(a, &calling, &callee, secret(50)),
            respond(b, &called, |_| Some(&caller), secret(51))
        );
        (a.err(), b.err())
    })
}

/// What the honest operator 1 makes of bytes sent by someone, and what it answers.
async fn answer_to(bytes: &[u8]) -> (Result<u16, LinkError>, Vec<u8>) {
    let (mut a, b) = pipe();
    let (called, caller) = (local(1), peer(2));
    a.write_all(bytes).await.unwrap();
    a.shutdown().await.unwrap();
    let answered = respond(b, &called, |index| (index == 2).then_some(&caller), secret(60)).await;
    let mut answer = Vec::new();
    a.read_to_end(&mut answer).await.unwrap();
    (answered.map(|(_, peer)| peer.index), answer)
}

fn preamble(version: u16, initiator: u16, spec: Digest) -> Vec<u8> {
    let [version, initiator, responder] = [version, initiator, 1].map(u16::to_be_bytes);
    [&b"QRTC"[..], &version, &initiator, &responder, spec.as_ref()].concat()
}

fn prologue(version: u16, spec: Digest, initiator: u16) -> [u8; 32] {
    let [version, initiator, responder] = [version, initiator, 1].map(u16::to_be_bytes);
    tagged(Tag::ChannelPrologue, &[&version, spec.as_ref(), &initiator, &responder]).0
}

/// A first flight to operator 1 under `prologue`, by the holder of `operator`'s keys.
fn flight_under(
    prologue: &[u8; 32],
    operator: &Operator,
    payload: &[u8],
) -> (Vec<u8>, HandshakeState) {
    let mut handshake = channel_initiator(operator.noise(), &peer(1).noise, prologue, secret(70));
    let mut flight = preamble(VERSION, 2, SPEC);
    flight.resize(PREAMBLE + FIRST + payload.len(), 0);
    handshake.write_message(payload, &mut flight[PREAMBLE..]).unwrap();
    (flight, handshake)
}

fn flight(operator: &Operator, payload: &[u8]) -> (Vec<u8>, HandshakeState) {
    flight_under(&prologue(VERSION, SPEC, 2), operator, payload)
}

#[test]
fn attack_n1_data_in_handshake() {
    run(async {
        for payload in [&b"x"[..], b"data that nobody has authenticated"] {
            let (flight, _) = flight(&operator(2), payload);
            assert_eq!(answer_to(&flight).await, (Err(LinkError::Handshake), Vec::new()));
        }
    });
}

#[test]
fn attack_n2_replayed_first_flight() {
    run(async {
        let (flight, _) = flight(&operator(2), &[]);
        for _ in 0..2 {
            let (told, answer) = answer_to(&flight).await;
            assert_eq!(
                (told, answer.len()),
                (Err(LinkError::Closed), 49),
                "no channel, and nothing but the handshake's answer"
            );
        }
    });
}

/// The symmetric part of Noise, by hand, for handshakes that its own rules do not give.
struct Symmetric {
    chaining: [u8; 32],
    hash: [u8; 32],
    key: [u8; 32],
}

impl Symmetric {
    fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Sha256::new().chain_update(self.hash).chain_update(data).finalize().into();
    }

    fn mix_key(&mut self, input: &[u8]) {
        let mac = |key: &[u8], data: &[&[u8]]| -> [u8; 32] {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            data.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().into()
        };
        let extracted = mac(&self.chaining, &[input]);
        self.chaining = mac(&extracted, &[&[1]]);
        self.key = mac(&extracted, &[&self.chaining, &[2]]);
    }

    fn encrypt(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let cipher = ChaCha20Poly1305::new(&Key::from(self.key));
        let sealed = cipher
            .encrypt(&Nonce::from([0; 12]), Payload { msg: plaintext, aad: &self.hash })
            .unwrap();
        self.mix_hash(&sealed);
        sealed
    }
}

/// A first flight in the name of `claimed`, by someone who has the key of the responder, and of
/// `claimed` only what is public.
fn impersonated(responder: &DhSecret, claimed: &DhPublic) -> Vec<u8> {
    let name = *b"Noise_IK_25519_ChaChaPoly_SHA256";
    let mut state = Symmetric { chaining: name, hash: name, key: [0; 32] };
    let (own, stolen) = (StaticSecret::from([9; 32]), StaticSecret::from(*responder.expose()));
    state.mix_hash(&prologue(VERSION, SPEC, 2));
    state.mix_hash(responder.public().as_bytes());
    let ephemeral = PublicKey::from(&own);
    state.mix_hash(ephemeral.as_bytes());
    state.mix_key(own.diffie_hellman(&PublicKey::from(&stolen)).as_bytes());
    let sealed = state.encrypt(claimed.as_bytes());
    // Static-static: the responder's secret and the claimed key give it too.
    state.mix_key(stolen.diffie_hellman(&PublicKey::from(*claimed.as_bytes())).as_bytes());
    let tag = state.encrypt(&[]);
    [preamble(VERSION, 2, SPEC), ephemeral.as_bytes().to_vec(), sealed, tag].concat()
}

#[test]
fn attack_n3_stolen_channel_key() {
    run(async {
        // With the victim's key the first flight in operator 2's name looks genuine,
        let forged = impersonated(operator(1).noise(), &peer(2).noise);
        let (told, answer) = answer_to(&forged).await;
        assert_eq!((told, answer.len()), (Err(LinkError::Closed), 49));
        // but it does not lead to a channel: the next keys need operator 2's own,
        let confirmation = [&80u16.to_be_bytes()[..], &[5; 80]].concat();
        let (told, _) = answer_to(&[forged, confirmation].concat()).await;
        assert_eq!(told, Err(LinkError::Decrypt));
        // and without the victim's key there is not even a first flight.
        let (told, answer) = answer_to(&impersonated(operator(9).noise(), &peer(2).noise)).await;
        assert_eq!((told, answer), (Err(LinkError::Handshake), Vec::new()));
    });
    // Whatever a channel carries, a statement needs its sender's identity key.
    let mut scene = Scene::of_four();
    scene.run();
    let hello = scene.forgers[0].hello();
    let mut posed = hello.bytes().to_vec();
    posed[9] = 2;
    let told = scene.machines[0].receive(Frame::Statement(posed)).unwrap();
    assert_eq!(
        told.unwrap_err(),
        quorate::protocol::participant::Refused::Reject(Reject::Signature)
    );
}

fn confirmation(signer: &Operator, hash: &[u8], spec: Digest, index: u16) -> Vec<u8> {
    let signed = [hash, &[0], spec.as_ref(), &index.to_be_bytes()].concat();
    signer.key().sign(Tag::ChannelConfirm, &signed).to_vec()
}

/// Whoever has operator 2's channel key completes the handshake and says this.
async fn after_handshake(say: impl Fn(&[u8]) -> Vec<u8>) -> Option<LinkError> {
    let (mut a, b) = pipe();
    let saying = async {
        let (flight, mut handshake) = flight(&operator(2), &[]);
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
    let (responded, _open) =
        tokio::join!(respond(b, &called, |_| Some(&caller), secret(61)), saying);
    responded.err()
}

#[test]
fn attack_n4_channel_key_of_another() {
    run(async {
        let says = |signer: u8, spec: Digest, index: u16| {
            after_handshake(move |hash| confirmation(&operator(signer), hash, spec, index))
        };
        assert_eq!(says(2, SPEC, 2).await, None);
        for (signer, spec, index) in [(3, SPEC, 2), (2, Digest([8; 32]), 2), (2, SPEC, 3)] {
            assert_eq!(says(signer, spec, index).await, Some(LinkError::Confirmation));
        }
        // A key that is listed for somebody else is not the caller's.
        let (flight, _) = flight(&operator(3), &[]);
        assert_eq!(answer_to(&flight).await, (Err(LinkError::OtherKey { index: 2 }), Vec::new()));
    });
    // A card signature over another's channel key does not make a card.
    let (ours, theirs) = (operator(2).card(), operator(3).card());
    let taken = quorate::identity::OperatorCard::from_parts(
        ours.name,
        ours.key,
        theirs.noise,
        theirs.mark,
        *theirs.signature(),
    );
    assert_eq!(taken.err(), Some(quorate::identity::card::CardError::Signature));
}

type Middle = (
    FrameWriter<tokio::io::WriteHalf<DuplexStream>>,
    DuplexStream,
    DuplexStream,
    FrameReader<tokio::io::ReadHalf<DuplexStream>>,
);

/// A channel from operator 2 to operator 1 with someone between: what 2 writes arrives at the first
/// stream, 1 reads from the second.
async fn with_a_middle(ephemeral: u8) -> Middle {
    let ((a, mut left), (mut right, b)) = (pipe(), pipe());
    let (calling, called, callee, caller) = (local(2), local(1), peer(1), peer(2));
    let ends = async {
        let (a, b) = tokio::join!(
            initiate(a, &calling, &callee, secret(ephemeral)),
            respond(b, &called, |_| Some(&caller), secret(ephemeral + 1))
        );
        (a.unwrap(), b.unwrap().0)
    };
    let (initiator, responder) = tokio::select! {
        ends = ends => ends,
        _ = copy_bidirectional(&mut left, &mut right) => unreachable!("both ends are open"),
    };
    (initiator.into_frames(1000, LONG).1, left, right, responder.into_frames(1000, LONG).0)
}

async fn message(from: &mut DuplexStream) -> Vec<u8> {
    let length = from.read_u16().await.unwrap();
    let mut message = length.to_be_bytes().to_vec();
    message.resize(2 + usize::from(length), 0);
    from.read_exact(&mut message[2..]).await.unwrap();
    message
}

#[test]
fn attack_n5_spliced_channels() {
    run(async {
        // Two channels between the same two operators.
        let (mut writer, mut left, _right, _reader) = with_a_middle(80).await;
        let (_writer, _left, mut right, mut reader) = with_a_middle(90).await;
        writer.send(b"meant for the first channel").await.unwrap();
        right.write_all(&message(&mut left).await).await.unwrap();
        assert_eq!(reader.next().await, Err(LinkError::Decrypt));
    });
}

#[test]
fn attack_n6_cloned_process() {
    run(async {
        // The same secrets and the same messages so far: two copies of one process, with the same
        // keys and the same counter.
        let (mut one, mut left, mut right, mut reader) = with_a_middle(100).await;
        let (mut other, mut left_other, _right, _reader) = with_a_middle(100).await;
        one.send(b"first").await.unwrap();
        other.send(b"other").await.unwrap();
        let (first, second) = (message(&mut left).await, message(&mut left_other).await);
        assert_ne!(first, second);
        right.write_all(&first).await.unwrap();
        assert_eq!(reader.next().await, Ok(b"first".to_vec()));
        right.write_all(&second).await.unwrap();
        assert_eq!(reader.next().await, Err(LinkError::Decrypt), "a counter is used once");
    });
    let lints =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../clippy.toml")).unwrap();
    for forbidden in [
        "TransportState::set_receiving_nonce",
        "into_stateless_transport_mode",
        "TransportState::rekey_manually",
    ] {
        assert!(lints.contains(forbidden), "{forbidden} may not be called");
    }
}

#[test]
fn attack_n7_altered_channel() {
    run(async {
        for attack in 0..5 {
            let (mut writer, mut left, mut right, mut reader) = with_a_middle(110).await;
            for frame in [&b"first"[..], b"second", b"third"] {
                writer.send(frame).await.unwrap();
            }
            let (first, mut second, third) =
                (message(&mut left).await, message(&mut left).await, message(&mut left).await);
            right.write_all(&first).await.unwrap();
            assert_eq!(reader.next().await, Ok(b"first".to_vec()));
            match attack {
                0 => *second.last_mut().unwrap() ^= 1,
                1 => second[2] ^= 0x80,
                2 => second = first,
                3 => second = third.clone(),
                _ => second = [&40u16.to_be_bytes()[..], &[0x55; 40]].concat(),
            }
            right.write_all(&second).await.unwrap();
            right.write_all(&third).await.unwrap();
            assert_eq!(reader.next().await, Err(LinkError::Decrypt));
        }
        // A new channel carries on.
        let (mut writer, mut left, mut right, mut reader) = with_a_middle(120).await;
        writer.send(b"again").await.unwrap();
        right.write_all(&message(&mut left).await).await.unwrap();
        assert_eq!(reader.next().await, Ok(b"again".to_vec()));
    });
}

#[test]
fn attack_n8_low_order_keys() {
    let ceremony = machines(4, 3, TWO_VALIDATORS).remove(0).seat.ceremony;
    let noise = *ceremony.roster().get(index(2)).unwrap().card.noise.as_bytes();
    let at = ceremony.canonical().windows(32).position(|window| window == noise).unwrap();
    for (position, weak) in WEAK.iter().enumerate() {
        let key: [u8; 32] = hex::decode(weak).unwrap().try_into().unwrap();
        let reason = if position < 5 { DhKeyError::LowOrder } else { DhKeyError::NotCanonical };
        assert_eq!(DhPublic::from_bytes(key), Err(reason));
        // In a hello.
        let mut scene = Scene::of_four();
        scene.play(&mut |forger, round, sent| {
            if round == Round::Hello {
                sent.statement =
                    resigned(forger, &sent.statement, |body| body[96..128].copy_from_slice(&key));
            }
        });
        let why = match reason {
            DhKeyError::LowOrder => "an X25519 key of low order",
            DhKeyError::NotCanonical => "not the canonical encoding of an X25519 key",
        };
        let error = DecodeError::Invalid { what: "one-time key", why };
        scene.convicts(
            &Rule::Malformed { operator: index(3), round: Round::Hello, error },
            Class::E2,
            3,
        );
        if let 0 | 3 | 5 | 7 = position {
            told(&format!("N8-{position}"), &scene.dossier(), &[Code::V5, Code::V19], &[3]);
        }
        // In a card.
        let mut spec = ceremony.canonical().to_vec();
        spec[at..at + 32].copy_from_slice(&key);
        let source = quorate::identity::card::CardError::Noise(reason);
        let refused = Ceremony::from_canonical(&spec).unwrap_err();
        assert_eq!(refused, SpecError::Card { place: Place::operator(1, "card"), source });
        // As an ephemeral key of a channel.
        let (mut flight, _) = flight(&operator(2), &[]);
        flight[PREAMBLE..PREAMBLE + 32].copy_from_slice(&key);
        assert_eq!(run(answer_to(&flight)), (Err(LinkError::WeakKey(reason)), Vec::new()));
    }
}

#[test]
fn attack_n9_hostile_lengths() {
    run(async {
        for length in [0u16, 1, 16] {
            let (_writer, _left, mut right, mut reader) = with_a_middle(130).await;
            right.write_all(&[&length.to_be_bytes()[..], &[0; 16]].concat()).await.unwrap();
            assert_eq!(reader.next().await, Err(LinkError::MessageLength(usize::from(length))));
        }
        for announced in [1001, 1 << 16, (1 << 31) - 1] {
            let mut frames = quorate_operator::carrier::frame::Assembler::new(1000);
            let told = frames
                .push(&[&u32::try_from(announced).unwrap().to_be_bytes()[..], &[0; 8]].concat());
            assert_eq!(told.err(), Some(LinkError::FrameTooLong { announced, most: 1000 }));
        }
    });
    // What a frame may hold follows from the spec.
    let shape =
        quorate::message::shape::Shape::of(&machines(4, 3, TWO_VALIDATORS)[0].seat.ceremony);
    assert!(Frame::max_bytes(&shape) < 4096);
}

#[test]
fn attack_n10_other_preamble() {
    run(async {
        let meant = [
            (VERSION, SPEC, 2),
            (VERSION + 1, SPEC, 2),
            (VERSION, Digest([8; 32]), 2),
            (VERSION, SPEC, 3),
        ];
        for (position, (version, spec, initiator)) in meant.into_iter().enumerate() {
            let (flight, _) = flight_under(&prologue(version, spec, initiator), &operator(2), &[]);
            // The first one is as it should be; its caller leaves.
            let why = if position == 0 { LinkError::Closed } else { LinkError::Handshake };
            assert_eq!(answer_to(&flight).await.0, Err(why));
        }
        let (mut flight, _) = flight(&operator(2), &[]);
        flight[5] ^= 3;
        let theirs = VERSION ^ 3;
        assert_eq!(
            answer_to(&flight).await.0,
            Err(LinkError::OtherVersion { ours: VERSION, theirs })
        );
    });
}

#[test]
fn attack_n11_keys_stolen_afterwards() {
    let mut all = machines(4, 3, TWO_VALIDATORS);
    let mut recorded = Vec::new();
    run_machines(&mut all, &mut |_, _, frame| {
        if let Frame::ShareBox { dealer, recipient, sealed } = &frame {
            recorded.push((*dealer, *recipient, sealed.clone()));
        }
        honest(index(1), index(2), frame)
    });
    recorded.sort();
    recorded.dedup();
    assert_eq!(recorded.len(), 12);
    let session = all[0].participant().inbox().session().unwrap();
    let shape = quorate::message::shape::Shape::of(&all[0].seat.ceremony);
    let deals: Vec<Statement> = all[0].participant().inbox().complete(Round::Deal).unwrap();
    for (dealer, recipient, sealed) in recorded {
        let deal = quorate::message::body::Deal::decode(
            deals[dealer.position()].body(),
            &shape,
            deals[dealer.position()].envelope.sender,
        )
        .unwrap();
        let address = Address { session, dealer, recipient, root: deal.commitments.merkle_root() };
        // Everything that the operators keep for ever.
        for machine in &all {
            let stolen = machine.seat.operator.noise();
            assert_eq!(
                share_box::open(&address, stolen, &sealed, &shape).err(),
                Some(ShareBoxError::Sealed)
            );
            let identity =
                DhSecret::new(machine.seat.operator.key().prf(Tag::OneTimeKey, session.as_ref()));
            assert_eq!(
                share_box::open(&address, &identity, &sealed, &shape).err(),
                Some(ShareBoxError::Sealed)
            );
        }
    }
    for machine in &all {
        let gone = [
            RecordKind::Seed,
            RecordKind::OneTimeKeys,
            RecordKind::OwnShares,
            RecordKind::ReceivedBox,
        ];
        assert!(
            machine.log.iter().all(|(kind, _)| !gone.contains(kind)),
            "what would open them is erased"
        );
    }
    // The hellos name other keys than the operators' own.
    for statement in statements(&all[0]).iter().take(4) {
        let hello = Hello::decode(statement.body(), &shape, statement.envelope.sender).unwrap();
        assert!(
            all.iter()
                .all(|machine| !hello.one_time_keys.contains(&machine.seat.operator.card().noise))
        );
    }
}

#[test]
fn attack_n12_half_open_connections() {
    run(async {
        let timing = Timing {
            retry_first: Duration::from_millis(20),
            handshake: 10 * LONG,
            ..Timing::default()
        };
        let config = |me: u8, peers: Vec<Peer>| TcpConfig {
            session: Session::Ceremony(SPEC),
            me: u16::from(me),
            operator: operator(me),
            peers,
            listen: Some("127.0.0.1:0".into()),
            proxy: None,
            max_frame: 1000,
            random: Arc::new(move || secret(140 + me)),
            timing: timing.clone(),
        };
        let mut first = Tcp::start(config(1, vec![peer(2)])).await.unwrap();
        let address = first.local_address().unwrap().to_string();
        let mut held = Vec::new();
        for _ in 0..300 {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let _ = stream.write_all(b"QRTC").await;
            held.push(stream);
        }
        let mut second =
            Tcp::start(config(2, vec![Peer { address: Some(address), ..peer(1) }])).await.unwrap();
        while !matches!(second.next().await, Event::Up { peer: 1, .. }) {}
        while !matches!(first.next().await, Event::Up { peer: 2, .. }) {}
        // The oldest had to go; the rest still hold their places, and no more than those.
        let mut open = 0;
        for stream in &mut held {
            let closed =
                tokio::time::timeout(Duration::from_millis(1), stream.read(&mut [0; 1])).await;
            open += usize::from(closed.is_err());
        }
        assert!(open <= 128, "{open} are held");
    });
}
