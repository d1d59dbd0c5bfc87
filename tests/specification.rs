//! Checks that the specification in `ceremony-specs/` describes the program: its lists are the
//! program's lists, and its known answers are reproduced. If a row differs, the failure prints the
//! correct row.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use quorate::audit::code::Code;
use quorate::audit::report::Verdict;
use quorate::ethereum::network::Network;
use quorate::identity::{Operator, OperatorName};
use quorate::message::done::Done;
use quorate::message::envelope::{ENVELOPE_BYTES, Kind, Round};
use quorate::message::probe::Probe;
use quorate::message::shape::Shape;
use quorate::message::share_box::ShareBoxError;
use quorate::message::sync::Frame;
use quorate::primitives::codec::DecodeError;
use quorate::primitives::curve::{G2, Scalar, SecretScalar};
use quorate::primitives::hash::{
    DST_ETHEREUM, DST_POSSESSION, Tag, merkle_root, scalar, tagged, weight,
};
use quorate::primitives::noise::{box_len, seal_box};
use quorate::primitives::secret::{Secret32, SecretBytes};
use quorate::primitives::x25519::DhSecret;
use quorate::protocol::evidence::{Certainty, Class, Rule};
use quorate::protocol::record::RecordKind;
use quorate::spec::canonical::fingerprint;
use quorate::spec::kind::Parts;
use quorate::spec::packet::{LONGEST_FRONT, Packet};
use quorate::spec::seats::Seats;
use quorate::spec::{Ceremony, CeremonyFile, CeremonyKind, Version};
use quorate::spec::{Index, rehearsal};

fn chapter(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ceremony-specs").join(name))
        .unwrap()
}

/// The cells of every table row of `section`, up to the next heading; header and rule left out.
fn table(chapter: &str, section: &str) -> Vec<Vec<String>> {
    let (_, after) =
        chapter.split_once(section).unwrap_or_else(|| panic!("no section {section:?}"));
    let end = after.find("\n#").unwrap_or(after.len());
    let rows = after[..end].lines().filter(|line| line.starts_with('|'));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip_while(|line| !line.starts_with("|--"))
        .filter(|line| !line.starts_with("|--"))
        .map(cells)
        .collect()
}

fn code(cell: &str) -> &str {
    cell.trim_matches('`')
}

/// Compares a table of two columns with what was computed, in order.
fn assert_rows(found: &[Vec<String>], expected: &[(&str, String)]) {
    let found: Vec<String> =
        found.iter().map(|cells| format!("| {} |", cells.join(" | "))).collect();
    let expected: Vec<String> =
        expected.iter().map(|(name, value)| format!("| {name} | `{value}` |")).collect();
    assert_eq!(found, expected, "the table should be:\n{}\n", expected.join("\n"));
}

#[test]
fn every_tag_is_in_the_table_and_every_row_is_a_tag() {
    let text = chapter("01-notation-and-primitives.md");
    let rows = table(&text, "\n## 1.2 ");
    let listed: BTreeSet<&str> = rows.iter().map(|row| code(&row[0])).collect();
    assert_eq!(listed.len(), rows.len(), "a tag stands twice");
    assert_eq!(listed, Tag::ALL.iter().map(|tag| tag.text()).collect());
}

#[test]
fn every_check_of_the_audit_is_in_the_table_and_every_row_is_one() {
    let text = chapter("08-transcript-and-audit.md");
    // Two tables: the header of the second is a row here.
    let rows = table(&text, "\n## 8.2 ");
    let listed: Vec<&str> =
        rows.iter().map(|row| code(&row[0])).filter(|cell| *cell != "code").collect();
    assert_eq!(listed, Code::ALL.iter().map(|code| code.text()).collect::<Vec<_>>());
}

#[test]
fn every_verdict_of_the_audit_is_in_the_table() {
    let rows = table(&chapter("08-transcript-and-audit.md"), "\n## 8.3 ");
    let listed: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let words = [
        Verdict::Verified,
        Verdict::Sound,
        Verdict::Statements,
        Verdict::Unlinked,
        Verdict::Failed,
    ];
    assert_eq!(listed, words.map(Verdict::word));
}

