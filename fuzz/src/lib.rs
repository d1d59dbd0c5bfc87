//! Shared by the fuzz targets: one small ceremony with known operator keys, and parts of it for
//! decoders that need context.
#![allow(missing_docs)]

pub mod crowd;

pub mod reshared;

pub mod seeds;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::sync::{Arc, LazyLock};

use quorate::ethereum::address::ExecutionAddress;
use quorate::ethereum::deposit::WithdrawalCredentials;
use quorate::ethereum::network::Network;
use quorate::ethereum::preregistration::{Draft, Preregistration};
use quorate::ethereum::registration::Registration;
use quorate::export::launchpad::{SignedPreregistration, SignedRegistration};
use quorate::identity::{Operator, OperatorName};
use quorate::message::envelope::{ENVELOPE_BYTES, Kind, Round, Statement, session_id, view_root};
use quorate::message::shape::Shape;
use quorate::message::share_box::Address;
use quorate::primitives::curve::{G2, SecretScalar};
use quorate::primitives::hash::{DST_ETHEREUM, Digest, Tag, secret_scalar, tagged};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::primitives::x25519::DhSecret;
use quorate::protocol::participant::{Entropy, OwnSeat, Participant, Step};
use quorate::spec::kind::Parts;
use quorate::spec::seats::Seats;
use quorate::spec::{Ceremony, CeremonyFile, CeremonyKind, Index};
use quorate_operator::carrier::Peer;
use quorate_operator::store::{CeremonyDir, CeremonyView, StateDir};

const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// The ceremony of `examples/devnet-custom.toml`: 3 of 4 operators, 2 validators, a registration
/// for each.
pub static CEREMONY: LazyLock<Arc<Ceremony>> = LazyLock::new(|| {
    let text = include_str!("../../ceremony-specs/examples/devnet-custom.toml");
    Arc::new(
        Ceremony::try_from(CeremonyFile::parse_toml(text).expect("an example"))
            .expect("an example"),
    )
});

/// Its operators, whose keys come from published labels.
pub static OPERATORS: LazyLock<Vec<Arc<Operator>>> = LazyLock::new(|| NAMES.map(operator).to_vec());

pub static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::of(&CEREMONY));

/// A repair with three helpers, the first three, and two validators.
pub static REPAIR: LazyLock<Shape> = LazyLock::new(|| Shape {
    kind: CeremonyKind::Repair,
    items: 0,
    parts: Parts {
        dealers: Seats::first(3),
        receivers: [index(4)].into_iter().collect(),
        witnesses: Seats::default(),
    },
    ..*SHAPE
});

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
    Address {
        session: Digest([1; 32]),
        dealer: index(2),
        recipient: index(1),
        root: Digest([2; 32]),
    }
}

/// The one-time secret that opens them.
pub fn box_secret() -> DhSecret {
    DhSecret::new(secret("one-time"))
}

/// The first operator, which has just said hello, and what it wants kept.
pub fn participant() -> (Participant, Step) {
    let seat = OwnSeat::find(CEREMONY.clone(), OPERATORS[0].clone()).expect("alice has a seat");
    let entropy = || Entropy {
        seed: secret("seed"),
        nonce: *secret("nonce").expose(),
        extra: SecretBytes::new(Vec::new()),
    };
    Participant::start(seat, Vec::new(), entropy).expect("nothing to replay")
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
    SignedRegistration {
        message,
        signature: key.sign(&G2::hash(&root, DST_ETHEREUM)).expect("not zero"),
    }
}

/// The same for a preregistration, to an address that a deposit may have.
pub fn preregistration() -> SignedPreregistration {
    let key: SecretScalar = secret_scalar(Tag::BatchWeight, &[b"fuzz"]);
    let address = ExecutionAddress::from_bytes([0x33; 20]).expect("not zero");
    let message = Preregistration {
        pubkey: key.base_mult().expect("not zero").to_compressed(),
        withdrawal_credentials: WithdrawalCredentials::compounding(address),
    };
    let network = Network::known("hoodi").expect("built in");
    let root = message.signing_root(&network, Draft::NEWEST);
    SignedPreregistration {
        message,
        signature: key.sign(&G2::hash(&root, DST_ETHEREUM)).expect("not zero"),
    }
}

