//! What the fuzz targets share: one small ceremony, whose operators' keys are known, and parts of it to decode against.
#![allow(missing_docs)]

pub mod seeds;

use std::sync::{Arc, LazyLock};

use quorate::carrier::Peer;
use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::network::Network;
use quorate::ethereum::registration::Registration;
use quorate::export::launchpad::SignedRegistration;
use quorate::identity::{Operator, OperatorName};
use quorate::message::envelope::{Round, Statement, view_root};
use quorate::message::shape::Shape;
use quorate::message::share_box::Address;
use quorate::primitives::curve::{G2, SecretScalar};
use quorate::primitives::hash::{DST_ETHEREUM, Digest, Tag, secret_scalar, tagged};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::primitives::x25519::DhSecret;
use quorate::protocol::participant::{Entropy, Input, OwnSeat, Participant};
use quorate::spec::{Ceremony, CeremonyFile, Index};
use quorate::store::{CeremonyDir, CeremonyView, StateDir};

const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// The ceremony of `examples/devnet-custom.toml`: 3 of 4 operators, 2 validators, a registration for each.
pub static CEREMONY: LazyLock<Arc<Ceremony>> = LazyLock::new(|| {
    let text = include_str!("../../ceremony-specs/examples/devnet-custom.toml");
    Arc::new(Ceremony::try_from(CeremonyFile::parse_toml(text).expect("an example")).expect("an example"))
});

/// Its operators, whose keys come from published labels.
pub static OPERATORS: LazyLock<Vec<Arc<Operator>>> = LazyLock::new(|| NAMES.map(operator).to_vec());

pub static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::of(&CEREMONY));

fn operator(name: &str) -> Arc<Operator> {
    let mut entropy = tagged(Tag::BatchSeed, &[b"example", name.as_bytes()]).0;
    let name = OperatorName::parse(name).expect("a plain name");
    Arc::new(Operator::generate(name, Secret32::new(&mut entropy)))
}

/// 32 bytes from a label.
pub fn secret(label: &str) -> Secret32 {
    Secret32::new(&mut tagged(Tag::BatchSeed, &[b"fuzz", label.as_bytes()]).0)
}

pub fn index(number: u16) -> Index {
    Index::new(number).expect("1 to 255")
}

/// Where the boxes of the target and of its seeds belong.
pub fn box_address() -> Address {
    Address { session: Digest([1; 32]), dealer: index(2), recipient: index(1), root: Digest([2; 32]) }
}

/// The one-time secret that opens them.
pub fn box_secret() -> DhSecret {
    DhSecret::new(secret("one-time"))
}

/// The first operator, which has just said hello.
pub fn participant() -> Participant {
    let seat = OwnSeat::find(CEREMONY.clone(), OPERATORS[0].clone()).expect("alice has a seat");
    let entropy = || Entropy { seed: secret("seed"), nonce: *secret("nonce").expose(), extra: SecretBytes::new(Vec::new()) };
    Participant::start(seat, Vec::new(), entropy).expect("nothing to replay").0
}

/// The other operators, as the first one's carrier knows them.
pub static PEERS: LazyLock<Vec<Peer>> = LazyLock::new(|| {
    let peer = |(index, operator): (u16, &Arc<Operator>)| {
        let card = operator.card();
        Peer { index, name: card.name.to_string(), key: card.key, noise: card.noise, address: None }
    };
    (1..).zip(OPERATORS.iter()).skip(1).map(peer).collect()
});

/// A registration by a key that everybody knows.
pub fn registration() -> SignedRegistration {
    let key: SecretScalar = secret_scalar(Tag::BatchWeight, &[b"fuzz"]);
    let message = Registration {
        fee_recipient: ExecutionAddress::from_bytes([0x33; 20]).expect("not zero"),
        gas_limit: 36_000_000,
        timestamp: 1_742_213_400,
        pubkey: key.base_mult().expect("not zero").to_compressed(),
    };
    let root = message.signing_root(&Network::known("hoodi").expect("built in"));
    SignedRegistration { message, signature: key.sign(&G2::hash(&root, DST_ETHEREUM)).expect("not zero") }
}

/// Cuts `bytes` into inputs for a participant: a sender, a kind (a round, or 5 for a share box), and as many bytes as that takes, zeros where they
/// are missing. Every statement is signed by its sender, truthfully as to session and view.
pub fn next_input(of: &Participant, bytes: &mut &[u8]) -> Option<Input> {
    let ([sender, kind], rest) = bytes.split_first_chunk::<2>().map(|(head, rest)| (*head, rest))?;
    let (position, round) = (usize::from(sender % 4), Round::from_number(kind % 6));
    let length = round.map_or(SHAPE.box_bytes(), |round| SHAPE.body_bytes(round));
    let (given, rest) = rest.split_at(rest.len().min(length));
    *bytes = rest;
    let mut body = given.to_vec();
    body.resize(length, 0);
    let from = Index::from_position(position).expect("four seats");
    Some(match round {
        Some(round) => Input::Statement(sign(of, from, round, &body).bytes().to_vec()),
        None => Input::ShareBox { dealer: from, sealed: body },
    })
}

fn sign(of: &Participant, sender: Index, round: Round, body: &[u8]) -> Statement {
    let (session, view) = match round {
        Round::Hello => (CEREMONY.digest(), Digest::ZERO),
        _ => {
            let view: Vec<Digest> = body.as_chunks::<32>().0.iter().take(CEREMONY.n()).copied().map(Digest).collect();
            (of.inbox().session().unwrap_or(Digest::ZERO), view_root(&view))
        }
    };
    Statement::sign(OPERATORS[sender.position()].key(), sender, round, session, view, body)
}

/// A ceremony's directory in a temporary place, with a log that others cannot read.
pub struct Home {
    pub view: CeremonyView,
    _dir: CeremonyDir,
    _root: tempfile::TempDir,
}

pub static HOME: LazyLock<Home> = LazyLock::new(|| {
    let root = tempfile::tempdir().expect("a temporary directory");
    let state = StateDir::open_or_create(&root.path().join("state")).expect("a new directory");
    let dir = state.lock().and_then(|lock| lock.ceremony(&CEREMONY.digest())).expect("nobody else is here");
    drop(quorate::store::Log::create(&dir, &secret("storage"), CEREMONY.digest().as_bytes()).expect("a new log"));
    Home { view: dir.view().clone(), _dir: dir, _root: root }
});

/// The records of the log of the seeds: kind and body.
pub const RECORDS: &[(u8, &[u8])] = &[(1, &[7; 32]), (4, b"a statement"), (7, &[9; 64])];