#[test]
fn known_answers_of_the_primitives() {
    let answers = [
        ("`TH(\"spec\", \"abc\")`", tagged(Tag::Spec, &[b"abc"]).to_string()),
        ("`TH(\"spec\", \"ab\", \"c\")`", tagged(Tag::Spec, &[b"ab", b"c"]).to_string()),
        ("`TH(\"node\")`", tagged(Tag::Node, &[]).to_string()),
        (
            "`HS(\"batch-weight\", \"abc\")`",
            hex::encode(scalar(Tag::BatchWeight, &[b"abc"]).to_be_bytes()),
        ),
        ("`HW(\"rho\", \"abc\")`", hex::encode(weight(Tag::Rho, &[b"abc"]).to_be_bytes())),
        ("`M(l1, l2, l3)`, `l1` = `TH(\"leaf\", \"1\")` and so on", {
            merkle_root(&[b"1", b"2", b"3"].map(|leaf| tagged(Tag::Leaf, &[leaf]))).to_string()
        }),
        ("SHA-256 of `G` in 96 bytes", {
            let one = SecretScalar::from_be_bytes(&Scalar::one().to_be_bytes())
                .unwrap()
                .base_mult()
                .unwrap();
            hex::encode(quorate::primitives::hash::sha256(&[&one.to_uncompressed()]))
        }),
        (
            "`H2(\"abc\", possession DST)`, 96 bytes",
            hex::encode(G2::hash(b"abc", DST_POSSESSION).to_compressed()),
        ),
        (
            "`H2(\"abc\", Ethereum DST)`, 96 bytes",
            hex::encode(G2::hash(b"abc", DST_ETHEREUM).to_compressed()),
        ),
        (
            "`box(32)`, `box(65472)`, `box(65473)`",
            format!("{}, {}, {}", box_len(32), box_len(65472), box_len(65473)),
        ),
        (
            "box to the key of secret `01` × 32, prologue `\"abc\"`, payload `02` × 32, ephemeral \
             secret `03` × 32",
            {
                let key = DhSecret::new(Secret32::new(&mut [1; 32])).public();
                let ephemeral = Secret32::new(&mut [3; 32]);
                hex::encode(seal_box(&key, b"abc", &SecretBytes::new(vec![2; 32]), ephemeral))
            },
        ),
    ];
    assert_rows(&table(&chapter("01-notation-and-primitives.md"), "\n## 1.10 "), &answers);
}

#[test]
fn known_answer_of_the_card() {
    let mut entropy = tagged(Tag::BatchSeed, &[b"test", b"operator alice"]).0;
    let operator =
        Operator::generate(OperatorName::parse("alice").unwrap(), Secret32::new(&mut entropy));
    let card = operator.card();
    let answers = [
        ("operator key", card.key.to_string()),
        ("Noise static", hex::encode(card.noise.as_bytes())),
        ("install mark", hex::encode(card.mark.unwrap().0)),
        ("card signature", hex::encode(card.signature())),
        ("card", card.encode()),
        ("short form of the key", card.key.short().to_string()),
        ("short form of the card", card.short().to_string()),
    ];
    assert_rows(&table(&chapter("03-identity.md"), "\n## 3.6 "), &answers);
}

#[test]
fn networks_are_the_programs() {
    let expected: Vec<Vec<String>> = Network::known_names()
        .map(|name| {
            let network = Network::known(name).unwrap();
            vec![
                format!("`{name}`"),
                format!("`{}`", hex::encode(network.genesis_fork_version())),
                format!("`{}`", hex::encode(network.capella_fork_version().unwrap())),
                format!("`{}`", hex::encode(network.genesis_validators_root())),
                network.genesis_time().unwrap().to_string(),
                network.unit().to_string(),
            ]
        })
        .collect();
    assert_eq!(table(&chapter("02-ceremony-spec.md"), "\n## 2.3 "), expected);
}

