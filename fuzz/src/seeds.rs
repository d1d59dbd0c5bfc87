//! Fuzz seeds: small valid inputs for every target, from a whole ceremony with fixed randomness.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use quorate::ethereum::exit::VoluntaryExit;
use quorate::ethereum::registration::Registration;
use quorate::ethereum::ssv::{OwnerNonce, RsaPublic};
use quorate::export::launchpad::{write_preregistrations, write_registrations};
use quorate::message::complaint::{Abandon, Awaited, Claim, Complaint, Shown};
use quorate::message::envelope::{Round, Statement};
use quorate::message::minima::Minima;
use quorate::message::posting::Posting;
use quorate::message::probe::Probe;
use quorate::message::share_box;
use quorate::message::sync::Frame;
use quorate::message::without::Without;
use quorate::primitives::hash::{Digest, Tag, secret_scalar};
use quorate::primitives::hash::{secret_bytes, tagged};
use quorate::primitives::secret::SecretBytes;
use quorate::protocol::child::Child;
use quorate::protocol::participant::{Ask, Entropy, Input, OwnSeat, Participant, Step};
use quorate::protocol::record::{Record, RecordKind};
use quorate::signing::{Delivery, Item, Items, Purpose, Request, Terms};
use quorate::spec::pack::Pack;
use quorate::spec::packet::Packet;
use quorate::spec::{CeremonyFile, Index};
use quorate::transcript::container::Header;
use quorate::transcript::{container, stopped};
use quorate_operator::carrier::board::Name;
use quorate_operator::carrier::channel::{Local, Session, initiate};
use quorate_operator::store::{SealCost, seal_with_passphrase};

use super::reshared::Reshared;
use super::{
    CEREMONY, OPERATORS, PEERS, RECORDS, SHAPE, box_address, box_secret, index, preregistration,
    registration, secret, together,
};

/// An answer for everybody, with a signature that is none.
const PARTIAL: &str = r#"{"format":"quorate-partial","version":1,"request":"0000000000000000000000000000000000000000000000000000000000000000","operator":1,"partial":"0x000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000","signature":"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"}"#;
/// The same for the first of two validators.
const PARTIALS: &str = r#"{"format":"quorate-partial","version":2,"request":"0000000000000000000000000000000000000000000000000000000000000000","operator":1,"partials":["0x111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111",null],"signature":"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"}"#;
/// What a beacon node says of a list.
const BEACON_LIST: &str = r#"{"data":[{"index":"7","status":"active_ongoing","validator":{"pubkey":"0x000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000","withdrawal_credentials":"0x0100000000000000000000000000000000000000000000000000000000000000"}}]}"#;
/// What a beacon node says of a validator.
const BEACON: &str = r#"{"data":{"index":"7","status":"active_ongoing","validator":{"pubkey":"0x000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000","withdrawal_credentials":"0x0100000000000000000000000000000000000000000000000000000000000000"}}}"#;

/// One of Lido's keys, as its API gives it.
const LIDO_LIST: &str = r#"{"data":{"keys":[{"key":"0xabababababababababababababababababababababababababababababababababababababababababababababababab","depositSignature":"0xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","operatorIndex":1,"used":false,"moduleAddress":"0x9D4AF1Ee19Dad8857db3a45B0374c81c8A1C6320"}],"module":{}}}"#;
/// One of SSV's validators, as its API gives it.
const SSV_LIST: &str = r#"{"validators":[{"public_key":"abababababababababababababababababababababababababababababababababababababababababababababababab","owner_address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","operators":[{"id":4},{"id":1}],"status":"Active"}]}"#;
/// What a wallet has signed, with a text that is no policy's.
const ATTESTATIONS: &str = r#"{"format":"quorate-attestations","version":1,"main":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","members":[{"operator":1,"address":"0x2c7536e3605d9c16a7a3d7b1898e529396a65c23","message":"Some data","signature":"0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c"}]}"#;
/// A table of keys.
const TABLE: &str = "pubkey;used;operators\n0xabababababababababababababababababababababababababababababababababababababababababababababababab;no;\"1, 4\"\n";

/// The key of a user that the documentation of NATS shows.
const NATS_SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
/// An answer in chunks, behind one that is none yet.
const HTTP_CHUNKS: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\
    Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";