/// Several files in the fuzzer's bytes, each behind its length in four bytes; what is missing at
/// the end is cut off.
pub fn several(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (file, after) = rest.split_at(rest.len().min(length));
        files.push(file);
        bytes = after;
    }
    files
}

/// The bytes in which these files are found.
pub fn together(files: &[&[u8]]) -> Vec<u8> {
    let length = |file: &[u8]| u32::try_from(file.len()).expect("a small file").to_be_bytes();
    files.iter().flat_map(|file| [&length(file)[..], file].concat()).collect()
}

/// What `next` cuts from the fuzzer's bytes.
pub enum Cut {
    /// A statement, signed by its sender.
    Statement(Statement),
    /// A share box.
    ShareBox { dealer: Index, sealed: Vec<u8> },
}

/// Cuts a sender (never the first operator), a kind (a round; 5: a share box, 6: a complaint, 7: an
/// abandonment) and as many bytes as that takes, zeros where they are missing. Statements are
/// signed for `session`, with the view root of their own view; a kind of 128 and more signs a deal
/// for the session that its own view makes.
pub fn next(session: Digest, bytes: &mut &[u8]) -> Option<Cut> {
    let ([sender, kind], rest) =
        bytes.split_first_chunk::<2>().map(|(head, rest)| (*head, rest))?;
    let from = Index::from_position(1 + usize::from(sender % 3)).expect("four seats");
    let (kind, round) = match kind & 7 {
        5 => (None, Round::Deal),
        6 => (Some(Kind::Complaint), Round::Prepare),
        7 => (Some(Kind::Abandon), Round::Deal),
        round => (Some(Kind::Ordinary), Round::from_number(round).expect("0 to 4")),
    };
    let statement = |kind| SHAPE.bytes_of(from, kind, round).expect("every seat may say it");
    let length = kind.map_or(SHAPE.box_bytes(), |kind| statement(kind) - ENVELOPE_BYTES);
    let (given, after) = rest.split_at(rest.len().min(length));
    let own_session = bytes[1] >= 128 && round == Round::Deal;
    *bytes = after;
    let mut body = given.to_vec();
    body.resize(length, 0);
    let Some(kind) = kind else { return Some(Cut::ShareBox { dealer: from, sealed: body }) };
    let view: Vec<Digest> =
        body.as_chunks::<32>().0.iter().take(CEREMONY.n()).copied().map(Digest).collect();
    let (session, view) = match (kind, round) {
        (Kind::Abandon, _) | (_, Round::Hello) => (CEREMONY.digest(), Digest::ZERO),
        (Kind::Ordinary, Round::Deal) if own_session => {
            (session_id(&CEREMONY, &view), view_root(&view))
        }
        _ => (session, view_root(&view)),
    };
    let key = OPERATORS[from.position()].key();
    Some(Cut::Statement(Statement::sign_kind(kind, key, from, round, session, view, &body)))
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
    let dir = state
        .lock()
        .and_then(|lock| lock.ceremony(&CEREMONY.digest()))
        .expect("nobody else is here");
    drop(
        quorate_operator::store::Log::create(
            &dir,
            &secret("storage"),
            CEREMONY.digest().as_bytes(),
        )
        .expect("a new log"),
    );
    Home { view: dir.view().clone(), _dir: dir, _root: root }
});

/// A directory in a temporary place, whose notes others write.
pub struct Notes {
    pub state: StateDir,
    _root: tempfile::TempDir,
}

pub static NOTES: LazyLock<Notes> = LazyLock::new(|| {
    let root = tempfile::tempdir().expect("a temporary directory");
    let state = StateDir::open_or_create(&root.path().join("state")).expect("a new directory");
    Notes { state, _root: root }
});

impl Notes {
    /// Writes a note in the place of what is there.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.state.path().join(name);
        let folder = path.parent().expect("a file");
        let private = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let open =
            || OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = private.and_then(|()| open()).and_then(|mut file| file.write_all(bytes));
        written.expect("a temporary directory");
    }
}

/// The records of the log of the seeds: kind and body.
pub const RECORDS: &[(u8, &[u8])] = &[(1, &[7; 32]), (4, b"a statement"), (7, &[9; 64])];