#[test]
fn known_answer_of_the_ceremony() {
    let ceremony = Ceremony::try_from(
        CeremonyFile::parse_toml(&chapter("examples/hoodi-3-of-4.toml")).unwrap(),
    )
    .unwrap();
    let canonical = ceremony.canonical();
    let answers = [
        ("length of the canonical bytes", canonical.len().to_string()),
        ("their first 64 bytes", hex::encode(&canonical[..64])),
        ("ceremony digest", ceremony.digest().to_string()),
        ("fingerprint", fingerprint(&ceremony.digest()).join(" ")),
    ];
    assert_rows(&table(&chapter("02-ceremony-spec.md"), "\n## 2.6 "), &answers);
}

#[test]
fn known_answer_of_the_rehearsal() {
    let file = CeremonyFile::parse_toml(&chapter("examples/hoodi-3-of-4.toml")).unwrap();
    let ceremony = Ceremony::try_from(file).unwrap();
    let rehearsed = rehearsal::of(&ceremony, "first try").unwrap();
    let answers = [
        ("id", hex::encode(rehearsed.id())),
        ("length of the canonical bytes", rehearsed.canonical().len().to_string()),
        ("their first 64 bytes", hex::encode(&rehearsed.canonical()[..64])),
        ("digest", rehearsed.digest().to_string()),
    ];
    assert_rows(&table(&chapter("18-rehearsal.md"), "\n## 18.4 "), &answers);
}

/// Sections 18.5 to 18.7: of a ceremony of each other kind, whose file a vector has.
#[test]
fn known_answers_of_the_rehearsals_of_other_kinds() {
    for (heading, vector) in [
        ("\n## 18.5 ", "reshare/grow.json"),
        ("\n## 18.6 ", "import/stays.json"),
        ("\n## 18.7 ", "repair/file.json"),
    ] {
        let text = std::fs::read_to_string(format!("test-vectors/{vector}")).unwrap();
        let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
        let file = CeremonyFile::parse(&vector["file"].to_string()).unwrap();
        let ceremony = Ceremony::try_from(file).unwrap();
        let rehearsed = rehearsal::of(&ceremony, "first try").unwrap();
        let spec = rehearsed.reshare().unwrap();
        let mut answers = vec![("id", hex::encode(rehearsed.id()))];
        if let Some(parent) = spec.origin.parent() {
            answers.push(("root of the parent's rows", parent.rows.to_string()));
        }
        answers.extend([
            ("first key", hex::encode(spec.validators[0].key)),
            ("length of the canonical bytes", rehearsed.canonical().len().to_string()),
            ("digest", rehearsed.digest().to_string()),
        ]);
        assert_rows(&table(&chapter("18-rehearsal.md"), heading), &answers);
    }
}

#[test]
fn known_answers_of_frames() {
    let file = CeremonyFile::parse_toml(&chapter("examples/hoodi-3-of-4.toml")).unwrap();
    let ceremony = Ceremony::try_from(file).unwrap();
    let mut entropy = tagged(Tag::BatchSeed, &[b"example", b"alice"]).0;
    let alice =
        Operator::generate(OperatorName::parse("alice").unwrap(), Secret32::new(&mut entropy));
    let certificate = tagged(Tag::Certificate, &[b"abc"]);
    let done = Done::sign(alice.key(), Index::new(1).unwrap(), &ceremony, certificate);
    assert!(done.verifies(&ceremony));
    let probe = Probe::new(1_767_225_600, "0.1.0").unwrap();
    let answers = [
        ("certificate", certificate.to_string()),
        ("frame of a done", hex::encode(Frame::Done(done).encode())),
        (
            "frame of a probe: time 1767225600, version `0.1.0`",
            hex::encode(Frame::Probe(probe).encode()),
        ),
    ];
    assert_rows(&table(&chapter("06-channel.md"), "\n## 6.6 "), &answers);
}

#[test]
fn known_answer_of_the_packet() {
    let file = chapter("examples/hoodi-3-of-4.toml").into_bytes();
    let packet = Packet::new(file, Index::new(2).unwrap(), Vec::new()).unwrap();
    let bytes = packet.encode().unwrap();
    let answers =
        [("length", bytes.len().to_string()), ("its first 109 bytes", hex::encode(&bytes[..109]))];
    // Behind the table of the layout.
    let text = chapter("02-ceremony-spec.md");
    assert_rows(&table(&text, "The packet of operator 2"), &answers);
    assert!(text.contains(&format!("of at most {LONGEST_FRONT} bytes")));
}