/// How a NATS server begins.
const NATS_GREETING: &[u8] = b"INFO {\"max_payload\":1048576}\r\nPING\r\nPONG\r\n-ERR 'x'\r\n";
/// What its JetStream says of a stream.
const NATS_LIST: &str = r#"{"total":1,"state":{"subjects":{"a.b":1}}}"#;

/// The example of EIP-778.
const NODE_RECORD: &str = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8";

/// A request for an exit, signed by the first operator.
fn request(delivery: Delivery) -> Request {
    let exit = VoluntaryExit { epoch: 0, validator_index: 7 };
    let digest = Digest([7; 32]);
    let request = Request {
        ceremony: CEREMONY.digest(),
        dkg: digest,
        outputs: digest,
        network: CEREMONY.network().name().to_owned(),
        items: Items::one([1; 48], Purpose::Exit(exit)),
        delivery,
        requester: None,
    };
    request.signed_by(&OPERATORS[0], Index::new(1).expect("not zero"))
}

/// A request for a deposit, whose answers are for an operator, not signed.
fn deposit_request() -> Request {
    let validator = &CEREMONY.validators()[0];
    let purpose =
        Purpose::Deposit { withdrawal_credentials: validator.withdrawal, amount: 8_000_000_000 };
    let request = request(Delivery::Custodian(Box::new(OPERATORS[1].card())));
    Request { items: Items::one([1; 48], purpose), requester: None, ..request }
}

/// A request for a registration, for everybody, signed by nobody.
fn registration_request() -> Request {
    let Registration { fee_recipient, gas_limit, timestamp, .. } = registration().message;
    let purpose = Purpose::Registration(Terms { fee_recipient, gas_limit, timestamp });
    let items = Items::one([1; 48], purpose);
    Request { items, requester: None, ..request(Delivery::Public) }
}

/// The same of two validators.
fn list(request: Request) -> Request {
    let first = *request.items.first();
    let purpose = match first.purpose {
        Purpose::Exit(exit) => Purpose::Exit(VoluntaryExit { validator_index: 8, ..exit }),
        other => other,
    };
    let items = vec![first, Item { public_key: [2; 48], purpose }];
    Request { items: Items::new(items).expect("two validators"), ..request }
}

/// A request for key shares of two validators, under keys that nobody has.
fn key_shares_request() -> Request {
    let Registration { fee_recipient: owner, .. } = registration().message;
    let key = |last: u8| {
        let mut modulus = [0x77; 256];
        (modulus[0], modulus[255]) = (0x81, last);
        RsaPublic::from_modulus(modulus).expect("an odd number of 2048 bits")
    };
    let keys = [1, 3, 5, 7].map(key).to_vec();
    let items = Items::key_shares(vec![[1; 48], [2; 48]], OwnerNonce { owner, nonce: 7 }, keys);
    let items = items.expect("two validators");
    Request { items, requester: None, ..request(Delivery::Public) }
}

/// An answer about key shares of one validator.
fn partial_with_shares() -> String {
    let digits = |count: usize| "1".repeat(count);
    format!(
        r#"{{"format":"quorate-partial","version":3,"request":"{}","operator":1,
            "partials":["0x{}"],"shares":[{{"encrypted":"0x{}","proof":"0x{}"}}],
            "signature":"{}"}}"#,
        digits(64),
        digits(192),
        digits(512),
        digits(512),
        digits(128)
    )
}

fn vectors(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("a file of vectors")
}

fn digits(text: &serde_json::Value) -> Vec<u8> {
    let digits = text.as_str().expect("a text").as_bytes();
    let pair = |two: &[u8; 2]| u8::from_str_radix(core::str::from_utf8(two).ok()?, 16).ok();
    digits.as_chunks().0.iter().map(pair).collect::<Option<_>>().expect("hexadecimal digits")
}

/// A request for the lock of a cluster.
fn lock_request() -> String {
    let requests = vectors(include_str!("../../test-vectors/requests/requests.json"));
    let mut cases = requests["cases"].as_array().expect("a list").iter();
    let lock = cases.find(|case| case["file"].get("cluster_lock").is_some());
    lock.expect("one of the vectors")["file"].to_string()
}

/// What the log holds of a request for an exit.
fn entry(request: &Request) -> Vec<u8> {
    let item = request.items.first();
    [&[1][..], &[3; 32], &item.public_key, &[0; 32], &request.canonical()].concat()
}