#[test]
fn sizes_of_statements() {
    let kind = CeremonyKind::Dkg;
    let parts = Parts::all(4);
    let version = Version::CURRENT;
    let shape = Shape { version, kind, n: 4, t: 3, v: 2, items: 3, sealed: 0, lock: false, parts };
    let rows = table(&chapter("04-messages.md"), "\n## 4.4 ");
    let found: Vec<&str> = rows.iter().take(5).map(|row| row[3].as_str()).collect();
    for seat in (1..=4).map(|number| Index::new(number).unwrap()) {
        let owed = |round| shape.owes(seat, round).unwrap().to_string();
        assert_eq!(found, Round::ALL.map(owed));
    }
    assert_eq!(ENVELOPE_BYTES, 172);
    // The sum of section 4.8.
    let (n, t, v, items) = (shape.n, shape.t, shape.v, shape.items);
    let all: usize =
        shape.slots().map(|(round, seat)| shape.statement_bytes(seat, round).unwrap()).sum();
    assert_eq!(all, n * (5 * ENVELOPE_BYTES + 356 + 192 * n + 96 * v * t + 192 * items));
}

/// Four seats, of which the first three deal and the last three receive.
#[test]
fn sizes_of_statements_of_a_reshare() {
    let seat = |number| Index::new(number).unwrap();
    let parts = Parts {
        dealers: [1, 2, 3].map(seat).into_iter().collect(),
        receivers: [2, 3, 4].map(seat).into_iter().collect(),
        witnesses: Seats::default(),
    };
    let (kind, version) = (CeremonyKind::Reshare, Version::CURRENT);
    let shape = Shape { version, kind, n: 4, t: 2, v: 2, items: 0, sealed: 0, lock: false, parts };
    let rows = table(&chapter("14-reshare-rounds.md"), "\n## 14.2 ");
    for (column, number) in [(3, 1), (4, 2), (5, 4)] {
        let found: Vec<&str> = rows.iter().take(5).map(|row| row[column].as_str()).collect();
        let owed = |round| match shape.owes(seat(number), round) {
            Some(bytes) => bytes.to_string(),
            None => "none".to_owned(),
        };
        assert_eq!(found, Round::ALL.map(owed), "seat {number}");
    }
    // What has no slot: minima of dealers, and a complaint of whoever receives.
    let of = |number, kind, round| Some(shape.bytes_of(seat(number), kind, round)? - 172);
    for (number, minima, complaint) in
        [(1, Some(50), None), (2, Some(50), Some(96 + 39 + 144)), (4, None, Some(96 + 39 + 144))]
    {
        assert_eq!(of(number, Kind::Minima, Round::Commit), minima);
        assert_eq!(of(number, Kind::Complaint, Round::Prepare), complaint);
        assert_eq!(of(number, Kind::Without, Round::Final), Some(32 + 4));
        assert_eq!(of(number, Kind::Without, Round::Commit), None);
    }
    assert_eq!(shape.box_bytes(), box_len(32 * 2 + 32));
}

/// Four seats, of which the third regains its share.
#[test]
fn sizes_of_statements_of_a_repair() {
    let seat = |number| Index::new(number).unwrap();
    let parts = Parts {
        dealers: [1, 2, 4].map(seat).into_iter().collect(),
        receivers: [3].map(seat).into_iter().collect(),
        witnesses: Seats::default(),
    };
    let (kind, version) = (CeremonyKind::Repair, Version::CURRENT);
    let shape = Shape { version, kind, n: 4, t: 3, v: 2, items: 0, sealed: 0, lock: false, parts };
    let rows = table(&chapter("19-repair.md"), "\n## 19.8 ");
    for (column, number) in [(3, 1), (3, 4), (4, 3)] {
        let found: Vec<&str> = rows.iter().take(5).map(|row| row[column].as_str()).collect();
        let owed = |round| match shape.owes(seat(number), round) {
            Some(bytes) => bytes.to_string(),
            None => "none".to_owned(),
        };
        assert_eq!(found, Round::ALL.map(owed), "seat {number}");
    }
    // Everybody shares a key with somebody and may complain; nobody states minima.
    let of = |number, kind, round| Some(shape.bytes_of(seat(number), kind, round)? - 172);
    for number in 1..=4 {
        assert_eq!(of(number, Kind::Minima, Round::Commit), None);
        assert_eq!(of(number, Kind::Complaint, Round::Prepare), Some(96 + 39 + 144));
    }
}

/// One of each rule, in the order of the table.
fn rules() -> Vec<(&'static str, Rule)> {
    let one = Index::new(1).unwrap();
    let two = Index::new(2).unwrap();
    let error = DecodeError::Trailing { extra: 1 };
    vec![
        ("equivocation", Rule::Equivocation { operator: one, round: Round::Hello }),
        ("malformed", Rule::Malformed { operator: one, round: Round::Hello, error: error.clone() }),
        ("abandonment", Rule::Abandonment { operator: one, round: Round::Deal, error }),
        ("view root", Rule::ViewRoot { operator: one, round: Round::Deal }),
        ("opening", Rule::Opening { dealer: one }),
        ("equal constants", Rule::EqualConstants { rows: [(one, 0), (two, 0)] }),
        ("proof of possession", Rule::ProofOfPossession { dealer: one }),
        ("copied hello", Rule::CopiedHello { operators: [one, two], what: "a nonce" }),
        ("share box", Rule::ShareBox { dealer: one, error: ShareBoxError::Sealed }),
        ("share", Rule::Share { dealer: one, validator: 0 }),
        ("masks", Rule::MasksDiffer { operators: [one, two], validator: 0 }),
        ("mask", Rule::Mask { dealer: one, validator: 0 }),
        ("false complaint", Rule::FalseComplaint { operator: one, dealer: two }),
        ("possession", Rule::Possession { operator: one }),
        ("partial", Rule::Partial { operator: one, item: 0 }),
        ("sealed share", Rule::EncryptedShare { operator: one, validator: 0 }),
        ("lock shares", Rule::LockShares { operator: one }),
        ("lock node", Rule::LockNode { operator: one }),
        ("view", Rule::View { operator: one, round: Round::Prepare, about: two }),
        ("sums root", Rule::SumsRoot { operator: one }),
        ("outputs", Rule::Outputs { operator: one }),
        ("degenerate", Rule::Degenerate),
    ]
}

#[test]
fn classes_and_certainty_of_faults() {
    let rows = table(&chapter("05-protocol.md"), "\n## 5.8 ");
    let first_word = |cell: &str| cell.split([':', ';']).next().unwrap_or_default().to_owned();
    let found: Vec<[String; 3]> =
        rows.iter().map(|row| [first_word(&row[0]), row[1].clone(), first_word(&row[2])]).collect();
    let expected: Vec<[String; 3]> = rules()
        .into_iter()
        .map(|(name, rule)| {
            let class = match rule.class() {
                Some(Class::E1) => "E1",
                Some(Class::E2) => "E2",
                Some(Class::E3) => "E3",
                Some(Class::E4) => "E4",
                Some(Class::E5) => "E5",
                Some(Class::E6) => "E6",
                None => "none",
            };
            let certainty = match rule.certainty() {
                Certainty::Proven => "proven",
                Certainty::Suspected => "suspected",
                Certainty::Nobody => "nobody",
            };
            [name, class, certainty].map(str::to_owned)
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn kinds_of_records() {
    let rows = table(&chapter("09-storage.md"), "\n## 9.4 ");
    let found: Vec<u8> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    let known: Vec<u8> =
        (0..=u8::MAX).filter(|number| RecordKind::from_number(*number).is_some()).collect();
    assert_eq!(found, known);
}

/// `SECURITY.md` names a test for each defence, as `file::test`.
#[test]
fn the_tests_that_show_the_defences_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let named: BTreeSet<&str> = text.split('`').filter(|code| code.contains(".rs::")).collect();
    assert!(named.len() > 40, "the tables were read");
    let missing = |name: &&&str| {
        let (file, test) = name.split_once("::").unwrap();
        let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        !source.contains(&format!("fn {test}("))
    };
    assert_eq!(named.iter().filter(missing).collect::<Vec<_>>(), [&""; 0]);
}