/// A file with a key and a JWT, as the tools of NATS write it.
fn nats_creds() -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\neyJ0.eyJq.c2ln\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{NATS_SEED}\n------END USER NKEY SEED------\n"
    )
}

/// What somebody notes of itself, without the digest behind it.
fn note(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len() - 32]
}

type Seed = (&'static str, String, Vec<u8>);

/// Target, file name, bytes.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add =
        |target, name: &str, bytes: &[u8]| seeds.push((target, name.to_owned(), bytes.to_vec()));

    add("card", "alice", OPERATORS[0].card().encode().as_bytes());
    add(
        "ceremony_toml",
        "devnet",
        include_bytes!("../../ceremony-specs/examples/devnet-custom.toml"),
    );
    add(
        "ceremony_toml",
        "gnosis",
        include_bytes!("../../ceremony-specs/examples/gnosis-partial-deposits.toml"),
    );
    add(
        "ceremony_json",
        "hoodi",
        include_bytes!("../../ceremony-specs/examples/hoodi-3-of-4.json"),
    );
    add("ceremony_canonical", "devnet", CEREMONY.canonical());
    let import = include_bytes!("../../test-vectors/import-ceremony/2-of-3.quorate");
    let imported = Header::parse(import).and_then(|header| header.ceremony(import));
    let imported = imported.expect("the transcript of an import");
    add(
        "ceremony_toml",
        "import",
        include_bytes!("../../test-vectors/import-ceremony/2-of-3.toml"),
    );
    add("ceremony_canonical", "import", imported.canonical());
    add("container", "import", import);
    add("audit", "import", import);
    let file = include_bytes!("../../ceremony-specs/examples/hoodi-3-of-4.toml").to_vec();
    let bob = Index::new(2).expect("an index");
    let packet = Packet::new(file, bob, Vec::new()).and_then(|packet| packet.encode());
    add("packet", "bob", &packet.expect("a packet"));
    add(
        "texts",
        "words",
        b"antenna march master tag dynamic mango cram category resemble panda evil ecology",
    );
    add("texts", "endpoint", b"[2001:db8::1]:3610");
    add("texts", "amount", b"0.03125");
    add("texts", "address", b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    add(
        "deposit_file",
        "hoodi",
        include_bytes!("../../test-vectors/ethereum/deposits/hoodi-01.json"),
    );
    add(
        "keystore",
        "scrypt",
        include_bytes!("../../test-vectors/ethereum/keystores/hoodi-01-0.json"),
    );
    add("keystore", "pbkdf2", include_bytes!("../../test-vectors/ethereum/eip2335/test0.json"));
    add(
        "interchange",
        "eip-3076",
        include_bytes!("../../test-vectors/ethereum/interchange/eip-3076.json"),
    );
    add("interchange", "dirk", include_bytes!("../../test-vectors/ethereum/interchange/dirk.json"));
    add("registrations", "one", &write_registrations(&[registration()]));
    add("preregistrations", "one", &write_preregistrations(&[preregistration()]));
    add(
        "exit_file",
        "hoodi",
        include_bytes!("../../test-vectors/ethereum/exits/hoodi-1804776.json"),
    );
    add("attestations", "one", ATTESTATIONS.as_bytes());
    for name in Pack::names() {
        add("policy_pack", name, Pack::text(name).expect("built in").as_bytes());
    }
    add("registered", "beacon", BEACON_LIST.as_bytes());
    add("registered", "lido", LIDO_LIST.as_bytes());
    add("registered", "ssv", SSV_LIST.as_bytes());
    add("registered", "table", TABLE.as_bytes());
    add("request", "key-shares", &key_shares_request().to_json());
    add("request", "partial-key-shares", partial_with_shares().as_bytes());
    add("request", "exit", &request(Delivery::Public).to_json());
    add("request", "deposit-custodian", &deposit_request().to_json());
    add("request", "registration", &registration_request().to_json());
    add("request", "registrations", &list(registration_request()).to_json());
    add("request", "exits", &list(request(Delivery::Public)).to_json());
    add("request", "deposits-custodian", &list(deposit_request()).to_json());
    add("request", "partials", PARTIALS.as_bytes());
    let (lock, entry) = (lock_request(), entry(&request(Delivery::Public)));
    add("request", "lock", lock.as_bytes());
    add("request", "entry", &entry);
    let newest = vectors(include_str!("../../test-vectors/newest/answers.json"));
    add("request", "ask", &digits(&newest["ask"]));
    add("request", "ask-answered", &digits(&newest["answers"][1]["answer"]));
    add("request", "beacon-list", BEACON_LIST.as_bytes());
    add("request", "partial", PARTIAL.as_bytes());
    add("request", "beacon", BEACON.as_bytes());
    add("request", "frame-state", &[1, 0, 1, 0, 0, 1]);
    add("request", "frame-answer", &[&[2][..], &[0; 32], &[0, 1], &[0; 160]].concat());
    add("request", "frame-sealed", &[&[3][..], &[0; 32], &[0; 258]].concat());
    add(
        "obol",
        "definition",
        include_bytes!("../../test-vectors/obol/signed-v1.10.0.definition.json"),
    );
    add("obol", "lock-v1.8", include_bytes!("../../test-vectors/obol/signed-v1.8.0.lock.json"));
    add(
        "obol",
        "lock-v1.10-unsigned",
        include_bytes!("../../test-vectors/obol/unsigned-v1.10.0.lock.json"),
    );
    add(
        "obol",
        "lock-v1.11-compounding",
        include_bytes!("../../test-vectors/obol/signed-v1.11.0-compounding.lock.json"),
    );
    add("obol", "node-record", NODE_RECORD.as_bytes());
    add("ssv", "keyshares", include_bytes!("../../test-vectors/ssv-ceremony/keyshares.json"));
    add("ssv", "proofs", include_bytes!("../../test-vectors/ssv-ceremony/proofs.json"));
    add("ssv", "operators", include_bytes!("../../test-vectors/ssv-ceremony/operators_info.json"));
    add("ssv", "key-file", include_bytes!("../../test-vectors/ssv/encrypted_private_key.json"));
    add("ssv", "key-file-of-node", include_bytes!("../../test-vectors/ssv/node_key.json"));
    add("ssv", "private-key", include_bytes!("../../test-vectors/ssv/keys/01.pem"));
    add("channel", "preamble", &first_flight());
    // How the bytes become messages is the fuzzing library's affair; these are some to start from.
    add(
        "assembler",
        "bytes",
        &[&[0, 9, 1, 0, 0, 0, 5, 97, 98, 99, 100, 101][..], &[1; 20]].concat(),
    );

    add("note", "rejected", b"QBRJ\0\x01sixteen byte keyone markanother.");
    add("note", "backup", &[&b"QBNO\0\x01"[..], &[1; 16], &[2; 32], &[0, 1], &[3; 8]].concat());
    add("note", "restored", &[&b"QRST\0\x01"[..], &[1; 8], &[0; 32]].concat());
    let asked = [&b"QRAS\0\x01"[..], &[0, 0, 0, 1], b"?", &[0, 1], &[0, 0, 0, 2], b"no"];
    add("note", "asked", &asked.concat());
    add("log", "two-appends", &log());
    add("backup", "alice", include_bytes!("../../test-vectors/backup/alice.secret"));
    let plain = OPERATORS[0].to_secret_bytes();
    add("sealed", "plain", plain.expose());
    let cost = SealCost::new(10).expect("the least");
    let sealed = seal_with_passphrase(
        &plain,
        &SecretBytes::new(b"passphrase".to_vec()),
        "identity.sealed",
        cost,
        &mut ChaCha20Rng::from_seed([3; 32]),
    );
    // The target makes the checksum itself.
    add("sealed", "identity", &sealed[..sealed.len() - 8]);

    let shares = [1u8, 2].map(|v| secret_scalar(Tag::BatchWeight, &[&[v]]));
    add("share_box", "shares", share_box::encode_shares(&shares).expose());
    let sealed =
        share_box::seal(&box_address(), &box_secret().public(), &shares, secret("ephemeral"));
    add("share_box", "sealed", &sealed);

    add("http", "length", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    add("http", "chunks", HTTP_CHUNKS);
    add("credentials", "password", b"alice:pass:word");
    add("credentials", "token", b"token");
    add("credentials", "seed", NATS_SEED.as_bytes());
    add("credentials", "creds", nats_creds().as_bytes());
    add("nats", "greeting", NATS_GREETING);
    let listed = format!("MSG _INBOX.1.2 1 {}\r\n{NATS_LIST}\r\n", NATS_LIST.len());
    add("nats", "list", listed.as_bytes());
    add("nats", "nobody", b"HMSG _INBOX.1.2 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");

    let whole = &*WHOLE;
    let mut life = Vec::new();
    for (round, index) in
        Round::ALL.into_iter().flat_map(|round| CEREMONY.indices().map(move |index| (round, index)))
    {
        let statement = whole.alice.inbox().get(round, index).expect("a whole ceremony");
        let name = format!("round-{}", round.number());
        if index.get() == 2 {
            add("statement", &name, statement.bytes());
            add("bodies", &name, &[&[round.number()], statement.body()].concat());
            add("frame", &name, &Frame::Statement(statement.bytes().to_vec()).encode());
            // Of the second seat.
            add("posting", &name, &[&[5 + round.number()], statement.bytes()].concat());
            if round == Round::Deal {
                let boxes = vec![vec![0; SHAPE.box_bytes()]; CEREMONY.n() - 1];
                let posting = Posting::with_boxes(statement.clone(), boxes, &SHAPE);
                add("posting", "boxes", &[&[6], posting.encode().as_slice()].concat());
                add("posting", "name", Name::of(statement.bytes()).to_string().as_bytes());
            }
        }
        // The first operator speaks for itself.
        if index.get() != 1 {
            let sender = u8::try_from(index.position() - 1).expect("four seats");
            life.extend([&[sender, round.number()], statement.body()].concat());
            if round == Round::Deal {
                life.extend([&[sender, 5], whole.boxes[&index].as_slice()].concat());
            }
        }
    }
    add("participant", "life", &life);
    add("judge", "life", &life);
    let everybody = vec![Awaited { statement: true, share_box: true }; CEREMONY.n()];
    let (complaint, abandon) = (complaint(whole), Abandon { awaited: everybody });
    add("bodies", "complaint", &[&[5], complaint.encode().as_slice()].concat());
    add("bodies", "complaint-longer", &[&[5], complaint.encode().as_slice(), &[0; 4]].concat());
    add("bodies", "abandon", &[&[6], abandon.encode().as_slice()].concat());
    let minima = Minima { signed: vec![None; CEREMONY.v()] };
    add("bodies", "minima", &[&[7], minima.encode().as_slice()].concat());
    let seats = core::iter::once(index(4)).collect();
    let without = Without { certificate: Digest([1; 32]), seats };
    add("bodies", "without", &[&[8], without.encode(CEREMONY.n()).as_slice()].concat());
    add(
        "judge",
        "complaint",
        &[&life, [0, 6].as_slice(), &complaint.encode(), &[1, 7], &abandon.encode()].concat(),
    );
    add(
        "participant",
        "complaint",
        &[&life, [0, 6].as_slice(), &complaint.encode(), &[1, 7], &abandon.encode()].concat(),
    );
    add("judge_work", "crowd", &super::crowd::seed());
    add("stopped", "fault", &stopped::encode(&CEREMONY, whole.alice.inbox().statements().take(6)));
    add("frame", "have", &Frame::Have(whole.alice.have(true)).encode());
    let dealer = super::index(2);
    let recipient = super::index(1);
    add(
        "frame",
        "box",
        &Frame::ShareBox { dealer, recipient, sealed: whole.boxes[&dealer].clone() }.encode(),
    );
    add("frame", "done", &Frame::Done(whole.alice.done().expect("a whole ceremony")).encode());
    let probe = Probe::new(1_767_225_600, "0.1.0").expect("a probe");
    add("frame", "probe", &Frame::Probe(probe).encode());
    add("socks5", "connected", b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x0e\x1arest");
    add("frame", "want", &Frame::Want { dealer, recipient }.encode());
    let transcript =
        container::encode(&CEREMONY, whole.alice.inbox().statements()).expect("a whole ceremony");
    let repair = include_bytes!("../../test-vectors/repair/3-of-4.quorate");
    let read = container::Container::parse(repair).expect("a transcript");
    add("ceremony_canonical", "repair", read.ceremony().canonical());
    let alice = Index::new(1).expect("an index");
    for (number, round) in [(7, Round::Hello), (8, Round::Deal)] {
        let statement = read.statement(round, alice).expect("a helper's");
        add("bodies", &format!("repair-{number}"), &[&[number], &statement[172..]].concat());
    }
    add("container", "repair", repair);
    add("audit", "repair", repair);
    add("stopped", "repair", include_bytes!("../../test-vectors/repair/mask.quorate"));
    add("container", "complete", &transcript);
    add("audit", "complete", &transcript);
    super::reshared::with(|reshared| of_a_reshare(reshared, &mut add));
    seeds
}

/// What a reshare has otherwise.
fn of_a_reshare(reshared: &Reshared, add: &mut impl FnMut(&'static str, &str, &[u8])) {
    let file = CeremonyFile::parse_toml(&reshared.toml).expect("a well-formed file");
    add("ceremony_toml", "reshare", reshared.toml.as_bytes());
    add("ceremony_json", "reshare", &serde_json::to_vec(&file).expect("plain fields"));
    add("ceremony_canonical", "reshare", reshared.ceremony.canonical());
    add("container", "reshare", &reshared.transcript);
    add("audit", "reshare", &reshared.transcript);
    // In any order.
    add("family", "reshare", &together(&[&reshared.transcript, &reshared.parent]));
    let strangers = include_bytes!("../../test-vectors/import-ceremony/2-of-3.quorate");
    add("family", "unrelated", &together(&[&reshared.parent, strangers]));
    let child = Child::of(&reshared.ceremony).expect("a reshare");
    add("note", "child", note(&child.encode()));
    let participant = reshared.alice.participant();
    let inbox = participant.inbox();
    for round in Round::ALL {
        // Who deals and receives, who deals, who receives.
        for (place, seat) in [(0, 1), (1, 3), (2, 4)] {
            let Some(said) = inbox.get(round, super::index(seat)) else { continue };
            let what = place << 4 | round.number();
            add(
                "reshared",
                &format!("round-{}-seat-{seat}", round.number()),
                &typed(what, said.body()),
            );
        }
    }
    let minima = inbox.minima().next().expect("a dealer has stopped");
    add("reshared", "minima", &typed(7, minima.body()));
    add("reshared", "have", &typed(6, &Frame::Have(participant.have(true)).encode()));
}

/// What the target's first byte says, and the rest.
fn typed(what: u8, bytes: &[u8]) -> Vec<u8> {
    [&[what], bytes].concat()
}

/// What the first operator has when all is over, and the boxes that it received.
pub struct Whole {
    pub alice: Participant,
    pub boxes: BTreeMap<Index, Vec<u8>>,
}

/// The ceremony of the seeds.
pub static WHOLE: LazyLock<Whole> = LazyLock::new(play);

/// A complaint of the second operator about the third's box, with a secret and a box that are not
/// theirs.
fn complaint(whole: &Whole) -> Complaint {
    let view = CEREMONY
        .indices()
        .filter_map(|index| whole.alice.inbox().get(Round::Deal, index))
        .map(Statement::digest);
    let sealed = whole.boxes[&super::index(3)].clone();
    Complaint {
        view: view.collect(),
        dealer: super::index(3),
        claim: Claim::Mismatch { validator: 1 },
        shown: Shown::Box { opened: [7; 32], sealed },
    }
}

/// Plays the ceremony: everybody hears everything, in order.
fn play() -> Whole {
    let mut logs: Vec<Vec<Record>> = Vec::new();
    let mut participants: Vec<Participant> = Vec::new();
    for (i, operator) in OPERATORS.iter().enumerate() {
        let seat = OwnSeat::find(CEREMONY.clone(), operator.clone()).expect("a seat");
        let own = |what: &str| if i == 0 { secret(what) } else { secret(&format!("{what} {i}")) };
        let entropy = || Entropy {
            seed: own("seed"),
            nonce: *own("nonce").expose(),
            extra: SecretBytes::new(Vec::new()),
        };
        let (participant, step) =
            Participant::start(seat, Vec::new(), entropy).expect("nothing to replay");
        participants.push(participant);
        logs.push(step.persist);
    }
    let mut boxes = BTreeMap::new();
    for _ in 0..8 {
        for from in 0..participants.len() {
            for to in (0..participants.len()).filter(|to| *to != from) {
                let have = participants[to].have(true);
                let peer = participants[to].seat().me;
                for frame in participants[from].lacking(peer, &have) {
                    let input = match frame {
                        Frame::Statement(bytes) => Input::Statement(bytes),
                        Frame::ShareBox { dealer, sealed, .. } => {
                            if to == 0 {
                                boxes.insert(dealer, sealed.clone());
                            }
                            Input::ShareBox { dealer, sealed }
                        }
                        Frame::Have(_) | Frame::Want { .. } | Frame::Done(_) | Frame::Probe(_) => {
                            continue;
                        }
                    };
                    if let Ok(step) = participants[to].handle(input) {
                        carry_out(&mut participants[to], &mut logs[to], step);
                    }
                }
            }
        }
    }
    let alice = participants.swap_remove(0);
    assert!(alice.is_finished(), "an honest ceremony ends");
    Whole { alice, boxes }
}

/// Does what a step asks for, with a log that never fails.
pub fn carry_out(participant: &mut Participant, log: &mut Vec<Record>, step: Step) {
    log.extend(step.persist);
    log.retain(|record| !step.erase.contains(&record.kind));
    for ask in step.asks {
        let input = match ask {
            Ask::Reread(kind) => Input::Reread(bodies(log, kind)),
            Ask::Stage => Input::Staged,
            Ask::WriteOut => continue,
        };
        let next = participant.handle(input).expect("an answer to what was asked");
        carry_out(participant, log, next);
    }
}

fn bodies(log: &[Record], kind: RecordKind) -> Vec<SecretBytes> {
    log.iter()
        .filter(|record| record.kind == kind)
        .map(|record| SecretBytes::new(record.body.expose().to_vec()))
        .collect()
}

/// What the second operator sends when it calls the first.
fn first_flight() -> Vec<u8> {
    use tokio::io::AsyncReadExt;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let local = Local {
        session: Session::Ceremony(CEREMONY.digest()),
        index: 2,
        operator: OPERATORS[1].clone(),
    };
    let mut alice = PEERS[0].clone();
    (alice.index, alice.key, alice.noise) = (1, OPERATORS[0].card().key, OPERATORS[0].card().noise);
    runtime.block_on(async {
        let (caller, mut answerer) = tokio::io::duplex(1 << 16);
        let mut flight = vec![0; 42 + 96];
        let call = initiate(caller, &local, &alice, secret("caller"));
        tokio::select! {
            _ = call => unreachable!("nobody answers"),
            read = answerer.read_exact(&mut flight) => { read.expect("a whole flight"); }
        }
        flight
    })
}

/// A log in the layout of chapter 09, section 9.3, written by hand: the first record alone, the
/// other two together.
fn log() -> Vec<u8> {
    use chacha20poly1305::aead::{Aead, KeyInit, Payload};
    use chacha20poly1305::{XChaCha20Poly1305, XNonce};
    let (digest, salt) = (CEREMONY.digest(), [5; 32]);
    let key = secret_bytes(
        Tag::StorageKey,
        &[b"log.sealed", secret("storage").expose(), &salt, digest.as_ref()],
    );
    let check = tagged(Tag::StorageKey, &[b"log.sealed check", key.expose()]);
    let mut header = [b"QLOG\x01".as_slice(), &salt, digest.as_ref(), check.as_ref()].concat();
    header.resize(4096, 0);
    let mut records = Vec::new();
    for (number, (kind, body)) in (0u64..).zip(RECORDS) {
        let last = u8::from(number != 1);
        let plain = [body, [*kind, last].as_slice()].concat();
        let nonce = [u8::try_from(number).expect("three records"); 24];
        let aad = [b"log.sealed\x01".as_slice(), digest.as_ref(), &number.to_be_bytes()].concat();
        let cipher = XChaCha20Poly1305::new(key.expose().into());
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: &plain, aad: &aad })
            .expect("a short record");
        let length = u32::try_from(24 + sealed.len()).expect("a short record");
        records.extend([length.to_be_bytes().as_slice(), &nonce, &sealed].concat());
    }
    let length = u64::try_from(3 * 4096 + records.len()).expect("a short log").to_be_bytes();
    let mut mark = [
        length.as_slice(),
        tagged(Tag::StorageKey, &[b"log.sealed mark", key.expose(), &length]).as_ref(),
    ]
    .concat();
    mark.resize(4096, 0);
    [header, mark, vec![0; 4096], records].concat()
}
